"""What the exercise asks of an answer.

Games and functions are so small that every expected answer follows from its definition by hand, and
a message can show the whole input.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from patterns._kit.exercise import Case, check, explore

SOME = st.integers(-9, 9)


def listed(values: Any) -> str:
    """Numbers and texts as one would type them."""
    if isinstance(values, list | tuple):
        return f"[{', '.join(map(listed, values))}]"
    return repr(values) if isinstance(values, str) else f"{values + 0:g}"


def short(values: Any) -> str:
    """Rows as one would type them, many equal ones by their number."""
    rows = np.asarray(values).tolist()
    if len(rows) <= 8:
        return listed(rows)
    return " + ".join(f"[{listed(row)}] * {len([*equal])}" for row, equal in groupby(rows))


# --- baseline -------------------------------------------------------------------------------------

Predict = Callable[[Any], Any]
FUNCTIONS: dict[str, Predict] = {
    "the first column": lambda rows: rows[:, 0],
    "the sum of column j times 10**j": lambda rows: rows @ 10.0 ** np.arange(rows.shape[1]),
    "the product of the columns": lambda rows: rows.prod(axis=1),
    "the square of the sum": lambda rows: rows.sum(axis=1) ** 2,
    "the least column": lambda rows: rows.min(axis=1),
    "[sum, product]": lambda rows: np.stack([rows.sum(axis=1), rows.prod(axis=1)], axis=1),
    "[least, greatest, first]": lambda rows: np.stack(
        [rows.min(axis=1), rows.max(axis=1), rows[:, 0]], axis=1
    ),
}
SUM, PRODUCT, PAIR = (
    "the sum of column j times 10**j",
    "the product of the columns",
    "[sum, product]",
)


def worth_case(
    function: str, X: Sequence[Any], baseline: Sequence[Any], expected: Any = None, kind: str = ""
) -> Case:
    """What every coalition of features is worth; ``expected`` may leave out rows and outputs."""
    arguments = {"X": np.array(X, dtype=float), "baseline": np.array(baseline, dtype=float)}
    if expected is not None and np.ndim(expected) == 1:
        expected = np.reshape(expected, (-1, 1, 1))
    return Case(
        call=f"coalition_worth(predict, X={short(X)}, baseline={short(baseline)}), where predict "
        f"gives {function}",
        answer=lambda module: module.coalition_worth(FUNCTIONS[function], **arguments),
        expected=expected,
        reads="by coalition, row and output:",
        kind=kind,
        arguments=arguments,
    )


@check("baseline", why="What a feature adds is told by the model with its value and without it.")
def members_have_the_values_of_the_row() -> Iterator[Case]:
    """The members of a coalition have the values of the row, the others those of the baseline."""
    yield worth_case(SUM, [[1, 2]], [[5, 7]], [75, 71, 25, 21], kind="two features")
    three = [[4, 5, 6]], [[1, 2, 3]]
    expected = [321, 324, 351, 354, 621, 624, 651, 654]
    yield worth_case(SUM, *three, expected, kind="three features")
    yield worth_case(PRODUCT, [[3, 4]], [[1, 2]], [2, 6, 4, 12], kind="a product")
    yield worth_case(SUM, [[8]], [[-2]], [-2, 8], kind="one feature")


@check("baseline", why="The mean of all rows may be a row that no model has ever seen.")
def the_mean_is_taken_of_outputs() -> Iterator[Case]:
    """The model is asked for each row of the baseline, and then the mean is taken."""
    yield worth_case(PRODUCT, [[1, 3]], [[0, 0], [2, 2]], [2, 1, 3, 3], kind="a product")
    squares = [[1, 1]], [[0, 0], [3, 0], [0, 3]], [6, 6, 6, 4]
    yield worth_case("the square of the sum", *squares, kind="a square")
    three = [[2, 1, 1]], [[1, 1, 1], [3, 3, 3]], [14, 10, 5, 4, 5, 4, 2, 2]
    yield worth_case(PRODUCT, *three, kind="three features")
    least = [[5, 5]], [[0, 9], [9, 0], [8, 8], [7, 7]], [3.75, 3.75, 3.75, 5]
    yield worth_case("the least column", *least, kind="features that vary together")


@check("baseline", why="A hundred rows of three hundred are another question, and nobody is told.")
def every_baseline_row_counts() -> Iterator[Case]:
    """All rows of the baseline are used, and each counts the same, also where rows are equal."""
    long = [[0, 0]] * 100 + [[3, 3]] * 50
    yield worth_case(SUM, [[2, 5]], long, [11, 12, 51, 52], kind="150 rows")
    yield worth_case(
        PRODUCT, [[2, 4]], [[0, 0]] * 300 + [[4, 4]] * 100, [4, 2, 4, 8], kind="400 rows"
    )
    yield worth_case(SUM, [[5]], [[0], [0], [0], [4]], [1, 5], kind="equal rows")
    yield worth_case(PRODUCT, [[1, 1]], [[6, 1], [6, 1], [0, 1]], [4, 1, 4, 1], kind="equal rows")


@check("baseline", why="An explanation belongs to one prediction, and to one class of it.")
def each_row_and_output_has_its_own_worth() -> Iterator[Case]:
    """The answer has one entry for each coalition, row and output."""
    two = [[1, 2], [3, 4]], [[0, 0], [10, 10]]
    expected = np.array([[55, 55], [51, 53], [25, 45], [21, 43]])[:, :, None]
    yield worth_case(SUM, *two, expected, kind="rows")
    three = [[1], [2], [3]], [[4], [6]]
    yield worth_case(SUM, *three, [[[5]] * 3, [[1], [2], [3]]], kind="rows")
    both = [[[10, 25]], [[7, 10]], [[8, 15]], [[5, 6]]]
    yield worth_case(PAIR, [[2, 3]], [[5, 5]], both, kind="outputs")
    several = [[[3, 2], [3, 2]], [[5, 6], [2, 0]], [[2, 1], [4, 3]], [[4, 3], [3, 0]]]
    yield worth_case(PAIR, [[3, 1], [0, 3]], [[1, 2]], several, kind="rows and outputs")


def delay(rows: pd.DataFrame) -> Any:
    """A model that needs names, texts, and numbers that are numbers."""
    numbers = rows.select_dtypes("number").sum(axis=1).to_numpy(dtype=float)
    return numbers + 100.0 * (rows["origin"] == "JFK").to_numpy()


def frame_case(
    X: dict[str, list[Any]], baseline: dict[str, list[Any]], expected: Any = None, kind: str = ""
) -> Case:
    """What coalitions of the columns of a frame are worth."""
    arguments = {"X": pd.DataFrame(X), "baseline": pd.DataFrame(baseline)}

    def predict(rows: pd.DataFrame) -> Any:
        if [*rows.columns] != [*X]:  # as a model of scikit-learn asks
            raise ValueError(f"the columns must be {[*X]}, in this order, got {[*rows.columns]}")
        return delay(rows)

    def answer(module: Any) -> Any:
        frames = {name: frame.copy() for name, frame in arguments.items()}
        found = module.coalition_worth(predict, **frames)
        same = all(frames[name].equals(frame) for name, frame in arguments.items())
        return found if same else "a frame that was passed has changed"

    return Case(
        call=f"coalition_worth(delay, X, baseline) for the frames X={X} and baseline={baseline}; "
        "delay adds all numbers, and 100 where origin is 'JFK'",
        answer=answer,
        expected=None if expected is None else np.array(expected, dtype=float)[:, :, None],
        reads="by coalition, row and output:",
        kind=kind,
    )


@check(
    "baseline", why="A pipeline looks for its columns by name, and encodes texts but no numbers."
)
def frames_stay_frames() -> Iterator[Case]:
    """Where rows are a frame, the model gets a frame with the same columns and types."""
    yield frame_case(
        {"hour": [8], "origin": ["JFK"]},
        {"hour": [2, 4], "origin": ["EWR", "JFK"]},
        [[53], [58], [103], [108]],
        kind="a number and a text",
    )
    yield frame_case(
        {"origin": ["JFK", "LGA"], "hour": [1, 2]},
        {"origin": ["EWR"], "hour": [9]},
        [[9, 9], [109, 9], [1, 2], [101, 2]],
        kind="two rows",
    )
    yield frame_case(
        {"hour": [1], "origin": ["EWR"], "wind": [0.5]},
        {"hour": [2], "origin": ["JFK"], "wind": [0.25]},
        [[102.25], [101.25], [2.25], [1.25], [102.5], [101.5], [2.5], [1.5]],
        kind="whole numbers and fractions",
    )


@explore("baseline", why="Rows have ties and any size, and models any outputs.", n_examples=25)
def any_rows_and_baseline(draw: Any) -> Case:
    """The coalitions of any rows against any baseline are worth what the reference says."""
    n_features = draw(st.integers(1, 4))
    unit = draw(st.sampled_from([1.0, 1.0, 0.25, 1000.0]))
    row = st.lists(SOME.map(lambda i: unit * i), min_size=n_features, max_size=n_features)
    X = draw(st.lists(row, min_size=1, max_size=4))
    baseline = draw(st.lists(row, min_size=1, max_size=5))
    return worth_case(draw(st.sampled_from([*FUNCTIONS])), X, baseline)


@explore("baseline", why="Columns are texts and numbers, in any order.", n_examples=5)
def any_frames(draw: Any) -> Case:
    """The coalitions of any frame against any other are worth what the reference says."""
    kinds: dict[str, Any] = {
        "hour": SOME,
        "origin": st.sampled_from(["JFK", "EWR", "Newark Liberty", ""]),
        "wind": SOME.map(lambda i: i / 4),
        "plane": st.sampled_from(["a", "b"]),
    }
    names = draw(st.permutations(["origin", *draw(st.sets(st.sampled_from([*kinds]), max_size=2))]))
    names = [*dict.fromkeys(names)]
    n, b = draw(st.integers(1, 3)), draw(st.integers(1, 4))

    def table(size: int) -> dict[str, list[Any]]:
        return {name: draw(st.lists(kinds[name], min_size=size, max_size=size)) for name in names}

    return frame_case(table(n), table(b))


# --- shapley --------------------------------------------------------------------------------------


def game_case(worth: Any, expected: Any = None, kind: str = "") -> Case:
    """The shares of the players of a game."""
    arguments = {"worth": np.array(worth, dtype=float)}
    return Case(
        call=f"shapley_values({listed(arguments['worth'].tolist())})",
        answer=lambda module: module.shapley_values(**arguments),
        expected=expected,
        kind=kind,
        arguments=arguments,
    )


@check("shapley", why="Where no player depends on the others, nothing is to be shared.")
def players_who_add_alone_get_what_they_add() -> Iterator[Case]:
    """Where a player adds the same to every coalition, this is the share of the player."""
    yield game_case([0, 2, 4, 6], [2, 4], kind="two players")
    yield game_case([5, 7, 9, 11], [2, 4], kind="a worth of nobody")
    yield game_case([1, 4, 1, 4, 3, 6, 3, 6], [3, 0, 2], kind="a player who adds nothing")
    yield game_case([-2, -3], [-1], kind="one player")


@check(
    "shapley", why="The sum of the shares is right in any order of joining, and proves no share."
)
def players_who_need_each_other_share_alike() -> Iterator[Case]:
    """What two players add together only is shared by halves."""
    yield game_case([0, 0, 0, 6], [3, 3], kind="nothing alone")
    yield game_case([0, 1, 2, 5], [2, 3], kind="more together")
    yield game_case([0, 4, 4, 4], [2, 2], kind="copies of each other")
    yield game_case([1, 1, 3, 2], [-0.5, 1.5], kind="less together")


@check("shapley", why="In a random order, a player finds nobody as often as all the others.")
def coalitions_count_by_their_size() -> Iterator[Case]:
    """A share is a mean over all orders of joining, so coalitions of each size count the same."""
    yield game_case([0, 0, 0, 1, 0, 1, 0, 1], [2 / 3, 1 / 6, 1 / 6], kind="a glove and two others")
    yield game_case([0, 1, 2, 2, 3, 3, 3, 3], [1 / 3, 5 / 6, 11 / 6], kind="the longest runway")
    yield game_case([0] * 7 + [6], [2, 2, 2], kind="all three needed")
    votes = [float(np.bitwise_count(i) + (i & 1) >= 3) for i in range(16)]
    yield game_case(votes, [1 / 2, 1 / 6, 1 / 6, 1 / 6], kind="a vote of four, one with two voices")


@check("shapley", why="Rows and outputs are games of their own, with the same players.")
def each_column_is_a_game_of_its_own() -> Iterator[Case]:
    """The shares are computed for each entry of the other axes, which keep their place."""
    yield game_case(np.transpose([[0, 0, 0, 6], [0, 1, 2, 5]]), [[3, 2], [3, 3]], kind="rows")
    games = np.array([[[0, 0, 0, 6], [0, 1, 2, 5]], [[1, 1, 3, 2], [0, 4, 4, 4]]])
    shares = [[[3, 2], [-0.5, 2]], [[3, 3], [1.5, 2]]]
    yield game_case(np.moveaxis(games, -1, 0), shares, kind="rows and outputs")
    three = np.array([[[0, 0, 0, 1, 0, 1, 0, 1], [0] * 7 + [6], [0, 1, 2, 2, 3, 3, 3, 3]]])
    shares = [[[2 / 3, 2, 1 / 3]], [[1 / 6, 2, 5 / 6]], [[1 / 6, 2, 11 / 6]]]
    yield game_case(np.moveaxis(three, -1, 0), shares, kind="rows and outputs of three players")


@explore("shapley", why="Features help and hinder each other in any way.", n_examples=30)
def any_game(draw: Any) -> Case:
    """The shares in any game are those of the reference."""
    n_players = draw(st.integers(1, 4))
    shape = draw(st.sampled_from([(), (1,), (2,), (2, 2), (1, 3)]))
    unit = draw(st.sampled_from([1.0, 1.0, 1e-3, 1e6]))
    size = 2**n_players * int(np.prod(shape))
    worth = unit * np.array(draw(st.lists(SOME, min_size=size, max_size=size)), dtype=float)
    return game_case(worth.reshape(2**n_players, *shape))


@cache
def classifier(n_classes: int) -> LogisticRegression:
    """A model of three features, for probabilities that do not add up by themselves."""
    random = np.random.default_rng(0)
    X = random.normal(size=(60, 3))
    return LogisticRegression().fit(X, np.digitize(X.sum(axis=1), [0, 2][: n_classes - 1]))


@explore("shapley", why="The games are those of a model, its rows and a baseline.", n_examples=8)
def any_model_is_explained(draw: Any) -> Case:
    """The explanation of a model of few features is that of the reference."""
    n_classes = draw(st.sampled_from([0, 2, 3]))
    model = classifier(n_classes) if n_classes else FUNCTIONS[PRODUCT]
    row = st.lists(SOME.map(lambda i: i / 4), min_size=3, max_size=3)
    X = np.array(draw(st.lists(row, min_size=1, max_size=3)))
    baseline = np.array(draw(st.lists(row, min_size=1, max_size=4)))
    link = "probability" if n_classes else None

    def answer(module: Any) -> Any:
        found = module.explain(model, X, baseline=baseline, link=link)
        return [*np.ravel(found.values), *np.ravel(found.base_value)]

    name = f"a LogisticRegression of {n_classes} classes" if n_classes else PRODUCT
    return Case(
        call=f"explain(model, X={short(X)}, baseline={short(baseline)}, link={link!r}) for {name}; "
        "it asks coalition_worth as well",
        answer=answer,
        reads="values, then base values:",
        arguments={"X": X, "baseline": baseline},
    )


# --- gradients ------------------------------------------------------------------------------------

SLOPES: dict[str, Predict] = {
    "x**2": lambda x: 2 * x,
    "x**3": lambda x: 3 * x**2,
    "exp(x)": np.exp,
    "x0 * x1": lambda x: x[:, ::-1],
    "x0 * x1**2": lambda x: np.stack([x[:, 1] ** 2, 2 * x[:, 0] * x[:, 1]], axis=1),
    "x00**2 + 2 * x01**2 + 3 * x10**2 + 4 * x11**2": lambda x: (
        2 * x * np.array([[1.0, 2.0], [3.0, 4.0]])
    ),
    "x00**3 + x01**3 + x10**3 + x11**3 + x10 * x11": lambda x: (
        3 * x**2 + x[:, :, ::-1] * np.array([[0.0], [1.0]])
    ),
}
PICTURE, CUBES = [name for name in SLOPES if "x00" in name]


def path_case(
    function: str,
    X: Sequence[Any],
    baseline: Sequence[Any],
    expected: Any = None,
    n_steps: int | None = None,
    kind: str = "",
) -> Case:
    """The integrated gradients of a function."""
    arguments = {"X": np.array(X, dtype=float), "baseline": np.array(baseline, dtype=float)}
    steps = {} if n_steps is None else {"n_steps": n_steps}
    given = "" if n_steps is None else f", n_steps={n_steps}"
    return Case(
        call=f"integrated_gradients(gradient, X={short(X)}, baseline={short(baseline)}{given}), "
        f"where gradient is that of {function}",
        answer=lambda module: module.integrated_gradients(SLOPES[function], **arguments, **steps),
        expected=expected,
        kind=kind,
        arguments=arguments,
    )


@check("gradients", why="Where a function is flat at the row, it may have risen on the way.")
def slopes_on_the_way_are_summed() -> Iterator[Case]:
    """An attribution is the mean slope from the baseline to the row, times the distance."""
    yield path_case("x**2", [[3]], [[0]], [[9]], kind="from zero")
    yield path_case("x**2", [[3]], [[1]], [[8]], kind="from elsewhere")
    yield path_case("x0 * x1", [[2, 5]], [[1, 1]], [[3, 6]], kind="two features")
    yield path_case("x0 * x1", [[4, -2]], [[0, 0]], [[-4, -4]], kind="a fall")
    yield path_case("x**2", [[1], [-5]], [[3]], [[-8], [16]], kind="two rows")


@check(
    "gradients",
    why="The caller chooses the steps by the error of the sum, and pays for each of them.",
)
def each_step_has_its_slope_in_the_middle() -> Iterator[Case]:
    """The way has n_steps equal steps, and the slope of each is that in its middle."""
    for n_steps, value in ((1, 6), (2, 7.5), (4, 7.875)):
        yield path_case("x**3", [[2]], [[0]], [[value]], n_steps, kind=f"n_steps={n_steps}")
    yield path_case("x0 * x1**2", [[2, 4]], [[0, 0]], [[8, 16]], 1, kind="n_steps=1")
    yield path_case("x0 * x1**2", [[2, 4]], [[0, 0]], [[10, 20]], 2, kind="n_steps=2")


@check("gradients", why="One picture as a baseline hides what the row has in common with it.")
def the_mean_is_taken_over_baseline_rows() -> Iterator[Case]:
    """There is a way from each row of the baseline, and the answer is the mean of them."""
    yield path_case("x**2", [[4]], [[0], [2]], [[14]], kind="one row")
    yield path_case("x**2", [[1], [3]], [[-3], [0], [3]], [[-5], [3]], kind="two rows")
    pairs = [[2, 2], [0, 4]], [[0, 0], [2, 0]]
    yield path_case("x0 * x1", *pairs, [[1, 3], [-2, 2]], kind="two features")


@check("gradients", why="The answer is shown as a picture, pixel by pixel.")
def pictures_keep_their_shape() -> Iterator[Case]:
    """Rows of any shape are passed to the gradient as they are, and the answer has that shape."""
    one = [[[1, 0], [2, 3]]], [[[0, 0], [0, 0]]], [[[1, 0], [12, 36]]]
    yield path_case(PICTURE, *one, kind="a black baseline")
    white = [[[1, 0], [2, 3]]], [[[1, 1], [1, 1]]], [[[0, -2], [9, 32]]]
    yield path_case(PICTURE, *white, kind="a white baseline")
    two = [[[1, 0], [2, 3]], [[0, 1], [1, 0]]], [[[0, 0], [0, 0]], [[1, 1], [1, 1]]]
    wanted = [[[0.5, -1], [10.5, 34]], [[-0.5, 1], [1.5, -2]]]
    yield path_case(PICTURE, *two, wanted, kind="two of each")


@explore("gradients", why="Rows, baselines and numbers of steps are any.", n_examples=30)
def any_way_to_any_rows(draw: Any) -> Case:
    """The integrated gradients are those of the reference, whatever the number of steps."""
    function = draw(st.sampled_from([*SLOPES]))
    shape = (2, 2) if "x00" in function else (2,) if "x0" in function else (3,)
    size = int(np.prod(shape))
    unit = draw(st.sampled_from([0.25, 0.25, 5.0]))

    def rows(most: int) -> Any:
        flat = st.lists(SOME.map(lambda i: unit * i), min_size=size, max_size=size)
        return np.reshape(draw(st.lists(flat, min_size=1, max_size=most)), (-1, *shape)).tolist()

    n_steps = draw(st.sampled_from([None, 1, 2, 3, 10]))
    return path_case(function, rows(3), rows(3), n_steps=n_steps)


# --- groups ---------------------------------------------------------------------------------------


def group_case(
    values: Any, source: Sequence[str], names: Sequence[str], expected: Any = None, kind: str = ""
) -> Case:
    """Attributions, summed by where their columns come from."""
    arguments = {"values": np.array(values, dtype=float)}
    lists = {"source": [*source], "names": [*names]}
    return Case(
        call=f"sum_by_source({listed(arguments['values'].tolist())}, source={listed([*source])}, "
        f"names={listed([*names])})",
        answer=lambda module: module.sum_by_source(**arguments, **lists),
        expected=expected,
        kind=kind,
        arguments=arguments | lists,
    )


@check("groups", why="Four copies share what one would get, and each of them looks unimportant.")
def columns_of_one_source_are_summed() -> Iterator[Case]:
    """The attribution of a group is the sum of those of its columns, with their signs."""
    yield group_case([[1, 2, 5]], ["a", "a", "b"], ["a", "b"], [[3, 5]], kind="one-hot columns")
    yield group_case([[4, -3, -2]], ["a", "a", "a"], ["a"], [[-1]], kind="other signs")
    yield group_case([[2, 2, 2, 2, 6]], [*"aaaab"], ["a", "b"], [[8, 6]], kind="copies")
    yield group_case([[7, -1]], ["b", "a"], ["b", "a"], [[7, -1]], kind="no groups")


@check("groups", why="The shares stand beside the data, so they need the order of its columns.")
def the_answer_has_the_order_of_names() -> Iterator[Case]:
    """The answer has one column for each name, in their order, also for one without columns."""
    mixed = [[1, 20, 3, 40]], ["b", "a", "b", "a"]
    yield group_case(*mixed, ["a", "b"], [[60, 4]], kind="in turns")
    yield group_case(*mixed, ["b", "a"], [[4, 60]], kind="in turns")
    yield group_case([[1, 2]], ["hour", "wind"], ["wind", "hour"], [[2, 1]], kind="another order")
    yield group_case([[5, 6]], ["c", "c"], ["a", "c", "b"], [[0, 11, 0]], kind="no columns")
    alike = [[1, 2, 4]], ["dest", "dest_delay", "dest"], ["dest", "dest_delay"]
    yield group_case(*alike, [[5, 2]], kind="names that begin alike")
    alike = [[1, 2, 4]], ["a", "weekday", "day"], ["weekday", "day", "a"]
    yield group_case(*alike, [[2, 4, 1]], kind="names that end alike")
    alike = [[3, 5]], ["a_b", "a"], ["a", "a_b"]
    yield group_case(*alike, [[5, 3]], kind="names that begin alike")


@check("groups", why="A column may help one class and hinder another, in one row and not the next.")
def each_row_and_output_is_summed_by_itself() -> Iterator[Case]:
    """Rows and outputs keep their place: only columns are summed."""
    rows = [[1, 2, 3], [10, 20, 30]]
    yield group_case(rows, ["a", "b", "a"], ["a", "b"], [[4, 2], [40, 20]], kind="rows")
    outputs = [[[1, -1], [2, -2]], [[3, 0], [5, 6]]]
    yield group_case(outputs, ["a", "a"], ["a"], [[[3, -3]], [[8, 6]]], kind="rows and outputs")
    square = [[[1, 2, 3], [10, 20, 30], [4, 5, 6]]]
    summed = [[[5, 7, 9], [10, 20, 30]]]
    yield group_case(square, ["a", "b", "a"], ["a", "b"], summed, kind="as many outputs as columns")


@explore("groups", why="Groups have any size and order.", n_examples=20)
def any_groups(draw: Any) -> Case:
    """The sums of any groups are those of the reference."""
    names = draw(st.permutations(["a", "b", "ab", "B", ""]))[: draw(st.integers(1, 5))]
    source = draw(st.lists(st.sampled_from(names), min_size=1, max_size=6))
    outputs = draw(st.sampled_from([(), (1,), (2,), (len(source),)]))
    shape = (draw(st.integers(1, 3)), len(source), *outputs)
    size = int(np.prod(shape))
    values = np.reshape(draw(st.lists(SOME, min_size=size, max_size=size)), shape)
    return group_case(values / 4, source, names)


@cache
def encoded(n_targets: int) -> tuple[Pipeline, pd.DataFrame]:
    """A linear model behind an encoder, and its training rows."""
    random = np.random.default_rng(1)
    X = pd.DataFrame(
        {
            "hour": random.integers(0, 24, 40).astype(float),
            "origin": random.choice(["EWR", "JFK", "LGA"], 40),
            "wind": random.normal(size=40).round(2),
            "plane": random.choice(["a", "b"], 40),
        }
    )
    y = np.stack([X["hour"] + (X["origin"] == "JFK"), X["wind"] - (X["plane"] == "a")], axis=1)
    columns = [("text", OneHotEncoder(), ["plane", "origin"])]
    columns += [("number", StandardScaler(), ["wind", "hour"])]
    target = y[:, 0] if n_targets == 1 else y
    return make_pipeline(ColumnTransformer(columns), LinearRegression()).fit(X, target), X


@explore("groups", why="An encoder makes many columns of one, and moves them.", n_examples=5)
def any_pipeline_with_an_encoder(draw: Any) -> Case:
    """The explanation of a pipeline, by input column and grouped, is that of the reference."""
    n_targets = draw(st.sampled_from([1, 2]))
    pipeline, rows = encoded(n_targets)
    at = draw(st.lists(st.integers(0, len(rows) - 1), min_size=1, max_size=3))
    order = draw(st.permutations([*rows]))
    X, baseline = rows[order].iloc[at], rows[order].head(draw(st.integers(1, 20)))
    group = draw(st.lists(st.sampled_from(order), min_size=1, max_size=3, unique=True))

    def answer(module: Any) -> Any:
        found = module.explain(pipeline, X, baseline=baseline)
        return [*np.ravel(found.values), *np.ravel(found.grouped({"group": group}).values)]

    return Case(
        call=f"explain(pipeline, X, baseline=rows) for a linear model of {n_targets} targets "
        f"behind an encoder, and .grouped({{'group': {group}}}), for {len(X)} rows of {order}",
        answer=answer,
        reads="values by column of the input, then by group:",
    )
