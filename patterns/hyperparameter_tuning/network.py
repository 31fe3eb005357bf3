"""A Keras network as a trial: its search space, and training that gives a loss per epoch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import ArrayLike, NDArray
from optuna import Trial


def suggest_network(trial: Trial) -> dict[str, Any]:
    """Six parameters of a network with hidden layers, each on its scale."""
    return {
        "learning_rate": trial.suggest_float("learning_rate", 1e-4, 1e-1, log=True),
        "units": trial.suggest_int("units", 8, 128, log=True),
        "layers": trial.suggest_int("layers", 1, 3),
        "dropout": trial.suggest_float("dropout", 0, 0.5),
        "l2": trial.suggest_float("l2", 1e-6, 1e-2, log=True),
        "batch_size": trial.suggest_int("batch_size", 16, 128, log=True),
    }


def build_network(params: Mapping[str, Any], n_features: int, n_classes: int) -> keras.Model:
    """A compiled classifier of rows of numbers."""
    inputs = keras.Input((n_features,))
    hidden = inputs
    for _ in range(params["layers"]):
        hidden = keras.layers.Dense(
            params["units"], "relu", kernel_regularizer=keras.regularizers.L2(params["l2"])
        )(hidden)
        hidden = keras.layers.Dropout(params["dropout"])(hidden)
    model = keras.Model(inputs, keras.layers.Dense(n_classes, "softmax")(hidden))
    model.compile(keras.optimizers.Adam(params["learning_rate"]), "sparse_categorical_crossentropy")
    return model


def network_losses(
    params: Mapping[str, Any],
    train: tuple[NDArray[Any], NDArray[Any]],
    validation: tuple[NDArray[Any], NDArray[Any]],
    n_epochs: int,
    seed: int = 0,
) -> Iterator[tuple[int, float]]:
    """Train, and give the number of epochs and the mean cross-entropy of the validation rows.

    Parameters
    ----------
    params : mapping
        As from `suggest_network`.
    train, validation : features of shape (n_samples, n_features), classes from 0 on
    n_epochs : int
    seed : int
        Of weights, dropout and the order of the rows.
    """
    keras.utils.set_random_seed(seed)
    X, y = train
    X_validation, y_validation = validation
    model = build_network(params, X.shape[1], int(max(y.max(), y_validation.max())) + 1)
    for epoch in range(1, n_epochs + 1):
        model.fit(X, y, batch_size=params["batch_size"], verbose=0)
        yield epoch, cross_entropy(y_validation, model(X_validation))


def cross_entropy(y: NDArray[Any], proba: ArrayLike) -> float:
    """Mean negative log probability of the true classes, each taken as 1e-7 or more."""
    of_truth = np.asarray(proba, dtype=float)[np.arange(len(y)), y]
    return float(-np.log(np.maximum(of_truth, 1e-7)).mean())
