"""The page, as the tests see it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from fsm_rtc.signaling import Limits, Settings, SignalingServer
from tests.end_to_end.browser_driver import Page

__all__ = [
    "FORGE",
    "IS_CALM",
    "ROOM",
    "address",
    "chats",
    "decodes",
    "enter",
    "forgetful_server",
    "is_alone",
    "sees",
    "server",
]

ROOM = "kitchen"

IS_CALM = "[...fsmRtcRoom.peers.values()].every((p) => p.exchangeState === 'idle' && p.state === 'connected')"
"""The calls stand, and no offer is under way."""

DECODED = """(async () => {
  for (const peer of fsmRtcRoom.peers.values())
    for (const report of (await peer.connection.getStats()).values())
      if (report.type === "inbound-rtp" && report.kind === "video" && report.framesDecoded > %d)
        return report.framesDecoded;
})()"""


FORGE = """(() => {
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (text) {
    const message = JSON.parse(text);
    if (["offer", "answer"].includes(message.type))
      message.payload = message.payload.replace(/^(a=fingerprint:\\S+) ../gm, "$1 00");
    send.call(this, JSON.stringify(message));
  };
  document.querySelector("#enter").click();
})()"""
"""Join, and alter what goes out behind its signature."""


def server(port: int = 0, **settings: Any) -> SignalingServer:
    """A server that gives browsers the page."""
    return SignalingServer("127.0.0.1", port, Settings(page=True, **settings))


def forgetful_server(port: int = 0) -> SignalingServer:
    """One that notices soon that a client is silent, and soon forgets it."""
    settings = Settings(page=True, limits=Limits(grace_seconds=1.0))
    return SignalingServer("127.0.0.1", port, settings, ping_interval_seconds=1.0)


def address(at: SignalingServer, name: str, *, media: bool = False, **query: str) -> str:
    """Where a browser joins the room at once."""
    asked = {"room": ROOM, "name": name, "join": "yes", "media": "yes" if media else "no", **query}
    return f"http://127.0.0.1:{at.port}/?{urlencode(asked)}"


async def enter(page: Page) -> None:
    """Join by the form."""
    await page.until("document.body.dataset.state === 'outside'")
    await page.click("#enter")


async def sees(page: Page, name: str) -> None:
    """Wait until the page is connected with somebody of this name."""
    await page.until(
        "[...document.querySelectorAll('.tile:not(.own)')]"
        f".some((tile) => tile.dataset.state === 'connected' && tile.querySelector('.name').textContent === '{name}')"
    )


async def is_alone(page: Page) -> None:
    """Wait until nobody is left for the page."""
    await page.until("document.querySelector('.tile:not(.own)') === null && fsmRtcRoom.peers.size === 0")


async def chats(one: Page, other: Page, text: str) -> None:
    """Type a message into a page, and wait until the other shows it."""
    await one.type("#text", text)
    await one.press("Enter")
    await other.until(f"[...document.querySelectorAll('.said .text')].some((one) => one.textContent === '{text}')")


async def decodes(page: Page, frames: int = 10) -> None:
    """Wait until so many of the other side's frames were decoded."""
    await page.until(DECODED % frames)
