import assert from "node:assert/strict";
import test from "node:test";

import { createTransfers, inBatches } from "../../static/js/transfers.js";

const file = (size) => ({ size });

test("a path is in the list once", () => {
  const transfers = createTransfers();

  assert.ok(transfers.add("a.jpg", file(10)));
  assert.equal(transfers.add("a.jpg", file(20)), null);

  assert.equal(transfers.bytes.total, 10);
  assert.equal(transfers.all.length, 1);
});

test("files come in their order, and one that is tried again comes again", () => {
  const transfers = createTransfers();
  const [a, b] = ["a", "b"].map((path) => transfers.add(path, file(1)));

  assert.equal(transfers.next(), a);
  transfers.move(a, "sending");
  assert.equal(transfers.next(), b);
  transfers.move(b, "there");
  transfers.move(a, "failed");
  assert.equal(transfers.next(), undefined);
  transfers.move(a, "waiting");
  assert.equal(transfers.next(), a);
});

test("the sums follow what becomes of the files", () => {
  const transfers = createTransfers();
  const [a, b, c] = ["a", "b", "c"].map((path) => transfers.add(path, file(100)));

  transfers.move(a, "sending");
  transfers.progressed(a, 40);
  transfers.move(b, "there");
  assert.deepEqual(transfers.bytes, { total: 300, sent: 140 });
  transfers.move(a, "done");
  transfers.move(c, "sending");
  transfers.progressed(c, 30);
  transfers.move(c, "failed");

  assert.deepEqual(transfers.bytes, { total: 300, sent: 200 });
  assert.equal(transfers.over(), 2);
  assert.deepEqual(transfers.in("failed"), [c]);
  assert.deepEqual(transfers.counts, {
    waiting: 0,
    sending: 0,
    done: 1,
    there: 1,
    junk: 0,
    failed: 1,
  });
});

test("fifty thousand files are gone through in no time", () => {
  const transfers = createTransfers();
  const begun = performance.now();
  for (let number = 0; number < 50_000; number += 1) {
    transfers.add(`${number}.jpg`, file(1));
  }
  let transfer;
  while ((transfer = transfers.next())) {
    transfers.move(transfer, "sending");
    transfers.progressed(transfer, 1);
    transfers.move(transfer, "done");
  }

  assert.equal(transfers.over(), 50_000);
  assert.ok(performance.now() - begun < 2_000);
});

test("batches hold all, the last one the rest", () => {
  assert.deepEqual(inBatches([1, 2, 3, 4, 5], 2), [[1, 2], [3, 4], [5]]);
  assert.deepEqual(inBatches([], 2), []);
});
