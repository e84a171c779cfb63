"""A WebRTC stack in memory, written from the text of webrtc-pc by hand, without any table of this project: the check of
the oracle. `fault` makes one mistake in it; `tests.conformance.faults` lists them.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from itertools import count
from typing import Any

from fsm_rtc.conformance.adapters.base import AdaptedPeer, Happened, Stack
from fsm_rtc.conformance.protocol import StackCandidate, StackDescription, States
from fsm_rtc.errors import InvalidAccessError, InvalidModificationError, InvalidStateError, OperationError
from tests.conformance.memory_channel import MemoryChannel
from tests.conformance.memory_sdp import FIRST_PASSWORD, is_sdp, mids_of, password_of, sections_of, ufrag_of, written

__all__ = ["MemoryPeer", "MemoryStack"]

NUMBERS = count(1)
CANDIDATE = re.compile(r"candidate:\S+ \d+ \w+ \d+ \S+ \d+ typ \w+")


class MemoryStack(Stack):
    """The library; its connections find each other by their user fragments.

    Args:
        fault: the mistake it makes, or empty.
    """

    name = "memory"
    version = "1"

    def __init__(self, fault: str = "") -> None:
        self.fault = fault
        self.peers: dict[str, MemoryPeer] = {}

    def new(self, happened: Happened) -> MemoryPeer:
        return MemoryPeer(self, happened)

    async def rest(self, peers: Sequence[AdaptedPeer]) -> None:
        for _ in range(20):
            await asyncio.sleep(0)


class MemoryPeer(AdaptedPeer):
    """One connection."""

    def __init__(self, stack: MemoryStack, happened: Happened) -> None:
        self.stack, self.fire = stack, happened
        self.ufrag = f"memory{next(NUMBERS)}"
        stack.peers[self.ufrag] = self
        self.is_closed = False
        self.signaling, self.gathering, self.ice_connection, self.connection = "stable", "new", "new", "new"
        self.ice, self.dtls, self.sctp = "", "", ""
        self.slots: dict[str, StackDescription | None] = dict.fromkeys(("cl", "pl", "cr", "pr"))
        self.last_offer = self.last_answer = ""
        self.version = 0
        self.channels: dict[str, MemoryChannel] = {}
        self.has_made_channels = False
        self.transceivers = 0
        self.of_the_peer = 0
        self.needs = False
        self.password, self.passwords_to_replace = FIRST_PASSWORD, set[str]()
        self.operations: list[tuple[Callable[[], Coroutine[Any, Any, Any]], asyncio.Future[Any]]] = []
        self.tasks: set[asyncio.Task[Any]] = set()
        self.other: MemoryPeer | None = None

    def has(self, fault: str) -> bool:
        return self.stack.fault == fault

    def states(self) -> States:
        kind = {name: one.type if one is not None else None for name, one in self.slots.items()}
        used = bool(self.ice)
        return States(
            signalingState=self.signaling,
            iceGatheringState=self.gathering,
            iceConnectionState=self.ice_connection,
            connectionState=self.connection,
            currentLocalDescription=kind["cl"],
            pendingLocalDescription=kind["pl"],
            currentRemoteDescription=kind["cr"],
            pendingRemoteDescription=kind["pr"],
            ice=(self.ice,) if used else (),
            dtls=(self.dtls,) if used else (),
            sctp=self.sctp or None,
            channels={label: channel.state for label, channel in self.channels.items()},
        )

    def local_description(self) -> StackDescription | None:
        local = self.slots["pl"] or self.slots["cl"]
        return (
            StackDescription(local.type, local.sdp + "a=candidate:1 1 UDP 1 127.0.0.1 9 typ host\r\n")
            if local
            else None
        )

    @property
    def remote(self) -> StackDescription | None:
        return self.slots["pr"] or self.slots["cr"]

    # The operations chain.

    def chain(self, steps: Callable[[], Coroutine[Any, Any, Any]]) -> Awaitable[Any]:
        promise: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self.is_closed or (self.operations and self.has("no chain")):
            promise.set_exception(InvalidStateError("closed"))
            return promise
        self.operations.append((steps, promise))
        if len(self.operations) == 1:
            self.later(self.work())
        return promise

    async def work(self) -> None:
        while self.operations:
            steps, promise = self.operations[0]
            await asyncio.sleep(0)
            if self.is_over():
                return
            value = error = None
            try:
                value = await steps()
            except Exception as raised:
                error = raised
            if self.is_over():
                return
            if error is not None:
                promise.set_exception(error)
            else:
                promise.set_result(value)
            self.operations.pop(0)
        self.update_need()

    def is_over(self) -> bool:
        return self.is_closed

    def later(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    # Negotiation.

    def create_offer(self) -> Any:
        return self.chain(self.make_offer)

    async def make_offer(self) -> StackDescription:
        if self.signaling not in ("stable", "have-local-offer"):
            raise InvalidStateError(self.signaling)
        if self.signaling == "have-local-offer" and self.has("no offer in have-local-offer"):
            raise InvalidStateError(self.signaling)
        agreed = sections_of(self.slots["cl"].sdp) if self.slots["cl"] else []
        sections = list(agreed)
        if self.has_made_channels and "application" not in sections:
            sections.append("application")
        media = sum(one != "application" for one in agreed) - self.of_the_peer
        sections += ["audio"] * (self.transceivers - media)
        self.version += 1
        if self.password in self.passwords_to_replace:
            self.password = f"{int(self.password) + 1:022}"
        self.last_offer = written(sections, self.ufrag, self.version, "actpass", self.password)
        return StackDescription("offer", self.last_offer)

    def create_answer(self) -> Any:
        return self.chain(self.make_answer)

    async def make_answer(self) -> StackDescription:
        if self.signaling == "stable" and self.has("missing error"):
            return StackDescription("answer", written(["application"], self.ufrag, 1, "active"))
        if self.signaling not in ("have-remote-offer", "have-local-pranswer"):
            raise OperationError("") if self.has("wrong error") else InvalidStateError(self.signaling)
        if self.signaling == "have-local-pranswer" and self.has("hang"):
            await asyncio.get_running_loop().create_future()
        assert self.remote is not None
        self.version += 1
        self.last_answer = written(sections_of(self.remote.sdp), self.ufrag, self.version, "active", self.password)
        return StackDescription("answer", self.last_answer)

    def set_local_description(self, description: StackDescription | None) -> Any:
        return self.chain(lambda: self.set_local(description))

    async def set_local(self, description: StackDescription | None) -> None:
        offers = self.signaling in ("stable", "have-local-offer", "have-remote-pranswer")
        kind = description.type if description else "offer" if offers else "answer"
        sdp = description.sdp if description else ""
        if kind != "rollback":
            last = self.last_offer if kind == "offer" else self.last_answer
            if sdp and sdp != last and not self.has("munged accepted"):
                raise InvalidModificationError(kind)
            if not sdp or sdp != last:
                sdp = last or (await (self.make_offer() if kind == "offer" else self.make_answer())).sdp
        await self.apply("l", kind, sdp)

    def set_remote_description(self, description: StackDescription) -> Any:
        return self.chain(lambda: self.set_remote(description))

    async def set_remote(self, description: StackDescription) -> None:
        if description.type == "offer" and self.signaling not in ("stable", "have-remote-offer"):
            await self.apply("l", "rollback", "", quiet=self.has("one event at an implicit rollback"))
        await self.apply("r", description.type, description.sdp)

    async def apply(self, side: str, kind: str, sdp: str, *, quiet: bool = False) -> None:
        before = self.signaling
        if kind == "rollback":
            if before in ("stable", "have-local-pranswer", "have-remote-pranswer"):
                raise InvalidStateError(before)
            if self.has("rollback ignored"):
                return
            self.slots["pr"] = None
            if not self.has("slot kept"):
                self.slots["pl"] = None
            await self.move("stable", quiet=quiet)
            return
        own, others = ("local", "remote") if side == "l" else ("remote", "local")
        of_offers, of_answers = ("stable", f"have-{own}-offer"), (f"have-{others}-offer", f"have-{own}-pranswer")
        if before not in (of_offers if kind == "offer" else of_answers):
            raise InvalidStateError(before)
        if not is_sdp(sdp):
            raise OperationError("sdp-syntax-error")
        if "a=fingerprint" not in sdp:
            raise InvalidAccessError("fingerprint")
        await asyncio.sleep(0)
        if self.is_closed:
            return
        if kind == "answer":
            self.agree(side, sdp)
        else:
            self.slots[f"p{side}"] = StackDescription(kind, sdp)
        target = "stable" if kind == "answer" else f"have-{own}-{kind}"
        if self.has("wrong target") and kind == "pranswer" and side == "r":
            target = "stable"
        await self.move(target, cause=f"{own} {kind}")
        self.use_transports(side)

    def agree(self, side: str, sdp: str) -> None:
        other = "r" if side == "l" else "l"
        if side == "l":
            before = sections_of(self.slots["cl"].sdp) if self.slots["cl"] else []
            added = sections_of(sdp)[len(before) :]
            self.of_the_peer += sum(section != "application" for section in added)
        self.slots[f"c{side}"], self.slots[f"c{other}"] = StackDescription("answer", sdp), self.slots[f"p{other}"]
        self.slots["pl"] = self.slots["pr"] = None
        self.last_offer = self.last_answer = ""
        local = self.slots["cl"]
        if local is not None and password_of(local.sdp) not in self.passwords_to_replace:
            self.passwords_to_replace.clear()

    async def move(self, target: str, *, quiet: bool = False, cause: str = "") -> None:
        changed, self.signaling = self.signaling != target, target
        if changed and target == "stable":
            self.needs = False
        if not changed or quiet or (cause == "remote answer" and self.has("lost event")):
            return
        if cause == "remote offer" and self.has("event order"):
            asyncio.get_running_loop().call_later(0, lambda: asyncio.get_running_loop().call_soon(self.tell_signaling))
            return
        self.tell_signaling()
        if target == "have-local-offer" and self.has("event twice"):
            self.tell_signaling()

    def tell_signaling(self) -> None:
        self.fire("signalingstatechange")

    # The negotiation-needed flag.

    def update_need(self) -> None:
        asyncio.get_running_loop().call_soon(self.look_at_need)

    def look_at_need(self) -> None:
        if self.is_closed or self.operations or self.signaling != "stable":
            return
        if not self.is_needed():
            self.needs = False
        elif not self.needs or self.has("need twice"):
            self.needs = True
            self.fire("negotiationneeded")

    def is_needed(self) -> bool:
        agreed = sections_of(self.slots["cl"].sdp) if self.slots["cl"] else []
        media = sum(one != "application" for one in agreed) - self.of_the_peer
        lacks_media = self.transceivers > media and not self.has("need lost")
        return (
            bool(self.passwords_to_replace) or (self.has_made_channels and "application" not in agreed) or lacks_media
        )

    # The other methods.

    def add_ice_candidate(self, candidate: StackCandidate) -> Any:
        if candidate.candidate and candidate.sdpMid is None and candidate.sdpMLineIndex is None:
            raise_later = asyncio.get_running_loop().create_future()
            raise_later.set_exception(TypeError("sdpMid or sdpMLineIndex"))
            return raise_later
        return self.chain(lambda: self.add(candidate))

    async def add(self, candidate: StackCandidate) -> None:
        if self.remote is None:
            if self.has("early candidate"):
                return
            raise InvalidStateError("no remote description")
        mids = mids_of(self.remote.sdp)
        if candidate.sdpMid is not None:
            if candidate.sdpMid not in mids:
                raise OperationError("mid")
        elif candidate.sdpMLineIndex is not None and candidate.sdpMLineIndex >= len(mids):
            raise OperationError("index")
        if candidate.usernameFragment not in (None, ufrag_of(self.remote.sdp)):
            raise OperationError("fragment")
        if candidate.candidate and not CANDIDATE.match(candidate.candidate):
            raise OperationError("syntax")

    def create_data_channel(self, label: str) -> Any:
        if self.is_closed:
            if self.has("accepts after close"):
                return None
            if self.has("thrown late"):
                late = asyncio.get_running_loop().create_future()
                late.set_exception(InvalidStateError("closed"))
                return late
            raise InvalidStateError("closed")
        self.channels[label] = MemoryChannel(self, label)
        self.has_made_channels = True
        if self.sctp == "connected":
            self.later(self.open_channels())
        self.update_need()
        return None

    def add_transceiver(self, kind: str) -> None:
        if self.is_closed:
            raise InvalidStateError("closed")
        self.transceivers += 1
        self.update_need()

    def restart_ice(self) -> None:
        described = (self.slots[name] for name in ("cl", "pl"))
        self.passwords_to_replace = {password_of(one.sdp) for one in described if one is not None}
        self.update_need()

    def close(self) -> None:
        if self.is_closed:
            return
        self.is_closed = True
        self.signaling = self.ice_connection = "closed"
        if not self.has("state kept after close"):
            self.connection = "closed"
        if self.ice:
            self.ice = self.dtls = "closed"
        self.sctp = self.sctp and "closed"
        if not self.has("channel kept after close"):
            for channel in self.channels.values():
                channel.state = "closed"
        if self.has("event at close"):
            self.fire("signalingstatechange")
        if self.other is not None and not self.other.is_closed:
            self.other.later(self.other.lost())

    # Transports.

    def use_transports(self, side: str) -> None:
        if not self.ice:
            self.ice, self.dtls, self.sctp = "new", "new", "connecting"
        if side == "l" and self.gathering == "new":
            self.later(self.gather())
        remote = self.remote
        other = self.stack.peers.get(ufrag_of(remote.sdp)) if remote is not None else None
        if self.signaling != "stable" or self.other is not None:
            return
        if other is None:
            if remote is not None and "a=candidate" in remote.sdp:
                self.ice = "checking"
                self.aggregate()
            return
        if other.remote is not None and ufrag_of(other.remote.sdp) == self.ufrag:
            self.other, other.other = other, self
            is_genuine = other.ufrag in remote.sdp.partition("a=fingerprint")[2] if remote is not None else False
            self.later(self.connect(is_genuine=is_genuine))
            other.later(other.connect(is_genuine=is_genuine))

    async def gather(self) -> None:
        self.gathering = "gathering"
        self.fire("icegatheringstatechange")
        await asyncio.sleep(0)
        if not self.is_closed:
            self.fire("icecandidate", candidate=StackCandidate("candidate:1 1 UDP 1 127.0.0.1 9 typ host", "0", 0))
            self.gathering = "complete"
            self.fire("icegatheringstatechange")
            self.fire("icecandidate")

    async def connect(self, *, is_genuine: bool) -> None:
        for ice, dtls in (("checking", "new"), ("connected", "new"), ("connected", "connecting"), ("connected", "")):
            await asyncio.sleep(0)
            if self.is_closed:
                return
            self.ice, self.dtls = ice, dtls or ("connected" if is_genuine else "failed")
            self.aggregate()
        if is_genuine:
            self.sctp = "connected"
            await self.open_channels()

    def aggregate(self) -> None:
        connection = "connected" if self.dtls == "connected" else "failed" if self.dtls == "failed" else "connecting"
        ice = "completed" if self.ice == "connected" and self.has("wrong derivation") else self.ice
        if ice != self.ice_connection:
            self.ice_connection = ice
            self.fire("iceconnectionstatechange")
        if connection != self.connection:
            self.connection = connection
            self.fire("connectionstatechange")

    async def open_channels(self) -> None:
        await asyncio.sleep(0)
        for channel in tuple(self.channels.values()):
            channel.open()

    async def lost(self) -> None:
        """The other side has closed its connection."""
        await asyncio.sleep(0)
        if self.is_closed:
            return
        if self.has("closes with the other side"):
            self.close()
            return
        self.dtls, self.sctp = "closed", "closed"
        for channel in tuple(self.channels.values()):
            channel.closed()

    # Channels.

    def send(self, label: str, data: str) -> None:
        self.channels[label].send(data)

    def close_channel(self, label: str) -> None:
        self.channels[label].close()
