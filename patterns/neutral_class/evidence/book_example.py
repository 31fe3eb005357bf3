"""The book's own patients, whose history tells everything that can be told."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression

from datasets import make_book_prescriptions
from patterns._kit.evidence import Claim, Experiment, Result
from patterns.neutral_class.evidence import Config
from patterns.neutral_class.evidence.policies import ACTIONS, UTILITIES, costs
from patterns.neutral_class.pattern import MinimumExpectedCostClassifier

PERCENTS = (60, 70, 80)  # of confidence that two classes must have to act


def measure(config: Config) -> Result:
    """Means over several draws: two classes with a threshold, and three classes."""
    draws = []
    for draw in range(config.n_book):
        train, test = (
            make_book_prescriptions(1000, random_state=[config.seed, draw, part]) for part in (0, 1)
        )
        models = {}
        for percent in PERCENTS:
            review = 1 - percent / 100
            models[f"two_classes_at_{percent}_percent"] = MinimumExpectedCostClassifier(
                LogisticRegression(), [[0, 1, review], [1, 0, review]], ACTIONS
            ).fit(train.X, train.y)
        models["three_classes"] = MinimumExpectedCostClassifier(
            LogisticRegression(), costs(UTILITIES["review_only"], config.review_price), ACTIONS
        ).fit(train.X, train.frame["state"])
        plans = {name: model.predict(test.X) for name, model in models.items()}
        two_classes = LogisticRegression().fit(train.X, train.y).score(test.X, test.y)
        found = {"two_classes.accuracy": two_classes, "two_classes.decided": 1.0}
        for name, plan in plans.items():
            decided = plan != "review"
            found[f"{name}.decided"] = decided.mean()
            found[f"{name}.accuracy_of_decided"] = (plan == test.y)[decided].mean()
            if name != "three_classes":
                found[f"{name}.same_actions"] = (plan == plans["three_classes"]).mean()
        three_classes = models["three_classes"].estimator_
        found["three_classes.accuracy"] = three_classes.score(test.X, test.frame["state"])
        draws.append(found)
    means = {name: float(np.mean([found[name] for found in draws])) for name in draws[0]}
    return Result({f"book_example.{name}": value for name, value in means.items()})


CLAIMS = [
    Claim(
        "book-example-is-a-threshold",
        "parity",
        "On the book's own example, two classes and a threshold of 0.6, 0.7 or 0.8 act as three "
        "classes do for every patient: a share of at least {at_least:g}.",
        lambda m: min(value for name, value in m.items() if name.endswith(".same_actions")),
        at_least=1.0,
    ),
]

EXPERIMENT = Experiment(
    question="What does the book's own example show?",
    data="synthetic",
    measure=measure,
    roles={
        "two_classes": "baseline",
        **{f"two_classes_at_{percent}_percent": "baseline" for percent in PERCENTS},
        "three_classes": "pattern",
    },
    claims=CLAIMS,
)
