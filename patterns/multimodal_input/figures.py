"""The figures of the multimodal input example."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

# Okabe and Ito's palette: distinguishable with any color vision.
TRUTH, PATTERN, BASELINE, OTHER, LIGHT = "#000000", "#0072B2", "#D55E00", "#009E73", "#56B4E9"
TASKS = {
    "violation": "both needed: violations",
    "reviews": "both needed: reviews",
    "irrelevant_columns": "columns carry nothing",
    "independent_evidence": "independent evidence",
}
SETS = {  # method: label, color, marker
    "tabular_only": ("columns only", BASELINE, "s"),
    "image_only": ("image or text only", OTHER, "^"),
    "late_stacked": ("late fusion, stacked", LIGHT, "D"),
    "joined": ("joined", PATTERN, "o"),
    "oracle": ("oracle", TRUTH, "|"),
}


def model_graph(model: Any) -> Figure:
    """The layers of a model from its raw inputs, on the left, to its logit."""
    sources = {
        layer.name: [
            tensor._keras_history.operation.name
            for node in layer._inbound_nodes
            for tensor in node.input_tensors
        ]
        for layer in model.layers
    }
    targets = {name: [after for after in sources if name in sources[after]] for name in sources}
    column: dict[str, int] = {}
    for name in sources:  # from the inputs on: right of whatever it takes
        column[name] = 1 + max((column[source] for source in sources[name]), default=-1)
    for name in reversed(sources):  # and right before what takes it
        column[name] = min((column[target] - 1 for target in targets[name]), default=column[name])

    # The fullest column is spread evenly; whatever is beside it stands level with its neighbors.
    columns = [[n for n in sources if column[n] == i] for i in range(1 + max(column.values()))]
    fullest = max(range(len(columns)), key=lambda i: len(columns[i]))
    height = {name: -float(i) for i, name in enumerate(columns[fullest])}
    for neighbors, side in ((targets, columns[:fullest][::-1]), (sources, columns[fullest + 1 :])):
        for name in (name for names in side for name in names):
            height[name] = float(np.mean([height[other] for other in neighbors[name]]))

    figure, axis = plt.subplots(figsize=(10, 4))
    for layer in model.layers:
        is_input = type(layer).__name__ == "InputLayer"
        name = layer.name if is_input else type(layer).__name__
        shape = "×".join(map(str, layer.output.shape[1:])) or "a word"
        x, y = column[layer.name], height[layer.name]
        for source in sources[layer.name]:
            axis.plot([column[source], x], [height[source], y], color="0.6", lw=1.2, zorder=0)
        box = {
            "boxstyle": "round,pad=0.35",
            "facecolor": "#FDF1E7" if is_input else "#E8F3FA",
            "edgecolor": BASELINE if is_input else PATTERN,
        }
        axis.text(x, y, f"{name}\n{shape}", ha="center", va="center", fontsize=8, bbox=box)
    axis.set(xlim=(-0.5, len(columns) - 0.5), ylim=(-len(columns[fullest]) + 0.4, 0.6))
    axis.axis("off")
    return figure


def accuracy_by_inputs(metrics: Mapping[str, float]) -> Figure:
    """Accuracy of each set of inputs on each task, beside the oracle's."""
    figure, axis = plt.subplots(figsize=(8, 3.6))
    for row, task in enumerate(TASKS):
        axis.axhline(-row, color="0.9", lw=1, zorder=0)
        for i, (method, (label, color, marker)) in enumerate(SETS.items()):
            method = "conv" if (task, method) == ("reviews", "image_only") else method
            axis.plot(
                metrics[f"{task}.{method}.accuracy"],
                -row if method == "oracle" else 0.15 - row - 0.1 * i,
                marker,
                color=color,
                label=label if row == 0 else None,
                markersize=20 if marker == "|" else 9,
                markeredgewidth=2.5 if marker == "|" else 1,
                alpha=0.9,
            )
    axis.set_yticks([-row for row in range(len(TASKS))], list(TASKS.values()))
    axis.set(xlabel="accuracy", xlim=(0.48, 1.02), ylim=(-len(TASKS) + 0.5, 0.5))
    axis.tick_params(axis="y", length=0)
    figure.legend(
        *axis.get_legend_handles_labels(), loc="outside lower center", ncols=5, markerscale=0.7
    )
    return figure


def missing_image(metrics: Mapping[str, float]) -> Figure:
    """Without the image, accuracy hardly tells the models apart; log loss does."""
    labels = {
        "joined_blank_image": "joined, blank image",
        "joined_mean_image": "joined, mean image",
        "modality_dropout": "modality dropout and flag",
        "tabular_only": "model of the columns alone",
    }
    colors = [BASELINE, BASELINE, PATTERN, OTHER]
    figure, axes = plt.subplots(1, 2, figsize=(8, 2.6), sharey=True)
    for axis, metric in zip(axes, ("accuracy", "log_loss"), strict=True):
        values = [metrics[f"image_missing.{method}.{metric}"] for method in labels]
        axis.barh(list(labels.values()), values, color=colors, height=0.65)
        for position, value in enumerate(values):
            axis.text(value, position, f" {value:.2f}", va="center", fontsize=9)
        axis.set(xlabel=metric.replace("_", " "), xlim=(0, 1.18 * max(values)))
    axes[0].invert_yaxis()
    axes[0].tick_params(axis="y", length=0)
    return figure


def hard_cases(cars: Mapping[str, Any], reviews: Mapping[str, Any]) -> Figure:
    """Cases that the single-input models and late fusion get wrong and the joined model right.

    Parameters
    ----------
    cars, reviews : mappings with the keys "test", a data set, and "probabilities", by method
    """
    figure, axes = plt.subplots(2, 3, figsize=(10, 6.4))
    data, answers = cars["test"], cars["probabilities"]
    for axis, row in zip(axes[0], _hardest(data, answers, "image_only"), strict=True):
        car = data.frame.iloc[row]
        zone = "a school" if car["school_zone"] else "no school"
        facts = f"{car['hour']} o'clock\n{zone}\n{car['weather']}"
        facts = f"sign: {car['speed_limit']} km/h\ncar: {car['measured_speed']:.0f} km/h\n{facts}"
        axis.imshow(data.images[row], cmap="gray_r", extent=(0, 0.33, 0.55, 1), aspect="auto")
        axis.text(0.4, 0.98, facts, va="top", fontsize=9, linespacing=1.4)
        _draw_answers(axis, answers, {"image only": "image_only"}, row, "violation", car["label"])
    data, answers = reviews["test"], reviews["probabilities"]
    for axis, row in zip(axes[1], _hardest(data, answers, "conv"), strict=True):
        visit = data.frame.iloc[row]
        review = textwrap.fill(f"“{visit['text']}”", 40)
        facts = f"{visit['meal']}, price {visit['price']}, waited {visit['wait']} minutes"
        axis.text(0, 1, f"{review}\n\n{facts}", va="top", fontsize=9, linespacing=1.3)
        _draw_answers(axis, answers, {"text only": "conv"}, row, "liked", visit["liked"])
    for axis in axes.flat:
        axis.set(xlim=(0, 1), ylim=(-0.02, 1.02))
        axis.axis("off")
    return figure


def _hardest(data: Any, answers: Mapping[str, FloatArray], other: str) -> list[np.intp]:
    """Two positive rows and a negative one that only the joined model gets right.

    Those of which it is surest, and the oracle too: not the ones that chance decided.
    """
    y = data.y.to_numpy()
    wrong = [(answers[name] > 0.5) != y for name in (other, "tabular_only", "late_stacked")]
    sure = [np.where(y == 1, answers[name], 1 - answers[name]) for name in ("joined", "oracle")]
    margin = np.min(sure, axis=0)
    order = np.argsort(-np.where(np.all(wrong, axis=0), margin, -1))
    return [*order[y[order] == 1][:2], *order[y[order] == 0][:1]]


def _draw_answers(
    axis: Any,
    answers: Mapping[str, FloatArray],
    first: Mapping[str, str],
    row: np.intp,
    question: str,
    truth: int,
) -> None:
    """Bars of the probability that each model gives one row, and what is true."""
    shown = {**first, "columns only": "tabular_only"}
    shown |= {"late, stacked": "late_stacked", "joined": "joined"}
    for i, (label, method) in enumerate(shown.items()):
        height, probability = 0.42 - 0.1 * i, float(answers[method][row])
        color = PATTERN if (probability > 0.5) == bool(truth) else BASELINE
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
