"""Stateless serving: an answer depends on the request and the model, and on nothing else.

A service that keeps something between requests answers one question in several ways. Two copies of
it disagree, and none can be added, replaced or stopped without a change of answers. Put all that an
answer may depend on into one object that never changes, and answer by a function of that object and
of the request. Then every copy answers alike, and a new model is one assignment.

The file has four parts: reading a request strictly; the snapshot and the function; the swap to
another model; and a test that finds state. It needs NumPy and no web framework.

Source: Lakshmanan, Robinson, Munn, "Machine Learning Design Patterns" (2020), chapter 5.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

Row = Mapping[str, Any]
Rows = Any  # a list of rows; or columns: a mapping of name to values, or an Arrow table
Schema = Mapping[str, Mapping[str, Any]]  # of each field its type, range, categories, nullable
FloatArray = NDArray[np.float64]

SHOWN_PROBLEMS = 20  # of one request; the answer to a bad request stays short
SHOWN_LETTERS = 60  # of a value


# --- reading a request ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Problem:
    """What is wrong in one place of a request.

    Parameters
    ----------
    problem : str
        As a predicate, such as ``"is not there"``.
    row : int, optional
        Its position in the request, from 0.
    field : str, optional
        One of the schema, or any other as `shown`.
    value : str, optional
        As `shown`.
    """

    problem: str
    row: int | None = None
    field: str | None = None
    value: str | None = None

    def __str__(self) -> str:
        """Where, what and which value, as a sentence."""
        where = [f"row {self.row}"] * (self.row is not None) + [self.field] * bool(self.field)
        value = "" if self.value is None else f", got {self.value}"
        return f"{', '.join(map(str, where)) or 'the request'} {self.problem}{value}"


class BodyError(ValueError):
    """A body that cannot be read at all."""


class RequestError(ValueError):
    """Rows that the model does not take; ``problems`` says which, where and why.

    Parameters
    ----------
    problems : sequence of Problem
        The first `SHOWN_PROBLEMS` are kept.
    total : int, optional
        How many there are, when more than are given.
    """

    def __init__(self, problems: Sequence[Problem], total: int | None = None) -> None:
        self.problems = tuple(problems[:SHOWN_PROBLEMS])
        self.total = len(problems) if total is None else total
        more = self.total - len(self.problems)
        super().__init__(
            "; ".join(map(str, self.problems)) + (f"; and {more} more" if more else "")
        )


def shown(value: Any) -> str:
    """A value as short ASCII text: safe in a message, whatever a client has sent."""
    if isinstance(value, list | Mapping):
        return "a list" if isinstance(value, list) else "an object"
    text = ascii(value[: SHOWN_LETTERS + 1] if isinstance(value, str) else value)
    return text if len(text) <= SHOWN_LETTERS else f"{text[: SHOWN_LETTERS - 3]}..."


def parse(body: bytes) -> Any:
    """Read JSON as RFC 8259 has it, and refuse what most parsers let pass.

    Python's parser keeps the last of two equal keys, reads ``NaN`` and guesses encodings. Two
    parsers on the way of a request would then see two requests.

    Raises
    ------
    BodyError
        For bytes that are not JSON in UTF-8, equal keys, ``NaN``, ``Infinity``, deep nesting.
    """
    try:
        return json.loads(body.decode(), object_pairs_hook=_object, parse_constant=_constant)
    except UnicodeDecodeError:
        raise BodyError("the body must be JSON in UTF-8") from None
    except RecursionError:
        raise BodyError("the body is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise BodyError(f"the body is not JSON: {error.msg} at character {error.pos}") from None
    except BodyError:
        raise
    except ValueError:  # Python's limit on the digits of an integer
        raise BodyError("the body has a number with too many digits") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise BodyError(f"the body has the key {shown(twice)} twice in one object")
    return found


def _constant(name: str) -> Any:
    raise BodyError(f"the body has {name}, which is not JSON; a missing value is null")


def columns_of(rows: Sequence[Any], schema: Schema) -> dict[str, list[Any]]:
    """Rows as columns, in the order of the schema; or all that is wrong with their fields.

    Raises
    ------
    RequestError
        For rows that are no mappings (``"must be an object"``, with its value), and for fields that
        are missing (``"is not there"``) or that the schema does not have (``"is no field of the
        schema"``, with its value). Problems are in the order of the rows; of one row, in the order
        of the schema, then in that of the row.
    """
    # --8<-- [start:ex-rows]
    problems = []
    for i, row in enumerate(rows):
        if not isinstance(row, Mapping):
            problems.append(Problem("must be an object", i, value=shown(row)))
            continue
        if row.keys() == schema.keys():
            continue
        problems += [Problem("is not there", i, name) for name in schema if name not in row]
        problems += [
            Problem("is no field of the schema", i, shown(name), shown(row[name]))
            for name in row
            if name not in schema
        ]
    if problems:
        raise RequestError(problems)
    return {name: [row[name] for row in rows] for name in schema}
    # --8<-- [end:ex-rows]


# --- the function --------------------------------------------------------------------------------


class Model(Protocol):
    """What answers: inputs to predictions. The artifact of the transform pattern is one."""

    def predict(self, X: Any) -> Any:
        """Predictions of a mapping of name to column, or of an Arrow table, shape (n_samples,).

        Rows that do not fit raise a ValueError with ``violations``: each has ``field``,
        ``problem``, ``rows`` (all positions) and ``values`` (the first few).
        """

    def predict_one(self, row: Row) -> float:
        """The same for one row."""


@dataclass(frozen=True)
class Snapshot:
    """All that an answer may depend on besides the request. It never changes; it is replaced.

    Parameters
    ----------
    model : Model
        It includes the transform from inputs to features.
    schema : mapping of field to its rules
        ``type`` ("number", "category" or "time"), ``nullable``, ``minimum``, ``maximum``,
        ``categories``.
    version, schema_version : str
        Two snapshots with one ``schema_version`` take the same rows.
    provenance : mapping
        Where the model comes from, for people.
    example : row, optional
        A typical one, to try the model with. Default: `example_row`.
    explain : function of a list of rows, optional
        Gives one explanation for each row, ready for JSON.
    lookup : function of a list of rows, optional
        Gives for each row an answer that was computed in advance, or None: a mapping with
        ``prediction``, ``model_version`` and ``age_seconds``.
    drift : function of columns, optional
        Compares rows that were served with those of training: a list of mappings, ready for JSON.
    """

    model: Model
    schema: Schema
    version: str
    schema_version: str
    provenance: Mapping[str, Any] = field(default_factory=dict)
    example: Row = field(default_factory=dict)
    explain: Callable[[list[Row]], Sequence[Any]] | None = None
    lookup: Callable[[list[Row]], Sequence[Mapping[str, Any] | None]] | None = None
    drift: Callable[[Mapping[str, list[Any]]], list[Any]] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "example", self.example or example_row(self.schema))

    @classmethod
    def of(cls, artifact: Any, **offers: Any) -> Self:
        """Snapshot of an artifact, such as that of the transform pattern.

        Parameters
        ----------
        artifact : Model with schema, version, schema_version and provenance
        **offers : ``example``, ``explain``, ``lookup`` and ``drift``, as for the class
        """
        parts = (artifact.schema, artifact.version, artifact.schema_version, artifact.provenance)
        return cls(artifact, *parts, **offers)


def predict(snapshot: Snapshot, rows: Rows) -> FloatArray:
    """Predictions of rows, shape (n_samples,): a function of its arguments and of nothing else.

    Parameters
    ----------
    snapshot : Snapshot
    rows : list of mappings, mapping of name to column, or Arrow table

    Raises
    ------
    RequestError
        That names row, field and value of what does not fit the schema.
    """
    # --8<-- [start:ex-predict]
    try:
        if not isinstance(rows, list):
            return np.asarray(snapshot.model.predict(rows), dtype=np.float64)
        columns = columns_of(rows, snapshot.schema)
        if len(rows) == 1:  # for which a model needs no table
            return np.array([snapshot.model.predict_one(rows[0])])
        return np.asarray(snapshot.model.predict(columns), dtype=np.float64)
    except ValueError as error:
        if not hasattr(error, "violations"):
            raise
        raise refused(error.violations, snapshot.schema) from None
    # --8<-- [end:ex-predict]


def refused(violations: Sequence[Any], schema: Schema) -> RequestError:
    """What a model says of rows that it does not take, as the problems of a request."""
    problems, total = [], 0
    for found in violations:
        total += max(len(found.rows), 1)
        name = found.field if found.field in schema else shown(found.field)
        places = zip(found.rows, found.values, strict=False)
        problems += [Problem(found.problem, i, name, shown(value)) for i, value in places]
        if not found.rows:
            problems.append(Problem(found.problem, field=name))
    return RequestError(problems, total)


# --- the swap ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """Predictions, and which model gave them."""

    predictions: FloatArray
    model_version: str
    schema_version: str


class SwapError(ValueError):
    """A snapshot that cannot take the place of the one that answers."""


class Serving:
    """Holds the snapshot that answers. One attribute, replaced whole, read once for each request.

    Parameters
    ----------
    snapshot : Snapshot
        It has to answer an example before it is taken.

    Raises
    ------
    SwapError
        When it does not answer.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        warm(snapshot)
        self._snapshot = snapshot

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot that answers now; the next reading may give another one."""
        return self._snapshot

    def answer(self, rows: Rows) -> Answer:
        """Predictions and the versions of the one snapshot that gave them all."""
        # --8<-- [start:ex-answer]
        snapshot = self.snapshot  # once: between two readings there may be a swap
        predictions = predict(snapshot, rows)
        return Answer(predictions, snapshot.version, snapshot.schema_version)
        # --8<-- [end:ex-answer]

    def swap(self, snapshot: Snapshot) -> None:
        """Let another snapshot answer from now on; requests that have begun keep the old one.

        Raises
        ------
        SwapError
            When its schema is another one, when it lacks what the old one offers, and when it does
            not answer an example. The old snapshot stays.
        """
        # --8<-- [start:ex-swap]
        if snapshot.schema_version != self.snapshot.schema_version:
            raise SwapError(
                f"the schema has the version {snapshot.schema_version}, the callers know "
                f"{self.snapshot.schema_version}; start another service for another schema"
            )
        for offer in ("explain", "lookup", "drift"):
            if getattr(self.snapshot, offer) and not getattr(snapshot, offer):
                raise SwapError(f"the new snapshot lacks {offer}, which the old one has")
        warm(snapshot)  # before it is published: the first request must not pay for it
        self._snapshot = snapshot
        # --8<-- [end:ex-swap]


def warm(snapshot: Snapshot) -> None:
    """Let a snapshot answer an example, as one row and as columns, before the first request.

    Raises
    ------
    SwapError
        When it raises, or gives what is no finite number for each row.
    """
    row = snapshot.example
    try:
        one = predict(snapshot, [row])
        many = predict(snapshot, {name: [value, value] for name, value in row.items()})
    except Exception as error:  # of whatever kind: it is a model's
        raise SwapError(f"the snapshot does not answer the row {row}: {error}") from error
    found = [*one, *many]
    if len(found) != 3 or not np.isfinite(found).all():
        raise SwapError(f"the snapshot answers {found} to three times the row {row}")


def example_row(schema: Schema) -> dict[str, Any]:
    """A row that fits a schema: the number nearest to 0, the first category, a time."""
    row: dict[str, Any] = {}
    for name, rules in schema.items():
        if rules["type"] == "number":
            low, high = rules.get("minimum"), rules.get("maximum")
            low, high = -math.inf if low is None else low, math.inf if high is None else high
            row[name] = min(max(0.0, low), high)
        elif rules["type"] == "category":
            row[name] = (rules.get("categories") or ["A"])[0]
        else:
            row[name] = "2013-07-01T12:30:00Z"
    return row


# --- the test ------------------------------------------------------------------------------------


def changed_by_order(
    start: Callable[[], Callable[[Any], Hashable]],
    rows: Sequence[Any],
    n_orders: int = 2,
    random_state: int = 0,
) -> NDArray[np.bool_]:
    """Which rows get another answer from a fresh process that sees them in another order.

    A service without state changes none. To ask the same process twice in the same order misses
    most kinds of state: what it learned in the first pass is there in the second.

    Parameters
    ----------
    start : function without parameters
        Starts afresh, such as a new process, and returns a function from a row to its answer.
    rows : sequence
        They are sent in their order, backwards, and in random orders, each time after a new start.
    n_orders : int
        Random orders.
    random_state : int
        Of the orders.

    Returns
    -------
    array of shape (n_rows,)
        True where any order changed the answer. NaN is the same answer as NaN.
    """
    # --8<-- [start:ex-order]
    rng = np.random.default_rng(random_state)
    forward = np.arange(len(rows))
    answers = []
    for order in [forward, forward[::-1], *(rng.permutation(forward) for _ in range(n_orders))]:
        ask = start()
        answer = {i: ask(rows[i]) for i in order.tolist()}
        answers.append([answer[i] for i in forward.tolist()])
    first = answers[0]
    changed = [
        any(a[i] != first[i] and not (a[i] != a[i] and first[i] != first[i]) for a in answers)
        for i in forward.tolist()
    ]
    return np.array(changed, dtype=bool)
    # --8<-- [end:ex-order]
