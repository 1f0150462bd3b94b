// @ts-check
/**
 * Sends one thing after the other, in the order in which they were asked for. One that fails is
 * reported to who asked for it and does not stop the next.
 * @returns {{ push: <T>(send: () => Promise<T>) => Promise<T>, size: () => number }}
 */
export function createQueue() {
  /** @type {Promise<unknown>} */
  let last = Promise.resolve();
  let waiting = 0;
  return {
    push(send) {
      waiting += 1;
      const sent = last.then(send).finally(() => {
        waiting -= 1;
      });
      last = sent.catch(() => undefined);
      return sent;
    },
    size: () => waiting,
  };
}
