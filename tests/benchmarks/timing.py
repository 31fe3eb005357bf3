"""What all benchmarks share: times as ratios, for a shared machine is no place for a stopwatch."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median


def ratio(one: Callable[[], object], other: Callable[[], object], rounds: int = 7) -> float:
    """Median over rounds of the time of one relative to the other."""

    def seconds(function: Callable[[], object]) -> float:
        started = time.perf_counter()
        function()
        return time.perf_counter() - started

    return median(seconds(one) / seconds(other) for _ in range(rounds))
