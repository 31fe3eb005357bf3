"""The hyperparameter tuning pattern: pruning, durable studies, equal cost, honest scores."""

from __future__ import annotations

import glob
import io
import json
import math
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import optuna
import pytest
import xgboost as xgb
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from optuna import Study, Trial, TrialPruned
from optuna.distributions import FloatDistribution
from optuna.samplers import RandomSampler
from optuna.storages import RetryHeartbeatStaleTrialCallback
from optuna.trial import FrozenTrial, TrialState, create_trial
from rich.console import Console
from sklearn.metrics import log_loss
from sqlalchemy.pool import NullPool

from patterns.hyperparameter_tuning import (
    best_at_cost,
    costs_and_values,
    fail_stale_trials,
    honest_score,
    nested,
    network_losses,
    open_journal,
    progress_bar,
    report_and_prune,
    suggest_network,
    suggest_xgboost,
    tune,
    xgboost_losses,
)
from patterns.hyperparameter_tuning.evidence.curves import PATH, curves
from patterns.hyperparameter_tuning.evidence.digits import digits
from patterns.hyperparameter_tuning.evidence.functions import (
    BRANIN_MINIMUM,
    HARTMANN6_MINIMUM,
    branin,
    hartmann6,
)
from patterns.hyperparameter_tuning.evidence.replay import halving, hyperband, median, replay

ROOT = Path(__file__).parents[1]
N_KILLS = int(os.environ.get("TUNING_KILLS", "4"))  # more of them, for a long look
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

    def test_steps_and_losses_of_numpy_can_be_written_to_a_journal(self, tmp_path: Path) -> None:
        def objective(trial: Trial) -> float:
            steps, losses = np.array([5, 10]), np.array([2, 1], np.float32)
            return report_and_prune(trial, zip(steps, losses, strict=True))

        study = tune(objective, 1, tmp_path / "a.journal")
        assert study.trials[0].user_attrs["best_step"] == 10

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


# --- durability: real processes ------------------------------------------------------------------
SLOW = """
import time
from patterns.hyperparameter_tuning import report_and_prune

def objective(trial):
    x, y = trial.suggest_float("x", -1, 1), trial.suggest_float("y", -1, 1)
    def losses():
        for step in range(1, 6):
            time.sleep(0.004)
            yield step, x * x + y * y + 1 / step
    return report_and_prune(trial, losses())

def failing(trial):
    raise OSError("no such table")
"""
COMMAND = [sys.executable, "-m", "patterns.hyperparameter_tuning"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "my_search.py").write_text(SLOW)
    return tmp_path


def start(folder: Path, *arguments: str, objective: str = "objective") -> subprocess.Popen[str]:
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [*COMMAND, f"my_search:{objective}", "--journal", "a.journal", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finished(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def committed(path: Path) -> dict[int, Any]:
    """The trials with a result, by number, as another process reads them from the journal."""
    if not path.exists() or not path.stat().st_size:
        return {}
    storage = optuna.storages.JournalStorage(
        optuna.storages.journal.JournalFileBackend(str(path))  # it reads without a lock
    )
    try:
        study = optuna.load_study(study_name="study", storage=storage)
    except KeyError:
        return {}
    done = (TrialState.COMPLETE, TrialState.PRUNED)
    return {t.number: (t.value, t.params) for t in study.trials if t.state in done}


class TestKilledAtRandom:
    N_TRIALS = 40

    def test_no_committed_trial_is_lost_or_repeated(self, folder: Path) -> None:
        rng = random.Random(0)
        journal, before = folder / "a.journal", committed(folder / "a.journal")
        for _ in range(N_KILLS):
            resume = ["--resume"] if journal.exists() and journal.stat().st_size else []
            process = start(folder, "--n-trials", str(self.N_TRIALS), "--workers", "2", *resume)
            seen = journal.stat().st_size if resume else 0
            deadline = time.monotonic() + 60
            while process.poll() is None and time.monotonic() < deadline:
                if journal.exists() and journal.stat().st_size > seen:
                    break  # it has begun to write
                time.sleep(0.01)
            time.sleep(rng.uniform(0, 0.2))
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate(timeout=60)
            after = committed(journal)
            assert before.items() <= after.items()
            before = after
        code, _, err = finished(start(folder, "--n-trials", str(self.N_TRIALS), "--resume"))
        assert code == 0, err
        study = optuna.load_study(study_name="study", storage=open_journal(journal, 3))
        done = committed(journal)
        assert before.items() <= done.items()
        assert self.N_TRIALS <= len(done) <= self.N_TRIALS + 1  # one more for the second worker
        assert [t.number for t in study.trials] == list(range(len(study.trials)))
        parameters = [tuple(params.values()) for _, params in done.values()]
        assert len(set(parameters)) == len(parameters)
        running = [t for t in study.trials if t.state == TrialState.RUNNING]
        assert all("worker" not in t.user_attrs for t in running)  # killed before its first line


class TestCommand:
    def test_it_prints_the_best_parameters(self, folder: Path) -> None:
        code, out, err = finished(start(folder, "--n-trials", "6", "--seed", "0"))
        assert code == 0
        best = json.loads(out)
        assert best["params"].keys() == {"x", "y"}
        assert best["value"] == pytest.approx(sum(v**2 for v in best["params"].values()) + 0.2)
        assert "it flatters" in err

    def test_an_interrupt_leaves_a_study_that_resumes(self, folder: Path) -> None:
        process = start(folder, "--n-trials", "100000", "--workers", "2")
        deadline = time.monotonic() + 60
        while len(committed(folder / "a.journal")) < 3 and time.monotonic() < deadline:
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        code, out, err = finished(process)
        assert (code, out) == (130, "")
        assert "continue with --resume" in err
        assert "Traceback" not in err
        n = len(committed(folder / "a.journal")) + 2
        code, _, err = finished(start(folder, "--n-trials", str(n), "--resume"))
        assert code == 0, err
        assert len(committed(folder / "a.journal")) == n

    def test_a_journal_is_continued_only_when_asked(self, folder: Path) -> None:
        assert "there is nothing to resume" in finished(start(folder, "--resume"))[2]
        assert finished(start(folder, "--n-trials", "2"))[0] == 0
        code, _, err = finished(start(folder, "--n-trials", "2"))
        assert code == 2
        assert "give --resume to continue it" in " ".join(err.split())

    @pytest.mark.parametrize(
        ("objective", "code", "says"),
        [
            ("failing", 1, "no such table"),
            ("nothing", 2, "is no objective"),
        ],
    )
    def test_errors_are_one_line(self, folder: Path, objective: str, code: int, says: str) -> None:
        found, _, err = finished(start(folder, objective=objective))
        assert found == code
        assert says in " ".join(err.split())
        assert "Traceback" not in err


class TestProgress:
    def test_the_bar_shows_the_best_value_and_what_ended(self) -> None:
        text = io.StringIO()
        console = Console(file=text, width=100, force_terminal=False)

        def objective(trial: Trial) -> float:
            if trial.number == 1:
                raise ValueError
            return trial.suggest_float("x", 2.0, 2.0)

        with progress_bar(2, console) as bar:
            tune(objective, 2, callbacks=[bar])
        assert "best 2, 1 failed" in text.getvalue()
        assert "2/2" in text.getvalue()


# --- several machines: a database ----------------------------------------------------------------
def postgres_folder() -> Path | None:
    """Where Debian's package puts the server's programs, or where they are on the path."""
    found = [Path(p).parent for p in glob.glob("/usr/lib/postgresql/*/bin/initdb")]
    on_path = shutil.which("initdb")
    return max(found) if found else Path(on_path).parent if on_path else None


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """The URL of a PostgreSQL server that ends with the tests."""
    programs = postgres_folder()
    if programs is None:
        pytest.skip("the programs of a PostgreSQL server are not installed")
    user = "postgres" if os.geteuid() == 0 else None  # the server refuses to run as root
    with tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp") as name:
        data = Path(name) / "data"
        if user:
            shutil.chown(name, user)

        def run(program: str, *arguments: str) -> None:
            subprocess.run(
                [str(programs / program), *arguments],
                check=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                user=user,
                cwd=name,
                timeout=120,
            )

        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        run("initdb", "-D", str(data), "-U", "tester", "-A", "trust", "--no-sync")
        options = f"-p {port} -k {name} -c listen_addresses=127.0.0.1 -c fsync=off"
        run("pg_ctl", "-D", str(data), "-w", "-l", f"{name}/log", "-o", options, "start")
        try:
            yield f"postgresql+psycopg://tester@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "-D", str(data), "-m", "immediate", "stop")


WORKER = """
import sys
import optuna
from patterns.hyperparameter_tuning import tune
optuna.logging.set_verbosity(optuna.logging.ERROR)
sampler = optuna.samplers.RandomSampler(seed=0)
tune(lambda trial: trial.suggest_float("x", 0, 1), 12, sys.argv[1], sampler=sampler)
"""


def opened(url: str, **settings: Any) -> optuna.storages.RDBStorage:
    """A storage whose connections are closed after each use: the server ends before the process."""
    return optuna.storages.RDBStorage(url, engine_kwargs={"poolclass": NullPool}, **settings)


class TestDatabase:
    def test_several_processes_share_a_study(self, database: str) -> None:
        tune(lambda trial: trial.suggest_float("x", 0, 1), 1, opened(database))  # makes the tables
        workers = [
            subprocess.Popen([sys.executable, "-c", WORKER, database], cwd=ROOT) for _ in range(2)
        ]
        assert [worker.wait(timeout=120) for worker in workers] == [0, 0]
        study = optuna.load_study(study_name="study", storage=opened(database))
        assert 12 <= len(study.trials) <= 13
        assert states(study).keys() == {"COMPLETE"}
        assert len({trial.params["x"] for trial in study.trials}) == len(study.trials)

    def test_it_is_continued(self, database: str) -> None:
        tune(square, 3, opened(database), study_name="mine")
        assert len(tune(square, 5, opened(database), study_name="mine").trials) == 5

    @pytest.mark.filterwarnings("ignore:Heartbeat of storage is supposed")
    def test_optunas_heartbeat_runs_trials_of_dead_machines_again(self, database: str) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            storage = opened(
                database,
                heartbeat_interval=1,
                grace_period=2,
                heartbeat_stale_trial_callback=RetryHeartbeatStaleTrialCallback(max_retry=2),
            )
        study = optuna.create_study(storage=storage, study_name="stale")
        dead = study.ask()
        x = dead.suggest_float("x", 0, 10)
        storage.record_heartbeat(dead._trial_id)
        time.sleep(3)
        study = tune(square, 3, storage, study_name="stale")
        assert study.trials[0].state == TrialState.FAIL
        assert x in [trial.params["x"] for trial in study.trials[1:]]


# --- what the evidence rests on ------------------------------------------------------------------
class TestReplay:
    PRUNERS: ClassVar[dict[str, Any]] = {
        "halving": (
            lambda steps: halving(steps, 3),
            lambda: optuna.pruners.SuccessiveHalvingPruner(min_resource=3, reduction_factor=3),
        ),
        "median": (
            lambda steps: median(steps, 5, 4),
            lambda: optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=4),
        ),
        "hyperband": (
            lambda steps: hyperband(steps, 3),
            lambda: optuna.pruners.HyperbandPruner(min_resource=3, max_resource=27),
        ),
        "nothing": (lambda steps: None, optuna.pruners.NopPruner),
    }

    @pytest.mark.parametrize("name", PRUNERS)
    def test_it_stops_each_trial_where_optuna_does(self, name: str) -> None:
        replayed, pruner = self.PRUNERS[name]
        steps = np.arange(1, 28)
        order = np.random.default_rng(0).permutation(80)[:40]
        losses = curves()["network"][order, 0].astype(float)
        cost, value, _ = replay(losses, steps, replayed(steps))

        def objective(trial: Trial) -> float:
            return report_and_prune(trial, zip(steps.tolist(), losses[trial.number], strict=True))

        found = costs_and_values(tune(objective, 40, pruner=pruner()))
        assert_array_equal(found[0], cost)
        assert_array_equal(found[1], value)

    @pytest.mark.parametrize("patience", [3, 5])
    def test_patience_is_that_of_the_pattern(self, patience: int) -> None:
        steps = np.arange(1, 28)
        losses = curves()["network"][:10, 0].astype(float)
        cost, value, _ = replay(losses, steps, patience=patience)

        def objective(trial: Trial) -> float:
            pairs = zip(steps.tolist(), losses[trial.number], strict=True)
            return report_and_prune(trial, pairs, patience)

        found = costs_and_values(tune(objective, 10, pruner=optuna.pruners.NopPruner()))
        assert_array_equal(found[0], cost)
        assert_array_equal(found[1], value)


class TestTable:
    def test_a_few_curves_are_made_again(self) -> None:
        """In a process of its own: the types of Keras are those of the whole process."""
        code = (
            "from patterns.hyperparameter_tuning.evidence.curves import curves, differences\n"
            "assert differences(curves(), n_curves=2) == []"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    def test_it_is_small_and_whole(self) -> None:
        table = curves()
        assert {name: array.shape for name, array in table.items()} == {
            "boosting": (200, 3, 30),
            "defaults": (2, 3, 30),
            "network": (80, 2, 27),
            "logits": (120, 8000),
            "late": (8000,),
        }
        assert PATH.stat().st_size < 1_000_000


class TestFunctions:
    @pytest.mark.parametrize(
        ("function", "minimum", "at"),
        [
            (hartmann6, HARTMANN6_MINIMUM, [0.20169, 0.15001, 0.47687, 0.27533, 0.31165, 0.6573]),
            (branin, BRANIN_MINIMUM, [(math.pi + 5) / 15, 2.275 / 15, 0.3, 0.9, 0, 1]),
        ],
    )
    def test_the_minimum_is_where_the_literature_says(
        self, function: Any, minimum: float, at: list[float]
    ) -> None:
        assert function(at) == pytest.approx(minimum, abs=1e-5)
        around = np.clip(np.array(at) + np.random.default_rng(0).normal(0, 0.05, (500, 6)), 0, 1)
        assert min(map(function, around)) >= minimum


# --- the models ----------------------------------------------------------------------------------
class TestModels:
    def test_boosting_gives_the_losses_of_the_booster(self) -> None:
        rng = np.random.default_rng(0)
        X = rng.normal(size=(300, 4))
        y = (X[:, 0] + rng.normal(size=300) > 0).astype(float)
        train, validation = xgb.DMatrix(X[:200], y[:200]), xgb.DMatrix(X[200:], y[200:])
        params = suggest_xgboost(optuna.create_study().ask())
        params |= {"objective": "binary:logistic", "nthread": 1}
        found = list(xgboost_losses(params, train, validation, log_loss, 12, every=5))
        assert [step for step, _ in found] == [5, 10, 12]
        for step, value in found:
            proba = xgb.train(params, train, step).predict(validation)
            assert value == pytest.approx(log_loss(y[200:], proba), rel=1e-5)

    def test_a_network_learns_digits(self) -> None:
        parts = digits(0)
        params = {"learning_rate": 0.01, "units": 32, "layers": 1, "dropout": 0.0, "l2": 1e-6}
        params["batch_size"] = 64
        found = list(network_losses(params, parts["train"], parts["validation"], 4))
        assert [step for step, _ in found] == [1, 2, 3, 4]
        assert found[-1][1] < 0.5 * found[0][1]

    def test_factors_are_drawn_on_a_logarithmic_scale(self) -> None:
        study = optuna.create_study(sampler=RandomSampler(seed=0))
        rates = [suggest_xgboost(study.ask())["learning_rate"] for _ in range(400)]
        middle = math.sqrt(0.01 * 0.5)
        assert np.mean(np.array(rates) < middle) == pytest.approx(0.5, abs=0.08)
        assert suggest_network(study.ask()).keys() >= {"learning_rate", "units", "layers"}
