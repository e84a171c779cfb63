"""The operations chain: order, errors, cancellation, the end."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from fsm_rtc.errors import InvalidStateError
from fsm_rtc.peer.chain import OperationsChain


class Recorder:
    """Operations that note when they begin and end, and wait for a gate in between."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.gate = asyncio.Event()
        self.begun = asyncio.Event()

    async def operation(self, name: str) -> str:
        self.seen.append(f"{name} begins")
        self.begun.set()
        await self.gate.wait()
        self.seen.append(f"{name} ends")
        return name


async def test_operations_run_one_at_a_time_in_the_order_in_which_they_were_asked_for() -> None:
    chain, recorder = OperationsChain(), Recorder()
    calls = [asyncio.create_task(chain.run(partial(recorder.operation, name))) for name in "abc"]
    await recorder.begun.wait()
    assert recorder.seen == ["a begins"]
    recorder.gate.set()
    assert await asyncio.gather(*calls) == ["a", "b", "c"]
    assert recorder.seen == [f"{name} {what}" for name in "abc" for what in ("begins", "ends")]


async def test_an_operation_that_fails_does_not_stop_the_next_one() -> None:
    chain, recorder = OperationsChain(), Recorder()
    recorder.gate.set()

    async def fail() -> None:
        raise ValueError("no")

    failing = asyncio.create_task(chain.run(fail))
    following = asyncio.create_task(chain.run(lambda: recorder.operation("b")))
    with pytest.raises(ValueError, match="no"):
        await failing
    assert await following == "b"


async def test_a_cancelled_caller_leaves_a_begun_operation_to_its_end() -> None:
    chain, recorder = OperationsChain(), Recorder()
    caller = asyncio.create_task(chain.run(lambda: recorder.operation("a")))
    await recorder.begun.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    recorder.gate.set()
    assert await chain.run(lambda: recorder.operation("b")) == "b"
    assert recorder.seen == ["a begins", "a ends", "b begins", "b ends"]


async def test_a_cancelled_caller_that_still_waits_never_begins() -> None:
    chain, recorder = OperationsChain(), Recorder()
    first = asyncio.create_task(chain.run(lambda: recorder.operation("a")))
    second = asyncio.create_task(chain.run(lambda: recorder.operation("b")))
    await recorder.begun.wait()
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    recorder.gate.set()
    assert await first == "a"
    await chain.settle(1.0)
    assert recorder.seen == ["a begins", "a ends"]


async def test_abandoning_fails_every_caller_at_once_and_ignores_the_result_of_the_begun_one() -> None:
    chain, recorder = OperationsChain(), Recorder()
    calls = [asyncio.create_task(chain.run(partial(recorder.operation, name))) for name in "ab"]
    await recorder.begun.wait()
    chain.abandon(InvalidStateError("closed"))
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [InvalidStateError, InvalidStateError]
    recorder.gate.set()
    await chain.settle(1.0)
    assert recorder.seen == ["a begins", "a ends"]


async def test_settling_cancels_an_operation_that_takes_too_long() -> None:
    chain, recorder = OperationsChain(), Recorder()
    caller = asyncio.create_task(chain.run(lambda: recorder.operation("a")))
    await recorder.begun.wait()
    await chain.settle(0.001)
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert recorder.seen == ["a begins"]
    recorder.gate.set()
    assert await chain.run(lambda: recorder.operation("b")) == "b"


async def test_an_operation_that_cancels_itself_does_not_stop_the_next_one() -> None:
    chain, recorder = OperationsChain(), Recorder()
    recorder.gate.set()

    async def cancelled_inside() -> None:
        raise asyncio.CancelledError

    failing = asyncio.create_task(chain.run(cancelled_inside))
    following = asyncio.create_task(chain.run(lambda: recorder.operation("b")))
    with pytest.raises(asyncio.CancelledError):
        await failing
    assert await asyncio.wait_for(following, 5) == "b"


async def test_a_chain_whose_task_is_cancelled_leaves_nobody_waiting() -> None:
    chain, recorder = OperationsChain(), Recorder()
    calls = [asyncio.create_task(chain.run(lambda: recorder.operation("a"))) for _ in range(2)]
    await recorder.begun.wait()
    await chain.settle(0.001)
    async with asyncio.timeout(60):
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [asyncio.CancelledError] * 2


async def test_the_end_of_the_last_operation_is_told_and_the_chain_is_empty_then() -> None:
    told: list[bool] = []
    chain, recorder = OperationsChain(lambda: told.append(chain.is_empty)), Recorder()
    empty = [chain.is_empty]
    calls = [asyncio.create_task(chain.run(partial(recorder.operation, name))) for name in "ab"]
    await recorder.begun.wait()
    empty.append(chain.is_empty)
    recorder.gate.set()
    await asyncio.gather(*calls)
    await asyncio.sleep(0)
    assert (empty, told) == ([True, False], [True])
