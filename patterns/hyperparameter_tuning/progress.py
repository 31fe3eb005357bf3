"""A progress bar with the best value, for a search at a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from optuna import Study
from optuna.trial import TrialState
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn


@contextmanager
def progress_bar(
    n_trials: int, console: Console | None = None
) -> Iterator[Callable[[Study, Any], None]]:
    """Show how many of the study's trials have ended, and the best value so far.

    Parameters
    ----------
    n_trials : int
        As for ``tune``.
    console : rich.console.Console, optional
        Default: standard error, so that results on standard output stay clean.

    Yields
    ------
    function of the study and a trial
        A callback for ``tune``. Call it once with None to show what a resumed study has.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console or Console(stderr=True)) as bar:
        task = bar.add_task("no trial is complete", total=n_trials)

        def update(study: Study, trial: Any) -> None:
            counts = dict.fromkeys(TrialState, 0)
            for one in study.get_trials(deepcopy=False):
                counts[one.state] += 1
            text = "no trial is complete"
            if counts[TrialState.COMPLETE]:
                text = f"best {study.best_value:.6g}"
            for state, word in ((TrialState.PRUNED, "pruned"), (TrialState.FAIL, "failed")):
                text += f", {counts[state]} {word}" if counts[state] else ""
            ended = counts[TrialState.COMPLETE] + counts[TrialState.PRUNED]
            bar.update(task, completed=min(ended, n_trials), description=text)

        yield update
