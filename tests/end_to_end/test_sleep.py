"""Calls of which one side stands still for a while: a closed lid, a stopped process, a server that has begun anew.

Nobody waits for a time here: the side that is awake is watched until it has given the call up; then the other goes on.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

import fsm_rtc
from fsm_rtc.connection.delivery.messages import chat_message
from fsm_rtc.connection.events import GaveUp
from fsm_rtc.connection.recovery.policy import RecoveryPolicy
from fsm_rtc.messages import Identity
from fsm_rtc.peer.configuration import Configuration
from fsm_rtc.room.room import Room
from fsm_rtc.signaling import SignalingServer, WebSocketSignaling
from tests.end_to_end.browser_driver import Browsers, Page
from tests.end_to_end.pages import ROOM, address, chats, forgetful_server, is_alone, sees, server

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIMIT_SECONDS = 60.0
PAIRS = [("chrome", "firefox:sleepy"), ("firefox", "chrome:sleepy")]
SLEEPERS = ["chrome:sleepy", "firefox:sleepy"]

TALKS = "[...fsmRtcRoom.peers.values()].some((peer) => peer.name === '%s' && peer.state === 'connected')"
HAS_GIVEN_UP = "[...fsmRtcRoom.peers.values()].every((peer) => peer.state !== 'connected') && window.ended > 0"
JOIN_IMPATIENTLY = """(async () => {
  const { Room } = await import("/_fsm_rtc/fsm_rtc.js");
  const limits = { acknowledgeSeconds: 2, answerSeconds: 2, giveUpSeconds: 4 };
  window.fsmRtcRoom = new Room(`ws://${location.host}/%s`, { name: "%s", limits });
  window.ended = 0;
  fsmRtcRoom.addEventListener("ended", () => (window.ended += 1));
  await fsmRtcRoom.open();
})()"""


async def meet(one: Page, other: Page) -> None:
    await sees(one, "sleepy")
    await sees(other, "awake")


@pytest.mark.parametrize(("awake", "sleeper"), PAIRS)
async def test_two_pages_find_each_other_when_one_has_slept(browsers: Browsers, awake: str, sleeper: str) -> None:
    async with (
        forgetful_server() as here,
        browsers.pages((awake, address(here, "awake")), (sleeper, address(here, "sleepy"))) as (one, other),
    ):
        await meet(one, other)
        async with browsers.asleep(sleeper):
            await is_alone(one)
        await meet(one, other)
        await chats(one, other, "good morning")
        await chats(other, one, "good morning too")


@pytest.mark.parametrize("sleeper", SLEEPERS)
async def test_a_call_that_one_side_gave_up_begins_anew_though_the_server_forgot_nobody(
    browsers: Browsers, sleeper: str
) -> None:
    async with server() as here:
        at = f"http://127.0.0.1:{here.port}/"
        async with browsers.pages(("chrome", at), (sleeper, at)) as (one, other):
            await one.evaluate(JOIN_IMPATIENTLY % (ROOM, "awake"))
            await other.evaluate(JOIN_IMPATIENTLY % (ROOM, "sleepy"))
            await one.until(TALKS % "sleepy")
            await other.until(TALKS % "awake")
            async with browsers.asleep(sleeper):
                await one.until(HAS_GIVEN_UP)
            await one.until(TALKS % "sleepy")
            await other.until(TALKS % "awake")


@pytest.mark.parametrize("sleeper", SLEEPERS)
async def test_a_page_wakes_up_at_a_server_that_was_started_anew(browsers: Browsers, sleeper: str) -> None:
    async with AsyncExitStack() as stack:
        before = forgetful_server()
        await before.__aenter__()
        port = before.port
        places = ("chrome", address(before, "awake")), (sleeper, address(before, "sleepy"))
        one, other = await stack.enter_async_context(browsers.pages(*places))
        await meet(one, other)
        async with browsers.asleep(sleeper):
            await before.aclose()
            await one.until("fsmRtcRoom.state === 'reconnecting'")
            await stack.enter_async_context(forgetful_server(port))
            await is_alone(one)
        await meet(one, other)
        await chats(one, other, "good morning")


async def test_who_stayed_awake_keep_their_call(browsers: Browsers) -> None:
    async with (
        forgetful_server() as here,
        browsers.pages(
            ("chrome", address(here, "awake")),
            ("firefox", address(here, "third")),
            ("chrome:sleepy", address(here, "sleepy")),
        ) as (one, third, other),
    ):
        for page in (one, third):
            await sees(page, "sleepy")
        await sees(one, "third")
        connection = "[...fsmRtcRoom.peers.values()].find((peer) => peer.name === 'third').connection"
        await one.evaluate(f"void (window.kept = {connection})")
        async with browsers.asleep("chrome:sleepy"):
            for page in (one, third):
                await page.until("fsmRtcRoom.peers.size === 1")
        for page in (one, third):
            await sees(page, "sleepy")
        for name in ("awake", "third"):
            await sees(other, name)
        assert await one.evaluate(f"{connection} === window.kept && window.kept.connectionState === 'connected'")


async def test_two_that_slept_at_the_same_time_find_each_other(browsers: Browsers) -> None:
    async with (
        forgetful_server() as here,
        browsers.pages(("chrome:sleepy", address(here, "awake")), ("firefox:sleepy", address(here, "sleepy"))) as (
            one,
            other,
        ),
    ):
        await meet(one, other)
        async with browsers.asleep("chrome:sleepy"), browsers.asleep("firefox:sleepy"), asyncio.timeout(LIMIT_SECONDS):
            while here.service.hub.member_count:  # noqa: ASYNC110 - it tells nobody that it forgets
                await asyncio.sleep(0.1)
        await meet(one, other)
        await chats(one, other, "good morning")


SAY_NOTHING_TO_OTHERS = """(() => {
  const known = new Set(fsmRtcRoom.peers.keys());
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (text) {
    const { recipient } = JSON.parse(text);
    if (window.isHeard || recipient === undefined || known.has(recipient)) send.call(this, text);
  };
})()"""


async def test_among_others_a_call_that_was_given_up_waits_until_somebody_asks_for_it(browsers: Browsers) -> None:
    async with server() as here:
        at = f"http://127.0.0.1:{here.port}/"
        async with browsers.pages(("chrome", at), ("firefox", at), ("chrome", at)) as (one, third, other):
            await one.evaluate(JOIN_IMPATIENTLY % (ROOM, "one"))
            await third.evaluate(JOIN_IMPATIENTLY % (ROOM, "third"))
            await one.until(TALKS % "third")
            await one.evaluate(SAY_NOTHING_TO_OTHERS)
            await other.evaluate(JOIN_IMPATIENTLY % (ROOM, "other"))
            await other.until(TALKS % "third")
            await one.until("fsmRtcRoom.waiting.length === 1 && fsmRtcRoom.waiting[0].name === 'other'")
            assert await one.evaluate(f"fsmRtcRoom.sessionState === 'known' && {TALKS % 'third'}")
            await one.evaluate("void ((window.isHeard = true), fsmRtcRoom.callAgain())")
            for name in ("third", "other"):
                await one.until(TALKS % name)
            await other.until(TALKS % "one")
            assert await one.evaluate("fsmRtcRoom.waiting.length") == 0


async def test_a_call_outlives_a_tab_that_the_browser_freezes(browsers: Browsers) -> None:
    async with (
        forgetful_server() as here,
        browsers.pages(("chrome", address(here, "awake")), ("chrome", address(here, "sleepy"))) as (one, other),
    ):
        await meet(one, other)
        async with other.frozen():
            await one.type("#text", "are you there?")
            await one.press("Enter")
        await other.until("document.querySelector('#log').textContent.includes('are you there?')")
        await chats(other, one, "here I am")


async def test_a_tab_that_the_browser_has_thrown_away_joins_by_itself(browsers: Browsers) -> None:
    async with (
        server() as here,
        browsers.pages(("chrome", "about:blank"), ("chrome", address(here, "awake"))) as (other, one),
    ):
        # No protocol throws a tab away; this is what the page finds when it is loaded again.
        await other.before("Object.defineProperty(Document.prototype, 'wasDiscarded', { get: () => true })")
        await other.goto(address(here, "sleepy", join=""))
        await meet(one, other)


# With this package on the other side.


@asynccontextmanager
async def python_room(here: SignalingServer) -> AsyncIterator[Room]:
    async with fsm_rtc.join(
        f"ws://127.0.0.1:{here.port}/{ROOM}", name="python", configuration=Configuration(ice_servers=())
    ) as room:
        yield room


@pytest.mark.parametrize("sleeper", SLEEPERS)
async def test_a_room_in_python_and_a_page_that_has_slept_find_each_other(browsers: Browsers, sleeper: str) -> None:
    async with (
        forgetful_server() as here,
        python_room(here) as room,
        browsers.pages((sleeper, address(here, "sleepy"))) as (page,),
    ):
        connections = room.connections()
        async with asyncio.timeout(LIMIT_SECONDS):
            first = await anext(connections)
            await first.wait_for_ready()
            await sees(page, "python")
            async with browsers.asleep(sleeper):
                async for _ in first.messages():
                    pass
            async for second in connections:
                try:
                    await second.wait_for_ready()
                    await second.send(chat_message("good morning"))
                    break
                except fsm_rtc.FsmRtcError:
                    continue  # the page has begun anew meanwhile
        await sees(page, "python")
        await page.until("document.querySelector('#log').textContent.includes('good morning')")


@pytest.mark.parametrize("sleeper", SLEEPERS)
async def test_a_connection_in_python_and_a_page_that_has_slept_find_each_other(
    browsers: Browsers, sleeper: str
) -> None:
    async with forgetful_server() as here:
        channel = WebSocketSignaling(f"ws://127.0.0.1:{here.port}/{ROOM}")
        policy = RecoveryPolicy(give_up_after_seconds=5.0)
        async with (
            fsm_rtc.Connection(
                channel,
                Identity.generate(),
                name="python",
                recovery=policy,
                configuration=Configuration(ice_servers=()),
            ) as connection,
            browsers.pages((sleeper, address(here, "sleepy"))) as (page,),
        ):
            events = connection.events()
            async with asyncio.timeout(LIMIT_SECONDS):
                await connection.wait_for_ready()
                await sees(page, "python")
                async with browsers.asleep(sleeper):
                    while not isinstance(await anext(events), GaveUp):
                        pass
                while not connection.is_ready:
                    await anext(events)
            await sees(page, "python")


@pytest.mark.parametrize("kind", ["chrome", "firefox"])
async def test_a_program_that_was_stopped_and_a_page_find_each_other(browsers: Browsers, kind: str) -> None:
    async with forgetful_server() as here, browsers.pages((kind, address(here, "awake"))) as (page,):
        program = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "fsm_rtc.cli", "join", f"ws://127.0.0.1:{here.port}/{ROOM}"),
            *("--name", "python", "--json", "--one-time-key"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            await sees(page, "python")
            program.send_signal(signal.SIGSTOP)
            try:
                await is_alone(page)
            finally:
                program.send_signal(signal.SIGCONT)
            await sees(page, "python")
            await page.type("#text", "good morning")
            await page.press("Enter")
            assert program.stdout is not None
            async with asyncio.timeout(LIMIT_SECONDS):
                async for line in program.stdout:
                    if "good morning" in line.decode():
                        break
        finally:
            program.kill()
            await program.wait()


# Pages that go and come back.


@pytest.mark.parametrize("kind", ["chrome", "firefox"])
async def test_a_page_that_the_browser_shows_again_is_in_the_call_again(browsers: Browsers, kind: str) -> None:
    async with (
        server() as here,
        browsers.pages((kind, address(here, "ann")), ("chrome", address(here, "bob"))) as (ann, bob),
    ):
        await sees(bob, "ann")
        await ann.evaluate("void dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
        await is_alone(bob)
        await ann.evaluate("void dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
        await sees(bob, "ann")
        await sees(ann, "bob")
        await chats(ann, bob, "back again")


@pytest.mark.parametrize("kind", ["chrome", "firefox"])
async def test_a_second_tab_takes_the_place_of_the_first(browsers: Browsers, kind: str) -> None:
    async with (
        server() as here,
        browsers.pages((kind, address(here, "ann", media=True)), ("chrome", address(here, "bob"))) as (first, bob),
    ):
        await sees(bob, "ann")
        sent = "fsmRtcRoom.peers.values().next().value.connection.getSenders().map((sender) => sender.track)"
        await first.evaluate(f"void (window.tracks = {sent})")
        second = await first.beside(address(here, "ann"))
        await first.until("document.body.dataset.state === 'refused'")
        await first.until("!document.querySelector('#join').hidden && document.activeElement.id === 'room'")
        assert "another tab" in await first.evaluate("document.querySelector('#status').textContent")
        assert await first.evaluate("tracks.every((track) => track.readyState === 'ended')")
        await sees(second, "bob")
        await chats(bob, second, "there you are")
        await enter_again(first)
        await second.until("document.body.dataset.state === 'refused'")
        await chats(bob, first, "and here")


async def enter_again(page: Page) -> None:
    await page.front()
    await page.click("#enter")
    await sees(page, "bob")


async def test_a_network_that_goes_and_comes_back_leaves_the_call_as_it_is(browsers: Browsers) -> None:
    async with (
        server() as here,
        browsers.pages(("chrome", address(here, "ann")), ("firefox", address(here, "bob"))) as (ann, bob),
    ):
        await sees(ann, "bob")
        await sees(bob, "ann")
        await ann.evaluate("void (window.before = [...fsmRtcRoom.peers.values()][0].connection)")
        for _ in range(3):
            await ann.offline(True)
            await ann.until("document.body.dataset.state === 'reconnecting'")
            await ann.offline(False)
            await ann.until("document.body.dataset.state === 'connected'")
        assert await ann.evaluate("[...fsmRtcRoom.peers.values()][0].connection === window.before")
        await chats(bob, ann, "still here")
