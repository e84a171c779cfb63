"""signalingStatus, against the document."""

from __future__ import annotations

from fsm_rtc.machines.signaling_link import SignalingLink, SignalingStatus
from tests.machines.handwritten_tables import asked, triggers_of, written

TABLE = """
                 Disconnected  Connected     Error
on_connected     Connected     already       Connected
on_disconnected  already       Disconnected  Disconnected
on_error         Error         Error         already
reset            already       Disconnected  Disconnected
"""


def test_every_cell_is_as_documented() -> None:
    triggers = triggers_of(TABLE)
    assert asked(SignalingLink, triggers) == written(TABLE)
    assert {*SignalingLink.chart.triggers} == {*triggers}


def test_the_statuses_are_called_as_documented() -> None:
    assert [status.value for status in SignalingStatus] == ["Disconnected", "Connected", "Error"]
    assert SignalingLink().state is SignalingStatus.DISCONNECTED
    assert not SignalingLink.final
