/**
 * A machine's card: its diagram with the present state lit and the last edge shown, or its table where there is none.
 * @module
 */

import { ask } from "./feed.js";
import { allowedInstead, told, whyRejected } from "./words.js";

/** @typedef {import("./model.js").Machine} Machine */
/** @typedef {import("./model.js").Model} Model */
/** @typedef {import("./model.js").Rec} Rec */

/** A diagram that would have to be drawn smaller than this is not shown whole, but around the present state. */
const LEAST_SCALE = 0.55;
const WINDOW_SCALE = 0.8;
const LARGEST_SCALE = 1.3;

/** @type {Map<string, Promise<SVGSVGElement | null>>} */
const drawings = new Map();

/** @param {string} digest */
function drawingOf(digest) {
  let drawing = drawings.get(digest);
  if (drawing === undefined) {
    drawing = fetched(digest);
    drawings.set(digest, drawing);
    drawing.catch(() => drawings.delete(digest));
  }
  return drawing;
}

/** @param {string} digest @returns {Promise<SVGSVGElement | null>} */
async function fetched(digest) {
  if (!/^[0-9a-f]{16}$/.test(digest)) return null;
  const response = await ask(`charts/${digest}.svg`);
  if (response.status !== 200) return null;
  const parsed = new DOMParser().parseFromString(await response.text(), "image/svg+xml").documentElement;
  if (!(parsed instanceof SVGSVGElement)) return null;
  for (const element of parsed.querySelectorAll("[id]")) element.removeAttribute("id");
  for (const background of parsed.querySelectorAll('polygon[fill="white"]')) background.remove();
  const graph = parsed.querySelector("g.graph");
  for (const heading of graph?.querySelectorAll(":scope > text") ?? []) heading.remove();
  return parsed;
}

/** A machine's card. */
export class Card {
  /** @param {Machine} machine @param {Model} model */
  constructor(machine, model) {
    this.machine = machine;
    this.model = model;
    this.element = document.createElement("article");
    this.element.className = "card";
    this.element.innerHTML =
      '<h3><span class="name"></span> <span class="chart"></span></h3>' +
      '<button type="button" class="enlarge" aria-expanded="false"></button>' +
      '<p class="state"></p><div class="picture"></div><p class="last"></p><p class="refused" hidden></p>';
    const part = (name) => /** @type {HTMLElement} */ (this.element.querySelector(`.${name}`));
    this.parts = {
      state: part("state"),
      picture: part("picture"),
      last: part("last"),
      refused: part("refused"),
      enlarge: part("enlarge"),
    };
    part("name").textContent = machine.name;
    part("chart").textContent = machine.chartName;
    this.parts.enlarge.setAttribute("aria-label", `Enlarge ${machine.name}`);
    this.parts.enlarge.addEventListener("click", () => this.#enlarge());
    /** @type {SVGSVGElement | null} */
    this.svg = null;
    /** @type {Map<string, SVGGElement>} */
    this.groups = new Map();
    /** The middle of each box that was lit, in the whole picture. @type {Map<SVGGElement, [number, number]>} */
    this.middles = new Map();
    this.scale = 0;
    /** How large the picture may be, in pixels. @type {[number, number]} */
    this.room = [0, 0];
    new ResizeObserver(([entry]) => {
      this.room = [entry.contentRect.width, entry.contentRect.height];
      this.#frame();
    }).observe(this.parts.picture);
    this.shown = "";
    this.seq = Number.POSITIVE_INFINITY;
    this.digest = "";
  }

  /**
   * Show the machine as it was at a place in the journal.
   * @param {number} seq
   */
  show(seq) {
    this.seq = seq;
    if (this.digest !== this.machine.digest) this.#load();
    const { state, record, edge } = this.machine.at(seq);
    const refused = record?.kind === "rejected" ? record : null;
    const isLarge = this.element.classList.contains("large");
    const shown = [state, edge?.seq, refused?.seq, this.svg === null, isLarge].join("|");
    if (shown === this.shown) return;
    this.shown = shown;
    this.element.classList.toggle("absent", state === null);
    const final = this.model.charts.get(this.machine.digest)?.final ?? [];
    this.element.classList.toggle("over", state !== null && final.includes(state));
    this.parts.state.textContent = state ?? "not there yet";
    this.parts.last.textContent = edge === null ? "" : told(edge);
    this.parts.refused.hidden = refused === null;
    if (refused !== null) {
      const instead = allowedInstead(refused, this.model);
      this.parts.refused.textContent = `${refused.trigger} rejected: ${whyRejected(refused)}`;
      this.parts.refused.title = instead;
    }
    this.#light(state, edge, refused);
  }

  #enlarge() {
    const isLarge = this.element.classList.toggle("large");
    this.parts.enlarge.setAttribute("aria-expanded", String(isLarge));
    this.show(this.seq);
    this.element.scrollIntoView({ block: "nearest" });
  }

  async #load() {
    this.digest = this.machine.digest;
    const digest = this.digest;
    const drawing = await drawingOf(digest).catch(() => null);
    if (digest !== this.digest) return;
    this.groups.clear();
    this.middles.clear();
    this.scale = 0;
    if (drawing === null) {
      this.svg = null;
      this.#tabulate();
    } else {
      this.svg = /** @type {SVGSVGElement} */ (document.importNode(drawing, true));
      this.svg.setAttribute("role", "img");
      this.svg.removeAttribute("width");
      this.svg.removeAttribute("height");
      const { x, y, width, height } = this.svg.viewBox.baseVal;
      this.whole = { x, y, width, height };
      for (const group of this.svg.querySelectorAll("g.node, g.edge")) {
        this.groups.set(group.querySelector("title")?.textContent ?? "", /** @type {SVGGElement} */ (group));
      }
      this.parts.picture.replaceChildren(this.svg);
    }
    this.shown = "";
    this.show(this.seq);
  }

  /** Without a drawing: each state with what is possible there, as a table. */
  #tabulate() {
    const chart = this.model.charts.get(this.machine.digest);
    const table = document.createElement("table");
    const seen = new Set([this.machine.state, ...this.machine.records.map((record) => record.state)]);
    const states = chart === undefined ? [...seen] : Object.keys(chart.allowed);
    for (const state of states) {
      const row = table.insertRow();
      row.dataset.state = state;
      const head = document.createElement("th");
      head.scope = "row";
      head.textContent = state;
      row.append(head);
      row.insertCell().textContent = chart?.allowed[state].join(", ") ?? "";
    }
    this.parts.picture.replaceChildren(table);
  }

  /** @param {string | null} state @param {Rec | null} edge @param {Rec | null} refused */
  #light(state, edge, refused) {
    const boxes = this.model.charts.get(this.machine.digest)?.boxes ?? {};
    if (this.svg === null) {
      for (const row of this.parts.picture.querySelectorAll("tr")) {
        row.classList.toggle("lit", row.dataset.state === state);
        if (row.dataset.state === state) row.setAttribute("aria-current", "true");
        else row.removeAttribute("aria-current");
      }
      return;
    }
    for (const marked of this.svg.querySelectorAll(".lit, .taken, .said, .refusing")) {
      marked.classList.remove("lit", "taken", "said", "refusing");
    }
    const node = state === null ? undefined : this.groups.get(boxes[state]);
    node?.classList.add("lit");
    if (refused !== null) node?.classList.add("refusing");
    const taken = edge === null ? undefined : this.groups.get(`${boxes[edge.source]}->${boxes[edge.state]}`);
    if (taken !== undefined) {
      taken.classList.add("taken");
      const lines = [...taken.querySelectorAll("text")];
      const said = lines.filter((line) => line.textContent?.trim().split(" ")[0] === edge?.trigger);
      for (const line of said) line.classList.add("said");
    }
    const last = edge === null ? "" : `; last: ${told(edge)}`;
    const { name, chartName } = this.machine;
    this.svg.setAttribute("aria-label", `${name}, a ${chartName}: ${state ?? "not there yet"}${last}`);
    this.#frame();
  }

  /** Show the whole diagram if it is readable so, else what is around the present state. */
  #frame() {
    const [roomWidth, roomHeight] = this.room;
    const { svg, whole } = this;
    if (svg === null || whole === undefined || roomWidth === 0) return;
    const node = /** @type {SVGGElement | null} */ (svg.querySelector(".lit"));
    const fit = Math.min(roomWidth / whole.width, roomHeight / whole.height, LARGEST_SCALE);
    const scale = fit < LEAST_SCALE ? WINDOW_SCALE : fit;
    if (scale !== this.scale) {
      this.scale = scale;
      svg.style.width = `${whole.width * scale}px`;
      svg.style.height = `${whole.height * scale}px`;
    }
    if (scale === fit || node === null) return;
    const [middleX, middleY] = this.#middle(svg, node);
    this.parts.picture.scrollTo(middleX * scale - roomWidth / 2, middleY * scale - roomHeight / 2);
  }

  /** The middle of a box; asked once, for the answer costs a layout. */
  #middle(svg, node) {
    let middle = this.middles.get(node);
    if (middle === undefined) {
      const box = node.getBBox();
      const [shiftX, shiftY] = shiftOf(svg);
      middle = [box.x + shiftX + box.width / 2, box.y + shiftY + box.height / 2];
      this.middles.set(node, middle);
    }
    return middle;
  }
}

/** How far the graph is moved in its picture. @param {SVGSVGElement} svg @returns {[number, number]} */
function shiftOf(svg) {
  const transform = svg.querySelector("g.graph")?.getAttribute("transform") ?? "";
  const moved = /translate\(([-\d.]+)[ ,]([-\d.]+)\)/.exec(transform);
  return moved === null ? [0, 0] : [Number(moved[1]), Number(moved[2])];
}

/** @param {number} value @param {number} least @param {number} most */
function clamp(value, least, most) {
  return Math.max(least, Math.min(value, most));
}
