"""`fsm-rtc demo` as a user runs it: real processes, real calls on 127.0.0.1."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from fsm_rtc.machines import CHARTS
from tests.cli.conftest import Run
from tests.effort import by_profile
from tests.mutation.mutants import mutants_of_chart

pytestmark = pytest.mark.live

ROOT = Path(__file__).parent.parent.parent

SUMMARY = {"ok", "connected_seconds", "messages", "video_frames", "accepted", "rejected"}


def demo(*options: str, customize: str = "", folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the demo; `customize` is Python that each of its processes runs when it starts."""
    environment = dict(os.environ, PYTHONPATH=str(ROOT))
    if folder is not None:
        (folder / "sitecustomize.py").write_text(customize)
        environment["PYTHONPATH"] = f"{folder}{os.pathsep}{ROOT}"
    command = [sys.executable, "-m", "fsm_rtc.cli", "demo", "--json", *options]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=120)


def summary_of(call: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The last line."""
    read: dict[str, Any] = json.loads(call.stdout.splitlines()[-1])
    return read


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The journal of a short call with video."""
    call = demo("--loopback", "--seconds", "1")
    assert call.returncode == 0, call.stderr + call.stdout
    path = tmp_path_factory.mktemp("demo") / "call.jsonl"
    path.write_text(call.stdout)
    return path


def test_two_peers_connect_talk_show_video_and_close(journal: Path) -> None:
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    summary = lines[-1]
    assert {*summary} == SUMMARY
    assert summary["ok"] is True
    assert summary["messages"] >= 2
    assert summary["video_frames"] >= 2
    assert summary["rejected"] == 0
    assert summary["accepted"] == sum(line.get("accepted") is True for line in lines[:-1])
    assert 0 < summary["connected_seconds"] < 60


def test_the_replay_of_its_journal_gives_the_same_states(journal: Path, run: Run) -> None:
    replayed = run("replay", str(journal), "--json")
    assert replayed.exit_code == 0, replayed.output
    last = {}
    for line in map(json.loads, journal.read_text().splitlines()[:-1]):
        last[line["label"]] = line.get("target", line.get("state"))
    for role in ("offerer", "answerer"):
        assert last[f"{role}.peer_status"] == "Disconnected"
        assert last[f"{role}.negotiation"] == "closed"


NO_CANDIDATES = """
from dataclasses import replace
from fsm_rtc.peer.peer_connection import PeerConnection
from fsm_rtc.store import ConnectionStore

wait_for_connected = ConnectionStore.wait_for_connected
set_remote_description = PeerConnection.set_remote_description


async def without_candidates(self, description):
    lines = [line for line in description.sdp.splitlines(True) if "candidate" not in line]
    await set_remote_description(self, replace(description, sdp="".join(lines)))


async def wait_for_some_seconds(self, timeout_seconds):
    await wait_for_connected(self, 8.0)


async def no_candidate(self, candidate):
    pass


PeerConnection.set_remote_description = without_candidates
PeerConnection.add_ice_candidate = no_candidate
ConnectionStore.wait_for_connected = wait_for_some_seconds
"""


@pytest.mark.parametrize("meeting", [(), ("--pipe",)])
def test_peers_that_do_not_connect_say_what_they_lack(meeting: tuple[str, ...], tmp_path: Path) -> None:
    options = ("--loopback", "--seconds", "0", "--no-video", *meeting)
    call = demo(*options, customize=NO_CANDIDATES, folder=tmp_path)
    assert call.returncode == 1
    assert summary_of(call)["ok"] is False
    told = call.stderr.splitlines()
    advice = "The other side has found no address, or its messages with them don't arrive: run `fsm-rtc doctor` there."
    assert any(line.endswith(advice) for line in told)
    whole = [json.loads(line) for line in told if line.startswith("{")]
    assert whole[0]["failure"]["phase"] == "ICE checks"
    assert whole[0]["failure"]["advice"] == advice


def test_the_call_is_the_same_when_transitions_steps_the_machines() -> None:
    call = demo("--loopback", "--seconds", "0", "--engine", "transitions")
    assert call.returncode == 0, call.stderr
    assert summary_of(call)["ok"] is True


def test_with_pipe_the_descriptions_go_by_hand_and_no_exchange_is_needed() -> None:
    call = demo("--loopback", "--seconds", "0", "--pipe", "--no-video")
    assert call.returncode == 0, call.stderr
    assert summary_of(call)["ok"] is True
    assert "Exchange" not in call.stdout


def test_without_it_every_message_goes_over_a_server_and_is_verified(journal: Path) -> None:
    labels = {line["label"] for line in map(json.loads, journal.read_text().splitlines()[:-1])}
    assert {"offerer.exchange", "answerer.exchange"} <= labels


def rows_used(journal: Path) -> list[str]:
    """The rows that the call went through, as the mutation check names their removal."""
    events = [json.loads(line) for line in journal.read_text().splitlines()]
    taken = {
        (one["machine"], one["trigger"], one["source"], tuple(one.get("guards", ())))
        for one in events
        if one.get("accepted") is True
    }
    return [
        f"{chart.__name__}: {trigger.name}: drop the row in the row {row.describe()!r}"
        for chart in CHARTS.values()
        for trigger in chart.chart.triggers.values()
        for row in trigger.rows
        for guards in (tuple(guard.__name__ for guard in row.when),)
        if any((chart.__name__, trigger.name, source.value, guards) in taken for source in row.sources)
    ]


NOT_NEEDED = (
    # Both sides close at once; which of them hears of the other's closing, and how, is decided anew by each run.
    "PeerStatus: on_closed",
    "RemoteTrackStatus: on_bye",
    "RemoteTrackStatus: on_disconnected",
    "RemoteTrackStatus: on_silence",
    # A later candidate begins the checks too, and a call works as well before it is known that all were done.
    "Ice: begin_checks: drop the row in the row 'new -> checking",
    "Ice: on_checks_progress",
    # A description has the candidates that are known when it is sent, and most often those are enough.
    "Api: add_ice_candidate",
    # What the journal has of video; without the rows it is tried without video.
    "Api: add_track",
    # The demo makes its offers itself, so that nobody waits to be told that one is due.
    "NegotiationNeeded: ",
    # Whose goodbye isn't acknowledged closes all the same: when the other side has left, or after two seconds.
    "Exchange: on_ack: drop the row in the row 'leaving -> closed",
)
"""What a call takes and can do without."""

AT_ONCE = 3
"""How many of them run at once: the most of their time they wait for what doesn't come."""

REMOVE = """
import os
from fsm_rtc.machines import CHARTS
from tests.mutation.mutants import mutants_of_chart
(mutant,) = [one for chart in CHARTS.values() for one in mutants_of_chart(chart) if str(one) == {name!r}]
try:
    mutant.apply()
except Exception:
    os._exit(3)  # the engine refuses such a table: the package couldn't be imported
"""


def test_with_any_row_removed_that_the_call_uses_the_demo_fails(journal: Path, tmp_path: Path) -> None:
    """Each third row, each sixth by the quick profile; each of them by the thorough one."""
    names = [name for name in rows_used(journal) if not name.startswith(NOT_NEEDED)]
    known = {str(mutant) for chart in CHARTS.values() for mutant in mutants_of_chart(chart)}
    assert len(names) > 25
    assert {*names} <= known
    names = names[:: by_profile(quick=6, default=3, ci=3, thorough=1)]

    def code_without(name: str) -> int:
        folder = tmp_path / str(names.index(name))
        folder.mkdir()
        removal = REMOVE.format(name=name)
        return demo("--loopback", "--seconds", "0", "--no-video", customize=removal, folder=folder).returncode

    with ThreadPoolExecutor(AT_ONCE) as pool:
        codes = dict(zip(names, pool.map(code_without, names), strict=True))
    assert [name for name, code in codes.items() if code == 0] == []


NO_ADDRESS = """
import fsm_rtc.peer.aiortc.backend as backend
backend.host_addresses = list
"""


def test_a_host_without_an_address_is_told_so_and_what_to_do(tmp_path: Path) -> None:
    call = demo("--seconds", "0", customize=NO_ADDRESS, folder=tmp_path)
    assert call.returncode == 1
    told, advice, whole = call.stderr.splitlines()
    assert "has no network address besides loopback" in told
    assert "fsm-rtc demo --loopback" in told
    assert "connect it to a network" in advice
    assert json.loads(whole)["failure"]["phase"] == "gathering"
    assert summary_of(call)["ok"] is False


def start_demo() -> subprocess.Popen[str]:
    """A demo that runs until it is told to end, in a process group of its own; returns when the peers are connected."""
    command = [sys.executable, "-m", "fsm_rtc.cli", "demo", "--json", "--loopback", "--no-video", "--seconds", "600"]
    environment = dict(os.environ, PYTHONPATH=str(ROOT))
    call = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    )
    assert call.stdout is not None
    assert any('"on_connected"' in line and "peer_status" in line for line in call.stdout)
    return call


def test_control_c_ends_all_three_processes_without_a_traceback() -> None:
    with start_demo() as call:
        os.killpg(call.pid, signal.SIGINT)
        _, told = call.communicate(timeout=60)
    assert call.returncode == 130
    assert told == ""
    with pytest.raises(ProcessLookupError):
        os.killpg(call.pid, 0)


def test_a_peer_that_is_killed_is_told_and_the_other_one_leaves() -> None:
    with start_demo() as call:
        children = Path(f"/proc/{call.pid}/task/{call.pid}/children").read_text().split()
        os.kill(int(children[0]), signal.SIGKILL)
        out, told = call.communicate(timeout=60)
    assert call.returncode == 1
    assert "ended before the call was over" in told
    assert json.loads(out.splitlines()[-1])["ok"] is False


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--engine", "steam"], "is no engine"),
        (["--stun", "example.org"], "stun:host:port"),
        (["--seconds", "-1"], "--seconds"),
        (["--secnods", "1"], "No such option"),
    ],
)
def test_a_wrong_option_is_told_and_nothing_is_started(run: Run, options: list[str], says: str) -> None:
    told = run("demo", *options)
    assert told.exit_code == 2
    assert says in told.output
