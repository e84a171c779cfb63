/**
 * The timeline: a lane a machine, a band a state, a red mark a rejection, a line where the page looks. Only what is in
 * sight is drawn.
 * @module
 */

import { lastUpTo } from "./model.js";

/** @typedef {import("./model.js").Connection} Connection */
/** @typedef {import("./model.js").Machine} Machine */
/** @typedef {import("./model.js").Model} Model */

const LANE = 24;
const AXIS = 22;
const NAMES = 170;
const HUES = [212, 262, 187, 32, 318, 88, 12, 240];
const GOOD = new Set(["stable", "complete", "completed", "connected", "Connected", "open", "live", "joined"]);
const BAD = new Set(["failed", "Error", "disconnected"]);

/** Draws a connection's machines on a canvas that stays in sight of its scrolled parent. */
export class Timeline {
  /**
   * @param {HTMLElement} box what scrolls
   * @param {HTMLCanvasElement} canvas
   * @param {Model} model
   * @param {(seq: number) => void} onChoose called with the place in the journal that was clicked
   */
  constructor(box, canvas, model, onChoose) {
    this.box = box;
    this.canvas = canvas;
    this.model = model;
    this.spacer = document.createElement("div");
    box.append(this.spacer);
    /** @type {Machine[]} */
    this.machines = [];
    /** @type {Connection | null} */
    this.connection = null;
    this.seq = Number.POSITIVE_INFINITY;
    this.zoom = 1;
    this.top = 0;
    box.addEventListener(
      "scroll",
      () => {
        this.top = box.scrollTop;
        this.draw();
      },
      { passive: true },
    );
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const takeColours = () => {
      const style = getComputedStyle(box);
      const names = ["ink", "muted", "line", "bad", "accent"];
      this.colours = Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`)]));
      this.isDark = dark.matches;
    };
    takeColours();
    dark.addEventListener("change", () => {
      takeColours();
      this.draw();
    });
    this.width = 0;
    this.height = 0;
    new ResizeObserver(() => {
      this.width = box.clientWidth;
      this.height = box.clientHeight;
      this.#fit();
      this.draw();
    }).observe(box);
    const choose = (event) => {
      const chosen = event.buttons === 1 ? this.#seqAt(event.offsetX) : null;
      if (chosen !== null && chosen !== this.seq) onChoose(chosen);
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      choose(event);
    });
    canvas.addEventListener("pointermove", choose);
    canvas.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.shiftKey) return;
      event.preventDefault();
      this.magnify(event.deltaY < 0 ? 1.25 : 0.8);
    });
  }

  /** @param {number} factor */
  magnify(factor) {
    this.zoom = Math.max(1, Math.min(this.zoom * factor, 1000));
    this.draw();
  }

  /**
   * @param {Connection | null} connection
   * @param {Machine[]} machines which lanes
   * @param {number} seq where the page looks
   */
  show(connection, machines, seq) {
    if (connection !== this.connection) this.zoom = 1;
    const isOtherHeight = machines.length !== this.machines.length;
    this.connection = connection;
    this.machines = machines;
    this.seq = seq;
    if (isOtherHeight) this.#fit();
    this.draw();
  }

  /** Make room for every lane. */
  #fit() {
    const height = this.machines.length * LANE + AXIS;
    this.box.style.setProperty("--lanes-height", `${height + 2}px`);
    this.spacer.style.height = `${Math.max(0, height - this.height)}px`;
  }

  /** The part of the call in sight, in seconds. @returns {[number, number]} */
  #range() {
    const records = this.connection?.records ?? [];
    const first = records[0]?.time ?? 0;
    const last = records[records.length - 1]?.time ?? first;
    const whole = Math.max(last - first, 0.05) * 1.02;
    const length = whole / this.zoom;
    const looked = records[Math.max(0, lastUpTo(records, this.seq))]?.time ?? last;
    const begin = Math.max(first, Math.min(looked - length / 2, first + whole - length));
    return [begin, begin + length];
  }

  /** @param {number} offset in the canvas @returns {number | null} */
  #seqAt(offset) {
    const records = this.connection?.records ?? [];
    if (records.length === 0 || offset < NAMES) return null;
    const [begin, end] = this.#range();
    const time = begin + ((offset - NAMES) / (this.width - NAMES)) * (end - begin);
    const index = lastUpToTime(records, time);
    return records[Math.max(0, index)].seq;
  }

  draw() {
    const { width, height } = this;
    const ratio = devicePixelRatio || 1;
    if (this.canvas.width !== Math.round(width * ratio) || this.canvas.height !== Math.round(height * ratio)) {
      this.canvas.width = Math.round(width * ratio);
      this.canvas.height = Math.round(height * ratio);
      this.canvas.style.width = `${width}px`;
      this.canvas.style.height = `${height}px`;
    }
    const pen = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    const { colours, isDark, top } = this;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    if (this.connection === null || width <= NAMES) return;
    const [begin, end] = this.#range();
    const across = (time) => NAMES + ((time - begin) / (end - begin)) * (width - NAMES);
    const firstLane = Math.floor(top / LANE);
    const lastLane = Math.min(this.machines.length - 1, Math.floor((top + height - AXIS) / LANE));
    pen.font = "12px system-ui, sans-serif";
    pen.textBaseline = "middle";
    for (let lane = firstLane; lane <= lastLane; lane += 1) {
      this.#lane(pen, this.machines[lane], lane * LANE - top, { across, begin, end, width, colours, isDark });
    }
    this.#axis(pen, { across, begin, end, width, height, colours });
    const looked = lastUpTo(this.connection.records, this.seq);
    if (looked >= 0) {
      const x = Math.min(width - 1, across(this.connection.records[looked].time));
      pen.fillStyle = colours.accent;
      pen.fillRect(Math.round(x) - 1, 0, 2, height - AXIS);
    }
  }

  #lane(pen, machine, y, { across, begin, end, width, colours, isDark }) {
    pen.fillStyle = colours.ink;
    pen.fillText(shortened(pen, machine.name, NAMES - 14), 6, y + LANE / 2);
    pen.strokeStyle = colours.line;
    pen.beginPath();
    pen.moveTo(0, y + LANE - 0.5);
    pen.lineTo(width, y + LANE - 0.5);
    pen.stroke();
    const states = Object.keys(this.model.charts.get(machine.digest)?.boxes ?? {});
    const final = this.model.charts.get(machine.digest)?.final ?? [];
    const { records } = machine;
    let index = Math.max(0, lastUpToTime(records, begin));
    pen.save();
    pen.beginPath();
    pen.rect(NAMES, y, width - NAMES, LANE);
    pen.clip();
    let painted = -1;
    const marks = [];
    while (index < records.length && records[index].time <= end) {
      const record = records[index];
      let next = index + 1;
      while (next < records.length && records[next].state === record.state) next += 1;
      const left = Math.max(NAMES, across(record.time));
      const right = Math.min(width, next < records.length ? across(records[next].time) : width);
      if (right - painted >= 0.5) {
        pen.fillStyle = bandColour(record.state, states, final, isDark);
        pen.fillRect(left, y + 4, Math.max(1, right - left - 1), LANE - 9);
        const room = right - left - 10;
        if (room > 24) {
          pen.fillStyle = isDark ? "#f2f5f8" : "#14202b";
          pen.fillText(shortened(pen, record.state, room), left + 5, y + LANE / 2);
        }
        painted = right;
      }
      for (let each = index; each < next; each += 1) {
        if (records[each].kind === "rejected") marks.push(across(records[each].time));
      }
      index = next;
    }
    pen.fillStyle = colours.bad;
    let marked = -10;
    for (const x of marks) {
      if (x - marked < 2) continue;
      marked = x;
      pen.beginPath();
      pen.moveTo(x - 4, y + 2);
      pen.lineTo(x + 4, y + 2);
      pen.lineTo(x, y + 11);
      pen.fill();
      pen.fillRect(x - 0.75, y + 2, 1.5, LANE - 5);
    }
    pen.restore();
  }

  #axis(pen, { across, begin, end, width, height, colours }) {
    const y = height - AXIS;
    const origin = this.connection?.began ?? 0;
    const step = niceStep((end - begin) / Math.max(1, (width - NAMES) / 90));
    pen.fillStyle = colours.muted;
    pen.strokeStyle = colours.line;
    pen.clearRect(0, y, width, AXIS);
    for (let tick = Math.ceil((begin - origin) / step) * step; tick + origin <= end; tick += step) {
      const x = Math.round(across(tick + origin)) + 0.5;
      pen.beginPath();
      pen.moveTo(x, y);
      pen.lineTo(x, y + 4);
      pen.stroke();
      const digits = Math.max(0, Math.ceil(-Math.log10(step)));
      pen.fillText(`${tick.toFixed(digits)} s`, x + 3, y + AXIS / 2 + 2);
    }
  }
}

/** The index of the last record up to a time; -1 if there is none. */
function lastUpToTime(records, time) {
  let low = 0;
  let high = records.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (records[middle].time <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** 1, 2 or 5 times a power of ten, at least `least`. @param {number} least */
function niceStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((times) => times * power).find((step) => step >= least) ?? 10 * power;
}

function bandColour(state, states, final, isDark) {
  if (BAD.has(state)) return isDark ? "#7f2f38" : "#f3b7bd";
  if (GOOD.has(state)) return isDark ? "#22603a" : "#b5e3c4";
  if (final.includes(state)) return isDark ? "#3a434c" : "#dde2e7";
  const hue = HUES[Math.max(0, states.indexOf(state)) % HUES.length];
  return isDark ? `hsl(${hue} 38% 34%)` : `hsl(${hue} 70% 86%)`;
}

/** @param {CanvasRenderingContext2D} pen @param {string} text @param {number} room in pixels */
function shortened(pen, text, room) {
  if (pen.measureText(text).width <= room) return text;
  let kept = text;
  while (kept.length > 1 && pen.measureText(`${kept}…`).width > room) kept = kept.slice(0, -1);
  return `${kept}…`;
}
