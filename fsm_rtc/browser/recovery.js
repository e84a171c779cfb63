// What is done about a call that is lost: ICE restarts, first by the side that leads, with growing pauses and an end.

import { Backoff } from "./backoff.js";
import { LATE_SECONDS, LIMITS } from "./limits.js";

const SUSPECT_SECONDS = 3;
const FOLLOWER_SECONDS = 10;
const AWAKE_SECONDS = 1; // what came while this page stood still is read first

/**
 * The call, as its recovery sees it.
 * @typedef {object} RecoverableCall
 * @property {() => boolean} leads - whether this side is the one that acts first
 * @property {() => boolean} canAct - whether an attempt can be made now: the link is up, no exchange is under way
 * @property {() => void} attempt
 * @property {(reason: string) => void} giveUp
 */

export class Recovery {
  #call;
  #backoff = new Backoff();
  #timer = 0;
  #lostSince = 0;
  #due = 0;
  #limits;

  /**
   * @param {RecoverableCall} call
   * @param {import("./limits.js").Limits} [limits]
   */
  constructor(call, limits = LIMITS) {
    this.#call = call;
    this.#limits = limits;
  }

  /** Whether the call is lost. */
  get isAtWork() {
    return this.#timer !== 0;
  }

  /**
   * The connection doesn't work any more.
   * @param {boolean} forGood - it has failed; else it may come back by itself
   */
  lost(forGood) {
    if (this.isAtWork) return;
    this.#lostSince = performance.now();
    const patience = (forGood ? 0 : SUSPECT_SECONDS) + (this.#call.leads() ? 0 : FOLLOWER_SECONDS);
    this.#later(patience);
  }

  /** It works. */
  works() {
    if (this.isAtWork) this.#backoff.stood((performance.now() - this.#lostSince) / 1000);
    this.stop();
  }

  /** Do nothing any more. */
  stop() {
    clearTimeout(this.#timer);
    this.#timer = 0;
  }

  /** @param {number} seconds */
  #later(seconds) {
    this.#due = performance.now() + seconds * 1000;
    this.#timer = setTimeout(() => this.#act(), seconds * 1000);
  }

  #act() {
    const { giveUpSeconds } = this.#limits;
    const late = performance.now() - this.#due;
    if (late > LATE_SECONDS * 1000) {
      this.#lostSince += late;
      this.#later(AWAKE_SECONDS);
      return;
    }
    if (performance.now() - this.#lostSince > giveUpSeconds * 1000) {
      this.stop();
      this.#call.giveUp(`the connection was lost and could not be had back within ${giveUpSeconds} s`);
      return;
    }
    if (this.#call.canAct()) {
      this.#call.attempt();
      this.#later(SUSPECT_SECONDS + this.#backoff.nextSeconds());
    } else {
      this.#later(1);
    }
  }
}
