"""Tables and paragraphs as text for the terminal, tables as HTML for pages."""

from __future__ import annotations

import codecs
import io
import math
import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class Table:
    """Cells as text; the first columns name the row, the others hold numbers."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    n_names: int = 2


def three_digits(value: float) -> str:
    """A number with three significant digits, zeros included."""
    return f"{value:#.3g}".rstrip(".")


def same_decimals(values: Sequence[float]) -> list[str]:
    """Numbers with as many decimals as the smallest of them needs for three digits."""
    digits = decimals(values)
    return [f"{value:,.{digits}f}" for value in values]


def decimals(values: Sequence[float]) -> int:
    """Decimals that the smallest of several numbers needs for three digits; 5 at most."""
    sizes = [abs(value) for value in values if value]
    digits = 2 - math.floor(math.log10(min(sizes))) if sizes else 0
    return min(max(digits, 0), 5)


def print_what_the_terminal_can_show() -> None:
    """Let standard output and error write other signs for those that their encoding lacks."""
    codecs.register_error("plain", _plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="plain")


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    signs = {"≤": "<=", "≥": ">=", "±": "+-", "↓": "(low)", "↑": "(high)", "×": "x", "✓": "done"}
    text = error.object[error.start : error.end]
    return "".join(signs.get(sign, "?") for sign in text), error.end


def terminal_width() -> int:
    """Columns of the terminal; 100 where the output goes elsewhere."""
    return shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 100


def table_text(table: Table, width: int) -> str:
    """A table whose columns fit the width: names are kept whole, columns are stacked in blocks."""
    n = table.n_names
    sizes = [max(map(len, column)) for column in zip(table.header, *table.rows, strict=True)]
    names = sum(sizes[:n]) + 2 * n
    blocks: list[list[int]] = [[]]
    room = width - names
    for i in range(n, len(sizes)):
        if blocks[-1] and room < sizes[i] + 2:
            blocks.append([])
            room = width - names
        blocks[-1].append(i)
        room -= sizes[i] + 2
    return "\n\n".join(_block(table, sizes, [*range(n), *block]) for block in blocks)


def _block(table: Table, sizes: list[int], columns: list[int]) -> str:
    lines = []
    for row in (table.header, *table.rows):
        cells = (
            row[i].ljust(sizes[i]) if i < table.n_names else row[i].rjust(sizes[i]) for i in columns
        )
        lines.append("  " + "  ".join(cells).rstrip())
    return "\n".join(lines)


def wrapped(text: str, width: int) -> str:
    """A paragraph."""
    return textwrap.fill(text, max(width, 20), break_on_hyphens=False, break_long_words=False)


def labeled(entries: Mapping[str, str], width: int) -> str:
    """Labels and texts, each text wrapped beside its label."""
    margin = max(map(len, entries)) + 2
    return "\n".join(
        textwrap.fill(
            text,
            max(width, margin + 20),
            initial_indent=label.ljust(margin),
            subsequent_indent=" " * margin,
            break_on_hyphens=False,
            break_long_words=False,
        )
        for label, text in entries.items()
    )


def html(table: Table) -> str:
    """The table as HTML; the class of a row is its first cell, its title is the caption."""
    kinds = ["" if i < table.n_names else ' class="number"' for i in range(len(table.header))]
    title = f"<caption>{escape(table.title)}</caption>" if table.title else ""
    head, rows = "", ""
    for kind, cell in zip(kinds, table.header, strict=True):
        head += f"<th{kind}>{escape(cell)}</th>" if cell else "<td></td>"  # heads nothing
    for row in table.rows:
        cells = "".join(f"<td{k}>{escape(c)}</td>" for k, c in zip(kinds, row, strict=True))
        rows += f'<tr class="{escape(row[0])}">{cells}</tr>'
    return f"<div><table>{title}<tr>{head}</tr>{rows}</table></div>"
