"""The sender and the receiver of a file, against docs/files.md."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from fsm_rtc.engine import Accepted
from fsm_rtc.errors import FileRefusal
from fsm_rtc.machines.file_requests import (
    AskAgain,
    Keep,
    Seek,
    SendAccept,
    SendReceived,
    SendRefused,
    SendWithdrawn,
    StartOver,
    Write,
)
from fsm_rtc.machines.file_transfer import FileReceiving, FileSending, ReceivingState, SendingState
from tests.machines.tables import Cells, reaction, written


@dataclass
class Memory:
    """Of both sides: a file of ten bytes, of which five are there."""

    size: int = 10
    sha256: str = "ab"
    position: int = 5
    transfer: str = "t"
    has_asked_again: bool = False
    is_resumed: bool = False


@dataclass(frozen=True)
class Chunk:
    offset: int
    end: int


@dataclass(frozen=True)
class Offer:
    transfer: str


SENDING = """
             alone     offered    sending    sent       confirmed refused withdrawn
on_ready     offered   =          offered    offered    closed    closed  closed
on_accept    -         sending    =          sending    closed    closed  closed
on_have      -         -          =          =          closed    closed  closed
end_reached  -         -          sent       -          closed    closed  closed
on_received  confirmed confirmed  confirmed  confirmed  closed    closed  closed
on_refused   refused   refused    refused    refused    closed    closed  closed
withdraw     withdrawn withdrawn  withdrawn  withdrawn  closed    closed  closed
"""

SENDING_EVENTS = {"on_accept": 5, "on_have": 5, "on_received": "ab", "withdraw": FileRefusal.CHANGED}

RECEIVING = """
             waiting    preparing  receiving  verifying  received  declined
on_offer     preparing  =          preparing  preparing  preparing closed
prepared     -          receiving  -          -          -         closed
found        -          received   -          -          -         closed
on_chunk     -          -          =          -          -         closed
on_done      -          -          =          -          -         closed
agrees       -          -          -          received   -         closed
differs      -          -          -          was_resumed -        closed
on_withdrawn =          waiting    waiting    waiting    -         closed
decline      declined   declined   declined   declined   declined  closed
"""

RECEIVING_EVENTS = {"on_offer": Offer("another"), "on_chunk": Chunk(5, 7), "decline": FileRefusal.EXISTS}


def sending() -> Cells:
    return {
        (state.value, trigger): reaction(FileSending, state, trigger, SENDING_EVENTS.get(trigger), Memory())
        for state in FileSending.chart.states
        for trigger in FileSending.chart.triggers
    }


def receiving() -> Cells:
    return {
        (state.value, trigger): reaction(FileReceiving, state, trigger, RECEIVING_EVENTS.get(trigger), Memory())
        for state in FileReceiving.chart.states
        for trigger in FileReceiving.chart.triggers
    }


def test_every_cell_of_the_sender_is_as_the_protocol_says() -> None:
    assert sending() == written(SENDING)


def test_every_cell_of_the_receiver_is_as_the_protocol_says() -> None:
    assert receiving() == written(RECEIVING)


@pytest.mark.parametrize(("offset", "cell"), [(-1, "within_the_file"), (0, "="), (10, "="), (11, "within_the_file")])
def test_the_receiver_can_ask_for_nothing_outside_of_the_file(offset: int, cell: str) -> None:
    assert reaction(FileSending, SendingState.SENDING, "on_accept", offset, Memory()) == cell


@pytest.mark.parametrize(("position", "cell"), [(-1, "was_sent"), (0, "="), (5, "="), (6, "was_sent")])
def test_the_receiver_can_have_no_more_than_was_sent(position: int, cell: str) -> None:
    assert reaction(FileSending, SendingState.SENDING, "on_have", position, Memory()) == cell


def test_another_checksum_confirms_nothing() -> None:
    assert reaction(FileSending, SendingState.SENT, "on_received", "cd", Memory()) == "the_same_checksum"


def test_who_was_never_offered_the_file_is_not_told_that_it_is_withdrawn() -> None:
    assert effects(FileSending(Memory()).withdraw(FileRefusal.WITHDRAWN)) == ()
    told = FileSending(Memory(), state=SendingState.OFFERED).withdraw(FileRefusal.CHANGED)
    assert effects(told) == (SendWithdrawn(FileRefusal.CHANGED),)


def test_an_accept_moves_the_sender() -> None:
    assert effects(FileSending(Memory(), state=SendingState.SENT).on_accept(3)) == (Seek(3),)


@pytest.mark.parametrize(
    ("chunk", "memory", "expected"),
    [
        (Chunk(5, 7), Memory(), (Write(Chunk(5, 7)),)),
        (Chunk(5, 10), Memory(), (Write(Chunk(5, 10)),)),
        (Chunk(5, 11), Memory(), None),
        (Chunk(4, 6), Memory(), None),
        (Chunk(6, 8), Memory(), (AskAgain(),)),
        (Chunk(6, 8), Memory(has_asked_again=True), None),
    ],
)
def test_only_the_next_piece_is_written_and_what_is_missing_is_asked_for_once(
    chunk: Chunk, memory: Memory, expected: tuple[object, ...] | None
) -> None:
    outcome = FileReceiving(memory, state=ReceivingState.RECEIVING).on_chunk(chunk)
    assert (effects(outcome) if isinstance(outcome, Accepted) else None) == expected


def test_the_same_offer_again_is_answered_with_where_to_go_on() -> None:
    machine = FileReceiving(Memory(), state=ReceivingState.RECEIVING)
    assert effects(machine.on_offer(Offer("t"))) == (SendAccept(),)
    assert machine.state is ReceivingState.RECEIVING


def test_all_of_it_is_verified_then_kept_then_confirmed() -> None:
    machine = FileReceiving(Memory(position=10), state=ReceivingState.RECEIVING)
    machine.on_done()
    assert machine.state is ReceivingState.VERIFYING
    assert effects(machine.agrees()) == (Keep(), SendReceived())


def test_a_damaged_part_of_an_earlier_run_is_received_again_and_a_wrong_file_is_not() -> None:
    resumed = FileReceiving(Memory(is_resumed=True), state=ReceivingState.VERIFYING)
    assert effects(resumed.differs()) == (StartOver(), SendAccept())
    whole = FileReceiving(Memory(), state=ReceivingState.VERIFYING)
    assert not whole.differs()
    assert effects(whole.decline(FileRefusal.WRONG_CHECKSUM)) == (SendRefused(FileRefusal.WRONG_CHECKSUM),)


def effects(outcome: object) -> tuple[object, ...]:
    assert isinstance(outcome, Accepted)
    return outcome.effects
