// @ts-check
import { find, findAll } from "./find.js";

/**
 * The filters beside the grid, or above it where it is narrow; htmx fetches them when they are seen.
 * Beside the grid a choice applies at once, what is typed with Enter. "filters:toggle" on the
 * document opens and closes them, "filters:find" opens them to look for a file name.
 */
const MOMENT = 300;
const YEAR = 31536000;
const KEPT = "labelhub-filters";
const panel = find(document, "#filters");
const opener = find(document, "[data-filters-open]");
const isWide = window.matchMedia("(width >= 56.25rem)");
const isOpen = () => panel.matches(isWide.matches ? "[data-open]" : ":popover-open");
/** What gets the focus as soon as it is there. @type {{ control?: string, top?: number }} */
let kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "{}");
let applying = 0;

/** @param {boolean} wanted */
function show(wanted) {
  if (isWide.matches) {
    panel.toggleAttribute("data-open", wanted);
    document.cookie = `labelhub_filters=${wanted ? "open" : ""};path=/;max-age=${YEAR};samesite=lax`;
  } else {
    panel.togglePopover(wanted);
  }
  paint();
  (wanted ? panel : opener).focus({ preventScroll: true });
}

const paint = () => opener.setAttribute("aria-expanded", String(isOpen()));

function findName() {
  isOpen() || show(true);
  kept = { control: "[data-find]" };
  settle();
}

/** Goes on where the page was left by applying a choice. */
function settle() {
  const control = kept.control && find(panel, kept.control);
  panel.scrollTop = kept.top ?? panel.scrollTop;
  control?.focus({ preventScroll: "top" in kept });
  control?.matches("[data-find]") && control.select();
  kept = control ? {} : kept;
}

/**
 * As the server writes it (jobs/filters.py): what is set and nothing else, each name once.
 * @param {FormData} data
 */
function queryOf(data) {
  const query = new URLSearchParams();
  for (const name of new Set(data.keys())) {
    const values = data.getAll(name).filter(Boolean);
    values.length && query.set(name, name === "label" ? values.join() : String(values.at(-1)));
  }
  if (query.get("state") === "all" && query.size > 1) {
    query.delete("state");
  }
  return String(query).replace(/%(2C|2F|3A)/g, decodeURIComponent);
}

/** @param {HTMLInputElement} input one of several that exclude each other */
function exclude({ form, name, value, checked, dataset }) {
  const isLabel = name === "label" && checked;
  const others = findAll(form, `[name="${name}"]`).filter((other) => other.value !== value);
  for (const other of others) {
    if (isLabel ? "alone" in dataset || "alone" in other.dataset || other.value === `${-value}`
      : "instead" in dataset ? checked : "instead" in other.dataset) {
      other.checked = false;
      other.type === "checkbox" || (other.value = "");
    }
  }
}

panel.addEventListener("change", ({ target }) => {
  if (!target.closest("[data-filter-form]")) {
    return;
  }
  exclude(target);
  if (isWide.matches && target.matches("select, [type='checkbox'], [type='radio']")) {
    window.clearTimeout(applying);
    applying = window.setTimeout(() => target.form.requestSubmit(), MOMENT);
  }
});

panel.addEventListener("input", ({ target }) => {
  const isTyped = !target.matches("select, [type='checkbox'], [type='radio'], [form]");
  isTyped && target.closest("[data-filter-form]")?.setAttribute("data-typed", "");
});

panel.addEventListener("submit", (event) => {
  const { target: form, submitter } = event;
  if (!form.matches("[data-filter-form]")) {
    return;
  }
  event.preventDefault();
  const at = find(form, ":focus-visible");
  const isOne = at?.matches("[type='checkbox'], [type='radio']");
  const control = at?.name && `[data-filter-form] [name="${at.name}"]${isOne ? `[value="${at.value}"]` : ""}`;
  sessionStorage.setItem(KEPT, JSON.stringify({ control, top: panel.scrollTop }));
  location.assign(`${form.action}?${queryOf(new FormData(form, submitter))}`);
});

panel.addEventListener("click", (event) => event.target.closest("[data-filters-close]") && show(false));
panel.addEventListener("keydown", (event) => {
  // Keys mean the controls here, not the images.
  event.stopPropagation();
  if (event.key === "Escape" && isWide.matches) {
    show(false);
  }
});
panel.addEventListener("toggle", paint);
panel.addEventListener("htmx:afterSettle", settle);
opener.addEventListener("click", (event) => {
  if (!event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    show(!isOpen());
  }
});
document.addEventListener("filters:toggle", () => show(!isOpen()));
document.addEventListener("filters:find", findName);
sessionStorage.removeItem(KEPT);
paint();
