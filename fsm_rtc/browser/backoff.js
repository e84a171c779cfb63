// How long to wait before the next attempt: exponential backoff with full jitter.

const BASE_SECONDS = 0.5;
const CAP_SECONDS = 30;
const STABLE_SECONDS = 10;

export class Backoff {
  #attempts = 0;

  /** Draw the wait before the next attempt, in seconds, and count it. */
  nextSeconds() {
    const ceiling = Math.min(CAP_SECONDS, BASE_SECONDS * 2 ** this.#attempts);
    this.#attempts += 1;
    return Math.random() * ceiling;
  }

  /**
   * Take into account how long what is lost now had stood.
   * @param {number} seconds
   */
  stood(seconds) {
    if (seconds >= STABLE_SECONDS) this.#attempts = 0;
  }
}
