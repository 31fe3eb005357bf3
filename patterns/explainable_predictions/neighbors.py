"""Explanations by example: the training rows that a network sees as most alike.

Rows are compared in an embedding, such as the last hidden layer. Neighbors with other labels than
the prediction are a warning. A training row whose neighbors all have another label may be
mislabeled.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.neighbors import NearestNeighbors
from sklearn.utils.validation import check_consistent_length


def examples(
    embedding: ArrayLike,
    labels: ArrayLike,
    queries: ArrayLike,
    predicted: ArrayLike,
    n_neighbors: int = 10,
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """The nearest training rows of each query, and how many of them have the predicted label.

    Parameters
    ----------
    embedding, queries : arrays of shape (n_train, n_dimensions) and (n_queries, n_dimensions)
    labels, predicted : arrays of shape (n_train,) and (n_queries,)
    n_neighbors : int, default 10

    Returns
    -------
    rows : array of shape (n_queries, n_neighbors)
        Positions in ``embedding``, nearest first.
    agreement : array of shape (n_queries,)
        Share of these rows whose label is the predicted one.

    Raises
    ------
    ValueError
        When arrays do not fit together, or there are fewer rows than neighbors.
    """
    labels, predicted = np.asarray(labels), np.asarray(predicted)
    check_consistent_length(embedding, labels)
    check_consistent_length(queries, predicted)
    index = NearestNeighbors(n_neighbors=n_neighbors).fit(embedding)
    rows = index.kneighbors(queries, return_distance=False)
    return rows, (labels[rows] == predicted[:, None]).mean(axis=1)


def suspicion(
    embedding: ArrayLike, labels: ArrayLike, n_neighbors: int = 10
) -> NDArray[np.float64]:
    """Share of each training row's neighbors, itself left out, that have another label.

    Look at the rows with the highest share first: their label may be wrong. The embedding must not
    have learned these labels by heart; one that was trained for a few epochs, or without labels,
    has not.

    Parameters
    ----------
    embedding : array of shape (n_rows, n_dimensions)
    labels : array of shape (n_rows,)
    n_neighbors : int, default 10

    Returns
    -------
    array of shape (n_rows,)

    Raises
    ------
    ValueError
        When labels do not fit the rows, or there are no more rows than neighbors.
    """
    labels = np.asarray(labels)
    check_consistent_length(embedding, labels)
    index = NearestNeighbors(n_neighbors=n_neighbors).fit(embedding)
    rows = index.kneighbors(return_distance=False)  # without a query, a row is not its own neighbor
    return (labels[rows] != labels[:, None]).mean(axis=1)
