"""House prices with a known truth: skewed, less certain for some, and largely explained."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression
from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import GridSearchCV

from datasets import make_house_prices
from patterns._kit.evidence import (
    Claim,
    Drawing,
    Experiment,
    Metrics,
    MetricsOfSeeds,
    Result,
    ratio,
)
from patterns._kit.figures import BASELINE, BEST, PATTERN
from patterns.reframing.evidence import Config
from patterns.reframing.evidence.forecasts import (
    LEVELS,
    ROLES,
    Forecast,
    Regression,
    binned,
    crps,
    log_residuals,
    quantile_boosting,
    quantile_forest,
    residual_boosting,
    trees,
)
from patterns.reframing.pattern import BinnedDistributionRegressor, neg_crps

COUNTS = (5, 10, 20, 50)  # numbers of bins


def measure(config: Config) -> Result:
    """Every method, and the number of bins of prices and of residuals."""
    train = make_house_prices(config.n_train, random_state=[config.seed, 0])
    test = make_house_prices(config.n_test, random_state=[config.seed, 1])
    X, y, X_test, y_test = train.X, train.y.to_numpy(), test.X, test.y.to_numpy()
    regressor = trees(HistGradientBoostingRegressor, config.seed)
    classifier = trees(HistGradientBoostingClassifier, config.seed)
    regression = Regression(regressor, X, y, X_test)
    forecasts = {
        "point_residuals": regression.with_errors(),
        "log_residuals": log_residuals(regressor, X, y, X_test),
        "quantile_forest": quantile_forest(X, y, X_test, config),
        "quantile_boosting": quantile_boosting(X, y, X_test, config),
        "residual_boosting": residual_boosting(regression, config),
        "binned_trees": binned(X, y, X_test, config.n_bins, classifier),
        "binned_logistic": binned(X, y, X_test, config.n_bins),
        "centered_logistic": binned(X, y, X_test, config.n_bins, None, regressor),
        "oracle": Forecast(
            test.oracle_mean(X_test),
            lambda at: test.oracle_cdf(X_test, at),
            test.oracle_quantile(X_test, LEVELS[None]),
        ),
    }
    metrics: dict[str, float] = {}
    for name, forecast in forecasts.items():
        metrics[f"prices.{name}.crps"] = crps(forecast, y_test).mean()
        metrics[f"prices.{name}.rmse"] = root_mean_squared_error(y_test, forecast.mean)

    for n_bins in COUNTS:
        for binning, line in (("prices", None), ("residuals", LinearRegression())):
            score = crps(binned(X, y, X_test, n_bins, regressor=line), y_test).mean()
            metrics[f"how_many.{n_bins}.crps_{binning}"] = score
    search = GridSearchCV(
        BinnedDistributionRegressor(), {"n_bins": COUNTS}, scoring=neg_crps, cv=3
    ).fit(X, y)
    metrics["how_many.chosen.crps_prices"] = -neg_crps(search, X_test, y_test)
    return Result(metrics)


def draw(metrics: MetricsOfSeeds) -> Figure:
    """CRPS against the number of bins, of the prices and of a line's residuals."""
    figure, axis = plt.subplots(figsize=(6.5, 3.4))
    for binning, color, label in (
        ("prices", BASELINE, "bins of the price"),
        ("residuals", PATTERN, "bins of the residuals of a line"),
    ):
        scores = np.array([metrics[f"how_many.{n}.crps_{binning}"] for n in COUNTS])
        axis.plot(COUNTS, scores.mean(axis=1), "o-", color=color, label=label)
        axis.fill_between(
            COUNTS, scores.min(axis=1), scores.max(axis=1), color=color, alpha=0.15, lw=0
        )
    truth = float(np.mean(metrics["prices.oracle.crps"]))
    axis.axhline(truth, color=BEST, ls="--", lw=1.2, label="truth")
    axis.set_xscale("log")
    axis.set_xticks(COUNTS, [str(n) for n in COUNTS])
    axis.minorticks_off()
    axis.set(xlabel="number of bins", ylabel="CRPS", ylim=(0, None))
    axis.legend(loc="lower left")
    return figure


def better_of(metrics: Metrics, measure: str) -> float:
    """The lower score of the two classifiers over bins of the price."""
    return min(metrics[f"prices.{name}.{measure}"] for name in ("binned_trees", "binned_logistic"))


CLAIMS = [
    Claim(
        "bins-of-the-price-lose",
        "limit",
        "Where the features explain much of the target, bins of the target lose: on house prices, "
        "their CRPS is at least {at_least} times that of quantile boosting.",
        lambda m: better_of(m, "crps") / m["prices.quantile_boosting.crps"],
        at_least=1.1,
    ),
    Claim(
        "mean-of-the-price-loses",
        "limit",
        "There they lose the mean, too: its RMSE is at least {at_least} times that of a regression "
        "with trees.",
        lambda m: better_of(m, "rmse") / m["prices.point_residuals.rmse"],
        at_least=1.05,
    ),
    Claim(
        "centering-repairs-prices",
        "mechanism",
        "Centering repairs that: with bins of the regression's residuals, the CRPS of the same "
        "classifier is at most {at_most} times as large.",
        ratio("prices.centered_logistic.crps", "prices.binned_logistic.crps"),
        at_most=0.88,
    ),
    Claim(
        "boosted-residuals-as-good",
        "parity",
        "It is the centering that pays, not the classifier: the CRPS is {at_least} to {at_most} "
        "times that of quantile boosting of the same residuals.",
        ratio("prices.centered_logistic.crps", "prices.residual_boosting.crps"),
        at_least=0.97,
        at_most=1.03,
    ),
    Claim(
        "few-bins-on-prices",
        "limit",
        "How many bins are enough depends on the target: on house prices, five bins have at least "
        "{at_least} times the CRPS of twenty.",
        ratio("how_many.5.crps_prices", "how_many.20.crps_prices"),
        at_least=1.04,
    ),
    Claim(
        "a-search-finds-the-number",
        "parity",
        "A search by CRPS finds the number of bins: the CRPS with the number that it chooses is at "
        "most {at_most} times the lowest.",
        lambda m: (
            m["how_many.chosen.crps_prices"] / min(m[f"how_many.{n}.crps_prices"] for n in COUNTS)
        ),
        at_most=1.02,
    ),
]

EXPERIMENT = Experiment(
    question="What should be binned where the features explain much of the target?",
    data="synthetic",
    measure=measure,
    roles={
        "point_residuals": "baseline",
        "log_residuals": "baseline",
        **{name: ROLES[name] for name in ("quantile_forest", "quantile_boosting")},
        "residual_boosting": "baseline",
        "centered_logistic": "pattern",
        "oracle": "best possible",
        "chosen": "pattern",
    },
    claims=CLAIMS,
    figures=lambda metrics: {
        "prices_by_bins": Drawing(
            lambda: draw(metrics),
            "Few bins of the price are too wide, and many cannot be learned. Bins of the residuals "
            "of a mere line need fewer. Lines are means, bands reach from the best to the worst "
            "seed.",
            "CRPS against the number of bins: for bins of the residuals it is lower throughout.",
        )
    },
)
