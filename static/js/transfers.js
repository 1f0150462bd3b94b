// @ts-check
/**
 * The files of an upload and what became of each, with the sums kept as they move: a list of ten
 * thousand is never counted through.
 *
 * - there: not sent, for the server has it already
 * - junk: left behind by a system, and not kept
 * @typedef {"waiting" | "sending" | "done" | "there" | "junk" | "failed"} State
 * @typedef {{ path: string, file: File, state: State, sent: number, row?: any }} Transfer
 */
export function createTransfers() {
  /** @type {Transfer[]} */
  const all = [];
  /** @type {Map<string, Transfer>} */
  const byPath = new Map();
  /** @type {Record<State, number>} */
  const counts = { waiting: 0, sending: 0, done: 0, there: 0, junk: 0, failed: 0 };
  const bytes = { total: 0, sent: 0 };
  let nextAt = 0;

  /** @param {Transfer} transfer @param {number} sent */
  function progressed(transfer, sent) {
    bytes.sent += sent - transfer.sent;
    transfer.sent = sent;
  }

  return {
    all,
    counts,
    bytes,
    progressed,

    /** @param {string} path @param {File} file @returns {Transfer | null} null: it is in the list */
    add(path, file) {
      if (byPath.has(path)) {
        return null;
      }
      /** @type {Transfer} */
      const transfer = { path, file, state: "waiting", sent: 0 };
      all.push(transfer);
      byPath.set(path, transfer);
      counts.waiting += 1;
      bytes.total += file.size;
      return transfer;
    },

    /** @param {string} path */
    get: (path) => byPath.get(path),

    /** @param {Transfer} transfer @param {State} state */
    move(transfer, state) {
      counts[transfer.state] -= 1;
      counts[state] += 1;
      transfer.state = state;
      if (state === "waiting") {
        nextAt = 0;
      }
      const isOver = state === "done" || state === "there" || state === "junk";
      if (isOver || state === "failed" || state === "waiting") {
        progressed(transfer, isOver ? transfer.file.size : 0);
      }
    },

    /** The first that waits, in the order of the list. @returns {Transfer | undefined} */
    next() {
      while (nextAt < all.length && all[nextAt].state !== "waiting") {
        nextAt += 1;
      }
      return all[nextAt];
    },

    /** @param {State} state */
    in: (state) => all.filter((transfer) => transfer.state === state),

    /** How many are where they belong. */
    over: () => counts.done + counts.there + counts.junk,
  };
}

/**
 * @template T
 * @param {T[]} items @param {number} most @returns {T[][]}
 */
export const inBatches = (items, most) =>
  Array.from({ length: Math.ceil(items.length / most) }, (_, at) =>
    items.slice(at * most, (at + 1) * most),
  );
