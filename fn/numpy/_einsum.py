"""Einstein's convention: products of any number of arrays, in an order that costs little."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy
import opt_einsum  # type: ignore[import-untyped]  # a dependency of JAX

import fn.ops as ops
from fn.core import ArgumentError
from fn.numpy._habits import public
from fn.numpy._linear import Precision, product
from fn.numpy._promotion import DTypeLike, array, check_dtype, promote, type_at, types_text

_BOOL = numpy.dtype(bool)


@public
def einsum(
    subscripts: str,
    /,
    *operands: Any,
    optimize: Any = "auto",
    precision: Precision = None,
    preferred_element_type: DTypeLike = None,
) -> Any:
    """Sums of products, by Einstein's convention: letters name axes, and those not in the result are summed.

    Args:
        subscripts: such as "ij,jk->ik"; `...` stands for further axes; without an arrow, the letters
            that occur once, in alphabetical order, are the result's.
        operands: one array per term.
        optimize: how to find the order of the products; see `opt_einsum`.
        precision: "default", "high" or "highest", where the machine can trade bits for speed.
        preferred_element_type: dtype of the sums and the result.

    >>> import fn.numpy as np
    >>> print(np.einsum("ij,j->i", np.eye(2), np.array([3., 4.])))
    [3. 4.]
    """
    arrays = promote("einsum", *[array("einsum", x, i + 1) for i, x in enumerate(operands)])
    preferred = (
        None if preferred_element_type is None else check_dtype("einsum", preferred_element_type)
    )
    shapes = tuple([a.shape for a in arrays])
    way = tuple(map(tuple, optimize)) if isinstance(optimize, list) else optimize
    try:
        plan = _plan(subscripts, shapes, way)
    except ValueError as error:
        raise ArgumentError(
            f"einsum: {error}", expected="subscripts that fit the operands",
            got=f"{subscripts!r} for {types_text([type_at('einsum', a) for a in arrays])}",
        ) from None  # fmt: skip
    for chosen, formula in plan:
        taken = [arrays.pop(i) for i in sorted(chosen, reverse=True)]
        terms, result = formula.split("->")
        names = terms.split(",")
        # opt_einsum lists the operands of a step in the order they are taken off the list.
        arrays.append(
            _contracted(list(zip(names, taken, strict=True)), result, preferred, precision)
        )
    return arrays[0]


@lru_cache(4096)
def _plan(subscripts: str, shapes: tuple[Any, ...], optimize: Any) -> list[tuple[Any, str]]:
    """Which operands to take off the list and multiply, step by step, and by what formula."""
    _, steps = opt_einsum.contract_path(
        subscripts, *shapes, shapes=True, einsum_call=True,
        optimize="optimal" if optimize is True else optimize,
    )  # fmt: skip
    return [(step[0], step[2]) for step in steps]


def _contracted(
    terms: list[tuple[str, Any]], result: str, preferred: Any, precision: Precision
) -> Any:
    """One step of an einsum: one or two operands (more are taken two by two)."""
    terms = [_diagonals(names, x) for names, x in terms]
    while len(terms) > 2:
        (a, x), (b, y), *rest = terms
        wanted = set(result).union(*[set(n) for n, _ in rest])
        names = "".join([c for c in dict.fromkeys(a + b) if c in wanted])
        terms = [(names, _contracted([(a, x), (b, y)], names, preferred, precision)), *rest]
    if len(terms) == 2:
        terms = _without_ones(terms[0], terms[1])
    others = [
        set(result).union(*[set(n) for n, _ in terms[:i] + terms[i + 1 :]])
        for i in range(len(terms))
    ]
    terms = [_summed(names, x, keep) for (names, x), keep in zip(terms, others, strict=True)]
    names, out = terms[0]
    if len(terms) == 2:
        names, out = _paired(terms[0], terms[1], result, preferred, precision)
    return ops.transpose(out, permutation=tuple([names.index(c) for c in result]))


def _diagonals(names: str, x: Any) -> tuple[str, Any]:
    """A letter that occurs twice in a term stands for the diagonal."""
    for c in dict.fromkeys(names):
        while names.count(c) > 1:
            i = names.index(c)
            j = names.index(c, i + 1)
            rest = [a for a in range(x.ndim) if a not in (i, j)]
            x = ops.transpose(x, permutation=(i, j, *rest))
            on = ops.eq(
                ops.iota(dtype=numpy.int32, shape=x.shape, axis=0),
                ops.iota(dtype=numpy.int32, shape=x.shape, axis=1),
            )
            zero = x.dtype.type(0)
            x = ops.select(on, x, zero)
            x = ops.reduce_or(x, axes=(0,)) if x.dtype == _BOOL else ops.reduce_sum(x, axes=(0,))
            names = c + "".join([names[a] for a in rest])
    return names, x


def _summed(names: str, x: Any, keep: set[str]) -> tuple[str, Any]:
    """Without the axes that nothing else needs."""
    axes = tuple([i for i, c in enumerate(names) if c not in keep])
    if not axes:
        return names, x
    x = ops.reduce_or(x, axes=axes) if x.dtype == _BOOL else ops.reduce_sum(x, axes=axes)
    return "".join([c for c in names if c in keep]), x


def _paired(
    first: tuple[str, Any],
    second: tuple[str, Any],
    result: str,
    preferred: Any,
    precision: Precision,
) -> tuple[str, Any]:
    """The product of two terms, and the letters of its axes."""
    (a, x), (b, y) = first, second
    shared = [c for c in a if c in b]
    batch = [c for c in shared if c in result]
    contract = [c for c in shared if c not in result]
    pairs = (tuple([a.index(c) for c in contract]), tuple([b.index(c) for c in contract]))
    stacks = (tuple([a.index(c) for c in batch]), tuple([b.index(c) for c in batch]))
    free = [c for c in a if c not in shared], [c for c in b if c not in shared]
    names = "".join([*batch, *free[0], *free[1]])
    # The order of the operands decides that of the free axes: the one that needs no transposition.
    swapped = "".join([*batch, *free[1], *free[0]])
    if swapped == result and names != result:
        return swapped, product(y, x, pairs[::-1], stacks[::-1], preferred, precision)
    return names, product(x, y, pairs, stacks, preferred, precision)


def _without_ones(first: tuple[str, Any], second: tuple[str, Any]) -> list[tuple[str, Any]]:
    """Axes of size 1 that are paired with longer ones are dropped: they are broadcast."""
    out = []
    for (names, x), (others, y) in ((first, second), (second, first)):
        sizes = dict(zip(others, y.shape, strict=True))
        kept = [i for i, c in enumerate(names) if x.shape[i] != 1 or sizes.get(c, 1) == 1]
        x = ops.reshape(x, shape=tuple([x.shape[i] for i in kept]))
        out.append(("".join([names[i] for i in kept]), x))
    return out


@public
def einsum_path(
    subscripts: Any, /, *operands: Any, optimize: Any = "auto"
) -> tuple[list[Any], Any]:
    """The order in which `einsum` takes products, and a report on what it costs.

    Args:
        subscripts: as in `einsum`.
        operands: one array per term.
        optimize: as in `einsum`.

    >>> import fn.numpy as np
    >>> np.einsum_path("ij,jk,k", np.ones((2, 3)), np.ones((3, 4)), np.ones(4))[0]
    [(1, 2), (0, 1)]
    """
    shapes = [array("einsum_path", x, i + 1).shape for i, x in enumerate(operands)]
    way = "optimal" if optimize is True else optimize
    path, report = opt_einsum.contract_path(subscripts, *shapes, shapes=True, optimize=way)
    return list(path), report
