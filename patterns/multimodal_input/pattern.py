"""Multimodal input: encode each kind of input in its own way, and join the encodings in one model.

An image, a table and a text do not fit into one vector of features as they are. Give each an
encoder that suits it, put the encodings side by side, and let the layers above learn what only the
inputs together can tell. All preprocessing is part of the model: it takes raw values.

A saved model that has a `ModalityDropout` can be loaded where this module was imported.

Source: Lakshmanan, Robinson, Munn, "Machine Learning Design Patterns" (2020), chapter 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import ArrayLike, NDArray

IMAGE_WAYS = ("pixels", "convolution")
COLUMN_WAYS = ("number", "buckets", "category")
POOLINGS = ("mean", "max")
TEXT_KINDS = ("bag_of_words", "embedding", "conv", "rnn", "transformer")
PIXELS = {"float32": 1.0, "uint8": 255.0}  # the greatest gray value of each type
FARTHEST = 1e4  # deviations; also a number in half precision, which ends at 65504


class Encoder(NamedTuple):
    """One kind of input on its way into a model."""

    inputs: dict[str, Any]  # raw, by the name under which the model takes them
    features: Any  # (batch, n_features)


def image_encoder(
    shape: tuple[int, int],
    way: str | Sequence[str] = "convolution",
    units: int = 32,
    name: str = "image",
    dtype: str = "float32",
) -> Encoder:
    """Encode raw gray images, an input of shape (batch, height, width) under the given name.

    Parameters
    ----------
    shape : (height, width)
        In pixels, each at least 8.
    way : {"convolution", "pixels"}, or both
        Convolutions find the same strokes wherever they are; pixels have a weight each.
    units : int
        Features for each way.
    dtype : {"float32", "uint8"}
        Gray values from 0 to 1, or from 0 to 255, which the model divides by 255.
    """
    if len(shape) != 2 or min(shape) < 8:
        raise ValueError(f"shape must be (height, width), each at least 8, got {shape}")
    if dtype not in PIXELS:
        raise ValueError(f"dtype must be one of {list(PIXELS)}, got {dtype!r}")
    image = keras.Input(shape, name=name, dtype=dtype)
    gray = layers.Rescaling(1 / PIXELS[dtype])(image) if PIXELS[dtype] > 1 else image
    encoded = []
    for one in _several("way", way, IMAGE_WAYS):
        if one == "convolution":
            hidden = layers.Conv2D(16, 3, activation="relu")(layers.Reshape((*shape, 1))(gray))
            hidden = layers.Conv2D(48, 3, activation="relu")(layers.MaxPooling2D()(hidden))
            hidden = layers.GlobalMaxPooling2D()(hidden)
        else:
            hidden = layers.Flatten()(gray)
        encoded.append(layers.Dense(units, activation="relu")(hidden))
    return Encoder({name: image}, _side_by_side(encoded))


def column_layer(values: ArrayLike, way: str, n_buckets: int = 12) -> keras.layers.Layer:
    """Make the layer that brings one raw column to the network, fitted to its training values.

    It computes in float64 until the numbers are centered. In float32, seconds since 1970 are known
    to two minutes. And Keras's Normalization takes a smaller deviation than 1e-7 for 1e-7.

    Parameters
    ----------
    values : array of shape (n_samples,)
        The column in the training rows, and in no others.
    way : {"number", "buckets", "category"}
        Standardized; one-hot by quantile; one-hot by value, strings only, with a place for values
        that training did not have.
    n_buckets : int
        How many buckets; values that repeat leave fewer.

    Returns
    -------
    layer from (batch, 1) to (batch, n_columns)

    Raises
    ------
    ValueError
        For an unknown way, and for values that are missing or not of the kind that it takes.
    """
    _several("way", way, COLUMN_WAYS)
    values = _one_column("values", values, is_text=way == "category")
    # --8<-- [start:ex-adapt]
    if way == "category":
        # A category may be called "[UNK]", which is Keras's name for all that are unknown.
        words = sorted(set(values))
        return layers.StringLookup(vocabulary=words, oov_token="\n", output_mode="one_hot")
    deviation = _deviation(values)
    if way == "number":
        return _rescaling(values.mean(), deviation)
    # Keras keeps cuts in float32, so they are put near zero; a power of two rounds no value.
    middle, unit = np.median(values), 2.0 ** np.rint(np.log2(deviation))
    cuts = np.unique(np.quantile(values, np.arange(1, n_buckets) / n_buckets))
    cuts = cuts / unit - middle / unit
    buckets = layers.Discretization(cuts.tolist(), output_mode="one_hot", dtype="float32")
    raw = keras.Input((1,), dtype="float64")
    return keras.Sequential([raw, _rescaling(middle, unit), buckets])
    # --8<-- [end:ex-adapt]


def _deviation(values: NDArray[Any]) -> float:
    """The standard deviation in any unit; 1 for a constant column, which is centered only."""
    low, high = values.min(), values.max()
    if low == high:
        return 1.0
    unit = high / 2 - low / 2  # the squares of 1e300 and of 1e-300 are no numbers
    return float((values / unit).std() * unit)


def _rescaling(center: float, unit: float) -> keras.layers.Layer:
    # As arrays, because Keras rounds a Python number to float32.
    scale, offset = np.array([1 / unit]), np.array([-center / unit])
    return layers.Rescaling(scale, offset, dtype="float64")


def tabular_encoder(columns: Any, ways: Mapping[str, str | Sequence[str]]) -> Encoder:
    """Encode raw columns, each an input under its own name.

    There is no hidden layer here: what a column means may depend on the other inputs, so columns
    meet them as they are. A number that lies more than 10,000 deviations from the mean counts as
    lying 10,000 deviations from it: one absurd value must not make the answer NaN.

    Parameters
    ----------
    columns : frame or mapping of name to array of shape (n_samples,)
        The training rows, and no others: means, buckets and vocabularies are taken from them.
    ways : mapping of name to a way of `column_layer`, or to several
        Columns without a way are left out.

    Raises
    ------
    ValueError
        For a column or a way that does not exist, for values that `column_layer` refuses, and for
        fractions that Keras's float type cannot tell apart.
    """
    if not ways:
        raise ValueError("ways must name at least one column")
    inputs, encoded = {}, []
    for name, way in ways.items():
        if name not in columns:
            raise ValueError(f"ways names the column {name!r}; columns has {list(columns)}")
        several = _several(f"ways[{name!r}]", way, COLUMN_WAYS)
        if "category" in several and len(several) > 1:
            raise ValueError(f"ways[{name!r}] must be a category or a number, got {several}")
        is_text = "category" in several
        values = _one_column(f"columns[{name!r}]", columns[name], is_text)
        dtype = "string" if is_text else _number_type(f"columns[{name!r}]", values)
        inputs[name] = keras.Input(() if is_text else (1,), name=name, dtype=dtype)
        for one in several:
            column = column_layer(values, one)(inputs[name])
            encoded.append(ops.clip(column, -FARTHEST, FARTHEST) if one == "number" else column)
    return Encoder(inputs, _side_by_side(encoded))


def _number_type(name: str, values: NDArray[Any]) -> str:
    """The type of a column's input: Keras's ``fit`` rounds all but integers to its float type."""
    floatx = str(keras.config.floatx())
    with np.errstate(over="ignore"):
        error = np.abs(values.astype(floatx) - values).max()
    if error <= 1e-3 * _deviation(values):
        return floatx
    if (values == np.rint(values)).all() and np.abs(values).max() < 2**53:
        return "int64"
    raise ValueError(
        f"{name} holds fractions that {floatx} cannot tell apart, such as {values[0]!r}; subtract "
        "a constant from all, or give whole numbers of a smaller unit"
    )


def pool_tokens(tokens: Any, is_token: Any, how: str) -> Any:
    """Reduce the encodings of a text's tokens to one vector, whatever the padding.

    Parameters
    ----------
    tokens : tensor of shape (batch, length, n_features)
    is_token : boolean tensor of shape (batch, length)
        False where a short text is padded.
    how : {"mean", "max"}

    Returns
    -------
    tensor of shape (batch, n_features); zeros for a text without tokens
    """
    _several("how", how, POOLINGS)
    # --8<-- [start:ex-pool]
    is_token = is_token[..., None]
    n_tokens = ops.sum(ops.cast(is_token, tokens.dtype), axis=1)
    if how == "mean":
        return ops.sum(ops.where(is_token, tokens, 0.0), axis=1) / ops.maximum(n_tokens, 1)
    greatest = ops.max(ops.where(is_token, tokens, -np.inf), axis=1)
    return ops.where(n_tokens > 0, greatest, 0.0)
    # --8<-- [end:ex-pool]


def text_encoder(
    texts: ArrayLike,
    kind: str | Sequence[str] = "conv",
    length: int = 32,
    max_words: int = 1000,
    units: int = 32,
    name: str = "text",
) -> Encoder:
    """Encode raw texts, an input of shape (batch, 1) under the given name.

    Parameters
    ----------
    texts : sequence of str, shape (n_samples,)
        The training texts, and no others: the vocabulary is taken from them.
    kind : {"bag_of_words", "embedding", "conv", "rnn", "transformer"}, or several of them
        Which words occur; the mean of their vectors; the strongest match of three-word windows;
        a recurrent network; attention between all words.
    length : int
        The words kept of each text, from its beginning; shorter texts are padded. A bag of words
        has no length and counts them all.
    max_words : int
        Size of the vocabulary, with a place for padding and one, "[UNK]", for all other words;
        the most frequent words are kept.

    Raises
    ------
    ValueError
        For an unknown kind, sizes that leave no word, and texts that are missing or no strings.
    """
    kinds = _several("kind", kind, TEXT_KINDS)
    if length < 1 or max_words < 3:
        raise ValueError(
            f"length must be at least 1 and max_words at least 3, got {length} and {max_words}"
        )
    texts = _one_column("texts", texts, is_text=True)
    text = keras.Input((), name=name, dtype="string")
    vectorizer = layers.TextVectorization(max_words, output_sequence_length=length)
    vectorizer.adapt(texts)
    encoded = []
    if "bag_of_words" in kinds:
        words = vectorizer.get_vocabulary(include_special_tokens=False)
        bag = layers.TextVectorization(vocabulary=words, output_mode="multi_hot")
        encoded.append(layers.Dense(units, activation="relu")(bag(text)))
    if set(kinds) - {"bag_of_words"}:
        ids = vectorizer(text)
        is_token = ops.not_equal(ids, 0)
        vectors = layers.Embedding(max_words, units // 2)(ids)
        vectors = vectors * ops.cast(is_token, vectors.dtype)[..., None]
    if "embedding" in kinds:
        encoded.append(pool_tokens(vectors, is_token, "mean"))
    if "conv" in kinds:
        windows = layers.Conv1D(units, 3, padding="same", activation="relu")(vectors)
        encoded.append(pool_tokens(windows, is_token, "max"))
    if "rnn" in kinds:
        encoded.append(layers.GRU(units)(vectors, mask=is_token))
    if "transformer" in kinds:
        places = ops.cumsum(ops.ones_like(ids), axis=1) - 1
        placed = vectors + layers.Embedding(length, units // 2)(places)
        attention = layers.MultiHeadAttention(num_heads=2, key_dim=units // 2)
        heard = attention(placed, placed, attention_mask=is_token[:, None, :])
        hidden = layers.LayerNormalization()(placed + heard)
        hidden = layers.Dense(units, activation="relu")(hidden)
        encoded.append(pool_tokens(hidden, is_token, "max"))
    return Encoder({name: text}, _side_by_side(encoded))


@keras.saving.register_keras_serializable("multimodal_input")
class ModalityDropout(layers.Layer):
    """Join encodings so that a missing one is zeros beside a flag, and rehearse that in training.

    In training each modality of each row goes missing with probability ``rate``, but never the last
    that a row has. So of m modalities, each can go missing in at most 1 - 1/m of the rows; a row
    that has only some of them loses those with the nearest probability that is possible. The flags
    tell the layers above which zeros mean "missing". Nothing is rescaled: unlike a hidden unit, a
    modality is also missing when the model serves.

    Call it with a list of encodings, each of shape (batch, n_features), and a list of flags of
    shape (batch, 1), 1 where the row has that modality. It gives (batch, sum of n_features + number
    of modalities), the flags last.

    Raises
    ------
    ValueError
        For a rate outside of [0, 1), and when it is called with too few modalities for the rate.
    """

    def __init__(self, rate: float, seed: int | None = None, **settings: Any) -> None:
        super().__init__(**settings)
        if not 0 <= rate < 1:
            raise ValueError(f"rate must lie in [0, 1), got {rate}")
        self.rate = rate
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, encoded: list[Any], present: list[Any], training: bool = False) -> Any:
        """Join the encodings, in training with some of them missing."""
        n = len(encoded)
        if n != len(present):
            raise ValueError(f"got {n} encodings and {len(present)} flags")
        if self.rate > 1 - 1 / n + 1e-9:
            raise ValueError(
                f"rate must be at most 1 - 1/{n} for {n} modalities, of which one always stays; "
                f"got {self.rate}"
            )
        flags = ops.concatenate(present, axis=1)  # (batch, n_modalities)
        n_present = ops.sum(ops.cast(flags > 0, "int32"), axis=1, keepdims=True)
        chance = ops.take(_chances(self.rate, n), n_present)  # (batch, 1)
        # --8<-- [start:ex-dropout]
        if training:
            draws = keras.random.uniform(ops.shape(flags), seed=self.seed_generator)
            draws = ops.where(flags > 0, draws, -1.0)
            luckiest = draws >= ops.max(draws, axis=1, keepdims=True)  # stays where all would go
            stays = ops.logical_or(draws >= chance, luckiest)
            flags = flags * ops.cast(stays, flags.dtype)
        kept = [
            ops.where(flags[:, i : i + 1] > 0, features, 0.0) for i, features in enumerate(encoded)
        ]
        return ops.concatenate([*kept, flags], axis=1)
        # --8<-- [end:ex-dropout]

    def get_config(self) -> dict[str, Any]:
        """For saving."""
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}


def _chances(rate: float, n_modalities: int) -> NDArray[np.floating]:
    """With which chance to draw each modality of a row that has 0, 1, ... of them.

    Where all m are drawn, one of them stays. Drawn with chance q, each is lost in q - q**m / m of
    the rows, which grows with q and is to be the rate.
    """
    q = np.linspace(0, 1, 10_001)
    m = np.arange(2, n_modalities + 1)
    solved = [np.interp(rate, q - q**k / k, q) for k in m]
    return np.array([0.0, 0.0, *solved], dtype=keras.config.floatx())  # as uniform draws are


def multimodal_model(
    encoders: Mapping[str, Encoder],
    joint_units: int = 64,
    modality_dropout: float | None = None,
    learning_rate: Any = 0.01,
) -> keras.Model:
    """Join encoders to a compiled binary classifier that takes a dict of raw inputs.

    Parameters
    ----------
    encoders : mapping of modality name to Encoder
        One or more; no two may take the same input.
    joint_units : int
        Units of the layer above the joined encodings, where modalities interact; 0 leaves it out.
    modality_dropout : float, optional
        The rate. With it, the model takes a further input ``<modality>_present`` for each modality,
        of shape (batch, 1), and works without any of them (`ModalityDropout`).
    learning_rate : float or Keras schedule
        Of Adam.

    Returns
    -------
    keras.Model
        From dict to logits of shape (batch, 1). For repeatable weights call
        ``keras.utils.set_random_seed`` before building the encoders.

    Raises
    ------
    ValueError
        Without encoders, when two of them take the same input, when one takes an input that has
        the name of a flag, and for a rate that is out of range.
    """
    inputs: dict[str, Any] = {}
    for name, encoder in encoders.items():
        if shared := inputs.keys() & encoder.inputs.keys():
            raise ValueError(f"encoder {name!r} takes inputs of another: {sorted(shared)}")
        inputs |= encoder.inputs
    if not inputs:
        raise ValueError("encoders must hold at least one encoder")
    encoded = [encoder.features for encoder in encoders.values()]
    if modality_dropout is not None:
        flags = {f"{name}_present": keras.Input((1,), name=f"{name}_present") for name in encoders}
        if taken := inputs.keys() & flags.keys():
            raise ValueError(f"inputs have the names of flags: {sorted(taken)}; rename one of them")
        inputs |= flags
        encoded = [ModalityDropout(modality_dropout)(encoded, list(flags.values()))]
    # --8<-- [start:ex-join]
    hidden = encoded[0] if len(encoded) == 1 else layers.Concatenate()(encoded)
    if joint_units:
        hidden = layers.Dense(joint_units, activation="relu")(hidden)
    model = keras.Model(inputs, layers.Dense(1)(hidden))
    # --8<-- [end:ex-join]
    model.compile(
        keras.optimizers.Adam(learning_rate), keras.losses.BinaryCrossentropy(from_logits=True)
    )
    # Variables made here and not inside of the first training step spare it a second tracing.
    model.optimizer.build(model.trainable_variables)
    return model


def model_inputs(model: keras.Model, columns: Any) -> dict[str, NDArray[Any]]:
    """Pick the inputs of a model out of a table, as arrays of the types and shapes it takes.

    Flags of `ModalityDropout` that ``columns`` lacks are 1: present. Where a modality is missing,
    give its flag as 0 and any filler, such as zeros and empty strings, for its inputs.

    Raises
    ------
    ValueError
        For inputs that are lacking, of another shape or length, or that hold missing values; for
        images of bytes where the model takes shares, or the reverse; for flags other than 0 and 1.
    """
    flags = _flags(model)
    picked: dict[str, NDArray[Any]] = {}
    for name, tensor in model.input.items():
        shape = tensor.shape[1:]
        if name in columns:
            values = _checked(f"input {name!r}", columns[name], tensor.dtype == "string")
            if tensor.dtype != "string":
                values = _as_type(f"input {name!r}", values, tensor.dtype, len(shape) > 1)
            if name in flags and not np.isin(values, [0, 1]).all():
                raise ValueError(f"input {name!r} is a flag: it must hold 0 and 1 only")
        elif name in flags and picked:
            values = np.ones(len(next(iter(picked.values()))), dtype=tensor.dtype)
        else:
            raise ValueError(f"columns lacks the input {name!r}; it has {list(columns)}")
        values = values[:, None] if values.ndim == 1 and shape == (1,) else values
        if values.shape[1:] != shape:
            wanted = ", ".join(map(str, ("n", *shape)))
            raise ValueError(f"input {name!r} must have shape ({wanted}), got {values.shape}")
        picked[name] = values
    if len({len(values) for values in picked.values()}) > 1:
        lengths = {name: len(values) for name, values in picked.items()}
        raise ValueError(f"the inputs must have one length, got {lengths}")
    return picked


def _flags(model: keras.Model) -> set[str]:
    """The names of the inputs that are flags: what `ModalityDropout` takes after the encodings."""
    taken = [layer.input for layer in model.layers if isinstance(layer, ModalityDropout)]
    return {tensor.name for tensors in taken for tensor in tensors[len(tensors) // 2 :]}


def _as_type(name: str, values: NDArray[Any], dtype: str, is_image: bool) -> NDArray[Any]:
    """Numbers in the type that the model takes; what that would change is refused."""
    if is_image and dtype != "uint8" and values.dtype.kind in "iu" and values.max(initial=0) > 1:
        raise ValueError(
            f"{name} must hold gray values from 0 to 1, got {values.dtype} up to {values.max()}; "
            "divide by the greatest gray value, or build the encoder with dtype='uint8'"
        )
    with np.errstate(over="ignore", invalid="ignore"):
        cast = values.astype(dtype, copy=False)
    is_kept = np.isfinite(cast) if cast.dtype.kind == "f" else cast == values
    if not is_kept.all():
        what = f"numbers of {dtype}" if cast.dtype.kind == "f" else f"whole numbers of {dtype}"
        raise ValueError(f"{name} must hold {what}, but holds {values[~is_kept].tolist()[0]!r}")
    return cast


def _one_column(name: str, values: ArrayLike, is_text: bool) -> NDArray[Any]:
    array = _checked(name, values, is_text)
    if array.ndim != 1 or not len(array):
        raise ValueError(f"{name} must have shape (n_samples,), not empty, got {array.shape}")
    return array if is_text else array.astype(float)


def _checked(name: str, values: ArrayLike, is_text: bool) -> NDArray[Any]:
    """Strings as they are, or finite numbers: one NaN would make all answers NaN."""
    if is_text:
        array = np.asarray(values, dtype=object)
        odd = [value for value in array.flat if not isinstance(value, str)]
        what = "strings"
    else:
        array = np.asarray(values)
        try:
            array = array if array.dtype.kind in "iuf" else array.astype(float)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{name} must hold numbers: {error}") from None
        odd = array[~np.isfinite(array)].tolist()
        what = "finite numbers"
    if odd:
        raise ValueError(
            f"{name} must hold {what}, but {len(odd)} of {array.size} are not, such as {odd[0]!r}; "
            "convert or fill them first"
        )
    return array


def _several(argument: str, value: str | Sequence[str], accepted: Sequence[str]) -> list[str]:
    chosen = [value] if isinstance(value, str) else list(value)
    if not chosen or set(chosen) - set(accepted):
        raise ValueError(f"{argument} must be one or more of {accepted}, got {value!r}")
    return chosen


def _side_by_side(encoded: Sequence[Any]) -> Any:
    return encoded[0] if len(encoded) == 1 else layers.Concatenate()(encoded)
