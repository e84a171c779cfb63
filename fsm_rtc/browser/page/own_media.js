// What this side sends: microphone, camera, and a shared screen in the camera's place.
//
// Each device is a machine of its own, so one that is denied, missing, busy or unplugged keeps nobody from using the other.
// A device is asked for again by its button, as often as one likes. Nothing is recorded or sent by a device that is not
// "live"; a track that comes when it is no longer wanted is stopped at once.

import { Emitter } from "../emitter.js";
import { Machine } from "../machine.js";

const ASKABLE = ["off", "denied", "missing", "busy", "failed", "unplugged"];
const LIVE = ["live", "paused"];

/** @type {import("../machine.js").Table} */
export const DEVICE = {
  machine: "Device",
  digest: "",
  initial: "off",
  final: [],
  triggers: {
    ask: { checks: [], rows: [row(ASKABLE, "asking")] },
    on_granted: { checks: [], rows: [row(["asking"], "live")] },
    on_denied: { checks: [], rows: [row(["asking"], "denied")] },
    on_missing: { checks: [], rows: [row(["asking"], "missing")] },
    on_busy: { checks: [], rows: [row(["asking"], "busy")] },
    on_failed: { checks: [], rows: [row(["asking"], "failed")] },
    on_unplugged: { checks: [], rows: [row(LIVE, "unplugged")] },
    toggle: { checks: [], rows: [row(["live"], "paused"), row(["paused"], "live")] },
    stop: { checks: [], rows: [row([...ASKABLE, ...LIVE, "asking"], "off")] },
  },
};

/** @type {Record<string, string>} What an error of getUserMedia means. Source: Media Capture and Streams, #dom-mediadevices-getusermedia. */
const ERRORS = {
  NotAllowedError: "on_denied",
  SecurityError: "on_denied",
  NotFoundError: "on_missing",
  OverconstrainedError: "on_missing",
  NotReadableError: "on_busy",
  AbortError: "on_busy",
};

/** @typedef {"microphone" | "camera"} DeviceName */

/** @type {Record<DeviceName, "audio" | "video">} */
const KINDS = { microphone: "audio", camera: "video" };

class Device {
  machine = new Machine(DEVICE, {}, null);
  /** @type {MediaStreamTrack | null} */
  track = null;

  /** @param {DeviceName} name */
  constructor(name) {
    this.name = name;
    this.kind = KINDS[name];
  }

  get state() {
    return this.machine.state;
  }
}

/**
 * Events: `device` (the `Device` that has changed), `send` and `unsend` (a track), `shown` (another picture is sent).
 */
export class OwnMedia extends Emitter {
  /** The stream that the tracks belong to. */
  stream = new MediaStream();
  /** @type {MediaStream | null} */
  shared = null;
  microphone = new Device("microphone");
  camera = new Device("camera");

  get #devices() {
    return [this.microphone, this.camera];
  }

  /** The tracks to send. */
  get tracks() {
    const [picture] = this.shared?.getVideoTracks() ?? [];
    return [this.microphone.track, picture ?? this.camera.track].filter((track) => track != null);
  }

  /** What this side's picture is, or null. */
  get picture() {
    if (this.shared !== null) return this.shared;
    return this.camera.track === null ? null : this.stream;
  }

  /** Ask for both. */
  open() {
    return this.#ask(this.#devices);
  }

  /**
   * Somebody presses its button: off or on, or ask for it again.
   * @param {DeviceName} name
   */
  async press(name) {
    const device = this[name];
    if (!device.machine.fire("toggle").accepted) {
      await this.#ask([device]);
      return;
    }
    if (device.track !== null) device.track.enabled = device.state === "live";
    this.tell("device", device);
  }

  /** Stop everything. */
  stop() {
    this.unshare();
    for (const device of this.#devices) {
      device.track?.stop();
      this.#drop(device);
      this.#fire(device, "stop");
    }
  }

  /**
   * Share the screen in the camera's place.
   * @throws {DOMException} it can't be; NotAllowedError: the user doesn't want it
   */
  async share() {
    const shared = await navigator.mediaDevices.getDisplayMedia({ video: true });
    const [picture] = shared.getVideoTracks();
    if (picture === undefined) return;
    if (this.shared !== null) this.unshare();
    picture.onended = () => {
      if (this.shared === shared) this.unshare();
    };
    if (this.camera.track !== null) this.tell("unsend", this.camera.track);
    this.shared = shared;
    this.tell("send", picture);
    this.tell("shown");
  }

  unshare() {
    const { shared } = this;
    if (shared === null) return;
    this.shared = null;
    for (const track of shared.getTracks()) {
      this.tell("unsend", track);
      track.stop();
    }
    if (this.camera.track !== null) this.tell("send", this.camera.track);
    this.tell("shown");
  }

  /** @param {Device[]} devices */
  async #ask(devices) {
    const asked = devices.filter((device) => this.#fire(device, "ask"));
    if (asked.length === 0) return;
    try {
      const got = await navigator.mediaDevices.getUserMedia(Object.fromEntries(asked.map(({ kind }) => [kind, true])));
      for (const device of asked) this.#take(device, got.getTracks().find((track) => track.kind === device.kind));
    } catch (error) {
      const why = /** @type {Error} */ (error);
      const alone = asked.length > 1 ? await worthAskingAlone(asked, why) : [];
      for (const device of asked) if (!alone.includes(device)) this.#fire(device, ERRORS[why.name] ?? "on_failed");
      for (const device of alone) {
        this.#fire(device, "stop");
        await this.#ask([device]);
      }
    }
  }

  /**
   * @param {Device} device
   * @param {MediaStreamTrack | undefined} track
   */
  #take(device, track) {
    if (track === undefined || !this.#fire(device, track === undefined ? "on_missing" : "on_granted")) {
      track?.stop(); // it comes too late
      return;
    }
    device.track = track;
    this.stream.addTrack(track);
    track.onended = () => {
      if (device.track !== track) return;
      this.#drop(device);
      this.#fire(device, "on_unplugged");
    };
    if (device.kind === "audio" || this.shared === null) this.tell("send", track);
    this.tell("shown");
  }

  /** @param {Device} device */
  #drop(device) {
    const { track } = device;
    if (track === null) return;
    device.track = null;
    this.stream.removeTrack(track);
    this.tell("unsend", track);
    this.tell("shown");
  }

  /**
   * @param {Device} device
   * @param {string} trigger
   */
  #fire(device, trigger) {
    const before = device.state;
    const { accepted } = device.machine.fire(trigger);
    if (device.state !== before) this.tell("device", device);
    return accepted;
  }
}

/**
 * Which of several devices that can't be had together may be had alone. Where one is missing or busy the others may work.
 * Where the user was asked and has said no he isn't asked again; but one that he has blocked before keeps the browser from
 * asking at all.
 * @param {Device[]} devices
 * @param {Error} error
 */
async function worthAskingAlone(devices, error) {
  if (ERRORS[error.name] !== "on_denied") return devices;
  const blocked = await Promise.all(devices.map((device) => isBlocked(device.name)));
  return blocked.every(Boolean) || !blocked.some(Boolean) ? [] : devices.filter((_, number) => !blocked[number]);
}

/** @param {DeviceName} name */
async function isBlocked(name) {
  try {
    const { state } = await navigator.permissions.query({ name: /** @type {PermissionName} */ (name) });
    return state === "denied";
  } catch {
    return false; // not every browser can be asked
  }
}

/**
 * @param {string[]} sources
 * @param {string} target
 * @returns {import("../machine.js").Row}
 */
function row(sources, target) {
  return { sources, target, when: [], then: [] };
}
