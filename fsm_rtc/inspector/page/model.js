/**
 * What the page knows: connections, their machines, and the latest records, in the order in which they were made.
 * Nothing here knows the document.
 * @module
 */

/** So many records of a live process are kept; then the oldest tenth goes. */
const MOST_RECORDS = 100_000;

/**
 * One record.
 * @typedef {object} Rec
 * @property {number} seq its place in the journal; behind a gap, somewhere in it
 * @property {number} time seconds on the journal's clock
 * @property {Machine} machine whose
 * @property {number} generation of which peer connection
 * @property {"started" | "accepted" | "rejected"} kind what it says
 * @property {string} trigger the event; empty for `started`
 * @property {string} source the state before; empty for `started`
 * @property {string} state the state after
 * @property {string[]} guards of the row that was taken
 * @property {string | null} guard what refused
 * @property {string | null} reason why it was rejected
 * @property {string | null} first the implicit trigger whose refusal it was
 */

/**
 * A chart, as data.
 * @typedef {object} Chart
 * @property {string} name
 * @property {string} about
 * @property {string} initial
 * @property {string[]} final
 * @property {Object<string, string>} boxes the id of each state's box in the drawing
 * @property {Object<string, string[]>} allowed by state, the triggers that have a row there
 * @property {Object<string, string>} sentences of the guards and checks
 */

/** A machine that is or was watched. */
export class Machine {
  /** @param {any[]} row as the feed has it @param {Connection} connection */
  constructor(row, connection) {
    this.number = row[0];
    this.label = row[1];
    const isLonger = this.label.startsWith(`${connection.name}.`);
    this.name = isLonger ? this.label.slice(connection.name.length + 1) : this.label;
    this.connection = connection;
    /** @type {Rec[]} */
    this.records = [];
    this.update(row);
    /** The last accepted event before those that the page was told. @type {Rec | null} */
    this.earlier = row[9] === null ? null : recordOf(row[9], -1, this);
  }

  /** @param {any[]} row as the feed has it, of this machine */
  update(row) {
    [, , , this.chartName, this.digest, this.generation, this.state, this.accepted, this.rejected] = row;
  }

  /**
   * The latest record up to a place in the journal, and the state then.
   * @param {number} seq
   * @returns {{state: string | null, record: Rec | null, edge: Rec | null}} state is null before it was there; edge is
   *   the last accepted event
   */
  at(seq) {
    const index = lastUpTo(this.records, seq);
    if (index < 0) {
      const next = this.records[0];
      if (next !== undefined) return { state: next.source || null, record: null, edge: null };
      return { state: this.state, record: this.earlier, edge: this.earlier };
    }
    let edge = index;
    while (edge >= 0 && this.records[edge].kind === "rejected") edge -= 1;
    const taken = edge >= 0 && this.records[edge].kind === "accepted" ? this.records[edge] : null;
    return { state: this.records[index].state, record: this.records[index], edge: taken };
  }
}

/** A connection: the machines whose labels begin alike. */
export class Connection {
  /** @param {string} name */
  constructor(name) {
    this.name = name;
    /** @type {Machine[]} */
    this.machines = [];
    /** @type {Rec[]} */
    this.records = [];
    /** @type {Rec[]} */
    this.rejections = [];
    /** When its first record was made, also when that is dropped. @type {number | null} */
    this.began = null;
    this.revision = 0;
  }

  /** How many events were rejected since the page knows it. */
  get rejected() {
    return this.machines.reduce((sum, machine) => sum + machine.rejected, 0);
  }
}

/** Everything that the page knows. */
export class Model {
  constructor() {
    this.reset();
  }

  reset() {
    /** @type {Map<string, Connection>} */
    this.connections = new Map();
    /** @type {Map<number, Machine>} */
    this.machines = new Map();
    /** @type {Map<string, Chart>} */
    this.charts = new Map();
    this.next = 0;
    this.kept = 0;
    this.missed = 0;
    this.isLive = true;
    this.name = "";
    /** Counts whatever changes the list of connections. */
    this.revision = 0;
  }

  /**
   * Take one message of the feed.
   * @param {any} message
   * @returns {Rec[]} the rejections that are news
   */
  take(message) {
    if (message.type === "snapshot") {
      this.reset();
      this.name = message.name;
      this.isLive = message.live;
    }
    if (message.type === "missed") {
      this.missed += message.missed;
      this.next = message.first;
    }
    for (const [digest, chart] of Object.entries(message.charts)) this.charts.set(digest, chart);
    for (const row of message.machines) this.#meet(row);
    if (message.type === "missed") this.#catchUp(message.machines, message.first);
    for (const name of message.gone ?? []) this.#forget(name);
    this.next = message.first;
    const isNews = message.type === "changes";
    const rejections = [];
    for (const row of message.records ?? []) {
      const record = this.#record(row, isNews);
      if (isNews && record?.kind === "rejected") rejections.push(record);
    }
    if (this.isLive && this.kept > MOST_RECORDS) this.#drop();
    this.revision += 1;
    return rejections;
  }

  /**
   * Whether every machine that can come to an end has come to it.
   * @param {Connection} connection
   */
  isOver(connection) {
    let ended = false;
    for (const machine of connection.machines) {
      const final = this.charts.get(machine.digest)?.final ?? [];
      if (final.length === 0) continue;
      if (!final.includes(machine.state)) return false;
      ended = true;
    }
    return ended;
  }

  #meet(row) {
    const known = this.machines.get(row[0]);
    if (known !== undefined) {
      known.update(row);
      known.connection.revision += 1;
      return;
    }
    let connection = this.connections.get(row[2]);
    if (connection === undefined) {
      connection = new Connection(row[2]);
      this.connections.set(connection.name, connection);
    }
    const machine = new Machine(row, connection);
    connection.machines.push(machine);
    connection.revision += 1;
    this.machines.set(machine.number, machine);
  }

  /** Behind a gap: take the last event of each machine that moved in it, which is all that the page is told of it. */
  #catchUp(rows, next) {
    const moved = rows.filter(([number, , , , , , state, , , last]) => {
      const { records } = this.machines.get(number);
      const latest = records[records.length - 1];
      return last !== null ? !(latest?.time >= last[1]) : latest?.state !== state;
    });
    const records = moved.map((row) => {
      const machine = this.machines.get(row[0]);
      const latest = machine.connection.records[machine.connection.records.length - 1];
      return recordOf(row[9] ?? [row[0], latest?.time ?? 0, row[5], null, null, row[6]], 0, machine);
    });
    records.sort((one, other) => one.time - other.time);
    records.forEach((record, place) => {
      record.seq = next - 1 + (place + 1) / (records.length + 1);
      record.machine.records.push(record);
      record.machine.connection.records.push(record);
      record.machine.connection.revision += 1;
    });
    this.kept += records.length;
  }

  #forget(name) {
    const connection = this.connections.get(name);
    if (connection === undefined) return;
    for (const machine of connection.machines) this.machines.delete(machine.number);
    this.connections.delete(name);
    this.kept -= connection.records.length;
  }

  #record(row, isNews) {
    const seq = this.next;
    this.next += 1;
    const machine = this.machines.get(row[0]);
    if (machine === undefined) return null;
    const record = recordOf(row, seq, machine);
    const connection = machine.connection;
    connection.began ??= record.time;
    machine.records.push(record);
    connection.records.push(record);
    if (record.kind === "rejected") connection.rejections.push(record);
    if (isNews) {
      machine.state = record.state;
      machine.generation = record.generation;
      if (record.kind === "rejected") machine.rejected += 1;
      else if (record.kind === "accepted") machine.accepted += 1;
    }
    connection.revision += 1;
    this.kept += 1;
    return record;
  }

  /** Drop the oldest tenth of the records. */
  #drop() {
    const before = this.next - this.kept + Math.ceil(MOST_RECORDS / 10);
    this.kept = 0;
    for (const connection of this.connections.values()) {
      connection.records = since(connection.records, before);
      connection.rejections = since(connection.rejections, before);
      for (const machine of connection.machines) machine.records = since(machine.records, before);
      connection.revision += 1;
      this.kept += connection.records.length;
    }
  }
}

/**
 * A record as the feed has it.
 * @param {any[]} row
 * @param {number} seq
 * @param {Machine} machine
 * @returns {Rec}
 */
function recordOf(row, seq, machine) {
  const [, time, generation, trigger, source] = row;
  const isRejected = trigger !== null && row[5] === null;
  return {
    seq,
    time,
    machine,
    generation,
    kind: trigger === null ? "started" : isRejected ? "rejected" : "accepted",
    trigger: trigger ?? "",
    source: source ?? "",
    state: isRejected ? source : row[5],
    guards: isRejected ? [] : row[6] ?? [],
    guard: isRejected ? row[6] : null,
    reason: isRejected ? row[7] : null,
    first: isRejected ? row[8] : null,
  };
}

/**
 * The index of the last record up to a place in the journal; -1 if there is none.
 * @param {Rec[]} records
 * @param {number} seq
 */
export function lastUpTo(records, seq) {
  let low = 0;
  let high = records.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (records[middle].seq <= seq) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** @param {Rec[]} records @param {number} seq */
function since(records, seq) {
  const first = lastUpTo(records, seq - 1) + 1;
  return first === 0 ? records : records.slice(first);
}
