// What a client keeps to go on with its session on another socket. Source: docs/protocol.md, "Sessions".

const ACKNOWLEDGE_EVERY = 32;

/** One session's counts, either way. */
export class Resumption {
  /** @type {number | null} How many deliveries came; null before the first welcome. */
  seen = null;
  #told = 0;
  #posts = 0;
  /** @type {string[]} */
  #untaken = [];

  /** The server knows nothing of this session, or no longer: all counts begin anew. */
  begin() {
    this.seen = this.#told = this.#posts = 0;
    this.#untaken = [];
  }

  /**
   * The session goes on; what to send again.
   * @param {number} taken
   */
  goOn(taken) {
    this.taken(taken);
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
   * A delivery came: the number to tell the server now, or null.
   * @returns {number | null}
   */
  delivered() {
    this.seen = (this.seen ?? 0) + 1;
    if (this.seen - this.#told < ACKNOWLEDGE_EVERY) return null;
    this.#told = this.seen;
    return this.seen;
  }
}
