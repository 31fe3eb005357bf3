"""Patients whose true state is known to the judge, and what every method learns from their votes.

The oracle knows the true probabilities. What a method knows decides on its table: the votes alone,
or also the true state of some patients, from which it chooses thresholds.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from datasets import make_prescriptions
from patterns._kit.evidence import Role
from patterns.neutral_class.evidence import Config
from patterns.neutral_class.evidence.policies import (
    UTILITIES,
    FloatArray,
    Policy,
    TwoModels,
    act,
    act_on_two,
    costs,
    mean_cost,
    tuned,
    tuned_two,
)
from patterns.neutral_class.pattern import (
    coin_toss_label_rates,
    correct_label_noise,
    labels_from_votes,
)

Votes = NDArray[np.str_]  # (n, n_experts)

ROLES: dict[str, Role] = {
    "decide_everyone": "baseline",
    "binary_chow": "baseline",
    "disagreements_dropped": "baseline",
    "dawid_skene": "baseline",
    "two_models_by_votes": "baseline",
    "binary_tuned_threshold": "baseline",
    "binary_best_threshold": "baseline",
    "binary_more_patients": "baseline",
    "perfect_binary": "baseline",
    "two_models_tuned": "baseline",
    "two_models_best": "baseline",
    "neutral_corrected": "pattern",
    "neutral_measured_rates": "pattern",
    "oracle": "best possible",
}


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


# ---------------------------------------------------------------------------------- methods
def binary(model: Any, X: FloatArray, votes: Votes) -> Any:
    """The usual baseline: every vote is a label, of two classes."""
    return clone(model).fit(np.repeat(X, votes.shape[1], axis=0), votes.ravel())


def agreed_only(model: Any, X: FloatArray, votes: Votes) -> Any:
    """What is often done instead: two classes, and what experts disagree on is thrown away."""
    agreed = (votes == votes[:, :1]).all(axis=1)
    return clone(model).fit(X[agreed], votes[agreed, 0])


def disagreement(model: Any, X: FloatArray, votes: Votes) -> Any:
    """A second model beside the binary one: whether the experts of a patient disagree."""
    return clone(model).fit(X, (votes != votes[:, :1]).any(axis=1))


def neutral(model: Any, X: FloatArray, votes: Votes) -> Any:
    """The pattern: disagreement is a label, the third class."""
    return clone(model).fit(X, labels_from_votes(votes, "either"))


def fit_weighted(model: Any, X: FloatArray, y: NDArray[np.str_], weights: FloatArray) -> Any:
    """Fit with sample weights, which a pipeline takes by the name of its last step."""
    name = f"{model.steps[-1][0]}__sample_weight" if hasattr(model, "steps") else "sample_weight"
    return clone(model).fit(X, y, **{name: weights})


def dawid_skene(votes: Votes) -> FloatArray:
    """Probability of each drug, shape (n, 2), if each expert errs at two rates of their own.

    The EM algorithm of Dawid and Skene (1979) for two labels, from the shares of votes: one rate
    for the cases in which each drug is right, and no case without a right drug.
    """
    second = (votes == np.unique(votes)[-1]).astype(float)
    posterior = second.mean(axis=1)
    for _ in range(100):
        share = posterior.mean()
        if_second = np.clip(posterior @ second / posterior.sum(), 1e-9, 1 - 1e-9)
        if_first = np.clip((1 - posterior) @ second / (1 - posterior).sum(), 1e-9, 1 - 1e-9)
        odds = second @ np.log(if_second / if_first)
        odds += (1 - second) @ np.log((1 - if_second) / (1 - if_first))
        posterior = expit(odds + logit(share))
    return np.column_stack([1 - posterior, posterior])


def two_out_of_fold(model: Any, X: FloatArray, votes: Votes) -> TwoModels:
    """The two models' predictions for the training patients, each by models that had not seen it.

    Folds are of patients, so that no model sees one vote on a patient and predicts another.
    """
    proba, chance = np.empty((len(X), 2)), np.empty(len(X))
    for seen, unseen in KFold(5).split(X):
        proba[unseen] = binary(model, X[seen], votes[seen]).predict_proba(X[unseen])
        disagree = disagreement(model, X[seen], votes[seen])
        chance[unseen] = disagree.predict_proba(X[unseen])[:, 1]
    return TwoModels(proba, chance)


def two_corrected(predicted: TwoModels, n_votes: int) -> FloatArray:
    """The pattern as two models: the same three probabilities, from shares of votes.

    An expert votes for a drug because it is right, or else by coin: the share of its votes is its
    probability and half of that of "either".
    """
    either = np.minimum(predicted.disagreement / (1 - 2.0 ** (1 - n_votes)), 1)
    drugs = np.maximum(predicted.votes - either[:, None] / 2, 0)
    total = drugs.sum(axis=1)
    drugs *= ((1 - either) / np.where(total > 0, total, 1))[:, None]
    return np.insert(drugs, 1, either, axis=1)


# ---------------------------------------------------------------------------------- study
class Study(NamedTuple):
    """What every method predicts, and what is true of the test patients."""

    proba: dict[str, FloatArray]  # (n_test, 2 or 3) of the test patients, by method
    two: TwoModels  # of the test patients
    on_votes: tuple[TwoModels, FloatArray] | None  # of the training patients, with their labels
    known: tuple[TwoModels, FloatArray]  # of patients with a known state, with that state
    truth: FloatArray  # (n_test, 3)
    habit: float  # share of acetaminophen among the votes where either drug would do


def study(
    model: Any,
    n: int,
    config: Config,
    n_experts: int | None = None,
    X_test: FloatArray | None = None,
    out_of_fold: bool = True,
    **kind: Any,
) -> Study:
    """Fit every method to the votes on the same n patients, or to as many votes on more patients.

    ``kind`` is passed to `make_prescriptions`. ``X_test`` replaces the test patients. Without
    ``out_of_fold``, no thresholds are tuned on votes.
    """
    m = config.n_experts if n_experts is None else n_experts
    train, validation, test = (
        make_prescriptions(size, n_experts=m, random_state=[config.seed, part], **kind)
        for part, size in enumerate((n * m, config.n_validation, config.n_test))
    )
    X, votes = train.X.to_numpy(), train.frame[list(train.target_names)].to_numpy(str)
    X_test = test.X.to_numpy() if X_test is None else X_test
    more = binary(model, X, votes[:, :1])
    X, votes, states = X[:n], votes[:n], train.frame["state"].to_numpy(str)[:n]
    two_classes, disagree = binary(model, X, votes), disagreement(model, X, votes)

    def two(X: FloatArray) -> TwoModels:
        return TwoModels(two_classes.predict_proba(X), disagree.predict_proba(X)[:, 1])

    on_test, raw = two(X_test), neutral(model, X, votes).predict_proba(X_test)
    proba = {
        "binary": on_test.votes,
        "more_patients": more.predict_proba(X_test),
        "disagreements_dropped": agreed_only(model, X, votes).predict_proba(X_test),
        "two_models_corrected": two_corrected(on_test, m),
        "neutral_raw": raw,
        "neutral_corrected": correct_label_noise(raw, coin_toss_label_rates(m, 1), 1),
    }
    if m > 2:  # of two experts who disagree, nothing says which is right
        certainty, drugs = dawid_skene(votes), np.tile(np.unique(votes), n)
        weighed = fit_weighted(model, np.repeat(X, 2, axis=0), drugs, certainty.ravel())
        proba["dawid_skene"] = weighed.predict_proba(X_test)
    labels = one_hot(labels_from_votes(votes, "either"), test.states)
    state = one_hot(validation.frame["state"].to_numpy(str), test.states)
    if kind.get("some_either", True):
        # Experts who write "either" instead of tossing a coin.
        proba["neutral_explicit"] = clone(model).fit(X, states).predict_proba(X_test)
        # What the same experts voted on the patients whose state is known.
        known = validation.frame[list(validation.target_names)].to_numpy(str)
        shown = state.T @ one_hot(labels_from_votes(known, "either"), test.states)
        rates = shown / shown.sum(axis=1, keepdims=True)
        proba["neutral_measured_rates"] = correct_label_noise(raw, rates, 1)
    return Study(
        proba,
        on_test,
        (two_out_of_fold(model, X, votes), labels) if out_of_fold else None,
        (two(validation.X.to_numpy()), state),
        test.oracle_proba(X_test),
        kind.get("habit", 0.5),
    )


def one_hot(labels: NDArray[np.str_], states: tuple[str, ...]) -> FloatArray:
    """A column for each state."""
    return (labels[:, None] == np.array(states)).astype(float)


def from_votes(study: Study, cost: FloatArray) -> dict[str, Policy]:
    """What every method does at these costs that knows nothing but votes."""
    proba, two = study.proba, study.two
    plain = act(proba["binary"], cost)
    found = {
        "decide_everyone": plain._replace(review=np.zeros_like(plain.review)),
        "binary_chow": plain,
        "disagreements_dropped": act(proba["disagreements_dropped"], cost),
    }
    if "dawid_skene" in proba:
        found["dawid_skene"] = act(proba["dawid_skene"], cost)
    if study.on_votes:
        found["two_models_by_votes"] = act_on_two(two, cost, tuned_two(*study.on_votes, cost))
    names = ("two_models_corrected", "neutral_raw", "neutral_corrected", "neutral_explicit")
    return found | {name: act(proba[name], cost) for name in names if name in proba}


def from_states(study: Study, cost: FloatArray) -> dict[str, Policy]:
    """What every method does that knows the state of some patients, too.

    Tuned thresholds are chosen on patients of their own, and label rates are counted on the same
    ones. The best thresholds are chosen on the test patients, which is generous.
    """
    truth, two, more = study.truth, study.two, study.proba["more_patients"]
    known, state = study.known
    # A binary model with nothing left to learn knows the true probability of a vote. (The experts'
    # errors shrink it toward 0.5, which changes thresholds but not decisions.)
    perfect = truth[:, [0, 2]] + truth[:, [1]] * [study.habit, 1 - study.habit]
    found = {
        "binary_tuned_threshold": act(two.votes, cost, tuned(known.votes, state, cost)),
        "binary_best_threshold": act(two.votes, cost, tuned(two.votes, truth, cost)),
        "binary_more_patients": act(more, cost, tuned(more, truth, cost)),
        "perfect_binary": act(perfect, cost, tuned(perfect, truth, cost)),
        "two_models_tuned": act_on_two(two, cost, tuned_two(known, state, cost)),
        "two_models_best": act_on_two(two, cost, tuned_two(two, truth, cost)),
    }
    if "neutral_measured_rates" in study.proba:
        found["neutral_measured_rates"] = act(study.proba["neutral_measured_rates"], cost)
    return found


def oracle(study: Study, cost: FloatArray) -> Policy:
    """The best that can be done with these features."""
    return act(study.truth, cost)


def costs_of(study: Study, policies: dict[str, Policy], cost: FloatArray) -> dict[str, float]:
    """Mean cost of a patient, by method."""
    return {name: mean_cost(policy, study.truth, cost) for name, policy in policies.items()}


def score_both_costs(task: str, study: Study, price: float) -> dict[str, float]:
    """One table of all methods: their cost with a free choice and without."""
    rows: dict[str, dict[str, float]] = {}
    for utility, either in UTILITIES.items():
        cost = costs(either, price)
        policies = from_votes(study, cost) | from_states(study, cost)
        pattern = policies.pop("neutral_corrected")  # the last row but one
        policies |= {"neutral_corrected": pattern, "oracle": oracle(study, cost)}
        for name, paid in costs_of(study, policies, cost).items():
            rows.setdefault(f"{task}.{name}", {})[utility] = paid
    return {f"{row}.{column}": v for row, paid in rows.items() for column, v in paid.items()}
