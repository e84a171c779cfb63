"""An explicit finite-state-machine engine for WebRTC connections.

The names below are the package's public ones; each is loaded when it is first used, so that ``import fsm_rtc`` costs
next to nothing and a program that only reads tables never loads a media library. Further public modules, by import:
``fsm_rtc.machines`` (the model), ``fsm_rtc.files``, ``fsm_rtc.bridge``, ``fsm_rtc.diagrams``, ``fsm_rtc.testing``.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from fsm_rtc._version import __version__

if TYPE_CHECKING:
    from fsm_rtc.connection import NO_RECOVERY, Connection, PipeChannel, RecoveryPolicy, Room
    from fsm_rtc.engine import (
        Accepted,
        Chart,
        Derived,
        Journal,
        Observed,
        On,
        Queued,
        Row,
        Rule,
        adopt,
        resolves_to,
        stay,
    )
    from fsm_rtc.errors import (
        AdapterError,
        ChannelClosedError,
        ChartError,
        ConformanceError,
        ConnectionFailedError,
        ConnectTimeoutError,
        FileRefusal,
        FileTransferError,
        FsmRtcError,
        IdentityError,
        InvalidAccessError,
        InvalidCandidateError,
        InvalidDescriptionError,
        InvalidModificationError,
        InvalidStateError,
        JournalError,
        KnownPeersError,
        LinkDownError,
        Malformed,
        MessageError,
        NotSupportedError,
        NoUsableAddressError,
        OperationError,
        Reason,
        Rejected,
        RTCError,
        RunawayError,
        SdpSyntaxError,
        SignalingError,
        SnapshotError,
        SpecificationError,
        TokenError,
        UnknownEngineError,
        UnknownMachineError,
        UnknownTriggerError,
        WrongThreadError,
    )
    from fsm_rtc.messages import Allowlist, AnyPeer, Identity, KnownPeers, TrustOnFirstUse
    from fsm_rtc.peer.configuration import Configuration, IceServer
    from fsm_rtc.peer.data_channel import DataChannel
    from fsm_rtc.peer.description import IceCandidate, SessionDescription
    from fsm_rtc.peer.media_stream import MediaStream
    from fsm_rtc.peer.peer_connection import PeerConnection
    from fsm_rtc.peer.rtc_configuration import RTCConfiguration
    from fsm_rtc.peer.rtc_data_channel import RTCDataChannel
    from fsm_rtc.peer.rtc_ice_candidate import RTCIceCandidate, RTCPeerConnectionIceEvent
    from fsm_rtc.peer.rtc_peer_connection import RTCDataChannelEvent, RTCPeerConnection
    from fsm_rtc.peer.rtc_session_description import RTCSessionDescription
    from fsm_rtc.peer.track_event import RTCTrackEvent
    from fsm_rtc.signaling import SignalingServer, WebSocketSignaling, join
    from fsm_rtc.store import ConnectionStore

__all__ = [
    "Accepted",
    "AdapterError",
    "Allowlist",
    "AnyPeer",
    "ChannelClosedError",
    "Chart",
    "ChartError",
    "Configuration",
    "ConformanceError",
    "ConnectTimeoutError",
    "Connection",
    "ConnectionFailedError",
    "ConnectionStore",
    "DataChannel",
    "Derived",
    "FileRefusal",
    "FileTransferError",
    "FsmRtcError",
    "IceCandidate",
    "IceServer",
    "Identity",
    "IdentityError",
    "InvalidAccessError",
    "InvalidCandidateError",
    "InvalidDescriptionError",
    "InvalidModificationError",
    "InvalidStateError",
    "Journal",
    "JournalError",
    "KnownPeers",
    "KnownPeersError",
    "LinkDownError",
    "Malformed",
    "MediaStream",
    "MessageError",
    "NO_RECOVERY",
    "NoUsableAddressError",
    "NotSupportedError",
    "Observed",
    "On",
    "OperationError",
    "PeerConnection",
    "PipeChannel",
    "Queued",
    "RTCConfiguration",
    "RTCDataChannel",
    "RTCDataChannelEvent",
    "RTCError",
    "RTCIceCandidate",
    "RTCPeerConnection",
    "RTCPeerConnectionIceEvent",
    "RTCSessionDescription",
    "RTCTrackEvent",
    "Reason",
    "RecoveryPolicy",
    "Rejected",
    "Room",
    "Row",
    "Rule",
    "RunawayError",
    "SdpSyntaxError",
    "SessionDescription",
    "SignalingError",
    "SignalingServer",
    "SnapshotError",
    "SpecificationError",
    "TokenError",
    "TrustOnFirstUse",
    "UnknownEngineError",
    "UnknownMachineError",
    "UnknownTriggerError",
    "WebSocketSignaling",
    "WrongThreadError",
    "__version__",
    "adopt",
    "join",
    "resolves_to",
    "stay",
]

_ELSEWHERE = {
    "Allowlist": "fsm_rtc.messages",
    "AnyPeer": "fsm_rtc.messages",
    "Configuration": "fsm_rtc.peer.configuration",
    "Connection": "fsm_rtc.connection",
    "ConnectionStore": "fsm_rtc.store",
    "DataChannel": "fsm_rtc.peer.data_channel",
    "FileRefusal": "fsm_rtc.errors",
    "IceCandidate": "fsm_rtc.peer.description",
    "IceServer": "fsm_rtc.peer.configuration",
    "Identity": "fsm_rtc.messages",
    "KnownPeers": "fsm_rtc.messages",
    "Malformed": "fsm_rtc.errors",
    "PeerConnection": "fsm_rtc.peer.peer_connection",
    "PipeChannel": "fsm_rtc.connection",
    "MediaStream": "fsm_rtc.peer.media_stream",
    "RTCConfiguration": "fsm_rtc.peer.rtc_configuration",
    "RTCDataChannel": "fsm_rtc.peer.rtc_data_channel",
    "RTCIceCandidate": "fsm_rtc.peer.rtc_ice_candidate",
    "RTCPeerConnectionIceEvent": "fsm_rtc.peer.rtc_ice_candidate",
    "RTCDataChannelEvent": "fsm_rtc.peer.rtc_peer_connection",
    "RTCPeerConnection": "fsm_rtc.peer.rtc_peer_connection",
    "RTCSessionDescription": "fsm_rtc.peer.rtc_session_description",
    "RTCTrackEvent": "fsm_rtc.peer.track_event",
    "Reason": "fsm_rtc.errors",
    "Rejected": "fsm_rtc.errors",
    "NO_RECOVERY": "fsm_rtc.connection",
    "RecoveryPolicy": "fsm_rtc.connection",
    "Room": "fsm_rtc.connection",
    "SessionDescription": "fsm_rtc.peer.description",
    "SignalingServer": "fsm_rtc.signaling",
    "TrustOnFirstUse": "fsm_rtc.messages",
    "WebSocketSignaling": "fsm_rtc.signaling",
    "join": "fsm_rtc.signaling",
}
"""Where a name lives, unless it is an error (``fsm_rtc.errors``) or a word of the engine (``fsm_rtc.engine``)."""


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _ELSEWHERE.get(name) or ("fsm_rtc.errors" if name.endswith("Error") else "fsm_rtc.engine")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
