// Messages in order, each once, over signalling that may lose, repeat and reorder them. Source: docs/protocol.md,
// "Reliability". No socket and no clock: times are arguments, in seconds.

const FIRST_REPEAT_SECONDS = 1;
const LONGEST_REPEAT_SECONDS = 8;

/** So much is kept of what came before its turn. */
const MAX_HELD_CHARACTERS = 1024 * 1024;

/** What was sent and is not acknowledged. */
export class Outgoing {
  /** The number of the last message. */
  sequence = 0;
  /** @type {Map<number, {text: string, nextAt: number, interval: number}>} */
  #waiting = new Map();
  #waitingSince = 0;

  get isEmpty() {
    return this.#waiting.size === 0;
  }

  /**
   * A message is on its way.
   * @param {number} sequence
   * @param {string} text
   * @param {number} now
   */
  sent(sequence, text, now) {
    if (this.isEmpty) this.#waitingSince = now;
    this.#waiting.set(sequence, { text, nextAt: now + FIRST_REPEAT_SECONDS, interval: FIRST_REPEAT_SECONDS });
  }

  /**
   * The peer has every message up to this number.
   * @param {number} sequence
   * @param {number} now
   */
  acknowledged(sequence, now) {
    for (const number of [...this.#waiting.keys()].filter((one) => one <= sequence)) {
      this.#waiting.delete(number);
      this.#waitingSince = now;
    }
  }

  /**
   * The link is up: all of it is to be sent again.
   * @param {number} now
   * @param {boolean} [wasDown] - else the peer could be heard all the time
   */
  resume(now, wasDown = true) {
    if (wasDown) this.#waitingSince = now;
    for (const one of this.#waiting.values()) {
      one.interval = FIRST_REPEAT_SECONDS;
      one.nextAt = now + FIRST_REPEAT_SECONDS;
    }
    return [...this.#waiting.values()].map((one) => one.text);
  }

  /**
   * What is to be sent again now.
   * @param {number} now
   */
  due(now) {
    const due = [...this.#waiting.values()].filter((one) => one.nextAt <= now);
    for (const one of due) {
      one.interval = Math.min(2 * one.interval, LONGEST_REPEAT_SECONDS);
      one.nextAt = now + one.interval;
    }
    return due.map((one) => one.text);
  }

  /**
   * Whether nothing was acknowledged for so long.
   * @param {number} now
   * @param {number} seconds
   */
  isHopeless(now, seconds) {
    return !this.isEmpty && now >= this.#waitingSince + seconds;
  }

  /**
   * This page stood still for so long: nothing could be heard.
   * @param {number} seconds
   */
  postpone(seconds) {
    this.#waitingSince += seconds;
  }

  /** Send nothing again. */
  forget() {
    this.#waiting.clear();
  }
}

/**
 * What came before its turn.
 * @template T
 */
export class Incoming {
  /** The number of the message whose turn it is. */
  nextSequence = 1;
  /** Whether the peer is to be told what has arrived. */
  owes = false;
  /** @type {Map<number, {message: T, characters: number}>} */
  #held = new Map();
  #characters = 0;

  /**
   * Keep a message until its turn; one for which there is no room will come again.
   * @param {number} sequence
   * @param {T} message
   * @param {number} [characters] - how much it holds
   */
  hold(sequence, message, characters = 0) {
    this.owes = true;
    if (this.#held.has(sequence) || this.#characters + characters > MAX_HELD_CHARACTERS) return;
    this.#held.set(sequence, { message, characters });
    this.#characters += characters;
  }

  /** The message whose turn it was is taken. */
  takeTurn() {
    this.#take();
    this.nextSequence += 1;
    this.owes = true;
  }

  /** The message whose turn it is now, if it came early. */
  nextHeld() {
    return this.#take();
  }

  #take() {
    const held = this.#held.get(this.nextSequence);
    this.#held.delete(this.nextSequence);
    this.#characters -= held?.characters ?? 0;
    return held?.message;
  }
}
