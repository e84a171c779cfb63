"""docs/engine.md: its programs run as they stand there, one after the other, and print what it shows."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PAGE = (Path(__file__).parent.parent.parent / "docs" / "engine.md").read_text()


def test_the_page_prints_what_it_shows(tmp_path: Path) -> None:
    code = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    shown = re.findall(r"^```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (tmp_path / "page.py").write_text("\n".join(code))
    done = subprocess.run([sys.executable, "page.py"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "".join(shown)


def test_the_words_of_the_tables_are_those_of_the_engine() -> None:
    from inspect import signature

    from fsm_rtc.engine import On, Row, stay

    words = {*signature(Row.__init__).parameters, *signature(stay).parameters, *signature(On.__init__).parameters}
    told = set(re.findall(r"(\w+)=", PAGE)) | {"sources", "target", "rows", "states", "self"}
    assert words <= told
