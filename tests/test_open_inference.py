"""The Open Inference Protocol, asked by the client that NVIDIA publishes for it."""

from __future__ import annotations

import itertools
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import tritonclient.http as triton
import uvicorn
from numpy.testing import assert_array_equal
from starlette.testclient import TestClient
from test_stateless_serving import Sum
from tritonclient.utils import InferenceServerException

from patterns.stateless_serving import Snapshot, create_app, predict

N_ROWS = 500
SCHEMA: dict[str, dict[str, Any]] = {
    "a": {"type": "number", "nullable": False},
    "b": {"type": "number", "nullable": True},
    "c": {"type": "category", "nullable": True},
    "t": {"type": "time", "nullable": False},
}
MODES = list(itertools.product([True, False], [True, False]))  # binary in, binary out


class Strange(Sum):
    """Numbers without a short decimal form; b counts as 7 where it is missing."""

    def predict(self, X: Any) -> Any:
        b = [7.0 if value is None or value != value else value for value in X["b"]]
        letters = [0 if value is None else len(value.encode()) for value in X["c"]]
        a, b, c = np.array(X["a"], float), np.array(b, float), np.array(letters, float)
        return np.sin(a) / 3 + b * 1e-7 + np.sqrt(c) + self.factor


def columns(n: int = N_ROWS) -> dict[str, list[Any]]:
    rng = np.random.default_rng(0)
    return {
        "a": rng.normal(size=n).tolist(),
        "b": rng.normal(size=n).tolist(),
        "c": [["x", "naïve ✈", "long" * 9][i % 3] for i in range(n)],
        "t": [f"2013-07-01T{i % 24:02d}:30:00Z" for i in range(n)],
    }


def snapshot(version: str = "v1") -> Snapshot:
    factor = float(version[1:])
    return Snapshot(Strange(factor), SCHEMA, version, "s1", example=row_of(columns(1), 0))


def row_of(given: dict[str, list[Any]], i: int) -> dict[str, Any]:
    return {name: column[i] for name, column in given.items()}


def tensors(given: dict[str, list[Any]], binary: bool = True, flat: bool = True) -> list[Any]:
    inputs = []
    for name, column in given.items():
        kind = "FP64" if name in "ab" else "BYTES"
        array = np.array(column, dtype=np.float64 if kind == "FP64" else np.object_)
        array = array if flat else array[:, None]
        tensor = triton.InferInput(name, list(array.shape), kind)
        inputs.append(tensor.set_data_from_numpy(array, binary_data=binary))
    return inputs


@pytest.fixture(scope="module")
def app() -> Any:
    return create_app(snapshot())


@pytest.fixture(scope="module")
def client(app: Any) -> Iterator[triton.InferenceServerClient]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()  # so that the first client waits instead of being refused
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        port = listening.getsockname()[1]
        with triton.InferenceServerClient(f"127.0.0.1:{port}") as client:
            yield client
        server.should_exit = True
        thread.join(10)
    assert not thread.is_alive()


class TestTheClientOfTriton:
    @pytest.mark.parametrize(("binary_in", "binary_out"), MODES)
    @pytest.mark.parametrize("flat", [True, False])
    def test_every_mode_gives_the_bits_of_the_process(
        self, client: triton.InferenceServerClient, binary_in: bool, binary_out: bool, flat: bool
    ) -> None:
        outputs = [triton.InferRequestedOutput("prediction", binary_data=binary_out)]
        inputs = tensors(columns(), binary_in, flat)
        found = client.infer("model", inputs, outputs=outputs)
        assert_array_equal(found.as_numpy("prediction"), predict(snapshot(), columns()))

    def test_its_default_is_binary_and_works(self, client: triton.InferenceServerClient) -> None:
        found = client.infer("model", tensors(columns()), request_id="seven")
        assert_array_equal(found.as_numpy("prediction"), predict(snapshot(), columns()))
        answer = found.get_response()
        assert answer["outputs"][0]["parameters"] == {"binary_data_size": 8 * N_ROWS}
        assert (answer["id"], answer["model_version"]) == ("seven", "v1")
        assert answer["parameters"] == {"schema_version": "s1"}

    def test_asynchronous_requests_come_back_each_with_its_rows(
        self, client: triton.InferenceServerClient
    ) -> None:
        expected = predict(snapshot(), columns())
        asked = [
            client.async_infer("model", tensors({k: v[i : i + 9] for k, v in columns().items()}))
            for i in range(20)
        ]
        for i, one in enumerate(asked):
            assert_array_equal(one.get_result().as_numpy("prediction"), expected[i : i + 9])

    def test_one_row_has_the_bits_of_the_row_in_a_batch(
        self, client: triton.InferenceServerClient
    ) -> None:
        expected = predict(snapshot(), columns())
        for i in range(5):
            one = {name: [value] for name, value in row_of(columns(), i).items()}
            found = client.infer("model", tensors(one)).as_numpy("prediction")
            assert_array_equal(found, expected[i : i + 1])

    def test_it_is_told_health_and_metadata(self, client: triton.InferenceServerClient) -> None:
        assert client.is_server_live()
        assert client.is_server_ready()
        assert client.is_model_ready("model")
        assert client.is_model_ready("model", "v1")
        assert not client.is_model_ready("model", "v2")
        assert not client.is_model_ready("other")
        assert client.get_server_metadata()["extensions"] == ["binary_tensor_data"]
        found = client.get_model_metadata("model", "v1")
        assert found == client.get_model_metadata("model")
        assert found["versions"] == ["v1"]
        kinds = {tensor["name"]: tensor["datatype"] for tensor in found["inputs"]}
        assert kinds == {"a": "FP64", "b": "FP64", "c": "BYTES", "t": "BYTES"}
        assert [tensor["name"] for tensor in found["outputs"]] == ["prediction"]

    def test_a_draining_service_is_not_ready(
        self, client: triton.InferenceServerClient, app: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(app.state.service, "ready", False)
        assert client.is_server_live()
        assert not client.is_server_ready()
        assert not client.is_model_ready("model")

    def test_a_version_is_answered_by_that_version_or_not_at_all(
        self, client: triton.InferenceServerClient, app: Any
    ) -> None:
        found = client.infer("model", tensors(columns(1)), model_version="v1")
        assert found.get_response()["model_version"] == "v1"
        with pytest.raises(InferenceServerException, match="no version 'v2' now, only 'v1'"):
            client.infer("model", tensors(columns(1)), model_version="v2")
        app.state.service.serving.swap(snapshot("v2"))
        try:
            with pytest.raises(InferenceServerException, match="no version 'v1' now, only 'v2'"):
                client.infer("model", tensors(columns(1)), model_version="v1")
        finally:
            app.state.service.serving.swap(snapshot("v1"))

    def test_missing_values_are_nan_and_the_empty_text(
        self, client: triton.InferenceServerClient
    ) -> None:
        given = {**columns(2), "b": [np.nan, 1.0], "c": ["", "x"]}
        expected = predict(snapshot(), {**given, "b": [None, 1.0], "c": [None, "x"]})
        assert_array_equal(client.infer("model", tensors(given)).as_numpy("prediction"), expected)
        with pytest.raises(InferenceServerException, match="NaN, which is not JSON"):
            client.infer("model", tensors(given, binary=False))

    def test_its_errors_say_what_is_wrong(self, client: triton.InferenceServerClient) -> None:
        def said(given: dict[str, list[Any]], model: str = "model", **options: Any) -> str:
            with pytest.raises(InferenceServerException) as caught:
                client.infer(model, tensors(given), **options)
            return str(caught.value.message())

        good = columns(2)
        assert said(good, "other") == "there is no model 'other', only 'model'"
        assert said({**good, "z": ["1", "2"]}) == "'z' is no field of the schema"
        assert said({k: v for k, v in good.items() if k != "c"}) == "c is not there"
        assert "compressed" in said(good, request_compression_algorithm="gzip")
        outputs = [triton.InferRequestedOutput("label")]
        assert said(good, outputs=outputs) == "'label' is no output; there is one, prediction"
        outputs = [triton.InferRequestedOutput("prediction", class_count=2)]
        assert "classification" in said(good, outputs=outputs)


def tensor(name: str = "a", data: Any = (1.0,), **changes: Any) -> dict[str, Any]:
    kind = "FP64" if name in "ab" else "BYTES"
    given = {"name": name, "datatype": kind, "shape": [len(data or [])], "data": data, **changes}
    return {key: value for key, value in given.items() if value is not None}


REST = [tensor("b"), tensor("c", ["x"]), tensor("t", ["2013-07-01T12:30:00Z"])]
SIZE_8: dict[str, Any] = {"parameters": {"binary_data_size": 8}}
BINARY_8 = {"name": "c", "datatype": "BYTES", "shape": [1], **SIZE_8}


@pytest.fixture(scope="module")
def http() -> Iterator[TestClient]:
    with TestClient(create_app(snapshot())) as client:
        yield client


class TestBadRequests:
    def send(
        self, http: TestClient, content: Any, raw: bytes = b"", n_json: str | None = None
    ) -> tuple[int, str]:
        text = json.dumps(content).encode()
        n_json = str(len(text)) if raw and n_json is None else n_json
        headers = {} if n_json is None else {"Inference-Header-Content-Length": n_json}
        found = http.post("/v2/models/model/infer", content=text + raw, headers=headers)
        return found.status_code, found.json().get("error", "")

    def test_json_with_null_is_a_missing_value(self, http: TestClient) -> None:
        rest = [tensor("b", [None]), *REST[1:]]
        assert self.send(http, {"inputs": [tensor(), *rest]})[0] == 200

    @pytest.mark.parametrize(
        ("content", "raw", "said"),
        [
            ([], b"", 'the list "inputs"'),
            ({"inputs": {}}, b"", 'the list "inputs"'),
            ({"inputs": [5]}, b"", "a tensor must be an object, got 5"),
            ({"inputs": [], "more": 1}, b"", "has the key 'more'; known are id"),
            ({"inputs": [], "id": 7}, b"", "'id' must be of another type, got 7"),
            ({"inputs": [], "id": "x" * 129}, b"", "at most 128 letters"),
            ({"inputs": [{"name": "a"}]}, b"", "a tensor must have 'datatype'"),
            ({"inputs": [tensor("z")]}, b"", "'z' is no field"),
            ({"inputs": [tensor(), tensor()]}, b"", "'a' is there twice"),
            ({"inputs": [tensor()]}, b"", "b is not there; c is not there; t is not there"),
            ({"inputs": [tensor(datatype="FP32")]}, b"", "datatype FP64, got 'FP32'"),
            ({"inputs": [tensor(shape=[2])]}, b"", "must have 2 values, as its shape says, got 1"),
            ({"inputs": [tensor(shape=[True])]}, b"", "the shape [n] or [n, 1], got"),
            ({"inputs": [tensor(shape=[1, 2])]}, b"", "the shape [n] or [n, 1], got"),
            ({"inputs": [tensor(shape=[-1])]}, b"", "the shape [n] or [n, 1], got"),
            (
                {"inputs": [tensor(data=None, shape=[10**30], **SIZE_8)]},
                b"12345678",
                "8 bytes for each",
            ),
            (
                {"inputs": [{**BINARY_8, "name": "a", "datatype": "FP64"}]},
                b"1234",
                "binary_data_size of 0 to 4, got 8",
            ),
            ({"inputs": [tensor(**SIZE_8)]}, b"12345678", "must have data"),
            ({"inputs": [tensor(), *REST]}, b"12", "2 bytes follow the last"),
            ({"inputs": [BINARY_8]}, b"\4\0\0\0\xff\xff\xff\xff", "in UTF-8"),
            ({"inputs": [BINARY_8]}, b"\xff\xff\xff\xffabcd", "in UTF-8"),
            ({"inputs": [tensor(), *REST], "outputs": [7]}, b"", "an output must be an object"),
            (
                {"inputs": [tensor(parameters={"shared_memory_region": "x"}), *REST]},
                b"",
                "'shared_memory_region', which is not offered",
            ),
            (
                {"inputs": [tensor(), *REST], "parameters": {"binary_data_output": 1}},
                b"",
                "must be true or false, got 1",
            ),
            ({"inputs": [tensor(data=[]), *REST]}, b"", "b must have 0 values, as a has"),
            ({"inputs": [tensor(), *REST[:2], tensor("t", [])]}, b"", "t must have 1 values, as"),
        ],
    )
    def test_each_is_refused_with_the_reason(
        self, http: TestClient, content: Any, raw: bytes, said: str
    ) -> None:
        status, error = self.send(http, content, raw)
        assert status in (400, 422)
        assert said in error
        assert len(error) < 500
        assert self.send(http, {"inputs": [tensor(), *REST]})[0] == 200

    def test_a_length_is_the_same_integer_with_a_point(self, http: TestClient) -> None:
        assert self.send(http, {"inputs": [tensor(shape=[1.0, 1]), *REST]})[0] == 200
        for shape in ([1.5], [1e999], ["1"]):
            assert self.send(http, {"inputs": [tensor(shape=shape), *REST]})[0] in (400, 422)

    @pytest.mark.parametrize("n_json", ["x", "-1", "1e3", "9" * 20, "100000", "1_0"])
    def test_a_wrong_length_of_the_json_is_refused(self, http: TestClient, n_json: str) -> None:
        status, error = self.send(http, {"inputs": [tensor(), *REST]}, b"rest", n_json)
        assert (status, error[:31]) == (400, "Inference-Header-Content-Length")

    def test_a_swap_between_the_question_and_the_answer_is_no_answer_of_another_version(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        app = create_app(snapshot())
        service = app.state.service

        async def run(n_bytes: int, work: Any, *arguments: Any) -> Any:
            service.serving.swap(snapshot("v2"))
            return work(*arguments)

        monkeypatch.setattr(service, "run", run)
        with TestClient(app) as http:
            path = "/v2/models/model/versions/v1/infer"
            found = http.post(path, json={"inputs": [tensor(), *REST]})
        assert (found.status_code, found.json()["error"]) == (
            404,
            "the version 'v1' has just been replaced",
        )
