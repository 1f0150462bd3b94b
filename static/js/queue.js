// @ts-check
/**
 * Sends one thing after the other, in the order in which they were asked for. One that fails is
 * reported to who asked for it and does not stop the next, unless `until` knows when to try it
 * again: then all wait until that is done.
 * @param {{ until?: (error: any) => Promise<void>, changed?: (size: number) => void }} [options]
 *   until: rejects what is final; changed: is told how many are not done yet
 * @returns {{ push: <T>(send: () => Promise<T>) => Promise<T>, size: () => number }}
 */
export function createQueue({ until = (error) => Promise.reject(error), changed } = {}) {
  /** @type {Promise<unknown>} */
  let last = Promise.resolve();
  let waiting = 0;
  const add = (/** @type {number} */ more) => {
    waiting += more;
    changed?.(waiting);
  };
  /** @template T @param {() => Promise<T>} send @returns {Promise<T>} */
  const insist = async (send) => {
    for (;;) {
      try {
        return await send();
      } catch (error) {
        await until(error);
      }
    }
  };
  return {
    push(send) {
      add(1);
      const sent = last.then(() => insist(send)).finally(() => add(-1));
      last = sent.catch(() => undefined);
      return sent;
    },
    size: () => waiting,
  };
}
