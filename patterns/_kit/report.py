"""Evidence made readable: tables for the terminal, for one HTML page and for the docs."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from patterns._kit.cards import Card
from patterns._kit.evidence import Evidence, Verdict

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class Table:
    """Cells as text; the first column names the row."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def metric_tables(evidence: Evidence) -> list[Table]:
    """One table a task: a method a row, a metric a column, mean ± standard deviation over seeds."""
    tables = []
    names = [tuple(name.split(".")) for name in evidence.metrics]
    for task in dict.fromkeys(task for task, _, _ in names):
        methods = dict.fromkeys(method for t, method, _ in names if t == task)
        columns = dict.fromkeys(metric for t, _, metric in names if t == task)
        cells = {
            metric: _format_column(evidence, [f"{task}.{method}.{metric}" for method in methods])
            for metric in columns
        }
        rows = tuple(
            (method.replace("_", " "), *(cells[metric][i] for metric in columns))
            for i, method in enumerate(methods)
        )
        header = ("", *(metric.replace("_", " ") for metric in columns))
        tables.append(Table(task.replace("_", " "), header, rows))
    return tables


def claim_table(verdicts: Sequence[Verdict]) -> Table:
    """The claims, whether they hold on every seed, and the seed that comes nearest to failing."""
    rows = []
    for verdict in verdicts:
        bounds = [("≥", verdict.at_least), ("≤", verdict.at_most)]
        bound = ", ".join(f"{sign} {value:g}" for sign, value in bounds if value is not None)
        held = sum(margin >= 0 for margin in verdict.margins)
        rows.append(
            (
                "holds" if verdict.holds else "FAILS",
                verdict.kind,
                verdict.sentence,
                bound,
                three_digits(verdict.values[verdict.tightest]),
                f"{held} of {len(verdict.values)}",
            )
        )
    return Table("claims", ("", "kind", "claim", "bound", "nearest", "seeds"), tuple(rows))


def three_digits(value: float) -> str:
    """A number with three significant digits, zeros included."""
    return f"{value:#.3g}".rstrip(".")


def print_report(evidence: Evidence, card: Card, console: Console) -> None:
    """Print the tables, what the metrics mean, and the claims."""
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    console.print(Text(f"\n{card.title}: {card.intent}", style="bold"))
    for table in [*metric_tables(evidence), claim_table(evidence.verdicts)]:
        grid = RichTable(title=table.title, title_justify="left", box=box.SIMPLE_HEAD)
        for i, name in enumerate(table.header):
            is_text = i == 0 or table.title == "claims"
            grid.add_column(
                name, justify="left" if is_text else "right", no_wrap=name not in ("claim", "")
            )
        for row in table.rows:
            style = "red" if row[0] == "FAILS" else None
            grid.add_row(*map(Text, row), style=style)
        console.print(grid)
    for name, meaning in evidence.glossary.items():
        console.print(Text(f"{name.replace('_', ' ')}: {meaning}", style="dim"))


def write_html(evidence: Evidence, card: Card, out: Path) -> Path:
    """Write ``report.html`` into ``out``: one file that carries its figures, and its path."""
    tables = "".join(
        f"<h2>{escape(table.title)}</h2>{_html(table)}"
        for table in [claim_table(evidence.verdicts), *metric_tables(evidence)]
    )
    figures = "".join(
        f'<img alt="{escape(path.stem.replace("_", " "))}" src="data:image/svg+xml;base64,'
        f'{base64.b64encode(path.read_bytes()).decode()}">'
        for path in sorted(out.glob("*.svg"))
    )
    glossary = "".join(
        f"<dt>{escape(name.replace('_', ' '))}</dt><dd>{escape(meaning)}</dd>"
        for name, meaning in evidence.glossary.items()
    )
    versions = ", ".join(f"{name} {version}" for name, version in evidence.versions.items())
    ran = f"Seeds {', '.join(map(str, evidence.seeds))}; {evidence.seconds:g} seconds; {versions}."
    page = f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{escape(card.title)}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: auto; padding: 1rem }}
div {{ overflow-x: auto }} table {{ border-collapse: collapse }} img {{ max-width: 100% }}
th, td {{ padding: .3rem .8rem; border-bottom: 1px solid #ddd; text-align: left }}
td.number {{ text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums }}
dt {{ font-weight: 600 }} .FAILS {{ color: #b00020; font-weight: 600 }}
</style>
<h1>{escape(card.title)}</h1>
<p>{escape(card.intent)}</p>
<p>{escape(ran)}</p>
{tables}<dl>{glossary}</dl><h2>figures</h2>{figures}
</html>
"""
    path = out / "report.html"
    path.write_text(page, "utf-8")
    return path


def markdown(table: Table) -> str:
    """The table as Markdown; numbers to the right."""
    right = ["---" if table.title == "claims" else "--:"] * (len(table.header) - 1)
    lines = [table.header, ("---", *right), *table.rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _html(table: Table) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in table.header)
    kind = "" if table.title == "claims" else "number"
    body = ""
    for first, *rest in table.rows:
        cells = "".join(f'<td class="{kind}">{escape(cell)}</td>' for cell in rest)
        body += f'<tr><td class="{escape(first)}">{escape(first)}</td>{cells}</tr>'
    return f"<div><table><tr>{head}</tr>{body}</table></div>"


def _format_column(evidence: Evidence, names: list[str]) -> list[str]:
    """Cells of one column with as many decimals as its smallest value needs for three digits."""
    measured = [name for name in names if name in evidence.metrics]
    sizes = [abs(evidence.mean(name)) for name in measured if evidence.mean(name)]
    digits = 2 - math.floor(math.log10(min(sizes))) if sizes else 0
    digits = min(max(digits, 0), 4)
    many = len(evidence.seeds) > 1
    return [
        f"{evidence.mean(name):.{digits}f}"
        + (f" ± {evidence.std(name):.{digits}f}" if many else "")
        if name in measured
        else ""
        for name in names
    ]
