"""The hang guard, with tests that hang."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.live

HANGING = {
    "waits": """
        import asyncio

        async def wait_for_nobody():
            await asyncio.Event().wait()

        async def test_that_waits():
            other = asyncio.create_task(wait_for_nobody(), name="another")
            await wait_for_nobody()
        """,
    "blocks": """
        import threading

        def test_that_blocks():
            threading.Event().wait()
        """,
    "spins": """
        def test_that_spins():
            while True:
                pass
        """,
    "tears_down": """
        import pytest, time

        @pytest.fixture
        def slow():
            yield
            time.sleep(1000)

        def test_that_tears_down(slow):
            pass
        """,
    "catches": """
        import time

        def test_that_catches():
            while True:
                try:
                    time.sleep(1000)
                except BaseException:
                    pass
        """,
    "holds": """
        def test_that_holds():
            sum(range(10**15))
        """,
}
STUBBORN = {"catches", "holds"}
"""Only the end of the process ends them."""

REST = """
def test_of_the_rest_1(): pass
def test_of_the_rest_2(): pass
"""


PLUGINS = ("xdist", "pytest_asyncio.plugin", "tests.hang_guard", "tests.scheduler")


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """The tests of a folder, under the guard, with these plugins alone."""
    command = [sys.executable, "-m", "pytest", "-q", "-c", "/dev/null", "--rootdir", str(folder), str(folder)]
    for plugin in PLUGINS:
        command += ["-p", plugin]
    for option in ("asyncio_mode=auto", "asyncio_default_fixture_loop_scope=function"):
        command += ["-o", option]
    return subprocess.run(
        [*command, "-p", "no:cacheprovider", "--hang-seconds", "5", *options],
        cwd=Path(__file__).parent.parent,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


def written(folder: Path, *kinds: str) -> Path:
    """A folder with tests of these kinds, and some that pass."""
    for kind in kinds:
        lines = HANGING[kind].strip("\n").splitlines()
        (folder / f"test_{kind}.py").write_text("\n".join(line[8:] for line in lines) + "\n")
    (folder / "test_rest.py").write_text(REST)
    return folder


def test_under_xdist_each_is_ended_and_named_and_the_rest_is_run(tmp_path: Path) -> None:
    done = run(written(tmp_path, *HANGING), "-n", "2", "--dist", "loadfile", "--max-worker-restart", "4")
    said = done.stdout
    assert done.returncode == 1, said + done.stderr
    for kind in HANGING.keys() - STUBBORN:
        assert f"of test_{kind}.py::test_that_{kind} was ended after 5 s" in said, said + done.stderr
    for kind in STUBBORN:
        assert f"crashed while running 'test_{kind}.py::test_that_{kind}'\n\nTimeout (0:00:10)!\n" in said
        assert f"in test_that_{kind}\n" in said
    assert "3 passed" in said  # the rest, and what hangs when it is torn down
    assert "5 failed" in said
    assert "1 error" in said
    assert "Task another, most recent call last:\n" in said
    assert said.count("await asyncio.Event().wait()") >= 2, said


@pytest.mark.parametrize("kind", ["waits", "catches"])
def test_in_one_process_too(tmp_path: Path, kind: str) -> None:
    done = run(written(tmp_path, kind))
    assert done.returncode == 1
    if kind in STUBBORN:
        assert "Timeout (0:00:10)!\n" in done.stderr
        assert f"in test_that_{kind}\n" in done.stderr
    else:
        assert f"the test of test_{kind}.py::test_that_{kind} was ended after 5 s" in done.stdout
        assert "1 failed, 2 passed" in done.stdout
