// The address of a room, as a person gives it. The same rules as in fsm_rtc/signaling/address.py.

import { JoinError } from "./errors.js";

const MAX_NAME_CHARACTERS = 128;

/**
 * @param {string} url
 * @throws {JoinError} it is no address of a room
 */
export function addressOf(url) {
  const wrong = (/** @type {string} */ why) =>
    new JoinError("bad_address", `${JSON.stringify(url)} is no address of a room: ${why}; give one like wss://HOST/ROOM`);
  let address;
  try {
    address = new URL(url);
  } catch {
    throw wrong("it is no URL");
  }
  if (!["ws:", "wss:"].includes(address.protocol)) throw wrong(`it begins with ${address.protocol}`);
  if (address.hash !== "") throw wrong("it has a fragment (#), which never reaches a server; write %23 if the room has one");
  let name;
  try {
    name = nameOf(address);
  } catch {
    throw wrong("what is percent-encoded in it is no UTF-8");
  }
  const length = [...name].length;
  if (length === 0 || length > MAX_NAME_CHARACTERS) throw wrong(`a room's name has 1 to ${MAX_NAME_CHARACTERS} characters`);
  return address;
}

/**
 * The room's name: the whole path, decoded.
 * @param {URL} address
 */
export function nameOf(address) {
  return decodeURIComponent(address.pathname.slice(1));
}
