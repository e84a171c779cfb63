"""An explicit finite-state-machine engine for WebRTC connections.

The names below are the package's public ones; each is loaded when it is first used, so that ``import fsm_rtc`` costs
next to nothing and a program that only reads tables never loads a media library. Further public modules, by import:
``fsm_rtc.machines`` (the model), ``fsm_rtc.room``, ``fsm_rtc.files``, ``fsm_rtc.bridge``, ``fsm_rtc.diagrams``,
``fsm_rtc.testing``.
"""

from importlib import import_module

from fsm_rtc._version import __version__ as __version__

_HOMES = {
    "fsm_rtc.connection": """
        CallOptions Connection NO_RECOVERY PipeChannel RecoveryPolicy
    """,
    "fsm_rtc.driver": """
        Driver Handler
    """,
    "fsm_rtc.engine": """
        Accepted Chart Derived Journal Observed On Queued Row Rule adopt resolves_to stay
    """,
    "fsm_rtc.errors": """
        AdapterError ChannelClosedError ChartError ConformanceError ConnectTimeoutError
        ConnectionFailedError DriverClosedError DriverError FileRefusal FileTransferError FsmRtcError
        IdentityError InvalidAccessError InvalidCandidateError InvalidDescriptionError
        InvalidModificationError InvalidStateError JournalError KnownPeersError LinkDownError Malformed
        MessageError NoUsableAddressError NotSupportedError OperationError RTCError Reason Rejected
        RequestDroppedError RunawayError SdpSyntaxError SignalingError SnapshotError SpecificationError
        TokenError UnknownEngineError UnknownMachineError UnknownTriggerError WrongThreadError
    """,
    "fsm_rtc.messages": """
        Allowlist AnyPeer Identity KnownPeers TrustOnFirstUse
    """,
    "fsm_rtc.peer.backend": """
        RTCTrackEvent
    """,
    "fsm_rtc.peer.configuration": """
        Configuration IceServer
    """,
    "fsm_rtc.peer.data_channel": """
        DataChannel
    """,
    "fsm_rtc.peer.description": """
        IceCandidate SessionDescription
    """,
    "fsm_rtc.peer.peer_connection": """
        PeerConnection
    """,
    "fsm_rtc.peer.w3c.media_stream": """
        MediaStream
    """,
    "fsm_rtc.peer.w3c.rtc_configuration": """
        RTCConfiguration
    """,
    "fsm_rtc.peer.w3c.rtc_data_channel": """
        RTCDataChannel
    """,
    "fsm_rtc.peer.w3c.rtc_ice_candidate": """
        RTCIceCandidate RTCPeerConnectionIceEvent RTCSessionDescription
    """,
    "fsm_rtc.peer.w3c.rtc_peer_connection": """
        RTCDataChannelEvent RTCPeerConnection
    """,
    "fsm_rtc.room": """
        Room
    """,
    "fsm_rtc.signaling": """
        SignalingServer WebSocketSignaling join
    """,
    "fsm_rtc.store": """
        ConnectionStore
    """,
}
"""The public names, by the module that has them: the one list. ``__init__.pyi``, for type checkers, is made from it."""

_HOME_OF = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = sorted(["__version__", *_HOME_OF])


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOME_OF[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
