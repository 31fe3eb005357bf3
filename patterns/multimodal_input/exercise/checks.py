"""What the exercise asks of an answer.

Layers are called on a few rows of numbers: every expected answer follows from its definition, and
nothing is trained.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import ArrayLike, NDArray

from patterns._kit.exercise import Case, check

FloatArray = NDArray[np.float32]


def rounded(result: Any) -> NDArray[Any]:
    """As numbers: float32 has seven digits, of which four are compared."""
    return np.round(np.asarray(result, dtype=float), 4)


# --- adapt ----------------------------------------------------------------------------------------


def number_case(train: Sequence[float], new: Sequence[float]) -> Case:
    """New values, standardized by the training values."""
    mean, deviation = np.mean(train), np.std(train)
    return Case(
        call=f"column_layer({listed(train)}, 'number') on the column {listed(new)}",
        answer=lambda module: module.column_layer(np.array(train), "number")(as_column(new)),
        view=lambda result: rounded(result)[:, 0],
        expected=rounded((np.array(new) - mean) / deviation),
    )


@check("adapt", why="At serving there is one row, and it is no sample to take a mean from.")
def a_number_is_standardized_by_the_training_rows() -> Iterator[Case]:
    """A number is standardized by the mean and the deviation of the training rows."""
    yield number_case([10, 20, 30, 40], [25, 30, 100])
    yield number_case([0, 0, 0, 0, 5, 7], [7])
    yield number_case([-3, 1, 8, 9, 2, 2, 1], [1, 1, 1])


def buckets_case(train: ArrayLike, n_buckets: int, expected: Sequence[int]) -> Case:
    """How many of the training values each bucket holds: the same for every right choice of edges.

    Buckets in which nothing falls do no harm and are not counted.
    """
    values = np.asarray(train, dtype=float)

    def shares(result: Any) -> NDArray[Any]:
        one_hot = np.asarray(result, dtype=float).reshape(len(values), -1)
        if not np.isin(one_hot, [0, 1]).all() or (one_hot.sum(axis=1) != 1).any():
            return one_hot
        order = np.argsort([values[column > 0].min(initial=np.inf) for column in one_hot.T])
        counts = one_hot.sum(axis=0)[order]
        return counts[counts > 0]

    return Case(
        call=f"column_layer({listed(values)}, 'buckets', n_buckets={n_buckets}) on that column",
        answer=lambda module: module.column_layer(values.copy(), "buckets", n_buckets)(
            as_column(values)
        ),
        view=shares,
        expected=expected,
        reads="one place a row, and in the columns so many rows:",
    )


@check("adapt", why="A bucket is learned only as well as its rows allow; quantiles share them out.")
def buckets_hold_equal_shares() -> Iterator[Case]:
    """Each bucket holds the same share of the training rows and has a column of its own."""
    skewed = [0.1, 0.2, 0.4, 0.7, 1.3, 2, 5, 9, 20, 50, 80, 200]
    yield buckets_case(skewed, 4, [3, 3, 3, 3])
    yield buckets_case(skewed[::-1], 3, [4, 4, 4])
    yield buckets_case(np.exp(np.arange(10)), 2, [5, 5])


def category_case(train: Sequence[str], new: Sequence[str]) -> Case:
    """Which of the new values get the same encoding, and whether one place is theirs."""

    def alike(result: Any) -> NDArray[Any]:
        rows = np.asarray(result, dtype=float)
        same = (rows[:, None] == rows[None]).all(axis=2)
        return np.column_stack([rows.sum(axis=1), same])

    known = [value if value in train else "unknown" for value in new]
    return Case(
        call=f"column_layer({list(train)}, 'category') on the column {list(new)}",
        answer=lambda module: module.column_layer(np.array(train), "category")(
            keras.ops.convert_to_tensor(np.array(new), dtype="string")
        ),
        view=alike,
        expected=np.column_stack([np.ones(len(new)), np.equal.outer(known, known)]),
        reads="for each row: the sum of its encoding, and which rows are encoded alike:",
    )


@check("adapt", why="Sooner or later a value arrives that training did not have: hail, or a typo.")
def an_unknown_category_has_a_place_of_its_own() -> Iterator[Case]:
    """Each category has a place of its own, and so have all values that training did not have."""
    yield category_case(["dry", "rain", "dry", "snow"], ["rain", "hail", "dry", "fog"])
    yield category_case(["b", "a", "c", "b"], ["a", "d", "b", "c"])
    yield category_case(["lunch", "lunch", "dinner"], ["brunch", "lunch", "dinner"])


# --- pool -----------------------------------------------------------------------------------------


def pool_case(tokens: ArrayLike, mask: Sequence[Sequence[int]], how: str) -> Case:
    """The pooled vectors, from the definition."""
    values = np.asarray(tokens, dtype="float32")
    reduce: Callable[..., Any] = np.mean if how == "mean" else np.max
    expected = [
        reduce(text[np.array(row, bool)], axis=0) if any(row) else np.zeros(values.shape[2])
        for text, row in zip(values, mask, strict=True)
    ]
    return Case(
        call=f"pool_tokens(tokens={values.tolist()}, is_token={mask}, how={how!r})",
        answer=lambda module: module.pool_tokens(
            keras.ops.convert_to_tensor(values),
            keras.ops.convert_to_tensor(np.array(mask, bool)),
            how,
        ),
        view=rounded,
        expected=rounded(expected),
    )


@check("pool", why="Else a short review is weaker than a long one, only because it is short.")
def padding_does_not_dilute_the_mean() -> Iterator[Case]:
    """The mean is over the tokens, and not over the padding."""
    yield pool_case([[[2, 4], [4, 8], [0, 0], [0, 0]]], [[1, 1, 0, 0]], "mean")
    yield pool_case(
        [[[1, 1], [3, 5], [9, 7]], [[6, 6], [9, 7], [9, 7]]], [[1, 1, 0], [1, 0, 0]], "mean"
    )
    yield pool_case([[[1, -1], [2, -2], [3, -3]]], [[1, 1, 1]], "mean")


@check("pool", why="Where all matches are negative, a zero from the padding would look like one.")
def padding_is_never_the_greatest() -> Iterator[Case]:
    """The maximum is over the tokens, even if all their values are negative."""
    yield pool_case([[[1, 2], [3, 0], [9, 9]]], [[1, 1, 0]], "max")
    yield pool_case([[[-4, -1], [-2, -3], [0, 0]]], [[1, 1, 0]], "max")
    yield pool_case([[[-5, 2], [7, 7]], [[-1, -2], [-3, -1]]], [[1, 0], [1, 1]], "max")


@check("pool", why="An empty review must not make the whole batch NaN, or be a million in size.")
def a_text_without_tokens_is_zeros() -> Iterator[Case]:
    """A text without a token gives zeros."""
    yield pool_case([[[1, 2], [3, 4]], [[5, 6], [7, 8]]], [[0, 0], [1, 1]], "mean")
    yield pool_case([[[1, 2], [3, 4]], [[-5, 6], [7, -8]]], [[0, 0], [1, 1]], "max")
    yield pool_case([[[0.5], [0.5]]], [[0, 0]], "mean")
    yield pool_case([[[0.5], [0.5]]], [[0, 0]], "max")


# --- join -----------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=8)  # the questions are put to the same models
def joined(module: Any, widths: tuple[int, ...], joint_units: int) -> Any:
    """A model over encoders that let their inputs through."""
    keras.utils.set_random_seed(0)
    encoders = {}
    for i, width in enumerate(widths):
        tensor = keras.Input((width,), name=f"input_{i}")
        encoders[f"modality_{i}"] = module.Encoder({f"input_{i}": tensor}, tensor)
    return module.multimodal_model(encoders, joint_units=joint_units)


def rows(width: int, seed: int, n: int = 6) -> FloatArray:
    """Rows of numbers."""
    return np.random.default_rng(seed).normal(size=(n, width)).astype("float32")


def output(model: Any, inputs: Sequence[FloatArray]) -> NDArray[Any]:
    """What the model says of raw inputs, given by name."""
    result = model({f"input_{i}": keras.ops.convert_to_tensor(x) for i, x in enumerate(inputs)})
    return np.asarray(result, dtype=float)


def join_case(
    widths: tuple[int, ...],
    joint_units: int,
    ask: Callable[[Any], ArrayLike],
    question: str,
    expected: ArrayLike,
) -> Case:
    """Put a question to a model of several modalities; the answers are yes (1) and no (0)."""
    features = " and ".join(f"{width}" for width in widths)
    return Case(
        call=f"multimodal_model(encoders of {features} features, joint_units={joint_units})",
        answer=lambda module: ask(joined(module, widths, joint_units)),
        expected=expected,
        reads=question,
    )


def matters(widths: Sequence[int]) -> Callable[[Any], ArrayLike]:
    """Whether another value of a modality changes the answer, for each."""

    def ask(model: Any) -> ArrayLike:
        inputs = [rows(width, seed) for seed, width in enumerate(widths)]
        before = output(model, inputs)
        changed = []
        for i, width in enumerate(widths):
            others = [*inputs[:i], rows(width, 9), *inputs[i + 1 :]]
            changed.append(np.abs(output(model, others) - before).max() > 1e-4)
        return np.array(changed, dtype=float)

    return ask


@check("join", why="A model that does not read an input cannot need it.")
def every_modality_counts() -> Iterator[Case]:
    """Every modality has an influence on the answer."""
    question = "whether each modality changes the answer:"
    yield join_case((2, 3), 64, matters((2, 3)), question, [1, 1])
    yield join_case((3, 3, 2), 64, matters((3, 3, 2)), question, [1, 1, 1])


def is_a_logit(widths: Sequence[int]) -> Callable[[Any], ArrayLike]:
    """The number of columns of the answer, and whether it spans more than a probability can."""

    def ask(model: Any) -> ArrayLike:
        answer = output(model, [100 * rows(width, i, 50) for i, width in enumerate(widths)])
        return [answer.shape[-1], np.ptp(answer) > 1]

    return ask


@check("join", why="The loss expects logits; of a probability it would take the logistic again.")
def the_answer_is_one_logit() -> Iterator[Case]:
    """The answer is one logit a row: any number, not a probability."""
    question = "columns of the answer, whether they span more than 1:"
    yield join_case((2, 3), 64, is_a_logit((2, 3)), question, [1, 1])
    yield join_case((4,), 32, is_a_logit((4,)), question, [1, 1])


def interacts(widths: tuple[int, int]) -> Callable[[Any], ArrayLike]:
    """Whether the second matters, whether its effect depends on the first, and any bend."""

    def ask(model: Any) -> ArrayLike:
        a, b, other_a, other_b = (rows(widths[i % 2], i) for i in range(4))
        effect, other_effect = (
            output(model, [x, other_b]) - output(model, [x, b]) for x in (a, other_a)
        )
        bend = output(model, [a, b]) + output(model, [-a, -b]) - 2 * output(model, [0 * a, 0 * b])
        return [np.abs(x).max() > 1e-4 for x in (effect, effect - other_effect, bend)]

    return ask


@check("join", why="If each input only adds its share, this is late fusion with more effort.")
def modalities_interact() -> Iterator[Case]:
    """With joint units, what one modality changes depends on the other; without, it does not."""
    question = "whether the second matters, depends on the first, and not in a straight line:"
    yield join_case((2, 3), 64, interacts((2, 3)), question, [1, 1, 1])
    yield join_case((3, 3), 32, interacts((3, 3)), question, [1, 1, 1])
    yield join_case((2, 2), 0, interacts((2, 2)), question, [1, 0, 0])


# --- dropout --------------------------------------------------------------------------------------


N_ROWS = 1000  # so many that shares of them hardly vary


def dropped(
    module: Any, widths: Sequence[int], present: ArrayLike, rate: float, training: bool
) -> list[NDArray[Any]]:
    """What the layer makes of encodings of ones, cut into modalities, and the flags last."""
    flags = np.asarray(present, dtype="float32")
    keras.utils.set_random_seed(0)
    layer = module.ModalityDropout(rate, seed=int(100 * rate))
    encoded = [keras.ops.ones((len(flags), width)) for width in widths]
    columns = [keras.ops.convert_to_tensor(flags[:, i : i + 1]) for i in range(len(widths))]
    result = np.asarray(layer(encoded, columns, training=training), dtype=float)
    if result.shape != (len(flags), sum(widths) + len(widths)):
        raise ValueError(
            f"the layer gives shape {result.shape}; encodings of {widths} features and their flags "
            f"make {sum(widths) + len(widths)} columns"
        )
    return np.split(result, np.cumsum(widths), axis=1)


def serving_case(widths: Sequence[int], present: Sequence[Sequence[int]]) -> Case:
    """The layer when serving."""
    flags = np.array(present)
    return Case(
        call=f"ModalityDropout(0.5) on {len(widths)} encodings of ones of {widths} features, "
        f"present={present}, training=False",
        answer=lambda module: np.hstack(dropped(module, widths, present, 0.5, False)),
        view=rounded,
        expected=np.hstack([np.repeat(flags, widths, axis=1), flags]),
    )


@check("dropout", why="Zeros alone may be a dark image; the flag says that there is none.")
def a_missing_modality_is_zeros_beside_a_flag() -> Iterator[Case]:
    """When serving, a modality that is not there is zeros, and the flags say which."""
    yield serving_case((2, 1), [[1, 1], [0, 1], [1, 0]])
    yield serving_case((1, 3), [[0, 1], [1, 1]])
    yield serving_case((1, 1, 1), [[0, 0, 1], [1, 0, 1], [0, 0, 0]])


def training_case(
    widths: Sequence[int],
    rate: float,
    view: Callable[[list[NDArray[Any]]], ArrayLike],
    expected: ArrayLike,
    reads: str,
    missing: int | None = None,
) -> Case:
    """The layer in training, on many rows."""
    present = np.ones((N_ROWS, len(widths)))
    if missing is not None:
        present[::2, missing] = 0
    there = "all present" if missing is None else f"number {missing} missing in every second"
    return Case(
        call=f"ModalityDropout({rate}) on {N_ROWS} rows of {len(widths)} encodings of ones, "
        f"{there}, training=True",
        answer=lambda module: dropped(module, widths, present, rate, True),
        view=view,
        expected=expected,
        reads=reads,
    )


def kept_shares(parts: list[NDArray[Any]]) -> ArrayLike:
    """The share of rows that keep each modality, whether more lose one than two, and the flags'."""
    *encoded, flags = parts
    kept = np.column_stack([(part != 0).any(axis=1) for part in encoded])
    shares = [np.round(part.mean(axis=0), 1) for part in (kept, flags)]
    some = [np.where((share >= 0.5) & (share < 1), 0.5, share) for share in shares]
    n_lost = np.bincount((~kept).sum(axis=1), minlength=3)
    return [*some[0], n_lost[1] > n_lost[2], *some[1]]


@check("dropout", why="What never happens in training, the model has not learned to cope with.")
def each_modality_is_rehearsed() -> Iterator[Case]:
    """In training, each modality of each row goes missing with the given probability."""
    reads = (
        "the share of rows that keep each (0.5 for anything from half up), whether more lose one "
        "than two, and the means of the flags, likewise:"
    )
    for widths, rate in (((8, 8), 0.4), ((2, 2, 2), 0.25), ((1, 9, 2), 0.35)):
        some = [0.5] * len(widths)
        yield training_case(widths, rate, kept_shares, [*some, 1, *some], reads)


def wholly(parts: list[NDArray[Any]]) -> ArrayLike:
    """Four answers, 1 for yes, that any random numbers give alike."""
    *encoded, flags = parts
    there = [part != 0 for part in encoded]
    is_whole = [(one == one[:, :1]).all() for one in there]
    has_flag = [flags[:, [i]] != 0 for i in range(len(encoded))]
    return [
        all(np.isin(part, [0, 1]).all() for part in encoded),
        all(is_whole),
        all(not one[~flag[:, 0]].any() for one, flag in zip(there, has_flag, strict=True)),
        all(one[flag[:, 0]].all() for one, flag in zip(there, has_flag, strict=True)),
    ]


@check("dropout", why="At serving an image is there or not, and it is never there twice as bright.")
def a_modality_goes_as_a_whole_with_its_flag() -> Iterator[Case]:
    """In training, a modality is kept unchanged with flag 1 or wholly zero with flag 0."""
    reads = (
        "whether what is kept is unchanged, each modality is whole or wholly zero, zero where its "
        "flag is 0, and there where it is 1:"
    )
    yield training_case((3, 2), 0.3, wholly, [1, 1, 1, 1], reads)
    yield training_case((1, 4), 0.5, wholly, [1, 1, 1, 1], reads)
    yield training_case((2, 2, 2), 0.2, wholly, [1, 1, 1, 1], reads, missing=1)


def something_left(parts: list[NDArray[Any]]) -> ArrayLike:
    """Whether every row keeps a modality, and the share of rows to the nearest half."""
    share = np.mean((parts[-1] > 0).any(axis=1))
    return [share == 1, np.round(2 * share) / 2]


@check("dropout", why="A row without any input teaches only the base rate, and often is all wrong.")
def some_modality_is_left() -> Iterator[Case]:
    """In training, no row loses all that it has."""
    reads = "whether every row has something left, and the share that does, to the nearest half:"
    yield training_case((2, 2), 0.6, something_left, [1, 1], reads)
    yield training_case((1, 1, 1), 0.8, something_left, [1, 1], reads)
    yield training_case((2, 2), 0.5, something_left, [1, 1], reads, missing=0)


def as_column(values: ArrayLike) -> Any:
    """Numbers as the model gets them: one column."""
    return keras.ops.convert_to_tensor(np.asarray(values, dtype="float32")[:, None])


def listed(values: ArrayLike) -> str:
    """Numbers as one would type them."""
    return f"[{', '.join(f'{value:g}' for value in np.ravel(values))}]"
