"""What the tests of the command share: a run in an empty directory that holds a user's module."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from fsm_rtc.cli.main import app
from tests.cli.sample_module import DOOR, UNSOUND

Run = Callable[..., Result]


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current directory, with modules `house.door`, `unsound`, `needy`, `loud` and `quitter`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "house").mkdir()
    (tmp_path / "house" / "__init__.py").write_text("")
    (tmp_path / "house" / "door.py").write_text(DOOR)
    (tmp_path / "unsound.py").write_text(UNSOUND)
    (tmp_path / "needy.py").write_text("import a_library_that_is_not_there\n")
    (tmp_path / "loud.py").write_text("raise ValueError('boo')\n")
    (tmp_path / "quitter.py").write_text("raise SystemExit(0)\n")
    (tmp_path / "unfinished.py").write_text("def broken(:\n")
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.split(".")[0] in ("house", "unsound", "needy", "loud", "quitter", "unfinished"):
            del sys.modules[name]


@pytest.fixture
def run(workplace: Path) -> Run:
    """Runs the command with these arguments."""

    def command(*arguments: str, stdin: str | bytes | None = None) -> Result:
        return CliRunner().invoke(app, list(arguments), input=stdin, catch_exceptions=False)

    return command
