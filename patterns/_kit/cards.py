"""Cards: what each pattern says of itself, read from ``patterns/<slug>/card.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PATTERNS = Path(__file__).parents[1]
ROOT = PATTERNS.parent  # of a clone


class UnknownPatternError(LookupError):
    """No pattern of this name; the message suggests the nearest one."""


class OtherDatasetsError(ImportError):
    """Another package called `datasets` hides the folder of this repository."""


@dataclass(frozen=True)
class Budget:
    """Seconds that a pattern may take on two cores: the tests hold it to them."""

    story: int  # of processor time, after imports
    measure: int  # for the documented evidence
    fast: int  # of processor time, with --fast


@dataclass(frozen=True)
class Card:
    """One pattern of the catalogue."""

    slug: str  # names the folder, the command, the docs page, the test file and the exercise
    title: str
    number: int  # of the book's thirty
    chapter: int  # of the book
    intent: str  # one line
    symptom: str  # what brings a reader here, in their own words
    problem: str
    when_not: str
    mistaken: str  # what is often mistaken for it, and how that differs
    related: tuple[str, ...]  # titles from the book's thirty, in this repository or not
    packages: tuple[str, ...]  # what the pattern is built with, as installed
    seconds: Budget
    draft: bool = False  # work in progress: what a draft cannot have yet is not asked of it

    @property
    def folder(self) -> Path:
        """Where the pattern lives."""
        return PATTERNS / self.slug

    @property
    def results(self) -> Path:
        """The committed outcome of the documented evidence."""
        return self.folder / "results" / "results.json"

    @property
    def story(self) -> Path:
        """The committed outcome of the story."""
        return self.folder / "results" / "story.json"

    @property
    def mistakes(self) -> Path:
        """The committed outcome of the known mistakes of the exercise: code, and what it gets."""
        return self.folder / "results" / "mistakes.md"


@cache
def catalogue(drafts: bool = False) -> tuple[Card, ...]:
    """The finished patterns, in the order of the book; with drafts, all of them.

    Raises
    ------
    ValueError
        When a card lacks a field or has one too many; the message names the file.
    """
    cards = sorted(map(_read, PATTERNS.glob("*/card.toml")), key=lambda card: card.number)
    return tuple(card for card in cards if drafts or not card.draft)


def find(slug: str) -> Card:
    """The card of one pattern, finished or not.

    Raises
    ------
    UnknownPatternError
        When there is no such pattern.
    """
    cards = {card.slug: card for card in catalogue(drafts=True)}
    if slug not in cards:
        import difflib

        near = difflib.get_close_matches(slug.lower().replace("-", "_"), cards, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(cards)}"
        raise UnknownPatternError(f"no pattern is called {slug!r}; {hint}")
    return cards[slug]


def check_datasets() -> None:
    """See that `import datasets` finds the folder of this repository.

    Raises
    ------
    OtherDatasetsError
        When it finds another package, which is most often Hugging Face's.
    """
    from importlib.util import find_spec  # `patterns list` does without

    spec = find_spec("datasets")
    ours = (ROOT / "datasets").resolve()
    if spec is None or spec.origin is None or not ours.exists():  # an installed copy has none
        return
    other = Path(spec.origin).resolve().parent
    if other != ours:
        raise OtherDatasetsError(
            f"`import datasets` finds {other}, and not the folder of this repository; leave "
            "Hugging Face's package of that name out of this environment, or set "
            f"PYTHONPATH={ROOT}"
        )


def _read(path: Path) -> Card:
    fields = tomllib.loads(path.read_text("utf-8"))
    lists = {name: tuple(value) for name, value in fields.items() if isinstance(value, list)}
    try:
        budget = Budget(**fields.pop("seconds", {}))
        return Card(slug=path.parent.name, seconds=budget, **{**fields, **lists})
    except TypeError as error:
        raise ValueError(f"{path}: {error}") from None
