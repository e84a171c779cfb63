"""The transports of a session: ICE and DTLS together, and SCTP over one of them, with what webrtc-pc shows of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import aiortc
from aiortc.rtcdtlstransport import RTCCertificate, RTCDtlsParameters
from OpenSSL import SSL

from fsm_rtc.machines.ice import Ice, Ways
from fsm_rtc.peer.closing import Tasks
from fsm_rtc.peer.forwarding import Forwarded
from fsm_rtc.peer.ice import IceGatherer, IceTransport
from fsm_rtc.peer.jsep import private

DEFAULT_MESSAGE_BYTES = 65536
"""The longest message that the other side takes if its description doesn't say. Source: RFC 8841, section 6."""

logger = logging.getLogger("fsm_rtc.peer")

MAX_CANDIDATES = 100
"""Of the other side's, for one transport and generation: more would be no more than pairs that a check list leaves out.

Source: RFC 8445, section 6.1.2.5. aioice sorts all its pairs anew for each candidate.
"""


AT_ONCE = 50
"""How many candidates are taken in one turn of the loop."""

CIPHERS = b":".join(
    b"ECDHE-%s-%s" % (key, cipher)
    for cipher in (b"AES128-GCM-SHA256", b"CHACHA20-POLY1305", b"AES128-SHA", b"AES256-SHA")
    for key in (b"ECDSA", b"RSA")
)
"""aiortc's, and the same for RSA keys. Source: webrtc-pc, #dom-rtcpeerconnection-generatecertificate: both must do."""


class Certificate(RTCCertificate):
    """This side's certificate; it talks to those that have an RSA key too."""

    def _create_ssl_context(self, srtp_profiles: Any) -> SSL.Context:
        context = super()._create_ssl_context(srtp_profiles)
        context.set_cipher_list(CIPHERS)
        return context


class DtlsTransport(aiortc.RTCDtlsTransport):
    """RTCDtlsTransport.

    aiortc looks at the other side's certificate when the handshake is over, so only this side sees that it is a wrong
    one. Here it is looked at within the handshake, and an alert lets both sides fail. Source: RFC 8122, section 6.2.
    """

    def __init__(self, ice: IceTransport, certificates: list[RTCCertificate]) -> None:
        super().__init__(ice, certificates)
        self._is_closed = False
        self._expected = RTCDtlsParameters()

    async def start(self, remoteParameters: RTCDtlsParameters) -> None:
        """Shake hands with who has one of these certificates."""
        self._expected = remoteParameters
        await super().start(remoteParameters)

    async def _do_handshake(self) -> None:
        private.verify_with(self, lambda certificate: private.is_expected(certificate, self._expected))
        await super()._do_handshake()
        if self.state == "failed":
            await private.send_alert(self)

    iceTransport = Forwarded[IceTransport]("transport")
    """The ICE transport beneath."""

    @property
    def state(self) -> str:
        """RTCDtlsTransportState."""
        return "closed" if self._is_closed else super().state

    def close(self) -> None:
        """Count as closed from now on, whatever the library has still to do."""
        self._is_closed = True

    async def _send_data(self, data: bytes) -> None:
        """Send for SCTP; into a transport that has ended, a datagram is lost, as on its way through the network.

        aiortc raises, from its close on, into tasks of its SCTP that nobody waits for.
        """
        try:
            await super()._send_data(data)
        except (ConnectionError, SSL.Error) as ended:
            logger.debug("DTLS is over: %d bytes of SCTP are lost (%s)", len(data), ended)

    def _validate_peer_identity(self, remoteParameters: RTCDtlsParameters) -> None:
        """Take the certificate that one of the fingerprints of the best hash function names; aiortc wants all to.

        A side with several certificates writes a fingerprint for each. Source: RFC 8122, section 5.
        """
        certificate = self._ssl.get_peer_certificate(as_cryptography=True) if self._ssl is not None else None
        named = private.fingerprints_to_match(remoteParameters)
        right = [one for one in named if certificate is not None and private.matches(certificate, one)]
        super()._validate_peer_identity(RTCDtlsParameters(right or named, remoteParameters.role))

    def getRemoteCertificates(self) -> list[bytes]:
        """The other side's certificate in DER, once DTLS has begun; else nothing."""
        certificate = self._ssl.get_peer_certificate(as_cryptography=True) if self._ssl is not None else None
        if certificate is None:
            return []
        from cryptography.hazmat.primitives.serialization import Encoding

        return [certificate.public_bytes(Encoding.DER)]


class SctpTransport(aiortc.RTCSctpTransport):
    """RTCSctpTransport. Event: ``statechange``.

    Attributes:
        path: the transport that it uses.
        line: the index of its media section, or None.
        remote: the other side's media section that is in force, or None.
        has_channels: whether a channel was made here.
    """

    is_stopping = False  # as a transceiver may be

    def __init__(self, path: Transport) -> None:
        super().__init__(path.dtls)
        self.path = path
        self.line: int | None = None
        self.remote: Any = None
        self.has_channels = False
        self._is_closed = False
        self._is_over = False

    transport = Forwarded[Any]("path.dtls")

    @property
    def state(self) -> str:
        """RTCSctpTransportState; it begins in ``connecting``."""
        if self._is_closed:
            return "closed"
        state = super().state
        return "connecting" if state == "new" else state

    @property
    def maxMessageSize(self) -> float | None:
        """The longest message in bytes that both sides take, as the descriptions in force say; None before there are.

        Source: webrtc-pc, #dfn-update-the-data-max-message-size; RFC 8841, section 6: 65536 if it isn't told, and 0 for
        a side that takes any, so that this side's own limit counts.
        """
        if self.remote is None:
            return None
        told = self.remote.sctpCapabilities
        remote = told.maxMessageSize if told is not None else DEFAULT_MESSAGE_BYTES
        local = self.getCapabilities().maxMessageSize
        return min(local, remote or local)

    @property
    def has_begun(self) -> bool:
        """Whether an answer has given it its transport, for good."""
        return self.remote is not None

    def use(self, path: Transport) -> None:
        """Use another transport."""
        self.path = path
        self.setTransport(path.dtls)

    def agree(self, remote: Any) -> None:
        """Take the other side's media section, which is in force from now on."""
        self.remote = remote
        # aiortc reads it once, when it starts.
        self._remote_max_message_size = int(self.maxMessageSize or 0)
        self.number_channels()

    def close(self) -> None:
        """Count as closed from now on, whatever the library has still to do."""
        self._is_closed = True

    def number_channels(self) -> None:
        """Give each channel its stream once this side's DTLS role is known: even for the client, odd for the server.

        Source: RFC 8832, section 6; webrtc-pc, #dfn-create-an-rtcsctptransport.
        """
        for channel in private.unnumbered_channels(self):
            number = 1 if self.is_server else 0
            while number in self._data_channels:
                number += 2
            self._data_channels[number] = channel
            channel._setId(number)

    def _set_state(self, state: aiortc.RTCSctpTransport.State) -> None:
        before = self.state
        if state == self.State.CLOSED and not self._is_over:
            # Before aiortc forgets its listeners and closes the channels.
            self._is_closed = self._is_over = True
            self.emit("statechange")
        super()._set_state(state)
        if state == self.State.ESTABLISHED and before != self.state:
            self.emit("statechange")


class Transport:
    """One ICE transport and the DTLS transport over it.

    Args:
        gatherer: of the first candidates.
        certificates: this side's, one.
        connected: called when DTLS is connected, and again after each later description.
        make_ice: makes the ICE transport's machine.

    Attributes:
        gatherer: of the candidates that the present descriptions stand for.
        next_gatherer: of those for an ICE restart that is not agreed yet, or None.
        is_described: whether a description has brought it into being, so that its states are the connection's.
        is_visible: whether who looks from outside sees it.
        remote: the other side's media section that is in force, of which ``ice`` and ``dtls`` count, or None.
    """

    def __init__(
        self,
        gatherer: IceGatherer,
        certificates: Sequence[RTCCertificate],
        connected: Callable[[], None],
        make_ice: Callable[[Ways], Ice],
    ) -> None:
        self.gatherer = gatherer
        self.next_gatherer: IceGatherer | None = None
        self.ice = IceTransport(gatherer, make_ice)
        self.dtls = DtlsTransport(self.ice, list(certificates))
        self.is_described = self.is_visible = False
        self.remote: Any = None
        self._connected = connected
        self._held: list[tuple[str, Any]] = []
        self._taking: asyncio.Task[None] | None = None
        self._fed = ("", 0)
        self._tasks = Tasks("a transport could not be started", "fsm_rtc transport")

    @cached_property
    def fingerprints(self) -> list[Any]:
        """This side's, as aiortc has them; it computes them anew each time."""
        return list(self.dtls.getLocalParameters().fingerprints)

    @property
    def newest_gatherer(self) -> IceGatherer:
        """That of a restart under way, or the present one."""
        return self.next_gatherer or self.gatherer

    def begin(self, remote: Any) -> None:
        """Connect with what the other side has said, in a task of its own; restart ICE if its credentials changed.

        An offer may be replaced by one that restarts ICE before there is any answer: that answer is to the later one.
        """
        before, self.remote = self.remote, remote
        is_new = before is None or before.ice.usernameFragment != remote.ice.usernameFragment
        if is_new and self.next_gatherer is not None:
            self.gatherer, self.next_gatherer = self.next_gatherer, None
            self._tasks.spawn(self._restart(self.gatherer, remote))
        elif before is None:
            self._tasks.spawn(self._start(remote))
        else:
            self._tell()

    def feed(self, candidates: list[Any], *, is_complete: bool, ufrag: str) -> None:
        """Give ICE candidates of the other side; those of a restart wait until it has begun.

        Args:
            candidates: aiortc RTCIceCandidates.
            is_complete: whether there are no more.
            ufrag: the other side's user fragment that they belong to.
        """
        known, count = self._fed if self._fed[0] == ufrag else (ufrag, 0)
        candidates = candidates[: MAX_CANDIDATES - count]
        self._fed = known, count + len(candidates)
        given = [*candidates, *([None] if is_complete else [])]
        if self.remote is None:
            is_begun = self.next_gatherer is None
        else:
            is_begun = self.remote.ice.usernameFragment == ufrag and self.ice.iceGatherer is self.gatherer
        if is_begun:
            self._give(given)
        else:
            self._held += [(ufrag, candidate) for candidate in given]

    def _give(self, candidates: list[Any]) -> None:
        if len(candidates) == 1 and (self._taking is None or self._taking.done()):
            self._tasks.spawn(self.ice.addRemoteCandidate(candidates[0]))
        elif candidates:
            self._taking = self._tasks.spawn(self._take(candidates, self.gatherer, self._taking))

    async def _take(self, candidates: list[Any], gatherer: IceGatherer, before: asyncio.Task[None] | None) -> None:
        """Some in each turn of the loop, behind those that came before; who is looked up by name holds nobody up."""
        if before is not None and not before.done():
            await asyncio.wait({before})
        for first in range(0, len(candidates), AT_ONCE):
            if gatherer is not self.gatherer:
                return
            for candidate in candidates[first : first + AT_ONCE]:
                self._tasks.spawn(self.ice.addRemoteCandidate(candidate))
            await asyncio.sleep(0)

    async def _start(self, remote: Any) -> None:
        await self.gatherer.hosts_found.wait()
        await self.ice.start(remote.ice)
        await self._secure(remote)

    async def _restart(self, gatherer: IceGatherer, remote: Any) -> None:
        await gatherer.hosts_found.wait()
        restarting = asyncio.ensure_future(self.ice.restart(gatherer, remote.ice))
        try:
            await asyncio.sleep(0)
            # The new agent takes candidates only once it has begun; those that came before belong to it by their user
            # fragment.
            held, self._held = self._held, []
            self._give([candidate for ufrag, candidate in held if ufrag == remote.ice.usernameFragment])
            await restarting
        finally:
            restarting.cancel()
        await self._secure(remote)

    async def _secure(self, remote: Any) -> None:
        if self.ice.machine.permits("secure") and self.dtls.state == "new":
            await self.dtls.start(remote.dtls)
        self._tell()

    def _tell(self) -> None:
        if self.dtls.state == "connected":
            self._connected()

    def forget_restart(self) -> Any:
        """Give up an ICE restart that was not agreed: what remains to be done, or None."""
        gatherer, self.next_gatherer = self.next_gatherer, None
        return gatherer.stop() if gatherer is not None else None

    async def stop(self) -> None:
        """Close both, and wait until nothing is left."""
        self._tasks.cancel()
        if self.next_gatherer is not None:
            await self.next_gatherer.stop()
        await self.dtls.stop()
        await self.ice.stop()
        await self.gatherer.stop()
        await self._tasks.wait()
