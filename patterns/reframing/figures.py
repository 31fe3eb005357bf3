"""The figures of the reframing example."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

# Okabe and Ito's palette: distinguishable with any color vision.
TRUTH, PATTERN, BASELINE, OTHER = "#000000", "#0072B2", "#D55E00", "#009E73"
LABELS = {
    "point_gaussian": "point forecast + Gaussian errors",
    "point_residuals": "point forecast + its own errors",
    "binned_logistic": "reframed: classifier over bins",
    "oracle": "truth",
}


def three_hours(forecasts: Mapping[str, Any]) -> Figure:
    """Predictive distributions of a dry, an undecided and a wet hour, beside the true ones."""
    rain = np.linspace(-0.8, 2.8, 721)
    curves = {
        name: forecasts[name].cdf(rain[None, :])
        for name in ("point_gaussian", "binned_logistic", "oracle")
    }
    wet = 1 - forecasts["oracle"].cdf(np.zeros((1, 1)))[:, 0]
    colors = {"oracle": TRUTH, "binned_logistic": PATTERN, "point_gaussian": BASELINE}
    figure, axes = plt.subplots(1, 3, figsize=(9, 3.4), sharey=True)
    for axis, chance in zip(axes, (0.1, 0.5, 0.9), strict=True):
        row = np.abs(wet - chance).argmin()
        for name, color in colors.items():
            style = "--" if name == "oracle" else "-"
            axis.plot(rain, curves[name][row], style, color=color, label=LABELS[name], lw=1.8)
        axis.axvspan(rain[0], 0, color="0.93", lw=0)
        axis.set(title=f"{wet[row]:.0%} chance of rain", xlabel="rain", xlim=(rain[0], rain[-1]))
    axes[0].text(-0.4, 0.97, "less than\nno rain", ha="center", va="top", color="0.4", fontsize=8)
    axes[0].set_ylabel("probability of at most this much")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def number_of_bins(metrics: Mapping[str, float], bin_counts: tuple[int, ...]) -> Figure:
    """CRPS against the number of bins, with and without a penalty, and the oracle's."""
    figure, axis = plt.subplots(figsize=(6.5, 3.4))
    for penalty, color, label in (
        ("no_penalty", BASELINE, "no penalty"),
        ("ridge", PATTERN, "scikit-learn's default penalty"),
    ):
        scores = [metrics[f"number_of_bins.{n}.crps_{penalty}"] for n in bin_counts]
        axis.plot(bin_counts, scores, "o-", color=color, label=label)
    oracle = metrics["rain.oracle.crps"]
    axis.axhline(oracle, color=TRUTH, ls="--", lw=1.2, label="truth")
    axis.set_xscale("log")
    axis.set_xticks(bin_counts, [str(n) for n in bin_counts])
    axis.minorticks_off()
    axis.set(xlabel="number of bins for the wet hours", ylabel="CRPS")
    axis.legend(loc="upper left")
    return figure


def calibration(pit: Mapping[str, FloatArray]) -> Figure:
    """PIT histograms side by side: flat is calibrated."""
    figure, axes = plt.subplots(1, len(pit), figsize=(9, 2.9), sharey=True)
    for axis, (name, values) in zip(axes, pit.items(), strict=True):
        color = PATTERN if name.startswith("binned") else BASELINE
        weights = np.full(len(values), 20 / len(values))
        axis.hist(values, bins=20, range=(0, 1), weights=weights, color=color, alpha=0.85)
        axis.axhline(1, color=TRUTH, ls="--", lw=1.2)
        axis.set(title=LABELS[name], xlabel="PIT value", xlim=(0, 1))
    axes[0].set_ylabel("relative frequency")
    return figure
