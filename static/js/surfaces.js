// @ts-check
import { find } from "./find.js";
import "./grid.js";
import { labels, paintPressed } from "./panel.js";
import { close, toast } from "./toast.js";

/** The two work surfaces of a page, and what reaches both. The grid is not on every page. */
const GATHER_MILLISECONDS = 150;
const ANNOUNCE_MILLISECONDS = 500;

export const workspace = find(document, ".workspace");
export const grid = find(workspace, "image-grid");
export const viewer = find(workspace, "image-viewer");

/** @type {Promise<void> | null} */
let bringing = null;

/** Has the viewer ready: a fifth of all scripts, without which the grid begins. */
export const bringViewer = () =>
  (bringing ??= import("./viewer.js").then(
    () => viewer.start(),
    (error) => {
      bringing = null;
      throw error;
    },
  ));

export const surface = () => (viewer.isOpen ? viewer : grid);

/** How many edits of an image are on their way. @type {Map<number, number>} */
const held = new Map();
/** @type {Set<number>} */
const stale = new Set();
let gathering = 0;
let announcing = 0;
/** @type {HTMLElement | undefined} */
let said;
/** @type {HTMLElement | undefined} */
let complaint;
/** @type {(() => void)[]} */
let retries = [];

/** Whether a label leads on to the next image: a choice in jobs with one label per image. */
export const goesOn = () => Boolean(find(workspace, "[data-auto-advance]")?.checked);

/** @param {number} id @returns {Set<number> | null} null: the image is not on this page */
export const labelsOf = (id) => (viewer.isOpen ? viewer.labelsOf(id) : null) ?? grid?.labelsOf(id) ?? null;

/** @param {Map<number, Set<number>>} carried the labels of images, by id */
export function paint(carried) {
  grid?.paint(carried);
  viewer.paint?.(carried);
  paintPanel();
}

export function paintPanel() {
  paintPressed(surface().targets().map(labelsOf).filter(Boolean));
}

/** @param {number[]} ids @param {number} more edits of them on their way, or fewer */
export function hold(ids, more) {
  for (const id of ids) {
    held.set(id, (held.get(id) ?? 0) + more);
  }
}

const isHeld = (/** @type {number} */ id) => (held.get(id) ?? 0) > 0;

/** Has images fetched anew, in one request with all that are named within a moment. */
export function refresh(/** @type {number[]} */ ids) {
  for (const id of ids) {
    stale.add(id);
  }
  gathering ||= window.setTimeout(() => {
    gathering = 0;
    const wanted = [...stale].filter((id) => !isHeld(id));
    stale.clear();
    for (const one of [grid, viewer]) {
      // What cannot be fetched now is caught up with when the connection is back.
      one?.refresh?.(wanted, isHeld).catch(() => undefined);
    }
  }, GATHER_MILLISECONDS);
}

/** The images that the page shows. @returns {number[]} */
export const shown = () => [...(grid?.ids() ?? []), ...(viewer.isOpen ? viewer.targets() : [])];

/** To screen readers; of several messages in a row the last. @param {string} text */
export function announce(text) {
  window.clearTimeout(announcing);
  announcing = window.setTimeout(() => {
    find(document, "#announcement").textContent = text;
  }, ANNOUNCE_MILLISECONDS);
}

/** Shows the one toast of what was done last, or takes it away. @param {any} [options] */
export function say(options) {
  if (said) {
    close(said);
  }
  said = options && toast(options);
}

/**
 * Says what failed; of several failures one toast is left, which tries all of them again. Trying
 * again does not help where the role forbids it, or where the image is not what it was.
 */
export function complain(/** @type {any} */ error, /** @type {() => void} */ retry) {
  retries = complaint?.isConnected ? [...retries, retry] : [retry];
  complaint?.remove();
  const isForbidden = error.why === "forbidden";
  const again = () => retries.splice(0).forEach((one) => one());
  // Where a selection is not what it was, its message says all.
  const template = find(document, `#toast-${error.why}`)?.id ?? "toast-retry";
  complaint = toast({
    ...(error.code === "selection" ? { text: error.message } : { template }),
    values: { text: error.message },
    tone: error.why === "conflict" ? "warning" : "problem",
    action: isForbidden ? () => location.reload() : again,
  });
}

/** The label with that name. @param {string | undefined} name */
export const labelNamed = (name) => labels().find((label) => label.name === name)?.id;

// A page of one image begins with it.
if (!grid) {
  await import("./viewer.js");
}
