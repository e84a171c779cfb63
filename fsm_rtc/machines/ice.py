"""RTCIceTransportState of a transport of this library: whether it has a way to the other side.

`peer.ice.transport` steps it: what its agents find, hear and lose are the events, and what the transport knows of them
are the guards' facts. Another library's transport is followed by `IceReported`, whose edges include these.

Source: W3C webrtc-pc, Editor's Draft 2026-05-04, #rtcicetransportstate; RFC 8445; consent, RFC 7675 (`consent`). What
the texts leave open:

- An ICE restart begins when the answer is applied. From `completed` it leads to `connected`, from `disconnected` and
  `failed` to `checking`; it never leads to `new`, and the pair that is in use carries data throughout.
- When all checks of a restart fail while the old pair answers, the transport stays where it is until that pair's
  consent ends.

Left out: candidate pairs (`candidate_pair`), why checks fail, the times.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from fsm_rtc.engine import Chart, On, Row, stay

__all__ = ["Ice", "IceAiortc", "IceTransportState", "Ways"]


class IceTransportState(StrEnum):
    """RTCIceTransportState."""

    NEW = "new"
    CHECKING = "checking"
    CONNECTED = "connected"
    COMPLETED = "completed"
    DISCONNECTED = "disconnected"
    FAILED = "failed"
    CLOSED = "closed"


NEW, CHECKING, CONNECTED, COMPLETED, DISCONNECTED, FAILED, CLOSED = IceTransportState
LIVE = (NEW, CHECKING, CONNECTED, COMPLETED, DISCONNECTED, FAILED)


class Ways(Protocol):
    """What the transport knows of its ways to the other side."""

    @property
    def has_remote_candidate(self) -> bool: ...

    @property
    def is_looking(self) -> bool: ...

    @property
    def has_pair(self) -> bool: ...

    @property
    def is_carried(self) -> bool: ...

    @property
    def has_all_candidates(self) -> bool: ...


def has_remote_candidate(ways: Ways, event: object) -> bool:
    """There must be a candidate of the other side."""
    return ways.has_remote_candidate


def is_looking(ways: Ways, event: object) -> bool:
    """Another way must be looked for."""
    return ways.is_looking


def nothing_is_sought(ways: Ways, event: object) -> bool:
    """No other way may be looked for."""
    return not ways.is_looking


def has_no_pair(ways: Ways, event: object) -> bool:
    """No pair may be in use whose other side has consented."""
    return not ways.has_pair


def is_not_carried(ways: Ways, event: object) -> bool:
    """The other side must be silent on the pair that is in use."""
    return not ways.is_carried


def has_all_candidates(ways: Ways, event: object) -> bool:
    """Neither side may find more candidates."""
    return ways.has_all_candidates


class Ice(Chart[IceTransportState, Ways]):
    """RTCIceTransportState of one transport, which steps it."""

    source = "W3C webrtc-pc, Editor's Draft 2026-05-04, #rtcicetransportstate; RFC 8445"
    initial = NEW
    final = frozenset({CLOSED})

    begin_checks = On(
        Row(NEW, CHECKING, when=(has_remote_candidate,), cite="remote candidates received"),
        stay(NEW),
        Row((DISCONNECTED, FAILED), CHECKING, cite="ICE restart"),
        Row(COMPLETED, CONNECTED, cite="ICE restart"),
        stay(CHECKING, CONNECTED),
        cite="#rtcicetransportstate",
    )
    on_remote_candidate = On(
        Row(NEW, CHECKING, when=(is_looking,), cite="remote candidates received"),
        stay(*LIVE),
        cite="#rtcicetransportstate",
    )
    on_new_pair = On(
        Row(NEW, CHECKING, cite="a peer-reflexive candidate"),
        Row(DISCONNECTED, CHECKING, when=(has_no_pair,), cite="new candidates"),
        stay(CHECKING, CONNECTED, COMPLETED, DISCONNECTED, FAILED),
        cite="#rtcicetransportstate",
    )
    on_pairs_exhausted = On(
        Row(CHECKING, DISCONNECTED, when=(has_no_pair,), cite="checks fail, gathering still in progress"),
        stay(NEW, CHECKING, CONNECTED, DISCONNECTED),
        cite="#rtcicetransportstate",
    )
    on_pair_selected = On(
        Row(CHECKING, CONNECTED, cite="found a usable connection"),
        Row(COMPLETED, CONNECTED, cite="a late pair of an ICE restart"),
        Row(DISCONNECTED, CONNECTED, cite="connectivity is back"),
        stay(CONNECTED),
        cite="#rtcicetransportstate",
    )
    on_checks_progress = On(
        Row(CONNECTED, COMPLETED, when=(nothing_is_sought, has_all_candidates), cite="finished all checks"),
        stay(*LIVE),
        cite="#rtcicetransportstate",
    )
    on_nothing_found = On(
        Row(NEW, FAILED, when=(has_no_pair,), cite="no candidate on either side, as in the figure"),
        Row((CHECKING, DISCONNECTED), FAILED, when=(has_no_pair,), cite="gave up; RFC 8863, section 4: after 39.5 s"),
        Row((CHECKING, CONNECTED), DISCONNECTED, when=(is_not_carried,), cite="no pair is left to be checked"),
        Row(CONNECTED, COMPLETED, when=(has_all_candidates,), cite="the old pair of an ICE restart answers"),
        stay(CHECKING, CONNECTED, DISCONNECTED),
        cite="#rtcicetransportstate",
    )
    on_unanswered = On(
        Row(CONNECTED, CHECKING, when=(is_looking,), cite="consent lost, pairs remain to be checked"),
        Row((CONNECTED, COMPLETED), DISCONNECTED, cite="consent lost, no pair to check"),
        stay(CHECKING, DISCONNECTED),
        cite="#rtcicetransportstate",
    )
    on_answered = On(
        Row((CHECKING, DISCONNECTED), CONNECTED, cite="connectivity is back"),
        stay(CONNECTED, COMPLETED),
        cite="#rtcicetransportstate",
    )
    on_consent_expired = On(
        Row((COMPLETED, DISCONNECTED), FAILED, when=(nothing_is_sought,), cite="consent failed on all pairs"),
        stay(CHECKING, CONNECTED, COMPLETED, DISCONNECTED),
        cite="RFC 7675, section 5.1; an ICE restart under way decides",
    )
    secure = On(stay(CONNECTED, COMPLETED), cite="#rtcicetransportstate: DTLS begins on a pair that works")
    close = On(Row(LIVE, CLOSED), cite="#dom-rtcpeerconnection-close")


class IceAiortc(Ice):
    """With aiortc's habits: it checks without a candidate to check, and who has found a pair has completed."""

    begin_checks = On(
        Row(NEW, CHECKING, cite="aiortc, RTCIceTransport.start"),
        Row((DISCONNECTED, FAILED), CHECKING, cite="ICE restart"),
        Row(COMPLETED, CONNECTED, cite="ICE restart"),
        stay(CHECKING, CONNECTED),
        cite="#rtcicetransportstate",
    )
    on_pair_selected = On(
        Row((CHECKING, CONNECTED, DISCONNECTED), COMPLETED),
        stay(COMPLETED),
        cite="aiortc, RTCIceTransport.start",
    )
    on_nothing_found = On(
        Row((CHECKING, DISCONNECTED), FAILED, when=(has_no_pair,), cite="gave up"),
        Row((CHECKING, CONNECTED), DISCONNECTED, when=(is_not_carried,), cite="no pair is left to be checked"),
        Row(CONNECTED, COMPLETED, cite="the old pair of an ICE restart answers"),
        stay(CHECKING, DISCONNECTED, COMPLETED),
        cite="#rtcicetransportstate",
    )
    on_answered = On(
        Row((CHECKING, DISCONNECTED), COMPLETED),
        stay(CONNECTED, COMPLETED),
        cite="#rtcicetransportstate",
    )
