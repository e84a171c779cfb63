"""The twelve documented fields."""

import json
from dataclasses import fields

from fsm_rtc.store import ConnectionSnapshot
from tests.store.store_pairs import World

DOCUMENTED = (
    "signalingStatus",
    "peerConnectionStatus",
    "isOfferReceived",
    "connectionId",
    "error",
    "peerConnection",
    "offer",
    "answer",
    "remotePublicKey",
    "localPublicKey",
    "iceCandidates",
    "dataChannel",
)

INITIAL = {
    "signalingStatus": "Disconnected",
    "peerConnectionStatus": "Disconnected",
    "isOfferReceived": False,
    "connectionId": None,
    "error": None,
    "peerConnection": None,
    "offer": None,
    "answer": None,
    "remotePublicKey": None,
    "localPublicKey": None,
    "iceCandidates": [],
    "dataChannel": None,
}


def test_the_fields_are_the_documented_twelve_in_snake_case() -> None:
    def snake(name: str) -> str:
        return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)

    assert [one.name for one in fields(ConnectionSnapshot)] == [snake(name) for name in DOCUMENTED]


def test_at_the_beginning_they_are_as_documented() -> None:
    assert ConnectionSnapshot().to_dict() == INITIAL
    assert ConnectionSnapshot().to_json_dict() == INITIAL


async def test_of_a_connection_the_objects_are_themselves_and_all_else_is_plain(world: World) -> None:
    offerer, answerer = await world.connected()
    offerer.store.set_remote_public_key(b"\x00key")
    offerer.store.set_connection_id("id")
    told = offerer.store.snapshot.to_dict()
    assert tuple(told) == DOCUMENTED
    assert told["peerConnection"] is offerer.connection
    assert told["dataChannel"] is offerer.channel
    assert told["peerConnectionStatus"] == "connected"
    assert type(told["peerConnectionStatus"]) is str
    assert told["remotePublicKey"] == b"\x00key"
    assert offerer.store.snapshot.offer is not None
    assert told["offer"] == {"type": "offer", "sdp": offerer.store.snapshot.offer.sdp}
    assert answerer.store.snapshot.to_dict()["isOfferReceived"] is True


async def test_the_json_form_survives_json(world: World) -> None:
    offerer, _ = await world.connected()
    offerer.store.set_local_public_key(b"\x00key")
    offerer.store.set_error(RuntimeError("gone"))
    told = offerer.store.snapshot.to_json_dict()
    assert json.loads(json.dumps(told)) == told
    assert told["localPublicKey"] == "AGtleQ=="
    assert told["error"] == {"name": "RuntimeError", "message": "gone"}
    assert told["peerConnection"] == {
        "signalingState": "stable",
        "iceGatheringState": "complete",
        "iceConnectionState": "completed",
        "connectionState": "connected",
    }
    assert told["dataChannel"] == {"label": "secure-channel", "id": None, "readyState": "open"}


def test_a_printed_snapshot_tells_no_secret() -> None:
    printed = repr(ConnectionSnapshot(connection_id="id", local_public_key=b"secret", error=RuntimeError("gone")))
    assert "secret" not in printed
    assert "connection_id=id" in printed
    assert "gone" in printed
