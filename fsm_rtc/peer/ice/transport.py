"""RTCIceTransport: one path to the other side, which may be replaced while it is in use.

Theory. DTLS takes datagrams by `_recv` and gives them by `_send`. Both outlive an ICE restart: the old agent carries
what is sent until the new one has found its path, and whatever either receives goes into one queue. A transport that
has failed keeps DTLS waiting, so that a restart can rescue it.

What holds:

- What is sent goes through one agent, `_active`; it is replaced once the other side is known to use the new path, or
  once the old one doesn't answer any more.
- An agent that was replaced receives for `OUTLIVES_SECONDS` more: what was under way to it arrives within this time.
- What an agent tells counts only while it is the active one, or the one of the present generation.
- Which state follows is the table's; here are the facts that its guards read, and the events.

Source: RFC 8445, section 9; webrtc-pc, #rtcicetransport.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import aiortc
from aiortc.exceptions import InvalidStateError
from aiortc.rtcicetransport import RTCIceParameters, candidate_from_aioice, candidate_to_aioice

from fsm_rtc.machines.ice import Ice, Ways
from fsm_rtc.peer.closing import Tasks
from fsm_rtc.peer.forwarding import Forwarded
from fsm_rtc.peer.ice.agent import Agent
from fsm_rtc.peer.ice.gatherer import IceGatherer, PlainAgent

AnyAgent = Agent | PlainAgent

OUTLIVES_SECONDS = 2.0
"""How long an agent is kept after another one has taken its place: what was sent to it arrives within this time."""


@dataclass(frozen=True, slots=True)
class IceCandidatePair:
    """RTCIceCandidatePair.

    Attributes:
        local: this side's RTCIceCandidate, aiortc's.
        remote: the other side's.
    """

    local: Any
    remote: Any


class IceTransport(aiortc.RTCIceTransport):
    """One way to the other side. Events: ``statechange``, ``gatheringstatechange``, ``selectedcandidatepairchange``.

    Args:
        gatherer: of this side's candidates.
        make: makes its machine, given its context, which is the transport.

    Attributes:
        machine: its state; it tells it what happens, and is its context.
        component: ``rtp``; RTCP shares it.
        selectedCandidatePairChanges: how often a pair was selected.
    """

    component = "rtp"

    def __init__(self, gatherer: IceGatherer, make: Callable[[Ways], Ice] = Ice) -> None:
        super().__init__(gatherer)
        self._gatherer = gatherer
        self.machine = make(self)
        self._inbox: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._agents: list[AnyAgent] = []
        self._active: AnyAgent | None = None
        self._remote: RTCIceParameters | None = None
        self._settled = asyncio.Event()
        self._over = asyncio.Event()
        self._closings = Tasks("an ICE agent could not be closed", "fsm_rtc close ICE agent")
        self._role_set = False
        self.selectedCandidatePairChanges = 0
        # aiortc's DTLS reads and writes by these two attributes.
        self._recv = self._receive
        self._send = self._transmit
        self._use(gatherer)

    iceGatherer = Forwarded[IceGatherer]("_gatherer")
    """Of this side's present candidates."""

    state = Forwarded[str]("machine.state.value")
    """RTCIceTransportState."""

    def close(self) -> None:
        """Count as closed from now on, whatever has still to be done."""
        if not self.machine.is_final:
            self.machine.fire("close")

    gatheringState = Forwarded[str]("_gatherer.gathering_state")
    """RTCIceGathererState."""

    def getLocalCandidates(self) -> list[Any]:
        """This side's candidates, as aiortc's RTCIceCandidates."""
        return self._gatherer.getLocalCandidates()

    def getLocalParameters(self) -> RTCIceParameters | None:
        """This side's credentials."""
        return self._gatherer.getLocalParameters()

    def getRemoteParameters(self) -> RTCIceParameters | None:
        """The other side's credentials, or None."""
        return self._remote

    def getSelectedCandidatePair(self) -> IceCandidatePair | None:
        """The pair that is in use, or None."""
        pair = self._active.nominated_pair if self._active is not None else None
        if pair is None:
            return None
        return IceCandidatePair(
            candidate_from_aioice(pair.local_candidate), candidate_from_aioice(pair.remote_candidate)
        )

    async def addRemoteCandidate(self, candidate: Any) -> None:
        """Use a candidate of the other side, of the present generation; None if there are no more."""
        agent = self._gatherer.agent
        if self._over.is_set() or agent.has_remote_end:
            return
        if candidate is None:
            await agent.add_remote_candidate(None)
            self._progress(agent)
        else:
            await agent.add_remote_candidate(candidate_to_aioice(candidate))
            if agent is self._gatherer.agent and self.has_remote_candidate:
                self._step("on_remote_candidate")

    async def start(self, remoteParameters: RTCIceParameters) -> None:
        """Look for a way to the other side; return when there is one, or none.

        Raises:
            InvalidStateError: the transport is closed.
        """
        if self._over.is_set():
            raise InvalidStateError("RTCIceTransport is closed")
        if self._remote is not None:
            await self._settled.wait()
            return
        await self._look(self._gatherer, remoteParameters)

    def prepare(self, gatherer: IceGatherer) -> None:
        """Give the gatherer for a restart this side's role, before the other side's checks can come. Once is enough."""
        before, agent = self._gatherer.agent, gatherer.agent
        if agent.generation == 0:
            agent.generation = before.generation + 1
            agent.ice_controlling = before.ice_controlling

    async def restart(self, gatherer: IceGatherer, remoteParameters: RTCIceParameters) -> None:
        """Look for another way, with new credentials on both sides; the present one is used until it is found.

        Raises:
            InvalidStateError: the transport is closed.
        """
        if self._over.is_set():
            raise InvalidStateError("RTCIceTransport is closed")
        before = self._gatherer
        self.prepare(gatherer)
        self._gatherer = gatherer
        self._connection = gatherer.agent
        # Two restarts in a row: what was never used is closed; the active agent carries what is sent until a path is
        # found.
        if before.agent is not self._active:
            self._agents.remove(before.agent)
            self._closings.spawn(before.stop())
        self._use(gatherer)
        await self._look(gatherer, remoteParameters)

    async def _look(self, gatherer: IceGatherer, remote: RTCIceParameters) -> None:
        agent = gatherer.agent
        self._settled.clear()
        self._remote = remote
        agent.remote_is_lite = remote.iceLite
        if remote.iceLite:
            # Source: RFC 8445, section 6.1.1: the full one controls.
            agent.ice_controlling = True
        agent.remote_username = remote.usernameFragment
        agent.remote_password = remote.password
        self._step("begin_checks")
        try:
            await agent.connect()
        except ConnectionError:
            if gatherer is self._gatherer:
                self._found_nothing()
        else:
            self._consider(agent)
            if gatherer is self._gatherer:
                await self._settled.wait()

    def _use(self, gatherer: IceGatherer) -> None:
        agent = gatherer.agent
        self._agents.append(agent)
        agent.received = self._inbox.put_nowait
        agent.heard = lambda: self._consider(agent)
        agent.selected = lambda: self._selected(agent)
        agent.exhausted = lambda is_exhausted: self._exhausted(agent, is_exhausted)
        agent.consented = lambda is_alive: self._consented(agent, is_alive)
        agent.expired = lambda: self._expired(agent)
        gatherer.on("statechange", lambda: self._gathered(gatherer))

    # What the machine's guards read.

    @property
    def has_remote_candidate(self) -> bool:
        """Whether there is a candidate of the other side, of the present generation."""
        return bool(self._gatherer.agent.remote_candidates)

    @property
    def is_looking(self) -> bool:
        """Whether a way, or another one, is looked for."""
        return self._remote is not None and not self._settled.is_set()

    @property
    def has_pair(self) -> bool:
        """Whether a pair is in use to which may be sent."""
        return self._active is not None and self._active.is_connected

    @property
    def is_carried(self) -> bool:
        """Whether a pair is in use whose other side answers."""
        return self._active is not None and self._active.is_connected and not self._active.is_missing

    @property
    def has_all_candidates(self) -> bool:
        """Whether neither side will find more."""
        return self._active is not None and self._active.has_all_candidates

    # What the agents tell.

    def _consider(self, agent: AnyAgent) -> None:
        """Use another way once it is known that the other side uses it too.

        A peer that restarts ICE answers checks before it has this side's answer, or without ever getting it, and uses
        its old pair meanwhile; its own check with the new credentials shows that it has the answer.
        """
        if agent is not self._gatherer.agent or agent is self._active or self._over.is_set():
            return
        is_known = agent.requests > 0 or agent.remote_is_lite
        if agent.is_connected and (is_known or not self.is_carried):
            self._switch(agent)

    def _switch(self, agent: AnyAgent) -> None:
        """The agent has found a way: use it, and close the one before when nothing can be on its way to it any more."""
        self._step("on_new_pair")
        if not self.machine.permits("on_pair_selected"):
            return  # it has failed, or is closed: a restart may rescue it
        before, self._active = self._active, agent
        self._settled.set()
        self._selected(agent)
        if before is not None:
            self._closings.spawn(self._outlive(before))
        self._step("on_pair_selected")
        asyncio.get_running_loop().call_soon(self._progress, agent)

    def _selected(self, agent: AnyAgent) -> None:
        if agent is self._active:
            self.selectedCandidatePairChanges += 1
            self.emit("selectedcandidatepairchange")

    def _found_nothing(self) -> None:
        """No way, or no other one: then the present one serves as long as the other side answers on it."""
        self._settled.set()
        self._step("on_nothing_found")

    def _progress(self, agent: AnyAgent) -> None:
        """It may be that nothing better can be found any more."""
        if agent is self._active:
            self._step("on_checks_progress")

    def _gathered(self, gatherer: IceGatherer) -> None:
        if gatherer is self._gatherer:
            self.emit("gatheringstatechange")
            self._progress(gatherer.agent)

    def _exhausted(self, agent: AnyAgent, is_exhausted: bool) -> None:
        """Every pair has failed, and more may come; or one has come."""
        if agent is self._gatherer.agent:
            self._step("on_pairs_exhausted" if is_exhausted else "on_new_pair")

    def _consented(self, agent: AnyAgent, is_alive: bool) -> None:
        if agent is not self._active:
            return
        if not is_alive:
            self._step("on_unanswered")
            self._consider(self._gatherer.agent)
        else:
            self._step("on_answered")
            self._progress(agent)

    def _expired(self, agent: AnyAgent) -> None:
        if agent is self._active:
            self._step("on_consent_expired")

    # What DTLS uses.

    async def _receive(self) -> bytes:
        data = await self._inbox.get()
        if data is None:
            raise ConnectionError("the ICE transport is closed")
        return data

    async def _transmit(self, data: bytes) -> None:
        if self._active is not None and self._active.is_connected:
            await self._active.send(data)

    # The end.

    async def stop(self) -> None:
        """Close it, and wait until nothing is left."""
        if not self._over.is_set():
            self._over.set()
            self.close()
            self.emit("statechange")
            self._inbox.put_nowait(None)
            self._settled.set()
            for agent in tuple(self._agents):
                await agent.close()
            self._agents.clear()
            self._gatherer.remove_all_listeners()
            self.remove_all_listeners()
        await self._closings.wait()

    async def _outlive(self, agent: AnyAgent) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), OUTLIVES_SECONDS)
        if agent in self._agents:
            self._agents.remove(agent)
        await agent.close()

    def _step(self, trigger: str) -> None:
        if self.machine.is_final:
            return  # an agent that is still to be closed
        before = self.machine.state
        self.machine.fire(trigger)
        if self.machine.state is not before:
            self.emit("statechange")
