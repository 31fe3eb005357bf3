"""Stories: what an ``example.py`` tells, printed for a reader and kept for the site."""

from __future__ import annotations

import io
import json
import runpy
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext, redirect_stdout, suppress
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from patterns._kit.cards import Card, check_datasets, find
from patterns._kit.evidence import Measure
from patterns._kit.figures import write
from patterns._kit.tables import (
    Table,
    labeled,
    same_decimals,
    table_text,
    terminal_width,
    three_digits,
    wrapped,
)
from patterns._kit.workers import cores, each

if TYPE_CHECKING:
    from matplotlib.figure import Figure

check_datasets()  # a story imports its data next

Role = Literal["baseline", "alternative", "pattern", "best possible"]
ROLES = ("baseline", "alternative", "pattern", "best possible")
Direction = Literal["lower", "higher"]

_OUT: ContextVar[Path] = ContextVar("out", default=Path("runs"))


class ClaimError(AssertionError):
    """What a story claims does not hold in its own run."""


@dataclass(frozen=True)
class Row:
    """One method of a story, with a value for each score."""

    role: Role
    method: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class Story:
    """What one run of an ``example.py`` found.

    The first score decides: the ratio to the baseline is taken of it, and ``at_most`` or
    ``at_least`` bounds the ratio of the pattern. What is ``timed`` differs from run to run.
    """

    pattern: str
    question: str
    scores: Mapping[str, Direction]
    rows: tuple[Row, ...]
    caption: str
    at_most: float | None = None
    at_least: float | None = None
    timed: bool = False

    def __post_init__(self) -> None:
        roles = [row.role for row in self.rows]
        if not 2 <= len(roles) <= 5 or roles.count("baseline") != 1 or roles.count("pattern") != 1:
            raise ValueError(
                f"a story has one baseline and one pattern in 2 to 5 rows, got {roles}"
            )
        if unknown := set(roles) - set(ROLES):
            raise ValueError(f"each role must be one of {ROLES}, got {sorted(unknown)}")
        if any(len(row.values) != len(self.scores) for row in self.rows):
            raise ValueError(f"each row needs one value for each of {list(self.scores)}")
        if (self.at_most is None) == (self.at_least is None):
            raise ValueError("a story claims one bound: at_most or at_least")

    def ratio(self, row: Row) -> float:
        """The row's first score relative to that of the baseline."""
        (baseline,) = (row for row in self.rows if row.role == "baseline")
        return row.values[0] / baseline.values[0]

    @property
    def measured(self) -> float:
        """The ratio of the pattern to the baseline."""
        return next(self.ratio(row) for row in self.rows if row.role == "pattern")

    @property
    def holds(self) -> bool:
        """Whether the ratio keeps its bound."""
        if self.at_most is not None:
            return self.measured <= self.at_most
        return self.at_least is not None and self.measured >= self.at_least

    @property
    def claim(self) -> str:
        """The bound as a sentence."""
        word, bound = ("most", self.at_most) if self.at_least is None else ("least", self.at_least)
        return f"The pattern's {next(iter(self.scores))} is at {word} {bound:g} of the baseline's."

    @property
    def table(self) -> Table:
        """One row per method: scores, each with its direction, and the ratio to the baseline."""
        heads = (f"{name}{Measure('', better).arrow}" for name, better in self.scores.items())
        columns = [same_decimals(c) for c in zip(*(row.values for row in self.rows), strict=True)]
        columns.append([f"{self.ratio(row):.2f}" for row in self.rows])
        rows = zip(self.rows, zip(*columns, strict=True), strict=True)
        cells = tuple((row.role, row.method, *values) for row, values in rows)
        return Table("", ("", "", *heads, "to baseline"), cells)

    def text(self, out: Path, width: int) -> str:
        """Question, table, claim, when not to use the pattern, and what is next."""
        card = find(self.pattern)
        parts = [
            wrapped(f"{card.title}: {card.intent}", width),
            wrapped(self.question, width),
            table_text(self.table, width),
            wrapped(f"{'Holds' if self.holds else 'FAILS'}: {self.claim}", width),
            labeled(
                {
                    "When not": card.when_not,
                    "Figure": str(out / "story.png"),
                    "Evidence": f"patterns measure {card.slug}",
                    "Exercise": f"patterns learn {card.slug}",
                    "Page": f"docs/patterns/{card.slug}.md",
                },
                width,
            ),
        ]
        return "\n\n".join(parts)

    def to_json(self) -> str:
        """As text, the same for the same content."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote."""
        content = json.loads(text)
        rows = tuple(Row(**{**row, "values": tuple(row["values"])}) for row in content["rows"])
        return cls(**{**content, "rows": rows})


def tell(
    pattern: str,
    question: str,
    scores: Mapping[str, Direction],
    rows: Sequence[tuple[Any, ...]],
    figure: Figure,
    caption: str,
    *,
    at_most: float | None = None,
    at_least: float | None = None,
    timed: bool = False,
) -> None:
    """Print what a story found; write it and its figure to ``runs/<pattern>/``.

    Parameters
    ----------
    pattern : str
        The slug.
    question : str
        What the story answers.
    scores : mapping of name to "lower" or "higher"
        The columns, each with the direction that is better; the first one decides.
    rows : sequence of (role, method, value, ...)
        One value per score. The role is "baseline", "alternative", "pattern" or "best possible".
    figure : matplotlib Figure
    caption : str
        What to see in the figure.
    at_most, at_least : float, one of the two
        Bound of the pattern's first score relative to the baseline's.
    timed : bool
        Whether the scores are times or the like, which differ from run to run. Give the bound room.

    Raises
    ------
    ClaimError
        After all is printed, when the bound is not kept.
    ValueError
        When the rows do not fit together.
    """
    told = tuple(Row(role, method, tuple(map(float, values))) for role, method, *values in rows)
    story = Story(pattern, question, scores, told, caption, at_most, at_least, timed)
    out = _OUT.get() / pattern
    out.mkdir(parents=True, exist_ok=True)
    (out / "story.json").write_text(story.to_json(), "utf-8")
    write(figure, out / "story")
    print(story.text(out, terminal_width()))
    if not story.holds:
        raise ClaimError(f"{story.claim} Measured: {three_digits(story.measured)}")


def run(cards: Sequence[Card], out: Path) -> Iterator[tuple[Card, Story]]:
    """Run the stories of patterns, each as the script that it is; yield them in the given order.

    One story prints as it runs. Several run side by side and print nothing.
    """
    alone = len(cards) == 1
    told: dict[int, Story] = {}
    n_given = 0
    for i, story in each(_run_one, [(card, out, alone) for card in cards], cores()):
        told[i] = story
        while n_given in told:
            yield cards[n_given], told[n_given]
            n_given += 1


def _run_one(card: Card, out: Path, prints: bool) -> Story:
    before = _OUT.set(out)
    try:
        with nullcontext() if prints else redirect_stdout(io.StringIO()), suppress(ClaimError):
            runpy.run_path(str(card.folder / "example.py"), run_name="__main__")
    finally:
        _OUT.reset(before)
    return Story.from_json((out / card.slug / "story.json").read_text("utf-8"))


def record(card: Card, out: Path) -> Path:
    """Keep what a story told as the outcome that the site shows; return its folder."""
    results = card.folder / "results"
    results.mkdir(exist_ok=True)
    for name in ("story.json", "story.svg"):
        shutil.copy(out / card.slug / name, results)
    return results
