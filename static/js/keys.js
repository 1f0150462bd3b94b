// @ts-check
/**
 * The keys of the work surfaces, and what a key press means. Pure. annotators/shortcuts.py has the
 * same table with words; a test holds the two against each other.
 */
const EVERYWHERE = {
  l: "palette-labels",
  "Ctrl+k": "palette",
  u: "clear",
  "Shift+u": "nothing",
  h: "hard",
  a: "accept",
  x: "reject",
  p: "predict",
  q: "look",
  Delete: "delete",
  "?": "help",
  "Ctrl+z": "undo",
  "Ctrl+Shift+z": "redo",
  "Ctrl+y": "redo",
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
  Space: "toggle",
  Enter: "open",
  Escape: "deselect",
  "Ctrl+a": "select-page",
  PageDown: "turn:next",
  PageUp: "turn:prev",
  "Shift+a": "accept-selection",
  "/": "find",
};
const IMAGE = {
  ArrowRight: "next",
  j: "next",
  ArrowLeft: "previous",
  k: "previous",
  Escape: "close",
  n: "unlabeled",
  Enter: "accept-next",
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
export const SURFACES = { grid: { ...EVERYWHERE, ...GRID }, image: { ...EVERYWHERE, ...IMAGE } };

/**
 * The chord of a key press. Full-width characters of an input method count as the plain ones.
 * @param {{ key: string, ctrlKey?: boolean, metaKey?: boolean, shiftKey?: boolean,
 *   altKey?: boolean }} press
 */
export function chordOf(press) {
  const sign = press.key.normalize("NFKC");
  const key = sign === " " ? "Space" : sign;
  const isLetter = /^\p{L}$/u.test(key);
  const held = (press.altKey ? "Alt+" : "") + (press.ctrlKey || press.metaKey ? "Ctrl+" : "");
  // Shift is how signs like "?" are typed: it counts with letters and named keys only.
  const shift = press.shiftKey && (isLetter || key.length > 1) ? "Shift+" : "";
  return held + shift + (isLetter ? key.toLowerCase() : key);
}

/**
 * The table of a surface with a person's own keys in it.
 * @param {Record<string, string>} table @param {Record<string, string>} own
 */
function withOwn(table, own) {
  const kept = Object.entries(table).filter(([, command]) => own[command] === undefined);
  const mine = [...new Set(Object.values(table))].flatMap((command) =>
    (own[command] ?? "").split(" ").map((chord) => [chord, command]),
  );
  return Object.fromEntries([...kept, ...mine]);
}

/**
 * What a key press asks for: a name from the tables, `label:<key>` for a key that a label has, or
 * nothing.
 * @param {{ keys?: Record<string, string>, off?: boolean }} [own] as the server keeps them:
 *   the chords of commands, apart by spaces; `off`: not those of one character
 */
export function keysOf({ keys = {}, off = false } = {}) {
  const own = { grid: withOwn(SURFACES.grid, keys), image: withOwn(SURFACES.image, keys) };
  /**
   * @param {any} press @param {"grid" | "image"} surface
   * @param {{ has: (key: string) => boolean }} labelKeys
   * @returns {string | null}
   */
  return (press, surface, labelKeys) => {
    const chord = chordOf(press);
    if (press.isComposing || (off && chord.replace("Shift+", "").length === 1)) {
      return null;
    }
    return own[surface][chord] ?? (labelKeys.has(chord) ? `label:${chord}` : null);
  };
}
