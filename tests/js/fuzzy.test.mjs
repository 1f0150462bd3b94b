import assert from "node:assert/strict";
import test from "node:test";

import { asked, best, match, prepared } from "../../static/js/fuzzy.js";

const found = (query, ...names) =>
  best(
    asked(query),
    names.map((text) => ({ name: prepared(text) })),
    99,
  ).map(({ item }) => item.name.text);
const places = (query, text) => match(asked(query), prepared(text))?.places ?? null;

test("the letters stand in their order, anywhere", () => {
  assert.deepEqual(places("rse", "horse"), [2, 3, 4]);
  assert.deepEqual(places("hse", "horse"), [0, 3, 4]);
  assert.equal(places("esh", "horse"), null);
  assert.equal(places("horses", "horse"), null);
});

test("beginnings of words come before what lies in the middle", () => {
  assert.deepEqual(found("wt", "sweet", "white tiger", "west"), ["white tiger", "west", "sweet"]);
  assert.deepEqual(places("bt", "big_cat-tail"), [0, 8]);
  assert.deepEqual(places("gr", "bigGreen"), [3, 4]);
});

test("letters in a row come before those that are apart", () => {
  assert.deepEqual(found("cat", "c-a-thing x", "concat", "cat and dog")[0], "cat and dog");
  assert.deepEqual(found("at", "apart", "cat"), ["cat", "apart"]);
  assert.deepEqual(places("an", "a banana n"), [0, 9]);
  assert.deepEqual(places("nan", "banana"), [2, 3, 4]);
});

test("the whole name is first, then the shorter one", () => {
  assert.deepEqual(found("cat", "cats", "category", "cat"), ["cat", "cats", "category"]);
});

test("equal ones keep their order, and a bonus lifts one", () => {
  assert.deepEqual(found("a", "ab", "ac", "ad"), ["ab", "ac", "ad"]);
  const items = ["ab", "ac"].map((text) => ({ name: prepared(text), bonus: 0 }));
  items[1].bonus = 2;
  assert.equal(best(asked("a"), items, 9)[0].item, items[1]);
});

test("capitals, full-width letters and spaces make no difference", () => {
  assert.deepEqual(found("ＣＡ", "Cat"), ["Cat"]);
  assert.deepEqual(found("big cat", "bigCat"), ["bigCat"]);
  assert.deepEqual(found("猫", "大猫", "狗"), ["大猫"]);
});

test("places count whole signs", () => {
  assert.deepEqual(places("b", "😀b"), [1]);
  assert.deepEqual(prepared("😀b").signs, ["😀", "b"]);
});

test("no more are given than were asked for", () => {
  const items = Array.from({ length: 50 }, (_, at) => ({ name: prepared(`label ${at}`) }));
  assert.equal(best(asked("l"), items, 7).length, 7);
  assert.deepEqual(best(asked("zz"), items, 7), []);
});
