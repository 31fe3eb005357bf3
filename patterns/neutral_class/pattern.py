"""Neutral class: give the cases in which either answer would do a class of their own.

Where two answers are equally right, experts pick one by habit, and a binary classifier learns 0.5.
It also learns 0.5 where one answer is right and the features do not tell which. Let several experts
label the same rows and call "neutral" what they disagree on. Any three-class classifier then tells
"it does not matter" from "I do not know". Let the costs decide what to do about each.

Source: Lakshmanan, Robinson, Munn, "Machine Learning Design Patterns" (2020), chapter 3.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn import get_config
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.utils import assert_all_finite, get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    check_consistent_length,
    check_is_fitted,
    column_or_1d,
    validate_data,
)

FloatArray = NDArray[np.float64]
Costs = ArrayLike | pd.DataFrame | Mapping[Any, Mapping[Any, Any]]


# ------------------------------------------------------------------------------------ the pieces
def labels_from_votes(votes: ArrayLike, neutral_label: Any = "neutral") -> NDArray[Any]:
    """Label of each row: what all experts voted for, or ``neutral_label`` where they disagree.

    A majority vote would not do. An odd number of votes always has a majority, so the neutral class
    would vanish.

    Parameters
    ----------
    votes : array-like of shape (n_samples, n_experts)
        One row per case and one column per vote, with two different labels in all. Experts are
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
    votes = _check_votes(votes, neutral_label)
    # --8<-- [start:ex-labels]
    unanimous = (votes == votes[:, [0]]).all(axis=1)
    return np.where(unanimous, votes[:, 0], neutral_label)
    # --8<-- [end:ex-labels]


def coin_toss_label_rates(n_votes: int, neutral_column: int) -> FloatArray:
    """Probability of each label of `labels_from_votes` in each true state, if experts toss coins.

    Where one label is right, all experts vote for it. Where either would do, each of the ``m``
    experts tosses a fair coin. All of them agree by chance with probability ``2 ** (1 - m)``, which
    is half of the time for two.

    This assumes that experts do not copy each other, have no habit, and make no mistakes.
    `agreement_beyond_chance` checks it. Where it does not hold, measure the rates.

    Parameters
    ----------
    n_votes : int of at least 2
        Votes per row.
    neutral_column : {0, 1, 2}
        Position of the neutral class in ``classes_``, which is sorted. "either" may come between
        two labels where "neutral" comes last.

    Returns
    -------
    array of shape (3, 3)
        One row per true state and one column per label; rows sum to 1.

    Raises
    ------
    ValueError
        For fewer than two votes, and for a column that does not exist.
    """
    if not isinstance(n_votes, int | np.integer) or n_votes < 2:
        raise ValueError(f"n_votes must be an integer of at least 2, got {n_votes!r}")
    if neutral_column not in (0, 1, 2):
        raise ValueError(f"neutral_column must be one of 0, 1, 2; got {neutral_column!r}")
    # --8<-- [start:ex-rates]
    rates = np.eye(3)
    rates[neutral_column] = 2.0**-n_votes
    rates[neutral_column, neutral_column] = 1 - 2.0 ** (1 - n_votes)
    return rates
    # --8<-- [end:ex-rates]


def correct_label_noise(
    proba: ArrayLike, label_rates: ArrayLike, neutral_column: int
) -> FloatArray:
    """Turn the probability of each label into the probability of each true state.

    The probability of a label is a sum over the states, each with the rate of the label in it. The
    correction solves these equations for the states (Rogan and Gladen 1978). Estimates may miss:
    neutral is cut at 0 and 1, each of the two other states at 0, and these two share what neutral
    leaves.

    Parameters
    ----------
    proba : array-like of shape (n_samples, 3)
        Predicted by a classifier that was fitted to `labels_from_votes`.
    label_rates : array-like of shape (3, 3)
        One row per true state and one column per label, in the order of the columns of ``proba``:
        `coin_toss_label_rates`, or shares that were counted on cases whose state is known.
    neutral_column : {0, 1, 2}
        Which column of ``proba`` is the neutral class.

    Returns
    -------
    array of shape (n_samples, 3)
        In the same order of columns; rows sum to 1.

    Raises
    ------
    ValueError
        For a column that does not exist, and for rows that are no probabilities. Also for rates by
        which the labels do not tell the states apart, such as experts who never disagree.
    """
    proba = _check_proba(proba)
    if proba.shape[1] != 3 or neutral_column not in (0, 1, 2):
        raise ValueError(
            "proba must have 3 columns, and neutral_column be one of 0, 1, 2; got shape "
            f"{proba.shape} and {neutral_column!r}"
        )
    label_rates = _check_label_rates(label_rates)
    # --8<-- [start:ex-correction]
    state = proba @ np.linalg.inv(label_rates)
    neutral = np.clip(state[:, neutral_column], 0, 1)
    decided = np.maximum(np.delete(state, neutral_column, axis=1), 0)
    # Where an estimate fell below 0 and was cut, the other label gives way for a sum of 1.
    total = decided.sum(axis=1)
    decided *= ((1 - neutral) / np.where(total > 0, total, 1))[:, None]
    return np.insert(decided, neutral_column, neutral, axis=1)
    # --8<-- [end:ex-correction]


def least_costly_action(proba: ArrayLike, cost_matrix: ArrayLike) -> NDArray[np.intp]:
    """Position of the action with the least expected cost, shape (n_samples,); the first of equals.

    Parameters
    ----------
    proba : array-like of shape (n_samples, n_classes)
    cost_matrix : array-like of shape (n_classes, n_actions) or (n_samples, n_classes, n_actions)
        What each action costs when each class is true, in one unit of your choice. The second form
        has costs of its own for each row.

    Raises
    ------
    ValueError
        For a cost matrix of another shape or with values that are not finite, and for rows that are
        no probabilities.
    """
    proba = _check_proba(proba)
    cost = _check_costs(cost_matrix, proba.shape[1], len(proba))
    # --8<-- [start:ex-decision]
    expected = proba @ cost if cost.ndim == 2 else np.einsum("nc,nca->na", proba, cost)
    action: NDArray[np.intp] = np.argmin(expected, axis=1)
    return action
    # --8<-- [end:ex-decision]


# ------------------------------------------------------------------------------- the classifiers
class MinimumExpectedCostClassifier(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Decide by expected cost: any probabilistic classifier in, an action out.

    Actions need not be classes. With two classes, the actions "0", "1" and "review", and the costs
    ``[[0, 1, c], [1, 0, c]]``, this is Chow's reject option (1970): review where the larger
    probability is below ``1 - c``.

    Parameters
    ----------
    estimator : classifier with ``predict_proba``
    cost_matrix : frame, mapping or array of shape (n_classes, n_actions), default None
        Cost of each action in each class. A frame has classes as its index and actions as its
        columns; a mapping is ``{class: {action: cost}}``. Both are read by label, in any order. An
        array has its rows in the order of ``classes_``, which is sorted. The default costs 1 for
        each error, so that `predict` gives the most probable class. Costs of each row are for
        `predict` and `score`.
    actions : array-like of shape (n_actions,), default None
        What `predict` returns, for costs in an array. The default is the classes, and then the
        matrix must be square.

    Attributes
    ----------
    classes_ : array of shape (n_classes,)
    estimator_ : the fitted classifier
    cost_matrix_, actions_ : arrays of shape (n_classes, n_actions) and (n_actions,)

    Raises
    ------
    TypeError
        In ``fit``, when the estimator has no ``predict_proba``.
    ValueError
        In ``fit``, when classes, costs and actions do not agree, when a cost is not finite, and
        when an estimator that was fitted before does not know a label. In ``predict``, when what
        the estimator predicts are no probabilities.
    """

    def __init__(
        self,
        estimator: BaseEstimator,
        cost_matrix: Costs | None = None,
        actions: ArrayLike | None = None,
    ) -> None:
        self.estimator = estimator
        self.cost_matrix = cost_matrix
        self.actions = actions

    def fit(self, X: Any, y: ArrayLike, **fit_params: Any) -> Self:
        """Fit the classifier to ``X`` and the labels ``y``, of shape (n_samples,).

        ``fit_params`` are for the estimator's ``fit``, by routing where metadata routing is on.
        """
        validate_data(self, X, y, skip_check_array=True)
        return self._fit(X, column_or_1d(y, warn=True), [], fit_params)

    def _fit(self, X: Any, y: NDArray[Any], classes: list[Any], fit_params: Any) -> Self:
        """Fit to labels; ``classes`` are there even if no row has them."""
        assert_all_finite(y, input_name="y")
        check_classification_targets(y)
        if not hasattr(self.estimator, "predict_proba"):
            raise TypeError(
                f"estimator must have predict_proba, and {self.estimator!r} has not; "
                "CalibratedClassifierCV gives it to any classifier"
            )
        labels = np.unique(y).tolist()
        # To fail before a long fit; an estimator that was fitted before may know further classes.
        _costs_and_actions(self.cost_matrix, list(dict.fromkeys([*labels, *classes])))
        if get_config()["enable_metadata_routing"]:
            fit_params = process_routing(self, "fit", **fit_params).estimator.fit
        self.estimator_ = clone(self.estimator).fit(X, y, **fit_params)
        known = np.asarray(self.estimator_.classes_).tolist()
        if not set(labels) <= set(known):
            raise ValueError(
                f"y has the labels {labels}, and the estimator knows the classes {known}: one that "
                "was fitted before must have been fitted to the same labels"
            )
        self.classes_ = np.unique([*known, *classes])
        costs, actions = _costs_and_actions(self.cost_matrix, self.classes_.tolist())
        if actions is not None and self.actions is not None:
            raise ValueError(f"actions must be None where costs have labels; got {self.actions!r}")
        names = self.classes_ if self.actions is None else self.actions
        self.actions_ = _as_array(names if actions is None else actions)
        self.cost_matrix_ = _check_costs(costs, len(self.classes_))
        if self.actions_.shape != self.cost_matrix_.shape[1:]:
            raise ValueError(
                f"actions must be {self.cost_matrix_.shape[1]}, one for each column of "
                f"cost_matrix; got shape {self.actions_.shape}: {self.actions_.tolist()}"
            )
        return self

    def predict(self, X: Any, cost_matrix: Costs | None = None) -> NDArray[Any]:
        """Action with the least expected cost, shape (n_samples,).

        ``cost_matrix`` replaces the costs of the constructor. It may have costs of its own for each
        row: an array of shape (n_samples, n_classes, n_actions), in the order of ``classes_`` and
        ``actions_``, or a mapping in which a cost is one number or an array of shape (n_samples,).
        """
        proba = self.predict_proba(X)
        return self.actions_[least_costly_action(proba, self._costs(cost_matrix))]

    def predict_proba(self, X: Any) -> FloatArray:
        """Probability of each class, shape (n_samples, n_classes), in the order of ``classes_``."""
        check_is_fitted(self)
        found = np.asarray(self.estimator_.predict_proba(X), dtype=float)
        known = self.estimator_.classes_
        if len(known) == 1:  # some classifiers give a column to a class that was never there
            found = np.ones((len(found), 1))
        if found.ndim != 2 or found.shape[1] != len(known):
            raise ValueError(
                f"estimator must predict one probability for each of its {len(known)} classes, got "
                f"shape {found.shape}"
            )
        proba = np.zeros((len(found), len(self.classes_)))
        proba[:, np.searchsorted(self.classes_, known)] = found
        return proba

    def score(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        cost_matrix: Costs | None = None,
    ) -> float:
        """Minus the mean cost of what `predict` does where ``y`` is true; higher is better."""
        costs = self._costs(cost_matrix)
        action = least_costly_action(self.predict_proba(X), costs)
        label, costs = self._label_and_costs(y, costs)
        check_consistent_length(X, label, sample_weight)
        if unknown := set(label.tolist()) - set(self.classes_.tolist()):
            raise ValueError(f"y must have labels of classes_, got {sorted(unknown, key=str)}, too")
        costs = np.broadcast_to(costs, (len(label), *costs.shape[-2:]))
        paid = costs[np.arange(len(label)), np.searchsorted(self.classes_, label), action]
        weights = None if sample_weight is None else np.asarray(sample_weight)
        return -float(np.average(paid, weights=weights))

    def _label_and_costs(self, y: ArrayLike, costs: FloatArray) -> tuple[NDArray[Any], FloatArray]:
        """The label of each row, and what actions cost where it is seen."""
        return column_or_1d(y), costs

    def _costs(self, cost_matrix: Costs | None) -> FloatArray:
        """The costs of `fit`, or others for the same actions."""
        check_is_fitted(self)
        if cost_matrix is None:
            return self.cost_matrix_
        costs, actions = _costs_and_actions(cost_matrix, self.classes_.tolist())
        wanted = self.actions_.tolist()
        if actions is not None and set(actions) == set(wanted):
            return costs[..., [actions.index(action) for action in wanted]]
        if actions is not None or costs.shape[-1:] != (len(wanted),):
            got = f"shape {costs.shape}" if actions is None else actions
            raise ValueError(f"cost_matrix must be for the actions {wanted}, got {got}")
        return costs

    def get_metadata_routing(self) -> MetadataRouter:
        """What `fit` passes on to the estimator, and what `predict` and `score` take themselves."""
        to_fit = MethodMapping().add(caller="fit", callee="fit")
        router = MetadataRouter(owner=self).add_self_request(self)
        return router.add(estimator=self.estimator, method_mapping=to_fit)

    def __getstate__(self) -> dict[str, Any]:
        """Frames as mappings, which say the same: skops saves no frames."""
        state = super().__getstate__()
        return {
            name: value.to_dict(orient="index") if _is_table(value) else value
            for name, value in state.items()
        }

    def __sklearn_tags__(self) -> Any:
        """Inputs are welcome wherever the classifier takes them."""
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        return tags


class NeutralClassClassifier(MinimumExpectedCostClassifier):
    """The pattern in one: votes of several experts in, a decision by expected cost out.

    `fit` calls neutral what experts disagree on, and fits the classifier to the two labels and the
    neutral one. `predict_proba` corrects its probabilities for agreement by chance. `predict` takes
    the action with the least expected cost.

    `score` takes true states or votes. Votes show the state through their label rates only. So each
    label is given costs whose mean, in each state, is the true cost (Natarajan et al. 2013): the
    score has no bias, though an action may seem to cost less than 0.

    Parameters
    ----------
    estimator : classifier with ``predict_proba``
        For calibrated probabilities, wrap it in ``CalibratedClassifierCV``, and not this class.
    cost_matrix, actions
        As for `MinimumExpectedCostClassifier`, for the two labels and ``neutral_label``.
    neutral_label : label of the same type as the votes, default "neutral"
    label_rates : frame, mapping or array of shape (3, 3), default None
        Probability of each label (columns) in each true state (rows). By default, experts are
        independent and toss fair coins: `coin_toss_label_rates`. Where they copy each other, have a
        habit or make mistakes, count the rates on cases whose state is known:
        ``pandas.crosstab(states, labels_from_votes(votes), normalize="index")``. A frame and a
        mapping ``{state: {label: rate}}`` are read by label, an array in the order of ``classes_``.

    Attributes
    ----------
    classes_ : array of shape (3,)
        The two labels and the neutral one, sorted.
    label_rates_ : array of shape (3, 3), or None where labels were given and nothing is corrected
    estimator_, cost_matrix_, actions_
        As for `MinimumExpectedCostClassifier`.

    Warns
    -----
    UserWarning
        In ``fit``, when the experts never disagree, so that no case is neutral.
    """

    def __init__(
        self,
        estimator: BaseEstimator,
        cost_matrix: Costs | None = None,
        actions: ArrayLike | None = None,
        neutral_label: Any = "neutral",
        label_rates: Costs | None = None,
    ) -> None:
        super().__init__(estimator, cost_matrix, actions)
        self.neutral_label = neutral_label
        self.label_rates = label_rates

    def fit(self, X: Any, y: ArrayLike, **fit_params: Any) -> Self:
        """Fit to votes of shape (n_samples, n_experts).

        ``y`` may also have the shape (n_samples,): labels of experts who write the neutral label
        themselves. Then nothing is corrected, unless ``label_rates`` are given.
        """
        validate_data(self, X, y, skip_check_array=True)
        classes: list[Any] = []
        if _are_votes(y):
            labels = labels_from_votes(y, self.neutral_label)
            classes = [*pd.unique(np.asarray(y, dtype=object).ravel()), self.neutral_label]
            if not (labels == self.neutral_label).any():
                warnings.warn(
                    "the experts never disagree, so no case is neutral: a binary classifier does "
                    "the same",
                    UserWarning,
                    stacklevel=2,
                )
        else:
            labels = column_or_1d(y, warn=True)
        self._fit(X, labels, classes, fit_params)
        self.label_rates_ = self._label_rates(y)
        return self

    def predict_proba(self, X: Any) -> FloatArray:
        """Probability of each true state, shape (n_samples, 3), in the order of ``classes_``."""
        proba = super().predict_proba(X)
        if self.label_rates_ is None:
            return proba
        return correct_label_noise(proba, self.label_rates_, self._neutral_column)

    def _label_and_costs(self, y: ArrayLike, costs: FloatArray) -> tuple[NDArray[Any], FloatArray]:
        if not _are_votes(y):
            return column_or_1d(y), costs
        hidden: Any = np.linalg.inv(self._label_rates(y))
        return labels_from_votes(y, self.neutral_label), hidden @ costs

    def _label_rates(self, y: Any) -> Any:
        """Of these votes; None for labels that are what they say."""
        if self.label_rates is None and not _are_votes(y):
            return None
        neutral_column = self._neutral_column  # to fail in `fit` where there is none
        if self.label_rates is None:
            return coin_toss_label_rates(np.shape(y)[1], neutral_column)
        classes = self.classes_.tolist()
        rows = _rows_by_label("label_rates", self.label_rates, classes)
        if rows is None:
            return _check_label_rates(self.label_rates)
        if unknown := {label for row in rows.values() for label in row} - set(classes):
            raise ValueError(f"label_rates must be for the labels {classes}, got {unknown}, too")
        return _check_label_rates([[rows[a].get(b, 0) for b in classes] for a in classes])

    @property
    def _neutral_column(self) -> int:
        classes = self.classes_.tolist()
        if len(classes) != 3 or self.neutral_label not in classes:
            raise ValueError(
                "votes and label_rates are for three classes, and neutral_label must be one of "
                f"them; got {self.neutral_label!r} and the classes {classes}"
            )
        return classes.index(self.neutral_label)


# --------------------------------------------------------------------------------- the judgement
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
    return float(np.mean(risk_coverage_curve(loss, confidence)[1]))


# ------------------------------------------------------------------------------------ the checks
def _are_votes(y: Any) -> bool:
    """Whether there are two or more votes per row; rows of different lengths are votes, too."""
    table = np.asarray(y, dtype=object)
    ragged = table.ndim == 1 and any(isinstance(row, list | tuple | np.ndarray) for row in table)
    return (table.ndim == 2 and table.shape[1] > 1) or ragged


def _check_votes(votes: ArrayLike, neutral_label: Any) -> NDArray[Any]:
    # As objects, because numpy would turn a missing vote among strings into the string "nan".
    table = np.asarray(votes, dtype=object)
    if table.ndim != 2 or table.shape[1] < 2 or len(table) == 0:
        raise ValueError(
            "votes must have shape (n_samples, n_experts), equally many votes in each row and two "
            f"experts or more; got shape {table.shape}" + ", ragged rows" * (table.ndim == 1)
        )
    flat, unique = pd.factorize(table.ravel())
    codes, labels = flat.reshape(table.shape), unique.tolist()
    missing = (codes < 0).any(axis=1)
    if missing.any():
        raise ValueError(
            f"votes are missing in {missing.sum()} of {len(table)} rows, the first in row "
            f"{missing.argmax()}; drop these rows: the chance to disagree depends on how many vote"
        )
    if len(labels) > 2:
        raise ValueError(f"votes must be for two labels, got {len(labels)}: {labels[:10]}")
    types = {isinstance(label, str) for label in [*labels, neutral_label]}
    if neutral_label in labels or len(types) > 1 or pd.isna(neutral_label):
        raise ValueError(
            f"neutral_label must be of the type of the votes and none of them: got "
            f"{neutral_label!r}, and the votes are for {labels}"
        )
    return np.asarray(labels)[codes]


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


def _check_costs(costs: ArrayLike, n_classes: int, n_samples: int | None = None) -> FloatArray:
    cost = np.asarray(costs, dtype=float)
    per_row = cost.ndim == 3 and len(cost) == n_samples
    if not (cost.ndim == 2 or per_row) or cost.shape[-2] != n_classes or cost.shape[-1] == 0:
        raise ValueError(
            f"cost_matrix must have shape ({n_classes}, n_actions), one row for each class"
            + (f", or ({n_samples}, {n_classes}, n_actions)" * (n_samples is not None))
            + f"; got {cost.shape}"
            + "; costs of each row are for predict and score"
            * (cost.ndim == 3 and n_samples is None)
        )
    if not np.isfinite(cost).all():
        raise ValueError(f"cost_matrix must hold finite costs, got {cost.tolist()}")
    return cost


def _as_array(names: Any) -> NDArray[Any]:
    """As an array that keeps 0 and "review" apart: numpy would make strings of both."""
    array = np.asarray(names)
    mixed = array.dtype.kind == "U" and not all(isinstance(name, str) for name in names)
    return np.asarray(names, dtype=object) if mixed else array


def _is_table(table: Any) -> bool:
    """Whether it is a frame that has each row and each column once."""
    is_frame = isinstance(table, pd.DataFrame)
    return is_frame and table.index.is_unique and table.columns.is_unique


def _rows_by_label(name: str, table: Any, classes: list[Any]) -> dict[Any, dict[Any, Any]] | None:
    """Rows of a frame or a mapping for each of the classes; None where there are no labels.

    Rows for other classes are left out: a part of the data may lack a rare class.
    """
    if isinstance(table, pd.DataFrame):
        if not _is_table(table):
            raise ValueError(f"{name} must have each row and each column once; got\n{table}")
        table = table.to_dict(orient="index")
    if not isinstance(table, Mapping):
        return None
    missing = [label for label in classes if not isinstance(table.get(label), Mapping)]
    if missing:
        raise ValueError(
            f"{name} must have a row for each of the classes {classes}; {missing} are not among "
            f"{list(table)}"
        )
    return {label: dict(table[label]) for label in classes}


def _costs_and_actions(costs: Any, classes: list[Any]) -> tuple[FloatArray, list[Any] | None]:
    """Costs as an array in the order of the classes, and the actions where they have labels."""
    if costs is None:
        return 1 - np.eye(len(classes)), None
    rows = _rows_by_label("cost_matrix", costs, classes)
    if rows is None:
        return np.asarray(costs, dtype=float), None
    actions = list(rows[classes[0]])
    if any(set(row) != set(actions) for row in rows.values()):
        raise ValueError(f"cost_matrix must have the same actions in each row, got {rows}")
    entries = [np.asarray(row[action], dtype=float) for row in rows.values() for action in actions]
    stacked = np.stack(np.broadcast_arrays(*entries), axis=-1)  # a first axis, where rows have one
    return stacked.reshape(*stacked.shape[:-1], len(classes), len(actions)), actions


def _check_label_rates(label_rates: Any) -> FloatArray:
    rates = np.asarray(label_rates, dtype=float)
    good = rates.shape == (3, 3) and np.all(rates >= 0)
    if not good or np.abs(rates.sum(axis=1) - 1).max() > 1e-6:
        raise ValueError(
            "label_rates must have shape (3, 3) and rows of probabilities that sum to 1; got "
            f"{rates.tolist()}"
        )
    if np.linalg.det(rates) < 1e-3:
        raise ValueError(
            "label_rates must tell the states apart by their labels, as the votes of experts who "
            f"always agree do not; got {rates.tolist()}"
        )
    return rates
