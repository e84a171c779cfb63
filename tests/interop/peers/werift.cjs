// werift, a stack in TypeScript: node werift.cjs NODE_MODULES MEDIA. What it understands is told in ../peer.py.
//
// It has no codecs of its own. MEDIA is a file with the frames to send, each small enough for one packet.

const { readFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const werift = createRequire(`${process.argv[2]}/`)("werift");
const { serve } = require("./stdio.cjs");

const { RTCPeerConnection, RTCRtpCodecParameters, MediaStreamTrack, RtpHeader, RtpPacket } = werift;

const FRAMES = JSON.parse(readFileSync(process.argv[3]));
const LOOK_MILLISECONDS = 20;
const FIRST_OF_A_FRAME = Buffer.from([0x10]); // VP8's payload descriptor, RFC 7741, 4.2
const KINDS = {
  audio: {
    codec: { mimeType: "audio/opus", clockRate: 48000, channels: 2 },
    milliseconds: 20,
    packet: (frame) => frame,
  },
  video: {
    codec: { mimeType: "video/VP8", clockRate: 90000, rtcpFeedback: [{ type: "nack" }, { type: "nack", parameter: "pli" }] },
    milliseconds: 66,
    packet: (frame) => Buffer.concat([FIRST_OF_A_FRAME, frame]),
  },
};

const state = { timers: [] };

function adopt(channel) {
  state.channel = channel;
  channel.onMessage.subscribe((data) => state.heard.push(String(data)));
}

async function described(making) {
  await state.pc.setLocalDescription(await making);
  const isWhole = () => state.pc.iceGatheringState === "complete" && /^a=candidate/m.test(state.pc.localDescription.sdp);
  while (!isWhole()) await new Promise((resolve) => setTimeout(resolve, LOOK_MILLISECONDS));
  const { type, sdp } = state.pc.localDescription;
  return { type, sdp };
}

/** A track that sends the frames of a kind, again and again. */
function source(kind) {
  const { codec, milliseconds, packet } = KINDS[kind];
  const track = new MediaStreamTrack({ kind });
  const frames = FRAMES[kind].map((frame) => packet(Buffer.from(frame, "base64")));
  let number = 0;
  const send = () => {
    const timestamp = (number * codec.clockRate * milliseconds) / 1000;
    const header = new RtpHeader({ sequenceNumber: number % 65536, timestamp, marker: kind === "video", payloadType: 96 });
    track.writeRtp(new RtpPacket(header, frames[number++ % frames.length]));
  };
  state.timers.push(setInterval(send, milliseconds));
  return track;
}

const operations = {
  async new({ servers, policy }) {
    await operations.close();
    const codecs = Object.fromEntries(
      Object.entries(KINDS).map(([kind, { codec }]) => [kind, [new RTCRtpCodecParameters(codec)]]),
    );
    state.pc = new RTCPeerConnection({ iceServers: servers ?? [], iceTransportPolicy: policy ?? "all", codecs });
    Object.assign(state, { channel: null, heard: [], received: { audio: [], video: [] } });
    const { received } = state;
    state.pc.onDataChannel.subscribe(adopt);
    state.pc.onTrack.subscribe((track) => {
      const number = received[track.kind].push(0) - 1;
      track.onReceiveRtp.subscribe(() => (received[track.kind][number] += 1));
    });
  },
  channel: () => adopt(state.pc.createDataChannel("chat")),
  track: ({ kind }) => void state.pc.addTrack(source(kind)),
  offer: ({ restart }) => described(state.pc.createOffer({ iceRestart: Boolean(restart) })),
  answer: () => described(state.pc.createAnswer()),
  apply: async ({ description }) => void (await state.pc.setRemoteDescription(description)),
  rollback: () => state.pc.setLocalDescription({ type: "rollback", sdp: "" }),
  send: ({ text }) => void state.channel.send(text),
  look: () => ({
    connection: state.pc.connectionState,
    signaling: state.pc.signalingState,
    channel: state.channel?.readyState ?? null,
    heard: state.heard,
    received: state.received,
  }),
  async close() {
    state.timers.splice(0).forEach(clearInterval);
    await state.pc?.close();
  },
};

serve(async ({ do: operation, ...details }) => operations[operation](details));
