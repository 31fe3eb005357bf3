# %% [markdown]
"""# Rows that nobody waits for are scored in chunks: as fast as a table, in less memory.

**Problem.** A model answers requests. Now millions of rows are to be scored by tomorrow. One by one
this takes hours, a table of all rows may not fit into memory, and a job that dies loses its work.

**Idea.** Stream the rows through the same model in chunks, one file per thread. Write each answer
with its key, and make each file visible when it is whole. The same command goes on after a crash.

**When not to.** Where somebody waits for the answer, where inputs are not known in advance, or
where the rows fit into one call. A plain loop over chunks needs as little memory.
"""

# %%
import shutil
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import matplotlib.pyplot as plt
import pyarrow as pa
import pyarrow.parquet as pq

from patterns._kit.story import tell
from datasets import load_nyc_flights
from patterns._kit.figures import ALTERNATIVE, BASELINE, PATTERN
from patterns.batch_serving import score
from patterns.transform import Feature, Input, ServingArtifact, Transform

plt.style.use("patterns._kit.figures")

# %% [markdown]
# The flights of New York in 2013. A warehouse exports them as one file per month, with a key and
# the raw inputs: nothing is prepared for a model.

# %%
columns = ["time_hour", "origin", "dest", "carrier", "distance", "month", "arr_delay"]
flights = load_nyc_flights(columns).frame.dropna(subset=["arr_delay"]).rename_axis("id")
inputs = [
    Input("time_hour", "time"),
    *(Input(name, "category") for name in ("origin", "dest", "carrier")),
    Input("distance", "number", minimum=0),
]
features = [
    Feature("hour", "hour", "time_hour", zone="America/New_York"),
    *(Feature(name, "code") for name in ("origin", "dest", "carrier")),
    Feature("distance", "number"),
]
names = [spec.name for spec in inputs]

# %% [markdown]
# The artifact of the Transform pattern answers one request with `predict_one`. It learns from the
# first six months which flights arrive over 15 minutes late.

# %%
train = flights[flights["month"] <= 6].sample(20_000, random_state=0)
late = (train["arr_delay"] > 15).to_numpy(dtype=float)
params = {"objective": "binary:logistic", "max_depth": 4, "seed": 0}
artifact = ServingArtifact.fit(Transform(inputs, features), train[names], late, params, 50)

folder = Path(tempfile.mkdtemp())
source = folder / "export"
source.mkdir()
for month in range(7, 13):
    content = flights[flights["month"] == month].reset_index()[["id", *names]]
    content.to_parquet(source / f"{month:02d}.parquet")

# %% [markdown]
# **Three ways** to score the other six months. Row by row is timed on a few rows. The baseline
# reads all rows into a table and asks once. The pattern gets a folder and gives a folder.


# %%
def row_by_row(sink: Path) -> int:
    """Ask for one row after the other."""
    with pq.ParquetFile(source / "07.parquet") as file:
        rows = next(file.iter_batches(1000, columns=names)).to_pylist()
    answers = [artifact.predict_one(row) for row in rows]
    pq.write_table(pa.table({"prediction": answers}), sink.with_suffix(".parquet"))
    return len(rows)


def whole_table(sink: Path) -> int:
    """Ask for all rows at once."""
    rows = pq.read_table(source)
    answers = artifact.predict(rows.select(names))
    result = pa.table({"id": rows["id"], "prediction": answers})
    pq.write_table(result, sink.with_suffix(".parquet"))
    return rows.num_rows


def streamed(sink: Path) -> int:
    """Ask for chunk after chunk, on all cores."""
    return score(artifact, source, sink, key="id", memory=4 * 2**20).scored


# %% [markdown]
# **The judge** is memory at the worst moment, of Arrow and of Python, and rows per second.


# %%
def judge(way: Callable[[Path], int]) -> tuple[float, float]:
    """Peak of memory in megabytes, and rows per second."""
    began = time.perf_counter()
    rate = way(folder / way.__name__) / (time.perf_counter() - began)
    before, pool = pa.default_memory_pool(), pa.proxy_memory_pool(pa.default_memory_pool())
    pa.set_memory_pool(pool)
    tracemalloc.start()
    way(folder / f"{way.__name__}-again")
    peak = pool.max_memory() + tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    pa.set_memory_pool(before)
    kept.append(pool)  # some of what it has allocated is still in use
    return peak / 1e6, rate


kept: list[pa.MemoryPool] = []
measured = {way.__name__: judge(way) for way in (row_by_row, whole_table, streamed)}
rows = [
    ("alternative", "row by row", *measured["row_by_row"]),
    ("baseline", "whole table", *measured["whole_table"]),
    ("pattern", "streamed in chunks", *measured["streamed"]),
]

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.2))
labels = ["row by row", "whole table", "streamed"]
colors = [ALTERNATIVE, BASELINE, PATTERN]
peaks, rates = zip(*measured.values(), strict=True)
left.scatter(labels, rates, color=colors, s=80)
left.set(yscale="log", ylabel="rows per second")
left.margins(x=0.2, y=0.2)
right.bar(labels[1:], peaks[1:], color=colors[1:])
right.set(ylabel="peak memory, megabytes")
shutil.rmtree(folder)

tell(
    "batch_serving",
    question="How are the flights of six months scored, when nobody waits for one of them?",
    scores={"peak memory (MB)": "lower", "rows per second": "higher"},
    rows=rows,
    figure=figure,
    caption="Row by row, most of the time goes into calls. The table and the stream ask the same "
    "model for many rows at once; the stream holds a chunk per core and not all rows.",
    at_most=0.6,
    timed=True,
)
