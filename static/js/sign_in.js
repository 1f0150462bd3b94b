// @ts-check
import { csrfHeaders } from "./csrf.js";
import { openDialog } from "./dialog.js";
import { find, findAll } from "./find.js";
import { workspace } from "./surfaces.js";
import { leave, tryAgain } from "./waiting.js";

/** Signing in again in the middle: over the page, so that nothing of it is lost. */
const IN = "in";
let isPutOff = false;
let isAsking = false;

/**
 * @param {(selector: string) => Promise<any>} dialogOf brings a dialog of the page
 * @param {() => void} back once somebody is signed in
 */
export function watchSignIn(dialogOf, back) {
  const { email = "" } = workspace.dataset;
  /** @type {any} */
  let dialog;
  /** @type {any} */
  let place;
  document.addEventListener("signed-out", (event) => {
    event.preventDefault();
    isPutOff || ask();
  });
  dialogOf("#waiting [data-sign-in-now]").then(
    (button) => button.addEventListener("click", ask),
    () => undefined,
  );

  async function prepare() {
    if (dialog) {
      return;
    }
    dialog = await dialogOf("#sign-in-again");
    place = find(dialog, "[data-sign-in-form]");
    dialog.addEventListener("close", () => (isPutOff = dialog.returnValue !== IN));
    dialog.addEventListener("submit", async (/** @type {SubmitEvent} */ event) => {
      event.preventDefault();
      const form = /** @type {HTMLFormElement} */ (event.target);
      const isOther = form.username.value.trim().toLowerCase() !== email.toLowerCase();
      const button = find(form, "button:not([type='button'])");
      button.disabled = true;
      const body = new FormData(form);
      await show({ method: "POST", body }, isOther).catch(() => (button.disabled = false));
    });
  }

  async function ask() {
    if (!dialog?.open && !isAsking) {
      isAsking = true;
      // Without a connection the banner stays, with its button.
      await prepare().then(() => show({}, false)).catch(() => undefined);
      isAsking = false;
    }
  }

  /** Shows the form that the server answers with; it sends away who is signed in. */
  async function show(/** @type {RequestInit} */ options, /** @type {boolean} */ isOther) {
    const response = await fetch(dialog.dataset.address, options);
    if (!response.redirected) {
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const form = find(page, "[data-sign-in] form");
      place.replaceChildren(form ?? find(page, "[data-error-message]") ?? "");
      if (form) {
        form.username.value ||= email;
      }
      dialog.returnValue = "";
      openDialog(dialog);
      form && find(form, "[type='password']").focus();
    } else if (isOther) {
      leave();
    } else {
      renewTokens();
      dialog.close(IN);
      back();
      tryAgain();
    }
  }
}

/** Signing in made those of the page worthless. */
function renewTokens() {
  const headers = csrfHeaders();
  document.body.setAttribute("hx-headers", JSON.stringify(headers));
  for (const field of findAll(document, "[name='csrfmiddlewaretoken']")) {
    field.value = headers["X-CSRFToken"];
  }
}
