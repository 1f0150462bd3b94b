// @ts-check
import { find, findAll } from "./find.js";
import { addressOf, fallBack, loadAhead } from "./original.js";
import { fetchPage } from "./server.js";
import { labelsIn } from "./tile.js";

/**
 * One image large, on a page of its own or over the grid. Going on fetches the parts of the page
 * that belong to the image (`data-part`) and swaps them in; those of the neighbours are fetched
 * ahead with their pictures. A small picture stands in until the image has come. The way that was gone is kept, so that going back finds an image that
 * has left the list by being labeled.
 *
 * Says "surface:changed" when the image or its labels change, "surface:open" where it wants to go,
 * "surface:closed" when it uncovers the grid.
 */
class ImageViewer extends HTMLElement {
  /** @type {Map<string, { page: Promise<Document>, pictures: HTMLImageElement[] }>} */
  #ahead = new Map();
  /** @type {string[]} */
  #trail = [];
  #at = -1;
  /** The address and the title of the grid beneath. */
  #uncovered = { url: "", title: "" };
  /** The address that was asked for last: an answer to an older one comes too late. */
  #wanted = "";
  #workspace = /** @type {HTMLElement} */ (this.closest(".workspace"));
  #isOverGrid = this.hidden;

  start() {
    window.addEventListener("popstate", () => this.#followAddress());
    // Neither event bubbles.
    this.addEventListener("error", (event) => this.#imageFailed(event.target), true);
    this.addEventListener("load", (event) => this.#imageCame(event.target), true);
    if (!this.#isOverGrid) {
      this.#remember(here());
      this.focus();
      this.#lookAtImage();
      this.#preload();
    }
  }

  /** What happened to the image before this script was there. */
  #lookAtImage() {
    const image = find(this, ".stage-image");
    if (image.complete && image.naturalWidth) {
      this.#imageCame(image);
    } else if (image.complete) {
      this.#imageFailed(image);
    }
  }

  /** @param {EventTarget | null} image */
  #imageFailed(image) {
    if (image instanceof HTMLImageElement && image.matches(".stage-image")) {
      fallBack(image);
    }
  }

  /** @param {EventTarget | null} image */
  #imageCame(image) {
    if (image instanceof HTMLImageElement && image.matches(".stage-image")) {
      find(this.#stage, ".stage-preview")?.remove();
    }
  }

  get isOpen() {
    return !this.hidden;
  }

  get #stage() {
    return this.#part("stage");
  }

  get #id() {
    return Number(this.#stage.dataset.sample);
  }

  /** @param {string} name */
  #part(name) {
    return find(this.#workspace, `[data-part="${name}"]`);
  }

  /** @param {string} name @param {any} [detail] */
  #say(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { bubbles: true, detail }));
  }

  /** A step along the way that was gone, or a new end of it. @param {string} url */
  #remember(url, step = 1) {
    const known = this.#trail.indexOf(url);
    this.#at = known >= 0 ? known : Math.max(0, this.#at + step);
    if (known < 0 && step > 0) {
      this.#trail.splice(this.#at, Infinity, url);
    } else if (known < 0) {
      this.#trail.unshift(url);
    }
  }

  /**
   * @param {string} address
   * @param {{ push?: boolean, step?: number }} [options] step: -1 when it is the one before
   */
  async open(address, { push = true, step = 1 } = {}) {
    const { pathname, search } = new URL(address, location.href);
    const url = pathname + search;
    this.#wanted = url;
    const page = await (this.#ahead.get(url)?.page ?? fetchPage(url));
    if (this.#wanted !== url) {
      return;
    }
    if (!this.isOpen) {
      [this.#trail, this.#at] = [[], -1];
      this.#uncovered = { url: here(), title: document.title };
    }
    this.#swap(page, ["bar", "stage", "offers", "facts"]);
    this.hidden = false;
    this.#workspace.dataset.surface = "image";
    this.#remember(url, step);
    if (push) {
      history.pushState(null, "", url);
    }
    document.title = this.#stage.dataset.title;
    if (!this.#workspace.contains(document.activeElement) || this.#isOverGrid) {
      this.focus({ preventScroll: true });
    }
    this.#say("surface:changed");
    this.#preload();
  }

  /** @param {Document} page @param {string[]} parts */
  #swap(page, parts) {
    for (const image of findAll(page, "img[data-stream]")) {
      image.setAttribute("src", addressOf(image));
    }
    for (const part of parts) {
      this.#part(part).replaceWith(document.importNode(find(page, `[data-part="${part}"]`), true));
    }
  }

  /** Fetches the neighbours and decodes their pictures, so that they paint at once. */
  #preload() {
    const wanted = this.#stage.dataset.ahead.split(" ").filter(Boolean);
    for (const url of this.#ahead.keys()) {
      if (!wanted.includes(url)) {
        this.#ahead.delete(url);
      }
    }
    for (const url of wanted.filter((one) => !this.#ahead.has(one))) {
      /** @type {HTMLImageElement[]} */
      const pictures = [];
      const page = fetchPage(url);
      this.#ahead.set(url, { page, pictures });
      page
        .then((fetched) => {
          const loading = findAll(fetched, ".stage-preview, .stage-image").map(loadAhead);
          pictures.push(...loading.map((one) => one.picture));
          return Promise.all(loading.map((one) => one.ready));
        })
        .catch(() => this.#ahead.delete(url));
    }
  }

  /** Back and forward of the browser. */
  #followAddress() {
    if (/\/samples\/\d+\/$/.test(location.pathname)) {
      this.#say("surface:open", { url: here(), push: false });
    } else if (!this.#isOverGrid) {
      location.reload();
    } else if (this.isOpen) {
      this.#hide();
    }
  }

  #hide() {
    this.hidden = true;
    this.#workspace.dataset.surface = "grid";
    document.title = this.#uncovered.title;
    for (const part of ["offers", "facts"]) {
      this.#part(part).replaceChildren();
    }
    this.#say("surface:closed", this.#id);
  }

  /** @param {string} direction @returns {boolean} false at the end */
  #go(direction) {
    const step = direction === "next" ? 1 : -1;
    const link = find(this, `[data-command='${direction}']`).getAttribute("href");
    const url = this.#trail[this.#at + step] ?? link;
    if (url) {
      this.#say("surface:open", { url, step });
    }
    return Boolean(url);
  }

  targets() {
    return [this.#id];
  }

  /** @param {number} id @returns {Set<number> | null} null: another image is shown */
  labelsOf(id) {
    return this.isOpen && id === this.#id ? labelsIn(this.#stage) : null;
  }

  /** @param {Map<number, ReadonlySet<number>>} carried the labels of images, by id */
  paint(carried) {
    const ids = this.isOpen && carried.get(this.#id);
    if (ids) {
      this.#stage.dataset.labels = [...ids].join(" ");
      this.#say("surface:changed");
    }
  }

  /** The best suggestion that can be accepted and is not yet. */
  suggestion() {
    return find(this.#part("offers"), "[data-accept]:not([disabled], [aria-pressed='true'])");
  }

  /** Shows that the model is looking, or why it does not. @param {boolean} isBusy */
  busy(isBusy, problem = "") {
    find(this.#part("offers"), ".offers-wait").hidden = !isBusy;
    const notice = find(this.#part("offers"), "[data-offers-problem]");
    notice.hidden = !problem;
    find(notice, "p").textContent = problem;
  }

  /** Fetches anew what is shown or kept of changed images. @param {number[]} ids */
  async refresh(ids) {
    for (const url of this.#ahead.keys()) {
      if (ids.some((id) => url.includes(`/samples/${id}/`))) {
        this.#ahead.delete(url);
      }
    }
    if (!this.isOpen || !ids.includes(this.#id)) {
      return;
    }
    const id = this.#id;
    const page = await fetchPage(here());
    if (this.isOpen && id === this.#id) {
      this.#stage.dataset.labels = find(page, "[data-part='stage']").dataset.labels;
      this.#swap(page, ["offers", "facts"]);
      this.#say("surface:changed");
    }
  }

  /** @param {string} name as keys.js has it @returns {boolean} false: no image that way */
  command(name) {
    if (name === "next" || name === "previous") {
      return this.#go(name);
    }
    if (name === "close" && this.#isOverGrid) {
      history.pushState(null, "", this.#uncovered.url);
      this.#hide();
    } else if (name === "close") {
      location.href = find(this, "[data-command='close']").href;
    }
    return true;
  }
}

const here = () => location.pathname + location.search;

customElements.define("image-viewer", ImageViewer);
