// Generated from fsm_rtc/machines/exchange.py: python -m fsm_rtc.browser.tables

/** @type {import('./machine.js').Table} */
export const EXCHANGE = {
  "machine": "Exchange",
  "digest": "11fe5cc6dd794605",
  "initial": "idle",
  "final": ["closed"],
  "triggers": {
    "abandon": { "checks": [], "rows": [
      {"sources": ["idle", "making offer", "awaiting answer", "applying answer", "applying offer", "making answer", "yielding", "leaving"], "target": "closed", "when": [], "then": []},
    ] },
    "answer_applied": { "checks": [], "rows": [
      {"sources": ["applying answer"], "target": "idle", "when": [], "then": ["settle"]},
    ] },
    "answer_made": { "checks": [], "rows": [
      {"sources": ["making answer"], "target": "idle", "when": [], "then": ["send_answer", "settle"]},
    ] },
    "leave": { "checks": [], "rows": [
      {"sources": ["idle"], "target": "closed", "when": ["nobody_joined"], "then": []},
      {"sources": ["idle", "making offer", "awaiting answer", "applying answer", "applying offer", "making answer", "yielding"], "target": "leaving", "when": [], "then": ["send_bye"]},
    ] },
    "negotiate": { "checks": [], "rows": [
      {"sources": ["idle"], "target": "making offer", "when": ["somebody_joined"], "then": ["make_offer"]},
      {"sources": ["idle", "making offer", "awaiting answer", "applying answer", "applying offer", "making answer", "yielding"], "target": null, "when": [], "then": ["remember_need"]},
    ] },
    "negotiate_now": { "checks": [], "rows": [
      {"sources": ["idle"], "target": "making offer", "when": ["somebody_joined"], "then": ["make_offer"]},
    ] },
    "offer_applied": { "checks": [], "rows": [
      {"sources": ["applying offer"], "target": "making answer", "when": [], "then": ["answer_offer"]},
    ] },
    "offer_failed": { "checks": [], "rows": [
      {"sources": ["making offer"], "target": "idle", "when": [], "then": []},
      {"sources": ["yielding"], "target": null, "when": [], "then": []},
    ] },
    "offer_made": { "checks": [], "rows": [
      {"sources": ["making offer"], "target": "awaiting answer", "when": [], "then": ["send_offer"]},
      {"sources": ["yielding"], "target": null, "when": [], "then": []},
    ] },
    "on_ack": { "checks": ["from_the_peer", "of_this_room", "for_this_side", "of_these_sessions", "signed_by_the_peer"], "rows": [
      {"sources": ["leaving"], "target": "closed", "when": ["acknowledges_bye"], "then": ["acknowledge"]},
      {"sources": ["idle", "making offer", "awaiting answer", "applying answer", "applying offer", "making answer", "yielding", "leaving"], "target": null, "when": [], "then": ["acknowledge"]},
    ] },
    "on_answer": { "checks": ["media_section", "ice_credentials", "fingerprint"], "rows": [
      {"sources": ["awaiting answer"], "target": "applying answer", "when": ["answers_this_offer"], "then": ["apply_answer"]},
      {"sources": ["leaving"], "target": null, "when": [], "then": []},
    ] },
    "on_bye": { "checks": [], "rows": [
      {"sources": ["idle", "making offer", "awaiting answer", "applying answer", "applying offer", "making answer", "yielding"], "target": "closed", "when": [], "then": ["end"]},
      {"sources": ["leaving"], "target": "closed", "when": [], "then": ["note_farewell"]},
    ] },
    "on_candidate": { "checks": [], "rows": [
      {"sources": ["idle", "making offer", "awaiting answer", "applying answer", "applying offer", "making answer", "yielding"], "target": null, "when": ["known_offer"], "then": ["take_candidate"]},
      {"sources": ["idle", "making offer", "awaiting answer", "applying answer", "applying offer", "making answer", "yielding"], "target": null, "when": ["ignored_offer"], "then": []},
      {"sources": ["leaving"], "target": null, "when": [], "then": []},
    ] },
    "on_end_of_candidates": { "checks": [], "rows": [
      {"sources": ["idle", "making offer", "awaiting answer", "applying answer", "applying offer", "making answer", "yielding"], "target": null, "when": ["known_offer"], "then": ["take_candidate"]},
      {"sources": ["idle", "making offer", "awaiting answer", "applying answer", "applying offer", "making answer", "yielding"], "target": null, "when": ["ignored_offer"], "then": []},
      {"sources": ["leaving"], "target": null, "when": [], "then": []},
    ] },
    "on_joined": { "checks": ["somebody_else", "introduced_itself", "trusted"], "rows": [
      {"sources": ["idle"], "target": "making offer", "when": ["impolite"], "then": ["make_offer"]},
      {"sources": ["idle"], "target": null, "when": [], "then": []},
    ] },
    "on_left": { "checks": [], "rows": [
      {"sources": ["leaving"], "target": "closed", "when": [], "then": []},
    ] },
    "on_offer": { "checks": ["newer_offer", "media_section", "ice_credentials", "fingerprint"], "rows": [
      {"sources": ["idle"], "target": "applying offer", "when": [], "then": ["apply_offer"]},
      {"sources": ["making offer", "awaiting answer"], "target": "yielding", "when": ["polite"], "then": ["yield_offer"]},
      {"sources": ["making offer", "awaiting answer"], "target": null, "when": ["impolite"], "then": ["ignore_offer"]},
      {"sources": ["applying answer", "applying offer", "making answer", "yielding"], "target": null, "when": [], "then": ["postpone_offer"]},
      {"sources": ["leaving"], "target": null, "when": [], "then": ["ignore_offer"]},
    ] },
    "receive": { "checks": ["from_the_peer", "of_this_room", "for_this_side", "of_these_sessions", "signed_by_the_peer", "taken_once"], "rows": [
      {"sources": ["idle", "making offer", "awaiting answer", "applying answer", "applying offer", "making answer", "yielding", "leaving"], "target": null, "when": ["next_in_sequence"], "then": ["deliver"]},
      {"sources": ["idle", "making offer", "awaiting answer", "applying answer", "applying offer", "making answer", "yielding", "leaving"], "target": null, "when": ["soon_in_sequence"], "then": ["hold"]},
    ] },
    "yielded": { "checks": [], "rows": [
      {"sources": ["yielding"], "target": "applying offer", "when": [], "then": ["apply_offer"]},
    ] },
  },
};
