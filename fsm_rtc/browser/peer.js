// One of the others in a room, and the call with it.

import { Emitter } from "./emitter.js";
import { Exchange, NOT_TRUSTED } from "./exchange.js";
import { LIMITS } from "./limits.js";
import { ReplaceablePeerConnection } from "./peer_connection.js";
import { Recovery } from "./recovery.js";

const ABSENT_MILLISECONDS = 10_000;
const GOODBYE_MILLISECONDS = 3000; // so long a goodbye may come behind the end of the connection

/**
 * How a call stands, in a word: `connecting` until it is there for the first time, `connected`, `reconnecting` when it
 * is lost and may come back, `ended` when it is over; `Peer.reason` then says why.
 * @typedef {"connecting" | "connected" | "reconnecting" | "ended"} PeerState
 */

/**
 * How a call ended: somebody `said goodbye`, which holds until he joins anew; or nobody wanted it to end, it was
 * `given up`, and may begin anew; or he was `gone`, and there is nobody to begin it with. Empty before that.
 * @typedef {"" | "said goodbye" | "given up" | "gone"} Ending
 */

/** The reasons of a goodbye that is meant, also where the call doesn't stand: trust doesn't change by calling again. */
const MEANT = new Set(["closed", NOT_TRUSTED, "somebody else was the first under that name"]);

/**
 * What a call needs of its room.
 * @typedef {object} PeerSurroundings
 * @property {(text: string) => void} post - sends a message to the other side, or loses it
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
 * - `message`: something came on the data channel; `detail` is a string or an ArrayBuffer
 * - `chat`: a chat message came; `detail` is its text
 * - `track`: the other side sends a track; `detail` is `{track, streams}`
 * - `refused`: something of the other side was refused; `detail` is the guard's name
 */
export class Peer extends Emitter {
  #exchange;
  #connection;
  #recovery;
  #room;
  #limits;
  #connecting = 0;
  #lostAt = 0;
  #linkIsUp = true;
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
    /** @type {PeerState} */
    this.state = "connecting";
    /** Why the call ended, for people. */
    this.reason = "";
    /** @type {Ending} */
    this.ending = "";
    /** Whether it is in the room, as the server says; a call may live on without that. */
    this.isPresent = true;
    /** @type {Map<string, number>} How often something was refused, by the guard's name. */
    this.refused = new Map();
    this.#connection = new ReplaceablePeerConnection(room.configuration, {
      changed: () => this.#changed(),
      candidate: (candidate) => this.#exchange.candidateFound(candidate),
      negotiationNeeded: () => this.#negotiateIfIdle(),
      track: ({ track, streams }) => this.tell("track", { track, streams }),
      message: (data) => this.#received(data),
    });
    const events = {
      ended: (/** @type {string} */ reason, /** @type {boolean} */ byPeer) => {
        this.#end(reason || "the other side left", byPeer ? this.#endingByPeer(reason) : "given up");
      },
      settled: () => this.#changed(),
      refused: (/** @type {string} */ reason) => this.#refused(reason),
    };
    this.#exchange = new Exchange(me, introduction, this.#connection, room.post, events, limits);
    const call = {
      leads: () => this.#exchange.leads,
      canAct: () => this.#linkIsUp && this.#exchange.state === "idle",
      attempt: () => {
        this.#connection.connection?.restartIce();
        this.#exchange.negotiate();
      },
      giveUp: (/** @type {string} */ reason) => this.#exchange.leave(reason),
    };
    this.#recovery = new Recovery(call, limits);
  }

  /** The present RTCPeerConnection, or null. It may be replaced by another. */
  get connection() {
    return this.#connection.connection;
  }

  /** Where the exchange of offers stands. */
  get exchangeState() {
    return this.#exchange.state;
  }

  /**
   * Send a message on `secure-channel`.
   * @param {string | ArrayBuffer | ArrayBufferView<ArrayBuffer>} data
   * @throws {DOMException} the call isn't connected
   */
  send(data) {
    const { channel } = this.#connection;
    if (channel?.readyState !== "open") throw new DOMException("the call is not connected", "InvalidStateError");
    channel.send(/** @type {any} */ (data));
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
    this.#exchange.leave(reason);
  }

  // What the room tells.

  /** @param {(introduction: import("./wire.js").Introduction) => boolean} trust */
  async begin(trust) {
    const isAccepted = await this.#exchange.begin(trust);
    if (isAccepted) {
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

  linkUp() {
    this.#linkIsUp = true;
    this.#exchange.linkUp();
  }

  linkDown() {
    this.#linkIsUp = false;
    this.#exchange.linkDown();
  }

  /** It is in the room, or is there again: what it has not acknowledged goes out at once. */
  present() {
    this.isPresent = true;
    this.#absentBecause = "";
    clearTimeout(this.#absence);
    this.linkUp();
  }

  /** A server that has begun anew doesn't know it yet; it may still come. */
  absent() {
    this.isPresent = false;
    clearTimeout(this.#absence);
    this.#absence = setTimeout(() => this.left(), ABSENT_MILLISECONDS);
  }

  /**
   * The server says that it has left, or lost its link for too long; or there is no server any more. A call that stands
   * doesn't need one, and can't be had back without.
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

  #changed() {
    if (this.state === "ended") return;
    const { connection, channel } = this.#connection;
    const state = connection?.connectionState;
    if (state === "connected" && channel?.readyState === "open") {
      this.#recovery.works();
      clearTimeout(this.#connecting);
      this.#become("connected");
    } else if (this.state !== "connecting" && this.#absentBecause !== "" && state !== "connected") {
      this.gone(this.#absentBecause);
    } else if (state === "failed" || state === "disconnected") {
      this.#recovery.lost(state === "failed");
      if (this.state === "connected") this.#lose();
    } else if (this.state === "connected" && (state !== "connected" || channel?.readyState !== "open")) {
      this.#recovery.lost(false);
      this.#lose();
    }
  }

  #lose() {
    this.#lostAt = performance.now();
    this.#become("reconnecting");
    this.#room.suspects();
  }

  /**
   * What the other side's goodbye means. Nobody says why he goes in a form for programs; but who goes from a call that
   * stands means it, and who has waited in vain for one that doesn't gives it up.
   * @param {string} reason
   * @returns {Ending}
   */
  #endingByPeer(reason) {
    const stoodNow = this.state === "connected" || performance.now() - this.#lostAt < GOODBYE_MILLISECONDS;
    const isMeant = MEANT.has(reason) || (this.state !== "connecting" && stoodNow && !this.#room.hasJustWoken());
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
   */
  #end(reason, ending) {
    if (this.state === "ended") return;
    clearTimeout(this.#absence);
    clearTimeout(this.#connecting);
    this.#recovery.stop();
    this.#connection.close();
    this.reason = reason;
    this.ending ||= ending;
    this.#become("ended");
    this.#room.ended(this);
  }

  /** @param {PeerState} state */
  #become(state) {
    if (this.state === state) return;
    this.state = state;
    this.tell("state", state);
    this.#room.changed(this);
  }
}
