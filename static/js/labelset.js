// @ts-check
import { find, findAll } from "./find.js";
import { placeOf } from "./places.js";
import { connect } from "./socket.js";
import { close } from "./toast.js";

/** The page of labels: choosing several, colours, dragging, and what others do meanwhile. */
const GATHER_MILLISECONDS = 300;
const page = find(document, "[data-labelset-page]");
const numbers = new Intl.NumberFormat(document.documentElement.lang);
const plurals = new Intl.PluralRules(document.documentElement.lang);
const htmx = () => /** @type {any} */ (window).htmx;
const list = () => find(document, "#labelset");
const target = { target: "#labelset", swap: "outerHTML" };
/** Labels that are checked, also after the list came anew. @type {Set<string>} */
const checked = new Set();
let gathering = 0;
let isStale = false;

// Choosing several --------------------------------------------------------------------------------
const boxes = () => findAll(list(), "tbody [name='labels']");

function paintChecked() {
  const all = find(list(), "[data-check-all]");
  if (!all) {
    return;
  }
  const number = boxes().filter((box) => box.checked).length;
  all.checked = number > 0 && number === boxes().length;
  all.indeterminate = number > 0 && !all.checked;
  const { none, one, other } = find(list(), "[data-checked]").dataset;
  const text = number === 0 ? none : plurals.select(number) === "one" ? one : other;
  find(list(), "[data-checked]").textContent = text.replace("{n}", numbers.format(number));
}

page.addEventListener("change", (event) => {
  if (event.target.matches("[data-check-all]")) {
    for (const box of boxes()) {
      box.checked = event.target.checked;
    }
  }
  checked.clear();
  for (const box of boxes().filter((one) => one.checked)) {
    checked.add(box.value);
  }
  paintChecked();
});

// Colours -----------------------------------------------------------------------------------------
const palette = find(page, "#palette");

page.addEventListener("click", (event) => {
  const swatch = event.target.closest("[data-palette]");
  if (swatch) {
    palette.action = swatch.dataset.palette;
    for (const choice of findAll(palette, "[name='colour']")) {
      choice.setAttribute("aria-pressed", String(choice.value === swatch.dataset.colour));
    }
  }
});

palette?.addEventListener("submit", (event) => {
  event.preventDefault();
  palette.hidePopover();
  const values = { colour: event.submitter.value };
  htmx().ajax("POST", palette.getAttribute("action"), { ...target, source: palette, values });
});

// Order -------------------------------------------------------------------------------------------
/** @param {HTMLElement} handle @param {number} to */
function move(handle, to) {
  htmx().ajax("POST", handle.dataset.move, { ...target, source: handle, values: { to } });
}

page.addEventListener("keydown", (event) => {
  const handle = event.target.closest("[data-move]");
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (handle && step) {
    event.preventDefault();
    move(handle, Math.max(0, Number(handle.closest("tr").dataset.place) + step));
  } else if (event.key === "Escape") {
    find(list(), "[data-cancel]")?.click();
  }
});

page.addEventListener("pointerdown", (event) => {
  const handle = event.target.closest("[data-move]");
  if (handle && event.button === 0) {
    event.preventDefault();
    handle.focus();
    drag(handle);
  }
});

/** The row follows the pointer; Escape puts it back. @param {HTMLElement} handle */
function drag(handle) {
  const row = /** @type {HTMLElement} */ (handle.closest("tr"));
  const body = /** @type {HTMLElement} */ (row.parentElement);
  const before = [...body.children];
  const first = Number(/** @type {HTMLElement} */ (before[0]).dataset.place);
  // On the document: a row that moves in it would lose the capture of the pointer.
  const listening = new AbortController();
  const onMove = (/** @type {PointerEvent} */ event) => {
    row.toggleAttribute("data-dragged", true);
    const others = [...body.children].filter((one) => one !== row);
    const boxesOf = others.map((one) => one.getBoundingClientRect());
    const at = placeOf(event.clientY, boxesOf);
    body.insertBefore(row, others[at] ?? null);
  };
  const stop = () => {
    listening.abort();
    row.removeAttribute("data-dragged");
  };
  const putBack = () => {
    stop();
    body.replaceChildren(...before);
  };
  const drop = () => {
    stop();
    const at = [...body.children].indexOf(row);
    if (at !== before.indexOf(row)) {
      move(handle, first + at);
    }
  };
  const { signal } = listening;
  document.addEventListener("pointermove", onMove, { signal });
  document.addEventListener("pointerup", drop, { signal });
  document.addEventListener("pointercancel", putBack, { signal });
  document.addEventListener("keydown", (event) => event.key === "Escape" && putBack(), { signal });
}

// What others do ----------------------------------------------------------------------------------
const isBusy = () =>
  list().querySelector("[data-editing], [data-dragged]") || palette?.matches(":popover-open");

/** What is being done would be lost; what it answers is the newest list anyway. */
function refresh() {
  window.clearTimeout(gathering);
  gathering = window.setTimeout(() => {
    isStale = Boolean(isBusy());
    if (!isStale) {
      htmx().trigger(document.body, "labels:changed");
    }
  }, GATHER_MILLISECONDS);
}

document.addEventListener("htmx:beforeSwap", (event) => {
  const { detail } = /** @type {CustomEvent} */ (event);
  // Asked for before somebody began to do something.
  if (detail.requestConfig.elt === list() && detail.requestConfig.verb === "get" && isBusy()) {
    detail.shouldSwap = false;
    isStale = true;
  }
});

palette?.addEventListener("toggle", (event) => {
  if (event.newState === "closed" && isStale) {
    refresh();
  }
});

/** @param {Record<string, number>} counts */
function count(counts) {
  for (const [key, value] of Object.entries(counts)) {
    for (const place of findAll(list(), `[data-count="${key}"]`)) {
      place.textContent = numbers.format(value);
    }
  }
}

let isFirst = true;
connect(page.dataset.socket, {
  message: (data) => {
    if (data.type === "labels.changed") {
      refresh();
    } else if (data.type === "samples.changed") {
      count(data.counts);
    }
  },
  up: () => {
    // What happened while nobody told.
    isFirst || refresh();
    isFirst = false;
  },
  down: () => undefined,
});

document.addEventListener("htmx:afterSettle", () => {
  // Of what was done one after the other the last is told.
  findAll(document, ".toast[data-done]").slice(0, -1).forEach(close);
  for (const box of boxes()) {
    box.checked = checked.has(box.value);
  }
  paintChecked();
});

document.addEventListener("htmx:afterRequest", (event) => {
  const { elt, successful, requestConfig } = /** @type {CustomEvent} */ (event).detail;
  if (!successful || requestConfig.verb !== "post") {
    return;
  }
  if (elt.closest("[data-toast-form]")) {
    close(elt.closest(".toast"));
  } else if (elt.matches("[data-clear]") && elt.isConnected) {
    elt.reset();
    find(elt, "textarea").value = "";
    find(elt, "textarea").dispatchEvent(new Event("input", { bubbles: true }));
  }
});

paintChecked();
