// The guards of the exchange's table, by their names there; each sentence stands in fsm_rtc/machines/exchange.py.

import { WINDOW } from "./figures.js";

/**
 * What the guards read.
 * @typedef {object} Memory
 * @property {string} room
 * @property {string} id
 * @property {string} session
 * @property {string} peerId - empty while nobody has joined
 * @property {string} peerSession
 * @property {number} nextSequence
 * @property {number} lastOfferNumber
 * @property {string} offerId
 * @property {{has(id: string): boolean}} knownOffers
 * @property {{has(id: string): boolean}} ignoredOffers
 * @property {number} byeSequence
 */

/**
 * A message of the peer, and whether its signature is the peer's.
 * @typedef {object} ReceivedMessage
 * @property {import("./wire.js").PeerMessage} message
 * @property {boolean} isSigned
 */

/** @type {Record<string, (memory: any, event: any) => boolean>} */
export const GUARDS = {
  somebody_else: (memory) => memory.peerId !== memory.id || memory.peerSession !== memory.session,
  introduced_itself: (memory, introduced) => introduced.isGenuine,
  trusted: (memory, introduced) => introduced.isTrusted,
  somebody_joined: (memory) => memory.peerId !== "",
  nobody_joined: (memory) => memory.peerId === "",
  polite: (memory) => order(memory) < 0,
  impolite: (memory) => order(memory) > 0,
  from_the_peer: (memory, { message }) => memory.peerId !== "" && message.sender === memory.peerId,
  of_this_room: (memory, { message }) => message.room === memory.room,
  for_this_side: (memory, { message }) => message.recipient === memory.id,
  of_these_sessions: (memory, { message }) =>
    message.sender_session === memory.peerSession && message.recipient_session === memory.session,
  signed_by_the_peer: (memory, received) => received.isSigned,
  taken_once: (memory, { message }) => message.sequence >= memory.nextSequence,
  next_in_sequence: (memory, { message }) => message.sequence === memory.nextSequence,
  soon_in_sequence: (memory, { message }) =>
    memory.nextSequence < message.sequence && message.sequence <= memory.nextSequence + WINDOW,
  newer_offer: (memory, { message }) => offerNumber(message) > memory.lastOfferNumber,
  media_section: (memory, { message }) => message.payload.startsWith("v=0") && sections(message.payload).length > 0,
  ice_credentials: (memory, { message }) => everySectionHas(message.payload, "ice-ufrag", "ice-pwd"),
  fingerprint: (memory, { message }) => everySectionHas(message.payload, "fingerprint"),
  answers_this_offer: (memory, { message }) => message.offer_id === memory.offerId,
  known_offer: (memory, { message }) => memory.knownOffers.has(message.offer_id),
  ignored_offer: (memory, { message }) => memory.ignoredOffers.has(message.offer_id),
  acknowledges_bye: (memory, received) => acknowledged(received.message) >= memory.byeSequence,
};

/**
 * Whether this side is before the peer (below 0) or behind it (above 0): ids, and then sessions, by code points.
 * @param {Memory} memory
 */
export function order(memory) {
  return compare(memory.id, memory.peerId) || compare(memory.session, memory.peerSession);
}

/**
 * @param {string} one
 * @param {string} other
 */
function compare(one, other) {
  const [here, there] = [[...one], [...other]];
  for (let at = 0; at < Math.min(here.length, there.length); at += 1) {
    const difference = Number(here[at]?.codePointAt(0)) - Number(there[at]?.codePointAt(0));
    if (difference !== 0) return difference;
  }
  return here.length - there.length;
}

/**
 * How many offers the sender has made with this one; 0 if its id isn't SESSION.NUMBER.
 * @param {import("./wire.js").PeerMessage} message
 */
export function offerNumber(message) {
  const number = message.offer_id.slice(message.sender_session.length + 1);
  const hasForm = message.offer_id === `${message.sender_session}.${number}` && /^[1-9][0-9]{0,14}$/.test(number);
  return hasForm ? Number(number) : 0;
}

/**
 * Of an acknowledgement: every sequence number up to this one has arrived; -1 if it says none.
 * @param {import("./wire.js").PeerMessage} message
 */
export function acknowledged(message) {
  return /^[0-9]{1,16}$/.test(message.payload) ? Number(message.payload) : -1;
}

/** @param {string} sdp */
function sections(sdp) {
  return sdp.split(/^(?=m=)/m).slice(1);
}

/**
 * @param {string} sdp
 * @param {...string} names
 */
function everySectionHas(sdp, ...names) {
  const common = sdp.split(/^m=/m, 1)[0];
  const has = (/** @type {string} */ text, /** @type {string} */ name) => new RegExp(`^a=${name}:`, "m").test(text);
  return sections(sdp)
    .filter((section) => !/^m=\S+ 0 /.test(section) || /^a=bundle-only\s*$/m.test(section))
    .every((section) => names.every((name) => has(section, name) || has(common, name)));
}
