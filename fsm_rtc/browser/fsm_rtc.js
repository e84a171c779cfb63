// fsm_rtc for browsers: calls with everybody in a room, over signalling that nobody has to trust.
//
//     import { join } from "/_fsm_rtc/fsm_rtc.js";
//
//     const room = await join("wss://signalling.example.org/kitchen", { name: "alice" });
//     room.addEventListener("peer", ({ detail: peer }) => {
//       peer.addEventListener("chat", ({ detail: text }) => console.log(`${peer.name}: ${text}`));
//       peer.addEventListener("track", ({ detail: { streams } }) => (video.srcObject = streams[0]));
//     });
//     room.chat("Hello peers!");
//
// See docs/browser.md.

export { JoinError, RefusedError } from "./errors.js";
export { keptIdentity } from "./key_store.js";
export { Peer } from "./peer.js";
export { Room, join } from "./room.js";
export { Identity } from "./signing.js";
