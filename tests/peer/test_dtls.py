"""DTLS: a wrong certificate fails on both sides, and a peer may have an RSA key."""

from __future__ import annotations

from typing import Any

import pytest
from aiortc import RTCSessionDescription
from aiortc.rtcdtlstransport import RTCCertificate, generate_certificate
from cryptography.hazmat.primitives.asymmetric import rsa

from fsm_rtc.peer import PeerConnection
from fsm_rtc.peer.description import SessionDescription
from fsm_rtc.peer.jsep.transport import CIPHERS
from tests.peer.bare_aiortc import answer_of_bare, connected_bare, offer_of_bare
from tests.peer.conftest import MakeBare, MakeLive
from tests.peer.peers import answer_of, connected, offer_of, until

pytestmark = pytest.mark.live

WRONG = "a=fingerprint:sha-256 " + ":".join(["00"] * 32)


def with_wrong_fingerprint(description: SessionDescription) -> SessionDescription:
    """The same, of another certificate."""
    lines = description.sdp.splitlines()
    kept = [line for line in lines if not line.startswith("a=fingerprint:")]
    first = kept.index(next(line for line in kept if line.startswith("m=")))
    return SessionDescription(description.type, "\r\n".join([*kept[:first], WRONG, *kept[first:]]) + "\r\n")


async def failed(peer: PeerConnection) -> None:
    await until(peer, "connectionstatechange", lambda: peer.connection_state == "failed")


@pytest.mark.parametrize("which", ["offer", "answer", "both"])
async def test_a_wrong_fingerprint_ends_in_failed_on_both_sides(live: MakeLive, which: str) -> None:
    one, other = live("one"), live("other")
    one.create_data_channel("chat")
    offer = await offer_of(one)
    answer = await answer_of(other, with_wrong_fingerprint(offer) if which != "answer" else offer)
    await one.set_remote_description(with_wrong_fingerprint(answer) if which != "offer" else answer)
    for peer in (one, other):
        await failed(peer)


async def test_a_right_fingerprint_beside_one_of_an_unknown_algorithm_is_enough(live: MakeLive) -> None:
    one, other = live("one"), live("other")
    one.create_data_channel("chat")
    offer = await offer_of(one)
    sdp = offer.sdp.replace("a=fingerprint:sha-256", "a=fingerprint:sha-999 AB:CD\r\na=fingerprint:sha-256")
    await one.set_remote_description(await answer_of(other, SessionDescription("offer", sdp)))
    await connected(one, other)


@pytest.fixture
def rsa_certificate() -> RTCCertificate:
    key: Any = rsa.generate_private_key(65537, 2048)
    return RTCCertificate(key, generate_certificate(key))


@pytest.fixture
def rsa_ciphers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bare aiortc as a peer with such a key: with the ciphers for it, which its own list lacks."""
    make = RTCCertificate._create_ssl_context

    def with_ciphers(self: RTCCertificate, srtp_profiles: Any) -> Any:
        context = make(self, srtp_profiles)
        context.set_cipher_list(CIPHERS)
        return context

    monkeypatch.setattr(RTCCertificate, "_create_ssl_context", with_ciphers)


@pytest.mark.parametrize("they_offer", [False, True], ids=["they are the client", "they are the server"])
@pytest.mark.usefixtures("rsa_ciphers")
async def test_a_peer_with_an_rsa_key_connects(
    bare: MakeBare, live: MakeLive, monkeypatch: pytest.MonkeyPatch, rsa_certificate: RTCCertificate, they_offer: bool
) -> None:
    ours = live()
    monkeypatch.setattr(RTCCertificate, "generateCertificate", classmethod(lambda _: rsa_certificate))
    theirs = bare(channel=they_offer)
    if they_offer:
        answer = await answer_of(ours, SessionDescription("offer", (await offer_of_bare(theirs)).sdp))
        await theirs.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))
    else:
        ours.create_data_channel("chat")
        offer = RTCSessionDescription((await offer_of(ours)).sdp, "offer")
        await ours.set_remote_description(SessionDescription("answer", (await answer_of_bare(theirs, offer)).sdp))
    await connected_bare(theirs)
    await connected(ours)
