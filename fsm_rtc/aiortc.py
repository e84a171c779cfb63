"""aiortc, with an RTCPeerConnection that keeps the specification: change one import.

    from fsm_rtc.aiortc import RTCPeerConnection, RTCSessionDescription

Every other name is aiortc's own. The habits that aiortc's users rely on are kept: setLocalDescription waits until the
candidates are gathered, close() fires the state events, ICE ends in ``completed``, a connection closes with the other
side, ``track`` and ``datachannel`` give the track and the channel themselves. See docs/coming-from-aiortc.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import aiortc as _aiortc
from aiortc import *  # noqa: F403 - a drop-in for the whole of it
from aiortc.rtcicetransport import RTCIceGatherer as _RTCIceGatherer

from fsm_rtc.errors import InvalidAccessError as _InvalidAccessError
from fsm_rtc.peer.w3c.profile import AIORTC, Profile
from fsm_rtc.peer.w3c.rtc_errors import specified, worded_as_aiortc
from fsm_rtc.peer.w3c.rtc_peer_connection import RTCPeerConnection as _RTCPeerConnection

__all__ = sorted({name for name in vars(_aiortc) if not name.startswith("_")} - {"annotations"})


class RTCPeerConnection(_RTCPeerConnection):  # type: ignore[no-redef] # in the place of aiortc's
    """A connection to another peer, with the habits of aiortc's.

    Args:
        configuration: an RTCConfiguration, or None. Without servers in it, aiortc's public STUN server is asked; give
            ``iceServers=[]`` for none.
        engine, journal, label: as for `fsm_rtc.RTCPeerConnection`.
    """

    profile: ClassVar[Profile] = AIORTC
    default_servers: ClassVar[tuple[_aiortc.RTCIceServer, ...]] = tuple(_RTCIceGatherer.getDefaultIceServers())

    def addTransceiver(self, trackOrKind: Any, direction: str = "sendrecv", streams: Iterable[Any] = ()) -> Any:
        """Add a media section; returns its RTCRtpTransceiver. A track can be sent only once, as with aiortc."""
        if any(one.track is trackOrKind for one in self.getSenders()):
            with specified():
                raise _InvalidAccessError("Track already has a sender")
        return super().addTransceiver(trackOrKind, direction, streams)

    async def setRemoteDescription(self, sessionDescription: Any) -> None:
        """Apply the other side's description. What is wrong is said in aiortc's words, and the rest in a note."""
        with worded_as_aiortc():
            await super().setRemoteDescription(sessionDescription)

    async def close(self) -> None:
        """Close the connection, and wait until nothing of it is left. The state events are fired."""
        await super().close()

    @property
    def _sctpLegacySdp(self) -> bool:
        """Whether data channels' sections are written as browsers of before 2019 do; aiortc's own name."""
        return self._backend.writer.is_legacy

    @_sctpLegacySdp.setter
    def _sctpLegacySdp(self, is_legacy: bool) -> None:
        self._backend.writer.is_legacy = is_legacy
