"""The figures of the neutral class example."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

# Okabe and Ito's palette: distinguishable with any color vision.
TRUTH, PATTERN, BASELINE, OTHER, RAW = "#000000", "#0072B2", "#D55E00", "#009E73", "#56B4E9"
REGIONS = {"acetaminophen": "#56B4E9", "ibuprofen": "#E69F00", "review": "#DDDDDD"}
LABELS = {
    "binary_chow": "binary, Chow's rule",
    "binary_best_threshold": "binary, best threshold",
    "disagreements_dropped": "disagreements dropped",
    "neutral_raw": "neutral, uncorrected",
    "neutral_corrected": "neutral, corrected",
    "oracle": "truth",
}
COLORS = {
    "binary_chow": BASELINE,
    "binary_best_threshold": OTHER,
    "disagreements_dropped": OTHER,
    "neutral_raw": RAW,
    "neutral_corrected": PATTERN,
    "oracle": TRUTH,
}


def regions(axis: FloatArray, actions: Mapping[str, NDArray[np.intp]]) -> Figure:
    """The plane of patients, colored by what each method does; the truth's borders as lines."""
    figure, axes = plt.subplots(2, 3, figsize=(8, 6), sharex=True, sharey=True)
    for panel, (name, label) in zip(axes.flat, LABELS.items(), strict=True):
        colors = ListedColormap(list(REGIONS.values()))
        panel.pcolormesh(
            axis, axis, actions[name], cmap=colors, vmin=-0.5, vmax=2.5, rasterized=True
        )
        if name != "oracle":
            is_review = actions["oracle"] == 2
            panel.contour(axis, axis, is_review, levels=[0.5], colors=TRUTH, linewidths=1)
        panel.set(title=label, aspect="equal", xticks=[-2, 0, 2], yticks=[-2, 0, 2])
        panel.axhline(0, color=TRUTH, ls=":", lw=0.8)
    axes[1, 2].text(
        0, -1.2, "below the dots, either\ndrug would mostly do", ha="center", fontsize=9
    )
    for panel in axes[:, 0]:
        panel.set_ylabel("severity\nthe choice matters more →")
    axes[1, 1].set_xlabel("balance: the stomach is at more risk than the liver →")
    patches = [Patch(color=color, label=action) for action, color in REGIONS.items()]
    patches.append(Patch(facecolor="none", edgecolor=TRUTH, label="where review is truly best"))
    figure.legend(handles=patches, loc="outside lower center", ncols=4)
    return figure


def review_price(prices: FloatArray, curves: Mapping[str, Mapping[str, list[float]]]) -> Figure:
    """Cost of a patient above the oracle's, against the price of a review."""
    titles = {
        "free_choice": "either drug would do: a free choice",
        "review_only": "either drug would do: review anyway",
    }
    figure, axes = plt.subplots(1, 2, figsize=(8, 3.8), sharey=True)
    for panel, (utility, title) in zip(axes, titles.items(), strict=True):
        oracle = np.asarray(curves[utility]["oracle"])
        for name in ("binary_chow", "binary_best_threshold", "neutral_raw", "neutral_corrected"):
            excess = np.asarray(curves[utility][name]) - oracle
            panel.plot(prices, excess, color=COLORS[name], label=LABELS[name], lw=1.8)
        panel.axhline(0, color=TRUTH, ls="--", lw=1.2, label="truth")
        panel.set(title=title, xlabel="price of a review", xlim=(0, prices[-1]))
    axes[0].set_ylabel("cost of a patient above the truth's")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def risk_coverage(curves: Mapping[str, tuple[FloatArray, FloatArray]]) -> Figure:
    """Mean cost of the decided patients against their share, the most confident first."""
    figure, axis = plt.subplots(figsize=(7, 4.2))
    for name in (
        "binary_chow",
        "disagreements_dropped",
        "neutral_raw",
        "neutral_corrected",
        "oracle",
    ):
        coverage, risk = curves[name]
        # The first few patients are too few for a mean, and four hundred points enough for a curve.
        shown = np.linspace(0.02 * len(risk), len(risk) - 1, 400).astype(int)
        style = "--" if name == "oracle" else "-"
        label = {"binary_chow": "binary"}.get(name, LABELS[name])
        axis.plot(coverage[shown], risk[shown], style, color=COLORS[name], label=label, lw=1.8)
    axis.set(xlabel="share of patients decided", ylabel="cost of a decided patient", xlim=(0, 1))
    axis.set_ylim(bottom=0)
    axis.legend(loc="upper left")
    return figure
