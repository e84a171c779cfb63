// The way to a room over a signalling server, made again whenever it is lost. Source: docs/protocol.md.

import { Backoff } from "./backoff.js";
import { Resumption } from "./resumption.js";
import { PROTOCOL, proofInput } from "./signing.js";
import { MessageError, decode, isBetweenPeers } from "./wire.js";

const CONNECT_MILLISECONDS = 10_000;
const LEAVING = 1000;
const COMING_BACK = 4100;

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
const FINAL = new Set(["bad_hello", "no_access", "replaced", "wrong_protocol", "wrong_room"]);

/**
 * Why there is no link.
 * @typedef {object} Loss
 * @property {string} code - one of the protocol's errors, or "unreachable", "lost" or "late"
 * @property {string} message - the server's words, for people; may be empty
 * @property {number | null} retrySeconds - when the next attempt is made; null: it is not, the same would come of it
 */

/**
 * What the server lets this side in with.
 * @typedef {{members: import("./wire.js").Introduction[], resumed: boolean, iceServers: RTCIceServer[]}} Welcome
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
  #isClosed = false;
  /** @type {() => void} */
  #wake = () => {};

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
    const lost = () => this.#socket?.close(COMING_BACK);
    addEventListener("online", hurry);
    addEventListener("offline", lost);
    while (!this.#isClosed) {
      const loss = await this.#connect();
      if (this.#isClosed) break;
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
   * Pass a message between peers on; lost if the link is down, whoever sends it repeats it.
   * @param {string} text
   */
  send = (text) => {
    if (!this.#isUp || this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#session.posted(text);
    this.#socket.send(text);
  };

  /** Leave the room. */
  close() {
    this.#isClosed = true;
    this.#wake();
    this.#socket?.close(LEAVING);
  }

  /** One socket, from its beginning to its end: why it ended. */
  async #connect() {
    /** @type {{code: string, message: string}} */
    let loss = { code: "unreachable", message: "" };
    let upSince = 0;
    const socket = (this.#socket = new WebSocket(this.#url));
    const late = setTimeout(() => {
      loss = { code: "late", message: "" };
      socket.close(COMING_BACK);
    }, CONNECT_MILLISECONDS);
    let frames = Promise.resolve();
    socket.onopen = () => {
      loss = { code: "lost", message: "" };
    };
    socket.onmessage = ({ data }) => {
      frames = frames.then(async () => {
        if (this.#socket !== socket) return;
        try {
          const message = decode(data);
          if (message.type === "error" && message.code !== "not_here") loss = message;
          else if (message.type === "welcome" && upSince === 0) {
            clearTimeout(late);
            upSince = performance.now();
            await this.#welcomed(socket, message);
          } else if (upSince > 0) await this.#take(socket, message);
          else if (message.type === "challenge") await this.#answer(socket, message);
        } catch (error) {
          if (!(error instanceof MessageError)) throw error;
          this.#events.refused(error.message);
        }
      });
    };
    const { code } = await new Promise((resolve) => {
      socket.onclose = resolve;
    });
    clearTimeout(late);
    await frames;
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
   */
  async #welcomed(socket, welcome) {
    const resumed = welcome.resumed === true;
    if (resumed) this.#session.goOn(welcome.received ?? 0).forEach((text) => socket.send(text));
    else this.#session.begin();
    this.#isUp = true;
    await this.#events.up({ members: welcome.members, resumed, iceServers: iceServersIn(welcome) });
  }

  /**
   * @param {WebSocket} socket
   * @param {any} message
   */
  async #take(socket, message) {
    if (message.type === "received") this.#session.taken(message.number);
    else if (message.type === "draining") this.#events.draining(message.seconds);
    else if (message.type === "ice_servers") this.#events.iceServers(iceServersIn(message));
    else if (message.type === "joined" || message.type === "left" || isBetweenPeers(message)) {
      const seen = this.#session.delivered();
      if (seen !== null && socket.readyState === WebSocket.OPEN) {
        socket.send(JSON.stringify({ type: "received", number: seen }));
      }
      if (message.type === "joined") await this.#events.joined(message.member);
      else if (message.type === "left") this.#events.left(message.id, message.session);
      else await this.#events.received(message);
    }
  }
}
