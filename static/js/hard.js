// @ts-check
import { queue, took } from "./edits.js";
import { call } from "./server.js";
import { complain, hold, refresh, viewer, workspace } from "./surfaces.js";

/** Marks the image in the viewer as a hard example, or takes the mark off; painted at once. */
export function toggleHard() {
  if (workspace.hasAttribute("data-can-label")) {
    mark(viewer.targets()[0], !viewer.isHard);
  }
}

/** @param {number} id @param {boolean} isHard */
async function mark(id, isHard) {
  const ids = [id];
  hold(ids, 1);
  viewer.paintHard(id, isHard);
  try {
    const body = { ids, is_hard: isHard };
    took(await queue.push(() => call("POST", `${workspace.dataset.api}hard/`, body)));
  } catch (error) {
    viewer.paintHard(id, !isHard);
    complain(error, () => mark(id, isHard));
  } finally {
    hold(ids, -1);
    refresh(ids);
  }
}
