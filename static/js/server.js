// @ts-check
import { csrfHeaders } from "./csrf.js";
import { words } from "./find.js";

const PATIENCE_MILLISECONDS = 30000;
const NOT_CONNECTED = [502, 503, 504];
const REASONS = { 403: "forbidden", 404: "gone", 409: "conflict" };

/**
 * What failed, with `why`: "offline", "signed-out", "forbidden", "gone", "conflict", "other-user"
 * or "refused".
 * @param {string} message
 * @param {string} why
 */
const failure = (message, why) => Object.assign(new Error(message), { why });

/**
 * Calls the API. What it refuses is thrown with the server's message.
 * @param {string} method
 * @param {string} url
 * @param {object} [body]
 * @param {Record<string, string>} [more] headers of an edit that may be sent again: see edits.js
 * @returns {Promise<any>}
 */
export async function call(method, url, body, more) {
  const headers = { Accept: "application/json", ...csrfHeaders(), ...more };
  if (body) {
    headers["Content-Type"] = "application/json";
  }
  const signal = more && AbortSignal.timeout(PATIENCE_MILLISECONDS);
  const options = { method, headers, signal, body: body && JSON.stringify(body) };
  const response = await answered(url, options);
  const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
  const data = isJson ? await response.json().catch(offline) : {};
  if (data.code === "not_authenticated") {
    throw signedOut();
  }
  if (NOT_CONNECTED.includes(response.status) && !data.message) {
    offline();
  }
  if (!response.ok) {
    const why = data.code === "other_user" ? "other-user" : REASONS[response.status];
    const error = failure(data.message || words("toast-failed"), why ?? "refused");
    throw Object.assign(error, { code: data.code });
  }
  return data;
}

/** @returns {never} */
function offline() {
  throw failure(words("toast-offline"), "offline");
}

function signedOut() {
  document.dispatchEvent(new CustomEvent("signed-out"));
  return failure(words("say-signed-out"), "signed-out");
}

/**
 * A page or, unless it is asked for whole, a fragment of one, as the server renders it.
 * @param {string} url
 * @returns {Promise<Document>}
 */
export async function fetchPage(url, { whole = false } = {}) {
  return pageOf(await answered(url, { headers: whole ? {} : { "HX-Request": "true" } }));
}

/**
 * A fragment that answers more than fits into an address. What is refused is thrown with the
 * server's message.
 * @param {string} url
 * @param {object} body
 * @returns {Promise<Document>}
 */
export async function fetchAnswer(url, body) {
  const headers = { "Content-Type": "application/json", "HX-Request": "true", ...csrfHeaders() };
  const response = await answered(url, { method: "POST", headers, body: JSON.stringify(body) });
  const isText = response.headers.get("Content-Type")?.startsWith("text/plain");
  if (!response.ok && isText) {
    throw failure(await response.text(), REASONS[response.status] ?? "refused");
  }
  return pageOf(response);
}

/** @param {Response} response @returns {Promise<Document>} */
async function pageOf(response) {
  if (response.redirected) {
    throw signedOut();
  }
  if (!response.ok) {
    throw failure(words("toast-failed"), REASONS[response.status] ?? "refused");
  }
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

/** @param {string} url @param {RequestInit} options */
async function answered(url, options) {
  try {
    return await fetch(url, options);
  } catch {
    return offline();
  }
}
