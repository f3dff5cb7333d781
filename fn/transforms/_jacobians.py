"""Whole Jacobians: push or pull every direction at once, by batching the linear Program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np
from jax.tree_util import tree_flatten, tree_unflatten

from fn.core import (
    ArgumentError,
    ArrayType,
    Program,
    Traced,
    argument_paths,
    execute,
    is_complex,
    is_inexact,
    public,
)
from fn.ops import convert, eq, iota, move_axis, reshape, slice_axis
from fn.transforms._batch import BatchAxis, batch_program, insert_axis
from fn.transforms._forward import split_aux, trace_at
from fn.transforms._leaves import as_array, check_callable, normalize_argnums, zeros
from fn.transforms._linearize import linearize_program
from fn.transforms._transpose import transpose_program


def jacfwd(
    function: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    *,
    holomorphic: bool = False,
) -> Callable[..., Any]:
    """A function that gives the Jacobian of `function`, by forward mode: one pass per input entry.

    Args:
        function: of arrays and pytrees.
        argnums: which positional arguments to differentiate; a sequence gives a tuple per output.
        has_aux: whether the function returns `(output, aux)`; the result is then `(jacobian, aux)`.
        holomorphic: promise that the function is complex-differentiable, for complex inputs.

    Returns:
        A function whose result has the structure of the output, each leaf replaced by the structure
        of the argument, with arrays of shape `output.shape + input.shape`. None stands where the
        input or the output has no derivative.

    >>> import fn, fn.numpy as np
    >>> fn.jacfwd(np.sin)(np.zeros(2))
    Array([[1., 0.],
           [0., 1.]], dtype=float32)
    """
    return _jacobian("jacfwd", function, argnums, has_aux, holomorphic, _forward_blocks)


def jacrev(
    function: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    *,
    holomorphic: bool = False,
) -> Callable[..., Any]:
    """A function that gives the Jacobian of `function`, by reverse mode: one pass per output entry.

    Arguments and result are those of `jacfwd`.

    >>> import fn, fn.numpy as np
    >>> fn.jacrev(lambda x: x ** 2)(np.ones(2))
    Array([[2., 0.],
           [0., 2.]], dtype=float32)
    """
    return _jacobian("jacrev", function, argnums, has_aux, holomorphic, _reverse_blocks)


def hessian(
    function: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    *,
    holomorphic: bool = False,
) -> Callable[..., Any]:
    """A function that gives the Hessian of `function`: `jacfwd(jacrev(function))`.

    >>> import fn, fn.numpy as np
    >>> fn.hessian(lambda x: (x ** 3).sum())(np.ones(2))
    Array([[6., 0.],
           [0., 6.]], dtype=float32)
    """
    inner = jacrev(function, argnums, has_aux, holomorphic=holomorphic)
    return jacfwd(inner, argnums, has_aux, holomorphic=holomorphic)


Blocks = dict[tuple[int, int], Any]
"""Jacobian arrays by output and input position; those that are missing are zero."""


def _jacobian(
    operation: str,
    function: Callable[..., Any],
    argnums: int | Sequence[int],
    has_aux: bool,
    holomorphic: bool,
    blocks: Callable[..., Blocks],
) -> Callable[..., Any]:
    check_callable(operation, function)

    @wraps(function)
    @public
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        numbers = normalize_argnums(operation, argnums, args)
        split, traced = trace_at(operation, function, args, kwargs)
        program = traced.program
        proper = split_aux(operation, traced, has_aux)
        chosen: list[bool] = []
        for position, arg in enumerate(args):
            chosen += [position in numbers] * tree_flatten(arg)[1].num_leaves
        chosen += [False] * (len(split.types) - len(chosen))
        moving = [
            c and is_inexact(t.dtype)
            for c, t in zip(chosen, split.types, strict=True)
            if t is not None
        ]
        if not any(moving):
            paths = argument_paths(function, args, kwargs)
            given = [
                f"`{p}` ({t or 'static'})"
                for p, t, c in zip(paths, split.types, chosen, strict=True)
                if c
            ]
            raise ArgumentError(
                f"{operation}: nothing to differentiate",
                expected="floating or complex arrays",
                got=", ".join(given) or "no array",
                fix="convert them with .astype(float)",
            )
        _check_complex(operation, traced, proper, split, moving, holomorphic)
        nonzero = tuple(moving) + (False,) * len(program.captured)
        lin = linearize_program(program, nonzero)
        values = [*split.arrays, *program.captured]
        outs, residuals = lin.split(values, execute(lin.primal, values))
        inputs = [i for i, m in enumerate(moving) if m]
        in_types = [program.in_types[i] for i in inputs]
        wanted = [i for i, n in enumerate(lin.out_nonzero) if n and i < proper]
        found = blocks(lin.linear, residuals, lin.out_nonzero, in_types, wanted)
        result = _assemble(traced, args, split, numbers, inputs, moving, found, proper, has_aux)
        if not isinstance(argnums, Sequence):
            result = _first_only(result)
        if not has_aux:
            return result.tree
        return result.tree, traced.rebuild([as_array(o) for o in outs])[1]

    return jacobian


def _check_complex(
    operation: str, traced: Traced, proper: int, split: Any, moving: list[bool], holomorphic: bool
) -> None:
    types = [t for t in split.types if t is not None]
    ins = [t for t, m in zip(types, moving, strict=True) if m]
    outs = traced.program.out_types[:proper]
    odd = [t for t in (ins if operation == "jacfwd" else outs) if is_complex(t.dtype)]
    if odd and not holomorphic:
        raise ArgumentError(
            f"{operation}: the function is complex",
            expected=f"real {'inputs' if operation == 'jacfwd' else 'outputs'}",
            got=", ".join(map(str, odd)),
            fix="pass holomorphic=True if it is complex-differentiable, or split real and imaginary parts",
        )


# --- bases ------------------------------------------------------------------------------


def _basis(types: Sequence[ArrayType]) -> tuple[list[Any], int]:
    """For each type, one entry per direction over all of them: together the identity."""
    total = sum(t.size for t in types)
    parts, start = [], 0
    for t in types:
        shape = (total, t.size)
        rows = iota(dtype=np.int32, shape=shape, axis=0)
        columns = iota(dtype=np.int32, shape=shape, axis=1)
        hit = eq(rows, columns + start if start else columns)
        parts.append(reshape(convert(hit, dtype=t.dtype), shape=(total, *t.shape)))
        start += t.size
    return parts, total


def _batched(program: Program, size: int, residuals: list[Any], basis: list[Any]) -> list[Any]:
    dims = (None,) * len(residuals) + (0,) * len(basis)
    batched, out_dims = batch_program(program, BatchAxis(size), dims)
    outs = execute(batched, [*residuals, *basis])
    return [
        insert_axis(o, size, 0) if d is None else move_axis(o, d, 0)
        for o, d in zip(outs, out_dims, strict=True)
    ]


def _forward_blocks(
    linear: Program, residuals: list[Any], out_nonzero: tuple[bool, ...],
    in_types: list[ArrayType], wanted: list[int],
) -> Blocks:  # fmt: skip
    basis, total = _basis(in_types)
    if not total or not linear.outputs:
        return {}
    outs = _batched(linear, total, residuals, basis)
    given = [i for i, n in enumerate(out_nonzero) if n]
    blocks: Blocks = {}
    for position, out in zip(given, outs, strict=True):
        if position not in wanted:
            continue
        start = 0
        for index, t in enumerate(in_types):
            piece = slice_axis(out, start, start + t.size, 0)
            piece = move_axis(piece, 0, piece.ndim - 1)
            blocks[position, index] = reshape(piece, shape=(*out.shape[1:], *t.shape))
            start += t.size
    return blocks


def _reverse_blocks(
    linear: Program, residuals: list[Any], out_nonzero: tuple[bool, ...],
    in_types: list[ArrayType], wanted: list[int],
) -> Blocks:  # fmt: skip
    given = [i for i, n in enumerate(out_nonzero) if n]
    out_types = [t for i, t in zip(given, linear.out_types, strict=True) if i in wanted]
    basis, total = _basis(out_types)
    if not total:
        return {}
    is_linear = (False,) * len(residuals) + (True,) * len(in_types)
    backward, has_ct = transpose_program(linear, is_linear, tuple([i in wanted for i in given]))
    if not any(has_ct):
        return {}
    cts = _batched(backward, total, residuals, basis)
    indices = [i for i, h in enumerate(has_ct) if h]
    blocks: Blocks = {}
    start = 0
    for position, t in zip(wanted, out_types, strict=True):
        for index, ct in zip(indices, cts, strict=True):
            piece = slice_axis(ct, start, start + t.size, 0)
            blocks[position, index] = reshape(piece, shape=(*t.shape, *ct.shape[1:]))
        start += t.size
    return blocks


# --- the tree of trees ------------------------------------------------------------------


class _Result:
    """A Jacobian tree, and how to make one whose inner trees stand for a single argument."""

    def __init__(self, tree: Any, single: Any) -> None:
        self.tree, self.single = tree, single


def _first_only(result: _Result) -> _Result:
    return _Result(result.single, result.single)


def _assemble(
    traced: Traced, args: tuple[Any, ...], split: Any, numbers: tuple[int, ...], inputs: list[int],
    moving: list[bool], blocks: Blocks, proper: int, has_aux: bool,
) -> _Result:  # fmt: skip
    program = traced.program
    order = {array: index for index, array in enumerate(inputs)}

    def of_output(position: int) -> tuple[Any, ...]:
        out = program.out_types[position]
        leaves: list[Any] = []
        array = 0
        for kind in split.types:
            if kind is None:
                leaves.append(None)
                continue
            entry = None
            if moving[array] and is_inexact(out.dtype):
                shape = (*out.shape, *kind.shape)
                entry = blocks.get((position, order[array]))
                entry = zeros(ArrayType(shape, out.dtype)) if entry is None else entry
            leaves.append(entry)
            array += 1
        trees, start = [], 0
        for arg in args:
            tree = tree_flatten(arg)[1]
            trees.append(tree_unflatten(tree, leaves[start : start + tree.num_leaves]))
            start += tree.num_leaves
        return tuple([trees[n] for n in numbers])

    per_output = [of_output(p) if p < proper else None for p in range(len(program.outputs))]
    nothing = tuple([None] * len(numbers))
    whole = _fill(traced, per_output, nothing)
    single = _fill(traced, [o[0] if o is not None else None for o in per_output], None)
    return _Result(whole[0], single[0]) if has_aux else _Result(whole, single)


def _fill(traced: Traced, entries: list[Any], for_static: Any) -> Any:
    leaves = list(entries)
    for position, _ in traced.out_static:
        leaves.insert(position, for_static)
    return tree_unflatten(traced.out_tree, leaves)
