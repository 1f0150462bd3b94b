// @ts-check

/**
 * What a `fetch` that changes something has to send along. The cookie is newer than the page
 * after somebody signed in again in another tab.
 * @returns {Record<string, string>}
 */
export function csrfHeaders() {
  const cookie = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/);
  const meta = document.querySelector("meta[name='csrf-token']");
  return { "X-CSRFToken": cookie ? cookie[1] : (meta?.getAttribute("content") ?? "") };
}
