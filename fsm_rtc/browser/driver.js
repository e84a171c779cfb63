// Runs one machine of the page: carries out what it asks for, in order, and lets its timers fire; as fsm_rtc/driver does.
//
// What a handler fires is carried out behind it, not within it. A timer that comes late tells that the page stood still:
// the machine hears of it before anything fires, and what came meanwhile is read first.

import { LATE_SECONDS } from "./limits.js";
import { Machine } from "./machine.js";
import { pageClock } from "./timers.js";

const AWAKE_SECONDS = 1;
// Browsers wake the timers of a hidden page once a minute; if each of those had that time, a silent peer would never be noticed.
const AWAKE_AGAIN_SECONDS = 150;
const LOOK_SECONDS = 30; // so often it is looked whether the host slept
const RETRY_SECONDS = 1; // a machine whose timer throws is due at once, and would throw again and again

/**
 * What a table names, as functions.
 * @typedef {object} Named
 * @property {Record<string, (memory: any, event: any) => boolean>} guards
 * @property {Record<string, (memory: any) => number | null>} [times]
 * @property {Record<string, (event: any) => void>} effects - each of the table's; called with the event that asked for it
 */

/**
 * Where the time comes from, for tests.
 * @typedef {object} Clocks
 * @property {() => number} [clock] - seconds that never run backwards; the page's by default
 * @property {() => number} [asleep] - for how many seconds the host has slept, since any time
 * @property {(low: number, high: number) => number} [uniform] - draws between two bounds
 */

export class Driver {
  #machine;
  #effects;
  #moved;
  #clock;
  #secondsAsleep;
  #asleep;
  /** @type {[string, any][]} */
  #waiting = [];
  #isAtWork = false;
  /** @type {any} */
  #timer = undefined;
  #timerAt = 0;
  #awakeAgainAt = -Infinity;

  /**
   * @param {import("./machine.js").Table} table
   * @param {any} memory - what guards and times read
   * @param {Named} named
   * @param {(before: string) => void} [moved] - called when the state has changed, before what that asks for is done
   * @param {Clocks} [clocks]
   */
  constructor(table, memory, { guards, times, effects }, moved = () => {}, { clock = pageClock, asleep = secondsAsleep, uniform } = {}) {
    const missing = effectsOf(table).find((name) => effects[name] === undefined);
    if (missing !== undefined) throw new Error(`${table.machine}: nobody carries out ${missing}`);
    this.#machine = new Machine(table, guards, memory, uniform === undefined ? { clock, times } : { clock, times, uniform });
    this.#effects = effects;
    this.#moved = moved;
    this.#clock = clock;
    this.#secondsAsleep = asleep;
    this.#asleep = asleep();
    this.#setTimer();
  }

  /** The machine's state. */
  get state() {
    return this.#machine.state;
  }

  /** The machine's clock, in seconds. */
  get now() {
    return this.#clock();
  }

  /**
   * Whether an event would be taken now.
   * @param {string} trigger
   * @param {any} [event]
   */
  permits(trigger, event) {
    return this.#machine.permits(trigger, event);
  }

  /**
   * Fire a trigger, and carry out what that asks for.
   * @param {string} trigger
   * @param {any} [event]
   * @returns {import("./machine.js").Outcome}
   */
  fire(trigger, event) {
    const before = this.state;
    const outcome = this.#machine.fire(trigger, event);
    this.#ask(outcome, event);
    this.#went(before);
    return outcome;
  }

  /**
   * @param {import("./machine.js").Outcome} outcome
   * @param {any} event
   */
  #ask(outcome, event) {
    if (!outcome.accepted) return;
    const { effects, before = 0 } = outcome;
    effects.forEach((name, index) => this.#waiting.push([name, index < before ? null : event]));
  }

  /** @param {string} before - the state */
  #went(before) {
    this.#setTimer();
    if (this.state !== before) this.#moved(before);
    this.#carryOut();
  }

  #carryOut() {
    if (this.#isAtWork) return;
    this.#isAtWork = true;
    try {
      for (let one = this.#waiting.shift(); one !== undefined; one = this.#waiting.shift()) {
        const [name, event] = one;
        try {
          this.#effects[name]?.(event);
        } catch (error) {
          queueMicrotask(() => {
            throw error; // nobody waits for it; the others are done all the same
          });
        }
      }
    } finally {
      this.#isAtWork = false;
    }
  }

  // Time.

  #look() {
    const now = this.#clock();
    const before = this.state;
    this.#noteStandstill(now);
    let outcomes;
    try {
      outcomes = this.#machine.tick(now);
    } catch (error) {
      this.#setTimer(now + RETRY_SECONDS);
      throw error;
    }
    for (const outcome of outcomes) this.#ask(outcome, null);
    this.#went(before);
  }

  /** @param {number} now */
  #noteStandstill(now) {
    const asleep = this.#secondsAsleep();
    const slept = asleep - this.#asleep;
    const late = now - this.#timerAt;
    this.#asleep = asleep;
    if (slept > LATE_SECONDS) this.#machine.stoodStill(slept, false);
    if (late <= LATE_SECONDS && slept <= LATE_SECONDS) return;
    // One after the other, so that what was heard just before the standstill isn't taken for heard since.
    this.#machine.stoodStill(Math.max(late, 0));
    if (now < this.#awakeAgainAt) return;
    this.#awakeAgainAt = now + AWAKE_AGAIN_SECONDS;
    this.#machine.stoodStill(AWAKE_SECONDS);
  }

  #setTimer(notBefore = -Infinity) {
    clearTimeout(this.#timer);
    const due = this.#machine.nextTimeout();
    if (due === null) return;
    const now = this.#clock();
    this.#timerAt = Math.min(Math.max(due, now, notBefore), now + LOOK_SECONDS);
    this.#timer = setTimeout(() => this.#look(), Math.ceil((this.#timerAt - now) * 1000));
  }
}

/** @param {import("./machine.js").Table} table */
function effectsOf({ triggers, entry = {}, exit = {} }) {
  const ofRows = Object.values(triggers).flatMap(({ rows }) => rows.flatMap((row) => row.then));
  return [...ofRows, ...Object.values(entry).flat(), ...Object.values(exit).flat()];
}

/** For how many seconds the host has slept while the page's clock stood still, since any time. */
function secondsAsleep() {
  return Date.now() / 1000 - pageClock();
}
