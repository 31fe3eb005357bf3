"""Stateless serving: one function of request and snapshot, its swap, and what strangers send."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from starlette.testclient import TestClient

from patterns._kit import serving
from patterns._kit.cli import main
from patterns.stateless_serving import (
    BodyError,
    BodyLimit,
    InFlightLimit,
    RequestError,
    Serving,
    Snapshot,
    SwapError,
    changed_by_order,
    columns_of,
    create_admin_app,
    create_app,
    parse,
    predict,
)
from patterns.stateless_serving.documents import TIME
from patterns.stateless_serving.service import Limits
from patterns.stateless_serving.wire import ARROW, arrow_table
from patterns.transform import ServingArtifact
from patterns.transform.evidence.flights import INPUTS, draw, flights

SCHEMA: dict[str, dict[str, Any]] = {
    "a": {"type": "number", "minimum": -5, "maximum": 5},
    "b": {"type": "number", "nullable": True},
    "c": {"type": "category", "categories": ["x", "y"]},
}
ROW = {"a": 1.0, "b": None, "c": "x"}


class RuleError(ValueError):
    def __init__(self, violations: list[Any]) -> None:
        super().__init__("rows break a rule")
        self.violations = violations


class Sum:
    """a + b + factor, with 0 for a missing b; refuses what is no number, as an artifact does."""

    def __init__(self, factor: float = 0.0) -> None:
        self.factor = factor

    def predict(self, X: Any) -> Any:
        columns = X.to_pydict() if isinstance(X, pa.Table) else X
        wrong = [
            SimpleNamespace(field=name, problem="must be a number", rows=(i,), values=(value,))
            for name in ("a", "b")
            for i, value in enumerate(columns[name])
            if not isinstance(value, float | int | None)
        ]
        if wrong:
            raise RuleError(wrong)
        pairs = zip(columns["a"], columns["b"], strict=True)
        return np.array([a + (b or 0) + self.factor for a, b in pairs])

    def predict_one(self, row: Any) -> float:
        return float(self.predict({name: [value] for name, value in row.items()})[0])


def snapshot(version: str = "1", **changes: Any) -> Snapshot:
    found = Snapshot(Sum(float(version)), SCHEMA, version, "s1", {"data": "made up"})
    return replace(found, **changes)


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(create_app(snapshot())) as client:
        yield client


def post(client: TestClient, body: Any, kind: str = "application/json", **headers: str) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {"content-type": kind, **headers}
    return client.post("/v1/predict", content=content, headers=named)


def arrow(table: pa.Table, **options: Any) -> bytes:
    sink = pa.BufferOutputStream()
    kept = pa.ipc.IpcWriteOptions(**options)
    with pa.ipc.new_stream(sink, table.schema, options=kept) as stream:
        stream.write_table(table)
    return bytes(sink.getvalue())


class TestParsing:
    @pytest.mark.parametrize(
        ("body", "said"),
        [
            (b'{"a": 1, "a": 2}', "'a' twice"),
            (b'{"a": {"b": 1, "b": 1}}', "'b' twice"),
            (b"[NaN]", "NaN"),
            (b"[-Infinity]", "-Infinity"),
            (b"[" * 100_000, "nested"),
            (b'"\xff"', "UTF-8"),
            ('{"a": 1}'.encode("utf-16"), "UTF-8"),
            (b"\xef\xbb\xbf{}", "not JSON"),
            (b"9" * 5000, "digits"),
            (b"", "not JSON"),
            (b"{} {}", "not JSON"),
        ],
    )
    def test_what_two_parsers_could_read_in_two_ways_is_refused(
        self, body: bytes, said: str
    ) -> None:
        with pytest.raises(BodyError, match=said):
            parse(body)

    @given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
    def test_other_json_is_read_as_it_is(self, content: Any) -> None:
        assert parse(json.dumps(content).encode()) == content


class TestRows:
    def test_all_problems_are_named_with_row_field_and_value(self) -> None:
        rows = [{"a": 1, "b": 2, "c": "x"}, {"a": 1, "d": "z" * 99}, 7]
        with pytest.raises(RequestError) as caught:
            columns_of(rows, SCHEMA)
        found = [(p.row, p.field, p.problem, p.value) for p in caught.value.problems]
        assert found == [
            (1, "b", "is not there", None),
            (1, "c", "is not there", None),
            (1, "'d'", "is no field of the schema", f"'{'z' * 56}..."),
            (2, None, "must be an object", "7"),
        ]

    def test_a_thousand_problems_stay_a_short_answer_with_their_number(self) -> None:
        with pytest.raises(RequestError, match="and 980 more") as caught:
            columns_of([3] * 1000, SCHEMA)
        assert caught.value.total == 1000

    def test_columns_have_the_order_of_the_schema(self) -> None:
        rows = [{"c": "x", "b": None, "a": 1}, {"a": 2, "b": 3, "c": "y"}]
        found = columns_of(rows, SCHEMA)
        assert list(found.items()) == [("a", [1, 2]), ("b", [None, 3]), ("c", ["x", "y"])]

    def test_what_the_model_refuses_has_the_same_form(self) -> None:
        for rows in ([{**ROW, "a": "1"}], [ROW, {**ROW, "a": "1"}]):
            with pytest.raises(RequestError) as caught:
                predict(snapshot(), rows)
            (problem,) = caught.value.problems
            assert str(problem) == f"row {len(rows) - 1}, a must be a number, got '1'"


class TestTheFunction:
    @given(st.lists(st.integers(-5, 5), min_size=1, max_size=5))
    def test_a_row_alone_in_a_list_in_columns_and_in_arrow_has_one_answer(
        self, values: list[int]
    ) -> None:
        rows = [{**ROW, "a": value} for value in values]
        columns = columns_of(rows, SCHEMA)
        alone = [predict(snapshot(), [row])[0] for row in rows]
        for many in (rows, columns, pa.table(columns)):
            assert_array_equal(predict(snapshot(), many), alone)

    def test_an_error_of_the_model_is_none_of_the_request(self) -> None:
        broken = SimpleNamespace(predict_one=lambda row: float("x"))
        with pytest.raises(ValueError, match="could not convert"):
            predict(Snapshot(broken, SCHEMA, "1", "s1"), [ROW])  # type: ignore[arg-type]


class TestTheSwap:
    def test_another_schema_is_refused_and_the_old_snapshot_stays(self) -> None:
        serving = Serving(snapshot("1"))
        with pytest.raises(SwapError, match="another schema"):
            serving.swap(snapshot("2", schema_version="s2"))
        assert serving.answer([ROW]).model_version == "1"

    @pytest.mark.parametrize("answer", [np.nan, np.inf])
    def test_a_snapshot_must_answer_before_it_is_published(self, answer: float) -> None:
        serving = Serving(snapshot("1"))
        for model in (Sum(answer), SimpleNamespace(predict_one=len)):
            with pytest.raises(SwapError, match="the snapshot"):
                serving.swap(snapshot("2", model=model))
            assert serving.snapshot.version == "1"

    def test_a_snapshot_that_offers_less_is_refused(self) -> None:
        serving = Serving(snapshot("1", explain=lambda rows: rows))
        with pytest.raises(SwapError, match="lacks explain"):
            serving.swap(snapshot("2"))

    def test_an_answer_during_a_swap_is_of_one_model(self) -> None:
        serving = Serving(snapshot("1"))

        class Swapping(Sum):
            def predict_one(self, row: Any) -> float:
                answer = super().predict_one(row)
                serving._snapshot = snapshot("2")  # in the middle of the request
                return answer

        serving._snapshot = snapshot("1", model=Swapping(1.0))
        first, second = serving.answer([ROW]), serving.answer([ROW])
        assert (first.predictions[0], first.model_version) == (2.0, "1")
        assert (second.predictions[0], second.model_version) == (3.0, "2")

    def test_many_threads_see_no_mixed_answer(self) -> None:
        serving = Serving(snapshot("1"))
        mixed, stop = [], threading.Event()

        def ask() -> None:
            while not stop.is_set():
                found = serving.answer([ROW])
                if found.predictions[0] != 1 + float(found.model_version):
                    mixed.append(found)

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for version in range(200):
            serving.swap(snapshot(str(version % 7)))
        stop.set()
        for thread in threads:
            thread.join(5)
        assert not mixed


class TestTheTestOfOrder:
    rows = st.lists(st.integers(0, 3), min_size=2, max_size=8)

    @given(rows, st.integers(0, 5))
    def test_a_pure_function_changes_nothing(self, rows: list[int], n_orders: int) -> None:
        assert not changed_by_order(lambda: lambda row: row * 2, rows, n_orders).any()

    def test_nan_is_the_same_answer_as_nan(self) -> None:
        assert not changed_by_order(lambda: lambda row: float("nan"), [1, 2, 3]).any()

    def test_state_that_survives_a_repetition_is_found(self) -> None:
        def start() -> Callable[[str], int]:
            codes: dict[str, int] = {}
            return lambda row: codes.setdefault(row, len(codes))

        ask = start()
        rows = ["b", "a", "b", "c"]
        assert [ask(row) for row in rows] == [ask(row) for row in rows]
        assert_array_equal(changed_by_order(start, rows), [True, True, True, True])

    def test_no_rows_and_one_row(self) -> None:
        assert changed_by_order(lambda: lambda row: row, []).shape == (0,)
        assert_array_equal(changed_by_order(lambda: lambda row: row, [1]), [False])


class TestHttp:
    def test_every_answer_carries_both_versions(self, client: TestClient) -> None:
        found = post(client, {"rows": [ROW]})
        assert found.status_code == 200
        assert found.json() == {"predictions": [2.0], "model_version": "1", "schema_version": "s1"}

    def test_rows_columns_and_arrow_get_one_answer(self, client: TestClient) -> None:
        rows = [ROW, {**ROW, "b": 2}]
        columns = columns_of(rows, SCHEMA)
        expected = [2.0, 4.0]
        assert post(client, {"rows": rows}).json()["predictions"] == expected
        assert post(client, {"columns": columns}).json()["predictions"] == expected
        found = post(client, arrow(pa.table(columns)), ARROW)
        table = pa.ipc.open_stream(found.content).read_all()
        assert table["prediction"].to_pylist() == expected
        assert table.schema.metadata == {b"model_version": b"1", b"schema_version": b"s1"}

    @pytest.mark.parametrize(
        ("body", "status", "said"),
        [
            (b"{", 400, "not JSON"),
            (b'{"rows": [{"a": NaN}]}', 400, "NaN"),
            (b'{"rows": [], "rows": []}', 400, "twice"),
            ({"rows": []}, 422, "1 to 10000 rows, got 0"),
            ({"rows": [ROW] * 10_001}, 422, "got 10001"),
            ({"columns": {name: [1] * 10_001 for name in SCHEMA}}, 422, "got 10001"),
            ({"rows": {}}, 422, "must be a list of objects"),
            ({"columns": []}, 422, "must be an object of lists"),
            ({"columns": {"a": "text"}}, 422, "must be a list of values"),
            ({"rows": [ROW], "columns": {}}, 422, "the one key"),
            ([ROW], 422, "the one key"),
            ("text", 422, "the one key"),
            ({"rows": [{**ROW, "a": "1"}]}, 422, "must be a number"),
            ({"rows": [{**ROW, "\ud800": 1}]}, 422, "is no field"),
        ],
    )
    def test_bad_bodies_are_refused_with_the_reason(
        self, client: TestClient, body: Any, status: int, said: str
    ) -> None:
        found = post(client, body)
        assert found.status_code == status
        assert said in found.text.replace('\\"', '"')
        assert len(found.content) < 6000
        assert post(client, {"rows": [ROW]}).status_code == 200

    @pytest.mark.parametrize(
        ("headers", "said"),
        [
            ({"kind": "text/plain"}, "content type"),
            ({"kind": ""}, "content type"),
            ({"content-encoding": "gzip"}, "compressed"),
        ],
    )
    def test_other_types_and_compression_are_refused(
        self, client: TestClient, headers: dict[str, str], said: str
    ) -> None:
        found = post(client, {"rows": [ROW]}, **headers)
        assert found.status_code == 415
        assert said in found.json()["error"]

    def test_a_long_body_is_refused_and_not_echoed(self) -> None:
        with TestClient(create_app(snapshot(), limits=Limits(max_bytes=1000))) as client:
            found = post(client, {"rows": [{**ROW, "c": "x" * 2000}]})
        assert (found.status_code, found.headers["connection"]) == (413, "close")
        assert "xxx" not in found.text

    def test_damaged_compressed_and_endless_arrow_is_refused(self) -> None:
        table = pa.table({"a": [1.0] * 50, "b": [1.0] * 50, "c": ["x"] * 50})
        whole = arrow(table)
        assert arrow_table(whole, 50).equals(table)
        long = arrow(pa.table({"a": pa.nulls(1_000_000_000)}))
        dictionary = pa.table({"c": table["c"].dictionary_encode()})
        bad = [b"", b"nonsense", whole[:-300], whole[:200], long, whole[8:]]
        bad += [arrow(t, compression=c) for t in (table, dictionary) for c in ("zstd", "lz4")]
        for body in bad:
            with pytest.raises(BodyError):
                arrow_table(body, 50)

    @given(st.integers(0, 1200), st.integers(0, 255))
    def test_any_changed_byte_of_arrow_is_read_or_refused(self, at: int, byte: int) -> None:
        table = pa.table({"a": [1.0] * 9, "b": [1.0] * 9, "c": ["x", "yy", ""] * 3})
        body = bytearray(arrow(table))
        body[at % len(body)] = byte
        try:
            found = arrow_table(bytes(body), 50)
        except BodyError:
            return
        assert found.num_rows <= 50
        found.to_pylist()

    def test_an_error_of_the_model_is_a_500_that_says_nothing(self) -> None:
        class Broken(Sum):
            def predict_one(self, row: Any) -> float:
                if row["a"] == 3:
                    raise RuntimeError("secret")
                return super().predict_one(row)

        with TestClient(create_app(snapshot(model=Broken()))) as client:
            found = post(client, {"rows": [{**ROW, "a": 3}]})
            assert found.status_code == 500
            assert "secret" not in found.text
            assert post(client, {"rows": [ROW]}).status_code == 200

    def test_swap_and_drain_are_on_another_port(self) -> None:
        app = create_app(snapshot("1"))

        def load(path: str) -> Snapshot:
            if path == "none":
                raise FileNotFoundError("there is no artifact none")
            return snapshot(path, schema_version="s2" if path == "3" else "s1")

        with TestClient(app) as public, TestClient(create_admin_app(app, load)) as admin:
            swapped = admin.post("/swap", json={"artifact": "2"})
            assert swapped.json() == {"model_version": "2", "schema_version": "s1"}
            assert post(public, {"rows": [ROW]}).json()["predictions"] == [3.0]
            assert admin.post("/swap", json={"artifact": "3"}).status_code == 409
            assert admin.post("/swap", json={"artifact": "none"}).status_code == 400
            assert admin.post("/swap", json={"artifact": 3}).status_code == 422
            assert public.post("/swap").status_code == 404
            assert public.get("/health/ready").status_code == 200
            admin.post("/drain")
            assert public.get("/health/ready").status_code == 503
            assert public.get("/health/live").status_code == 200
            assert post(public, {"rows": [ROW]}).status_code == 200

    def test_stored_answers_are_given_with_their_age(self) -> None:
        def lookup(rows: list[Any]) -> list[Any]:
            known = {"prediction": 9.0, "model_version": "1", "age_seconds": 5}
            return [
                known if r["a"] == 1 else {**known, "model_version": "0"} if r["a"] == 2 else None
                for r in rows
            ]

        with TestClient(create_app(snapshot(), lookup=lookup)) as client:
            rows = [{**ROW, "a": a} for a in (1, 2, 3)]
            found = post(client, {"rows": rows}).json()
            assert found["predictions"] == [9.0, 3.0, 4.0]
            assert found["age_seconds"] == [5.0, None, None]
            wrong = post(client, {"rows": [ROW, {**ROW, "a": "3"}]}).json()
            assert [problem["row"] for problem in wrong["problems"]] == [1]

    def test_explanations_have_a_route_only_where_there_are_some(self) -> None:
        def explain(rows: list[Any]) -> list[Any]:
            return [{"a": row["a"]} for row in rows]

        with TestClient(create_app(snapshot(), explain=explain)) as client:
            found = client.post("/v1/explain", json={"rows": [ROW]}).json()
            assert found["explanations"] == [{"a": 1.0}]
            assert found["predictions"] == [2.0]
            too_many = client.post("/v1/explain", json={"rows": [ROW] * 101})
            assert too_many.status_code == 422
        with TestClient(create_app(snapshot())) as client:
            assert client.post("/v1/explain", json={"rows": [ROW]}).status_code == 404

    def test_drift_sees_the_last_rows_whatever_their_form(self) -> None:
        seen = []
        found = snapshot(drift=lambda columns: seen.append(columns) or [])
        with TestClient(create_app(found, limits=Limits(window=3))) as client:
            assert client.get("/drift").json()["n_rows"] == 0
            rows = [{**ROW, "a": float(a)} for a in range(5)]
            post(client, {"rows": rows[:2]})
            post(client, {"columns": columns_of(rows[2:3], SCHEMA)})
            post(client, arrow(pa.table(columns_of(rows[3:], SCHEMA))), ARROW)
            assert client.get("/drift").json()["n_rows"] == 3
        assert seen[-1]["a"] == [2.0, 3.0, 4.0]

    def test_metrics_do_not_grow_with_the_paths_of_a_client(self, client: TestClient) -> None:
        for i in range(5):
            client.get(f"/nowhere/{i}")
        post(client, {"rows": [ROW, ROW]})
        text = client.get("/metrics").text
        assert 'requests_total{route="other",status="404"} 5.0' in text
        assert 'requests_total{route="/v1/predict",status="200"} 1.0' in text
        assert "predicted_rows_total 2.0" in text

    def test_what_is_no_snapshot_and_limits_of_nothing_are_refused(self) -> None:
        with pytest.raises(TypeError, match=r"Snapshot\.of"):
            create_app(Sum())  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="threads must be positive, got 0"):
            Limits(threads=0)

    def test_the_documents_ask_no_other_host(self, client: TestClient) -> None:
        assert "http://" not in client.get("/docs").text.replace("http://127.0.0.1", "")
        assert "https://" not in client.get("/docs").text

    @pytest.mark.parametrize(
        ("text", "matches"),
        [
            ("2013-07-01T12:30:00Z", True),
            ("2012-02-29T00:00:00.123456+05:30", True),
            ("2000-02-29T00:00:00Z", True),
            ("2013-02-29T00:00:00Z", False),
            ("2013-04-31T00:00:00Z", False),
            ("2013-07-01T12:30:00", False),
            ("1969-07-01T12:30:00Z", False),
            ("2013-07-01T24:00:00Z", False),
        ],
    )
    def test_the_documented_form_of_a_time(self, text: str, matches: bool) -> None:
        assert bool(re.search(TIME, text)) == matches


class TestLimits:
    @staticmethod
    async def ask(app: Any, path: str = "/v1/x", parts: int = 1, pause: float = 0) -> int:
        sent: list[Any] = []
        left = iter(range(parts))

        async def receive() -> Any:
            await asyncio.sleep(pause)
            return {"type": "http.request", "body": b"x", "more_body": next(left) < parts - 1}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": path, "headers": []}
        await app(scope, receive, send)
        return int(sent[0]["status"])

    @staticmethod
    async def answer(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    @pytest.mark.parametrize("waits", [True, False])
    def test_more_than_the_limit_is_refused_at_once_and_health_is_not(self, waits: bool) -> None:
        async def work(scope: Any, receive: Any, send: Any) -> None:
            if waits:
                await asyncio.sleep(0.01)
            await self.answer(scope, receive, send)

        async def all_at_once() -> list[int]:
            limited = InFlightLimit(work, 3, ("/v1/",))
            asked = [self.ask(limited) for _ in range(8)] + [self.ask(limited, "/health/live")]
            found = await asyncio.gather(*asked)
            assert limited.in_flight == 0
            return [*found, await self.ask(limited)]

        assert asyncio.run(all_at_once()) == [200] * 3 + [503] * 5 + [200, 200]

    def test_a_slow_body_is_refused_in_time(self) -> None:
        app = BodyLimit(self.answer, max_bytes=100, seconds=0.05)
        assert asyncio.run(self.ask(app, parts=50, pause=0.02)) == 408
        assert asyncio.run(self.ask(app, parts=50)) == 200
        assert asyncio.run(self.ask(app, parts=101)) == 413


@cache
def all_flights() -> pd.DataFrame:
    return flights()


class TestTheCommand:
    """`patterns serve`: the artifact of the transform behind the service."""

    @pytest.fixture(scope="class")
    @staticmethod
    def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
        path = tmp_path_factory.mktemp("artifact") / "flights.zip"
        serving.train_flights(2000, 20).save(path)
        return path

    @pytest.fixture(scope="class")
    @staticmethod
    def public(path: Path) -> Iterator[TestClient]:
        with TestClient(serving.app_of(path, "xgboost")) as client:
            yield client

    @staticmethod
    def rows(n: int, seed: int = 0) -> list[Any]:
        drawn = draw(all_flights(), n, np.random.default_rng(seed))
        columns = {name: drawn[name].astype(object) for name in INPUTS}
        return [
            {
                name: None if pd.isna(value) else value
                for name, value in zip(INPUTS, row, strict=True)
            }
            for row in zip(*columns.values(), strict=True)
        ]

    def test_http_gives_the_answers_of_the_artifact_to_the_last_bit(
        self, path: Path, public: TestClient
    ) -> None:
        rows = self.rows(200)
        expected = ServingArtifact.load(path).predict(pd.DataFrame(rows))
        many = post(public, {"rows": rows}).json()
        assert_array_equal(many["predictions"], expected)
        alone = [post(public, {"rows": [row]}).json()["predictions"][0] for row in rows[:50]]
        assert_array_equal(alone, expected[:50])
        assert many["model_version"] == ServingArtifact.load(path).version

    def test_another_order_changes_nothing_in_a_fresh_service(self, path: Path) -> None:
        snapshot = serving.snapshot_of(path, "xgboost")

        def start() -> Callable[[Any], float]:
            client = TestClient(create_app(snapshot))
            return lambda row: float(post(client, {"rows": [row]}).json()["predictions"][0])

        assert not changed_by_order(start, self.rows(60), n_orders=1).any()

    def test_bad_requests_between_others_change_no_answer(self, public: TestClient) -> None:
        rows = self.rows(40)
        expected = [post(public, {"rows": [row]}).json()["predictions"] for row in rows]
        found = []
        for row in rows:
            assert post(public, b'{"rows": [NaN]}').status_code == 400
            assert post(public, {"rows": [{**row, "distance": "far"}]}).status_code == 422
            found.append(post(public, {"rows": [row]}).json()["predictions"])
        assert found == expected

    def test_the_example_of_the_model_is_a_flight_of_the_training_rows(
        self, public: TestClient
    ) -> None:
        model = public.get("/model").json()
        assert model["example"]["origin"] in ("EWR", "JFK", "LGA")
        assert post(public, {"rows": [model["example"]]}).status_code == 200
        assert model["provenance"]["engine"] == "xgboost"

    def test_drift_is_seen_only_where_there_is_some(self, path: Path) -> None:
        for change, expected in (({}, set()), ({"carrier": "ZZ"}, {"carrier"})):
            with TestClient(serving.app_of(path, "xgboost")) as client:
                post(client, {"rows": [{**row, **change} for row in self.rows(1000, seed=1)]})
                found = client.get("/drift").json()
            assert found["n_rows"] == 1000
            alarms = {c["name"] for c in found["columns"] if c["alarm"]}
            assert expected <= alarms <= expected | {"departure", "weekday"}
            for column in found["columns"]:
                for side in ("training", "serving"):
                    assert sum(bar[side] for bar in column["bars"]) <= 1 + 1e-9

    def test_both_engines_agree(self, path: Path) -> None:
        rows = self.rows(100)
        one, other = (predict(serving.snapshot_of(path, e), rows) for e in ("xgboost", "onnx"))
        np.testing.assert_allclose(one, other, rtol=1e-5)

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["no-such-file.zip"], "there is no artifact"),
            (["--port", "70000"], "0 to 65535"),
            (["--workers", "0"], "1 or more"),
            (["--workers", "2", "--admin-port", "8081"], "a swap reaches one process"),
        ],
    )
    def test_wrong_use_is_refused(
        self, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit):
            main(["serve", *arguments])
        assert said in capsys.readouterr().err
