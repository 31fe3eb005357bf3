"""Wrong solutions that people really write, and right ones that are written differently.

The code takes the place of a marked region of ``pattern.py``.
"""

from __future__ import annotations

from patterns._kit.exercise import Alternative, Mistake

# What most answers have in common.
WORTH = """
own = np.repeat(np.arange(n), b)[:, None]
other = n + np.tile(np.arange(b), n)[:, None]
for coalition in range(2**m):
    member = coalition >> np.arange(m) & 1 == 1
    mixed = _take(X, baseline, np.where(member, own, other))
    worth.append(np.reshape(predict(mixed), (n, b, -1)).mean(axis=1))
"""
SHARES = """
size = np.bitwise_count(coalitions)
for player in range(n_players):
    without = coalitions[coalitions >> player & 1 == 0]
    share = 1 / (n_players * comb(n_players - 1, size[without]))
    added = worth[without | 1 << player] - worth[without]
    values[player] = np.tensordot(share, added, axes=1)
"""
ALONE = """
for player in range(n_players):
    values[player] = worth[1 << player] - worth[0]
"""
STEPS = """
for start in baseline:
    for step in range(n_steps):
        between = start + (step + 0.5) / n_steps * (X - start)
        values += (X - start) * gradient(between)
values /= len(baseline) * n_steps
"""
SUMS = """
summed = np.zeros((len(values), len(names), *values.shape[2:]))
for column, name in enumerate(source):
    summed[:, names.index(name)] += values[:, column]
"""


def changed(text: str, *slips: tuple[str, str]) -> str:
    """An answer with slips."""
    for old, new in slips:
        assert old in text, old
        text = text.replace(old, new)
    return text


def worth(*slips: tuple[str, str]) -> dict[str, str]:
    """The part "baseline" with slips."""
    return {"ex-baseline": changed(WORTH, *slips)}


def shares(*slips: tuple[str, str]) -> dict[str, str]:
    """The part "shapley" with slips."""
    return {"ex-shapley": changed(SHARES, *slips)}


def steps(*slips: tuple[str, str]) -> dict[str, str]:
    """The part "gradients" with slips."""
    return {"ex-gradients": changed(STEPS, *slips)}


def sums(*slips: tuple[str, str]) -> dict[str, str]:
    """The part "groups" with slips."""
    return {"ex-groups": changed(SUMS, *slips)}


MISTAKES = (
    Mistake(
        name="members-left-out",
        part="baseline",
        title="The members have the values of the baseline",
        why="A coalition brings the values of the row; the features that are not in it are drawn.",
        code=worth(("member, own, other", "member, other, own")),
    ),
    Mistake(
        name="bits-backward",
        part="baseline",
        title="The bits of a coalition were read from the other end",
        why="Feature j is a member of coalition i if bit j of i is set: i >> j & 1.",
        code=worth((">> np.arange(m) &", ">> np.arange(m)[::-1] &")),
    ),
    Mistake(
        name="zeros",
        part="baseline",
        title="Features that are left out were set to zero",
        why="Zero is a value like others, and perhaps no row has it. Take baseline rows.",
        code={
            "ex-baseline": """
for coalition in range(2**m):
    member = coalition >> np.arange(m) & 1 == 1
    worth.append(np.reshape(predict(X * member), (n, -1)))
"""
        },
    ),
    Mistake(
        name="squashed",
        part="baseline",
        title="The output was turned into a probability",
        why="Take what predict gives. Shares of log-odds are no shares of a probability.",
        code=worth(("predict(mixed)", "1 / (1 + np.exp(-predict(mixed)))")),
    ),
    Mistake(
        name="mean-row",
        part="baseline",
        title="The baseline was replaced by its mean row",
        why="No row may look like the mean. Ask the model for each row, then take the mean.",
        code={
            "ex-baseline": """
for coalition in range(2**m):
    member = coalition >> np.arange(m) & 1 == 1
    mixed = np.where(member, X, np.mean(baseline, axis=0))
    worth.append(np.reshape(predict(mixed), (n, -1)))
"""
        },
    ),
    Mistake(
        name="first-row",
        part="baseline",
        title="Only the first row of the baseline was used",
        why="Another row would give another explanation: ask for all of them.",
        code={"ex-baseline": "b = 1" + WORTH},
    ),
    Mistake(
        name="torn-rows",
        part="baseline",
        title="Features that are left out came from several rows of the baseline at once",
        why="Take all of them from one row: a baseline row stays whole.",
        code=worth(
            (
                "other = n + np.tile(np.arange(b), n)[:, None]",
                "other = n + (np.tile(np.arange(b), n)[:, None] + np.arange(m)) % b",
            ),
        ),
    ),
    Mistake(
        name="hundred-rows",
        part="baseline",
        title="Only a hundred rows of the baseline were used",
        why="Use all of them: the caller has chosen the baseline.",
        code={"ex-baseline": "baseline, b = baseline[:100], min(b, 100)" + WORTH},
    ),
    Mistake(
        name="rows-mixed",
        part="baseline",
        title="Outputs were given to other rows than their own",
        why="Repeat each row b times and the baseline n times, or loop over the rows.",
        code=worth(
            ("np.repeat(np.arange(n), b)", "np.tile(np.arange(n), b)"),
            ("np.tile(np.arange(b), n)", "np.repeat(np.arange(b), n)"),
        ),
    ),
    Mistake(
        name="mean-of-all-rows",
        part="baseline",
        title="The mean was taken over the rows as well",
        why="Each row has its own explanation: take the mean over the baseline only.",
        code=worth((".mean(axis=1)", ".mean(axis=(0, 1)) + np.zeros((n, 1))")),
    ),
    Mistake(
        name="frame-lost",
        part="baseline",
        title="The model got an array in place of a frame",
        why="It may look for columns by name. _take keeps a frame a frame.",
        code=worth(("_take(X, baseline,", "_take(np.asarray(X), np.asarray(baseline),")),
    ),
    Mistake(
        name="types-lost",
        part="baseline",
        title="The columns of the frame have lost their types",
        why="An array of texts and numbers has objects only. _take keeps the type of each column.",
        code=worth(
            (
                "    worth.append",
                """
    if isinstance(X, pd.DataFrame):
        mixed = pd.DataFrame(mixed.to_numpy(), columns=X.columns)
    worth.append""",
            )
        ),
    ),
    Mistake(
        name="players-backward",
        part="shapley",
        title="The bits of a coalition were read from the other end",
        why="Player j is a member of coalition i if bit j of i is set: i >> j & 1.",
        code=shares(("values[player]", "values[n_players - 1 - player]")),
    ),
    Mistake(
        name="nobody-is-worth-nothing",
        part="shapley",
        title="The worth of nobody was taken for zero",
        why="The first player adds to worth[0], the base value: subtract it.",
        code=shares(("- worth[without]", "- np.concatenate([0 * worth[:1], worth[1:]])[without]")),
    ),
    Mistake(
        name="summed-over-sizes",
        part="shapley",
        title="The sizes of coalitions were added up, not averaged",
        why="A player finds each of n_players sizes equally often: divide by n_players as well.",
        code=shares(
            (
                "(n_players * comb(n_players - 1, size[without]))",
                "comb(n_players - 1, size[without])",
            )
        ),
    ),
    Mistake(
        name="alone",
        part="shapley",
        title="A player got what the player adds to nobody",
        why="Players may need each other: ask what is added to every coalition.",
        code={"ex-shapley": ALONE},
    ),
    Mistake(
        name="last",
        part="shapley",
        title="A player got what all lose without the player",
        why="Without one of two copies, the other one still tells all: ask every coalition.",
        code={
            "ex-shapley": changed(
                ALONE,
                (
                    "worth[1 << player] - worth[0]",
                    "worth[-1] - worth[len(worth) - 1 - (1 << player)]",
                ),
            )
        },
    ),
    Mistake(
        name="one-order",
        part="shapley",
        title="Players joined in one order",
        why="The sum is right and the shares are not: who comes last gets what was done together.",
        code={
            "ex-shapley": """
for player in range(n_players):
    values[player] = worth[(2 << player) - 1] - worth[(1 << player) - 1]
"""
        },
    ),
    Mistake(
        name="scaled-to-the-sum",
        part="shapley",
        title="What each adds alone was scaled until the sum was right",
        why="A sum that is right proves no share: take the mean over all coalitions.",
        code={
            "ex-shapley": ALONE
            + """
total = values.sum(axis=0)
if np.all(total):
    values *= (worth[-1] - worth[0]) / total
"""
        },
    ),
    Mistake(
        name="coalitions-alike",
        part="shapley",
        title="All coalitions counted the same, whatever their size",
        why="In a random order the sizes are equally likely: large and small coalitions are few.",
        code=shares(
            (
                "share = 1 / (n_players * comb(n_players - 1, size[without]))",
                "share = np.full(len(without), 1 / len(without))",
            )
        ),
    ),
    Mistake(
        name="sizes-with-the-player",
        part="shapley",
        title="Coalitions were weighted by their size among all players",
        why="The player is not among those who may have come before: comb(n_players - 1, size).",
        code=shares(("comb(n_players - 1, size[without])", "comb(n_players, size[without])")),
    ),
    Mistake(
        name="coalitions-alike-scaled",
        part="shapley",
        title="All coalitions counted the same, and the shares were scaled until the sum was right",
        why="A sum that is right proves no share: weigh coalitions by their size.",
        code={
            "ex-shapley": changed(
                SHARES,
                (
                    "share = 1 / (n_players * comb(n_players - 1, size[without]))",
                    "share = np.full(len(without), 1 / len(without))",
                ),
            )
            + """
total = values.sum(axis=0)
if np.all(total):
    values *= (worth[-1] - worth[0]) / total
"""
        },
    ),
    Mistake(
        name="wrong-axis",
        part="shapley",
        title="The share was multiplied with another axis than that of the coalitions",
        why="@ sums the last axis but one; np.tensordot(share, added, axes=1) sums the first.",
        code=shares(("np.tensordot(share, added, axes=1)", "share @ added")),
    ),
    Mistake(
        name="slope-at-the-row",
        part="gradients",
        title="The slope at the row was taken for that of the way",
        why="There the function may be flat, or steeper than before: take slopes on the whole way.",
        code=steps(("start + (step + 0.5) / n_steps * (X - start)", "X")),
    ),
    Mistake(
        name="slopes-only",
        part="gradients",
        title="The slopes were not multiplied with the distance",
        why="A slope is an output for each unit of the feature: multiply it with X - start.",
        code=steps(("(X - start) * gradient", "gradient")),
    ),
    Mistake(
        name="times-the-value",
        part="gradients",
        title="The slopes were multiplied with the value of the row",
        why="The way begins at the baseline: multiply with the distance X - start.",
        code=steps(("values += (X - start)", "values += X")),
    ),
    Mistake(
        name="from-zero",
        part="gradients",
        title="The way began at zero",
        why="Zero is a black picture, or an hour at midnight: begin at the rows of the baseline.",
        code=steps(("start + (step + 0.5) / n_steps * (X - start)", "(step + 0.5) / n_steps * X")),
    ),
    Mistake(
        name="magnitudes",
        part="gradients",
        title="The slopes have lost their sign",
        why="A feature may lower the output: the attributions must sum to the change of it.",
        code=steps(("gradient(between)", "np.abs(gradient(between))")),
    ),
    Mistake(
        name="left-ends",
        part="gradients",
        title="The slopes were taken at the beginning of each step",
        why="The middle is at (step + 0.5) / n_steps; its error is much smaller.",
        code=steps(("step + 0.5", "step")),
    ),
    Mistake(
        name="right-ends",
        part="gradients",
        title="The slopes were taken at the end of each step",
        why="The middle is at (step + 0.5) / n_steps; its error is much smaller.",
        code=steps(("step + 0.5", "step + 1")),
    ),
    Mistake(
        name="steps-ignored",
        part="gradients",
        title="The number of steps is always the same",
        why="Take n_steps: the caller chooses between speed and a small error.",
        code={"ex-gradients": "n_steps = 100" + STEPS},
    ),
    Mistake(
        name="both-ends",
        part="gradients",
        title="The slopes were taken from end to end of the way, both ends included",
        why="np.linspace(0, 1, n_steps) has n_steps - 1 steps: take the middles of n_steps.",
        code=steps(("(step + 0.5) / n_steps", "np.linspace(0, 1, n_steps)[step]")),
    ),
    Mistake(
        name="trapezoids",
        part="gradients",
        title="The slope of each step was the mean of those at its two ends",
        why="Take one slope for each step, in its middle.",
        code=steps(
            ("        between = start + (step + 0.5) / n_steps * (X - start)\n", ""),
            (
                "gradient(between)",
                "sum(gradient(start + (step + end) / n_steps * (X - start)) / 2 for end in (0, 1))",
            ),
        ),
    ),
    Mistake(
        name="one-way-from-the-mean",
        part="gradients",
        title="The baseline was replaced by its mean row",
        why="Go from each row of the baseline, then take the mean of the attributions.",
        code={"ex-gradients": "baseline = baseline.mean(axis=0, keepdims=True)" + STEPS},
    ),
    Mistake(
        name="ways-summed",
        part="gradients",
        title="The attributions from several baseline rows were summed",
        why="They would grow with the baseline: divide by the number of its rows.",
        code=steps(("len(baseline) * n_steps", "n_steps")),
    ),
    Mistake(
        name="flattened",
        part="gradients",
        title="The gradient got flat rows in place of pictures",
        why="A network takes rows of its own shape only: pass them as they are.",
        code=steps(
            ("gradient(between)", "np.reshape(gradient(between.reshape(len(X), -1)), X.shape)")
        ),
    ),
    Mistake(
        name="last-copy",
        part="groups",
        title="Each column has overwritten the one before it",
        why="Add to what the group has already: +=, not =.",
        code=sums(("+= values", "= values")),
    ),
    Mistake(
        name="mean-of-columns",
        part="groups",
        title="The mean of the columns was taken",
        why="Shares of one thing add up: with the mean, the sum of the row would change.",
        code={
            "ex-groups": SUMS + "for i, name in enumerate(names):\n"
            "    summed[:, i] /= max(1, source.count(name))\n"
        },
    ),
    Mistake(
        name="magnitudes-summed",
        part="groups",
        title="The columns were summed without their signs",
        why="One column of a group may raise the output and another lower it.",
        code=sums(("+= values[:, column]", "+= np.abs(values[:, column])")),
    ),
    Mistake(
        name="greatest-column",
        part="groups",
        title="The greatest column stands for its group",
        why="Copies share what one of them would get: sum the shares.",
        code=sums(
            (
                "    summed[:, names.index(name)] += values[:, column]",
                """
    at = names.index(name)
    larger = np.abs(values[:, column]) > np.abs(summed[:, at])
    summed[:, at] = np.where(larger, values[:, column], summed[:, at])""",
            ),
        ),
    ),
    Mistake(
        name="order-of-appearance",
        part="groups",
        title="The groups stand in the order in which columns have them",
        why="The columns of the answer are names, in their order; some may have no column.",
        code={"ex-groups": "names = list(dict.fromkeys(source))" + SUMS},
    ),
    Mistake(
        name="sorted-names",
        part="groups",
        title="The groups stand in the order of the alphabet",
        why="The columns of the answer are names, in their order.",
        code={"ex-groups": "names = sorted(names)" + SUMS},
    ),
    Mistake(
        name="names-that-begin-alike",
        part="groups",
        title="Columns were given to every name that theirs begins with",
        why='"dest_delay" is no part of "dest": compare whole names.',
        code={
            "ex-groups": """
columns = [[i for i, s in enumerate(source) if s.startswith(name)] for name in names]
summed = np.stack([values[:, at].sum(axis=1) for at in columns], axis=1)
"""
        },
    ),
    Mistake(
        name="outputs-lost",
        part="groups",
        title="The outputs were not treated as an axis of their own",
        why="The operator @ sums the last axis, which may be that of the outputs. Sum axis 1.",
        code={
            "ex-groups": """
summed = values @ np.array([[float(s == name) for name in names] for s in source])
"""
        },
    ),
)

ALTERNATIVES = (
    Alternative(
        name="the mean over all orders, and loops over rows",
        code={
            "ex-baseline": """
def mixed(coalition, i):
    rows = baseline.copy()
    for j in range(m):
        if coalition & (1 << j):
            if isinstance(X, pd.DataFrame):
                rows[X.columns[j]] = X.iloc[i, j]
            else:
                rows[:, j] = X[i, j]
    return rows

for coalition in range(2**m):
    outputs = [np.asarray(predict(mixed(coalition, i))).reshape(b, -1) for i in range(n)]
    worth.append([output.mean(axis=0) for output in outputs])
""",
            "ex-shapley": """
from itertools import permutations

values[:] = 0
orders = list(permutations(range(n_players)))
for order in orders:
    before = 0
    for player in order:
        after = before | (1 << player)
        values[player] += worth[after] - worth[before]
        before = after
values /= len(orders)
""",
            "ex-gradients": """
middles = np.linspace(0, 1, 2 * n_steps + 1)[1::2]
ways = [
    (X - start) * np.mean([gradient(start * (1 - t) + X * t) for t in middles], axis=0)
    for start in baseline
]
values = np.mean(ways, axis=0)
""",
            "ex-groups": """
columns = [[i for i, s in enumerate(source) if s == name] for name in names]
summed = np.stack([values[:, at].sum(axis=1) for at in columns], axis=1)
""",
        },
    ),
    Alternative(
        name="factorials, sums of weights, and one large batch",
        code={
            "ex-baseline": """
everyone = np.arange(2**m)[:, None, None, None] >> np.arange(m) & 1
own = np.arange(n)[:, None, None]
other = n + np.arange(b)[:, None]
index = np.where(everyone == 1, own, other)
worth = np.reshape(predict(_take(X, baseline, index.reshape(-1, m))), (2**m, n, b, -1))
worth = np.average(worth, axis=2)
""",
            "ex-shapley": """
from math import factorial

values.fill(0)
for coalition in range(len(worth)):
    size = coalition.bit_count()
    for player in range(n_players):
        if coalition & 1 << player:
            weight = factorial(size - 1) * factorial(n_players - size)
        else:
            weight = -factorial(size) * factorial(n_players - size - 1)
        values[player] += weight / factorial(n_players) * worth[coalition]
""",
            "ex-gradients": """
t = (np.arange(n_steps) + 0.5) / n_steps
for i in range(len(X)):
    for start in baseline:
        away = X[i] - start
        rows = start + np.multiply.outer(t, away)
        values[i] += away * np.asarray(gradient(rows)).mean(axis=0) / len(baseline)
""",
            "ex-groups": """
member = np.array([[float(s == name) for s in source] for name in names])
summed = np.moveaxis(np.tensordot(values, member, axes=(1, 1)), -1, 1)
""",
        },
    ),
)
