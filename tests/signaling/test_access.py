"""Who may join: each rule answers None, or a sentence, whatever it is given."""

from __future__ import annotations

import base64
import json
import sys
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_rtc.errors import TokenError
from fsm_rtc.messages.wire import Introduction
from fsm_rtc.signaling.access import Access, JoinTokens, Open, RoomAllowlist, join_token
from tests.signaling.participants import ANNA, BERT

SECRET = "a secret that is long enough for HS512 too, by sixty-four bytes."
NOW = 1_800_000_000.5
ROOM = "kitchen"


def introduction(who: str) -> Introduction:
    return Introduction(id=who, session="s1", name="somebody", public_key=b"", signature=b"")


def answer(token: str, *, access: Access | None = None, room: str = ROOM, who: str = ANNA.id, now: float = NOW) -> str:
    """The refusal, which is a sentence that says what to do; empty for none."""
    told = (access or JoinTokens(SECRET)).refusal(room, introduction(who), token, now)
    assert told is None or (told and "\n" not in told and (";" in told or "," in told))
    return told or ""


def signed(secret: str | bytes = SECRET, algorithm: str = "HS256", **changes: Any) -> str:
    """A token that is right but for these claims; one that is given as None is left out."""
    claims = {"aud": "fsm_rtc", "room": ROOM, "iat": NOW, "exp": NOW + 60, **changes}
    return jwt.encode({name: value for name, value in claims.items() if value is not None}, secret, algorithm)


def part(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def test_an_open_server_lets_everybody_in() -> None:
    assert answer("", access=Open()) == ""
    assert answer("whatever", access=Open(), who="nobody") == ""


def test_an_allowlist_lets_its_keys_in_and_tells_others_how_to_get_on_it() -> None:
    access = RoomAllowlist([ANNA.id])
    assert answer("", access=access) == ""
    assert "your id" in answer("", access=access, who=BERT.id)
    assert "your id" in answer(join_token(SECRET, ROOM), access=access, who="")


def test_a_single_id_is_no_allowlist() -> None:
    with pytest.raises(TypeError, match=r"give \[id\]"):
        RoomAllowlist(ANNA.id)


def test_a_token_lets_whoever_has_it_into_its_room_until_it_expires() -> None:
    token = join_token(SECRET, ROOM, seconds=60, now=NOW)
    assert answer(token) == ""
    assert answer(token, who=BERT.id) == ""
    assert answer(token, now=NOW + 59) == ""
    assert "has expired" in answer(token, now=NOW + 60)
    assert "another room" in answer(token, room="cellar")
    assert "another room" in answer(token, room="Kitchen")


def test_a_token_for_a_key_is_for_that_key_alone() -> None:
    token = join_token(SECRET, ROOM, id=ANNA.id, now=NOW)
    assert answer(token) == ""
    assert "another key" in answer(token, who=BERT.id)
    assert "another key" in answer(signed(sub=""), who=BERT.id)


def test_the_clock_is_the_host_s_unless_one_is_given() -> None:
    assert "has expired" in answer(join_token(SECRET, ROOM, now=0))
    claims = jwt.decode(join_token(SECRET, ROOM), SECRET, ["HS256"], audience="fsm_rtc")
    assert claims["exp"] - claims["iat"] == 600
    assert set(claims) == {"aud", "room", "iat", "exp"}


def test_a_text_and_its_bytes_are_the_same_secret() -> None:
    token = join_token("ä" * 16, ROOM, now=NOW)
    assert answer(token, access=JoinTokens(("ä" * 16).encode())) == ""


def test_no_token_is_told_where_to_get_one() -> None:
    assert "wants a join token" in answer("")


@pytest.mark.parametrize(
    ("token", "told"),
    [
        (signed(exp=NOW), "has expired"),
        (signed(exp=NOW - 1, iat=NOW - 60), "has expired"),
        (signed(iat=NOW + 31), "not valid yet"),
        (signed(nbf=NOW + 31), "not valid yet"),
        (signed(exp=NOW + 86_401), "lives longer than 86400 seconds"),
        (signed(iat=NOW - 50_000, exp=NOW + 50_000), "lives longer"),
        (signed(iat=None, exp=NOW + 86_401), "lives longer"),
        (signed(room="cellar"), "another room"),
        (signed(sub=BERT.id), "another key"),
    ],
)
def test_a_genuine_token_that_does_not_fit_is_told_why(token: str, told: str) -> None:
    assert told in answer(token)


@pytest.mark.parametrize(
    "token",
    [
        signed(iat=NOW + 29),
        signed(nbf=NOW + 29),
        signed(exp=NOW + 86_400),
        signed(iat=None),
        signed(nbf=NOW),
        signed(sub=ANNA.id),
        signed(aud=["another", "fsm_rtc"]),
        signed(more="claims"),
        join_token(SECRET, ROOM, seconds=86_400, now=NOW),
    ],
)
def test_a_token_of_another_maker_is_as_good(token: str) -> None:
    assert answer(token) == ""


CLAIMS = part({"aud": "fsm_rtc", "room": ROOM, "iat": NOW, "exp": NOW + 60})
HEADER, BODY, SIGNATURE = signed().split(".")

FORGED = {
    "signed with another key": signed(secret="another secret of thirty-two bytes"),
    "HS512 with the same key": signed(algorithm="HS512"),
    "HS384 with the same key": signed(algorithm="HS384"),
    "signed by none": signed(secret="", algorithm="none"),
    "no signature": f"{HEADER}.{BODY}.",
    "another body": f"{HEADER}.{part({'aud': 'fsm_rtc', 'room': 'cellar', 'exp': NOW + 60})}.{SIGNATURE}",
    "NONE": f"{part({'alg': 'NONE'})}.{CLAIMS}.",
    "no algorithm": f"{part({})}.{CLAIMS}.{SIGNATURE}",
    "a list for an algorithm": f"{part({'alg': ['HS256']})}.{CLAIMS}.{SIGNATURE}",
    "an extension that is critical": f"{part({'alg': 'HS256', 'crit': ['x'], 'x': 1})}.{CLAIMS}.{SIGNATURE}",
    "a header that is a list": f"{part([])}.{CLAIMS}.{SIGNATURE}",
    "a header that is nested deep": f"{base64.urlsafe_b64encode(b'[' * 2997).decode()}.e30.",
    "no expiry": signed(exp=None),
    "no room": signed(room=None),
    "no audience": signed(aud=None),
    "another audience": signed(aud="another"),
    "an expiry in words": signed(exp="never"),
    "an expiry beyond all numbers": signed(exp=10**400),
    "no number for an expiry": signed(exp=float("nan")),
    "an endless expiry": signed(exp=float("inf")),
    "an expiry that is true": signed(exp=True),
    "a time before all times": signed(iat=float("-inf")),
    "rooms": signed(room=[ROOM]),
    "a secret's own text": SECRET,
    "dots": "..",
    "a lone surrogate": "\ud800",
    "a lone surrogate in a part": f"\ud800.{BODY}.{SIGNATURE}",
    "letters that are not ASCII": "ä.ö.ü",
    "a space": " ",
    "a line end": signed() + "\n.",
    "too long": signed(more="x" * 4096),
}


@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED.keys())
def test_what_is_no_token_of_this_server_s_is_told(token: str) -> None:
    assert "none of this server's" in answer(token)


@given(token=st.text())
def test_any_text_is_answered_with_a_sentence(token: str) -> None:
    assert answer(token)


@given(parts=st.lists(st.sampled_from([HEADER, BODY, SIGNATURE, part({"alg": "none"}), "", "e30", "W10"]), max_size=5))
def test_parts_of_a_token_in_another_order_are_no_token(parts: list[str]) -> None:
    token = ".".join(parts)
    assert bool(answer(token)) == (parts != [HEADER, BODY, SIGNATURE])


json_values = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text())


@given(
    claims=st.fixed_dictionaries(
        {},
        optional={
            "aud": st.just("fsm_rtc") | json_values,
            "room": st.just(ROOM) | json_values,
            "exp": st.floats(NOW - 100, NOW + 100_000) | json_values,
            "iat": st.floats(NOW - 100_000, NOW + 100) | json_values,
            "nbf": st.floats(NOW - 100, NOW + 100) | json_values,
            "sub": st.just(ANNA.id) | json_values,
        },
    )
)
def test_whatever_a_genuine_token_claims_is_answered(claims: dict[str, Any]) -> None:
    token = jwt.PyJWS().encode(json.dumps(claims).encode(), SECRET.encode(), "HS256")
    if answer(token) == "":
        assert claims["room"] == ROOM
        assert NOW < claims["exp"] <= NOW + 86_400
        assert claims.get("sub") in (None, ANNA.id)


def test_a_server_may_want_shorter_lives() -> None:
    access = JoinTokens(SECRET, max_seconds=60)
    assert answer(join_token(SECRET, ROOM, seconds=60, now=NOW), access=access) == ""
    assert "longer than 60 seconds" in answer(join_token(SECRET, ROOM, seconds=61, now=NOW), access=access)


PEM = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n"


@pytest.mark.parametrize("secret", ["", "x" * 31, b"x" * 31, PEM])
def test_a_secret_that_is_none_says_how_to_make_one(secret: str | bytes) -> None:
    with pytest.raises(TokenError, match="import secrets"):
        JoinTokens(secret)
    with pytest.raises(TokenError, match="import secrets"):
        join_token(secret, ROOM)


def test_the_secret_is_in_no_representation() -> None:
    assert SECRET not in repr(JoinTokens(SECRET))


@pytest.mark.parametrize("seconds", [0, 0.9, -1, float("nan"), float("inf")])
def test_a_life_that_is_none_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="seconds is"):
        join_token(SECRET, ROOM, seconds=seconds)


@pytest.mark.parametrize("max_seconds", [0, -1, float("nan")])
def test_a_longest_life_that_is_none_is_refused(max_seconds: float) -> None:
    with pytest.raises(ValueError, match="max_seconds is"):
        JoinTokens(SECRET, max_seconds=max_seconds)


@pytest.mark.parametrize("room", ["", "x" * 129])
def test_a_room_that_no_address_can_name_is_refused(room: str) -> None:
    with pytest.raises(ValueError, match="1 to 128 characters"):
        join_token(SECRET, room)


def test_without_the_library_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jwt", None)
    with pytest.raises(TokenError, match=r"PyJWT"):
        JoinTokens(SECRET)
    with pytest.raises(TokenError, match=r"PyJWT"):
        join_token(SECRET, ROOM)
    assert answer("", access=Open()) == ""
