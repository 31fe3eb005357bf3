"""What the exercise asks of an answer.

Tables have a few rows here, so every expected answer can be read off the input. What is compared
never depends on which number a key or a bin has, or on the order of columns: only on which rows
are treated alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from patterns._kit.exercise import Case, check

Row = tuple[str | None, ...]
IntArray = NDArray[np.integer[Any]]


# --- key ------------------------------------------------------------------------------------------


def cells(rows: Sequence[Row], kind: type[str] = str) -> pd.MultiIndex:
    """The rows as a cross: a level of texts a column, missing parts with the code -1."""
    levels: list[Any] = []
    codes: list[list[int]] = []
    for column in zip(*rows, strict=True):
        texts = list(dict.fromkeys(text for text in column if text is not None))
        codes.append([-1 if text is None else texts.index(text) for text in column])
        levels.append(pd.Index([kind(text) for text in texts], dtype=object))
    return pd.MultiIndex(levels, codes, verify_integrity=False)


def alike(rows: Sequence[Any]) -> IntArray:
    """For each row, the number of its group of equal rows, counted from 0 in order."""
    return np.asarray([list(dict.fromkeys(rows)).index(row) for row in rows])


def key_case(rows: Sequence[Row]) -> Case:
    """Which rows have equal keys."""
    return Case(
        call=f"cross_keys of the rows {shown(rows)}",
        answer=lambda module: module.cross_keys(cells(rows)),
        view=lambda keys: alike(np.asarray(keys).tolist()),
        expected=alike(rows),
        reads="rows grouped by key, as",
    )


class ElsewhereText(str):
    """Text as another process sees it: the same, but Python's hash of it differs."""

    __slots__ = ()

    def __hash__(self) -> int:
        return ~str.__hash__(self)

    def __eq__(self, other: object) -> bool:
        return str.__eq__(self, other)


def batches_case(first: Sequence[Row], then: Sequence[Row]) -> Case:
    """Which rows of two batches have equal keys."""
    return Case(
        call=f"cross_keys of the rows {shown(first)}, and of {shown(then)}",
        answer=lambda module: [module.cross_keys(cells(rows)) for rows in (first, then)],
        view=lambda batches: alike(np.concatenate(batches).tolist()),
        expected=alike([*first, *then]),
        reads="all rows grouped by key, as",
    )


def processes_case(rows: Sequence[Row]) -> Case:
    """Whether each row has the same key here and elsewhere."""
    return Case(
        call=f"cross_keys of the rows {shown(rows)} here and in another process",
        answer=lambda module: np.equal(
            module.cross_keys(cells(rows)), module.cross_keys(cells(rows, ElsewhereText))
        ),
        expected=[True] * len(rows),
        reads="keys that are equal (1) or not (0):",
    )


@check("key", why="The model looks up a coefficient by the key; a row must find it in any batch.")
def a_key_does_not_depend_on_other_rows() -> Iterator[Case]:
    """Equal cells have equal keys, whatever other rows there are."""
    yield batches_case(
        [("8", "Mon"), ("9", "Tue")], [("9", "Tue"), ("8", "Mon"), ("8", "Tue"), ("7", "Sun")]
    )
    yield batches_case([("a", "b", "c")], [("d", "e", "c"), ("a", "b", "c"), ("d", "b", "c")])
    yield batches_case([("x", None)], [("y", "z"), ("x", "z"), ("x", None)])


@check("key", why="Python salts hash() anew in each process; the server would look up other keys.")
def a_key_is_the_same_in_another_process() -> Iterator[Case]:
    """A key depends on the text alone, not on Python's hash of it."""
    yield processes_case([("8", "Mon"), ("9", "Tue")])
    yield processes_case([("a", "b", "c"), ("c", None, "")])


@check("key", why="Categories are text of any kind; no separator is sure not to occur in them.")
def no_text_can_shift_the_border_between_parts() -> Iterator[Case]:
    """Different cells have different keys, however their texts join."""
    yield key_case([("1_2", "_3"), ("1", "_2_3"), ("1_", "2_3"), ("1_2_", "3")])
    yield key_case([("1", "23"), ("12", "3"), ("123", ""), ("1", "23")])
    yield key_case([("a|b", "c"), ("a", "b|c"), ("a-b", "c"), ("a", "b-c"), ("a-b", "c")])
    yield key_case([("x,y", "z"), ("x", "y,z"), ("x y", "z"), ("x", "y z"), ("x\0y", "z")])
    yield key_case([("a:b", "c"), ("a", "b:c"), ("a × b", "c"), ("a", "b × c"), ("a;b", "c")])
    yield key_case([("a_b", "c", "d"), ("a", "b_c", "d"), ("a", "b", "c_d"), ("a_b", "c", "d")])
    yield key_case([("x", "y\0z"), ("x\0y", "z"), ("a\x1fb", "c"), ("a", "b\x1fc")])


@check("key", why="From Newark to Boston is another route than from Boston to Newark.")
def the_order_of_parts_counts() -> Iterator[Case]:
    """A cell with its parts exchanged is another cell."""
    yield key_case([("EWR", "BOS"), ("BOS", "EWR"), ("EWR", "EWR"), ("BOS", "BOS")])
    yield key_case([("a", "b", "c"), ("b", "c", "a"), ("c", "b", "a"), ("a", "b", "c")])
    yield key_case([("1", "1"), ("2", "2"), ("3", "3"), ("1", "2"), ("2", "1")])


@check(
    "key", why="A missing value is a fact about the row, and text from outside may say anything."
)
def a_missing_part_is_no_text() -> Iterator[Case]:
    """A missing part is equal to other missing ones, and to no text."""
    rows: list[Row] = [(None, "b"), ("nan", "b"), ("None", "b"), ("", "b"), ("missing", "b")]
    yield key_case([*rows, ("<NA>", "b"), ("NA", "b"), ("-1", "b"), ("null", "b"), (None, "b")])
    yield key_case([("a", ""), ("a", None), ("", "a"), (None, "a"), (None, None), ("", "")])
    yield key_case([("a", None), ("a", "nan"), ("a", "NaN"), ("a", "None"), (None, None)])


# --- vocabulary -----------------------------------------------------------------------------------


def encoded(module: Any, train: Sequence[Row], rows: Sequence[Row], *crosses: Row) -> Any:
    """The matrix of ``rows`` by an encoder fitted to ``train``, columns sorted by their names."""
    names = list("abc")[: len(train[0])]
    train_frame, frame = (
        pd.DataFrame(table, columns=names, dtype=object) for table in (train, rows)
    )
    encoder = module.FeatureCross(crosses or [tuple(names)]).fit(train_frame)
    matrix = encoder.transform(frame)
    if matrix.nnz and matrix.indices.max() >= matrix.shape[1]:
        raise IndexError("a row marks a column that does not exist")
    return matrix.toarray()[:, np.argsort(encoder.get_feature_names_out())]


def vocabulary_case(train: Sequence[Row], rows: Sequence[Row], expected: Any) -> Case:
    """The matrix of one cross."""
    return Case(
        call=f"FeatureCross([all columns]).fit({shown(train)}).transform({shown(rows)})",
        answer=lambda module: encoded(module, train, rows),
        expected=expected,
        reads="the matrix",
    )


SEEN: list[Row] = [("8", "Mon"), ("9", "Tue"), ("8", "Mon"), ("8", "Wed")]


@check("vocabulary", why="Columns that are always zero cost memory and, in a search, time.")
def only_what_occurs_gets_a_column() -> Iterator[Case]:
    """Each combination of the training rows has a column, and no other has."""
    yield vocabulary_case(SEEN, SEEN, [[1, 0, 0], [0, 0, 1], [1, 0, 0], [0, 1, 0]])
    rows: list[Row] = [("a", "x", "1"), ("b", "y", "2"), ("a", "y", "2")]
    yield vocabulary_case(rows, rows, [[1, 0, 0], [0, 0, 1], [0, 1, 0]])
    yield vocabulary_case([("a", "b")] * 2, [("a", "b")] * 3, [[1]] * 3)


@check(
    "vocabulary", why="The model's coefficients belong to columns; a batch must not renumber them."
)
def a_row_finds_its_column_in_any_batch() -> Iterator[Case]:
    """The column of a combination is that which it had in training."""
    yield vocabulary_case(SEEN, [("9", "Tue")], [[0, 0, 1]])
    yield vocabulary_case(SEEN, [("9", "Tue"), ("8", "Wed")], [[0, 0, 1], [0, 1, 0]])
    yield vocabulary_case([("a", "b"), ("b", "a"), ("c", "c")], [("c", "c")], [[0, 0, 1]])


@check("vocabulary", why="Another combination's coefficient is a wrong answer, and a halt is none.")
def an_unseen_combination_has_no_column() -> Iterator[Case]:
    """What did not occur in training is all zeros, even if each part did."""
    yield vocabulary_case(SEEN, [("9", "Mon")], [[0, 0, 0]])
    yield vocabulary_case(SEEN, [("7", "Mon"), ("8", "Mon")], [[0, 0, 0], [1, 0, 0]])
    yield vocabulary_case(SEEN, [("8", "Sun"), ("9", "Zzz")], [[0, 0, 0], [0, 0, 0]])
    yield vocabulary_case(SEEN, [(None, "Mon"), ("8", None)], [[0, 0, 0], [0, 0, 0]])


@check("vocabulary", why="That a value is missing often tells more than the value would.")
def missing_is_a_category() -> Iterator[Case]:
    """A combination with a missing part is a combination like any other."""
    rows: list[Row] = [("8", "Mon"), ("8", None), (None, None)]
    yield vocabulary_case(rows, rows, [[1, 0, 0], [0, 1, 0], [0, 0, 1]])
    rows = [(None, "a"), ("b", "a"), (None, "a")]
    yield vocabulary_case(rows, rows, [[0, 1], [1, 0], [0, 1]])


# --- bins -----------------------------------------------------------------------------------------


def bins(module: Any, rows: Sequence[Row], n_hash_bins: int) -> IntArray:
    """The bin of each row, in the only cross."""
    names = list("abc")[: len(rows[0])]
    frame = pd.DataFrame(rows, columns=names, dtype=object)
    matrix = module.FeatureCross([tuple(names)], n_hash_bins).fit(frame).transform(frame)
    if matrix.nnz != len(rows):
        raise ValueError(f"{matrix.nnz} of {len(rows)} rows have a bin")
    return np.asarray(matrix.indices)


def many_rows(n: int) -> list[Row]:
    """So many different combinations."""
    return [(f"user{i // 40}", f"item{i % 40}") for i in range(n)]


def used_case(n_bins: int) -> Case:
    """Which bins are in use."""
    return Case(
        call=f"FeatureCross(crosses, n_hash_bins={n_bins}) on 1000 combinations",
        answer=lambda module: bins(module, many_rows(1000), n_bins),
        view=np.unique,
        expected=np.arange(n_bins),
        reads="bins in use:",
    )


def same_bin_case(start: int) -> Case:
    """Whether rows have the same bin without the rows before them."""
    rows = many_rows(1000)
    return Case(
        call=f"FeatureCross(crosses, n_hash_bins=64) on 1000 combinations, and on those from "
        f"number {start}",
        answer=lambda module: bins(module, rows, 64)[start:] == bins(module, rows[start:], 64),
        view=np.mean,
        expected=1.0,
        reads="rows with the same bin, as a share:",
    )


def spread_case(shared: str, rows: Sequence[Row]) -> Case:
    """How many bins are in use by combinations that have something in common."""
    return Case(
        call=f"FeatureCross(crosses, n_hash_bins=8) on 200 combinations that share {shared}",
        answer=lambda module: bins(module, rows, 8),
        view=lambda used: len(np.unique(used)),
        expected=8,
        reads="number of bins in use:",
    )


@check("bins", why="A bin that does not exist is another cross's column; an idle one is wasted.")
def every_bin_is_used_and_no_other() -> Iterator[Case]:
    """With far more combinations than bins, the bins from 0 to n - 1 are in use."""
    for n_bins in (1, 2, 7, 16):
        yield used_case(n_bins)


@check("bins", why="Nothing is learned from the batch: that is what hashing is for.")
def a_row_has_the_same_bin_in_any_batch() -> Iterator[Case]:
    """The bin of a combination does not depend on the other rows."""
    for start in (1, 17, 500):
        yield same_bin_case(start)


@check("bins", why="Bins by one part are the main effect again, and sums of parts repeat.")
def all_parts_decide_the_bin() -> Iterator[Case]:
    """Combinations that share one part are spread over the bins."""
    numbers = [str(i) for i in range(200)]
    yield spread_case("the first part", [("a", number) for number in numbers])
    yield spread_case("the last part", [(number, "a") for number in numbers])
    yield spread_case("the middle part", [(number, "a", number[::-1]) for number in numbers])
    yield spread_case("two letters in turn", [("x" * i, "x" * (200 - i)) for i in range(200)])


def law_case(n_cells: int, n_bins: int | Sequence[int]) -> Case:
    """The law to two decimals: whether it is exact or its limit for many bins does not matter."""
    many = np.asarray(n_bins, dtype=float)
    return Case(
        call=f"signal_kept(n_cells={n_cells}, n_bins={n_bins})",
        answer=lambda module: module.signal_kept(n_cells, n_bins),
        view=lambda kept: np.round(np.asarray(kept, dtype=float), 2),
        expected=np.round(many / n_cells * -np.expm1(n_cells * np.log1p(-1 / many)), 2),
    )


@check(
    "law", why="Bins are drawn with repetition: as many bins as cells leave many cells to share."
)
def as_many_bins_as_cells_are_not_enough() -> Iterator[Case]:
    """With one bin for each cell, bins in use are fewer than cells."""
    yield law_case(1000, 1000)
    yield law_case(5000, 5000)
    yield law_case(20_000, [20_000, 20_000])


@check("law", why="Few bins are all in use and still cannot hold more than one number each.")
def bins_in_use_count_relative_to_cells() -> Iterator[Case]:
    """What is left is the number of bins in use for each cell, not for each bin."""
    yield law_case(10_000, 625)
    yield law_case(2500, [1250, 250, 125])
    yield law_case(1000, [10_000, 100_000, 50])


def shown(rows: Sequence[Row]) -> str:
    """Rows as one would type them."""
    return f"[{', '.join(str(row) for row in rows)}]"
