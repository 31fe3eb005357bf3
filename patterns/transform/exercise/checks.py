"""What the exercise asks of an answer.

Each question goes the public way: a transform is fitted to training values, written as JSON, read
again, and asked for the feature of other values, all at once and one by one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from patterns._kit.exercise import Case, check, explore

TYPES = {"code": "category", "hour": "time", "weekday": "time", "month": "time", "minute": "time"}
NAN = math.nan


def feature_of(
    module: Any, train: Sequence[Any], rows: Sequence[Any], kind: str, **settings: Any
) -> list[list[float]]:
    """The feature of rows: all at once, and one by one."""
    inputs = [module.Input("x", TYPES.get(kind, "number"), nullable=True)]
    fitted = module.Transform(inputs, [module.Feature("f", kind, "x", **settings)])
    fitted = fitted.fit({"x": list(train)})
    loaded = module.Transform.from_dict(json.loads(json.dumps(fitted.to_dict())))
    many = loaded.transform({"x": list(rows)})[:, 0].tolist()
    return [many, [float(loaded.transform_one({"x": value})[0]) for value in rows]]


def feature_case(
    train: Sequence[Any],
    rows: Sequence[Any],
    kind: str,
    expected: Sequence[float] | None = None,
    about: str = "",
    **settings: Any,
) -> Case:
    """A feature, fitted to some values and made of others."""
    given = "".join(f", {name}={value!r}" for name, value in settings.items())
    arguments = {"train": list(train), "rows": list(rows)}
    return Case(
        call=f'Feature("f", {kind!r}{given}), fitted to {shown(train)}, of {shown(rows)}',
        answer=lambda module: feature_of(
            module, arguments["train"], arguments["rows"], kind, **settings
        ),
        expected=None if expected is None else [list(expected)] * 2,
        reads="all at once, and one by one:",
        kind=about,
        arguments=arguments,
    )


def shown(values: Sequence[Any]) -> str:
    """Values as one would type them."""
    return f"[{', '.join('None' if v is None else repr(v) for v in values)}]"


# --- learn ----------------------------------------------------------------------------------------


@check(
    "learn", why="Trees and lines have seen values of this center and this scale, and no others."
)
def numbers_are_standardized_by_the_training_rows() -> Iterator[Case]:
    """A standardized number has mean 0 and deviation 1 over the training rows that have it."""
    yield feature_case([2.0, 4.0], [2.0, 3.0, 10.0], "standardized", [-1, 0, 7])
    yield feature_case([1.0, 1.0, 7.0, 7.0], [1.0, 10.0], "standardized", [-1, 2])
    yield feature_case([2e-9, 4e-9], [3e-9, 1e-8], "standardized", [0, 7], about="tiny units")
    some = [10.0, None, 30.0, None]
    yield feature_case(some, [10.0, 20.0], "standardized", [-1, 0], about="missing values")
    far = [-5.0, None, -1.0, -3.0]
    deviation = math.sqrt(8 / 3)
    expected = [-2 / deviation, 3 / deviation]
    yield feature_case(far, [-5.0, 0.0], "standardized", expected, about="missing values")


@check("learn", why="The range of the training rows is the yardstick for all that comes later.")
def the_range_is_that_of_the_training_rows() -> Iterator[Case]:
    """With "min_max" the least training value becomes 0 and the greatest 1."""
    yield feature_case([2.0, 6.0, 4.0], [2.0, 6.0, 5.0, 8.0], "min_max", [0, 1, 0.75, 1.5])
    yield feature_case([-8.0, -4.0], [-8.0, -5.0, 0.0], "min_max", [0, 0.75, 2])
    yield feature_case([5.0, None, 15.0], [5.0, 10.0], "min_max", [0, 0.5])


@check("learn", why="A sensor that never moved in training is no reason for infinity in serving.")
def a_constant_number_stays_finite() -> Iterator[Case]:
    """Where all training values are equal, the number is centered and not scaled."""
    yield feature_case([3.0, 3.0], [3.0, 5.0], "standardized", [0, 2])
    yield feature_case([3.0, None, 3.0], [3.0, 1.0], "min_max", [0, -2])
    yield feature_case([0.1, 0.1, 0.1], [0.1, 1.1], "standardized", [0, 1])


@check("learn", why="What stands for a missing number must come from the training rows.")
def missing_numbers_are_filled_as_the_feature_says() -> Iterator[Case]:
    """A missing number becomes the mean, the median, a given number, or stays NaN."""
    train = [1.0, None, 2.0, 9.0]
    yield feature_case(train, [None, 5.0], "number", [2, 5], missing="median")
    yield feature_case(train, [None, 5.0], "number", [4, 5], missing="mean")
    yield feature_case(train, [None, 5.0], "number", [-7, 5], missing=-7.0)
    yield feature_case(train, [None, 5.0], "number", [NAN, 5], missing="nan")
    yield feature_case([2.0, 4.0, 6.0, None], [None, 8.0], "min_max", [0.5, 1.5], missing="median")
    yield feature_case([1.0, 2.0, 4.0, 10.0, None], [None], "number", [3], missing="median")
    yield feature_case([1.0, 1.0, 4.0, None], [None], "number", [2], missing="mean")
    yield feature_case([10.0, None, 30.0], [10.0, None], "min_max", [0, -0.5], missing=0.0)
    far = [1.0, 1.0, 1.0, 5.0, None]
    deviation = math.sqrt(3)
    yield feature_case(far, [None], "standardized", [-1 / deviation], missing="median")


def vocabulary_case(train: Sequence[Any], expected: Any = None, min_count: int = 1) -> Case:
    """The vocabulary of texts."""
    arguments = {"train": list(train)}

    def answer(module: Any) -> Any:
        feature = module.Feature("f", "code", "x", min_count=min_count)
        transform = module.Transform([module.Input("x", "category", nullable=True)], [feature])
        fitted = transform.fit({"x": arguments["train"]})
        return json.loads(json.dumps(fitted.to_dict()))["learned"]["f"]["vocabulary"]

    return Case(
        call=f'Feature("f", "code", min_count={min_count}), fitted to {shown(train)}',
        answer=answer,
        expected=expected,
        reads="the vocabulary",
        arguments=arguments,
    )


@check("learn", why="The codes of the trees must not depend on the order in which rows arrived.")
def the_vocabulary_is_sorted() -> Iterator[Case]:
    """The vocabulary has each training value once, in the order of the alphabet."""
    yield vocabulary_case(["c", "a", "b", "a"], ["a", "b", "c"])
    yield vocabulary_case(["JFK", "EWR", "JFK"], ["EWR", "JFK"])
    yield vocabulary_case(["b", "b", "a", "C"], ["C", "a", "b"])


@check("learn", why="Nobody learns from two rows; the code for others is learned from all of them.")
def rare_values_are_not_in_the_vocabulary() -> Iterator[Case]:
    """The vocabulary has the values with min_count training rows or more, and never None."""
    train = ["a", "b", "b", "c", "c", "c"]
    yield vocabulary_case(train, ["b", "c"], min_count=2)
    yield vocabulary_case(train, ["c"], min_count=3)
    yield vocabulary_case(train, ["a", "b", "c"], min_count=1)
    yield vocabulary_case([None, None, "b", "a"], ["a", "b"], min_count=1)
    yield vocabulary_case([None, None, None, "b", "b"], ["b"], min_count=2)


# --- clock ----------------------------------------------------------------------------------------

NEW_YORK, LONDON, KOLKATA = "America/New_York", "Europe/London", "Asia/Kolkata"


def clock_case(rows: Sequence[str | None], kind: str, zone: str, expected: Any, about: str) -> Case:
    """What clocks show at some instants."""
    return feature_case(["2013-01-01T00:00Z"], rows, kind, expected, about, zone=zone)


@check("clock", why="People, and flights, keep to the clock on the wall; UTC has no rush hour.")
def the_hour_is_that_of_the_wall_clock() -> Iterator[Case]:
    """The hour is that of the zone, in winter."""
    winter = ["2013-01-15T12:30:00Z", "2013-12-24T03:00:00Z", "2013-02-01T05:00:00+00:00"]
    yield clock_case(winter, "hour", NEW_YORK, [7, 22, 0], "winter")
    yield clock_case(winter, "hour", KOLKATA, [18, 8, 10], "half an hour")
    yield clock_case(["2013-01-15T12:30:00+05:30"], "hour", NEW_YORK, [2], "another offset")


@check("clock", why="For seven months of the year New York is not five hours behind, but four.")
def the_clock_changes_in_spring_and_autumn() -> Iterator[Case]:
    """Daylight saving time begins and ends at the minute that the tz database says."""
    spring = ["2013-03-10T06:59:59Z", "2013-03-10T07:00:00Z", "2013-03-11T12:00:00Z"]
    yield clock_case(spring, "hour", NEW_YORK, [1, 3, 8], "the change in spring")
    autumn = ["2013-11-03T05:59:59Z", "2013-11-03T06:00:00Z", "2013-11-02T12:00:00Z"]
    yield clock_case(autumn, "hour", NEW_YORK, [1, 1, 8], "the change in autumn")
    early = ["2015-03-29T00:30:00Z", "2015-03-29T02:00:00Z"]
    yield clock_case(early, "hour", LONDON, [0, 3], "a change early in the day")
    late = ["2013-03-21T20:00:00Z", "2013-03-21T20:30:00Z"]
    yield clock_case(late, "hour", "Asia/Tehran", [23, 1], "a change late in the day")
    for first, hour in (("2013-07-01T12:00:00Z", 8), ("2013-01-15T12:00:00Z", 7)):
        rows = [first, "2013-03-10T08:00:00Z"]
        yield clock_case(rows, "hour", NEW_YORK, [hour, 4], "several seasons at once")
    half = ["2013-10-05T15:29:59Z", "2013-10-05T15:45:00Z"]
    yield clock_case(half, "minute", "Australia/Lord_Howe", [119, 165], "a change at half past")
    both = ["2015-01-15T12:00:00Z", "2015-07-15T12:00:00Z"]
    yield clock_case(both, "hour", LONDON, [12, 13], "both seasons")
    later = ["2050-01-15T12:00:00Z", "2050-07-15T12:00:00Z"]
    yield clock_case(later, "hour", NEW_YORK, [7, 8], "a year to come")
    yield clock_case(["2039-06-01T12:00:00Z"], "hour", LONDON, [13], "a year to come")


@check("clock", why="Half of all libraries count from Monday = 0, the others from Sunday = 1.")
def monday_is_day_0_of_the_wall_clock() -> Iterator[Case]:
    """The weekday runs from Monday = 0 to Sunday = 6."""
    week = [f"2013-07-{day:02}T16:00:00Z" for day in range(1, 8)]
    yield clock_case(week, "weekday", NEW_YORK, range(7), "noon")
    old = ["1970-01-04T12:00:00Z", "2024-02-29T12:00:00Z"]
    yield clock_case(old, "weekday", LONDON, [6, 3], "other years")


@check(
    "clock", why="Around midnight it is another day in UTC, and at the year's end another month."
)
def the_date_is_that_of_the_wall_clock_too() -> Iterator[Case]:
    """Weekday, month and minute of the day are those of the zone, as the hour is."""
    night = ["2013-07-01T03:59:00Z", "2013-07-01T04:00:00Z"]
    yield clock_case(night, "weekday", NEW_YORK, [6, 0], "weekday at night")
    yield clock_case(night, "month", NEW_YORK, [6, 7], "month at night")
    yield clock_case(["2013-12-31T20:00:00Z"], "month", KOLKATA, [1], "month at night")
    yield clock_case(night, "minute", NEW_YORK, [23 * 60 + 59, 0], "minute")
    yield clock_case(["2013-01-15T12:34:59Z"], "minute", KOLKATA, [18 * 60 + 4], "minute")
    last = ["2013-01-15T18:29:59.999999Z"]
    yield clock_case(last, "minute", KOLKATA, [23 * 60 + 59], "the last microsecond")


@check("clock", why="A time may be missing, and what is missing must be seen as such.")
def a_missing_time_has_no_hour() -> Iterator[Case]:
    """The feature of a missing time is NaN."""
    yield clock_case([None, "2013-07-01T12:00:00Z"], "hour", NEW_YORK, [NAN, 8], "hour")
    yield clock_case(["2013-07-01T12:00:00Z", None], "weekday", NEW_YORK, [0, NAN], "weekday")
    yield clock_case([None, None], "minute", NEW_YORK, [NAN, NAN], "minute")


# --- code -----------------------------------------------------------------------------------------

AIRPORTS = ["EWR", "JFK", "LGA"]


@check("code", why="The model has learned what the code 3 means; it must go on to mean it.")
def a_known_value_keeps_its_code() -> Iterator[Case]:
    """The code of a known value is its position in the vocabulary, from 2 on, in any batch."""
    yield feature_case(AIRPORTS, ["LGA"], "code", [4], about="one row")
    yield feature_case(AIRPORTS, ["JFK", "LGA"], "code", [3, 4], about="a part of the values")
    yield feature_case(AIRPORTS, ["LGA", "EWR", "LGA"], "code", [4, 2, 4], about="another order")
    yield feature_case(AIRPORTS, [], "code", [], about="no row")


@check(
    "code", why="A new airport opens some day; the service must answer, and say the same as ever."
)
def a_new_value_is_other() -> Iterator[Case]:
    """A value that is not in the vocabulary has the code 1."""
    yield feature_case(AIRPORTS, ["HPN"], "code", [1], about="one row")
    yield feature_case(AIRPORTS, ["AAA", "EWR", "ZZZ"], "code", [1, 2, 1], about="among others")
    yield feature_case(AIRPORTS, ["ewr", "EWR ", ""], "code", [1, 1, 1], about="nearly the same")


@check("code", why="Missing and new are two things: one is a gap in the data, one is the world.")
def a_missing_value_has_its_own_code() -> Iterator[Case]:
    """A missing value has the code 0."""
    yield feature_case(AIRPORTS, [None], "code", [0], about="one row")
    yield feature_case(AIRPORTS, ["JFK", None, "HPN"], "code", [3, 0, 1], about="among others")
    yield feature_case([*AIRPORTS, None], [None, "EWR"], "code", [0, 2], about="known as missing")


# --- explorations ---------------------------------------------------------------------------------

tenths = st.integers(-50, 50).map(lambda i: i / 10)
UNITS = {"as they are": (1.0, 0.0), "large": (1e6, 0.0), "tiny": (1e-9, 0.0), "far": (1.0, 1e6)}


@explore("learn", why="Ties, gaps, constants and other units are what real columns are made of.")
def any_column_of_numbers(draw: Any) -> Case:
    """Numbers of any scale, with gaps and ties."""
    kind = draw(st.sampled_from(["number", "standardized", "min_max", "is_missing"]))
    missing = draw(st.sampled_from(["nan", "mean", "median", 2.5]))
    unit, origin = draw(st.sampled_from(list(UNITS.values())))
    number = st.one_of(tenths, st.sampled_from([0.0, 1.5, 1.5])).map(lambda v: origin + unit * v)
    values = st.one_of(number, number, st.none())
    train = [draw(number), *draw(st.lists(values, max_size=7))]
    order = draw(st.permutations(train))
    rows = [None, *draw(st.lists(values, min_size=1, max_size=4))]
    return feature_case(order, rows, kind, missing=missing)


@explore("learn", why="A vocabulary is what remains of a column of texts.")
def any_column_of_texts(draw: Any) -> Case:
    """Texts with gaps and ties, and any min_count."""
    values = st.one_of(st.sampled_from(["a", "a ", "b", "B", "é", "10", "9", ""]), st.none())
    train = ["a", *draw(st.lists(values, max_size=9))]
    return vocabulary_case(draw(st.permutations(train)), min_count=draw(st.integers(1, 3)))


@explore("clock", why="Zones have offsets of half an hour, no summer, or a summer in January.")
def any_instant_in_any_zone(draw: Any) -> Case:
    """Instants of any year, near changes of the clock too, in several zones at once."""
    zones = ["America/New_York", "Europe/London", "Asia/Kathmandu", "Australia/Lord_Howe"]
    zones += ["America/St_Johns", "Pacific/Apia", "Africa/Casablanca", "UTC"]
    kind = draw(st.sampled_from(["hour", "weekday", "month", "minute"]))
    begin = datetime(1971, 1, 1)
    changes = ["2013-03-10T07:00", "2013-11-03T06:00", "2015-03-29T01:00", "2013-10-05T15:30"]
    near = st.sampled_from([datetime.fromisoformat(text) for text in changes])
    anywhere = st.integers(0, 46_000).map(lambda day: begin + timedelta(days=day))
    seconds = st.integers(-90_000, 90_000).map(lambda s: timedelta(seconds=s))
    instants = st.builds(lambda a, b: f"{a + b:%Y-%m-%dT%H:%M:%S}Z", near | anywhere, seconds)
    rows = draw(st.lists(st.one_of(instants, st.none()), min_size=1, max_size=5))
    zone = draw(st.sampled_from(zones))
    return feature_case(["2013-01-01T00:00:00Z"], rows, kind, zone=zone)


@explore("code", why="What arrives is known, new or missing, in any order.")
def any_batch_of_texts(draw: Any) -> Case:
    """Known, new and missing texts in any order and number."""
    values = st.sampled_from(["a", "b", "c", "ab", "A", "é", "", "0", "nan"])
    train = draw(st.lists(values, min_size=1, max_size=6))
    rows = draw(st.lists(st.one_of(values, st.none()), max_size=6))
    return feature_case(train, rows, "code", min_count=draw(st.integers(1, 2)))
