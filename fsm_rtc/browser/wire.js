// The messages of the signalling protocol, read strictly. Source: docs/protocol.md.

/**
 * Who somebody is, signed for one room.
 * @typedef {object} Introduction
 * @property {string} id
 * @property {string} session
 * @property {string} name
 * @property {string} public_key
 * @property {string} signature
 * @property {string[]} [features]
 */

/**
 * What every message between two peers has.
 * @typedef {object} PeerMessage
 * @property {"offer" | "answer" | "candidate" | "end_of_candidates" | "bye" | "ack"} type
 * @property {string} room
 * @property {string} sender
 * @property {string} recipient
 * @property {string} sender_session
 * @property {string} recipient_session
 * @property {number} sequence
 * @property {string} offer_id
 * @property {string} payload
 * @property {string} signature
 */

export const MAX_MESSAGE_BYTES = 262_144;

const MAX_CHARACTERS = 128;
const MAX_OFFER_ID_CHARACTERS = 160;
const MAX_FEATURES = 16;
const MAX_ICE_SERVERS = 8;
const MAX_ICE_URL_CHARACTERS = 512;
const MAX_ICE_SECRET_CHARACTERS = 1024;

const PEER_TYPES = new Set(["offer", "answer", "candidate", "end_of_candidates", "bye", "ack"]);

/** @type {(value: unknown) => value is string} */
const isText = (value) => typeof value === "string";
/** @param {unknown} value */
const isName = (value) => isText(value) && [...value].length <= MAX_CHARACTERS;
/** @param {unknown} value */
const isOfferId = (value) => isText(value) && [...value].length <= MAX_OFFER_ID_CHARACTERS;
/** @param {unknown} value */
const isCount = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
/** @param {unknown} value */
const isFeatures = (value) =>
  value === undefined || (Array.isArray(value) && value.length <= MAX_FEATURES && value.every(isName));

const INTRODUCTION = {
  id: isName, session: isName, name: isName, public_key: isText, signature: isText, features: isFeatures,
};
/** @type {Record<string, (value: any) => boolean>} */
const PEER_MESSAGE = {
  type: (value) => PEER_TYPES.has(value),
  room: isName, sender: isName, recipient: isName, sender_session: isName, recipient_session: isName,
  sequence: isCount, offer_id: isOfferId, payload: isText, signature: isText,
};
/** @param {unknown} value */
const isIntroduction = (value) => hasShape(value, INTRODUCTION, true);
/** @param {unknown} value */
const isSecret = (value) => value === undefined || (isText(value) && [...value].length <= MAX_ICE_SECRET_CHARACTERS);
/** @param {unknown} value */
const isUrl = (value) => isText(value) && [...value].length <= MAX_ICE_URL_CHARACTERS;
const ICE_SERVER = {
  urls: (/** @type {unknown} */ value) =>
    Array.isArray(value) && value.length <= MAX_ICE_SERVERS && value.every(isUrl),
  username: isSecret, credential: isSecret,
};
/** @param {unknown} value */
const isIceServers = (value) =>
  value === undefined ||
  (Array.isArray(value) && value.length <= MAX_ICE_SERVERS && value.every((one) => hasShape(one, ICE_SERVER, false)));

/** @type {Record<string, Record<string, (value: any) => boolean>>} */
const FROM_SERVER = {
  challenge: { protocol: isText, nonce: isText },
  welcome: { members: (value) => Array.isArray(value) && value.every(isIntroduction), ice_servers: isIceServers },
  ice_servers: { ice_servers: (value) => value !== undefined && isIceServers(value) },
  joined: { member: isIntroduction },
  left: { id: isName, session: isName },
  received: { number: isCount },
  draining: { seconds: (value) => typeof value === "number" },
  error: { code: isText, message: isText },
};

/** A frame that is no message. */
export class MessageError extends Error {}

/**
 * The message in a frame.
 * @param {unknown} frame
 * @returns {any}
 * @throws {MessageError} it is none; its message is one of the protocol's reasons
 */
export function decode(frame) {
  if (typeof frame !== "string") throw new MessageError("not JSON");
  if (frame.length > MAX_MESSAGE_BYTES) throw new MessageError("oversized");
  let message;
  try {
    message = JSON.parse(frame);
  } catch {
    throw new MessageError("not JSON");
  }
  const type = message?.type;
  if (typeof type !== "string") throw new MessageError("wrong shape");
  if (PEER_TYPES.has(type)) {
    if (!hasShape(message, PEER_MESSAGE, true)) throw new MessageError("wrong shape");
  } else {
    const shape = Object.hasOwn(FROM_SERVER, type) ? FROM_SERVER[type] : undefined;
    if (shape === undefined) throw new MessageError("unknown type");
    if (!hasShape(message, shape, false)) throw new MessageError("wrong shape");
  }
  return message;
}

/**
 * Whether a message is one between peers.
 * @param {{type: string}} message
 */
export function isBetweenPeers(message) {
  return PEER_TYPES.has(message.type);
}

/**
 * @param {any} value
 * @param {Record<string, (value: unknown) => boolean>} shape
 * @param {boolean} alone - whether it may have no other fields
 */
function hasShape(value, shape, alone) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  if (alone && Object.keys(value).some((key) => !Object.hasOwn(shape, key))) return false;
  return Object.entries(shape).every(([key, fits]) => fits(value[key]));
}
