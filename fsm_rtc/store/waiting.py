"""Waiting for a snapshot."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from fsm_rtc.connection.given import check_timeout
from fsm_rtc.connection.peers import expects_channel
from fsm_rtc.errors import ConnectTimeoutError, InvalidStateError
from fsm_rtc.machines.data_channel import DataChannelState
from fsm_rtc.machines.peer_status import PeerConnectionStatus
from fsm_rtc.store.snapshot import ConnectionSnapshot
from fsm_rtc.store.subscriptions import Subscriptions

__all__ = ["wait_for_connected", "wait_until"]

OVER = (PeerConnectionStatus.NO_CONNECTION, PeerConnectionStatus.CLOSED)


async def wait_until(
    subscriptions: Subscriptions,
    predicate: Callable[[ConnectionSnapshot], bool],
    timeout_seconds: float | None,
    what: str = "the awaited state did not come",
) -> ConnectionSnapshot:
    """The first snapshot, from the present one on, of which `predicate` says yes; what it raises is raised here."""
    check_timeout(timeout_seconds)
    found: asyncio.Future[ConnectionSnapshot] = asyncio.get_running_loop().create_future()

    def look(snapshot: ConnectionSnapshot) -> None:
        if found.done():
            return
        try:
            if predicate(snapshot):
                found.set_result(snapshot)
        except Exception as error:
            found.set_exception(error)
            found.exception()

    unsubscribe = subscriptions.subscribe(look, None)
    try:
        await asyncio.wait({found}, timeout=timeout_seconds)
    finally:
        unsubscribe()
        found.cancel()
    if found.cancelled():
        raise ConnectTimeoutError(f"{what} within {timeout_seconds:g} s; {_told(subscriptions.snapshot)}")
    return found.result()


async def wait_for_connected(
    subscriptions: Subscriptions, timeout_seconds: float | None, comes_back: Callable[[], bool]
) -> ConnectionSnapshot:
    """The first snapshot in which the peers are connected and their data channel, if there is to be one, is open.

    Args:
        subscriptions: tells of the snapshots.
        timeout_seconds: how long to wait; None for ever.
        comes_back: whether another peer connection comes by itself where there is none.
    """
    has_begun = is_over = False

    def look(snapshot: ConnectionSnapshot) -> bool:
        nonlocal has_begun, is_over
        is_away = snapshot.peer_connection_status in OVER and not comes_back()
        is_over = is_away and has_begun
        has_begun = has_begun or not is_away
        return is_over or _is_connected(snapshot)

    snapshot = await wait_until(subscriptions, look, timeout_seconds, "the peers were not connected")
    if is_over:
        error = subscriptions.snapshot.error  # what ended it may be told after the end
        why = f": {error}" if error is not None else "; begin with a new offer"
        raise InvalidStateError(f"the connection was closed before it was connected{why}") from error
    return snapshot


def _is_connected(snapshot: ConnectionSnapshot) -> bool:
    channel = snapshot.data_channel
    if channel is None:
        has_all = not expects_channel(snapshot.peer_connection)
    else:
        has_all = channel.ready_state is DataChannelState.OPEN
    return has_all and snapshot.peer_connection_status is PeerConnectionStatus.CONNECTED


def _told(snapshot: ConnectionSnapshot) -> str:
    """How far a connection came, and what to look at."""
    status = snapshot.peer_connection_status.value
    connection, channel = snapshot.peer_connection, snapshot.data_channel
    if connection is None:
        return f"there is no peer connection (status {status!r}); create or process an offer first"
    channel_state = channel.ready_state.value if channel is not None else "not there"
    return (
        f"status {status!r}, negotiation {connection.signaling_state.value!r}, ICE "
        f"{connection.ice_connection_state.value!r}, data channel {channel_state!r}. Negotiation must be 'stable': "
        "pass descriptions and candidates both ways. If it is, check that the hosts can reach each other, or use TURN"
    )
