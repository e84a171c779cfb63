"""ChannelJudge: the data channel between two connections of a stack: its states, its events, its messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from fsm_rtc.conformance.arguments import DATA
from fsm_rtc.conformance.difference import Difference
from fsm_rtc.conformance.findings import Kind
from fsm_rtc.conformance.model import DRAFT
from fsm_rtc.conformance.protocol import Reply, Result, States, Verdict
from fsm_rtc.conformance.side import Record
from fsm_rtc.errors import Reason, Rejected
from fsm_rtc.machines.data_channel import Channel, DataChannelState

__all__ = ["ChannelJudge"]

ONCE = ("open", "closing", "close")


class ChannelJudge:
    """The channel ``data``, on both sides.

    Args:
        record: what has been seen of the stack.
    """

    OPENED = DRAFT + "#announce-datachannel-open"
    SENT = DRAFT + "#datachannel-send"
    CLOSED = DRAFT + "#announcing-a-data-channel-as-closed"

    def __init__(self, record: Record) -> None:
        self._record = record
        self._at: dict[str, str] = {}
        self._events: dict[str, list[str]] = {"a": [], "b": []}
        self._sent: dict[str, list[str]] = {"a": [], "b": []}
        self._arrived: dict[str, list[str]] = {"a": [], "b": []}

    @staticmethod
    def state(states: dict[str, States], side: str) -> str:
        """The channel's state on a side; empty if it isn't there."""
        return states[side].channels.get(DATA, "")

    def both_open(self, states: dict[str, States]) -> bool:
        return all(self.state(states, side) == "open" for side in states)

    def both_closed(self, states: dict[str, States]) -> bool:
        return all(self.state(states, side) in ("", "closed") for side in states)

    def closed(self, side: str) -> Callable[[dict[str, States]], bool]:
        """Whether it is closed on one side."""
        return lambda states: self.state(states, side) in ("", "closed")

    def sent(self, to: str, text: str) -> None:
        """A message is on its way."""
        self._sent[to].append(text)

    def has_arrived(self, side: str) -> bool:
        """Whether all that was sent to a side is there."""
        return len(self._arrived[side]) >= len(self._sent[side])

    def messages(self, side: str) -> Iterator[Difference]:
        """Whether each message arrived once and in its order."""
        sent, arrived = self._sent[side], self._arrived[side]
        if arrived != sent:
            did = "a message twice" if len(arrived) > len(sent) else "another message, or another order"
            yield Difference(
                "data_channel", "open", "send", "each message once and in order", did, Kind.EVENT, self.SENT
            )
            self._sent[side] = [*arrived]

    def done(self, side: str, name: str, result: Result) -> Iterator[Difference]:
        """An operation was done on the channel: ``send`` or ``close``."""
        state = self._at.get(side, "")
        if state not in set(DataChannelState):
            return
        self._record.cells.add(("data_channel", state, name))
        machine = Channel(state=DataChannelState(state))
        verdict = machine.permits(name)
        cite = DRAFT + Channel.chart.triggers[name].cite
        refused = isinstance(verdict, Rejected) and verdict.reason is not Reason.ALREADY and name == "send"
        error = result.error.name if result.error is not None else ""
        did = f"{result.verdict.value} with {error}" if error else result.verdict.value
        if refused and result.verdict is Verdict.FULFILLED:
            yield Difference("data_channel", state, name, "thrown with InvalidStateError", did, Kind.VERDICT, cite)
        elif refused and (error != "InvalidStateError" or result.verdict is not Verdict.THROWN):
            yield Difference("data_channel", state, name, "thrown with InvalidStateError", did, Kind.ERROR, cite)
        elif not refused and result.verdict is not Verdict.FULFILLED:
            yield Difference("data_channel", state, name, "fulfilled", did, Kind.VERDICT, cite)
        elif not refused:
            machine.fire(name)
            now = result.states.channels.get(DATA, "") if result.states is not None else ""
            if now and now != machine.state:
                yield Difference("data_channel", state, name, machine.state.value, now, Kind.STATE, cite)
            self._at[side] = now or machine.state.value

    def seen(self, reply: Reply, operation: str, *, closer: str = "") -> Iterator[Difference]:
        """What the reply says of the channel on both sides.

        Args:
            reply: what was seen.
            operation: during what.
            closer: the side whose connection was closed by it; its channel is closed abruptly, without an event.
        """
        for event in reply.events:
            if event.label != DATA or event.on not in self._events:
                continue
            if event.event == "message":
                self._arrived[event.on].append(event.data)
            elif event.event in ONCE:
                if event.event in self._events[event.on]:
                    state, did = event.states.channels.get(DATA, ""), f"{event.event} once more"
                    yield self._event(state, operation, f"{event.event} once", did)
                self._events[event.on].append(event.event)
        for side, states in reply.states.items():
            state = states.channels.get(DATA, "")
            before, self._at[side] = self._at.get(side, ""), state
            if before and state == "closed" != before and side != closer and "close" not in self._events[side]:
                yield self._event(before, operation, "close", "closed without an event")

    def opened(self) -> Iterator[Difference]:
        """Both are open: each side must have been told."""
        for side, events in self._events.items():
            if "open" not in events and "event open" not in self._record.lacks:
                where = "the side that made it" if side == "a" else "the other side"
                yield self._event("connecting", "connect", "open", f"open without an event, on {where}")

    def closed_by(self, side: str) -> Iterator[Difference]:
        """A side closed it: the other one hears `closing` before `close`, itself only `close`."""
        for one, events in self._events.items():
            due = ["close"] if one == side else ["closing", "close"]
            told = [event for event in events if event != "open" and f"event {event}" not in self._record.lacks]
            due = [event for event in due if f"event {event}" not in self._record.lacks]
            if told != due and told.count("close") == 1:
                operation = "close" if one == side else "close by the other side"
                yield self._event("open", operation, ", ".join(due), ", ".join(told))

    def _event(self, state: str, operation: str, should: str, did: str) -> Difference:
        source = self.OPENED if "open" in should.split() else self.CLOSED
        return Difference("data_channel", state, operation, should, did, Kind.EVENT, source)
