"""Stories and exercises as notebooks, the same byte for byte for the same source."""

from __future__ import annotations

import ast
import textwrap
from typing import Any

from patterns._kit.cards import find
from patterns._kit.exercise import MARKER, Exercise, Part


def story(slug: str) -> str:
    """The pattern's story as a notebook: ``example.py`` is one already, in the percent format."""
    return _ipynb((find(slug).folder / "example.py").read_text("utf-8"))


def exercise(slug: str) -> str:
    """The exercise as a notebook: the stub, a task before each cell that has a hole, the checks."""
    asked = Exercise.load(slug)
    intro = (
        f"# Exercise: {find(slug).title}\n\nWrite what raises `NotImplementedError`, run all "
        "cells, and read the output of the last one."
    )
    cells = [_markdown(intro)]
    for text in _blocks(asked.stub):
        for part in asked.parts:
            if any(f"[start:{hole}]" in text for hole in part.holes):
                cells.append(_markdown(_task_markdown(part)))
        lines = [line for line in text.splitlines() if not MARKER.match(line)]
        cells.append("# %%\n" + "\n".join(lines))
    check = f'from patterns._kit.learn import check_here\n\ncheck_here("{slug}", globals())'
    return _ipynb("\n\n".join([*cells, f"# %%\n{check}"]) + "\n")


def _markdown(text: str) -> str:
    return "# %% [markdown]\n" + textwrap.indent(text, "# ", lambda line: True)


def _task_markdown(part: Part) -> str:
    hints = "\n".join(
        f"<details><summary>Hint {number}</summary>\n\n{hint}\n\n</details>"
        for number, hint in enumerate(part.hints, start=1)
    )
    return f"## {part.title}\n\n{part.why.strip()}\n\n{part.task.strip()}\n\n{hints}"


def _blocks(source: str) -> list[str]:
    """A module without its docstring, cut into each function or class and what lies between."""
    blocks: list[str] = []
    lines, start, joins = source.splitlines(), 0, False
    for node in ast.parse(source).body:
        text = "\n".join(lines[start : node.end_lineno]).strip()
        start = node.end_lineno or start
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        is_plain = not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.If)
        if is_plain and joins:
            blocks[-1] += f"\n{text}"
        else:
            blocks.append(text)
        joins = is_plain
    return blocks


def _ipynb(percent: str) -> str:
    """A script in the percent format as a notebook; numbered identifiers keep the text the same."""
    import jupytext

    notebook: Any = jupytext.reads(percent, fmt="py:percent")
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number:02}"
    text: str = jupytext.writes(notebook, fmt="ipynb")
    return text
