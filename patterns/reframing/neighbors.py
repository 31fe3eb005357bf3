"""Three neighbors of reframing: the reverse, a bounded answer, and two answers at once.

Source: Lakshmanan, Robinson, Munn, "Machine Learning Design Patterns" (2020), chapter 3, Reframing:
"Restricting the prediction range" and "Multitask learning".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm
from sklearn.base import BaseEstimator, MetaEstimatorMixin, RegressorMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import check_is_fitted, validate_data

if TYPE_CHECKING:
    import keras

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
        By default a logistic regression; scale the features before.

    Raises
    ------
    ValueError
        In ``fit``, when ``low`` is not below ``high`` or a target lies outside.
    """

    def __init__(
        self, low: float = 0.0, high: float = 1.0, classifier: BaseEstimator | None = None
    ) -> None:
        self.low = low
        self.high = high
        self.classifier = classifier

    def fit(self, X: Any, y: ArrayLike) -> Self:
        """Fit the classifier to each row's position in the range."""
        X, target = validate_data(self, X, y, y_numeric=True, dtype=np.float64)
        if not self.low < self.high:
            raise ValueError(f"low must be below high, got low={self.low} and high={self.high}")
        share = (target - self.low) / (self.high - self.low)
        if share.min() < 0 or share.max() > 1:
            raise ValueError(
                f"y must lie in [{self.low}, {self.high}], got {target.min()} to {target.max()}"
            )
        classifier = (
            LogisticRegression(max_iter=1000) if self.classifier is None else self.classifier
        )
        yes_and_no = np.repeat([1, 0], len(target))
        weights = np.concatenate([share, 1 - share])
        self.classifier_ = clone(classifier).fit(np.vstack([X, X]), yes_and_no, weights)
        return self

    def predict(self, X: Any) -> FloatArray:
        """Expected target, shape (n_samples,), inside the range."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64)
        share = self.classifier_.predict_proba(X)[:, 1]
        return np.asarray(self.low + (self.high - self.low) * share)


def two_headed_model(
    n_features: int,
    n_bins: int,
    hidden_units: Sequence[int] = (64, 64),
    bin_loss_weight: float = 1.0,
) -> keras.Model:
    """One network, two answers: the target's value and the probabilities of its bins.

    The heads share every hidden layer, so each is a regularizer of the other (Caruana 1997).

    Returns
    -------
    keras.Model, compiled
        Inputs of shape (n_samples, n_features), standardized. Fit it to ``{"value": y, "bin": k}``,
        the standardized target and its bin; ``predict`` gives a dict with the shapes (n_samples, 1)
        and (n_samples, n_bins). For repeatable weights call ``keras.utils.set_random_seed`` before.

    Raises
    ------
    ValueError
        For fewer than one feature or two bins.
    """
    if n_features < 1 or n_bins < 2:
        raise ValueError(f"need n_features >= 1 and n_bins >= 2, got {n_features} and {n_bins}")
    import keras  # here, because it takes seconds and the rest of this module does without

    inputs = hidden = keras.Input((n_features,))
    for units in hidden_units:
        hidden = keras.layers.Dense(units, activation="relu")(hidden)
    outputs = {
        "value": keras.layers.Dense(1, name="value")(hidden),
        "bin": keras.layers.Dense(n_bins, activation="softmax", name="bin")(hidden),
    }
    model = keras.Model(inputs, outputs)
    model.compile(
        optimizer="adam",
        loss={"value": "mse", "bin": "sparse_categorical_crossentropy"},
        loss_weights={"value": 1.0, "bin": bin_loss_weight},
    )
    return model
