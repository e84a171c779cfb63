"""Foreign descriptions: what gateways, cameras, conference servers and old browsers write, and what is wrong or odd.

Each is an offer, by name. What Chromium makes of it stands in ``chromium.json``; see `ask`.
"""

from __future__ import annotations

from tests.peer.foreign.parts import (
    AUDIO,
    FINGERPRINT,
    ICE,
    SECURE,
    SESSION,
    audio,
    bundle,
    candidate,
    data,
    lines,
    media,
    replaced,
    video,
    without,
)

__all__ = ["OFFERS"]

PLAIN = SESSION + bundle(0) + audio()
ALL = SESSION + bundle(0, 1, 2) + audio() + video() + data()
LEGACY_DATA = (
    media("application", "5000", "sctpmap:5000 webrtc-datachannel 1024", mid="data", proto="DTLS/SCTP") + SECURE
)
RTX = ("rtpmap:97 rtx/90000", "fmtp:97 apt=96")


def session(*attributes: str) -> str:
    """The session's lines, and attributes of the whole session."""
    return SESSION + lines(*(f"a={one}" for one in attributes))


def in_audio(*attributes: str) -> str:
    """An offer of one audio section that has these attributes besides."""
    return SESSION + bundle(0) + audio(*attributes)


def with_candidates(*candidates: str) -> str:
    """An offer of one audio section that has these candidates."""
    return in_audio(*candidates)


BUNDLES = {
    "bundle: every section": ALL,
    "bundle: none": SESSION + audio() + video() + data(),
    "bundle: audio and video alone": SESSION + bundle(0, 1) + audio() + video() + data(),
    "bundle: in another order": SESSION + bundle(2, 1, 0) + audio() + video() + data(),
    "bundle: two groups": SESSION + bundle(0, 1) + bundle(2, 3) + audio() + video() + data() + video(mid=3),
    "bundle: a group of one": SESSION + bundle(1) + audio() + video(),
    "bundle: names no section": SESSION + lines("a=group:BUNDLE") + audio() + video(),
    "bundle: a mid that isn't there": SESSION + bundle(0, 7) + audio(),
    "bundle: a mid twice": SESSION + bundle(0, 0) + audio(),
    "bundle: a mid in two groups": SESSION + bundle(0, 1) + bundle(1, 2) + audio() + video() + data(),
    "bundle: bundle-only, port 0": SESSION
    + bundle(0, 1)
    + audio()
    + media("video", "96", "bundle-only", "rtcp-mux", "sendrecv", "rtpmap:96 VP8/90000", mid=1, port=0)
    + SECURE,
    "bundle: bundle-only without a group": SESSION
    + audio()
    + media("video", "96", "bundle-only", "rtcp-mux", "sendrecv", "rtpmap:96 VP8/90000", mid=1, port=0)
    + SECURE,
    "bundle: the others have no transport": SESSION + bundle(0, 1) + audio() + video(secure=""),
    "bundle: the first is rejected": SESSION + bundle(0, 1) + audio(port=0) + video(),
    "bundle: with a group of lip synchronisation": SESSION + lines("a=group:LS 0 1") + bundle(0, 1) + audio() + video(),
    "bundle: one payload type of two codecs": SESSION
    + bundle(0, 1)
    + audio(formats="96", secure=SECURE).replace(":111", ":96")
    + video(),
}

MIDS = {
    "mid: none": SESSION + audio(mid=None) + video(mid=None),
    "mid: none in the second": SESSION + audio() + video(mid=None),
    "mid: none and data": SESSION + audio(mid=None) + data(mid=None),
    "mid: words": SESSION + bundle("audio", "video") + audio(mid="audio") + video(mid="video"),
    "mid: twice": SESSION + audio() + video(mid=0),
    "mid: twice in a bundle": SESSION + bundle(0) + audio() + video(mid=0),
    "mid: 17 characters": SESSION + bundle("m" * 17) + audio(mid="m" * 17),
    "mid: empty": SESSION + audio(mid=""),
    "mid: with a space": SESSION + audio(mid="a b"),
    "mid: not ASCII": SESSION + audio(mid="töne"),
    "mid: as a made up one might be": SESSION + audio(mid=None) + video(mid="0"),
}

PROTOS = {
    "proto: RTP/SAVPF": SESSION + audio(proto="RTP/SAVPF"),
    "proto: RTP/SAVP": SESSION + audio(proto="RTP/SAVP"),
    "proto: RTP/AVP": SESSION + audio(proto="RTP/AVP"),
    "proto: RTP/AVPF": SESSION + audio(proto="RTP/AVPF"),
    "proto: UDP/TLS/RTP/SAVP": SESSION + audio(proto="UDP/TLS/RTP/SAVP"),
    "proto: TCP/TLS/RTP/SAVPF": SESSION + audio(proto="TCP/TLS/RTP/SAVPF"),
    "proto: TCP/DTLS/RTP/SAVPF": SESSION + audio(proto="TCP/DTLS/RTP/SAVPF"),
    "proto: unknown": SESSION + audio(proto="X/Y"),
    "proto: unknown, beside": SESSION + audio() + media("audio", "111", *AUDIO, mid=1, proto="X/Y") + SECURE,
    "proto: unknown, beside, port 0": SESSION + audio() + media("audio", "0", mid=1, proto="X", port=0),
    "proto: lower case": SESSION + audio(proto="udp/tls/rtp/savpf"),
    "data: DTLS/SCTP 5000": SESSION + LEGACY_DATA,
    "data: DTLS/SCTP webrtc-datachannel": SESSION + data(proto="DTLS/SCTP"),
    "data: TCP/DTLS/SCTP": SESSION + data(proto="TCP/DTLS/SCTP"),
    "data: sctpmap the other way round": SESSION + data("sctpmap:webrtc-datachannel 5000"),
    "data: no sctp-port": SESSION + without(data(), "a=sctp-port"),
    "data: sctp-port 0": SESSION + replaced(data(), "sctp-port:5000", "sctp-port:0"),
    "data: sctp-port not a number": SESSION + replaced(data(), "sctp-port:5000", "sctp-port:many"),
    "data: max-message-size 0": SESSION + replaced(data(), "size:262144", "size:0"),
    "data: max-message-size not a number": SESSION + replaced(data(), "size:262144", "size:-1"),
    "data: two sections": SESSION + data() + data(mid=3),
    "data: another format": SESSION + media("application", "t140", mid=0, proto="UDP/DTLS/SCTP") + SECURE,
    "beside: T.38 over udptl": SESSION
    + audio()
    + lines("m=image 40002 udptl t38", "c=IN IP4 192.0.2.7", "a=T38FaxVersion:0", "a=mid:9"),
    "beside: T.38 without a mid": SESSION + audio() + lines("m=image 0 udptl t38"),
    "beside: MSRP": SESSION
    + audio()
    + lines("m=message 7394 TCP/MSRP *", "c=IN IP4 192.0.2.7", "a=accept-types:text/plain", "a=path:msrp://x;tcp"),
    "beside: BFCP": SESSION + audio() + lines("m=application 50000 UDP/BFCP *", "a=floorctrl:c-s", "a=confid:1"),
    "beside: text over RTP": SESSION + audio() + media("text", "98", "rtpmap:98 t140/1000", mid=1, proto="RTP/AVP"),
    "only: T.38 over udptl": SESSION + lines("m=image 40002 udptl t38", "c=IN IP4 192.0.2.7"),
}

CODECS = {
    "codec: 0 and 8 without rtpmap": SESSION + media("audio", "0 8", "rtcp-mux") + SECURE,
    "codec: 9 without rtpmap": SESSION + media("audio", "9", "rtcp-mux") + SECURE,
    "codec: 18 with fmtp alone": SESSION + audio("fmtp:18 annexb=no", formats="111 18"),
    "codec: 3 alone": SESSION + media("audio", "3", "rtcp-mux") + SECURE,
    "codec: none in common": SESSION + media("audio", "97", "rtcp-mux", "rtpmap:97 SPEEX/16000") + SECURE,
    "codec: none in common, beside": SESSION
    + bundle(0, 1)
    + audio()
    + media("video", "97", "rtcp-mux", "rtpmap:97 theora/90000", mid=1)
    + SECURE,
    "codec: a dynamic number without rtpmap": SESSION + audio(formats="111 112"),
    "codec: rtpmap of a number not offered": in_audio("rtpmap:120 telephone-event/8000"),
    "codec: rtpmap twice": in_audio("rtpmap:111 opus/48000/2"),
    "codec: rtpmap without a rate": in_audio("rtpmap:112 opus"),
    "codec: rtpmap with a rate of words": in_audio("rtpmap:112 opus/fast"),
    "codec: fmtp of a number not offered": in_audio("fmtp:99 x=1"),
    "codec: fmtp with a fraction": in_audio("fmtp:111 minptime=10.0"),
    "codec: fmtp with a word for a number": in_audio("fmtp:111 useinbandfec=true"),
    "codec: fmtp without a value": in_audio("fmtp:111"),
    "codec: fmtp with blanks": replaced(PLAIN, "minptime=10;useinbandfec=1", "minptime=10; useinbandfec=1;"),
    "codec: telephone-event": SESSION
    + audio("rtpmap:101 telephone-event/8000", "fmtp:101 0-16", formats="111 101", secure=SECURE),
    "codec: comfort noise": SESSION + audio("rtpmap:13 CN/8000", formats="111 13"),
    "codec: RED beside Opus": SESSION + audio("rtpmap:63 red/48000/2", "fmtp:63 111/111", formats="63 111"),
    "codec: ulpfec and RED for video": SESSION
    + video(*RTX, "rtpmap:98 red/90000", "rtpmap:99 ulpfec/90000", formats="96 97 98 99"),
    "codec: flexfec": SESSION + video("rtpmap:35 flexfec-03/90000", "fmtp:35 repair-window=10000000", formats="96 35"),
    "codec: rtx without its apt": SESSION + video("rtpmap:97 rtx/90000", formats="96 97"),
    "codec: rtx of a codec that isn't there": SESSION
    + video("rtpmap:97 rtx/90000", "fmtp:97 apt=100", formats="96 97"),
    "codec: H264 of a profile that is none": SESSION
    + video("rtpmap:97 H264/90000", "fmtp:97 profile-level-id=zzzzzz;packetization-mode=1", formats="96 97"),
    "codec: format 72, an RTCP packet's": SESSION + audio("rtpmap:72 telephone-event/8000", formats="111 72"),
    "codec: PCMU under a number of its own": SESSION
    + media("audio", "100", "rtcp-mux", "rtpmap:100 PCMU/8000")
    + SECURE,
    "codec: Opus under a low number": SESSION + media("audio", "63", "rtcp-mux", "rtpmap:63 opus/48000/2") + SECURE,
    "codec: format 200": SESSION + audio(formats="111 200"),
    "codec: format 300": SESSION + audio(formats="111 300"),
    "codec: a word for a format": SESSION + audio(formats="111 x"),
    "codec: no format": SESSION + lines("m=audio 9 UDP/TLS/RTP/SAVPF", "a=mid:0", "a=rtcp-mux") + SECURE,
    "codec: a format twice": SESSION + audio(formats="111 111"),
    "codec: names in lower case": SESSION + replaced(video(), "VP8/90000", "vp8/90000"),
    "rtcp-fb: for all": in_audio("rtcp-fb:* transport-cc"),
    "rtcp-fb: of a number not offered": in_audio("rtcp-fb:99 nack"),
    "rtcp-fb: without a value": in_audio("rtcp-fb:111"),
    "extmap: with a direction": in_audio("extmap:1/sendonly urn:ietf:params:rtp-hdrext:ssrc-audio-level"),
    "extmap: with attributes": in_audio("extmap:13 urn:example:ext short"),
    "extmap: encrypted": in_audio("extmap:13 urn:ietf:params:rtp-hdrext:encrypt urn:ietf:params:rtp-hdrext:toffset"),
    "extmap: at the session's level": session("extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level") + audio(),
    "extmap: mixed one and two byte": in_audio("extmap-allow-mixed", "extmap:20 urn:example:long"),
    "extmap: number 0": in_audio("extmap:0 urn:ietf:params:rtp-hdrext:ssrc-audio-level"),
    "extmap: number 15": in_audio("extmap:15 urn:ietf:params:rtp-hdrext:ssrc-audio-level"),
    "extmap: number 300": in_audio("extmap:300 urn:ietf:params:rtp-hdrext:ssrc-audio-level"),
    "extmap: a number twice": in_audio(
        "extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level", "extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid"
    ),
    "extmap: no number": in_audio("extmap:x urn:ietf:params:rtp-hdrext:ssrc-audio-level"),
    "extmap: no URI": in_audio("extmap:1"),
}

TRANSPORTS = {
    "ice: at the session's level": SESSION + SECURE + audio(secure="") + video(secure=""),
    "ice: no ufrag": without(PLAIN, "a=ice-ufrag"),
    "ice: no pwd": without(PLAIN, "a=ice-pwd"),
    "ice: no credentials in the second": SESSION + audio() + video(secure=without(SECURE, "a=ice-")),
    "ice: ufrag of 3": replaced(PLAIN, "a=ice-ufrag:Fo1o", "a=ice-ufrag:abc"),
    "ice: ufrag of 256": replaced(PLAIN, "a=ice-ufrag:Fo1o", "a=ice-ufrag:" + "a" * 256),
    "ice: ufrag of 257": replaced(PLAIN, "a=ice-ufrag:Fo1o", "a=ice-ufrag:" + "a" * 257),
    "ice: ufrag of wrong characters": replaced(PLAIN, "a=ice-ufrag:Fo1o", "a=ice-ufrag:a_b%c"),
    "ice: ufrag that isn't ASCII": replaced(PLAIN, "a=ice-ufrag:Fo1o", "a=ice-ufrag:äöüß"),
    "ice: ufrag empty": replaced(PLAIN, "a=ice-ufrag:Fo1o", "a=ice-ufrag:"),
    "ice: pwd of 21": replaced(PLAIN, "asd88fgpdd777uzjYhagZg", "a" * 21),
    "ice: pwd of 8": replaced(PLAIN, "asd88fgpdd777uzjYhagZg", "a" * 8),
    "ice: pwd of 256": replaced(PLAIN, "asd88fgpdd777uzjYhagZg", "a" * 256),
    "ice: pwd of 257": replaced(PLAIN, "asd88fgpdd777uzjYhagZg", "a" * 257),
    "ice: pwd of wrong characters": replaced(PLAIN, "asd88fgpdd777uzjYhagZg", "asd88fgpdd-77uzjYhagZ="),
    "ice: pwd with a space": replaced(PLAIN, "asd88fgpdd777uzjYhagZg", "asd88fgpdd 77uzjYhagZgx"),
    "ice: short pwd in a rejected section": SESSION
    + audio()
    + video(secure="a=ice-ufrag:x\r\na=ice-pwd:y\r\n", port=0),
    "ice: short pwd in a section of no kind": SESSION
    + audio()
    + lines("m=image 9 udptl t38", "a=mid:9", "a=ice-ufrag:x", "a=ice-pwd:y"),
    "ice: ufrag twice": in_audio("ice-ufrag:Zw2i"),
    "ice: lite": session("ice-lite") + audio(),
    "ice: options": session("ice-options:trickle ice2") + audio("ice-options:renomination"),
    "ice: different in a bundle": SESSION + bundle(0, 1) + audio() + video(secure=replaced(SECURE, "Fo1o", "Andr")),
    "dtls: no fingerprint": without(PLAIN, "a=fingerprint"),
    "dtls: fingerprint at the session's level": session(f"fingerprint:{FINGERPRINT}", "setup:actpass")
    + audio(secure=ICE),
    "dtls: setup at the session's level": session("setup:actpass") + audio(secure=without(SECURE, "a=setup")),
    "dtls: no setup": without(PLAIN, "a=setup"),
    "dtls: setup active": replaced(PLAIN, "setup:actpass", "setup:active"),
    "dtls: setup passive": replaced(PLAIN, "setup:actpass", "setup:passive"),
    "dtls: setup holdconn": replaced(PLAIN, "setup:actpass", "setup:holdconn"),
    "dtls: setup unknown": replaced(PLAIN, "setup:actpass", "setup:perhaps"),
    "dtls: sha-1 beside sha-256": SESSION
    + audio(secure=lines("a=fingerprint:sha-1 " + ":".join(["4A"] * 20)) + SECURE),
    "dtls: sha-256 before sha-1": SESSION
    + audio(secure=SECURE + lines("a=fingerprint:sha-1 " + ":".join(["4A"] * 20))),
    "dtls: sha-1 alone": SESSION
    + audio(secure=ICE + lines("a=fingerprint:sha-1 " + ":".join(["4A"] * 20), "a=setup:actpass")),
    "dtls: sha-512": SESSION
    + audio(secure=ICE + lines("a=fingerprint:sha-512 " + ":".join(["4A"] * 64), "a=setup:actpass")),
    "dtls: hash in upper case": replaced(PLAIN, "sha-256", "SHA-256"),
    "dtls: digest in lower case": SESSION
    + audio(secure=ICE + lines(f"a=fingerprint:{FINGERPRINT.lower()}", "a=setup:actpass")),
    "dtls: hash unknown": replaced(PLAIN, "sha-256", "sha-999"),
    "dtls: hash unknown beside sha-256": SESSION + audio(secure=lines("a=fingerprint:sha-999 4A:AD") + SECURE),
    "dtls: two of sha-256": SESSION + audio(secure=lines(f"a=fingerprint:{FINGERPRINT.replace('4A', '4B')}") + SECURE),
    "dtls: digest too short": SESSION + audio(secure=ICE + lines("a=fingerprint:sha-256 4A:AD", "a=setup:actpass")),
    "dtls: digest that is none": SESSION + audio(secure=ICE + lines("a=fingerprint:sha-256 xy", "a=setup:actpass")),
    "dtls: fingerprint without a digest": SESSION
    + audio(secure=ICE + lines("a=fingerprint:sha-256", "a=setup:actpass")),
    "dtls: tls-id": in_audio("tls-id:91bbf309c0990a6bec11e38ba2933cee"),
    "crypto: beside DTLS": SESSION
    + audio("crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"),
    "crypto: alone": SESSION
    + audio(
        "crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz",
        secure=ICE,
        proto="RTP/SAVPF",
    ),
    "crypto: malformed, beside DTLS": SESSION + audio("crypto:what"),
    "rtcp: no rtcp-mux": without(PLAIN, "a=rtcp-mux"),
    "rtcp: no rtcp-mux, no group": SESSION + without(audio(), "a=rtcp-mux"),
    "rtcp: rtcp-mux-only without rtcp-mux": SESSION + bundle(0) + without(audio("rtcp-mux-only"), "a=rtcp-mux\r"),
    "rtcp: rtcp-mux-only": in_audio("rtcp-mux-only"),
    "rtcp: rtcp-rsize and a port": in_audio("rtcp-rsize", "rtcp:9 IN IP4 0.0.0.0"),
    "rtcp: a port that is none": in_audio("rtcp:x"),
}

CANDIDATES = {
    "candidate: host": with_candidates(candidate()),
    "candidate: IPv6": with_candidates(candidate("2001:db8::1", 5000)),
    "candidate: mDNS": with_candidates(candidate("8c5c1a2e-0000-4000-8000-000000000000.local", 5000)),
    "candidate: a name": with_candidates(candidate("peer.example.org", 5000)),
    "candidate: srflx": with_candidates(candidate(kind="srflx", rest=" raddr 10.0.0.1 rport 5000")),
    "candidate: srflx without raddr": with_candidates(candidate(kind="srflx")),
    "candidate: relay without rport": with_candidates(candidate(kind="relay", rest=" raddr 10.0.0.1")),
    "candidate: tcp": with_candidates("candidate:1 1 tcp 1518280447 127.0.0.1 9 typ host tcptype active"),
    "candidate: tcp without tcptype": with_candidates("candidate:1 1 tcp 1518280447 127.0.0.1 9 typ host"),
    "candidate: ssltcp": with_candidates("candidate:1 1 ssltcp 1518280447 127.0.0.1 443 typ host"),
    "candidate: unknown transport": with_candidates("candidate:1 1 sctp 1518280447 127.0.0.1 9 typ host"),
    "candidate: UDP in upper case": with_candidates("candidate:1 1 UDP 1518280447 127.0.0.1 9 typ host"),
    "candidate: extensions": with_candidates(
        candidate(rest=" generation 0 ufrag Fo1o network-id 1 network-cost 50 x-own y")
    ),
    "candidate: an extension without a value": with_candidates(candidate(rest=" generation")),
    "candidate: another ufrag": with_candidates(candidate(rest=" ufrag Other")),
    "candidate: component 2": with_candidates(candidate().replace("1 1 udp", "1 2 udp")),
    "candidate: component 300": with_candidates(candidate().replace("1 1 udp", "1 300 udp")),
    "candidate: port 0": with_candidates(candidate(port=0)),
    "candidate: port 22": with_candidates(candidate(port=22)),
    "candidate: port 99999": with_candidates(candidate(port=99999)),
    "candidate: port -1": with_candidates(candidate(port=-1)),
    "candidate: port not a number": with_candidates(candidate(port="x")),
    "candidate: priority too large": with_candidates(candidate().replace("2130706431", "4294967296")),
    "candidate: unknown type": with_candidates(candidate(kind="hots")),
    "candidate: too short": with_candidates("candidate:1 1 udp 2130706431 127.0.0.1"),
    "candidate: empty": with_candidates("candidate:"),
    "candidate: no address": with_candidates(candidate("nowhere at all", 9)),
    "candidate: in a foundation of 33": with_candidates(candidate(foundation="f" * 33)),
    "candidate: at the session's level": session(candidate()) + audio(),
    "candidate: end of candidates": with_candidates(candidate(), "end-of-candidates"),
    "candidate: malformed in a rejected section": SESSION + audio() + video("candidate:what", port=0),
    "candidate: malformed in a section of no kind": SESSION
    + audio()
    + lines("m=image 9 udptl t38", "a=mid:9", "a=candidate:what"),
    "candidate: tabs between the words": with_candidates(candidate().replace(" ", "\t")),
    "candidate: two blanks between the words": with_candidates(candidate().replace(" udp", "  udp")),
    "candidate: remote-candidates": in_audio("remote-candidates:1 192.0.2.3 45664"),
}

DIRECTIONS_AND_STREAMS = {
    "direction: none": without(PLAIN, "a=sendrecv"),
    "direction: inactive at the session's level": session("inactive") + without(audio(), "a=sendrecv"),
    "direction: sendonly at the session's level": session("sendonly") + without(audio(), "a=sendrecv"),
    "direction: recvonly": replaced(PLAIN, "a=sendrecv", "a=recvonly"),
    "direction: two of them": in_audio("recvonly"),
    "direction: with a value": replaced(PLAIN, "a=sendrecv", "a=sendonly:now"),
    "stream: msid": in_audio("msid:stream track"),
    "stream: msid without a track": in_audio("msid:stream"),
    "stream: msid empty": in_audio("msid:"),
    "stream: msid of three words": in_audio("msid:stream track more"),
    "stream: msid of none": in_audio("msid:- track"),
    "stream: two msids": in_audio("msid:first track", "msid:second track"),
    "stream: ssrc msid (Plan B)": in_audio("ssrc:1001 cname:x", "ssrc:1001 msid:stream track"),
    "stream: Plan B, two in a section": SESSION
    + lines("a=msid-semantic: WMS s1 s2")
    + video(
        *RTX,
        "ssrc-group:FID 1 2",
        *(f"ssrc:{one} cname:x" for one in (1, 2)),
        *(f"ssrc:{one} msid:s1 t1" for one in (1, 2)),
        "ssrc-group:FID 3 4",
        *(f"ssrc:{one} cname:x" for one in (3, 4)),
        *(f"ssrc:{one} msid:s2 t2" for one in (3, 4)),
        formats="96 97",
    ),
    "ssrc: without an attribute": in_audio("ssrc:1001"),
    "ssrc: an attribute without a value": in_audio("ssrc:1001 cname"),
    "ssrc: unknown attribute": in_audio("ssrc:1001 previous-ssrc:7"),
    "ssrc: not a number": in_audio("ssrc:x cname:y"),
    "ssrc: too large": in_audio("ssrc:4294967296 cname:y"),
    "ssrc-group: SIM": SESSION + video("ssrc-group:SIM 1 2 3", *(f"ssrc:{one} cname:x" for one in (1, 2, 3))),
    "ssrc-group: words": in_audio("ssrc-group:FID a b"),
    "ssrc-group: of ssrcs that aren't there": in_audio("ssrc-group:FID 5 6"),
    "simulcast: send": SESSION
    + video(
        "extmap:4 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
        "rid:hi send",
        "rid:lo send pt=96;max-width=320",
        "simulcast:send hi;lo",
    ),
    "simulcast: recv": SESSION + video("rid:hi recv", "rid:lo recv", "simulcast:recv hi;lo"),
    "simulcast: of rids that aren't there": SESSION + video("simulcast:send hi;lo"),
    "simulcast: malformed": SESSION + video("rid:hi send", "simulcast:perhaps hi"),
    "rid: malformed": SESSION + video("rid:hi"),
}

TEXTS = {
    "text: LF alone": PLAIN.replace("\r\n", "\n"),
    "text: CR alone": PLAIN.replace("\r\n", "\r"),
    "text: mixed line ends": PLAIN.replace("\r\n", "\n", 5),
    "text: no final line end": PLAIN.removesuffix("\r\n"),
    "text: empty lines at the end": PLAIN + "\r\n\r\n",
    "text: an empty line in it": replaced(PLAIN, "a=rtcp-mux", "\r\na=rtcp-mux"),
    "text: byte order mark": "\ufeff" + PLAIN,
    "text: a space before v=": " " + PLAIN,
    "text: blanks at a line's end": replaced(PLAIN, "a=rtcp-mux", "a=rtcp-mux "),
    "text: blanks around a type": replaced(PLAIN, "a=rtcp-mux", "a = rtcp-mux"),
    "text: an upper case type": replaced(PLAIN, "a=rtcp-mux", "A=rtcp-mux"),
    "text: a line that is none": replaced(PLAIN, "a=rtcp-mux", "hello\r\na=rtcp-mux"),
    "text: an unknown type": replaced(PLAIN, "a=rtcp-mux", "y=1\r\na=rtcp-mux"),
    "text: an unknown attribute": in_audio("x-own:value", "x-flag", "path:msrp://x"),
    "text: an attribute without a name": in_audio(""),
    "text: an attribute that is only a colon": in_audio(":"),
    "text: not ASCII in s=": replaced(PLAIN, "s=-", "s=Gespräch"),
    "text: control characters": in_audio("x-own:\x01\x02\x1b"),
    "text: NUL": in_audio("x-own:\x00"),
    "text: NUL in a line that counts": replaced(PLAIN, "a=rtcp-mux", "a=rtcp-mux\x00"),
    "text: form feed and line separator": in_audio("x-own:a\x0cb\u2028c\x85d"),
    "text: a line of 100,000": in_audio("x-own:" + "x" * 100_000),
    "text: v=1": replaced(PLAIN, "v=0", "v=1"),
    "text: no o=": without(PLAIN, "o="),
    "text: no s=": without(PLAIN, "s="),
    "text: no t=": without(PLAIN, "t="),
    "text: s= empty": replaced(PLAIN, "s=-", "s="),
    "text: o= with too few words": replaced(PLAIN, "o=- 4611731400430051336 2 IN IP4 127.0.0.1", "o=- 1 2"),
    "text: o= with a name": replaced(PLAIN, "IN IP4 127.0.0.1", "IN IP4 gateway.example.org"),
    "text: s= before o=": lines("v=0", "s=-", "o=- 1 2 IN IP4 127.0.0.1", "t=0 0") + audio(),
    "text: all the types of RFC 8866": lines(
        *("v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "i=x", "u=http://x", "e=a@b", "p=+1", "c=IN IP4 0.0.0.0", "b=CT:9"),
        *("t=0 0", "r=7d 1h 0 25h", "z=0 0", "k=clear:x"),
    )
    + audio(),
    "text: b= lines": replaced(PLAIN, "a=mid:0", "b=AS:64\r\nb=TIAS:64000\r\nb=X-own:1\r\na=mid:0"),
    "text: b= that isn't a number": replaced(PLAIN, "a=mid:0", "b=AS:many\r\na=mid:0"),
    "text: c= of IPv6": replaced(PLAIN, "c=IN IP4 0.0.0.0", "c=IN IP6 ::"),
    "text: c= with a name": replaced(PLAIN, "c=IN IP4 0.0.0.0", "c=IN IP4 camera.example.org"),
    "text: c= with a TTL": replaced(PLAIN, "c=IN IP4 0.0.0.0", "c=IN IP4 224.2.36.42/127"),
    "text: c= that is none": replaced(PLAIN, "c=IN IP4 0.0.0.0", "c=nowhere"),
    "text: no c=": without(PLAIN, "c="),
    "media: port 9/2": replaced(PLAIN, "m=audio 9 ", "m=audio 9/2 "),
    "media: port 70000": replaced(PLAIN, "m=audio 9 ", "m=audio 70000 "),
    "media: port -1": replaced(PLAIN, "m=audio 9 ", "m=audio -1 "),
    "media: port a word": replaced(PLAIN, "m=audio 9 ", "m=audio x "),
    "media: kind unknown": SESSION + audio() + media("hologram", "111", *AUDIO, mid=1) + SECURE,
    "media: kind unknown alone": SESSION + media("hologram", "111", *AUDIO) + SECURE,
    "media: too few words": SESSION + lines("m=audio 9") + SECURE,
    "media: two audio sections": SESSION + bundle(0, 1) + audio() + audio(mid=1),
    "media: all rejected": SESSION + audio(port=0),
    "media: no section": SESSION,
    "no SDP": "hello",
    "no text": "",
    "JSON": '{"type": "offer"}',
}

WHOLE = {
    "SIP gateway, RTP/AVP with crypto": lines(
        "v=0",
        "o=root 1821 1821 IN IP4 192.0.2.7",
        "s=Asterisk PBX 13.38",
        "c=IN IP4 192.0.2.7",
        "t=0 0",
        "m=audio 18234 RTP/SAVP 0 8 101",
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-16",
        "a=ptime:20",
        "a=maxptime:150",
        "a=sendrecv",
    ),
    "SIP gateway, WebRTC, no mid": lines(
        "v=0",
        "o=FreeSWITCH 1700000000 1700000001 IN IP4 192.0.2.7",
        "s=FreeSWITCH",
        "c=IN IP4 192.0.2.7",
        "t=0 0",
        "a=msid-semantic: WMS x",
        "m=audio 24532 UDP/TLS/RTP/SAVPF 0 8 101",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-15",
        "a=silenceSupp:off - - - -",
        "a=ptime:20",
        "a=sendrecv",
        f"a=fingerprint:{FINGERPRINT}",
        "a=setup:actpass",
        "a=rtcp-mux",
        "a=rtcp:24532 IN IP4 192.0.2.7",
        "a=ssrc:2718281828 cname:x",
        "a=ssrc:2718281828 msid:x a0",
        "a=ice-ufrag:bPx0",
        "a=ice-pwd:0cK8Vr3OuYq1nqbHf5n3oSBa",
        "a=candidate:5467 1 udp 659136 192.0.2.7 24532 typ host generation 0",
        "a=end-of-candidates",
    ),
    "old Firefox": lines(
        "v=0",
        "o=mozilla...THIS_IS_SDPARTA-38.0 7 0 IN IP4 0.0.0.0",
        "s=-",
        "t=0 0",
        f"a=fingerprint:{FINGERPRINT}",
        "a=ice-options:trickle",
        "a=msid-semantic:WMS *",
        "m=audio 9 RTP/SAVPF 109 9 0 8",
        "c=IN IP4 0.0.0.0",
        "a=sendrecv",
        "a=ice-pwd:3b2c5d0c2b5c0e4c8b1f5d6a7e8f9a0b",
        "a=ice-ufrag:5f2a8c1d",
        "a=msid:{stream} {track}",
        "a=rtcp-mux",
        "a=rtpmap:109 opus/48000/2",
        "a=rtpmap:9 G722/8000/1",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:8 PCMA/8000",
        "a=setup:actpass",
        "a=ssrc:859347 cname:{x}",
        "m=application 9 DTLS/SCTP 5000",
        "c=IN IP4 0.0.0.0",
        "a=sendrecv",
        "a=ice-pwd:3b2c5d0c2b5c0e4c8b1f5d6a7e8f9a0b",
        "a=ice-ufrag:5f2a8c1d",
        "a=sctpmap:5000 webrtc-datachannel 256",
        "a=setup:actpass",
    ),
    "camera, unbundled, H264 and PCMA": lines(
        "v=0",
        "o=- 1 1 IN IP4 192.0.2.9",
        "s=camera",
        "t=0 0",
        "a=ice-lite",
        "m=video 5004 UDP/TLS/RTP/SAVPF 102",
        "c=IN IP4 192.0.2.9",
        "a=rtpmap:102 H264/90000",
        "a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
        "a=sendonly",
        "a=rtcp-mux",
        "a=mid:video0",
        "a=ice-ufrag:camv",
        "a=ice-pwd:vvvvvvvvvvvvvvvvvvvvvvvv",
        f"a=fingerprint:{FINGERPRINT}",
        "a=setup:passive",
        "a=candidate:1 1 UDP 2013266431 192.0.2.9 5004 typ host",
        "m=audio 5006 UDP/TLS/RTP/SAVPF 8",
        "c=IN IP4 192.0.2.9",
        "a=sendonly",
        "a=rtcp-mux",
        "a=mid:audio0",
        "a=ice-ufrag:cama",
        "a=ice-pwd:aaaaaaaaaaaaaaaaaaaaaaaa",
        f"a=fingerprint:{FINGERPRINT}",
        "a=setup:passive",
        "a=candidate:1 1 UDP 2013266431 192.0.2.9 5006 typ host",
    ),
    "conference server, ICE lite": lines(
        "v=0",
        "o=- 10000 1 IN IP4 0.0.0.0",
        "s=-",
        "t=0 0",
        "a=ice-lite",
        f"a=fingerprint:{FINGERPRINT}",
        "a=msid-semantic: WMS *",
        "a=group:BUNDLE 0 1",
        "m=audio 7 UDP/TLS/RTP/SAVPF 111",
        "c=IN IP4 127.0.0.1",
        "a=rtpmap:111 opus/48000/2",
        "a=setup:actpass",
        "a=mid:0",
        "a=msid:p1 a1",
        "a=sendonly",
        "a=ice-ufrag:x9y8",
        "a=ice-pwd:p0o9i8u7y6t5r4e3w2q1a0s9",
        "a=candidate:udpcandidate 1 udp 1076302079 127.0.0.1 40000 typ host",
        "a=candidate:tcpcandidate 1 tcp 1076302079 127.0.0.1 40000 typ host tcptype passive",
        "a=end-of-candidates",
        "a=ice-options:renomination",
        "a=ssrc:100 cname:c",
        "a=rtcp-mux",
        "a=rtcp-rsize",
        "m=video 0 UDP/TLS/RTP/SAVPF 96",
        "c=IN IP4 127.0.0.1",
        "a=rtpmap:96 VP8/90000",
        "a=mid:1",
        "a=bundle-only",
        "a=inactive",
        "a=rtcp-mux",
    ),
}

OFFERS: dict[str, str] = {
    **WHOLE,
    **BUNDLES,
    **MIDS,
    **PROTOS,
    **CODECS,
    **TRANSPORTS,
    **CANDIDATES,
    **DIRECTIONS_AND_STREAMS,
    **TEXTS,
}
"""Each offer, by its name."""
