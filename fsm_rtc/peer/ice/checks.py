"""Connectivity checks over aioice: which pair is checked when, and what comes of it.

A check is one STUN request; it is never sent again as it is, but followed by another one. So the answer to each may
come late, and a lost one costs half a second. Each pair is checked when its turn comes, and again and again until a
pair is nominated, one that has answered too, as libwebrtc does. A peer that offers an ICE restart answers checks before
it has this side's answer, and prefers its old pair to one on which it hears nothing afterwards; so who asks once
waits for ever. Source: RFC 8445, sections 6 and 7; RFC 8863.

What holds:

- No more than one check every `PACE_SECONDS` but for those that a request of the other side triggers, one a request.
- No more than `PAIRS_LIMIT` pairs; those of lower priority give way, and those that work never do.
- Nothing has failed before `PATIENCE_SECONDS` are over, unless this side has nothing to check from.
- A pair that works isn't given up while it answers; only a nomination ends the checks.
- When the selected pair falls silent the others are checked, for which those stay that never were, and the controlling
  side takes one that answers while the selected one doesn't.
- A controlled side uses the pair that was nominated last.
"""

from __future__ import annotations

import asyncio
from bisect import insort
from collections.abc import Callable
from functools import partial
from typing import Any, cast

from aioice import Candidate, ice, mdns, stun
from aioice.utils import random_string

from fsm_rtc.machines.candidate_pair import CandidatePair
from fsm_rtc.peer.ice.private import is_closing

PACE_SECONDS = 0.02
"""Ta: between two checks of any pairs. Source: RFC 8445, section 14.2: 50 ms, and not below 5; 20 ms are aioice's."""

REPEAT_SECONDS = 0.5
"""Between two checks of one pair, at least. Source: RFC 8445, section 14.3, the RTO."""

SOON = 6
"""After so many checks of a pair the interval is twice as long: within the 2.5 s of libwebrtc's `receiving`."""

PATIENCE_SECONDS = 39.5
"""Nothing has failed before. Source: RFC 8863, section 4: as long as a STUN transaction by the default of RFC 8489."""

ANSWER_SECONDS = 5.0
"""How late an answer may come: more than any path takes on which a call makes sense, but a queue can be long."""

PAIRS_LIMIT = 100
"""Source: RFC 8445, section 6.1.2.5."""

ROLE_CONFLICT = 487


class Question:
    """One STUN request, sent once, whose answer may come late.

    Args:
        pair: between which candidates.
        request: with everything but its integrity.
        key: of both sides' integrity.
        answered: called with the response, an error too, and the address that it came from.
        over: called when it is over, with or without an answer.
    """

    def __init__(
        self,
        pair: ice.CandidatePair,
        request: stun.Message,
        key: bytes,
        answered: Callable[[stun.Message, tuple[str, int]], None],
        over: Callable[[Question], None],
    ) -> None:
        self._transactions = cast("dict[bytes, Any]", pair.protocol.transactions)
        self._number = request.transaction_id
        self._key = key
        self._answered = answered
        self._over = over
        request.add_message_integrity(key)
        self._transactions[self._number] = self
        self._timer = asyncio.get_running_loop().call_later(ANSWER_SECONDS, self.forget)
        if not is_closing(pair.protocol.transport):
            pair.protocol.send_stun(request, pair.remote_addr)

    def response_received(self, message: stun.Message, address: tuple[str, int]) -> None:
        """What aioice calls; a response without the other side's integrity is none. Source: RFC 8489, section 9.1.4."""
        if message.check_message_integrity(self._key):
            self.forget()
            self._answered(message, address)

    def forget(self) -> None:
        """Wait no longer."""
        self._timer.cancel()
        self._transactions.pop(self._number, None)
        self._over(self)


class Pair(ice.CandidatePair):
    """A candidate pair whose state is a table's.

    Attributes:
        status: RTCStatsIceCandidatePairState.
        checks: how many were sent.
        answers: how many came, since another pair was looked for last.
        due: when the next may be sent, in the loop's time.
        proven: when it began, or answered last, in the loop's time.
    """

    def __init__(self, protocol: ice.StunProtocol, remote_candidate: Candidate) -> None:
        self.status = CandidatePair()
        self.checks = self.answers = 0
        self.due = 0.0
        self.proven = 0.0
        super().__init__(protocol, remote_candidate)

    @property
    def state(self) -> ice.CandidatePair.State:
        """The same in aioice's words."""
        return ice.CandidatePair.State[self.status.state.name]

    @state.setter
    def state(self, _: ice.CandidatePair.State) -> None:
        """aioice sets it when it makes a pair; the table begins there anyway."""

    @property
    def works(self) -> bool:
        """Whether it has answered, and not failed since."""
        return bool(self.status.permits("nominate"))

    @property
    def is_unchecked(self) -> bool:
        """Whether a check of it is still to be sent."""
        return bool(self.status.permits("ordinary_check"))

    @property
    def is_open(self) -> bool:
        """Whether it isn't known yet that it doesn't work."""
        return bool(self.status.permits("check"))


def _ignore(*_: object) -> None:
    """Nobody listens yet."""


class AgentEvents:
    """What an ICE agent tells; each is set by who wants to hear it, and nobody listens at first.

    Attributes:
        found: called with each aioice Candidate of this side.
        failed: called with a server that gave no candidate, the host candidate it was asked for or None, and why.
        received: called with each datagram of the other side's.
        heard: called when a request of the other side has come.
        selected: called when another pair is used than before.
        exhausted: called with whether every pair has failed while more may come.
        consented: called with whether the other side is there, when that changes.
        expired: called when consent has expired.
    """

    found: Callable[[Candidate], None] = staticmethod(_ignore)
    failed: Callable[..., None] = staticmethod(_ignore)
    received: Callable[[bytes], None] = staticmethod(_ignore)
    heard: Callable[[], None] = staticmethod(_ignore)
    selected: Callable[[], None] = staticmethod(_ignore)
    exhausted: Callable[[bool], None] = staticmethod(_ignore)
    consented: Callable[[bool], None] = staticmethod(_ignore)
    expired: Callable[[], None] = staticmethod(_ignore)


class Checks(AgentEvents, ice.Connection):
    """An aioice Connection that checks its pairs as said above.

    Attributes:
        heard_at: when anything came from the other side last, in the loop's time.
        answered_at: when the selected pair answered last, in the loop's time.
        generation: how many restarts came before.
        requests: how many requests of the other side were heard.
    """

    _check_list: list[Pair]  # type: ignore[assignment]

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.heard_at = 0.0
        self.answered_at = 0.0
        self.generation = 0
        self.requests = 0
        self._chosen: Pair | None = None
        self._indexed: dict[tuple[int, str, str, int], Candidate] = {}
        self._questions: set[Question] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._sent_at = 0.0
        self._patience_ends = 0.0

    @property
    def nominated_pair(self) -> Any:
        """aioice's CandidatePair that is in use, or None."""
        return self._nominated.get(1)

    @property
    def is_connected(self) -> bool:
        """Whether there is a nominated pair."""
        return bool(self._nominated)

    @property
    def is_searching(self) -> bool:
        """Whether a pair is looked for."""
        return not self._check_list_done

    # The checklist.

    def _find_remote_candidate(self, remote_candidate: Candidate) -> Candidate | None:
        """As aioice's, by an index: a peer may name a thousand, and each is looked for."""
        for one in self._remote_candidates[len(self._indexed) :]:
            self._indexed[_address(one)] = one
        return self._indexed.get(_address(remote_candidate))

    def _pair_remote_candidate(self, remote_candidate: Candidate) -> None:
        is_named = mdns.is_mdns_hostname(remote_candidate.host)
        for protocol in self._protocols:
            local = protocol.local_candidate
            # Relaying to an mDNS candidate would tell the server its address.
            if is_named and local.type == "relay":
                continue
            if local.can_pair_with(remote_candidate) and self._find_pair(protocol, remote_candidate) is None:
                self._insert(Pair(protocol, remote_candidate), is_triggered=False)
        self._plan()

    def _insert(self, pair: Pair, *, is_triggered: bool) -> bool:
        """Put it in its place, if there is room; what the other side has checked comes before what is guessed."""
        if len(self._check_list) >= PAIRS_LIMIT:
            last = next((one for one in reversed(self._check_list) if not one.works), None)
            if last is None or not (is_triggered or self._rank(pair) < self._rank(last)):
                return False
            self._check_list.remove(last)
            if last.remote_candidate.type == "prflx":
                self._remote_candidates.remove(last.remote_candidate)
                self._indexed.pop(_address(last.remote_candidate), None)
        if self._early_checks_done:
            foundation = _foundation(pair)
            if all(_foundation(one) != foundation for one in self._check_list):
                pair.status.unfreeze()
        insort(self._check_list, pair, key=self._rank)
        if self._early_checks_done and not self._check_list_done:
            self.exhausted(False)
        return True

    def _rank(self, pair: Pair) -> int:
        return -ice.candidate_pair_priority(pair.local_candidate, pair.remote_candidate, self.ice_controlling)

    def sort_check_list(self) -> None:
        """It is kept in order; aioice sorts it anew for each candidate."""

    def switch_role(self, ice_controlling: bool) -> None:
        super().switch_role(ice_controlling)
        self._check_list.sort(key=self._rank)
        for pair in tuple(self._check_list):
            if not ice_controlling and pair.remote_nominated and pair.works:
                self._select(pair)

    def _prune_components(self) -> None:
        """There is one component, and it is looked for whether or not the other side named a candidate of it."""

    # When.

    async def connect(self) -> None:
        """Check until a pair is nominated.

        Raises:
            ConnectionError: no pair can be found, or the connection was closed.
        """
        if not self._local_candidates_end:
            raise ConnectionError("gather the local candidates first")
        if self.remote_username is None or self.remote_password is None:
            raise ConnectionError("the other side's credentials are missing")
        for remote_candidate in self._remote_candidates:
            self._pair_remote_candidate(remote_candidate)
        for first in {_foundation(pair): pair for pair in reversed(self._check_list)}.values():
            first.status.unfreeze()
        self._patience_ends = self._now() + PATIENCE_SECONDS
        self._early_checks_done = True
        for early in self._early_checks:
            self.check_incoming(*early)
        self._early_checks.clear()
        self._plan()
        if await self._check_list_state.get() != ice.ICE_COMPLETED:
            raise ConnectionError("ICE negotiation failed")
        if not self._closing:
            self.heard_at = self.answered_at = self._now()
            self._query_consent_task = asyncio.create_task(self.query_consent(), name="fsm_rtc consent")

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _plan(self) -> None:
        """Wake up when there will be something to do, and not before."""
        if self._timer is not None and self._timer.when() <= self._sent_at + PACE_SECONDS and self.is_searching:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._closing or not self._early_checks_done or not self.is_searching:
            return
        times = [0.0 if pair.is_unchecked else pair.due for pair in self._check_list if pair.is_open]
        times += [self._patience_ends] if not times and self._patience_ends > self._now() else []
        if times:
            at = max(min(times), self._sent_at + PACE_SECONDS)
            self._timer = asyncio.get_running_loop().call_at(at, self._tick)

    def _tick(self) -> None:
        self._timer = None
        now = self._now()
        for pair in self._check_list:
            if pair.is_open and not pair.is_unchecked and now - pair.proven >= PATIENCE_SECONDS:
                pair.status.on_failure()
        if (turn := self._next(now)) is not None:
            self._check(turn)
        self._check_list_maybe_fail()
        self._plan()

    def _next(self, now: float) -> Pair | None:
        """Each has its first turn before any has another: the waiting, the frozen, and then who is due longest."""
        unchecked = [pair for pair in self._check_list if pair.is_unchecked]
        if unchecked:
            return next((pair for pair in unchecked if not pair.status.permits("unfreeze")), unchecked[0])
        due = [pair for pair in self._check_list if pair.is_open and pair.due <= now]
        return min(due, key=lambda pair: pair.due, default=None)

    def _check(self, pair: Pair) -> None:
        if self.remote_password is None:
            return
        now = self._now()
        if pair.is_unchecked:
            pair.proven = now
        pair.status.check()
        pair.checks += 1
        pair.due = now + max(REPEAT_SECONDS * (1 if pair.checks < SOON else 2), PACE_SECONDS * len(self._check_list))
        self._sent_at = now
        nominate = self.ice_controlling and (not self.remote_is_lite or pair is self._choice())
        self._inquire(pair, partial(self._answered, pair, self.ice_controlling, nominate), nominate=nominate)

    def _choice(self) -> Pair | None:
        """The pair that a lite peer is to use, which takes every nomination: the best of those that work, once."""
        if self._chosen is None or not self._chosen.works:
            self._chosen = next((pair for pair in self._check_list if pair.works), None)
        return self._chosen

    def search(self) -> None:
        """Check what has worked again: the selected pair is silent."""
        for pair in self._check_list:
            pair.answers, pair.due, pair.proven = 0, 0.0, self._now()
        self._plan()

    def _inquire(
        self, pair: ice.CandidatePair, answered: Callable[[stun.Message, tuple[str, int]], None], *, nominate: bool
    ) -> None:
        request = self.build_request(pair, nominate=nominate)
        key = (self.remote_password or "").encode("utf8")
        self._questions.add(Question(pair, request, key, answered, self._questions.discard))

    def build_request(self, pair: ice.CandidatePair, nominate: bool) -> stun.Message:
        """In a restart a check claims a little more than what the candidate is worth.

        The other side takes it for a peer-reflexive candidate while it doesn't have the answer; libwebrtc then compares
        it with the pair in use, prunes what is not better, and never looks at it again, even when the answer tells it
        the candidate. With the same priority the younger generation would win, but it counts such a candidate as one of
        the first generation, so that behind one restart the next would come to nothing.
        """
        request = super().build_request(pair, nominate)
        if self.generation > 0:
            request.attributes["PRIORITY"] = max(request.attributes["PRIORITY"], pair.local_candidate.priority + 1)
        return request

    # What comes of it.

    def _answered(
        self, pair: Pair, was_controlling: bool, nominate: bool, message: stun.Message, address: tuple[str, int]
    ) -> None:
        if self._closing or pair not in self._check_list:
            return
        self.heard_at = pair.proven = self._now()
        if message.error_code == ROLE_CONFLICT:
            if self.ice_controlling is was_controlling:
                self.switch_role(not was_controlling)
            pair.status.on_role_conflict()
        elif message.message_class is not stun.Class.RESPONSE or address != pair.remote_addr:
            pair.status.on_failure()
            self._check_list_maybe_fail()
        else:
            pair.status.on_answer()
            pair.answers += 1
            for other in self._check_list:
                if _foundation(other) == _foundation(pair):
                    other.status.unfreeze()
            if self._is_to_be_used(pair, nominate):
                self._select(pair)
            elif self.ice_controlling and self.remote_is_lite:
                pair.due = pair.proven
            if pair is self.nominated_pair:
                self._confirmed()
        self._plan()

    def _is_to_be_used(self, pair: Pair, nominated: bool) -> bool:
        """Whether it was nominated; who controls leaves a silent pair for one that has answered twice meanwhile."""
        if not self.ice_controlling:
            return pair.remote_nominated
        return nominated and self.is_searching and (not self._nominated or pair.answers > 1)

    def _confirmed(self) -> None:
        """The selected pair has answered."""
        self.heard_at = self.answered_at = self._now()

    def check_incoming(self, message: stun.Message, addr: tuple[str, int], protocol: ice.StunProtocol) -> None:
        """A request of the other side's, answered already."""
        self.heard_at = self._now()
        self.requests += 1
        if self._nominated or self.is_searching:
            self._trigger(message, addr, protocol)
        self.heard()

    def _trigger(self, message: stun.Message, addr: tuple[str, int], protocol: ice.StunProtocol) -> None:
        pair = self._pair_of(message, addr, protocol)
        if pair is None:
            return
        pair.status.on_request()
        if "USE-CANDIDATE" in message.attributes:
            # The last one counts: a peer that goes over to another pair nominates that. And it counts in either role,
            # since it may be heard before the two have agreed who controls.
            for other in self._check_list:
                other.remote_nominated = other is pair
            if pair.works and not self.ice_controlling:
                self._select(pair)
        if pair.is_unchecked or (pair.due <= self.heard_at and not pair.works):
            self._check(pair)
        self._plan()

    def _pair_of(self, message: stun.Message, addr: tuple[str, int], protocol: ice.StunProtocol) -> Pair | None:
        """Its pair, a new one if need be. Source: RFC 8445, section 7.3.1.3, peer-reflexive candidates."""
        component, priority = protocol.local_candidate.component, message.attributes.get("PRIORITY", 0)
        new = Candidate(random_string(10), component, "udp", priority, addr[0], addr[1], "prflx")
        remote = self._find_remote_candidate(new) or new
        pair: Pair | None = self._find_pair(protocol, remote)  # type: ignore[assignment]
        if pair is None:
            pair = Pair(protocol, remote)
            if not self._insert(pair, is_triggered=True):
                return None
            if remote is new:
                self._remote_candidates.append(remote)
        return pair

    def _select(self, pair: Pair) -> None:
        pair.nominated = True
        before = self._nominated.get(pair.component)
        self._nominated[pair.component] = pair
        if not self._check_list_done:
            self._check_list_done = True
            self._check_list_state.put_nowait(ice.ICE_COMPLETED)
        elif pair is not before:
            self.selected()

    def _check_list_maybe_fail(self) -> None:
        if self._check_list_done or not self._early_checks_done or any(pair.is_open for pair in self._check_list):
            return
        is_over = self._now() >= self._patience_ends or not self._local_candidates
        if is_over and self._remote_candidates_expected():
            self.exhausted(True)
        elif is_over:
            self._check_list_done = True
            self._check_list_state.put_nowait(ice.ICE_FAILED)

    async def close(self) -> None:
        self._closing = True
        if self._timer is not None:
            self._timer.cancel()
        for question in tuple(self._questions):
            question.forget()
        await super().close()


def _address(candidate: Candidate) -> tuple[int, str, str, int]:
    return candidate.component, candidate.transport.lower(), candidate._network_host, candidate.port


def _foundation(pair: Pair) -> tuple[str, str]:
    return pair.local_candidate.foundation, pair.remote_candidate.foundation
