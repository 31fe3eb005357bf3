"""Turn results into the snippets and figures that pages include, and build the site.

Pages hold prose only. ``build`` writes, for each pattern, ``build/snippets/<slug>/*.md`` (tables,
facts, mistakes) and ``docs/figures/<slug>/*.svg``, both git-ignored, and runs MkDocs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from textwrap import indent

from patterns._kit.cards import PATTERNS, Card, catalogue
from patterns._kit.evidence import Evidence
from patterns._kit.exercise import Exercise
from patterns._kit.report import Table, claim_table, markdown, metric_tables, three_digits

ROOT = PATTERNS.parent
SNIPPETS = ROOT / "build" / "snippets"
FIGURES = ROOT / "docs" / "figures"


def build() -> int:
    """Write the snippets and build the site into ``site/``; the exit code of MkDocs."""
    write_snippets()
    # Without -q or -v: both would hide broken references from --strict.
    return _mkdocs("build", "--strict")


def serve() -> int:
    """Write the snippets and show the site at a local address until interrupted."""
    write_snippets()
    return _mkdocs("serve", "--dev-addr", "127.0.0.1:8000")


def write_snippets() -> None:
    """Write everything that pages include from the committed results.

    Raises
    ------
    FileNotFoundError
        When a pattern has no recorded results.
    """
    for folder in (SNIPPETS, FIGURES):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    rows = []
    for card in catalogue():
        _write_pattern(card)
        link = f"[{card.title}](patterns/{card.slug}.md)"
        rows.append((str(card.number), link, card.intent, f"{card.seconds:.0f}"))
    table = Table("catalogue", ("#", "pattern", "intent", "seconds"), tuple(rows))
    (SNIPPETS / "catalogue.md").write_text(markdown(table), "utf-8")


def _write_pattern(card: Card) -> None:
    if not card.results.exists():
        raise FileNotFoundError(
            f"{card.results} is missing; make it with: patterns run {card.slug} --record"
        )
    evidence = Evidence.from_json(card.results.read_text("utf-8"))
    folder = SNIPPETS / card.slug
    folder.mkdir()
    for table in metric_tables(evidence):
        name = table.title.replace(" ", "_")
        (folder / f"{name}.md").write_text(markdown(table), "utf-8")
    (folder / "claims.md").write_text(markdown(claim_table(evidence.verdicts)), "utf-8")
    glossary = "".join(
        f"**{name.replace('_', ' ')}**\n:   {meaning}\n\n"
        for name, meaning in evidence.glossary.items()
    )
    (folder / "mistakes.md").write_text(mistakes_markdown(card.slug), "utf-8")
    (folder / "glossary.md").write_text(glossary, "utf-8")
    # A claim's sentence with what was measured, for the facts at the top of a page.
    for verdict in evidence.verdicts:
        worst = three_digits(verdict.values[verdict.tightest])
        mean = three_digits(sum(verdict.values) / len(verdict.values))
        fact = f"{verdict.sentence} Measured: {mean} on average over {len(verdict.values)} seeds, "
        fact += f"{worst} on the seed nearest to the bound.\n"
        (folder / f"claim-{verdict.name}.md").write_text(fact, "utf-8")
    run = (
        f"Documented run: {evidence.seconds:.0f} seconds with two processes, seeds "
        f"{', '.join(map(str, evidence.seeds))}, "
        + ", ".join(f"{name} {version}" for name, version in evidence.versions.items())
        + ".\n"
    )
    (folder / "run.md").write_text(run, "utf-8")
    shutil.copytree(
        card.results.parent, FIGURES / card.slug, ignore=shutil.ignore_patterns("*.json")
    )


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
    if not (ROOT / "mkdocs.yml").exists():
        sys.exit("patterns: the docs are built from a clone of the repository")
    command = [sys.executable, "-m", "mkdocs", *arguments]
    quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}  # of Material's end of life, in 2027
    return subprocess.run(command, cwd=ROOT, env=quiet, check=False).returncode
