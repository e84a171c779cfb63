/**
 * The list of connections: those that live, then those that are over.
 * @module
 */

import { counted } from "./words.js";

/** @typedef {import("./model.js").Connection} Connection */
/** @typedef {import("./model.js").Model} Model */

/** A listbox of connections. */
export class ConnectionList {
  /**
   * @param {HTMLElement} box
   * @param {Model} model
   * @param {(connection: Connection) => void} onChoose
   */
  constructor(box, model, onChoose) {
    this.box = box;
    this.model = model;
    this.onChoose = onChoose;
    /** @type {Map<string, HTMLElement>} */
    this.options = new Map();
    /** @type {Connection[]} */
    this.shown = [];
    this.chosen = "";
    box.addEventListener("click", (event) => {
      const option = /** @type {HTMLElement} */ (event.target).closest("[role=option]");
      const connection = this.model.connections.get(option instanceof HTMLElement ? option.dataset.name ?? "" : "");
      if (connection !== undefined) onChoose(connection);
    });
    box.addEventListener("keydown", (event) => this.#key(event));
  }

  /**
   * @param {Connection[]} connections in the order in which they are listed
   * @param {string} chosen the name of the chosen one
   */
  show(connections, chosen) {
    this.shown = connections;
    const names = new Set(connections.map((connection) => connection.name));
    for (const [name, option] of this.options) {
      if (!names.has(name)) {
        option.remove();
        this.options.delete(name);
      }
    }
    connections.forEach((connection, place) => {
      const option = this.#option(connection, place);
      if (this.box.children[place] !== option) this.box.insertBefore(option, this.box.children[place] ?? null);
      option.setAttribute("aria-selected", String(connection.name === chosen));
    });
    const option = this.options.get(chosen);
    if (option === undefined) this.box.removeAttribute("aria-activedescendant");
    else this.box.setAttribute("aria-activedescendant", option.id);
    if (chosen !== this.chosen) option?.scrollIntoView({ block: "nearest" });
    this.chosen = chosen;
  }

  #option(connection, place) {
    let option = this.options.get(connection.name);
    if (option === undefined) {
      option = document.createElement("li");
      option.setAttribute("role", "option");
      option.id = `connection-${connection.machines[0]?.number ?? place}`;
      option.dataset.name = connection.name;
      option.innerHTML =
        '<span class="dot" aria-hidden="true"></span><span class="name"></span><span class="facts"></span>';
      option.children[1].textContent = connection.name;
      this.options.set(connection.name, option);
    }
    const stage = this.model.isOver(connection) ? "ended" : "live";
    const { rejected } = connection;
    const parts = [stage, counted(connection.machines.length, "machine")];
    const facts = [...parts, ...(rejected > 0 ? [`${rejected} rejected`] : [])].join(" · ");
    if (option.dataset.facts !== facts) {
      option.dataset.facts = facts;
      option.dataset.stage = stage;
      option.classList.toggle("rejecting", rejected > 0);
      option.children[2].textContent = facts;
    }
    return option;
  }

  #key(event) {
    const steps = { ArrowUp: -1, ArrowDown: 1, Home: -Infinity, End: Infinity };
    const step = steps[event.key];
    if (step === undefined || this.shown.length === 0) return;
    event.preventDefault();
    const place = this.shown.findIndex((connection) => connection.name === this.chosen);
    this.onChoose(this.shown[Math.max(0, Math.min(place + step, this.shown.length - 1))]);
  }
}
