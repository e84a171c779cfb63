import asyncio
import aiortc
from aioice import ice as _ice
from aiortc.rtcicetransport import RTCIceGatherer, RTCIceTransport

def host_addresses():
    return _ice.get_host_addresses(use_ipv4=True, use_ipv6=True)

class IceGatherer(RTCIceGatherer):
    def __init__(self, iceServers=None, iceTransportPolicy=aiortc.RTCIceTransportPolicy.ALL, local_username=None, local_password=None, *, timeout_seconds=5.0, loopback=False):
        super().__init__(iceServers or [], iceTransportPolicy, local_username, local_password)
        self.hosts_found = asyncio.Event()
        c = self._connection
        original = c.get_component_candidates
        async def bounded(component, addresses):
            found = await original(component=component, addresses=["127.0.0.1"] if loopback else addresses, timeout=timeout_seconds)
            from aiortc.rtcicetransport import candidate_from_aioice
            for one in found:
                self.emit("candidate", candidate_from_aioice(one))
            return found
        c.get_component_candidates = bounded
        self.stopped = False
    async def gather(self):
        self.on("statechange", self._tell)
        await super().gather()
        self.hosts_found.set()
    def _tell(self):
        if self.state == "completed":
            self.hosts_found.set()
    async def stop(self):
        if not self.stopped:
            self.stopped = True
            self.remove_all_listeners()
            await self._connection.close()
    def remove_all_listeners(self, *a):
        super().remove_all_listeners(*a)

class IceTransport(RTCIceTransport):
    @property
    def state(self):
        s = super().state
        return s
    async def restart(self, gatherer, remote):
        raise NotImplementedError
