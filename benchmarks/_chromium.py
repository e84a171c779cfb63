"""Chromium with a page of ours, driven over its DevTools protocol: for a benchmark, and for the tests of that page."""

import asyncio
import base64
import itertools
import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect

from fsm_rtc.conformance.adapters.chromium import FLAGS, PROGRAMS

__all__ = ["Page", "chromium", "is_installed"]

START_SECONDS = 30.0
LIMIT_SECONDS = 60.0

program = next(
    (found for name in (os.environ.get("FSM_RTC_CHROMIUM", ""), *PROGRAMS) if (found := shutil.which(name))), None
)


def is_installed() -> bool:
    """Whether there is one; in continuous integration there must be."""
    return program is not None or bool(os.environ.get("CI"))


class Page:
    """One page of a browser."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._awaited: list[tuple[str, Callable[[dict[str, Any]], bool], asyncio.Future[dict[str, Any]]]] = []
        self.errors: list[str] = []
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def of(cls, port: int) -> Self:
        """The first page of the browser that has this debugging port."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET /json/list HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        body = await reader.readexactly(length)
        writer.close()
        await writer.wait_closed()
        address = next(one["webSocketDebuggerUrl"] for one in json.loads(body) if one["type"] == "page")
        page = cls(await connect(address, max_size=None, compression=None))
        for domain in ("Page", "Runtime", "Log", "Performance"):
            await page.send(f"{domain}.enable")
        return page

    async def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Ask something of the browser."""
        number = next(self._numbers)
        self._answers[number] = answer = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        return await asyncio.wait_for(answer, LIMIT_SECONDS)

    async def _read(self) -> None:
        async for text in self._socket:
            message = json.loads(text)
            if "id" in message:
                answer = self._answers.pop(message["id"])
                if not answer.done():
                    answer.set_result(message.get("result", {"failed": message.get("error")}))
                continue
            for method, condition, awaited in self._awaited:
                if method == message["method"] and not awaited.done() and condition(message["params"]):
                    awaited.set_result(message["params"])
            if message["method"] == "Runtime.exceptionThrown":
                details = message["params"]["exceptionDetails"]
                self.errors.append(details.get("exception", {}).get("description", details["text"]))
            elif message["method"] == "Log.entryAdded" and message["params"]["entry"]["level"] == "error":
                self.errors.append(f"{message['params']['entry']['text']} {message['params']['entry'].get('url', '')}")

    def next(self, method: str, condition: Callable[[dict[str, Any]], bool]) -> asyncio.Future[dict[str, Any]]:
        """The parameters of the next such event."""
        awaited: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._awaited.append((method, condition, awaited))
        return awaited

    async def open(self, url: str) -> None:
        """Go to an address."""
        await self.send("Page.navigate", url=url)

    async def value(self, expression: str) -> Any:
        """What a JavaScript expression is in the page; a promise's when it is settled."""
        answer = await self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise AssertionError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    async def until(self, expression: str) -> Any:
        """Wait until an expression is true in the page; what it then is."""
        polling = f"new Promise(done => {{ const look = () => {{ const is = {expression}; " + (
            "if (is) done(is); else requestAnimationFrame(look); }; look(); })"
        )
        return await self.value(polling)

    async def key(self, name: str) -> None:
        """Press a key, and let it go."""
        for kind in ("keyDown", "keyUp"):
            await self.send("Input.dispatchKeyEvent", type=kind, key=name, code=name)

    async def picture(self, path: Path) -> None:
        """Write what is seen as PNG."""
        answer = await self.send("Page.captureScreenshot", format="png")
        await asyncio.to_thread(path.write_bytes, base64.b64decode(answer["data"]))

    async def aclose(self) -> None:
        await self._socket.close()
        await self._reader


@asynccontextmanager
async def chromium(*, width: int = 1500, height: int = 950) -> AsyncIterator[Page]:
    """A page of a Chromium with a fresh profile, while the block runs."""
    assert program is not None, "Chromium is not installed"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        process = await asyncio.create_subprocess_exec(
            *(program, *FLAGS, "--remote-debugging-port=0", f"--window-size={width},{height}"),
            *(f"--user-data-dir={folder}", "about:blank"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stderr is not None
        try:
            async with asyncio.timeout(START_SECONDS):
                while b"DevTools listening on" not in (line := await process.stderr.readline()):
                    assert line, "Chromium ended"
            port = int(line.decode().split("://")[1].split("/")[0].rpartition(":")[2])
            rest = asyncio.create_task(process.stderr.read())
            page = await Page.of(port)
            try:
                yield page
            finally:
                await page.aclose()
        finally:
            process.terminate()
            await process.wait()
        await rest
