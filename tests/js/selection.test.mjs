import assert from "node:assert/strict";
import test from "node:test";

import {
  banded,
  extended,
  has,
  nothing,
  only,
  request,
  share,
  size,
  step,
  these,
  toggled,
  withPage,
  withoutPage,
} from "../../static/js/selection.js";

const page = [1, 2, 3, 4, 5, 6];
const ids = (selection) => [...selection.ids].sort((a, b) => a - b);

test("a click selects one image alone", () => {
  assert.deepEqual(ids(only(3)), [3]);
});

test("a toggle adds and takes away", () => {
  const two = toggled(only(3), 5);
  assert.deepEqual(ids(two), [3, 5]);
  assert.deepEqual(ids(toggled(two, 3)), [5]);
});

test("a run goes from the anchor to the target, in both directions", () => {
  assert.deepEqual(ids(extended(only(2), page, 4)), [2, 3, 4]);
  assert.deepEqual(ids(extended(only(4), page, 2)), [2, 3, 4]);
});

test("a new target replaces the run, which can shrink or turn round", () => {
  const long = extended(only(3), page, 6);
  assert.deepEqual(ids(extended(long, page, 4)), [3, 4]);
  assert.deepEqual(ids(extended(long, page, 1)), [1, 2, 3]);
});

test("a run keeps what was selected before it", () => {
  const before = toggled(only(1), 4);
  assert.deepEqual(ids(extended(before, page, 6)), [1, 4, 5, 6]);
  assert.deepEqual(ids(extended(extended(before, page, 6), page, 5)), [1, 4, 5]);
});

test("with keep a run lets nothing go", () => {
  const first = extended(only(1), page, 3);
  const moved = { ...first, anchor: 5 };
  assert.deepEqual(ids(extended(moved, page, 6, true)), [1, 2, 3, 5, 6]);
});

test("a run from an anchor on another page is a toggle", () => {
  assert.deepEqual(ids(extended(only(99), page, 2)), [2, 99]);
  assert.deepEqual(ids(extended(nothing(), page, 2)), [2]);
});

test("selecting the page keeps the other pages, and so does letting it go", () => {
  const all = withPage(these([99]), page);
  assert.equal(all.ids.size, 7);
  assert.equal(share(all, page), "all");
  assert.deepEqual(ids(withoutPage(all, page)), [99]);
});

test("the checkbox of the page tells none, some and all", () => {
  assert.equal(share(nothing(), page), "none");
  assert.equal(share(these([2, 99]), page), "some");
  assert.equal(share(these([]), []), "none");
});

test("gestures never change the state they start from", () => {
  const start = only(2);
  toggled(start, 3);
  extended(start, page, 5);
  withPage(start, page);
  assert.deepEqual(ids(start), [2]);
});

const all = (number = 100, through = 9) => these([], { query: "hard=1", number, through });

test("everything that a list finds is selected but what is let go", () => {
  const some = toggled(toggled(all(), 3), 4);
  assert.deepEqual([has(some, 3), has(some, 77)], [false, true]);
  assert.equal(size(some), 98);
  assert.deepEqual(request(some), { query: "hard=1", through: 9, except: [3, 4], expected: 98 });
  assert.equal(size(toggled(some, 3)), 99);
});

test("before somebody counted nothing is expected", () => {
  const some = toggled(all(null, null), 3);
  assert.equal(size(some), Infinity);
  assert.deepEqual(request(some), { query: "hard=1", except: [3] });
});

test("with everything selected the page is let go and taken back", () => {
  const without = withoutPage(all(), page);
  assert.equal(size(without), 94);
  assert.equal(share(without, page), "none");
  assert.equal(size(withPage(without, page)), 100);
});

test("a run takes back what was let go of everything", () => {
  const start = withoutPage(all(), page);
  const run = extended(toggled(start, 2), page, 4);
  assert.deepEqual(page.filter((id) => has(run, id)), [2, 3, 4]);
  assert.deepEqual(page.filter((id) => has(extended(run, page, 3), id)), [2, 3]);
});

test("one image alone leaves the rest of the list", () => {
  assert.deepEqual(request(only(3)), { ids: [3] });
});

test("a band adds what it touches, or flips it", () => {
  const start = these([1, 2]);
  assert.deepEqual(ids(banded(start, [2, 3], false)), [1, 2, 3]);
  assert.deepEqual(ids(banded(start, [2, 3], true)), [1, 3]);
  assert.equal(size(banded(all(), [2, 3], true)), 98);
});

test("any row of gestures selects what a plain model of the rules selects", () => {
  let seed = 7;
  const random = (below) => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed % below;
  };
  let selection = nothing();
  let model = { ids: [], anchor: null, base: [] };
  const order = Array.from({ length: 40 }, (_, at) => at * 3 + 1);
  for (let round = 0; round < 5000; round += 1) {
    const id = order[random(order.length)];
    const gesture = random(3);
    if (gesture === 0) {
      selection = only(id);
      model = { ids: [id], anchor: id, base: [id] };
    } else if (gesture === 1 || model.anchor === null) {
      selection = toggled(selection, id);
      const had = model.ids.includes(id);
      const next = had ? model.ids.filter((one) => one !== id) : [...model.ids, id];
      model = { ids: next, anchor: id, base: next };
    } else {
      selection = extended(selection, order, id);
      const [low, high] = [model.anchor, id].sort((a, b) => a - b);
      const run = order.filter((one) => one >= low && one <= high);
      model = { ...model, ids: [...new Set([...model.base, ...run])] };
    }
    assert.deepEqual(ids(selection), [...model.ids].sort((a, b) => a - b));
  }
});

test("arrows move by one and by a row, and stay at the edges", () => {
  assert.equal(step(0, "right", 4, 10), 1);
  assert.equal(step(0, "left", 4, 10), 0);
  assert.equal(step(1, "down", 4, 10), 5);
  assert.equal(step(7, "down", 4, 10), 7);
  assert.equal(step(1, "up", 4, 10), 1);
  assert.equal(step(9, "right", 4, 10), 9);
});

test("Home and End go to the ends of the row, with Ctrl to those of the page", () => {
  assert.equal(step(6, "row-start", 4, 10), 4);
  assert.equal(step(5, "row-end", 4, 10), 7);
  assert.equal(step(8, "row-end", 4, 10), 9);
  assert.equal(step(6, "first", 4, 10), 0);
  assert.equal(step(6, "last", 4, 10), 9);
});
