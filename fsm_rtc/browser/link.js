// The way to a room over a signalling server, made again whenever it is lost. Source: docs/protocol.md.

import { Backoff } from "./backoff.js";
import { Resumption } from "./resumption.js";
import { PROTOCOL, proofInput } from "./signing.js";
import { MessageError, decode, isBetweenPeers } from "./wire.js";

const CONNECT_MILLISECONDS = 10_000;
const CHECK_MILLISECONDS = 10_000;
const LEAVING = 1000;
const COMING_BACK = 4100;
const TELL_MILLISECONDS = 1000;

// So much may wait to be read; a browser can't let a server wait, so at one more the link is dropped and made again.
const MAX_WAITING_FRAMES = 4096;
const MAX_WAITING_CHARACTERS = 16 * 1024 * 1024;

// What was refused, and closes nothing.
const NOT_CLOSING = new Set(["not_here", "recipient_full"]);

/** @type {Record<number, string>} */
const CLOSE_CODES = {
  4000: "bad_message",
  4001: "bad_hello",
  4002: "wrong_protocol",
  4003: "wrong_room",
  4004: "room_full",
  4005: "replaced",
  4006: "handshake_timeout",
  4007: "shutting_down",
  4008: "no_access",
  4009: "too_fast",
  4010: "mailbox_full",
  4011: "too_many_rooms",
  4012: "too_many_connections",
};
const FINAL = new Set(["bad_address", "bad_hello", "no_access", "replaced", "wrong_protocol", "wrong_room"]);

/**
 * Why there is no link.
 * @typedef {object} Loss
 * @property {string} code - one of the protocol's errors, or "unreachable", "lost", "late", "bad_address", "events_not_read", or "remade": it
 *   was given up for another one, which is made at once
 * @property {string} message - the server's words, for people; may be empty
 * @property {number | null} retrySeconds - when the next attempt is made; null: it is not, the same would come of it
 */

/**
 * What the server lets this side in with.
 * @typedef {object} Welcome
 * @property {import("./wire.js").Introduction[]} members
 * @property {boolean} resumed - whether the session goes on
 * @property {boolean} remade - whether the link before was given up for this one, so that there was one all the time
 * @property {RTCIceServer[]} iceServers
 */

/**
 * Who is told.
 * @typedef {object} LinkEvents
 * @property {(welcome: Welcome) => Promise<void>} up
 * @property {(loss: Loss) => void} down
 * @property {(introduction: import("./wire.js").Introduction) => Promise<void>} joined
 * @property {(id: string, session: string) => void} left
 * @property {(message: import("./wire.js").PeerMessage) => Promise<void>} received
 * @property {(seconds: number) => void} draining
 * @property {(servers: RTCIceServer[]) => void} iceServers - instead of those of the welcome, which end soon
 * @property {(reason: string) => void} refused
 */

/**
 * The servers that a welcome or its renewal offers.
 * @param {{ice_servers?: RTCIceServer[]}} message
 */
const iceServersIn = ({ ice_servers: servers }) =>
  (Array.isArray(servers) ? servers : []).map(({ urls, username, credential }) => ({ urls, username, credential }));

export class Link {
  #url;
  #member;
  #token;
  #events;
  #session = new Resumption();
  #backoff = new Backoff();
  /** @type {WebSocket | null} */
  #socket = null;
  #isUp = false;
  /** @type {any} */
  #telling = undefined;
  #isClosed = false;
  /** @type {() => void} */
  #wake = () => {};
  /** @type {(code: number) => void} */
  #cut = () => {};
  #checkedAt = -Infinity;

  /**
   * @param {string} url - the room's address, ws:// or wss://
   * @param {import("./exchange.js").Member} member
   * @param {string} token - a join token, or ""
   * @param {LinkEvents} events
   */
  constructor(url, member, token, events) {
    this.#url = url;
    this.#member = member;
    this.#token = token;
    this.#events = events;
  }

  /** Connect, and connect again, until it is closed or refused for good. */
  async run() {
    const hurry = () => this.#wake();
    const lost = () => this.#cut(COMING_BACK);
    addEventListener("online", hurry);
    addEventListener("offline", lost);
    let remade = false;
    while (!this.#isClosed) {
      const loss = await this.#connect(remade);
      remade = loss.code === "remade";
      if (this.#isClosed) break;
      if (loss.code === "remade") {
        this.#events.down({ ...loss, retrySeconds: 0 });
        continue;
      }
      const retrySeconds = FINAL.has(loss.code) ? null : this.#backoff.nextSeconds();
      this.#events.down({ ...loss, retrySeconds });
      if (retrySeconds === null) break;
      await new Promise((resolve) => {
        this.#wake = () => resolve(undefined);
        setTimeout(resolve, retrySeconds * 1000);
      });
    }
    removeEventListener("online", hurry);
    removeEventListener("offline", lost);
  }

  /**
   * Pass a message between peers on; lost if the link is down; its sender repeats it.
   * @param {string} text
   */
  send = (text) => {
    if (!this.#isUp || this.#socket?.readyState !== WebSocket.OPEN || this.#session.isFull) return;
    this.#session.posted(text);
    this.#socket.send(text);
  };

  /**
   * The link may be dead though it looks alive, and a browser's socket can't be asked: go on over another one. Nothing is
   * lost by that, the session is resumed.
   */
  check() {
    this.#wake();
    if (!this.#isUp || performance.now() - this.#checkedAt < CHECK_MILLISECONDS) return;
    this.#checkedAt = performance.now();
    this.#cut(COMING_BACK);
  }

  /**
   * Go on as another session, which begins with the next welcome.
   * @param {import("./exchange.js").Member} member
   */
  beginAnew(member) {
    this.#member = member;
    this.#session = new Resumption();
    this.#wake();
    this.#cut(COMING_BACK);
  }

  /** Whether it stands, as far as this side knows. */
  get isUp() {
    return this.#isUp;
  }

  /** Leave the room. */
  close() {
    this.#isClosed = true;
    this.#wake();
    this.#cut(LEAVING);
  }

  /**
   * One socket, from its beginning to its end: why it ended.
   * @param {boolean} remade - whether the one before was given up for it
   */
  async #connect(remade) {
    /** @type {{code: string, message: string}} */
    let loss = { code: "unreachable", message: "" };
    let upSince = 0;
    /** @type {WebSocket} */
    let socket;
    try {
      socket = this.#socket = new WebSocket(this.#url);
    } catch (error) {
      return { code: "bad_address", message: String(/** @type {Error} */ (error).message) }; // ws: from a page of https:
    }
    /** @type {(code: number) => void} */
    let end = () => {};
    const ended = new Promise((resolve) => {
      end = resolve;
      socket.onclose = ({ code }) => resolve(code);
      // Who cuts it doesn't wait for the server's part in closing: it may never come.
      this.#cut = (code) => {
        if (upSince > 0 && loss.code === "lost") loss = { code: "remade", message: "" };
        if (this.#socket === socket) this.#socket = null; // what it still brings comes again, or belongs to nobody
        this.#isUp = false;
        socket.close(code);
        resolve(code);
      };
    });
    const late = setTimeout(() => {
      loss = { code: "late", message: "" };
      this.#cut(COMING_BACK);
    }, CONNECT_MILLISECONDS);
    let frames = Promise.resolve();
    let waiting = 0;
    let waitingCharacters = 0;
    socket.onopen = () => {
      loss = { code: "lost", message: "" };
    };
    socket.onmessage = ({ data }) => {
      waiting += 1;
      waitingCharacters += data.length ?? 0;
      if (waiting > MAX_WAITING_FRAMES || waitingCharacters > MAX_WAITING_CHARACTERS) {
        loss = { code: "events_not_read", message: "" };
        socket.onmessage = null;
        this.#cut(COMING_BACK);
        return;
      }
      frames = frames.then(async () => {
        waiting -= 1;
        waitingCharacters -= data.length ?? 0;
        if (this.#socket !== socket) return;
        try {
          const message = decode(data);
          if (message.type === "error" && !NOT_CLOSING.has(message.code)) {
            loss = message;
            socket.close(COMING_BACK); // as the server does
            end(0);
          } else if (message.type === "welcome" && upSince === 0) {
            clearTimeout(late);
            upSince = performance.now();
            await this.#welcomed(socket, message, remade);
          } else if (upSince > 0) await this.#take(socket, message, data.length);
          else if (message.type === "challenge") await this.#answer(socket, message);
        } catch (error) {
          if (!(error instanceof MessageError)) throw error;
          this.#events.refused(error.message);
        }
      });
    };
    const code = await ended;
    clearTimeout(late);
    clearTimeout(this.#telling);
    this.#telling = undefined;
    this.#cut = () => {};
    await frames; // the last one says why it ended
    this.#socket = null;
    this.#isUp = false;
    if (upSince > 0) this.#backoff.stood((performance.now() - upSince) / 1000);
    if (loss.code === "lost" && CLOSE_CODES[code] !== undefined) loss = { code: CLOSE_CODES[code], message: "" };
    return { code: loss.code, message: loss.message };
  }

  /**
   * Prove who this side is.
   * @param {WebSocket} socket
   * @param {{protocol: string, nonce: string}} challenge
   */
  async #answer(socket, challenge) {
    const { room, introduction, sign } = this.#member;
    if (challenge.protocol !== PROTOCOL) {
      socket.close(4002);
      return;
    }
    const hello = {
      type: "hello",
      protocol: PROTOCOL,
      room,
      introduction,
      proof: await sign(proofInput(introduction, challenge.nonce, room)),
      token: this.#token,
      resume: this.#session.seen,
    };
    socket.send(JSON.stringify(hello));
  }

  /**
   * Begin on a new link, or go on where the one before was lost.
   * @param {WebSocket} socket
   * @param {any} welcome
   * @param {boolean} remade
   */
  async #welcomed(socket, welcome, remade) {
    const resumed = welcome.resumed === true;
    if (resumed) this.#session.goOn(welcome.received ?? 0).forEach((text) => socket.send(text));
    else this.#session.begin();
    this.#isUp = true;
    await this.#events.up({ members: welcome.members, resumed, remade, iceServers: iceServersIn(welcome) });
  }

  /**
   * @param {WebSocket} socket
   * @param {any} message
   * @param {number} characters - of its frame
   */
  async #take(socket, message, characters) {
    if (message.type === "received") this.#session.taken(message.number);
    else if (message.type === "draining") this.#events.draining(message.seconds);
    else if (message.type === "ice_servers") this.#events.iceServers(iceServersIn(message));
    else if (message.type === "joined" || message.type === "left" || isBetweenPeers(message)) {
      const seen = this.#session.delivered(characters);
      if (seen !== null) this.#tell(socket, seen);
      else this.#telling ??= setTimeout(() => this.#tell(socket, this.#session.told()), TELL_MILLISECONDS);
      if (message.type === "joined") await this.#events.joined(message.member);
      else if (message.type === "left") this.#events.left(message.id, message.session);
      else await this.#events.received(message);
    }
  }

  /**
   * Tell the server how much was read.
   * @param {WebSocket} socket
   * @param {number | null} seen
   */
  #tell(socket, seen) {
    clearTimeout(this.#telling);
    this.#telling = undefined;
    if (seen === null || this.#socket !== socket || socket.readyState !== WebSocket.OPEN) return;
    socket.send(JSON.stringify({ type: "received", number: seen }));
  }
}
