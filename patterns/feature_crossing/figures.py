"""The figures of the feature crossing example."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from datasets.crosses import DAYS, CrossData
from patterns.feature_crossing.pattern import signal_kept

# Okabe and Ito's palette: distinguishable with any color vision.
TRUTH, PATTERN, OTHER = "#000000", "#0072B2", "#E69F00"
DIVERGING = "PuOr_r"  # orange is high, purple low
REGIONS = {
    "raw": "raw features",
    "buckets": "buckets, no cross",
    "crossed": "crossed buckets",
    "over_crossed": "four grids, no penalty",
    "over_crossed_l1": "four grids, L1 penalty",
}


def regions(fitted: Mapping[str, Any], data: CrossData) -> Figure:
    """What each linear model makes of XOR: the probability that it gives to every place."""
    axis_values = np.linspace(-0.995, 0.995, 200)
    x0, x1 = (values.ravel() for values in np.meshgrid(axis_values, axis_values))
    places = pd.DataFrame({"x0": x0, "x1": x1})
    maps = {
        title: fitted[f"xor.{name}"].predict_proba(places)[:, 1] for name, title in REGIONS.items()
    }
    maps["truth, and some of the rows"] = data.oracle_mean(places)
    figure, axes = plt.subplots(2, 3, figsize=(8.4, 5.6), sharex=True, sharey=True)
    for axis, (title, probability) in zip(axes.flat, maps.items(), strict=True):
        image = axis.imshow(
            probability.reshape(200, 200),
            origin="lower",
            extent=(-1, 1, -1, 1),
            vmin=0,
            vmax=1,
            cmap=DIVERGING,
        )
        axis.set(title=title, xticks=(-1, 0, 1), yticks=(-1, 0, 1))
        axis.title.set_fontsize(10)
    some = data.frame.head(150)
    for label, marker in ((0, "v"), (1, "^")):
        rows = some[some["y"] == label]
        face = plt.get_cmap(DIVERGING)(float(label))
        axes[1, 2].scatter(
            rows["x0"], rows["x1"], s=14, marker=marker, color=face, edgecolors="white", lw=0.5
        )
    figure.supxlabel("x0", fontsize=10)
    figure.supylabel("x1", fontsize=10)
    figure.colorbar(image, ax=axes, label="probability of class 1", shrink=0.6, pad=0.02)
    return figure


def collisions(metrics: Mapping[str, float], n_cells: int) -> Figure:
    """What hashing leaves of a cross, measured and by the law, against bins relative to cells."""
    rows = [name for name in metrics if name.startswith("collisions.") and name.endswith(".theory")]
    n_bins = np.array([int(name.split(".")[1].split("_")[0]) for name in rows])
    figure, axis = plt.subplots(figsize=(6.5, 3.4))
    curve = np.geomspace(n_bins.min(), n_bins.max(), 200)
    axis.plot(curve / n_cells, signal_kept(n_cells, curve), "--", color=TRUTH, lw=1.2, label="law")
    for score, marker, color, label in (
        ("signal_kept", "o", PATTERN, "FeatureCross, hashed"),
        ("signal_kept_signed", "x", OTHER, "FeatureHasher, with signs"),
    ):
        values = [metrics[name.replace("theory", score)] for name in rows]
        axis.plot(n_bins / n_cells, values, marker, color=color, label=label, ms=7, mew=1.8)
    axis.set_xscale("log", base=2)
    axis.set_xticks(
        n_bins / n_cells, [f"{x:.0f}" if x >= 1 else f"1/{1 / x:.0f}" for x in n_bins / n_cells]
    )
    axis.yaxis.set_major_formatter(PercentFormatter(1.0))
    axis.set(xlabel="bins for each cell", ylabel="signal left", ylim=(0, 1.03))
    axis.legend(loc="lower right")
    return figure


def coefficients(model: Any) -> Figure:
    """The cross of hour and day in the model of departures, as a map."""
    encoder, ridge = model[0], model[-1]
    table = pd.DataFrame(index=DAYS, columns=range(5, 24), dtype=float)
    for name, coefficient in zip(encoder.get_feature_names_out(), ridge.coef_, strict=True):
        if " × " in name:
            hour, day = (part.split("=")[1] for part in name.split(" × "))
            table.loc[day, int(hour)] = coefficient
    largest = np.abs(table.to_numpy()).max()
    figure, axis = plt.subplots(figsize=(8, 3))
    image = axis.imshow(table, cmap=DIVERGING, vmin=-largest, vmax=largest, aspect="auto")
    axis.set_xticks(range(len(table.columns)), table.columns)
    axis.set_yticks(range(len(DAYS)), DAYS)
    axis.set(xlabel="hour of scheduled departure")
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    figure.colorbar(image, ax=axis, label="departures beyond\nhour and day alone")
    return figure
