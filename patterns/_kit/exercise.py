"""Exercises: the parts they have, the stub that is cut for them, and how an answer is judged."""

from __future__ import annotations

import copy
import importlib
import linecache
import re
import sys
import textwrap
import time
import tomllib
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from patterns._kit.cards import PATTERNS

MARKER = re.compile(r"^ *# --8<-- \[(start|end):(ex-[\w-]+)\]$")
ANY_MARKER = re.compile(r"^ *# --8<-- \[(start|end):([\w-]+)\]$")  # also of what pages only quote
WIDTH = 100
N_HINTS = 3
EXPLORATION_SECONDS = 1.0  # of processor time


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
    expected : array-like
        The answer wanted: numbers are compared with a tolerance. A case of an exploration leaves it
        out, because there the reference answers.
    view : function of what the call returns, optional
        What of it is compared and shown.
    reads : str
        What the numbers are, when the call alone does not say it.
    kind : str
        What kind of input it is, in a few words: told when some kinds are right and others wrong.
    arguments : mapping of name to value
        What is passed to the call and must come back unchanged.
    same : function of two answers, optional
        Whether they are equally right, where more than one answer is.
    """

    call: str
    answer: Callable[[Any], Any]
    expected: Any = None
    view: Callable[[Any], Any] = lambda result: result
    reads: str = ""
    kind: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    same: Callable[[Any, Any], bool] | None = None


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
            if _is_unwritten(answer):
                return Verdict(self.name, self.part, "unwritten")
            answers.append(answer)
        pairs = list(zip(cases, answers, strict=True))
        failed = [(case, got) for case, got in pairs if not _fits(case, got, case.expected)]
        if not failed:
            return Verdict(self.name, self.part, "passed")

        case, got = failed[0]
        entries = _entries(case, got, case.expected, self.why)
        mistake = self._recognize(pairs, suspects())
        if mistake:
            entries["looks like"] = f"{mistake.title}. {mistake.why}"
        entries["inputs"] = _which_fail(cases, [case for case, _ in failed])
        name = mistake.name if mistake else None
        text = block(self.title, entries)
        return Verdict(self.name, self.part, "failed", text, name, len(failed))

    def _recognize(self, pairs: Sequence[tuple[Case, Any]], suspects: Suspects) -> Mistake | None:
        """The mistake that gives all of the answers, the right ones too; the first of equals."""
        for mistake, suspect in suspects.items():
            if mistake.part == self.part and all(
                _fits(case, got, _ask(case, suspect)) for case, got in pairs
            ):
                return mistake
        return None


@dataclass(frozen=True)
class Exploration:
    """A question with random inputs, put to an answer and to the reference.

    It follows when all checks of its part have passed, and finds what no author thought of.
    """

    name: str
    part: str
    title: str
    why: str
    draw: Callable[[Any], Case]
    n_examples: int

    def __call__(
        self,
        module: Any,
        reference: Any,
        on_call: Callable[[str], None] = lambda call: None,
        seconds: float = EXPLORATION_SECONDS,
    ) -> Verdict:
        """Look for the simplest input on which a module and the reference differ.

        Parameters
        ----------
        on_call : function of the text of a call, optional
            Is told of each call before it is made.
        seconds : float
            Processor time after which no further input is tried.
        """
        import random

        from hypothesis import HealthCheck, Phase, find, settings
        from hypothesis import strategies as st
        from hypothesis.errors import HypothesisException

        until = time.process_time() + seconds
        found: list[tuple[Case, Any, Any]] = []

        def differs(case: Case) -> bool:
            if time.process_time() > until:
                return False
            on_call(case.call)
            got = _ask(case, module)
            wanted = _ask(replace(case, arguments={}), reference)
            if _fits(case, got, wanted):
                return False
            found.append((case, got, wanted))
            return True

        how = settings(
            max_examples=self.n_examples,
            database=None,
            deadline=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        )
        # Whatever ends the search, among it an answer that is not the same twice, `found` has it.
        with suppress(HypothesisException), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            find(st.composite(self.draw)(), differs, settings=how, random=random.Random(0))
        if not found:
            return Verdict(self.name, self.part, "passed")
        case, got, wanted = found[-1]  # the search goes from any difference to simpler ones
        if _is_unwritten(got):
            return Verdict(self.name, self.part, "unwritten")
        entries = _entries(case, got, wanted, self.why)
        entries["inputs"] = "found by comparing with the reference; the simplest that differs"
        return Verdict(self.name, self.part, "failed", block(self.title, entries), n_failed=1)


def check(part: str, why: str) -> Callable[[Callable[[], Iterable[Case]]], Check]:
    """Make a check of a function that yields cases; its docstring is the title."""

    def decorate(cases: Callable[[], Iterable[Case]]) -> Check:
        title = (cases.__doc__ or "").strip().rstrip(".")
        return Check(cases.__name__, part, title, why, cases)

    return decorate


def explore(
    part: str, why: str, n_examples: int = 60
) -> Callable[[Callable[[Any], Case]], Exploration]:
    """Make an exploration of a function of hypothesis's ``draw``; its docstring is the title."""

    def decorate(draw: Callable[[Any], Case]) -> Exploration:
        title = (draw.__doc__ or "").strip().rstrip(".")
        return Exploration(draw.__name__, part, title, why, draw, n_examples)

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
    def explorations(self) -> tuple[Exploration, ...]:
        """The explorations, likewise."""
        module = importlib.import_module(f"patterns.{self.slug}.exercise.checks")
        return tuple(value for value in vars(module).values() if isinstance(value, Exploration))

    @cached_property
    def reference(self) -> Any:
        """The pattern itself."""
        return importlib.import_module(f"patterns.{self.slug}.pattern")

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

    def judge(
        self,
        module: Any,
        parts: Sequence[str] | None = None,
        asks: Callable[[Check | Exploration, str], None] = lambda question, call: None,
        seconds: float = EXPLORATION_SECONDS,
    ) -> Iterator[Verdict]:
        """Put every check to a module-like object, and explore the parts whose checks all pass.

        Parameters
        ----------
        parts : names of parts, optional
            The others are left out.
        asks : function of a question and the text of a call, optional
            Is told of each call before it is made.
        seconds : float
            Processor time of each exploration.
        """
        open_parts = {part.name for part in self.parts if parts is None or part.name in parts}
        for check in [check for check in self.checks if check.part in open_parts]:
            verdict = check(module, lambda: self.suspects, partial(asks, check))
            if verdict.status != "passed":
                open_parts.discard(check.part)
            yield verdict
        for exploration in self.explorations:
            if exploration.part in open_parts:
                yield exploration(module, self.reference, partial(asks, exploration), seconds)


def regions(source: str, marker: re.Pattern[str] = MARKER) -> dict[str, tuple[int, int]]:
    """For each marked region, the line numbers of its markers, counted from 0.

    Raises
    ------
    ExerciseError
        When a marker lacks its counterpart, or a region occurs twice or inside another.
    """
    found: dict[str, tuple[int, int]] = {}
    open_at: tuple[str, int] | None = None
    for number, line in enumerate(source.splitlines()):
        match = marker.match(line)
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
    sys.modules[module.__name__] = module  # where a dataclass looks for the module of its class
    try:
        exec(compile(source, path, "exec"), module.__dict__)
    finally:
        del sys.modules[module.__name__]
    return module


def describe_error(error: BaseException, path: str | None) -> str:
    """An exception in one line, with the last line of ``path`` that took part in it."""
    try:
        text = " ".join(str(error).split())
    except Exception:
        text = "its message cannot be shown"
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
    lines = [title if title.endswith(("?", "!")) else f"{title}."]
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


@dataclass(frozen=True)
class _Changed:
    """An answer whose call has changed what was passed to it."""

    name: str
    before: Any
    after: Any


def _ask(case: Case, module: Any) -> Any:
    before = copy.deepcopy(dict(case.arguments))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = case.answer(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit is an answer too
        return _Raised(error, getattr(module, "__file__", None))
    for name, value in case.arguments.items():
        if not _same(value, before[name]):
            return _Changed(name, before[name], value)
    try:
        return None if result is None else case.view(result)
    except Exception:  # no array, or one of another shape: shown as it is, equal to nothing
        return _Unfit(result)


def _is_unwritten(answer: Any) -> bool:
    return isinstance(answer, _Raised) and isinstance(answer.error, NotImplementedError)


def _fits(case: Case, got: Any, wanted: Any) -> bool:
    odd = (_Raised, _Unfit, _Changed)
    if case.same and not isinstance(got, odd) and not isinstance(wanted, odd):
        return case.same(got, wanted)
    return _same(got, wanted)


def _same(got: Any, wanted: Any) -> bool:
    import numpy as np

    if isinstance(got, _Raised) or isinstance(wanted, _Raised):
        both = isinstance(got, _Raised) and isinstance(wanted, _Raised)
        return both and type(got.error) is type(wanted.error)
    if isinstance(got, _Unfit | _Changed) or isinstance(wanted, _Unfit | _Changed):
        return type(got) is type(wanted) and repr(got) == repr(wanted)
    if got is None or wanted is None:
        return got is wanted
    try:
        got_array, wanted_array = np.asarray(got), np.asarray(wanted)
    except ValueError:  # rows of different lengths
        return bool(got == wanted)
    if got_array.shape != wanted_array.shape:
        return False
    is_text = "U" in got_array.dtype.kind + wanted_array.dtype.kind
    try:
        if not is_text:
            numbers = got_array.astype(float), wanted_array.astype(float)
            return np.allclose(*numbers, rtol=1e-6, atol=1e-9, equal_nan=True)
    except (TypeError, ValueError):  # objects that are no numbers
        pass
    return bool(got_array.tolist() == wanted_array.tolist())


def _entries(case: Case, got: Any, wanted: Any, why: str) -> dict[str, str]:
    entries = {"called": case.call, "should give": _show(wanted, case.reads)}
    return {**entries, "gave": _show(got, case.reads), "why": why}


def _which_fail(cases: Sequence[Case], failed: Sequence[Case]) -> str:
    """How many inputs fail, and which kinds of them."""
    text = f"{len(failed)} of {len(cases)} give another answer; this is the first"
    wrong = dict.fromkeys(case.kind for case in failed if case.kind)
    right = dict.fromkeys(case.kind for case in cases if case.kind and case.kind not in wrong)
    text += f"; wrong: {', '.join(wrong)}" if wrong else ""
    return text + (f"; right: {', '.join(right)}" if right else "")


def _show(value: Any, reads: str) -> str:
    import numpy as np

    if isinstance(value, _Raised):
        return describe_error(value.error, value.path)
    if isinstance(value, _Changed):
        return (
            f"the argument {value.name} comes back changed, from {_show(value.before, '')} to "
            f"{_show(value.after, '')}; work on a copy"
        )
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
