"""Attributions explain the model: they are no effects, and a useless model has them too."""

from __future__ import annotations

import numpy as np
from scipy.special import expit
from sklearn.metrics import roc_auc_score
from xgboost import XGBClassifier, XGBRegressor

from patterns._kit.evidence import Claim, Experiment, Metrics, Result, metric, ratio
from patterns.explainable_predictions.evidence import Config
from patterns.explainable_predictions.pattern import explain

N_USELESS = 8  # models of random labels
BOOSTED = {"n_estimators": 80, "max_depth": 3, "learning_rate": 0.1, "n_jobs": 1}


def measure(config: Config) -> Result:
    """A sign of a hidden cause under intervention, and a model of labels that are random."""
    return Result(effects(config) | random_labels(config))


def effects(config: Config) -> dict[str, float]:
    """A hidden cause moves a sign and the outcome. The sign itself moves nothing.

    Both are generated, so the effect of setting the sign is known: the outcome is drawn again.
    """
    rng = np.random.default_rng([config.seed, 5])
    n = config.n_train + config.n_test
    cause, treatment, noise = rng.normal(size=(3, n))
    sign = cause + 0.5 * rng.normal(size=n)
    X = np.column_stack([sign, treatment])
    outcome = 2 * cause + treatment + 0.5 * noise
    train, test = slice(config.n_train), slice(config.n_train, None)
    model = XGBRegressor(**BOOSTED, random_state=config.seed).fit(X[train], outcome[train])
    found = explain(model, X[test], baseline="tree_paths")
    metrics: dict[str, float] = {}
    for j, (name, true_effect) in enumerate((("sign", 0.0), ("treatment", 1.0))):
        slope = np.polyfit(X[test][:, j], found.values[:, j], 1)[0]
        # The generator with this column set one higher: only a treatment reaches the outcome.
        moved = 2 * cause + (treatment + (name == "treatment")) + 0.5 * noise
        metrics |= {
            f"intervention.{name}.slope": float(slope),
            f"intervention.{name}.effect": float(np.mean(moved - outcome)),
        }
        assert np.isclose(metrics[f"intervention.{name}.effect"], true_effect)
    return metrics


def random_labels(config: Config) -> dict[str, float]:
    """The same features with their labels, and with the labels shuffled."""
    rng = np.random.default_rng([config.seed, 6])
    n = config.n_train + 4 * config.n_test
    X = rng.normal(size=(n, 8))
    y = (rng.random(n) < expit(X @ np.linspace(1, 0, 8))).astype(int)
    train, test = slice(config.n_train), slice(config.n_train, None)
    # The score of one useless model scatters around one half, so there are several.
    labels = {"true": [y[train]], "random": [rng.permutation(y[train]) for _ in range(N_USELESS)]}
    metrics: dict[str, float] = {}
    for name, several in labels.items():
        scores, sizes = [], []
        for one in several:
            model = XGBClassifier(**BOOSTED, random_state=config.seed).fit(X[train], one)
            scores.append(roc_auc_score(y[test], model.predict_proba(X[test])[:, 1]))
            found = explain(model, X[test], baseline="tree_paths")
            sizes.append(np.abs(found.values).sum(axis=1).mean())
        metrics |= {
            f"labels.{name}.auc": float(np.mean(scores)),
            f"labels.{name}.attribution": float(np.mean(sizes)),
        }
    return metrics


def of_a_useless_model(metrics: Metrics) -> float:
    """Attributions of the model of random labels, relative to the other, if it is useless."""
    useless = abs(metrics["labels.random.auc"] - 0.5) <= 0.06
    return ratio("labels.random.attribution", "labels.true.attribution")(metrics) * useless


CLAIMS = [
    Claim(
        "an-attribution-is-no-effect",
        "limit",
        "A sign of a hidden cause gets attributions that rise by {at_least} or more per unit, "
        "though to set the sign changes nothing.",
        metric("intervention.sign.slope"),
        at_least=1,
    ),
    Claim(
        "a-useless-model-has-attributions",
        "limit",
        "A model of random labels, whose predictions are worth nothing, has attributions of "
        "{at_least} or more times the size of those of a real one.",
        of_a_useless_model,
        at_least=0.14,
    ),
]

EXPERIMENT = Experiment(
    question="Do attributions say what a change in the world would do?",
    data="synthetic",
    measure=measure,
    roles={"sign": "pattern", "true": "pattern"},
    claims=CLAIMS,
)
