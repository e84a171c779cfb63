// A machine whose table is data: the same rows that fsm_rtc's own engine steps, see exchange_table.js.

/**
 * One row of a table.
 * @typedef {object} Row
 * @property {string[]} sources - the states in which it applies
 * @property {string | null} target - the state to which it leads, or null: it stays
 * @property {string[]} when - the names of its guards
 * @property {string[]} then - the names of its effects
 */

/**
 * A table.
 * @typedef {object} Table
 * @property {string} machine - its name
 * @property {string} digest - its hash, as `fsm-rtc` says it
 * @property {string} initial - the state in which it begins
 * @property {string[]} final - the states out of which nothing leads
 * @property {Record<string, {checks: string[], rows: Row[]}>} triggers - by name
 */

/**
 * What became of an event.
 * @typedef {{accepted: true, effects: string[]} | {accepted: false, reason: string}} Outcome
 */

/** An instance of a table. It changes state by `fire` alone, and does nothing itself. */
export class Machine {
  #table;
  #guards;

  /**
   * @param {Table} table
   * @param {Record<string, (context: any, event: any) => boolean>} guards - each of the table's guards, by name
   * @param {any} context - what the guards read
   */
  constructor(table, guards, context) {
    this.#table = table;
    this.#guards = guards;
    this.context = context;
    /** The present state. */
    this.state = table.initial;
  }

  /** Whether nothing leads out of the present state. */
  get isFinal() {
    return this.#table.final.includes(this.state);
  }

  /**
   * Take an event: the checks first, then the rows of the present state in their order; the first whose guards all
   * agree is taken. What the table doesn't allow changes nothing and says why.
   * @param {string} trigger
   * @param {any} [event]
   * @returns {Outcome}
   */
  fire(trigger, event) {
    const { checks, rows } = this.#table.triggers[trigger];
    const here = rows.filter((row) => row.sources.includes(this.state));
    if (this.isFinal) return { accepted: false, reason: "closed" };
    const failed = checks.find((name) => !this.#guards[name](this.context, event));
    if (failed !== undefined) return { accepted: false, reason: failed };
    let refusing = "no_row";
    for (const row of here) {
      const refused = row.when.find((name) => !this.#guards[name](this.context, event));
      if (refused === undefined) {
        this.state = row.target ?? this.state;
        return { accepted: true, effects: row.then };
      }
      refusing = refused;
    }
    return { accepted: false, reason: refusing };
  }
}
