"""The browser's module: its table is the present one, and what can be tried without a browser holds in Node."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

import fsm_rtc.browser
from fsm_rtc.browser.tables import PATH, table_text

FOLDER = Path(fsm_rtc.browser.__file__).parent
VECTORS = Path(__file__).parents[2] / "docs" / "protocol-vectors.json"
LIMIT_SECONDS = 60


def test_the_table_is_that_of_the_exchange() -> None:
    assert PATH.read_text(encoding="utf-8") == table_text(), "write it anew: python -m fsm_rtc.browser.tables"


def test_the_module_holds_in_node(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        if os.environ.get("CI"):
            pytest.fail("there is no node; install Node 20 (Debian: apt-get install nodejs)")
        pytest.skip("there is no node; install Node 20 (Debian: apt-get install nodejs)")
    shutil.copytree(FOLDER, tmp_path / "browser", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    (tmp_path / "package.json").write_text('{"type": "module"}')
    done = subprocess.run(
        [node, Path(__file__).with_name("module.mjs"), tmp_path / "browser", VECTORS],
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# pass 9" in done.stdout
