"""Two exchanges, a link between them that does what it is told to, and peer connections that only count."""

from __future__ import annotations

from dataclasses import dataclass, field

from fsm_rtc.connection.exchange.candidates import ice_ufrag_of
from fsm_rtc.connection.exchange.exchanger import Exchanger
from fsm_rtc.connection.exchange.requests import AddCandidate, ExchangeEnded, ExchangeRequest, Settled, Transmit
from fsm_rtc.engine import Journal
from fsm_rtc.machines.exchange_requests import AnswerOffer, ApplyAnswer, ApplyOffer, MakeOffer, YieldOffer
from fsm_rtc.messages import Identity, Member
from fsm_rtc.messages.trust import AnyPeer
from fsm_rtc.peer.description import IceCandidate, SdpType, SessionDescription
from fsm_rtc.peer.machine_set import MachineSet
from fsm_rtc.testing import ManualClock

ROOM = "kitchen"


def sdp(name: str, number: int) -> str:
    return (
        "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"
        f"a=mid:0\r\na=ice-ufrag:{name}{number:03}\r\na=ice-pwd:0123456789012345678901\r\n"
        f"a=fingerprint:sha-256 {':'.join(['FA'] * 32)}\r\n"
    )


@dataclass
class Side:
    """One side: its exchange, what it is asked to do, and what it has done."""

    name: str
    exchanger: Exchanger
    work: list[ExchangeRequest] = field(default_factory=list)
    outbox: list[str] = field(default_factory=list)
    agreed: str | None = None
    ended: ExchangeEnded | None = None
    candidates: list[IceCandidate | None] = field(default_factory=list)
    remote_ufrag: str | None = None
    made: int = 0

    def pump(self) -> None:
        for request in self.exchanger.take():
            match request:
                case Transmit(text):
                    self.outbox.append(text)
                case Settled(offer_id):
                    self.agreed = offer_id
                case ExchangeEnded():
                    self.ended = request
                case _:
                    self.work.append(request)

    def do_one(self, now: float) -> None:
        """Carry out the operation whose turn it is."""
        request = self.work.pop(0)
        exchanger = self.exchanger
        if exchanger.machine.is_final:
            return
        match request:
            case MakeOffer():
                exchanger.offer_made(self._description("offer"), now)
            case YieldOffer():
                exchanger.yielded(now)
            case ApplyOffer(letter):
                self.remote_ufrag = ice_ufrag_of(letter.description)  # type: ignore[attr-defined]
                exchanger.offer_applied(now)
            case AnswerOffer():
                exchanger.answer_made(self._description("answer"), now)
            case ApplyAnswer(letter):
                self.remote_ufrag = ice_ufrag_of(letter.description)  # type: ignore[attr-defined]
                exchanger.answer_applied(now)
            case AddCandidate(candidate):
                self.candidates.append(candidate)
        self.pump()

    def _description(self, kind: SdpType) -> SessionDescription:
        self.made += 1
        return SessionDescription(kind, sdp(self.name, self.made))


class Pair:
    """Two sides that know each other."""

    def __init__(self, *, signed: bool = True, clock: ManualClock | None = None) -> None:
        self.clock = clock or ManualClock()
        self.journal = Journal(self.clock)
        members = [Member(ROOM, Identity.generate() if signed else None, name) for name in ("alice", "bob")]
        members.sort(key=lambda member: member.introduction.id)
        self.members = members
        self.polite, self.impolite = (self._side(name, me) for name, me in zip(("p", "i"), members, strict=True))
        self.sides = (self.polite, self.impolite)

    def _side(self, name: str, me: Member) -> Side:
        machines = MachineSet(name, generation=0, engine="compiled", journal=self.journal)
        return Side(name, Exchanger(me, AnyPeer(), machines))

    def other(self, side: Side) -> Side:
        return self.sides[1 - self.sides.index(side)]

    def join(self, *sides: Side) -> None:
        """Tell each of the sides (or both) that the other is there."""
        for side in sides or self.sides:
            introduction = self.members[1 - self.sides.index(side)].introduction
            assert side.exchanger.joined(introduction)
            side.pump()

    def deliver(self, to: Side, text: str) -> None:
        to.exchanger.received(text, self.clock())
        to.pump()

    def negotiate(self, side: Side) -> None:
        side.exchanger.negotiate(self.clock())
        side.pump()

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)
        for side in self.sides:
            side.exchanger.tick(self.clock())
            side.pump()

    def run(self) -> None:
        """Let everything happen, over a link that keeps what it gets, until nothing more does."""
        for _ in range(10_000):
            if busy := [side for side in self.sides if side.work]:
                busy[0].do_one(self.clock())
            elif senders := [side for side in self.sides if side.outbox]:
                self.deliver(self.other(senders[0]), senders[0].outbox.pop(0))
            elif timeouts := [due for side in self.sides if (due := side.exchanger.next_timeout()) is not None]:
                self.advance(max(0.0, min(timeouts) - self.clock()))
            else:
                return
        raise AssertionError("the exchange never comes to rest")
