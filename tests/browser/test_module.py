"""The browser's module: its table is the present one, and what can be tried without a browser holds in Node."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from fsm_rtc.browser.tables import CHARTS, FOLDER, generated
from fsm_rtc.machines.exchange import Exchange
from tests import npm
from tests.browser.traces import write_traces

pytestmark = pytest.mark.live

VECTORS = Path(__file__).parents[2] / "docs" / "protocol-vectors.json"
LIMIT_SECONDS = 60
TYPESCRIPT = "typescript@7.0.2"


def test_the_tables_and_figures_are_those_of_the_code() -> None:
    for path, text in generated().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: python -m fsm_rtc.browser.tables"
    left_over = {path for path in FOLDER.glob("*.js") if path.read_text(encoding="utf-8").startswith("// Generated")}
    assert left_over == set(generated())


def test_the_module_holds_in_node(tmp_path: Path) -> None:
    told = in_node("module.mjs", VECTORS, tmp_path)
    assert "# skipped 0" in told


def test_the_recovery_of_a_page_is_that_of_python(tmp_path: Path) -> None:
    in_node("recovery.mjs", None, tmp_path)


def test_the_messages_of_a_page_arrive_once(tmp_path: Path) -> None:
    in_node("messages.mjs", None, tmp_path)


def test_any_chart_does_in_the_browser_what_it_does_here(tmp_path: Path) -> None:
    traces = write_traces(tmp_path / "traces.json")
    told = in_node("traces.mjs", tmp_path / "traces.json", tmp_path)
    assert f"# pass {len(traces)}\n" in told
    steps = [step for trace in traces for step in trace["steps"]]
    outcomes = [outcome for step in steps if step["do"] == "tick" for outcome in step["outcomes"]]
    assert len(outcomes) > len(traces)  # time did something
    for chart in CHARTS.values():
        of_chart = [trace for trace in traces if trace["table"]["machine"] == chart.chart.name]
        reached = {step["state"] for trace in of_chart for step in trace["steps"]}
        assert reached == set(chart.chart.states) or chart is Exchange, chart.chart.name
    assert {table["timers"][0]["per"] for table in (trace["table"] for trace in traces) if "timers" in table} == {
        "state",
        "sources",
    }


def in_node(program: str, data: Path | None, tmp_path: Path) -> str:
    """What a program of tests says when Node runs it with a copy of the module; none of its tests fails."""
    node = shutil.which("node")
    if node is None:
        npm.missing("node (Debian: apt-get install nodejs)")
    shutil.copytree(FOLDER, tmp_path / "browser", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    (tmp_path / "package.json").write_text('{"type": "module"}')
    done = subprocess.run(
        [node, Path(__file__).with_name(program), tmp_path / "browser", *([data] if data is not None else [])],
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# fail 0" in done.stdout
    return done.stdout


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
