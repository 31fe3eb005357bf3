"""Every command that a page shows is run: here, in a copy of the repository, or where it says."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest
from harness import ROOT, copy_of_the_repository

from patterns import catalogue
from patterns._kit.serving import snapshot_of, train_flights

pytestmark = pytest.mark.timeout(600)

PROGRAMS = "bash|curl|docker|git|mkdocs|mypy|patterns|pip|pytest|python|ruff|uv"
SHELLS = {"bash", "console", "sh", "shell"}
SECONDS = 240  # for one command, on a machine that others use too

# What takes minutes is run by these.
ELSEWHERE = {
    "uv run patterns run --all": "tests/test_kit.py::test_all_stories_end_in_a_summary",
    "uv run pytest": ".ci/run",
    "uv run ruff format --check .": ".ci/run",
    "uv run ruff check .": ".ci/run",
    "uv run mypy": ".ci/run",
    "uv run pytest tests/harness.py -k reproduce --seeds 5": ".ci/run",
    "bash .ci/run": "by hand: it runs the tests, and so this one",
    "uv run patterns docs build": "tests/test_docs.py::site",
    "uv run patterns docs grade": (
        "tests/test_exercises.py::test_the_checks_still_print_what_is_recorded"
    ),
    "uv run pytest exercises": "tests/test_learn.py::test_a_fresh_clone",
    "python -m pytest exercises": "tests/test_learn.py::test_a_fresh_clone",
    "uv run --no-default-groups --extra neutral_class patterns run neutral_class": (
        "tests/harness.py::test_the_story_needs_only_the_packages_of_its_card"
    ),
    **{
        f"uv run patterns run {card.slug}": (
            "tests/harness.py::test_the_script_and_the_command_tell_the_same"
        )
        for card in catalogue()
    },
    **{
        f"uv run patterns measure {card.slug}": "tests/harness.py::documented"  # on fewer seeds
        for card in catalogue()
    },
    "uv run patterns tour": "tests/test_tour.py::tour",
    "uv run patterns measure reframing --fast": (
        "tests/harness.py::test_fast_keeps_its_budget_and_work_side_by_side_equals_work_in_turn"
    ),
    "uv run python tests/benchmarks/reframing.py": "by hand: times need a machine of their own",
    "uv run python tests/benchmarks/stateless_serving.py": "by hand: as above",
    "docker build -t serving .": "tests/test_dockerfile.py::image",  # its steps, without Docker
    "docker run --read-only --memory 1g --publish 127.0.0.1:8080:8080 serving": (
        "tests/test_dockerfile.py::image"
    ),
    "docker run": "tests/test_dockerfile.py::image",
    "git pull": "by hand: a learner's own copy has a place to pull from",
}
# What takes the place of a word, on all pages or on one.
VALUES = {
    "NAME": "reframing",
    "[TASK]": "crps",
    "TASK": "crps",
    "MODEL": "flights.zip",
    "SOURCE": "rows.csv",
    "SINK": "answers",
    "COLUMN": "id",
}
OF_PAGE = {"docs/contributing.md": {"NAME": "hashed_feature"}}  # which the page begins with
# What makes a command quick, its port a free one, or its failure seen.
ADDED = {
    "uv run patterns measure reframing --seed 1000": "--fast --only share",
    "uv run patterns serve": "--port PORT",
    "uv run patterns serve flights.zip --admin-port 8081": "--port PORT",
    "uv run --extra stateless_serving --extra onnx patterns serve flights.zip --workers 2": (
        "--port PORT"
    ),
    "uv run patterns serve runs/tour/flights.zip": "--port PORT",
    "uv run patterns docs serve": "--port PORT",
    "curl -X POST http://127.0.0.1:8081/swap -H 'content-type: application/json' "
    """--data '{"artifact": "flights-of-today.zip"}'""": "--fail --retry 30 --retry-connrefused",
}
# What does not end by itself, and what it says when it is ready; it is stopped with its block.
STAYS = {
    r"patterns serve\b": r"^Serving .* at http",
    r"patterns docs serve": r"Serving on http",
    r"patterns learn --watch": r"waiting for a save",
}


def blocks(text: str) -> list[list[str]]:
    """The commands of each block, and each command that stands in a line."""
    found = []
    fences = re.findall(r"^ *```([\w-]+)\n(.*?)^ *```$", text, flags=re.DOTALL | re.MULTILINE)
    for language, block in fences:
        if language in SHELLS:
            lines = re.sub(r"\\\n\s*", "", block).splitlines()
            commands = [re.sub(r"^\$ |\s+#.*$", "", line.strip()) for line in lines]
            found.append([one for line in commands for one in line.split(" && ") if one])
    prose = re.sub(r"^ *```.*?^ *```$", "", text, flags=re.DOTALL | re.MULTILINE)
    inline = [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose)]
    found += [[span] for span in inline if re.match(rf"({PROGRAMS}) \S", span)]
    return [[as_typed(one) for one in block if one != "pip install uv"] for block in found]


def as_typed(command: str) -> str:
    """A command of a sentence leaves out how it is started."""
    return f"uv run {command}" if command.startswith("patterns ") else command


def read_pages() -> dict[str, list[list[str]]]:
    """The blocks of each page; a command stands where it was first."""
    paths = [ROOT / "README.md", ROOT / "exercises" / "README.md"]
    paths += sorted((ROOT / "docs").rglob("*.md"))
    seen: set[str] = set()
    pages = {}
    for path in paths:
        first = []
        for block in blocks(path.read_text("utf-8")):
            first.append([command for command in block if command not in seen])
            seen |= set(block)
        pages[path.relative_to(ROOT).as_posix()] = [block for block in first if block]
    return pages


PAGES = read_pages()
SHOWN = {command for page in PAGES.values() for block in page for command in block}


@pytest.fixture(scope="module")
def flights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the commands of the pages are given."""
    folder = tmp_path_factory.mktemp("given")
    train_flights(2000, 10).save(folder / "flights.zip")
    (folder / "runs" / "tour").mkdir(parents=True)
    for name in ("flights-of-today.zip", "runs/tour/flights.zip"):
        shutil.copy(folder / "flights.zip", folder / name)
    typical = snapshot_of(folder / "flights.zip", "xgboost").example
    pd.DataFrame([{"id": i, **typical} for i in range(100)]).to_csv(
        folder / "rows.csv", index=False
    )
    objective = "def objective(trial):\n    return trial.suggest_float('x', -1, 1) ** 2\n"
    (folder / "my_search.py").write_text(objective, "utf-8")
    return folder


class Shell(NamedTuple):
    """Where commands are run: in a copy, with the packages that are installed here."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """Nothing is installed again, and the sources are those of the copy."""
        kept = {k: v for k, v in os.environ.items() if "PYTEST" not in k and k != "VIRTUAL_ENV"}
        return {
            **kept,
            "PATH": f"{Path(sys.prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(self.folder),
            "UV_PROJECT_ENVIRONMENT": sys.prefix,
            "UV_NO_SYNC": "1",
            "UV_OFFLINE": "1",
        }

    def run(self, command: str) -> None:
        """Run a command that ends."""
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}"

    def start(self, command: str, ready: str) -> subprocess.Popen[str]:
        """Start a command that stays, and wait until it says that it is ready."""
        process = subprocess.Popen(
            ["bash", "-c", command],
            cwd=self.folder,
            env={**self.environment, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        assert process.stdout is not None
        late = threading.Timer(
            SECONDS, stop, [process]
        )  # else a silent program would wait for ever
        late.start()
        said = ""
        for line in process.stdout:
            said += line
            if re.search(ready, line):
                late.cancel()
                return process
        late.cancel()
        stop(process)
        raise AssertionError(f"{command}\n{said}")


def stop(process: subprocess.Popen[str]) -> None:
    """End a program and all that it has started."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, how)
            process.wait(15)
        except ProcessLookupError:
            break
        except subprocess.TimeoutExpired:
            continue
    process.wait(15)
    if process.stdout:
        process.stdout.close()


@contextmanager
def started() -> Iterator[list[subprocess.Popen[str]]]:
    """The programs of a block; they are ended with it."""
    processes: list[subprocess.Popen[str]] = []
    try:
        yield processes
    finally:
        for process in processes:
            stop(process)


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return str(probe.getsockname()[1])


@pytest.mark.parametrize("page", [page for page, found in PAGES.items() if found])
def test_the_commands_of_a_page_do_what_it_says(page: str, flights: Path, tmp_path: Path) -> None:
    here = [[c for c in block if c not in ELSEWHERE] for block in PAGES[page]]
    if not any(here):
        return
    shell = Shell(copy_of_the_repository(tmp_path / "copy"))
    shutil.copytree(flights, shell.folder, dirs_exist_ok=True)
    for block in here:
        admin = free_port()  # one for a block, in which several commands name it
        with started() as processes:
            for command in block:
                words = f"{command} {ADDED.get(command, '')}".replace("8081", admin)
                for name, value in {**VALUES, **OF_PAGE.get(page, {}), "PORT": free_port()}.items():
                    words = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", value, words)
                stays = [ready for pattern, ready in STAYS.items() if re.search(pattern, command)]
                if stays:
                    processes.append(shell.start(words, stays[0]))
                else:
                    shell.run(words)


def test_what_is_said_to_run_elsewhere_does() -> None:
    gates = (ROOT / ".ci" / "run").read_text("utf-8")
    for command, where in ELSEWHERE.items():
        path, _, name = where.partition("::")
        if where == ".ci/run":
            assert re.search(rf"^.*{re.escape(command)}( #|$)", gates, flags=re.MULTILINE), command
        elif not where.startswith("by hand: "):
            assert re.search(rf"def {name}\w*\(", (ROOT / path).read_text("utf-8")), command


def test_no_command_is_listed_that_no_page_shows() -> None:
    assert not {command for command in [*ELSEWHERE, *ADDED] if command not in SHOWN}


def test_commands_are_found_in_blocks_and_in_sentences() -> None:
    page = (
        "Type `patterns list` or `uv`.\n\n```bash\npip install uv && uv run one  # why\n"
        "two \\\n  --three\n```\n\n```console\n$ four && five\n```\n\n```python\nuv run six\n```\n"
    )
    assert blocks(page) == [
        ["uv run one", "two --three"],
        ["four", "five"],
        ["uv run patterns list"],
    ]
