"""A booster's trees in ONNX Runtime, which answers one row several times faster.

Use it as the engine of an artifact: ``ServingArtifact.load(path, engine=OnnxTrees)``. It needs the
packages onnxmltools and onnxruntime.
"""

from __future__ import annotations

import json

import numpy as np
import xgboost
from numpy.typing import ArrayLike, NDArray

N_PROBES = 512
AGREEMENT = 1e-5  # relative to the largest prediction: rounding gives a tenth of it


class OnnxTrees:
    """What computes a booster's predictions in its place.

    The trees are converted and then asked, beside the booster, for predictions on both sides of
    their own thresholds. Sums are rounded in another order: predictions differ by up to 1e-6 of
    the largest. One row and the same row among many agree to the last bit.

    Parameters
    ----------
    booster : xgboost.Booster
        With one output per row and numeric features.

    Raises
    ------
    ValueError
        When the converter does not know the booster's objective: when it raises, or when its
        predictions are others.
    """

    def __init__(self, booster: xgboost.Booster) -> None:
        import onnxruntime
        from onnxmltools import convert_xgboost
        from onnxmltools.convert.common.data_types import FloatTensorType

        plain = booster.copy()
        plain.feature_names = None  # the converter only takes the names f0, f1, ...
        shape = FloatTensorType([None, booster.num_features()])
        try:
            model = convert_xgboost(plain, initial_types=[("features", shape)])
        except Exception as error:  # of whatever kind: the converter documents none
            raise ValueError(f"the trees cannot be converted to ONNX: {error}") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, ["CPUExecutionProvider"]
        )
        self._output = self._session.get_outputs()[-1].name
        probes = _probes(booster)
        wanted, got = booster.inplace_predict(probes), self.inplace_predict(probes)
        apart = float(np.abs(got - wanted).max() / np.abs(wanted).max().clip(min=1e-30))
        if not apart <= AGREEMENT:
            raise ValueError(
                f"converted to ONNX, the predictions differ by {apart:.2g} of the largest"
            )

    def inplace_predict(
        self, features: ArrayLike, validate_features: bool = False
    ) -> NDArray[np.float32]:
        """Predictions, shape (n_samples,), as of the booster's method of this name."""
        given = np.asarray(features, dtype=np.float32)
        found = self._session.run([self._output], {"features": given})[0]
        return found[:, -1]


def _probes(booster: xgboost.Booster) -> NDArray[np.float32]:
    """Rows of values at, just below and above the thresholds of the trees, and missing ones."""
    rng = np.random.default_rng(0)
    cuts: list[list[float]] = [[0.0] for _ in range(booster.num_features())]
    trees = json.loads(booster.save_raw("json"))["learner"]["gradient_booster"]["model"]["trees"]
    for tree in trees:
        for left, feature, cut in zip(
            tree["left_children"], tree["split_indices"], tree["split_conditions"], strict=True
        ):
            if left >= 0:
                cuts[feature].append(cut)
    columns = []
    for known in cuts:
        at = rng.choice(np.array(known, dtype=np.float32), N_PROBES)
        side = rng.choice(np.array([-np.inf, 0, np.inf], dtype=np.float32), N_PROBES)
        near = np.where(side == 0, at, np.nextafter(at, side))
        columns.append(np.where(rng.uniform(size=N_PROBES) < 0.1, np.float32(np.nan), near))
    return np.column_stack(columns).astype(np.float32)
