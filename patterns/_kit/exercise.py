"""Exercises: the parts they have, the stub that is cut for them, and how an answer is judged."""

from __future__ import annotations

import importlib
import linecache
import re
import textwrap
import tomllib
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from patterns._kit.cards import PATTERNS

MARKER = re.compile(r"^ *# --8<-- \[(start|end):(ex-[\w-]+)\]$")
WIDTH = 100
N_HINTS = 3


class ExerciseError(ValueError):
    """An exercise is put together wrongly; the message is for its author."""


@dataclass(frozen=True)
class Part:
    """One task: one or more regions of ``pattern.py`` to write."""

    name: str
    title: str
    task: str
    why: str
    hints: tuple[str, ...]  # from a question to nearly the answer
    holes: Mapping[str, str]  # for each region, the comment that the stub has in its place


@dataclass(frozen=True, eq=False)
class Mistake:
    """A wrong solution that people really write, and what to tell them."""

    name: str
    part: str
    title: str
    why: str
    code: Mapping[str, str]  # for each region that it changes, the wrong body


@dataclass(frozen=True)
class Alternative:
    """A right solution that is written differently: the checks must accept it."""

    name: str
    code: Mapping[str, str]


@dataclass(frozen=True)
class Case:
    """One input of a check.

    Parameters
    ----------
    call : str
        What is called, as the learner would write it.
    answer : function of a module-like object
        Makes the call.
    view : function of what the call returns, optional
        What of it is compared and shown.
    expected : array-like of float
        The answer wanted, compared with a tolerance.
    reads : str
        What the numbers are, when the call alone does not say it.
    """

    call: str
    answer: Callable[[Any], Any]
    expected: Any
    view: Callable[[Any], Any] = lambda result: result
    reads: str = ""


Suspects = Mapping[Mistake, Any]


@dataclass(frozen=True)
class Verdict:
    """What a check found; ``text`` is ready to print."""

    check: str
    part: str
    status: Literal["passed", "failed", "unwritten"]
    text: str = ""
    mistake: str | None = None
    n_failed: int = 0  # of the check's inputs


@dataclass(frozen=True)
class Check:
    """A question to an answer, put with several inputs."""

    name: str
    part: str
    title: str
    why: str
    cases: Callable[[], Iterable[Case]]

    def __call__(
        self,
        module: Any,
        suspects: Callable[[], Suspects] = dict,
        on_call: Callable[[str], None] = lambda call: None,
    ) -> Verdict:
        """Judge a module, or anything that has its names as attributes.

        Parameters
        ----------
        suspects : function without parameters, optional
            Gives the known mistakes, each as a module: the one whose answers are those of the
            judged module is the one that was made. It is called when a check fails.
        on_call : function of the text of a call, optional
            Is told of each call before it is made.
        """
        cases = list(self.cases())
        answers = []
        for case in cases:
            on_call(case.call)
            answer = _ask(case, module)
            if isinstance(answer, _Raised) and isinstance(answer.error, NotImplementedError):
                return Verdict(self.name, self.part, "unwritten")
            answers.append(answer)
        pairs = list(zip(cases, answers, strict=True))
        failed = [(case, got) for case, got in pairs if not _same(got, case.expected)]
        if not failed:
            return Verdict(self.name, self.part, "passed")

        case, got = failed[0]
        entries = {
            "called": case.call,
            "should give": _show(case.expected, case.reads),
            "gave": _show(got, case.reads),
            "why": self.why,
        }
        mistake = self._recognize(pairs, suspects())
        if mistake:
            entries["looks like"] = f"{mistake.title}. {mistake.why}"
        elif not isinstance(got, _Raised):
            entries["looks like"] = "none of the known mistakes"
        entries["inputs"] = f"{len(failed)} of {len(cases)} give another answer; this is the first"
        name = mistake.name if mistake else None
        return Verdict(
            self.name, self.part, "failed", block(self.title, entries), name, len(failed)
        )

    def _recognize(self, pairs: Sequence[tuple[Case, Any]], suspects: Suspects) -> Mistake | None:
        """The mistake that gives the most of the wrong answers and the fewest others."""
        scores = {}
        for mistake, suspect in suspects.items():
            if mistake.part != self.part:
                continue
            hits = contradictions = 0
            for case, got in pairs:
                alike, right = _same(got, _ask(case, suspect)), _same(got, case.expected)
                hits += alike and not right
                contradictions += not alike
            if hits:
                scores[mistake] = hits, -contradictions
        return max(scores, key=lambda mistake: scores[mistake], default=None)


def check(part: str, why: str) -> Callable[[Callable[[], Iterable[Case]]], Check]:
    """Make a check of a function that yields cases; its docstring is the title."""

    def decorate(cases: Callable[[], Iterable[Case]]) -> Check:
        title = (cases.__doc__ or "").strip().rstrip(".")
        return Check(cases.__name__, part, title, why, cases)

    return decorate


@dataclass(frozen=True)
class Exercise:
    """The exercise of one pattern, as its author wrote it."""

    slug: str
    source: str  # of pattern.py
    parts: tuple[Part, ...]

    @classmethod
    def load(cls, slug: str) -> Exercise:
        """Read the exercise; imports nothing of the pattern.

        Raises
        ------
        ExerciseError
            When markers and parts do not fit together.
        """
        source = (PATTERNS / slug / "pattern.py").read_text("utf-8")
        info = tomllib.loads((PATTERNS / slug / "exercise" / "info.toml").read_text("utf-8"))
        parts = tuple(Part(**{**part, "hints": tuple(part["hints"])}) for part in info["part"])
        exercise = cls(slug, source, parts)
        marked, owned = set(regions(source)), [hole for part in parts for hole in part.holes]
        if marked != set(owned) or len(owned) != len(set(owned)):
            raise ExerciseError(
                f"{slug}: pattern.py marks the regions {sorted(marked)}, the parts in info.toml "
                f"own {sorted(owned)}; each region must belong to one part"
            )
        return exercise

    @cached_property
    def checks(self) -> tuple[Check, ...]:
        """The checks, in the order in which ``checks.py`` defines them."""
        module = importlib.import_module(f"patterns.{self.slug}.exercise.checks")
        return tuple(value for value in vars(module).values() if isinstance(value, Check))

    @cached_property
    def mistakes(self) -> tuple[Mistake, ...]:
        """The named wrong solutions."""
        module = importlib.import_module(f"patterns.{self.slug}.exercise.variants")
        return tuple(module.MISTAKES)

    @cached_property
    def alternatives(self) -> tuple[Alternative, ...]:
        """The named right solutions."""
        module = importlib.import_module(f"patterns.{self.slug}.exercise.variants")
        return tuple(module.ALTERNATIVES)

    @property
    def stub(self) -> str:
        """``pattern.py`` with a hole in place of each region."""
        return replace_regions(
            self.source,
            {
                region: f"{_comment(text)}\n"
                f'raise NotImplementedError("task {part.name!r} is not written yet")'
                for part in self.parts
                for region, text in part.holes.items()
            },
        )

    @cached_property
    def suspects(self) -> Suspects:
        """Each mistake as the module of someone who has made it."""
        return {
            mistake: build_module(replace_regions(self.source, mistake.code), f"<{mistake.name}>")
            for mistake in self.mistakes
        }

    def judge(self, module: Any) -> Iterator[Verdict]:
        """Put every check to a module-like object."""
        for question in self.checks:
            yield question(module, lambda: self.suspects)


def regions(source: str) -> dict[str, tuple[int, int]]:
    """For each marked region, the line numbers of its markers, counted from 0.

    Raises
    ------
    ExerciseError
        When a marker lacks its counterpart, or a region occurs twice or inside another.
    """
    found: dict[str, tuple[int, int]] = {}
    open_at: tuple[str, int] | None = None
    for number, line in enumerate(source.splitlines()):
        match = MARKER.match(line)
        if not match:
            continue
        kind, name = match.groups()
        if kind == "start":
            if open_at:
                raise ExerciseError(
                    f"region {open_at[0]} has no end marker before line {number + 1}"
                )
            if name in found:
                raise ExerciseError(f"region {name} starts a second time in line {number + 1}")
            open_at = name, number
        else:
            if not open_at or open_at[0] != name:
                raise ExerciseError(f"line {number + 1} ends region {name}, which is not open")
            found[name] = open_at[1], number
            open_at = None
    if open_at:
        raise ExerciseError(f"region {open_at[0]} has no end marker")
    return found


def region_bodies(source: str) -> dict[str, str]:
    """The text between the markers of each region, without its indentation."""
    lines = source.splitlines()
    return {
        name: textwrap.dedent("\n".join(lines[start + 1 : end])).strip("\n")
        for name, (start, end) in regions(source).items()
    }


def replace_regions(source: str, bodies: Mapping[str, str]) -> str:
    """Put other bodies, given without indentation, between the markers."""
    lines = source.splitlines()
    for name, (start, end) in sorted(regions(source).items(), key=lambda item: -item[1][0]):
        if name in bodies:
            indent = lines[start][: -len(lines[start].lstrip())]
            body = textwrap.dedent(bodies[name]).strip("\n")
            lines[start + 1 : end] = textwrap.indent(body, indent).splitlines()
    return "\n".join(lines) + "\n"


def build_module(source: str, path: str) -> ModuleType:
    """Execute source as a module of its own; ``path`` is what messages call it."""
    module = ModuleType("pattern")
    module.__file__ = path
    exec(compile(source, path, "exec"), module.__dict__)
    return module


def describe_error(error: BaseException, path: str | None) -> str:
    """An exception in one line, with the last line of ``path`` that took part in it."""
    text = " ".join(str(error).split())
    text = f"{type(error).__name__}: {text}" if text else type(error).__name__
    if isinstance(error, SystemExit):
        text += " (the code ended the program)"
    if isinstance(error, SyntaxError):
        return text  # it names the line by itself
    number, trace = None, error.__traceback__
    while trace:
        if trace.tb_frame.f_code.co_filename == path:
            number = trace.tb_lineno
        trace = trace.tb_next
    return text if number is None or path is None else f"{text}, in {name_line(path, number)}"


def name_line(path: str, number: int) -> str:
    """A line of the learner's file, for a message."""
    linecache.checkcache(path)  # the learner may have saved since
    code = linecache.getline(path, number).strip()
    return f"line {number}: {code}" if code else f"line {number}"


def block(title: str, entries: Mapping[str, str]) -> str:
    """A title and labeled entries, wrapped under each other."""
    width = max(map(len, entries)) + 2
    lines = [f"{title}."]
    for label, text in entries.items():
        lines += textwrap.wrap(
            text,
            WIDTH,
            initial_indent="  " + label.ljust(width),
            subsequent_indent=" " * (width + 2),
            break_on_hyphens=False,
        )
    return "\n".join(lines)


@dataclass(frozen=True)
class _Raised:
    """An exception in place of an answer."""

    error: BaseException
    path: str | None


@dataclass(frozen=True)
class _Unfit:
    """An answer of a kind that its case cannot look at."""

    result: Any


def _ask(case: Case, module: Any) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = case.answer(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit is an answer too
        return _Raised(error, getattr(module, "__file__", None))
    try:
        return None if result is None else case.view(result)
    except Exception:  # no array, or one of another shape: shown as it is, equal to nothing
        return _Unfit(result)


def _same(got: Any, wanted: Any) -> bool:
    import numpy as np

    if isinstance(got, _Raised) or isinstance(wanted, _Raised):
        both = isinstance(got, _Raised) and isinstance(wanted, _Raised)
        return both and repr(got.error) == repr(wanted.error)
    if got is None or wanted is None:
        return got is wanted
    try:
        got, wanted = np.asarray(got, dtype=float), np.asarray(wanted, dtype=float)
    except (TypeError, ValueError):
        return False
    if got.shape != wanted.shape:
        return False
    return np.allclose(got, wanted, rtol=1e-6, atol=1e-9, equal_nan=True)


def _show(value: Any, reads: str) -> str:
    import numpy as np

    if isinstance(value, _Raised):
        return describe_error(value.error, value.path)
    if value is None:
        return "None (is a return missing?)"
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        return textwrap.shorten(repr(value.result if isinstance(value, _Unfit) else value), 200)
    text = np.array2string(
        array, separator=", ", threshold=24, formatter={"float_kind": lambda x: f"{x:.4g}"}
    )
    text = " ".join(text.split())
    shape = f" of shape {array.shape}" if array.ndim > 1 else ""
    return f"{reads} {text}{shape}".strip()


def _comment(text: str) -> str:
    lines = textwrap.wrap(" ".join(text.split()), WIDTH - 12)
    return "\n".join(f"# {line}" for line in lines)


def exercise_path(slug: str) -> Path:
    """The description of a pattern's exercise; it exists when the exercise does."""
    return PATTERNS / slug / "exercise" / "info.toml"
