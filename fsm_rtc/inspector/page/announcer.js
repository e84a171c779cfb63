/**
 * What screen readers are told: rejections, politely, and not more often than one can listen.
 * @module
 */

import { counted, whyRejected } from "./words.js";

/** @typedef {import("./model.js").Rec} Rec */

const EVERY_MILLISECONDS = 3000;
const MOST_WAITING = 1000;

/** Writes into a live region. */
export class Announcer {
  /** @param {HTMLElement} region */
  constructor(region) {
    this.region = region;
    /** @type {Rec[]} */
    this.waiting = [];
    this.saidAt = -EVERY_MILLISECONDS;
  }

  /** @param {string} words */
  say(words) {
    this.region.textContent = words;
  }

  /** @param {Rec[]} rejections */
  tell(rejections) {
    const isDue = this.waiting.length === 0 && rejections.length > 0;
    this.waiting = [...this.waiting, ...rejections].slice(-MOST_WAITING);
    if (!isDue) return;
    const wait = Math.max(0, this.saidAt + EVERY_MILLISECONDS - performance.now());
    setTimeout(() => this.#sayRejections(), wait);
  }

  #sayRejections() {
    const latest = this.waiting[this.waiting.length - 1];
    const others = this.waiting.length > 1 ? ` and ${counted(this.waiting.length - 1, "other")}` : "";
    this.say(`${latest.machine.label} rejected ${latest.trigger} in ${latest.state}: ${whyRejected(latest)}${others}`);
    this.waiting = [];
    this.saidAt = performance.now();
  }
}
