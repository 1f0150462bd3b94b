// @ts-check
import { openDialog } from "./dialog.js";
import "./grid.js";
import { commandOf } from "./keys.js";
import { applied, toggleOf } from "./marks.js";
import { createPanel } from "./panel.js";
import { createQueue } from "./queue.js";
import { call, fetchPage, words } from "./server.js";
import { connect } from "./socket.js";
import { close, toast } from "./toast.js";
import "./viewer.js";

const PREDICT_AT_ONCE = 16;
const ADVANCE_MILLISECONDS = 150;
const POLL_MILLISECONDS = 15000;
const FILL_MILLISECONDS = 1000;

const workspace = /** @type {HTMLElement} */ (document.querySelector(".workspace"));
const grid = /** @type {any} */ (workspace.querySelector("image-grid"));
const viewer = /** @type {any} */ (workspace.querySelector("image-viewer"));
const { api = "", mode = "" } = workspace.dataset;
const canLabel = workspace.hasAttribute("data-can-label");
const panel = createPanel(workspace);
const queue = createQueue();
/** How many edits of an image are on their way. @type {Map<number, number>} */
const held = new Map();
/** @type {HTMLElement | undefined} */
let lastToast;

const surface = () => (viewer.isOpen ? viewer : grid);
const labelsOf = (/** @type {number} */ id) => viewer.labelsOf(id) ?? grid?.labelsOf(id) ?? null;

function paint(/** @type {number} */ id, /** @type {Set<number>} */ labels) {
  grid?.paint(id, labels);
  viewer.paint(id, labels);
}

function refresh(/** @type {number[]} */ ids) {
  grid?.refresh(ids);
  viewer.refresh(ids);
}

function paintPanel() {
  panel.paint(surface().targets().map(labelsOf).filter(Boolean));
}

// What is said ------------------------------------------------------------------------------------
let announcing = 0;
/** To screen readers; of several messages within half a second the last. */
function announce(/** @type {string} */ text) {
  window.clearTimeout(announcing);
  announcing = window.setTimeout(() => {
    /** @type {HTMLElement} */ (document.getElementById("announcement")).textContent = text;
  }, 500);
}

/** @param {Parameters<typeof toast>[0]} [options] the one toast of the last edit; none: away */
function say(options) {
  if (lastToast) {
    close(lastToast);
  }
  lastToast = options && toast(options);
}

function complain(/** @type {Error} */ error, /** @type {() => void} */ retry) {
  const values = { text: error.message };
  toast({ template: "toast-retry", values, tone: "problem", action: retry });
}

// Edits -------------------------------------------------------------------------------------------
/**
 * Paints an edit at once and sends it after those before it; one that fails is taken back.
 * @param {number[]} ids
 * @param {{ add?: number[], remove?: number[], clear?: boolean }} change
 * @param {() => Promise<any>} send
 */
async function perform(ids, change, send) {
  const before = ids.map((id) => /** @type {const} */ ([id, labelsOf(id)]));
  hold(ids, 1);
  for (const [id, labels] of before) {
    if (labels) {
      paint(id, applied(labels, change, mode));
    }
  }
  paintPanel();
  try {
    took(await queue.push(send));
    return true;
  } catch (error) {
    for (const [id, labels] of before) {
      if (labels) {
        paint(id, labels);
      }
    }
    complain(/** @type {Error} */ (error), () => perform(ids, change, send));
    return false;
  } finally {
    hold(ids, -1);
    refresh(ids);
    paintPanel();
  }
}

function hold(/** @type {number[]} */ ids, /** @type {number} */ more) {
  for (const id of ids) {
    held.set(id, (held.get(id) ?? 0) + more);
  }
}

/** What the server says of an edit. */
function took(/** @type {any} */ answer) {
  panel.count(answer.counts, answer.change);
  if (answer.changed > 1 && answer.verb !== "undo") {
    const values = { text: answer.message };
    say({ template: "toast-undo", values, tone: "good", action: () => revert("undo") });
  } else {
    say(answer.verb === "undo" ? { text: answer.message } : undefined);
    announce(answer.message);
  }
}

async function edit(/** @type {{ add?: number[], remove?: number[], clear?: boolean }} */ change) {
  const ids = surface().targets();
  if (!ids.length || !canLabel) {
    say({ text: words("say-select") });
    return;
  }
  const send = () => call("POST", `${api}annotate/`, { ids, ...change });
  const done = await perform(ids, change, send);
  if (done && change.add?.length && mode === "single" && viewer.isOpen) {
    advance(ids[0]);
  }
}

function advance(/** @type {number} */ from) {
  const setting = /** @type {HTMLInputElement | null} */ (
    workspace.querySelector("[data-auto-advance]")
  );
  if (setting?.checked) {
    window.setTimeout(() => {
      if (viewer.isOpen && viewer.targets()[0] === from) {
        turn("next");
      }
    }, ADVANCE_MILLISECONDS);
  }
}

function toggleLabel(/** @type {number | undefined} */ label) {
  if (label !== undefined) {
    edit(toggleOf(label, surface().targets().map(labelsOf)));
  }
}

async function revert(/** @type {"undo" | "redo"} */ direction) {
  try {
    const answer = await queue.push(() => call("POST", `${api}${direction}/`, {}));
    took(answer);
    refresh(answer.samples.length ? answer.samples : (grid?.ids() ?? []));
  } catch (error) {
    say({ text: /** @type {Error} */ (error).message });
  }
}

// Suggestions -------------------------------------------------------------------------------------
async function predict() {
  const ids = surface().targets();
  if (!ids.length) {
    say({ text: words("say-select") });
  } else if (viewer.isOpen) {
    viewer.busy(true);
    try {
      const { problems } = await call("POST", `${api}predict/`, { ids });
      await viewer.refresh(ids);
      viewer.busy(false, problems[ids[0]]);
    } catch (error) {
      viewer.busy(false, /** @type {Error} */ (error).message);
    }
  } else {
    predictSome(ids);
  }
}

/** The tiles fill in as answers come; a server that does not answer ends it. */
async function predictSome(/** @type {number[]} */ ids) {
  grid.busy(ids, true);
  const problems = [];
  try {
    for (let at = 0; at < ids.length; at += PREDICT_AT_ONCE) {
      const some = ids.slice(at, at + PREDICT_AT_ONCE);
      const answer = await call("POST", `${api}predict/`, { ids: some });
      problems.push(...Object.values(answer.problems));
      grid.busy(some, false);
      refresh(some);
    }
  } catch (error) {
    complain(/** @type {Error} */ (error), () => predictSome(ids));
  }
  grid.busy(ids, false);
  if (problems.length) {
    toast({ text: problems[0], tone: "warning" });
  }
}

function accept() {
  if (viewer.isOpen) {
    const offer = viewer.suggestion();
    return offer ? acceptOffer(offer) : say({ text: words("say-nothing-suggested") });
  }
  const named = new Map(panel.labels().map((label) => [label.name, label.id]));
  const found = grid.targets().map((/** @type {number} */ id) => [id, grid.suggestionOf(id)]);
  const some = found.filter((/** @type {any} */ [, suggestion]) => suggestion);
  if (!some.length) {
    return say({ text: words("say-nothing-suggested") });
  }
  for (const [id, { name, label }] of some) {
    acceptOne(id, name, named.get(label));
  }
}

async function acceptOffer(/** @type {HTMLElement} */ offer) {
  const { accept: name = "", acceptLabel: label } = offer.dataset;
  const [id] = viewer.targets();
  if ((await acceptOne(id, name, label ? Number(label) : undefined)) && mode === "single") {
    advance(id);
  }
}

/** @param {number} id @param {string} name the model's @param {number} [label] if there is one */
function acceptOne(id, name, label) {
  const send = () => call("POST", `${api}accept/`, { sample: id, name });
  return perform([id], label === undefined ? {} : { add: [label] }, send);
}

// Commands ----------------------------------------------------------------------------------------
function turn(/** @type {"next" | "previous"} */ direction) {
  if (!viewer.command(direction)) {
    say({ text: words(direction === "next" ? "say-last" : "say-first") });
  }
}

function run(/** @type {string} */ command) {
  const [verb, place] = command.split(":");
  switch (verb) {
    case "label":
      return toggleLabel(panel.labels()[Number(place)]?.id);
    case "clear":
      return edit({ clear: true });
    case "undo":
    case "redo":
      return revert(verb);
    case "predict":
      return predict();
    case "accept":
      return accept();
    case "next":
    case "previous":
      return turn(verb);
    case "help":
      return openDialog(/** @type {HTMLDialogElement} */ (document.getElementById("keys")));
    default:
      return surface().command(command);
  }
}

document.addEventListener("keydown", (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  const isPage = target === document.body || workspace.contains(target);
  const isTyping = target.matches("input:not([type='checkbox']), textarea, select");
  const isOwnKey = target.matches("button, summary, a:not(.tile)") && /^(Enter| )$/.test(event.key);
  if (!isPage || isTyping || isOwnKey || target.closest("dialog, .menu[open]")) {
    return;
  }
  const command = commandOf(event, viewer.isOpen ? "image" : "grid");
  if (command) {
    event.preventDefault();
    run(command);
  }
});

workspace.addEventListener("click", (event) => {
  const target = /** @type {Element} */ (event.target);
  const button = /** @type {HTMLElement | null} */ (
    target.closest("[data-command], [data-label], [data-accept]")
  );
  // Ctrl and the other buttons open links elsewhere, as ever.
  if (!button || button.ariaDisabled || event.ctrlKey || event.metaKey || event.shiftKey) {
    return;
  }
  event.preventDefault();
  if (button.dataset.accept !== undefined) {
    acceptOffer(button);
  } else if (button.dataset.label) {
    toggleLabel(Number(button.dataset.label));
  } else {
    run(button.dataset.command ?? "");
  }
});

workspace.addEventListener("surface:changed", paintPanel);
workspace.addEventListener("surface:open", (event) => {
  viewer.open(/** @type {CustomEvent} */ (event).detail).catch(complain);
});
workspace.addEventListener("surface:closed", (event) => {
  grid.focusOn(/** @type {CustomEvent} */ (event).detail);
  paintPanel();
});
document.addEventListener("htmx:afterSettle", paintPanel);
window.addEventListener("beforeunload", (event) => queue.size() && event.preventDefault());

// Live --------------------------------------------------------------------------------------------
let polling = 0;
let filling = 0;

/** Catches up with what happened while nobody told. */
async function catchUp() {
  const { counts } = await call("GET", api).catch(() => ({ counts: null }));
  if (counts && Object.entries(counts).some(([key, value]) => panel.figure(key) !== value)) {
    panel.count(counts, null);
    refresh(grid?.ids() ?? viewer.targets());
    fill();
  }
}

async function fill() {
  const page = await fetchPage(location.href, { whole: true }).catch(() => null);
  const counts = page?.getElementById("counts")?.textContent;
  if (page && counts) {
    panel.count(JSON.parse(counts), null);
    grid?.fill(page);
  }
}

function progressed(/** @type {any} */ { id, kind, state, total, done }) {
  if (kind !== "import" || viewer.isOpen) {
    return;
  }
  const bar = workspace.querySelector(`[data-run="${id}"] progress`);
  if (bar && total) {
    bar.setAttribute("max", total);
    bar.setAttribute("value", done);
  }
  const isOver = !["queued", "running"].includes(state);
  if (isOver || !filling) {
    window.clearTimeout(filling);
    filling = window.setTimeout(() => {
      filling = 0;
      fill();
    }, isOver ? 0 : FILL_MILLISECONDS);
  }
}

const listeners = {
  "samples.changed": (/** @type {any} */ { counts, change, ids }) => {
    panel.count(counts, change);
    refresh(ids.length ? ids : [...(grid?.ids() ?? []), ...viewer.targets()]);
  },
  "run.progress": (/** @type {any} */ { run: told }) => progressed(told),
  "labels.changed": () => panel.refresh().then(paintPanel, () => undefined),
};

function showConnection(/** @type {boolean} */ isUp) {
  for (const sign of workspace.querySelectorAll("[data-reconnecting]")) {
    sign.toggleAttribute("hidden", isUp);
  }
  window.clearInterval(polling);
  polling = isUp
    ? 0
    : window.setInterval(() => document.hidden || catchUp(), POLL_MILLISECONDS);
}

const counts = document.getElementById("counts")?.textContent ?? "{}";
panel.count(JSON.parse(counts), null);
grid?.start(panel, (/** @type {number} */ id) => (held.get(id) ?? 0) > 0);
viewer.start(Boolean(grid));
paintPanel();
connect(workspace.dataset.socket ?? "", {
  message: (data) => listeners[data.type]?.(data),
  up: () => {
    showConnection(true);
    catchUp();
  },
  down: () => showConnection(false),
});
