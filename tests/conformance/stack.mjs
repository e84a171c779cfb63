// An adapter over a stack that has next to nothing, and that misbehaves.
import { createInterface } from "node:readline";
import { createAdapter } from "../../fsm_rtc/conformance/adapters/adapter.js";

class Connection extends EventTarget {
  onsignalingstatechange = null;
  signalingState = "stable";
  localDescription = null;

  createOffer() {
    return new Promise(() => {});
  }

  createAnswer() {
    throw "no answer"; // not even an Error
  }

  setRemoteDescription({ type }) {
    this.signalingState = type;
    this.dispatchEvent(new Event("signalingstatechange"));
    const done = Promise.resolve();
    queueMicrotask(() => queueMicrotask(() => this.change("one turn of the promises later")));
    setImmediate(() => this.change("one turn of the loop later"));
    return done;
  }

  change(state) {
    this.signalingState = state;
    this.dispatchEvent(new Event("signalingstatechange"));
  }

  addIceCandidate(...given) {
    return Promise.reject(Object.assign(new Error(JSON.stringify(given)), { name: "OperationError" }));
  }

  setLocalDescription(...given) {
    return Promise.reject(new RangeError(JSON.stringify(given)));
  }

  close() {
    this.change("closed");
  }
}

const adapter = createAdapter({
  RTCPeerConnection: Connection,
  name: "fake",
  version: "1",
  lacks: ["event closing"],
  rest: async () => {},
});
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await adapter.handle(JSON.parse(line))));
}
