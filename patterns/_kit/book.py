"""The thirty patterns of the book: the catalogue that this repository follows.

V. Lakshmanan, S. Robinson, M. Munn (2020). *Machine Learning Design Patterns*. O'Reilly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

CHAPTERS = {  # by number; the first one is an introduction
    2: "Data representation",
    3: "Problem representation",
    4: "Model training",
    5: "Resilient serving",
    6: "Reproducibility",
    7: "Responsible AI",
}
_TITLES = {
    2: ("Hashed Feature", "Embeddings", "Feature Cross", "Multimodal Input"),
    3: ("Reframing", "Multilabel", "Ensembles", "Cascade", "Neutral Class", "Rebalancing"),
    4: (
        *("Useful Overfitting", "Checkpoints", "Transfer Learning", "Distribution Strategy"),
        "Hyperparameter Tuning",
    ),
    5: (
        *("Stateless Serving Function", "Batch Serving", "Continued Model Evaluation"),
        *("Two-Phase Predictions", "Keyed Predictions"),
    ),
    6: (
        *("Transform", "Repeatable Splitting", "Bridged Schema", "Windowed Inference"),
        *("Workflow Pipeline", "Feature Store", "Model Versioning"),
    ),
    7: ("Heuristic Benchmark", "Explainable Predictions", "Fairness Lens"),
}


@dataclass(frozen=True)
class Entry:
    """One of the thirty."""

    title: str
    number: int
    chapter: int

    @property
    def slug(self) -> str:
        """What a new folder is called; a few of the older ones have shorter names."""
        return self.title.lower().replace(" ", "_").replace("-", "_")


BOOK = tuple(
    Entry(title, number, chapter)
    for number, (chapter, title) in enumerate(
        ((chapter, title) for chapter, titles in _TITLES.items() for title in titles), start=1
    )
)


def book_markdown(pages: Mapping[str, str]) -> str:
    """The thirty by chapter; those that have a page, by title, lead there."""
    parts = []
    for chapter, subject in CHAPTERS.items():
        titles = [entry.title for entry in BOOK if entry.chapter == chapter]
        names = (f"[{title}]({pages[title]})" if title in pages else title for title in titles)
        parts.append(f"{subject}\n:   {', '.join(names)}\n")
    return "\n".join(parts)
