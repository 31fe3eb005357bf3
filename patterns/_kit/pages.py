"""Pages that are made of what the repository holds: data, exercises, benchmarks, notebooks."""

from __future__ import annotations

import ast
import inspect
import json
import re
import textwrap
import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

from patterns._kit.story import Story
from patterns._kit import notebooks
from patterns._kit.cards import ROOT, Card, catalogue, find
from patterns._kit.exercise import Exercise, exercise_path
from patterns._kit.learn import task_lines
from patterns._kit.tables import Table, html, three_digits, wrapped

SOURCES = ROOT / "datasets" / "SOURCES.md"
BENCHMARKS = ROOT / "tests" / "benchmarks"
NOTEBOOKS = ROOT / "docs" / "notebooks"
FIRST, MISTAKE = "neutral_class", "The first expert decides"  # of the page of exercises


def write(snippets: Path) -> None:
    """Write what the pages of data, exercises, benchmarks and glossary include, and notebooks."""
    texts = {
        "datasets": datasets_markdown(),
        "datasets-table": datasets_table(),
        "exercises": exercises_table(),
        "first-task": first_task_markdown(),
        "verdict": verdict_markdown(),
        "benchmarks": benchmarks_markdown(),
        "measures": measures_markdown(),
    }
    for name, text in texts.items():
        (snippets / f"{name}.md").write_text(text, "utf-8")
    NOTEBOOKS.mkdir(exist_ok=True)
    for card in catalogue():
        (NOTEBOOKS / f"{card.slug}.ipynb").write_text(executed(card), "utf-8")


# --- data ----------------------------------------------------------------------------------------
def loaders() -> dict[str, Callable[..., Any]]:
    """What loads or makes a data set, by name."""
    import datasets

    names = (name for name in dir(datasets) if name.startswith(("load_", "make_")))
    return {name: getattr(datasets, name) for name in names}


def sections() -> dict[str, tuple[str, list[str]]]:
    """The sections of SOURCES.md: for each title, its text and the loaders that it names."""
    _, *parts = re.split(r"^## ", SOURCES.read_text("utf-8"), flags=re.MULTILINE)
    named = {}
    for part in parts:
        title, _, text = part.partition("\n")
        first, _, rest = text.strip().partition("\n\n")
        named[title] = rest, re.findall(r"`((?:load|make)_\w+)`", first)
    return named


def datasets_table() -> str:
    """One row per loader: what it gives and which patterns use it."""
    rows = []
    for name in [name for _, names in sections().values() for name in names]:
        data = _loaded(name)
        n_rows = f"{len(data.frame):,}" if name.startswith("load") else "any"
        target = ", ".join(f"`{target}`" for target in data.target_names)
        call = f"[`{name}`](#{name})"
        rows.append((call, n_rows, str(len(data.feature_names)), target, _used_by(name)))
    return _pipes(("data set", "rows", "features", "target", "used by"), rows, ">><<")


def datasets_markdown() -> str:
    """A card per data set: how to load it, how its rows come about, its columns and its flaws."""
    parts = []
    for title, (text, names) in sections().items():
        origin = f"### Where it comes from {{#{names[0]}-origin}}\n"
        parts += [f"## {title}\n", *map(_card, names), origin, text]
    return "\n".join(parts)


def _card(name: str) -> str:
    function, data = loaders()[name], _loaded(name)
    doc = re.sub("``|:func:`", "`", inspect.getdoc(function) or "")
    told, _, example = doc.partition("\nExamples\n--------\n")
    paragraphs = re.split(r"\nParameters\n-+\n", told)[0].strip().split("\n\n")
    summary, *more = (p for p in paragraphs if not p.startswith("Columns: "))
    parts = [f"### `{name}` {{#{name}}}\n", f"{summary}\n"]
    if used := _used_by(name):
        parts.append(f"Used by {used}.\n")
    parts += [f"```pycon\n{example.strip()}\n```\n", *(f"{text}\n" for text in more)]
    if truth := _truth(type(data)):
        parts += ["**The truth is known.** Beside the table, the data set offers:\n", truth]
    parts.append(_columns(name, data))
    if "\nParameters\n" in told:
        shown = f"::: datasets.{name}\n    options:\n      show_root_heading: false\n"
        shown += "      show_docstring_description: false\n      show_docstring_examples: false\n"
        parts.append(f'??? note "Parameters"\n\n{textwrap.indent(shown, "    ")}')
    return "\n".join(parts)


def _truth(kind: type) -> str:
    """What a kind of data set has beside the table, with the first line of each docstring."""
    lines = []
    for name, value in vars(kind).items() if kind.__name__ != "Dataset" else ():
        function = value.fget if isinstance(value, property) else value
        if name.startswith("_") or not inspect.isfunction(function):
            continue
        names = ", ".join(list(inspect.signature(function).parameters)[1:])
        call = name if isinstance(value, property) else f"{name}({names})"
        said = (inspect.getdoc(function) or "").partition("\n\n")[0].replace("\n", " ")
        lines.append(f"- `{call}`: {said}\n")
    return "".join(lines)


def _columns(name: str, data: Any) -> str:
    from datasets._schema_definitions import SCHEMAS

    schema = SCHEMAS[name.partition("_")[2]]
    rows = []
    for column, rule in schema.columns.items():
        of = [c for c in data.frame if re.fullmatch(column, c)] if rule.regex else [column]
        roles = {"feature": data.feature_names, "target": data.target_names}
        role = next((role for role, names in roles.items() if of[0] in names), "other")
        kind = str(rule.dtype).partition("[pyarrow")[0].replace("string", "str")
        values = "; ".join([_values(check) for check in rule.checks])
        values += "; may be missing" * rule.nullable + "; unique" * rule.unique
        shown = f"`{of[0]}`" + (f" to `{of[-1]}`" if len(of) > 1 else "")
        rows.append((shown, role, kind, values.removeprefix("; "), rule.description))
    table = _pipes(("column", "role", "type", "values", "what it is"), rows, "<<<<")
    names = ", ".join(f"`{column}`" for column in schema.unique or ())
    return f"{table}\nThe columns {names} together identify a row.\n" if names else table


def _values(check: Any) -> str:
    """What a check of pandera allows, in words."""
    given = check.statistics
    if check.name == "isin":
        return ", ".join(map(str, given["allowed_values"]))
    if check.name == "in_range" and isinstance(given["min_value"], int | float):
        return f"{given['min_value']} to {given['max_value']}"
    if check.name == "str_length":
        least, most = given["min_value"], given["max_value"]
        if most is None:
            return "not empty"
        return f"{least} characters" if least == most else f"{least} to {most} characters"
    signs = {"greater_than": ("more than", "min_value"), "equal_to": ("", "value")}
    signs["greater_than_or_equal_to"] = ("at least", "min_value")
    if check.name in signs:
        word, key = signs[check.name]
        return f"{word} {given[key]}".strip()
    return str(check.error)


@cache
def _loaded(name: str) -> Any:
    return loaders()[name]() if name.startswith("load_") else loaders()[name](10, random_state=0)


def _used_by(name: str) -> str:
    """Links to the patterns that import a loader."""
    cards = (card for card in catalogue() if name in _imports(card))
    return ", ".join(f"[{card.title}](patterns/{card.slug}.md)" for card in cards)


@cache
def _imports(card: Card) -> set[str]:
    names: set[str] = set()
    for path in card.folder.rglob("*.py"):
        if "from datasets import" in (source := path.read_text("utf-8")):
            nodes = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.ImportFrom)]
            names |= {a.name for n in nodes if n.module == "datasets" for a in n.names}
    return names


def _pipes(header: Sequence[str], rows: Sequence[Sequence[str]], sides: str) -> str:
    """A table in Markdown, whose cells may hold links; ">" sets a column to the right."""
    rule = ["---", *("--:" if side == ">" else "---" for side in sides)]
    lines = "".join(f"| {' | '.join(row)} |\n" for row in (header, rule, *rows))
    words_last = sides.endswith("<")
    return f'<div class="roomy" markdown="1">\n\n{lines}\n</div>\n' if words_last else lines


# --- exercises -----------------------------------------------------------------------------------
def exercises_table() -> str:
    """One row per exercise: its tasks, the mistakes it knows, and the changes that it refuses."""
    rows = []
    for card in catalogue():
        n_tasks = str(len(Exercise.load(card.slug).parts))
        n_mistakes = str(card.mistakes.read_text("utf-8").count("\n??? "))
        link = f"[{card.title}](patterns/{card.slug}.md#exercise)"
        rows.append((link, n_tasks, n_mistakes, refused(card.slug)))
    return _pipes(
        ("exercise", "tasks", "mistakes known by name", "wrong changes refused"), rows, ">>>"
    )


def refused(slug: str) -> str:
    """How many wrong changes of the right code the questions of an exercise refuse: n of all."""
    path = exercise_path(slug).with_name("mutants.toml")
    found = tomllib.loads(path.read_text("utf-8"))
    return f"{found['refused']} of {found['mutants']}"


def first_task_markdown() -> str:
    """What `patterns learn` shows of an exercise before anything is written."""
    exercise = Exercise.load(FIRST)
    part = exercise.parts[0]
    said = (f"Task {part.name}: {part.title}", part.why, part.task)
    lines = "\n\n".join([task_lines(exercise, []), *(wrapped(text, 88) for text in said)])
    return f"```text\n{lines}\n```\n"


def verdict_markdown() -> str:
    """A known mistake as it is recorded: what was written, and what the check prints."""
    text = find(FIRST).mistakes.read_text("utf-8")
    _, _, block = text.partition(f'??? bug "{MISTAKE}"\n')
    code, printed = re.findall(r"^    ```.*?^    ```\n", block, re.DOTALL | re.MULTILINE)[:2]
    return f"{textwrap.dedent(code)}\nThe check prints:\n\n{textwrap.dedent(printed)}"


# --- benchmarks ----------------------------------------------------------------------------------
def benchmarks_markdown() -> str:
    """What each recorded benchmark measured, and on which machine."""
    parts = []
    for path in sorted(BENCHMARKS.glob("*.py")):
        if path.stem == "timing":
            continue
        doc = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
        card = next(card for card in catalogue() if card.slug == path.stem)
        parts += [f"## {card.title}\n", f"{doc.partition(chr(10))[0]}\n"]
        kept = BENCHMARKS / "results" / f"{path.stem}.json"
        if not kept.exists():
            (run,) = re.findall(r"``(uv run .*?)``", doc)
            parts.append(f"Not recorded here. Run `{run}`.\n")
            continue
        run = json.loads(kept.read_text("utf-8"))
        for comparison in run["comparisons"]:
            parts.append(f"{html(comparison_table(comparison))}\n")
        machine, versions = run["machine"], run["versions"]
        parts.append(
            f"`{run['command']}`, recorded on {run['date']}: {machine['processor']}, "
            f"{machine['cores']} cores, {machine['gigabytes']:g} GB, {machine['system']}; "
            f"shared, with a load average of {machine['load']:g} at the start. "
            + ", ".join(f"{name} {version}" for name, version in versions.items())
            + f". Page of the pattern: [{card.title}](patterns/{card.slug}.md).\n"
        )
    return "\n".join(parts)


def comparison_table(comparison: Mapping[str, Any]) -> Table:
    """One table of a benchmark: the median over rounds, and in brackets the least and greatest."""
    rows = tuple((name, *map(_rounds, cells)) for name, cells in comparison["rows"].items())
    return Table(comparison["title"], ("", *comparison["columns"]), rows, n_names=1)


def _rounds(values: Sequence[float]) -> str:
    if not values:
        return ""
    middle, *ends = (
        f"{value:,.0f}" if isinstance(value, int) or abs(value) >= 100 else three_digits(value)
        for value in (median(values), min(values), max(values))
    )
    return f"{middle} ({ends[0]} to {ends[1]})" if len(values) > 1 else middle


# --- glossary ------------------------------------------------------------------------------------
def measures_markdown() -> str:
    """The measures of all patterns, each pattern's in a block that unfolds."""
    return "\n".join(
        f'??? note "{card.title}"\n\n    --8<-- "build/snippets/{card.slug}/glossary.md"\n'
        for card in catalogue()
    )


# --- notebooks -----------------------------------------------------------------------------------
def notebook_note(card: Card) -> str:
    """Below a story, which reads as the executed notebook does: where the notebook is."""
    return (
        "This is the executed notebook of the story: its text, its code, what it printed and its "
        f"figure. [Download the notebook](../notebooks/{card.slug}.ipynb) with its outputs, or "
        f"write it anew with `uv run patterns notebook {card.slug}`."
    )


def executed(card: Card) -> str:
    """The story's notebook with the outputs that were recorded."""
    notebook = json.loads(notebooks.story(card.slug))
    story = Story.from_json(card.story.read_text("utf-8"))
    figure = card.story.with_suffix(".svg").read_text("utf-8")
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for number, cell in enumerate(code, start=1):
        cell["execution_count"] = number
    printed = story.text(Path("runs") / card.slug, 100) + "\n"
    code[-1]["outputs"] = [
        {"output_type": "stream", "name": "stdout", "text": printed.splitlines(keepends=True)},
        {
            "output_type": "display_data",
            "data": {
                "image/svg+xml": figure.splitlines(keepends=True),
                "text/plain": [story.caption],
            },
            "metadata": {},
        },
    ]
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
