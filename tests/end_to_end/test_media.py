"""Cameras, microphones, screens and loudspeakers that aren't there, aren't allowed, go away, or want a click."""

from __future__ import annotations

import pytest

from tests.end_to_end.browser_driver import Browsers, Page
from tests.end_to_end.pages import address, chats, decodes, sees, server

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHOWS_NOTHING = """(() => {
  const tile = document.querySelector(".tile:not(.own)");
  return tile.dataset.picture === "no" && tile.querySelector("video").videoWidth === 0;
})()"""
SHOWS_SOMETHING = """(() => {
  const tile = document.querySelector(".tile:not(.own)");
  return tile.dataset.picture === "yes" && tile.querySelector("video").videoWidth > 0;
})()"""
HEARS = """(async () => {
  for (const peer of fsmRtcRoom.peers.values())
    for (const report of (await peer.connection.getStats()).values())
      if (report.type === "inbound-rtp" && report.kind === "audio" && report.packetsReceived > 10) return true;
})()"""

OTHER_PROGRAM = """(() => {
  if (!globalThis.MediaDevices) return;
  const real = MediaDevices.prototype.getUserMedia;
  MediaDevices.prototype.getUserMedia = function (constraints) {
    if (constraints.%s && !window.isFree) throw new DOMException("Could not start source", "NotReadableError");
    return real.call(this, constraints);
  };
})()"""


async def device(page: Page, name: str, state: str) -> None:
    """Wait until the page's camera or microphone stands so."""
    await page.until(f"document.querySelector('#{name}').dataset.state === '{state}'")


async def says(page: Page, words: str) -> None:
    """Wait until the page says it."""
    await page.until(f"document.querySelector('#log').textContent.includes({words!r})")


async def test_who_has_no_camera_is_heard(browsers: Browsers) -> None:
    async with (
        server() as here,
        browsers.pages(
            ("chrome:cameraless", address(here, "ann", media=True)), ("chrome", address(here, "bob", media=True))
        ) as (ann, bob),
    ):
        await sees(bob, "ann")
        await device(ann, "camera", "missing")
        await device(ann, "microphone", "live")
        await says(ann, "There is no camera")
        await bob.until(HEARS)
        await decodes(ann)
        await bob.until(SHOWS_NOTHING)


async def test_a_device_that_is_denied_keeps_nobody_from_using_the_other_and_can_be_allowed_later(
    browsers: Browsers,
) -> None:
    async with (
        server() as here,
        browsers.pages(
            ("chrome:asking", address(here, "ann", media=True, join="")), ("firefox", address(here, "bob"))
        ) as (ann, bob),
    ):
        await ann.permission("camera", "denied")
        await ann.permission("microphone", "granted")
        await ann.click("#enter")
        await device(ann, "camera", "denied")
        await device(ann, "microphone", "live")
        await says(ann, "The camera is not allowed here")
        await sees(bob, "ann")
        await bob.until(HEARS)
        await ann.click("#camera")
        await device(ann, "camera", "denied")
        await ann.permission("camera", "granted")
        await ann.click("#camera")
        await device(ann, "camera", "live")
        await bob.until(SHOWS_SOMETHING)


async def test_who_denies_everything_sees_and_writes(browsers: Browsers) -> None:
    async with (
        server() as here,
        browsers.pages(
            ("chrome:asking", address(here, "ann", media=True, join="")), ("chrome", address(here, "bob", media=True))
        ) as (ann, bob),
    ):
        for name in ("camera", "microphone"):
            await ann.permission(name, "denied")
        await ann.click("#enter")
        for name in ("camera", "microphone"):
            await device(ann, name, "denied")
        await sees(ann, "bob")
        await decodes(ann)
        await chats(ann, bob, "I can see you")


async def test_firefox_uses_the_microphone_where_the_camera_is_denied(browsers: Browsers) -> None:
    async with (
        server() as here,
        browsers.pages(("firefox:asking", address(here, "ann", media=True)), ("chrome", address(here, "bob"))) as (
            ann,
            bob,
        ),
    ):
        await device(ann, "camera", "denied")
        await device(ann, "microphone", "live")
        await sees(bob, "ann")
        await bob.until(HEARS)


@pytest.mark.parametrize("kind", ["chrome", "firefox"])
async def test_a_busy_device_is_tried_again_when_its_button_is_pressed(browsers: Browsers, kind: str) -> None:
    async with server() as here, browsers.pages((kind, "about:blank"), ("chrome", address(here, "bob"))) as (ann, bob):
        await ann.before(OTHER_PROGRAM % "video")
        await ann.goto(address(here, "ann", media=True))
        await device(ann, "camera", "busy")
        await device(ann, "microphone", "live")
        await sees(bob, "ann")
        await ann.click("#camera")
        await device(ann, "camera", "busy")
        await ann.evaluate("void (window.isFree = true)")
        await ann.click("#camera")
        await device(ann, "camera", "live")
        await bob.until(SHOWS_SOMETHING)


@pytest.mark.parametrize("kind", ["chrome", "firefox"])
async def test_a_camera_that_is_unplugged_leaves_no_last_frame_and_can_come_back(browsers: Browsers, kind: str) -> None:
    async with (
        server() as here,
        browsers.pages((kind, address(here, "ann", media=True)), ("chrome", address(here, "bob"))) as (ann, bob),
    ):
        await sees(bob, "ann")
        await bob.until(SHOWS_SOMETHING)
        # What a browser does when a device is gone; neither has a way to take a fake one away.
        await ann.evaluate("""(() => {
          const [track] = document.querySelector(".own video").srcObject.getVideoTracks();
          track.stop();
          track.dispatchEvent(new Event("ended"));
        })()""")
        await device(ann, "camera", "unplugged")
        await says(ann, "The camera is gone")
        await bob.until(SHOWS_NOTHING)
        await bob.until(HEARS)
        assert await ann.evaluate("document.querySelector('.own').dataset.picture === 'no'")
        await ann.click("#camera")
        await device(ann, "camera", "live")
        await bob.until(SHOWS_SOMETHING)


@pytest.mark.parametrize("kind", ["chrome", "firefox"])
async def test_what_is_switched_off_is_not_sent_and_comes_back(browsers: Browsers, kind: str) -> None:
    async with (
        server() as here,
        browsers.pages((kind, address(here, "ann")), ("chrome", address(here, "bob"))) as (ann, bob),
    ):
        await sees(bob, "ann")
        await ann.click("#camera")  # who joined without may begin later
        await device(ann, "camera", "live")
        await bob.until(SHOWS_SOMETHING)
        track = "document.querySelector('.own video').srcObject.getVideoTracks()[0]"
        await ann.click("#camera")
        await device(ann, "camera", "paused")
        assert not await ann.evaluate(f"{track}.enabled")
        await ann.click("#camera")
        await device(ann, "camera", "live")
        assert await ann.evaluate(f"{track}.enabled")


@pytest.mark.parametrize("kind", ["chrome", "firefox"])
async def test_a_shared_screen_leaves_no_last_frame(browsers: Browsers, kind: str) -> None:
    async with (
        server() as here,
        browsers.pages(("chrome", address(here, "ann")), (kind, address(here, "bob"))) as (ann, bob),
    ):
        await sees(bob, "ann")
        await ann.click("#screen")
        await bob.until(SHOWS_SOMETHING)
        await ann.evaluate(
            "document.querySelector('.own video').srcObject.getVideoTracks()[0].dispatchEvent(new Event('ended'))"
        )
        await bob.until(SHOWS_NOTHING)
        assert await ann.evaluate("document.querySelector('.own').dataset.picture === 'no'")
        await chats(ann, bob, "did you see it?")


TELL_OF_THE_BUTTON = """(() => {
  const looking = setInterval(() => {
    const button = document.querySelector("#sound");
    if (button === null || button.hidden) return;
    clearInterval(looking);
    console.info("it wants a click");
  }, 50);
})()"""


@pytest.mark.parametrize("kind", ["chrome:quiet", "firefox:quiet"])
async def test_a_viewer_whose_browser_wants_a_click_before_it_plays_is_told(browsers: Browsers, kind: str) -> None:
    async with (
        server() as here,
        browsers.pages((kind, "about:blank"), ("chrome", address(here, "bob", media=True))) as (ann, _),
    ):
        # Whatever the driver evaluates in a page counts as a click there, so the page itself tells.
        await ann.before(TELL_OF_THE_BUTTON)
        await ann.goto(address(here, "ann"))
        await ann.tells("info: it wants a click")
        await says(ann, "plays no sound before you have clicked")
        await ann.until(SHOWS_SOMETHING)
        await ann.click("#sound")
        await ann.until("document.querySelector('#sound').hidden")
        await ann.until("(({ muted, paused }) => !muted && !paused)(document.querySelector('.tile:not(.own) video'))")
