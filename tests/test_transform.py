"""The transform pattern: one definition, two executions, one artifact, and what it refuses."""

from __future__ import annotations

import hashlib
import json
import math
import subprocess
import sys
import threading
import zipfile
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import scipy.spatial.distance
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

from datasets import make_bike_rentals
from patterns.transform import (
    ArtifactError,
    Feature,
    Input,
    InputError,
    OnnxTrees,
    ServingArtifact,
    Transform,
    compare,
    describe,
    infer_schema,
    keras_twin,
    statistics_page,
)
from patterns.transform.pattern import KINDS, local_times
from patterns.transform.skew import jensen_shannon

LONDON = "Europe/London"
INPUTS = [
    Input("start", "time"),
    Input("station", "category"),
    Input("weather", "category", categories=["clear", "cloud", "rain"]),
    Input("temperature", "number", nullable=True, minimum=-30, maximum=50),
]
FEATURES = [
    *(Feature(kind, kind, "start", zone=LONDON) for kind in ("hour", "weekday", "month", "minute")),
    Feature("station", "code", min_count=20),
    Feature("weather", "code"),
    Feature("temperature", "number"),
    Feature("warmth", "standardized", "temperature", missing="mean"),
    Feature("range", "min_max", "temperature", missing="median"),
    Feature("no_temperature", "is_missing", "temperature"),
]
PARAMS = {"objective": "reg:squarederror", "max_depth": 4, "nthread": 1}
ROW = {"start": "2015-07-01T07:30:00Z", "station": "Bank", "weather": "rain", "temperature": 9.5}


def rides(n: int = 2000, seed: int = 0) -> Any:
    return make_bike_rentals(n, random_state=seed)


@pytest.fixture(scope="module")
def artifact() -> ServingArtifact:
    train = rides()
    return ServingArtifact.fit(
        Transform(INPUTS, FEATURES), train.X, train.y, PARAMS, 20, describe=describe
    )


@pytest.fixture
def path(artifact: ServingArtifact, tmp_path: Path) -> Path:
    artifact.save(tmp_path / "rides.zip")
    return tmp_path / "rides.zip"


def records(frame: pd.DataFrame) -> list[Any]:
    return frame.to_dict("records")


# Values of each type as serving systems send them, right and wrong ones.
texts = st.one_of(st.sampled_from(["Bank", "Soho", "", "bank", "é"]), st.text(max_size=5))
numbers = st.one_of(
    st.floats(), st.integers(-(2**80), 2**80), st.floats(-30, 50), st.integers(-30, 50)
)
instants = st.builds(
    lambda at, zone, form: at.replace(tzinfo=zone).isoformat(timespec=form, sep="T"),
    st.datetimes(datetime(1969, 1, 1), datetime(2101, 1, 1)),
    st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30)), timezone(-timedelta(hours=9))]),
    st.sampled_from(["minutes", "seconds", "milliseconds", "microseconds"]),
)
nearly_times = st.from_regex(
    r"\A[12]\d{3}-?[012]\d-?[0-3]\d([T t][0-2]\d(:?[0-6]\d(:?[0-6]\d(\.\d{1,7})?)?)?)?"
    r"(Z|z|[+-][0-2]\d(:?[0-6]\d)?)?\Z"
)
anything = st.one_of(
    st.none(),
    st.booleans(),
    numbers,
    texts,
    instants,
    nearly_times,
    st.datetimes(timezones=st.none() | st.just(UTC)),
    st.binary(max_size=3),
    st.just(pd.NA),
    st.just(pd.NaT),
    st.just(np.float32(1.5)),
    st.just(np.int16(3)),
)


class TestOneDefinition:
    def test_one_row_equals_the_same_row_among_many_to_the_last_bit(
        self, artifact: ServingArtifact
    ) -> None:
        frame = rides(500, seed=1).X
        one = [artifact.transform.transform_one(row) for row in records(frame)]
        assert_array_equal(artifact.transform.transform(frame), one)
        predicted = [artifact.predict_one(row) for row in records(frame)]
        assert_array_equal(artifact.predict(frame), predicted)

    @settings(max_examples=300)
    @given(st.data(), st.sampled_from(["number", "category", "time"]), st.booleans())
    def test_what_one_row_takes_or_refuses_many_rows_take_or_refuse(
        self, data: Any, kind: Any, nullable: bool
    ) -> None:
        spec = Input("x", kind, nullable)
        names = [name for name, of in KINDS.items() if of == kind]
        zone = LONDON if kind == "time" else None
        features = [Feature(name, name, "x", zone=zone) for name in names]
        train = {"number": [1.0, 2.0], "category": ["Bank"], "time": ["2015-01-01T00:00Z"]}[kind]
        transform = Transform([spec], features).fit({"x": train})
        own: Any = {"number": numbers, "category": texts, "time": st.one_of(instants, nearly_times)}
        rows = data.draw(
            st.one_of(
                st.lists(own[kind], max_size=4),
                st.lists(st.one_of(own[kind], st.none()), max_size=4),
                st.lists(st.one_of(own[kind], anything), max_size=4),
            )
        )
        one: list[Any] = []
        for value in rows:
            try:
                one.append(transform.transform_one({"x": value}))
            except InputError as error:
                one.append(str(error.violations[0].problem))
        try:
            many = transform.transform({"x": rows})
        except InputError as error:
            refused = {row: v.problem for v in error.violations for row in v.rows}
            assert refused == {i: v for i, v in enumerate(one) if isinstance(v, str)}
        else:
            assert_array_equal(many, np.array(one).reshape(len(rows), len(features)))

    @settings(max_examples=60)
    @given(
        st.lists(st.integers(0, 4_102_444_799), min_size=1, max_size=20),
        st.sampled_from(sorted(available_timezones())),
    )
    def test_the_clock_of_many_is_the_clock_of_each(self, seconds: list[int], zone: str) -> None:
        column = np.array(seconds, dtype="datetime64[s]").astype("datetime64[us]")
        clocks = [datetime.fromtimestamp(s, ZoneInfo(zone)).replace(tzinfo=None) for s in seconds]
        assert_array_equal(local_times(column, zone), np.array(clocks, dtype="datetime64[us]"))

    @pytest.mark.parametrize("zone", ["America/New_York", "Australia/Lord_Howe", "Asia/Gaza"])
    def test_the_clock_is_right_at_every_minute_around_its_changes(self, zone: str) -> None:
        begin = int(datetime(2013, 1, 1, tzinfo=UTC).timestamp())
        days = [begin + 86_400 * day for day in range(366)]
        offset = {day: datetime.fromtimestamp(day, ZoneInfo(zone)).utcoffset() for day in days}
        changing = [day for day in days[:-1] if offset[day] != offset[day + 86_400]]
        assert len(changing) == 2
        seconds = [day + 60 * minute for day in changing for minute in range(1440)]
        column = np.array(seconds, dtype="datetime64[s]").astype("datetime64[us]")
        clocks = [datetime.fromtimestamp(s, ZoneInfo(zone)).replace(tzinfo=None) for s in seconds]
        assert_array_equal(local_times(column, zone), np.array(clocks, dtype="datetime64[us]"))

    @settings(max_examples=25)
    @given(st.permutations(range(40)), st.lists(st.integers(1, 39), max_size=4))
    def test_any_order_and_any_chunks_give_the_same_predictions(
        self, order: list[int], cuts: list[int]
    ) -> None:
        served, frame = SERVED, rides(40, seed=1).X
        whole = served.predict(frame)
        table = pa.Table.from_pandas(frame, preserve_index=False).take(pa.array(order))
        edges = [0, *sorted(set(cuts)), 40]
        parts = [table.slice(a, b - a) for a, b in pairwise(edges)]
        assert_array_equal(served.predict(pa.concat_tables(parts)), whole[order])
        assert_array_equal(np.concatenate([served.predict(p) for p in parts]), whole[order])

    def test_every_kind_of_table_gives_the_same_features(self, artifact: ServingArtifact) -> None:
        frame = rides(50, seed=2).X
        table = pa.Table.from_pandas(frame, preserve_index=False)
        coded = frame.astype({"station": "category", "weather": object})
        instants = frame.assign(start=pd.to_datetime(frame["start"]).dt.tz_convert("Asia/Tokyo"))
        views = table.set_column(1, "station", table["station"].cast(pa.string_view()))
        tables = {
            "table": table,
            "batch": table.to_batches()[0],
            "sliced": pa.concat_tables([table, table]).slice(50),
            "lists": {name: column.tolist() for name, column in frame.items()},
            "arrays": {name: column.to_numpy() for name, column in frame.items()},
            "categories": coded,
            "instants": instants,
            "nanoseconds": instants.assign(start=instants["start"].dt.as_unit("ns")),
            "single": frame.astype({"temperature": "float64"}),
            "dictionary": table.set_column(1, "station", table["station"].dictionary_encode()),
            "views": views,
            "another order": frame[frame.columns[::-1]],
            "another index": frame.set_index(np.arange(50) * 7),
        }
        expected = artifact.transform.transform(frame)
        for name, given_rows in tables.items():
            assert_array_equal(artifact.transform.transform(given_rows), expected, err_msg=name)

    def test_no_rows_give_no_predictions(self, artifact: ServingArtifact) -> None:
        assert artifact.predict(rides(5).X.head(0)).shape == (0,)

    def test_several_threads_get_the_answers_of_one(self, artifact: ServingArtifact) -> None:
        frames = [rides(50, seed=seed).X for seed in range(4)]
        expected = [artifact.predict(frame) for frame in frames]
        wrong: list[int] = []

        def ask(i: int) -> None:
            for _ in range(20):
                one = [artifact.predict_one(row) for row in records(frames[i].head(5))]
                if (artifact.predict(frames[i]) != expected[i]).any() or one != list(
                    expected[i][:5]
                ):
                    wrong.append(i)

        threads = [threading.Thread(target=ask, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        assert not wrong


class TestWhatIsLearned:
    def test_only_the_training_rows_decide(self) -> None:
        train, serving = rides().X, rides(300, seed=3).X
        fitted = Transform(INPUTS, FEATURES).fit(train)
        features = fitted.transform(serving)
        others = serving.assign(temperature=49.0, station="Soho")
        mixed = pd.concat([serving, others], ignore_index=True)
        assert_array_equal(fitted.transform(mixed)[:300], features)

    def test_a_search_fits_it_to_the_training_part_of_each_fold(self) -> None:
        data = rides(600)
        features = [Feature("hour", "hour", "start", zone=LONDON), Feature("station", "code")]
        features.append(Feature("temperature", "standardized", missing="mean"))
        model = make_pipeline(Transform(INPUTS, features), LinearRegression())
        scores = cross_val_score(model, data.X, data.y, cv=3, error_score="raise")
        assert scores.shape == (3,)
        assert np.isfinite(scores).all()

    def test_new_and_rare_and_missing_values_have_codes_of_their_own(self) -> None:
        spec = [Input("x", "category", nullable=True)]
        fitted = Transform(spec, [Feature("x", "code", min_count=2)])
        fitted.fit({"x": ["b", "a", "a", "b", "rare", None]})
        assert fitted.transform({"x": ["a", "b", "rare", "new", None]})[:, 0].tolist() == [
            *(2, 3, 1, 1, 0)
        ]

    def test_names_of_features_come_out(self) -> None:
        names = Transform(INPUTS, FEATURES).get_feature_names_out()
        assert names.tolist() == [feature.name for feature in FEATURES]

    @pytest.mark.parametrize(
        ("inputs", "features", "message"),
        [
            (INPUTS, [Feature("x", "number")], "feature 'x' needs an input 'x' of the type"),
            (INPUTS, [Feature("station", "number")], "'station' needs an input 'station' of the"),
            (INPUTS, [FEATURES[0], FEATURES[0]], "need names, each its own"),
            ([INPUTS[0], INPUTS[0]], [FEATURES[0]], "need names, each its own"),
            (INPUTS, [], "need names, each its own"),
        ],
    )
    def test_a_definition_that_contradicts_itself_is_refused(
        self, inputs: Any, features: Any, message: str
    ) -> None:
        with pytest.raises(ValueError, match=message):
            Transform(inputs, features).fit(rides(10).X)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"kind": "log"}, "kind must be one of"),
            ({"kind": "hour"}, "a zone is needed for times"),
            ({"kind": "code", "zone": LONDON}, "and for nothing else"),
            ({"kind": "hour", "zone": "Europe/Atlantis"}, "has no zone 'Europe/Atlantis'"),
            ({"kind": "hour", "zone": "../../etc/passwd"}, "has no zone"),
            ({"kind": "number", "missing": "mode"}, "missing must be"),
            ({"kind": "code", "min_count": 0}, "min_count must be at least 1, got 0"),
        ],
    )
    def test_a_feature_that_means_nothing_is_refused(self, arguments: Any, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            Feature("x", **arguments)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"type": "text"}, 'must be a "number", "category" or "time"'),
            ({"type": "category", "minimum": 0}, "only a number has a minimum"),
            ({"type": "number", "categories": ["a"]}, "categories are a list"),
            ({"type": "category", "categories": "abc"}, "categories are a list"),
        ],
    )
    def test_an_input_that_means_nothing_is_refused(self, arguments: Any, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            Input("x", **arguments)

    def test_an_input_without_any_value_cannot_be_learned_from(self) -> None:
        frame = rides(20).X.assign(temperature=np.nan)
        with pytest.raises(ValueError, match="'temperature' has no value in any of 20 training"):
            Transform(INPUTS, FEATURES).fit(frame)


class TestBadRows:
    @pytest.mark.parametrize(
        ("field", "value", "problem"),
        [
            ("temperature", "9.5", "must be a number"),
            ("temperature", True, "must be a number"),
            ("temperature", math.inf, "must be finite"),
            ("temperature", 10**400, "must be finite"),
            ("temperature", 50.5, "must be at most 50"),
            ("temperature", -31, "must be at least -30"),
            ("start", "2015-02-30T07:30:00Z", "is no time that exists"),
            ("start", "2015-02-03T07:30:00", "must be a time with its zone"),
            ("start", "2015-02-03T07:60:00Z", "is no time that exists"),
            ("start", "yesterday", "must be a time with its zone"),
            ("start", "1066-10-14T09:00:00Z", "must lie in the years 1970 to 2099"),
            ("start", datetime(2015, 2, 3, 7, 30), "must be a time with its zone"),
            ("start", 1_422_948_600, "must be a time with its zone"),
            ("start", None, "must not be missing"),
            ("station", 7, "must be a text"),
            ("station", None, "must not be missing"),
            ("station", "\ud800", "must be a valid Unicode text"),
            ("weather", "snow", "must be one of"),
        ],
    )
    def test_the_error_says_field_row_and_value(
        self, artifact: ServingArtifact, field: str, value: Any, problem: str
    ) -> None:
        with pytest.raises(InputError, match=problem) as one:
            artifact.predict_one({**ROW, field: value})
        rows = {name: [ROW[name], ROW[name], ROW[name]] for name in ROW}
        rows[field] = [ROW[field], value, ROW[field]]
        with pytest.raises(InputError, match=problem) as many:
            artifact.predict(rows)
        (violation,) = many.value.violations
        assert (violation.field, violation.rows) == (field, (1,))
        assert f"{field!r} {problem}" in str(one.value)
        assert f"row 1: {ascii(value)[:20]}" in str(many.value)

    def test_all_wrong_rows_are_listed_and_a_few_shown(self, artifact: ServingArtifact) -> None:
        frame = rides(100).X.assign(temperature=99.0, weather="snow")
        with pytest.raises(InputError) as refused:
            artifact.predict(frame)
        fields = {violation.field: violation for violation in refused.value.violations}
        assert fields["temperature"].rows == tuple(range(100))
        assert set(fields) == {"temperature", "weather"}
        assert "row 2: 99.0 and 97 more" in str(refused.value)
        assert len(str(refused.value)) < 500

    @pytest.mark.parametrize("one", [True, False], ids=["one row", "many rows"])
    def test_columns_are_those_of_the_schema(self, artifact: ServingArtifact, one: bool) -> None:
        def ask(row: Any) -> Any:
            if one:
                return artifact.predict_one(row)
            return artifact.predict({name: [value] for name, value in row.items()})

        with pytest.raises(InputError, match=r"'statoin' is no input; did you mean 'station'\?"):
            ask({**ROW, "statoin": "Bank"})
        with pytest.raises(InputError, match="'end' is no input; the inputs are"):
            ask({**ROW, "end": "2015-07-01T07:45:00Z"})
        with pytest.raises(InputError, match="'weather' is not there"):
            ask({name: value for name, value in ROW.items() if name != "weather"})

    def test_a_column_that_is_there_twice_is_refused(self, artifact: ServingArtifact) -> None:
        frame = rides(3).X
        twice = pd.concat([frame, frame[["station"]]], axis=1)
        with pytest.raises(InputError, match="'station' is there twice"):
            artifact.predict(twice)

    def test_columns_of_other_lengths_and_single_values_are_refused(
        self, artifact: ServingArtifact
    ) -> None:
        with pytest.raises(InputError, match="must be as many in each column"):
            artifact.predict(
                {name: [value] * (2 if name == "start" else 1) for name, value in ROW.items()}
            )
        with pytest.raises(InputError, match="'start' must be a column, got"):
            artifact.predict(ROW)

    def test_what_is_no_table_is_refused(self, artifact: ServingArtifact) -> None:
        with pytest.raises(TypeError, match="rows must be an Arrow table, a frame or a mapping"):
            artifact.predict([ROW])

    @pytest.mark.parametrize("row", [None, [], "Bank", rides(1).X.iloc[0]])
    def test_what_is_no_row_is_refused(self, artifact: ServingArtifact, row: Any) -> None:
        with pytest.raises(TypeError, match="a row must be a mapping of input to value, got"):
            artifact.predict_one(row)

    def test_a_transform_must_be_fitted(self, artifact: ServingArtifact) -> None:
        transform = Transform(INPUTS, FEATURES)
        for ask in (
            lambda: transform.transform(rides(1).X),
            lambda: transform.transform_one(ROW),
            lambda: transform.to_dict(),
            lambda: ServingArtifact(transform, artifact.booster),
        ):
            with pytest.raises(NotFittedError):
                ask()

    def test_a_naive_column_of_times_is_refused(self, artifact: ServingArtifact) -> None:
        frame = rides(3).X
        naive = frame.assign(start=pd.to_datetime(frame["start"]).dt.tz_localize(None))
        with pytest.raises(InputError, match="'start' must be a time with its zone"):
            artifact.predict(naive)

    @pytest.mark.parametrize(
        ("y", "message"),
        [([1.0] * 9, r"y must hold 10 finite numbers"), ([1.0] * 9 + [np.nan], "1 are missing")],
    )
    def test_a_target_that_does_not_fit_is_refused(self, y: Any, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            ServingArtifact.fit(Transform(INPUTS, FEATURES), rides(10).X, y, PARAMS)

    def test_several_outputs_per_row_are_refused(self) -> None:
        params = {"objective": "multi:softprob", "num_class": 3, "nthread": 1}
        with pytest.raises(ValueError, match="params must give one output per row"):
            ServingArtifact.fit(
                Transform(INPUTS, FEATURES), rides(30).X, np.arange(30) % 3, params, 2
            )


class TestTheFile:
    def test_a_fresh_process_predicts_the_same_bits(
        self, artifact: ServingArtifact, path: Path
    ) -> None:
        code = (
            "import json, sys\n"
            "from patterns.transform import ServingArtifact\n"
            "artifact = ServingArtifact.load(sys.argv[1])\n"
            "rows = json.loads(sys.argv[2])\n"
            "print(json.dumps([artifact.predict_one(row).hex() for row in rows]))\n"
        )
        rows = [ROW, {**ROW, "temperature": None}, {**ROW, "station": "Heathrow"}]
        command = [sys.executable, "-W", "error", "-c", code, str(path), json.dumps(rows)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
        assert json.loads(done.stdout) == [artifact.predict_one(row).hex() for row in rows]

    def test_it_comes_back_as_it_was(self, artifact: ServingArtifact, path: Path) -> None:
        loaded = ServingArtifact.load(path)
        assert loaded.version == artifact.version
        assert loaded.schema == artifact.schema
        assert loaded.schema_version == artifact.schema_version
        assert loaded.statistics == artifact.statistics
        assert loaded.provenance == artifact.provenance
        loaded.save(path.with_name("again.zip"))
        assert path.with_name("again.zip").read_bytes() == path.read_bytes()

    def test_the_same_content_is_the_same_file(self, path: Path) -> None:
        train = rides()
        again = ServingArtifact.fit(
            Transform(INPUTS, FEATURES), train.X, train.y, PARAMS, 20, describe=describe
        )
        again.save(path.with_name("again.zip"))
        assert path.with_name("again.zip").read_bytes() == path.read_bytes()

    def test_the_version_is_that_of_the_content(self, artifact: ServingArtifact) -> None:
        noted = artifact.with_provenance(metrics={"rmse": 9.7})
        assert noted.provenance["metrics"] == {"rmse": 9.7}
        assert noted.version != artifact.version
        assert noted.schema_version == artifact.schema_version

    def test_the_schema_is_ready_for_json(self, artifact: ServingArtifact) -> None:
        assert json.loads(json.dumps(artifact.schema)) == artifact.schema
        assert artifact.schema["temperature"] == {
            "type": "number",
            "nullable": True,
            "minimum": -30,
            "maximum": 50,
            "categories": None,
        }
        assert artifact.schema["weather"]["categories"] == ["clear", "cloud", "rain"]

    def test_provenance_says_where_it_comes_from(self, artifact: ServingArtifact) -> None:
        assert artifact.provenance["rows"] == 2000
        assert artifact.provenance["params"] == PARAMS
        assert {"numpy", "pyarrow"} <= set(artifact.provenance["versions"])
        other = rides(2000, seed=1)
        fitted = ServingArtifact.fit(Transform(INPUTS, FEATURES), other.X, other.y, PARAMS, 20)
        assert fitted.provenance["fingerprint"] != artifact.provenance["fingerprint"]

    def test_what_fit_was_given_is_left_as_it_was(self) -> None:
        transform = Transform(INPUTS, FEATURES)
        ServingArtifact.fit(transform, rides(50).X, rides(50).y, PARAMS, 2)
        assert not hasattr(transform, "learned_")

    def test_a_file_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match="there is no artifact"):
            ServingArtifact.load(tmp_path / "none.zip")

    @pytest.mark.parametrize("cut", [0, 1, 100, 5_000, -100, -1])
    def test_a_truncated_file_is_refused(self, path: Path, cut: int) -> None:
        path.write_bytes(path.read_bytes()[:cut])
        with pytest.raises(ArtifactError, match="is no artifact"):
            ServingArtifact.load(path)

    @settings(max_examples=60)
    @given(st.integers(0, 10**9), st.integers(1, 255))
    def test_a_flipped_byte_is_refused_or_without_effect(
        self, tmp_path_factory: pytest.TempPathFactory, where: int, by: int
    ) -> None:
        path = tmp_path_factory.mktemp("flipped") / "rides.zip"
        SERVED.save(path)
        content = bytearray(path.read_bytes())
        content[where % len(content)] ^= by
        path.write_bytes(bytes(content))
        try:
            loaded = ServingArtifact.load(path)
        except ArtifactError:
            return
        assert loaded.version == SERVED.version  # of bytes that hold no content, such as a date

    def rewritten(self, path: Path, **members: bytes | None) -> Path:
        """The file with other members, and checksums to match: the work of an adversary."""
        with zipfile.ZipFile(path) as file:
            content: dict[str, bytes] = {name: file.read(name) for name in file.namelist()}
        for name, new in members.items():
            name = name.replace("__", ".")
            if new is None:
                del content[name]
            else:
                content[name] = new
        manifest = json.loads(content["manifest.json"])
        if "manifest__json" not in members:
            manifest["sha256"] = {
                name: hashlib.sha256(value).hexdigest()
                for name, value in content.items()
                if name != "manifest.json"
            }
            content["manifest.json"] = json.dumps(manifest).encode()
        with zipfile.ZipFile(path, "w") as file:
            for name, value in content.items():
                file.writestr(name, value)
        return path

    def test_a_pickle_is_refused_and_not_run(self, path: Path, tmp_path: Path) -> None:
        trap = tmp_path / "trap"
        pickle = f"cpathlib\nPath\n(S'{trap}'\ntR.".encode()
        path.write_bytes(pickle)
        with pytest.raises(ArtifactError, match="is no artifact"):
            ServingArtifact.load(path)
        for member in ("trees__ubj", "transform__json", "statistics__json"):
            SERVED.save(path)
            with pytest.raises(ArtifactError):
                ServingArtifact.load(self.rewritten(path, **{member: pickle}))

    def test_another_format_is_refused(self, path: Path) -> None:
        manifest = {"format": 2, "schema_version": "", "sha256": {}}
        self.rewritten(path, manifest__json=json.dumps(manifest).encode())
        with pytest.raises(ArtifactError, match="its format is 2; this code reads 1"):
            ServingArtifact.load(path)

    def test_a_missing_or_additional_member_is_refused(self, path: Path) -> None:
        with pytest.raises(ArtifactError, match="it holds"):
            ServingArtifact.load(self.rewritten(path, statistics__json=None))
        SERVED.save(path)
        with pytest.raises(ArtifactError, match="it holds"):
            ServingArtifact.load(self.rewritten(path, code__py=b"print('run')"))

    def test_a_file_that_unpacks_to_too_much_is_refused(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("patterns.transform.pattern.MAX_BYTES", 1000)
        with pytest.raises(ArtifactError, match="bytes, unpacked"):
            ServingArtifact.load(path)

    def test_a_model_of_another_schema_is_refused(self, path: Path, tmp_path: Path) -> None:
        train = rides(200)
        features = [FEATURES[0], FEATURES[4]]
        other = ServingArtifact.fit(Transform(INPUTS, features), train.X, train.y, PARAMS, 2)
        trees = bytes(other.booster.save_raw("ubj"))
        with pytest.raises(ArtifactError, match="the model has the features"):
            ServingArtifact.load(self.rewritten(path, trees__ubj=trees))
        with pytest.raises(ArtifactError, match="the model has the features"):
            ServingArtifact(other.transform, SERVED.booster)

    def test_a_schema_that_was_altered_is_refused(self, path: Path) -> None:
        content = SERVED.transform.to_dict()
        content["inputs"][3]["maximum"] = 500.0
        with pytest.raises(ArtifactError, match="another schema than its manifest says"):
            ServingArtifact.load(self.rewritten(path, transform__json=json.dumps(content).encode()))

    @pytest.mark.parametrize(
        "content",
        [b"", b"[]", b"{}", b"[" * 100_000, b'{"inputs": [{"x": 1}]}', b'{"inputs": 1}', b"\xff"],
    )
    def test_a_transform_that_is_none_is_refused(self, path: Path, content: bytes) -> None:
        with pytest.raises(ArtifactError, match="cannot be used"):
            ServingArtifact.load(self.rewritten(path, transform__json=content))

    def test_the_versions_that_are_asked_for_must_be_there(
        self, artifact: ServingArtifact, path: Path
    ) -> None:
        versions = {"version": artifact.version, "schema_version": artifact.schema_version}
        assert ServingArtifact.load(path, **versions).version == artifact.version
        for name in versions:
            with pytest.raises(ArtifactError, match=f"has the {name} .*, not 12"):
                ServingArtifact.load(path, **{name: "12"})  # type: ignore[arg-type]

    def test_saving_over_a_file_leaves_nothing_beside_it(self, path: Path) -> None:
        SERVED.save(path)
        assert [entry.name for entry in path.parent.iterdir()] == ["rides.zip"]

    def test_saving_where_there_is_no_folder_fails(
        self, artifact: ServingArtifact, tmp_path: Path
    ) -> None:
        with pytest.raises(FileNotFoundError):
            artifact.save(tmp_path / "none" / "rides.zip")


class TestOnnx:
    def test_it_agrees_with_the_booster_and_one_row_with_many(
        self, artifact: ServingArtifact, path: Path
    ) -> None:
        fast = ServingArtifact.load(path, engine=OnnxTrees)
        frame = rides(300, seed=1).X
        predicted = fast.predict(frame)
        assert_allclose(predicted, artifact.predict(frame), rtol=1e-6)
        assert_array_equal(predicted, [fast.predict_one(row) for row in records(frame)])
        assert fast.version == artifact.version

    def test_probabilities_agree_to_3e_7(self) -> None:
        train = rides(1000)
        params = {**PARAMS, "objective": "binary:logistic"}
        booster = ServingArtifact.fit(
            Transform(INPUTS, FEATURES), train.X, train.y > 15, params, 100
        )
        fast = ServingArtifact(booster.transform, booster.booster, engine=OnnxTrees)
        assert np.abs(fast.predict(train.X) - booster.predict(train.X)).max() <= 3e-7

    def test_an_objective_that_the_converter_gets_wrong_is_refused(self) -> None:
        train = rides(300)
        params = {**PARAMS, "objective": "reg:logistic"}
        booster = ServingArtifact.fit(
            Transform(INPUTS, FEATURES), train.X, train.y / 200, params, 5
        ).booster
        with pytest.raises(ValueError, match=r"the predictions differ by .* of the largest"):
            OnnxTrees(booster)


class TestStatistics:
    def test_numbers_texts_and_times_are_described(self) -> None:
        columns = {
            "number": np.array([1.0, 2.0, 2.0, np.nan]),
            "category": pa.array(["b", "a", "b", None]),
            "time": np.array(["2015-01-01T00:00", "2015-01-03T00:00", "NaT"], "datetime64[us]"),
        }
        found = describe({"inputs": columns})["inputs"]
        assert json.loads(json.dumps(found)) == found
        number = found["number"]
        assert (number["type"], number["rows"], number["missing"], number["unique"]) == (
            *("number", 4, 1, 2),
        )
        assert (number["mean"], number["quantiles"][0], number["quantiles"][-1]) == (5 / 3, 1, 2)
        assert sum(number["counts"]) == 3
        assert found["category"]["counts"] == {"b": 2, "a": 1}
        assert found["time"]["min"].startswith("2015-01-01")
        assert found["time"]["missing"] == 1

    @given(st.lists(st.floats(-1e6, 1e6) | st.just(math.nan), min_size=1, max_size=40))
    def test_bins_hold_all_numbers_and_none_twice(self, values: list[float]) -> None:
        column = np.array(values)
        found = describe({"": {"x": column}})[""]["x"]
        known = column[~np.isnan(column)]
        assert sum(found["counts"]) == len(known) == found["rows"] - found["missing"]
        again = describe({"": {"x": known[::-1]}}, {"": {"x": found}})[""]["x"]
        assert again["counts"] == found["counts"]

    def test_more_categories_than_can_be_kept_are_counted_together(self) -> None:
        column = pa.array([f"v{i:04}" for i in range(1500)] + ["top"] * 5)
        found = describe({"": {"x": column}})
        assert found[""]["x"]["unique"] == 1501
        assert len(found[""]["x"]["counts"]) == 1001
        assert found[""]["x"]["counts"]["(all others)"] == 501
        table = compare(found, describe({"": {"x": column}}, found))
        assert not table["alarm"].any()
        assert (table["value"] == 0).all()

    def test_a_schema_is_inferred_and_makes_inputs(self) -> None:
        frame = rides(200).frame
        found = infer_schema(frame)
        assert found[0] == {"name": "start", "type": "time", "nullable": False}
        assert {"name": "temperature", "type": "number", "nullable": True} in found
        assert infer_schema(pa.Table.from_pandas(frame, preserve_index=False)) == found
        Transform([Input(**spec) for spec in found], FEATURES).fit(frame)

    @pytest.mark.parametrize("values", [[True, False], [None, None], [[1], [2]], [b"a", b"b"]])
    def test_a_column_that_is_no_input_is_named(self, values: list[Any]) -> None:
        with pytest.raises(ValueError, match="column 'x' has the type"):
            infer_schema({"x": values})


class TestCompare:
    def served(self, artifact: ServingArtifact, **changes: Any) -> Any:
        columns = artifact.transform.columns(rides(2000, seed=9).X)
        for name, change in changes.items():
            columns["inputs"][name] = change(columns["inputs"][name])
        return compare(artifact.statistics, describe(columns, artifact.statistics))

    def test_rows_of_the_same_source_are_no_alarm(self, artifact: ServingArtifact) -> None:
        assert not self.served(artifact)["alarm"].any()

    def test_what_has_changed_is_found_and_named_first(self, artifact: ServingArtifact) -> None:
        def fahrenheit(column: Any) -> Any:
            return column * 1.8 + 32

        def renamed(column: Any) -> Any:
            return pa.array([v if v != "Bank" else "Bank Street" for v in column.to_pylist()])

        def gone(column: Any) -> Any:
            return np.where(np.arange(len(column)) % 10 == 0, np.nan, column)

        for field, change, distance in [
            ("temperature", fahrenheit, "jensen_shannon"),
            ("temperature", gone, "missing"),
            ("station", renamed, "new_values"),
        ]:
            table = self.served(artifact, **{field: change})
            alarms = table[table["alarm"]]
            assert set(alarms["name"]) == {field}
            assert distance in set(alarms["distance"])
            assert table["alarm"].iloc[0]

    def test_a_tolerance_silences_small_distances_only(self, artifact: ServingArtifact) -> None:
        columns = artifact.transform.columns(rides(2000, seed=9).X)
        columns["inputs"]["temperature"] = columns["inputs"]["temperature"] + 1.5
        serving = describe(columns, artifact.statistics)
        for tolerance, expected in ((0.0, True), (0.5, False)):
            table = compare(artifact.statistics, serving, tolerance=tolerance)
            assert table["alarm"].any() == expected

    def test_what_another_code_made_is_told_from_what_the_transform_makes(
        self, artifact: ServingArtifact
    ) -> None:
        frame = rides(2000, seed=9).X
        logged = artifact.transform.transform(frame)
        logged[:, 1] = (logged[:, 1] + 1) % 7 + 1  # weekdays from Sunday = 1
        serving = describe(artifact.transform.columns(frame, logged), artifact.statistics)
        table = compare(artifact.statistics, serving)
        assert set(table.loc[table["alarm"], "name"]) == {"weekday"}

    def test_the_same_call_gives_the_same_table(self, artifact: ServingArtifact) -> None:
        pd.testing.assert_frame_equal(self.served(artifact), self.served(artifact))

    @settings(max_examples=40)
    @given(st.lists(st.integers(0, 50), min_size=2, max_size=6), st.data())
    def test_distances_are_zero_for_equals_symmetric_and_at_most_one(
        self, counts: list[int], data: Any
    ) -> None:
        p = np.array(counts) + 1
        q = np.array(data.draw(st.permutations(counts))) + np.eye(len(counts), dtype=int)[0] * 7 + 1
        assert jensen_shannon(p, p) == 0
        assert jensen_shannon(p, 3 * p) < 1e-7
        assert jensen_shannon(p, q) == pytest.approx(float(jensen_shannon(q, p)))
        expected = scipy.spatial.distance.jensenshannon(p, q, base=2)
        assert float(jensen_shannon(p, q)) == pytest.approx(expected, abs=1e-7)
        assert jensen_shannon([1, 0], [0, 1]) == 1

    def test_statistics_that_do_not_fit_are_refused(self, artifact: ServingArtifact) -> None:
        other = describe(artifact.transform.columns(rides(100, seed=1).X))
        with pytest.raises(ValueError, match="described in other bins"):
            compare(artifact.statistics, other)
        with pytest.raises(ValueError, match="both must describe the same columns"):
            compare(artifact.statistics, {"inputs": {}, "features": {}})
        with pytest.raises(ValueError, match="rate must lie strictly between 0 and 1"):
            compare(artifact.statistics, artifact.statistics, rate=0)
        with pytest.raises(ValueError, match="tolerance must not be negative"):
            compare(artifact.statistics, artifact.statistics, tolerance=-1)

    def test_no_rows_and_one_row_are_compared_too(self, artifact: ServingArtifact) -> None:
        for n in (0, 1):
            columns = artifact.transform.columns(rides(5, seed=1).X.head(n))
            table = compare(artifact.statistics, describe(columns, artifact.statistics))
            assert not table["alarm"].any()


class TestThePage:
    def test_it_stands_alone_and_escapes_what_rows_hold(self, artifact: ServingArtifact) -> None:
        frame = rides(500, seed=1).X
        frame.loc[0, "station"] = "<script>alert(1)</script>"
        serving = describe(artifact.transform.columns(frame), artifact.statistics)
        table = compare(artifact.statistics, serving)
        page = statistics_page(artifact.statistics, serving, table, "Rides & more")
        assert "<script" not in page
        assert "http" not in page
        assert "Rides &amp; more" in page
        assert page.count("<svg") == sum(
            "counts" in s for of in serving.values() for s in of.values()
        )
        assert "&lt;script" in page
        assert "distances are alarms" in page

    def test_training_alone_and_columns_without_values_are_shown(
        self, artifact: ServingArtifact
    ) -> None:
        assert "serving" not in statistics_page(artifact.statistics).split("</style>")[
            1
        ].lower().replace("training and serving", "")
        columns = artifact.transform.columns(rides(5).X.head(0))
        empty = describe(columns, artifact.statistics)
        assert "<svg" in statistics_page(artifact.statistics, empty)


class TestTheKerasTwin:
    @pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
    def test_it_makes_the_same_features_and_comes_back_from_one_file(self, tmp_path: Path) -> None:
        import keras
        import tensorflow as tf

        inputs = [
            *INPUTS[:2],
            Input("weather", "category", nullable=True),
            Input("temperature", "number", nullable=True),
        ]
        features = [
            f if f.zone is None else Feature(f.name, f.kind, f.input, zone="America/St_Johns")
            for f in FEATURES
        ]
        train = rides(500)
        transform = Transform(inputs, features).fit(train.X)
        twin = keras_twin(transform.to_dict())
        frame = rides(200, seed=1).X
        frame.loc[3, "station"] = "Heathrow"
        frame["start"] = [
            f"{year}-{day}Z"
            for year, day in zip(
                np.arange(1971, 2100).repeat(2)[:200],
                ["03-01T00:00", "11-05T03:29:59"] * 100,
                strict=True,
            )
        ]
        given_rows = {
            name: tf.constant(
                frame[[name]].to_numpy(object if name != "temperature" else "float32").tolist()
            )
            for name in frame
        }
        layers = keras.Model(twin.inputs, twin.get_layer("features").output)
        made = layers.predict(given_rows, verbose=0)
        assert_allclose(made, transform.transform(frame), atol=1e-5)
        expected = twin.predict(given_rows, verbose=0)
        twin.save(tmp_path / "twin.keras")
        loaded = keras.models.load_model(tmp_path / "twin.keras", safe_mode=True)
        assert_array_equal(loaded.predict(given_rows, verbose=0), expected)

    def test_the_empty_text_cannot_be_a_value(self) -> None:
        transform = Transform([Input("x", "category")], [Feature("x", "code")]).fit(
            {"x": ["", "a"]}
        )
        with pytest.raises(ValueError, match="the empty text stands for missing"):
            keras_twin(transform.to_dict())


def _served() -> ServingArtifact:
    train = rides(300)
    return ServingArtifact.fit(Transform(INPUTS, FEATURES), train.X, train.y, PARAMS, 5)


SERVED = _served()  # for properties, which take no fixture of a function
