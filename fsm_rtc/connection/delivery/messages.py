"""Messages of the data channel on their way to the user: by callback, and by ``async for``.

Until somebody wants them the first messages are kept. A chat message is ``{"type": "chat", "message": …}``, as
documented; what the other side sends is never trusted to be one.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import weakref
from collections import deque
from collections.abc import Callable

from fsm_rtc.connection.streams import Stream, StreamReader
from fsm_rtc.engine import doors

__all__ = ["Delivery", "DeliveryReader", "MessageReader", "Messages", "chat_message", "chat_text"]

logger = logging.getLogger("fsm_rtc.connection")

KEPT_MESSAGES = 1024
"""How many messages are kept while nobody wants them; the oldest go first."""


class Delivery:
    """A message that came, to be acknowledged when the application is done with it.

    Args:
        id: the sender's stream, a dot and the number in it: the same whenever it is delivered again; empty where the
            other side doesn't number its messages.
        data: the message.
        acknowledge: tells the sender's side.

    Attributes:
        is_acknowledged: whether `ack` was called.
    """

    __slots__ = ("_acknowledge", "data", "id", "is_acknowledged")

    def __init__(self, id: str, data: str | bytes, acknowledge: Callable[[], None] | None = None) -> None:  # noqa: A002 - the field's own name
        self.id = id
        self.data = data
        self.is_acknowledged = False
        self._acknowledge = acknowledge

    def ack(self) -> None:
        """Be done with it: it is never delivered again. Without this it is, by the next reader or the next run.

        Raises:
            SnapshotError: that can't be kept where the call is; it may be tried again.
        """
        if not self.is_acknowledged:
            if self._acknowledge is not None:
                self._acknowledge()
            self.is_acknowledged = True

    def __repr__(self) -> str:
        return f"<Delivery {self.id or 'without id'}, {len(self.data)} long>"


class MessageReader:
    """``async for message in reader``: text and bytes; each is acknowledged when the next one is asked for.

    Holds up to `capacity` messages for a slow reader; then each new one pushes out the oldest. It ends, after the last
    message, when the connection is closed. Cancelling it loses nothing.
    """

    def __init__(self, deliveries: StreamReader[Delivery]) -> None:
        self._deliveries = deliveries
        self._last: list[Delivery] = []

    @property
    def dropped(self) -> int:
        """How many messages were pushed out."""
        return self._deliveries.dropped

    def __aiter__(self) -> MessageReader:
        return self

    async def __anext__(self) -> str | bytes:
        _acknowledge_all(self._last)
        delivery = await anext(self._deliveries)
        self._last.append(delivery)
        return delivery.data


class DeliveryReader:
    """``async for delivery in reader``: each is yours until you call its `ack`; see `Delivery`.

    Those that were not acknowledged when the reader is let go of are for the next one.
    """

    def __init__(self, deliveries: StreamReader[Delivery]) -> None:
        self._deliveries = deliveries
        self._taken: list[Delivery] = []

    @property
    def dropped(self) -> int:
        """How many were pushed out, by an other side that doesn't wait for acknowledgements."""
        return self._deliveries.dropped

    def __aiter__(self) -> DeliveryReader:
        return self

    async def __anext__(self) -> Delivery:
        delivery = await anext(self._deliveries)
        self._taken[:] = [one for one in self._taken if not one.is_acknowledged]
        self._taken.append(delivery)
        return delivery


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
        self._stream: Stream[Delivery] = Stream("messages")
        self._kept: deque[Delivery] = deque()
        self._gone: deque[Callable[[], None]] = deque()

    def received(self, message: str | bytes) -> None:
        """A message came that nobody numbers."""
        self.deliver(Delivery("", message))

    def deliver(self, delivery: Delivery) -> None:
        """A message came."""
        self._see_who_is_gone()
        if self._callbacks or self._stream.has_readers:
            self._stream.put(delivery)
            for callback in self._callbacks:
                _call(callback, delivery)
        else:
            self._keep(delivery)

    def on_message(self, callback: Callable[[str | bytes], object]) -> Callable[[], None]:
        """Call `callback` with each message until the returned function is called."""
        doors.callback(callback, "this callback", "use: async for message in store.messages()")

        def call(message: str | bytes) -> None:
            callback(message)

        self._see_who_is_gone()
        self._callbacks = (*self._callbacks, call)
        while self._kept:
            _call(call, self._kept.popleft())

        def unsubscribe() -> None:
            self._callbacks = tuple(one for one in self._callbacks if one is not call)

        return unsubscribe

    def reader(self, capacity: int) -> MessageReader:
        """A reader of the messages from now on, and of those that were kept."""
        deliveries = self._deliveries(capacity)
        reader = MessageReader(deliveries)
        self._when_gone(reader, deliveries, done=reader._last, back=[])
        return reader

    def deliveries(self, capacity: int) -> DeliveryReader:
        """A reader of the messages from now on, and of those that were kept, which acknowledges by hand."""
        deliveries = self._deliveries(capacity)
        reader = DeliveryReader(deliveries)
        self._when_gone(reader, deliveries, done=[], back=reader._taken)
        return reader

    def end(self) -> None:
        """The connection is over: every reader ends after its last message."""
        self._stream.end_readers()

    def end_for_good(self) -> None:
        """There will be no other connection either: a reader to come gets what was kept, and ends."""
        self._stream.end()

    def take_unread(self) -> tuple[Delivery, ...]:
        """What was kept, since nobody has wanted it: another call's now."""
        self._see_who_is_gone()
        unread = tuple(delivery for delivery in self._kept if delivery.id and not delivery.is_acknowledged)
        self._kept = deque(delivery for delivery in self._kept if not delivery.id)
        return unread

    def forget(self) -> None:
        """Drop what was kept for nobody."""
        self._see_who_is_gone()
        self._kept.clear()

    def _deliveries(self, capacity: int) -> StreamReader[Delivery]:
        self._see_who_is_gone()
        kept = tuple(delivery for delivery in self._kept if not delivery.is_acknowledged)
        self._kept.clear()
        return self._stream.reader(capacity, kept, Delivery.ack)

    def _keep(self, delivery: Delivery) -> None:
        if len(self._kept) == KEPT_MESSAGES:
            self._kept.popleft().ack()
        self._kept.append(delivery)

    def _when_gone(
        self,
        reader: MessageReader | DeliveryReader,
        deliveries: StreamReader[Delivery],
        *,
        done: list[Delivery],
        back: list[Delivery],
    ) -> None:
        """When the reader is let go of: `done` is acknowledged; `back`, and what it hasn't taken, is for the next."""

        def gone() -> None:
            self._stream.remove(deliveries)
            _acknowledge_all(done)
            for delivery in (*back, *deliveries.waiting):
                if not delivery.is_acknowledged:
                    self._keep(delivery)

        # the collector calls on any thread, between any two instructions, even when no loop runs any more
        weakref.finalize(reader, _note_gone, gone, self._gone, self._see_who_is_gone, _running_loop()).atexit = False

    def _see_who_is_gone(self) -> None:
        while self._gone:
            self._gone.popleft()()


def _note_gone(
    gone: Callable[[], None],
    noted: deque[Callable[[], None]],
    see: Callable[[], None],
    loop: asyncio.AbstractEventLoop | None,
) -> None:
    noted.append(gone)
    if loop is not None:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(see)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _acknowledge_all(deliveries: list[Delivery]) -> None:
    while deliveries:
        deliveries.pop().ack()


def _call(callback: Callable[[str | bytes], object], delivery: Delivery) -> None:
    try:
        callback(delivery.data)
    except Exception:
        logger.exception("a callback for messages raised")
    delivery.ack()
