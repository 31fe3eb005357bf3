"""A linear target with Gaussian noise, where bins lose and the reverse of the pattern gains."""

from __future__ import annotations

import numpy as np
import scoringrules
from scipy.stats import norm
from sklearn.linear_model import LinearRegression, LogisticRegression

from patterns._kit.evidence import Claim, Experiment, Result, ratio
from patterns.reframing.evidence import Config
from patterns.reframing.evidence.forecasts import FloatArray, Regression, binned, crps
from patterns.reframing.neighbors import exceedance_probability

N_ROWS = 300  # to learn from: where each row counts


def measure(config: Config) -> Result:
    """Means over small draws of a linear target: everything that a point forecast assumes holds."""
    rng = np.random.default_rng(config.seed)
    draws: list[dict[str, float]] = []
    for _ in range(config.n_repeats):
        slopes = rng.normal(size=5)
        slopes *= np.sqrt(3) / np.linalg.norm(slopes)
        X, X_test = rng.normal(size=(N_ROWS, 5)), rng.normal(size=(2000, 5))
        y, y_test = (Z @ slopes + rng.normal(size=len(Z)) for Z in (X, X_test))
        regression = Regression(LinearRegression(), X, y, X_test)
        centered = binned(X, y, X_test, config.n_bins, regressor=LinearRegression())
        found = {
            "point_gaussian": crps(regression.with_bell(), y_test).mean(),
            "binned_logistic": crps(binned(X, y, X_test, config.n_bins), y_test).mean(),
            "centered_logistic": crps(centered, y_test).mean(),
            "oracle": scoringrules.crps_normal(y_test, X_test @ slopes, 1.0).mean(),
        }
        draws.append({f"gaussian_noise.{name}.crps": value for name, value in found.items()})

        # The reverse: the probability of the top tenth, from a regression and from a classifier.
        threshold = 2 * norm.ppf(0.9)
        chance = norm.sf(threshold, X_test @ slopes, 1.0)
        classifier = LogisticRegression(C=np.inf, max_iter=1000).fit(X, y > threshold)
        for method, probability in {
            "classifier": classifier.predict_proba(X_test)[:, 1],
            "regression": exceedance_probability(
                regression.center, regression.residuals, threshold
            ),
        }.items():
            excess = expected_log_loss(chance, probability) - expected_log_loss(chance, chance)
            draws[-1][f"top_tenth.{method}.excess_log_loss"] = excess
    return Result({name: float(np.mean([draw[name] for draw in draws])) for name in draws[0]})


def expected_log_loss(truth: FloatArray, probability: FloatArray) -> float:
    """Log loss of a forecast probability, averaged over the labels that the truth would draw."""
    p = np.clip(probability, 1e-6, 1 - 1e-6)
    return float(-np.mean(truth * np.log(p) + (1 - truth) * np.log1p(-p)))


CLAIMS = [
    Claim(
        "gaussian-noise",
        "limit",
        "Where the noise is Gaussian and the target linear, bins of the target lose: from 300 "
        "rows, their CRPS is at least {at_least} times that of least squares with Gaussian errors.",
        ratio("gaussian_noise.binned_logistic.crps", "gaussian_noise.point_gaussian.crps"),
        at_least=1.04,
    ),
    Claim(
        "centering-on-gaussian-noise",
        "parity",
        "Centered on least squares, the bins lose next to nothing there: their CRPS is at most "
        "{at_most} times as large.",
        ratio("gaussian_noise.centered_logistic.crps", "gaussian_noise.point_gaussian.crps"),
        at_most=1.03,
    ),
    Claim(
        "exceedance-from-regression",
        "benefit",
        "The reverse gains there: on the probability of the top tenth, the excess log loss of a "
        "regression with its errors is at most {at_most} times that of a classifier.",
        ratio("top_tenth.regression.excess_log_loss", "top_tenth.classifier.excess_log_loss"),
        at_most=0.33,
        baseline="top_tenth.classifier.excess_log_loss",
    ),
]

EXPERIMENT = Experiment(
    question="What do bins cost where the noise is Gaussian, and what does the reverse gain?",
    data="synthetic",
    measure=measure,
    roles={
        "point_gaussian": "baseline",
        "binned_logistic": "pattern",
        "centered_logistic": "pattern",
        "oracle": "best possible",
        "classifier": "baseline",
        "regression": "pattern",
    },
    claims=CLAIMS,
)
