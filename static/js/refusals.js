// @ts-check
import { toast } from "./toast.js";

/**
 * A request of htmx that was refused or not answered is said in a toast. One that was answered with
 * the page to sign in came too late: loading this page again leads there and back.
 */
export function watchRefusals() {
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr } = /** @type {CustomEvent} */ (event).detail;
    if (xhr.responseText.includes("data-sign-in")) {
      event.preventDefault();
      // A page that keeps what was not sent has its own way to sign in.
      const signedOut = new CustomEvent("signed-out", { cancelable: true });
      document.dispatchEvent(signedOut) && window.location.reload();
    }
  });
  document.addEventListener("htmx:responseError", (event) => {
    const { xhr } = /** @type {CustomEvent} */ (event).detail;
    const text = messageOf(xhr);
    toast(text ? { text, tone: "problem" } : { template: "toast-failed", tone: "problem" });
  });
  document.addEventListener("htmx:sendError", () => {
    toast({ template: "toast-offline", tone: "problem" });
  });
}

/**
 * The server's own words: `message` of an API answer, or what an error page marks.
 * @param {XMLHttpRequest} xhr
 * @returns {string}
 */
export function messageOf(xhr) {
  if (xhr.getResponseHeader("Content-Type")?.startsWith("application/json")) {
    return JSON.parse(xhr.responseText).message ?? "";
  }
  const page = new DOMParser().parseFromString(xhr.responseText, "text/html");
  return page.querySelector("[data-error-message]")?.textContent?.trim() ?? "";
}
