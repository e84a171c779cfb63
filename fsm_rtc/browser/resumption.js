// What a client keeps to go on with its session on another socket. Source: docs/protocol.md, "Sessions".

const ACKNOWLEDGE_EVERY = 32;
const ACKNOWLEDGE_CHARACTERS = 65_536;
const MAX_UNTAKEN_MESSAGES = 256;

/** One session's counts, either way. */
export class Resumption {
  /** @type {number | null} How many deliveries came; null before the first welcome. */
  seen = null;
  #told = 0;
  #characters = 0;
  #posts = 0;
  /** @type {string[]} */
  #untaken = [];

  /** Whether no more can be sent until the server has taken some. */
  get isFull() {
    return this.#untaken.length >= MAX_UNTAKEN_MESSAGES;
  }

  /** The server knows nothing of this session, or no longer: all counts begin anew. */
  begin() {
    this.seen = this.#told = this.#posts = this.#characters = 0;
    this.#untaken = [];
  }

  /**
   * The session goes on; what to send again.
   * @param {number} taken
   */
  goOn(taken) {
    this.taken(taken);
    this.#told = this.seen ?? 0; // it was told so when the link was made
    this.#characters = 0;
    return [...this.#untaken];
  }

  /**
   * A message between peers is sent.
   * @param {string} text
   */
  posted(text) {
    this.#posts += 1;
    this.#untaken.push(text);
  }

  /**
   * The server has taken so many messages.
   * @param {number} number
   */
  taken(number) {
    while (this.#untaken.length > 0 && this.#posts - this.#untaken.length < number) this.#untaken.shift();
  }

  /**
   * A delivery came, and is read: the number to tell the server now, or null.
   * @param {number} characters - of its frame
   * @returns {number | null}
   */
  delivered(characters) {
    this.seen = (this.seen ?? 0) + 1;
    this.#characters += characters;
    const isDue = this.seen - this.#told >= ACKNOWLEDGE_EVERY || this.#characters >= ACKNOWLEDGE_CHARACTERS;
    return isDue ? this.told() : null;
  }

  /**
   * The server is told now what was read; the number, or null if it knows.
   * @returns {number | null}
   */
  told() {
    this.#characters = 0;
    if (this.seen === null || this.seen <= this.#told) return null;
    this.#told = this.seen;
    return this.seen;
  }
}
