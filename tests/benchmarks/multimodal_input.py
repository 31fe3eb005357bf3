"""Ratios of the multimodal input pattern: what joining costs, in training and in serving.

Run with ``uv run python tests/benchmarks/multimodal_input.py``. Each line is the median, over
rounds, of one time divided by another that was measured in the same round.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from timing import Comparison, arguments, ratios, report

from datasets import make_traffic_camera
from patterns.multimodal_input import (
    image_encoder,
    model_inputs,
    multimodal_model,
    tabular_encoder,
)
from patterns.multimodal_input.evidence.cars import WAYS
from patterns.multimodal_input.evidence.networks import columns_of


def main() -> None:
    """Measure and report."""
    options = arguments(__doc__).parse_args()
    keras.utils.set_random_seed(0)
    cars = make_traffic_camera(4000, random_state=0)
    columns, y = columns_of(cars), cars.y.to_numpy("f4")[:, None]
    image = multimodal_model({"image": image_encoder((8, 8))})
    joined = multimodal_model(
        {"image": image_encoder((8, 8)), "tabular": tabular_encoder(columns, WAYS)}
    )

    def fit(model: Any) -> Callable[[], object]:
        inputs = model_inputs(model, columns)
        model.fit(inputs, y, 250, verbose=0)  # the first epoch traces the training step
        return lambda: model.fit(inputs, y, 250, verbose=0)

    def predict(model: Any) -> Callable[[], object]:
        inputs = model_inputs(model, columns)
        model.predict(inputs, 1000, verbose=0)
        return lambda: model.predict(inputs, 1000, verbose=0)

    rows = {
        "one epoch of 4,000 cars": [ratios(fit(joined), fit(image))],
        "prediction of 4,000 cars": [ratios(predict(joined), predict(image))],
    }
    table = Comparison("Time of the joined model, to the image alone", ["relative time"], rows)
    report(__file__, [table], ["keras", "tensorflow"], options.record)


if __name__ == "__main__":
    main()
