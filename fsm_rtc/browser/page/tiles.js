// One tile for each who is in the room: picture, name, and how the call stands.

import { Emitter } from "../emitter.js";

/** Events: `blocked`: this browser plays no sound before somebody has clicked; `play` after a click. */
export class Tiles extends Emitter {
  #place;
  #template;
  /** @type {Map<string, MediaStream>} */
  #streams = new Map();
  /** @type {Set<HTMLVideoElement>} */
  #silent = new Set();

  /**
   * @param {HTMLElement} place
   * @param {HTMLTemplateElement} template
   */
  constructor(place, template) {
    super();
    this.#place = place;
    this.#template = template;
  }

  /** The ids of those who have one. */
  get ids() {
    return [...this.#place.children].map((tile) => String(/** @type {HTMLElement} */ (tile).dataset.peer));
  }

  /**
   * A new one, in place of an earlier one of that id.
   * @param {string} id
   * @param {string} name
   * @param {boolean} [isOwn]
   */
  add(id, name, isOwn = false) {
    const before = this.#of(id);
    const tile = /** @type {HTMLElement} */ (this.#template.content.firstElementChild?.cloneNode(true));
    tile.dataset.peer = id;
    tile.dataset.picture = "no";
    tile.classList.toggle("own", isOwn);
    if (!isOwn) tile.title = id;
    find(tile, ".name").textContent = name;
    find(tile, ".initial").textContent = [...name][0]?.toUpperCase() ?? "";
    const video = videoOf(tile);
    video.muted = isOwn;
    video.setAttribute("aria-label", `Picture of ${name}`);
    this.#streams.delete(id);
    if (before === null) this.#place.append(tile);
    else {
      this.#silent.delete(videoOf(before));
      before.replaceWith(tile);
    }
  }

  /** @param {string} id */
  remove(id) {
    const tile = this.#of(id);
    if (tile === null) return;
    videoOf(tile).srcObject = null;
    this.#silent.delete(videoOf(tile));
    this.#streams.delete(id);
    tile.remove();
    if (this.#silent.size === 0) this.tell("play");
  }

  clear() {
    for (const id of this.ids) this.remove(id);
  }

  /**
   * @param {string} id
   * @param {string} state
   * @param {string} words
   */
  say(id, state, words) {
    const tile = this.#of(id);
    if (tile === null) return;
    tile.dataset.state = state;
    find(tile, ".state").textContent = words;
  }

  /**
   * Show a stream as it is, or nothing.
   * @param {string} id
   * @param {MediaStream | null} stream
   * @param {boolean} [isScreen]
   */
  show(id, stream, isScreen = false) {
    const tile = this.#of(id);
    if (tile === null) return;
    tile.classList.toggle("shares", isScreen);
    this.#picture(tile, stream);
  }

  /**
   * A track of the other side: shown as long as it brings something. A picture that has come to its end, or stands still, is
   * taken away: its last frame would look like one of now.
   * @param {string} id
   * @param {MediaStreamTrack} track
   */
  take(id, track) {
    const tile = this.#of(id);
    const stream = this.#streams.get(id) ?? new MediaStream();
    this.#streams.set(id, stream);
    const isPresent = () => tile !== null && this.#of(id) === tile && this.#streams.get(id) === stream;
    const show = () => {
      if (!isPresent()) return;
      for (const other of stream.getTracks()) if (other.kind === track.kind && other !== track) stream.removeTrack(other);
      stream.addTrack(track);
      this.#picture(/** @type {HTMLElement} */ (tile), stream);
    };
    const hide = () => {
      if (!isPresent() || !stream.getTracks().includes(track)) return;
      stream.removeTrack(track);
      this.#picture(/** @type {HTMLElement} */ (tile), stream);
    };
    track.onunmute = show;
    track.onended = hide;
    if (track.kind === "video") track.onmute = hide;
    show();
  }

  /** Somebody has clicked: play what was not to be heard. */
  unsilence() {
    for (const video of this.#silent) {
      video.muted = false;
      video.play().catch(() => {});
    }
    this.#silent.clear();
    this.tell("play");
  }

  /**
   * @param {HTMLElement} tile
   * @param {MediaStream | null} stream
   */
  #picture(tile, stream) {
    const video = videoOf(tile);
    const hasPicture = (stream?.getVideoTracks().length ?? 0) > 0;
    if (tile.dataset.picture === "yes" && !hasPicture) video.srcObject = null; // else its last frame stays
    tile.dataset.picture = hasPicture ? "yes" : "no";
    if (video.srcObject !== stream) video.srcObject = stream;
    if (stream !== null && stream.getTracks().length > 0) void this.#play(video);
  }

  /** @param {HTMLVideoElement} video */
  async #play(video) {
    try {
      await video.play();
    } catch (error) {
      if (/** @type {Error} */ (error).name !== "NotAllowedError" || video.muted) return;
      video.muted = true; // the picture at least may be played
      this.#silent.add(video);
      video.play().catch(() => {});
      this.tell("blocked");
    }
  }

  /**
   * @param {string} id
   * @returns {HTMLElement | null}
   */
  #of(id) {
    return this.#place.querySelector(`.tile[data-peer="${CSS.escape(id)}"]`);
  }
}

/**
 * @param {HTMLElement} tile
 * @param {string} selector
 */
function find(tile, selector) {
  return /** @type {HTMLElement} */ (tile.querySelector(selector));
}

/** @param {HTMLElement} tile */
function videoOf(tile) {
  return /** @type {HTMLVideoElement} */ (find(tile, "video"));
}
