// @ts-check
import { find, findAll } from "./find.js";
import { people, watchers, withoutSilent } from "./present.js";
import * as on from "./surfaces.js";
import { idOf, tileOf } from "./tile.js";

/** Who else is here, in the header, and what they look at. Nothing of it is announced. */
const BEAT_MILLISECONDS = 20000;
const LOOK_MILLISECONDS = 5000;
const GATHER_MILLISECONDS = 500;
const AVATARS = 5;
const COLOURS = 24;
const place = find(document, "#presence");
/** @type {import("./present.js").Pages} */
let pages = new Map();
/** @type {number | null} */
let told = null;
let telling = 0;

/** @param {(data: object) => void} send @returns {() => void} says where this page is */
export function watchPresence(send) {
  const tell = () => {
    telling = 0;
    told = here();
    send({ type: "here", sample: told });
  };
  const moved = () => {
    if (!telling && here() !== told) {
      telling = window.setTimeout(tell, GATHER_MILLISECONDS);
    }
    paintImages();
  };
  window.setInterval(tell, BEAT_MILLISECONDS);
  window.setInterval(() => paint(withoutSilent(pages, Date.now())), LOOK_MILLISECONDS);
  for (const name of ["surface:changed", "surface:closed", "focusin"]) {
    on.workspace.addEventListener(name, moved);
  }
  return tell;
}

/** @param {any} message */
export function heardOf({ page, person, sample }) {
  paint(new Map(pages).set(page, { person, sample, at: Date.now() }));
}

/** @param {any} message */
export function left({ page }) {
  paint(new Map([...pages].filter(([name]) => name !== page)));
}

/** The image that is open here, or in focus. @returns {number | null} */
function here() {
  const tile = document.activeElement?.closest(".tile");
  return on.viewer.isOpen ? on.viewer.targets()[0] : tile ? idOf(tile) : null;
}

/** @param {import("./present.js").Pages} next */
function paint(next) {
  pages = next;
  const all = people(pages);
  place.hidden = !all.length;
  const shown = all.slice(0, all.length > AVATARS ? AVATARS - 1 : AVATARS).map(avatar);
  if (all.length > shown.length) {
    shown.push(avatar({ initials: `+${all.length - shown.length}` }));
  }
  find(place, ".avatars").replaceChildren(...shown);
  find(place, "ul").replaceChildren(...all.map(named));
  find(place, "summary").title = namesOf(all);
  paintImages();
}

function paintImages() {
  const found = watchers(pages);
  const marks = new Map(findAll(document, ".tile-here").map((mark) => [mark.parentNode, mark]));
  for (const [sample, these] of found) {
    const tile = tileOf(sample);
    if (tile) {
      const mark = marks.get(tile) ?? copy("#tile-here");
      marks.delete(tile);
      mark.className = `tile-here ${colourOf(these[0])}`;
      fill(find(mark, ".avatars"), these);
      tile.append(mark);
    }
  }
  marks.forEach((mark) => mark.remove());
  const inView = on.viewer.isOpen && find(on.workspace, ".viewer-here");
  if (inView) {
    fill(inView, found.get(on.viewer.targets()[0]) ?? []);
  }
}

/** @param {HTMLElement} avatars @param {any[]} these */
function fill(avatars, these) {
  const title = namesOf(these);
  if (avatars.title !== title) {
    avatars.title = title;
    avatars.replaceChildren(...these.slice(0, 3).map(avatar));
  }
}

/** @param {any[]} these */
const namesOf = (these) => these.map(({ name }) => name).join(", ");

/** @param {any} person */
const colourOf = ({ id }) => (id ? `label-${(id % COLOURS) + 1}` : "");

/** @param {string} template */
const copy = (template) => find(document, template).content.firstElementChild.cloneNode(true);

/** @param {any} person */
function avatar(person) {
  const made = copy("#avatar");
  made.className = `avatar ${colourOf(person)}`;
  made.textContent = person.initials;
  return made;
}

/** @param {any} person */
function named(person) {
  const row = copy("#present-person");
  row.prepend(avatar(person));
  find(row, "[data-name]").textContent = person.name;
  return row;
}
