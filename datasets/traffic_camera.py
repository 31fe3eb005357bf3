"""Synthetic traffic cameras: a real handwritten digit as the speed limit, and measured columns."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit, ndtr
from scipy.stats import norm
from sklearn.datasets import load_digits

from datasets._dataset import Dataset

FloatArray = npt.NDArray[np.float64]
Part = Literal["train", "validation", "test"]
Metadata = Literal["interacting", "irrelevant", "independent"]

FEATURES = ("measured_speed", "hour", "school_zone", "weather")
WEATHER = ("dry", "rain", "snow")
SHARES = {"train": (0.0, 0.6), "validation": (0.6, 0.8), "test": (0.8, 1.0)}  # of the images
SPEED_SD, MEASUREMENT_SD = 12.0, 2.0  # km/h
SLOWEST, FASTEST = 15.0, 110.0  # km/h, of those who do not look at the sign
RUSH_HOURS = (7, 8, 16, 17, 18)
RUSH_SHARE = 0.6  # of the incidents, with metadata="independent"
FAST_SIGN_SHARE = 0.8  # of the incidents, likewise; and of the others on slow roads
INCIDENT_SPEED = {0: 44.0, 1: 76.0}  # km/h, the mean of a normal of deviation 20
INCIDENT_SPEED_SD = 20.0


@dataclass(frozen=True, eq=False)
class TrafficCamera(Dataset):
    """Photographed signs, measured columns, and the oracle: the probability of a positive label.

    Attributes
    ----------
    metadata : {"interacting", "irrelevant", "independent"}
        How the columns and the sign together make the label.
    max_shift : int
        By how many pixels at most a sign stands off the middle of its picture.
    """

    metadata: Metadata = "interacting"
    max_shift: int = 0

    @property
    def images(self) -> npt.NDArray[np.float32]:
        """The photographed signs, from 0 (paper) to 1 (ink).

        Of shape (n_samples, side, side), where side is 8 + 2 * max_shift.
        """
        signs = _digits().images[self.frame["image_id"]] / 16
        side = signs.shape[1] + 2 * self.max_shift
        pictures = np.zeros((len(signs), side, side), dtype=np.float32)
        top, left = self.frame["top"].to_numpy(), self.frame["left"].to_numpy()
        rows, columns = (start[:, None] + np.arange(signs.shape[1]) for start in (top, left))
        each = np.arange(len(signs))[:, None, None]
        pictures[each, rows[:, :, None], columns[:, None, :]] = signs
        return pictures

    def oracle_proba(self) -> FloatArray:
        """Return the true probability of a positive label, of shape (n_samples,).

        The oracle knows what each sign says and how rows are drawn, and no more than the columns.
        """
        frame = self.frame
        limit, speed = (frame[c].to_numpy(float) for c in ("speed_limit", "measured_speed"))
        if self.metadata == "irrelevant":
            return (limit >= 60).astype(float)
        if self.metadata == "independent":
            mean_0, mean_1 = INCIDENT_SPEED.values()
            fast = np.where(limit >= 60, 1, -1) * np.log(FAST_SIGN_SHARE / (1 - FAST_SIGN_SHARE))
            speeding = (mean_1 - mean_0) * (speed - (mean_0 + mean_1) / 2) / INCIDENT_SPEED_SD**2
            rush = RUSH_SHARE * frame["hour"].isin(RUSH_HOURS) * 24 / len(RUSH_HOURS)
            return np.asarray(expit(fast + speeding + np.log(1 - RUSH_SHARE + rush)))
        return _violation_proba(limit, speed, effective_limit(frame))


def effective_limit(frame: pd.DataFrame) -> FloatArray:
    """Return the limit that holds in each row, in km/h: the sign's, changed by what else is so.

    Parameters
    ----------
    frame : DataFrame
        With the columns ``speed_limit``, ``hour``, ``school_zone`` and ``weather``.
    """
    limit = frame["speed_limit"].to_numpy(float)
    is_wet = (frame["weather"] != "dry").to_numpy()
    limit = limit - 10 * (is_wet & (limit > 50)) - 10 * (frame["weather"] == "snow").to_numpy()
    at_school = (frame["school_zone"] == 1) & frame["hour"].between(7, 16)
    limit = np.where(at_school, np.minimum(limit, 30), limit)
    return np.maximum(limit, 20)


def make_traffic_camera(
    n_samples: int = 2000,
    *,
    part: Part = "train",
    metadata: Metadata = "interacting",
    n_images: int | None = None,
    max_shift: int = 0,
    partition: int = 0,
    random_state: int | Sequence[int] | np.random.Generator | None = None,
) -> TrafficCamera:
    """Draw passing cars: a photographed sign, four measured columns, and a label.

    The sign is one of scikit-learn's 1,260 real handwritten digits from 3 to 9 and stands for ten
    times as many km/h. The images are divided, 60, 20 and 20 %, among the parts *before* any row is
    drawn, and a row draws one with replacement: no image is in two parts, and many rows share one.
    The columns are ``measured_speed`` in km/h, ``hour`` (0 to 23), ``school_zone`` (0 or 1, of
    probability 0.2) and ``weather`` ("dry", "rain" or "snow", of probabilities 0.7, 0.2 and 0.1).
    The label is, by ``metadata``:

    - "interacting": a violation, which needs the sign and the columns. Half of the drivers keep to
      the sign, normal with deviation 12 around it; the others drive uniformly from 15 to 110 km/h.
      The measurement adds normal noise of deviation 2. It is a violation when the true speed is
      more than 3 km/h above the limit that holds: in rain or snow 10 less on signs above 50, in
      snow another 10 less; at a school from 7 to 16 o'clock at most 30; never less than 20.
    - "irrelevant": whether the sign says 60 or more; all drivers are of the second kind.
    - "independent": an incident, in half of the rows, which image and columns hint at independently
      of each other. With an incident the sign says 60 or more with probability 0.8, without one
      0.2; the measured speed is normal with deviation 20 around 76 or 44; and of the incidents, but
      not of the others, 60 % happen in the rush hours 7, 8, 16, 17 and 18.

    Parameters
    ----------
    n_samples : int
        Number of rows, at least 1.
    part : {"train", "validation", "test"}
        Which part of the images to draw from.
    metadata : {"interacting", "irrelevant", "independent"}
        What the label depends on.
    n_images : int, optional
        Draw from only so many images of the part, at least 20; by default from all.
    max_shift : int
        A camera does not center the sign: in each row it stands up to so many pixels off the
        middle, in each direction, every place as likely as the others. 0 for the middle.
    partition : int
        Which of the ways to divide the images among the parts. Calls that are compared must agree.
    random_state : int, sequence of int, Generator or None
        Seed of the draw, or the generator to draw from.

    Returns
    -------
    TrafficCamera
        With ``images`` of shape (n_samples, side, side), where side is 8 + 2 * max_shift, and
        ``frame`` of shape (n_samples, 9): the columns, the target ``label`` (0 or 1), and four
        that no model may use: ``image_id``, the row in scikit-learn's digits; ``speed_limit``, what
        the sign says; ``top`` and ``left``, the pixel of the picture where the sign begins.

    Raises
    ------
    ValueError
        For a number out of range, and for an unknown part or kind of metadata.

    Examples
    --------
    >>> from datasets import make_traffic_camera
    >>> cars = make_traffic_camera(1000, random_state=0)
    >>> cars.X.head(3)
       measured_speed  hour  school_zone weather
    0       32.988785     9            0     dry
    1       93.844657    23            1    snow
    2       61.422289    15            0     dry
    >>> cars.images.shape
    (1000, 8, 8)
    >>> cars.y.head(3).tolist(), cars.oracle_proba()[:3].round(3).tolist()
    ([0, 1, 0], [0.0, 1.0, 0.0])
    """
    if n_samples < 1:
        raise ValueError(f"n_samples must be at least 1, got {n_samples!r}.")
    if part not in SHARES:
        raise ValueError(f"part must be one of {list(SHARES)}, got {part!r}.")
    if metadata not in get_args(Metadata):
        raise ValueError(f"metadata must be one of {list(get_args(Metadata))}, got {metadata!r}.")
    if max_shift < 0:
        raise ValueError(f"max_shift must be at least 0, got {max_shift!r}.")
    digits = _digits().target
    images = np.random.default_rng(partition).permutation(np.flatnonzero(digits >= 3))
    start, stop = (int(share * len(images)) for share in SHARES[part])
    images = images[start:stop]
    if n_images is not None:
        if not 20 <= n_images <= len(images):
            raise ValueError(
                f"n_images must be between 20 and {len(images)}, the images of part {part!r}; "
                f"got {n_images!r}."
            )
        images = images[:n_images]

    rng = np.random.default_rng(random_state)
    label = rng.integers(0, 2, n_samples)
    image_id = rng.choice(images, n_samples)
    if metadata == "independent":
        is_fast = rng.uniform(size=n_samples) < np.where(
            label == 1, FAST_SIGN_SHARE, 1 - FAST_SIGN_SHARE
        )
        fast, slow = (rng.choice(images[pick], n_samples) for pick in _fast_and_slow(images))
        image_id = np.where(is_fast, fast, slow)
    frame = pd.DataFrame(
        {
            "image_id": image_id,
            "speed_limit": 10 * digits[image_id],
            "measured_speed": rng.uniform(SLOWEST, FASTEST, n_samples),
            "hour": rng.integers(0, 24, n_samples),
            "school_zone": (rng.uniform(size=n_samples) < 0.2).astype(int),
            "weather": rng.choice(WEATHER, n_samples, p=[0.7, 0.2, 0.1]).astype(str),
        }
    )
    if metadata == "irrelevant":
        label = np.asarray(frame["speed_limit"] >= 60, dtype=np.int64)
    elif metadata == "independent":
        mean = np.array(list(INCIDENT_SPEED.values()))[label]
        frame["measured_speed"] = rng.normal(mean, INCIDENT_SPEED_SD)
        in_rush = (label == 1) & (rng.uniform(size=n_samples) < RUSH_SHARE)
        frame["hour"] = np.where(in_rush, rng.choice(RUSH_HOURS, n_samples), frame["hour"])
    else:
        keeps_to_sign = rng.uniform(size=n_samples) < 0.5
        careful = rng.normal(frame["speed_limit"], SPEED_SD)
        speed = np.where(keeps_to_sign, careful, frame["measured_speed"])
        label = (speed - effective_limit(frame) > 3).astype(int)
        frame["measured_speed"] = rng.normal(speed, MEASUREMENT_SD)
    frame["label"] = label
    frame["top"], frame["left"] = rng.integers(0, 2 * max_shift + 1, (2, n_samples))
    return TrafficCamera(frame, FEATURES, ("label",), metadata=metadata, max_shift=max_shift)


@functools.cache
def _digits() -> Any:
    return load_digits()


def _fast_and_slow(images: npt.NDArray[np.int_]) -> tuple[npt.NDArray[np.bool_], ...]:
    is_fast = _digits().target[images] >= 6
    return is_fast, ~is_fast


def _violation_proba(limit: FloatArray, measured: FloatArray, allowed: FloatArray) -> FloatArray:
    """P(speed > allowed + 3 | measured): Bayes' rule over the two kinds of drivers."""
    threshold = allowed + 3
    # Those who keep to the sign: a normal prior and a normal error give a normal posterior.
    sign_density = 0.5 * norm.pdf(measured, limit, np.hypot(SPEED_SD, MEASUREMENT_SD))
    variance = 1 / (SPEED_SD**-2 + MEASUREMENT_SD**-2)
    mean = variance * (limit / SPEED_SD**2 + measured / MEASUREMENT_SD**2)
    sign_above = ndtr((mean - threshold) / np.sqrt(variance))

    # The others: a uniform prior cuts the posterior off at both ends.
    def density_above(speed: FloatArray | float) -> FloatArray:
        above = ndtr((FASTEST - measured) / MEASUREMENT_SD) - ndtr(
            (speed - measured) / MEASUREMENT_SD
        )
        return np.asarray(0.5 * np.maximum(above, 0) / (FASTEST - SLOWEST))

    total = sign_density + density_above(SLOWEST)
    proba: FloatArray = (sign_density * sign_above + density_above(threshold)) / total
    return np.clip(proba, 0, 1)
