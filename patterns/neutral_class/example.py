"""A class for "either would do" costs less than any threshold, if it has an action of its own.

Problem: a binary model says 0.5 of a patient for whom either drug would do and of a patient for
whom one is right but nobody can tell which. Only the second is worth a doctor's review.

Idea: let several experts prescribe. Where they disagree, the label is "either", a third class like
any other; correct for agreement by chance, and let the costs decide.

When not to: where review is the only other action, a tuned threshold on the binary model does the
same. Where experts disagree by mistake, the class costs more than it saves. And a neutral band cut
out of a number, such as a delay, lies between the other two, where a threshold finds it too.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, balanced_accuracy_score, log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder, PolynomialFeatures, StandardScaler

from datasets import load_nyc_flights, make_book_prescriptions, make_prescriptions, split_forward
from patterns._kit.evidence import Claim, Result
from patterns.neutral_class import figures
from patterns.neutral_class.pattern import (
    MinimumExpectedCostClassifier,
    aurc,
    chance_agreement_correction,
    labels_from_votes,
    least_costly_action,
    risk_coverage_curve,
)

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Config:
    """The documented run."""

    n_train: int = 1000  # patients that experts have voted on
    n_train_large: int = 3000  # the same, for boosted trees and where experts are only two
    n_validation: int = 300  # patients whose true state is known, to tune thresholds on
    n_test: int = 20_000  # patients to judge by, with their true probabilities
    n_experts: int = 3  # votes a patient
    review_price: float = 0.2  # cost of a review; a wrong drug costs 1
    error_rate: float = 0.1  # of the experts who disagree by mistake only
    n_real: int = 5000  # flights to train on, in each fold
    n_real_test: int = 10_000  # flights to test on, in each fold
    n_book: int = 20  # draws of the book's example
    seed: int = 0  # of every draw and every model

    def __post_init__(self) -> None:
        least = {"n_train": 300, "n_train_large": 300, "n_validation": 100, "n_test": 500}
        for name, bound in (least | {"n_real": 500, "n_real_test": 500, "n_book": 1}).items():
            if getattr(self, name) < bound:
                raise ValueError(f"{name} must be at least {bound}, got {getattr(self, name)}")


FAST = Config(n_test=5000, n_real=3000, n_real_test=5000, n_book=5)

ACTIONS = ("acetaminophen", "ibuprofen", "review")


def costs(either: float, review: float) -> FloatArray:
    """Cost of each of ACTIONS when acetaminophen, either or ibuprofen is right, shape (3, 3).

    ``either`` is what it costs to prescribe, unseen, where either drug would do: 0 if the free
    choice is an action of its own, 1 if such a patient, too, belongs to a doctor.
    """
    return np.array([[0, 1, review], [either, either, review], [1, 0, review]])


UTILITIES = {"free_choice": 0.0, "review_only": 1.0}  # each with its cost of deciding an "either"


# ---------------------------------------------------------------------------------- models
def logistic() -> Any:
    """Logistic regression on squares and products: enough for every method on this plane."""
    return make_pipeline(
        PolynomialFeatures(2, include_bias=False), StandardScaler(), LogisticRegression()
    )


def trees(seed: int) -> Any:
    """Boosted trees."""
    return HistGradientBoostingClassifier(
        learning_rate=0.06,
        max_leaf_nodes=8,
        l2_regularization=5.0,
        early_stopping=True,
        random_state=seed,
    )


# ------------------------------------------------------------------------ baseline and pattern
def binary(model: Any, X: FloatArray, votes: NDArray[Any], X_test: FloatArray) -> FloatArray:
    """The baseline: every vote is a label, of two classes."""
    n_votes = votes.shape[1]
    return clone(model).fit(np.repeat(X, n_votes, axis=0), votes.ravel()).predict_proba(X_test)


def neutral(model: Any, X: FloatArray, votes: NDArray[Any], X_test: FloatArray) -> FloatArray:
    """The pattern: disagreement is a label, the third class."""
    labels = labels_from_votes(votes, "either")
    return clone(model).fit(X, labels).predict_proba(X_test)


def agreed_only(model: Any, X: FloatArray, votes: NDArray[Any], X_test: FloatArray) -> FloatArray:
    """What is often done instead: two classes, and what experts disagree on is thrown away."""
    agreed = (votes == votes[:, :1]).all(axis=1)
    return clone(model).fit(X[agreed], votes[agreed, 0]).predict_proba(X_test)


# ---------------------------------------------------------------------------------- judging
class Policy(NamedTuple):
    """What a method does in n cases."""

    drug: NDArray[np.intp]  # (n,) position in ACTIONS of the drug it would give
    confidence: FloatArray  # (n,) minus what it expects that drug to cost
    review: NDArray[np.bool_]  # (n,) whether it asks for a review instead


def act(proba: FloatArray, cost: FloatArray, thresholds: Any = None) -> Policy:
    """Review where a review is expected to cost less, or below thresholds of confidence if given.

    Two columns of probabilities are a binary model's, whose costs lack the row of "either"; without
    thresholds it then follows Chow's rule. Thresholds are one number, or one for each drug.
    """
    cost = cost if proba.shape[1] == 3 else cost[[0, 2]]
    drug = least_costly_action(proba, cost[:, :2])
    confidence = -(proba @ cost[:, :2]).min(axis=1)
    if thresholds is None:
        return Policy(drug, confidence, least_costly_action(proba, cost) == 2)
    return Policy(drug, confidence, confidence < np.broadcast_to(thresholds, 2)[drug])


def loss_if_decided(policy: Policy, truth: FloatArray, cost: FloatArray) -> FloatArray:
    """Expected cost of each case without review, shape (n,), under the true probabilities."""
    return (truth @ cost)[np.arange(len(truth)), policy.drug]


def mean_cost(policy: Policy, truth: FloatArray, cost: FloatArray) -> float:
    """Expected cost of a case, reviews included."""
    paid = np.where(policy.review, cost[0, 2], loss_if_decided(policy, truth, cost))
    return float(paid.mean())


def tuned(
    proba: FloatArray, truth: FloatArray, cost: FloatArray, each_drug: bool = False
) -> FloatArray:
    """Threshold of confidence that costs least on these cases, one for all or one for each drug."""
    plain = act(proba, cost)
    saved = cost[0, 2] - loss_if_decided(plain, truth, cost)
    group = plain.drug * each_drug
    thresholds = []
    for number in range(1 + each_drug):
        order = np.argsort(-plain.confidence[group == number], kind="stable")
        levels = np.append(np.inf, plain.confidence[group == number][order])
        total = np.append(0.0, np.cumsum(saved[group == number][order]))  # of the first 0, 1, ...
        total[:-1][levels[:-1] == levels[1:]] = -np.inf  # equals are decided together
        thresholds.append(levels[total.argmax()])
    return np.array(thresholds)


# ---------------------------------------------------------------------------------- prescriptions
class Study(NamedTuple):
    """What every method predicts of the test cases, and what is true of them."""

    proba: dict[str, FloatArray]  # (n_test, 2 or 3)
    validation: tuple[FloatArray, FloatArray]  # binary model's (n, 2), true states as (n, 3)
    truth: FloatArray  # (n_test, 3)


def study(
    model: Any, n: int, config: Config, X_test: FloatArray | None = None, **kind: Any
) -> Study:
    """Fit every method to the votes on the same n patients, or to as many votes on more patients.

    ``kind`` is passed to `make_prescriptions`. ``X_test`` replaces the test patients.
    """
    m = config.n_experts
    train, validation, test = (
        make_prescriptions(size, n_experts=m, random_state=[config.seed, part], **kind)
        for part, size in enumerate((n * m, config.n_validation, config.n_test))
    )
    X, votes = train.X.to_numpy(), train.frame[list(train.target_names)].to_numpy(str)
    X_test = test.X.to_numpy() if X_test is None else X_test
    raw = neutral(model, X[:n], votes[:n], X_test)
    proba = {
        "binary": binary(model, X[:n], votes[:n], X_test),
        "more_patients": binary(model, X, votes[:, :1], X_test),
        "disagreements_dropped": agreed_only(model, X[:n], votes[:n], X_test),
        "neutral_raw": raw,
        "neutral_corrected": chance_agreement_correction(raw, m, neutral_column=1),
    }
    if kind.get("some_either", True):  # an expert who writes "either" instead of tossing a coin
        states = train.frame["state"].to_numpy(str)
        proba["neutral_explicit"] = clone(model).fit(X[:n], states[:n]).predict_proba(X_test)
    on_validation = binary(model, X[:n], votes[:n], validation.X.to_numpy())
    true_states = validation.frame[["state"]].to_numpy(str) == np.array(test.states)
    return Study(proba, (on_validation, true_states.astype(float)), test.oracle_proba(X_test))


def policies(study: Study, cost: FloatArray) -> dict[str, Policy]:
    """What every method does at these costs."""
    proba, truth = study.proba, study.truth
    two, more = proba["binary"], proba["more_patients"]
    found = {
        "binary_chow": act(two, cost),
        "binary_tuned_threshold": act(two, cost, tuned(*study.validation, cost)),
        "binary_best_threshold": act(two, cost, tuned(two, truth, cost)),
        "binary_more_patients": act(more, cost, tuned(more, truth, cost)),
    }
    found |= {name: act(p, cost) for name, p in proba.items() if p is not two and p is not more}
    # A binary model with nothing left to learn knows the true probability of a vote. (The experts'
    # errors shrink it toward 0.5, which changes thresholds but not decisions.)
    votes = truth[:, [0, 2]] + truth[:, [1]] / 2
    found["perfect_binary"] = act(votes, cost, tuned(votes, truth, cost))
    return {**found, "oracle": act(truth, cost)}


def prescriptions(config: Config) -> tuple[dict[str, float], dict[str, Study]]:
    """Every method on patients whose true probabilities are known."""
    n, n_large, slips = config.n_train, config.n_train_large, config.error_rate
    studies = {
        "three_experts": study(logistic(), n, config),
        "two_experts": study(logistic(), n_large, replace(config, n_experts=2)),
        "boosted_trees": study(trees(config.seed), n_large, config),
        "only_error": study(logistic(), n, config, some_either=False, error_rate=slips),
        "indifference_and_error": study(logistic(), n, config, error_rate=slips),
    }
    metrics = {}
    for task, found in studies.items():
        for utility, either in UTILITIES.items():
            cost = costs(either, config.review_price)
            for name, plan in policies(found, cost).items():
                paid = mean_cost(plan, found.truth, cost)
                if task != "three_experts":
                    metrics[f"{task}.{name}.{utility}"] = paid
                    continue
                loss = loss_if_decided(plan, found.truth, cost)
                metrics[f"{utility}.{name}.cost"] = paid
                metrics[f"{utility}.{name}.reviewed"] = plan.review.mean()
                metrics[f"{utility}.{name}.aurc"] = aurc(loss, plan.confidence)
    return metrics, studies


def book_example(config: Config) -> dict[str, float]:
    """The book's own patients, whose history tells everything: means over several draws."""
    draws = []
    for draw in range(config.n_book):
        train, test = (
            make_book_prescriptions(1000, random_state=[config.seed, draw, part]) for part in (0, 1)
        )
        models = {}
        for percent in (60, 70, 80):
            review = 1 - percent / 100
            models[f"two_classes_above_{percent}_percent"] = MinimumExpectedCostClassifier(
                LogisticRegression(), [[0, 1, review], [1, 0, review]], ACTIONS
            ).fit(train.X, train.y)
        models["three_classes"] = MinimumExpectedCostClassifier(
            LogisticRegression(), costs(1.0, config.review_price), ACTIONS
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
    return {f"book_example.{name}": np.mean([found[name] for found in draws]) for name in draws[0]}


# ------------------------------------------------------------------------ neutral bands of a number
def band(found: Study, cost: FloatArray) -> dict[str, float]:
    """Cost of a binary model's thresholds and of a neutral class."""
    two, truth = found.proba["binary"], found.truth
    methods = {
        "binary_chow": act(two, cost),
        "binary_tuned_threshold": act(two, cost, tuned(*found.validation, cost)),
        "binary_two_tuned_thresholds": act(two, cost, tuned(*found.validation, cost, True)),
        "binary_two_best_thresholds": act(two, cost, tuned(two, truth, cost, True)),
        "neutral": act(found.proba["neutral"], cost),
    }
    return {name: mean_cost(policy, truth, cost) for name, policy in methods.items()}


def delay_table() -> pd.DataFrame:
    """Flights that arrived, with what is known at take-off."""
    columns = ["carrier", "origin", "dest", "hour", "minute", "distance", "dep_delay"]
    table = load_nyc_flights([*columns, "day", "time_hour", "arr_delay"]).frame
    table = table.dropna(subset=["arr_delay"]).reset_index(drop=True)
    table["weekday"] = table["time_hour"].dt.tz_convert("America/New_York").dt.day_of_week
    return table


QUARTERS = (  # the month to tune on begins, the quarter to test on begins, it ends
    ("2013-03-01T00:00Z", "2013-04-01T00:00Z", "2013-07-01T00:00Z"),
    ("2013-06-01T00:00Z", "2013-07-01T00:00Z", "2013-10-01T00:00Z"),
    ("2013-09-01T00:00Z", "2013-10-01T00:00Z", "2014-01-01T00:00Z"),
)


def flights(task: str, table: pd.DataFrame, config: Config) -> dict[str, float]:
    """On time, unclear or late: train on the past, tune on the month before the test quarter."""
    rng = np.random.default_rng(config.seed)
    cost = costs(0.0, config.review_price)  # whatever is said of an unclear flight is free
    state = np.searchsorted([5, 25], table["arr_delay"], side="right")  # minutes
    is_late = table["arr_delay"].to_numpy() >= 15  # as the US Department of Transportation counts
    features = table.drop(columns=["time_hour", "arr_delay"])
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    names = ["carrier", "origin", "dest"]
    encoder = make_column_transformer((codes, names), remainder="passthrough")
    folds = []
    for boundaries in QUARTERS:
        (train, tune), (_, test) = split_forward(table["time_hour"], boundaries)
        sizes = (config.n_real, config.n_real, config.n_real_test)
        train, tune, test = (
            rng.choice(rows, min(size, len(rows)), replace=False)
            for rows, size in zip((train, tune, test), sizes, strict=True)
        )
        encoder.fit(features.iloc[train])
        X, X_tune, X_test = (encoder.transform(features.iloc[rows]) for rows in (train, tune, test))
        two = trees(config.seed).fit(X, is_late[train])
        three = trees(config.seed).fit(X, state[train])
        proba = {"binary": two.predict_proba(X_test), "neutral": three.predict_proba(X_test)}
        validation = two.predict_proba(X_tune), np.eye(3)[state[tune]]
        folds.append(band(Study(proba, validation, np.eye(3)[state[test]]), cost))
    return {f"{task}.{name}.cost": float(np.mean([f[name] for f in folds])) for name in folds[0]}


def accuracy_trap(table: pd.DataFrame, config: Config) -> dict[str, float]:
    """A neutral band on features that tell nothing: higher accuracy, by the majority class."""
    rng = np.random.default_rng(config.seed)
    features = table[["day", "minute", "distance", "weekday"]]
    (rows,) = split_forward(table["time_hour"], ["2013-10-01T00:00Z", "2014-01-01T00:00Z"])
    train, test = (
        rng.choice(part, size, replace=False)
        for part, size in zip(rows, (config.n_real, config.n_real_test), strict=True)
    )
    delay = table["arr_delay"].to_numpy()
    metrics = {}
    for name, levels in {"two_classes": [0.5], "three_classes": [0.1, 0.9]}.items():
        y = np.searchsorted(np.quantile(delay[train], levels), delay, side="right")
        for method, model in {"majority": DummyClassifier(), "model": logistic()}.items():
            model.fit(features.iloc[train], y[train])
            proba = model.predict_proba(features.iloc[test])
            row = f"accuracy_trap.{name}_{method}"
            predicted = proba.argmax(axis=1)
            metrics[f"{row}.accuracy"] = accuracy_score(y[test], predicted)
            metrics[f"{row}.balanced_accuracy"] = balanced_accuracy_score(y[test], predicted)
            metrics[f"{row}.log_loss"] = log_loss(y[test], proba)
    return metrics


def ratings(config: Config) -> dict[str, float]:
    """Customers who give 1 to 5 stars, three of them neutral: apologize, thank, or call them."""
    rng = np.random.default_rng(config.seed)
    cost = costs(0.0, config.review_price)  # a letter to a neutral customer does no harm
    sizes = (config.n_train, config.n_validation, config.n_test)
    X, X_tune, X_test = (rng.normal(size=(size, 4)) for size in sizes)

    def chances(X: FloatArray) -> FloatArray:
        """Of up to two, three, and four or more stars."""
        at_most = expit(np.array([-0.8, 0.8]) - 2 * X[:, [0]])
        return np.column_stack([at_most[:, 0], np.diff(at_most), 1 - at_most[:, 1]])

    def draw(X: FloatArray) -> NDArray[np.intp]:
        return (rng.uniform(size=(len(X), 1)) >= chances(X).cumsum(axis=1)[:, :2]).sum(axis=1)

    state, state_tune = draw(X), draw(X_tune)
    two = logistic().fit(X[state != 1], state[state != 1])
    three = logistic().fit(X, state)
    proba = {"binary": two.predict_proba(X_test), "neutral": three.predict_proba(X_test)}
    truth = chances(X_test)
    found = band(Study(proba, (two.predict_proba(X_tune), np.eye(3)[state_tune]), truth), cost)
    found["oracle"] = mean_cost(act(truth, cost), truth, cost)
    return {f"customer_ratings.{name}.cost": value for name, value in found.items()}


# ---------------------------------------------------------------------------------- figures
def draw_regions(found: Study, config: Config) -> Any:
    """What each method does at every place of the plane that its features span."""
    cost, axis = costs(0.0, config.review_price), np.linspace(-2.5, 2.5, 201)
    balance, severity = np.meshgrid(axis, axis)
    plane = np.column_stack([balance.ravel(), severity.ravel(), *np.zeros((2, balance.size))])
    on_plane = study(logistic(), config.n_train, config, X_test=plane)
    best = tuned(found.proba["binary"], found.truth, cost)  # for patients, not for the plane
    plans = policies(on_plane, cost)
    plans["binary_best_threshold"] = act(on_plane.proba["binary"], cost, best)
    actions = {name: np.where(plan.review, 2, plan.drug) for name, plan in plans.items()}
    return figures.regions(axis, {name: a.reshape(balance.shape) for name, a in actions.items()})


def draw_review_price(found: Study) -> Any:
    """What each method costs at every price of a review, with the free choice and without."""
    prices = np.linspace(0.02, 0.5, 25)
    curves: dict[str, dict[str, list[float]]] = {utility: {} for utility in UTILITIES}
    for utility, either in UTILITIES.items():
        for cost in (costs(either, price) for price in prices):
            for name, plan in policies(found, cost).items():
                curves[utility].setdefault(name, []).append(mean_cost(plan, found.truth, cost))
    return figures.review_price(prices, curves)


def draw_risk_coverage(found: Study, config: Config) -> Any:
    """Cost of the decided patients against the share that is decided, where the choice is free."""
    cost = costs(0.0, config.review_price)
    curves = {
        name: risk_coverage_curve(loss_if_decided(plan, found.truth, cost), plan.confidence)
        for name, plan in policies(found, cost).items()
    }
    return figures.risk_coverage(curves)


# ---------------------------------------------------------------------------------- claims
GLOSSARY = {
    "cost": "mean cost of a case: 1 for a wrong drug (or a wrong word), and the price of a review",
    "reviewed": "share of cases that the method sends to review",
    "aurc": "mean cost of the decided cases, averaged over every share that might be decided",
    "free_choice": "cost where the free choice has an action of its own, which costs nothing",
    "review_only": "cost where review is the only right action if either drug would do",
    "accuracy": "share of labels guessed right, out of the model's own set of labels",
    "decided": "share of patients who get a drug without review",
    "accuracy_of_decided": "share of the decided patients who get the drug they were prescribed",
    "same_actions": "share of patients for whom the actions are those of the three classes",
    "balanced_accuracy": "mean recall of the classes; 1 / number of classes for a constant",
    "log_loss": "mean negative log probability of the true class; lower is better",
}


Value = Callable[[Mapping[str, float]], float]


def ratio(task: str, method: str, baseline: str, metric: str = "cost") -> Value:
    """One method's metric divided by another's."""
    return lambda m: m[f"{task}.{method}.{metric}"] / m[f"{task}.{baseline}.{metric}"]


def accuracy_above(row: str) -> Value:
    """Accuracy of the three-class model minus that of another row of the accuracy trap."""
    task = "accuracy_trap"
    return lambda m: m[f"{task}.three_classes_model.accuracy"] - m[f"{task}.{row}.accuracy"]


CLAIMS = [
    Claim(
        "cheaper-than-chow",
        "benefit",
        "Where the free choice is an action of its own, the corrected neutral class of three "
        "experts costs at most {at_most} times as much as a binary model with Chow's rule.",
        ratio("free_choice", "neutral_corrected", "binary_chow"),
        at_most=0.5,
    ),
    Claim(
        "cheaper-than-any-threshold",
        "benefit",
        "The corrected neutral class costs at most {at_most} times as much as the best threshold "
        "on the binary model, chosen on the test patients themselves.",
        ratio("free_choice", "neutral_corrected", "binary_best_threshold"),
        at_most=0.92,
    ),
    Claim(
        "cheaper-than-a-perfect-binary-model",
        "benefit",
        "The corrected neutral class costs at most {at_most} times as much as the best threshold "
        "on the true probability of a vote: it is not that the binary model learns too little.",
        ratio("free_choice", "neutral_corrected", "perfect_binary"),
        at_most=0.95,
    ),
    Claim(
        "better-ranking",
        "benefit",
        "A neutral class knows better whom to decide: the area under its risk-coverage curve is "
        "at most {at_most} times the binary model's.",
        ratio("free_choice", "neutral_corrected", "binary_chow", "aurc"),
        at_most=0.55,
    ),
    Claim(
        "disagreement-is-a-signal",
        "benefit",
        "To learn from disagreements costs at most {at_most} times as much as to drop them from "
        "the training set and follow Chow's rule.",
        ratio("free_choice", "neutral_corrected", "disagreements_dropped"),
        at_most=0.6,
    ),
    Claim(
        "two-experts-corrected",
        "benefit",
        "Two experts suffice if their agreement by chance is corrected: at most {at_most} times "
        "the cost of the best threshold on the binary model.",
        ratio("two_experts", "neutral_corrected", "binary_best_threshold", "free_choice"),
        at_most=0.92,
    ),
    Claim(
        "two-experts-uncorrected",
        "limit",
        "Without the correction, a neutral class from two experts costs at least {at_least} times "
        "as much as the best threshold on the binary model.",
        ratio("two_experts", "neutral_raw", "binary_best_threshold", "free_choice"),
        at_least=1.1,
    ),
    Claim(
        "no-gain-if-review-is-all",
        "limit",
        "Where review is the only other action, boosted trees with a neutral class cost {at_least} "
        "to {at_most} times as much as without, with as many votes and the best threshold.",
        ratio("boosted_trees", "neutral_corrected", "binary_more_patients", "review_only"),
        at_least=0.97,
        at_most=1.03,
    ),
    Claim(
        "no-room-if-review-is-all",
        "limit",
        "Where review is the only other action, the best threshold on the true probability of a "
        "vote costs at most {at_most} times as much as the oracle: little is left to gain.",
        ratio("review_only", "perfect_binary", "oracle"),
        at_most=1.02,
    ),
    Claim(
        "error-is-not-indifference",
        "limit",
        "Where experts disagree by mistake only, and review is the action for neutral, the class "
        "costs at least {at_least} times as much as Chow's rule on the same votes.",
        ratio("only_error", "neutral_raw", "binary_chow", "review_only"),
        at_least=1.2,
    ),
    Claim(
        "book-example-is-a-threshold",
        "parity",
        "On the book's own example, two classes and a threshold of 0.6, 0.7 or 0.8 act as three "
        "classes do for every patient: a share of at least {at_least:g}.",
        lambda m: min(value for name, value in m.items() if name.endswith(".same_actions")),
        at_least=1.0,
    ),
    Claim(
        "flights-at-takeoff",
        "limit",
        "A neutral band of real delays, from 5 to 25 minutes, costs from {at_least} to {at_most} "
        "times as much as a binary model with a threshold tuned on the month before.",
        ratio("flights_at_takeoff", "neutral", "binary_tuned_threshold"),
        at_least=0.9,
        at_most=1.1,
    ),
    Claim(
        "flights-before-departure",
        "limit",
        "With only what is known before departure, the neutral band costs from {at_least} to "
        "{at_most} times as much as the tuned threshold.",
        ratio("flights_before_departure", "neutral", "binary_tuned_threshold"),
        at_least=0.9,
        at_most=1.1,
    ),
    Claim(
        "accuracy-rises",
        "limit",
        "On real delays and features that tell next to nothing, a neutral band raises accuracy by "
        "at least {at_least}.",
        accuracy_above("two_classes_model"),
        at_least=0.2,
    ),
    Claim(
        "accuracy-is-the-majority",
        "limit",
        "The accuracy that a neutral band brings there is the majority class's, to within "
        "{at_most}.",
        lambda m: abs(accuracy_above("three_classes_majority")(m)),
        at_most=0.02,
    ),
    Claim(
        "ratings-in-between",
        "parity",
        "Where neutral lies between the others, as a middling rating does, the class costs "
        "{at_least} to {at_most} times as much as the two best thresholds on a binary model.",
        ratio("customer_ratings", "neutral", "binary_two_best_thresholds"),
        at_least=0.93,
        at_most=1.07,
    ),
]


def run(config: Config) -> Result:
    """Patients with a known truth, the book's patients, and neutral bands cut out of a number."""
    metrics, studies = prescriptions(config)
    found = studies["three_experts"]
    metrics |= book_example(config)
    table = delay_table()
    metrics |= flights("flights_at_takeoff", table, config)
    metrics |= flights("flights_before_departure", table.drop(columns="dep_delay"), config)
    metrics |= accuracy_trap(table, config)
    metrics |= ratings(config)
    return Result(
        metrics,
        figures={
            "regions": lambda: draw_regions(found, config),
            "review_price": lambda: draw_review_price(studies["boosted_trees"]),
            "risk_coverage": lambda: draw_risk_coverage(found, config),
        },
    )


if __name__ == "__main__":
    from patterns._kit.cli import main

    raise SystemExit(main(["run", "neutral_class", *sys.argv[1:]]))
