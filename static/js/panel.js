// @ts-check
import { figure, merged } from "./counts.js";
import { find, findAll } from "./find.js";
import { pressed } from "./marks.js";
import { fetchPage } from "./server.js";

const numbers = new Intl.NumberFormat(document.documentElement.lang);
const plurals = new Intl.PluralRules(document.documentElement.lang);
/** @type {Record<string, { value: number, change: number }>} */
let counts = {};
/** What chips are copied from. @type {HTMLElement | null} */
let blank = null;

/**
 * Writes a number into a text of the page: `data-one` or `data-other`, with `{n}` in it.
 * @param {HTMLElement} element
 * @param {number} number
 */
export function sayNumber(element, number) {
  const text = plurals.select(number) === "one" ? element.dataset.one : element.dataset.other;
  element.textContent = (text ?? "").replace("{n}", numbers.format(number));
}

/** A chip as the server writes it. @param {string} name @param {string} [colour] */
export function chip(name, colour) {
  blank ??= find(document, "template#chip").content.firstElementChild;
  const made = /** @type {HTMLElement} */ (blank).cloneNode(true);
  made.classList.toggle(`label-${colour}`, Boolean(colour));
  made.textContent = name;
  return made;
}

/** The labels of the job in their order. */
export const labels = () =>
  findAll(document, "#label-panel [data-label]").map((row) => ({
    id: Number(row.dataset.label),
    name: find(row, ".label-name").textContent,
    colour: row.dataset.colour,
  }));

/** The labels that have a key. @returns {Map<string, number>} */
export const labelKeys = () =>
  new Map(
    findAll(document, "#label-panel [aria-keyshortcuts]").map((row) => [
      row.getAttribute("aria-keyshortcuts"),
      Number(row.dataset.label),
    ]),
  );

/** @param {ReadonlySet<number>[]} targets the labels of each image that is targeted */
export function paintPressed(targets) {
  for (const row of findAll(document, "#label-panel [data-label]")) {
    row.setAttribute("aria-pressed", pressed(Number(row.dataset.label), targets));
  }
}

/** @param {string} key */
export const numberOf = (key) => figure(counts, key);

/**
 * Takes over new numbers and shows them wherever the page does.
 * @param {Record<string, number>} moved
 * @param {number | null} change the change that moved them; null: they were read afresh
 */
export function count(moved, change) {
  counts = merged(counts, moved, change);
  paintCounts();
}

function paintCounts() {
  for (const place of findAll(document, "[data-count]")) {
    place.textContent = numbers.format(numberOf(place.dataset.count));
  }
  for (const bar of findAll(document, "[data-progress]")) {
    bar.max = numberOf("all") || 1;
    bar.value = numberOf("state:labeled");
  }
}

const ORDER_KEY = "labelhub-labels-by-number";

/** Shows the labels in the order of their numbers, where that was chosen. */
export function paintOrder() {
  const isByNumber = localStorage.getItem(ORDER_KEY) === "on";
  find(document, "[data-command='sort-labels']").ariaPressed = String(isByNumber);
  const list = find(document, ".label-list");
  if (isByNumber && list) {
    const number = (/** @type {Element} */ row) => numberOf(find(row, ".count").dataset.count);
    list.append(...[...list.children].sort((one, other) => number(other) - number(one)));
  }
}

/** The most images first, or the order of the job, which the server knows. */
export function sortLabels() {
  const isByNumber = localStorage.getItem(ORDER_KEY) === "on";
  localStorage.setItem(ORDER_KEY, isByNumber ? "off" : "on");
  return isByNumber ? refreshLabels() : paintOrder();
}

/** Fetches the labels after somebody added one; a name that is being typed stays. */
export async function refreshLabels() {
  const page = await fetchPage(find(document, ".workspace").dataset.labelsUrl);
  find(document, "[data-label-list]").replaceWith(find(page, "[data-label-list]"));
  paintCounts();
  paintOrder();
}
