// Tries the page's recovery in Node, against a call that only notes what is asked of it, in time that is set by hand:
// node recovery.mjs FOLDER

import assert from "node:assert/strict";
import test, { mock } from "node:test";
import { pathToFileURL } from "node:url";

const load = (name) => import(pathToFileURL(`${process.argv[2]}/${name}`));
const { Driver } = await load("driver.js");
const { LIMITS } = await load("limits.js");
const { Recovery } = await load("recovery.js");

const STEP_SECONDS = 0.05;
let now = 0;
let asleep = 0;
mock.timers.enable({ apis: ["setTimeout", "setInterval"] });

/** Let time pass. */
function pass(seconds) {
  for (let step = 0; step < Math.round(seconds / STEP_SECONDS); step += 1) {
    now += STEP_SECONDS;
    mock.timers.tick(STEP_SECONDS * 1000);
  }
}

/** The page stands still: its timers come when it goes on. */
function standStill(seconds, clockRuns = true) {
  if (clockRuns) now += seconds;
  else asleep += seconds;
}

/** A call that works, and what it was asked for. */
function watched(changes = {}, policy = LIMITS) {
  const asked = [];
  const note = (name) => (reason) => asked.push(reason === undefined ? name : `${name}: ${reason}`);
  const call = {
    linkIsUp: true, peerIsThere: true, peerAnswers: true, canRestartIce: true, isExchanging: false, leads: true,
    ping: () => {}, checkLink: () => {}, moved: () => {},
    restartIce: note("restart ICE"), recreate: note("recreate"), giveUp: note("give up"), endEarly: note("end early"), endByPeer: note("end by peer"),
    tell: ({ kind, reason = "" }) => ["lost", "recovered"].includes(kind) && asked.push(reason ? `${kind}: ${reason}` : kind),
    ...changes,
  };
  const recovery = new Recovery(call, policy, { clock: () => now, asleep: () => asleep, uniform: (low, high) => high });
  recovery.newCall();
  recovery.heard();
  const told = () => asked.splice(0);
  return { call, recovery, told };
}

const SILENT = "lost: nothing was heard of it";

test("a silent peer is lost after 2.5 s, and the side that leads restarts ICE after 4.5 s, then makes a new peer connection", () => {
  const { recovery, told } = watched();
  pass(2.4);
  assert.equal(recovery.state, "watching");
  pass(0.2);
  assert.deepEqual([recovery.state, told()], ["suspect", [SILENT]]);
  pass(2);
  assert.deepEqual([recovery.state, told()], ["restarting ICE", ["restart ICE"]]);
  pass(8);
  assert.deepEqual([recovery.state, told()], ["recreating", ["recreate"]]);
  recovery.heard();
  assert.deepEqual([recovery.state, told(), recovery.attemptsLeft], ["watching", ["recovered"], 6]);
  for (let second = 0; second < 12; second += 1) {
    pass(1);
    recovery.heard();
  }
  assert.equal(recovery.attemptsLeft, 8, "it has stood long enough");
  recovery.close();
});

test("who doesn't lead begins a second later, and follows an offer of the leader", () => {
  const { recovery, told } = watched({ leads: false });
  pass(5);
  assert.deepEqual([recovery.state, told()], ["overdue", [SILENT]]);
  pass(0.7);
  assert.deepEqual(told(), ["restart ICE"]);
  recovery.close();
  const other = watched({ leads: false });
  pass(5);
  other.recovery.agreed();
  assert.deepEqual([other.recovery.state, other.told()], ["following", [SILENT]]);
  pass(6);
  other.recovery.progressed();
  pass(6);
  assert.equal(other.recovery.state, "following", "what comes nearer isn't broken off");
  other.recovery.close();
});

test("the silence of a peer that answers no heartbeat says nothing; ICE does", () => {
  const { recovery, told } = watched({ peerAnswers: false });
  pass(30);
  assert.equal(recovery.state, "watching");
  recovery.lost("disconnected");
  assert.deepEqual([recovery.state, told()], ["suspect", ["lost: disconnected"]]);
  recovery.lostForGood("failed");
  pass(0.1);
  assert.deepEqual(told(), ["restart ICE"]);
  recovery.close();
});

test("the peer is asked each second while a call stands, and the link is checked each second while it is lost", () => {
  let [pings, checks] = [0, 0];
  const { recovery } = watched({ ping: () => (pings += 1), checkLink: () => (checks += 1) });
  pass(2.1);
  assert.deepEqual([pings, checks], [2, 0]);
  pass(3);
  assert.equal(checks, 4);
  recovery.close();
  pass(10);
  assert.equal(pings, 5);
});

test("the side that doesn't lead asks only a peer that doesn't ask, and nobody asks who says something", () => {
  for (const [leads, hears, expected] of [[true, 1.1, 9], [false, 1.1, 0], [false, 1.5, 6], [true, 0.5, 0]]) {
    let pings = 0;
    const { recovery } = watched({ leads, ping: () => (pings += 1) });
    for (let heard = 0; heard < Math.floor(10 / hears); heard += 1) {
      pass(hears);
      recovery.heard();
    }
    recovery.close();
    assert.equal(pings, expected, `${leads} ${hears}`);
  }
});

test("a link that dies within a recovery is waited for, and what waited begins when it is back", () => {
  const { call, recovery, told } = watched();
  pass(4.6);
  assert.deepEqual(told(), [SILENT, "restart ICE"]);
  call.linkIsUp = false;
  pass(8);
  assert.equal(recovery.state, "backing off");
  pass(1);
  assert.equal(recovery.state, "waiting");
  pass(20);
  assert.deepEqual([recovery.state, told()], ["waiting", []]);
  call.linkIsUp = true;
  recovery.changed();
  pass(0.6);
  assert.deepEqual([recovery.state, told()], ["recreating", ["recreate"]]);
  recovery.close();
});

test("a peer that has left the room, and an offer that is under way, are waited for too", () => {
  for (const [name, away] of [["peerIsThere", false], ["isExchanging", true]]) {
    const { call, recovery, told } = watched({ [name]: away });
    pass(20);
    assert.deepEqual([recovery.state, told()], ["long overdue", [SILENT]]);
    call[name] = !away;
    recovery.changed();
    assert.deepEqual(told(), ["restart ICE"]);
    recovery.close();
  }
});

test("a goodbye on the channel ends the call, when the one over signalling hasn't come", () => {
  for (const [linkIsUp, seconds] of [[true, 3], [false, 0.5]]) {
    const { recovery, told } = watched({ linkIsUp });
    recovery.saidGoodbye("closed");
    recovery.closed("the channel was closed");
    pass(seconds - 0.1);
    assert.deepEqual([recovery.state, told()], ["goodbye", []]);
    pass(0.2);
    assert.deepEqual(told(), ["end by peer"]);
    recovery.close();
  }
});

test("a connection that is closed without a goodbye is lost after half a second, and made anew", () => {
  const { recovery, told } = watched({ canRestartIce: false });
  recovery.closed("cut");
  pass(0.4);
  assert.deepEqual([recovery.state, told()], ["cut", []]);
  pass(0.2);
  assert.deepEqual([recovery.state, told()], ["recreating", ["lost: cut", "recreate"]]);
  recovery.close();
});

test("one that is closed before it worked has 5 s for another offer", () => {
  const { recovery, told } = watched();
  recovery.newCall();
  recovery.closed("cut");
  pass(4.9);
  assert.deepEqual([recovery.state, told()], ["cut early", []]);
  pass(0.2);
  assert.deepEqual(told(), ["end early"]);
  recovery.close();
});

test("an attempt whose offer is under way has its time once more; one that fails leads to the next", () => {
  const { call, recovery, told } = watched();
  pass(4.6);
  call.isExchanging = true;
  pass(9);
  assert.deepEqual([recovery.state, told()], ["restarting ICE", [SILENT, "restart ICE"]]);
  call.isExchanging = false;
  recovery.changed();
  pass(8);
  assert.deepEqual([recovery.state, told()], ["recreating", ["recreate"]]);
  recovery.attemptFailed();
  assert.equal(recovery.state, "backing off");
  pass(1.1);
  assert.deepEqual(told(), ["recreate"]);
  recovery.close();
});

test("the pauses double, and the call is given up when no attempt is left, or after 90 s", () => {
  const { recovery, told } = watched();
  pass(4.6);
  const pauses = [];
  for (let pause = 0; recovery.state !== "gave up"; pass(STEP_SECONDS)) {
    if (recovery.state === "backing off") pause += STEP_SECONDS;
    else {
      if (pause > 0) pauses.push(Math.round(pause));
      pause = 0;
      recovery.attemptFailed();
    }
  }
  // Behind the ICE restart comes a new peer connection at once.
  assert.deepEqual(pauses, [1, 2, 4, 8, 15, 15]);
  assert.equal(told().at(-1), "give up: every attempt to recover the call failed");
  recovery.close();
  const patient = watched({ linkIsUp: false });
  pass(2.6 + 90);
  assert.equal(patient.told().at(-1), "give up: the call could not be recovered within 90 s");
  patient.recovery.close();
});

test("a DTLS failure is never tried again, and what is closed does nothing more", () => {
  const { recovery, told } = watched();
  recovery.dtlsFailed("no such certificate");
  assert.deepEqual([recovery.state, told()], ["gave up", ["give up: no such certificate"]]);
  recovery.close();
  for (const tell of ["heard", "agreed", "progressed", "attemptFailed", "changed", "newCall"]) recovery[tell]();
  for (const tell of ["lost", "lostForGood", "closed", "saidGoodbye", "dtlsFailed"]) recovery[tell]("why");
  pass(200);
  assert.deepEqual([recovery.state, told()], ["closed", []]);
});

test("a page that stood still holds nothing of that against the other side, and reads first what came meanwhile", () => {
  for (const clockRuns of [true, false]) {
    const { recovery, told } = watched();
    pass(2);
    standStill(60, clockRuns);
    pass(STEP_SECONDS);
    assert.equal(recovery.state, "watching");
    pass(1.3);
    assert.equal(recovery.state, "watching", "it has a second to read what came");
    pass(0.5);
    assert.equal(told()[0], SILENT);
    recovery.close();
  }
});

test("timers that always come late, as in a hidden page, find a silent peer all the same", () => {
  const { recovery } = watched();
  for (let minute = 0; minute < 4 && recovery.state === "watching"; minute += 1) {
    standStill(60);
    mock.timers.tick(5000);
  }
  assert.notEqual(recovery.state, "watching");
  recovery.close();
});

// What runs it.

const TABLE = {
  machine: "Lamp", digest: "", initial: "off", final: [],
  triggers: {
    light: { checks: [], rows: [{ sources: ["off"], target: "on", when: [], then: ["click"] }] },
    out: { checks: [], rows: [{ sources: ["on"], target: "off", when: [], then: ["click", "rest"] }] },
  },
  timers: [{ trigger: "out", sources: ["on"], after: 1, per: "state", since: null, late: "fire", jitter: "none" }],
};

test("each effect of a table has somebody who carries it out", () => {
  assert.throws(() => new Driver(TABLE, null, { guards: {}, effects: { click: () => {} } }), /Lamp: nobody carries out rest/);
});

test("what a handler fires is carried out behind it, and timers fire by themselves", () => {
  const done = [];
  const moved = [];
  const effects = {
    click: (event) => {
      done.push(`click ${event}`);
      if (event === "again") driver.fire("out", "late");
      done.push("clicked");
    },
    rest: (event) => done.push(`rest ${event}`),
  };
  const clocks = { clock: () => now, asleep: () => 0 };
  const driver = new Driver(TABLE, null, { guards: {}, effects }, (before) => moved.push(before), clocks);
  driver.fire("light", "again");
  assert.deepEqual(done.splice(0), ["click again", "clicked", "click late", "clicked", "rest late"]);
  assert.deepEqual(moved.splice(0), ["off", "on"]);
  assert.ok(driver.permits("light") && !driver.permits("out"));
  driver.fire("light", "once");
  pass(1.1);
  assert.deepEqual([driver.state, done], ["off", ["click once", "clicked", "click null", "clicked", "rest null"]]);
});
