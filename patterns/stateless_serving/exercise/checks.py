"""What the exercise asks of an answer.

The model is a price list for taxis, so every expected number can be computed in the head. A part
that calls the function of another part gets that of the reference: each part can be written alone.
"""

from __future__ import annotations

import itertools
import re
from collections import UserDict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from patterns._kit.exercise import Case, check, explore
from patterns.stateless_serving.pattern import RequestError, columns_of, predict

SCHEMA: Mapping[str, Mapping[str, Any]] = {
    "km": {"type": "number", "nullable": False, "minimum": 0.0},
    "zone": {"type": "category", "nullable": True, "categories": ["A", "B"]},
}


@dataclass(frozen=True)
class Refused:
    """The problems of a RequestError, each as row, field, problem and value."""

    problems: tuple[tuple[Any, ...], ...]
    total: int

    @classmethod
    def of(cls, *problems: tuple[Any, ...], total: int | None = None) -> Refused:
        """Of tuples of row, field, problem and, if there is one, value."""
        full = tuple((*problem, None)[:4] for problem in problems)
        return cls(full, len(full) if total is None else total)

    def __repr__(self) -> str:
        shown = "; ".join(
            f"row {row}, field {name}: {problem}" + ("" if value is None else f", got {value}")
            for row, name, problem, value in self.problems
        )
        return f"a RequestError, total={self.total}: {shown}"


def outcome(module: Any, call: Callable[[], Any]) -> Any:
    """What a call gives, or the request's problems, or another ValueError as text."""
    try:
        return call()
    except module.RequestError as error:
        found = [
            (p.row, p.field, p.problem, p.value and re.sub("0x[0-9a-f]+", "0x", p.value))
            for p in error.problems
        ]
        return Refused(tuple(found), error.total)
    except ValueError as error:
        return f"ValueError: {error}"


# --- rows -----------------------------------------------------------------------------------------


def rows_case(
    rows: Sequence[Any],
    expected: Any = None,
    about: str = "",
    schema: Mapping[str, Any] = SCHEMA,
) -> Case:
    """The columns of rows, or what is wrong with them."""
    arguments = {"rows": list(rows), "schema": dict(schema)}

    def answer(module: Any) -> Any:
        def columns() -> Any:
            found = module.columns_of(arguments["rows"], arguments["schema"])
            return in_columns({name: list(column) for name, column in found.items()})

        return outcome(module, columns)

    return Case(
        call=f"columns_of({list(rows)}, schema), with the fields {list(schema)}",
        answer=answer,
        expected=expected,
        kind=about,
        arguments=arguments,
    )


def in_columns(columns: Mapping[str, list[Any]]) -> str:
    """Columns as text, so that 3 and 3.0 are two values, and the order counts."""
    return "; ".join(f"{name}: {column}" for name, column in columns.items()) or "no column"


@check("rows", why="The model knows its inputs by name; a client may write them in any order.")
def rows_become_columns() -> Iterator[Case]:
    """Rows become one column for each field, in the order of the schema."""
    for rows, expected, about in (
        (
            [{"km": 3, "zone": "A"}, {"km": 4.5, "zone": None}],
            "km: [3, 4.5]; zone: ['A', None]",
            "several rows",
        ),
        ([{"km": 0, "zone": " A"}], "km: [0]; zone: [' A']", "one row"),
        ([], "km: []; zone: []", "no row"),
    ):
        yield rows_case(rows, expected, about)
    about = "fields in another order"
    pair = [{"zone": "B", "km": 1.5}, {"km": 2.5, "zone": "A"}]
    yield rows_case(pair, "km: [1.5, 2.5]; zone: ['B', 'A']", about)
    yield rows_case(pair[:1], "km: [1.5]; zone: ['B']", about)
    mapping = UserDict({"km": 5.0, "zone": "A"})
    about = "a mapping that is no dict"
    yield rows_case([mapping], "km: [5.0]; zone: ['A']", about)
    yield rows_case([mapping, mapping], "km: [5.0, 5.0]; zone: ['A', 'A']", about)


@check("rows", why="A model that fills the gap answers another question, and nobody notices.")
def a_field_that_is_missing_is_named() -> Iterator[Case]:
    """A field that is missing is a problem of its row, even if other rows have it."""
    lacks = "is not there"
    yield rows_case([{"km": 3.0}], Refused.of((0, "zone", lacks)), "the first row")
    yield rows_case(
        [{"km": 3.0, "zone": "A"}, {"zone": "A"}], Refused.of((1, "km", lacks)), "a later row"
    )
    yield rows_case(
        [{"km": 3.0, "zone": "A"}, {"km": 1.0, "zone": "B"}, {}],
        Refused.of((2, "km", lacks), (2, "zone", lacks)),
        "a later row",
    )


@check("rows", why="It is usually a typo, or a client that believes the model uses the field.")
def a_field_that_is_unknown_is_named() -> Iterator[Case]:
    """A field that the schema does not have is a problem, with its value."""
    unknown = "is no field of the schema"
    yield rows_case(
        [{"km": 3.0, "zone": "A", "tip": 1.5}], Refused.of((0, "'tip'", unknown, "1.5"))
    )
    yield rows_case(
        [{"km": 3.0, "zone": "A"}, {"tip": 2, "km": 1.0, "Zone": "C", "zone": None}],
        Refused.of((1, "'tip'", unknown, "2"), (1, "'Zone'", unknown, "'C'")),
    )


@check("rows", why="An error must not echo a body of 100 MB, nor control codes into a log.")
def what_a_client_sent_is_shown_short() -> Iterator[Case]:
    """Names and values of a client are shown as short ASCII text."""
    unknown = "is no field of the schema"
    long = "x" * 500
    yield rows_case(
        [{"km": 3.0, "zone": "A", "tip": long}],
        Refused.of((0, "'tip'", unknown, f"'{'x' * 56}...")),
        "a long value",
    )
    yield rows_case(
        [{"km": 3.0, "zone": "A", "é\n": [1, 2]}],
        Refused.of((0, r"'\xe9\n'", unknown, "a list")),
        "a strange name",
    )


@check("rows", why="A list in the place of a row crashes the service, or is read as something.")
def a_row_must_be_an_object() -> Iterator[Case]:
    """What is no mapping is a problem of its row; the others are still looked at."""
    must = "must be an object"
    row = {"km": 3.0, "zone": "A"}
    yield rows_case([[3.0, "A"]], Refused.of((0, None, must, "a list")), "a list")
    yield rows_case([row, "km", row], Refused.of((1, None, must, "'km'")), "a text")
    yield rows_case([row, None], Refused.of((1, None, must, "None")), "null")
    yield rows_case(
        [7, row, "zone"],
        Refused.of((0, None, must, "7"), (2, None, must, "'zone'")),
        "several of them",
    )


@check("rows", why="Who is told one problem at a time sends the request once for each of them.")
def all_problems_are_told_at_once() -> Iterator[Case]:
    """Problems are in the order of the rows; of one row, missing fields come first."""
    lacks, unknown = "is not there", "is no field of the schema"
    yield rows_case(
        [{"zone": "A"}, {"km": 1.0, "zone": "A"}, {"km": 2.0}],
        Refused.of((0, "km", lacks), (2, "zone", lacks)),
        "several rows",
    )
    yield rows_case(
        [{"tip": 1, "zone": "A"}, {"Km": 2.0}],
        Refused.of(
            (0, "km", lacks),
            (0, "'tip'", unknown, "1"),
            (1, "km", lacks),
            (1, "zone", lacks),
            (1, "'Km'", unknown, "2.0"),
        ),
        "several problems of one row",
    )
    for n in (25, 300):
        yield rows_case(
            [{"km": 1.0}] * n,
            Refused.of(*[(i, "zone", lacks) for i in range(20)], total=n),
            "more problems than are shown",
        )


@explore(
    "rows",
    why="Clients send what they like; each problem needs its row, field and value.",
    n_examples=40,
)
def any_rows(draw: Any) -> Case:
    """Rows with any fields and values, and what is no row at all."""
    names = st.sampled_from(["km", "zone", "tip", "Km", "", "é", "n" * 70, "0"])
    values = st.one_of(
        st.none(),
        st.integers(-3, 3),
        st.sampled_from([" A", 1.0, "'", "\x00", "y" * 90, [1], {"a": 1}]),
    )
    schema = {name: {"type": "number"} for name in draw(st.lists(names, unique=True, max_size=3))}
    full = st.permutations(list(schema)).flatmap(
        lambda order: st.fixed_dictionaries(dict.fromkeys(order, values))
    )
    other = st.dictionaries(names, values, max_size=4)
    anything = st.one_of(full, full, other, other.map(UserDict), values)
    rows = draw(st.lists(st.one_of(full, anything), max_size=5))
    if draw(st.integers(0, 9)) == 9:
        rows = rows * 8
    return rows_case(rows, schema=schema)


# --- predict --------------------------------------------------------------------------------------


class ViolationsError(ValueError):
    """What a model says of rows that it does not take."""

    def __init__(self, violations: list[Any]) -> None:
        super().__init__("rows do not fit the schema")
        self.violations = violations


@dataclass
class Fares:
    """A model: so much for each km, and 1 in zone A, 2 in zone B, 5 where the zone is missing."""

    per_km: float
    returns: Callable[[list[float]], Any] = list
    asked: list[str] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None

    def predict(self, X: Any) -> Any:
        """The fares of columns."""
        self.asked.append("predict")
        columns = X.to_pydict() if isinstance(X, pa.Table) else X
        return self.returns(self._fares(columns))

    def predict_one(self, row: Mapping[str, Any]) -> float:
        """The fare of one row."""
        self.asked.append("predict_one")
        return float(self.returns(self._fares({name: [row[name]] for name in SCHEMA}))[0])

    def _fares(self, columns: Mapping[str, list[Any]]) -> list[float]:
        self.meanwhile()
        fares = {"A": 1.0, "B": 2.0, None: 5.0}
        found = []
        for name in [*columns, *SCHEMA]:
            if name not in SCHEMA:
                found.append(_violation(name, "is no field of the schema", [], []))
            elif name not in columns:
                found.append(_violation(name, "is not there", [], []))
        if found:
            raise ViolationsError(found)
        if "bug" in columns["zone"]:
            raise ValueError("a bug of the model")
        for name, problem, fits in (
            ("km", "must be at least 0", lambda km: km >= 0),
            ("zone", "must be one of A, B", lambda zone: zone in fares),
        ):
            wrong = [i for i, value in enumerate(columns[name]) if not fits(value)]
            if wrong:
                values = [columns[name][i] for i in wrong[:3]]
                found.append(_violation(name, problem, wrong, values))
        if found:
            raise ViolationsError(found)
        pairs = zip(columns["km"], columns["zone"], strict=True)
        return [self.per_km * km + fares[zone] for km, zone in pairs]


def _violation(name: str, problem: str, rows: list[int], values: list[Any]) -> Any:
    return SimpleNamespace(field=name, problem=problem, rows=rows, values=values)


def snapshot_of(
    module: Any, model: Fares, version: str = "v1", schema_version: str = "s1", **offers: Any
) -> Any:
    """The module's snapshot of a model."""
    return module.Snapshot(model, SCHEMA, version, schema_version, **offers)


@contextmanager
def borrowed(module: Any, *functions: Callable[..., Any]) -> Iterator[None]:
    """The reference's functions in the place of the module's."""
    before = {function.__name__: getattr(module, function.__name__) for function in functions}

    def lent(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            try:
                return function(*arguments)
            except RequestError as error:
                raise module.RequestError(error.problems, error.total) from None

        return call

    for function in functions:
        setattr(module, function.__name__, lent(function))
    try:
        yield
    finally:
        for name, function in before.items():
            setattr(module, name, function)


def numbers(found: Any) -> Any:
    """The numbers of an array of float64; what anything else is, in words."""
    if not isinstance(found, np.ndarray):
        return f"a {type(found).__name__}, not an array"
    if found.dtype != np.float64:
        return f"an array of {found.dtype}, not of float64"
    return found.tolist()


Request = tuple[float, Any]  # what the model takes for one km, and the rows


def requests_case(
    requests: Sequence[Request],
    expected: Any = None,
    about: str = "",
    returns: Callable[[list[float]], Any] = list,
) -> Case:
    """The answers to requests, one after the other, to one model or to several."""
    models = {per_km: Fares(per_km, returns) for per_km, _ in requests}
    arguments = {f"rows of request {i}": rows for i, (_, rows) in enumerate(requests, 1)}

    def answer(module: Any) -> Any:
        with borrowed(module, columns_of):

            def ask(per_km: float, rows: Any) -> Any:
                # A new object each time: its address says nothing of the model.
                snapshot = snapshot_of(module, models[per_km], f"v{per_km:g}")
                return outcome(module, lambda: numbers(module.predict(snapshot, rows)))

            return [
                ask(per_km, rows)
                for (per_km, _), rows in zip(requests, arguments.values(), strict=True)
            ]

    calls = " then ".join(
        f"predict(snapshot, {shown(rows)}) of a model with {per_km:g} per km"
        for per_km, rows in requests
    )
    return Case(
        call=calls,
        answer=answer,
        expected=expected,
        reads="for each request, the predictions:",
        kind=about,
        arguments=arguments,
    )


def shown(rows: Any) -> str:
    """Rows, columns or a table as one would type them."""
    return f"pyarrow.table({rows.to_pydict()})" if isinstance(rows, pa.Table) else repr(rows)


def rows_of(*pairs: tuple[float, Any]) -> list[dict[str, Any]]:
    """Rows of pairs of km and zone."""
    return [{"km": km, "zone": zone} for km, zone in pairs]


def table_of(columns: Mapping[str, Any]) -> pa.Table:
    """An Arrow table with the types of the schema."""
    return pa.table({"km": pa.array(columns["km"], pa.float64()), "zone": columns["zone"]})


@check("predict", why="A row that is sent alone and among others is the same row.")
def each_row_has_its_prediction() -> Iterator[Case]:
    """There is one prediction for each row, in the order of the rows, as float64."""
    yield requests_case([(2.0, rows_of((3.0, "A")))], [[7.0]], "one row")
    yield requests_case(
        [(2.0, rows_of((9.0, "B"), (1.0, "A"), (0.5, "A")))], [[20.0, 3.0, 2.0]], "several rows"
    )
    equal = "equal rows"
    yield requests_case([(2.0, rows_of((8.0, "A"), (8.0, "A")))], [[17.0, 17.0]], equal)
    yield requests_case(
        [(2.0, rows_of((7.0, "B"), (7.5, "A"), (7.0, "B")))], [[16.0, 16.0, 16.0]], equal
    )
    for km in (6.0, 6.5):
        yield requests_case(
            [(2.0, rows_of((km, "A"), (2.5, "B")))],
            [[2 * km + 1, 7.0]],
            "a model that gives float32",
            lambda found: np.array(found, dtype=np.float32),
        )
    yield requests_case([(2.0, [])], [[]], "no row")


@check("predict", why="Rows cost more to read than to predict; columns come ready for the model.")
def columns_and_tables_are_taken_too() -> Iterator[Case]:
    """A mapping of columns and an Arrow table go to the model as they are."""
    columns: dict[str, list[Any]] = {"km": [4.0, 5.0], "zone": ["A", None]}
    yield requests_case([(2.0, columns)], [[9.0, 15.0]], "columns")
    one = {"km": [4.5], "zone": ["B"]}
    yield requests_case([(2.0, one)], [[11.0]], "columns")
    yield requests_case([(2.0, table_of(columns))], [[9.0, 15.0]], "an Arrow table")
    yield requests_case([(2.0, table_of(one))], [[11.0]], "an Arrow table")


@check("predict", why="A table for one row, or one call for each row, is most of the time spent.")
def the_model_is_asked_once() -> Iterator[Case]:
    """One row is asked with predict_one, several with one predict."""
    for rows, expected in (
        (rows_of((10.0, "A")), ["predict_one"]),
        (rows_of((11.0, "A"), (12.0, "B")), ["predict"]),
        (rows_of((13.0, None)), ["predict_one"]),
        (rows_of(*[(float(km), "B") for km in range(14, 20)]), ["predict"]),
    ):
        yield asked_case(rows, expected)


def asked_case(rows: list[Any], expected: list[str]) -> Case:
    """Which methods of the model were asked."""

    def answer(module: Any) -> Any:
        model = Fares(2.0)
        with borrowed(module, columns_of):
            module.predict(snapshot_of(module, model), rows)
        return model.asked

    return Case(
        call=f"the methods of the model that predict(snapshot, {rows}) calls",
        answer=answer,
        expected=expected,
        kind="one row" if len(rows) == 1 else "several rows",
    )


@check("predict", why="Most models take what they know of a row and leave the rest unseen.")
def fields_are_checked_before_the_model_is_asked() -> Iterator[Case]:
    """A field too few or too many is refused, in one row and in several."""
    unknown, lacks = "is no field of the schema", "is not there"
    tip = {"km": 20.0, "zone": "A", "tip": 1.0}
    yield requests_case([(2.0, [tip])], [Refused.of((0, "'tip'", unknown, "1.0"))], "one row")
    yield requests_case([(2.0, [{"km": 21.0}])], [Refused.of((0, "zone", lacks))], "one row")
    yield requests_case(
        [(2.0, [*rows_of((22.0, "A")), tip])],
        [Refused.of((1, "'tip'", unknown, "1.0"))],
        "several rows",
    )


@check("predict", why="The client can repair what it is told: row, field and value.")
def what_the_model_refuses_is_the_clients_problem() -> Iterator[Case]:
    """An error of the model with violations becomes a RequestError."""
    low, zone = "must be at least 0", "must be one of A, B"
    yield requests_case(
        [(2.0, rows_of((-1.0, "A")))], [Refused.of((0, "km", low, "-1.0"))], "one row"
    )
    yield requests_case(
        [(2.0, rows_of((30.0, "A"), (-2.0, "A"), (31.0, "C")))],
        [Refused.of((1, "km", low, "-2.0"), (2, "zone", zone, "'C'"))],
        "several rows",
    )
    yield requests_case(
        [(2.0, {"km": [32.0, -3.0], "zone": ["B", "A"]})],
        [Refused.of((1, "km", low, "-3.0"))],
        "columns",
    )
    yield requests_case(
        [(2.0, {"km": [33.0]})], [Refused.of((None, "zone", "is not there"))], "columns"
    )


@check("predict", why="The client cannot repair it, and your monitoring must see it.")
def a_bug_of_the_model_is_no_problem_of_the_request() -> Iterator[Case]:
    """Any other error of the model stays what it is."""
    bug = ["ValueError: a bug of the model"]
    yield requests_case([(2.0, rows_of((40.0, "bug")))], bug, "one row")
    yield requests_case([(2.0, rows_of((41.0, "A"), (42.0, "bug")))], bug, "several rows")
    yield requests_case([(2.0, {"km": [43.0], "zone": ["bug"]})], bug, "columns")


@check("predict", why="Another copy of the service has seen other requests and would differ.")
def earlier_requests_change_nothing() -> Iterator[Case]:
    """An answer depends on the snapshot and on all inputs of its row, and on nothing before."""
    a, b, gap = rows_of((50.0, "A")), rows_of((50.0, "B")), rows_of((50.0, None))
    yield requests_case([(2.0, a), (2.0, b), (2.0, a)], [[101.0], [102.0], [101.0]], "other inputs")
    yield requests_case([(2.0, b), (2.0, gap)], [[102.0], [105.0]], "a missing value")
    other = "the other rows"
    two = rows_of((51.0, "A"), (52.0, None))
    yield requests_case([(2.0, two), (2.0, two[1:])], [[103.0, 109.0], [109.0]], other)
    yield requests_case([(2.0, two[::-1]), (2.0, two[1:])], [[109.0, 103.0], [109.0]], other)
    c = rows_of((53.0, "A"))
    yield requests_case(
        [(2.0, c), (3.0, c), (2.0, c)], [[107.0], [160.0], [107.0]], "another model"
    )
    d = rows_of((54.0, "B"))
    models = range(1, 13)
    yield requests_case(
        [(float(per_km), d) for per_km in models],
        [[54.0 * per_km + 2.0] for per_km in models],
        "another model",
    )


@explore("predict", why="Requests come in any order, of any kind, to models that change.")
def any_requests(draw: Any) -> Case:
    """Requests of rows, columns and tables, good and bad, to two models in turn."""
    km = st.sampled_from([0.0, 0.5, 1.0, 2.0, -1.0])
    zones = ["A", "A", "B", None, draw(st.sampled_from(["A", "C", "bug"]))]
    pairs = st.lists(st.tuples(km, st.sampled_from(zones)), max_size=4)
    requests: list[Request] = []
    for _ in range(draw(st.integers(1, 4))):
        rows = rows_of(*draw(pairs))
        kind = draw(st.sampled_from(["rows", "rows", "columns", "table", "wrong"]))
        if kind == "wrong" and rows:
            rows[-1].pop(draw(st.sampled_from(["km", "zone"])))
            rows[0]["tip"] = 1
        request: Any = rows
        if kind in ("columns", "table"):
            request = {name: [row[name] for row in rows] for name in SCHEMA}
        if kind == "table":
            request["zone"] = pa.array(request["zone"], pa.string())
            request = table_of(request)
        requests.append((draw(st.sampled_from([2.0, 3.0])), request))
    returns = draw(st.sampled_from([list, np.array, np.float32]))
    return requests_case(requests, returns=returns)


# --- swap -----------------------------------------------------------------------------------------


def answered(found: Any) -> Any:
    """What an Answer says, for a message."""
    values = np.asarray(found.predictions, dtype=float).tolist()
    return f"{values} by {found.model_version}, {found.schema_version}"


def swapped(module: Any, serving: Any, new: Any) -> str:
    """Whether a swap was done, or what it raised."""
    try:
        serving.swap(new)
    except module.SwapError:
        return "refused"
    return "swapped"


def watched(module: Any, old: Any, new: Any = None) -> tuple[Any, list[Any]]:
    """A serving object and the snapshots that it publishes; each reading lets new take over."""
    published: list[Any] = []

    def read(self: Any) -> Any:
        found = vars(self)["now"]
        if "next" in vars(self):
            vars(self)["now"] = vars(self)["next"]
        return found

    def write(self: Any, value: Any) -> None:
        vars(self)["now"] = value
        published.append(value)

    serving = type("Serving", (module.Serving,), {"_snapshot": property(read, write)})(old)
    if new is not None:
        vars(serving)["next"] = new
    return serving, published


def race_case(rows: list[Any], how: str, expected: Any = None) -> Case:
    """The answer to a request, while the snapshot v1 with 2 per km gives way to v2 with 3."""

    def answer(module: Any) -> Any:
        with borrowed(module, predict):
            model = Fares(2.0)
            old, new = snapshot_of(module, model), snapshot_of(module, Fares(3.0), "v2")
            if how == "a swap after a reading":
                return answered(watched(module, old, new)[0].answer(rows))
            serving = module.Serving(old)
            if how == "a swap while the model works":

                def meanwhile() -> None:
                    model.meanwhile = lambda: None
                    serving.swap(new)

                model.meanwhile = meanwhile
            return answered(serving.answer(rows))

    return Case(
        call=f"Serving.answer({rows}): v1 takes 2 per km, v2 takes 3; {how}",
        answer=answer,
        expected=expected,
        kind=how,
        arguments={"rows": rows},
    )


@check("swap", why="Someone who looks into a wrong answer must find the model that gave it.")
def an_answer_says_which_model_gave_it() -> Iterator[Case]:
    """An answer carries the version of the model and that of the schema."""
    yield race_case(rows_of((3.0, "A")), "no swap", "[7.0] by v1, s1")
    yield race_case(rows_of((3.0, "A"), (4.0, "B")), "no swap", "[7.0, 10.0] by v1, s1")
    yield race_case(rows_of(), "no swap", "[] by v1, s1")


Change = tuple[str, str, str, str]  # version, version of the schema, offers, fault
FAULTS: Mapping[str, Callable[[list[float]], Any]] = {
    "none": list,
    "NaN": lambda found: [*found[:-1], np.nan],
    "infinite": lambda found: [np.inf] * len(found),
    "too few": lambda found: found[1:],
    "an error": lambda found: found[99],
}


def changed(module: Any, change: Change) -> Any:
    """The snapshot of a change: version v7 takes 7 per km."""
    version, schema_version, offers, fault = change
    model = Fares(float(version[1:]), FAULTS[fault])
    given: dict[str, Any] = dict.fromkeys(offers.split(), list)
    return snapshot_of(module, model, version, schema_version, **given)


def in_words(change: Change) -> str:
    """A change, for a message."""
    version, schema_version, offers, fault = change
    text = f"{version} ({version[1:]} per km, schema {schema_version}"
    text += f", with {' and '.join(offers.split())}" if offers else ""
    return f"{text}, fault: {fault})" if fault != "none" else f"{text})"


def swaps_case(
    first: Change, changes: Sequence[Change], expected: Any = None, about: str = ""
) -> Case:
    """What swaps do, and who answers 10 km in zone A after each."""

    def answer(module: Any) -> Any:
        with borrowed(module, predict):
            serving, published = watched(module, changed(module, first))
            found = []
            for change in changes:
                old, new = serving.snapshot, changed(module, change)
                before = dict(vars(old))
                did = swapped(module, serving, new)
                wanted = vars(new) if did == "swapped" else before
                text = (
                    "" if vars(serving.snapshot) == wanted else ", but not all is of that snapshot"
                )
                now = answered(serving.answer(rows_of((10.0, "A"))))
                found.append(f"{did}; {now}{text}")
                if vars(old) != before:
                    found.append("the old snapshot itself has changed")
            found += [
                f"in between, {snapshot.model.per_km:g} per km was published as {snapshot.version}"
                for snapshot in published
                if snapshot and snapshot.version != f"v{snapshot.model.per_km:g}"
            ]
            return found

    return Case(
        call=f"Serving of {in_words(first)}, then swap to {', '.join(map(in_words, changes))}; "
        "after each swap, answer 10 km in zone A",
        answer=answer,
        expected=expected,
        kind=about,
    )


PLAIN: Change = ("v1", "s1", "", "none")


@check("swap", why="Old requests hold the old snapshot; a frozen one can be read without a lock.")
def the_new_snapshot_answers_from_then_on() -> Iterator[Case]:
    """A swap replaces the snapshot and leaves the old one as it was."""
    new, newer = ("v2", "s1", "", "none"), ("v3", "s1", "", "none")
    yield swaps_case(PLAIN, [new], ["swapped; [21.0] by v2, s1"])
    two = ["swapped; [21.0] by v2, s1", "swapped; [31.0] by v3, s1"]
    yield swaps_case(PLAIN, [new, newer], two)
    offers, more = ("v2", "s1", "explain lookup drift", "none"), "more than the old one offers"
    yield swaps_case(PLAIN, [offers], two[:1], more)
    yield swaps_case(("v1", "s1", "drift", "none"), [offers], two[:1], more)
    yield swaps_case(offers, [("v3", "s1", "drift explain lookup", "none")], two[1:])


@check("swap", why="A swap does not wait for the requests that are under way.")
def a_swap_mixes_nothing() -> Iterator[Case]:
    """A request that has begun is answered by the old snapshot, version included."""
    during, after = "a swap while the model works", "a swap after a reading"
    for how in (during, after):
        yield race_case(rows_of((5.0, "A")), how, "[11.0] by v1, s1")
        yield race_case(rows_of((5.0, "A"), (6.0, "B")), how, "[11.0, 14.0] by v1, s1")


def refusal_case(first: Change, change: Change, words: Sequence[str], about: str) -> Case:
    """Which of some words the message of a SwapError has."""

    def answer(module: Any) -> Any:
        with borrowed(module, predict):
            serving = module.Serving(changed(module, first))
            try:
                serving.swap(changed(module, change))
            except module.SwapError as error:
                return [word for word in words if word in str(error)]
            return "swapped"

    return Case(
        call=f"Serving of {in_words(first)}, then swap to {in_words(change)}",
        answer=answer,
        expected=list(words),
        reads="a SwapError whose message has",
        kind=about,
    )


@check("swap", why="The callers send rows of the old schema; start another service for another.")
def another_schema_is_refused() -> Iterator[Case]:
    """A snapshot of another schema is refused with both versions of it; the old one stays."""
    other = ("v2", "s2", "", "none")
    yield swaps_case(PLAIN, [other], ["refused; [11.0] by v1, s1"], "who answers")
    back = ["refused; [11.0] by v1, s1", "swapped; [31.0] by v3, s1"]
    yield swaps_case(PLAIN, [other, ("v3", "s1", "", "none")], back, "who answers")
    yield refusal_case(PLAIN, other, ["s1", "s2"], "the message")


@check("swap", why="A route that disappears breaks its callers as an error would.")
def a_snapshot_that_lacks_an_offer_is_refused() -> Iterator[Case]:
    """A snapshot without the explain, lookup or drift of the old one is refused by name."""
    for name in ("explain", "lookup", "drift"):
        first = ("v1", "s1", name, "none")
        yield swaps_case(first, [("v2", "s1", "", "none")], ["refused; [11.0] by v1, s1"], name)
        yield refusal_case(first, ("v2", "s1", "", "none"), [name], name)
    others = ("v2", "s1", "explain drift", "none")
    every = ("v1", "s1", "explain lookup drift", "none")
    yield swaps_case(every, [others], ["refused; [11.0] by v1, s1"], "several")


@check("swap", why="The first request must not find out that the new model does not work.")
def a_snapshot_that_does_not_answer_is_refused() -> Iterator[Case]:
    """A snapshot that raises or gives no finite numbers is refused; the old one stays."""
    for fault in ("an error", "NaN", "infinite", "too few"):
        broken, right = ("v2", "s1", "", fault), ("v3", "s1", "", "none")
        kept = ["refused; [11.0] by v1, s1", "swapped; [31.0] by v3, s1"]
        yield swaps_case(PLAIN, [broken, right], kept, fault)


@check("swap", why="Until the new model is known to work and is warm, no request should meet it.")
def the_old_one_answers_while_the_new_one_is_tried() -> Iterator[Case]:
    """While a swap tries the new snapshot, the old one answers."""
    yield trial_case(("v2", "s1", "", "none"), ["v1 during", "v2 after"])
    yield trial_case(("v2", "s1", "", "NaN"), ["v1 during", "v1 after"])


def trial_case(change: Change, expected: Sequence[str]) -> Case:
    """Who answers while a new snapshot answers an example."""

    def answer(module: Any) -> Any:
        with borrowed(module, predict):
            serving = module.Serving(changed(module, PLAIN))
            new = changed(module, change)
            seen = []

            def meanwhile() -> None:
                seen.append(serving.snapshot.version if serving.snapshot else "nobody")

            new.model.meanwhile = meanwhile
            swapped(module, serving, new)
            return [f"{version} during" for version in sorted(set(seen))] + [
                f"{serving.snapshot.version} after"
            ]

    return Case(
        call=f"Serving of {in_words(PLAIN)}; who answers while "
        f"swap({in_words(change)}) tries the new snapshot, and after",
        answer=answer,
        expected=expected,
    )


@explore(
    "swap", why="Swaps follow each other for years, and some of them are wrong.", n_examples=40
)
def any_swaps(draw: Any) -> Case:
    """Several swaps, right and wrong, and who answers after each."""
    offers = st.sampled_from(["", "", "explain", "lookup", "drift", "explain drift"])
    schemas = st.sampled_from(["s1", "s1", "s1", "s2"])
    faults = st.sampled_from(["none", "none", "none", *FAULTS])
    versions = st.integers(1, 9).map(lambda i: f"v{i}")
    changes = draw(st.lists(st.tuples(versions, schemas, offers, faults), min_size=1, max_size=4))
    first = (draw(versions), "s1", draw(offers), "none")
    return swaps_case(first, changes)


@explore("swap", why="A swap may come at any moment of a request.", n_examples=30)
def any_race(draw: Any) -> Case:
    """A swap at any moment of a request for any rows."""
    pairs = st.tuples(st.sampled_from([0.0, 0.5, 3.0]), st.sampled_from(["A", "B", None]))
    hows = ["no swap", "a swap while the model works", "a swap after a reading"]
    rows = rows_of(*draw(st.lists(pairs, max_size=4)))
    return race_case(rows, draw(st.sampled_from(hows)))


# --- order ----------------------------------------------------------------------------------------

Ask = Callable[[Any], Hashable]


def pure() -> Ask:
    """Ten times the x of the row."""
    return lambda row: 10 * row["x"]


def counts() -> Ask:
    """The number of requests before this one."""
    number = itertools.count()
    return lambda row: next(number)


def previous() -> Ask:
    """The x of the row before, and that of the row; None for the first."""
    last: list[Any] = [None]

    def ask(row: Any) -> Hashable:
        found = (last[0], row["x"])
        last[0] = row["x"]
        return found

    return ask


def fills() -> Ask:
    """The x of the row; where it is None, the last one that was known, or 0."""
    last = [0]

    def ask(row: Any) -> Hashable:
        last[0] = last[0] if row["x"] is None else row["x"]
        return last[0]

    return ask


def codes() -> Ask:
    """The number of different x seen before this one."""
    seen: dict[Any, int] = {}
    return lambda row: seen.setdefault(row["x"], len(seen))


def drifts() -> Ask:
    """The x of the row, and a millionth of a millionth more with each request."""
    number = itertools.count()
    return lambda row: row["x"] + 1e-12 * next(number)


def scales() -> Ask:
    """Where the x lies between the least and the greatest so far; NaN if they are one."""
    seen: list[Any] = []

    def ask(row: Any) -> Hashable:
        seen.append(row["x"])
        least, most = min(seen), max(seen)
        return (row["x"] - least) / (most - least) if most > least else float("nan")

    return ask


def undefined() -> Ask:
    """NaN for a negative x, otherwise 0."""
    return lambda row: float("nan") if row["x"] < 0 else 0.0


def texts() -> Ask:
    """The x of the row as text, as an answer on the wire is."""
    return lambda row: f'{{"prediction": {row["x"]}}}'


def logs() -> Ask:
    """The x of the row and, at the end of a text, the number of requests before this one."""
    number = itertools.count()
    return lambda row: f'{{"prediction": {row["x"]}, "requests": {next(number)}}}'


def total() -> Ask:
    """The sum of the x so far."""
    found = [0]

    def ask(row: Any) -> Hashable:
        found[0] += row["x"]
        return found[0]

    return ask


def two_apart() -> Ask:
    """Whether the row before has an x that is 2 more or 2 less."""
    last = [99]

    def ask(row: Any) -> Hashable:
        found = abs(row["x"] - last[0]) == 2
        last[0] = row["x"]
        return found

    return ask


def in_rows(found: Any) -> str:
    """Which rows changed; or what is no array of booleans, in words."""
    if not isinstance(found, np.ndarray):
        return f"a {type(found).__name__}, not an array"
    if found.dtype != bool and found.size:
        return f"an array of {found.dtype}, not of bool"
    if found.ndim != 1:
        return f"an array of shape {found.shape}"
    which = ", ".join(map(str, np.flatnonzero(found).tolist())) or "none"
    return f"{which} of {len(found)} rows changed"


def order_case(
    service: Callable[[], Ask],
    xs: Sequence[Any],
    expected: Sequence[int] | None = None,
    n_orders: int = 0,
    about: str = "",
) -> Case:
    """Which rows of a service change their answer with the order."""
    rows = [{"x": x} for x in xs]
    answers = (service.__doc__ or "").strip(".")

    def answer(module: Any) -> str:
        orders: list[list[int]] = []

        def start() -> Ask:
            ask = service()
            order: list[int] = []
            orders.append(order)

            def note(row: Any) -> Hashable:
                order.append(next((i for i, known in enumerate(rows) if known is row), -1))
                return ask(row)

            return note

        text = in_rows(module.changed_by_order(start, rows, n_orders))
        again = len(orders) > 1 and all(order == orders[0] and -1 not in order for order in orders)
        return f"{text}, but the same order was sent again" if again and expected else text

    changed_rows = np.isin(np.arange(len(xs)), expected or [])
    return Case(
        call=f"changed_by_order(start, {rows}, n_orders={n_orders}) of a service that answers: "
        f"{answers[0].lower()}{answers[1:]}",
        answer=answer,
        expected=None if expected is None else in_rows(changed_rows),
        kind=about,
        arguments={"rows": rows},
    )


@check("order", why="A test that blames a service without state is soon switched off.")
def without_state_nothing_changes() -> Iterator[Case]:
    """A service without state changes no answer, whatever the order."""
    yield order_case(pure, [1, 2, 3], [], n_orders=2, about="numbers")
    yield order_case(pure, [5, 1, 4, 1], [], about="numbers")
    yield order_case(texts, [2, 7, 7, 9], [], n_orders=3, about="texts")
    yield order_case(undefined, [-1, 2, -3], [], n_orders=2, about="NaN")
    yield order_case(undefined, [-1, -2], [], about="NaN")
    yield order_case(pure, [4], [], about="one row")
    yield order_case(pure, [], [], n_orders=2, about="no row")


@check("order", why="What a process learned in the first pass is still there in the second.")
def each_order_has_a_fresh_start() -> Iterator[Case]:
    """With n_orders=0, rows are sent in their order and backwards, each after a new start."""
    yield order_case(counts, [5, 6, 7], [0, 2], about="counts")
    yield order_case(counts, [1, 1, 1, 1], [0, 1, 2, 3], about="equal rows")
    yield order_case(counts, [5, 6, 7, 8, 9], [0, 1, 3, 4], about="counts")
    yield order_case(codes, [3, 4, 3], [], about="codes by appearance")
    yield order_case(codes, [3, 4, 5], [0, 2], about="codes by appearance")
    yield order_case(logs, [5, 6, 7], [0, 2], about="texts")
    yield order_case(fills, [7, None, 8, 9], [1], about="last seen")
    yield order_case(fills, [7, None, 7], [], about="last seen")
    yield order_case(scales, [1, 2], [0, 1], about="NaN and a number")
    yield order_case(scales, [2, 2, 4], [0, 1, 2], about="NaN and a number")
    yield order_case(previous, [1, 2, 1], [0, 2], about="the row before")
    yield order_case(previous, [1, 2, 3], [0, 1, 2], about="the row before")


@check("order", why="Small differences are how state shows first; the same model gives the same.")
def a_small_difference_is_a_difference() -> Iterator[Case]:
    """Answers are the same only if they are equal, to the last bit."""
    yield order_case(drifts, [1.0, 2.0, 3.0], [0, 2])
    yield order_case(drifts, [0.5, 0.25], [0, 1])
    yield order_case(counts, [0.5, 0.25], [0, 1], about="a large difference")


@dataclass
class Sent:
    """What was sent after each start."""

    orders: list[list[int]] = field(default_factory=list)

    def start(self) -> Ask:
        """A new process, which answers with the number of its request."""
        order: list[int] = []
        self.orders.append(order)

        def ask(row: Any) -> Hashable:
            order.append(row["x"])
            return len(order)

        return ask


def sent(module: Any, n_rows: int, *settings: Any) -> list[list[int]]:
    """The orders in which a function sends rows that are numbered."""
    log = Sent()
    module.changed_by_order(log.start, [{"x": i} for i in range(n_rows)], *settings)
    return log.orders


@check("order", why="A start takes seconds for a real service: the caller says how many.")
def there_are_n_orders_random_orders() -> Iterator[Case]:
    """There are n_orders orders besides forwards and backwards, and all differ."""
    for n_orders in (0, 1, 5):
        yield sent_case(n_orders)


def sent_case(n_orders: int) -> Case:
    """How many starts there are, and how many orders."""
    return Case(
        call=f"changed_by_order(start, rows, n_orders={n_orders}), of 30 rows",
        answer=lambda module: sent(module, 30, n_orders),
        view=lambda orders: [len(orders), len({tuple(order) for order in orders})],
        expected=[2 + n_orders, 2 + n_orders],
        reads="starts, and different orders among them:",
    )


@check("order", why="Two orders are two samples; some state shows in neither.")
def random_orders_find_what_two_orders_miss() -> Iterator[Case]:
    """A row counts as changed if any of the random orders changed it."""
    yield order_case(two_apart, [0, 1, 2, 3], [0, 1, 2, 3], n_orders=100)
    yield order_case(two_apart, [3, 2, 1, 0], [0, 1, 2, 3], n_orders=100)
    yield order_case(two_apart, [0, 1, 2, 7], [0, 2], n_orders=100)


@check("order", why="A failure that cannot be repeated cannot be repaired.")
def the_orders_are_those_of_random_state() -> Iterator[Case]:
    """The same random_state gives the same orders, another one gives others."""
    for first, second in ((0, 0), (1, 1), (0, 1), (7, 8)):
        yield seeds_case(first, second)


def seeds_case(first: int, second: int) -> Case:
    """How the orders of two numbers compare."""
    return Case(
        call=f"changed_by_order(start, rows, 3, random_state={first}) and the same with "
        f"random_state={second}, of 30 rows",
        answer=lambda module: [sent(module, 30, 3, seed) for seed in (first, second)],
        view=lambda found: [
            *(len({tuple(order) for order in orders}) for orders in found),
            "the same orders" if found[0] == found[1] else "other orders",
        ],
        expected=[5, 5, "the same orders" if first == second else "other orders"],
        reads="different orders in the first, in the second, and how they compare:",
    )


SERVICES = (
    pure,
    counts,
    previous,
    codes,
    drifts,
    logs,
    total,
    texts,
    undefined,
    scales,
    two_apart,
)


@explore("order", why="Nobody knows in advance what a service keeps.")
def any_service(draw: Any) -> Case:
    """Any rows, sent to services that keep this and that."""
    service = draw(st.sampled_from(SERVICES))
    xs = draw(st.lists(st.integers(-3, 3), max_size=6))
    return order_case(service, xs)


@explore("order", why="Whatever the random orders are, the result must follow from what was sent.")
def any_orders(draw: Any) -> Case:
    """The result is what the orders that were sent say."""
    service = draw(st.sampled_from(SERVICES))
    n_rows, n_orders = draw(st.integers(0, 6)), draw(st.integers(0, 4))
    seed = draw(st.integers(0, 99))
    rows = [{"x": x, "id": i} for i, x in enumerate(draw(st.permutations(range(n_rows))))]

    def answer(module: Any) -> Any:
        passes: list[dict[int, Any]] = []

        def start() -> Ask:
            ask = service()
            answers: dict[int, tuple[Any, ...]] = {}
            passes.append(answers)

            def tell(row: Any) -> Hashable:
                found = ask(row)
                answers[row["id"]] = (*answers.get(row["id"], ()), found)
                return found

            return tell

        found = module.changed_by_order(start, rows, n_orders, seed)
        if (text := in_rows(found)).startswith(("a ", "an ")):
            return text
        by_row = [[answers.get(i) for answers in passes] for i in range(n_rows)]
        once = all(len(a or ()) == 1 for answers in by_row for a in answers)
        # As text: NaN is the same answer as NaN.
        differ = [len({repr(a) for a in answers}) > 1 for answers in by_row]
        forward = list(range(n_rows))
        orders = [list(answers) for answers in passes]
        return [
            f"{len(passes)} starts",
            "each row sent once" if once else "not each row sent once after each start",
            "forwards among them" if forward in orders else "not forwards",
            "backwards among them" if forward[::-1] in orders else "not backwards",
            "as sent" if found.tolist() == differ else f"{found.tolist()}, but sent: {differ}",
        ]

    return Case(
        call=f"changed_by_order(start, {rows}, {n_orders}, {seed})",
        answer=answer,
        arguments={"rows": rows},
    )
