// @ts-check

const FIRST_WAIT = 1000;
const LONGEST_WAIT = 15000;
const NOT_A_MEMBER = 4404;

/**
 * Keeps a websocket open: a lost connection is tried again, ever more slowly. `up` and `down`
 * tell its state; `down` comes again with each attempt that fails.
 * @param {string} path
 * @param {{ message: (data: any) => void, up: () => void, down: () => void }} listener
 */
export function connect(path, { message, up, down }) {
  const address = new URL(path, location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  let wait = FIRST_WAIT;
  const open = () => {
    const socket = new WebSocket(address);
    socket.addEventListener("open", () => {
      wait = FIRST_WAIT;
      up();
    });
    socket.addEventListener("message", (event) => message(JSON.parse(event.data)));
    socket.addEventListener("close", (event) => {
      if (event.code === NOT_A_MEMBER) {
        location.reload();
        return;
      }
      down();
      // Not all browsers at the same moment when the server comes back.
      window.setTimeout(open, wait * (0.75 + Math.random() / 2));
      wait = Math.min(wait * 2, LONGEST_WAIT);
    });
  };
  open();
}
