// Verifies docs/protocol-vectors.json with WebCrypto, from docs/protocol.md alone; then signs a message of its own.
//
//     node tests/messages/vectors.mjs docs/protocol-vectors.json
//
// Prints one JSON object: how many of each were verified, and the message. Ends with 1 at the first that is wrong.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { webcrypto } from "node:crypto";

const { subtle } = webcrypto;
const CURVE = { name: "ECDSA", namedCurve: "P-256" };
const ALGORITHM = { name: "ECDSA", hash: "SHA-256" };
// SPKI of P-256 with an uncompressed point: these 27 bytes, then x and y, 32 bytes each.
const SPKI_BEGINNING = Buffer.from("3059301306072a8648ce3d020106082a8648ce3d03010703420004", "hex");

const vectors = JSON.parse(readFileSync(process.argv[2], "utf8"));
const keys = new Map(vectors.keys.map((key) => [key.name, key]));

function signingInput(...fields) {
  const parts = [];
  for (const field of fields) {
    const bytes = Buffer.from(field, "utf8");
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    parts.push(length, bytes);
  }
  return Buffer.concat(parts);
}

function messageInput(m) {
  return signingInput(
    vectors.protocol, "message", m.room, m.sender, m.recipient, m.sender_session, m.recipient_session,
    String(m.sequence), m.offer_id, m.type, m.payload,
  );
}

function introductionInput(room, i) {
  return signingInput(vectors.protocol, "introduction", room, i.id, i.session, i.name);
}

function helloInput(nonce, room, id, session) {
  return signingInput(vectors.protocol, "hello", nonce, room, id, session);
}

async function idOf(spki) {
  return Buffer.from(await subtle.digest("SHA-256", spki)).toString("base64url");
}

async function isSignedBy(spki, signature, data) {
  if (spki.length !== 91 || !spki.subarray(0, 27).equals(SPKI_BEGINNING) || signature.length !== 64) return false;
  const key = await subtle.importKey("spki", spki, CURVE, true, ["verify"]);
  return subtle.verify(ALGORITHM, key, signature, data);
}

async function isGenuineIntroduction(room, i) {
  const spki = Buffer.from(i.public_key, "base64");
  return i.id === (await idOf(spki))
    && (await isSignedBy(spki, Buffer.from(i.signature, "base64"), introductionInput(room, i)));
}

const bytes = (base64) => Buffer.from(base64, "base64");
const verified = {};
const count = (kind) => { verified[kind] = (verified[kind] ?? 0) + 1; };

for (const key of vectors.keys) {
  assert.equal(await idOf(bytes(key.spki)), key.id, `the id of ${key.name}`);
  const secret = await subtle.importKey("pkcs8", bytes(key.pkcs8), CURVE, true, ["sign"]);
  const made = Buffer.from(await subtle.sign(ALGORITHM, secret, Buffer.from("x")));
  assert.ok(await isSignedBy(bytes(key.spki), made, Buffer.from("x")), `both halves of the key of ${key.name}`);
  count("keys");
}

for (const { room, fields, signing_input, signature, encoded } of vectors.introductions) {
  assert.equal(introductionInput(room, fields).toString("hex"), signing_input);
  assert.equal(bytes(fields.signature).toString("hex"), signature);
  assert.deepEqual(JSON.parse(encoded), { type: "joined", member: fields });
  assert.ok(await isGenuineIntroduction(room, fields), `the introduction of ${fields.name}`);
  count("introductions");
}

for (const { nonce, room, id, session, key, signing_input, signature, encoded } of vectors.hellos) {
  const input = helloInput(nonce, room, id, session);
  assert.equal(input.toString("hex"), signing_input);
  const hello = JSON.parse(encoded);
  assert.deepEqual([hello.type, hello.protocol, hello.room], ["hello", vectors.protocol, room]);
  assert.equal(bytes(hello.proof).toString("hex"), signature);
  assert.ok(await isGenuineIntroduction(room, hello.introduction));
  assert.ok(await isSignedBy(bytes(keys.get(key).spki), bytes(hello.proof), input), `the proof of ${key}`);
  count("hellos");
}

for (const { type, key, fields, signing_input, signature, encoded } of vectors.messages) {
  assert.equal(messageInput(fields).toString("hex"), signing_input, type);
  assert.equal(bytes(fields.signature).toString("hex"), signature, type);
  assert.deepEqual(JSON.parse(encoded), fields, type);
  assert.ok(await isSignedBy(bytes(keys.get(key).spki), bytes(fields.signature), messageInput(fields)), type);
  count("messages");
}

for (const { reason, key, encoded } of vectors.bad_signatures) {
  const message = JSON.parse(encoded);
  const holds = await isSignedBy(bytes(keys.get(key).spki), bytes(message.signature), messageInput(message));
  assert.equal(holds, false, `a message with ${reason} must be refused`);
  count("bad_signatures");
}

for (const { reason, room, encoded } of vectors.bad_introductions) {
  assert.equal(await isGenuineIntroduction(room, JSON.parse(encoded).member), false, `${reason} must be refused`);
  count("bad_introductions");
}

const [alice, zoe] = vectors.keys;
const message = {
  type: "candidate",
  room: vectors.introductions[0].room,
  sender: alice.id,
  recipient: zoe.id,
  sender_session: vectors.introductions[0].fields.session,
  recipient_session: vectors.introductions[1].fields.session,
  sequence: 4,
  offer_id: `${vectors.introductions[0].fields.session}.1`,
  payload: JSON.stringify({ candidate: "candidate:é \u{1f600} \u0000\u2028", sdpMid: "0", sdpMLineIndex: null }),
};
const secret = await subtle.importKey("pkcs8", bytes(alice.pkcs8), CURVE, false, ["sign"]);
message.signature = Buffer.from(await subtle.sign(ALGORITHM, secret, messageInput(message))).toString("base64");

console.log(JSON.stringify({ verified, frame: JSON.stringify(message) }));
