"""`join`: a chat with all who join the same room."""

from __future__ import annotations

import asyncio
import getpass
import shlex
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fsm_rtc.cli.folder import default_identity, default_known_peers
from fsm_rtc.cli.keys import load_identity
from fsm_rtc.cli.output import errors_told
from fsm_rtc.cli.stopping import STOPPED_TWICE, calls_when_stopped

if TYPE_CHECKING:
    from fsm_rtc.cli.chat import Chat, Outcome, Report
    from fsm_rtc.cli.chat_trust import ChatTrust
    from fsm_rtc.messages import Identity
    from fsm_rtc.peer.configuration import Configuration

__all__ = ["join"]

MAX_NAME_CHARACTERS = 128
"""The protocol's limit."""


class Policy(StrEnum):
    """Whom `join` talks to."""

    KNOWN = "known"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run of `join` was asked for, read and checked.

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


def join(
    url: Annotated[str, typer.Argument(metavar="URL", help="The room's address: ws://host:port/room, or wss://….")],
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="How you are called; by default your login name.")
    ] = None,
    identity: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Your key, made by `fsm-rtc keygen`; by default the one in your configuration folder, and if there is "
            "none a key for this run only.",
        ),
    ] = None,
    one_time_key: Annotated[
        bool, typer.Option("--one-time-key", help="Use a key for this run only, even if you have one of your own.")
    ] = False,
    trust: Annotated[
        Policy | None,
        typer.Option(
            help="known: whoever comes first under a name is remembered, the same name with another key refused; "
            "any: whoever joins. By default known with a key of your own, any with a key for this run only.",
            show_default=False,
        ),
    ] = None,
    known_peers: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Where keys are remembered; by default in your configuration folder, or with a key for this run only "
            "in memory.",
        ),
    ] = None,
    stun: Annotated[
        str | None, typer.Option(metavar="URL", help="A STUN server, e.g. stun:stun.example.org:3478.")
    ] = None,
    loopback: Annotated[
        bool, typer.Option("--loopback", help="Stay on 127.0.0.1; for hosts without a network.")
    ] = False,
    token: Annotated[
        str,
        typer.Option(
            metavar="TOKEN",
            envvar="FSM_RTC_JOIN_TOKEN",
            show_envvar=True,
            help="What lets you in where the server asks for it, see `fsm-rtc token`.",
        ),
    ] = "",
    timeout: Annotated[
        float | None,
        typer.Option(min=0.0, metavar="SECONDS", help="Give up if nobody is connected by then."),
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show all that is known of a call that fails, not the advice alone.")
    ] = False,
    json_lines: Annotated[
        bool,
        typer.Option(
            "--json", help="Print one JSON object a line, the last one a summary; send every line as it is, /quit too."
        ),
    ] = False,
) -> None:
    """Chat with all who join the same room, over a connection to each of them that is encrypted from end to end.

    Each line that you type is sent to all who are connected. When the last one leaves, the next one is waited for.

    Ctrl-D, /quit or Ctrl-C leaves. The exit code is 0 then, and 1 if the call was given up.
    """
    if known_peers is not None and trust is Policy.ANY:
        raise typer.BadParameter("with --trust any nobody is compared; give one of the two", param_hint="--known-peers")
    with errors_told():
        file = None if one_time_key else _identity_file(identity)
        has_list = file is not None or known_peers is not None
        policy = trust or (Policy.KNOWN if has_list else Policy.ANY)
        from fsm_rtc.messages import Identity
        from fsm_rtc.signaling.address import Address

        plan = Plan(
            url=url,
            room=Address.parse(url).room,
            name=_name(name),
            identity=load_identity(file) if file is not None else Identity.generate(),
            identity_file=file,
            known_peers=_known_peers_file(policy, known_peers, has_own_key=file is not None),
            policy=policy,
            configuration=_configuration(stun, loopback=loopback),
            timeout_seconds=timeout,
            token=token,
        )
        try:
            outcome = asyncio.run(_json_chat(plan) if json_lines else _chat(plan, verbose=verbose))
        except KeyboardInterrupt:
            raise typer.Exit(STOPPED_TWICE) from None
    raise typer.Exit(outcome.exit_code)


async def _chat(plan: Plan, *, verbose: bool) -> Outcome:
    """Chat with a person."""
    from rich.console import Console

    from fsm_rtc.cli.chat_trust import ChatTrust
    from fsm_rtc.cli.chat_words import ChatWords

    trust = ChatTrust(anybody=plan.policy is Policy.ANY, file=plan.known_peers)
    forget = _forget_command(plan.known_peers)
    report = ChatWords(Console(highlight=False), plan.room, trust.known_id, forget, verbose=verbose)
    which = f"the key in {plan.identity_file}" if plan.identity_file else "a key for this run only"
    report.say(f"you are {plan.name}, with {which}; your id is {plan.identity.id}")
    report.say(f"connecting to {plan.url}")
    chat = _made(plan, trust, report)
    outcome = await _run(chat)
    report.say(f"you left ({outcome.reason})" if outcome.exit_code == 0 else f"gave up: {outcome.reason}")
    report.failed(outcome.failure)
    return outcome


async def _json_chat(plan: Plan) -> Outcome:
    """Chat with a program."""
    from fsm_rtc.cli.chat_json import ChatJson
    from fsm_rtc.cli.chat_trust import ChatTrust

    trust = ChatTrust(anybody=plan.policy is Policy.ANY, file=plan.known_peers)
    report = ChatJson(typer.echo)
    report.tell(
        "me",
        id=plan.identity.id,
        name=plan.name,
        room=plan.room,
        url=plan.url,
        identity=str(plan.identity_file) if plan.identity_file else None,
        known_peers=str(plan.known_peers) if plan.known_peers else None,
    )
    chat = _made(plan, trust, report, verbatim=True)
    outcome = await _run(chat)
    report.summarise(chat, outcome)
    return outcome


def _made(plan: Plan, trust: ChatTrust, report: Report, *, verbatim: bool = False) -> Chat:
    from fsm_rtc.cli.chat import Chat
    from fsm_rtc.cli.input_lines import InputLines
    from fsm_rtc.signaling import join

    trust.report = report
    room = join(
        plan.url, plan.identity, name=plan.name, trust=trust, configuration=plan.configuration, token=plan.token
    )
    return Chat(room, InputLines.of_stdin(), report, verbatim=verbatim, timeout_seconds=plan.timeout_seconds)


async def _run(chat: Chat) -> Outcome:
    from fsm_rtc.cli.chat import Outcome

    with calls_when_stopped(lambda: chat.finish(Outcome(0, "stopped"))):
        return await chat.run()


def _identity_file(given: Path | None) -> Path | None:
    return given or (default_identity() if default_identity().exists() else None)


def _known_peers_file(policy: Policy, given: Path | None, *, has_own_key: bool) -> Path | None:
    if policy is Policy.ANY:
        return None
    return given or (default_known_peers() if has_own_key else None)


def _forget_command(known_peers: Path | None) -> str | None:
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


def _configuration(stun: str | None, *, loopback: bool) -> Configuration:
    from fsm_rtc.peer.configuration import Configuration, IceServer

    try:
        return Configuration(ice_servers=(IceServer(stun),) if stun is not None else (), loopback=loopback)
    except ValueError as wrong:
        raise typer.BadParameter(str(wrong), param_hint="--stun") from None
