"""A chart with one of everything that time, entry and exit can say: an order that waits for its payment."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fsm_rtc.engine import Chart, On, Row, stay


class OrderState(StrEnum):
    """Where an order can be."""

    CART = "cart"
    RESERVED = "reserved"
    PAYING = "paying"
    PAID = "paid"
    GONE = "gone"


CART, RESERVED, PAYING, PAID, GONE = OrderState


@dataclass
class Shop:
    """What the guards and times read."""

    patience: float = 30.0
    heard_at: float | None = None
    is_solvent: bool = True


@dataclass(frozen=True)
class Reserve:
    goods: object


class Release:
    """Put the goods back."""


class AskBank:
    """Ask the bank whether the payment has come."""


def is_solvent(context: Shop, event: object) -> bool:
    """The customer must be solvent."""
    return context.is_solvent


def patience(context: Shop) -> float:
    """How long the goods are kept."""
    return context.patience


def heard_at(context: Shop) -> float | None:
    """When the bank was last heard."""
    return context.heard_at


class Order(Chart[OrderState, Shop]):
    """An order."""

    initial = CART
    final = frozenset({PAID, GONE})
    entry = {RESERVED: (Reserve,), PAYING: (AskBank,)}
    exit = {RESERVED: (Release,)}

    check_out = On[Shop, str](Row((CART, RESERVED), RESERVED, reenters=True), cite="the shop's terms")
    pay = On(Row(RESERVED, PAYING, when=(is_solvent,)), cite="the shop's terms")
    poll = On(stay(PAYING, then=(AskBank,), restarts=("poll",)), after=2.0, cite="the bank's manual")
    on_receipt = On(Row(PAYING, PAID), cite="the bank's manual")
    on_news = On(stay(PAYING, restarts=("bank_is_silent",)), cite="the bank's manual")
    bank_is_silent = On(Row(PAYING, RESERVED), after=10, since=heard_at, late="postpone", cite="the bank's manual")
    give_up = On(Row((RESERVED, PAYING), GONE), after=patience, per="sources", cite="the shop's terms")
