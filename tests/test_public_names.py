"""The public names: a snapshot, so that a change of them is seen in review."""

import os
from pathlib import Path

import pytest

import fsm_rtc

NAMES: list[str] = vars(fsm_rtc)["__all__"]
HOMES: dict[str, str] = vars(fsm_rtc)["_HOME_OF"]

PUBLIC = """
    Accepted AdapterError Allowlist AnyPeer CallOptions ChannelClosedError Chart ChartError Configuration
    ConformanceError ConnectTimeoutError Connection ConnectionFailedError ConnectionStore DataChannel Derived Driver
    DriverClosedError DriverError FileRefusal FileTransferError FsmRtcError Handler IceCandidate IceServer Identity
    IdentityError InvalidAccessError InvalidCandidateError InvalidDescriptionError InvalidModificationError
    InvalidStateError Journal JournalError KnownPeers KnownPeersError LinkDownError Malformed MediaStream
    MessageError NO_RECOVERY NoUsableAddressError NotSupportedError Observed On OperationError PeerConnection
    PipeChannel Queued RTCConfiguration RTCDataChannel RTCDataChannelEvent RTCError RTCIceCandidate
    RTCPeerConnection RTCPeerConnectionIceEvent RTCSessionDescription RTCTrackEvent Reason RecoveryPolicy Rejected
    RequestDroppedError Room Row Rule RunawayError SdpSyntaxError SessionDescription SignalingError SignalingServer
    SnapshotError SpecificationError TokenError TrustOnFirstUse UnknownEngineError UnknownMachineError
    UnknownTriggerError WebSocketSignaling WrongThreadError __version__ adopt join resolves_to stay
""".split()


def test_the_public_names_are_these() -> None:
    assert sorted(NAMES) == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_can_be_imported(name: str) -> None:
    assert getattr(fsm_rtc, name) is not None
    assert name in dir(fsm_rtc)


def stub() -> str:
    """The package's names as a type checker reads them."""
    imports = [
        f"from {module} import {name} as {name}\n" for name, module in sorted(HOMES.items(), key=lambda one: one[::-1])
    ]
    return "# Made from the list in __init__.py: UPDATE_GOLDEN=1 pytest tests/test_public_names.py\n" + "".join(
        [*imports, "from fsm_rtc._version import __version__ as __version__\n"]
    )


def test_a_type_checker_sees_the_same_names() -> None:
    path = Path(fsm_rtc.__file__).with_suffix(".pyi")
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(stub())
    assert path.read_text() == stub()


def test_every_error_is_public() -> None:
    from fsm_rtc import errors

    assert set(errors.__all__) <= set(NAMES)


def test_a_wrong_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="ConnectonStore"):
        getattr(fsm_rtc, "ConnectonStore")  # noqa: B009
