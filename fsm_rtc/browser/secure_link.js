// The messages of a call over its data channel, whichever that is at the moment, as fsm_rtc/connection/delivery/message_channel.py has
// it. On a channel with the protocol `fsm-rtc.1` they go by a conversation: numbered, acknowledged, sent again on the next
// channel. On any other they go as they are, once, or not at all.

import { Conversation } from "./conversation.js";
import { Driver } from "./driver.js";
import { ACKNOWLEDGE_WITHIN_SECONDS, CHANNEL_PROTOCOL, FLOW_LIMITS } from "./figures.js";
import { FLOW } from "./flow_table.js";

const ENDING = new Set(["closing", "closed"]);

/** @type {Record<string, (limits: typeof FLOW_LIMITS, amount: number) => boolean>} By their names in fsm_rtc/machines/data_channel.py. */
export const FLOW_GUARDS = {
  too_much_waits: (limits, amount) => amount >= limits.highBytes,
  little_waits: (limits, amount) => amount <= limits.lowBytes,
};

export class SecureLink {
  #store;
  #peer;
  #events;
  /** @type {Conversation | null} */
  #conversation = null;
  /** @type {Driver | null} */
  #flow = null;
  /** @type {any} */
  #acknowledging = undefined;
  /** @type {RTCDataChannel | null} */
  channel = null;

  /**
   * @param {import("./message_store.js").MessageStore} store
   * @param {string} peer - its id
   * @param {{message: (data: import("./frames.js").Data) => void, refused: (reason: string) => void}} events
   */
  constructor(store, peer, events) {
    this.#store = store;
    this.#peer = peer;
    this.#events = events;
  }

  /** Whether messages go through: the channel is open and, where it has greetings, both sides have greeted. */
  get isReady() {
    if (this.channel?.readyState !== "open") return false;
    return !this.isNumbered || this.#conversation?.isFlowing === true;
  }

  /** Whether the present channel carries numbered messages. */
  get isNumbered() {
    return this.channel?.protocol === CHANNEL_PROTOCOL;
  }

  /** Whether the peer answers a heartbeat, so that its silence says something. */
  get isAnswered() {
    return this.channel === null || this.isNumbered;
  }

  /** Whether a message would be taken now: it goes out, or waits for the next channel. */
  get takes() {
    if (this.#isKeeping) return !this.#store.of(this.#peer).isFull;
    return this.channel?.readyState === "open";
  }

  /** How the peer ended the call, if it has said so on the channel. */
  get goodbye() {
    return this.#conversation?.goodbye ?? null;
  }

  /**
   * This is the call's data channel now, or its state has changed.
   * @param {RTCDataChannel | null} channel
   */
  follow(channel) {
    if (channel !== this.channel) this.#adopt(channel);
    if (channel === null || !this.isNumbered) return;
    if (channel.readyState === "open" && this.#begun().isAway) {
      this.#begun().channelOpen();
      this.#flush();
    } else if (ENDING.has(channel.readyState)) this.#lost();
  }

  /**
   * Something came on the channel; a frame behind the end of the call is the next call's, and is dropped.
   * @param {import("./frames.js").Data} frame
   */
  received(frame) {
    if (this.isNumbered) {
      this.#conversation?.received(frame);
      this.#flush();
    } else if (this.channel !== null) this.#events.message(frame);
  }

  /** Ask the peer whether it is there, where it would answer. */
  ping() {
    this.#conversation?.ping();
    this.#flush();
  }

  /**
   * Send a message now, or, in a call whose channel is away, as soon as there is one again.
   * @param {string | ArrayBuffer | ArrayBufferView<ArrayBuffer>} message
   * @throws {DOMException} there is no channel yet, or too much waits
   * @throws {RangeError} it is too long
   */
  send(message) {
    if (this.#isKeeping) {
      const messages = this.#store.of(this.#peer);
      if (messages.isFull) throw new DOMException("too much waits to be acknowledged; send more later", "OperationError");
      messages.add(message);
      this.#flush();
    } else if (this.channel?.readyState === "open") this.channel.send(/** @type {any} */ (message));
    else throw new DOMException("the call is not connected", "InvalidStateError");
  }

  /**
   * Tell the peer that the call is over; whether it is told.
   * @param {string} reason
   */
  sayGoodbye(reason) {
    if (!this.isReady || this.#conversation === null) return false;
    this.#flush();
    this.#conversation.sayGoodbye(reason, false);
    this.#flush();
    return true;
  }

  /** The call is over: a side has said goodbye, and what isn't delivered is dropped. */
  end() {
    this.#begun().over();
    this.fail();
  }

  /** There is no call any more; what isn't delivered waits for the next one with this peer. */
  fail() {
    clearTimeout(this.#acknowledging);
    this.#acknowledging = undefined;
    this.#conversation = null;
    this.channel = null;
  }

  get #isKeeping() {
    return this.#conversation !== null && (this.channel === null || this.isNumbered);
  }

  /** @param {RTCDataChannel | null} channel */
  #adopt(channel) {
    this.#lost();
    this.channel = channel;
    if (channel === null || !this.isNumbered) return;
    this.#flow = new Driver(FLOW, FLOW_LIMITS, { guards: FLOW_GUARDS, effects: {} });
    channel.bufferedAmountLowThreshold = FLOW_LIMITS.lowBytes;
    channel.onbufferedamountlow = () => this.#flush();
  }

  #lost() {
    this.#conversation?.channelLost();
  }

  /** The conversation; it begins with the first channel. */
  #begun() {
    const events = {
      handOver: this.#events.message,
      acknowledgementDue: () => this.#acknowledgeSoon(),
      forget: () => this.#store.forget(this.#peer),
      refused: this.#events.refused,
    };
    this.#conversation ??= new Conversation(this.#store.of(this.#peer), events);
    return this.#conversation;
  }

  #acknowledgeSoon() {
    this.#acknowledging ??= setTimeout(() => {
      this.#acknowledging = undefined;
      this.#conversation?.acknowledge();
      this.#flush();
    }, ACKNOWLEDGE_WITHIN_SECONDS * 1000);
  }

  /** Send what is due, as much as the channel takes. */
  #flush() {
    const { channel } = this;
    const conversation = this.#conversation;
    if (channel?.readyState !== "open" || !this.isNumbered || conversation === null) return;
    for (const control of conversation.controlFrames()) channel.send(control);
    while (this.#isClear(channel)) {
      const frame = conversation.nextFrame();
      if (frame === undefined) break;
      channel.send(/** @type {any} */ (frame));
    }
  }

  /** @param {RTCDataChannel} channel */
  #isClear(channel) {
    this.#flow?.fire("on_buffered_amount", channel.bufferedAmount);
    return this.#flow?.permits("send") === true;
  }
}
