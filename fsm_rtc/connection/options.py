"""CallOptions: how calls are made, the same for a `Connection`, a `Room`, `join` and a `ConnectionStore`.

They are checked here, once, and passed on whole.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol, TypedDict, cast, get_args

from fsm_rtc.connection.delivery.message_store import MessageStore
from fsm_rtc.connection.recovery.policy import RecoveryPolicy
from fsm_rtc.connection.saving.persistence import Persistence
from fsm_rtc.engine import Journal
from fsm_rtc.engine.clock import Clock
from fsm_rtc.engine.doors import callback, told
from fsm_rtc.messages import Member
from fsm_rtc.messages.trust import Trust
from fsm_rtc.peer.backend import Kind
from fsm_rtc.peer.configuration import Configuration
from fsm_rtc.peer.peer_connection import PeerConnection

__all__ = ["CallKeywords", "CallOptions", "PeerConnectionFactory", "StoreKeywords", "options_of"]

GIVEN: tuple[tuple[str, type, tuple[str, ...], str], ...] = (
    ("trust", object, ("accepts", "remember"), "Allowlist([id]), TrustOnFirstUse(), AnyPeer()"),
    ("configuration", Configuration, (), "fsm_rtc.Configuration(…),"),
    ("recovery", RecoveryPolicy, (), "a RecoveryPolicy(…), NO_RECOVERY"),
    ("persistence", object, ("load", "save"), "SqliteFile(path), MemoryPersistence()"),
    ("journal", object, ("watch",), "fsm_rtc.Journal(),"),
)
"""Of each option that may be None: its class, what can be done with it, and what to give."""


class PeerConnectionFactory(Protocol):
    """What makes peer connections: `PeerConnection`, or `fsm_rtc.testing.FakePeerConnection`."""

    def __call__(
        self,
        configuration: Configuration | None = None,
        *,
        engine: str = ...,
        journal: Journal | None = ...,
        label: str = ...,
        generation: int = ...,
    ) -> PeerConnection: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class CallOptions:
    """How calls are made.

    Attributes:
        name: how this side calls itself, at most 128 characters.
        trust: whom it talks to. None for the first peer under a name, while the object lives that is given this.
        configuration: servers and time limits of each peer connection; none and the defaults if None. Servers that the
            signalling offers come on top.
        receive: the kinds of media to be ready to receive: ``("audio", "video")``.
        peer_connection_factory: makes the peer connections.
        engine: ``compiled``, or ``transitions`` to let every machine be stepped by that library.
        journal: watches every machine.
        label: how its machines are called in the journal; the connections of a room have a number behind it. Empty for
            ``connection``, ``room`` or ``store``.
        clock: seconds.
        member: this side, instead of an identity and `name`; for several connections of one session, as in a `Room`.
        recovery: how soon the loss of a peer is noticed, and what is done about it; the defaults if None.
        persistence: where the call, or what of a room's isn't delivered, is kept, so that another run of this program
            goes on with it after this one was killed; `fsm_rtc.connection.SqliteFile`. Closed with the connection or
            the room. Needs an identity.
        message_store: what isn't delivered to each peer, instead of `persistence`, where several connections share it,
            as in a `Room`.

    Raises:
        TypeError: one is of another kind; the message says what to give.
    """

    name: str = ""
    trust: Trust | None = None
    configuration: Configuration | None = None
    receive: tuple[Kind, ...] = ()
    peer_connection_factory: PeerConnectionFactory = PeerConnection
    engine: str = "compiled"
    journal: Journal | None = None
    label: str = ""
    clock: Clock = time.monotonic
    member: Member | None = None
    recovery: RecoveryPolicy | None = None
    persistence: Persistence | None = None
    message_store: MessageStore | None = None

    def __post_init__(self) -> None:
        _check(self)


def _check(options: CallOptions) -> None:
    """Say what is wrong with an option that is of another kind.

    Raises:
        TypeError: one is; the message says what to give.
    """
    for name, kind, methods, advice in GIVEN:
        value = getattr(options, name)
        fits = isinstance(value, kind) and all(callable(getattr(value, one, None)) for one in methods)
        if value is not None and not fits:
            raise TypeError(f"{name} is {told(value)}; give {advice} or None")
    callback(options.peer_connection_factory, "peer_connection_factory", "give a class like fsm_rtc.PeerConnection")
    callback(options.clock, "clock", "give a function like time.monotonic")
    kinds, receive = get_args(Kind), cast(object, options.receive)
    if not isinstance(receive, tuple | list) or not all(one in kinds for one in receive):
        raise TypeError(f"receive is {told(receive)}; give a tuple of {' and '.join(map(repr, kinds))}")


class StoreKeywords(TypedDict, total=False):
    """The same, given one by one, but for the configuration."""

    name: str
    trust: Trust | None
    receive: tuple[Kind, ...]
    peer_connection_factory: PeerConnectionFactory
    engine: str
    journal: Journal | None
    label: str
    clock: Clock
    member: Member | None
    recovery: RecoveryPolicy | None
    persistence: Persistence | None
    message_store: MessageStore | None


class CallKeywords(StoreKeywords, total=False):
    """The same, given one by one."""

    configuration: Configuration | None


def options_of(options: CallOptions | None, keywords: StoreKeywords, *, label: str) -> CallOptions:
    """The options, with what is given one by one in their place.

    Args:
        options: or None for the defaults.
        keywords: what is given one by one.
        label: if there is none.

    Raises:
        TypeError: those are no options, or there is none of that name, or one is of another kind.
    """
    if options is not None and not isinstance(options, CallOptions):
        raise TypeError(f"options is {told(options)}; give fsm_rtc.CallOptions(…), or None")
    known = [field.name for field in fields(CallOptions)]
    if unknown := [name for name in keywords if name not in known]:
        raise TypeError(f"there is no option {unknown[0]!r} of a call; there are {', '.join(known)}")
    base = options or CallOptions()
    given: dict[str, Any] = {"label": base.label or label, **keywords}
    return replace(base, **given)
