"""`token`: what it prints lets somebody in, and what it can't make one from it tells."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from fsm_rtc.cli.tokens import SECRET_VARIABLE
from fsm_rtc.messages.identity import Identity
from fsm_rtc.messages.wire import Introduction
from fsm_rtc.signaling.access import JoinTokens
from tests.cli.conftest import Run

SECRET = "a secret of at least thirty-two bytes"
ANNA, BERT = Identity.generate().id, Identity.generate().id


@pytest.fixture(autouse=True)
def _no_secret_around(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SECRET_VARIABLE, raising=False)


@pytest.fixture
def file(workplace: Path) -> str:
    (workplace / "secret.txt").write_text(SECRET + "\n")
    return "secret.txt"


def refusal(token: str, *, who: str = ANNA, room: str = "kitchen", after_seconds: float = 0) -> str | None:
    """What a server with the secret says to who brings it."""
    someone = Introduction(id=who, session="s1", name="somebody", public_key=b"", signature=b"")
    return JoinTokens(SECRET).refusal(room, someone, token.strip(), time.time() + after_seconds)


def test_the_token_is_the_only_output_and_lets_anybody_in_for_ten_minutes(run: Run, file: str) -> None:
    made = run("token", "kitchen", "--secret-file", file)
    assert (made.exit_code, made.stderr) == (0, "")
    assert len(made.stdout.split()) == 1
    assert refusal(made.stdout) is None
    assert refusal(made.stdout, after_seconds=500) is None
    assert "expired" in (refusal(made.stdout, after_seconds=601) or "")
    assert "another room" in (refusal(made.stdout, room="cellar") or "")


def test_a_token_may_be_for_one_key_and_a_longer_time(run: Run, file: str) -> None:
    made = run("token", "kitchen", "--secret-file", file, "--id", ANNA, "--minutes", "60").stdout
    assert refusal(made, after_seconds=3500) is None
    assert "another key" in (refusal(made, who=BERT) or "")
    assert "expired" in (refusal(made, after_seconds=3601) or "")


def test_a_day_is_the_longest_life_and_a_server_takes_it(run: Run, file: str) -> None:
    assert refusal(run("token", "kitchen", "--secret-file", file, "--minutes", "1440").stdout) is None
    assert run("token", "kitchen", "--secret-file", file, "--minutes", "1441").exit_code == 2


def test_the_secret_may_be_in_the_environment_or_typed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusal(run("token", "kitchen", "--secret", SECRET).stdout) is None
    monkeypatch.setenv(SECRET_VARIABLE, SECRET)
    assert refusal(run("token", "kitchen").stdout) is None


def test_a_file_that_is_named_comes_before_the_environment(
    run: Run, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, "another secret, of thirty-two bytes")
    assert refusal(run("token", "kitchen", "--secret-file", file).stdout) is None


def test_a_file_of_any_bytes_is_a_secret(run: Run, workplace: Path) -> None:
    (workplace / "secret").write_bytes(b"\xff\x00" * 16 + b"\r\n")
    made = run("token", "kitchen", "--secret-file", "secret").stdout.strip()
    someone = Introduction(id=ANNA, session="s1", name="somebody", public_key=b"", signature=b"")
    assert JoinTokens(b"\xff\x00" * 16).refusal("kitchen", someone, made, time.time()) is None


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["kitchen"], SECRET_VARIABLE),
        (["kitchen", "--secret", ""], SECRET_VARIABLE),
        (["kitchen", "--secret-file", "nowhere"], "--secret-file"),
        (["kitchen", "--secret-file", "."], "--secret-file"),
        (["kitchen", "--secret-file", "secret.txt", "--secret", SECRET], "one of the two"),
        (["kitchen", "--secret", "short"], "import secrets"),
        (["kitchen", "--secret", SECRET, "--id", "anna"], "keygen --show"),
        (["kitchen", "--secret", SECRET, "--minutes", "0"], "--minutes"),
        (["kitchen", "--secret", SECRET, "--minutes", "nan"], "--minutes"),
        (["", "--secret", SECRET], "ROOM"),
        (["x" * 129, "--secret", SECRET], "ROOM"),
        (["ws://127.0.0.1:8765/kitchen", "--secret", SECRET], "name alone"),
    ],
)
def test_what_no_token_can_be_made_from_is_told(run: Run, file: str, arguments: list[str], told: str) -> None:
    refused = run("token", *arguments)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert told in " ".join(refused.stderr.replace("│", "").split())
    assert SECRET not in refused.stderr


def test_without_the_library_it_names_the_extra(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jwt", None)
    refused = run("token", "kitchen", "--secret", SECRET)
    assert refused.exit_code == 2
    assert "pip install PyJWT" in refused.stderr


def test_the_help_names_the_variable_and_never_what_it_holds(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, SECRET)
    shown = run("token", "--help").output
    assert SECRET_VARIABLE in shown
    assert SECRET not in shown
