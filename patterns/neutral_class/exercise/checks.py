"""What the exercise asks of an answer.

The inputs are a few rows that a message can show whole, and the expected numbers are derived from
what the votes, the coins and the costs mean, not from the pattern's own lines.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from patterns._kit.exercise import Case, check, explore

FloatArray = NDArray[np.float64]
Rows = Sequence[Sequence[float]] | FloatArray


# --- labels ---------------------------------------------------------------------------------------


def labels_case(votes: Sequence[Sequence[int]], neutral_label: int = 2) -> Case:
    """Votes and labels that are numbers."""
    return Case(
        call=f"labels_from_votes({shown(votes)}, neutral_label={neutral_label})",
        answer=lambda module: module.labels_from_votes(votes, neutral_label),
        expected=[row[0] if len(set(row)) == 1 else neutral_label for row in votes],
        reads="the labels",
    )


def random_votes(n: int, n_experts: int, seed: int) -> list[list[int]]:
    """Rows that are unanimous about as often as not."""
    rng = np.random.default_rng(seed)
    votes = np.repeat(rng.integers(0, 2, (n, 1)), n_experts, axis=1)
    dissent = rng.integers(0, 2, n) * rng.integers(1, n_experts, n)
    votes[np.arange(n_experts) < dissent[:, None]] ^= 1
    return [list(map(int, rng.permutation(row))) for row in votes]


@check("labels", why="Neutral is the exception: most cases have an answer, and that is the label.")
def a_unanimous_vote_is_the_label() -> Iterator[Case]:
    """What all experts of a row voted for is its label."""
    yield labels_case([[0, 0, 0], [1, 1, 1]])
    yield labels_case([[1, 1], [1, 1], [0, 0]], neutral_label=7)
    yield labels_case([[3, 3, 3, 3], [3, 3, 3, 3]], neutral_label=4)


@check("labels", why="Two experts who contradict each other are what the pattern learns from.")
def an_even_split_is_neutral() -> Iterator[Case]:
    """Where half of the experts vote for each label, the label is neutral."""
    yield labels_case([[0, 1], [0, 0], [1, 0], [1, 1]])
    yield labels_case([[0, 1, 0, 1], [1, 1, 1, 1], [1, 0, 0, 1]], neutral_label=7)
    yield labels_case([[5, 3, 3, 5], [3, 5, 3, 5], [5, 5, 5, 5]], neutral_label=4)


@check("labels", why="An odd number of votes always has a majority, so neutral would vanish.")
def one_vote_against_is_enough() -> Iterator[Case]:
    """A single expert who disagrees makes the row neutral, whoever it is."""
    yield labels_case([[0, 0, 1], [0, 1, 0], [1, 0, 0], [1, 1, 1]])
    yield labels_case([[1] * 9 + [0], [0] + [1] * 9, [1] * 10], neutral_label=7)
    yield labels_case(random_votes(6, 5, seed=0))
    yield labels_case(random_votes(8, 4, seed=1), neutral_label=3)


def learned_case(votes: Sequence[Sequence[Any]], neutral_label: Any) -> Case:
    """The classes that a classifier finds in the labels."""
    names = [*dict.fromkeys(vote for row in votes for vote in row), neutral_label]
    X = np.arange(len(votes))[:, None]

    def answer(module: Any) -> Any:
        return LogisticRegression().fit(X, module.labels_from_votes(votes, neutral_label)).classes_

    return Case(
        call=f"LogisticRegression().fit(X, labels_from_votes({shown(votes)}, "
        f"{neutral_label!r})).classes_",
        answer=answer,
        view=lambda classes: sorted(
            names.index(name) if name in names else -1 for name in classes.tolist()
        ),
        expected=[0, 1, 2],
        reads=f"classes of these positions in {names} (-1 for any other):",
        kind="words" if isinstance(neutral_label, str) else "numbers",
    )


@check("labels", why="The labels are made for a classifier, and their names are in its classes_.")
def a_classifier_can_learn_the_labels() -> Iterator[Case]:
    """A classifier finds the two labels and the neutral one, in full, in words and in numbers."""
    yield learned_case([["A", "A"], ["A", "B"], ["B", "B"]], "either")
    yield learned_case([["yes"] * 3, ["no"] * 3, ["yes", "no", "no"]], "no preference")
    yield learned_case([[0, 0], [0, 1], [1, 1]], 2)
    yield learned_case([[1, 1, 1], [5, 5, 5], [5, 1, 5]], 3)


LABELS: tuple[tuple[Any, Any, Any], ...] = (  # two of the votes, and the neutral one
    ("A", "B", "either"),
    ("acetaminophen", "ibuprofen", "-"),
    ("nan", "None", ""),
    ("0", "1", "0|1"),
    ("A|B", "A,B", "A B"),
    ("a;b:c", "a-b_c/d", "a"),
    ("a\x1fb", "a\x00b", "\t"),
    (0, 1, 2),
    (-5, 1_000_000, 7),
    (1, 2, 0),
    (False, True, 2),
    (0.0, 1.0, -1.0),
)


@explore("labels", why="Votes come as lists, arrays and frames, in words and in numbers.")
def any_votes(draw: Any) -> Case:
    """Any votes have the labels of the reference, and a classifier can learn them."""
    first, second, neutral = draw(st.sampled_from(LABELS))
    n_experts = draw(st.integers(2, 6))
    row = st.lists(st.sampled_from([first, second]), min_size=n_experts, max_size=n_experts)
    alike = st.sampled_from([[first] * n_experts, [second] * n_experts])
    listed = draw(st.lists(st.one_of(alike, row), min_size=1, max_size=7))
    form = draw(st.sampled_from(["lists", "array", "objects", "frame"]))
    votes: Any = {
        "lists": listed,
        "array": np.array(listed),
        "objects": np.array(listed, dtype=object),
        "frame": pd.DataFrame(listed, columns=[f"expert {i}" for i in range(n_experts)]),
    }[form]

    def answer(module: Any) -> Any:
        labels = module.labels_from_votes(votes, neutral)
        DummyClassifier().fit(np.zeros((len(listed), 1)), labels)
        return labels

    kind = "" if form == "lists" else f"{form.rstrip('s')} of "
    return Case(
        call=f"labels_from_votes({kind}{listed}, neutral_label={neutral!r})",
        answer=answer,
        view=lambda labels: np.asarray(labels),
        reads="the labels",
        arguments={"votes": votes},
    )


# --- correction -----------------------------------------------------------------------------------


def tossed(n_votes: int, neutral_column: int) -> FloatArray:
    """What experts show of each state, by all the ways in which their coins can fall."""
    labels = [column for column in range(3) if column != neutral_column]
    rates = np.eye(3)
    rates[neutral_column] = 0
    for coins in itertools.product(labels, repeat=n_votes):
        shown = coins[0] if len(set(coins)) == 1 else neutral_column
        rates[neutral_column, shown] += 0.5**n_votes
    return rates


def rates_case(n_votes: int, neutral_column: int) -> Case:
    """All rates."""
    return Case(
        call=f"coin_toss_label_rates(n_votes={n_votes}, neutral_column={neutral_column})",
        answer=lambda module: module.coin_toss_label_rates(n_votes, neutral_column),
        expected=tossed(n_votes, neutral_column),
        kind=f"neutral {('first', 'in the middle', 'last')[neutral_column]}",
    )


def neutral_case(n_votes: int) -> Case:
    """Only the rate of neutral labels in neutral cases is looked at."""
    return replace(
        rates_case(n_votes, 1),
        view=lambda rates: np.asarray(rates)[1, 1],
        expected=tossed(n_votes, 1)[1, 1],
        reads="a rate of neutral labels in neutral cases of",
    )


@check("correction", why="Two coins fall alike half of the time, so half of the neutrals hide.")
def two_votes_show_half_of_the_neutrals() -> Iterator[Case]:
    """Two votes show half of the neutral cases as neutral, and all others as what they are."""
    yield neutral_case(2)
    yield replace(
        rates_case(2, 1),
        view=lambda rates: np.asarray(rates)[[0, 2]],
        expected=tossed(2, 1)[[0, 2]],
        reads="rows of the other two states",
    )


@check("correction", why="Three coins fall alike less often than two, and ten hardly ever.")
def more_votes_show_more_of_the_neutrals() -> Iterator[Case]:
    """With more votes, fewer neutral cases hide: of m votes a share of 2 ** (1 - m)."""
    for n_votes in (3, 4, 10):
        yield neutral_case(n_votes)


@check("correction", why="A hidden neutral case looks like either label, by the same chance.")
def who_hides_looks_like_either_label() -> Iterator[Case]:
    """Hidden neutral cases are shared by both labels."""
    for n_votes in (2, 3, 5):
        yield rates_case(n_votes, 1)


@check("correction", why='Classes are sorted: "either" may come in the middle, "neutral" last.')
def any_column_may_be_the_neutral_one() -> Iterator[Case]:
    """The neutral state may be any of the three."""
    yield rates_case(2, 2)
    yield rates_case(3, 0)
    yield rates_case(4, 2)


def correction_case(
    proba: Rows, rates: Any, expected: Rows, neutral_column: int = 1, kind: str = ""
) -> Case:
    """Rows of probabilities and what they should become."""
    rows, matrix = np.asarray(proba, dtype=float), np.asarray(rates, dtype=float)
    return Case(
        call=f"correct_label_noise({shown(rows)}, label_rates={shown(matrix)}, "
        f"neutral_column={neutral_column})",
        answer=lambda module: module.correct_label_noise(
            rows.copy(), matrix.copy(), neutral_column
        ),
        expected=expected,
        kind=kind,
    )


def undone_case(truth: Rows, rates: Any, order: Sequence[int] = (0, 1, 2)) -> Case:
    """What the rates did to the truth, in columns of this order, is undone."""
    true, matrix = np.asarray(truth, dtype=float), np.asarray(rates, dtype=float)
    # A label is shown as often as it is in each state, times how probable that state is.
    labels = sum(true[:, [state]] * matrix[state] for state in range(3))
    return correction_case(
        labels[:, order], matrix[np.ix_(order, order)], true[:, order], list(order).index(1)
    )


SOME = [[0.5, 0.4, 0.1], [0.2, 0.2, 0.6], [0.3, 0.6, 0.1]]
OTHERS = [[0.1, 0.8, 0.1], [0.7, 0.2, 0.1]]
HABIT = [[1.0, 0, 0], [0.6, 0.3, 0.1], [0, 0, 1]]  # experts who mostly say the first label
MISTAKES = [[0.7, 0.3, 0], [0.25, 0.5, 0.25], [0.05, 0.2, 0.75]]


@check("correction", why="Each label is a sum over the states: solve it for the states.")
def what_coins_did_is_undone() -> Iterator[Case]:
    """Of labels by coin toss, the probability of each state is found again."""
    yield undone_case(SOME, tossed(2, 1))
    yield undone_case(OTHERS, tossed(3, 1))
    yield undone_case([[0.8, 0.2, 0], [0.45, 0.5, 0.05]], tossed(4, 1))


@check("correction", why="Experts may have a habit, copy, or err: then the rates are measured.")
def measured_rates_are_used() -> Iterator[Case]:
    """What experts with a habit, and experts who make mistakes, did is undone, too."""
    yield undone_case(SOME, HABIT)
    yield undone_case(OTHERS, HABIT)
    yield undone_case(SOME, MISTAKES)
    yield undone_case(OTHERS, MISTAKES)


@check("correction", why="Columns are those of classes_, and the rows of the costs match them.")
def columns_keep_their_order() -> Iterator[Case]:
    """The neutral column may be any of the three, and stays where it was."""
    yield undone_case(SOME, tossed(2, 1), order=(0, 2, 1))
    yield undone_case(OTHERS, tossed(3, 1), order=(1, 0, 2))
    yield undone_case(SOME, HABIT, order=(2, 0, 1))


@check("correction", why="Estimates err: a model may predict what no coins could have made.")
def the_result_is_a_probability() -> Iterator[Case]:
    """Neutral ends at 0 and 1; a label ends at 0, and the other one has what neutral leaves."""
    # 0.4 / (1 - 1/2) = 0.8 neutral, and 0.8 / 4 = 0.2 less for each: 0 would become -0.2.
    below = "a label below 0"
    yield correction_case([[0.6, 0.4, 0]], tossed(2, 1), [[0.2, 0.8, 0]], kind=below)
    rows = [[0.1, 0.3, 0.6], [0.5, 0.3, 0.2]]
    corrected = [[0, 0.6, 0.4], [0.35, 0.6, 0.05]]
    yield correction_case(rows, tossed(2, 1), corrected, kind=below)
    yield correction_case([[0.02, 0.6, 0.38]], tossed(3, 1), [[0, 0.8, 0.2]], kind=below)
    above = "more disagreement than coins make"
    rows, corrected = [[0.1, 0.8, 0.1], [0.45, 0.55, 0]], [[0, 1, 0], [0, 1, 0]]
    yield correction_case(rows, tossed(2, 1), corrected, kind=above)
    rows, corrected = [[0, 0.1, 0.9], [0, 1, 0]], [[0, 0.4 / 3, 2.6 / 3], [0, 1, 0]]
    yield correction_case(rows, tossed(3, 1), corrected, kind=above)
    # The two labels share the whole.
    err = [[0.8, 0.2, 0], [0.25, 0.5, 0.25], [0, 0.2, 0.8]]
    rows, corrected = [[0.5, 0, 0.5], [0.4, 0.2, 0.4]], [[0.5, 0, 0.5], [0.5, 0, 0.5]]
    yield correction_case(rows, err, corrected, kind="less disagreement than mistakes make")


@check(
    "correction",
    why="The raw probabilities may still be needed, and another call would correct them twice.",
)
def the_callers_array_stays_as_it_is() -> Iterator[Case]:
    """The array that was passed in is not changed."""
    for n_votes, order in ((2, (0, 1, 2)), (3, (0, 2, 1))):
        rates = tossed(n_votes, 1)
        case = undone_case(SOME, rates, order)
        given = (np.array(SOME) @ rates)[:, order]
        yield replace(
            case,
            call=f"{case.call}, and then the array that was passed in",
            answer=passed_in(given, rates[np.ix_(order, order)], list(order).index(1)),
            expected=given,
        )


def passed_in(given: FloatArray, rates: FloatArray, neutral_column: int) -> Any:
    """Ask for the array after the call."""

    def answer(module: Any) -> Any:
        array = given.copy()
        module.correct_label_noise(array, rates, neutral_column)
        return array

    return answer


@explore("correction", why="Any number of experts may vote, and any class may be the neutral one.")
def any_coins(draw: Any) -> Case:
    """Of any number of votes, the rates are those of the reference."""
    n_votes, neutral_column = draw(st.integers(2, 40)), draw(st.integers(0, 2))
    return (
        rates_case(n_votes, neutral_column)
        if n_votes < 8
        else replace(
            rates_case(2, neutral_column),
            call=f"coin_toss_label_rates(n_votes={n_votes}, neutral_column={neutral_column})",
            answer=lambda module: module.coin_toss_label_rates(n_votes, neutral_column),
        )
    )


@st.composite
def any_rates(draw: Any) -> FloatArray:
    """Rates by which each state is shown as itself more often than not; some are 0."""
    rates = np.eye(3) * 12
    for state, label in itertools.permutations(range(3), 2):
        rates[state, label] = draw(st.sampled_from([0, 0, 1, 3, 5]))
    scaled: FloatArray = rates / rates.sum(axis=1, keepdims=True)
    return scaled


@explore(
    "correction", why="Rows differ, experts differ, and a model may predict what no coins made."
)
def any_correction(draw: Any) -> Case:
    """Any probabilities are corrected by any rates as the reference corrects them."""
    parts = st.lists(st.integers(0, 9), min_size=3, max_size=3).filter(any)
    rows = np.array(draw(st.lists(parts, min_size=1, max_size=5)), dtype=float)
    proba = rows / rows.sum(axis=1, keepdims=True)
    neutral_column = draw(st.integers(0, 2))
    coins = draw(st.integers(2, 5))
    rates = draw(st.one_of(st.just(tossed(coins, neutral_column)), any_rates()))
    given: Any = pd.DataFrame(proba) if draw(st.booleans()) else proba
    form = "frame of " * isinstance(given, pd.DataFrame)
    return Case(
        call=f"correct_label_noise({form}{shown(proba)}, label_rates={shown(rates)}, "
        f"neutral_column={neutral_column})",
        answer=lambda module: module.correct_label_noise(given, rates, neutral_column),
        arguments={"proba": given, "label_rates": rates},
    )


@explore(
    "correction", why="A model corrects each row that it predicts, wherever neutral is sorted."
)
def any_corrected_model(draw: Any) -> Case:
    """Of any model, the corrected probabilities are those of the reference."""
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    neutral = draw(st.sampled_from(["a", "m", "z"]))
    names = np.array(["b", neutral, "y"])
    state = np.concatenate([np.arange(3), rng.integers(0, 3, 21)])
    X = np.round(rng.normal(size=(24, 1)) + state[:, None], 1)
    rates: Any = draw(st.one_of(st.integers(2, 6), any_rates()))
    X_new = np.round(rng.normal(1, 2, (draw(st.integers(1, 4)), 1)), 1)

    def answer(module: Any) -> Any:
        if isinstance(rates, int):
            found = module.coin_toss_label_rates(rates, sorted(names.tolist()).index(neutral))
        else:
            found = rates
        model = module.NeutralClassClassifier(
            GaussianNB(), neutral_label=neutral, label_rates=found
        )
        return model.fit(X, names[state]).predict_proba(X_new)

    given = f"those of {rates} coins" if isinstance(rates, int) else shown(rates)
    return Case(
        call=f"NeutralClassClassifier(GaussianNB(), neutral_label={neutral!r}, label_rates={given})"
        f".fit(X, y).predict_proba({shown(X_new)}), for X={shown(X[:, 0])} as a column and "
        f"y={names[state].tolist()}",
        answer=answer,
        arguments={"X": X_new},
    )


# --- decision -------------------------------------------------------------------------------------


def decision_case(proba: Rows, cost: Rows) -> Case:
    """The cheapest action, by adding up what each may cost."""
    rows, costs = np.asarray(proba).tolist(), np.asarray(cost).tolist()
    expected = []
    for row in rows:
        sums = [float(np.dot(row, column)) for column in np.transpose(costs)]
        expected.append(sums.index(min(sums)))
    return Case(
        call=f"least_costly_action({shown(rows)}, cost_matrix={shown(costs)})",
        answer=lambda module: module.least_costly_action(rows, costs),
        expected=expected,
        reads="columns of the costs, counted from 0:",
    )


CERTAIN = np.eye(3)
CHOW = [[0, 1, 0.2], [1, 0, 0.2]]
FREE_CHOICE = [[0, 1, 0.2], [0, 0, 0.2], [1, 0, 0.2]]
REVIEW_ONLY = [[0, 1, 0.2], [1, 1, 0.2], [1, 0, 0.2]]


@check(
    "decision", why="A row of the costs is a class and a column is an action. They need not match."
)
def a_certain_class_gets_its_cheapest_action() -> Iterator[Case]:
    """Where the class is certain, the action is the cheapest of its row."""
    yield decision_case(CERTAIN, [[5, 1, 3], [2, 4, 6], [7, 8, 0]])
    yield decision_case(CERTAIN[[2, 0, 1, 1]], [[3, 1], [0, 2], [4, 9]])
    yield decision_case([[0, 1], [1, 0]], [[4, 2, 9, 1], [0, 3, -1, 2]])


@check("decision", why="With two classes and a review this is Chow's rule, the baseline to beat.")
def doubt_is_reviewed() -> Iterator[Case]:
    """With the costs 0, 1 and a price, review where the larger probability is too small."""
    yield decision_case([[0.9, 0.1], [0.7, 0.3], [0.3, 0.7], [0.15, 0.85]], CHOW)
    yield decision_case([[0.9, 0.1], [0.55, 0.45], [0.3, 0.7]], [[0, 1, 0.4], [1, 0, 0.4]])
    yield decision_case([[0.94, 0.06], [0.9, 0.1], [0.04, 0.96]], [[0, 1, 0.07], [1, 0, 0.07]])


@check("decision", why="A threshold knows one probability, and the costs weigh all of them.")
def costs_weigh_all_probabilities() -> Iterator[Case]:
    """The action has the least expected cost, whatever the number of classes and the costs."""
    yield decision_case([[0.8, 0.2], [0.95, 0.05]], [[0, 1], [10, 0]])
    yield decision_case([[0.99, 0.01], [0.999, 0.001]], [[0, 1], [500, 0]])  # rare and dear
    patients = [[0.45, 0.45, 0.1], [0.15, 0.8, 0.05], [0.4, 0.2, 0.4], [0.04, 0.06, 0.9]]
    yield decision_case(patients, FREE_CHOICE)
    yield decision_case(patients, REVIEW_ONLY)
    four = [[0.25, 0.3, 0.45, 0], [0.05, 0.55, 0.2, 0.2], [0.6, 0.1, 0.1, 0.2]]
    yield decision_case(four, [[2, -3, -6], [7, -1, 1], [-8, -4, 0], [-1, 2, -9]])
    yield decision_case(
        four, [[5, 1, 4, 3, 4], [3, 9, 2, 5, 4], [-1, 9, 6, 9, -2], [4, 0, 3, 6, 4]]
    )


def costs_per_row_case(proba: Rows, costs: Sequence[Rows]) -> Case:
    """One matrix of costs for each row."""
    rows = np.asarray(proba).tolist()
    expected = []
    for row, cost in zip(rows, costs, strict=True):
        sums = [float(np.dot(row, column)) for column in np.transpose(cost)]
        expected.append(sums.index(min(sums)))
    return Case(
        call=f"least_costly_action({shown(rows)}, cost_matrix={shown(costs)})",
        answer=lambda module: module.least_costly_action(rows, costs),
        expected=expected,
        reads="columns of the costs, counted from 0:",
    )


@check("decision", why="A wrong decision on a large amount costs more than one on a small amount.")
def each_row_may_have_its_own_costs() -> Iterator[Case]:
    """With a cost matrix for each row, each row is decided by its own."""
    unsure = [[0.6, 0.4], [0.6, 0.4], [0.6, 0.4]]
    dear = [[0, 1, 0.5], [1, 0, 0.5]]
    yield costs_per_row_case(unsure, [dear, CHOW, [[0, 1, 0.3], [9, 0, 0.3]]])
    yield costs_per_row_case([[0.2, 0.3, 0.5], [0.45, 0.1, 0.45]], [REVIEW_ONLY, FREE_CHOICE])
    yield costs_per_row_case([[0.9, 0.1], [0.9, 0.1]], [[[0, 1], [1, 0]], [[0, 1], [10, 0]]])


@check("decision", why="The same input must give the same decision, on every machine.")
def of_equal_actions_the_first_is_taken() -> Iterator[Case]:
    """Of actions that cost the same, the first is taken."""
    yield decision_case([[0.5, 0.5], [0.25, 0.75]], [[0, 1], [1, 0]])
    yield decision_case([[0.25, 0.5, 0.25], [0.5, 0.25, 0.25]], [[0, 1, 1], [0, 0, 1], [1, 0, 1]])
    yield decision_case([[0.75, 0.25], [0.25, 0.75]], [[0, 1, 0.25], [1, 0, 0.25]])


# These add up to 1 without rounding, in any order. So actions are equal to the last bit.
PROBABILITIES = np.array([1, 3, 20, 40]) / 64
N_ROWS = 16  # of which each is a sixteenth, for the same reason


@st.composite
def any_decision(draw: Any) -> tuple[FloatArray, FloatArray]:
    """Probabilities and costs, of all rows or of each, with many equal costs."""
    n_rows, n_classes, n_actions = (draw(st.integers(1, most)) for most in (5, 4, 4))
    proba = np.zeros((n_rows, n_classes))
    for row in proba:
        columns = st.lists(st.integers(0, n_classes - 1), min_size=4, max_size=4)
        for column, probability in zip(draw(columns), PROBABILITIES, strict=True):
            row[column] += probability
    unit = draw(st.sampled_from([1.0, 1024.0, 2.0**-30]))
    shape = (n_classes, n_actions) if draw(st.booleans()) else (n_rows, n_classes, n_actions)
    size = int(np.prod(shape))
    number = st.one_of(st.integers(-4, 9), st.sampled_from([-500, 900]))
    numbers = draw(st.lists(number, min_size=size, max_size=size))
    return proba, np.array(numbers, dtype=float).reshape(shape) * unit


@explore("decision", why="Classes, actions and rows come in any number, and costs in any unit.")
def any_costs(draw: Any) -> Case:
    """Any probabilities and costs lead to the actions of the reference."""
    proba, cost = draw(any_decision())
    return Case(
        call=f"least_costly_action({shown(proba)}, cost_matrix={shown(cost)})",
        answer=lambda module: module.least_costly_action(proba, cost),
        reads="columns of the costs, counted from 0:",
        arguments={"proba": proba, "cost_matrix": cost},
    )


@explore("decision", why="In a product, a model decides, and its actions have names.")
def any_deciding_model(draw: Any) -> Case:
    """A model with any costs takes the actions of the reference."""
    n_classes, n_actions, n_rows = (draw(st.integers(low, 4)) for low in (2, 1, 1))
    others = st.lists(
        st.integers(0, n_classes - 1), min_size=N_ROWS - n_classes, max_size=N_ROWS - n_classes
    )
    y = np.array([*range(n_classes), *draw(others)])
    X, X_new = np.zeros((len(y), 1)), np.zeros((n_rows, 1))
    actions = ["ask", "wait", "act", "drop"][:n_actions]
    size = n_rows * n_classes * n_actions
    numbers = draw(st.lists(st.integers(-4, 9), min_size=size, max_size=size))
    costs = np.array(numbers, dtype=float).reshape(n_rows, n_classes, n_actions)
    own = costs if draw(st.booleans()) else None

    def answer(module: Any) -> Any:
        model = module.MinimumExpectedCostClassifier(DummyClassifier(), costs[0], actions)
        return model.fit(X, y).predict(X_new, cost_matrix=own)

    return Case(
        call=f"MinimumExpectedCostClassifier(DummyClassifier(), {shown(costs[0])}, {actions})"
        f".fit(X, {y.tolist()}).predict({n_rows} rows"
        + (")" if own is None else f", cost_matrix={shown(own)})"),
        answer=answer,
        view=lambda taken: [str(action) for action in taken],
        arguments={"cost_matrix": costs},
    )


# --- curve ----------------------------------------------------------------------------------------


def curve_case(loss: Sequence[float], confidence: Sequence[float]) -> Case:
    """The risks: of the first k rows, where equals have the mean of their losses."""
    leveled = [
        np.mean([x for x, other in zip(loss, confidence, strict=True) if other == own])
        for own in sorted(confidence, reverse=True)
    ]
    return Case(
        call=f"risk_coverage_curve(loss={shown(loss)}, confidence={shown(confidence)})",
        answer=lambda module: module.risk_coverage_curve(list(loss), list(confidence)),
        view=lambda curve: np.asarray(curve[1], dtype=float),
        expected=[np.mean(leveled[:k]) for k in range(1, len(loss) + 1)],
        reads="risks of",
    )


def random_cases(n: int, seed: int) -> tuple[list[float], list[float]]:
    """Costs and distinct confidences, in no order."""
    rng = np.random.default_rng(seed)
    return rng.uniform(0, 3, n).round(1).tolist(), (rng.permutation(n) / 10 - 0.3).round(1).tolist()


@check("curve", why="At full coverage every case is decided, so the risk is the mean loss.")
def the_curve_ends_at_the_mean_loss() -> Iterator[Case]:
    """The last risk is the mean loss of all cases."""
    for loss, confidence in (
        ([3, 0, 0, 1], [0.1, 0.9, 0.8, 0.7]),
        ([0.5, 2, 0], [0.2, 0.3, 0.1]),
        random_cases(6, 0),
    ):
        yield replace(
            curve_case(loss, confidence),
            view=lambda curve: np.asarray(curve[1], dtype=float)[-1],
            expected=np.mean(loss),
            reads="a curve that ends at the risk",
        )


@check(
    "curve",
    why="Two models share no scale of confidence, but a share of cases is the same for both.",
)
def coverage_is_the_share_of_cases() -> Iterator[Case]:
    """Coverage goes up by one case at a time: 1/n, 2/n, ..., 1."""
    for loss, confidence in (
        ([1, 0, 0, 1], [0.1, 0.9, 0.8, 0.7]),
        ([0.5, 2, 0, 1, 1], [-0.2, -3, -1, -0.2, -2]),
        ([2], [0.5]),
    ):
        yield replace(
            curve_case(loss, confidence),
            view=lambda curve: np.asarray(curve[0], dtype=float),
            expected=np.arange(1, len(loss) + 1) / len(loss),
            reads="coverages of",
        )


@check("curve", why="A model that knows when it errs has a low risk while it may choose its cases.")
def the_most_confident_are_decided_first() -> Iterator[Case]:
    """The risk at k/n is the mean loss of the k most confident cases."""
    yield curve_case([1, 0, 0, 1], [0.1, 0.9, 0.8, 0.7])
    yield curve_case([0, 1, 0, 0, 1], [0.6, 0.9, 0.5, 0.8, 0.7])
    yield curve_case([2, 0.5, 0, 1.5], [-0.4, -1, -0.1, -3])
    yield curve_case(*random_cases(7, 1))


@check(
    "curve",
    why="Otherwise the order of rows, or of errors among equals, makes a model look better.",
)
def equals_count_with_their_mean_loss() -> Iterator[Case]:
    """Cases of equal confidence count with their mean loss, one after the other."""
    yield curve_case([0, 1, 0, 0], [0.5, 0.5, 0.5, 0.5])
    yield curve_case([0, 1, 0, 1, 0], [0.9, 0.7, 0.7, 0.7, 0.2])
    yield curve_case([1, 0, 3, 0, 0, 1], [0.4, 0.4, 0.8, 0.8, 0.6, 0.4])
    loss, confidence = random_cases(8, 2)
    yield curve_case(loss, [round(value * 5) / 5 for value in confidence])


@explore(
    "curve", why="Losses are costs of any size, and confidence has any scale, and many equals."
)
def any_losses(draw: Any) -> Case:
    """Of any losses and confidences, the curve is that of the reference."""
    n = draw(st.integers(1, 9))
    unit, start = draw(st.sampled_from([(1.0, 0.0), (0.1, 0.5), (1e-9, 0.7), (1e6, -2e6)]))
    losses = st.lists(
        st.sampled_from([0.0, 0.0, 1.0, 1.0, 0.25, 7.0, -0.5]), min_size=n, max_size=n
    )
    levels = st.lists(st.integers(0, draw(st.integers(0, 9))), min_size=n, max_size=n)
    loss = np.array(draw(losses)) * draw(st.sampled_from([1.0, 1000.0]))
    confidence = start + unit * np.array(draw(levels), dtype=float)
    area = draw(st.integers(0, 4)) == 4
    precise = f"[{', '.join(f'{value:.12g}' for value in confidence)}]"
    return Case(
        call=f"{'aurc' if area else 'risk_coverage_curve'}(loss={shown(loss)}, "
        f"confidence={precise})",
        answer=lambda module: (module.aurc if area else module.risk_coverage_curve)(
            loss, confidence
        ),
        view=lambda found: np.asarray(found, dtype=float),
        reads="an area of" if area else "coverages and risks",
        arguments={"loss": loss, "confidence": confidence},
    )


def shown(values: Any) -> str:
    """Nested lists as one would type them, without more digits than needed."""
    if isinstance(values, str):
        return repr(values)
    if np.ndim(values) == 0:
        return f"{values:.6g}"
    return f"[{', '.join(map(shown, values))}]"
