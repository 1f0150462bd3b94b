// @ts-check
import { find, findAll } from "./find.js";
import { labels, numberOf, sayNumber } from "./panel.js";
import * as select from "./selection.js";
import { fetchPage } from "./server.js";
import {
  idOf,
  isGone,
  labelsIn,
  paintTile,
  prepareTile,
  replaceTile,
  retryPicture,
  setBroken,
  setGone,
  suggestionIn,
  tileOf,
} from "./tile.js";

const AT_ONCE = 200;
const CHECK_PIXELS = 40;

/**
 * The grid: what is selected and focused, tiles that are repainted in place. The page is a
 * snapshot: while somebody works on it nothing is inserted or taken away, apart from new images
 * at the end of a page that is not full.
 *
 * Says "surface:changed" when its targets or their labels change, "surface:open" with an address.
 */
class ImageGrid extends HTMLElement {
  /** How many images the job had when the page was rendered; null: it fills up by itself. */
  #known = /** @type {number | null} */ (null);
  #selection = select.nothing();
  #list = find(this, ".grid");
  #box = find(this, "[data-select-page]");
  #state = new URLSearchParams(this.dataset.filters).get("state");
  #key = `labelhub-selection-${this.dataset.job}`;

  start() {
    this.#known = this.#tiles.length ? numberOf("all") : null;
    this.#selection = select.these(this.#keptIds());
    for (const part of findAll(this, "[data-scripted]")) {
      part.hidden = false;
    }
    // Without scripts the tiles are links.
    this.#list.role = "listbox";
    this.#list.ariaMultiSelectable = "true";
    this.#list.addEventListener("click", (event) => this.#click(event));
    this.#list.addEventListener("dblclick", (event) => this.#open(tileAt(event)));
    const broke = (event) => tileAt(event) && setBroken(tileAt(event), true);
    this.#list.addEventListener("error", broke, { capture: true });
    this.#box.addEventListener("change", () => {
      const change = this.#box.checked ? select.withPage : select.withoutPage;
      this.#choose(change(this.#selection, this.#present()));
    });
    this.#adopt();
    const named = tileOf(Number(location.hash.replace("#sample-", "")));
    // Without a tile in focus there is no ring, yet keys are heard.
    named ? this.#focus(named) : this.#list.focus({ preventScroll: true });
  }

  get #tiles() {
    return findAll(this.#list, ".tile");
  }

  get #focused() {
    return find(this.#list, ".tile[tabindex='0']");
  }

  /** The selection of before the page was turned; another filter starts anew. */
  #keptIds() {
    const kept = JSON.parse(sessionStorage.getItem(this.#key) ?? "{}");
    return kept.filters === this.dataset.filters ? kept.ids : [];
  }

  #changed() {
    this.dispatchEvent(new CustomEvent("surface:changed", { bubbles: true }));
  }

  /** @param {select.Selection} next */
  #choose(next) {
    this.#selection = next;
    const { filters } = this.dataset;
    sessionStorage.setItem(this.#key, JSON.stringify({ filters, ids: [...next.ids] }));
    this.#paintSelection();
    this.#changed();
  }

  #paintSelection() {
    const number = this.#selection.ids.size;
    for (const tile of this.#tiles) {
      const chosen = String(this.#selection.ids.has(idOf(tile)));
      tile.setAttribute("aria-selected", chosen);
      tile.setAttribute("aria-checked", chosen);
    }
    const share = select.share(this.#selection, this.#present());
    this.#box.checked = share === "all";
    this.#box.indeterminate = share !== "all" && number > 0;
    find(this, "[data-toolbar]").toggleAttribute("data-selection", number > 0);
    for (const part of findAll(this, "[data-when]")) {
      part.hidden = (part.dataset.when === "selection") !== number > 0;
    }
    sayNumber(find(this, "[data-selected]"), number);
  }

  /** How many left the list by being labeled, and how many images came since. */
  #paintNotices() {
    const notices = {
      "[data-done-here]": findAll(this.#list, ".tile[data-done]").length,
      "[data-new-here]": Math.max(0, numberOf("all") - (this.#known ?? Infinity)),
    };
    for (const [selector, number] of Object.entries(notices)) {
      const place = find(this, selector);
      place.hidden = number === 0;
      sayNumber(find(place, "[data-other]"), number);
    }
  }

  #adopt() {
    findAll(this.#list, ".tile:not([tabindex])").forEach(prepareTile);
    if (!this.#focused) {
      find(this.#list, ".tile")?.setAttribute("tabindex", "0");
    }
    this.#paintSelection();
    this.#paintNotices();
  }

  /** @param {HTMLElement | null} tile */
  #focus(tile, options = {}) {
    if (tile) {
      this.#focused?.setAttribute("tabindex", "-1");
      tile.tabIndex = 0;
      tile.focus(options);
    }
  }

  /** @param {any} tile */
  #open(tile) {
    if (tile && !isGone(tile)) {
      const detail = { url: tile.href };
      this.dispatchEvent(new CustomEvent("surface:open", { bubbles: true, detail }));
    }
  }

  /** @param {PointerEvent} event */
  #click(event) {
    const tile = tileAt(event);
    if (!tile) {
      this.#choose(select.nothing());
      return;
    }
    event.preventDefault();
    if (/** @type {Element} */ (event.target).closest(".tile-retry")) {
      retryPicture(tile);
      return;
    }
    this.#focus(tile, { preventScroll: true });
    const id = idOf(tile);
    const { left, top } = tile.getBoundingClientRect();
    const onCheck = event.clientX - left < CHECK_PIXELS && event.clientY - top < CHECK_PIXELS;
    const ctrl = event.ctrlKey || event.metaKey;
    if (isGone(tile)) {
      return;
    }
    if (event.shiftKey) {
      this.#choose(select.extended(this.#selection, this.#present(), id, ctrl));
    } else if (ctrl || onCheck || event.pointerType === "touch") {
      this.#choose(select.toggled(this.#selection, id));
    } else {
      this.#choose(select.only(id));
    }
  }

  /** @param {string} direction @returns {any} the tile in that direction from the focus */
  #next(direction) {
    const tiles = this.#tiles;
    if (document.activeElement !== this.#focused) {
      return this.#focused;
    }
    const columns = tiles.filter((tile) => tile.offsetTop === tiles[0].offsetTop).length;
    const at = Math.max(0, tiles.indexOf(this.#focused));
    return tiles[select.step(at, direction, columns, tiles.length)];
  }

  /** @param {any} tile */
  #toggle(tile) {
    if (tile && !isGone(tile)) {
      this.#choose(select.toggled(this.#selection, idOf(tile)));
    }
  }

  /** @param {string} direction */
  #extend(direction) {
    const [start, target] = [this.#focused, this.#next(direction)];
    if (start && target) {
      const isDrawn = this.#selection.anchor !== null;
      const from = isDrawn ? this.#selection : select.toggled(this.#selection, idOf(start));
      this.#focus(target);
      this.#choose(select.extended(from, this.#present(), idOf(target)));
    }
  }

  ids() {
    return this.#tiles.map(idOf);
  }

  /** Those that did not leave the job since. */
  #present() {
    return this.#tiles.filter((tile) => !isGone(tile)).map(idOf);
  }

  /** Takes them out of the selection; their tiles stay, dimmed. @param {number[]} ids */
  #leave(ids) {
    for (const id of ids) {
      setGone(/** @type {HTMLElement} */ (tileOf(id)), true);
    }
    if (ids.some((id) => this.#selection.ids.has(id))) {
      this.#choose(select.withoutPage(this.#selection, ids));
    }
  }

  /** The selection, or with the keyboard the tile in focus. */
  targets() {
    const { ids } = this.#selection;
    const tile = this.#focused;
    const isMeant = tile && tile === document.activeElement && !isGone(tile);
    return ids.size ? [...ids] : isMeant ? [idOf(tile)] : [];
  }

  /** @param {number} id @returns {Set<number> | null} null: the image is not on this page */
  labelsOf(id) {
    const tile = tileOf(id);
    return tile && labelsIn(tile);
  }

  /** @param {Map<number, ReadonlySet<number>>} carried the labels of images, by id */
  paint(carried) {
    const all = labels();
    for (const [id, ids] of carried) {
      const tile = tileOf(id);
      if (tile) {
        paintTile(tile, all.filter((label) => ids.has(label.id)), this.#state);
      }
    }
    this.#paintNotices();
  }

  /** What the model suggests for the targets, where it does. */
  suggestions() {
    const found = this.targets().map((id) => ({ id, ...suggestionIn(tileOf(id)) }));
    return found.filter(({ name }) => name);
  }

  /** Shows that the model is looking at these. @param {number[]} ids @param {boolean} isBusy */
  busy(ids, isBusy) {
    for (const id of ids) {
      tileOf(id)?.toggleAttribute("data-busy", isBusy);
    }
  }

  /** Fetches tiles anew. @param {number[]} ids @param {(id: number) => boolean} isHeld */
  async refresh(ids, isHeld) {
    const shown = ids.filter(tileOf);
    for (let at = 0; at < shown.length; at += AT_ONCE) {
      const asked = shown.slice(at, at + AT_ONCE);
      const tiles = findAll(await fetchPage(this.dataset.tiles + asked.join(",")), ".tile");
      // Of an image with a newer edit on its way, the answer to that will bring the tile.
      for (const fresh of tiles.filter((tile) => !isHeld(idOf(tile)))) {
        replaceTile(/** @type {HTMLElement} */ (tileOf(idOf(fresh))), fresh);
      }
      const found = new Set(tiles.map(idOf));
      this.#leave(asked.filter((id) => !found.has(id)));
      this.#paintNotices();
      this.#changed();
    }
  }

  /** Takes from the same page, rendered anew, what the snapshot may take. @param {Document} page */
  fill(page) {
    const room = Number(this.dataset.size) - this.#tiles.length;
    const fresh = findAll(page, ".grid .tile").filter((tile) => !tileOf(idOf(tile)));
    if (this.#known === null || numberOf("all") > this.#known) {
      const taken = fresh.slice(0, Math.max(0, room));
      this.#list.append(...taken);
      this.#known = this.#known && this.#known + taken.length;
    }
    for (const part of ["import", "pager", "end", "empty"]) {
      find(this, `[data-part="${part}"]`).replaceWith(find(page, `[data-part="${part}"]`));
    }
    find(this, "[data-part='empty']").hidden = this.#tiles.length > 0;
    // They are behind this page, if it is full.
    find(this, "[data-new-here]").href = find(this, "a[rel='next']")?.href ?? location.href;
    this.#adopt();
  }

  /** Asks again for the pictures that did not come. */
  retry() {
    findAll(this.#list, ".tile[data-broken]").forEach(retryPicture);
  }

  /** @param {number} id */
  focusOn(id) {
    this.#focus(tileOf(id) ?? this.#focused);
  }

  /** @param {string} name as keys.js has it */
  command(name) {
    const [verb, direction] = name.split(":");
    switch (verb) {
      case "move":
        this.#focus(this.#next(direction));
        return this.#changed();
      case "extend":
        return this.#extend(direction);
      case "toggle":
        return this.#toggle(this.#focused);
      case "open":
        return this.#open(this.#focused);
      case "deselect":
        return this.#choose(select.nothing());
      case "select-page":
        return this.#choose(select.withPage(this.#selection, this.#present()));
      case "turn":
        return find(this, `a[rel='${direction}']`)?.click();
    }
  }
}

/** @param {Event} event */
const tileAt = (event) => /** @type {any} */ (event.target).closest(".tile");

customElements.define("image-grid", ImageGrid);
