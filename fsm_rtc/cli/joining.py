"""`join`: a chat with all who join the same room."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from fsm_rtc.cli.calling import (
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
    UrlArgument,
    configuration_of,
    forget_command,
    plan_of,
)
from fsm_rtc.cli.output import errors_told
from fsm_rtc.cli.stopping import STOPPED_TWICE, calls_when_stopped

if TYPE_CHECKING:
    from fsm_rtc.cli.chat import Chat, ChatReport, Outcome
    from fsm_rtc.cli.chat_trust import ChatTrust

__all__ = ["join"]


def join(
    url: UrlArgument,
    name: NameOption = None,
    identity: IdentityOption = None,
    one_time_key: OneTimeKeyOption = False,
    trust: TrustOption = None,
    known_peers: KnownPeersOption = None,
    stun: StunOption = None,
    offered_servers: OfferedServersOption = True,
    loopback: LoopbackOption = False,
    token: TokenOption = "",
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
    with errors_told():
        plan = plan_of(
            url,
            name=name,
            identity=identity,
            one_time_key=one_time_key,
            trust=trust,
            known_peers=known_peers,
            configuration=configuration_of(stun, loopback=loopback, offered_servers=offered_servers),
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
    forget = forget_command(plan.known_peers)
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


def _made(plan: Plan, trust: ChatTrust, report: ChatReport, *, verbatim: bool = False) -> Chat:
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
