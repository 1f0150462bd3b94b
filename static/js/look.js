// @ts-check
import { find } from "./find.js";
import { addressOf, fallBack } from "./original.js";

/** The quick look: an image over everything, as long as its key is held. */
/** @type {HTMLElement | null} */
let shown = null;

/**
 * @param {HTMLElement} surface where the image under the pointer, or else in focus, is meant
 * @param {HTMLImageElement | null} large the one that the surface shows itself
 */
export function look(surface, large) {
  const link = find(surface, ":is(.tile, .strip-frame):hover") ?? find(surface, ".tile:focus");
  const source = link ? find(link, "img") : large;
  if (shown || !source) {
    return;
  }
  const template = find(document, "template#look");
  shown = template.content.firstElementChild.cloneNode(true);
  const image = find(/** @type {HTMLElement} */ (shown), "img");
  image.alt = link?.title || source.alt;
  image.addEventListener("error", () => fallBack(image));
  if (link) {
    // The key in the address of the small picture is that of the large one too.
    const key = source.src.split("/").at(-2);
    image.src = `${link.pathname}image/?v=${key}`;
    image.dataset.stream = `${image.src}&stream=1`;
    image.src = addressOf(image);
  } else {
    image.src = source.currentSrc;
  }
  document.body.append(/** @type {HTMLElement} */ (shown));
  shown?.showPopover();
}

export function endLook() {
  shown?.remove();
  shown = null;
}

for (const end of ["keyup", "blur", "pagehide"]) {
  window.addEventListener(end, endLook);
}
