"""ICE over aioice, under aiortc's names: candidates as they are found, several servers, consent, and restarts."""

from fsm_rtc.peer.ice.agent import host_addresses, servers_of
from fsm_rtc.peer.ice.gatherer import IceCandidateError, IceGatherer
from fsm_rtc.peer.ice.transport import IceCandidatePair, IceTransport

__all__ = ["IceCandidateError", "IceCandidatePair", "IceGatherer", "IceTransport", "servers_of", "host_addresses"]
