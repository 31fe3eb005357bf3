"""Late flights: a leak, the baseline, and what is left of an explanation in another season."""

from __future__ import annotations

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.inspection import permutation_importance
from sklearn.metrics import roc_auc_score
from xgboost import XGBClassifier

from datasets import load_nyc_flights
from patterns._kit.evidence import Claim, Drawing, Experiment, Metrics, Result
from patterns.explainable_predictions.evidence import Config
from patterns.explainable_predictions.pattern import explain

PERIODS = {"jul_aug": (7, 8), "sep_oct": (9, 10), "nov_dec": (11, 12)}
KNOWN = ["month", "day", "hour", "minute", "weekday", "distance", "carrier", "origin", "dest"]
LEAK = "dep_delay"
LATE = 15  # minutes


# ---------------------------------------------------------------------------------- data
def load() -> pd.DataFrame:
    """Flights with their delay; carriers and airports as codes in the order of the alphabet."""
    columns = ["month", "day", "hour", "minute", "time_hour", "distance", "carrier", "origin"]
    frame = load_nyc_flights([*columns, "dest", "dep_delay", "arr_delay"]).frame
    frame = frame.dropna(subset=["arr_delay", LEAK])
    local = frame["time_hour"].dt.tz_convert("America/New_York")
    frame = frame.assign(weekday=local.dt.day_of_week)
    for name in ("carrier", "origin", "dest"):
        codes = {value: code for code, value in enumerate(sorted(frame[name].unique()))}
        frame[name] = frame[name].map(codes).astype(float)
    return frame


def fit(frame: pd.DataFrame, columns: list[str], config: Config) -> XGBClassifier:
    """Boosted trees of whether a flight arrives more than a quarter of an hour late."""
    model = XGBClassifier(
        n_estimators=100, max_depth=5, learning_rate=0.1, n_jobs=1, random_state=config.seed
    )
    return model.fit(frame[columns], frame["arr_delay"] > LATE)


# ---------------------------------------------------------------------------------- scores
def measure(config: Config) -> Result:
    """Scores with the leak before and at departure, and how attributions depend on the baseline."""
    frame = load()
    rng = np.random.default_rng([config.seed, 10])
    first = frame[frame["month"] <= 6]
    train = first.iloc[rng.permutation(len(first))[: config.n_flights]]
    columns = [*KNOWN, LEAK]
    leaking, clean = fit(train, columns, config), fit(train, KNOWN, config)
    metrics: dict[str, float] = {}
    for period, months in PERIODS.items():
        later = frame[frame["month"].isin(months)]
        test = later.iloc[rng.permutation(len(later))[: config.n_flights_test]]
        late = test["arr_delay"] > LATE
        served = test[columns].assign(**{LEAK: np.nan})  # before departure nobody knows it
        shown = explain(leaking, test[columns], baseline="tree_paths").importance()
        metrics |= {
            f"leak.{period}.auc_test": roc_auc_score(
                late, leaking.predict_proba(test[columns])[:, 1]
            ),
            f"leak.{period}.auc_served": roc_auc_score(late, leaking.predict_proba(served)[:, 1]),
            f"leak.{period}.auc_clean": roc_auc_score(late, clean.predict_proba(test[KNOWN])[:, 1]),
            f"leak.{period}.share": shown[LEAK] / shown.sum(),
        }
        metrics |= moved(clean, test, train, period, config)
    asked = test[KNOWN][:200]
    few, many = train[KNOWN].iloc[:100], train[KNOWN].iloc[100:400]
    by_paths = explain(clean, asked, baseline="tree_paths").values
    by_few = explain(clean, asked, baseline=few).values
    by_many = explain(clean, asked, baseline=many).values
    for name, values in (("tree_paths", by_paths), ("rows_100", by_few)):
        top = np.abs(values).argmax(axis=1) == np.abs(by_many).argmax(axis=1)
        metrics |= {
            f"baseline.{name}.same_top": float(top.mean()),
            f"baseline.{name}.difference": np.abs(values - by_many).sum() / np.abs(by_many).sum(),
        }
    return Result(metrics, {"flights_beeswarm": beeswarm(clean, test)})


def moved(
    model: XGBClassifier, test: pd.DataFrame, train: pd.DataFrame, period: str, config: Config
) -> dict[str, float]:
    """How far the log-odds move when the feature that a method names is redrawn.

    Each method names one feature of each flight. Its value is replaced by those of baseline rows.
    """
    rows, asked = train[KNOWN].iloc[:50], test[KNOWN].iloc[:200]
    local = np.abs(explain(model, asked, baseline="tree_paths").values)
    shuffled = permutation_importance(
        *(model, test[KNOWN], test["arr_delay"] > LATE),
        scoring="roc_auc",
        n_repeats=2,
        random_state=config.seed,
        n_jobs=1,
    ).importances_mean
    margin = model.predict(asked, output_margin=True)
    moves = np.empty(local.shape)
    for j, name in enumerate(KNOWN):
        mixed = asked.loc[asked.index.repeat(len(rows))].copy()
        mixed[name] = np.tile(rows[name].to_numpy(), len(asked))
        redrawn = model.predict(mixed, output_margin=True).reshape(len(asked), -1).mean(axis=1)
        moves[:, j] = np.abs(margin - redrawn)
    every = np.arange(len(asked))
    named = {
        "shuffling": np.full(len(asked), shuffled.argmax()),
        "mean_attribution": np.full(len(asked), local.mean(axis=0).argmax()),
        "attribution": local.argmax(axis=1),
        "redrawing": moves.argmax(axis=1),
    }
    return {f"named.{name}.{period}": float(moves[every, j].mean()) for name, j in named.items()}


# ---------------------------------------------------------------------------------- figure
def beeswarm(model: XGBClassifier, test: pd.DataFrame) -> Drawing:
    """The plots of shap: all flights, and the flight with the highest chance of being late."""
    found = explain(model, test[KNOWN], baseline="tree_paths")
    latest = int(found.values.sum(axis=1).argmax())

    def draw() -> Figure:
        shown = found.to_shap()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # shap's plots use what NumPy and Matplotlib will drop
            import shap  # here, because it takes seconds to import

            figure, axes = plt.subplots(1, 2, figsize=(12, 4.4))
            np.random.seed(0)  # noqa: NPY002 - shap spreads the points by the global generator
            shap.plots.beeswarm(shown, ax=axes[0], plot_size=None, show=False)
            plt.sca(axes[1])
            shap.plots.waterfall(shown[latest], show=False)
            figure.set_size_inches(13, 4.6)
        axes[0].set(title="all flights", xlabel="attribution, log-odds of being late")
        axes[1].set_title("one flight")
        return figure

    return Drawing(
        draw,
        "Left: each point is a flight, placed by the attribution and colored by the value of the "
        "feature. Right: from the base value to the prediction of the flight that is most likely "
        "to be late. Both are plots of the package shap.",
        "A beeswarm of nine features, and a waterfall of one flight.",
    )


def worst(metrics: Metrics, one: str, other: str) -> float:
    """The least ratio of two columns of the leak over the periods."""
    return min(metrics[f"leak.{p}.{one}"] / metrics[f"leak.{p}.{other}"] for p in PERIODS)


def least_share(metrics: Metrics) -> float:
    """Of the leak in all attributions, over the periods."""
    return min(metrics[f"leak.{p}.share"] for p in PERIODS)


def least_gain(metrics: Metrics) -> float:
    """How much further the feature moves that the flight's own attribution names, at least."""
    return min(
        metrics[f"named.attribution.{p}"] / metrics[f"named.mean_attribution.{p}"] for p in PERIODS
    )


def most_of_redrawing(metrics: Metrics) -> float:
    """The same, relative to the feature that redrawing names, at most."""
    return max(metrics[f"named.attribution.{p}"] / metrics[f"named.redrawing.{p}"] for p in PERIODS)


CLAIMS = [
    Claim(
        "leak-is-named",
        "mechanism",
        "The departure delay, which nobody knows when the model is asked, has {at_least} or more "
        "of the attributions in each test period.",
        least_share,
        at_least=0.5,
    ),
    Claim(
        "leak-breaks-when-served",
        "mechanism",
        "Served without it, the model has at most {at_most} of its area under the ROC curve, in "
        "the period where it loses most.",
        lambda metrics: worst(metrics, "auc_served", "auc_test"),
        at_most=0.8,
    ),
    Claim(
        "the-baseline-changes-the-answer",
        "mechanism",
        "Rows or paths as the baseline: they name the same feature first for at most {at_most} of "
        "the flights.",
        lambda metrics: metrics["baseline.tree_paths.same_top"],
        at_most=0.95,
    ),
    Claim(
        "a-hundred-rows-are-few",
        "mechanism",
        "A hundred baseline rows, where shap stops counting, differ from 300 others by {at_least} "
        "or more of the attributions.",
        lambda metrics: metrics["baseline.rows_100.difference"],
        at_least=0.05,
    ),
    Claim(
        "own-attributions-name-what-moves",
        "mechanism",
        "The feature that a flight's own attribution names moves its prediction {at_least} or "
        "more times as far as the feature that is first on average, in each test period.",
        least_gain,
        at_least=1.05,
    ),
    Claim(
        "ask-the-model-what-one-change-does",
        "limit",
        "Who wants to know which single feature moves a prediction most asks the model: the "
        "attribution names one that moves it at most {at_most} times as far.",
        most_of_redrawing,
        at_most=1.0,
    ),
]

EXPERIMENT = Experiment(
    question="What do predictions of late flights rest on, and against what?",
    data="real",
    measure=measure,
    roles={"jul_aug": "pattern", "attribution": "pattern", "shuffling": "baseline"},
    claims=CLAIMS,
)
