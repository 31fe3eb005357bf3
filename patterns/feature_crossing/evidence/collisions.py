"""How much of a cross's signal is left when its cells share bins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from sklearn.feature_extraction import FeatureHasher
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score

from datasets import load_nyc_flights, make_high_cardinality
from patterns._kit.evidence import Claim, Drawing, Experiment, Metrics, MetricsOfSeeds, Result
from patterns._kit.figures import ALTERNATIVE, BASELINE, BEST, PATTERN
from patterns.feature_crossing.collisions import signal_kept_at
from patterns.feature_crossing.evidence import Config
from patterns.feature_crossing.pattern import FeatureCross, signal_kept

BINS_TO_CELLS = (1 / 16, 1 / 4, 1 / 2, 1, 2, 4, 16)


def measure(config: Config) -> Result:
    """R² with hashing, relative to that of a vocabulary."""
    n_levels = round(config.n_cells**0.5)
    train = make_high_cardinality(
        config.n_collisions,
        n_levels=n_levels,
        rank=None,
        truth=config.seed,
        random_state=[config.seed, 0],
    )
    users, items = np.divmod(np.arange(config.n_cells), n_levels)
    grid = pd.DataFrame({"user": users, "item": items})
    truth, y = train.oracle_mean(grid), train.y.to_numpy()

    def signal(encode: Callable[[pd.DataFrame], Any]) -> float:
        # Least squares; with one nonzero a row, a few steps solve it.
        model = Ridge(1e-6, solver="lsqr").fit(encode(train.X), y)
        return r2_score(truth, model.predict(encode(grid)))

    def cross(n_hash_bins: int | None) -> Callable[[pd.DataFrame], Any]:
        return FeatureCross([("user", "item")], n_hash_bins).fit(train.X).transform

    def signed(n_bins: int) -> Callable[[pd.DataFrame], Any]:
        texts = grid["user"].astype(str) + "_" + grid["item"].astype(str)
        cells = FeatureHasher(n_bins, input_type="string").transform(texts.to_frame().to_numpy())
        return lambda X: cells[(X["user"] * n_levels + X["item"]).to_numpy()]

    vocabulary = signal(cross(None))
    metrics = {}
    for share in BINS_TO_CELLS:
        n_bins = round(config.n_cells * share)
        row = f"collisions.{n_bins}_bins"
        metrics[f"{row}.signal_kept"] = signal(cross(n_bins)) / vocabulary
        metrics[f"{row}.signal_kept_signed"] = signal(signed(n_bins)) / vocabulary
        metrics[f"{row}.theory"] = float(signal_kept(config.n_cells, n_bins))
    return Result(metrics | unequal_cells(config))


def unequal_cells(config: Config) -> dict[str, float]:
    """The same without noise, where cells occur as often as combinations of flights do."""
    columns = ["carrier", "dest", "hour"]
    counts = load_nyc_flights(columns).frame.value_counts().rename("count").reset_index()
    cells, frequency = counts[columns], counts["count"]
    effects = np.random.default_rng(config.seed).normal(size=len(cells))
    metrics = {}
    for share in BINS_TO_CELLS:
        n_bins = round(len(cells) * share)
        marks = FeatureCross([columns], n_bins).fit_transform(cells)
        # The least-squares fit of each bin, without a solver: the weighted mean of its cells.
        sums = marks.T @ np.stack([frequency * effects, frequency], axis=1)
        fit = marks @ (sums[:, 0] / np.maximum(sums[:, 1], 1))
        row = f"collisions_of_flights.{n_bins}_bins"
        metrics[f"{row}.signal_kept"] = r2_score(effects, fit, sample_weight=frequency)
        metrics[f"{row}.theory"] = float(signal_kept_at(frequency, n_bins))
        metrics[f"{row}.theory_if_equal"] = float(signal_kept(len(cells), n_bins))
    return metrics


# ---------------------------------------------------------------------------------- figure
POINTS = {
    ("collisions", "signal_kept"): ("equally frequent cells", "o", PATTERN),
    ("collisions", "signal_kept_signed"): ("the same, with random signs", "x", ALTERNATIVE),
    ("collisions_of_flights", "signal_kept"): ("cells as frequent as flights", "s", BASELINE),
}


def draw(metrics: MetricsOfSeeds) -> Figure:
    """What hashing leaves of a cross, measured and by the law, against bins relative to cells."""
    figure, axis = plt.subplots(figsize=(6.5, 3.6))
    for (task, score), (label, marker, color) in POINTS.items():
        rows = [name for name in metrics if name.startswith(f"{task}.") and name.endswith(score)]
        values = np.array([metrics[name] for name in rows])
        mean = values.mean(axis=1)
        spread = np.abs(np.stack([values.min(axis=1), values.max(axis=1)]) - mean)
        axis.errorbar(
            BINS_TO_CELLS, mean, spread, fmt=marker, color=color, label=label, ms=6, mew=1.6
        )
        law = [metrics[f"{name.rsplit('.', 1)[0]}.theory"][0] for name in rows]
        axis.plot(BINS_TO_CELLS, law, "--", color=BEST, lw=1.2)
    axis.plot([], [], "--", color=BEST, lw=1.2, label="the law")
    axis.set_xscale("log", base=2)
    axis.set_xticks(
        BINS_TO_CELLS, [f"{x:.0f}" if x >= 1 else f"1/{1 / x:.0f}" for x in BINS_TO_CELLS]
    )
    axis.yaxis.set_major_formatter(PercentFormatter(1.0))
    axis.set(xlabel="bins for each cell", ylabel="signal left", ylim=(0, 1.03))
    axis.legend(loc="lower right")
    return figure


def largest_gap(metrics: Metrics, task: str, one: str, other: str) -> float:
    """Between two columns of a table."""
    rows = {name.rsplit(".", 1)[0] for name in metrics if name.startswith(f"{task}.")}
    return max(abs(metrics[f"{row}.{one}"] - metrics[f"{row}.{other}"]) for row in rows)


def at_one_bin_for_each_cell(metrics: Metrics) -> float:
    """How much more is left of flights than the law for equally frequent cells says."""
    rows = [name for name in metrics if name.endswith(".theory_if_equal")]
    row = rows[BINS_TO_CELLS.index(1)].rsplit(".", 1)[0]
    return metrics[f"{row}.signal_kept"] - metrics[f"{row}.theory_if_equal"]


CLAIMS = [
    Claim(
        "collision-law",
        "parity",
        "What hashing leaves of equally frequent cells follows the collision law within {at_most}, "
        "from a 16th of as many bins as cells to 16 times as many.",
        lambda m: largest_gap(m, "collisions", "signal_kept", "theory"),
        at_most=0.05,
    ),
    Claim(
        "signs-do-not-help",
        "parity",
        "Random signs, as in FeatureHasher, change what hashing leaves by at most {at_most}.",
        lambda m: largest_gap(m, "collisions", "signal_kept", "signal_kept_signed"),
        at_most=0.06,
    ),
    Claim(
        "as-many-bins-as-cells",
        "limit",
        "With as many bins as equally frequent cells, hashing leaves at most {at_most} of the "
        "signal.",
        lambda m: m["collisions.4900_bins.signal_kept"],
        at_most=0.68,
    ),
    Claim(
        "collision-law-at-frequencies",
        "parity",
        "Where cells are as frequent as combinations of flights, the law for given frequencies "
        "holds within {at_most}.",
        lambda m: largest_gap(m, "collisions_of_flights", "signal_kept", "theory"),
        at_most=0.07,
    ),
    Claim(
        "unequal-cells-lose-less",
        "mechanism",
        "Less is lost there than the law for equally frequent cells says: at least {at_least} of "
        "the signal less, at one bin for each cell.",
        at_one_bin_for_each_cell,
        at_least=0.05,
    ),
]

EXPERIMENT = Experiment(
    question="How much of a cross is left when its combinations share bins?",
    data="synthetic",
    measure=measure,
    roles={"78400_bins": "pattern", "37744_bins": "pattern"},
    claims=CLAIMS,
    figures=lambda metrics: {
        "collisions": Drawing(
            lambda: draw(metrics),
            "The points lie on the curves of the law, with and without random signs. Cells that "
            "are not equally frequent lose less. Bars show the range over seeds.",
            "Signal left against bins for each cell: measured points with ranges on two curves.",
        )
    },
)
