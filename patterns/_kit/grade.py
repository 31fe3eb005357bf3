"""Grade a learner's file in a child process: whatever it does, there is a verdict in time."""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import importlib
import io
import json
import os
import queue
import re
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from patterns._kit.cards import ROOT
from patterns._kit.exercise import (
    Check,
    Exercise,
    Exploration,
    Verdict,
    block,
    build_module,
    describe_error,
    name_line,
    region_bodies,
)
from patterns._kit.workers import ONE_THREAD

CHECK_SECONDS = 3.0  # for one check, or for the import of the learner's file
TOTAL_SECONDS = 7.0  # for all of them together
START_SECONDS = 120.0  # for our own imports, before any of the learner's code runs
POLL_SECONDS = 0.1
MEMORY_BYTES = 4 * 2**30
UNREADABLE = "The file cannot be imported"
N_PRINTED = 1000  # characters shown of what a check's calls print


class Grader:
    """A child process that has imported everything and waits for a file to grade.

    Parameters
    ----------
    slug : str
        The pattern.
    """

    def __init__(self, slug: str) -> None:
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        command = [sys.executable, "-m", "patterns._kit.grade", slug]
        self._command = " ".join(command)
        # Whatever processes and files the learner's code makes, they end with it.
        self._folder = tempfile.TemporaryDirectory(prefix="patterns-", ignore_cleanup_errors=True)
        self._child = subprocess.Popen(
            command,
            cwd=self._folder.name,
            start_new_session=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **ONE_THREAD, "PYTHONPATH": path, "PYTHONUTF8": "1"},
        )
        self._began = time.monotonic()
        self._lines: queue.Queue[bytes | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._child.stdout
        for line in self._child.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def seconds(self) -> float:
        """Seconds that the child has worked, so that a busy machine stops nobody's right answer.

        Processor time, or a quarter of the time that has passed if that is more: a child that
        sleeps works too. Where the system does not tell processor time, all time that has passed.
        """
        passed = time.monotonic() - self._began
        try:
            fields = Path(f"/proc/{self._child.pid}/stat").read_text().rpartition(")")[2].split()
            worked = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        except (OSError, IndexError):
            return passed
        return max(worked, passed / 4)

    def messages(self, path: Path, parts: Sequence[str], until: float) -> Iterator[Any]:
        """What the child reports, one message at a time.

        The last one is a string if the child did not finish: it says why.

        Parameters
        ----------
        until : float
            The child's `seconds` at which it is stopped.
        """
        assert self._child.stdin
        with contextlib.suppress(OSError):  # a child that is gone is noticed below
            order = json.dumps({"path": str(path), "parts": parts})
            self._child.stdin.write(order.encode() + b"\n")
            self._child.stdin.flush()
        where, since = "", self.seconds()
        while True:
            try:
                line = self._lines.get(timeout=POLL_SECONDS)
            except queue.Empty:
                if self._child.poll() is not None:  # what it has started may keep the pipe open
                    line = None
                elif self.seconds() > min(since + CHECK_SECONDS, until):
                    yield f"no answer within {CHECK_SECONDS:g} seconds; it was stopped{where}"
                    return
                else:
                    continue
            if line is None:
                yield f"{_describe_end(self._child.wait())}{where}"
                return
            if not line.startswith(b"{"):  # written by `faulthandler`, in a crash
                where = where or _frame_of(line.decode(errors="replace"), str(path))
                continue
            message = json.loads(line)
            if "finished" in message:
                return
            if "line" in message:
                where = f" in {name_line(str(path), message['line'])}"
                continue
            where, since = "", self.seconds()
            yield message

    def wait_until_ready(self) -> str:
        """Wait for the child's imports; return what went wrong, if anything."""
        try:
            line = self._lines.get(timeout=START_SECONDS)
        except queue.Empty:
            return f"the grader was not ready within {START_SECONDS:g} seconds"
        return "" if line else f"the grader does not start; to see why: {self._command}"

    def close(self) -> None:
        """End the child, and what it has started; a reader that hangs on is left to itself."""
        with contextlib.suppress(ProcessLookupError):
            if hasattr(os, "killpg"):
                os.killpg(self._child.pid, signal.SIGKILL)
        self._child.kill()
        self._child.wait()
        self._reader.join(timeout=1.0)
        assert self._child.stdin
        assert self._child.stdout
        if not self._reader.is_alive():
            self._child.stdout.close()
        with contextlib.suppress(OSError):
            self._child.stdin.close()
        self._folder.cleanup()

    def __enter__(self) -> Grader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def grade(exercise: Exercise, path: Path, grader: Grader | None = None) -> list[Verdict]:
    """Grade a file, always within a few seconds.

    When the code hangs or takes the interpreter down, the part at fault gets that as its verdict,
    and a new child goes on with the next part.

    Parameters
    ----------
    grader : Grader, optional
        One that was started in advance; it is used up.
    """
    path, bodies = path.resolve(), region_bodies(exercise.stub)
    parts = [part.name for part in exercise.parts]
    with contextlib.suppress(ValueError, OSError):
        if region_bodies(path.read_text("utf-8-sig")) == bodies:  # nothing to run: answer at once
            return [Verdict("", part, "unwritten") for part in parts]

    verdicts: list[Verdict] = []
    spent = 0.0  # of TOTAL_SECONDS; the imports of the first child are not counted
    while parts:
        with grader or Grader(exercise.slug) as child:
            grader = None
            at = {"title": "The task can be graded"}
            if spent > TOTAL_SECONDS:
                reason = "there was no time left for it"
                return verdicts + [_stopped(at, part, reason) for part in parts]
            if trouble := child.wait_until_ready():
                return verdicts + [_stopped(at, part, trouble) for part in parts]
            since = 0.0 if spent else child.seconds()
            at = {"title": UNREADABLE}
            for message in child.messages(path, parts, since + TOTAL_SECONDS - spent):
                if isinstance(message, str):  # it ended before its time
                    failed = [at["part"]] if "part" in at else parts
                    verdicts += [_stopped(at, part, message) for part in failed]
                    parts = parts[parts.index(failed[-1]) + 1 :]
                    break
                if "verdict" in message:
                    verdicts.append(Verdict(**message["verdict"]))
                else:
                    at = message
            else:
                return verdicts
            spent += child.seconds() - since
    return verdicts


def _stopped(at: Mapping[str, str], part: str, reason: str) -> Verdict:
    called = {"called": at["called"]} if "called" in at else {}
    text = block(at["title"], {**called, "gave": reason})
    return Verdict(at.get("check", ""), part, "failed", text, n_failed=1)


def _describe_end(code: int) -> str:
    how = f"exit code {code}"
    if code < 0:
        with contextlib.suppress(ValueError):
            how = signal.Signals(-code).name
    return f"the interpreter ended ({how})"


def _frame_of(line: str, path: str) -> str:
    """The line of the learner's file in a line that `faulthandler` wrote."""
    match = re.match(r'  File "(.*)", line (\d+) in ', line)
    return f" in {name_line(path, int(match[2]))}" if match and match[1] == path else ""


def _serve(slug: str) -> None:
    """In the child: import, say so, wait for the file's name, grade it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is the parent's to handle
    # Reports go out through a copy of standard output that the learner's code does not know.
    out = os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 1)
    gc.disable()  # what is imported stays: looking through it for garbage takes a sixth of the time
    exercise = Exercise.load(slug)
    # Brings in the heavy packages.
    _ = exercise.checks, exercise.mistakes, exercise.reference
    if exercise.explorations:
        importlib.import_module("hypothesis")
    gc.freeze()
    gc.enable()
    _send(out, ready=True)

    order = json.loads(sys.stdin.readline())
    os.dup2(nothing, 0)
    _limit_memory()
    faulthandler.enable(out)
    path = order["path"]
    progress = _Progress(out, path)
    try:
        module = build_module(Path(path).read_text("utf-8-sig"), path)
    except BaseException as error:
        text = block(UNREADABLE, {"gave": describe_error(error, path)})
        for part in order["parts"]:
            _send(out, verdict=asdict(Verdict("", part, "failed", text, n_failed=1)))
        _send(out, finished=True)
        os._exit(0)

    def asks(question: Check | Exploration, call: str) -> None:
        about = {"check": question.name, "part": question.part, "title": question.title}
        progress.begin_call(about, call)

    verdicts = exercise.judge(module, order["parts"], asks)
    while True:
        with contextlib.redirect_stdout(_Printed()) as printed:
            verdict = next(verdicts, None)
        if verdict is None:
            break
        if verdict.text and printed.text:
            verdict = replace(verdict, text=f"{verdict.text}\n  printed\n{printed}")
        _send(out, verdict=asdict(verdict))
    _send(out, finished=True)
    os._exit(0)  # whatever threads the learner's code has left behind


class _Progress:
    """Reports each call before it is made and, when it takes long, the line where it is."""

    def __init__(self, out: int, path: str) -> None:
        self._out = out
        self._path = path
        self._since = time.monotonic()
        self._main = threading.get_ident()
        threading.Thread(target=self._look, daemon=True).start()

    def begin_call(self, about: Mapping[str, str], call: str) -> None:
        self._since = time.monotonic()
        _send(self._out, **about, called=call)

    def _look(self) -> None:
        while True:
            time.sleep(0.2)
            if time.monotonic() - self._since < 0.6 * CHECK_SECONDS:
                continue
            frame = sys._current_frames().get(self._main)
            while frame and frame.f_code.co_filename != self._path:
                frame = frame.f_back
            if frame:
                _send(self._out, line=frame.f_lineno)


class _Printed(io.TextIOBase):
    """The beginning of what the learner's code prints: people find mistakes by printing."""

    text = ""

    def write(self, text: str) -> int:
        if len(self.text) < N_PRINTED:
            self.text = (self.text + text)[:N_PRINTED]
        return len(text)

    def __str__(self) -> str:
        lines = self.text.splitlines()
        more = ["..."] if len(lines) > 10 or len(self.text) == N_PRINTED else []
        return textwrap.indent("\n".join(lines[:10] + more), "    ")


def _send(out: int, **message: Any) -> None:
    os.write(out, json.dumps(message).encode() + b"\n")


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
