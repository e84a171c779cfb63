"""What belongs to a loop's thread refuses every other thread, by name, and nothing is done."""

from __future__ import annotations

import asyncio
import threading

import pytest

from fsm_rtc.engine.own_thread import OwnThread, on_own_thread
from fsm_rtc.errors import WrongThreadError


class Bell:
    def __init__(self) -> None:
        self._own_thread = OwnThread()
        self.rung = 0

    @on_own_thread
    def ring(self, times: int = 1) -> int:
        """Ring it."""
        self.rung += times
        return self.rung


def in_loop(work: object) -> object:
    async def run() -> object:
        return work() if callable(work) else None

    return asyncio.run(run())


async def test_on_its_own_thread_it_does_what_it_does() -> None:
    bell = Bell()
    assert (bell.ring(), bell.ring(times=2)) == (1, 3)
    assert bell.ring.__doc__ == "Ring it."


@pytest.mark.parametrize("has_loop", [False, True], ids=["a plain thread", "another loop"])
async def test_on_another_thread_it_raises_and_does_nothing(has_loop: bool) -> None:
    bell = Bell()
    with pytest.raises(WrongThreadError, match=r"Bell\.ring was called on another thread.*call_soon_threadsafe"):
        await asyncio.to_thread(lambda: in_loop(bell.ring) if has_loop else bell.ring())
    assert bell.rung == 0


def test_made_without_a_loop_it_belongs_to_the_thread_that_first_uses_it_in_one() -> None:
    bell = Bell()
    bell.ring()
    first = threading.Thread(target=lambda: in_loop(bell.ring))
    first.start()
    first.join()
    with pytest.raises(WrongThreadError):
        bell.ring()
    assert bell.rung == 2
