// @ts-check
import { fetchPage } from "./server.js";

/**
 * One image large. Going on fetches the parts of the page that belong to the image (`data-part`)
 * and swaps them in; those of the neighbours are fetched ahead with their pictures. The way that
 * was gone is kept, so that going back finds an image that has left the list by being labeled.
 *
 * Says "surface:changed" when the image or its labels change, "surface:closed" over a grid.
 */
export class ImageViewer extends HTMLElement {
  /** @type {Map<string, Promise<Document>>} */
  #ahead = new Map();
  /** @type {string[]} */
  #trail = [];
  #at = -1;

  /** @param {boolean} isOverGrid whether closing uncovers the grid of the same page */
  start(isOverGrid) {
    this.isOverGrid = isOverGrid;
    window.addEventListener("popstate", () => this.#followAddress());
    if (!isOverGrid) {
      this.#remember(location.pathname + location.search);
      this.focus();
      this.#preload();
    }
  }

  get isOpen() {
    return !this.hidden;
  }

  get #stage() {
    return /** @type {HTMLElement} */ (this.querySelector("[data-part='stage']"));
  }

  get #id() {
    return Number(this.#stage.dataset.sample);
  }

  get #workspace() {
    return /** @type {HTMLElement} */ (this.closest(".workspace"));
  }

  /** @param {string} selector */
  #part(selector) {
    return /** @type {HTMLElement | null} */ (this.#workspace.querySelector(selector));
  }

  #changed() {
    this.dispatchEvent(new CustomEvent("surface:changed", { bubbles: true }));
  }

  /** @param {string} url */
  #remember(url) {
    if (this.#trail[this.#at] !== url) {
      this.#trail.splice(this.#at + 1, Infinity, url);
      this.#at += 1;
    }
  }

  /** @param {string} url @returns {Promise<Document>} */
  #fetch(url) {
    const page = this.#ahead.get(url) ?? fetchPage(url);
    this.#ahead.delete(url);
    return page;
  }

  /**
   * @param {string} url
   * @param {{ push?: boolean }} [options]
   */
  async open(url, { push = true } = {}) {
    const { pathname, search } = new URL(url, location.href);
    const page = await this.#fetch(pathname + search);
    this.#swap(page, ["bar", "stage", "offers", "facts"]);
    this.hidden = false;
    this.#workspace.dataset.surface = "image";
    this.#remember(pathname + search);
    if (push) {
      history.pushState(null, "", pathname + search);
    }
    document.title = this.#stage.dataset.title ?? "";
    if (!this.contains(document.activeElement)) {
      this.focus({ preventScroll: true });
    }
    this.#changed();
    this.#preload();
  }

  /** @param {Document} page @param {string[]} parts */
  #swap(page, parts) {
    for (const part of parts) {
      const fresh = page.querySelector(`[data-part="${part}"]`);
      if (fresh) {
        this.#part(`[data-part="${part}"]`)?.replaceWith(fresh);
      }
    }
  }

  /** Fetches the neighbours, and decodes their pictures so that they paint at once. */
  #preload() {
    const wanted = new Set((this.#stage.dataset.ahead ?? "").split(" ").filter(Boolean));
    for (const url of this.#ahead.keys()) {
      if (!wanted.has(url)) {
        this.#ahead.delete(url);
      }
    }
    for (const url of wanted) {
      if (!this.#ahead.has(url)) {
        const page = fetchPage(url);
        this.#ahead.set(url, page);
        page.then(decode, () => this.#ahead.delete(url));
      }
    }
  }

  #followAddress() {
    const known = this.#trail.indexOf(location.pathname + location.search);
    if (known >= 0) {
      this.#at = known;
      this.open(location.href, { push: false });
    } else if (this.isOverGrid) {
      this.#hide();
    } else {
      location.reload();
    }
  }

  #hide() {
    const id = this.#id;
    this.hidden = true;
    this.#workspace.dataset.surface = "grid";
    for (const part of ["offers", "facts"]) {
      this.#part(`[data-part="${part}"]`)?.replaceChildren();
    }
    this.dispatchEvent(new CustomEvent("surface:closed", { bubbles: true, detail: id }));
  }

  /** @param {"next" | "previous"} direction @returns {boolean} false at the end */
  #go(direction) {
    const step = direction === "next" ? 1 : -1;
    const kept = this.#trail[this.#at + step];
    const link = this.#part(`[data-command='${direction}']`)?.getAttribute("href");
    const url = kept ?? link;
    if (url) {
      this.#at += kept ? step : 0;
      if (!kept && step < 0) {
        // Before the first one that was seen: the trail grows at its front.
        this.#trail.unshift(url);
      }
      this.open(url);
    }
    return Boolean(url);
  }

  targets() {
    return this.isOpen ? [this.#id] : [];
  }

  /** @param {number} id @returns {Set<number> | null} */
  labelsOf(id) {
    const ids = this.#stage.dataset.labels?.split(" ").filter(Boolean).map(Number);
    return id === this.#id ? new Set(ids) : null;
  }

  /** @param {number} id @param {ReadonlySet<number>} labels */
  paint(id, labels) {
    if (id === this.#id) {
      this.#stage.dataset.labels = [...labels].join(" ");
      this.#changed();
    }
  }

  /** The best suggestion that can be accepted and is not yet. */
  suggestion() {
    const selector = "[data-accept]:not([disabled], [aria-pressed='true'])";
    return /** @type {HTMLElement | null} */ (this.#part(selector));
  }

  /** @param {boolean} isBusy @param {string} [problem] */
  busy(isBusy, problem = "") {
    this.#part(".offers-wait")?.toggleAttribute("hidden", !isBusy);
    const notice = this.#part("[data-offers-problem]");
    if (notice) {
      notice.hidden = !problem;
      /** @type {HTMLElement} */ (notice.querySelector("p")).textContent = problem;
    }
  }

  /** @param {number[]} ids images that changed: what is shown or kept of them is fetched anew */
  async refresh(ids) {
    this.#ahead.clear();
    if (this.isOpen && ids.includes(this.#id)) {
      const id = this.#id;
      const page = await fetchPage(location.pathname + location.search).catch(() => null);
      const stage = page?.querySelector("[data-part='stage']");
      if (page && stage && id === this.#id) {
        this.#stage.dataset.labels = stage.getAttribute("data-labels") ?? "";
        this.#swap(page, ["offers", "facts"]);
        this.#changed();
      }
    }
    if (this.isOpen) {
      this.#preload();
    }
  }

  /** @param {string} name as keys.js has it @returns {boolean} whether there was anything to do */
  command(name) {
    if (name === "next" || name === "previous") {
      return this.#go(name);
    }
    if (name === "close") {
      const link = /** @type {HTMLAnchorElement} */ (this.#part("[data-command='close']"));
      if (this.isOverGrid) {
        history.pushState(null, "", this.dataset.grid);
        this.#hide();
      } else {
        location.href = link.href;
      }
    }
    return true;
  }
}

/** @param {Document} page */
function decode(page) {
  const picture = /** @type {HTMLImageElement | null} */ (page.querySelector("img"));
  if (picture) {
    // In this document the picture starts to load, though it is not shown yet.
    document.adoptNode(/** @type {HTMLElement} */ (picture.parentElement));
  }
  return picture?.decode().catch(() => undefined);
}

customElements.define("image-viewer", ImageViewer);
