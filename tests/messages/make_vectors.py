"""Makes the protocol's test vectors: ``python -m tests.messages.make_vectors``, run in the project's folder.

ECDSA draws a random number for each signature, so the file differs each time it is made. It is committed once and
verified (tests/messages/test_vectors.py, tests/messages/vectors.mjs), and made anew when the protocol changes.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from fsm_rtc.errors import Malformed
from fsm_rtc.messages import (
    MAX_MESSAGE_BYTES,
    PROTOCOL,
    Ack,
    Answer,
    Bye,
    Candidate,
    EndOfCandidates,
    Hello,
    Identity,
    Introduction,
    Member,
    MemberJoined,
    Offer,
    PeerMessage,
    encode,
)
from fsm_rtc.messages.identity import key_id
from fsm_rtc.messages.signing import introduction_input, message_input, proof_input

FILE: Final = Path(__file__).parents[2] / "docs" / "protocol-vectors.json"

ROOM = "küche/🎥 1"
SESSIONS = {"alice": "YWxpY2UncyBzZXNzaW9uLg", "zoë 🎈": "em_DqydzIDFzdCBzZXNzaQ"}
NONCE = bytes(range(32))
SDP = (
    "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"
    "c=IN IP4 0.0.0.0\r\na=mid:0\r\na=ice-ufrag:{ufrag}\r\na=ice-pwd:0123456789012345678901\r\n"
    "a=fingerprint:sha-256 {fingerprint}\r\na=setup:{setup}\r\na=sctp-port:5000\r\n"
)
CANDIDATE = '{"candidate":"candidate:1 1 udp 2130706431 192.0.2.7 50000 typ host","sdpMid":"0","sdpMLineIndex":0}'
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of P-256's base point: SEC 2, section 2.4.2."""

Json = dict[str, Any]


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


def private_key(name: str) -> ec.EllipticCurvePrivateKey:
    """A key that anybody can compute, and so is worth nothing but in tests."""
    number = int.from_bytes(hashlib.sha256(f"fsm_rtc test key: {name}".encode()).digest(), "big")
    return ec.derive_private_key(number % (ORDER - 1) + 1, ec.SECP256R1())


def key_of(name: str) -> Json:
    identity = Identity(private_key(name))
    pkcs8 = private_key(name).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return {"name": name, "pkcs8": base64_of(pkcs8), "spki": base64_of(identity.public_key), "id": identity.id}


def member_of(name: str, room: str = ROOM) -> Member:
    return Member(room, Identity(private_key(name)), name, SESSIONS[name])


def introduction_of(name: str) -> Json:
    introduction = member_of(name).introduction
    return {
        "room": ROOM,
        "fields": json.loads(msgspec.json.encode(introduction)),
        "signing_input": introduction_input(introduction, ROOM).hex(),
        "signature": introduction.signature.hex(),
        "encoded": encode(MemberJoined(introduction)),
    }


def hello_of(name: str) -> Json:
    member = member_of(name)
    proof = member.prove(NONCE)
    return {
        "nonce": base64_of(NONCE),
        "room": ROOM,
        "id": member.introduction.id,
        "session": member.introduction.session,
        "key": name,
        "signing_input": proof_input(member.introduction, NONCE, ROOM).hex(),
        "signature": proof.hex(),
        "encoded": encode(Hello(PROTOCOL, ROOM, member.introduction, proof)),
    }


def message_of(kind: type[PeerMessage], name: str, sequence: int, offer_id: str, payload: str) -> PeerMessage:
    sender, recipient = (member_of(one).introduction for one in (name, *(SESSIONS.keys() - {name})))
    return member_of(name).sign(
        kind(ROOM, sender.id, recipient.id, sender.session, recipient.session, sequence, offer_id, payload, b"")
    )


def messages() -> list[tuple[str, PeerMessage]]:
    alice, zoe = SESSIONS
    fingerprint = ":".join(["FA"] * 32)
    offer = f"{SESSIONS[alice]}.1"
    return [
        (alice, message_of(Offer, alice, 1, offer, SDP.format(ufrag="al1c", fingerprint=fingerprint, setup="actpass"))),
        (zoe, message_of(Ack, zoe, 0, "", "1")),
        (zoe, message_of(Answer, zoe, 1, offer, SDP.format(ufrag="z0e1", fingerprint=fingerprint, setup="active"))),
        (alice, message_of(Candidate, alice, 2, offer, CANDIDATE)),
        (alice, message_of(EndOfCandidates, alice, 3, offer, "")),
        (zoe, message_of(Bye, zoe, 2**53 - 1, "", 'tschüß, "Zoë"\\ \U0001f44b\x00\x1f\u2028')),
    ]


def vector_of(key: str, message: PeerMessage) -> Json:
    return {
        "type": message.type,
        "key": key,
        "fields": json.loads(encode(message)),
        "signing_input": message_input(message).hex(),
        "signature": message.signature.hex(),
        "encoded": encode(message),
    }


# What is refused.


def bad_signatures() -> list[Json]:
    """Messages that are well formed, with a signature that doesn't hold."""
    key, offer = messages()[0]
    r, s = offer.signature[:32], offer.signature[32:]
    other = member_of("zoë 🎈")
    replace = msgspec.structs.replace
    fingerprint = replace(offer, payload=offer.payload.replace("FA:FA", "FA:FB", 1))
    moved = replace(offer, sender=offer.sender + offer.recipient[:1], recipient=offer.recipient[1:])
    unframed = b"".join(field.encode() for field in fields_of(message_input(offer)))
    cases: list[tuple[str, PeerMessage]] = [
        ("another room", replace(offer, room="parlour")),
        ("another sender", replace(offer, sender=offer.recipient)),
        ("another recipient", replace(offer, recipient=offer.sender)),
        ("another session of the sender", replace(offer, sender_session=offer.recipient_session)),
        ("another session of the recipient", replace(offer, recipient_session=offer.sender_session)),
        ("another sequence number", replace(offer, sequence=2)),
        ("another offer id", replace(offer, offer_id=f"{offer.sender_session}.2")),
        ("another DTLS fingerprint in the SDP", fingerprint),
        ("another type", Answer(**{name: getattr(offer, name) for name in offer.__struct_fields__})),
        ("a character moved from one field to the next", moved),
        ("signed with another key", other.sign(offer)),
        ("the signature of another message", replace(offer, signature=messages()[3][1].signature)),
        ("the fields signed without their lengths", replace(offer, signature=identity(key).sign(unframed))),
        ("signed as an introduction", replace(offer, signature=member_of(key).introduction.signature)),
        ("s before r", replace(offer, signature=s + r)),
        ("r is 0", replace(offer, signature=bytes(32) + s)),
        ("s is 0", replace(offer, signature=r + bytes(32))),
        ("r and s are 0", replace(offer, signature=bytes(64))),
        ("s is the order of the curve", replace(offer, signature=r + ORDER.to_bytes(32, "big"))),
        ("no signature", replace(offer, signature=b"")),
    ]
    return [{"reason": reason, "key": key, "encoded": encode(message)} for reason, message in cases]


def identity(name: str) -> Identity:
    return Identity(private_key(name))


def fields_of(signing_input: bytes) -> list[str]:
    """The fields in the bytes that are signed."""
    fields, rest = [], signing_input
    while rest:
        end = 4 + int.from_bytes(rest[:4], "big")
        fields.append(rest[4:end].decode())
        rest = rest[end:]
    return fields


def compressed(key: ec.EllipticCurvePrivateKey) -> bytes:
    """SPKI with the point in its compressed form, as no WebCrypto exports it."""
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    return bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200") + point


def bad_introductions() -> list[Json]:
    """Introductions that are well formed and not genuine."""
    good = member_of("alice").introduction
    other = member_of("zoë 🎈").introduction
    p384 = ec.derive_private_key(7, ec.SECP384R1()).public_key()
    spki384 = p384.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    short = compressed(private_key("alice"))
    replace = msgspec.structs.replace
    cases: list[tuple[str, Introduction]] = [
        ("signed for another room", member_of("alice", "parlour").introduction),
        ("another name", replace(good, name="alicf")),
        ("another session", replace(good, session=other.session)),
        ("another key under the same id", replace(good, public_key=other.public_key)),
        ("the id of another key, and signed", resigned(replace(good, id=other.id))),
        ("a key of the curve P-384", replace(good, public_key=spki384, id=key_id(spki384))),
        ("a key with its point compressed", resigned(replace(good, public_key=short, id=key_id(short)))),
        ("no key", replace(good, public_key=b"", id=key_id(b""))),
        ("no signature", replace(good, signature=b"")),
    ]
    return [
        {"reason": reason, "room": ROOM, "encoded": encode(MemberJoined(introduction))}
        for reason, introduction in cases
    ]


def resigned(introduction: Introduction) -> Introduction:
    signature = identity("alice").sign(introduction_input(introduction, ROOM))
    return msgspec.structs.replace(introduction, signature=signature)


def bad_frames() -> list[Json]:
    """Frames that are no message, in pieces: each a text, or bytes in hex, and how often it is repeated."""
    good = encode(messages()[0][1])
    fields: Json = json.loads(good)

    def altered(**changed: object) -> list[Json]:
        return [{"text": json.dumps(fields | changed, ensure_ascii=False)}]

    def without(name: str) -> list[Json]:
        return [{"text": json.dumps({key: value for key, value in fields.items() if key != name})}]

    depth = 100_000
    more = encode(MemberJoined(member_of("alice").introduction)).replace('"name"', '"admin":true,"name"')
    deep: list[Json] = [
        {"text": '{"type":"welcome","members":'},
        {"text": "[", "times": depth},
        {"text": "]", "times": depth},
    ]
    cases: list[tuple[Malformed, str, list[Json]]] = [
        (Malformed.OVERSIZED, "one byte too long", [{"text": " ", "times": MAX_MESSAGE_BYTES + 1}]),
        (Malformed.OVERSIZED, "few characters, many bytes", [{"text": "é", "times": MAX_MESSAGE_BYTES // 2 + 1}]),
        (Malformed.NOT_UTF8, "a byte that UTF-8 doesn't have", [{"hex": "ff"}]),
        (Malformed.NOT_UTF8, "half of a surrogate pair as bytes", [{"text": '"'}, {"hex": "eda080"}, {"text": '"'}]),
        (Malformed.NOT_JSON, "nothing", [{"text": ""}]),
        (Malformed.NOT_JSON, "cut short", [{"text": good[:-20]}]),
        (Malformed.NOT_JSON, "something behind the object", [{"text": good + "!"}]),
        (Malformed.NOT_JSON, "NaN", [{"text": good.replace('"sequence":1', '"sequence":NaN')}]),
        (Malformed.NOT_JSON, "half of a surrogate pair, escaped", [{"text": good.replace("v=0", "\\ud83c")}]),
        (Malformed.TOO_DEEP, "100,000 brackets", [{"text": '{"type":"welcome","members":'}, *deep, {"text": "}"}]),
        (Malformed.UNKNOWN_TYPE, "a type that there isn't", altered(type="renegotiate")),
        (Malformed.WRONG_SHAPE, "an array", [{"text": "[]"}]),
        (Malformed.WRONG_SHAPE, "no type", without("type")),
        (Malformed.WRONG_SHAPE, "no signature", without("signature")),
        (Malformed.WRONG_SHAPE, "a field that there isn't", altered(priority="high")),
        (Malformed.WRONG_SHAPE, "a field that there isn't, of an introduction", [{"text": more}]),
        (Malformed.WRONG_SHAPE, "the sequence number as text", altered(sequence="1")),
        (Malformed.WRONG_SHAPE, "the sequence number with a fraction", altered(sequence=1.5)),
        (Malformed.WRONG_SHAPE, "a sequence number below 0", altered(sequence=-1)),
        (Malformed.WRONG_SHAPE, "a sequence number of 2**53", altered(sequence=2**53)),
        (Malformed.WRONG_SHAPE, "a payload that is no text", altered(payload=None)),
        (Malformed.WRONG_SHAPE, "a room of 129 characters", altered(room="r" * 129)),
        (Malformed.WRONG_SHAPE, "a session of 129 characters", altered(sender_session="s" * 129)),
        (Malformed.WRONG_SHAPE, "an offer id of 161 characters", altered(offer_id="1" * 161)),
        (Malformed.WRONG_SHAPE, "a signature of 63 bytes", altered(signature=base64_of(bytes(63)))),
        (Malformed.WRONG_SHAPE, "a signature of 65 bytes", altered(signature=base64_of(bytes(65)))),
        (Malformed.WRONG_SHAPE, "a signature in DER", altered(signature=base64_of(bytes(71)))),
        (Malformed.WRONG_SHAPE, "base64 without its padding", altered(signature=base64_of(bytes(64)).rstrip("="))),
        (Malformed.WRONG_SHAPE, "base64url", altered(signature=base64.urlsafe_b64encode(b"\xff" * 64).decode())),
    ]
    return [{"reason": reason.value, "about": about, "pieces": pieces} for reason, about, pieces in cases]


def vectors() -> Json:
    """All of them."""
    return {
        "about": "Test vectors of docs/protocol.md, made with: python -m tests.messages.make_vectors",
        "protocol": PROTOCOL,
        "keys": [key_of(name) for name in SESSIONS],
        "introductions": [introduction_of(name) for name in SESSIONS],
        "hellos": [hello_of(name) for name in SESSIONS],
        "messages": [vector_of(name, message) for name, message in messages()],
        "bad_signatures": bad_signatures(),
        "bad_introductions": bad_introductions(),
        "bad_frames": bad_frames(),
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(vectors(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{FILE} is made")
