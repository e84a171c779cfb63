// Notices that a call is lost, and has it back: the table of recovery at work (recovery_table.js), as
// fsm_rtc/connection/recovery/driver.py has it. The table has the times; this has their lengths, and the values that are no
// status: how many attempts are left, and when the peer was last heard.
//
// What a browser can't do as a Python side does: it can't ask a socket whether it is alive, so the link is checked by making
// it anew (link.js), which loses nothing; and offers fail for no want of an address, since browsers make them without any.

import { Driver } from "./driver.js";
import { CUT_SECONDS, FOLLOWER_PATIENCE, SIGNALED_BYE_SECONDS, LOSS_REASONS, RECOVERING, WATCHED } from "./figures.js";
import { LIMITS } from "./limits.js";
import { RECOVERY_GUARDS, RECOVERY_TIMES } from "./recovery_guards.js";
import { RECOVERY } from "./recovery_table.js";

/**
 * What recovery tells: that the call is `lost`, an attempt begins (`recovering`), it works again (`recovered`), or that it is
 * `given up`.
 * @typedef {{kind: "lost", reason: string} | {kind: "recovering", how: "ICE restart" | "new peer connection", attempt: number}
 *   | {kind: "recovered", seconds: number} | {kind: "given up", reason: string}} RecoveryEvent
 */

/**
 * The call, as its recovery sees it and changes it.
 * @typedef {object} RecoverableCall
 * @property {boolean} linkIsUp - whether the signalling link stands
 * @property {boolean} peerIsThere - whether the peer is in the room, as far as the server says
 * @property {boolean} peerAnswers - whether the peer answers a heartbeat, so that its silence says something
 * @property {boolean} canRestartIce - whether neither the peer connection nor its channel has ended
 * @property {boolean} isExchanging - whether an offer is under way
 * @property {boolean} leads - whether this side is the one that begins
 * @property {() => void} ping - ask the peer for a sign of life, if it would answer
 * @property {() => void} checkLink - let the signalling see to it that its link stands
 * @property {() => void} restartIce
 * @property {() => void} recreate - make a new peer connection, and offer it
 * @property {() => void} endEarly - the other side has closed a connection that never worked
 * @property {(reason: string) => void} giveUp
 * @property {() => void} endByPeer - end the call for the reason that the peer has given on the channel
 * @property {(event: RecoveryEvent) => void} tell
 * @property {(before: string) => void} moved - the state has changed, from that one
 */

/** It is the memory of its table, see recovery_guards.js. */
export class Recovery {
  #call;
  #driver;
  #lostAt = -Infinity;
  /** @type {any} */
  #heartbeat = undefined;

  /**
   * @param {RecoverableCall} call
   * @param {import("./limits.js").Limits} [policy]
   * @param {import("./driver.js").Clocks} [clocks]
   */
  constructor(call, policy = LIMITS, clocks = {}) {
    this.#call = call;
    this.policy = policy;
    /** How many attempts are left. */
    this.attemptsLeft = policy.attempts;
    /** When the peer was last heard, on the machine's clock. */
    this.heardAt = 0;
    /** How it was noticed that the other side has closed the connection. */
    this.cutReason = "";
    const named = { guards: RECOVERY_GUARDS, times: RECOVERY_TIMES, effects: this.#effects };
    this.#driver = new Driver(RECOVERY, this, named, call.moved, clocks);
  }

  // What the machine's guards and times read.

  get linkIsUp() {
    return this.#call.linkIsUp;
  }

  get peerIsThere() {
    return this.#call.peerIsThere;
  }

  get peerAnswers() {
    return this.#call.peerAnswers;
  }

  get canRestartIce() {
    return this.#call.canRestartIce;
  }

  get isExchanging() {
    return this.#call.isExchanging;
  }

  get leads() {
    return this.#call.leads;
  }

  get overdueSeconds() {
    return Math.max(0, this.heardAt + this.policy.beginAfterSeconds - this.#driver.now);
  }

  get backoffSeconds() {
    const attempt = Math.max(1, this.policy.attempts - this.attemptsLeft);
    return Math.min(this.policy.longestBackoffSeconds, this.policy.firstBackoffSeconds * 2 ** (attempt - 1));
  }

  get byeSeconds() {
    return this.linkIsUp && this.peerIsThere ? SIGNALED_BYE_SECONDS : CUT_SECONDS;
  }

  // What happens.

  /** Where it stands: a state of the table. */
  get state() {
    return this.#driver.state;
  }

  /** Whether a call stands, or is being recovered. */
  get isWatching() {
    return WATCHED.includes(this.state);
  }

  /** Whether the call is lost, and not given up. */
  get isRecovering() {
    return RECOVERING.includes(this.state);
  }

  /** How long ago the call was lost, in seconds; Infinity if it never was. */
  get lostSeconds() {
    return this.#driver.now - this.#lostAt;
  }

  /** A call with a session of the peer begins. */
  newCall() {
    this.#driver.fire("on_new_call");
  }

  /** Watch no longer, for good. */
  close() {
    this.#driver.fire("close");
  }

  /** The peer gave a sign of life, or the call works (again). */
  heard() {
    this.heardAt = this.#driver.now;
    if (this.state !== "watching") this.#driver.fire("on_heard"); // each message comes here, and most change nothing
  }

  /**
   * The peer is lost, or seems to be; this connection may come back by itself.
   * @param {string} reason
   */
  lost(reason) {
    this.#driver.fire("on_lost", reason);
  }

  /**
   * The peer is lost, and this connection won't come back by itself, so that there is nothing to wait for.
   * @param {string} reason
   */
  lostForGood(reason) {
    this.#driver.fire("on_lost_for_good", reason);
  }

  /**
   * The other side has closed the connection or its channel; if no goodbye comes, it is lost.
   * @param {string} reason
   */
  closed(reason) {
    this.#driver.fire("on_closed", reason);
  }

  /**
   * The peer has ended the call, on the channel.
   * @param {string} reason
   */
  saidGoodbye(reason) {
    this.#driver.fire("on_goodbye", reason);
  }

  /** Both sides agree on an offer, of either side. */
  agreed() {
    this.#driver.fire("on_agreed");
  }

  /** The connection comes nearer to work. */
  progressed() {
    if (this.isRecovering) this.#driver.fire("on_progress"); // each change of a state comes here, and most belong to no attempt
  }

  /** The attempt has come to nothing. */
  attemptFailed() {
    if (this.isRecovering) this.#driver.fire("on_attempt_failed");
  }

  /**
   * The other side hasn't the certificate that it was to have: that is never tried again.
   * @param {string} reason
   */
  dtlsFailed(reason) {
    this.#driver.fire("on_dtls_failed", reason);
  }

  /** The link, who is in the room, or the exchange has changed: what waited for that may begin. */
  changed() {
    if (this.#driver.permits("on_chance")) this.#driver.fire("on_chance");
  }

  // What the machine asks for.

  /** @type {Record<string, (event: any) => void>} */
  #effects = {
    StartHeartbeat: () => {
      this.#heartbeat ??= this.#beatIn(this.policy.heartbeatSeconds);
    },
    StopHeartbeat: () => {
      clearTimeout(this.#heartbeat);
      this.#heartbeat = undefined;
    },
    NoteCut: (reason) => {
      this.cutReason = reason;
    },
    TellLost: (reason) => this.#tellLost(reason),
    tell_silent: () => this.#tellLost(LOSS_REASONS.silent),
    tell_cut: () => this.#tellLost(this.cutReason),
    OfferIceRestart: () => {
      this.#beginAttempt("ICE restart");
      this.#call.restartIce();
    },
    Recreate: () => {
      this.#beginAttempt("new peer connection");
      this.#call.recreate();
    },
    TellRecovered: () => this.#call.tell({ kind: "recovered", seconds: this.lostSeconds }),
    ResetAttempts: () => {
      this.attemptsLeft = this.policy.attempts;
    },
    EndByPeer: () => this.#call.endByPeer(),
    EndEarly: () => this.#call.endEarly(),
    GiveUp: (reason) => this.#giveUp(reason),
    give_up_late: () => this.#giveUp(`the call could not be recovered within ${this.policy.giveUpSeconds} s`),
    give_up_no_attempts: () => this.#giveUp("every attempt to recover the call failed"),
  };

  /** @param {number} seconds */
  #beatIn(seconds) {
    return setTimeout(() => {
      const beaten = this.#heartbeat;
      const wait = this.#beat();
      // Else it was stopped meanwhile, and perhaps started anew.
      if (this.#heartbeat === beaten) this.#heartbeat = this.#beatIn(wait);
    }, seconds * 1000);
  }

  /** Ask for a sign of life, if there was none for a while; when to look again, in seconds. */
  #beat() {
    const seconds = this.policy.heartbeatSeconds;
    const patience = this.leads ? seconds : seconds * FOLLOWER_PATIENCE;
    const quiet = this.#driver.now - this.heardAt;
    if (!this.isRecovering && quiet < patience) return patience - quiet;
    this.#call.ping();
    // The link may be lost at any time of it, and then nothing else would find that soon.
    if (this.isRecovering && this.linkIsUp) this.#call.checkLink();
    return seconds;
  }

  /** @param {string} reason */
  #tellLost(reason) {
    this.#lostAt = this.#driver.now;
    this.#call.tell({ kind: "lost", reason });
    this.#call.checkLink();
  }

  /** @param {"ICE restart" | "new peer connection"} how */
  #beginAttempt(how) {
    this.attemptsLeft -= 1;
    this.#call.tell({ kind: "recovering", how, attempt: this.policy.attempts - this.attemptsLeft });
  }

  /** @param {string} reason */
  #giveUp(reason) {
    this.#call.tell({ kind: "given up", reason });
    this.#call.giveUp(reason);
  }
}
