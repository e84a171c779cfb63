/**
 * What the user looks at: which connection, which of its machines, which moment, through which filter.
 * @module
 */

import { lastUpTo } from "./model.js";

/** @typedef {import("./model.js").Connection} Connection */
/** @typedef {import("./model.js").Machine} Machine */
/** @typedef {import("./model.js").Model} Model */
/** @typedef {import("./model.js").Rec} Rec */

/** What is chosen of a model. */
export class Selection {
  /** @param {Model} model */
  constructor(model) {
    this.model = model;
    /** The chosen connection's name. */
    this.name = "";
    /** The place in the journal that is looked at; null for the latest. @type {number | null} */
    this.seq = null;
    /** What the filter asks for, in lower case. */
    this.words = "";
    this.onlyRejections = false;
    /** The chosen machine's label; empty for all. */
    this.machine = "";
    this.listedFor = "";
    /** @type {Rec[]} */
    this.listedRecords = [];
  }

  /** @returns {Connection | null} */
  get connection() {
    return this.model.connections.get(this.name) ?? null;
  }

  /** When the chosen connection began, as far as it is known. */
  get beginning() {
    return this.connection?.began ?? 0;
  }

  /** The place that is looked at, as a number. */
  get place() {
    return this.seq ?? Number.POSITIVE_INFINITY;
  }

  /** The machines that are shown. */
  get machines() {
    return (this.connection?.machines ?? []).filter((machine) => this.#isOfMachine(machine));
  }

  /** The rejections that are listed. */
  get rejections() {
    const rejections = this.connection?.rejections ?? [];
    return this.machine === "" ? rejections : rejections.filter((record) => this.#isOfMachine(record.machine));
  }

  /** The events that are listed. */
  get events() {
    const { connection } = this;
    if (connection === null) return [];
    if (this.machine === "" && this.words === "" && !this.onlyRejections) return connection.records;
    const key = [connection.name, connection.revision, this.machine, this.words, this.onlyRejections].join("|");
    if (key !== this.listedFor) {
      this.listedFor = key;
      const isNamed = connection.name.toLowerCase().includes(this.words);
      this.listedRecords = (this.onlyRejections ? connection.rejections : connection.records).filter(
        (record) => this.#isOfMachine(record.machine) && (isNamed || this.#matchesRecord(record)),
      );
    }
    return this.listedRecords;
  }

  /**
   * Look at another connection, at its end.
   * @param {string} name
   */
  choose(name) {
    this.name = name;
    this.machine = "";
    this.seq = null;
  }

  /**
   * Whether a connection passes the filter.
   * @param {Connection} connection
   */
  matches(connection) {
    if (this.onlyRejections && connection.rejected === 0) return false;
    if (this.words === "" || connection.name.toLowerCase().includes(this.words)) return true;
    if (connection.machines.some((machine) => this.#matchesMachine(machine))) return true;
    return connection.name === this.name && connection.records.some((record) => this.#matchesRecord(record));
  }

  /**
   * The place of the event that is so many of those listed back or on; null if none is listed.
   * @param {number} step
   */
  placeFrom(step) {
    const records = this.events;
    if (records.length === 0) return null;
    const now = this.seq === null ? records.length - 1 : lastUpTo(records, this.seq);
    return records[Math.max(0, Math.min(now + step, records.length - 1))].seq;
  }

  /** @param {Machine} machine */
  #isOfMachine(machine) {
    return this.machine === "" || machine.label === this.machine;
  }

  /** @param {Machine} machine */
  #matchesMachine(machine) {
    return `${machine.label} ${machine.chartName} ${machine.state}`.toLowerCase().includes(this.words);
  }

  /** @param {Rec} record */
  #matchesRecord({ machine, trigger, source, state, reason, guard }) {
    const words = [machine.label, trigger, source, state, reason ?? "", guard ?? ""];
    return words.join(" ").toLowerCase().includes(this.words);
  }
}
