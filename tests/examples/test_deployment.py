"""docs/deployment.md: its options, programs and figures are those of the code."""

from __future__ import annotations

import re
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from fsm_rtc.cli.main import app
from fsm_rtc.cli.serve_file import name_of
from fsm_rtc.messages.signing import Member
from fsm_rtc.signaling import Limits, SignalingService
from fsm_rtc.signaling.access import JoinTokens
from fsm_rtc.signaling.metrics import exposition
from tests.signaling.participants import ANNA

DOCUMENT = (Path(__file__).parent.parent.parent / "docs" / "deployment.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)


def options_of_serve() -> dict[str, Any]:
    command: Any = get_command(app)
    return {name_of(parameter): parameter for parameter in command.commands["serve"].params}


def test_the_file_has_options_that_there_are() -> None:
    (file,) = blocks("toml")
    assert set(tomllib.loads(file)) <= set(options_of_serve())


def test_every_option_that_is_named_is_there() -> None:
    named = set(re.findall(r"fsm-rtc serve[^\n`]*", DOCUMENT))
    flags = {flag for line in named for flag in re.findall(r"--([a-z-]+)", line)}
    assert flags - {"help"} <= set(options_of_serve())


def test_the_bounds_are_the_defaults() -> None:
    rows = re.findall(r"^\| (`[a-z-]+`(?:, `[a-z-]+`)*) \| ([\d,. MiB]+) \|", DOCUMENT, re.MULTILINE)
    told: dict[str, float] = {}
    for names, values in rows:
        numbers = [value.strip() for value in re.split(r", (?=\d+ |\d+$)", values.strip())]
        for name, number in zip(re.findall(r"`([a-z-]+)`", names), numbers, strict=True):
            bare = float(number.replace(",", "").removesuffix(" MiB"))
            told[name.replace("-", "_")] = bare * 1024 * 1024 if number.endswith("MiB") else bare
    limits = Limits()
    assert told == {field: getattr(limits, field) for field in Limits.__slots__}


def test_the_defaults_of_serve_are_those_of_limits() -> None:
    options = options_of_serve()
    for field in Limits.__slots__:
        assert options[field.replace("_", "-")].default == getattr(Limits(), field)


def test_its_tokens_let_in() -> None:
    tokens, mounted = blocks("python")
    program: dict[str, Any] = {}
    exec(compile(tokens, "deployment.md", "exec"), program)
    me = Member("kitchen", ANNA)
    token = program["token_for"](me.introduction.id, "kitchen")
    access = JoinTokens(program["SECRET"])
    assert access.refusal("kitchen", me.introduction, token, time.time()) is None
    assert access.refusal("cellar", me.introduction, token, time.time()) is not None
    exec(compile(mounted, "deployment.md", "exec"), {})


def test_every_metric_is_told_of() -> None:
    text = exposition(SignalingService()).decode()
    names = {line.split()[2].removeprefix("fsm_rtc_signaling_") for line in text.splitlines() if "# TYPE" in line}
    missing = [name for name in names if f"`{name}" not in DOCUMENT]
    assert missing == []


@pytest.mark.parametrize("path", re.findall(r"\]\(([^)#:]+\.(?:md|py))", DOCUMENT))
def test_what_it_links_to_is_there(path: str) -> None:
    assert (Path(__file__).parent.parent.parent / "docs" / path).exists()
