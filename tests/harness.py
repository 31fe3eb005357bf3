"""What every pattern must do: one set of checks over all patterns of the catalogue."""

from __future__ import annotations

import ast
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import asdict, replace
from pathlib import Path
from typing import NamedTuple

import pytest

from patterns._kit.story import Story
from patterns import Card, catalogue
from patterns._kit import new, notebooks, runner
from patterns._kit.book import BOOK
from patterns._kit.cards import find
from patterns._kit.evidence import Evidence
from patterns._kit.report import evidence_text, metric_tables
from patterns._kit.workers import ONE_THREAD

ROOT = Path(__file__).parents[1]
SHARED_MACHINE = 2  # how many times longer a budget of seconds may take where others work too
TOLERANCE = 0.01  # of the recorded value: other processors round differently

SECTIONS = [
    "Run it",
    "The problem, seen once",
    "The story",
    "What you get",
    "How it works",
    "Evidence",
    "When not to use it",
    "Where it goes wrong",
    "In production",
    "Related",
    "Exercise",
    "References",
]

EVERY = catalogue(drafts=True)
CARDS = pytest.mark.parametrize("card", EVERY, ids=lambda card: card.slug)
# What needs the evidence of a pattern runs in one process, so that it is measured there once.
MEASURED = pytest.mark.parametrize(
    "card",
    [
        pytest.param(
            c, marks=[pytest.mark.xdist_group(f"measured-{c.slug}"), pytest.mark.timeout(1800)]
        )
        for c in EVERY
    ],
    ids=lambda card: card.slug,
)
EXPERIMENTS = pytest.mark.parametrize(
    ("card", "name"),
    [(card, name) for card in EVERY for name in runner.load_evidence(card.slug).EXPERIMENTS],
    ids=lambda value: value if isinstance(value, str) else value.slug,
)
# For the gates of the exercises, in other files.
EXERCISES = pytest.mark.parametrize(
    "slug",
    [
        pytest.param(
            c.slug, marks=pytest.mark.skipif(c.draft, reason="draft: the exercise is not finished")
        )
        for c in EVERY
    ],
)


def finished(card: Card) -> None:
    """Skip a test that a draft cannot pass yet."""
    if card.draft:
        pytest.skip(f"draft: {card.slug} has neither recorded results nor a page on the site")


@pytest.fixture(scope="session")
def documented(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> dict[str, Evidence]:
    """The evidence of each pattern that was asked for, measured once on the first seeds."""
    n_seeds = request.config.getoption("--seeds")
    return _Measured(tmp_path_factory.mktemp("documented"), n_seeds)


class _Measured(dict[str, Evidence]):
    """Measured by the command, in a process of its own: threads and types are set only once."""

    def __init__(self, out: Path, n_seeds: int) -> None:
        self.settings = ("--seeds", str(n_seeds), "--jobs", "1", "--json", "--out", str(out))

    def __missing__(self, slug: str) -> Evidence:
        done = command("measure", slug, *self.settings, timeout=1700)
        assert done.returncode in (0, 1), done.stderr
        self[slug] = Evidence.from_json(done.stdout)
        return self[slug]


def recorded(card: Card) -> Evidence:
    """The committed evidence."""
    finished(card)
    return Evidence.from_json(card.results.read_text("utf-8"))


def untimed(evidence: Evidence) -> dict[str, tuple[float, ...]]:
    """The metrics of all experiments that are the same on every run."""
    return {
        metric: values
        for found in evidence.experiments.values()
        for metric, values in found.metrics.items()
        if not evidence.measures[metric.split(".")[2]].timed
    }


def command(
    *arguments: str, cwd: Path = ROOT, timeout: int = 300
) -> subprocess.CompletedProcess[str]:
    """Run the command line as a user would."""
    return subprocess.run(
        [sys.executable, "-m", "patterns", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def copy_of_the_repository(folder: Path) -> Path:
    """The files that git keeps or would keep, and what the packages were resolved to."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in [*names.split("\0")[:-1], "uv.lock"]:
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def test_what_is_released_is_finished() -> None:
    drafts = [card.slug for card in EVERY if card.draft]
    if drafts and not os.environ.get("CI"):
        pytest.skip(f"draft: {', '.join(drafts)}; CI refuses drafts")
    assert not drafts


@CARDS
def test_the_folder_is_complete(card: Card) -> None:
    parts = ["__init__.py", "__init__.pyi", "pattern.py", "example.py", "evidence/__init__.py"]
    parts += ["exercise/checks.py", "exercise/info.toml", "exercise/variants.py"]
    if not card.draft:
        parts += ["results/results.json", "results/story.json", "results/story.svg"]
    missing = [part for part in parts if not (card.folder / part).exists()]
    missing += [
        str(path)
        for path in (f"docs/patterns/{card.slug}.md", f"tests/test_{card.slug}.py")
        if not (ROOT / path).exists()
    ]
    assert not missing


def packages(declared: list[str]) -> set[str]:
    """The names of the packages, and of the extras of this project, that are declared."""
    own = {name for line in declared for name in re.findall(r"^ml-design-patterns\[(.*)\]", line)}
    others = {re.split(r"[~=<>;\[]", line)[0] for line in declared}
    return {n for names in own for n in names.split(",")} | others - {"ml-design-patterns"}


@CARDS
def test_the_card_matches_the_book_and_the_project(card: Card) -> None:
    book = {entry.title: (entry.number, entry.chapter) for entry in BOOK}
    assert book[card.title] == (card.number, card.chapter)
    assert set(card.related) <= set(book) - {card.title}
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = declared["optional-dependencies"]
    needed = packages(declared["dependencies"]) | packages(extras[card.slug])
    assert set(card.packages) <= needed
    assert packages(extras[card.slug]) <= set(card.packages)


def test_numbers_are_unique() -> None:
    numbers = [card.number for card in EVERY]
    assert len(set(numbers)) == len(numbers)


@CARDS
def test_what_a_reader_takes_away_imports_third_party_packages_only(card: Card) -> None:
    for path in card.folder.glob("*.py"):
        if path.name in {"__init__.py", "__main__.py", "example.py"}:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Import | ast.ImportFrom):
                continue
            names = [alias.name for alias in node.names]
            origin = getattr(node, "module", None)
            if path.name != "pattern.py" and f"{origin}.".startswith(f"patterns.{card.slug}."):
                continue  # a component may build on the pattern that it belongs to
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
        f"from patterns.{card.slug} import *\n"
        "from patterns._kit.runner import load_evidence, load_experiment\n"
        f"[load_experiment({card.slug!r}, n) for n in load_evidence({card.slug!r}).EXPERIMENTS]\n"
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


# --- the story -----------------------------------------------------------------------------------
@CARDS
def test_the_story_is_one_page_that_reads_as_a_notebook(card: Card) -> None:
    source = (card.folder / "example.py").read_text("utf-8")
    assert len(source.splitlines()) <= 150
    assert source.startswith('# %% [markdown]\n"""# ')
    assert "**Problem.**" in source
    assert "**Idea.**" in source
    assert "**When not to.**" in source
    tree = ast.parse(source)
    assert not [node for node in tree.body if isinstance(node, ast.ClassDef | ast.If)]
    cells = json.loads(notebooks.story(card.slug))["cells"]
    code = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
    assert ast.dump(ast.parse(code)) == ast.dump(ast.Module(tree.body[1:], []))


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Told]:
    """What each story printed and found, and how long it took; each is run once."""
    return _Stories(tmp_path_factory.mktemp("stories"))


class Told(NamedTuple):
    printed: subprocess.CompletedProcess[str]
    seconds: float  # of processor time, imports included
    story: Story


class _Stories(dict[str, Told]):
    def __init__(self, cwd: Path) -> None:
        self.cwd = cwd

    def __missing__(self, slug: str) -> Told:
        script = [sys.executable, "-W", "error", str(find(slug).folder / "example.py")]
        printed, seconds = timed(script, self.cwd)
        story = Story.from_json((self.cwd / "runs" / slug / "story.json").read_text("utf-8"))
        self[slug] = Told(printed, seconds, story)
        return self[slug]


TOLD = pytest.mark.parametrize(
    "card",
    [pytest.param(c, marks=pytest.mark.xdist_group(f"told-{c.slug}")) for c in EVERY],
    ids=lambda card: card.slug,
)


def timed(script: list[str], cwd: Path) -> tuple[subprocess.CompletedProcess[str], float]:
    """Run a script; what it printed, and its seconds of processor time."""
    before = os.times()
    variables = {**os.environ, **ONE_THREAD}
    done = subprocess.run(
        script, cwd=cwd, capture_output=True, text=True, check=False, timeout=300, env=variables
    )
    after = os.times()
    user, system = after.children_user - before.children_user, after.children_system
    return done, user + system - before.children_system


@TOLD
def test_the_story_says_what_a_stranger_needs(card: Card, told: dict[str, Told]) -> None:
    printed, _, story = told[card.slug]
    assert (printed.returncode, printed.stderr) == (0, "")
    assert story.holds
    assert story.question.endswith("?")
    text = " ".join(printed.stdout.split())
    for row in story.rows:
        assert f"{row.role} {row.method}" in text
    for said in (card.intent, story.question, card.when_not, f"patterns measure {card.slug}"):
        assert said in text
    assert max(map(len, printed.stdout.splitlines())) <= 100


@TOLD
def test_the_story_keeps_its_budget(card: Card, told: dict[str, Told], tmp_path: Path) -> None:
    source = (card.folder / "example.py").read_text("utf-8")
    names = [
        node for node in ast.parse(source).body if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    _, importing = timed([sys.executable, "-c", ast.unparse(ast.Module(names, []))], tmp_path)
    assert told[card.slug].seconds - importing < card.seconds.story * SHARED_MACHINE


@TOLD
def test_the_recorded_story_is_the_one_that_is_told(card: Card, told: dict[str, Told]) -> None:
    finished(card)
    before, now = Story.from_json(card.story.read_text("utf-8")), told[card.slug].story
    assert replace(now, rows=before.rows) == before
    assert [(row.role, row.method) for row in before.rows] == [(r.role, r.method) for r in now.rows]
    for kept, fresh in zip(before.rows, now.rows, strict=True):
        assert now.timed or fresh.values == pytest.approx(kept.values, rel=TOLERANCE), kept.method


@CARDS
def test_the_story_needs_only_the_packages_of_its_card(card: Card, tmp_path: Path) -> None:
    environment = ["--isolated", "--offline", "--no-default-groups", "--extra", card.slug]
    done = subprocess.run(
        ["uv", "run", "--project", ROOT, *environment, "patterns", "run", card.slug],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@TOLD
def test_the_script_and_the_command_tell_the_same(
    card: Card, told: dict[str, Told], tmp_path: Path
) -> None:
    by_command = command("run", card.slug, cwd=tmp_path).stdout
    printed = told[card.slug].printed.stdout
    if told[card.slug].story.timed:  # the numbers differ, and with them the width of the columns
        by_command, printed = (re.sub(r"[\d., ]+", " ", text) for text in (by_command, printed))
    assert by_command.strip() == printed.strip()


# --- the evidence --------------------------------------------------------------------------------
def test_the_evidence_is_recorded_on_all_seeds_and_every_claim_holds() -> None:
    for card in catalogue():
        evidence = recorded(card)
        assert evidence.settings == "documented"
        assert evidence.seeds == runner.DOCUMENTED_SEEDS
        assert not {v.name: v.values for v in evidence.verdicts if not v.holds}
        assert evidence.seconds < card.seconds.measure


@CARDS
def test_claims_have_names_of_their_own_and_two_or_more_are_limits(card: Card) -> None:
    verdicts = recorded(card).verdicts
    assert sum(verdict.kind == "limit" for verdict in verdicts) >= 2
    assert len({verdict.name for verdict in verdicts}) == len(verdicts)


@EXPERIMENTS
def test_the_recorded_verdicts_are_those_of_todays_claims(card: Card, name: str) -> None:
    experiment, found = runner.load_experiment(card.slug, name), recorded(card).experiments[name]
    assert runner.judge(experiment, found.metrics) == found.verdicts
    assert (experiment.question, experiment.data) == (found.question, found.data)
    assert dict(experiment.roles) == found.roles
    assert found.question.endswith("?")
    methods = {metric.split(".")[1] for metric in found.metrics}
    assert set(found.roles) <= methods, "a role for a method that is not measured"
    assert found.roles


@EXPERIMENTS
def test_the_recorded_captions_over_seeds_are_those_of_the_code(card: Card, name: str) -> None:
    experiment, found = runner.load_experiment(card.slug, name), recorded(card).experiments[name]
    for figure, drawing in experiment.figures(found.metrics).items():
        assert found.figures[figure].alt == drawing.alt
        assert found.figures[figure].caption == f"{drawing.caption} (5 seeds.)"


@EXPERIMENTS
def test_each_benefit_is_judged_against_the_strongest_baseline(card: Card, name: str) -> None:
    experiment, evidence = runner.load_experiment(card.slug, name), recorded(card)
    found = evidence.experiments[name]
    for claim in experiment.claims:
        if claim.baseline is None:
            continue
        task, method, measure = claim.baseline.split(".")
        assert found.roles[method] == "baseline", claim.name
        better = evidence.measures[measure].better
        assert better is not None, f"{measure} does not say which way is better"
        sign = 1 if better == "lower" else -1
        rivals = {
            metric: sign * found.mean(metric)
            for metric in found.metrics
            if metric.split(".")[::2] == [task, measure]
            and found.roles.get(metric.split(".")[1]) == "baseline"
        }
        assert min(rivals, key=lambda metric: rivals[metric]) == claim.baseline, claim.name
        # The verdict depends on this baseline: were it twice as good, the value would change.
        first = {metric: values[0] for metric, values in found.metrics.items()}
        other = {
            metric: value / 2 if metric.startswith(f"{task}.{method}.") else value
            for metric, value in first.items()
        }
        assert claim.value(first) != claim.value(other), claim.name


@CARDS
def test_every_measure_is_explained(card: Card) -> None:
    evidence = recorded(card)
    used = {m.split(".")[2] for found in evidence.experiments.values() for m in found.metrics}
    assert used == set(evidence.measures) == set(runner.load_evidence(card.slug).GLOSSARY)


@MEASURED
def test_the_recorded_results_reproduce(card: Card, documented: dict[str, Evidence]) -> None:
    before, fresh = recorded(card), documented[card.slug]
    # As JSON, where a tuple is a list.
    assert json.loads(json.dumps(before.config)) == json.loads(json.dumps(fresh.config))
    assert before.measures == fresh.measures
    assert list(before.experiments) == list(fresh.experiments)
    for name, found in before.experiments.items():
        again = fresh.experiments[name]
        assert list(found.metrics) == list(again.metrics)
    kept = untimed(recorded(card))
    for metric, values in untimed(fresh).items():
        assert values == pytest.approx(kept[metric][: len(values)], rel=TOLERANCE, abs=1e-6), metric


@CARDS
@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_all_claims_and_tables_fit_the_terminal(card: Card, width: int) -> None:
    evidence = recorded(card)
    lines = evidence_text(evidence, card, width, tables=True).splitlines()
    assert max(map(len, lines)) <= width
    tables = [t for f in evidence.experiments.values() for t in metric_tables(f, evidence)]
    words = {re.sub(" +", " ", line.strip()) for line in lines}
    for row in (row for table in tables for row in table.rows):
        name = " ".join(cell for cell in row[:2] if cell)
        assert any(line.startswith(name) for line in words), f"{name} gave way"


@MEASURED
def test_the_recorded_figures_are_those_that_are_drawn(
    card: Card, documented: dict[str, Evidence]
) -> None:
    finished(card)
    fresh = documented[card.slug].experiments.values()
    drawn = {f"{figure}.svg" for found in fresh for figure in found.figures}
    kept = {path.name for path in card.results.parent.glob("*.svg")}
    assert kept == {*drawn, "story.svg"}
    assert drawn
    for found in recorded(card).experiments.values():
        assert all(words.caption and words.alt for words in found.figures.values())


@CARDS
def test_fast_keeps_its_budget_and_work_side_by_side_equals_work_in_turn(
    card: Card, tmp_path: Path
) -> None:
    measure = [sys.executable, "-m", "patterns", "measure", card.slug, "--fast", "--json"]
    once, seconds = timed([*measure, "--jobs", "1"], tmp_path)
    assert once.returncode == 0, once.stderr
    assert seconds < card.seconds.fast * SHARED_MACHINE
    assert re.fullmatch(rf"({card.slug}, 1 seed: \d+ of \d+ done\n)+", once.stderr)

    several, _ = timed([*measure, "--seeds", "2", "--jobs", "2"], tmp_path)
    one, two = (untimed(Evidence.from_json(done.stdout)) for done in (once, several))
    assert {metric: values[0] for metric, values in two.items()} == {
        metric: values[0] for metric, values in one.items()
    }
    assert any(values[0] != values[1] for values in two.values()), "the seed has no effect"


@CARDS
def test_the_settings_are_flags(card: Card) -> None:
    printed = command("measure", card.slug, "--help").stdout
    config = asdict(runner.load_evidence(card.slug).Config())
    assert all(f"--{name.replace('_', '-')}" in printed for name in config)


# --- the page ------------------------------------------------------------------------------------
@CARDS
def test_the_page_is_in_the_navigation(card: Card) -> None:
    finished(card)
    assert f"patterns/{card.slug}.md" in (ROOT / "mkdocs.yml").read_text("utf-8")


@CARDS
def test_nothing_is_left_of_what_a_new_pattern_begins_with(card: Card) -> None:
    finished(card)
    begun = "\n".join(path.read_text("utf-8") for path in new.SKELETON.rglob("*.*"))
    instructions = set(re.findall(r"\bSay [^.]*\.|<!-- .* -->", begun))
    page = ROOT / "docs" / "patterns" / f"{card.slug}.md"
    sources = [path for path in card.folder.rglob("*") if path.suffix in {".py", ".toml"}]
    written = "\n".join(path.read_text("utf-8") for path in [page, *sources])
    assert not [line for line in instructions if line in written]
    assert instructions


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
def test_the_page_shows_the_story_and_every_experiment(card: Card) -> None:
    page = (ROOT / "docs" / "patterns" / f"{card.slug}.md").read_text("utf-8")
    included = re.findall(rf'"build/snippets/{card.slug}/(story|evidence-\w+|more-\w+)\.md"', page)
    names = [name.removeprefix("evidence-").removeprefix("more-") for name in included]
    assert sorted(names) == sorted(["story", *runner.load_evidence(card.slug).EXPERIMENTS])
