"""Searches that are replayed from a table of learning curves, as Optuna's pruners would run them.

Optuna asks its storage at each step. That takes seconds for one search, and these take
milliseconds. The tests compare them with Optuna's pruners, trial by trial.
"""

from __future__ import annotations

import math
from binascii import crc32
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Curves = NDArray[np.float64]  # (n_trials, n_steps): losses in the order in which trials run
Steps = NDArray[np.int64]  # (n_steps,): the cost of a trial up to each loss
Stop = Callable[[int, Curves], int | None]  # of a trial: the position at which it is pruned


def replay(
    curves: Curves, steps: Steps, stop: Stop | None = None, patience: float | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Cost of each trial, its value, NaN where it is pruned, and the position of its best loss."""
    cost, value, best = [], [], []
    for trial, curve in enumerate(curves):
        end = len(curve) - 1
        if patience is not None:
            lowest = np.minimum.accumulate(curve)
            first = np.concatenate([[True], lowest[1:] < lowest[:-1]])
            at = np.maximum.accumulate(np.where(first, np.arange(len(curve)), 0))
            late = np.flatnonzero(steps - steps[at] >= patience)
            end = int(late[0]) if len(late) else end
        pruned = None if stop is None else stop(trial, curve[: end + 1])
        cost.append(steps[end if pruned is None else pruned])
        best.append(int(np.argmin(curve[: end + 1])))
        value.append(math.nan if pruned is not None else curve[best[-1]])
    return np.array(cost, dtype=float), np.array(value), np.array(best)


def halving(steps: Steps, min_resource: int, factor: int = 3, skip: int = 0) -> Stop:
    """As ``optuna.pruners.SuccessiveHalvingPruner`` stops."""
    rungs: list[list[float]] = []

    def stop(trial: int, curve: Curves) -> int | None:
        rung = 0
        for position, (step, loss) in enumerate(zip(steps, curve, strict=False)):
            while step >= min_resource * factor ** (skip + rung):
                if rung == len(rungs):
                    rungs.append([])
                rungs[rung].append(loss)
                kept = max(len(rungs[rung]) // factor - 1, 0)
                if loss > sorted(rungs[rung])[kept]:
                    return position
                rung += 1
        return None

    return stop


def hyperband(steps: Steps, min_resource: int, factor: int = 3, name: str = "study") -> Stop:
    """As ``optuna.pruners.HyperbandPruner`` stops: brackets that start to halve later and later."""
    n_brackets = int(math.log(steps[-1] / min_resource, factor)) + 1
    shares = [
        math.ceil(n_brackets * factor**left / (left + 1)) for left in reversed(range(n_brackets))
    ]
    brackets = [halving(steps, min_resource, factor, skip) for skip in range(n_brackets)]

    def stop(trial: int, curve: Curves) -> int | None:
        left = crc32(f"{name}_{trial}".encode()) % sum(shares)
        return brackets[int(np.searchsorted(np.cumsum(shares), left, side="right"))](trial, curve)

    return stop


def median(steps: Steps, n_startup: int = 5, n_warmup: int = 0) -> Stop:
    """As ``optuna.pruners.MedianPruner`` stops."""
    complete: list[Curves] = []

    def stop(trial: int, curve: Curves) -> int | None:
        if len(complete) >= n_startup:
            for position in range(len(curve)):
                there = [c[position] for c in complete if position < len(c)]
                if steps[position] < n_warmup or not there:
                    continue
                if curve[: position + 1].min() > np.median(there):
                    return position
        complete.append(curve)
        return None

    return stop
