"""Grade a learner's file in a child process: whatever it does, there is a verdict in time."""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import io
import json
import os
import queue
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO, Any

from patterns._kit.cards import PATTERNS
from patterns._kit.exercise import (
    Exercise,
    Verdict,
    block,
    build_module,
    describe_error,
    name_line,
    region_bodies,
)
from patterns._kit.runner import ONE_THREAD

CHECK_SECONDS = 3.0  # for one check, or for the import of the learner's file
TOTAL_SECONDS = 7.0  # for all of them together
START_SECONDS = 120.0  # for our own imports, before any of the learner's code runs
MEMORY_BYTES = 4 * 2**30
N_PRINTED = 1000  # characters shown of what a check's calls print


class Grader:
    """A child process that has imported everything and waits for a file to grade.

    Parameters
    ----------
    slug : str
        The pattern.
    """

    def __init__(self, slug: str) -> None:
        path = os.pathsep.join(filter(None, [str(PATTERNS.parent), os.environ.get("PYTHONPATH")]))
        self._child = subprocess.Popen(
            [sys.executable, "-m", "patterns._kit.grade", slug],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **ONE_THREAD, "PYTHONPATH": path, "PYTHONUTF8": "1"},
        )
        self._lines: queue.Queue[bytes | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._child.stdout
        for line in self._child.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def messages(self, path: Path, parts: Sequence[str], deadline: float) -> Iterator[Any]:
        """What the child reports, one at a time; last, if it did not finish, why (a string)."""
        assert self._child.stdin
        with contextlib.suppress(OSError):  # a child that is gone is noticed below
            order = json.dumps({"path": str(path), "parts": parts})
            self._child.stdin.write(order.encode() + b"\n")
            self._child.stdin.flush()
        stuck_at = None
        while True:
            wait = min(CHECK_SECONDS, max(0.0, deadline - time.monotonic()))
            try:
                line = self._lines.get(timeout=wait)
            except queue.Empty:
                where = f" It was in {stuck_at}." if stuck_at else ""
                yield f"no answer within {wait:.0f} seconds, so it was stopped.{where}"
                return
            if line is None:
                yield _describe_end(self._child.wait(), stuck_at)
                return
            if line.startswith(b"{"):
                message = json.loads(line)
                if message.get("finished"):
                    return
                yield message
            elif not stuck_at:
                stuck_at = _frame_of(line.decode(errors="replace"), str(path))

    def wait_until_ready(self) -> None:
        """Wait for the child's own imports.

        Raises
        ------
        RuntimeError
            When the child does not get so far; the fault is not the learner's.
        """
        with contextlib.suppress(queue.Empty):
            while line := self._lines.get(timeout=START_SECONDS):
                if line.startswith(b"{"):
                    return
        raise RuntimeError(
            "the grader did not start; to see why: python -c 'import patterns._kit.grade'"
        )

    def close(self) -> None:
        """End the child."""
        self._child.kill()
        self._child.wait()
        self._reader.join()
        assert self._child.stdin
        assert self._child.stdout
        self._child.stdout.close()
        with contextlib.suppress(OSError):
            self._child.stdin.close()

    def __enter__(self) -> Grader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def grade(exercise: Exercise, path: Path, grader: Grader | None = None) -> list[Verdict]:
    """Grade a file, always within a few seconds.

    When the code hangs or takes the interpreter down, the part at fault gets that as its verdict and
    a new child goes on with the next part.

    Parameters
    ----------
    grader : Grader, optional
        One that was started in advance; it is used up.
    """
    bodies = region_bodies(exercise.stub)
    parts = [part.name for part in exercise.parts]
    with contextlib.suppress(ValueError, OSError):
        if region_bodies(path.read_text("utf-8")) == bodies:  # nothing to run: answer at once
            return [Verdict("", part, "unwritten") for part in parts]

    verdicts: list[Verdict] = []
    deadline = None
    while parts:
        with grader or Grader(exercise.slug) as child:
            grader = None
            child.wait_until_ready()
            deadline = deadline or time.monotonic() + TOTAL_SECONDS
            at: dict[str, str] = {}
            for message in child.messages(path, parts, deadline):
                if isinstance(message, str):  # it ended before its time
                    failed = [at["part"]] if at else parts
                    verdicts += [_stopped(at, part, message) for part in failed]
                    parts = parts[parts.index(failed[-1]) + 1 :]
                    break
                if "verdict" in message:
                    verdicts.append(Verdict(**message["verdict"]))
                else:
                    at = message
            else:
                return verdicts
        if time.monotonic() > deadline:
            late = "not graded: the parts before took all of the time"
            verdicts += [_stopped({}, part, late) for part in parts]
            return verdicts
    return verdicts


def _stopped(at: dict[str, str], part: str, reason: str) -> Verdict:
    title = at.get("title", "The file can be imported")
    called = {"called": at["called"]} if "called" in at else {}
    return Verdict(
        at.get("check", ""), part, "failed", block(title, **called, gave=reason), n_failed=1
    )


def _describe_end(code: int, where: str | None) -> str:
    how = f"exit code {code}"
    if code < 0:
        with contextlib.suppress(ValueError):
            how = signal.Signals(-code).name
    return f"the interpreter ended ({how})" + (f" in {where}" if where else "")


def _frame_of(line: str, path: str) -> str | None:
    """The line of the learner's file in a line that `faulthandler` wrote."""
    match = re.match(r'  File "(.*)", line (\d+) in ', line)
    return name_line(path, int(match[2])) if match and match[1] == path else None


def _serve(slug: str) -> None:
    """In the child: import, say so, wait for the file's name, grade it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is the parent's to handle
    # Reports go out through a copy of standard output that the learner's code does not know.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 1)
    exercise = Exercise.load(slug)
    checks, _ = exercise.checks, exercise.mistakes
    importlib.import_module(f"patterns.{slug}.pattern")  # brings in the heavy packages
    _send(out, ready=True)

    order = json.loads(sys.stdin.readline())
    os.dup2(nothing, 0)
    _limit_memory()
    faulthandler.enable(out)
    faulthandler.dump_traceback_later(0.8 * CHECK_SECONDS, file=out)
    path = order["path"]
    wanted = [check for check in checks if check.part in order["parts"]]
    try:
        module = build_module(Path(path).read_text("utf-8"), path)
    except BaseException as error:
        text = block("The file can be imported", gave=describe_error(error, path))
        for part in order["parts"]:
            _send(out, verdict=asdict(Verdict("", part, "failed", text, n_failed=1)))
        wanted = []
    for check in wanted:
        _send(out, check=check.name, part=check.part, title=check.title)
        faulthandler.dump_traceback_later(0.8 * CHECK_SECONDS, file=out)
        with contextlib.redirect_stdout(_Printed()) as printed:
            [verdict] = exercise.judge(module, [check])
        if verdict.text and printed.text:
            verdict = replace(verdict, text=f"{verdict.text}\n  printed\n{printed}")
        _send(out, verdict=asdict(verdict))
    _send(out, finished=True)
    out.flush()
    os._exit(0)  # whatever threads the learner's code has left behind


class _Printed(io.TextIOBase):
    """The beginning of what the learner's code prints: people find mistakes by printing."""

    text = ""

    def write(self, text: str) -> int:
        if len(self.text) < N_PRINTED:
            self.text = (self.text + text)[:N_PRINTED]
        return len(text)

    def __str__(self) -> str:
        more = " ..." if len(self.text) == N_PRINTED else ""
        return textwrap.indent(self.text.rstrip() + more, "    ")


def _send(out: IO[str], **message: Any) -> None:
    out.write(json.dumps(message) + "\n")


def _limit_memory() -> None:
    """Where the system can: elsewhere the time limit has to do."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    except (ImportError, ValueError, OSError):
        pass


if __name__ == "__main__":
    _serve(sys.argv[1])
