"""Everything in any order: operations duplicated, reordered, lost, late, cancelled, of an earlier connection, and a
library that fails, hangs, vanishes and reports odd states. Two stores in memory; what must always hold, holds.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from fsm_rtc.errors import FsmRtcError, InvalidStateError
from fsm_rtc.machines.peer_status import PeerConnectionStatus, PeerStatus
from fsm_rtc.machines.signaling_link import SignalingLink, SignalingStatus
from fsm_rtc.peer import Configuration, IceCandidate
from fsm_rtc.store import ConnectionSnapshot
from fsm_rtc.testing import FakeTrack
from tests.instant_loop import InstantLoop
from tests.store.store_pairs import CANDIDATE, Side, World

SIDES = st.integers(0, 1)
ALLOWED_ERRORS = (FsmRtcError, TypeError, ValueError)
ODD_STATES = ["new", "checking", "connecting", "connected", "completed", "disconnected", "failed", "closed", "odd", ""]
STATUSES = [*SignalingStatus, *PeerConnectionStatus, "unknown", ""]
CANDIDATES = [
    IceCandidate(CANDIDATE, "0", 0),
    IceCandidate(CANDIDATE, "9", 9),
    IceCandidate("garbage", "0"),
    IceCandidate("", "0"),
    None,
    {"candidate": CANDIDATE},
    {},
]


OVERTAKEN = (
    "the connection was closed during this operation",
    "the connection was replaced during this operation",
    "the store was reset during this operation",
    "the status was set to Disconnected during this operation",
)


class Errors(logging.Handler):
    """Collects what fsm_rtc logs as an error: an exception that came into a reader."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(self.format(record))


class StoreOrderings(RuleBasedStateMachine):
    """Two stores, what they sent each other, and what is under way."""

    engine = "compiled"

    def __init__(self) -> None:
        super().__init__()
        self.loop = InstantLoop()
        self.unhandled: list[dict[str, Any]] = []
        self.loop.set_exception_handler(lambda _, context: self.unhandled.append(context))
        self.logged = Errors()
        logging.getLogger("fsm_rtc").addHandler(self.logged)
        self.world = World(engine=self.engine, configuration=Configuration())
        self.sides = self.world.pair()
        self.wire: list[Any] = []
        self.running: list[asyncio.Task[Any]] = []
        self.seen: dict[int, list[ConnectionSnapshot]] = {0: [], 1: []}
        self.readers: list[asyncio.Task[None]] = []

    @initialize()
    def begin(self) -> None:
        for number, side in enumerate(self.sides):
            side.store.subscribe(self.seen[number].append)
            side.store.subscribe(self.meddler(side))

    def meddler(self, side: Side) -> Callable[[ConnectionSnapshot], None]:
        """A subscriber that answers a change with a change, and is never called within its own call."""
        busy = False

        def meddle(state: ConnectionSnapshot) -> None:
            nonlocal busy
            assert not busy, "a nested call"
            busy = True
            side.store.set_connection_id(state.peer_connection_status.value)
            busy = False

        return meddle

    def turn(self, number: int = 1) -> None:
        async def go() -> None:
            for _ in range(number):
                await asyncio.sleep(0)

        self.loop.run_until_complete(go())

    def start(self, number: int, operation: Callable[[], Awaitable[Any]]) -> None:
        """Begin an operation; its result goes on the wire, its error must be allowed, and stored."""
        store = self.sides[number].store

        async def run() -> None:
            try:
                result = await operation()
            except ALLOWED_ERRORS as error:
                if not (isinstance(error, InvalidStateError) and str(error).startswith(OVERTAKEN)):
                    self.was_stored(number, error)
            else:
                if result is not None:
                    self.wire.append(result)
                    self.wire.extend(store.snapshot.ice_candidates)

        self.running.append(self.loop.create_task(run()))

    def now(self, number: int, call: Callable[[], object]) -> None:
        """Call something synchronous, on the loop; its error must be allowed, and stored."""

        async def run() -> None:
            try:
                call()
            except ALLOWED_ERRORS as error:
                self.was_stored(number, error)

        self.loop.run_until_complete(run())

    def was_stored(self, number: int, error: Exception) -> None:
        assert any(error is state.error for state in self.seen[number]), f"not stored: {error!r}"

    # What programs do.

    @rule(number=SIDES)
    def create_offer(self, number: int) -> None:
        self.start(number, self.sides[number].store.create_offer)

    @rule(number=SIDES, steps=st.integers(1, 4), pause=st.integers(0, 20))
    def exchange(self, number: int, steps: int, pause: int) -> None:
        """An exchange as it should be, as far as it goes."""
        stores = [self.sides[number].store, self.sides[1 - number].store]
        offers: list[Any] = []
        self.start(number, lambda: self.kept(stores[0].create_offer(), offers))
        self.turn(12)
        if steps > 1 and offers:
            answers: list[Any] = []
            self.start(1 - number, lambda: self.kept(stores[1].process_offer(offers[0]), answers))
            self.turn(20)
            if steps > 2 and answers:
                self.start(number, lambda: stores[0].process_answer(answers[0]))
        self.turn(pause)

    async def kept(self, operation: Awaitable[Any], results: list[Any]) -> Any:
        results.append(await operation)
        return results[-1]

    @precondition(lambda self: self.wire)
    @rule(number=SIDES, data=st.data(), late=st.booleans())
    def deliver(self, number: int, data: st.DataObject, late: bool) -> None:
        """Any message that was ever sent, to any side, as what it is or as what it is not."""
        message = data.draw(st.sampled_from(self.wire))
        store = self.sides[number].store
        if isinstance(message, IceCandidate):
            self.start(number, lambda: store.add_ice_candidate(message))
        elif (message.type == "offer") != late:
            self.start(number, lambda: store.process_offer(message))
        else:
            self.start(number, lambda: store.process_answer(message))

    @precondition(lambda self: self.wire)
    @rule()
    def lose(self) -> None:
        self.wire.pop(0)

    @rule(number=SIDES, candidate=st.sampled_from(CANDIDATES))
    def add_candidate(self, number: int, candidate: Any) -> None:
        self.start(number, lambda: self.sides[number].store.add_ice_candidate(candidate))

    @rule(number=SIDES)
    def create_peer_connection(self, number: int) -> None:
        self.now(number, self.sides[number].store.create_peer_connection)

    @rule(number=SIDES)
    def close(self, number: int) -> None:
        self.start(number, self.sides[number].store.close_connection)

    @rule(number=SIDES)
    def reset(self, number: int) -> None:
        self.start(number, self.sides[number].store.reset)

    @rule(number=SIDES, status=st.sampled_from(STATUSES), of_signaling=st.booleans())
    def set_status(self, number: int, status: str, of_signaling: bool) -> None:
        store = self.sides[number].store
        setter = store.set_signaling_status if of_signaling else store.set_peer_connection_status
        self.now(number, lambda: setter(status))

    @rule(number=SIDES, is_received=st.booleans())
    def set_offer_received(self, number: int, is_received: bool) -> None:
        self.now(number, lambda: self.sides[number].store.set_offer_received(is_received))

    @rule(number=SIDES, message=st.sampled_from(["{", '{"type": "chat", "message": "x"}', b"\xff"]))
    def send(self, number: int, message: str | bytes) -> None:
        self.now(number, lambda: self.sides[number].store.send(message))

    @rule(number=SIDES)
    def read(self, number: int) -> None:
        async def read() -> None:
            async for _ in self.sides[number].store.messages(1):
                pass

        self.readers.append(self.loop.create_task(read()))

    @rule(number=SIDES)
    def add_track(self, number: int) -> None:
        self.now(number, lambda: self.sides[number].store.add_track(FakeTrack("audio")))

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from(self.running)).cancel()

    @rule(number=st.integers(1, 15))
    def wait(self, number: int) -> None:
        self.turn(number)

    @rule(seconds=st.sampled_from([0.5, 10.0]))
    def pass_time(self, seconds: float) -> None:
        self.loop.run_until_complete(asyncio.sleep(seconds))

    # What libraries do.

    def library(self, number: int, data: st.DataObject) -> Any:
        """That of the present connection, or of any earlier one."""
        made = self.sides[number].made
        return data.draw(st.sampled_from(made)).library if made else None

    @rule(
        number=SIDES,
        data=st.data(),
        operation=st.sampled_from(
            ["create_offer", "create_answer", "set_local_description", "set_remote_description", "add_ice_candidate"]
        ),
    )
    def fail(self, number: int, data: st.DataObject, operation: str) -> None:
        if library := self.library(number, data):
            library.fail_next(operation)

    @rule(number=SIDES, data=st.data(), is_held=st.booleans())
    def hang(self, number: int, data: st.DataObject, is_held: bool) -> None:
        if library := self.library(number, data):
            library.hold() if is_held else library.release()

    @rule(
        number=SIDES,
        data=st.data(),
        what=st.sampled_from(["ice", "dtls", "sctp", "gathering"]),
        value=st.sampled_from(ODD_STATES),
    )
    def report(self, number: int, data: st.DataObject, what: str, value: str) -> None:
        if library := self.library(number, data):
            self.loop.call_soon(library.report, what, value)
            self.turn()

    @rule(number=SIDES, data=st.data())
    def vanish(self, number: int, data: st.DataObject) -> None:
        if library := self.library(number, data):
            self.loop.call_soon(library.vanish)
            self.turn()

    # What always holds.

    @invariant()
    def each_snapshot_is_consistent(self) -> None:
        for number, side in enumerate(self.sides):
            for state in self.seen[number]:
                assert (state.peer_connection is None) == (state.peer_connection_status == "Disconnected"), state
                assert state.peer_connection is not None or state.data_channel is None, state
                assert not str(state.error).startswith(OVERTAKEN), "a close of one's own is no error of the store"
                assert isinstance(state.peer_connection_status, PeerConnectionStatus)
                assert isinstance(state.signaling_status, SignalingStatus)
            present = side.store.snapshot
            assert present.peer_connection_status is side.store.peer_status.state
            assert present.signaling_status is side.store.signaling_link.state
            if self.seen[number]:
                assert self.seen[number][-1] == present, "somebody was not told"
                del self.seen[number][:-50]

    @invariant()
    def the_connection_is_the_one_of_the_generation(self) -> None:
        for side in self.sides:
            connection = side.store.snapshot.peer_connection
            assert connection is None or connection.generation == side.store.peer_status.generation
            if connection is None or connection.negotiation.is_final:
                assert side.store.candidates.state == "buffering", "candidates now are for the next connection"

    @invariant()
    def nothing_raised_into_a_reader(self) -> None:
        assert self.logged.records == []
        assert self.unhandled == []
        for task in self.running:
            if task.done() and not task.cancelled():
                task.result()
        self.running = [task for task in self.running if not task.done()]

    def every_step_was_in_its_table(self, side: Side) -> None:
        for label, table in (("peer_status", PeerStatus.chart), ("signaling_link", SignalingLink.chart)):
            edges = {(source.value, target.value) for source, _, target in table.edges()}
            for entry in side.journal.entries(f"{side.store._options.label}.{label}"):
                assert not entry.accepted or (entry.source, entry.target) in edges, entry

    def teardown(self) -> None:
        async def end() -> None:
            await asyncio.wait_for(asyncio.gather(*(side.store.close_connection() for side in self.sides)), 60)
            if self.running:
                _, late = await asyncio.wait(self.running, timeout=60)
                assert not late, f"still under way after close: {late}"
            for reader in self.readers:
                reader.cancel()
            await asyncio.gather(*self.readers, return_exceptions=True)
            for _ in range(5):
                await asyncio.sleep(0)
            left = asyncio.all_tasks() - {asyncio.current_task()}
            assert not left, f"tasks are left: {left}"

        try:
            self.loop.run_until_complete(end())
            self.nothing_raised_into_a_reader()
            self.each_snapshot_is_consistent()
            for side in self.sides:
                assert side.store.snapshot.peer_connection_status == "Disconnected"
                self.every_step_was_in_its_table(side)
        finally:
            logging.getLogger("fsm_rtc").removeHandler(self.logged)
            self.loop.close()


class StoreOrderingsByTransitions(StoreOrderings):
    engine = "transitions"


EXAMPLES = max(1, settings().max_examples // 2)

TestStoreOrderings = pytest.mark.filterwarnings("error")(StoreOrderings.TestCase)
TestStoreOrderings.settings = settings(max_examples=EXAMPLES, stateful_step_count=40)
TestStoreOrderingsByTransitions = pytest.mark.filterwarnings("error")(StoreOrderingsByTransitions.TestCase)
TestStoreOrderingsByTransitions.settings = settings(max_examples=max(1, EXAMPLES // 3), stateful_step_count=40)
