"""A job whose process is killed, and that is started again."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from matplotlib.figure import Figure

from patterns._kit.evidence import Claim, Drawing, Experiment, Result, metric, ratio
from patterns._kit.figures import BASELINE, PATTERN
from patterns.batch_serving.evidence import Config
from patterns.batch_serving.evidence.interrupted import (
    CHUNKS_PER_FILE,
    JOBS,
    KILOMETERS,
    Retrained,
    answers,
    run,
)

N_FILES = 8
NEVER = 10**9


def measure(config: Config) -> Result:
    """Kill each job at the same call of the model, start it again, and count the answers."""
    rng = np.random.default_rng(config.seed)
    n_chunks = N_FILES * CHUNKS_PER_FILE
    chunk = config.n_killed // n_chunks
    chunk = 2 ** (chunk.bit_length() - 1)  # as the pattern rounds it
    n_rows = chunk * n_chunks
    # Neither at the beginning nor at the end, and in the middle of a file.
    dies_at = int(rng.integers(2, N_FILES - 1)) * CHUNKS_PER_FILE + int(rng.integers(2, 5))
    metrics: dict[str, float] = {}
    logs: dict[str, pd.DataFrame] = {}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "source").mkdir()
        distances = rng.uniform(50, 5000, n_rows)
        for i, at in enumerate(np.array_split(np.arange(n_rows), N_FILES)):
            content = pa.table({"id": at, "distance": distances[at]})
            pq.write_table(content, Path(folder) / "source" / f"flights-{i}.parquet")
        code = (
            "from pathlib import Path; "
            "from patterns.batch_serving.evidence.interrupted import run_killed; "
            f"run_killed(Path({folder!r}), {chunk}, {dies_at})"
        )
        subprocess.run([sys.executable, "-c", code], check=True)
        shutil.copytree(folder, Path(folder) / "next_day")
        for name in JOBS:
            run(name, Path(folder), chunk, NEVER)
            log = pd.read_csv(Path(folder) / f"{name}.log", names=["asked", "in_sink"])
            found = pd.to_numeric(answers(Path(folder) / name)["id"], errors="coerce")
            counts = found.value_counts().reindex(np.arange(n_rows), fill_value=0)
            metrics |= {
                f"killed.{name}.lost": float(np.mean(counts == 0)),
                f"killed.{name}.doubled": float(np.mean(counts > 1)),
                f"killed.{name}.again": max(0.0, float(log["asked"].sum()) / n_rows - 1),
            }
            logs[name] = log
            run(name, Path(folder) / "next_day", chunk, NEVER, Retrained)
            last = answers(Path(folder) / "next_day" / name).drop_duplicates("id", keep="last")
            found = last.apply(pd.to_numeric, errors="coerce").dropna()
            wanted = distances[found["id"].astype(int)] * KILOMETERS
            metrics[f"killed.{name}.of_the_old"] = float(np.mean(found["prediction"] != wanted))

    def draw() -> Figure:
        figure, axis = plt.subplots(figsize=(6.5, 3.6))
        for name, color, label in (
            ("start_again", BASELINE, "start again"),
            ("batch_serving", PATTERN, "batch serving"),
        ):
            log = logs[name]
            scored = [0, *log["asked"].cumsum() / n_rows]
            visible = [*log["in_sink"] / n_rows, 1.0]
            axis.step(scored, visible, where="post", color=color, label=label)
            axis.plot(scored[-1], 1.0, "o", color=color)
        axis.axvline((dies_at - 1) / n_chunks, color="0.4", ls=":")
        axis.text((dies_at - 1) / n_chunks + 0.01, 0.02, "killed, started again", color="0.4")
        axis.set(
            xlabel="rows scored so far, relative to all rows",
            ylabel="share of rows in the sink",
        )
        axis.legend(loc="upper left")
        return figure

    drawing = Drawing(
        draw,
        "Each step is a partition that is committed. The job that is killed goes on with the "
        "partition that it was in. The job that starts again shows its answers at the end.",
        "Two step lines of the share of rows in the sink. One rises in steps, pauses at the kill "
        "and goes on. The other stays at zero and reaches one much later.",
    )
    return Result(metrics, {"killed_and_resumed": drawing})


CLAIMS = [
    Claim(
        "nothing-lost-nothing-doubled",
        "parity",
        "After a kill and a second start, a share of {at_most} of the rows is lost or doubled.",
        lambda m: m["killed.batch_serving.lost"] + m["killed.batch_serving.doubled"],
        at_most=0.0,
    ),
    Claim(
        "no-answer-of-the-old-model",
        "benefit",
        "If the model changes before the second start, a script that skips files that are whole "
        "keeps the old answers of at least {at_least} more of the rows than batch serving.",
        lambda m: m["killed.rename_each.of_the_old"] - m["killed.batch_serving.of_the_old"],
        at_least=0.1,
        baseline="killed.rename_each.of_the_old",
    ),
    Claim(
        "little-is-scored-again",
        "mechanism",
        "A killed job scores at most {at_most} of the rows again that a job scores again that "
        "starts from the beginning.",
        ratio("killed.batch_serving.again", "killed.start_again.again"),
        at_most=0.35,
    ),
    Claim(
        "a-script-that-renames-scores-as-little-again",
        "limit",
        "Where model and inputs stay the same, a script that renames each file when it is whole "
        "does as well: batch serving scores at least {at_least} times as many rows again.",
        ratio("killed.batch_serving.again", "killed.rename_each.again"),
        at_least=0.95,
    ),
    Claim(
        "one-growing-file-doubles-rows",
        "mechanism",
        "A script that appends to one file doubles at least {at_least} of the rows.",
        metric("killed.append.doubled"),
        at_least=0.1,
    ),
    Claim(
        "a-file-that-exists-is-not-done",
        "mechanism",
        "A script that skips files that exist loses at least {at_least} of the rows.",
        metric("killed.skip_existing.lost"),
        at_least=0.01,
    ),
    Claim(
        "a-partition-is-scored-again",
        "limit",
        "The partition that was being scored is lost: at least {at_least} of the rows are scored "
        "again.",
        metric("killed.batch_serving.again"),
        at_least=0.02,
    ),
]

EXPERIMENT = Experiment(
    question="What is left of a job that is killed?",
    data="synthetic",
    measure=measure,
    roles={"rename_each": "baseline", "batch_serving": "pattern"},
    claims=CLAIMS,
)
