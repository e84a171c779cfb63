"""Two connected peers that go on negotiating as it is drawn: kinds added, offers made, taken back, crossed by either.

What must hold behind each negotiation, and at the end, is stated in `Call.check`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import strategies as st

from fsm_rtc.engine import Journal
from fsm_rtc.peer import DataChannel, PeerConnection, SessionDescription
from tests.peer.peers import announced, answer_of, connected, exchange, offer_of, opened, rejections, until

Make = Callable[[str, Journal], PeerConnection]

ROLLBACK = SessionDescription("rollback")

KINDS = ["video", "audio", "channel", "create", "offer", "take back", "glare", "explicit glare"]


@dataclass(frozen=True)
class Step:
    """One thing that a side does.

    Attributes:
        kind: what; in a glare the side is the polite one, whose offer is taken back.
        side: which peer, 0 or 1.
    """

    kind: str
    side: int


STEPS = st.lists(st.builds(Step, st.sampled_from(KINDS), st.integers(0, 1)), max_size=12)


class Call:
    """Two peers and the channel between them."""

    def __init__(self, make: Make) -> None:
        self.journal = Journal()
        self.peers = [make(label, self.journal) for label in ("one", "other")]
        self.ends: list[DataChannel] = []

    async def play(self, steps: list[Step], first: int) -> None:
        """Connect, do the steps, negotiate what is left, check, close.

        Args:
            steps: what happens once they are connected.
            first: which side makes the first offer.
        """
        offerer, answerer = self.peers[first], self.peers[1 - first]
        here = offerer.create_data_channel("chat")
        await exchange(offerer, answerer)
        await connected(*self.peers)
        await opened(here)
        self.ends = [here, await announced(answerer)]
        for step in steps:
            await self._do(step, self.peers[step.side], self.peers[1 - step.side])
        for peer, other in (self.peers, reversed(self.peers)):
            await exchange(peer, other)
        await self.check()
        assert [peer.negotiation_needed for peer in self.peers] == [False, False]
        for peer in self.peers:
            await peer.close()

    async def _do(self, step: Step, peer: PeerConnection, other: PeerConnection) -> None:
        match step.kind:
            case "video" | "audio":
                peer.add_transceiver(step.kind)
                assert peer.negotiation_needed
            case "channel":
                peer.create_data_channel("more")
            case "create":
                await peer.create_offer()
            case "offer":
                await exchange(peer, other)
                assert not peer.negotiation_needed
                await self.check()
            case "take back":
                await offer_of(peer)
                await peer.set_local_description(ROLLBACK)
                await self.check()
            case "glare" | "explicit glare":
                await offer_of(peer)
                offer = await offer_of(other)
                if step.kind == "explicit glare":
                    await peer.set_local_description(ROLLBACK)
                await other.set_remote_description(await answer_of(peer, offer))
                await self.check()

    async def check(self) -> None:
        """Both are stable on one set of sections, connected, and a message goes each way; nothing was rejected."""
        assert [peer.signaling_state.value for peer in self.peers] == ["stable"] * 2
        assert [peer.connection_state.value for peer in self.peers] == ["connected"] * 2
        one, other = (_sections(peer) for peer in self.peers)
        assert one == other
        assert len({mid for _, mid in one}) == len(one)
        for sender, receiver in (self.ends, reversed(self.ends)):
            got: list[str | bytes] = []
            stop = receiver.on("message", got.append)
            sender.send("still there?")
            await until(receiver, "message", lambda got=got: bool(got))  # type: ignore[misc]
            assert got == ["still there?"]
            stop()
        assert rejections(self.journal) == []


def _sections(peer: PeerConnection) -> list[tuple[str, str]]:
    assert peer.local_description is not None
    lines = peer.local_description.sdp.splitlines()
    kinds = [line[2:].split()[0] for line in lines if line.startswith("m=")]
    return list(zip(kinds, (line[6:] for line in lines if line.startswith("a=mid:")), strict=True))
