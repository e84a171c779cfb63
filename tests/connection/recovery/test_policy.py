"""RecoveryPolicy: what it refuses, and that each time may be infinite without anything breaking."""

from __future__ import annotations

import asyncio
from dataclasses import fields
from math import inf
from typing import Any

import pytest

from fsm_rtc.connection.events import PeerLost
from fsm_rtc.connection.recovery.driver import RecoveryDriver
from fsm_rtc.connection.recovery.policy import RecoveryPolicy
from tests.connection.recovery.watched_call import WatchedCall, recoverer_of
from tests.instant_loop import InstantLoop

ENDLESS = [field.name for field in fields(RecoveryPolicy) if field.name not in ("attempts", "heartbeat_seconds")]


async def watch(policy: RecoveryPolicy, seconds: float) -> tuple[WatchedCall, RecoveryDriver]:
    call = WatchedCall()
    recoverer = recoverer_of(call, policy)
    recoverer.heard()
    await asyncio.sleep(seconds)
    recoverer.close()
    return call, recoverer


def watched(policy: RecoveryPolicy, seconds: float = 200.0) -> tuple[WatchedCall, RecoveryDriver]:
    with asyncio.Runner(loop_factory=InstantLoop) as runner:
        return runner.run(watch(policy, seconds))


def endless(name: str) -> RecoveryPolicy:
    later = {"suspect_after_seconds": {"begin_after_seconds": inf, "give_up_after_seconds": inf}}
    later["begin_after_seconds"] = {"give_up_after_seconds": inf}
    return RecoveryPolicy(**{name: inf, **later.get(name, {})})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [name for name in ENDLESS if not name.endswith("backoff_seconds")])
def test_a_time_that_is_never_over_breaks_nothing(name: str, caplog: pytest.LogCaptureFixture) -> None:
    call, _ = watched(endless(name))
    assert not caplog.records
    assert call.when(PeerLost) == ([] if name == "suspect_after_seconds" else [2.5])


@pytest.mark.parametrize("name", ["first_backoff_seconds", "longest_backoff_seconds"])
def test_a_pause_is_over_some_time(name: str) -> None:
    with pytest.raises(ValueError, match="nothing would be tried behind it"):
        RecoveryPolicy(**{name: inf})  # type: ignore[arg-type]


@pytest.mark.parametrize("attempts", [inf, 1.5, -1, True])
def test_attempts_are_counted(attempts: Any) -> None:
    with pytest.raises(ValueError, match="attempts"):
        RecoveryPolicy(attempts=attempts)


def test_a_heart_that_beats_all_the_time_is_refused() -> None:
    with pytest.raises(ValueError, match="heartbeat_seconds must be"):
        RecoveryPolicy(heartbeat_seconds=1e-9)
