"""Rows whose label is wrong: their neighbors tell, and a held-out model tells as well."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from patterns._kit.evidence import Claim, Experiment, Result, ratio
from patterns.explainable_predictions.evidence import Config
from patterns.explainable_predictions.neighbors import suspicion

N_ROWS, FLIPPED = 1000, 0.05


def measure(config: Config) -> Result:
    """How well each score ranks the rows with flipped labels before the others."""
    data = load_digits()
    rng = np.random.default_rng([config.seed, 9])
    chosen = rng.permutation(len(data.data))[:N_ROWS]
    X, true = data.data[chosen] / 16, data.target[chosen]
    wrong = rng.random(N_ROWS) < FLIPPED
    labels = np.where(wrong, (true + rng.integers(1, 10, N_ROWS)) % 10, true)
    folds = StratifiedKFold(5, shuffle=True, random_state=config.seed)
    model = LogisticRegression(C=0.1, max_iter=300)
    held_out = cross_val_predict(model, X, labels, cv=folds, method="predict_proba")
    scores = {
        "held_out_probability": 1 - held_out[np.arange(N_ROWS), labels],
        "neighbors": suspicion(PCA(20, random_state=config.seed).fit_transform(X), labels),
    }
    worst = int(wrong.sum())
    return Result(
        {
            f"labels.{name}.{measure}": float(value)
            for name, score in scores.items()
            for measure, value in {
                "auc": roc_auc_score(wrong, score),
                "precision": wrong[np.argsort(-score, kind="stable")[:worst]].mean(),
            }.items()
        }
    )


CLAIMS = [
    Claim(
        "neighbors-find-wrong-labels",
        "parity",
        "Neighbors with other labels rank wrong labels at least as well as a held-out model does: "
        "their area under the ROC curve is {at_least} or more times as large.",
        ratio("labels.neighbors.auc", "labels.held_out_probability.auc"),
        at_least=0.995,
    ),
]

EXPERIMENT = Experiment(
    question="Do neighbors with other labels find the rows that are mislabeled?",
    data="real",
    measure=measure,
    roles={"held_out_probability": "baseline", "neighbors": "pattern"},
    claims=CLAIMS,
)
