// @ts-check
import { find } from "./find.js";

/** The settings of a job: pictures go into the text where the cursor is. */
const text = find(document, "#id_instructions");

/** @param {string} what */
function insert(what) {
  text.setRangeText(what, text.selectionStart, text.selectionEnd, "end");
  text.focus();
  text.dispatchEvent(new Event("input", { bubbles: true }));
}

document.addEventListener("click", (event) => {
  const button = /** @type {Element} */ (event.target).closest("[data-insert]");
  if (button) {
    insert(button.getAttribute("data-insert") ?? "");
  }
});
