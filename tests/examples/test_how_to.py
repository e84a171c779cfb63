"""The how-to pages: their programs run as they stand there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent.parent / "docs"


def blocks(page: str, language: str = "python") -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)


def pytest_in(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_the_player_and_the_lamp_keep_to_their_tables(tmp_path: Path) -> None:
    (tmp_path / "test_player.py").write_text("\n".join(blocks("how-to-test-your-own-machine.md")))
    done = pytest_in(tmp_path, "--fsm-coverage", "--fsm-fail-under=100")
    assert done.returncode == 0, done.stdout
    assert "9 passed" in done.stdout
    (shown,) = blocks("how-to-test-your-own-machine.md", "console")
    assert shown.splitlines()[1] in done.stdout


def test_the_lamp_of_the_page_is_held_to_its_time_and_its_requests(tmp_path: Path) -> None:
    code = "\n".join(blocks("how-to-test-your-own-machine.md"))
    for right, wrong, told in [
        ("self.dark_at = self.now + 90.0", "self.dark_at = self.dark_at or self.now + 90.0", "expected: still 'lit'"),
        ("self.requests.append(SwitchOff())", "pass", "expected: the requests SwitchOff()"),
    ]:
        assert right in code
        (tmp_path / "test_player.py").write_text(code.replace(right, wrong))
        done = pytest_in(tmp_path)
        assert done.returncode == 1
        assert told in done.stdout


def test_a_player_that_does_not_fails_in_the_words_of_the_page(tmp_path: Path) -> None:
    code = "\n".join(blocks("how-to-test-your-own-machine.md"))
    (tmp_path / "test_player.py").write_text(code.replace('self.mode = "paused"', 'self.mode = "stopped"'))
    done = pytest_in(tmp_path)
    assert done.returncode == 1
    (shown,) = blocks("how-to-test-your-own-machine.md", "text")
    for line in shown.splitlines():
        assert line.strip() in done.stdout


@pytest.fixture
def own_stack(tmp_path: Path) -> Path:
    adapter, test = blocks("how-to-test-your-own-stack.md")
    (tmp_path / "my_adapter.py").write_text(adapter)
    test = test.replace("python my_adapter.py", f"{sys.executable} my_adapter.py")
    (tmp_path / "test_conformance.py").write_text(test)
    return tmp_path


def test_the_adapter_of_the_page_can_be_run(own_stack: Path) -> None:
    command = [sys.executable, "-m", "fsm_rtc.cli", "conform", "--adapter", f"{sys.executable} my_adapter.py"]
    done = subprocess.run([*command, "--examples", "20"], cwd=own_stack, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "mine 1." in done.stdout
    assert "api · closed · createDataChannel  (10/10)" in done.stdout


def test_the_tests_of_the_page_are_collected_and_say_what_they_found(own_stack: Path) -> None:
    done = pytest_in(own_stack, "-rxf")
    assert "XFAIL test_conformance.py::TestMine::test_cell[api-closed-createDataChannel]" in done.stdout
    assert "expected: rejected with InvalidModificationError, in stable" in done.stdout
    assert " passed" in done.stdout
    assert done.returncode == 1, "aiortc accepts a changed description, and the page's `known` doesn't name that"
