"""The house prices: what they hold, and that they follow their oracle."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import scoringrules
from scipy.stats import kstest

from datasets import DataValidationError, HousePrices, make_house_prices, validate


@pytest.fixture(scope="module")
def houses() -> HousePrices:
    return make_house_prices(40_000, random_state=0)


def test_they_keep_their_schema() -> None:
    frame = make_house_prices(300, random_state=0).frame
    validate(frame, "house_prices")
    frame.loc[4, "price"] = 0.0
    with pytest.raises(DataValidationError, match=r"row 4: 0\.0"):
        validate(frame, "house_prices")


def test_the_same_seed_makes_the_same_houses() -> None:
    first, again, other = (make_house_prices(50, random_state=s).frame for s in (0, 0, 1))
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)


def test_no_houses_are_refused() -> None:
    with pytest.raises(ValueError, match="n_samples must be at least 1, got 0"):
        make_house_prices(0)


def test_the_prices_follow_the_oracle(houses: HousePrices) -> None:
    assert kstest(houses.oracle_cdf(houses.X, houses.y), "uniform").pvalue > 0.01
    error = houses.y / houses.oracle_mean(houses.X) - 1
    assert abs(error.mean()) < 4 * error.std() / np.sqrt(len(error))


def test_they_are_skewed_and_their_spread_varies(houses: HousePrices) -> None:
    assert houses.y.skew() > 1
    low, high = np.quantile(
        np.diff(houses.oracle_quantile(houses.X, [[0.1, 0.9]]))[:, 0], [0.1, 0.9]
    )
    assert high > 3 * low


def test_the_noise_columns_have_no_influence(houses: HousePrices) -> None:
    X = houses.X.head(100)
    louder = X.assign(noise_0=9.0, noise_1=-9.0, another=0)
    np.testing.assert_array_equal(houses.oracle_cdf(X, 200), houses.oracle_cdf(louder, 200))


def test_the_quantile_inverts_the_cdf(houses: HousePrices) -> None:
    X, levels = houses.X.head(50), np.array([[0.0, 0.01, 0.5, 0.99]])
    quantiles = houses.oracle_quantile(X, levels)
    np.testing.assert_allclose(
        houses.oracle_cdf(X, quantiles), np.tile(levels, (50, 1)), atol=1e-12
    )
    assert (quantiles[:, 0] == 0).all()
    with pytest.raises(ValueError, match=r"level must lie in \[0, 1\)"):
        houses.oracle_quantile(X, 1.0)


def test_the_crps_is_that_of_a_large_ensemble(houses: HousePrices) -> None:
    X = houses.X.head(40)
    ensemble = houses.oracle_quantile(X, (np.arange(5000)[None] + 0.5) / 5000)
    for y in (houses.y.head(40).to_numpy(), np.full(40, -5.0), np.full(40, 1e4)):
        expected = scoringrules.crps_ensemble(y, ensemble, estimator="qd")
        np.testing.assert_allclose(houses.oracle_crps(X, y), expected, rtol=2e-3)


@pytest.mark.parametrize("shape", [(3,), (1,), (3, 2), (4, 1, 1)])
def test_prices_that_fit_no_row_are_refused(houses: HousePrices, shape: Any) -> None:
    X = houses.X.head(4)
    assert houses.oracle_cdf(X, 200.0).shape == houses.oracle_cdf(X, np.zeros(4)).shape == (4,)
    assert houses.oracle_cdf(X, np.zeros((1, 3))).shape == (4, 3)
    with pytest.raises(ValueError, match="do not fit 4 rows of X"):
        houses.oracle_cdf(X, np.zeros(shape))


def test_the_oracle_names_what_it_lacks(houses: HousePrices) -> None:
    with pytest.raises(ValueError, match=r"X lacks the columns \['area'\]"):
        houses.oracle_mean(houses.X.drop(columns="area"))
