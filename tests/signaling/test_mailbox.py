"""A mailbox, whichever implementation it is: numbered from 1, read after a number, trimmed up to one.

Another implementation adds its name and how it is opened to `IMPLEMENTATIONS`, and is held to every test but the last
few, which are about memory.
"""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import TypeVar, cast

import pytest
import pytest_asyncio
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from fsm_rtc.signaling.mailbox import Mailbox, Mailboxes, MemoryMailboxes

T = TypeVar("T")

Open = Callable[[], AbstractAsyncContextManager[Mailboxes]]
"""Opens an implementation that has no mailbox in it yet."""


@asynccontextmanager
async def in_memory() -> AsyncIterator[Mailboxes]:
    yield MemoryMailboxes()


IMPLEMENTATIONS: dict[str, Open] = {"memory": in_memory}


@pytest.fixture(params=IMPLEMENTATIONS)
def implementation(request: pytest.FixtureRequest) -> Open:
    return IMPLEMENTATIONS[request.param]


@pytest_asyncio.fixture
async def mailboxes(implementation: Open) -> AsyncIterator[Mailboxes]:
    async with implementation() as opened:
        yield opened


@pytest.fixture
def mailbox(mailboxes: Mailboxes) -> Mailbox:
    return mailboxes.of("anna")


async def contents(mailbox: Mailbox) -> list[tuple[int, str]]:
    return list(await mailbox.read(0, 1000))


async def test_a_new_mailbox_is_empty(mailbox: Mailbox) -> None:
    assert await mailbox.length() == 0
    assert await contents(mailbox) == []


async def test_texts_are_numbered_from_1_and_read_in_order(mailbox: Mailbox) -> None:
    assert [await mailbox.append(text) for text in "abc"] == [1, 2, 3]
    assert await contents(mailbox) == [(1, "a"), (2, "b"), (3, "c")]
    assert await mailbox.length() == 3


async def test_reading_takes_nothing_out(mailbox: Mailbox) -> None:
    await mailbox.append("a")
    assert await contents(mailbox) == await contents(mailbox) == [(1, "a")]


async def test_reading_resumes_after_a_number_and_stops_at_the_limit(mailbox: Mailbox) -> None:
    for text in "abcde":
        await mailbox.append(text)
    assert list(await mailbox.read(2, 2)) == [(3, "c"), (4, "d")]
    assert list(await mailbox.read(4, 2)) == [(5, "e")]
    assert list(await mailbox.read(5, 2)) == []
    assert list(await mailbox.read(99, 2)) == []


async def test_what_was_confirmed_goes_and_the_numbers_go_on(mailbox: Mailbox) -> None:
    for text in "abc":
        await mailbox.append(text)
    await mailbox.trim(2)
    assert await contents(mailbox) == [(3, "c")]
    assert list(await mailbox.read(1, 10)) == [(3, "c")]
    await mailbox.trim(3)
    assert await contents(mailbox) == []
    assert await mailbox.append("d") == 4
    assert await contents(mailbox) == [(4, "d")]


async def test_confirming_again_or_less_than_before_changes_nothing(mailbox: Mailbox) -> None:
    for text in "abc":
        await mailbox.append(text)
    for upto in (2, 2, 1, 0):
        await mailbox.trim(upto)
        assert await contents(mailbox) == [(3, "c")]


async def test_confirming_more_than_there_is_skips_no_number(mailbox: Mailbox) -> None:
    await mailbox.trim(7)
    assert await mailbox.append("a") == 1
    await mailbox.trim(99)
    assert await mailbox.append("b") == 2
    assert await contents(mailbox) == [(2, "b")]


async def test_a_deleted_mailbox_begins_anew(mailbox: Mailbox) -> None:
    await mailbox.append("a")
    await mailbox.delete()
    assert await contents(mailbox) == []
    await mailbox.delete()
    assert await mailbox.append("b") == 1


async def test_the_same_session_has_the_same_mailbox_and_another_its_own(mailboxes: Mailboxes) -> None:
    anna, bert = mailboxes.of("anna"), mailboxes.of("bert")
    await anna.append("to anna")
    assert await bert.append("to bert") == 1
    assert await contents(mailboxes.of("anna")) == [(1, "to anna")]
    await anna.delete()
    assert await contents(mailboxes.of("anna")) == []
    assert await contents(bert) == [(1, "to bert")]


@pytest.mark.parametrize("text", ["", " ", "0", "a\nb\r\n\0", "ä€𝄞", '{"type":"offer"}', "x" * 300_000])
async def test_a_text_comes_back_as_it_was(mailbox: Mailbox, text: str) -> None:
    await mailbox.append(text)
    assert await contents(mailbox) == [(1, text)]


async def test_those_who_append_at_once_are_each_given_a_number_of_their_own(mailbox: Mailbox) -> None:
    numbers = await asyncio.gather(*(mailbox.append(str(sender)) for sender in range(50)))
    assert sorted(numbers) == list(range(1, 51))
    assert await contents(mailbox) == [(number, str(numbers.index(number))) for number in range(1, 51)]


KEYS = ("anna", "bert")


class Shelf(RuleBasedStateMachine):
    """Two mailboxes against a list each, from which nothing is ever thrown away."""

    def __init__(self, implementation: Open) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.opened = implementation()
        self.mailboxes = self.run(self.opened.__aenter__())
        self.all: dict[str, list[str]] = {key: [] for key in KEYS}
        self.trimmed = dict.fromkeys(KEYS, 0)

    def run(self, coroutine: Coroutine[None, None, T]) -> T:
        return self.runner.get_loop().run_until_complete(coroutine)  # `Runner.run` also takes and gives back signals

    def teardown(self) -> None:
        self.run(close(self.opened))
        self.runner.close()

    def model(self, key: str) -> list[tuple[int, str]]:
        return list(enumerate(self.all[key], 1))[self.trimmed[key] :]

    @rule(key=st.sampled_from(KEYS), text=st.text(max_size=5))
    def append(self, key: str, text: str) -> None:
        self.all[key].append(text)
        assert self.run(self.mailboxes.of(key).append(text)) == len(self.all[key])

    @rule(key=st.sampled_from(KEYS), after=st.integers(0, 12), limit=st.integers(1, 6))
    def read(self, key: str, after: int, limit: int) -> None:
        expected = [(number, text) for number, text in self.model(key) if number > after][:limit]
        assert list(self.run(self.mailboxes.of(key).read(after, limit))) == expected

    @rule(key=st.sampled_from(KEYS), upto=st.integers(0, 12))
    def trim(self, key: str, upto: int) -> None:
        self.run(self.mailboxes.of(key).trim(upto))
        self.trimmed[key] = max(self.trimmed[key], min(upto, len(self.all[key])))

    @rule(key=st.sampled_from(KEYS))
    def delete(self, key: str) -> None:
        self.run(self.mailboxes.of(key).delete())
        self.all[key], self.trimmed[key] = [], 0

    @invariant()
    def everything_is_there(self) -> None:
        async def look() -> list[tuple[list[tuple[int, str]], int]]:
            there = [self.mailboxes.of(key) for key in KEYS]
            return [(await contents(mailbox), await mailbox.length()) for mailbox in there]

        assert self.run(look()) == [(self.model(key), len(self.model(key))) for key in KEYS]


async def close(opened: AbstractAsyncContextManager[Mailboxes]) -> None:
    await opened.__aexit__(None, None, None)


def test_a_mailbox_is_a_list_that_is_read_from_a_number_on(implementation: Open) -> None:
    factory = cast(type[RuleBasedStateMachine], partial(Shelf, implementation))  # Hypothesis takes any factory
    run_state_machine_as_test(factory)


def test_in_memory_nothing_suspends() -> None:
    mailbox = MemoryMailboxes().of("anna")
    calls: tuple[Coroutine[None, None, object], ...] = (
        mailbox.append("a"),
        mailbox.read(0, 1),
        mailbox.trim(1),
        mailbox.length(),
        mailbox.delete(),
    )
    for call in calls:
        with pytest.raises(StopIteration):
            call.send(None)


async def test_in_memory_a_mailbox_that_was_read_empty_is_small() -> None:
    mailboxes = MemoryMailboxes()
    keys = [f"session {number}" for number in range(1000)]
    tracemalloc.start()
    try:
        kept = [mailboxes.of(key) for key in keys]
        unused, _ = tracemalloc.get_traced_memory()
        for mailbox in kept:
            await mailbox.append("a")
            await mailbox.trim(1)
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert unused / len(keys) < 100
    assert used / len(keys) < 350


async def test_in_memory_a_deleted_mailbox_leaves_nothing_behind() -> None:
    mailboxes = MemoryMailboxes()
    for number in range(100):
        await mailboxes.of(str(number)).append("a")
        await mailboxes.of(str(number)).delete()
    assert mailboxes._streams == {}
