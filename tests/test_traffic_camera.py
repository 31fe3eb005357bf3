"""The traffic camera data set: what it holds, and that it follows its oracle."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score

from datasets import DataValidationError, TrafficCamera, make_traffic_camera, validate
from datasets.traffic_camera import effective_limit

KINDS = ["interacting", "irrelevant", "independent"]


@pytest.fixture(scope="module", params=KINDS)
def cars(request: pytest.FixtureRequest) -> TrafficCamera:
    return make_traffic_camera(40_000, metadata=request.param, random_state=0)


def conditions(**columns: Any) -> pd.DataFrame:
    usual = {"speed_limit": 60, "hour": 12, "school_zone": 0, "weather": "dry"}
    return pd.DataFrame([{**usual, **columns}])


class TestTrafficCamera:
    def test_it_has_four_columns_a_label_and_its_keys(self, cars: TrafficCamera) -> None:
        assert cars.feature_names == ("measured_speed", "hour", "school_zone", "weather")
        assert cars.target_names == ("label",)
        assert cars.frame.shape == (40_000, 9)
        validate(cars.frame, "traffic_camera")

    def test_another_weather_breaks_the_schema(self) -> None:
        frame = make_traffic_camera(3, random_state=0).frame
        frame.loc[1, "weather"] = "hail"
        with pytest.raises(DataValidationError, match="row 1: 'hail'"):
            validate(frame, "traffic_camera")

    def test_the_images_are_real_digits_that_say_the_limit(self) -> None:
        data = make_traffic_camera(200, random_state=0)
        digits = load_digits()
        assert data.images.shape == (200, 8, 8)
        assert (data.images.min(), data.images.max()) == (0, 1)
        ids = data.frame["image_id"].to_numpy()
        np.testing.assert_array_equal(data.images * 16, digits.images[ids])
        np.testing.assert_array_equal(data.frame["speed_limit"], 10 * digits.target[ids])

    def test_a_shifted_sign_is_whole_and_everything_else_is_the_same(self) -> None:
        still = make_traffic_camera(300, random_state=0)
        shifted = make_traffic_camera(300, max_shift=2, random_state=0)
        assert shifted.images.shape == (300, 12, 12)
        for i, (top, left) in enumerate(shifted.frame[["top", "left"]].to_numpy()):
            picture = shifted.images[i]
            np.testing.assert_array_equal(picture[top : top + 8, left : left + 8], still.images[i])
            assert picture.sum() == pytest.approx(still.images[i].sum())
        places = ["top", "left"]
        pd.testing.assert_frame_equal(
            shifted.frame.drop(columns=places), still.frame.drop(columns=places)
        )
        counts = shifted.frame[places].value_counts()
        assert len(counts) == 25

    @given(st.integers(0, 5), st.sampled_from(KINDS))
    def test_no_image_is_in_two_parts(self, partition: int, metadata: Any) -> None:
        ids = [
            set(
                make_traffic_camera(
                    500, part=part, metadata=metadata, partition=partition, random_state=1
                ).frame["image_id"]
            )
            for part in ("train", "validation", "test")
        ]
        assert not ids[0] & ids[1]
        assert not (ids[0] | ids[1]) & ids[2]

    def test_the_parts_have_60_20_and_20_percent_of_the_images(self) -> None:
        sizes = [
            make_traffic_camera(20_000, part=part, random_state=0).frame["image_id"].nunique()
            for part in ("train", "validation", "test")
        ]
        assert np.allclose(np.array(sizes) / 1260, [0.6, 0.2, 0.2], atol=0.001)

    def test_few_images_are_reused(self) -> None:
        data = make_traffic_camera(1000, n_images=30, random_state=0)
        assert data.frame["image_id"].nunique() == 30

    def test_the_same_seed_makes_the_same_cars(self) -> None:
        first, again, other = (
            make_traffic_camera(50, random_state=seed).frame for seed in (1, 1, 2)
        )
        pd.testing.assert_frame_equal(first, again)
        assert not first.equals(other)

    def test_the_labels_follow_the_oracle(self, cars: TrafficCamera) -> None:
        proba = cars.oracle_proba()
        label = cars.y.to_numpy()
        for low in np.arange(0, 1, 0.1):
            chosen = (proba >= low) & (proba <= low + 0.1)
            if chosen.any():
                expected = proba[chosen].mean()
                error = np.sqrt(expected * (1 - expected) / chosen.sum()) + 1e-9
                assert abs(label[chosen].mean() - expected) < 4 * error

    def test_the_oracle_is_hardly_ever_unsure_of_a_violation(self) -> None:
        data = make_traffic_camera(20_000, random_state=0)
        assert accuracy_score(data.y, data.oracle_proba() > 0.5) == pytest.approx(0.968, abs=0.005)

    def test_irrelevant_columns_have_no_influence(self) -> None:
        data = make_traffic_camera(2000, metadata="irrelevant", random_state=0)
        np.testing.assert_array_equal(data.y, data.frame["speed_limit"] >= 60)
        for column in ("measured_speed", "hour", "school_zone"):
            assert abs(np.corrcoef(data.frame[column], data.y)[0, 1]) < 0.06

    def test_independent_evidence_is_independent_given_the_label(self) -> None:
        data = make_traffic_camera(40_000, metadata="independent", random_state=0)
        for _, group in data.frame.groupby("label"):
            assert abs(np.corrcoef(group["speed_limit"], group["measured_speed"])[0, 1]) < 0.03


class TestEffectiveLimit:
    @pytest.mark.parametrize(
        ("columns", "expected"),
        [
            ({}, 60),
            ({"weather": "rain"}, 50),
            ({"weather": "snow"}, 40),
            ({"weather": "rain", "speed_limit": 50}, 50),
            ({"weather": "snow", "speed_limit": 50}, 40),
            ({"school_zone": 1}, 30),
            ({"school_zone": 1, "hour": 6}, 60),
            ({"school_zone": 1, "hour": 7}, 30),
            ({"school_zone": 1, "hour": 16}, 30),
            ({"school_zone": 1, "hour": 17}, 60),
            ({"school_zone": 1, "weather": "snow", "speed_limit": 30}, 20),
            ({"weather": "snow", "speed_limit": 30}, 20),
        ],
    )
    def test_it_follows_the_rules(self, columns: dict[str, Any], expected: float) -> None:
        assert effective_limit(conditions(**columns))[0] == expected


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_samples": 0}, "n_samples must be at least 1, got 0"),
        ({"part": "tests"}, "part must be one of .* got 'tests'"),
        ({"metadata": "none"}, "metadata must be one of .* got 'none'"),
        ({"n_images": 5}, "n_images must be between 20 and 756"),
        ({"n_images": 253, "part": "test"}, "n_images must be between 20 and 252"),
        ({"max_shift": -1}, "max_shift must be at least 0, got -1"),
    ],
)
def test_numbers_and_names_out_of_range_are_refused(settings: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_traffic_camera(**settings)
