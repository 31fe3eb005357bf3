"""Reviews whose words mean one thing or another by meal, price and wait."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from scipy.special import expit

from datasets import RestaurantReviews
from patterns._kit.evidence import Claim, Drawing, Experiment, Result, ratio
from patterns.multimodal_input.evidence import Config
from patterns.multimodal_input.evidence.networks import (
    Columns,
    FloatArray,
    columns_of,
    logit,
    repeatable,
    score,
    single_and_late_fusion,
    train,
)
from patterns.multimodal_input.evidence.pictures import draw_answers, draw_seeds, hardest
from patterns.multimodal_input.evidence.visits import (
    WAYS,
    draw_visits,
    on_words_and_columns,
)
from patterns.multimodal_input.pattern import (
    Encoder,
    multimodal_model,
    tabular_encoder,
    text_encoder,
)


def measure(config: Config) -> Result:
    """Every method on many reviews, and those that see everything on few."""
    with repeatable(config.seed):
        data = draw_visits(config, config.n_reviews)
        columns, held_out, test = map(columns_of, data)
        single = {
            "text_only": multimodal_model({"text": text(columns, config)}, joint_units=128),
            "tabular_only": multimodal_model({"tabular": tabular_encoder(columns, WAYS)}),
        }
        joined = joined_model(columns, config)
        y, y_held_out, y_test = (part.y.to_numpy() for part in data)
        models = {**single, "joined": joined}
        train(models, columns, y, config.epochs_of_reviews, config.seed)
        many = {
            **single_and_late_fusion(single, held_out, y_held_out, test),
            **on_words_and_columns(data, config.seed),
            "joined": expit(logit(joined, test)),
            "oracle": data[2].oracle_proba(),
        }

        data = [draw_visits(config, config.n_few_reviews)[0], *data[1:]]
        columns, y = columns_of(data[0]), data[0].y.to_numpy()
        joined = joined_model(columns, config)
        train({"joined": joined}, columns, y, config.epochs_of_few_reviews, config.seed)
        few = {
            **on_words_and_columns(data, config.seed),
            "joined": expit(logit(joined, test)),
            "oracle": many["oracle"],
        }
    return Result(
        score("reviews", y_test, many) | score("few_reviews", y_test, few),
        {
            "hard_reviews": Drawing(
                lambda: draw_hard_reviews(data[2], many),
                "Three reviews, chosen because the joined network is right about them and three "
                "others are wrong: the network of the text, that of the columns, and the two "
                "stacked. Green bars are on the right side of one half.",
                "Texts of three reviews with meal, price and wait, and the probability that each "
                "of four models gives to a happy guest.",
            )
        },
    )


def text(columns: Columns, config: Config) -> Encoder:
    """Windows of three words. What is not in the vocabulary, such as most names, is one word."""
    return text_encoder(columns["text"], "conv", config.text_length, config.max_words, units=48)


def joined_model(columns: Columns, config: Config) -> Any:
    """The network of text and columns."""
    encoders = {"text": text(columns, config), "tabular": tabular_encoder(columns, WAYS)}
    return multimodal_model(encoders, joint_units=128)


def draw_hard_reviews(data: RestaurantReviews, answers: Mapping[str, FloatArray]) -> Figure:
    """Reviews that only the joined network understands."""
    shown = {
        "text only": "text_only",
        "columns only": "tabular_only",
        "late fusion": "late_stacked",
    }
    figure, axes = plt.subplots(1, 3, figsize=(10, 3.4))
    for axis, row in zip(axes, hardest(data, answers, list(shown.values())), strict=True):
        visit = data.frame.iloc[row]
        review = textwrap.fill(f"“{visit['text']}”", 40)
        facts = f"{visit['meal']}, price {visit['price']}, waited {visit['wait']} minutes"
        axis.text(0, 1, f"{review}\n\n{facts}", va="top", fontsize=9, linespacing=1.3)
        draw_answers(axis, answers, {**shown, "joined": "joined"}, row, "liked", visit["liked"])
    return figure


CLAIMS = [
    Claim(
        "reviews-beat-crosses",
        "benefit",
        "On reviews, the log loss of the joined network is at most {at_most} times that of a "
        "linear model on words crossed with columns, the best model without an encoder.",
        ratio("reviews.joined.log_loss", "reviews.linear_on_crossed_words.log_loss"),
        at_most=0.9,
        baseline="reviews.linear_on_crossed_words.log_loss",
    ),
    Claim(
        "reviews-beat-trees",
        "mechanism",
        "Boosted trees on words and columns see everything too and are no match: the log loss of "
        "the joined network is at most {at_most} times theirs.",
        ratio("reviews.joined.log_loss", "reviews.trees_on_words_and_columns.log_loss"),
        at_most=0.75,
    ),
    Claim(
        "reviews-beat-late-fusion",
        "mechanism",
        "It is joining that pays: the log loss of the joined network is at most {at_most} times "
        "that of late fusion of the same networks, averaged or stacked.",
        lambda m: (
            m["reviews.joined.log_loss"]
            / min(m["reviews.late_average.log_loss"], m["reviews.late_stacked.log_loss"])
        ),
        at_most=0.6,
    ),
    Claim(
        "few-reviews",
        "limit",
        "With few reviews an encoder has too little to learn from: the log loss of the joined "
        "network is at least {at_least} times that of the crosses.",
        ratio("few_reviews.joined.log_loss", "few_reviews.linear_on_crossed_words.log_loss"),
        at_least=1.0,
    ),
]

EXPERIMENT = Experiment(
    question="Does a model of text and columns understand what two models cannot?",
    data="synthetic",
    measure=measure,
    roles={
        "text_only": "baseline",
        "tabular_only": "baseline",
        "late_average": "baseline",
        "late_stacked": "baseline",
        "trees_on_words_and_columns": "baseline",
        "linear_on_crossed_words": "baseline",
        "joined": "pattern",
        "oracle": "best possible",
    },
    claims=CLAIMS,
    figures=lambda metrics: {
        "reviews": Drawing(
            lambda: draw_seeds(
                metrics, {"reviews": "many reviews", "few_reviews": "few reviews"}, "log_loss"
            ),
            "Models that see one input, and their combinations, are far behind. With many reviews "
            "the joined network is ahead of all; with few, crosses made by hand are better. Each "
            "dot is one seed, each stroke their mean. The axes do not start at zero.",
            "Log loss of eight methods on many and on few reviews.",
        )
    },
)
