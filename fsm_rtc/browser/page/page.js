// The page at the server's root: join a room, see and hear the others, write to them.
//
// For who drives it by program: `/?room=NAME&name=ME&media=no` fills in the form, `&join=yes` joins at once, `&token=TOKEN`
// lets in. `body[data-state]` is the room's state, or "loading", or "outside"; each of the others has a `.tile[data-peer=ID]` with
// `data-state`; what was said is in `#log li.said` with `.who` and `.text`. `window.fsmRtcRoom` is the room.

import { Room } from "../fsm_rtc.js";
import { mediaInWords, peerInWords, roomInWords } from "./words.js";

/** @param {string} id */
const byId = (id) => /** @type {any} */ (document.getElementById(id));

const query = new URLSearchParams(location.search);

/** @type {Room | null} */
let room = null;
/** @type {MediaStream | null} */
let own = null;
/** @type {MediaStream | null} */
let shared = null;

byId("room").value = query.get("room") ?? "";
byId("name").value = query.get("name") ?? localStorage.getItem("name") ?? "";
byId("with-media").checked = query.get("media") !== "no";
(byId("room").value === "" ? byId("room") : byId("name")).focus();

byId("join").addEventListener("submit", (/** @type {Event} */ event) => {
  event.preventDefault();
  void enter();
});
byId("say").addEventListener("submit", (/** @type {Event} */ event) => {
  event.preventDefault();
  say();
});
byId("leave").addEventListener("click", () => void leave());
byId("microphone").addEventListener("click", () => toggle("microphone", own?.getAudioTracks() ?? []));
byId("camera").addEventListener("click", () => toggle("camera", own?.getVideoTracks() ?? []));
byId("screen").addEventListener("click", () => void (shared === null ? share() : unshare()));
byId("copy").addEventListener("click", () => void copyLink());
addEventListener("pagehide", () => room?.abandon());
byId("enter").disabled = false;
document.body.dataset.state = "outside";
if (query.get("join") === "yes") void enter();

async function enter() {
  const name = byId("name").value;
  const place = new URL(encodeURIComponent(byId("room").value), location.href);
  place.protocol = place.protocol.replace("http", "ws");
  localStorage.setItem("name", name);
  byId("enter").disabled = true;
  if (byId("with-media").checked) await openMedia();
  room = new Room(place.href, { name, token: query.get("token") ?? "" });
  Object.assign(window, { fsmRtcRoom: room });
  room.addEventListener("state", showRoom);
  room.addEventListener("peer", ({ detail: peer }) => meet(peer));
  room.addEventListener("ended", ({ detail: peer }) => part(peer));
  for (const track of own?.getTracks() ?? []) room.addTrack(track, /** @type {MediaStream} */ (own));
  showTile("me", name || "You", own).classList.add("own");
  tileOf("me").querySelector("video").muted = true;
  history.replaceState(null, "", `?room=${encodeURIComponent(byId("room").value)}`);
  showRoom();
  byId("text").focus();
  await room.open().catch(() => {}); // the status says why
}

async function openMedia() {
  try {
    own = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
    byId("microphone").disabled = byId("camera").disabled = false;
  } catch (error) {
    note(mediaInWords(/** @type {Error} */ (error)));
  }
}

function showRoom() {
  if (room === null) return;
  document.body.dataset.state = room.state;
  byId("status").textContent = roomInWords(room);
  const isOutside = room.state === "refused" && room.peers.size === 0;
  byId("join").hidden = !isOutside;
  byId("call").hidden = isOutside;
  byId("enter").disabled = !isOutside;
}

// The others.

/** @param {import("../peer.js").Peer} peer */
function meet(peer) {
  const name = peer.name || peer.id.slice(0, 8);
  showTile(peer.id, name, null).title = peer.id;
  const stream = new MediaStream();
  const show = () => {
    const tile = tileOf(peer.id);
    tile.dataset.state = peer.state;
    tile.querySelector(".state").textContent = peerInWords(peer);
  };
  show();
  showRoom();
  peer.addEventListener("state", () => {
    if (peer.state === "ended") return;
    show();
    if (peer.state === "connected") note(`${name} is connected.`);
  });
  peer.addEventListener("chat", ({ detail: text }) => said(name, text));
  peer.addEventListener("track", ({ detail: { track } }) => {
    for (const other of stream.getTracks()) if (other.kind === track.kind) stream.removeTrack(other);
    stream.addTrack(track);
    tileOf(peer.id).querySelector("video").srcObject = stream;
  });
}

/** @param {import("../peer.js").Peer} peer */
function part(peer) {
  if (room?.peers.has(peer.id)) return; // it is here again already
  tileOf(peer.id)?.remove();
  note(`${peer.name || peer.id.slice(0, 8)} is gone: ${peer.reason}.`);
  showRoom();
}

/**
 * @param {string} id
 * @returns {any}
 */
function tileOf(id) {
  return document.querySelector(`.tile[data-peer="${CSS.escape(id)}"]`);
}

/**
 * @param {string} id
 * @param {string} name
 * @param {MediaStream | null} stream
 */
function showTile(id, name, stream) {
  tileOf(id)?.remove();
  const tile = byId("tile").content.firstElementChild.cloneNode(true);
  tile.dataset.peer = id;
  tile.querySelector(".name").textContent = name;
  const video = tile.querySelector("video");
  video.setAttribute("aria-label", `Picture of ${name}`);
  video.srcObject = stream;
  byId("tiles").append(tile);
  return tile;
}

// What this side sends.

/**
 * @param {string} button
 * @param {MediaStreamTrack[]} tracks
 */
function toggle(button, tracks) {
  const isOn = byId(button).getAttribute("aria-pressed") !== "true";
  byId(button).setAttribute("aria-pressed", String(isOn));
  for (const track of tracks) track.enabled = isOn;
}

async function share() {
  try {
    shared = await navigator.mediaDevices.getDisplayMedia({ video: true });
  } catch (error) {
    if (/** @type {Error} */ (error).name !== "NotAllowedError") note("The screen can't be shared here.");
    return;
  }
  const [picture] = shared.getVideoTracks();
  picture.addEventListener("ended", unshare);
  for (const track of own?.getVideoTracks() ?? []) room?.removeTrack(track);
  room?.addTrack(picture, shared);
  showShared(true);
}

function unshare() {
  if (shared === null) return;
  for (const track of shared.getTracks()) {
    room?.removeTrack(track);
    track.stop();
  }
  shared = null;
  for (const track of own?.getVideoTracks() ?? []) room?.addTrack(track, /** @type {MediaStream} */ (own));
  showShared(false);
}

/** @param {boolean} isShared */
function showShared(isShared) {
  byId("screen").setAttribute("aria-pressed", String(isShared));
  byId("screen").textContent = isShared ? "Stop sharing" : "Share screen";
  const tile = tileOf("me");
  tile.classList.toggle("shares", isShared);
  tile.querySelector("video").srcObject = shared ?? own;
}

function say() {
  const text = byId("text").value.trim();
  if (text === "" || room === null) return;
  if (room.chat(text) === 0) {
    note("Nobody is connected; nothing was sent.");
    return;
  }
  byId("text").value = "";
  said("You", text);
}

/**
 * @param {string} who
 * @param {string} text
 */
function said(who, text) {
  const line = write("said", "");
  for (const [part, words] of [["who", `${who}: `], ["text", text]]) {
    const span = document.createElement("span");
    span.className = part;
    span.textContent = words;
    line.append(span);
  }
}

/** @param {string} text */
function note(text) {
  write("note", text);
}

/**
 * @param {string} kind
 * @param {string} text
 */
function write(kind, text) {
  const line = document.createElement("li");
  line.className = kind;
  line.textContent = text;
  byId("log").append(line);
  line.scrollIntoView({ block: "nearest" });
  return line;
}

async function copyLink() {
  try {
    await navigator.clipboard.writeText(location.href);
    note("The link is copied; who opens it can join.");
  } catch {
    note(`The link of this room: ${location.href}`);
  }
}

async function leave() {
  unshare();
  for (const track of own?.getTracks() ?? []) track.stop();
  own = null;
  await room?.leave();
  location.assign(`?room=${encodeURIComponent(room?.name ?? "")}`);
}
