// Lets the browser's machine go through what fsm_rtc's engine did: node traces.mjs FOLDER traces.json

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import test from "node:test";

const load = (name) => import(pathToFileURL(`${process.argv[2]}/${name}`));
const { CANDIDATES } = await load("candidates_table.js");
const { CANDIDATES_GUARDS } = await load("candidates.js");
const { DELIVERIES } = await load("deliveries_table.js");
const { DELIVERY_GUARDS } = await load("conversation.js");
const { FLOW } = await load("flow_table.js");
const { FLOW_GUARDS } = await load("secure_link.js");
const { Machine } = await load("machine.js");
const { RECOVERY } = await load("recovery_table.js");
const { RECOVERY_GUARDS, RECOVERY_TIMES } = await load("recovery_guards.js");
const traces = JSON.parse(readFileSync(process.argv[3], "utf8"));

const LATE_SECONDS = 0.25; // as in traces.py

const GUARDS = {
  flag_0: ({ flags }) => flags[0],
  flag_1: ({ flags }) => flags[1],
  is_solvent: (shop) => shop.is_solvent,
  key_fits: (house, key) => key === house.key,
  key_is_positive: (_, key) => key > 0,
  nobody_in: (house) => !house.somebody_in,
};
const TIMES = { patience: ({ patience }) => patience, heard: ({ heard }) => heard, heard_at: ({ heard_at }) => heard_at };

// What the page steps itself: by its own tables, guards and times, which read what has JavaScript's names.
const OF_THE_PAGE = {
  Deliveries: { table: DELIVERIES, guards: DELIVERY_GUARDS },
  Flow: { table: FLOW, guards: FLOW_GUARDS },
  Candidates: { table: CANDIDATES, guards: CANDIDATES_GUARDS },
  Recovery: { table: RECOVERY, guards: RECOVERY_GUARDS, times: RECOVERY_TIMES },
};
const camel = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
const NAMES_ELSEWHERE = { giveUpAfterSeconds: "giveUpSeconds" };

function camelled(value) {
  if (typeof value !== "object" || value === null) return value;
  const named = ([name, one]) => [NAMES_ELSEWHERE[camel(name)] ?? camel(name), camelled(one)];
  return Object.fromEntries(Object.entries(value).map(named));
}

for (const [number, { table, steps }] of traces.entries()) {
  test(`trace ${number} of ${table.machine}`, () => {
    let now = steps[0].now;
    const own = OF_THE_PAGE[table.machine];
    const [key, read] = own ? [camel, camelled] : [(name) => name, (value) => value];
    if (own) assert.deepEqual(own.table, table);
    const context = { ...read(steps[0].context) };
    const timing = { clock: () => now, uniform: (low, high) => (low + high) / 2, times: own?.times ?? TIMES };
    const machine = new Machine(table, own?.guards ?? GUARDS, context, timing);
    for (const [index, step] of steps.entries()) {
      now = step.now;
      let outcomes;
      if (step.do === "fire") outcomes = [machine.fire(step.trigger, read(step.event))];
      if (step.do === "tick") {
        now += LATE_SECONDS;
        outcomes = machine.tick(step.now).map(({ trigger, ...outcome }) => outcome);
        now = step.now;
      }
      if (step.do === "change") context[key(step.name)] = read(step.value);
      if (step.do === "stand still") machine.stoodStill(step.seconds, step.clock_ran);
      const { state, armed, next } = step;
      const seen = { outcomes, state: machine.state, armed: machine.armed(), next: machine.nextTimeout() };
      assert.deepEqual(seen, { outcomes: step.outcomes, state, armed, next }, `step ${index}: ${JSON.stringify(step)}`);
    }
  });
}
