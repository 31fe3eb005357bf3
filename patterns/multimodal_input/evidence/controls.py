"""Two controls in which joining gains nothing: irrelevant columns, and independent evidence."""

from __future__ import annotations

from typing import Any

from scipy.special import expit

from patterns._kit.evidence import Claim, Drawing, Experiment, Result
from patterns.multimodal_input.evidence import Config
from patterns.multimodal_input.evidence.cars import draw_cars, single_and_joined, trees
from patterns.multimodal_input.evidence.networks import (
    columns_of,
    gain,
    logit,
    repeatable,
    score,
    single_and_late_fusion,
    train,
)
from patterns.multimodal_input.evidence.pictures import draw_seeds


def measure(config: Config) -> Result:
    """Every method on both controls."""
    with repeatable(config.seed):
        metrics = control(config, "irrelevant_columns", "irrelevant")
        metrics |= control(config, "independent_evidence", "independent")
    return Result(metrics)


def control(config: Config, task: str, metadata: Any) -> dict[str, float]:
    """The metrics of all methods where joining gains nothing."""
    data = draw_cars(config, metadata, config.n_controls)
    columns, held_out, test = map(columns_of, data)
    y, y_held_out, y_test = (part.y.to_numpy() for part in data)
    single, joined = single_and_joined(columns)
    train({**single, "joined": joined}, columns, y, config.epochs, config.seed)
    answers = {
        **single_and_late_fusion(single, held_out, y_held_out, test),
        "trees_on_flat_pixels": trees(columns, y, [test], config.seed)[0],
        "joined": expit(logit(joined, test)),
        "oracle": data[2].oracle_proba(),
    }
    return score(task, y_test, answers)


CLAIMS = [
    Claim(
        "irrelevant-columns",
        "limit",
        "Where the columns carry nothing, joining them gains at most {at_most} in accuracy over "
        "the image alone.",
        gain("irrelevant_columns.joined.accuracy", "irrelevant_columns.image_only.accuracy"),
        at_most=0.05,
    ),
    Claim(
        "independent-evidence",
        "limit",
        "Where image and columns are independent evidence, the joined network exceeds stacked late "
        "fusion by at most {at_most} in accuracy.",
        gain("independent_evidence.joined.accuracy", "independent_evidence.late_stacked.accuracy"),
        at_most=0.025,
    ),
]

EXPERIMENT = Experiment(
    question="When does joining gain nothing?",
    data="synthetic",
    measure=measure,
    roles={
        "image_only": "baseline",
        "tabular_only": "baseline",
        "late_average": "baseline",
        "late_stacked": "baseline",
        "trees_on_flat_pixels": "baseline",
        "joined": "pattern",
        "oracle": "best possible",
    },
    claims=CLAIMS,
    figures=lambda metrics: {
        "controls": Drawing(
            lambda: draw_seeds(
                metrics,
                {
                    "irrelevant_columns": "columns carry nothing",
                    "independent_evidence": "independent evidence",
                },
                "accuracy",
            ),
            "Where the columns carry nothing, the network of the image is as good as the joined "
            "one. Where image and columns are independent evidence, late fusion is. Each dot is "
            "one seed, each stroke their mean. The axes do not start at zero.",
            "Accuracy of seven methods on the two controls.",
        )
    },
)
