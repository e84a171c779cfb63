"""Why a call failed, told by its journal alone: the rows that led there, in order."""

from __future__ import annotations

from collections.abc import Iterable

from fsm_rtc import Allowlist, Connection, Journal
from fsm_rtc.connection import memory_pipe
from fsm_rtc.connection.events import Ended
from fsm_rtc.connection.recovery.policy import RecoveryPolicy
from fsm_rtc.errors import OperationError, SignalingError
from fsm_rtc.testing import FakeNetwork, FakePeerConnection
from tests.connection.connection_pairs import FIRST, SECOND, Tap, connection, pair, ready

Step = tuple[str, str, str]
"""A machine, its trigger, and the state that it led to; of a rejection, why."""


def steps(journal: Journal, owner: str) -> list[Step]:
    """What one side's journal holds."""
    return [
        (one.machine, one.trigger, one.target if one.accepted else f"rejected: {one.guard or one.reason}")
        for one in journal.entries()
        if one.label.startswith(f"{owner}.")
    ]


def assert_in_order(found: list[Step], expected: Iterable[Step]) -> None:
    rest = iter(found)
    for step in expected:
        assert step in rest, f"{step} is missing, or comes too early, in {found}"


async def over(call: Connection) -> None:
    """Wait until its call has ended."""
    events = call.events()
    if call.call_state not in ("failed", "over"):
        async for event in events:
            if isinstance(event, Ended):
                return


async def test_somebody_who_is_not_trusted() -> None:
    journal, network = Journal(), FakeNetwork()
    here, there = memory_pipe("kitchen")
    async with (
        connection(here, FIRST, network, trust=Allowlist([]), journal=journal, label="alice"),
        connection(there, SECOND, network, journal=journal, label="bob") as bob,
    ):
        await over(bob)
    assert_in_order(steps(journal, "alice"), [("Exchange", "on_joined", "rejected: trusted")])
    assert_in_order(
        steps(journal, "bob"),
        [("Call", "on_peer", "met"), ("Exchange", "on_bye", "closed"), ("Call", "on_over", "failed")],
    )


async def test_an_operation_of_the_library_that_fails() -> None:
    journal, network = Journal(), FakeNetwork()

    def failing(*arguments: object, **options: object) -> FakePeerConnection:
        made = FakePeerConnection(*arguments, network=network, **options)  # type: ignore[arg-type]
        made.library.fail_next("set_remote_description", OperationError("no room for that"))
        return made

    here, there = memory_pipe("kitchen")
    async with (
        Connection(here, FIRST, peer_connection_factory=failing, journal=journal, label="alice") as alice,
        connection(there, SECOND, network),
    ):
        await over(alice)
    assert_in_order(
        steps(journal, "alice"),
        [
            ("Call", "on_peer", "met"),
            ("Exchange", "on_offer", "applying offer"),
            ("Exchange", "leave", "leaving"),
            ("Call", "on_over", "failed"),
        ],
    )


async def test_a_peer_that_is_never_connected() -> None:
    journal, network = Journal(), FakeNetwork()
    network.cut()
    policy = RecoveryPolicy(connect_timeout_seconds=0.2)
    here, there = memory_pipe("kitchen")
    async with (
        connection(here, FIRST, network, journal=journal, label="alice", recovery=policy) as alice,
        connection(there, SECOND, network, recovery=policy),
    ):
        await over(alice)
    assert_in_order(
        steps(journal, "alice"),
        [("Call", "on_peer", "met"), ("Call", "on_too_late", "met"), ("Call", "on_over", "failed")],
    )


async def test_a_peer_that_is_lost_and_not_had_back() -> None:
    journal, network = Journal(), FakeNetwork()
    policy = RecoveryPolicy(
        heartbeat_seconds=0.05,
        suspect_after_seconds=0.1,
        begin_after_seconds=0.2,
        follower_waits_seconds=0.1,
        attempt_seconds=0.2,
        give_up_after_seconds=1.0,
    )
    here, there = memory_pipe("kitchen")
    async with (
        connection(here, FIRST, network, journal=journal, label="alice", recovery=policy) as alice,
        connection(there, SECOND, network, recovery=policy) as bob,
    ):
        await ready(alice, bob)
        network.cut()
        await over(alice)
    assert_in_order(
        steps(journal, "alice"),
        [
            ("Recovery", "on_heard", "watching"),
            ("Call", "look", "ready"),
            ("Recovery", "on_silence", "suspect"),
            ("Recovery", "on_overdue", "overdue"),
            ("Recovery", "on_too_long", "gave up"),
            ("Call", "on_over", "over"),
        ],
    )


async def test_a_wrong_certificate() -> None:
    journal = Journal()
    async with pair(journal=journal) as (alice, bob, *_):
        await ready(alice, bob)
        assert isinstance(alice.peer_connection, FakePeerConnection)
        alice.peer_connection.library.report("dtls", "failed")
        await over(alice)
    assert_in_order(
        steps(journal, "alice"),
        [
            ("Call", "look", "ready"),
            ("Dtls", "on_failed", "failed"),
            ("Recovery", "on_dtls_failed", "gave up"),
            ("Exchange", "leave", "leaving"),
            ("Call", "on_over", "over"),
        ],
    )


async def test_another_program_with_the_same_key() -> None:
    journal = Journal()
    here = Tap(memory_pipe("kitchen")[0])
    async with connection(here, FIRST, FakeNetwork(), journal=journal, label="alice") as alice:
        here.down(SignalingError("replaced", code="replaced"), None)
        await over(alice)
    assert_in_order(
        steps(journal, "alice"),
        [("SignalingLink", "on_error", "Error"), ("Call", "on_given_up", "open"), ("Call", "on_over", "failed")],
    )
