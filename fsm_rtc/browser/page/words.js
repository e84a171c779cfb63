// What the page says, in plain words.

/** @type {Record<string, string>} */
const LOSSES = {
  unreachable: "The server can't be reached.",
  lost: "The link to the server was lost.",
  late: "The server takes too long.",
  room_full: "The room is full.",
  shutting_down: "The server is being shut down.",
  too_many_connections: "There are too many connections from here.",
  too_many_rooms: "The server has no place for another room.",
};

/** @type {Record<string, string>} */
const REFUSALS = {
  no_access: "You may not join this room. Ask for a link with a valid token.",
  replaced: "You have joined from another tab or window; this one has left.",
  wrong_protocol: "This page and the server don't fit together. Reload the page.",
  wrong_room: "This is not a room. Choose another name.",
  bad_hello: "The server did not accept this browser's key. Reload the page.",
  bad_address: "This is no name for a room. Choose another one, of 1 to 128 characters.",
  bad_name: "Your name is too long. Choose one of at most 128 characters.",
};

/** Why nothing works on a page that came over http: from another host. */
export const NEEDS_HTTPS =
  "This page needs https: to call from here. Browsers give keys, camera and microphone only to pages that came over https:, " +
  "or from this very machine. Whoever runs the server can give it a certificate.";

/** @type {Record<string, string>} */
const MICROPHONE = {
  denied: "The microphone is not allowed here. Allow it in your browser, then press “Microphone”.",
  missing: "There is no microphone. Connect one, then press “Microphone”.",
  busy: "The microphone is in use by another program, or doesn't answer. Press “Microphone” to try again.",
  failed: "The microphone can't be used. Press “Microphone” to try again.",
  unplugged: "The microphone is gone. Press “Microphone” when it is back.",
};

/**
 * How the room stands.
 * @param {import("../room.js").Room} room
 * @param {string} name - as it was chosen
 */
export function roomInWords(room, name) {
  switch (room.state) {
    case "connecting":
      return room.reason === "" ? "Connecting …" : `${LOSSES[room.reason] ?? "The server can't be reached."} Trying again …`;
    case "connected":
      if (room.sessionState === "used up") return `You are in “${name}”. A call was lost; calling again …`;
      return room.peers.size === 0 ? `You are in “${name}”, alone so far.` : `You are in “${name}”.`;
    case "reconnecting":
      return `${LOSSES[room.reason] ?? "The link to the server was lost."} Reconnecting … Calls go on meanwhile.`;
    case "refused":
      return refusalInWords(room.reason, room.message);
    default:
      return "You have left.";
  }
}

/**
 * Why this side was not let in.
 * @param {string} code
 * @param {string} message
 */
export function refusalInWords(code, message) {
  if (code === "insecure_context") return NEEDS_HTTPS;
  return REFUSALS[code] ?? `Not joined: ${message || code}`;
}

/**
 * How a call stands.
 * @param {import("../peer.js").Peer} peer
 */
export function peerInWords(peer) {
  switch (peer.state) {
    case "connecting":
      return "connecting …";
    case "reconnecting":
      return "connection lost, reconnecting …";
    case "ended":
      return `not connected: ${peer.reason}`;
    default:
      return "";
  }
}

/**
 * That a call is over.
 * @param {import("../peer.js").Peer} peer
 * @param {string} name
 */
export function partingInWords(peer, name) {
  if (peer.ending === "given up") return `The call with ${name} ended: ${peer.reason}.`;
  return `${name} is gone: ${peer.reason}.`;
}

/**
 * What is wrong with a device; empty if nothing is.
 * @param {import("./own_media.js").DeviceName} name
 * @param {string} state
 */
export function deviceInWords(name, state) {
  const words = MICROPHONE[state] ?? "";
  return name === "microphone" ? words : words.replaceAll("microphone", "camera").replaceAll("Microphone", "Camera");
}
