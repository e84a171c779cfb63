// Keys, ids and signatures of the protocol, by WebCrypto alone. Source: docs/protocol.md, "What is signed".

export const PROTOCOL = "fsm_rtc/1";

const CURVE = { name: "ECDSA", namedCurve: "P-256" };
const ALGORITHM = { name: "ECDSA", hash: "SHA-256" };
const SIGNATURE_BYTES = 64;
const SPKI_BYTES = 91;
// SPKI of P-256 with its point uncompressed begins with these bytes: no other encoding is a key here.
const SPKI_BEGINNING = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE";

const utf8 = new TextEncoder();

/**
 * Standard base64, with padding.
 * @param {Uint8Array} bytes
 */
export function toBase64(bytes) {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

/**
 * The bytes of standard base64; throws if it is none.
 * @param {string} text
 */
export function fromBase64(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** @param {Uint8Array} bytes */
function toBase64Url(bytes) {
  return toBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** A new session: 16 random bytes. */
export function newSession() {
  return toBase64Url(crypto.getRandomValues(new Uint8Array(16)));
}

/**
 * What a signature covers: each field's length in four bytes, big-endian, and the field in UTF-8.
 * @param {...string} fields
 */
export function signingInput(...fields) {
  const parts = fields.map((field) => utf8.encode(field));
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + 4 + part.length, 0));
  const view = new DataView(whole.buffer);
  let at = 0;
  for (const part of parts) {
    view.setUint32(at, part.length);
    whole.set(part, at + 4);
    at += 4 + part.length;
  }
  return whole;
}

/** @param {import("./wire.js").PeerMessage} m */
export function messageInput(m) {
  return signingInput(
    PROTOCOL, "message", m.room, m.sender, m.recipient, m.sender_session, m.recipient_session,
    String(m.sequence), m.offer_id, m.type, m.payload,
  );
}

/**
 * @param {import("./wire.js").Introduction} i
 * @param {string} room
 */
export function introductionInput(i, room) {
  return signingInput(PROTOCOL, "introduction", room, i.id, i.session, i.name, ...(i.features ?? []));
}

/**
 * @param {import("./wire.js").Introduction} i
 * @param {string} nonce - in base64, as the challenge has it
 * @param {string} room
 */
export function proofInput(i, nonce, room) {
  return signingInput(PROTOCOL, "hello", nonce, room, i.id, i.session);
}

/**
 * Whether a signature over these bytes is that key's; never throws.
 * @param {string} publicKey - SPKI, in base64
 * @param {string} signature - r and s, in base64
 * @param {Uint8Array<ArrayBuffer>} data
 */
export async function isSignedBy(publicKey, signature, data) {
  try {
    const [spki, raw] = [fromBase64(publicKey), fromBase64(signature)];
    if (!publicKey.startsWith(SPKI_BEGINNING) || spki.length !== SPKI_BYTES || raw.length !== SIGNATURE_BYTES) return false;
    const key = await crypto.subtle.importKey("spki", spki, CURVE, true, ["verify"]);
    return await crypto.subtle.verify(ALGORITHM, key, raw, data);
  } catch {
    return false;
  }
}

/**
 * Whether an introduction is signed for this room by the key whose fingerprint is its id; never throws.
 * @param {import("./wire.js").Introduction} introduction
 * @param {string} room
 */
export async function isGenuine(introduction, room) {
  try {
    if (introduction.id !== (await idOf(fromBase64(introduction.public_key)))) return false;
  } catch {
    return false;
  }
  return isSignedBy(introduction.public_key, introduction.signature, introductionInput(introduction, room));
}

/** @param {Uint8Array<ArrayBuffer>} spki */
async function idOf(spki) {
  return toBase64Url(new Uint8Array(await crypto.subtle.digest("SHA-256", spki)));
}

/** This side's key. Its private half can't be read, not even by this page. */
export class Identity {
  #pair;

  /**
   * @param {CryptoKeyPair} pair
   * @param {string} id
   * @param {string} publicKey
   */
  constructor(pair, id, publicKey) {
    this.#pair = pair;
    /** The fingerprint of the public key. */
    this.id = id;
    /** SPKI, in base64. */
    this.publicKey = publicKey;
    /** Whether something keeps it beyond this page: `keptIdentity` says so. */
    this.isKept = false;
  }

  /** A new one, which lasts as long as this object. */
  static async generate() {
    return Identity.of(await crypto.subtle.generateKey(CURVE, false, ["sign", "verify"]));
  }

  /**
   * That of a pair of P-256.
   * @param {CryptoKeyPair} pair
   */
  static async of(pair) {
    const spki = new Uint8Array(await crypto.subtle.exportKey("spki", pair.publicKey));
    return new Identity(pair, await idOf(spki), toBase64(spki));
  }

  /** The pair, to be kept in an IndexedDB. */
  get pair() {
    return this.#pair;
  }

  /**
   * A signature, in base64.
   * @param {Uint8Array<ArrayBuffer>} data
   */
  async sign(data) {
    return toBase64(new Uint8Array(await crypto.subtle.sign(ALGORITHM, this.#pair.privateKey, data)));
  }

  /**
   * How this side introduces itself in a room.
   * @param {string} room
   * @param {string} name
   * @param {string} session
   * @param {string[]} [features] - what this side can do besides
   * @returns {Promise<import("./wire.js").Introduction>}
   */
  async introduce(room, name, session, features = []) {
    const unsigned = { id: this.id, session, name, public_key: this.publicKey, signature: "", features };
    return { ...unsigned, signature: await this.sign(introductionInput(unsigned, room)) };
  }
}
