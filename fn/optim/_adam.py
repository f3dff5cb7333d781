"""Adam, and with decoupled weight decay AdamW."""

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


def adam(
    learning_rate: Hyperparameter,
    b1: Hyperparameter = 0.9,
    b2: Hyperparameter = 0.999,
    epsilon: Hyperparameter = 1e-8,
    weight_decay: Hyperparameter = 0.0,
) -> Optimizer:
    """Steps of about `learning_rate` per element, from running means of gradients and their squares.

    Kingma and Ba, "Adam: a method for stochastic optimization", 2014, with the bias corrections of
    Algorithm 1. `weight_decay` is decoupled: Loshchilov and Hutter, 2017 (AdamW).

    Args:
        learning_rate: a number, or a schedule from the step count to one; so are the others.
        b1: fraction kept of the mean of gradients.
        b2: fraction kept of the mean of squares.
        epsilon: added to the root of the mean of squares.
        weight_decay: fraction of a parameter, times the learning rate, subtracted in each step.

    The state holds `count`, `mean`, `square` and the current `hyperparameters`.

    >>> import fn
    >>> optimizer = fn.optim.adam(0.1)
    >>> updates, state = optimizer.update({"w": 2.0}, optimizer.init({"w": 1.0}), {"w": 1.0})
    >>> round(float(updates["w"]), 4), float(state["hyperparameters"]["learning_rate"]) > 0
    (-0.1, True)
    """
    hyperparameters: dict[str, Hyperparameter] = {
        "learning_rate": learning_rate, "b1": b1, "b2": b2, "epsilon": epsilon,
        "weight_decay": weight_decay,
    }  # fmt: skip
    decays = callable(weight_decay) or weight_decay != 0

    def init(params: Any) -> dict[str, Any]:
        count = np.zeros((), "int32")
        return {
            "count": count,
            "hyperparameters": current(hyperparameters, count),
            "mean": zeros_like_present(params),
            "square": zeros_like_present(params),
        }

    def update(grads: Any, state: Any, params: Any, value: Any = None) -> tuple[Any, Any]:
        check_grads("adam", grads, params)
        now = current(hyperparameters, state["count"])
        count = np.add(state["count"], 1)
        steps = np.astype(count, "float32")
        # Both corrections are scalars, so they go into the step size and cost nothing per element.
        first = np.subtract(1.0, np.power(now["b1"], steps))
        second = np.sqrt(np.subtract(1.0, np.power(now["b2"], steps)))
        size = np.negative(np.divide(np.multiply(now["learning_rate"], second), first))
        floor = np.multiply(now["epsilon"], second)

        def blend(keep: Any, old: Any, new: Any) -> Any:
            keep = np.astype(keep, old.dtype)
            return np.add(np.multiply(keep, old), np.multiply(np.subtract(1.0, keep), new))

        mean = tree.map(lambda g, m: blend(now["b1"], m, g), grads, state["mean"])
        square = tree.map(
            lambda g, s: blend(now["b2"], s, np.square(np.abs(g))), grads, state["square"]
        )

        def step(m: Any, s: Any, p: Any) -> Any:
            root = np.add(np.sqrt(s), np.astype(floor, s.dtype))
            moved = np.multiply(np.astype(size, m.dtype), np.divide(m, root))
            if decays:
                fade = np.multiply(now["learning_rate"], now["weight_decay"])
                moved = np.subtract(moved, np.multiply(np.astype(fade, m.dtype), p))
            return moved

        updates = tree.map(step, mean, square, params)
        state = {"count": count, "hyperparameters": now, "mean": mean, "square": square}
        return updates, state

    return Optimizer(init, update)
