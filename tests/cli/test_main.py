"""The command as a whole: help, version, and a run in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

from fsm_rtc import __version__
from tests.cli.conftest import Run

pytestmark = pytest.mark.live

COMMANDS = (
    "demo",
    "machines",
    "matrix",
    "diagram",
    "replay",
    "stacks",
    "serve",
    "join",
    "send",
    "receive",
    "keygen",
    "token",
    "known-peers",
)


def test_without_arguments_the_help_lists_the_commands(run: Run) -> None:
    shown = run().output
    assert all(command in shown for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_each_command_has_an_example(run: Run, command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert f"fsm-rtc {command}" in " ".join(result.output.partition("Example")[2].split())


def test_the_version_is_printed(run: Run) -> None:
    assert run("--version").output == f"fsm-rtc {__version__}\n"


@pytest.mark.parametrize("arguments", [["fly"], ["matrix"], ["diagram", "--format", "png", "negotiation"], ["--fly"]])
def test_a_wrong_command_line_exits_with_2(run: Run, arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


HELP = """\
import sys
from fsm_rtc.cli import main
sys.argv = ["fsm-rtc", "--help"]
try:
    main()
finally:
    print(*sys.modules)
"""


def test_the_help_loads_neither_machines_nor_media() -> None:
    done = subprocess.run([sys.executable, "-c", HELP], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert not loaded & {"aiortc", "av", "pygraphviz", "msgspec", "fsm_rtc.machines.negotiation"}
