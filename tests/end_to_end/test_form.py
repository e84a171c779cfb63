"""What keeps a page from joining is said at its form; what it needs to join again stays in its address."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from fsm_rtc.messages import Identity
from fsm_rtc.signaling import Limits
from fsm_rtc.signaling.access import JoinTokens, RoomAllowlist, join_token
from tests.end_to_end.browser_driver import Browsers, Page
from tests.end_to_end.pages import ROOM, address, chats, enter, sees, server

pytestmark = pytest.mark.asyncio(loop_scope="module")

KINDS = ["chrome", "firefox"]
SECRET = "a secret of thirty-two bytes or more"

STATUS = "document.querySelector('#status').textContent"
COPIED = (
    "[...document.querySelectorAll('#log .note')].map((note) => note.textContent).find((text) => /link/.test(text))"
)
REMEMBER_TRACKS = """(() => {
  if (!globalThis.MediaDevices) return;
  const real = MediaDevices.prototype.getUserMedia;
  MediaDevices.prototype.getUserMedia = async function (constraints) {
    const got = await real.call(this, constraints);
    (window.given ??= []).push(...got.getTracks());
    return got;
  };
})()"""
BLOCKED = """(() => {
  for (const name of ["localStorage", "sessionStorage", "indexedDB"]) {
    const get = () => { throw new DOMException("Access is denied for this document.", "SecurityError"); };
    Object.defineProperty(window, name, { get });
  }
})()"""
HANGING = """(() => {
  IDBFactory.prototype.open = () => ({});
  Storage.prototype.setItem = () => { throw new DOMException("The quota has been exceeded.", "QuotaExceededError"); };
})()"""


async def is_at_the_form(page: Page, words: str) -> None:
    """Wait until the page shows its form, which can be used, and says why."""
    await page.until(f"{STATUS}.includes({words!r})")
    await page.until("!document.querySelector('#join').hidden && !document.querySelector('#enter').disabled")
    assert await page.evaluate("document.querySelector('#call').hidden")


@pytest.mark.parametrize("kind", KINDS)
async def test_who_is_refused_is_told_at_the_form_and_no_longer_filmed(browsers: Browsers, kind: str) -> None:
    async with (
        server(access=RoomAllowlist([Identity.generate().id])) as here,
        browsers.pages((kind, "about:blank")) as (page,),
    ):
        await page.before(REMEMBER_TRACKS)
        await page.goto(address(here, "ann", media=True))
        await is_at_the_form(page, "You may not join this room")
        assert await page.evaluate("given.length === 2 && given.every((track) => track.readyState === 'ended')")
        assert await page.evaluate("document.activeElement.id") == "room"
        assert await page.told() == []


@pytest.mark.parametrize("kind", KINDS)
async def test_a_full_room_is_told_and_tried_again(browsers: Browsers, kind: str) -> None:
    async with (
        server(limits=Limits(members=2)) as here,
        browsers.pages(*[("chrome", address(here, name)) for name in ("one", "two")]) as (_, two),
        browsers.pages((kind, address(here, "three"))) as (three,),
    ):
        await three.until(f"{STATUS}.includes('The room is full. Trying again')")
        await two.close()
        await sees(three, "one")


@pytest.mark.parametrize("room", ["..", ".", "r" * 129])
async def test_what_is_no_name_for_a_room_is_told(browsers: Browsers, room: str) -> None:
    async with server() as here, browsers.pages(("chrome", address(here, "ann", room=room))) as (page,):
        await is_at_the_form(page, "This is no name for a room")
        await page.evaluate(f"void (document.querySelector('#room').value = '{ROOM}')")
        await page.click("#enter")
        await page.until("document.body.dataset.state === 'connected'")


@pytest.mark.parametrize("room", ["a/b", "/", "a%2Fb", "küche 🎥", "what?", "#1", "http://x/y"])
async def test_any_other_name_is_one_and_the_same_for_all(browsers: Browsers, room: str) -> None:
    async with (
        server() as here,
        browsers.pages(*[("chrome", address(here, name, room=room)) for name in ("ann", "bob")]) as (ann, bob),
    ):
        await sees(ann, "bob")
        assert await ann.evaluate("fsmRtcRoom.name") == room
        await chats(bob, ann, "here")


@pytest.mark.parametrize("kind", KINDS)
async def test_over_http_from_another_host_it_says_that_https_is_needed(browsers: Browsers, kind: str) -> None:
    async with server() as here, browsers.pages((kind, "about:blank")) as (page,):
        await page.goto(address(here, "ann").replace("127.0.0.1", "elsewhere.example"))
        await page.until("document.body.dataset.state === 'insecure'")
        assert "needs https:" in await page.evaluate(STATUS)
        assert await page.evaluate("document.querySelector('#enter').disabled")
        code = await page.evaluate(
            "import('/_fsm_rtc/fsm_rtc.js')"
            ".then(({ join }) => join(`ws://${location.host}/kitchen`)).catch((error) => error.code)"
        )
        assert code == "insecure_context", "the module says so too"
        assert [line for line in await page.told() if line.startswith("uncaught")] == []


@pytest.mark.parametrize(("kind", "code"), [("chrome", BLOCKED), ("chrome", HANGING), ("firefox", BLOCKED)])
async def test_blocked_storage_keeps_nobody_out(browsers: Browsers, kind: str, code: str) -> None:
    async with server() as here, browsers.pages((kind, "about:blank"), ("chrome", address(here, "bob"))) as (ann, bob):
        await ann.before(code)
        await ann.goto(address(here, "ann"))
        await sees(bob, "ann")
        await sees(ann, "bob")
        await ann.until("document.querySelector('#log').textContent.includes('another key at each visit')")
        assert await ann.told() == []


async def test_a_firefox_that_stores_nothing_joins(browsers: Browsers) -> None:
    async with (
        server() as here,
        browsers.pages(("firefox:forgetful", address(here, "ann")), ("chrome", address(here, "bob"))) as (ann, bob),
    ):
        await sees(bob, "ann")
        assert await ann.told() == []


@pytest.mark.parametrize("kind", KINDS)
async def test_a_token_is_kept_over_a_reload_and_the_link_says_what_it_opens(browsers: Browsers, kind: str) -> None:
    token = join_token(SECRET, ROOM)
    async with (
        server(access=JoinTokens(SECRET)) as here,
        browsers.pages((kind, address(here, "ann", token=token, join=""))) as (ann,),
        browsers.pages(("chrome", address(here, "bob"))) as (bob,),
    ):
        await is_at_the_form(bob, "Ask for a link with a valid token")
        await enter(ann)
        await ann.until("document.body.dataset.state === 'connected'")
        await ann.reload()
        await enter(ann)
        await ann.until("document.body.dataset.state === 'connected'")
        await ann.evaluate("void (navigator.clipboard.writeText = () => Promise.reject(new Error('not here')))")
        await ann.click("#copy")
        words = await ann.until(COPIED)
        assert "whoever has it can join until" in words
        (link,) = [word for word in words.split() if word.startswith("http")]
        assert parse_qs(urlsplit(link).query) == {"room": [ROOM], "token": [token]}
        await bob.goto(f"{link}&name=bob&join=yes&media=no")
        await sees(ann, "bob")
        await ann.click("#leave")
        await enter(ann)
        await sees(bob, "ann")


async def test_a_link_promises_no_more_than_it_holds(browsers: Browsers) -> None:
    mine = join_token(SECRET, ROOM, id=Identity.generate().id)
    async with server() as here, browsers.pages(("chrome", address(here, "ann"))) as (page,):
        invitation = "import('/_fsm_rtc/page/invitation.js').then((it) => it.invitation(location.href, 'kitchen', %s))"
        bare = await page.evaluate(invitation % "''")
        assert "token=" not in bare["url"]
        assert "unless this server" in bare["words"]
        bound = await page.evaluate(invitation % f"'{mine}'")
        assert "token=" not in bound["url"]
        assert "your browser alone" in bound["words"]
        late = await page.evaluate(invitation % f"'{join_token(SECRET, ROOM)}', 4e9")
        assert "expired" in late["words"]
        odd = await page.evaluate(invitation % "'no.token.at all'")
        assert "while that is valid" in odd["words"]


async def test_the_form_and_the_call_can_be_used_by_keyboard_alone(browsers: Browsers) -> None:
    async with (
        server() as here,
        browsers.pages(("chrome", f"http://127.0.0.1:{here.port}/?media=no")) as (ann,),
        browsers.pages(("chrome", address(here, "bob"))) as (bob,),
    ):
        await ann.until("document.activeElement.id === 'room'")
        await ann.type("#room", ROOM)
        await ann.press("Tab")
        assert await ann.evaluate("document.activeElement.id") == "name"
        await ann.type("#name", "ann")
        for _ in range(2):
            await ann.press("Tab")
        assert await ann.evaluate("document.activeElement.id") == "enter"
        await ann.press("Enter")
        await sees(bob, "ann")
        assert await ann.evaluate("document.activeElement.id") == "text"
        unnamed = """[...document.querySelectorAll("button, input, video")]
          .filter((one) => one.checkVisibility() && !one.textContent.trim() && !one.ariaLabel && !one.labels?.length)"""
        assert await ann.evaluate(f"{unnamed}.length") == 0, "each has a name for a screen reader"


@pytest.mark.parametrize("width", [320, 375])
async def test_nothing_is_cut_off_on_a_phone(browsers: Browsers, width: int) -> None:
    async with (
        server() as here,
        browsers.pages(("chrome", address(here, "ann" * 40, media=True))) as (ann,),
        browsers.pages(("chrome", address(here, "bob"))) as (bob,),
    ):
        await sees(bob, "ann" * 40)
        await ann.viewport(width, 740)
        await ann.click("#copy")
        assert await ann.evaluate("document.documentElement.scrollWidth") == width
