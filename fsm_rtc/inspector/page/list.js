/**
 * A long list of records of which only the rows in sight are in the document; one of them is chosen.
 * @module
 */

import { lastUpTo } from "./model.js";

/** @typedef {import("./model.js").Rec} Rec */

const BEYOND = 4;

/** A list of records. */
export class RecordList {
  /**
   * @param {HTMLElement} box what scrolls; it has the role of a grid
   * @param {object} options
   * @param {number} options.rowHeight in pixels
   * @param {(row: HTMLElement, record: Rec) => void} options.fill puts a record's words into its row
   * @param {(record: Rec) => void} options.onChoose
   */
  constructor(box, { rowHeight, fill, onChoose }) {
    this.box = box;
    this.rowHeight = rowHeight;
    this.fill = fill;
    this.onChoose = onChoose;
    /** @type {Rec[]} */
    this.records = [];
    this.length = 0;
    this.chosen = -1;
    this.inner = document.createElement("div");
    this.inner.className = "inner";
    this.inner.setAttribute("role", "rowgroup");
    box.append(this.inner);
    /** @type {Map<number, HTMLElement>} */
    this.rows = new Map();
    /** What stands in each row. @type {WeakMap<HTMLElement, Rec>} */
    this.filled = new WeakMap();
    box.addEventListener("scroll", () => this.draw(), { passive: true });
    box.addEventListener("click", (event) => {
      const row = /** @type {HTMLElement} */ (event.target).closest("[data-index]");
      if (row instanceof HTMLElement) this.#choose(Number(row.dataset.index));
    });
    box.addEventListener("keydown", (event) => this.#key(event));
  }

  /**
   * @param {Rec[]} records
   * @param {number} seq the record there, or the one before, is the chosen one
   * @param {boolean} isFollowing whether the end stays in sight
   */
  show(records, seq, isFollowing) {
    this.records = records;
    const isLonger = records.length !== this.length;
    if (isLonger) {
      this.length = records.length;
      this.inner.style.height = `${records.length * this.rowHeight}px`;
      this.box.setAttribute("aria-rowcount", String(records.length));
    }
    const chosen = lastUpTo(records, seq);
    const isMoved = chosen !== this.chosen;
    this.chosen = chosen;
    if (isFollowing && isLonger) this.box.scrollTop = records.length * this.rowHeight;
    else if (isMoved && chosen >= 0) this.#bringIntoSight(chosen);
    this.draw();
  }

  draw() {
    const first = Math.max(0, Math.floor(this.box.scrollTop / this.rowHeight) - BEYOND);
    const bottom = this.box.scrollTop + this.box.clientHeight;
    const last = Math.min(this.records.length, Math.ceil(bottom / this.rowHeight) + BEYOND);
    for (const [index, row] of this.rows) {
      if (index < first || index >= last) {
        row.remove();
        this.rows.delete(index);
      }
    }
    for (let index = first; index < last; index += 1) this.#row(index);
    const chosen = this.rows.get(this.chosen);
    if (chosen === undefined) this.box.removeAttribute("aria-activedescendant");
    else this.box.setAttribute("aria-activedescendant", chosen.id);
  }

  #row(index) {
    const record = this.records[index];
    let row = this.rows.get(index);
    if (row === undefined) {
      row = document.createElement("div");
      row.setAttribute("role", "row");
      row.id = `${this.box.id}-${index}`;
      row.dataset.index = String(index);
      row.setAttribute("aria-rowindex", String(index + 1));
      row.style.transform = `translateY(${index * this.rowHeight}px)`;
      this.rows.set(index, row);
      this.inner.append(row);
    }
    if (this.filled.get(row) !== record) {
      this.filled.set(row, record);
      this.fill(row, record);
    }
    row.setAttribute("aria-selected", String(index === this.chosen));
  }

  #key(event) {
    const page = Math.max(1, Math.floor(this.box.clientHeight / this.rowHeight) - 1);
    const steps = { ArrowUp: -1, ArrowDown: 1, PageUp: -page, PageDown: page, Home: -Infinity, End: Infinity };
    const step = steps[event.key];
    if (step === undefined || this.records.length === 0) return;
    event.preventDefault();
    this.#choose(Math.max(0, Math.min(this.chosen + step, this.records.length - 1)));
  }

  #choose(index) {
    const record = this.records[index];
    if (record !== undefined) this.onChoose(record);
  }

  #bringIntoSight(index) {
    const top = index * this.rowHeight;
    const bottom = top + this.rowHeight - this.box.clientHeight;
    if (this.box.scrollTop > top) this.box.scrollTop = top;
    else if (this.box.scrollTop < bottom) this.box.scrollTop = bottom;
  }
}

/**
 * Put cells into a row.
 * @param {HTMLElement} row
 * @param {[string, string][]} cells the class and the text of each
 */
export function fillCells(row, cells) {
  row.replaceChildren(
    ...cells.map(([kind, text]) => {
      const cell = document.createElement("span");
      cell.setAttribute("role", "gridcell");
      cell.className = kind;
      cell.textContent = text;
      if (text.length > 40) cell.title = text;
      return cell;
    }),
  );
}
