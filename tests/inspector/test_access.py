"""Who may look."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from fsm_rtc.inspector.access import Gate, InspectorError, is_loopback, new_token, token_for

TOKEN = "a-token-of-some-length"


def status(refused: tuple[HTTPStatus, str] | None) -> int | None:
    return None if refused is None else refused[0].value


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1", "localhost", "LOCALHOST"])
def test_these_are_this_hosts_own(host: str) -> None:
    assert is_loopback(host)
    assert token_for(host) is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.0.2.1", "localhost.example.org", "127.0.0.1.example.org"])
def test_these_are_others_too(host: str) -> None:
    assert not is_loopback(host)
    assert token_for(host) is not None


def test_a_token_is_made_anew_each_time_and_will_do() -> None:
    assert new_token() != new_token()
    Gate(new_token())


@pytest.mark.parametrize("token", ["", "short", "with a space in it!", "0123456789abcde/"])
def test_a_token_that_is_short_or_cannot_stand_in_an_address_is_refused(token: str) -> None:
    with pytest.raises(InspectorError, match="16 or more letters"):
        Gate(token)


# How a request came here.


@pytest.mark.parametrize("host", ["127.0.0.1:8766", "localhost:8766", "[::1]:8766", "localhost"])
def test_without_a_token_it_is_reached_by_the_names_of_loopback(host: str) -> None:
    assert Gate(None).refuse_host({"host": host}) is None


@pytest.mark.parametrize("host", ["attacker.example", "localhost.attacker.example:8766", "192.0.2.1:8766", "", "[::1"])
def test_a_name_that_may_have_been_rebound_is_refused(host: str) -> None:
    assert status(Gate(None).refuse_host({"host": host})) == 421


def test_a_name_that_was_given_is_right() -> None:
    gate = Gate(None, ["Inspector.example.org"])
    assert gate.refuse_host({"host": "inspector.example.org:443"}) is None
    assert status(gate.refuse_host({"host": "other.example.org"})) == 421


def test_with_a_token_any_address_is_right_but_no_name() -> None:
    assert Gate(TOKEN).refuse_host({"host": "192.0.2.1:8766"}) is None
    assert status(Gate(TOKEN).refuse_host({"host": "attacker.example"})) == 421


@pytest.mark.parametrize(
    "origin", ["http://127.0.0.1:9999", "https://attacker.example", "null", "http://localhost:8766"]
)
def test_another_origins_page_is_refused(origin: str) -> None:
    assert status(Gate(TOKEN).refuse_host({"host": "127.0.0.1:8766", "origin": origin})) == 403


def test_its_own_page_is_not() -> None:
    assert Gate(None).refuse_host({"host": "127.0.0.1:8766", "origin": "http://127.0.0.1:8766"}) is None


@pytest.mark.parametrize(
    ("site", "mode", "expected"),
    [
        ("cross-site", "no-cors", 403),
        ("same-site", "cors", 403),
        ("cross-site", "navigate", None),
        ("same-origin", "cors", None),
        ("none", "navigate", None),
    ],
)
def test_what_another_site_embeds_is_refused_and_a_link_is_not(site: str, mode: str, expected: int | None) -> None:
    headers = {"host": "127.0.0.1:8766", "sec-fetch-site": site, "sec-fetch-mode": mode}
    assert status(Gate(None).refuse_host(headers)) == expected


@pytest.mark.parametrize("header", ["forwarded", "x-forwarded-for", "via"])
def test_what_came_by_a_proxy_needs_a_token(header: str) -> None:
    headers = {"host": "127.0.0.1:8766", header: "192.0.2.1"}
    assert status(Gate(None).refuse_host(headers)) == 403
    assert Gate(TOKEN).refuse_host(headers) is None


# Who asks.


def test_without_a_token_nobody_is_a_stranger() -> None:
    assert Gate(None).refuse_stranger({}) is None


@pytest.mark.parametrize("header", [f"Bearer {TOKEN}", f"bearer  {TOKEN} "])
def test_the_token_may_come_as_a_header(header: str) -> None:
    assert Gate(TOKEN).refuse_stranger({"authorization": header}) is None


def test_the_token_may_come_as_a_subprotocol() -> None:
    assert Gate(TOKEN).refuse_stranger({}, ["fsm-rtc-inspector", f"token.{TOKEN}"]) is None


@pytest.mark.parametrize(
    ("header", "offered"),
    [
        ("", []),
        (f"Basic {TOKEN}", []),
        (f"Bearer {TOKEN}x", []),
        ("Bearer ", ["token."]),
        ("", ["token.wrong"]),
        ("", [TOKEN]),
        ("Bearer é", []),
    ],
)
def test_without_the_token_one_is(header: str, offered: list[str]) -> None:
    assert status(Gate(TOKEN).refuse_stranger({"authorization": header}, offered)) == 401
