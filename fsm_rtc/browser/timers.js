// The timers of one machine: which are armed, until when, and what each step does to them; as fsm_rtc/engine/ticking.py
// has it. Nothing here waits. All times are seconds.

/**
 * When a trigger is due by itself.
 * @typedef {object} Timer
 * @property {string} trigger - which
 * @property {string[]} sources - the states in which the trigger has a row
 * @property {number | string} after - seconds from when it is armed, or the name of a function that gives them
 * @property {"state" | "sources"} per - armed at each change of state, or kept while the machine moves among the sources
 * @property {string | null} since - the name of a function that says when the time began anew without an event
 * @property {"fire" | "postpone"} late - what it means that the page stood still
 * @property {"none" | "full"} jitter - whether the time is drawn between 0 and `after`
 */

/**
 * What the timers need besides their table.
 * @typedef {object} Timing
 * @property {() => number} [clock] - seconds that never run backwards; the page's by default
 * @property {(low: number, high: number) => number} [uniform] - draws between two bounds, for those with jitter
 * @property {Record<string, (context: any) => number | null>} [times] - the functions for `after` and `since`, by name
 */

/** @typedef {{deadline: number, seconds: number, timer: Timer}} Armed */

export class Timers {
  #timers;
  #clock;
  #uniform;
  #times;
  /** @type {Map<string, Armed>} */
  #armed = new Map();
  /** @type {number | null} */
  #now = null;

  /**
   * @param {Timer[]} timers - in the table's order
   * @param {Timing} timing
   */
  constructor(timers, { clock = pageClock, uniform = drawn, times = {} }) {
    this.#timers = timers;
    this.#clock = clock;
    this.#uniform = uniform;
    this.#times = times;
  }

  /** When each that runs is due, by trigger. */
  get armed() {
    return Object.fromEntries([...this.#armed.values()].map(({ timer, deadline }) => [timer.trigger, deadline]));
  }

  /** When the first is due, or null. */
  get next() {
    return this.#armed.size === 0 ? null : Math.min(...[...this.#armed.values()].map(({ deadline }) => deadline));
  }

  /**
   * The machine has moved, or is made: arm those of its state, except what runs on.
   * @param {string[]} way - the states that it went through, the last one's timers are armed; one alone if it is made
   * @param {any} context
   */
  moved(way, context) {
    const target = way[way.length - 1];
    const runsOn = (/** @type {Timer} */ timer) =>
      way.length > 1 && timer.per === "sources" && way.every((state) => timer.sources.includes(state));
    const begin = this.#timers.filter((timer) => timer.sources.includes(target) && !runsOn(timer));
    const kept = [...this.#armed].filter(([, { timer }]) => runsOn(timer));
    this.#armed = new Map([...kept, ...this.#begun(begin, context)]);
  }

  /**
   * These begin anew.
   * @param {string[]} triggers
   * @param {any} context
   */
  restarted(triggers, context) {
    const begin = this.#timers.filter((timer) => triggers.includes(timer.trigger));
    const kept = [...this.#armed].filter(([trigger]) => !triggers.includes(trigger));
    this.#armed = new Map([...kept, ...this.#begun(begin, context)]);
  }

  /**
   * Fire what is due, in the order of the deadlines and then of the table. Until the end everything counts from `now`;
   * one whose firing throws is due again.
   * @template T
   * @param {number} now
   * @param {any} context
   * @param {(trigger: string) => T} fire
   * @returns {T[]}
   */
  fire(now, context, fire) {
    const place = (/** @type {Armed} */ one) => this.#timers.indexOf(one.timer);
    const due = [...this.#armed.values()].filter(({ deadline }) => deadline <= now);
    const fired = [];
    this.#now = now;
    try {
      for (const one of due.sort((a, b) => a.deadline - b.deadline || place(a) - place(b))) {
        if (!this.#isTaken(one, now, context)) continue;
        try {
          fired.push(fire(one.timer.trigger));
        } catch (error) {
          this.#armed.set(one.timer.trigger, one);
          throw error;
        }
      }
    } finally {
      this.#now = null;
    }
    return fired;
  }

  /**
   * The page stood still: what only heard nothing is put off, what is a limit is not.
   * @param {number} seconds
   * @param {any} context
   * @param {boolean} clockRan
   */
  shift(seconds, context, clockRan) {
    for (const one of this.#armed.values()) {
      if (one.timer.late !== "postpone") {
        if (!clockRan) one.deadline -= seconds;
      } else if (clockRan) {
        one.deadline = this.#dueWithout(seconds, one, context) + seconds;
      }
    }
  }

  /**
   * When it would be due had nothing stood still: what was heard before that is too old to be looked at later.
   * @param {number} seconds
   * @param {Armed} one
   * @param {any} context
   */
  #dueWithout(seconds, one, context) {
    const { since } = one.timer;
    const from = since === null ? null : this.#times[since](context);
    if (from === null || from > this.#clock() - seconds) return one.deadline;
    return Math.max(one.deadline, from + one.seconds);
  }

  /**
   * Disarm one that is due, unless it was cleared or armed anew meanwhile, or waits from a later time.
   * @param {Armed} one
   * @param {number} now
   * @param {any} context
   */
  #isTaken(one, now, context) {
    const { trigger, since } = one.timer;
    if (this.#armed.get(trigger) !== one) return false;
    const from = since === null ? null : this.#times[since](context);
    if (from !== null && from + one.seconds > now) {
      this.#armed.set(trigger, { ...one, deadline: from + one.seconds });
      return false;
    }
    this.#armed.delete(trigger);
    return true;
  }

  /**
   * @param {Timer[]} timers
   * @param {any} context
   * @returns {[string, Armed][]}
   */
  #begun(timers, context) {
    return timers.flatMap((timer) => {
      const given = typeof timer.after === "string" ? this.#times[timer.after](context) : timer.after;
      if (typeof given !== "number" || !(given >= 0)) {
        throw new RangeError(`${timer.trigger}: ${timer.after} gave ${given}; it must give seconds, 0 or more`);
      }
      if (given === Infinity) return []; // never
      const seconds = timer.jitter === "full" ? this.#uniform(0, given) : given;
      return [[timer.trigger, { deadline: (this.#now ?? this.#clock()) + seconds, seconds, timer }]];
    });
  }
}

/** Seconds that never run backwards. */
export function pageClock() {
  return performance.now() / 1000;
}

/**
 * @param {number} low
 * @param {number} high
 */
function drawn(low, high) {
  return low + Math.random() * (high - low);
}
