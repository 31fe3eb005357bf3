"""A leak: rows of one image on both sides of a random split."""

from __future__ import annotations

from xgboost import XGBClassifier

from datasets import make_traffic_camera
from patterns._kit.evidence import Claim, Experiment, Result, difference
from patterns.multimodal_input.evidence import Config
from patterns.multimodal_input.evidence.networks import score

TASK = "reused_images"


def measure(config: Config) -> Result:
    """The same trees, judged on the other half of the rows and on new images."""
    few = make_traffic_camera(
        2 * config.n_controls,
        metadata="irrelevant",
        n_images=config.n_images,
        partition=config.seed,
        random_state=[config.seed, 3],
    )
    new = make_traffic_camera(
        config.n_test,
        part="test",
        metadata="irrelevant",
        partition=config.seed,
        random_state=[config.seed, 2],
    )
    half = config.n_controls  # rows are in random order: a split by row may as well be this one
    images, y = few.images.reshape(2 * half, -1), few.y.to_numpy()
    model = XGBClassifier(n_estimators=50, n_jobs=1, random_state=config.seed)
    model.fit(images[:half], y[:half])
    promised = model.predict_proba(images[half:])[:, 1]
    kept = model.predict_proba(new.images.reshape(len(new.frame), -1))[:, 1]
    return Result(
        score(TASK, y[half:], {"split_by_row": promised})
        | score(TASK, new.y.to_numpy(), {"split_by_image": kept})
    )


CLAIMS = [
    Claim(
        "row-split-leaks",
        "mechanism",
        "With few images that recur in many rows, a split by row promises an accuracy that is at "
        "least {at_least} above that on new images.",
        difference(f"{TASK}.split_by_row.accuracy", f"{TASK}.split_by_image.accuracy"),
        at_least=0.05,
    ),
]

EXPERIMENT = Experiment(
    question="What does a split by row promise where images recur?",
    data="synthetic",
    measure=measure,
    roles={"split_by_row": "baseline", "split_by_image": "pattern"},
    claims=CLAIMS,
)
