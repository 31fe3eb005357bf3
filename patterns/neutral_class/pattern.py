"""Neutral class: give the cases in which either answer would do a class of their own.

Where two answers are equally right, experts pick one by habit, and a binary classifier learns 0.5.
It also learns 0.5 where one answer is right and the features do not tell which. Let several experts
label the same rows, call "neutral" what they disagree on, and any three-class classifier separates
"it does not matter" from "I do not know". Then let the costs decide what to do about each.

Source: Lakshmanan, Robinson, Munn, "Machine Learning Design Patterns" (2020), chapter 3.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.utils import assert_all_finite, get_tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

FloatArray = NDArray[np.float64]


def labels_from_votes(votes: ArrayLike, neutral_label: Any = "neutral") -> NDArray[Any]:
    """Label of each row: what all experts voted for, or ``neutral_label`` where they disagree.

    A majority vote would not do: of an odd number of votes there always is a majority, so the
    neutral class would vanish.

    Parameters
    ----------
    votes : array-like of shape (n_samples, n_experts)
        One row per case, one column per vote, two different labels in all. Experts are
        interchangeable: column 0 need not be the same person in every row.
    neutral_label : label of the same type as the votes, default "neutral"

    Returns
    -------
    array of shape (n_samples,)

    Raises
    ------
    ValueError
        For rows with different numbers of votes, a missing vote, fewer than two experts, more than
        two labels, and a neutral label that is one of the two or of another type.
    """
    # As objects, because numpy would turn a missing vote among strings into the string "nan".
    table = np.asarray(votes, dtype=object)
    if table.ndim != 2 or table.shape[1] < 2 or len(table) == 0:
        raise ValueError(
            "votes must have shape (n_samples, n_experts), equally many votes in each row and two "
            f"experts or more; got shape {table.shape}" + ", ragged rows" * (table.ndim == 1)
        )
    missing = np.asarray(pd.isna(table)).any(axis=1)
    if missing.any():
        raise ValueError(
            f"votes are missing in {missing.sum()} of {len(table)} rows, the first in row "
            f"{missing.argmax()}; drop these rows: the chance to disagree depends on how many vote"
        )
    labels = pd.unique(table.ravel()).tolist()
    if len(labels) > 2:
        raise ValueError(f"votes must be for two labels, got {len(labels)}: {labels}")
    same_type = isinstance(neutral_label, str) == isinstance(labels[0], str)
    if neutral_label in labels or not same_type or pd.isna(neutral_label):
        raise ValueError(
            f"neutral_label must be of the type of the votes and none of them: got "
            f"{neutral_label!r}, and the votes are for {labels}"
        )
    votes = np.asarray(table.tolist())
    # --8<-- [start:ex-labels]
    unanimous = (votes == votes[:, [0]]).all(axis=1)
    return np.where(unanimous, votes[:, 0], neutral_label)
    # --8<-- [end:ex-labels]


def chance_agreement_correction(proba: ArrayLike, n_votes: int, neutral_column: int) -> FloatArray:
    """Turn the probability that experts disagree into the probability that it does not matter.

    Experts who toss a coin agree by chance: all ``m`` of them with probability ``2 ** (1 - m)``,
    half of the time for two. Of the true neutrals, the votes call only a share of
    ``1 - 2 ** (1 - m)`` neutral, and ``2 ** -m`` each of the two labels. The correction undoes
    that. It assumes that experts vote independently, and that they disagree only where either
    answer would do: disagreement by mistake it takes for even more indifference.

    Parameters
    ----------
    proba : array-like of shape (n_samples, 3)
        Predicted by a classifier that was fitted to `labels_from_votes`.
    n_votes : int of at least 2
        Votes per row of the training set.
    neutral_column : {0, 1, 2}
        Which column of ``proba`` is the neutral class: its position in ``classes_``, which is
        sorted. "either" may come between two labels where "neutral" comes last.

    Returns
    -------
    array of shape (n_samples, 3)
        In the same order of columns; rows sum to 1.

    Raises
    ------
    ValueError
        For fewer than two votes, a column that does not exist, and what are no probabilities.
    """
    proba = _check_proba(proba)
    if proba.shape[1] != 3 or neutral_column not in (0, 1, 2):
        raise ValueError(
            "proba must have 3 columns, and neutral_column be one of 0, 1, 2; got shape "
            f"{proba.shape} and {neutral_column!r}"
        )
    if not isinstance(n_votes, int | np.integer) or n_votes < 2:
        raise ValueError(f"n_votes must be an integer of at least 2, got {n_votes!r}")
    # --8<-- [start:ex-correction]
    indifferent = np.minimum(proba[:, neutral_column] / (1 - 2.0 ** (1 - n_votes)), 1)
    decided = np.delete(proba, neutral_column, axis=1)
    decided = np.maximum(decided - indifferent[:, None] * 2.0**-n_votes, 0)
    # Where an estimate fell below 0 and was cut, the other label must give way for a sum of 1.
    total = decided.sum(axis=1)
    decided *= ((1 - indifferent) / np.where(total > 0, total, 1))[:, None]
    return np.insert(decided, neutral_column, indifferent, axis=1)
    # --8<-- [end:ex-correction]


def least_costly_action(proba: ArrayLike, cost_matrix: ArrayLike) -> NDArray[np.intp]:
    """Position of the action with the least expected cost, shape (n_samples,); the first of equals.

    Parameters
    ----------
    proba : array-like of shape (n_samples, n_classes)
    cost_matrix : array-like of shape (n_classes, n_actions)
        What each action costs when each class is true, in one unit of your choice.

    Raises
    ------
    ValueError
        For a cost matrix of another shape or with values that are not finite, and for what are no
        probabilities.
    """
    proba = _check_proba(proba)
    cost = _check_cost_matrix(cost_matrix, n_classes=proba.shape[1])
    # --8<-- [start:ex-decision]
    action: NDArray[np.intp] = np.argmin(proba @ cost, axis=1)
    return action
    # --8<-- [end:ex-decision]


class MinimumExpectedCostClassifier(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Decide by expected cost: any probabilistic classifier in, an action out.

    Actions need not be classes. With two classes and the actions "0", "1" and "review", of costs
    ``[[0, 1, c], [1, 0, c]]``, this is Chow's reject option (1970): review wherever the larger
    probability is below ``1 - c``. A neutral class adds a row to the costs.

    Parameters
    ----------
    estimator : classifier with ``predict_proba``
    cost_matrix : array-like of shape (n_classes, n_actions), default None
        Cost of each action in each class; rows in the order of ``classes_``, which is sorted. The
        default costs 1 for every error, so that `predict` gives the most probable class.
    actions : array-like of shape (n_actions,), default None
        What `predict` returns. The default is the classes, and then the matrix must be square.

    Attributes
    ----------
    classes_ : array of shape (n_classes,)
    estimator_ : the fitted classifier
    cost_matrix_, actions_ : arrays of shape (n_classes, n_actions) and (n_actions,)

    Raises
    ------
    ValueError
        In ``fit``, when the shapes of classes, costs and actions do not agree, or a cost is not
        finite; in ``predict``, when the classifier's probabilities are none.
    """

    def __init__(
        self,
        estimator: BaseEstimator,
        cost_matrix: ArrayLike | None = None,
        actions: ArrayLike | None = None,
    ) -> None:
        self.estimator = estimator
        self.cost_matrix = cost_matrix
        self.actions = actions

    def fit(self, X: Any, y: ArrayLike, **fit_params: Any) -> Self:
        """Fit the classifier to ``X`` and the labels ``y``, of shape (n_samples,)."""
        validate_data(self, X, y, skip_check_array=True)
        y = column_or_1d(y, warn=True)
        assert_all_finite(y, input_name="y")
        check_classification_targets(y)
        self.classes_ = np.unique(y)
        n_classes = len(self.classes_)
        cost = 1 - np.eye(n_classes) if self.cost_matrix is None else self.cost_matrix
        self.cost_matrix_ = _check_cost_matrix(cost, n_classes)
        self.actions_ = self.classes_ if self.actions is None else np.asarray(self.actions)
        if self.actions_.shape != self.cost_matrix_.shape[1:]:
            raise ValueError(
                f"actions must be {self.cost_matrix_.shape[1]}, one for each column of "
                f"cost_matrix; got shape {self.actions_.shape}: {self.actions_.tolist()}"
            )
        self.estimator_ = clone(self.estimator).fit(X, y, **fit_params)
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Action with the least expected cost, shape (n_samples,)."""
        actions: NDArray[Any]
        proba = self.predict_proba(X)
        actions = self.actions_[least_costly_action(proba, self.cost_matrix_)]
        return actions

    def predict_proba(self, X: Any) -> FloatArray:
        """Probability of each class, shape (n_samples, n_classes)."""
        check_is_fitted(self)
        return np.asarray(self.estimator_.predict_proba(X), dtype=float)

    def __sklearn_tags__(self) -> Any:
        """Inputs are welcome wherever the classifier takes them."""
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        return tags


def risk_coverage_curve(loss: ArrayLike, confidence: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Mean loss on the cases a model is most confident of, for every share of cases it may keep.

    Parameters
    ----------
    loss : array-like of shape (n_samples,)
        Of each case if the model decides it: 0 or 1 for an error, or any cost.
    confidence : array-like of shape (n_samples,)
        Higher is decided earlier. Cases of equal confidence count with their mean loss, so that
        the curve does not depend on the order of rows.

    Returns
    -------
    coverage, risk : arrays of shape (n_samples,)
        Coverage is 1/n, 2/n, ..., 1. The last risk is the mean loss.

    Raises
    ------
    ValueError
        For inputs that are empty, of different length, or hold NaN.

    References
    ----------
    Geifman and El-Yaniv (2017), "Selective classification for deep neural networks".
    """
    loss, confidence = np.asarray(loss, dtype=float), np.asarray(confidence, dtype=float)
    if loss.ndim != 1 or loss.shape != confidence.shape or len(loss) == 0:
        raise ValueError(
            "loss and confidence must have the same shape (n_samples,), n_samples at least 1; "
            f"got {loss.shape} and {confidence.shape}"
        )
    for name, values in {"loss": loss, "confidence": confidence}.items():
        if np.isnan(values).any():
            raise ValueError(f"{name} has NaN in row {np.isnan(values).argmax()}")
    # --8<-- [start:ex-curve]
    _, group, size = np.unique(-confidence, return_inverse=True, return_counts=True)
    mean_of_equals = np.bincount(group, weights=loss) / size
    kept = np.arange(1, len(loss) + 1)
    return kept / len(loss), np.cumsum(np.repeat(mean_of_equals, size)) / kept
    # --8<-- [end:ex-curve]


def aurc(loss: ArrayLike, confidence: ArrayLike) -> float:
    """Area under the risk-coverage curve: the mean risk over all coverages; lower is better."""
    return float(risk_coverage_curve(loss, confidence)[1].mean())


def _check_proba(proba: ArrayLike) -> FloatArray:
    proba = np.asarray(proba, dtype=float)
    if proba.ndim != 2:
        raise ValueError(f"proba must have shape (n_samples, n_classes), got {proba.shape}")
    # Not a number is neither in the range nor sums to one. A single-precision model's sum is off by
    # a millionth or so.
    good = np.all((proba >= 0) & (proba <= 1), axis=1) & (np.abs(proba.sum(axis=1) - 1) < 1e-5)
    if not good.all():
        row = int(good.argmin())
        raise ValueError(
            "each row of proba must hold probabilities that sum to 1; "
            f"{(~good).sum()} of {len(proba)} do not, the first is row {row}: {proba[row]}"
        )
    return proba


def _check_cost_matrix(cost_matrix: ArrayLike, n_classes: int) -> FloatArray:
    cost = np.asarray(cost_matrix, dtype=float)
    if cost.ndim != 2 or cost.shape[0] != n_classes or cost.shape[1] == 0:
        raise ValueError(
            f"cost_matrix must have shape ({n_classes}, n_actions), a row for each class, "
            f"got {cost.shape}"
        )
    if not np.isfinite(cost).all():
        raise ValueError(f"cost_matrix must hold finite costs, got {cost.tolist()}")
    return cost
