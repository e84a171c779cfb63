"""WaitingMembers: who is in the room, and waits while this side is in a call with somebody else."""

from __future__ import annotations

from collections.abc import Callable

from fsm_rtc.connection.exchange.context import ExchangeContext
from fsm_rtc.connection.exchange.outgoing import OutgoingMessages
from fsm_rtc.driver import Driver
from fsm_rtc.engine.clock import Clock
from fsm_rtc.machines.busy_signal import BusySignal, TellEverybody, TellOne
from fsm_rtc.messages import Introduction, Member
from fsm_rtc.peer.machine_set import MachineSet

__all__ = ["WaitingMembers"]

MAX_MEMBERS = 64
"""How many who joined are remembered while a call goes on; a room has fewer."""


class WaitingMembers:
    """See the module.

    Args:
        me: this side.
        machines: makes the machine.
        clock: seconds.
        peer: who is called at present, or None.
        send: sends a message.
    """

    def __init__(
        self,
        me: Member,
        machines: MachineSet,
        clock: Clock,
        peer: Callable[[], Introduction | None],
        send: Callable[[str], None],
    ) -> None:
        self._me = me
        self._machines = machines
        self._peer = peer
        self._send = send
        self._members: dict[str, Introduction] = {}
        self._driver = Driver(clock=clock)
        self.machine = machines.make(BusySignal, "busy_signal", self, clock=self._driver.clock)
        self._driver.add(self.machine, {TellOne: self._tell_one, TellEverybody: lambda _: self._tell_everybody()})

    @property
    def members(self) -> tuple[Introduction, ...]:
        """Who is there, the peer too."""
        return tuple(self._members.values())

    @property
    def others(self) -> tuple[Introduction, ...]:
        """Who is there besides the peer."""
        peer = self._peer()
        return tuple(one for one in self._members.values() if peer is None or one.id != peer.id)

    @property
    def somebody_waits(self) -> bool:
        """Whether somebody is there besides the peer."""
        return bool(self.others)

    def has(self, member: Introduction) -> bool:
        """Whether this very session of it is there, as far as the signalling says."""
        present = self._members.get(member.id)
        return present is not None and present.who == member.who

    def add(self, member: Introduction) -> None:
        """It is there."""
        self._members[member.id] = member
        if len(self._members) > MAX_MEMBERS:
            del self._members[next(iter(self._members))]

    def remove(self, who: str, session: str) -> None:
        """It is gone."""
        if who in self._members and self._members[who].session == session:
            del self._members[who]

    def clear(self) -> None:
        """Nobody is there, as far as one knows."""
        self._members.clear()

    def tell(self, *members: Introduction) -> None:
        """Let these know that there is a call with somebody else."""
        for member in members:
            self._driver.fire(self.machine.on_waiting, member)

    def call_over(self) -> None:
        """Nobody waits any more."""
        self._driver.fire(self.machine.on_call_over)

    def close(self) -> None:
        """Tell nobody any more."""
        self._driver.fire(self.machine.close)

    def _tell_everybody(self) -> None:
        for member in self.others:
            self._tell(member)

    def _tell_one(self, request: TellOne) -> None:
        if isinstance(request.member, Introduction):
            self._tell(request.member)

    def _tell(self, member: Introduction) -> None:
        memory = ExchangeContext(self._me, self._machines, "nobody")
        memory.peer = member
        self._send(OutgoingMessages(self._me, memory).busy())
