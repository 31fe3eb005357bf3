"""What every pattern must do: one set of checks over all patterns of the catalogue."""

from __future__ import annotations

import ast
import importlib
import json
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import asdict
from pathlib import Path

import pytest

from patterns import Card, catalogue
from patterns._kit import runner
from patterns._kit.evidence import Evidence

ROOT = Path(__file__).parents[1]
# Of a pattern whose networks do all of the work; the others take at most 60 and 10.
RUN_SECONDS = {"multimodal_input": 120}  # with two processes
FAST_SECONDS = {"multimodal_input": 15}  # of processor time, on a machine with nothing else to do
SHARED_MACHINE = 2  # a busy one may take so many times longer
TOLERANCE = 0.01  # of the recorded value: other processors round differently

BOOK = {
    *("Hashed Feature", "Embeddings", "Feature Cross", "Multimodal Input", "Reframing"),
    *("Multilabel", "Ensembles", "Cascade", "Neutral Class", "Rebalancing", "Useful Overfitting"),
    *("Checkpoints", "Transfer Learning", "Distribution Strategy", "Hyperparameter Tuning"),
    *("Stateless Serving Function", "Batch Serving", "Continued Model Evaluation"),
    *("Two-Phase Predictions", "Keyed Predictions", "Transform", "Repeatable Splitting"),
    *("Bridged Schema", "Windowed Inference", "Workflow Pipeline", "Feature Store"),
    *("Model Versioning", "Heuristic Benchmark", "Explainable Predictions", "Fairness Lens"),
}
SECTIONS = [
    "Run it",
    "What you get",
    "The problem, seen once",
    "How it works",
    "Evidence",
    "When not to use it",
    "Where it goes wrong",
    "In production",
    "Related",
    "Exercise",
    "References",
]

CARDS = pytest.mark.parametrize("card", catalogue(), ids=lambda card: card.slug)


@pytest.fixture(scope="session")
def documented(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Evidence]:
    """The documented run of each pattern that was asked for, made once."""
    return _Runs(tmp_path_factory.mktemp("documented"))


class _Runs(dict[str, Evidence]):
    def __init__(self, out: Path) -> None:
        self.out = out

    def __missing__(self, slug: str) -> Evidence:
        card = next(card for card in catalogue() if card.slug == slug)
        seeds = tuple(range(runner.DOCUMENTED_SEEDS))
        config = runner.load_example(slug).Config()
        self[slug] = runner.run(runner.Run(card, config, seeds, self.out / slug))
        return self[slug]


def command(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run the command line as a user would."""
    return subprocess.run(
        [sys.executable, "-m", "patterns", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@CARDS
def test_the_folder_is_complete(card: Card) -> None:
    parts = ["__init__.py", "pattern.py", "example.py", "exercise/checks.py", "exercise/info.toml"]
    parts += ["exercise/variants.py", "results/results.json"]
    missing = [part for part in parts if not (card.folder / part).exists()]
    missing += [
        str(path)
        for path in (f"docs/patterns/{card.slug}.md", f"tests/test_{card.slug}.py")
        if not (ROOT / path).exists()
    ]
    assert not missing


@CARDS
def test_the_card_matches_the_book_and_the_project(card: Card) -> None:
    assert card.title in BOOK
    assert set(card.related) <= BOOK - {card.title}
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    names = {re.split(r"[~=<>]", line)[0] for line in declared["dependencies"]}
    assert set(card.packages) <= names
    assert f"patterns/{card.slug}.md" in (ROOT / "mkdocs.yml").read_text("utf-8")


def test_numbers_are_unique() -> None:
    numbers = [card.number for card in catalogue()]
    assert len(set(numbers)) == len(numbers)


@CARDS
def test_what_a_reader_takes_away_imports_third_party_packages_only(card: Card) -> None:
    stays = {"__init__.py", "example.py", "figures.py"}
    for path in card.folder.glob("*.py"):
        if path.name in stays:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in getattr(node, "names", [])]
            origin = getattr(node, "module", None)
            imported = {str(name).split(".")[0] for name in [origin, *names] if name}
            if isinstance(node, ast.Import):
                assert not imported & {"patterns", "datasets"}, path.name
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, path.name
                assert str(origin).split(".")[0] not in {"patterns", "datasets"}, path.name


@CARDS
def test_importing_is_silent_and_needs_no_network(card: Card) -> None:
    code = (
        "import socket\n"
        "def refuse(*a, **k): raise AssertionError('the network is out of bounds')\n"
        "socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse\n"
        f"import patterns.{card.slug}.example\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@CARDS
def test_every_public_name_can_be_imported_from_the_package(card: Card) -> None:
    package = importlib.import_module(f"patterns.{card.slug}")
    assert package.__all__
    for name in package.__all__:
        assert getattr(package, name).__doc__, name
    with pytest.raises(AttributeError, match="no_such_name"):
        package.no_such_name  # noqa: B018


@CARDS
def test_the_example_states_limits_and_explains_its_metrics(
    card: Card, documented: dict[str, Evidence]
) -> None:
    example = runner.load_example(card.slug)
    assert sum(claim.kind == "limit" for claim in example.CLAIMS) >= 2
    assert len({claim.name for claim in example.CLAIMS}) == len(example.CLAIMS)
    used = {name.split(".")[2] for name in documented[card.slug].metrics}
    assert used == set(example.GLOSSARY)
    assert "When not to" in str(example.__doc__)


@CARDS
def test_fast_keeps_its_budget_and_seeds_in_parallel_equal_seeds_in_turn(
    card: Card, tmp_path: Path
) -> None:
    before = os.times()
    once = command("run", card.slug, "--fast", "--json", "--out", str(tmp_path / "once"))
    after = os.times()
    assert once.returncode == 0, once.stderr
    seconds = (after.children_user - before.children_user) + (
        after.children_system - before.children_system
    )
    assert seconds < FAST_SECONDS.get(card.slug, 10) * SHARED_MACHINE

    several = command(
        *("run", card.slug, "--fast", "--json", "--out", str(tmp_path / "several")),
        *("--seeds", "2", "--jobs", "2"),
    )
    alone, among = (json.loads(done.stdout)["metrics"] for done in (once, several))
    assert {name: values[0] for name, values in among.items()} == {
        name: values[0] for name, values in alone.items()
    }
    assert any(values[0] != values[1] for values in among.values()), "the seed has no effect"


@CARDS
def test_every_claim_holds_on_every_seed(card: Card, documented: dict[str, Evidence]) -> None:
    evidence = documented[card.slug]
    assert len(evidence.seeds) >= 5
    failed = {v.name: v.values for v in evidence.verdicts if not v.holds}
    assert not failed


@CARDS
def test_the_recorded_results_reproduce(card: Card, documented: dict[str, Evidence]) -> None:
    recorded = Evidence.from_json(card.results.read_text("utf-8"))
    fresh = documented[card.slug]
    # As JSON, where a tuple is a list.
    assert json.loads(json.dumps(recorded.config)) == json.loads(json.dumps(fresh.config))
    assert recorded.seeds == fresh.seeds
    assert recorded.glossary == fresh.glossary
    assert [v.sentence for v in recorded.verdicts] == [v.sentence for v in fresh.verdicts]
    assert list(recorded.metrics) == list(fresh.metrics)
    for name, values in recorded.metrics.items():
        assert fresh.metrics[name] == pytest.approx(values, rel=TOLERANCE, abs=1e-6), name


@CARDS
def test_the_recorded_figures_are_those_of_the_example(
    card: Card, documented: dict[str, Evidence], tmp_path: Path
) -> None:
    recorded = {path.name for path in card.results.parent.glob("*.svg")}
    out = documented.out / card.slug  # type: ignore[attr-defined]
    assert documented[card.slug]
    assert recorded == {path.name for path in out.glob("*.svg")}
    assert recorded


@CARDS
def test_the_documented_run_takes_its_time(card: Card) -> None:
    assert card.seconds is not None
    assert card.seconds < RUN_SECONDS.get(card.slug, 60)


@CARDS
def test_the_page_has_every_section_in_order(card: Card) -> None:
    page = (ROOT / "docs" / "patterns" / f"{card.slug}.md").read_text("utf-8")
    assert page.startswith(f"# {card.title}\n\n**{card.intent}**\n")
    assert re.findall(r"^## (.*)$", page, flags=re.MULTILINE) == SECTIONS


@CARDS
def test_the_page_types_no_measured_number(card: Card) -> None:
    """Numbers come from results.json: prose outside of code and snippets has no decimals."""
    page = (ROOT / "docs" / "patterns" / f"{card.slug}.md").read_text("utf-8")
    prose = re.sub(r"```.*?```|<svg.*?</svg>|`[^`]*`", "", page, flags=re.DOTALL)
    assert not re.findall(r"\d+\.\d+|\d+ ?%", prose)


@CARDS
def test_the_example_is_the_command(card: Card) -> None:
    script = [sys.executable, str(card.folder / "example.py"), "--help"]
    module = [sys.executable, "-m", f"patterns.{card.slug}.example", "--help"]
    by_name = command("run", card.slug, "--help").stdout
    config = asdict(runner.load_example(card.slug).Config())
    assert all(f"--{name.replace('_', '-')}" in by_name for name in config)
    for arguments in (script, module):
        done = subprocess.run(arguments, capture_output=True, text=True, check=False, cwd=ROOT)
        assert done.stdout == by_name
