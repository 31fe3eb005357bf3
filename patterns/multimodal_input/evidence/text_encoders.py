"""Ways to encode a text, without the columns beside it."""

from __future__ import annotations

from collections.abc import Sequence

from scipy.special import expit

from patterns._kit.evidence import Claim, Experiment, Result
from patterns.multimodal_input.evidence import Config
from patterns.multimodal_input.evidence.networks import (
    columns_of,
    gain,
    logit,
    repeatable,
    score,
    train,
)
from patterns.multimodal_input.evidence.visits import draw_visits, word_pairs
from patterns.multimodal_input.pattern import multimodal_model, text_encoder

TASK = "text_encoders"


def measure(config: Config) -> Result:
    """Every text encoder on the same reviews."""
    train_set, _, test_set = draw_visits(config, config.n_texts)
    columns, test, y = columns_of(train_set), columns_of(test_set), train_set.y.to_numpy()
    kinds: dict[str, str | Sequence[str]] = {
        **{kind: kind for kind in (*config.text_kinds, "conv")},
        "conv_and_bag_of_words": ("conv", "bag_of_words"),
    }
    with repeatable(config.seed):
        models = {
            name: multimodal_model(
                {"text": text_encoder(columns["text"], kind, config.text_length, config.max_words)}
            )
            for name, kind in kinds.items()
        }
        train(models, columns, y, config.epochs_of_texts, config.seed)
        answers = {name: expit(logit(model, test)) for name, model in models.items()}
    answers = {"linear_on_word_pairs": word_pairs(columns["text"], y, test["text"]), **answers}
    return Result(score(TASK, test_set.y.to_numpy(), answers))


CLAIMS = [
    Claim(
        "bag-beside-whole-text",
        "limit",
        "A bag of words beside a sequence of the whole text gains at most {at_most} in accuracy.",
        gain(f"{TASK}.conv_and_bag_of_words.accuracy", f"{TASK}.conv.accuracy"),
        at_most=0.04,
    ),
    Claim(
        "word-pairs-as-good",
        "limit",
        "On these few texts alone, a convolution exceeds a linear model on words and pairs of "
        "words by at most {at_most} in accuracy.",
        gain(f"{TASK}.conv.accuracy", f"{TASK}.linear_on_word_pairs.accuracy"),
        at_most=0.06,
    ),
]

EXPERIMENT = Experiment(
    question="Which encoder suits a text?",
    data="synthetic",
    measure=measure,
    roles={"linear_on_word_pairs": "baseline", "conv": "pattern"},
    claims=CLAIMS,
)
