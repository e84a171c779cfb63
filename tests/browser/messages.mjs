// Tries in Node how a page's messages go over its data channels, which are made by hand here: node messages.mjs FOLDER

import assert from "node:assert/strict";
import test, { mock } from "node:test";
import { pathToFileURL } from "node:url";

const load = (name) => import(pathToFileURL(`${process.argv[2]}/${name}`));
const { controlFrame, dataFrame, decodeFrame } = await load("frames.js");
const { MessageStore } = await load("message_store.js");
const { SecureLink } = await load("secure_link.js");

mock.timers.enable({ apis: ["setTimeout"] });
const bytes = (...values) => Uint8Array.from(values).buffer;

/** One end of a data channel; what it sends comes to the other one when `deliver` lets it. */
class Channel {
  readyState = "connecting";
  bufferedAmount = 0;
  sent = [];
  constructor(protocol = "fsm-rtc.1") {
    this.protocol = protocol;
  }
  send(frame) {
    if (this.readyState !== "open") throw new Error("it isn't open");
    this.sent.push(frame);
  }
}

/** One side's messages with the other, which has the id `peer`. */
class Side {
  got = [];
  refused = [];
  constructor(peer, store = new MessageStore()) {
    this.store = store;
    this.link = new SecureLink(store, peer, {
      message: (data) => this.got.push(typeof data === "string" ? data : [...new Uint8Array(data)]),
      refused: (reason) => this.refused.push(reason),
    });
  }
  opened(protocol) {
    const channel = new Channel(protocol);
    this.link.follow(channel);
    channel.readyState = "open";
    this.link.follow(channel);
    return channel;
  }
}

/** Let what both have sent arrive, until nothing is on its way. */
function deliver(...sides) {
  for (let round = 0; round < 20; round += 1) {
    mock.timers.tick(20);
    for (const [from, to] of [sides, [...sides].reverse()]) {
      for (const frame of from.link.channel?.sent.splice(0) ?? []) to.link.received(frame);
    }
  }
}

function two() {
  const [ann, bob] = [new Side("bob"), new Side("ann")];
  ann.opened();
  bob.opened();
  deliver(ann, bob);
  return [ann, bob];
}

function lose(...sides) {
  for (const { link } of sides) {
    link.channel.readyState = "closed";
    link.follow(link.channel);
    link.follow(null);
  }
}

test("two sides greet each other, and then messages go either way, texts and bytes", () => {
  const [ann, bob] = [new Side("bob"), new Side("ann")];
  assert.throws(() => ann.link.send("too early"), { name: "InvalidStateError" });
  ann.opened();
  assert.ok(!ann.link.isReady);
  bob.opened();
  deliver(ann, bob);
  assert.ok(ann.link.isReady && bob.link.isReady && ann.link.isAnswered);
  const sent = Uint8Array.from([9, 1, 2, 9]);
  ann.link.send("hello");
  ann.link.send(sent.subarray(1, 3));
  sent.fill(0);
  bob.link.send(bytes(7).slice(0));
  bob.link.send("");
  deliver(ann, bob);
  assert.deepEqual([bob.got, ann.got, ann.refused, bob.refused], [["hello", [1, 2]], [[7], ""], [], []]);
});

test("what comes behind the end of a call is no message", () => {
  for (const protocol of ["fsm-rtc.1", ""]) {
    const ann = new Side("bob");
    ann.opened(protocol);
    ann.link.fail();
    for (const frame of ["behind it", controlFrame({ type: "ping" })]) ann.link.received(frame);
    assert.deepEqual([ann.got, ann.refused], [[], []]);
  }
});

test("a greeting that a stack loses is asked for again, on either side", () => {
  for (const loses of [0, 1]) {
    const sides = [new Side("bob"), new Side("ann")];
    const [ann, bob] = sides;
    ann.opened();
    bob.opened();
    assert.equal(sides[loses].link.channel.sent.splice(0).length, 1);
    deliver(ann, bob);
    assert.ok(ann.link.isReady && bob.link.isReady);
    ann.link.send("hello");
    bob.link.send("hello too");
    deliver(ann, bob);
    assert.deepEqual([bob.got, ann.got], [["hello"], ["hello too"]]);
  }
});

test("what is sent while the channel is away arrives once, over the next one, and so does what was lost with it", () => {
  const [ann, bob] = two();
  ann.link.send("one");
  deliver(ann, bob);
  ann.link.send("two");
  for (const frame of ann.link.channel.sent.splice(0)) bob.link.received(frame); // and its acknowledgement is lost
  ann.link.send("three");
  lose(ann, bob);
  assert.ok(!ann.link.isReady && ann.link.takes);
  ann.link.send("four");
  ann.opened();
  bob.opened();
  deliver(ann, bob);
  assert.deepEqual(bob.got, ["one", "two", "three", "four"]);
  ann.link.send("five");
  deliver(ann, bob);
  assert.deepEqual([bob.got.at(-1), bob.refused, ann.store.of("bob").wait], ["five", [], false]);
});

test("messages wait for the peer's next session, and a goodbye ends them", () => {
  const [ann, bob] = two();
  lose(ann, bob);
  ann.link.send("late");
  ann.link.fail();
  const [next, other] = [new Side("bob", ann.store), new Side("ann")];
  next.opened();
  other.opened();
  deliver(next, other);
  assert.deepEqual(other.got, ["late"]);
  lose(next, other);
  next.link.send("never");
  next.link.end();
  const [last, third] = [new Side("bob", ann.store), new Side("ann", other.store)];
  last.opened();
  third.opened();
  deliver(last, third);
  last.link.send("first");
  deliver(last, third);
  assert.deepEqual([third.got, third.refused], [["first"], []]);
});

test("a side that is asked answers, and its goodbye is heard", () => {
  const [ann, bob] = two();
  ann.link.ping();
  const asked = ann.link.channel.sent.splice(0).map(decodeFrame);
  assert.deepEqual(asked, [{ control: { type: "ping" } }]);
  bob.link.received(controlFrame({ type: "ping" }));
  assert.deepEqual(bob.link.channel.sent.splice(0).map(decodeFrame), [{ control: { type: "pong" } }]);
  assert.ok(bob.link.sayGoodbye("closed"));
  deliver(ann, bob);
  assert.deepEqual(ann.link.goodbye, { reason: "closed", failed: false });
  lose(ann, bob);
  assert.ok(!ann.link.sayGoodbye("closed"));
});

test("as much goes out as the channel takes, and no more is taken than is kept", () => {
  const [ann, bob] = two();
  const { channel } = ann.link;
  channel.bufferedAmount = 1024 * 1024;
  ann.link.send("waits");
  assert.deepEqual(channel.sent, []);
  channel.bufferedAmount = 512 * 1024;
  channel.onbufferedamountlow();
  assert.deepEqual(channel.sent, []);
  channel.bufferedAmount = 256 * 1024;
  channel.onbufferedamountlow();
  assert.deepEqual(channel.sent, ["waits"]);
  lose(ann, bob);
  for (let number = 1; number < 1024; number += 1) ann.link.send("more");
  assert.ok(!ann.link.takes);
  assert.throws(() => ann.link.send("too much"), { name: "OperationError" });
  const [other] = two();
  assert.throws(() => other.link.send("x".repeat(262_144)), RangeError);
  other.link.send("x".repeat(262_143));
});

test("many messages are acknowledged together", () => {
  const [ann, bob] = two();
  for (let number = 0; number < 300; number += 1) ann.link.received(`${number}`);
  assert.deepEqual(ann.link.channel.sent.splice(0).map(decodeFrame), [{ control: { type: "ack", number: 256 } }]);
  mock.timers.tick(20);
  assert.deepEqual(ann.link.channel.sent.splice(0).map(decodeFrame), [{ control: { type: "ack", number: 300 } }]);
});

test("on a channel without the protocol messages go as they are", () => {
  const [ann, bob] = [new Side("bob"), new Side("ann")];
  ann.opened("");
  bob.opened("");
  assert.ok(ann.link.isReady && !ann.link.isAnswered);
  ann.link.send("hello");
  ann.link.ping();
  deliver(ann, bob);
  assert.deepEqual(bob.got, ["hello"]);
  ann.link.channel.readyState = "closed";
  assert.throws(() => ann.link.send("lost"), { name: "InvalidStateError" });
});

test("what is no frame, or not in place, is refused and changes nothing", () => {
  const [ann, bob] = two();
  const received = Object.fromEntries(Array.from({ length: 17 }, (_, number) => [`${number}`, 0]));
  const wrong = [
    bytes(), bytes(2, 3), bytes(1), bytes(1, 255), controlFrame({ type: "nonsense" }), controlFrame({ type: "toString" }), controlFrame(null),
    controlFrame({ type: "begin", number: -1 }), controlFrame({ type: "ack" }), controlFrame({ type: "bye", reason: 5 }),
    controlFrame({ type: "hello", stream: "s".repeat(65), received: {} }), controlFrame({ type: "hello", stream: "s", received }),
    controlFrame({ type: "hello", stream: "s", received: [] }), controlFrame({ type: "hello", stream: "s", received: { a: 1.5 } }),
  ];
  for (const frame of wrong) assert.equal(decodeFrame(frame), null);
  for (const frame of wrong) ann.link.received(frame);
  assert.deepEqual(ann.refused.splice(0), Array(wrong.length).fill("wrong shape"));
  for (const [control, reason] of [
    [{ type: "ack", number: 5 }, "was_sent"], [{ type: "begin", number: 5 }, "leaves_no_gap"], [{ type: "hello", stream: "s", received: {} }, "is_the_same_stream"],
  ]) {
    ann.link.received(controlFrame(control));
    assert.deepEqual(ann.refused.splice(0), [reason]);
  }
  const { link } = new Side("bob");
  link.follow(Object.assign(new Channel(), { readyState: "open" }));
  link.received("before its number is said");
  assert.deepEqual(decodeFrame(dataFrame(bytes(1, 2))), { data: bytes(1, 2) });
  bob.link.send("still here");
  deliver(ann, bob);
  assert.deepEqual(ann.got, ["still here"]);
});

test("only with so many are messages kept; who has none waiting goes first", () => {
  const store = new MessageStore();
  const first = store.of("0");
  first.add("waits");
  for (let number = 1; number < 64; number += 1) store.of(`${number}`);
  const second = store.of("1");
  store.of("64");
  assert.equal(store.of("0"), first);
  assert.equal(store.of("1"), second);
  for (let number = 0; number < 10; number += 1) first.hear(`stream ${number}`, number);
  assert.deepEqual(Object.keys(first.received), [2, 3, 4, 5, 6, 7, 8, 9].map((number) => `stream ${number}`));
});
