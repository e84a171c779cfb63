"""A chart of twelve states, many of them far from its beginning: a loan of books; and two mistakes made there."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from hypothesis import strategies as st

from fsm_rtc.engine import Chart, On, Row, stay

__all__ = ["Desk", "LoanChart", "OPTIONS", "desk_with"]


class LoanState(StrEnum):
    """Where a loan can be."""

    DRAFT = "draft"
    REQUESTED = "requested"
    DEPOSIT_DUE = "deposit-due"
    SECURED = "secured"
    FETCHING = "fetching"
    WRAPPED = "wrapped"
    TRAVELLING = "travelling"
    LENT = "lent"
    COMING_BACK = "coming-back"
    SETTLED = "settled"
    WITHDRAWN = "withdrawn"
    ARCHIVED = "archived"


(
    DRAFT,
    REQUESTED,
    DEPOSIT_DUE,
    SECURED,
    FETCHING,
    WRAPPED,
    TRAVELLING,
    LENT,
    COMING_BACK,
    SETTLED,
    WITHDRAWN,
    ARCHIVED,
) = LoanState


class Slip:
    """What the guards read."""

    titles = 0
    deposit = 10


def names_a_title(slip: Slip, event: object) -> bool:
    """The slip must name a title."""
    return slip.titles > 0


def covers_the_deposit(slip: Slip, coins: int) -> bool:
    """The coins must cover the deposit."""
    return coins >= slip.deposit


class LoanChart(Chart[LoanState, Slip]):
    """A loan of books between libraries."""

    initial = DRAFT
    final = frozenset({ARCHIVED})

    add_title = On(stay(DRAFT))
    submit = On(Row(DRAFT, REQUESTED, when=(names_a_title,)))
    demand_deposit = On(Row(REQUESTED, DEPOSIT_DUE))
    pay_in = On(Row(DEPOSIT_DUE, SECURED, when=(covers_the_deposit,)), cite="the rules of the house")
    deadline_passed = On(Row(DEPOSIT_DUE, WITHDRAWN))
    fetch = On(Row(SECURED, FETCHING))
    wrap = On(Row(FETCHING, WRAPPED))
    send = On(Row(WRAPPED, TRAVELLING))
    hand_out = On(Row(TRAVELLING, LENT))
    bring_back = On(Row(LENT, COMING_BACK))
    settle = On(Row((COMING_BACK, WITHDRAWN), SETTLED))
    withdraw = On(Row((DRAFT, REQUESTED, DEPOSIT_DUE, SECURED, FETCHING, WRAPPED), WITHDRAWN), idempotent=True)
    archive = On(Row((LENT, SETTLED, WITHDRAWN), ARCHIVED))


class Desk:
    """A desk that handles a loan by hand, and the driver that asks it to."""

    faults: frozenset[str] = frozenset()
    moves = {
        "demand_deposit": ({"requested"}, "deposit-due"),
        "deadline_passed": ({"deposit-due"}, "withdrawn"),
        "fetch": ({"secured"}, "fetching"),
        "wrap": ({"fetching"}, "wrapped"),
        "send": ({"wrapped"}, "travelling"),
        "hand_out": ({"travelling"}, "lent"),
        "bring_back": ({"lent"}, "coming-back"),
        "settle": ({"coming-back", "withdrawn"}, "settled"),
        "withdraw": ({"draft", "requested", "deposit-due", "secured", "fetching", "wrapped"}, "withdrawn"),
        "archive": ({"lent", "settled", "withdrawn"}, "archived"),
        "submit": ({"draft"}, "requested"),
        "pay_in": ({"deposit-due"}, "secured"),
        "add_title": ({"draft"}, "draft"),
    }

    def __init__(self) -> None:
        self.at = "draft"
        self.slip = Slip()

    def fire(self, trigger: str, event: Any) -> None:
        sources, target = self.moves[trigger]
        if "late deadline" in self.faults and trigger == "deadline_passed":
            sources = sources | {"secured"}
        if "wrapped is forgotten" in self.faults and trigger == "withdraw":
            sources = sources - {"wrapped"}
        if self.at not in sources or (trigger == "submit" and not self.slip.titles):
            raise RuntimeError(f"not when {self.at}")
        if trigger == "pay_in" and event < self.slip.deposit:
            raise RuntimeError("too little")
        self.slip.titles += trigger == "add_title"
        self.at = target

    def state(self) -> str:
        return self.at

    def stop(self) -> None:
        pass


def desk_with(*mistakes: str) -> type[Desk]:
    """A desk that makes these mistakes."""
    return type("Desk", (Desk,), {"faults": frozenset(mistakes)})


OPTIONS: dict[str, Any] = {"payloads": {"pay_in": st.integers(5, 15)}, "context": lambda desk: desk.slip}
