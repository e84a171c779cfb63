// @roamhq/wrtc, libwebrtc in Node: node roamhq_wrtc.cjs NODE_MODULES

const { createRequire } = require("node:module");
const wrtc = createRequire(`${process.argv[2]}/`)("@roamhq/wrtc");
Object.assign(globalThis, wrtc);
require("./w3c.js");
const { serve } = require("./stdio.cjs");

const { RTCAudioSink, RTCAudioSource, RTCVideoSink, RTCVideoSource } = wrtc.nonstandard;
const kept = []; // a sink that is collected gets nothing any more

peerMedia.source = (kind) => {
  if (kind === "audio") {
    const source = new RTCAudioSource();
    const samples = Int16Array.from({ length: 480 }, (_, number) => 1000 * Math.sin(number / 8));
    const piece = { samples, sampleRate: 48000, bitsPerSample: 16, channelCount: 1, numberOfFrames: 480 };
    const timer = setInterval(() => source.onData(piece), 10);
    return { track: source.createTrack(), stop: () => clearInterval(timer) };
  }
  const source = new RTCVideoSource();
  const data = new Uint8ClampedArray(160 * 120 * 1.5);
  let number = 0;
  const next = () => source.onFrame({ width: 160, height: 120, data: data.fill(number++ % 255) });
  const timer = setInterval(next, 66);
  return { track: source.createTrack(), stop: () => clearInterval(timer) };
};

peerMedia.sink = (track) => kept.push(track.kind === "audio" ? new RTCAudioSink(track) : new RTCVideoSink(track));

serve(peer);
