"""Two pages that add media of different kinds at once: their offers cross, and the call stands."""

from __future__ import annotations

import asyncio

import pytest

from tests.end_to_end.browser_driver import Browsers
from tests.end_to_end.pages import IS_CALM, address, chats, sees, server

pytestmark = pytest.mark.asyncio(loop_scope="module")

REMEMBER = "void (window.before = [...fsmRtcRoom.peers.values()][0].connection)"
IS_THE_SAME = "[...fsmRtcRoom.peers.values()][0].connection === window.before"
TAKE = "navigator.mediaDevices.getUserMedia({ %s: true }).then((own) => void (window.own = own))"
ADD = "void fsmRtcRoom.addTrack(window.own.getTracks()[0], window.own)"
HAS_BOTH = """[...fsmRtcRoom.peers.values()][0].connection.getTransceivers()
  .filter((one) => one.currentDirection !== null && one.currentDirection !== "inactive").length === 2"""
ALIKE = """(() => {
  const uris = new Map();
  const { localDescription, remoteDescription } = [...fsmRtcRoom.peers.values()][0].connection;
  for (const { sdp } of [localDescription, remoteDescription])
    for (const [, number, uri] of sdp.matchAll(/^a=extmap:(\\d+) (\\S+)/gm))
      if ((uris.get(number) ?? uri) !== uri) return false;
      else uris.set(number, uri);
  return uris.size > 5;
})()"""


@pytest.mark.parametrize("kinds", [("audio", "video"), ("video", "audio")])
async def test_one_adds_video_and_the_other_audio_at_once(browsers: Browsers, kinds: tuple[str, str]) -> None:
    async with (
        server() as here,
        browsers.pages(("chrome", address(here, "ann")), ("chrome", address(here, "bob"))) as pages,
    ):
        ann, bob = pages
        await sees(ann, "bob")
        await sees(bob, "ann")
        for page, kind in zip(pages, kinds, strict=True):
            await page.evaluate(TAKE % kind)
            await page.evaluate(REMEMBER)
        await asyncio.gather(*(page.evaluate(ADD) for page in pages))
        for page in pages:
            await page.until(f"{HAS_BOTH} && {IS_CALM}")
            assert await page.evaluate(IS_THE_SAME)
            assert await page.evaluate(ALIKE)
            assert await page.told() == []
        await chats(ann, bob, "still here")
