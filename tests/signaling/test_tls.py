"""The server and the client over TLS."""

from __future__ import annotations

import datetime as dt
import ssl
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fsm_rtc.connection.channel import LinkDown, LinkUp, PeerJoined
from fsm_rtc.messages.signing import Member
from fsm_rtc.signaling.client import WebSocketSignaling
from fsm_rtc.signaling.server import SignalingServer
from tests.signaling.participants import ANNA, BERT, ROOM, following, quick

pytestmark = pytest.mark.live


@pytest.fixture
def contexts(tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context for 127.0.0.1, and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "server.pem"
    pem, pkcs8, plain = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file.write_bytes(key.private_bytes(pem, pkcs8, plain) + certificate.public_bytes(pem))
    of_server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    of_server.load_cert_chain(file)
    return of_server, ssl.create_default_context(cafile=file)


async def test_two_meet_over_tls(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    of_server, of_client = contexts
    async with SignalingServer(ssl=of_server) as server:
        assert server.url == f"wss://127.0.0.1:{server.port}"
        anna, bert = Member(ROOM, ANNA), Member(ROOM, BERT)
        first, second = (WebSocketSignaling(f"{server.url}/{ROOM}", ssl=of_client) for _ in range(2))
        await first.open(anna)
        assert await following(first, LinkUp) == LinkUp()
        await second.open(bert)
        assert await following(second, LinkUp) == LinkUp((anna.introduction,))
        assert await following(first, PeerJoined) == PeerJoined(bert.introduction)
        await first.aclose()
        await second.aclose()


async def test_a_certificate_that_nobody_vouches_for_is_no_link(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    async with SignalingServer(ssl=contexts[0]) as server:
        channel = WebSocketSignaling(f"{server.url}/{ROOM}", backoff=quick())
        await channel.open(Member(ROOM, ANNA))
        down = await following(channel, LinkDown)
        assert "certificate" in str(down.error).lower()
        await channel.aclose()
