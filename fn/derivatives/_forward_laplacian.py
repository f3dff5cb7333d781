"""The forward Laplacian on Programs: every array goes with its slopes and its Laplacian.

For y = g(x), the chain rule for second derivatives, summed over all directions r at once:

    slopes      ∂r y = g'(x) ∂r x
    Laplacian   Δy = g'(x) Δx + sum over r of w_r g''(x)[∂r x, ∂r x]

so no array has more than one second derivative, the sum, where a Hessian has one for each pair of
directions. After Li et al., A computational framework for neural network-based variational Monte Carlo
with Forward Laplacian, 2023.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from fn.core import (
    ArrayType,
    Equation,
    Literal,
    Primitive,
    Program,
    Property,
    Trace,
    Variable,
    bind,
    checked,
    dce,
    evaluate,
    from_source,
    is_float,
    recording,
    through,
    type_of,
)
from fn.derivatives._alone import Flags, alone, is_straight, tangent_program
from fn.derivatives._lift import Patterns, carry
from fn.derivatives._recurrences import plus, scaled, times
from fn.derivatives._slopes import Kept, Shape, Slope, align, count, expand, meet, move_kept
from fn.ops import (
    broadcast,
    convert,
    dot_general,
    full,
    move_axis,
    mul,
    reduce_sum,
    reshape,
    spread,
    transpose,
)
from fn.transforms import BatchAxis, batch_program, insert_axis


@dataclass(frozen=True)
class Directions:
    """What is differentiated along, and how second derivatives are summed.

    >>> import fn
    >>> fn.derivatives.Directions((3,)).weights
    'none'
    """

    blocks: tuple[int, ...]
    """Sizes of the blocks of directions."""
    weights: str = "none"
    """`none`: each counts once; `diagonal`: a weight for each, a vector per block; `matrix`: a weight for
    each pair, one symmetric matrix, with a single block."""
    dtype: Any = None
    """Of the weights."""


class Point(NamedTuple):
    """An array, its slopes by block, and its Laplacian; None and what is missing are zero."""

    value: Any
    slopes: dict[int, Slope] = {}
    laplacian: Any = None


_DOT = Primitive.named["dot_general"]
Local: TypeAlias = tuple[tuple[tuple[int, Kept], ...], bool]
"""The pattern of a point: the blocks it has slopes in and what these keep; whether it has a Laplacian."""


def laplacian_program(
    program: Program,
    directions: Directions,
    moving: tuple[Local, ...],
    wanted: Patterns | None = None,
) -> tuple[Program, tuple[Local, ...]]:
    """The Program of values, slopes and Laplacians.

    Args:
        program: the function; captured inputs count as ordinary ones.
        directions: what is differentiated along.
        moving: per input, which slopes there are, and whether there is a Laplacian.
        wanted: per output, what to give even if it is zero.

    Returns:
        A Program that takes the weights, and in which each input and output is followed by its slopes and
        its Laplacian as far as they are there; and per output which these are.
    """
    key = ("laplacian", directions, moving, wanted)
    if key not in program.cache:
        trace = Trace(f"laplacian({program.name})")
        with recording(trace):
            lift = Points(directions, [trace.input(t) for t in weight_types(directions)])
            points = []
            for t, local in zip(program.in_types, moving, strict=True):
                arrays = iter([trace.input(kind) for kind in lift.types(t, local)])
                points.append(lift.unpack(arrays, local))
            outs = _push(lift, program, points)
            patterns = wanted or tuple(map(lift.pattern, outs))
            results = [x for p, w in zip(outs, patterns, strict=True) for x in lift.pack(p, w)]
            result = checked(dce(trace.finish(results, f"laplacian_{program.name}")))
        program.cache[key] = result, patterns
    found: tuple[Program, tuple[Local, ...]] = program.cache[key]
    return found


def _push(lift: Points, program: Program, inputs: Sequence[Point]) -> list[Point]:
    """Record `program` on points into the running trace."""
    points: dict[Variable, Point] = dict(zip(program.inputs, inputs, strict=True))

    def read(atom: Any) -> Point:
        return Point(atom.operand) if type(atom) is Literal else points[atom]

    for equation in program.equations:
        given = [read(a) for a in equation.inputs]
        with from_source(through(equation.source, "laplacian")):
            outs = _equation(lift, equation, given)
        points.update(zip(equation.outputs, outs, strict=True))
    return [read(a) for a in program.outputs]


def _equation(lift: Points, equation: Equation, points: list[Point]) -> list[Point]:
    primitive = equation.primitive
    still = all(not p.slopes and p.laplacian is None for p in points)
    if still or primitive.jvp is Property.CONSTANT:
        found = bind(primitive, *[p.value for p in points], **equation.params)
        return [Point(value) for value in (found if primitive.multiple else (found,))]
    carried = carry(lift, equation, points)
    if carried is not None:
        return carried
    slopes, kept = align(equation, [p.slopes for p in points])
    operands = [
        Point(p.value, mine, p.laplacian)
        for p, mine, a in zip(points, slopes, equation.inputs, strict=True)
        if type(a) is Variable
    ]
    program = alone(equation)
    straight = is_straight(program, tuple([bool(p.slopes) for p in operands]))
    if not straight and _is_pointwise(equation):
        return [_pointwise(lift, program, operands, kept)]
    outs = _first_order(lift, program, operands, kept)
    if straight:
        return outs
    rule = _dot if primitive is _DOT else _second_order
    bends = rule(lift, program, operands)
    return [
        p._replace(laplacian=plus(p.laplacian, bend)) for p, bend in zip(outs, bends, strict=True)
    ]


# --- any operation ----------------------------------------------------------------------


def _first_order(
    lift: Points, program: Program, operands: list[Point], kept: dict[int, Kept]
) -> list[Point]:
    """What slopes and Laplacians of the operands give by the derivative of the operation."""
    values = [p.value for p in operands]
    outs = [Point(value, {}) for value in evaluate(program, values)]
    laplacians = [p.laplacian for p in operands]
    if any(x is not None for x in laplacians):
        tangents, given = tangent_program(program, tuple([x is not None for x in laplacians]))
        left = iter(evaluate(tangents, [*values, *[x for x in laplacians if x is not None]]))
        outs = [
            p._replace(laplacian=next(left) if has else None)
            for p, has in zip(outs, given, strict=True)
        ]
    for b in sorted(kept):
        moving = tuple([b in p.slopes for p in operands])
        tangents, given = tangent_program(program, moving)
        rows = [p.slopes[b].data for p in operands if b in p.slopes]
        left = iter(_along(tangents, values, rows))
        for point, has in zip(outs, given, strict=True):
            if has:
                point.slopes[b] = Slope(kept[b], next(left))
    return outs


def _second_order(lift: Points, program: Program, operands: list[Point]) -> list[Any]:
    """Per output, the second derivatives of the operation along the slopes of its operands, summed."""
    values = [p.value for p in operands]
    totals: list[Any] = [None] * len(program.outputs)
    for b in sorted({b for p in operands for b in p.slopes}):
        moving = tuple([b in p.slopes for p in operands])
        tangents, given = tangent_program(program, moving)
        fixed = (False,) * (len(tangents.inputs) - len(moving))
        second, bent = tangent_program(tangents, moving + fixed)
        slopes = [p.slopes[b] for p in operands if b in p.slopes]
        rows = [s.data for s in slopes]
        weighted = [lift.weigh(b, s) for s in slopes]
        left = iter(_along(second, values, rows, tangents.captured, weighted))
        outputs = [i for i, g in enumerate(given) if g]
        for i, has in zip(outputs, bent, strict=True):
            if has:
                totals[i] = plus(totals[i], reduce_sum(next(left), axes=(0,)))
    return totals


def _along(
    program: Program, values: Sequence[Any], rows: Sequence[Any], captured: Sequence[Any] = (),
    more: Sequence[Any] = (),
) -> list[Any]:  # fmt: skip
    """`program` for each row of the slopes, with rows first in the results."""
    size = rows[0].shape[0]
    dims = [None] * len(values) + [0] * len(rows) + [None] * len(captured) + [0] * len(more)
    dims += [None] * len(program.captured)
    batched, places = batch_program(program, BatchAxis(size), tuple(dims))
    found = evaluate(batched, [*values, *rows, *captured, *more, *program.captured])
    return [
        insert_axis(x, size, 0) if place is None else move_axis(x, place, 0)
        for x, place in zip(found, places, strict=True)
    ]


def _dot(lift: Points, program: Program, operands: list[Point]) -> list[Any]:
    """For a product, twice the products of slopes: one product, which sums over directions as well."""
    params = dict(program.equations[0].params)
    x, y = operands
    (cx, cy), (bx, by) = params["contract"], params["batch"]
    params["contract"] = (0, *[a + 1 for a in cx]), (0, *[a + 1 for a in cy])
    params["batch"] = tuple([a + 1 for a in bx]), tuple([a + 1 for a in by])
    total = None
    for b in sorted(x.slopes.keys() & y.slopes.keys()):
        total = plus(total, dot_general(x.slopes[b].data, lift.weigh(b, y.slopes[b]), **params))
    return [scaled(2.0, total)]


# --- operations on each entry -----------------------------------------------------------


def _is_pointwise(equation: Equation) -> bool:
    """Whether one number per entry is the derivative of the operation by an operand."""
    types = {a.type.dtype for a in (*equation.inputs, *equation.outputs)}
    real = len(types) == 1 and is_float(equation.outputs[0].type.dtype)
    return real and equation.primitive.batch is Property.ELEMENTWISE


def _pointwise(
    lift: Points, program: Program, operands: list[Point], kept: dict[int, Kept]
) -> Point:
    """Derivatives of the operation once per entry, not once per entry and direction."""
    values = [p.value for p in operands]
    (value,) = evaluate(program, values)
    slopes: dict[int, Slope] = {}
    laplacian = None
    moving = [i for i, p in enumerate(operands) if p.slopes or p.laplacian is not None]
    ones = {i: full(_dtype(values[i]).type(1), values[i].shape) for i in moving}
    for n, i in enumerate(moving):
        tangents, (has,) = tangent_program(program, _only(i, len(values)))
        if not has:
            continue
        (first,) = evaluate(tangents, [*values, ones[i]])
        laplacian = plus(laplacian, times(first, operands[i].laplacian))
        for b, slope in operands[i].slopes.items():
            part = Slope(kept[b], _times_rows(first, slope.data, value.shape))
            slopes[b] = Slope(kept[b], plus(slopes[b].data, part.data)) if b in slopes else part
        for j in moving[n:]:
            second, (has,) = tangent_program(tangents, _only(j, len(tangents.inputs)))
            shared = _paired(lift, operands[i].slopes, operands[j].slopes) if has else None
            if shared is not None:
                (bend,) = evaluate(second, [*values, ones[i], *tangents.captured, ones[j]])
                laplacian = plus(laplacian, scaled(1.0 if i == j else 2.0, mul(bend, shared)))
    return Point(value, slopes, None if laplacian is None else spread(laplacian, value))


def _only(position: int, count: int) -> Flags:
    return tuple([i == position for i in range(count)])


def _times_rows(factor: Any, rows: Any, shape: Shape) -> Any:
    """`factor`, one for all directions, times slopes of an operand that may be a scalar."""
    wide = (rows.shape[0], *shape)
    if rows.shape != wide:
        rows = broadcast(rows, shape=wide, axes=(0,))
    if factor.shape:
        factor = broadcast(factor, shape=wide, axes=tuple(range(1, len(wide))))
    return mul(factor, rows)


def _paired(lift: Points, first: dict[int, Slope], second: dict[int, Slope]) -> Any:
    """The weighted sum over all directions of the products of two slopes."""
    total = None
    for b in sorted(first.keys() & second.keys()):
        x, y = first[b].data, lift.weigh(b, second[b])
        if x.ndim < y.ndim:
            x = broadcast(x, shape=y.shape, axes=(0,))
        elif y.ndim < x.ndim:
            y = broadcast(y, shape=x.shape, axes=(0,))
        total = plus(total, reduce_sum(mul(x, y), axes=(0,)))
    return total


def _dtype(value: Any) -> Any:
    kind = type_of(value)
    assert kind is not None
    return kind.dtype


# --- points in loops and branches -------------------------------------------------------


class Points:
    """A point stands for an array: how loops and branches carry it."""

    def __init__(self, directions: Directions, extra: Sequence[Any]) -> None:
        self.directions, self.extra = directions, extra

    def weigh(self, b: int, slope: Slope) -> Any:
        """The data of `slope` with each direction times its weight, or summed by a row of weights."""
        kept, data = slope
        if self.directions.weights == "none":
            return data
        weights = convert(self.extra[b], dtype=data.dtype)
        if self.directions.weights == "matrix":
            return dot_general(weights, data, contract=((1,), (0,)))
        # As axes of the block, those that are kept last and in the order of the array's.
        order = sorted(range(len(kept)), key=lambda i: -1 if (a := kept[i][1]) is None else a)
        weights = reshape(weights, shape=tuple([n for n, _ in kept]))
        weights = transpose(weights, permutation=tuple(order))
        inside = [kept[i] for i in order if kept[i][1] is not None]
        weights = reshape(weights, shape=(data.shape[0], *[n for n, _ in inside]))
        axes = (0, *[a + 1 for _, a in inside if a is not None])
        return mul(data, broadcast(weights, shape=data.shape, axes=axes))

    def derive(
        self, program: Program, patterns: Patterns, wanted: Patterns | None = None
    ) -> tuple[Program, Patterns]:
        return laplacian_program(program, self.directions, patterns, wanted)

    def pattern(self, state: Point) -> Local:
        blocks = tuple([(b, s.kept) for b, s in sorted(state.slopes.items())])
        return blocks, state.laplacian is not None

    def join(self, first: Local, second: Local) -> Local:
        found = dict(first[0])
        for b, kept in second[0]:
            found[b] = meet(found[b], kept) if b in found else kept
        return tuple(sorted(found.items())), first[1] or second[1]

    def types(self, type: ArrayType, pattern: Local) -> list[ArrayType]:
        strong = type.strong()
        slopes = [strong.with_shape((count(kept), *type.shape)) for _, kept in pattern[0]]
        return [type, *slopes, *[strong] * pattern[1]]

    def pack(self, state: Point, pattern: Local) -> list[Any]:
        kind = type_of(state.value)
        assert kind is not None
        zero = kind.dtype.type(0)
        arrays = [state.value]
        for b, kept in pattern[0]:
            if b in state.slopes:
                arrays.append(expand(state.slopes[b], kept))
            else:
                arrays.append(full(zero, (count(kept), *kind.shape)))
        if pattern[1]:
            arrays.append(full(zero, kind.shape) if state.laplacian is None else state.laplacian)
        return arrays

    def unpack(self, arrays: Iterator[Any], pattern: Local) -> Point:
        value = next(arrays)
        slopes = {b: Slope(kept, next(arrays)) for b, kept in pattern[0]}
        return Point(value, slopes, next(arrays) if pattern[1] else None)

    # An entry along the leading axis is what each step of a loop has; directions come first in a slope,
    # so the axis of steps is moved before them.

    def entry(self, pattern: Local) -> Local:
        inner = [(b, move_kept(kept, lambda a: a - 1 if a else None)) for b, kept in pattern[0]]
        return tuple(inner), pattern[1]

    def pack_entries(self, state: Point, entry: Local) -> list[Any]:
        value, *arrays = self.pack(state, _stacked(entry))
        slopes = len(entry[0])
        return [value, *[move_axis(x, 1, 0) for x in arrays[:slopes]], *arrays[slopes:]]

    def unpack_entries(self, arrays: Iterator[Any], entry: Local) -> Point:
        value, slopes, laplacian = self.unpack(arrays, _stacked(entry))
        moved = {b: Slope(s.kept, move_axis(s.data, 1, 0)) for b, s in slopes.items()}
        return Point(value, moved, laplacian)


def _stacked(entry: Local) -> Local:
    """The pattern whose entries along the leading axis have this one."""
    return tuple([(b, move_kept(kept, lambda a: a + 1)) for b, kept in entry[0]]), entry[1]


def weight_types(directions: Directions) -> list[ArrayType]:
    """Types of the arrays of weights that Laplacian Programs take first."""
    shapes: list[Shape] = []
    if directions.weights == "diagonal":
        shapes = [(size,) for size in directions.blocks]
    elif directions.weights == "matrix":
        shapes = [directions.blocks * 2]
    return [ArrayType(shape, directions.dtype) for shape in shapes]
