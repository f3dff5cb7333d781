"""The one contract of optimizers.

    state = init(params)
    updates, state = update(grads, state, params, value=None)
    params = apply_updates(params, updates)

An optimizer is a pair of pure functions; `chain` makes one of several. Trees may hold leaves that have
no gradient: where `grads` is None, `updates` is None and the parameter stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from jax.tree_util import tree_leaves, tree_map, tree_structure

import fn.numpy as np
from fn import tree
from fn.core import ArgumentError, TreeError, is_inexact, leaf_paths, public, type_of

Schedule: TypeAlias = Callable[[Any], Any]
Hyperparameter: TypeAlias = float | Schedule


class Optimizer(NamedTuple):
    """A pair of pure functions, `init` and `update`; see `fn.optim`.

    >>> import fn, fn.numpy as np
    >>> init, update = fn.optim.sgd(0.1)
    >>> params = np.ones(2)
    >>> change, state = update(params, init(params), params)
    >>> change.shape
    (2,)
    """

    init: Callable[[Any], Any]
    update: Callable[..., tuple[Any, Any]]


def _is_none(x: Any) -> bool:
    return x is None


def zeros_like_present(params: Any) -> Any:
    """Zeros for the leaves of `params` that can have a gradient, None for the others."""

    def zeros(leaf: Any) -> Any:
        kind = type_of(leaf)
        return np.zeros(kind.shape, kind.dtype) if kind and is_inexact(kind.dtype) else None

    return tree_map(zeros, params)


def check_grads(optimizer: str, grads: Any, params: Any) -> None:
    """Raise unless `grads` has the structure of `params`, up to None.

    Raises:
        TreeError: naming the first path where they part.
    """
    given = tree_structure(tree.map(lambda g: 0, grads), is_leaf=_is_none)
    expected = tree_structure(params, is_leaf=_is_none)
    if given != expected:
        ours, theirs = leaf_paths(params, "params"), leaf_paths(grads, "grads")
        odd = [p for p in theirs if p.replace("grads", "params", 1) not in ours]
        raise TreeError(
            f"optim.{optimizer}: the gradients do not have the structure of the parameters",
            expected=str(expected),
            got=str(given) + (f"; `{odd[0]}` has no parameter" if odd else ""),
            fix="pass the gradients fn.grad gives for these parameters",
        )
    for path, g, p in zip(
        leaf_paths(tree.map(lambda g: 0, grads), "params"),
        tree_leaves(grads),
        _present_params(grads, params),
        strict=True,
    ):
        a, b = type_of(g), type_of(p)
        if a is None or b is None or a.shape != b.shape:
            raise ArgumentError(
                f"optim.{optimizer}: wrong gradient for `{path}`", expected=str(b), got=str(a)
            )


def _present_params(grads: Any, params: Any) -> list[Any]:
    leaves: list[Any] = tree_leaves(tree.map(lambda g, p: p, grads, params))
    return leaves


@public
def apply_updates(params: Any, updates: Any) -> Any:
    """`params + updates`, leaf by leaf; where `updates` is None the parameter stays as it is.

    >>> import fn
    >>> fn.optim.apply_updates({"w": 1.0, "name": "layer"}, {"w": -0.25, "name": None})
    {'name': 'layer', 'w': Array(0.75, dtype=float32, weak_type=True)}
    """

    def apply(update: Any, param: Any) -> Any:
        if update is None:
            return param
        kind = type_of(param)
        moved = np.add(param, update)
        return moved if kind is None or kind.dtype == moved.dtype else np.astype(moved, kind.dtype)

    return tree_map(apply, updates, params, is_leaf=_is_none)


def chain(*optimizers: Optimizer) -> Optimizer:
    """One optimizer of several: each gets the updates of the one before as its gradients.

    >>> import fn
    >>> optimizer = fn.optim.chain(fn.optim.clip_by_global_norm(1.0), fn.optim.sgd(0.1))
    """

    def init(params: Any) -> Any:
        return tuple([o.init(params) for o in optimizers])

    def update(grads: Any, state: Any, params: Any, value: Any = None) -> tuple[Any, Any]:
        new = []
        for optimizer, own in zip(optimizers, state, strict=True):
            grads, own = optimizer.update(grads, own, params, value=value)
            new.append(own)
        return grads, tuple(new)

    return Optimizer(init, update)


def current(hyperparameters: dict[str, Hyperparameter], count: Any) -> dict[str, Any]:
    """The values of hyperparameters at step `count`: schedules evaluated, numbers as f32 scalars."""
    return {
        name: np.asarray(value(count) if callable(value) else value, "float32")
        for name, value in hyperparameters.items()
    }
