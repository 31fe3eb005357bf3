"""The tour: one case through many patterns, by their public names, and a mistake that is caught."""

from __future__ import annotations

import ast
import os
import re
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
from harness import ROOT, TOLERANCE, command

from patterns._kit import cli
from patterns.transform import ServingArtifact

pytestmark = [pytest.mark.xdist_group("tour"), pytest.mark.timeout(1200)]

SCRIPT = ROOT / "patterns" / "tour.py"
RECORDED = (ROOT / "docs" / "tour.txt").read_text("utf-8")
STATIONS = ["rows", "transform", "tune", "train", "explain", "batch", "online", "watch", "damage"]
NUMBER = re.compile(r"\d[\d,]*\.?\d*")


class Tour(NamedTuple):
    """What one run has printed, and where it has written."""

    done: subprocess.CompletedProcess[str]
    out: Path


@pytest.fixture(scope="module")
def tour(tmp_path_factory: pytest.TempPathFactory) -> Tour:
    """The tour as a user takes it."""
    out = tmp_path_factory.mktemp("toured") / "runs"
    return Tour(command("tour", "--out", str(out), timeout=600), out / "tour")


def test_it_prints_each_station_as_it_gets_there_and_each_claim_holds(tour: Tour) -> None:
    assert tour.done.returncode == 0, tour.done.stderr
    printed = tour.done.stdout
    places = [printed.index(f"\n{name} ") for name in STATIONS[1:]]
    assert printed.startswith("rows ")
    assert places == sorted(places)
    assert printed.count("Holds: ") == 4
    assert "FAILS" not in printed


def test_what_is_recorded_is_found_again(tour: Tour) -> None:
    now = (tour.out / "tour.txt").read_text("utf-8")
    assert NUMBER.sub("#", now) == NUMBER.sub("#", RECORDED)
    for before, found in zip(NUMBER.findall(RECORDED), NUMBER.findall(now), strict=True):
        n_decimals = len(before.partition(".")[2])
        last_digit = 10.0**-n_decimals if n_decimals else 0.0
        expected = pytest.approx(plain(before), rel=TOLERANCE, abs=1.01 * last_digit)
        assert plain(found) == expected, f"{found} now, {before} recorded"


def plain(number: str) -> float:
    return float(number.replace(",", "").rstrip("."))


def test_a_second_run_over_the_files_of_the_first_fails_if_the_mistake_is_not_found(
    tour: Tour,
) -> None:
    source = SCRIPT.read_text("utf-8")
    planted = '(log["temp"] - 32) * 5 / 9'
    assert source.count(planted) == 1
    mended = tour.out.parent.parent / "mended.py"  # whose new client makes no mistake
    mended.write_text(source.replace(planted, 'log["temp"]'), "utf-8")
    done = subprocess.run(
        [sys.executable, str(mended)],
        cwd=mended.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "FAILS: since 4 November" in done.stdout
    assert done.stdout.count("FAILS") == 1
    assert "since 4 November" in done.stderr


def test_the_artifact_that_it_leaves_can_be_served(tour: Tour) -> None:
    artifact = ServingArtifact.load(tour.out / "flights.zip")
    assert "departure" in artifact.schema
    left = {path.name for path in tour.out.iterdir()}
    assert left == {"flights.zip", "tour.txt", "tour.svg", "tour.png"}


def test_it_imports_nothing_but_public_names() -> None:
    """Those of the stub of each pattern; of the kit, what draws figures."""
    found = ast.walk(ast.parse(SCRIPT.read_text("utf-8")))
    used = set()
    for node in found:
        if isinstance(node, ast.Import):
            assert not [a.name for a in node.names if a.name.startswith(("patterns", "datasets"))]
        if not isinstance(node, ast.ImportFrom) or node.module is None:
            continue
        package = node.module.split(".")
        if package[0] in ("patterns", "datasets") and node.module != "patterns._kit.figures":
            stub = ROOT.joinpath(*package, "__init__.pyi")
            assert stub.exists(), f"{node.module} is no package with public names"
            public = re.findall(r" as (\w+)$", stub.read_text("utf-8"), flags=re.MULTILINE)
            assert {alias.name for alias in node.names} <= set(public)
            used.add(node.module)
    assert len(used) >= 6


def test_the_page_shows_the_code_and_the_lines_of_every_station() -> None:
    page = (ROOT / "docs" / "tour.md").read_text("utf-8")
    shown = [page.index(f'"docs/tour.txt:{station}"') for station in STATIONS]
    assert all(a < b for a, b in pairwise(shown))
    for name in re.findall(r"\[start:(\w+)\]", SCRIPT.read_text("utf-8")):
        assert f'"patterns/tour.py:{name}"' in page


def test_a_package_that_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    assert cli.main(["tour", "--out", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "needs the package optuna" in said
    assert "uv sync" in said


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_an_interrupted_tour_leaves_nothing_running(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "patterns", "tour", "--out", str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if "no flight is missing" in line:  # then the server starts
                break
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 130, said
        assert said.strip().endswith("patterns: interrupted")
        with pytest.raises(ProcessLookupError):
            os.killpg(process.pid, 0)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(10)
