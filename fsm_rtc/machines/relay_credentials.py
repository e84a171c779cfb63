"""Whether the TURN server that carries a call was given this side's newest credentials.

Source: docs/deployment.md, TURN credentials. Credentials end (draft-uberti-behave-turn-rest-00), and an allocation is
bound to those that it was made with: another username in its refresh is error 441 (RFC 8489, section 9.2.4; RFC 8656,
section 7.2). So a call that is relayed with older credentials restarts ICE, which makes an allocation with the newest
ones while the old one still carries it, and frees that once the new one does.

Left out: when credentials end, which the signalling server knows: it sends new ones in good time; and what becomes of
a restart that finds no way, which is recovery's.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from fsm_rtc.engine import Chart, On, Row, stay

__all__ = ["RelayCredentials", "RelayCredentialsState", "ReplaceRelay"]


class RelayCredentialsState(StrEnum):
    """Of the present peer connection's relay, if it has one."""

    NEWEST = "newest"
    REPLACING = "replacing"


NEWEST, REPLACING = RelayCredentialsState


class RelayedCall(Protocol):
    """The payload of `on_credentials`."""

    @property
    def is_relayed(self) -> bool:
        """Whether a TURN server of this side's carries the call, or may."""


@dataclass(frozen=True, slots=True)
class ReplaceRelay:
    """Restart ICE, so that the relay is asked for with the newest credentials."""


def relayed(context: object, call: RelayedCall) -> bool:
    """A TURN server of this side's must carry the call."""
    return call.is_relayed


def replace_relay(context: object, call: RelayedCall) -> ReplaceRelay:
    """Ask for a relay with the newest credentials."""
    return ReplaceRelay()


class RelayCredentials(Chart[RelayCredentialsState, None]):
    """Whether a call's relay has the newest credentials."""

    source = "docs/deployment.md, TURN credentials"
    initial = NEWEST

    on_credentials = On[None, RelayedCall](
        Row((NEWEST, REPLACING), REPLACING, when=(relayed,), then=(replace_relay,)),
        Row(REPLACING, NEWEST, cite="it was found another way meanwhile, without a relay"),
        stay(NEWEST),
        cite="docs/protocol.md, ice_servers",
    )
    on_agreed = On(
        Row(REPLACING, NEWEST), stay(NEWEST), cite="both sides' descriptions hold what was gathered with the newest"
    )
    on_peer_connection = On(Row(REPLACING, NEWEST), stay(NEWEST), cite="a new one is made with the newest")
