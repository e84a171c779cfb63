"""What a `Connection` or a `Room` is given, checked where it comes in."""

from __future__ import annotations

from typing import get_args

from fsm_rtc.engine.doors import told
from fsm_rtc.peer.backend import Kind
from fsm_rtc.peer.configuration import Configuration

__all__ = ["check_given"]


def check_given(channel: object, trust: object, configuration: object, receive: object) -> None:
    """Say what is wrong with an argument that is of another kind.

    Raises:
        TypeError: one is; the message says what to give.
    """
    if not all(callable(getattr(channel, one, None)) for one in ("open", "send", "events", "aclose")):
        advice = "give a signalling channel, such as WebSocketSignaling('ws://host:port/room')"
        raise TypeError(f"the channel is {told(channel)}; {advice}")
    if trust is not None and not all(callable(getattr(trust, one, None)) for one in ("accepts", "remember")):
        raise TypeError(f"trust is {told(trust)}; give Allowlist([id]), TrustOnFirstUse(), AnyPeer() or None")
    if configuration is not None and not isinstance(configuration, Configuration):
        raise TypeError(f"configuration is {told(configuration)}; give fsm_rtc.Configuration(…), or None")
    kinds = get_args(Kind)
    if not isinstance(receive, tuple | list) or not all(one in kinds for one in receive):
        raise TypeError(f"receive is {told(receive)}; give a tuple of {' and '.join(map(repr, kinds))}")
