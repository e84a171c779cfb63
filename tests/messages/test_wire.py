"""Frames: what is a message is read back as it was; everything else is refused with its reason, and nothing else."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from fsm_rtc.errors import Malformed, MessageError
from fsm_rtc.machines import exchange
from fsm_rtc.messages import (
    MAX_MESSAGE_BYTES,
    Ack,
    Bye,
    Challenge,
    Error,
    ErrorCode,
    Hello,
    Introduction,
    MemberJoined,
    MemberLeft,
    Message,
    Offer,
    PeerMessage,
    Welcome,
    decode,
    encode,
)
from fsm_rtc.messages.wire import IceServerInfo, IceServers
from fsm_rtc.signaling.limits import CLOSE_CODES, FINAL

PROTOCOL_TEXT = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")

characters = st.characters(exclude_categories=["Cs"])
tokens = st.text(characters, max_size=128)
signatures = st.sampled_from([b"", bytes(64), bytes(range(64))])
introductions = st.builds(Introduction, tokens, tokens, tokens, st.binary(max_size=512), signatures)
peer_messages = st.builds(
    lambda kind, ids, sequence, offer_id, payload, signature: kind(*ids, sequence, offer_id, payload, signature),
    st.sampled_from(PeerMessage.__subclasses__()),
    st.tuples(tokens, tokens, tokens, tokens, tokens),
    st.integers(0, 2**53 - 1),
    st.text(characters, max_size=160),
    st.text(characters),
    signatures,
)
messages: st.SearchStrategy[Message] = st.one_of(
    peer_messages,
    st.builds(Challenge, tokens, st.binary(min_size=16, max_size=64)),
    st.builds(Hello, tokens, tokens, introductions, signatures),
    st.builds(Welcome, st.lists(introductions, max_size=3).map(tuple)),
    st.builds(
        IceServers,
        st.lists(st.builds(IceServerInfo, st.lists(tokens, max_size=8).map(tuple), tokens, tokens), max_size=8).map(
            tuple
        ),
    ),
    st.builds(MemberJoined, introductions),
    st.builds(MemberLeft, tokens, tokens),
    st.builds(Error, st.sampled_from(ErrorCode), st.text(characters)),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner, max_size=4)
)

OFFER = Offer("room", "a", "b", "sa", "sb", 1, "sa.1", "v=0\r\n", bytes(64))
FRAME = encode(OFFER)
FIELDS: dict[str, Any] = json.loads(FRAME)
INTRODUCTION = Introduction("a", "sa", "alice", bytes(91), bytes(64))


def altered(**changed: object) -> str:
    return json.dumps(FIELDS | changed, ensure_ascii=False)


def reason_of(frame: str | bytes) -> Malformed:
    with pytest.raises(MessageError) as refused:
        decode(frame)
    told = str(refused.value)
    assert told.isprintable()
    assert len(told) < 500
    assert "; " in told, "it must end with what to do"
    return refused.value.reason


def raises_nothing_else(frame: str | bytes) -> Message | None:
    try:
        return decode(frame)
    except MessageError:
        return None


# What is a message.


@given(messages)
def test_a_message_is_read_back_from_text_and_from_bytes(message: Message) -> None:
    frame = encode(message)
    assert decode(frame) == message
    assert decode(frame.encode()) == message
    assert type(decode(frame)) is type(message)


@given(messages)
def test_it_is_read_however_its_json_is_written(message: Message) -> None:
    fields = json.loads(encode(message))
    assert decode(json.dumps(fields, indent=2, sort_keys=True)) == message
    assert decode(f" \n{json.dumps(dict(reversed(fields.items())), ensure_ascii=True)}\t") == message


def test_the_type_is_told_by_the_message() -> None:
    assert OFFER.type == "offer"
    assert FRAME.startswith('{"type":"offer",')
    assert Bye("r", "a", "b", "sa", "sb", 1, "", "", b"").type == "bye"
    assert Ack("r", "a", "b", "sa", "sb", 0, "", "1", b"").type == "ack"


@pytest.mark.parametrize("field", ["room", "sender", "recipient", "sender_session", "recipient_session"])
def test_a_name_may_have_128_characters_of_any_kind(field: str) -> None:
    assert getattr(decode(altered(**{field: "\U0001f600" * 128})), field) == "\U0001f600" * 128
    assert reason_of(altered(**{field: "\U0001f600" * 129})) is Malformed.WRONG_SHAPE


def test_an_offer_id_may_have_160_characters() -> None:
    assert decode(altered(offer_id="1" * 160)) == msgspec.structs.replace(OFFER, offer_id="1" * 160)
    assert reason_of(altered(offer_id="1" * 161)) is Malformed.WRONG_SHAPE


@pytest.mark.parametrize(("length", "fits"), [(512, True), (513, False)])
def test_a_public_key_may_have_512_bytes(length: int, fits: bool) -> None:
    joined = MemberJoined(msgspec.structs.replace(INTRODUCTION, public_key=bytes(length)))
    if fits:
        assert decode(encode(joined)) == joined
    else:
        assert reason_of(encode(joined)) is Malformed.WRONG_SHAPE


def test_of_a_repeated_key_the_last_counts_but_a_second_type_is_refused() -> None:
    assert decode(FRAME[:-1] + ',"payload":"other"}') == msgspec.structs.replace(OFFER, payload="other")
    assert reason_of(FRAME[:-1] + ',"type":"bye"}') is Malformed.WRONG_SHAPE
    assert reason_of('{"type":"bye",' + FRAME[1:]) is Malformed.WRONG_SHAPE


def test_an_escaped_pair_of_surrogates_is_a_character() -> None:
    offer = decode(FRAME.replace("v=0", "\\ud83d\\ude00\\u0000"))
    assert isinstance(offer, Offer)
    assert offer.payload == "\U0001f600\0\r\n"


def test_of_a_repeated_key_the_last_counts_but_the_type_is_one() -> None:
    offer = decode(FRAME[:-1] + ',"payload":"last"}')
    assert isinstance(offer, Offer)
    assert offer.payload == "last"
    assert reason_of(FRAME[:-1] + ',"type":"answer"}') is Malformed.WRONG_SHAPE
    assert reason_of('{"type":"answer",' + FRAME[1:]) is Malformed.WRONG_SHAPE
    assert reason_of(FRAME[:-1] + ',"type":"nothing"}') in (Malformed.WRONG_SHAPE, Malformed.UNKNOWN_TYPE)


def test_a_server_may_say_more_but_nobody_else() -> None:
    for message in (
        Challenge("fsm_rtc/1", bytes(32)),
        Welcome((INTRODUCTION,)),
        MemberJoined(INTRODUCTION),
        MemberLeft("a", "sa"),
        Error(ErrorCode.NOT_HERE, ""),
        Hello("fsm_rtc/1", "room", INTRODUCTION, bytes(64)),
    ):
        fields = json.loads(encode(message))
        assert decode(json.dumps(fields | {"motd": "hello", "deep": [[{}]]})) == message
    joined = json.loads(encode(MemberJoined(INTRODUCTION)))
    joined["member"]["admin"] = True
    assert reason_of(json.dumps(joined)) is Malformed.WRONG_SHAPE
    for kind in PeerMessage.__subclasses__():
        fields = json.loads(encode(kind("r", "a", "b", "sa", "sb", 1, "", "", b""))) | {"priority": 1}
        assert reason_of(json.dumps(fields)) is Malformed.WRONG_SHAPE


# What is none.


def test_a_frame_of_the_longest_length_is_read_and_one_byte_more_is_not() -> None:
    assert MAX_MESSAGE_BYTES == 262_144
    room = MAX_MESSAGE_BYTES - len(altered(payload="").encode())
    for payload in ("x" * room, "é" * (room // 2) + "x" * (room % 2)):
        assert len(altered(payload=payload).encode()) == MAX_MESSAGE_BYTES
        assert decode(altered(payload=payload)) == msgspec.structs.replace(OFFER, payload=payload)
        assert decode(altered(payload=payload).encode()) == decode(altered(payload=payload))
        assert reason_of(altered(payload=payload + "x")) is Malformed.OVERSIZED
        assert reason_of(altered(payload=payload + "x").encode()) is Malformed.OVERSIZED


@pytest.mark.parametrize("data", [b"\xff", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"])
def test_bytes_that_are_not_utf_8_are_told(data: bytes) -> None:
    assert reason_of(data) is Malformed.NOT_UTF8
    assert reason_of(FRAME.encode().replace(b"v=0", data)) is Malformed.NOT_UTF8


def test_a_lone_surrogate_is_refused_in_either_form() -> None:
    for surrogate in ("\ud800", "\udbff", "\udc00", "\udfff", "\ude00\ud83d"):
        assert reason_of(FRAME.replace("v=0", surrogate)) is Malformed.NOT_UTF8
        escaped = "".join(f"\\u{ord(half):x}" for half in surrogate)
        assert reason_of(FRAME.replace("v=0", escaped)) is Malformed.NOT_JSON
        assert reason_of(FRAME.replace('"payload"', f'"{escaped}"')) is Malformed.NOT_JSON


@pytest.mark.parametrize(
    "frame", ["", " ", "{", "offer", "{'type': 'offer'}", "\ufeff" + FRAME, FRAME + FRAME, FRAME + "\0", "\0", "//\n{}"]
)
def test_what_is_not_json_is_told(frame: str) -> None:
    assert reason_of(frame) is Malformed.NOT_JSON
    assert reason_of(frame.encode()) is Malformed.NOT_JSON


def test_a_frame_that_is_cut_short_is_not_json() -> None:
    for length in range(len(FRAME)):
        assert reason_of(FRAME[:length]) is Malformed.NOT_JSON


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "01", "+1", "1.", ".5", "0x1", "1e"])
def test_a_number_that_json_does_not_have_is_not_json(number: str) -> None:
    assert reason_of(FRAME.replace('"sequence":1', f'"sequence":{number}')) is Malformed.NOT_JSON


@pytest.mark.parametrize(
    "number",
    ["-1", str(2**53), str(2**64), "9" * 400, "9" * 5000, "9" * 200_000, "1.0", "1e2", "1e400", "1e-400"],
)
def test_a_sequence_number_that_is_none_has_the_wrong_shape(number: str) -> None:
    assert reason_of(FRAME.replace('"sequence":1', f'"sequence":{number}')) is Malformed.WRONG_SHAPE


DEPTH = 100_000


@pytest.mark.parametrize(
    "frame",
    [
        '{"type":"welcome","members":[],"x":' + "[" * DEPTH + "]" * DEPTH + "}",
        '{"x":' + "[" * DEPTH + "]" * DEPTH + ',"type":"welcome","members":[]}',
        '{"type":"offer","payload":' + "[" * DEPTH,
        '{"type":"joined","member":' + '{"":' * 50_000,
    ],
    ids=["in an unknown field", "before the type", "never closed", "objects"],
)
def test_what_is_nested_too_deep_is_told(frame: str) -> None:
    assert reason_of(frame) is Malformed.TOO_DEEP
    assert reason_of(frame.encode()) is Malformed.TOO_DEEP


def test_nothing_but_100_000_brackets_is_refused() -> None:
    for bracket in ("[", "]", "{", "[{"):
        assert reason_of(bracket * DEPTH) in (Malformed.WRONG_SHAPE, Malformed.NOT_JSON)


@pytest.mark.parametrize("kind", ["", "Offer", "offer ", "renegotiate", "\x1b[31m", "x" * 10_000, "é\u202e"], ids=ascii)
def test_a_type_that_there_is_not_is_told(kind: str) -> None:
    assert reason_of(altered(type=kind)) is Malformed.UNKNOWN_TYPE


@pytest.mark.parametrize("frame", ["null", "[]", "1", "1e400", '"offer"', "{}", '{"type":null}', '{"type":["offer"]}'])
def test_what_is_no_object_with_a_type_has_the_wrong_shape(frame: str) -> None:
    assert reason_of(frame) is Malformed.WRONG_SHAPE


@given(messages, st.data())
def test_a_message_without_one_of_its_fields_has_the_wrong_shape(message: Message, data: st.DataObject) -> None:
    fields = json.loads(encode(message))
    required = {field.encode_name for field in msgspec.structs.fields(message) if field.required}
    del fields[data.draw(st.sampled_from(["type", *sorted(required)]))]
    assert reason_of(json.dumps(fields)) is Malformed.WRONG_SHAPE


@given(messages, st.data(), st.none() | st.booleans() | st.floats(-9, 9) | st.just([1]) | st.just({"": 1}))
def test_a_field_of_another_type_has_the_wrong_shape(message: Message, data: st.DataObject, value: object) -> None:
    fields = json.loads(encode(message))
    name = data.draw(st.sampled_from(sorted(fields)))
    assume((name, value) != ("resume", None))  # the one field that may be null
    assume(name != "resumed" or not isinstance(value, bool))
    fields[name] = value
    assert reason_of(json.dumps(fields)) is Malformed.WRONG_SHAPE


@pytest.mark.parametrize("length", [1, 32, 63, 65, 71, 72, 128])
def test_a_signature_has_64_bytes_or_none(length: int) -> None:
    signature = base64.b64encode(bytes(length)).decode()
    assert reason_of(altered(signature=signature)) is Malformed.WRONG_SHAPE
    hello = json.loads(encode(Hello("fsm_rtc/1", "room", INTRODUCTION, bytes(64))))
    assert reason_of(json.dumps(hello | {"proof": signature})) is Malformed.WRONG_SHAPE
    hello["introduction"]["signature"] = signature
    assert reason_of(json.dumps(hello)) is Malformed.WRONG_SHAPE
    with pytest.raises(ValueError, match="64 bytes"):
        msgspec.structs.replace(OFFER, signature=bytes(length))


@pytest.mark.parametrize("text", ["A", "A===", "AA", "A A=", "AAA\n=", "__--" * 22, "é", "=" * 88])
def test_bytes_are_in_standard_base64_with_padding(text: str) -> None:
    assert reason_of(altered(signature=text)) is Malformed.WRONG_SHAPE


@pytest.mark.parametrize("length", [0, 15, 65])
def test_a_nonce_has_16_to_64_bytes(length: int) -> None:
    nonce = base64.b64encode(bytes(length)).decode()
    frame = json.dumps({"type": "challenge", "protocol": "fsm_rtc/1", "nonce": nonce})
    assert reason_of(frame) is Malformed.WRONG_SHAPE


def test_an_error_code_that_there_is_not_has_the_wrong_shape() -> None:
    assert reason_of('{"type":"error","code":"maybe","message":""}') is Malformed.WRONG_SHAPE


def test_a_refusal_repeats_little_of_a_frame_and_nothing_that_a_terminal_obeys() -> None:
    assert reason_of(altered(**{"\x1b[2J" * 1000: 1})) is Malformed.WRONG_SHAPE
    assert reason_of(altered(**{"\u202e\n": 1})) is Malformed.WRONG_SHAPE


# Whatever comes.


@given(st.text() | st.binary())
def test_any_text_and_any_bytes_raise_nothing_else(frame: str | bytes) -> None:
    assert raises_nothing_else(frame) is None


@given(json_values)
@example([])
def test_any_json_raises_nothing_else(value: object) -> None:
    assert raises_nothing_else(json.dumps(value)) is None
    assert raises_nothing_else(json.dumps({"type": value})) is None
    assert raises_nothing_else(json.dumps({"type": "offer", "payload": value})) is None


@given(messages, st.data())
def test_a_mutated_message_raises_nothing_else_and_is_what_it_says(message: Message, data: st.DataObject) -> None:
    frame = bytearray(encode(message).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(frame)))
        end = data.draw(st.integers(start, min(len(frame), start + 20)))
        frame[start:end] = data.draw(
            st.binary(max_size=8) | st.sampled_from([b'"', b"}", b"[", b"\\u", b"1e999", b","])
        )
    read = raises_nothing_else(bytes(frame))
    if read is not None:
        assert decode(encode(read)) == read


@given(messages, st.data(), json_values | st.text(st.characters()))
def test_any_value_in_any_field_raises_nothing_else(message: Message, data: st.DataObject, value: object) -> None:
    fields = json.loads(encode(message))
    fields[data.draw(st.sampled_from(sorted(fields)) | st.text())] = value
    raises_nothing_else(json.dumps(fields))
    raises_nothing_else(json.dumps(fields, ensure_ascii=False))


# docs/protocol.md says the same.


def test_the_documentation_has_an_example_of_each_message() -> None:
    examples = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PROTOCOL_TEXT, re.DOTALL)]
    assert sorted({example["type"] for example in examples}) == sorted(
        str(kind.__struct_config__.tag) for kind in Message.__args__
    )
    for one in examples:
        assert json.loads(encode(decode(json.dumps(one)))) == one


def test_the_documentation_has_every_reason_and_every_code() -> None:
    for reason in Malformed:
        assert f"\n| `{reason.value}` | " in PROTOCOL_TEXT
    for code in ErrorCode:
        final = "final" if code in FINAL else ""
        row = " | ".join((f"| `{code.value}`", str(CLOSE_CODES.get(code, "")), final))
        assert re.sub(" +", " ", f"\n{row} |") in re.sub(" +", " ", PROTOCOL_TEXT)


def test_the_documentation_has_the_checks_in_the_order_in_which_they_are_asked() -> None:
    checks = [*exchange.ADDRESSED, exchange.signed_by_the_peer, exchange.taken_once, exchange.next_in_sequence]
    rest = [exchange.newer_offer, *exchange.CONNECTABLE, exchange.answers_this_offer, exchange.known_offer]
    part = PROTOCOL_TEXT.partition("### What a receiver checks")[2]
    names = [check.__name__ for check in (exchange.introduced_itself, exchange.trusted, *checks, *rest)]
    places = [part.index(f"`{name}`") for name in names]
    assert places == sorted(places)
