"""Calls between real browsers, by the page that the server gives them."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from fsm_rtc.messages import Identity
from fsm_rtc.signaling.access import RoomAllowlist
from tests.end_to_end.browser_driver import Browsers
from tests.end_to_end.pages import FORGE, IS_CALM, ROOM, address, chats, decodes, enter, is_alone, sees, server

pytestmark = pytest.mark.asyncio(loop_scope="module")

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "browser.md"

PAIRS = [("chrome", "firefox"), ("firefox", "chrome")]
KINDS = ["chrome", "firefox"]

SHOWS_NOTHING = """(() => {
  const tile = document.querySelector(".tile:not(.own)");
  return tile.dataset.picture === "no" && tile.querySelector("video").videoWidth === 0;
})()"""

REMEMBER_CONNECTION = "void (window.before = [...fsmRtcRoom.peers.values()][0].connection)"
IS_THE_SAME = "[...fsmRtcRoom.peers.values()][0].connection === window.before"


@pytest.mark.parametrize(("first", "second"), PAIRS)
async def test_two_see_hear_and_write_to_each_other(browsers: Browsers, first: str, second: str) -> None:
    async with (
        server() as here,
        browsers.pages((first, address(here, "ann", media=True)), (second, address(here, "bob", media=True))) as pages,
    ):
        ann, bob = pages
        await sees(ann, "bob")
        await sees(bob, "ann")
        await chats(ann, bob, "hello bob")
        await chats(bob, ann, "hello ann")
        for page in pages:
            await decodes(page)
            assert await page.told() == []


@pytest.mark.parametrize(("first", "second"), PAIRS)
async def test_offers_that_meet_on_purpose_end_in_one_call(browsers: Browsers, first: str, second: str) -> None:
    async with (
        server() as here,
        browsers.pages((first, address(here, "ann")), (second, address(here, "bob"))) as (ann, bob),
    ):
        await sees(ann, "bob")
        await sees(bob, "ann")
        for page in (ann, bob):
            await page.evaluate(REMEMBER_CONNECTION)
        for _ in range(10):
            both = "[...fsmRtcRoom.peers.values()].forEach((peer) => peer.negotiate())"
            await asyncio.gather(ann.evaluate(both), bob.evaluate(both))
        for page in (ann, bob):
            await page.until(IS_CALM)
            assert await page.evaluate(IS_THE_SAME)
        await chats(ann, bob, "still here")


@pytest.mark.parametrize("kind", KINDS)
async def test_ice_restarts_on_a_live_call(browsers: Browsers, kind: str) -> None:
    async with (
        server() as here,
        browsers.pages((kind, address(here, "ann")), ("chrome", address(here, "bob"))) as (ann, bob),
    ):
        await sees(ann, "bob")
        await sees(bob, "ann")
        ufrag = "[...fsmRtcRoom.peers.values()][0].connection.localDescription.sdp.match(/ice-ufrag:(\\S+)/)[1]"
        before = await ann.evaluate(ufrag)
        await ann.evaluate("[...fsmRtcRoom.peers.values()][0].connection.restartIce()")
        await ann.until(f"{ufrag} !== '{before}'")
        for page in (ann, bob):
            await page.until(IS_CALM)
        await chats(ann, bob, "on another path")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_page_that_is_loaded_anew_is_back_in_the_call(browsers: Browsers, kind: str) -> None:
    async with (
        server() as here,
        browsers.pages((kind, address(here, "ann", join="")), ("chrome", address(here, "bob"))) as (ann, bob),
    ):
        await enter(ann)
        await sees(bob, "ann")
        first = await ann.evaluate("fsmRtcRoom.id")
        await ann.reload()
        await is_alone(bob)
        await enter(ann)
        await sees(bob, "ann")
        await sees(ann, "bob")
        assert await ann.evaluate("fsmRtcRoom.id") == first, "the browser keeps its key"
        await chats(ann, bob, "back again")


@pytest.mark.parametrize("kind", KINDS)
async def test_who_closes_the_tab_is_gone_for_the_other(browsers: Browsers, kind: str) -> None:
    async with (
        server() as here,
        browsers.pages((kind, address(here, "ann")), ("chrome", address(here, "bob"))) as (ann, bob),
    ):
        await sees(bob, "ann")
        await ann.close()
        await is_alone(bob)


@pytest.mark.parametrize(("first", "second"), PAIRS)
async def test_a_call_lives_on_while_the_server_is_away(browsers: Browsers, first: str, second: str) -> None:
    async with server() as here:
        port = here.port
        at = address(here, "ann"), address(here, "bob")
        async with browsers.pages((first, at[0]), (second, at[1])) as (ann, bob):
            await sees(ann, "bob")
            await sees(bob, "ann")
            for page in (ann, bob):
                await page.evaluate(REMEMBER_CONNECTION)
            await here.aclose()
            for page in (ann, bob):
                await page.until("document.body.dataset.state === 'reconnecting'")
            assert "Reconnecting" in await ann.evaluate("document.querySelector('#status').textContent")
            await chats(ann, bob, "no server needed")
            async with server(port):
                for page in (ann, bob):
                    await page.until("document.body.dataset.state === 'connected'")
                    assert await page.evaluate(IS_THE_SAME)
                await chats(bob, ann, "it is back")
                await ann.evaluate("[...fsmRtcRoom.peers.values()][0].negotiate()")
                for page in (ann, bob):
                    await page.until(IS_CALM)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_page_that_forges_is_refused_with_the_reason(browsers: Browsers, kind: str) -> None:
    async with (
        server() as here,
        browsers.pages((kind, address(here, "mallory", join="")), ("chrome", address(here, "bob"))) as (mallory, bob),
    ):
        await mallory.evaluate(FORGE)
        await bob.until("fsmRtcRoom.refused.get('signed_by_the_peer') > 0")
        assert await bob.evaluate("[...fsmRtcRoom.peers.values()].every((peer) => peer.state === 'connecting')")


async def test_a_shared_screen_is_seen_until_it_is_shared_no_longer(browsers: Browsers) -> None:
    async with (
        server() as here,
        browsers.pages(("chrome", address(here, "ann")), ("firefox", address(here, "bob"))) as (ann, bob),
    ):
        await sees(ann, "bob")
        await ann.click("#screen")
        await ann.until("document.querySelector('#screen').getAttribute('aria-pressed') === 'true'")
        await decodes(bob)
        await ann.click("#screen")
        await bob.until(SHOWS_NOTHING)
        await chats(ann, bob, "did you see it?")


@pytest.mark.parametrize("kind", KINDS)
async def test_joining_and_leaving_ten_times(browsers: Browsers, kind: str) -> None:
    async with (
        server() as here,
        browsers.pages((kind, address(here, "ann", join="")), ("chrome", address(here, "bob"))) as (ann, bob),
    ):
        for number in range(10):
            await enter(ann)
            await sees(ann, "bob")
            await sees(bob, "ann")
            await chats(ann, bob, f"for the {number}th time")
            await ann.click("#leave")
            await is_alone(bob)


@pytest.mark.parametrize("kind", KINDS)
async def test_who_may_not_join_is_told_in_plain_words(browsers: Browsers, kind: str) -> None:
    async with (
        server(access=RoomAllowlist([Identity.generate().id])) as here,
        browsers.pages((kind, address(here, "ann"))) as (ann,),
    ):
        await ann.until("document.body.dataset.state === 'refused'")
        assert "You may not join this room" in await ann.evaluate("document.querySelector('#status').textContent")


async def test_the_program_of_the_documentation_calls_the_page(browsers: Browsers) -> None:
    programs = re.findall(r"```js\n(.*?)```", DOCUMENTATION.read_text(), re.S)
    (program,) = [one for one in programs if "join(" in one]
    async with (
        server() as here,
        browsers.pages(("chrome", f"http://127.0.0.1:{here.port}/"), ("firefox", address(here, "bob", media=True))) as (
            alice,
            bob,
        ),
    ):
        program = program.replace('import { join } from "/', 'const { join } = await import("/')
        program = program.replace('fsm_rtc.js";', 'fsm_rtc.js");')
        program = program.replace("wss://signalling.example.org/kitchen", f"ws://127.0.0.1:{here.port}/{ROOM}")
        await alice.evaluate(f"(async () => {{ document.body.append(document.createElement('video')); {program} }})()")
        await sees(bob, "alice")
        await decodes(bob)
        await alice.until("document.querySelector('video').videoWidth > 0")
        assert "bob connected " in "\n".join(await alice.told())


async def test_three_are_in_one_room(browsers: Browsers) -> None:
    async with (
        server() as here,
        browsers.pages(*[(kind, address(here, kind)) for kind in ("chrome", "firefox")]) as (one, two),
        browsers.pages(("chrome", address(here, "third"))) as (three,),
    ):
        for page, others in ((one, ("firefox", "third")), (two, ("chrome", "third")), (three, ("chrome", "firefox"))):
            for name in others:
                await sees(page, name)
        await three.type("#text", "hello both")
        await three.press("Enter")
        for page in (one, two):
            await page.until("document.querySelector('.said .text')?.textContent === 'hello both'")
