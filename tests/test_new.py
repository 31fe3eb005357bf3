"""`patterns new`: a draft runs, and passes what is asked of work in progress, from the start."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import harness
import pytest
from harness import ROOT, copy_of_the_repository

from patterns import catalogue
from patterns._kit import new
from patterns._kit.book import BOOK, book_markdown
from patterns._kit.cards import find

pytestmark = pytest.mark.xdist_group("new")
SLUG = "hashed_feature"


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository with a draft in it."""
    folder = copy_of_the_repository(tmp_path_factory.mktemp("clone"))
    done = python(folder, "-m", "patterns", "new", SLUG)
    assert done.returncode == 0, done.stderr
    return folder


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python with the packages of this environment and the sources of the copy."""
    variables = {k: v for k, v in os.environ.items() if k != "CI" and "PYTEST" not in k}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**variables, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["list"], f"{SLUG} Draft. Say in one line"),
        (["run", SLUG], "Holds: The pattern's RMSE is at most"),
        (["measure", SLUG, "--fast"], "A fast run on 1 seed"),
        (["measure", SLUG], "1 of 1 claims hold on each of 5 seeds"),
        (["learn", SLUG], "1 shrink not written yet"),
        (["notebook", SLUG], f"written: runs/{SLUG}.ipynb"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_commands_know_the_draft(clone: Path, words: list[str], said: str) -> None:
    done = python(clone, "-m", "patterns", *words)
    assert done.returncode == 0, done.stderr
    assert said in re.sub(r"\s+", " ", done.stdout)


def test_the_harness_accepts_it_and_says_what_it_left_out(clone: Path) -> None:
    quick = f"{SLUG} and not needs_only_the_packages"  # builds an environment of its own
    files = ["tests/harness.py", f"tests/test_{SLUG}.py", "tests/test_exercises.py"]
    done = python(clone, "-m", "pytest", "-n", "0", "-rs", "-k", quick, *files)
    assert done.returncode == 0, done.stdout + done.stderr
    skipped = re.findall(r"^SKIPPED \[\d+\] \S+ (.*)$", done.stdout, flags=re.MULTILINE)
    assert skipped
    assert all(reason.startswith("draft: ") for reason in skipped)


def test_ci_refuses_a_draft_that_the_tests_of_its_author_skip(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(harness, "EVERY", (replace(find("reframing"), draft=True),))
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="draft: reframing; CI refuses drafts"):
        harness.test_what_is_released_is_finished()
    monkeypatch.setenv("CI", "true")
    with pytest.raises(AssertionError):
        harness.test_what_is_released_is_finished()
    assert "export CI=" in (ROOT / ".ci" / "run").read_text("utf-8")


def test_it_is_formatted_linted_and_typed(clone: Path) -> None:
    sources = [f"patterns/{SLUG}", f"tests/test_{SLUG}.py"]
    for tool in (
        ["ruff", "format", "--check", *sources],
        ["ruff", "check", *sources],
        ["mypy", "-p", f"patterns.{SLUG}"],
    ):
        done = python(clone, "-m", *tool)
        assert done.returncode == 0, done.stdout


def test_its_extra_stands_among_the_others_by_the_alphabet(clone: Path) -> None:
    was, now = (
        tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
        for folder in (ROOT, clone)
    )
    extras = list(now["optional-dependencies"])
    assert set(extras) - set(was["optional-dependencies"]) == {SLUG}
    assert extras.index("feature_crossing") + 1 == extras.index(SLUG)


def test_drafts_are_on_no_page_and_in_no_count(clone: Path) -> None:
    code = "from patterns import catalogue; print([card.slug for card in catalogue()])"
    assert python(clone, "-c", code).stdout == f"{[card.slug for card in catalogue()]}\n"


def test_the_site_is_built_without_it_and_its_preview_says_what_to_record(clone: Path) -> None:
    done = python(clone, "-m", "patterns", "docs", "build")
    assert done.returncode == 0, done.stderr
    pages = {path.stem for path in (clone / "site" / "patterns").glob("*.html")}
    assert pages == {card.slug for card in catalogue()}
    done = python(clone, "-m", "patterns", "docs", "serve", "--port", "0")
    assert done.returncode == 3
    assert f"make it with: patterns measure {SLUG} --record" in done.stderr


def test_nothing_is_overwritten(clone: Path) -> None:
    before = {path: path.read_bytes() for path in clone.rglob("*.toml")}
    done = python(clone, "-m", "patterns", "new", SLUG)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith(f"patterns/{SLUG} is there already\n")
    assert before == {path: path.read_bytes() for path in clone.rglob("*.toml")}


def test_a_file_that_is_in_the_way_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    page = tmp_path / "docs" / "patterns" / f"{SLUG}.md"
    page.parent.mkdir(parents=True)
    page.write_text("mine", "utf-8")
    with pytest.raises(ValueError, match=f"{SLUG}.md is there already"):
        new.create(SLUG, tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [page]
    assert page.read_text("utf-8") == "mine"


@pytest.mark.parametrize(
    ("slug", "said"),
    [
        ("Hashed-Feature", "did you mean 'hashed_feature'?"),
        ("class", "not here yet: hashed_feature, embeddings"),
        ("../elsewhere", "not here yet"),
        ("reframing", "patterns/reframing is there already"),
        ("Reframing", "patterns/reframing is there already"),
        ("stateless_serving_function", "patterns/stateless_serving is there already"),
    ],
)
def test_another_name_is_answered(slug: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        new.create(slug, tmp_path)
    assert not list(tmp_path.iterdir())


def test_every_pattern_of_the_book_that_is_missing_can_be_begun(tmp_path: Path) -> None:
    settings = (ROOT / "pyproject.toml").read_text("utf-8")
    (tmp_path / "pyproject.toml").write_text(settings, "utf-8")
    here = {card.title for card in catalogue(drafts=True)}
    missing = [entry.slug for entry in BOOK if entry.title not in here]
    for slug in missing:
        new.create(slug, tmp_path)
    assert {path.name for path in (tmp_path / "patterns").iterdir()} == set(missing)
    extras = tomllib.loads((tmp_path / "pyproject.toml").read_text("utf-8"))
    assert set(missing) <= set(extras["project"]["optional-dependencies"])
    ours = 'lint.isort.known-first-party = ["patterns"]'  # which is not there to be seen
    for tool in (["format", "--check"], ["check"]):
        done = python(tmp_path, "-m", "ruff", *tool, "--config", ours, ".")
        assert done.returncode == 0, done.stdout


def test_the_book_has_thirty_patterns_and_the_page_leads_to_those_that_are_here() -> None:
    assert [entry.number for entry in BOOK] == list(range(1, 31))
    text = book_markdown({find("transform").title: "patterns/transform.md"})
    assert ":   [Transform](patterns/transform.md), Repeatable Splitting" in text
    assert all(entry.title in text for entry in BOOK)
