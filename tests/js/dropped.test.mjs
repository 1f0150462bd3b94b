import assert from "node:assert/strict";
import test from "node:test";

import { chosenIn, filesOf } from "../../static/js/dropped.js";

const file = (path) => ({
  isFile: true,
  fullPath: path,
  file: (found) => found(new File(["x"], path.split("/").pop())),
});

/** A folder that is read in pieces of two, as browsers read it in pieces of a hundred. */
const folder = (...inside) => ({
  isFile: false,
  createReader: () => ({ readEntries: (found) => found(inside.splice(0, 2)) }),
});

const drop = (...entries) => ({
  items: entries.map((entry) => ({ webkitGetAsEntry: () => entry })),
});

test("a dropped folder gives all files in it with their paths", async () => {
  const inside = folder(file("/a/1.jpg"), file("/a/2.jpg"), folder(file("/a/b/3.jpg")));

  const found = await filesOf(drop(inside, file("/4.jpg")));

  assert.deepEqual(
    found.map(({ path }) => path),
    ["a/1.jpg", "a/2.jpg", "a/b/3.jpg", "4.jpg"],
  );
});

test("a file without an entry counts, a dropped text does not", async () => {
  const picture = new File(["x"], "pasted.png");
  const items = [
    { webkitGetAsEntry: () => null, getAsFile: () => picture },
    { webkitGetAsEntry: () => null, getAsFile: () => null },
  ];

  assert.deepEqual(await filesOf({ items }), [{ path: "pasted.png", file: picture }]);
});

test("chosen files keep the folder that they were chosen with", () => {
  const files = [
    { name: "1.jpg", webkitRelativePath: "a/1.jpg" },
    { name: "2.jpg", webkitRelativePath: "" },
  ];

  assert.deepEqual(
    chosenIn({ files }).map(({ path }) => path),
    ["a/1.jpg", "2.jpg"],
  );
});
