"""Reframing: change what a model predicts, so that its output fits the decision.

A regression answers with one number. The next hour is dry or wet, lightly or heavily, and no single
number says so. Cut the target into bins, let any classifier predict the bins, and the answer is a
whole distribution: its mean, its quantiles, the chance of exceeding a threshold.

Source: Lakshmanan, Robinson, Munn, "Machine Learning Design Patterns" (2020), chapter 3.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin, RegressorMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, StandardScaler
from sklearn.utils import check_random_state, get_tags
from sklearn.utils.validation import (
    check_consistent_length,
    check_is_fitted,
    column_or_1d,
    validate_data,
)

FloatArray = NDArray[np.float64]
STRATEGIES = ("quantile", "uniform", "kmeans")


def bin_lower_bounds(
    y: FloatArray, n_bins: int, strategy: str, atoms: Literal["auto"] | Iterable[float] | None
) -> FloatArray:
    """Cut the line into bins, with a bin of its own for each value that carries a point mass.

    Bin ``k`` is the interval ``[bounds[k], bounds[k + 1])``; together the bins cover the line. An
    atom ``a`` is the bin from ``a`` to the next float. A bin that would hold fewer than two
    training values is joined to its neighbor: few classifiers can learn or validate such a class.

    Parameters
    ----------
    y : array of shape (n_samples,)
        The target of the training rows, and of no others.
    n_bins, strategy, atoms
        As for `BinnedDistributionRegressor`.

    Returns
    -------
    array of shape (n_bins_kept,)
        Increasing; the first bound is minus infinity.
    """
    # --8<-- [start:ex-bounds]
    if isinstance(atoms, str):  # "auto": the values that would fill a quantile bin by themselves
        values, counts = np.unique(y, return_counts=True)
        atoms = values[counts > len(y) / n_bins]
    atoms = np.asarray([] if atoms is None else atoms, dtype=float)
    rest = y[~np.isin(y, atoms)]

    cuts = np.concatenate([atoms, np.nextafter(atoms, np.inf)])
    if len(np.unique(rest)) > 1:
        binner = KBinsDiscretizer(
            n_bins, strategy=strategy, quantile_method="averaged_inverted_cdf", subsample=None
        )
        with warnings.catch_warnings():  # of bins too small to keep: they are joined below
            warnings.simplefilter("ignore", UserWarning)
            cuts = np.concatenate([cuts, binner.fit(rest[:, None]).bin_edges_[0][1:-1]])

    cuts = np.unique(cuts)
    bounds, n_before = [-np.inf], 0
    for cut, n_below in zip(cuts, np.searchsorted(np.sort(y), cuts), strict=True):
        if n_below - n_before >= 2 and len(y) - n_below >= 2:
            bounds.append(cut)
            n_before = n_below
    return np.asarray(bounds)
    # --8<-- [end:ex-bounds]


class BinnedDistributionRegressor(RegressorMixin, MetaEstimatorMixin, BaseEstimator):
    """Regression by classification: any probabilistic classifier in, a distribution out.

    The classifier predicts the probability of each bin; inside a bin, the training values are
    equally likely. So a forecast is a step function over the sorted training target, and its mean,
    quantiles and CRPS are exact.

    Parameters
    ----------
    classifier : classifier with ``predict_proba``, default: logistic regression, scaled features
        It is fitted to the labels 0, 1, 2, ... Regularize trees: rare bins invite overconfidence.
    n_bins : int of at least 2, default 10
        Number of bins for the values that are not atoms. From 5 to 20 is usually enough.
    strategy : {"quantile", "uniform", "kmeans"}, default "quantile"
        How the line is cut, as in scikit-learn's ``KBinsDiscretizer``.
    atoms : None, "auto" or sequence of float, default None
        Values that get a bin of their own, such as the zeros of rainfall. "auto" takes every value
        that makes up more than ``1 / n_bins`` of the training target.

    Attributes
    ----------
    classifier_ : the fitted classifier
    values_ : array of shape (n_samples,), the training target, sorted
    bin_lower_ : array of shape (n_bins_,), bin k is ``[bin_lower_[k], bin_lower_[k + 1])``
    bin_count_, bin_mean_ : arrays of shape (n_bins_,), number and mean of a bin's training values
    n_bins_ : int, how many bins there are, atoms included

    Warns
    -----
    UserWarning
        In ``fit``, when repeated or too few values leave fewer bins than ``n_bins``.

    Raises
    ------
    ValueError
        In ``fit``, for a parameter outside its range and for a target with missing, infinite or
        too few distinct values.
    """

    def __init__(
        self,
        classifier: BaseEstimator | None = None,
        n_bins: int = 10,
        strategy: Literal["quantile", "uniform", "kmeans"] = "quantile",
        atoms: Literal["auto"] | Sequence[float] | None = None,
    ) -> None:
        self.classifier = classifier
        self.n_bins = n_bins
        self.strategy = strategy
        self.atoms = atoms

    def fit(self, X: Any, y: ArrayLike) -> Self:
        """Bin the target, of shape (n_samples,), and fit the classifier to the bins."""
        validate_data(self, X, y, skip_check_array=True)
        target: FloatArray = column_or_1d(y, dtype=np.float64, warn=True)
        check_consistent_length(X, target)
        if not isinstance(self.n_bins, int | np.integer) or self.n_bins < 2:
            raise ValueError(f"n_bins must be an integer of at least 2, got {self.n_bins!r}")
        if self.strategy not in STRATEGIES:
            raise ValueError(f"strategy must be one of {STRATEGIES}, got {self.strategy!r}")
        if not np.isfinite(target).all():
            bad = np.flatnonzero(~np.isfinite(target))
            raise ValueError(
                f"y has NaN or infinite values in {len(bad)} of {len(target)} rows, the first in "
                f"row {bad[0]}; drop these rows: a missing target cannot be binned"
            )
        if isinstance(self.atoms, str) and self.atoms != "auto":
            raise ValueError(f'atoms must be None, "auto" or a list of numbers, got {self.atoms!r}')
        if not isinstance(self.atoms, str | None):
            rare = [atom for atom in self.atoms if np.sum(target == atom) < 2]
            if rare:
                raise ValueError(f"each of atoms must occur in y at least twice; {rare} do not")
        self.bin_lower_ = bin_lower_bounds(target, self.n_bins, self.strategy, self.atoms)
        self.n_bins_ = len(self.bin_lower_)
        if self.n_bins_ == 1:
            raise ValueError(
                f"one bin remains of n_bins={self.n_bins}, and nothing to predict: y, with "
                f"n_samples = {len(target)}, needs two rows on each side of a cut; where one value "
                'outnumbers the others, try atoms="auto" or more bins'
            )
        if self.n_bins_ < self.n_bins:
            warnings.warn(
                f"{self.n_bins_} bins remain of n_bins={self.n_bins}, because values of y are few "
                'or repeated; ask for fewer, or give repeated values their own with atoms="auto"',
                UserWarning,
                stacklevel=2,
            )
        bins = np.searchsorted(self.bin_lower_, target, side="right") - 1
        self.values_ = np.sort(target)
        self.bin_count_ = np.bincount(bins)
        self.bin_mean_ = np.bincount(bins, weights=target) / self.bin_count_
        classifier = self.classifier
        if classifier is None:
            classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
        self.classifier_ = clone(classifier).fit(X, bins)
        return self

    def predict(self, X: Any) -> FloatArray:
        """Mean of the forecast, shape (n_samples,): the prediction that minimizes squared error."""
        return self.predict_bin_proba(X) @ self.bin_mean_

    def predict_bin_proba(self, X: Any) -> FloatArray:
        """Probability of each bin, shape (n_samples, n_bins_)."""
        check_is_fitted(self)
        return np.asarray(self.classifier_.predict_proba(X), dtype=float)

    def predict_cdf(self, X: Any, y: ArrayLike) -> FloatArray:
        """Probability that the target is at most ``y``.

        ``y`` is broadcast against one row per sample: a number, one value per row (n_samples,),
        one grid for all rows (1, n_values) or a grid for each row (n_samples, n_values). For the
        probability strictly below ``y``, ask at ``np.nextafter(y, -np.inf)``.
        """
        cumulative, y = self._cumulative(X), np.asarray(y, dtype=float)
        rows, paired = len(cumulative), y.ndim < 2
        if y.ndim > 2 or y.shape[:1] not in {(), (1,), (rows,)} or np.isnan(y).any():
            raise ValueError(
                f"y must hold numbers, no NaN, in the shape (), ({rows},), ({rows}, m) or (1, m); "
                f"got shape {y.shape} with {np.isnan(y).sum()} NaN"
            )
        y = np.broadcast_to(y.reshape(-1, 1) if paired else y, (rows, 1 if paired else y.shape[1]))
        # --8<-- [start:ex-cdf]
        k = np.searchsorted(self.bin_lower_, y, side="right") - 1
        n_below = np.searchsorted(self.values_, y, side="right") - self._bin_start[k]
        share = n_below / self.bin_count_[k]  # of the bin's training values, those at most y
        before, after = (np.take_along_axis(cumulative, k + i, axis=1) for i in (0, 1))
        cdf = before * (1 - share) + after * share
        # --8<-- [end:ex-cdf]
        return cdf[:, 0] if paired else cdf

    def predict_quantile(self, X: Any, q: ArrayLike) -> FloatArray:
        """Smallest training value whose CDF reaches ``q``, in [0, 1].

        ``q`` is a number, giving shape (n_samples,), or a sequence, giving (n_samples, n_levels).
        """
        q = np.asarray(q, dtype=float)
        if q.ndim > 1 or not np.all((q >= 0) & (q <= 1)):
            raise ValueError(f"q must be a number or a sequence of numbers in [0, 1], got {q}")
        cumulative = self._cumulative(X)
        quantiles = self._quantile(cumulative, np.tile(q, (len(cumulative), 1)))
        return quantiles if q.ndim else quantiles[:, 0]

    def predict_interval(self, X: Any, coverage: float = 0.8) -> FloatArray:
        """Central interval, shape (n_samples, 2), that holds ``coverage`` of the forecast."""
        if not 0 < coverage < 1:
            raise ValueError(f"coverage must lie strictly between 0 and 1, got {coverage}")
        return self.predict_quantile(X, [(1 - coverage) / 2, (1 + coverage) / 2])

    def sample(
        self, X: Any, n_draws: int = 1, random_state: int | np.random.RandomState | None = None
    ) -> FloatArray:
        """Independent draws from each row's forecast, shape (n_samples, n_draws)."""
        cumulative = self._cumulative(X)
        uniform = check_random_state(random_state).uniform(size=(len(cumulative), n_draws))
        return self._quantile(cumulative, uniform)

    def crps(self, X: Any, y: ArrayLike) -> FloatArray:
        """Continuous ranked probability score of each row's forecast, shape (n_samples,).

        E|Y - y| - E|Y - Y'| / 2 for independent Y, Y' from the forecast, in the unit of the target;
        lower is better (Gneiting and Raftery 2007, equation 21). Bins are ordered, so two values of
        different bins lie, in expectation, as far apart as the means of the bins.
        """
        proba, y = self.predict_bin_proba(X), np.asarray(y, dtype=float)
        if y.shape != (len(proba),) or np.isnan(y).any():
            raise ValueError(
                f"y must have shape ({len(proba)},) and no NaN, one value a row; got {y.shape}"
            )
        start, count, mean = self._bin_start, self.bin_count_, self.bin_mean_
        # --8<-- [start:ex-crps]
        k = np.searchsorted(self.bin_lower_, y, side="right") - 1
        here = np.searchsorted(self.values_, y, side="right")
        running = np.concatenate([[0.0], np.cumsum(self.values_)])
        n_below, sum_below = here - start[k], running[here] - running[start[k]]
        distance = np.abs(mean - y[:, None])  # E|Y - y| in the bins that y is not in; in its own:
        distance[np.arange(len(y)), k] = mean[k] - y + 2 * (y * n_below - sum_below) / count[k]

        spread = np.abs(mean[:, None] - mean)  # E|Y - Y'| between two bins; within one bin:
        bins = np.split(self.values_, start[1:])
        np.fill_diagonal(
            spread, [2 * v @ (2 * np.arange(len(v)) - len(v) + 1) / len(v) ** 2 for v in bins]
        )
        return np.sum(proba * (distance - proba @ spread / 2), axis=1)
        # --8<-- [end:ex-crps]

    def __sklearn_tags__(self) -> Any:
        """Missing features are welcome wherever the classifier takes them."""
        tags = super().__sklearn_tags__()
        if self.classifier is not None:
            tags.input_tags.allow_nan = get_tags(self.classifier).input_tags.allow_nan
        return tags

    @property
    def _bin_start(self) -> NDArray[np.int64]:
        return np.cumsum(self.bin_count_) - self.bin_count_

    def _cumulative(self, X: Any) -> FloatArray:
        """Probability below each bin and, last, 1: shape (n_samples, n_bins_ + 1)."""
        cumulative = np.cumsum(self.predict_bin_proba(X), axis=1)
        cumulative /= cumulative[:, -1:]
        return np.hstack([np.zeros((len(cumulative), 1)), cumulative])

    def _quantile(self, cumulative: FloatArray, q: FloatArray) -> FloatArray:
        """Invert the CDF of each row at that row's levels, shape (n_samples, n_levels)."""
        # --8<-- [start:ex-quantile]
        tiny = 1e-12  # so that the level of a value, rounded up, still finds that value
        k = np.zeros(q.shape, dtype=int)
        for upper in cumulative[:, 1:-1].T:
            k += upper[:, None] < q - tiny
        before, after = (np.take_along_axis(cumulative, k + i, axis=1) for i in (0, 1))
        share = (q - tiny - before) / np.maximum(after - before, tiny)
        rank = np.ceil(share * self.bin_count_[k]).astype(int) - 1
        return self.values_[self._bin_start[k] + np.clip(rank, 0, self.bin_count_[k] - 1)]
        # --8<-- [end:ex-quantile]


def out_of_fold_residuals(
    regressor: BaseEstimator, X: Any, y: ArrayLike, cv: Any = 5
) -> FloatArray:
    """Errors ``y - prediction``, shape (n_samples,), of models that had not seen the row.

    Residuals of the training rows themselves are too small, and a forecast built on them too sure.
    ``cv`` is a number of folds or any scikit-learn splitter.
    """
    # --8<-- [start:ex-residuals]
    y = np.asarray(y, dtype=float)
    return y - cross_val_predict(clone(regressor), X, y, cv=cv)
    # --8<-- [end:ex-residuals]
