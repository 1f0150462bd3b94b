import assert from "node:assert/strict";
import test from "node:test";

import {
  clamped,
  FITTED,
  fullScale,
  panned,
  percent,
  pinched,
  zoomedAt,
} from "../../static/js/zoom.js";

// A photograph of 4000 × 3000 in a stage of 800 × 600: fitted at a fifth of its size.
const photo = {
  image: { width: 4000, height: 3000 },
  room: { width: 800, height: 600 },
  stage: { width: 800, height: 600 },
};
const icon = { ...photo, image: { width: 20, height: 15 } };
const corner = { x: -400, y: -300 };

/** What of the image is under a point, from its middle and in fitted pixels. */
const under = (view, point) => [(point.x - view.x) / view.scale, (point.y - view.y) / view.scale];

test("percent are pixels of the screen for one of the image", () => {
  assert.equal(percent(FITTED, photo), 20);
  assert.equal(percent({ ...FITTED, scale: fullScale(photo) }, photo), 100);
  assert.equal(percent(FITTED, icon), 4000);
});

test("zooming at a point leaves there what was under it", () => {
  const point = { x: 120, y: -75 };
  let view = zoomedAt(FITTED, 3, point, photo);
  assert.deepEqual(under(view, point), [120, -75]);
  view = zoomedAt(view, 7.5, point, photo);
  const [x, y] = under(view, point);
  assert.ok(Math.abs(x - 120) < 1e-9 && Math.abs(y + 75) < 1e-9);
});

test("it ends at fitted and at eight times the pixels of the image", () => {
  assert.equal(percent(zoomedAt(FITTED, 1e6, corner, photo), photo), 800);
  assert.deepEqual(zoomedAt({ scale: 4, x: 300, y: 0 }, 0.1, corner, photo), FITTED);
});

test("a small image can be seen at its own size and at eight times fitted", () => {
  assert.equal(percent(zoomedAt(FITTED, 0, corner, icon), icon), 100);
  assert.equal(clamped({ scale: 100, x: 0, y: 0 }, icon).scale, 8);
});

test("no gap opens at one side while the other is cut off", () => {
  assert.deepEqual(panned({ scale: 2, x: 0, y: 0 }, 1e4, -1e4, photo), { scale: 2, x: 400, y: -300 });
  assert.deepEqual(panned(FITTED, 50, 50, photo), FITTED);
});

test("in a direction that shows all of it the image stays in the middle", () => {
  const wide = { ...photo, image: { width: 4000, height: 1000 } };
  const view = zoomedAt(FITTED, 2, { x: 100, y: 100 }, wide);
  assert.equal(view.y, 0);
  assert.equal(view.x, -100);
});

test("fingers keep what is under them", () => {
  const before = [{ x: -50, y: 0 }, { x: 50, y: 0 }];
  const after = [{ x: -90, y: 20 }, { x: 110, y: 20 }];
  const view = pinched({ scale: 2, x: 0, y: 0 }, before, after, photo);
  assert.equal(view.scale, 4);
  assert.deepEqual(under(view, after[0]), under({ scale: 2, x: 0, y: 0 }, before[0]));
  assert.deepEqual(under(view, after[1]), under({ scale: 2, x: 0, y: 0 }, before[1]));
});

test("fingers at one place do not throw the image away", () => {
  const here = [{ x: 5, y: 5 }, { x: 5, y: 5 }];
  assert.ok(Number.isFinite(pinched(FITTED, here, here, photo).scale));
});
