"""Products of second derivatives with a vector, at the cost of a few gradients: `hvp` and `gnvp`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jax.tree_util import tree_map, tree_structure, tree_unflatten

from fn.core import ArgumentError, execute, is_inexact, public
from fn.transforms import (
    fit_leaves,
    grad,
    jvp,
    linearize_program,
    normalize_argnums,
    trace_at,
    transpose_program,
    zeros,
)


@public
def hvp(
    function: Callable[..., Any],
    primals: Any,
    tangents: Any,
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    *,
    with_gradient: bool = False,
) -> Any:
    """The Hessian of a scalar function times a vector: the derivative of its gradient along `tangents`.

    Forward mode over reverse mode, `jvp` of `grad`; no Hessian is formed. For many vectors at one point,
    do what depends on the point once: `gradient, product = fn.linearize(fn.grad(function), x)`.

    Args:
        function: of positional arguments, any pytrees; returns a real floating scalar.
        primals: tuple or list of the arguments.
        tangents: tuple or list with a vector for each argument, of its structure; None for a leaf or an
            argument that does not move, such as a batch of data.
        argnums: by which positional arguments to take the gradient.
        has_aux: whether the function returns `(scalar, aux)`.
        with_gradient: whether to return the gradient too, which comes for free.

    Returns:
        The product, like a gradient: with the structure of the argument (a tuple of such for a sequence
        of argnums), and None for leaves that are not floating or complex. `(gradient, product)` with
        `with_gradient`; `aux` comes last with `has_aux`.

    Raises:
        TreeError, ArgumentError: if tangents do not fit, or the function does not return a scalar.

    References:
        Pearlmutter, Fast exact multiplication by the Hessian, 1994.

    >>> import fn, fn.numpy as np
    >>> fn.hvp(lambda x, a: (a * x ** 3).sum(), (np.array([1.0, 2.0]), 2.0), (np.array([1.0, 0.0]), None))
    Array([12.,  0.], dtype=float32)
    """
    primals, tangents = _pair("hvp", primals, tangents)
    derivative = grad(function, argnums, has_aux)
    gradient, product, *aux = jvp(derivative, primals, tangents, has_aux)
    results = (gradient, product, *aux) if with_gradient else (product, *aux)
    return results if len(results) > 1 else product


@public
def gnvp(
    model: Callable[..., Any],
    loss: Callable[[Any], Any],
    primals: Any,
    tangents: Any,
    argnums: int | Sequence[int] = 0,
) -> Any:
    """The Gauss-Newton matrix of `loss(model(...))` times a vector: Jᵀ H J v.

    J is the Jacobian of the model, H the Hessian of the loss by what the model returns. It is the
    Hessian without what comes from the curvature of the model, positive semidefinite wherever the loss
    is convex, so that conjugate gradients work on it. For a loss that is the negative logarithm of a
    likelihood of an exponential family, such as cross-entropy or squares, it is the Fisher information.

    Args:
        model: of positional arguments, any pytrees, to a tree of arrays.
        loss: of what the model returns, to a real floating scalar; it may close over targets.
        primals: tuple or list of the arguments of the model.
        tangents: tuple or list with a vector for each argument, of its structure; None for a leaf or an
            argument that does not move, such as a batch of data.
        argnums: by which positional arguments J is the Jacobian.

    Returns:
        The product, like a gradient: with the structure of the argument (a tuple of such for a sequence
        of argnums), and None for leaves that are not floating or complex.

    Raises:
        TreeError, ArgumentError: if tangents do not fit, or the loss does not return a scalar.

    References:
        Schraudolph, Fast curvature matrix-vector products for second-order gradient descent, 2002.

    >>> import fn, fn.numpy as np
    >>> a = np.array([[1.0, 0.0], [1.0, 2.0]])
    >>> fn.gnvp(lambda x: a @ x, lambda y: 0.5 * (y ** 2).sum(), (np.ones(2),), (np.array([1.0, 0.0]),))
    Array([2., 2.], dtype=float32)
    """
    primals, tangents = _pair("gnvp", primals, tangents)
    numbers = normalize_argnums("gnvp", argnums, primals)
    split, traced = trace_at("gnvp", model, primals, {})
    program = traced.program
    given = fit_leaves("gnvp", "tangents", tangents, primals, "primals")
    chosen = [
        n in numbers for n, p in enumerate(primals) for _ in range(tree_structure(p).num_leaves)
    ]
    arrays = [i for i, t in enumerate(split.types) if t is not None]
    smooth = [is_inexact(t.dtype) for t in program.in_types]
    wanted = [s and chosen[i] for s, i in zip(smooth, arrays, strict=False)]
    vectors = [given[i] for i in arrays]
    moving = [w or v is not None for w, v in zip(wanted, vectors, strict=True)]

    lin = linearize_program(program, tuple(moving) + (False,) * len(program.captured))
    values = [*split.arrays, *program.captured]
    outs, residuals = lin.split(values, execute(lin.primal, values))
    filled = [
        zeros(t.strong()) if v is None else v
        for v, t, m in zip(vectors, program.in_types, moving, strict=False)
        if m
    ]
    pushed = iter(execute(lin.linear, [*residuals, *filled]))
    slopes = [next(pushed) if n else None for n in lin.out_nonzero]

    curved = hvp(loss, (traced.rebuild(outs),), (_tree(traced, slopes),))
    cts = fit_leaves("gnvp", "cotangents", curved, traced.rebuild(outs), "output")
    for position, _ in reversed(traced.out_static):
        del cts[position]
    cts = [c for c, n in zip(cts, lin.out_nonzero, strict=True) if n]
    linear = (False,) * lin.residuals + (True,) * sum(moving)
    backward, has = transpose_program(lin.linear, linear, tuple([c is not None for c in cts]))
    pulled = iter(execute(backward, [*residuals, *[c for c in cts if c is not None]]))
    per_moving = iter([next(pulled) if h else None for h in has])
    results: list[Any] = [None] * len(given)
    for i, t, m, w in zip(arrays, program.in_types, moving, wanted, strict=False):
        found = next(per_moving) if m else None
        if w:
            results[i] = zeros(t.strong()) if found is None else found
    trees = tree_unflatten(tree_structure(primals), results)
    return (
        tuple([trees[n] for n in numbers]) if isinstance(argnums, Sequence) else trees[numbers[0]]
    )


def _tree(traced: Any, entries: Sequence[Any]) -> Any:
    """One entry per array of the output in its tree, None for what is no array."""
    leaves = list(entries)
    for position, _ in traced.out_static:
        leaves.insert(position, None)
    return tree_unflatten(traced.out_tree, leaves)


def _pair(operation: str, primals: Any, tangents: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """The arguments and their tangents, checked, with None for each leaf that does not move."""
    for name, value in (("primals", primals), ("tangents", tangents)):
        if not isinstance(value, (tuple, list)):
            raise ArgumentError(
                f"{operation}: {name} is not a tuple or list of arguments",
                expected="a tuple with one entry per argument of the function",
                got=type(value).__name__,
                fix=f"write ({name},) for a single argument",
            )
    if len(primals) == len(tangents):
        tangents = [
            tree_map(lambda leaf: None, p) if t is None else t
            for p, t in zip(primals, tangents, strict=True)
        ]
    fit_leaves(operation, "tangents", tuple(tangents), tuple(primals), "primals")
    return tuple(primals), tuple(tangents)
