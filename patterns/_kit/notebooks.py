"""Examples and exercises as notebooks, the same byte for byte for the same source."""

from __future__ import annotations

import ast
import json
import textwrap
from collections.abc import Sequence
from typing import Any

from patterns._kit.cards import PATTERNS, find
from patterns._kit.exercise import MARKER, Exercise, Part


def example(slug: str) -> str:
    """The pattern's example as a notebook: the same text for the same example."""
    source = (PATTERNS / slug / "example.py").read_text("utf-8")
    cells = [cell for cell in _cells(source) if not cell[1].startswith("if __name__")]
    show = "for draw in result.figures.values():\n    draw()"
    cells.append(("code", "result = run(FAST)  # the documented run is Config()\nresult.metrics"))
    return _ipynb([*cells, ("code", show)])


def exercise(slug: str) -> str:
    """The exercise as a notebook: the stub, a task before each cell that has a hole, the checks."""
    asked = Exercise.load(slug)
    intro = (
        f"# Exercise: {find(slug).title}\n\nWrite what raises `NotImplementedError`, run all "
        "cells, and read what the last one has to say."
    )
    cells = [("markdown", intro)]
    _, *stub = _cells(asked.stub)  # its docstring is that of the finished pattern
    for kind, text in stub:
        for part in asked.parts:
            if any(f"[start:{hole}]" in text for hole in part.holes):
                cells.append(("markdown", _task_markdown(part)))
        lines = [line for line in text.splitlines() if not MARKER.match(line)]
        cells.append((kind, "\n".join(lines)))
    check = f'from patterns._kit.learn import check_here\n\ncheck_here("{slug}", globals())'
    return _ipynb([*cells, ("code", check)])


def _task_markdown(part: Part) -> str:
    hints = "\n".join(
        f"<details><summary>Hint {number}</summary>\n\n{hint}\n\n</details>"
        for number, hint in enumerate(part.hints, start=1)
    )
    return f"## {part.title}\n\n{part.why.strip()}\n\n{part.task.strip()}\n\n{hints}"


def _cells(source: str) -> list[tuple[str, str]]:
    """A module cut into cells: its docstring, each function or class, and what lies between."""
    cells: list[tuple[str, str]] = []
    lines, start, previous_is_plain = source.splitlines(), 0, False
    for node in ast.parse(source).body:
        text = "\n".join(lines[start : node.end_lineno]).strip()
        start = node.end_lineno or start
        is_plain = not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.If)
        if not cells and isinstance(node, ast.Expr):
            title, _, rest = str(ast.literal_eval(node.value)).partition("\n")
            cells.append(("markdown", f"# {title}\n{textwrap.dedent(rest)}".strip()))
            continue
        if is_plain and previous_is_plain:
            cells[-1] = ("code", f"{cells[-1][1]}\n{text}")
        else:
            cells.append(("code", text))
        previous_is_plain = is_plain
    return cells


def _ipynb(cells: Sequence[tuple[str, str]]) -> str:
    """Cells in the notebook format 4.5; numbered identifiers keep the text the same."""
    content = []
    for number, (kind, text) in enumerate(cells):
        cell: dict[str, Any] = {"cell_type": kind, "id": f"cell-{number:02}", "metadata": {}}
        if kind == "code":
            cell |= {"execution_count": None, "outputs": []}
        content.append({**cell, "source": text.splitlines(keepends=True)})
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    notebook = {"cells": content, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
