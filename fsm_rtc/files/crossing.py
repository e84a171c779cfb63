"""A file over a `Connection`: `send_file` on one side, `receive_file` on the other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

from fsm_rtc.connection import Connection
from fsm_rtc.connection.events import Ended, Ready
from fsm_rtc.engine.doors import finite_seconds, told
from fsm_rtc.errors import ConnectionFailedError
from fsm_rtc.files.folder import ReceivingFolder
from fsm_rtc.files.progress import FileProgress
from fsm_rtc.files.receiver import FileReceiver
from fsm_rtc.files.sender import FileSender
from fsm_rtc.files.source import FileSource
from fsm_rtc.files.wire import FileMessage, FileOffer, encode
from fsm_rtc.messages import EndCode

__all__ = ["receive_file", "send_file"]

LAST_WORDS_SECONDS = 1.0
"""How long a sender that is stopped waits until it could say so; one who is lost doesn't hear it."""


async def send_file(
    connection: Connection, source: FileSource, tell: Callable[[FileProgress], object] = lambda _: None
) -> None:
    """Send a file, until the other side has confirmed its checksum; needs all of the connection's messages.

    The other side may be killed and come again: then the file goes on from where it is there.

    Args:
        connection: open; it need not be ready yet.
        source: the file.
        tell: is told what becomes of it.

    Raises:
        FileTransferError: the other side refuses it, or it was changed or can't be read.
        ConnectionFailedError: the connection was closed before.
        TypeError: the source is none.
    """
    if not isinstance(source, FileSource):
        raise TypeError(f"the file to send is {told(source)}; give await FileSource.of(path)")
    sender = FileSender(source, _over(connection), tell)
    events, messages = connection.events(), connection.messages()

    async def follow() -> None:
        if connection.is_ready:
            await sender.on_ready()
        async for event in events:
            if isinstance(event, Ready):
                await sender.on_ready()
        await _nothing()

    async def hear() -> None:
        async for message in messages:
            await sender.take(message)
        raise ConnectionFailedError("the connection was closed before the file was there; send it again")

    try:
        await _first_of(sender.run(), follow(), hear())
    except asyncio.CancelledError:
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS_SECONDS):
                await sender.withdraw()
        raise


async def receive_file(
    connection: Connection,
    folder: ReceivingFolder,
    tell: Callable[[FileProgress], object] = lambda _: None,
    *,
    admit: Callable[[FileOffer], Awaitable[None]] | None = None,
    linger_seconds: float = 5.0,
) -> Path:
    """Receive the file that the other side offers, and say where it is; needs all of the connection's messages.

    The other side may be killed and come again: then the file goes on from where it is here.

    Args:
        connection: open; it need not be ready yet.
        folder: where it is to lie.
        tell: is told what becomes of it.
        admit: is asked about each offer; raises `FileTransferError` to refuse it.
        linger_seconds: how long to wait until the other side has heard that the file is there, and has ended the call;
            one that didn't hear it asks again.

    Raises:
        FileTransferError: it can't be received.
        ConnectionFailedError: the connection was closed before.
        TypeError: the folder is none, or `linger_seconds` no time.
    """
    if not isinstance(folder, ReceivingFolder):
        raise TypeError(f"the folder to receive into is {told(folder)}; give ReceivingFolder(path)")
    finite_seconds(linger_seconds, "linger_seconds", TypeError)
    receiver = FileReceiver(folder, _over(connection), tell, admit)
    events, deliveries = connection.events(), connection.deliveries()

    async def hear() -> None:
        async for delivery in deliveries:
            if receiver.path is not None and receiver.is_offer_of_another(delivery.data):
                return  # not acknowledged, it is for who receives that one
            try:
                await receiver.take(delivery.data)
            finally:
                delivery.ack()
            if receiver.path is not None and limit.when() is None:
                limit.reschedule(asyncio.get_running_loop().time() + linger_seconds)
        failure = connection.failure
        if failure is not None and failure.by_peer and failure.end_code is EndCode.CLOSED:
            await receiver.on_goodbye()

    async def linger() -> None:
        async for event in events:
            if isinstance(event, Ended) and receiver.path is not None:
                return
        await _nothing()

    try:
        async with asyncio.timeout(None) as limit:
            await _first_of(hear(), linger())
    except TimeoutError:
        pass
    finally:
        await receiver.aclose()
    if receiver.path is None:
        raise ConnectionFailedError("the connection was closed before the file was there; receive it again")
    return receiver.path


def _over(connection: Connection) -> Callable[[FileMessage], Coroutine[Any, Any, None]]:
    async def send(message: FileMessage) -> None:
        await connection.send(encode(message))

    return send


async def _nothing() -> None:
    """The connection is closed, and the reader of messages ends too; but behind the last one."""
    await asyncio.get_running_loop().create_future()


async def _first_of(*works: Coroutine[Any, Any, None]) -> None:
    """Do all until one is done, and what it raised is raised; the others are cancelled. Of several the first counts."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        over = next(task for task in tasks if task.done())
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    over.result()
