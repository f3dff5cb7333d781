"""Taylor mode for users: `jet`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import factorial
from typing import Any

from jax.tree_util import tree_flatten, tree_unflatten

from fn.core import (
    ArgumentError,
    Program,
    TreeError,
    evaluate,
    execute,
    is_inexact,
    leaf_paths,
    public,
)
from fn.derivatives._alone import record
from fn.derivatives._recurrences import scaled
from fn.derivatives._taylor import Orders, jet_program
from fn.transforms import fit_leaves, trace_at, zeros


@public
def jet(
    function: Callable[..., Any], primals: Any, series: Any, factorial_scaled: bool = True
) -> tuple[Any, Any]:
    """The value of `function` and its derivatives along a curve, up to any order, in one pass.

    For a curve x(t) through `primals`, given by its derivatives at t = 0, the derivatives of
    `function(x(t))` there. One pass of order K costs about K²/2 times the function, where nesting `jvp`
    costs 2^K times. It goes through every operation, loop and branch, with the derivative rules of custom
    functions; those of any order, not only the first, follow from their jvp rule.

    The calling convention is that of `jax.experimental.jet.jet`, extended to pytrees.

    Args:
        function: of positional arguments, any pytrees.
        primals: tuple or list of the arguments.
        series: tuple or list with an entry per argument. The entry of an array is a list of its
            derivatives by t, `[dx/dt, d²x/dt², …]`, all of one length K; that of a pytree has such a
            list in place of each leaf. None stands for zero: for a derivative, a leaf or an argument.
            Leaves that are not floating or complex have no series.
        factorial_scaled: whether the numbers are derivatives. If False they are coefficients of the
            Taylor polynomials x0 + x1 t + x2 t² + …, in `series` and in the result.

    Returns:
        `(output, output_series)`, where `output_series` has the structure of the output, with a list of
        K derivatives for each array, and None for leaves that are not floating or complex.

    Raises:
        TreeError: if `series` does not have the structure of `primals`.
        ArgumentError: if lists differ in length, or an entry has the wrong shape or dtype.

    References:
        Griewank and Walther, Evaluating Derivatives, 2008, chapter 13; Bettencourt, Johnson and Duvenaud,
        Taylor-mode automatic differentiation for higher-order derivatives in JAX, 2019.

    >>> import fn, fn.numpy as np
    >>> y, (d1, d2, d3) = fn.jet(np.sin, (0.0,), ([1.0, 0.0, 0.0],))
    >>> float(y), float(d1), float(d2), float(d3)
    (0.0, 1.0, 0.0, -1.0)
    """
    for name, value in (("primals", primals), ("series", series)):
        if not isinstance(value, (tuple, list)):
            raise ArgumentError(
                f"jet: {name} is not a tuple or list with an entry per argument",
                expected="a tuple with one entry per argument of the function",
                got=type(value).__name__,
                fix=f"write ({name},) for a single argument",
            )
    split, traced = trace_at("jet", function, tuple(primals), {})
    columns = _columns(tuple(primals), tuple(series))
    order = len(columns)
    per_leaf = list(zip(*columns, strict=True)) if columns else [()] * len(split.types)
    given = [s for s, kind in zip(per_leaf, split.types, strict=True) if kind is not None]
    program = traced.program
    moving = tuple([tuple([x is not None for x in s]) for s in given])
    moving += ((False,) * order,) * len(program.captured)
    derived, outs = jet_program(program, order, moving)
    if factorial_scaled:
        derived = _scaled(derived, moving, outs)
    values = [
        x for value, s in zip(split.arrays, given, strict=True)
        for x in (value, *[c for c in s if c is not None])
    ]  # fmt: skip
    left = iter(execute(derived, [*values, *program.captured]))
    primal, found = [], []
    for kind, there in zip(program.out_types, outs, strict=True):
        primal.append(next(left))
        terms = [next(left) if has else zeros(kind.strong()) for has in there]
        found.append(terms if is_inexact(kind.dtype) else None)
    for position, _ in traced.out_static:
        found.insert(position, None)
    return traced.rebuild(primal), tree_unflatten(traced.out_tree, found)


def _columns(primals: tuple[Any, ...], series: tuple[Any, ...]) -> list[list[Any]]:
    """Per order, one coefficient per leaf of the primals, None for zero."""
    if len(primals) != len(series):
        raise TreeError(
            "jet: primals and series have different lengths",
            expected=f"{len(primals)} entries in series, one per argument",
            got=f"{len(series)} entries",
            fix="give None for an argument that does not move",
        )
    lists: list[Any] = []
    for position, (primal, terms) in enumerate(zip(primals, series, strict=True)):
        leaves, tree = tree_flatten(primal)
        if terms is None:
            lists += [None] * len(leaves)
            continue
        try:
            lists += tree.flatten_up_to(terms)
        except (ValueError, TypeError) as error:
            raise TreeError(
                f"jet: the series of argument {position} does not have the structure of its primal",
                expected=f"{tree}, with a list of derivatives in place of each leaf",
                got=str(tree_flatten(terms)[1]),
                fix=f"give one list per leaf, None for leaves that do not move ({str(error).splitlines()[0]})",
            ) from None
    paths = leaf_paths(primals, "primals")
    for path, terms in zip(paths, lists, strict=True):
        if terms is not None and not isinstance(terms, (list, tuple)):
            raise ArgumentError(
                f"jet: the series of `{path}` is not a list of derivatives",
                expected="a list [dx/dt, d²x/dt², …], or None",
                got=type(terms).__name__,
                fix="write [x] for a series of order one",
            )
    lengths = {len(terms) for terms in lists if terms is not None}
    if len(lengths) != 1:
        found = [f"`{p}`: {len(s)}" for p, s in zip(paths, lists, strict=True) if s is not None]
        raise ArgumentError(
            "jet: the order of the series is unknown"
            if not lengths
            else "jet: series differ in length",
            expected="lists of one length, the order",
            got="; ".join(found) or "None for every argument",
            fix="fill up with None, which is zero",
        )
    (order,) = lengths
    whole = tree_flatten(primals)[1]
    columns = []
    for k in range(order):
        column = [None if terms is None else terms[k] for terms in lists]
        columns.append(
            fit_leaves("jet", "derivatives", tree_unflatten(whole, column), primals, "primals")
        )
    return columns


def _scaled(program: Program, ins: tuple[Orders, ...], outs: tuple[Orders, ...]) -> Program:
    """A Program on Taylor coefficients as one on derivatives, which are k! times as large."""
    key = ("factorial scaled", ins, outs)
    if key not in program.cache:
        before, after = _factorials(ins), _factorials(outs)

        def run(*args: Any) -> list[Any]:
            results = evaluate(
                program, [scaled(1 / c, x) for c, x in zip(before, args, strict=True)]
            )
            return [scaled(c, x) for c, x in zip(after, results, strict=True)]

        program.cache[key] = record(run, program.in_types[: len(before)], program.name)
    found: Program = program.cache[key]
    return found


def _factorials(patterns: Sequence[Orders]) -> list[float]:
    """k! for each array of packed series."""
    return [
        float(factorial(k))
        for pattern in patterns
        for k, there in enumerate((True, *pattern))
        if there
    ]
