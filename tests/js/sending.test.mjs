import assert from "node:assert/strict";
import test from "node:test";

import {
  meaning,
  MOST_FAILURES,
  PART_BYTES,
  pauseBefore,
  sendFile,
} from "../../static/js/sending.js";

const LOST = { status: 0, data: null };
const BUSY = { status: 503, data: { code: "storage-busy", message: "Busy." } };

/** Takes parts as the server does; `faults` are answers given instead, `after`: it took it first. */
function server(size, faults = []) {
  const asked = [];
  let there = 0;
  const answer = () => ({
    status: there === size ? 201 : 202,
    data: { offset: there, outcome: there === size ? "stored" : null },
  });
  return {
    asked,
    ask: async () => {
      asked.push("?");
      return faults.shift() ?? { status: 200, data: { offset: there, outcome: null } };
    },
    put: async (offset, part) => {
      asked.push(offset);
      const fault = faults.shift();
      if (fault && !fault.after) {
        return fault;
      }
      if (offset !== there) {
        return { status: 409, data: { code: "offset", offset: there } };
      }
      there += part.size;
      return fault?.after ?? answer();
    },
    forgets: () => (there = 0),
    isReadable: async () => true,
    progressed: () => {},
    pause: async () => true,
  };
}

/** A file of so many bytes that are never there. */
const blob = (size) => ({ size, slice: (from, to) => ({ size: Math.min(to, size) - from }) });

test("a small file takes one request", async () => {
  const here = server(100);

  assert.deepEqual(await sendFile(blob(100), here), { end: "there", outcome: "stored" });
  assert.deepEqual(here.asked, [0]);
});

test("a large file asks where to go on and comes in parts", async () => {
  const size = PART_BYTES * 2 + 5;
  const here = server(size);
  const seen = [];

  await sendFile(blob(size), { ...here, progressed: (bytes) => seen.push(bytes) });

  assert.deepEqual(here.asked, ["?", 0, PART_BYTES, 2 * PART_BYTES]);
  assert.deepEqual(seen, [0, PART_BYTES, 2 * PART_BYTES]);
});

test("after a reload it goes on where it stopped", async () => {
  const size = PART_BYTES + 5;
  const here = server(size);
  await here.put(0, { size: PART_BYTES });

  await sendFile(blob(size), here);

  assert.deepEqual(here.asked, [0, "?", PART_BYTES]);
});

test("a part whose answer was lost is not sent again", async () => {
  const size = PART_BYTES + 5;
  const here = server(size, [undefined, { after: LOST }]);

  assert.equal((await sendFile(blob(size), here)).end, "there");
  assert.deepEqual(here.asked, ["?", 0, "?", PART_BYTES]);
});

test("storing that failed for now is tried again without bytes", async () => {
  const here = server(100, [{ after: BUSY }]);
  const sizes = [];
  const put = (offset, part) => {
    sizes.push(part.size);
    return here.put(offset, part);
  };

  assert.equal((await sendFile(blob(100), { ...here, put })).end, "there");
  assert.deepEqual(sizes, [100, 0]);
});

test("a server that begins again is followed", async () => {
  const size = PART_BYTES + 5;
  const here = server(size, []);
  const progressed = (bytes) => bytes === PART_BYTES && here.asked.length === 2 && here.forgets();

  assert.equal((await sendFile(blob(size), { ...here, progressed })).end, "there");
  assert.deepEqual(here.asked, ["?", 0, PART_BYTES, 0, PART_BYTES]);
});

test("a refusal is final", async () => {
  const refusal = { status: 400, data: { code: "too-large-file", message: "Too large." } };
  const here = server(100, [refusal]);

  assert.deepEqual(await sendFile(blob(100), here), { end: "refused", answer: refusal });
});

test("pauses grow, and end with the last attempt", async () => {
  const pauses = [];
  const here = server(100, Array(100).fill(LOST));
  const pause = async (failures) => pauses.push(pauseBefore(failures)) > 0;

  assert.deepEqual(await sendFile(blob(100), { ...here, pause }), { end: "given-up", answer: LOST });
  assert.deepEqual(pauses.slice(0, 7), [1000, 2000, 4000, 8000, 16000, 30000, 30000]);
  assert.equal(pauses.length, MOST_FAILURES);
});

test("a server that never agrees is given up too", async () => {
  const elsewhere = { status: 409, data: { offset: 50 } };
  const here = server(100, Array(100).fill(elsewhere));

  assert.equal((await sendFile(blob(100), here)).end, "given-up");
});

test("failures count only in a row", async () => {
  const size = PART_BYTES * 40;
  // Every third request is lost: the part behind one that came.
  const faults = Array.from({ length: 400 }, (_, at) => (at % 3 === 1 ? LOST : undefined));
  const here = server(size, faults);

  assert.equal((await sendFile(blob(size), here)).end, "there");
});

test("it ends where it is not wanted any more, or the file is gone", async () => {
  const pause = async () => false;
  const isReadable = async () => false;

  assert.equal((await sendFile(blob(1), { ...server(1, [LOST]), pause })).end, "stopped");
  assert.equal((await sendFile(blob(1), { ...server(1, [LOST]), isReadable })).end, "unreadable");
});

test("what an answer means", () => {
  assert.equal(meaning({ status: 202, data: { offset: 1 } }), "taken");
  assert.equal(meaning({ status: 409, data: { offset: 1 } }), "elsewhere");
  assert.equal(meaning({ status: 409, data: { code: "not_an_upload_job" } }), "refused");
  assert.equal(meaning({ status: 413, data: {} }), "refused");
  assert.equal(meaning({ status: 502, data: null }), "again");
  // The page to sign in, say.
  assert.equal(meaning({ status: 200, data: null }), "refused");
});
