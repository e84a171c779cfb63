"""The page on media: its program runs as it stands there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.examples.test_how_to import blocks


def test_the_program_prints_what_the_page_shows(tmp_path: Path) -> None:
    (program,), (shown,) = blocks("media.md"), blocks("media.md", "text")
    (tmp_path / "camera.py").write_text(program)
    done = subprocess.run([sys.executable, "camera.py"], cwd=tmp_path, capture_output=True, text=True)
    assert (done.stdout, done.returncode) == (shown, 0), done.stderr
