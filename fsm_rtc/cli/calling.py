"""What `join`, `send` and `receive` are asked for alike: whom to call, as whom, and how."""

from __future__ import annotations

import getpass
import shlex
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fsm_rtc.cli.folder import default_identity, default_known_peers
from fsm_rtc.cli.keys import load_identity

if TYPE_CHECKING:
    from fsm_rtc.messages import Identity
    from fsm_rtc.peer.configuration import Configuration, IceServer

__all__ = [
    "CredentialOption",
    "IdentityOption",
    "KnownPeersOption",
    "LoopbackOption",
    "NameOption",
    "OfferedServersOption",
    "OneTimeKeyOption",
    "Plan",
    "Policy",
    "StunOption",
    "TokenOption",
    "TrustOption",
    "TurnOption",
    "UrlArgument",
    "UsernameOption",
    "configuration_of",
    "forget_command",
    "plan_of",
]

UrlArgument = Annotated[str, typer.Argument(metavar="URL", help="The room's address: ws://host:port/room, or wss://….")]
NameOption = Annotated[str | None, typer.Option(metavar="NAME", help="How you are called; by default your login name.")]
IdentityOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Your key, made by `fsm-rtc keygen`; by default the one in your configuration folder, and if there is "
        "none a key for this run only.",
    ),
]
OneTimeKeyOption = Annotated[
    bool, typer.Option("--one-time-key", help="Use a key for this run only, even if you have one of your own.")
]
MAX_NAME_CHARACTERS = 128
"""The protocol's limit."""


class Policy(StrEnum):
    """Whom to talk to."""

    KNOWN = "known"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run was asked for, read and checked.

    Attributes:
        url: the room's address.
        room: its name.
        name: how the user is called.
        identity: the user's key.
        identity_file: where it is kept; None if it is for this run only.
        known_peers: the file of keys; None if nothing is remembered.
        policy: whom to talk to.
        configuration: how to connect.
        timeout_seconds: when to give up; None for never.
        token: the join token, or empty.
    """

    url: str
    room: str
    name: str
    identity: Identity
    identity_file: Path | None
    known_peers: Path | None
    policy: Policy
    configuration: Configuration
    timeout_seconds: float | None
    token: str


TrustOption = Annotated[
    Policy | None,
    typer.Option(
        help="known: the first peer under a name is remembered, the same name with another key refused; "
        "any: every peer that joins. By default known with a key of your own, any with a key for this run only.",
        show_default=False,
    ),
]
KnownPeersOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Where keys are remembered; by default in your configuration folder, or with a key for this run only "
        "in memory.",
    ),
]
StunOption = Annotated[str | None, typer.Option(metavar="URL", help="A STUN server, e.g. stun:stun.example.org:3478.")]
TurnOption = Annotated[
    str | None, typer.Option(metavar="URL", help="A TURN server, turn:host:port?transport=udp or turns:….")
]
UsernameOption = Annotated[str | None, typer.Option(metavar="NAME", help="Your name at the TURN server.")]
CredentialOption = Annotated[
    str | None,
    typer.Option(
        metavar="PASSWORD",
        envvar="FSM_RTC_TURN_CREDENTIAL",
        show_envvar=True,
        help="Your password there; better in the environment, others on this host see a command line.",
    ),
]
LoopbackOption = Annotated[bool, typer.Option("--loopback", help="Stay on 127.0.0.1; for hosts without a network.")]
TokenOption = Annotated[
    str,
    typer.Option(
        metavar="TOKEN",
        envvar="FSM_RTC_JOIN_TOKEN",
        show_envvar=True,
        help="What lets you in where the server asks for it, see `fsm-rtc token`.",
    ),
]


OfferedServersOption = Annotated[
    bool,
    typer.Option(
        "--offered-servers/--no-offered-servers",
        help="Whether to use the STUN and TURN servers that the signalling offers; who runs them learns your address.",
    ),
]


def plan_of(
    url: str,
    *,
    name: str | None,
    identity: Path | None,
    one_time_key: bool,
    trust: Policy | None,
    known_peers: Path | None,
    configuration: Configuration,
    timeout_seconds: float | None,
    token: str,
) -> Plan:
    """What was asked for, read and checked.

    Raises:
        FsmRtcError: the address, the key or its file is none.
        typer.BadParameter: the options don't go together.
    """
    if known_peers is not None and trust is Policy.ANY:
        raise typer.BadParameter("with --trust any nobody is compared; give one of the two", param_hint="--known-peers")
    from fsm_rtc.messages import Identity
    from fsm_rtc.signaling.address import Address

    file = None if one_time_key else _identity_file(identity)
    has_list = file is not None or known_peers is not None
    policy = trust or (Policy.KNOWN if has_list else Policy.ANY)
    return Plan(
        url=url,
        room=Address.parse(url).room,
        name=_name(name),
        identity=load_identity(file) if file is not None else Identity.generate(),
        identity_file=file,
        known_peers=_known_peers_file(policy, known_peers, has_own_key=file is not None),
        policy=policy,
        configuration=configuration,
        timeout_seconds=timeout_seconds,
        token=token,
    )


def _identity_file(given: Path | None) -> Path | None:
    return given or (default_identity() if default_identity().exists() else None)


def _known_peers_file(policy: Policy, given: Path | None, *, has_own_key: bool) -> Path | None:
    if policy is Policy.ANY:
        return None
    return given or (default_known_peers() if has_own_key else None)


def forget_command(known_peers: Path | None) -> str | None:
    """The command that makes a known name free for a new key, without the name; None if nothing is remembered."""
    if known_peers is None:
        return None
    where = f" --file {shlex.quote(str(known_peers))}" if known_peers != default_known_peers() else ""
    return f"fsm-rtc known-peers{where} forget"


def _name(given: str | None) -> str:
    name = given if given is not None else _login_name()
    if not 0 < len(name) <= MAX_NAME_CHARACTERS:
        raise typer.BadParameter(f"give a name of 1 to {MAX_NAME_CHARACTERS} characters", param_hint="--name")
    return name


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):
        return "somebody"


def configuration_of(
    stun: str | None,
    *,
    turn: str | None = None,
    username: str | None = None,
    credential: str | None = None,
    loopback: bool,
    offered_servers: bool = True,
) -> Configuration:
    """How to connect.

    Raises:
        typer.BadParameter: a server's URL is none.
    """
    from fsm_rtc.peer.configuration import Configuration, IceServer

    servers: list[IceServer] = []
    for url, option, *account in ((stun, "--stun"), (turn, "--turn", username, credential)):
        try:
            if url is not None:
                servers.append(IceServer(url, *account))
        except ValueError as wrong:
            raise typer.BadParameter(str(wrong), param_hint=option) from None
    return Configuration(ice_servers=tuple(servers), loopback=loopback, accept_offered=offered_servers)
