// The messages with one peer, each once and in order, over one data channel after the other: the table `deliveries` at work,
// as fsm_rtc/connection/delivery/reliable_stream.py has it. No channel and no clock. Who gets a message here is done with it at once.

import { DELIVERIES } from "./deliveries_table.js";
import { Driver } from "./driver.js";
import { ACKNOWLEDGE_AT_ONCE } from "./figures.js";
import { controlFrame, dataFrame, decodeFrame } from "./frames.js";

/**
 * What the guards read.
 * @typedef {object} DeliveryMemory
 * @property {number} sent - the number of this side's last message
 * @property {number} nextNumber - the number of the peer's next message on this channel; 0 while it hasn't said it
 * @property {boolean} knowsStream - whether something of the peer's stream has come before, on any channel
 * @property {string} peerStream - the id of the peer's stream, as it said on the latest channel on which it has greeted
 * @property {number} handedOver - the number of the peer's last message that was handed over, on any channel
 */

/** @type {Record<string, (memory: DeliveryMemory, event: any) => boolean>} By their names in fsm_rtc/machines/delivery.py. */
export const DELIVERY_GUARDS = {
  peer_has_what_was_sent: (memory, greeting) => greeting.hasReceived <= memory.sent,
  is_the_same_stream: (memory, greeting) => greeting.stream === memory.peerStream,
  leaves_no_gap: (memory, number) => number >= 1 && (number <= memory.handedOver + 1 || !memory.knowsStream),
  number_is_known: (memory) => memory.nextNumber > 0,
  has_not_come: (memory) => memory.nextNumber > memory.handedOver,
  was_sent: (memory, number) => number <= memory.sent,
};

/** @type {Record<string, string>} */
const TRIGGERS = { begin: "on_begin", ack: "on_acknowledged" };

/**
 * Who is told.
 * @typedef {object} ConversationEvents
 * @property {(data: import("./frames.js").Data) => void} handOver
 * @property {() => void} acknowledgementDue - there is something to acknowledge
 * @property {() => void} forget - it is over in order, so that nothing of it is to be kept
 * @property {(reason: string) => void} refused
 */

export class Conversation {
  #messages;
  #events;
  #driver;
  #toSendNext;
  #streamName = "";
  #told = 0;
  /** @type {import("./frames.js").Control[]} */
  #control = [];

  /**
   * @param {import("./message_store.js").PeerMessages} messages - what is not done with; it outlives this
   * @param {ConversationEvents} events
   */
  constructor(messages, events) {
    this.#messages = messages;
    this.#events = events;
    this.#toSendNext = messages.firstWaiting;
    this.nextNumber = 0;
    /** @type {{reason: string, failed: boolean} | null} How the peer ended the call. */
    this.goodbye = null;
    this.#driver = new Driver(DELIVERIES, this, { guards: DELIVERY_GUARDS, effects: this.#effects });
  }

  // What the guards read.

  get sent() {
    return this.#messages.sent;
  }

  get knowsStream() {
    return this.#messages.handedOver(this.#streamName) !== undefined;
  }

  get peerStream() {
    return this.#streamName;
  }

  get handedOver() {
    return this.#messages.handedOver(this.#streamName) ?? 0;
  }

  // What it is.

  /** Whether messages can go: a state of the table. */
  get state() {
    return this.#driver.state;
  }

  /** Whether both sides have greeted each other on the present channel. */
  get isFlowing() {
    return this.#driver.permits("send");
  }

  /** Whether a channel that opens is wanted. */
  get isAway() {
    return this.#driver.permits("on_open");
  }

  // What this side does.

  /** Ask whether the peer is there. */
  ping() {
    if (this.isFlowing) this.#control.push({ type: "ping" });
  }

  /**
   * Tell the peer that the call is over; nothing goes out behind it.
   * @param {string} reason
   * @param {boolean} failed - that it is no goodbye
   */
  sayGoodbye(reason, failed) {
    if (this.isFlowing) this.#control.push(failed ? { type: "bye", reason, failed } : { type: "bye", reason });
  }

  /** Let go out what there is to acknowledge. */
  acknowledge() {
    if (!this.isFlowing || this.handedOver <= this.#told) return;
    this.#told = this.handedOver;
    this.#control.push({ type: "ack", number: this.#told });
  }

  /** The control frames that are due; each is given once. */
  controlFrames() {
    return this.#control.splice(0).map(controlFrame);
  }

  /** The next message that is to go out on the present channel, as a frame; undefined if there is none. */
  nextFrame() {
    if (!this.isFlowing || this.#toSendNext > this.sent) return undefined;
    const data = this.#messages.numbered(this.#toSendNext);
    this.#toSendNext += 1;
    return data === undefined ? undefined : dataFrame(data);
  }

  // What happens to the channel.

  /** One is open: greet. */
  channelOpen() {
    this.#fire("on_open");
  }

  /** There is none any more; another may come. */
  channelLost() {
    this.#driver.fire("on_lost");
    this.#control.length = 0;
  }

  /** A side has said goodbye: what isn't delivered is dropped. */
  over() {
    this.#fire("on_goodbye");
  }

  /**
   * A frame has come, whatever it holds.
   * @param {import("./frames.js").Data} frame
   */
  received(frame) {
    const content = decodeFrame(frame);
    if (content === null) this.#events.refused("wrong shape");
    else if ("data" in content) this.#fire("on_message", content.data);
    else this.#take(content.control);
  }

  /** @param {import("./frames.js").Control} control */
  #take(control) {
    if (control.type === "hello") this.#greeted(control);
    else if (control.type === "ping") this.#control.push({ type: "pong" });
    else if (control.type === "bye") this.goodbye = { reason: control.reason, failed: control.failed ?? false };
    else if ("number" in control) this.#fire(TRIGGERS[control.type] ?? "", control.number);
  }

  /** @param {{stream: string, received: Record<string, number>}} hello */
  #greeted({ stream, received }) {
    const { stream: own } = this.#messages;
    const hasReceived = Object.hasOwn(received, own) ? Number(received[own]) : 0;
    if (!this.#fire("on_hello", { hasReceived, stream })) return;
    this.#streamName = stream;
    this.nextNumber = 0;
  }

  /**
   * @param {string} trigger
   * @param {any} [event]
   */
  #fire(trigger, event) {
    const outcome = this.#driver.fire(trigger, event);
    if (!outcome.accepted) this.#events.refused(outcome.reason);
    return outcome.accepted;
  }

  /** @type {Record<string, (event: any) => void>} */
  #effects = {
    greet: () => {
      const { stream, received } = this.#messages;
      this.#control.unshift({ type: "hello", stream, received });
    },
    resume: ({ hasReceived }) => {
      this.#acknowledged(hasReceived);
      this.#toSendNext = this.#messages.firstWaiting;
      this.#control.push({ type: "begin", number: this.#toSendNext });
    },
    begin_at: (number) => {
      this.nextNumber = number;
      this.#messages.hear(this.#streamName, number - 1);
      this.#told = number - 1;
      this.#tellDue();
    },
    hand_over: (data) => {
      this.#messages.hear(this.#streamName, this.nextNumber);
      this.nextNumber += 1;
      this.#events.handOver(data);
      this.#tellDue();
    },
    skip: () => {
      this.nextNumber += 1;
    },
    accept_acknowledgement: (number) => this.#acknowledged(number),
    forget_messages: () => this.#events.forget(),
  };

  /** @param {number} upTo */
  #acknowledged(upTo) {
    this.#messages.acknowledged(upTo);
    this.#toSendNext = Math.max(this.#toSendNext, upTo + 1);
  }

  #tellDue() {
    if (this.handedOver - this.#told >= ACKNOWLEDGE_AT_ONCE) this.acknowledge();
    if (this.handedOver > this.#told || this.#control.length > 0) this.#events.acknowledgementDue();
  }
}
