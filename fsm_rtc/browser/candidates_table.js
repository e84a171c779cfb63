// Generated from fsm_rtc/machines/candidates.py: python -m fsm_rtc.browser.tables

/** @type {import('./machine.js').Table} */
export const CANDIDATES = {
  "machine": "Candidates",
  "digest": "8e3f00d6fb6c3ab3",
  "initial": "buffering",
  "final": [],
  "triggers": {
    "add_candidate": { "checks": [], "rows": [
      {"sources": ["buffering"], "target": null, "when": [], "then": ["buffer_candidate"]},
      {"sources": ["live"], "target": null, "when": [], "then": ["apply_candidate"]},
    ] },
    "end_of_candidates": { "checks": [], "rows": [
      {"sources": ["buffering"], "target": null, "when": [], "then": ["buffer_end"]},
      {"sources": ["live"], "target": "ended", "when": [], "then": ["apply_end"]},
    ] },
    "remote_description_set": { "checks": [], "rows": [
      {"sources": ["buffering"], "target": "live", "when": [], "then": ["release_candidates"]},
      {"sources": ["live"], "target": null, "when": [], "then": []},
      {"sources": ["ended"], "target": "live", "when": ["new_ice_credentials"], "then": []},
      {"sources": ["ended"], "target": null, "when": [], "then": []},
    ] },
    "reset": { "checks": [], "rows": [
      {"sources": ["live", "ended"], "target": "buffering", "when": [], "then": []},
      {"sources": ["buffering"], "target": null, "when": [], "then": []},
    ] },
  },
};
