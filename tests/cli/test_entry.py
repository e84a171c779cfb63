"""The entry point, in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.live

WITHOUT = "import sys; sys.modules['typer'] = None; from fsm_rtc.cli import main; main()"


def fsm_rtc(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fsm_rtc.cli", *arguments],
        capture_output=True,
        encoding="latin-1",
        check=False,
        env={"PATH": "", **environment} if environment else None,
    )


def test_a_matrix_in_a_process_of_its_own() -> None:
    done = fsm_rtc("matrix", "negotiation")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("# Negotiation\n")


def test_an_unknown_machine_is_one_line_without_traceback() -> None:
    done = fsm_rtc("matrix", "negotation")
    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean negotiation" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_that_lacks_a_character_gets_the_matrix_too(encoding: str) -> None:
    done = fsm_rtc("matrix", "negotiation", PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, "")


def test_without_the_extra_the_command_says_what_to_install() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "fsm-rtc needs typer, which is not installed; run: pip install rich typer\n"
