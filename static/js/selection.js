// @ts-check
/**
 * Which images are selected: pure, a new state for every gesture.
 * `anchor` is where a run starts, `base` what was selected before it: a run that is drawn anew
 * replaces the last one and can shrink.
 * @typedef {{ ids: ReadonlySet<number>, anchor: number | null, base: ReadonlySet<number> }} Selection
 */

/** @returns {Selection} */
export const nothing = () => these([]);

/** @param {Iterable<number>} given @returns {Selection} */
export function these(given) {
  const ids = new Set(given);
  return { ids, anchor: null, base: ids };
}

/** @param {number} id @returns {Selection} */
export const only = (id) => ({ ...these([id]), anchor: id });

/** @param {Selection} selection @param {number} id @returns {Selection} */
export function toggled(selection, id) {
  const ids = new Set(selection.ids);
  if (!ids.delete(id)) {
    ids.add(id);
  }
  return { ids, anchor: id, base: ids };
}

/**
 * Extends to `id`: what was selected before the run, and everything from the anchor to it. With
 * `keep` nothing is let go. An anchor that is not on this page makes it a toggle.
 * @param {Selection} selection
 * @param {number[]} order the ids of the page
 * @param {number} id
 * @returns {Selection}
 */
export function extended(selection, order, id, keep = false) {
  const from = selection.anchor === null ? -1 : order.indexOf(selection.anchor);
  const to = order.indexOf(id);
  if (from < 0 || to < 0) {
    return toggled(selection, id);
  }
  const run = order.slice(Math.min(from, to), Math.max(from, to) + 1);
  const ids = new Set([...(keep ? selection.ids : selection.base), ...run]);
  return { ids, anchor: selection.anchor, base: keep ? ids : selection.base };
}

/** Other pages keep theirs. @param {Selection} selection @param {number[]} order */
export const withPage = (selection, order) => these([...selection.ids, ...order]);

/** Other pages keep theirs. @param {Selection} selection @param {number[]} order */
export const withoutPage = (selection, order) =>
  these([...selection.ids].filter((id) => !order.includes(id)));

/**
 * How much of the page is selected: the state of its checkbox.
 * @param {Selection} selection
 * @param {number[]} order
 * @returns {"none" | "some" | "all"}
 */
export function share(selection, order) {
  const found = order.filter((id) => selection.ids.has(id)).length;
  return found === 0 ? "none" : found === order.length ? "all" : "some";
}

/**
 * Where a key moves the focus to on a page of `total` tiles in rows of `columns`.
 * @param {number} at
 * @param {string} direction
 * @param {number} columns
 * @param {number} total
 */
export function step(at, direction, columns, total) {
  const rowStart = at - (at % columns);
  const to = {
    left: at - 1,
    right: at + 1,
    up: at - columns,
    down: at + columns,
    "row-start": rowStart,
    "row-end": Math.min(rowStart + columns, total) - 1,
    first: 0,
    last: total - 1,
  }[direction];
  return to === undefined || to < 0 || to >= total ? at : to;
}
