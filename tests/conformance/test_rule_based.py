"""machine_test: an implementation held to a chart by Hypothesis."""

from __future__ import annotations

import asyncio
import re
from enum import StrEnum
from typing import Any, cast

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from fsm_rtc.conformance import machine_test
from fsm_rtc.engine import Chart, On, Row, stay
from fsm_rtc.errors import ConformanceError, UnknownTriggerError
from fsm_rtc.machines.data_channel import Channel
from fsm_rtc.machines.negotiation import Negotiation
from fsm_rtc.peer.description import SessionDescription
from fsm_rtc.testing import FakePeerConnection


class DoorState(StrEnum):
    OPEN = "open"
    SHUT = "shut"
    LOCKED = "locked"


OPEN, SHUT, LOCKED = DoorState


def right_key(context: object, key: int) -> bool:
    """The key must be the right one."""
    return key == 7


class DoorChart(Chart[DoorState, None]):
    """A door."""

    initial = OPEN
    shut = On(Row(OPEN, SHUT), idempotent=True, cite="the manual, page 1")
    open = On(Row(SHUT, OPEN), cite="the manual, page 1")
    lock = On(Row(SHUT, LOCKED, when=(right_key,)), cite="the manual, page 2")
    unlock = On(Row(LOCKED, SHUT, when=(right_key,)), cite="the manual, page 2")
    knock = On(stay(SHUT, LOCKED), cite="manners")


class Door:
    """A door that keeps to the chart."""

    def __init__(self) -> None:
        self.at = "open"
        self.stopped = False

    def fire(self, trigger: str, event: Any) -> None:
        ways = {("open", "shut"): "shut", ("shut", "open"): "open"}
        if event == 7:
            ways |= {("shut", "lock"): "locked", ("locked", "unlock"): "shut"}
        if trigger == "knock" and self.at != "open":
            return
        if (self.at, trigger) not in ways:
            raise ValueError(f"can't {trigger}")
        self.at = ways[self.at, trigger]

    def state(self) -> str:
        return self.at

    def stop(self) -> None:
        self.stopped = True


KEYS = {"lock": st.integers(6, 8), "unlock": st.integers(6, 8)}


def run(chart: type[Chart[Any, Any]], driver: Any, *, examples: int = 100, **options: Any) -> None:
    machine = machine_test(chart, driver, **options)
    chosen = settings(max_examples=examples, database=None, derandomize=True, deadline=None, report_multiple_bugs=False)
    run_state_machine_as_test(machine, settings=chosen)


def test_a_system_that_keeps_to_the_chart_passes() -> None:
    run(DoorChart, Door, payloads=KEYS)


class Ajar(Door):
    def fire(self, trigger: str, event: Any) -> None:
        super().fire(trigger, event)
        if trigger == "unlock":
            self.at = "open"


class Weak(Door):
    def fire(self, trigger: str, event: Any) -> None:
        super().fire(trigger, 7)


class Stiff(Door):
    def fire(self, trigger: str, event: Any) -> None:
        if trigger == "open":
            raise RuntimeError("it is stuck")
        super().fire(trigger, event)


class Slamming(Door):
    def fire(self, trigger: str, event: Any) -> None:
        try:
            super().fire(trigger, event)
        except ValueError:
            self.at = "shut"
            raise


@pytest.mark.parametrize(
    ("driver", "message", "steps"),
    [
        (
            Ajar,
            "unlock in 'locked'\n  expected: accepted, 'shut'\n  observed: accepted, 'open'",
            ["shut", "lock", "unlock"],
        ),
        (
            Weak,
            "lock in 'shut'\n  expected: refused (The key must be the right one), still 'shut'\n"
            "  observed: accepted, 'locked'",
            ["shut", "lock"],
        ),
        (
            Stiff,
            "open in 'shut'\n  expected: accepted, 'open'\n  observed: refused with RuntimeError, 'shut'",
            ["shut", "open"],
        ),
        (
            Slamming,
            "'open'\n  expected: refused (no row), still 'open'\n  observed: refused with ValueError, 'shut'",
            [],
        ),
    ],
)
def test_one_that_does_not_fails_with_the_rule_and_the_shortest_order(
    driver: type[Door], message: str, steps: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(AssertionError) as failed:
        run(DoorChart, driver, payloads=KEYS)
    told = str(failed.value) + "".join(getattr(failed.value, "__notes__", []))
    assert message in str(failed.value)
    assert "the rule: " in str(failed.value)
    done = re.findall(r"state\.(\w+)\(event", told + capsys.readouterr().out)
    assert done[: len(steps)] == steps


class Slow(Door):
    async def fire(self, trigger: str, event: Any) -> None:  # type: ignore[override]
        await asyncio.sleep(0)
        super().fire(trigger, event)

    async def state(self) -> str:  # type: ignore[override]
        return super().state()


def test_a_driver_may_be_asynchronous() -> None:
    run(DoorChart, Slow, payloads=KEYS)


def test_every_system_is_let_go() -> None:
    made: list[Door] = []

    def make() -> Door:
        made.append(Door())
        return made[-1]

    run(DoorChart, make, payloads=KEYS)
    assert made
    assert all(door.stopped for door in made)


def test_a_trigger_that_does_not_exist_is_refused_at_once() -> None:
    with pytest.raises(UnknownTriggerError, match="DoorChart has no trigger bolt; it has shut, open"):
        machine_test(DoorChart, Door, payloads={"bolt": st.none()})


def attribute(context: object, key: Any) -> bool:
    """The key must have a number."""
    return bool(key.number)


class NeedsEvent(Chart[DoorState, None]):
    """A door that looks into its key."""

    initial = SHUT
    lock = On[None, Any](Row(SHUT, LOCKED, when=(attribute,)), cite="x")
    unlock = On(Row(LOCKED, SHUT), cite="x")
    open = On(Row(SHUT, OPEN), cite="x")


class Shut(Door):
    """One that can be opened, and no more."""

    def __init__(self) -> None:
        super().__init__()
        self.at = "shut"


def test_a_guard_that_needs_an_event_says_how_to_give_it() -> None:
    with pytest.raises(ConformanceError, match=r"NeedsEvent\.lock needs an event"):
        run(NeedsEvent, Shut)


class FakeNegotiation:
    """Drives this project's own peer connection, in memory; another one is its other side."""

    last_created_offer = last_created_answer = ""

    def __init__(self) -> None:
        self.peer: FakePeerConnection | None = None

    async def made(self) -> FakePeerConnection:
        if self.peer is None:
            self.peer = FakePeerConnection()
            self.peer.create_data_channel("data")
        return self.peer

    async def fire(self, trigger: str, event: Any) -> None:
        peer = await self.made()
        if trigger in ("create_offer", "create_answer"):
            await getattr(peer, trigger)()
        elif trigger == "close":
            await peer.close()
        elif trigger == "set_local_description":
            await peer.set_local_description()
        elif trigger.startswith("set_remote"):
            await peer.set_remote_description(await self.of_the_other_side(trigger.removeprefix("set_remote_")))
        else:
            kind = trigger.removeprefix("set_local_")
            await peer.set_local_description(SessionDescription(cast(Any, kind), ""))

    async def of_the_other_side(self, kind: str) -> SessionDescription:
        peer, other = await self.made(), FakePeerConnection()
        local = peer.local_description
        offer = local if local is not None and local.type == "offer" else None
        try:
            if kind == "offer":
                other.create_data_channel("data")
                return await other.create_offer()
            await other.set_remote_description(offer or await self.somebodys_offer())
            return SessionDescription(cast(Any, kind), (await other.create_answer()).sdp)
        finally:
            await other.close()

    async def somebodys_offer(self) -> SessionDescription:
        third = FakePeerConnection()
        third.create_data_channel("data")
        try:
            return await third.create_offer()
        finally:
            await third.close()

    async def state(self) -> str:
        return (await self.made()).signaling_state.value

    async def stop(self) -> None:
        await (await self.made()).close()


class Empty:
    """The empty description stands for the one that was created last."""

    sdp = ""


def test_the_projects_own_peer_connection_keeps_to_the_negotiation_chart() -> None:
    events = {name: st.just(Empty()) for name in Negotiation.chart.triggers if name.startswith("set_")}
    run(Negotiation, FakeNegotiation, examples=30, payloads=events, context=lambda driver: driver)


class ChannelDriver:
    """Drives a plain set of states."""

    def __init__(self) -> None:
        self.at = "connecting"

    def fire(self, trigger: str, event: Any) -> None:
        targets = {
            "on_open": ({"connecting"}, "open"),
            "close": ({"connecting", "open"}, "closing"),
            "on_closing": ({"connecting", "open"}, "closing"),
            "on_closed": ({"connecting", "open", "closing"}, "closed"),
            "connection_closed": ({"connecting", "open", "closing"}, "closed"),
            "send": ({"open"}, "open"),
        }
        sources, target = targets[trigger]
        if self.at not in sources:
            raise ValueError(trigger)
        self.at = target

    def state(self) -> str:
        return self.at

    def stop(self) -> None:
        pass


def test_the_data_channels_chart_is_one_like_any_other() -> None:
    run(Channel, ChannelDriver)
