"""What the exercise asks of an answer.

A forecast is a short list of values and bins here, so every expected number follows from its
definition, and a message can show the whole input.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import KFold, LeaveOneOut, TimeSeriesSplit
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsRegressor
from sklearn.tree import DecisionTreeRegressor

from patterns._kit.exercise import Case, check, explore

FloatArray = NDArray[np.float64]


# --- bounds ---------------------------------------------------------------------------------------


def bins_case(
    y: ArrayLike,
    n_bins: int,
    strategy: str,
    atoms: str | Sequence[float] | None,
    expected: Sequence[int],
) -> Case:
    """How many training values each bin holds: the same for every right choice of the cuts."""
    target = np.array(y, dtype=float)
    return Case(
        call=f"bin_lower_bounds({listed(y)}, {n_bins}, {strategy!r}, atoms={atoms!r})",
        answer=lambda module: module.bin_lower_bounds(target.copy(), n_bins, strategy, atoms),
        view=lambda bounds: np.diff(
            np.append(np.searchsorted(np.sort(target), bounds), len(target))
        ),
        expected=expected,
        reads="bins that hold, in this order, so many of the values:",
    )


def skewed(n: int, seed: int) -> FloatArray:
    """Distinct positive values with a long tail, in no order."""
    rng = np.random.default_rng(seed)
    return rng.permutation(np.round(0.1 * np.exp(np.cumsum(rng.uniform(0.3, 0.6, n))), 2))


@check("bounds", why="A new value may lie below all training values, and it needs a bin as well.")
def the_first_bin_has_no_lower_end() -> Iterator[Case]:
    """The first bin reaches down to minus infinity."""
    for y, n_bins in ((skewed(8, 0), 2), (skewed(12, 1), 3), (-skewed(9, 2), 3)):
        yield replace(
            bins_case(y, n_bins, "quantile", None, []),
            view=lambda bounds: np.asarray(bounds)[0],
            expected=-np.inf,
            reads="bounds that begin with",
        )


@check("bounds", why="A bin is learned only as well as its rows allow; quantiles share them out.")
def quantile_bins_hold_equal_shares() -> Iterator[Case]:
    """With the strategy "quantile" each bin holds the same number of training values."""
    for n, n_bins, seed in ((12, 3, 0), (16, 4, 1), (20, 2, 2)):
        yield bins_case(skewed(n, seed), n_bins, "quantile", None, [n // n_bins] * n_bins)


@check("bounds", why="The chance of just this value is the first thing that the forecast is for.")
def an_atom_has_a_bin_of_its_own() -> Iterator[Case]:
    """An atom has a bin that holds no other value; the other values are cut without it."""
    rain = [0.01, 0.02, 0.1, 0.4, 0.9, 1.5]
    yield bins_case([0.0] * 8 + rain, 3, "quantile", [0.0], [8, 2, 2, 2])
    yield bins_case(rain + [0.0] * 9, 3, "quantile", "auto", [9, 2, 2, 2])
    # A share of exactly one bin is none too much: no atom.
    yield bins_case([0.0] * 3 + [*range(1, 10)], 4, "quantile", "auto", [3, 3, 3, 3])
    # A capped measurement: the atom is the greatest value; then atoms in between and at both ends.
    yield bins_case([1, 2, 3, 4, *[10] * 6], 2, "quantile", [10.0], [2, 2, 6])
    between = [*range(1, 9), *[9] * 13, 10, 11, 12, 13]
    yield bins_case(between, 2, "quantile", "auto", [6, 2, 13, 4])
    yield bins_case([0, 0, 0, 1, 2, 3, 4, 9, 9, 9], 2, "quantile", [0.0, 9.0], [3, 2, 2, 3])


@check("bounds", why="Few classifiers can learn or validate a class that has one row, or none.")
def every_bin_holds_two_values() -> Iterator[Case]:
    """A bin that would hold fewer than two training values is joined to its neighbor."""
    low = np.arange(8.0)
    yield bins_case([*low, 100], 2, "uniform", None, [9])
    yield bins_case([*low, 98, 99, 100], 3, "uniform", None, [8, 3])
    yield bins_case([-50, -49, *low], 4, "uniform", None, [2, 8])
    yield bins_case([0.0] * 5 + [*low[1:], 60], 2, "uniform", [0.0], [5, 8])


@explore(
    "bounds", why="Your code will meet targets of every kind and unit, and settings of all sorts."
)
def any_target(draw: Any) -> Case:
    """Any target is cut as the reference cuts it."""
    unit = draw(st.sampled_from([1.0, 1e-9, 1e6]))
    counts = st.lists(st.integers(-3, 12), min_size=4, max_size=30)
    y = np.array(draw(counts), dtype=float) * unit + draw(st.sampled_from([0.0, 0.0, 100 * unit]))
    n_bins = draw(st.integers(2, 8))
    strategy = draw(st.sampled_from(["quantile", "quantile", "uniform", "kmeans"]))
    atoms: Any = draw(st.sampled_from(["auto", "auto", None, "some"]))
    if atoms == "some":
        values, times = np.unique(y, return_counts=True)
        atoms = draw(st.sets(st.sampled_from(values.tolist()), max_size=2))
        atoms = sorted(atom for atom in atoms if times[values == atom] > 1)
    weight = None
    if draw(st.booleans()):
        weight = np.array(
            draw(st.lists(st.integers(1, 4), min_size=len(y), max_size=len(y))), float
        )
    given = "" if weight is None else f", sample_weight={listed(weight)}"
    return Case(
        call=f"bin_lower_bounds({listed(y)}, {n_bins}, {strategy!r}, {atoms!r}{given})",
        answer=lambda module: module.bin_lower_bounds(y, n_bins, strategy, atoms, weight),
        view=lambda bounds: np.diff(np.append(np.searchsorted(np.sort(y), bounds), len(y))),
        reads="bins that hold, in this order, so many of the values:",
        arguments={"y": y, "sample_weight": weight},
    )


# --- cdf and crps ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Forecast:
    """One forecast: bins of training values, and the probability of each bin."""

    bins: tuple[tuple[float, ...], ...]
    proba: tuple[float, ...]

    def __str__(self) -> str:
        bins = " and ".join(
            f"{listed(values)} with probability {p:g}"
            for values, p in zip(self.bins, self.proba, strict=True)
        )
        return f"for the bins {bins}"

    def of(self, module: Any) -> Any:
        """The module's regressor, as if it had been fitted and gave this forecast."""
        regressor = module.BinnedDistributionRegressor()
        regressor.values_ = np.concatenate(self.bins).astype(float)
        regressor.bin_lower_ = np.array([-np.inf, *(values[0] for values in self.bins[1:])])
        regressor.bin_count_ = np.array([len(values) for values in self.bins])
        regressor.bin_mean_ = np.array([np.mean(values) for values in self.bins])
        regressor.shares_ = np.repeat(1 / regressor.bin_count_, regressor.bin_count_)
        regressor.n_bins_ = len(self.bins)
        regressor.classifier_ = _Always(self.proba)
        return regressor

    @property
    def values(self) -> FloatArray:
        """All training values, in order."""
        return np.concatenate(self.bins).astype(float)

    @property
    def weights(self) -> FloatArray:
        """The probability of each value: that of its bin, shared equally."""
        pairs = zip(self.bins, self.proba, strict=True)
        return np.concatenate([np.full(len(values), p / len(values)) for values, p in pairs])

    def cdf(self, y: float) -> float:
        """Probability of a value of at most ``y``."""
        return float(self.weights[self.values <= y].sum())

    def quantile(self, q: float) -> float:
        """Smallest value whose CDF reaches ``q``."""
        return float(self.values[np.cumsum(self.weights) >= q][0])

    def crps(self, y: float) -> float:
        """E|Y - y| - E|Y - Y'| / 2, over all values and all pairs of them."""
        apart = np.abs(self.values[:, None] - self.values)
        return float(
            self.weights @ np.abs(self.values - y) - self.weights @ apart @ self.weights / 2
        )


@dataclass(frozen=True)
class _Always:
    """A classifier that gives the same probabilities to every row."""

    proba: tuple[float, ...]

    def predict_proba(self, X: Any) -> FloatArray:
        return np.tile(self.proba, (len(X), 1))


DRIZZLE = Forecast(((0, 0, 0, 0), (0.1, 0.2, 0.4, 0.9), (2, 3, 7)), (0.5, 0.3, 0.2))
STORM = Forecast(((0, 0), (0.1, 0.3), (1, 2, 3, 10, 20)), (0.1, 0.2, 0.7))
FROST = Forecast(((-9, -4, -3), (-2, 0, 1, 5, 6)), (0.65, 0.35))


def random_forecast(seed: int) -> Forecast:
    """Three bins of two to four values."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(2, 5, 3)
    values = np.round(np.cumsum(rng.exponential(size=sizes.sum()) + 0.05), 2)
    bins = np.split(values, np.cumsum(sizes)[:-1])
    heights = rng.integers(1, 6, 3)
    return Forecast(
        tuple(tuple(values.tolist()) for values in bins),
        tuple((heights / heights.sum()).tolist()),
    )


def cdf_case(forecast: Forecast, y: Sequence[float]) -> Case:
    """The CDF at several values."""
    return Case(
        call=f"predict_cdf(X, {listed(y)}), {forecast}",
        answer=lambda module: forecast.of(module).predict_cdf(np.zeros((2, 1)), y),
        expected=[[forecast.cdf(value) for value in y]] * 2,
    )


def quantile_case(forecast: Forecast, q: Sequence[float]) -> Case:
    """The quantiles at several levels."""
    return Case(
        call=f"predict_quantile(X, {listed(q)}), {forecast}",
        answer=lambda module: forecast.of(module).predict_quantile(np.zeros((2, 1)), q),
        expected=[[forecast.quantile(level) for level in q]] * 2,
    )


@check(
    "cdf", why="With only the bins counted, all values of a bin are one; rain of 1 and 7 mm too."
)
def the_cdf_climbs_inside_a_bin() -> Iterator[Case]:
    """Between two training values of a bin, the CDF counts that bin's values below."""
    yield cdf_case(DRIZZLE, [0.15, 0.3, 0.5])
    yield cdf_case(STORM, [0.2, 2.5, 15])
    yield cdf_case(FROST, [-5, -3.5, 5.5])
    yield cdf_case(random_forecast(0), (random_forecast(0).values + 0.01).tolist())


@check("cdf", why="P(Y <= 0) is the chance of a dry hour; strictly below zero there is none.")
def the_cdf_counts_the_value_itself() -> Iterator[Case]:
    """At a training value, the CDF includes that value."""
    yield cdf_case(DRIZZLE, [0, 0.1, 3])
    yield cdf_case(STORM, [0, 1, 20])
    yield cdf_case(FROST, [-9, -2, 5])
    yield cdf_case(random_forecast(1), random_forecast(1).values.tolist())
    yield cdf_case(DRIZZLE, [-1, 8])


def bin_of_quantile_case(forecast: Forecast, q: Sequence[float]) -> Case:
    """The bins that the quantiles lie in."""
    lower = [values[0] for values in forecast.bins[1:]]
    exact = [forecast.quantile(level) for level in q]
    return Case(
        call=f"predict_quantile(X, {listed(q)}), {forecast}",
        answer=lambda module: forecast.of(module).predict_quantile(np.zeros((2, 1)), q),
        view=lambda quantiles: np.searchsorted(lower, quantiles, side="right"),
        expected=[np.searchsorted(lower, exact, side="right")] * 2,
        reads="values in the bins of number (from 0)",
    )


@check("cdf", why="Each level asks another question; one answer to all of them is no distribution.")
def a_quantile_lies_in_the_right_bin() -> Iterator[Case]:
    """A quantile lies in the bin where the cumulative probability reaches its level."""
    yield bin_of_quantile_case(DRIZZLE, [0.1, 0.45, 0.55, 0.75, 0.85, 0.99])
    yield bin_of_quantile_case(STORM, [0.05, 0.15, 0.25, 0.35, 0.95])
    yield bin_of_quantile_case(FROST, [0.1, 0.6, 0.7, 0.9])


@check("cdf", why="In a wide and skewed bin, its middle may be far from any value that occurred.")
def a_quantile_is_a_training_value() -> Iterator[Case]:
    """A quantile is the smallest training value whose CDF reaches the level."""
    yield quantile_case(DRIZZLE, [0.3, 0.55, 0.6, 0.7, 0.78, 0.84, 0.9, 0.97])
    yield quantile_case(STORM, [0.15, 0.25, 0.4, 0.5, 0.8, 0.9])
    yield quantile_case(FROST, [0.1, 0.3, 0.5, 0.7, 0.75, 0.95])
    yield quantile_case(random_forecast(2), [0.03, 0.21, 0.52, 0.77, 0.96])


@st.composite
def fitted(draw: Any) -> tuple[Any, str, FloatArray, FloatArray]:
    """How to fit a regressor of a module, in words too, and the rows to predict with a grid."""
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    n_rows = draw(st.sampled_from([12, 20, 40]))
    X = np.round(rng.normal(size=(n_rows, 1)), 1)
    y = np.round(
        draw(st.sampled_from([1.0, 1e-6, 1e5])) * (X[:, 0] + rng.exponential(size=n_rows)), 9
    )
    if draw(st.booleans()):
        y[rng.uniform(size=n_rows) < 0.4] = 0.0
    settings = {"n_bins": draw(st.integers(2, 6))}
    if draw(st.booleans()):
        settings |= {"regressor": LinearRegression(), "cv": 3}
    weight = rng.integers(1, 4, n_rows).astype(float) if draw(st.booleans()) else None

    def fit(module: Any) -> Any:
        model = module.BinnedDistributionRegressor(GaussianNB(), **settings)
        return model.fit(X, y, sample_weight=weight)

    shown = ", ".join(f"{name}={value}" for name, value in settings.items())
    call = f"a BinnedDistributionRegressor({shown}) fitted to X={listed(X)}, y={listed(y)}"
    call += "" if weight is None else f" with sample_weight={listed(weight)}"
    X_new = np.round(rng.normal(size=(draw(st.integers(1, 4)), 1)), 1)
    return fit, f"{call}, asked for X={listed(X_new)}", X_new, np.unique(y)


@explore("cdf", why="Rows differ, weights differ, and a forecast may be centered on a regression.")
def any_cdf_and_quantile(draw: Any) -> Case:
    """Fitted to any data, the CDF and the quantiles are those of the reference."""
    fit, call, X, values = draw(fitted())
    between = (values[:-1] + values[1:]) / 2
    grid = np.array(
        [values[0] - 1, *draw(st.permutations([*values, *between]))[:6], values[-1] + 1]
    )
    levels = np.array(draw(st.lists(st.integers(0, 40), min_size=1, max_size=5))) / 40
    asked = draw(st.sampled_from(["cdf", "quantile", "sample"]))
    if asked == "sample":
        return Case(
            call=f"sample(X, n_draws=3, random_state=0) of {call}",
            answer=lambda module: fit(module).sample(X, 3, random_state=0),
        )
    if asked == "cdf":
        return Case(
            call=f"predict_cdf(X, {listed(grid)}) of {call}",
            answer=lambda module: fit(module).predict_cdf(X, grid),
            arguments={"y": grid},
        )
    return Case(
        call=f"predict_quantile(X, {listed(levels)}) of {call}",
        answer=lambda module: fit(module).predict_quantile(X, levels),
        arguments={"q": levels},
    )


def crps_case(forecast: Forecast, y: Sequence[float]) -> Case:
    """The score at several values."""
    return Case(
        call=f"crps(X, {listed(y)}), {forecast}",
        answer=lambda module: forecast.of(module).crps(np.zeros((len(y), 1)), list(y)),
        expected=[forecast.crps(value) for value in y],
    )


@check("crps", why="The score keeps the target's unit, so it compares with the error of a number.")
def a_sure_forecast_scores_its_distance() -> Iterator[Case]:
    """A forecast that is sure of one value scores the distance from it."""
    yield crps_case(Forecast(((0, 0), (3, 3), (10, 10)), (0, 1, 0)), [3, 5, 0.5, 12])
    yield crps_case(Forecast(((0, 0, 0), (4, 4)), (1, 0)), [0, 1.5, 8])
    yield crps_case(Forecast(((-7, -7), (-1, -1), (2, 2)), (0, 0, 1)), [-9, -1, 2])


@check("crps", why="Else honesty does not pay: a forecast would do best by naming one number.")
def doubt_is_scored_as_doubt() -> Iterator[Case]:
    """A forecast that is torn between values scores less than its mean distance from them."""
    yield crps_case(Forecast(((0, 0), (4, 4)), (0.5, 0.5)), [0, 2, 4, 5])
    yield crps_case(Forecast(((0, 0, 0), (1, 1), (9, 9)), (0.7, 0.2, 0.1)), [0, 0.3, 9])
    yield crps_case(Forecast(((-3, -3), (2, 2), (3, 3)), (0.2, 0.3, 0.5)), [-4, 1, 2.5])


@check("crps", why="A wide bin is wide also for the score: two values of one bin lie apart.")
def values_inside_a_bin_are_scored_too() -> Iterator[Case]:
    """The distances inside a bin count as those between bins do."""
    yield crps_case(DRIZZLE, [0, 0.3, 2.5, 8])
    yield crps_case(STORM, [0, 2.5, 12])
    yield crps_case(FROST, [-20, -3.5, 5])
    yield crps_case(random_forecast(3), random_forecast(3).values.tolist())


@explore("crps", why="Rows differ, weights differ, and the score of one row is no other row's.")
def any_score(draw: Any) -> Case:
    """Fitted to any data, the score of each row is that of the reference."""
    fit, call, X, values = draw(fitted())
    between = [*values, *(values[:-1] + values[1:]) / 2, values[0] - 1, values[-1] + 1]
    y = np.array([draw(st.sampled_from(between)) for _ in X])
    return Case(
        call=f"crps(X, {listed(y)}) of {call}",
        answer=lambda module: fit(module).crps(X, y),
        view=lambda scores: np.asarray(scores) / max(np.ptp(values), 1e-300),
        reads="scores in units of the target's range:",
        arguments={"y": y},
    )


# --- residuals ------------------------------------------------------------------------------------


def points(n: int, seed: int) -> tuple[FloatArray, FloatArray]:
    """One feature and a noisy target."""
    rng = np.random.default_rng(seed)
    X = np.round(rng.uniform(0, 10, n), 1)
    return X[:, None], np.round(X + rng.normal(size=n), 1)


def residuals_case(regressor: Any, X: FloatArray, y: FloatArray, cv: Any) -> Case:
    """The errors of the folds, one model each."""
    splitter = KFold(cv) if isinstance(cv, int) else cv
    expected = np.full(len(y), np.nan)
    for train, test in splitter.split(X):
        expected[test] = y[test] - clone(regressor).fit(X[train], y[train]).predict(X[test])
    return Case(
        call=f"out_of_fold_residuals({regressor}, X={listed(X[:, 0])}, y={listed(y)}, cv={cv})",
        answer=lambda module: module.out_of_fold_residuals(regressor, X.copy(), y.copy(), cv=cv),
        expected=expected,
    )


@check("residuals", why="Added to a prediction, residuals must lead back to the target.")
def a_residual_is_target_minus_prediction() -> Iterator[Case]:
    """The residual is the target minus the prediction, with its sign."""
    for constant, seed in ((2.0, 0), (-1.0, 1), (6.5, 2)):
        X, y = points(6, seed)
        yield residuals_case(DummyRegressor(strategy="constant", constant=constant), X, y, 3)


@check(
    "residuals", why="A model knows its training rows; their residuals promise what it can't hold."
)
def the_model_has_not_seen_the_row() -> Iterator[Case]:
    """Each row is predicted by a model that was fitted without it."""
    yield residuals_case(KNeighborsRegressor(n_neighbors=1), *points(10, 3), 5)
    yield residuals_case(KNeighborsRegressor(n_neighbors=2), *points(10, 4), 5)
    yield residuals_case(LinearRegression(), *points(10, 5), 5)


@check(
    "residuals", why="Rows of one day or one group must not be split; only the caller knows them."
)
def the_folds_are_those_asked_for() -> Iterator[Case]:
    """The folds are made by ``cv``: a number of folds or a splitter."""
    yield residuals_case(LinearRegression(), *points(8, 6), 2)
    yield residuals_case(LinearRegression(), *points(7, 7), LeaveOneOut())
    yield residuals_case(
        KNeighborsRegressor(n_neighbors=1), *points(9, 8), KFold(3, shuffle=True, random_state=0)
    )


@check("residuals", why="An error of zero or of the whole target would pass for a measured one.")
def a_row_that_no_fold_tests_has_none() -> Iterator[Case]:
    """A row that no fold tests has the residual NaN."""
    yield residuals_case(LinearRegression(), *points(8, 9), TimeSeriesSplit(3))
    yield residuals_case(KNeighborsRegressor(n_neighbors=1), *points(9, 10), TimeSeriesSplit(2))


@explore(
    "residuals",
    why="Frames, weights and regressors of every kind come with real data.",
    n_examples=40,
)
def any_regressor_and_folds(draw: Any) -> Case:
    """With any regressor, folds and weights, the residuals are those of the reference."""
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    n = draw(st.integers(6, 15))
    X, y = np.round(rng.uniform(0, 10, (n, 2)), 1), np.round(rng.normal(size=n), 1)
    folds = [2, 3, KFold(3, shuffle=True, random_state=1), LeaveOneOut(), TimeSeriesSplit(2)]
    cv = draw(st.sampled_from(folds))
    regressor = draw(st.sampled_from([LinearRegression(), DecisionTreeRegressor(random_state=0)]))
    weight = rng.integers(0, 3, n) + 0.5 if draw(st.booleans()) else None
    as_frame, as_column = draw(st.booleans()), draw(st.booleans())
    given_X: Any = pd.DataFrame(X, columns=["a", "b"]) if as_frame else X
    given_y = y[:, None] if as_column else y
    kind = "a frame " * as_frame + f"X={X.tolist()}, y={listed(y)}" + " as a column" * as_column
    weights = "" if weight is None else f", sample_weight={listed(weight)}"

    def answer(module: Any) -> Any:
        return module.out_of_fold_residuals(regressor, given_X, given_y, cv, weight)

    return Case(
        call=f"out_of_fold_residuals({regressor}, {kind}, cv={cv}{weights})",
        answer=answer,
        arguments={"X": given_X, "y": given_y},
    )


def listed(values: ArrayLike) -> str:
    """Numbers as one would type them."""
    return f"[{', '.join(f'{value:g}' for value in np.ravel(values))}]"
