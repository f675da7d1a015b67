"""What a relay tells Prometheus, and whoever asks for its health: ``/metrics`` and ``/health``."""

from __future__ import annotations

import json
import socket
import threading
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import prometheus_client
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from snowplow_logging._redis import FAILURES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from typing_extensions import Self

    from snowplow_logging.relay.relay import Relay

PREFIX = "snowplow_relay"


class RelayCollector(Collector):
    """Makes the metrics, at each request anew.

    Args:
        relay: Whose they are.
    """

    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    def collect(self) -> Iterator[Metric]:
        """Yields all families."""
        stats, counts = self._relay.stats(), self._relay.counts()
        yield _counter("delivered_events", "Events that the collector has taken", stats.delivered)
        yield _counter("retried_events", "Times that an event is tried again", stats.retried)
        yield _counter("requests", "Requests to the collector", stats.requests)
        yield _counter("acknowledged_entries", "Entries done with in Redis", counts.acknowledged)
        yield _counter("adopted_entries", "Entries taken over from silent relays", counts.adopted)
        yield _counter("gone_entries", "Entries trimmed while relays held them", counts.gone)
        yield _counter("redis_errors", "Commands that Redis did not do", counts.redis_errors)
        dead = CounterMetricFamily(
            f"{PREFIX}_dead_lettered_entries", "Entries set aside", labels=["reason"]
        )
        for reason in ("malformed", "oversize", "rejected"):
            dead.add_metric([reason], counts.dead[reason])
        yield dead
        yield _gauge("held_entries", "Entries read and not yet acknowledged", self._relay.held())
        last = stats.last_delivery or 0
        yield _gauge("last_delivery_timestamp_seconds", "When a request has last succeeded", last)
        yield from self._errors()
        yield from self._state()

    def _errors(self) -> Iterator[Metric]:
        """Yields whether a side fails now, and what each has failed of last."""
        errors = {"collector": self._relay.stats().last_error,
                  "redis": self._relay.counts().redis_error}  # fmt: skip
        failing = GaugeMetricFamily(f"{PREFIX}_failing", "1 while a side fails", labels=["side"])
        for side, error in self._relay.failing().items():
            failing.add_metric([side], error is not None)
        last = GaugeMetricFamily(
            f"{PREFIX}_last_error_info", "What a side has failed of last", labels=["side", "error"]
        )
        for side, error in errors.items():
            last.add_metric([side, error or ""], 1)
        yield failing
        yield last

    def _state(self) -> Iterator[Metric]:
        """Yields what Redis says of the stream, unless it says nothing."""
        try:
            state = self._relay.state()
        except FAILURES:
            yield _gauge("redis_up", "Whether Redis answers", 0)
            return
        yield _gauge("redis_up", "Whether Redis answers", 1)
        yield _gauge("stream_entries", "Entries in the stream", state.length)
        yield _gauge("lag_entries", "Entries that no relay has read", state.lag)
        yield _gauge("pending_entries", "Entries that relays hold", state.pending)
        yield _gauge("consumers", "Relays of the group", state.consumers)
        yield _gauge("dead_letter_entries", "Entries in the dead-letter stream", state.dead)


class MetricsServer:
    """Serves a relay's metrics and health over HTTP, from a thread of its own.

    Args:
        relay: Whose they are.
        host: The address to serve.
        port: The port; 0 takes a free one.

    Raises:
        OSError: The address is taken, or is not this machine's.
    """

    def __init__(self, relay: Relay, host: str, port: int) -> None:
        self._relay = relay
        self._host = host
        registry = prometheus_client.CollectorRegistry(auto_describe=False)
        registry.register(RelayCollector(relay))
        client: Any = prometheus_client  # whose types are not all known
        self._metrics = client.make_wsgi_app(registry)
        kind = _Server6 if ":" in host else _Server
        self._server = make_server(
            host, port, self._answer, server_class=kind, handler_class=_Silent
        )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)

    @property
    def url(self) -> str:
        """Where the metrics are."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._server.server_port}/metrics"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _answer(self, environment: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path = environment["PATH_INFO"]
        if path == "/metrics":
            answer: Iterable[bytes] = self._metrics(environment, start)
            return answer
        if path != "/health":
            start("404 Not Found", [("Content-Type", "text/plain")])
            return [b"There are /metrics and /health\n"]
        problems = health(self._relay)
        status = "503 Service Unavailable" if problems["redis"] else "200 OK"
        start(status, [("Content-Type", "application/json")])
        return [json.dumps(problems).encode()]


def health(relay: Relay) -> dict[str, str | None]:
    """Returns what fails, by side; a relay whose collector fails is itself well, and waits."""
    failing = relay.failing()
    if not relay.is_alive:
        failing["redis"] = "the relay does not read"
    return failing


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        """Writes no line for each request."""


def _counter(name: str, meaning: str, value: float) -> CounterMetricFamily:
    return CounterMetricFamily(f"{PREFIX}_{name}", meaning, value=value)


def _gauge(name: str, meaning: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{PREFIX}_{name}", meaning, value=value)
