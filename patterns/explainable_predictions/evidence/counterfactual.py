"""The smallest change that makes a model decide otherwise, found in several ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from xgboost import XGBClassifier

from patterns._kit.evidence import Claim, Experiment, Result, ratio
from patterns.explainable_predictions.counterfactuals import counterfactuals, distances, spread
from patterns.explainable_predictions.evidence import Config

Decide = Callable[[pd.DataFrame], NDArray[np.int64]]
Score = Callable[[pd.DataFrame], NDArray[np.float32]]
N_DRAWS = 300
N_STARTS = 5  # as the pattern has by default


def nearest(row: pd.DataFrame, unlike: pd.DataFrame, scale: dict[str, float]) -> Any:
    """The nearest training row that is decided otherwise, as it is."""
    return unlike.iloc[[int(np.argmin(distances(row, unlike, scale).sum(axis=1)))]]


def toward(row: pd.DataFrame, other: pd.DataFrame, score: Score, decision: Any) -> pd.DataFrame:
    """Take over the values of another row, always the one that helps most, until it is enough."""
    sign, left = (-1 if decision else 1), list(range(len(row.columns)))
    now, values = row.to_numpy(copy=True), other.to_numpy()[0]
    while sign * score(pd.DataFrame(now, columns=row.columns))[0] < 0:
        trials = np.repeat(now, len(left), axis=0)
        trials[np.arange(len(left)), left] = values[left]
        best = int(np.argmax(sign * score(pd.DataFrame(trials, columns=row.columns))))
        now = trials[[best]]
        left.pop(best)
    return pd.DataFrame(now, columns=row.columns)


def at_random(
    row: pd.DataFrame,
    train: pd.DataFrame,
    decide: Decide,
    scale: dict[str, float],
    decision: Any,
    rng: np.random.Generator,
) -> pd.DataFrame | None:
    """Of random changes of one to five features, the smallest that changes the decision."""
    trials = pd.concat([row] * N_DRAWS, ignore_index=True).to_numpy(copy=True)
    for trial in trials:
        columns = rng.choice(len(train.columns), rng.integers(1, 6), replace=False)
        trial[columns] = train.to_numpy()[rng.integers(len(train)), columns]
    frame = pd.DataFrame(trials, columns=train.columns)
    valid = frame[decide(frame) != decision]
    return nearest(row, valid, scale) if len(valid) else None


def measure(config: Config) -> Result:
    """Distance and number of changes of each method, over the same rows."""
    data = load_breast_cancer(as_frame=True)
    train, test, y, _ = train_test_split(
        data.data, data.target, test_size=0.4, random_state=config.seed, stratify=data.target
    )
    model = XGBClassifier(n_estimators=60, max_depth=3, n_jobs=1, random_state=config.seed)
    model.fit(train, y)

    def score(rows: pd.DataFrame) -> Any:
        return model.predict(rows, output_margin=True)

    rng = np.random.default_rng([config.seed, 8])
    scale, asked = spread(train), test[: config.n_changed]
    decided, decisions = model.predict(train), model.predict(asked)
    found: dict[str, list[pd.DataFrame]] = {"nearest": [], "random": [], "forward": []}
    for i in range(len(asked)):
        row, decision = asked.iloc[[i]], decisions[i]
        near = nearest(row, train[decided != decision], scale)
        found["nearest"].append(near)
        drawn = at_random(row, train, model.predict, scale, decision, rng)
        found["random"].append(near if drawn is None else drawn)
        unlike = train[decided != decision]
        order = np.argsort(distances(row, unlike, scale).sum(axis=1), kind="stable")[:N_STARTS]
        tries = [toward(row, unlike.iloc[[k]], score, decision) for k in order]
        found["forward"].append(nearest(row, pd.concat(tries), scale))
    found["reverted"] = []
    for i, one in enumerate(counterfactuals(model.predict, asked, train)):
        assert one is not None
        changed = {name: new for name, (_, new) in one.changes.items()}
        found["reverted"].append(asked.iloc[[i]].assign(**changed))
    metrics: dict[str, float] = {}
    for name, others in found.items():
        valid = [distances(asked.iloc[[i]], other, scale)[0] for i, other in enumerate(others)]
        decided_now = model.predict(pd.concat(others))
        assert (decided_now != decisions).all(), name
        metrics |= {
            f"changes.{name}.distance": float(np.mean([away.sum() for away in valid])),
            f"changes.{name}.n_changed": float(np.mean([(away > 0).sum() for away in valid])),
        }
    return Result(metrics)


CLAIMS = [
    Claim(
        "reverting-makes-it-small",
        "mechanism",
        "With needless changes undone, the nearest unlike neighbors are at most {at_most} times as "
        "far from the row as the nearest of them is.",
        ratio("changes.reverted.distance", "changes.nearest.distance"),
        at_most=0.4,
    ),
    Claim(
        "forward-is-as-good",
        "limit",
        "Where the model gives a score, taking over values of the same neighbors one by one does "
        "as well: undoing ends {at_least} to {at_most} times as far from the row.",
        ratio("changes.reverted.distance", "changes.forward.distance"),
        at_least=0.7,
        at_most=1.4,
    ),
    Claim(
        "few-changes-are-left",
        "mechanism",
        "Of the changes of the nearest unlike neighbor, at most the share {at_most} is left.",
        ratio("changes.reverted.n_changed", "changes.nearest.n_changed"),
        at_most=0.25,
    ),
]

EXPERIMENT = Experiment(
    question="How small a change makes the model decide otherwise?",
    data="real",
    measure=measure,
    roles={
        "nearest": "baseline",
        "random": "baseline",
        "forward": "baseline",
        "reverted": "pattern",
    },
    claims=CLAIMS,
)
