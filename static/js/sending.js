// @ts-check
export const PART_BYTES = 8 * 2 ** 20;
export const MOST_FAILURES = 20;
// The connection, or a server that is busy, restarts or stands behind a proxy which says so.
const PASSING = new Set([0, 408, 425, 429, 500, 502, 503, 504]);

/** Milliseconds. @param {number} failures in a row */
export const pauseBefore = (failures) => Math.min(2 ** (failures - 1), 30) * 1000;

/**
 * What an answer of the server means. Status 0: there was none.
 * @typedef {{ status: number, data: any }} Answer
 * @param {Answer} answer
 * @returns {"taken" | "elsewhere" | "again" | "refused"}
 */
export function meaning({ status, data }) {
  if (status >= 200 && status < 300 && Number.isInteger(data?.offset)) {
    return "taken";
  }
  if (status === 409 && Number.isInteger(data?.offset)) {
    return "elsewhere";
  }
  return PASSING.has(status) ? "again" : "refused";
}

/**
 * Sends a file, in parts where it is large. What breaks off is tried again from where the server
 * says that it stands; a refusal is final.
 *
 * - ask: how much the server has; put: sends a part
 * - pause: waits before the next attempt; false: it is not wanted any more
 * - isReadable: whether the file is still what was chosen
 * - progressed: so many bytes are there
 * @param {Blob} file
 * @param {{
 *   ask: () => Promise<Answer>,
 *   put: (offset: number, part: Blob) => Promise<Answer>,
 *   pause: (failures: number) => Promise<boolean>,
 *   isReadable: () => Promise<boolean>,
 *   progressed: (bytes: number) => void,
 * }} how
 * @returns {Promise<
 *   { end: "there", outcome: string }
 *   | { end: "refused" | "given-up", answer: Answer }
 *   | { end: "unreadable" | "stopped" }
 * >}
 */
export async function sendFile(file, { ask, put, pause, isReadable, progressed }) {
  let [offset, failures] = [0, 0];
  // The answer is always the same for a file that nothing was sent of, and small files are many.
  let knowsOffset = file.size <= PART_BYTES;
  for (;;) {
    const answer = knowsOffset
      ? await put(offset, file.slice(offset, offset + PART_BYTES))
      : await ask();
    const { data } = answer;
    const means = meaning(answer);
    if (means === "refused") {
      return { end: "refused", answer };
    }
    if (means === "taken" && data.outcome) {
      return { end: "there", outcome: data.outcome };
    }
    if (means === "taken" && knowsOffset && data.offset > offset) {
      failures = 0;
    } else if (means !== "taken" || knowsOffset) {
      failures += 1;
    }
    if (failures > MOST_FAILURES) {
      return { end: "given-up", answer };
    }
    if (means === "again") {
      if (answer.status === 0 && !(await isReadable())) {
        return { end: "unreadable" };
      }
      if (!(await pause(failures))) {
        return { end: "stopped" };
      }
      knowsOffset = false;
    } else {
      [offset, knowsOffset] = [data.offset, true];
      progressed(offset);
    }
  }
}
