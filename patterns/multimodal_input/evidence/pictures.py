"""What the figures share: every seed as a dot, and cases that only the joined model gets right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from patterns._kit.evidence import MetricsOfSeeds
from patterns._kit.figures import ALTERNATIVE, BASELINE, BEST, PATTERN
from patterns.multimodal_input.evidence.networks import FloatArray

COLORS = {  # of each method that is no baseline
    "joined": PATTERN,
    "modality_dropout": PATTERN,
    "oracle": BEST,
}


def draw_seeds(metrics: MetricsOfSeeds, tasks: Mapping[str, str], metric: str) -> Figure:
    """One panel for each task, one line for each of its methods, one dot for each seed.

    Parameters
    ----------
    tasks : mapping of task to the title of its panel
    """
    methods = {
        task: [name.split(".")[1] for name in metrics if name.split(".")[::2] == [task, metric]]
        for task in tasks
    }
    tallest = max(map(len, methods.values()))
    width = 2.4 + 3.4 * len(tasks)
    figure, axes = plt.subplots(1, len(tasks), figsize=(width, 0.8 + 0.3 * tallest), squeeze=False)
    for axis, (task, title) in zip(axes[0], tasks.items(), strict=True):
        for row, method in enumerate(methods[task]):
            values = metrics[f"{task}.{method}.{metric}"]
            color = COLORS.get(method, BASELINE)
            axis.plot(values, [row] * len(values), "o", color=color, alpha=0.5, ms=5)
            axis.plot(np.mean(values), row, "|", color=color, ms=16, mew=2)
        names = [method.replace("_", " ") for method in methods[task]]
        axis.set_yticks(range(len(names)), names)
        axis.set(title=title, xlabel=metric.replace("_", " "), ylim=(len(names) - 0.5, -0.5))
        axis.tick_params(axis="y", length=0)
        axis.grid(axis="y", color="0.93")
        axis.set_axisbelow(True)
    return figure


def hardest(data: Any, answers: Mapping[str, FloatArray], others: Sequence[str]) -> list[np.intp]:
    """Two positive rows and a negative one that only the joined model gets right.

    Those of which it is surest, and the oracle too: not the ones that chance decided.
    """
    y = data.y.to_numpy()
    wrong = [(answers[name] > 0.5) != y for name in others]
    sure = [np.where(y == 1, answers[name], 1 - answers[name]) for name in ("joined", "oracle")]
    margin = np.min(sure, axis=0)
    order = np.argsort(-np.where(np.all(wrong, axis=0), margin, -1), kind="stable")
    return [*order[y[order] == 1][:2], *order[y[order] == 0][:1]]


def draw_answers(
    axis: Any,
    answers: Mapping[str, FloatArray],
    shown: Mapping[str, str],
    row: np.intp,
    question: str,
    truth: int,
) -> None:
    """Bars of the probability that each model gives one row, and what is true.

    Parameters
    ----------
    shown : mapping of label to method
    """
    for i, (label, method) in enumerate(shown.items()):
        height, probability = 0.42 - 0.1 * i, float(answers[method][row])
        color = ALTERNATIVE if (probability > 0.5) == bool(truth) else BASELINE
        axis.barh(height, 0.5 * probability, 0.06, left=0.4, color=color)
        axis.text(0.38, height, label, ha="right", va="center", fontsize=8.5)
        axis.text(
            0.415 + 0.5 * probability,
            height,
            f"{probability:.0%}",
            va="center",
            fontsize=8.5,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
        )
    axis.plot([0.65, 0.65], [0.08, 0.46], ":", color="0.5", lw=1, zorder=0)
    axis.text(0.4, 0, f"{question}: {'yes' if truth else 'no'}", fontsize=9, weight="bold")
    axis.set(xlim=(0, 1), ylim=(-0.02, 1.02))
    axis.axis("off")
