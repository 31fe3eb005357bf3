"""A cross of many categories as a product of two embeddings, by least squares or by Keras.

A one-hot cross learns a coefficient for each combination, from that combination's rows alone. With
an embedding each category has a short vector, and a combination is worth the inner product of two.
Those are far fewer numbers, learned from all rows of either category, with an answer for
combinations that never occurred. The price: what has no low rank cannot be expressed.

Source: Koren, Bell, Volinsky, "Matrix Factorization Techniques for Recommender Systems" (2009).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.integer[Any]]


def factorize_cross(
    first: IntArray,
    second: IntArray,
    y: FloatArray,
    n_categories: tuple[int, int],
    dimension: int = 4,
    *,
    penalty: float = 1.0,
    n_rounds: int = 20,
    random_state: int = 0,
) -> tuple[FloatArray, FloatArray]:
    """Embed two categorical columns so that inner products fit ``y``: alternating least squares.

    While one side's vectors are fixed, each vector of the other side solves a ridge regression.

    Parameters
    ----------
    first, second : integer arrays of shape (n_samples,)
        Categories as codes from 0.
    y : array of shape (n_samples,)
        The target, centered.
    n_categories : (int, int)
        Number of categories of each column.
    dimension : int
        Length of a vector: the rank that can be expressed.
    penalty : float
        Of squared entries, relative to squared errors.
    n_rounds : int
        How often both sides are solved for.
    random_state : int
        Seed of the starting vectors.

    Returns
    -------
    of_first, of_second : arrays of shape (n_categories[0], dimension), (n_categories[1], dimension)
        The fit is ``np.sum(of_first[first] * of_second[second], axis=1)``.

    Raises
    ------
    ValueError
        For a code that is not below its number of categories, arrays of different lengths, a target
        that is missing or infinite, a dimension or a number of rounds below 1, and a penalty that
        is not positive: without one, a category without rows has no solution.
    """
    for name, codes, bound in zip(("first", "second"), (first, second), n_categories, strict=True):
        if len(codes) and not (codes.min() >= 0 and codes.max() < bound):
            raise ValueError(f"{name} must hold codes from 0 to {bound - 1}, got {codes.max()}")
    if not len(first) == len(second) == len(y):
        raise ValueError(
            f"first, second and y must be of one length, got {len(first)}, {len(second)}, {len(y)}"
        )
    if not np.isfinite(y).all():
        raise ValueError("y must hold finite numbers")
    if dimension < 1 or n_rounds < 1 or not penalty > 0:
        raise ValueError(
            f"dimension and n_rounds must be at least 1 and penalty positive, got {dimension!r}, "
            f"{n_rounds!r} and {penalty!r}"
        )
    rng = np.random.default_rng(random_state)
    vectors = [rng.normal(size=(n, dimension)) / np.sqrt(dimension) for n in n_categories]
    rows = np.arange(len(y))
    sides = [
        sparse.csr_array((np.ones(len(y)), (codes, rows)), shape=(n, len(y)))
        for codes, n in zip((first, second), n_categories, strict=True)
    ]
    for _ in range(n_rounds):
        for side, other, codes in ((0, 1, second), (1, 0, first)):
            fixed = vectors[other][codes]
            # One row of each matrix at a time: all products at once would not fit into memory.
            rows_of_gram = [sides[side] @ (fixed * fixed[:, [i]]) for i in range(dimension)]
            gram = np.stack(rows_of_gram, axis=1)
            right = sides[side] @ (fixed * y[:, np.newaxis])
            ridge = gram + penalty * np.eye(dimension)
            vectors[side] = np.linalg.solve(ridge, right[:, :, np.newaxis])[:, :, 0]
    return vectors[0], vectors[1]


def embedding_model(
    n_categories: tuple[int, int], dimension: int = 4, learning_rate: float = 0.02
) -> Any:
    """The same in Keras, compiled for regression: a network may go on from here.

    Parameters
    ----------
    n_categories : (int, int)
        Number of categories of the two inputs, which are named ``first`` and ``second`` and hold
        codes from 0.
    dimension : int
        Length of a vector.
    learning_rate : float
        Of the Adam optimizer.

    Returns
    -------
    keras.Model
        Two inputs of shape (n_samples,), one output of shape (n_samples, 1).

    Raises
    ------
    ValueError
        If a number is below 1.
    """
    if min(*n_categories, dimension) < 1:
        raise ValueError(
            f"n_categories and dimension must be at least 1, got {n_categories} and {dimension}"
        )
    import keras  # takes seconds, which those who only cross should not wait for

    inputs = [keras.Input((), dtype="int32", name=name) for name in ("first", "second")]
    vectors = [
        keras.layers.Embedding(
            n,
            dimension,
            embeddings_initializer=keras.initializers.RandomNormal(stddev=dimension**-0.5, seed=i),
        )(codes)
        for i, (codes, n) in enumerate(zip(inputs, n_categories, strict=True))
    ]
    model = keras.Model(inputs, keras.layers.Dot(axes=1)(vectors))
    model.compile(keras.optimizers.Adam(learning_rate), "mse")
    return model
