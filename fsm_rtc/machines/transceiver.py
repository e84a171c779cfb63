"""Whether a transceiver is stopped: here, for both sides, or with its connection; and what its methods then permit.

Source: W3C webrtc-pc, Editor's Draft 2026-05-04: #dom-rtcrtptransceiver-stop, #stop-the-rtcrtptransceiver,
#dom-rtcrtptransceiver-direction, #dom-rtcpeerconnection-addtrack, #dom-rtcrtpsender-replacetrack,
#dom-rtcrtpsender-setstreams, #set-description, #dom-rtcpeerconnection-close. `stopping` is [[Stopping]] without
[[Stopped]]: an offer rejects its section, an answer does not, and the other side's description that rejects it makes it
`stopped`. `closed` is [[Stopped]] of a closed connection, whose [[IsClosed]] stop() and setStreams ask first. Whichever
way it leaves `active`, it sends and receives no longer from then on, and no section or track is given to it.

Left out: the two directions themselves, which negotiation gives and takes back, and setParameters, which isn't there.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from fsm_rtc.engine import Chart, On, Row, stay

__all__ = ["AskForNegotiation", "EndMedia", "Transceiver", "TransceiverState"]


class TransceiverState(StrEnum):
    """[[Stopping]] and [[Stopped]], and whether the connection is closed."""

    ACTIVE = "active"
    STOPPING = "stopping"
    STOPPED = "stopped"
    CLOSED = "closed"


ACTIVE, STOPPING, STOPPED, CLOSED = TransceiverState
OF_OPEN_CONNECTION = (ACTIVE, STOPPING, STOPPED)


class EndMedia:
    """Send and receive no longer, and end the receiver's track."""


class AskForNegotiation:
    """Update the negotiation-needed flag."""


class Transceiver(Chart[TransceiverState, None]):
    """How far one transceiver is stopped."""

    source = "W3C webrtc-pc, Editor's Draft 2026-05-04, #rtcrtptransceiver-interface"
    initial = ACTIVE
    final = frozenset({CLOSED})
    exit: ClassVar = {ACTIVE: (EndMedia,)}

    stop = On(
        Row(ACTIVE, STOPPING, then=(AskForNegotiation,)),
        stay(STOPPING, STOPPED),
        cite="#dom-rtcrtptransceiver-stop",
    )
    on_section_rejected = On(
        Row((ACTIVE, STOPPING), STOPPED), idempotent=True, cite="#set-description, a rejected media description"
    )
    take_section = On(stay(ACTIVE), cite="#set-description, a media description that has no transceiver")
    take_track = On(stay(ACTIVE), cite="#dom-rtcpeerconnection-addtrack")
    set_direction = On(stay(ACTIVE), cite="#dom-rtcrtptransceiver-direction")
    replace_track = On(stay(ACTIVE), cite="#dom-rtcrtpsender-replacetrack")
    set_streams = On(stay(*OF_OPEN_CONNECTION), cite="#dom-rtcrtpsender-setstreams")
    connection_closed = On(Row(OF_OPEN_CONNECTION, CLOSED), idempotent=True, cite="#dom-rtcpeerconnection-close")
