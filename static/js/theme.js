// @ts-check

/** A choice of theme is seen at once; its form has no need to load the page again. */
export function watchTheme() {
  document.addEventListener("submit", (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target);
    const chosen = /** @type {HTMLButtonElement | null} */ (event.submitter);
    if (!form.matches("[data-theme-form]") || !chosen) {
      return;
    }
    event.preventDefault();
    document.documentElement.dataset.theme = chosen.value;
    for (const button of document.querySelectorAll("[data-theme-form] button")) {
      const { value } = /** @type {HTMLButtonElement} */ (button);
      button.setAttribute("aria-pressed", String(value === chosen.value));
    }
    fetch(form.action, { method: "POST", body: new FormData(form, chosen), redirect: "manual" });
  });
}
