// @ts-check
import { edit } from "./edits.js";
import { find } from "./find.js";
import { labels } from "./panel.js";
import { fetchAnswer } from "./server.js";
import * as on from "./surfaces.js";

/** The labels of the selected images with their numbers, to be replaced or taken off there alone. */
const WAIT_MILLISECONDS = 200;
const place = find(on.workspace, "[data-part='selected']");
const address = on.workspace.dataset.chosen;
let waiting = 0;
let shown = "";
let announced = "";

/** What it depends on: the selection, and the labels of its images that are on this page. */
const state = () =>
  on.viewer.isOpen || !on.grid?.isSelecting
    ? ""
    : JSON.stringify([
        on.grid.request(),
        on.grid.targets().map((/** @type {number} */ id) => [...(on.labelsOf(id) ?? [])]),
      ]);

async function paint() {
  const now = state();
  if (now === shown) {
    return;
  }
  const body = now && on.grid.request();
  const page = body && (await fetchAnswer(address, body).catch(() => null));
  // Somebody went on meanwhile, or it is asked for again with the next change.
  if (state() !== now || (body && !page)) {
    return;
  }
  shown = now;
  const fresh = page && find(page, "[data-part='selected']");
  place.replaceChildren(...(fresh ? fresh.childNodes : []));
  fresh && on.grid.counted(Number(fresh.dataset.count), Number(fresh.dataset.through));
}

export function watchChosen() {
  if (!place) {
    return;
  }
  const number = find(on.workspace, "[data-selected]");
  for (const name of ["surface:changed", "surface:closed"]) {
    on.workspace.addEventListener(name, () => {
      if (on.grid.isSelecting && announced !== number.textContent) {
        announced = number.textContent;
        on.announce(announced);
      }
      window.clearTimeout(waiting);
      waiting = window.setTimeout(paint, WAIT_MILLISECONDS);
    });
  }
  place.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-remove]");
    button && edit({ remove: [Number(button.dataset.remove)] });
  });
  place.addEventListener("change", ({ target }) => {
    edit({ replace: { from: Number(target.dataset.replace), to: Number(target.value) } });
    target.selectedIndex = 0;
  });
  // Thousands of labels in each of many rows would be too much to have ready.
  place.addEventListener("pointerdown", fill);
  place.addEventListener("focusin", fill);
}

/** @param {Event} event */
function fill({ target }) {
  const select = /** @type {any} */ (target);
  if (select.matches("[data-replace]") && select.options.length === 1) {
    const others = labels().filter(({ id }) => id && id !== Number(select.dataset.replace));
    select.append(...others.map(({ id, name }) => new Option(name, String(id))));
  }
}
