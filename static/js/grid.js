// @ts-check
import { watchBand } from "./band.js";
import { find, findAll } from "./find.js";
import { labels, numberOf, sayNumber } from "./panel.js";
import * as select from "./selection.js";
import { fetchPage } from "./server.js";
import {
  idOf,
  isGone,
  isHard,
  labelsIn,
  paintTile,
  prepareTile,
  replaceTile,
  retryPicture,
  setBroken,
  setGone,
  setHard,
  suggestionIn,
  tileOf,
} from "./tile.js";

const AT_ONCE = 200;
const CHECK_PIXELS = 40;
const PRESS_MILLISECONDS = 450;
const PRESS_PIXELS = 10;
const YEAR_SECONDS = 365 * 24 * 3600;

/**
 * The grid: what is selected and focused, tiles that are repainted in place. The page is a
 * snapshot: while somebody works on it nothing is inserted or taken away, apart from new images
 * at the end of a page that is not full.
 *
 * Says "surface:changed" when its targets or their labels change, "surface:open" with an address,
 * "surface:dropped" with a way to take back that the selection of another list was let go, and
 * "surface:finished" when the last image of the list was labeled.
 */
class ImageGrid extends HTMLElement {
  /** How many images the job had when the page was rendered; null: it fills up by itself. */
  #known = /** @type {number | null} */ (null);
  #selection = select.nothing();
  /** The selection of before the rubber band that is being drawn. */
  #before = this.#selection;
  /** What was pressed with last: "mouse", "pen" or "touch". */
  #pointer = "";
  #list = find(this, ".grid");
  #box = find(this, "[data-select-page]");
  #state = new URLSearchParams(this.dataset.filters).get("state");
  #key = `labelhub-selection-${this.dataset.job}`;

  start() {
    this.#known = this.#tiles.length ? numberOf("all") : null;
    this.#restore();
    for (const part of findAll(this, "[data-scripted]")) {
      part.hidden = false;
    }
    // Without scripts the tiles are links.
    this.#list.role = "listbox";
    this.#list.ariaMultiSelectable = "true";
    this.#list.addEventListener("click", (event) => this.#click(event));
    // Two taps are two taps.
    this.#list.addEventListener("dblclick", (event) => {
      this.#pointer === "touch" || this.#open(tileAt(event));
    });
    this.#list.addEventListener("pointerdown", (event) => this.#press(event));
    const broke = (event) => tileAt(event) && setBroken(tileAt(event), true);
    this.#list.addEventListener("error", broke, { capture: true });
    this.#box.addEventListener("change", () => {
      this.#choose(select.withPage(this.#selection, this.#present(), this.#box.checked));
    });
    watchBand(this.#list, {
      began: () => (this.#before = this.#selection),
      moved: (touched, flips) => {
        const ids = [...touched].filter((tile) => !isGone(tile)).map(idOf);
        this.#draw(select.banded(this.#before, ids, flips));
      },
      ended: (isKept) => this.#choose(isKept ? this.#selection : this.#before),
    });
    const slider = find(this, "[data-tile-size]");
    slider.addEventListener("input", () => {
      this.dataset.tile = slider.value;
      document.cookie = `labelhub_tile=${slider.value};path=/;max-age=${YEAR_SECONDS};samesite=lax`;
    });
    this.#adopt();
    const named = tileOf(Number(location.hash.replace("#s", "")));
    // Without a tile in focus there is no ring, yet keys are heard.
    named ? this.#focus(named) : this.#list.focus({ preventScroll: true });
  }

  get #tiles() {
    return findAll(this.#list, ".tile");
  }

  get #focused() {
    return find(this.#list, ".tile[tabindex='0']");
  }

  /** The selection of before the page was turned. Under another filter it is let go. */
  #restore() {
    const kept = JSON.parse(sessionStorage.getItem(this.#key) ?? "{}");
    const selection = select.these(kept.ids ?? [], kept.all);
    if (kept.filters === this.dataset.filters) {
      this.#selection = selection;
      return;
    }
    sessionStorage.removeItem(this.#key);
    const number = select.size(selection);
    // One that nobody counted yet has no number to say.
    if (number && Number.isFinite(number)) {
      // What a query finds is something else here.
      const back = kept.all ? undefined : () => this.#choose(selection);
      const detail = { number, back };
      queueMicrotask(() => this.#say("surface:dropped", detail));
    }
  }

  /** @param {string} name @param {any} [detail] */
  #say(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { bubbles: true, detail }));
  }

  #changed() {
    this.#say("surface:changed");
  }

  /** @param {select.Selection} next */
  #choose(next) {
    this.#draw(next);
    const { ids, all } = next;
    const { filters } = this.dataset;
    sessionStorage.setItem(this.#key, JSON.stringify({ filters, ids: [...ids], all }));
    this.#changed();
  }

  /** @param {select.Selection} next */
  #draw(next) {
    this.#selection = next;
    this.#paintSelection();
  }

  #paintSelection() {
    const { all } = this.#selection;
    const number = select.size(this.#selection);
    for (const tile of this.#tiles) {
      const chosen = String(!isGone(tile) && select.has(this.#selection, idOf(tile)));
      if (tile.ariaSelected !== chosen) {
        tile.ariaSelected = tile.ariaChecked = chosen;
      }
    }
    const share = select.share(this.#selection, this.#present());
    this.#box.checked = share === "all";
    this.#box.indeterminate = share !== "all" && number > 0;
    find(this, "[data-toolbar]").toggleAttribute("data-selection", number > 0);
    const more = find(this, "a[rel]") && share === "all" && !all;
    const shown = { selection: number > 0, nothing: !number, these: !all, more };
    for (const part of findAll(this, "[data-when]")) {
      part.hidden = !shown[part.dataset.when];
    }
    const said = find(this, "[data-selected]");
    Number.isFinite(number) ? sayNumber(said, number) : (said.textContent = said.dataset.all);
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
    if (this.#state === "unlabeled" && this.#tiles.length && !numberOf("state:unlabeled")) {
      this.#say("surface:finished");
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
      this.#say("surface:open", { url: tile.href });
    }
  }

  /** A finger that stays selects the first image. @param {PointerEvent} event */
  #press({ pointerType, clientX, clientY, target }) {
    const tile = /** @type {any} */ (target).closest(".tile");
    this.#pointer = pointerType;
    find(this.#list, "[data-pressed]")?.removeAttribute("data-pressed");
    if (pointerType !== "touch" || !tile) {
      return;
    }
    const stop = new AbortController();
    const over = () => {
      clearTimeout(timer);
      stop.abort();
    };
    const timer = setTimeout(() => {
      this.#toggle(tile);
      // The click that follows is part of the gesture.
      tile.dataset.pressed = "";
    }, PRESS_MILLISECONDS);
    const far = (/** @type {PointerEvent} */ event) =>
      Math.hypot(event.clientX - clientX, event.clientY - clientY) > PRESS_PIXELS && over();
    const options = { signal: stop.signal };
    window.addEventListener("pointermove", far, options);
    window.addEventListener("contextmenu", (event) => event.preventDefault(), options);
    for (const end of ["pointerup", "pointercancel"]) {
      window.addEventListener(end, over, options);
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
    const { left, top } = tile.getBoundingClientRect();
    const onCheck = event.clientX - left < CHECK_PIXELS && event.clientY - top < CHECK_PIXELS;
    const ctrl = event.ctrlKey || event.metaKey;
    const isTouch = event.pointerType === "touch";
    if (isGone(tile) || "pressed" in tile.dataset) {
      delete tile.dataset.pressed;
    } else if (event.shiftKey) {
      this.#choose(select.extended(this.#selection, this.#present(), idOf(tile), ctrl));
    } else if (ctrl || onCheck || (isTouch && select.size(this.#selection))) {
      this.#choose(select.toggled(this.#selection, idOf(tile)));
    } else if (isTouch) {
      this.#open(tile);
    } else {
      this.#choose(select.only(idOf(tile)));
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
    if (ids.some((id) => select.has(this.#selection, id))) {
      this.#choose(select.withoutPage(this.#selection, ids));
    }
  }

  /** The tile in focus, where nothing is selected. */
  get #meant() {
    const tile = this.#focused;
    const isMeant = !select.size(this.#selection) && tile === document.activeElement;
    return tile && isMeant && !isGone(tile) ? [idOf(tile)] : null;
  }

  /** What commands are for, as the server takes it: the selection, or with the keyboard the tile
   * in focus. */
  request() {
    return this.#meant ? { ids: this.#meant } : select.request(this.#selection);
  }

  get isSelecting() {
    return select.size(this.#selection) > 0;
  }

  /** The same as ids; of everything that the list finds those on this page. */
  targets() {
    const { ids, all } = this.#selection;
    const chosen = all ? this.#present().filter((id) => select.has(this.#selection, id)) : [...ids];
    return this.#meant ?? chosen;
  }

  /** Has everything selected that the list finds. */
  #selectAll() {
    const { filters = "", total } = this.dataset;
    const number = total ? Number(total) : null;
    this.#choose(select.these([], { query: filters, number, through: null }));
  }

  /** The server counted what is selected. @param {number} number @param {number} through */
  counted(number, through) {
    const { all, ids } = this.#selection;
    if (all && all.through === null) {
      const counted = { ...all, number: number + ids.size, through };
      this.#choose({ ...this.#selection, all: counted });
    }
  }

  /** Everything that the list found was changed: it may find something else now. */
  changedAll() {
    if (this.#selection.all) {
      this.#choose(select.nothing());
    }
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

  /** What the model suggests for an image of this page. @param {number} id */
  suggestionOf(id) {
    return suggestionIn(tileOf(id));
  }

  /** @param {number} id @returns {boolean} true also for images of other pages */
  maySuggest(id) {
    return !tileOf(id) || Boolean(this.suggestionOf(id));
  }

  /** @param {number} id */
  isHard(id) {
    return isHard(tileOf(id));
  }

  /** @param {number} id @param {boolean} to */
  paintHard(id, to) {
    const tile = tileOf(id);
    tile && setHard(tile, to);
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
    this.#showNext();
    // They are behind this page, if it is full.
    find(this, "[data-new-here]").href = find(this, "a[rel='next']")?.href ?? location.href;
    this.#adopt();
  }

  /** What stands in the place of tiles: behind them where the last one was labeled, and in view for
   * who sees that one. */
  #showNext() {
    const [next, last] = [find(this, "[data-part='empty']"), this.#tiles.at(-1)];
    const isDone = this.#state === "unlabeled" && !numberOf("state:unlabeled");
    next.hidden = Boolean(last) && !isDone;
    if (last && isDone && last.getBoundingClientRect().top < window.innerHeight) {
      next.scrollIntoView({ block: "nearest" });
    }
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
      case "select-page": {
        const isWhole = select.share(this.#selection, this.#present()) === "all";
        const more = isWhole && find(this, "a[rel]");
        return more ? this.#selectAll() : this.#choose(select.withPage(this.#selection, this.#present()));
      }
      case "select-all":
        return this.#selectAll();
      case "turn":
        return find(this, `a[rel='${direction}']`)?.click();
    }
  }
}

/** @param {Event} event */
const tileAt = (event) => /** @type {any} */ (event.target).closest(".tile");

customElements.define("image-grid", ImageGrid);
