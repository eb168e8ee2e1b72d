"""Figures for Prometheus: requests, runs, streams, and this process.

Does not handle: figures of the rows of a run, which the API has.
"""

from __future__ import annotations

from http import HTTPStatus

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from selfinstruct.service.models import NoBody, NoQuery
from selfinstruct.service.routes import Call, Route

_TYPE = "text/plain"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)


class Metrics:
    """The figures of one service, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "selfinstruct_requests", "Answered requests.", ("route", "method", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "selfinstruct_request_seconds",
            "Time to answer a request; of a stream, the time it was open.",
            ("route",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.runs_ended = Counter(
            "selfinstruct_runs_ended",
            "Sessions of runs that ended, by the state of the job.",
            ("state",),
            registry=self.registry,
        )
        self.runs_growing = Gauge("selfinstruct_runs_growing", "Runs that grow.", registry=self.registry)
        self.runs_waiting = Gauge("selfinstruct_runs_waiting", "Runs in the queue.", registry=self.registry)
        self.streams = Gauge("selfinstruct_event_streams", "Open event streams.", registry=self.registry)
        self.disk_bytes = Gauge("selfinstruct_disk_bytes", "Bytes of runs and uploads.", registry=self.registry)

    def count_request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count an answered request by the template of its path."""
        self._requests.labels(route, method, str(status)).inc()
        self._seconds.labels(route).observe(seconds)


async def send_metrics(call: Call[NoQuery, NoBody]) -> web.StreamResponse:
    """The figures of the service, as Prometheus reads them."""
    service, metrics = call.service, call.service.metrics
    metrics.runs_growing.set(len(service.jobs.live))
    metrics.runs_waiting.set(service.jobs.waiting())
    metrics.streams.set(service.feeds.listeners)
    metrics.disk_bytes.set(await service.size())
    headers = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
    return web.Response(status=HTTPStatus.OK, body=generate_latest(metrics.registry), headers=headers)


ROUTES = (Route("GET", "/metrics", send_metrics, "Figures for Prometheus", media=_TYPE),)
