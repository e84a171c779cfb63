"""The adapters' self-test: what each fault of an adapter is told as."""

from __future__ import annotations

from typing import Any

import pytest

from fsm_rtc.conformance.adapter import LocalAdapter
from fsm_rtc.conformance.protocol import Operation, Reply, Result, Verdict
from fsm_rtc.conformance.self_test import CHECKS, self_test
from tests.conformance.memory_stack import MemoryStack

pytestmark = pytest.mark.live


async def faults(adapter: LocalAdapter) -> dict[str, str]:
    return {checked.name: checked.fault async for checked in self_test(adapter) if checked.fault}


async def test_an_adapter_that_keeps_the_protocol_passes_every_check() -> None:
    adapter = LocalAdapter(MemoryStack())
    assert [checked.name async for checked in self_test(adapter)] == [*CHECKS]
    assert await faults(adapter) == {}
    await adapter.aclose()


class Wrong(LocalAdapter):
    """One that changes its replies."""

    def __init__(self, change: Any) -> None:
        super().__init__(MemoryStack())
        self.change = change

    async def ask(self, *operations: Operation, limit_seconds: float = 5.0) -> Reply:
        reply = await super().ask(*operations, limit_seconds=limit_seconds)
        changed = self.change(operations, reply)
        assert isinstance(changed, Reply)
        return changed


def without_events(_: object, reply: Reply) -> Reply:
    return Reply(reply.id, reply.results, (), reply.states)


def without_states(_: object, reply: Reply) -> Reply:
    return Reply(reply.id, reply.results, reply.events, {})


def knows_everything(operations: tuple[Operation, ...], reply: Reply) -> Reply:
    if operations[0].operation != "noSuchOperation":
        return reply
    return Reply(reply.id, (Result(Verdict.FULFILLED),), reply.events, reply.states)


def in_another_order(operations: tuple[Operation, ...], reply: Reply) -> Reply:
    if [one.operation for one in operations] != ["createDataChannel", "createOffer"]:
        return reply
    return Reply(reply.id, reply.results[::-1], reply.events, reply.states)


@pytest.mark.parametrize(
    ("change", "check", "fault"),
    [
        (without_events, "tells events, with the states that their handlers see", "no signalingstatechange came"),
        (without_states, "makes a connection and tells its states", "has no states for the connection"),
        (knows_everything, "says what it can't do", "an unknown operation is fulfilled, not inexpressible"),
        (in_another_order, "begins several operations in one turn, and answers in order", "in the order"),
    ],
)
async def test_a_fault_is_told_with_what_to_do(change: Any, check: str, fault: str) -> None:
    adapter = Wrong(change)
    assert fault in (await faults(adapter))[check]
    await adapter.aclose()
