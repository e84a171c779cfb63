"""What a signalling service counts, as Prometheus reads it: needs prometheus-client, of the extra ``server``."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from fsm_rtc.signaling.service import SignalingService

PREFIX = "fsm_rtc_signaling"

COUNTERS = {
    "joined": "Sessions that began.",
    "resumed": "Sessions that went on with another socket.",
    "lost": "Sockets that were lost without a word.",
    "left": "Sessions that ended.",
    "deliveries": "Messages put into members' mailboxes.",
}


class ServiceCollector(Collector):
    """Reads a service whenever it is asked; nothing is counted twice.

    Args:
        service: which.
    """

    def __init__(self, service: SignalingService) -> None:
        self._service = service

    def collect(self) -> Iterator[Metric]:
        """Every figure. No room, id or address is among the labels."""
        service, hub = self._service, self._service.hub
        gauges = {
            "sockets": ("Sockets that are open.", service.link_count),
            "rooms": ("Rooms with somebody in them.", len(hub)),
            "members": ("Members, those included that may come back.", hub.member_count),
            "members_away": ("Members without a socket that may come back.", hub.away_count),
            "unread_deliveries": ("Messages that members have not said to have seen.", service.unread_messages),
            "draining": ("1 while nobody new is let in.", int(not hub.takes_sessions)),
        }
        for name, (text, value) in gauges.items():
            yield GaugeMetricFamily(f"{PREFIX}_{name}", text, value=value)
        for name, text in COUNTERS.items():
            yield CounterMetricFamily(f"{PREFIX}_{name}", text, value=service.counts[name])
        refused = CounterMetricFamily(f"{PREFIX}_refused", "What was refused, by error code.", labels=["code"])
        for code, times in sorted(service.refused.items()):
            refused.add_metric([code.value], times)
        yield refused


def exposition(service: SignalingService) -> bytes:
    """The figures in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(ServiceCollector(service))
    return generate_latest(registry)
