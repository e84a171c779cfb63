"""The text of every drawing is the same to the byte, whatever the run and whatever the Python."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.live

ROOT = Path(__file__).parent.parent.parent

PROGRAM = """
import hashlib
from fsm_rtc.diagrams import Format, all_machines, journal_text, render, sequence_text, table_text
from fsm_rtc.engine import Journal
from fsm_rtc.machines.negotiation import Negotiation

journal = Journal(lambda: 1.0)
machine = Negotiation(None)
journal.watch(machine, "alice.negotiation")
for trigger in ("set_remote_answer", "set_remote_offer", "rollback", "close", "close"):
    machine.fire(trigger)
texts = [sequence_text(journal), journal_text(Negotiation, Format.MERMAID, journal)]
texts.append(journal_text(Negotiation, Format.DOT, journal))
for drawn in all_machines().values():
    texts.append(table_text(drawn))
    languages = (Format.MERMAID, Format.DOT, Format.SCXML)
    texts += [render(drawn, language) for language in languages if language.draws(drawn)]
print(len(texts), hashlib.sha256("\\0".join(texts).encode()).hexdigest())
"""


def said_by(python: str, seed: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([python, "-c", PROGRAM], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def starts(python: str) -> bool:
    """Whether it is a Python, not a version manager's word that it has one elsewhere."""
    return subprocess.run([python, "--version"], capture_output=True).returncode == 0


def test_two_runs_write_the_same_bytes() -> None:
    assert said_by(sys.executable, "1") == said_by(sys.executable, "2")


def test_another_python_writes_the_same_bytes() -> None:
    mine = f"python3.{sys.version_info.minor}"
    names = [name for name in ("python3.11", "python3.12", "python3.13") if name != mine]
    others = [found for name in names if (found := shutil.which(name)) and starts(found)]
    if not others:
        assert os.environ.get("CI") != "true", "continuous integration needs a second Python on the path"
        pytest.skip("no other Python here; under each of tox's the committed diagrams are compared all the same")
    for other in others:
        assert said_by(other, "3") == said_by(sys.executable, "1"), other
