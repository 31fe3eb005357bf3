"""Learn by doing: the learner's workspace, the command `learn`, and `check_here`."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import shutil
import sys
import textwrap
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from patterns._kit.cards import ROOT, UnknownPatternError, catalogue, find
from patterns._kit.exercise import (
    N_HINTS,
    WIDTH,
    Exercise,
    ExerciseError,
    Part,
    Verdict,
    exercise_path,
    region_bodies,
    regions,
    replace_regions,
)

if TYPE_CHECKING:
    from patterns._kit.grade import Grader

WORKSPACE = ROOT / "exercises"
# As the learner can type it: under uv, with the command installed, or without it.
LEARN = (
    "uv run patterns learn"
    if "UV" in os.environ
    else ("patterns learn" if shutil.which("patterns") else "python -m patterns learn")
)
ACTIONS = ("list", "hint", "diff", "reset", "update")
POLL_SECONDS = 0.2

Outcome = Literal["passed", "failed", "not written yet"]


def available() -> list[str]:
    """The finished patterns that have an exercise, in the order of the book."""
    return [card.slug for card in catalogue() if exercise_path(card.slug).exists()]


def check_here(slug: str, namespace: Mapping[str, Any]) -> None:
    """Grade what a notebook has defined so far, and print what was found.

    Parameters
    ----------
    slug : str
        The pattern.
    namespace : mapping of names to values
        ``globals()``.
    """
    exercise = Exercise.load(find(slug).slug)
    print(report(exercise, list(exercise.judge(_Namespace(namespace)))))


class _Namespace:
    """The names of a notebook, as attributes."""

    __file__ = None  # messages cannot name lines of a file

    def __init__(self, names: Mapping[str, Any]) -> None:
        self._names = names

    def __getattr__(self, name: str) -> Any:
        if name not in self._names:
            raise NameError(f"{name} is not defined: run its cell first")
        return self._names[name]


def outcomes(exercise: Exercise, verdicts: Sequence[Verdict]) -> dict[str, Outcome]:
    """For each part: passed when all of its checks are, failed when any is."""
    result: dict[str, Outcome] = {}
    for part in exercise.parts:
        found = {verdict.status for verdict in verdicts if verdict.part == part.name}
        if found == {"passed"}:
            result[part.name] = "passed"
        else:
            result[part.name] = "failed" if "failed" in found else "not written yet"
    return result


def failures(verdicts: Sequence[Verdict], part: str) -> str:
    """What the failed checks of a part have to say."""
    texts = (v.text for v in verdicts if v.part == part and v.status == "failed")
    return "\n\n".join(dict.fromkeys(texts))


def task_lines(exercise: Exercise, verdicts: Sequence[Verdict]) -> str:
    """One line a task."""
    found = outcomes(exercise, verdicts)
    width = max(map(len, found))
    return "\n".join(
        f"  {number} {part.name:{width}}  {found[part.name]:15}  {part.title}"
        for number, part in enumerate(exercise.parts, start=1)
    )


def report(exercise: Exercise, verdicts: Sequence[Verdict]) -> str:
    """One line a task; then, for the tasks that failed, what the checks found."""
    texts = dict.fromkeys(failures(verdicts, part.name) for part in exercise.parts)
    return "\n\n".join([task_lines(exercise, verdicts), *filter(None, texts)])


class Workspace:
    """The folder of the learner's files.

    Parameters
    ----------
    folder : Path
        Holds ``<slug>/pattern.py`` for each exercise, and the learner's progress.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notes: list[str] = []  # what the learner should be told besides the verdicts
        self._progress = folder / ".progress.json"

    def file(self, slug: str) -> Path:
        """Where the learner writes."""
        return self.folder / slug / "pattern.py"

    def is_begun(self, exercise: Exercise) -> bool:
        """Whether the learner has written something."""
        path = self.file(exercise.slug)
        return path.exists() and path.read_bytes() != exercise.stub.encode()

    def cut(self, exercise: Exercise) -> Path:
        """Write the stub, unless the learner has a file already; return its path."""
        path = self.file(exercise.slug)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(exercise.stub, "utf-8")
            self._remember(exercise, stub=_digest(exercise.stub))
        elif self._recall(exercise).get("stub", "") not in ("", _digest(exercise.stub)):
            self.notes.append(
                f"The exercise {exercise.slug} has changed since your file was cut; "
                f"`{LEARN} update {exercise.slug}` brings the change in and keeps your code."
            )
        return path

    def grade(self, exercise: Exercise, grader: Grader | None = None) -> list[Verdict]:
        """Grade the learner's file and remember what has passed."""
        from patterns._kit.grade import grade

        verdicts = grade(exercise, self.cut(exercise), grader)
        found = outcomes(exercise, verdicts)
        self._remember(exercise, passed=[name for name in found if found[name] == "passed"])
        if line := _imports_the_reference(self.file(exercise.slug)):
            self.notes.append(
                f"Line {line} of your file imports the finished pattern, so what passes may not be "
                "your own code. The grader is no exam, and only you are fooled."
            )
        return verdicts

    def passed(self, exercise: Exercise) -> list[str]:
        """The parts that had passed when the file was last graded."""
        known = [part.name for part in exercise.parts]
        return [name for name in self._recall(exercise).get("passed", []) if name in known]

    def next_hint(self, exercise: Exercise, part: Part) -> tuple[int, str]:
        """The number and text of the next hint; the last one again when all were given."""
        given = dict(self._recall(exercise).get("hints", {}))
        number = min(given.get(part.name, 0) + 1, len(part.hints))
        self._remember(exercise, hints={**given, part.name: number})
        return number, part.hints[number - 1]

    def reset(self, exercise: Exercise) -> Path | None:
        """Cut the stub anew; return the dated copy of what was there."""
        path = self.file(exercise.slug)
        copy = self._keep_copy(path) if path.exists() else None
        path.unlink(missing_ok=True)
        self._remember(exercise, passed=[], hints={})
        self.cut(exercise)
        return copy

    def update(self, exercise: Exercise) -> str:
        """Bring in a changed exercise with the learner's code in it; say what was done."""
        path, stub = self.file(exercise.slug), exercise.stub
        if not path.exists():
            self.cut(exercise)
            return f"{exercise.slug}: cut into {show_path(path)}"
        if self._recall(exercise).get("stub") == _digest(stub):
            return f"{exercise.slug}: has not changed"
        written = path.read_text("utf-8-sig")
        try:
            bodies = {k: v for k, v in region_bodies(written).items() if not _is_hole(v)}
            said = []
        except ExerciseError as error:
            bodies, said = {}, [f"your code could not be carried over: {error}"]
        updated = replace_regions(stub, bodies)
        self._remember(exercise, stub=_digest(stub))
        if updated == written:
            return f"{exercise.slug}: nothing to bring in"

        copy = self._keep_copy(path)
        path.write_text(updated, "utf-8")
        carried = [name for name in regions(stub) if name in bodies]
        said += [f"carried over: {', '.join(carried)}"] if carried else []
        gone = [name for name in bodies if name not in carried]
        said += [f"no longer asked for: {', '.join(gone)}"] if gone else []
        ours = set(map(str.strip, updated.splitlines()))
        lost = [line for line in written.splitlines() if line.strip() not in ours]
        if lost:
            said.append("lines of your file that the new one does not have:")
            said += [f"    {line.strip()}" for line in lost[:10]]
            said += [f"    and {len(lost) - 10} more"] if len(lost) > 10 else []
        said.append(f"your file as it was: {show_path(copy)}")
        return "\n  ".join([f"{exercise.slug}: updated", *said])

    def _keep_copy(self, path: Path) -> Path:
        stamp = f"{datetime.now():%Y-%m-%d-%H%M%S}"
        names = (
            f"{path.stem}.{stamp}{n}{path.suffix}" for n in ("", *(f"-{i}" for i in range(99)))
        )
        copy = next(path.with_name(name) for name in names if not path.with_name(name).exists())
        shutil.copy2(path, copy)
        return copy

    def _recall(self, exercise: Exercise) -> dict[str, Any]:
        return self._read().get(exercise.slug, {})

    def _remember(self, exercise: Exercise, **facts: Any) -> None:
        state = self._read()
        known = state.get(exercise.slug, {})
        if known == {**known, **facts}:
            return
        state[exercise.slug] = {**known, **facts}
        partial = self._progress.with_name(f"{self._progress.name}.{os.getpid()}")
        partial.write_text(json.dumps(state, indent=1, sort_keys=True) + "\n", "utf-8")
        os.replace(partial, self._progress)

    def _read(self) -> dict[str, dict[str, Any]]:
        """The state of each exercise; a file that cannot be understood is set aside."""
        if not self._progress.exists():
            return {}
        try:
            state = json.loads(self._progress.read_text("utf-8"))
            _validate(state)
        except ValueError:
            aside = self._progress.with_name(f"{self._progress.name}.broken")
            os.replace(self._progress, aside)
            self.notes.append(
                f"The record of your progress could not be read. It is now {show_path(aside)}, and "
                "a new one is begun; your code is as it was."
            )
            return {}
        return dict(state)


def _validate(state: Any) -> None:
    for facts in state.values() if isinstance(state, dict) else [None]:
        if not (
            isinstance(facts, dict)
            and isinstance(facts.get("stub", ""), str)
            and isinstance(facts.get("passed", []), list)
            and isinstance(facts.get("hints", {}), dict)
            and all(n in range(N_HINTS + 1) for n in facts.get("hints", {}).values())
        ):
            raise ValueError("not a record of progress")


def _imports_the_reference(path: Path) -> int | None:
    """The first line that imports from this project; it is easily completed by an editor."""
    with suppress(SyntaxError, ValueError):
        for node in ast.walk(ast.parse(path.read_text("utf-8-sig"))):
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                continue
            if any(name.split(".")[0] == "patterns" for name in names):
                return node.lineno
    return None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _is_hole(body: str) -> bool:
    return any(line.startswith("raise NotImplementedError(") for line in body.splitlines())


def show_path(path: Path) -> str:
    """A path, relative to the working directory where it lies inside."""
    path = path.resolve()
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


# --- the command ---------------------------------------------------------------------------------


def run(words: Sequence[str], watch: bool = False) -> int:
    """Do what the words after `patterns learn` ask for; the exit code, as that of the command."""
    workspace = Workspace(WORKSPACE)
    try:
        return _act(workspace, words, watch)
    except _UsageError as error:
        print(f"patterns learn: {error}", file=sys.stderr)
        return 2
    finally:
        for note in dict.fromkeys(workspace.notes):
            print(f"\n{textwrap.fill(note, WIDTH)}")


class _UsageError(Exception):
    """The command line asks for what there is not."""


def _act(workspace: Workspace, words: Sequence[str], watch: bool) -> int:
    action = words[0] if words and words[0] in ACTIONS else ""
    name, *rest = [*words[bool(action) :], ""]
    rest = rest[:-1] if name else []
    if len(rest) > (action in ("hint", "")) or (action == "list" and name) or (action and watch):
        raise _UsageError(f"cannot make sense of {' '.join(words)!r}; see patterns learn --help")
    if action == "list":
        return _list(workspace)
    if action == "update":
        for slug in [_find(name)] if name else available():
            print(workspace.update(Exercise.load(slug)))
        return 0
    if action == "reset":
        if not name:
            raise _UsageError("say which exercise to reset")
        exercise = Exercise.load(_find(name))
        copy = workspace.reset(exercise)
        print(f"{exercise.slug}: cut anew into {show_path(workspace.file(exercise.slug))}")
        print(f"your file as it was: {show_path(copy)}" if copy else "there was no file before")
        return 0

    exercise = Exercise.load(_find(name)) if name else _next(workspace)
    if action == "hint":
        return _hint(workspace, exercise, *rest)
    if action == "diff":
        return _diff(workspace, exercise)
    return (
        _watch(workspace, exercise) if watch else _show(workspace, exercise, next(iter(rest), ""))
    )


def _find(name: str) -> str:
    """The slug of a pattern that has an exercise."""
    try:
        card = find(name)
    except UnknownPatternError as error:
        raise _UsageError(f"{error.args[0]}; the actions are {', '.join(ACTIONS)}") from None
    if not exercise_path(card.slug).exists():
        raise _UsageError(f"{card.slug} has no exercise; these have: {', '.join(available())}")
    return card.slug


def _next(workspace: Workspace) -> Exercise:
    """The unfinished exercise that was worked on last, or else the first one of the book."""
    exercises = [Exercise.load(slug) for slug in available()]
    unfinished = [e for e in exercises if len(workspace.passed(e)) < len(e.parts)]
    begun = [e for e in unfinished if workspace.is_begun(e)]
    if begun:
        return max(begun, key=lambda e: workspace.file(e.slug).stat().st_mtime)
    return next(iter(unfinished), exercises[-1])


def _list(workspace: Workspace) -> int:
    for slug in available():
        exercise = Exercise.load(slug)
        passed = workspace.passed(exercise)
        marks = " ".join(
            f"{part.name}{' ✓' if part.name in passed else ''}" for part in exercise.parts
        )
        print(f"{slug:25} {len(passed)} of {len(exercise.parts)}   {marks}")
    return 0


def _show(
    workspace: Workspace, exercise: Exercise, name: str = "", grader: Grader | None = None
) -> int:
    """Grade, and print the verdicts and what to do next: the task of this name, if given."""
    part = _part(exercise, name) if name else None
    verdicts = workspace.grade(exercise, grader)
    path = workspace.file(exercise.slug)
    print(f"{find(exercise.slug).title}: {show_path(path)}")
    print(report(exercise, verdicts), flush=True)
    found = outcomes(exercise, verdicts)
    todo = [part for part in exercise.parts if found[part.name] != "passed"]
    todo.sort(key=lambda part: found[part.name] != "failed")  # what fails comes first
    if not todo and not part:
        print(f"\nAll tasks pass. Beside the reference: {LEARN} diff {exercise.slug}")
        others = _next(workspace)
        if others.slug != exercise.slug:
            print(f"The next exercise: {LEARN} {others.slug}")
        return 0
    part = part or todo[0]
    print(f"\nTask {part.name}: {part.title}\n")
    for text in (part.why, part.task):
        print(textwrap.fill(" ".join(text.split()), WIDTH) + "\n")
    print(f"Write it in {' and '.join(_places(path, part))}:\n")
    print("\n\n".join(textwrap.indent(_around(exercise, hole), "    ") for hole in part.holes))
    print(f"\nA hint: {LEARN} hint {exercise.slug} {part.name}", flush=True)
    return 1 if "failed" in found.values() else 0


def _part(exercise: Exercise, name: str) -> Part:
    parts = {part.name: part for part in exercise.parts}
    if name not in parts:
        raise _UsageError(f"{exercise.slug} has no task {name!r}; it has {', '.join(parts)}")
    return parts[name]


def _around(exercise: Exercise, hole: str) -> str:
    """The function that a hole is in: its class, signature and docstring, and the hole."""
    start, end = regions(exercise.stub)[hole]
    lines = exercise.stub.splitlines()
    shown: list[str] = []
    for node in ast.walk(ast.parse(exercise.stub)):  # from the outside in
        if not isinstance(node, ast.ClassDef | ast.FunctionDef):
            continue
        if not node.lineno <= start < (node.end_lineno or 0):
            continue
        body = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
        last = node.lineno if isinstance(node, ast.ClassDef) else min(body.lineno - 1, start)
        shown += lines[node.lineno - 1 : last]
    return textwrap.dedent("\n".join([*shown, *lines[start + 1 : end]]))


def _places(path: Path, part: Part) -> list[str]:
    """Where a part is to be written, as editors and terminals open it."""
    try:
        lines = regions(path.read_text("utf-8-sig"))
        return [f"{show_path(path)}:{lines[hole][0] + 2}" for hole in part.holes]
    except (ExerciseError, KeyError):  # the learner has removed the markers, as they may
        return [show_path(path)]


def _hint(workspace: Workspace, exercise: Exercise, name: str = "") -> int:
    if not name:
        found = outcomes(exercise, workspace.grade(exercise))
        todo = [part.name for part in exercise.parts if found[part.name] != "passed"]
        todo.sort(key=lambda name: found[name] != "failed")
        if not todo:
            print(f"All tasks of {exercise.slug} pass: there is nothing to hint at.")
            return 0
        name = todo[0]
    part = _part(exercise, name)
    number, text = workspace.next_hint(exercise, part)
    print(f"{exercise.slug}, {name}: hint {number} of {len(part.hints)}\n")
    print(textwrap.fill(text, WIDTH, break_on_hyphens=False, break_long_words=False))
    return 0


def _diff(workspace: Workspace, exercise: Exercise) -> int:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    path = workspace.cut(exercise)
    try:
        mine = region_bodies(path.read_text("utf-8-sig"))
    except ExerciseError as error:
        raise _UsageError(f"{show_path(path)}: {error}") from None
    reference = region_bodies(exercise.source)
    console = Console(width=None if sys.stdout.isatty() else 2 * WIDTH)
    for part in exercise.parts:
        for region in part.holes:
            body = mine.get(region, "")
            if not body or _is_hole(body):
                print(f"{part.name} ({region}): not written yet, so the reference is not shown\n")
                continue
            table = Table("yours", "reference", title=f"{part.name} ({region})", expand=True)
            table.columns[0].ratio = table.columns[1].ratio = 1
            table.add_row(Text(body), Text(reference[region]))
            console.print(table)
    return 0


def _watch(workspace: Workspace, exercise: Exercise) -> int:
    """Grade on every save until all tasks pass; a grader stands ready in between."""
    from patterns._kit.grade import Grader

    path = workspace.cut(exercise)
    print(f"Watching {show_path(path)}; stop with Ctrl-C.\n", flush=True)
    seen = None
    grader = Grader(exercise.slug)
    try:
        while True:
            now = _signature(path)
            if now and now != seen:
                seen = now
                _show(workspace, exercise, grader=grader)
                if len(workspace.passed(exercise)) == len(exercise.parts):
                    return 0
                print(f"\n--- {datetime.now():%H:%M:%S}, waiting for a save\n", flush=True)
                grader.close()
                grader = Grader(exercise.slug)
            time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        return 0
    finally:
        grader.close()


def _signature(path: Path) -> tuple[int, int] | None:
    """Changes when the file is saved; None while an editor has taken the file away."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size
