"""`doctor`: whether calls from this host can be expected to connect, and what to do if not."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import asdict
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Annotated

import typer

from fsm_rtc.cli.output import errors_told
from fsm_rtc.cli.plain import plain

if TYPE_CHECKING:
    from fsm_rtc.peer.configuration import IceServer
    from fsm_rtc.peer.ice.doctor import Check

__all__ = ["doctor"]

EVERY_CALL_OVER_IT = "every call over this server"

MAX_SKEW_SECONDS = 30.0
"""A server bears as much of a token's maker."""


def doctor(
    stun: Annotated[
        list[str] | None, typer.Option(metavar="URL", help="A STUN server, stun:host:port; may be repeated.")
    ] = None,
    turn: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="A TURN server, turn:host:port?transport=udp or turns:…; may be repeated."),
    ] = None,
    username: Annotated[str | None, typer.Option(metavar="NAME", help="Your name at the TURN servers.")] = None,
    credential: Annotated[
        str | None,
        typer.Option(
            metavar="PASSWORD",
            envvar="FSM_RTC_TURN_CREDENTIAL",
            show_envvar=True,
            help="Your password there; better in the environment, others on this host see a command line.",
        ),
    ] = None,
    signaling: Annotated[
        str | None,
        typer.Option(metavar="URL", help="A signalling server, ws://host:port: it must answer, and its clock agree."),
    ] = None,
    timeout: Annotated[
        float, typer.Option(min=0.1, metavar="SECONDS", help="How long each server has to answer.")
    ] = 5.0,
    loopback: Annotated[bool, typer.Option("--loopback", help="Ask from 127.0.0.1, for servers on this host.")] = False,
    json_lines: Annotated[bool, typer.Option("--json", help="Print one JSON object for each check.")] = False,
) -> None:
    """Say what of this host and its network would keep a call from connecting.

    Looks at its addresses, asks the STUN, TURN and signalling servers that you name, and makes a call within this host.
    The exit code is 0 if all is fine, and 1 if something isn't.
    """
    from fsm_rtc.peer.configuration import IceServer

    with errors_told():
        try:
            servers = [IceServer(url, username, credential) for url in (*(stun or ()), *(turn or ()))]
        except ValueError as wrong:
            raise typer.BadParameter(str(wrong), param_hint="--stun, --turn") from None
        is_fine = asyncio.run(_examine(servers, signaling, timeout, loopback=loopback, as_json=json_lines))
    raise typer.Exit(0 if is_fine else 1)


async def _examine(
    servers: list[IceServer], signaling: str | None, seconds: float, *, loopback: bool, as_json: bool
) -> bool:
    is_fine = True
    async for check in _checks(servers, signaling, seconds, loopback=loopback):
        is_fine = is_fine and check.is_fine
        typer.echo(json.dumps(asdict(check)) if as_json else _line(check))
    return is_fine


def _line(check: Check) -> str:
    line = plain(f"{'ok   ' if check.is_fine else 'FAILS'}  {check.name}: {check.text}")
    return line if check.is_fine else f"{line}\n       {plain(check.advice)}\n       would fail: {check.would_fail}"


async def _checks(
    servers: list[IceServer], signaling: str | None, seconds: float, *, loopback: bool
) -> AsyncIterator[Check]:
    from fsm_rtc.peer.ice.doctor import Check, check_addresses, check_server, compare_mappings

    if not loopback:
        yield check_addresses()
    mappings = []
    for server in servers:
        check = await check_server(server, timeout_seconds=seconds, loopback=loopback)
        if str(server.urls).startswith("stun") and check.is_fine:
            mappings.append(check)
        yield check
    together = compare_mappings(mappings)
    if together is not None:
        yield together
    if signaling is not None:
        yield await _signaling(signaling, seconds)
    yield await _call(seconds, loopback=loopback)
    if not loopback and (unseen := _unseen(servers, signaling)):
        yield Check("not looked at", is_fine=True, text=unseen)


def _unseen(servers: list[IceServer], signaling: str | None) -> str:
    """What could fail and was not asked for."""
    schemes = {str(server.urls).partition(":")[0] for server in servers}
    unseen = {
        "calls with hosts in other networks need a STUN server (--stun URL)": "stun" not in schemes,
        "calls that find no direct way need a TURN server (--turn URL)": schemes.isdisjoint({"turn", "turns"}),
        "tokens and TURN credentials need a right clock, and every call signalling (--signaling URL)": not signaling,
    }
    return "; ".join(text for text, is_unseen in unseen.items() if is_unseen)


async def _signaling(url: str, seconds: float) -> Check:
    """Whether the signalling server answers, and its clock is this host's."""
    from websockets.asyncio.client import connect

    from fsm_rtc.peer.ice.doctor import Check

    name = f"signalling {url}"
    try:
        async with asyncio.timeout(seconds), connect(f"{url.rstrip('/')}/fsm-rtc-doctor", proxy=None) as socket:
            challenge = await socket.recv()
            date = socket.response.headers.get("Date") if socket.response is not None else None
    except Exception as failed:
        why = str(failed) or f"no answer within {seconds:g} s"
        return Check(
            name,
            is_fine=False,
            text=why,
            advice="is a server running there, and does the way allow WebSockets?",
            would_fail=EVERY_CALL_OVER_IT,
        )
    if b'"challenge"' not in (challenge.encode() if isinstance(challenge, str) else challenge):
        text = "it is no signalling server of fsm_rtc"
        return Check(name, is_fine=False, text=text, advice="check the address", would_fail=EVERY_CALL_OVER_IT)
    skew = time.time() - parsedate_to_datetime(date).timestamp() if date is not None else 0.0
    if abs(skew) > MAX_SKEW_SECONDS:
        text = f"it answers, but this host's clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} its own"
        return Check(
            name,
            is_fine=False,
            text=text,
            advice="set the clocks: tokens and TURN credentials expire by them",
            would_fail="joining with a token, and calls that need TURN",
        )
    return Check(name, is_fine=True, text=f"it answers; the clocks agree within {max(1.0, abs(skew)):.0f} s")


async def _call(seconds: float, *, loopback: bool) -> Check:
    """A call between two ends within this process, from signed signalling to an open data channel."""
    from fsm_rtc.connection import Connection, memory_pipe
    from fsm_rtc.errors import FsmRtcError
    from fsm_rtc.messages import Identity
    from fsm_rtc.peer.configuration import Configuration
    from fsm_rtc.peer.ice.doctor import Check

    here, there = memory_pipe()
    configuration = Configuration(loopback=loopback)
    began = time.perf_counter()
    try:
        async with (
            Connection(here, Identity.generate(), configuration=configuration) as one,
            Connection(there, Identity.generate(), configuration=configuration) as other,
        ):
            await one.wait_for_ready(seconds)
            await other.wait_for_ready(seconds)
            took = time.perf_counter() - began
    except FsmRtcError as failed:
        advice = "a firewall on this host is likely; try --loopback to see whether it is the network's addresses"
        return Check("a call within this host", is_fine=False, text=str(failed), advice=advice, would_fail="every call")
    return Check("a call within this host", is_fine=True, text=f"open after {took * 1e3:.0f} ms")
