"""One look for all figures, and the files that they become."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from patterns._kit.evidence import Drawing

STYLE = "patterns._kit.figures"  # for matplotlib.style.use: the sheet beside this file

# The roles of a comparison have the same colors in every figure; the sheet lists the others.
PATTERN, BASELINE, ALTERNATIVE, BEST = "#0072B2", "#D55E00", "#009E73", "#000000"


def save(drawings: Mapping[str, Drawing], out: Path) -> None:
    """Draw each figure and write it to ``out``."""
    if not drawings:
        return
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    for name, drawing in drawings.items():
        with plt.style.context(STYLE):
            figure = drawing.draw()
            write(figure, out / name)
            plt.close(figure)


def write(figure: Figure, path: Path) -> None:
    """Write ``path.svg`` and ``path.png``; the same drawing gives the same files."""
    figure.savefig(path.with_name(f"{path.name}.svg"), metadata={"Date": None})
    figure.savefig(path.with_name(f"{path.name}.png"))
