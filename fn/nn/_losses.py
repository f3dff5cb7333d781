"""Losses: functions of predictions and targets, one number per example."""

from __future__ import annotations

from typing import Any

import fn.numpy as np
from fn import ops
from fn.core import ArgumentError, is_inexact, is_integer, public, type_of
from fn.nn._exponentials import log_softmax


@public
def one_hot(labels: Any, count: int, dtype: Any = "float32") -> Any:
    """Rows of the identity: 1 at the label, 0 elsewhere; labels outside give zeros.

    Args:
        labels: integers, of any shape.
        count: number of classes, the size of the new last axis.
        dtype: of the result.

    >>> import fn
    >>> fn.nn.one_hot(1, 3)
    Array([0., 1., 0.], dtype=float32)
    """
    labels = np.asarray(labels)
    if not is_integer(labels.dtype):
        raise ArgumentError(
            "nn.one_hot: labels are not integers", expected="integers", got=str(type_of(labels))
        )
    shape = (*labels.shape, count)
    classes = ops.iota(dtype=labels.dtype, shape=shape, axis=labels.ndim)
    spread = ops.broadcast(labels, shape=shape, axes=tuple(range(labels.ndim)))
    return ops.convert(ops.eq(spread, classes), dtype=dtype)


@public
def cross_entropy(logits: Any, labels: Any) -> Any:
    """Negative log-probability of the labels under `softmax(logits)`, per example.

    Args:
        logits: floating, `(*batch, classes)`.
        labels: integers `(*batch,)`, or probabilities of the shape of `logits`.

    Returns:
        Losses `(*batch,)`; take the mean of them.

    Raises:
        ArgumentError: if the shapes do not fit.

    >>> import fn, fn.numpy as np
    >>> loss = fn.nn.cross_entropy(np.array([[0.0, 0.0]]), np.array([1]))
    >>> round(float(loss[0]), 4)
    0.6931
    """
    kind, target = type_of(logits), type_of(labels)
    integers = target is not None and is_integer(target.dtype)
    fits = (
        kind is not None
        and target is not None
        and kind.ndim >= 1
        and (is_inexact(target.dtype) or integers)
        and target.shape == (kind.shape[:-1] if integers else kind.shape)
    )
    if not fits or kind is None:
        batch = kind.shape[:-1] if kind is not None else "batch"
        raise ArgumentError(
            "nn.cross_entropy: labels do not fit the logits",
            expected=f"integers of shape {batch}, or probabilities of the shape of the logits",
            got=f"logits {kind}, labels {target}",
        )
    targets = one_hot(labels, kind.shape[-1], kind.dtype) if integers else labels
    return np.negative(np.sum(np.multiply(log_softmax(logits), targets), axis=-1))


@public
def squared_error(predictions: Any, targets: Any) -> Any:
    """`(predictions - targets) ** 2`, elementwise.

    >>> import fn
    >>> float(fn.nn.squared_error(3.0, 1.0))
    4.0
    """
    return np.square(np.subtract(predictions, targets))
