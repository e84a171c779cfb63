// One of the others in a room, and the call with it.

import { Emitter } from "./emitter.js";
import { Exchange } from "./exchange.js";
import { ReplaceablePeerConnection } from "./peer_connection.js";
import { Recovery } from "./recovery.js";

const ABSENT_MILLISECONDS = 10_000;

/**
 * How a call stands, in a word: `connecting` until it is there for the first time, `connected`, `reconnecting` when it
 * is lost and may come back, `ended` when it is over; `Peer.reason` then says why.
 * @typedef {"connecting" | "connected" | "reconnecting" | "ended"} PeerState
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
  #ended;
  #linkIsUp = true;
  #hasLeft = false;
  #absence = 0;

  /**
   * @param {import("./exchange.js").Member} me
   * @param {import("./wire.js").Introduction} introduction
   * @param {(text: string) => void} post
   * @param {() => RTCConfiguration} configuration
   * @param {(peer: Peer) => void} ended - called when the call is over
   */
  constructor(me, introduction, post, configuration, ended) {
    super();
    this.#ended = ended;
    /** The fingerprint of its key. */
    this.id = introduction.id;
    /** What it calls itself. Anybody can call himself anything. */
    this.name = introduction.name;
    this.session = introduction.session;
    /** @type {PeerState} */
    this.state = "connecting";
    /** Why the call ended, for people. */
    this.reason = "";
    /** Whether it is in the room, as the server says; a call may live on without that. */
    this.isPresent = true;
    /** @type {Map<string, number>} How often something was refused, by the guard's name. */
    this.refused = new Map();
    this.#connection = new ReplaceablePeerConnection(configuration, {
      changed: () => this.#changed(),
      candidate: (candidate) => this.#exchange.candidateFound(candidate),
      negotiationNeeded: () => this.#negotiateIfIdle(),
      track: ({ track, streams }) => this.tell("track", { track, streams }),
      message: (data) => this.#received(data),
    });
    this.#exchange = new Exchange(me, introduction, this.#connection, post, {
      ended: (reason, byPeer) => this.#end(byPeer ? reason || "the other side left" : reason),
      settled: () => this.#changed(),
      refused: (reason) => this.#refused(reason),
    });
    this.#recovery = new Recovery({
      leads: () => this.#exchange.leads,
      canAct: () => this.#linkIsUp && this.#exchange.state === "idle",
      attempt: () => {
        this.#connection.connection?.restartIce();
        this.#exchange.negotiate();
      },
      giveUp: (reason) => this.#exchange.leave(reason),
    });
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
    this.#exchange.leave(reason);
  }

  // What the room tells.

  /** @param {(introduction: import("./wire.js").Introduction) => boolean} trust */
  begin(trust) {
    return this.#exchange.begin(trust);
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
    this.#hasLeft = false;
    clearTimeout(this.#absence);
    this.linkUp();
  }

  /** A server that has begun anew doesn't know it yet; it may still come. */
  absent() {
    this.isPresent = false;
    clearTimeout(this.#absence);
    this.#absence = setTimeout(() => this.left(), ABSENT_MILLISECONDS);
  }

  /** The server says that it has left, or lost its link for too long. A call that stands doesn't need the server. */
  left() {
    this.isPresent = false;
    this.#hasLeft = true;
    if (this.state !== "connected") this.gone("it has left");
  }

  /**
   * Nobody is left to talk to.
   * @param {string} reason
   */
  gone(reason) {
    this.#exchange.abandon();
    this.#end(reason);
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
      this.#become("connected");
    } else if (this.state !== "connecting" && this.#hasLeft && state !== "connected") {
      this.gone("it has left");
    } else if (state === "failed" || state === "disconnected") {
      this.#recovery.lost(state === "failed");
      if (this.state === "connected") this.#become("reconnecting");
    } else if (this.state === "connected" && (state !== "connected" || channel?.readyState !== "open")) {
      this.#become("reconnecting");
      this.#recovery.lost(false);
    }
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

  /** @param {string} reason */
  #end(reason) {
    if (this.state === "ended") return;
    clearTimeout(this.#absence);
    this.#recovery.stop();
    this.#connection.close();
    this.reason = reason;
    this.#become("ended");
    this.#ended(this);
  }

  /** @param {PeerState} state */
  #become(state) {
    if (this.state === state) return;
    this.state = state;
    this.tell("state", state);
  }
}
