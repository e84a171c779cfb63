"""SignaledCall: a store's call over signalling, from `connect` to `close_connection` or `reset`.

It is the `LiveCall` that a `Connection` has, on the store's own `Endpoint`; here is what the snapshot shows of its
events. A call that the store has hung up tells the snapshot nothing any more, and the next one begins when nothing is
left of it.
"""

from __future__ import annotations

from functools import partial

from fsm_rtc.connection.call import LiveCall
from fsm_rtc.connection.channel import SignalingChannel
from fsm_rtc.connection.events import (
    ConnectionEvent,
    Ended,
    Joined,
    PeerBusy,
    PeerLost,
    Ready,
    Recovered,
    Refused,
    SignalingStatusChanged,
)
from fsm_rtc.connection.options import CallOptions
from fsm_rtc.errors import ConnectionFailedError, OperationError
from fsm_rtc.messages import Identity
from fsm_rtc.peer.closing import Closing
from fsm_rtc.store.error_field import ErrorField
from fsm_rtc.store.peer_record import PeerRecord
from fsm_rtc.store.subscriptions import Subscriptions

__all__ = ["SignaledCall"]

SIGNALING = "signaling"
"""The errors of the signalling and of the call over it, as an operation of `ErrorField`."""


class SignaledCall:
    """See the module.

    Args:
        record: the peer connections, and what the snapshot holds of them.
        subscriptions: holds the snapshot.
        errors: where what fails is stored.

    Attributes:
        call: the present one, or None.
    """

    def __init__(self, record: PeerRecord, subscriptions: Subscriptions, errors: ErrorField) -> None:
        self.call: LiveCall | None = None
        self._record = record
        self._subscriptions = subscriptions
        self._errors = errors
        self._hanging_up: Closing | None = None

    @property
    def comes_back(self) -> bool:
        """Whether a call that worked is being recovered, where there is no peer connection."""
        return self.call is not None and bool(self.call.machine.permits("send"))

    async def begin(self, channel: SignalingChannel, identity: Identity | None, options: CallOptions) -> None:
        """Open the channel, and talk to the peer that is there."""
        together = self._subscriptions.together
        # Its data channel carries messages as they are, for the user may send by it: no features.
        self.call = call = LiveCall(
            channel, identity, options, self._record.endpoint, features=(), told=self._told, together=together
        )
        with together():
            self._record.set(connection_id=call.driver.me.introduction.session)
            if identity is not None:
                self._record.set(local_public_key=identity.public_key)
        try:
            await call.driver.start()
        except BaseException:
            await self.hang_up("opening the channel failed")
            raise

    async def hang_up(self, reason: str) -> None:
        """Say goodbye and leave the signalling; a caller who is cancelled leaves that to go on."""
        call, self.call = self.call, None
        if call is not None:
            call.life.fire(call.machine.end)
            self._hanging_up = Closing(partial(self._close, call, reason), "fsm_rtc close the store's call")
        await self.is_gone()

    async def is_gone(self) -> None:
        """Wait until nothing is left of the call that was hung up last."""
        if self._hanging_up is not None:
            await self._hanging_up

    async def _close(self, call: LiveCall, reason: str) -> None:
        try:
            await call.aclose(reason, for_good=True)
        finally:
            self._record.endpoint.peers.events = self._record
            self._hanging_up = None

    def _told(self, event: ConnectionEvent) -> None:
        """Something happened in the call; what of that is an error stays until it is none any more."""
        if (call := self.call) is None:
            return
        match event:
            case SignalingStatusChanged(error=Exception() as error) | Refused(rejected=error):
                self._errors.put(error, SIGNALING)
            case SignalingStatusChanged() | Ready() | Recovered():
                self._errors.clear(SIGNALING)
            case Joined(peer):
                with self._subscriptions.together():
                    self._errors.clear(SIGNALING)
                    self._record.set(remote_public_key=peer.public_key or None)
            case PeerBusy():
                busy = "the other side is in a call with somebody else; wait, or use another room"
                self._errors.put(OperationError(busy), SIGNALING)
            case PeerLost(reason):
                lost = f"the other side is lost, and the call is being recovered: {reason.value}"
                self._errors.put(ConnectionFailedError(lost, failure=call.examination.failure(reason.value)), SIGNALING)
            case Ended(reason):
                self._ended(call, reason)

    def _ended(self, call: LiveCall, reason: str) -> None:
        """The call is over; the store waits for the next session of a peer."""
        self._errors.clear(SIGNALING)
        self._record.endpoint.messages.end()
        if (failure := call.failure) is not None and not failure.is_goodbye:
            error = ConnectionFailedError(f"{reason}; {failure.advice}", failure=failure)
            error.__cause__ = failure.error
            self._errors.put(error, SIGNALING)
