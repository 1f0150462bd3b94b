// @ts-check
import { canEdit, post, took } from "./edits.js";
import { complain, grid, hold, refresh, surface, viewer } from "./surfaces.js";
import { queue } from "./waiting.js";

/** Marks what is meant as hard examples, or where all are, takes the mark off. */
export function toggleHard() {
  if (canEdit()) {
    const ids = surface().targets();
    mark(ids, surface().request(), !ids.every((id) => surface().isHard(id)));
  }
}

/** Painted at once. @param {number[]} ids @param {object} chosen @param {boolean} isHard */
async function mark(ids, chosen, isHard) {
  const changed = ids.filter((id) => surface().isHard(id) !== isHard);
  const paint = (/** @type {boolean} */ to) =>
    changed.forEach((id) => [grid, viewer].forEach((one) => one?.paintHard?.(id, to)));
  hold(ids, 1);
  paint(isHard);
  try {
    took(await queue.push(post("hard", { ...chosen, is_hard: isHard })));
    grid?.changedAll();
  } catch (error) {
    paint(!isHard);
    complain(error, () => mark(ids, chosen, isHard));
  } finally {
    hold(ids, -1);
    refresh(ids);
  }
}
