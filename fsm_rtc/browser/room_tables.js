// What a room goes through, as tables of the form of machine.js: its link to the server, and its session.
//
// The link is what `Room.state` says. The session is what the others know this side by; each call is one of two sessions
// (docs/protocol.md, "Goodbye"), so a call that is over begins anew only when a side comes with another session. That
// ends every call of the old one; so it is done where none is lost by it: where nobody else is left to talk to, or the
// server has forgotten the session and no call of it turns out to stand.

/** @type {import("./machine.js").Table} */
export const ROOM = {
  machine: "Room",
  digest: "",
  initial: "connecting",
  final: ["left"],
  triggers: {
    on_up: { checks: [], rows: [row(["connecting", "connected", "reconnecting"], "connected")] },
    on_down: { checks: [], rows: [row(["connecting"], "connecting"), row(["connected", "reconnecting"], "reconnecting")] },
    on_refused: { checks: [], rows: [row(["connecting", "connected", "reconnecting"], "refused")] },
    leave: { checks: [], rows: [row(["connecting", "connected", "reconnecting", "refused"], "left")] },
  },
};

/** @type {import("./machine.js").Table} */
export const SESSION = {
  machine: "RoomSession",
  digest: "",
  initial: "new",
  final: ["closed"],
  triggers: {
    // The server lets the session in, or goes on with it.
    on_welcome: {
      checks: [],
      rows: [
        row(["new"], "known"),
        row(["known"], "known", ["resumed"]),
        row(["known", "forgotten"], "forgotten", [], ["await_calls"]),
        row(["used up"], "used up"),
      ],
    },
    // A call has come to an end, or somebody has come or gone.
    on_changed: {
      checks: [],
      rows: [
        row(["known"], "used up", ["somebody_waits", "nobody_else"], ["await_goodbyes"]),
        row(["forgotten"], "used up", ["somebody_waits", "nothing_stands"], ["pause"]),
        row(["used up"], "known", ["nobody_waits"], ["stay"]),
        row(["used up"], "known", ["something_stands"], ["stay"]),
        row(["new", "known", "forgotten", "used up"], null),
      ],
    },
    // What was still connected when the server had forgotten the session has proved that it is.
    on_stood: { checks: [], rows: [row(["forgotten"], "known"), row(["new", "known", "used up"], null)] },
    on_paused: { checks: [], rows: [row(["used up"], "new", [], ["begin_anew"]), row(["new", "known", "forgotten"], null)] },
    // Somebody asks for it, whatever stands.
    call_again: { checks: [], rows: [row(["known", "forgotten", "used up"], "new", [], ["begin_anew"]), row(["new"], null)] },
    close: { checks: [], rows: [row(["new", "known", "forgotten", "used up"], "closed")] },
  },
};

/**
 * What the guards read of a room.
 * @typedef {object} RoomMemory
 * @property {() => number} waiting - how many are there whose call is over, or is not connected, and may begin anew
 * @property {() => number} talking - with how many a call is under way, connected or not
 * @property {() => number} standing - with how many one is connected
 */

/** @type {Record<string, (memory: RoomMemory, event: any) => boolean>} */
export const ROOM_GUARDS = {
  resumed: (_, welcome) => welcome.resumed,
  somebody_waits: (memory) => memory.waiting() > 0,
  nobody_waits: (memory) => memory.waiting() === 0,
  nobody_else: (memory) => memory.talking() === 0,
  nothing_stands: (memory) => memory.standing() === 0,
  something_stands: (memory) => memory.standing() > 0,
};

/**
 * @param {string[]} sources
 * @param {string | null} target
 * @param {string[]} [when]
 * @param {string[]} [then]
 * @returns {import("./machine.js").Row}
 */
function row(sources, target, when = [], then = []) {
  return { sources, target, when, then };
}
