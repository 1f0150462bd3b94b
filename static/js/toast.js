// @ts-check

const SECONDS = 10;
// In the order of their icons in templates/_toast.html.
const TONES = [undefined, "good", "warning", "problem"];
/** @type {Map<Element, number>} */
const timers = new Map();

const region = () => /** @type {HTMLElement} */ (document.getElementById("toasts"));

/**
 * Shows a toast. Its words come from the server: `text`, or the id of a `<template>` whose
 * elements with `data-value="name"` take `values.name`, and whose `[data-toast-action]` button
 * runs `action`. A problem stays until it is closed, anything else for ten seconds.
 * @param {{
 *   text?: string,
 *   template?: string,
 *   values?: Record<string, string | number>,
 *   tone?: "good" | "warning" | "problem",
 *   action?: () => void,
 * }} options
 * @returns {HTMLElement}
 */
export function toast({ text = "", template, values = {}, tone, action }) {
  const card = /** @type {HTMLElement} */ (contentOf("toast", {}).firstElementChild);
  card.querySelectorAll("svg").forEach((icon, at) => {
    at < TONES.length && TONES[at] !== tone && icon.remove();
  });
  if (tone) {
    card.dataset.tone = tone;
    card.role = tone === "problem" ? "alert" : null;
  }
  const words = /** @type {HTMLElement} */ (card.querySelector(".toast-text"));
  if (template) {
    words.replaceChildren(contentOf(template, values));
  } else {
    words.textContent = text;
  }
  const button = words.querySelector("[data-toast-action]");
  if (button) {
    words.after(button);
    button.addEventListener("click", () => {
      close(card);
      action?.();
    });
  }
  region().append(card);
  return card;
}

/** @param {Element} card */
export function close(card) {
  window.clearTimeout(timers.get(card));
  timers.delete(card);
  card.remove();
}

/** Times the toasts that the server sent with the page or with a fragment, and the own ones. */
export function watchToasts() {
  const toasts = region();
  const start = () => {
    for (const card of toasts.children) {
      if (!timers.has(card) && card.getAttribute("data-tone") !== "problem") {
        timers.set(card, window.setTimeout(() => close(card), SECONDS * 1000));
      }
    }
  };
  const pause = () => {
    for (const timer of timers.values()) {
      window.clearTimeout(timer);
    }
    timers.clear();
  };
  const busy = () => toasts.matches(":hover, :focus-within");
  toasts.addEventListener("pointerenter", pause);
  toasts.addEventListener("focusin", pause);
  toasts.addEventListener("pointerleave", start);
  toasts.addEventListener("focusout", start);
  toasts.addEventListener("click", (event) => {
    const target = /** @type {Element} */ (event.target);
    const card = target.closest("[data-toast-close]")?.closest(".toast");
    if (card) {
      close(card);
    }
  });
  new MutationObserver(() => busy() || start()).observe(toasts, { childList: true });
  start();
}

/**
 * @param {string} id
 * @param {Record<string, string | number>} values
 */
function contentOf(id, values) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById(id));
  const content = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
  for (const [name, value] of Object.entries(values)) {
    for (const place of content.querySelectorAll(`[data-value="${name}"]`)) {
      place.textContent = String(value);
    }
  }
  return content;
}
