"""Turn results into the snippets and figures that pages include, and build the site.

Pages hold prose only. ``build`` writes, for each pattern, ``build/snippets/<slug>/*.md`` (story,
tables, facts, mistakes) and ``docs/figures/<slug>/*.svg``, both git-ignored, and runs MkDocs.
"""

from __future__ import annotations

import ast
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from textwrap import indent

from patterns._kit.story import Story
from patterns._kit import pages
from patterns._kit.book import book_markdown
from patterns._kit.cards import ROOT, Card, catalogue, find
from patterns._kit.charts import chart_snippets
from patterns._kit.evidence import Evidence, Findings, Words
from patterns._kit.exercise import Exercise
from patterns._kit.figures import BASELINE, BEST, PATTERN, STYLE
from patterns._kit.listings import listings
from patterns._kit.report import REAL_DATA, claim_table, metric_tables
from patterns._kit.tables import Table, html, three_digits
from patterns._kit.workers import cores, each

SNIPPETS = ROOT / "build" / "snippets"
OVERVIEW = ROOT / "docs" / "overview.svg"
FIGURES = ROOT / "docs" / "figures"


def build() -> int:
    """Write the snippets and build the site into ``site/``; the exit code of MkDocs."""
    write_snippets()
    # Without -q or -v: both would hide broken references from --strict.
    return _mkdocs("build", "--strict")


def serve(port: int) -> int:
    """Write the snippets and show the site at a local address until interrupted.

    Raises
    ------
    OSError
        When the port is taken or out of range.
    """
    address = f"127.0.0.1:{port}"
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            raise OSError(f"{address} cannot be used; give another --port ({error})") from None
    write_snippets(drafts=True)
    try:
        return _mkdocs("serve", "--dev-addr", address)
    except KeyboardInterrupt:  # the way to stop it
        return 0


def write_snippets(drafts: bool = False) -> None:
    """Write everything that pages include from the committed results; those of drafts if asked.

    Raises
    ------
    FileNotFoundError
        When a pattern has no recorded results.
    """
    for folder in (SNIPPETS, FIGURES):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    needs = []
    for card in catalogue(drafts):
        for path, command in (
            (card.results, f"measure {card.slug} --record"),
            (card.story, f"run {card.slug} --record"),
            (card.mistakes, "docs grade"),
        ):
            if not path.exists():
                raise FileNotFoundError(f"{path} is missing; make it with: patterns {command}")
        story = Story.from_json(card.story.read_text("utf-8"))
        evidence = Evidence.from_json(card.results.read_text("utf-8"))
        _write_pattern(card, story, evidence)
        needs.append(need_markdown(card, story))
    (SNIPPETS / "needs.md").write_text("\n".join(needs), "utf-8")
    api = "\n".join(api_markdown(card) for card in catalogue())
    (SNIPPETS / "api.md").write_text(api, "utf-8")
    pages.write(SNIPPETS)
    book = book_markdown({card.title: f"patterns/{card.slug}.md" for card in catalogue()})
    (SNIPPETS / "book.md").write_text(book, "utf-8")


def need_markdown(card: Card, story: Story) -> str:
    """What brings a reader to a pattern, what they get there, and when they need something else."""
    baseline = next(row.method for row in story.rows if row.role == "baseline")
    best = [story.ratio(row) for row in story.rows if row.role == "best possible"]
    gain = f"{story.table.header[2]} {story.measured:.2f} times that of the strongest baseline"
    gain += f" ({baseline})" + (f"; the best possible is {best[0]:.2f}" if best else "")
    return (
        f"### “{card.symptom.removesuffix('.')}”\n\n"
        f"**[{card.title}](patterns/{card.slug}.md).** {card.intent}\n\n"
        f"- Measured: {gain}.\n- Not needed: {card.when_not}\n"
        f"- Often mistaken for it: {card.mistaken}\n"
    )


def api_markdown(card: Card) -> str:
    """The public names of a pattern, for mkdocstrings to document."""
    package = ast.parse((card.folder / "__init__.pyi").read_text("utf-8"))
    imports = [node for node in package.body if isinstance(node, ast.ImportFrom)]
    names = [
        f"patterns.{card.slug}.{node.module}.{alias.name}"
        for node in sorted(imports, key=lambda node: node.module != "pattern")
        for alias in node.names
    ]
    return f"## {card.title}\n\n" + "".join(f"::: {name}\n\n" for name in names)


def readme_row(card: Card, story: Story) -> str:
    """The same in one line, for the README."""
    score = f"{story.table.header[2]} {story.measured:.2f}"
    return f"| {card.symptom} | [{card.title}](docs/patterns/{card.slug}.md) | {score} |\n"


def record_overview() -> Path:
    """Draw the figure of the first page and of the README from the recorded stories."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    stories = {
        card.title: Story.from_json(card.story.read_text("utf-8"))
        for card in catalogue()
        if card.story.exists()
    }
    with plt.style.context(STYLE):
        figure, axes = plt.subplots(figsize=(7.2, 0.9 + 0.42 * len(stories)))
        axes.axvline(1, color=BASELINE, linewidth=2)
        axes.set_title("| strongest baseline", color=BASELINE, fontsize="medium", loc="right")
        for y, story in enumerate(stories.values()):
            pattern, best = _less_is_better(story)
            axes.plot([1, pattern], [y, y], color=PATTERN, linewidth=3)
            axes.plot(pattern, y, "o", color=PATTERN, markersize=8)
            label, side = f"{pattern:.2f}", "right" if pattern > 0.5 else "left"
            axes.annotate(label, (pattern, y), (0, 7), textcoords="offset points", ha=side)
            if best is not None:
                axes.plot(best, y, "|", color=BEST, markersize=14)
        axes.set_yticks(range(len(stories)), list(stories))
        axes.set(xlim=(0, None), ylim=(len(stories) - 0.5, -0.6))
        axes.set_xlabel("error or cost, relative to that of the strongest baseline")
        figure.savefig(OVERVIEW, metadata={"Date": None, "Description": overview_text(stories)})
        plt.close(figure)
    return OVERVIEW


def overview_text(stories: Mapping[str, Story]) -> str:
    """What the overview shows, in words; the file keeps it."""
    shown = {title: _less_is_better(story) for title, story in stories.items()}
    return "; ".join(
        f"{title} {pattern:.3f}" + ("" if best is None else f", best possible {best:.3f}")
        for title, (pattern, best) in shown.items()
    )


def _less_is_better(story: Story) -> tuple[float, float | None]:
    """The pattern, and the best possible, to the baseline; turned over where more is better."""
    power = 1 if next(iter(story.scores.values())) == "lower" else -1
    best = [story.ratio(row) ** power for row in story.rows if row.role == "best possible"]
    return story.measured**power, best[0] if best else None


def _write_pattern(card: Card, story: Story, evidence: Evidence) -> None:
    page = (ROOT / "docs" / "patterns" / f"{card.slug}.md").read_text("utf-8")
    snippets = {"story": story_markdown(card, story), "mistakes": card.mistakes.read_text("utf-8")}
    for name, found in evidence.experiments.items():
        figures = {k: figure_markdown(card, k, w) for k, w in found.figures.items()}
        snippets |= {f"figure-{figure}": text for figure, text in figures.items()}
        drawn = [figures[k] for k in figures if f"figure-{k}.md" not in page]  # once on a page
        text = evidence_markdown(card, name, found, metric_tables(found, evidence), drawn)
        snippets[f"evidence-{name}"] = f"### {found.question}\n\n{text}"
        snippets[f"more-{name}"] = f'??? abstract "{found.question}"\n\n{indent(text, "    ")}'
    snippets |= {f"code-{name}": text for name, text in listings(card).items()}
    held = f"{sum(v.holds for v in evidence.verdicts)} of {len(evidence.verdicts)} claims hold"
    claims = indent(html(claim_table(evidence.verdicts)), "    ")
    snippets["claims"] = (
        f'??? success "{held} on each of {len(evidence.seeds)} seeds"\n\n{claims}\n'
    )
    snippets["glossary"] = "".join(
        f"**{name.replace('_', ' ')}**\n:   {measure.meaning}\n\n"
        for name, measure in evidence.measures.items()
    )
    # A claim's sentence with what was measured, for the facts at the top of a page.
    for verdict in evidence.verdicts:
        worst = three_digits(verdict.values[verdict.tightest])
        mean = three_digits(sum(verdict.values) / len(verdict.values))
        fact = f"{verdict.sentence} Measured: {mean} on average over {len(verdict.values)} seeds, "
        snippets[f"claim-{verdict.name}"] = f"{fact}{worst} on the seed nearest to the bound.\n"
    snippets["run"] = (
        f"Documented evidence: {evidence.seconds:.0f} seconds with two processes, seeds "
        f"{', '.join(map(str, evidence.seeds))}, "
        + ", ".join(f"{name} {version}" for name, version in evidence.versions.items())
        + ".\n"
    )
    snippets["exercise"] = exercise_markdown(card.slug)
    snippets |= chart_snippets(card.slug, evidence)
    folder = SNIPPETS / card.slug
    folder.mkdir()
    for name, text in snippets.items():
        (folder / f"{name}.md").write_text(text, "utf-8")
    shutil.copytree(
        card.results.parent, FIGURES / card.slug, ignore=shutil.ignore_patterns("*.json", "*.md")
    )


def story_markdown(card: Card, story: Story) -> str:
    """The story as it reads in a notebook: prose, code, what it prints, and its figure."""
    import jupytext

    parts = []
    for cell in jupytext.read(card.folder / "example.py").cells:
        text = cell.source.removeprefix("# ")  # the page has a title of its own
        parts.append(f"```python\n{cell.source}\n```" if cell.cell_type == "code" else text)
    parts.append(f"It prints:\n\n```text\n{story.text(Path('runs') / card.slug, 88)}\n```")
    parts.append(figure_markdown(card, "story", Words(story.caption, story.caption)))
    parts.append(pages.notebook_note(card))
    return "\n\n".join(parts) + "\n"


def evidence_markdown(
    card: Card, name: str, found: Findings, tables: list[Table], figures: list[str]
) -> str:
    """One experiment: its tables, of which the first is open, its figures, and its code."""
    path = card.folder / "evidence" / f"{name}.py"
    first, *others = [html(table) for table in tables]
    parts = [first, *figures]
    if others:
        titles = ", ".join(task.replace("_", " ") for task in found.tasks[1:])
        parts.append(f'??? abstract "More: {titles}"\n\n' + indent("\n\n".join(others), "    "))
    parts += [REAL_DATA] * (found.data == "real")
    code = f"```python\n{path.read_text('utf-8')}```"
    parts.append(f'??? quote "Measured by `{path.relative_to(ROOT)}`"\n\n{indent(code, "    ")}')
    return "\n\n".join(parts) + "\n"


def figure_markdown(card: Card, name: str, words: Words) -> str:
    """A figure with its caption; it opens by itself, as large as the window."""
    path = f"../figures/{card.slug}/{name}.svg"
    caption = f"<figcaption>{escape(words.caption)}</figcaption>"
    return f'<figure markdown="span">\n  [![{words.alt}]({path})]({path})\n  {caption}\n</figure>\n'


def exercise_markdown(slug: str) -> str:
    """The tasks of the exercise, and how well its questions know a wrong answer."""
    exercise = Exercise.load(slug)
    tasks = "".join(f"{number}. {p.title}\n" for number, p in enumerate(exercise.parts, start=1))
    return (
        f"`uv run patterns learn {slug}` grades what you write:\n\n{tasks}\nThe questions refuse "
        f"{pages.refused(slug)} small changes of the right code that make it "
        "wrong. See [Exercises](../learn.md).\n"
    )


def grade() -> Iterator[Path]:
    """Judge the known mistakes of all exercises, keep what the checks print, yield the files."""
    slugs = [card.slug for card in catalogue(drafts=True)]
    for i, text in each(mistakes_markdown, [(slug,) for slug in slugs], cores()):
        path = find(slugs[i]).mistakes
        path.write_text(text, "utf-8", newline="\n")
        yield path


def mistakes_markdown(slug: str) -> str:
    """Where it goes wrong: by task, each named mistake, its code, and what its first check prints.

    Each unfolds, because an exercise knows twenty mistakes and a reader looks for one.
    """
    exercise = Exercise.load(slug)
    blocks: dict[str, list[str]] = {part.name: [f"### {part.title}\n"] for part in exercise.parts}
    for mistake, module in exercise.suspects.items():
        printed = next(v.text for v in exercise.judge(module) if v.status == "failed")
        code = "\n\n".join(body.strip("\n") for body in mistake.code.values())
        body = (
            f"{mistake.why}\n\n```python\n{code}\n```\n\n"
            f"What the check prints:\n\n```text\n{printed}\n```\n"
        )
        title = mistake.title.replace('"', "'")
        blocks[mistake.part].append(f'??? bug "{title}"\n\n{indent(body, "    ")}')
    return "\n".join(text for block in blocks.values() for text in block)


def _mkdocs(*arguments: str) -> int:
    command = [sys.executable, "-m", "mkdocs", *arguments]
    quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}  # of Material's end of life, in 2027
    # `serve` shows the pages of drafts and marks them, `build` leaves them out.
    drafts = [f"/patterns/{card.slug}.md" for card in catalogue(drafts=True) if card.draft]
    variables = {**quiet, "DRAFTS": "\n".join(drafts)}
    return subprocess.run(command, cwd=ROOT, env=variables, check=False).returncode
