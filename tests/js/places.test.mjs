import assert from "node:assert/strict";
import test from "node:test";

import { placeOf } from "../../static/js/places.js";

const boxes = [0, 10, 20].map((top) => ({ top, bottom: top + 10 }));

test("a place is before the first box whose middle is below", () => {
  assert.equal(placeOf(-5, boxes), 0);
  assert.equal(placeOf(4, boxes), 0);
  assert.equal(placeOf(6, boxes), 1);
  assert.equal(placeOf(14, boxes), 1);
});

test("below the middle of the last it is the end", () => {
  assert.equal(placeOf(26, boxes), 3);
  assert.equal(placeOf(1000, boxes), 3);
  assert.equal(placeOf(1, []), 0);
});
