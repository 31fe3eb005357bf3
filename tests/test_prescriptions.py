"""The prescriptions data sets: what they hold, and that they follow their oracle."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import expit

from datasets import (
    Dataset,
    DataValidationError,
    Prescriptions,
    make_book_prescriptions,
    make_prescriptions,
    validate,
)

FREE_CHOICE = [[0, 1, 0.2], [0, 0, 0.2], [1, 0, 0.2]]
REVIEW_ONLY = [[0, 1, 0.2], [1, 1, 0.2], [1, 0, 0.2]]


@pytest.fixture(scope="module")
def patients() -> Prescriptions:
    return make_prescriptions(60_000, n_experts=3, random_state=0)


def votes_of(data: Dataset) -> NDArray[np.str_]:
    return data.frame[list(data.target_names)].to_numpy(str)


class TestPrescriptions:
    def test_they_have_four_features_and_a_vote_of_each_expert(
        self, patients: Prescriptions
    ) -> None:
        assert patients.feature_names == ("balance", "severity", "noise_0", "noise_1")
        assert patients.target_names == ("vote_0", "vote_1", "vote_2")
        validate(patients.frame, "prescriptions")

    def test_a_third_drug_breaks_the_schema(self) -> None:
        frame = make_prescriptions(3, random_state=0).frame
        frame.loc[1, "vote_2"] = "aspirin"
        with pytest.raises(DataValidationError, match="row 1: 'aspirin'"):
            validate(frame, "prescriptions")

    def test_the_same_seed_makes_the_same_patients(self) -> None:
        first, again, other = (
            make_prescriptions(50, random_state=seed).frame for seed in (1, 1, 2)
        )
        pd.testing.assert_frame_equal(first, again)
        assert not first.equals(other)

    def test_the_states_follow_the_oracle(self, patients: Prescriptions) -> None:
        proba = patients.oracle_proba(patients.X)
        for column, state in enumerate(patients.states):
            is_true = (patients.frame["state"] == state).to_numpy()
            for low in np.arange(0, 1, 0.2):
                chosen = (proba[:, column] >= low) & (proba[:, column] < low + 0.2)
                expected = proba[chosen, column].mean()
                error = np.sqrt(expected * (1 - expected) / chosen.sum())
                assert abs(is_true[chosen].mean() - expected) < 4 * error

    def test_the_oracle_is_the_documented_formula(self) -> None:
        X = np.array([[0.5, -1.0, 3.0, -3.0]])
        proba = make_prescriptions(1).oracle_proba(X)[0]
        either = expit(4.0)
        assert proba == pytest.approx(
            [(1 - either) * expit(1.5), either, (1 - either) * expit(-1.5)]
        )

    @given(st.lists(st.floats(-50, 50), min_size=4, max_size=4), st.booleans())
    def test_the_oracle_gives_probabilities(self, x: list[float], some_either: bool) -> None:
        proba = make_prescriptions(1, some_either=some_either).oracle_proba(np.array([x]))
        assert proba.sum() == pytest.approx(1)
        assert ((proba >= 0) & (proba <= 1)).all()

    def test_experts_vote_the_right_drug_if_there_is_one(self, patients: Prescriptions) -> None:
        matters = (patients.frame["state"] != "either").to_numpy()
        right = patients.frame.loc[matters, "state"].to_numpy(str)
        assert (votes_of(patients)[matters] == right[:, None]).all()

    def test_experts_toss_coins_where_either_would_do(self, patients: Prescriptions) -> None:
        either = votes_of(patients)[(patients.frame["state"] == "either").to_numpy()]
        disagree = (either != either[:, :1]).any(axis=1)
        assert disagree.mean() == pytest.approx(1 - 2.0**-2, abs=0.01)

    def test_the_error_rate_is_that_of_each_vote(self) -> None:
        data = make_prescriptions(20_000, error_rate=0.1, some_either=False, random_state=0)
        wrong = votes_of(data) != data.frame[["state"]].to_numpy(str)
        assert wrong.mean(axis=0) == pytest.approx([0.1] * 3, abs=0.01)

    def test_each_expert_may_have_an_error_rate_of_their_own(self) -> None:
        rates = (0.0, 0.1, 0.4)
        data = make_prescriptions(20_000, error_rate=rates, some_either=False, random_state=0)
        wrong = votes_of(data) != data.frame[["state"]].to_numpy(str)
        assert wrong.mean(axis=0) == pytest.approx(rates, abs=0.01)

    @pytest.mark.parametrize("copy_rate", [0.0, 0.8, 1.0])
    @pytest.mark.parametrize("habit", [0.5, 0.7])
    def test_coins_fall_by_habit_and_who_copies_shares_one(
        self, habit: float, copy_rate: float
    ) -> None:
        data = make_prescriptions(40_000, habit=habit, copy_rate=copy_rate, random_state=0)
        either = votes_of(data)[(data.frame["state"] == "either").to_numpy()] == "acetaminophen"
        assert either.mean() == pytest.approx(habit, abs=0.01)
        agreement = (either[:, 0] == either[:, 1]).mean()
        by_chance = habit**2 + (1 - habit) ** 2
        both_copy = copy_rate**2
        assert agreement == pytest.approx(both_copy + (1 - both_copy) * by_chance, abs=0.01)

    def test_nobody_copies_or_has_a_habit_where_a_drug_is_right(self) -> None:
        data = make_prescriptions(5000, habit=0.9, copy_rate=0.9, random_state=0)
        matters = (data.frame["state"] != "either").to_numpy()
        right = data.frame.loc[matters, "state"].to_numpy(str)
        assert (votes_of(data)[matters] == right[:, None]).all()

    def test_without_either_no_patient_is_indifferent(self) -> None:
        data = make_prescriptions(1000, some_either=False, random_state=0)
        assert "either" not in set(data.frame["state"])
        assert (data.oracle_proba(data.X)[:, 1] == 0).all()

    @pytest.mark.parametrize(("cost", "expected"), [(FREE_CHOICE, 0.064), (REVIEW_ONLY, 0.178)])
    def test_the_oracle_cost_is_the_one_that_was_documented(
        self, patients: Prescriptions, cost: list[list[float]], expected: float
    ) -> None:
        assert patients.oracle_cost(patients.X, cost).mean() == pytest.approx(expected, abs=0.002)

    def test_no_fixed_action_costs_less_than_the_oracle(self, patients: Prescriptions) -> None:
        least = patients.oracle_cost(patients.X, FREE_CHOICE)
        each_action = patients.oracle_proba(patients.X) @ np.array(FREE_CHOICE)
        assert (each_action >= least[:, None]).all()

    def test_frames_and_arrays_are_equal_to_the_oracle(self, patients: Prescriptions) -> None:
        few = patients.frame.head(5)
        from_frame = patients.oracle_proba(few)
        assert (from_frame == patients.oracle_proba(few.iloc[:, :4].to_numpy())).all()

    def test_a_missing_feature_is_named(self, patients: Prescriptions) -> None:
        with pytest.raises(ValueError, match=r"X lacks the columns \['severity'\]"):
            patients.oracle_proba(patients.X.drop(columns="severity"))

    def test_an_array_of_another_width_is_refused(self, patients: Prescriptions) -> None:
        with pytest.raises(ValueError, match=r"shape \(n_samples, 4\), got \(2, 3\)"):
            patients.oracle_proba(np.zeros((2, 3)))

    @pytest.mark.parametrize("shape", [(2, 3), (3, 0), (3,)])
    def test_costs_need_a_row_for_each_state(
        self, patients: Prescriptions, shape: tuple[int, ...]
    ) -> None:
        with pytest.raises(ValueError, match=r"cost_matrix must have shape \(3, n_actions\)"):
            patients.oracle_cost(patients.X, np.zeros(shape))

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"n_samples": 0}, "n_samples must be at least 1, got 0"),
            ({"n_experts": 0}, "n_experts must be at least 1, got 0"),
            ({"error_rate": 0.5}, r"error_rate must lie in \[0, 0.5\), .* got 0.5"),
            ({"error_rate": float("nan")}, "error_rate must lie"),
            ({"error_rate": (0.1, 0.2)}, r"one number or 3, got \(0.1, 0.2\)"),
            ({"error_rate": (0.1, 0.2, 0.5)}, r"error_rate must lie in \[0, 0.5\)"),
            ({"habit": 1.0}, "habit must lie strictly between 0 and 1, got 1.0"),
            ({"copy_rate": 1.1}, r"copy_rate must lie in \[0, 1\], got 1.1"),
        ],
    )
    def test_numbers_out_of_range_are_refused(
        self, arguments: dict[str, Any], message: str
    ) -> None:
        with pytest.raises(ValueError, match=message):
            make_prescriptions(**arguments)


class TestBookPrescriptions:
    def test_they_are_valid(self) -> None:
        validate(make_book_prescriptions(random_state=0).frame, "book_prescriptions")

    @given(st.integers(1, 60), st.integers(0, 5))
    def test_a_tenth_had_jaundice_and_a_tenth_an_ulcer_and_nobody_both(
        self, n_samples: int, seed: int
    ) -> None:
        frame = make_book_prescriptions(n_samples, random_state=seed).frame
        assert frame["jaundice"].sum() == frame["ulcer"].sum() == n_samples // 10
        assert not (frame["jaundice"] & frame["ulcer"]).any()

    def test_the_history_decides_where_there_is_one(self) -> None:
        frame = make_book_prescriptions(random_state=0).frame
        assert set(frame.loc[frame["jaundice"] == 1, "prescription"]) == {"ibuprofen"}
        assert set(frame.loc[frame["ulcer"] == 1, "prescription"]) == {"acetaminophen"}

    def test_the_others_get_either_drug_by_a_coin_toss(self) -> None:
        frame = make_book_prescriptions(20_000, random_state=0).frame
        others = frame[(frame["jaundice"] == 0) & (frame["ulcer"] == 0)]
        assert set(others["state"]) == {"either"}
        assert (others["prescription"] == "ibuprofen").mean() == pytest.approx(0.5, abs=0.015)

    def test_no_patients_cannot_be_made(self) -> None:
        with pytest.raises(ValueError, match="n_samples must be at least 1, got 0"):
            make_book_prescriptions(0)
