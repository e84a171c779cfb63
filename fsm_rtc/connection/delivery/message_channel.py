"""MessageChannel: the messages of a call over its data channel, the present one.

On a channel with the protocol ``fsm-rtc.1`` they go by a `ReliableStream`: numbered, acknowledged, sent again on the
next channel. On any other they go as they are, once, or not at all.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from functools import partial

from fsm_rtc.connection.delivery.frames import CHANNEL_PROTOCOL, StreamGoodbye, size_of
from fsm_rtc.connection.delivery.message_store import MessageStore
from fsm_rtc.connection.delivery.messages import Messages
from fsm_rtc.connection.delivery.reliable_stream import ReliableStream
from fsm_rtc.errors import ChannelClosedError
from fsm_rtc.peer.data_channel import DataChannel
from fsm_rtc.peer.machine_set import MachineSet

__all__ = ["MessageChannel"]

logger = logging.getLogger("fsm_rtc.connection")

ACKNOWLEDGE_WITHIN_SECONDS = 0.02
"""So long an acknowledgement waits for others."""


class MessageChannel:
    """See the module.

    Args:
        machines: makes the conversations' machines.
        messages: to whom the messages of the peer are handed.
        store: the messages with each peer that are not done with.
        is_shared: whether other calls have it too, so that one of them may go on where this one ends.

    Attributes:
        channel: the present data channel, or None.
        heard_at: when something came from the peer the last time, by the loop's clock; None on this channel yet.
    """

    def __init__(
        self, machines: MachineSet, messages: Messages, store: MessageStore | None = None, *, is_shared: bool = False
    ) -> None:
        self._store = store if store is not None else MessageStore()
        self._is_shared = is_shared
        self._machines = machines
        self._messages = messages
        self._conversations = 0
        self._peer = ""
        self._refused: Counter[str] = Counter()
        self._conversation: ReliableStream | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._moved = asyncio.Event()
        self.channel: DataChannel | None = None
        self.heard_at: float | None = None

    @property
    def is_ready(self) -> bool:
        """Whether messages go through: the channel is open and, where it has greetings, both sides have greeted."""
        if self.channel is None or not self.channel.machine.permits("send"):
            return False
        return not self.is_numbered or (self._conversation is not None and self._conversation.is_flowing)

    @property
    def is_numbered(self) -> bool:
        """Whether the present channel carries numbered messages."""
        return self.channel is not None and self.channel.options.protocol == CHANNEL_PROTOCOL

    @property
    def goodbye(self) -> StreamGoodbye | None:
        """How the peer ended the call, if it has said so on the channel."""
        return self._conversation.goodbye if self._conversation is not None else None

    @property
    def refused(self) -> Counter[str]:
        """What of the peers' frames was refused, by why."""
        return self._refused + (self._conversation.refused if self._conversation is not None else Counter())

    # The call.

    def begin(self, peer: str) -> None:
        """A call with this peer, by its id, begins, or goes on with another session of it."""
        if peer != self._peer:
            self.fail()
            self._peer = peer

    def go_on(self, peer: str) -> None:
        """The call of another run goes on with this peer: what is sent waits for it from now on."""
        self.begin(peer)
        self._conversation = self._new_conversation()

    def leave_unread(self) -> None:
        """This call is being closed: what nobody has read waits for the next one with this peer."""
        if self._is_shared and self._peer:
            self._store.of(self._peer).unread.extend(self._messages.take_unread())

    def end(self) -> None:
        """The call is over, by this side's close or the peer's goodbye: what isn't delivered is dropped."""
        if self._peer:
            (self._conversation or self._new_conversation()).over()
        self.fail()

    def fail(self) -> None:
        """There is no call any more; what isn't delivered waits for the next one with this peer."""
        self._peer = ""
        if self._conversation is not None:
            self._conversation.let_go()
            self._refused.update(self._conversation.refused)
            self._conversation = None
        self._machines.forget(self._machine_name())
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._moved.set()

    # The channel.

    def follow(self, channel: DataChannel | None) -> None:
        """This is the call's data channel now, or its state has changed."""
        if channel is not self.channel:
            self._lost()
            self.channel = channel
            if channel is not None and self.is_numbered:
                channel.on("bufferedamountlow", self._flush)
        if channel is not None and self.is_numbered:
            if channel.machine.permits("send"):
                if self._conversation is None:
                    self._conversation = self._new_conversation()
                if self._conversation.machine.permits("on_open"):
                    self._conversation.channel_open()
                    self._flush()
            elif channel.machine.is_final:
                self._lost()
        self._moved.set()

    def received(self, frame: str | bytes) -> None:
        """Something came on the channel; a numbered one's frames behind the end of the call are the next call's."""
        self.heard_at = asyncio.get_running_loop().time()
        if not self.is_numbered:
            self._messages.received(frame)
        elif self._conversation is not None:
            self._conversation.received(frame)
            self._flush()
            self._moved.set()

    def ping(self) -> None:
        """Ask the peer whether it is there, where it would answer."""
        if self._conversation is not None and self.is_numbered:
            self._conversation.ping()
            self._flush()

    def _lost(self) -> None:
        self.heard_at = None
        if self._conversation is not None and self._conversation.machine.permits("on_lost"):
            self._conversation.channel_lost()

    # Messages.

    def send(self, message: str | bytes) -> None:
        """Send a message now, or, in a call whose channel is away, as soon as there is one again.

        Raises:
            ChannelClosedError: there is no call.
            TypeError, ValueError: it is no message.
        """
        if self._conversation is not None and (self.channel is None or self.is_numbered):
            if self.channel is not None and self.channel.machine.permits("send"):
                self.channel.check_size(size_of(message) + isinstance(message, bytes))  # before it counts as sent
            self._conversation.send(message)
            self._flush()
        elif self.channel is None:
            raise ChannelClosedError("there is no data channel yet; await wait_for_ready() before sending")
        else:
            self.channel.send(message)

    @property
    def is_congested(self) -> bool:
        """Whether a sender should wait."""
        if self._conversation is not None and (self.channel is None or self.is_numbered):
            return self._conversation.is_full
        channel = self.channel
        return channel is not None and bool(channel.machine.permits("send")) and not channel.flow.permits("send")

    async def drained(self) -> None:
        """Wait until a sender need not wait any longer, or there is nobody to send to."""
        while self.is_congested:
            forget = self.channel.on("bufferedamountlow", self._moved.set) if self.channel is not None else None
            try:
                self._moved.clear()
                await self._moved.wait()
            finally:
                if forget is not None:
                    forget()

    async def delivered(self) -> None:
        """Wait until the peer is done with all that was sent.

        Raises:
            ChannelClosedError: the call ended before.
        """
        conversation = self._conversation
        while conversation is not None and conversation.unacknowledged:
            self._moved.clear()
            await self._moved.wait()
            if self._conversation is not conversation:
                raise ChannelClosedError("the call has ended, and the other side has not confirmed all that was sent")

    async def finish(self, reason: str, patience_seconds: float) -> None:
        """Let everything go out that was sent, and a goodbye behind it.

        Raises:
            TimeoutError: for so long nothing went out.
        """
        async with asyncio.timeout(patience_seconds) as patience:
            left = self._unsent
            while self._has_unsent:
                self._moved.clear()
                await self._moved.wait()
                if self._unsent < left:
                    left = self._unsent
                    patience.reschedule(asyncio.get_running_loop().time() + patience_seconds)
        self.say_goodbye(reason)

    def say_goodbye(self, reason: str, *, failed: bool = False) -> None:
        """Tell the peer that the call is over."""
        if self._conversation is not None:
            self._conversation.say_goodbye(reason, failed=failed)
            self._flush()

    @property
    def _has_unsent(self) -> bool:
        return self.is_ready and self._unsent > 0

    @property
    def _unsent(self) -> int:
        return self._conversation.unsent if self._conversation is not None else 0

    def _flush(self) -> None:
        """Send what is due, as much as the channel takes."""
        conversation, channel = self._conversation, self.channel
        if conversation is None or channel is None or not channel.machine.permits("send"):
            return
        try:
            for control in conversation.control_frames():
                channel.send(control)
            while channel.flow.permits("send") and (frame := conversation.next_frame()) is not None:
                channel.send(frame)
        except ChannelClosedError:
            pass  # the library closes it and hasn't told yet; what is not acknowledged goes over the next one
        except ValueError as too_long:
            # It was taken for an earlier channel, whose other side took longer ones. Without it nothing may follow.
            logger.error("a message waits for a peer that no longer takes it, and all behind it: %s", too_long)
            channel.close()
        self._moved.set()

    def _acknowledgement_due(self) -> None:
        if self._timer is None and self._conversation is not None:
            self._timer = asyncio.get_running_loop().call_later(ACKNOWLEDGE_WITHIN_SECONDS, self._acknowledge)

    def _acknowledge(self) -> None:
        self._timer = None
        if self._conversation is not None:
            self._conversation.acknowledge()
            self._flush()

    def _new_conversation(self) -> ReliableStream:
        self._conversations += 1
        peer = self._peer
        messages = self._store.of(peer)
        while messages.unread:
            self._messages.deliver(messages.unread.popleft())
        return ReliableStream(
            messages,
            self._machines,
            self._machine_name(),
            self._messages.deliver,
            self._acknowledgement_due,
            partial(self._store.forget, peer),
        )

    def _machine_name(self) -> str:
        return "deliveries" if self._conversations == 1 else f"deliveries#{self._conversations}"
