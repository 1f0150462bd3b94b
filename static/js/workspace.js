// @ts-check
import { watchChosen } from "./chosen.js";
import { edit, revert, toggleLabel, turn } from "./edits.js";
import { find } from "./find.js";
import { toggleHard } from "./hard.js";
import { keysOf } from "./keys.js";
import { late, watchJob } from "./live.js";
import { look } from "./look.js";
import { NOTHING } from "./marks.js";
import { count, labelKeys, paintOrder, sayNumber, sortLabels } from "./panel.js";
import { acceptAndGoOn, acceptBest, acceptOffer } from "./suggestions.js";
import { predict, reject, rejectBest } from "./suggestions.js";
import { bringViewer, complain, grid, paintPanel, say } from "./surfaces.js";
import { surface, viewer, workspace } from "./surfaces.js";

const SLOW = 300;
const REPEATED = /^(move|extend|next|previous|zoom|pan)/;
const ADVANCE_KEY = "labelhub-auto-advance";

const ownKeys = find(document, "#own-keys");
const commandOf = keysOf(ownKeys ? JSON.parse(ownKeys.textContent) : {});

/** A script that is brought when it is needed did not come. */
const failed = () => say({ template: "toast-offline", tone: "problem" });

/** @param {boolean} withCommands */
async function openPalette(withCommands) {
  // What is typed before it has come is meant for it.
  /** @type {KeyboardEvent[]} */
  const early = [];
  const keep = (/** @type {KeyboardEvent} */ event) => {
    const isChord = event.ctrlKey || event.metaKey || event.altKey;
    event.stopPropagation();
    if (!isChord || /^(Enter|k)$/.test(event.key)) {
      early.push(event);
      event.preventDefault();
    }
  };
  document.addEventListener("keydown", keep, true);
  try {
    const { open } = await import("./palette.js");
    await open({ withCommands, run, label: toggleLabel, early });
  } catch (error) {
    complain(error, () => openPalette(withCommands));
  } finally {
    document.removeEventListener("keydown", keep, true);
  }
}

/** @param {string} command as keys.js and the buttons name it */
function run(command) {
  const [verb, key] = command.split(":");
  switch (verb) {
    case "label":
      return toggleLabel(labelKeys().get(key));
    case "clear":
      return edit({ clear: true });
    case "delete":
      return import("./deletion.js").then(({ askToDelete }) => askToDelete(), failed);
    case "undo":
    case "redo":
      return revert(verb);
    case "predict":
      return predict();
    case "accept":
    case "accept-selection":
      return acceptBest();
    case "reject":
      return rejectBest();
    case "nothing":
      return toggleLabel(NOTHING);
    case "sort-labels":
      return sortLabels();
    case "next":
    case "previous":
      return turn(verb);
    case "accept-next":
      return acceptAndGoOn();
    case "hard":
      return toggleHard();
    case "look":
      return look(workspace, viewer.image);
    case "help":
      return find(document, "#help").click();
    case "find":
      return document.dispatchEvent(new Event("filters:find"));
    case "palette":
    case "palette-labels":
      return openPalette(verb === "palette");
    default:
      return surface().command(command);
  }
}

document.addEventListener("keydown", (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  const isHere = target === document.body || workspace.contains(target);
  const isTyping =
    target.isContentEditable || target.matches("input:not([type='checkbox']), textarea, select");
  const isOwn = target.matches("button, summary, a:not(.tile)") && /^(Enter| )$/.test(event.key);
  const command = commandOf(event, viewer.isOpen ? "image" : "grid", labelKeys());
  // Alt with arrows belongs to the browser where there is nothing to move.
  const isForUs = command && (viewer.isZoomed || !command.startsWith("pan:"));
  if (isForUs && isHere && !isTyping && !isOwn && !target.closest("dialog, .menu[open]")) {
    event.preventDefault();
    // A key that is held moves on and on; it does not label and unlabel.
    if (!event.repeat || REPEATED.test(command)) {
      run(command);
    }
  }
});

workspace.addEventListener("click", (event) => {
  const button = event.target.closest(
    "[data-command], [data-label], [data-accept], [data-reject], [data-frame]",
  );
  // With Ctrl or Shift a link opens elsewhere, as ever.
  if (!button || event.ctrlKey || event.metaKey || event.shiftKey) {
    return;
  }
  event.preventDefault();
  const { accept, reject: rejected, label, command, frame } = button.dataset;
  if (frame !== undefined) {
    viewer.jump(button.href);
  } else if (accept !== undefined) {
    acceptOffer(button);
  } else if (rejected !== undefined) {
    reject(rejected);
  } else if (label) {
    toggleLabel(Number(label));
  } else {
    run(command);
  }
});

workspace.addEventListener("surface:changed", paintPanel);
// Who begins to work may want it soon.
workspace.addEventListener("surface:changed", () => bringViewer().catch(() => {}), { once: true });
workspace.addEventListener("surface:open", ({ detail }) => {
  const open = async () => {
    // Most images are there at once: only a long wait is shown.
    const timer = window.setTimeout(() => workspace.toggleAttribute("data-loading", true), SLOW);
    await bringViewer().then(
      () => viewer.open(detail.url, detail).catch((error) => complain(error, open)),
      failed,
    );
    window.clearTimeout(timer);
    workspace.removeAttribute("data-loading");
  };
  open();
});
workspace.addEventListener("surface:dropped", async ({ detail: { number, back } }) => {
  const template = back ? "toast-dropped-undo" : "toast-dropped";
  sayNumber(find((await late(`#${template}`)).content, "[data-other]"), number);
  say({ template, action: back });
});
workspace.addEventListener("surface:closed", ({ detail }) => {
  grid.focusOn(detail);
  paintPanel();
});
document.addEventListener("htmx:afterSettle", () => {
  paintOrder();
  paintPanel();
});

const advance = find(workspace, "[data-auto-advance]");
if (advance) {
  advance.checked = localStorage.getItem(ADVANCE_KEY) !== "off";
  advance.addEventListener("change", () => {
    localStorage.setItem(ADVANCE_KEY, advance.checked ? "on" : "off");
  });
}

count(JSON.parse(find(document, "#counts").textContent), null);
grid ? grid.start() : await bringViewer();
paintOrder();
paintPanel();
watchChosen();
watchJob();
