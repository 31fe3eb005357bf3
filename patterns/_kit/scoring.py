"""`patterns score`: an artifact of the Transform pattern scores files, by the batch pattern."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa


def add_options(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    add = parser.add_argument
    add("model", metavar="MODEL", help="an artifact, as ServingArtifact.save writes it")
    add("source", metavar="SOURCE", help="Parquet or CSV: a file, a folder, a glob or a URI")
    add("sink", metavar="SINK", help="a folder for the answers")
    add("--key", action="append", required=True, metavar="COLUMN", help="may be given repeatedly")
    add("--on-error", choices=["stop", "quarantine"], default="stop", help="default: stop")
    add("--workers", type=int, metavar="N", help="threads (default: one per core)")
    add("--scheduler", metavar="ADDRESS", help="of a Dask cluster that scores in our place")
    add("--replace", action="store_true", help="discard what another job has left in SINK")


def run(options: argparse.Namespace) -> int:
    """Score, say how far it is, and what has been done. 1: bad input. 2: another job's sink."""
    from patterns.batch_serving import BadInputError, SinkError, score
    from patterns.transform import ArtifactError, ServingArtifact

    if options.workers is not None and options.workers < 1:
        options.parser.error(f"--workers must be 1 or more, got {options.workers}")
    try:
        artifact = ServingArtifact.load(options.model)
        load = partial(ServingArtifact.load, options.model, version=artifact.version)
        job = partial(
            score,
            source=options.source,
            sink=options.sink,
            key=options.key,
            on_error=options.on_error,
            n_workers=options.workers,
            tally=Unknown(artifact),
            replace=options.replace,
        )
        with _progress() as progress:
            if options.scheduler is None:
                report = job(artifact, progress=progress)
            else:
                from distributed import Client

                client: Any = Client(options.scheduler)  # type: ignore[no-untyped-call]
                with client, client.get_executor(pure=False) as engine:
                    report = job(load, engine=engine, progress=progress)
    except BadInputError as error:
        print(f"patterns score: {error}", file=sys.stderr)
        return 1
    except (SinkError, ArtifactError) as error:
        print(f"patterns score: {error}", file=sys.stderr)
        return 2
    print(f"{report.rows:,} rows: {report.scored:,} scored, {report.quarantined:,} quarantined.")
    for source, reason in report.refused.items():
        print(f"Refused: {source}: {reason}")
    for name, count in report.tally.items():
        print(f"{name}: {count:,}")
    print(f"{report.partitions} partitions, {report.kept} of them from an earlier run.")
    return 0


class Unknown:
    """Counts the categories of a chunk that an artifact has not learned."""

    def __init__(self, artifact: Any) -> None:
        learned = artifact.transform.learned_
        self.known = {
            feature.input: learned[feature.name]["vocabulary"]
            for feature in artifact.transform.features
            if feature.kind == "code"
        }

    def __call__(self, rows: pa.RecordBatch) -> Mapping[str, int]:
        """By input, where there are any."""
        import pyarrow as pa
        import pyarrow.compute as pc

        counts = {}
        for name, vocabulary in self.known.items():
            texts = pc.drop_null(rows[name]).cast(pa.string())
            new = len(texts) - pc.sum(pc.is_in(texts, pa.array(vocabulary, pa.string()))).as_py()
            if new:
                counts[f"unknown {name}"] = new
        return counts


@contextmanager
def _progress() -> Iterator[Callable[[int, int | None], None]]:
    """Rows, rows per second and time left: on a terminal at once, elsewhere every ten seconds."""
    began, first, last = time.monotonic(), -1, 0.0

    def text(done: int, of: int | None, now: float) -> str:
        nonlocal first
        first = done if first < 0 else first  # an earlier run has scored these
        rate = (done - first) / max(now, 1e-9)
        if of is None or rate == 0:
            return f"{done:,} rows, {rate:,.0f} per second"
        return f"{done:,} of {of:,} rows, {rate:,.0f} per second, {(of - done) / rate:.0f} s left"

    if sys.stderr.isatty():
        from rich.console import Console

        with Console(stderr=True).status("reading") as status:
            yield lambda done, of: status.update(text(done, of, time.monotonic() - began))
        return

    def tell(done: int, of: int | None) -> None:
        nonlocal last
        now = time.monotonic() - began
        line = text(done, of, now)
        if now - last >= 10:
            last = now
            print(line, file=sys.stderr, flush=True)

    yield tell
