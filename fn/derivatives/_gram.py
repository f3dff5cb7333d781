"""Squared norms of batched gradients, by Gram matrices where the gradient is a product.

For one example, a gradient `sum over t of x[t] y[t]'` has the squared norm `sum over s, t of
(x[s] . x[t]) (y[s] . y[t])`, for which it need not be there: Goodfellow, Efficient Per-Example Gradient
Computations, 2015, for a single t, where that is |x|² |y|²; Li et al., Large Language Models Can Be
Strong Differentially Private Learners, ICLR 2022, for several. What a table gets from its rows, and
sums of such gradients, where parameters are shared, go the same way.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fn.core import is_complex
from fn.ops import (
    abs,
    add,
    broadcast,
    clamp,
    convert,
    dot_general,
    eq,
    ge,
    le,
    logical_and,
    mul,
    reduce_sum,
    reshape,
    select,
    square,
    take_along,
    transpose,
)

Labels = tuple[Any, ...]
"""Per axis, which axis of the parameter it is."""

# An element of memory written and read again takes as long as so many multiplications.
_TRAFFIC = 8


class Side(NamedTuple):
    """One factor of a product: an array, or indices that stand for rows of zeros with a one."""

    array: Any
    """Example, group, term, element; for indices example, 1, term."""
    labels: Labels
    """What the elements are."""
    size: int
    """Number of elements."""
    hot: bool = False
    valid: Any = None
    """Which indices count; None for all."""


class Product(NamedTuple):
    """A gradient per example, `scale` times the sum over terms of left times right."""

    left: Side
    right: Side
    groups: Labels
    terms: int
    scale: float

    def like(self, other: Product) -> Product:
        """This product, with its sides in the order of those of `other`."""
        if self.left.labels == other.left.labels:
            return self
        return self._replace(left=self.right, right=self.left)


class Cost(NamedTuple):
    """What the static cost of a product is made of."""

    terms: int
    groups: int
    left: int
    right: int
    hot: bool


def worth_it(costs: Sequence[Cost]) -> bool:
    """Whether Gram matrices of these products cost less than their sum does."""
    gram = direct = 0
    for i, a in enumerate(costs):
        size = a.groups * a.left * a.right
        direct += 2 * _TRAFFIC * size + (0 if a.hot else 2 * a.terms * size)
        if len(costs) == 1 and a.terms == 1:
            return True
        for j, b in enumerate(costs[: i + 1]):
            width = (1 if a.hot or b.hot else a.left) + a.right
            pairs = a.terms * b.terms * a.groups
            gram += (1 if i == j else 2) * pairs * (2 * width + 3 * _TRAFFIC)
    return gram <= direct


def of_sum(products: Sequence[Product]) -> Any:
    """Per example, the squared norm of the sum of products of one layout."""
    (first, *others) = products
    if not others and first.terms == 1 and not first.left.hot:
        both = [_lengths(side) for side in (first.left, first.right)]
        return scaled(reduce_sum(_times(*both), axes=(1, 2)), first.scale**2)
    total = None
    products = [p.like(first) for p in products]
    for i, p in enumerate(products):
        for q in products[: i + 1]:
            grams = _times(_gram(p.left, q.left), _gram(p.right, q.right))
            inner = reduce_sum(grams, axes=(1, 2, 3))
            inner = scaled(inner, p.scale * q.scale * (1 if p is q else 2))
            total = inner if total is None else add(total, inner)
    return total


def of_array(x: Any, example: int) -> Any:
    """Per example, the squared norm of what is there."""
    x = abs(x) if is_complex(x.dtype) else x
    x = square(convert(x, dtype=wide(x.dtype)))
    return reduce_sum(x, axes=tuple([a for a in range(x.ndim) if a != example]))


def scaled(x: Any, factor: float) -> Any:
    """`x` times a number."""
    return x if factor == 1 else mul(x, _like(factor, x))


def wide(dtype: Any) -> Any:
    """The dtype squares are summed in: at least 32 bits."""
    return np.promote_types(dtype, np.float32) if dtype.itemsize >= 4 else np.dtype(np.float32)


def dense_side(x: Any, axes: Sequence[Sequence[int]], labels: Labels, examples: int) -> Side:
    """An array as a side: its axes of examples, groups, terms and elements, in this order.

    Without an axis of examples it is the same for each.
    """
    if not axes[0]:
        x = broadcast(x, shape=(examples, *x.shape), axes=tuple(range(1, x.ndim + 1)))
        axes = [[0], *[[a + 1 for a in part] for part in axes[1:]]]
    shape = [math.prod([x.shape[a] for a in part]) for part in axes]
    order = tuple([a for part in axes for a in part])
    x = reshape(transpose(x, permutation=order), shape=tuple(shape))
    return Side(convert(x, dtype=wide(x.dtype)), labels, shape[3])


def hot_side(index: Any, size: int, mode: str, label: Any) -> Side:
    """Indices into an axis of a table, example by term, as a side."""
    if index.dtype.itemsize < 4:
        index = convert(index, dtype=np.int32)
    last = _like(size - 1, index)
    zero = _like(0, index)
    valid = None
    if mode == "clip":
        index = clamp(zero, index, last)
    elif mode == "fill":
        valid = logical_and(ge(index, zero), le(index, last))
        index = select(valid, index, zero)
        valid = reshape(valid, shape=(valid.shape[0], 1, valid.shape[1]))
    index = reshape(index, shape=(index.shape[0], 1, index.shape[1]))
    return Side(index, (label,), size, True, valid)


def _like(value: Any, x: Any) -> Any:
    return x.dtype.type(value)


def _times(x: Any, y: Any) -> Any:
    dtype = np.promote_types(x.dtype, y.dtype)
    return mul(convert(x, dtype=dtype), convert(y, dtype=dtype))


def _lengths(side: Side) -> Any:
    return reduce_sum(square(side.array), axes=(3,))


def _gram(p: Side, q: Side) -> Any:
    """Inner products, of each term of `p` with each of `q`: example, group, term, term."""
    if not p.hot and not q.hot:
        pairs: Any = {"contract": ((3,), (3,)), "batch": ((0, 1), (0, 1))}
        dtype = np.promote_types(p.array.dtype, q.array.dtype)
        both = [convert(x, dtype=dtype) for x in (p.array, q.array)]
        return dot_general(*both, **pairs)
    if p.hot and q.hot:
        found: Any = eq(_spread(p.array, q, 2), _spread(q.array, p, 3))
        for side, other, place in ((p, q, 2), (q, p, 3)):
            if side.valid is not None:
                found = logical_and(found, _spread(side.valid, other, place))
        return convert(found, dtype=np.float32)
    if q.hot:
        return transpose(_gram(q, p), permutation=(0, 1, 3, 2))
    # Element `index[t]` of each term of the other one.
    terms = _spread(p.array, q, 3)
    picked = take_along(q.array, terms, axis=3)
    if p.valid is not None:
        picked = select(_spread(p.valid, q, 3), picked, _like(0, picked))
    return transpose(picked, permutation=(0, 1, 3, 2))


def _spread(x: Any, other: Side, place: int) -> Any:
    """`x`, by example, group and term, with terms at axis `place` and the other's at the other one."""
    terms = other.array.shape[2]
    shape = (*x.shape[:2], x.shape[2], terms) if place == 2 else (*x.shape[:2], terms, x.shape[2])
    return broadcast(x, shape=shape, axes=(0, 1, place))
