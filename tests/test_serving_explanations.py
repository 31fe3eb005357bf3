"""Where explanations meet the service: each part takes the others as arguments."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.special import logit
from starlette.testclient import TestClient

from patterns._kit.serving import snapshot_of
from patterns.explainable_predictions import counterfactuals, explain, explainer
from patterns.stateless_serving import Snapshot, create_app
from patterns.transform import ServingArtifact
from patterns.transform.evidence.flights import INPUTS, definition, draw, flights

PARAMS = {"objective": "binary:logistic", "max_depth": 3, "seed": 0}


def test_the_service_tells_what_a_prediction_rests_on_and_what_would_change_it() -> None:
    table = draw(flights(), 3000, np.random.default_rng(0))
    inputs = [spec.name for spec in definition().inputs]
    assert set(inputs) == set(INPUTS)
    artifact = ServingArtifact.fit(definition(), table[inputs], table["late"], PARAMS, 30)
    known = table[inputs].iloc[:200].reset_index(drop=True)
    often = float(np.median(artifact.predict(known)))
    explained = explainer(
        lambda frame: explain(artifact.predict, frame, baseline=known.iloc[:5]),
        lambda frame: counterfactuals(lambda rows: artifact.predict(rows) > often, frame, known),
        columns=inputs,
    )
    rows = known.iloc[100:103].to_dict("records")
    rows = [{name: None if value != value else value for name, value in r.items()} for r in rows]
    with TestClient(create_app(Snapshot.of(artifact), explain=explained)) as client:
        answer = client.post("/v1/explain", json={"rows": rows})
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert found["model_version"] == artifact.version
        for row, prediction, told in zip(
            rows, found["predictions"], found["explanations"], strict=True
        ):
            (output,) = told["outputs"].values()
            parts = [output["base_value"], output["others"]]
            parts += [one["attribution"] for one in output["top"]]
            assert sum(parts) == pytest.approx(prediction, abs=1e-6)
            changes = {name: c["to"] for name, c in told["counterfactual"]["changes"].items()}
            other = client.post("/v1/predict", json={"rows": [{**row, **changes}]}).json()
            assert (other["predictions"][0] > often) != (prediction > often)


def test_the_command_serves_what_each_input_adds_with_all_of_its_features(tmp_path: Path) -> None:
    table = draw(flights(), 3000, np.random.default_rng(0))
    inputs = [spec.name for spec in definition().inputs]
    path = tmp_path / "flights.zip"
    ServingArtifact.fit(definition(), table[inputs], table["late"], PARAMS, 30).save(path)
    snapshot = snapshot_of(path, "xgboost")
    row = dict(snapshot.example)
    with TestClient(create_app(snapshot)) as client:
        found = client.post("/v1/explain", json={"rows": [row]}).json()
    (told,) = found["explanations"]
    (output,) = told["outputs"].values()
    assert told["link"] == "log-odds"
    assert {one["feature"]: one["value"] for one in output["top"]}.items() <= row.items()
    parts = [output["base_value"], output["others"], *(t["attribution"] for t in output["top"])]
    assert sum(parts) == pytest.approx(logit(found["predictions"][0]), abs=1e-5)
