"""Calls of pages that are lost, with another page or with this package: each comes back, or ends as in Python."""

from __future__ import annotations

import asyncio

import pytest

from tests.end_to_end.browser_driver import Browsers, Page
from tests.end_to_end.pages import address, chats, sees, server
from tests.end_to_end.test_with_python import REMOTE_FRAGMENT, first_of, is_told, python, says

pytestmark = pytest.mark.asyncio(loop_scope="module")

KINDS = ["chrome", "firefox"]
PAIRS = [("chrome", "firefox"), ("firefox", "chrome")]

WATCH = """(() => {
  window.told = [];
  window.peer = [...fsmRtcRoom.peers.values()][0];
  window.before = peer.connection;
  peer.addEventListener("recovery", ({ detail }) => told.push(detail));
})()"""
"""Note what recovery tells."""

CLOSE = "peer.connection.close()"
"""Close the connection without a word."""

HAS_BACK = "peer.state === 'connected' && peer.connection !== window.before"

LOSE_OFFERS = """(() => {
  const send = WebSocket.prototype.send;
  window.lost = 0;
  WebSocket.prototype.send = function (text) {
    const isLost = JSON.parse(text).type === "offer" && lost < 2;
    if (isLost) window.lost += 1;
    else send.call(this, text);
  };
})()"""

KILL_LINK_WITHIN_RECOVERY = """peer.addEventListener("recovery", ({ detail }) => {
  if (detail.kind !== "recovering" || window.dead !== undefined) return;
  const send = WebSocket.prototype.send;
  window.dead = null;
  WebSocket.prototype.send = function (text) {
    if (dead === null) {
      window.dead = this;
      this.onmessage = null;
    }
    if (this !== dead) send.call(this, text);
  };
})"""
"""From the first attempt on, the socket of then carries nothing, and doesn't say so."""

SAY_NOTHING_ON_THE_CHANNEL = """(() => {
  window.send = RTCDataChannel.prototype.send;
  RTCDataChannel.prototype.send = () => {};
})()"""
SPEAK_AGAIN = "void (RTCDataChannel.prototype.send = window.send)"

TAKE_LINK_AWAY = "void (WebSocket.prototype.send = () => {})"

SEND = "peer.chat('%s')"
SHOWS = "document.querySelector('#log').textContent.includes('%s')"


async def watch(*pages: Page) -> None:
    for page in pages:
        await page.evaluate(WATCH)


async def meet(ann: Page, bob: Page) -> None:
    await sees(ann, "bob")
    await sees(bob, "ann")
    await watch(ann, bob)


@pytest.mark.parametrize(("first", "second"), PAIRS)
async def test_a_connection_that_is_closed_without_a_word_is_made_anew_and_no_message_is_lost(
    browsers: Browsers, first: str, second: str
) -> None:
    async with (
        server() as here,
        browsers.pages((first, address(here, "ann")), (second, address(here, "bob"))) as (ann, bob),
    ):
        await meet(ann, bob)
        await ann.evaluate(CLOSE)
        await ann.evaluate(SEND % "meanwhile")
        for page in (ann, bob):
            await page.until(HAS_BACK)
        await bob.until(SHOWS % "meanwhile")
        assert await bob.evaluate("[told[0].kind, told.at(-1).kind]") == ["lost", "recovered"]
        await chats(bob, ann, "there you are")
        said = "[...document.querySelectorAll('.said .text')].filter((one) => one.textContent === 'meanwhile').length"
        assert await bob.evaluate(said) == 1


@pytest.mark.parametrize(("first", "second"), PAIRS)
async def test_a_silent_peer_is_had_back_by_an_ice_restart_of_the_same_connection(
    browsers: Browsers, first: str, second: str
) -> None:
    async with (
        server() as here,
        browsers.pages((first, address(here, "ann")), (second, address(here, "bob"))) as (ann, bob),
    ):
        await meet(ann, bob)
        await ann.evaluate(SAY_NOTHING_ON_THE_CHANNEL)
        await bob.until("peer.state === 'reconnecting' && told[0].reason === 'nothing was heard of it'")
        await bob.until("told.some(({ how }) => how === 'ICE restart')")
        await ann.evaluate(SPEAK_AGAIN)
        await bob.until("peer.state === 'connected' && peer.exchangeState === 'idle'")
        assert await bob.evaluate("peer.connection === before && told.at(-1).kind === 'recovered'")
        await chats(ann, bob, "back again")


@pytest.mark.parametrize(("first", "second"), PAIRS)
async def test_either_side_restarts_ice_whoever_was_the_first_to_offer(
    browsers: Browsers, first: str, second: str
) -> None:
    async with (
        server() as here,
        browsers.pages((first, address(here, "ann")), (second, address(here, "bob"))) as (ann, bob),
    ):
        await meet(ann, bob)
        for page in (ann, bob):
            before = await page.evaluate(REMOTE_FRAGMENT)
            await page.evaluate("peer.connection.restartIce()")
            await page.until(f"{REMOTE_FRAGMENT} !== '{before}' && peer.exchangeState === 'idle'")
        for page in (ann, bob):
            assert await page.evaluate("peer.connection === before && peer.state === 'connected'")
        await chats(ann, bob, "on another way")


@pytest.mark.parametrize(("first", "second"), PAIRS)
async def test_an_attempt_whose_offer_is_lost_twice_succeeds(browsers: Browsers, first: str, second: str) -> None:
    async with (
        server() as here,
        browsers.pages((first, address(here, "ann")), (second, address(here, "bob"))) as (ann, bob),
    ):
        await meet(ann, bob)
        for page in (ann, bob):
            await page.evaluate(LOSE_OFFERS)
        await bob.evaluate(CLOSE)
        for page in (ann, bob):
            await page.until(HAS_BACK)
        assert await ann.evaluate("lost") + await bob.evaluate("lost") >= 2
        await chats(ann, bob, "never give up")


@pytest.mark.parametrize(("first", "second"), PAIRS)
async def test_a_link_that_dies_within_a_recovery_is_made_anew_and_the_call_comes_back(
    browsers: Browsers, first: str, second: str
) -> None:
    async with (
        server() as here,
        browsers.pages((first, address(here, "ann")), (second, address(here, "bob"))) as (ann, bob),
    ):
        await meet(ann, bob)
        for page in (ann, bob):
            await page.evaluate(KILL_LINK_WITHIN_RECOVERY)
        await ann.evaluate(CLOSE)
        for page in (ann, bob):
            await page.until(HAS_BACK)
        killed = [await page.evaluate("(window.dead ?? null) !== null") for page in (ann, bob)]
        assert any(killed)
        await chats(ann, bob, "over another link")


@pytest.mark.parametrize(("first", "second"), PAIRS)
async def test_a_goodbye_that_comes_on_the_channel_alone_ends_the_call(
    browsers: Browsers, first: str, second: str
) -> None:
    async with (
        server() as here,
        browsers.pages((first, address(here, "ann")), (second, address(here, "bob"))) as (ann, bob),
    ):
        await meet(ann, bob)
        await ann.evaluate(TAKE_LINK_AWAY)
        await ann.evaluate("peer.leave('see you')")
        await bob.until("peer.recoveryState === 'goodbye' || peer.state === 'ended'")
        await bob.until("peer.state === 'ended'")
        assert await bob.evaluate("[peer.reason, peer.ending, told.length, fsmRtcRoom.waiting.length]") == [
            "see you",
            "said goodbye",
            0,
            0,
        ]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_page_and_python_have_their_call_back_whoever_closes_it(browsers: Browsers, kind: str) -> None:
    async with server() as here, python(here) as room, browsers.pages((kind, address(here, "ann"))) as (ann,):
        connection = await first_of(room)
        await sees(ann, "python")
        await watch(ann)
        await ann.evaluate(CLOSE)
        await connection.send('{"type": "chat", "message": "by python"}')
        await ann.until(HAS_BACK)
        await ann.until(SHOWS % "by python")
        await says(ann, connection, "by the page")
        await watch(ann)
        assert connection.peer_connection is not None
        await connection.peer_connection.close()
        await ann.evaluate(SEND % "meanwhile")
        await ann.until(HAS_BACK)
        heard = connection.messages()
        async with asyncio.timeout(60):
            while '"meanwhile"' not in str(await anext(heard)):
                pass
        await is_told(ann, connection, "once more")
