"""Keeping gradients in bounds."""

from __future__ import annotations

from typing import Any

from jax.tree_util import tree_leaves

import fn.numpy as np
from fn import tree
from fn.core import ArgumentError, public
from fn.optim._contract import Optimizer


@public
def global_norm(tree: Any) -> Any:
    """The Euclidean norm of all arrays of a tree taken together; None counts as nothing.

    >>> import fn, fn.numpy as np
    >>> float(fn.optim.global_norm({"a": np.array([3.0]), "b": np.array([4.0])}))
    5.0
    """
    total: Any = 0.0
    for leaf in tree_leaves(tree):
        total = np.add(total, np.sum(np.square(np.abs(leaf))))
    # The root has no derivative at 0; the norm of nothing is 0 and so is its gradient.
    positive = np.greater(total, 0)
    return np.where(positive, np.sqrt(np.where(positive, total, 1.0)), 0.0)


def clip_by_global_norm(bound: float) -> Optimizer:
    """Scales all gradients down together where their `global_norm` exceeds `bound`.

    Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks", 2013.

    >>> import fn, fn.numpy as np
    >>> clip = fn.optim.clip_by_global_norm(1.0)
    >>> g = {"w": np.array([3.0, 4.0])}
    >>> updates, _ = clip.update(g, clip.init(g), g)
    >>> [round(v, 2) for v in updates["w"].tolist()]
    [0.6, 0.8]
    """
    if not bound > 0:
        raise ArgumentError(
            "optim.clip_by_global_norm: wrong bound", expected="> 0", got=repr(bound)
        )

    def init(params: Any) -> dict[str, Any]:
        return {}

    def update(grads: Any, state: Any, params: Any, value: Any = None) -> tuple[Any, Any]:
        norm = global_norm(grads)
        scale = np.divide(bound, np.maximum(norm, bound))
        return tree.map(lambda g: np.multiply(g, np.astype(scale, g.dtype)), grads), state

    return Optimizer(init, update)
