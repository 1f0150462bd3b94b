import assert from "node:assert/strict";
import test from "node:test";

import { people, watchers, withoutSilent } from "../../static/js/present.js";

const alice = { id: 1, name: "Alice", initials: "A" };
const bob = { id: 2, name: "Bob", initials: "B" };
const pages = new Map([
  ["one", { person: alice, sample: 7, at: 0 }],
  ["two", { person: bob, sample: 7, at: 30000 }],
  ["three", { person: bob, sample: null, at: 30000 }],
]);

test("somebody with two pages is one person", () => {
  assert.deepEqual(people(pages), [alice, bob]);
});

test("an image names everybody who looks at it, once", () => {
  const twice = new Map(pages).set("four", { person: bob, sample: 7, at: 0 });
  assert.deepEqual(watchers(twice), new Map([[7, [alice, bob]]]));
});

test("who was not heard of for 45 seconds is gone", () => {
  assert.deepEqual(people(withoutSilent(pages, 44999)), [alice, bob]);
  assert.deepEqual(people(withoutSilent(pages, 45000)), [bob]);
});
