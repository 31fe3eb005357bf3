"""Transform: inputs are not features, so keep the way from one to the other with the model.

A serving system has a time in UTC, a code, a number that may be missing. A model takes hours of the
wall clock, positions in a vocabulary, filled numbers. Define the transform once, fit it once on the
training rows, and save definition, what it learned and model as one artifact. Code that is written
a second time for serving will differ from it.

The file has four parts: what an input may be; how a feature is learned and made, for one value and
for a column; tables of any kind as columns; and the artifact with its file. A reader in a hurry
begins with `learn`, `engineer_one` and `engineer`.

Source: Lakshmanan, Robinson, Munn, "Machine Learning Design Patterns" (2020), chapter 6.
"""

from __future__ import annotations

import difflib
import hashlib
import importlib.metadata
import json
import math
import os
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal, Self
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import xgboost
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils.validation import check_is_fitted

FloatArray = NDArray[np.float64]
Rows = Any  # a pyarrow Table or RecordBatch, a pandas frame, or a mapping of name to values
Column = Any  # prepared: float64 with NaN, Arrow text with nulls, or datetime64[us] in UTC with NaT

KINDS = {  # of features, each with the type of its input
    **dict.fromkeys(("number", "standardized", "min_max", "is_missing"), "number"),
    "code": "category",
    **dict.fromkeys(("hour", "weekday", "month", "minute"), "time"),
}
MISSING, OTHER = 0.0, 1.0  # codes of a missing category, and of one that is rare or new

TIME = re.compile(
    r"\d{4}-\d\d-\d\d[ T]\d\d(:\d\d(:\d\d(\.\d{1,6})?)?)?(Z|[+-]\d\d(:?\d\d)?)", re.ASCII
)
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
LARGEST = float(np.finfo(np.float32).max)  # the trees compute in single precision

FORMAT = 1  # of the artifact's file
MEMBERS = ("transform.json", "statistics.json", "provenance.json", "trees.ubj")
MAX_BYTES = 2**30  # of an artifact, unpacked


# --- inputs --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Violation:
    """What is wrong with one input: the problem, all rows that have it, the first few values."""

    field: str
    problem: str
    rows: tuple[int, ...] = ()
    values: tuple[Any, ...] = ()

    def __str__(self) -> str:
        """Field, problem, rows and values as a sentence."""
        shown = [f"row {r}: {ascii(v)[:60]}" for r, v in zip(self.rows, self.values, strict=False)]
        more = len(self.rows) - len(shown)
        where = f" ({', '.join(shown)}{f' and {more} more' if more else ''})" if shown else ""
        return f"{self.field!r} {self.problem}{where}"


class InputError(ValueError):
    """Rows that do not fit the inputs; ``violations`` says which, where and why."""

    def __init__(self, violations: Sequence[Violation]) -> None:
        self.violations = tuple(violations)
        super().__init__("; ".join(map(str, self.violations)))


@dataclass(frozen=True)
class Input:
    """One input, as the serving system has it; a row that breaks these rules is refused.

    Parameters
    ----------
    name : str
    type : {"number", "category", "time"}
        A category is a text. A time is a text in ISO 8601 with its zone, such as
        ``"2013-07-01T12:30:00Z"``, or a datetime with its zone.
    nullable : bool
        Whether it may be missing: None, NaN, NaT or an Arrow null.
    minimum, maximum : float, optional
        Of a number.
    categories : sequence of str, optional
        The only values of a category. Without it, new values are welcome.
    """

    name: str
    type: Literal["number", "category", "time"]
    nullable: bool = False
    minimum: float | None = None
    maximum: float | None = None
    categories: Sequence[str] | None = None

    def __post_init__(self) -> None:
        if self.type not in KINDS.values():
            raise ValueError(f'{self.name!r} must be a "number", "category" or "time": {self.type}')
        if self.type != "number" and (self.minimum is not None or self.maximum is not None):
            raise ValueError(f"{self.name!r}: only a number has a minimum or a maximum")
        if self.categories is not None:
            if self.type != "category" or isinstance(self.categories, str):
                raise ValueError(f"{self.name!r}: categories are a list of values of a category")
            object.__setattr__(self, "categories", tuple(self.categories))

    def typed(self, value: Any) -> Any:
        """One value, checked: a float, a text or a datetime; NaN or None where it is missing.

        Raises
        ------
        ValueError
            That says what is wrong with the value.
        """
        is_nan = isinstance(value, float | np.floating) and math.isnan(value)
        if value is None or is_nan or value is pd.NA or value is pd.NaT:
            if not self.nullable:
                raise ValueError("must not be missing")
            return math.nan if self.type == "number" else None
        if self.type == "time":
            return _instant(value)
        if self.type == "category":
            if not isinstance(value, str):
                raise ValueError("must be a text")
            if self.categories is not None and value not in self.categories:
                raise ValueError(f"must be one of {list(self.categories)}")
            if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
                raise ValueError("must be a valid Unicode text")
            return value
        is_number = isinstance(value, int | float | np.integer | np.floating)
        if not is_number or isinstance(value, bool):
            raise ValueError("must be a number")
        if not -LARGEST <= value <= LARGEST:
            raise ValueError("must be finite in single precision")
        if self.minimum is not None and value < self.minimum:
            raise ValueError(f"must be at least {self.minimum:g}")
        if self.maximum is not None and value > self.maximum:
            raise ValueError(f"must be at most {self.maximum:g}")
        return float(value)


def _instant(value: Any) -> datetime:
    if isinstance(value, str) and TIME.fullmatch(value):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError("is no time that exists") from None
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError("must be a time with its zone, such as '2013-07-01T12:30:00Z'")
    if getattr(value, "nanosecond", 0):
        raise ValueError("must not be finer than a microsecond")
    if not EARLIEST <= value < LATEST:
        raise ValueError("must lie in the years 1970 to 2099")
    return value


# --- features ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Feature:
    """One feature, and how it is made from an input.

    Parameters
    ----------
    name : str
    kind : str
        Of a number: "number" (as it is), "standardized" (mean 0 and deviation 1 in the training
        rows), "min_max" (from 0 to 1 in the training rows), "is_missing" (0 or 1). Of a category:
        "code", which is 0 for a missing one, 1 for a rare or new one, and its position in the
        vocabulary from 2 on. Of a time: "hour" (0 to 23), "weekday" (Monday is 0), "month" (1 to
        12), "minute" (of the day).
    input : str, optional
        Default: the input of the same name.
    zone : str, for times only
        Whose wall clock is read, such as ``"America/New_York"``.
    missing : {"nan", "mean", "median"} or float
        What stands for a missing number. Trees take NaN as it is.
    min_count : int
        How many training rows a category needs to be in the vocabulary.
    """

    name: str
    kind: str
    input: str = ""
    zone: str | None = None
    missing: float | str = "nan"
    min_count: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "input", self.input or self.name)
        if self.kind not in KINDS:
            raise ValueError(f"{self.name!r}: kind must be one of {list(KINDS)}, got {self.kind!r}")
        if (KINDS[self.kind] == "time") != (self.zone is not None):
            raise ValueError(f"{self.name!r}: a zone is needed for times, and for nothing else")
        if self.zone is not None:
            _zone(self.zone)
        if isinstance(self.missing, str) and self.missing not in ("nan", "mean", "median"):
            raise ValueError(
                f'{self.name!r}: missing must be "nan", "mean", "median" or a number, '
                f"got {self.missing!r}"
            )
        if self.min_count < 1:
            raise ValueError(f"{self.name!r}: min_count must be at least 1, got {self.min_count}")


@cache
def _zone(name: str | None) -> ZoneInfo:
    try:
        return ZoneInfo(str(name))
    except (ValueError, OSError, KeyError):
        raise ValueError(f"the tz database has no zone {name!r}") from None


def local_time(value: datetime | None, zone: str | None) -> datetime | None:
    """What the clocks of a zone show at an instant."""
    # --8<-- [start:ex-local-one]
    return None if value is None else value.astimezone(_zone(zone))
    # --8<-- [end:ex-local-one]


def local_times(column: NDArray[np.datetime64], zone: str | None) -> NDArray[np.datetime64]:
    """What the clocks of a zone show at instants in UTC: `local_time` of each value.

    No zone changes its offset twice within a day: two changes are six days apart or more. Arrow's
    own conversion ignores the rule at the end of a zone's file. With pyarrow 26 it is an hour off
    in each summer from 2038 on, and in earlier ones where the files are short.
    """
    # --8<-- [start:ex-local-many]
    known = ~np.isnat(column)
    second = column[known].astype("datetime64[s]").astype(np.int64)
    number, days = pd.factorize(second // 86_400)
    begin, end = (_offsets(86_400 * (days + i), zone) for i in (0, 1))
    offset = begin[number]
    changes = (begin != end)[number]  # of the few days with a change, each time is looked up
    offset[changes] = _offsets(second[changes], zone)
    local = column.copy()
    local[known] += offset
    return local
    # --8<-- [end:ex-local-many]


def _offsets(seconds: NDArray[np.int64], zone: str | None) -> NDArray[np.timedelta64]:
    """How far ahead of UTC a zone is at each of some instants, in seconds since 1970."""
    clocks = (datetime.fromtimestamp(at, _zone(zone)) for at in seconds.tolist())
    return np.array([clock.utcoffset() for clock in clocks], dtype="timedelta64[us]")


def learn(feature: Feature, column: Column) -> dict[str, Any]:
    """The full pass: what a feature must know of the training rows.

    Parameters
    ----------
    column : prepared column of the feature's input, of the training rows and no others

    Returns
    -------
    dict
        Of a category, its "vocabulary", sorted. Of a number, "fill", which stands for missing ones,
        "center" and "scale": the feature is ``(filled - center) / scale``.
    """
    if KINDS[feature.kind] == "time":
        return {}
    # --8<-- [start:ex-learn]
    if feature.kind == "code":
        counts = pc.value_counts(column.drop_null()).to_pylist()
        frequent = (c["values"] for c in counts if c["counts"] >= feature.min_count)
        return {"vocabulary": sorted(frequent)}
    present = column[~np.isnan(column)]
    fill, center, scale = feature.missing, 0.0, 1.0
    if fill in ("mean", "median"):
        fill = np.mean(present) if fill == "mean" else np.median(present)
    if feature.kind == "standardized":
        center, scale = np.mean(present), np.std(present)
    if feature.kind == "min_max":
        center, scale = np.min(present), np.ptp(present)
    if np.ptp(present) == 0:
        scale = 1.0  # nothing to scale, and rounding may have made the deviation a bit of noise
    return {"fill": float(fill), "center": float(center), "scale": float(scale)}
    # --8<-- [end:ex-learn]


def engineer_one(feature: Feature, learned: Mapping[str, Any], value: Any) -> float:
    """One prepared value, or the `local_time` of a time, to its feature."""
    if KINDS[feature.kind] == "time":
        # --8<-- [start:ex-clock-one]
        if value is None:
            return math.nan
        if feature.kind == "minute":
            return 60.0 * value.hour + value.minute
        return float(value.weekday() if feature.kind == "weekday" else getattr(value, feature.kind))
        # --8<-- [end:ex-clock-one]
    if feature.kind == "code":
        # --8<-- [start:ex-code-one]
        return MISSING if value is None else learned["codes"].get(value, OTHER)
        # --8<-- [end:ex-code-one]
    if feature.kind == "is_missing":
        return float(math.isnan(value))
    filled = learned["fill"] if math.isnan(value) else value
    return (filled - learned["center"]) / learned["scale"]


def engineer(feature: Feature, learned: Mapping[str, Any], column: Column) -> FloatArray:
    """A prepared column, or `local_times`, to its feature: `engineer_one` of each value."""
    if KINDS[feature.kind] == "time":
        # --8<-- [start:ex-clock-many]
        day = column.astype("datetime64[D]")
        if feature.kind == "weekday":
            clock = (day.astype(np.int64) + 3) % 7  # day 0, 1 January 1970, was a Thursday
        elif feature.kind == "month":
            clock = day.astype("datetime64[M]").astype(np.int64) % 12 + 1
        else:
            minute = (column - day).astype(np.int64) // 60_000_000
            clock = minute // 60 if feature.kind == "hour" else minute
        return np.where(np.isnat(column), np.nan, clock)
        # --8<-- [end:ex-clock-many]
    if feature.kind == "code":
        # --8<-- [start:ex-code-many]
        vocabulary = pa.array(learned["vocabulary"], pa.large_string())
        position = pc.index_in(column, vocabulary).to_numpy(zero_copy_only=False)
        codes = np.where(np.isnan(position), OTHER, position + 2)
        return np.where(column.is_null(), MISSING, codes)
        # --8<-- [end:ex-code-many]
    if feature.kind == "is_missing":
        return np.isnan(column).astype(np.float64)
    filled = np.where(np.isnan(column), learned["fill"], column)
    return (filled - learned["center"]) / learned["scale"]


class Transform(TransformerMixin, BaseEstimator):
    """From inputs to features: one definition, fitted once, for one row and for a million.

    Parameters
    ----------
    inputs : sequence of Input
    features : sequence of Feature

    Attributes
    ----------
    learned_ : dict of feature name to what it learned, see `learn`
    feature_names_ : list of str

    Raises
    ------
    InputError
        In every method that takes rows, for rows that do not fit the inputs.
    ValueError
        In ``fit``, for a definition that contradicts itself and for an input without any value.
    """

    def __init__(self, inputs: Sequence[Input], features: Sequence[Feature]) -> None:
        self.inputs = inputs
        self.features = features

    def fit(self, X: Rows, y: Any = None) -> Self:
        """Learn vocabulary, mean, median and the like: from the training rows, and no others."""
        types = {i.name: i.type for i in self.inputs}
        for names in ([i.name for i in self.inputs], [f.name for f in self.features]):
            if not names or len(set(names)) < len(names):
                raise ValueError(f"inputs and features need names, each its own; got {names}")
        for feature in self.features:
            if types.get(feature.input) != KINDS[feature.kind]:
                raise ValueError(
                    f"feature {feature.name!r} needs an input {feature.input!r} of the type "
                    f"{KINDS[feature.kind]!r}; the inputs are {types}"
                )
        prepared = self.prepare(X)
        for name, column in prepared.items():
            if _missing(column).all():
                raise ValueError(f"{name!r} has no value in any of {len(column)} training rows")
        return self._learned({f.name: learn(f, prepared[f.input]) for f in self.features})

    def prepare(self, X: Rows) -> dict[str, Column]:
        """From raw to prepared: each input checked and typed, as a column."""
        columns = _columns(X)
        _check_names(columns, [i.name for i in self.inputs])
        lengths = {name: len(column) for name, column in columns.items()}
        if len(set(lengths.values())) > 1:
            raise InputError([Violation("rows", f"must be as many in each column, got {lengths}")])
        prepared, violations = {}, []
        for spec in self.inputs:
            prepared[spec.name], found = _typed_column(spec, columns[spec.name])
            violations += found
        if violations:
            raise InputError(violations)
        return prepared

    def prepare_one(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The same for one row, of a fitted transform."""
        if not isinstance(row, Mapping):
            raise TypeError(f"a row must be a mapping of input to value, got {type(row)}")
        if not hasattr(self, "_inputs"):  # which takes less time than check_is_fitted
            check_is_fitted(self, "learned_")
        if row.keys() != self._inputs.keys():
            _check_names(row, list(self._inputs))
        prepared, violations = {}, []
        for name, spec in self._inputs.items():
            try:
                prepared[name] = spec.typed(row[name])
            except ValueError as error:
                violations.append(Violation(name, str(error), (0,), (row[name],)))
        if violations:
            raise InputError(violations)
        return prepared

    def transform(self, X: Rows) -> FloatArray:
        """From raw rows to features, shape (n_samples, n_features)."""
        check_is_fitted(self, "learned_")
        return np.column_stack(self._make(self.prepare(X), local_times, engineer))

    def transform_one(self, row: Mapping[str, Any]) -> list[float]:
        """The features of one row, equal to the last bit to that row of `transform`."""
        return self._make(self.prepare_one(row), local_time, engineer_one)

    def _make(
        self,
        prepared: Mapping[str, Any],
        localize: Callable[[Any, str | None], Any],
        make: Callable[[Feature, Mapping[str, Any], Any], Any],
    ) -> list[Any]:
        """All features, in the one order that there is, of columns or of single values."""
        made, clocks = [], {}
        for f in self.features:
            value = prepared[f.input]
            if f.zone is not None:
                if (f.input, f.zone) not in clocks:
                    clocks[f.input, f.zone] = localize(value, f.zone)
                value = clocks[f.input, f.zone]
            made.append(make(f, self.learned_[f.name], value))
        return made

    def columns(self, X: Rows, features: ArrayLike | None = None) -> dict[str, dict[str, Column]]:
        """What there is to describe of rows: "inputs" and "features", each by name.

        Codes, hours and the like are texts here, because their distances mean nothing.

        Parameters
        ----------
        features : array of shape (n_samples, n_features), optional
            What the model was given for these rows, where other code has made it.
        """
        made = np.asarray(self.transform(X) if features is None else features, dtype=np.float64)
        if made.ndim != 2 or made.shape[1] != len(self.features):
            raise ValueError(
                f"features must have shape (n_samples, {len(self.features)}), got {made.shape}"
            )
        named: dict[str, Column] = {}
        for feature, column in zip(self.features, made.T, strict=True):
            named[feature.name] = column
            if feature.kind in ("code", "is_missing", "hour", "weekday", "month"):
                whole = pa.array(column, from_pandas=True).cast(pa.int64(), safe=False)
                named[feature.name] = whole.cast(pa.large_string())
        return {"inputs": self.prepare(X), "features": named}

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """The names of the features."""
        return np.array([f.name for f in self.features], dtype=object)

    def to_dict(self) -> dict[str, Any]:
        """Definition and what was learned, ready for JSON, where floats keep every bit."""
        check_is_fitted(self, "learned_")
        learned = {name: dict(known) for name, known in self.learned_.items()}
        for known in learned.values():
            known.pop("codes", None)
            if math.isnan(known.get("fill", 0.0)):
                known["fill"] = "nan"  # for which JSON has no number
        return {
            "inputs": [asdict(spec) for spec in self.inputs],
            "features": [asdict(feature) for feature in self.features],
            "learned": learned,
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """What `to_dict` gave, fitted without seeing a row."""
        inputs = [Input(**spec) for spec in content["inputs"]]
        transform = cls(inputs, [Feature(**feature) for feature in content["features"]])
        learned = {f.name: dict(content["learned"][f.name]) for f in transform.features}
        for known in learned.values():
            if "fill" in known:
                known["fill"] = float(known["fill"])
        return transform._learned(learned)

    def _learned(self, learned: dict[str, dict[str, Any]]) -> Self:
        for known in learned.values():
            if "vocabulary" in known:
                known["codes"] = {value: i + 2.0 for i, value in enumerate(known["vocabulary"])}
        self.learned_ = learned
        self._inputs = {spec.name: spec for spec in self.inputs}
        return self


# --- columns of any table ------------------------------------------------------------------------


def _columns(X: Rows) -> dict[str, Any]:
    if isinstance(X, pa.Table | pa.RecordBatch):
        names, columns = X.schema.names, X.columns
    elif isinstance(X, pd.DataFrame):
        names, columns = list(X.columns), [X.iloc[:, i] for i in range(X.shape[1])]
    elif isinstance(X, Mapping):
        names, columns = list(X), list(X.values())
    else:
        raise TypeError(f"rows must be an Arrow table, a frame or a mapping, got {type(X)}")
    violations = [Violation(str(n), "is there twice") for n in names if names.count(n) > 1]
    for name, column in zip(names, columns, strict=True):
        if isinstance(column, str | bytes | Mapping) or not hasattr(column, "__len__"):
            violations.append(Violation(str(name), f"must be a column, got {column!r:.60}"))
    if violations:
        raise InputError(violations)
    return dict(zip(names, columns, strict=True))


def _check_names(given: Iterable[Any], wanted: Sequence[str]) -> None:
    violations = [Violation(name, "is not there") for name in wanted if name not in given]
    for name in given:
        if name not in wanted:
            near = difflib.get_close_matches(str(name), wanted, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"the inputs are {list(wanted)}"
            violations.append(Violation(str(name), f"is no input; {hint}"))
    if violations:
        raise InputError(violations)


def _typed_column(spec: Input, values: Any) -> tuple[Column, list[Violation]]:
    """A column, typed at once where Arrow can, and what is wrong with its values."""
    column = _cast(spec, values)
    wrong = np.ones(len(values), dtype=bool) if column is None else _wrong(spec, column)
    found: dict[str, list[tuple[int, Any]]] = {}
    typed = []
    for row in np.flatnonzero(wrong).tolist():
        value = values.iloc[row] if isinstance(values, pd.Series) else values[row]
        if isinstance(value, pa.Scalar | np.generic):
            value = value.as_py() if isinstance(value, pa.Scalar) else value.item()
        try:
            typed.append(spec.typed(value))
        except ValueError as error:
            found.setdefault(str(error), []).append((row, value))
    if column is None:
        column = _column_of(spec, typed)
    return column, [
        Violation(spec.name, problem, tuple(r for r, _ in at), tuple(v for _, v in at[:3]))
        for problem, at in found.items()
    ]


def _cast(spec: Input, values: Any) -> Column | None:
    """Values as a prepared column, or None where they must be looked at one by one."""
    try:
        is_arrow = isinstance(values, pa.Array | pa.ChunkedArray)
        are_objects = not is_arrow and str(getattr(values, "dtype", "object")) == "object"
        if are_objects and {bool, np.bool_} & set(map(type, values)):
            return None  # among numbers, Arrow takes them for 0 and 1
        array = values if is_arrow else pa.array(values, from_pandas=True)
        if isinstance(array, pa.ChunkedArray):
            array = array.combine_chunks()
        kind, is_null = array.type, pa.types.is_null(array.type)
        # A dictionary or a view as what it stands for.
        as_text = str(kind).startswith(("string", "large_string", "dictionary<values=string"))
        if spec.type == "number" and (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            return array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        if spec.type == "number" and is_null:
            return np.full(len(array), np.nan)
        if spec.type == "category" and (as_text or is_null):
            return array.cast(pa.large_string())
        # Objects may be times with and without a zone, which Arrow takes for one another.
        is_time = pa.types.is_timestamp(kind) and kind.tz and not are_objects
        if spec.type == "time" and (as_text or is_time or is_null):
            return array.cast(pa.timestamp("us", "UTC")).to_numpy(zero_copy_only=False)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        pass
    return None


def _wrong(spec: Input, column: Column) -> NDArray[np.bool_]:
    """Which values of a column `Input.typed` would refuse."""
    wrong = np.zeros(len(column), dtype=bool) if spec.nullable else _missing(column)
    if spec.type == "number":
        low, high = (-LARGEST if spec.minimum is None else spec.minimum), spec.maximum
        high = LARGEST if high is None else high
        wrong |= (column < low) | (column > high) | (np.abs(column) > LARGEST)
    elif spec.type == "time":
        early, late = (np.datetime64(t.replace(tzinfo=None)) for t in (EARLIEST, LATEST))
        wrong |= (column < early) | (column >= late)
    elif spec.categories is not None:
        allowed = pa.array([*spec.categories, None], pa.large_string())
        wrong |= ~pc.is_in(column, allowed).to_numpy(zero_copy_only=False)
    return wrong


def _column_of(spec: Input, typed: Sequence[Any]) -> Column:
    if spec.type == "number":
        return np.array(typed, dtype=np.float64)
    if spec.type == "category":
        return pa.array(typed, pa.large_string())
    utc = [None if t is None else t.astimezone(UTC).replace(tzinfo=None) for t in typed]
    return np.array(utc, dtype="datetime64[us]")


def _missing(column: Column) -> NDArray[np.bool_]:
    if isinstance(column, pa.Array):
        return column.is_null().to_numpy(zero_copy_only=False).copy()
    return np.isnat(column) if column.dtype.kind == "M" else np.isnan(column)


# --- the artifact --------------------------------------------------------------------------------


class ArtifactError(ValueError):
    """A file that is no artifact, is damaged, or is another one than was asked for."""


@dataclass(frozen=True, eq=False)
class ServingArtifact:
    """Schema, transform, model and provenance in one: what was trained is what is served.

    Make it with `fit` or `load`. Several threads may ask it for predictions at once.

    Parameters
    ----------
    transform : Transform, fitted
    booster : xgboost.Booster with one output per row
    statistics : mapping, ready for JSON
        Of the training rows, to compare those with that are served.
    provenance : mapping, ready for JSON
        Where the artifact comes from: versions, fingerprint of the training data, parameters.
    engine : function of the booster, optional
        Gives what computes the predictions in its place, with a method ``inplace_predict``.

    Raises
    ------
    ArtifactError
        When transform and model do not fit together.
    """

    transform: Transform
    booster: xgboost.Booster
    statistics: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    engine: Callable[[xgboost.Booster], Any] | None = None
    _model: Any = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_is_fitted(self.transform, "learned_")
        names = [feature.name for feature in self.transform.features]
        if self.booster.feature_names != names:
            raise ArtifactError(
                f"the model has the features {self.booster.feature_names}, the transform {names}"
            )
        model = self.booster if self.engine is None else self.engine(self.booster)
        object.__setattr__(self, "_model", model)

    @classmethod
    def fit(
        cls,
        transform: Transform,
        X: Rows,
        y: ArrayLike,
        params: Mapping[str, Any],
        num_boost_round: int = 100,
        describe: Callable[[Mapping[str, Any]], Mapping[str, Any]] = lambda columns: {},
    ) -> Self:
        """Fit a copy of the transform, and trees to its features.

        Parameters
        ----------
        transform : Transform
        X : training rows
        y : array of shape (n_samples,)
        params, num_boost_round
            As for ``xgboost.train``, such as ``{"objective": "binary:logistic"}``.
        describe : function of `Transform.columns`, optional
            Gives the statistics of the training rows that the artifact keeps.

        Raises
        ------
        InputError, ValueError
            For rows that do not fit the inputs, and for a target with missing or infinite values.
        """
        fitted = clone(transform).fit(X)
        features = fitted.transform(X)
        target = np.asarray(y, dtype=np.float64)
        if target.shape != (len(features),) or not np.isfinite(target).all():
            raise ValueError(
                f"y must hold {len(features)} finite numbers, one for each row; its shape is "
                f"{target.shape}, and {(~np.isfinite(target)).sum()} are missing or infinite"
            )
        names = [feature.name for feature in fitted.features]
        data = xgboost.DMatrix(features, target, feature_names=names, nthread=params.get("nthread"))
        booster = xgboost.train(dict(params), data, num_boost_round)
        if booster.inplace_predict(features[:1]).shape != (1,):
            raise ValueError(f"params must give one output per row, got {dict(params)}")
        booster.set_param({"nthread": 1})
        provenance = {
            "versions": _versions(),
            "rows": len(features),
            "fingerprint": hashlib.sha256(features.tobytes() + target.tobytes()).hexdigest(),
            "params": dict(params),
            "num_boost_round": num_boost_round,
        }
        return cls(fitted, booster, describe(fitted.columns(X)), provenance)

    def with_provenance(self, **entries: Any) -> Self:
        """The same artifact with more said of it: metrics, the source of the data, a commit."""
        return replace(self, provenance={**self.provenance, **entries})

    def predict(self, X: Rows) -> FloatArray:
        """The model's output for each row, shape (n_samples,), such as a probability.

        Raises
        ------
        InputError
            That names field, row and value of whatever does not fit the inputs.
        """
        return self._predict(self.transform.transform(X))

    def predict_one(self, row: Mapping[str, Any]) -> float:
        """The same for one row, equal to the last bit to that row among many."""
        return float(self._predict(np.array([self.transform.transform_one(row)]))[0])

    def _predict(self, features: FloatArray) -> FloatArray:
        if len(features) == 0:
            return np.empty(0)
        found = self._model.inplace_predict(features, validate_features=False)
        return found.astype(np.float64)

    @property
    def schema(self) -> dict[str, dict[str, Any]]:
        """What a row must be, ready for JSON: for each input type, range, categories, nullable."""
        specs = json.loads(_json([asdict(spec) for spec in self.transform.inputs]))
        return {spec.pop("name"): spec for spec in specs}

    @property
    def schema_version(self) -> str:
        """SHA-256 of the schema: artifacts that have it in common take the same rows."""
        return _sha256(_json(self.schema))

    @property
    def version(self) -> str:
        """SHA-256 of the content, which differs wherever two artifacts do."""
        return _version(self._members)

    @cached_property
    def _members(self) -> dict[str, bytes]:
        parts = (self.transform.to_dict(), self.statistics, self.provenance)
        trees = bytes(self.booster.save_raw("ubj"))
        return dict(zip(MEMBERS, [*map(_json, parts), trees], strict=True))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the artifact to one file, which is there whole or not at all."""
        path = Path(path)
        manifest = {
            "format": FORMAT,
            "schema_version": self.schema_version,
            "sha256": {name: _sha256(content) for name, content in self._members.items()},
        }
        partial = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            with zipfile.ZipFile(partial, "w") as file:
                for name, content in {"manifest.json": _json(manifest), **self._members}.items():
                    file.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        version: str | None = None,
        schema_version: str | None = None,
        engine: Callable[[xgboost.Booster], Any] | None = None,
        n_threads: int = 1,
    ) -> Self:
        """Read an artifact; no code in the file is run.

        The checksums in the file find damage. Whether it is the artifact that was meant, only a
        ``version`` tells that you know from elsewhere.

        Parameters
        ----------
        version, schema_version : str, optional
            What the artifact must have.
        engine : function of the booster, optional
            As for the class.
        n_threads : int
            Of the booster, for each call. Several make the slowest one-row calls slower.

        Raises
        ------
        FileNotFoundError
            When there is no such file.
        ArtifactError
            When it is no artifact, is damaged, or has not the versions that were asked for.
        """
        schema_found, members = _read(Path(path))
        found = {"version": _version(members), "schema_version": schema_found}
        for name, wanted in {"version": version, "schema_version": schema_version}.items():
            if wanted is not None and found[name] != wanted:
                raise ArtifactError(f"{path} has the {name} {found[name]}, not {wanted}")
        booster = xgboost.Booster()
        try:
            content, statistics, provenance = (json.loads(members[name]) for name in MEMBERS[:3])
            transform = Transform.from_dict(content)
            booster.load_model(bytearray(members[MEMBERS[3]]))
            booster.set_param({"nthread": n_threads})
            artifact = cls(transform, booster, statistics, provenance, engine)
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
            raise ArtifactError(f"{path} cannot be used: {error!s:.300}") from None
        if artifact.schema_version != schema_found:
            raise ArtifactError(f"{path} has another schema than its manifest says")
        vars(artifact)["_members"] = members  # another xgboost might write its trees differently
        return artifact


def _read(path: Path) -> tuple[str, dict[str, bytes]]:
    """Schema version and members of a file, after every check that needs no model."""
    if not path.is_file():
        raise FileNotFoundError(f"there is no artifact {path}")
    try:
        with zipfile.ZipFile(path) as file:
            size = sum(info.file_size for info in file.infolist())
            if sorted(file.namelist()) != sorted(["manifest.json", *MEMBERS]) or size > MAX_BYTES:
                raise ValueError(f"it holds {file.namelist()} of {size} bytes, unpacked")
            manifest = json.loads(file.read("manifest.json"))
            members = {name: file.read(name) for name in MEMBERS}
        if manifest["format"] != FORMAT:
            raise ValueError(f"its format is {manifest['format']!r}; this code reads {FORMAT}")
        if {name: _sha256(content) for name, content in members.items()} != manifest["sha256"]:
            raise ValueError("its checksums are not those of its content")
        return str(manifest["schema_version"]), members
    except (
        *(zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError),
        *(ValueError, TypeError, LookupError, RecursionError),
    ) as error:
        raise ArtifactError(f"{path} is no artifact, or an altered one: {error!s:.300}") from None


def _json(content: Any) -> bytes:
    """As text, the same for the same content."""
    return json.dumps(content, allow_nan=False, sort_keys=True, separators=(",", ":")).encode()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _version(members: Mapping[str, bytes]) -> str:
    return _sha256(_json({name: _sha256(content) for name, content in members.items()}))


def _versions() -> dict[str, str]:
    """Of what computes features and predictions, where it is installed as a package."""
    wanted = {"numpy", "pandas", "pyarrow", "tzdata", "xgboost", "xgboost-cpu"}
    installed = {d.name: d.version for d in importlib.metadata.distributions()}
    return {name: installed[name] for name in sorted(wanted & installed.keys())}
