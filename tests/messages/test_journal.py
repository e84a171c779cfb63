"""Journal files: what a journal wrote is read back; everything else is refused with its line."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_rtc.engine import Chart, Journal, On, Row
from fsm_rtc.errors import JournalError
from fsm_rtc.messages import JournalFile, SummaryRecord, load_journal, read_journal


class LampState(StrEnum):
    """A lamp's states."""

    OFF = "off"
    ON = "on"


def powered(context: object, volts: int) -> bool:
    """There must be power."""
    return volts > 0


class Lamp(Chart[LampState, None]):
    """A lamp."""

    initial = LampState.OFF
    switch_on = On(Row(LampState.OFF, LampState.ON, when=(powered,)))
    switch_off = On(Row(LampState.ON, LampState.OFF))


SUMMARY: dict[str, object] = {
    "ok": True,
    "connected_seconds": 0.5,
    "messages": 2,
    "video_frames": 30,
    "accepted": 40,
    "rejected": 1,
}


def lit(*volts: int) -> Journal:
    journal = Journal(lambda: 1.5)
    lamp = Lamp()
    journal.watch(lamp, "hall.lamp")
    for one in volts:
        lamp.fire("switch_on", one)
        lamp.fire("switch_off")
    return journal


def lines_of(journal: Journal, *more: dict[str, object]) -> list[bytes]:
    return [f"{line}\n".encode() for line in (*journal.lines(), *map(json.dumps, more))]


def edited(place: int, **fields: object) -> list[bytes]:
    """A good file of which one line has other fields; a field that is None is taken out."""
    lines = lines_of(lit(1, 0))
    fields = {**json.loads(lines[place]), **fields}
    lines[place] = json.dumps({key: value for key, value in fields.items() if value is not None}).encode() + b"\n"
    return lines


@given(st.lists(st.integers(-1, 1), max_size=6))
def test_what_a_journal_wrote_is_read_back(volts: list[int]) -> None:
    journal = lit(*volts)
    assert read_journal(lines_of(journal)) == JournalFile(tuple(journal))


@pytest.mark.parametrize("record", [{}, {"record": "summary"}])
def test_the_summary_may_name_itself_or_not(record: dict[str, object]) -> None:
    journal = lit(1)
    summary = read_journal(lines_of(journal, {**record, **SUMMARY})).summary
    assert summary == SummaryRecord(True, 0.5, 2, 30, 40, 1)


def test_a_call_that_never_connected_has_a_summary_too() -> None:
    summary = read_journal(lines_of(lit(), {**SUMMARY, "ok": False, "connected_seconds": None})).summary
    assert summary is not None
    assert summary.connected_seconds is None


def test_a_file_is_read_from_its_path(tmp_path: Path) -> None:
    journal = lit(1)
    path = tmp_path / "call.jsonl"
    path.write_bytes(b"".join(lines_of(journal)))
    assert load_journal(path).records == tuple(journal)


def test_the_last_line_needs_no_line_end() -> None:
    lines = lines_of(lit(1))
    assert len(read_journal([*lines[:-1], lines[-1].rstrip()]).records) == len(lines)


BAD = [
    ([], "the file holds no record; write one with: fsm-rtc demo --json"),
    ([b"hello\n"], "line 1: not JSON .* one JSON object on each line"),
    ([b"[1, 2]\n"], "line 1: Expected `object`, got `array`"),
    ([b"\x00\xff\xfe\n"], "line 1: not text in UTF-8"),
    ([b"\n"], "line 1: the line is empty; delete it"),
    ([b'{"x":' * 100_000 + b"\n"], "line 1: not JSON"),
    ([b'{"record": "event", \n', *lines_of(lit())], "line 1: not JSON"),
    ([*lines_of(lit(1))[:2], lines_of(lit(1))[2][:40]], "line 3: the line is cut off"),
    ([*lines_of(lit(1)), b'{"record": "party"}\n'], "line 4: unknown record 'party'; known are 'started'"),
    ([*lines_of(lit(1)), b'{"record": 7}\n'], r"line 4: Expected `str \| null`, got `int`"),
    ([*lines_of(lit(), SUMMARY), *lines_of(lit())], "line 3: there is more behind the summary"),
    (lines_of(lit(), {**SUMMARY, "messages": "two"}), r"line 2: Expected `int`, got `str` - at `\$.messages`"),
    (lines_of(lit(), {"ok": True}), "line 2: Object missing required field `connected_seconds`"),
    (edited(0, digest=None), "line 1: Object missing required field `digest`"),
    (edited(0, generation="1"), "line 1: Expected `int`, got `str`"),
    (edited(1, accepted="yes"), "line 2: Expected `bool`, got `str`"),
    (edited(1, shape="round"), "line 2: Object contains unknown field `shape`"),
    (edited(1, reason="no row"), "line 2: an accepted event has no `reason`"),
    (edited(3, reason="bored"), "line 4: Invalid enum value 'bored'"),
    (edited(3, reason=None), "line 4: a rejected event needs its `reason`"),
    (edited(3, target="on"), "line 4: a rejected event doesn't move"),
    (edited(3, guards=["powered"]), "line 4: a rejected event doesn't move"),
]


@pytest.mark.parametrize(("lines", "message"), BAD, ids=range(len(BAD)))
def test_a_bad_file_is_refused_with_its_line_and_what_to_do(lines: list[bytes], message: str) -> None:
    with pytest.raises(JournalError, match=message):
        read_journal(lines)


def test_the_error_carries_the_line() -> None:
    with pytest.raises(JournalError) as caught:
        read_journal(edited(2, time="noon"))
    assert caught.value.line == 3


@pytest.mark.parametrize("name", ["nowhere.jsonl", "."])
def test_a_file_that_can_not_be_opened_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(JournalError, match="can't be read"):
        load_journal(tmp_path / name)


@given(st.data())
def test_a_mangled_file_is_read_or_refused_but_never_breaks(data: st.DataObject) -> None:
    content = bytearray(b"".join(lines_of(lit(1, 0), SUMMARY)))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + data.draw(st.integers(0, 30))] = data.draw(st.binary(max_size=4))
        content = content or bytearray(b"\n")
    try:
        read = read_journal(bytes(content).splitlines(keepends=True))
    except JournalError as refused:
        assert str(refused)  # noqa: PT017
    else:
        assert read.records


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_by_name(content: bytes) -> None:
    with pytest.raises(JournalError):
        read_journal(content.splitlines(keepends=True))


def test_what_was_dropped_is_read_back() -> None:
    journal = Journal()
    lamp = Lamp()
    journal.watch(lamp, "lamp")
    journal.drop(lamp, "lamp", "Glow")
    lines = [line.encode() for line in journal.lines()]
    assert read_journal(lines).records == tuple(journal)
    with pytest.raises(JournalError, match="unknown field"):
        read_journal([*lines, lines[1].replace(b'"request"', b'"question"')])
