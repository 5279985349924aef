"""gRPC server metrics under the names of go-grpc-middleware, so that stock dashboards work."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)

__all__ = ("GrpcMetrics", "describe_build", "installed_version", "new_registry")

_CALL = ("grpc_type", "grpc_service", "grpc_method")

# From a voice fragment (tens of milliseconds) to a stream that lasts a conversation.
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)


def new_registry() -> CollectorRegistry:
    """An empty registry with the figures of the process (memory, CPU, open files)."""
    # The extra *_created series double the size of a scrape and no dashboard reads them.
    disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    return registry


def describe_build(registry: CollectorRegistry, service: str) -> None:
    """Adds `voicemesh_build_info{service,version}`, always 1, once to a registry."""
    info = Gauge(
        "voicemesh_build_info",
        "Name and version of the running service.",
        ("service", "version"),
        registry=registry,
    )
    info.labels(service=service, version=installed_version(service)).set(1)


def installed_version(service: str) -> str:
    """The version of the service's distribution, or of the chassis if it has none."""
    for distribution in (f"voicemesh-{service}", "voicemesh-chassis"):
        try:
            return version(distribution)
        except PackageNotFoundError:
            continue
    return "unknown"


class GrpcMetrics:
    """The metrics of one gRPC server; labels are `grpc_type`, `grpc_service`, `grpc_method`.

    Attributes:
        started: calls begun.
        handled: calls ended, by `grpc_code` in go's spelling (`OK`, `InvalidArgument`).
        seconds: time from begin to end of a call.
        received: messages taken from callers.
        sent: messages given to callers.
        in_flight: calls begun and not ended.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.started = Counter(
            "grpc_server_started_total",
            "Total number of RPCs started on the server.",
            _CALL,
            registry=registry,
        )
        self.handled = Counter(
            "grpc_server_handled_total",
            "Total number of RPCs completed on the server, regardless of success or failure.",
            (*_CALL, "grpc_code"),
            registry=registry,
        )
        self.seconds = Histogram(
            "grpc_server_handling_seconds",
            "Response latency of RPCs that had been handled by the server, in seconds.",
            _CALL,
            buckets=_SECONDS,
            registry=registry,
        )
        self.received = Counter(
            "grpc_server_msg_received_total",
            "Total number of RPC stream messages received on the server.",
            _CALL,
            registry=registry,
        )
        self.sent = Counter(
            "grpc_server_msg_sent_total",
            "Total number of RPC stream messages sent by the server.",
            _CALL,
            registry=registry,
        )
        self.in_flight = Gauge(
            "grpc_server_in_flight",
            "Number of RPCs being served.",
            _CALL,
            registry=registry,
        )
