"""Charts with a slider: Vega-Lite specifications, and the recorded values that they show."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from html import escape
from pathlib import Path
from typing import Any

from patterns._kit.cards import ROOT
from patterns._kit.evidence import Evidence

CHARTS = ROOT / "docs" / "charts"


def chart_snippets(slug: str, evidence: Evidence) -> dict[str, str]:
    """The chart of a pattern's page by the name of its snippet; none where there is no chart."""
    path = CHARTS / f"{slug}.json"
    return {"chart": chart_html(path, evidence)} if path.exists() else {}


def chart_html(path: Path, evidence: Evidence) -> str:
    """A specification with its values, for ``docs/chart.js`` to draw."""
    spec = filled(json.loads(path.read_text("utf-8")), evidence)
    text = json.dumps(spec, ensure_ascii=False).replace("<", "\\u003c")  # no tag ends the script
    return (
        f'<figure class="chart">\n<p class="chart-title">{escape(spec["title"])}</p>\n'
        '<div class="chart-slider"></div>\n'
        '<p class="chart-says" aria-live="polite">The chart and its slider need JavaScript. '
        "The tables under Evidence have its numbers.</p>\n"
        f'<div class="chart-view" role="img" aria-label="{escape(spec["description"])}">'
        '<div aria-hidden="true"></div></div>\n'
        f"<figcaption>{escape(spec['usermeta']['caption'])}</figcaption>\n"
        f'<script type="application/json">{text}</script>\n</figure>\n'
    )


def filled(spec: dict[str, Any], evidence: Evidence) -> dict[str, Any]:
    """A specification with the values that it names, and the settings as the parameter `config`."""
    values = [row for name in spec["usermeta"]["results"] for row in rows(evidence, name)]
    params = [{"name": "config", "value": dict(evidence.config)}, *spec["params"]]
    return spec | {"params": params, "data": {"values": values}}


def rows(evidence: Evidence, wanted: str) -> list[dict[str, Any]]:
    """One row per seed of each metric whose "experiment.task.method.metric" matches ``wanted``.

    Raises
    ------
    ValueError
        When no metric does.
    """
    found = []
    for experiment, findings in evidence.experiments.items():
        for name, values in findings.metrics.items():
            if fnmatchcase(f"{experiment}.{name}", wanted):
                task, method, metric = name.split(".")
                role = findings.roles.get(method, "variant")
                of = {"task": task, "method": method, "role": role, "metric": metric}
                seeds = zip(evidence.seeds, values, strict=True)
                found += [{**of, "seed": seed, "value": value} for seed, value in seeds]
    if not found:
        raise ValueError(f"no recorded metric of {evidence.pattern} matches {wanted!r}")
    return found
