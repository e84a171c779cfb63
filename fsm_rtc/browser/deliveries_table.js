// Generated from fsm_rtc/machines/delivery.py: python -m fsm_rtc.browser.tables

/** @type {import('./machine.js').Table} */
export const DELIVERIES = {
  "machine": "Deliveries",
  "digest": "50f813e3c84f3d3f",
  "initial": "away",
  "final": ["over"],
  "triggers": {
    "on_acknowledged": { "checks": ["was_sent"], "rows": [
      {"sources": ["flowing"], "target": null, "when": [], "then": ["accept_acknowledgement"]},
    ] },
    "on_begin": { "checks": ["leaves_no_gap"], "rows": [
      {"sources": ["flowing"], "target": null, "when": [], "then": ["begin_at"]},
    ] },
    "on_goodbye": { "checks": [], "rows": [
      {"sources": ["away", "greeting", "flowing"], "target": "over", "when": [], "then": ["forget_messages"]},
    ] },
    "on_hello": { "checks": ["peer_has_what_was_sent"], "rows": [
      {"sources": ["greeting"], "target": "flowing", "when": [], "then": ["resume"]},
    ] },
    "on_lost": { "checks": [], "rows": [
      {"sources": ["greeting", "flowing"], "target": "away", "when": [], "then": []},
    ] },
    "on_message": { "checks": ["number_is_known"], "rows": [
      {"sources": ["flowing"], "target": null, "when": ["has_not_come"], "then": ["hand_over"]},
      {"sources": ["flowing"], "target": null, "when": [], "then": ["skip"]},
    ] },
    "on_open": { "checks": [], "rows": [
      {"sources": ["away"], "target": "greeting", "when": [], "then": ["greet"]},
    ] },
    "send": { "checks": [], "rows": [
      {"sources": ["flowing"], "target": null, "when": [], "then": []},
    ] },
  },
};
