"""A table of learning curves, so that searches can be replayed hundreds of times in seconds.

    python -m patterns.hyperparameter_tuning.evidence.curves           make the table anew
    python -m patterns.hyperparameter_tuning.evidence.curves --check   make a few curves, compare

Parameters are drawn at random from the spaces of the pattern. Each curve belongs to one of them.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import xgboost as xgb
from numpy.typing import NDArray

from patterns._kit.workers import cores, each
from patterns.hyperparameter_tuning.boosting import suggest_xgboost
from patterns.hyperparameter_tuning.evidence.digits import digits
from patterns.hyperparameter_tuning.evidence.late_flights import (
    DEFAULTS,
    FIXED,
    late_flights,
    loss,
)

PATH = Path(__file__).with_name("curves.npz")
N_BOOSTING, N_ROUNDS, EVERY = 200, 150, 5
N_NETWORKS, N_EPOCHS = 80, 27
N_LOGITS = 120  # of the boosted models have their predictions kept
FLIGHTS = {"train": 8000, "validation": 4000, "honest": 4000, "drift": 4000}
STEP = 32  # logits are kept in steps of one 32nd, in a byte


@cache
def curves() -> dict[str, NDArray[Any]]:
    """The table that is committed.

    ``boosting`` holds the losses of the parts validation, honest and drift, in the shape
    (200, 3, 30): one row per parameters, one column per five rounds. ``defaults`` holds those of
    learning rates 0.3 and 0.1. ``network`` holds the losses of validation and honest, in the shape
    (80, 2, 27). ``logits`` are what the fully boosted trees predict for the rows of validation and
    honest, whose truth is ``late``.
    """
    with np.load(PATH) as table:
        return {name: table[name] for name in table.files}


def parameters(kind: str) -> list[dict[str, Any]]:
    """Random draws from a search space of the pattern, the same ones each time."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.RandomSampler(seed=0)
    study = optuna.create_study(sampler=sampler)
    if kind == "boosting":
        return [suggest_xgboost(study.ask()) for _ in range(N_BOOSTING)]
    from patterns.hyperparameter_tuning.network import suggest_network  # imports TensorFlow

    return [suggest_network(study.ask()) for _ in range(N_NETWORKS)]


def boosting_curve(params: dict[str, Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Losses of shape (3, 30), and the coded logits of validation and honest rows."""
    parts = _matrices()
    booster = xgb.Booster(FIXED | params, list(parts.values()))
    losses = []
    for i in range(1, N_ROUNDS + 1):
        booster.update(parts["train"], i - 1)
        if i % EVERY == 0:
            losses.append([loss(m.get_label(), booster.predict(m)) for m in parts.values()][1:])
    two = (parts["validation"], parts["honest"])
    logits = np.concatenate([booster.predict(m, output_margin=True) for m in two])
    coded = np.clip(np.round(logits * STEP) + 128, 0, 255).astype(np.uint8)
    return np.array(losses).T, coded


@cache
def _matrices() -> dict[str, xgb.DMatrix]:
    return {name: rows.matrix() for name, rows in late_flights(FLIGHTS, 0).items()}


def network_curve(params: dict[str, Any]) -> NDArray[Any]:
    """Losses of shape (2, 27)."""
    import keras

    from patterns.hyperparameter_tuning.network import build_network, cross_entropy

    before = keras.config.floatx()
    keras.config.set_floatx("float64")  # so that other processors find the same
    try:
        parts = digits(0)
        keras.utils.set_random_seed(0)
        model = build_network(params, 64, 10)
        losses = []
        for _ in range(N_EPOCHS):
            model.fit(*parts["train"], batch_size=params["batch_size"], verbose=0)
            two = (parts["validation"], parts["honest"])
            losses.append([cross_entropy(y, model(X)) for X, y in two])
    finally:
        keras.config.set_floatx(before)
    return np.array(losses).T


def build() -> dict[str, NDArray[Any]]:
    """All curves, made anew."""
    boosting = [*parameters("boosting"), *DEFAULTS.values()]
    found: dict[int, Any] = dict(each(boosting_curve, [(p,) for p in boosting], cores()))
    trees = [found[i] for i in range(len(boosting))]
    networks = parameters("network")
    found = dict(each(network_curve, [(p,) for p in networks], cores()))
    parts = late_flights(FLIGHTS, 0)
    return {
        "boosting": np.array([losses for losses, _ in trees[:N_BOOSTING]], dtype=np.float32),
        "defaults": np.array([losses for losses, _ in trees[N_BOOSTING:]], dtype=np.float32),
        "network": np.array([found[i] for i in range(len(networks))], dtype=np.float32),
        "logits": np.array([logits for _, logits in trees[:N_LOGITS]]),
        "late": np.concatenate([parts["validation"].y, parts["honest"].y]).astype(np.uint8),
    }


def differences(table: dict[str, NDArray[Any]], n_curves: int = 2) -> list[str]:
    """What a few curves, made anew, have that differs from the table by more than rounding."""
    found = []
    trees, networks = parameters("boosting"), parameters("network")
    for i in np.linspace(0, N_LOGITS - 1, n_curves).astype(int):
        losses, logits = boosting_curve(trees[i])
        if not np.allclose(losses, table["boosting"][i], rtol=0.005):
            found.append(f"losses of trees {i}")
        if np.mean(np.abs(logits.astype(int) - table["logits"][i]) > 2) > 0.01:
            found.append(f"logits of trees {i}")
    for i in np.linspace(0, len(networks) - 1, n_curves).astype(int):
        if not np.allclose(network_curve(networks[i]), table["network"][i], rtol=0.005):
            found.append(f"losses of network {i}")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 1 if ``--check`` finds a difference."""
    parser = argparse.ArgumentParser(description="Make the table of learning curves.")
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    if not parser.parse_args(arguments).check:
        partial = PATH.with_suffix(".partial.npz")
        table: dict[str, Any] = build()
        np.savez_compressed(partial, **table)
        os.replace(partial, PATH)
        return 0
    found = differences(curves())
    print("\n".join(found) or "The curves are those of the table.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
