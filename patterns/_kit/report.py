"""Stories and evidence made readable: for the terminal, for HTML pages and for the docs."""

from __future__ import annotations

import base64
import textwrap
from collections.abc import Sequence
from html import escape
from pathlib import Path

from patterns._kit.story import Story
from patterns._kit.cards import Card
from patterns._kit.evidence import Evidence, Findings, Verdict
from patterns._kit.tables import (
    Table,
    decimals,
    html,
    labeled,
    table_text,
    three_digits,
    wrapped,
)

REAL_DATA = (
    "Real data: all seeds draw rows of the same table, so they repeat one test. "
    "Where the table has test periods, each has a column of its own and is evidence of its own."
)


def metric_tables(found: Findings, evidence: Evidence) -> list[Table]:
    """One table per task, one row per method, one column per metric: mean ± deviation."""
    tables, n = [], len(evidence.seeds)
    how = f"mean ± deviation over {n} seeds" if n > 1 else f"seed {evidence.seeds[0]}"
    names = [tuple(name.split(".")) for name in found.metrics]
    for task in found.tasks:
        methods = dict.fromkeys(method for t, method, _ in names if t == task)
        columns = dict.fromkeys(metric for t, _, metric in names if t == task)
        cells = [
            _column(found, [f"{task}.{method}.{metric}" for method in methods])
            for metric in columns
        ]
        rows = tuple(
            (
                found.roles.get(method, ""),
                method.replace("_", " "),
                *(column[i] for column in cells),
            )
            for i, method in enumerate(methods)
        )
        heads = (metric.replace("_", " ") + evidence.measures[metric].arrow for metric in columns)
        tables.append(Table(f"{task.replace('_', ' ')}: {how}", ("", "", *heads), rows))
    return tables


def claim_table(verdicts: Sequence[Verdict]) -> Table:
    """The claims, whether they hold on every seed, and the seed that comes nearest to failing."""
    rows = tuple(
        (
            "holds" if verdict.holds else "FAILS",
            verdict.kind,
            verdict.sentence,
            bound(verdict),
            three_digits(sum(verdict.values) / len(verdict.values)),
            three_digits(verdict.values[verdict.tightest]),
        )
        for verdict in verdicts
    )
    header = ("", "kind", "claim", "bound", "mean", "nearest to the bound")
    return Table("claims", header, rows, n_names=3)


def bound(verdict: Verdict) -> str:
    """The bounds of a claim, in short."""
    bounds = [("≥", verdict.at_least), ("≤", verdict.at_most)]
    return ", ".join(f"{sign} {value:g}" for sign, value in bounds if value is not None)


def _column(found: Findings, names: list[str]) -> list[str]:
    measured = [name for name in names if name in found.metrics]
    digits = decimals([found.mean(name) for name in measured])
    many = len(next(iter(found.metrics.values()))) > 1
    return [
        f"{found.mean(name):.{digits}f}" + (f" ± {found.std(name):.{digits}f}" if many else "")
        if name in measured
        else ""
        for name in names
    ]


def summary_text(stories: Sequence[tuple[Card, Story]], width: int) -> str:
    """One line per pattern: the pattern's score beside the baseline's and the best possible."""
    rows = []
    for card, story in stories:
        best = [row for row in story.rows if row.role == "best possible"]
        rows.append(
            (
                "holds" if story.holds else "FAILS",
                card.slug,
                story.table.header[2],
                f"{story.measured:.2f}",
                f"{story.ratio(best[0]):.2f}" if best else "",
            )
        )
    header = ("", "", "score", "pattern to baseline", "best possible")
    return table_text(Table("", header, tuple(rows), n_names=3), width)


def evidence_text(evidence: Evidence, card: Card, width: int, tables: bool) -> str:
    """The verdicts first, then, if asked for, the tables and what their columns mean."""
    parts = [wrapped(f"{card.title}: {card.intent}", width), headline(evidence)]
    for verdict in evidence.verdicts:
        mean = three_digits(sum(verdict.values) / len(verdict.values))
        nearest = three_digits(verdict.values[verdict.tightest])
        measured = f"Measured {mean} on average, {nearest} nearest to the bound {bound(verdict)}."
        parts.append(
            labeled(
                {"holds" if verdict.holds else "FAILS": f"[{verdict.kind}] {verdict.sentence}"},
                width,
            )
            + "\n"
            + textwrap.indent(wrapped(measured, width - 9), " " * 9)
        )
    if tables or not evidence.verdicts:
        for found in evidence.experiments.values():
            parts.append(wrapped(found.question, width))
            parts += [
                f"{wrapped(table.title, width)}\n{table_text(table, width)}"
                for table in metric_tables(found, evidence)
            ]
            parts += [wrapped(REAL_DATA, width)] if found.data == "real" else []
        names = {name.replace("_", " "): m.meaning for name, m in evidence.measures.items()}
        parts.append(labeled(names, width))
    return "\n\n".join(parts)


def headline(evidence: Evidence) -> str:
    """How many claims hold, on how many seeds; or why they were not judged."""
    n_seeds, verdicts = len(evidence.seeds), evidence.verdicts
    on = f"on {'each of ' * (n_seeds > 1)}{n_seeds} seed{'s' * (n_seeds > 1)}"
    took = f"{evidence.seconds:g} seconds."
    if evidence.settings == "fast":
        return f"A fast run {on}: claims are judged on the documented settings only. {took}"
    held = sum(verdict.holds for verdict in verdicts)
    return f"{held} of {len(verdicts)} claims hold {on}. {took}"


# --- pages ---------------------------------------------------------------------------------------
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: auto; padding: 1rem }
div { overflow-x: auto } caption { text-align: left; font-weight: 600 }
table { border-collapse: collapse } img { max-width: 100% }
th, td { padding: .3rem .8rem; border-bottom: 1px solid #ddd; text-align: left }
td.number, th.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums }
tr.pattern { background: #e8f3fa } figure { margin: 1rem 0 } figcaption, .note { color: #555 }
dt { font-weight: 600 } .FAILS { color: #b00020; font-weight: 600 }
"""


def write_report(evidence: Evidence, card: Card, out: Path) -> Path:
    """Write ``report.html`` into ``out``: one file that carries its figures; return its path."""
    body = [f"<p>{escape(card.intent)}</p><p><b>{escape(headline(evidence))}</b></p>"]
    if evidence.verdicts:
        body.append(html(claim_table(evidence.verdicts)))
    for name, found in evidence.experiments.items():
        body.append(f"<h2>{escape(found.question)}</h2>")
        body.append(f'<p class="note">patterns/{card.slug}/evidence/{name}.py</p>')
        body += [html(table) for table in metric_tables(found, evidence)]
        if found.data == "real":
            body.append(f'<p class="note">{escape(REAL_DATA)}</p>')
        for figure, words in found.figures.items():
            body.append(_figure(out / f"{figure}.svg", words.caption, words.alt))
    meanings = {name.replace("_", " "): m.meaning for name, m in evidence.measures.items()}
    body.append(f"<h2>what the columns mean</h2>{_list(meanings)}")
    settings = {name: str(value) for name, value in evidence.config.items()}
    settings |= {"seeds": ", ".join(map(str, evidence.seeds))} | dict(evidence.versions)
    body.append(f"<h2>settings: {evidence.settings}</h2>{_list(settings)}")
    path = out / "report.html"
    path.write_text(_page(card.title, "".join(body)), "utf-8")
    return path


def write_index(stories: Sequence[tuple[Card, Story]], out: Path) -> Path:
    """Write ``index.html`` into ``out``: all stories, with links to what else is there."""
    body = []
    for card, story in stories:
        table = story.table
        verdict = "holds" if story.holds else "FAILS"
        body.append(
            f'<h2 id="{card.slug}">{escape(card.title)}</h2><p>{escape(card.intent)}</p>'
            f"<p><b>{escape(story.question)}</b></p>{html(table)}"
            f'<p><span class="{verdict}">{verdict}</span>: {escape(story.claim)}</p>'
            f"<p>When not to use it: {escape(card.when_not)}</p>"
            + _figure(out / card.slug / "story.svg", story.caption, story.caption)
        )
        for report in sorted((out / card.slug).glob("*/report.html")):
            link = report.relative_to(out).as_posix()
            body.append(f'<p><a href="{link}">{report.parent.name} evidence</a></p>')
    path = out / "index.html"
    path.write_text(_page("ML Design Patterns", "".join(body)), "utf-8")
    return path


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width">\n<title>{escape(title)}</title>\n'
        f"<style>{STYLE}</style>\n<h1>{escape(title)}</h1>\n{body}\n</html>\n"
    )


def _figure(path: Path, caption: str, alt: str) -> str:
    data = base64.b64encode(path.read_bytes()).decode()
    image = f'<img alt="{escape(alt)}" src="data:image/svg+xml;base64,{data}">'
    return f"<figure>{image}<figcaption>{escape(caption)}</figcaption></figure>"


def _list(entries: dict[str, str]) -> str:
    items = (f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in entries.items())
    return f"<dl>{''.join(items)}</dl>"
