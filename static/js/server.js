// @ts-check
import { csrfHeaders } from "./csrf.js";
import { words } from "./find.js";

/**
 * Calls the API. What it refuses is thrown with the server's message.
 * @param {string} method
 * @param {string} url
 * @param {object} [body]
 * @returns {Promise<any>}
 */
export async function call(method, url, body) {
  const headers = { Accept: "application/json", ...csrfHeaders() };
  if (body) {
    headers["Content-Type"] = "application/json";
  }
  const response = await answered(url, { method, headers, body: body && JSON.stringify(body) });
  const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
  const data = isJson ? await response.json() : {};
  if (data.code === "not_authenticated") {
    throw new Error(words("say-signed-out"));
  }
  if (!response.ok) {
    throw new Error(data.message || words("toast-failed"));
  }
  return data;
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
    throw new Error(await response.text());
  }
  return pageOf(response);
}

/** @param {Response} response @returns {Promise<Document>} */
async function pageOf(response) {
  if (!response.ok || response.redirected) {
    throw new Error(words(response.redirected ? "say-signed-out" : "toast-failed"));
  }
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

/** @param {string} url @param {RequestInit} options */
async function answered(url, options) {
  try {
    return await fetch(url, options);
  } catch {
    throw new Error(words("toast-offline"));
  }
}
