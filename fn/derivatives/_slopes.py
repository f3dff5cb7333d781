"""Derivatives along many directions at once, without the zeros that are known to be there.

The directions come in blocks: one for each array that is differentiated, with a direction for each of
its entries. An array that does not depend on a block has no slope there. And where an axis of the block
runs along with an axis of the array, so that entry i of the one depends on entry i of the other only, as
in anything done to each row of x alone, the slope is kept for these pairs and not for all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import prod
from typing import Any, NamedTuple, TypeAlias

from fn.core import Equation, Primitive, Property
from fn.ops import broadcast, eq, iota, logical_and, reshape, select

Shape: TypeAlias = tuple[int, ...]
Kept: TypeAlias = tuple[tuple[int, int | None], ...]
"""A block of directions as axes of some sizes, the product of which is the size of the block; and per
axis, the axis of the array that runs along with it, or None. The first change slowest, as in a shape."""
Piece: TypeAlias = tuple[int, int, int]
"""An axis of a block that is kept: the product of the sizes before it, its size, and the array's axis."""


class Slope(NamedTuple):
    """The derivative of an array along the directions of a block."""

    kept: Kept
    data: Any
    """Of shape (directions, *shape of the array): directions along the axes that are not kept."""


def own(shape: Shape) -> Kept:
    """What an array keeps of its own entries: everything."""
    if 0 in shape:
        return dense(0)
    return tuple([(n, a) for a, n in enumerate(shape) if n != 1])


def dense(size: int) -> Kept:
    """A block of which nothing is kept."""
    return ((size, None),) if size != 1 else ()


def size(kept: Kept) -> int:
    """The size of the block."""
    return prod([n for n, _ in kept])


def count(kept: Kept) -> int:
    """The number of directions of a slope."""
    return prod([n for n, a in kept if a is None])


def _pieces(kept: Kept) -> list[Piece]:
    before, found = 1, []
    for n, a in kept:
        if a is not None:
            found.append((before, n, a))
        before *= n
    return found


def _assemble(pieces: Sequence[Piece], total: int) -> Kept:
    found: list[tuple[int, int | None]] = []
    at = 1
    for before, n, a in sorted(pieces):
        found += [(before // at, None)] if before != at else []
        found.append((n, a))
        at = before * n
    return tuple(found + ([(total // at, None)] if at != total else []))


def meet(first: Kept, second: Kept) -> Kept:
    """What both keep."""
    theirs = set(_pieces(second))
    return _assemble([p for p in _pieces(first) if p in theirs], size(first))


def move_kept(kept: Kept, move: Callable[[int], int | None]) -> Kept:
    """`kept` where each axis of the array becomes another one, or is lost."""
    pieces = [(before, n, move(a)) for before, n, a in _pieces(kept)]
    return _assemble([(b, n, a) for b, n, a in pieces if a is not None], size(kept))


def expand(slope: Slope, kept: Kept) -> Any:
    """The data of `slope` where less is kept: with zeros for the pairs of entries that are not one."""
    if slope.kept == kept:
        return slope.data
    shape = slope.data.shape[1:]
    stays = set(_pieces(kept))
    free: list[tuple[int, int | None]] = []
    before = 1
    for n, a in slope.kept:
        if a is None or (before, n, a) not in stays:
            free.append((n, a))
        before *= n
    lead = tuple([n for n, _ in free])
    there = [i for i, (_, a) in enumerate(free) if a is None]
    inside = range(len(free), len(free) + len(shape))
    data = reshape(slope.data, shape=(*[lead[i] for i in there], *shape))
    data = broadcast(data, shape=lead + shape, axes=(*there, *inside))
    hit = None
    for i, (_, a) in enumerate(free):
        if a is not None:
            axes = i, len(free) + a
            same = eq(*[iota(dtype="int32", shape=lead + shape, axis=axis) for axis in axes])
            hit = same if hit is None else logical_and(hit, same)
    return reshape(select(hit, data, 0.0), shape=(prod(lead), *shape))


# --- what runs along with what ----------------------------------------------------------
# Per primitive that treats every entry along some axes alone: which axis of the result an axis of an
# operand becomes. An axis that is not there is mixed with itself.

AxisMap: TypeAlias = dict[int, int]
Rule: TypeAlias = Callable[[Shape, Shape, int, Equation], AxisMap]


def axis_map(equation: Equation, position: int) -> AxisMap:
    """Axes of operand `position` along which the operation treats every entry alone, in the results."""
    shape, out = equation.inputs[position].type.shape, equation.outputs[0].type.shape
    if equation.primitive.batch is Property.ELEMENTWISE:
        return {a: a for a in range(len(shape))}
    rule = _MAPS.get(equation.primitive)
    return {} if rule is None else rule(shape, out, position, equation)


def _all_but(name: str) -> Rule:
    """Every axis but the one or those the parameter `name` says."""

    def rule(shape: Shape, out: Shape, position: int, equation: Equation) -> AxisMap:
        mixed = equation.params[name]
        mixed = (mixed,) if isinstance(mixed, int) else mixed
        return {a: a for a in range(len(shape)) if a not in mixed}

    return rule


def _reduction(shape: Shape, out: Shape, position: int, equation: Equation) -> AxisMap:
    left = [a for a in range(len(shape)) if a not in equation.params["axes"]]
    return {a: b for b, a in enumerate(left)}


def _transpose(shape: Shape, out: Shape, position: int, equation: Equation) -> AxisMap:
    return {a: b for b, a in enumerate(equation.params["permutation"])}


def _broadcast(shape: Shape, out: Shape, position: int, equation: Equation) -> AxisMap:
    axes = equation.params["axes"]
    return {a: b for a, b in enumerate(axes) if out[b] == shape[a]}


def _same_size(shape: Shape, out: Shape, position: int, equation: Equation) -> AxisMap:
    """Slices of all of an axis, and paddings by nothing."""
    params = equation.params
    if "strides" in params:
        whole = [step == 1 for step in params["strides"]]
    else:
        edges = zip(params["low"], params["interior"], strict=True)
        whole = [low == inner == 0 for low, inner in edges]
    return {a: a for a, w in enumerate(whole) if w and shape[a] == out[a]}


def _dot(shape: Shape, out: Shape, position: int, equation: Equation) -> AxisMap:
    contract, batch = equation.params["contract"][position], equation.params["batch"][position]
    free = [a for a in range(len(shape)) if a not in contract and a not in batch]
    first = len(batch) if position == 0 else len(out) - len(free)
    return {a: b for b, a in enumerate(batch)} | {a: first + i for i, a in enumerate(free)}


_SCANS = ("cumsum", "cumprod", "cummax", "cummin", "cumlogsumexp", "concatenate", "sort")
_MAPS: dict[Primitive, Rule] = {
    Primitive.named[name]: rule
    for rule, names in (
        (_all_but("axis"), _SCANS),
        (_all_but("axes"), ("reverse",)),
        (_reduction, ("reduce_sum", "reduce_max", "reduce_min", "reduce_prod")),
        (_transpose, ("transpose",)),
        (_broadcast, ("broadcast",)),
        (_same_size, ("slice", "pad")),
        (_dot, ("dot_general",)),
    )
    for name in names
}
_RESHAPE = Primitive.named["reshape"]


def _regrouped(shape: Shape, out: Shape) -> list[tuple[list[int], list[int]]]:
    """A reshape as groups of axes that become groups of axes of as many entries, the smallest there are."""
    groups: list[tuple[list[int], list[int]]] = []
    if 0 in shape:
        return groups
    a = b = 0
    while a < len(shape) or b < len(out):
        left, right = [a] if a < len(shape) else [], [b] if b < len(out) else []
        a, b = a + len(left), b + len(right)
        while (n := prod([shape[i] for i in left])) != (m := prod([out[i] for i in right])):
            if n < m:
                left.append(a)
                a += 1
            else:
                right.append(b)
                b += 1
        groups.append((left, right))
    return groups


def _reshaped(kept: Kept, shape: Shape, out: Shape) -> tuple[Kept, Kept]:
    """What can stay kept in a reshape, before and after: what is split, and what is joined in order."""
    before: list[Piece] = []
    after: list[Piece] = []
    by_axis = {p[2]: p for p in _pieces(kept)}
    for left, right in _regrouped(shape, out):
        axes = [a for a in left if shape[a] != 1]
        pieces = [by_axis.get(a) for a in axes]
        if not pieces or None in pieces:
            continue
        found = [p for p in pieces if p is not None]
        if all(p[0] * p[1] == q[0] for p, q in pairwise(found)):
            before += found
            at = found[0][0]
            for b in right:
                after += [(at, out[b], b)] if out[b] != 1 else []
                at *= out[b]
    return _assemble(before, size(kept)), _assemble(after, size(kept))


def align(
    equation: Equation, slopes: Sequence[dict[int, Slope]]
) -> tuple[list[dict[int, Slope]], dict[int, Kept]]:
    """Slopes of operands, expanded to what the operation can work on as it is.

    Returns:
        The slopes of each operand, and per block what those of the results keep.
    """
    if equation.primitive is _RESHAPE:
        shape, out = equation.inputs[0].type.shape, equation.outputs[0].type.shape
        pairs = {b: _reshaped(s.kept, shape, out) for b, s in slopes[0].items()}
        fitted = {b: Slope(pairs[b][0], expand(s, pairs[b][0])) for b, s in slopes[0].items()}
        return [fitted], {b: after for b, (_, after) in pairs.items()}
    maps = [axis_map(equation, i) if mine else {} for i, mine in enumerate(slopes)]
    joint: dict[int, Kept] = {}
    for axes, mine in zip(maps, slopes, strict=True):
        for b, slope in mine.items():
            moved = move_kept(slope.kept, axes.get)
            joint[b] = meet(joint[b], moved) if b in joint else moved
    aligned = []
    for axes, mine in zip(maps, slopes, strict=True):
        back = {b: a for a, b in axes.items()}
        kept = {b: move_kept(joint[b], back.get) for b in mine}
        aligned.append({b: Slope(kept[b], expand(s, kept[b])) for b, s in mine.items()})
    return aligned, joint
