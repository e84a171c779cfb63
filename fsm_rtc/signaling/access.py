"""Who may join a room: anybody, who is on a list, or who brings a join token.

What is asked here comes after the proof: the introduction's key is known to be the client's own. Whom a peer talks to
is that peer's own choice, by its `Trust`; here it is the server's, for its rooms.

A join token is a JSON Web Token, signed with a secret that the server shares with the program that hands tokens out:

| claim | what it says |
| --- | --- |
| `aud` | ``fsm_rtc`` |
| `room` | the room's exact name |
| `exp` | when it ends, in seconds since 1970; required |
| `iat` | when it was made, in seconds since 1970 |
| `nbf` | when it begins, in seconds since 1970; may be left out |
| `sub` | the only id that may use it; without it, any holder of the token may, as often as they like until it ends |

Source: RFC 7519 for the claims, RFC 7515 for the signature, RFC 8725 for what to insist on: one algorithm (section
3.1), a key as long as its hash (3.5, and RFC 7518, section 3.2), an audience (3.9).

Left out: revoking a token, which its short life makes up for.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import TYPE_CHECKING, Annotated, Protocol

import msgspec

from fsm_rtc.engine.doors import is_number, text, told
from fsm_rtc.errors import TokenError
from fsm_rtc.messages.trust import ids_of
from fsm_rtc.messages.wire import Introduction
from fsm_rtc.signaling.address import MAX_ROOM_CHARACTERS

if TYPE_CHECKING:
    from types import ModuleType

MIN_SECRET_BYTES = 32
"""As long as HS256's hash: RFC 7518, section 3.2."""

MAX_TOKEN_CHARACTERS = 4096
"""A longer token is refused unread; one of `join_token` has 150 to 2,400."""

MAX_TOKEN_SECONDS = 24 * 3600.0

CLOCK_SKEW_SECONDS = 30
"""How far the clock of who made a token may be ahead of the server's: RFC 7519, section 4.1.5, allows a few minutes."""

AUDIENCE = "fsm_rtc"

ALGORITHM = "HS256"

_ANOTHER = "ask for another one where you got it"


class Access(Protocol):
    """A rule for who may join."""

    def refusal(self, room: str, introduction: Introduction, token: str, now: float) -> str | None:
        """The sentence that a client who may not join is told, which says what to do; None for who may.

        Args:
            room: the room's name.
            introduction: who wants to join; its key is proved to be its own.
            token: what the client's hello has as its token; empty for none.
            now: the time, in seconds since 1970.
        """


class Open:
    """Anybody who knows the room's name."""

    def refusal(self, room: str, introduction: Introduction, token: str, now: float) -> str | None:
        """None."""
        return None


class RoomAllowlist:
    """These keys, in every room.

    Args:
        ids: their fingerprints, as `fsm_rtc.messages.key_id` and ``fsm-rtc keygen`` give them.

    Raises:
        TypeError: a single id instead of a collection; its characters would be taken for ids.
    """

    def __init__(self, ids: Collection[str]) -> None:
        if isinstance(ids, str):
            raise TypeError("an Allowlist takes a collection of ids; give [id]")
        self._ids = ids_of(ids)

    def refusal(self, room: str, introduction: Introduction, token: str, now: float) -> str | None:
        """None for a key that is one of them."""
        if introduction.id in self._ids:
            return None
        return "your key is not on this server's list; send your id (fsm-rtc keygen --show) to who runs it"


Seconds = Annotated[float, msgspec.Meta(ge=0, le=2**53)]


class _Claims(msgspec.Struct, frozen=True):
    room: str
    exp: Seconds
    iat: Seconds | None = None
    nbf: Seconds | None = None
    sub: str | None = None


class JoinTokens:
    """Anybody who brings a join token for the room, see `join_token`.

    Args:
        secret: what tokens are signed with; 32 bytes or more. A text counts in UTF-8.
        max_seconds: the longest life of a token; one that was made for longer is refused.

    Raises:
        TokenError: the secret is too short, or is a key of another kind; or PyJWT is not installed.
        ValueError: ``max_seconds`` is not above 0.
    """

    def __init__(self, secret: str | bytes, *, max_seconds: float = MAX_TOKEN_SECONDS) -> None:
        if not max_seconds > 0:
            raise ValueError(f"max_seconds is {max_seconds}; give a number above 0")
        self._jwt = _library()
        self._secret = _usable(secret, self._jwt)
        self._max_seconds = max_seconds

    def refusal(self, room: str, introduction: Introduction, token: str, now: float) -> str | None:
        """None for who brings a token that is genuine, of this time, for this room and for this id or any."""
        if not token:
            return "this server wants a join token; ask who runs it for one, and give it when you join"
        claims = self._genuine(token)
        if claims is None:
            return f"the join token is none of this server's; {_ANOTHER}"
        return self._mismatch(claims, room, introduction.id, now)

    def _genuine(self, token: str) -> _Claims | None:
        """What a token says that was signed with the secret. Its times are left to the clock that is given."""
        if len(token) > MAX_TOKEN_CHARACTERS:
            return None
        times = ("exp", "iat", "nbf")
        try:
            said = self._jwt.decode(
                token,
                self._secret,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                options={"require": ["exp", "aud"], **{f"verify_{name}": False for name in times}},
            )
            return msgspec.convert(said, _Claims)
        except Exception:  # whatever a stranger's text does to the library, it is no token
            return None

    def _mismatch(self, claims: _Claims, room: str, id: str, now: float) -> str | None:  # noqa: A002 - the claim is one
        latest = now + CLOCK_SKEW_SECONDS
        made = now if claims.iat is None else claims.iat
        if claims.exp <= now:
            return f"the join token has expired; {_ANOTHER}"
        if made > latest or (claims.nbf is not None and claims.nbf > latest):
            return "the join token is not valid yet; wait, or set the clock of who made it"
        if claims.exp - made > self._max_seconds:
            return f"the join token lives longer than {self._max_seconds:g} seconds; ask for one with a shorter life"
        if claims.room != room:
            return "the join token is for another room; join that room, or ask for a token for this one"
        if claims.sub is not None and claims.sub != id:
            return "the join token is for another key; join with that key, or ask for a token for yours"
        return None


def join_token(
    secret: str | bytes,
    room: str,
    *,
    id: str | None = None,  # noqa: A002 - as in Introduction
    seconds: float = 600,
    now: float | None = None,
) -> str:
    """A token with which to join a room of a server that has `JoinTokens`.

    Args:
        secret: the server's; 32 bytes or more.
        room: the room's exact name, of 1 to 128 characters.
        id: the only key that may use it, by its fingerprint; None for any holder of the token.
        seconds: how long it may be used, from the whole second before ``now``; 1 or more, and at most the server's
            ``max_seconds``, by default 24 hours.
        now: the time, in seconds since 1970; None for this host's clock.

    Raises:
        TokenError: the secret is too short, or is a key of another kind; or PyJWT is not installed.
        ValueError: the room's name or ``seconds`` is out of its range.
    """
    text(room, "a room's name")
    if not is_number(seconds):
        raise ValueError(f"seconds is {told(seconds)}; give 1 or more")
    if id is not None:
        text(id, "the id")
    if not 0 < len(room) <= MAX_ROOM_CHARACTERS:
        raise ValueError(f"a room's name has 1 to {MAX_ROOM_CHARACTERS} characters, not {len(room)}")
    if not 1 <= seconds < float("inf"):
        raise ValueError(f"seconds is {seconds}; give 1 or more")
    jwt = _library()
    made = int(time.time() if now is None else now)
    claims: dict[str, object] = {"aud": AUDIENCE, "room": room, "iat": made, "exp": made + seconds}
    if id is not None:
        claims["sub"] = id
    token: str = jwt.encode(claims, _usable(secret, jwt), algorithm=ALGORITHM)
    return token


def _usable(secret: str | bytes, jwt: ModuleType) -> bytes:
    key = text(secret, "the secret", TokenError, is_secret=True).encode() if isinstance(secret, str) else secret
    if not isinstance(key, bytes):
        raise TokenError(f"the secret is a {type(key).__name__}; give text, or bytes")
    if len(key) < MIN_SECRET_BYTES:
        raise TokenError(
            f"a secret of {len(key)} bytes is too short for join tokens, they need {MIN_SECRET_BYTES}; make one with: "
            'python -c "import secrets; print(secrets.token_urlsafe(32))"'
        )
    try:
        jwt.get_algorithm_by_name(ALGORITHM).prepare_key(key)
    except jwt.InvalidKeyError as unfit:
        raise TokenError(
            "the secret for join tokens is a public or private key, which others may know; make one with: "
            'python -c "import secrets; print(secrets.token_urlsafe(32))"'
        ) from unfit
    return key


def _library() -> ModuleType:
    try:
        import jwt
    except ModuleNotFoundError as missing:
        raise TokenError("join tokens need PyJWT, which is not installed; run: pip install PyJWT") from missing
    return jwt
