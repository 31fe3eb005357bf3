"""Synthetic prescriptions of a painkiller: for some patients one drug is right, for some either.

Acetaminophen burdens the liver and ibuprofen the stomach, so a patient's history may rule one of
them out. Where it rules out neither, experts prescribe whichever comes to mind. The scenario is
that of Lakshmanan, Robinson and Munn (2020), "Machine Learning Design Patterns", chapter 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from datasets._dataset import Dataset

FloatArray = npt.NDArray[np.float64]
Features = pd.DataFrame | npt.NDArray[np.float64]

FEATURES = ("balance", "severity", "noise_0", "noise_1")
STATES = ("acetaminophen", "either", "ibuprofen")  # sorted, as a classifier sorts its classes


@dataclass(frozen=True, eq=False)
class Prescriptions(Dataset):
    """Patients, the votes of their experts, and the oracle: the probability of each true state.

    The oracle's methods take features ``X``, a frame with the columns ``feature_names`` (others are
    ignored) or an array of shape (n_samples, 4) in that order.

    Attributes
    ----------
    states : tuple of str
        What can be true of a patient: ``("acetaminophen", "either", "ibuprofen")``, the order of
        the columns of `oracle_proba`.
    some_either : bool
        Whether there are patients for whom either drug would do.
    """

    some_either: bool = True
    states: ClassVar[tuple[str, ...]] = STATES

    def oracle_proba(self, X: Features) -> FloatArray:
        """Return the true probability of each of ``states``, of shape (n_samples, 3)."""
        return _state_proba(_as_array(X), self.some_either)

    def oracle_cost(self, X: Features, cost_matrix: npt.ArrayLike) -> FloatArray:
        """Return the expected cost of each patient's best action, of shape (n_samples,).

        No decision that is made from the features costs less on average.

        Parameters
        ----------
        X : frame or array of shape (n_samples, 4)
        cost_matrix : array-like of shape (3, n_actions)
            Cost of each action in each of ``states``.

        Raises
        ------
        ValueError
            If ``cost_matrix`` has another number of rows, or no column.
        """
        cost = np.asarray(cost_matrix, dtype=float)
        if cost.ndim != 2 or cost.shape[0] != len(STATES) or cost.shape[1] == 0:
            raise ValueError(
                f"cost_matrix must have shape ({len(STATES)}, n_actions), a row for each of "
                f"{STATES}; got {cost.shape}."
            )
        least: FloatArray = (self.oracle_proba(X) @ cost).min(axis=1)
        return least


def make_prescriptions(
    n_samples: int = 1000,
    *,
    n_experts: int = 3,
    error_rate: float | Sequence[float] = 0.0,
    some_either: bool = True,
    habit: float = 0.5,
    copy_rate: float = 0.0,
    random_state: int | Sequence[int] | np.random.Generator | None = None,
) -> Prescriptions:
    """Draw patients, what is true of them, and what several experts prescribe.

    With ``logistic(z) = 1 / (1 + exp(-z))``, all features standard normal, and the two noises
    without influence:

    - either drug would do, with probability logistic(-4 severity), or 0 without ``some_either``;
    - otherwise acetaminophen is right, with probability logistic(3 balance), or else ibuprofen:
      ``balance`` is how much more the stomach is at risk than the liver;
    - each expert sees the patient's true state, which the features only hint at, and prescribes the
      right drug, except for an ``error_rate`` of slips; where either would do, by a coin toss. The
      coin falls on acetaminophen with probability ``habit``, and experts who copy share one coin.

    So an even vote has two causes. Near balance 0 the right drug matters and nobody can tell it
    from the features; at low severity it does not matter.

    Parameters
    ----------
    n_samples : int
        Number of patients, at least 1.
    n_experts : int
        Number of votes on each patient, at least 1.
    error_rate : float or sequence of float, one for each expert
        Probability that an expert prescribes the wrong drug where there is a wrong one, from 0 up
        to, but not including, ½.
    some_either : bool
        Whether there are patients for whom either drug would do. Without them, experts disagree
        only by error.
    habit : float
        Probability of acetaminophen where either drug would do, strictly between 0 and 1. Fair
        coins have ½.
    copy_rate : float
        Probability, from 0 to 1, that an expert copies the shared coin where either would do.
    random_state : int, sequence of int, Generator or None
        Seed of the draw, or the generator to draw from.

    Returns
    -------
    Prescriptions
        With ``frame`` of shape (n_samples, 5 + n_experts): the four features, the targets
        ``vote_0``, ``vote_1``, ... (a drug each), and ``state``, the truth, which no expert writes
        down.

    Raises
    ------
    ValueError
        If a number is out of range.

    Examples
    --------
    >>> from datasets import make_prescriptions
    >>> patients = make_prescriptions(1000, random_state=0)
    >>> patients.X.head(3)
        balance  severity   noise_0   noise_1
    0  0.125730 -0.132105  0.640423  0.104900
    1 -0.535669  0.361595  1.304000  0.947081
    2 -0.703735 -1.265421 -0.623274  0.041326
    >>> patients.frame[["vote_0", "vote_1", "vote_2", "state"]].head(3)
              vote_0     vote_1         vote_2      state
    0  acetaminophen  ibuprofen  acetaminophen     either
    1      ibuprofen  ibuprofen      ibuprofen  ibuprofen
    2      ibuprofen  ibuprofen  acetaminophen     either
    >>> patients.oracle_proba(patients.X.head(3)).round(3)  # of acetaminophen, either, ibuprofen
    array([[0.22 , 0.629, 0.151],
           [0.135, 0.191, 0.674],
           [0.001, 0.994, 0.006]])
    """
    _check_at_least_1("n_samples", n_samples)
    _check_at_least_1("n_experts", n_experts)
    errors = np.asarray(error_rate, dtype=float)
    if errors.shape not in {(), (n_experts,)} or not np.all((errors >= 0) & (errors < 0.5)):
        raise ValueError(
            f"error_rate must lie in [0, 0.5), one number or {n_experts}, got {error_rate!r}."
        )
    if not 0 < habit < 1:
        raise ValueError(f"habit must lie strictly between 0 and 1, got {habit!r}.")
    if not 0 <= copy_rate <= 1:
        raise ValueError(f"copy_rate must lie in [0, 1], got {copy_rate!r}.")
    rng = np.random.default_rng(random_state)
    X = rng.normal(size=(n_samples, len(FEATURES)))
    frame = pd.DataFrame(X, columns=list(FEATURES))

    cumulative = np.cumsum(_state_proba(X, some_either), axis=1)[:, :-1]
    state = (rng.uniform(size=(n_samples, 1)) >= cumulative).sum(axis=1, keepdims=True)
    errors = np.broadcast_to(errors, n_experts)
    chance = np.array([1 - errors, np.full(n_experts, habit), errors])[state[:, 0]]
    first = rng.uniform(size=(n_samples, n_experts)) < chance  # a vote for acetaminophen
    if copy_rate > 0:
        shared = rng.uniform(size=(n_samples, 1)) < habit
        copies = (state == 1) & (rng.uniform(size=(n_samples, n_experts)) < copy_rate)
        first = np.where(copies, shared, first)
    votes = np.where(first, 0, 2)

    names = tuple(f"vote_{expert}" for expert in range(n_experts))
    frame[list(names)] = np.array(STATES)[votes]
    frame["state"] = np.array(STATES)[state[:, 0]]
    return Prescriptions(frame, feature_names=FEATURES, target_names=names, some_either=some_either)


def make_book_prescriptions(
    n_samples: int = 1000,
    *,
    random_state: int | Sequence[int] | np.random.Generator | None = None,
) -> Dataset:
    """Draw patients as the book does: the history tells everything that can be told.

    A tenth of the patients, rounded down, had jaundice and get ibuprofen; another tenth have an
    ulcer and get acetaminophen; everybody else gets one of the two by a coin toss. So no model
    guesses more than about 60 % of the prescriptions.

    Parameters
    ----------
    n_samples : int
        Number of patients, at least 1.
    random_state : int, sequence of int, Generator or None
        Seed of the draw, or the generator to draw from.

    Returns
    -------
    Dataset
        With ``frame`` of shape (n_samples, 4): the features ``jaundice`` and ``ulcer`` (0 or 1),
        the target ``prescription``, and ``state``, which is "either" for everybody else.

    Raises
    ------
    ValueError
        If ``n_samples`` is less than 1.

    Examples
    --------
    >>> from datasets import make_book_prescriptions
    >>> patients = make_book_prescriptions(1000, random_state=0)
    >>> patients.frame.value_counts(["state", "prescription"]).reset_index()
               state   prescription  count
    0         either  acetaminophen    402
    1         either      ibuprofen    398
    2  acetaminophen  acetaminophen    100
    3      ibuprofen      ibuprofen    100
    >>> patients.feature_names, patients.target_names
    (('jaundice', 'ulcer'), ('prescription',))
    """
    _check_at_least_1("n_samples", n_samples)
    rng = np.random.default_rng(random_state)
    state = np.full(n_samples, "either", dtype=object)
    tenth = n_samples // 10
    state[:tenth], state[tenth : 2 * tenth] = "ibuprofen", "acetaminophen"
    state = rng.permutation(state)
    tossed = np.where(rng.uniform(size=n_samples) < 0.5, "acetaminophen", "ibuprofen")
    frame = pd.DataFrame(
        {
            "jaundice": (state == "ibuprofen").astype(int),
            "ulcer": (state == "acetaminophen").astype(int),
            "prescription": np.where(state == "either", tossed, state).astype(str),
            "state": state.astype(str),
        }
    )
    return Dataset(frame, feature_names=("jaundice", "ulcer"), target_names=("prescription",))


def _state_proba(X: FloatArray, some_either: bool) -> FloatArray:
    balance, severity = X[:, 0], X[:, 1]
    either = expit(-4 * severity) if some_either else np.zeros(len(X))
    right = expit(3 * balance)
    return np.column_stack([(1 - either) * right, either, (1 - either) * (1 - right)])


def _as_array(X: Features) -> FloatArray:
    if isinstance(X, pd.DataFrame):
        missing = [name for name in FEATURES if name not in X]
        if missing:
            raise ValueError(f"X lacks the columns {missing}; it needs {list(FEATURES)}.")
        return X[list(FEATURES)].to_numpy(dtype=float)
    X = np.asarray(X, dtype=float)
    if X.ndim != 2 or X.shape[1] != len(FEATURES):
        raise ValueError(f"X must have shape (n_samples, {len(FEATURES)}), got {X.shape}.")
    return X


def _check_at_least_1(name: str, number: int) -> None:
    if number < 1:
        raise ValueError(f"{name} must be at least 1, got {number!r}.")
