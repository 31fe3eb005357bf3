"""Memory, as the rows grow and as the chunks do."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from statistics import median

import matplotlib.pyplot as plt
import numpy as np
import pyarrow as pa
from matplotlib.figure import Figure

from patterns._kit.evidence import Claim, Drawing, Experiment, MetricsOfSeeds, Result, ratio
from patterns._kit.figures import ALTERNATIVE, BASELINE, PATTERN
from patterns.batch_serving.evidence import Config
from patterns.batch_serving.evidence.flights import INPUTS, N_TRAIN, Delays, drawn, flights, write
from patterns.batch_serving.evidence.footprint import megabytes, seconds
from patterns.batch_serving.evidence.ways import streamed_in_little, whole_frame, whole_table

METHODS = {
    "whole_frame": whole_frame,
    "whole_table": whole_table,
    "streamed": streamed_in_little,
}
CHUNKS = {"chunks_of_1": 1, "chunks_of_16": 16, "chunks_of_256": 256, "chunks_of_4096": 4096}


def measure(config: Config) -> Result:
    """Peaks of each way for all rows and a quarter; time and peak for chunks of several sizes."""
    rng = np.random.default_rng(config.seed)
    table = flights()
    model = Delays(drawn(table, N_TRAIN, rng), config.n_rounds, config.seed)
    rows = drawn(table, config.n_memory, rng)
    metrics: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        sources = {
            "peak": write(rows, Path(folder) / "all", n_files=4),
            "peak_of_a_quarter": write(rows.head(len(rows) // 4), Path(folder) / "some", 1),
        }
        for name, way in METHODS.items():
            for part, source in sources.items():
                sink = Path(folder) / f"{name}-{part}"
                metrics[f"files.{name}.{part}"] = megabytes(partial(way, model, source, sink))

    batch = pa.RecordBatch.from_pandas(rows[list(INPUTS)], preserve_index=False)
    sizes = {**CHUNKS, "one_chunk": len(rows)}
    spent: dict[str, list[float]] = {name: [] for name in sizes}
    for _ in range(config.n_repeats):
        for name, size in sizes.items():
            n = min(len(rows), 200 * size)
            work = partial(_predict, model, batch.slice(0, n), size)
            spent[name].append(seconds(work) / n)
    least = median(spent["chunks_of_4096"])
    for name, size in sizes.items():
        some = batch.slice(0, min(len(rows), 5 * size))
        metrics[f"chunks.{name}.per_row"] = median(spent[name]) / least
        metrics[f"chunks.{name}.peak"] = megabytes(partial(_predict, model, some, size))
    return Result(metrics)


def _predict(model: Delays, rows: pa.RecordBatch, size: int) -> None:
    for begin in range(0, rows.num_rows, size):
        model.predict(rows.slice(begin, size))


# ---------------------------------------------------------------------------------- claims
CLAIMS = [
    Claim(
        "less-memory-than-a-whole-table",
        "mechanism",
        "A streamed job needs at most {at_most} of the memory that an Arrow table of its rows "
        "needs.",
        ratio("files.streamed.peak", "files.whole_table.peak"),
        at_most=0.25,
    ),
    Claim(
        "memory-does-not-grow",
        "mechanism",
        "For four times the rows, a streamed job needs at most {at_most} times the memory.",
        ratio("files.streamed.peak", "files.streamed.peak_of_a_quarter"),
        at_most=1.4,
    ),
    Claim(
        "memory-of-a-whole-table-grows",
        "mechanism",
        "For four times the rows, a whole table needs at least {at_least} times the memory.",
        ratio("files.whole_table.peak", "files.whole_table.peak_of_a_quarter"),
        at_least=2.5,
    ),
    Claim(
        "chunks-can-be-too-small",
        "mechanism",
        "In chunks of 16, a row takes at least {at_least} times as long as in chunks of 4096.",
        ratio("chunks.chunks_of_16.per_row", "chunks.chunks_of_4096.per_row"),
        at_least=5.0,
    ),
    Claim(
        "larger-chunks-gain-little",
        "limit",
        "Large chunks gain little: all rows in one chunk take at least {at_least} of the time that "
        "they take in chunks of 4096.",
        ratio("chunks.one_chunk.per_row", "chunks.chunks_of_4096.per_row"),
        at_least=0.45,
    ),
]


def figures(metrics: MetricsOfSeeds) -> dict[str, Drawing]:
    """Memory against rows, and time and memory against the size of a chunk."""

    def draw() -> Figure:
        figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.6))
        n = Config().n_memory
        looks = {
            "whole_frame": (ALTERNATIVE, "whole table, pandas"),
            "whole_table": ("0.5", "whole table, Arrow"),
            "streamed": (PATTERN, "streamed"),
        }
        for name, (color, label) in looks.items():
            peaks = [np.mean(metrics[f"files.{name}.{m}"]) for m in ("peak_of_a_quarter", "peak")]
            left.plot([n / 4000, n / 1000], peaks, color=color, marker="o", label=label)
        left.set(xlabel="thousand rows", ylabel="megabytes at the worst moment")
        left.set_ylim(bottom=0)
        left.legend()
        sizes = [*CHUNKS.values(), n]
        for measure, color, label in (
            ("per_row", PATTERN, "time per row, relative"),
            ("peak", BASELINE, "megabytes"),
        ):
            values = [np.mean(metrics[f"chunks.{m}.{measure}"]) for m in (*CHUNKS, "one_chunk")]
            right.plot(sizes, values, color=color, marker="o", label=label)
        right.set(xscale="log", yscale="log", xlabel="rows of a chunk")
        right.legend()
        return figure

    return {
        "memory": Drawing(
            draw,
            "Left: a streamed job has the memory of a chunk, not of its rows. Right: chunks of a "
            "few thousand rows are nearly as fast as any; larger ones need memory.",
            "Two panels. Left, memory of whole tables grows with the rows and that of the "
            "streamed job does not. Right, time per row falls until chunks of thousands, where "
            "memory begins to grow.",
        )
    }


EXPERIMENT = Experiment(
    question="How much memory does a job need, and how large should a chunk be?",
    data="real",
    measure=measure,
    roles={"whole_frame": "baseline", "whole_table": "baseline", "streamed": "pattern"},
    claims=CLAIMS,
    figures=figures,
)
