"""RTCIceGatheringState: whether a peer connection looks for its own candidates, as reported.

Source: W3C webrtc-pc, Editor's Draft 2026-05-04, #rtcicegatheringstate-enum. The state is derived from all transports
(`connection_state.IceGathering`), so a transport that comes or goes may move it from any state to any other: adding
media to a connection that isn't bundled takes `complete` back to `new`, and a transport that is bundled away may leave
`complete` behind. What a gatherer of this library does is decided by `gatherer`. aiortc's says `completed`, which its
backend turns into the text's `complete`. Left out: the candidates themselves (`candidates`).
"""

from __future__ import annotations

from enum import StrEnum

from fsm_rtc.engine import Observed, On, Row, adopt
from fsm_rtc.machines.requests import tell_recovery

__all__ = ["Gathering", "IceGatheringState"]


class IceGatheringState(StrEnum):
    """RTCIceGatheringState."""

    NEW = "new"
    GATHERING = "gathering"
    COMPLETE = "complete"


NEW, GATHERING, COMPLETE = IceGatheringState


class Gathering(Observed[IceGatheringState, None]):
    """RTCIceGatheringState of one peer connection."""

    source = "W3C webrtc-pc, Editor's Draft 2026-05-04, #rtcicegatheringstate-enum"
    initial = NEW

    on_new = On(Row((GATHERING, COMPLETE), NEW), cite="#rtcicegatheringstate-enum, a transport was created")
    on_gathering = On(Row((NEW, COMPLETE), GATHERING), cite="#rtcicegatheringstate-enum")
    on_complete = On(Row((NEW, GATHERING), COMPLETE), cite="#rtcicegatheringstate-enum")
    on_desync = adopt(tuple(IceGatheringState), tuple(IceGatheringState), then=(tell_recovery,))
