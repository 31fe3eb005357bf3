"""A grid and a random search of the same size on bowls, of which some parameters matter."""

from __future__ import annotations

import itertools

import numpy as np

from patterns._kit.evidence import Claim, Experiment, Result, metric
from patterns.hyperparameter_tuning.evidence import Config

WEIGHTS = np.array([1, 0.5, 0.25, 0.125])  # of the parameters that matter
SIZES = {2: 8, 4: 3}  # points of the grid on each axis, by the number of parameters
WORDS = {1: "one", 2: "two", 3: "three", 4: "four"}


def measure(config: Config) -> Result:
    """Mean loss of the best point, and how often the random search has the better one."""
    rng = np.random.default_rng(config.seed)
    metrics: dict[str, float] = {}
    for n_parameters, n_points in SIZES.items():
        axis = (np.arange(n_points) + 0.5) / n_points
        grid = np.array(list(itertools.product(axis, repeat=n_parameters)))
        for n_relevant in range(1, n_parameters + 1):
            weights = np.zeros(n_parameters)
            weights[:n_relevant] = WEIGHTS[:n_relevant]
            optima = rng.uniform(size=(config.n_optima, n_parameters))
            draws = rng.uniform(size=(config.n_optima, len(grid), n_parameters))
            of_grid = (weights * (grid - optima[:, None]) ** 2).sum(axis=2).min(axis=1)
            of_draws = (weights * (draws - optima[:, None]) ** 2).sum(axis=2).min(axis=1)
            task = f"{WORDS[n_relevant]}_of_{WORDS[n_parameters]}_parameters"
            better = float(np.mean(of_draws < of_grid))
            for name, found, wins in (("grid", of_grid, 1 - better), ("random", of_draws, better)):
                metrics[f"{task}.{name}.loss"] = float(found.mean())
                metrics[f"{task}.{name}.wins"] = wins
    return Result(metrics)


CLAIMS = [
    Claim(
        "random-beats-a-grid-where-few-parameters-matter",
        "benefit",
        "Where one or two of four parameters matter, the best of 81 random points beats a grid of "
        "81 in at least a share of {at_least} of the problems.",
        lambda m: min(
            1 - m["one_of_four_parameters.grid.wins"], 1 - m["two_of_four_parameters.grid.wins"]
        ),
        at_least=0.8,
        baseline="two_of_four_parameters.grid.wins",
    ),
    Claim(
        "a-grid-is-as-good-where-all-matter",
        "limit",
        "Where all four parameters matter, it does so in a share of at most {at_most}: a grid is "
        "as good.",
        metric("four_of_four_parameters.random.wins"),
        at_most=0.55,
    ),
    Claim(
        "a-grid-is-better-in-two-dimensions",
        "limit",
        "Of two parameters that both matter, 64 random points beat a grid of 64 in a share of at "
        "most {at_most}.",
        metric("two_of_two_parameters.random.wins"),
        at_most=0.48,
    ),
]

EXPERIMENT = Experiment(
    question="Is a random search better than a grid?",
    data="synthetic",
    measure=measure,
    roles={"grid": "baseline", "random": "pattern"},
    claims=CLAIMS,
)
