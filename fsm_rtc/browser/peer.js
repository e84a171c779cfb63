// One of the others in a room, and the call with it.

import { Emitter } from "./emitter.js";
import { Exchange } from "./exchange.js";
import { CHANNEL_PROTOCOL, END_CODES, END_SENTENCES, FEATURE, LOSS_REASONS } from "./figures.js";
import { LIMITS } from "./limits.js";
import { ReplaceablePeerConnection } from "./peer_connection.js";
import { Recovery } from "./recovery.js";
import { SecureLink } from "./secure_link.js";

const ABSENT_MILLISECONDS = 10_000;
const LAST_WORDS_MILLISECONDS = 300;
const GOODBYE_SECONDS = 3; // so long a goodbye may come behind the end of the connection
const LEFT = "the other side left";
const DTLS_FAILED =
  "the other side doesn't have the certificate that its description names; that is not tried again, for somebody may be in between";

/**
 * How a call stands, in a word: `connecting` until it is there for the first time, `connected`, `reconnecting` when it
 * is lost and may come back, `ended` when it is over; `Peer.reason` then says why.
 * @typedef {"connecting" | "connected" | "reconnecting" | "ended"} PeerState
 */

/** @type {Record<string, PeerState>} By the state of its recovery; where it isn't here, it is reconnecting. */
const STATES = {
  idle: "connecting",
  "cut early": "connecting",
  watching: "connected",
  goodbye: "connected",
  closed: "ended",
};

/**
 * How a call ended: the peer `said goodbye`, which holds until it joins anew; or nobody wanted it to end, it was
 * `given up`, and may begin anew; or it was `gone`, and there is nobody to begin it with. Empty before that.
 * @typedef {"" | "said goodbye" | "given up" | "gone"} Ending
 */

/**
 * The codes of a goodbye that is meant, also where the call doesn't stand: trust doesn't change by calling again.
 * @type {Set<string>}
 */
const MEANT = new Set([END_CODES.closed, END_CODES.notTrusted, END_CODES.namesake]);

/**
 * What a call needs of its room.
 * @typedef {object} PeerSurroundings
 * @property {(text: string) => void} post - sends a message to the other side, or loses it
 * @property {() => boolean} linkIsUp - whether the link to the server stands
 * @property {import("./message_store.js").MessageStore} messages - that are not done with
 * @property {() => RTCConfiguration} configuration - asked for each peer connection
 * @property {(peer: Peer) => void} changed - called when it stands, or no longer does
 * @property {(peer: Peer) => void} ended - called when the call is over
 * @property {() => void} suspects - called when the other side is silent: the link may be dead too
 * @property {() => boolean} hasJustWoken - whether this page stood still a short while ago
 */

/**
 * One of the others in a room. Events, each a CustomEvent:
 *
 * - `state`: `state` has changed
 * - `recovery`: what is done about a call that is lost; `detail` is a `RecoveryEvent` (recovery.js)
 * - `message`: something came on the data channel; `detail` is a string or an ArrayBuffer
 * - `chat`: a chat message came; `detail` is its text
 * - `track`: the other side sends a track; `detail` is `{track, streams}`
 * - `refused`: something of the other side was refused; `detail` is the guard's name
 */
export class Peer extends Emitter {
  #exchange;
  #connection;
  #link;
  #recovery;
  #room;
  #limits;
  #connecting = 0;
  #absentBecause = "";
  #absence = 0;

  /**
   * @param {import("./exchange.js").Member} me
   * @param {import("./wire.js").Introduction} introduction
   * @param {PeerSurroundings} room
   * @param {import("./limits.js").Limits} [limits]
   */
  constructor(me, introduction, room, limits = LIMITS) {
    super();
    this.#room = room;
    this.#limits = limits;
    /** The fingerprint of its key. */
    this.id = introduction.id;
    /** What it calls itself. Anybody can call himself anything. */
    this.name = introduction.name;
    this.session = introduction.session;
    /** Why the call ended, for people. */
    this.reason = "";
    /** @type {Ending} */
    this.ending = "";
    /** Whether it is in the room, as the server says; a call may live on without that. */
    this.isPresent = true;
    /** @type {Map<string, number>} How often something was refused, by the guard's name. */
    this.refused = new Map();
    this.#link = new SecureLink(room.messages, introduction.id, {
      message: (data) => this.#received(data),
      refused: (reason) => this.#refused(reason),
    });
    const told = {
      stateChanged: (/** @type {RTCPeerConnectionState} */ state) => this.#stateChanged(state),
      channelChanged: (/** @type {RTCDataChannel | null} */ channel) => this.#channelChanged(channel),
      candidate: (/** @type {RTCIceCandidateInit | null} */ candidate) => this.#exchange.candidateFound(candidate),
      negotiationNeeded: () => this.#negotiateIfIdle(),
      track: (/** @type {RTCTrackEvent} */ { track, streams }) => this.tell("track", { track, streams }),
      message: (/** @type {string | ArrayBuffer} */ frame) => this.#heard(frame),
    };
    const protocol = introduction.features?.includes(FEATURE) ? CHANNEL_PROTOCOL : "";
    this.#connection = new ReplaceablePeerConnection(room.configuration, told, protocol);
    const events = {
      /** @type {import("./exchange.js").ExchangeEvents["ended"]} */
      ended: (reason, byPeer, forGood, code) => {
        // The other side hears of a goodbye on the channel though the link to the server is lost.
        const says = !byPeer && forGood && this.#link.sayGoodbye(reason);
        this.#end(reason || LEFT, byPeer ? this.#endingByPeer(code) : "given up", forGood, says);
      },
      wantsNothing: () => this.#link.end(),
      settled: () => this.#recovery.agreed(),
      moved: () => this.#recovery.changed(),
      refused: (/** @type {string} */ reason) => this.#refused(reason),
      retries: (/** @type {any} */ error) => this.#retries(error),
      linkIsUp: room.linkIsUp,
    };
    this.#exchange = new Exchange(me, introduction, this.#connection, room.post, events, limits);
    this.#recovery = new Recovery(this.#asLost(), limits);
  }

  /**
   * The call, as its recovery sees it.
   * @returns {import("./recovery.js").RecoverableCall}
   */
  #asLost() {
    const peer = this;
    return {
      get linkIsUp() {
        return peer.#room.linkIsUp();
      },
      get peerIsThere() {
        return peer.isPresent;
      },
      get peerAnswers() {
        return peer.#link.isAnswered;
      },
      get canRestartIce() {
        return peer.#connection.canGoOn;
      },
      get isExchanging() {
        return peer.#exchange.state !== "idle";
      },
      get leads() {
        return peer.#exchange.leads;
      },
      ping: () => this.#link.ping(),
      checkLink: () => this.#room.suspects(),
      restartIce: () => {
        this.#connection.connection?.restartIce();
        this.#exchange.negotiate();
      },
      recreate: () => {
        this.#connection.giveUp();
        this.#exchange.negotiate();
      },
      giveUp: (reason) => this.#exchange.leave(reason),
      endEarly: () => this.#exchange.leave(END_SENTENCES.connectionLost, false, END_CODES.connectionLost),
      endByPeer: () => {
        const { reason = "", failed = false } = this.#link.goodbye ?? {};
        this.#exchange.abandon();
        this.#end(reason || LEFT, failed ? "given up" : "said goodbye", !failed);
      },
      tell: (event) => this.#recoveryTold(event),
      moved: (before) => this.#recoveryMoved(before),
    };
  }

  /** @type {PeerState} */
  get state() {
    return stateIn(this.#recovery.state);
  }

  /** What is being done about a call that is lost: a state of recovery's table; "watching" while it works. */
  get recoveryState() {
    return this.#recovery.state;
  }

  /** The present RTCPeerConnection, or null. It may be replaced by another. */
  get connection() {
    return this.#connection.connection;
  }

  /** Where the exchange of offers stands. */
  get exchangeState() {
    return this.#exchange.state;
  }

  /** Whether a message would be taken now: in a call that was connected it waits while that is lost, and arrives once. */
  get takesMessages() {
    return this.state !== "ended" && this.#link.takes;
  }

  /**
   * Send a message on `secure-channel`.
   * @param {string | ArrayBuffer | ArrayBufferView<ArrayBuffer>} data
   * @throws {DOMException} the call isn't connected yet or any more, or too much waits
   * @throws {RangeError} it is too long
   */
  send(data) {
    if (this.state === "ended") throw new DOMException("the call has ended", "InvalidStateError");
    this.#link.send(data);
  }

  /**
   * Send a chat message.
   * @param {string} text
   */
  chat(text) {
    this.send(JSON.stringify({ type: "chat", message: text }));
  }

  /**
   * Send a track.
   * @param {MediaStreamTrack} track
   * @param {MediaStream} stream
   */
  addTrack(track, stream) {
    this.#connection.addTrack(track, stream);
  }

  /**
   * Send it no longer.
   * @param {MediaStreamTrack} track
   */
  removeTrack(track) {
    this.#connection.removeTrack(track);
  }

  /**
   * The room offers other servers.
   * @param {boolean} areDue - whether what it offered before ends soon
   */
  useServers(areDue) {
    this.#connection.useServers(areDue);
  }

  /** Make an offer, now or as soon as the present exchange is settled. */
  negotiate() {
    this.#exchange.negotiate();
  }

  /**
   * End the call.
   * @param {string} [reason] - told to the other side
   */
  leave(reason = "closed") {
    if (this.state !== "ended") this.ending = "said goodbye";
    this.#exchange.leave(reason, true);
  }

  // What the room tells.

  /** @param {(introduction: import("./wire.js").Introduction) => boolean} trust */
  async begin(trust) {
    const isAccepted = await this.#exchange.begin(trust);
    if (isAccepted) {
      this.#recovery.newCall();
      const { connectSeconds } = this.#limits;
      const late = () => this.#exchange.leave(`not connected within ${connectSeconds} s`);
      this.#connecting = setTimeout(late, connectSeconds * 1000);
    }
    return isAccepted;
  }

  /** @param {import("./wire.js").PeerMessage} message */
  received(message) {
    return this.#exchange.received(message);
  }

  /**
   * The link to the server stands again.
   * @param {boolean} wasDown - whether it was lost; else it was made anew
   */
  linkUp(wasDown) {
    this.#exchange.linkUp(wasDown);
    this.#recovery.changed();
  }

  /** It is in the room, or is there again: what it has not acknowledged goes out at once. */
  present() {
    this.isPresent = true;
    this.#absentBecause = "";
    clearTimeout(this.#absence);
    this.linkUp(true);
  }

  /** A server that has begun anew doesn't know it yet; it may still come. */
  absent() {
    this.isPresent = false;
    clearTimeout(this.#absence);
    this.#absence = setTimeout(() => this.left(), ABSENT_MILLISECONDS);
  }

  /**
   * The server says that it has left, or lost its link for too long; or there is no server any more. A call that stands
   * doesn't need one, and can't be recovered without.
   * @param {string} [reason]
   */
  left(reason = "it has left") {
    this.isPresent = false;
    this.#absentBecause = reason;
    if (this.state !== "connected") this.gone(reason);
  }

  /**
   * Nobody is left to talk to, or to say goodbye to.
   * @param {string} reason
   */
  gone(reason) {
    this.#exchange.abandon();
    this.#end(reason, "gone");
  }

  // What the peer connection tells.

  #negotiateIfIdle() {
    // In any other state the browser asks again when the exchange is settled.
    if (this.#exchange.state === "idle") this.#exchange.negotiate();
  }

  /** @param {RTCPeerConnectionState} state */
  #stateChanged(state) {
    const recovery = this.#recovery;
    if (state === "failed" && this.#connection.dtlsFailed) recovery.dtlsFailed(DTLS_FAILED);
    else if (state === "failed" && !recovery.isWatching) {
      this.#exchange.leave(END_SENTENCES.connectionFailed, false, END_CODES.connectionFailed);
    }
    else if (state === "failed") recovery.lostForGood(LOSS_REASONS.iceFailed);
    else if (state === "closed") recovery.closed(LOSS_REASONS.connectionClosed);
    else if (state === "disconnected") recovery.lost(LOSS_REASONS.iceDisconnected);
    else if (state !== "new") this.#comesNearer();
  }

  /** @param {RTCDataChannel | null} channel */
  #channelChanged(channel) {
    this.#link.follow(channel);
    if (channel === null) return;
    const isEnding = channel.readyState === "closing" || channel.readyState === "closed";
    if (!isEnding) this.#comesNearer();
    else if (this.#link.goodbye === null) this.#recovery.closed(LOSS_REASONS.channelClosed);
  }

  #comesNearer() {
    this.#recovery.progressed();
    if (this.#isReady) this.#recovery.heard();
  }

  /** Whether the peers are connected and messages go through. */
  get #isReady() {
    return this.connection?.connectionState === "connected" && this.#link.isReady;
  }

  /** @param {string | ArrayBuffer} frame */
  #heard(frame) {
    this.#link.received(frame);
    if (this.#link.goodbye !== null) this.#recovery.saidGoodbye(this.#link.goodbye.reason);
    else this.#recovery.heard();
  }

  // What its recovery tells.

  /** @param {import("./recovery.js").RecoveryEvent} event */
  #recoveryTold(event) {
    this.tell("recovery", event);
    // A call with a peer that has left the room can't be recovered.
    if (event.kind === "lost" && this.#absentBecause !== "") this.gone(this.#absentBecause);
  }

  /** @param {string} before */
  #recoveryMoved(before) {
    if (this.state === "connected") clearTimeout(this.#connecting);
    if (this.state === stateIn(before)) return;
    this.tell("state", this.state);
    this.#room.changed(this);
  }

  /**
   * An offer couldn't be made: whether recovery makes another attempt.
   * @param {any} error
   */
  #retries(error) {
    if (!this.#recovery.isRecovering || error?.name !== "OperationError") return false;
    queueMicrotask(() => this.#recovery.attemptFailed());
    return true;
  }

  /**
   * What the other side's goodbye means: its code says so; of one without, who goes from a call that stands means it,
   * and who has waited in vain for one that doesn't gives it up.
   * @param {string} code
   * @returns {Ending}
   */
  #endingByPeer(code) {
    const { isWatching, isRecovering, lostSeconds } = this.#recovery;
    const stoodNow = (isWatching && !isRecovering) || lostSeconds < GOODBYE_SECONDS;
    const isMeant = MEANT.has(code) || (stoodNow && !this.#room.hasJustWoken());
    return isMeant ? "said goodbye" : "given up";
  }

  /** @param {string | ArrayBuffer} data */
  #received(data) {
    this.tell("message", data);
    if (typeof data !== "string") return;
    try {
      const payload = JSON.parse(data);
      if (payload?.type === "chat" && typeof payload.message === "string") this.tell("chat", payload.message);
    } catch {
      // It is no chat message.
    }
  }

  /** @param {string} reason */
  #refused(reason) {
    this.refused.set(reason, (this.refused.get(reason) ?? 0) + 1);
    this.tell("refused", reason);
  }

  /**
   * @param {string} reason
   * @param {Ending} ending
   * @param {boolean} [forGood] - whether that is a goodbye; else what isn't delivered waits for another call
   * @param {boolean} [says] - whether this side says so on the channel, which takes its time to go out
   */
  #end(reason, ending, forGood = false, says = false) {
    if (this.state === "ended") return;
    clearTimeout(this.#absence);
    clearTimeout(this.#connecting);
    if (forGood) this.#link.end();
    else this.#link.fail();
    this.#connection.close(says ? LAST_WORDS_MILLISECONDS : 0);
    this.reason = reason;
    this.ending ||= ending;
    this.#recovery.close();
    this.#room.ended(this);
  }
}

/**
 * How a call stands whose recovery is in a state.
 * @param {string} state
 * @returns {PeerState}
 */
function stateIn(state) {
  return STATES[state] ?? "reconnecting";
}
