// @ts-check
import { find, findAll, words } from "./find.js";
import { addressOf, fallBack, loadAhead, reasonOf } from "./original.js";
import { fetchPage } from "./server.js";
import { Stage } from "./stage.js";
import { toast } from "./toast.js";
import { labelsIn } from "./tile.js";

const WIDE = "(width >= 56.25rem)";
const HISTORY_MILLISECONDS = 300;

/**
 * One image large, on a page of its own or over the grid. Going on fetches the parts of the page
 * that belong to the image (`data-part`) and swaps them in; those of the neighbours are fetched
 * ahead with their pictures. A small picture stands in until the image has come. The way that was
 * gone is kept, so that going back finds an image that has left the list by being labeled.
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
  #zoom = new Stage(this, (direction) => find(this, `[data-command='${direction}']`).click());
  #history = 0;

  start() {
    this.#switch("info", localStorage.getItem("labelhub-info") ?? "off");
    const strip = window.matchMedia(WIDE).matches ? "on" : "off";
    this.#switch("strip", localStorage.getItem("labelhub-strip") ?? strip);
    window.addEventListener("popstate", () => this.#followAddress());
    // Neither event bubbles.
    this.addEventListener("error", (event) => this.#imageFailed(event.target), true);
    this.addEventListener("load", (event) => this.#imageCame(event.target), true);
    if (!this.#isOverGrid) {
      this.#remember(here());
      this.focus();
      this.#begin();
      this.#lookAtImage();
      this.#preload();
    }
  }

  /** What happened to the image before this script was there. */
  #lookAtImage() {
    const { image } = this;
    const preview = find(this, ".stage-preview");
    if (preview?.complete && !preview.naturalWidth) {
      preview.remove();
    }
    if (image.complete && image.naturalWidth) {
      this.#imageCame(image);
    } else if (image.complete) {
      this.#imageFailed(image);
    }
  }

  /** @param {EventTarget | null} image */
  #imageFailed(image) {
    if (image instanceof HTMLImageElement && image.matches(".stage-preview")) {
      image.remove();
    } else if (image === this.image && !fallBack(this.image)) {
      this.#showBroken(true);
      reasonOf(this.image).then(
        (reason) => reason && image === this.image && this.#sayReason(reason),
        () => image === this.image && this.#sayReason(words("toast-offline")),
      );
    }
  }

  /** @param {string} reason */
  #sayReason(reason) {
    find(this.#stage, "[data-reason]").textContent = reason;
  }

  /** @param {boolean} isBroken */
  #showBroken(isBroken) {
    this.#stage.removeAttribute("data-loading");
    this.#stage.toggleAttribute("data-broken", isBroken);
    find(this.#stage, ".stage-broken").hidden = !isBroken;
  }

  #retry() {
    const { image } = this;
    this.#showBroken(false);
    this.#stage.toggleAttribute("data-loading", true);
    image.setAttribute("src", image.getAttribute("src"));
  }

  /** @param {EventTarget | null} image */
  #imageCame(image) {
    if (image === this.image) {
      find(this.#stage, ".stage-preview")?.remove();
      this.#showBroken(false);
    }
  }

  get image() {
    return find(this, ".stage-image");
  }

  get isZoomed() {
    return this.isOpen && this.#zoom.isZoomed;
  }

  isHard() {
    return this.#stage.dataset.hard === "true";
  }

  /** @param {number} id @param {boolean} isHard */
  paintHard(id, isHard) {
    if (this.isOpen && id === this.#id) {
      this.#stage.dataset.hard = String(isHard);
      find(this, "[data-command='hard']")?.setAttribute("aria-pressed", String(isHard));
    }
  }

  /** Shows or hides a part of the page, and keeps that. @param {string} name @param {string} to */
  #switch(name, to) {
    this.#workspace.dataset[name] = to;
    this.#paintSwitches();
  }

  #paintSwitches() {
    for (const name of ["info", "strip"]) {
      const isOn = String(this.#workspace.dataset[name] === "on");
      find(this, `[data-command='${name}']`)?.setAttribute("aria-pressed", isOn);
    }
    window.clearTimeout(this.#history);
    if (this.#workspace.dataset.info === "on") {
      this.#history = window.setTimeout(() => this.#showHistory(), HISTORY_MILLISECONDS);
    }
  }

  /** In place of the link to it; where that fails the link stays. */
  async #showHistory() {
    const link = find(this.#part("facts"), "[data-history]");
    if (link) {
      const page = await fetchPage(link.href).catch(() => null);
      page && link.replaceWith(...page.body.childNodes);
    }
  }

  /** What every image that comes onto the stage begins with. */
  #begin() {
    this.#zoom.began();
    this.#paintSwitches();
    find(this, ".strip [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
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

  /** A step along the way that was gone, a new end of it, or by a leap a new way. @param {string} url */
  #remember(url, step = 1) {
    if (step === 0) {
      this.#trail = [];
    }
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
   * @param {{ push?: boolean, step?: number }} [options] step: -1 back, 0 a leap
   */
  async open(address, { push = true, step = 1 } = {}) {
    const { pathname, search } = new URL(address, location.href);
    const url = pathname + search;
    this.#wanted = url;
    find(this, ".stage")?.toggleAttribute("data-loading", true);
    const page = await (this.#ahead.get(url)?.page ?? fetchPage(url)).catch((error) => {
      find(this, ".stage")?.removeAttribute("data-loading");
      throw error;
    });
    if (this.#wanted !== url) {
      return;
    }
    if (!this.isOpen) {
      [this.#trail, this.#at] = [[], -1];
      this.#uncovered = { url: here(), title: document.title };
    }
    const tools = find(this, ".viewer-tools") ? [] : ["tools"];
    this.#swap(page, ["bar", "stage", ...tools, "strip", "offers", "facts"]);
    this.hidden = false;
    this.#workspace.dataset.surface = "image";
    this.#begin();
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
      const [old, fresh] = [this.#part(part), find(page, `[data-part="${part}"]`)];
      const made = document.importNode(fresh, true);
      // Small pictures that are there already do not come anew: they would flicker.
      for (const image of findAll(made, "[data-frame] > img")) {
        const same = find(old, `img[src="${image.getAttribute("src")}"]`);
        same && image.replaceWith(same);
      }
      old.replaceWith(made);
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

  /** Leaves the way that was gone. @param {string} url */
  jump(url) {
    this.#say("surface:open", { url, step: 0 });
  }

  async #jumpToUnlabeled() {
    try {
      const page = await fetchPage(find(this, "[data-command='unlabeled']").href);
      const url = page.body.textContent;
      url ? this.jump(url) : toast({ text: words("say-no-unlabeled") });
    } catch (error) {
      toast({ text: /** @type {Error} */ (error).message });
    }
  }

  targets() {
    return [this.#id];
  }

  /** What commands are for, as the server takes it. */
  request() {
    return { ids: this.targets() };
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
      const { labels, hard } = find(page, "[data-part='stage']").dataset;
      this.#stage.dataset.labels = labels;
      this.paintHard(id, hard === "true");
      this.#swap(page, ["offers", "facts"]);
      this.#paintSwitches();
      this.#say("surface:changed");
    }
  }

  /** @param {string} name as keys.js has it @returns {boolean} false: no image that way */
  command(name) {
    const [verb, what] = name.split(":");
    switch (verb) {
      case "next":
      case "previous":
        return this.#go(verb);
      case "unlabeled":
        this.#jumpToUnlabeled();
        break;
      case "zoom":
        this.#zoom.zoom(what);
        break;
      case "pan":
        this.#zoom.pan(what);
        break;
      case "info":
      case "strip":
        this.#turnSwitch(verb);
        break;
      case "reload":
        this.#retry();
        break;
      case "close":
        this.#close();
    }
    return true;
  }

  /** @param {string} name */
  #turnSwitch(name) {
    const to = this.#workspace.dataset[name] === "on" ? "off" : "on";
    localStorage.setItem(`labelhub-${name}`, to);
    this.#switch(name, to);
  }

  #close() {
    if (this.#isOverGrid) {
      history.pushState(null, "", this.#uncovered.url);
      this.#hide();
    } else {
      location.href = find(this, "[data-command='close']").href;
    }
  }
}

const here = () => location.pathname + location.search;

customElements.define("image-viewer", ImageViewer);
