// Why a call ends, as a program reads it, and as it stands in a goodbye. Source: docs/protocol.md, bye.

import { END_CODES, END_SENTENCES } from "./figures.js";

/** @type {Map<string, string>} */
const BY_SENTENCE = new Map(Object.entries(END_SENTENCES).map(([name, sentence]) => [sentence, codeNamed(name)]));

/** @type {Set<string>} */
const KNOWN = new Set(Object.values(END_CODES));

/**
 * The payload of a goodbye.
 * @param {string} reason - for people
 * @param {string} code - for programs; empty for no code
 */
export function writtenEnd(reason, code) {
  if (code === "") return reason;
  return reason === code ? code : `${code}: ${reason}`;
}

/**
 * What a goodbye says. One without a code, from a side of an earlier version, is known by its sentence.
 * @param {string} payload
 * @returns {{ reason: string, code: string }} the code is empty if there is none that is known here
 */
export function readEnd(payload) {
  const known = BY_SENTENCE.get(payload);
  if (known !== undefined) return { reason: payload, code: known };
  if (KNOWN.has(payload)) return { reason: payload, code: payload };
  const end = payload.indexOf(": ");
  const code = payload.slice(0, Math.max(0, end));
  return KNOWN.has(code) ? { reason: payload.slice(end + 2), code } : { reason: payload, code: "" };
}

/** @param {string} name */
function codeNamed(name) {
  return /** @type {Record<string, string>} */ (END_CODES)[name] ?? "";
}
