// @ts-check
/** The rubber band: a rectangle drawn with a mouse or a pen, which selects what it touches. */
const START_PIXELS = 5;
const EDGE_PIXELS = 40;
const SCROLL_PIXELS = 14;

/**
 * @param {HTMLElement} list its children are what can be touched
 * @param {{
 *   began: () => void,
 *   moved: (touched: Set<Element>, flips: boolean) => void,
 *   ended: (isKept: boolean) => void,
 * }} how
 */
export function watchBand(list, { began, moved, ended }) {
  // The browser would drag the picture.
  list.addEventListener("dragstart", (event) => event.preventDefault());
  list.addEventListener("pointerdown", (event) => {
    // A finger scrolls.
    if (event.button === 0 && event.pointerType !== "touch" && !event.shiftKey) {
      draw(event);
    }
  });

  /** @param {PointerEvent} first */
  function draw(first) {
    const stop = new AbortController();
    const { signal } = stop;
    const scroller = scrollerOf(list);
    const flips = first.ctrlKey || first.metaKey;
    // In the coordinates of the list: it scrolls under the pointer.
    const origin = place(first, list);
    let last = first;
    let band = /** @type {HTMLElement | null} */ (null);
    let boxes = /** @type {[Element, DOMRect][]} */ ([]);
    let frame = 0;

    const paint = () => {
      const area = rectangle(origin, place(last, list));
      const { style } = /** @type {HTMLElement} */ (band);
      style.setProperty("translate", `${area.left}px ${area.top}px`);
      style.setProperty("inline-size", `${area.right - area.left}px`);
      style.setProperty("block-size", `${area.bottom - area.top}px`);
      moved(new Set(boxes.filter(([, box]) => meet(area, box)).map(([one]) => one)), flips);
    };
    const scroll = () => {
      const { top, bottom } = scroller.getBoundingClientRect();
      const [high, low] = [Math.max(0, top), Math.min(innerHeight, bottom)];
      const over = last.clientY < high + EDGE_PIXELS ? -1 : last.clientY > low - EDGE_PIXELS ? 1 : 0;
      if (over) {
        scroller.scrollBy(0, over * SCROLL_PIXELS);
        paint();
      }
      frame = requestAnimationFrame(scroll);
    };
    const begin = () => {
      const { left, top } = list.getBoundingClientRect();
      boxes = [...list.children].map((one) => {
        const box = one.getBoundingClientRect();
        return [one, new DOMRect(box.x - left, box.y - top, box.width, box.height)];
      });
      band = document.createElement("div");
      band.className = "band";
      list.append(band);
      list.setPointerCapture(first.pointerId);
      began();
      frame = requestAnimationFrame(scroll);
    };
    const end = (/** @type {boolean} */ isKept) => {
      stop.abort();
      cancelAnimationFrame(frame);
      if (band) {
        band.remove();
        // The click that comes when the button is let go is none.
        const silence = (/** @type {Event} */ event) => event.stopPropagation();
        list.addEventListener("click", silence, { capture: true });
        const hear = () => list.removeEventListener("click", silence, { capture: true });
        list.addEventListener("pointerdown", hear, { capture: true, once: true });
        ended(isKept);
      }
    };
    const move = (/** @type {PointerEvent} */ event) => {
      last = event;
      const isFar = Math.hypot(event.clientX - first.clientX, event.clientY - first.clientY);
      if (!band && isFar > START_PIXELS) {
        begin();
      }
      band && paint();
    };
    window.addEventListener("pointermove", move, { signal });
    window.addEventListener("pointerup", () => end(true), { signal });
    window.addEventListener("pointercancel", () => end(false), { signal });
    const onKey = (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Escape" && band) {
        event.stopPropagation();
        end(false);
      }
    };
    window.addEventListener("keydown", onKey, { signal, capture: true });
  }
}

/** What scrolls the list: a part of the page, or all of it. @param {HTMLElement} list */
function scrollerOf(list) {
  const part = /** @type {HTMLElement} */ (list.closest(".workspace-main"));
  const isPart = part && part.scrollHeight > part.clientHeight + 1;
  return isPart && getComputedStyle(part).overflowY !== "visible" ? part : document.documentElement;
}

/** @param {PointerEvent} event @param {HTMLElement} list */
function place(event, list) {
  const { left, top } = list.getBoundingClientRect();
  return { x: event.clientX - left, y: event.clientY - top };
}

/** @param {{ x: number, y: number }} one @param {{ x: number, y: number }} other */
const rectangle = (one, other) => ({
  left: Math.min(one.x, other.x),
  right: Math.max(one.x, other.x),
  top: Math.min(one.y, other.y),
  bottom: Math.max(one.y, other.y),
});

/** @param {ReturnType<typeof rectangle>} area @param {DOMRect} box */
const meet = (area, box) =>
  area.left < box.right && area.right > box.left && area.top < box.bottom && area.bottom > box.top;
