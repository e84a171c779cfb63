"""The address of a room."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_rtc.errors import SignalingError
from fsm_rtc.signaling.address import Address, room_of_path


@pytest.mark.parametrize(
    ("given_url", "url", "room"),
    [
        ("ws://host:8765/kitchen", "ws://host:8765/kitchen", "kitchen"),
        (" ws://host/kitchen\n", "ws://host/kitchen", "kitchen"),
        ("ws://host/two words", "ws://host/two%20words", "two words"),
        ("ws://host/two%20words", "ws://host/two%20words", "two words"),
        ("wss://host/küche", "wss://host/k%C3%BCche", "küche"),
        ("ws://[::1]:80/a/b", "ws://[::1]:80/a/b", "a/b"),
        ("ws://host/a%2Fb", "ws://host/a/b", "a/b"),
        ("ws://host//a", "ws://host//a", "/a"),
        ("ws://host/a?token=1", "ws://host/a?token=1", "a"),
        ("ws://host/100%25", "ws://host/100%25", "100%"),
        ("ws://host/a%3Fb%23c", "ws://host/a%3Fb%23c", "a?b#c"),
    ],
)
def test_a_room_is_read_from_the_path(given_url: str, url: str, room: str) -> None:
    address = Address.parse(given_url)
    assert (address.url, address.room) == (url, room)
    assert address.secure is url.startswith("wss")


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost", True),
        ("a.localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9:80", True),
        ("[::1]:80", True),
        ("10.0.0.1", False),
        ("[fe80::1]", False),
        ("example.org", False),
        ("mylocalhost", False),
    ],
)
def test_this_very_host_is_known(host: str, local: bool) -> None:
    assert Address.parse(f"ws://{host}/room").local is local


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("host/room", "no scheme"),
        ("http://host/room", "scheme is 'http'"),
        ("ws:///room", "no host"),
        ("ws://host", "no room"),
        ("ws://host/", "no room"),
        ("ws://host/?room", "no room"),
        ("ws://host/%ff", "no room"),
        ("ws://host/" + "r" * 129, "no room"),
        ("ws://host/room#one", "fragment"),
        ("ws://host:port/room", "[Pp]ort"),
        ("ws://host:99999/room", "[Pp]ort"),
        ("ws://[host/room", "IPv6"),
        ("", "no scheme"),
    ],
)
def test_what_is_no_address_is_refused_with_an_example(url: str, why: str) -> None:
    with pytest.raises(SignalingError, match=rf"(?s){why}.*give one like ws://host:port/room$"):
        Address.parse(url)


@given(room=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=128))
def test_both_sides_read_the_same_room(room: str) -> None:
    from urllib.parse import quote, urlsplit

    address = Address.parse("ws://host:1/" + quote(room, safe=""))
    assert address.room == room
    assert room_of_path(urlsplit(address.url).path) == room
    assert Address.parse(address.url) == address
    assert address.url.isascii()
    assert " " not in address.url
