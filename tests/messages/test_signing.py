"""What is signed: every field, in its place, for one room, one peer and one pair of sessions."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fsm_rtc.errors import IdentityError
from fsm_rtc.messages import (
    PROTOCOL,
    Answer,
    Bye,
    Identity,
    Introduction,
    Member,
    Offer,
    PeerMessage,
    is_genuine,
    is_genuine_introduction,
    is_proof,
    new_session,
)
from fsm_rtc.messages.signing import introduction_input, message_input, proof_input, signing_input

ALICE, BOB = Identity.generate(), Identity.generate()
ROOM = "kitchen"
NONCE = bytes(range(32))
ME = Member(ROOM, ALICE, "alice", "session of alice")
TEXTS = ("room", "sender", "recipient", "sender_session", "recipient_session", "offer_id", "payload")

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
kinds = st.sampled_from(PeerMessage.__subclasses__())
messages = st.builds(
    lambda kind, sequence, *fields: kind(*fields[:5], sequence, *fields[5:], b""),
    kinds,
    st.integers(0, 2**53 - 1),
    *(texts for _ in TEXTS),
)


def signed(message: PeerMessage) -> PeerMessage:
    return ME.sign(message)


def changed(message: Any, **fields: object) -> Any:
    return msgspec.structs.replace(message, **fields)


# The bytes.


def test_a_field_is_its_length_in_four_bytes_and_its_utf_8() -> None:
    assert signing_input() == b""
    assert signing_input("") == b"\0\0\0\0"
    assert signing_input("ab", "é\U0001f600") == b"\0\0\0\2ab\0\0\0\6\xc3\xa9\xf0\x9f\x98\x80"
    assert signing_input("x" * 65_536)[:4] == b"\0\1\0\0"


def test_a_messages_fields_are_signed_in_this_order() -> None:
    message = Offer("r", "s", "t", "u", "v", 12, "w", "x", b"")
    assert message_input(message) == signing_input(
        "fsm_rtc/1", "message", "r", "s", "t", "u", "v", "12", "w", "offer", "x"
    )


def test_an_introductions_fields_are_signed_in_this_order() -> None:
    introduction = Introduction("i", "s", "n", b"key", b"")
    assert introduction_input(introduction, "r") == signing_input("fsm_rtc/1", "introduction", "r", "i", "s", "n")


def test_a_proofs_fields_are_signed_in_this_order() -> None:
    introduction = Introduction("i", "s", "n", b"key", b"")
    nonce = base64.b64encode(NONCE).decode()
    assert proof_input(introduction, NONCE, "r") == signing_input("fsm_rtc/1", "hello", nonce, "r", "i", "s")


@given(st.lists(texts, max_size=4), st.lists(texts, max_size=4))
def test_other_fields_are_other_bytes(some: list[str], others: list[str]) -> None:
    assert (signing_input(*some) == signing_input(*others)) == (some == others)


# Messages.


@given(messages)
def test_a_signed_message_is_genuine_and_otherwise_the_same(message: PeerMessage) -> None:
    copy = signed(message)
    assert is_genuine(copy, ALICE.public_key)
    assert not is_genuine(copy, BOB.public_key)
    assert not is_genuine(message, ALICE.public_key)
    assert changed(copy, signature=b"") == message
    assert type(copy) is type(message)


@given(messages, st.sampled_from(TEXTS), texts)
def test_a_signature_breaks_when_any_field_changes(message: PeerMessage, field: str, text: str) -> None:
    assume(getattr(message, field) != text)
    assert not is_genuine(changed(signed(message), **{field: text}), ALICE.public_key)


@given(messages, st.integers(0, 2**53 - 1))
def test_a_signature_breaks_when_the_sequence_changes(message: PeerMessage, sequence: int) -> None:
    assume(message.sequence != sequence)
    assert not is_genuine(changed(signed(message), sequence=sequence), ALICE.public_key)


@given(messages, kinds)
def test_a_signature_breaks_when_the_type_changes(message: PeerMessage, kind: type[PeerMessage]) -> None:
    assume(type(message) is not kind)
    fields = {name: getattr(signed(message), name) for name in message.__struct_fields__}
    assert not is_genuine(kind(**fields), ALICE.public_key)


@given(messages, st.integers(0, len(TEXTS) - 2), st.integers(1, 5))
def test_characters_that_move_to_the_next_field_break_a_signature(message: PeerMessage, place: int, count: int) -> None:
    left, right = TEXTS[place], TEXTS[place + 1]
    moving = getattr(message, left)[-count:]
    assume(moving)
    moved = {left: getattr(message, left)[:-count], right: moving + getattr(message, right)}
    assert not is_genuine(changed(signed(message), **moved), ALICE.public_key)


def test_a_digit_that_moves_from_the_sequence_to_the_offer_id_breaks_a_signature() -> None:
    message = signed(Bye("r", "s", "t", "u", "v", 12, "3", "", b""))
    assert not is_genuine(changed(message, sequence=1, offer_id="23"), ALICE.public_key)
    assert not is_genuine(changed(message, sequence=123, offer_id=""), ALICE.public_key)


def test_an_answer_is_not_an_offer() -> None:
    message = signed(Offer("r", "s", "t", "u", "v", 1, "w", "x", b""))
    assert not is_genuine(Answer("r", "s", "t", "u", "v", 1, "w", "x", message.signature), ALICE.public_key)


# Introductions.


def test_an_introduction_is_genuine_for_its_room_alone() -> None:
    introduction = ME.introduction
    assert (introduction.id, introduction.name, introduction.session) == (ALICE.id, "alice", "session of alice")
    assert introduction.public_key == ALICE.public_key
    assert is_genuine_introduction(introduction, ROOM)
    assert not is_genuine_introduction(introduction, "parlour")
    assert not is_genuine_introduction(introduction, "")


@pytest.mark.parametrize(
    "other",
    [
        {"id": BOB.id},
        {"id": ""},
        {"session": "another"},
        {"name": "alic"},
        {"public_key": BOB.public_key},
        {"public_key": BOB.public_key, "id": BOB.id},
        {"public_key": b""},
        {"signature": b""},
        {"signature": bytes(64)},
        {"name": "", "session": "session of alicealice"},
    ],
    ids=lambda fields: "-".join(f"{name}{len(value)}" for name, value in fields.items()),
)
def test_a_changed_introduction_is_not_genuine(other: dict[str, Any]) -> None:
    assert not is_genuine_introduction(changed(ME.introduction, **other), ROOM)


def test_an_id_that_is_not_the_keys_is_refused_even_if_the_key_signs_it() -> None:
    claimed = changed(ME.introduction, id=BOB.id, signature=b"")
    signature = ALICE.sign(introduction_input(claimed, ROOM))
    assert not is_genuine_introduction(changed(claimed, signature=signature), ROOM)


# Proofs.


def test_a_proof_is_of_its_challenge_room_and_session_alone() -> None:
    proof = ME.prove(NONCE)
    introduction = ME.introduction
    assert is_proof(introduction, NONCE, ROOM, proof)
    assert not is_proof(introduction, NONCE[:-1], ROOM, proof)
    assert not is_proof(introduction, bytes(32), ROOM, proof)
    assert not is_proof(introduction, NONCE, "parlour", proof)
    assert not is_proof(changed(introduction, session="another"), NONCE, ROOM, proof)
    assert not is_proof(changed(introduction, id="another"), NONCE, ROOM, proof)
    assert not is_proof(changed(introduction, public_key=BOB.public_key), NONCE, ROOM, proof)
    assert not is_proof(introduction, NONCE, ROOM, b"")


def test_what_is_signed_for_one_purpose_is_nothing_for_another() -> None:
    introduction = ME.introduction
    assert not is_proof(introduction, NONCE, ROOM, introduction.signature)
    assert not is_genuine_introduction(changed(introduction, signature=ME.prove(NONCE)), ROOM)
    nonce = base64.b64encode(NONCE).decode()
    message = Bye(nonce, ROOM, introduction.id, introduction.session, "", 0, "", "", ME.prove(NONCE))
    assert not is_genuine(message, ALICE.public_key)


# Members.


def test_a_session_is_16_random_bytes_in_22_characters() -> None:
    sessions = {new_session() for _ in range(100)}
    assert len(sessions) == 100
    assert all(len(base64.urlsafe_b64decode(session + "==")) == 16 and len(session) == 22 for session in sessions)
    assert Member(ROOM, ALICE).introduction.session != Member(ROOM, ALICE).introduction.session


def test_a_side_without_a_key_signs_nothing_and_has_an_id_of_its_own() -> None:
    one, other = Member(ROOM, name="one"), Member(ROOM)
    assert one.introduction.id != other.introduction.id
    assert (one.introduction.public_key, one.introduction.signature, one.prove(NONCE)) == (b"", b"", b"")
    message = Bye(ROOM, "s", "t", "u", "v", 1, "", "", b"")
    assert one.sign(message) is message
    assert not is_genuine_introduction(one.introduction, ROOM)
    assert not is_genuine(message, b"")


@pytest.mark.parametrize(
    ("room", "name", "session", "what"),
    [
        ("r" * 129, "", "s", r"room's name has 129 .* at most 128"),
        ("", "n" * 129, "s", r"the name has 129 .* at most 128"),
        ("", "", "s" * 129, r"session has 129 .* at most 128"),
        ("\ud800", "", "s", r"room's name '\\ud800' .* choose another"),
        ("", "\udcff", "s", r"name '\\udcff' .* choose another"),
        ("", "", "\udfff", r"session '\\udfff' .* choose another"),
    ],
)
def test_a_name_that_no_message_can_hold_is_told_at_once(room: str, name: str, session: str, what: str) -> None:
    for identity in (ALICE, None):
        with pytest.raises(IdentityError, match=what):
            Member(room, identity, name, session)


def test_the_longest_names_are_taken() -> None:
    member = Member("\U0001f600" * 128, ALICE, "é" * 128, "s" * 128)
    assert is_genuine_introduction(member.introduction, member.room)


def test_the_version_is_signed() -> None:
    assert PROTOCOL == "fsm_rtc/1"
    message = Bye(ROOM, "s", "t", "u", "v", 1, "", "", b"")
    old = ALICE.sign(message_input(message).replace(b"fsm_rtc/1", b"fsm_rtc/0"))
    assert not is_genuine(changed(message, signature=old), ALICE.public_key)
