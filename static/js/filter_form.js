// @ts-check
import { find, findAll } from "./find.js";

/**
 * The form with all filters, inside the panel that filters.js opens. Beside the grid a choice
 * applies at once, what is typed with Enter; where the panel lies over the grid, the button does.
 */
const MOMENT = 300;
const KEPT = "labelhub-filters";
const CHOICES = "select, [type='checkbox'], [type='radio']";
const panel = find(document, "#filters");
const isBeside = () => panel.matches("[data-open]:not(:popover-open)");
/** @type {{ control?: string, top?: number }} where it was left to apply a choice */
let kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "{}");
let applying = 0;

/** Puts the focus into the field for file names, as soon as it is there. */
export function findName() {
  kept = { control: "[data-find]" };
  settle();
}

/** Goes on where the panel was left. */
function settle() {
  panel.scrollTop = kept.top ?? panel.scrollTop;
  const control = kept.control && find(panel, kept.control);
  if (control) {
    control.focus({ preventScroll: kept.top !== undefined });
    kept = {};
  }
}

/**
 * As the server writes it (jobs/filters.py): what is set and nothing else, each name once.
 * @param {FormData} data
 */
function queryOf(data) {
  const query = new URLSearchParams();
  for (const name of new Set(data.keys())) {
    const values = data.getAll(name).filter(Boolean);
    if (values.length) {
      query.set(name, name === "label" ? values.join() : String(values.at(-1)));
    }
  }
  if (query.get("state") === "all" && [...query].length > 1) {
    query.delete("state");
  }
  return String(query).replace(/%(2C|2F|3A)/g, decodeURIComponent);
}

/** @param {HTMLInputElement} changed takes back what it excludes: a label and “not” that label */
function exclude({ form, name, value, checked, dataset }) {
  const isAlone = (/** @type {any} */ one) => "alone" in dataset || "alone" in one.dataset;
  const isInstead = (/** @type {any} */ one) => "instead" in dataset || "instead" in one.dataset;
  for (const other of findAll(/** @type {any} */ (form), `[name="${name}"]`)) {
    const isOpposite = name === "label" && other.value === String(-value);
    if (other.value !== value && checked !== false && (isAlone(other) || isOpposite)) {
      other.checked = false;
    } else if (other.value !== value && isInstead(other) && (checked || !("instead" in dataset))) {
      other.matches(CHOICES) ? (other.checked = false) : (other.value = "");
    }
  }
}

panel.addEventListener("change", (/** @type {any} */ { target }) => {
  if (!target.closest("[data-filter-form]") || !target.form) {
    return;
  }
  exclude(target);
  if (isBeside() && target.matches(CHOICES)) {
    window.clearTimeout(applying);
    applying = window.setTimeout(() => target.form.requestSubmit(), MOMENT);
  }
});

panel.addEventListener("input", (/** @type {any} */ { target }) => {
  if (target.form && !target.matches(CHOICES)) {
    target.form.setAttribute("data-typed", "");
  }
});

panel.addEventListener("submit", (/** @type {any} */ event) => {
  const { target: form, submitter } = event;
  if (!form.matches("[data-filter-form]")) {
    return;
  }
  event.preventDefault();
  const at = find(form, ":focus-visible");
  const value = at?.matches("[type='checkbox'], [type='radio']") ? `[value="${at.value}"]` : "";
  const control = at?.name && `[data-filter-form] [name="${at.name}"]${value}`;
  sessionStorage.setItem(KEPT, JSON.stringify({ control, top: panel.scrollTop }));
  location.assign(`${form.action}?${queryOf(new FormData(form, submitter))}`);
});

panel.addEventListener("htmx:afterSettle", (/** @type {any} */ { target }) => {
  // Not for parts of it that come later.
  if (target === panel) {
    settle();
    kept = {};
  }
});

sessionStorage.removeItem(KEPT);
settle();
