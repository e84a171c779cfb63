// The other side's candidates: early ones are kept until the description that they belong to is applied, then all go in
// order. The table decides (candidates_table.js); here its requests are carried out, as fsm_rtc/connection/exchange/candidates.py does.

import { CANDIDATES } from "./candidates_table.js";
import { Driver } from "./driver.js";
import { CANDIDATE_CHARACTERS, KEPT_CANDIDATES } from "./figures.js";

/** How many offers are known at a time; two sides need three. */
const KEPT_OFFERS = 8;

/** @typedef {RTCIceCandidateInit | null} Candidate - null: there are no more */

/** @type {Record<string, (kept: {remoteIceUfrag: string}, description: {iceUfrag: string}) => boolean>} */
export const CANDIDATES_GUARDS = {
  new_ice_credentials: (kept, description) => description.iceUfrag !== kept.remoteIceUfrag,
};

/** Those for one offer, or for its answer. */
export class EarlyCandidates {
  #driver;
  #apply;
  /** @type {Candidate[]} */
  #kept = [];
  #taken = 0;

  /** @param {(candidate: Candidate) => void} apply - gives one to the peer connection */
  constructor(apply) {
    this.#apply = apply;
    /** The user fragment of the description that was applied last. */
    this.remoteIceUfrag = "";
    this.#driver = new Driver(CANDIDATES, this, { guards: CANDIDATES_GUARDS, effects: this.#effects });
  }

  /** Where they go: a state of the table. */
  get state() {
    return this.#driver.state;
  }

  /**
   * Keep one, or apply it; why it is refused, or "".
   * @param {Candidate} candidate
   */
  take(candidate) {
    if (this.#kept.length >= KEPT_CANDIDATES || this.#taken >= KEPT_CANDIDATES) return "too many candidates";
    this.#taken += 1;
    return this.#take(candidate) ? "" : "candidate";
  }

  /**
   * Their description was applied.
   * @param {string} sdp
   */
  remoteDescriptionSet(sdp) {
    const iceUfrag = /^a=ice-ufrag:(\S+)/m.exec(sdp)?.[1] ?? "";
    this.#taken = 0;
    this.#driver.fire("remote_description_set", { iceUfrag });
    this.remoteIceUfrag = iceUfrag;
  }

  /**
   * Whether the table takes it, or it says once more that there are no more.
   * @param {Candidate} candidate
   */
  #take(candidate) {
    if (candidate !== null && candidate.candidate !== "") return this.#driver.fire("add_candidate", candidate).accepted;
    this.#driver.fire("end_of_candidates", null);
    return true;
  }

  /** @type {Record<string, (candidate: any) => void>} */
  #effects = {
    buffer_candidate: (candidate) => this.#kept.push(candidate),
    buffer_end: () => this.#kept.push(null),
    apply_candidate: (candidate) => this.#apply(candidate),
    apply_end: () => this.#apply(null),
    release_candidates: () => {
      for (const candidate of this.#kept.splice(0)) this.#take(candidate);
    },
  };
}

/** The offers, of both sides, whose candidates are wanted; and those that came to nothing. */
export class Offers {
  #apply;
  #refused;
  /** @type {Map<string, EarlyCandidates>} */
  known = new Map();
  /** @type {Set<string>} */
  ignored = new Set();

  /**
   * @param {(candidate: Candidate) => void} apply
   * @param {(reason: string) => void} refused
   */
  constructor(apply, refused) {
    this.#apply = apply;
    this.#refused = refused;
  }

  /**
   * From now on the candidates of this offer, and of its answer, are wanted.
   * @param {string} offerId
   */
  know(offerId) {
    if (!this.known.has(offerId)) this.known.set(offerId, new EarlyCandidates(this.#apply));
    if (this.known.size > KEPT_OFFERS) forgetFirst(this.known);
  }

  /**
   * They are wanted no longer.
   * @param {string} offerId
   */
  ignore(offerId) {
    this.known.delete(offerId);
    this.ignored.add(offerId);
    if (this.ignored.size > KEPT_OFFERS) forgetFirst(this.ignored);
  }

  /**
   * A candidate for a known offer has come, or the word that there are no more.
   * @param {import("./wire.js").PeerMessage} message
   */
  take(message) {
    const reason = this.#read(message);
    if (reason !== "") this.#refused(reason);
  }

  /**
   * The description that an offer's candidates wait for is applied.
   * @param {string} offerId
   * @param {string} sdp
   */
  applied(offerId, sdp) {
    this.known.get(offerId)?.remoteDescriptionSet(sdp);
  }

  /** @param {import("./wire.js").PeerMessage} message */
  #read({ type, payload, offer_id }) {
    const known = this.known.get(offer_id);
    if (type !== "candidate") return known?.take(null) ?? "";
    if (payload.length > CANDIDATE_CHARACTERS) return "candidate";
    try {
      const candidate = JSON.parse(payload);
      if (typeof candidate?.candidate !== "string") return "candidate";
      return known?.take(candidate) ?? "";
    } catch {
      return "candidate";
    }
  }
}

/**
 * Forget what came first.
 * @param {{keys(): Iterator<string>, delete(key: string): boolean}} kept
 */
export function forgetFirst(kept) {
  const { value, done } = kept.keys().next();
  if (!done) kept.delete(value);
}
