"""Pages that are made of the repository: data, exercises, benchmarks, glossary and notebooks."""

from __future__ import annotations

import ast
import doctest
import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path
from statistics import median

import nbformat
import pytest
from harness import ROOT

from patterns._kit.story import Story
from datasets._schema_definitions import SCHEMAS
from patterns import catalogue
from patterns._kit import docs, pages
from patterns._kit.cards import Card, find
from patterns._kit.exercise import Exercise
from patterns._kit.learn import available
from patterns._kit.tables import html
from patterns._kit.workers import ONE_THREAD

CARDS = pytest.mark.parametrize("card", catalogue(), ids=lambda card: card.slug)
BENCHMARKS = sorted(p for p in pages.BENCHMARKS.glob("*.py") if p.stem != "timing")
RECORDED = sorted(pages.BENCHMARKS.glob("results/*.json"))


@pytest.fixture(scope="module")
def data_page() -> str:
    return pages.datasets_markdown()


# --- data ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", pages.loaders())
def test_the_example_of_each_data_set_prints_what_it_shows(name: str, data_page: str) -> None:
    loader = pages.loaders()[name]
    (test,) = doctest.DocTestFinder(recurse=False).find(loader, name, globs={})
    found = doctest.DocTestRunner(verbose=False).run(test)
    assert found.failed == 0
    assert found.attempted >= 2
    for example in test.examples:
        assert f">>> {example.source}{example.want}" in data_page


def test_the_page_has_a_card_for_each_public_loader(data_page: str) -> None:
    stub = ast.parse((ROOT / "datasets" / "__init__.pyi").read_text("utf-8"))
    names = [a.name for n in stub.body if isinstance(n, ast.ImportFrom) for a in n.names]
    public = {name for name in names if name.startswith(("load_", "make_"))}
    shown = re.findall(r"^### `(\w+)`", data_page, flags=re.MULTILINE)
    assert len(shown) == len(set(shown))
    assert set(shown) == public


@pytest.mark.parametrize("name", SCHEMAS)
def test_each_column_says_what_it_is(name: str, data_page: str) -> None:
    for column, rule in SCHEMAS[name].columns.items():
        assert rule.description, column
        assert f" | {rule.description} |" in data_page


def test_a_card_names_the_patterns_that_import_its_loader(data_page: str) -> None:
    _, _, card = data_page.partition("### `make_rainfall`")
    assert "Used by [Reframing](patterns/reframing.md).\n" in card.partition("```")[0]


def test_origin_license_and_flaws_of_each_data_set_are_told() -> None:
    for title, (text, names) in pages.sections().items():
        assert names, title
        for part in ("**Origin.**", "**License.**", "What is wrong with it"):
            assert part in text, title


def test_checksums_come_last_and_folded() -> None:
    text, _ = pages.sections()["NYC flights of 2013"]
    before, _, folded = text.partition("<details")
    assert re.search(r"[0-9a-f]{64}", folded)
    assert not re.search(r"[0-9a-f]{64}", before)


# --- exercises -----------------------------------------------------------------------------------
def test_the_table_has_each_exercise_with_its_tasks_and_mistakes() -> None:
    rows = re.findall(r"^\| \[.*$", pages.exercises_table(), flags=re.MULTILINE)
    assert len(rows) == len(available())
    (row,) = (row for row in rows if "neutral_class.md#exercise" in row)
    mistakes = Exercise.load("neutral_class").mistakes
    assert f" | 4 | {len(mistakes)} | " in row


def test_the_verdict_shown_is_that_of_the_recorded_mistake() -> None:
    shown = pages.verdict_markdown()
    (mistake,) = (m for m in Exercise.load(pages.FIRST).mistakes if m.title == pages.MISTAKE)
    (code,) = mistake.code.values()
    assert code.strip() in shown
    assert f"looks like   {mistake.title}." in shown


# --- benchmarks ----------------------------------------------------------------------------------
@pytest.mark.parametrize("path", BENCHMARKS, ids=lambda path: path.stem)
def test_each_benchmark_is_on_the_page(path: Path) -> None:
    text = pages.benchmarks_markdown()
    _, _, section = text.partition(f"## {find(path.stem).title}\n")
    assert f"python tests/benchmarks/{path.name}" in section.partition("\n## ")[0]


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_each_record_has_a_machine_and_every_round(path: Path) -> None:
    run = json.loads(path.read_text("utf-8"))
    assert {"processor", "cores", "gigabytes", "system", "load"} == set(run["machine"])
    assert run["date"]
    assert len(run["versions"]) >= 2
    text = pages.benchmarks_markdown()
    for comparison in run["comparisons"]:
        table = pages.comparison_table(comparison)
        assert html(table) in text
        for cells in comparison["rows"].values():
            assert len(cells) == len(comparison["columns"])
    assert (pages.BENCHMARKS / f"{path.stem}.py").exists()


def test_a_cell_is_the_median_of_the_rounds_and_their_range() -> None:
    rounds = [0.5, 3.0, 1.25]
    kept = {"title": "T", "columns": ["time"], "rows": {"one": [rounds], "none": [[]]}}
    table = pages.comparison_table(kept)
    assert median(rounds) == 1.25
    assert table.rows == (("one", "1.25 (0.500 to 3.00)"), ("none", ""))


def test_what_a_benchmark_records_says_nothing_of_who_or_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(pages.BENCHMARKS))
    import timing

    monkeypatch.setattr(timing, "RESULTS", tmp_path)
    monkeypatch.setattr(sys, "argv", ["some.py", "--rows", "7", "--record"])
    ratios = timing.ratios(lambda: sum(range(1000)), lambda: sum(range(1000)), rounds=3)
    table = timing.Comparison("T", ["time"], {"a row": [ratios]})
    timing.report("elsewhere/some.py", [table], ["numpy"], record=True)
    text = (tmp_path / "some.json").read_text("utf-8")
    run = json.loads(text)
    assert run["command"] == "uv run python tests/benchmarks/some.py --rows 7"
    assert len(run["comparisons"][0]["rows"]["a row"][0]) == 3
    assert platform.node() not in text
    assert str(ROOT) not in text


# --- glossary ------------------------------------------------------------------------------------
def test_terms_are_in_order_and_each_leads_to_a_pattern() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text("utf-8").partition("## Measures")[0]
    terms = re.findall(r"^### (.*)\n\n([^#]*)", text, flags=re.MULTILINE)
    names = [name.lower() for name, _ in terms]
    assert names == sorted(names)
    assert len(names) == len(set(names)) > 50
    for name, said in terms:
        assert re.search(r"See\s\[[^\]]+\]\(patterns/\w+\.md\)\.", said), name


# --- notebooks -----------------------------------------------------------------------------------
@CARDS
def test_the_notebook_holds_what_the_story_printed_and_drew(card: Card) -> None:
    notebook = nbformat.reads(pages.executed(card), as_version=4)
    nbformat.validate(notebook)
    printed, drawn = (o for c in notebook.cells if c.cell_type == "code" for o in c.outputs)
    story = Story.from_json(card.story.read_text("utf-8"))
    assert printed.text == story.text(Path("runs") / card.slug, 100) + "\n"
    assert drawn.data["image/svg+xml"] == card.story.with_suffix(".svg").read_text("utf-8")


@CARDS
def test_a_story_prints_what_is_recorded_and_nothing_else(card: Card) -> None:
    tree = ast.parse((card.folder / "example.py").read_text("utf-8"))
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    names = [call.id for call in calls if isinstance(call, ast.Name)]
    assert "print" not in names
    assert names.count("tell") == 1


def test_running_a_notebook_prints_what_it_shows(tmp_path: Path) -> None:
    notebook = nbformat.reads(pages.executed(find("neutral_class")), as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n\n".join(cell.source for cell in code)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, **ONE_THREAD},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "".join(o.text for c in code for o in c.outputs if "text" in o)


@CARDS
def test_the_page_of_a_pattern_offers_its_notebook(card: Card) -> None:
    story = Story.from_json(card.story.read_text("utf-8"))
    assert f"(../notebooks/{card.slug}.ipynb)" in docs.story_markdown(card, story)
