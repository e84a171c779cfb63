"""JSEP over aiortc's transports: what stands in an offer or answer, and what applying one does to a connection.

Source: RFC 9429 (JSEP) and webrtc-pc. aiortc's own RTCPeerConnection is not used; its RTCIceTransport,
RTCDtlsTransport, RTCSctpTransport, RTCRtpSender and RTCRtpReceiver are. Nothing here decides what is allowed: the
machines in front do.
"""
