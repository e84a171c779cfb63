"""The tables decide: nothing outside them branches on a state, but where ALLOWED says why."""

from __future__ import annotations

from pathlib import Path

import pytest

import fsm_rtc
from tests.tables.state_branches import Package, state_enums

FOLDER = Path(fsm_rtc.__file__).parent

LEFT_OUT = {
    "machines": "the tables",
    "engine": "steps any table, and names no state",
    "bridge": "as the engine",
    "driver": "as the engine",
    "diagrams": "draws tables and journals",
    "conformance": "judges other stacks, by comparing their states with the tables'",
    "testing": "stands for a library, and does what that does",
    "inspector": "shows states",
    "cli": "shows states",
}
"""The folders that decide nothing about a connection, and why."""

ALLOWED: dict[str, tuple[str, ...]] = {
    "a state of aiortc's own, read in its adapter; a table of ours follows each": (
        "media/outgoing.py: self.readyState",
        "media/pump.py: is_closed",
        "media/pump.py: track.readyState",
        "peer/aiortc/backend.py: is_closed",
        "peer/aiortc/backend.py: self._channel.readyState",
        "peer/aiortc/backend.py: self._channel.transport.state",
        "peer/jsep/private.py: dtls.state",
        "peer/jsep/receiver.py: self.readyState",
        "peer/jsep/media.py: sctp.state",
        "peer/jsep/transport.py: _is_closed",
        "peer/jsep/transport.py: _is_over",
        "peer/jsep/transport.py: self.dtls.state",
        "peer/jsep/transport.py: self.state",
        "peer/jsep/transport.py: state",
    ),
    "aioice's connection is being closed, which an agent is derived from": (
        "peer/ice/agent.py: _closing",
        "peer/ice/checks.py: _closing",
        "peer/ice/agent.py: _closing",
    ),
    "of the two agents that a transport has in a restart, the one with a nominated pair sends; `ice` reads the same": (
        "peer/ice/transport.py: is_carried",
        "peer/ice/transport.py: is_connected",
    ),
    "a rollback, within the one call that carries it out, leaves the ends of transports alone": (
        "peer/aiortc/backend.py: _is_rolling_back",
    ),
    "which of aiortc's sentences stands for what a table has refused": ("peer/w3c/rtc_errors.py: state",),
    "the times of the exchange run only while the link stands, as `signaling_link` has it": (
        "connection/exchange/retransmission.py: _paused",
        "connection/exchange/driver.py: awaits_acknowledgement",
        "connection/exchange/exchanger.py: link_is_up",
    ),
    "what the exchange keeps for its next step: a candidate whose offer isn't out yet, an offer that is due": (
        "connection/exchange/exchanger.py: _needed",
        "connection/exchange/exchanger.py: self.state",
    ),
    "each message of the peer comes here, and most are no event of `recovery`": (
        "connection/recovery/driver.py: self.machine.state",
    ),
    "a caller asks for this very state: to wait for it, or to set it": ("store/connection_store.py: status",),
    "whether the disk has the latest; a call goes on without": ("connection/saving/call_saver.py: _is_stale",),
}
"""Why a branch on a state stays, and where."""

MOST = 10
"""So many reasons there are at most; to have another, take one away."""


def test_nothing_but_the_tables_branches_on_a_state() -> None:
    found = Package.of_folder(FOLDER, LEFT_OUT).branches()
    allowed = {place for places in ALLOWED.values() for place in places}
    print(f"{len(ALLOWED)} reasons for {len(allowed)} places that branch on a state outside the tables")
    assert [str(branch) for branch in found if branch.place not in allowed] == []
    assert sorted(allowed - {branch.place for branch in found}) == [], "no longer there: take it off the list"
    assert len(ALLOWED) <= MOST


PLANTED = {
    "a comparison with a member": """
        if self.machine.state is RecoveryState.WAITING:
            act()
    """,
    "a collection that the module made": """
        while call.exchange_state in MAKING:
            act()
    """,
    "a collection that the table made": """
        from fsm_rtc.machines.recovery import RECOVERING
        if call.machine.state in RECOVERING:
            act()
    """,
    "a string": """
        return 1 if transport.state == "failed" else 0
    """,
    "a boolean that methods set": """
        if not self._is_closed:
            act()
    """,
    "a predicate that lives elsewhere": """
        act([one for one in calls if one.can_go_on()])
    """,
    "a pattern": """
        match event:
            case StateChanged(PeerConnectionState.FAILED):
                act()
    """,
}

ELSEWHERE = """
MAKING = (ExchangeState.MAKING_OFFER, ExchangeState.MAKING_ANSWER)

class Thing:
    def can_go_on(self) -> bool:
        return bool(self.ready) and self.channel.ready_state is not DataChannelState.CLOSED
"""

AROUND = """
class Planted:
    def close(self):
        self._is_closed = True

    def decide(self, call, calls, transport, event):
"""


@pytest.mark.parametrize("planted", PLANTED)
def test_what_is_planted_is_found(planted: str) -> None:
    sources = {"a/elsewhere.py": ELSEWHERE, "b/planted.py": AROUND + PLANTED[planted]}
    (found,) = Package(sources, state_enums()).branches()
    assert (found.path, found.function) == ("b/planted.py", "Planted.decide")


@pytest.mark.parametrize(
    "asked",
    [
        "if self.machine.permits('send'):\n            act()",
        "if self.machine.is_final:\n            act()",
        "if isinstance(self.machine.fire('send'), Accepted):\n            act()",
        "if transport.kind == 'failed':\n            act()",
        "return self._is_closed",
    ],
)
def test_to_ask_a_table_is_no_branch_on_a_state(asked: str) -> None:
    assert Package({"a.py": AROUND + f"        {asked}\n"}, state_enums()).branches() == []
