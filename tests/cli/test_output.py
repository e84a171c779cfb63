"""Errors told, and the width of tables."""

from __future__ import annotations

import pytest
import typer

from fsm_rtc.cli.output import UNBOUNDED_COLUMNS, console, errors_told
from fsm_rtc.errors import JournalError


def test_an_error_of_our_own_is_told_and_exits_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as caught, errors_told():
        raise JournalError("it is torn", line=3)
    assert caught.value.exit_code == 2
    assert capsys.readouterr().err == "fsm-rtc: line 3: it is torn\n"


def test_any_other_error_keeps_its_traceback() -> None:
    with pytest.raises(KeyError), errors_told():
        raise KeyError("a bug")


def test_a_table_for_a_pipe_is_wide() -> None:
    assert console().width == UNBOUNDED_COLUMNS
