// The exchange with one session of a peer: perfect negotiation, as its table has it (exchange_table.js). What the peer
// does wrong never throws: it is refused by the table, and counted.

import { CODES_FEATURE, END_CODES, END_SENTENCES } from "./figures.js";
import { readEnd, writtenEnd } from "./end_code.js";
import { Offers, forgetFirst } from "./candidates.js";
import { EXCHANGE } from "./exchange_table.js";
import { GUARDS, acknowledged, offerNumber } from "./guards.js";
import { LATE_SECONDS, LIMITS } from "./limits.js";
import { Machine } from "./machine.js";
import { Incoming, Outgoing } from "./post.js";
import { isGenuine, isSignedBy, messageInput } from "./signing.js";

const MAX_REASON_CHARACTERS = 200;
const TICK_MILLISECONDS = 500;
const KEPT_FRAGMENTS = 8;

/** @type {Record<string, string>} */
const TRIGGERS = {
  offer: "on_offer",
  answer: "on_answer",
  candidate: "on_candidate",
  end_of_candidates: "on_end_of_candidates",
};

const nowSeconds = () => performance.now() / 1000;

/**
 * What an exchange does with a peer connection; each may take its time.
 * @typedef {object} NegotiatingPeer
 * @property {() => Promise<string>} makeOffer - the SDP, applied
 * @property {() => Promise<void>} yieldOffer
 * @property {(sdp: string) => Promise<void>} applyOffer
 * @property {() => Promise<string>} makeAnswer - the SDP, applied
 * @property {(sdp: string) => Promise<void>} applyAnswer
 * @property {(candidate: RTCIceCandidateInit | null) => Promise<void>} addCandidate
 */

/**
 * This side in a room.
 * @typedef {object} Member
 * @property {string} room
 * @property {import("./wire.js").Introduction} introduction
 * @property {(data: Uint8Array<ArrayBuffer>) => Promise<string>} sign
 */

/**
 * Who is told, and asked.
 * @typedef {object} ExchangeEvents
 * @property {(reason: string, byPeer: boolean, forGood: boolean, code: string) => void} ended - for good: with a goodbye, else it has failed
 * @property {() => void} wantsNothing - the peer has said goodbye, when the exchange had failed already
 * @property {() => void} settled - both sides agree
 * @property {() => void} moved - the exchange may stand elsewhere than before
 * @property {(reason: string) => void} refused
 * @property {(error: unknown) => boolean} retries - whether an offer that couldn't be made is no end, but a failed attempt
 * @property {() => boolean} linkIsUp - whether the signalling link stands
 */

export class Exchange {
  #me;
  #peer;
  #post;
  #events;
  #limits;
  #introduction;
  #offers;
  #memory;
  #machine;
  #incoming = new Incoming();
  #outgoing = new Outgoing();
  #signing = Promise.resolve();
  #working = Promise.resolve();
  #ticking = 0;
  #tickedAt = 0;
  #needed = false;
  #offersMade = 0;
  #round = "";
  /** The offer to which the last candidate that was found belongs. */
  #lastRound = "";
  /** @type {Map<string, string>} Which offer each of this side's ICE user fragments belongs to. */
  #fragments = new Map();
  /** @type {(RTCIceCandidateInit | null)[]} */
  #found = [];
  /** @type {import("./guards.js").ReceivedMessage | null} */
  #coming = null;
  /** @type {import("./guards.js").ReceivedMessage | null} */
  #postponed = null;
  #openOffer = 0;
  /** @type {number | null} */
  #answerDue = null;

  /**
   * @param {Member} me
   * @param {import("./wire.js").Introduction} introduction - the peer's
   * @param {NegotiatingPeer} peer - the peer connection to negotiate
   * @param {(text: string) => void} post - sends a message, or loses it
   * @param {ExchangeEvents} events
   * @param {import("./limits.js").Limits} [limits]
   */
  constructor(me, introduction, peer, post, events, limits = LIMITS) {
    this.#limits = limits;
    this.#me = me;
    this.#introduction = introduction;
    this.#peer = peer;
    this.#post = post;
    this.#events = events;
    this.#offers = new Offers((candidate) => this.#addCandidate(candidate), events.refused);
    const incoming = this.#incoming;
    this.#memory = {
      room: me.room,
      id: me.introduction.id,
      session: me.introduction.session,
      peerId: introduction.id,
      peerSession: introduction.session,
      get nextSequence() {
        return incoming.nextSequence;
      },
      lastOfferNumber: 0,
      offerId: "",
      knownOffers: this.#offers.known,
      ignoredOffers: this.#offers.ignored,
      byeSequence: 0,
    };
    this.#machine = new Machine(EXCHANGE, GUARDS, this.#memory);
  }

  /** Where the exchange stands: a state of the table. */
  get state() {
    return this.#machine.state;
  }

  /** Whether a side has ended it. */
  get isOver() {
    return this.state === "leaving" || this.state === "closed";
  }

  /** Whether this side leads: the impolite one. */
  get leads() {
    return GUARDS.impolite(this.#memory, null);
  }

  /**
   * The peer has joined: whether it is one to talk to.
   * @param {(introduction: import("./wire.js").Introduction) => boolean} trust
   */
  async begin(trust) {
    const introduced = {
      isGenuine: await isGenuine(this.#introduction, this.#me.room),
      isTrusted: trust(this.#introduction),
    };
    const outcome = this.#machine.fire("on_joined", introduced);
    if (outcome.accepted) {
      this.#tickedAt = nowSeconds();
      this.#ticking = setInterval(() => this.#tick(), TICK_MILLISECONDS);
    } else {
      this.#events.refused(outcome.reason);
      if (outcome.reason === "trusted") this.#send("bye", this.#written(END_SENTENCES.notTrusted, END_CODES.notTrusted), this.#latestOffer);
    }
    this.#take(outcome, introduced);
    return outcome.accepted;
  }

  /**
   * A message between peers has come, whatever it holds.
   * @param {import("./wire.js").PeerMessage} message
   */
  async received(message) {
    const isSigned = await isSignedBy(this.#introduction.public_key, message.signature, messageInput(message));
    const received = { message, isSigned };
    if (message.type === "ack") {
      this.#takeFromPeer("on_ack", received);
      return;
    }
    const outcome = this.#takeFromPeer("receive", received);
    if (!outcome.accepted && outcome.reason === "taken_once") this.#incoming.owes = true;
    let held;
    while (outcome.accepted && (held = this.#incoming.nextHeld()) !== undefined) this.#takeFromPeer("receive", held);
    if (this.#incoming.owes) {
      this.#incoming.owes = false;
      this.#send("ack", String(this.#incoming.nextSequence - 1));
    }
  }

  /**
   * The signalling link stands again, or the peer is back: what is not acknowledged goes out at once.
   * @param {boolean} wasDown - else the times run on: the peer could be heard all the time
   */
  linkUp(wasDown) {
    if (this.#answerDue !== null && wasDown) this.#answerDue = nowSeconds() + this.#limits.answerSeconds;
    this.#outgoing.resume(nowSeconds(), wasDown).forEach(this.#post);
  }

  /** This side needs an exchange: now, or as soon as the present one is settled. */
  negotiate() {
    this.#fire("negotiate");
  }

  /**
   * End it, and tell the peer why.
   * @param {string} reason
   * @param {boolean} [forGood] - whether that is a goodbye; else it has failed, and what waits is kept for another
   * @param {string} [code] - why, for programs; empty for no code
   */
  leave(reason, forGood = false, code = forGood ? END_CODES.closed : "") {
    if (this.isOver) return;
    const offerId = forGood ? "" : this.#latestOffer;
    this.#fire("leave", { reason: reason.slice(0, MAX_REASON_CHARACTERS), offerId, code });
    this.#events.ended(reason, false, forGood, code);
  }

  /** End it without a word: nobody is left to hear it. */
  abandon() {
    if (!this.#machine.isFinal) this.#fire("abandon");
  }

  /**
   * This side has found a candidate; null: there are no more.
   * @param {RTCIceCandidateInit | null} candidate
   */
  candidateFound(candidate) {
    if (this.isOver) return;
    if (this.state === "making offer" || this.state === "making answer") this.#found.push(candidate);
    else this.#sendCandidate(candidate);
  }

  /**
   * A goodbye's payload; a side of an earlier version knows the sentences alone.
   * @param {string} reason
   * @param {string} code
   */
  #written(reason, code) {
    return writtenEnd(reason, this.#introduction.features?.includes(CODES_FEATURE) ? code : "");
  }

  // The table at work.

  /**
   * @param {string} trigger
   * @param {any} [event]
   */
  #fire(trigger, event) {
    const outcome = this.#machine.fire(trigger, event);
    this.#take(outcome, event);
    queueMicrotask(() => this.#events.moved()); // behind all that this event leads to
    return outcome;
  }

  /**
   * @param {string} trigger
   * @param {any} received
   */
  #takeFromPeer(trigger, received) {
    const outcome = this.#fire(trigger, received);
    if (!outcome.accepted) this.#events.refused(outcome.reason);
    return outcome;
  }

  /**
   * @param {import("./machine.js").Outcome} outcome
   * @param {any} event
   */
  #take(outcome, event) {
    if (!outcome.accepted) return;
    for (const effect of outcome.effects) this.#effects[effect]?.(event);
    if (this.#machine.isFinal) {
      this.#outgoing.forget();
      clearInterval(this.#ticking);
    }
  }

  /** @type {Record<string, (event: any) => void>} What each effect of the table does. */
  #effects = {
    deliver: (received) => {
      this.#incoming.takeTurn();
      const { message } = received;
      if (message.type === "bye") {
        const { reason, code } = readEnd(message.payload);
        this.#takeFromPeer("on_bye", { reason: reason.slice(0, MAX_REASON_CHARACTERS), offerId: message.offer_id, code });
      } else this.#takeFromPeer(TRIGGERS[message.type] ?? "", received);
    },
    hold: (received) => this.#incoming.hold(received.message.sequence, received, received.message.payload.length),
    acknowledge: (received) => {
      const sequence = acknowledged(received.message);
      this.#outgoing.acknowledged(sequence, nowSeconds());
      if (this.#openOffer > 0 && this.#openOffer <= sequence) this.#answerDue ??= nowSeconds() + this.#limits.answerSeconds;
    },
    remember_need: () => {
      this.#needed = true;
    },
    make_offer: () => {
      this.#needed = false;
      this.#found = [];
      this.#operate(async () => {
        let sdp;
        try {
          sdp = await this.#peer.makeOffer();
        } catch (error) {
          if (!this.#machine.permits("offer_failed") || !this.#events.retries(error)) throw error;
          this.#fire("offer_failed");
          return;
        }
        this.#fire("offer_made", sdp);
      });
    },
    send_offer: (sdp) => {
      this.#offersMade += 1;
      this.#round = this.#memory.offerId = `${this.#memory.session}.${this.#offersMade}`;
      this.#offers.know(this.#round);
      this.#openOffer = this.#outgoing.sequence + 1;
      this.#sendDescription("offer", sdp);
    },
    apply_answer: (received) => {
      this.#offerIsSettled();
      this.#operate(async () => {
        await this.#peer.applyAnswer(received.message.payload);
        this.#offers.applied(received.message.offer_id, received.message.payload);
        this.#fire("answer_applied");
      });
    },
    yield_offer: (received) => {
      if (this.#openOffer > 0) this.#offers.ignore(this.#memory.offerId);
      this.#offerIsSettled();
      this.#coming = received;
      this.#operate(async () => {
        await this.#peer.yieldOffer();
        this.#fire("yielded", received);
      });
    },
    ignore_offer: (received) => {
      this.#memory.lastOfferNumber = offerNumber(received.message);
      this.#offers.ignore(received.message.offer_id);
    },
    postpone_offer: (received) => {
      if (this.#postponed !== null) this.#offers.ignore(this.#postponed.message.offer_id);
      this.#offers.know(received.message.offer_id);
      this.#postponed = received;
    },
    apply_offer: (received) => {
      this.#memory.lastOfferNumber = offerNumber(received.message);
      this.#offers.know(received.message.offer_id);
      this.#coming = received;
      this.#operate(async () => {
        await this.#peer.applyOffer(received.message.payload);
        this.#offers.applied(received.message.offer_id, received.message.payload);
        this.#fire("offer_applied");
      });
    },
    answer_offer: () => {
      this.#found = [];
      this.#operate(async () => this.#fire("answer_made", await this.#peer.makeAnswer()));
    },
    send_answer: (sdp) => {
      this.#round = this.#coming?.message.offer_id ?? "";
      this.#sendDescription("answer", sdp);
    },
    settle: () => {
      const postponed = this.#postponed;
      this.#postponed = null;
      if (postponed !== null) this.#takeFromPeer("on_offer", postponed);
      else if (this.#needed) this.#fire("negotiate");
      else this.#events.settled();
    },
    take_candidate: (received) => this.#offers.take(received.message),
    send_bye: ({ reason, offerId, code }) => {
      this.#offerIsSettled();
      this.#send("bye", this.#written(reason, code), offerId);
      this.#memory.byeSequence = this.#outgoing.sequence;
    },
    end: ({ reason, offerId, code }) => this.#events.ended(reason, true, offerId === "", code),
    note_farewell: ({ offerId }) => {
      if (offerId === "") this.#events.wantsNothing();
    },
  };

  /**
   * Do something with the peer connection when what was asked for before is done; if it fails the exchange ends.
   * @param {() => Promise<unknown>} operation
   */
  #operate(operation) {
    this.#working = this.#working.then(async () => {
      if (this.isOver) return;
      try {
        await operation();
      } catch (error) {
        this.leave(String(error));
      }
    });
  }

  #tick() {
    const now = nowSeconds();
    const late = now - this.#tickedAt - TICK_MILLISECONDS / 1000;
    this.#tickedAt = now;
    if (late > LATE_SECONDS) this.#postpone(late);
    if (!this.#events.linkIsUp()) return;
    const { acknowledgeSeconds, answerSeconds } = this.#limits;
    this.#outgoing.due(now).forEach(this.#post);
    if (this.#outgoing.isHopeless(now, acknowledgeSeconds)) {
      if (this.state === "leaving") this.abandon();
      else this.leave(`the other side has acknowledged nothing for ${acknowledgeSeconds} s`);
    } else if (this.#answerDue !== null && now >= this.#answerDue) {
      this.leave(`the other side has not answered the offer within ${answerSeconds} s`);
    }
  }

  /**
   * This page stood still, so what wasn't heard meanwhile proves nothing.
   * @param {number} seconds
   */
  #postpone(seconds) {
    this.#outgoing.postpone(seconds);
    if (this.#answerDue !== null) this.#answerDue += seconds;
  }

  /** What a failure is about: the latest offer of either side, or this side's to come. */
  get #latestOffer() {
    return this.#round || `${this.#memory.session}.0`;
  }

  #offerIsSettled() {
    this.#openOffer = 0;
    this.#answerDue = null;
  }

  // What is sent: numbered at once, signed and posted in that order.

  /**
   * @param {import("./wire.js").PeerMessage["type"]} type
   * @param {string} payload
   * @param {string} [offerId]
   */
  #send(type, payload, offerId = "") {
    const sequence = type === "ack" ? 0 : (this.#outgoing.sequence += 1);
    const message = {
      type,
      room: this.#memory.room,
      sender: this.#memory.id,
      recipient: this.#memory.peerId,
      sender_session: this.#memory.session,
      recipient_session: this.#memory.peerSession,
      sequence,
      offer_id: offerId,
      payload,
      signature: "",
    };
    this.#signing = this.#signing.then(async () => {
      const text = JSON.stringify({ ...message, signature: await this.#me.sign(messageInput(message)) });
      if (sequence > 0 && !this.#machine.isFinal) this.#outgoing.sent(sequence, text, nowSeconds());
      this.#post(text);
    });
  }

  /**
   * @param {"offer" | "answer"} type
   * @param {string} sdp
   */
  #sendDescription(type, sdp) {
    const found = this.#found;
    this.#found = [];
    this.#send(type, sdp, this.#round);
    for (const [, fragment] of sdp.matchAll(/^a=ice-ufrag:(\S+)/gm)) this.#fragments.set(String(fragment), this.#round);
    if (this.#fragments.size > KEPT_FRAGMENTS) forgetFirst(this.#fragments);
    for (const candidate of found) this.#sendCandidate(candidate);
  }

  /** @param {RTCIceCandidateInit | null} candidate */
  #sendCandidate(candidate) {
    // What is found late, behind the next offer, belongs to its own; and so does the word that there are no more,
    // which doesn't say of which gathering it speaks: of that from which the last candidate came.
    if (candidate === null) {
      if (this.#lastRound !== "" && this.#lastRound === this.#round) this.#send("end_of_candidates", "", this.#round);
      return;
    }
    const { candidate: line, sdpMid, sdpMLineIndex, usernameFragment } = candidate;
    const round = usernameFragment ? this.#fragments.get(usernameFragment) : this.#round;
    if (round === undefined) return;
    this.#lastRound = round;
    this.#send("candidate", JSON.stringify({ candidate: line, sdpMid, sdpMLineIndex }), round);
  }

  /** @param {RTCIceCandidateInit | null} candidate */
  #addCandidate(candidate) {
    this.#operate(async () => {
      try {
        await this.#peer.addCandidate(candidate);
      } catch {
        this.#events.refused("candidate");
      }
    });
  }
}
