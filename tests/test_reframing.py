"""The reframing pattern: its laws, its agreement with the libraries, its errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import scoringrules
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from patterns.reframing import (
    BinnedDistributionRegressor,
    BoundedRegressor,
    bin_lower_bounds,
    exceedance_probability,
    out_of_fold_residuals,
    two_headed_model,
)


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
    assume(len(bin_lower_bounds(y, n_bins, how, atoms)) > 1)  # what fit refuses has its own test
    classifier = LogisticRegression(C=draw(st.sampled_from([0.1, 10.0])))
    model = BinnedDistributionRegressor(classifier, n_bins, how, atoms)
    return model.fit(X, y), rainy(20, draw(st.integers(0, 1000)))[0]


# Bins that repeated values leave out are announced, and a test of their own checks that.
ignore_fewer_bins = pytest.mark.filterwarnings("ignore:.*bins remain:UserWarning")


@ignore_fewer_bins
@parametrize_with_checks([BinnedDistributionRegressor(), BoundedRegressor(-1000, 1000)])
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
        weights = np.repeat(model.predict_bin_proba(X) / model.bin_count_, model.bin_count_, axis=1)
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
        with pytest.raises(ValueError, match="one value a row"):
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
        with pytest.warns(UserWarning, match=r"bins remain of n_bins=20.*atoms=\"auto\""):
            BinnedDistributionRegressor(n_bins=20).fit(X, y)


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
        from sklearn.compose import make_column_transformer
        from sklearn.preprocessing import OneHotEncoder

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

    def test_a_constant_target_is_refused(self) -> None:
        X, _ = rainy()
        with pytest.raises(ValueError, match="nothing to predict"):
            BinnedDistributionRegressor().fit(X, np.ones(len(X)))

    @pytest.mark.parametrize("q", [-0.1, 1.1, np.nan, [[0.5]]])
    def test_levels_outside_0_to_1_are_refused(self, q: Any) -> None:
        X, y = rainy()
        with pytest.raises(ValueError, match="q must be"):
            BinnedDistributionRegressor(atoms="auto").fit(X, y).predict_quantile(X, q)

    def test_the_cdf_takes_a_number_a_value_a_row_and_a_grid(self) -> None:
        X, y = rainy()
        model = BinnedDistributionRegressor(atoms="auto").fit(X, y)
        n = len(y)
        assert model.predict_cdf(X, 0.5).shape == (n,)
        assert model.predict_cdf(X, y).shape == (n,)
        assert model.predict_cdf(X, [[0.0, 1.0, 2.0]]).shape == (n, 3)
        for wrong in (np.zeros(7), np.zeros((7, 2)), np.nan):
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


class TestNeighbors:
    def test_residuals_come_from_models_that_had_not_seen_the_row(self) -> None:
        rng = np.random.default_rng(0)
        X, y = rng.normal(size=(40, 20)), rng.normal(size=40)
        seen = y - LinearRegression().fit(X, y).predict(X)
        assert out_of_fold_residuals(LinearRegression(), X, y).std() > 1.5 * seen.std()

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

    def test_two_heads_learn_the_value_and_its_bin(self) -> None:
        import keras

        keras.utils.set_random_seed(0)
        rng = np.random.default_rng(0)
        X = rng.normal(size=(600, 3)).astype("float32")
        y = X[:, 0] + 0.1 * rng.normal(size=600)
        bins = np.digitize(y, [-0.5, 0.5])
        model = two_headed_model(3, 3, hidden_units=(32,))
        model.fit(X, {"value": y, "bin": bins}, epochs=15, verbose=0)
        answers = model.predict(X, verbose=0)
        assert np.corrcoef(answers["value"][:, 0], y)[0, 1] > 0.9
        assert np.mean(answers["bin"].argmax(axis=1) == bins) > 0.8
        assert_allclose(answers["bin"].sum(axis=1), 1, atol=1e-5)
        with pytest.raises(ValueError, match="n_bins >= 2"):
            two_headed_model(3, 1)
