import assert from "node:assert/strict";
import test from "node:test";

import { chordOf, keysOf } from "../../static/js/keys.js";

const KEYS = new Set([..."1234567890", "c"]);
const usual = keysOf();
const commandOf = (pressed, surface, keys = KEYS) => usual(pressed, surface, keys);

const press = (key, modifiers = {}) => ({ key, ...modifiers });
test("the keys that labels have mean those labels, on both surfaces", () => {
  assert.equal(commandOf(press("1"), "grid"), "label:1");
  assert.equal(commandOf(press("0"), "image"), "label:0");
  assert.equal(commandOf(press("c"), "grid"), "label:c");
  assert.equal(commandOf(press("C"), "image"), "label:c");
});

test("keys that no label has are left alone, and commands come before labels", () => {
  assert.equal(commandOf(press("b"), "grid"), null);
  assert.equal(commandOf(press("1"), "grid", new Set(["c"])), null);
  assert.equal(commandOf(press("c", { ctrlKey: true }), "grid"), null);
  assert.equal(commandOf(press("u"), "grid", new Set(["u"])), "clear");
});

test("full-width digits of an input method count", () => {
  assert.equal(commandOf(press("３"), "grid"), "label:3");
  assert.equal(commandOf(press("　"), "grid"), "toggle");
});

test("nothing is taken while an input method composes", () => {
  assert.equal(commandOf(press("1", { isComposing: true }), "grid"), null);
});

test("letters work with and without caps lock", () => {
  assert.equal(commandOf(press("p"), "grid"), "predict");
  assert.equal(commandOf(press("P"), "grid"), "predict");
  assert.equal(commandOf(press("P", { shiftKey: true }), "grid"), null);
});

test("undo and redo take Ctrl or the command key", () => {
  assert.equal(commandOf(press("z", { ctrlKey: true }), "grid"), "undo");
  assert.equal(commandOf(press("z", { metaKey: true }), "image"), "undo");
  assert.equal(commandOf(press("Z", { ctrlKey: true, shiftKey: true }), "grid"), "redo");
});

test("chords of the browser are left alone", () => {
  assert.equal(commandOf(press("p", { ctrlKey: true }), "grid"), null);
  assert.equal(commandOf(press("1", { ctrlKey: true }), "grid"), null);
  assert.equal(commandOf(press("a", { ctrlKey: true, shiftKey: true }), "grid"), null);
  assert.equal(commandOf(press("ArrowLeft", { altKey: true }), "grid"), null);
});

test("arrows move in the grid, extend with Shift, and turn images in the viewer", () => {
  assert.equal(commandOf(press("ArrowDown"), "grid"), "move:down");
  assert.equal(commandOf(press("ArrowDown", { shiftKey: true }), "grid"), "extend:down");
  assert.equal(commandOf(press("ArrowRight"), "image"), "next");
  assert.equal(commandOf(press("k"), "image"), "previous");
  assert.equal(commandOf(press("k"), "grid"), null);
});

test("in the viewer letters zoom, mark and show; Alt with arrows moves what is zoomed", () => {
  assert.equal(commandOf(press("h"), "image"), "hard");
  assert.equal(commandOf(press("f"), "image"), "zoom:fit");
  assert.equal(commandOf(press("F", { shiftKey: true }), "image"), "zoom:full");
  assert.equal(commandOf(press("+", { shiftKey: true }), "image"), "zoom:in");
  assert.equal(commandOf(press("+", { ctrlKey: true }), "image"), null);
  assert.equal(commandOf(press("ArrowLeft", { altKey: true }), "image"), "pan:left");
  assert.equal(commandOf(press("1", { altKey: true }), "image"), null);
  assert.equal(commandOf(press("q"), "grid"), "look");
});

test("the question mark needs no Shift of its own", () => {
  assert.equal(commandOf(press("?", { shiftKey: true }), "grid"), "help");
  assert.equal(commandOf(press("？", { shiftKey: true }), "image"), "help");
});

test("both surfaces know hard examples, rejecting and the palettes", () => {
  for (const surface of ["grid", "image"]) {
    assert.equal(commandOf(press("h"), surface), "hard");
    assert.equal(commandOf(press("x"), surface), "reject");
    assert.equal(commandOf(press("l"), surface), "palette-labels");
    assert.equal(commandOf(press("U", { shiftKey: true }), surface), "nothing");
    assert.equal(commandOf(press("k", { metaKey: true }), surface), "palette");
    assert.equal(commandOf(press("y", { ctrlKey: true }), surface), "redo");
  }
  assert.equal(commandOf(press("A", { shiftKey: true }), "grid"), "accept-selection");
  assert.equal(commandOf(press("A", { shiftKey: true }), "image"), null);
  assert.equal(commandOf(press("/"), "grid"), "find");
});

test("an own key takes the place of the usual ones, on every surface of the command", () => {
  const own = keysOf({ keys: { hard: "g", next: "d Shift+ArrowRight" } });
  assert.equal(own(press("g"), "grid", KEYS), "hard");
  assert.equal(own(press("G"), "image", KEYS), "hard");
  assert.equal(own(press("h"), "grid", KEYS), null);
  assert.equal(own(press("d"), "image", KEYS), "next");
  assert.equal(own(press("ArrowRight", { shiftKey: true }), "image", KEYS), "next");
  assert.equal(own(press("ArrowRight"), "image", KEYS), null);
  assert.equal(own(press("d"), "grid", KEYS), null);
  assert.equal(own(press("k"), "image", KEYS), "previous");
});

test("a command can do without a key, and its key can go to another", () => {
  const own = keysOf({ keys: { hard: "", reject: "h" } });
  assert.equal(own(press("h"), "grid", KEYS), "reject");
  assert.equal(own(press("x"), "grid", KEYS), null);
});

test("an own key comes before a label with that letter", () => {
  const own = keysOf({ keys: { hard: "c" } });
  assert.equal(own(press("c"), "grid", KEYS), "hard");
});

test("keys of one character can be switched off, and only those", () => {
  const quiet = keysOf({ off: true });
  for (const key of ["h", "?", "1", "c", "/", "+", "３"]) {
    assert.equal(quiet(press(key), "image", KEYS), null, key);
  }
  assert.equal(quiet(press("U", { shiftKey: true }), "grid", KEYS), null);
  assert.equal(quiet(press("ArrowDown"), "grid", KEYS), "move:down");
  assert.equal(quiet(press(" "), "grid", KEYS), "toggle");
  assert.equal(quiet(press("Enter"), "grid", KEYS), "open");
  assert.equal(quiet(press("Escape"), "image", KEYS), "close");
  assert.equal(quiet(press("k", { ctrlKey: true }), "grid", KEYS), "palette");
  assert.equal(quiet(press("Delete"), "grid", KEYS), "delete");
});

test("a chord says what is held, in one order", () => {
  assert.equal(chordOf(press("Z", { shiftKey: true, ctrlKey: true })), "Ctrl+Shift+z");
  assert.equal(chordOf(press("　")), "Space");
  assert.equal(chordOf(press("?", { shiftKey: true })), "?");
  // AltGr on Windows: Alt and Ctrl at once, which is no chord of ours.
  assert.equal(chordOf(press("@", { ctrlKey: true, altKey: true })), "Alt+Ctrl+@");
});
