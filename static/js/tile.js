// @ts-check
import { find, words } from "./find.js";
import { chip } from "./panel.js";

/**
 * What a tile says, and repainting it: the server writes it, in templates/jobs/tiles.jinja. Among
 * the labels of an image 0 stands for “nothing applies”.
 */
const CHIPS = 2;

/** @param {Element} tile */
export const idOf = (tile) => Number(tile.id.slice(1));

/** @param {number} id */
export const tileOf = (id) => document.getElementById(`s${id}`);

/** @param {HTMLElement} element @returns {Set<number>} the labels in its `data-labels` */
export const labelsIn = (element) =>
  new Set((element.dataset.labels ?? "").split(" ").filter(Boolean).map(Number));

/** The suggestion that it shows: the model's name and the name of the label. */
export function suggestionIn(/** @type {HTMLElement | null} */ tile) {
  const found = tile && find(tile, "[data-prediction]");
  return found && { name: found.dataset.prediction, label: find(found, ".chip-name").textContent };
}

/**
 * Paints labels before the server has them.
 * @param {HTMLElement} tile
 * @param {{ id: number, name: string, colour?: string }[]} carried
 * @param {string | null} state the one that the page lists, if any
 */
export function paintTile(tile, carried, state) {
  const chips = carried.slice(0, CHIPS).map((label) => chip(label.name, label.colour));
  if (carried.length > CHIPS) {
    chips.push(chip(`+${carried.length - CHIPS}`));
  }
  find(tile, ".chips").replaceChildren(...chips);
  tile.dataset.labels = carried.map((label) => label.id).join(" ");
  const now = carried.length ? "labeled" : "unlabeled";
  tile.toggleAttribute("data-done", Boolean(state) && state !== now);
}

/**
 * Takes over what the server says now: the words change; picture, focus and selection stay.
 * @param {HTMLElement} tile
 * @param {any} fresh
 */
export function replaceTile(tile, fresh) {
  tile.dataset.labels = fresh.dataset.labels ?? "";
  tile.toggleAttribute("data-done", fresh.hasAttribute("data-done"));
  setGone(tile, false);
  find(tile, ".tile-text").replaceWith(find(fresh, ".tile-text"));
}

/** Whether the image left the job. @param {HTMLElement} tile @param {boolean} isGone */
export function setGone(tile, isGone) {
  tile.toggleAttribute("data-gone", isGone);
  tile.ariaDisabled = isGone ? "true" : null;
  const name = find(tile, ".tile-name").textContent;
  tile.title = isGone ? words("tile-gone").replace("{name}", () => name) : name;
}

/**
 * A picture that did not come: the tile says so and offers to try again; it can still be labeled.
 * @param {HTMLElement} tile
 * @param {boolean} isBroken
 */
export function setBroken(tile, isBroken) {
  tile.toggleAttribute("data-broken", isBroken);
  find(tile, ".tile-retry")?.remove();
  if (isBroken) {
    tile.append(find(document, "#tile-retry").content.cloneNode(true));
  }
}

/** @param {Element | null} tile */
export const isHard = (tile) => tile !== null && find(tile, ".tile-hard") !== null;

/** @param {HTMLElement} tile @param {boolean} to */
export function setHard(tile, to) {
  if (to !== isHard(tile)) {
    const mark = find(document, "#tile-hard").content.cloneNode(true);
    to ? find(tile, ".tile-text").append(mark) : find(tile, ".tile-hard").remove();
  }
}

/** @param {HTMLElement} tile */
export function retryPicture(tile) {
  const image = find(tile, "img");
  setBroken(tile, false);
  image.src = image.getAttribute("src");
}

/** @param {Element} tile */
export const isGone = (tile) => tile.hasAttribute("data-gone");

/** Makes of a link an option that can be selected. @param {HTMLElement} tile */
export function prepareTile(tile) {
  tile.role = "option";
  tile.tabIndex = -1;
  tile.draggable = false;
  tile.title = find(tile, ".tile-name").textContent;
  const image = find(tile, "img");
  setBroken(tile, image.complete && image.naturalWidth === 0);
}
