"""Synthetic restaurant reviews whose words mean one thing or another by meal, price and wait."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtr

from datasets._dataset import Dataset

FloatArray = npt.NDArray[np.float64]

FEATURES = ("text", "meal", "price", "wait")
MEALS = ("breakfast", "lunch", "dinner")
NOISE_SD = 0.7  # of the taste that nobody writes down
NEGATED_SHARE = 0.35

ASPECTS = {  # weight of each aspect, and the words for it
    2.0: ("Food", "Menu"),
    1.0: ("Service", "Staff"),
    0.5: ("Room", "Music"),
}
OPINIONS = {  # by polarity
    1: ("great", "lovely", "good"),
    -1: ("awful", "boring", "bad"),
}
CONTEXT_WEIGHT = 2.0
PRAISE_WEIGHT = 2.0
PRAISED_SHARE = 0.5
PRAISE = ("Worth the time", "Such an evening", "Unforgettable")
PATIENCE = 20  # minutes of waiting after which praise is ironic
GUESTS = ("My aunt", "A friend", "The team", "Our neighbor")
VERBS = (" knew ", " met ", " missed ")
SYLLABLES = ("ba", "do", "fe", "gi", "lu", "ma", "no", "pi", "ra", "so", "ti", "va")


class RestaurantReviews(Dataset):
    """Reviews, what is known of the visit, and the oracle: the probability of "liked"."""

    def oracle_proba(self) -> FloatArray:
        """Return the true probability that the guest liked it, of shape (n_samples,).

        The oracle understands every clause; only the guest's own taste, which is nowhere written,
        is beyond it.
        """
        return np.asarray(ndtr(self.frame["meaning"] / NOISE_SD))


def make_restaurant_reviews(
    n_samples: int = 2000,
    *,
    long: bool = False,
    random_state: int | Sequence[int] | np.random.Generator | None = None,
) -> RestaurantReviews:
    """Draw reviews from a small grammar, with meal, price and minutes of waiting beside them.

    A review consists of clauses in random order, and each adds to its ``meaning``:

    - two or three opinions, such as "food great", on the food (weight 2), the service (1)
      or the room (½). Of these 35 % are negated: "food not awful" means the same.
    - one word whose polarity depends on the visit (weight 2): "quick" is good except at dinner,
      "filling" is good at dinner only; "fancy" is good from price 3 on, "simple" below it.
    - in half of the reviews praise, such as "worth the time" (weight 2): sincere when the guest
      waited less than 20 minutes, ironic otherwise.
    - up to two clauses without meaning, each with one of 1,728 names; with ``long`` 12 to 15.

    Each minute of waiting beyond 20 takes away 0.02. The guest liked it when the meaning plus
    normal noise of deviation 0.7 is above 0.

    Parameters
    ----------
    n_samples : int
        Number of rows, at least 1.
    long : bool
        Whether reviews are padded with what does not matter, to about 60 words instead of 14.
    random_state : int, sequence of int, Generator or None
        Seed of the draw, or the generator to draw from.

    Returns
    -------
    RestaurantReviews
        With ``frame`` of shape (n_samples, 6): ``text``, ``meal`` ("breakfast", "lunch" or
        "dinner"), ``price`` (1 to 4), ``wait`` (0 to 40 minutes), the target ``liked`` (0 or 1),
        and ``meaning``, which no model may use.

    Raises
    ------
    ValueError
        If ``n_samples`` is less than 1.

    Examples
    --------
    >>> from datasets import make_restaurant_reviews
    >>> reviews = make_restaurant_reviews(1000, random_state=0)
    >>> reviews.X["text"].iloc[0]
    'Worth the time. Rather fancy. Menu awful. Music good. Staff great. My aunt missed vasono.'
    >>> reviews.X[["meal", "price", "wait"]].head(3)
         meal  price  wait
    0  dinner      3    30
    1   lunch      1     0
    2   lunch      1    21
    >>> reviews.y.head(3).tolist(), reviews.oracle_proba()[:3].round(3).tolist()
    ([0, 1, 0], [0.159, 1.0, 0.0])
    """
    if n_samples < 1:
        raise ValueError(f"n_samples must be at least 1, got {n_samples!r}.")
    rng = np.random.default_rng(random_state)
    meal = rng.choice(MEALS, n_samples)
    price = rng.integers(1, 5, n_samples)
    wait = rng.integers(0, 41, n_samples)

    clauses = [
        *_opinions(rng, n_samples),
        _context(rng, meal, price),
        _praise(rng, wait),
        *_fillers(rng, n_samples, range(12, 16) if long else range(3)),
    ]
    words = np.column_stack([text for text, _ in clauses])
    in_random_order = np.argsort(rng.uniform(size=words.shape), axis=1)
    words = np.take_along_axis(words, in_random_order, axis=1)
    meaning = np.sum([value for _, value in clauses], axis=0) - 0.02 * (wait - PATIENCE)
    frame = pd.DataFrame(
        {
            "text": [" ".join(filter(None, row)) for row in words],
            "meal": meal.astype(str),
            "price": price,
            "wait": wait,
            "meaning": meaning,
            "liked": (meaning + NOISE_SD * rng.normal(size=n_samples) > 0).astype(int),
        }
    )
    return RestaurantReviews(frame, feature_names=FEATURES, target_names=("liked",))


# A clause of every row, empty where a row has none, and what it adds to the row's meaning.
Clauses = tuple[npt.NDArray[Any], FloatArray]


def _opinions(rng: np.random.Generator, n_samples: int) -> list[Clauses]:
    # The clause with the least random number is left out, in half of the rows.
    left_out = np.argmin(rng.uniform(size=(n_samples, len(ASPECTS))), axis=1)
    left_out[rng.uniform(size=n_samples) < 0.5] = -1
    clauses = []
    for position, (weight, nouns) in enumerate(ASPECTS.items()):
        polarity = rng.choice([-1, 1], n_samples)
        is_negated = rng.uniform(size=n_samples) < NEGATED_SHARE
        says_good = (polarity > 0) != is_negated
        opinion = np.where(says_good, *(_pick(rng, OPINIONS[sign], n_samples) for sign in (1, -1)))
        link = np.where(is_negated, " not ", " ").astype(object)
        text = _pick(rng, nouns, n_samples) + link + opinion + "."
        is_there = left_out != position
        clauses.append((np.where(is_there, text, ""), weight * polarity * is_there))
    return clauses


def _context(
    rng: np.random.Generator, meal: npt.NDArray[np.str_], price: npt.NDArray[np.int_]
) -> Clauses:
    is_good = {
        "quick": meal != "dinner",
        "filling": meal == "dinner",
        "fancy": price >= 3,
        "simple": price < 3,
    }
    word = rng.integers(0, len(is_good), len(meal))
    sign = np.where(np.choose(word, list(is_good.values())), 1, -1)
    text = "Rather " + np.array(list(is_good), dtype=object)[word] + "."
    return text, CONTEXT_WEIGHT * sign


def _praise(rng: np.random.Generator, wait: npt.NDArray[np.int_]) -> Clauses:
    is_there = rng.uniform(size=len(wait)) < PRAISED_SHARE
    sign = np.where(wait < PATIENCE, 1, -1)
    text = _pick(rng, PRAISE, len(wait)) + "."
    return np.where(is_there, text, ""), PRAISE_WEIGHT * sign * is_there


def _fillers(rng: np.random.Generator, n_samples: int, numbers: range) -> list[Clauses]:
    n_fillers = rng.choice(numbers, n_samples)
    clauses = []
    for position in range(numbers[-1]):
        name = np.sum([_pick(rng, SYLLABLES, n_samples) for _ in range(3)], axis=0)
        text = _pick(rng, GUESTS, n_samples) + _pick(rng, VERBS, n_samples) + name
        clauses.append((np.where(position < n_fillers, text + ".", ""), np.zeros(n_samples)))
    return clauses


def _pick(
    rng: np.random.Generator, words: Sequence[str], n_samples: int
) -> npt.NDArray[np.object_]:
    return np.array(words, dtype=object)[rng.integers(0, len(words), n_samples)]
