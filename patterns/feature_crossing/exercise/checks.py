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
from hypothesis import strategies as st
from numpy.typing import NDArray

from patterns._kit.exercise import Case, check, explore

Row = tuple[str | None, ...]
IntArray = NDArray[np.integer[Any]]


# --- key ------------------------------------------------------------------------------------------


def coded(rows: Sequence[Row]) -> list[tuple[IntArray, list[str]]]:
    """For each column its codes, -1 where a text is missing, and its texts."""
    made = []
    for column in zip(*rows, strict=True):
        texts = list(dict.fromkeys(text for text in column if text is not None))
        codes = [-1 if text is None else texts.index(text) for text in column]
        made.append((np.asarray(codes), texts))
    return made


def parts(module: Any, rows: Sequence[Row], kind: type[str] = str) -> list[Any]:
    """The rows as parts of a cross."""
    return [module.Part(codes, [kind(text) for text in texts]) for codes, texts in coded(rows)]


def alike(rows: Sequence[Any]) -> IntArray:
    """For each row, the number of its group of equal rows, counted from 0 in order."""
    return np.asarray([list(dict.fromkeys(rows)).index(row) for row in rows])


def key_case(rows: Sequence[Row]) -> Case:
    """Which rows have equal keys."""
    return Case(
        call=f"cross_keys of the rows {shown(rows)}",
        answer=lambda module: module.cross_keys(parts(module, rows)),
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
        answer=lambda module: [module.cross_keys(parts(module, rows)) for rows in (first, then)],
        view=lambda batches: alike(np.concatenate(batches).tolist()),
        expected=alike([*first, *then]),
        reads="all rows grouped by key, as",
    )


def processes_case(rows: Sequence[Row]) -> Case:
    """Whether each row has the same key here and elsewhere."""
    return Case(
        call=f"cross_keys of the rows {shown(rows)} here and in another process",
        answer=lambda module: np.equal(
            module.cross_keys(parts(module, rows)),
            module.cross_keys(parts(module, rows, ElsewhereText)),
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


@check("key", why="Two texts that differ in a letter are two categories, with two coefficients.")
def a_text_counts_as_it_is() -> Iterator[Case]:
    """Texts are compared whole: with their ends, cases, accents and spaces."""
    yield key_case([("New York", "a"), ("New York City", "a"), ("new york", "a"), ("NewYork", "a")])
    yield key_case([(" x", "x"), ("x ", "x"), ("x", "x"), ("x", " x"), ("x", "x\n"), ("x\t", "x")])
    yield key_case([("é", "a"), ("è", "a"), ("e", "a"), ("", "a"), ("日", "a"), ("本", "a")])
    yield key_case([(letter * 50 + end, "a") for letter in "xy" for end in ("", "1", "2", "é")])


@check(
    "key", why="A missing value is a fact about the row, and text from outside may say anything."
)
def a_missing_part_is_no_text() -> Iterator[Case]:
    """A missing part is equal to other missing ones, and to no text."""
    names = ["nan", "none", "null", "na", "n/a", "missing", "unknown", "nat", "-1", "0", "\0", "?"]
    names += [name.upper() for name in names[:8]] + ["NaN", "None", "NaT", "Missing", "Unknown"]
    names += [mark.format(name) for name in names for mark in ("<{}>", "__{}__", "_{}_", "\0{}")]
    rows: list[Row] = [(None, "b"), ("", "b"), *((name, "b") for name in names), (None, "b")]
    yield key_case(rows)
    yield key_case([("a", ""), ("a", None), ("", "a"), (None, "a"), (None, None), ("", "")])
    yield key_case([("a", None), ("a", "nan"), ("a", "NaN"), ("a", "None"), (None, None)])


@check(
    "key", why="A bin is a remainder of the key; bits that lean leave bins empty and fill others."
)
def every_bit_of_a_key_is_like_a_coin() -> Iterator[Case]:
    """Over many combinations, each of the 64 bits is 1 about half of the time."""
    for rows in (
        [(f"user{i}", f"item{j}") for i in range(64) for j in range(64)],
        [(str(i), None) for i in range(4096)],
        [(None, str(i), "a") for i in range(4096)],
    ):
        yield bits_case(rows)


def bits_case(rows: Sequence[Row]) -> Case:
    """Which bits lean by more than six standard deviations, or are too few."""

    def leaning(keys: Any) -> IntArray:
        bits = np.unpackbits(np.asarray(keys).view(np.uint8).reshape(len(rows), -1), axis=1)
        shares = np.sort(bits.mean(axis=0))
        return np.append((np.abs(shares - 0.5) > 3 / len(rows) ** 0.5).sum(), len(shares))

    return Case(
        call=f"cross_keys of {len(rows)} different rows, such as {rows[0]} and {rows[-1]}",
        answer=lambda module: module.cross_keys(parts(module, rows)),
        view=leaning,
        expected=[0, 64],
        reads="bits that lean, of how many:",
    )


TEXTS = st.one_of(
    st.none(),
    st.sampled_from(
        ["", "a", "b", "nan", "None", "missing", "0", "-1", "_", "|", "\0", "a_", "_a"]
    ),
    st.text("ab_|,é\0 ", max_size=4),
)


def tables(n_columns: int, least: int = 1, most: int = 6) -> Any:
    """Rows of a few texts and missing values, of which some are equal and others nearly."""
    return st.lists(TEXTS, min_size=1, max_size=3).flatmap(
        lambda pool: st.lists(
            st.tuples(*[st.sampled_from(pool)] * n_columns), min_size=least, max_size=most
        )
    )


@explore(
    "key", why="Texts are of any length and content, and batches of any order.", n_examples=100
)
def any_key(draw: Any) -> Case:
    """In two batches of any texts, keys are equal where the rows are."""
    n_columns = draw(st.integers(1, 4))
    first = draw(tables(n_columns))
    then = [*draw(tables(n_columns, least=0)), *draw(st.permutations(first))]
    batches = [coded(rows) for rows in (first, then)]
    names = ("codes of the first batch", "codes of the second batch")
    codes = [[array for array, _ in batch] for batch in batches]

    def answer(module: Any) -> Any:
        keys = [module.cross_keys([module.Part(*part) for part in batch]) for batch in batches]
        is_unsigned = [np.asarray(key).dtype == np.uint64 for key in keys]
        return [*alike(np.concatenate(keys).tolist()), *is_unsigned]

    return Case(
        call=f"cross_keys of the rows {shown(first)}, and of {shown(then)}",
        answer=answer,
        reads="all rows grouped by key, and whether the dtype is uint64 (1) in both batches:",
        arguments=dict(zip(names, codes, strict=True)),
    )


# --- vocabulary -----------------------------------------------------------------------------------
Codes = tuple[int, ...]
SEEN: list[Codes] = [(8, 1), (9, 2), (8, 1), (8, 3)]
MANY: list[Codes] = [(1, 12), (2, 2), (2, 12), (0, 22), (1, 2), (12, 1), (11, 11)]
BASES = [7, 8, 10, 16, 24, 31, 32, 64, 100, 128, 256, 512, 1000, 1024, 10_000, 65_536]
BASES += [100_000, 10**6, 2**20, 2**24, 10**8, 10**9]
THREE: list[Codes] = [(0, 0, 1), (1, 1, 2), (0, 1, 2), (1, 1, 2), (2, 0, 0)]


def numbers(module: Any, train: Sequence[Codes], rows: Sequence[Codes]) -> IntArray:
    """The number of each row among the combinations of ``train``."""
    vocabulary = module.learn_cells(np.asarray(train, dtype=np.int64))
    return np.asarray(module.find_cells(vocabulary, np.asarray(rows, dtype=np.int64)))


def call(train: Sequence[Codes], rows: Sequence[Codes]) -> str:
    """The call as one would type it."""
    return f"find_cells(learn_cells({shown(train)}), {shown(rows)})"


@check("vocabulary", why="Columns that are always zero cost memory and, in a search, time.")
def only_what_occurs_gets_a_number() -> Iterator[Case]:
    """The training rows have the numbers from 0 to the number of combinations minus 1."""
    for rows in (SEEN, THREE, [(0, 5), (5, 0), (0, 5)]):
        expected = np.arange(len(set(rows)))
        yield training_case(rows, view=np.unique, expected=expected, reads="numbers in use:")


@check("vocabulary", why="Two combinations with one number share a coefficient.")
def each_combination_has_a_number_of_its_own() -> Iterator[Case]:
    """Rows have the same number where they are equal, and nowhere else."""
    shifted = [(0, base) for base in BASES] + [(1, code) for code in (0, *BASES)]
    for rows in (MANY, [(0, 1, 10), (0, 2, 0), (1, 0, 0), (0, 10, 0)], shifted):
        yield training_case(
            rows,
            view=lambda found: alike(found.tolist()),
            expected=alike(rows),
            reads="rows grouped by number, as",
        )


def training_case(rows: Sequence[Codes], **wanted: Any) -> Case:
    """The numbers of the training rows."""
    return Case(call(rows, rows), answer=lambda module: numbers(module, rows, rows), **wanted)


@check(
    "vocabulary", why="The model's coefficients belong to numbers; a batch must not renumber them."
)
def a_row_finds_its_number_in_any_batch() -> Iterator[Case]:
    """The number of a combination is that which it had in training."""
    for train in (SEEN, MANY, THREE):
        yield alone_case(train)


def alone_case(train: Sequence[Codes]) -> Case:
    """Whether each row has the same number as a batch of its own."""
    return Case(
        call=f"{call(train, train)}, and with each row as a batch of its own",
        answer=lambda module: (
            numbers(module, train, train)
            == np.concatenate([numbers(module, train, [row]) for row in train])
        ),
        view=np.mean,
        expected=1.0,
        reads="rows with the same number, as a share:",
    )


@check("vocabulary", why="Another combination's coefficient is a wrong answer, and a halt is none.")
def an_unseen_combination_is_found_nowhere() -> Iterator[Case]:
    """What did not occur in training has the number -1, even if each part did."""
    for train, rows in (
        (SEEN, [(9, 1)]),
        (SEEN, [(9, 3), (7, 1), (8, 0)]),
        (THREE, [(0, 0, 0), (2, 1, 2), (1, 0, 1)]),
        (MANY, [(1, 1), (12, 12), (0, 0)]),
    ):
        yield unseen_case(train, rows)


@check("vocabulary", why="A category that is new today must not be taken for one of yesterday.")
def a_new_category_is_found_nowhere() -> Iterator[Case]:
    """A code that is greater than all in training belongs to no combination."""
    yield unseen_case([(0, 0), (0, 1), (1, 0), (1, 1)], [(0, 2), (0, 3), (1, 2)])
    yield unseen_case([(0, 0), (1, 0), (2, 0)], [(0, 1), (0, 2), (1, 1)])
    yield unseen_case([(0, 0, 0), (1, 1, 1)], [(0, 0, 2), (0, 2, 0), (9, 9, 9)])


@check(
    "vocabulary", why="If all combinations are rarer than min_frequency, none of them is learned."
)
def of_no_rows_nothing_is_learned() -> Iterator[Case]:
    """In the vocabulary of no rows, each row has the number -1."""
    for n_columns in (2, 3):
        yield no_rows_case(n_columns)


def no_rows_case(n_columns: int) -> Case:
    """Nothing is found in the vocabulary of an empty table."""
    empty, zeros = (np.zeros((n_rows, n_columns), dtype=np.int64) for n_rows in (0, 1))
    return Case(
        call=f"find_cells(learn_cells(an array of shape {empty.shape}), {zeros.tolist()})",
        answer=lambda module: module.find_cells(module.learn_cells(empty), zeros),
        expected=[-1],
        reads="the numbers",
    )


def unseen_case(train: Sequence[Codes], rows: Sequence[Codes]) -> Case:
    """None of the rows is there."""
    return Case(
        call=call(train, rows),
        answer=lambda module: numbers(module, train, rows),
        expected=[-1] * len(rows),
        reads="the numbers",
    )


def wide_rows(n: int) -> list[Codes]:
    """Rows of twelve columns, whose combinations of codes are more than 64 bits can count."""
    return [tuple((i * j) % 997 for j in range(1, 13)) for i in range(n)]


@check(
    "vocabulary", why="A few columns of a thousand categories have more combinations than 2**64."
)
def no_number_of_columns_is_too_many() -> Iterator[Case]:
    """Many columns with many categories have a number for each combination, and no other."""
    rows = wide_rows(20)
    yield training_case(rows, view=np.unique, expected=np.arange(20), reads="numbers in use:")
    yield unseen_case(rows, [(*row[:-1], row[-1] + 1) for row in rows])
    yield unseen_case(rows, [(row[0] + 1, *row[1:]) for row in rows[:-1]])
    for n in (2, 4, 8):  # where the first column is lost in 32 or 64 bits
        rows = [(first, *[65_535] * n) for first in (0, 1, 65_535)]
        yield training_case(rows, view=np.unique, expected=np.arange(3), reads="numbers in use:")


CODES = st.one_of(st.integers(0, 3), st.sampled_from([9, 10, 11, 99, 100, 10**6]))


@explore(
    "vocabulary", why="Codes of serving time may be new, and a vocabulary must not be forgotten."
)
def any_codes(draw: Any) -> Case:
    """Of two vocabularies, each finds its own rows and no others; no array is changed."""
    n_columns = draw(st.integers(2, 5))
    row = st.tuples(*[CODES] * n_columns)
    some = st.lists(row, min_size=1, max_size=8)
    train, other = (np.array(draw(some), dtype=np.int64) for _ in range(2))
    seen = st.sampled_from([tuple(codes) for codes in train.tolist()])
    rows = np.array(draw(st.lists(st.one_of(row, seen), max_size=8)), dtype=np.int64)
    rows = rows.reshape(-1, n_columns)

    def answer(module: Any) -> list[Any]:
        one, two = (module.learn_cells(known) for known in (train, other))
        learned = np.asarray(module.find_cells(one, train)).tolist()
        found = np.asarray(module.find_cells(one, rows)).tolist()
        # Which number a combination has is free, so the first row that has it tells.
        places = [learned.index(number) if number in learned else -1 for number in found]
        return [*places, *(np.asarray(module.find_cells(two, rows)) >= 0)]

    return Case(
        call=f"find_cells(learn_cells({train.tolist()}), {rows.tolist()}), and with "
        f"the vocabulary of {other.tolist()}",
        answer=answer,
        reads="for each row the first training row of its number or -1, then whether the other "
        "vocabulary has it (1):",
        arguments={"train": train, "other": other, "rows": rows},
    )


@explore("vocabulary", why="A table has several crosses, and its texts and missing values change.")
def any_table(draw: Any) -> Case:
    """For any table, each row is marked in the columns that bear its name."""
    train = draw(tables(3, least=1, most=8))
    seen = st.sampled_from(train)
    rows = [*draw(st.lists(seen, max_size=4)), *draw(tables(3, least=0))]
    crosses = draw(st.sampled_from([["ab"], ["ab", "bc"], ["abc", "ca"], ["ac", "cb", "ba"]]))
    common = max(train.count(row) for row in train)
    least = draw(st.sampled_from([None, *range(1, common + 1)]))
    frames = [pd.DataFrame(t, columns=list("abc"), dtype=object) for t in (train, rows)]

    def answer(module: Any) -> Any:
        cross = module.FeatureCross([tuple(c) for c in crosses], min_frequency=least)
        matrix = cross.fit(frames[0]).transform(frames[1]).tocoo()
        names = cross.get_feature_names_out()
        marks = sorted(zip(matrix.row.tolist(), names[matrix.col], strict=True))
        return [len(names), *(f"{row}: {name}" for row, name in marks)]

    return Case(
        call=f"FeatureCross({[tuple(c) for c in crosses]}, min_frequency={least}) fitted to the "
        f"rows {shown(train)}, asked for {shown(rows)}",
        answer=answer,
        reads="the number of columns, and the marks of each row:",
    )


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
        call=f"FeatureCross(crosses, n_hash_bins={n_bins}) on 5000 combinations",
        answer=lambda module: bins(module, many_rows(5000), n_bins),
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
    yield spread_case("all but the first part", [(number, "a", "b") for number in numbers])
    yield spread_case("all but the middle part", [("a", number, "b") for number in numbers])
    yield spread_case("all but the last part", [("a", "b", number) for number in numbers])
    yield spread_case("two letters in turn", [("x" * i, "x" * (200 - i)) for i in range(200)])


@check("bins", why="A bin with twice the share of the others loses more to collisions.")
def bins_are_equally_likely() -> Iterator[Case]:
    """Each bin has about its share of the combinations, and many bins have few collisions."""
    for n_bins in (2, 3, 7, 16):
        yield share_case(n_bins)
    yield used_case(300)
    yield Case(
        call="FeatureCross(crosses, n_hash_bins=2**31 - 1) on 1000 combinations",
        answer=lambda module: bins(module, many_rows(1000), 2**31 - 1),
        view=lambda used: len(np.unique(used)),
        expected=1000,
        reads="number of bins in use:",
    )


def share_case(n_bins: int) -> Case:
    """How many bins hold far more or less than their share."""

    def uneven(used: IntArray) -> Any:
        relative = np.bincount(used, minlength=n_bins) * n_bins / len(used)
        return np.sum(np.abs(relative - 1) > 0.3)

    return Case(
        call=f"FeatureCross(crosses, n_hash_bins={n_bins}) on 5000 combinations",
        answer=lambda module: bins(module, many_rows(5000), n_bins),
        view=uneven,
        expected=0,
        reads="number of bins that hold 30 % more or less than their share:",
    )


@explore("bins", why="Each of several crosses has bins of its own, whatever the batch holds.")
def any_bins(draw: Any) -> Case:
    """Equal rows of a cross share a bin of its own columns, in any batch."""
    train = draw(tables(3))
    rows = [*draw(st.permutations(train)), *draw(tables(3, least=0))]
    crosses = draw(st.sampled_from([["ab"], ["ab", "bc"], ["abc", "ca"], ["ac", "cb", "abc"]]))
    n_bins = draw(st.sampled_from([1, 2, 3, 10, 2**31 - 1]))
    frames = [pd.DataFrame(t, columns=list("abc"), dtype=object) for t in (train, rows)]

    def answer(module: Any) -> Any:
        cross = module.FeatureCross([tuple(c) for c in crosses], n_bins, encode="ordinal")
        cross.fit(frames[0])
        together = cross.transform(pd.concat(frames))
        apart = np.concatenate([cross.transform(frame) for frame in frames])
        inside = (together >= 0) & (together < n_bins)
        told = [alike(column.tolist()) for column in together.T] if n_bins > 10 else []
        return np.concatenate([*told, (together == apart).ravel(), inside.ravel()])

    grouped = "rows grouped by bin, cross by cross, then " if n_bins > 10 else ""
    return Case(
        call=f"FeatureCross({[tuple(c) for c in crosses]}, n_hash_bins={n_bins}) on the rows "
        f"{shown(train)} and {shown(rows)}, together and apart",
        answer=answer,
        reads=f"{grouped}whether bins are equal in both (1) and from 0 to n_hash_bins - 1 (1):",
    )


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


@explore("law", why="The law is asked for one number of bins or for many, in any shape.")
def any_law(draw: Any) -> Case:
    """For many cells and bins, the law is that of the reference, in the shape of the bins."""
    n_cells = draw(st.integers(200, 10**6))
    shape = draw(st.sampled_from([(), (1,), (3,), (2, 2)]))
    number = st.one_of(st.integers(200, 1000), st.integers(200, 10**7))
    size = int(np.prod(shape))
    many = draw(st.lists(number, min_size=size, max_size=size))
    n_bins = np.array(many, dtype=float).reshape(shape)
    return Case(
        call=f"signal_kept(n_cells={n_cells}, n_bins={n_bins.tolist()})",
        answer=lambda module: module.signal_kept(n_cells, n_bins),
        view=lambda kept: np.asarray(kept, dtype=float),
        # The limit for many bins is right, too.
        same=lambda got, wanted: (
            got.shape == wanted.shape and np.allclose(got, wanted, rtol=0.004, atol=0)
        ),
        arguments={"n_bins": n_bins},
    )


def shown(rows: Sequence[tuple[Any, ...]]) -> str:
    """Rows as one would type them."""
    return f"[{', '.join(str(row) for row in rows)}]"
