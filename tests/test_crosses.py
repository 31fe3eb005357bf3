"""The data sets with interactions: what they hold, and that they follow their oracles."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logit

from datasets import (
    CrossData,
    DataValidationError,
    make_circle,
    make_day_hour,
    make_high_cardinality,
    make_lat_lon,
    make_overcrossing,
    make_slopes,
    make_xor,
    overcrossing_pair,
    validate,
)

MAKERS = {
    "xor": make_xor,
    "circle": make_circle,
    "day_hour": make_day_hour,
    "overcrossing": make_overcrossing,
    "high_cardinality": make_high_cardinality,
    "slopes": make_slopes,
    "lat_lon": make_lat_lon,
}
each = pytest.mark.parametrize("name", MAKERS)


@each
class TestEveryOne:
    def test_it_keeps_its_schema(self, name: str) -> None:
        validate(MAKERS[name](500, random_state=0).frame, name)

    def test_the_same_seed_makes_the_same_rows(self, name: str) -> None:
        first, again, other = (MAKERS[name](50, random_state=seed).frame for seed in (1, 1, 2))
        pd.testing.assert_frame_equal(first, again)
        assert not first.equals(other)

    def test_the_target_follows_the_oracle(self, name: str) -> None:
        data = MAKERS[name](20_000, random_state=0)
        mean, y = data.oracle_mean(data.X), data.y.to_numpy()
        if name in ("xor", "circle", "overcrossing"):
            assert ((mean >= 0) & (mean <= 1)).all()
        # The error of the mean is zero on average, in each part of its range and over all.
        for rows in np.array_split(np.argsort(mean, kind="stable"), 5):
            error = (y - mean)[rows]
            assert abs(error.mean()) < 4 * error.std() / np.sqrt(len(rows))

    def test_no_rows_are_refused(self, name: str) -> None:
        with pytest.raises(ValueError, match="n_samples must be at least 1, got 0"):
            MAKERS[name](0)

    def test_the_oracle_names_what_it_lacks(self, name: str) -> None:
        data = MAKERS[name](5, random_state=0)
        first = data.feature_names[0]
        with pytest.raises(ValueError, match=rf"X lacks the columns \['{first}'\]"):
            data.oracle_mean(data.X.drop(columns=first))

    def test_the_oracle_takes_rows_in_any_order_and_ignores_other_columns(self, name: str) -> None:
        data = MAKERS[name](50, random_state=0)
        shuffled = data.frame.sample(frac=1, random_state=0)
        again = pd.Series(data.oracle_mean(shuffled), index=shuffled.index).sort_index()
        np.testing.assert_allclose(again, data.oracle_mean(data.X), rtol=1e-12)


def test_a_value_out_of_range_breaks_the_schema() -> None:
    frame = make_day_hour(5, random_state=0).frame
    frame.loc[2, "hour"] = 24
    with pytest.raises(DataValidationError, match="row 2: 24"):
        validate(frame, "day_hour")


class TestPlanes:
    def test_xor_is_the_sign_of_the_product(self) -> None:
        X = pd.DataFrame({"x0": [0.5, -0.5, 0.5], "x1": [0.5, -0.1, -0.5]})
        assert make_xor(1, error_rate=0.2).oracle_mean(X).tolist() == [0.8, 0.8, 0.2]

    def test_the_circle_is_half_of_the_square(self) -> None:
        data = make_circle(100_000, error_rate=0, random_state=0)
        assert data.y.mean() == pytest.approx(0.5, abs=0.01)
        assert data.oracle_mean(pd.DataFrame({"x0": [0.0, 0.9], "x1": [0.0, 0.9]})).tolist() == [
            1,
            0,
        ]

    def test_neither_feature_of_xor_says_anything_alone(self) -> None:
        data = make_xor(50_000, random_state=0)
        for name in data.feature_names:
            shares = data.y.groupby(np.floor(data.frame[name] * 5)).mean()
            assert shares.sub(0.5).abs().max() < 0.03

    @pytest.mark.parametrize("make", [make_xor, make_circle])
    @pytest.mark.parametrize("error_rate", [-0.1, 0.5, np.nan])
    def test_an_impossible_error_rate_is_refused(self, make: Any, error_rate: float) -> None:
        with pytest.raises(ValueError, match="error_rate must lie in"):
            make(10, error_rate=error_rate)


def week(data: CrossData) -> np.ndarray:
    """Expected demand, of shape (7, 24)."""
    days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    grid = pd.MultiIndex.from_product([days, range(24)], names=["day", "hour"])
    return data.oracle_mean(grid.to_frame(index=False)).reshape(7, 24)


class TestDayHour:
    def test_without_interaction_effects_add_up(self) -> None:
        table = week(make_day_hour(1, interaction=0.0))
        sums = table.mean(axis=0) + table.mean(axis=1, keepdims=True) - table.mean()
        np.testing.assert_allclose(table, sums)

    def test_the_interaction_is_centered_and_of_the_size_asked_for(self) -> None:
        part = week(make_day_hour(1, interaction=2.0)) - week(make_day_hour(1, interaction=0.0))
        np.testing.assert_allclose(part.mean(axis=0), 0, atol=1e-12)
        np.testing.assert_allclose(part.mean(axis=1), 0, atol=1e-12)
        assert part.std() == pytest.approx(2)

    def test_noise_is_two(self) -> None:
        data = make_day_hour(50_000, random_state=0)
        assert (data.y - data.oracle_mean(data.X)).std() == pytest.approx(2, abs=0.03)


class TestOvercrossing:
    @settings(deadline=None, max_examples=20)
    @given(st.integers(0, 10_000))
    def test_exactly_one_pair_interacts(self, truth: int) -> None:
        data = make_overcrossing(1, truth=truth)
        rng = np.random.default_rng(truth)
        base = {name: rng.integers(6, size=2) for name in data.feature_names}

        def log_odds(changed: dict[str, int]) -> float:
            row = {name: [values[changed.get(name, 0)]] for name, values in base.items()}
            p = data.oracle_mean(pd.DataFrame(row))[0]
            return float(np.log(p / (1 - p)))

        names = data.feature_names
        for i, one in enumerate(names):
            for other in names[i + 1 :]:
                both = log_odds({one: 1, other: 1}) - log_odds({one: 1})
                product = both - log_odds({other: 1}) + log_odds({})
                if (one, other) != overcrossing_pair(truth):
                    assert product == pytest.approx(0, abs=1e-6)

    def test_the_pair_interacts_and_is_invisible_in_each_alone(self) -> None:
        one, other = overcrossing_pair(3)
        data = make_overcrossing(1, truth=3)
        grid = pd.DataFrame({name: np.zeros(36, dtype=int) for name in data.feature_names})
        grid[one], grid[other] = np.divmod(np.arange(36), 6)
        p = data.oracle_mean(grid)
        table = np.log(p / (1 - p)).reshape(6, 6)
        rest = table - table.mean(axis=0) - table.mean(axis=1, keepdims=True) + table.mean()
        assert rest.std() == pytest.approx(1.5)

    @pytest.mark.parametrize("n_pairs", [0, 1, 4, 28])
    def test_as_many_pairs_interact_as_asked_for_and_with_one_strength_in_all(
        self, n_pairs: int
    ) -> None:
        data = make_overcrossing(1, truth=3, n_pairs=n_pairs)
        found = []
        for one, other in combinations(data.feature_names, 2):
            grid = pd.DataFrame({name: np.zeros(36, dtype=int) for name in data.feature_names})
            grid[one], grid[other] = np.divmod(np.arange(36), 6)
            table = logit(data.oracle_mean(grid)).reshape(6, 6)
            rest = table - table.mean(axis=0) - table.mean(axis=1, keepdims=True) + table.mean()
            found += [rest.std()] if rest.std() > 1e-6 else []
        assert len(found) == n_pairs
        assert np.square(found).sum() == pytest.approx(1.5**2 if n_pairs else 0)

    def test_more_pairs_than_there_are_is_refused(self) -> None:
        with pytest.raises(ValueError, match="n_pairs must lie between 0 and 28, got 29"):
            make_overcrossing(1, n_pairs=29)

    def test_truths_differ_and_rows_of_one_truth_share_it(self) -> None:
        X = make_overcrossing(20, random_state=0).X
        one, same, other = (
            make_overcrossing(1, truth=truth, random_state=seed).oracle_mean(X)
            for truth, seed in ((1, 0), (1, 9), (2, 0))
        )
        assert (one == same).all()
        assert (one != other).any()
        assert len({overcrossing_pair(truth) for truth in range(50)}) > 10


class TestHighCardinality:
    @pytest.mark.parametrize(("rank", "expected"), [(1, 1), (3, 3), (None, 30)])
    def test_the_effects_have_the_rank_asked_for(self, rank: int | None, expected: int) -> None:
        data = make_high_cardinality(1, n_levels=30, rank=rank)
        users, items = np.divmod(np.arange(900), 30)
        table = data.oracle_mean(pd.DataFrame({"user": users, "item": items})).reshape(30, 30)
        assert np.linalg.matrix_rank(table) == expected

    @pytest.mark.parametrize("settings", [{"n_levels": 0}, {"rank": 0}])
    def test_numbers_below_one_are_refused(self, settings: dict[str, int]) -> None:
        with pytest.raises(ValueError, match="must be at least 1"):
            make_high_cardinality(10, **settings)


class TestSlopes:
    @pytest.mark.parametrize("spread", [0, 0.5])
    def test_the_slopes_have_the_spread_asked_for(self, spread: float) -> None:
        data = make_slopes(1, n_groups=5000, spread=spread)
        groups = np.arange(5000)
        at_0, at_1 = (data.oracle_mean(pd.DataFrame({"group": groups, "x": x})) for x in (0.0, 1.0))
        assert (at_1 - at_0).std() == pytest.approx(spread, rel=0.05)
        assert (at_1 - at_0).mean() == pytest.approx(1, abs=0.03)

    @pytest.mark.parametrize("settings", [{"n_groups": 0}, {"spread": -1}, {"spread": np.nan}])
    def test_impossible_numbers_are_refused(self, settings: dict[str, float]) -> None:
        with pytest.raises(ValueError, match=r"must be at least 1, got .*, and spread at least 0"):
            make_slopes(10, **settings)  # type: ignore[arg-type]


def test_the_map_has_the_documented_spread_and_noise() -> None:
    data = make_lat_lon(50_000, random_state=0)
    mean = data.oracle_mean(data.X)
    assert mean.std() == pytest.approx(1, abs=0.03)
    assert (data.y - mean).std() == pytest.approx(0.5, abs=0.01)
