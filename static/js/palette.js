// @ts-check
import { find, findAll } from "./find.js";
import { asked, best, prepared } from "./fuzzy.js";
import { chordOf } from "./keys.js";
import { refreshLabels } from "./panel.js";
import { call, fetchPage } from "./server.js";

/**
 * The palette: labels, and with Ctrl+K commands too, found by some letters of their names. The
 * server sends the dialog with the commands once; the labels are those of the panel.
 * @typedef {ReturnType<typeof prepared>} Name
 * @typedef {{ kind: "label" | "command" | "create", key: string, row: () => HTMLElement, name: Name,
 *   bonus?: number }} Item
 */
const MOST = 60;
const MOST_RECENT = 5;
const RECENT_BONUS = 2;
// What opened it closes it too.
const CLOSE = "Ctrl+k";
const STEPS = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 };
const workspace = find(document, ".workspace");
const { job, api } = workspace.dataset;
const recentKey = `labelhub-recent-${job}`;

/** @type {any} */
let dialog;
/**
 * @type {{ withCommands: boolean, run: (command: string) => void, label: (id: number) => void,
 *   early: KeyboardEvent[] }}
 */
let on;
/** @type {Item[]} */
let items = [];
/** What is listed, and which of it Enter means. @type {Item[]} */
let listed = [];
let at = 0;
/** Which labels the targets have, as the panel said when they were known. */
let pressed = new Map();
/** @type {Map<string, Name>} */
const names = new Map();

const part = (/** @type {string} */ name) => find(dialog, `[data-palette-part="${name}"]`);
const typed = () => part("input").value.trim();
/** @returns {string[]} ids of labels, the last one first */
const recent = () => JSON.parse(localStorage.getItem(recentKey) ?? "[]");

/** @param {typeof on} options */
export async function open(options) {
  dialog ??= await fetched();
  on = options;
  readItems();
  show();
  part("input").value = "";
  paint();
  on.early.forEach(replay);
}

/** What was typed before the palette was there. @param {KeyboardEvent} press */
function replay(press) {
  const isChord = press.ctrlKey || press.metaKey || press.altKey;
  if (chordOf(press) === CLOSE) {
    dialog.close();
  } else if (press.key === "Enter" && dialog.open) {
    choose(listed[at], isChord);
  } else if (press.key.length === 1 && !isChord) {
    part("input").value += press.key;
    paint();
  }
}

/** Its styles are there, or do not come. @param {HTMLLinkElement} link */
function dressed(link) {
  document.head.append(link);
  return new Promise((resolve) => {
    link.addEventListener("load", resolve);
    link.addEventListener("error", resolve);
  });
}

async function fetched() {
  const page = await fetchPage(find(document, "[data-palette]").dataset.palette);
  await dressed(document.importNode(find(page, "link"), true));
  dialog = document.importNode(find(page, "dialog"), true);
  document.body.append(dialog);
  part("input").addEventListener("input", paint);
  dialog.addEventListener("keydown", pressedKey);
  part("list").addEventListener("click", (event) => {
    const row = event.target.closest("[role='option']");
    if (row) {
      choose(listed[rows().indexOf(row)], event.ctrlKey || event.metaKey);
    }
  });
  // The panel shows again what is meant on the page.
  const changed = () => workspace.dispatchEvent(new CustomEvent("surface:changed"));
  dialog.addEventListener("close", () => dialog.open || changed());
  workspace.addEventListener("surface:changed", () => {
    // In the grid another image may be meant while the focus is here.
    if (dialog.open && workspace.dataset.surface === "image") {
      readPressed();
      paint();
    }
  });
  return dialog;
}

function show() {
  const isForLabels = !on.withCommands && dialog.hasAttribute("data-can-label");
  part("input").placeholder = part("input").dataset[isForLabels ? "labels" : "both"];
  dialog.showModal();
  part("input").focus();
  part("input").select();
}

const panelRows = () => findAll(document, "#label-panel [data-label]:not([data-label='0'])");

function readPressed() {
  pressed = new Map(panelRows().map((row) => [row.dataset.label, row.ariaPressed]));
}

function readItems() {
  const canLabel = dialog.hasAttribute("data-can-label");
  const isForLabels = canLabel && !on.withCommands;
  // That nothing applies is said like a label.
  const isMeant = ({ dataset }) =>
    isForLabels ? dataset.run === "nothing" : dataset.surfaces.includes(workspace.dataset.surface);
  const commands = findAll(part("commands").content, "[data-run]").filter(isMeant);
  const lately = new Set(recent());
  readPressed();
  items = [
    ...(canLabel ? panelRows().map((row) => labelItem(row, lately)) : []),
    ...commands.map(commandItem),
  ];
}

/** Kept from one time to the next. @param {string} text */
function nameOf(text) {
  const name = names.get(text) ?? prepared(text);
  names.set(text, name);
  return name;
}

/** @param {HTMLElement} panelRow @param {Set<string>} lately @returns {Item} */
function labelItem(panelRow, lately) {
  const { label: key = "", colour } = panelRow.dataset;
  const name = nameOf(find(panelRow, ".label-name").textContent);
  const row = () => {
    const made = find(part("label").content, "[role='option']").cloneNode(true);
    find(made, ".swatch").classList.add(`label-${colour}`);
    const letter = panelRow.getAttribute("aria-keyshortcuts") ?? "";
    find(made, "kbd").textContent = letter.toUpperCase();
    find(made, "kbd").hidden = !letter;
    made.ariaChecked = pressed.get(key) ?? "false";
    return made;
  };
  return { kind: "label", key, name, row, bonus: lately.has(key) ? RECENT_BONUS : 0 };
}

/** @param {any} made @returns {Item} */
function commandItem(made) {
  const name = nameOf(find(made, ".palette-name").textContent);
  return { kind: "command", key: made.dataset.run, name, row: () => made.cloneNode(true) };
}

/** What is typed as a new label, unless there is one of that name. @returns {Item[]} */
function creation() {
  const template = part("create");
  const name = typed();
  const isThere = items.some((item) => item.kind === "label" && item.name.text === name);
  if (!template || !name || isThere) {
    return [];
  }
  const text = template.dataset.text.replace("{name}", () => name);
  const row = () => find(template.content, "[role='option']").cloneNode(true);
  return [{ kind: "create", key: name, name: prepared(text), row }];
}

/** @returns {[string, { item: Item, places: number[] }[]][]} with the title of each group */
function found() {
  const query = asked(typed());
  const plain = (/** @type {Item[]} */ some) => some.map((item) => ({ item, places: [] }));
  if (query.length) {
    return [["", [...best(query, items, MOST), ...plain(creation())]]];
  }
  const labels = items.filter((item) => item.kind === "label");
  const last = recent().map((key) => labels.find((item) => item.key === key));
  const lately = last.filter(Boolean).slice(0, MOST_RECENT);
  const others = labels.filter((item) => !lately.includes(item)).slice(0, MOST);
  const titles = part("list").dataset;
  /** @type {ReturnType<typeof found>} */
  const rest = [
    [titles.command, plain(items.filter((item) => item.kind === "command"))],
    [titles.label, plain(others)],
  ];
  const first = plain(/** @type {Item[]} */ (lately));
  return [[titles.recent, first], ...(on.withCommands ? rest : rest.reverse())];
}

function paint() {
  const groups = found().filter(([, some]) => some.length);
  listed = groups.flatMap(([, some]) => some.map(({ item }) => item));
  part("list").replaceChildren(...groups.map(groupOf));
  part("list").hidden = !listed.length;
  part("nothing").hidden = listed.length > 0;
  part("problem").hidden = true;
  rows().forEach((row, place) => (row.id = `palette-${place}`));
  goTo(0);
}

const rows = () => findAll(part("list"), "[role='option']");

/** @param {[string, { item: Item, places: number[] }[]]} group */
function groupOf([title, some]) {
  const made = find(part("group").content, "[role='group']").cloneNode(true);
  made.ariaLabel = title || part("list").ariaLabel;
  find(made, ".menu-title").textContent = title;
  find(made, ".menu-title").hidden = !title;
  made.append(
    ...some.map(({ item, places }) => {
      const row = item.row();
      find(row, ".palette-name").replaceChildren(...marked(item.name, places));
      return row;
    }),
  );
  return made;
}

/** The name with the signs that match marked. @param {Name} name */
function marked({ signs }, /** @type {number[]} */ places) {
  /** @type {{ isMarked: boolean, text: string }[]} */
  const pieces = [];
  for (const [place, sign] of signs.entries()) {
    const isMarked = places.includes(place);
    if (pieces.at(-1)?.isMarked !== isMarked) {
      pieces.push({ isMarked, text: "" });
    }
    pieces[pieces.length - 1].text += sign;
  }
  return pieces.map(({ isMarked, text }) => {
    const mark = document.createElement("mark");
    mark.textContent = text;
    return isMarked ? mark : text;
  });
}

/** @param {number} place */
function goTo(place) {
  const all = rows();
  at = Math.max(0, Math.min(place, all.length - 1));
  for (const [index, row] of all.entries()) {
    row.ariaSelected = String(index === at);
  }
  part("input").setAttribute("aria-activedescendant", all[at]?.id ?? "");
  all[at]?.scrollIntoView({ block: "nearest" });
}

/** @param {KeyboardEvent} event */
function pressedKey(event) {
  const step = STEPS[event.key];
  const isEnter = event.key === "Enter" && event.target === part("input");
  if (event.isComposing || (!step && !isEnter && chordOf(event) !== CLOSE)) {
    return;
  }
  event.preventDefault();
  if (isEnter) {
    choose(listed[at], event.ctrlKey || event.metaKey);
  } else if (step) {
    const isOver = Math.abs(step) === 1 && listed[at + step] === undefined;
    goTo(isOver ? (step > 0 ? 0 : listed.length - 1) : at + step);
  } else {
    dialog.close();
  }
}

/** @param {Item | undefined} item @param {boolean} stays */
async function choose(item, stays) {
  const label = item?.kind === "create" ? await create(item.key) : item?.key;
  if (!item || !label) {
    return;
  }
  // With that the focus is back on the image: it is what commands are for.
  dialog.close();
  if (item.kind === "command") {
    on.run(label);
  } else {
    const others = recent().filter((key) => key !== label);
    localStorage.setItem(recentKey, JSON.stringify([label, ...others].slice(0, MOST_RECENT)));
    on.label(Number(label));
  }
  if (stays && !find(document, "dialog[open]")) {
    readItems();
    show();
    paint();
  }
}

/** @param {string} name @returns {Promise<string | undefined>} the id; none: it was refused */
async function create(name) {
  try {
    const { id } = await call("POST", `${api}labels/`, { name });
    await refreshLabels();
    return String(id);
  } catch (error) {
    part("problem").textContent = /** @type {Error} */ (error).message;
    part("problem").hidden = false;
  }
}
