// @ts-check
/** The keys of the work surfaces: one table, and what a key press means. Pure. */

const EVERYWHERE = {
  u: "clear",
  p: "predict",
  a: "accept",
  q: "look",
  "?": "help",
  "Ctrl+z": "undo",
  "Ctrl+Shift+z": "redo",
};
const GRID = {
  ArrowLeft: "move:left",
  ArrowRight: "move:right",
  ArrowUp: "move:up",
  ArrowDown: "move:down",
  Home: "move:row-start",
  End: "move:row-end",
  "Ctrl+Home": "move:first",
  "Ctrl+End": "move:last",
  "Shift+ArrowLeft": "extend:left",
  "Shift+ArrowRight": "extend:right",
  "Shift+ArrowUp": "extend:up",
  "Shift+ArrowDown": "extend:down",
  " ": "toggle",
  Enter: "open",
  Escape: "deselect",
  "Ctrl+a": "select-page",
  Delete: "delete",
  PageDown: "turn:next",
  PageUp: "turn:prev",
};
const IMAGE = {
  ArrowRight: "next",
  j: "next",
  ArrowLeft: "previous",
  k: "previous",
  Escape: "close",
  n: "unlabeled",
  Enter: "accept-next",
  h: "hard",
  "+": "zoom:in",
  "=": "zoom:in",
  "-": "zoom:out",
  f: "zoom:fit",
  "Shift+f": "zoom:full",
  "Alt+ArrowLeft": "pan:left",
  "Alt+ArrowRight": "pan:right",
  "Alt+ArrowUp": "pan:up",
  "Alt+ArrowDown": "pan:down",
  i: "info",
  t: "strip",
};
const SURFACES = { grid: { ...EVERYWHERE, ...GRID }, image: { ...EVERYWHERE, ...IMAGE } };

/**
 * What a key press asks for: a name from the tables, `label:<key>` for a key that a label has, or
 * nothing.
 * Full-width characters of an input method count as the plain ones.
 * @param {{ key: string, ctrlKey?: boolean, metaKey?: boolean, shiftKey?: boolean,
 *   altKey?: boolean, isComposing?: boolean }} press
 * @param {"grid" | "image"} surface
 * @param {{ has: (key: string) => boolean }} labelKeys
 * @returns {string | null}
 */
export function commandOf(press, surface, labelKeys) {
  if (press.isComposing) {
    return null;
  }
  const key = press.key.normalize("NFKC");
  const isLetter = /^\p{L}$/u.test(key);
  const held = (press.altKey ? "Alt+" : "") + (press.ctrlKey || press.metaKey ? "Ctrl+" : "");
  // Shift is how signs like "?" are typed: it counts with letters and named keys only.
  const shift = press.shiftKey && (isLetter || key.length > 1) ? "Shift+" : "";
  const chord = held + shift + (isLetter ? key.toLowerCase() : key);
  const command = SURFACES[surface][chord] ?? null;
  return command === null && labelKeys.has(chord) ? `label:${chord}` : command;
}
