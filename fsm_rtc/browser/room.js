// A room: the link to the signalling server, and one call with each of the others.
//
// Where the room stands, and whether its session can still carry calls, is in two tables (room_tables.js). This file tells
// them what happens, and does what they ask for: above all, to begin anew as another session when a call is over that
// nobody wanted to end. A table is told last, when everything that its guards read is up to date.

import { addressOf, nameOf } from "./address.js";
import { Backoff } from "./backoff.js";
import { Emitter } from "./emitter.js";
import { JoinError, RefusedError, joinError } from "./errors.js";
import { keptIdentity } from "./key_store.js";
import { CODES_FEATURE, FEATURE } from "./figures.js";
import { LIMITS } from "./limits.js";
import { Link } from "./link.js";
import { Machine } from "./machine.js";
import { MessageStore } from "./message_store.js";
import { PastCalls, callOf } from "./past_calls.js";
import { Peer } from "./peer.js";
import { ROOM, ROOM_GUARDS, SESSION } from "./room_tables.js";
import { newSession } from "./signing.js";
import { Wakefulness } from "./wakefulness.js";

const MAX_NAME_CHARACTERS = 128;
const LAST_WORDS_MILLISECONDS = 300;
const STOOD_MILLISECONDS = 20_000; // longer than any browser takes to notice that nobody answers ICE's checks
const CHECK_MILLISECONDS = 1000; // what has come already is read first: it may say that another tab has replaced this one
const KEPT_ENDED = 16;

/** So many calls a room has at once; who comes then is counted and left alone. */
const MAX_PEERS = 64;

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
 * @property {(server: RTCIceServer) => boolean} [acceptOffered] - which of those that it offers are used; all if left out
 * @property {(introduction: import("./wire.js").Introduction) => boolean} [trust] - whom to talk to; everybody if left out
 * @property {Partial<import("./limits.js").Limits>} [limits] - how long a call waits for what, in seconds
 */

/**
 * Join a room and wait until the server lets this side in.
 * @param {string} url - ws://HOST:PORT/ROOM or wss://HOST:PORT/ROOM
 * @param {RoomOptions} [options]
 * @throws {RefusedError} the server does not let it in
 * @throws {JoinError} this page can't join: it needs https:, or the address is none
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
 * - `ended`: a call is over; `detail` is the `Peer`, whose `ending` says whether it may begin anew
 * - `waiting`: who is in `waiting` has changed
 * - `refused`: a frame was refused; `detail` is the reason
 */
export class Room extends Emitter {
  #url;
  #options;
  /** @type {import("./exchange.js").Member | null} */
  #me = null;
  /** @type {Link | null} */
  #link = null;
  /** @type {import("./signing.js").Identity | null} */
  #identity = null;
  /** @type {RTCIceServer[]} */
  #offeredServers = [];
  /** @type {Map<MediaStreamTrack, MediaStream>} */
  #tracks = new Map();
  #past = new PastCalls();
  /** @type {Set<Peer>} The calls of which it isn't known whether they stand: the server had forgotten this session. */
  #doubted = new Set();
  /** @type {Set<Peer>} Who are being said goodbye to. */
  #leaving = new Set();
  #room;
  #session;
  #limits;
  #backoff = new Backoff();
  #messages = new MessageStore();
  #pausing = 0;
  #standing = 0;
  /** @type {number | null} */
  #stoodSince = null;
  #wakefulness = new Wakefulness(() => this.#checkLinkSoon());

  /**
   * @param {string} url - ws://HOST:PORT/ROOM or wss://HOST:PORT/ROOM; the room's name is the whole path
   * @param {RoomOptions} [options]
   * @throws {JoinError} the address or the name is none
   */
  constructor(url, options = {}) {
    super();
    this.#url = addressOf(url);
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
    if ([...(options.name ?? "")].length > MAX_NAME_CHARACTERS) {
      throw new JoinError("bad_name", `a name has at most ${MAX_NAME_CHARACTERS} characters; choose a shorter one`);
    }
    /** Why it is not connected: one of the protocol's errors, a `JoinError`'s code, or "unreachable", "lost", "late". */
    this.reason = "";
    /** The server's own words about that. */
    this.message = "";
    /** @type {Map<string, Peer>} The others, by id. */
    this.peers = new Map();
    /** @type {Map<string, number>} How often something was refused, by the guard's name or the reason. */
    this.refused = new Map();
    const calls = () => [...this.peers.values()];
    const doubtful = () => calls().filter((peer) => this.#doubted.has(peer) && peer.isPresent && peer.state !== "connected");
    this.#room = new Machine(ROOM, {}, null);
    this.#session = new Machine(SESSION, ROOM_GUARDS, {
      waiting: () => this.waiting.length + doubtful().length,
      talking: () => this.peers.size,
      standing: () => calls().filter((peer) => peer.state === "connected").length,
    });
  }

  /** @type {RoomState} */
  get state() {
    return /** @type {RoomState} */ (this.#room.state);
  }

  /** Where this side's session stands, a state of its table: "used up" while the room is about to begin anew. */
  get sessionState() {
    return this.#session.state;
  }

  /** The room's name: the whole path of its address. */
  get name() {
    return nameOf(this.#url);
  }

  /** This side's id, once it is open. */
  get id() {
    return this.#me?.introduction.id ?? "";
  }

  /** Whether the browser keeps this side's key, so that it has the same id at the next visit. */
  get keepsKey() {
    return this.#identity?.isKept ?? false;
  }

  /** Those who are there, and with whom a call is over that may begin anew: `callAgain` does that. */
  get waiting() {
    return this.#past.waiting;
  }

  /**
   * Join; once. Resolves when the server lets this side in; where it can't be reached that is tried again and again.
   * @returns {Promise<void>}
   * @throws {RefusedError} it does not
   * @throws {JoinError} this page can't join, or the room was left meanwhile
   */
  async open() {
    if (this.#me !== null || this.state !== "connecting") {
      throw new JoinError("bad_options", "the room was opened or left before; make a new one");
    }
    try {
      this.#identity = this.#options.identity ?? (await keptIdentity());
      await this.#introduce();
    } catch (error) {
      const refusal = joinError(error);
      this.#fire("on_refused", refusal.code, refusal.message);
      throw refusal;
    }
    if (this.state !== "connecting") throw new JoinError("left", "the room was left before it could be joined");
    this.#link = new Link(this.#url.href, this.#present, this.#options.token ?? "", {
      up: (welcome) => this.#up(welcome),
      down: (loss) => this.#down(loss),
      joined: (introduced) => this.#joined(introduced),
      left: (id, session) => this.#left(id, session),
      received: (message) => this.#received(message),
      draining: () => this.tell("draining", null),
      iceServers: (servers) => this.#renew(servers),
      refused: (reason) => this.#refuse(reason),
    });
    this.#wakefulness.begin();
    void this.#link.run();
    await new Promise((resolve, reject) => {
      const look = () => {
        if (this.state === "connecting" || this.state === "reconnecting") return;
        this.removeEventListener("state", look);
        if (this.state === "connected") resolve(undefined);
        else if (this.state === "left") reject(new JoinError("left", "the room was left before it could be joined"));
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
   * Send a chat message to everybody with whom there is a call; how many that are.
   * @param {string} text
   */
  chat(text) {
    const takers = [...this.peers.values()].filter((peer) => peer.takesMessages);
    for (const peer of takers) peer.chat(text);
    return takers.length;
  }

  /** Begin every call anew, as another session of this side: those that are over, and those that stand. */
  callAgain() {
    this.#take(this.#session.fire("call_again"));
  }

  /** Say goodbye to everybody, and leave. */
  async leave() {
    for (const peer of [...this.peers.values()]) peer.leave("closed");
    this.#close();
    await new Promise((resolve) => setTimeout(resolve, LAST_WORDS_MILLISECONDS));
    this.#link?.close();
    this.#letGo();
  }

  /** Leave at once, without a word: the page goes away. The server tells the others. */
  abandon() {
    this.#link?.close();
    for (const peer of [...this.peers.values()]) peer.gone("this side left");
    this.#close();
    this.#letGo();
  }

  #close() {
    this.#session.fire("close");
    clearTimeout(this.#pausing);
    clearTimeout(this.#standing);
    this.#wakefulness.end();
    this.#fire("leave", "", "");
  }

  // What the link tells.

  /** @param {import("./link.js").Welcome} welcome */
  async #up({ members, resumed, remade, iceServers }) {
    this.#offeredServers = this.#accepted(iceServers);
    this.#fire("on_up", "", "");
    for (const peer of this.peers.values()) {
      peer.useServers(!resumed);
      peer.linkUp(!(resumed && remade));
    }
    this.#take(this.#session.fire("on_welcome", { resumed }));
    if (!resumed) {
      const there = new Set(members.map(callOf));
      this.#past.keep(there);
      for (const peer of [...this.peers.values()]) if (!there.has(callOf(peer))) peer.absent();
      for (const member of members) await this.#joined(member);
      this.tell("waiting");
    }
    this.#look();
  }

  /** @param {RTCIceServer[]} servers */
  #accepted(servers) {
    return servers.filter(this.#options.acceptOffered ?? (() => true));
  }

  /** @param {RTCIceServer[]} servers */
  #renew(servers) {
    this.#offeredServers = this.#accepted(servers);
    for (const peer of this.peers.values()) peer.useServers(true);
  }

  /** @param {import("./link.js").Loss} loss */
  #down({ code, message, retrySeconds }) {
    if (retrySeconds === null) {
      this.#session.fire("close");
      for (const peer of [...this.peers.values()]) peer.left("the signalling was given up");
    }
    if (code !== "remade") this.#fire(retrySeconds === null ? "on_refused" : "on_down", code, message);
  }

  /** @param {import("./wire.js").Introduction} introduction */
  async #joined(introduction) {
    const call = callOf(introduction);
    const before = this.peers.get(introduction.id);
    if (before?.session === introduction.session) {
      before.present();
      this.#look();
      return;
    }
    if (this.#past.isOver(call)) return; // a new call needs a new session
    if (before === undefined && this.peers.size >= MAX_PEERS) {
      this.#refuse("too many peers");
      return;
    }
    const me = this.#present;
    const peer = new Peer(
      me,
      introduction,
      {
        post: (text) => this.#link?.send(text),
        messages: this.#messages,
        linkIsUp: () => this.#link?.isUp ?? false,
        configuration: () => ({ iceServers: [...(this.#options.iceServers ?? []), ...this.#offeredServers] }),
        changed: (one) => {
          if (one.state === "connected") this.#stoodSince ??= performance.now();
          this.#look();
        },
        ended: (ended) => this.#ended(ended),
        suspects: () => this.#checkLinkSoon(),
        hasJustWoken: () => this.#wakefulness.hasJustWoken,
      },
      this.#limits,
    );
    if (this.#past.wasHad(call) && this.peers.size === 0) {
      // It has left and is back with the session of a call that is over. Where nobody else is disturbed by that, this side
      // begins anew; else the two begin from the start as the same sessions, which they do that saw each other leave.
      peer.ending = "given up";
      this.#past.ended(peer);
      this.#look();
      return;
    }
    for (const [track, stream] of this.#tracks) peer.addTrack(track, stream);
    peer.addEventListener("refused", ({ detail: reason }) => this.#refuse(reason));
    const isAccepted = await peer.begin(this.#trust);
    if (me !== this.#present || this.state === "left") {
      peer.gone("it begins anew"); // meanwhile this side has become another session, or has left
    } else if (isAccepted) {
      before?.gone("the other side began anew");
      this.#past.begun(call);
      this.peers.set(peer.id, peer);
      this.tell("peer", peer);
      this.#look();
    }
  }

  /** @param {import("./wire.js").Introduction} introduction */
  #trust = (introduction) => {
    try {
      return (this.#options.trust ?? (() => true))(introduction);
    } catch {
      this.#refuse("trust_undecided");
      return false; // nobody is let in where that can't be decided
    }
  };

  /**
   * @param {string} id
   * @param {string} session
   */
  #left(id, session) {
    const peer = this.peers.get(id);
    if (peer?.session === session) peer.left();
    if (this.#past.left(callOf({ id, session }))) this.tell("waiting");
    this.#look();
  }

  /** @param {import("./wire.js").PeerMessage} message */
  async #received(message) {
    const call = callOf({ id: message.sender, session: message.sender_session });
    const peer = [...this.peers.values(), ...this.#leaving].find((one) => callOf(one) === call);
    if (peer === undefined) this.#refuse("from_the_peer");
    else await peer.received(message);
  }

  /** @param {Peer} peer */
  #ended(peer) {
    const wasHere = this.peers.get(peer.id) === peer;
    if (!wasHere && peer.ending === "gone") return; // nobody was told of it
    if (wasHere) this.peers.delete(peer.id);
    if (peer.ending !== "gone") this.#leaving.add(peer); // what it says goodbye to may still be acknowledged
    if (this.#leaving.size > KEPT_ENDED) this.#letGo(1);
    if (peer.isPresent && peer.ending !== "gone") {
      this.#past.ended(peer);
      this.tell("waiting");
    }
    this.tell("ended", peer);
    this.#look();
  }

  /** A silent peer, or a host that slept: the link may be dead too. */
  #checkLinkSoon() {
    setTimeout(() => this.#link?.check(), CHECK_MILLISECONDS);
  }

  // The session.

  async #introduce() {
    const identity = /** @type {import("./signing.js").Identity} */ (this.#identity);
    const introduction = await identity.introduce(this.name, this.#options.name ?? "", newSession(), [FEATURE, CODES_FEATURE]);
    this.#me = { room: this.name, introduction, sign: (data) => identity.sign(data) };
  }

  /** Somebody has come or gone, or a call has changed: does the session still do? */
  #look() {
    this.#take(this.#session.fire("on_changed"));
  }

  /** @param {import("./machine.js").Outcome} outcome */
  #take(outcome) {
    if (outcome.accepted) for (const effect of outcome.effects) this.#effects[effect]?.();
  }

  /** @type {Record<string, () => void>} */
  #effects = {
    await_calls: () => {
      this.#doubted = new Set(this.peers.values());
      clearTimeout(this.#standing);
      this.#standing = setTimeout(() => this.#take(this.#session.fire("on_stood")), STOOD_MILLISECONDS);
    },
    pause: () => this.#pause(0),
    await_goodbyes: () => this.#pause(this.#limits.goodbyeSeconds),
    stay: () => clearTimeout(this.#pausing),
    begin_anew: () => {
      this.#beginAnew().catch((error) => {
        const { code, message } = joinError(error);
        this.#fire("on_refused", code, message);
      });
    },
  };

  /** @param {number} seconds */
  #pause(seconds) {
    clearTimeout(this.#pausing);
    if (this.#stoodSince !== null) this.#backoff.stood((performance.now() - this.#stoodSince) / 1000);
    this.#stoodSince = null;
    const due = () => this.#take(this.#session.fire("on_paused"));
    this.#pausing = setTimeout(due, (seconds + this.#backoff.nextSeconds()) * 1000);
    this.tell("state", this.state);
  }

  async #beginAnew() {
    clearTimeout(this.#pausing);
    for (const peer of [...this.peers.values()]) peer.gone("it begins anew");
    this.#letGo();
    this.#past.clear();
    this.#doubted.clear();
    await this.#introduce();
    if (this.state !== "left") this.#link?.beginAnew(this.#present);
  }

  /** This side as it is now, with its present session. */
  get #present() {
    return /** @type {import("./exchange.js").Member} */ (this.#me);
  }

  /** Say nothing more to those who are being said goodbye to. */
  #letGo(most = this.#leaving.size) {
    for (const peer of [...this.#leaving].slice(0, most)) {
      peer.gone("");
      this.#leaving.delete(peer);
    }
  }

  /** @param {string} reason */
  #refuse(reason) {
    this.refused.set(reason, (this.refused.get(reason) ?? 0) + 1);
    this.tell("refused", reason);
  }

  /**
   * @param {string} trigger
   * @param {string} reason
   * @param {string} message
   */
  #fire(trigger, reason, message) {
    if (!this.#room.fire(trigger).accepted) return;
    this.reason = reason;
    this.message = message;
    this.tell("state", this.state);
  }
}
