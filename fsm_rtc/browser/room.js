// A room: the link to the signalling server, and one call with each of the others.

import { Emitter } from "./emitter.js";
import { keptIdentity } from "./key_store.js";
import { Link } from "./link.js";
import { Peer } from "./peer.js";
import { newSession } from "./signing.js";

const MAX_NAME_CHARACTERS = 128;
const LAST_WORDS_MILLISECONDS = 300;
const KEPT_CALLS = 256;

/**
 * How the room stands: `connecting`, `connected`, `reconnecting` while the link to the server is lost (calls go on without
 * it), `refused` when the server says no for good, `left`. `Room.reason` says why.
 * @typedef {"connecting" | "connected" | "reconnecting" | "refused" | "left"} RoomState
 */

/**
 * What can be chosen.
 * @typedef {object} RoomOptions
 * @property {string} [name] - how this side calls itself, at most 128 characters
 * @property {import("./signing.js").Identity} [identity] - its key; that which this browser keeps if left out
 * @property {string} [token] - a join token, where the server asks for one
 * @property {RTCIceServer[]} [iceServers] - besides those which the server offers
 * @property {(introduction: import("./wire.js").Introduction) => boolean} [trust] - whom to talk to; everybody if left out
 */

/** The server does not let this side in, and would say the same again. */
export class RefusedError extends Error {
  /**
   * @param {string} code - one of the protocol's errors
   * @param {string} message
   */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/**
 * Join a room and wait until the server lets this side in.
 * @param {string} url - ws://HOST:PORT/ROOM or wss://HOST:PORT/ROOM
 * @param {RoomOptions} [options]
 * @throws {RefusedError} the server does not let it in
 */
export async function join(url, options = {}) {
  const room = new Room(url, options);
  await room.open();
  return room;
}

/**
 * A room. Events, each a CustomEvent:
 *
 * - `state`: `state` has changed
 * - `peer`: somebody is there to talk to; `detail` is the `Peer`
 * - `ended`: a call is over; `detail` is the `Peer`
 * - `refused`: a frame was refused; `detail` is the reason
 */
export class Room extends Emitter {
  #url;
  #options;
  /** @type {import("./exchange.js").Member | null} */
  #me = null;
  /** @type {Link | null} */
  #link = null;
  /** @type {RTCIceServer[]} */
  #offeredServers = [];
  /** @type {Map<MediaStreamTrack, MediaStream>} */
  #tracks = new Map();
  /** @type {Set<string>} The sessions of the others with which it is over. */
  #over = new Set();

  /**
   * @param {string} url
   * @param {RoomOptions} [options]
   */
  constructor(url, options = {}) {
    super();
    this.#url = new URL(url);
    this.#options = options;
    if ([...(options.name ?? "")].length > MAX_NAME_CHARACTERS) {
      throw new RangeError(`a name has at most ${MAX_NAME_CHARACTERS} characters; choose a shorter one`);
    }
    /** @type {RoomState} */
    this.state = "connecting";
    /** Why it is not connected: one of the protocol's errors, or "unreachable", "lost", "late". */
    this.reason = "";
    /** The server's own words about that. */
    this.message = "";
    /** @type {Map<string, Peer>} The others, by id. */
    this.peers = new Map();
    /** @type {Map<string, number>} How often something was refused, by the guard's name or the reason. */
    this.refused = new Map();
  }

  /** The room's name. */
  get name() {
    return decodeURIComponent(this.#url.pathname.split("/").at(-1) ?? "");
  }

  /** This side's id, once it is open. */
  get id() {
    return this.#me?.introduction.id ?? "";
  }

  /**
   * Join; once. Resolves when the server lets this side in.
   * @returns {Promise<void>}
   * @throws {RefusedError} it does not
   */
  async open() {
    const identity = this.#options.identity ?? (await keptIdentity());
    const introduction = await identity.introduce(this.name, this.#options.name ?? "", newSession());
    this.#me = { room: this.name, introduction, sign: (data) => identity.sign(data) };
    this.#link = new Link(this.#url.href, this.#me, this.#options.token ?? "", {
      up: (welcome) => this.#up(welcome),
      down: (loss) => this.#down(loss),
      joined: (introduced) => this.#joined(introduced),
      left: (id, session) => this.#left(id, session),
      received: (message) => this.#received(message),
      draining: () => this.tell("draining", null),
      iceServers: (servers) => this.#renew(servers),
      refused: (reason) => this.#refuse(reason),
    });
    void this.#link.run();
    await new Promise((resolve, reject) => {
      const look = () => {
        if (this.state === "connecting" || this.state === "reconnecting") return;
        this.removeEventListener("state", look);
        if (this.state === "connected") resolve(undefined);
        else reject(new RefusedError(this.reason, this.message || this.reason));
      };
      this.addEventListener("state", look);
    });
  }

  /**
   * Send a track to everybody, those to come included.
   * @param {MediaStreamTrack} track
   * @param {MediaStream} stream
   */
  addTrack(track, stream) {
    this.#tracks.set(track, stream);
    for (const peer of this.peers.values()) peer.addTrack(track, stream);
  }

  /**
   * Send it no longer.
   * @param {MediaStreamTrack} track
   */
  removeTrack(track) {
    this.#tracks.delete(track);
    for (const peer of this.peers.values()) peer.removeTrack(track);
  }

  /**
   * Send a chat message to everybody who is connected; how many that are.
   * @param {string} text
   */
  chat(text) {
    const connected = [...this.peers.values()].filter((peer) => peer.state === "connected");
    for (const peer of connected) peer.chat(text);
    return connected.length;
  }

  /** Say goodbye to everybody, and leave. */
  async leave() {
    for (const peer of [...this.peers.values()]) peer.leave("closed");
    this.#become("left", "", "");
    await new Promise((resolve) => setTimeout(resolve, LAST_WORDS_MILLISECONDS));
    this.#link?.close();
  }

  /** Leave at once, without a word: the page goes away. The server tells the others. */
  abandon() {
    this.#link?.close();
    for (const peer of [...this.peers.values()]) peer.gone("this side left");
  }

  // What the link tells.

  /** @param {import("./link.js").Welcome} welcome */
  async #up({ members, resumed, iceServers }) {
    this.#offeredServers = iceServers;
    this.#become("connected", "", "");
    for (const peer of this.peers.values()) {
      peer.useServers(!resumed);
      peer.linkUp();
    }
    if (resumed) return;
    const present = new Set(members.map((member) => member.id));
    for (const peer of [...this.peers.values()]) if (!present.has(peer.id)) peer.absent();
    for (const member of members) await this.#joined(member);
  }

  /** @param {RTCIceServer[]} servers */
  #renew(servers) {
    this.#offeredServers = servers;
    for (const peer of this.peers.values()) peer.useServers(true);
  }

  /** @param {import("./link.js").Loss} loss */
  #down({ code, message, retrySeconds }) {
    for (const peer of this.peers.values()) peer.linkDown();
    if (retrySeconds === null) {
      for (const peer of [...this.peers.values()]) if (peer.state !== "connected") peer.gone("the signalling was given up");
    }
    this.#become(retrySeconds === null ? "refused" : "reconnecting", code, message);
  }

  /** @param {import("./wire.js").Introduction} introduction */
  async #joined(introduction) {
    const present = this.peers.get(introduction.id);
    if (present?.session === introduction.session) {
      present.present();
      return;
    }
    if (this.#over.has(callOf(introduction))) return; // a new call needs a new session
    const peer = new Peer(
      /** @type {import("./exchange.js").Member} */ (this.#me),
      introduction,
      (text) => this.#link?.send(text),
      () => ({ iceServers: [...(this.#options.iceServers ?? []), ...this.#offeredServers] }),
      (ended) => this.#ended(ended),
    );
    for (const [track, stream] of this.#tracks) peer.addTrack(track, stream);
    peer.addEventListener("refused", ({ detail: reason }) => this.#refuse(reason));
    if (await peer.begin(this.#options.trust ?? (() => true))) {
      present?.gone("the other side began anew");
      this.peers.set(peer.id, peer);
      this.tell("peer", peer);
    }
  }

  /**
   * @param {string} id
   * @param {string} session
   */
  #left(id, session) {
    const peer = this.peers.get(id);
    if (peer?.session === session) peer.left();
  }

  /** @param {import("./wire.js").PeerMessage} message */
  async #received(message) {
    const peer = this.peers.get(message.sender);
    if (peer === undefined) this.#refuse("from_the_peer");
    else await peer.received(message);
  }

  /** @param {Peer} peer */
  #ended(peer) {
    if (this.peers.get(peer.id) === peer) this.peers.delete(peer.id);
    this.#over.add(callOf(peer));
    if (this.#over.size > KEPT_CALLS) this.#over.delete([...this.#over][0] ?? "");
    this.tell("ended", peer);
  }

  /** @param {string} reason */
  #refuse(reason) {
    this.refused.set(reason, (this.refused.get(reason) ?? 0) + 1);
    this.tell("refused", reason);
  }

  /**
   * @param {RoomState} state
   * @param {string} reason
   * @param {string} message
   */
  #become(state, reason, message) {
    if (this.state === "left") return;
    this.reason = reason;
    this.message = message;
    this.state = state;
    this.tell("state", state);
  }
}

/** @param {{id: string, session: string}} other */
function callOf({ id, session }) {
  return `${id} ${session}`;
}
