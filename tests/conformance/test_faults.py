"""The kit against a stack with known mistakes, one at a time: each is named; and one without any agrees."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fsm_rtc.conformance.adapter import Adapter, LocalAdapter, ProcessAdapter
from fsm_rtc.conformance.campaign import Campaign, Options
from fsm_rtc.conformance.findings import Kind, StackReport
from fsm_rtc.conformance.orderings import try_orderings
from tests.conformance.adapter_conversation import python
from tests.conformance.faults import FAULTS
from tests.conformance.memory_stack import MemoryStack

CRASHING = """
import os
from tests.conformance.memory_stack import MemoryPeer, MemoryStack
from fsm_rtc.conformance.adapters.session import serve


class Peer(MemoryPeer):
    def create_answer(self):
        if self.signaling == "have-local-pranswer":
            os.write(2, b"out of luck")
            os._exit(7)
        return super().create_answer()


class Stack(MemoryStack):
    def new(self, happened):
        return Peer(self, happened)


serve(Stack())
"""

MOST_EXAMPLES = 2000
EXAMPLES = 200


def campaign(fault: str = "", *, examples: int = 0, reruns: int = 1, seed: int = 0) -> Campaign:
    def make() -> Adapter:
        return LocalAdapter(MemoryStack(fault))

    return Campaign(make, Options(examples=examples, reruns=reruns, seed=seed))


def report(fault: str = "", *, examples: int = 0, reruns: int = 1) -> StackReport:
    with campaign(fault, examples=examples, reruns=reruns) as running:
        return running.run()


def test_a_stack_that_keeps_the_text_agrees_in_every_cell_and_ordering() -> None:
    agreed = report(examples=300)
    assert agreed.findings == ()
    assert agreed.coverage.cells == agreed.coverage.of == len(agreed.cells)
    assert {edge.is_legal for edge in agreed.edges} == {True}


@pytest.mark.parametrize("name", FAULTS)
def test_every_known_mistake_is_named(name: str) -> None:
    fault = FAULTS[name]
    places = [(one.machine, one.state, one.operation, one.kind) for one in report(name).findings]
    assert (fault.machine, fault.state, fault.operation, fault.kind) in places


@pytest.mark.parametrize(
    "name",
    ["wrong target", "lost event", "munged accepted", "slot kept", "no chain", "message twice", "early candidate"],
)
def test_random_orderings_alone_find_it_too(name: str) -> None:
    fault = FAULTS[name]
    with campaign(name) as running:
        for seed in range(MOST_EXAMPLES // EXAMPLES):
            running.options = replace(running.options, examples=EXAMPLES, seed=seed)
            try_orderings(running, EXAMPLES, None, seed, running.progress)
            found = [one for one in running.sightings.values() if one.difference.kind is fault.kind]
            if fault.machine in {one.difference.machine for one in found}:
                break
    assert fault.machine in {one.difference.machine for one in found}
    assert min(len(one.sequence.steps) for one in found) <= 4


def test_more_than_fifteen_mistakes_are_known() -> None:
    assert len(FAULTS) >= 15


@pytest.mark.live
def test_a_stack_that_crashes_is_started_again_and_the_crash_is_a_finding() -> None:
    with Campaign(lambda: ProcessAdapter(python(CRASHING)), Options(examples=0, reruns=1)) as running:
        crashed = running.run()
    (finding,) = (one for one in crashed.findings if one.kind is Kind.CRASH)
    assert (finding.machine, finding.state) == ("negotiation", "have-local-pranswer")
    assert finding.operation.startswith("createAnswer")
    assert finding.reproduced == "1/1"
    assert crashed.coverage.of > crashed.coverage.cells - 1 > 150


def test_a_finding_is_told_with_its_way_its_rule_and_its_source() -> None:
    (finding,) = report("missing error").findings
    assert finding.sequence == ("createDataChannel", "createAnswer")
    assert (finding.expected, finding.observed) == (
        "rejected with InvalidStateError, in stable",
        "fulfilled, in stable",
    )
    assert finding.source == "W3C webrtc-pc, Editor's Draft 2026-05-04, #dom-rtcpeerconnection-createanswer"
    assert finding.reproduced == "1/1"
    assert finding.is_deterministic


def test_a_state_that_was_adopted_does_not_count_a_mistake_twice() -> None:
    findings = report("rollback ignored", examples=100).findings
    assert {finding.state for finding in findings} <= {"have-local-offer", "have-remote-offer"}


def test_wrong_changes_are_marked_for_the_diagram() -> None:
    wrong = {(edge.source, edge.target) for edge in report("wrong target").edges if not edge.is_legal}
    assert wrong == {("have-local-offer", "stable")}
