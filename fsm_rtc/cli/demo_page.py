"""The inspector beside a running `fsm-rtc demo`: its peers are processes of their own, and tell what they record."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import typer

from fsm_rtc.cli.demo_call import DemoCall
from fsm_rtc.cli.inspecting import show
from fsm_rtc.cli.stopping import calls_when_stopped

__all__ = ["DemoPage"]

RECORDS = 100_000


class DemoPage:
    """The page of one call.

    Args:
        stays: whether it is served when the call is over, until Ctrl-C.
        err: whether its address is told on stderr.
    """

    def __init__(self, *, stays: bool, err: bool) -> None:
        self._stays = stays
        self._err = err

    @asynccontextmanager
    async def beside(self, call: DemoCall) -> AsyncIterator[None]:
        """Show in the browser what `call` tells, while the block runs.

        Raises:
            InspectorError: it can't be served.
        """
        from fsm_rtc.inspector import RecordLog, serve_inspector
        from fsm_rtc.messages import read_journal

        log = RecordLog(capacity=RECORDS)
        observe = call.observe

        def take(role: str, message: dict[str, Any]) -> None:
            if "record" in message:
                log.add(read_journal([message["record"].encode()]).records[0])
            observe(role, message)

        call.observe = take
        async with serve_inspector(log, name="fsm-rtc demo") as inspector:
            show(inspector, open_page=True, err=self._err)
            yield
            if self._stays:
                typer.echo("the call is over; the page is there until Ctrl-C", err=self._err)
                stop = asyncio.Event()
                with calls_when_stopped(stop.set):
                    await stop.wait()
