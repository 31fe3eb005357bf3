"""Hyperparameter tuning: a search that resumes, and an honest score of what it found.

The training loop goes inside an optimization loop. A trial reports its losses while it trains, so
that a pruner can stop it early. The study is a file or a database: a search that was killed
continues, and several processes can share it. The winning trial's own score is the best of many,
so it flatters: judge the winner on data that the search never saw.

Source: Lakshmanan, Robinson, Munn, "Machine Learning Design Patterns" (2020), chapter 4.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import ArrayLike, NDArray
from optuna import Study, Trial, TrialPruned, create_study
from optuna.pruners import BasePruner
from optuna.samplers import BaseSampler
from optuna.storages import BaseStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.study import MaxTrialsCallback, StudyDirection
from optuna.trial import FrozenTrial, TrialState

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)  # what a budget of trials counts
MAX_FAILURES_IN_A_ROW = 10
UNCLAIMED = timedelta(minutes=1)  # a trial without a worker for longer than this has lost it

Callback = Callable[[Study, FrozenTrial], None]


# ---------------------------------------------------------------------------------- one trial
def report_and_prune(
    trial: Trial, losses: Iterable[tuple[float, float]], patience: float | None = None
) -> float:
    """Train, report each loss to the pruner, and return the best one: what an objective returns.

    The step of the best loss is kept as the trial's user attribute ``best_step``: train as long as
    that when you train the winner again.

    Parameters
    ----------
    trial : optuna.Trial
    losses : iterable of (step, loss)
        A generator that trains as it is asked: after each round or epoch, or some of them, it gives
        the cost so far as a whole number from 1 on, and the validation loss, or a score where the
        study maximizes.
    patience : number of steps, optional
        Stop early when the loss has not improved for this many steps. Without, train to the end.

    Raises
    ------
    optuna.TrialPruned
        When the pruner gives the trial up.
    ValueError
        For a loss that is NaN, which makes the trial a failed one, and when there are no losses.
    """
    sign = -1 if trial.study.direction == StudyDirection.MAXIMIZE else 1
    # --8<-- [start:ex-report]
    best, best_step = math.inf, None
    for step, loss in losses:
        if math.isnan(loss):
            raise ValueError(f"the loss is NaN at step {step}")
        trial.report(loss, int(step))
        if best_step is None or sign * loss < best:
            best, best_step = sign * loss, step
        if trial.should_prune():
            raise TrialPruned(f"given up at step {step}")
        if patience is not None and step - best_step >= patience:
            break
    # --8<-- [end:ex-report]
    if best_step is None:
        raise ValueError("losses is empty; it must give at least one (step, loss)")
    trial.set_user_attr("best_step", int(best_step))  # a journal cannot hold numpy's integers
    return sign * best


# ---------------------------------------------------------------------------------- a study
def tune(
    objective: Callable[[Trial], float],
    n_trials: int,
    storage: str | os.PathLike[str] | BaseStorage | None = None,
    *,
    study_name: str = "study",
    direction: Literal["minimize", "maximize"] = "minimize",
    sampler: BaseSampler | None = None,
    pruner: BasePruner | None = None,
    callbacks: Sequence[Callback] = (),
    grace_period: int = 10,
) -> Study:
    """Search until a study has its number of trials; where it has some already, continue it.

    A trial whose objective raises or returns NaN has failed, and the search goes on. A trial that
    was interrupted or whose process was killed is run again. Several processes, on one machine over
    a file or on several over a database, can call this at once; together they may end with one
    trial more for each process but the first.

    Parameters
    ----------
    objective : function of an optuna.Trial that returns a number
    n_trials : int of at least 1
        How many trials the study has in the end, those of earlier calls included. Complete and
        pruned trials count; failed ones do not.
    storage : path, database URL, optuna storage or None, default None
        A path is that of a journal, which is made if it is missing. Text with "://" is the URL of a
        database that exists; one process makes its tables before others start. None keeps the study
        in memory.
    study_name, direction, sampler, pruner
        As for ``optuna.create_study``; the defaults are TPE and the median pruner. A sampler with
        a seed repeats its draws when a process starts anew. So only the first process of a new
        journal keeps its seed. All later ones, and all that use a database, draw with fresh
        entropy.
    callbacks : sequence of functions of the study and the trial that has just ended
    grace_period : int, seconds, default 10
        How long a process waits for the journal before it takes its lock from one that was killed.

    Returns
    -------
    optuna.Study

    Raises
    ------
    ValueError
        For fewer than one trial, and where the study exists with another direction.
    RuntimeError
        After ten failed trials in a row, from the error of the last one.
    """
    if n_trials < 1:
        raise ValueError(f"n_trials must be at least 1, got {n_trials}")
    is_journal = isinstance(storage, os.PathLike) or (
        isinstance(storage, str) and "://" not in storage
    )
    journal = Path(storage).resolve() if is_journal else None  # type: ignore[arg-type]
    with _worker(journal) as (worker, is_alive, turn):
        with turn:
            study = create_study(
                storage=storage if journal is None else open_journal(journal, grace_period),  # type: ignore[arg-type]
                study_name=study_name,
                direction=direction,
                sampler=sampler,
                pruner=pruner,
                load_if_exists=True,
            )
            if study.direction.name.lower() != direction:
                raise ValueError(
                    f"the study {study_name!r} exists and is to {study.direction.name.lower()}, "
                    f"but direction is {direction!r}; give the other one, or another study_name"
                )
            n_workers = study.user_attrs.get("n_workers", 0)
            study.set_user_attr("n_workers", n_workers + 1)
            if n_workers or (journal is None and storage is not None):
                study.sampler.reseed_rng()
            if journal is not None:
                fail_stale_trials(study, is_alive)

        failures: list[Exception | None] = []  # in a row, of this process

        def run(trial: Trial) -> float:
            trial.set_user_attr("worker", worker)
            failures.append(None)
            try:
                value = objective(trial)
            except TrialPruned:
                raise
            except Exception as error:
                failures[-1] = error
                trial.set_user_attr("error", repr(error))
                raise
            except KeyboardInterrupt:
                _run_again(study, trial)
                raise
            return value

        def count_failures(study: Study, trial: FrozenTrial) -> None:
            if trial.state != TrialState.FAIL:
                failures.clear()
            elif len(failures) == MAX_FAILURES_IN_A_ROW:
                raise RuntimeError(
                    f"the last {MAX_FAILURES_IN_A_ROW} trials failed; the last one with "
                    f"{trial.user_attrs.get('error', 'a value that is no number')}"
                ) from failures[-1]

        enough = MaxTrialsCallback(n_trials, states=FINISHED)
        if len(study.get_trials(deepcopy=False, states=FINISHED)) < n_trials:
            every: list[Callback] = [*callbacks, count_failures, enough]
            study.optimize(run, catch=(Exception,), callbacks=every)
    return study


def open_journal(path: str | os.PathLike[str], grace_period: int = 10) -> JournalStorage:
    """A study's file; a last line that a crash of the machine has cut off is removed.

    The path is made absolute: with a relative one, a lock that a killed process has left can hold
    all others up for ever. ``grace_period`` is the number of seconds until such a lock is taken.

    Raises
    ------
    ValueError
        If the file holds something else; it is left as it is.
    """
    journal = Path(path).resolve()
    journal.parent.mkdir(parents=True, exist_ok=True)
    lock = JournalFileOpenLock(str(journal), grace_period)
    lock.acquire()
    try:
        with open(journal, "ab+") as file:  # the next line would be appended to half a line
            file.seek(0)
            content = file.read()
            if content and not content.startswith(b'{"op_code":'):
                raise ValueError(f"{journal} is no journal of a study; give another path")
            file.truncate(content.rfind(b"\n") + 1)
    finally:
        lock.release()
    return JournalStorage(JournalFileBackend(str(journal), lock))


def fail_stale_trials(
    study: Study,
    is_alive: Callable[[FrozenTrial], bool] = lambda trial: False,
    max_retries: int = 2,
) -> list[int]:
    """Fail the running trials whose process is dead, and queue their parameters again.

    Parameters
    ----------
    study : optuna.Study
    is_alive : function of a running trial
        Whether the process that runs it still lives. Without, none does: call this when no process
        works on the study.
    max_retries : int, default 2
        How often parameters are queued again: they may be what kills the process.

    Returns
    -------
    list of int
        The numbers of the trials that are failed now.
    """
    # --8<-- [start:ex-resume]
    stale = [
        trial
        for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        if not is_alive(trial)
    ]
    for trial in stale:
        study.tell(trial.number, state=TrialState.FAIL)
        if trial.params and trial.user_attrs.get("retries", 0) < max_retries:
            _run_again(study, trial)
    return [trial.number for trial in stale]
    # --8<-- [end:ex-resume]


def _run_again(study: Study, trial: Trial | FrozenTrial) -> None:
    """Queue a trial's parameters, with how often they have been queued before."""
    retries = trial.user_attrs.get("retries", 0) + 1
    study.enqueue_trial(trial.params, user_attrs={"retries": retries})


@contextmanager
def _worker(journal: Path | None) -> Iterator[tuple[str, Callable[[FrozenTrial], bool], Any]]:
    """The name of this process, whether a trial's process lives, and a lock of all processes.

    Each process holds a lock that the system frees when it ends, however it ends. A process that
    can take the lock of another one knows that the other is dead.
    """
    name = uuid4().hex
    if journal is None:
        yield name, lambda trial: True, _NoLock()
        return
    folder = journal.with_name(f"{journal.name}.workers")
    folder.mkdir(parents=True, exist_ok=True)

    def is_alive(trial: FrozenTrial) -> bool:
        other = trial.user_attrs.get("worker")
        if other is None:  # killed, or about to write its name
            started = trial.datetime_start
            return started is not None and datetime.now() - started < UNCLAIMED
        try:
            with FileLock(folder / other, blocking=False):
                pass
        except Timeout:
            return True
        (folder / other).unlink(missing_ok=True)
        return False

    with FileLock(folder / name):
        yield name, is_alive, FileLock(folder / "turn")
    (folder / name).unlink(missing_ok=True)


class _NoLock:
    """Of a study in memory, or in a database, which has locks of its own."""

    def __enter__(self) -> None: ...

    def __exit__(self, *error: object) -> None: ...


# ---------------------------------------------------------------------------------- equal cost
def best_at_cost(
    cost: ArrayLike,
    value: ArrayLike,
    budget: ArrayLike,
    direction: Literal["minimize", "maximize"] = "minimize",
) -> NDArray[np.float64]:
    """Best value that a search knows when it has spent each budget.

    Searches that stop trials early are compared at equal cost, not at equal numbers of trials.

    Parameters
    ----------
    cost : array of shape (n_trials,)
        Of each trial, pruned and failed ones included, in the order in which they ended: rounds,
        epochs or seconds.
    value : array of shape (n_trials,)
        NaN for a trial that was pruned or has failed.
    budget : array of shape (n_budgets,)
        In the unit of ``cost``.

    Returns
    -------
    array of shape (n_budgets,)
        NaN while no trial is complete. A trial counts when all of its cost is spent.
    """
    cost, value, budget = (np.asarray(a, dtype=float) for a in (cost, value, budget))
    if cost.shape != value.shape or cost.ndim != 1 or budget.ndim != 1:
        raise ValueError(
            "cost and value must have the same shape (n_trials,), and budget the shape "
            f"(n_budgets,); got {cost.shape}, {value.shape} and {budget.shape}"
        )
    if not (np.isfinite(cost).all() and (cost >= 0).all()):
        raise ValueError("cost must be finite and not negative in all trials")
    sign = -1 if direction == "maximize" else 1
    # --8<-- [start:ex-cost]
    best = np.concatenate([[np.nan], sign * np.fmin.accumulate(sign * value)])
    n_ended = np.searchsorted(np.cumsum(cost), budget, side="right")
    return best[n_ended]
    # --8<-- [end:ex-cost]


def costs_and_values(study: Study) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What `best_at_cost` needs of a study whose trials have reported their steps.

    The cost of a trial is the last step that it has reported.
    """
    ended = [t for t in study.get_trials(deepcopy=False) if t.state.is_finished()]
    ended.sort(key=lambda trial: (trial.datetime_complete, trial.number))
    cost = [float(trial.last_step or 0) for trial in ended]
    value = [t.value if t.state == TrialState.COMPLETE else math.nan for t in ended]
    return np.array(cost), np.array(value, dtype=float)


# ---------------------------------------------------------------------------------- honest score
@dataclass(frozen=True)
class HonestScore:
    """The winner of a study, its own score, and its score on data that the search never saw.

    ``optimism`` says by how much its own score flatters, in the unit of the score. It is negative
    where the winner is even better than its own score.
    """

    winner: FrozenTrial
    own: float
    honest: float
    optimism: float


def honest_score(study: Study, score: Callable[[FrozenTrial], float]) -> HonestScore:
    """Choose by the search's own scores, then judge the winner, and no other trial, once.

    Parameters
    ----------
    study : optuna.Study
        With at least one complete trial; pruned trials do not win.
    score : function of the winning trial
        Trains with its ``params`` and gives the score on rows that no trial has seen. The unit and
        the direction are those of the study.

    Raises
    ------
    ValueError
        If no trial is complete.
    """
    # --8<-- [start:ex-honest]
    winner, own = study.best_trial, study.best_value
    honest = score(winner)
    optimism = honest - own if study.direction == StudyDirection.MINIMIZE else own - honest
    # --8<-- [end:ex-honest]
    return HonestScore(winner, own, honest, optimism)


def nested(
    search: Callable[[NDArray[np.intp]], Study],
    score: Callable[[NDArray[np.intp], NDArray[np.intp], FrozenTrial], float],
    folds: Iterable[tuple[NDArray[np.intp], NDArray[np.intp]]],
) -> list[HonestScore]:
    """Judge the whole procedure: in each fold, search on the training rows, then judge the winner.

    The mean of the honest scores says what this way to tune is worth. Each fold has a winner of its
    own: to get a model, search once more on all rows.

    Parameters
    ----------
    search : function of the positions of training rows
        Gives a study that has seen no other rows; it splits them again to validate.
    score : function of the positions of training and test rows and the winning trial
    folds : iterable of (train, test)
        Such as ``KFold().split(X)``.
    """
    scores = []
    for train, test in folds:
        # --8<-- [start:ex-nested]
        study = search(train)
        scores.append(honest_score(study, partial(score, train, test)))
        # --8<-- [end:ex-nested]
    return scores
