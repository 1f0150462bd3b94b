// @ts-check
import { figure, merged } from "./counts.js";
import { pressed } from "./marks.js";
import { fetchPage } from "./server.js";

const numbers = new Intl.NumberFormat(document.documentElement.lang);
const plurals = new Intl.PluralRules(document.documentElement.lang);

/**
 * Writes a number into a text of the page: `data-one` or `data-other`, with `{n}` in it.
 * @param {HTMLElement} element
 * @param {number} number
 */
export function sayNumber(element, number) {
  const text = plurals.select(number) === "one" ? element.dataset.one : element.dataset.other;
  element.textContent = (text ?? "{n}").replace("{n}", numbers.format(number));
}

/**
 * A chip as the server writes it.
 * @param {string} name
 * @param {string} [colour]
 */
export function chip(name, colour) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById("chip"));
  const made = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
  if (colour) {
    made.classList.add(`label-${colour}`);
  }
  /** @type {HTMLElement} */ (made.firstElementChild).textContent = name;
  return made;
}

/**
 * The label panel and every number of the job on the page.
 * @param {HTMLElement} workspace
 */
export function createPanel(workspace) {
  /** @type {Record<string, { value: number, change: number }>} */
  let counts = {};
  const rows = () =>
    /** @type {HTMLElement[]} */ ([...workspace.querySelectorAll("#label-panel [data-label]")]);

  function paintCounts() {
    for (const place of workspace.querySelectorAll("[data-count]")) {
      place.textContent = numbers.format(figure(counts, place.getAttribute("data-count") ?? ""));
    }
    const bar = /** @type {HTMLProgressElement | null} */ (
      workspace.querySelector("[data-progress]")
    );
    if (bar) {
      bar.max = figure(counts, "all") || 1;
      bar.value = figure(counts, "state:labeled");
    }
  }

  return {
    /** The labels in their order. */
    labels: () =>
      rows().map((row) => ({
        id: Number(row.dataset.label),
        name: row.querySelector(".label-name")?.textContent ?? "",
        colour: row.dataset.colour,
      })),
    /** @param {ReadonlySet<number>[]} targets the labels of each image that is targeted */
    paint(targets) {
      for (const row of rows()) {
        row.setAttribute("aria-pressed", pressed(Number(row.dataset.label), targets));
      }
    },
    /**
     * @param {Record<string, number>} moved
     * @param {number | null} change
     */
    count(moved, change) {
      counts = merged(counts, moved, change);
      paintCounts();
    },
    /** @param {string} key */
    figure: (key) => figure(counts, key),
    /** Fetches the list of labels after somebody changed it; a name being typed stays. */
    async refresh() {
      const page = await fetchPage(workspace.dataset.labelsUrl ?? "");
      const list = page.querySelector(".label-list");
      const old = workspace.querySelector(".label-list, #label-panel > p");
      if (list && old) {
        old.replaceWith(list);
      }
      paintCounts();
    },
  };
}
