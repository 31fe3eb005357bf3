"""Multimodal input: encode each kind of input in its own way, and join the encodings in one model.

An image, a table and a text do not fit into one vector of features as they are. Give each an
encoder that suits it, put the encodings side by side, and let the layers above learn what only the
inputs together can tell. All preprocessing is part of the model: it takes raw values.

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


class Encoder(NamedTuple):
    """One kind of input on its way into a model."""

    inputs: dict[str, Any]  # raw, by the name under which the model takes them
    features: Any  # (batch, n_features)


def image_encoder(
    shape: tuple[int, int],
    way: str | Sequence[str] = "convolution",
    units: int = 32,
    name: str = "image",
) -> Encoder:
    """Encode raw gray images, an input of shape (batch, height, width) under the given name.

    Parameters
    ----------
    shape : (height, width)
        In pixels, each at least 3. Gray values should lie in [0, 1].
    way : {"convolution", "pixels"}, or both
        A convolution finds strokes wherever they are; pixels have a weight each.
    """
    if len(shape) != 2 or min(shape) < 3:
        raise ValueError(f"shape must be (height, width), each at least 3, got {shape}")
    image = keras.Input(shape, name=name)
    encoded = []
    for one in _several("way", way, IMAGE_WAYS):
        hidden = image
        if one == "convolution":
            hidden = layers.Reshape((*shape, 1))(image)
            hidden = layers.Conv2D(16, 3, strides=2, activation="relu")(hidden)
        encoded.append(layers.Dense(units, activation="relu")(layers.Flatten()(hidden)))
    return Encoder({name: image}, _side_by_side(encoded))


def column_layer(values: ArrayLike, way: str, n_buckets: int = 12) -> keras.layers.Layer:
    """Make the layer that brings one raw column to the network, fitted to its training values.

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
    if way == "number":
        variance = float(values.var()) or 1.0  # a constant column is centered only
        return layers.Normalization(mean=float(values.mean()), variance=variance)
    if way == "buckets":
        inner = np.quantile(values, np.arange(1, n_buckets) / n_buckets)
        return layers.Discretization(
            bin_boundaries=np.unique(inner).tolist(), output_mode="one_hot"
        )
    return layers.StringLookup(vocabulary=sorted(set(values)), output_mode="one_hot")
    # --8<-- [end:ex-adapt]


def tabular_encoder(columns: Any, ways: Mapping[str, str | Sequence[str]]) -> Encoder:
    """Encode raw columns, each an input under its own name.

    There is no hidden layer here: what a column means may depend on the other inputs, so columns
    meet them as they are.

    Parameters
    ----------
    columns : frame or mapping of name to array of shape (n_samples,)
        The training rows, and no others: means, buckets and vocabularies are taken from them.
    ways : mapping of name to a way of `column_layer`, or to several
        Columns without a way are left out.

    Raises
    ------
    ValueError
        For a column or a way that does not exist, and for values that `column_layer` refuses.
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
        inputs[name] = keras.Input(
            () if is_text else (1,), name=name, dtype="string" if is_text else None
        )
        encoded += [column_layer(values, one)(inputs[name]) for one in several]
    return Encoder(inputs, _side_by_side(encoded))


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
    is_token = ops.cast(is_token, tokens.dtype)[..., None]
    n_tokens = ops.sum(is_token, axis=1)
    if how == "mean":
        return ops.sum(tokens * is_token, axis=1) / ops.maximum(n_tokens, 1)
    greatest = ops.max(tokens - 1e9 * (1 - is_token), axis=1)
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
    that a row has. The flags tell the layers above which zeros mean "missing". Nothing is rescaled:
    unlike a hidden unit, a modality is also missing when the model serves.

    Call it with a list of encodings, each of shape (batch, n_features), and a list of flags of
    shape (batch, 1), 1 where the row has that modality. It gives (batch, sum of n_features + number
    of modalities), the flags last.
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
        if len(encoded) != len(present):
            raise ValueError(f"got {len(encoded)} encodings and {len(present)} flags")
        flags = ops.concatenate(present, axis=1)  # (batch, n_modalities)
        # --8<-- [start:ex-dropout]
        if training:
            stays = keras.random.uniform(ops.shape(flags), seed=self.seed_generator) >= self.rate
            thinned = flags * ops.cast(stays, flags.dtype)
            has_any = ops.any(thinned > 0, axis=1, keepdims=True)
            flags = ops.where(has_any, thinned, flags)
        kept = [features * flags[:, i : i + 1] for i, features in enumerate(encoded)]
        return ops.concatenate([*kept, flags], axis=1)
        # --8<-- [end:ex-dropout]

    def get_config(self) -> dict[str, Any]:
        """For saving."""
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}


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
        With it, the model takes a further input ``<modality>_present`` for each modality, of shape
        (batch, 1), and works without any of them (`ModalityDropout`).
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
        Without encoders, and when two of them take the same input.
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

    Flags that ``columns`` lacks are 1: present. Where a modality is missing, give its flag as 0 and
    any filler, such as zeros and empty strings, for its inputs.

    Raises
    ------
    ValueError
        For inputs that are lacking, of another shape or length, or that hold missing values.
    """
    picked: dict[str, NDArray[Any]] = {}
    for name, tensor in model.input.items():
        shape = tensor.shape[1:]
        if name in columns:
            is_text = tensor.dtype == "string"
            values = _checked(f"input {name!r}", columns[name], is_text)
            values = values if is_text else values.astype(tensor.dtype, copy=False)
        elif name.endswith("_present") and picked:
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


def _one_column(name: str, values: ArrayLike, is_text: bool) -> NDArray[Any]:
    array = _checked(name, values, is_text)
    if array.ndim != 1 or not len(array):
        raise ValueError(f"{name} must have shape (n_samples,), not empty, got {array.shape}")
    return array


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
