"""docs/coming-from-aiortc.md: its programs run and print what it shows, and its tables are true."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import aiortc
import pytest
from aiortc import exceptions

from fsm_rtc import RTCConfiguration
from fsm_rtc import aiortc as drop_in
from fsm_rtc.errors import InvalidModificationError
from fsm_rtc.peer.w3c.profile import AIORTC, SPECIFICATION, Profile
from tests.examples.aiortc_cases import CASES
from tests.examples.aiortc_stack import outcome_of

PAGE = (Path(__file__).parent.parent.parent / "docs" / "coming-from-aiortc.md").read_text()
PROGRAMS = re.findall(
    r"^```python\n# (\w+\.py)\n(.*?)^```$(?:\n\n^```text\n(.*?)^```$)?", PAGE, re.MULTILINE | re.DOTALL
)

ON_LOOPBACK = """
from aioice import ice
ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]  # where bare aiortc finds nothing
"""


def table(heading: str) -> list[list[str]]:
    """The rows of the table that has this heading, cell by cell; of all of them if there are several."""
    found = re.findall(rf"^{re.escape(heading)}\n\|[ |-]+\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    assert found, heading
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for rows in found for line in rows.splitlines()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The page's files, as its reader would have them."""
    for name, code, _ in PROGRAMS:
        (tmp_path / name).write_text(code)
    (tmp_path / "sitecustomize.py").write_text(ON_LOOPBACK)
    return tmp_path


def output_of(program: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", f"import runpy, sitecustomize; runpy.run_path({program!r}, run_name='__main__')"],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr, done.stderr
    return done.stdout


@pytest.mark.parametrize(("name", "shown"), [(name, shown) for name, _, shown in PROGRAMS if shown])
def test_a_program_prints_what_the_page_shows(name: str, shown: str, folder: Path) -> None:
    assert output_of(name, folder) == shown


def test_the_service_does_the_same_with_the_import_changed(folder: Path) -> None:
    service = folder / "service.py"
    code = service.read_text()
    assert "from aiortc import RTCConfiguration, RTCPeerConnection" in code
    before = output_of("service.py", folder)
    service.write_text(code.replace("from aiortc import", "from fsm_rtc.aiortc import"))
    assert output_of("service.py", folder) == before


def test_two_offers_that_meet_need_no_new_connection_with_the_drop_in_either(folder: Path) -> None:
    shown = next(shown for name, _, shown in PROGRAMS if name == "glare.py")
    calls = folder / "calls.py"
    strict = "from fsm_rtc import RTCConfiguration, RTCPeerConnection"
    assert strict in calls.read_text()
    drop_in = "from fsm_rtc import RTCConfiguration\nfrom fsm_rtc.aiortc import RTCPeerConnection"
    calls.write_text(calls.read_text().replace(strict, drop_in).replace("loopback=", "iceServers=[], loopback="))
    assert output_of("glare.py", folder) == shown


COMPARED = table("| case | bare aiortc | here |")
CAUGHT = table("| case | bare aiortc | here | which is also |")


def test_every_case_stands_in_a_table_once() -> None:
    assert sorted(row[0] for row in (*COMPARED, *CAUGHT)) == sorted(CASES)


@pytest.fixture
def loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aioice.ice.get_host_addresses", lambda **_: ["127.0.0.1"])


@pytest.mark.usefixtures("loopback")
@pytest.mark.parametrize(("case", "bare", "here"), COMPARED)
async def test_a_row_says_what_each_does(case: str, bare: str, here: str) -> None:
    assert (await outcome_of(CASES[case], is_bare=True))[0] == bare
    assert (await outcome_of(CASES[case], is_bare=False))[0] == here


@pytest.mark.usefixtures("loopback")
@pytest.mark.parametrize(("case", "bare", "here", "also"), CAUGHT)
async def test_what_caught_the_error_of_aiortc_catches_this_one(case: str, bare: str, here: str, also: str) -> None:
    said, error = await outcome_of(CASES[case], is_bare=True)
    assert said == bare
    said, ours = await outcome_of(CASES[case], is_bare=False)
    assert said == here
    assert isinstance(ours, type(error))
    for name in re.findall(r"`([\w.]+)`", also):
        kind = {"ValueError": ValueError, "TypeError": TypeError}.get(name)
        assert isinstance(ours, kind or getattr(exceptions, name.removeprefix("aiortc.")))


async def test_no_class_of_aiortc_catches_a_changed_description() -> None:
    changed = "`setLocalDescription` with an offer that was changed since `createOffer`"
    _, error = await outcome_of(CASES[changed], is_bare=False)
    assert isinstance(error, InvalidModificationError)
    assert not isinstance(error, ValueError)
    assert not any(isinstance(error, one) for one in vars(exceptions).values() if isinstance(one, type))


@pytest.mark.usefixtures("loopback")
async def test_what_is_an_instance_of_a_class_of_aiortc_and_what_is_not() -> None:
    peer: Any = drop_in.RTCPeerConnection(RTCConfiguration(iceServers=[], loopback=True))
    channel, transceiver = peer.createDataChannel("chat"), peer.addTransceiver("audio")
    assert not isinstance(peer, aiortc.RTCPeerConnection)
    assert not isinstance(channel, aiortc.RTCDataChannel)
    assert isinstance(transceiver, aiortc.RTCRtpTransceiver)
    assert isinstance(transceiver.sender, aiortc.RTCRtpSender)
    assert isinstance(transceiver.receiver, aiortc.RTCRtpReceiver)
    assert isinstance(peer.sctp, aiortc.RTCSctpTransport)
    assert isinstance(peer.sctp.transport, aiortc.RTCDtlsTransport)
    assert isinstance(peer.sctp.transport.transport, aiortc.RTCIceTransport)
    await peer.close()


def test_the_habits_are_the_fields_of_the_profile() -> None:
    rows = table("| habit | strict | drop-in | what it means |")

    def shown(habits: Profile, name: str) -> str:
        value = getattr(habits, name)
        return f"`{value.__name__ if isinstance(value, type) else repr(value)}`"

    assert [row[:3] for row in rows] == [
        [f"`{one.name}`", shown(SPECIFICATION, one.name), shown(AIORTC, one.name)] for one in fields(Profile)
    ]
