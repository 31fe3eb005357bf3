"""A year of flights: what drifts from month to month, and what that says about the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from sklearn.metrics import log_loss

from patterns._kit.evidence import Claim, Drawing, Experiment, Metrics, MetricsOfSeeds, Result
from patterns._kit.figures import ALTERNATIVE, BASELINE, PATTERN
from patterns.transform.evidence import Config
from patterns.transform.evidence.flights import INPUTS, WEATHER, definition, draw, flights
from patterns.transform.pattern import ServingArtifact
from patterns.transform.skew import compare, describe

N_MONTHS = 3  # to learn from: January to March
MONTHS = ("apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
GROUPS = {"weather": set(WEATHER), "route": {"origin", "dest", "carrier", "distance"}}
TOLERANCE = 0.1


def measure(config: Config) -> Result:
    """Distances, alarms and losses of each month, for a model of the first three."""
    rng = np.random.default_rng(config.seed)
    table = flights()
    train = draw(table[table["month"] <= N_MONTHS], config.n_train // 2, rng)
    params = {"objective": "binary:logistic", "max_depth": 4, "eta": 0.1, "nthread": 1, "seed": 0}
    artifact = ServingArtifact.fit(
        definition(), train[list(INPUTS)], train["late"], params, config.n_rounds, describe
    )
    before, rate = {"inputs": artifact.statistics["inputs"]}, train["late"].mean()
    found: dict[str, float] = {}
    for number, month in enumerate(MONTHS, start=N_MONTHS + 1):
        rows = draw(table[table["month"] == number], config.n_month, rng)
        inputs = {"inputs": artifact.transform.prepare(rows[list(INPUTS)])}
        compared = compare(before, describe(inputs, before), rate=0.01)
        distances = compared[compared["distance"] == "jensen_shannon"]
        for group, names in GROUPS.items():
            of_group = distances.loc[distances["name"].isin(names), "value"]
            found[f"distance.{group}.{month}"] = of_group.max()
        alarms = distances[distances["alarm"]]
        found[f"alarms.any_size.{month}"] = len(alarms)
        found[f"alarms.above_a_tenth.{month}"] = (alarms["value"] > TOLERANCE).sum()
        y, probability = rows["late"], artifact.predict(rows[list(INPUTS)])
        found[f"log_loss.training_rate.{month}"] = log_loss(y, np.full(len(y), rate))
        found[f"log_loss.artifact.{month}"] = log_loss(y, probability)
    tasks = ("distance", "alarms", "log_loss")
    return Result({k: v for task in tasks for k, v in sorted_by_method(found, task).items()})


def sorted_by_method(found: Mapping[str, float], task: str) -> dict[str, float]:
    """The metrics of one task, each method's months together."""
    names = [name for name in found if name.startswith(f"{task}.")]
    methods = dict.fromkeys(name.split(".")[1] for name in names)
    return {n: found[n] for method in methods for n in names if n.split(".")[1] == method}


# ---------------------------------------------------------------------------------- figure
def figures(metrics: MetricsOfSeeds) -> dict[str, Drawing]:
    """Drift and loss over the year, of all seeds."""
    return {
        "drift_over_months": Drawing(
            lambda: draw_months(metrics),
            "Left: the weather drifts away from that of the winter; the routes hardly move. Right: "
            "the loss of the model beside that of the rate of late flights in winter. Distance "
            "does not tell damage: the band is five draws of rows, all equally far away.",
            "Two panels over the months April to December: largest Jensen-Shannon distance of "
            "weather and of route to the training months, and log loss of model and constant.",
        )
    }


def draw_months(metrics: MetricsOfSeeds) -> Figure:
    """Distances on the left, log loss on the right."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.0, 3.4))
    lines: list[tuple[Any, str, str, str]] = [
        (left, "distance.weather", "weather", PATTERN),
        (left, "distance.route", "route", ALTERNATIVE),
        (right, "log_loss.training_rate", "rate of the winter", BASELINE),
        (right, "log_loss.artifact", "artifact of the winter", PATTERN),
    ]
    for axis, name, label, color in lines:
        values = np.array([metrics[f"{name}.{month}"] for month in MONTHS])
        axis.plot(MONTHS, values.mean(axis=1), color=color, label=label)
        axis.fill_between(MONTHS, values.min(axis=1), values.max(axis=1), color=color, alpha=0.2)
    left.axhline(TOLERANCE, color="0.5", ls="--", lw=1)
    left.set(ylabel="largest distance to January-March", ylim=(0, None))
    right.set(ylabel="log loss", ylim=(0, None))
    for axis in (left, right):
        axis.legend()
    return figure


# ---------------------------------------------------------------------------------- claims
CLAIMS = [
    Claim(
        "every-month-is-an-alarm",
        "limit",
        "Among thousands of rows every real change is sure: in every month, at least {at_least} of "
        "the nine numbers and codes have an alarm.",
        lambda m: min(m[f"alarms.any_size.{month}"] for month in MONTHS),
        at_least=4,
    ),
    Claim(
        "the-weather-is-another-one",
        "mechanism",
        "From May to September, the weather is at a distance of at least {at_least} from that of "
        "January to March; the largest possible is 1.",
        lambda m: min(m[f"distance.weather.{month}"] for month in MONTHS[1:6]),
        at_least=0.75,
    ),
    Claim(
        "drift-is-no-damage",
        "limit",
        "In May and June the weather is further away than in April. The model's log loss, "
        "relative to that of the winter's rate, is lower by at least {at_least}.",
        lambda m: gain(m, "apr") - (gain(m, "may") + gain(m, "jun")) / 2,
        at_least=0.015,
    ),
]


def gain(metrics: Metrics, month: str) -> float:
    """Log loss of the model relative to that of a constant."""
    return metrics[f"log_loss.artifact.{month}"] / metrics[f"log_loss.training_rate.{month}"]


EXPERIMENT = Experiment(
    question="Which inputs drift over a year, and does the model suffer from it?",
    data="real",
    measure=measure,
    roles={"training_rate": "baseline", "artifact": "pattern"},
    claims=CLAIMS,
    figures=figures,
)
