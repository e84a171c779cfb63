"""What one side knows of an exchange: the context in which `Exchange` decides."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Container

from fsm_rtc.connection.exchange.candidates import EarlyCandidates
from fsm_rtc.connection.exchange.received import ReceivedMessage
from fsm_rtc.connection.exchange.retransmission import Incoming
from fsm_rtc.messages import Introduction, Member
from fsm_rtc.peer.machine_set import MachineSet

__all__ = ["ExchangeContext"]

KEPT_OFFERS = 8
"""How many offers are known at a time; two sides need three."""


class ExchangeContext:
    """What this side knows; `Exchange`'s guards read it.

    Args:
        me: this side.
        machines: makes a candidates machine for each offer.
        name: the exchange's name in the journal.

    Attributes:
        incoming: the order in which the peer's messages are taken.
        last_offer_number: the number of the peer's latest offer that was taken or ignored.
        offer_id: the id of this side's latest offer; empty if it has made none.
        ignored_offers: the ids of offers that came to nothing.
        bye_sequence: the sequence number of this side's goodbye; 0 before it is said.
    """

    def __init__(self, me: Member, machines: MachineSet, name: str) -> None:
        own = me.introduction
        self.room = me.room
        self.id = own.id
        self.session = own.session
        self.peer: Introduction | None = None
        self.incoming: Incoming[ReceivedMessage] = Incoming()
        self.last_offer_number = 0
        self.offer_id = ""
        self.bye_sequence = 0
        self.ignored_offers: OrderedDict[str, None] = OrderedDict()
        self._machines = machines
        self._name = name
        self._offers: OrderedDict[str, EarlyCandidates] = OrderedDict()
        self._offers_met = 0

    @property
    def peer_id(self) -> str:
        return self.peer.id if self.peer is not None else ""

    @property
    def peer_session(self) -> str:
        return self.peer.session if self.peer is not None else ""

    @property
    def peer_key(self) -> bytes:
        return self.peer.public_key if self.peer is not None else b""

    @property
    def next_sequence(self) -> int:
        return self.incoming.next_sequence

    @property
    def known_offers(self) -> Container[str]:
        return self._offers

    def know(self, offer_id: str) -> None:
        """From now on the candidates of this offer, and of its answer, are wanted."""
        if offer_id in self._offers:
            return
        self._offers_met += 1
        self._offers[offer_id] = EarlyCandidates(self._machines, f"{self._name}.candidates#{self._offers_met}")
        if len(self._offers) > KEPT_OFFERS:
            self._offers.popitem(last=False)[1].release()

    def ignore(self, offer_id: str) -> None:
        """The candidates of this offer are wanted no longer."""
        if (known := self._offers.pop(offer_id, None)) is not None:
            known.release()
        self.ignored_offers[offer_id] = None
        if len(self.ignored_offers) > KEPT_OFFERS:
            self.ignored_offers.popitem(last=False)

    def release(self) -> None:
        """Let every candidates machine go."""
        for known in self._offers.values():
            known.release()
        self._offers.clear()

    def candidates_of(self, offer_id: str) -> EarlyCandidates:
        """Where the peer's candidates for this offer are kept.

        Raises:
            KeyError: the offer is not known.
        """
        return self._offers[offer_id]
