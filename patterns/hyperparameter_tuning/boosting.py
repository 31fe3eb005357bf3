"""XGBoost as a trial: its search space, and training that gives a loss after every few rounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import xgboost as xgb
from numpy.typing import ArrayLike
from optuna import Trial


def suggest_xgboost(trial: Trial) -> dict[str, Any]:
    """Six parameters, each on its scale.

    What acts as a factor is drawn on a logarithmic scale: a learning rate of 0.01 is as far from
    0.03 as 0.1 is from 0.3. Shares and depths are drawn on a linear one.
    """
    return {
        "learning_rate": trial.suggest_float("learning_rate", 0.01, 0.5, log=True),
        "max_depth": trial.suggest_int("max_depth", 2, 10),
        "min_child_weight": trial.suggest_float("min_child_weight", 0.5, 50, log=True),
        "subsample": trial.suggest_float("subsample", 0.4, 1),
        "colsample_bytree": trial.suggest_float("colsample_bytree", 0.3, 1),
        "reg_lambda": trial.suggest_float("reg_lambda", 0.01, 100, log=True),
    }


def xgboost_losses(
    params: Mapping[str, Any],
    train: xgb.DMatrix,
    validation: xgb.DMatrix,
    loss: Callable[[ArrayLike, ArrayLike], float],
    n_rounds: int,
    every: int = 5,
) -> Iterator[tuple[int, float]]:
    """Boost, and give the number of rounds and the validation loss after every few rounds.

    Parameters
    ----------
    params : mapping
        As for ``xgboost.train``.
    train, validation : DMatrix
    loss : function of true and predicted values, such as ``sklearn.metrics.log_loss``
    n_rounds : int
    every : int, default 5
        Rounds from one loss to the next. To predict and to report takes time too.
    """
    booster = xgb.Booster(dict(params), [train, validation])  # it remembers their predictions
    for i in range(1, n_rounds + 1):
        booster.update(train, i - 1)
        if i % every == 0 or i == n_rounds:
            yield i, float(loss(validation.get_label(), booster.predict(validation)))
