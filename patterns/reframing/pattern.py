"""Reframing: change what a model predicts, so that its output fits the decision.

A regression answers with one number. The next hour is dry or wet, lightly or heavily, and no single
number says so. Cut the target into bins, let any classifier predict the bins, and the answer is a
whole distribution: its mean, its quantiles, the chance of exceeding a threshold. Where a regression
explains much of the target, cut what it leaves, and center the distribution on its prediction.

Source: Lakshmanan, Robinson, Munn, "Machine Learning Design Patterns" (2020), chapter 3.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn import get_config
from sklearn.base import BaseEstimator, MetaEstimatorMixin, RegressorMixin, clone
from sklearn.cluster import KMeans
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import check_cv
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_array, check_random_state, gen_batches, get_tags
from sklearn.utils.validation import (
    check_consistent_length,
    check_is_fitted,
    column_or_1d,
    has_fit_parameter,
    validate_data,
)

FloatArray = NDArray[np.float64]


def bin_lower_bounds(
    y: FloatArray,
    n_bins: int,
    strategy: str | ArrayLike = "quantile",
    atoms: Any = "auto",
    sample_weight: FloatArray | None = None,
) -> FloatArray:
    """Cut the line into bins, with a bin of its own for each value that carries a point mass.

    Bin ``k`` is the interval ``[bounds[k], bounds[k + 1])``; together the bins cover the line. An
    atom ``a`` is the bin from ``a`` to the next float. A bin that would hold fewer than two
    training rows is joined to its neighbor: few classifiers can learn or validate such a class.

    Parameters
    ----------
    y : array of shape (n_samples,)
        The target of the training rows, and of no others.
    n_bins, strategy, atoms
        As for `BinnedDistributionRegressor`.
    sample_weight : array of shape (n_samples,), optional
        Positive; quantiles and atoms then count weights instead of rows.

    Returns
    -------
    array of shape (n_bins_kept,)
        Increasing; the first bound is minus infinity.
    """
    order = np.argsort(y, kind="stable")
    weight = np.ones(len(y)) if sample_weight is None else sample_weight[order]
    y = y[order]
    # --8<-- [start:ex-bounds]
    if isinstance(atoms, str):  # "auto": the values that would fill a quantile bin by themselves
        values, which = np.unique(y, return_inverse=True)
        atoms = values[np.bincount(which, weight) > weight.sum() / n_bins]
    atoms = np.asarray([] if atoms is None else atoms, dtype=float)
    rest = ~np.isin(y, atoms)
    inner = inner_cuts(y[rest], n_bins, strategy, weight[rest])

    bounds, n_before = [-np.inf], 0
    for cut in np.unique(np.concatenate([atoms, np.nextafter(atoms, np.inf), inner])):
        n_below = np.searchsorted(y, cut)
        if n_below - n_before >= 2 and len(y) - n_below >= 2:
            bounds.append(cut)
            n_before = n_below
    return np.asarray(bounds)
    # --8<-- [end:ex-bounds]


def inner_cuts(
    y: FloatArray, n_bins: int, strategy: str | ArrayLike, weight: FloatArray
) -> FloatArray:
    """Where sorted values that are no atoms are cut. A change of unit moves the cuts with them."""
    if not isinstance(strategy, str):
        return np.asarray(strategy, dtype=float)
    if len(y) == 0 or y[0] == y[-1]:
        return np.array([])
    if strategy == "quantile":  # each cut is the first value with more than its share below it
        share = weight.sum() * np.arange(1, min(n_bins, len(y))) / min(n_bins, len(y))
        return y[np.searchsorted(np.cumsum(weight)[:-1], share, side="right")]
    if strategy == "uniform":
        return np.linspace(y[0], y[-1], n_bins + 1)[1:-1]
    unit = (y - y[0]) / (y[-1] - y[0])  # KMeans stops at a tolerance that has a unit
    n_clusters = min(n_bins, len(np.unique(unit)))
    start = (np.arange(n_clusters)[:, None] + 0.5) / n_clusters
    kmeans = KMeans(n_clusters, init=start, n_init=1).fit(unit[:, None], sample_weight=weight)
    centers = np.sort(kmeans.cluster_centers_[:, 0])
    return y[0] + (y[-1] - y[0]) * (centers[:-1] + centers[1:]) / 2


class BinnedDistributionRegressor(RegressorMixin, MetaEstimatorMixin, BaseEstimator):
    """Regression by classification: any probabilistic classifier in, a distribution out.

    The classifier predicts the probability of each bin; inside a bin, the training values are
    equally likely. So a forecast is a step function over the sorted training target, and its mean,
    quantiles and CRPS are exact.

    With a ``regressor`` the bins are those of its out-of-fold residuals, its prediction is one more
    feature of the classifier, and the forecast is its prediction plus a residual. Atoms and limits
    of the target itself are then lost: a forecast of rain can be negative.

    Parameters
    ----------
    classifier : classifier with ``predict_proba``, default: logistic regression, scaled features
        It is fitted to the labels 0, 1, 2, ... Regularize trees: rare bins invite overconfidence.
    n_bins : int of at least 2, default 10
        Number of bins for the values that are not atoms. A skewed target whose spread varies needs
        more of them than others: choose it by CRPS, with `neg_crps`.
    strategy : {"quantile", "uniform", "kmeans"} or array of increasing numbers, default "quantile"
        Bins with equal numbers of rows, of equal width, or around the centers of clusters; or cut
        at the given numbers, whatever ``n_bins``.
    atoms : None, "auto" or sequence of float, default "auto"
        Values that get a bin of their own, such as the zeros of rainfall. "auto" takes every value
        that makes up more than ``1 / n_bins`` of what is binned.
    regressor : regressor, optional
        Bin its residuals and center the forecast on its prediction.
    cv : int, splitter or iterable of (train, test), default 5
        Folds of the residuals, as for `out_of_fold_residuals`. Rows that no fold tests train the
        regressor only.

    Attributes
    ----------
    classifier_ : the fitted classifier
    regressor_, prediction_range_ : with a ``regressor`` only; fitted, and the least and greatest of
        its out-of-fold predictions
    values_ : array of shape (n_values,), the training target, or its residuals, sorted
    shares_ : array of shape (n_values,), the probability of each value in its bin
    bin_lower_ : array of shape (n_bins_,), bin k is ``[bin_lower_[k], bin_lower_[k + 1])``
    bin_count_, bin_mean_ : arrays of shape (n_bins_,), number and mean of a bin's values
    n_bins_ : int, how many bins there are, atoms included

    Warns
    -----
    UserWarning
        In ``fit``, when repeated or too few values leave fewer bins than were asked for.

    Raises
    ------
    ValueError
        In ``fit``, for a parameter outside its range and for a target with missing or infinite
        values. In predictions, when the classifier gives no probabilities of these bins.
    """

    def __init__(
        self,
        classifier: BaseEstimator | None = None,
        n_bins: int = 10,
        strategy: Literal["quantile", "uniform", "kmeans"] | ArrayLike = "quantile",
        atoms: Literal["auto"] | Sequence[float] | None = "auto",
        regressor: BaseEstimator | None = None,
        cv: Any = 5,
    ) -> None:
        self.classifier = classifier
        self.n_bins = n_bins
        self.strategy = strategy
        self.atoms = atoms
        self.regressor = regressor
        self.cv = cv

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Bin the target, of shape (n_samples,), and fit the classifier to the bins.

        A row of weight 2 counts as two rows, in the bins and in all parts that are fitted.
        """
        validate_data(self, X, y, skip_check_array=True)
        target: FloatArray = column_or_1d(y, dtype=np.float64, warn=True)
        weight = np.ones(len(target))
        if sample_weight is not None:
            weight = sample_weight = column_or_1d(sample_weight, dtype=np.float64)
        check_consistent_length(X, target, weight)
        if bad := np.flatnonzero(~np.isfinite(target)).tolist():
            raise ValueError(
                f"y has NaN or infinite values in {len(bad)} of {len(target)} rows, the first in "
                f"row {bad[0]}; drop these rows: a missing target cannot be binned"
            )
        if not (np.isfinite(weight).all() and weight.min() >= 0 and weight.max() > 0):
            raise ValueError("sample_weight must be finite, not negative, and not zero in all rows")
        if self.regressor is not None:
            residual = out_of_fold_residuals(self.regressor, X, target, self.cv, sample_weight)
            self.regressor_ = _fit(self.regressor, X, target, sample_weight)
            known, prediction = np.flatnonzero(~np.isnan(residual)), target - residual
            seen = prediction[known][weight[known] > 0]
            self.prediction_range_ = float(seen.min()), float(seen.max())
            X = _rows(self._with_prediction(X, prediction), known)
            target, weight = residual[known], weight[known]

        self.bin_lower_ = self._cut(target[weight > 0], weight[weight > 0])
        self.n_bins_ = len(self.bin_lower_)
        bins = np.searchsorted(self.bin_lower_, target, side="right") - 1
        order = np.argsort(target, kind="stable")
        order = order[weight[order] > 0]
        self.values_, self.bin_count_ = target[order], np.bincount(bins[order])
        self.shares_ = (weight / np.bincount(bins, weight)[bins])[order]
        first = self.values_[self._bin_start]  # subtracted, so that large numbers keep their digits
        above = self.shares_ * (self.values_ - np.repeat(first, self.bin_count_))
        self.bin_mean_ = first + np.add.reduceat(above, self._bin_start)
        classifier = self.classifier
        if classifier is None:
            steps = [StandardScaler(), LogisticRegression(max_iter=1000)]
            if get_config()["enable_metadata_routing"]:
                steps = [step.set_fit_request(sample_weight=True) for step in steps]
            classifier = make_pipeline(*steps)
        if self.n_bins_ == 1:  # of which many classifiers refuse to learn
            classifier = DummyClassifier()
        self.classifier_ = _fit(classifier, X, bins, None if sample_weight is None else weight)
        return self

    def predict(self, X: Any) -> FloatArray:
        """Mean of the forecast, shape (n_samples,): the prediction that minimizes squared error."""
        center, proba = self._predict(X)
        return center + proba @ self.bin_mean_

    def predict_bin_proba(self, X: Any) -> FloatArray:
        """Probability of each bin, shape (n_samples, n_bins_)."""
        return self._predict(X)[1]

    def predict_cdf(self, X: Any, y: ArrayLike) -> FloatArray:
        """Probability that the target is at most ``y``.

        ``y`` is a number, giving shape (n_samples,), or one sequence for all rows, giving
        (n_samples, n_values). Numbers of each row's own have the shape (n_samples, n_values); one
        for each row is a column, ``y[:, None]``. For the probability strictly below ``y``, ask at
        ``np.nextafter(y, -np.inf)``.
        """
        y = np.asarray(y, dtype=float)
        center, proba = self._predict(X)
        if y.ndim > 2 or (y.ndim == 2 and len(y) not in (1, len(proba))) or np.isnan(y).any():
            raise ValueError(
                f"y must hold numbers, no NaN, in the shape (), (m,), (1, m) or ({len(proba)}, m); "
                f"got shape {y.shape} with {np.isnan(y).sum()} NaN"
            )
        cdf = self._in_blocks(self._cdf, proba, y - center[:, None])
        return cdf if y.ndim else cdf[:, 0]

    def predict_quantile(self, X: Any, q: ArrayLike) -> FloatArray:
        """Smallest value whose CDF reaches ``q``, in [0, 1].

        ``q`` is a number, giving shape (n_samples,), or a sequence, giving (n_samples, n_levels).
        """
        q = np.asarray(q, dtype=float)
        if q.ndim > 1 or not np.all((q >= 0) & (q <= 1)):
            raise ValueError(f"q must be a number or a sequence of numbers in [0, 1], got {q}")
        center, proba = self._predict(X)
        quantiles = self._in_blocks(self._quantile, proba, q)
        quantiles += center[:, None]
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
        center, proba = self._predict(X)
        uniform = check_random_state(random_state).uniform(size=(len(proba), n_draws))
        return self._in_blocks(self._quantile, proba, uniform) + center[:, None]

    def crps(self, X: Any, y: ArrayLike) -> FloatArray:
        """Continuous ranked probability score of each row's forecast, shape (n_samples,).

        E|Y - y| - E|Y - Y'| / 2 for independent Y, Y' from the forecast, in the unit of the target;
        lower is better (Gneiting and Raftery 2007, equation 21). Bins are ordered, so two values of
        different bins lie, in expectation, as far apart as the means of the bins.
        """
        y = np.asarray(y, dtype=float)
        center, proba = self._predict(X)
        if y.shape != (len(proba),) or np.isnan(y).any():
            raise ValueError(
                f"y must have shape ({len(proba)},) and no NaN, one value per row; got {y.shape}"
            )
        inside: FloatArray = np.clip(y - center, self.values_[0], self.values_[-1])
        beyond = np.abs(y - center - inside)  # from there on, the score grows with the distance
        middle = self.values_[len(self.values_) // 2]  # sums of large numbers would lose digits
        values, lower = self.values_ - middle, self.bin_lower_ - middle
        y = np.asarray(inside - middle)
        start, count, shares, below = self._bin_start, self.bin_count_, self.shares_, self._below
        mean = np.add.reduceat(shares * values, start)
        # --8<-- [start:ex-crps]
        k = np.searchsorted(lower, y, side="right") - 1
        here = np.searchsorted(values, y, side="right")
        sums = np.append(0.0, np.cumsum(shares * values))
        share_below, sum_below = below[here] - k, sums[here] - sums[start[k]]
        distance = np.abs(mean - y[:, None])  # E|Y - y| in the bins that y is not in; in its own:
        distance[np.arange(len(y)), k] = mean[k] - y + 2 * (y * share_below - sum_below)

        spread = np.abs(mean[:, None] - mean)  # E|Y - Y'| between two bins; within one bin:
        rank = below[:-1] + below[1:] - np.repeat(2 * np.arange(len(count)) + 1, count)
        np.fill_diagonal(spread, 2 * np.add.reduceat(shares * values * rank, start))
        scores = np.sum(proba * (distance - proba @ spread / 2), axis=1)
        # --8<-- [end:ex-crps]
        return scores + beyond

    def __sklearn_tags__(self) -> Any:
        """Missing and sparse features are welcome where all parts take them."""
        tags = super().__sklearn_tags__()
        if self.classifier is not None:
            parts = [part for part in (self.classifier, self.regressor) if part is not None]
            tags.input_tags.allow_nan = all(get_tags(p).input_tags.allow_nan for p in parts)
            tags.input_tags.sparse = all(get_tags(p).input_tags.sparse for p in parts)
        return tags

    @property
    def _bin_start(self) -> NDArray[np.int64]:
        return np.cumsum(self.bin_count_) - self.bin_count_

    @property
    def _below(self) -> FloatArray:
        """How many bins lie below each value, and the share of its own: shape (n_values + 1,)."""
        bins = np.repeat(np.arange(self.n_bins_), self.bin_count_)
        below = np.clip(np.cumsum(self.shares_), bins, bins + 1)
        below[np.cumsum(self.bin_count_) - 1] = np.arange(self.n_bins_) + 1  # exactly
        return np.append(0.0, below)

    def _cut(self, target: FloatArray, weight: FloatArray) -> FloatArray:
        """Check the parameters of the bins, and cut."""
        strategy, atoms, n_bins = self.strategy, self.atoms, self.n_bins
        if not isinstance(n_bins, int | np.integer) or n_bins < 2:
            raise ValueError(f"n_bins must be an integer of at least 2, got {n_bins!r}")
        if not isinstance(strategy, str):
            strategy = _of_target(strategy, target)
            if strategy.ndim != 1 or not len(strategy) or not np.all(np.diff(strategy) > 0):
                raise ValueError(
                    f"as an array, strategy must hold increasing numbers, got {strategy}"
                )
            n_bins = int(np.isfinite(strategy).sum()) + 1
        elif strategy not in ("quantile", "uniform", "kmeans"):
            raise ValueError(
                'strategy must be one of "quantile", "uniform", "kmeans", or an array of cuts, '
                f"got {strategy!r}"
            )
        if isinstance(atoms, str) and atoms != "auto":
            raise ValueError(f'atoms must be None, "auto" or a list of numbers, got {atoms!r}')
        if not isinstance(atoms, str | None):
            atoms = _of_target(atoms, target).tolist()
            rare = [atom for atom in atoms if np.sum(target == atom) < 2]
            if rare:
                raise ValueError(f"each of atoms must occur in y at least twice; {rare} do not")
        bounds = bin_lower_bounds(target, n_bins, strategy, atoms, weight)
        if len(bounds) < n_bins:
            same = "; all rows get the same forecast" if len(bounds) == 1 else ""
            warnings.warn(
                f"fewer bins remain than n_bins={n_bins}: {len(bounds)}, because values are few or "
                f"repeated{same}",
                UserWarning,
                stacklevel=3,
            )
        return bounds

    def _with_prediction(self, X: Any, prediction: FloatArray) -> Any:
        """Add the prediction as a feature without a unit: to trees, tiny numbers are equal."""
        low, high = self.prediction_range_
        return _with_column(X, (prediction - low) / ((high - low) or 1.0))

    def _predict(self, X: Any) -> tuple[FloatArray, FloatArray]:
        """Center of each row's forecast, and the probability of each bin around it."""
        check_is_fitted(self)
        center = None
        if self.regressor is not None:
            center = _point_forecast(self.regressor_, X)
            X = self._with_prediction(X, center)
        proba = np.asarray(self.classifier_.predict_proba(X), dtype=float)
        total = proba.sum(axis=1, keepdims=True)
        if proba.shape[1:] != (self.n_bins_,) or not (
            (proba >= 0).all() and (np.abs(total - 1) < 1e-3).all()
        ):
            raise ValueError(
                f"predict_proba of {type(self.classifier_).__name__} must give {self.n_bins_} "
                f"probabilities per row that sum to 1; got shape {proba.shape}, values from "
                f"{proba.min()} to {proba.max()} and sums from {total.min()} to {total.max()}"
            )
        return np.zeros(len(proba)) if center is None else center, proba / total

    def _in_blocks(
        self,
        function: Callable[[FloatArray, FloatArray], FloatArray],
        proba: FloatArray,
        at: FloatArray,
    ) -> FloatArray:
        """Apply a function of cumulative probabilities and numbers, ten thousand rows at a time."""
        result = np.empty((len(proba), at.shape[-1] if at.ndim else 1))
        at = np.broadcast_to(at, result.shape)
        for rows in gen_batches(len(proba), 10_000):
            cumulative = np.cumsum(np.pad(proba[rows], ((0, 0), (1, 0))), axis=1)
            result[rows] = function(cumulative / cumulative[:, -1:], at[rows])
        return result

    def _cdf(self, cumulative: FloatArray, y: FloatArray) -> FloatArray:
        """Look up the CDF of each row at that row's numbers, shape (n_samples, n_values)."""
        below = self._below
        # --8<-- [start:ex-cdf]
        k = np.searchsorted(self.bin_lower_, y, side="right") - 1
        share = below[np.searchsorted(self.values_, y, side="right")] - k  # of bin k, at most y
        before, after = (np.take_along_axis(cumulative, k + i, axis=1) for i in (0, 1))
        return before * (1 - share) + after * share
        # --8<-- [end:ex-cdf]

    def _quantile(self, cumulative: FloatArray, q: FloatArray) -> FloatArray:
        """Invert the CDF of each row at that row's levels, shape (n_samples, n_levels)."""
        start, count, below = self._bin_start, self.bin_count_, self._below
        # --8<-- [start:ex-quantile]
        tiny = 1e-12  # so that the level of a value, rounded up, still finds that value
        k = np.zeros(q.shape, dtype=int)
        for upper in cumulative[:, 1:-1].T:
            k += upper[:, None] < q - tiny
        before, after = (np.take_along_axis(cumulative, k + i, axis=1) for i in (0, 1))
        share = (q - tiny - before) / np.maximum(after - before, tiny)
        here = np.searchsorted(below[1:], k + share)
        return self.values_[np.clip(here, start[k], start[k] + count[k] - 1)]
        # --8<-- [end:ex-quantile]


def neg_crps(model: Any, X: Any, y: ArrayLike, sample_weight: Any = None) -> float:
    """Negative mean CRPS, as a scorer: ``GridSearchCV(model, grid, scoring=neg_crps)``.

    ``model`` is a fitted `BinnedDistributionRegressor`, a pipeline that ends in one, or a search.
    """
    model = getattr(model, "best_estimator_", model)
    if isinstance(model, Pipeline):
        X, model = model[:-1].transform(X) if len(model) > 1 else X, model[-1]
    return -float(np.average(model.crps(X, y), weights=sample_weight))


def out_of_fold_residuals(
    regressor: BaseEstimator,
    X: Any,
    y: ArrayLike,
    cv: Any = 5,
    sample_weight: ArrayLike | None = None,
) -> FloatArray:
    """Errors ``y - prediction``, shape (n_samples,), of models that had not seen the row.

    Residuals of the training rows themselves are too small, and a forecast built on them too sure.

    Parameters
    ----------
    cv : int, splitter or iterable of (train, test), default 5
        Folds that test no row twice. A row that no fold tests, such as the first rows of
        ``TimeSeriesSplit``, has the residual NaN. Of grouped rows, give the splits:
        ``GroupKFold().split(X, y, groups)``.

    Raises
    ------
    ValueError
        When two folds test the same row, as in a repeated k-fold.
    """
    target: FloatArray = column_or_1d(y, dtype=np.float64)
    splits = list(check_cv(cv).split(X, target))
    n_tests = np.bincount(np.concatenate([np.arange(len(target))[test] for _, test in splits]))
    if n_tests.max() > 1:
        raise ValueError(
            "cv must test each row at most once, as KFold, GroupKFold and TimeSeriesSplit do; "
            f"{type(cv).__name__} tests {np.sum(n_tests > 1)} of {len(target)} rows more often"
        )
    # --8<-- [start:ex-residuals]
    residuals = np.full(len(target), np.nan)
    for train, test in splits:
        weight = None if sample_weight is None else np.asarray(sample_weight)[train]
        model = _fit(regressor, _rows(X, train), target[train], weight)
        residuals[test] = target[test] - _point_forecast(model, _rows(X, test))
    return residuals
    # --8<-- [end:ex-residuals]


def _of_target(numbers: ArrayLike, target: FloatArray) -> FloatArray:
    """Numbers, each as the target holds it: 0.1 is another number in single precision."""
    numbers = np.asarray(numbers, dtype=float)
    single = numbers.astype(np.float32).astype(float)
    return np.where(np.isin(single, target) & ~np.isin(numbers, target), single, numbers)


def _fit(estimator: Any, X: Any, y: Any, sample_weight: Any) -> Any:
    """Fit a clone; in a pipeline, weights go to each step that takes them."""
    weights = {} if sample_weight is None else _weights(estimator, sample_weight)
    return clone(estimator).fit(X, y, **weights)


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


def _point_forecast(model: Any, X: Any) -> FloatArray:
    """Predictions of shape (n_samples,), which must be numbers."""
    return np.ravel(check_array(model.predict(X), ensure_2d=False, input_name="prediction"))


def _rows(X: Any, rows: NDArray[Any]) -> Any:
    """Rows of an array, a list, a sparse matrix or a frame."""
    if hasattr(X, "iloc"):
        return X.iloc[rows]
    X = X.tocsr() if sparse.issparse(X) else X
    return X[rows] if hasattr(X, "shape") else np.asarray(X)[rows]


def _with_column(X: Any, column: FloatArray) -> Any:
    """The features and one more."""
    if sparse.issparse(X):
        return sparse.hstack([X, column[:, None]], format="csr")
    if not hasattr(X, "columns"):
        return np.column_stack([np.asarray(X), column])
    named = all(isinstance(name, str) for name in X.columns)
    name = "prediction of the regressor" if named else X.shape[1]
    if name in X.columns:
        raise ValueError(f"X must not have a column {name!r}: that is the regressor's prediction")
    if hasattr(X, "with_columns"):  # a frame of polars
        return X.with_columns(**{name: column})
    X = X.copy(deep=False)
    X[name] = column
    return X
