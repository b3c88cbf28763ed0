"""Counts of what the service did, in Prometheus' text format."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterable

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The counters of one application."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._started = time.time()
        self._requests: defaultdict[tuple[str, str, int], int] = defaultdict(int)
        self._buckets: defaultdict[str, list[int]] = defaultdict(lambda: [0] * len(_BUCKETS))
        self._sums: defaultdict[str, float] = defaultdict(float)
        self._counts: defaultdict[str, int] = defaultdict(int)

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request. ``route`` is the pattern, not the address."""
        with self._lock:
            self._requests[method, route, status] += 1
            self._sums[route] += seconds
            self._counts[route] += 1
            for at, bound in enumerate(_BUCKETS):
                if seconds <= bound:
                    self._buckets[route][at] += 1

    def text(self, operations: Iterable[tuple[str, str, int]]) -> str:
        """The exposition. ``operations`` are (kind, state, number).

        https://prometheus.io/docs/instrumenting/exposition_formats/
        """
        lines = [
            "# HELP spokehub_start_time_seconds When the service started, in Unix time.",
            "# TYPE spokehub_start_time_seconds gauge",
            f"spokehub_start_time_seconds {self._started:.3f}",
            "# HELP spokehub_operations Operations by kind and state.",
            "# TYPE spokehub_operations gauge",
        ]
        lines += [
            f"spokehub_operations{_labels(kind=kind, state=state)} {number}"
            for kind, state, number in operations
        ]
        with self._lock:
            lines += self._request_lines()
        return "\n".join(lines) + "\n"

    def _request_lines(self) -> list[str]:
        lines = [
            "# HELP spokehub_http_requests_total Answered requests.",
            "# TYPE spokehub_http_requests_total counter",
        ]
        for (method, route, status), number in sorted(self._requests.items()):
            labels = _labels(method=method, route=route, status=str(status))
            lines.append(f"spokehub_http_requests_total{labels} {number}")
        lines += [
            "# HELP spokehub_http_request_seconds Time to answer, by route.",
            "# TYPE spokehub_http_request_seconds histogram",
        ]
        name = "spokehub_http_request_seconds"
        for route in sorted(self._counts):
            for bound, number in zip(_BUCKETS, self._buckets[route], strict=True):
                lines.append(f"{name}_bucket{_labels(route=route, le=str(bound))} {number}")
            lines.append(f"{name}_bucket{_labels(route=route, le='+Inf')} {self._counts[route]}")
            lines.append(f"{name}_sum{_labels(route=route)} {self._sums[route]:.6f}")
            lines.append(f"{name}_count{_labels(route=route)} {self._counts[route]}")
        return lines


def _labels(**labels: str) -> str:
    def escaped(value: str) -> str:
        return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

    return "{" + ",".join(f'{name}="{escaped(value)}"' for name, value in labels.items()) + "}"
