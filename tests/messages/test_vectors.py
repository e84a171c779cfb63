"""docs/protocol-vectors.json holds: read here, and read in JavaScript with WebCrypto."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_private_key

from fsm_rtc.errors import MessageError
from fsm_rtc.messages import (
    PROTOCOL,
    Candidate,
    Hello,
    Identity,
    MemberJoined,
    PeerMessage,
    decode,
    encode,
    is_genuine,
    is_genuine_introduction,
    is_proof,
    is_signed_by,
    key_id,
)
from fsm_rtc.messages.signing import introduction_input, message_input, proof_input

FILE = Path(__file__).parents[2] / "docs" / "protocol-vectors.json"
SCRIPT = Path(__file__).with_name("vectors.mjs")
VECTORS: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
KEYS = {key["name"]: base64.b64decode(key["spki"]) for key in VECTORS["keys"]}


def bytes_of(pieces: list[dict[str, Any]]) -> bytes:
    return b"".join(
        (bytes.fromhex(piece["hex"]) if "hex" in piece else piece["text"].encode()) * piece.get("times", 1)
        for piece in pieces
    )


def test_they_are_of_this_protocol() -> None:
    assert VECTORS["protocol"] == PROTOCOL


@pytest.mark.parametrize("key", VECTORS["keys"], ids=lambda key: key["name"])
def test_an_id_is_its_public_keys_and_both_halves_of_the_key_fit(key: dict[str, Any]) -> None:
    secret = load_der_private_key(base64.b64decode(key["pkcs8"]), None)
    assert isinstance(secret, ec.EllipticCurvePrivateKey)
    identity = Identity(secret)
    assert (base64.b64encode(identity.public_key).decode(), identity.id) == (key["spki"], key["id"])
    assert key_id(identity.public_key) == key["id"]
    assert len(key["id"]) == 43


@pytest.mark.parametrize("vector", VECTORS["introductions"], ids=lambda vector: vector["fields"]["name"])
def test_an_introduction_holds(vector: dict[str, Any]) -> None:
    joined = decode(vector["encoded"])
    assert isinstance(joined, MemberJoined)
    assert introduction_input(joined.member, vector["room"]).hex() == vector["signing_input"]
    assert joined.member.signature.hex() == vector["signature"]
    assert is_genuine_introduction(joined.member, vector["room"])
    assert json.loads(encode(joined)) == {"type": "joined", "member": vector["fields"]}


@pytest.mark.parametrize("vector", VECTORS["hellos"], ids=lambda vector: vector["key"])
def test_the_answer_to_a_challenge_holds(vector: dict[str, Any]) -> None:
    hello = decode(vector["encoded"])
    nonce = base64.b64decode(vector["nonce"])
    assert isinstance(hello, Hello)
    assert proof_input(hello.introduction, nonce, vector["room"]).hex() == vector["signing_input"]
    assert hello.proof.hex() == vector["signature"]
    assert is_genuine_introduction(hello.introduction, vector["room"])
    assert is_proof(hello.introduction, nonce, vector["room"], hello.proof)
    assert not is_proof(hello.introduction, nonce[::-1], vector["room"], hello.proof)


@pytest.mark.parametrize("vector", VECTORS["messages"], ids=lambda vector: vector["type"])
def test_a_message_holds(vector: dict[str, Any]) -> None:
    message = decode(vector["encoded"])
    assert isinstance(message, PeerMessage)
    assert message.type == vector["type"]
    assert message_input(message).hex() == vector["signing_input"]
    assert message.signature.hex() == vector["signature"]
    assert is_genuine(message, KEYS[vector["key"]])
    assert is_signed_by(KEYS[vector["key"]], message.signature, bytes.fromhex(vector["signing_input"]))
    assert json.loads(encode(message)) == vector["fields"]


def test_there_is_one_of_each_message_between_peers() -> None:
    kinds = {str(kind.__struct_config__.tag) for kind in PeerMessage.__subclasses__()}
    assert sorted(vector["type"] for vector in VECTORS["messages"]) == sorted(kinds)


@pytest.mark.parametrize("vector", VECTORS["bad_signatures"], ids=lambda vector: vector["reason"])
def test_a_signature_that_does_not_hold_is_refused(vector: dict[str, Any]) -> None:
    message = decode(vector["encoded"])
    assert isinstance(message, PeerMessage)
    assert not is_genuine(message, KEYS[vector["key"]])


@pytest.mark.parametrize("vector", VECTORS["bad_introductions"], ids=lambda vector: vector["reason"])
def test_an_introduction_that_does_not_hold_is_refused(vector: dict[str, Any]) -> None:
    joined = decode(vector["encoded"])
    assert isinstance(joined, MemberJoined)
    assert not is_genuine_introduction(joined.member, vector["room"])


@pytest.mark.parametrize("vector", VECTORS["bad_frames"], ids=lambda vector: f"{vector['reason']}: {vector['about']}")
def test_a_frame_that_is_no_message_is_refused_with_its_reason(vector: dict[str, Any]) -> None:
    with pytest.raises(MessageError) as refused:
        decode(bytes_of(vector["pieces"]))
    assert refused.value.reason.value == vector["reason"]


# In JavaScript.


@cache
def said_by_node() -> dict[str, Any]:
    node = shutil.which("node")
    if node is None:
        if os.environ.get("CI"):
            pytest.fail("the test vectors need Node 20 or later; install nodejs")
        pytest.skip("no node on the path: the test vectors are not verified with WebCrypto; install nodejs 20 or later")
    run = subprocess.run(
        [node, str(SCRIPT), str(FILE)], capture_output=True, encoding="utf-8", timeout=120, check=False
    )
    assert run.returncode == 0, run.stderr
    said: dict[str, Any] = json.loads(run.stdout)
    return said


@pytest.mark.live
def test_webcrypto_verifies_every_vector() -> None:
    kinds = ("keys", "introductions", "hellos", "messages", "bad_signatures", "bad_introductions")
    assert said_by_node()["verified"] == {kind: len(VECTORS[kind]) for kind in kinds}


@pytest.mark.live
def test_a_message_that_webcrypto_signed_holds_here() -> None:
    message = decode(said_by_node()["frame"])
    assert isinstance(message, Candidate)
    assert is_genuine(message, KEYS["alice"])
    assert json.loads(message.payload)["candidate"] == "candidate:é \U0001f600 \0\u2028"
