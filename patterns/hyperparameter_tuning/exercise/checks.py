"""What the exercise asks of an answer.

A list of losses takes the place of training, and a study is given its trials by hand. So every
expected answer follows from its definition, and a message can show the whole input.
"""

from __future__ import annotations

import math
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import optuna
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray
from optuna import Study, Trial, TrialPruned
from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.pruners import BasePruner, MedianPruner, NopPruner, SuccessiveHalvingPruner
from optuna.samplers import RandomSampler
from optuna.trial import FrozenTrial, TrialState, create_trial
from sklearn.model_selection import KFold, TimeSeriesSplit

from patterns._kit.exercise import Case, check, explore
from patterns.hyperparameter_tuning.pattern import open_journal

NAN, INF = math.nan, math.inf
Curve = Sequence[tuple[float, float]]
Direction = Literal["minimize", "maximize"]


@contextmanager
def quiet() -> Iterator[None]:
    """Let optuna say nothing of each trial."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


def new_study(direction: Direction = "minimize", pruner: BasePruner | None = None) -> Study:
    """A study in memory that asks for no randomness."""
    sampler = RandomSampler(seed=0)
    return optuna.create_study(direction=direction, pruner=pruner, sampler=sampler)


def number(value: Any) -> str:
    """A number as one would type it, and anything else as it is."""
    try:
        return f"{float(value) + 0.0:g}"  # no -0
    except (TypeError, ValueError):
        return repr(value)


def listed(values: ArrayLike) -> str:
    """Numbers as one would type them."""
    return f"[{', '.join(number(value) for value in np.ravel(values))}]"


def pairs(losses: Curve) -> str:
    """Steps and losses as one would type them."""
    return f"[{', '.join(f'({number(step)}, {number(loss)})' for step, loss in losses)}]"


def reported(trial: FrozenTrial) -> str:
    """What the pruner of a trial has been told; NaN fails the trial, told or not."""
    found = trial.intermediate_values.items()
    return f"reported {pairs([(step, loss) for step, loss in found if not math.isnan(loss)])}"


# --- report ---------------------------------------------------------------------------------------


class StopAt(BasePruner):
    """Gives up from one step on."""

    def __init__(self, step: float) -> None:
        self.step = step

    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        """Whether the trial has come so far."""
        return trial.last_step is not None and trial.last_step >= self.step


def training_case(
    losses: Curve,
    expected: str | None = None,
    *,
    patience: float | None = None,
    stop_at: float | None = None,
    direction: Direction = "minimize",
    kind: str = "",
) -> Case:
    """One trial: what it returns, how far it trains, and what it reports."""

    def answer(module: Any) -> Any:
        trained = []

        def train() -> Iterator[tuple[float, float]]:
            for step, loss in losses:
                trained.append(step)
                yield step, loss

        with quiet():
            trial = new_study(direction, NopPruner() if stop_at is None else StopAt(stop_at)).ask()
            try:
                value = module.report_and_prune(trial, train(), patience)
            except ValueError:
                return f"a ValueError, trained to step {number(trained[-1])}"
            except TrialPruned:
                end = "TrialPruned"
            else:
                end = f"{number(value)} of step {number(trial.user_attrs['best_step'])}"
            (found,) = trial.study.trials
            return f"{end}, trained to step {number(trained[-1])}, {reported(found)}"

    about = "" if direction == "minimize" else ", in a study that maximizes"
    about += "" if stop_at is None else f", with a pruner that gives up from step {stop_at:g} on"
    return Case(
        call=f"report_and_prune(trial, {pairs(losses)}, patience={patience}){about}",
        answer=answer,
        expected=expected,
        kind=kind,
    )


def completed(losses: Curve, value: float, step: float, **settings: Any) -> Case:
    """A trial that gives a value, and reports all of the losses."""
    text = f"{value:g} of step {step:g}, trained to step {losses[-1][0]:g}, reported"
    return training_case(losses, f"{text} {pairs(losses)}", **settings)


@check("report", why="The search compares trials, and each is as good as its best round or epoch.")
def the_best_loss_is_returned_with_its_step() -> Iterator[Case]:
    """The trial's value is the best loss, and its best step is the first one that has it."""
    for case in best_losses():
        yield replace(case, view=value_and_step, expected=value_and_step(case.expected))


def value_and_step(text: str) -> str:
    """Of what a trial has done, the value that it returns and its best step."""
    return text.partition(", trained")[0]


def best_losses() -> Iterator[Case]:
    """Trials that are complete."""
    maximize = {"direction": "maximize"}
    yield completed([(1, 0.5), (2, 0.3), (3, 0.4)], 0.3, 2, kind="a loss")
    yield completed([(1, 0.2), (2, 0.9), (3, 0.7)], 0.9, 2, kind="a score", **maximize)
    yield completed([(1, 7), (2, 4), (3, 4), (4, 8)], 4, 2, kind="equal losses")
    yield completed([(1, -3), (2, -1), (3, -1)], -1, 2, kind="equal scores", **maximize)
    yield completed([(1, INF), (2, 3), (3, 5)], 3, 2, kind="an infinite loss first")
    yield completed([(1, INF)], INF, 1, kind="no finite loss")
    yield completed([(1, -INF), (2, -INF)], -INF, 1, kind="no finite score", **maximize)


@check("report", why="A pruner compares trials at equal steps, by the losses that they had there.")
def each_loss_is_reported_at_its_step() -> Iterator[Case]:
    """Each loss is reported as it is, at the step that came with it."""
    yield completed([(10, 0.5), (20, 0.3), (30, 0.4)], 0.3, 20, kind="steps of ten")
    yield completed([(5, 2), (7, 1), (50, 3)], 1, 7, kind="uneven steps")
    yield completed([(4, 0.6), (8, 0.9), (12, 0.7)], 0.9, 8, kind="scores", direction="maximize")
    yield completed([(3, 0.5), (6, 0.8)], 0.8, 6, kind="scores", direction="maximize")


@check("report", why="Pruning saves nothing if the training goes on.")
def the_pruner_is_obeyed_at_once() -> Iterator[Case]:
    """When the pruner gives up, no further loss is asked for, and the trial ends as pruned."""
    losses = [(1, 0.5), (2, 0.4), (3, 0.3), (4, 0.2)]
    for step in (2, 1, 4):
        text = f"TrialPruned, trained to step {step}, reported {pairs(losses[:step])}"
        yield training_case(losses, text, stop_at=step, kind=f"at step {step}")
    late = [(10, 3), (20, 4), (30, 5), (40, 1)]
    text = f"TrialPruned, trained to step 20, reported {pairs(late[:2])}"
    yield training_case(late, text, stop_at=20, patience=30, kind="with patience left")
    yield training_case(late, text, stop_at=15, kind="between two steps")


@check("report", why="Losses every ten rounds and losses every round must stop at the same round.")
def patience_is_counted_in_steps() -> Iterator[Case]:
    """Training stops when the loss has not improved for ``patience`` steps."""
    losses = [(10, 5), (20, 3), (30, 4), (40, 4), (50, 1)]
    text = f"3 of step 20, trained to step 40, reported {pairs(losses[:4])}"
    yield training_case(losses, text, patience=20, kind="steps of ten")
    yield completed(losses, 1, 50, patience=21, kind="patience long enough")
    short = [(1, 0.5), (2, 0.6), (3, 0.4), (4, 0.4), (5, 0.4), (6, 0.3)]
    text = f"0.4 of step 3, trained to step 5, reported {pairs(short[:5])}"
    yield training_case(short, text, patience=2, kind="equal losses")
    yield training_case(short, text, patience=1.5, kind="patience between two losses")
    scores = [(2, 0.5), (4, 0.7), (6, 0.6), (8, 0.9)]
    text = f"0.7 of step 4, trained to step 6, reported {pairs(scores[:3])}"
    yield training_case(scores, text, patience=2, direction="maximize", kind="scores")
    yield training_case(losses, "3 of step 20, trained to step 40, reported " + pairs(losses[:4]),
                        patience=15, stop_at=50, kind="before the pruner")  # fmt: skip


@check("report", why="A diverged model is no result: the search must not take it for a pruned one.")
def a_loss_that_is_nan_is_an_error() -> Iterator[Case]:
    """A loss that is NaN raises a ValueError, and training ends there."""
    yield training_case(
        [(1, 0.5), (2, NAN), (3, 0.1)], "a ValueError, trained to step 2", kind="after a loss"
    )
    yield training_case(
        [(4, NAN), (8, 0.5)], "a ValueError, trained to step 4", kind="at the first step"
    )
    yield training_case(
        [(1, 0.5), (2, NAN), (3, 0.1)],
        "a ValueError, trained to step 2",
        stop_at=2,
        direction="maximize",
        kind="where the pruner gives up too",
    )


LOSSES = st.one_of(
    st.integers(-9, 9).map(lambda i: i / 10),
    st.integers(-9, 9).map(lambda i: i / 10),
    st.sampled_from([0.0, INF, -INF]),
)


@st.composite
def curves(draw: Any, max_size: int = 7) -> Curve:
    """Losses at growing steps; at times the last one is NaN."""
    losses = draw(st.lists(LOSSES, min_size=1, max_size=max_size))
    if draw(st.integers(0, 9)) == 9:
        losses[draw(st.integers(0, len(losses) - 1))] = NAN
    unit = draw(st.sampled_from([1.0, 1.0, 1e-6, 1e6]))
    apart = draw(st.sampled_from([1, 1, 5, 10]))
    begin = draw(st.sampled_from([apart, apart, 3]))
    return [(begin + apart * i, unit * loss) for i, loss in enumerate(losses)]


@explore(
    "report", why="Curves have ties, jumps and any steps, and a study may maximize.", n_examples=40
)
def any_curve(draw: Any) -> Case:
    """Any curve is reported, cut and summed up as the reference does it."""
    losses = draw(curves())
    direction = draw(st.sampled_from(["minimize", "maximize"]))
    # Not both: where they end training at the same step, either may win.
    end: dict[str, float] = {}
    which = draw(st.sampled_from(["", "patience", "patience", "stop_at"]))
    if which == "patience":
        end = {which: draw(st.sampled_from([1, 2, 3, 5, 10, 20, 2.5]))}
    elif which == "stop_at":
        end = {which: draw(st.integers(1, 40))}
    return training_case(losses, direction=direction, **end)  # type: ignore[arg-type]


@explore(
    "report", why="In a search, a pruner compares what many trials have reported.", n_examples=25
)
def any_search_with_a_pruner(draw: Any) -> Case:
    """The trials of a search end as those of the reference."""
    trials = draw(st.lists(curves(max_size=5), min_size=2, max_size=5))
    direction = draw(st.sampled_from(["minimize", "maximize"]))
    pruner = draw(
        st.sampled_from(
            [MedianPruner(1), MedianPruner(1, n_warmup_steps=2), SuccessiveHalvingPruner(1, 2)]
        )
    )

    def answer(module: Any) -> Any:
        def objective(trial: Trial) -> float:
            return float(module.report_and_prune(trial, iter(trials[trial.number % len(trials)])))

        sampler = RandomSampler(seed=0)
        with quiet():
            study = module.tune(
                objective, len(trials), direction=direction, sampler=sampler, pruner=pruner
            )
            return [
                f"{t.state.name} {number(t.value)}, {reported(t)}"
                for t in study.get_trials(deepcopy=False)
            ]

    name = type(pruner).__name__
    return Case(
        call=f"tune with a {name} to {direction} {len(trials)} trials with the losses "
        + "; ".join(map(pairs, trials)),
        answer=answer,
    )


# --- resume ---------------------------------------------------------------------------------------

X: dict[str, BaseDistribution] = {"x": FloatDistribution(0, 10)}


@dataclass(frozen=True)
class Past:
    """A trial that a study has when it is opened again."""

    state: str
    x: float | None = None  # its parameter; None before it has one
    retries: int = 0  # how often it was queued before
    alive: bool = False  # whether its process still works

    def __str__(self) -> str:
        text = f"{self.state} " + ("without parameters" if self.x is None else f"x={self.x:g}")
        text += f" retries={self.retries}" if self.retries else ""
        return text + (" of a living process" if self.alive else "")

    def trial(self) -> FrozenTrial:
        """The trial, for ``study.add_trial``; one of a dead process has the name of a worker."""
        attrs: dict[str, Any] = {"retries": self.retries} if self.retries else {}
        if not self.alive:
            attrs["worker"] = "gone"
        is_queued = self.state == "WAITING"
        has_params = self.x is not None and not is_queued
        return create_trial(
            state=TrialState[self.state],
            value=self.x if self.state in ("COMPLETE", "PRUNED") else None,
            params={"x": self.x} if has_params else {},
            distributions=X if has_params else {},
            user_attrs=attrs,
            system_attrs={"fixed_params": {"x": self.x}} if is_queued else {},
            intermediate_values={} if is_queued else {1: 0.5},
        )


def running(x: float | None = None, **fields: Any) -> Past:
    """A trial that has begun."""
    return Past("RUNNING", x, **fields)


def resume_case(
    trials: Sequence[Past],
    failed: Sequence[int] | None = None,
    states: str = "",
    queued: str = "none",
    *,
    max_retries: int | None = None,
    kind: str = "",
) -> Case:
    """A study after its stale trials were failed."""
    expected = f"{failed}; the trials are {states}; queued are {queued}"
    settings: dict[str, Any] = {} if max_retries is None else {"max_retries": max_retries}
    if any(trial.alive for trial in trials):
        settings["is_alive"] = lambda trial: trials[trial.number].alive

    def answer(module: Any) -> Any:
        with quiet():
            study = new_study()
            study.add_trials([past.trial() for past in trials])
            found = module.fail_stale_trials(study, **settings)
            if found is None:
                return None
            is_list = isinstance(found, list | tuple | set | np.ndarray)
            numbers = listed(sorted(found)) if is_list else repr(found)
            return f"{numbers}; the trials are {after(study, len(trials))}"

    given = [name if name == "is_alive" else f"{name}={value}" for name, value in settings.items()]
    return Case(
        call=f"fail_stale_trials({', '.join(['study', *given])}) for a study with "
        + ("; ".join(map(str, trials)) or "no trial"),
        answer=answer,
        expected=None if failed is None else expected,
        kind=kind,
    )


def after(study: Study, n_before: int) -> str:
    """The states of the trials, and what a worker gets who asks for the queued ones."""
    found = study.get_trials(deepcopy=False)
    states = [trial.state.name for trial in found[:n_before]]
    n_waiting = sum(trial.state == TrialState.WAITING for trial in found)
    extra = Counter(t.state.name for t in found[n_before:] if t.state != TrialState.WAITING)
    asked = [study.ask() for _ in range(n_waiting)]
    queued = sorted(
        f"x={trial.suggest_float('x', 0, 10):g} retries={trial.user_attrs.get('retries', 0)}"
        for trial in asked
    )
    states += [f"{count} more {name}" for name, count in sorted(extra.items())]
    return f"{', '.join(states)}; queued are {', '.join(queued) or 'none'}"


@check(
    "resume", why="A trial that stays in the state RUNNING gives no result, and is not run again."
)
def running_trials_are_failed() -> Iterator[Case]:
    """Running trials are failed and their numbers returned; the other trials stay as they are."""
    yield resume_case([running()], [0], "FAIL", kind="one running trial")
    done = [Past("COMPLETE", 1), Past("PRUNED", 2), Past("FAIL", 3)]
    mixed = [done[0], running(), done[1], running(), done[2]]
    states = "COMPLETE, FAIL, PRUNED, FAIL, FAIL"
    yield resume_case(mixed, [1, 3], states, kind="some running trials")
    yield resume_case(done, [], "COMPLETE, PRUNED, FAIL", kind="no running trial")
    waiting = [Past("WAITING", 2), running()]
    yield resume_case(waiting, [1], "WAITING, FAIL", "x=2 retries=0", kind="a queued trial")
    yield resume_case([], [], kind="no trial")


@check("resume", why="A worker that joins a search must not stop the trials of the other workers.")
def trials_of_living_processes_go_on() -> Iterator[Case]:
    """A running trial for which ``is_alive`` is true stays as it is."""
    some = [running(alive=True), running(), running(alive=True)]
    yield resume_case(some, [1], "RUNNING, FAIL, RUNNING", kind="some alive")
    every = [running(4, alive=True), Past("COMPLETE", 2)]
    yield resume_case(every, [], "RUNNING, COMPLETE", kind="all alive")


@check("resume", why="The sampler chose these parameters for a reason; their result is missing.")
def their_parameters_are_queued() -> Iterator[Case]:
    """The parameters of each trial that is failed now are queued; without any, nothing is."""
    both = "x=3 retries=1, x=5 retries=1"
    yield resume_case([running(3), running(5)], [0, 1], "FAIL, FAIL", both, kind="two trials")
    mixed = [Past("COMPLETE", 1), running(2), Past("FAIL", 3), Past("PRUNED", 4)]
    states = "COMPLETE, FAIL, FAIL, PRUNED"
    yield resume_case(mixed, [1], states, "x=2 retries=1", kind="among others")
    known = [Past("COMPLETE", 2), running(2), running()]
    states = "COMPLETE, FAIL, FAIL"
    yield resume_case(known, [1, 2], states, "x=2 retries=1", kind="parameters that are known")
    equal = [running(3, alive=True), running(0), running(0)]
    both = "x=0 retries=1, x=0 retries=1"
    yield resume_case(equal, [1, 2], "RUNNING, FAIL, FAIL", both, kind="equal parameters")


@check("resume", why="Parameters that need more memory than there is kill the process each time.")
def parameters_that_kill_are_given_up() -> Iterator[Case]:
    """Parameters that have been queued ``max_retries`` times are not queued again."""
    trials = [running(3, retries=1), running(5, retries=2), running(7, retries=3)]
    yield resume_case(
        trials, [0, 1, 2], "FAIL, FAIL, FAIL", "x=3 retries=2", kind="at most two, the default"
    )
    for max_retries, trials, queued in (
        (1, [running(3), running(5, retries=1)], "x=3 retries=1"),
        (0, [running(3), running(5, retries=1)], "none"),
        (5, [running(6, retries=3), running(6, retries=5)], "x=6 retries=4"),
    ):
        yield resume_case(
            trials,
            [0, 1],
            "FAIL, FAIL",
            queued,
            max_retries=max_retries,
            kind=f"at most {max_retries}",
        )
    for max_retries in (1, 2):
        yield killed_each_time(max_retries)


def killed_each_time(max_retries: int) -> Case:
    """Parameters with which every process dies."""

    def answer(module: Any) -> Any:
        with quiet():
            study = new_study()
            study.enqueue_trial({"x": 4.0})
            for _ in range(max_retries + 3):
                study.ask().suggest_float("x", 0, 10)
                module.fail_stale_trials(study, max_retries=max_retries)
            return sum(trial.params == {"x": 4.0} for trial in study.get_trials(deepcopy=False))

    return Case(
        call=f"fail_stale_trials(study, max_retries={max_retries}) after each of many processes "
        "that x=4 has killed",
        answer=answer,
        expected=max_retries + 1,
        reads="trials with x=4:",
        kind="killed each time",
    )


@st.composite
def pasts(draw: Any, max_size: int = 6) -> list[Past]:
    """Trials in any states."""
    states = st.sampled_from(
        ["RUNNING", "RUNNING", "RUNNING", "COMPLETE", "PRUNED", "FAIL", "WAITING"]
    )
    found = []
    for state in draw(st.lists(states, max_size=max_size)):
        has_params = state != "RUNNING" or draw(st.integers(0, 4)) > 0
        x = float(draw(st.integers(0, 5))) if has_params else None
        lives = state == "RUNNING" and draw(st.integers(0, 3)) == 3
        found.append(Past(state, x, draw(st.sampled_from([0, 0, 1, 2, 3])), lives))
    return found


@explore(
    "resume", why="A study has trials of every kind when its process is killed.", n_examples=40
)
def any_study_that_was_left(draw: Any) -> Case:
    """The stale trials of any study are failed and queued as the reference does it."""
    max_retries = draw(st.sampled_from([None, None, 0, 1, 2, 3]))
    return resume_case(draw(pasts()), max_retries=max_retries)


def journal_of(trials: Sequence[Past]) -> bytes:
    """What a killed search has left in its file."""
    with quiet(), tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "study.journal"
        study = optuna.create_study(study_name="study", storage=open_journal(path))
        study.add_trials([past.trial() for past in trials])
        return path.read_bytes()


# Few examples: each line of a journal waits for the disk.
@explore("resume", why="After a kill, the whole search must go on.", n_examples=6)
def any_search_that_was_killed(draw: Any) -> Case:
    """A search that is continued has the trials that the reference has."""
    trials = draw(pasts(max_size=4))
    n_done = sum(trial.state in ("COMPLETE", "PRUNED") for trial in trials)
    n_trials = n_done + draw(st.integers(1, 2))
    journal = journal_of(trials)

    def answer(module: Any) -> Any:
        with quiet(), tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "study.journal"
            path.write_bytes(journal)
            study = module.tune(lambda trial: trial.suggest_float("x", 0, 10), n_trials, path)
            found = study.get_trials(deepcopy=False)
        drawn = Counter(
            f"{trial.state.name} x={trial.params['x']:g}"
            if trial.params.get("x", 0.5).is_integer()
            else trial.state.name
            for trial in found
        )
        return ", ".join(f"{count} {name}" for name, count in sorted(drawn.items()))

    has = "; ".join(map(str, trials)) or "no trial"
    return Case(call=f"tune(objective, {n_trials}, path of a study with {has})", answer=answer)


# --- cost -----------------------------------------------------------------------------------------


def cost_case(
    cost: Sequence[float],
    value: Sequence[float],
    budget: Sequence[float],
    expected: Sequence[float] | None = None,
    direction: Direction = "minimize",
    kind: str = "",
) -> Case:
    """What a search has found at some budgets."""
    arguments = {
        "cost": np.array(cost, dtype=float),
        "value": np.array(value, dtype=float),
        "budget": np.array(budget, dtype=float),
    }
    text = f"cost={listed(cost)}, value={listed(value)}, budget={listed(budget)}"
    text += "" if direction == "minimize" else f", direction={direction!r}"
    return Case(
        call=f"best_at_cost({text})",
        answer=lambda module: module.best_at_cost(**arguments, direction=direction),
        expected=expected,
        kind=kind,
        arguments=arguments,
    )


@check(
    "cost", why="Trials differ in cost: ten trials of one round cost as much as one of ten rounds."
)
def a_trial_counts_when_its_cost_is_spent() -> Iterator[Case]:
    """A budget buys the trials whose costs, summed up from the first on, are not above it."""
    yield cost_case([2, 3, 1], [0.5, 0.4, 0.2], [2, 5, 6], [0.5, 0.4, 0.2], kind="exactly spent")
    yield cost_case([2, 3, 1], [0.5, 0.4, 0.2], [4.5, 5.5, 9], [0.5, 0.4, 0.2], kind="in between")
    yield cost_case([10, 1, 1], [0.9, 0.5, 0.1], [11, 10, 12], [0.5, 0.9, 0.1], kind="unsorted")
    yield cost_case([1, 50], [0.3, 0.2], [1, 2, 50, 51], [0.3, 0.3, 0.3, 0.2], kind="a long trial")
    yield cost_case([0, 4, 0], [3, 2, 1], [0, 3.5, 4], [3, 3, 1], kind="trials without cost")


@check(
    "cost", why="A search without a complete trial has no value, and a figure must not show one."
)
def before_the_first_trial_nothing_is_known() -> Iterator[Case]:
    """While no trial is complete, the best value is NaN."""
    yield cost_case([5, 5], [0.5, 0.4], [0, 4, 5], [NAN, NAN, 0.5], kind="no trial has ended")
    yield cost_case([2, 2], [NAN, 0.4], [1, 3, 4], [NAN, NAN, 0.4], kind="the first was pruned")
    yield cost_case([3], [NAN], [2, 3, 9], [NAN, NAN, NAN], kind="all were pruned")
    yield cost_case([], [], [0, 7], [NAN, NAN], kind="no trials")


@check("cost", why="A search keeps its best trial, and the last trial is seldom the best one.")
def the_best_value_is_kept() -> Iterator[Case]:
    """The value is the best one of the trials that are bought, not the last one."""
    yield cost_case([1, 1, 1], [0.3, 0.5, 0.4], [1, 2, 3], [0.3, 0.3, 0.3], kind="losses")
    yield cost_case([1, 1, 1], [5, 2, 4], [1, 2, 3], [5, 2, 2], kind="losses")
    yield cost_case([1, 1], [-0.5, -0.2], [1, 2], [-0.5, -0.5], kind="negative losses")
    scores = ([2, 2, 2], [0.7, 0.9, 0.8], [2, 4, 6], [0.7, 0.9, 0.9])
    yield cost_case(*scores, "maximize", kind="scores")
    yield cost_case([2, 2], [-3, -5], [1, 2, 4], [NAN, -3, -3], "maximize", kind="negative scores")


@check("cost", why="Pruned trials cost time too; without it, a search that prunes looks too cheap.")
def pruned_trials_cost_and_find_nothing() -> Iterator[Case]:
    """A trial with the value NaN has its cost, and changes nothing else."""
    yield cost_case([4, 3, 2], [0.5, NAN, 0.2], [4, 6, 7, 9], [0.5, 0.5, 0.5, 0.2], kind="losses")
    yield cost_case([1, 9, 1], [7, NAN, 8], [1, 10, 11], [7, 7, 7], kind="losses")
    scores = ([1, 5, 5, 1], [0.2, NAN, NAN, 0.6], [6, 7, 11, 12], [0.2, 0.2, 0.2, 0.6])
    yield cost_case(*scores, "maximize", kind="scores")


quarters = st.integers(0, 20).map(lambda i: i / 4)  # their sums are exact


@explore("cost", why="Searches have equal values, pruned trials and trials without cost.")
def any_search_and_budgets(draw: Any) -> Case:
    """What any search has found at any budgets is what the reference says."""
    values = st.integers(-9, 9) | st.integers(-9, 9) | st.just(NAN)
    trials = draw(st.lists(st.tuples(quarters, values), max_size=7))
    unit = draw(st.sampled_from([1.0, 1.0, 2.0**-20, 2.0**20]))
    scale = draw(st.sampled_from([1.0, 0.1, 1e-6, 1e6]))
    cost = [unit * cost for cost, _ in trials]
    around = [s + d * unit for s in np.cumsum([0.0, *cost]) for d in (0, 0, 0.25, -0.25)]
    budget = draw(st.lists(st.sampled_from([*around, 999 * unit]), min_size=2, max_size=6))
    direction = draw(st.sampled_from(["minimize", "maximize"]))
    return cost_case(cost, [scale * value for _, value in trials], budget, direction=direction)


@explore("cost", why="Costs and values come from a study.", n_examples=20)
def any_study_and_budgets(draw: Any) -> Case:
    """What a study has found at whole budgets is what the reference says."""
    trials = draw(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 9)), min_size=1, max_size=6))
    stop_at = draw(st.sampled_from([2, 4, 9]))
    direction = draw(st.sampled_from(["minimize", "maximize"]))
    budget = draw(st.lists(st.integers(0, 30), min_size=1, max_size=5))

    def objective(trial: Trial) -> float:
        n_steps, value = trials[trial.number % len(trials)]
        for step in range(1, n_steps + 1):
            trial.report(float(value), step)
            if trial.should_prune():
                raise TrialPruned
        return float(value)

    def answer(module: Any) -> Any:
        with quiet():
            pruner, sampler = StopAt(stop_at), RandomSampler(seed=0)
            study = module.tune(
                objective, len(trials), direction=direction, pruner=pruner, sampler=sampler
            )
            return module.best_at_cost(*module.costs_and_values(study), budget, direction)

    return Case(
        call=f"best_at_cost(*costs_and_values(study), {listed(budget)}, {direction!r}) for trials "
        f"of so many steps and such a value, {trials}, pruned at step {stop_at}",
        answer=answer,
        arguments={"budget": budget},
    )


# --- honest ---------------------------------------------------------------------------------------


def finished(value: float, x: float, state: str = "COMPLETE") -> FrozenTrial:
    """A trial with its own score."""
    return create_trial(
        state=TrialState[state],
        value=value,
        params={"x": float(x)},
        distributions={"x": FloatDistribution(-1e9, 1e9)},
        intermediate_values={1: value},
    )


def honest_case(
    own: Sequence[float],
    on_test: Sequence[float],
    winner: int | None = None,
    optimism: float = NAN,
    *,
    direction: Direction = "minimize",
    pruned: Sequence[int] = (),
    kind: str = "",
) -> Case:
    """The winner of a study, whose trials have scores of their own and on the test rows."""

    def told(winner: int, own: float, honest: float, optimism: float, judged: list[int]) -> str:
        return (
            f"winner {winner}, own {number(own)}, honest {number(honest)}, "
            f"optimism {number(round(optimism, 9))}, judged {judged}"
        )

    def answer(module: Any) -> Any:
        judged = []

        def score(trial: FrozenTrial) -> float:
            judged.append(trial.number)
            return on_test[trial.number]

        with quiet():
            study = new_study(direction)
            states = ["PRUNED" if i in pruned else "COMPLETE" for i in range(len(own))]
            study.add_trials([finished(own[i], i, states[i]) for i in range(len(own))])
            found = module.honest_score(study, score)
        return told(found.winner.number, found.own, found.honest, found.optimism, judged)

    shown = ", ".join(
        f"{i}: {number(value)}" + " (pruned)" * (i in pruned) for i, value in enumerate(own)
    )
    about = "" if direction == "minimize" else " that maximizes"
    return Case(
        call=f"honest_score(study, score) for a study{about} with the trials {shown}, for which "
        f"score gives {listed(on_test)}",
        answer=answer,
        expected=None
        if winner is None
        else told(winner, own[winner], on_test[winner], optimism, [winner]),
        kind=kind,
    )


@check(
    "honest",
    why="The best of many noisy scores is too good; other rows show what the winner is worth.",
)
def the_winner_is_judged_on_other_rows() -> Iterator[Case]:
    """The winner by its own score is judged once; no other trial is."""
    yield honest_case([0.6, 0.3, 0.4], [0.5, 0.5, 0.1], 1, 0.2, kind="another is better on test")
    yield honest_case([4, 9, 7, 8], [6, 8, 3, 5], 0, 2, kind="the first one wins")
    yield honest_case([0.5], [0.7], 0, 0.2, kind="one trial")


@check("honest", why="A reader corrects a score by its optimism, so its sign must hold either way.")
def optimism_says_how_much_the_score_flatters() -> Iterator[Case]:
    """Optimism is positive where the winner's own score is better than the honest one."""
    maximize: dict[str, Any] = {"direction": "maximize"}
    yield honest_case([0.6, 0.9, 0.8], [0.5, 0.7, 0.9], 1, 0.2, kind="a score", **maximize)
    yield honest_case([3, 5], [2, 1], 0, -1, kind="a lucky winner")
    yield honest_case([-2, -7], [1, -3], 0, -3, kind="a lucky winner by score", **maximize)
    yield honest_case([-2, -7], [-1, -3], 1, 4, kind="a loss")


@check("honest", why="A pruned trial has only the score of a model that is not fully trained.")
def a_pruned_trial_does_not_win() -> Iterator[Case]:
    """Only complete trials can win."""
    yield honest_case([0.6, 0.1, 0.4], [0.5, 0.2, 0.7], 2, 0.3, pruned=[1], kind="losses")
    yield honest_case(
        [9, 5, 7, 8], [4, 4, 6, 3], 2, 1, direction="maximize", pruned=[0, 3], kind="scores"
    )


Rows = NDArray[np.intp]


def nested_case(
    folds: Sequence[tuple[Sequence[int], Sequence[int]]],
    expected: Sequence[str] | None = None,
    direction: Direction = "minimize",
    kind: str = "",
) -> Case:
    """For each fold, the rows that the search and the score have seen, and what was found.

    A trial's own score is its x: the least row, or the greatest one, that the search has seen.
    """
    arrays = [(np.array(train), np.array(test)) for train, test in folds]
    arguments = {"train": arrays[0][0], "test": arrays[0][1]}

    def answer(module: Any) -> Any:
        seen: list[str] = []

        def search(train: Rows) -> Study:
            seen.append(f"search {listed(train)}")
            study = new_study(direction)
            study.add_trials([finished(float(row), float(row)) for row in train])
            return study

        def score(train: Rows, test: Rows, winner: FrozenTrial) -> float:
            seen.append(
                f"fit {listed(train)}, score {listed(test)}, x={number(winner.params['x'])}"
            )
            return float(np.mean(test))

        with quiet():
            found = module.nested(search, score, arrays)
        seen += [f"own {number(one.own)}, honest {number(one.honest)}" for one in found]
        return "; ".join(seen)

    shown = "; ".join(f"({listed(train)}, {listed(test)})" for train, test in folds)
    about = "" if direction == "minimize" else ", each study maximizes"
    return Case(
        call=f"nested(search, score, folds) with the folds {shown}{about}",
        answer=answer,
        expected=None if expected is None else "; ".join(expected),
        kind=kind,
        arguments=arguments,
    )


@check("honest", why="A row that has chosen the parameters cannot judge the choice.")
def the_search_sees_no_test_row() -> Iterator[Case]:
    """In each fold there is a search of its own on the training rows, and the test rows judge."""
    yield nested_case(
        [([0, 1], [2, 3]), ([2, 3], [0, 1])],
        [
            "search [0, 1]; fit [0, 1], score [2, 3], x=0",
            "search [2, 3]; fit [2, 3], score [0, 1], x=2",
            "own 0, honest 2.5; own 2, honest 0.5",
        ],
        kind="two halves",
    )
    yield nested_case(
        [([1, 2], [0])],
        ["search [1, 2]; fit [1, 2], score [0], x=2; own 2, honest 0"],
        direction="maximize",
        kind="one fold",
    )
    yield nested_case(
        [([5, 3], [9, 8]), ([5, 3, 9, 8], [7])],
        [
            "search [5, 3]; fit [5, 3], score [9, 8], x=3",
            "search [5, 3, 9, 8]; fit [5, 3, 9, 8], score [7], x=3",
            "own 3, honest 8.5; own 3, honest 7",
        ],
        kind="growing training rows",
    )


@explore("honest", why="Scores may have any size and sign, and any trial may win.", n_examples=40)
def any_study_to_judge(draw: Any) -> Case:
    """The winner of any study and its scores are those of the reference."""
    tenths = st.integers(-50, 50).map(lambda i: i / 10)
    own = draw(st.lists(tenths, min_size=1, max_size=6, unique=True))
    on_test = draw(st.lists(tenths, min_size=len(own), max_size=len(own)))
    pruned = draw(st.sets(st.integers(1, len(own)), max_size=len(own) - 1))
    pruned = sorted(i % len(own) for i in pruned)
    direction = draw(st.sampled_from(["minimize", "maximize"]))
    return honest_case(own, on_test, direction=direction, pruned=pruned)


@explore(
    "honest", why="A search splits its rows again, and folds come from a splitter.", n_examples=15
)
def any_nested_search(draw: Any) -> Case:
    """Over any folds, a search finds and scores what the reference does."""
    n_rows = draw(st.integers(6, 9))
    y = np.array(draw(st.lists(st.integers(0, 9), min_size=n_rows, max_size=n_rows)), dtype=float)
    splitter = draw(st.sampled_from([KFold(2), KFold(3), TimeSeriesSplit(2)]))
    direction = draw(st.sampled_from(["minimize", "maximize"]))
    sign = 1 if direction == "minimize" else -1

    def loss(x: float, rows: Rows) -> float:
        return sign * float(np.abs(y[rows] - x).mean())

    def answer(module: Any) -> Any:
        def search(train: Rows) -> Study:
            return module.tune(
                lambda trial: loss(trial.suggest_float("x", 0, 10), train[len(train) // 2 :]),
                3,
                direction=direction,
                sampler=RandomSampler(seed=len(train)),
            )

        def score(train: Rows, test: Rows, winner: FrozenTrial) -> float:
            shift = np.mean(y[train]) / 10
            return loss(winner.params["x"] + shift, test)

        with quiet():
            found = module.nested(search, score, splitter.split(y))
        return [[one.winner.params["x"], one.own, one.honest, one.optimism] for one in found]

    return Case(
        call=f"nested(search, score, {splitter}.split(y)) with y={listed(y)}, each search tunes "
        f"x to {direction} three trials on the second half of its rows",
        answer=answer,
        reads="x, own, honest and optimism of each fold:",
        arguments={"y": y},
    )
