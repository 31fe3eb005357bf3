"""Explainable predictions: show what each prediction of a model rests on, and against what.

Accuracy does not say why. An attribution gives each feature its share of the difference between a
prediction and the mean prediction of stated baseline rows. `explain` takes the fastest route that
is exact for the model, and checks the sum against the real model. It explains the model, not the
world: an attribution is no effect, and a sum that is right proves no share.

Source: Lakshmanan, Robinson, Munn, "Machine Learning Design Patterns" (2020), chapter 7.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable, Hashable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import comb
from sklearn.compose import ColumnTransformer
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    GammaRegressor,
    LogisticRegression,
    PoissonRegressor,
    TweedieRegressor,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

if TYPE_CHECKING:
    import shap

FloatArray = NDArray[np.float64]
TREE_PATHS = "tree_paths"
MAX_FEATURES = 12  # features whose coalitions are enumerated: 4096 of them
BLOCK = 200_000  # rows that a model is asked for at a time
TOLERANCE = 1e-4  # of the largest output: a thousand trees in single precision stay below

FORESTS = (
    *(RandomForestClassifier, RandomForestRegressor, ExtraTreesClassifier, ExtraTreesRegressor),
    *(DecisionTreeClassifier, DecisionTreeRegressor),
)
BOOSTED = GradientBoostingClassifier, GradientBoostingRegressor
HISTOGRAM = HistGradientBoostingClassifier, HistGradientBoostingRegressor
# Of the sum of the trees, by how the name of the objective starts; the first that fits counts.
LOGISTIC = dict.fromkeys(("binary:logi", "reg:logistic"), "log-odds")
LOG = dict.fromkeys(("count", "reg:gamma", "reg:tweedie", "survival"), "log")
XGBOOST_LINKS = LOGISTIC | LOG | {"multi": "logits", "reg": "identity"}


class AdditivityError(ValueError):
    """The attributions do not sum to the output of the model: they would be wrong."""


@dataclass(frozen=True, eq=False)
class Attributions:
    """What each feature adds to each prediction, beside what it adds up from and to.

    Attributes
    ----------
    values : array of shape (n_rows, n_features), or (n_rows, n_features, n_outputs)
        In the unit of the link.
    base_value : array of shape () or (n_outputs,)
        The mean output over the baseline, where the sum starts.
    data : frame of shape (n_rows, n_features), the rows
    output_names : tuple of str
        The classes, or the outputs of a regression with several targets. Of two classes, the second
        one.
    link : {"identity", "log-odds", "logits", "log", "probability", "margin"}
        The scale on which the attributions add up. Log-odds are no probabilities.
    baseline : str
        What the rows are compared with.
    method : str
        How the attributions were computed.
    error : array of shape (n_rows,) or (n_rows, n_outputs)
        Output of the real model minus base value minus attributions. For integrated gradients it is
        their completeness error; elsewhere it is rounding.
    """

    values: FloatArray
    base_value: FloatArray
    data: pd.DataFrame
    output_names: tuple[str, ...]
    link: str
    baseline: str
    method: str
    error: FloatArray

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: int | slice | ArrayLike) -> Attributions:
        """Some of the rows; one row stays a table of one row."""
        which = np.arange(len(self))[rows if isinstance(rows, slice) else np.atleast_1d(rows)]
        values, error = self.values[which], self.error[which]
        return replace(self, values=values, data=self.data.iloc[which], error=error)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Of the columns of ``values`` and ``data``."""
        return tuple(self.data.columns)

    def output(self, name: Hashable) -> Attributions:
        """One of several outputs.

        Raises
        ------
        ValueError
            For a name that is no output.
        """
        if str(name) not in self.output_names:
            raise ValueError(f"output must be one of {self.output_names}, got {name!r}")
        if self.values.ndim == 2:
            return self
        at, names = self.output_names.index(str(name)), (str(name),)
        values, base, error = self.values[..., at], self.base_value[at], self.error[:, at]
        return replace(self, values=values, base_value=base, error=error, output_names=names)

    def grouped(self, groups: Mapping[str, Sequence[str]]) -> Attributions:
        """Sum columns that mean one thing: those of a one-hot encoding, or copies.

        ``groups`` maps the name of each group to its columns. Columns without a group stay. A group
        stands where its first column stood.

        Raises
        ------
        ValueError
            For a column that is not there or is in two groups, and for a name that is taken.
        """
        group_of: dict[Hashable, str] = {
            column: name for name, columns in groups.items() for column in columns
        }
        if len(group_of) < sum(map(len, groups.values())) or set(group_of) - {*self.data}:
            raise ValueError(f"each column must be one of {[*self.data]}, in one group: {groups}")
        if taken := {*groups} & ({*self.data} - {*group_of}):
            raise ValueError(f"the group names {sorted(taken)} are columns that are not grouped")
        source = [group_of.get(column, str(column)) for column in self.data]
        names = list(dict.fromkeys(source))
        members = {
            name: [c for c, s in zip(self.data, source, strict=True) if s == name] for name in names
        }
        data = {
            name: self.data[columns[0]] if len(columns) == 1 else _joined(self.data[columns])
            for name, columns in members.items()
        }
        values = sum_by_source(self.values, source, names)
        return replace(self, values=values, data=pd.DataFrame(data, index=self.data.index))

    def importance(self) -> pd.Series[float]:
        """Mean absolute attribution of each feature over rows and outputs, largest first."""
        mean = np.abs(self.values).mean(axis=(0, *range(2, self.values.ndim)))
        return pd.Series(mean, self.feature_names).sort_values(ascending=False, kind="stable")

    def to_shap(self) -> shap.Explanation:
        """For the plots of the package shap, such as ``shap.plots.beeswarm``.

        Raises
        ------
        ModuleNotFoundError
            Without the package shap.
        """
        shap = _shap()
        numbers = self.data.apply(_numbers).to_numpy(float)  # a beeswarm colors numbers
        return shap.Explanation(
            values=self.values,
            base_values=np.broadcast_to(self.base_value, self.error.shape),
            data=numbers,
            display_data=self.data.to_numpy(),
            feature_names=list(self.feature_names),
            output_names=list(self.output_names) if self.values.ndim == 3 else None,
        )

    def __str__(self) -> str:
        about = (
            f"{len(self)} rows, in units of {self.link}, against {self.baseline} ({self.method}; "
            f"largest error of a sum {np.abs(self.error).max():.2g})"
        )
        parts = [about]
        for name in self.output_names:
            one = self.output(name)
            if len(self) == 1:
                table = pd.DataFrame({"value": one.data.iloc[0], "attribution": one.values[0]})
                order = np.argsort(-np.abs(one.values[0]), kind="stable")
                total = one.base_value + one.values.sum()
                found = f"{name}: {one.base_value:.4g} + attributions = {total:.4g}"
                table = table.iloc[order]
            else:
                found = f"{name}: base value {one.base_value:.4g}, mean absolute attributions"
                table = one.importance().to_frame("attribution")
            numbers = table.to_string(formatters={"attribution": "{:+.4g}".format})
            parts.append(f"{found}\n{numbers}")
        return "\n\n".join(parts)


def explain(
    model: Any,
    X: Any,
    *,
    baseline: Any,
    link: str | None = None,
    n_steps: int = 100,
) -> Attributions:
    """Attribute predictions to features: exact Shapley values, or integrated gradients.

    ============================  =============================  =================================
    model                         baseline: rows                 baseline: "tree_paths"
    ============================  =============================  =================================
    XGBoost                       all trees against all rows     XGBoost's own
    forest, gradient boosting     all trees against all rows     all trees
    histogram gradient boosting   all coalitions                 all trees, no native categories
    linear                        coefficients                   refused
    network of Keras              integrated gradients           refused
    other model or function       all coalitions                 refused
    ============================  =============================  =================================

    All coalitions of at most 12 features are enumerated, with any columns that the model takes. A
    pipeline is explained by its last step where that is linear or, with "tree_paths", has trees;
    the columns of an encoder are summed to the column that they come from. Otherwise a pipeline is
    a model like others.

    Parameters
    ----------
    model : fitted model, pipeline, ``xgboost.Booster``, ``keras.Model`` of one input, or function
        A function takes rows and returns an array of shape (n_rows,) or (n_rows, n_outputs).
    X : frame or array of shape (n_rows, n_features)
        For a network, an array of any shape (n_rows, ...); its elements become the features.
    baseline : rows like ``X``, or "tree_paths"
        What "without this feature" means. Rows: the value is drawn from them, independently of
        other features, and all of them are used. "tree_paths": the trees follow both ways, as
        often as training rows did; this depends on how features vary together.
    link : {"log-odds", "logits", "probability", ...}, optional
        The scale. The default is the one on which the model adds up. "probability" needs
        enumeration where that is another.
    n_steps : int, default 100
        Steps of integrated gradients. `Attributions.error` says whether they are enough.

    Raises
    ------
    AdditivityError
        When attributions of an exact route miss the output of the model.
    ValueError, TypeError
        For rows that are no baseline of this model, and for what no route computes rightly.
    """
    keras = sys.modules.get("keras")  # who has a network has imported it
    if keras is not None and isinstance(model, keras.Model):
        return _explain_network(model, X, baseline, link, n_steps)
    X = _table(X, "X")
    paths = isinstance(baseline, str) and baseline == TREE_PATHS
    if isinstance(baseline, str) and not paths:
        raise ValueError(f'baseline must be rows or "{TREE_PATHS}", got {baseline!r}')
    rows = None if paths else _like(_table(baseline, "baseline"), X)
    if isinstance(model, Pipeline) and (found := _explain_last_step(model, X, rows, link)):
        return found
    real = _output(model, link)
    route, method = _route(model, X, rows, real)
    output = real.predict(X)
    values, base = route(model, X, rows, real)
    error = output - base - values.sum(axis=1)
    worst, scale = np.abs(error).max(), max(1.0, np.abs(output).max())
    if not worst <= TOLERANCE * scale:
        raise AdditivityError(
            f"the attributions ({method}) miss the output of {type(model).__name__} by up to "
            f"{worst:.2g}, so they are wrong; with at most {MAX_FEATURES} features, give a "
            "function that calls the model: its coalitions are enumerated"
        )
    against = "the paths of the training rows" if rows is None else f"{len(rows)} baseline rows"
    return _attributions(values, base, _named(X), real, against, method, error)


# ---------------------------------------------------------------------------- the three ideas
def shapley_values(worth: FloatArray) -> FloatArray:
    """Shapley values by their definition (Shapley, 1953).

    Parameters
    ----------
    worth : array of shape (2 ** n_players, ...)
        Of each coalition: player ``j`` is a member of coalition ``i`` if bit ``j`` of ``i`` is set.

    Returns
    -------
    array of shape (n_players, ...)
        What a player adds to a coalition, averaged over all orders in which players may join.
    """
    n_players = len(worth).bit_length() - 1
    coalitions = np.arange(len(worth))
    values = np.empty((n_players, *worth.shape[1:]))
    # --8<-- [start:ex-shapley]
    size = np.bitwise_count(coalitions)
    for player in range(n_players):
        without = coalitions[coalitions >> player & 1 == 0]
        share = 1 / (n_players * comb(n_players - 1, size[without]))
        added = worth[without | 1 << player] - worth[without]
        values[player] = np.tensordot(share, added, axes=1)
    # --8<-- [end:ex-shapley]
    return values


def coalition_worth(predict: Callable[[Any], ArrayLike], X: Any, baseline: Any) -> FloatArray:
    """Mean output of a model when only a coalition of features has the values of a row.

    Parameters
    ----------
    predict : function of rows that returns shape (n_rows,) or (n_rows, n_outputs)
    X, baseline : frames or arrays of shapes (n_rows, n_features) and (n_baseline, n_features)

    Returns
    -------
    array of shape (2 ** n_features, n_rows, n_outputs)
        The other features have the values of the baseline rows, each of which counts the same.
    """
    n, b, m = len(X), len(baseline), X.shape[1]
    worth = []
    # --8<-- [start:ex-baseline]
    own = np.repeat(np.arange(n), b)[:, None]
    other = n + np.tile(np.arange(b), n)[:, None]
    for coalition in range(2**m):
        member = coalition >> np.arange(m) & 1 == 1
        mixed = _take(X, baseline, np.where(member, own, other))
        worth.append(np.reshape(predict(mixed), (n, b, -1)).mean(axis=1))
    # --8<-- [end:ex-baseline]
    return np.asarray(worth, dtype=float)


def integrated_gradients(
    gradient: Callable[[Any], ArrayLike], X: ArrayLike, baseline: ArrayLike, n_steps: int = 100
) -> FloatArray:
    """Attributions of a smooth function (Sundararajan, Taly, Yan, 2017), by the midpoint rule.

    Parameters
    ----------
    gradient : function of rows of shape (n_rows, ...) that returns the same shape
    X, baseline : arrays of shapes (n_rows, ...) and (n_baseline, ...)
        The attributions are a mean over the baseline rows.

    Returns
    -------
    array of the shape of ``X``
        They sum to output minus mean output of the baseline, up to the error of the rule.
    """
    X, baseline = np.asarray(X, dtype=float), np.asarray(baseline, dtype=float)
    values = np.zeros_like(X)
    # --8<-- [start:ex-gradients]
    for start in baseline:
        for step in range(n_steps):
            between = start + (step + 0.5) / n_steps * (X - start)
            values += (X - start) * gradient(between)
    values /= len(baseline) * n_steps
    # --8<-- [end:ex-gradients]
    return values


def sum_by_source(values: FloatArray, source: Sequence[str], names: Sequence[str]) -> FloatArray:
    """Sum attributions of columns that come from one column.

    Parameters
    ----------
    values : array of shape (n_rows, n_columns) or (n_rows, n_columns, n_outputs)
    source : sequence of n_columns names
        Where each column comes from.
    names : sequence of n_names names
        The order of the answer; a name without columns gets zeros.

    Returns
    -------
    array of shape (n_rows, n_names) or (n_rows, n_names, n_outputs)
    """
    # --8<-- [start:ex-groups]
    summed = np.zeros((len(values), len(names), *values.shape[2:]))
    for column, name in enumerate(source):
        summed[:, names.index(name)] += values[:, column]
    # --8<-- [end:ex-groups]
    return summed


# ---------------------------------------------------------------------------- what is explained
class _Output(NamedTuple):
    """A function of rows that returns shape (n_rows, n_outputs), and what its columns are."""

    predict: Callable[[Any], FloatArray]
    link: str
    classes: Sequence[Any] | None = None


def _output(model: Any, link: str | None) -> _Output:
    """The output on the scale that is asked for; by default, that on which the model adds up."""
    natural = _natural_output(model)
    if link in (None, natural.link):
        return natural
    has = [natural.link]
    if hasattr(model, "predict_proba") and "probability" not in has:
        has.append("probability")
    if link not in has:
        raise ValueError(f"link must be one of {has} for {type(model).__name__}, got {link!r}")
    return _class_output(model, model.predict_proba, "probability")


def _natural_output(model: Any) -> _Output:
    if _is_xgboost(model):
        booster, link = _booster(model), _xgboost_link(_booster(model))

        def margin(X: Any) -> FloatArray:
            return booster.predict(_matrix(model, X), output_margin=True)

        return _class_output(model, margin, link)
    if not hasattr(model, "predict"):
        if not callable(model):
            raise TypeError(f"model must be a function or have predict, got {model!r}")
        return _Output(_as_columns(model), "identity")
    if not hasattr(model, "classes_"):
        if _has_log_link(model):
            return _Output(_as_columns(lambda X: np.log(model.predict(X))), "log")
        return _Output(_as_columns(model.predict), "identity")
    if _is_linear(model) or isinstance(model, BOOSTED + HISTOGRAM):
        logistic = LogisticRegression, LinearDiscriminantAnalysis, HistGradientBoostingClassifier
        if isinstance(model, logistic) or getattr(model, "loss", None) == "log_loss":
            link = "log-odds" if len(model.classes_) == 2 else "logits"
        else:
            link = "margin"
        return _class_output(model, model.decision_function, link)
    if not hasattr(model, "predict_proba"):
        raise TypeError(
            f"{type(model).__name__} predicts no probabilities; give a function that returns the "
            "numbers to explain"
        )
    return _class_output(model, model.predict_proba, "probability")


def _class_output(model: Any, predict: Callable[[Any], ArrayLike], link: str) -> _Output:
    """With the names of the classes. Of two, the second one alone is explained."""
    classes, columns = getattr(model, "classes_", None), _as_columns(predict)
    if classes is None or len(classes) != 2:
        return _Output(columns, link, classes)
    if link != "probability":
        return _Output(columns, link, classes[1:])
    return _Output(lambda X: columns(X)[:, 1:], link, classes[1:])


def _as_columns(predict: Callable[[Any], ArrayLike]) -> Callable[[Any], FloatArray]:
    """The function with an answer of shape (n_rows, n_outputs)."""

    def columns(X: Any) -> FloatArray:
        found = np.asarray(predict(X), dtype=float)
        if found.ndim not in (1, 2) or len(found) != len(X):
            raise ValueError(
                f"the model must give shape ({len(X)},) or ({len(X)}, n_outputs), got {found.shape}"
            )
        return found.reshape(len(X), -1)

    return columns


def _has_log_link(model: Any) -> bool:
    """Whether what is predicted is the exponential of what adds up."""
    if isinstance(model, HistGradientBoostingRegressor):
        return model.loss in ("poisson", "gamma")
    if isinstance(model, TweedieRegressor):
        return model.link == "log" or (model.link == "auto" and model.power > 0)
    return isinstance(model, PoissonRegressor | GammaRegressor)


# ---------------------------------------------------------------------------- routes
Route = Callable[[Any, Any, Any, _Output], tuple[FloatArray, FloatArray]]


def _route(model: Any, X: Any, rows: Any, real: _Output) -> tuple[Route, str]:
    """The fastest exact way, and its name.

    It returns attributions of shape (n_rows, n_features, n_outputs) and base values.
    """
    natural, n_features = real.link == _natural_output(model).link, X.shape[1]
    if rows is None:
        if why := _why_no_paths(model):
            raise ValueError(f'baseline="{TREE_PATHS}" cannot explain {why}; give baseline rows')
        if not natural:
            raise ValueError(f'baseline="{TREE_PATHS}" explains {_natural_output(model).link} only')
        if _is_xgboost(model):
            return _xgboost_paths, "XGBoost's own values"
        return _tree_paths, "values of the trees"
    if natural and _is_linear(model):
        return _coefficients, "coefficients"
    if natural and _trees_take_rows(model):
        return _trees_against_rows, "trees against rows"
    if n_features <= MAX_FEATURES:
        return _all_coalitions, f"{2**n_features} coalitions"
    hint = "" if _why_no_paths(model) else f'; baseline="{TREE_PATHS}" takes any number'
    raise ValueError(
        f"{type(model).__name__} has no exact route for {real.link} of {n_features} features "
        f"against baseline rows: at most {MAX_FEATURES} can be enumerated{hint}"
    )


def _why_no_paths(model: Any) -> str:
    """What is in the way of following both ways at each split, if anything."""
    if _is_xgboost(model):
        if _xgboost_config(model)["gradient_booster"]["name"] == "gblinear":
            return "a booster without trees"
        one_tree_for_all = "multi_output_tree" in json.dumps(_xgboost_config(model))
        return "trees whose leaves are vectors" if one_tree_for_all else ""
    if isinstance(model, HISTOGRAM):
        # shap reads the codes of a native category as numbers, and says nothing.
        categories = model.is_categorical_
        return "" if categories is None or not any(categories) else "native categories"
    if isinstance(model, BOOSTED) and (model.init is not None or model.n_trees_per_iteration_ > 1):
        return "gradient boosting with more than two classes, or on top of another model"
    return "" if isinstance(model, FORESTS + BOOSTED) else f"{type(model).__name__}, without trees"


def _trees_take_rows(model: Any) -> bool:
    """Whether shap's trees against rows are right. All others were found wrong, or are refused.

    Histogram gradient boosting and dropped trees (DART) are wrong without a word.
    """
    if _is_xgboost(model):
        booster = _xgboost_config(model)["gradient_booster"]
        plain = booster["name"] == "gbtree" and not _why_no_paths(model)
        one = plain and booster["gbtree_model_param"]["num_parallel_tree"] == "1"
        return one and "c" not in (_booster(model).feature_types or [])
    return isinstance(model, FORESTS + BOOSTED) and not _why_no_paths(model)


def _is_linear(model: Any) -> bool:
    return not _is_xgboost(model) and hasattr(model, "coef_") and hasattr(model, "intercept_")


def _coefficients(model: Any, X: Any, rows: Any, real: _Output) -> tuple[FloatArray, FloatArray]:
    """Coefficient times distance from the mean of the baseline."""
    away = np.asarray(X, dtype=float) - np.mean(np.asarray(rows, dtype=float), axis=0)
    values = away[:, :, None] * np.atleast_2d(model.coef_).T
    return values, real.predict(rows).mean(axis=0)


def _all_coalitions(model: Any, X: Any, rows: Any, real: _Output) -> tuple[FloatArray, FloatArray]:
    """Shapley values by their definition, some rows at a time."""
    size, parts = max(1, BLOCK // len(rows)), []
    for start in range(0, len(X), size):
        worth = coalition_worth(real.predict, X[start : start + size], rows)
        parts.append(np.moveaxis(shapley_values(worth), 0, 1))
    return np.concatenate(parts), worth[0, 0]


def _tree_paths(model: Any, X: Any, rows: None, real: _Output) -> tuple[FloatArray, FloatArray]:
    shap = _shap()
    trees = shap.TreeExplainer(model, feature_perturbation="tree_path_dependent")
    values = _last_axis(trees.shap_values(np.asarray(X, dtype=float), check_additivity=False))
    n_outputs = real.predict(X[:1]).shape[1]
    return values[..., -n_outputs:], np.atleast_1d(trees.expected_value)[-n_outputs:]


def _trees_against_rows(
    model: Any, X: Any, rows: Any, real: _Output
) -> tuple[FloatArray, FloatArray]:
    shap = _shap()
    X, background = (np.asarray(table, dtype=float) for table in (X, rows))
    if _is_xgboost(model):
        missing = getattr(model, "missing", np.nan)
        X, background = (np.where(t == missing, np.nan, t) for t in (X, background))
        model = _booster(model)
    mask = shap.maskers.Independent(background, max_samples=len(background))  # it keeps 100 else
    trees = shap.TreeExplainer(model, mask, feature_perturbation="interventional")
    values = _last_axis(trees.shap_values(X, check_additivity=False))
    # shap's own base value has the offset of the first class for every class of XGBoost.
    base = real.predict(rows).mean(axis=0)
    return values[..., -len(base) :], base


def _shap() -> Any:
    """Import shap where it is needed: it takes seconds, and warns of its use of Matplotlib."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        import shap
    return shap


def _xgboost_paths(model: Any, X: Any, rows: None, real: _Output) -> tuple[FloatArray, FloatArray]:
    found = _booster(model).predict(_matrix(model, X), pred_contribs=True)
    found = found.astype(float).reshape(len(X), -1, X.shape[1] + 1).swapaxes(1, 2)
    return found[:, :-1], found[0, -1]


# ---------------------------------------------------------------------------- XGBoost
def _is_xgboost(model: Any) -> bool:
    xgboost = sys.modules.get("xgboost")  # who has such a model has imported it
    return xgboost is not None and isinstance(model, (xgboost.Booster, xgboost.XGBModel))


def _booster(model: Any) -> Any:
    """The trees that predict: after an early stop, those up to the best round."""
    if not hasattr(model, "get_booster"):
        return model
    booster = model.get_booster()
    stopped = model.early_stopping_rounds is not None
    return booster[: model.best_iteration + 1] if stopped else booster


def _matrix(model: Any, X: Any) -> Any:
    """Rows as XGBoost takes them; a matrix without names gets those of the training."""
    import xgboost

    booster, missing = _booster(model), getattr(model, "missing", np.nan)
    # With more threads than one, to start them takes longer than to read a few rows.
    settings = {"missing": missing, "enable_categorical": True, "nthread": 1}
    if isinstance(X, pd.DataFrame):
        return xgboost.DMatrix(X, **settings)
    names = {"feature_names": booster.feature_names, "feature_types": booster.feature_types}
    return xgboost.DMatrix(X, **settings, **names)


def _xgboost_config(model: Any) -> dict[str, Any]:
    return json.loads(_booster(model).save_config())["learner"]


def _xgboost_link(booster: Any) -> str:
    name = _xgboost_config(booster)["objective"]["name"]
    return next((link for start, link in XGBOOST_LINKS.items() if name.startswith(start)), "margin")


# ---------------------------------------------------------------------------- networks
def _explain_network(
    model: Any, X: Any, baseline: Any, link: str | None, n_steps: int
) -> Attributions:
    """Integrated gradients of each output."""
    import keras

    if keras.backend.backend() != "tensorflow":
        raise ValueError(f"networks need the backend tensorflow, got {keras.backend.backend()!r}")
    import tensorflow as tf

    if isinstance(baseline, str):
        raise TypeError(f"a network needs baseline rows, got {baseline!r}")
    X, start = (np.asarray(values, dtype=model.compute_dtype) for values in (X, baseline))
    if start.shape[1:] != X.shape[1:] or not len(start) or not len(X):
        raise ValueError(
            f"baseline must hold rows like X, of shape (n, {str(X.shape[1:])[1:]}; got "
            f"{start.shape} for X of shape {X.shape}"
        )

    def output(rows: Any) -> FloatArray:
        found = model(rows, training=False)
        return np.reshape(np.asarray(found, dtype=float), (len(rows), -1))

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def slope(rows: Any, unit: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(rows)
            found = tf.reshape(model(rows, training=False), (tf.shape(rows)[0], -1))[:, unit]
        return tape.gradient(found, rows)

    def gradient(rows: FloatArray, unit: int) -> Any:
        found = slope(tf.convert_to_tensor(rows.astype(X.dtype)), tf.constant(unit))
        if found is None:
            raise ValueError(
                "the network has no gradient by its input: an embedding takes integers, for "
                "example. Explain the part behind it, on what it gives"
            )
        return found.numpy()

    activation = getattr(getattr(model.layers[-1], "activation", None), "__name__", "linear")
    has = "probability" if activation in ("sigmoid", "softmax") else "identity"
    if link not in (None, has):
        raise ValueError(f"link must be {has!r} for this network, got {link!r}")
    found, base = output(X), output(start).mean(axis=0)
    columns = [
        integrated_gradients(partial(gradient, unit=unit), X, start, n_steps).reshape(len(X), -1)
        for unit in range(found.shape[1])
    ]
    values = np.stack(columns, axis=-1)
    at = list(np.ndindex(X.shape[1:]))
    names = ["x" + (str(i[0]) if len(i) == 1 else str(list(i))) for i in at]
    data = pd.DataFrame(X.reshape(len(X), -1), columns=names)
    method = f"integrated gradients in {n_steps} steps"
    against, real = f"{len(start)} baseline rows", _Output(output, has)
    return _attributions(
        values, base, data, real, against, method, found - base - values.sum(axis=1)
    )


# ---------------------------------------------------------------------------- pipelines
ONE_BY_ONE = (
    *(StandardScaler, MinMaxScaler, MaxAbsScaler, RobustScaler, PowerTransformer),
    *(QuantileTransformer, OrdinalEncoder, TargetEncoder, SimpleImputer),
)


def _explain_last_step(
    pipeline: Pipeline, X: Any, rows: Any, link: str | None
) -> Attributions | None:
    """What the last step sees, summed to the columns of the input; None where that is not exact."""
    if len(pipeline) == 1:
        baseline = TREE_PATHS if rows is None else rows
        return explain(pipeline[0], X, baseline=baseline, link=link)
    last, before = pipeline[-1], pipeline[:-1]
    data = _named(X)
    names = [*data]
    source = source_columns(before, names)
    linear = _is_linear(last) and rows is not None
    if source is None or link not in (None, _natural_output(last).link):
        return None
    # A tree may ask for one category only after it has asked for another. Then the shares of the
    # columns do not sum to the share of their source, except along the paths of the training rows.
    copied = len(set(source)) < len(source)
    takes = not _why_no_paths(last) if rows is None else _trees_take_rows(last) and not copied
    if not linear and not takes:
        return None
    baseline = TREE_PATHS if rows is None else _dense(before.transform(rows))
    found = explain(last, _dense(before.transform(X)), baseline=baseline)
    values = sum_by_source(found.values, source, names)
    return replace(found, values=values, data=data)


def source_columns(step: Any, names: Sequence[str]) -> list[str] | None:
    """For each column that a fitted step puts out, the one that it comes from.

    Parameters
    ----------
    step : pipeline, `ColumnTransformer`, encoder or scaler of scikit-learn, or "passthrough"
    names : sequence of str
        Of the columns that go in.

    Returns
    -------
    list of str, or None where a column may come from several, or the step is not known
    """
    names = [*names]
    if isinstance(step, str):
        return names if step == "passthrough" else []
    if isinstance(step, Pipeline):
        origin = dict(zip(names, names, strict=True))
        for _, inner in step.steps:
            if inner in (None, "passthrough"):
                continue
            at = source_columns(inner, names)
            if at is None:
                return None
            after = inner.get_feature_names_out(names)
            origin = {new: origin[old] for new, old in zip(after, at, strict=True)}
            names = [*after]
        return [origin[name] for name in names]
    if isinstance(step, ColumnTransformer):
        found: dict[int, str] = {}
        for name, inner, columns in step.transformers_:
            strings = isinstance(columns, str) or all(isinstance(c, str) for c in columns)
            chosen = [columns] if isinstance(columns, str) else columns
            sources = source_columns(inner, chosen if strings else pd.Index(names)[columns])
            if sources is None:
                return None
            found |= zip(range(*step.output_indices_[name].indices(10**9)), sources, strict=True)
        return [found[i] for i in sorted(found)]
    if isinstance(step, OneHotEncoder):
        step = copy(step).set_params(feature_name_combiner=lambda column, category: column)
    elif isinstance(step, FunctionTransformer):  # a remainder that is passed through is one
        return names if step.func is None else None
    elif not isinstance(step, ONE_BY_ONE):
        return None
    after = [*step.get_feature_names_out(names)]
    return after if set(after) <= set(names) else None


# ---------------------------------------------------------------------------- tables
def _table(rows: Any, name: str) -> Any:
    """A frame or an array with two dimensions and at least one row."""
    if not isinstance(rows, pd.DataFrame):
        if hasattr(rows, "toarray"):
            raise TypeError(f"{name} is sparse; give {name}.toarray()")
        rows = np.asarray(rows)
    if rows.ndim != 2 or not len(rows):
        raise ValueError(
            f"{name} must have two dimensions and a row or more; got the shape {rows.shape}"
        )
    return rows


def _named(X: Any) -> pd.DataFrame:
    """A frame whose columns are named by texts, as those of a pipeline are."""
    names = [*X] if isinstance(X, pd.DataFrame) else [f"x{i}" for i in range(X.shape[1])]
    return pd.DataFrame(X).set_axis([str(name) for name in names], axis=1)


def _like(baseline: Any, X: Any) -> Any:
    """Baseline rows with the columns of ``X``, in its order."""
    if isinstance(X, pd.DataFrame) != isinstance(baseline, pd.DataFrame):
        raise TypeError(
            f"X is a {type(X).__name__} and baseline a {type(baseline).__name__}; give two frames "
            "or two arrays"
        )
    if isinstance(X, pd.DataFrame):
        if missing := [c for c in X if c not in baseline]:
            raise ValueError(f"baseline lacks the columns {missing} of X")
        return baseline[[*X]]
    if baseline.shape[1] != X.shape[1]:
        raise ValueError(f"X has {X.shape[1]} columns and baseline {baseline.shape[1]}")
    return baseline


def _take(X: Any, baseline: Any, index: NDArray[np.intp]) -> Any:
    """Rows whose column ``j`` comes from row ``index[:, j]`` of two stacked tables."""
    if not isinstance(X, pd.DataFrame):
        return np.concatenate([X, baseline])[index, np.arange(X.shape[1])]
    both = pd.concat([X, baseline], ignore_index=True)
    return pd.DataFrame({name: both[name].array.take(index[:, j]) for j, name in enumerate(both)})


def _dense(rows: Any) -> Any:
    return rows.toarray() if hasattr(rows, "toarray") else rows


def _last_axis(values: FloatArray) -> FloatArray:
    """With an axis for outputs, even of one."""
    return values if values.ndim == 3 else values[:, :, None]


def _joined(columns: pd.DataFrame) -> pd.Series[str]:
    """What a group of columns holds, as text."""
    return columns.astype(str).agg(", ".join, axis=1)


def _numbers(column: pd.Series[Any]) -> pd.Series[float]:
    """The column, or the number of each text among the sorted ones."""
    if pd.api.types.is_numeric_dtype(column):
        return column.astype(float)
    return pd.Series(pd.Categorical(column.astype(str)).codes, column.index, dtype=float)


def _attributions(
    values: FloatArray,
    base: FloatArray,
    data: pd.DataFrame,
    real: _Output,
    baseline: str,
    method: str,
    error: FloatArray,
) -> Attributions:
    """With one axis less where the output is one."""
    n_outputs = values.shape[2]
    names = real.classes if real.classes is not None else range(n_outputs)
    if n_outputs == 1:
        values, base, error = values[..., 0], base[0], error[:, 0]
    if n_outputs == 1 and real.classes is None:
        names = ["output"]
    if len(names) != n_outputs:  # classes that are not exclusive
        names = range(n_outputs)
    told = tuple(map(str, names))
    return Attributions(values, np.asarray(base), data, told, real.link, baseline, method, error)
