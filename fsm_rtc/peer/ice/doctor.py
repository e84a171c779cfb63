"""What of this host and its network would keep a call from connecting: its addresses, and its STUN and TURN servers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import aiortc

from fsm_rtc.peer.configuration import IceServer
from fsm_rtc.peer.ice.agent import host_addresses
from fsm_rtc.peer.ice.gatherer import IceCandidateError, IceGatherer

STUN_PORT_ADVICE = "nobody answers there, or a firewall lets no UDP out: ask who runs it, or use TURN over TCP"

UNAUTHORIZED = 401
"""Source: RFC 8489, section 14.8."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: what.
        is_fine: whether a call can be expected to work with it.
        text: what was found.
        advice: what to do, if it isn't fine.
        addresses: what was found of one's own, as others see it: host and port.
        would_fail: which calls would fail by it, if it isn't fine.
    """

    name: str
    is_fine: bool
    text: str
    advice: str = ""
    addresses: tuple[tuple[str, int], ...] = ()
    would_fail: str = ""


def check_addresses() -> Check:
    """Whether this host has an address that another one could reach."""
    found = host_addresses()
    if not found:
        return Check(
            "addresses",
            is_fine=False,
            text="none but loopback",
            advice="connect this host to a network; calls within it work with loopback=True alone",
            would_fail="calls with any other host",
        )
    return Check("addresses", is_fine=True, text=", ".join(sorted(found)), addresses=tuple((one, 0) for one in found))


async def check_server(server: IceServer, *, timeout_seconds: float, loopback: bool = False) -> Check:
    """Ask one STUN or TURN server for a candidate.

    Args:
        server: with one URL.
        timeout_seconds: how long it has to answer.
        loopback: ask from 127.0.0.1, for a server on this host.
    """
    url = server.urls if isinstance(server.urls, str) else server.urls[0]
    wanted = "relay" if url.startswith("turn") else "srflx"
    asked = aiortc.RTCIceServer(url, server.username, server.credential)
    gatherer = IceGatherer([asked], timeout_seconds=timeout_seconds, loopback=loopback)
    found: list[aiortc.RTCIceCandidate] = []
    errors: list[IceCandidateError] = []
    gatherer.on("candidate", found.append)
    gatherer.on("candidateerror", errors.append)
    began = time.perf_counter()
    try:
        await gatherer.gather()
    finally:
        took = time.perf_counter() - began
        await gatherer.stop()
    addresses = tuple((one.ip, one.port) for one in found if one.type == wanted)
    name = f"{'TURN' if wanted == 'relay' else 'STUN'} {url}"
    if addresses:
        shown = ", ".join(f"{host}:{port}" for host, port in addresses)
        return Check(name, is_fine=True, text=f"{shown} in {took * 1e3:.0f} ms", addresses=addresses)
    if wanted == "srflx" and not errors:
        # aioice leaves out a reflexive address that is a host's own: there is no NAT.
        return Check(name, is_fine=True, text=f"no NAT between here and there, in {took * 1e3:.0f} ms")
    text = "; ".join(sorted({error.errorText for error in errors})) or "no answer"
    would_fail = (
        "calls that find no direct way, as behind symmetric NATs or firewalls"
        if wanted == "relay"
        else "calls with hosts in other networks, unless a TURN server is in between"
    )
    return Check(name, is_fine=False, text=text, advice=_advice(errors, wanted), would_fail=would_fail)


def _advice(errors: Sequence[IceCandidateError], wanted: str) -> str:
    if any(error.errorCode == UNAUTHORIZED for error in errors):
        return "the name or the password is wrong, or has expired; check the clock of both sides too"
    if wanted == "relay":
        return "nobody answers there, or a firewall is between; try ?transport=tcp, or turns: on port 443"
    return STUN_PORT_ADVICE


def compare_mappings(checks: Sequence[Check]) -> Check | None:
    """What several STUN servers say together: whether the NAT gives each destination another port.

    Source: RFC 5780, section 4.3. Each server was asked from a socket of its own, so ports can't be compared, but the
    addresses can: a NAT with several of them is a bad one.

    Args:
        checks: those of the STUN servers that answered.
    """
    seen = {host for check in checks for host, _ in check.addresses}
    if len(seen) < 2:
        return None
    return Check(
        "NAT",
        is_fine=False,
        text=f"STUN servers see this host under {len(seen)} addresses: {', '.join(sorted(seen))}",
        advice="a direct way is unlikely; have a TURN server",
        would_fail="calls with hosts that are behind a NAT themselves, without a TURN server",
    )
