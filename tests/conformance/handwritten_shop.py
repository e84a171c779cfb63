"""A shop written by hand, which keeps to the chart of an order with timers, entry and exit effects."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.engine.order_chart import AskBank, Release, Reserve, Shop

__all__ = ["OPTIONS", "HandShop", "shop_with"]

TIMERS = {"poll": 2.0, "bank_is_silent": 10.0, "give_up": 30.0}
ROUNDING = 1e-9


class HandShop:
    """A shop, and the driver that asks it."""

    faults: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self.now = 0.0
        self.at = "cart"
        self.due: dict[str, float] = {}
        self.asked: list[object] = []
        self.context = Shop()

    def start(self, *names: str) -> None:
        for name in names:
            hurry = 1.0 if "is impatient" in self.faults and name == "give_up" else 0.0
            self.due[name] = self.now + TIMERS[name] - hurry

    def move(self, state: str, event: Any = None) -> None:
        if self.at == "reserved" and "keeps the goods" not in self.faults:
            self.asked.append(Release())
        if state == "reserved":
            self.asked.append(Reserve("others" if "mixes up the goods" in self.faults else event))
            if "takes before it gives" in self.faults:
                self.asked.reverse()
        elif state == "paying":
            self.asked.append(AskBank())
        waits_on = "give_up" in self.due and "patience begins anew" not in self.faults
        keeps = {"give_up": self.due["give_up"]} if waits_on else {}
        left_behind = {"poll": self.due["poll"]} if "polls for ever" in self.faults and "poll" in self.due else {}
        self.at, self.due = state, {}
        if state in ("reserved", "paying"):
            self.start("give_up")
            self.due |= keeps
        if state == "paying":
            self.start("poll", "bank_is_silent")
        self.due |= left_behind

    def fire(self, trigger: str, event: Any) -> None:
        allowed = {"cart": ["check_out"], "reserved": ["check_out", "pay"], "paying": ["on_receipt", "on_news"]}
        if trigger not in allowed.get(self.at, ()):
            raise RuntimeError(f"not when {self.at}")
        if trigger == "check_out":
            self.move("reserved", event)
        elif trigger == "pay":
            self.move("paying")
        elif trigger == "on_receipt":
            self.move("paid")
        elif "news don't count" not in self.faults:
            self.start("bank_is_silent")

    def advance(self, seconds: float) -> None:
        end = self.now + seconds
        while self.due and min(self.due.values()) <= end + ROUNDING:
            name = min(self.due, key=lambda one: (round(self.due[one], 6), [*TIMERS].index(one)))
            self.now = self.due.pop(name)
            self.time_out(name)
        self.now = end

    def time_out(self, name: str) -> None:
        if name == "poll":
            self.start("poll")
            self.asked.append(AskBank())
            if "the bank answers" in self.faults:
                self.context.heard_at = self.now
        elif name == "give_up":
            self.move("gone")
        elif self.context.heard_at is not None and self.context.heard_at + TIMERS[name] > self.now + ROUNDING:
            self.due[name] = self.context.heard_at + TIMERS[name]
        else:
            self.move("reserved")

    def effects(self) -> list[object]:
        asked, self.asked = self.asked, []
        return asked

    def state(self) -> str:
        return self.at

    def stop(self) -> None:
        pass


def shop_with(*habits: str) -> type[HandShop]:
    """A shop with these habits."""
    return type("Shop", (HandShop,), {"faults": frozenset(habits)})


OPTIONS: dict[str, Any] = {"payloads": {"check_out": st.sampled_from(["a", "b"])}, "context": lambda shop: shop.context}
