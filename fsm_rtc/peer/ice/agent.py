"""The ICE agent: aioice's, which gathers in steps and keeps the other side's consent.

What aioice does otherwise: it gathers everything before anything can be checked, it takes the first STUN and the first
TURN server alone, and it closes itself when consent is lost, so that nothing could be rescued. Which private parts of
aioice that takes stands in `private`.

Consent. When the other side is asked, and when it is said to be missing, stands in the table (`machines.consent`). Only
while nothing at all has been heard for 2.5 s is it asked more often than every 5 s, so a lost peer is missed within 5 s
and a live one is never asked more than every 2.5 s. Any kind of pair is asked, a relayed one too.

What holds:

- Host candidates come first and at once; each server is asked for itself, and one that doesn't answer in time costs the
  others nothing.
- Nothing that goes wrong with one question of consent ends the asking.
- After `close` no socket is left open, also of those that were being opened then; a TURN server's goodbye is waited for
  no longer than `GOODBYE_SECONDS`.

Source: RFC 8445, section 5.1; RFC 7675.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from aioice import Candidate, TransportPolicy, ice, stun
from aiortc import RTCIceServer
from aiortc.rtcicetransport import parse_stun_turn_uri

from fsm_rtc.engine import Accepted, Outcome
from fsm_rtc.machines.consent import Ask, Consent, ConsentTimes, TellBack, TellExpired, TellMissing
from fsm_rtc.machines.gatherer import Gatherer
from fsm_rtc.peer.closing import Tasks
from fsm_rtc.peer.configuration import IceServer
from fsm_rtc.peer.ice.checks import Checks
from fsm_rtc.peer.ice.private import abandon_relay

logger = logging.getLogger("fsm_rtc.peer.ice")

UNREACHABLE = 701
"""The code of a server that can't be reached. Source: webrtc-pc, #dom-rtcpeerconnectioniceerrorevent-errorcode."""


@dataclass(frozen=True, slots=True)
class ServerUrl:
    """One URL of a STUN or TURN server.

    Attributes:
        url: as it was given.
        scheme: ``stun``, ``stuns``, ``turn`` or ``turns``.
        address: host and port.
        transport: ``udp`` or ``tcp``, for TURN.
        username, credential: for TURN, or None.
    """

    url: str
    scheme: str
    address: tuple[str, int]
    transport: str = "udp"
    username: str | None = None
    credential: str | None = None

    @property
    def is_supported(self) -> bool:
        """Whether aioice can talk to it."""
        return self.scheme in ("stun", "turn") or (self.scheme == "turns" and self.transport == "tcp")


class ServerError(Exception):
    """A server that gave no candidate.

    Attributes:
        code: the STUN error code, or 701 if it could not be reached.
    """

    def __init__(self, text: str, code: int = UNREACHABLE) -> None:
        super().__init__(text)
        self.code = code


def urls_of(configured: Sequence[RTCIceServer]) -> list[ServerUrl]:
    """Every URL of the configured servers.

    Raises:
        ValueError: aiortc can't read a URL.
    """
    found = []
    for server in configured:
        for url in server.urls if isinstance(server.urls, list) else [server.urls]:
            parsed = parse_stun_turn_uri(url)
            address, transport = (parsed["host"], parsed["port"]), parsed.get("transport") or "udp"
            found.append(ServerUrl(url, parsed["scheme"], address, transport, server.username, server.credential))
    return found


def servers_of(configured: Sequence[IceServer]) -> list[RTCIceServer]:
    """The configured servers as aiortc has them; what it can't use is refused now, and not when it gathers.

    Raises:
        ValueError: aiortc can't read a URL, such as one with an IPv6 address in it.
    """
    servers = [
        RTCIceServer(one.urls if isinstance(one.urls, str) else list(one.urls), one.username, one.credential)
        for one in configured
    ]
    try:
        urls_of(servers)
    except ValueError as error:
        urls = ", ".join(str(server.urls) for server in servers)
        raise ValueError(f"aiortc can't use the ICE servers {urls} ({error}); name hosts, or IPv4 addresses") from error
    return servers


async def reflexive_candidate(protocol: Any, server: ServerUrl) -> Any:
    """This socket's address as the server sees it.

    Raises:
        ServerError: it gave none.
    """
    return (await _asked(ice.server_reflexive_candidate(protocol, server.address)))[0]


async def relayed_candidate(receiver: Any, server: ServerUrl, *, hide_related_address: bool) -> tuple[Any, Any]:
    """An address that the server relays, and the protocol that uses it.

    Raises:
        ServerError: it gave none.
    """
    candidate, protocol = await _asked(
        ice.relayed_candidate(
            component=1,
            hide_related_address=hide_related_address,
            protocol_factory=lambda: ice.StunProtocol(receiver),
            turn_server=server.address,
            turn_username=server.username,
            turn_password=server.credential,
            turn_ssl=server.scheme == "turns",
            turn_transport=server.transport,
        )
    )
    return candidate, protocol


async def _asked(asking: Awaitable[Any]) -> Any:
    try:
        return await asking
    except stun.TransactionFailed as error:
        code, text = error.response.attributes.get("ERROR-CODE", (UNREACHABLE, str(error)))
        raise ServerError(text, code) from error
    except stun.TransactionError as error:
        raise ServerError("the server doesn't answer") from error
    except (OSError, ConnectionError, asyncio.IncompleteReadError) as error:
        raise ServerError(f"the server can't be reached: {error}") from error


CONSENT = ConsentTimes()

STALL_SECONDS = 1.0
"""A loop that wakes up later than this has not listened meanwhile, so it can't say that nothing came."""


class Consenting(Checks):
    """Checks, and consent once a pair is selected.

    Attributes:
        consent: the times.
        presence: the status.
        asked_at: when the other side was asked last, in the loop's time.
    """

    def __init__(self, **options: object) -> None:
        super().__init__(**options)
        self.consent = CONSENT
        self.presence = Consent(self, clock=self._now)
        self.asked_at = 0.0

    @property
    def is_missing(self) -> bool:
        """Whether the other side doesn't answer."""
        return bool(self.presence.permits("look_elsewhere"))

    @property
    def is_searching(self) -> bool:
        """Whether a pair is looked for: another one too, when the one in use is silent."""
        return super().is_searching or (bool(self._nominated) and self.is_missing)

    async def query_consent(self) -> None:
        """Let the time of the status pass, until consent has expired or the connection is closed."""
        self._carry_out(self.presence.begin())
        while not self._closing and (due := self.presence.next_timeout()) is not None:
            await asyncio.sleep(due - self._now())
            now = self._now()
            if now - due > STALL_SECONDS:
                self.presence.stood_still(now - due)
            for outcome in self.presence.tick(now):
                self._carry_out(outcome)

    def draw_interval_seconds(self) -> float:
        """How long until the next question of consent."""
        return self.consent.interval_seconds * random.uniform(0.8, 1.2)  # noqa: S311 - no secret

    def _question(self) -> None:
        self.asked_at = self._now()
        pair = self.nominated_pair
        if pair is None:
            return
        try:
            # Who controls nominates once more each time, as libwebrtc does, should the first have been lost on the way.
            self._inquire(pair, partial(self._consent, pair), nominate=self.ice_controlling)
        except Exception:
            # Whatever is wrong with one question, the next may do.
            logger.exception("a question of consent could not be sent")

    def _consent(self, pair: object, message: stun.Message, address: tuple[str, int]) -> None:
        if pair is self.nominated_pair and message.message_class is stun.Class.RESPONSE:
            self._confirmed()

    def _confirmed(self) -> None:
        super()._confirmed()
        self._carry_out(self.presence.on_answer())

    def _carry_out(self, outcome: Outcome) -> None:
        """Do what the table asks for."""
        for effect in outcome.effects if isinstance(outcome, Accepted) else ():
            match effect:
                case Ask():
                    self._question()
                case TellMissing():
                    self.search()
                    self.consented(False)
                case TellBack():
                    self.search()
                    self.consented(True)
                case TellExpired():
                    self._nominated.clear()
                    self.expired()


GOODBYE_SECONDS = 1.0
"""How long a TURN server has to say that it has freed an address; it frees it later by itself."""


def host_addresses() -> list[str]:
    """The addresses that aioice would gather on this host; it leaves out 127.0.0.1 and ::1."""
    return ice.get_host_addresses(use_ipv4=True, use_ipv6=True)


class Agent(Consenting):
    """An aioice Connection with one component; checks and consent are as in its bases.

    Args:
        servers: those to ask.
        policy: aioice's TransportPolicy.
        username, password: this side's credentials, or None for new ones.
        status: the gatherer's machine.
        timeout_seconds: how long the servers have to answer.
        loopback: whether to gather on 127.0.0.1 alone.

    Attributes:
        hosts_found: set once the host candidates are there, so that checks may begin.
    """

    def __init__(
        self,
        servers: tuple[ServerUrl, ...],
        policy: TransportPolicy,
        username: str | None,
        password: str | None,
        status: Callable[[], Gatherer],
        *,
        timeout_seconds: float,
        loopback: bool,
    ) -> None:
        super().__init__(
            ice_controlling=False, transport_policy=policy, local_username=username, local_password=password
        )
        self.hosts_found = asyncio.Event()
        self._servers = servers
        self._timeout_seconds = timeout_seconds
        self._loopback = loopback
        self._status = status
        self._asking = Tasks("gathering failed", "fsm_rtc ask an ICE server")

    @property
    def has_remote_end(self) -> bool:
        """Whether the other side said that it has no more candidates."""
        return self._remote_candidates_end

    @property
    def has_all_candidates(self) -> bool:
        """Whether neither side will find more."""
        return self._remote_candidates_end and not self._status().permits("find")

    # Gathering.

    async def gather_candidates(self) -> None:
        """Gather: host candidates at once, the servers' as they answer; return when there will be no more."""
        if self._local_candidates_start:
            return
        self._local_candidates_start = True
        for candidate in await self.get_component_candidates(component=1, addresses=self._addresses()):
            self._add(candidate)
        self._local_candidates_end = True
        self.hosts_found.set()
        if self._closing:
            # aioice has closed the sockets that it knew then, and forgets those that it opened after.
            for protocol in self._protocols:
                protocol.transport.close()
        else:
            await self._ask_servers()

    def end_candidates(self) -> None:
        """There will be no more of this side."""
        self._check_list_maybe_fail()

    def _addresses(self) -> list[str]:
        if self._transport_policy is TransportPolicy.RELAY:
            return []
        return ["127.0.0.1"] if self._loopback else host_addresses()

    async def _ask_servers(self) -> None:
        sockets = [
            protocol for protocol in self._protocols if ipaddress.ip_address(protocol.local_candidate.host).version == 4
        ]
        for server in self._servers:
            if not server.is_supported:
                self.failed(server, None, ServerError(f"{server.scheme} over {server.transport} is not supported"))
            elif server.scheme == "stun":
                for protocol in sockets:
                    self._ask(partial(self._reflect, protocol, server), server, protocol.local_candidate)
            else:
                self._ask(partial(self._relay, server), server, None)
        with suppress(TimeoutError):
            async with asyncio.timeout(self._timeout_seconds):
                await self._asking.wait()
        self._asking.cancel()
        await self._asking.wait()

    def _ask(self, asking: Callable[[], Awaitable[None]], server: ServerUrl, host: Candidate | None) -> None:
        async def ask() -> None:
            try:
                await asking()
            except ServerError as error:
                self.failed(server, host, error)
            except asyncio.CancelledError:
                if not self._closing:
                    self.failed(server, host, ServerError(f"no answer within {self._timeout_seconds:g} s"))
                raise

        self._asking.spawn(ask())

    async def _reflect(self, protocol: Any, server: ServerUrl) -> None:
        self._add(await reflexive_candidate(protocol, server))

    async def _relay(self, server: ServerUrl) -> None:
        hide = self._transport_policy is TransportPolicy.RELAY
        candidate, protocol = await relayed_candidate(self, server, hide_related_address=hide)
        if self._closing:
            await protocol.close()
            return
        self._protocols.append(protocol)
        self._add(candidate)
        for remote in self._remote_candidates:
            self._pair_remote_candidate(remote)

    def _add(self, candidate: Candidate) -> None:
        is_known = any((one.host, one.port) == (candidate.host, candidate.port) for one in self._local_candidates)
        if not is_known and not self._closing:
            self._local_candidates.append(candidate)
            self.found(candidate)

    def _remote_candidates_expected(self) -> bool:
        """Whether more pairs may come, so that nothing has failed yet: of either side's candidates."""
        return bool(self._status().permits("find")) or super()._remote_candidates_expected()

    # Data, and the end.

    def data_received(self, data: bytes, component: int) -> None:
        self.heard_at = self._now()
        self.received(data)

    async def close(self) -> None:
        """Close every socket, and wait until nothing is left."""
        # First of all: what is being opened or asked now sees it, and closes itself.
        self._closing = True
        if not self._status().is_final:
            self._status().close()
        self.hosts_found.set()
        self._asking.cancel()
        await self._asking.wait()
        closing = asyncio.ensure_future(super().close())
        _, late = await asyncio.wait({closing}, timeout=GOODBYE_SECONDS)
        for protocol in self._protocols if late else ():
            abandon_relay(protocol.transport)
        await closing
