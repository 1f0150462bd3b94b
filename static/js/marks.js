// @ts-check
/**
 * What an edit does to the labels of images, as the server will do it. Pure. Among the labels 0
 * stands for “nothing applies”: labeled, with no label.
 * @typedef {{ add?: number[], remove?: number[], clear?: boolean, nothing?: boolean,
 *   replace?: { from: number, to: number } }} Edit
 */
export const NOTHING = 0;

/**
 * The edit that a label's key asks for: taken off where all targets have it, else put on all.
 * @param {number} label
 * @param {Iterable<ReadonlySet<number> | null>} targets their labels; null: not known here
 * @returns {Edit}
 */
export function toggleOf(label, targets) {
  const all = [...targets];
  const isOn = all.length > 0 && all.every((labels) => labels?.has(label));
  if (label === NOTHING) {
    return isOn ? { clear: true } : { nothing: true };
  }
  return isOn ? { remove: [label] } : { add: [label] };
}

/**
 * The labels that an image has after the edit.
 * @param {ReadonlySet<number>} labels
 * @param {Edit} edit
 * @param {string} mode "single" or "multi"
 * @returns {Set<number>}
 */
export function applied(labels, { add = [], remove = [], clear, nothing, replace }, mode) {
  if (nothing) {
    return new Set([NOTHING]);
  }
  if (replace) {
    const isMeant = labels.has(replace.from);
    return isMeant ? applied(labels, { remove: [replace.from], add: [replace.to] }, mode) : new Set(labels);
  }
  const replaces = clear || (mode === "single" && add.length > 0);
  const left = replaces ? new Set() : new Set(labels);
  for (const label of remove) {
    left.delete(label);
  }
  for (const label of add) {
    left.delete(NOTHING);
    left.add(label);
  }
  return left;
}

/**
 * How many of the targets have the label, as `aria-pressed` says it.
 * @param {number} label
 * @param {ReadonlySet<number>[]} targets
 * @returns {"true" | "mixed" | "false"}
 */
export function pressed(label, targets) {
  const having = targets.filter((labels) => labels.has(label)).length;
  return having === 0 ? "false" : having === targets.length ? "true" : "mixed";
}
