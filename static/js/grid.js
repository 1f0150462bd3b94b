// @ts-check
import { chip, sayNumber } from "./panel.js";
import * as select from "./selection.js";
import { fetchPage } from "./server.js";

const CHIPS = 2;
const AT_ONCE = 200;
const GATHER_MILLISECONDS = 150;
const CHECK_PIXELS = 40;

const idOf = (/** @type {Element} */ tile) => Number(tile.id.slice("sample-".length));

/**
 * The grid: what is selected and focused, tiles that are repainted in place, and the page as a
 * snapshot: nothing is inserted or taken away while somebody works on it, apart from new images
 * at the end of a page that is not full.
 * @param {HTMLElement} section
 * @param {{ labels: () => { id: number, name: string, colour?: string }[],
 *   figure: (key: string) => number }} panel
 * @param {{ changed: () => void, open: (url: string) => void, say: (text: string) => void,
 *   isHeld: (id: number) => boolean }} host
 */
export function createGrid(section, panel, host) {
  const list = /** @type {HTMLElement} */ (section.querySelector(".grid"));
  const toolbar = /** @type {HTMLElement} */ (section.querySelector("[data-toolbar]"));
  const box = /** @type {HTMLInputElement} */ (section.querySelector("[data-select-page]"));
  const { filters = "", tiles: tilesUrl = "" } = section.dataset;
  const state = new URLSearchParams(filters).get("state");
  const kept = `labelhub-selection-${section.closest("[data-job]")?.getAttribute("data-job")}`;
  /** @type {Set<number>} */
  const stale = new Set();
  let timer = 0;
  let seenImages = 0;
  let selection = select.these(keptIds());

  const tiles = () => /** @type {HTMLElement[]} */ ([...list.querySelectorAll(".tile")]);
  const order = () => tiles().map(idOf);
  const tileOf = (/** @type {number} */ id) => document.getElementById(`sample-${id}`);
  const focused = () => /** @type {HTMLElement | null} */ (list.querySelector("[tabindex='0']"));

  function keptIds() {
    const found = JSON.parse(sessionStorage.getItem(kept) ?? "{}");
    return found.filters === filters ? found.ids : [];
  }

  /** @param {select.Selection} next */
  function choose(next) {
    selection = next;
    sessionStorage.setItem(kept, JSON.stringify({ filters, ids: [...next.ids] }));
    paintSelection();
    host.changed();
  }

  function paintSelection() {
    for (const tile of tiles()) {
      const chosen = String(selection.ids.has(idOf(tile)));
      tile.setAttribute("aria-selected", chosen);
      tile.setAttribute("aria-checked", chosen);
    }
    const number = selection.ids.size;
    const share = select.share(selection, order());
    box.checked = share === "all";
    box.indeterminate = share === "some" || (share === "none" && number > 0);
    toolbar.toggleAttribute("data-selection", number > 0);
    for (const part of toolbar.querySelectorAll("[data-when]")) {
      part.toggleAttribute("hidden", (part.getAttribute("data-when") === "selection") !== number > 0);
    }
    sayNumber(/** @type {HTMLElement} */ (toolbar.querySelector("[data-selected]")), number);
  }

  /** @param {HTMLElement | null | undefined} tile */
  function focus(tile, options = {}) {
    if (tile) {
      focused()?.setAttribute("tabindex", "-1");
      tile.setAttribute("tabindex", "0");
      tile.focus(options);
    }
  }

  /** Gives tiles what only scripts need, once each. */
  function adopt() {
    for (const tile of list.querySelectorAll(".tile:not([tabindex])")) {
      tile.setAttribute("tabindex", "-1");
      tile.setAttribute("draggable", "false");
      const image = /** @type {HTMLImageElement} */ (tile.querySelector("img"));
      tile.toggleAttribute("data-broken", image.complete && image.naturalWidth === 0);
    }
    if (!focused()) {
      list.querySelector(".tile")?.setAttribute("tabindex", "0");
    }
    paintSelection();
    paintDone();
  }

  function paintDone() {
    notice("[data-done-here]", list.querySelectorAll(".tile[data-done]").length);
    notice("[data-new-here]", Math.max(0, panel.figure("all") - seenImages));
  }

  /**
   * @param {string} selector
   * @param {number} number
   */
  function notice(selector, number) {
    const place = /** @type {HTMLElement} */ (toolbar.querySelector(selector));
    place.hidden = number === 0;
    sayNumber(/** @type {HTMLElement} */ (place.querySelector("[data-other]")), number);
  }

  /**
   * @param {HTMLElement} tile
   * @param {ReadonlySet<number>} labels
   */
  function paintTile(tile, labels) {
    const carried = panel.labels().filter((label) => labels.has(label.id));
    const chips = carried.slice(0, CHIPS).map((label) => chip(label.name, label.colour));
    if (carried.length > CHIPS) {
      chips.push(chip(`+${carried.length - CHIPS}`));
    }
    tile.querySelector(".chips")?.replaceChildren(...chips);
    tile.dataset.labels = [...labels].join(" ");
    const now = labels.size ? "labeled" : "unlabeled";
    if (state && state !== now) {
      tile.dataset.done = now;
    } else {
      delete tile.dataset.done;
    }
    paintDone();
  }

  async function fetchStale() {
    const wanted = [...stale].filter((id) => tileOf(id) && !host.isHeld(id)).slice(0, AT_ONCE);
    stale.clear();
    if (!wanted.length) {
      return;
    }
    const page = await fetchPage(tilesUrl + wanted.join(",")).catch(() => null);
    for (const fresh of /** @type {HTMLElement[]} */ ([...(page?.querySelectorAll(".tile") ?? [])])) {
      const tile = tileOf(idOf(fresh));
      // A newer edit of this image is on its way: its own answer will bring the tile.
      if (tile && !host.isHeld(idOf(fresh))) {
        replace(tile, fresh);
      }
    }
    paintDone();
    host.changed();
  }

  /**
   * The words of the tile change, its picture, focus and selection stay.
   * @param {HTMLElement} tile
   * @param {HTMLElement} fresh
   */
  function replace(tile, fresh) {
    for (const name of ["data-labels", "data-done"]) {
      const value = fresh.getAttribute(name);
      if (value === null) {
        tile.removeAttribute(name);
      } else {
        tile.setAttribute(name, value);
      }
    }
    const words = fresh.querySelector(".tile-text");
    if (words) {
      tile.querySelector(".tile-text")?.replaceWith(words);
    }
  }

  /** @param {MouseEvent} event */
  function click(event) {
    const tile = /** @type {HTMLElement | null} */ (
      /** @type {Element} */ (event.target).closest(".tile")
    );
    if (!tile) {
      choose(select.nothing());
      return;
    }
    event.preventDefault();
    focus(tile, { preventScroll: true });
    const id = idOf(tile);
    const corner = tile.getBoundingClientRect();
    const onCheck =
      event.clientX - corner.left < CHECK_PIXELS && event.clientY - corner.top < CHECK_PIXELS;
    const isTouch = /** @type {PointerEvent} */ (event).pointerType === "touch";
    const ctrl = event.ctrlKey || event.metaKey;
    if (event.shiftKey) {
      choose(select.extended(selection, order(), id, ctrl));
    } else if (ctrl || onCheck || isTouch) {
      choose(select.toggled(selection, id));
    } else {
      choose(select.only(id));
    }
  }

  /** @param {string} direction */
  function moved(direction) {
    const all = tiles();
    const columns = all.filter((tile) => tile.offsetTop === all[0].offsetTop).length;
    const at = Math.max(0, all.findIndex((tile) => tile === focused()));
    return all[select.step(at, direction, columns, all.length)];
  }

  /** @param {string} direction */
  function extend(direction) {
    const start = focused();
    const target = moved(direction);
    if (start && target) {
      const from = selection.anchor === null ? select.toggled(selection, idOf(start)) : selection;
      focus(target);
      choose(select.extended(from, order(), idOf(target)));
    }
  }

  /** @param {"next" | "prev"} direction */
  function turn(direction) {
    /** @type {HTMLElement | null} */ (section.querySelector(`a[rel='${direction}']`))?.click();
  }

  /** @type {Record<string, () => void>} */
  const commands = {
    toggle: () => {
      const tile = focused();
      if (tile) {
        choose(select.toggled(selection, idOf(tile)));
      }
    },
    open: () => host.open(/** @type {HTMLAnchorElement} */ (focused())?.href),
    deselect: () => choose(select.nothing()),
    "select-page": () => choose(select.withPage(selection, order())),
    "next-page": () => turn("next"),
    "previous-page": () => turn("prev"),
  };

  list.addEventListener("click", click);
  list.addEventListener("dblclick", (event) => {
    const tile = /** @type {Element} */ (event.target).closest(".tile");
    if (tile) {
      host.open(/** @type {HTMLAnchorElement} */ (tile).href);
    }
  });
  list.addEventListener(
    "error",
    (event) => {
      /** @type {Element} */ (event.target).closest(".tile")?.toggleAttribute("data-broken", true);
    },
    true,
  );
  box.addEventListener("change", () => {
    choose((box.checked ? select.withPage : select.withoutPage)(selection, order()));
  });

  return {
    start() {
      for (const part of section.querySelectorAll("[data-scripted]")) {
        part.removeAttribute("hidden");
      }
      seenImages = panel.figure("all");
      adopt();
      const wanted = document.getElementById(location.hash.slice(1));
      focus(/** @type {HTMLElement} */ (wanted ?? focused()), { preventScroll: !wanted });
    },
    ids: order,
    /** The selection, or with the keyboard the tile in focus. */
    targets() {
      const tile = list.contains(document.activeElement) ? focused() : null;
      return selection.ids.size ? [...selection.ids] : tile ? [idOf(tile)] : [];
    },
    /**
     * @param {number} id
     * @returns {Set<number> | null} null when the image is not on this page
     */
    labelsOf(id) {
      const tile = tileOf(id);
      const ids = tile?.dataset.labels?.split(" ").filter(Boolean).map(Number) ?? [];
      return tile && new Set(ids);
    },
    /**
     * @param {number} id
     * @returns {{ name: string, label: string } | null} the suggestion that the tile shows
     */
    suggestionOf(id) {
      const found = /** @type {HTMLElement | null} */ (
        tileOf(id)?.querySelector("[data-prediction]") ?? null
      );
      const label = found?.querySelector(".chip-name")?.textContent ?? "";
      return found && { name: found.dataset.prediction ?? "", label };
    },
    /**
     * @param {number} id
     * @param {ReadonlySet<number>} labels
     */
    paint(id, labels) {
      const tile = tileOf(id);
      if (tile) {
        paintTile(tile, labels);
      }
    },
    /**
     * Shows that the model is looking at these.
     * @param {number[]} ids
     * @param {boolean} isBusy
     */
    busy(ids, isBusy) {
      for (const id of ids) {
        tileOf(id)?.toggleAttribute("data-busy", isBusy);
      }
    },
    /** @param {number[]} ids tiles to fetch anew, together with others that come in a moment */
    refresh(ids) {
      for (const id of ids) {
        stale.add(id);
      }
      window.clearTimeout(timer);
      timer = window.setTimeout(fetchStale, GATHER_MILLISECONDS);
    },
    /** Takes from the same page, rendered anew, what the snapshot may take. */
    fill(/** @type {Document} */ page) {
      const room = Number(section.dataset.size) - tiles().length;
      const fresh = [...page.querySelectorAll(".grid .tile")].filter((tile) => !tileOf(idOf(tile)));
      const isFilling = panel.figure("all") > seenImages && fresh.length > 0 && room > 0;
      if (isFilling) {
        list.append(...fresh.slice(0, room));
        seenImages = panel.figure("all");
      }
      for (const part of ["import", "pager", "end", "empty"]) {
        const next = page.querySelector(`[data-part="${part}"]`);
        if (next && (part !== "empty" || isFilling || !tiles().length)) {
          section.querySelector(`[data-part="${part}"]`)?.replaceWith(next);
        }
      }
      adopt();
    },
    /** @param {number} id */
    focusOn: (id) => focus(tileOf(id) ?? focused()),
    /** @param {string} name */
    command(name) {
      const [verb, direction] = name.split(":");
      if (verb === "move") {
        focus(moved(direction));
        host.changed();
      } else if (verb === "extend") {
        extend(direction);
      } else {
        commands[name]?.();
      }
    },
  };
}
