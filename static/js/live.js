// @ts-check
import { find } from "./find.js";
import { count, numberOf, refreshLabels } from "./panel.js";
import { heardOf, left, watchPresence } from "./presence.js";
import { call, fetchPage } from "./server.js";
import { watchSignIn } from "./sign_in.js";
import { connect } from "./socket.js";
import * as on from "./surfaces.js";
import { leave, tryAgain } from "./waiting.js";

/** What others do, and what runs do, shown without reloading. */
const POLL_MILLISECONDS = 15000;
const FILL_MILLISECONDS = 1000;
let polling = 0;
let filling = 0;

export function watchJob() {
  const socket = connect(on.workspace.dataset.socket, {
    message: (data) => listeners[data.type]?.(data),
    up: () => {
      showConnection(true);
      tell();
      tryAgain();
      catchUp();
      on.grid?.retry();
    },
    down: () => showConnection(false),
    out: (isMember) => (isMember ? catchUp() : showRemoved()),
  });
  on.workspace.addEventListener("surface:finished", finish);
  const tell = watchPresence(socket.send);
  watchSignIn(late, socket.open);
  // Before somebody needs them: without a connection they do not come.
  loadLate().catch(() => undefined);
}

/** @type {Promise<void> | null} */
let loading = null;

/** Words, and dialogs that few people ever see, come after the page, or when they are needed. */
function loadLate() {
  loading ??= fetchPage(on.workspace.dataset.states).then((page) => {
    // Templates before everything else belong to the head of a page.
    document.body.append(...page.head.children, ...page.body.children);
  });
  loading.catch(() => (loading = null));
  return loading;
}

/** What comes after the page. @param {string} selector @returns {Promise<any>} */
export const late = (selector) => loadLate().then(() => find(document, selector));

/** Nothing of the job may be seen any more: the page is covered, and left for the list of jobs. */
async function showRemoved() {
  const dialog = await late("#removed").catch(() => null);
  if (!dialog) {
    return leave("/");
  }
  dialog.addEventListener("close", () => leave(find(dialog, "a").href));
  find(dialog, "a").addEventListener("click", (/** @type {Event} */ event) => {
    event.preventDefault();
    dialog.close();
  });
  dialog.open || dialog.showModal();
}

const listeners = {
  "samples.changed": (/** @type {any} */ { counts, change, ids }) => {
    count(counts, change);
    on.refresh(ids.length ? ids : on.shown());
  },
  "run.progress": (/** @type {any} */ { run }) => progressed(run),
  "presence.here": heardOf,
  "presence.gone": left,
  "labels.changed": (/** @type {any} */ { repaint }) => {
    refreshLabels().then(on.paintPanel, () => undefined);
    if (repaint) {
      on.refresh(on.shown());
    }
  },
};

/** Catches up with what happened while nobody told. */
async function catchUp() {
  const { counts = {}, why } = await call("GET", on.workspace.dataset.api).catch((error) => error);
  if (why === "gone") {
    showRemoved();
  }
  const isImporting = on.workspace.querySelector("[data-run]") !== null;
  if (isImporting || Object.entries(counts).some(([key, value]) => numberOf(key) !== value)) {
    count(counts, null);
    on.refresh(on.shown());
    fill();
  }
}

/** Has the grid take in what the server would show on this page now. */
async function fill() {
  filling = 0;
  const isSeen = on.surface() === on.grid;
  // What fails now is made up for by the next message, or when the connection is back.
  const page = isSeen && (await fetchPage(location.href, { whole: true }).catch(() => null));
  if (page) {
    count(JSON.parse(find(page, "#counts").textContent), null);
    on.grid.fill(page);
  }
}

/** The last image was labeled: what to do next comes from the server, once it has it. */
function finish() {
  window.clearTimeout(filling);
  filling = window.setTimeout(fill, FILL_MILLISECONDS);
}

/** @param {any} run */
function progressed(run) {
  const { id, kind, state, total, done } = run;
  on.workspace.dispatchEvent(new CustomEvent("run:progressed", { detail: run }));
  const isOver = state !== "queued" && state !== "running";
  const isEdit = kind === "edit" || kind === "labels";
  if (isEdit) {
    showEdit(id, isOver);
  }
  const bar = find(on.workspace, `[data-${isEdit ? "edit" : "run"}="${id}"] progress`);
  if (bar && total) {
    bar.max = total;
    bar.value = done;
  }
  if (kind !== "import" && kind !== "sync") {
    return;
  }
  if (isOver || !filling) {
    window.clearTimeout(filling);
    filling = window.setTimeout(fill, isOver ? 0 : FILL_MILLISECONDS);
  }
}

/** A large edit, of whoever it is, while it goes on. @param {number} id @param {boolean} isOver */
function showEdit(id, isOver) {
  const shown = find(on.workspace, `[data-edit="${id}"]`);
  if (isOver) {
    shown?.remove();
  } else if (!shown && on.grid) {
    const made = find(document, "#run-edit")?.content.firstElementChild.cloneNode(true);
    if (made) {
      made.dataset.edit = id;
      made.href = `/jobs/${on.workspace.dataset.job}/runs/${id}/`;
      find(on.grid, ".grid-head-figures").prepend(made);
    }
  }
}

/** @param {boolean} isUp */
function showConnection(isUp) {
  on.workspace.toggleAttribute("data-offline", !isUp);
  window.clearInterval(polling);
  if (!isUp) {
    polling = window.setInterval(() => document.hidden || catchUp(), POLL_MILLISECONDS);
  }
}
