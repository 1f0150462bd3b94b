// @ts-check
import { openDialog } from "./dialog.js";
import { took } from "./edits.js";
import { find, words } from "./find.js";
import { call, fetchAnswer } from "./server.js";
import * as on from "./surfaces.js";
import { toast } from "./toast.js";
import { queue } from "./waiting.js";

/** Deleting: the server asks the question, in templates/labels/_deletion.html. */
const { api } = on.workspace.dataset;
const address = on.workspace.dataset.deletion;
/** The runs that were started here: what they could not delete is said. @type {Set<number>} */
const started = new Set();

/** Asks whether to delete what is selected. */
export async function askToDelete() {
  const chosen = on.surface().request();
  if (!on.surface().targets().length || !address) {
    on.say({ text: words("say-select") });
    return;
  }
  try {
    show(await question(chosen), chosen);
  } catch (error) {
    on.complain(error, askToDelete);
  }
}

/** @param {object} chosen @returns {Promise<HTMLDialogElement>} */
async function question(chosen) {
  const page = await fetchAnswer(/** @type {string} */ (address), chosen);
  // What is said later stays when the dialog is gone.
  find(document, "#deletion-words")?.remove();
  document.body.append(find(page, "#deletion-words"));
  return find(page, "dialog");
}

/** @param {HTMLDialogElement} dialog @param {object} chosen */
function show(dialog, chosen) {
  const form = find(dialog, "form");
  const expected = Number(dialog.dataset.count);
  const go = find(form, "[data-deletion-go]");
  const isForFiles = () => Boolean(form.elements.files?.checked);
  const isTyped = () => form.elements.number?.value.trim() === String(expected);
  const paint = () => {
    go.disabled = isForFiles() && !isTyped();
  };
  form.addEventListener("input", paint);
  form.addEventListener("submit", async (/** @type {Event} */ event) => {
    event.preventDefault();
    go.disabled = true;
    try {
      const send = isForFiles() ? deleteFiles : trash;
      await queue.push(() => send({ ...chosen, expected }));
      dialog.close();
    } catch (error) {
      complainIn(dialog, error);
      paint();
    }
  });
  find(form, "[data-deletion-test]")?.addEventListener("click", () => test(dialog, chosen));
  dialog.addEventListener("close", () => dialog.remove(), { once: true });
  find(document, "#dialog").replaceChildren(dialog);
  paint();
  openDialog(dialog);
  go.focus();
}

/** @param {HTMLDialogElement} dialog @param {any} error */
function complainIn(dialog, error) {
  const place = find(dialog, "[data-deletion-error]");
  place.textContent = error.message;
  place.hidden = false;
}

/** Tests the storage, and asks again with what is known then. */
async function test(/** @type {HTMLDialogElement} */ dialog, /** @type {any} */ chosen) {
  const button = find(dialog, "[data-deletion-test]");
  button.disabled = true;
  try {
    const { message } = await call("POST", `${api}deletion/test/`, {});
    const next = await question(chosen);
    dialog.close();
    show(next, chosen);
    if (message) {
      find(next, "#deletion-obstacle").firstChild.textContent = `${message} `;
    }
  } catch (error) {
    complainIn(dialog, error);
    button.disabled = false;
  }
}

/** @param {any} body */
async function trash(body) {
  const ids = on.surface().targets();
  took(await call("POST", `${api}trash/`, body));
  if (on.viewer.isOpen) {
    on.viewer.command("next") || on.viewer.command("close");
  }
  on.grid?.changedAll();
  on.refresh(ids);
}

/** @param {any} body */
async function deleteFiles(body) {
  const { id } = await call("POST", `${api}deletion/`, body);
  started.add(id);
  on.say({ template: "toast-deleting", action: () => open(id) });
}

// What a run that was started here could not delete.
on.workspace.addEventListener("run:progressed", ({ detail: { id, state, counts } }) => {
  const isOver = state !== "queued" && state !== "running";
  if (isOver && started.delete(id) && (state !== "done" || counts.failed)) {
    toast({ template: "toast-not-deleted", tone: "problem", action: () => open(id) });
  }
});

/** @param {number} run */
const open = (run) => location.assign(`${location.pathname.match(/^.*\/jobs\/\d+\//)}runs/${run}/`);
