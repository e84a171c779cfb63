// The page at the server's root: join a room, see and hear the others, write to them.
//
// For who drives it by program: `/?room=NAME&name=ME&media=no` fills in the form, `&join=yes` joins at once, `&token=TOKEN`
// lets in. `body[data-state]` is the room's state, or "loading", or "outside", or "insecure"; each of the others has a
// `.tile[data-peer=ID]` with `data-state`, and `data-picture` whether it shows one; what was said is in `#log li.said` with `.who`
// and `.text`; each device's button has its `data-state`. `window.fsmRtcRoom` is the room.

import { Room } from "../fsm_rtc.js";
import { invitation } from "./invitation.js";
import { keepText, keptText } from "./kept.js";
import { OwnMedia } from "./own_media.js";
import { Tiles } from "./tiles.js";
import { NEEDS_HTTPS, deviceInWords, partingInWords, peerInWords, refusalInWords, roomInWords } from "./words.js";

const ME = "me";

/** @param {string} id */
const byId = (id) => /** @type {any} */ (document.getElementById(id));

const query = new URLSearchParams(location.search);
const token = query.get("token") ?? "";
const tiles = new Tiles(byId("tiles"), byId("tile"));
const own = new OwnMedia();

/** @type {Room | null} */
let room = null;
let roomName = "";

byId("room").value = query.get("room") ?? "";
byId("name").value = query.get("name") ?? keptText("name");
byId("with-media").checked = query.get("media") !== "no";
byId("screen").hidden = navigator.mediaDevices?.getDisplayMedia === undefined; // on phones
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
byId("microphone").addEventListener("click", () => void own.press("microphone"));
byId("camera").addEventListener("click", () => void own.press("camera"));
byId("screen").addEventListener("click", () => void (own.shared === null ? share() : own.unshare()));
byId("copy").addEventListener("click", () => void copyLink());
byId("again").addEventListener("click", () => room?.callAgain());
byId("sound").addEventListener("click", () => tiles.unsilence());
tiles.addEventListener("blocked", () => {
  if (byId("sound").hidden) note("Your browser plays no sound before you have clicked: press “Turn sound on”.");
  byId("sound").hidden = false;
});
tiles.addEventListener("play", () => {
  byId("sound").hidden = true;
});
own.addEventListener("send", ({ detail: track }) => room?.addTrack(track, own.shared ?? own.stream));
own.addEventListener("unsend", ({ detail: track }) => room?.removeTrack(track));
own.addEventListener("shown", showOwn);
own.addEventListener("device", ({ detail: device }) => showDevice(device));

// Who goes leaves at once; a page that the browser keeps to show it again, or has thrown away meanwhile, joins anew then.
addEventListener("pagehide", () => {
  room?.abandon();
  own.stop();
});
addEventListener("pageshow", (event) => {
  if (event.persisted && room !== null) void enter();
});

if (window.isSecureContext) {
  byId("enter").disabled = false;
  document.body.dataset.state = "outside";
  if (query.get("join") === "yes" || /** @type {any} */ (document).wasDiscarded === true) void enter();
} else {
  document.body.dataset.state = "insecure";
  byId("status").textContent = NEEDS_HTTPS;
}

async function enter() {
  const name = byId("name").value;
  roomName = byId("room").value;
  keepText("name", name);
  room = null;
  tiles.clear();
  const place = new URL(encodeURIComponent(roomName), location.href);
  place.protocol = place.protocol.replace("http", "ws");
  try {
    room = new Room(place.href, { name, token });
  } catch (error) {
    const { code, message } = /** @type {any} */ (error);
    byId("status").textContent = refusalInWords(code, message);
    document.body.dataset.state = "refused";
    return;
  }
  const entered = room;
  Object.assign(window, { fsmRtcRoom: room });
  history.replaceState(null, "", addressOfThis());
  tiles.add(ME, name || "You", true);
  byId("join").hidden = true;
  byId("call").hidden = false;
  byId("enter").disabled = true;
  byId("text").focus();
  if (byId("with-media").checked) {
    byId("status").textContent = "Your browser asks for camera and microphone …";
    await own.open();
    if (room !== entered || entered.state === "left") return;
  }
  room.addEventListener("state", showRoom);
  room.addEventListener("waiting", showRoom);
  room.addEventListener("peer", ({ detail: peer }) => meet(peer));
  room.addEventListener("ended", ({ detail: peer }) => part(peer));
  showRoom();
  await room.open().catch(() => {}); // the status says why
  if (room.state === "connected" && !room.keepsKey) {
    note("This browser keeps nothing for this page, so the others see another key at each visit.");
  }
}

/** What the address says from now on, so that a page that is loaded anew can join again. */
function addressOfThis() {
  const kept = new URLSearchParams({ room: roomName });
  if (token !== "") kept.set("token", token);
  if (!byId("with-media").checked) kept.set("media", "no");
  return `?${kept}`;
}

function showRoom() {
  if (room === null) return;
  document.body.dataset.state = room.state;
  byId("status").textContent = roomInWords(room, roomName);
  const waiting = room.waiting.map((peer) => peer.id);
  for (const id of tiles.ids) if (id !== ME && !room.peers.has(id) && !waiting.includes(id)) tiles.remove(id);
  byId("again").hidden = waiting.length === 0 || room.peers.size === 0;
  const isOutside = room.state === "refused" && room.peers.size === 0;
  if (isOutside) {
    own.stop();
    tiles.clear();
  }
  const wasOutside = !byId("join").hidden;
  byId("join").hidden = !isOutside;
  byId("call").hidden = isOutside;
  byId("enter").disabled = !isOutside;
  if (isOutside && !wasOutside) byId("room").focus();
}

// The others.

/** @param {import("../peer.js").Peer} peer */
function meet(peer) {
  const name = nameOf(peer);
  tiles.add(peer.id, name);
  const show = () => tiles.say(peer.id, peer.state, peerInWords(peer));
  show();
  showRoom();
  peer.addEventListener("state", () => {
    if (peer.state === "ended") return;
    show();
    if (peer.state === "connected") note(`${name} is connected.`);
  });
  peer.addEventListener("chat", ({ detail: text }) => said(name, text));
  peer.addEventListener("track", ({ detail: { track } }) => tiles.take(peer.id, track));
}

/** @param {import("../peer.js").Peer} peer */
function part(peer) {
  if (room?.peers.has(peer.id)) return; // it is here again already
  if (room?.sessionState !== "new") note(partingInWords(peer, nameOf(peer))); // else this side calls it again
  tiles.show(peer.id, null);
  tiles.say(peer.id, peer.state, peerInWords(peer));
  showRoom();
}

/** @param {import("../peer.js").Peer} peer */
function nameOf(peer) {
  return peer.name || peer.id.slice(0, 8);
}

// What this side sends.

function showOwn() {
  const isShared = own.shared !== null;
  byId("screen").setAttribute("aria-pressed", String(isShared));
  byId("screen").textContent = isShared ? "Stop sharing" : "Share screen";
  tiles.show(ME, own.picture, isShared);
}

/** @param {{name: import("./own_media.js").DeviceName, state: string}} device */
function showDevice({ name, state }) {
  const button = byId(name);
  const words = deviceInWords(name, state);
  button.dataset.state = state;
  button.setAttribute("aria-pressed", String(state === "live"));
  button.disabled = state === "asking";
  button.title = words;
  if (words !== "") note(words);
}

async function share() {
  try {
    await own.share();
  } catch (error) {
    if (/** @type {Error} */ (error).name !== "NotAllowedError") note("The screen can't be shared here.");
  }
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
  const { url, words } = invitation(location.href, roomName, token);
  try {
    await navigator.clipboard.writeText(url);
    note(`The link of this room is copied. ${words}`);
  } catch {
    note(`The link of this room: ${url} ${words}`);
  }
}

async function leave() {
  own.stop();
  await room?.leave();
  location.assign(addressOfThis());
}
