"""Which connection a machine belongs to."""

from __future__ import annotations

import pytest

from fsm_rtc.inspector.labels import connection_of


@pytest.mark.parametrize(
    ("label", "connection"),
    [
        ("offerer.ice", "offerer"),
        ("offerer.exchange.candidates#1", "offerer"),
        ("offerer.channel.secure-channel.flow", "offerer"),
        ("room.2.exchange", "room.2"),
        ("room.2.3.exchange", "room.2.3"),
        ("room.signaling_link", "room"),
        ("room.7.session.12", "room.7"),
        ("front", "front"),
        ("front.1", "front"),
        ("", ""),
    ],
)
def test_a_connection_is_the_first_part_and_its_numbers(label: str, connection: str) -> None:
    assert connection_of(label) == connection
