"""Statistics of training and serving rows on one HTML page, which asks no other host.

It shows what `skew.describe` and `skew.compare` give: each column with its distribution in training
beside that in serving, and the alarms on top.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from itertools import pairwise
from typing import Any

import pandas as pd

WIDTH, HEIGHT = 260, 60
N_BARS = 24  # of a category, the most frequent values
STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; max-width: 64rem; margin: auto; padding: 1rem }
div { overflow-x: auto } table { border-collapse: collapse }
th, td { padding: .3rem .7rem; border-bottom: 1px solid #ddd; text-align: left }
td { vertical-align: top }
td.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums }
.training { color: #0072b2 } .serving { color: #d55e00 } .alarm { color: #b00020; font-weight: 600 }
svg { display: block; overflow: visible } svg text { font-size: 9px; fill: #555 }
"""


def statistics_page(
    training: Mapping[str, Mapping[str, Mapping[str, Any]]],
    serving: Mapping[str, Mapping[str, Mapping[str, Any]]] | None = None,
    comparison: pd.DataFrame | None = None,
    title: str = "Training and serving",
) -> str:
    """An HTML page that stands alone.

    Parameters
    ----------
    training : statistics by stage and name
    serving : statistics of the same columns, optional
    comparison : DataFrame, optional
        What ``compare`` gave for the two.
    title : str
    """
    body = [f"<h1>{escape(title)}</h1>"]
    legend = '<span class="training">■ training</span>'
    if serving is not None:
        legend += ' <span class="serving">□ serving</span>'
    body.append(f"<p>{legend}</p>")
    if comparison is not None:
        alarms = comparison[comparison["alarm"]]
        body.append(f"<h2>{len(alarms)} of {len(comparison)} distances are alarms</h2>")
        body.append(_alarms(alarms))
    for stage, columns in training.items():
        heads = ("", "type", "rows", "missing", "unique", "mean or ends", "distribution")
        rows = [f"<tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr>"]
        for name, before in columns.items():
            now = None if serving is None else serving[stage][name]
            rows.append(_row(name, before, now))
        body.append(f"<h2>{escape(stage)}</h2><div><table>{''.join(rows)}</table></div>")
    return (
        '<!doctype html>\n<html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n{''.join(body)}\n</html>\n"
    )


def _alarms(alarms: pd.DataFrame) -> str:
    rows = "".join(
        f'<tr><td class="alarm">{escape(row["name"])}</td><td>{escape(row["stage"])}</td>'
        f"<td>{escape(row['distance']).replace('_', ' ')}</td>"
        f'<td class="number">{row["value"]:.3g}</td>'
        f'<td class="number">{row["threshold"]:.3g}</td></tr>'
        for row in alarms.to_dict("records")
    )
    heads = "<tr><th></th><th>stage</th><th>distance</th><th>value</th><th>threshold</th></tr>"
    return f"<div><table>{heads}{rows}</table></div>" if rows else ""


def _row(name: str, before: Mapping[str, Any], now: Mapping[str, Any] | None) -> str:
    both = [("training", before)] + ([] if now is None else [("serving", now)])

    def cell(text: Any) -> str:
        lines = (f'<div class="{who}">{escape(text(s))}</div>' for who, s in both)
        return f'<td class="number">{"".join(lines)}</td>'

    return (
        f"<tr><td><b>{escape(name)}</b></td><td>{before['type']}</td>"
        + cell(lambda s: f"{s['rows']:,}")
        + cell(lambda s: f"{s['missing'] / max(s['rows'], 1):.2%}")
        + cell(lambda s: f"{s['unique']:,}")
        + cell(_middle)
        + f"<td>{_histogram(name, both)}</td></tr>"
    )


def _middle(statistics: Mapping[str, Any]) -> str:
    if statistics["type"] == "time":
        return f"{statistics.get('min', '')[:10]} to {statistics.get('max', '')[:10]}"
    return f"{statistics['mean']:.4g}" if "mean" in statistics else ""


def _histogram(name: str, both: list[tuple[str, Mapping[str, Any]]]) -> str:
    """Shares of the training rows as filled bars, and of the serving rows as outlines."""
    first = both[0][1]
    if "counts" not in first:
        return ""
    if first["type"] == "category":
        values = list(dict.fromkeys(v for _, s in both for v in s["counts"]))[:N_BARS]
        if all(v.lstrip("-").isdigit() for v in values):
            values.sort(key=int)
        places = [(i / len(values), (i + 1) / len(values)) for i in range(len(values))]
        bars = {who: [s["counts"].get(v, 0) for v in values] for who, s in both}
        labels = [(sum(place) / 2, value[:8]) for place, value in zip(places, values, strict=True)]
        labels = labels[:: -(-sum(6 + 5 * len(text) for _, text in labels) // WIDTH)]  # that fit
        wide = [1.0] * len(values)
    else:
        known = [s for _, s in both if "quantiles" in s]
        low = min(s["quantiles"][0] for s in known)
        high = max(s["quantiles"][-1] for s in known)
        width = high - low or 1.0
        ends = [0.0, *((edge - low) / width for edge in first["edges"]), 1.0]
        places = list(pairwise(ends))
        wide = [max(right - left, 0.01) for left, right in places]  # also for one value
        bars = {who: s["counts"] for who, s in both}
        labels = [(0.0, f"{low:.4g}"), (1.0, f"{high:.4g}")]
    heights = {
        who: [count / max(sum(counts), 1) / w for count, w in zip(counts, wide, strict=True)]
        for who, counts in bars.items()
    }
    top = max((h for hs in heights.values() for h in hs), default=0.0) or 1.0
    drawn = "".join(
        _bar(who, place, height / top)
        for who, hs in heights.items()
        for place, height in zip(places, hs, strict=True)
    )
    anchor = {0.0: "start", 1.0: "end"}
    texts = "".join(
        f'<text x="{WIDTH * x:.1f}" y="{HEIGHT + 10}" text-anchor="{anchor.get(x, "middle")}">'
        f"{escape(text)}</text>"
        for x, text in labels
    )
    return (
        f'<svg role="img" width="{WIDTH}" height="{HEIGHT + 14}" aria-label="Distribution of '
        f'{escape(name, quote=True)}">{drawn}{texts}</svg>'
    )


def _bar(who: str, place: tuple[float, float], height: float) -> str:
    left, right = (WIDTH * x for x in place)
    look = {"training": 'fill="#0072b2" fill-opacity=".45"'}.get(
        who, 'fill="none" stroke="#d55e00" stroke-width="1.5"'
    )
    wide = max(right - left - 1, 1)
    place_of_bar = f'x="{left:.1f}" y="{HEIGHT * (1 - height):.1f}"'
    return f'<rect {place_of_bar} width="{wide:.1f}" height="{HEIGHT * height:.1f}" {look}/>'
