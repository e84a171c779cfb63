// How long a call waits for what, in seconds. The same figures as on the Python side, docs/recovery.md and docs/protocol.md.

/**
 * @typedef {object} Limits
 * @property {number} answerSeconds - for the answer to an offer that has arrived
 * @property {number} acknowledgeSeconds - for any acknowledgement of what was sent
 * @property {number} connectSeconds - from the other side's coming to the first open channel
 * @property {number} giveUpSeconds - for a lost connection to come back
 * @property {number} goodbyeSeconds - how long who says goodbye may take to leave the room, before it is called anew
 */

/** @type {Limits} */
export const LIMITS = Object.freeze({
  answerSeconds: 20,
  acknowledgeSeconds: 45,
  connectSeconds: 60,
  giveUpSeconds: 90,
  goodbyeSeconds: 2,
});

/** So late a timer comes when the page stood still meanwhile. */
export const LATE_SECONDS = 2;
