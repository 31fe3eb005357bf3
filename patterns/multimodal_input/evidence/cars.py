"""What the experiments on cars share: rows, networks, and boosted trees on everything at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import OrdinalEncoder
from xgboost import XGBClassifier

from datasets import TrafficCamera, make_traffic_camera
from patterns.multimodal_input.evidence import Config
from patterns.multimodal_input.evidence.networks import Columns, FloatArray, train
from patterns.multimodal_input.pattern import image_encoder, multimodal_model, tabular_encoder

WAYS = {
    "measured_speed": "number",
    "hour": ("number", "buckets"),
    "school_zone": "number",
    "weather": "category",
}


def draw_cars(
    config: Config, metadata: Any, n_train: int, max_shift: int = 0
) -> list[TrafficCamera]:
    """Train, held-out and test rows. No image is in two of them."""
    sizes = {"train": n_train, "validation": config.n_held_out, "test": config.n_test}
    return [
        make_traffic_camera(
            size,
            part=part,  # type: ignore[arg-type]
            metadata=metadata,
            max_shift=max_shift,
            partition=config.seed,
            random_state=[config.seed, i],
        )
        for i, (part, size) in enumerate(sizes.items())
    ]


def single_and_joined(columns: Columns) -> tuple[dict[str, Any], Any]:
    """Networks of the image and of the columns, and one of both."""
    shape = columns["image"].shape[1:]
    single = {
        "image_only": multimodal_model({"image": image_encoder(shape)}),
        "tabular_only": multimodal_model({"tabular": tabular_encoder(columns, WAYS)}),
    }
    encoders = {"image": image_encoder(shape), "tabular": tabular_encoder(columns, WAYS)}
    return single, multimodal_model(encoders)


def train_in_small_steps(
    models: Mapping[str, Any], columns: Columns, y: NDArray[Any], config: Config
) -> None:
    """Train networks on violations: convolutions learn them from many small steps."""
    train(models, columns, y, config.epochs, config.seed, batch=60, rate=0.005)


def centered(columns: Columns) -> Columns:
    """The same with each sign cut out around its center of ink, 8 pixels square."""
    images, half = columns["image"], 4
    places = np.arange(images.shape[1]) + 0.5
    ink = images.sum(axis=(1, 2))
    middles = (np.einsum(how, images, places) / ink for how in ("nij,i->n", "nij,j->n"))
    rows, lines = (np.rint(m).astype(int)[:, None] + np.arange(2 * half) for m in middles)
    padded = np.pad(images, ((0, 0), (half, half), (half, half)))
    each = np.arange(len(images))[:, None, None]
    return {**columns, "image": padded[each, rows[:, :, None], lines[:, None, :]]}


def trees(
    columns: Columns, y: NDArray[Any], tests: Sequence[Columns], seed: int
) -> list[FloatArray]:
    """Boosted trees on everything in one flat row: pixels, numbers, and codes of the weather.

    Fitted once; gives the probabilities of each of several tests.
    """
    codes = OrdinalEncoder().fit(columns["weather"][:, None])

    def flat(table: Columns) -> FloatArray:
        numbers = np.column_stack([table[n] for n in ("measured_speed", "hour", "school_zone")])
        weather = codes.transform(table["weather"][:, None])
        return np.hstack([table["image"].reshape(len(numbers), -1), numbers, weather])

    model = XGBClassifier(n_estimators=150, learning_rate=0.15, n_jobs=1, random_state=seed)
    model.fit(flat(columns), y)
    return [np.asarray(model.predict_proba(flat(test))[:, 1]) for test in tests]
