"""Taylor mode on Programs: every array becomes the coefficients of its Taylor series in one variable t.

For an operation without a recurrence, the derivative along the curve is itself a Program, that of the
tangent, of x(t) and x'(t); its series one order lower, integrated, is the series of the operation. So
the jvp rule of a primitive is all that its Taylor series of any order needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

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
    recording,
    through,
    type_of,
)
from fn.derivatives._alone import Flags, alone, is_straight, tangent_program
from fn.derivatives._lift import Patterns, carry
from fn.derivatives._recurrences import RECURRENCES, Series, minus, scaled
from fn.ops import full

Orders: TypeAlias = Flags
"""Per coefficient from the first, whether it is there; the others are zero."""
_LINEAR_SOLVE = Primitive.named["linear_solve"]


def jet_program(
    program: Program, order: int, moving: tuple[Orders, ...], wanted: Patterns | None = None
) -> tuple[Program, tuple[Orders, ...]]:
    """The Program of the Taylor coefficients of `program`, x(t) = x0 + x1 t + … + xK t^K.

    Args:
        program: the function; captured inputs count as ordinary ones.
        order: K.
        moving: per input, which of its coefficients 1 … K there are.
        wanted: per output, coefficients to give even if they are zero.

    Returns:
        A Program in which each input and output is followed by the coefficients it has, and per output
        which these are.

    >>> import fn
    >>> program = fn.trace(lambda x: x * x)(1.0)
    >>> moved, kept = fn.derivatives.jet_program(program, 2, ((True, False),))
    >>> len(moved.in_types), kept
    (2, ((True, True),))
    """
    key = ("jet", order, moving, wanted)
    if key not in program.cache:
        lift = _Lift(order)
        trace = Trace(f"jet({program.name})")
        with recording(trace):
            series = [
                lift.unpack(iter([trace.input(kind) for kind in lift.types(t, orders)]), orders)
                for t, orders in zip(program.in_types, moving, strict=True)
            ]
            outs = _push(lift, program, series)
            patterns = wanted or tuple(map(lift.pattern, outs))
            results = [x for s, p in zip(outs, patterns, strict=True) for x in lift.pack(s, p)]
            result = checked(dce(trace.finish(results, f"jet_{program.name}")))
        program.cache[key] = result, patterns
    found: tuple[Program, tuple[Orders, ...]] = program.cache[key]
    return found


def _push(lift: _Lift, program: Program, inputs: Sequence[Series]) -> list[Series]:
    """Record `program` on series into the running trace."""
    series: dict[Variable, Series] = dict(zip(program.inputs, inputs, strict=True))
    still = [None] * lift.order

    def read(atom: Any) -> Series:
        return [atom.operand, *still] if type(atom) is Literal else series[atom]

    for equation in program.equations:
        given = [read(a) for a in equation.inputs]
        with from_source(through(equation.source, "jet")):
            outs = _equation(lift, equation, given)
        series.update(zip(equation.outputs, outs, strict=True))
    return [read(a) for a in program.outputs]


def _equation(lift: _Lift, equation: Equation, series: list[Series]) -> list[Series]:
    primitive, params = equation.primitive, equation.params
    if primitive.jvp is Property.CONSTANT or all(x is None for s in series for x in s[1:]):
        found = bind(primitive, *[s[0] for s in series], **params)
        values = found if primitive.multiple else (found,)
        return [[value, *[None] * lift.order] for value in values]
    carried = carry(lift, equation, series)
    if carried is not None:
        return carried
    if primitive in RECURRENCES:
        value = bind(primitive, *[s[0] for s in series], **params)
        return [[value, *RECURRENCES[primitive](value, *series, **params)]]
    if primitive is _LINEAR_SOLVE:
        return _linear_solve(equation, series)
    operands = [s for s, a in zip(series, equation.inputs, strict=True) if type(a) is Variable]
    program = alone(equation)
    moving = tuple([any(x is not None for x in s[1:]) for s in operands])
    if lift.order == 1 or is_straight(program, moving):
        return _straight(program, operands)
    return _by_its_jvp(program, operands, moving)


def _straight(program: Program, series: list[Series]) -> list[Series]:
    """Each coefficient goes through the same derivative."""
    values = [s[0] for s in series]
    outs = evaluate(program, values)
    columns = []
    for column in zip(*[s[1:] for s in series], strict=True):
        moving = tuple([x is not None for x in column])
        if any(moving):
            tangents, given = tangent_program(program, moving)
            left = iter(evaluate(tangents, [*values, *[x for x in column if x is not None]]))
            columns.append([next(left) if has else None for has in given])
        else:
            columns.append([None] * len(outs))
    return [[out, *rest] for out, *rest in zip(outs, *columns, strict=True)]


def _by_its_jvp(program: Program, series: list[Series], moving: Flags) -> list[Series]:
    """y' is the tangent at x along x': its coefficients, up to one order less, integrated."""
    order = len(series[0]) - 1
    tangents, given = tangent_program(program, moving)
    curve = [s[:order] for s in series]
    for s, moves, t in zip(series, moving, program.in_types, strict=True):
        if moves:
            speed = [scaled(float(k), x) for k, x in enumerate(s)][1:]
            curve.append([_zeros(t) if speed[0] is None else speed[0], *speed[1:]])
    outs = [[y, *[None] * order] for y in evaluate(program, [s[0] for s in series])]
    speeds = iter(_apply(tangents, curve))
    for out, has in zip(outs, given, strict=True):
        if has:
            out[1:] = [scaled(1 / k, x) for k, x in enumerate(next(speeds), 1)]
    return outs


def _linear_solve(equation: Equation, series: list[Series]) -> list[Series]:
    """From A x = b, coefficient k: A[0] x[k] = b[k] - (A x)[k], where x[k] itself is left out of A x."""
    params = equation.params
    consts, right = series[: params["constants"]], series[params["constants"] :]
    at = [s[0] for s in consts]
    order = len(series[0]) - 1
    outs = [
        [y, *[None] * order] for y in bind(_LINEAR_SOLVE, *at, *[s[0] for s in right], **params)
    ]
    solution = outs[: len(right)]
    for k in range(1, order + 1):
        known = [s[: k + 1] for s in [*consts, *solution]]
        rest = [
            minus(b[k], ax[k]) for b, ax in zip(right, _apply(params["matvec"], known), strict=True)
        ]
        if any(r is not None for r in rest):
            full_ = [
                _zeros(type_of(x[0])) if r is None else r
                for r, x in zip(rest, solution, strict=True)
            ]
            found = bind(_LINEAR_SOLVE, *at, *full_, **params)
            for x, coefficient in zip(solution, found, strict=False):
                x[k] = coefficient
    return outs


def _apply(program: Program, series: list[Series]) -> list[Series]:
    """The series of `program`, whose order is that of its arguments; zero or more."""
    lift = _Lift(len(series[0]) - 1)
    captured = [[value, *[None] * lift.order] for value in program.captured]
    patterns = tuple(map(lift.pattern, [*series, *captured]))
    derived, outs = jet_program(program.closed(), lift.order, patterns)
    arrays = [
        x for s, p in zip([*series, *captured], patterns, strict=True) for x in lift.pack(s, p)
    ]
    found = iter(evaluate(derived, arrays))
    return [lift.unpack(found, p) for p in outs]


def _zeros(t: ArrayType | None) -> Any:
    assert t is not None
    return full(t.dtype.type(0), t.shape)


class _Lift:
    """A series stands for an array: how loops and branches carry it."""

    extra: tuple[Any, ...] = ()

    def __init__(self, order: int) -> None:
        self.order = order

    def derive(
        self, program: Program, patterns: Patterns, wanted: Patterns | None = None
    ) -> tuple[Program, Patterns]:
        return jet_program(program, self.order, patterns, wanted)

    def pattern(self, state: Series) -> Orders:
        return tuple([x is not None for x in state[1:]])

    def join(self, first: Orders, second: Orders) -> Orders:
        return tuple([a or b for a, b in zip(first, second, strict=True)])

    def types(self, type: ArrayType, pattern: Orders) -> list[ArrayType]:
        return [type, *[type.strong()] * sum(pattern)]

    def pack(self, state: Series, pattern: Orders) -> list[Any]:
        wanted = [x for x, there in zip(state[1:], pattern, strict=True) if there]
        return [state[0], *[_zeros(type_of(state[0])) if x is None else x for x in wanted]]

    def unpack(self, arrays: Iterator[Any], pattern: Orders) -> Series:
        return [next(arrays), *[next(arrays) if there else None for there in pattern]]

    def entry(self, pattern: Orders) -> Orders:
        return pattern

    pack_entries, unpack_entries = pack, unpack
