// Generated from fsm_rtc/machines/data_channel.py: python -m fsm_rtc.browser.tables

/** @type {import('./machine.js').Table} */
export const FLOW = {
  "machine": "Flow",
  "digest": "3c783312ea0f2a88",
  "initial": "clear",
  "final": [],
  "triggers": {
    "on_buffered_amount": { "checks": [], "rows": [
      {"sources": ["clear"], "target": "congested", "when": ["too_much_waits"], "then": []},
      {"sources": ["congested"], "target": "clear", "when": ["little_waits"], "then": []},
    ] },
    "send": { "checks": [], "rows": [
      {"sources": ["clear"], "target": null, "when": [], "then": []},
    ] },
  },
};
