/**
 * The page: takes the feed into the model, and draws what is chosen, at most once a frame.
 * @module
 */

import { ConnectionList } from "./connections.js";
import { Card } from "./diagram.js";
import { ask, follow } from "./feed.js";
import { RecordList, fillCells } from "./list.js";
import { Model, lastUpTo } from "./model.js";
import { Timeline } from "./timeline.js";
import { allowedInstead, counted, seconds, sentenceOfGuard, told, whyRejected } from "./words.js";

/** @typedef {import("./model.js").Connection} Connection */
/** @typedef {import("./model.js").Machine} Machine */
/** @typedef {import("./model.js").Rec} Rec */

const DRAW_MILLISECONDS = 100;
const LIST_MILLISECONDS = 400;
const ANNOUNCE_MILLISECONDS = 3000;

/** @param {string} id */
const byId = (id) => /** @type {any} */ (document.getElementById(id));

const model = new Model();

const view = {
  /** @type {string} the chosen connection's name */
  connection: "",
  /** @type {number | null} the place in the journal that is looked at; null for the latest */
  seq: null,
  words: "",
  onlyRejections: false,
  machine: "",
  link: "connecting",
};

/** @type {Map<number, Card>} */
const cards = new Map();

const connections = new ConnectionList(byId("connections"), model, (connection) => {
  view.connection = connection.name;
  view.machine = "";
  view.seq = null;
  drawSoon();
});

const timeline = new Timeline(byId("lanes"), byId("timeline"), model, lookAt);

const rejections = new RecordList(byId("rejections"), {
  rowHeight: 58,
  fill: (row, record) => {
    const instead = [sentenceOfGuard(record, model), allowedInstead(record, model)].filter(Boolean).join("; ");
    fillCells(row, [
      ["time", seconds(record.time, beginning())],
      ["machine", record.machine.name],
      ["what", `${record.trigger} in ${record.state}`],
      ["why", whyRejected(record)],
      ["instead", instead],
    ]);
  },
  onChoose: (record) => lookAt(record.seq),
});

const events = new RecordList(byId("events"), {
  rowHeight: 26,
  fill: (row, record) => {
    row.className = record.kind;
    fillCells(row, [
      ["time", seconds(record.time, beginning())],
      ["machine", record.machine.name],
      ["what", told(record)],
    ]);
  },
  onChoose: (record) => lookAt(record.seq),
});

/** @returns {Connection | null} */
function chosen() {
  return model.connections.get(view.connection) ?? null;
}

function beginning() {
  return chosen()?.records[0]?.time ?? 0;
}

/** @param {number | null} seq a place in the journal; null to follow */
function lookAt(seq) {
  view.seq = seq;
  drawSoon();
}

/** @param {number} step so many of the listed events back or on */
function walk(step) {
  const records = listed();
  if (records.length === 0) return;
  const now = view.seq === null ? records.length - 1 : lastUpTo(records, view.seq);
  lookAt(records[Math.max(0, Math.min(now + step, records.length - 1))].seq);
}

// What is listed.

/** @param {Connection} connection */
function matches(connection) {
  if (view.onlyRejections && connection.rejected === 0) return false;
  if (view.words === "") return true;
  return connection.name.toLowerCase().includes(view.words) || connection.machines.some(matchesMachine)
    || (connection === chosen() && connection.records.some(matchesRecord));
}

/** @param {Machine} machine */
function matchesMachine(machine) {
  return `${machine.label} ${machine.chartName} ${machine.state}`.toLowerCase().includes(view.words);
}

/** @param {Rec} record */
function matchesRecord(record) {
  const text = `${record.machine.label} ${record.trigger} ${record.source} ${record.state} ${record.reason ?? ""} ${record.guard ?? ""}`;
  return text.toLowerCase().includes(view.words);
}

let listedFor = "";
/** @type {Rec[]} */
let listedRecords = [];

/** The events of the chosen connection that pass the filters. */
function listed() {
  const connection = chosen();
  if (connection === null) return [];
  const isPlain = view.machine === "" && view.words === "" && !view.onlyRejections;
  if (isPlain) return connection.records;
  const key = `${connection.name}|${connection.revision}|${view.machine}|${view.words}|${view.onlyRejections}`;
  if (key !== listedFor) {
    listedFor = key;
    const nameMatches = connection.name.toLowerCase().includes(view.words);
    listedRecords = (view.onlyRejections ? connection.rejections : connection.records).filter(
      (record) =>
        (view.machine === "" || record.machine.label === view.machine) && (view.words === "" || nameMatches || matchesRecord(record)),
    );
  }
  return listedRecords;
}

// Drawing.

let isDue = false;
let drawnAt = 0;
let listDrawnAt = 0;
let listDrawn = -1;

function drawSoon() {
  if (isDue) return;
  isDue = true;
  setTimeout(() => requestAnimationFrame(draw), Math.max(0, drawnAt + DRAW_MILLISECONDS - performance.now()));
}

function draw() {
  isDue = false;
  drawnAt = performance.now();
  drawHead();
  drawConnections();
  const connection = chosen();
  const seq = view.seq ?? Number.POSITIVE_INFINITY;
  drawMachines(connection, seq);
  drawMoment(connection);
  const records = listed();
  const refused = (connection?.rejections ?? []).filter((record) => view.machine === "" || record.machine.label === view.machine);
  timeline.show(connection, machinesShown(connection), seq);
  rejections.show(refused, seq, view.seq === null);
  events.show(records, seq, view.seq === null);
  byId("rejections-count").textContent = refused.length > 0 ? `(${refused.length})` : "(none)";
  byId("events-count").textContent = `(${records.length.toLocaleString("en")})`;
  byId("rejections-section").classList.toggle("some", refused.length > 0);
}

function drawHead() {
  const words = {
    connecting: "connecting",
    open: model.isLive ? "live" : "a finished journal",
    lost: "the process is gone or out of reach; what it told until then is shown",
    refused: "the token is missing or wrong: open the whole address that was printed",
  };
  const link = byId("link");
  if (link.textContent !== words[view.link]) link.textContent = words[view.link];
  link.dataset.state = view.link === "open" && !model.isLive ? "finished" : view.link;
  byId("source").textContent = model.name;
  byId("missed").hidden = model.missed === 0;
  byId("missed").textContent = `${counted(model.missed, "event")} came faster than this page could take them`;
}

function drawConnections() {
  const isTime = performance.now() - listDrawnAt > LIST_MILLISECONDS;
  if (model.revision === listDrawn && connections.chosen === view.connection && !filtersMoved) return;
  if (!isTime && connections.chosen === view.connection && !filtersMoved) {
    setTimeout(drawSoon, LIST_MILLISECONDS);
    return;
  }
  filtersMoved = false;
  listDrawnAt = performance.now();
  listDrawn = model.revision;
  const every = [...model.connections.values()];
  const shown = every.filter(matches);
  const over = new Set(shown.filter((connection) => model.isOver(connection)));
  const order = [...shown.filter((connection) => !over.has(connection)), ...over];
  if (!model.connections.has(view.connection) && order.length > 0) view.connection = order[0].name;
  connections.show(order, view.connection);
  const hidden = every.length - shown.length;
  byId("live-heading").textContent = `${shown.length - over.size} live, ${over.size} ended`;
  byId("no-connections").hidden = order.length > 0;
  byId("no-connections").textContent = hidden > 0 ? "No connection passes the filter." : "No machine is watched yet.";
}

/** @param {Connection | null} connection @returns {Machine[]} */
function machinesShown(connection) {
  return (connection?.machines ?? []).filter((machine) => view.machine === "" || machine.label === view.machine);
}

let machinesDrawn = "";

/** @param {Connection | null} connection @param {number} seq */
function drawMachines(connection, seq) {
  byId("connection-name").textContent = connection?.name ?? "No connection";
  byId("connection-facts").textContent =
    connection === null ? "" : `${counted(connection.machines.length, "machine")}, ${counted(connection.rejected, "event")} rejected`;
  const shown = machinesShown(connection);
  const key = `${view.connection}|${shown.map((machine) => machine.number).join()}|${connection?.machines.length}`;
  if (key !== machinesDrawn) {
    machinesDrawn = key;
    const numbers = new Set(shown.map((machine) => machine.number));
    for (const number of cards.keys()) if (!numbers.has(number)) cards.delete(number);
    const elements = shown.map((machine) => {
      const card = cards.get(machine.number) ?? new Card(machine, model);
      cards.set(machine.number, card);
      return card.element;
    });
    byId("machines").replaceChildren(...elements);
    byId("machines").classList.toggle("single", shown.length === 1);
    drawChoice(connection);
  }
  for (const machine of shown) cards.get(machine.number)?.show(seq);
}

/** @param {Connection | null} connection */
function drawChoice(connection) {
  const choice = byId("machine");
  const options = [new Option("all", "", view.machine === "", view.machine === "")];
  for (const machine of connection?.machines ?? []) {
    const isChosen = machine.label === view.machine;
    options.push(new Option(machine.name, machine.label, isChosen, isChosen));
  }
  choice.replaceChildren(...options);
}

/** @param {Connection | null} connection */
function drawMoment(connection) {
  const records = connection?.records ?? [];
  const index = view.seq === null ? records.length - 1 : Math.max(0, lastUpTo(records, view.seq));
  const slider = byId("moment");
  slider.max = String(Math.max(0, records.length - 1));
  slider.value = String(index);
  slider.disabled = records.length === 0;
  const record = records[index];
  const words = record === undefined ? "" : `${index + 1} of ${records.length} · ${seconds(record.time, beginning())} · ${record.machine.name}: ${told(record)}`;
  byId("moment-words").textContent = words;
  slider.setAttribute("aria-valuetext", words);
  byId("follow").setAttribute("aria-pressed", String(view.seq === null));
  byId("follow").textContent = model.isLive ? "Follow" : "To the end";
}

// What the user does.

let filtersMoved = false;

byId("filter").addEventListener("input", (event) => {
  view.words = event.target.value.trim().toLowerCase();
  filtersMoved = true;
  drawSoon();
});
byId("only-rejections").addEventListener("change", (event) => {
  view.onlyRejections = event.target.checked;
  filtersMoved = true;
  drawSoon();
});
byId("machine").addEventListener("change", (event) => {
  view.machine = event.target.value;
  drawSoon();
});
byId("moment").addEventListener("input", (event) => {
  const record = chosen()?.records[Number(event.target.value)];
  if (record !== undefined) lookAt(record.seq);
});
byId("back").addEventListener("click", () => walk(-1));
byId("forward").addEventListener("click", () => walk(1));
byId("follow").addEventListener("click", () => lookAt(null));
byId("zoom-in").addEventListener("click", () => timeline.magnify(2));
byId("zoom-out").addEventListener("click", () => timeline.magnify(0.5));
byId("lanes").addEventListener("keydown", (event) => {
  const steps = { ArrowLeft: -1, ArrowRight: 1 };
  if (event.key in steps) walk(steps[event.key]);
  else if (event.key === "+") timeline.magnify(2);
  else if (event.key === "-") timeline.magnify(0.5);
  else if (event.key === "End") lookAt(null);
  else return;
  event.preventDefault();
});
byId("export").addEventListener("click", async () => {
  const response = await ask("journal.jsonl").catch(() => null);
  if (response === null || !response.ok) {
    announce("The journal can't be had: the process is out of reach.");
    return;
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await response.blob());
  link.download = "journal.jsonl";
  link.click();
  URL.revokeObjectURL(link.href);
});
addEventListener("resize", drawSoon);

// What the feed says.

/** @param {string} words */
function announce(words) {
  byId("announcements").textContent = words;
}

/** @type {Rec[]} */
let unannounced = [];
let announcedAt = -ANNOUNCE_MILLISECONDS;

/** Tell screen readers of rejections, at most every few seconds. @param {Rec[]} rejected */
function announceRejections(rejected) {
  const isWaiting = unannounced.length > 0;
  unannounced.push(...rejected.slice(-1000));
  if (unannounced.length === 0 || isWaiting) return;
  setTimeout(() => {
    const latest = unannounced[unannounced.length - 1];
    const others = unannounced.length > 1 ? ` and ${counted(unannounced.length - 1, "other")}` : "";
    announce(`${latest.machine.label} rejected ${latest.trigger} in ${latest.state}: ${whyRejected(latest)}${others}`);
    unannounced = [];
    announcedAt = performance.now();
  }, Math.max(0, announcedAt + ANNOUNCE_MILLISECONDS - performance.now()));
}

follow(
  (message) => {
    if (message.type === "snapshot") {
      cards.clear();
      machinesDrawn = "";
    }
    announceRejections(model.take(message));
    drawSoon();
  },
  (state) => {
    view.link = state;
    drawSoon();
  },
);
