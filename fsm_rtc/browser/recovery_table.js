// Generated from fsm_rtc/machines/recovery.py: python -m fsm_rtc.browser.tables

/** @type {import('./machine.js').Table} */
export const RECOVERY = {
  "machine": "Recovery",
  "digest": "463f42d8483dde5f",
  "initial": "idle",
  "final": [],
  "triggers": {
    "close": { "checks": [], "rows": [
      {"sources": ["idle", "cut early", "watching", "cut", "suspect", "overdue", "long overdue", "backing off", "waiting", "restarting ICE", "recreating", "following", "goodbye", "gave up"], "target": "closed", "when": [], "then": []},
    ] },
    "on_agreed": { "checks": [], "rows": [
      {"sources": ["cut early"], "target": "idle", "when": [], "then": []},
      {"sources": ["suspect", "overdue", "long overdue", "backing off", "waiting"], "target": "following", "when": [], "then": []},
      {"sources": ["restarting ICE", "recreating", "following"], "target": null, "when": [], "then": [], "restarts": ["on_attempt_failed"]},
      {"sources": ["idle", "watching", "cut", "goodbye", "gave up", "closed"], "target": null, "when": [], "then": []},
    ] },
    "on_attempt_failed": { "checks": [], "rows": [
      {"sources": ["restarting ICE", "recreating", "following"], "target": null, "when": ["exchange_under_way"], "then": [], "restarts": ["on_attempt_failed"]},
      {"sources": ["restarting ICE"], "target": "recreating", "when": ["link_is_up", "peer_is_there", "no_exchange", "attempts_left"], "then": ["Recreate"]},
      {"sources": ["restarting ICE", "recreating", "following"], "target": "gave up", "when": ["no_attempts_left"], "then": ["give_up_no_attempts"]},
      {"sources": ["restarting ICE", "recreating", "following"], "target": "backing off", "when": [], "then": []},
    ] },
    "on_backed_off": { "checks": [], "rows": [
      {"sources": ["backing off"], "target": "recreating", "when": ["link_is_up", "peer_is_there", "no_exchange", "attempts_left"], "then": ["Recreate"]},
      {"sources": ["backing off"], "target": "waiting", "when": [], "then": []},
    ] },
    "on_call_over": { "checks": [], "rows": [
      {"sources": ["suspect", "overdue", "long overdue", "backing off", "waiting", "restarting ICE", "recreating", "following"], "target": "gave up", "when": [], "then": []},
      {"sources": ["cut early", "watching", "cut", "goodbye"], "target": "idle", "when": [], "then": []},
      {"sources": ["idle", "gave up", "closed"], "target": null, "when": [], "then": []},
    ] },
    "on_chance": { "checks": [], "rows": [
      {"sources": ["overdue"], "target": "restarting ICE", "when": ["leads", "link_is_up", "peer_is_there", "no_exchange", "attempts_left", "can_restart_ice"], "then": ["OfferIceRestart"]},
      {"sources": ["overdue"], "target": "recreating", "when": ["leads", "link_is_up", "peer_is_there", "no_exchange", "attempts_left"], "then": ["Recreate"]},
      {"sources": ["long overdue"], "target": "restarting ICE", "when": ["link_is_up", "peer_is_there", "no_exchange", "attempts_left", "can_restart_ice"], "then": ["OfferIceRestart"]},
      {"sources": ["long overdue"], "target": "recreating", "when": ["link_is_up", "peer_is_there", "no_exchange", "attempts_left"], "then": ["Recreate"]},
      {"sources": ["waiting"], "target": "backing off", "when": ["link_is_up", "peer_is_there", "no_exchange"], "then": []},
    ] },
    "on_closed": { "checks": [], "rows": [
      {"sources": ["idle"], "target": "cut early", "when": [], "then": []},
      {"sources": ["watching"], "target": "cut", "when": [], "then": ["NoteCut"]},
      {"sources": ["suspect"], "target": "overdue", "when": [], "then": []},
      {"sources": ["restarting ICE"], "target": "recreating", "when": ["link_is_up", "peer_is_there", "no_exchange", "attempts_left"], "then": ["Recreate"]},
      {"sources": ["cut early", "cut", "overdue", "long overdue", "restarting ICE", "recreating", "following", "backing off", "waiting", "goodbye", "gave up", "closed"], "target": null, "when": [], "then": []},
    ] },
    "on_dtls_failed": { "checks": [], "rows": [
      {"sources": ["idle", "cut early", "watching", "cut", "suspect", "overdue", "long overdue", "backing off", "waiting", "restarting ICE", "recreating", "following", "goodbye"], "target": "gave up", "when": [], "then": ["GiveUp"]},
      {"sources": ["gave up", "closed"], "target": null, "when": [], "then": []},
    ] },
    "on_goodbye": { "checks": [], "rows": [
      {"sources": ["idle", "cut early", "watching", "cut", "suspect", "overdue", "long overdue", "backing off", "waiting", "restarting ICE", "recreating", "following"], "target": "goodbye", "when": [], "then": []},
      {"sources": ["goodbye", "gave up", "closed"], "target": null, "when": [], "then": []},
    ] },
    "on_heard": { "checks": [], "rows": [
      {"sources": ["idle", "cut early"], "target": "watching", "when": [], "then": ["StartHeartbeat"]},
      {"sources": ["cut"], "target": "watching", "when": [], "then": []},
      {"sources": ["suspect", "overdue", "long overdue", "backing off", "waiting", "restarting ICE", "recreating", "following"], "target": "watching", "when": [], "then": ["TellRecovered"]},
      {"sources": ["watching", "goodbye", "gave up", "closed"], "target": null, "when": [], "then": []},
    ] },
    "on_long_overdue": { "checks": [], "rows": [
      {"sources": ["overdue"], "target": "restarting ICE", "when": ["link_is_up", "peer_is_there", "no_exchange", "attempts_left", "can_restart_ice"], "then": ["OfferIceRestart"]},
      {"sources": ["overdue"], "target": "recreating", "when": ["link_is_up", "peer_is_there", "no_exchange", "attempts_left"], "then": ["Recreate"]},
      {"sources": ["overdue"], "target": "gave up", "when": ["no_attempts_left"], "then": ["give_up_no_attempts"]},
      {"sources": ["overdue"], "target": "long overdue", "when": [], "then": []},
    ] },
    "on_lost": { "checks": [], "rows": [
      {"sources": ["watching"], "target": "suspect", "when": [], "then": ["TellLost"]},
      {"sources": ["idle", "cut early", "cut", "suspect", "overdue", "long overdue", "backing off", "waiting", "restarting ICE", "recreating", "following", "goodbye", "gave up", "closed"], "target": null, "when": [], "then": []},
    ] },
    "on_lost_for_good": { "checks": [], "rows": [
      {"sources": ["watching", "cut"], "target": "overdue", "when": [], "then": ["TellLost"]},
      {"sources": ["suspect"], "target": "overdue", "when": [], "then": []},
      {"sources": ["restarting ICE", "recreating", "following"], "target": null, "when": ["exchange_under_way"], "then": []},
      {"sources": ["restarting ICE"], "target": "recreating", "when": ["link_is_up", "peer_is_there", "no_exchange", "attempts_left"], "then": ["Recreate"]},
      {"sources": ["restarting ICE", "recreating", "following"], "target": "gave up", "when": ["no_attempts_left"], "then": ["give_up_no_attempts"]},
      {"sources": ["restarting ICE", "recreating", "following"], "target": "backing off", "when": [], "then": []},
      {"sources": ["idle", "cut early", "overdue", "long overdue", "backing off", "waiting", "goodbye", "gave up", "closed"], "target": null, "when": [], "then": []},
    ] },
    "on_new_call": { "checks": [], "rows": [
      {"sources": ["cut early", "watching", "cut", "suspect", "overdue", "long overdue", "backing off", "waiting", "restarting ICE", "recreating", "following", "goodbye", "gave up"], "target": "idle", "when": [], "then": ["ResetAttempts"]},
      {"sources": ["idle"], "target": null, "when": [], "then": ["ResetAttempts"]},
      {"sources": ["closed"], "target": null, "when": [], "then": []},
    ] },
    "on_no_bye": { "checks": [], "rows": [
      {"sources": ["goodbye"], "target": "idle", "when": [], "then": ["EndByPeer"]},
    ] },
    "on_no_goodbye": { "checks": [], "rows": [
      {"sources": ["cut"], "target": "overdue", "when": [], "then": ["tell_cut"]},
    ] },
    "on_no_offer": { "checks": [], "rows": [
      {"sources": ["cut early"], "target": "idle", "when": [], "then": ["EndEarly"]},
    ] },
    "on_overdue": { "checks": [], "rows": [
      {"sources": ["suspect"], "target": "overdue", "when": [], "then": []},
    ] },
    "on_progress": { "checks": [], "rows": [
      {"sources": ["restarting ICE", "recreating", "following"], "target": null, "when": [], "then": [], "restarts": ["on_attempt_failed"]},
      {"sources": ["idle", "cut early", "watching", "cut", "suspect", "overdue", "long overdue", "backing off", "waiting", "goodbye", "gave up", "closed"], "target": null, "when": [], "then": []},
    ] },
    "on_silence": { "checks": [], "rows": [
      {"sources": ["watching"], "target": "suspect", "when": ["peer_answers"], "then": ["tell_silent"]},
      {"sources": ["watching"], "target": null, "when": [], "then": [], "restarts": ["on_silence"]},
    ] },
    "on_stood": { "checks": [], "rows": [
      {"sources": ["watching"], "target": null, "when": [], "then": ["ResetAttempts"]},
    ] },
    "on_too_long": { "checks": [], "rows": [
      {"sources": ["suspect", "overdue", "long overdue", "backing off", "waiting", "restarting ICE", "recreating", "following"], "target": "gave up", "when": [], "then": ["give_up_late"]},
    ] },
    "on_turn": { "checks": [], "rows": [
      {"sources": ["overdue"], "target": "restarting ICE", "when": ["leads", "link_is_up", "peer_is_there", "no_exchange", "attempts_left", "can_restart_ice"], "then": ["OfferIceRestart"]},
      {"sources": ["overdue"], "target": "recreating", "when": ["leads", "link_is_up", "peer_is_there", "no_exchange", "attempts_left"], "then": ["Recreate"]},
      {"sources": ["overdue"], "target": null, "when": [], "then": []},
    ] },
  },
  "entry": {"idle": ["StopHeartbeat"], "gave up": ["StopHeartbeat"], "closed": ["StopHeartbeat"]},
  "timers": [
    {"trigger": "on_silence", "sources": ["watching"], "after": "suspect_seconds", "per": "state", "since": "heard_at", "late": "postpone", "jitter": "none"},
    {"trigger": "on_no_goodbye", "sources": ["cut"], "after": 0.5, "per": "state", "since": null, "late": "postpone", "jitter": "none"},
    {"trigger": "on_no_offer", "sources": ["cut early"], "after": 5.0, "per": "state", "since": null, "late": "postpone", "jitter": "none"},
    {"trigger": "on_no_bye", "sources": ["goodbye"], "after": "bye_seconds", "per": "state", "since": null, "late": "postpone", "jitter": "none"},
    {"trigger": "on_overdue", "sources": ["suspect"], "after": "overdue_seconds", "per": "state", "since": null, "late": "postpone", "jitter": "none"},
    {"trigger": "on_turn", "sources": ["overdue"], "after": 0.0, "per": "state", "since": null, "late": "fire", "jitter": "none"},
    {"trigger": "on_long_overdue", "sources": ["overdue"], "after": "follower_seconds", "per": "state", "since": null, "late": "postpone", "jitter": "none"},
    {"trigger": "on_attempt_failed", "sources": ["following", "recreating", "restarting ICE"], "after": "attempt_seconds", "per": "state", "since": null, "late": "postpone", "jitter": "none"},
    {"trigger": "on_backed_off", "sources": ["backing off"], "after": "backoff_seconds", "per": "state", "since": null, "late": "postpone", "jitter": "full"},
    {"trigger": "on_stood", "sources": ["watching"], "after": "stood_seconds", "per": "state", "since": null, "late": "postpone", "jitter": "none"},
    {"trigger": "on_too_long", "sources": ["backing off", "following", "long overdue", "overdue", "recreating", "restarting ICE", "suspect", "waiting"], "after": "give_up_seconds", "per": "sources", "since": null, "late": "postpone", "jitter": "none"},
  ],
};
