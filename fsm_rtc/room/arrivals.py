"""The connections of a room as they come, for ``async for``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from fsm_rtc.connection.streams import StreamReader
from fsm_rtc.errors import ConnectionFailedError

if TYPE_CHECKING:
    from fsm_rtc.connection.connection import Connection

__all__ = ["ArrivalReader"]


class ArrivalReader:
    """``async for connection in reader``; ends when the room is closed. Cancelling it loses nothing.

    Args:
        reader: what is read.
        failure: why the signalling was given up, or None.
    """

    def __init__(self, reader: StreamReader[Connection], failure: Callable[[], Exception | None]) -> None:
        self._reader = reader
        self._failure = failure

    @property
    def dropped(self) -> int:
        """How many connections were pushed out because too many waited; they stand all the same."""
        return self._reader.dropped

    def __aiter__(self) -> ArrivalReader:
        return self

    async def __anext__(self) -> Connection:
        """The next connection.

        Raises:
            ConnectionFailedError: the signalling was given up, so nobody will come any more.
        """
        try:
            return await anext(self._reader)
        except StopAsyncIteration:
            failure = self._failure()
            if failure is None:
                raise
        raise ConnectionFailedError(f"the signalling was given up: {failure}") from failure
