// @ts-check
import { words } from "./find.js";
import { applied, toggleOf } from "./marks.js";
import { count } from "./panel.js";
import { call } from "./server.js";
import * as on from "./surfaces.js";
import { queue } from "./waiting.js";

/** Edits of labels. @typedef {import("./marks.js").Edit} Edit */
const ADVANCE_MILLISECONDS = 150;
const { api, mode, user } = on.workspace.dataset;
const canLabel = on.workspace.hasAttribute("data-can-label");

/**
 * An edit to send, as often as it takes: its key tells the server which one it is.
 * @param {string} verb
 * @param {object} body
 */
export function post(verb, body) {
  const key = [...crypto.getRandomValues(new Uint8Array(16))];
  const hex = key.map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const headers = { "Idempotency-Key": hex, "Labelhub-User": user };
  return () =>
    call("POST", `${api}${verb}/`, body, headers).catch((error) => {
      error.isRepeatable = error.why === "offline" || error.why === "signed-out";
      throw error;
    });
}

/**
 * Paints an edit at once and sends it after those before it; one that fails is taken back.
 * @param {number[]} ids those that the page may show
 * @param {(id: number) => Edit} changeOf what becomes of each
 * @param {() => Promise<any>} send
 * @returns {Promise<boolean>} whether it was done
 */
export async function perform(ids, changeOf, send) {
  /** @type {[number, Set<number>][]} */
  const before = ids.map((id) => [id, on.labelsOf(id)]).filter(([, labels]) => labels);
  on.hold(ids, 1);
  on.paint(new Map(before.map(([id, labels]) => [id, applied(labels, changeOf(id), mode)])));
  try {
    took(await queue.push(send));
    return true;
  } catch (error) {
    on.paint(new Map(before));
    on.complain(error, () => perform(ids, changeOf, send));
    return false;
  } finally {
    on.hold(ids, -1);
    on.refresh(ids);
  }
}

/** What the server says of an edit. @param {any} answer */
export function took(answer) {
  count(answer.counts, answer.change);
  if (answer.verb === "undo") {
    on.say({ text: answer.message });
  } else if (answer.changed > 1 || answer.verb === "trash" || answer.run) {
    const values = { text: answer.message };
    on.say({ template: "toast-undo", values, tone: "good", action: () => revert("undo") });
  } else {
    on.say();
    on.announce(answer.message);
  }
}

/** Whether something is meant and may be labeled; else says what is missing. */
export function canEdit() {
  const isMeant = on.surface().targets().length > 0;
  if (!isMeant || !canLabel) {
    on.say({ text: words(canLabel ? "say-select" : "say-forbidden") });
  }
  return isMeant && canLabel;
}

/** Changes the labels of what is meant. @param {Edit} change */
export async function edit(change) {
  if (!canEdit()) {
    return;
  }
  const [ids, chosen] = [on.surface().targets(), on.surface().request()];
  const goesOn = (change.add || change.nothing) && on.goesOn();
  const done = perform(ids, () => change, post("annotate", { ...chosen, ...change }));
  // In the grid at once, so that keys can be typed as fast as one sees.
  if (goesOn && !on.viewer.isOpen && !on.grid.isSelecting) {
    on.grid.command("move:right");
  }
  if (await done) {
    on.grid?.changedAll();
    goesOn && goOn(ids[0]);
  }
}

/** @param {number | undefined} label */
export function toggleLabel(label) {
  if (label !== undefined) {
    edit(toggleOf(label, on.surface().targets().map(on.labelsOf)));
  }
}

/**
 * Accepts one suggestion.
 * @param {number} id
 * @param {string} name the model's
 * @param {number | undefined} label the job's, if it has it already
 */
export async function accept(id, name, label) {
  const change = label === undefined ? {} : { add: [label] };
  if (await perform([id], () => change, post("accept", { sample: id, name }))) {
    on.goesOn() && goOn(id);
  }
}

/** The viewer does, where it still shows that image. @param {number} from */
function goOn(from) {
  if (on.viewer.isOpen) {
    window.setTimeout(() => on.viewer.targets()[0] === from && turn("next"), ADVANCE_MILLISECONDS);
  }
}

/** @param {"next" | "previous"} direction */
export function turn(direction) {
  if (!on.viewer.command(direction)) {
    on.say({ text: words(direction === "next" ? "say-last" : "say-first") });
  }
}

/** @param {"undo" | "redo"} direction */
export async function revert(direction) {
  try {
    const answer = await queue.push(post(direction, {}));
    took(answer);
    on.refresh(answer.samples.length ? answer.samples : on.shown());
  } catch (error) {
    if (/** @type {any} */ (error).why === "conflict") {
      on.say({ text: /** @type {Error} */ (error).message });
    } else {
      on.complain(error, () => revert(direction));
    }
  }
}
