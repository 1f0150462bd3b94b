// @ts-check
import { find } from "./find.js";

/**
 * Opens the filters beside the grid, or above it where it is narrow. htmx fetches them when they
 * are seen, and what works in them comes then too. On the document "filters:toggle" opens and
 * closes them, "filters:find" opens them to look for a file name.
 */
const YEAR = 31536000;
const panel = find(document, "#filters");
const opener = find(document, "[data-filters-open]");
const isWide = window.matchMedia("(width >= 56.25rem)");
const isOpen = () => panel.matches(isWide.matches ? "[data-open]" : ":popover-open");

function paint() {
  opener.setAttribute("aria-expanded", String(isOpen()));
  return isOpen() && load();
}

function load() {
  return import("./filter_form.js");
}

/** @param {boolean} wanted */
function show(wanted) {
  if (isWide.matches) {
    const value = wanted ? "open" : "";
    document.cookie = `labelhub_filters=${value};path=/;max-age=${YEAR};samesite=lax`;
    panel.toggleAttribute("data-open", wanted);
  } else {
    panel.togglePopover(wanted);
  }
  paint();
  (wanted ? panel : opener).focus({ preventScroll: true });
}

opener.addEventListener("click", (/** @type {MouseEvent} */ event) => {
  if (!event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    show(!isOpen());
  }
});
panel.addEventListener("click", (/** @type {any} */ { target }) => {
  if (target.closest("[data-filters-close]")) {
    show(false);
  }
});
panel.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
  // Keys mean the controls here, not the images.
  event.stopPropagation();
  if (event.key === "Escape" && isWide.matches) {
    show(false);
  }
});
panel.addEventListener("toggle", paint);
document.addEventListener("filters:toggle", () => show(!isOpen()));
document.addEventListener("filters:find", async () => {
  isOpen() || show(true);
  (await load()).findName();
});
paint();
