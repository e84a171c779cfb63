"""The registry of stacks, and `fsm-rtc stacks`."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fsm_rtc import __version__
from fsm_rtc.cli.main import app
from fsm_rtc.conformance.adapters.chromium import CHROMIUM
from fsm_rtc.conformance.stacks import STACKS, KnownStack, stack_named
from fsm_rtc.errors import ConformanceError

pytestmark = pytest.mark.live

BROWSER = """\
#!/bin/sh
echo "Chromium 123.4.5.6 built on a system"
"""

ASKING = """\
import sys
from fsm_rtc.conformance.stacks import STACKS
for stack in STACKS:
    stack.version()
print(*sys.modules)
"""


@pytest.fixture(autouse=True)
def no_browser_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CHROMIUM.variable, raising=False)


def test_the_known_stacks() -> None:
    assert [stack.name for stack in STACKS] == ["aiortc", "fsm_rtc", "wrtc", "chromium"]


def test_a_stack_is_found_by_its_name() -> None:
    assert stack_named("wrtc").language == "Python"


def test_of_an_unknown_name_the_known_ones_are_told() -> None:
    with pytest.raises(ConformanceError, match="'firefox'; there are aiortc, fsm_rtc, wrtc, chromium"):
        stack_named("firefox")


@pytest.mark.parametrize("stack", [one for one in STACKS if one.language == "Python"], ids=lambda one: one.name)
def test_the_command_starts_a_module_that_is_there(stack: KnownStack) -> None:
    program, option, module = stack.command
    assert (program, option) == (sys.executable, "-m")
    assert importlib.util.find_spec(module) is not None


def test_versions_are_those_of_the_installed_distributions() -> None:
    assert stack_named("aiortc").version() == metadata.version("aiortc")
    assert stack_named("fsm_rtc").version() == __version__


def test_a_distribution_that_is_missing_has_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    assert stack_named("wrtc").version() is None


def test_a_browser_is_asked_for_its_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = tmp_path / "chromium"
    browser.write_text(BROWSER)
    browser.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert stack_named("chromium").version() == "123.4.5.6"


@pytest.mark.parametrize("content", ["#!/bin/sh\nexit 1\n", "no program at all"])
def test_a_browser_that_does_not_answer_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    browser = tmp_path / "chromium"
    browser.write_text(content)
    browser.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert stack_named("chromium").version() is None


def test_asking_for_versions_loads_no_stack() -> None:
    done = subprocess.run([sys.executable, "-c", ASKING], capture_output=True, text=True, check=True)
    assert not {"aiortc", "webrtc", "wrtc"} & set(done.stdout.split())


def test_the_command_lists_what_is_here_and_how_to_get_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    rows = {line.split()[0]: line for line in CliRunner().invoke(app, ["stacks"]).output.splitlines()}
    assert __version__ in rows["fsm_rtc"]
    assert "install" not in rows["fsm_rtc"]
    assert "not here" in rows["chromium"]
    assert "apt-get install chromium" in rows["chromium"]


def test_the_command_prints_the_list_as_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    rows = {row["name"]: row for row in json.loads(CliRunner().invoke(app, ["stacks", "--json"]).output)}
    assert list(rows) == [stack.name for stack in STACKS]
    assert rows["aiortc"]["version"] == metadata.version("aiortc")
    assert rows["chromium"]["version"] is None
    assert rows["wrtc"]["install"] == "pip install wrtc"
