// The calls that a room's present session has had. A new call with the same session of somebody needs a new one of this side
// (docs/protocol.md, "Goodbye"), so it is remembered with whom one is over.

import { forgetFirst } from "./candidates.js";

const KEPT_CALLS = 256;

/** @typedef {import("./peer.js").Peer} Peer */

export class PastCalls {
  /** @type {Map<string, Peer>} Those that are over with sessions that are there, by id and session. */
  #over = new Map();
  /** @type {Set<string>} The sessions with which there has been one. */
  #had = new Set();

  /** Those that are over and may begin anew. */
  get waiting() {
    return [...this.#over.values()].filter((peer) => peer.ending === "given up");
  }

  /**
   * Whether it is over with this session, which is there.
   * @param {string} call
   */
  isOver(call) {
    return this.#over.has(call);
  }

  /**
   * Whether there has been one with this session.
   * @param {string} call
   */
  wasHad(call) {
    return this.#had.has(call);
  }

  /**
   * One begins.
   * @param {string} call
   */
  begun(call) {
    this.#had.add(call);
    if (this.#had.size > KEPT_CALLS) forgetFirst(this.#had);
  }

  /**
   * One is over, and its peer is there still.
   * @param {Peer} peer
   */
  ended(peer) {
    this.#over.set(callOf(peer), peer);
    if (this.#over.size > KEPT_CALLS) forgetFirst(this.#over);
  }

  /**
   * A peer has left; whether its call was over.
   * @param {string} call
   */
  left(call) {
    return this.#over.delete(call);
  }

  /**
   * Nobody else is there.
   * @param {Set<string>} calls
   */
  keep(calls) {
    for (const call of [...this.#over.keys()]) if (!calls.has(call)) this.#over.delete(call);
  }

  /** This side is another session from now on. */
  clear() {
    this.#over.clear();
    this.#had.clear();
  }
}

/**
 * A session of somebody.
 * @param {{id: string, session: string}} other
 */
export function callOf({ id, session }) {
  return `${id} ${session}`;
}
