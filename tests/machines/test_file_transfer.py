"""The sender and the receiver of a file, against docs/files.md."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from fsm_rtc.engine import Accepted
from fsm_rtc.errors import FileRefusal
from fsm_rtc.machines.file_requests import (
    FailRefused,
    Prepare,
    Seek,
    SendRefused,
    SendWithdrawn,
)
from fsm_rtc.machines.file_transfer import WINDOW_BYTES, FileReceiving, FileSending, ReceivingState, SendingState
from tests.machines.handwritten_tables import Cells, reaction, written


@dataclass
class Memory:
    """Of both sides: a file of ten bytes, of which five are there."""

    size: int = 10
    sha256: str = "ab"
    position: int = 5
    written: int = 5
    transfer: str = "t"
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
on_cut       =         alone      alone      alone      closed    closed  closed
end_reached  -         -          sent       -          closed    closed  closed
on_received  confirmed confirmed  confirmed  confirmed  closed    closed  closed
on_refused   refused   refused    refused    refused    closed    closed  closed
withdraw     withdrawn withdrawn  withdrawn  withdrawn  closed    closed  closed
send_more    -         -          =          -          closed    closed  closed
"""

SENDING_EVENTS = {"on_accept": 5, "on_have": 5, "on_received": "ab", "withdraw": FileRefusal.CHANGED}

RECEIVING = """
             waiting    preparing  asked      receiving  verifying  received  declined
on_offer     preparing  =          preparing  preparing  preparing  preparing closed
prepared     -          asked      -          -          -          -         closed
found        -          received   -          -          -          -         closed
on_chunk     -          -          receiving  =          -          -         closed
on_done      -          -          =          asked      -          -         closed
agrees       -          -          -          -          received   -         closed
differs      -          -          -          -          was_resumed -        closed
on_withdrawn =          waiting    waiting    waiting    waiting    -         closed
on_goodbye   -          waiting    waiting    waiting    waiting    -         closed
decline      declined   declined   declined   declined   declined   declined  closed
"""

RECEIVING_EVENTS = {
    "on_offer": Offer("another"),
    "on_chunk": Chunk(5, 7),
    "decline": FileRefusal.EXISTS,
    "on_withdrawn": FileRefusal.WITHDRAWN,
    "on_goodbye": FileRefusal.WITHDRAWN,
}


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


@pytest.mark.parametrize(
    ("position", "written", "cell"),
    [
        (WINDOW_BYTES - 1, 0, "="),
        (WINDOW_BYTES, 0, "window_is_open"),
        (WINDOW_BYTES + 5, 6, "="),
        (3 * WINDOW_BYTES, 0, "="),  # the end may be told at any time
    ],
)
def test_no_more_than_a_window_is_under_way(position: int, written: int, cell: str) -> None:
    memory = Memory(size=3 * WINDOW_BYTES, position=position, written=written)
    assert reaction(FileSending, SendingState.SENDING, "send_more", None, memory) == cell


def test_a_refusal_ends_the_sending_with_what_the_receiver_says() -> None:
    outcome = FileSending(Memory(), state=SendingState.SENDING).fire("on_refused", "no room")
    assert effects(outcome) == (FailRefused("no room"),)


def test_who_was_never_offered_the_file_is_not_told_that_it_is_withdrawn() -> None:
    assert kinds(FileSending(Memory()).withdraw(FileRefusal.WITHDRAWN)) == ["FailWithdrawn"]
    told = FileSending(Memory(), state=SendingState.OFFERED).withdraw(FileRefusal.CHANGED)
    assert SendWithdrawn(FileRefusal.CHANGED) in effects(told)
    assert kinds(told) == ["SendWithdrawn", "FailWithdrawn"]


def test_an_accept_moves_the_sender() -> None:
    assert effects(FileSending(Memory(), state=SendingState.SENT).on_accept(3)) == (Seek(3),)


def kinds(outcome: object) -> list[str]:
    return [type(effect).__name__ for effect in effects(outcome)]


@pytest.mark.parametrize("state", [SendingState.ALONE, SendingState.OFFERED, SendingState.SENDING, SendingState.SENT])
def test_whenever_a_conversation_begins_the_file_is_offered(state: SendingState) -> None:
    assert kinds(FileSending(Memory(), state=state).on_ready()) == ["SendFileOffer"]


def test_the_receiver_is_told_once_that_all_is_sent() -> None:
    assert kinds(FileSending(Memory(), state=SendingState.SENDING).end_reached()) == ["SendDone"]
    assert kinds(FileSending(Memory(), state=SendingState.SENT).on_have(5)) == ["OpenWindow"]


@pytest.mark.parametrize(
    ("state", "chunk", "target", "asked"),
    [
        (ReceivingState.ASKED, Chunk(5, 7), ReceivingState.RECEIVING, ["Write"]),
        (ReceivingState.RECEIVING, Chunk(5, 7), ReceivingState.RECEIVING, ["Write"]),
        (ReceivingState.RECEIVING, Chunk(5, 10), ReceivingState.RECEIVING, ["Write"]),
        (ReceivingState.RECEIVING, Chunk(5, 11), ReceivingState.RECEIVING, None),
        (ReceivingState.RECEIVING, Chunk(4, 6), ReceivingState.RECEIVING, None),
        (ReceivingState.RECEIVING, Chunk(6, 8), ReceivingState.ASKED, ["SendAccept"]),
        (ReceivingState.ASKED, Chunk(6, 8), ReceivingState.ASKED, None),
        (ReceivingState.ASKED, Chunk(4, 6), ReceivingState.ASKED, None),
    ],
)
def test_only_the_next_piece_is_written_and_what_is_missing_is_asked_for_once(
    state: ReceivingState, chunk: Chunk, target: ReceivingState, asked: list[str] | None
) -> None:
    machine = FileReceiving(Memory(), state=state)
    outcome = machine.on_chunk(chunk)
    assert (kinds(outcome) if isinstance(outcome, Accepted) else None) == asked
    assert machine.state is target


@pytest.mark.parametrize("state", [ReceivingState.ASKED, ReceivingState.RECEIVING])
def test_the_same_offer_again_is_answered_with_where_to_go_on(state: ReceivingState) -> None:
    machine = FileReceiving(Memory(), state=state)
    assert kinds(machine.on_offer(Offer("t"))) == ["SendAccept"]
    assert machine.state is ReceivingState.ASKED


@pytest.mark.parametrize("state", [one for one in ReceivingState if one is not ReceivingState.DECLINED])
def test_another_offer_is_prepared(state: ReceivingState) -> None:
    assert effects(FileReceiving(Memory(), state=state).on_offer(Offer("new"))) == (Prepare(Offer("new")),)


def test_a_part_is_asked_for_and_the_whole_file_confirmed() -> None:
    assert kinds(FileReceiving(Memory(), state=ReceivingState.PREPARING).prepared()) == ["SendAccept"]
    assert kinds(FileReceiving(Memory(), state=ReceivingState.PREPARING).found()) == ["SendReceived"]


@pytest.mark.parametrize("state", [ReceivingState.ASKED, ReceivingState.RECEIVING])
def test_all_of_it_is_verified_then_kept_then_confirmed(state: ReceivingState) -> None:
    machine = FileReceiving(Memory(position=10), state=state)
    assert kinds(machine.on_done()) == ["Verify"]
    assert machine.state is ReceivingState.VERIFYING
    assert kinds(machine.agrees()) == ["Keep", "SendReceived"]


def test_what_is_missing_at_the_end_is_asked_for_each_time() -> None:
    machine = FileReceiving(Memory(), state=ReceivingState.RECEIVING)
    assert kinds(machine.on_done()) == ["SendAccept"]
    assert kinds(machine.on_done()) == ["SendAccept"]  # the first piece of what was asked for is missing again


def test_a_damaged_part_of_an_earlier_run_is_received_again_and_a_wrong_file_is_not() -> None:
    resumed = FileReceiving(Memory(is_resumed=True), state=ReceivingState.VERIFYING)
    assert kinds(resumed.differs()) == ["StartOver", "SendAccept"]
    whole = FileReceiving(Memory(), state=ReceivingState.VERIFYING)
    assert not whole.differs()
    assert effects(whole.decline(FileRefusal.WRONG_CHECKSUM)) == (SendRefused(FileRefusal.WRONG_CHECKSUM),)


def effects(outcome: object) -> tuple[object, ...]:
    assert isinstance(outcome, Accepted)
    return outcome.effects
