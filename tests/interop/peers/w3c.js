// A peer for stacks of the W3C's shape: Chromium, Firefox, @roamhq/wrtc. What it understands is told in ../peer.py.
//
// The connection, the channel and what media needs are in `state`. `media` has what a stack does in its own way:
// `source(kind)` makes a track with something in it and what stops it, `sink(track)` looks at a track, since some stacks
// decode only what is seen.

const state = { sources: [] };
const media = {};

const LOOK_MILLISECONDS = 20;

function adopt(channel) {
  state.channel = channel;
  channel.onmessage = ({ data }) => state.heard.push(String(data));
}

/** The local description with all of its candidates. A restart's are not there yet while the state is still "complete". */
async function described(making) {
  await state.pc.setLocalDescription(await making);
  const isWhole = () => state.pc.iceGatheringState === "complete" && /^a=candidate/m.test(state.pc.localDescription.sdp);
  while (!isWhole()) await new Promise((resolve) => setTimeout(resolve, LOOK_MILLISECONDS));
  const { type, sdp } = state.pc.localDescription;
  return { type, sdp };
}

/** Of each remote track that has ever come: video frames that were decoded, audio packets. In the order of the sections. */
async function received() {
  const counted = { audio: [], video: [] };
  if (state.pc.signalingState === "closed") return counted;
  const reports = [...(await state.pc.getStats()).values()].filter(({ type }) => type === "inbound-rtp");
  const sections = state.pc.getTransceivers().map(({ mid }) => mid);
  reports.sort((one, other) => sections.indexOf(one.mid) - sections.indexOf(other.mid));
  for (const { kind, framesDecoded, packetsReceived } of reports)
    counted[kind].push(kind === "video" ? framesDecoded ?? 0 : packetsReceived ?? 0);
  return counted;
}

const operations = {
  new({ servers, policy }) {
    operations.close();
    state.pc = new RTCPeerConnection({ iceServers: servers ?? [], iceTransportPolicy: policy ?? "all" });
    state.channel = null;
    state.heard = [];
    state.pc.ondatachannel = ({ channel }) => adopt(channel);
    state.pc.ontrack = ({ track }) => media.sink(track);
  },
  channel: () => adopt(state.pc.createDataChannel("chat")),
  track({ kind }) {
    const { track, stop } = media.source(kind);
    state.sources.push(stop);
    state.pc.addTrack(track, new MediaStream([track]));
  },
  async offer({ restart }) {
    if (restart) state.pc.restartIce();
    return described(state.pc.createOffer());
  },
  answer: () => described(state.pc.createAnswer()),
  apply: ({ description }) => state.pc.setRemoteDescription(description),
  rollback: () => state.pc.setLocalDescription({ type: "rollback", sdp: "" }),
  send: ({ text }) => state.channel.send(text),
  look: async () => ({
    connection: state.pc.connectionState,
    signaling: state.pc.signalingState,
    channel: state.channel?.readyState ?? null,
    heard: state.heard,
    received: await received(),
  }),
  close() {
    for (const stop of state.sources.splice(0)) stop();
    state.pc?.close();
  },
};

globalThis.peer = async ({ do: operation, ...details }) => (await operations[operation](details)) ?? null;
globalThis.peerMedia = media;
