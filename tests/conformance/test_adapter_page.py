"""The adapter's page is served to the one browser that was told its address."""

import urllib.request
from asyncio import create_task, to_thread
from collections.abc import AsyncIterator
from urllib.error import HTTPError
from urllib.parse import urldefrag

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from fsm_rtc.conformance.adapters.page import Page
from fsm_rtc.errors import AdapterError

pytestmark = pytest.mark.live


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    async with Page("my stack") as served:
        yield served


async def got(url: str) -> tuple[str, str]:
    """The content type and the text of a plain GET."""

    def get() -> tuple[str, str]:
        with urllib.request.urlopen(url) as response:
            return response.headers["Content-Type"], response.read().decode()

    return await to_thread(get)


def socket_of(page: Page) -> str:
    return urldefrag(page.url).url.replace("http", "ws") + "lines"


async def test_it_serves_the_page_and_the_scripts(page: Page) -> None:
    assert urldefrag(page.url).fragment == "my%20stack"
    kind, text = await got(page.url)
    assert kind.startswith("text/html")
    assert "createAdapter" in text
    for script in ("adapter.js", "adapted_peer.js"):
        kind, text = await got(urldefrag(page.url).url + script)
        assert kind.startswith("text/javascript")
        assert "export" in text


@pytest.mark.parametrize("path", ["/", "/adapter.js", "/guessed/", "/guessed/adapter.js"])
async def test_who_does_not_know_the_secret_gets_nothing(page: Page, path: str) -> None:
    host = page.url.split("/")[2]
    with pytest.raises(HTTPError, match="404") as refused:
        await got(f"http://{host}{path}")
    refused.value.close()
    with pytest.raises(InvalidStatus, match="404"):
        await connect(f"ws://{host}/guessed/lines")


async def test_beside_the_secret_there_are_only_its_own_files(page: Page) -> None:
    with pytest.raises(HTTPError, match="404") as refused:
        await got(urldefrag(page.url).url + "../adapters/page.py")
    refused.value.close()


async def test_only_one_can_open_the_socket(page: Page) -> None:
    async with connect(socket_of(page)):
        await page.is_open()
        with pytest.raises(InvalidStatus, match="404"):
            await connect(socket_of(page))


async def test_a_request_of_several_megabytes_is_asked_and_answered(page: Page) -> None:
    line = "x" * 5_000_000
    async with connect(socket_of(page), max_size=None) as browser:

        async def answer() -> None:
            await browser.send(await browser.recv())

        answering = create_task(answer())
        assert await page.ask(line) == line
        await answering


async def test_a_page_that_goes_is_told_with_its_reason(page: Page) -> None:
    async with connect(socket_of(page)) as browser:
        await page.is_open()
        await browser.close(4000, "TypeError: it can't")
    assert await page.is_gone() == "the adapter's script failed: TypeError: it can't"
    with pytest.raises(AdapterError, match="TypeError"):
        await page.ask("{}")
