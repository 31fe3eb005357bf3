"""What a piece of work costs: processor time, and memory at the worst moment."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable

import pyarrow as pa

_POOLS: list[pa.MemoryPool] = []  # kept, because what they have allocated may outlive the work


def seconds(work: Callable[[], object]) -> float:
    """Processor time, of all threads: what else the machine does is not counted."""
    began = time.process_time()
    work()
    return time.process_time() - began


def megabytes(work: Callable[[], object]) -> float:
    """The most that Arrow had allocated, plus the most that Python and NumPy had.

    What the trees need is left out: it is the same for all ways to ask them.
    """
    before, own = pa.default_memory_pool(), pa.proxy_memory_pool(pa.default_memory_pool())
    _POOLS.append(own)
    pa.set_memory_pool(own)
    tracemalloc.start()
    try:
        work()
        return float(own.max_memory() + tracemalloc.get_traced_memory()[1]) / 1e6
    finally:
        tracemalloc.stop()
        pa.set_memory_pool(before)
