"""What a process may keep between requests, what that changes, and which test notices it."""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from datasets.bike_rentals import STATIONS
from patterns._kit.evidence import Claim, Drawing, Experiment, MetricsOfSeeds, Result
from patterns._kit.figures import ALTERNATIVE, BASELINE, PATTERN
from patterns.stateless_serving.evidence.rides import RECENT, fitted, records, rides
from patterns.stateless_serving.pattern import Snapshot, predict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from patterns.stateless_serving.evidence import Config

Row = dict[str, Any]
# A fresh process: a function from a request to the row that its model is given. All models but one
# are the same, so many rows can be predicted at once, equal to the last bit.
Start = Callable[[], Callable[[Row], Row]]


def pure() -> Callable[[Row], Row]:
    """Keeps nothing; what is usual comes with the request."""
    return dict


def rolling_mean() -> Callable[[Row], Row]:
    """Takes for usual the mean temperature of the last requests that it saw."""
    seen: deque[float] = deque(maxlen=RECENT)

    def given(row: Row) -> Row:
        usual = math.fsum(seen) / len(seen) if seen else None
        if row["temperature"] is not None:
            seen.append(row["temperature"])
        return {**row, "usual": usual}

    return given


def online_scaler() -> Callable[[Row], Row]:
    """Scales a temperature by mean and deviation of training, which each request moves a little."""
    n, mean, square = 1000.0, 11.0, 1000 * 6.0**2

    def given(row: Row) -> Row:
        nonlocal n, mean, square
        value = row["temperature"]
        if value is None:
            return row
        n += 1
        step = value - mean
        mean += step / n
        square += step * (value - mean)
        scaled = (value - mean) / math.sqrt(square / n)
        return {**row, "temperature": float(np.clip(11.0 + 6.0 * scaled, -30, 50))}

    return given


def mutable_default() -> Callable[[Row], Row]:
    """Numbers the stations by their first appearance, in a default argument."""
    names = sorted(STATIONS)  # the numbers that the model learned

    def given(row: Row, codes: dict[str, int] = {}) -> Row:  # noqa: B006, this is the mistake
        return {**row, "station": names[codes.setdefault(row["station"], len(codes))]}

    return given


def random_fill() -> Callable[[Row], Row]:
    """Fills a missing temperature from the random generator of the process."""
    generator = random.Random(0)  # as a process has one that all its requests share

    def given(row: Row) -> Row:
        value = row["temperature"]
        return {**row, "temperature": generator.gauss(11.0, 6.0) if value is None else value}

    return given


def short_key() -> Callable[[Row], Row]:
    """Keeps answers by station, weather and hour, and forgets the other inputs."""
    kept: dict[Any, Row] = {}

    def given(row: Row) -> Row:
        key = (row["station"], row["weather"], row["start"][11:13])
        return kept.setdefault(key, row)

    return given


def whole_key() -> Callable[[Row], Row]:
    """Keeps answers by all inputs."""
    kept: dict[Any, Row] = {}
    return lambda row: kept.setdefault(tuple(row.values()), row)


def every_second() -> Callable[[Row], Row]:
    """Sends every second request to another model."""
    n = 0

    def given(row: Row) -> Row:
        nonlocal n
        n += 1
        return {**row, "other": n % 2 == 0}

    return given


def last_seen() -> Callable[[Row], Row]:
    """Fills a missing temperature with the last one that it saw."""
    last: float | None = None

    def given(row: Row) -> Row:
        nonlocal last
        last = last if row["temperature"] is None else row["temperature"]
        return {**row, "temperature": last}

    return given


STATES: Mapping[str, Start] = {
    "rolling_mean": rolling_mean,
    "online_scaler": online_scaler,
    "mutable_default": mutable_default,
    "random_fill": random_fill,
    "short_key": short_key,
    "every_second": every_second,
    "last_seen": last_seen,
    "whole_key": whole_key,
    "pure": pure,
}
HARMFUL = tuple(STATES)[:7]
LABELS = {
    "rolling_mean": "mean of the last 50",
    "online_scaler": "scaler that is updated",
    "mutable_default": "codes by appearance",
    "random_fill": "random numbers",
    "short_key": "cache, inputs left out",
    "every_second": "every second to another model",
    "last_seen": "last seen value",
    "pure": "no state",
}
N_ROUNDS, DEPTH = 100, 4  # of the model: few, so that what it is sent counts


def measure(config: Config) -> Result:
    """Each state under the tests that could notice it, and what it costs."""
    rng = np.random.default_rng([config.seed, 1])
    n, seed = config.n_train, config.seed
    model, other, alone = (
        fitted(n, N_ROUNDS, draw, DEPTH, without)
        for draw, without in ((seed, ""), (seed + 1000, ""), (seed, "usual"))
    )
    snapshot = Snapshot.of(model)
    table, minutes, mean = rides(config.n_requests, 2016, config.seed)
    rows = records(table)
    n = len(rows)

    def answers(given: Sequence[Row]) -> Any:
        """Of the rows that the model is given: of the other one where a row says so."""
        to_other = np.array([row.get("other", False) for row in given])
        plain = [{k: v for k, v in row.items() if k != "other"} for row in given]
        found = predict(snapshot, plain)
        return np.where(to_other, predict(Snapshot.of(other), plain), found)

    metrics: dict[str, float] = {}
    deal, order = rng.integers(0, 2, n), rng.permutation(n)
    for name, start in STATES.items():
        process = start()
        first = answers([process(row) for row in rows])
        again = answers([process(row) for row in rows])
        process = start()
        permuted = np.empty(n)
        permuted[order] = answers([process(rows[i]) for i in order])
        workers = (start(), start())
        dealt = answers([workers[w](row) for w, row in zip(deal, rows, strict=True)])
        top = [found >= np.quantile(found, 0.8) for found in (first, dealt)]
        metrics |= {
            f"states.{name}.repeated": np.mean(again != first),
            f"states.{name}.permuted": np.mean(permuted != first),
            f"states.{name}.two_workers": np.mean(dealt != first),
            f"states.{name}.minutes_apart": np.mean(np.abs(dealt - first)),
            f"states.{name}.moved": np.mean(top[0] != top[1]),
            f"states.{name}.rmse": np.sqrt(np.mean((dealt - minutes) ** 2)),
        }
    for name, found in {
        "without": alone.predict(table.drop(columns="usual")),
        "sent": answers(rows),
        "oracle": mean,
    }.items():
        metrics[f"context.{name}.rmse"] = np.sqrt(np.mean((found - minutes) ** 2))
        metrics[f"context.{name}.off"] = np.sqrt(np.mean((found - mean) ** 2))
    return Result(metrics)


def figures(metrics: MetricsOfSeeds) -> dict[str, Drawing]:
    """Share of changed answers by kind of state and by test."""

    def draw() -> Figure:
        import matplotlib.pyplot as plt

        names = [*HARMFUL, "pure"]
        figure, axis = plt.subplots(figsize=(7, 4.2))
        place = np.arange(len(names))
        for i, (test, label, color) in enumerate(
            [
                ("repeated", "the same process asked again", ALTERNATIVE),
                ("permuted", "a fresh process, another order", PATTERN),
                ("two_workers", "two workers instead of one", BASELINE),
            ]
        ):
            shares = [100 * np.mean(metrics[f"states.{name}.{test}"]) for name in names]
            axis.barh(place + (i - 1) * 0.26, shares, height=0.24, label=label, color=color)
        axis.set_yticks(place, [LABELS[name] for name in names])
        axis.invert_yaxis()
        axis.set(xlabel="changed answers (%)", xlim=(0, 100))
        axis.legend()
        return figure

    return {
        "changed_answers": Drawing(
            draw,
            caption="Each kind of state changes answers when a fresh process sees the requests in "
            "another order. The same process that is asked again hides four of them.",
            alt="Bars of the share of changed answers for seven kinds of state and a pure "
            "function, under three tests.",
        )
    }


def _least(test: str) -> Callable[[Mapping[str, float]], float]:
    return lambda metrics: min(metrics[f"states.{name}.{test}"] for name in HARMFUL)


def _most(test: str, names: Sequence[str]) -> Callable[[Mapping[str, float]], float]:
    return lambda metrics: max(metrics[f"states.{name}.{test}"] for name in names)


HIDDEN = ("mutable_default", "short_key", "every_second", "last_seen")
EXPERIMENT = Experiment(
    question="Which state changes answers, and which test notices it?",
    data="synthetic",
    measure=measure,
    roles={
        **dict.fromkeys(HARMFUL, "baseline"),
        "pure": "pattern",
        "without": "baseline",
        "sent": "pattern",
        "oracle": "best possible",
    },
    claims=[
        Claim(
            "two-workers",
            "benefit",
            "Where two workers share the requests, even the state that changes least, the last "
            "value that was seen, changes at least {at_least:.1%} of the answers; no state, none.",
            lambda m: m["states.last_seen.two_workers"] - m["states.pure.two_workers"],
            at_least=0.005,
            baseline="states.last_seen.two_workers",
        ),
        Claim(
            "pure-changes-nothing",
            "parity",
            "Of a function without state, at most {at_most:.0%} of the answers change in any of "
            "the three tests.",
            lambda m: max(_most(t, ["pure"])(m) for t in ("repeated", "permuted", "two_workers")),
            at_most=0,
        ),
        Claim(
            "a-cache-with-the-whole-key",
            "parity",
            "With a cache whose key holds all inputs, at most {at_most:.0%} of the answers change "
            "in any of them.",
            lambda m: max(
                _most(t, ["whole_key"])(m) for t in ("repeated", "permuted", "two_workers")
            ),
            at_most=0,
        ),
        Claim(
            "repeating-misses",
            "mechanism",
            "The same process that is asked again hides four kinds of state: at most {at_most:.1%} "
            "of its answers change with any of them.",
            _most("repeated", HIDDEN),
            at_most=0.002,
        ),
        Claim(
            "another-order-finds",
            "mechanism",
            "A fresh process that sees another order shows each of the seven kinds: at least "
            "{at_least:.0%} of the answers change.",
            _least("permuted"),
            at_least=0.02,
        ),
        Claim(
            "no-better-forecast",
            "limit",
            "Without state the forecast is no better: with a rolling mean in each of two workers, "
            "the RMSE is at most {at_most} times that of the pure function.",
            lambda m: m["states.rolling_mean.rmse"] / m["states.pure.rmse"],
            at_most=1.04,
        ),
        Claim(
            "context-that-is-left-out",
            "limit",
            "A function that is not sent what was usual before is at least {at_least} times as "
            "far from the true mean as one that is.",
            lambda m: m["context.without.off"] / m["context.sent.off"],
            at_least=1.02,
        ),
    ],
    figures=figures,
)
