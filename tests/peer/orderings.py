"""Two peers under any order of operations: each is begun, cancelled, overtaken, duplicated or lost as it is drawn.

What must hold at the end is stated in `World.check`.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from fsm_rtc.engine import Entry, Journal
from fsm_rtc.errors import FsmRtcError
from fsm_rtc.peer import IceCandidate, PeerConnection, SessionDescription
from tests.peer.peers import connected, turns

Message = SessionDescription | IceCandidate | None
Make = Callable[[str, Journal], PeerConnection]

OBSERVED = ("gathering", "ice", "dtls", "sctp")


@dataclass(frozen=True)
class Move:
    """One thing that happens.

    Attributes:
        kind: what.
        side: to which peer, 0 or 1.
        number: of which message or task, modulo how many there are.
        turns: how many turns of the loop go by before the next move; None to wait until everything begun is done.
    """

    kind: str
    side: int
    number: int
    turns: int | None


KINDS = [
    *["local", "deliver", "deliver"] * 4,
    *["duplicate", "lose", "cancel", "create", "apply created", "rollback", "channel", "media", "say", "close"],
]
MOVES = st.lists(
    st.builds(
        Move,
        st.sampled_from(KINDS),
        st.integers(0, 1),
        st.integers(0, 7),
        st.none() | st.integers(0, 4),
    ),
    max_size=25,
)
"""Orderings in which an exchange is often completed, and rarely undisturbed."""

UNDISTURBED = [Move("local", 0, 0, None), Move("deliver", 1, 0, None), Move("local", 1, 0, None)]
FINISHED = [*UNDISTURBED, Move("deliver", 0, 0, None)]
BEGINNINGS = st.sampled_from([[], UNDISTURBED, FINISHED])
"""Where the drawn moves begin: at nothing, within an exchange, or behind it."""


class World:
    """Two peers, what is on its way to each, and what was begun."""

    def __init__(self, make: Make) -> None:
        self.journal = Journal()
        self.peers = [make(label, self.journal) for label in ("one", "other")]
        self.peers[0].create_data_channel("chat")
        self.peers[1].add_transceiver("audio")
        self.inbox: tuple[list[Message], list[Message]] = ([], [])
        self.created: list[SessionDescription | None] = [None, None]
        self.begun: list[asyncio.Task[None]] = []
        self.cancelled: set[asyncio.Task[None]] = set()
        self.lost: list[dict[str, Any]] = []

    async def play(self, moves: list[Move]) -> None:
        """Do the moves, finish what was begun, check, close, check again."""
        asyncio.get_running_loop().set_exception_handler(lambda _, context: self.lost.append(context))
        for move in moves:
            self._do(move)
            await (self._finish() if move.turns is None else turns(move.turns))
        await self._finish()
        await self._check_connects()
        await asyncio.gather(*(peer.close() for peer in self.peers))
        await self._check()

    def _do(self, move: Move) -> None:
        peer, inbox = self.peers[move.side], self.inbox[move.side]
        match move.kind:
            case "local":
                self._begin(self._local(move.side))
            case "deliver" | "duplicate" if inbox:
                place = move.number % len(inbox)
                self._begin(self._remote(peer, inbox[place] if move.kind == "duplicate" else inbox.pop(place)))
            case "lose" if inbox:
                inbox.pop(move.number % len(inbox))
            case "cancel" if self.begun:
                task = self.begun[move.number % len(self.begun)]
                if task.cancel():
                    self.cancelled.add(task)
            case "create":
                self._begin(self._create(move.side))
            case "apply created":
                self._begin(peer.set_local_description(self.created[move.side]))
            case "rollback":
                self._begin(peer.set_local_description(SessionDescription("rollback")))
            case "channel" | "media" | "say" if peer.signaling_state != "closed":
                self._do_now(peer, move.kind)
            case "close":
                self._begin(peer.close())

    def _do_now(self, peer: PeerConnection, kind: str) -> None:
        if kind == "channel":
            peer.create_data_channel("more")
        elif kind == "media":
            peer.add_transceiver("video")
        else:
            for channel in peer.data_channels:
                if channel.ready_state == "open":
                    channel.send("hello")

    def _begin(self, operation: Any) -> None:
        self.begun.append(asyncio.ensure_future(operation))

    async def _local(self, side: int) -> None:
        peer = self.peers[side]
        await peer.set_local_description()
        if peer.local_description is not None:
            self.inbox[1 - side].append(peer.local_description)
            self.inbox[1 - side].extend([*peer.local_candidates, None])

    async def _create(self, side: int) -> None:
        peer = self.peers[side]
        stands = peer.signaling_state
        self.created[side] = await (peer.create_answer() if stands == "have-remote-offer" else peer.create_offer())

    async def _remote(self, peer: PeerConnection, message: Message) -> None:
        if isinstance(message, SessionDescription):
            await peer.set_remote_description(message)
        else:
            await peer.add_ice_candidate(message)

    async def _finish(self) -> None:
        async with asyncio.timeout(20):
            await asyncio.gather(*self.begun, return_exceptions=True)

    async def _check_connects(self) -> None:
        """Two that have completed an exchange connect."""
        if all(peer.signaling_state == "stable" and peer.remote_description is not None for peer in self.peers):
            await connected(*self.peers)

    async def _check(self) -> None:
        for task in self.begun:
            if task.cancelled():
                assert task in self.cancelled
            elif (error := task.exception()) is not None:
                assert isinstance(error, FsmRtcError), f"an error of the library came out: {error!r}"
        self._check_journal()
        for peer in self.peers:
            assert (peer.signaling_state, peer.connection_state, peer.ice_connection_state) == ("closed",) * 3
            assert {channel.ready_state.value for channel in peer.data_channels} <= {"closed"}
        await self._check_tasks()
        self.begun.clear()
        gc.collect()
        assert self.lost == []

    async def _check_tasks(self) -> None:
        """The library may take some more turns to end its own; nothing stays."""
        here = asyncio.current_task()
        async with asyncio.timeout(60):
            while rest := [task for task in asyncio.all_tasks() if task is not here]:
                await asyncio.wait(rest)

    def _check_journal(self) -> None:
        """Each machine goes on from where it was, and no report of the library surprised one."""
        stands: dict[str, str] = {}
        for record in self.journal:
            if not isinstance(record, Entry):
                stands[record.label] = record.state
                continue
            assert record.source == stands[record.label]
            stands[record.label] = record.target
            if record.label.split(".")[1] in OBSERVED:
                assert record.accepted or record.reason == "already there", record
                assert record.trigger != "on_desync", record
