// @ts-check
/**
 * Originals come straight from the storage where it has addresses for browsers. Where those cannot
 * be reached from here (`data-stream` is then on the image), the server hands the image on.
 */
let isReachable = true;

/** @param {HTMLImageElement} image @returns {string} the address to load it from */
export const addressOf = (image) =>
  (isReachable ? null : image.dataset.stream) ?? image.getAttribute("src") ?? "";

/**
 * Loads an image by way of the server, once, when it failed to come from the storage. If that
 * helps, it is the storage that cannot be reached, and nothing more is asked of it.
 * @param {HTMLImageElement} image
 * @returns {boolean} false: there is no other way
 */
export function fallBack(image) {
  const { stream } = image.dataset;
  if (!stream || image.getAttribute("src") === stream) {
    return false;
  }
  image.addEventListener("load", () => (isReachable = false), { once: true });
  image.src = stream;
  return true;
}

/**
 * Why the server cannot show an image, in its words; nothing where it does not say.
 * @param {HTMLImageElement} image
 */
export async function reasonOf(image) {
  const response = await fetch(image.dataset.stream ?? image.src);
  const isText = response.headers.get("Content-Type")?.startsWith("text/plain");
  return isText && !response.ok ? response.text() : "";
}

/**
 * Loads and decodes a picture that a page will show, so that it paints at once there.
 * @param {HTMLImageElement} shown as the page has it
 * @returns {{ picture: HTMLImageElement, ready: Promise<void> }}
 */
export function loadAhead(shown) {
  const picture = new Image();
  const { stream } = shown.dataset;
  if (stream) {
    picture.dataset.stream = stream;
  }
  picture.src = addressOf(shown);
  const ready = picture.decode().catch((error) => {
    if (!fallBack(picture)) {
      throw error;
    }
    return picture.decode();
  });
  return { picture, ready };
}
