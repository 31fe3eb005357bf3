"""Violations, which show neither in the photographed sign nor in the columns alone.

The sign stands a few pixels off the middle of its picture, as a camera would have it.
"""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from scipy.special import expit

from datasets import TrafficCamera
from patterns._kit.evidence import Claim, Drawing, Experiment, Result, ratio
from patterns.multimodal_input.evidence import Config
from patterns.multimodal_input.evidence.cars import (
    centered,
    draw_cars,
    single_and_joined,
    train_in_small_steps,
    trees,
)
from patterns.multimodal_input.evidence.networks import (
    FloatArray,
    columns_of,
    gain,
    logit,
    repeatable,
    score,
    single_and_late_fusion,
)
from patterns.multimodal_input.evidence.pictures import draw_answers, draw_seeds, hardest

TASK = "violation"


def measure(config: Config) -> Result:
    """Every method on the same cars."""
    data = draw_cars(config, "interacting", config.n_cars, config.max_shift)
    columns, held_out, test = map(columns_of, data)
    y, y_held_out, y_test = (part.y.to_numpy() for part in data)
    with repeatable(config.seed):
        single, joined = single_and_joined(columns)
        train_in_small_steps({**single, "joined": joined}, columns, y, config)
        answers = {
            **single_and_late_fusion(single, held_out, y_held_out, test),
            "trees_on_flat_pixels": trees(columns, y, [test], config.seed)[0],
            "trees_on_centered_pixels": trees(centered(columns), y, [centered(test)], config.seed)[
                0
            ],
            "joined": expit(logit(joined, test)),
            "oracle": data[2].oracle_proba(),
        }
    return Result(
        score(TASK, y_test, answers),
        {
            "hard_cars": Drawing(
                lambda: draw_hard_cars(data[2], answers),
                "Three cars, chosen because the joined network is right about them, and the "
                "network of the columns and late fusion are wrong. The network of the image can "
                "say hardly more than chance. The pictures are real handwritten digits, times ten. "
                "Green bars are on the right side of one half.",
                "Pictures of three signs with measured speed, hour, school and weather, and the "
                "probability of a violation by each of four models.",
            )
        },
    )


def draw_hard_cars(data: TrafficCamera, answers: Mapping[str, FloatArray]) -> Figure:
    """Cars that only the joined network judges rightly."""
    shown = {"image only": "image_only", "columns only": "tabular_only"}
    shown |= {"late fusion": "late_stacked"}
    figure, axes = plt.subplots(1, 3, figsize=(10, 3.2))
    rows = hardest(data, answers, ["tabular_only", "late_stacked"])
    for axis, row in zip(axes, rows, strict=True):
        car = data.frame.iloc[row]
        zone = "a school" if car["school_zone"] else "no school"
        facts = f"{car['hour']} o'clock\n{zone}\n{car['weather']}"
        facts = f"sign: {car['speed_limit']} km/h\ncar: {car['measured_speed']:.0f} km/h\n{facts}"
        axis.imshow(data.images[row], cmap="gray_r", extent=(0, 0.33, 0.55, 1), aspect="auto")
        axis.text(0.4, 0.98, facts, va="top", fontsize=9, linespacing=1.4)
        draw_answers(axis, answers, {**shown, "joined": "joined"}, row, "violation", car["label"])
    return figure


CLAIMS = [
    Claim(
        "joined-beats-single",
        "mechanism",
        "The joined network classifies at least {at_least} more of all cars rightly than the "
        "better of the networks of the image and of the columns.",
        gain(
            f"{TASK}.joined.accuracy",
            f"{TASK}.image_only.accuracy",
            f"{TASK}.tabular_only.accuracy",
        ),
        at_least=0.06,
    ),
    Claim(
        "joined-beats-late-fusion",
        "mechanism",
        "It classifies at least {at_least} more of all cars rightly than late fusion of these two, "
        "averaged or stacked on held-out rows.",
        gain(
            f"{TASK}.joined.accuracy",
            f"{TASK}.late_average.accuracy",
            f"{TASK}.late_stacked.accuracy",
        ),
        at_least=0.03,
    ),
    Claim(
        "shifted-signs-beat-flat-trees",
        "mechanism",
        "Boosted trees on flat pixels and columns see everything too, but each pixel has to be "
        "learned anew where the sign moves: the log loss of the joined network is at most "
        "{at_most} times theirs.",
        ratio(f"{TASK}.joined.log_loss", f"{TASK}.trees_on_flat_pixels.log_loss"),
        at_most=0.9,
    ),
    Claim(
        "centered-trees-as-good",
        "limit",
        "Where a rule finds the sign, trees on pixels that the rule has centered need no encoder: "
        "the joined network exceeds them by at most {at_most} in accuracy.",
        gain(f"{TASK}.joined.accuracy", f"{TASK}.trees_on_centered_pixels.accuracy"),
        at_most=0.01,
    ),
]

EXPERIMENT = Experiment(
    question="Must a model see the sign and the columns at once?",
    data="synthetic",
    measure=measure,
    roles={
        "image_only": "baseline",
        "tabular_only": "baseline",
        "late_average": "baseline",
        "late_stacked": "baseline",
        "trees_on_flat_pixels": "baseline",
        "trees_on_centered_pixels": "baseline",
        "joined": "pattern",
        "oracle": "best possible",
    },
    claims=CLAIMS,
    figures=lambda metrics: {
        "violation": Drawing(
            lambda: draw_seeds(metrics, {TASK: ""}, "accuracy"),
            "What sees sign and columns at once is ahead of what combines two answers. Trees on "
            "flat pixels lose much where the sign moves, and win once a rule has centered it. Each "
            "dot is one seed, each stroke their mean. The axes do not start at zero.",
            "Accuracy of eight methods on violations.",
        )
    },
)
