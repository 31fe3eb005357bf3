"""Work side by side: worker processes of one thread each, which end with their parent."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from typing import Any

# Workers already share the cores; threads inside each would only compete for them, and sums whose
# order depends on the number of threads would make results differ from machine to machine.
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "",
    "MPLBACKEND": "agg",
}


def each(
    task: Callable[..., Any], arguments: Sequence[tuple[Any, ...]], n_workers: int
) -> Iterator[tuple[int, Any]]:
    """Call ``task`` with each of several arguments; yield (position, answer) as they finish.

    With one worker the calls are made here, in order. With several, in processes that a failure, an
    interrupt or the end of this process stops at once.

    Raises
    ------
    Exception
        Whatever ``task`` raises, from the first call that fails.
    """
    if n_workers <= 1 or len(arguments) <= 1:
        from threadpoolctl import threadpool_limits  # imports what the listing can do without

        for i, given in enumerate(arguments):
            with threadpool_limits(1), environment(ONE_THREAD):
                answer = task(*given)
            yield i, answer
        return
    with _pool(min(n_workers, len(arguments))) as pool:
        futures = {pool.submit(task, *given): i for i, given in enumerate(arguments)}
        for finished in as_completed(futures):
            yield futures[finished], finished.result()


@contextmanager
def _pool(n_workers: int) -> Iterator[ProcessPoolExecutor]:
    with environment(ONE_THREAD):  # inherited by the workers, before they import anything
        pool = ProcessPoolExecutor(
            n_workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_begin_worker,
        )
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in multiprocessing.active_children():
                process.terminate()
            raise
        finally:
            pool.shutdown()


def _begin_worker() -> None:
    """In a worker: leave interrupts to the parent, and end when the parent does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    multiprocessing.connection.wait([parent.sentinel])
    os._exit(1)


def keep_compiled() -> None:
    """Keep what is compiled, here and in child processes, even if the environment says not to.

    Otherwise each process compiles TensorFlow anew, which takes 20 seconds.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables, and set them back."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value


def cores() -> int:
    """How many cores this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
