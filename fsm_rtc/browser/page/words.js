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
};

/**
 * How the room stands.
 * @param {import("../room.js").Room} room
 */
export function roomInWords(room) {
  switch (room.state) {
    case "connecting":
      return "Connecting …";
    case "connected":
      return room.peers.size === 0 ? `You are in “${room.name}”, alone so far.` : `You are in “${room.name}”.`;
    case "reconnecting":
      return `${LOSSES[room.reason] ?? "The link to the server was lost."} Reconnecting … Calls go on meanwhile.`;
    case "refused":
      return REFUSALS[room.reason] ?? `Refused: ${room.message || room.reason}`;
    default:
      return "You have left.";
  }
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
      return peer.reason;
    default:
      return "";
  }
}

/**
 * What was wrong with the camera.
 * @param {Error} error
 */
export function mediaInWords(error) {
  if (error.name === "NotAllowedError") return "Camera and microphone are not allowed here; you can still see, hear and write.";
  if (error.name === "NotFoundError") return "There is no camera or microphone; you can still see, hear and write.";
  return `Camera and microphone can't be used (${error.name}); you can still see, hear and write.`;
}
