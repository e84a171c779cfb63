"""RTCIceGathererState of a gatherer of this library: whether it looks for this side's candidates.

`peer.ice.gatherer` steps it. It goes one way: an ICE restart has a gatherer of its own, and so a machine of its own,
while the one before may still be in use. The connection's RTCIceGatheringState is derived from those that count
(`connection_state.IceGathering`) and followed as reported (`gathering`), whose edges include these.

Source: W3C webrtc-pc, Editor's Draft 2026-05-04, #dom-icetransport-gatheringstate. The text knows no closed gatherer;
one that is given up finds nothing more, wherever it was. Left out: the candidates themselves, and that those of the
host come before the servers'.
"""

from __future__ import annotations

from enum import StrEnum

from fsm_rtc.engine import Chart, On, Row, stay

__all__ = ["Gatherer", "IceGathererState"]


class IceGathererState(StrEnum):
    """RTCIceGathererState, and closed."""

    NEW = "new"
    GATHERING = "gathering"
    COMPLETE = "complete"
    CLOSED = "closed"


NEW, GATHERING, COMPLETE, CLOSED = IceGathererState


class Gatherer(Chart[IceGathererState, None]):
    """RTCIceGathererState of one gatherer, which steps it."""

    source = "W3C webrtc-pc, Editor's Draft 2026-05-04, #dom-icetransport-gatheringstate"
    initial = NEW
    final = frozenset({CLOSED})

    gather = On(Row(NEW, GATHERING), cite="#dom-icetransport-gatheringstate")
    find = On(stay(NEW, GATHERING), cite="#dom-icetransport-gatheringstate: another candidate may yet be found")
    on_complete = On(Row(GATHERING, COMPLETE), cite="#dom-icetransport-gatheringstate")
    close = On(Row((NEW, GATHERING, COMPLETE), CLOSED), cite="#dom-rtcpeerconnection-close")
