"""DataChannel: its machine in front of a library's channel.

Messages that arrive before anybody listens are kept, so the first ones are not lost while a program gets its bearings.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from fsm_rtc.engine import Accepted, Chart
from fsm_rtc.engine.doors import text
from fsm_rtc.engine.own_thread import OwnThread, on_own_thread
from fsm_rtc.errors import ChannelClosedError, Rejected, RTCError, SpecificationError
from fsm_rtc.machines import data_channel as table
from fsm_rtc.peer.arguments import is_integer
from fsm_rtc.peer.backend import ChannelBackend
from fsm_rtc.peer.emitter import Callback, Emitter
from fsm_rtc.peer.forwarding import Forwarded

MAX_MESSAGE_BYTES = 262_144
"""The longest message that every current WebRTC stack takes."""

KEPT_MESSAGES, KEPT_BYTES = 1024, 8 * 1024 * 1024
"""How many messages wait for the first listener, and how many bytes of them; no library below can let the other side
wait."""

NOBODY_LISTENS = (
    f"nobody listens, and more than {KEPT_MESSAGES} messages or {KEPT_BYTES} bytes wait: what comes now is lost; "
    "listen for messages as soon as there is a channel"
)


class DataChannel:
    """A data channel of a `PeerConnection`; made by `PeerConnection.create_data_channel` or announced by its event.

    Attributes:
        label: its name, the same on both sides.
        machine: its RTCDataChannelState machine.
        options: how it was made.
        flow: clear, or congested while more than 1 MiB waits to be sent.
        unheard: how many messages were dropped because nobody listened and too much waited; at the first one ``error``
            tells so.
    """

    def __init__(self, backend: ChannelBackend, machine: table.Channel, flow: table.Flow) -> None:
        self.label = backend.label
        self.options = backend.options
        self.machine = machine
        self.flow = flow
        self.unheard = 0
        self._backend = backend
        self._own_thread = OwnThread()
        self._emitter = Emitter("open", "closing", "close", "error", "message", "bufferedamountlow", "statechange")
        self._kept: deque[str | bytes] = deque()
        self._kept_bytes = 0
        self._unsent: int | None = None
        machine.observe(self._moved)
        backend.low_threshold = flow.context.low_bytes
        backend.attach(self)

    id = Forwarded[int | None]("_backend.id")
    """The stream's number, or None until it has one."""

    protocol = Forwarded[str]("_backend.protocol")
    """The subprotocol's name."""

    ready_state = Forwarded[table.DataChannelState]("machine.state")
    """RTCDataChannelState."""

    flow_state = Forwarded[table.FlowState]("flow.state")
    """Whether more should be sent just now."""

    @property
    def buffered_amount(self) -> int:
        """Bytes that wait to be sent; those that never were, once it is closed."""
        return self._backend.buffered_amount if self._unsent is None else self._unsent

    @property
    def low_threshold(self) -> int:
        """``bufferedamountlow`` tells when no more bytes than this wait; 256 KiB unless it is set."""
        return self._backend.low_threshold

    @low_threshold.setter
    def low_threshold(self, low_bytes: int) -> None:
        if not is_integer(low_bytes, 0, 0xFFFFFFFF):
            raise ValueError(f"low_threshold is an integer from 0 to 4294967295, in bytes, not {low_bytes!r}")
        self._backend.low_threshold = low_bytes

    @on_own_thread
    def on(self, event: str, callback: Callback) -> Callable[[], None]:
        """Call `callback` at each ``open``, ``closing`` (by the other side), ``close``, ``error`` (with what happened),
        ``message`` (with its text or bytes), ``bufferedamountlow`` or ``statechange`` (any of its states); the returned
        function ends that. The first listener for messages gets those that came before.

        Raises:
            ValueError: there is no such event.
            TypeError: the callback is a coroutine function.
        """
        unsubscribe = self._emitter.on(event, callback)
        if event == "message":
            self._hand_out()
        return unsubscribe

    def check_size(self, size: int) -> None:
        """Refuse a message of so many bytes if the other side doesn't take so long ones.

        Raises:
            ValueError: it doesn't.
        """
        limit = min(MAX_MESSAGE_BYTES, self._backend.max_message_bytes)
        if size > limit:
            raise ValueError(f"a message of {size} bytes is too long; send at most {limit} bytes at a time")

    @on_own_thread
    def send(self, data: str | bytes) -> None:
        """Send a message.

        Args:
            data: text, or bytes; at most 262,144 bytes, or what the other side takes if that is less (65,536 if its
                description doesn't say).

        Raises:
            ChannelClosedError: the channel is not open.
            ValueError: the message is too long.
            TypeError: it is neither text nor bytes.
        """
        if isinstance(data, str):
            text(data, "a message", TypeError, is_secret=True)
        elif not isinstance(data, bytes):
            raise TypeError(f"a data channel sends str or bytes, not {type(data).__name__}; encode the message first")
        if not self.machine.permits("send"):
            refused = self.machine.send()
            advice = f"wait for its open event before sending on {self.label!r}"
            raise ChannelClosedError(
                f"{refused} {advice}.", rejected=refused if isinstance(refused, Rejected) else None
            )
        self.check_size(len(data) if isinstance(data, bytes) else len(data.encode()))
        self._backend.send(data)
        if self.buffered_amount >= self.flow.context.high_bytes:
            self._note_amount()

    @on_own_thread
    def close(self) -> None:
        """Close the channel; what waits is sent first. A closed or closing channel stays as it is."""
        self.machine.close()

    # What the library tells.

    def opened(self) -> None:
        self.machine.on_open()
        self._hand_out()

    def open_quietly(self) -> None:
        """It was made by the other side, so it is open, and to be announced as such by `announce_open`."""
        self.machine.on_made_there()

    def announce_open(self) -> None:
        """Tell that it is open, unless it was closed meanwhile."""
        if self.machine.permits("announce"):
            self.machine.announce()

    def closing(self) -> None:
        self.machine.on_closing()

    def closed(self, error: SpecificationError | None = None) -> None:
        self.machine.fire("on_closed", error)

    @property
    def _can_be_heard(self) -> bool:
        # The other side may send before its acknowledgement of the channel is here (RFC 8832, section 6; Firefox does);
        # a listener hears of that behind `open`.
        return self._emitter.listens("message") and not self.machine.permits("on_open")

    def _hand_out(self) -> None:
        while self._kept and self._can_be_heard:
            data = self._kept.popleft()
            self._kept_bytes -= len(data)
            self._emitter.emit("message", data)

    def received(self, data: str | bytes) -> None:
        if self._can_be_heard and not self._kept:
            self._emitter.emit("message", data)
        elif len(self._kept) < KEPT_MESSAGES and self._kept_bytes + len(data) <= KEPT_BYTES:
            self._kept.append(data)
            self._kept_bytes += len(data)
            self._hand_out()
        else:
            self.unheard += 1
            if self.unheard == 1:
                self._emitter.emit("error", RTCError(NOBODY_LISTENS, error_detail="data-channel-failure"))

    def drained(self) -> None:
        self._note_amount()
        self._emitter.emit("bufferedamountlow")

    def _note_amount(self) -> None:
        if self.flow.permits("on_buffered_amount", self.buffered_amount):
            self.flow.on_buffered_amount(self.buffered_amount)

    def connection_closed(self, *, tells: bool = True) -> None:
        """The connection is closed, and the channel with it; its listeners are let go.

        Args:
            tells: whether they hear of it; by one's own close() they don't. Source: webrtc-pc,
                #dom-rtcpeerconnection-close and #announcing-a-data-channel-as-closed.
        """
        if not tells:
            self._emitter.clear()
        if self.machine.permits("connection_closed"):
            self.machine.connection_closed()
        self._emitter.clear()
        self._kept.clear()
        self._kept_bytes = 0

    def _moved(self, _: Chart[table.DataChannelState, None], outcome: Accepted | Rejected) -> None:
        if isinstance(outcome, Rejected):
            return
        if outcome.source is not outcome.target:
            self._emitter.emit("statechange")
        for effect in outcome.effects:
            match effect:
                case table.CloseChannel():
                    self._backend.close()
                case table.FireOpen():
                    self._emitter.emit("open")
                case table.FireClosing():
                    self._emitter.emit("closing")
                case table.FireClose(error):
                    # A library may forget it, or count on what it has dropped. Source: #dom-datachannel-bufferedamount.
                    self._unsent = self._backend.buffered_amount
                    if error is not None:
                        self._emitter.emit("error", error)
                    self._emitter.emit("close")
