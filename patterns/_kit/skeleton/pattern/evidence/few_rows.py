"""One question, with its data, methods, scores and claims: groups of few rows."""

from __future__ import annotations

import numpy as np

from patterns._kit.evidence import Claim, Experiment, Result, ratio
from patterns.SLUG import shrunken_means
from patterns.SLUG.evidence import Config


def measure(config: Config) -> Result:
    """Error of each method, with one seed."""
    rng = np.random.default_rng(config.seed)
    truth = rng.normal(size=config.n_groups)
    group = np.repeat(np.arange(config.n_groups), rng.integers(1, 11, size=config.n_groups))
    y = truth[group] + 2 * rng.normal(size=len(group))
    count = np.bincount(group)
    plain = np.bincount(group, weights=y) / count
    means = {
        "plain": plain,
        "shrunken": shrunken_means(y, group),
        "true_distribution": count * plain / (count + 4),
    }
    return Result(
        {
            f"few_rows.{method}.error": float(np.sqrt(np.mean((found - truth) ** 2)))
            for method, found in means.items()
        }
    )


# A finished pattern also has two claims of the kind "limit": where it does not help.
CLAIMS = [
    Claim(
        "less-error-from-few-rows",
        "benefit",
        "Where groups have 1 to 10 rows, the error is at most {at_most} of that of plain means.",
        ratio("few_rows.shrunken.error", "few_rows.plain.error"),
        at_most=0.9,
        baseline="few_rows.plain.error",
    ),
]

EXPERIMENT = Experiment(
    question="What do shrunken means gain where groups have few rows?",
    data="synthetic",
    measure=measure,
    roles={"plain": "baseline", "shrunken": "pattern", "true_distribution": "best possible"},
    claims=CLAIMS,
)
