"""The same input in several ways: the hour as a number and in buckets, the image as pixels too."""

from __future__ import annotations

from collections.abc import Sequence

from scipy.special import expit

from patterns._kit.evidence import Claim, Experiment, Metrics, Result, difference
from patterns.multimodal_input.evidence import Config
from patterns.multimodal_input.evidence.cars import draw_cars
from patterns.multimodal_input.evidence.networks import columns_of, logit, repeatable, score, train
from patterns.multimodal_input.pattern import image_encoder, multimodal_model, tabular_encoder

Ways = dict[str, str | Sequence[str]]

HOUR, IMAGE = "hour_in_several_ways", "image_in_several_ways"


def measure(config: Config) -> Result:
    """Each input alone, in one way and in both."""
    with repeatable(config.seed):
        return Result({**hours(config), **images(config)})


def hours(config: Config) -> Metrics:
    """Incidents by the hour, in linear models: a number has one weight, each bucket its own."""
    ways: Ways = {"number": "number", "buckets": "buckets", "both": ("number", "buckets")}
    train_set, _, test_set = draw_cars(config, "independent", config.n_controls)
    columns, test = columns_of(train_set), columns_of(test_set)
    models = {
        name: multimodal_model({"tabular": tabular_encoder(columns, {"hour": way})}, joint_units=0)
        for name, way in ways.items()
    }
    train(models, columns, train_set.y.to_numpy(), config.epochs, config.seed)
    answers = {name: expit(logit(model, test)) for name, model in models.items()}
    return score(HOUR, test_set.y.to_numpy(), answers)


def images(config: Config) -> Metrics:
    """Signs above 50 km/h by the image, which stand anywhere in the picture."""
    ways: Ways = {
        "pixels": "pixels",
        "convolution": "convolution",
        "pixels_and_convolution": ("pixels", "convolution"),
    }
    train_set, _, test_set = draw_cars(config, "irrelevant", config.n_controls, config.max_shift)
    columns, test = columns_of(train_set), columns_of(test_set)
    models = {
        name: multimodal_model({"image": image_encoder(columns["image"].shape[1:], way)})
        for name, way in ways.items()
    }
    train(models, columns, train_set.y.to_numpy(), config.epochs, config.seed)
    answers = {name: expit(logit(model, test)) for name, model in models.items()}
    return score(IMAGE, test_set.y.to_numpy(), answers)


CLAIMS = [
    Claim(
        "buckets-for-rush-hours",
        "mechanism",
        "Rush hours are no straight line: in a linear model, the hour in buckets gains at least "
        "{at_least} in accuracy over the hour as a number.",
        difference(f"{HOUR}.buckets.accuracy", f"{HOUR}.number.accuracy"),
        at_least=0.05,
    ),
    Claim(
        "convolution-for-shifted-signs",
        "mechanism",
        "A sign may stand anywhere in its picture: the convolution gains at least {at_least} in "
        "accuracy over one weight for each pixel.",
        difference(f"{IMAGE}.convolution.accuracy", f"{IMAGE}.pixels.accuracy"),
        at_least=0.03,
    ),
    Claim(
        "number-beside-buckets",
        "limit",
        "The number beside the buckets gains at most {at_most} in accuracy.",
        difference(f"{HOUR}.both.accuracy", f"{HOUR}.buckets.accuracy"),
        at_most=0.02,
    ),
]

EXPERIMENT = Experiment(
    question="Does it help to give a model the same input in several ways?",
    data="synthetic",
    measure=measure,
    roles={
        "number": "baseline",
        "buckets": "pattern",
        "pixels": "baseline",
        "convolution": "pattern",
    },
    claims=CLAIMS,
)
