"""`send` and `receive`: a file, to or from the others in the same room."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fsm_rtc.cli.calling import (
    CredentialOption,
    IdentityOption,
    KnownPeersOption,
    LoopbackOption,
    NameOption,
    OfferedServersOption,
    OneTimeKeyOption,
    Plan,
    Policy,
    StunOption,
    TokenOption,
    TrustOption,
    TurnOption,
    UrlArgument,
    UsernameOption,
    configuration_of,
    forget_command,
    plan_of,
)
from fsm_rtc.cli.output import errors_told
from fsm_rtc.cli.stopping import STOPPED_TWICE, calls_when_stopped

if TYPE_CHECKING:
    from fsm_rtc.cli.chat_trust import ChatTrust
    from fsm_rtc.cli.file_call import FileCall, FileOutcome, FileReport
    from fsm_rtc.room.room import Room

    MakeCall = Callable[[Callable[[], Room], FileReport], FileCall]

__all__ = ["receive", "send"]

TimeoutOption = Annotated[
    float | None,
    typer.Option(min=0.0, metavar="SECONDS", help="Give up if nothing of the file has moved for so long."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object a line, the last one a summary.")]


def send(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to send.")],
    url: UrlArgument,
    called: Annotated[
        str | None, typer.Option("--as", metavar="NAME", help="What it is to be called there; by default as here.")
    ] = None,
    name: NameOption = None,
    identity: IdentityOption = None,
    one_time_key: OneTimeKeyOption = False,
    trust: TrustOption = None,
    known_peers: KnownPeersOption = None,
    stun: StunOption = None,
    turn: TurnOption = None,
    username: UsernameOption = None,
    credential: CredentialOption = None,
    offered_servers: OfferedServersOption = True,
    loopback: LoopbackOption = False,
    token: TokenOption = "",
    timeout: TimeoutOption = None,
    json_lines: JsonOption = False,
) -> None:
    """Send FILE to who runs `fsm-rtc receive` in the same room, over a connection encrypted from end to end.

    Waits until somebody is there for it. If the connection is lost, or one of the two is killed and started again
    with the same arguments, the file goes on where it was.

    The exit code is 0 when the other side has confirmed the file's checksum, and 1 if it was given up.
    """
    with errors_told():
        plan = plan_of(
            url,
            name=name,
            identity=identity,
            one_time_key=one_time_key,
            trust=trust,
            known_peers=known_peers,
            configuration=configuration_of(
                stun,
                turn=turn,
                username=username,
                credential=credential,
                loopback=loopback,
                offered_servers=offered_servers,
            ),
            timeout_seconds=timeout,
            token=token,
        )
        _done(_send(plan, file, called, json_lines=json_lines))


def receive(
    url: UrlArgument,
    folder: Annotated[
        Path, typer.Option(metavar="DIR", help="Where the file is to lie; made if it isn't there.")
    ] = Path(),
    force: Annotated[bool, typer.Option("--force", help="Replace a file of that name.")] = False,
    name: NameOption = None,
    identity: IdentityOption = None,
    one_time_key: OneTimeKeyOption = False,
    trust: TrustOption = None,
    known_peers: KnownPeersOption = None,
    stun: StunOption = None,
    turn: TurnOption = None,
    username: UsernameOption = None,
    credential: CredentialOption = None,
    offered_servers: OfferedServersOption = True,
    loopback: LoopbackOption = False,
    token: TokenOption = "",
    timeout: TimeoutOption = None,
    json_lines: JsonOption = False,
) -> None:
    """Receive the file that somebody sends with `fsm-rtc send` in the same room.

    Until it is complete, and its checksum is right, it is a .part beside where it will be; if the connection is lost,
    or one of the two is killed and started again with the same arguments, the file goes on where it was. A file that
    is there is not replaced without --force.

    The exit code is 0 when the file is there, and 1 if it was given up.
    """
    with errors_told():
        plan = plan_of(
            url,
            name=name,
            identity=identity,
            one_time_key=one_time_key,
            trust=trust,
            known_peers=known_peers,
            configuration=configuration_of(
                stun,
                turn=turn,
                username=username,
                credential=credential,
                loopback=loopback,
                offered_servers=offered_servers,
            ),
            timeout_seconds=timeout,
            token=token,
        )
        _demand_folder(folder)
        _done(_receive(plan, folder, force=force, json_lines=json_lines))


def _demand_folder(folder: Path) -> None:
    """Say at once that it is no folder, and not when somebody sends."""
    if folder.exists() and not folder.is_dir():
        from fsm_rtc.errors import FileRefusal, FileTransferError

        raise FileTransferError(f"{folder} is no folder; give one with --folder", reason=FileRefusal.NOT_WRITABLE)


def _done(work: Coroutine[Any, Any, FileOutcome]) -> None:
    try:
        outcome = asyncio.run(work)
    except KeyboardInterrupt:
        raise typer.Exit(STOPPED_TWICE) from None
    raise typer.Exit(outcome.exit_code)


async def _send(plan: Plan, file: Path, called: str | None, *, json_lines: bool) -> FileOutcome:
    from rich.console import Console
    from rich.text import Text

    from fsm_rtc.cli.file_call import SendingCall
    from fsm_rtc.cli.plain import plain
    from fsm_rtc.files import FileSource

    with Console(quiet=json_lines).status(Text(f"reading {plain(str(file))}")):  # shown in a terminal alone
        source = await FileSource.of(file, name=called)

    def make(make_room: Callable[[], Room], report: FileReport) -> FileCall:
        return SendingCall(source, make_room, report, plan.timeout_seconds)

    return await (_run_for_a_program(plan, make) if json_lines else _run_for_a_person(plan, make, "sending"))


async def _receive(plan: Plan, folder: Path, *, force: bool, json_lines: bool) -> FileOutcome:
    from fsm_rtc.cli.file_call import ReceivingCall
    from fsm_rtc.files import ReceivingFolder

    def make(make_room: Callable[[], Room], report: FileReport) -> FileCall:
        return ReceivingCall(ReceivingFolder(folder, force=force), make_room, report, plan.timeout_seconds)

    return await (_run_for_a_program(plan, make) if json_lines else _run_for_a_person(plan, make, "receiving"))


async def _run_for_a_person(plan: Plan, make: MakeCall, verb: str) -> FileOutcome:
    from rich.console import Console

    from fsm_rtc.cli.chat_trust import ChatTrust
    from fsm_rtc.cli.chat_words import ChatWords
    from fsm_rtc.cli.file_words import FileWords
    from fsm_rtc.cli.plain import plain

    trust = ChatTrust(anybody=plan.policy is Policy.ANY, file=plan.known_peers)
    console = Console(highlight=False)
    forget = forget_command(plan.known_peers)
    words = ChatWords(console, plan.room, trust.known_id, forget, when_connected="the file is agreed on")
    with FileWords(console, words, verb) as report:
        trust.report = report
        which = f"the key in {plan.identity_file}" if plan.identity_file else "a key for this run only"
        report.say(f"you are {plan.name}, with {which}; your id is {plan.identity.id}")
        report.say(f"connecting to {plan.url}")
        outcome = await _run(make(_rooms(plan, trust), report))
    where = f": {plain(str(outcome.path))}" if outcome.path is not None else ""
    words.say(f"{outcome.reason}{where}" if outcome.exit_code == 0 else f"gave up: {outcome.reason}", "bold")
    words.failed(outcome.failure)
    return outcome


async def _run_for_a_program(plan: Plan, make: MakeCall) -> FileOutcome:
    from fsm_rtc.cli.chat_json import ChatJson
    from fsm_rtc.cli.chat_trust import ChatTrust
    from fsm_rtc.cli.file_json import FileJson

    trust = ChatTrust(anybody=plan.policy is Policy.ANY, file=plan.known_peers)
    lines = ChatJson(typer.echo)
    trust.report = report = FileJson(lines)
    lines.tell(
        "me",
        id=plan.identity.id,
        name=plan.name,
        room=plan.room,
        url=plan.url,
        identity=str(plan.identity_file) if plan.identity_file else None,
        known_peers=str(plan.known_peers) if plan.known_peers else None,
    )
    call = make(_rooms(plan, trust), report)
    outcome = await _run(call)
    report.summarise(call, outcome)
    return outcome


def _rooms(plan: Plan, trust: ChatTrust) -> Callable[[], Room]:
    from fsm_rtc.signaling import join

    def make() -> Room:
        return join(
            plan.url, plan.identity, name=plan.name, trust=trust, configuration=plan.configuration, token=plan.token
        )

    return make


async def _run(call: FileCall) -> FileOutcome:
    from fsm_rtc.cli.file_call import FileOutcome

    logging.getLogger("fsm_rtc").setLevel(logging.ERROR)  # who is lost, and what that costs, the report says
    stopped = FileOutcome(1, "stopped; start it again with the same arguments to go on")
    with calls_when_stopped(lambda: call.finish(stopped)):
        return await call.run()
