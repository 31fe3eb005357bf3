"""Evidence: what experiments measure and claim, and whether the claims hold on every seed."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any, Literal, Self

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Kind = Literal["benefit", "limit", "parity", "mechanism"]
Role = Literal["baseline", "pattern", "best possible"]
Settings = Literal["documented", "fast", "custom"]
Metrics = Mapping[str, float]  # of one seed, by "task.method.metric"
MetricsOfSeeds = Mapping[str, tuple[float, ...]]


@dataclass(frozen=True)
class Measure:
    """What a metric means, and which way is better; None where neither is.

    What is ``timed`` differs from run to run: claims judge it, but it is not measured again to
    compare. Time against time in one run, and give the bounds room.
    """

    meaning: str
    better: Literal["lower", "higher"] | None = None
    timed: bool = False

    @property
    def arrow(self) -> str:
        """The direction of improvement, for a column's header."""
        return {"lower": " ↓", "higher": " ↑", None: ""}[self.better]


@dataclass(frozen=True)
class Drawing:
    """A figure to be drawn, with the words that go with it.

    Parameters
    ----------
    draw : function without parameters that returns the figure
    caption : str
        What the reader should see in it.
    alt : str
        What it shows, for those who cannot see it.
    """

    draw: Callable[[], Figure]
    caption: str
    alt: str


@dataclass(frozen=True)
class Result:
    """What one experiment found with one seed.

    Parameters
    ----------
    metrics : mapping of "task.method.metric" to float
        Three lower-case names joined by dots. Each task becomes a table, each method a row and each
        metric a column, in this order: put baseline and pattern in adjacent rows, the best possible
        last.
    figures : mapping of name to Drawing
        Of this seed's data; only those of the first seed are drawn.

    Raises
    ------
    ValueError
        For a name of another form and for a metric that is not finite.
    """

    metrics: Metrics
    figures: Mapping[str, Drawing] = field(default_factory=dict)

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
    kind : {"benefit", "limit", "parity", "mechanism"}
        The pattern beats the strongest baseline of its table; here it does not help, or costs; two
        ways agree; why it works: what a part of it is worth, or what goes wrong without it.
    sentence : str
        States the bounds as ``{at_least}`` and ``{at_most}``, so that text and check cannot differ.
    value : function of the metrics of one seed
        It sees the metrics of the claim's own experiment only.
    at_least, at_most : float, one or both
    baseline : "task.method.metric", for a benefit only
        The strongest baseline of that table by that metric. The tests check that it is, and that
        ``value`` depends on it.
    """

    name: str
    kind: Kind
    sentence: str
    value: Callable[[Metrics], float]
    at_least: float | None = None
    at_most: float | None = None
    baseline: str | None = None

    def __post_init__(self) -> None:
        bounds = {"at_least": self.at_least, "at_most": self.at_most}
        given = {name for name, bound in bounds.items() if bound is not None}
        stated = {name for name in bounds if f"{{{name}" in self.sentence}
        if not given or given != stated:
            raise ValueError(
                f"claim {self.name!r} must have a bound and state it: it has {sorted(given)}, "
                f"its sentence states {sorted(stated)}"
            )
        if (self.kind == "benefit") != (self.baseline is not None):
            raise ValueError(
                f"claim {self.name!r} has the kind {self.kind!r} and the baseline "
                f"{self.baseline!r}; each benefit names its strongest baseline, and no other kind"
            )

    def judge(self, runs: Sequence[Metrics]) -> Verdict:
        """Evaluate the claim on the metrics of each seed.

        Raises
        ------
        KeyError
            When the claim needs a metric that its experiment has not measured.
        """
        return Verdict(
            name=self.name,
            kind=self.kind,
            sentence=self.sentence.format(at_least=self.at_least, at_most=self.at_most),
            at_least=self.at_least,
            at_most=self.at_most,
            baseline=self.baseline,
            values=tuple(float(self.value(metrics)) for metrics in runs),
        )


def metric(name: str) -> Callable[[Metrics], float]:
    """One metric as it is."""
    return lambda metrics: metrics[name]


def by_period(
    task: str, metric: str, periods: Sequence[str], scores: Mapping[str, Sequence[float]]
) -> dict[str, float]:
    """Each method's mean over the last test periods as ``metric``, and its score in each of them.

    All seeds redraw the rows of one real table, so a claim about it must hold in every period.
    """
    metrics = {}
    for method, values in scores.items():
        metrics[f"{task}.{method}.{metric}"] = sum(values) / len(values)
        shown = zip(periods[-len(values) :], values, strict=True)
        metrics |= {f"{task}.{method}.{period}": value for period, value in shown}
    return metrics


def in_each_period(
    metrics: Metrics, task: str, periods: Sequence[str], one: str, other: str
) -> list[tuple[float, float]]:
    """The scores of two methods in each test period that was measured."""
    return [
        (metrics[f"{task}.{one}.{period}"], metrics[f"{task}.{other}.{period}"])
        for period in periods
        if f"{task}.{one}.{period}" in metrics
    ]


def ratio(numerator: str, denominator: str) -> Callable[[Metrics], float]:
    """One metric relative to another."""
    return lambda metrics: metrics[numerator] / metrics[denominator]


def difference(one: str, other: str) -> Callable[[Metrics], float]:
    """One metric minus another."""
    return lambda metrics: metrics[one] - metrics[other]


@dataclass(frozen=True)
class Experiment:
    """One question of the evidence: how it is measured, and what is claimed of the answer.

    Parameters
    ----------
    question : str
        Ends with a question mark.
    data : {"synthetic", "real"}
        On synthetic data each seed is an independent draw. On real data all seeds redraw rows of
        the same table, so they only repeat one test; there, report folds.
    measure : function of the pattern's ``Config``
    roles : mapping of method to role
        A baseline is what a good engineer would try instead. Methods without a role are variants:
        neither fair baselines nor what the pattern recommends.
    claims : sequence of Claim
    figures : function of the metrics of all seeds, "task.method.metric" to one value per seed
        Gives the figures that summarize them, as a mapping of name to Drawing.
    """

    question: str
    data: Literal["synthetic", "real"]
    measure: Callable[[Any], Result]
    roles: Mapping[str, Role]
    claims: Sequence[Claim]
    figures: Callable[[MetricsOfSeeds], Mapping[str, Drawing]] = lambda metrics: {}


@dataclass(frozen=True)
class Verdict:
    """A claim and its measured value on every seed."""

    name: str
    kind: Kind
    sentence: str
    at_least: float | None
    at_most: float | None
    baseline: str | None
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
class Words:
    """The words that go with a figure."""

    caption: str
    alt: str


@dataclass(frozen=True)
class Findings:
    """What one experiment found over all seeds."""

    question: str
    data: Literal["synthetic", "real"]
    roles: Mapping[str, Role]
    figures: Mapping[str, Words]
    metrics: MetricsOfSeeds
    verdicts: tuple[Verdict, ...]  # none where the claims were not judged

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks, each a table, in the order in which they were measured."""
        return tuple(dict.fromkeys(name.split(".")[0] for name in self.metrics))

    def mean(self, name: str) -> float:
        """Mean of a metric over seeds."""
        return fmean(self.metrics[name])

    def std(self, name: str) -> float:
        """Standard deviation of a metric over seeds; 0 for a single seed."""
        values = self.metrics[name]
        return stdev(values) if len(values) > 1 else 0.0


@dataclass(frozen=True)
class Evidence:
    """What a pattern's experiments found over seeds: the content of a ``results.json``."""

    pattern: str
    settings: Settings
    config: Mapping[str, Any]
    seeds: tuple[int, ...]
    seconds: float
    versions: Mapping[str, str]
    measures: Mapping[str, Measure]
    experiments: Mapping[str, Findings]  # in the order of the page

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Of all experiments."""
        return tuple(v for found in self.experiments.values() for v in found.verdicts)

    @property
    def holds(self) -> bool:
        """Whether every claim that was judged holds on every seed."""
        return all(verdict.holds for verdict in self.verdicts)

    def to_json(self) -> str:
        """As text, the same for the same content."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote."""
        content = json.loads(text)
        content["seeds"] = tuple(content["seeds"])
        content["measures"] = {k: Measure(**v) for k, v in content["measures"].items()}
        for found in content["experiments"].values():
            found["figures"] = {k: Words(**v) for k, v in found["figures"].items()}
            found["metrics"] = {name: tuple(values) for name, values in found["metrics"].items()}
            found["verdicts"] = tuple(
                Verdict(**{**verdict, "values": tuple(verdict["values"])})
                for verdict in found["verdicts"]
            )
        content["experiments"] = {k: Findings(**v) for k, v in content["experiments"].items()}
        return cls(**content)
