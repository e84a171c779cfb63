// Generated from fsm_rtc/machines/delivery.py: python -m fsm_rtc.browser.tables

/** @type {import('./machine.js').Table} */
export const DELIVERIES = {
  "machine": "Deliveries",
  "digest": "f89da8ce4e531a78",
  "initial": "away",
  "final": ["over"],
  "triggers": {
    "on_acknowledged": { "checks": ["was_sent"], "rows": [
      {"sources": ["flowing"], "target": null, "when": [], "then": ["accept_acknowledgement"]},
    ] },
    "on_begin": { "checks": [], "rows": [
      {"sources": ["flowing"], "target": null, "when": ["leaves_no_gap"], "then": ["begin_at"]},
      {"sources": ["greeting"], "target": null, "when": [], "then": ["greet"]},
    ] },
    "on_goodbye": { "checks": [], "rows": [
      {"sources": ["away", "greeting", "flowing"], "target": "over", "when": [], "then": ["forget_messages"]},
    ] },
    "on_hello": { "checks": ["peer_has_what_was_sent"], "rows": [
      {"sources": ["greeting"], "target": "flowing", "when": [], "then": ["resume"]},
      {"sources": ["flowing"], "target": null, "when": ["is_the_same_stream"], "then": ["greet", "resume"]},
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
