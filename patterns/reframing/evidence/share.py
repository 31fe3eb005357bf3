"""A share between 0 and 1, predicted by a soft label and by lines."""

from __future__ import annotations

import numpy as np
from scipy.special import expit
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import root_mean_squared_error

from patterns._kit.evidence import Claim, Experiment, Result, ratio
from patterns.reframing.evidence import Config
from patterns.reframing.neighbors import BoundedRegressor


def measure(config: Config) -> Result:
    """Means over small draws of a share that follows a beta distribution."""
    rng = np.random.default_rng([config.seed, 1])
    scores: dict[str, list[float]] = {}
    for _ in range(config.n_repeats):
        X, X_test = rng.normal(size=(200, 3)), rng.normal(size=(2000, 3))
        mean, mean_test = (expit(2 * Z @ [1.0, -0.5, 0.5]) * 0.98 + 0.01 for Z in (X, X_test))
        y, y_test = (rng.beta(4 * m, 4 * (1 - m)) for m in (mean, mean_test))
        line = LinearRegression().fit(X, y).predict(X_test)
        middle = np.clip(y, 0.005, 0.995)  # the logarithm of the odds of 0 and 1 is infinite
        odds = LinearRegression().fit(X, np.log(middle / (1 - middle))).predict(X_test)
        for name, prediction in {
            "line": line,
            "clipped_line": np.clip(line, 0, 1),
            "line_of_log_odds": expit(odds),
            "bounded": BoundedRegressor(0, 1, LogisticRegression(C=np.inf))
            .fit(X, y)
            .predict(X_test),
            "oracle": mean_test,
        }.items():
            scores.setdefault(name, []).append(root_mean_squared_error(y_test, prediction))
    return Result({f"share.{name}.rmse": float(np.mean(v)) for name, v in scores.items()})


CLAIMS = [
    Claim(
        "bounded-beats-clipped",
        "mechanism",
        "On a share of a whole, the RMSE of the bounded regression is at most {at_most} times that "
        "of a line that is clipped to the range.",
        ratio("share.bounded.rmse", "share.clipped_line.rmse"),
        at_most=0.95,
    ),
    Claim(
        "log-odds-as-good",
        "limit",
        "Where no share is exactly 0 or 1, a line of the logarithm of the odds does nearly as "
        "well: the RMSE of the bounded regression is at least {at_least} times as large.",
        ratio("share.bounded.rmse", "share.line_of_log_odds.rmse"),
        at_least=0.95,
    ),
]

EXPERIMENT = Experiment(
    question="Does a soft label predict a share better than a line?",
    data="synthetic",
    measure=measure,
    roles={
        "line": "baseline",
        "clipped_line": "baseline",
        "line_of_log_odds": "baseline",
        "bounded": "pattern",
        "oracle": "best possible",
    },
    claims=CLAIMS,
)
