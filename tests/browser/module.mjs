// Tries the browser's module in Node, which has the same WebCrypto: node module.mjs FOLDER docs/protocol-vectors.json

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import test from "node:test";

const load = (name) => import(pathToFileURL(`${process.argv[2]}/${name}`));
const vectors = JSON.parse(readFileSync(process.argv[3], "utf8"));
const signing = await load("signing.js");
const { decode, MessageError } = await load("wire.js");
const { Machine } = await load("machine.js");
const { GUARDS } = await load("guards.js");
const { EXCHANGE } = await load("exchange_table.js");
const { Incoming, Outgoing } = await load("post.js");
const { ROOM, ROOM_GUARDS, SESSION } = await load("room_tables.js");
const { Offers } = await load("candidates.js");
const { addressOf, nameOf } = await load("address.js");
const { JoinError, Room } = await load("fsm_rtc.js");
const { Resumption } = await load("resumption.js");

const hex = (bytes) => Buffer.from(bytes).toString("hex");
const spki = new Map(vectors.keys.map((key) => [key.id, key.spki]));

test("what is signed has the vectors' bytes, and their signatures hold", async () => {
  for (const { room, fields, signing_input } of vectors.introductions) {
    assert.equal(hex(signing.introductionInput(fields, room)), signing_input);
    assert.ok(await signing.isGenuine(fields, room));
    assert.ok(!(await signing.isGenuine({ ...fields, name: `${fields.name}!` }, room)));
    assert.ok(!(await signing.isGenuine(fields, `${room}!`)));
  }
  for (const hello of vectors.hellos) {
    assert.equal(hex(signing.proofInput(hello, hello.nonce, hello.room)), hello.signing_input);
  }
  for (const { encoded, signing_input } of vectors.messages) {
    const message = decode(encoded);
    assert.equal(hex(signing.messageInput(message)), signing_input);
    assert.ok(await signing.isSignedBy(spki.get(message.sender), message.signature, signing.messageInput(message)));
  }
});

test("a signature that doesn't hold is refused, whatever it is", async () => {
  const [{ fields, room }] = vectors.introductions;
  for (const signature of ["", "AAAA", "not base64!", Buffer.alloc(64).toString("base64"), fields.signature.slice(4)]) {
    assert.ok(!(await signing.isSignedBy(fields.public_key, signature, signing.introductionInput(fields, room))));
  }
});

test("an own introduction is genuine", async () => {
  const identity = await signing.Identity.generate();
  const introduction = await identity.introduce("küche", "zoë", signing.newSession());
  assert.equal(introduction.id.length, 43);
  assert.equal(introduction.session.length, 22);
  assert.ok(await signing.isGenuine(introduction, "küche"));
});

test("what is no message is refused", () => {
  const offer = JSON.parse(vectors.messages[0].encoded);
  const wrong = [
    "", "{", "[]", "null", "5", '{"type":5}', '{"type":"nonsense"}', '{"type":"left","id":5,"session":""}',
    JSON.stringify({ ...offer, more: 1 }), JSON.stringify({ ...offer, sequence: -1 }),
    JSON.stringify({ ...offer, sequence: 1.5 }), JSON.stringify({ ...offer, room: "r".repeat(129) }),
    JSON.stringify({ ...offer, payload: "x".repeat(262_145) }), new Uint8Array(3),
  ];
  for (const frame of wrong) assert.throws(() => decode(frame), MessageError, String(frame).slice(0, 80));
});

const OFFER = "session.1";
const DESCRIPTION = (fragment) => `v=0\r\nm=audio 9\r\na=ice-ufrag:${fragment}\r\n`;
const candidate = (name, offer_id = OFFER) => ({ type: "candidate", offer_id, payload: JSON.stringify({ candidate: name }) });
const END = { type: "end_of_candidates", offer_id: OFFER, payload: "" };

function offers() {
  const [applied, refused] = [[], []];
  const kept = new Offers((one) => applied.push(one?.candidate ?? null), (reason) => refused.push(reason));
  kept.know(OFFER);
  return { kept, applied, refused };
}

test("candidates wait for their description, then go in order; behind their end none does before another description", () => {
  const { kept, applied, refused } = offers();
  for (const one of [candidate("a"), candidate("b"), END]) kept.take(one);
  assert.deepEqual([applied, kept.known.get(OFFER).state], [[], "buffering"]);
  kept.applied(OFFER, DESCRIPTION("x"));
  assert.deepEqual([applied, kept.known.get(OFFER).state], [["a", "b", null], "ended"]);
  for (const one of [candidate("c"), END, candidate("")]) kept.take(one);
  assert.deepEqual([applied.splice(0), refused.splice(0)], [["a", "b", null], ["candidate"]]);
  kept.applied(OFFER, DESCRIPTION("x"));
  assert.equal(kept.known.get(OFFER).state, "ended");
  kept.applied(OFFER, DESCRIPTION("y"));
  kept.take(candidate("d"));
  kept.take(candidate(""));
  assert.deepEqual([applied, refused], [["d", null], []]);
});

test("only so many candidates are taken, none that is none, and those of an offer that came to nothing are dropped", () => {
  const { kept, applied, refused } = offers();
  for (const payload of ["{", "5", "null", "{}", JSON.stringify({ candidate: "x".repeat(4096) })]) {
    kept.take({ type: "candidate", offer_id: OFFER, payload });
  }
  assert.deepEqual(refused.splice(0), Array(5).fill("candidate"));
  for (let number = 0; number < 1025; number += 1) kept.take(candidate(`${number}`));
  assert.deepEqual(refused.splice(0), ["too many candidates"]);
  kept.applied(OFFER, DESCRIPTION("x"));
  kept.take(candidate("one more"));
  assert.equal(applied.length, 1025);
  for (let number = 2; number < 12; number += 1) kept.know(`session.${number}`);
  assert.equal(kept.known.size, 8);
  kept.ignore("session.11");
  kept.take(candidate("late", "session.11"));
  assert.deepEqual([applied.length, refused, kept.ignored.has("session.11")], [1025, [], true]);
});

test("every guard of the table is there", () => {
  const named = Object.values(EXCHANGE.triggers).flatMap(({ checks, rows }) => [...checks, ...rows.flatMap((row) => row.when)]);
  assert.deepEqual([...new Set(named)].filter((name) => GUARDS[name] === undefined), []);
});

test("checks come before the state, rows in their order, and what is refused changes nothing", () => {
  const table = {
    machine: "Sample", digest: "", initial: "a", final: ["z"],
    triggers: {
      go: {
        checks: ["is_sane"],
        rows: [
          { sources: ["a"], target: "b", when: ["is_first"], then: ["first"] },
          { sources: ["a"], target: null, when: [], then: ["second"] },
          { sources: ["b"], target: "z", when: ["is_first"], then: [] },
        ],
      },
    },
  };
  const guards = { is_sane: (_, event) => event.sane, is_first: (_, event) => event.first };
  const machine = new Machine(table, guards, null);
  assert.deepEqual(machine.fire("go", { sane: false, first: true }), { accepted: false, reason: "is_sane" });
  assert.deepEqual(machine.fire("go", { sane: true, first: false }), { accepted: true, effects: ["second"] });
  assert.equal(machine.state, "a");
  assert.deepEqual(machine.fire("go", { sane: true, first: true }), { accepted: true, effects: ["first"] });
  assert.deepEqual(machine.fire("go", { sane: true, first: false }), { accepted: false, reason: "is_first" });
  assert.equal(machine.state, "b");
  machine.fire("go", { sane: true, first: true });
  assert.ok(machine.isFinal);
  assert.deepEqual(machine.fire("go", { sane: true, first: true }), { accepted: false, reason: "closed" });
});

test("a guard or time that fires its machine, and a time that is none, move nothing; what is due then stays due", () => {
  const table = {
    machine: "Lamp", digest: "", initial: "off", final: [],
    triggers: {
      light: { checks: [], rows: [{ sources: ["off"], target: "on", when: ["is_dark"], then: [] }] },
      out: { checks: [], rows: [{ sources: ["on"], target: "off", when: [], then: ["click"] }] },
      again: { checks: [], rows: [{ sources: ["off"], target: "off", when: [], then: [], reenters: true }] },
    },
    entry: { off: ["rest"] },
    timers: [
      { trigger: "out", sources: ["on"], after: "patience", per: "state", since: null, late: "fire", jitter: "none" },
      { trigger: "again", sources: ["off"], after: 1, per: "state", since: null, late: "fire", jitter: "none" },
    ],
  };
  let patience = () => 5;
  let dark = () => true;
  const times = { patience: () => patience() };
  const machine = new Machine(table, { is_dark: () => dark() }, null, { clock: () => 100, times });
  dark = () => machine.fire("again").accepted;
  assert.throws(() => machine.fire("light"), /Lamp: a guard or time fired the machine that asked it, by again/);
  dark = () => true;
  for (const given of [-1, NaN, "5", null]) {
    patience = () => given;
    assert.throws(() => machine.fire("light"), RangeError);
    assert.deepEqual([machine.state, machine.armed()], ["off", { again: 101 }]);
  }
  patience = () => 5;
  machine.fire("light");
  assert.deepEqual([machine.state, machine.armed(), machine.nextTimeout()], ["on", { out: 105 }, 105]);
  assert.deepEqual(machine.tick(104), []);
  table.triggers.out.checks = ["nonsense"];
  assert.throws(() => machine.tick(105), TypeError);
  assert.deepEqual(machine.armed(), { out: 105 });
  table.triggers.out.checks = [];
  assert.deepEqual(machine.tick(106), [{ trigger: "out", accepted: true, effects: ["click", "rest"] }]);
  assert.deepEqual(machine.armed(), { again: 107 });
  const usual = new Machine(table, { is_dark: () => true }, null);
  assert.ok(Math.abs(usual.nextTimeout() - performance.now() / 1000 - 1) < 0.5, "its clock is the page's");
});

test("the tables of a room are whole: each state can be reached, none is unknown, no guard is missing", () => {
  for (const { initial, final, triggers } of [ROOM, SESSION]) {
    const rows = Object.values(triggers).flatMap(({ rows }) => rows);
    const states = new Set([initial, ...rows.map((row) => row.target).filter((target) => target !== null)]);
    const sources = new Set(rows.flatMap((row) => row.sources));
    assert.deepEqual([...sources].filter((state) => !states.has(state)), []);
    assert.deepEqual([...states].filter((state) => !sources.has(state)), final);
    assert.deepEqual([...sources].filter((state) => final.includes(state)), []);
    assert.deepEqual(rows.flatMap((row) => row.when).filter((name) => ROOM_GUARDS[name] === undefined), []);
  }
});

function session(waiting, talking, standing, ...triggers) {
  const calls = { waiting, talking, standing };
  const read = Object.fromEntries(Object.keys(calls).map((name) => [name, () => calls[name]]));
  const machine = new Machine(SESSION, ROOM_GUARDS, read);
  const fire = (trigger, event) => machine.fire(trigger, event).effects ?? machine.fire(trigger, event).reason;
  for (const trigger of triggers) fire(...trigger);
  return { machine, fire, calls };
}
const WELCOME = ["on_welcome", { resumed: false }];

test("a session is used up when nobody else is left to talk to, and begins anew behind a pause", () => {
  const { machine, fire, calls } = session(0, 1, 1, WELCOME, ["on_changed"]);
  assert.equal(machine.state, "known");
  Object.assign(calls, { waiting: 1, talking: 1 });
  assert.deepEqual(fire("on_changed"), []);
  assert.equal(machine.state, "known", "another call would be lost by it");
  calls.talking = 0;
  calls.standing = 0;
  assert.deepEqual(fire("on_changed"), ["await_goodbyes"]);
  assert.deepEqual(fire("on_paused"), ["begin_anew"]);
  assert.equal(machine.state, "new");
});

test("who waited and has gone needs no new session", () => {
  const { machine, fire, calls } = session(1, 0, 0, WELCOME, ["on_changed"]);
  assert.equal(machine.state, "used up");
  calls.waiting = 0;
  assert.deepEqual(fire("on_changed"), ["stay"]);
  assert.deepEqual(fire("on_paused"), [], "a timer that comes late does nothing");
  assert.equal(machine.state, "known");
});

test("a session that the server had forgotten goes on if its calls stand, else it begins anew", () => {
  const restarted = session(0, 2, 2, WELCOME);
  assert.deepEqual(restarted.fire(...WELCOME), ["await_calls"]);
  assert.equal(restarted.machine.state, "forgotten");
  Object.assign(restarted.calls, { waiting: 1, standing: 1 });
  restarted.fire("on_changed");
  assert.equal(restarted.machine.state, "forgotten", "one call stands");
  restarted.fire("on_stood");
  assert.equal(restarted.machine.state, "known");
  const slept = session(1, 1, 1, WELCOME, WELCOME, ["on_changed"]);
  assert.equal(slept.machine.state, "forgotten");
  slept.calls.standing = 0;
  assert.deepEqual(slept.fire("on_changed"), ["pause"]);
});

test("a session that goes on at the server changes nothing, and one that is closed takes nothing more", () => {
  const { machine, fire } = session(0, 1, 1, WELCOME);
  assert.deepEqual(fire("on_welcome", { resumed: true }), []);
  assert.equal(machine.state, "known");
  fire("close");
  for (const trigger of Object.keys(SESSION.triggers)) assert.equal(fire(trigger, { resumed: false }), "closed");
});

test("the room's name is the whole path, and what is no address of a room is refused with a sentence", async () => {
  const names = { "ws://h/kitchen": "kitchen", "wss://h:1/a/b": "a/b", "ws://h/a%2Fb": "a/b", "ws://h/k%C3%BCche?x=1": "küche", "ws://h/a/": "a/" };
  for (const [url, name] of Object.entries(names)) {
    assert.equal(nameOf(addressOf(url)), name);
    assert.equal(new Room(url).name, name);
  }
  const wrong = ["", "kitchen", "http://h/kitchen", "ws://h/", "ws://h", "ws://h/%FF", "ws://h/%", "ws://h/a#b", `ws://h/${"r".repeat(129)}`];
  for (const url of wrong) {
    assert.throws(() => new Room(url), (error) => error instanceof JoinError && error.code === "bad_address" && / is no address /.test(error.message), url);
  }
  assert.throws(() => new Room("ws://h/r", { name: "n".repeat(129) }), { code: "bad_name" });
});

test("what is not acknowledged is sent again at growing intervals, and given up in the end", () => {
  const outgoing = new Outgoing();
  outgoing.sent((outgoing.sequence += 1), "one", 0);
  outgoing.sent((outgoing.sequence += 1), "two", 0);
  assert.deepEqual(outgoing.due(0.9), []);
  assert.deepEqual(outgoing.due(1), ["one", "two"]);
  assert.deepEqual(outgoing.due(2.9), []);
  outgoing.acknowledged(1, 3);
  assert.deepEqual(outgoing.due(3), ["two"]);
  assert.deepEqual(outgoing.resume(4), ["two"]);
  assert.ok(!outgoing.isHopeless(4 + 44, 45));
  assert.ok(outgoing.isHopeless(4 + 45, 45));
  outgoing.postpone(100);
  assert.ok(!outgoing.isHopeless(4 + 45, 45), "what a page missed that stood still doesn't count");
  outgoing.acknowledged(2, 50);
  assert.ok(outgoing.isEmpty && !outgoing.isHopeless(500, 45));
});

test("what comes early waits for its turn", () => {
  const incoming = new Incoming();
  incoming.hold(2, "two");
  assert.equal(incoming.nextHeld(), undefined);
  incoming.takeTurn();
  assert.equal(incoming.nextHeld(), "two");
  assert.ok(incoming.owes);
});

test("a session goes on behind what the server has taken", () => {
  const session = new Resumption();
  assert.equal(session.seen, null);
  session.begin();
  for (const text of ["a", "b", "c"]) session.posted(text);
  assert.deepEqual(session.goOn(1), ["b", "c"]);
  assert.deepEqual(session.goOn(3), []);
  const told = Array.from({ length: 64 }, () => session.delivered(100)).filter((number) => number !== null);
  assert.deepEqual(told, [32, 64]);
});

test("a server is told of what was read by its length too, and of what is left when it is asked for", () => {
  const session = new Resumption();
  session.begin();
  assert.deepEqual([40_000, 30_000, 10, 262_144, 5].map((characters) => session.delivered(characters)), [null, 2, null, 4, null]);
  assert.equal(session.told(), 5);
  assert.equal(session.told(), null);
});

test("only so much is kept of what the server has not taken", () => {
  const session = new Resumption();
  session.begin();
  for (let number = 0; number < 256; number += 1) session.posted("text");
  assert.ok(session.isFull);
  session.taken(1);
  assert.ok(!session.isFull);
});

test("only so much is kept of what comes before its turn, and the rest may come again", () => {
  const incoming = new Incoming();
  for (let number = 2; number < 12; number += 1) incoming.hold(number, number, 262_144);
  incoming.takeTurn();
  const held = [];
  for (let one = incoming.nextHeld(); one !== undefined; one = incoming.nextHeld()) {
    held.push(one);
    incoming.takeTurn();
  }
  assert.deepEqual(held, [2, 3, 4, 5]);
  incoming.hold(7, "again", 262_144);
  incoming.takeTurn();
  assert.equal(incoming.nextHeld(), "again");
});

test("ICE servers that a server offers are bounded", () => {
  const server = { urls: ["turn:turn.example.org"], username: "u", credential: "c" };
  const welcome = (servers) => JSON.stringify({ type: "welcome", members: [], ice_servers: servers });
  assert.equal(decode(welcome(Array(8).fill(server))).ice_servers.length, 8);
  assert.equal(decode(JSON.stringify({ type: "welcome", members: [] })).ice_servers, undefined);
  const tooMuch = [
    Array(9).fill(server), [{ ...server, urls: Array(9).fill("stun:a") }], [{ ...server, urls: [`stun:${"x".repeat(508)}`] }],
    [{ ...server, credential: "c".repeat(1025) }], [{ ...server, username: 5 }], [{ urls: "stun:a" }], {}, [null],
  ];
  for (const servers of tooMuch) assert.throws(() => decode(welcome(servers)), MessageError);
});

test("new servers are used by the present peer connection, and ICE restarts for a relay alone", async () => {
  const { ReplaceablePeerConnection } = await load("peer_connection.js");
  for (const [type, areDue, restarts] of [["relay", true, 1], ["host", true, 0], ["relay", false, 0], [undefined, true, 1]]) {
    const calls = [];
    globalThis.RTCPeerConnection = class {
      signalingState = "stable";
      remoteDescription = null;
      constructor(configuration) { this.configuration = configuration; }
      sctp = { transport: { iceTransport: { getSelectedCandidatePair: () => (type ? { local: { type } } : null) } } };
      createDataChannel = () => ({ readyState: "connecting" });
      createOffer = async () => ({ type: "offer", sdp: "" });
      setLocalDescription = async () => {};
      getConfiguration() { return this.configuration; }
      setConfiguration(configuration) { calls.push(configuration); }
      restartIce() { calls.push("restart"); }
    };
    let servers = [{ urls: "turn:a" }];
    const peer = new ReplaceablePeerConnection(() => ({ iceServers: servers }), { channelChanged() {} });
    peer.useServers(true);
    assert.deepEqual(calls, []);
    await peer.makeOffer();
    servers = [{ urls: "turn:b" }];
    peer.useServers(areDue);
    assert.deepEqual(calls, [{ iceServers: servers }, ...Array(restarts).fill("restart")]);
    delete globalThis.RTCPeerConnection;
  }
});

test("a server's new servers are a message", () => {
  assert.deepEqual(decode('{"type": "ice_servers", "ice_servers": []}'), { type: "ice_servers", ice_servers: [] });
  assert.throws(() => decode('{"type": "ice_servers"}'), MessageError);
});
