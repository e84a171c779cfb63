// How long a call waits for what, and what is done when it is lost. The figures are those of the Python side
// (figures.js, docs/recovery.md, docs/protocol.md), but for two which the browser alone has.

import { ACKNOWLEDGE_SECONDS, RECOVERY_POLICY } from "./figures.js";

/**
 * Times in seconds, or Infinity for never.
 * @typedef {object} Limits
 * @property {number} answerSeconds - for the answer to an offer that has arrived
 * @property {number} acknowledgeSeconds - for any acknowledgement of what was sent
 * @property {number} connectSeconds - from the other side's coming to the first open channel
 * @property {number} giveUpSeconds - for a lost connection to come back
 * @property {number} goodbyeSeconds - how long who says goodbye may take to leave the room, before it is called anew
 * @property {number} heartbeatSeconds - how often the other side is asked whether it is there
 * @property {number} suspectAfterSeconds - after so long without a word from it, it counts as lost for now
 * @property {number} beginAfterSeconds - after so long without a word recovery begins, on the side that leads
 * @property {number} followerWaitsSeconds - so much later it begins on the other side, if the leader has not begun
 * @property {number} attemptSeconds - how long an attempt may take
 * @property {number} attempts - how many there are
 * @property {number} stoodSeconds - how long the connection must stand to have them all again
 * @property {number} firstBackoffSeconds - between attempts lies a random time of at most this, doubled with each
 * @property {number} longestBackoffSeconds - and at most this
 */

const { answerTimeoutSeconds, connectTimeoutSeconds, giveUpAfterSeconds, ...recovery } = RECOVERY_POLICY;

/** @type {Limits} */
export const LIMITS = Object.freeze({
  ...recovery,
  answerSeconds: answerTimeoutSeconds,
  acknowledgeSeconds: ACKNOWLEDGE_SECONDS,
  connectSeconds: connectTimeoutSeconds,
  giveUpSeconds: giveUpAfterSeconds,
  goodbyeSeconds: 2,
});

/** So late a timer comes when the page stood still meanwhile; browsers let those of a hidden page come a second late. */
export const LATE_SECONDS = 2;
