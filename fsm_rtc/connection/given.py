"""What a `Connection` or a `Room` is given, checked where it comes in."""

from __future__ import annotations

from collections.abc import Collection
from math import isnan

from fsm_rtc.engine.doors import told
from fsm_rtc.messages import EndCode

__all__ = ["check_channel", "check_code", "check_reason", "check_timeout", "recipients_of"]


def check_channel(channel: object) -> None:
    """Say that what is to carry the messages is no signalling channel.

    Raises:
        TypeError: it is none.
    """
    if not all(callable(getattr(channel, one, None)) for one in ("open", "send", "events", "aclose")):
        advice = "give a signalling channel, such as WebSocketSignaling('ws://host:port/room')"
        raise TypeError(f"the channel is {told(channel)}; {advice}")


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


def check_code(code: object) -> None:
    """Say that what is to be told to the peer's program is no code, before anything is closed for it.

    Raises:
        TypeError: it is none.
    """
    if code is not None and not isinstance(code, EndCode):
        raise TypeError(f"the code is {told(code)}; give an fsm_rtc.messages.EndCode, or None")


def check_timeout(timeout_seconds: object) -> None:
    """Say that how long to wait is no time.

    Raises:
        ValueError: it is none.
    """
    if timeout_seconds is None:
        return
    if not isinstance(timeout_seconds, int | float) or isinstance(timeout_seconds, bool) or isnan(timeout_seconds):
        raise ValueError(f"timeout_seconds is {told(timeout_seconds)}; give a number of seconds, or None")
