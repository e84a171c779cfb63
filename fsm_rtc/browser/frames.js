// What goes over a data channel with the protocol `fsm-rtc.1`. Source: docs/delivery.md, "On the wire".
//
// A text frame is a text message. A binary frame's first byte says what follows: 0 a binary message, 1 a control frame, which
// is JSON.

import { MAX_DATA_BYTES, MAX_STREAMS } from "./figures.js";

const BINARY = 0;
const CONTROL = 1;
const MAX_STREAM_CHARACTERS = 64;

const utf8 = new TextEncoder();

/**
 * What is sent on a channel.
 * @typedef {string | ArrayBuffer} Data
 */

/**
 * @typedef {{type: "hello", stream: string, received: Record<string, number>} | {type: "begin" | "ack", number: number}
 *   | {type: "ping"} | {type: "pong"} | {type: "bye", reason: string, failed?: boolean}} Control
 */

/** @param {unknown} value */
const isNumber = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
/** @param {unknown} value */
const isStream = (value) => typeof value === "string" && [...value].length <= MAX_STREAM_CHARACTERS;
/** @param {any} value */
const isReceived = (value) =>
  typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length <= MAX_STREAMS &&
  Object.entries(value).every(([stream, number]) => isStream(stream) && isNumber(number));

/** @type {Record<string, (control: any) => boolean>} */
const SHAPES = {
  hello: ({ stream, received }) => isStream(stream) && isReceived(received),
  begin: ({ number }) => isNumber(number),
  ack: ({ number }) => isNumber(number),
  ping: () => true,
  pong: () => true,
  bye: ({ reason, failed = false }) => typeof reason === "string" && typeof failed === "boolean",
};

/**
 * A message as it is kept, and how many bytes it has.
 * @param {string | ArrayBuffer | ArrayBufferView<ArrayBuffer>} message
 * @returns {{data: Data, bytes: number}}
 * @throws {RangeError} it is too long
 */
export function kept(message) {
  // What its sender alters later is not what was sent.
  const data = typeof message === "string" ? message : copied(message);
  const bytes = typeof data === "string" ? utf8.encode(data).length : data.byteLength;
  if (bytes > MAX_DATA_BYTES) {
    throw new RangeError(`a message of ${bytes} bytes is too long; send at most ${MAX_DATA_BYTES} bytes at a time`);
  }
  return { data, bytes };
}

/**
 * A message as a frame.
 * @param {Data} data
 */
export function dataFrame(data) {
  return typeof data === "string" ? data : frame(BINARY, new Uint8Array(data));
}

/**
 * A control frame.
 * @param {Control} control
 */
export function controlFrame(control) {
  return frame(CONTROL, utf8.encode(JSON.stringify(control)));
}

/**
 * What a frame holds; null if it is none.
 * @param {Data} received
 * @returns {{control: Control} | {data: Data} | null}
 */
export function decodeFrame(received) {
  if (typeof received === "string") return { data: received };
  const kind = new Uint8Array(received)[0];
  if (kind === BINARY) return { data: received.slice(1) };
  if (kind !== CONTROL) return null;
  try {
    const control = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(received.slice(1)));
    return Object.hasOwn(SHAPES, control.type) && SHAPES[control.type]?.(control) ? { control } : null;
  } catch {
    return null;
  }
}

/**
 * @param {number} kind
 * @param {Uint8Array} rest
 */
function frame(kind, rest) {
  const whole = new Uint8Array(rest.length + 1);
  whole[0] = kind;
  whole.set(rest, 1);
  return whole.buffer;
}

/** @param {ArrayBuffer | ArrayBufferView<ArrayBuffer>} message */
function copied(message) {
  if (message instanceof ArrayBuffer) return message.slice(0);
  return message.buffer.slice(message.byteOffset, message.byteOffset + message.byteLength);
}
