"""Trial: one sequence of operations on one connection of a stack, beside the model of it.

Every operation can be done in every state (`Arguments`). A step is one operation, or several that begin in one turn.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from fsm_rtc.conformance.adapter import Adapter
from fsm_rtc.conformance.arguments import DATA, Arguments
from fsm_rtc.conformance.difference import Difference
from fsm_rtc.conformance.model import PeerModel
from fsm_rtc.conformance.operations import BY_NAME, Argument, OperationKind
from fsm_rtc.conformance.protocol import Operation, Reply, StackDescription, Verdict
from fsm_rtc.conformance.side import Record, Side, sdp_of
from fsm_rtc.errors import AdapterError

__all__ = ["Step", "Trial", "pattern_of"]

Step = tuple[str, ...]
"""The names of the operations that begin together; mostly one."""

HANG_SECONDS = 3.0
"""How long a promise that must settle may take."""

NEVER_SECONDS = 0.05
"""How long to look at a promise that must not settle, once all else has happened."""


async def pattern_of(adapter: Adapter) -> str:
    """An offer with a data section, as the stack writes it.

    Raises:
        AdapterError: the stack can't even do that.
    """
    reply = await adapter.ask(
        Operation("reset"), Operation("new", "pattern"), Operation("createDataChannel", "pattern", label=DATA)
    )
    reply = await adapter.ask(Operation("createOffer", "pattern"))
    made = reply.results[0].value
    if not isinstance(made, dict | StackDescription):
        raise AdapterError("the stack makes no offer for a data channel, so nothing can be tried")
    return sdp_of(made)


class Trial:
    """One sequence.

    Args:
        adapter: the stack.
        record: what has been seen of it.
        pattern: an offer of the stack.
        profile: the tables.
    """

    def __init__(self, adapter: Adapter, record: Record, pattern: str, profile: str) -> None:
        self._adapter = adapter
        self._record = record
        self._arguments = Arguments("a", pattern)
        self._side = Side("a", record, profile)

    async def begin(self) -> list[Difference]:
        """A new connection, and nothing else."""
        self._record.sequences += 1
        reply = await self._adapter.ask(Operation("reset"), Operation("new", "a"))
        return self._side.seen(reply, "new")

    @property
    def model(self) -> PeerModel:
        """What the tables say that the connection is."""
        return self._side.model

    def state_of(self, machine: str) -> str:
        """The state of a machine of the model, which is the stack's own."""
        return str(self.model.machine(machine).state.value)

    async def do(self, step: Step) -> list[Difference]:
        """Do one step; what was otherwise than the tables."""
        kinds = [BY_NAME[name] for name in step]
        if not all(map(self._record.can_say, kinds)):
            return []
        found: list[Difference] = []
        for kind in kinds:
            found += await self._prepare(kind)
        return found + await self._carry_out(kinds)

    async def _prepare(self, kind: OperationKind) -> list[Difference]:
        """Create the description that is to be applied, where the model can."""
        memory, model = self.model.memory, self.model
        if kind.method != "setLocalDescription":
            return []
        if kind.trigger == "set_local_offer" and not memory.last_created_offer:
            maker = BY_NAME["createOffer"]
        elif kind.trigger in ("set_local_pranswer", "set_local_answer") and not memory.last_created_answer:
            maker = BY_NAME["createAnswer"]
        else:
            return []
        return await self._carry_out([maker]) if model.expect(maker).verdict is Verdict.FULFILLED else []

    async def _carry_out(self, kinds: Sequence[OperationKind]) -> list[Difference]:
        model, side = self.model, self._side
        asked = [self._arguments.of(kind, model.memory) for kind in kinds]
        closes = any(kind.trigger == "close" for kind in kinds[1:]) and not model.is_closed
        reply = await self._adapter.ask(*asked, limit_seconds=NEVER_SECONDS if closes else HANG_SECONDS)
        if any(kind.argument is Argument.NONE for kind in kinds):
            reply, asked = await self._look_up_local(reply, asked)
        return side.done(kinds, asked, reply)

    async def _look_up_local(self, reply: Reply, asked: list[Operation]) -> tuple[Reply, list[Operation]]:
        """What setLocalDescription() without argument has applied."""
        then = await self._adapter.ask(Operation("localDescription", "a"))
        applied = StackDescription("", sdp_of(then.results[0].value))
        told = [
            msgspec.structs.replace(one, description=applied)
            if one.operation == "setLocalDescription" and one.description is None
            else one
            for one in asked
        ]
        return Reply(reply.id, reply.results, (*reply.events, *then.events), then.states), told
