// @ts-check

const FIRST_WAIT = 1000;
const LONGEST_WAIT = 15000;
const NOT_A_MEMBER = 4404;
const NOT_SIGNED_IN = 4401;

/**
 * Keeps a websocket open: a lost connection is tried again, ever more slowly. `up` and `down`
 * tell its state; `down` comes again with each attempt that fails. `out`: who is here may not
 * listen any more, and nothing is tried until `open`.
 * @param {string} path
 * @param {{
 *   message: (data: any) => void,
 *   up: () => void,
 *   down: () => void,
 *   out: (isMember: boolean) => void,
 * }} listener
 * @returns {{ send: (data: object) => void, open: () => void }}
 */
export function connect(path, { message, up, down, out }) {
  const address = new URL(path, location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  let wait = FIRST_WAIT;
  let timer = 0;
  /** @type {WebSocket} */
  let socket;
  const open = () => {
    window.clearTimeout(timer);
    if (socket?.readyState <= WebSocket.OPEN) {
      return;
    }
    socket = new WebSocket(address);
    socket.addEventListener("open", () => {
      wait = FIRST_WAIT;
      up();
    });
    socket.addEventListener("message", (event) => message(JSON.parse(event.data)));
    socket.addEventListener("close", ({ code }) => {
      down();
      if (code === NOT_A_MEMBER || code === NOT_SIGNED_IN) {
        out(code === NOT_SIGNED_IN);
        return;
      }
      // Not all browsers at the same moment when the server comes back.
      timer = window.setTimeout(open, wait * (0.75 + Math.random() / 2));
      wait = Math.min(wait * 2, LONGEST_WAIT);
    });
  };
  open();
  window.addEventListener("online", open);
  const send = (/** @type {object} */ data) =>
    socket.readyState === WebSocket.OPEN && socket.send(JSON.stringify(data));
  return { send, open };
}
