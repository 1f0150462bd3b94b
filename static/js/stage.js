// @ts-check
import { find } from "./find.js";
import { clamped, FITTED, fullScale, panned, percent, pinched, zoomedAt } from "./zoom.js";

/** Zooms and moves the image of the viewer by wheel, pointers and commands. */
const KEEP_KEY = "labelhub-zoom-kept";
const STEP = 1.4;
const PAN_PIXELS = 80;
const DRAG_PIXELS = 4;
const SWIPE_PIXELS = 50;
const LINE_PIXELS = 16;
const STILL_MILLISECONDS = 2500;
const PANS = { left: [1, 0], right: [-1, 0], up: [0, 1], down: [0, -1] };
const MIDDLE = { x: 0, y: 0 };

export class Stage {
  #view = FITTED;
  /** Fingers and buttons that are down on the image. @type {Map<number, import("./zoom.js").Point>} */
  #pointers = new Map();
  /** Where a finger began that may turn the image. @type {import("./zoom.js").Point | null} */
  #swipe = null;
  #isDragging = false;
  #resting = 0;
  #viewer;
  #turn;

  /** @param {HTMLElement} viewer @param {(direction: string) => void} turn after a swipe */
  constructor(viewer, turn) {
    [this.#viewer, this.#turn] = [viewer, turn];
    viewer.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    viewer.addEventListener("dblclick", (event) => isOnImage(event) && this.#toggle(event));
    viewer.addEventListener("pointerdown", (event) => this.#down(event));
    viewer.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel"]) {
      viewer.addEventListener(end, (event) => this.#up(/** @type {PointerEvent} */ (event)));
    }
    new ResizeObserver(() => this.#show(this.#view)).observe(viewer);
  }

  get isZoomed() {
    return this.#view.scale > 1;
  }

  get #keeps() {
    return localStorage.getItem(KEEP_KEY) === "on";
  }

  /** Another image is on the stage. */
  began() {
    this.#pointers.clear();
    this.#swipe = null;
    this.#show(this.#keeps ? this.#view : FITTED);
  }

  /** @param {string} what */
  zoom(what) {
    const { scale } = this.#view;
    if (what === "keep") {
      localStorage.setItem(KEEP_KEY, this.#keeps ? "off" : "on");
      this.#show(this.#view);
    } else if (what === "fit") {
      this.#show(FITTED);
    } else {
      const wanted = { in: scale * STEP, out: scale / STEP, full: fullScale(this.#frame()) };
      this.#zoomTo(wanted[what], MIDDLE);
    }
  }

  /** @param {string} direction */
  pan(direction) {
    const [x, y] = PANS[direction];
    this.#show(panned(this.#view, x * PAN_PIXELS, y * PAN_PIXELS, this.#frame()));
  }

  /** Shows the tools for a while. */
  wake() {
    this.#viewer.toggleAttribute("data-awake", true);
    window.clearTimeout(this.#resting);
    this.#resting = window.setTimeout(
      () => this.#viewer.toggleAttribute("data-awake", false),
      STILL_MILLISECONDS,
    );
  }

  get #stage() {
    return find(this.#viewer, ".stage");
  }

  /** @returns {import("./zoom.js").Frame} */
  #frame() {
    const [stage, photo] = [this.#stage, find(this.#stage, ".stage-photo")];
    const image = find(photo, ".stage-image");
    const side = (/** @type {string} */ name) => Number(image.getAttribute(name)) || 1;
    return {
      image: { width: side("width"), height: side("height") },
      room: { width: photo.offsetWidth || 1, height: photo.offsetHeight || 1 },
      stage: { width: stage.clientWidth, height: stage.clientHeight },
    };
  }

  /** @param {number} scale @param {import("./zoom.js").Point} point */
  #zoomTo(scale, point) {
    this.#show(zoomedAt(this.#view, scale, point, this.#frame()));
    this.wake();
  }

  /** @param {import("./zoom.js").View} view */
  #show(view) {
    const stage = this.#stage;
    if (!stage) {
      return;
    }
    const frame = this.#frame();
    this.#view = clamped(view, frame);
    const { scale, x, y } = this.#view;
    const { style } = find(stage, ".stage-photo");
    style.setProperty("transform", `translate(${x}px, ${y}px) scale(${scale})`);
    stage.toggleAttribute("data-zoomed", this.isZoomed);
    find(this.#viewer, "[data-percent]").textContent = `${percent(this.#view, frame)} %`;
    find(this.#viewer, "[data-command='zoom:keep']").ariaPressed = String(this.#keeps);
  }

  /** From the middle of the stage. @param {MouseEvent} event */
  #point({ clientX, clientY }) {
    const { left, top, width, height } = this.#stage.getBoundingClientRect();
    return { x: clientX - left - width / 2, y: clientY - top - height / 2 };
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    if (isOnImage(event)) {
      event.preventDefault();
      const pixels = event.deltaY * (event.deltaMode ? LINE_PIXELS : 1);
      // A pinch on a touchpad comes as a wheel with Ctrl, in small steps.
      const growth = Math.exp(-pixels * (event.ctrlKey ? 0.01 : 0.002));
      this.#zoomTo(this.#view.scale * growth, this.#point(event));
    }
  }

  /** @param {MouseEvent} event */
  #toggle(event) {
    const full = fullScale(this.#frame());
    // Where its own size is no closer look, twice the fitted one is.
    this.#zoomTo(this.isZoomed ? 1 : full > 1.1 ? full : 2, this.#point(event));
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (isOnImage(event) && event.button === 0) {
      const point = this.#point(event);
      this.#pointers.set(event.pointerId, point);
      const isAlone = this.#pointers.size === 1 && !this.isZoomed;
      this.#swipe = isAlone && event.pointerType !== "mouse" ? point : null;
      this.#isDragging = false;
    }
  }

  /** @param {PointerEvent} event */
  #move(event) {
    this.wake();
    const from = this.#pointers.get(event.pointerId);
    if (!from) {
      return;
    }
    const to = this.#point(event);
    const [before, frame] = [[...this.#pointers.values()], this.#frame()];
    const isFar = Math.hypot(to.x - from.x, to.y - from.y) > DRAG_PIXELS;
    if (before.length === 1 && (this.#swipe || !(this.#isDragging || isFar))) {
      return;
    }
    if (!this.#isDragging) {
      this.#isDragging = true;
      this.#viewer.setPointerCapture(event.pointerId);
    }
    this.#pointers.set(event.pointerId, to);
    const after = [...this.#pointers.values()];
    this.#show(
      before.length === 2
        ? pinched(this.#view, before, after, frame)
        : panned(this.#view, to.x - from.x, to.y - from.y, frame),
    );
  }

  /** @param {PointerEvent} event */
  #up(event) {
    const [start, end] = [this.#swipe, this.#point(event)];
    this.#pointers.delete(event.pointerId);
    this.#swipe = null;
    if (start && event.type === "pointerup") {
      const [x, y] = [end.x - start.x, end.y - start.y];
      if (Math.abs(x) > SWIPE_PIXELS && Math.abs(x) > 2 * Math.abs(y)) {
        this.#turn(x < 0 ? "next" : "previous");
      }
    }
  }
}

/** @param {Event} event */
const isOnImage = ({ target }) =>
  target instanceof Element && Boolean(target.closest(".stage")) && !target.closest("button");
