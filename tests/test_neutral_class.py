"""The neutral class pattern: its laws, its decisions, its errors."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from datasets import make_prescriptions
from patterns._kit.cards import find
from patterns._kit.evidence import Evidence
from patterns.neutral_class import (
    MinimumExpectedCostClassifier,
    aurc,
    chance_agreement_correction,
    labels_from_votes,
    least_costly_action,
    risk_coverage_curve,
)
from patterns.neutral_class.evidence import Config
from patterns.neutral_class.evidence.bands import act_on_cuts, tuned_cuts
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


def as_voted(truth: FloatArray, n_votes: int) -> FloatArray:
    """Probability of each label of `labels_from_votes`, from that of each true state."""
    by_chance = 2.0**-n_votes * truth[:, 1]
    return np.column_stack(
        [truth[:, 0] + by_chance, truth[:, 1] - 2 * by_chance, truth[:, 2] + by_chance]
    )


class TestChanceAgreementCorrection:
    @given(probabilities(), st.integers(2, 12))
    def test_it_undoes_agreement_by_chance(self, truth: FloatArray, n_votes: int) -> None:
        corrected = chance_agreement_correction(as_voted(truth, n_votes), n_votes, 1)
        assert corrected == pytest.approx(truth, abs=1e-9)

    @given(probabilities(), st.integers(2, 12), st.sampled_from([0, 1, 2]))
    def test_it_gives_probabilities(self, proba: FloatArray, n_votes: int, column: int) -> None:
        corrected = chance_agreement_correction(proba, n_votes, column)
        assert corrected.sum(axis=1) == pytest.approx(1)
        assert (corrected >= 0).all()

    @given(probabilities(), st.integers(2, 12))
    def test_neutral_becomes_more_probable(self, proba: FloatArray, n_votes: int) -> None:
        corrected = chance_agreement_correction(proba, n_votes, 1)
        assert (corrected[:, 1] >= proba[:, 1]).all()

    @given(probabilities())
    def test_many_votes_need_no_correction(self, proba: FloatArray) -> None:
        assert chance_agreement_correction(proba, 60, 1) == pytest.approx(proba, abs=1e-9)

    def test_two_experts_agree_by_chance_half_of_the_time(self) -> None:
        assert chance_agreement_correction([[0.5, 0.3, 0.2]], 2, 1)[0] == pytest.approx(
            [0.35, 0.6, 0.05]
        )

    def test_any_column_can_be_the_neutral_one(self) -> None:
        proba = np.array([[0.5, 0.3, 0.2]])
        middle = chance_agreement_correction(proba, 2, 1)[0]
        last = chance_agreement_correction(proba[:, [0, 2, 1]], 2, 2)[0]
        assert last == pytest.approx(middle[[0, 2, 1]])

    def test_a_label_below_zero_is_cut_and_the_other_gives_way(self) -> None:
        # 0.4 / (1 - 1/2) = 0.8 neutral, 0.8 / 4 = 0.2 by chance: 0.6 - 0.2 = 0.4 is more than is
        # left, because 0 - 0.2 cannot be.
        assert chance_agreement_correction([[0.6, 0.4, 0]], 2, 1)[0] == pytest.approx([0.2, 0.8, 0])

    def test_more_disagreement_than_coins_make_is_all_neutral(self) -> None:
        assert chance_agreement_correction([[0.1, 0.8, 0.1]], 2, 1).tolist() == [[0, 1, 0]]

    @pytest.mark.parametrize(
        ("proba", "n_votes", "column", "message"),
        [
            ([[0.2, 0.3, 0.5]], 1, 1, "n_votes must be an integer of at least 2, got 1"),
            ([[0.2, 0.3, 0.5]], 2.5, 1, "n_votes must be an integer of at least 2, got 2.5"),
            ([[0.2, 0.3, 0.5]], 2, 3, "neutral_column be one of 0, 1, 2"),
            ([[0.5, 0.5]], 2, 1, "proba must have 3 columns"),
            ([[0.2, 0.3, 0.4]], 2, 1, "sum to 1; 1 of 1 do not, the first is row 0"),
            ([[0.2, 0.3, 0.5], [np.nan, 0.5, 0.5]], 2, 1, "the first is row 1"),
            ([[-0.2, 0.7, 0.5]], 2, 1, "must hold probabilities"),
            ([0.2, 0.3, 0.5], 2, 1, r"shape \(n_samples, n_classes\), got \(3,\)"),
        ],
    )
    def test_what_it_cannot_correct_is_refused(
        self, proba: Any, n_votes: Any, column: int, message: str
    ) -> None:
        with pytest.raises(ValueError, match=message):
            chance_agreement_correction(proba, n_votes, column)


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

    @pytest.mark.parametrize(
        ("cost", "message"),
        [
            ([[0, 1], [1, 0], [1, 1]], r"shape \(2, n_actions\).*got \(3, 2\)"),
            ([0, 1], r"got \(2,\)"),
            (np.empty((2, 0)), r"got \(2, 0\)"),
            ([[0, np.nan], [1, 0]], "must hold finite costs"),
            ([[0, np.inf], [1, 0]], "must hold finite costs"),
        ],
    )
    def test_costs_of_another_shape_or_not_finite_are_refused(
        self, cost: Any, message: str
    ) -> None:
        with pytest.raises(ValueError, match=message):
            least_costly_action([[0.5, 0.5]], cost)


class Overconfident(LogisticRegression):
    """Its probabilities sum to 1.2."""

    def predict_proba(self, X: Any) -> Any:
        return 1.2 * super().predict_proba(X)


@pytest.fixture(scope="module")
def patients() -> tuple[FloatArray, NDArray[np.str_]]:
    data = make_prescriptions(500, random_state=0)
    labels = labels_from_votes(data.frame[list(data.target_names)], "either")
    return data.X.to_numpy(), labels


class TestMinimumExpectedCostClassifier:
    @parametrize_with_checks(
        [
            MinimumExpectedCostClassifier(LogisticRegression()),
            MinimumExpectedCostClassifier(make_pipeline(StandardScaler(), LogisticRegression())),
        ]
    )
    def test_it_is_a_scikit_learn_classifier(self, estimator: Any, check: Any) -> None:
        check(estimator)

    def test_without_costs_it_predicts_as_its_estimator(self, patients: Any) -> None:
        X, y = patients
        ours = MinimumExpectedCostClassifier(LogisticRegression()).fit(X, y)
        assert (ours.predict(X) == LogisticRegression().fit(X, y).predict(X)).all()

    def test_it_answers_with_the_name_of_an_action(self, patients: Any) -> None:
        X, y = patients
        cost = [[0, 1, 0.2], [0, 0, 0.2], [1, 0, 0.2]]
        model = MinimumExpectedCostClassifier(LogisticRegression(), cost, ["A", "I", "ask"])
        assert set(model.fit(X, y).predict(X)) == {"A", "I", "ask"}

    def test_a_free_action_is_always_taken(self, patients: Any) -> None:
        X, y = patients
        cost = np.column_stack([np.ones((3, 2)), np.zeros(3)])
        model = MinimumExpectedCostClassifier(LogisticRegression(), cost, ["A", "I", "ask"])
        assert set(model.fit(X, y).predict(X)) == {"ask"}

    def test_missing_values_are_welcome_if_the_estimator_takes_them(self, patients: Any) -> None:
        X, y = patients
        X = np.where(X > 2, np.nan, X)
        model = MinimumExpectedCostClassifier(HistGradientBoostingClassifier(max_iter=5))
        assert model.fit(X, y).predict(X).shape == y.shape

    def test_it_does_not_change_the_estimator_it_was_given(self, patients: Any) -> None:
        given = LogisticRegression()
        MinimumExpectedCostClassifier(given).fit(*patients)
        assert not hasattr(given, "coef_")

    @pytest.mark.parametrize(
        ("cost", "actions", "message"),
        [
            (np.eye(2), None, r"cost_matrix must have shape \(3, n_actions\)"),
            (np.full((3, 3), np.nan), None, "must hold finite costs"),
            (np.ones((3, 2)), None, r"actions must be 2, one for each column .* got shape \(3,\)"),
            (np.ones((3, 2)), ["ask"], r"actions must be 2"),
        ],
    )
    def test_shapes_that_do_not_agree_are_refused(
        self, patients: Any, cost: Any, actions: Any, message: str
    ) -> None:
        with pytest.raises(ValueError, match=message):
            MinimumExpectedCostClassifier(LogisticRegression(), cost, actions).fit(*patients)

    def test_probabilities_that_do_not_sum_to_one_are_refused(self, patients: Any) -> None:
        model = MinimumExpectedCostClassifier(Overconfident()).fit(*patients)
        with pytest.raises(ValueError, match="sum to 1; 500 of 500 do not"):
            model.predict(patients[0])


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
