"""The reframing pattern: its laws, its agreement with the libraries, its errors."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import scoringrules
import skops.io
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    RepeatedKFold,
    ShuffleSplit,
    TimeSeriesSplit,
    cross_val_score,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from patterns.reframing import (
    BinnedDistributionRegressor,
    BoundedRegressor,
    bin_lower_bounds,
    exceedance_probability,
    neg_crps,
    out_of_fold_residuals,
)
from patterns.reframing.evidence.tables import ORDINARY, WITH_ATOMS, intervals, load_table


def rainy(n: int = 400, seed: int = 0) -> tuple[Any, Any]:
    """Two thirds zeros, the rest skewed; both depend on the first feature."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    wet = rng.uniform(size=n) < 1 / (1 + np.exp(1 - X[:, 0]))
    return X, np.where(wet, rng.gamma(2, np.exp(X[:, 1] / 4)), 0.0)


@st.composite
def fitted_models(draw: st.DrawFn) -> tuple[BinnedDistributionRegressor, Any]:
    """Models with any strategy and number of bins, on targets with and without ties."""
    X, y = rainy(60, draw(st.integers(0, 1000)))
    y = y if draw(st.booleans()) else np.round(y + X[:, 2], 1)
    n_bins = draw(st.integers(4, 8))
    how = draw(st.sampled_from(["quantile", "uniform", "kmeans"]))
    atoms = draw(st.sampled_from([None, "auto"]))
    weight = np.arange(60) % 3 if draw(st.booleans()) else None
    classifier = LogisticRegression(C=draw(st.sampled_from([0.1, 10.0])))
    model = BinnedDistributionRegressor(classifier, n_bins, how, atoms)
    return model.fit(X, y, weight), rainy(20, draw(st.integers(0, 1000)))[0]


# Bins that repeated values leave out are announced, and a test of their own checks that.
ignore_fewer_bins = pytest.mark.filterwarnings("ignore:.*bins remain:UserWarning")


LINES = make_pipeline(StandardScaler(), LogisticRegression())
FOREST = RandomForestClassifier(5, random_state=0)
SETTINGS = [
    BinnedDistributionRegressor(),
    BinnedDistributionRegressor(FOREST, n_bins=5, atoms=None),
    BinnedDistributionRegressor(HistGradientBoostingClassifier(max_iter=10), n_bins=5),
    BinnedDistributionRegressor(GaussianNB(), strategy=[-1.0, 0.0, 1.0]),
    BinnedDistributionRegressor(LINES, strategy="kmeans", atoms=None),
    BinnedDistributionRegressor(regressor=LinearRegression()),
    BinnedDistributionRegressor(LINES, regressor=make_pipeline(StandardScaler(), Ridge())),
    BinnedDistributionRegressor(FOREST, regressor=RandomForestRegressor(5, random_state=0)),
    BoundedRegressor(-1000, 1000),
    BoundedRegressor(-1000, 1000, HistGradientBoostingClassifier(max_iter=10)),
    BoundedRegressor(-1000, 1000, LINES),
    BoundedRegressor(-1000, 1000, GaussianNB()),
    BoundedRegressor(-1000, 1000, DecisionTreeClassifier(random_state=0)),
    BoundedRegressor(-1e3, 1e3, LogisticRegression(C=10, solver="newton-cholesky")),
]


def expected_failures(estimator: Any) -> dict[str, str]:
    """Of scikit-learn's own trees: it excuses them from the same checks."""
    part = estimator.classifier
    if not isinstance(
        part, RandomForestClassifier | HistGradientBoostingClassifier | DecisionTreeClassifier
    ):
        return {}
    why = "trees draw rows, or find other splits among repeated ones"
    return {f"check_sample_weight_equivalence_on_{kind}_data": why for kind in ("dense", "sparse")}


@ignore_fewer_bins
@parametrize_with_checks(SETTINGS, expected_failed_checks=expected_failures)
def test_estimators_keep_the_conventions(estimator: Any, check: Any) -> None:
    check(estimator)


class TestLaws:
    @ignore_fewer_bins
    @settings(deadline=None, max_examples=30)
    @given(fitted_models())
    def test_the_cdf_rises_from_zero_to_one(self, fitted: Any) -> None:
        model, X = fitted
        grid = np.linspace(model.values_[0] - 1, model.values_[-1], 101)[None, :]
        cdf = model.predict_cdf(X, grid)
        assert (np.diff(cdf, axis=1) >= -1e-12).all()
        assert_array_equal(cdf[:, 0], 0)
        assert_array_equal(cdf[:, -1], 1)

    @ignore_fewer_bins
    @settings(deadline=None, max_examples=30)
    @given(fitted_models())
    def test_the_quantile_inverts_the_cdf(self, fitted: Any) -> None:
        model, X = fitted
        values = np.unique(model.values_)
        for i, row in enumerate(model.predict_cdf(X, values[None, :])):
            # Where the forecast gives a value no weight, no level leads to it.
            reached = np.diff(row, prepend=0) > 1e-9
            quantiles = model.predict_quantile(X[i : i + 1], row[reached])[0]
            assert_array_equal(quantiles, values[reached])

    @ignore_fewer_bins
    @settings(deadline=None, max_examples=30)
    @given(fitted_models())
    def test_the_mean_is_that_of_the_distribution_and_within_range(self, fitted: Any) -> None:
        model, X = fitted
        mean = model.predict(X)
        assert (mean >= model.values_[0] - 1e-9).all()
        assert (mean <= model.values_[-1] + 1e-9).all()
        values = np.unique(model.values_)
        weights = np.diff(model.predict_cdf(X, values[None, :]), axis=1, prepend=0)
        assert_allclose(weights @ values, mean, atol=1e-9)

    @ignore_fewer_bins
    @settings(deadline=None, max_examples=30)
    @given(fitted_models(), st.floats(-50, 50))
    def test_bins_partition_the_line(self, fitted: Any, y: float) -> None:
        model, _ = fitted
        upper = np.append(model.bin_lower_[1:], np.inf)
        assert np.sum((model.bin_lower_ <= y) & (y < upper)) == 1
        assert model.bin_lower_[0] == -np.inf
        assert (model.bin_count_ >= 2).all()
        assert model.bin_count_.sum() == len(model.values_)
        assert_allclose(np.add.reduceat(model.shares_, model._bin_start), 1)

    def test_the_order_of_rows_does_not_matter(self) -> None:
        X, y = rainy()
        order = np.random.default_rng(1).permutation(len(y))
        straight, shuffled = (
            BinnedDistributionRegressor(atoms="auto").fit(X[rows], y[rows])
            for rows in (np.arange(len(y)), order)
        )
        assert_array_equal(straight.bin_lower_, shuffled.bin_lower_)
        assert_allclose(straight.predict(X), shuffled.predict(X), rtol=1e-3)

    def test_draws_follow_the_forecast(self) -> None:
        X, y = rainy()
        model = BinnedDistributionRegressor(atoms="auto").fit(X, y)
        draws = model.sample(X[:1], 20_000, random_state=0)[0]
        for at in (0.0, 0.5, 2.0):
            assert np.mean(draws <= at) == pytest.approx(model.predict_cdf(X[:1], at)[0], abs=0.02)
        assert_array_equal(draws, model.sample(X[:1], 20_000, random_state=0)[0])

    def test_a_classifier_that_ignores_the_features_gives_climatology(self) -> None:
        X, y = rainy()
        model = BinnedDistributionRegressor(DummyClassifier(), n_bins=5, atoms="auto").fit(X, y)
        at = np.linspace(-1, 5, 50)
        share = np.searchsorted(np.sort(y), at, side="right") / len(y)
        assert_allclose(model.predict_cdf(X[:1], at[None, :])[0], share)


class TestCRPS:
    @ignore_fewer_bins
    @settings(deadline=None, max_examples=30)
    @given(fitted_models(), st.integers(0, 1000))
    def test_it_agrees_with_the_library(self, fitted: Any, seed: int) -> None:
        model, X = fitted
        y = np.random.default_rng(seed).choice([-3.0, 0.0, 0.1, 0.7, 9.0], size=len(X))
        weights = np.repeat(model.predict_bin_proba(X), model.bin_count_, axis=1) * model.shares_
        ensemble = np.tile(model.values_, (len(X), 1))
        library = scoringrules.crps_ensemble(y, ensemble, ens_w=weights, estimator="qd")
        assert_allclose(model.crps(X, y), library, atol=1e-10)

    def test_it_is_the_integral_of_the_squared_difference(self) -> None:
        X, y = rainy()
        model = BinnedDistributionRegressor(atoms="auto").fit(X, y)
        grid = np.linspace(-1, y.max() + 1, 200_001)
        for row in range(3):
            cdf = model.predict_cdf(X[row : row + 1], grid[None, :])[0]
            integral = np.sum((cdf - (grid >= y[row])) ** 2) * (grid[1] - grid[0])
            assert model.crps(X[row : row + 1], y[row : row + 1])[0] == pytest.approx(
                integral, abs=1e-3
            )

    def test_y_of_another_shape_is_refused(self) -> None:
        X, y = rainy()
        model = BinnedDistributionRegressor(atoms="auto").fit(X, y)
        with pytest.raises(ValueError, match="one value per row"):
            model.crps(X, y[:3])


class TestBins:
    def test_zeros_get_a_bin_of_their_own(self) -> None:
        X, y = rainy()
        model = BinnedDistributionRegressor(n_bins=5, atoms="auto").fit(X, y)
        assert model.n_bins_ == 6
        assert model.bin_count_[0] == np.sum(y == 0)
        assert model.bin_mean_[0] == 0

    def test_an_atom_within_the_line_splits_the_bins_around_it(self) -> None:
        y = np.concatenate([np.linspace(-1, 1, 40), np.zeros(30)])
        model = BinnedDistributionRegressor(n_bins=2, atoms=[0.0]).fit(y[:, None], y)
        assert_array_equal(model.bin_count_, [20, 30, 20])
        assert model.bin_mean_[1] == 0

    def test_quantile_bins_hold_equal_numbers(self) -> None:
        X, y = rainy(400)
        model = BinnedDistributionRegressor(n_bins=8).fit(X, y + X[:, 2])
        assert model.bin_count_.max() - model.bin_count_.min() <= 1

    def test_uniform_bins_have_equal_widths(self) -> None:
        y = np.linspace(0, 10, 101)
        assert_allclose(bin_lower_bounds(y, 5, "uniform", None)[1:], [2, 4, 6, 8])

    def test_small_bins_are_joined(self) -> None:
        y = np.append(np.linspace(0, 1, 50), 100.0)
        assert len(bin_lower_bounds(y, 10, "uniform", None)) == 1
        model = BinnedDistributionRegressor(HistGradientBoostingClassifier(), n_bins=4)
        assert (model.fit(y[:, None], y).bin_count_ >= 2).all()

    def test_fewer_bins_than_asked_are_announced(self) -> None:
        X, y = rainy()
        with pytest.warns(
            UserWarning, match="fewer bins remain than n_bins=20: 6, because values are few"
        ):
            BinnedDistributionRegressor(n_bins=20, atoms=None).fit(X, y)

    @pytest.mark.parametrize("atoms", ["auto", None])
    @pytest.mark.parametrize("n_ones", [20, 50, 80])
    def test_a_yes_or_no_target_has_two_bins(self, n_ones: int, atoms: Any) -> None:
        y = np.repeat([0.0, 1.0], [100 - n_ones, n_ones])
        bounds = bin_lower_bounds(y, 2, "quantile", atoms)
        assert np.diff(np.append(np.searchsorted(y, bounds), 100)).tolist() in (
            [100 - n_ones, n_ones],
            [100],  # without atoms, where the quantile falls on the smaller value
        )
        if atoms == "auto" or n_ones >= 50:
            assert len(bounds) == 2

    @ignore_fewer_bins
    def test_each_rating_has_a_bin_of_its_own(self) -> None:
        y = np.repeat([1.0, 2.0, 3.0, 4.0, 5.0], [10, 15, 20, 25, 30])
        model = BinnedDistributionRegressor(n_bins=12).fit(y[:, None], y)
        assert_array_equal(model.bin_count_, [10, 15, 20, 25, 30])

    def test_bins_are_cut_where_one_says(self) -> None:
        y = np.arange(60.0)
        model = BinnedDistributionRegressor(strategy=[-np.inf, 15, 45]).fit(y[:, None], y)
        assert_array_equal(model.bin_lower_, [-np.inf, 15, 45])
        assert_array_equal(model.bin_count_, [15, 30, 15])

    def test_a_target_in_single_precision_has_its_atoms_and_cuts(self) -> None:
        y = np.repeat(np.array([0.1, 0.3, 0.7], dtype="float32"), 10)
        model = BinnedDistributionRegressor(strategy=[0.7], atoms=[0.1]).fit(y[:, None], y)
        assert_array_equal(model.bin_count_, [10, 10, 10])

    @ignore_fewer_bins
    @pytest.mark.parametrize("regressor", [None, LinearRegression()])
    @pytest.mark.parametrize("strategy", ["quantile", "uniform", "kmeans"])
    @settings(deadline=None, max_examples=10)
    @given(power=st.integers(-100, 100), shift=st.sampled_from([0.0, -1e3, 1e6]))
    def test_the_unit_of_the_target_changes_nothing_but_the_unit(
        self, strategy: Any, regressor: Any, power: int, shift: float
    ) -> None:
        X, y = rainy(100)
        y, scale = np.round(y + X[:, 2], 2), 10.0**power  # with repeated values
        model = BinnedDistributionRegressor(
            n_bins=5, strategy=strategy, regressor=regressor, atoms=None
        )
        one, other = clone(model).fit(X, y), clone(model).fit(X, (y + shift) * scale)
        assert_array_equal(one.bin_count_, other.bin_count_)
        q = [0.1, 0.5, 0.9]
        assert_allclose(
            other.predict_quantile(X, q) / scale - shift, one.predict_quantile(X, q), atol=1e-8
        )
        assert_allclose(other.predict(X) / scale - shift, one.predict(X), atol=1e-8)
        assert_allclose(other.crps(X, (y + shift) * scale) / scale, one.crps(X, y), atol=1e-8)

    @pytest.mark.parametrize("n_bins", [200, 2**40])
    @pytest.mark.parametrize("strategy", ["quantile", "kmeans"])
    @ignore_fewer_bins
    def test_more_bins_than_rows_are_as_many_as_there_can_be(
        self, strategy: Any, n_bins: int
    ) -> None:
        y = np.linspace(0, 1, 21) ** 2
        bounds = bin_lower_bounds(y, n_bins, strategy, None)
        assert np.diff(np.searchsorted(y, bounds)).tolist() == [2] * 9


class TestInput:
    def test_frames_keep_their_names(self) -> None:
        X, y = rainy()
        frame = pd.DataFrame(X, columns=["a", "b", "c"])
        model = BinnedDistributionRegressor(atoms="auto").fit(frame, y)
        assert list(model.feature_names_in_) == ["a", "b", "c"]
        with pytest.raises(ValueError, match="feature names"):
            model.predict(frame[["c", "b", "a"]])

    def test_missing_features_go_where_the_classifier_takes_them(self) -> None:
        X, y = rainy()
        X[::7, 1] = np.nan
        model = BinnedDistributionRegressor(HistGradientBoostingClassifier(), atoms="auto")
        assert np.isfinite(model.fit(X, y).predict(X)).all()
        with pytest.raises(ValueError, match="NaN"):
            BinnedDistributionRegressor(atoms="auto").fit(X, y)

    def test_a_pipeline_over_mixed_columns_is_a_classifier(self) -> None:
        X, y = rainy()
        frame = pd.DataFrame({"x": X[:, 0], "airport": np.where(X[:, 1] > 0, "JFK", "EWR")})
        columns = make_column_transformer((OneHotEncoder(), ["airport"]), remainder="passthrough")
        model = BinnedDistributionRegressor(
            make_pipeline(columns, LogisticRegression()), atoms="auto"
        )
        assert model.fit(frame, y).predict(frame).shape == y.shape

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"n_bins": 1}, "n_bins must be an integer of at least 2, got 1"),
            ({"n_bins": 2.5}, "n_bins must be an integer"),
            ({"strategy": "equal"}, "strategy must be one of"),
            ({"strategy": [1.0, 1.0]}, "strategy must hold increasing numbers"),
            ({"strategy": []}, "strategy must hold increasing numbers"),
            ({"strategy": [1.0, np.nan]}, "strategy must hold increasing numbers"),
            ({"atoms": "zeros"}, 'atoms must be None, "auto" or a list'),
            ({"atoms": [99.0]}, r"each of atoms must occur in y at least twice; \[99.0\] do not"),
        ],
    )
    def test_parameters_out_of_range_are_named(self, settings: Any, message: str) -> None:
        X, y = rainy()
        with pytest.raises(ValueError, match=message):
            BinnedDistributionRegressor(**settings).fit(X, y)

    def test_missing_targets_are_refused_with_their_place(self) -> None:
        X, y = rainy()
        y[[5, 9]] = np.nan
        with pytest.raises(ValueError, match=r"2 of 400 rows, the first in row 5; drop"):
            BinnedDistributionRegressor().fit(X, y)

    @pytest.mark.parametrize("regressor", [None, LinearRegression()])
    def test_a_constant_target_is_forecast_as_itself_with_a_warning(self, regressor: Any) -> None:
        X, _ = rainy()
        with pytest.warns(UserWarning, match="n_bins=10: 1, .* the same forecast"):
            model = BinnedDistributionRegressor(regressor=regressor).fit(X, np.full(len(X), 7.0))
        assert_allclose(model.predict_quantile(X, [0.1, 0.9]), 7)
        assert_allclose(model.crps(X[:2], [7.0, 9.0]), [0, 2])

    @pytest.mark.parametrize("q", [-0.1, 1.1, np.nan, [[0.5]]])
    def test_levels_outside_0_to_1_are_refused(self, q: Any) -> None:
        X, y = rainy()
        with pytest.raises(ValueError, match="q must be"):
            BinnedDistributionRegressor(atoms="auto").fit(X, y).predict_quantile(X, q)

    def test_the_cdf_takes_a_number_one_grid_and_a_grid_for_each_row(self) -> None:
        X, y = rainy()
        model = BinnedDistributionRegressor().fit(X, y)
        X, y = X[:3], y[:3]  # as many rows as the grid has values
        assert model.predict_cdf(X, 0.5).shape == (3,)
        grid = model.predict_cdf(X, [0.0, 1.0, 2.0])
        assert_array_equal(grid, model.predict_cdf(X, [[0.0, 1.0, 2.0]]))
        assert_array_equal(grid[:, 1], model.predict_cdf(X, 1.0))
        pairs = model.predict_cdf(X, [[0.0], [1.0], [2.0]])
        assert_array_equal(pairs[:, 0], np.diag(grid))
        for wrong in (np.zeros((7, 2)), np.zeros((3, 1, 1)), np.nan):
            with pytest.raises(ValueError, match="y must hold numbers"):
                model.predict_cdf(X, wrong)

    def test_an_interval_holds_its_share(self) -> None:
        X, y = rainy(2000)
        model = BinnedDistributionRegressor(atoms="auto").fit(X[:1000], y[:1000])
        low, high = model.predict_interval(X[1000:], 0.9).T
        # Zeros lie on the lower end of most intervals, so more than the share is held.
        assert np.mean((low <= y[1000:]) & (y[1000:] <= high)) >= 0.88
        with pytest.raises(ValueError, match="strictly between"):
            model.predict_interval(X, 1.0)


def skewed(n: int = 300, seed: int = 0) -> tuple[Any, Any]:
    """A target whose spread grows with its mean."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    return X, np.exp(1 + X[:, 0] + 0.3 * rng.normal(size=n))


class TestCentering:
    def test_the_forecast_is_centered_on_the_regression(self) -> None:
        X, y = skewed()
        X, y = X, y + 1000 * X[:, 1]
        plain = BinnedDistributionRegressor(n_bins=5).fit(X, y)
        centered = BinnedDistributionRegressor(n_bins=5, regressor=LinearRegression()).fit(X, y)
        assert centered.crps(X, y).mean() < plain.crps(X, y).mean() / 10
        middle = centered.predict_quantile(X, 0.5)
        assert_allclose(middle, LinearRegression().fit(X, y).predict(X), atol=10)

    def test_what_is_binned_are_out_of_fold_residuals(self) -> None:
        X, y = skewed()
        model = BinnedDistributionRegressor(regressor=LinearRegression(), cv=3).fit(X, y)
        assert_array_equal(
            model.values_, np.sort(out_of_fold_residuals(LinearRegression(), X, y, 3))
        )

    def test_all_answers_are_of_one_distribution(self) -> None:
        X, y = skewed()
        model = BinnedDistributionRegressor(n_bins=4, regressor=LinearRegression()).fit(X, y)
        levels = (np.arange(4000) + 0.5) / 4000
        ensemble = model.predict_quantile(X[:20], levels)
        assert_allclose(ensemble.mean(axis=1), model.predict(X[:20]), atol=0.05)
        assert_allclose(
            model.crps(X[:20], y[:20]),
            scoringrules.crps_ensemble(y[:20], ensemble, estimator="qd"),
            atol=0.01,
        )
        shares = model.predict_cdf(X[:20], ensemble[:, 399::800])
        assert_allclose(shares, np.tile(levels[399::800], (20, 1)), atol=0.03)
        draws = model.sample(X[:1], 20_000, random_state=0)[0]
        assert np.mean(draws <= y[0]) == pytest.approx(model.predict_cdf(X[:1], y[0])[0], abs=0.02)

    @pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
    def test_trees_see_the_prediction_whatever_its_unit(self, scale: float) -> None:
        # Trees of scikit-learn take features that differ by less than 1e-7 for equal.
        X, y = skewed()
        trees = RandomForestClassifier(20, random_state=0)
        model = BinnedDistributionRegressor(trees, 4, regressor=LinearRegression()).fit(
            X, y * scale
        )
        assert model.classifier_.feature_importances_[-1] > 0.2

    @pytest.mark.parametrize("kind", [np.asarray, list, sparse.csr_array, pd.DataFrame])
    def test_the_prediction_is_one_more_feature_of_any_table(self, kind: Any) -> None:
        X, y = skewed()
        model = BinnedDistributionRegressor(FOREST, 4, regressor=Ridge()).fit(kind(X), y)
        assert model.n_features_in_ == 3
        assert model.classifier_.n_features_in_ == 4
        assert_allclose(
            model.predict(kind(X)), clone(model).fit(X, y).predict(X), rtol=1e-6, atol=1e-9
        )

    def test_a_frame_keeps_its_columns_for_parts_that_choose_by_name(self) -> None:
        X, y = skewed()
        frame = pd.DataFrame({"x": X[:, 0], "town": np.where(X[:, 1] > 0, "here", "there")})
        before = frame.copy()
        columns = make_column_transformer((OneHotEncoder(), ["town"]), remainder="passthrough")
        model = BinnedDistributionRegressor(
            make_pipeline(columns, LogisticRegression(max_iter=1000)),
            n_bins=4,
            regressor=make_pipeline(columns, LinearRegression()),
        ).fit(frame, y)
        assert model.predict(frame).shape == y.shape
        pd.testing.assert_frame_equal(frame, before)
        taken = frame.rename(columns={"x": "prediction of the regressor"})
        with pytest.raises(ValueError, match="X must not have a column 'prediction of the"):
            clone(model).set_params(regressor=DummyRegressor()).fit(taken, y)

    def test_rows_that_no_fold_tests_train_the_regression_only(self) -> None:
        X, y = skewed(120)
        model = BinnedDistributionRegressor(
            n_bins=4, regressor=LinearRegression(), cv=TimeSeriesSplit(3)
        ).fit(X, y)
        assert len(model.values_) == 90
        assert_allclose(model.regressor_.coef_, LinearRegression().fit(X, y).coef_)


class SilentRegressor(RegressorMixin, BaseEstimator):
    """Predicts nothing."""

    def fit(self, X: Any, y: Any) -> SilentRegressor:
        return self

    def predict(self, X: Any) -> Any:
        return np.full(len(X), np.nan)


class TestResiduals:
    def test_they_come_from_models_that_had_not_seen_the_row(self) -> None:
        rng = np.random.default_rng(0)
        X, y = rng.normal(size=(40, 20)), rng.normal(size=40)
        seen = y - LinearRegression().fit(X, y).predict(X)
        assert out_of_fold_residuals(LinearRegression(), X, y).std() > 1.5 * seen.std()

    def test_a_column_vector_is_one_target(self) -> None:
        X, y = skewed()
        flat = out_of_fold_residuals(LinearRegression(), X, y)
        assert_array_equal(out_of_fold_residuals(LinearRegression(), X, y[:, None]), flat)
        with pytest.raises(ValueError, match="1d array"):
            out_of_fold_residuals(LinearRegression(), X, np.column_stack([y, y]))

    def test_rows_that_no_fold_tests_have_none(self) -> None:
        X, y = skewed(100)
        residuals = out_of_fold_residuals(LinearRegression(), X, y, TimeSeriesSplit(4))
        assert np.isnan(residuals[:20]).all()
        assert np.isfinite(residuals[20:]).all()

    def test_predictions_that_are_no_numbers_are_refused(self) -> None:
        X, y = skewed()
        with pytest.raises(ValueError, match="prediction contains NaN"):
            out_of_fold_residuals(SilentRegressor(), X, y)
        with pytest.raises(ValueError, match="prediction contains NaN"):
            BinnedDistributionRegressor(regressor=SilentRegressor()).fit(X, y)

    def test_groups_stay_together_by_their_splits(self) -> None:
        X, y = skewed(100)
        splits = GroupKFold(4).split(X, y, np.arange(100) % 8)
        assert np.isfinite(out_of_fold_residuals(LinearRegression(), X, y, splits)).all()

    @pytest.mark.parametrize("cv", [ShuffleSplit(random_state=0), RepeatedKFold(random_state=0)])
    def test_folds_that_test_a_row_twice_are_refused_by_name(self, cv: Any) -> None:
        X, y = skewed(100)
        with pytest.raises(ValueError, match=f"{type(cv).__name__} tests .* of 100 rows more"):
            out_of_fold_residuals(LinearRegression(), X, y, cv)


class OddClassifier(ClassifierMixin, BaseEstimator):
    """Gives what it is told to give."""

    def __init__(self, value: float = 0.5) -> None:
        self.value = value

    def fit(self, X: Any, y: Any) -> OddClassifier:
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X: Any) -> Any:
        return np.full((len(X), len(self.classes_)), self.value)


class TestProbabilities:
    @pytest.mark.parametrize("value", [np.nan, 0.2, 0.0, -0.25])
    def test_what_is_no_probability_is_refused(self, value: float) -> None:
        X, y = skewed()
        model = BinnedDistributionRegressor(OddClassifier(value), n_bins=4).fit(X, y)
        for answer in (model.predict, model.predict_bin_proba, lambda X: model.crps(X, y)):
            with pytest.raises(ValueError, match="OddClassifier must give 4 probabilities per row"):
                answer(X)

    def test_what_is_rounded_is_normalized_everywhere(self) -> None:
        X, y = skewed()
        model = BinnedDistributionRegressor(OddClassifier(0.2501), n_bins=4).fit(X, y)
        assert_allclose(model.predict(X), y.mean())
        assert_allclose(model.predict_bin_proba(X), 0.25)

    def test_a_classifier_of_other_bins_is_refused(self) -> None:
        from sklearn.frozen import FrozenEstimator

        X, y = skewed()
        other = FrozenEstimator(LogisticRegression().fit(X, y > 2))
        with pytest.raises(ValueError, match="must give 5 probabilities per row"):
            BinnedDistributionRegressor(other, n_bins=5).fit(X, y).predict(X)

    def test_large_numbers_keep_their_score(self) -> None:
        X, y = skewed()
        y = np.round(y, 2)
        model = BinnedDistributionRegressor().fit(X, y)
        far = BinnedDistributionRegressor().fit(X, y + 1e12)
        assert_allclose(far.crps(X, y + 1e12), model.crps(X, y), atol=1e-3)

    def test_an_infinite_outcome_scores_infinity(self) -> None:
        X, y = skewed()
        model = BinnedDistributionRegressor().fit(X, y)
        assert_array_equal(model.crps(X[:2], [np.inf, -np.inf]), [np.inf, np.inf])

    def test_many_quantiles_take_little_more_memory_than_they_fill(self) -> None:
        import tracemalloc

        X, y = skewed()
        model = BinnedDistributionRegressor().fit(X, y)
        X = np.tile(X, (200, 1))
        tracemalloc.start()
        quantiles = model.predict_quantile(X, np.linspace(0.01, 0.99, 99))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 3 * quantiles.nbytes


class TestWeights:
    @ignore_fewer_bins
    @pytest.mark.parametrize("strategy", ["quantile", "uniform", "kmeans"])
    def test_a_weight_is_a_number_of_rows(self, strategy: Any) -> None:
        X, y = skewed()
        weight = np.arange(len(y)) % 4
        rows = np.repeat(np.arange(len(y)), weight)
        model = BinnedDistributionRegressor(GaussianNB(), 5, strategy)
        weighted, repeated = clone(model).fit(X, y, weight), clone(model).fit(X[rows], y[rows])
        assert_allclose(weighted.bin_lower_, repeated.bin_lower_)
        assert_allclose(weighted.crps(X, y), repeated.crps(X, y))
        assert_allclose(weighted.predict_cdf(X, y[:9]), repeated.predict_cdf(X, y[:9]))
        q = np.linspace(0.013, 0.987, 20)
        assert_allclose(weighted.predict_quantile(X, q), repeated.predict_quantile(X, q))

    def test_the_scale_of_the_weights_does_not_matter(self) -> None:
        X, y = skewed()
        weight = np.random.default_rng(0).uniform(size=len(y))
        one, other = (
            BinnedDistributionRegressor(GaussianNB(), regressor=Ridge(1e-9)).fit(X, y, w)
            for w in (weight, 1e-3 * weight)
        )
        assert_allclose(one.crps(X, y), other.crps(X, y), rtol=1e-4)

    def test_each_step_of_a_pipeline_that_takes_weights_gets_them(self) -> None:
        X, y = skewed()
        weight = np.arange(len(y)) % 2
        kept = weight > 0
        for model in (
            BinnedDistributionRegressor(LINES, n_bins=4),
            BinnedDistributionRegressor(make_pipeline("passthrough", LINES), n_bins=4),
            BoundedRegressor(0, 100, LINES),
            BoundedRegressor(0, 100, make_pipeline("passthrough", LINES)),
        ):
            weighted, without = clone(model).fit(X, y, weight), clone(model).fit(X[kept], y[kept])
            assert_allclose(weighted.predict(X), without.predict(X), rtol=1e-3)

    def test_a_part_that_takes_no_weights_says_so(self) -> None:
        X, y = skewed()
        for model in (
            BinnedDistributionRegressor(KNeighborsClassifier()),
            BoundedRegressor(0, 100, make_pipeline(StandardScaler(), KNeighborsClassifier())),
        ):
            with pytest.raises(TypeError, match="sample_weight"):
                model.fit(X, y, np.ones(len(y)))

    @pytest.mark.parametrize("wrong", [[-1.0], [np.nan], [0.0]])
    def test_weights_that_are_none_are_refused(self, wrong: Any) -> None:
        X, y = skewed()
        for model in (BinnedDistributionRegressor(), BoundedRegressor(0, 100)):
            with pytest.raises(ValueError, match="sample_weight must be finite"):
                model.fit(X, y, np.repeat(wrong, len(y)))

    def test_metadata_routing_brings_them(self) -> None:
        X, y = skewed()
        weight = np.arange(len(y)) % 2
        with config_context(enable_metadata_routing=True):
            classifier = make_pipeline(
                StandardScaler().set_fit_request(sample_weight=True),
                LogisticRegression().set_fit_request(sample_weight=True),
            )
            for model in (
                BinnedDistributionRegressor(n_bins=4),
                BinnedDistributionRegressor(classifier, n_bins=4, regressor=Ridge()),
                BoundedRegressor(0, 100, classifier),
            ):
                direct = clone(model).fit(X, y, weight)
                routed = make_pipeline(model.set_fit_request(sample_weight=True))
                assert_allclose(
                    routed.fit(X, y, sample_weight=weight).predict(X), direct.predict(X)
                )


class TestAmongOthers:
    """In scikit-learn's pipelines and searches, and saved to a file."""

    def test_a_search_tunes_the_number_of_bins_by_crps(self) -> None:
        X, y = skewed()
        pipeline = make_pipeline(StandardScaler(), BinnedDistributionRegressor())
        grid = {"binneddistributionregressor__n_bins": [2, 20]}
        search = GridSearchCV(pipeline, grid, scoring=neg_crps, cv=3).fit(X, y)
        assert search.best_params_["binneddistributionregressor__n_bins"] == 20
        best = search.best_estimator_
        crps = best[-1].crps(best[:-1].transform(X), y)
        assert neg_crps(search, X, y) == pytest.approx(-crps.mean())
        assert (cross_val_score(search, X, y, cv=3, scoring=neg_crps) < 0).all()
        weight = np.arange(len(y)) % 2
        assert neg_crps(best, X, y, weight) == pytest.approx(-crps[1::2].mean())

    def test_the_classifier_may_be_calibrated_or_searched(self) -> None:
        X, y = skewed()
        calibrated = CalibratedClassifierCV(GaussianNB(), cv=3)
        searched = GridSearchCV(LogisticRegression(max_iter=1000), {"C": [0.1, 1]}, cv=3)
        for classifier in (calibrated, searched):
            model = BinnedDistributionRegressor(classifier, n_bins=3).fit(X, y)
            assert np.isfinite(model.crps(X, y)).all()

    @ignore_fewer_bins
    @pytest.mark.parametrize(
        "model",
        [
            BinnedDistributionRegressor(atoms=[0.0]),
            BinnedDistributionRegressor(regressor=Ridge(), strategy="kmeans"),
            BoundedRegressor(0, 100),
        ],
    )
    def test_saved_models_give_the_same_answers(self, model: Any) -> None:
        X, y = rainy()
        model = clone(model).fit(X, y)
        text = skops.io.dumps(model)
        mine = {f"patterns.reframing.{kind}" for kind in ("pattern", "neighbors")}
        unknown = skops.io.get_untrusted_types(data=text)
        assert {name.rsplit(".", 1)[0] for name in unknown} <= mine
        for again in (pickle.loads(pickle.dumps(model)), skops.io.loads(text, trusted=unknown)):
            assert_array_equal(again.predict(X), model.predict(X))

    def test_tags_are_those_of_the_parts(self) -> None:
        trees = HistGradientBoostingClassifier()
        for model, allow_nan, is_sparse in (
            (BinnedDistributionRegressor(), False, False),
            (BinnedDistributionRegressor(FOREST), True, True),
            (BinnedDistributionRegressor(trees), True, False),
            (BinnedDistributionRegressor(trees, regressor=Ridge()), False, False),
            (BinnedDistributionRegressor(FOREST, regressor=Ridge()), False, True),
            (BoundedRegressor(), False, True),
            (BoundedRegressor(classifier=trees), True, False),
        ):
            tags = get_tags(model).input_tags
            assert (tags.allow_nan, tags.sparse) == (allow_nan, is_sparse), model

    def test_missing_features_reach_all_parts_that_take_them(self) -> None:
        X, y = skewed()
        X[::7, 1] = np.nan
        trees = HistGradientBoostingClassifier(max_iter=5)
        for model in (
            BinnedDistributionRegressor(trees, 4, regressor=HistGradientBoostingRegressor()),
            BoundedRegressor(0, 100, trees),
        ):
            assert np.isfinite(model.fit(X, y).predict(X)).all()


class TestNeighbors:
    def test_exceedance_follows_the_noise(self) -> None:
        residuals = np.random.default_rng(0).normal(size=4000)
        for noise in ("gaussian", "empirical"):
            chance = exceedance_probability([0.0, 1.0], residuals, 1.0, noise=noise)
            assert_allclose(chance, [0.159, 0.5], atol=0.02)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (([0.0], [1.0], 0.0), "two or more"),
            (([0.0], [1.0, np.nan], 0.0), "no NaN"),
            (([np.nan], [1.0, 2.0], 0.0), "must not be NaN"),
            (([0.0], [1.0, 2.0], 0.0, "student"), "noise must be"),
        ],
    )
    def test_exceedance_refuses_bad_input(self, arguments: Any, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            exceedance_probability(*arguments)

    def test_bounded_predictions_stay_in_range(self) -> None:
        rng = np.random.default_rng(0)
        X = rng.normal(size=(200, 2))
        y = 10 + 5 / (1 + np.exp(-X[:, 0]))
        model = BoundedRegressor(10, 15).fit(X, y)
        far = model.predict(100 * X)
        assert ((far >= 10) & (far <= 15)).all()
        assert np.corrcoef(model.predict(X), y)[0, 1] > 0.99

    def test_a_target_outside_the_range_is_refused(self) -> None:
        X, y = rainy()
        with pytest.raises(ValueError, match=r"y must lie in \[0.0, 1.0\]"):
            BoundedRegressor().fit(X, y)
        with pytest.raises(ValueError, match="low must be below high"):
            BoundedRegressor(1, 0).fit(X, y)


class TestTables:
    """The real tables of the evidence."""

    @pytest.mark.parametrize(("name", "columns"), [*ORDINARY.items(), *WITH_ATOMS.items()])
    def test_no_feature_gives_the_target_away(self, name: str, columns: str) -> None:
        X, y = load_table(name, columns)
        assert len(y) >= 148
        ranks = pd.DataFrame(X).rank().corrwith(pd.Series(y).rank()).abs()
        assert ranks.max() < 0.95

    def test_intervals_are_widened_for_the_rows_that_draws_share(self) -> None:
        logs = np.array([0.1, 0.2, 0.0, 0.1, 0.1])
        [[mean, half]] = intervals({"each_table.wage1.x": tuple(np.exp(logs))}, "x", "").to_numpy()
        naive = scipy.stats.t.ppf(0.975, 4) * logs.std(ddof=1) / np.sqrt(5)
        assert mean == pytest.approx(0.1)
        assert half == pytest.approx(naive * np.sqrt(1 + 5 * 3 / 7))
