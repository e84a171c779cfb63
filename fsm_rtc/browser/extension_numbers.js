// RTP header extensions, numbered by URI, alike for all kinds of media and the same in every offer of a session.
//
// Chromium numbers them anew in each offer. Since 148 it refuses a description that gives a number another meaning than
// any that it has seen, rolled back or not ("RTP extension ID reassignment not supported", "codec collision for header
// extension id=1"): when one side adds video and the other one audio at once, their calls end there. So each offer is
// renumbered before it is applied; both sides of a call begin with the same numbers, as fsm_rtc's Python does.

/** Chromium's own for video, and 12 for the level of audio; see SESSION_NUMBERS in fsm_rtc/peer/jsep/codecs.py. */
const SESSION_NUMBERS = new Map([
  ["urn:ietf:params:rtp-hdrext:toffset", 1],
  ["http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time", 2],
  ["urn:3gpp:video-orientation", 3],
  ["http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01", 4],
  ["http://www.webrtc.org/experiments/rtp-hdrext/playout-delay", 5],
  ["http://www.webrtc.org/experiments/rtp-hdrext/video-content-type", 6],
  ["http://www.webrtc.org/experiments/rtp-hdrext/video-timing", 7],
  ["http://www.webrtc.org/experiments/rtp-hdrext/color-space", 8],
  ["urn:ietf:params:rtp-hdrext:sdes:mid", 9],
  ["urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id", 10],
  ["urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id", 11],
  ["urn:ietf:params:rtp-hdrext:ssrc-audio-level", 12],
]);

const RESERVED = new Set(SESSION_NUMBERS.values());

/** Number, direction if any, and what the number stands for: a URI, with its attributes. Source: RFC 8285, section 8. */
const EXTMAP = /^a=extmap:(\d+)(\/\w+)? ([^\r\n]+)/gm;

const MAX_NUMBER = 255;

export class ExtensionNumbers {
  /** @type {Map<number, string>} */
  #uris = new Map();
  /** @type {Map<string, number>} */
  #numbers = new Map();

  /**
   * Keep to the numbers of a description of the other side, whatever becomes of it.
   * @param {string} sdp
   */
  learn(sdp) {
    for (const [, number, , uri] of sdp.matchAll(EXTMAP)) this.#set(Number(number), uri);
  }

  /**
   * An offer with the session's numbers.
   * @param {string} sdp
   */
  numbered(sdp) {
    return sdp.replace(
      EXTMAP,
      (_, offered, direction = "", uri) => `a=extmap:${this.#of(uri, Number(offered))}${direction} ${uri}`,
    );
  }

  /**
   * @param {string} uri
   * @param {number} offered
   */
  #of(uri, offered) {
    const known = this.#numbers.get(uri);
    if (known !== undefined && this.#uris.get(known) === uri) return known;
    const isFree = (/** @type {number} */ number) => !this.#uris.has(number);
    const reserved = SESSION_NUMBERS.get(uri);
    let number = reserved !== undefined && isFree(reserved) ? reserved : offered;
    if (number !== reserved && (RESERVED.has(number) || !isFree(number))) {
      number = 1;
      while (number < MAX_NUMBER && (RESERVED.has(number) || number === 15 || !isFree(number))) number += 1;
    }
    this.#set(number, uri);
    return number;
  }

  /**
   * @param {number} number
   * @param {string} uri
   */
  #set(number, uri) {
    this.#uris.set(number, uri);
    this.#numbers.set(uri, number);
  }
}
