// @ts-check

/** `data-reveal` shows the password beside it; the button appears only where a script runs. */
export function watchReveals() {
  const wire = (/** @type {ParentNode} */ part) => {
    for (const button of part.querySelectorAll("[data-reveal]")) {
      button.toggleAttribute("hidden", false);
    }
  };
  document.addEventListener("click", (event) => {
    const button = /** @type {Element} */ (event.target).closest("[data-reveal]");
    const input = button?.parentElement?.querySelector("input");
    if (button && input) {
      const shown = input.type === "password";
      input.type = shown ? "text" : "password";
      button.setAttribute("aria-pressed", String(shown));
    }
  });
  document.addEventListener("htmx:load", (event) => wire(/** @type {Element} */ (event.target)));
  wire(document);
}
