"""The camera fails: models that rehearsed it, and models that did not."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from scipy.special import expit

from patterns._kit.evidence import (
    Claim,
    Drawing,
    Experiment,
    MetricsOfSeeds,
    Result,
    difference,
)
from patterns._kit.figures import ALTERNATIVE, BASELINE, PATTERN
from patterns.multimodal_input.evidence import Config
from patterns.multimodal_input.evidence.cars import (
    WAYS,
    draw_cars,
    single_and_joined,
    train_in_small_steps,
    trees,
)
from patterns.multimodal_input.evidence.networks import (
    columns_of,
    gain,
    logit,
    repeatable,
    score,
)
from patterns.multimodal_input.pattern import image_encoder, multimodal_model, tabular_encoder


def measure(config: Config) -> Result:
    """Plain and rehearsed models, with the image and without."""
    train_set, _, test_set = draw_cars(config, "interacting", config.n_cars)
    columns, test = columns_of(train_set), columns_of(test_set)
    y, y_test = train_set.y.to_numpy(), test_set.y.to_numpy()
    with repeatable(config.seed):
        single, joined = single_and_joined(columns)
        image = image_encoder(columns["image"].shape[1:])
        encoders = {"image": image, "tabular": tabular_encoder(columns, WAYS)}
        robust = multimodal_model(encoders, modality_dropout=config.dropout_rate)
        models = {"tabular_only": single["tabular_only"], "joined": joined, "robust": robust}
        train_in_small_steps(models, columns, y, config)

    # Trees take a missing value as such. Those that rehearsed missed the image in as many rows.
    lost = np.random.default_rng(config.seed).uniform(size=len(y)) < config.dropout_rate
    lossy = {**columns, "image": np.where(lost[:, None, None], np.nan, columns["image"])}
    nothing = {**test, "image": np.full_like(test["image"], np.nan)}
    plain_trees, plain_trees_missing = trees(columns, y, [test, nothing], config.seed)
    trees_there, trees_missing = trees(lossy, y, [test, nothing], config.seed)
    there = {
        "trees_on_flat_pixels": plain_trees,
        "trees_that_rehearsed": trees_there,
        "joined": expit(logit(joined, test)),
        "modality_dropout": expit(logit(robust, test)),
        "oracle": test_set.oracle_proba(),
    }

    # To a network, zeros are a blank sign, unless a flag says what they mean.
    blank = np.zeros_like(test["image"])
    mean = np.broadcast_to(columns["image"].mean(axis=0), blank.shape)
    flagged = {**test, "image": blank, "image_present": np.zeros(len(blank))}
    missing = {
        "tabular_only": expit(logit(single["tabular_only"], test)),
        "trees_on_flat_pixels": plain_trees_missing,
        "trees_that_rehearsed": trees_missing,
        "joined_blank_image": expit(logit(joined, {**test, "image": blank})),
        "joined_mean_image": expit(logit(joined, {**test, "image": mean})),
        "modality_dropout": expit(logit(robust, flagged)),
    }
    return Result(score("image_there", y_test, there) | score("image_missing", y_test, missing))


def draw(metrics: MetricsOfSeeds) -> Figure:
    """Without the image, accuracy hardly tells the models apart; log loss does."""
    labels = {
        "joined_blank_image": "joined, blank image",
        "joined_mean_image": "joined, mean image",
        "trees_on_flat_pixels": "trees, missing pixels",
        "trees_that_rehearsed": "trees that rehearsed",
        "modality_dropout": "modality dropout and flag",
        "tabular_only": "network of the columns alone",
    }
    colors = [BASELINE] * 4 + [PATTERN, ALTERNATIVE]
    figure, axes = plt.subplots(1, 2, figsize=(8, 2.8), sharey=True)
    for axis, metric in zip(axes, ("accuracy", "log_loss"), strict=True):
        for row, (method, color) in enumerate(zip(labels, colors, strict=True)):
            values = metrics[f"image_missing.{method}.{metric}"]
            axis.barh(row, np.mean(values), color=color, height=0.65)
            axis.plot(values, [row] * len(values), "o", color="0.2", ms=3)
        axis.set(xlabel=metric.replace("_", " "), xlim=(0, None))
    axes[0].set_yticks(range(len(labels)), list(labels.values()))
    axes[0].invert_yaxis()
    axes[0].tick_params(axis="y", length=0)
    return figure


CLAIMS = [
    Claim(
        "dropout-log-loss",
        "mechanism",
        "When the image is missing, the log loss of the network that was trained with modality "
        "dropout and a flag is at most {at_most} times that of the plain one, with a blank or a "
        "mean image.",
        lambda m: (
            m["image_missing.modality_dropout.log_loss"]
            / min(
                m["image_missing.joined_blank_image.log_loss"],
                m["image_missing.joined_mean_image.log_loss"],
            )
        ),
        at_most=0.9,
    ),
    Claim(
        "dropout-accuracy",
        "limit",
        "Judged by accuracy, modality dropout gains at most {at_most} when the image is missing.",
        gain(
            "image_missing.modality_dropout.accuracy",
            "image_missing.joined_blank_image.accuracy",
            "image_missing.joined_mean_image.accuracy",
        ),
        at_most=0.04,
    ),
    Claim(
        "dropout-as-good-as-columns-alone",
        "parity",
        "When the image is missing, its log loss exceeds that of a network of the columns alone by "
        "at most {at_most}. One network does the work of two.",
        difference(
            "image_missing.modality_dropout.log_loss", "image_missing.tabular_only.log_loss"
        ),
        at_most=0.07,
    ),
    Claim(
        "dropout-price",
        "limit",
        "When the image is there, rehearsing costs at most {at_most} in accuracy.",
        difference("image_there.joined.accuracy", "image_there.modality_dropout.accuracy"),
        at_most=0.04,
    ),
]

EXPERIMENT = Experiment(
    question="What does a model say when the image is missing?",
    data="synthetic",
    measure=measure,
    roles={
        "trees_on_flat_pixels": "baseline",
        "trees_that_rehearsed": "baseline",
        "tabular_only": "baseline",
        "joined_blank_image": "baseline",
        "joined_mean_image": "baseline",
        "modality_dropout": "pattern",
        "oracle": "best possible",
    },
    claims=CLAIMS,
    figures=lambda metrics: {
        "missing_image": Drawing(
            lambda: draw(metrics),
            "Without the image the accuracies are alike, because nobody knows the sign. The log "
            "loss shows which model knows that it does not know. Bars are means, dots are seeds.",
            "Accuracy and log loss of six methods without the image. The accuracies are alike; the "
            "log loss of the plain network is far higher.",
        )
    },
)
