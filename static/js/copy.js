// @ts-check

const SECONDS = 2;

/** `data-copy="id"` copies the value of that input; `data-copied` is on the button for a moment. */
export function watchCopies() {
  document.addEventListener("click", async (event) => {
    const target = /** @type {Element} */ (event.target);
    const button = target.closest("[data-copy]");
    if (!button) {
      return;
    }
    const id = button.getAttribute("data-copy") ?? "";
    await copy(/** @type {HTMLInputElement} */ (document.getElementById(id)));
    button.toggleAttribute("data-copied", true);
    window.setTimeout(() => button.toggleAttribute("data-copied", false), SECONDS * 1000);
  });
}

/** @param {HTMLInputElement} input */
async function copy(input) {
  input.select();
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(input.value);
  } else {
    // Plain http on another machine than this: browsers keep the clipboard from such pages.
    document.execCommand("copy");
  }
}
