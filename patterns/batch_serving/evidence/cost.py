"""What a row costs, in jobs of one row to many, and what it costs to begin."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from statistics import median

import matplotlib.pyplot as plt
import numpy as np
import pyarrow as pa
from matplotlib.figure import Figure

from patterns._kit.evidence import Claim, Drawing, Experiment, MetricsOfSeeds, Result, metric, ratio
from patterns._kit.figures import ALTERNATIVE, BASELINE, PATTERN
from patterns.batch_serving.evidence import Config
from patterns.batch_serving.evidence.flights import INPUTS, N_TRAIN, Delays, drawn, flights, write
from patterns.batch_serving.evidence.footprint import seconds
from patterns.batch_serving.evidence.ways import WAYS

SHARES = {"one": 0.0, "thousandth": 0.001, "tenth": 0.1, "all": 1.0}  # of the largest job's rows
WORKER = "import patterns.batch_serving.pattern, xgboost"  # what a new process must import


def measure(config: Config) -> Result:
    """Processor time of each way for each number of rows, and that of a process that starts."""
    rng = np.random.default_rng(config.seed)
    table = flights()
    model = Delays(drawn(table, N_TRAIN, rng), config.n_rounds, config.seed)
    rows = drawn(table, config.n_rows, rng)
    many = pa.RecordBatch.from_pandas(rows[list(INPUTS)], preserve_index=False)
    spent: dict[tuple[str, str], list[float]] = {}
    alone = []
    with tempfile.TemporaryDirectory() as folder:
        numbers = {size: max(1, int(share * config.n_rows)) for size, share in SHARES.items()}
        written = {
            n: write(rows.head(n), Path(folder) / str(n), n_files=1)
            for n in {*numbers.values(), config.n_alone}
        }
        for repeat in range(config.n_repeats):  # of all ways in turn: the machine has moods
            alone.append(seconds(lambda: model.predict(many)) / len(rows))
            for size, n_rows in numbers.items():
                for name, way in WAYS.items():
                    n = min(n_rows, config.n_alone) if name == "row_by_row" else n_rows
                    sink = Path(folder) / f"{size}-{repeat}-{name}"
                    work = partial(way, model, written[n], sink)
                    spent.setdefault((size, name), []).append(seconds(work) / n)
    per_row = {key: median(values) / median(alone) for key, values in spent.items()}
    metrics = {f"{size}.{name}.per_row": value for (size, name), value in per_row.items()}
    of_one = per_row["one", "streamed"] / per_row["all", "row_by_row"]
    of_process = _start() / median(spent["all", "streamed"])
    metrics["begin.a_job.rows_meanwhile"] = of_one
    metrics["begin.a_worker_process.rows_meanwhile"] = of_process
    return Result(metrics)


def _start() -> float:
    """Processor time of a process that imports what a worker needs."""
    before = os.times()
    subprocess.run([sys.executable, "-c", WORKER], check=True)
    after = os.times()
    user = after.children_user - before.children_user
    return user + after.children_system - before.children_system


# ---------------------------------------------------------------------------------- claims
CLAIMS = [
    Claim(
        "rows-together",
        "mechanism",
        "One by one, a row takes at least {at_least} times the processor time that it takes in a "
        "streamed job.",
        ratio("all.row_by_row.per_row", "all.streamed.per_row"),
        at_least=10.0,
    ),
    Claim(
        "as-cheap-as-a-whole-table",
        "parity",
        "Streamed, with keys checked and each partition committed, a row takes at most {at_most} "
        "times the processor time that it takes in a table that fits into memory.",
        ratio("all.streamed.per_row", "all.whole_table.per_row"),
        at_most=1.6,
    ),
    Claim(
        "one-row",
        "limit",
        "For one row, a job takes at least {at_least} times the processor time of a request.",
        ratio("one.streamed.per_row", "all.row_by_row.per_row"),
        at_least=10.0,
    ),
    Claim(
        "worker-processes-must-pay-for-their-start",
        "limit",
        "While one worker process starts, one thread streams at least {at_least:,.0f} rows.",
        metric("begin.a_worker_process.rows_meanwhile"),
        at_least=100_000,
    ),
]


def figures(metrics: MetricsOfSeeds) -> dict[str, Drawing]:
    """Processor time per row against rows."""

    def draw() -> Figure:
        figure, axis = plt.subplots(figsize=(6.5, 3.8))
        sizes = [max(1, int(share * Config().n_rows)) for share in SHARES.values()]
        looks = {
            "row_by_row": (BASELINE, "one by one"),
            "whole_frame": (ALTERNATIVE, "whole table, pandas"),
            "whole_table": ("0.5", "whole table, Arrow"),
            "streamed": (PATTERN, "streamed"),
        }
        for name, (color, label) in looks.items():
            values = [np.mean(metrics[f"{size}.{name}.per_row"]) for size in SHARES]
            axis.plot(sizes, values, color=color, marker="o", label=label)
        axis.set(
            xscale="log",
            yscale="log",
            xlabel="rows of the job",
            ylabel="processor time per row,\nrelative to the model alone",
        )
        axis.legend()
        return figure

    return {
        "cost_per_row": Drawing(
            draw,
            "A job of few rows pays for its beginning. With many rows, all ways but one cost "
            "little more than the model alone. Both axes are logarithmic.",
            "Lines of processor time per row against the number of rows, falling from thousands "
            "to nearly one, except for the rows that are asked for one by one.",
        )
    }


EXPERIMENT = Experiment(
    question="What does a row cost, and from how many rows on does a job pay?",
    data="real",
    measure=measure,
    roles={
        "row_by_row": "baseline",
        "whole_frame": "baseline",
        "whole_table": "baseline",
        "streamed": "pattern",
    },
    claims=CLAIMS,
    figures=figures,
)
