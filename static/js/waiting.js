// @ts-check
import { find } from "./find.js";
import { sayNumber } from "./panel.js";
import { createQueue } from "./queue.js";

/**
 * The edits that are not done yet. Without a connection, or while nobody is signed in, they wait
 * in their order and the page says how many; none is sent twice over, by the key that it carries.
 */
const AGAIN_MILLISECONDS = 5000;
let size = 0;
let isLeaving = false;
/** Tries the edit that waits again. @type {() => void} */
let wake = () => undefined;

export const queue = createQueue({ until, changed });

/** It comes after the page. @param {(banner: any) => void} act */
function withBanner(act) {
  const banner = find(document, "#waiting");
  banner && act(banner);
}

/** The connection may be back. */
export const tryAgain = () => wake();

/** @param {any} error @returns {Promise<void>} when to send it again */
function until(error) {
  if (error.why === "other-user") {
    leave();
  }
  if (!error.isRepeatable || isLeaving) {
    return Promise.reject(error);
  }
  withBanner((banner) => {
    banner.dataset.why = error.why;
    banner.hidden = false;
  });
  return new Promise((resolve) => {
    wake = resolve;
    if (error.why === "offline") {
      window.setTimeout(resolve, AGAIN_MILLISECONDS);
    }
  });
}

/** @param {number} now */
function changed(now) {
  // One went through, or was refused: somebody answers.
  const isAnswered = now < size;
  size = now;
  withBanner((banner) => {
    banner.hidden ||= isAnswered;
    sayNumber(find(banner, "[data-other]"), size);
  });
}

/** Leaves what waits behind, without asking. @param {string} [address] without: this page anew */
export function leave(address) {
  isLeaving = true;
  address ? location.assign(address) : location.reload();
}

window.addEventListener("online", tryAgain);
window.addEventListener("beforeunload", (event) => !isLeaving && size && event.preventDefault());
