"""Frames that must not be taken, and by what each is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

import msgspec

from fsm_rtc.connection.exchange.exchanger import NOT_FOR_A_PEER
from fsm_rtc.errors import Malformed, MessageError
from fsm_rtc.messages import (
    MAX_MESSAGE_BYTES,
    Ack,
    Answer,
    Bye,
    Candidate,
    Challenge,
    EndOfCandidates,
    Identity,
    Member,
    MemberJoined,
    MemberLeft,
    Message,
    Offer,
    PeerMessage,
    Welcome,
    decode,
    encode,
)
from tests.connection.exchange.exchange_pair import ROOM, Pair, Side, sdp

Frame = tuple[str | bytes, str]
"""A frame, and the name of what refuses it."""

PEER_KINDS = (Offer, Answer, Candidate, EndOfCandidates, Bye)
SIGNED_BY = "signed_by_the_peer"
FINGERPRINT = ":".join(["FA"] * 32)


class Enemy:
    """Whoever is on the way: he sees every frame, has a key of his own, and neither side's.

    Args:
        pair: the two sides.
        victim: whom he writes to.
        seen: frames of the peer that have been delivered to the victim.
        random: chooses.
    """

    def __init__(self, pair: Pair, victim: Side, seen: list[str], random: Random) -> None:
        self.random = random
        self.seen = [text for text in seen if not text.startswith('{"type":"ack"')]
        self.me = pair.members[pair.sides.index(victim)]
        self.peer = pair.members[1 - pair.sides.index(victim)]
        self.next_sequence = victim.exchanger.memory.next_sequence
        self.own = Member(ROOM, Identity.generate(), "mallory")

    def message(self, **changes: Any) -> PeerMessage:
        """The next message of the peer, as the victim would take it, but for its signature."""
        kind: type[PeerMessage] = self.random.choice(PEER_KINDS)
        sender, recipient = self.peer.introduction, self.me.introduction
        fields: dict[str, Any] = {
            "room": ROOM,
            "sender": sender.id,
            "recipient": recipient.id,
            "sender_session": sender.session,
            "recipient_session": recipient.session,
            "sequence": self.next_sequence,
            "offer_id": f"{sender.session}.99",
            "payload": sdp("m", 1),
            "signature": b"",
        }
        return kind(**{**fields, **changes})

    def signed_by_the_peer(self, **changes: Any) -> str:
        """A message that the peer signed for another purpose."""
        return encode(self.peer.sign(self.message(**changes)))

    def altered(self, **changes: Any) -> str:
        """A message that the peer signed, changed on its way."""
        text = self.random.choice(self.seen) if self.seen else self.signed_by_the_peer()
        return encode(msgspec.structs.replace(_peer_message(text), **changes))


def wrong_key(enemy: Enemy) -> Frame:
    return encode(enemy.own.sign(enemy.message())), SIGNED_BY


def no_signature(enemy: Enemy) -> Frame:
    return encode(enemy.message()), SIGNED_BY


def random_signature(enemy: Enemy) -> Frame:
    return encode(enemy.message(signature=enemy.random.randbytes(64))), SIGNED_BY


def own_name_on_it(enemy: Enemy) -> Frame:
    mine = enemy.own.introduction
    return encode(enemy.own.sign(enemy.message(sender=mine.id, sender_session=mine.session))), "from_the_peer"


def replayed(enemy: Enemy) -> Frame:
    if not enemy.seen:
        return wrong_key(enemy)
    return enemy.random.choice(enemy.seen), "taken_once"


def other_room(enemy: Enemy) -> Frame:
    return enemy.signed_by_the_peer(room="another"), "of_this_room"


def other_recipient(enemy: Enemy) -> Frame:
    return enemy.signed_by_the_peer(recipient=enemy.own.introduction.id), "for_this_side"


def reflected(enemy: Enemy) -> Frame:
    return encode(enemy.me.sign(enemy.message(sender=enemy.me.introduction.id))), "from_the_peer"


def other_sender_session(enemy: Enemy) -> Frame:
    return enemy.signed_by_the_peer(sender_session="an-earlier-one"), "of_these_sessions"


def other_recipient_session(enemy: Enemy) -> Frame:
    return enemy.signed_by_the_peer(recipient_session="an-earlier-one"), "of_these_sessions"


def signed_for_another(enemy: Enemy) -> Frame:
    """What the peer signed for another room, recipient or session, made out to this one."""
    field = enemy.random.choice(["room", "recipient", "sender", "sender_session", "recipient_session"])
    right = enemy.message()
    elsewhere = enemy.peer.sign(msgspec.structs.replace(right, **{field: "another"}))
    return encode(msgspec.structs.replace(elsewhere, **{field: getattr(right, field)})), SIGNED_BY


def far_ahead(enemy: Enemy) -> Frame:
    ahead = enemy.next_sequence + 257 + enemy.random.randrange(2**40)
    return enemy.signed_by_the_peer(sequence=ahead), "next_in_sequence"


def swapped_fingerprint(enemy: Enemy) -> Frame:
    return enemy.altered(payload=sdp("m", 1).replace(FINGERPRINT, ":".join(["AB"] * 32))), SIGNED_BY


def swapped_candidate(enemy: Enemy) -> Frame:
    candidate = {"candidate": "candidate:1 1 udp 1 192.0.2.9 9 typ host", "sdpMid": "0", "sdpMLineIndex": 0}
    return enemy.altered(payload=json.dumps(candidate)), SIGNED_BY


def changed_offer_id(enemy: Enemy) -> Frame:
    return enemy.altered(offer_id=f"{enemy.peer.introduction.session}.{enemy.random.randrange(100, 999)}"), SIGNED_BY


def changed_sequence(enemy: Enemy) -> Frame:
    return enemy.altered(sequence=enemy.next_sequence + 1000), SIGNED_BY


def changed_type(enemy: Enemy) -> Frame:
    message = _peer_message(enemy.altered())
    kind = enemy.random.choice([kind for kind in PEER_KINDS if kind is not type(message)])
    return encode(kind(**{name: getattr(message, name) for name in message.__struct_fields__})), SIGNED_BY


def truncated(enemy: Enemy) -> Frame:
    text = enemy.signed_by_the_peer()
    return text[: enemy.random.randrange(len(text))], Malformed.NOT_JSON.value


def oversized(enemy: Enemy) -> Frame:
    characters = enemy.random.choice([MAX_MESSAGE_BYTES + 1, MAX_MESSAGE_BYTES // 2 + 1])
    return ("x" if characters > MAX_MESSAGE_BYTES else "é") * characters, Malformed.OVERSIZED.value


def deep(enemy: Enemy) -> Frame:
    return '{"type":"offer","x":' + "[" * enemy.random.randrange(20_000, 200_000), Malformed.TOO_DEEP.value


def wrong_type_of_a_field(enemy: Enemy) -> Frame:
    fields = json.loads(enemy.signed_by_the_peer())
    name = enemy.random.choice([name for name in fields if name != "type"])
    fields[name] = enemy.random.choice([None, [], {}, True, 1.5, -1])
    return json.dumps(fields), Malformed.WRONG_SHAPE.value


def missing_field(enemy: Enemy) -> Frame:
    fields = json.loads(enemy.signed_by_the_peer())
    del fields[enemy.random.choice(list(fields))]
    return json.dumps(fields), Malformed.WRONG_SHAPE.value


def unknown_field(enemy: Enemy) -> Frame:
    return json.dumps({**json.loads(enemy.signed_by_the_peer()), "x": 1}), Malformed.WRONG_SHAPE.value


def unknown_type(enemy: Enemy) -> Frame:
    return json.dumps({**json.loads(enemy.signed_by_the_peer()), "type": "renegotiate"}), Malformed.UNKNOWN_TYPE.value


def invalid_utf8(enemy: Enemy) -> Frame:
    frame = bytearray(enemy.signed_by_the_peer().encode())
    frame[enemy.random.randrange(len(frame))] = 0xFF
    return bytes(frame), Malformed.NOT_UTF8.value


def lone_surrogate(enemy: Enemy) -> Frame:
    return enemy.signed_by_the_peer().replace("kitchen", "\ud800"), Malformed.NOT_UTF8.value


def escaped_surrogate(enemy: Enemy) -> Frame:
    return enemy.signed_by_the_peer().replace("kitchen", "\\ud800"), Malformed.NOT_JSON.value


def garbage(enemy: Enemy) -> Frame:
    return enemy.random.choice(["", "\x00", "hello", "{", "}{", "nul", "'", "<xml/>"]), Malformed.NOT_JSON.value


def no_object(enemy: Enemy) -> Frame:
    return enemy.random.choice(["null", "1", "[]", '"offer"', "true"]), Malformed.WRONG_SHAPE.value


def from_a_server(enemy: Enemy) -> Frame:
    someone = enemy.own.introduction
    messages: list[Message] = [
        MemberJoined(someone),
        MemberLeft(someone.id, someone.session),
        Welcome((someone,)),
        Challenge("fsm_rtc/1", bytes(32)),
    ]
    message = enemy.random.choice(messages)
    return encode(message), NOT_FOR_A_PEER


def acknowledgement_by_another(enemy: Enemy) -> Frame:
    message = enemy.message(payload="9007199254740991", sequence=0, offer_id="")
    fields = {name: getattr(message, name) for name in message.__struct_fields__}
    return encode(enemy.own.sign(Ack(**fields))), SIGNED_BY


def mutated(enemy: Enemy) -> Frame:
    """A genuine frame, changed by whatever a bad line or a fuzzer does to bytes."""
    # One that has been delivered, or that is not the peer's: a change that changes nothing makes it no other.
    text = enemy.random.choice(enemy.seen) if enemy.seen else encode(enemy.own.sign(enemy.message()))
    frame = bytearray(text.encode())
    for _ in range(enemy.random.randint(1, 3)):
        enemy.random.choice(MUTATIONS)(frame, enemy.random)
    return bytes(frame), _why_refused(enemy, bytes(frame), _peer_message(text))


def _flip(frame: bytearray, random: Random) -> None:
    if frame:
        frame[random.randrange(len(frame))] ^= 1 << random.randrange(8)


def _insert(frame: bytearray, random: Random) -> None:
    frame[(place := random.randint(0, len(frame))) : place] = random.randbytes(random.randint(1, 4))


def _delete(frame: bytearray, random: Random) -> None:
    place = random.randint(0, len(frame))
    del frame[place : place + random.randint(1, 8)]


def _repeat(frame: bytearray, random: Random) -> None:
    place = random.randint(0, len(frame))
    frame[place:place] = frame[place : place + random.randint(1, 64)]


def _replace_a_letter(frame: bytearray, random: Random) -> None:
    if frame:
        frame[random.randrange(len(frame))] = ord(random.choice('aA0-_="{}[]:,. \\'))


MUTATIONS = (_flip, _insert, _delete, _repeat, _replace_a_letter)


def _why_refused(enemy: Enemy, frame: bytes, original: PeerMessage) -> str:
    """What must refuse it, stated apart from the table: the order of the checks, and that every field is signed."""
    try:
        message = decode(frame)
    except MessageError as malformed:
        return malformed.reason.value
    if not isinstance(message, PeerMessage):
        return NOT_FOR_A_PEER
    peer, me = enemy.peer.introduction, enemy.me.introduction
    if message.sender != peer.id:
        return "from_the_peer"
    if message.room != ROOM:
        return "of_this_room"
    if message.recipient != me.id:
        return "for_this_side"
    if (message.sender_session, message.recipient_session) != (peer.session, me.session):
        return "of_these_sessions"
    return "taken_once" if message == original and enemy.seen else SIGNED_BY


KINDS: tuple[Callable[[Enemy], Frame], ...] = (
    wrong_key,
    no_signature,
    random_signature,
    own_name_on_it,
    replayed,
    other_room,
    other_recipient,
    reflected,
    other_sender_session,
    other_recipient_session,
    signed_for_another,
    far_ahead,
    swapped_fingerprint,
    swapped_candidate,
    changed_offer_id,
    changed_sequence,
    changed_type,
    truncated,
    oversized,
    deep,
    wrong_type_of_a_field,
    missing_field,
    unknown_field,
    unknown_type,
    invalid_utf8,
    lone_surrogate,
    escaped_surrogate,
    garbage,
    no_object,
    from_a_server,
    acknowledgement_by_another,
    mutated,
)


def _peer_message(text: str) -> PeerMessage:
    message = decode(text)
    assert isinstance(message, PeerMessage)
    return message
