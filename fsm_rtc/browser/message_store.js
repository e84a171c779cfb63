// The messages with each of the others that are not done with, either way. They belong to the peer, by its id, and to nothing
// shorter-lived: a goodbye ends them, or this page's end. As fsm_rtc/connection/delivery/message_store.py has it.

import { KEPT_PEERS, KEPT_STREAMS, MAX_UNACKNOWLEDGED_BYTES, MAX_UNACKNOWLEDGED_MESSAGES } from "./figures.js";
import { kept } from "./frames.js";
import { newSession } from "./signing.js";

/** The messages with one peer. */
export class PeerMessages {
  /** The id of this side's messages to it. */
  stream = newSession();
  /** The number of this side's last message. */
  sent = 0;
  /** @type {{data: import("./frames.js").Data, bytes: number}[]} */
  #waiting = [];
  #bytesWaiting = 0;
  /** @type {Map<string, number>} Up to which number each of the peer's streams was handed over. */
  #streams = new Map();

  /** Whether messages of this side are not acknowledged. */
  get wait() {
    return this.#waiting.length > 0;
  }

  /** Whether so many are not that no more are taken. */
  get isFull() {
    return this.#waiting.length >= MAX_UNACKNOWLEDGED_MESSAGES || this.#bytesWaiting >= MAX_UNACKNOWLEDGED_BYTES;
  }

  /** The number of the first of them; of the next message if there is none. */
  get firstWaiting() {
    return this.sent - this.#waiting.length + 1;
  }

  /** Up to which number this side has each of the peer's streams. */
  get received() {
    return Object.fromEntries(this.#streams);
  }

  /**
   * Take a message of this side.
   * @param {string | ArrayBuffer | ArrayBufferView<ArrayBuffer>} message
   * @throws {RangeError} it is too long
   */
  add(message) {
    const one = kept(message);
    this.#waiting.push(one);
    this.#bytesWaiting += one.bytes;
    this.sent += 1;
  }

  /**
   * The message of this side with a number, which is not acknowledged.
   * @param {number} number
   */
  numbered(number) {
    return this.#waiting[number - this.firstWaiting]?.data;
  }

  /**
   * The peer is done with this side's messages up to a number.
   * @param {number} upTo
   */
  acknowledged(upTo) {
    while (this.#waiting.length > 0 && this.firstWaiting <= upTo) this.#bytesWaiting -= this.#waiting.shift()?.bytes ?? 0;
  }

  /**
   * Up to which number one of the peer's streams was handed over; undefined of one that isn't known.
   * @param {string} stream
   */
  handedOver(stream) {
    return this.#streams.get(stream);
  }

  /**
   * One of the peer's streams was handed over up to a number.
   * @param {string} stream
   * @param {number} number
   */
  hear(stream, number) {
    const before = this.#streams.get(stream) ?? 0;
    this.#streams.delete(stream); // the one longest unheard is the first
    this.#streams.set(stream, Math.max(before, number));
    while (this.#streams.size > KEPT_STREAMS) this.#streams.delete(this.#streams.keys().next().value ?? "");
  }
}

/** Those with each peer, by its id. */
export class MessageStore {
  /** @type {Map<string, PeerMessages>} */
  #peers = new Map();

  /** @param {string} peer */
  of(peer) {
    const messages = this.#peers.get(peer) ?? new PeerMessages();
    this.#peers.delete(peer);
    this.#peers.set(peer, messages);
    if (this.#peers.size > KEPT_PEERS) this.forget(this.#first(peer));
    return messages;
  }

  /**
   * It is over with this peer, in order: keep nothing of it.
   * @param {string} peer
   */
  forget(peer) {
    this.#peers.delete(peer);
  }

  /** @param {string} but */
  #first(but) {
    const others = [...this.#peers].filter(([peer]) => peer !== but);
    const [gone] = others.find(([, messages]) => !messages.wait) ?? others[0] ?? [but];
    return gone;
  }
}
