// The guards and times of recovery's table, by their names there; each sentence stands in fsm_rtc/machines/recovery.py.

/**
 * What they read; times in seconds.
 * @typedef {object} RecoveryMemory
 * @property {boolean} linkIsUp - whether the signalling link stands
 * @property {boolean} peerIsThere - whether the peer is in the room, as far as the server says
 * @property {boolean} peerAnswers - whether the peer answers a heartbeat, so that its silence says something
 * @property {number} attemptsLeft
 * @property {boolean} canRestartIce - whether neither the peer connection nor its channel has ended
 * @property {boolean} isExchanging - whether an offer is under way that may yet lead to a connection
 * @property {boolean} leads - whether this side is the one that begins
 * @property {string} cutReason - how it was noticed that the other side has closed the connection
 * @property {number} heardAt - when the peer was last heard, on the machine's clock
 * @property {number} overdueSeconds - what is left of the time without a word after which recovery begins
 * @property {number} backoffSeconds - the longest wait before the next attempt
 * @property {number} byeSeconds - how long a goodbye on the channel waits for the one over signalling
 * @property {import("./limits.js").Limits} policy
 */

/** @type {Record<string, (memory: RecoveryMemory) => boolean>} */
export const RECOVERY_GUARDS = {
  link_is_up: (memory) => memory.linkIsUp,
  peer_is_there: (memory) => memory.peerIsThere,
  no_exchange: (memory) => !memory.isExchanging,
  peer_answers: (memory) => memory.peerAnswers,
  exchange_under_way: (memory) => memory.isExchanging,
  attempts_left: (memory) => memory.attemptsLeft > 0,
  no_attempts_left: (memory) => memory.attemptsLeft <= 0,
  can_restart_ice: (memory) => memory.canRestartIce,
  leads: (memory) => memory.leads,
};

/** @type {Record<string, (memory: RecoveryMemory) => number>} */
export const RECOVERY_TIMES = {
  heard_at: (memory) => memory.heardAt,
  suspect_seconds: (memory) => memory.policy.suspectAfterSeconds,
  overdue_seconds: (memory) => memory.overdueSeconds,
  follower_seconds: (memory) => memory.policy.followerWaitsSeconds,
  attempt_seconds: (memory) => memory.policy.attemptSeconds,
  backoff_seconds: (memory) => memory.backoffSeconds,
  stood_seconds: (memory) => memory.policy.stoodSeconds,
  give_up_seconds: (memory) => memory.policy.giveUpSeconds,
  bye_seconds: (memory) => memory.byeSeconds,
};
