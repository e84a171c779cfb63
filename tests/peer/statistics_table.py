"""The members of the statistics dictionaries, copied by hand from https://www.w3.org/TR/webrtc-stats/."""

from __future__ import annotations

ALWAYS = frozenset({"timestamp", "type", "id"})

_RTP = "ssrc kind transportId codecId"
_RECEIVED = (
    f"{_RTP} packetsReceived packetsReceivedWithEct1 packetsReceivedWithCe packetsReportedAsLost "
    "packetsReportedAsLostButRecovered packetsLost jitter"
)
_SENT = f"{_RTP} packetsSent bytesSent"
_CANDIDATE = (
    "transportId address port protocol candidateType priority url relayProtocol foundation relatedAddress relatedPort "
    "usernameFragment tcpType"
)

MEMBERS = {
    "codec": "payloadType transportId mimeType clockRate channels sdpFmtpLine",
    "inbound-rtp": f"{_RECEIVED} trackIdentifier mid remoteId framesDecoded bytesReceived nackCount",
    "outbound-rtp": f"{_SENT} mid mediaSourceId remoteId rid active",
    "remote-inbound-rtp": f"{_RECEIVED} localId roundTripTime totalRoundTripTime fractionLost",
    "remote-outbound-rtp": f"{_SENT} localId remoteTimestamp reportsSent roundTripTime totalRoundTripTime",
    "media-source": "trackIdentifier kind",
    "peer-connection": "dataChannelsOpened dataChannelsClosed",
    "data-channel": (
        "label protocol dataChannelIdentifier state messagesSent bytesSent messagesReceived bytesReceived"
    ),
    "transport": (
        "packetsSent packetsReceived bytesSent bytesReceived iceRole iceLocalUsernameFragment dtlsState iceState "
        "selectedCandidatePairId localCertificateId remoteCertificateId tlsVersion dtlsCipher dtlsRole srtpCipher "
        "selectedCandidatePairChanges"
    ),
    "local-candidate": _CANDIDATE,
    "remote-candidate": _CANDIDATE,
    "candidate-pair": (
        "transportId localCandidateId remoteCandidateId state nominated packetsSent packetsReceived bytesSent "
        "bytesReceived lastPacketSentTimestamp lastPacketReceivedTimestamp totalRoundTripTime currentRoundTripTime "
        "availableOutgoingBitrate availableIncomingBitrate requestsReceived requestsSent responsesReceived "
        "responsesSent consentRequestsSent packetsDiscardedOnSend bytesDiscardedOnSend"
    ),
    "certificate": "fingerprint fingerprintAlgorithm base64Certificate issuerCertificateId",
}
"""The names that a type may have, beside those that all have. Of the RTP streams, what describes frames is left out."""

REQUIRED = {
    "codec": "payloadType transportId mimeType",
    "inbound-rtp": "ssrc kind trackIdentifier",
    "outbound-rtp": "ssrc kind",
    "remote-inbound-rtp": "ssrc kind",
    "remote-outbound-rtp": "ssrc kind",
    "media-source": "trackIdentifier kind",
    "peer-connection": "",
    "data-channel": "state",
    "transport": "dtlsState",
    "local-candidate": "transportId candidateType",
    "remote-candidate": "transportId candidateType",
    "candidate-pair": "transportId localCandidateId remoteCandidateId state",
    "certificate": "fingerprint fingerprintAlgorithm base64Certificate",
}
"""The names that a type must have."""

TARGETS = {
    "transportId": {"transport"},
    "codecId": {"codec"},
    "mediaSourceId": {"media-source"},
    "remoteId": {"remote-inbound-rtp", "remote-outbound-rtp"},
    "localId": {"inbound-rtp", "outbound-rtp"},
    "selectedCandidatePairId": {"candidate-pair"},
    "localCandidateId": {"local-candidate"},
    "remoteCandidateId": {"remote-candidate"},
    "localCertificateId": {"certificate"},
    "remoteCertificateId": {"certificate"},
}
"""The types of the objects that a member refers to."""
