"""Two exchanges over a link that loses, repeats and reorders: once the faults end both agree, or both know why not."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from fsm_rtc.connection.exchange.exchanger import Exchanger
from fsm_rtc.machines.exchange import ExchangeState
from tests.connection.exchange.exchange_pair import Pair, Side
from tests.effort import by_profile

FAULTS_END_SECONDS = 75.0
"""A side that gives up after 45 s goes on saying so for 45 s; faults that last longer can hide it."""

steps = st.one_of(
    st.tuples(st.sampled_from(("deliver", "lose", "repeat")), st.integers(0, 1), st.integers(0, 5)),
    st.tuples(st.sampled_from(("work", "negotiate", "join")), st.integers(0, 1), st.just(0)),
    st.tuples(st.just("advance"), st.just(0), st.integers(0, 18_000)),
)


def play(pair: Pair, script: list[tuple[str, int, int]]) -> None:
    """Let the link and the sides do what the script says."""
    joined: set[int] = set()
    for verb, number, detail in script:
        side: Side = pair.sides[number]
        if verb == "join" and number not in joined:
            joined.add(number)
            pair.join(side)
        elif verb == "negotiate":
            pair.negotiate(side)
        elif verb == "work" and side.work:
            side.do_one(pair.clock())
        elif verb == "advance" and pair.clock() + detail / 1000 < FAULTS_END_SECONDS:
            pair.advance(detail / 1000)
        elif verb in ("deliver", "lose", "repeat") and side.outbox:
            place = detail % len(side.outbox)
            text = side.outbox[place] if verb == "repeat" else side.outbox.pop(place)
            if verb != "lose":
                pair.deliver(pair.other(side), text)
    for number in {0, 1} - joined:
        pair.join(pair.sides[number])


def is_at_rest(exchanger: Exchanger) -> bool:
    return exchanger.next_timeout() is None


@settings(max_examples=by_profile(quick=400, default=400, ci=400, thorough=4000))
@given(script=st.lists(steps, min_size=20, max_size=120))
def test_once_faults_end_both_agree_or_both_know_why_not(script: list[tuple[str, int, int]]) -> None:
    pair = Pair(signed=False)
    play(pair, script)
    pair.run()
    one, other = pair.sides
    assert is_at_rest(one.exchanger)
    assert is_at_rest(other.exchanger)
    if one.exchanger.state is ExchangeState.IDLE:
        assert other.exchanger.state is ExchangeState.IDLE
        assert one.agreed is not None
        assert one.agreed == other.agreed
        assert (one.remote_ufrag or "").startswith(other.name)
        assert (other.remote_ufrag or "").startswith(one.name)
    else:
        assert (one.exchanger.state, other.exchanger.state) == (ExchangeState.CLOSED, ExchangeState.CLOSED)
        assert one.ended is not None
        assert one.ended.reason
        assert other.ended is not None
        assert other.ended.reason
