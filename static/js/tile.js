// @ts-check
import { chip } from "./panel.js";

/** What a tile says and takes: the server writes it (templates/jobs/_tile.html), this repaints. */
const CHIPS = 2;

/** @param {Element} tile */
export const idOf = (tile) => Number(tile.id.slice("sample-".length));

/** @param {number} id */
export const tileOf = (id) => document.getElementById(`sample-${id}`);

/**
 * @param {HTMLElement} tile
 * @returns {Set<number>}
 */
export const labelsOf = (tile) =>
  new Set(tile.dataset.labels?.split(" ").filter(Boolean).map(Number) ?? []);

/**
 * The suggestion that the tile shows: the model's name and the name of the label.
 * @param {HTMLElement} tile
 */
export function suggestionOf(tile) {
  const found = /** @type {HTMLElement | null} */ (tile.querySelector("[data-prediction]"));
  const label = found?.querySelector(".chip-name")?.textContent ?? "";
  return found && { name: found.dataset.prediction ?? "", label };
}

/**
 * Paints labels before the server has them; `state` is the one that the page lists, if any.
 * @param {HTMLElement} tile
 * @param {{ name: string, colour?: string, id: number }[]} carried
 * @param {string | null} state
 */
export function paint(tile, carried, state) {
  const chips = carried.slice(0, CHIPS).map((label) => chip(label.name, label.colour));
  if (carried.length > CHIPS) {
    chips.push(chip(`+${carried.length - CHIPS}`));
  }
  tile.querySelector(".chips")?.replaceChildren(...chips);
  tile.dataset.labels = carried.map((label) => label.id).join(" ");
  const now = carried.length ? "labeled" : "unlabeled";
  if (state && state !== now) {
    tile.dataset.done = now;
  } else {
    delete tile.dataset.done;
  }
}

/**
 * Takes over what the server says now: words change; picture, focus and selection stay.
 * @param {HTMLElement} tile
 * @param {HTMLElement} fresh
 */
export function replace(tile, fresh) {
  for (const name of ["data-labels", "data-done"]) {
    tile.toggleAttribute(name, fresh.hasAttribute(name));
    if (fresh.hasAttribute(name)) {
      tile.setAttribute(name, fresh.getAttribute(name) ?? "");
    }
  }
  const text = fresh.querySelector(".tile-text");
  if (text) {
    tile.querySelector(".tile-text")?.replaceWith(text);
  }
}

/**
 * Gives a tile what only scripts need.
 * @param {HTMLElement} tile
 */
export function prepare(tile) {
  tile.tabIndex = -1;
  tile.draggable = false;
  const image = /** @type {HTMLImageElement} */ (tile.querySelector("img"));
  tile.toggleAttribute("data-broken", image.complete && image.naturalWidth === 0);
}
