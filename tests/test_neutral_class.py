"""The neutral class pattern: its laws, its decisions, its errors."""

from __future__ import annotations

import pickle
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import sklearn
import skops.io
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from datasets import make_prescriptions
from patterns._kit.cards import find
from patterns._kit.evidence import Evidence
from patterns.neutral_class import (
    MinimumExpectedCostClassifier,
    NeutralClassClassifier,
    agreement_beyond_chance,
    aurc,
    coin_toss_label_rates,
    correct_label_noise,
    labels_from_votes,
    least_costly_action,
    risk_coverage_curve,
)
from patterns.neutral_class.evidence import Config
from patterns.neutral_class.evidence.bands import act_on_cuts, tuned_cuts
from patterns.neutral_class.evidence.patients import dawid_skene
from patterns.neutral_class.evidence.policies import (
    TwoModels,
    act,
    act_on_two,
    costs,
    mean_cost,
    tuned,
    tuned_two,
)

FloatArray = NDArray[np.float64]


@st.composite
def probabilities(draw: st.DrawFn, n_classes: int = 3) -> FloatArray:
    shape = (draw(st.integers(1, 6)), n_classes)
    weights = draw(hnp.arrays(float, shape, elements=st.floats(0.001, 1)))
    weights[draw(hnp.arrays(bool, shape))] = 0
    weights[weights.sum(axis=1) == 0] = 1
    proba: FloatArray = weights / weights.sum(axis=1, keepdims=True)
    return proba


votes = st.lists(st.lists(st.sampled_from("AB"), min_size=3, max_size=3), min_size=1, max_size=8)


class TestLabelsFromVotes:
    def test_a_unanimous_vote_is_the_label_and_disagreement_is_neutral(self) -> None:
        labels = labels_from_votes([["A", "A", "A"], ["A", "B", "A"], ["B", "B", "B"]], "either")
        assert labels.tolist() == ["A", "either", "B"]

    def test_a_majority_is_not_enough(self) -> None:
        assert labels_from_votes([["A"] * 9 + ["B"]]).tolist() == ["neutral"]

    def test_labels_may_be_numbers(self) -> None:
        labels = labels_from_votes([[0, 0], [0, 1]], 2)
        assert labels.tolist() == [0, 2]
        assert labels.dtype.kind == "i"

    def test_votes_may_be_a_frame(self) -> None:
        frame = pd.DataFrame({"ann": ["A", "B"], "bob": ["A", "A"]})
        assert labels_from_votes(frame).tolist() == ["A", "neutral"]

    def test_one_label_for_all_is_no_disagreement(self) -> None:
        assert labels_from_votes([["A", "A"], ["A", "A"]]).tolist() == ["A", "A"]

    @given(votes, st.randoms(use_true_random=False))
    def test_who_voted_what_does_not_matter(self, votes: list[list[str]], random: Any) -> None:
        shuffled = [random.sample(row, len(row)) for row in votes]
        assert (labels_from_votes(votes) == labels_from_votes(shuffled)).all()

    @given(votes)
    def test_another_vote_never_makes_a_case_less_neutral(self, votes: list[list[str]]) -> None:
        few, all_ = (labels_from_votes([row[:m] for row in votes]) for m in (2, 3))
        assert (all_[few == "neutral"] == "neutral").all()

    @pytest.mark.parametrize(
        ("votes", "neutral_label", "message"),
        [
            ([["A", "B"], ["A"]], "neutral", r"equally many votes in each row.*ragged"),
            ([["A"], ["B"]], "neutral", r"two experts or more; got shape \(2, 1\)"),
            (["A", "B"], "neutral", r"got shape \(2,\)"),
            (np.empty((0, 3)), "neutral", r"got shape \(0, 3\)"),
            ([["A", "B"], ["A", "C"]], "neutral", r"two labels, got 3: \['A', 'B', 'C'\]"),
            ([["A", "B"], ["A", None]], "neutral", "missing in 1 of 2 rows, the first in row 1"),
            ([["A", float("nan")]], "neutral", "missing in 1 of 1 rows"),
            ([[0.0, float("nan")]], 2.0, "missing in 1 of 1 rows"),
            ([["A", "B"]], "A", r"none of them: got 'A'"),
            ([[0, 1]], "neutral", "of the type of the votes"),
            ([[0, "A"]], "neutral", "of the type of the votes"),
            ([["A", "B"]], 2, "of the type of the votes"),
            ([[0, 1]], None, "none of them: got None"),
            ([[0.0, 1.0]], float("nan"), "none of them: got nan"),
        ],
    )
    def test_what_are_no_votes_on_two_labels_is_refused(
        self, votes: Any, neutral_label: Any, message: str
    ) -> None:
        with pytest.raises(ValueError, match=message):
            labels_from_votes(votes, neutral_label)


@st.composite
def label_rates(draw: st.DrawFn) -> FloatArray:
    """Rates by which each state is shown as itself more often than not."""
    shares = draw(hnp.arrays(float, (3, 3), elements=st.floats(0, 1)))
    rates = shares / np.maximum(shares.sum(axis=1, keepdims=True), 1e-3)
    rates = 0.4 * rates + 0.6 * np.eye(3)
    found: FloatArray = rates / rates.sum(axis=1, keepdims=True)
    return found


class TestCoinTossLabelRates:
    @pytest.mark.parametrize("n_votes", [2, 3, 5])
    @pytest.mark.parametrize("column", [0, 1, 2])
    def test_they_are_the_shares_of_tossed_coins(self, n_votes: int, column: int) -> None:
        others = [other for other in range(3) if other != column]
        tossed = list(product(others, repeat=n_votes))
        shown = [coins[0] if len(set(coins)) == 1 else column for coins in tossed]
        rates = coin_toss_label_rates(n_votes, column)
        assert rates[column] == pytest.approx(np.bincount(shown, minlength=3) / len(tossed))
        assert (rates[others] == np.eye(3)[others]).all()

    def test_many_votes_hide_nothing(self) -> None:
        assert coin_toss_label_rates(60, 1) == pytest.approx(np.eye(3))

    @pytest.mark.parametrize(
        ("n_votes", "column", "message"),
        [
            (1, 1, "n_votes must be an integer of at least 2, got 1"),
            (2.5, 1, "n_votes must be an integer of at least 2, got 2.5"),
            (2, 3, "neutral_column must be one of 0, 1, 2; got 3"),
        ],
    )
    def test_what_is_no_vote_or_no_column_is_refused(
        self, n_votes: Any, column: int, message: str
    ) -> None:
        with pytest.raises(ValueError, match=message):
            coin_toss_label_rates(n_votes, column)


class TestCorrectLabelNoise:
    @given(probabilities(), st.integers(2, 12), st.sampled_from([0, 1, 2]))
    def test_it_undoes_agreement_by_chance(
        self, truth: FloatArray, n_votes: int, column: int
    ) -> None:
        rates = coin_toss_label_rates(n_votes, column)
        assert correct_label_noise(truth @ rates, rates, column) == pytest.approx(truth, abs=1e-9)

    @given(probabilities(), label_rates(), st.sampled_from([0, 1, 2]))
    def test_it_undoes_any_rates(self, truth: FloatArray, rates: FloatArray, column: int) -> None:
        assert correct_label_noise(truth @ rates, rates, column) == pytest.approx(truth, abs=1e-6)

    @given(probabilities(), label_rates(), st.sampled_from([0, 1, 2]))
    def test_it_gives_probabilities(
        self, proba: FloatArray, rates: FloatArray, column: int
    ) -> None:
        corrected = correct_label_noise(proba, rates, column)
        assert corrected.sum(axis=1) == pytest.approx(1)
        assert (corrected >= 0).all()

    @given(probabilities(), st.integers(2, 12))
    def test_chance_makes_neutral_more_probable(self, proba: FloatArray, n_votes: int) -> None:
        corrected = correct_label_noise(proba, coin_toss_label_rates(n_votes, 1), 1)
        assert (corrected[:, 1] >= proba[:, 1] - 1e-12).all()

    def test_two_experts_agree_by_chance_half_of_the_time(self) -> None:
        rates = coin_toss_label_rates(2, 1)
        assert correct_label_noise([[0.5, 0.3, 0.2]], rates, 1)[0] == pytest.approx(
            [0.35, 0.6, 0.05]
        )

    def test_a_label_below_zero_is_cut_and_the_other_gives_way(self) -> None:
        # 0.4 / (1 - 1/2) = 0.8 neutral, 0.8 / 4 = 0.2 by chance: 0.6 - 0.2 = 0.4 is more than is
        # left, because 0 - 0.2 cannot be.
        rates = coin_toss_label_rates(2, 1)
        assert correct_label_noise([[0.6, 0.4, 0]], rates, 1)[0] == pytest.approx([0.2, 0.8, 0])

    def test_more_disagreement_than_coins_make_is_all_neutral(self) -> None:
        rates = coin_toss_label_rates(2, 1)
        assert correct_label_noise([[0.1, 0.8, 0.1]], rates, 1).tolist() == [[0, 1, 0]]

    @pytest.mark.parametrize(
        ("proba", "rates", "column", "message"),
        [
            ([[0.2, 0.3, 0.5]], np.eye(3), 3, "neutral_column be one of 0, 1, 2"),
            ([[0.5, 0.5]], np.eye(3), 1, "proba must have 3 columns"),
            ([[0.2, 0.3, 0.4]], np.eye(3), 1, "sum to 1; 1 of 1 do not, the first is row 0"),
            ([[0.2, 0.3, 0.5], [np.nan, 0.5, 0.5]], np.eye(3), 1, "the first is row 1"),
            ([[-0.2, 0.7, 0.5]], np.eye(3), 1, "must hold probabilities"),
            ([0.2, 0.3, 0.5], np.eye(3), 1, r"shape \(n_samples, n_classes\), got \(3,\)"),
            ([[0.2, 0.3, 0.5]], np.eye(2), 1, r"label_rates must have shape \(3, 3\)"),
            ([[0.2, 0.3, 0.5]], 2 * np.eye(3), 1, "rows of probabilities that sum to 1"),
            ([[0.2, 0.3, 0.5]], [[np.nan] * 3] * 3, 1, "rows of probabilities"),
            (
                [[0.2, 0.3, 0.5]],
                [[1, 0, 0], [0.5, 0, 0.5], [0, 0, 1]],
                1,
                "tell the states apart .* experts who always agree do not",
            ),
        ],
    )
    def test_what_it_cannot_correct_is_refused(
        self, proba: Any, rates: Any, column: int, message: str
    ) -> None:
        with pytest.raises(ValueError, match=message):
            correct_label_noise(proba, rates, column)


class TestLeastCostlyAction:
    def test_it_minimizes_the_expected_cost_and_not_the_error(self) -> None:
        cost = [[0, 1], [10, 0]]  # missing the second class is worse
        assert least_costly_action([[0.8, 0.2], [0.95, 0.05]], cost).tolist() == [1, 0]

    def test_of_equal_actions_it_takes_the_first(self) -> None:
        assert least_costly_action([[0.5, 0.5]], [[0, 1], [1, 0]]).tolist() == [0]

    def test_the_action_need_not_be_a_class(self) -> None:
        cost = [[0, 1, 0.2], [1, 0, 0.2]]
        assert least_costly_action([[0.9, 0.1], [0.7, 0.3], [0.1, 0.9]], cost).tolist() == [0, 2, 1]

    @given(probabilities(), hnp.arrays(float, (3, 4), elements=st.floats(-9, 9)))
    def test_no_action_is_expected_to_cost_less(self, proba: FloatArray, cost: FloatArray) -> None:
        expected = proba @ cost
        chosen = expected[np.arange(len(proba)), least_costly_action(proba, cost)]
        assert (chosen <= expected.min(axis=1)).all()

    @given(probabilities(2), st.floats(0.01, 0.49))
    def test_with_two_classes_and_a_review_it_is_chows_rule(
        self, proba: FloatArray, review: float
    ) -> None:
        action = least_costly_action(proba, [[0, 1, review], [1, 0, review]])
        confidence = proba.max(axis=1)
        clear = np.abs(confidence - (1 - review)) > 1e-9
        assert ((action == 2) == (confidence < 1 - review))[clear].all()

    @given(probabilities(), hnp.arrays(float, (3, 4), elements=st.floats(-9, 9)))
    def test_the_same_costs_for_each_row_change_nothing(
        self, proba: FloatArray, cost: FloatArray
    ) -> None:
        per_row = np.broadcast_to(cost, (len(proba), 3, 4))
        chosen = (proba @ cost)[np.arange(len(proba)), least_costly_action(proba, per_row)]
        assert chosen == pytest.approx((proba @ cost).min(axis=1))

    def test_each_row_may_have_its_own_costs(self) -> None:
        cheap, dear = [[0, 1, 0.2], [1, 0, 0.2]], [[0, 1, 0.5], [1, 0, 0.5]]
        assert least_costly_action([[0.6, 0.4]] * 2, [cheap, dear]).tolist() == [2, 0]

    @pytest.mark.parametrize(
        ("cost", "message"),
        [
            ([[0, 1], [1, 0], [1, 1]], r"shape \(2, n_actions\).*got \(3, 2\)"),
            ([0, 1], r"got \(2,\)"),
            (np.empty((2, 0)), r"got \(2, 0\)"),
            (np.zeros((3, 2, 2)), r"or \(1, 2, n_actions\); got \(3, 2, 2\)"),
            ([[0, np.nan], [1, 0]], "must hold finite costs"),
            ([[0, np.inf], [1, 0]], "must hold finite costs"),
        ],
    )
    def test_costs_of_another_shape_or_not_finite_are_refused(
        self, cost: Any, message: str
    ) -> None:
        with pytest.raises(ValueError, match=message):
            least_costly_action([[0.5, 0.5]], cost)


# ---------------------------------------------------------------------------------- classifiers
class Overconfident(LogisticRegression):
    """Its probabilities sum to 1.2."""

    def predict_proba(self, X: Any) -> Any:
        return 1.2 * super().predict_proba(X)


class Forgetful(LogisticRegression):
    """It gives no probability of the last class."""

    def predict_proba(self, X: Any) -> Any:
        return super().predict_proba(X)[:, :-1]


class NeverFitted(LogisticRegression):
    """Its fit takes too long."""

    def fit(self, X: Any, y: Any) -> Any:
        raise AssertionError("costs are to be checked before")


class Patients(NamedTuple):
    X: pd.DataFrame
    votes: pd.DataFrame
    state: pd.Series[str]


@pytest.fixture(scope="module")
def patients() -> Patients:
    data = make_prescriptions(500, random_state=0)
    return Patients(data.X, data.frame[list(data.target_names)], data.frame["state"])


FREE_CHOICE = {  # in no particular order
    "ibuprofen": {"ask": 0.2, "I": 0.0, "A": 1.0},
    "either": {"A": 0.0, "ask": 0.2, "I": 0.0},
    "acetaminophen": {"A": 0.0, "I": 1.0, "ask": 0.2},
}
ACTIONS = ["A", "I", "ask"]
IN_ORDER = np.array([[0, 1, 0.2], [0, 0, 0.2], [1, 0, 0.2]])  # of sorted classes, and ACTIONS


def on_states(**settings: Any) -> MinimumExpectedCostClassifier:
    return MinimumExpectedCostClassifier(LogisticRegression(), **settings)


def on_votes(**settings: Any) -> NeutralClassClassifier:
    settings = {"neutral_label": "either", "cost_matrix": FREE_CHOICE, **settings}
    return NeutralClassClassifier(settings.pop("estimator", LogisticRegression()), **settings)


ESTIMATORS = [
    LogisticRegression(),
    make_pipeline(StandardScaler(), LogisticRegression()),
    ExtraTreesClassifier(5, random_state=0),
    KNeighborsClassifier(),
    DecisionTreeClassifier(random_state=0),
    HistGradientBoostingClassifier(max_iter=3),
]


@parametrize_with_checks(
    [
        classifier(estimator)
        for classifier in (MinimumExpectedCostClassifier, NeutralClassClassifier)
        for estimator in ESTIMATORS
    ]
    + [NeutralClassClassifier(LogisticRegression(), neutral_label=label) for label in (1, "x")]
)
def test_they_are_scikit_learn_classifiers(estimator: Any, check: Any) -> None:
    check(estimator)


class TestMinimumExpectedCostClassifier:
    def test_without_costs_it_predicts_as_its_estimator(self, patients: Patients) -> None:
        X, y = patients.X, patients.state
        ours = on_states().fit(X, y)
        assert (ours.predict(X) == LogisticRegression().fit(X, y).predict(X)).all()

    def test_it_answers_with_the_name_of_an_action(self, patients: Patients) -> None:
        model = on_states(cost_matrix=IN_ORDER, actions=ACTIONS).fit(patients.X, patients.state)
        assert set(model.predict(patients.X)) == set(ACTIONS)

    def test_a_free_action_is_always_taken(self, patients: Patients) -> None:
        cost = np.column_stack([np.ones((3, 2)), np.zeros(3)])
        model = on_states(cost_matrix=cost, actions=ACTIONS).fit(patients.X, patients.state)
        assert set(model.predict(patients.X)) == {"ask"}

    def test_names_of_actions_keep_their_types(self) -> None:
        cost = pd.DataFrame({0: [0, 1], 1: [1, 0], "ask": [0.2, 0.2]})
        X, y = np.arange(40)[:, None], np.repeat([0, 1], 20)
        assert set(on_states(cost_matrix=cost).fit(X, y).predict(X)) == {0, 1, "ask"}

    def test_missing_values_are_welcome_if_the_estimator_takes_them(
        self, patients: Patients
    ) -> None:
        X = patients.X.where(patients.X < 2)
        model = MinimumExpectedCostClassifier(HistGradientBoostingClassifier(max_iter=5))
        assert model.fit(X, patients.state).predict(X).shape == patients.state.shape

    def test_it_does_not_change_the_estimator_it_was_given(self, patients: Patients) -> None:
        given = LogisticRegression()
        MinimumExpectedCostClassifier(given).fit(patients.X, patients.state)
        assert not hasattr(given, "coef_")

    def test_text_is_welcome_if_the_estimator_takes_it(self) -> None:
        texts = make_pipeline(CountVectorizer(), LogisticRegression())
        model = MinimumExpectedCostClassifier(texts).fit(["so good", "so bad"] * 5, ["+", "-"] * 5)
        assert model.predict(["good"]).tolist() == ["+"]

    @pytest.mark.parametrize(
        ("cost", "actions", "message"),
        [
            (np.eye(2), None, r"cost_matrix must have shape \(3, n_actions\)"),
            (np.zeros((500, 3, 3)), None, "costs of each row are for predict and score"),
            (np.full((3, 3), np.nan), None, "must hold finite costs"),
            (np.ones((3, 2)), None, r"actions must be 2, one for each column .* got shape \(3,\)"),
            (np.ones((3, 2)), ["ask"], r"actions must be 2"),
            (FREE_CHOICE, ACTIONS, "actions must be None where costs have labels"),
        ],
    )
    def test_shapes_that_do_not_agree_are_refused(
        self, patients: Patients, cost: Any, actions: Any, message: str
    ) -> None:
        with pytest.raises(ValueError, match=message):
            on_states(cost_matrix=cost, actions=actions).fit(patients.X, patients.state)

    def test_probabilities_that_do_not_sum_to_one_are_refused(self, patients: Patients) -> None:
        model = MinimumExpectedCostClassifier(Overconfident()).fit(patients.X, patients.state)
        with pytest.raises(ValueError, match="sum to 1; 500 of 500 do not"):
            model.predict(patients.X)

    def test_a_classifier_without_probabilities_is_refused(self, patients: Patients) -> None:
        with pytest.raises(TypeError, match=r"LinearSVC\(\) has not; CalibratedClassifierCV gives"):
            MinimumExpectedCostClassifier(LinearSVC()).fit(patients.X, patients.state)


class TestCostsByLabel:
    @pytest.mark.parametrize("table", [FREE_CHOICE, pd.DataFrame(FREE_CHOICE).T], ids=type)
    def test_rows_and_columns_may_come_in_any_order(self, patients: Patients, table: Any) -> None:
        by_label = on_states(cost_matrix=table).fit(patients.X, patients.state)
        in_order = on_states(cost_matrix=IN_ORDER, actions=ACTIONS)
        in_order.fit(patients.X, patients.state)
        assert (by_label.predict(patients.X) == in_order.predict(patients.X)).all()
        assert set(by_label.actions_) == set(ACTIONS)

    def test_a_class_that_is_not_in_the_data_is_left_out(self, patients: Patients) -> None:
        matters = patients.state != "either"
        model = on_states(cost_matrix=FREE_CHOICE).fit(patients.X[matters], patients.state[matters])
        assert model.cost_matrix_.shape == (2, 3)

    @pytest.mark.parametrize(
        ("table", "message"),
        [
            (pd.DataFrame(FREE_CHOICE), "row for each of the classes .* are not among"),
            (pd.DataFrame(FREE_CHOICE).T.iloc[:2], "'acetaminophen'.* are not among"),
            (pd.DataFrame(FREE_CHOICE).T.iloc[[0, 1, 2, 2]], "each row and each column once"),
            ({**FREE_CHOICE, "either": {"A": 0, "I": 0}}, "the same actions in each row"),
            ({**FREE_CHOICE, "either": [0, 0, 0.2]}, r"\['either'\] are not among"),
            ({**FREE_CHOICE, "either": {"A": 0, "I": 0, "ask": None}}, "must hold finite costs"),
        ],
    )
    def test_tables_that_do_not_fit_are_refused(
        self, patients: Patients, table: Any, message: str
    ) -> None:
        with pytest.raises(ValueError, match=message):
            on_states(cost_matrix=table).fit(patients.X, patients.state)

    def test_a_missing_class_is_told_before_a_long_fit(self, patients: Patients) -> None:
        model = MinimumExpectedCostClassifier(NeverFitted(), {"either": {"A": 0}})
        with pytest.raises(ValueError, match="are not among"):
            model.fit(patients.X, patients.state)


class TestCostsPerRow:
    def test_they_replace_those_of_the_constructor(self, patients: Patients) -> None:
        model = on_states(cost_matrix=FREE_CHOICE).fit(patients.X, patients.state)
        prices = np.linspace(0.01, 0.5, 500)
        by_label = {label: {**row, "ask": prices} for label, row in FREE_CHOICE.items()}
        decided = model.predict(patients.X, cost_matrix=by_label)
        for row in (0, 250, 499):
            alone = on_states(
                cost_matrix={k: {**v, "ask": prices[row]} for k, v in FREE_CHOICE.items()}
            ).fit(patients.X, patients.state)
            assert decided[row] == alone.predict(patients.X.iloc[[row]])[0]
        columns = [model.actions_.tolist().index(action) for action in ACTIONS]
        cost = np.tile(IN_ORDER, (500, 1, 1))
        cost[:, :, 2] = prices[:, None]
        in_order = np.empty_like(cost)
        in_order[:, :, columns] = cost
        assert (model.predict(patients.X, cost_matrix=in_order) == decided).all()

    def test_the_score_uses_them(self, patients: Patients) -> None:
        model = on_states(cost_matrix=FREE_CHOICE).fit(patients.X, patients.state)
        tenfold = 10 * model.cost_matrix_
        score = model.score(patients.X, patients.state, cost_matrix=tenfold)
        assert score == pytest.approx(10 * model.score(patients.X, patients.state))

    @pytest.mark.parametrize(
        ("cost", "message"),
        [
            (np.zeros((7, 3, 3)), r"or \(500, 3, n_actions\); got \(7, 3, 3\)"),
            (np.zeros((3, 4)), r"for the actions .* got shape \(3, 4\)"),
            (
                {label: {"A": 0, "other": 1} for label in FREE_CHOICE},
                r"for the actions .* got \['A', 'other'\]",
            ),
        ],
    )
    def test_costs_for_other_rows_or_actions_are_refused(
        self, patients: Patients, cost: Any, message: str
    ) -> None:
        model = on_states(cost_matrix=FREE_CHOICE).fit(patients.X, patients.state)
        with pytest.raises(ValueError, match=message):
            model.predict(patients.X, cost_matrix=cost)


class TestScore:
    def test_it_is_minus_the_mean_cost(self, patients: Patients) -> None:
        model = on_states(cost_matrix=FREE_CHOICE).fit(patients.X, patients.state)
        done = model.predict(patients.X)
        paid = [FREE_CHOICE[y][action] for y, action in zip(patients.state, done, strict=True)]
        assert model.score(patients.X, patients.state) == pytest.approx(-np.mean(paid))

    def test_it_weighs_rows(self, patients: Patients) -> None:
        model = on_states(cost_matrix=FREE_CHOICE).fit(patients.X, patients.state)
        few = patients.X.head(10), patients.state.head(10)
        weights = np.repeat([1, 0], [10, 490])
        weighed = model.score(patients.X, patients.state, sample_weight=weights)
        assert weighed == pytest.approx(model.score(*few))

    def test_other_numbers_of_rows_and_labels_are_refused(self, patients: Patients) -> None:
        model = on_states(cost_matrix=FREE_CHOICE).fit(patients.X, patients.state)
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            model.score(patients.X, patients.state[:10])
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            model.score(patients.X, patients.state, sample_weight=np.ones(10))

    def test_a_label_that_is_no_class_is_refused(self, patients: Patients) -> None:
        model = on_states(cost_matrix=FREE_CHOICE).fit(patients.X, patients.state)
        with pytest.raises(ValueError, match=r"y must have labels of classes_, got \['both'\]"):
            model.score(patients.X, ["both"] * 500)

    def test_votes_give_the_same_score_as_states_on_average(self) -> None:
        model = on_votes().fit(*votes_and_states(1000, 0)[:2])
        found = []
        for seed in range(1, 41):
            X, votes, state = votes_and_states(2000, seed)
            found.append(model.score(X, votes) - model.score(X, state))
        assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(len(found))

    def test_votes_of_more_experts_than_were_learned_from_can_judge(self) -> None:
        model = on_votes().fit(*votes_and_states(1000, 0)[:2])
        X, votes, state = votes_and_states(20_000, 1, n_experts=5)
        assert model.score(X, votes) == pytest.approx(model.score(X, state), abs=0.004)


def votes_and_states(
    n: int, seed: int, **settings: Any
) -> tuple[pd.DataFrame, pd.DataFrame, pd.Series[str]]:
    data = make_prescriptions(n, random_state=seed, **settings)
    return data.X, data.frame[list(data.target_names)], data.frame["state"]


class TestPrefittedEstimators:
    def test_more_classes_than_labels_are_kept(self, patients: Patients) -> None:
        fitted = FrozenEstimator(LogisticRegression().fit(patients.X, patients.state))
        matters = patients.state != "either"
        model = MinimumExpectedCostClassifier(fitted, FREE_CHOICE)
        model.fit(patients.X[matters], patients.state[matters])
        expected = on_states(cost_matrix=FREE_CHOICE).fit(patients.X, patients.state)
        assert (model.classes_ == expected.classes_).all()
        assert (model.predict(patients.X) == expected.predict(patients.X)).all()

    def test_other_classes_are_refused(self, patients: Patients) -> None:
        fitted = FrozenEstimator(LogisticRegression().fit(patients.X, patients.state))
        other = np.where(patients.state == "either", "both", patients.state)
        with pytest.raises(ValueError, match=r"y has the labels .*'both'.*knows the classes"):
            MinimumExpectedCostClassifier(fitted).fit(patients.X, other)

    def test_a_binary_one_cannot_be_neutral(self, patients: Patients) -> None:
        binary = LogisticRegression().fit(patients.X, patients.votes["vote_0"])
        with pytest.raises(ValueError, match=r"y has the labels .*'either'.*knows the classes"):
            on_votes(estimator=FrozenEstimator(binary)).fit(patients.X, patients.votes)

    def test_a_missing_column_of_probabilities_is_refused(self, patients: Patients) -> None:
        model = MinimumExpectedCostClassifier(Forgetful()).fit(patients.X, patients.state)
        with pytest.raises(ValueError, match=r"each of its 3 classes, got shape \(500, 2\)"):
            model.predict(patients.X)


class TestNeutralClassClassifier:
    def test_it_is_the_pieces_put_together(self, patients: Patients) -> None:
        model = on_votes().fit(patients.X, patients.votes)
        labels = labels_from_votes(patients.votes, "either")
        raw = LogisticRegression().fit(patients.X, labels).predict_proba(patients.X)
        proba = correct_label_noise(raw, coin_toss_label_rates(3, 1), 1)
        assert model.predict_proba(patients.X) == pytest.approx(proba)
        names = np.array(ACTIONS)[least_costly_action(proba, IN_ORDER)]
        assert (model.predict(patients.X) == names).all()

    def test_experts_may_write_the_neutral_label_themselves(self, patients: Patients) -> None:
        model = on_votes().fit(patients.X, patients.state)
        plain = on_states(cost_matrix=FREE_CHOICE).fit(patients.X, patients.state)
        assert model.predict_proba(patients.X) == pytest.approx(plain.predict_proba(patients.X))

    @pytest.mark.parametrize(
        "kind", ["array", "strings", "lists", "category", "string", "booleans", "integers"]
    )
    def test_votes_may_have_any_type(self, patients: Patients, kind: str) -> None:
        votes = patients.votes
        given: Any = {
            "array": votes.to_numpy(object),
            "strings": votes.to_numpy(str),
            "lists": votes.to_numpy(object).tolist(),
            "category": votes.astype("category"),
            "string": votes.astype("string"),
            "booleans": votes == "ibuprofen",
            "integers": (votes == "ibuprofen").astype(int),
        }[kind]
        neutral_label = 2 if kind in {"booleans", "integers"} else "either"
        model = on_votes(cost_matrix=None, neutral_label=neutral_label).fit(patients.X, given)
        expected = on_votes(cost_matrix=None).fit(patients.X, votes).predict_proba(patients.X)
        order = [0, 2, 1] if neutral_label == 2 else [0, 1, 2]
        assert model.predict_proba(patients.X) == pytest.approx(expected[:, order], abs=1e-3)

    def test_a_label_that_is_never_unanimous_is_a_class(self) -> None:
        X, votes = np.arange(40)[:, None] / 40, [["A", "A"]] * 20 + [["A", "B"]] * 20
        model = NeutralClassClassifier(LogisticRegression()).fit(X, votes)
        assert model.classes_.tolist() == ["A", "B", "neutral"]
        assert model.predict_proba(X)[:, 1].max() == 0

    def test_experts_who_never_disagree_are_announced(self) -> None:
        X, votes = np.arange(40)[:, None] / 40, [["A", "A"]] * 20 + [["B", "B"]] * 20
        with pytest.warns(UserWarning, match="the experts never disagree, so no case is neutral"):
            model = NeutralClassClassifier(LogisticRegression()).fit(X, votes)
        assert model.predict_proba(X)[:, 2].max() == 0

    @pytest.mark.parametrize("shape", ["frame", "mapping", "array"])
    def test_measured_rates_replace_those_of_coins(self, patients: Patients, shape: str) -> None:
        labels = labels_from_votes(patients.votes, "either")
        measured = pd.crosstab(patients.state, labels, normalize="index")
        rates: Any = {
            "frame": measured.iloc[::-1, ::-1],
            "mapping": measured.to_dict(orient="index"),
            "array": measured.to_numpy(),
        }[shape]
        model = on_votes(label_rates=rates).fit(patients.X, patients.votes)
        assert model.label_rates_ == pytest.approx(measured.to_numpy())

    def test_rates_of_zero_may_be_left_out(self, patients: Patients) -> None:
        rates = {
            "acetaminophen": {"acetaminophen": 1},
            "either": {"either": 0.5, "ibuprofen": 0.1, "acetaminophen": 0.4},
            "ibuprofen": {"ibuprofen": 1},
        }
        model = on_votes(label_rates=rates).fit(patients.X, patients.votes)
        assert model.label_rates_.tolist() == [[1, 0, 0], [0.4, 0.5, 0.1], [0, 0, 1]]

    @pytest.mark.parametrize(
        ("rates", "message"),
        [
            ({"either": {"either": 1}}, "label_rates must have a row for each of the classes"),
            ({label: {"both": 1} for label in FREE_CHOICE}, "must be for the labels .*'both'"),
            (np.eye(2), r"label_rates must have shape \(3, 3\)"),
            (np.ones((3, 3)) / 3, "must tell the states apart"),
        ],
    )
    def test_rates_that_do_not_fit_are_refused(
        self, patients: Patients, rates: Any, message: str
    ) -> None:
        with pytest.raises(ValueError, match=message):
            on_votes(label_rates=rates).fit(patients.X, patients.votes)

    def test_rates_without_a_neutral_class_are_refused_by_fit(self, patients: Patients) -> None:
        model = on_votes(label_rates=np.eye(3), neutral_label="neutral", cost_matrix=None)
        with pytest.raises(ValueError, match="neutral_label must be one of them; got 'neutral'"):
            model.fit(patients.X, patients.state)

    @pytest.mark.parametrize(
        ("votes", "message"),
        [
            ([["A", "B"], ["A"]], "equally many votes in each row.*ragged"),
            ([["A", "B"], ["A", None]], "missing in 1 of 2 rows"),
            ([["A", "B"], ["C", "A"]], "two labels, got 3"),
        ],
    )
    def test_what_are_no_votes_is_refused(self, votes: Any, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            NeutralClassClassifier(LogisticRegression()).fit([[0.0], [1.0]], votes)

    def test_votes_cannot_judge_a_model_without_a_neutral_class(self) -> None:
        X, y = np.arange(40)[:, None] / 40, ["A", "B"] * 20
        model = NeutralClassClassifier(LogisticRegression()).fit(X, y)
        with pytest.raises(
            ValueError, match="neutral_label must be one of them; got 'neutral' and the classes"
        ):
            model.score(X, [["A", "B"]] * 40)

    def test_a_constant_feature_and_a_single_row_are_welcome(self, patients: Patients) -> None:
        X = patients.X.assign(balance=1.0)
        assert len(on_votes().fit(X, patients.votes).predict(X.head(1))) == 1


class TestAsPartsOfScikitLearn:
    def test_in_a_pipeline_behind_a_column_transformer(self, patients: Patients) -> None:
        X = patients.X.assign(ward=["north", "south"] * 250)
        columns = make_column_transformer((OneHotEncoder(), ["ward"]), remainder=StandardScaler())
        model = make_pipeline(columns, on_votes()).fit(X, patients.votes)
        assert model.score(X, patients.votes) > -0.1

    def test_a_search_minimizes_the_cost_of_votes(self, patients: Patients) -> None:
        grid = {"estimator__C": [1e-4, 1.0]}
        search = GridSearchCV(on_votes(), grid, cv=3).fit(patients.X, patients.votes)
        assert search.best_params_ == {"estimator__C": 1.0}
        by_hand = on_votes().fit(patients.X[200:], patients.votes[200:])
        first = by_hand.score(patients.X[:200], patients.votes[:200])
        by_cv = cross_val_score(
            on_votes(), patients.X, patients.votes, cv=[(np.arange(200, 500), np.arange(200))]
        )
        assert by_cv[0] == pytest.approx(first)

    def test_calibration_goes_inside_or_around_plain_labels(self, patients: Patients) -> None:
        inside = on_votes(estimator=CalibratedClassifierCV(LinearSVC(), cv=3))
        assert inside.fit(patients.X, patients.votes).score(patients.X, patients.state) > -0.1
        around = CalibratedClassifierCV(on_states(cost_matrix=FREE_CHOICE), cv=3)
        around.fit(patients.X, patients.state)
        assert around.predict_proba(patients.X).sum(axis=1) == pytest.approx(1)

    @pytest.mark.parametrize("rates", [None, {k: {k: 1.0} for k in FREE_CHOICE}])
    @pytest.mark.parametrize("kind", ["mapping", "frame"])
    def test_clones_and_copies_decide_alike(
        self, patients: Patients, rates: Any, kind: str
    ) -> None:
        tables: dict[str, Any] = {"cost_matrix": FREE_CHOICE, "label_rates": rates}
        if kind == "frame":
            tables = {k: table and pd.DataFrame(table).T.fillna(0) for k, table in tables.items()}
        model = on_votes(**tables).fit(patients.X, patients.votes)
        copies = [
            clone(model).fit(patients.X, patients.votes),
            pickle.loads(pickle.dumps(model)),
        ]
        saved = skops.io.dumps(model)
        copies.append(skops.io.loads(saved, trusted=skops.io.get_untrusted_types(data=saved)))
        for copy in copies:
            assert (copy.predict(patients.X) == model.predict(patients.X)).all()

    def test_fit_parameters_go_to_the_estimator(self, patients: Patients) -> None:
        weights = np.repeat([1, 0], 250)
        model = on_states().fit(patients.X, patients.state, sample_weight=weights)
        alone = on_states().fit(patients.X[:250], patients.state[:250])
        assert model.predict_proba(patients.X) == pytest.approx(
            alone.predict_proba(patients.X), abs=1e-3
        )

    def test_metadata_is_routed(self, patients: Patients) -> None:
        X, votes = patients.X, patients.votes
        weights, costs = np.repeat([1.0, 0.1], 250), np.tile(IN_ORDER, (500, 1, 1))
        with sklearn.config_context(enable_metadata_routing=True):
            weighed = LogisticRegression().set_fit_request(sample_weight=True)
            model = on_votes(estimator=weighed, cost_matrix=IN_ORDER, actions=ACTIONS)
            model.set_predict_request(cost_matrix=True).set_score_request(
                cost_matrix=True, sample_weight=True
            )
            scaler = StandardScaler().set_fit_request(sample_weight=False)
            pipeline = make_pipeline(scaler, model).fit(X, votes, sample_weight=weights)
            decided = pipeline.predict(X, cost_matrix=costs)
            search = GridSearchCV(clone(model), {"estimator__C": [1.0]}, cv=3)
            search.fit(X, votes, sample_weight=weights, cost_matrix=costs)
            with pytest.raises(UnsetMetadataPassedError):
                on_votes().fit(X, votes, sample_weight=weights)
        first = on_votes(cost_matrix=IN_ORDER, actions=ACTIONS)
        expected = make_pipeline(scaler, first).fit(
            X, votes, neutralclassclassifier__sample_weight=weights
        )
        assert (decided == expected.predict(X)).all()
        assert np.isfinite(search.best_score_)


class TestAgreementBeyondChance:
    def test_it_counts_cases_on_which_all_agree(self) -> None:
        found = agreement_beyond_chance([["A", "A"], ["A", "B"], ["B", "B"]], known_neutral=True)
        assert found == pytest.approx((3, 2 / 3, 0.5, 0.5))

    def test_it_counts_single_dissenters_where_experts_disagree(self) -> None:
        votes = [[0, 0, 0, 0], [0, 0, 0, 1], [1, 1, 0, 1], [0, 1, 0, 1]]
        found = agreement_beyond_chance(votes, known_neutral=False)
        # Of 16 ways in which four coins fall, 14 disagree, and 8 of them have a single dissenter.
        assert found[:3] == pytest.approx((3, 2 / 3, 8 / 14))

    @pytest.mark.parametrize(("n_experts", "known_neutral"), [(2, True), (3, True), (5, False)])
    def test_independent_experts_are_seldom_suspected(
        self, n_experts: int, known_neutral: bool
    ) -> None:
        rng = np.random.default_rng(0)
        p_values = [
            agreement_beyond_chance(
                rng.integers(0, 2, (200, n_experts)), known_neutral=known_neutral
            ).p_value
            for _ in range(200)
        ]
        assert np.mean(np.array(p_values) < 0.05) < 0.09

    @pytest.mark.parametrize("settings", [{"copy_rate": 0.8}, {"habit": 0.8}])
    @pytest.mark.parametrize(("n_experts", "known_neutral"), [(2, True), (3, True), (5, False)])
    def test_copies_and_habits_are_found(
        self, settings: dict[str, float], n_experts: int, known_neutral: bool
    ) -> None:
        _, votes, state = votes_and_states(400, 0, n_experts=n_experts, **settings)
        looked_at = votes[state == "either"] if known_neutral else votes
        assert agreement_beyond_chance(looked_at, known_neutral=known_neutral).p_value < 0.001

    @pytest.mark.parametrize(
        ("votes", "known_neutral", "message"),
        [
            ([["A"], ["B"]], True, r"2 experts or more .* got shape \(2, 1\)"),
            ([["A", "B", "A"]], False, r"4 experts or more .* got shape \(1, 3\)"),
            ([["A", "B"], ["A", None]], True, "1 missing votes"),
            ([["A", "B"], ["A", "C"]], True, r"two labels.*\['A', 'B', 'C'\]"),
            ([["A"] * 4], False, "these experts always agree"),
        ],
    )
    def test_votes_that_cannot_tell_are_refused(
        self, votes: Any, known_neutral: bool, message: str
    ) -> None:
        with pytest.raises(ValueError, match=message):
            agreement_beyond_chance(votes, known_neutral=known_neutral)


losses = hnp.arrays(float, st.shared(st.integers(1, 12), key="n"), elements=st.floats(0, 10))
confidences = hnp.arrays(float, st.shared(st.integers(1, 12), key="n"), elements=st.floats(0, 1))


class TestRiskCoverage:
    def test_the_most_confident_are_decided_first(self) -> None:
        coverage, risk = risk_coverage_curve([1, 0, 0, 1], [0.1, 0.9, 0.8, 0.7])
        assert coverage.tolist() == [0.25, 0.5, 0.75, 1]
        assert risk == pytest.approx([0, 0, 1 / 3, 1 / 2])

    def test_equal_confidence_counts_with_the_mean_loss(self) -> None:
        _, risk = risk_coverage_curve([1, 0, 0], [0.5, 0.5, 0.5])
        assert risk == pytest.approx([1 / 3] * 3)

    @given(losses, confidences, st.randoms(use_true_random=False))
    def test_the_order_of_rows_does_not_matter(
        self, loss: FloatArray, confidence: FloatArray, random: Any
    ) -> None:
        order = random.sample(range(len(loss)), len(loss))
        assert aurc(loss[order], confidence[order]) == pytest.approx(aurc(loss, confidence))

    @given(losses, confidences)
    def test_the_curve_ends_at_the_mean_loss(
        self, loss: FloatArray, confidence: FloatArray
    ) -> None:
        coverage, risk = risk_coverage_curve(loss, confidence)
        assert coverage[-1] == 1
        assert risk[-1] == pytest.approx(loss.mean())

    @given(losses, confidences)
    def test_no_ranking_beats_the_one_by_loss(
        self, loss: FloatArray, confidence: FloatArray
    ) -> None:
        assert aurc(loss, -loss) <= aurc(loss, confidence) + 1e-9

    @given(losses)
    def test_a_constant_confidence_has_the_mean_loss_everywhere(self, loss: FloatArray) -> None:
        assert aurc(loss, np.zeros(len(loss))) == pytest.approx(loss.mean())

    @pytest.mark.parametrize(
        ("loss", "confidence", "message"),
        [
            ([0, 1], [0.5], r"same shape .* got \(2,\) and \(1,\)"),
            ([], [], "n_samples at least 1"),
            ([[0], [1]], [[0], [1]], r"got \(2, 1\)"),
            ([0, np.nan], [0.5, 0.6], "loss has NaN in row 1"),
            ([0, 1], [np.nan, 0.6], "confidence has NaN in row 0"),
        ],
    )
    def test_what_is_no_curve_is_refused(self, loss: Any, confidence: Any, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            risk_coverage_curve(loss, confidence)


class TestEvidence:
    """The thresholds of the baselines are the best, so that the claims are judged fairly."""

    @pytest.fixture
    def cases(self) -> tuple[FloatArray, FloatArray]:
        rng = np.random.default_rng(0)
        p = rng.uniform(size=200).round(2)  # with ties, which a threshold cannot part
        return np.column_stack([p, 1 - p]), rng.dirichlet([1, 1, 1], size=200)

    def test_a_tuned_threshold_is_the_best_there_is(self, cases: Any) -> None:
        proba, truth = cases
        cost = costs(1.0, 0.45)
        found = tuned(proba, truth, cost)
        tried = [
            mean_cost(act(proba, cost, -t), truth, cost) for t in [*np.linspace(0, 0.5, 501), 2]
        ]
        assert mean_cost(act(proba, cost, found), truth, cost) <= min(tried) + 1e-12

    @pytest.mark.parametrize("either", [0.0, 1.0])
    def test_two_tuned_thresholds_are_the_best_there_are(self, cases: Any, either: float) -> None:
        proba, truth = cases
        cost = costs(either, 0.3)
        two = TwoModels(proba, np.random.default_rng(1).uniform(size=len(proba)).round(1))
        found = mean_cost(act_on_two(two, cost, tuned_two(two, truth, cost)), truth, cost)
        tried = product([*np.linspace(0, 1, 11).round(1), 2], [*-np.linspace(0, 0.5, 101), 2])
        assert (
            found
            <= min(mean_cost(act_on_two(two, cost, pair), truth, cost) for pair in tried) + 1e-12
        )

    def test_two_tuned_cuts_are_the_best_there_are(self, cases: Any) -> None:
        proba, truth = cases
        score, cost = proba[:, 0], costs(0.0, 0.3)
        found = mean_cost(act_on_cuts(score, tuned_cuts(score, truth, cost)), truth, cost)
        levels = np.linspace(0, 1.01, 102)
        tried = ((low, high) for low, high in product(levels, levels) if low <= high)
        assert (
            found <= min(mean_cost(act_on_cuts(score, cuts), truth, cost) for cuts in tried) + 1e-12
        )

    def test_dawid_and_skene_know_who_errs(self) -> None:
        data = make_prescriptions(
            1000,
            n_experts=5,
            error_rate=(0.05, 0.1, 0.2, 0.3, 0.4),
            some_either=False,
            random_state=0,
        )
        votes = data.frame[list(data.target_names)].to_numpy(str)
        right = (data.frame["state"] == "ibuprofen").to_numpy()
        found = dawid_skene(votes)[:, 1] > 0.5
        majority = (votes == "ibuprofen").mean(axis=1) > 0.5
        assert (found == right).mean() > (majority == right).mean() + 0.01

    def test_nothing_beats_the_oracle(self) -> None:
        evidence = Evidence.from_json(find("neutral_class").results.read_text("utf-8"))
        for found in evidence.experiments.values():
            for name in found.metrics:
                task, _, score = name.split(".")
                best = f"{task}.oracle.{score}"
                if best in found.metrics and evidence.measures[score].better == "lower":
                    assert found.mean(name) >= found.mean(best) - 1e-12, name

    @pytest.mark.parametrize(
        "name", ["n_train", "n_validation", "n_test", "n_experts", "n_real", "n_book"]
    )
    def test_settings_too_small_to_measure_with_are_refused(self, name: str) -> None:
        with pytest.raises(ValueError, match=f"{name} must be at least .*, got 0"):
            Config(**{name: 0})

    def test_a_price_at_which_nobody_would_be_reviewed_is_refused(self) -> None:
        with pytest.raises(ValueError, match=r"between 0 and 0.5, got 0.7"):
            Config(review_price=0.7)
