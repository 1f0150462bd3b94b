// @ts-check
import { sayNumber } from "./panel.js";
import * as select from "./selection.js";
import { fetchPage } from "./server.js";
import { idOf, labelsOf, paint, prepare, replace, suggestionOf, tileOf } from "./tile.js";

const AT_ONCE = 200;
const GATHER_MILLISECONDS = 150;
const CHECK_PIXELS = 40;

/**
 * The grid: what is selected and focused, tiles that are repainted in place. The page is a
 * snapshot: while somebody works on it nothing is inserted or taken away, apart from new images
 * at the end of a page that is not full.
 *
 * Says "surface:changed" when its targets or their labels change, "surface:open" with an address.
 */
export class ImageGrid extends HTMLElement {
  /** @type {Set<number>} */
  #stale = new Set();
  #timer = 0;
  #seenImages = 0;
  #selection = select.nothing();
  /** @type {any} */
  #panel;
  /** @type {(id: number) => boolean} */
  #isHeld = () => false;

  /**
   * @param {any} panel see panel.js
   * @param {(id: number) => boolean} isHeld whether an edit of the image is on its way
   */
  start(panel, isHeld) {
    this.#panel = panel;
    this.#isHeld = isHeld;
    this.#seenImages = panel.figure("all");
    this.#selection = select.these(this.#kept());
    for (const part of this.querySelectorAll("[data-scripted]")) {
      part.removeAttribute("hidden");
    }
    this.#list.addEventListener("click", (event) => this.#click(event));
    this.#list.addEventListener("dblclick", (event) => this.#open(tileAt(event)));
    this.#list.addEventListener("error", (event) => tileAt(event)?.setAttribute("data-broken", ""), {
      capture: true,
    });
    this.#box.addEventListener("change", () => {
      const change = this.#box.checked ? select.withPage : select.withoutPage;
      this.#choose(change(this.#selection, this.ids()));
    });
    this.#adopt();
    const named = tileOf(Number(location.hash.replace("#sample-", "")));
    this.#focus(named ?? this.#focused, { preventScroll: !named });
  }

  get #list() {
    return /** @type {HTMLElement} */ (this.querySelector(".grid"));
  }

  get #toolbar() {
    return /** @type {HTMLElement} */ (this.querySelector("[data-toolbar]"));
  }

  get #box() {
    return /** @type {HTMLInputElement} */ (this.querySelector("[data-select-page]"));
  }

  get #tiles() {
    return /** @type {HTMLElement[]} */ ([...this.#list.querySelectorAll(".tile")]);
  }

  get #focused() {
    return /** @type {HTMLElement | null} */ (this.#list.querySelector(".tile[tabindex='0']"));
  }

  get #state() {
    return new URLSearchParams(this.dataset.filters).get("state");
  }

  get #key() {
    return `labelhub-selection-${this.dataset.job}`;
  }

  /** The selection of before the page was turned; another filter starts anew. */
  #kept() {
    const found = JSON.parse(sessionStorage.getItem(this.#key) ?? "{}");
    return found.filters === this.dataset.filters ? found.ids : [];
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
    const share = select.share(this.#selection, this.ids());
    this.#box.checked = share === "all";
    this.#box.indeterminate = share !== "all" && number > 0;
    this.#toolbar.toggleAttribute("data-selection", number > 0);
    for (const part of this.#toolbar.querySelectorAll("[data-when]")) {
      const isForSelection = part.getAttribute("data-when") === "selection";
      part.toggleAttribute("hidden", isForSelection !== number > 0);
    }
    sayNumber(/** @type {HTMLElement} */ (this.querySelector("[data-selected]")), number);
  }

  /** How many left the list by being labeled, and how many images came since. */
  #paintNotices() {
    const notices = {
      "[data-done-here]": this.#list.querySelectorAll(".tile[data-done]").length,
      "[data-new-here]": Math.max(0, this.#panel.figure("all") - this.#seenImages),
    };
    for (const [selector, number] of Object.entries(notices)) {
      const place = /** @type {HTMLElement} */ (this.querySelector(selector));
      place.hidden = number === 0;
      sayNumber(/** @type {HTMLElement} */ (place.querySelector("[data-other]")), number);
    }
  }

  #adopt() {
    const fresh = /** @type {NodeListOf<HTMLElement>} */ (
      this.#list.querySelectorAll(".tile:not([tabindex])")
    );
    fresh.forEach(prepare);
    if (!this.#focused) {
      this.#list.querySelector(".tile")?.setAttribute("tabindex", "0");
    }
    this.#paintSelection();
    this.#paintNotices();
  }

  /** @param {HTMLElement | null | undefined} tile */
  #focus(tile, options = {}) {
    if (tile) {
      this.#focused?.setAttribute("tabindex", "-1");
      tile.setAttribute("tabindex", "0");
      tile.focus(options);
    }
  }

  /** @param {HTMLElement | null} tile */
  #open(tile) {
    if (tile) {
      const detail = /** @type {HTMLAnchorElement} */ (tile).href;
      this.dispatchEvent(new CustomEvent("surface:open", { bubbles: true, detail }));
    }
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const tile = tileAt(event);
    if (!tile) {
      this.#choose(select.nothing());
      return;
    }
    event.preventDefault();
    this.#focus(tile, { preventScroll: true });
    const id = idOf(tile);
    const corner = tile.getBoundingClientRect();
    const onCheck =
      event.clientX - corner.left < CHECK_PIXELS && event.clientY - corner.top < CHECK_PIXELS;
    const isTouch = /** @type {PointerEvent} */ (event).pointerType === "touch";
    const ctrl = event.ctrlKey || event.metaKey;
    if (event.shiftKey) {
      this.#choose(select.extended(this.#selection, this.ids(), id, ctrl));
    } else if (ctrl || onCheck || isTouch) {
      this.#choose(select.toggled(this.#selection, id));
    } else {
      this.#choose(select.only(id));
    }
  }

  /** @param {string} direction */
  #next(direction) {
    const tiles = this.#tiles;
    const columns = tiles.filter((tile) => tile.offsetTop === tiles[0].offsetTop).length;
    const at = tiles.findIndex((tile) => tile === this.#focused);
    return tiles[select.step(Math.max(0, at), direction, columns, tiles.length)];
  }

  /** @param {string} direction */
  #extend(direction) {
    const [start, target] = [this.#focused, this.#next(direction)];
    if (start && target) {
      const drawn = this.#selection.anchor !== null;
      const from = drawn ? this.#selection : select.toggled(this.#selection, idOf(start));
      this.#focus(target);
      this.#choose(select.extended(from, this.ids(), idOf(target)));
    }
  }

  async #fetchStale() {
    const wanted = [...this.#stale].filter((id) => tileOf(id) && !this.#isHeld(id));
    this.#stale = new Set(wanted.splice(AT_ONCE));
    if (!wanted.length) {
      return;
    }
    const page = await fetchPage(this.dataset.tiles + wanted.join(",")).catch(() => null);
    for (const fresh of page?.querySelectorAll(".tile") ?? []) {
      const tile = tileOf(idOf(fresh));
      // A newer edit of this image is on its way: its own answer will bring the tile.
      if (tile && !this.#isHeld(idOf(fresh))) {
        replace(tile, /** @type {HTMLElement} */ (fresh));
      }
    }
    this.#paintNotices();
    this.#changed();
  }

  ids() {
    return this.#tiles.map(idOf);
  }

  /** The selection, or with the keyboard the tile in focus. */
  targets() {
    const { activeElement } = document;
    const tile = this.#list.contains(activeElement) ? this.#focused : null;
    const { ids } = this.#selection;
    return ids.size ? [...ids] : tile ? [idOf(tile)] : [];
  }

  /**
   * @param {number} id
   * @returns {Set<number> | null} null when the image is not on this page
   */
  labelsOf(id) {
    const tile = tileOf(id);
    return tile && labelsOf(tile);
  }

  /** @param {number} id */
  suggestionOf(id) {
    const tile = tileOf(id);
    return tile && suggestionOf(tile);
  }

  /**
   * @param {number} id
   * @param {ReadonlySet<number>} labels
   */
  paint(id, labels) {
    const tile = tileOf(id);
    if (tile) {
      const carried = this.#panel.labels().filter((label) => labels.has(label.id));
      paint(tile, carried, this.#state);
      this.#paintNotices();
    }
  }

  /**
   * Shows that the model is looking at these.
   * @param {number[]} ids
   * @param {boolean} isBusy
   */
  busy(ids, isBusy) {
    for (const id of ids) {
      tileOf(id)?.toggleAttribute("data-busy", isBusy);
    }
  }

  /** @param {number[]} ids tiles to fetch anew, together with others that come in a moment */
  refresh(ids) {
    for (const id of ids) {
      this.#stale.add(id);
    }
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.#fetchStale(), GATHER_MILLISECONDS);
  }

  /**
   * Takes from the same page, rendered anew, what the snapshot may take.
   * @param {Document} page
   */
  fill(page) {
    const room = Number(this.dataset.size) - this.#tiles.length;
    const fresh = [...page.querySelectorAll(".grid .tile")].filter((tile) => !tileOf(idOf(tile)));
    if (this.#panel.figure("all") > this.#seenImages && fresh.length && room > 0) {
      this.#list.append(...fresh.slice(0, room));
      this.#seenImages = this.#panel.figure("all");
    }
    const parts = ["import", "pager", "end"];
    for (const part of this.#tiles.length && fresh.length < 1 ? parts : [...parts, "empty"]) {
      const next = page.querySelector(`[data-part="${part}"]`);
      if (next) {
        this.querySelector(`[data-part="${part}"]`)?.replaceWith(next);
      }
    }
    this.#adopt();
  }

  /** @param {number} id */
  focusOn(id) {
    this.#focus(tileOf(id) ?? this.#focused);
  }

  /** @param {string} name as keys.js has it */
  command(name) {
    const [verb, direction] = name.split(":");
    const turn = (/** @type {string} */ rel) =>
      /** @type {HTMLElement | null} */ (this.querySelector(`a[rel='${rel}']`))?.click();
    switch (verb) {
      case "move":
        this.#focus(this.#next(direction));
        return this.#changed();
      case "extend":
        return this.#extend(direction);
      case "toggle": {
        const tile = this.#focused;
        return tile && this.#choose(select.toggled(this.#selection, idOf(tile)));
      }
      case "open":
        return this.#open(this.#focused);
      case "deselect":
        return this.#choose(select.nothing());
      case "select-page":
        return this.#choose(select.withPage(this.#selection, this.ids()));
      case "next-page":
        return turn("next");
      case "previous-page":
        return turn("prev");
    }
  }
}

/** @param {Event} event */
function tileAt(event) {
  return /** @type {HTMLElement | null} */ (
    /** @type {Element} */ (event.target).closest(".tile")
  );
}

customElements.define("image-grid", ImageGrid);
