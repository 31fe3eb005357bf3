"""The hyperparameter tuning pattern: pruning, durable studies, equal cost, honest scores."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from optuna import Study, Trial, TrialPruned
from optuna.distributions import FloatDistribution
from optuna.samplers import RandomSampler
from optuna.trial import FrozenTrial, TrialState, create_trial

from patterns.hyperparameter_tuning import (
    best_at_cost,
    costs_and_values,
    fail_stale_trials,
    honest_score,
    nested,
    open_journal,
    report_and_prune,
    tune,
)

SILENT = optuna.logging.CRITICAL
X = {"x": FloatDistribution(0, 10)}


@pytest.fixture(autouse=True)
def _silent() -> Iterator[None]:
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(SILENT)
    yield
    optuna.logging.set_verbosity(before)


def square(trial: Trial) -> float:
    return (trial.suggest_float("x", 0, 10) - 3) ** 2


def states(study: Study) -> Counter[str]:
    return Counter(trial.state.name for trial in study.trials)


def complete(value: float, x: float = 1.0) -> FrozenTrial:
    return create_trial(value=value, params={"x": x}, distributions=X)


class StopAt(optuna.pruners.BasePruner):
    """Gives up at one step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        return trial.last_step == self.step


class TestReportAndPrune:
    def run(
        self,
        losses: list[tuple[float, float]],
        patience: float | None = None,
        pruner: optuna.pruners.BasePruner | None = None,
        direction: str = "minimize",
    ) -> tuple[float, Trial]:
        study = optuna.create_study(direction=direction, pruner=pruner)
        trial = study.ask()
        return report_and_prune(trial, losses, patience), trial

    def test_the_best_loss_is_returned_with_its_step(self) -> None:
        value, trial = self.run([(10, 0.5), (20, 0.3), (30, 0.4)])
        assert (value, trial.user_attrs["best_step"]) == (0.3, 20)

    def test_a_score_is_maximized_where_the_study_does(self) -> None:
        value, trial = self.run([(1, 0.5), (2, 0.9), (3, 0.7)], direction="maximize")
        assert (value, trial.user_attrs["best_step"]) == (0.9, 2)

    def test_every_loss_is_reported_at_its_step(self) -> None:
        _, trial = self.run([(5, 0.5), (10, 0.3)])
        (found,) = trial.study.trials
        assert found.intermediate_values == {5: 0.5, 10: 0.3}

    def test_training_stops_where_the_pruner_gives_up(self) -> None:
        trained = []

        def losses() -> Iterator[tuple[int, float]]:
            for step in range(1, 10):
                trained.append(step)
                yield step, 1.0

        trial = optuna.create_study(pruner=StopAt(3)).ask()
        with pytest.raises(TrialPruned, match="step 3"):
            report_and_prune(trial, losses())
        assert trained == [1, 2, 3]

    def test_patience_is_counted_in_steps(self) -> None:
        losses = [(10, 0.5), (20, 0.3), (30, 0.4), (40, 0.4), (50, 0.1)]
        value, trial = self.run(losses, patience=20)
        assert value == 0.3
        assert trial.study.trials[0].last_step == 40
        assert self.run(losses, patience=21)[0] == 0.1

    def test_a_loss_that_is_nan_fails_the_trial(self) -> None:
        with pytest.raises(ValueError, match="NaN at step 2"):
            self.run([(1, 0.5), (2, math.nan)])

    def test_an_infinite_loss_is_a_loss(self) -> None:
        assert self.run([(1, math.inf), (2, 3.0)])[0] == 3.0
        assert self.run([(1, math.inf)])[0] == math.inf

    def test_no_losses_are_an_error(self) -> None:
        with pytest.raises(ValueError, match="losses is empty"):
            self.run([])


class TestTune:
    def test_it_finds_the_minimum(self) -> None:
        study = tune(square, 40, sampler=optuna.samplers.TPESampler(seed=0))
        assert study.best_value < 0.05
        assert states(study) == {"COMPLETE": 40}

    def test_the_budget_is_that_of_the_study_and_not_of_the_call(self, tmp_path: Path) -> None:
        tune(square, 5, tmp_path / "a.journal")
        assert len(tune(square, 8, tmp_path / "a.journal").trials) == 8
        assert len(tune(square, 8, tmp_path / "a.journal").trials) == 8
        assert len(tune(square, 3, tmp_path / "a.journal").trials) == 8

    def test_failed_trials_do_not_count_and_say_why(self, tmp_path: Path) -> None:
        def objective(trial: Trial) -> float:
            if trial.number % 3 == 0:
                raise ZeroDivisionError("no such model")
            return math.nan if trial.number % 3 == 1 else square(trial)

        study = tune(objective, 4, tmp_path / "a.journal")
        assert states(study) == {"COMPLETE": 4, "FAIL": 8}
        assert study.trials[0].user_attrs["error"] == "ZeroDivisionError('no such model')"

    def test_pruned_trials_count(self) -> None:
        def objective(trial: Trial) -> float:
            return report_and_prune(trial, [(1, square(trial)), (2, 0.0)])

        assert states(tune(objective, 6, pruner=StopAt(1))) == {"PRUNED": 6}

    def test_an_objective_that_always_fails_ends_with_its_error(self) -> None:
        def objective(trial: Trial) -> float:
            raise OSError("no such table")

        with pytest.raises(RuntimeError, match="no such table") as failed:
            tune(objective, 5)
        assert isinstance(failed.value.__cause__, OSError)
        with pytest.raises(RuntimeError, match="no number"):
            tune(lambda trial: math.nan, 5)

    def test_a_resumed_random_search_repeats_no_draw(self, tmp_path: Path) -> None:
        for n in (10, 20, 30):
            study = tune(square, n, tmp_path / "a.journal", sampler=RandomSampler(seed=0))
        assert len({trial.params["x"] for trial in study.trials}) == 30

    def test_a_seed_makes_a_new_study_repeatable(self, tmp_path: Path) -> None:
        a, b = (
            tune(square, 5, storage, sampler=RandomSampler(seed=0))
            for storage in (None, tmp_path / "b.journal")
        )
        assert [t.params for t in a.trials] == [t.params for t in b.trials]

    def test_an_interrupted_trial_is_run_again(self, tmp_path: Path) -> None:
        def objective(trial: Trial) -> float:
            value = square(trial)
            if trial.number == 2:
                raise KeyboardInterrupt
            return value

        with pytest.raises(KeyboardInterrupt):
            tune(objective, 5, tmp_path / "a.journal")
        study = tune(objective, 5, tmp_path / "a.journal")
        assert states(study) == {"COMPLETE": 5, "FAIL": 1}
        assert study.trials[2].params == study.trials[3].params

    def test_callbacks_see_each_trial(self) -> None:
        seen: list[int] = []
        tune(square, 3, callbacks=[lambda study, trial: seen.append(trial.number)])
        assert seen == [0, 1, 2]

    @pytest.mark.parametrize("n_trials", [0, -1])
    def test_a_budget_of_no_trials_is_an_error(self, n_trials: int) -> None:
        with pytest.raises(ValueError, match="n_trials must be at least 1"):
            tune(square, n_trials)

    def test_another_direction_is_an_error(self, tmp_path: Path) -> None:
        tune(square, 1, tmp_path / "a.journal")
        with pytest.raises(ValueError, match="is to minimize, but direction is 'maximize'"):
            tune(square, 2, tmp_path / "a.journal", direction="maximize")

    def test_a_relative_path_is_the_same_study(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tune(square, 2, tmp_path / "folder" / "a.journal")
        monkeypatch.chdir(tmp_path)
        assert len(tune(square, 3, "folder/a.journal").trials) == 3


class TestJournal:
    def test_half_a_line_at_the_end_is_removed(self, tmp_path: Path) -> None:
        path = tmp_path / "a.journal"
        tune(square, 5, path)
        whole = path.read_bytes()
        for n_bytes in (1, 30, len(whole) - whole[:-1].rfind(b"\n") - 2):
            path.write_bytes(whole[:-n_bytes])
            study = tune(square, 7, path)
            assert states(study)["COMPLETE"] == 7
            assert [t.number for t in study.trials] == list(range(len(study.trials)))

    def test_another_file_is_refused_and_left_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "table.csv"
        path.write_text("a,b\n1,2")
        with pytest.raises(ValueError, match="is no journal of a study"):
            open_journal(path)
        assert path.read_text() == "a,b\n1,2"
        open_journal(tmp_path / "new.journal")  # the lock of the other is free


class TestFailStaleTrials:
    def test_running_trials_are_failed_and_queued_again(self) -> None:
        study = optuna.create_study()
        done, killed = study.ask(), study.ask()
        study.tell(done, done.suggest_float("x", 0, 10))
        x = killed.suggest_float("x", 0, 10)
        assert fail_stale_trials(study) == [killed.number]
        assert states(study) == {"COMPLETE": 1, "FAIL": 1, "WAITING": 1}
        assert study.ask().suggest_float("x", 0, 10) == x

    def test_a_second_call_changes_nothing(self) -> None:
        study = optuna.create_study()
        study.ask().suggest_float("x", 0, 10)
        fail_stale_trials(study)
        assert fail_stale_trials(study) == []
        assert states(study) == {"FAIL": 1, "WAITING": 1}

    def test_trials_of_living_processes_are_left_alone(self) -> None:
        study = optuna.create_study()
        study.ask().suggest_float("x", 0, 10)
        study.ask().suggest_float("x", 0, 10)
        assert fail_stale_trials(study, lambda trial: trial.number == 0) == [1]
        assert study.trials[0].state == TrialState.RUNNING

    def test_a_trial_without_parameters_is_not_queued(self) -> None:
        study = optuna.create_study()
        study.ask()
        fail_stale_trials(study)
        assert states(study) == {"FAIL": 1}

    def test_parameters_that_kill_the_process_are_given_up(self) -> None:
        study = optuna.create_study()
        study.enqueue_trial({"x": 1.0})
        for _ in range(6):
            study.ask().suggest_float("x", 0, 10)
            fail_stale_trials(study, max_retries=2)
        assert sum(trial.params == {"x": 1.0} for trial in study.trials) == 3


class TestEqualCost:
    def test_a_trial_counts_when_its_cost_is_spent(self) -> None:
        found = best_at_cost([2, 3, 1], [0.5, 0.7, 0.2], [0, 1.9, 2, 5, 6, 100])
        assert_array_equal(found, [np.nan, np.nan, 0.5, 0.5, 0.2, 0.2])

    def test_pruned_trials_cost_and_find_nothing(self) -> None:
        found = best_at_cost([1, 9, 1], [np.nan, np.nan, 0.2], [1, 10, 11])
        assert_array_equal(found, [np.nan, np.nan, 0.2])

    def test_scores_may_be_maximized(self) -> None:
        assert_array_equal(best_at_cost([1, 1], [0.5, 0.2], [1, 2], "maximize"), [0.5, 0.5])

    def test_no_trials_find_nothing(self) -> None:
        assert_array_equal(best_at_cost([], [], [1.0]), [np.nan])

    @given(
        st.lists(st.tuples(st.integers(0, 9), st.floats(-1, 1) | st.just(np.nan)), max_size=8),
        st.integers(0, 80),
    )
    def test_it_is_the_best_of_the_trials_that_fit(
        self, trials: list[tuple[int, float]], budget: int
    ) -> None:
        spent, best = 0, math.nan
        for cost, value in trials:
            spent += cost
            if spent <= budget and not value >= best and not math.isnan(value):
                best = value
        found = best_at_cost(*zip(*trials, strict=True), [budget]) if trials else [best]
        assert_array_equal(found, [best])

    @pytest.mark.parametrize(
        ("cost", "value", "says"),
        [
            ([1, 2], [1.0], "same shape"),
            ([[1]], [[1.0]], "same shape"),
            ([-1], [1.0], "not negative"),
            ([np.nan], [1.0], "finite"),
        ],
    )
    def test_bad_costs_are_errors(self, cost: Any, value: Any, says: str) -> None:
        with pytest.raises(ValueError, match=says):
            best_at_cost(cost, value, [1])

    def test_a_study_gives_its_costs_and_values(self) -> None:
        def objective(trial: Trial) -> float:
            trial.suggest_float("x", 0, 10)
            if trial.number == 2:
                raise ValueError
            steps = [(s, 1.0 / s) for s in (4, 8)]
            return report_and_prune(trial, steps[: 2 - trial.number])

        cost, value = costs_and_values(tune(objective, 2))
        assert_array_equal(cost, [8, 4])
        assert_array_equal(value, [1 / 8, 1 / 4])


class TestHonestScore:
    def study(self, *values: float, direction: str = "minimize") -> Study:
        study = optuna.create_study(direction=direction)
        study.add_trials([complete(value, x) for x, value in enumerate(values)])
        return study

    def test_the_winner_alone_is_judged_once(self) -> None:
        judged = []

        def score(winner: FrozenTrial) -> float:
            judged.append(winner.number)
            return 0.5

        found = honest_score(self.study(0.6, 0.3, 0.4), score)
        assert judged == [1]
        assert (found.own, found.honest, found.optimism) == (0.3, 0.5, 0.2)
        assert found.winner.params == {"x": 1.0}

    def test_optimism_is_positive_where_a_score_flatters(self) -> None:
        found = honest_score(self.study(0.6, 0.9, direction="maximize"), lambda winner: 0.7)
        assert found.optimism == pytest.approx(0.2)

    def test_a_pruned_trial_does_not_win(self) -> None:
        study = self.study(0.6)
        study.add_trial(
            create_trial(
                state=TrialState.PRUNED,
                value=0.1,
                params={"x": 5.0},
                distributions=X,
                intermediate_values={1: 0.1},
            )
        )
        assert honest_score(study, lambda winner: 1.0).own == 0.6

    def test_a_study_without_a_complete_trial_is_an_error(self) -> None:
        with pytest.raises(ValueError, match="completed"):
            honest_score(optuna.create_study(), lambda winner: 1.0)

    def test_nested_searches_see_no_test_row(self) -> None:
        folds = [(np.array([0, 1]), np.array([2])), (np.array([1, 2]), np.array([0]))]
        searched: list[list[int]] = []

        def search(train: Any) -> Study:
            searched.append(train.tolist())
            return self.study(0.5 + len(searched))

        def score(train: Any, test: Any, winner: FrozenTrial) -> float:
            assert not set(train) & set(test)
            return float(test[0])

        found = nested(search, score, folds)
        assert searched == [[0, 1], [1, 2]]
        assert [(one.own, one.honest) for one in found] == [(1.5, 2.0), (2.5, 0.0)]
