"""What a `Connection` or a `Room` is given, checked where it comes in."""

from __future__ import annotations

from collections.abc import Collection
from math import isnan
from typing import get_args

from fsm_rtc.connection.recovery_policy import RecoveryPolicy
from fsm_rtc.engine.doors import callback, told
from fsm_rtc.peer.backend import Kind
from fsm_rtc.peer.configuration import Configuration

__all__ = ["check_channel", "check_given", "check_reason", "check_timeout", "recipients_of"]


def check_channel(channel: object) -> None:
    """Say that what is to carry the messages is no signalling channel.

    Raises:
        TypeError: it is none.
    """
    if not all(callable(getattr(channel, one, None)) for one in ("open", "send", "events", "aclose")):
        advice = "give a signalling channel, such as WebSocketSignaling('ws://host:port/room')"
        raise TypeError(f"the channel is {told(channel)}; {advice}")


def check_given(
    channel: object,
    trust: object,
    configuration: object,
    receive: object,
    recovery: object,
    persistence: object,
    factory: object,
    journal: object,
    clock: object,
) -> None:
    """Say what is wrong with an argument that is of another kind.

    Raises:
        TypeError: one is; the message says what to give.
    """
    check_channel(channel)
    if trust is not None and not all(callable(getattr(trust, one, None)) for one in ("accepts", "remember")):
        raise TypeError(f"trust is {told(trust)}; give Allowlist([id]), TrustOnFirstUse(), AnyPeer() or None")
    if configuration is not None and not isinstance(configuration, Configuration):
        raise TypeError(f"configuration is {told(configuration)}; give fsm_rtc.Configuration(…), or None")
    if recovery is not None and not isinstance(recovery, RecoveryPolicy):
        raise TypeError(f"recovery is {told(recovery)}; give a RecoveryPolicy(…), NO_RECOVERY or None")
    if persistence is not None and not all(callable(getattr(persistence, one, None)) for one in ("load", "save")):
        raise TypeError(f"persistence is {told(persistence)}; give SqliteFile(path), MemoryPersistence() or None")
    callback(factory, "peer_connection_factory", "give a class like fsm_rtc.PeerConnection")
    callback(clock, "clock", "give a function like time.monotonic")
    if journal is not None and not callable(getattr(journal, "watch", None)):
        raise TypeError(f"journal is {told(journal)}; give fsm_rtc.Journal(), or None")
    kinds = get_args(Kind)
    if not isinstance(receive, tuple | list) or not all(one in kinds for one in receive):
        raise TypeError(f"receive is {told(receive)}; give a tuple of {' and '.join(map(repr, kinds))}")


def recipients_of(to: object) -> Collection[object]:
    """Those to whom something is to be sent.

    Raises:
        TypeError: they are no collection, of connections or ids.
    """
    if not isinstance(to, Collection) or isinstance(to, str | bytes):
        raise TypeError(f"to is {told(to)}; give a collection of the room's connections, or of their peers' ids")
    for one in to:
        if not isinstance(one, str) and not callable(getattr(one, "send_now", None)):
            raise TypeError(f"to has {told(one)}; give the room's connections, or their peers' ids")
    return to


def check_reason(reason: object) -> None:
    """Say that what is to be told to the peer is no text, before anything is closed for it.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(reason, str):
        raise TypeError(f"the reason is {told(reason)}; give text, a str")


def check_timeout(timeout_seconds: object) -> None:
    """Say that how long to wait is no time.

    Raises:
        ValueError: it is none.
    """
    if timeout_seconds is None:
        return
    if not isinstance(timeout_seconds, int | float) or isinstance(timeout_seconds, bool) or isnan(timeout_seconds):
        raise ValueError(f"timeout_seconds is {told(timeout_seconds)}; give a number of seconds, or None")
