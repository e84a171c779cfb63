"""LostCall: a call as its recovery sees it, and what recovery does with it."""

from __future__ import annotations

from collections.abc import Callable

from fsm_rtc.connection.driver import SignalingDriver
from fsm_rtc.connection.events import GaveUp, PeerLost, Recovered, Recovering
from fsm_rtc.connection.peers import ReplaceablePeer
from fsm_rtc.connection.secure_link import SecureLink
from fsm_rtc.machines.data_channel import DataChannelState
from fsm_rtc.machines.exchange import ExchangeState
from fsm_rtc.machines.signaling_link import SignalingLink, SignalingStatus

__all__ = ["ENDING", "LostCall"]

ENDING = (DataChannelState.CLOSING, DataChannelState.CLOSED)


class LostCall:
    """A `RecoverableCall` of the parts of a `Connection`.

    Args:
        signaling_link: the link to the signalling.
        driver: the exchange at work.
        peers: the peer connections, one at a time.
        link: the messages.
        tell: tells who follows the connection's events.
        alive: keeps that the call is alive.
    """

    def __init__(
        self,
        signaling_link: SignalingLink,
        driver: SignalingDriver,
        peers: ReplaceablePeer,
        link: SecureLink,
        tell: Callable[[PeerLost | Recovering | Recovered | GaveUp], None],
        alive: Callable[[], None],
    ) -> None:
        self._signaling_link = signaling_link
        self._driver = driver
        self._peers = peers
        self._link = link
        self.tell = tell
        self.alive = alive

    @property
    def link_is_up(self) -> bool:
        return self._signaling_link.state is SignalingStatus.CONNECTED

    @property
    def peer_is_there(self) -> bool:
        return self._driver.peer_is_there

    @property
    def can_restart_ice(self) -> bool:
        connection, channel = self._peers.connection, self._peers.channel
        if connection is None or channel is None:
            return False
        return not connection.negotiation.is_final and channel.ready_state not in ENDING

    @property
    def is_exchanging(self) -> bool:
        return self._driver.exchanger.state is not ExchangeState.IDLE

    @property
    def leads(self) -> bool:
        me, peer = self._driver.me.introduction, self._driver.peer
        return peer is not None and (me.id, me.session) > (peer.id, peer.session)

    @property
    def goodbye(self) -> str | None:
        goodbye = self._link.goodbye
        return goodbye.reason if goodbye is not None else None

    def ping(self) -> bool:
        self._link.ping()
        return self._link.is_numbered or self._link.channel is None

    def check_link(self) -> None:
        self._driver.check_link()

    def restart_ice(self) -> None:
        connection = self._peers.connection
        if connection is not None:
            connection.restart_ice()
        self._driver.negotiate()

    def recreate(self) -> None:
        self._peers.give_up("it was lost")
        self._driver.negotiate()

    def give_up(self, reason: str) -> None:
        self._driver.leave(reason)

    def end_by_peer(self, reason: str) -> None:
        goodbye = self._link.goodbye
        self._driver.end_by_peer(reason, for_good=goodbye is not None and not goodbye.failed)
