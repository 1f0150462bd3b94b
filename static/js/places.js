// @ts-check

/**
 * Where in a column of boxes something at height `y` belongs: before the first box whose middle is
 * below it. Pure.
 * @param {number} y
 * @param {{ top: number, bottom: number }[]} boxes from top to bottom
 * @returns {number} 0 before the first, the number of boxes behind the last
 */
export function placeOf(y, boxes) {
  const at = boxes.findIndex(({ top, bottom }) => y < (top + bottom) / 2);
  return at === -1 ? boxes.length : at;
}
