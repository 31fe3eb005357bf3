"""Long reviews, of which a sequence keeps a third: what a bag of words beside it brings back."""

from __future__ import annotations

from collections.abc import Sequence

from scipy.special import expit

from patterns._kit.evidence import Claim, Experiment, Result, difference
from patterns.multimodal_input.evidence import Config
from patterns.multimodal_input.evidence.networks import (
    columns_of,
    logit,
    repeatable,
    score,
    train,
)
from patterns.multimodal_input.evidence.visits import (
    WAYS,
    draw_visits,
    on_words_and_columns,
)
from patterns.multimodal_input.pattern import multimodal_model, tabular_encoder, text_encoder

TASK, WHOLE = "long_reviews_cut", 80  # words that the longest review has


def measure(config: Config) -> Result:
    """Cut sequences with and without a bag of words, and models that see the whole text."""
    data = draw_visits(config, config.n_texts, long=True)
    columns, test, y = columns_of(data[0]), columns_of(data[2]), data[0].y.to_numpy()
    ways: dict[str, tuple[str | Sequence[str], int]] = {
        "joined_conv": ("conv", config.text_length),
        "joined_conv_and_bag_of_words": (("conv", "bag_of_words"), config.text_length),
        "joined_conv_of_whole_text": ("conv", WHOLE),
    }
    with repeatable(config.seed):
        models = {
            name: multimodal_model(
                {
                    "text": text_encoder(columns["text"], kind, length, config.max_words),
                    "tabular": tabular_encoder(columns, WAYS),
                }
            )
            for name, (kind, length) in ways.items()
        }
        train(models, columns, y, config.epochs_of_texts, config.seed)
        answers = on_words_and_columns(data, config.seed)
        answers |= {name: expit(logit(model, test)) for name, model in models.items()}
    answers["oracle"] = data[2].oracle_proba()
    return Result(score(TASK, data[2].y.to_numpy(), answers))


CLAIMS = [
    Claim(
        "bag-beside-cut-text",
        "mechanism",
        "Beside a sequence that keeps a third of a long text, a bag of words gains a joined "
        "network at least {at_least} in accuracy.",
        difference(f"{TASK}.joined_conv_and_bag_of_words.accuracy", f"{TASK}.joined_conv.accuracy"),
        at_least=0.02,
    ),
    Claim(
        "crosses-of-the-whole-text",
        "limit",
        "On long texts that are few, a linear model on crossed words of the whole text is better "
        "than the cut sequence with its bag of words: by at least {at_least} in accuracy.",
        difference(
            f"{TASK}.linear_on_crossed_words.accuracy",
            f"{TASK}.joined_conv_and_bag_of_words.accuracy",
        ),
        at_least=0.0,
    ),
]

EXPERIMENT = Experiment(
    question="What helps where a text is longer than the sequence that a network keeps?",
    data="synthetic",
    measure=measure,
    roles={
        "trees_on_words_and_columns": "baseline",
        "linear_on_crossed_words": "baseline",
        "joined_conv_and_bag_of_words": "pattern",
        "oracle": "best possible",
    },
    claims=CLAIMS,
)
