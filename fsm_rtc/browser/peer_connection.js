// The present RTCPeerConnection of a call, as an exchange uses it; replaced when the other side has another certificate.

import { ExtensionNumbers } from "./extension_numbers.js";

const SECURE_CHANNEL = "secure-channel";
const ENDING = new Set(["closing", "closed"]);
/** @type {Record<string, string>} */
const OTHER_ROLE = { active: "passive", passive: "active" };

/**
 * Who is told what it does.
 * @typedef {object} PeerConnectionEvents
 * @property {(state: RTCPeerConnectionState) => void} stateChanged
 * @property {(channel: RTCDataChannel | null) => void} channelChanged - it is another one now, or its state has changed
 * @property {(candidate: RTCIceCandidateInit | null) => void} candidate
 * @property {() => void} negotiationNeeded
 * @property {(event: RTCTrackEvent) => void} track
 * @property {(data: string | ArrayBuffer) => void} message
 */

export class ReplaceablePeerConnection {
  #events;
  #configuration;
  #isClosed = false;
  /** @type {Map<MediaStreamTrack, MediaStream>} */
  #tracks = new Map();
  #extensions = new ExtensionNumbers();
  #protocol;
  /** @type {RTCPeerConnection | null} */
  connection = null;
  /** @type {RTCDataChannel | null} */
  channel = null;

  /**
   * @param {() => RTCConfiguration} configuration - asked for each peer connection
   * @param {PeerConnectionEvents} events
   * @param {string} [protocol] - the subprotocol of the data channels that this side makes
   */
  constructor(configuration, events, protocol = "") {
    this.#protocol = protocol;
    this.#configuration = configuration;
    this.#events = events;
  }

  /**
   * Send a track, on this peer connection and the next ones.
   * @param {MediaStreamTrack} track
   * @param {MediaStream} stream
   */
  addTrack(track, stream) {
    this.#tracks.set(track, stream);
    this.connection?.addTrack(track, stream);
  }

  /**
   * Send it no longer.
   * @param {MediaStreamTrack} track
   */
  removeTrack(track) {
    this.#tracks.delete(track);
    const sender = this.connection?.getSenders().find((one) => one.track === track);
    if (sender !== undefined) this.connection?.removeTrack(sender);
  }

  /**
   * Use the present configuration's servers from the next gathering on. A relay keeps the credentials that it was asked
   * for with; where they end soon and it carries the call, ICE restarts, and the old one serves until the new one does.
   * @param {boolean} areDue - whether what was configured before ends soon
   */
  useServers(areDue) {
    const { connection } = this;
    if (connection === null || connection.signalingState === "closed") return;
    connection.setConfiguration({ ...connection.getConfiguration(), ...this.#configuration() });
    const pair = connection.sctp?.transport.iceTransport.getSelectedCandidatePair?.();
    // A browser that doesn't tell, or a way that isn't chosen yet, may be a relay's.
    if (areDue && (pair?.local ?? { type: "relay" }).type === "relay") connection.restartIce();
  }

  /** Whether the present one may live on: neither it nor its channel has ended. */
  get canGoOn() {
    if (this.connection === null || this.channel === null) return false;
    return this.connection.signalingState !== "closed" && !ENDING.has(this.channel.readyState);
  }

  /** Whether its DTLS has failed: the other side hasn't the certificate that it was to have. */
  get dtlsFailed() {
    const { connection } = this;
    const transports = [connection?.sctp?.transport, ...(connection?.getSenders() ?? []).map(({ transport }) => transport)];
    return transports.some((transport) => transport?.state === "failed");
  }

  // What an exchange does with it.

  async makeOffer() {
    const connection = this.#present();
    const isExpected = this.channel === null && hasChannel(connection.remoteDescription);
    if (!isExpected && (this.channel === null || ENDING.has(this.channel.readyState))) {
      this.#adopt(connection.createDataChannel(SECURE_CHANNEL, { protocol: this.#protocol }));
    }
    const { sdp = "" } = await connection.createOffer();
    await connection.setLocalDescription({ type: "offer", sdp: this.#extensions.numbered(sdp) });
    return connection.localDescription?.sdp ?? "";
  }

  async yieldOffer() {
    const { connection, channel } = this;
    if (connection === null || connection.signalingState !== "have-local-offer") return;
    if (connection.currentRemoteDescription === null && channel !== null) {
      // Who makes the first offer makes the channel, and that is the other side now.
      this.channel = null;
      channel.close();
    }
    await connection.setLocalDescription({ type: "rollback" });
  }

  /** @param {string} sdp */
  async applyOffer(sdp) {
    let connection = this.#present();
    if (hasAnotherCertificate(connection, sdp)) connection = this.#open();
    this.#extensions.learn(sdp);
    try {
      await connection.setRemoteDescription({ type: "offer", sdp });
    } catch (error) {
      // Firefox (153) refuses an offer that restarts ICE when an own one was rolled back before. A new peer connection
      // takes any; its certificate tells the other side that it is new.
      if (connection.currentRemoteDescription === null) throw error;
      await this.#open().setRemoteDescription({ type: "offer", sdp });
    }
  }

  async makeAnswer() {
    const connection = this.#present();
    const { sdp = "" } = await connection.createAnswer();
    await connection.setLocalDescription({ type: "answer", sdp: withKeptRole(connection, sdp) });
    return connection.localDescription?.sdp ?? "";
  }

  /** @param {string} sdp */
  async applyAnswer(sdp) {
    const connection = this.#present();
    if (hasAnotherCertificate(connection, sdp)) {
      // It was started anew, and has answered for the peer connection that it no longer has.
      this.#open();
      queueMicrotask(() => this.#events.negotiationNeeded());
    } else {
      await connection.setRemoteDescription({ type: "answer", sdp });
    }
  }

  /** @param {RTCIceCandidateInit | null} candidate */
  async addCandidate(candidate) {
    await this.connection?.addIceCandidate(candidate ?? undefined);
  }

  /**
   * Close the present one; the next offer makes another.
   * @param {number} [milliseconds] - how long what was sent may take to go out
   */
  giveUp(milliseconds = 0) {
    const { connection } = this;
    this.connection = this.channel = null;
    if (connection === null) return;
    if (milliseconds > 0) setTimeout(() => connection.close(), milliseconds);
    else connection.close();
    this.#events.channelChanged(null);
  }

  /**
   * Close it for good.
   * @param {number} [milliseconds]
   */
  close(milliseconds = 0) {
    this.#isClosed = true;
    this.giveUp(milliseconds);
  }

  #present() {
    const { connection } = this;
    return connection !== null && connection.signalingState !== "closed" ? connection : this.#open();
  }

  #open() {
    if (this.#isClosed) throw new DOMException("the call has ended", "InvalidStateError");
    this.giveUp();
    const connection = new RTCPeerConnection(this.#configuration());
    const ifPresent = (/** @type {(event: any) => void} */ tell) => (/** @type {any} */ event) => {
      if (this.connection === connection) tell(event);
    };
    this.connection = connection;
    this.#extensions = new ExtensionNumbers();
    connection.onicecandidate = ifPresent(({ candidate }) => this.#events.candidate(candidate?.toJSON() ?? null));
    connection.onnegotiationneeded = ifPresent(() => this.#events.negotiationNeeded());
    connection.onconnectionstatechange = ifPresent(() => this.#events.stateChanged(connection.connectionState));
    connection.ontrack = ifPresent((event) => this.#events.track(event));
    connection.ondatachannel = ifPresent(({ channel }) => {
      if (channel.label === SECURE_CHANNEL) this.#adopt(channel);
    });
    for (const [track, stream] of this.#tracks) connection.addTrack(track, stream);
    return connection;
  }

  /** @param {RTCDataChannel} channel */
  #adopt(channel) {
    this.channel = channel;
    channel.binaryType = "arraybuffer";
    channel.onmessage = ({ data }) => {
      if (this.channel === channel) this.#events.message(data);
    };
    channel.onopen = channel.onclosing = channel.onclose = () => {
      if (this.channel === channel) this.#events.channelChanged(channel);
    };
    this.#events.channelChanged(channel);
  }
}

/** @param {RTCSessionDescription | null} description */
function hasChannel(description) {
  return /^m=application [1-9]/m.test(description?.sdp ?? "");
}

/**
 * Whether a description of the other side has none of the certificates of its last one.
 * @param {RTCPeerConnection} connection
 * @param {string} sdp
 */
function hasAnotherCertificate(connection, sdp) {
  const before = connection.currentRemoteDescription;
  if (before === null) return false;
  const known = fingerprints(before.sdp);
  return !fingerprints(sdp).some((one) => known.includes(one));
}

/**
 * An answer in which this side keeps its part in DTLS. Firefox (153) answers an ICE restart as the active side, also where it is
 * the passive one; Chromium refuses that, for the DTLS of before goes on.
 * @param {RTCPeerConnection} connection
 * @param {string} sdp
 */
function withKeptRole({ currentLocalDescription: local, currentRemoteDescription: remote }, sdp) {
  const role = roleIn(local) ?? OTHER_ROLE[roleIn(remote) ?? ""];
  return role === undefined ? sdp : sdp.replace(/^a=setup:(active|passive)\b/gm, `a=setup:${role}`);
}

/**
 * The part in DTLS that an answer has taken.
 * @param {RTCSessionDescription | null} description
 */
function roleIn(description) {
  return description?.type === "answer" ? /^a=setup:(active|passive)\b/m.exec(description.sdp)?.[1] : undefined;
}

/** @param {string} sdp */
function fingerprints(sdp) {
  return Array.from(sdp.matchAll(/^a=fingerprint:(\S+ \S+)/gm), ([, one]) => one.toLowerCase());
}
