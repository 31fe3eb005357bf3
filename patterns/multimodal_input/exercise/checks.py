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
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray

from patterns._kit.exercise import Case, check, explore

FloatArray = NDArray[np.float32]


def rounded(result: Any) -> NDArray[Any]:
    """As numbers: float32 has seven digits, of which four are compared."""
    return np.round(np.asarray(result, dtype=float), 4)


# --- adapt ----------------------------------------------------------------------------------------


def number_case(train: Sequence[float], new: Sequence[float]) -> Case:
    """New values, standardized by the training values."""
    mean, deviation = np.mean(train), np.std(train) or 1
    return Case(
        call=f"column_layer({precisely(train)}, 'number') on the column {precisely(new)}",
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
        call=f"column_layer({precisely(values)}, 'buckets', n_buckets={n_buckets}) on that column",
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


@check(
    "adapt", why="A time in seconds since 1970 or a length in nanometers is a column like others."
)
def the_unit_does_not_matter() -> Iterator[Case]:
    """In tiny units, and far from zero, a column is standardized as elsewhere."""
    yield number_case([1e-9, 2e-9, 3e-9, 4e-9], [2.5e-9, 1e-8])
    yield number_case([1.7e9, 1.7e9 + 60, 1.7e9 + 120], [1.7e9 + 30, 1.7e9 + 61])
    yield number_case([5, 5, 5], [5, 6])
    yield number_case([-2, -2], [-2, 7, 0])


@check(
    "adapt", why="A time in seconds since 1970 or a length in nanometers is a column like others."
)
def the_unit_of_buckets_does_not_matter() -> Iterator[Case]:
    """Far from zero and in tiny units, buckets hold equal shares too."""
    yield buckets_case(1.7e9 + np.arange(12) * 7, 4, [3, 3, 3, 3])
    yield buckets_case(1.6e9 + np.arange(10)[::-1], 5, [2, 2, 2, 2, 2])
    yield buckets_case(np.exp(np.arange(8)) * 1e-12, 2, [4, 4])
    yield buckets_case(np.arange(12) / 3.5, 3, [4, 4, 4])


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
    yield category_case(
        ["dry", "rain", "dry", "snow"], ["rain", "hail", "dry", "fog", "sleet", "mist"]
    )
    yield category_case(["b", "a", "c", "b"], ["a", "d", "B", "c", "e", "f"])
    yield category_case(["lunch", "lunch", "dinner"], ["brunch", "lunch", "dinner", "tea"])


@explore(
    "adapt", why="The column takes the place of any other of its kind in a model.", n_examples=40
)
def any_column(draw: Any) -> Case:
    """Any column in any unit gets into a model as it does with the reference."""
    way = draw(st.sampled_from(["number", "buckets", "category"]))
    if way == "category":
        odd = st.sampled_from(["[UNK]", "nan", "", "[MASK]"])
        letters = odd | st.text("aAbBä 1", max_size=12)
        known = draw(st.lists(letters, min_size=1, max_size=6))
        new = [*known[:2], *draw(st.lists(letters, min_size=1, max_size=3))]
        values, asked = np.array(known), np.array(new, dtype=object)
        call = f"column_layer({known}, 'category') in a model, on the column {new}"
        n_buckets = 12
    else:
        n_buckets, share = draw(st.integers(1, 6)), draw(st.integers(1, 4))
        n = n_buckets * share if way == "buckets" else draw(st.integers(1, 12))
        rng = np.random.default_rng(draw(st.integers(0, 99)))
        unit, origin = 10.0 ** draw(st.integers(-9, 6)), draw(st.sampled_from([0, -40, 1e6, 1e9]))
        steps = np.cumsum(rng.integers(1 if way == "buckets" else 0, 9, n))
        values = (rng.permutation(steps) + origin) * unit
        asked = np.array([*values, values.min() - unit, values.max() + 3 * unit])
        sizes = f", n_buckets={n_buckets}" * (way == "buckets")
        call = f"column_layer({precisely(values)}, {way!r}{sizes}) in a model, on the column "
        call += precisely(asked)

    def answer(module: Any) -> Any:
        kind = "string" if way == "category" else "float64"
        raw = keras.Input(() if way == "category" else (1,), dtype=kind)
        model = keras.Model(raw, module.column_layer(values, way, n_buckets)(raw))
        given = asked if way == "category" else asked[:, None]
        return model(keras.ops.convert_to_tensor(given, dtype=kind))

    def which(result: Any) -> NDArray[Any]:
        """For numbers the values; else which rows are alike, and that one place is each row's."""
        rows = np.asarray(result, dtype=float)
        if way == "number":
            return rounded(rows)
        same = (rows[:, None] == rows[None]).all(axis=2)
        return np.column_stack([rows.sum(axis=1), (rows > 0).sum(axis=1), same])

    reads = "" if way == "number" else "for each row: its sum, its places, which rows are alike:"
    return Case(
        call=call, answer=answer, view=which, reads=reads, kind=way, arguments={"values": values}
    )


# --- pool -----------------------------------------------------------------------------------------


def pool_case(
    tokens: ArrayLike, mask: Sequence[Sequence[int]], how: str, dtype: str = "float32"
) -> Case:
    """The pooled vectors, from the definition."""
    values = np.asarray(tokens, dtype=dtype)
    reduce: Callable[..., Any] = np.mean if how == "mean" else np.max
    expected = [
        reduce(text[np.array(row, bool)], axis=0) if any(row) else np.zeros(values.shape[2])
        for text, row in zip(values, mask, strict=True)
    ]
    return Case(
        call=f"pool_tokens(tokens={values.tolist()}{' of float16' * (dtype == 'float16')}, "
        f"is_token={mask}, how={how!r})",
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


@check("pool", why="Half precision ends at 65504; many models are trained in it.")
def half_precision_gives_numbers() -> Iterator[Case]:
    """In float16 the answers are the same."""
    for how in ("max", "mean"):
        yield pool_case([[[1.0, -2.0], [3.0, -4.0], [0.0, 0.0]]], [[1, 1, 0]], how, "float16")
        yield pool_case([[[-1.5], [9.0]], [[7.0], [8.0]]], [[1, 0], [0, 0]], how, "float16")


@explore("pool", why="The layers above see nothing but this vector.")
def any_texts(draw: Any) -> Case:
    """Any batch of texts is pooled, inside of a model, as by the reference."""
    n, length, width = draw(st.integers(1, 4)), draw(st.integers(1, 5)), draw(st.integers(1, 3))
    how, dtype = (
        draw(st.sampled_from(["mean", "max"])),
        draw(st.sampled_from(["float32", "float64"])),
    )
    size = 10.0 ** draw(st.integers(-3, 12))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    tokens = (rng.integers(-9, 9, (n, length, width)) * size).astype(dtype)
    is_token = rng.uniform(size=(n, length)) < draw(st.sampled_from([0.0, 0.4, 0.7, 1.0]))

    def answer(module: Any) -> Any:
        raw = keras.Input((length, width), dtype=dtype), keras.Input((length,), dtype="bool")
        model = keras.Model(raw, module.pool_tokens(*raw, how))
        return model([keras.ops.convert_to_tensor(each) for each in (tokens, is_token)])

    return Case(
        call=f"pool_tokens(tokens={tokens.tolist()} of {dtype}, "
        f"is_token={is_token.astype(int).tolist()}, how={how!r}) in a model",
        answer=answer,
        view=lambda result: rounded(np.asarray(result, dtype=float) / size),
        reads=f"in units of {size:g}:" if size != 1 else "",
        arguments={"tokens": tokens, "is_token": is_token},
    )


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
    expected: Any,
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


@explore("join", why="Widths and numbers of encodings are the caller's.", n_examples=12)
def any_encodings(draw: Any) -> Case:
    """Any encodings are joined: each row for itself, all count, and they interact if they may."""
    widths = tuple(draw(st.lists(st.integers(1, 5), min_size=1, max_size=4)))
    joint_units = draw(st.sampled_from([0, 24, 50]))

    def ask(model: Any) -> ArrayLike:
        inputs = [rows(width, seed) for seed, width in enumerate(widths)]
        together = output(model, inputs)
        alone = output(model, [each[2:3] for each in inputs])
        zero = output(model, [0 * each for each in inputs])
        mirrored = together + output(model, [-each for each in inputs]) - 2 * zero
        doubled = output(model, [2 * each for each in inputs]) - 2 * together + zero
        is_bent = max(np.abs(mirrored).max(), np.abs(doubled).max()) > 1e-4
        return [
            *np.ravel(matters(widths)(model)),
            together.shape == (6, 1),
            np.abs(together[2] - alone[0]).max() < 1e-4,
            len(widths) == 1 or is_bent,
            any(weight.shape[-1] == joint_units for weight in model.weights),
            sorted(model.input) == [f"input_{i}" for i in range(len(widths))],
        ]

    return join_case(
        widths,
        joint_units,
        ask,
        "whether each modality changes the answer, it has one column, a row's answer is its own, "
        "several are no straight line, a layer has joint_units, and the inputs keep their names:",
        None,
    )


# --- dropout --------------------------------------------------------------------------------------


N_ROWS = 4000  # so many that shares of them hardly vary


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
    """The share of rows that lose each modality, and of flags that are 0, to one decimal."""
    *encoded, flags = parts
    lost = np.column_stack([(part == 0).all(axis=1) for part in encoded])
    return np.round([*lost.mean(axis=0), *(1 - flags.mean(axis=0))], 1)


@check("dropout", why="What never happens in training, the model has not learned to cope with.")
def each_modality_is_rehearsed() -> Iterator[Case]:
    """In training, each modality of each row goes missing with the given probability."""
    reads = "the share of rows that lose each, and of flags that are 0, to one decimal:"
    for widths, rate in (((8, 8), 0.3), ((2, 2, 2), 0.5), ((1, 9), 0.4)):
        yield training_case(widths, rate, kept_shares, [rate] * 2 * len(widths), reads)


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
    yield training_case((2, 2), 0.5, something_left, [1, 1], reads)
    yield training_case((1, 1, 1), 0.6, something_left, [1, 1], reads)
    yield training_case((2, 2), 0.5, something_left, [1, 1], reads, missing=0)
    # Half of the rows have one modality, which stays; the others lose each at the rate.
    shares = "the share of rows that lose each, and of flags that are 0, to one decimal:"
    yield training_case((3, 2), 0.4, kept_shares, [0.7, 0.2] * 2, shares, missing=0)


def draws_case(widths: tuple[int, ...], rate: float) -> Case:
    """Two layers of one seed, another seed, and one layer called twice."""

    def answer(module: Any) -> ArrayLike:
        def flags(*seeds: int) -> list[FloatArray]:
            layers = [module.ModalityDropout(rate, seed=seed) for seed in seeds]
            ones = [keras.ops.ones((200, width)) for width in widths]
            there = [keras.ops.ones((200, 1)) for _ in widths]
            calls = [np.asarray(layers[i // 2](ones, there, training=True)) for i in range(4)]
            return [call[:, -len(widths) :] for call in calls]

        first, second, other, _ = flags(1, 2)
        again = flags(1, 2)[0]
        return [np.array_equal(first, x) for x in (again, second, other)]

    return Case(
        call=f"ModalityDropout({rate}, seed=1) twice, on {len(widths)} encodings, training=True",
        answer=answer,
        expected=[1, 0, 0],
        reads="whether the same draws come from the same seed, a second call, another seed:",
    )


@check("dropout", why="A training that cannot be repeated cannot be searched for errors.")
def the_draws_follow_the_seed() -> Iterator[Case]:
    """The same seed gives the same draws, and each call draws anew."""
    yield draws_case((2, 3), 0.4)
    yield draws_case((1, 1, 4), 0.5)


@explore("dropout", why="Any mix of what is there and what is not will be served.", n_examples=25)
def any_modalities(draw: Any) -> Case:
    """With any encodings, flags and rate, the layer does what the reference does."""
    widths = draw(st.lists(st.integers(1, 4), min_size=2, max_size=4))
    n = len(widths)
    rate = draw(st.sampled_from([0.0, 0.2, 0.3, 0.5]))
    training = draw(st.booleans())
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    size = N_ROWS if training else draw(st.integers(1, 4))
    flags = (rng.uniform(size=(size, n)) < draw(st.sampled_from([0.4, 0.8, 1.0]))).astype("f4")
    encoded = [rng.normal(size=(size, width)).astype("f4") + 9 for width in widths]

    def answer(module: Any) -> Any:
        keras.utils.set_random_seed(0)
        raw = [keras.Input((width,)) for width in widths], [keras.Input((1,)) for _ in widths]
        layer = module.ModalityDropout(rate, seed=3)
        joined = layer(*raw, training=training)
        model = keras.Model([*raw[0], *raw[1]], joined)
        given = [*encoded, *(flags[:, [i]] for i in range(n))]
        return model([keras.ops.convert_to_tensor(each) for each in given])

    def seen(result: Any) -> ArrayLike:
        """When serving all of it; in training what any random numbers give alike."""
        values = np.asarray(result, dtype=float)
        if not training:
            return rounded(values)
        *parts, left = np.split(values, np.cumsum(widths), axis=1)
        present = flags.sum(axis=1)
        lost = [
            (flags[present == m] - left[present == m]).sum(axis=0)
            / np.maximum(flags[present == m].sum(axis=0), 1)
            for m in range(1, n + 1)
            if (present == m).sum() > 800
        ]
        return [
            *(
                np.allclose(p, x * left[:, [i]])
                for i, (p, x) in enumerate(zip(parts, encoded, strict=True))
            ),
            (left <= flags).all(),
            ((left > 0).any(axis=1) == (flags > 0).any(axis=1)).all(),
            *np.ravel(lost),
        ]

    def alike(one: Any, other: Any) -> bool:
        """Shares of hundreds of rows differ by chance."""
        a, b = (np.asarray(each, dtype=float) for each in (one, other))
        return a.shape == b.shape and np.allclose(a, b, atol=0.09 if training else 1e-3)

    there = f"{int(flags.mean() * 100)} % of the flags 1"
    return Case(
        call=f"ModalityDropout({rate}) in a model, {size} rows of {n} encodings of {widths} "
        f"features, {there}, training={training}",
        answer=answer,
        view=seen,
        reads="whether each is whole or zero, nothing comes back, something stays; shares lost:"
        if training
        else "",
        kind="in training" if training else "serving",
        same=alike,
    )


def as_column(values: ArrayLike) -> Any:
    """Numbers as the model gets them: one column."""
    return keras.ops.convert_to_tensor(np.asarray(values, dtype="float64")[:, None])


def precisely(values: ArrayLike) -> str:
    """Numbers with all digits that tell them apart."""
    return f"[{', '.join(f'{value:.12g}' for value in np.ravel(values))}]"


def listed(values: ArrayLike) -> str:
    """Numbers as one would type them."""
    return f"[{', '.join(f'{value:g}' for value in np.ravel(values))}]"
