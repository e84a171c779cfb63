// A machine whose table is data: the same rows that fsm_rtc's own engine steps, see recovery_table.js.

import { Timers } from "./timers.js";

/**
 * One row of a table.
 * @typedef {object} Row
 * @property {string[]} sources - the states in which it applies
 * @property {string | null} target - the state to which it leads, or null: it stays
 * @property {string[]} when - the names of its guards
 * @property {string[]} then - the names of its effects
 * @property {boolean} [reenters] - from a state to itself it leaves and enters it
 * @property {string[]} [restarts] - of one that stays: the timers that begin anew
 * @property {string} [first] - another trigger that is gone through before; the row fails if that one is refused
 * @property {string} [resolves] - the trigger for which it stands
 */

/**
 * A table.
 * @typedef {object} Table
 * @property {string} machine - its name
 * @property {string} digest - its hash, as `fsm-rtc` says it
 * @property {string} initial - the state in which it begins
 * @property {string[]} final - the states out of which nothing leads
 * @property {Record<string, {checks: string[], rows: Row[]}>} triggers - by name
 * @property {Record<string, string[]>} [entry] - by state, the names of the effects of coming to it
 * @property {Record<string, string[]>} [exit] - by state, those of leaving it
 * @property {import("./timers.js").Timer[]} [timers] - in the order of fsm_rtc's table
 */

/**
 * What became of an event. Effects are in the order exit, row, entry; the first `before` of them are those of an implicit
 * first trigger, which has no payload.
 * @typedef {{accepted: true, effects: string[], before?: number} | {accepted: false, reason: string}} Outcome
 */

/** An instance of a table. It changes state by `fire` and `tick` alone, and does nothing itself. */
export class Machine {
  #table;
  #guards;
  #timers;
  #isAsked = false;

  /**
   * Its state's timers are armed, and no entry effects asked for.
   * @param {Table} table
   * @param {Record<string, (context: any, event: any) => boolean>} guards - each of the table's guards, by name
   * @param {any} context - what guards and times read
   * @param {import("./timers.js").Timing} [timing] - for a table with timers
   */
  constructor(table, guards, context, timing = {}) {
    this.#table = table;
    this.#guards = guards;
    this.#timers = new Timers(table.timers ?? [], timing);
    this.context = context;
    /** The present state. */
    this.state = table.initial;
    this.#timers.moved([this.state], context);
  }

  /** Whether nothing leads out of the present state. */
  get isFinal() {
    return this.#table.final.includes(this.state);
  }

  /**
   * Take an event: the checks first, then the rows of the present state in their order; the first whose guards all
   * agree is taken. What the table doesn't allow changes nothing and says why: the first of what refused.
   * @param {string} trigger
   * @param {any} [event]
   * @returns {Outcome}
   */
  fire(trigger, event) {
    return this.#asking(trigger, () => this.#step(trigger, event));
  }

  /**
   * Whether an event would be taken now; nothing changes.
   * @param {string} trigger
   * @param {any} [event]
   */
  permits(trigger, event) {
    return this.#asking(trigger, () => typeof this.#decide(trigger, event) !== "string");
  }

  /**
   * @template T
   * @param {string} trigger
   * @param {() => T} ask
   * @returns {T}
   */
  #asking(trigger, ask) {
    if (this.#isAsked) throw new Error(`${this.#table.machine}: a guard or time fired the machine that asked it, by ${trigger}`);
    this.#isAsked = true;
    try {
      return ask();
    } finally {
      this.#isAsked = false;
    }
  }

  /**
   * @param {string} trigger
   * @param {any} event
   * @returns {Outcome}
   */
  #step(trigger, event) {
    const found = this.#decide(trigger, event);
    if (typeof found === "string") return { accepted: false, reason: found };
    const { row, first } = found;
    const middle = first?.target ?? this.state;
    const target = row.target ?? middle;
    const before = first ? this.#effects(first, this.state) : [];
    const effects = [...before, ...this.#effects(row, middle)];
    if ((first && moves(first, this.state)) || moves(row, this.state)) {
      this.#timers.moved([this.state, middle, target], this.context);
    } else if (row.restarts) {
      this.#timers.restarted(row.restarts, this.context);
    }
    this.state = target;
    return first ? { accepted: true, effects, before: before.length } : { accepted: true, effects };
  }

  /** When the first timer is due, on the machine's clock, or null if none runs. */
  nextTimeout() {
    return this.#timers.next;
  }

  /** When each timer that runs is due, by trigger, on the machine's clock. */
  armed() {
    return this.#timers.armed;
  }

  /**
   * Fire what is due, in the order of the deadlines and then of the table; what became of each. What is armed meanwhile
   * counts from `now`, and fires in the next tick at the earliest.
   * @param {number} now - the time on the machine's clock
   * @returns {(Outcome & {trigger: string})[]}
   */
  tick(now) {
    return this.#timers.fire(now, this.context, (trigger) => ({ trigger, ...this.fire(trigger, null) }));
  }

  /**
   * The page stood still: a timer with `late: "postpone"` waits so much longer, another doesn't.
   * @param {number} seconds - how long
   * @param {boolean} [clockRan] - whether the machine's clock ran meanwhile
   */
  stoodStill(seconds, clockRan = true) {
    this.#timers.shift(seconds, this.context, clockRan);
  }

  /**
   * The row that takes an event, and that of its implicit first trigger; or why none does.
   * @param {string} trigger
   * @param {any} event
   * @returns {{row: Row, first?: Row} | string}
   */
  #decide(trigger, event) {
    if (this.isFinal) return "closed";
    const refuses = (/** @type {string} */ name) => !this.#guards[name](this.context, event);
    const failed = this.#table.triggers[trigger].checks.find(refuses);
    if (failed !== undefined) return failed;
    let refusal;
    for (const row of this.#rows(trigger)) {
      let refused = row.when.find(refuses);
      if (refused === undefined) {
        if (row.first === undefined) return { row };
        const first = this.#decide(row.first, null);
        if (typeof first !== "string") return { row, first: first.row };
        refused = first;
      }
      refusal ??= refused;
    }
    return refusal ?? "no_row";
  }

  /**
   * The rows of a trigger that apply here, with what they stand for.
   * @param {string} trigger
   * @returns {Row[]}
   */
  #rows(trigger) {
    const here = this.#table.triggers[trigger].rows.filter((row) => row.sources.includes(this.state));
    return here.flatMap((row) => (row.resolves === undefined ? [row] : this.#rows(row.resolves)));
  }

  /**
   * @param {Row} row
   * @param {string} source
   */
  #effects(row, source) {
    if (!moves(row, source)) return row.then;
    const { exit = {}, entry = {} } = this.#table;
    return [...(exit[source] ?? []), ...row.then, ...(entry[row.target ?? source] ?? [])];
  }
}

/**
 * Whether a row leaves a state, so that exit and entry effects are asked for and timers change.
 * @param {Row} row
 * @param {string} source
 */
function moves(row, source) {
  return row.target !== null && (row.target !== source || row.reenters === true);
}
