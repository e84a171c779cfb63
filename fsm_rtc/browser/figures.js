// Generated from the figures of fsm_rtc: python -m fsm_rtc.browser.tables

export const ACKNOWLEDGE_AT_ONCE = 256;

export const ACKNOWLEDGE_SECONDS = 45;

export const ACKNOWLEDGE_WITHIN_SECONDS = 0.02;

export const CANDIDATE_CHARACTERS = 4096;

export const CHANNEL_PROTOCOL = "fsm-rtc.1";

export const CODES_FEATURE = "codes";

export const CUT_SECONDS = 0.5;

export const END_CODES = Object.freeze({
  closed: "closed",
  notTrusted: "not_trusted",
  namesake: "namesake",
  connectionFailed: "connection_failed",
  connectionLost: "connection_lost",
});

export const END_SENTENCES = Object.freeze({
  closed: "closed",
  notTrusted: "the other side does not trust this key under that name",
  namesake: "somebody else was the first under that name",
  connectionFailed: "the connection has failed",
  connectionLost: "the connection was lost: the other side is gone",
});

export const FEATURE = "delivery";

export const FLOW_LIMITS = Object.freeze({
  highBytes: 1048576,
  lowBytes: 262144,
});

export const FOLLOWER_PATIENCE = 1.25;

export const KEPT_CANDIDATES = 1024;

export const KEPT_PEERS = 64;

export const KEPT_STREAMS = 8;

export const LOSS_REASONS = Object.freeze({
  silent: "nothing was heard of it",
  iceDisconnected: "ICE is disconnected: its consent was not renewed",
  iceFailed: "ICE has failed",
  connectionClosed: "its side of the connection was closed without a goodbye",
  channelClosed: "the data channel was closed without a goodbye",
});

export const MAX_DATA_BYTES = 262143;

export const MAX_STREAMS = 16;

export const MAX_UNACKNOWLEDGED_BYTES = 8388608;

export const MAX_UNACKNOWLEDGED_MESSAGES = 1024;

export const RECOVERING = ["suspect", "overdue", "long overdue", "backing off", "waiting", "restarting ICE", "recreating", "following"];

export const RECOVERY_POLICY = Object.freeze({
  heartbeatSeconds: 1,
  suspectAfterSeconds: 2.5,
  beginAfterSeconds: 4.5,
  followerWaitsSeconds: 1,
  attemptSeconds: 8,
  attempts: 8,
  stoodSeconds: 10,
  firstBackoffSeconds: 0.5,
  longestBackoffSeconds: 15,
  giveUpAfterSeconds: 90,
  connectTimeoutSeconds: 60,
  answerTimeoutSeconds: 20,
});

export const SIGNALED_BYE_SECONDS = 3;

export const WATCHED = ["watching", "cut", "suspect", "overdue", "long overdue", "backing off", "waiting", "restarting ICE", "recreating", "following", "goodbye"];

export const WINDOW = 256;
