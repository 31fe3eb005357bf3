"""Two neighbors of reframing: the reverse, and a bounded answer.

Source: Lakshmanan, Robinson, Munn, "Machine Learning Design Patterns" (2020), chapter 3, Reframing:
"Restricting the prediction range".
"""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.stats import norm
from sklearn import get_config
from sklearn.base import BaseEstimator, MetaEstimatorMixin, RegressorMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.validation import (
    check_consistent_length,
    check_is_fitted,
    column_or_1d,
    has_fit_parameter,
    validate_data,
)

FloatArray = NDArray[np.float64]


def exceedance_probability(
    prediction: ArrayLike,
    residuals: ArrayLike,
    threshold: float,
    noise: Literal["gaussian", "empirical"] = "gaussian",
) -> FloatArray:
    """Classification by regression: P(y > threshold) from a point prediction and its errors.

    A yes/no label throws away how far a target lies from the threshold. Where the noise is nearly
    Gaussian and of one size, a regression keeps that, and needs fewer rows for a good probability.

    Parameters
    ----------
    prediction : array of shape (n_samples,)
    residuals : array of shape (n_residuals,)
        Errors ``y - prediction`` of rows that the model has not seen (`out_of_fold_residuals`).
    threshold : float, in the unit of the target
    noise : {"gaussian", "empirical"}
        A normal distribution with the residuals' mean and deviation, or the residuals themselves.

    Returns
    -------
    array of shape (n_samples,)

    Raises
    ------
    ValueError
        For an unknown noise, for fewer than two residuals, and for NaN.
    """
    # --8<-- [start:exceedance]
    gap = threshold - np.asarray(prediction, dtype=float)
    residuals = np.sort(np.asarray(residuals, dtype=float))
    if residuals.ndim != 1 or len(residuals) < 2 or np.isnan(residuals).any():
        raise ValueError(f"residuals must be two or more numbers, no NaN; got {residuals}")
    if np.isnan(gap).any():
        raise ValueError("prediction and threshold must not be NaN")
    if noise == "gaussian":
        return np.asarray(norm.sf(gap, loc=residuals.mean(), scale=residuals.std(ddof=1)))
    if noise == "empirical":
        return 1 - np.searchsorted(residuals, gap, side="right") / len(residuals)
    raise ValueError(f'noise must be "gaussian" or "empirical", got {noise!r}')
    # --8<-- [end:exceedance]


class BoundedRegressor(RegressorMixin, MetaEstimatorMixin, BaseEstimator):
    """Regression whose predictions cannot leave ``[low, high]``, by way of a classifier.

    A target in a range is a soft label: 30 % of the way up is a 30 % "yes". Each row is given to
    the classifier twice, as yes and as no, weighted by its share; the probability, scaled back, is
    the prediction. With a logistic regression this is the fractional logit of Papke and Wooldridge
    (1996), the linear form of a sigmoid output that is scaled to the range.

    Parameters
    ----------
    low, high : float
        The range that the target has by its nature. Not the smallest and largest value of the
        training target: of a target without limits they cut off every future extreme.
    classifier : classifier with ``predict_proba`` whose ``fit`` takes ``sample_weight``
        By default a logistic regression; scale the features before. Of a pipeline, the weights go
        to each step that takes them.

    Raises
    ------
    ValueError
        In ``fit``, when ``low`` is not below ``high`` or a target is missing or lies outside.
    """

    def __init__(
        self, low: float = 0.0, high: float = 1.0, classifier: BaseEstimator | None = None
    ) -> None:
        self.low = low
        self.high = high
        self.classifier = classifier

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the classifier to each row's position in the range."""
        validate_data(self, X, y, skip_check_array=True)
        target = column_or_1d(y, dtype=np.float64, warn=True)
        weight = np.ones(len(target))
        if sample_weight is not None:
            weight = column_or_1d(sample_weight, dtype=np.float64)
        check_consistent_length(X, target, weight)
        if not self.low < self.high:
            raise ValueError(f"low must be below high, got low={self.low} and high={self.high}")
        if not ((target >= self.low) & (target <= self.high)).all():
            raise ValueError(
                f"y must lie in [{self.low}, {self.high}] and not be NaN, got {target.min()} to "
                f"{target.max()}"
            )
        if not (np.isfinite(weight).all() and weight.min() >= 0 and weight.max() > 0):
            raise ValueError("sample_weight must be finite, not negative, and not zero in all rows")
        share = (target - self.low) / (self.high - self.low)
        twice = np.tile(np.arange(len(target)), 2)
        yes_and_no = np.repeat([1, 0], len(target))
        weights = np.concatenate([weight * share, weight * (1 - share)])
        classifier = self.classifier
        if classifier is None:
            classifier = LogisticRegression(max_iter=1000)
        self.classifier_ = _fit(classifier, _rows(X, twice), yes_and_no, weights)
        return self

    def predict(self, X: Any) -> FloatArray:
        """Expected target, shape (n_samples,), inside the range."""
        check_is_fitted(self)
        share = np.asarray(self.classifier_.predict_proba(X), dtype=float)[:, 1]
        if not ((share >= 0) & (share <= 1)).all():
            raise ValueError(
                f"predict_proba of {type(self.classifier_).__name__} must give probabilities, got "
                f"numbers from {share.min()} to {share.max()}"
            )
        return self.low + (self.high - self.low) * share

    def __sklearn_tags__(self) -> Any:
        """Missing and sparse features are welcome where the classifier takes them."""
        tags = super().__sklearn_tags__()
        part = get_tags(LogisticRegression() if self.classifier is None else self.classifier)
        tags.input_tags.allow_nan = part.input_tags.allow_nan
        tags.input_tags.sparse = part.input_tags.sparse
        return tags


def _fit(estimator: Any, X: Any, y: Any, sample_weight: Any) -> Any:
    """Fit a clone; in a pipeline, weights go to each step that takes them."""
    return clone(estimator).fit(X, y, **_weights(estimator, sample_weight))


def _weights(estimator: Any, sample_weight: Any, required: bool = True) -> dict[str, Any]:
    """Weights as parameters of ``fit``, for each step unless metadata routing brings them."""
    if isinstance(estimator, Pipeline) and not get_config()["enable_metadata_routing"]:
        last = estimator.steps[-1][1]
        return {
            f"{name}__{key}": value
            for name, step in estimator.steps
            for key, value in _weights(step, sample_weight, step is last).items()
        }
    takes = required or has_fit_parameter(estimator, "sample_weight")
    return {"sample_weight": sample_weight} if takes else {}


def _rows(X: Any, rows: NDArray[Any]) -> Any:
    """Rows of an array, a list, a sparse matrix or a frame."""
    if hasattr(X, "iloc"):
        return X.iloc[rows]
    X = X.tocsr() if sparse.issparse(X) else X
    return X[rows] if hasattr(X, "shape") else np.asarray(X)[rows]
