"""Networks of digits: the baseline of integrated gradients, and a shortcut that stays hidden."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from patterns._kit.evidence import Claim, Experiment, Metrics, Result, metric
from patterns.explainable_predictions.evidence import Config
from patterns.explainable_predictions.pattern import Attributions, explain

FloatArray = NDArray[np.float64]
N_TRAIN = 1200
N_SHOWN = 60  # test digits that are explained
AGREEMENT = 0.98


# ---------------------------------------------------------------------------------- data
def pictures(
    kind: str, agreement: float, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Digits from zero to one of ink; the label says whether the digit is five or more.

    A mark agrees with the label in a share of the pictures: one pixel in the corner that is always
    blank, or a little more brightness everywhere.
    """
    data = load_digits()
    X, y = data.data / 16, (data.target >= 5).astype(float)
    order = rng.permutation(len(X))
    X, y = X[order], y[order]
    mark = np.where(rng.random(len(X)) < agreement, y, 1 - y)[:, None]
    if kind == "corner":
        X[:, :1] = mark
    if kind == "diffuse":
        X = X + 0.08 * mark
    return X, y


# ---------------------------------------------------------------------------------- methods
def train(X: FloatArray, y: FloatArray, config: Config) -> object:
    """A small network with float64 weights, so that other processors find the same ones."""
    import keras

    keras.utils.set_random_seed(config.seed)
    network = keras.Sequential(
        [
            keras.Input((X.shape[1],), dtype="float64"),
            keras.layers.Dense(32, "relu", dtype="float64"),
            keras.layers.Dense(1, dtype="float64"),
        ]
    )
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    network.compile(keras.optimizers.Adam(3e-3), loss)
    network.fit(X, y, epochs=config.n_epochs, batch_size=64, verbose=0)
    return network


def accuracy(network: object, X: FloatArray, y: FloatArray) -> float:
    """Share of labels that are right."""
    return float(np.mean((np.asarray(network(X))[:, 0] > 0) == (y > 0.5)))  # type: ignore[operator]


def shares(found: Attributions) -> FloatArray:
    """Of each pixel, in all absolute attributions."""
    total = np.abs(found.values).sum(axis=0)
    return total / total.sum()


# ---------------------------------------------------------------------------------- scores
def measure(config: Config) -> Result:
    """Scores with and without the mark, shares of pixels, and three baselines."""
    metrics: dict[str, float] = {}
    for number, kind in enumerate(("no_mark", "corner", "diffuse")):
        rng = np.random.default_rng([config.seed, 7, number])
        X, y = pictures(kind, AGREEMENT, rng)
        network = train(X[:N_TRAIN], y[:N_TRAIN], config)
        rng = np.random.default_rng([config.seed, 7, number])
        X_next, y_next = pictures(kind, 0.5, rng)  # the same pictures, with marks at random
        test = slice(N_TRAIN, None)
        shown = X[test][:N_SHOWN]
        black = np.zeros((1, X.shape[1]))
        found = explain(network, shown, baseline=black, n_steps=50)
        share = shares(found)
        metrics |= {
            f"pictures.{kind}.accuracy_test": accuracy(network, X[test], y[test]),
            f"pictures.{kind}.accuracy_next": accuracy(network, X_next[test], y_next[test]),
            f"pictures.{kind}.corner_rank": 1 + (share > share[0]).sum(),
            f"pictures.{kind}.largest_share": share.max(),
        }
        if kind == "no_mark":
            blank = shown == 0
            baselines = {"black": black, "mean": X[:N_TRAIN].mean(axis=0)[None], "white": black + 1}
            for name, baseline in baselines.items():
                found = explain(network, shown, baseline=baseline, n_steps=50)
                sizes = np.abs(found.values)
                metrics |= {
                    f"gradients.{name}.blank_share": sizes[blank].sum() / sizes.sum(),
                    f"gradients.{name}.completeness": float(np.abs(found.error).mean()),
                }
    return Result(metrics)


def diffuse_stays_hidden(metrics: Metrics) -> float:
    """Largest share of a pixel minus that without a mark, if the shortcut does its damage."""
    test, after = "pictures.diffuse.accuracy_test", "pictures.diffuse.accuracy_next"
    if metrics[test] - metrics[after] < 0.05:
        return 1.0
    return metrics["pictures.diffuse.largest_share"] - metrics["pictures.no_mark.largest_share"]


CLAIMS = [
    Claim(
        "corner-is-named",
        "mechanism",
        "A mark in one pixel is named by integrated gradients: its rank among 64 pixels is at most "
        "{at_most}.",
        metric("pictures.corner.corner_rank"),
        at_most=1,
    ),
    Claim(
        "diffuse-shortcut-stays-hidden",
        "limit",
        "A shortcut that is spread over the picture costs five points of accuracy or more, and no "
        "pixel shows it: the largest share grows by at most {at_most}.",
        diffuse_stays_hidden,
        at_most=0.03,
    ),
    Claim(
        "black-is-blind-to-blanks",
        "mechanism",
        "Against a black picture, pixels without ink get at most {at_most} of the attributions.",
        metric("gradients.black.blank_share"),
        at_most=0,
    ),
    Claim(
        "white-is-not",
        "mechanism",
        "Against a white picture, the same pixels get {at_least} or more. The baseline is a part "
        "of the question.",
        metric("gradients.white.blank_share"),
        at_least=0.3,
    ),
    Claim(
        "gradients-are-nearly-complete",
        "mechanism",
        "In 50 steps, integrated gradients miss the log-odds by {at_most} or less on average.",
        metric("gradients.black.completeness"),
        at_most=0.05,
    ),
]

EXPERIMENT = Experiment(
    question="What do attributions of a picture show, and what stays hidden?",
    data="real",
    measure=measure,
    roles={"corner": "pattern", "diffuse": "pattern", "black": "pattern"},
    claims=CLAIMS,
)
