import assert from "node:assert/strict";
import test from "node:test";

import { figure, merged } from "../../static/js/counts.js";
import { applied, pressed, toggleOf } from "../../static/js/marks.js";
import { createQueue } from "../../static/js/queue.js";

const set = (...ids) => new Set(ids);

test("a label that all targets have is taken off, else it is put on all", () => {
  assert.deepEqual(toggleOf(1, [set(1), set(1, 2)]), { remove: [1] });
  assert.deepEqual(toggleOf(1, [set(1), set(2)]), { add: [1] });
  assert.deepEqual(toggleOf(1, []), { add: [1] });
});

test("an image whose labels are not known here gets the label", () => {
  assert.deepEqual(toggleOf(1, [set(1), null]), { add: [1] });
});

test("with one label per image a label replaces the other", () => {
  assert.deepEqual(applied(set(1), { add: [2] }, "single"), set(2));
  assert.deepEqual(applied(set(1), { add: [2] }, "multi"), set(1, 2));
  assert.deepEqual(applied(set(1), { remove: [1] }, "single"), set());
  assert.deepEqual(applied(set(1, 2), { clear: true }, "multi"), set());
});

test("nothing applies is put on and taken off like a label, and goes with none", () => {
  assert.deepEqual(toggleOf(0, [set(1), set()]), { nothing: true });
  assert.deepEqual(toggleOf(0, [set(0)]), { clear: true });
  assert.deepEqual(applied(set(1, 2), { nothing: true }, "multi"), set(0));
  assert.deepEqual(applied(set(0), { add: [2] }, "multi"), set(2));
});

test("a label is replaced where it is carried", () => {
  const replace = { from: 1, to: 3 };
  assert.deepEqual(applied(set(1, 2), { replace }, "multi"), set(2, 3));
  assert.deepEqual(applied(set(2), { replace }, "multi"), set(2));
  assert.deepEqual(applied(set(1), { replace }, "single"), set(3));
});

test("the label list tells all, some and none", () => {
  assert.equal(pressed(1, [set(1), set(1)]), "true");
  assert.equal(pressed(1, [set(1), set()]), "mixed");
  assert.equal(pressed(1, [set(), set()]), "false");
  assert.equal(pressed(1, []), "false");
});

test("a number from an older change does not replace a newer one", () => {
  let counts = merged({}, { "state:labeled": 1, "state:unlabeled": 9 }, null);
  counts = merged(counts, { "state:labeled": 3 }, 12);
  counts = merged(counts, { "state:labeled": 2 }, 11);
  assert.equal(figure(counts, "state:labeled"), 3);
});

test("numbers read afresh stand until the next change", () => {
  let counts = merged({}, { "state:labeled": 3 }, 12);
  counts = merged(counts, { "state:labeled": 5 }, null);
  assert.equal(figure(counts, "state:labeled"), 5);
  assert.equal(figure(merged(counts, { "state:labeled": 6 }, 13), "state:labeled"), 6);
});

test("the sum and the share follow from the states", () => {
  const counts = merged({}, { "state:labeled": 2, "state:unlabeled": 4, "label:1": 2 }, null);
  assert.equal(figure(counts, "all"), 6);
  assert.equal(figure(counts, "percent"), 33);
  assert.equal(figure(counts, "label:7"), 0);
  assert.equal(figure({}, "percent"), 0);
});

test("the queue sends in order, one at a time", async () => {
  const queue = createQueue();
  const seen = [];
  const send = (name, turns) => async () => {
    seen.push(`${name} starts`);
    for (let turn = 0; turn < turns; turn += 1) {
      await Promise.resolve();
    }
    seen.push(`${name} ends`);
    return name;
  };

  const answers = await Promise.all([
    queue.push(send("slow", 20)),
    queue.push(send("quick", 1)),
  ]);

  assert.deepEqual(answers, ["slow", "quick"]);
  assert.deepEqual(seen, ["slow starts", "slow ends", "quick starts", "quick ends"]);
  assert.equal(queue.size(), 0);
});

test("what fails is reported to who asked and does not stop the next", async () => {
  const queue = createQueue();
  const failed = queue.push(async () => {
    throw new Error("refused");
  });
  const next = queue.push(async () => "sent");

  await assert.rejects(failed, /refused/);
  assert.equal(await next, "sent");
});

test("what may go through later is sent again, and all after it wait", async () => {
  const seen = [];
  const sizes = [];
  let back;
  const queue = createQueue({
    until: (error) => (error.isFinal ? Promise.reject(error) : new Promise((go) => (back = go))),
    changed: (size) => sizes.push(size),
  });
  let isConnected = false;
  const send = (name) => async () => {
    seen.push(name);
    if (!isConnected) {
      throw new Error("not connected");
    }
    return name;
  };
  const answers = Promise.all([queue.push(send("one")), queue.push(send("two"))]);
  await new Promise(setImmediate);
  back();
  await new Promise(setImmediate);
  assert.deepEqual(seen, ["one", "one"]);

  isConnected = true;
  back();

  assert.deepEqual(await answers, ["one", "two"]);
  assert.deepEqual(seen, ["one", "one", "one", "two"]);
  assert.deepEqual(sizes, [1, 2, 1, 0]);
});

test("what is refused for good does not hold up those after it", async () => {
  const queue = createQueue({ until: (error) => Promise.reject(error) });
  const refused = queue.push(async () => {
    throw new Error("refused");
  });
  const next = queue.push(async () => "sent");

  await assert.rejects(refused, /refused/);
  assert.equal(await next, "sent");
  assert.equal(queue.size(), 0);
});
