"""Real browsers, driven from Python: a Node process with puppeteer-core, one for all tests of a session."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

__all__ = ["PACKAGE", "Browsers", "DrivingError", "Page", "missing_browsers"]

FOLDER = Path(__file__).parent
PACKAGE = "puppeteer-core@24.43.1"
LIMIT_SECONDS = 60.0
MAX_LINE_BYTES = 16 * 1024 * 1024

EXECUTABLES = {"chrome": ("chromium", "chromium-browser"), "firefox": ("firefox-esr", "firefox")}


def missing_browsers() -> str:
    """Which browsers the machine lacks, in words; empty if it has both."""
    return ", ".join(names[0] for names in EXECUTABLES.values() if not any(map(shutil.which, names)))


@dataclass(frozen=True)
class Launch:
    """How an instance of a browser differs from the usual one.

    Attributes:
        without: the arguments of Chromium that it does without, by their beginnings.
        besides: the arguments of Chromium that it has besides.
        prefs: the preferences of Firefox that it has besides.
    """

    without: tuple[str, ...] = ()
    besides: tuple[str, ...] = ()
    prefs: Mapping[str, object] = field(default_factory=dict)


FAKE_DEVICES = "--use-fake-device-for-media-stream"
LAUNCHES = {
    "asking": Launch(
        without=("--use-fake-ui-for-media-stream",),
        prefs={
            "media.navigator.permission.disabled": False,
            "permissions.default.camera": 2,  # denied
            "permissions.default.microphone": 1,
        },
    ),
    "cameraless": Launch(without=(FAKE_DEVICES,), besides=(f"{FAKE_DEVICES}=device-count=0",)),
    "forgetful": Launch(prefs={"network.cookie.cookieBehavior": 2}),  # no storage
    "quiet": Launch(without=("--autoplay-policy",), prefs={"media.autoplay.default": 1}),
}


class DrivingError(Exception):
    """The browser did not do it."""


@dataclass(frozen=True)
class Page:
    """A tab with cookies and storage of its own.

    Attributes:
        browsers: which drive it.
        number: its number there.
    """

    browsers: Browsers
    number: int

    async def evaluate(self, code: str) -> Any:
        """The value of an expression; a promise is awaited."""
        return await self._do("evaluate", code=code)

    async def until(self, code: str, seconds: float = LIMIT_SECONDS) -> Any:
        """Wait until an expression holds; its value.

        Raises:
            DrivingError: it doesn't in time; the page's status and console are told.
        """
        try:
            return await self._do("until", code=code, seconds=seconds)
        except DrivingError as late:
            text = await self.evaluate("document.body.innerText")
            raise DrivingError(f"{code!r}: {late}; the page says {text!r}; {await self.told()}") from late

    async def click(self, selector: str) -> None:
        """Click on something."""
        await self._do("click", selector=selector)

    async def type(self, selector: str, text: str) -> None:
        """Type into something."""
        await self._do("type", selector=selector, text=text)

    async def press(self, key: str) -> None:
        """Press a key."""
        await self._do("press", key=key)

    async def reload(self) -> None:
        """Load it anew."""
        await self._do("reload")

    async def tells(self, line: str) -> None:
        """Wait until its console gets this; nothing is evaluated in the page for it."""
        await self._do("tells", line=line, seconds=LIMIT_SECONDS)

    async def told(self) -> list[str]:
        """What its console got, and what it didn't catch."""
        told: list[str] = await self._do("told")
        return told

    async def screenshot(self, path: Path) -> None:
        """A picture of it, as PNG."""
        await self._do("screenshot", path=str(path))

    async def beside(self, url: str) -> Page:
        """Another tab of the same profile; closed with this one."""
        return Page(self.browsers, await self._do("beside", url=url))

    @asynccontextmanager
    async def frozen(self) -> AsyncIterator[None]:
        """Of Chromium: let the tab stand still within the block, as one that nobody looks at."""
        await self._do("lifecycle", state="frozen")
        try:
            yield
        finally:
            await self._do("lifecycle", state="active")

    async def front(self) -> None:
        """Show it in front of the other tabs: one behind can't be clicked on."""
        await self._do("front")

    async def before(self, code: str) -> None:
        """Run this in each document that is loaded from now on, before its own scripts."""
        await self._do("before", code=code)

    async def goto(self, url: str) -> None:
        """Load something else."""
        await self._do("goto", url=url)

    async def permission(self, name: str, setting: str) -> None:
        """Of Chromium: let its user answer ``granted`` or ``denied`` when the page asks for ``camera``, say."""
        await self._do("permission", name=name, setting=setting)

    async def offline(self, is_offline: bool) -> None:
        """Take the network away from the page, or give it back."""
        await self._do("offline", isOffline=is_offline)

    async def viewport(self, width: int, height: int) -> None:
        """Give it another size, in CSS pixels."""
        await self._do("viewport", width=width, height=height)

    async def colours(self, scheme: str) -> None:
        """Let the user prefer ``dark`` or ``light``."""
        await self._do("colours", scheme=scheme)

    async def close(self) -> None:
        """Close the tab."""
        await self._do("close")

    async def _do(self, command: str, **rest: Any) -> Any:
        return await self.browsers.do(command, page=self.number, **rest)


class Browsers:
    """The driver, while its ``async with`` block runs; browsers are launched when first used.

    Args:
        folder: where its package is.
        by: what starts it, such as ``ip netns exec NAME``.
        preferences: of Firefox, besides those that every test wants.
    """

    def __init__(self, folder: Path, *, by: Sequence[str] = (), preferences: Mapping[str, Any] | None = None) -> None:
        self._folder = folder
        self._by = by
        self._preferences = dict(preferences or {})
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._launched: dict[str, int] = {}
        self._launching = asyncio.Lock()

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *self._by,
            "node",
            str(FOLDER / "driver.mjs"),
            str(self._folder),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            limit=MAX_LINE_BYTES,
            env=dict(os.environ),
        )
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(LIMIT_SECONDS):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._reading

    async def do(self, command: str, **rest: Any) -> Any:
        """Let the driver do something; what comes of it."""
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"id": number, "command": command, **rest}).encode() + b"\n")
        async with asyncio.timeout(2 * LIMIT_SECONDS):
            return await answer

    async def open(self, browser: str, url: str) -> Page:
        """A new tab of ``chrome`` or ``firefox``, in a profile of its own.

        ``chrome:NAME`` is another instance, which can be stopped alone; `LAUNCHES` has what some names mean besides.
        """
        async with self._launching:
            if browser not in self._launched:
                kind, _, name = browser.partition(":")
                executable = next(filter(None, map(shutil.which, EXECUTABLES[kind])))
                launch = asdict(LAUNCHES.get(name, Launch()))
                launch["prefs"] = {**self._preferences, **launch["prefs"]}
                self._launched[browser] = await self.do("launch", browser=kind, executable=executable, **launch)
        return Page(self, await self.do("open", browser=self._launched[browser], url=url))

    @asynccontextmanager
    async def asleep(self, browser: str) -> AsyncIterator[None]:
        """Let no process of this instance run within the block, as when a laptop's lid is closed."""
        await self.do("stop", browser=self._launched[browser])
        try:
            yield
        finally:
            await self.do("go", browser=self._launched[browser])

    @asynccontextmanager
    async def pages(self, *places: tuple[str, str]) -> AsyncIterator[list[Page]]:
        """Several tabs, each (browser, address); closed behind the block."""
        async with AsyncExitStack() as stack:
            opened = []
            for browser, url in places:
                page = await self.open(browser, url)
                stack.push_async_callback(_closed, page)
                opened.append(page)
            yield opened

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            told = json.loads(line)
            answer = self._answers.pop(told["id"])
            if answer.done():
                continue
            if "error" in told:
                answer.set_exception(DrivingError(told["error"]))
            else:
                answer.set_result(told["result"])
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(DrivingError("the driver has ended"))


async def _closed(page: Page) -> None:
    with contextlib.suppress(DrivingError):  # the test may have closed it
        await page.close()
