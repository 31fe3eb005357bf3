"""Let pytest grade the exercises: a task is a test, a learner's file is a collection of them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from patterns._kit import learn
from patterns._kit.exercise import Exercise, Part, Verdict

WORKSPACE = pytest.StashKey[learn.Workspace]()
FILES = pytest.StashKey[list["LearnersFile"]]()
UNWRITTEN = "not written yet"


def pytest_configure(config: pytest.Config) -> None:
    """Cut the stubs that are missing."""
    workspace = config.stash[WORKSPACE] = learn.Workspace(Path(__file__).parent)
    for slug in learn.available():
        workspace.cut(Exercise.load(slug))


def pytest_pycollect_makemodule(
    module_path: Path, parent: pytest.Collector
) -> pytest.Collector | None:
    """Take a learner's file for what it is; never import it here."""
    if module_path.parent.name not in learn.available():
        return None
    return LearnersFile.from_parent(parent, path=module_path)


class LearnersFile(pytest.File):
    """The file of one exercise, graded once for all of its tasks."""

    @cached_property
    def exercise(self) -> Exercise:
        """The exercise, by the name of the folder."""
        return Exercise.load(self.path.parent.name)

    @cached_property
    def verdicts(self) -> list[Verdict]:
        """What the checks have found."""
        return self.config.stash[WORKSPACE].grade(self.exercise)

    def collect(self) -> Iterator[Task]:
        """One test a task."""
        for part in self.exercise.parts:
            yield Task.from_parent(self, name=part.name, part=part)


class Task(pytest.Item):
    """One task of an exercise."""

    parent: LearnersFile

    def __init__(self, *, part: Part, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.part = part

    def runtest(self) -> None:
        """Fail unless every check of the task passes."""
        outcome = learn.outcomes(self.parent.exercise, self.parent.verdicts)[self.part.name]
        self.user_properties.append(("outcome", outcome))
        if outcome != "passed":
            raise pytest.fail.Exception(outcome)

    def repr_failure(
        self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None
    ) -> str:
        """What the checks have found, without a traceback."""
        if isinstance(excinfo.value, pytest.fail.Exception):
            return learn.failures(self.parent.verdicts, self.part.name)
        return f"{type(excinfo.value).__name__}: {excinfo.value}"

    def reportinfo(self) -> tuple[Path, None, str]:
        """The heading of a failure."""
        return self.path, None, f"{self.parent.exercise.slug}, {self.part.name}: {self.part.title}"


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """Tell a task that is not written yet from one that is wrong."""
    if report.when == "call" and ("outcome", UNWRITTEN) in report.user_properties:
        return UNWRITTEN, "-", UNWRITTEN.upper()
    return None


def pytest_collection_finish(session: pytest.Session) -> None:
    """Remember the files, for the summary."""
    tasks = [item for item in session.items if isinstance(item, Task)]
    session.config.stash[FILES] = list(dict.fromkeys(task.parent for task in tasks))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print one line a task, and how to go on."""
    write = terminalreporter.write_line
    for file in config.stash.get(FILES, []):
        write(f"\n{learn.show_path(file.path)}")
        write(learn.task_lines(file.exercise, file.verdicts))
        outcomes = learn.outcomes(file.exercise, file.verdicts)
        if set(outcomes.values()) != {"passed"}:
            slug = file.exercise.slug
            write(f"What to do: {learn.LEARN} {slug}. A hint: {learn.LEARN} hint {slug}")
    for note in config.stash[WORKSPACE].notes:
        write(f"\n{note}")
