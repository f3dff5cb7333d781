"""The Laplacian for users: sums of second derivatives, weighted or not, without a Hessian."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import numpy as np
from jax.tree_util import tree_structure, tree_unflatten

from fn.core import (
    ArgumentError,
    ArrayType,
    FnError,
    Program,
    Traced,
    argument_paths,
    evaluate,
    execute,
    is_float,
    is_inexact,
    public,
    type_of,
)
from fn.derivatives._alone import record
from fn.derivatives._forward_laplacian import (
    Directions,
    Local,
    Point,
    Points,
    laplacian_program,
    weight_types,
)
from fn.derivatives._slopes import Slope, count, dense, expand, own, size
from fn.numpy import result_type
from fn.ops import add, convert, eq, full, iota, move_axis, mul, reshape, slice_axis, transpose
from fn.transforms import check_callable, fit_leaves, normalize_argnums, split_aux, trace_at, zeros


def laplacian(
    function: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    *,
    weight: Any = None,
    factor: Any = None,
    with_jacobian: bool = False,
) -> Callable[..., Any]:
    """A function that gives the Laplacian of `function`: its second derivatives, summed over all entries.

    Computed forwards in one pass over `function`, in which every array goes with its derivatives along
    the n entries of the arguments and its own Laplacian. No Hessian is formed. It costs about as much as
    the Jacobian by forward mode; what depends on some of the entries only, such as features of each
    particle before particles meet, is differentiated along these only.

    Args:
        function: of arrays and pytrees, to arrays and pytrees; each entry of the output has a Laplacian.
        argnums: which positional arguments to differentiate; all their floating leaves count together.
        has_aux: whether the function returns `(output, aux)`.
        weight: sums weighted second derivatives instead,
            with the structure and shapes of the argument (a tuple of such for a sequence of argnums):
            the sum of weight[i] d²f/dx[i]² over all entries i; None for a leaf is zero; or
            with shape (n, n), n the number of entries of all leaves in the order of `fn.ravel`: the sum of
            weight[i, j] d²f/dx[i]dx[j] over all pairs. Only the symmetric part counts.
            Weights need not be positive, and derivatives pass through them.
        factor: the weighted sum with the matrix F Fᵀ, for F of shape (n, r), or a tree like the argument
            with leaves of shape `leaf.shape + (r,)`: the sum of second derivatives along the r columns
            of F, at the cost of r directions instead of n. With random columns of mean zero and unit
            covariance, over r, it is an unbiased estimate of the Laplacian.
        with_jacobian: whether to return the value and the Jacobian too, which come for free.

    Returns:
        A function whose result has the structure of the output, with None for leaves that are not
        floating or complex. With `with_jacobian` it gives `(output, jacobian, laplacian)`, the Jacobian as
        from `fn.jacfwd`; given a factor, the derivatives along its columns instead, of shape
        `output.shape + (r,)`. With `has_aux`, `aux` comes last.

    Raises:
        ArgumentError: when called, if there is nothing to differentiate, an argument is complex, or
            weights do not fit.

    References:
        Li et al., A computational framework for neural network-based variational Monte Carlo with
        Forward Laplacian, Nature Machine Intelligence, 2024.

    >>> import fn, fn.numpy as np
    >>> float(fn.laplacian(lambda x: (x ** 3).sum())(np.array([1.0, 2.0])))
    18.0
    >>> float(fn.laplacian(lambda x: x[0] * x[1], weight=np.array([[0.0, 1.0], [1.0, 0.0]]))(np.ones(2)))
    2.0
    """
    check_callable("laplacian", function)
    if weight is not None and factor is not None:
        raise ArgumentError(
            "laplacian: both weight and factor are given",
            expected="one of them",
            got="a weight and a factor",
            fix="multiply the factor by the root of the weight",
        )

    @wraps(function)
    @public
    def summed(*args: Any, **kwargs: Any) -> Any:
        numbers = normalize_argnums("laplacian", argnums, args)
        split, traced = trace_at("laplacian", function, args, kwargs)
        proper = split_aux("laplacian", traced, has_aux)
        moving = _moving(function, args, kwargs, split.types, numbers)
        single = not isinstance(argnums, Sequence)
        primal = args[numbers[0]] if single else tuple([args[n] for n in numbers])
        plan = _plan(primal, moving, weight, factor)
        program = traced.program
        derived, outs = _derived(program, plan, proper, with_jacobian)
        inputs = [*plan.weights, *plan.seeds, *split.arrays, *program.captured]
        left = iter(execute(derived, inputs))
        values: list[Any] = []
        sums: list[Any] = []
        blocks: list[Any] = []
        for position, (kind, (slopes, has)) in enumerate(zip(program.out_types, outs, strict=True)):
            inside = position < proper
            smooth = inside and is_inexact(kind.dtype)
            values.append(next(left) if with_jacobian or not inside else None)
            total = next(left) if inside and has else None
            sums.append(zeros(kind.strong()) if smooth and total is None else total)
            mine = {b: next(left) for b, _ in slopes} if inside and with_jacobian else {}
            blocks.append(_row(primal, plan, kind, mine) if smooth else None)
        whole = traced.rebuild(values)
        results = [_tree(traced, sums)]
        if with_jacobian:
            results = [whole, _tree(traced, blocks), *results]
        if has_aux:
            results = [*[r[0] for r in results], whole[1]]
        return tuple(results) if len(results) > 1 else results[0]

    return summed


def _tree(traced: Traced, entries: Sequence[Any]) -> Any:
    """One entry per array of the output, in its tree; None for what is no array."""
    leaves = list(entries)
    for position, _ in traced.out_static:
        leaves.insert(position, None)
    return tree_unflatten(traced.out_tree, leaves)


# --- what to differentiate along --------------------------------------------------------


class _Moving(NamedTuple):
    """An array that is differentiated."""

    leaf: int
    """Its position among the leaves of the arguments that are."""
    input: int
    """Its position among the inputs of the Program."""
    type: ArrayType


class _Plan(NamedTuple):
    """What to differentiate along."""

    directions: Directions
    moving: list[_Moving]
    """The arrays that move; each has its own block, or all share one."""
    weights: list[Any]
    seeds: list[Any]
    """For each moving array how it moves along the directions they share, if that is given."""


def _moving(
    function: Callable[..., Any], args: Any, kwargs: Any, types: Sequence[ArrayType | None],
    numbers: tuple[int, ...],
) -> list[_Moving]:  # fmt: skip
    """The floating arrays in the arguments with these numbers, in that order.

    Raises:
        ArgumentError: if there are none, or complex ones.
    """
    counts = [tree_structure(arg).num_leaves for arg in args]
    places = [p for n in numbers for p in range(sum(counts[:n]), sum(counts[: n + 1]))]
    found = []
    for leaf, place in enumerate(places):
        kind = types[place]
        if kind is not None and is_inexact(kind.dtype):
            found.append(_Moving(leaf, sum(t is not None for t in types[:place]), kind))
    if not found or not all(is_float(m.type.dtype) for m in found):
        paths = argument_paths(function, args, kwargs)
        given = [f"`{paths[p]}` ({types[p]})" for p in places if types[p] is not None]
        raise ArgumentError(
            f"laplacian: {'an argument is complex' if found else 'nothing to differentiate'}",
            expected="real floating arrays",
            got=", ".join(given) or "no array",
            fix="differentiate by real and imaginary parts"
            if found
            else "convert with .astype(float)",
        )
    return found


def _plan(primal: Any, moving: list[_Moving], weight: Any, factor: Any) -> _Plan:
    sizes = tuple([m.type.size for m in moving])
    n = sum(sizes)
    if factor is not None:
        seeds = _columns(primal, moving, factor)
        return _Plan(Directions(seeds[0].shape[:1]), moving, [], seeds)
    if weight is None:
        return _Plan(Directions(sizes), moving, [], [])
    given = type_of(weight)
    dtype = result_type(*[m.type.dtype for m in moving])
    is_matrix = given is not None and given.shape == (n, n)
    if is_matrix and [m.type.shape for m in moving] != [(n, n)]:
        matrix = convert(weight, dtype=dtype)
        symmetric = mul(add(matrix, transpose(matrix, permutation=(1, 0))), 0.5)
        return _Plan(Directions((n,), "matrix", dtype), moving, [symmetric], [])
    try:
        fitted = fit_leaves("laplacian", "weights", weight, primal, "argument")
    except FnError as error:
        raise ArgumentError(
            "laplacian: the weight does not fit the argument",
            expected=f"the structure and shapes of the argument, or a matrix of shape ({n}, {n})",
            got=str(given or tree_structure(weight)),
            fix=error.fix,
        ) from None
    moving = [m for m in moving if fitted[m.leaf] is not None]
    weights = [reshape(convert(fitted[m.leaf], dtype=dtype), shape=(m.type.size,)) for m in moving]
    sizes = tuple([m.type.size for m in moving])
    return _Plan(Directions(sizes, "diagonal", dtype), moving, weights, [])


def _columns(primal: Any, moving: Sequence[_Moving], factor: Any) -> list[Any]:
    """Per moving array, the columns of the factor, along its first axis."""
    n = sum(m.type.size for m in moving)
    given = type_of(factor)
    columns: list[Any] = []
    if given is not None and given.ndim == 2 and given.shape[0] == n:
        ends = list(accumulate([m.type.size for m in moving], initial=0))
        for m, (a, b) in zip(moving, pairwise(ends), strict=True):
            rows = slice_axis(factor, a, b, 0)
            columns.append(reshape(rows, shape=(*m.type.shape, given.shape[1])))
    else:
        try:
            parts = tree_structure(primal).flatten_up_to(factor)
            columns = [parts[m.leaf] for m in moving]
        except (ValueError, TypeError):
            columns = [None] * len(moving)
    kinds = [type_of(c) for c in columns]
    ranks = {t.shape[-1] for t in kinds if t is not None and t.shape}
    if len(ranks) != 1 or [t and t.shape[:-1] for t in kinds] != [m.type.shape for m in moving]:
        raise ArgumentError(
            "laplacian: the factor does not fit the argument",
            expected=f"shape ({n}, r), or the structure of the argument with r last in every shape",
            got=str(given or tree_structure(factor)),
        )
    return [
        convert(move_axis(c, m.type.ndim, 0), dtype=m.type.dtype)
        for c, m in zip(columns, moving, strict=True)
    ]


# --- the Program ------------------------------------------------------------------------


def _derived(
    program: Program, plan: _Plan, proper: int, with_jacobian: bool
) -> tuple[Program, tuple[Local, ...]]:
    """The Program of what is asked for: weights, seeds and inputs to results."""
    directions, shared = plan.directions, bool(plan.seeds) or plan.directions.weights == "matrix"
    types = program.in_types
    patterns: list[Local] = [((), False)] * len(types)
    for b, m in enumerate(plan.moving):
        kept = (0, dense(directions.blocks[0])) if shared else (b, own(m.type.shape))
        patterns[m.input] = ((kept,), False)
    derived, outs = laplacian_program(program.closed(), directions, tuple(patterns))
    key = ("laplacian of", directions, tuple(patterns), bool(plan.seeds), proper, with_jacobian)
    if key in program.cache:
        found: Program = program.cache[key]
        return found, outs

    def run(*arrays: Any) -> list[Any]:
        left = iter(arrays)
        weights = [next(left) for _ in plan.weights]
        seeds = [next(left) for _ in plan.seeds]
        values = list(left)
        points = [Point(v) for v in values]
        kinds = [m.type for m in plan.moving]
        if not seeds:
            seeds = _unit_vectors(kinds) if shared else [_one(t) for t in kinds]
        for m, seed in zip(plan.moving, seeds, strict=True):
            (((b, kept),), _) = patterns[m.input]
            points[m.input] = Point(values[m.input], {b: Slope(kept, seed)})
        lift = Points(directions, weights)
        packed = [x for p, w in zip(points, patterns, strict=True) for x in lift.pack(p, w)]
        found = iter(evaluate(derived, [*weights, *packed]))
        results = []
        for position, pattern in enumerate(outs):
            value, slopes, total = lift.unpack(found, pattern)
            if with_jacobian or position >= proper:
                results.append(value)
            if total is not None and position < proper:
                results.append(total)
            if with_jacobian and position < proper:
                results += [_dense(s) for s in slopes.values()]
        return results

    seed_types = [t for s in plan.seeds if (t := type_of(s)) is not None]
    wanted = [*weight_types(directions), *seed_types, *types]
    program.cache[key] = record(run, wanted, f"laplacian_{program.name}")
    return program.cache[key], outs


def _one(t: ArrayType) -> Any:
    """The slope of an array by its own entries: each runs along with itself."""
    return full(t.dtype.type(1), (count(own(t.shape)), *t.shape))


def _unit_vectors(types: Sequence[ArrayType]) -> list[Any]:
    """The slopes of arrays by all their entries, taken together."""
    size = sum(t.size for t in types)
    found, start = [], 0
    for t in types:
        rows, columns = (iota(dtype=np.int32, shape=(size, t.size), axis=a) for a in (0, 1))
        hit = eq(rows, add(columns, np.int32(start)))
        found.append(reshape(convert(hit, dtype=t.dtype), shape=(size, *t.shape)))
        start += t.size
    return found


def _dense(slope: Slope) -> Any:
    """A slope along all directions of its block, which come last."""
    data = expand(slope, dense(size(slope.kept)))
    return transpose(data, permutation=(*range(1, data.ndim), 0))


def _row(primal: Any, plan: _Plan, kind: ArrayType, blocks: dict[int, Any]) -> Any:
    """The Jacobian of one array: a tree like the argument, or one array for directions they share."""

    def block(b: int, size: int) -> Any:
        return blocks[b] if b in blocks else zeros(kind.strong().with_shape((*kind.shape, size)))

    if plan.seeds or plan.directions.weights == "matrix":
        (size,) = plan.directions.blocks
        whole = block(0, size)
        if plan.seeds:
            return whole
        ends = list(accumulate([m.type.size for m in plan.moving], initial=0))
        found = [slice_axis(whole, a, b, kind.ndim) for a, b in pairwise(ends)]
    else:
        found = [block(b, m.type.size) for b, m in enumerate(plan.moving)]
    leaves: list[Any] = [None] * tree_structure(primal).num_leaves
    for m, x in zip(plan.moving, found, strict=True):
        leaves[m.leaf] = reshape(x, shape=kind.shape + m.type.shape)
    return tree_unflatten(tree_structure(primal), leaves)
