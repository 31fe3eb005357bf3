"""The number of bins, with and without a penalty on the classifier."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from sklearn.linear_model import LogisticRegression

from patterns._kit.evidence import Claim, Drawing, Experiment, MetricsOfSeeds, Result, ratio
from patterns._kit.figures import BASELINE, BEST, PATTERN
from patterns.reframing.evidence import Config
from patterns.reframing.evidence.forecasts import binned, crps
from patterns.reframing.evidence.rain import rain_data, scaled

PENALTIES = {"ridge": 1.0, "no_penalty": np.inf}


def measure(config: Config) -> Result:
    """The CRPS on rain by number of bins, with and without a penalty."""
    X, y, test = rain_data(config)
    y_test, metrics = test.y.to_numpy(), {}
    for n_bins in config.bin_counts:
        for penalty, C in PENALTIES.items():
            classifier = scaled(LogisticRegression(C=C, max_iter=1000))
            forecast = binned(X, y, test.X, n_bins, classifier)
            metrics[f"number_of_bins.{n_bins}.crps_{penalty}"] = crps(forecast, y_test).mean()
    truth = test.oracle_crps(test.X, y_test).mean()
    metrics |= {f"number_of_bins.oracle.crps_{penalty}": truth for penalty in PENALTIES}
    return Result(metrics)


def draw(metrics: MetricsOfSeeds) -> Figure:
    """CRPS against the number of bins, with and without a penalty, and the truth's."""
    figure, axis = plt.subplots(figsize=(6.5, 3.4))
    methods = dict.fromkeys(name.split(".")[1] for name in metrics)
    counts = [int(method) for method in methods if method != "oracle"]
    for penalty, color, label in (
        ("no_penalty", BASELINE, "no penalty"),
        ("ridge", PATTERN, "scikit-learn's default penalty"),
    ):
        scores = np.array([metrics[f"number_of_bins.{n}.crps_{penalty}"] for n in counts])
        axis.plot(counts, scores.mean(axis=1), "o-", color=color, label=label)
        low, high = scores.min(axis=1), scores.max(axis=1)
        axis.fill_between(counts, low, high, color=color, alpha=0.15, lw=0)
    truth = float(np.mean(metrics["number_of_bins.oracle.crps_ridge"]))
    axis.axhline(truth, color=BEST, ls="--", lw=1.2, label="truth")
    axis.set_xscale("log")
    axis.set_xticks(counts, [str(n) for n in counts])
    axis.minorticks_off()
    axis.set(xlabel="number of bins for the wet hours", ylabel="CRPS", ylim=(0, None))
    axis.legend(loc="lower left")
    return figure


CLAIMS = [
    Claim(
        "few-bins-on-rain",
        "parity",
        "On rain, whose amounts follow little from the features, five bins do as well as twenty: "
        "their CRPS is {at_least} to {at_most} times as large.",
        ratio("number_of_bins.5.crps_ridge", "number_of_bins.20.crps_ridge"),
        at_least=0.985,
        at_most=1.015,
    ),
    Claim(
        "too-many-bins",
        "limit",
        "Without a penalty, 200 bins cost: their CRPS is at least {at_least} times that of 20.",
        ratio("number_of_bins.200.crps_no_penalty", "number_of_bins.20.crps_no_penalty"),
        at_least=1.01,
    ),
]

EXPERIMENT = Experiment(
    question="How many bins does a forecast of rain need, and can there be too many?",
    data="synthetic",
    measure=measure,
    roles={"20": "pattern", "oracle": "best possible"},
    claims=CLAIMS,
    figures=lambda metrics: {
        "number_of_bins": Drawing(
            lambda: draw(metrics),
            "With a penalty the number of bins hardly matters on rain; without one, many bins "
            "cost a little. Lines are means, bands reach from the best to the worst seed.",
            "CRPS against the number of bins: nearly flat with a penalty, rising without one.",
        )
    },
)
