"""The bike rentals data set: what it holds, and that it follows its oracle."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from datasets import BikeRentals, DataValidationError, make_bike_rentals, validate


@pytest.fixture(scope="module")
def rides() -> BikeRentals:
    return make_bike_rentals(60_000, random_state=0)


def ride(start: str, **columns: object) -> pd.DataFrame:
    usual = {"station": "Waterloo", "weather": "clear", "temperature": np.nan}
    return pd.DataFrame([{"start": start, **usual, **columns}])


def mean(start: str, **columns: object) -> float:
    return float(make_bike_rentals(1).oracle_mean(ride(start, **columns))[0])


def test_they_have_four_features_and_one_target(rides: BikeRentals) -> None:
    assert rides.feature_names == ("start", "station", "weather", "temperature")
    assert rides.target_names == ("minutes",)
    validate(rides.frame, "bike_rentals")


def test_a_time_without_its_zone_breaks_the_schema() -> None:
    frame = make_bike_rentals(3, random_state=0).frame
    frame.loc[1, "start"] = "2015-07-01T07:45:00"
    with pytest.raises(DataValidationError, match="row 1: '2015-07-01T07:45:00'"):
        validate(frame, "bike_rentals")


def test_the_same_seed_makes_the_same_rides() -> None:
    first, again, other = (make_bike_rentals(50, random_state=s).frame for s in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)


def test_the_minutes_follow_the_oracle(rides: BikeRentals) -> None:
    expected = rides.oracle_mean(rides.X)
    hour = pd.to_datetime(rides.frame["start"]).dt.tz_convert(rides.zone).dt.hour
    missing = rides.frame["temperature"].isna()
    for group in (hour, rides.frame["station"], rides.frame["weather"], missing):
        error = (rides.y - expected).groupby(group.to_numpy())
        assert (error.mean().abs() < 4.5 * error.std() / np.sqrt(error.size())).all()


def test_the_oracle_is_the_documented_formula() -> None:
    # Eight o'clock on a Wednesday: in winter this is UTC, in summer it is seven in UTC.
    assert mean("2015-01-14T08:00:00Z") == pytest.approx(0.85 * 11 + 0.15 * 26)
    assert mean("2015-07-15T07:00:00Z") == pytest.approx(0.85 * 11 + 0.15 * 26)
    assert mean("2015-07-15T09:30:00Z") == pytest.approx(0.3 * 11 + 0.7 * 26)
    sunday = "2015-01-18T14:00:00Z"
    assert mean(sunday, station="Hyde Park") == pytest.approx(0.05 * 15 + 0.95 * 42)
    assert mean(sunday, weather="rain") == pytest.approx(0.05 * 11 + 0.95 * 19)
    hot, hotter = (mean(sunday, temperature=celsius) for celsius in (30.0, 40.0))
    assert hot == hotter == pytest.approx(0.05 * 11 + 0.95 * (26 + 0.8 * 9))


def test_people_live_by_the_wall_clock(rides: BikeRentals) -> None:
    utc = pd.to_datetime(rides.frame["start"])
    workday = utc.dt.day_of_week < 5
    for month, busiest in ((1, 8), (7, 7)):
        morning = utc[workday & (utc.dt.month == month) & (utc.dt.hour < 12)]
        assert morning.dt.hour.mode()[0] == busiest


def test_rides_lie_within_the_days_asked_for_and_in_order() -> None:
    frame = make_bike_rentals(500, since="2016-06-01", until="2016-06-03", random_state=0).frame
    start = pd.to_datetime(frame["start"])
    assert start.is_monotonic_increasing
    assert start.dt.tz_convert("Europe/London").dt.day.isin([1, 2]).all()
    assert (pd.to_datetime(frame["end"]) >= start).all()


def test_the_share_of_missing_temperatures_is_the_one_asked_for() -> None:
    for rate in (0.0, 0.3):
        frame = make_bike_rentals(20_000, missing_rate=rate, random_state=0).frame
        assert frame["temperature"].isna().mean() == pytest.approx(rate, abs=0.01)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_samples": 0}, "n_samples must be at least 1, got 0"),
        ({"missing_rate": 1.0}, r"missing_rate must lie in \[0, 1\), got 1.0"),
        ({"since": "2016-01-01"}, "until must lie after since"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_bike_rentals(**arguments)  # type: ignore[arg-type]


def test_the_oracle_names_what_it_does_not_know() -> None:
    with pytest.raises(ValueError, match=r"station has \['Heathrow'\]"):
        mean("2015-01-14T08:00:00Z", station="Heathrow")
    with pytest.raises(ValueError, match=r"X lacks the columns \['weather'\]"):
        make_bike_rentals(1).oracle_mean(ride("2015-01-14T08:00:00Z").drop(columns="weather"))
