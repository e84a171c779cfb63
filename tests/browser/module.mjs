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
const { Incoming, Outgoing, GIVE_UP_SECONDS } = await load("post.js");
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
  assert.ok(!outgoing.isHopeless(4 + GIVE_UP_SECONDS - 1));
  assert.ok(outgoing.isHopeless(4 + GIVE_UP_SECONDS));
  outgoing.acknowledged(2, 50);
  assert.ok(outgoing.isEmpty && !outgoing.isHopeless(500));
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
  const told = Array.from({ length: 64 }, () => session.delivered()).filter((number) => number !== null);
  assert.deepEqual(told, [32, 64]);
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
    const peer = new ReplaceablePeerConnection(() => ({ iceServers: servers }), { changed() {} });
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
