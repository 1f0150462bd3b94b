// @ts-check
import { find, findAll } from "./find.js";
import { chordOf } from "./keys.js";

/** In the fields of `[data-key-fields]` a key is pressed instead of typed; the server reads it. */
const LEFT_ALONE = new Set(["Tab", "Escape"]);
const HELD = new Set(["Control", "Shift", "Alt", "Meta", "AltGraph", "CapsLock", "Process", "Dead"]);

/** As people read it. @param {string} chord @param {Record<string, string>} names */
function shown(chord, names) {
  const [, held, key] = /^((?:[^+]+\+)*)(.+)$/.exec(chord) ?? ["", "", chord];
  return held + (names[key] ?? key.toUpperCase());
}

document.addEventListener("keydown", (event) => {
  const field = /** @type {HTMLInputElement} */ (event.target);
  const form = field.closest("form[data-key-fields]");
  if (!form || !field.matches("[name='chord']") || event.isComposing || HELD.has(event.key)) {
    return;
  }
  if (event.key === "Escape") {
    find(form, "[data-cancel]").click();
  } else if (!LEFT_ALONE.has(event.key)) {
    event.preventDefault();
    const names = JSON.parse(/** @type {HTMLElement} */ (form).dataset.names ?? "{}");
    field.value = event.key === "Backspace" ? "" : shown(chordOf(event), names);
  }
});

function explain() {
  for (const help of findAll(document, "[data-key-fields]")) {
    find(help, "[data-scripted]").hidden = false;
    find(help, "[data-typed]").hidden = true;
  }
}

document.addEventListener("htmx:load", explain);
explain();
