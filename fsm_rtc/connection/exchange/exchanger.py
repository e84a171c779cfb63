"""Exchanger: the exchange with one session of a peer, without clock, socket or task.

Events go in by methods, with the time; what is to be done comes out of `take`, in order:

    frame, link, timer ─┐                            ┌─→ Transmit(text)
    results of what     ├─→ Exchange machine ─→ take ┼─→ MakeOffer, YieldOffer, ApplyOffer, AnswerOffer, ApplyAnswer
    was asked for      ─┘                            ├─→ AddCandidate
                                                     └─→ Settled, Ended

What holds:

- The driver, which carries out `MakeOffer` …, answers with `offer_made` …, or with `leave`; until then no other
  operation of negotiation is asked for.
- What the peer does wrong raises nothing: it is refused by the machine, so it is in the journal, and counted.
- A message is taken once, and in its sender's order; one that comes too early is kept until its turn.
- A candidate goes to the description that it belongs to, by its offer's id: not before that is applied, and not at all
  if the offer was ignored or taken back.
- An exchange ends once, with one `ExchangeEnded`; a goodbye that isn't acknowledged ends it too.
"""

from __future__ import annotations

from collections import Counter
from typing import cast

import msgspec

from fsm_rtc.connection.exchange.candidates import read_candidate
from fsm_rtc.connection.exchange.context import ExchangeContext
from fsm_rtc.connection.exchange.outgoing import BUSY, OutgoingMessages
from fsm_rtc.connection.exchange.received import Arrival, ReceivedMessage, offer_id
from fsm_rtc.connection.exchange.requests import (
    AddCandidate,
    ExchangeEnded,
    ExchangeRequest,
    PeerIsBusy,
    PeerWantsNothing,
    Settled,
    Transmit,
)
from fsm_rtc.connection.exchange.retransmission import GIVE_UP_SECONDS
from fsm_rtc.connection.saving.saved import SavedExchange
from fsm_rtc.engine import Accepted
from fsm_rtc.engine.outcome import Outcome
from fsm_rtc.errors import FsmRtcError, MessageError, Rejected
from fsm_rtc.machines.candidates import ApplyCandidate
from fsm_rtc.machines.exchange import Exchange, ExchangeState, ExchangeUnsigned
from fsm_rtc.machines.exchange_requests import (
    Acknowledge,
    AnswerOffer,
    ApplyAnswer,
    ApplyOffer,
    DeliverMessage,
    EndExchange,
    Farewell,
    Hold,
    IgnoreOffer,
    MakeOffer,
    NoteFarewell,
    PostponeOffer,
    RememberNeed,
    SendAnswer,
    SendBye,
    SendOffer,
    Settle,
    TakeCandidate,
    YieldOffer,
)
from fsm_rtc.messages import (
    MAX_MESSAGE_BYTES,
    SENTENCES,
    Ack,
    Answer,
    Bye,
    Candidate,
    EndCode,
    EndOfCandidates,
    Introduction,
    Member,
    Offer,
    PeerMessage,
    decode,
    is_genuine_introduction,
    read_end,
)
from fsm_rtc.messages.trust import Trust
from fsm_rtc.peer.description import IceCandidate, SessionDescription
from fsm_rtc.peer.machine_set import MachineSet

__all__ = ["ANSWER_SECONDS", "Exchanger"]

ANSWER_SECONDS = 20.0
"""How long a peer that has the offer may take to answer, with the link up."""

MAX_REASON_CHARACTERS = 200

MAX_DESCRIPTION_BYTES = MAX_MESSAGE_BYTES - 4096
"""What of a message is left to a description, as JSON."""

TRIGGERS: dict[type[PeerMessage], str] = {
    Offer: "on_offer",
    Answer: "on_answer",
    Candidate: "on_candidate",
    EndOfCandidates: "on_end_of_candidates",
}
"""What a message of the peer fires, when its turn has come."""

NOT_FOR_A_PEER = "a message between client and server"


class Exchanger:
    """The exchange with one session of a peer.

    Args:
        me: this side; without an identity nothing is signed and the peer's signatures aren't asked for.
        trust: whom this side talks to.
        machines: makes the machines.
        name: the exchange's name in the journal.

    Attributes:
        machine: the `Exchange` machine.
        memory: what it decides by.
        refused: how many messages of the peer were refused, by the guard's name or the reason.
        link_is_up: whether what is sent may arrive.
    """

    def __init__(
        self,
        me: Member,
        trust: Trust,
        machines: MachineSet,
        name: str = "exchange",
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        self.memory = ExchangeContext(me, machines, name)
        chart = Exchange if me.identity is not None else ExchangeUnsigned
        self.machine = machines.make(chart, name, self.memory)
        self.refused: Counter[str] = Counter()
        self._machines = machines
        self._name = name
        self._trust = trust
        self._answer_seconds = answer_seconds
        self._post = OutgoingMessages(me, self.memory)
        self._outgoing = self._post.outgoing
        self._requests: list[ExchangeRequest] = []
        self._now = 0.0
        self.link_is_up = True
        self._offers_made = 0
        self._coming: ReceivedMessage | None = None
        self._postponed: ReceivedMessage | None = None
        self._needed = False
        self._round = ""
        self._found: list[IceCandidate | None] = []
        self._open_offer = 0
        self._answer_due: float | None = None

    # What comes out.

    def take(self) -> list[ExchangeRequest]:
        """What is to be done, in order; each is given once."""
        incoming = self.memory.incoming
        if incoming.owes:
            incoming.owes = False
            self._send([self._post.ack(incoming.next_sequence - 1)])
        requests, self._requests = self._requests, []
        return requests

    def next_timeout(self) -> float | None:
        """When `tick` wants to be called, or None."""
        times = [self._outgoing.next_at(), self._answer_due if self.link_is_up else None]
        return min((time for time in times if time is not None), default=None)

    @property
    def state(self) -> ExchangeState:
        """Where the exchange stands."""
        return self.machine.state

    @property
    def is_over(self) -> bool:
        """Whether a side has ended it."""
        return not self.machine.permits("leave")

    # What happens.

    def joined(self, introduction: Introduction) -> Outcome:
        """A peer has joined; accepted if it is one to talk to."""
        arrival = Arrival(introduction, is_genuine_introduction(introduction, self.memory.room), self._trust)
        # The guards of the row compare this side with the peer, so it is known before; and forgotten if it is refused.
        self.memory.peer = introduction
        outcome = self.machine.fire("on_joined", arrival)
        if not self._take_from_peer(outcome):
            if isinstance(outcome, Rejected) and outcome.guard == "trusted":
                code = EndCode.NOT_TRUSTED
                self._send([self._post.turn_away(Farewell(SENTENCES[code], self._latest_offer(), code))])
            self.memory.peer = None
        return outcome

    def is_introduced_by(self, introduction: Introduction) -> bool:
        """Whether this is the peer's own introduction, signed once more: by another run of it, say."""
        return self.machine.chart is ExchangeUnsigned.chart or is_genuine_introduction(introduction, self.memory.room)

    def received(self, frame: str | bytes, now: float, decoded: PeerMessage | None = None) -> None:
        """A frame has come, of any sender and content; `decoded` if that was done. Doesn't raise."""
        self._now = now
        try:
            message = decoded or decode(frame)
        except MessageError as error:
            self.refused[error.reason.value] += 1
            return
        if not isinstance(message, PeerMessage):
            self.refused[NOT_FOR_A_PEER] += 1
            return
        received = ReceivedMessage(message)
        if isinstance(message, Ack):
            is_taken = self._take_from_peer(self.machine.fire("on_ack", received))
            if is_taken and received.offer_id == BUSY and not self.is_over:
                self._wait_for_who_is_busy(now)
            return
        outcome = self.machine.fire("receive", received)
        if isinstance(outcome, Rejected) and outcome.guard == "taken_once":
            self.memory.incoming.owes = True
        if self._take_from_peer(outcome):
            while (held := self.memory.incoming.next_held()) is not None:
                self._take_from_peer(self.machine.fire("receive", held))

    def _wait_for_who_is_busy(self, now: float) -> None:
        """The peer lives, and calls when its call is over: until it is silent too, nothing runs out."""
        self._outgoing.restart(now)
        if self._answer_due is not None:
            self._answer_due = now + self._answer_seconds
        self._requests.append(PeerIsBusy())

    def link_up(self, now: float) -> None:
        """The signalling link stands (again)."""
        self._now = now
        self.link_is_up = True
        if self._answer_due is not None:
            self._answer_due = now + self._answer_seconds
        self._send(self._outgoing.resume(now))

    def link_down(self) -> None:
        """The signalling link is lost."""
        self.link_is_up = False
        self._outgoing.pause()

    def tick(self, now: float) -> None:
        """Time has passed."""
        self._now = now
        if self.machine.is_final:
            return
        self._send(self._outgoing.due(now))
        if self._outgoing.is_hopeless(now):
            self.peer_left()
            self.leave(f"the other side has acknowledged nothing for {GIVE_UP_SECONDS:g} s", now)
        elif self.link_is_up and self._answer_due is not None and now >= self._answer_due:
            self.leave(f"the other side has not answered the offer within {self._answer_seconds:g} s", now)

    @property
    def awaits_acknowledgement(self) -> bool:
        """Whether the goodbye has been said, and may yet be acknowledged."""
        return bool(self.machine.permits("on_left")) and self.link_is_up

    def peer_left(self) -> None:
        """The peer is gone, or acknowledges nothing: who leaves need not wait for it."""
        if self.machine.permits("on_left"):
            self._carry_out(self.machine.fire("on_left"))

    def negotiate_now(self, now: float) -> None:
        """This side needs an exchange, unless one is under way, whose end sees to it."""
        self._now = now
        if self.machine.permits("negotiate_now"):
            self._carry_out(self.machine.fire("negotiate_now"))

    def negotiate(self, now: float) -> None:
        """This side needs an exchange: now, or as soon as the present one is settled."""
        self._now = now
        self._carry_out(self.machine.fire("negotiate"))

    def leave(self, reason: str, now: float, *, for_good: bool = False, code: EndCode | None = None) -> None:
        """End the exchange, and tell the peer why; one that is ending or over stays as it is.

        Args:
            reason: why, for people.
            now: seconds.
            for_good: whether that is a goodbye; else the exchange has failed, and what waits is kept for another.
            code: why, for programs; None for no code.
        """
        self._now = now
        if self.is_over:
            return
        told = reason[:MAX_REASON_CHARACTERS].encode(errors="replace").decode()
        farewell = Farewell(told, "" if for_good else self._latest_offer(), code or "")
        if self._carry_out(self.machine.fire("leave", farewell)):
            self._requests.append(ExchangeEnded(reason, by_peer=False, for_good=for_good, code=code))

    def _latest_offer(self) -> str:
        """What a failure is about: the latest offer of either side, or this side's to come."""
        return self._round or offer_id(self.memory.session, 0)

    def abandon(self) -> None:
        """End the exchange without a word: nobody is left to hear it."""
        if not self.machine.is_final:
            self._carry_out(self.machine.fire("abandon"))

    def end_alone(self, reason: str) -> None:
        """The call has failed, and nobody can be told."""
        if not self.machine.is_final:
            self.abandon()
            self._requests.append(ExchangeEnded(reason, by_peer=False, for_good=False))

    def end_by_peer(self, reason: str, *, for_good: bool) -> None:
        """The peer has ended the call, as is known without its message."""
        if not self.machine.is_final:
            self.abandon()
            code = EndCode.CLOSED if for_good else None
            self._requests.append(ExchangeEnded(reason, by_peer=True, for_good=for_good, code=code))

    def export(self) -> SavedExchange:
        """What another run needs to go on."""
        return SavedExchange(
            self._outgoing.sequence,
            self._outgoing.unacknowledged,
            self.memory.next_sequence,
            self._offers_made,
            self.memory.last_offer_number,
        )

    def restore(self, peer: Introduction, saved: SavedExchange, now: float) -> None:
        """Go on where another run has stopped, between two exchanges."""
        self._now = now
        self.memory.peer = peer
        self._outgoing.restore(saved.sequence, saved.unacknowledged, now)
        self.memory.incoming.next_sequence = saved.next_sequence
        self._offers_made = saved.offers_made
        self.memory.last_offer_number = saved.last_offer_number

    def release(self) -> None:
        """Let the machines go: another exchange has taken the place of this one."""
        self.memory.release()
        self._machines.forget(self._name)

    # What was asked for is done.

    def offer_made(self, description: SessionDescription, now: float) -> None:
        """This side's offer is made and applied."""
        self._now = now
        if self._fits(description):
            self._carry_out(self.machine.fire("offer_made", description))

    def offer_failed(self, now: float) -> None:
        """This side's offer can't be made now; it will be asked for again."""
        self._now = now
        self._carry_out(self.machine.fire("offer_failed"))

    def yielded(self, now: float) -> None:
        """This side's offer is taken back."""
        self._now = now
        self._carry_out(self.machine.fire("yielded", self._coming))

    def offer_applied(self, now: float) -> None:
        """The peer's offer is applied."""
        self._now = now
        if self._carry_out(self.machine.fire("offer_applied")) and self._coming is not None:
            self._release_candidates(self._coming.offer_id, self._coming.description)

    def answer_made(self, description: SessionDescription, now: float) -> None:
        """This side's answer is made and applied."""
        self._now = now
        if self._fits(description):
            self._carry_out(self.machine.fire("answer_made", description))

    def answer_applied(self, now: float) -> None:
        """The peer's answer is applied."""
        self._now = now
        if self.state is ExchangeState.APPLYING_ANSWER and self._coming is not None:
            self._release_candidates(self._coming.offer_id, self._coming.description)
        self._carry_out(self.machine.fire("answer_applied"))

    def candidate_found(self, candidate: IceCandidate | None, now: float) -> None:
        """This side has found a candidate; None says that there are no more."""
        self._now = now
        if self.state in (ExchangeState.MAKING_OFFER, ExchangeState.MAKING_ANSWER):
            self._found.append(candidate)
        elif self._round and not self.is_over and self.state is not ExchangeState.YIELDING:
            # One of an offer that is taken back belongs to nothing; the answer's description has what it needs.
            self._send([self._post.candidate(candidate, self._round, now)])

    # What the machine asks for.

    def _take_from_peer(self, outcome: object) -> bool:
        """As `_carry_out`; and count what the peer did wrong."""
        if isinstance(outcome, Rejected):
            self.refused[outcome.guard or outcome.reason.value] += 1
        return self._carry_out(outcome)

    def _carry_out(self, outcome: object) -> bool:
        """Do what an accepted event asks for; whether it was accepted."""
        if isinstance(outcome, Rejected):
            return False
        for request in outcome.effects if isinstance(outcome, Accepted) else ():
            self._do(request)
        if self.machine.is_final:
            self._offer_is_settled()
            self._outgoing.forget()
        return True

    def _do(self, request: object) -> None:
        match request:
            case DeliverMessage(received):
                self.memory.incoming.take_turn()
                self._open(cast(ReceivedMessage, received))
            case Hold(received):
                held = cast(ReceivedMessage, received)
                self.memory.incoming.hold(held.sequence, held, len(held.message.payload))
            case Acknowledge(sequence):
                self._outgoing.acknowledged(sequence, self._now)
                if 0 < self._open_offer <= sequence and self._answer_due is None:
                    self._answer_due = self._now + self._answer_seconds
            case RememberNeed():
                self._needed = True
            case Settle():
                self._settle()
            case TakeCandidate(received):
                self._take_candidate(cast(ReceivedMessage, received))
            case SendBye(farewell):
                self._offer_is_settled()
                self._send([self._post.bye(farewell, self._now)])
                self.memory.bye_sequence = self._outgoing.sequence
            case EndExchange(farewell):
                code = EndCode(farewell.code) if farewell.code else None
                self._requests.append(
                    ExchangeEnded(farewell.reason, by_peer=True, for_good=not farewell.offer_id, code=code)
                )
            case NoteFarewell(farewell):
                if not farewell.offer_id:
                    self._requests.append(PeerWantsNothing())
            case _:
                self._do_in_negotiation(request)

    def _do_in_negotiation(self, request: object) -> None:
        match request:
            case MakeOffer():
                self._needed = False
                self._found.clear()
                self._requests.append(request)
            case SendOffer(description):
                self._offers_made += 1
                self._round = self.memory.offer_id = offer_id(self.memory.session, self._offers_made)
                self.memory.know(self._round)
                self._open_offer = self._outgoing.sequence + 1
                self._send_description(Offer, cast(SessionDescription, description))
            case ApplyAnswer(received):
                self._offer_is_settled()
                self._coming = cast(ReceivedMessage, received)
                self._requests.append(request)
            case YieldOffer(received):
                if self._open_offer:
                    self.memory.ignore(self.memory.offer_id)
                self._offer_is_settled()
                self._take_offer(cast(ReceivedMessage, received))
                self._requests.append(request)
            case IgnoreOffer(received):
                ignored = cast(ReceivedMessage, received)
                self.memory.last_offer_number = ignored.offer_number
                self.memory.ignore(ignored.offer_id)
            case PostponeOffer(received):
                self._postpone(cast(ReceivedMessage, received))
            case ApplyOffer(received):
                self._take_offer(cast(ReceivedMessage, received))
                self._requests.append(request)
            case AnswerOffer():
                self._found.clear()
                self._requests.append(request)
            case SendAnswer(description):
                if self._coming is not None:
                    self._round = self._coming.offer_id
                    self._send_description(Answer, cast(SessionDescription, description))

    def _offer_is_settled(self) -> None:
        """Nobody waits for an answer any more."""
        self._open_offer = 0
        self._answer_due = None

    def _open(self, received: ReceivedMessage) -> None:
        """Fire the trigger of the message whose turn it is."""
        message = received.message
        if (trigger := TRIGGERS.get(type(message))) is not None:
            self._take_from_peer(self.machine.fire(trigger, received))
        elif isinstance(message, Bye):
            reason, code = read_end(message.payload)
            farewell = Farewell(reason[:MAX_REASON_CHARACTERS], message.offer_id, code or "")
            self._take_from_peer(self.machine.fire("on_bye", farewell))

    def _settle(self) -> None:
        postponed, self._postponed = self._postponed, None
        if postponed is not None:
            self._take_from_peer(self.machine.fire("on_offer", postponed))
        elif self._needed:
            self._carry_out(self.machine.fire("negotiate"))
        else:
            self._requests.append(Settled(self._round))

    def _take_offer(self, received: ReceivedMessage) -> None:
        self.memory.last_offer_number = received.offer_number
        self.memory.know(received.offer_id)
        self._coming = received

    def _postpone(self, received: ReceivedMessage) -> None:
        if self._postponed is not None:
            self.memory.ignore(self._postponed.offer_id)
        self.memory.know(received.offer_id)
        self._postponed = received

    # What is sent.

    def _send(self, texts: list[str]) -> None:
        self._requests.extend(map(Transmit, texts))

    def _fits(self, description: SessionDescription) -> bool:
        """Whether a description goes into a message; if not, no exchange can succeed, and this one ends."""
        size = len(msgspec.json.encode(description.sdp))
        fits = size <= MAX_DESCRIPTION_BYTES
        if not fits:
            self.leave(
                f"this side's {description.type} is too long: {size} bytes of {MAX_DESCRIPTION_BYTES}", self._now
            )
        return fits

    def _send_description(self, kind: type[Offer] | type[Answer], description: SessionDescription) -> None:
        found, self._found = self._found, []
        self._send(self._post.description(kind, description, self._round, found, self._now))

    # Candidates.

    def _take_candidate(self, received: ReceivedMessage) -> None:
        kept = self.memory.candidates_of(received.offer_id)
        message = received.message
        try:
            self._add(kept.take(read_candidate(message.payload) if isinstance(message, Candidate) else None))
        except FsmRtcError as refused:
            self.refused[type(refused).__name__] += 1

    def _release_candidates(self, of_offer: str, description: SessionDescription) -> None:
        if of_offer in self.memory.known_offers:
            self._add(self.memory.candidates_of(of_offer).remote_description_set(description))

    def _add(self, candidates: tuple[ApplyCandidate, ...]) -> None:
        for one in candidates:
            self._requests.append(AddCandidate(cast("IceCandidate | None", one.candidate)))
