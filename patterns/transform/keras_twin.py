"""The Keras twin: a network whose transforms are layers of its own, in one ``.keras`` file.

The layers are made from a fitted transform, so that there is one definition here too. All of them
come with Keras: the file loads in safe mode, without any code of ours. It needs the TensorFlow
backend, because the layers for texts do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import keras
import numpy as np
from keras import ops

CHARACTERS = [*"0123456789", *"-:TZ"]  # a digit has the index 2 more: 0 and 1 are taken
PERIODS = {"hour": 24, "weekday": 7, "month": 12, "minute": 1440}
DAY = 24 * 60  # minutes


def keras_twin(definition: Mapping[str, Any], hidden: Sequence[int] = (32,)) -> keras.Model:
    """A network, not compiled yet, from raw inputs to one number.

    Its inputs have the names of the transform's, each of shape (n_samples, 1). A time is a text
    like ``"2013-07-01T12:30:00Z"``, in UTC, and must be there. A missing category is the empty
    text, a missing number is NaN. The layer "features" has the features of the transform, in single
    precision; in front of the hidden layers, codes become indicators.

    Parameters
    ----------
    definition : mapping
        What ``Transform.to_dict`` gives.
    hidden : sequence of int
        Units of the hidden layers.

    Raises
    ------
    ValueError
        When the empty text is in a vocabulary: here it stands for missing.
    """
    kinds = {"number": "float32", "category": "string", "time": "string"}
    inputs = {
        spec["name"]: keras.Input((1,), name=spec["name"], dtype=kinds[spec["type"]])
        for spec in definition["inputs"]
    }
    clocks: dict[tuple[str, str], Any] = {}
    features, seen = [], []
    for feature in definition["features"]:
        given, learned = inputs[feature["input"]], definition["learned"][feature["name"]]
        if feature["kind"] == "code":
            words = learned["vocabulary"]
            if "" in words:
                raise ValueError(f"{feature['name']!r}: the empty text stands for missing here")
            code = keras.layers.StringLookup(vocabulary=words, mask_token="")(given)
            seen.append(keras.layers.CategoryEncoding(len(words) + 2)(code))
            features.append(ops.cast(code, "float32"))
            continue
        if feature["zone"] is not None:
            key = feature["input"], feature["zone"]
            if key not in clocks:
                clocks[key] = _local_minutes(_utc_minutes(given), feature["zone"])
            value = ops.cast(_clock(clocks[key], feature["kind"]), "float32")
        elif feature["kind"] == "is_missing":
            value = ops.cast(ops.isnan(given), "float32")
        else:
            filled = ops.where(ops.isnan(given), float(learned["fill"]), given)
            value = (filled - learned["center"]) / learned["scale"]
        features.append(value)
        seen.append(value / PERIODS.get(feature["kind"], 1))
    made = keras.layers.Concatenate(name="features")(features)
    layer = keras.layers.Concatenate()([made[:, :0], *seen])  # so that both are in the network
    for units in hidden:
        layer = keras.layers.Dense(units, activation="relu")(layer)
    return keras.Model(inputs, keras.layers.Dense(1, name="output")(layer))


def _utc_minutes(text: Any) -> Any:
    """Minutes since the beginning of 1970, of texts; years from 1970 on."""
    letters = keras.layers.TextVectorization(
        standardize=None, split="character", output_sequence_length=16, vocabulary=CHARACTERS
    )
    digit = ops.cast(letters(text), "int32") - 2

    def number(*places: int) -> Any:
        return sum(digit[:, p : p + 1] * 10**k for k, p in enumerate(reversed(places)))

    year, month, day = number(0, 1, 2, 3), number(5, 6), number(8, 9)
    # Years that begin in March have their leap day at the end (Hinnant, "days_from_civil").
    year = year - ops.cast(month <= 2, "int32")
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    days = era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468
    return days * DAY + number(11, 12) * 60 + number(14, 15)


def _local_minutes(minutes: Any, zone: str) -> Any:
    """What the clocks of a zone show, in minutes since the beginning of 1970."""
    at, change = _changes(zone)
    after = ops.cast(ops.greater_equal(minutes, at[None, :]), "int32")
    return minutes + ops.sum(after * change[None, :], axis=1, keepdims=True)


def _clock(local: Any, kind: str) -> Any:
    """A feature of local minutes."""
    if kind in ("hour", "minute"):
        return local % DAY // (60 if kind == "hour" else 1)
    days = local // DAY
    if kind == "weekday":
        return (days + 3) % 7
    days = days + 719468  # ("civil_from_days")
    of_era = days - days // 146097 * 146097
    year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    return ((5 * of_year + 2) // 153 + 2) % 12 + 1


@cache
def _changes(zone: str) -> tuple[np.ndarray, np.ndarray]:
    """From 1970 to 2099: minutes at which the offset of a zone changes, and by how many minutes."""

    def offset(minute: int) -> int:
        clock = datetime.fromtimestamp(60 * minute, ZoneInfo(zone))
        return round((clock.utcoffset() or clock - clock).total_seconds() / 60)

    last = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp()) // 60
    at, offsets = [0], [offset(0)]
    for day in range(0, last, DAY):
        if offset(day + DAY) == offsets[-1]:
            continue
        low, high = day, day + DAY  # the change lies above low and at most at high
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset(middle) == offsets[-1] else (low, middle)
        at.append(high)
        offsets.append(offset(high))
    return np.array(at, "int32"), np.diff(offsets, prepend=0).astype("int32")
