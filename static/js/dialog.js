// @ts-check

/**
 * Opens a dialog above the page; the browser gives the focus back to where it was.
 * @param {HTMLDialogElement} dialog
 */
export function openDialog(dialog) {
  if (!dialog.open) {
    dialog.showModal();
  }
}

/**
 * Wires, for the whole page: `data-dialog-open="id"` opens, `data-dialog-close` and a click beside
 * the dialog close. A `<dialog data-dialog-show>` that a fragment brings opens at once, closes
 * after a form inside it went through, and leaves the page when it is closed.
 */
export function watchDialogs() {
  document.addEventListener("click", (event) => {
    const target = /** @type {Element} */ (event.target);
    const opener = target.closest("[data-dialog-open]");
    if (opener) {
      const id = opener.getAttribute("data-dialog-open") ?? "";
      openDialog(/** @type {HTMLDialogElement} */ (document.getElementById(id)));
      event.preventDefault();
    } else if (target.closest("[data-dialog-close]") || isBeside(target, event)) {
      const dialog = target.closest("dialog");
      if (dialog) {
        dialog.close();
        event.preventDefault();
      }
    }
  });
  document.addEventListener("htmx:load", (event) => {
    const loaded = /** @type {Element} */ (event.target);
    const dialog = loaded.matches("dialog") ? loaded : loaded.querySelector("dialog");
    if (dialog?.hasAttribute("data-dialog-show")) {
      dialog.addEventListener("close", () => dialog.remove(), { once: true });
      openDialog(/** @type {HTMLDialogElement} */ (dialog));
    }
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const { elt, xhr } = /** @type {CustomEvent} */ (event).detail;
    if (elt.matches("form") && xhr.status < 400) {
      elt.closest("dialog[data-dialog-show]")?.close();
    }
  });
}

/**
 * @param {Element} target
 * @param {MouseEvent} event
 */
function isBeside(target, event) {
  if (!(target instanceof HTMLDialogElement)) {
    return false;
  }
  const box = target.getBoundingClientRect();
  const inside = (at, from, to) => at >= from && at <= to;
  return !(
    inside(event.clientX, box.left, box.right) && inside(event.clientY, box.top, box.bottom)
  );
}
