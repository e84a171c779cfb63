"""The hooks of pre-commit run what `tox -e lint` runs, with the environment's own tools."""

from __future__ import annotations

import re
from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).parent.parent
HOOKS = (ROOT / ".pre-commit-config.yaml").read_text()


def test_the_hooks_run_the_commands_of_lint_in_their_order() -> None:
    tox = ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini")
    commands = tox["testenv:lint"]["commands"].split("\n")
    assert re.findall(r"^ +entry: (.+)$", HOOKS, re.MULTILINE) == [line for line in commands if line]


def test_each_hook_takes_the_tool_of_the_environment() -> None:
    assert set(re.findall(r"^ +- repo: (.+)$", HOOKS, re.MULTILINE)) == {"local"}
    hooks = re.findall(r"^ +- id: ", HOOKS, re.MULTILINE)
    assert re.findall(r"^ +language: (.+)$", HOOKS, re.MULTILINE) == ["system"] * len(hooks)
