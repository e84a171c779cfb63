/**
 * The page: takes the feed into the model, and draws what is chosen, at most once a frame.
 * @module
 */

import { Announcer } from "./announcer.js";
import { ConnectionList } from "./connections.js";
import { Card } from "./diagram.js";
import { ask, follow } from "./feed.js";
import { RecordList, fillCells } from "./list.js";
import { Model, lastUpTo } from "./model.js";
import { Selection } from "./selection.js";
import { Timeline } from "./timeline.js";
import { allowedInstead, counted, seconds, sentenceOfGuard, told, whyRejected } from "./words.js";

/** @typedef {import("./model.js").Connection} Connection */

const DRAW_MILLISECONDS = 100;
const LIST_MILLISECONDS = 400;

/** @param {string} id */
const byId = (id) => /** @type {any} */ (document.getElementById(id));

const model = new Model();

const selection = new Selection(model);

const announcer = new Announcer(byId("announcements"));

let link = "connecting";

/** @type {Map<number, Card>} */
const cards = new Map();

const connections = new ConnectionList(byId("connections"), model, (connection) => {
  selection.choose(connection.name);
  drawSoon();
});

const timeline = new Timeline(byId("lanes"), byId("timeline"), model, lookAt);

const rejections = new RecordList(byId("rejections"), {
  rowHeight: 58,
  fill: (row, record) => {
    const instead = [sentenceOfGuard(record, model), allowedInstead(record, model)].filter(Boolean).join("; ");
    fillCells(row, [
      ["time", seconds(record.time, selection.beginning)],
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
      ["time", seconds(record.time, selection.beginning)],
      ["machine", record.machine.name],
      ["what", told(record)],
    ]);
  },
  onChoose: (record) => lookAt(record.seq),
});

/** @param {number | null} seq a place in the journal; null to follow */
function lookAt(seq) {
  selection.seq = seq;
  drawSoon();
}

/** @param {number} step so many of the listed events back or on */
function walk(step) {
  const place = selection.placeFrom(step);
  if (place !== null) lookAt(place);
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
  const { connection, events: records, rejections: refused, seq, place } = selection;
  drawMachines(connection, place);
  drawMoment(connection);
  timeline.show(connection, selection.machines, place);
  rejections.show(refused, place, seq === null);
  events.show(records, place, seq === null);
  byId("rejections-count").textContent = refused.length > 0 ? `(${refused.length})` : "(none)";
  byId("events-count").textContent = `(${records.length.toLocaleString("en")})`;
  byId("rejections-section").classList.toggle("some", refused.length > 0);
}

function drawHead() {
  const words = {
    connecting: "connecting",
    open: model.isLive ? "live" : "a finished journal",
    lost: "the process is gone or out of reach; what it told until then is shown",
    crowded: "too many pages look on: close one of them, and this one follows",
    refused: "the token is missing or wrong: open the whole address that was printed",
  };
  const stands = byId("link");
  if (stands.textContent !== words[link]) stands.textContent = words[link];
  stands.dataset.state = link === "open" && !model.isLive ? "finished" : link;
  byId("source").textContent = model.name;
  byId("missed").hidden = model.missed === 0;
  byId("missed").textContent = `${counted(model.missed, "event")} came faster than this page could take them`;
}

function drawConnections() {
  const isTime = performance.now() - listDrawnAt > LIST_MILLISECONDS;
  if (model.revision === listDrawn && connections.chosen === selection.name && !filtersMoved) return;
  if (!isTime && connections.chosen === selection.name && !filtersMoved) {
    setTimeout(drawSoon, LIST_MILLISECONDS);
    return;
  }
  filtersMoved = false;
  listDrawnAt = performance.now();
  listDrawn = model.revision;
  const every = [...model.connections.values()];
  const shown = every.filter((connection) => selection.matches(connection));
  const over = new Set(shown.filter((connection) => model.isOver(connection)));
  const order = [...shown.filter((connection) => !over.has(connection)), ...over];
  if (selection.connection === null && order.length > 0) selection.choose(order[0].name);
  connections.show(order, selection.name);
  const hidden = every.length - shown.length;
  byId("live-heading").textContent = `${shown.length - over.size} live, ${over.size} ended`;
  byId("no-connections").hidden = order.length > 0;
  byId("no-connections").textContent = hidden > 0 ? "No connection passes the filter." : "No machine is watched yet.";
}

let machinesDrawn = "";

/** @param {Connection | null} connection @param {number} seq */
function drawMachines(connection, seq) {
  byId("connection-name").textContent = connection?.name ?? "No connection";
  byId("connection-facts").textContent =
    connection === null
      ? ""
      : `${counted(connection.machines.length, "machine")}, ${counted(connection.rejected, "event")} rejected`;
  const shown = selection.machines;
  const key = `${selection.name}|${shown.map((machine) => machine.number).join()}|${connection?.machines.length}`;
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
  const options = [new Option("all", "", selection.machine === "", selection.machine === "")];
  for (const machine of connection?.machines ?? []) {
    const isChosen = machine.label === selection.machine;
    options.push(new Option(machine.name, machine.label, isChosen, isChosen));
  }
  choice.replaceChildren(...options);
}

/** @param {Connection | null} connection */
function drawMoment(connection) {
  const records = connection?.records ?? [];
  const index = selection.seq === null ? records.length - 1 : Math.max(0, lastUpTo(records, selection.seq));
  const slider = byId("moment");
  slider.max = String(Math.max(0, records.length - 1));
  slider.value = String(index);
  slider.disabled = records.length === 0;
  const record = records[index];
  const words =
    record === undefined
      ? ""
      : [
          `${index + 1} of ${records.length}`,
          seconds(record.time, selection.beginning),
          `${record.machine.name}: ${told(record)}`,
        ].join(" · ");
  byId("moment-words").textContent = words;
  slider.setAttribute("aria-valuetext", words);
  byId("follow").setAttribute("aria-pressed", String(selection.seq === null));
  byId("follow").textContent = model.isLive ? "Follow" : "To the end";
}

// What the user does.

let filtersMoved = false;

byId("filter").addEventListener("input", (event) => {
  selection.words = event.target.value.trim().toLowerCase();
  filtersMoved = true;
  drawSoon();
});
byId("only-rejections").addEventListener("change", (event) => {
  selection.onlyRejections = event.target.checked;
  filtersMoved = true;
  drawSoon();
});
byId("machine").addEventListener("change", (event) => {
  selection.machine = event.target.value;
  drawSoon();
});
byId("moment").addEventListener("input", (event) => {
  const record = selection.connection?.records[Number(event.target.value)];
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
  sayOfExport("");
  // A blob whose length isn't the promised one is an error of the browser's, so a file is whole or isn't made.
  const response = await ask("journal.jsonl").catch(() => null);
  const blob = response?.ok === true ? await response.blob().catch(() => null) : null;
  if (blob === null) {
    const answered = response?.ok === true ? "it was cut off on its way" : `it answers ${response?.status}`;
    const why = response === null ? "the process is out of reach" : answered;
    sayOfExport(`The journal can't be had: ${why}. Nothing was saved; try again.`);
    return;
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = "journal.jsonl";
  link.click();
  URL.revokeObjectURL(link.href);
});

/** @param {string} words shown beside the button, and announced; empty for none */
function sayOfExport(words) {
  byId("export-words").textContent = words;
  byId("export-words").hidden = words === "";
  if (words !== "") announcer.say(words);
}

addEventListener("resize", drawSoon);

// What the feed says.

follow(
  (message) => {
    if (message.type === "snapshot") {
      cards.clear();
      machinesDrawn = "";
    }
    announcer.tell(model.take(message));
    drawSoon();
  },
  (state) => {
    link = state;
    drawSoon();
  },
);
