/**
 * The conformance adapter protocol (docs/conformance-protocol.md, version 1) over any RTCPeerConnection that has the
 * W3C's shape: a browser's, or that of a package for Node. It depends on nothing; its user carries the lines:
 *
 *     const adapter = createAdapter({ RTCPeerConnection, name: "my stack", version: "1.0" });
 *     for await (const line of lines) console.log(JSON.stringify(await adapter.handle(JSON.parse(line))));
 *
 * The next request is given to it after the last one's reply.
 */

import { CONNECTION_EVENTS, DESCRIPTIONS, METHODS, Peer, STATES } from "./adapted_peer.js";

const PROTOCOL = 1;
const DEFAULT_LIMIT_SECONDS = 5;

/** As long as a round of rest brings events, another one follows; so many at most. */
const MAX_ROUNDS = 100;

/** A round of rest that takes longer is given up: what it waits for hangs. */
const REST_LIMIT_SECONDS = 2;

/** So many connections are made before those that were closed are collected; Chromium allows 500 that are not. */
const CONNECTIONS_BETWEEN_COLLECTIONS = 100;

const isPromise = (value) => typeof value?.then === "function";
const described = (value) => value && { type: value.type, sdp: value.sdp };
const seconds = (count) => count * 1000;

/** What the operations that have a value tell of what they returned. */
const VALUES = {
  hello: (greeting) => greeting,
  createOffer: described,
  createAnswer: described,
  localDescription: described,
};

/** One turn of the event loop: what was queued for it before, has happened. */
function turn() {
  return new Promise((resolve) => {
    if (typeof setImmediate === "function") return setImmediate(resolve);
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** Wait for a promise, but not longer than that. */
async function atMost(limitMilliseconds, promise) {
  let timer;
  const limit = new Promise((resolve) => {
    timer = setTimeout(resolve, limitMilliseconds);
  });
  await Promise.race([promise, limit]);
  clearTimeout(timer);
}

/** Browsers and libwebrtc gather statistics in all of the library's threads, behind what is queued there. */
async function restByStatistics(connections) {
  await Promise.allSettled(connections.map(async (pc) => pc.getStats?.()));
}

class Adapter {
  constructor({ RTCPeerConnection, name, version, lacks = [], rest = restByStatistics, collect, configuration = {} }) {
    this.make = () => new RTCPeerConnection(configuration);
    this.greeting = () => ({ protocol: PROTOCOL, name, version, lacks: this.lacking(lacks) });
    this.pass = rest;
    this.collect = collect;
    this.made = 0;
    this.peers = new Map();
    this.events = [];
    this.wake = () => {};
  }

  /** Carry out one request of the protocol; a promise of the reply. */
  async handle({ id, do: operations, limit_seconds: limitSeconds = DEFAULT_LIMIT_SECONDS }) {
    const results = operations.map(() => ({ verdict: "pending" }));
    const looks = [];
    const promises = [];
    operations.forEach((asked, number) => {
      const settle = (result) => {
        results[number] = result;
      };
      const promise = this.begin(asked, settle);
      if (promise) (asked.operation === "look" ? looks : promises).push(promise);
    });
    await Promise.all(looks);
    if (promises.length) await atMost(seconds(limitSeconds), Promise.all(promises));
    await this.rest();
    const states = {};
    for (const [on, peer] of this.peers) states[on] = peer.states();
    return { id, results: [...results], events: this.events.splice(0), states };
  }

  /** Begin one operation, and give its result to `settle` in the moment in which it is there. */
  begin(asked, settle) {
    const peer = this.peers.get(asked.on);
    const call = this.ownCallOf(asked) ?? peer?.callOf(asked);
    if (!call) return void settle({ verdict: "inexpressible", after: this.events.length });
    const told = (verdict, rest) =>
      settle({ verdict, after: this.events.length, ...rest, states: this.peers.get(asked.on)?.states() });
    const fulfilled = (value) => told("fulfilled", { value: VALUES[asked.operation]?.(value) });
    const failed = (verdict) => (error) =>
      told(verdict, { error: { name: String(error?.name ?? typeof error), message: String(error?.message ?? error) } });
    let answer;
    try {
      answer = call();
    } catch (error) {
      return void failed("thrown")(error);
    }
    if (isPromise(answer)) return answer.then(fulfilled, failed("rejected"));
    return void fulfilled(answer);
  }

  /** The operations that are not the stack's. */
  ownCallOf({ operation, on, wait_seconds: waitSeconds = 0 }) {
    switch (operation) {
      case "hello":
        return this.greeting;
      case "reset":
        return () => this.reset();
      case "new":
        return () => this.connect(on);
      case "look":
        return () => this.look(waitSeconds);
      default:
        return undefined;
    }
  }

  connect(on) {
    this.made += 1;
    this.peers.get(on)?.end();
    const happened = (event) => {
      this.events.push({ on, ...event });
      this.wake();
    };
    this.peers.set(on, new Peer(this.make(), happened));
  }

  async reset() {
    const ends = [...this.peers.values()].map((peer) => peer.end());
    this.peers.clear();
    this.events.length = 0;
    await Promise.allSettled(ends);
    if (this.collect && this.made >= CONNECTIONS_BETWEEN_COLLECTIONS) {
      this.made = 0;
      await this.collect();
    }
  }

  async look(waitSeconds) {
    if (this.events.length) return;
    const event = new Promise((resolve) => {
      this.wake = resolve;
    });
    await atMost(seconds(waitSeconds), event);
  }

  /** Until all that doesn't wait for the network or a clock has happened. */
  async rest() {
    let seen;
    let rounds = 0;
    do {
      seen = this.events.length;
      const open = [...this.peers.values()].map(({ pc }) => pc).filter((pc) => pc.signalingState !== "closed");
      await atMost(seconds(REST_LIMIT_SECONDS), this.pass(open));
      await turn();
      rounds += 1;
    } while (this.events.length !== seen && rounds < MAX_ROUNDS);
  }

  /** What is declared, and what a peer connection shows that it hasn't got. */
  lacking(declared) {
    const pc = this.make();
    const lacks = new Set(declared);
    for (const method of Object.keys(METHODS)) if (!pc[method]) lacks.add(method);
    for (const event of CONNECTION_EVENTS) if (!(`on${event}` in pc)) lacks.add(`event ${event}`);
    for (const name of [...STATES, ...DESCRIPTIONS, "sctp"]) if (!(name in pc)) lacks.add(`attribute ${name}`);
    pc.close();
    return [...lacks];
  }
}

/**
 * An adapter, whose `handle(request)` is a promise of the reply.
 *
 * @param {object} stack
 * @param {Function} stack.RTCPeerConnection the stack's constructor
 * @param {string} stack.name what the reports call it
 * @param {string} stack.version its own version
 * @param {string[]} [stack.lacks] what its API has no way to say, beyond the members that a connection visibly lacks
 * @param {(connections: object[]) => Promise} [stack.rest] waits for what is queued in the library's own threads
 * @param {() => Promise} [stack.collect] collects garbage, where a stack limits how many closed connections may be left
 * @param {object} [stack.configuration] what each connection is made with
 */
export function createAdapter(stack) {
  return new Adapter(stack);
}
