// @ts-check
import { csrfHeaders } from "./csrf.js";

/**
 * The words of a `<template>` on the page.
 * @param {string} id
 * @returns {string}
 */
export function words(id) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById(id));
  return template.content.textContent?.trim() ?? "";
}

/**
 * Calls the API. What it refuses is thrown with the server's message and `code`.
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
  const response = await fetch(url, { method, headers, body: body && JSON.stringify(body) }).catch(
    () => null,
  );
  if (!response) {
    throw refusal(words("say-offline"), "offline");
  }
  const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
  const data = isJson ? await response.json() : {};
  if (!response.ok) {
    throw refusal(data.message || words("toast-failed"), data.code ?? "failed");
  }
  return data;
}

/**
 * A page or a fragment of one, as the server renders it.
 * @param {string} url
 * @param {{ whole?: boolean }} [options]
 * @returns {Promise<Document>}
 */
export async function fetchPage(url, { whole = false } = {}) {
  const headers = whole ? {} : { "HX-Request": "true" };
  const response = await fetch(url, { headers }).catch(() => null);
  if (!response) {
    throw refusal(words("say-offline"), "offline");
  }
  if (!response.ok || response.redirected) {
    throw refusal(words(response.redirected ? "say-signed-out" : "toast-failed"), "failed");
  }
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

/**
 * @param {string} message
 * @param {string} code
 */
export function refusal(message, code) {
  return Object.assign(new Error(message), { code });
}
