"""`patterns serve`: where an artifact, its explanations and the stateless service meet."""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastapi import FastAPI

    from patterns.stateless_serving import Snapshot
    from patterns.transform import ServingArtifact

FLIGHTS = Path("runs/serving/flights.zip")
ARTIFACT, ENGINE = "PATTERNS_ARTIFACT", "PATTERNS_ENGINE"  # tell worker processes what to load
SERVER: dict[str, Any] = {  # of uvicorn
    "access_log": False,
    "server_header": False,
    "log_level": "warning",
    "timeout_keep_alive": 5,
    # Without it, one body that never ends keeps a process alive that was told to stop.
    "timeout_graceful_shutdown": 10,
}
N_BARS = 10  # of the histogram of a category
N_VALUES = 200  # of a category, that people can choose from


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    add = parser.add_argument
    about = f"a saved artifact (default: of flights, trained at first use into {FLIGHTS})"
    add("artifact", nargs="?", type=Path, metavar="ARTIFACT", help=about)
    add("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    add("--port", type=_port, default=8080, metavar="N", help="default 8080; 0 takes a free one")
    about = "port on 127.0.0.1 where the model can be swapped; not with several workers"
    add("--admin-port", type=_port, metavar="N", help=about)
    add("--workers", type=int, default=1, metavar="N", help="processes (default 1)")
    about = "what computes the trees (default: onnx where it is installed)"
    add("--engine", choices=["onnx", "xgboost"], default=default_engine(), help=about)


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"must lie in 0 to 65535, got {number}")
    return number


def default_engine() -> str:
    """ONNX Runtime answers one row several times faster; it is an extra of the package."""
    there = all(importlib.util.find_spec(name) for name in ("onnxruntime", "onnxmltools"))
    return "onnx" if there else "xgboost"


def serve(options: argparse.Namespace) -> int:
    """Serve an artifact until a signal ends it."""
    path = options.artifact or FLIGHTS
    if options.workers < 1:
        options.parser.error(f"--workers must be 1 or more, got {options.workers}")
    if options.workers > 1 and options.admin_port is not None:
        options.parser.error("a swap reaches one process; with several workers, start new ones")
    if options.artifact and not path.is_file():
        options.parser.error(f"there is no artifact {path}")
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when libraries are imported

    import uvicorn
    from uvicorn.supervisors import Multiprocess

    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        train_flights().save(path)
    public: dict[str, Any] = {"host": options.host, "port": options.port, **SERVER}
    public["workers"] = options.workers
    if options.workers == 1:
        app = app_of(path, options.engine)
        config = uvicorn.Config(app, **public)
        listening = config.bind_socket()
        if options.admin_port is not None:
            _serve_admin(app, options)
        _say(f"Serving {path} at {_address(listening)}")
        uvicorn.Server(config).run([listening])
        return 0
    os.environ |= {ARTIFACT: str(path.resolve()), ENGINE: options.engine}
    with tempfile.TemporaryDirectory() as folder:  # where the counts of all workers add up
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        config = uvicorn.Config(f"{__name__}:app_of_worker", factory=True, **public)
        listening = config.bind_socket()
        _say(f"Serving {path} at {_address(listening)} by {options.workers} processes")
        Multiprocess(config, [listening]).run()
    return 0


def _serve_admin(app: FastAPI, options: argparse.Namespace) -> None:
    import uvicorn

    from patterns.stateless_serving import create_admin_app

    admin = create_admin_app(app, lambda given: snapshot_of(Path(given), options.engine))
    config = uvicorn.Config(admin, host="127.0.0.1", port=options.admin_port, **SERVER)
    listening = config.bind_socket()
    _say(f"The model can be swapped at {_address(listening)}")
    # It ends with the process. Signals are for the public server, in the main thread.
    threading.Thread(target=uvicorn.Server(config).run, args=([listening],), daemon=True).start()


def _address(listening: Any) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def app_of_worker() -> FastAPI:
    """The service of one of several processes."""
    return app_of(Path(os.environ[ARTIFACT]), os.environ[ENGINE])


def app_of(path: Path, engine: str) -> FastAPI:
    """The service of a saved artifact."""
    from patterns.stateless_serving import create_app

    return create_app(snapshot_of(path, engine))


def snapshot_of(path: Path, engine: str) -> Snapshot:
    """A saved artifact, with the drift of the rows that it serves."""
    from patterns.stateless_serving import Snapshot
    from patterns.transform import OnnxTrees, ServingArtifact

    artifact = ServingArtifact.load(path, engine=OnnxTrees if engine == "onnx" else None)
    statistics = artifact.statistics.get("inputs", {})
    trained_on = {name: _range(found) for name, found in statistics.items()}
    described = artifact.with_provenance(engine=engine, trained_on=trained_on).provenance
    return Snapshot(
        model=artifact,
        schema=artifact.schema,
        version=artifact.version,
        schema_version=artifact.schema_version,
        provenance=described,
        example={name: _typical(found) for name, found in statistics.items()},
        explain=lambda rows: explanations(artifact, rows),
        drift=(lambda columns: drift(artifact, columns)) if statistics else None,
    )


def explanations(artifact: ServingArtifact, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
    """What predictions rest on: what each input adds, by all of its features, ready for JSON."""
    import pandas as pd  # here, because a service that is not asked why does without

    from patterns.explainable_predictions import explain, explainer, sum_by_source

    inputs = [spec.name for spec in artifact.transform.inputs]
    features = artifact.transform.features

    def attribute(frame: pd.DataFrame) -> Any:
        names = [feature.name for feature in features]
        X = pd.DataFrame(artifact.transform.transform(frame), columns=names)
        found = explain(artifact.booster, X, baseline="tree_paths")
        by_input = sum_by_source(found.values, [feature.input for feature in features], inputs)
        return replace(found, values=by_input, data=frame)

    return explainer(attribute, columns=inputs)(rows)


def _typical(statistics: Mapping[str, Any]) -> Any:
    """A value that the training rows had: the median, the most frequent, the latest."""
    if statistics["missing"] == statistics["rows"]:
        return None
    if statistics["type"] == "number":
        return statistics["quantiles"][10]
    if statistics["type"] == "category":
        return _frequent(statistics)[0]
    return f"{statistics['max'][:19]}Z"


def _range(statistics: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the training rows, for people: the most frequent, or first and last."""
    if statistics["missing"] == statistics["rows"]:
        return {}
    if statistics["type"] == "category":
        from patterns.transform.skew import REST

        return {"values": [name for name in _frequent(statistics) if name != REST][:N_VALUES]}
    if statistics["type"] == "time":
        return {"minimum": statistics["min"], "maximum": statistics["max"]}
    return {"minimum": statistics["quantiles"][0], "maximum": statistics["quantiles"][-1]}


def _frequent(*statistics: Mapping[str, Any]) -> list[str]:
    """The values of a category, the one that has the largest share anywhere first."""
    shares: dict[str, float] = {}
    for found in statistics:
        total = sum(found["counts"].values()) or 1
        for name, n in found["counts"].items():
            shares[name] = max(shares.get(name, 0.0), n / total)
    return sorted(shares, key=lambda name: (-shares[name], name))


def drift(artifact: ServingArtifact, columns: Mapping[str, list[Any]]) -> list[dict[str, Any]]:
    """How rows that were served differ from those of training, for each input and feature.

    Returns
    -------
    list of dict, the largest excess first
        ``stage``, ``name``, ``alarm``, ``distances`` (of each: ``distance``, ``value``,
        ``threshold``, ``alarm``) and ``bars``: for up to `N_BARS` values or bins, ``label`` and the
        shares ``training`` and ``serving``.
    """
    from patterns.transform import compare, describe

    before = artifact.statistics
    now = describe(artifact.transform.columns(columns), before)
    table = compare(before, now)
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in table.to_dict("records"):
        stage, name = row.pop("stage"), row.pop("name")
        bars = _bars(before[stage][name], now[stage][name])
        column = {"stage": stage, "name": name, "alarm": False, "distances": [], "bars": bars}
        column = found.setdefault((stage, name), column)
        column["distances"].append({**row, "alarm": bool(row["alarm"])})
        column["alarm"] |= bool(row["alarm"])
    return list(found.values())


def _bars(before: dict[str, Any], now: dict[str, Any]) -> list[dict[str, Any]]:
    """The shares of values or bins, in training and serving."""
    if before["type"] == "time":
        return []
    if before["type"] == "number":
        edges = [f"{edge:.4g}" for edge in before["edges"]]
        labels = [f"to {edge}" for edge in edges] + [f"above {edges[-1]}" if edges else "all"]
        counts = [(s["counts"], sum(s["counts"]) or 1) for s in (before, now)]
        pairs = zip(*([n / total for n in of] for of, total in counts), strict=True)
    else:
        names = _frequent(before, now)[:N_BARS]
        labels = names
        totals = [sum(s["counts"].values()) or 1 for s in (before, now)]
        pairs = zip(
            *(
                [s["counts"].get(name, 0) / total for name in names]
                for s, total in zip((before, now), totals, strict=True)
            ),
            strict=True,
        )
    return [
        {"label": label, "training": training, "serving": serving}
        for label, (training, serving) in zip(labels, pairs, strict=True)
    ]


def train_flights(n_rows: int = 50_000, n_rounds: int = 200, seed: int = 0) -> ServingArtifact:
    """The artifact that is served unless another is given: of flights that may arrive late.

    It learns from flights before November and is judged on those since.
    """
    import numpy as np
    from sklearn.metrics import log_loss, roc_auc_score

    from patterns.transform import ServingArtifact, describe
    from patterns.transform.evidence.flights import definition, draw, flights

    _say("There is no model yet. Reading the flights of New York, 2013 ...")
    table = flights()
    rng = np.random.default_rng(seed)
    train = draw(table[table["month"] <= 10], n_rows, rng)
    test = draw(table[table["month"] > 10], n_rows // 5, rng)
    _say(f"Learning from {len(train)} of them, {n_rounds} trees ...")
    params = {"objective": "binary:logistic", "max_depth": 6, "eta": 0.1, "seed": seed}
    inputs = [spec.name for spec in definition().inputs]
    artifact = ServingArtifact.fit(
        definition(), train[inputs], train["late"], params, n_rounds, describe=describe
    )
    found = artifact.predict(test[inputs])
    metrics = {
        "AUC": round(float(roc_auc_score(test["late"], found)), 4),
        "log loss": round(float(log_loss(test["late"], found)), 4),
        "rows": len(test),
    }
    _say(f"Of the flights since November, {metrics}")
    return artifact.with_provenance(
        data="flights from New York, January to October 2013",
        target="arrives more than 15 minutes late",
        test={"data": "November and December 2013", **metrics},
    )
