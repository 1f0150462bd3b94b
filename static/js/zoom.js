// @ts-check
/**
 * How an image lies in its stage. Pure.
 * @typedef {{ x: number, y: number }} Point from the middle of the stage, in pixels of the screen
 * @typedef {{ scale: number, x: number, y: number }} View scale 1 is fitted; where its middle is
 * @typedef {{ width: number, height: number }} Size
 * @typedef {{ image: Size, room: Size, stage: Size }} Frame
 *   the image in its own pixels, the room that it is fitted into, what of the screen shows it
 */
const MOST = 8;

export const FITTED = Object.freeze({ scale: 1, x: 0, y: 0 });

/** So large is a pixel of the fitted image. @param {Frame} frame */
const fit = ({ image, room }) => Math.min(room.width / image.width, room.height / image.height);

/** The scale at which a pixel of the image is one of the screen. @param {Frame} frame */
export const fullScale = (frame) => 1 / fit(frame);

/** @param {View} view @param {Frame} frame */
export const percent = (view, frame) => Math.round(view.scale * fit(frame) * 100);

/** @param {number} value @param {number} least @param {number} most */
const between = (value, least, most) => Math.min(most, Math.max(least, value)) || 0; // never -0

/**
 * The nearest view that is allowed: from fitted to eight times its pixels (small images: eight
 * times fitted), and no gap at one side while the other is cut off.
 * @param {View} view
 * @param {Frame} frame
 * @returns {View}
 */
export function clamped(view, frame) {
  const full = fullScale(frame);
  const scale = between(view.scale, Math.min(1, full), MOST * Math.max(1, full));
  const pixel = scale * fit(frame);
  const hidden = (/** @type {"width" | "height"} */ side) =>
    Math.max(0, (frame.image[side] * pixel - frame.stage[side]) / 2);
  const [x, y] = [hidden("width"), hidden("height")];
  return { scale, x: between(view.x, -x, x), y: between(view.y, -y, y) };
}

/**
 * Another scale, with what is under the point staying there.
 * @param {View} view
 * @param {number} scale
 * @param {Point} point
 * @param {Frame} frame
 */
export function zoomedAt(view, scale, point, frame) {
  const { scale: allowed } = clamped({ ...view, scale }, frame);
  const growth = allowed / view.scale;
  const x = point.x - (point.x - view.x) * growth;
  const y = point.y - (point.y - view.y) * growth;
  return clamped({ scale: allowed, x, y }, frame);
}

/** @param {View} view @param {number} x @param {number} y @param {Frame} frame */
export const panned = (view, x, y, frame) =>
  clamped({ ...view, x: view.x + x, y: view.y + y }, frame);

/**
 * What two fingers make of it: both keep what is under them.
 * @param {View} view
 * @param {Point[]} before where the two were
 * @param {Point[]} after where they are now
 * @param {Frame} frame
 */
export function pinched(view, before, after, frame) {
  const [from, to] = [middle(before), middle(after)];
  const growth = distance(after) / (distance(before) || 1);
  const zoomed = zoomedAt(view, view.scale * growth, from, frame);
  return panned(zoomed, to.x - from.x, to.y - from.y, frame);
}

/** @param {Point[]} points */
const middle = ([one, other]) => ({ x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 });

/** @param {Point[]} points */
const distance = ([one, other]) => Math.hypot(one.x - other.x, one.y - other.y);
