"""What the exercise asks of an answer.

The model multiplies by ten, so every expected answer is plain. Folders are temporary, nothing waits
for a disk, and each part is asked with the reference's code for the other parts.
"""

from __future__ import annotations

import hashlib
import json
import math
import operator
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np
import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq
from hypothesis import strategies as st

from patterns._kit.exercise import Case, check, explore
from patterns.batch_serving import pattern as reference

WRITTEN = {  # by the learner, in each part
    "chunk": ["rows_per_chunk"],
    "split": ["split"],
    "stream": ["score_chunks"],
    "commit": ["commit", "committed"],
}
LIBRARY = str(Path(os.__file__).parent)  # of Python
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # where a file costs little
NAN, INFINITE = float("nan"), float("inf")


@contextmanager
def only(part: str, module: Any) -> Iterator[None]:
    """Use the reference for the parts that are not asked for, so that each part stands alone."""
    with ExitStack() as stack:
        for name in [n for other, names in WRITTEN.items() if other != part for n in names]:
            stack.enter_context(mock.patch.object(module, name, getattr(reference, name)))
        yield


@contextmanager
def flushing() -> Iterator[set[tuple[int, int]]]:
    """Note which files are flushed, by number and size, instead of waiting for a disk."""
    flushed: set[tuple[int, int]] = set()

    def note(file: Any) -> None:
        about = os.fstat(file if isinstance(file, int) else file.fileno())
        flushed.add((about.st_ino, about.st_size))

    names = [name for name in ("fsync", "fdatasync") if hasattr(os, name)]
    with ExitStack() as stack:
        for name in names:
            stack.enter_context(mock.patch.object(os, name, note))
        yield flushed


@contextmanager
def folder() -> Iterator[Path]:
    """A folder that is gone afterwards; in memory, where the system has such a place."""
    with tempfile.TemporaryDirectory(prefix="batch-", dir=MEMORY) as name:
        try:
            yield Path(name)
        except OSError as error:
            if isinstance(error.filename, str):  # where the folder is says nothing
                error.filename = error.filename.removeprefix(f"{name}/")
            raise


class Tenfold:
    """A model that answers 10 x, and refuses x that is too small.

    Parameters
    ----------
    names : {"all", "first", "none"}
        Which of the rows that it refuses its error names.
    least : float
        The smallest x that it takes.
    """

    version = "v1"
    schema: Mapping[str, Mapping[str, Any]] = {"x": {"type": "number"}}

    def __init__(self, names: str = "all", least: float = 0.0) -> None:
        self.names, self.least = names, least
        self.calls = 0

    def predict(self, X: Any) -> Any:
        """Ten times x; NaN for a missing one."""
        self.calls += 1
        if self.calls > 2500:
            raise RuntimeError("the model is called without end")
        if X.schema.names != ["x"]:
            raise TypeError(f"the only input is 'x', got {X.schema.names}")
        if X.num_rows == 0:
            raise ValueError("at least one row is needed")
        x = X["x"].to_numpy(zero_copy_only=False).astype(float)
        refused = np.flatnonzero(x < self.least).tolist()
        if not refused:
            return 10 * x
        error = ValueError("x is too small")
        if self.names != "none":
            rows = refused if self.names == "all" else refused[:1]
            told = SimpleNamespace(field="x", problem="is too small", rows=rows)
            error.violations = [told]  # type: ignore[attr-defined]
        raise error


def plain(answers: Any) -> list[Any]:
    """Answers that can be compared: NaN is a word."""
    found = np.asarray(answers).tolist()
    return ["NaN" if isinstance(x, float) and math.isnan(x) else x for x in found]


def told(reason: Any) -> str:
    """A reason: the model's or the reader's own words, or none of them."""
    if not isinstance(reason, str) or not reason:
        return "no reason"
    for words in ("too small", "no number", "missing", "another row"):
        if words in reason:
            return words
    return "another reason"


def batch(x: Iterable[Any], **others: Iterable[Any]) -> pa.RecordBatch:
    """Rows with the input x."""
    columns = {name: pa.array(list(values)) for name, values in others.items()}
    return pa.record_batch({**columns, "x": pa.array(list(x), pa.float64())})


# --- chunk ----------------------------------------------------------------------------------------


def chunk_case(bytes_per_row: float, memory: int, expected: int | None = None) -> Case:
    """How many rows fit."""
    return Case(
        call=f"rows_per_chunk(bytes_per_row={bytes_per_row}, memory={memory})",
        answer=lambda module: operator.index(module.rows_per_chunk(bytes_per_row, memory)),
        expected=expected,
    )


@check("chunk", why="A row is in memory as it was read, typed, as features, and as their parts.")
def all_copies_of_a_chunk_fit() -> Iterator[Case]:
    """The COPIES of all rows of a chunk fit into the memory."""
    yield chunk_case(100, 100 * 8 * 1024, 1024)
    yield chunk_case(16, 16 * 8 * 4, 4)
    yield chunk_case(1000, 1000 * 8 * 32, 32)


@check("chunk", why="Chunks of a power of two divide row groups of a power of two evenly.")
def it_is_a_power_of_two() -> Iterator[Case]:
    """The number is the greatest power of two that fits."""
    yield chunk_case(10, 80 * 1000, 512)
    yield chunk_case(10, 80 * 1023, 512)
    yield chunk_case(10, 80 * 1025, 1024)
    yield chunk_case(12.5, 100 * 7, 4)
    yield chunk_case(8, 64 * 3, 2)


@check("chunk", why="From some size on, a larger chunk is no faster and only takes memory.")
def more_memory_is_not_always_used() -> Iterator[Case]:
    """A chunk has at most MOST_ROWS rows."""
    yield chunk_case(8, 2**40, 65_536)
    yield chunk_case(100, 2**32, 65_536)
    yield chunk_case(8, 8 * 8 * 65_536, 65_536)
    yield chunk_case(8, 8 * 8 * 65_536 - 1, 32_768)


@check("chunk", why="A row that is too large must be scored all the same, and 0 rows are no chunk.")
def a_chunk_has_a_row() -> Iterator[Case]:
    """A chunk has at least one row, even one that is larger than the memory."""
    yield chunk_case(1e6, 1000, 1)
    yield chunk_case(100, 799, 1)
    yield chunk_case(100, 800, 1)


def sizes_of_chunks(module: Any, n_rows: int, memory: int) -> list[int]:
    """How many rows the chunks of a file have: its rows take 16 bytes each."""
    with folder() as sink, only("chunk", module):
        path = sink / "rows.parquet"
        pq.write_table(pa.table({"id": range(n_rows), "x": np.zeros(n_rows)}), path)
        job = module.Job(sink, ("id",), pafs.LocalFileSystem(), memory=memory)
        part = module.Part(str(path), path.name, "")
        chunks = module.read_chunks(part, job, Tenfold.schema)
        return [chunk.rows.num_rows for chunk in chunks]


def file_case(n_rows: int, memory: int) -> Case:
    """A file, read in chunks."""
    return Case(
        call=f"read_chunks, for a file of {n_rows} rows of 16 bytes, with memory={memory}",
        answer=lambda module: sizes_of_chunks(module, n_rows, memory),
        reads="chunks with so many rows:",
    )


@explore(
    "chunk",
    why="Rows are as wide as their columns, and machines have all sizes of memory.",
    n_examples=25,
)
def any_row_and_any_memory(draw: Any) -> Case:
    """Rows and memory of any size."""
    near = st.builds(lambda k, i: max(1, 2**k + i), st.integers(3, 40), st.integers(-2, 2))
    memory = draw(st.one_of(near, st.integers(1, 2**40)))
    return chunk_case(draw(st.one_of(st.integers(8, 5000), st.just(2**20), st.just(8.5))), memory)


@explore("chunk", why="What you return is what the reader of a file gets.", n_examples=8)
def any_file_in_chunks(draw: Any) -> Case:
    """A file, read with any memory."""
    return file_case(draw(st.integers(1, 9)), draw(st.sampled_from([1, 127, 128, 300, 512, 10**6])))


# --- split ----------------------------------------------------------------------------------------


def answers_of(module: Any, x: Sequence[Any], names: str, least: float) -> Any:
    """What split says of rows."""
    with only("split", module):
        good, answers, bad = module.split(Tenfold(names, least), batch(x))
    batch(x).take(good)  # as the caller does: positions are integers
    return {
        "good": np.asarray(good).tolist(),
        "answers": plain(answers),
        "bad": {row: told(bad[row]) for row in sorted(bad)},
    }


HOW = {
    "all": "that names the rows it refuses",
    "first": "that names only the first row it refuses",
    "none": "that does not say which rows it refuses",
}


def split_case(
    x: Sequence[Any],
    names: str = "all",
    bad: Mapping[int, str] | None = None,
    least: float = 0.0,
) -> Case:
    """Rows, some of which are bad; the others have ten times x."""
    expected = None
    if bad is not None:
        good = [row for row in range(len(x)) if row not in bad]
        expected = {"good": good, "answers": [10.0 * x[row] for row in good], "bad": dict(bad)}
    return Case(
        call=f"split(model, rows with x = {shown(x)}), for a model {HOW[names]}: x below {least:g}",
        answer=lambda module: answers_of(module, x, names, least),
        expected=expected,
        kind=f"a model {HOW[names]}",
    )


def shown(values: Sequence[Any]) -> str:
    """Values as one would type them."""
    return f"[{', '.join('None' if v is None else f'{v:g}' for v in values)}]"


@check("split", why="One bad row in a million must not cost the others their answers.")
def a_bad_row_spoils_no_other() -> Iterator[Case]:
    """Each row that the model does not refuse has its answer."""
    yield split_case([1, 2, -3, 4], bad={2: "too small"})
    yield split_case([-1, 2, 3, -4, 5], bad={0: "too small", 3: "too small"})
    yield split_case([1, 2, 3], bad={})
    yield split_case([-1, -2], bad={0: "too small", 1: "too small"})


@check("split", why="Few models say which row was wrong; an error for the whole call is usual.")
def the_bad_rows_are_searched_for() -> Iterator[Case]:
    """Where the model does not say which rows it refuses, they are found."""
    yield split_case([1, 2, -3, 4], "none", bad={2: "too small"})
    yield split_case([5, 4, 3, 2, 1, -1], "none", bad={5: "too small"})
    yield split_case([-1, 2, 3, -4, 5], "none", bad={0: "too small", 3: "too small"})
    yield split_case([-1, -2], "none", bad={0: "too small", 1: "too small"})
    yield split_case([-1], "none", bad={0: "too small"})


@check("split", why="An error may name the first row only; the rest is not right because of that.")
def the_remaining_rows_are_asked_again() -> Iterator[Case]:
    """Rows that remain when the named ones are taken out may be refused too."""
    yield split_case([1, -2, 3, -4, 5], "first", bad={1: "too small", 3: "too small"})
    yield split_case([-1, -2, -3, 4], "first", bad=dict.fromkeys(range(3), "too small"))


@check("split", why="A NaN among the predictions is an answer that nobody can use or explain.")
def an_answer_is_a_finite_number() -> Iterator[Case]:
    """A row whose answer is NaN or infinite is bad."""
    other = "another reason"
    yield split_case([1, None, 3], bad={1: other})
    yield split_case([INFINITE, 2, 4, -INFINITE], bad={0: other, 3: "too small"})
    yield split_case([NAN, -1, 2, 6], "none", bad={0: other, 1: "too small"})


def bug_case(x: Sequence[float]) -> Case:
    """A model whose code has an error."""

    def answer(module: Any) -> str:
        class Broken(Tenfold):
            def predict(self, X: Any) -> Any:
                raise TypeError("a mistake in the code")

        with only("split", module):
            try:
                module.split(Broken(), batch(x))
            except TypeError:
                return "the TypeError"
        return "answers, as if the rows were bad"

    return Case(
        call=f"split(model, rows with x = {shown(x)}), for a model that raises a TypeError",
        answer=answer,
        expected="the TypeError",
    )


@check(
    "split", why="A model refuses rows with a ValueError; all else is a fault that you must see."
)
def a_fault_of_the_model_is_no_bad_row() -> Iterator[Case]:
    """An error that is no ValueError ends the call."""
    yield bug_case([1, 2, 3])
    yield bug_case([4])


def calls_case(x: Sequence[float], names: str, about: str, at_most: int) -> Case:
    """How often the model is called."""

    def answer(module: Any) -> int:
        model = Tenfold(names)
        with only("split", module):
            module.split(model, batch(x))
        return model.calls

    return Case(
        call=f"split(model, {about}), for a model {HOW[names]}",
        answer=answer,
        expected=at_most,
        reads="at most so many calls of the model:" if at_most else "",
        same=lambda got, wanted: got <= wanted,
    )


@check("split", why="A call costs more than a row: row by row is hundreds of times slower.")
def the_model_is_called_a_few_times() -> Iterator[Case]:
    """The model answers many rows per call, and a bad row does not change that much."""
    rows = np.arange(1000.0)
    yield calls_case(rows.tolist(), "none", "1000 good rows", 20)
    yield calls_case(np.where(rows == 700, -1, rows).tolist(), "none", "1000 rows, 1 bad", 100)
    yield calls_case(np.where(rows == 3, -1, rows).tolist(), "none", "1000 rows, 1 bad", 100)
    yield calls_case((-1 - rows).tolist(), "all", "1000 bad rows", 100)


@check("split", why="A partition whose rows are all bad still has an answer: none.")
def no_row_needs_no_model() -> Iterator[Case]:
    """Without rows there are no answers, and the model, which needs a row, is not asked."""
    yield split_case([], bad={})
    yield split_case([], "none", bad={})


values = st.sampled_from([0.0, 1.0, 2.5, -1.0, -2.0, 7.0, 1e300, None, NAN, INFINITE, -INFINITE])


@explore("split", why="Good and bad rows come in any order and number.", n_examples=40)
def any_rows(draw: Any) -> Case:
    """Rows of all kinds, for models of all kinds."""
    x, names = draw(st.lists(values, max_size=9)), draw(st.sampled_from(list(HOW)))
    return split_case(x, names, least=draw(st.sampled_from([0.0, 0.0, 2.0])))


# --- stream ---------------------------------------------------------------------------------------


def scored_by(
    module: Any,
    chunks: Sequence[tuple[Sequence[Any], Mapping[int, str]]],
    key: Sequence[str],
    first_row: int,
    names: str,
) -> list[Any]:
    """What score_chunks gives, in plain words: one entry for each chunk."""
    found: list[Any] = []
    with only("stream", module):
        for scored in module.score_chunks(
            Tenfold(names), iter(made(module, chunks)), key, first_row
        ):
            ids = [tuple(row.values()) for row in scored.keys.to_pylist()]
            answers, refused = plain(scored.answers), scored.refused.to_pylist()
            if len(ids) != len(answers) or len(refused) != len(scored.bad):
                found.append(
                    f"{len(ids)} keys, {len(answers)} answers, "
                    f"{len(refused)} refused rows, {len(scored.bad)} reasons"
                )
                continue
            aside = [
                (row, told(reason), record["id"])
                for (row, reason), record in zip(scored.bad.items(), refused, strict=True)
            ]
            found.append(in_words(zip(ids, answers, strict=True), aside))
    return found


def in_words(scored: Iterable[Any], aside: Iterable[Any]) -> str:
    """What became of a chunk."""
    answers = [f"{'/'.join(map(str, key))}={float(answer)!r}" for key, answer in scored]
    reasons = [f"row {row} ({name}): {reason}" for row, reason, name in aside]
    return f"{', '.join(answers) or 'none scored'}; {', '.join(reasons) or 'none put aside'}"


def made(module: Any, chunks: Sequence[tuple[Sequence[Any], Mapping[int, str]]]) -> list[Any]:
    """Chunks whose rows are numbered: their ids are a, b, c, ..."""
    found, letters = [], iter("abcdefghijklmnopqrstuvwxyz")
    for x, bad in chunks:
        ids = pa.array([next(letters) for _ in x], pa.string())
        found.append(module.Chunk(batch(x, day=[7] * len(x), id=ids), MappingProxyType(bad)))
    return found


def stream_case(
    *chunks: tuple[Sequence[Any], Mapping[int, str]],
    expected: Sequence[Any] | None = None,
    key: Sequence[str] = ("id",),
    first_row: int = 0,
    names: str = "all",
    kind: str = "",
) -> Case:
    """Chunks, each with x and what the reader says is bad."""
    inputs = [(list(x), dict(bad)) for x, bad in chunks]
    wanted = expected
    if expected is not None:
        wanted = [
            in_words([((letter,), answer) for letter, answer in scored], aside)
            for scored, aside in expected
        ]
    words = "; ".join(f"x = {shown(x)}" + (f", bad {bad}" if bad else "") for x, bad in inputs)
    call = f"score_chunks(model, chunks, {key}, first_row={first_row}); rows a, b, c, ...: {words}"
    return Case(
        call=call,
        answer=lambda module: scored_by(module, inputs, key, first_row, names),
        expected=wanted,
        kind=kind,
    )


WORD = "x is no number"  # as the reader of a file says it


@check("stream", why="The order of rows is nobody's promise; only the key says whose answer it is.")
def an_answer_comes_with_its_key() -> Iterator[Case]:
    """The keys are those of the rows that have an answer, in the same order."""
    yield stream_case(
        ([1, -2, 3], {}),
        expected=[([("a", 10), ("c", 30)], [(1, "too small", "b")])],
    )
    yield stream_case(
        ([-1, 2, 3, 4], {}),
        expected=[([("b", 20), ("c", 30), ("d", 40)], [(0, "too small", "a")])],
    )
    yield stream_case(([-1], {}), expected=[([], [(0, "too small", "a")])], kind="all rows bad")


@check("stream", why="Rows = scored + put aside: the sum that shows that none was lost or doubled.")
def each_row_is_in_one_place() -> Iterator[Case]:
    """What the reader calls bad is put aside with its reason, and not scored."""
    yield stream_case(([5, None], {1: WORD}), expected=[([("a", 50)], [(1, "no number", "b")])])
    yield stream_case(
        ([1, 2], {}),
        ([5, 6], {1: WORD}),
        expected=[([("a", 10), ("b", 20)], []), ([("c", 50)], [(3, "no number", "d")])],
    )
    yield stream_case(
        ([5], {0: WORD}), expected=[([], [(0, "no number", "a")])], kind="all rows bad"
    )


@check("stream", why="Whoever repairs the rows looks at each reason and at the row beside it.")
def a_reason_stands_beside_its_row() -> Iterator[Case]:
    """Bad rows are in the order of the file, with the reasons in the same order."""
    yield stream_case(
        ([-1, 2, 3], {2: WORD}),
        expected=[([("b", 20)], [(0, "too small", "a"), (2, "no number", "c")])],
    )
    yield stream_case(
        ([-1, -2, 3, 4], {2: WORD}),
        expected=[
            (
                [("d", 40)],
                [(0, "too small", "a"), (1, "too small", "b"), (2, "no number", "c")],
            )
        ],
    )
    yield stream_case(
        ([1, 2, 3], {2: WORD, 0: WORD}),
        expected=[([("b", 20)], [(0, "no number", "a"), (2, "no number", "c")])],
        kind="told out of order",
    )


@check("stream", why="Once rows are taken out, the fifth row that is left is not the fifth row.")
def positions_are_those_of_the_chunk() -> Iterator[Case]:
    """A row that the model refuses is found again among those that the reader refused."""
    yield stream_case(
        ([1, 2, -3], {0: WORD}),
        expected=[([("b", 20)], [(0, "no number", "a"), (2, "too small", "c")])],
    )
    yield stream_case(
        ([1, 2, -3, 4, -5, 6], {0: WORD, 3: WORD}),
        expected=[
            (
                [("b", 20), ("f", 60)],
                [
                    (0, "no number", "a"),
                    (2, "too small", "c"),
                    (3, "no number", "d"),
                    (4, "too small", "e"),
                ],
            )
        ],
    )


@check(
    "stream", why="A row number that counts anew in each chunk leads to another row of the file."
)
def rows_are_numbered_through_the_file() -> Iterator[Case]:
    """The number of a bad row is that in its file: chunks go on where the last one ended."""
    yield stream_case(
        ([1, 2], {}),
        ([3, -4], {}),
        expected=[([("a", 10), ("b", 20)], []), ([("c", 30)], [(3, "too small", "d")])],
    )
    yield stream_case(
        ([-1, 2], {}),
        ([], {}),
        ([-3, 4], {}),
        ([-5], {}),
        expected=[
            ([("b", 20)], [(0, "too small", "a")]),
            ([], []),
            ([("d", 40)], [(2, "too small", "c")]),
            ([], [(4, "too small", "e")]),
        ],
        kind="an empty chunk",
    )
    yield stream_case(
        ([1, -2], {}),
        ([-3], {}),
        expected=[([("a", 10)], [(101, "too small", "b")]), ([], [(102, "too small", "c")])],
        first_row=100,
        kind="a file that begins before",
    )
    yield stream_case(
        ([-1], {}), expected=[([], [(5, "too small", "a")])], first_row=5, kind="one chunk"
    )


def pace_case(n_chunks: int) -> Case:
    """How many chunks are read when each result comes."""

    def answer(module: Any) -> list[int]:
        n_read = 0

        def chunks() -> Iterator[Any]:
            nonlocal n_read
            for i in range(n_chunks):
                n_read += 1
                yield module.Chunk(batch([1.0], id=[i]))

        with only("stream", module):
            results = module.score_chunks(Tenfold(), chunks(), ("id",))
            return [n_read for _ in results]

    return Case(
        call=f"score_chunks(model, chunks, ('id',)), of {n_chunks} chunks of one row",
        answer=answer,
        expected=list(range(1, n_chunks + 1)),
        reads="chunks that were read when each result came:",
        same=lambda got, wanted: (
            len(got) == len(wanted) and all(a <= b + 1 for a, b in zip(got, wanted, strict=True))
        ),
    )


@check("stream", why="The table may be larger than memory; a chunk that is written can be let go.")
def one_chunk_is_in_memory_at_a_time() -> Iterator[Case]:
    """Each chunk is scored and passed on before the next is read."""
    yield pace_case(4)
    yield pace_case(6)


def calls_of_stream_case(sizes: Sequence[int], at_most: int) -> Case:
    """How often the model is called for chunks of these sizes."""

    def answer(module: Any) -> int:
        model = Tenfold("none")
        chunks = [module.Chunk(batch(np.ones(n), id=range(n))) for n in sizes]
        with only("stream", module):
            for _ in module.score_chunks(model, iter(chunks), ("id",)):
                pass
        return model.calls

    return Case(
        call=f"score_chunks(model, chunks, ('id',)), of chunks of {list(sizes)} good rows",
        answer=answer,
        expected=at_most,
        reads="at most so many calls of the model:",
        same=lambda got, wanted: got <= wanted,
    )


@check("stream", why="A call has a fixed cost; row by row, each row pays it.")
def a_chunk_is_scored_at_once() -> Iterator[Case]:
    """The rows of a chunk go to the model together."""
    yield calls_of_stream_case([200, 100], 8)
    yield calls_of_stream_case([300], 4)


@explore(
    "stream",
    why="Bad rows may be told by the reader, by the model or by its answers.",
    n_examples=40,
)
def any_chunks(draw: Any) -> Case:
    """Chunks of any sizes, with bad rows of all kinds."""
    chunks = []
    for _ in range(draw(st.integers(1, 4))):
        x = draw(st.lists(values, max_size=5))
        where = draw(st.sets(st.integers(0, max(len(x) - 1, 0)), max_size=len(x)))
        order = draw(st.permutations(sorted(where)))
        chunks.append((x, dict.fromkeys(order, WORD)))
    return stream_case(
        *chunks,
        key=draw(st.sampled_from([("id",), ("day", "id"), ("id", "x")])),
        first_row=draw(st.sampled_from([0, 0, 40])),
        names=draw(st.sampled_from(list(HOW))),
    )


def outcome(module: Any, source: Path, sink: Path, **settings: Any) -> Any:
    """What a job leaves, in plain words."""
    try:
        report = module.score(Tenfold(), source, sink, key="id", n_workers=1, **settings)
    except ValueError as error:
        if type(error).__name__ not in ("BadInputError", "SinkError"):
            raise
        return f"{type(error).__name__}: {str(error).replace(str(sink), 'the sink')}"
    scored = [
        f"{row['id']}: {row['prediction']:g}"
        for path in sorted(sink.glob("part-*.parquet"))
        for row in pq.read_table(path, partitioning=None).to_pylist()
    ]
    aside = [
        f"{row['_source']} row {row['_row']} ({row.get('id')}): {told(row['_reason'])}"
        for path in sorted((sink / "_quarantine").iterdir())
        for row in pq.read_table(path, partitioning=None).to_pylist()
    ]
    counts = {"kept": report.kept, "rows": report.rows, "quarantined": report.quarantined}
    return {**counts, "scored": scored, "aside": aside}


def write_csv(path: Path, rows: Sequence[tuple[Any, Any]]) -> None:
    """Ids and inputs as a file of texts."""
    cells = [",".join("" if v is None else str(v) for v in row) for row in rows]
    path.write_text("\n".join(["id,x", *cells]) + "\n", "utf-8")


def write_parquet(path: Path, rows: Sequence[tuple[Any, Any]]) -> None:
    """The same with types, in row groups of three."""
    ids = pa.array([row[0] for row in rows], pa.int64())
    x = pa.array([row[1] for row in rows], pa.float64())
    pq.write_table(pa.table({"id": ids, "x": x}), path, row_group_size=3)


@explore("stream", why="A job reads a file, and writes what your results say.", n_examples=6)
def any_file(draw: Any) -> Case:
    """A whole job, with bad cells, missing keys and keys of several rows."""
    is_csv = draw(st.booleans())
    number = st.sampled_from([1.0, 2.0, -3.0, 4.0, None, *(["?"] if is_csv else [])])
    key = st.one_of(st.integers(1, 30), st.none())
    rows = draw(st.lists(st.tuples(key, number), min_size=1, max_size=8))
    name, write = ("a.csv", write_csv) if is_csv else ("a.parquet", write_parquet)

    def answer(module: Any) -> Any:
        with folder() as here, flushing(), only("stream", module):
            source = here / name
            write(source, rows)
            settings = {"memory": 256, "rows_per_partition": 6, "on_error": "quarantine"}
            return outcome(module, source, here / "out", **settings)

    return Case(call=f'score {name} with id, x = {rows}, on_error="quarantine"', answer=answer)


# --- commit ---------------------------------------------------------------------------------------

ENTRIES = {"fingerprint": "f1", "model_version": "v1", "rows": 3, "quarantined": 0, "refused": None}
KINDS = tuple(reference.FILES)
SUFFIX = {kind: suffix for kind, (_, suffix) in reference.FILES.items()}


class Sink:
    """A sink with one partition, and what a kill would leave of it at each moment.

    Parameters
    ----------
    old, new : sequence of str
        The kinds of files that an earlier commit has left, and those that are to be committed.
    """

    def __init__(self, module: Any, place: Path, old: Sequence[str], new: Sequence[str]) -> None:
        self.job = module.Job(place, ("id",), pafs.LocalFileSystem())
        self.part = module.Part("/in/a.parquet", "a.parquet", "f1", rows=3)
        self.written, self.old, self.new = place / ".tmp-part", old, new
        self.flushed: set[tuple[int, int]] = set()
        self.problems: dict[str, None] = {}
        self.places = {kind: self.job.path(self.part, kind) for kind in KINDS}
        self.places["manifest"] = self.job.manifest(self.part)
        for name in ("_manifest", "_quarantine", "_keys", ".tmp-part"):
            (place / name).mkdir()
        for kind in old:
            self.places[kind].write_text(f"old {kind}", "utf-8")
        if old:
            self.places["manifest"].write_text('{"old": 1}', "utf-8")
        for kind in new:
            self.files[kind].write_text(f"new {kind}, and longer", "utf-8")
        self._last: Any = None

    @property
    def files(self) -> dict[str, Path]:
        """What is to be committed."""
        return {kind: self.written / f"{kind}{SUFFIX[kind]}" for kind in self.new}

    def state(self) -> dict[str, str]:
        """What stands in each place: old, new, missing or something else."""
        found = {}
        for kind, path in self.places.items():
            text = path.read_text("utf-8") if path.exists() else "missing"
            known = {"missing": "missing", f"old {kind}": "old", '{"old": 1}': "old"}
            known[f"new {kind}, and longer"] = "new"
            found[kind] = known.get(text, "something else")
            if kind == "manifest" and text.endswith("}") and '"checksums"' in text:
                found[kind] = "new"
        return found

    def look(self) -> None:
        """Note what would be wrong if the process were killed now."""
        files = {}
        for kind, path in self.places.items():
            try:
                about = path.stat()
            except FileNotFoundError:
                continue
            files[kind] = (about.st_ino, about.st_size, about.st_mtime_ns)
        names = os.listdir(self.job.sink / "_manifest"), os.listdir(self.job.sink)
        if self._last == (files, names):
            return
        self._last = files, names
        state = self.state()
        for kind, word in state.items():
            if word == "something else":
                self.problems[f"half of it is visible: {kind}"] = None
            if word == "new" and files[kind][:2] not in self.flushed:
                self.problems[f"not flushed: {kind}"] = None
            final = "new" if kind in (*self.new, "manifest") else "missing"
            if state["manifest"] == "new" and word not in (final, "something else"):
                self.problems[f"the manifest is there before all is done: {kind}"] = None
        own = {path.name for path in self.places.values()}
        if set(names[0]) - own or {n for n in names[1] if n.startswith("part-")} - own:
            self.problems["another name is visible: a reader takes it for a result"] = None


@contextmanager
def watched(look: Callable[[], None]) -> Iterator[None]:
    """Look before each line that is run of the answer, or of what writes or copies for it."""
    before = sys.gettrace()

    def trace(frame: Any, event: str, arg: Any) -> Any:
        file, name = frame.f_code.co_filename, frame.f_code.co_name
        if file.startswith(LIBRARY) and "shutil" not in file and not name.startswith("write"):
            return None
        look()
        return trace

    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)
    look()


@contextmanager
def a_commit(
    module: Any,
    old: Sequence[str],
    new: Sequence[str],
    entries: dict[str, Any],
    watch: bool = False,
) -> Iterator[tuple[Sink, Any]]:
    """A sink after a commit, and what commit has returned."""
    with folder() as place, flushing() as flushed, only("commit", module):
        sink = Sink(module, place, old, new)
        sink.flushed = flushed
        with ExitStack() as stack:
            if watch:
                stack.enter_context(watched(sink.look))
            returned = module.commit(sink.job, sink.part, sink.written, entries)
        yield sink, returned


def named(kinds: Sequence[str]) -> str:
    """Kinds of files, for a message."""
    return " and ".join(kinds) or "nothing"


def commit_call(old: Sequence[str], new: Sequence[str]) -> str:
    """A commit, in words."""
    return f"commit of {named(new)}, where an earlier run has left {named(old)}"


def places_case(old: Sequence[str], new: Sequence[str]) -> Case:
    """What stands in the sink after a commit."""
    entries = dict(ENTRIES)

    def answer(module: Any) -> dict[str, str]:
        with a_commit(module, old, new, entries) as (sink, _):
            return sink.state()

    expected = {kind: "new" if kind in new else "missing" for kind in KINDS}
    return Case(
        call=commit_call(old, new),
        answer=answer,
        expected={**expected, "manifest": "new"},
        arguments={"manifest": entries},
    )


@check("commit", why="A partition is its predictions, its bad rows and its keys, of one run.")
def the_sink_has_this_run_and_nothing_else() -> Iterator[Case]:
    """After a commit, each file is in its place, and none of an earlier run is left."""
    yield places_case([], ["predictions", "keys"])
    yield places_case([], KINDS)
    yield places_case(KINDS, ["predictions", "keys"])
    yield places_case(["predictions", "keys"], KINDS)
    yield places_case(KINDS, ["quarantine", "keys"])


def manifest_case(new: Sequence[str], **changed: Any) -> Case:
    """What the manifest says."""
    entries = {**ENTRIES, **changed}

    def answer(module: Any) -> dict[str, Any]:
        with a_commit(module, [], new, entries) as (sink, returned):
            text = sink.places["manifest"].read_text("utf-8")
            found = json.loads(text)
            time = found.pop("scored_at", None)
            is_time = isinstance(time, float) and time > 1e9
            same = isinstance(returned, dict) and json.loads(text) == returned
            sums, wanted = found.pop("checksums", None), checksums(new)
            return {
                "checksums": "right" if sums == wanted else sums,
                "scored_at": "a time" if is_time else time,
                "returned": "the same" if same else returned,
                **found,
            }

    return Case(
        call=f"the manifest after a commit of {named(new)}, with {entries}",
        answer=answer,
        expected={"checksums": "right", "scored_at": "a time", "returned": "the same", **entries},
        arguments={"manifest": entries},
    )


def checksums(kinds: Sequence[str]) -> dict[str, str]:
    """SHA-256 of the contents of new files."""
    return {kind: hashlib.sha256(f"new {kind}, and longer".encode()).hexdigest() for kind in kinds}


@check("commit", why="Whoever goes on later can trust a file only if something says what it was.")
def the_manifest_says_what_was_committed() -> Iterator[Case]:
    """The manifest has the entries given, the checksum of each file and the time."""
    yield manifest_case(["predictions", "keys"])
    yield manifest_case(KINDS, rows=7, quarantined=2)
    yield manifest_case(["quarantine", "keys"], refused="cannot be read")


def kill_case(old: Sequence[str], new: Sequence[str], about: str = "") -> Case:
    """What a kill would leave wrong, at any moment of a commit."""
    entries = dict(ENTRIES)

    def answer(module: Any) -> list[str]:
        with a_commit(module, old, new, entries, watch=True) as (sink, _):
            return sorted(problem for problem in sink.problems if about in problem)

    return Case(
        call=f"{commit_call(old, new)}, killed at any moment",
        answer=answer,
        expected=[] if about else None,
        reads="what a kill can leave:",
        arguments={"manifest": entries},
    )


@check("commit", why="A process can be killed between two bytes; a rename happens or does not.")
def a_kill_leaves_no_half_file() -> Iterator[Case]:
    """At each moment, what is visible is whole."""
    yield kill_case([], KINDS, "visible")
    yield kill_case(KINDS, ["predictions", "keys"], "visible")


@check("commit", why="The manifest says that all is there; it must not say so before it is true.")
def the_manifest_is_last() -> Iterator[Case]:
    """When the new manifest is visible, all files are those of this run."""
    yield kill_case([], ["predictions", "keys"], "before all")
    yield kill_case(KINDS, ["predictions", "keys"], "before all")
    yield kill_case(["predictions", "quarantine"], ["predictions"], "before all")
    yield kill_case(["predictions"], KINDS, "before all")


@check("commit", why="After a power failure a name may be there whose content never was written.")
def content_is_on_the_disk_before_its_name() -> Iterator[Case]:
    """Each file is flushed before it is renamed."""
    yield kill_case([], KINDS, "not flushed")
    yield kill_case(["predictions", "keys"], ["predictions", "keys"], "not flushed")


Damage = Callable[[Sink], None]


def cut(kind: str) -> Damage:
    """A file of which half is there."""

    def damage(sink: Sink) -> None:
        content = sink.places[kind].read_bytes()
        sink.places[kind].write_bytes(content[: len(content) // 2])

    return damage


def flip(kind: str) -> Damage:
    """A file in which a byte is another one."""

    def damage(sink: Sink) -> None:
        content = sink.places[kind].read_bytes()
        sink.places[kind].write_bytes(content[:3] + b"?" + content[4:])

    return damage


def drop(kind: str) -> Damage:
    """A file that is gone."""
    return lambda sink: sink.places[kind].unlink()


def add(kind: str) -> Damage:
    """A file that no commit has left."""
    return lambda sink: sink.places[kind].write_text("old", "utf-8") and None


def committed_case(
    about: str,
    expected: str | None = None,
    damage: Damage = lambda sink: None,
    new: Sequence[str] = ("predictions", "keys"),
    on_error: str = "stop",
    fingerprint: str = "f1",
    version: str = "v1",
    **changed: Any,
) -> Case:
    """Whether a partition is taken as it is. The reference has committed it."""

    def answer(module: Any) -> str:
        entries = {**ENTRIES, **changed}
        with a_commit(reference, [], new, entries) as (sink, manifest), only("commit", module):
            damage(sink)
            filesystem = pafs.LocalFileSystem()
            job = module.Job(sink.job.sink, ("id",), filesystem, on_error=on_error)
            part = module.Part("/in/a.parquet", "a.parquet", fingerprint, rows=3)
            found = module.committed(job, part, version)
        if found is None:
            return "score it again"
        return "the manifest" if found == manifest else repr(found)

    how = "stops at bad rows" if on_error == "stop" else "puts bad rows aside"
    return Case(
        call=f"committed(...), {about}, in a job that {how}",
        answer=answer,
        expected=expected,
        kind=about,
    )


@check("commit", why="Work that is done, and still true, is not done again.")
def what_is_committed_is_kept() -> Iterator[Case]:
    """A partition that is whole and of this input and model is not scored again."""
    kept = "the manifest"
    bad: Any = {"new": KINDS, "quarantined": 2}
    yield committed_case("whole", kept)
    yield committed_case("whole", kept, on_error="quarantine")
    yield committed_case("with two bad rows", kept, on_error="quarantine", **bad)
    gone: Any = {"new": ("quarantine", "keys"), "refused": "cannot be read"}
    yield committed_case("of a file that cannot be read", kept, on_error="quarantine", **gone)


@check("commit", why="A job that starts has no manifest, and one that is torn says nothing.")
def without_a_manifest_nothing_is_committed() -> Iterator[Case]:
    """A manifest that is missing or torn means: score it again."""
    again = "score it again"
    yield committed_case("without a manifest", again, drop("manifest"))
    yield committed_case("with half a manifest", again, cut("manifest"))


@check("commit", why="A file that was cut off by a kill or a full disk has its name all the same.")
def a_file_that_exists_may_be_damaged() -> Iterator[Case]:
    """A partition of which a file is missing, cut or changed is scored again."""
    again = "score it again"
    for kind in ("predictions", "keys"):
        yield committed_case(f"with half of {kind}", again, cut(kind))
        yield committed_case(f"with a changed byte in {kind}", again, flip(kind))
        yield committed_case(f"without {kind}", again, drop(kind))
    bad: Any = {"new": KINDS, "quarantined": 2, "on_error": "quarantine"}
    yield committed_case("with half of quarantine", again, cut("quarantine"), **bad)
    yield committed_case("without quarantine", again, drop("quarantine"), **bad)
    yield committed_case("with a quarantine that it has not", again, add("quarantine"))
    yield committed_case("with keys that it has not", again, add("keys"), new=("predictions",))


@check(
    "commit", why="Predictions of yesterday's rows, or of another model, are no result of today."
)
def another_input_or_model_is_noticed() -> Iterator[Case]:
    """A partition is scored again when its input or the model has changed."""
    again = "score it again"
    yield committed_case("of an input that has changed", again, fingerprint="f2")
    yield committed_case("of another model", again, version="v2")
    both: Any = {"on_error": "quarantine", "new": KINDS, "quarantined": 1}
    yield committed_case("of an input that has changed", again, fingerprint="f0", **both)
    yield committed_case("of another model", again, version="v10", **both)


@check(
    "commit", why="A job that must stop at bad rows would pass over those that another put aside."
)
def a_strict_job_takes_no_quarantine() -> Iterator[Case]:
    """A job that stops at errors scores again what was committed with bad rows or files."""
    again = "score it again"
    yield committed_case("with two bad rows", again, new=KINDS, quarantined=2)
    yield committed_case("with one bad row", again, new=KINDS, quarantined=1)
    gone = ("quarantine", "keys")
    yield committed_case("of a file that cannot be read", again, new=gone, refused="no Parquet")


kinds = st.sets(st.sampled_from(KINDS)).map(lambda chosen: [k for k in KINDS if k in chosen])


@explore(
    "commit",
    why="Earlier runs may have left anything, and a kill may come at any moment.",
    n_examples=16,
)
def any_commit(draw: Any) -> Case:
    """Any files, over any that an earlier run has left."""
    return kill_case(draw(kinds), draw(kinds))


@explore(
    "commit", why="The same command goes on where it was, whatever has happened.", n_examples=6
)
def any_sink_that_was_left(draw: Any) -> Case:
    """A job that goes on in a sink that was damaged, or whose input has changed."""
    files = {name: draw(st.lists(st.sampled_from([1.0, 2.0, -3.0]), max_size=3)) for name in "ab"}
    what = st.sampled_from(["cut", "drop", "input"])
    names = st.sampled_from(["a", "b"])
    damages = draw(
        st.lists(st.tuples(what, names, st.sampled_from([*KINDS, "manifest"])), max_size=2)
    )
    on_error = draw(st.sampled_from(["stop", "quarantine"]))

    def answer(module: Any) -> Any:
        with folder() as here, flushing(), only("commit", module):
            source, sink = here / "in", here / "out"
            source.mkdir()
            for i, (name, x) in enumerate(files.items()):
                rows = [(10 * i + j, value) for j, value in enumerate(x)]
                write_parquet(source / f"{name}.parquet", rows)
            first = outcome(module, source, sink, on_error="quarantine")
            for how, name, kind in damages:
                stem = f"part-{name}.parquet-00000"
                found = [p for p in sink.rglob(f"{stem}.*") if places_of(p) == kind]
                if how == "input":
                    write_parquet(source / f"{name}.parquet", [(ord(name), 5.0)])
                for path in found if how != "input" else []:
                    content = path.read_bytes()
                    path.write_bytes(content[: len(content) // 2])
                    if how == "drop":
                        path.unlink()
            return [first, outcome(module, source, sink, on_error=on_error)]

    return Case(
        call=f"score files with x = {files}, then {damages or 'nothing'}, then score again with "
        f"on_error={on_error!r}",
        answer=answer,
    )


def places_of(path: Path) -> str:
    """The kind of a file in a sink."""
    return {"_manifest": "manifest", "_quarantine": "quarantine", "_keys": "keys"}.get(
        path.parent.name, "predictions"
    )
