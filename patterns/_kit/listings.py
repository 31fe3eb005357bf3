"""Quote a part of a pattern's code below the heads of what it stands in."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from textwrap import dedent, indent

from patterns._kit.cards import ROOT, Card
from patterns._kit.exercise import ANY_MARKER, regions


def listings(card: Card) -> dict[str, str]:
    """Each marked region of a pattern's code by name, as Markdown.

    A region is the inside of a function. A reader needs to know of which, so it has above it the
    class, the signature and the first line of the docstring. ``# …`` stands for what is left out.
    """
    return {
        name: f'```python title="{path.relative_to(ROOT)}"\n{text}\n```\n'
        for path in sorted(card.folder.glob("*.py"))
        for name, text in listings_of(path.read_text("utf-8"))
    }


def listings_of(source: str) -> Iterator[tuple[str, str]]:
    """The name and the listing of each region of a module."""
    lines, tree = source.splitlines(), ast.parse(source)
    for name, (start, end) in regions(source, ANY_MARKER).items():
        yield name.removeprefix("ex-"), _listing(tree, lines, start + 1, end + 1)


def _listing(tree: ast.Module, lines: list[str], start: int, end: int) -> str:
    """The lines between two markers, below the heads of what encloses them."""
    enclosing = [
        node
        for node in ast.walk(tree)  # gives the outer ones first
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.If | ast.For)
        and node.lineno < start < end <= (node.body[-1].end_lineno or 0) + 1
    ]
    listing: list[str] = []
    done = 0  # lines that are shown, or left out without a mark
    for node in enclosing:
        first, body = _first_line(node) - 1, _first_line(node.body[0]) - 1
        listing += _left_out(lines[done:first]) if done else []
        listing += lines[first:body]
        done = 0 if isinstance(node, ast.ClassDef) else body
        if isinstance(node, ast.FunctionDef) and (documented := ast.get_docstring(node)):
            listing.append(f'{" " * node.body[0].col_offset}"""{documented.splitlines()[0]}"""')
            done = node.body[0].end_lineno or 0
            after = lines[end : node.end_lineno]
    region = indent(
        dedent("\n".join(lines[start : end - 1])), " " * enclosing[-1].body[0].col_offset
    )
    listing += [*_left_out(lines[done : start - 1]), region, *_left_out(after)]
    return "\n".join(line for line in listing if not ANY_MARKER.match(line))


def _first_line(node: ast.stmt) -> int:
    decorators = [decorator.lineno for decorator in getattr(node, "decorator_list", [])]
    return min([node.lineno, *decorators])


def _left_out(lines: list[str]) -> list[str]:
    """A mark in place of lines, unless nothing is in them; as deep as the first of them."""
    code = [line for line in lines if line.strip() and not ANY_MARKER.match(line)]
    return [line[: len(line) - len(line.lstrip())] + "# …" for line in code[:1]]
