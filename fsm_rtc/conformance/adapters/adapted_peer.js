/** A peer connection of the W3C's shape under the adapter protocol's names (docs/conformance-protocol.md). */

export const CONNECTION_EVENTS = [
  "signalingstatechange",
  "icegatheringstatechange",
  "iceconnectionstatechange",
  "connectionstatechange",
  "negotiationneeded",
  "icecandidate",
  "datachannel",
  "track",
];

const CHANNEL_EVENTS = ["open", "closing", "close", "error", "message"];

export const STATES = ["signalingState", "iceGatheringState", "iceConnectionState", "connectionState"];

export const DESCRIPTIONS = [
  "currentLocalDescription",
  "pendingLocalDescription",
  "currentRemoteDescription",
  "pendingRemoteDescription",
];

/** How each method of a peer connection is called; an argument that is absent is not given. */
export const METHODS = {
  createOffer: (pc) => pc.createOffer(),
  createAnswer: (pc) => pc.createAnswer(),
  setLocalDescription: (pc, { description }) =>
    description ? pc.setLocalDescription(description) : pc.setLocalDescription(),
  setRemoteDescription: (pc, { description }) => pc.setRemoteDescription(description),
  addIceCandidate: (pc, { candidate }) => pc.addIceCandidate(candidate),
  createDataChannel: (pc, { label }) => pc.createDataChannel(label),
  addTransceiver: (pc, { kind }) => pc.addTransceiver(kind),
  restartIce: (pc) => pc.restartIce(),
  close: (pc) => pc.close(),
};

const CHANNEL_METHODS = {
  send: (channel, { data }) => channel.send(data),
  closeChannel: (channel) => channel.close(),
};

/** The members of an RTCIceCandidate that it has; null at the end of the candidates. */
function candidateOf(found) {
  if (!found) return null;
  const told = { candidate: found.candidate };
  for (const member of ["sdpMid", "sdpMLineIndex", "usernameFragment"]) {
    if (found[member] !== null && found[member] !== undefined) told[member] = found[member];
  }
  return told;
}

/** One peer connection, with everything that it has made: some stacks stop telling when a wrapper is collected. */
export class Peer {
  constructor(pc, happened) {
    this.pc = pc;
    this.channels = new Map();
    this.isMuted = false;
    this.happened = (event, details) => this.isMuted || happened({ event, states: this.states(), ...details });
    this.kept = new Set();
    for (const event of CONNECTION_EVENTS) {
      pc.addEventListener(event, (told) => this.happened(event, this.details(told)));
    }
  }

  details({ type, candidate, channel, track, transceiver }) {
    if (type === "icecandidate") return { candidate: candidateOf(candidate) };
    if (type === "datachannel") return { label: this.adopt(channel).label };
    if (type !== "track") return {};
    this.kept.add(transceiver);
    return { kind: track.kind };
  }

  /** Listen to a channel, and remember it under its label. */
  adopt(channel) {
    const { label } = channel;
    this.channels.set(label, channel);
    this.kept.add(channel);
    for (const event of CHANNEL_EVENTS) {
      channel.addEventListener(event, ({ data }) =>
        this.happened(event, event === "message" ? { label, data: String(data) } : { label }),
      );
    }
    return channel;
  }

  states() {
    const { pc } = this;
    const told = {};
    for (const state of STATES) told[state] = pc[state];
    for (const name of DESCRIPTIONS) if (name in pc) told[name] = pc[name]?.type ?? null;
    const dtls = this.transports();
    const ice = dtls && [...new Set(dtls.map((transport) => transport.iceTransport))];
    ice?.forEach((transport) => this.kept.add(transport));
    told.dtls = dtls?.map((transport) => transport.state);
    if (ice?.every(Boolean)) told.ice = ice.map((transport) => transport.state);
    if ("sctp" in pc) told.sctp = pc.sctp?.state ?? null;
    told.channels = Object.fromEntries([...this.channels].map(([label, { readyState }]) => [label, readyState]));
    return told;
  }

  /** The distinct RTCDtlsTransports in use; undefined where the stack shows none. */
  transports() {
    const { pc } = this;
    if (!("sctp" in pc) && !pc.getSenders) return undefined;
    const users = [pc.sctp, ...(pc.getSenders?.() ?? []), ...(pc.getReceivers?.() ?? [])];
    const found = new Set(users.map((user) => user?.transport).filter(Boolean));
    found.forEach((transport) => this.kept.add(transport));
    return [...found];
  }

  /** Do what is asked; undefined if the stack has no such thing. */
  callOf(asked) {
    const { operation, label } = asked;
    const { pc } = this;
    if (operation === "localDescription") return "localDescription" in pc ? () => pc.localDescription : undefined;
    if (Object.hasOwn(CHANNEL_METHODS, operation)) {
      const channel = this.channels.get(label);
      return channel && (() => CHANNEL_METHODS[operation](channel, asked));
    }
    if (!Object.hasOwn(METHODS, operation) || !pc[operation]) return undefined;
    if (operation === "createDataChannel") return () => void this.adopt(METHODS.createDataChannel(pc, asked));
    if (operation === "addTransceiver") return () => void this.kept.add(METHODS.addTransceiver(pc, asked));
    return () => METHODS[operation](pc, asked);
  }

  /** Close it; nothing is heard of it any more. */
  end() {
    this.isMuted = true;
    return this.pc.close();
  }
}
