/**
 * The page's end of the feed: a WebSocket that is opened again when it is lost, and fetches that show the same token.
 * @module
 */

const SUBPROTOCOL = "fsm-rtc-inspector";
const FIRST_WAIT_MILLISECONDS = 500;
const LONGEST_WAIT_MILLISECONDS = 8000;
const CROWDED = 1013;

/** The token in this page's address, `#token=…`; empty if there is none. */
export const token = new URLSearchParams(location.hash.slice(1)).get("token") ?? "";

/**
 * Fetch one of the inspector's resources.
 * @param {string} path relative to the page
 * @returns {Promise<Response>}
 */
export function ask(path) {
  return fetch(path, { headers: token ? { Authorization: `Bearer ${token}` } : {}, cache: "no-store" });
}

/**
 * Follow the feed for as long as the page is open.
 * @param {(message: any) => void} onMessage called with each message
 * @param {(state: "connecting" | "open" | "lost" | "refused" | "crowded") => void} onState called with what became of the socket
 */
export function follow(onMessage, onState) {
  let wait = FIRST_WAIT_MILLISECONDS;

  const open = () => {
    const address = new URL("feed", location.href);
    address.protocol = address.protocol.replace("http", "ws");
    address.hash = "";
    address.search = "";
    const socket = new WebSocket(address, token ? [SUBPROTOCOL, `token.${token}`] : [SUBPROTOCOL]);
    socket.addEventListener("message", (event) => {
      wait = FIRST_WAIT_MILLISECONDS;
      onState("open");
      onMessage(JSON.parse(event.data));
    });
    socket.addEventListener("close", async ({ code }) => {
      if (code === CROWDED) onState("crowded");
      else onState(await isRefused() ? "refused" : "lost");
      setTimeout(open, wait);
      wait = Math.min(wait * 2, LONGEST_WAIT_MILLISECONDS);
    });
  };

  onState("connecting");
  open();
}

/** Whether the server is there and wants another token; a WebSocket doesn't say why it was refused. */
async function isRefused() {
  try {
    return (await ask("charts/0000000000000000.svg")).status === 401;
  } catch {
    return false;
  }
}
