"""ConnectionSnapshot: the twelve documented fields of a connection, at one moment."""

from __future__ import annotations

import base64
from dataclasses import dataclass, fields

from fsm_rtc.machines.peer_status import PeerConnectionStatus
from fsm_rtc.machines.signaling_link import SignalingStatus
from fsm_rtc.peer.data_channel import DataChannel
from fsm_rtc.peer.description import IceCandidate, SessionDescription
from fsm_rtc.peer.peer_connection import PeerConnection

__all__ = ["ConnectionSnapshot"]


@dataclass(frozen=True, slots=True)
class ConnectionSnapshot:
    """What a `ConnectionStore` knew at one moment; it never changes.

    `peer_connection` and `data_channel` are the live objects, so *their* states are those of the moment in which they
    are read.

    Attributes:
        signaling_status: the signalling socket's status.
        peer_connection_status: the peer connection's status; ``Disconnected`` exactly while there is none.
        is_offer_received: whether the other side's offer has been received.
        connection_id: the session's identifier, or None.
        error: the latest error; None once the same operation has succeeded.
        peer_connection: the peer connection, or None.
        offer: the offer that this side made, with its candidates, or None.
        answer: the answer that this side made, with its candidates, or None.
        remote_public_key: the other side's ECDSA public key, or None.
        local_public_key: this side's ECDSA public key, or None.
        ice_candidates: the candidates that this side has found, in order.
        data_channel: the channel that was set up last, or None.

    Source: the Connection Store's documentation, State Schema.
    """

    signaling_status: SignalingStatus = SignalingStatus.DISCONNECTED
    peer_connection_status: PeerConnectionStatus = PeerConnectionStatus.NO_CONNECTION
    is_offer_received: bool = False
    connection_id: str | None = None
    error: Exception | None = None
    peer_connection: PeerConnection | None = None
    offer: SessionDescription | None = None
    answer: SessionDescription | None = None
    remote_public_key: bytes | None = None
    local_public_key: bytes | None = None
    ice_candidates: tuple[IceCandidate, ...] = ()
    data_channel: DataChannel | None = None

    def to_dict(self) -> dict[str, object]:
        """The fields by their documented names, with the documented values.

        Statuses are strings, descriptions ``{"type", "sdp"}``, candidates ``{"candidate", "sdpMid",
        "sdpMLineIndex"}``, keys bytes. ``error``, ``peerConnection`` and ``dataChannel`` are the objects themselves;
        `to_json_dict` has what can be said of them in JSON.
        """
        return {
            "signalingStatus": self.signaling_status.value,
            "peerConnectionStatus": self.peer_connection_status.value,
            "isOfferReceived": self.is_offer_received,
            "connectionId": self.connection_id,
            "error": self.error,
            "peerConnection": self.peer_connection,
            "offer": self.offer.to_dict() if self.offer else None,
            "answer": self.answer.to_dict() if self.answer else None,
            "remotePublicKey": self.remote_public_key,
            "localPublicKey": self.local_public_key,
            "iceCandidates": [candidate.to_dict() for candidate in self.ice_candidates],
            "dataChannel": self.data_channel,
        }

    def to_json_dict(self) -> dict[str, object]:
        """As `to_dict`, with every value fit for `json.dumps`.

        Keys become Base64 text, the error ``{"name", "message"}``, the peer connection its four states, the channel its
        label, id and ready state.
        """
        connection, channel = self.peer_connection, self.data_channel
        return {
            **self.to_dict(),
            "error": {"name": type(self.error).__name__, "message": str(self.error)} if self.error else None,
            "remotePublicKey": _base64(self.remote_public_key),
            "localPublicKey": _base64(self.local_public_key),
            "peerConnection": None
            if connection is None
            else {
                "signalingState": connection.signaling_state.value,
                "iceGatheringState": connection.ice_gathering_state.value,
                "iceConnectionState": connection.ice_connection_state.value,
                "connectionState": connection.connection_state.value,
            },
            "dataChannel": None
            if channel is None
            else {"label": channel.label, "id": channel.id, "readyState": channel.ready_state.value},
        }

    def __repr__(self) -> str:
        told = ", ".join(f"{one.name}={getattr(self, one.name)!s:.40}" for one in fields(self) if self._says(one.name))
        return f"ConnectionSnapshot({told})"

    def _says(self, name: str) -> bool:
        """Whether a field is worth a word; keys and descriptions never are, they are long and secret."""
        return name in ("signaling_status", "peer_connection_status") or (
            name in ("is_offer_received", "connection_id", "error") and bool(getattr(self, name))
        )


def _base64(key: bytes | None) -> str | None:
    return None if key is None else base64.b64encode(key).decode()
