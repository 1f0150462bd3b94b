// @ts-check
import { csrfHeaders } from "./csrf.js";
import { messageOf } from "./refusals.js";

// Nothing moves: the connection is gone, whatever the browser thinks.
const STALLED_MILLISECONDS = 120_000;

/**
 * A request that tells how much of it is sent, which fetch cannot.
 * @param {string} method
 * @param {string} url
 * @param {{ body?: Blob, signal: AbortSignal, sent?: (bytes: number) => void }} how
 * @returns {Promise<import("./sending.js").Answer>}
 */
export function answerTo(method, url, { body, signal, sent = () => {} }) {
  return new Promise((tell) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRFToken", csrfHeaders()["X-CSRFToken"]);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    const stop = () => request.abort();
    let timer = setTimeout(stop, STALLED_MILLISECONDS);
    request.upload.addEventListener("progress", ({ loaded }) => {
      clearTimeout(timer);
      timer = setTimeout(stop, STALLED_MILLISECONDS);
      sent(loaded);
    });
    request.addEventListener("loadend", () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
      tell({ status: request.status, data: dataOf(request) });
    });
    signal.addEventListener("abort", stop);
    request.send(body);
  });
}

/** @param {XMLHttpRequest} request */
function dataOf(request) {
  const isJson = request.getResponseHeader("Content-Type")?.startsWith("application/json");
  return isJson ? JSON.parse(request.responseText) : { message: messageOf(request) };
}

/** Waits, shorter when the connection comes back. @param {number} ms @param {AbortSignal} signal */
export function wait(ms, signal) {
  return new Promise((done) => {
    const over = () => {
      clearTimeout(timer);
      window.removeEventListener("online", over);
      signal.removeEventListener("abort", over);
      done(!signal.aborted);
    };
    const timer = setTimeout(over, ms);
    window.addEventListener("online", over);
    signal.addEventListener("abort", over);
    if (signal.aborted) {
      over();
    }
  });
}
