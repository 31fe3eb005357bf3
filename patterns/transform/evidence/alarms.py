"""Alarms on serving data: how often there is one when nothing has changed, and what is found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.stats import chi2_contingency, ks_2samp

from datasets import make_bike_rentals
from patterns._kit.evidence import Claim, Experiment, Metrics, Result, metric, ratio
from patterns.transform.evidence import Config
from patterns.transform.evidence.rides import RIDES, definition
from patterns.transform.skew import compare, describe, jensen_shannon

FloatArray = NDArray[np.float64]
RATE = 0.05  # of alarms, promised
SHARES = (0.05, 0.1, 0.2, 0.5, 1.0)  # of the serving rows that come out of the wrong code
N_TRIES = 6  # days of serving for each share
FOUND = 5  # of them, that have an alarm
NEVER = 2.0  # in place of a share, when the wrong code is not found at all


# ---------------------------------------------------------------------------------- data
@dataclass(frozen=True)
class Day:
    """What was served on one day, and its statistics."""

    columns: Any
    described: Any
    p_values: list[float] = field(default_factory=list)  # of the tests, once they are done


class Source:
    """Rides of one year: one sample to train on, and a pool whose random parts are served."""

    def __init__(self, config: Config) -> None:
        seed = config.seed
        self.rng = np.random.default_rng([seed, 2])
        train = make_bike_rentals(config.n_rides, random_state=[seed, 0], **RIDES)
        pool = make_bike_rentals(5 * config.n_rides, random_state=[seed, 1], **RIDES)
        transform = definition().fit(train.X)
        self.n_serving = config.n_serving
        self.train = transform.columns(train.X)
        self.statistics = describe(self.train)
        features = transform.transform(pool.X)
        self.right = transform.columns(pool.X, features)
        self.wrong = {
            name: transform.columns(pool.X, mistake(features.copy(), pool.X))
            for name, mistake in MISTAKES.items()
        }

    def serve(self, mistake: str | None = None, share: float = 0.0) -> Day:
        """One day of serving; a share of the rows comes out of the wrong code."""
        n_all = len(self.right["features"]["temperature"])
        rows = self.rng.choice(n_all, self.n_serving, replace=False)
        is_wrong = self.rng.uniform(size=len(rows)) < share
        wrong = self.right if mistake is None else self.wrong[mistake]
        parts = _take(self.right, rows[~is_wrong]), _take(wrong, rows[is_wrong])
        columns = {
            stage: {name: _joined(column, parts[1][stage][name]) for name, column in of.items()}
            for stage, of in parts[0].items()
        }
        return Day(columns, describe(columns, self.statistics))


def _joined(one: Any, other: Any) -> Any:
    is_text = isinstance(one, pa.Array)
    return pa.concat_arrays([one, other]) if is_text else np.concatenate([one, other])


def hour_too_early(features: FloatArray, inputs: Any) -> FloatArray:
    """UTC in place of the clock in London: in summer the hour is too early by one."""
    features[:, 0] = np.array([int(start[11:13]) for start in inputs["start"]])
    return features


def sunday_first(features: FloatArray, inputs: Any) -> FloatArray:
    """Weekdays from Sunday = 1."""
    features[:, 1] = (features[:, 1] + 1) % 7 + 1
    return features


def zero_for_missing(features: FloatArray, inputs: Any) -> FloatArray:
    """Zero degrees where the temperature is missing, which it is in one row of twenty."""
    features[inputs["temperature"].isna().to_numpy(), 4] = 0.0
    return features


def codes_of_the_batch(features: FloatArray, inputs: Any) -> FloatArray:
    """Codes of stations by their order of appearance."""
    names = list(dict.fromkeys(inputs["station"]))
    features[:, 2] = [2 + names.index(name) for name in inputs["station"]]
    return features


MISTAKES = {
    "hour_too_early": hour_too_early,
    "sunday_first": sunday_first,
    "codes_by_appearance": codes_of_the_batch,
    "zero_for_missing": zero_for_missing,
}


# ---------------------------------------------------------------------------------- detectors
class Detectors:
    """Ways to say whether serving data differ; each takes the columns of one day."""

    def __init__(self, source: Source) -> None:
        self.train, self.statistics = source.train, source.statistics
        rng = np.random.default_rng(0)
        n = source.n_serving
        order = rng.permutation(self.statistics["features"]["hour"]["rows"])
        self.chunks = [
            self.distances(describe(_take(self.train, order[i : i + n]), self.statistics))
            for i in range(0, len(order) - n + 1, n)
        ]

    def distances(self, described: Any) -> dict[tuple[str, str], float]:
        """The Jensen-Shannon distance of each column."""
        found = {}
        for stage, columns in self.statistics.items():
            for name, before in columns.items():
                now = described[stage][name]
                if before["type"] == "category":
                    values = list(before["counts"] | now["counts"])
                    both = [[s["counts"].get(v, 0) for v in values] for s in (before, now)]
                elif before["type"] == "number":
                    both = [before["counts"], now["counts"]]
                else:
                    continue
                found[stage, name] = float(jensen_shannon(*map(np.array, both)))
        return found

    def random_deals(self, serving: Day) -> bool:
        """The pattern's: thresholds from the number of rows."""
        table = compare(self.statistics, serving.described, rate=RATE)
        return bool(table["alarm"].any())

    def p_values(self, serving: Day) -> list[float]:
        """Of Kolmogorov-Smirnov tests for numbers and of chi-squared tests for categories."""
        found = serving.p_values
        if found:
            return found
        for stage, columns in self.train.items():
            for name, before in columns.items():
                now = serving.columns[stage][name]
                if isinstance(before, pa.Array):
                    both = self.statistics[stage][name], serving.described[stage][name]
                    counts = [s["counts"] for s in both]
                    values = list(counts[0] | counts[1])
                    table = np.array([[c.get(v, 0) for v in values] for c in counts])
                    found.append(chi2_contingency(table).pvalue if len(values) > 1 else 1.0)
                elif before.dtype.kind == "f":
                    known = (column[~np.isnan(column)] for column in (before, now))
                    found.append(ks_2samp(*known, method="asymp").pvalue)
                    missing = [[m := np.isnan(c).sum(), len(c) - m] for c in (before, now)]
                    if np.sum(missing, axis=0)[0]:
                        found.append(chi2_contingency(missing).pvalue)
        return found

    def tests_each_at_5_percent(self, serving: Day) -> bool:
        """An alarm where any p-value is below 5 %."""
        return min(self.p_values(serving)) < RATE

    def tests_corrected(self, serving: Day) -> bool:
        """An alarm where any p-value is below 5 %, divided by their number (Bonferroni)."""
        found = self.p_values(serving)
        return min(found) < RATE / len(found)

    def fixed_at_a_tenth(self, serving: Day) -> bool:
        """An alarm where any Jensen-Shannon distance is 0.1 or more: the default of Evidently."""
        return max(self.distances(serving.described).values()) >= 0.1

    def three_deviations(self, serving: Day) -> bool:
        """Three deviations above the mean over parts of the training rows: that of NannyML."""
        now = self.distances(serving.described)
        for key, value in now.items():
            usual = np.array([chunk[key] for chunk in self.chunks])
            if value > usual.mean() + 3 * usual.std():
                return True
        return False


METHODS = (
    "tests_each_at_5_percent",
    "three_deviations",
    "fixed_at_a_tenth",
    "tests_corrected",
    "random_deals",
)


def _take(columns: Mapping[str, Mapping[str, Any]], rows: NDArray[np.int64]) -> Any:
    return {
        stage: {
            name: column.take(pa.array(rows)) if isinstance(column, pa.Array) else column[rows]
            for name, column in of.items()
        }
        for stage, of in columns.items()
    }


# ---------------------------------------------------------------------------------- measurement
def measure(config: Config) -> Result:
    """The rate of alarms without a change, and the smallest share of wrong rows that is found."""
    source = Source(config)
    detectors = Detectors(source)
    days = [source.serve() for _ in range(config.n_repeats)]
    found = {
        f"alarms.{method}.without_a_change": float(
            np.mean([getattr(detectors, method)(day) for day in days])
        )
        for method in METHODS
    }
    smallest = {method: dict.fromkeys(MISTAKES, NEVER) for method in METHODS}
    for mistake in MISTAKES:
        for share in reversed(SHARES):  # down, as long as one method finds it
            searching = [m for m in METHODS if share == 1.0 or smallest[m][mistake] < NEVER]
            tries = [source.serve(mistake, share) for _ in range(N_TRIES)] if searching else []
            for method in searching:
                n_found = sum(getattr(detectors, method)(day) for day in tries)
                if n_found >= FOUND:
                    smallest[method][mistake] = share
    for method in METHODS:
        found |= {f"alarms.{method}.{mistake}": v for mistake, v in smallest[method].items()}
    return Result(found)


def mean_share(metrics: Metrics, method: str) -> float:
    """The share of wrong rows that a method needs, averaged over the mistakes."""
    return float(np.mean([metrics[f"alarms.{method}.{mistake}"] for mistake in MISTAKES]))


CLAIMS = [
    Claim(
        "rate-of-false-alarms",
        "mechanism",
        "On days without a change, the thresholds from random deals promise at most 5 % false "
        "alarms, and raise one on a share of at most {at_most}.",
        metric("alarms.random_deals.without_a_change"),
        at_most=0.15,
    ),
    Claim(
        "deviations-of-parts",
        "mechanism",
        "On days without a change, three deviations above the mean over five parts of the training "
        "rows raise an alarm on a share of at least {at_least}.",
        metric("alarms.three_deviations.without_a_change"),
        at_least=0.3,
    ),
    Claim(
        "as-good-as-corrected-tests",
        "parity",
        "On average over the mistakes, {at_least} to {at_most} times as many wrong rows are "
        "needed as by textbook tests that are corrected for their number.",
        lambda m: mean_share(m, "random_deals") / mean_share(m, "tests_corrected"),
        at_least=0.5,
        at_most=2.0,
    ),
    Claim(
        "a-fixed-threshold-finds-less",
        "mechanism",
        "A threshold of 0.1 for every column needs at least {at_least} times as many rows with "
        "another first day of the week as random deals.",
        ratio("alarms.fixed_at_a_tenth.sunday_first", "alarms.random_deals.sunday_first"),
        at_least=2.0,
    ),
    Claim(
        "rare-values-hide",
        "limit",
        "Zeros in place of missing temperatures are only found where a share of at least "
        "{at_least} of the rows comes out of the wrong code.",
        metric("alarms.random_deals.zero_for_missing"),
        at_least=0.5,
    ),
]

EXPERIMENT = Experiment(
    question="How often is there an alarm without a change, and what does it take for one?",
    data="synthetic",
    measure=measure,
    roles={
        "tests_each_at_5_percent": "baseline",
        "three_deviations": "baseline",
        "fixed_at_a_tenth": "baseline",
        "tests_corrected": "baseline",
        "random_deals": "pattern",
    },
    claims=CLAIMS,
)
