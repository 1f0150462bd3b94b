// @ts-check
/**
 * Which images are selected: pure, a new state for every gesture.
 *
 * Either `ids`, or with `all` everything that a list finds but `ids`. `anchor` is where a run
 * starts, `base` the ids of before it: a run that is drawn anew replaces the last one and can
 * shrink.
 * @typedef {{ query: string, number: number | null, through: number | null }} All null: nobody
 *   counted yet, and up to which image
 * @typedef {{ ids: ReadonlySet<number>, anchor: number | null, base: ReadonlySet<number>,
 *   all: All | null }} Selection
 */

/** @returns {Selection} */
export const nothing = () => these([]);

/** @param {Iterable<number>} given @param {All | null} all @returns {Selection} */
export function these(given, all = null) {
  const ids = new Set(given);
  return { ids, anchor: null, base: ids, all };
}

/** @param {number} id @returns {Selection} */
export const only = (id) => ({ ...these([id]), anchor: id });

/** @param {Selection} selection @param {number} id */
export const has = ({ ids, all }, id) => ids.has(id) === (all === null);

/** How many; Infinity: not counted yet. @param {Selection} selection */
export const size = ({ ids, all }) =>
  all ? Math.max(0, (all.number ?? Infinity) - ids.size) : ids.size;

/** As the server takes it. @param {Selection} selection */
export function request({ ids, all }) {
  if (!all) {
    return { ids: [...ids] };
  }
  const expected = all.number === null ? {} : { expected: all.number - ids.size };
  const through = all.through === null ? {} : { through: all.through };
  return { query: all.query, except: [...ids], ...expected, ...through };
}

/**
 * @param {Selection} selection
 * @param {Iterable<number>} from the ids that it starts from
 * @param {Iterable<number>} run
 * @param {(id: number) => boolean} isIn whether one of the run is selected then
 */
function put({ all }, from, run, isIn) {
  const ids = new Set(from);
  for (const id of run) {
    isIn(id) === (all === null) ? ids.add(id) : ids.delete(id);
  }
  return ids;
}

/** @param {Selection} selection @param {number} id @returns {Selection} */
export function toggled(selection, id) {
  const ids = put(selection, selection.ids, [id], (one) => !has(selection, one));
  return { ...selection, ids, anchor: id, base: ids };
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
  const ids = put(selection, keep ? selection.ids : selection.base, run, () => true);
  return { ...selection, ids, base: keep ? ids : selection.base };
}

/** Other pages keep theirs. @param {Selection} selection @param {number[]} order */
export const withPage = (selection, order, isIn = true) =>
  these(put(selection, selection.ids, order, () => isIn), selection.all);

/** Other pages keep theirs. @param {Selection} selection @param {number[]} order */
export const withoutPage = (selection, order) => withPage(selection, order, false);

/**
 * What a band touches is selected besides; or with `flips`, where it was selected, no more.
 * @param {Selection} start of before the band
 * @param {Iterable<number>} touched
 * @param {boolean} flips
 * @returns {Selection}
 */
export const banded = (start, touched, flips) =>
  these(put(start, start.ids, touched, (id) => !(flips && has(start, id))), start.all);

/**
 * How much of the page is selected: the state of its checkbox.
 * @param {Selection} selection
 * @param {number[]} order
 * @returns {"none" | "some" | "all"}
 */
export function share(selection, order) {
  const found = order.filter((id) => has(selection, id)).length;
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
