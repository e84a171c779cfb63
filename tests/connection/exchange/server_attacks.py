"""What a signalling server may lie about."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random

import msgspec

from fsm_rtc.messages import (
    Answer,
    Bye,
    Candidate,
    Error,
    ErrorCode,
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
from tests.connection.exchange.third_party import ThirdParty

__all__ = ["LIES", "Liar", "Lie", "honest"]


Lie = Callable[["Liar", Message, str], list[str]]
"""What the recipient gets in the place of a frame."""


class Liar:
    """What one run of the server lies about.

    Args:
        lie: what it does with each frame.
        third: whom it works for.
        random: chooses.

    Attributes:
        room: where it lies.
        answer: the third party's answer to the latest offer.
        back: frames for who sent the one that is lied about.
        newcomer: who introduced himself last.
        names: of those who did, by id.
        kept: frames that are held back.
        recorded: frames of an earlier call of the same two.
        told: how often it has lied.
    """

    def __init__(self, lie: Lie, third: ThirdParty, random: Random) -> None:
        self._lie = lie
        self.third = third
        self.random = random
        self.room = ""
        self.answer = ""
        self.back: list[str] = []
        self.newcomer: Introduction | None = None
        self.names: dict[str, str] = {}
        self.kept: list[str] = []
        self.recorded: list[str] = []
        self.told = 0

    async def frames(self, text: str) -> list[str]:
        """What is passed on in the place of a frame."""
        message = decode(text)
        if isinstance(message, Answer) and self._lie is not honest:
            self.third.try_answer(message.payload)
        if isinstance(message, Offer) and self._lie in ANSWERS:
            self.answer = await self.third.answer(message.payload)
        frames = self._lie(self, message, text)
        self.told += frames != [text]
        return frames


def honest(liar: Liar, message: Message, text: str) -> list[str]:
    return [text]


def alters_a_field(liar: Liar, message: Message, text: str) -> list[str]:
    if not isinstance(message, PeerMessage):
        return [text]
    fields = json.loads(text)
    name = liar.random.choice([name for name in fields if name != "type"])
    fields[name] = fields[name] + 1 if name == "sequence" else fields[name][::-1] + "A"
    return [json.dumps(fields)]


def swaps_the_offer(liar: Liar, message: Message, text: str) -> list[str]:
    """The third party's offer in the place of the other's; all else of the message is genuine."""
    if not isinstance(message, Offer):
        return [text]
    return [encode(msgspec.structs.replace(message, payload=liar.third.offer))]


def swaps_the_fingerprint(liar: Liar, message: Message, text: str) -> list[str]:
    if not isinstance(message, Offer | Answer):
        return [text]
    theirs = {line for line in liar.third.offer.splitlines() if line.startswith("a=fingerprint")}
    lines = [theirs.copy().pop() if one.startswith("a=fingerprint") else one for one in message.payload.splitlines()]
    return [encode(msgspec.structs.replace(message, payload="\r\n".join(lines) + "\r\n"))]


def signs_with_its_own_key(liar: Liar, message: Message, text: str) -> list[str]:
    if not isinstance(message, PeerMessage):
        return [text]
    changed = msgspec.structs.replace(message, payload=liar.third.offer)
    return [encode(liar.third.member(message.room, "").sign(changed))]


def adds_a_candidate(liar: Liar, message: Message, text: str) -> list[str]:
    if not isinstance(message, PeerMessage):
        return [text]
    (line, *_) = (one[2:] for one in liar.third.offer.splitlines() if one.startswith("a=candidate"))
    payload = json.dumps({"candidate": line, "sdpMid": "0", "sdpMLineIndex": 0})
    fields = {name: getattr(message, name) for name in message.__struct_fields__}
    return [text, encode(Candidate(**{**fields, "sequence": message.sequence + 1, "payload": payload}))]


def _someone_else(liar: Liar, introduction: Introduction) -> Introduction:
    return liar.third.member(liar.room, introduction.name).introduction


def introduces_the_third_party(liar: Liar, message: Message, text: str) -> list[str]:
    if isinstance(message, Welcome):
        return [encode(Welcome(tuple(_someone_else(liar, one) for one in message.members)))]
    if isinstance(message, MemberJoined):
        return [encode(MemberJoined(_someone_else(liar, message.member)))]
    return [text]


def swaps_the_key(liar: Liar, message: Message, text: str) -> list[str]:
    def swapped(one: Introduction) -> Introduction:
        return msgspec.structs.replace(one, public_key=liar.third.identity.public_key)

    if isinstance(message, Welcome):
        return [encode(Welcome(tuple(map(swapped, message.members))))]
    return [encode(MemberJoined(swapped(message.member)))] if isinstance(message, MemberJoined) else [text]


def lets_the_third_party_offer(liar: Liar, message: Message, text: str) -> list[str]:
    """The third party comes beside the peer, under the peer's name, with an offer that is signed in order."""
    known = (
        message.members
        if isinstance(message, Welcome)
        else (message.member,)
        if isinstance(message, MemberJoined)
        else ()
    )
    names = [one.name for one in known]
    if isinstance(message, PeerMessage):
        names = [liar.names[message.sender]]
    if not names:
        return [text]
    third = liar.third.member(liar.room, names[0])
    frames = [encode(MemberJoined(third.introduction)), text]
    if isinstance(message, Welcome):
        frames.reverse()  # before it is welcome, a client takes nothing else
    if isinstance(message, PeerMessage):
        mine = third.introduction
        offer = Offer(
            room=liar.room,
            sender=mine.id,
            recipient=message.recipient,
            sender_session=mine.session,
            recipient_session=message.recipient_session,
            sequence=1,
            offer_id=f"{mine.session}.1",
            payload=liar.third.offer,
            signature=b"",
        )
        frames.insert(1, encode(third.sign(offer)))
    return frames


def drops(liar: Liar, message: Message, text: str) -> list[str]:
    is_dropped = liar.told == 0 or liar.random.random() < 0.3
    return [] if isinstance(message, PeerMessage) and is_dropped else [text]


def repeats(liar: Liar, message: Message, text: str) -> list[str]:
    return [text] * liar.random.randint(2, 4) if isinstance(message, PeerMessage | MemberJoined) else [text]


def reorders(liar: Liar, message: Message, text: str) -> list[str]:
    if not isinstance(message, PeerMessage):
        return [text]
    liar.kept.append(text)
    if liar.told == 0 or liar.random.random() < 0.5:
        return []
    kept, liar.kept = liar.kept, []
    liar.random.shuffle(kept)
    return kept


def replays_an_earlier_call(liar: Liar, message: Message, text: str) -> list[str]:
    if not isinstance(message, PeerMessage | Welcome | MemberJoined):
        return [text]
    messages = [one for one in liar.recorded if isinstance(decode(one), PeerMessage)]
    return [text, *liar.random.sample(messages, min(5, len(messages)))]


def breaks_frames(liar: Liar, message: Message, text: str) -> list[str]:
    if not isinstance(message, PeerMessage):
        return [text]
    return [text[: liar.random.randrange(len(text))], "[" * 1000, text[::-1], text]


def answers_for_the_other(liar: Liar, message: Message, text: str) -> list[str]:
    """The third party's answer in the place of the other's; all else of the message is genuine."""
    if not isinstance(message, Answer):
        return [text]
    return [encode(msgspec.structs.replace(message, payload=liar.answer))]


def answers_first(liar: Liar, message: Message, text: str) -> list[str]:
    """The third party's answer goes back at once, signed by him; the offer never arrives."""
    if not isinstance(message, Offer):
        return [text]
    fields = {name: getattr(message, name) for name in message.__struct_fields__}
    names = ("sender", "recipient", "sender_session", "recipient_session")
    turned = (message.recipient, message.sender, message.recipient_session, message.sender_session)
    fields |= dict(zip(names, turned, strict=True))
    answer = Answer(**{**fields, "sequence": 1, "payload": liar.answer})
    liar.back.append(encode(liar.third.member(liar.room, "").sign(answer)))
    return []


def swaps_the_candidates(liar: Liar, message: Message, text: str) -> list[str]:
    """The third party's addresses in the place of the other's."""
    if not isinstance(message, Offer | Answer):
        return [text]
    theirs = [one for one in liar.third.offer.splitlines() if one.startswith("a=candidate")]
    lines = [one for one in message.payload.splitlines() if not one.startswith("a=candidate")]
    return [encode(msgspec.structs.replace(message, payload="\r\n".join([*lines, *theirs]) + "\r\n"))]


def introduces_each_to_himself(liar: Liar, message: Message, text: str) -> list[str]:
    if not isinstance(message, Welcome) or liar.newcomer is None:
        return [text]
    return [encode(Welcome((liar.newcomer, *message.members)))]


def brings_back_an_earlier_session(liar: Liar, message: Message, text: str) -> list[str]:
    """A genuine introduction of the same peer, and its messages, all from an earlier call."""
    if not isinstance(message, Answer | Offer):
        return [text]
    return [text, *(one for one in liar.recorded if isinstance(decode(one), MemberJoined | PeerMessage))]


def says_that_they_left(liar: Liar, message: Message, text: str) -> list[str]:
    if not isinstance(message, PeerMessage):
        return [text]
    return [encode(MemberLeft(message.sender, message.sender_session)), text]


def says_goodbye_for_them(liar: Liar, message: Message, text: str) -> list[str]:
    if not isinstance(message, PeerMessage):
        return [text]
    fields = {name: getattr(message, name) for name in message.__struct_fields__}
    return [encode(Bye(**{**fields, "offer_id": "", "payload": "farewell"})), text]


def throws_them_out(liar: Liar, message: Message, text: str) -> list[str]:
    if not isinstance(message, PeerMessage) or liar.told > 2:
        return [text]
    return [text, encode(Error(liar.random.choice([ErrorCode.ROOM_FULL, ErrorCode.SHUTTING_DOWN]), "go away"))]


def does_it_all(liar: Liar, message: Message, text: str) -> list[str]:
    """Now one lie, now another."""
    lie = liar.random.choice([lie for lie in LIES if lie is not does_it_all])
    return lie(liar, message, text)


LIES: tuple[Lie, ...] = (
    alters_a_field,
    swaps_the_offer,
    swaps_the_fingerprint,
    signs_with_its_own_key,
    adds_a_candidate,
    introduces_the_third_party,
    swaps_the_key,
    lets_the_third_party_offer,
    drops,
    repeats,
    reorders,
    replays_an_earlier_call,
    breaks_frames,
    answers_for_the_other,
    answers_first,
    swaps_the_candidates,
    introduces_each_to_himself,
    brings_back_an_earlier_session,
    says_that_they_left,
    says_goodbye_for_them,
    throws_them_out,
    does_it_all,
)

ANSWERS = (answers_for_the_other, answers_first, does_it_all)
"""For these the third party has his answers ready."""
