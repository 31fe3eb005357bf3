"""What the experiments share: training of networks, late fusion, scores."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.metrics import accuracy_score, log_loss

from patterns._kit.evidence import Metrics
from patterns.multimodal_input.late_fusion import late_average, late_stacked
from patterns.multimodal_input.pattern import model_inputs

FloatArray = NDArray[np.float64]
Columns = dict[str, NDArray[Any]]

BATCH = 125  # rows per training step, unless an experiment says otherwise


@contextmanager
def repeatable(seed: int) -> Iterator[None]:
    """Seed every draw and compute in float64.

    Processors round float32 differently, and training amplifies that.
    """
    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    keras.utils.set_random_seed(seed)
    try:
        yield
    finally:
        keras.config.set_floatx(before)


def columns_of(data: Any) -> Columns:
    """What the models may see of a data set, as it came: raw, and by name."""
    columns = {name: data.frame[name].to_numpy() for name in data.feature_names}
    return columns | {"image": data.images} if "image_id" in data.frame else columns


def train(
    models: Mapping[str, Any],
    columns: Columns,
    y: NDArray[Any],
    epochs: int,
    seed: int,
    batch: int = BATCH,
    rate: float = 0.01,
) -> None:
    """Train several models in one fit: on the same batches, equally long, and as if alone.

    They share no weight, and Adam scales the step of each weight by its own gradients. So the sum
    of their losses trains each as its own loss would. TensorFlow traces one training step for all:
    for models as small as these, tracing takes longer than training.
    """
    raw = {
        name: keras.Input(tensor.shape[1:], name=name, dtype=tensor.dtype)
        for model in models.values()
        for name, tensor in model.input.items()
    }
    logits = [model({name: raw[name] for name in model.input}) for model in models.values()]
    together = keras.Model(raw, keras.layers.Concatenate()(logits))
    # All epochs in a row, each in its own order: to start an epoch costs as much as ten steps.
    rng = np.random.default_rng(seed)
    order = np.concatenate([rng.permutation(len(y)) for _ in range(epochs)])
    together.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, len(order) // batch)),
        keras.losses.BinaryCrossentropy(from_logits=True),
    )
    together.optimizer.build(together.trainable_variables)
    there = {name: np.ones(len(y)) for name in raw if name.endswith("_present")}
    inputs = {n: a[order] for n, a in model_inputs(together, there | columns).items()}
    labels = np.tile(y[order, None].astype(float), len(models))
    together.fit(inputs, labels, batch, shuffle=False, verbose=0)


def logit(model: Any, columns: Columns) -> FloatArray:
    """The logit of each row."""
    return np.asarray(model(model_inputs(model, columns)), dtype=float)[:, 0]


def single_and_late_fusion(
    single: Mapping[str, Any], held_out: Columns, y_held_out: NDArray[Any], test: Columns
) -> dict[str, FloatArray]:
    """Probabilities of models that see one input each, and of their combined answers."""
    answers, answers_held_out = (
        np.column_stack([logit(model, columns) for model in single.values()])
        for columns in (test, held_out)
    )
    return {
        **dict(zip(single, expit(answers).T, strict=True)),
        "late_average": late_average(answers),
        "late_stacked": late_stacked(answers_held_out, y_held_out, answers),
    }


def score(task: str, y: NDArray[Any], probabilities: Mapping[str, FloatArray]) -> dict[str, float]:
    """The metrics of each method, by name."""
    metrics = {}
    for method, probability in probabilities.items():
        safe = np.clip(probability, 1e-7, 1 - 1e-7)
        metrics[f"{task}.{method}.log_loss"] = float(log_loss(y, safe))
        metrics[f"{task}.{method}.accuracy"] = float(accuracy_score(y, safe > 0.5))
    return metrics


def gain(name: str, *others: str) -> Callable[[Metrics], float]:
    """By how much one metric exceeds the greatest of others."""
    return lambda metrics: metrics[name] - max(metrics[other] for other in others)
