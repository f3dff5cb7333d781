"""Gradients of each example by itself, their norms without them, and sums of clipped ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np
from jax.tree_util import tree_leaves

import fn.numpy as fnp
from fn.control import call
from fn.core import ArgumentError, ArrayType, public, split_arguments, trace_call, type_of
from fn.derivatives._squares import with_squares
from fn.ops import stop_gradient
from fn.transforms import grad, vmap

Function = Callable[..., Any]


@public
def per_example_grads(
    function: Function,
    argnums: int | Sequence[int] = 0,
    in_axes: Any = None,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
) -> Function:
    """A function that gives the gradient of `function` for each example of a batch.

    Args:
        function: of parameters and one example; returns a real scalar (or `(scalar, aux)`).
        argnums: which positional arguments to differentiate, the parameters; a sequence gives a tuple.
        in_axes: where arguments have the axis of examples, as in `fn.vmap`. By default the parameters
            have none and all others have it in front.
        has_aux: whether the function returns `(scalar, aux)`; the result is `(gradients, aux)`.
        chunk_size: at most this many examples at a time, to bound memory.

    Returns:
        A function of parameters and a batch. Its result has the structure of the parameters, with
        arrays of shape `(batch, *parameter.shape)`.

    >>> import fn, fn.numpy as np
    >>> loss = lambda w, x, y: (x @ w - y) ** 2
    >>> fn.per_example_grads(loss)(np.ones(3), np.ones((5, 3)), np.zeros(5)).shape
    (5, 3)
    """
    _check("per_example_grads", function)

    @wraps(function)
    @public
    def gradients(*args: Any, **kwargs: Any) -> Any:
        axes = _axes("per_example_grads", argnums, in_axes, args)
        one = grad(function, argnums, has_aux)
        return vmap(one, axes, chunk_size=chunk_size)(*args, **kwargs)

    return gradients


@public
def per_example_norms(
    function: Function,
    argnums: int | Sequence[int] = 0,
    in_axes: Any = None,
    *,
    has_aux: bool = False,
    squared: bool = False,
) -> Function:
    """A function that gives the norm of each example's gradient, without the gradients where it can.

    It is the Euclidean norm over all parameters together. The Program of `per_example_grads` is
    rewritten. Where a gradient is a product of activations and cotangents, as that of a dense layer is,
    its norm comes from their Gram matrices, or their lengths if there is one position per example, if by
    count of operations and memory that costs less than the product. So it is for embeddings, for
    parameters used in several places, and inside `fn.remat` and the steps of `fn.scan`. The norms of
    other gradients (biases, convolutions, the weights of a recurrence) come from the gradients, batched.

    Args:
        function: as in `per_example_grads`.
        argnums: likewise.
        in_axes: likewise.
        has_aux: likewise; the result is `(norms, aux)`.
        squared: give the squares of the norms, which are differentiable at zero.

    Returns:
        A function of parameters and a batch that gives a vector, float32 or wider.

    Source: Goodfellow, Efficient Per-Example Gradient Computations, 2015 (arXiv:1510.01799); Li, Tramèr,
    Liang and Hashimoto, Large Language Models Can Be Strong Differentially Private Learners, ICLR 2022.

    >>> import fn, fn.numpy as np
    >>> loss = lambda w, x: (x @ w).sum()
    >>> fn.per_example_norms(loss)(np.ones((4, 9)), np.array([[0.0, 3.0, 4.0, 0.0]])).tolist()
    [15.0]
    """
    _check("per_example_norms", function)

    @wraps(function)
    @public
    def norms(*args: Any, **kwargs: Any) -> Any:
        axes = _axes("per_example_norms", argnums, in_axes, args)
        total, aux = _squared_norms(
            "per_example_norms", function, argnums, axes, has_aux, args, kwargs
        )
        total = total if squared else fnp.sqrt(total)
        return (total, aux) if has_aux else total

    return norms


@public
def per_example_clipped_grad(
    function: Function,
    max_norm: Any,
    argnums: int | Sequence[int] = 0,
    in_axes: Any = None,
    *,
    has_aux: bool = False,
) -> Function:
    """A function that gives the sum of all examples' gradients, each scaled down to a norm at most.

    That is what private training adds noise to (DP-SGD). It takes two passes, neither of which makes
    gradients per example where `per_example_norms` does not: one for the norms, and a gradient of the
    losses weighted by `min(1, max_norm / norm)`.

    Args:
        function: as in `per_example_grads`.
        max_norm: a number, or a scalar array.
        argnums: likewise.
        in_axes: likewise; parameters have no axis of examples here.
        has_aux: likewise; the result is `(gradient, norms, aux)`.

    Returns:
        A function of parameters and a batch that gives `(gradient, norms)`: the sum, with the structure
        of the parameters, and the norms before clipping.

    Source: Abadi et al., Deep Learning with Differential Privacy, CCS 2016, for what is computed, and
    Li et al., ICLR 2022, for how.

    >>> import fn, fn.numpy as np
    >>> loss = lambda w, x: (x @ w).sum()
    >>> clipped = fn.per_example_clipped_grad(loss, max_norm=2.5)
    >>> gradient, norms = clipped(np.ones((2, 1)), np.array([[3.0, 4.0], [0.5, 0.0]]))
    >>> gradient[:, 0].tolist(), norms.tolist()
    ([2.0, 2.0], [5.0, 0.5])

    With noise, as private training has it, for two examples:

    >>> noise = fn.random.normal(fn.random.key(0), gradient.shape)
    >>> step = (gradient + 1.1 * 2.5 * noise) / 2
    """
    operation = "per_example_clipped_grad"
    _check(operation, function)

    @wraps(function)
    @public
    def clipped(*args: Any, **kwargs: Any) -> Any:
        axes = _axes(operation, argnums, in_axes, args)
        numbers = argnums if isinstance(argnums, Sequence) else (argnums,)
        if isinstance(axes, tuple) and any(tree_leaves(axes[n]) for n in numbers):
            raise ArgumentError(
                f"{operation}: parameters with an axis of examples have no sum of gradients",
                expected="in_axes of None for the arguments differentiated", got=f"in_axes={axes}",
                fix="leave out in_axes, or use per_example_grads",
            )  # fmt: skip
        total, aux = _squared_norms(operation, function, argnums, axes, has_aux, args, kwargs)
        norms = fnp.sqrt(total)
        # At zero there is nothing to clip.
        weights = fnp.minimum(1.0, max_norm / fnp.maximum(norms, np.finfo(norms.dtype).tiny))
        weights = stop_gradient(weights)

        def weighted(*args: Any) -> Any:
            losses = vmap(function, axes)(*args, **kwargs)
            losses = losses[0] if has_aux else losses
            return (losses * weights.astype(losses.dtype)).sum()

        gradient = grad(weighted, argnums)(*args)
        return (gradient, norms, aux) if has_aux else (gradient, norms)

    return clipped


def _squared_norms(
    operation: str, function: Function, argnums: Any, axes: Any, has_aux: bool,
    args: tuple[Any, ...], kwargs: Any,
) -> tuple[Any, Any]:  # fmt: skip
    """Squares of the norms, and `aux` or None."""
    batched = vmap(grad(function, argnums, has_aux), axes)
    split = split_arguments(operation, function, args, kwargs)
    values = [None if isinstance(a, ArrayType) else a for a in split.arrays]
    traced = trace_call(operation, batched, args, kwargs, split, values=values)
    program = traced.program
    example = traced.rebuild(program.out_types)
    gradients = example[0] if has_aux else example
    # Gradients come first, and have examples in front.
    count = sum(type_of(leaf) is not None for leaf in tree_leaves(gradients))
    rewritten = with_squares(program, dict.fromkeys(range(count), 0))
    outs = list(call(rewritten, *split.arrays))
    total: Any = outs[0]
    for square in outs[1:count]:
        total = total + square
    if not has_aux:
        return total, None
    return total, traced.rebuild([*program.out_types[:count], *outs[count:]])[1]


def _check(operation: str, function: Function) -> None:
    if not callable(function):
        raise ArgumentError(
            f"{operation}: the first argument is not a function",
            expected="a function of parameters and one example", got=type(function).__name__,
            fix=f"write {operation}(f)(params, batch), not {operation}(f(params, batch))",
        )  # fmt: skip


def _axes(operation: str, argnums: Any, in_axes: Any, args: tuple[Any, ...]) -> Any:
    """`in_axes` for `vmap`; by default none for what is differentiated and 0 for all others."""
    if in_axes is not None:
        return in_axes
    numbers = argnums if isinstance(argnums, Sequence) else (argnums,)
    if any(
        not isinstance(n, (int, np.integer)) or not -len(args) <= n < len(args) for n in numbers
    ):
        raise ArgumentError(
            f"{operation}: argnums does not name a positional argument",
            expected=f"integers from {-len(args)} to {len(args) - 1}" if args else "no argnums",
            got=f"argnums={argnums!r} with {len(args)} positional arguments",
            fix="pass the parameters by position",
        )
    chosen = {n % len(args) for n in numbers}
    return tuple([None if i in chosen else 0 for i in range(len(args))])
