/**
 * The sentences of the page.
 * @module
 */

/** @typedef {import("./model.js").Rec} Rec */
/** @typedef {import("./model.js").Model} Model */

/** What each reason means. */
const REASONS = {
  "already there": "it is there already, so there is nothing to do",
  "check refused": "a check refused it",
  closed: "the machine has come to its end",
  "guard refused": "a guard refused it",
  "no row": "the table has no row for it here",
  stale: "it is of an earlier peer connection",
  "unknown report": "no such state is known",
};

/**
 * Why a record was rejected.
 * @param {Rec} record
 * @returns {string} a clause
 */
export function whyRejected(record) {
  const reason = REASONS[record.reason] ?? record.reason ?? "";
  const guard = record.guard ? ` (${record.guard})` : "";
  const first = record.first ? `, by its implicit ${record.first}` : "";
  return `${reason}${guard}${first}`;
}

/**
 * The sentence of the guard or check that refused; empty if there is none.
 * @param {Rec} record
 * @param {Model} model
 */
export function sentenceOfGuard(record, model) {
  return model.charts.get(record.machine.digest)?.sentences[record.guard ?? ""] ?? "";
}

/**
 * What the table would have allowed; empty if the chart isn't known.
 * @param {Rec} record
 * @param {Model} model
 */
export function allowedInstead(record, model) {
  const allowed = model.charts.get(record.machine.digest)?.allowed[record.state];
  if (allowed === undefined) return "";
  return allowed.length === 0 ? "nothing is possible here" : `possible here: ${allowed.join(", ")}`;
}

/**
 * One record in a line, without its time and machine.
 * @param {Rec} record
 */
export function told(record) {
  if (record.kind === "started") return `begins in ${record.state}`;
  if (record.kind === "rejected") return `${record.trigger} rejected in ${record.state}: ${whyRejected(record)}`;
  const guards = record.guards.length > 0 ? ` [${record.guards.join(" and ")}]` : "";
  return record.source === record.state
    ? `${record.trigger}${guards}, stays ${record.state}`
    : `${record.trigger}${guards}: ${record.source} → ${record.state}`;
}

/**
 * Seconds since a beginning.
 * @param {number} time
 * @param {number} since
 */
export function seconds(time, since) {
  return `${(time - since).toFixed(3)} s`;
}

/**
 * A count with its noun.
 * @param {number} number
 * @param {string} one
 * @param {string} [many]
 */
export function counted(number, one, many = `${one}s`) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}
