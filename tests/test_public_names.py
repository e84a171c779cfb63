"""The public names: a snapshot, so that a change of them is seen in review."""

import ast
from pathlib import Path

import pytest

import fsm_rtc

PUBLIC = """
    Accepted AdapterError Allowlist AnyPeer ChannelClosedError Chart ChartError Configuration ConformanceError
    ConnectTimeoutError Connection ConnectionFailedError ConnectionStore DataChannel Derived FileRefusal
    FileTransferError FsmRtcError IceCandidate IceServer Identity IdentityError InvalidAccessError
    InvalidCandidateError InvalidDescriptionError InvalidModificationError InvalidStateError Journal JournalError
    KnownPeers KnownPeersError LinkDownError Malformed MediaStream MessageError NO_RECOVERY NoUsableAddressError
    NotSupportedError Observed On OperationError PeerConnection PipeChannel Queued RTCConfiguration RTCDataChannel
    RTCDataChannelEvent RTCError RTCIceCandidate RTCPeerConnection RTCPeerConnectionIceEvent RTCSessionDescription
    RTCTrackEvent Reason RecoveryPolicy Rejected Room Row Rule RunawayError SdpSyntaxError SessionDescription
    SignalingError SignalingServer SnapshotError SpecificationError TokenError TrustOnFirstUse UnknownEngineError
    UnknownMachineError UnknownTriggerError WebSocketSignaling WrongThreadError __version__ adopt join resolves_to stay
""".split()


def test_the_public_names_are_these() -> None:
    assert sorted(fsm_rtc.__all__) == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_can_be_imported(name: str) -> None:
    assert getattr(fsm_rtc, name) is not None
    assert name in dir(fsm_rtc)


def test_a_type_checker_sees_the_same_names() -> None:
    tree = ast.parse(Path(fsm_rtc.__file__).read_text())
    seen = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen - {"import_module", "TYPE_CHECKING"} == set(PUBLIC)


def test_every_error_is_public() -> None:
    from fsm_rtc import errors

    assert set(errors.__all__) <= set(fsm_rtc.__all__)


def test_a_wrong_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="ConnectonStore"):
        fsm_rtc.ConnectonStore  # noqa: B018
