"""Messages of the data channel on their way to the user: by callback, and by ``async for``.

Until somebody wants them the first messages are kept. A chat message is ``{"type": "chat", "message": …}``, as
documented; what the other side sends is never trusted to be one.
"""

from __future__ import annotations

import inspect
import json
import logging
from collections import deque
from collections.abc import Callable

from fsm_rtc.connection.streams import Stream, StreamReader

__all__ = ["MessageReader", "Messages", "chat_message", "chat_text"]

logger = logging.getLogger("fsm_rtc.connection")

MessageReader = StreamReader[str | bytes]
"""``async for message in store.messages()``."""

KEPT_MESSAGES = 1024
"""How many messages are kept while nobody wants them; the oldest go first."""


def chat_message(text: str) -> str:
    """The documented chat payload as JSON text.

    Raises:
        TypeError: `text` is no string.
    """
    if not isinstance(text, str):
        raise TypeError(f"a chat message is text, not {type(text).__name__}")
    return json.dumps({"type": "chat", "message": text})


def chat_text(message: str | bytes) -> str | None:
    """What a chat message says, or None if it is something else; never raises."""
    try:
        payload = json.loads(message)
    except (ValueError, TypeError, RecursionError):
        return None
    if not isinstance(payload, dict) or payload.get("type") != "chat":
        return None
    text = payload.get("message")
    return text if isinstance(text, str) else None


class Messages:
    """Hands each message to every callback and every reader."""

    def __init__(self) -> None:
        self._callbacks: tuple[Callable[[str | bytes], object], ...] = ()
        self._stream: Stream[str | bytes] = Stream("messages")
        self._kept: deque[str | bytes] = deque(maxlen=KEPT_MESSAGES)

    def received(self, message: str | bytes) -> None:
        """A message came."""
        if not self._callbacks and not self._stream.has_readers:
            self._kept.append(message)
        for callback in self._callbacks:
            _call(callback, message)
        self._stream.put(message)

    def on_message(self, callback: Callable[[str | bytes], object]) -> Callable[[], None]:
        """Call `callback` with each message until the returned function is called."""
        if inspect.iscoroutinefunction(callback):
            raise TypeError(
                "this callback is a coroutine function, which nobody would await; use: "
                "async for message in store.messages()"
            )

        def call(message: str | bytes) -> None:
            callback(message)

        self._callbacks = (*self._callbacks, call)
        while self._kept:
            _call(call, self._kept.popleft())

        def unsubscribe() -> None:
            self._callbacks = tuple(one for one in self._callbacks if one is not call)

        return unsubscribe

    def reader(self, capacity: int) -> MessageReader:
        """A reader of the messages from now on, and of those that were kept."""
        reader = self._stream.reader(capacity, self._kept)
        self._kept.clear()
        return reader

    def end(self) -> None:
        """The connection is over: every reader ends after its last message."""
        self._stream.end_readers()

    def end_for_good(self) -> None:
        """There will be no other connection either: a reader to come gets what was kept, and ends."""
        self._stream.end()

    def forget(self) -> None:
        """Drop what was kept for nobody."""
        self._kept.clear()


def _call(callback: Callable[[str | bytes], object], message: str | bytes) -> None:
    try:
        callback(message)
    except Exception:
        logger.exception("a callback for messages raised")
