"""`patterns new`: the files of a new pattern, as a draft that runs from the start."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

from patterns._kit.book import BOOK, Entry
from patterns._kit.cards import ROOT, catalogue

SKELETON = Path(__file__).with_name("skeleton")


def create(slug: str, root: Path = ROOT) -> str:
    """Write the files of a new pattern and its extra in ``pyproject.toml``; say what comes next.

    Raises
    ------
    ValueError
        When the book has no such pattern, when it is here already, or when one of the files is.
        Nothing is written then.
    """
    entry = _entry(slug)
    words = {"SLUG": slug, "TITLE": entry.title}
    words |= {"NUMBER": str(entry.number), "CHAPTER": str(entry.chapter)}
    files = {}
    for source in sorted(SKELETON.rglob("*.*")):
        text = source.read_text("utf-8")
        for placeholder, word in words.items():
            text = text.replace(placeholder, word)
        files[root / _place(source.relative_to(SKELETON), slug)] = text
    if there := [path for path in files if path.exists()]:
        raise ValueError(f"{there[0]} is there already, and nothing is overwritten")
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8", newline="\n")
    settings = root / "pyproject.toml"
    settings.write_text(_with_extra(settings.read_text("utf-8"), slug), "utf-8", newline="\n")
    written = "\n".join(f"  {path.relative_to(root).as_posix()}" for path in files)
    return (
        f"{entry.title} is a draft now:\n\n{written}\n  pyproject.toml, with the extra {slug}\n\n"
        f"It runs: patterns run {slug}. docs/contributing.md says what belongs where."
    )


def _entry(slug: str) -> Entry:
    """The pattern of the book that is meant."""
    here = {card.title: card.slug for card in catalogue(drafts=True)}
    missing = {entry.slug: entry for entry in BOOK if entry.title not in here}
    if slug in missing:
        return missing[slug]
    names = {entry.slug: here[entry.title] for entry in BOOK if entry.title in here}
    wanted = slug.lower()
    if wanted in names or wanted in names.values():
        raise ValueError(f"patterns/{names.get(wanted, wanted)} is there already")
    near = difflib.get_close_matches(wanted, missing, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"not here yet: {', '.join(missing)}"
    raise ValueError(f"the book has no pattern {slug!r}; {hint}")


def _place(source: Path, slug: str) -> str:
    """Where a file of the skeleton goes."""
    kind, *rest = source.parts
    folders = {"pattern": f"patterns/{slug}"}
    files = {"page.md": f"docs/patterns/{slug}.md", "test.py": f"tests/test_{slug}.py"}
    return "/".join([folders[kind], *rest]) if rest else files[kind]


def _with_extra(settings: str, slug: str) -> str:
    """``pyproject.toml`` with an empty extra for the pattern, among the others by the alphabet."""
    begin = settings.index("[project.optional-dependencies]")
    end = settings.index("# Where there is a build without code for a GPU", begin)
    extras = re.finditer(r"^(\w+) = ", settings[begin:end], flags=re.MULTILINE)
    at = next((begin + extra.start() for extra in extras if extra[1] > slug), end)
    return f"{settings[:at]}{slug} = []\n{settings[at:]}"
