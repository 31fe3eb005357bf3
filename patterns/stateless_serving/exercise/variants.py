"""Wrong solutions that people really write, and right ones that are written differently.

The code takes the place of a marked region of ``pattern.py``.
"""

from __future__ import annotations

import textwrap

from patterns._kit.exercise import Alternative, Mistake

# What most answers have in common.
ROWS = """
problems = []
for i, row in enumerate(rows):
    if not isinstance(row, Mapping):
        problems.append(Problem("must be an object", i, value=shown(row)))
        continue
    for name in schema:
        if name not in row:
            problems.append(Problem("is not there", i, name))
    for name in row:
        if name not in schema:
            unknown = "is no field of the schema"
            problems.append(Problem(unknown, i, shown(name), shown(row[name])))
if problems:
    raise RequestError(problems)
return {name: [row[name] for row in rows] for name in schema}
"""
PREDICT = """
model = snapshot.model
try:
    if not isinstance(rows, list):
        found = model.predict(rows)
    else:
        columns = columns_of(rows, snapshot.schema)
        found = [model.predict_one(rows[0])] if len(rows) == 1 else model.predict(columns)
except ValueError as error:
    if hasattr(error, "violations"):
        raise refused(error.violations, snapshot.schema) from None
    raise
return np.asarray(found, dtype=np.float64)
"""
COMPUTE = "def compute(rows):\n" + textwrap.indent(PREDICT.strip(), "    ") + "\n\n\n"
SCHEMA = """
if snapshot.schema_version != self.snapshot.schema_version:
    raise SwapError(f"schema {snapshot.schema_version}, not {self.snapshot.schema_version}")
"""
OFFERS = """
for offer in ("explain", "lookup", "drift"):
    if getattr(self.snapshot, offer) and not getattr(snapshot, offer):
        raise SwapError(f"the new snapshot lacks {offer}")
"""
PUBLISH = """
warm(snapshot)
self._snapshot = snapshot
"""
ORDER = """
rng = np.random.default_rng(random_state)
n = len(rows)
orders = [list(range(n)), list(range(n))[::-1]]
orders += [rng.permutation(n).tolist() for _ in range(n_orders)]
passes = []
for order in orders:
    ask = start()
    passes.append({i: ask(rows[i]) for i in order})


def differ(a, b):
    return a != b and not (a != a and b != b)


return np.array([any(differ(p[i], passes[0][i]) for p in passes) for i in range(n)], dtype=bool)
"""


def changed(text: str, old: str, new: str) -> str:
    """An answer with a slip."""
    assert old in text, old
    return text.replace(old, new)


MISTAKES = (
    Mistake(
        name="values-by-position",
        part="rows",
        title="The values are taken by their position in the row",
        why="JSON objects have no order. Take each value by the name of its field.",
        code={
            "ex-rows": changed(
                ROWS,
                "{name: [row[name] for row in rows] for name in schema}",
                "{name: [list(row.values())[k] for row in rows] for k, name in enumerate(schema)}",
            )
        },
    ),
    Mistake(
        name="fields-of-the-first-row",
        part="rows",
        title="The columns are in the order of the first row",
        why="The order of the schema is the same for all requests, and it is there without rows.",
        code={
            "ex-rows": changed(
                ROWS,
                "for row in rows] for name in schema}",
                "for row in rows] for name in (rows[0] if rows else schema)}",
            )
        },
    ),
    Mistake(
        name="only-dict",
        part="rows",
        title="A mapping that is no dict is refused",
        why="Ask isinstance(row, Mapping): other parsers give other mappings.",
        code={"ex-rows": changed(ROWS, "isinstance(row, Mapping)", "isinstance(row, dict)")},
    ),
    Mistake(
        name="gaps-become-none",
        part="rows",
        title="A field that is missing becomes None",
        why="None says that the client knows of the field and has no value. A missing field is "
        "usually an old client or a typo.",
        code={
            "ex-rows": changed(
                changed(ROWS, "if name not in row:", "if False:"),
                "[row[name] for",
                "[row.get(name) for",
            )
        },
    ),
    Mistake(
        name="only-the-first-row",
        part="rows",
        title="Only the first row was looked at",
        why="The rows of a request come from many places. Look at each of them.",
        code={
            "ex-rows": changed(
                changed(ROWS, "enumerate(rows)", "enumerate(rows[:1])"),
                "[row[name] for",
                "[row.get(name) for",
            )
        },
    ),
    Mistake(
        name="unknown-fields-ignored",
        part="rows",
        title="Fields that the schema does not have are ignored",
        why="A client that writes Km for km would never learn it. Refuse what you do not know.",
        code={"ex-rows": changed(ROWS, "if name not in schema:", "if False:")},
    ),
    Mistake(
        name="echo",
        part="rows",
        title="The value goes into the problem as it is",
        why="The answer to a bad request would be as large as the request. shown makes it short.",
        code={
            "ex-rows": changed(ROWS, "shown(name), shown(row[name])", "repr(name), repr(row[name])")
        },
    ),
    Mistake(
        name="no-object-no-answer",
        part="rows",
        title="A row that is no object raises an error of Python's",
        why="That is a 500 and an alarm at night for a request that is simply wrong. Ask "
        "isinstance(row, Mapping) first.",
        code={
            "ex-rows": """
problems = []
for i, row in enumerate(rows):
    unknown = "is no field of the schema"
    problems += [Problem("is not there", i, name) for name in schema if name not in row.keys()]
    problems += [
        Problem(unknown, i, shown(name), shown(row[name])) for name in row if name not in schema
    ]
if problems:
    raise RequestError(problems)
return {name: [row[name] for row in rows] for name in schema}
"""
        },
    ),
    Mistake(
        name="stops-at-the-first-row",
        part="rows",
        title="It stops at the first row that has a problem",
        why="Who has a thousand rows with a problem each would send them a thousand times. Collect "
        "the problems, and raise after the loop.",
        code={
            "ex-rows": """
for i, row in enumerate(rows):
    if not isinstance(row, Mapping):
        raise RequestError([Problem("must be an object", i, value=shown(row))])
    unknown = "is no field of the schema"
    problems = [Problem("is not there", i, name) for name in schema if name not in row]
    problems += [
        Problem(unknown, i, shown(name), shown(row[name])) for name in row if name not in schema
    ]
    if problems:
        raise RequestError(problems)
return {name: [row[name] for row in rows] for name in schema}
"""
        },
    ),
    Mistake(
        name="total-of-the-shown",
        part="rows",
        title="Problems that are not shown are not counted",
        why="Give RequestError all of them: it keeps the first ones and knows how many there are.",
        code={
            "ex-rows": changed(
                ROWS, "RequestError(problems)", "RequestError(problems[:SHOWN_PROBLEMS])"
            )
        },
    ),
    Mistake(
        name="as-the-model-gives-it",
        part="predict",
        title="The answer has the type that the model happens to give",
        why="The next model may give float32 or a list. np.asarray(..., dtype=np.float64) makes "
        "one type of all.",
        code={
            "ex-predict": changed(
                PREDICT, "np.asarray(found, dtype=np.float64)", "np.asarray(found)"
            )
        },
    ),
    Mistake(
        name="one-answer-for-each-different-row",
        part="predict",
        title="Equal rows have one answer in common",
        why="The caller matches answers and rows by position: two equal rows need two answers.",
        code={
            "ex-predict": changed(
                PREDICT,
                "columns = columns_of(rows, snapshot.schema)",
                "columns_of(rows, snapshot.schema)\n"
                "        rows = [row for i, row in enumerate(rows) if row not in rows[:i]]\n"
                "        columns = columns_of(rows, snapshot.schema)",
            )
        },
    ),
    Mistake(
        name="only-rows",
        part="predict",
        title="Columns and tables are taken for rows",
        why="Only a list holds rows. Anything else goes to the model as it is.",
        code={"ex-predict": changed(PREDICT, "if not isinstance(rows, list):", "if False:")},
    ),
    Mistake(
        name="a-table-for-one-row",
        part="predict",
        title="One row was asked as a table",
        why="The answer is right and takes several times as long. Most requests have one row: "
        "predict_one is for them.",
        code={"ex-predict": changed(PREDICT, "len(rows) == 1", "len(rows) == 0")},
    ),
    Mistake(
        name="row-by-row",
        part="predict",
        title="The model was asked for each row by itself",
        why="A thousand rows cost a thousand calls, and the problem of each is in its row 0. Ask "
        "once, with the columns.",
        code={
            "ex-predict": changed(
                PREDICT,
                "[model.predict_one(rows[0])] if len(rows) == 1 else model.predict(columns)",
                "[model.predict_one(row) for row in rows]",
            )
        },
    ),
    Mistake(
        name="one-row-unchecked",
        part="predict",
        title="The fields of a single row were not checked",
        why="predict_one looks for its fields and for no others: a typo passes in one row and is "
        "refused in two. Call columns_of before.",
        code={
            "ex-predict": """
try:
    if not isinstance(rows, list):
        return np.asarray(snapshot.model.predict(rows), dtype=np.float64)
    if len(rows) == 1:
        return np.array([snapshot.model.predict_one(rows[0])])
    columns = columns_of(rows, snapshot.schema)
    return np.asarray(snapshot.model.predict(columns), dtype=np.float64)
except ValueError as error:
    if hasattr(error, "violations"):
        raise refused(error.violations, snapshot.schema) from None
    raise
"""
        },
    ),
    Mistake(
        name="violations-pass-through",
        part="predict",
        title="The error of the model was not turned into one of the request",
        why="The service would answer 500 to what the client can repair. Catch the ValueError and "
        "raise refused(error.violations, snapshot.schema).",
        code={
            "ex-predict": changed(PREDICT, 'hasattr(error, "violations")', "False"),
        },
    ),
    Mistake(
        name="every-error-is-the-clients",
        part="predict",
        title="A bug of the model is told to the client as a problem of the request",
        why="Nobody looks at answers of the kind 4xx. Only an error with violations is about rows; "
        "raise any other one again.",
        code={
            "ex-predict": changed(
                PREDICT,
                "    raise\n",
                "    if isinstance(error, RequestError):\n        raise\n"
                "    raise RequestError([Problem(str(error))]) from None\n",
            )
        },
    ),
    Mistake(
        name="cache-without-the-version",
        part="predict",
        title="A cache gives the answer of an earlier model",
        why="The key of a cache must have all that the answer depends on: the version of the model "
        "and all inputs.",
        code={
            "ex-predict": COMPUTE
            + """
if not isinstance(rows, list):
    return compute(rows)
cache = predict.__dict__.setdefault("cache", {})
if repr(rows) not in cache:
    cache[repr(rows)] = compute(rows)
return cache[repr(rows)]
"""
        },
    ),
    Mistake(
        name="cache-of-one-input",
        part="predict",
        title="A cache takes two different rows for one",
        why="Its key lacks an input. To repeat a request does not show it; another row with the "
        "same key does.",
        code={
            "ex-predict": COMPUTE
            + """
if not isinstance(rows, list) or not all(isinstance(row, Mapping) and row for row in rows):
    return compute(rows)
cache = predict.__dict__.setdefault("cache", {})
key = snapshot.version, str([list(row.values())[0] for row in rows])
if key not in cache:
    cache[key] = compute(rows)
return cache[key]
"""
        },
    ),
    Mistake(
        name="last-value-seen",
        part="predict",
        title="A missing value is filled with the last one seen",
        why="Another copy of the service has seen another one. What stands for a missing value "
        "belongs to the model.",
        code={
            "ex-predict": COMPUTE
            + """
last = predict.__dict__.setdefault("last", {})
if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
    return compute(rows)
filled = []
for row in rows:
    last.update({name: value for name, value in row.items() if value is not None})
    filled.append({name: last.get(name) if row[name] is None else row[name] for name in row})
return compute(filled)
"""
        },
    ),
    Mistake(
        name="filled-from-the-request",
        part="predict",
        title="A missing value is filled from the other rows of the request",
        why="Then a row has another answer alone than among others. What stands for a missing "
        "value belongs to the model.",
        code={
            "ex-predict": changed(
                PREDICT,
                "found = [",
                "for name, column in columns.items():\n"
                "            known = [value for value in column if value is not None]\n"
                "            if known:\n"
                "                columns[name] = [known[0] if v is None else v for v in column]\n"
                "        found = [",
            )
        },
    ),
    Mistake(
        name="versions-exchanged",
        part="swap",
        title="The versions of model and schema are exchanged",
        why="Answer takes the predictions, the version of the model and that of the schema.",
        code={
            "ex-answer": """
snapshot = self.snapshot
return Answer(predict(snapshot, rows), snapshot.schema_version, snapshot.version)
"""
        },
    ),
    Mistake(
        name="changed-in-place",
        part="swap",
        title="The live snapshot was changed, not replaced",
        why="Requests that have begun hold this object: half of their answer is the old model's. "
        "Assign another object.",
        code={
            "ex-swap": SCHEMA
            + OFFERS
            + """
warm(snapshot)
for name, value in vars(snapshot).items():
    object.__setattr__(self.snapshot, name, value)
"""
        },
    ),
    Mistake(
        name="in-two-steps",
        part="swap",
        title="First the model was published, and then its version",
        why="A request that reads in between has the new model under the name of the old one. "
        "Assign one whole object, once.",
        code={
            "ex-swap": "import dataclasses\n"
            + SCHEMA
            + OFFERS
            + """
warm(snapshot)
self._snapshot = dataclasses.replace(self._snapshot, model=snapshot.model)
self._snapshot = snapshot
"""
        },
    ),
    Mistake(
        name="same-version-wanted",
        part="swap",
        title="A snapshot of another version is refused",
        why="Another version is what a swap is for. Compare the versions of the schemas.",
        code={
            "ex-swap": changed(SCHEMA, "schema_version", "version") + OFFERS + PUBLISH,
        },
    ),
    Mistake(
        name="same-offers-wanted",
        part="swap",
        title="A snapshot that offers more is refused",
        why="Callers lose nothing by it. Refuse only what the old one has and the new one lacks.",
        code={
            "ex-swap": SCHEMA
            + changed(
                OFFERS,
                "getattr(self.snapshot, offer) and not getattr(snapshot, offer)",
                "bool(getattr(self.snapshot, offer)) != bool(getattr(snapshot, offer))",
            )
            + PUBLISH
        },
    ),
    Mistake(
        name="version-afterwards",
        part="swap",
        title="The version was read after the prediction",
        why="In between there was a swap: the answer of one model has the name of another. Read "
        "self.snapshot once, into a variable.",
        code={
            "ex-answer": """
predictions = predict(self.snapshot, rows)
return Answer(predictions, self.snapshot.version, self.snapshot.schema_version)
"""
        },
    ),
    Mistake(
        name="version-first",
        part="swap",
        title="The version was read, and then the snapshot once more",
        why="In between there was a swap: the answer of one model has the name of another. Read "
        "self.snapshot once, into a variable.",
        code={
            "ex-answer": """
version, schema_version = self.snapshot.version, self.snapshot.schema_version
return Answer(predict(self.snapshot, rows), version, schema_version)
"""
        },
    ),
    Mistake(
        name="any-schema",
        part="swap",
        title="A snapshot of another schema takes over",
        why="All requests of the callers fail from then on, or are read in another way. Compare "
        "schema_version, and start another service for another schema.",
        code={"ex-swap": OFFERS + PUBLISH},
    ),
    Mistake(
        name="offers-are-lost",
        part="swap",
        title="A snapshot that lacks what the old one offers takes over",
        why="Compare explain, lookup and drift: whoever asks for explanations depends on them.",
        code={"ex-swap": SCHEMA + PUBLISH},
    ),
    Mistake(
        name="not-tried",
        part="swap",
        title="The new snapshot was not tried",
        why="Whether it answers is seen by the first request. Let it answer an example: warm does.",
        code={"ex-swap": SCHEMA + OFFERS + "\nself._snapshot = snapshot\n"},
    ),
    Mistake(
        name="tried-and-not-looked-at",
        part="swap",
        title="Nobody looked at what the new snapshot answers",
        why="A model with broken weights raises nothing and answers NaN. warm looks at it.",
        code={
            "ex-swap": SCHEMA
            + OFFERS
            + """
try:
    predict(snapshot, [snapshot.example])
except Exception as error:
    raise SwapError("the snapshot does not answer") from error
self._snapshot = snapshot
"""
        },
    ),
    Mistake(
        name="tried-in-public",
        part="swap",
        title="The new snapshot is published and then tried",
        why="When it fails the trial, it has taken over already. Assign it in the last line.",
        code={"ex-swap": SCHEMA + OFFERS + "\nself._snapshot = snapshot\nwarm(snapshot)\n"},
    ),
    Mistake(
        name="rolled-back",
        part="swap",
        title="The new snapshot is published, tried and, if it fails, taken back",
        why="The requests that came in between were answered by it. Assign it in the last line.",
        code={
            "ex-swap": SCHEMA
            + OFFERS
            + """
old = self._snapshot
self._snapshot = snapshot
try:
    warm(snapshot)
except SwapError:
    self._snapshot = old
    raise
"""
        },
    ),
    Mistake(
        name="by-position",
        part="order",
        title="The answers were compared in the order in which they came",
        why="Sent backwards, the first answer is that of the last row. Keep each answer under the "
        "position of its row.",
        code={
            "ex-order": changed(
                ORDER, "{i: ask(rows[i]) for i in order}", "[ask(rows[i]) for i in order]"
            )
        },
    ),
    Mistake(
        name="nan-differs",
        part="order",
        title="NaN counts as a change",
        why="NaN is not equal to itself. A value that differs from itself is NaN: two of them are "
        "the same answer.",
        code={"ex-order": changed(ORDER, " and not (a != a and b != b)", "")},
    ),
    Mistake(
        name="one-process",
        part="order",
        title="One process got all orders",
        why="It still has what it learned from the order before. Call start() for each order.",
        code={
            "ex-order": changed(
                changed(ORDER, "    ask = start()\n", ""),
                "passes = []",
                "passes = []\nask = start()",
            )
        },
    ),
    Mistake(
        name="equal-rows-are-one",
        part="order",
        title="Equal rows have one answer in common",
        why="A service with state may answer the same row twice and differ. Keep each answer under "
        "the position of its row.",
        code={
            "ex-order": changed(
                changed(ORDER, "{i: ask(rows[i])", "{repr(rows[i]): ask(rows[i])"),
                "differ(p[i], passes[0][i]) for p in passes",
                "differ(p[repr(rows[i])], passes[0][repr(rows[i])]) for p in passes",
            )
        },
    ),
    Mistake(
        name="nearly-equal",
        part="order",
        title="Answers that are nearly equal count as equal",
        why="One model gives one row one answer, to the last bit. A small difference is the first "
        "sign of a statistic that is updated.",
        code={
            "ex-order": changed(
                ORDER,
                "    return a",
                "    if isinstance(a, float) and math.isclose(a, b):\n"
                "        return False\n    return a",
            )
        },
    ),
    Mistake(
        name="two-orders",
        part="order",
        title="No random order was sent",
        why="Some state shows neither forwards nor backwards. Add n_orders random orders.",
        code={"ex-order": changed(ORDER, "range(n_orders)", "range(0)")},
    ),
    Mistake(
        name="n-orders-in-all",
        part="order",
        title="Forwards and backwards are counted among the n_orders",
        why="n_orders is the number of the random orders; the two others are sent besides.",
        code={"ex-order": changed(ORDER, "range(n_orders)", "range(n_orders - 2)")},
    ),
    Mistake(
        name="last-order-only",
        part="order",
        title="Only the last order was compared with the first",
        why="A row has changed if any order changed its answer.",
        code={"ex-order": changed(ORDER, "for p in passes)", "for p in passes[-1:])")},
    ),
    Mistake(
        name="repeated",
        part="order",
        title="The same order was sent again",
        why="A fresh process that sees the same rows in the same order makes the same mistakes. "
        "Send them backwards, and in random orders.",
        code={
            "ex-order": changed(
                ORDER, "for order in orders:", "for order in orders[:1] * len(orders):"
            )
        },
    ),
    Mistake(
        name="unseeded",
        part="order",
        title="The random orders differ from call to call",
        why="A test that fails once a week cannot be repaired. Make the generator of random_state.",
        code={"ex-order": changed(ORDER, "default_rng(random_state)", "default_rng()")},
    ),
    Mistake(
        name="one-seed",
        part="order",
        title="The random orders are the same for every random_state",
        why="Then more orders cannot be had by another seed. Make the generator of random_state.",
        code={"ex-order": changed(ORDER, "default_rng(random_state)", "default_rng(0)")},
    ),
)

ALTERNATIVES = (
    Alternative(name="fields name by name", code={"ex-rows": ROWS}),
    Alternative(
        name="columns that grow",
        code={
            "ex-rows": """
columns = {name: [] for name in schema}
problems = []
for number, row in enumerate(rows):
    if isinstance(row, Mapping):
        for name, column in columns.items():
            try:
                column.append(row[name])
            except KeyError:
                problems.append(Problem("is not there", row=number, field=name))
        others = [name for name in row if name not in columns]
        for name in others:
            what = {"field": shown(name), "value": shown(row[name])}
            problems.append(Problem("is no field of the schema", row=number, **what))
    else:
        problems.append(Problem("must be an object", row=number, value=shown(row)))
if len(problems) > 0:
    raise RequestError(problems)
return columns
"""
        },
    ),
    Alternative(name="one return", code={"ex-predict": PREDICT}),
    Alternative(
        name="the fields outside of the try",
        code={
            "ex-predict": """
ask, given = snapshot.model.predict, rows
if isinstance(rows, list):
    given = columns_of(rows, snapshot.schema)
    if len(rows) == 1:
        ask, given = snapshot.model.predict_one, rows[0]
try:
    found = ask(given)
except ValueError as error:
    violations = getattr(error, "violations", None)
    if violations is None:
        raise
    raise refused(violations, snapshot.schema) from error
return np.atleast_1d(np.asarray(found)).astype(float)
"""
        },
    ),
    Alternative(
        name="tests first, one assignment last",
        code={
            "ex-answer": """
now = self._snapshot
return Answer(
    predictions=predict(now, rows),
    model_version=now.version,
    schema_version=now.schema_version,
)
""",
            "ex-swap": SCHEMA + OFFERS + PUBLISH,
        },
    ),
    Alternative(
        name="the trial first",
        code={
            "ex-swap": """
warm(snapshot)
old = self.snapshot
offers = ("drift", "explain", "lookup")
lacking = [n for n in offers if getattr(old, n) and not getattr(snapshot, n)]
if lacking:
    raise SwapError("it lacks " + ", ".join(lacking))
if old.schema_version == snapshot.schema_version:
    self._snapshot = snapshot
else:
    raise SwapError(f"it has {snapshot.schema_version}, callers know {old.schema_version}")
"""
        },
    ),
    Alternative(name="a dictionary for each order", code={"ex-order": ORDER}),
    Alternative(
        name="another generator, and equality of NaN by hand",
        code={
            "ex-order": """
import random

shuffler = random.Random(random_state)
positions = list(range(len(rows)))
orders = [positions, list(reversed(positions))]
for _ in range(n_orders):
    orders.append(shuffler.sample(positions, len(positions)))
changed = np.zeros(len(rows), dtype=bool)
first = None
for order in orders:
    ask = start()
    answers = [None] * len(rows)
    for position in order:
        answers[position] = ask(rows[position])
    first = answers if first is None else first
    for position in positions:
        a, b = answers[position], first[position]
        both_nan = isinstance(a, float) and isinstance(b, float) and np.isnan(a) and np.isnan(b)
        changed[position] |= not (a == b or both_nan)
return changed
"""
        },
    ),
)
