"""ReliableStream: the messages with one peer, each once and in order, over one data channel after the other. No
channel, clock or task.

What is sent is kept until the peer has acknowledged it, and goes out again on the next channel. What comes is handed
over once; it is acknowledged when its reader is done with it. What is kept is a `PeerMessages`, which outlives this.
Source: docs/delivery.md.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from typing import cast

from fsm_rtc.connection.delivery.frames import (
    Acknowledged,
    Control,
    Pong,
    StreamBegin,
    StreamGoodbye,
    StreamHello,
    StreamPing,
    data_frame,
    decode_frame,
    encode_control,
)
from fsm_rtc.connection.delivery.message_store import IncomingStream, PeerMessages
from fsm_rtc.connection.delivery.messages import Delivery
from fsm_rtc.engine import Accepted, Outcome
from fsm_rtc.errors import MessageError, Rejected
from fsm_rtc.machines.delivery import (
    AcceptAcknowledgement,
    BeginAt,
    Deliveries,
    ForgetMessages,
    Greet,
    HandOver,
    Resume,
    Skip,
)
from fsm_rtc.peer.machine_set import MachineSet

__all__ = ["MAX_UNACKNOWLEDGED_BYTES", "MAX_UNACKNOWLEDGED_MESSAGES", "ReliableStream"]

MAX_UNACKNOWLEDGED_MESSAGES = 1024
"""So many messages may wait for their acknowledgement; then sending waits."""

MAX_UNACKNOWLEDGED_BYTES = 8 * 1024 * 1024
"""So many bytes of them."""

ACKNOWLEDGE_AT_ONCE = 256
"""So many messages are acknowledged without waiting for more."""


class ReliableStream:
    """See the module. Of each frame that is to go out `control_frames` and `next_frame` give the bytes.

    Args:
        messages: what is not done with, either way; its streams' ids, a dot and a number are the messages' ids.
        machines: makes the machine.
        name: the machine's name.
        hand_over: called with each message of the peer.
        acknowledgement_due: called when there is something to acknowledge.
        forget: called when it is over in order, so that nothing of it is to be kept.

    Attributes:
        machine: the `Deliveries` machine.
        next_number: the number of the peer's next message on this channel; 0 while it hasn't said it.
        refused: what of the peer was no frame, or not in place, by why.
        goodbye: how the peer ended the call, or None while it hasn't.
    """

    def __init__(
        self,
        messages: PeerMessages,
        machines: MachineSet,
        name: str,
        hand_over: Callable[[Delivery], None],
        acknowledgement_due: Callable[[], None],
        forget: Callable[[], None] = lambda: None,
    ) -> None:
        self._messages = messages
        messages.on_done = self._done
        self.next_number = 0
        self.refused: Counter[str] = Counter()
        self.goodbye: StreamGoodbye | None = None
        self._hand_over = hand_over
        self._acknowledgement_due = acknowledgement_due
        self._forget = forget
        self._to_send_next = messages.first_waiting
        self._control: deque[Control] = deque()
        self._stream_name = ""
        self._acknowledged_to = 0
        self.machine = machines.make(Deliveries, name, self)

    # What the machine's guards read.

    @property
    def sent(self) -> int:
        return self._messages.sent

    @property
    def knows_stream(self) -> bool:
        return self._theirs is not None

    @property
    def peer_stream(self) -> str:
        return self._stream_name

    @property
    def handed_over(self) -> int:
        return self._theirs.handed_over if self._theirs is not None else 0

    @property
    def _theirs(self) -> IncomingStream | None:
        return self._messages.stream_of_peer(self._stream_name)

    # What it is.

    @property
    def is_flowing(self) -> bool:
        """Whether both sides have greeted each other on the present channel."""
        return bool(self.machine.permits("send"))

    @property
    def is_full(self) -> bool:
        """Whether so much waits for its acknowledgement that sending should wait."""
        messages = self._messages
        return messages.waiting >= MAX_UNACKNOWLEDGED_MESSAGES or messages.bytes_waiting >= MAX_UNACKNOWLEDGED_BYTES

    @property
    def unacknowledged(self) -> int:
        """How many messages wait for their acknowledgement."""
        return self._messages.waiting

    @property
    def unsent(self) -> int:
        """How many messages wait that haven't gone out on the present channel."""
        return self.sent - self._to_send_next + 1

    # What this side does.

    def send(self, message: str | bytes) -> int:
        """Take a message to be sent; its number.

        Raises:
            TypeError: it is neither text nor bytes.
            ValueError: it is too long.
            SnapshotError: it can't be kept.
        """
        return self._messages.add(message)

    def ping(self) -> None:
        """Ask whether the peer is there."""
        if self.is_flowing:
            self._control.append(StreamPing())

    def say_goodbye(self, reason: str, *, failed: bool) -> None:
        """Tell the peer that the call is over; nothing goes out behind it."""
        if self.is_flowing:
            self._control.append(StreamGoodbye(reason, failed))

    def acknowledge(self) -> None:
        """Let go out what there is to acknowledge."""
        theirs = self._theirs
        if self.is_flowing and theirs is not None and theirs.acknowledged > self._acknowledged_to:
            self._acknowledged_to = theirs.acknowledged
            self._control.append(Acknowledged(self._acknowledged_to))

    # What goes out.

    def control_frames(self) -> Iterator[bytes]:
        """The control frames that are due; each is given once."""
        while self._control:
            yield encode_control(self._control.popleft())

    def next_frame(self) -> str | bytes | None:
        """The next message that is to go out on the present channel, as a frame; None if there is none."""
        if not self.is_flowing or not self.unsent:
            return None
        message = self._messages.numbered(self._to_send_next)
        self._to_send_next += 1
        return data_frame(message)

    # What happens to the channel.

    def channel_open(self) -> None:
        """A channel is open: greet."""
        self._do(self.machine.fire("on_open"))

    def channel_lost(self) -> None:
        """There is no channel any more; another may come."""
        self.machine.fire("on_lost")
        self._control.clear()

    def over(self) -> None:
        """A side has said goodbye: what isn't delivered is dropped."""
        self._do(self.machine.fire("on_goodbye"))

    def let_go(self) -> None:
        """The call has failed, or goes on elsewhere: what isn't delivered waits for the next."""
        if self._messages.on_done == self._done:
            self._messages.on_done = None

    def received(self, frame: str | bytes) -> None:
        """A frame has come, whatever it holds. Never raises."""
        try:
            content = decode_frame(frame)
        except MessageError as error:
            self.refused[error.reason.value] += 1
            return
        match content:
            case StreamHello():
                self._greeted(content)
            case StreamBegin(number):
                self._do(self.machine.fire("on_begin", number))
            case Acknowledged(number):
                self._do(self.machine.fire("on_acknowledged", number))
            case StreamPing():
                self._control.append(Pong())
            case Pong():
                pass
            case StreamGoodbye():
                self.goodbye = content
            case _:
                self._do(self.machine.fire("on_message", content))

    def _greeted(self, hello: StreamHello) -> None:
        outcome = self.machine.fire("on_hello", _Heard(hello.received.get(self._messages.stream, 0), hello.stream))
        if isinstance(outcome, Accepted):
            self._stream_name = hello.stream
            self.next_number = 0
        self._do(outcome)

    def _do(self, outcome: Outcome) -> None:
        if isinstance(outcome, Rejected):
            self.refused[outcome.guard or outcome.reason.value] += 1
        for request in outcome.effects if isinstance(outcome, Accepted) else ():
            match request:
                case Greet():
                    self._control.appendleft(StreamHello(self._messages.stream, self._messages.received))
                case Resume(received):
                    self._acknowledged(received)
                    self._to_send_next = self._messages.first_waiting
                    self._control.append(StreamBegin(self._to_send_next))
                case BeginAt(number):
                    self._begin_at(number)
                case HandOver(message):
                    self._take(cast("str | bytes", message))
                case Skip():
                    self.next_number += 1
                case AcceptAcknowledgement(number):
                    self._acknowledged(number)
                case ForgetMessages():
                    self._forget()

    def _acknowledged(self, up_to: int) -> None:
        self._messages.acknowledged(up_to)
        self._to_send_next = max(self._to_send_next, up_to + 1)

    def _begin_at(self, number: int) -> None:
        self.next_number = number
        theirs = self._messages.hear(self._stream_name, number - 1)
        self._acknowledged_to = number - 1
        self._tell_due(theirs)

    def _take(self, message: str | bytes) -> None:
        messages, number = self._messages, self.next_number
        stream = messages.hear(self._stream_name, number - 1)
        stream.handed_over = number
        self.next_number += 1
        self._hand_over(Delivery(f"{stream.name}.{number}", message, lambda: messages.done(stream, number)))

    def _done(self, stream: IncomingStream) -> None:
        if stream is self._theirs:
            self._tell_due(stream)

    def _tell_due(self, theirs: IncomingStream) -> None:
        if theirs.acknowledged - self._acknowledged_to >= ACKNOWLEDGE_AT_ONCE:
            self.acknowledge()
        if theirs.acknowledged > self._acknowledged_to or self._control:
            self._acknowledgement_due()


class _Heard:
    """A greeting, as the table's guards read it."""

    __slots__ = ("has_received", "stream")

    def __init__(self, has_received: int, stream: str) -> None:
        self.has_received = has_received
        self.stream = stream
