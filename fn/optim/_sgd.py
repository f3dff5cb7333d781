"""Stochastic gradient descent, with momentum."""

from __future__ import annotations

from typing import Any

import fn.numpy as np
from fn import tree
from fn.optim._contract import (
    Hyperparameter,
    Optimizer,
    check_grads,
    current,
    zeros_like_present,
)


def sgd(
    learning_rate: Hyperparameter, momentum: Hyperparameter = 0.0, *, nesterov: bool = False
) -> Optimizer:
    """Gradient descent: `v = momentum * v + g`, `update = -learning_rate * v`.

    Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013.

    Args:
        learning_rate: a number, or a schedule from the step count to one.
        momentum: fraction of the velocity that is kept; 0 keeps no velocity.
        nesterov: look ahead, `update = -learning_rate * (momentum * v + g)`.

    The state holds `count`, `velocity` (None without momentum) and the current `hyperparameters`.

    >>> import fn
    >>> optimizer = fn.optim.sgd(0.5)
    >>> updates, state = optimizer.update({"w": 2.0}, optimizer.init({"w": 1.0}), {"w": 1.0})
    >>> float(updates["w"])
    -1.0
    """
    hyperparameters = {"learning_rate": learning_rate, "momentum": momentum}
    moves = callable(momentum) or momentum != 0

    def init(params: Any) -> dict[str, Any]:
        count = np.zeros((), "int32")
        return {
            "count": count,
            "hyperparameters": current(hyperparameters, count),
            "velocity": zeros_like_present(params) if moves else None,
        }

    def update(grads: Any, state: Any, params: Any, value: Any = None) -> tuple[Any, Any]:
        check_grads("sgd", grads, params)
        now = current(hyperparameters, state["count"])
        rate, keep = now["learning_rate"], now["momentum"]
        velocity, direction = None, grads
        if moves:

            def push(g: Any, v: Any) -> Any:
                return np.add(np.multiply(np.astype(keep, v.dtype), v), g)

            velocity = tree.map(push, grads, state["velocity"])
            direction = tree.map(push, grads, velocity) if nesterov else velocity
        updates = tree.map(
            lambda d: np.negative(np.multiply(np.astype(rate, np.asarray(d).dtype), d)), direction
        )
        state = {"count": np.add(state["count"], 1), "hyperparameters": now, "velocity": velocity}
        return updates, state

    return Optimizer(init, update)
