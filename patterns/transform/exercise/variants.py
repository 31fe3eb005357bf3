"""Wrong solutions that people really write, and right ones that are written differently.

The code takes the place of a marked region of ``pattern.py``.
"""

from __future__ import annotations

from patterns._kit.exercise import Alternative, Mistake

# What most answers to "learn" have in common.
VOCABULARY = """
if feature.kind == "code":
    counts = pc.value_counts(column.drop_null()).to_pylist()
    return {"vocabulary": sorted(c["values"] for c in counts if c["counts"] >= feature.min_count)}
"""
NUMBERS = """
present = column[~np.isnan(column)]
fills = {"nan": np.nan, "mean": present.mean(), "median": np.median(present)}
fill = float(fills.get(feature.missing, feature.missing))
flat = present.min() == present.max()
if feature.kind == "standardized":
    return {"fill": fill, "center": present.mean(), "scale": 1.0 if flat else present.std()}
if feature.kind == "min_max":
    return {"fill": fill, "center": present.min(), "scale": 1.0 if flat else np.ptp(present)}
return {"fill": fill, "center": 0.0, "scale": 1.0}
"""
OFFSETS = """
local, known = column.copy(), ~np.isnat(column)
local[known] += _offsets(column[known].astype("datetime64[s]").astype(np.int64), zone)
return local
"""
CLOCK_ONE = """
if value is None:
    return math.nan
found = {"hour": value.hour, "weekday": value.weekday(), "month": value.month}
return float(found.get(feature.kind, 60 * value.hour + value.minute))
"""
CLOCK_MANY = """
times = pd.Series(column).dt
found = {"hour": times.hour, "weekday": times.day_of_week, "month": times.month}
return found.get(feature.kind, 60 * times.hour + times.minute).to_numpy(dtype=float)
"""


def changed(text: str, old: str, new: str) -> str:
    """An answer with a slip."""
    assert old in text, old
    return text.replace(old, new)


MISTAKES = (
    Mistake(
        name="missing-counted-as-zero",
        part="learn",
        title="Missing numbers took part in the mean, as zeros",
        why="Take the rows that have the number, and no others, before you average.",
        code={
            "ex-learn": VOCABULARY
            + changed(NUMBERS, "column[~np.isnan(column)]", "np.nan_to_num(column)")
        },
    ),
    Mistake(
        name="deviation-of-a-sample",
        part="learn",
        title="The deviation was divided by n - 1",
        why="That is the default of pandas, and not of numpy or scikit-learn: the two must agree.",
        code={"ex-learn": VOCABULARY + changed(NUMBERS, "present.std()", "present.std(ddof=1)")},
    ),
    Mistake(
        name="not-centered",
        part="learn",
        title="The number was scaled and not centered",
        why="Mean 0 needs the mean as the center.",
        code={
            "ex-learn": VOCABULARY + changed(NUMBERS, '"center": present.mean()', '"center": 0.0')
        },
    ),
    Mistake(
        name="divided-by-the-greatest",
        part="learn",
        title="The number was divided by the greatest value",
        why="The range is the greatest less the least; they are the same only if the least is 0.",
        code={"ex-learn": VOCABULARY + changed(NUMBERS, "np.ptp(present)}", "present.max()}")},
    ),
    Mistake(
        name="divided-by-zero",
        part="learn",
        title="A constant number is divided by its deviation, which is zero",
        why="Where the range is 0, let the scale be 1.",
        code={"ex-learn": VOCABULARY + changed(NUMBERS, "1.0 if flat else ", "")},
    ),
    Mistake(
        name="filled-with-zero",
        part="learn",
        title="Missing numbers are filled with zero, whatever the feature says",
        why="Zero degrees or zero miles are values of their own, and often far from all others.",
        code={
            "ex-learn": VOCABULARY
            + changed(NUMBERS, "float(fills.get(feature.missing, feature.missing))", "0.0")
        },
    ),
    Mistake(
        name="always-the-mean",
        part="learn",
        title="Missing numbers are always filled with the mean",
        why="feature.missing says what stands for them: the mean, the median, a number or NaN.",
        code={
            "ex-learn": VOCABULARY
            + changed(
                NUMBERS, "float(fills.get(feature.missing, feature.missing))", "present.mean()"
            )
        },
    ),
    Mistake(
        name="median-of-zeros",
        part="learn",
        title="The median was taken after the missing numbers had become zeros",
        why="Then it lies between the numbers and zero: leave the missing ones out.",
        code={
            "ex-learn": VOCABULARY
            + changed(NUMBERS, "np.median(present)", "np.median(np.nan_to_num(column))")
        },
    ),
    Mistake(
        name="by-appearance",
        part="learn",
        title="The vocabulary is in the order of appearance",
        why="The same rows in another order would give other codes: sort the values.",
        code={
            "ex-learn": """
if feature.kind == "code":
    counts = pc.value_counts(column.drop_null()).to_pylist()
    return {"vocabulary": [c["values"] for c in counts if c["counts"] >= feature.min_count]}
"""
            + NUMBERS
        },
    ),
    Mistake(
        name="by-frequency",
        part="learn",
        title="The vocabulary is sorted by frequency",
        why="Two values that are nearly as frequent change places with the next training rows.",
        code={
            "ex-learn": """
if feature.kind == "code":
    counts = pc.value_counts(column.drop_null()).to_pylist()
    counts.sort(key=lambda c: (-c["counts"], c["values"]))
    return {"vocabulary": [c["values"] for c in counts if c["counts"] >= feature.min_count]}
"""
            + NUMBERS
        },
    ),
    Mistake(
        name="rare-values-kept",
        part="learn",
        title="Rare values are in the vocabulary",
        why="Leave out what has fewer than min_count rows: the code for others needs rows to be "
        "learned from, or it means nothing when a new value comes.",
        code={
            "ex-learn": """
if feature.kind == "code":
    return {"vocabulary": sorted(column.drop_null().unique().to_pylist())}
"""
            + NUMBERS
        },
    ),
    Mistake(
        name="more-than-min-count",
        part="learn",
        title="A value needs more rows than min_count",
        why="min_count rows are enough.",
        code={"ex-learn": changed(VOCABULARY, ">=", ">") + NUMBERS},
    ),
    Mistake(
        name="hour-in-utc",
        part="clock",
        title="The hour is that of UTC",
        why="The text says UTC; people go by the clock on the wall. Go over to the zone first.",
        code={"ex-local-one": "return value", "ex-local-many": "return column.copy()"},
    ),
    Mistake(
        name="one-offset-for-all",
        part="clock",
        title="The offset of the first of January is used all year",
        why="It is right in winter, when the tests are written. Ask the tz database at each time.",
        code={
            "ex-local-one": """
if value is None:
    return None
january = datetime(2013, 1, 1, tzinfo=UTC).astimezone(_zone(zone))
return (value.astimezone(UTC) + january.utcoffset()).replace(tzinfo=None)
""",
            "ex-local-many": """
january = datetime(2013, 1, 1, tzinfo=UTC).astimezone(_zone(zone))
return column + np.timedelta64(january.utcoffset())
""",
        },
    ),
    Mistake(
        name="offset-of-the-first-row",
        part="clock",
        title="All rows have the offset of the first one",
        why="A batch may reach over a change of the clock: each row has an offset of its own.",
        code={
            "ex-local-many": """
known = column[~np.isnat(column)]
if not len(known):
    return column.copy()
return column + _offsets(known[:1].astype("datetime64[s]").astype(np.int64), zone)
"""
        },
    ),
    Mistake(
        name="offset-of-the-day",
        part="clock",
        title="All rows of a day have the offset of its beginning",
        why="On two days of the year the clock changes in the middle of the night.",
        code={
            "ex-local-many": """
local, known = column.copy(), ~np.isnat(column)
local[known] += _offsets(86_400 * column[known].astype("datetime64[D]").astype(np.int64), zone)
return local
"""
        },
    ),
    Mistake(
        name="arrow-after-2037",
        part="clock",
        title="The times were converted by Arrow",
        why="It ignores the rule for the years to come and is an hour off in each summer from 2038 "
        "on. Use the tz database in the same way for one row and for many.",
        code={
            "ex-local-many": """
instants = pa.array(column, pa.timestamp("us", "UTC")).cast(pa.timestamp("us", zone))
return pc.local_timestamp(instants).to_numpy(zero_copy_only=False)
"""
        },
    ),
    Mistake(
        name="monday-is-one",
        part="clock",
        title="The week begins with Monday = 1",
        why="isoweekday counts from 1, weekday from 0; the model has learned the one of them.",
        code={
            "ex-clock-one": changed(CLOCK_ONE, "value.weekday()", "value.isoweekday()"),
            "ex-clock-many": changed(CLOCK_MANY, "times.day_of_week", "times.day_of_week + 1"),
        },
    ),
    Mistake(
        name="sunday-first",
        part="clock",
        title="The week begins with Sunday",
        why="SQL dialects count from Sunday, Python from Monday: both ways must be one.",
        code={
            "ex-clock-one": changed(CLOCK_ONE, "value.weekday()", "value.isoweekday() % 7"),
            "ex-clock-many": changed(
                CLOCK_MANY, "times.day_of_week", "(times.day_of_week + 1) % 7"
            ),
        },
    ),
    Mistake(
        name="epoch-is-a-monday",
        part="clock",
        title="Day 0 is taken for a Monday",
        why="The first of January 1970 was a Thursday: add 3 before you divide by 7.",
        code={
            "ex-clock-many": """
if feature.kind == "weekday":
    weekday = column.astype("datetime64[D]").astype(np.int64) % 7
    return np.where(np.isnat(column), np.nan, weekday)
"""
            + CLOCK_MANY
        },
    ),
    Mistake(
        name="minute-of-the-hour",
        part="clock",
        title="The minute is that of the hour",
        why="The minute of the day is 60 times the hour more.",
        code={
            "ex-clock-one": changed(CLOCK_ONE, "60 * value.hour + ", ""),
            "ex-clock-many": changed(CLOCK_MANY, "60 * times.hour + ", ""),
        },
    ),
    Mistake(
        name="month-from-zero",
        part="clock",
        title="The month of January is 0",
        why="Months of datetime64 count from 0, those of datetime from 1.",
        code={"ex-clock-many": changed(CLOCK_MANY, "times.month", "times.month - 1")},
    ),
    Mistake(
        name="missing-is-zero",
        part="clock",
        title="A missing time has the hour 0",
        why="Midnight is a time too. NaN says that there is none, and trees have a way for it.",
        code={
            "ex-clock-one": changed(CLOCK_ONE, "math.nan", "0.0"),
            "ex-clock-many": changed(
                CLOCK_MANY, ".to_numpy(dtype=float)", ".fillna(0).to_numpy(dtype=float)"
            ),
        },
    ),
    Mistake(
        name="coded-anew",
        part="code",
        title="The codes were made anew from the batch",
        why="In a batch that lacks one value, all codes after it mean another one.",
        code={
            "ex-code-many": """
known = sorted(set(column.drop_null().to_pylist()))
return np.array([0.0 if v is None else 2.0 + known.index(v) for v in column.to_pylist()])
"""
        },
    ),
    Mistake(
        name="codes-from-zero",
        part="code",
        title="The first value of the vocabulary has the code 0",
        why="0 and 1 are taken, by missing values and by others: add 2 to the position.",
        code={
            "ex-code-one": """
if value is None:
    return -1.0
return learned["codes"].get(value, 1.0) - 2
""",
            "ex-code-many": """
position = pc.index_in(column, pa.array(learned["vocabulary"], pa.large_string()))
return position.fill_null(-1).to_numpy().astype(float)
""",
        },
    ),
    Mistake(
        name="new-values-fail",
        part="code",
        title="A new value is an error",
        why="The service would be down on the day on which an airport opens: give it OTHER.",
        code={
            "ex-code-one": 'return MISSING if value is None else learned["codes"][value]',
            "ex-code-many": """
codes = [MISSING if v is None else learned["codes"][v] for v in column.to_pylist()]
return np.array(codes, dtype=float)
""",
        },
    ),
    Mistake(
        name="new-values-are-last",
        part="code",
        title="A new value has a code above all others",
        why="No tree has ever seen that code; OTHER is the code that was learned from rare values.",
        code={
            "ex-code-one": """
if value is None:
    return MISSING
return learned["codes"].get(value, 2.0 + len(learned["vocabulary"]))
""",
            "ex-code-many": """
last = 2.0 + len(learned["vocabulary"])
codes = [MISSING if v is None else learned["codes"].get(v, last) for v in column.to_pylist()]
return np.array(codes, dtype=float)
""",
        },
    ),
    Mistake(
        name="new-is-missing",
        part="code",
        title="A new value is taken for a missing one",
        why="MISSING says that nothing is known, OTHER that it is something new.",
        code={
            "ex-code-one": 'return learned["codes"].get(value, MISSING)',
            "ex-code-many": """
return np.array([learned["codes"].get(v, MISSING) for v in column.to_pylist()], dtype=float)
""",
        },
    ),
    Mistake(
        name="missing-is-new",
        part="code",
        title="A missing value is taken for a new one",
        why="Ask for missing values first: they have the code 0.",
        code={
            "ex-code-one": 'return learned["codes"].get(value, OTHER)',
            "ex-code-many": """
return np.array([learned["codes"].get(v, OTHER) for v in column.to_pylist()], dtype=float)
""",
        },
    ),
)

ALTERNATIVES = (
    Alternative(name="numbers as a table of settings", code={"ex-learn": VOCABULARY + NUMBERS}),
    Alternative(
        name="numbers with nan functions, words with a Counter",
        code={
            "ex-learn": """
from collections import Counter

if feature.kind == "code":
    counts = Counter(column.to_pylist())
    counts.pop(None, None)
    return {"vocabulary": sorted(v for v in counts if counts[v] >= feature.min_count)}
low, high = np.nanmin(column), np.nanmax(column)
fill = feature.missing
if fill == "mean":
    fill = np.nansum(column) / np.sum(~np.isnan(column))
elif fill == "median":
    fill = np.nanquantile(column, 0.5)
center, scale = 0, 1
if feature.kind == "standardized":
    center, scale = np.nanmean(column), np.sqrt(np.nanvar(column))
elif feature.kind == "min_max":
    center, scale = low, high - low
return {"fill": float(fill), "center": float(center), "scale": float(scale if high > low else 1)}
"""
        },
    ),
    Alternative(
        name="numbers with pandas",
        code={
            "ex-learn": VOCABULARY
            + """
values = pd.Series(column).dropna()
fill = feature.missing
if fill in ("mean", "median"):
    fill = getattr(values, fill)()
learned = {"fill": float(fill), "center": 0.0, "scale": 1.0}
if feature.kind == "standardized":
    learned |= {"center": float(values.mean()), "scale": float(values.std(ddof=0))}
if feature.kind == "min_max":
    learned |= {"center": float(values.min()), "scale": float(values.max() - values.min())}
if values.nunique() == 1:
    learned["scale"] = 1.0
return learned
"""
        },
    ),
    Alternative(
        name="each instant asked for its offset",
        code={
            "ex-local-one": """
if value is not None:
    return value.astimezone(_zone(zone))
""",
            "ex-local-many": OFFSETS,
            "ex-clock-one": CLOCK_ONE,
            "ex-clock-many": CLOCK_MANY,
        },
    ),
    Alternative(
        name="the clock of each row, read one by one",
        code={
            "ex-local-many": """
instants = [None if np.isnat(t) else t.item().replace(tzinfo=UTC) for t in column]
clocks = [None if t is None else t.astimezone(_zone(zone)).replace(tzinfo=None) for t in instants]
return np.array(clocks, dtype="datetime64[us]")
""",
            "ex-clock-many": """
return np.array([engineer_one(feature, learned, t.item()) for t in column], dtype=float)
""",
        },
    ),
    Alternative(
        name="the zone by pandas",
        code={
            "ex-local-one": """
if value is None:
    return None
return (value.astimezone(UTC) + value.astimezone(_zone(zone)).utcoffset()).replace(tzinfo=None)
""",
            "ex-local-many": """
instants = pd.DatetimeIndex(column).tz_localize("UTC").tz_convert(_zone(zone))
return instants.tz_localize(None).to_numpy().astype("datetime64[us]")
""",
        },
    ),
    Alternative(
        name="codes by a dictionary",
        code={
            "ex-code-one": """
if value is None:
    return MISSING
vocabulary = learned["vocabulary"]
return 2.0 + vocabulary.index(value) if value in vocabulary else OTHER
""",
            "ex-code-many": """
codes = {None: MISSING, **learned["codes"]}
return np.array([codes.get(value, OTHER) for value in column.to_pylist()], dtype=float)
""",
        },
    ),
    Alternative(
        name="codes by a search in the sorted vocabulary",
        code={
            "ex-code-one": """
codes = {v: float(i) for i, v in enumerate(learned["vocabulary"], start=2)}
return float(0 if value is None else codes.get(value, 1))
""",
            "ex-code-many": """
known = pd.Index(learned["vocabulary"], dtype=object)
values = column.to_pylist()
found = known.get_indexer(pd.Index(values, dtype=object))
codes = np.where(found < 0, 1, found + 2)
return np.array([0 if v is None else c for v, c in zip(values, codes)], dtype=float)
""",
        },
    ),
)
