"""RecoveryDriver: notices that a call is lost, and has it back: the `Recovery` table at work.

What is heard of the peer, its connection's states and its goodbye come in as events; what the table asks for goes out
to the call. The table has the times; this has their lengths, and the values that are no status: how many attempts are
left, and when the peer was last heard.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Protocol

from fsm_rtc.connection.delivery.message_channel import MessageChannel
from fsm_rtc.connection.events import GaveUp, LossReason, PeerLost, Recovered, Recovering
from fsm_rtc.connection.exchange.driver import ExchangeDriver
from fsm_rtc.connection.peers import ReplaceablePeer
from fsm_rtc.connection.recovery.heartbeat import Heartbeat
from fsm_rtc.connection.recovery.policy import SHORTEST_HEARTBEAT_SECONDS, RecoveryPolicy
from fsm_rtc.driver import Driver
from fsm_rtc.machines.data_channel import DataChannelState
from fsm_rtc.machines.exchange import ExchangeState
from fsm_rtc.machines.recovery import CUT_SECONDS, Recovery, RecoveryState
from fsm_rtc.machines.recovery_requests import (
    EndByPeer,
    EndEarly,
    GiveUp,
    NoteCut,
    OfferIceRestart,
    Recreate,
    ResetAttempts,
    StartHeartbeat,
    StopHeartbeat,
    TellLost,
    TellRecovered,
)
from fsm_rtc.machines.signaling_link import SignalingLink, SignalingStatus
from fsm_rtc.messages import SENTENCES, EndCode
from fsm_rtc.peer.machine_set import MachineSet

__all__ = ["RecoverableCall", "RecoveryDriver"]

LOST = EndCode.CONNECTION_LOST
ENDING = (DataChannelState.CLOSING, DataChannelState.CLOSED)

FOLLOWER_PATIENCE = 1.25
"""The side that doesn't lead asks for a sign of life after so many times the silence after which the leader does.

So of two that have nothing to say one asks and one answers, for the question is a sign of life too; with a round trip
of a quarter of the time or more, each asks now and then.
"""

SIGNALED_BYE_SECONDS = 3.0
"""How long a goodbye on the channel waits for the one over signalling."""


class RecoverableCall(Protocol):
    """The call whose loss is noticed and mended: its parts, and who is told."""

    signaling_link: SignalingLink
    driver: ExchangeDriver
    peers: ReplaceablePeer
    link: MessageChannel

    def keep_alive(self) -> None: ...
    def recovery_told(self, event: PeerLost | Recovering | Recovered | GaveUp) -> None: ...


class RecoveryDriver:
    """See the module.

    Args:
        call: what is watched.
        policy: when what is done.
        machines: makes the machine.
        uniform: draws a number between two, evenly.

    Attributes:
        machine: the `Recovery` machine.
        attempts_left: how many attempts are left.
        heard_at: when the peer was last heard, by the loop's clock.
        cut_reason: how it was noticed that the other side has closed the connection.
    """

    def __init__(
        self,
        call: RecoverableCall,
        policy: RecoveryPolicy,
        machines: MachineSet,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.policy = policy
        self.attempts_left = policy.attempts
        self.heard_at = 0.0
        self.cut_reason = ""
        self._call = call
        self._lost_at = 0.0
        self._heartbeat = Heartbeat(policy.heartbeat_seconds, self._beat)
        self._driver = Driver()
        self.machine = machines.make(Recovery, "recovery", self, clock=self._driver.clock, uniform=uniform)
        self._driver.add(
            self.machine,
            {
                StartHeartbeat: lambda _: self._heartbeat.start(),
                StopHeartbeat: lambda _: self._heartbeat.stop(),
                NoteCut: self._note_cut,
                TellLost: self._tell_lost,
                OfferIceRestart: self._restart_ice,
                Recreate: self._recreate,
                TellRecovered: self._tell_recovered,
                ResetAttempts: self._reset_attempts,
                EndByPeer: self._end_by_peer,
                EndEarly: lambda _: call.driver.leave(SENTENCES[LOST], LOST),
                GiveUp: self._give_up,
            },
        )

    # What the machine's guards and times read.

    @property
    def link_is_up(self) -> bool:
        return self._call.signaling_link.state is SignalingStatus.CONNECTED

    @property
    def peer_is_there(self) -> bool:
        return self._call.driver.peer_is_there

    @property
    def peer_answers(self) -> bool:
        """Whether the peer answers a heartbeat, so that its silence says something."""
        return self._call.link.is_numbered or self._call.link.channel is None

    @property
    def can_restart_ice(self) -> bool:
        connection, channel = self._call.peers.connection, self._call.peers.channel
        if connection is None or channel is None:
            return False
        return not connection.negotiation.is_final and channel.ready_state not in ENDING

    @property
    def is_exchanging(self) -> bool:
        return self._call.driver.exchanger.state is not ExchangeState.IDLE

    @property
    def leads(self) -> bool:
        """Whether this side begins to have the call back: of two sessions the greater does."""
        me, peer = self._call.driver.me.introduction, self._call.driver.peer
        return peer is not None and (me.id, me.session) > (peer.id, peer.session)

    @property
    def overdue_seconds(self) -> float:
        return max(0.0, self.heard_at + self.policy.begin_after_seconds - self._driver.clock())

    @property
    def backoff_seconds(self) -> float:
        return self.policy.backoff_seconds(max(1, self.policy.attempts - self.attempts_left))

    @property
    def bye_seconds(self) -> float:
        bye_may_come = self.link_is_up and self.peer_is_there
        return SIGNALED_BYE_SECONDS if bye_may_come else CUT_SECONDS

    # What happens.

    @property
    def is_at_work(self) -> bool:
        """Whether the call is lost, and may be given up."""
        return bool(self.machine.permits("on_too_long"))

    def new_call(self) -> None:
        """A call with a session of the peer begins."""
        self._driver.fire(self.machine.on_new_call)

    def call_over(self) -> None:
        """The exchange has ended, and the call with it."""
        self._driver.fire(self.machine.on_call_over)

    def close(self) -> None:
        """Watch no longer, for good."""
        self._driver.fire(self.machine.close)

    def heard(self) -> None:
        """The peer gave a sign of life, or the call works (again)."""
        self.heard_at = self._driver.clock()
        if self.machine.state is not RecoveryState.WATCHING:  # each message comes here, and most change nothing
            self._driver.fire(self.machine.on_heard)

    def lost(self, reason: str) -> None:
        """The peer is lost, or seems to be; this connection may come back by itself."""
        self._driver.fire(self.machine.on_lost, reason)

    def lost_for_good(self, reason: str) -> None:
        """The peer is lost, and this connection won't come back by itself, so that there is nothing to wait for."""
        self._driver.fire(self.machine.on_lost_for_good, reason)

    def closed(self, reason: str) -> None:
        """The other side has closed the connection or its channel; if no goodbye comes, it is lost."""
        self._driver.fire(self.machine.on_closed, reason)

    def said_goodbye(self, reason: str) -> None:
        """The peer has ended the call, on the channel."""
        self._driver.fire(self.machine.on_goodbye, reason)

    def agreed(self) -> None:
        """Both sides agree on an offer, of either side."""
        self._driver.fire(self.machine.on_agreed)

    def progressed(self) -> None:
        """The connection comes nearer to work."""
        if self.is_at_work:  # each change of a state comes here, and most belong to no attempt
            self._driver.fire(self.machine.on_progress)

    def attempt_failed(self) -> None:
        """The attempt has come to nothing."""
        if self.is_at_work:
            self._driver.fire(self.machine.on_attempt_failed)

    def dtls_failed(self, reason: str) -> None:
        """The other side hasn't the certificate that it was to have: that is never tried again."""
        self._driver.fire(self.machine.on_dtls_failed, reason)

    def changed(self) -> None:
        """The link, who is in the room, or the exchange has changed: what waited for that may begin."""
        if self.machine.permits("on_chance"):
            self._driver.fire(self.machine.on_chance)

    # What the machine asks for.

    def _beat(self) -> float:
        self._call.keep_alive()
        seconds = self.policy.heartbeat_seconds
        patience = seconds if self.leads else seconds * FOLLOWER_PATIENCE
        quiet = self._driver.clock() - self.heard_at
        if not self.is_at_work and quiet < patience:
            return max(patience - quiet, SHORTEST_HEARTBEAT_SECONDS)
        self._call.link.ping()
        if self.is_at_work:  # the link may be lost at any time of it, and then nothing else would find that soon
            self._call.driver.check_link()
        return seconds

    def _note_cut(self, request: NoteCut) -> None:
        self.cut_reason = request.reason

    def _tell_lost(self, request: TellLost) -> None:
        self._lost_at = self._driver.clock()
        self._call.recovery_told(PeerLost(LossReason(request.reason)))
        self._call.driver.check_link()

    def _restart_ice(self, request: OfferIceRestart) -> None:
        self._begin_attempt("ICE restart")
        if (connection := self._call.peers.connection) is not None:
            connection.restart_ice()
        self._call.driver.negotiate()

    def _recreate(self, request: Recreate) -> None:
        self._begin_attempt("new peer connection")
        self._call.peers.give_up("it was lost")
        self._call.driver.negotiate()

    def _begin_attempt(self, how: str) -> None:
        self.attempts_left -= 1
        self._call.recovery_told(Recovering(how, self.policy.attempts - self.attempts_left))

    def _tell_recovered(self, request: TellRecovered) -> None:
        self._call.recovery_told(Recovered(self._driver.clock() - self._lost_at))

    def _reset_attempts(self, request: ResetAttempts) -> None:
        self.attempts_left = self.policy.attempts

    def _give_up(self, request: GiveUp) -> None:
        self._call.recovery_told(GaveUp(request.reason))
        self._call.driver.leave(request.reason)

    def _end_by_peer(self, request: EndByPeer) -> None:
        if (goodbye := self._call.link.goodbye) is not None:
            self._call.driver.end_by_peer(goodbye.reason, for_good=not goodbye.failed)
