"""Evidence: what an example reports, what it claims, and whether the claims hold on every seed."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any, Literal, Self

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Kind = Literal["benefit", "limit", "parity"]


@dataclass(frozen=True)
class Result:
    """What one run of an example found, with one seed.

    Parameters
    ----------
    metrics : mapping of "task.method.metric" to float
        Three lower-case names joined by dots. The tables show a task each, a method a row and a
        metric a column, in this order: put baseline and pattern in adjacent rows, the oracle last.
    figures : mapping of name to a function that draws it
        Functions, because a run over many seeds draws the figures of the first one only.

    Raises
    ------
    ValueError
        For a name of another form and for a metric that is not finite.
    """

    metrics: Mapping[str, float]
    figures: Mapping[str, Callable[[], Figure]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, value in self.metrics.items():
            if len(name.split(".")) != 3 or not all(name.split(".")):
                raise ValueError(f"a metric is named task.method.metric, not {name!r}")
            if not math.isfinite(value):
                raise ValueError(f"metric {name!r} is {value}: a run must measure what it reports")
        # numpy's numbers would not survive the way through JSON
        object.__setattr__(self, "metrics", {k: float(v) for k, v in self.metrics.items()})


@dataclass(frozen=True)
class Claim:
    """One sentence that a reader can check, with its bound; it must hold on every seed.

    Parameters
    ----------
    name : str
        In kebab-case, unique within the pattern.
    kind : {"benefit", "limit", "parity"}
        The pattern helps; here it does not help, or costs; two ways agree.
    sentence : str
        States the bounds as ``{at_least}`` and ``{at_most}``, so that text and check cannot differ.
    value : function of the metrics of one seed
    at_least, at_most : float, one or both
    """

    name: str
    kind: Kind
    sentence: str
    value: Callable[[Mapping[str, float]], float]
    at_least: float | None = None
    at_most: float | None = None

    def __post_init__(self) -> None:
        bounds = {"at_least": self.at_least, "at_most": self.at_most}
        given = {name for name, bound in bounds.items() if bound is not None}
        stated = {name for name in bounds if f"{{{name}" in self.sentence}
        if not given or given != stated:
            raise ValueError(
                f"claim {self.name!r} must have a bound and state it: it has {sorted(given)}, "
                f"its sentence states {sorted(stated)}"
            )

    def judge(self, runs: Sequence[Mapping[str, float]]) -> Verdict:
        """Evaluate the claim on the metrics of each seed.

        Raises
        ------
        KeyError
            When the claim needs a metric that the run has not measured.
        """
        return Verdict(
            name=self.name,
            kind=self.kind,
            sentence=self.sentence.format(at_least=self.at_least, at_most=self.at_most),
            at_least=self.at_least,
            at_most=self.at_most,
            values=tuple(float(self.value(metrics)) for metrics in runs),
        )


def metric(name: str) -> Callable[[Mapping[str, float]], float]:
    """One metric as it is."""
    return lambda metrics: metrics[name]


def ratio(numerator: str, denominator: str) -> Callable[[Mapping[str, float]], float]:
    """One metric relative to another."""
    return lambda metrics: metrics[numerator] / metrics[denominator]


def difference(one: str, other: str) -> Callable[[Mapping[str, float]], float]:
    """One metric minus another."""
    return lambda metrics: metrics[one] - metrics[other]


@dataclass(frozen=True)
class Verdict:
    """A claim and its measured value on every seed."""

    name: str
    kind: Kind
    sentence: str
    at_least: float | None
    at_most: float | None
    values: tuple[float, ...]

    @property
    def margins(self) -> tuple[float, ...]:
        """Distance of each seed's value to the nearest bound; negative where the claim fails."""
        low = -math.inf if self.at_least is None else self.at_least
        high = math.inf if self.at_most is None else self.at_most
        return tuple(min(value - low, high - value) for value in self.values)

    @property
    def tightest(self) -> int:
        """Position of the seed that comes nearest to failing."""
        return min(range(len(self.values)), key=lambda i: self.margins[i])

    @property
    def holds(self) -> bool:
        """Whether the claim holds on every seed."""
        return all(margin >= 0 for margin in self.margins)  # NaN does not hold


@dataclass(frozen=True)
class Evidence:
    """What an example found over seeds: the content of a ``results.json``."""

    pattern: str
    config: Mapping[str, Any]
    seeds: tuple[int, ...]
    seconds: float
    versions: Mapping[str, str]
    glossary: Mapping[str, str]  # what each metric means
    metrics: Mapping[str, tuple[float, ...]]  # a value for each seed
    verdicts: tuple[Verdict, ...]

    @property
    def holds(self) -> bool:
        """Whether every claim holds on every seed."""
        return all(verdict.holds for verdict in self.verdicts)

    def mean(self, metric: str) -> float:
        """Mean of a metric over seeds."""
        return fmean(self.metrics[metric])

    def std(self, metric: str) -> float:
        """Standard deviation of a metric over seeds; 0 for a single seed."""
        values = self.metrics[metric]
        return stdev(values) if len(values) > 1 else 0.0

    def to_json(self) -> str:
        """As text, the same for the same content."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote."""
        content = json.loads(text)
        content["seeds"] = tuple(content["seeds"])
        content["metrics"] = {name: tuple(values) for name, values in content["metrics"].items()}
        content["verdicts"] = tuple(
            Verdict(**{**verdict, "values": tuple(verdict["values"])})
            for verdict in content["verdicts"]
        )
        return cls(**content)
