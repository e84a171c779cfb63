"""The browser's module: its table is the present one, and what can be tried without a browser holds in Node."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import fsm_rtc.browser
from fsm_rtc.browser.tables import PATH, table_text
from tests import npm

FOLDER = Path(fsm_rtc.browser.__file__).parent
VECTORS = Path(__file__).parents[2] / "docs" / "protocol-vectors.json"
LIMIT_SECONDS = 60
TYPESCRIPT = "typescript@7.0.2"


def test_the_table_is_that_of_the_exchange() -> None:
    assert PATH.read_text(encoding="utf-8") == table_text(), "write it anew: python -m fsm_rtc.browser.tables"


def test_the_module_holds_in_node(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        npm.missing("node (Debian: apt-get install nodejs)")
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
    assert "# fail 0" in done.stdout


def test_its_types_hold(tmp_path: Path) -> None:
    compiler = npm.installed(tmp_path / "types", TYPESCRIPT) / "node_modules" / ".bin" / "tsc"
    options = "--noEmit --strict --allowJs --checkJs --target es2023 --module es2022 --moduleResolution bundler"
    files = sorted(map(str, FOLDER.rglob("*.js")))
    done = subprocess.run(
        [compiler, *options.split(), "--lib", "es2023,dom,dom.iterable", *files],
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
