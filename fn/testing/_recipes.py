"""How a random Program applies each elementwise operation: operands it is defined for, bounds it gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fn import ops
from fn.control import name as named
from fn.control import optimization_barrier
from fn.core import is_complex, is_integer
from fn.testing._draft import BITS, F32, I32, U32, Draft, Known

Recipe = Callable[[Draft], None]
RECIPES: dict[str, Recipe] = {}
"""By name; most are the name of the primitive they apply."""
COVERS: dict[str, tuple[str, ...]] = {}
"""Which primitives a recipe applies."""
DIFFERENTIABLE: dict[str, bool] = {}
"""Whether a recipe may be used where derivatives are wanted; some operations have none."""


def recipe(name: str, *covers: str, differentiable: bool = True) -> Callable[[Recipe], Recipe]:
    """Enter a function into the table."""

    def enter(function: Recipe) -> Recipe:
        RECIPES[name], COVERS[name], DIFFERENTIABLE[name] = (
            function,
            covers or (name,),
            differentiable,
        )
        return function

    return enter


# --- one operand ------------------------------------------------------------------------


class Unary(NamedTuple):
    """A function of a real number: where it is defined, and its bounds there."""

    op: Callable[[Any], Any]
    domain: tuple[float, float]
    bounds: Callable[[float, float], tuple[float, float]]


def _rising(f: Callable[[float], Any]) -> Callable[[float, float], tuple[float, float]]:
    return lambda a, b: (float(f(a)), float(f(b)))


def _falling(f: Callable[[float], Any]) -> Callable[[float, float], tuple[float, float]]:
    return lambda a, b: (float(f(b)), float(f(a)))


def _fixed(low: float, high: float) -> Callable[[float, float], tuple[float, float]]:
    return lambda a, b: (low, high)


_ALL = (-1e9, 1e9)
_POSITIVE = (0.25, 40.0)
_UNARY: dict[str, Unary] = {
    "neg": Unary(ops.neg, _ALL, lambda a, b: (-b, -a)),
    "sin": Unary(ops.sin, _ALL, _fixed(-1, 1)),
    "cos": Unary(ops.cos, _ALL, _fixed(-1, 1)),
    "tanh": Unary(ops.tanh, _ALL, _fixed(-1, 1)),
    "exp": Unary(ops.exp, (-9, 3), _rising(np.exp)),
    "square": Unary(ops.square, (-6, 6), lambda a, b: (0.0, max(a * a, b * b))),
    "log": Unary(ops.log, _POSITIVE, _rising(np.log)),
    "sqrt": Unary(ops.sqrt, _POSITIVE, _rising(np.sqrt)),
    "abs": Unary(ops.abs, _ALL, lambda a, b: (0.0, max(abs(a), abs(b)))),
    "sign": Unary(ops.sign, _ALL, _fixed(-1, 1)),
    "floor": Unary(ops.floor, _ALL, _rising(np.floor)),
    "ceil": Unary(ops.ceil, _ALL, _rising(np.ceil)),
    "round": Unary(ops.round, _ALL, lambda a, b: (a - 1, b + 1)),
    "round_away": Unary(ops.round_away, _ALL, lambda a, b: (a - 1, b + 1)),
    "logistic": Unary(ops.logistic, _ALL, _fixed(0, 1)),
    "expm1": Unary(ops.expm1, (-9, 3), _rising(np.expm1)),
    "exp2": Unary(ops.exp2, (-9, 4), _rising(np.exp2)),
    "log1p": Unary(ops.log1p, (-0.75, 40), _rising(np.log1p)),
    "rsqrt": Unary(ops.rsqrt, _POSITIVE, _falling(lambda x: 1 / np.sqrt(x))),
    "cbrt": Unary(ops.cbrt, _POSITIVE, _rising(np.cbrt)),
    "tan": Unary(ops.tan, (-1.25, 1.25), _rising(np.tan)),
    "sinh": Unary(ops.sinh, (-3, 3), _rising(np.sinh)),
    "cosh": Unary(ops.cosh, (-3, 3), _fixed(1, 11)),
    "asin": Unary(ops.asin, (-0.875, 0.875), _rising(np.arcsin)),
    "acos": Unary(ops.acos, (-0.875, 0.875), _falling(np.arccos)),
    "atan": Unary(ops.atan, _ALL, _rising(np.arctan)),
    "asinh": Unary(ops.asinh, _ALL, _rising(np.arcsinh)),
    "acosh": Unary(ops.acosh, (1.25, 40), _rising(np.arccosh)),
    "atanh": Unary(ops.atanh, (-0.875, 0.875), _rising(np.arctanh)),
    "erf": Unary(ops.erf, _ALL, _fixed(-1, 1)),
    "erfc": Unary(ops.erfc, _ALL, _fixed(0, 2)),
    "erf_inv": Unary(ops.erf_inv, (-0.875, 0.875), _fixed(-1.2, 1.2)),
    "lgamma": Unary(ops.lgamma, (0.25, 8), _fixed(-0.2, 9)),
    "digamma": Unary(ops.digamma, (0.25, 8), _fixed(-4.5, 2.2)),
    "bessel_i0e": Unary(ops.bessel_i0e, (-20, 20), _fixed(0, 1)),
    "bessel_i1e": Unary(ops.bessel_i1e, (-20, 20), _fixed(-0.3, 0.3)),
    "stop_gradient": Unary(ops.stop_gradient, _ALL, lambda a, b: (a, b)),
    "name": Unary(lambda x: named(x, "marked"), _ALL, lambda a, b: (a, b)),
    "optimization_barrier": Unary(optimization_barrier, _ALL, lambda a, b: (a, b)),
    "reduce_precision": Unary(
        lambda x: ops.reduce_precision(x, exponent_bits=8, mantissa_bits=4), _ALL,
        lambda a, b: (1.1 * min(a, 0) + 0.0, 1.1 * max(b, 0) + 0.0),
    ),
}  # fmt: skip
# These have no kernels in 16 bits, or lose everything in them.
_FULL_WIDTH = frozenset(
    ["lgamma", "digamma", "bessel_i0e", "bessel_i1e", "erf_inv", "acosh", "reduce_precision"]
)


def _unary(name: str, row: Unary) -> Recipe:
    def apply(g: Draft) -> None:
        x = g.real(dtype=F32 if name in _FULL_WIDTH else None)
        x = g.within(x, *row.domain)
        low, high = row.bounds(x.low, x.high)
        slack = 1e-2 * (1 + abs(low) + abs(high))
        g.keep(row.op(x.value), low - slack if low else low, high + slack if high else high)

    return apply


for _name, _row in _UNARY.items():
    recipe(_name)(_unary(_name, _row))


@recipe("integer_pow")
def _integer_pow(g: Draft) -> None:
    exponent = g.pick([2, 3, -1, -2, 4])
    x = g.within(g.real(), *((-2, 2) if exponent > 0 else (0.5, 2)))
    g.keep(ops.integer_pow(x.value, exponent=exponent), -16, 16)


@recipe("is_finite")
def _is_finite(g: Draft) -> None:
    g.keep(ops.is_finite(g.real().value), 0, 1)


# --- two operands -----------------------------------------------------------------------


def pair(g: Draft, complex_too: bool = True) -> tuple[Known, Known]:
    """Two numbers of one dtype that an elementwise operation takes: of one shape, or one a scalar."""
    x = g.number() if complex_too else g.real()
    if g.chance(20) and not is_complex(x.type.dtype):
        literal = g.pick([2, 1, 3]) if is_integer(x.type.dtype) else g.pick([0.5, 2.0, -1.5])
        return x, Known(x.type.dtype.type(literal), float(literal), float(literal))
    found = [k for k in reversed(g.pool) if k.type.dtype == x.type.dtype and k.high < BITS]
    y = g.pick(found[:6])
    if y.type.shape not in ((), x.type.shape) and x.type.shape != ():
        y = g.like(y, x.type.shape)
    return (y, x) if g.chance(30) else (x, y)


def _corners(f: Callable[[float, float], float], x: Known, y: Known) -> tuple[float, float]:
    values = [f(a, b) for a in (x.low, x.high) for b in (y.low, y.high)]
    return min(values), max(values)


_Bounds = Callable[[Known, Known], tuple[float, float]]
_BINARY: dict[str, tuple[Callable[[Any, Any], Any], _Bounds]] = {
    "add": (ops.add, lambda x, y: (x.low + y.low, x.high + y.high)),
    "mul": (ops.mul, lambda x, y: _corners(lambda a, b: a * b, x, y)),
    "sub": (ops.sub, lambda x, y: (x.low - y.high, x.high - y.low)),
    "maximum": (ops.maximum, lambda x, y: (max(x.low, y.low), max(x.high, y.high))),
    "minimum": (ops.minimum, lambda x, y: (min(x.low, y.low), min(x.high, y.high))),
}


def _binary(name: str, op: Callable[[Any, Any], Any], bounds: _Bounds) -> Recipe:
    def apply(g: Draft) -> None:
        x, y = pair(g)
        dtype = x.type.dtype
        if is_complex(dtype):
            largest = x.largest * y.largest if name == "mul" else x.largest + y.largest
            g.keep(op(x.value, y.value), 0, largest)
            return
        low, high = bounds(x, y)
        if is_integer(dtype) and (low < (0 if dtype.kind == "u" else -100) or high > 100):
            # A result that wraps around is as good as any, but nothing is known about it.
            g.keep(ops.rem(op(x.value, y.value), dtype.type(7)), 0 if dtype.kind == "u" else -6, 6)
            return
        g.keep(op(x.value, y.value), low, high)

    return apply


for _name, (_op, _limits) in _BINARY.items():
    recipe(_name)(_binary(_name, _op, _limits))


@recipe("div")
def _div(g: Draft) -> None:
    if g.chance(20):
        x = g.count()
        g.keep(ops.div(x.value, x.type.dtype.type(g.pick([2, 3]))), min(x.low, 0), max(x.high, 0))
        return
    x, y = pair(g, complex_too=False)
    y = g.within(y, 0.5, 2)
    g.keep(ops.div(x.value, y.value), *_corners(lambda a, b: a / b, x, y))


@recipe("rem")
def _rem(g: Draft) -> None:
    x, y = pair(g, complex_too=False)
    y = g.within(y, 0.5, 2)
    g.keep(ops.rem(x.value, y.value), -min(2, x.largest), min(2, x.largest))


@recipe("pow")
def _pow(g: Draft) -> None:
    x, y = pair(g, complex_too=False)
    x, y = g.within(x, 0.5, 2), g.within(y, -2, 2)
    g.keep(ops.pow(x.value, y.value), 0.25, 4)


@recipe("atan2")
def _atan2(g: Draft) -> None:
    x, y = pair(g, complex_too=False)
    y = g.within(y, 0.5, 4)
    g.keep(ops.atan2(x.value, y.value), -1.6, 1.6)


@recipe("nextafter")
def _nextafter(g: Draft) -> None:
    x = g.real(dtype=F32)
    g.keep(ops.nextafter(x.value, np.float32(3)), x.low, x.high + 1e-3)


def _comparison(op: Callable[[Any, Any], Any], ordered: bool) -> Recipe:
    def apply(g: Draft) -> None:
        x, y = pair(g, complex_too=not ordered)
        g.keep(op(x.value, y.value), 0, 1)

    return apply


for _name, _compare in (("lt", ops.lt), ("gt", ops.gt), ("le", ops.le), ("ge", ops.ge)):
    recipe(_name)(_comparison(_compare, True))
for _name, _compare in (("eq", ops.eq), ("ne", ops.ne)):
    recipe(_name)(_comparison(_compare, False))


@recipe("select")
def _select(g: Draft) -> None:
    x, y = pair(g)
    shape = x.type.shape or y.type.shape
    predicate = g.truth(g.pick([shape, ()]))
    value = ops.select(predicate.value, x.value, y.value)
    g.keep(value, min(x.low, y.low), max(x.high, y.high))


@recipe("clamp")
def _clamp(g: Draft) -> None:
    x = g.real()
    low, high = (x.type.dtype.type(v) for v in g.pick([(-1, 1), (0, 2), (-0.5, 0.25)]))
    g.keep(ops.clamp(low, x.value, high), float(low), float(high))


# --- integers and bits ------------------------------------------------------------------


def _integers(g: Draft) -> tuple[Known, Known]:
    x = g.count(signed=False)
    found = [k for k in reversed(g.pool) if k.type.dtype == x.type.dtype and k.high < BITS]
    return x, g.like(g.pick(found[:6]), x.type.shape)


def _range(dtype: np.dtype[Any]) -> tuple[float, float]:
    return (0.0 if dtype.kind == "u" else -64.0), 63.0


def _bitwise(op: Callable[[Any, Any], Any]) -> Recipe:
    def apply(g: Draft) -> None:
        if g.chance(40):
            p = g.truth()
            q = g.like(g.truth(), p.type.shape)
            g.keep(op(p.value, q.value), 0, 1)
            return
        x, y = _integers(g)
        g.keep(op(x.value, y.value), *_range(x.type.dtype))

    return apply


for _name, _op in (("and", ops.logical_and), ("or", ops.logical_or), ("xor", ops.logical_xor)):
    recipe(_name)(_bitwise(_op))


@recipe("not")
def _not(g: Draft) -> None:
    if g.chance(40):
        x = g.count()
        g.keep(ops.logical_not(x.value), -x.high - 1, -x.low - 1)
        return
    g.keep(ops.logical_not(g.truth().value), 0, 1)


def _shift(op: Callable[[Any, Any], Any], left: bool) -> Recipe:
    def apply(g: Draft) -> None:
        x = g.count(signed=False)
        by = x.type.dtype.type(g.pick([1, 2, 40]))
        if left:
            moved = ops.rem(op(x.value, by), x.type.dtype.type(7))
            g.keep(moved, 0 if x.type.dtype.kind == "u" else -6, 6)
        elif x.low < 0 and op is ops.shift_right_logical:
            g.keep(ops.rem(op(x.value, by), x.type.dtype.type(7)), -6, 6)
        else:
            g.keep(op(x.value, by), min(x.low, 0), max(x.high, 0))

    return apply


recipe("shift_left")(_shift(ops.shift_left, True))
recipe("shift_right_logical")(_shift(ops.shift_right_logical, False))
recipe("shift_right_arithmetic")(_shift(ops.shift_right_arithmetic, False))


@recipe("population_count")
def _population_count(g: Draft) -> None:
    g.keep(ops.population_count(g.count(signed=False).value), 0, 32)


@recipe("count_leading_zeros")
def _count_leading_zeros(g: Draft) -> None:
    g.keep(ops.count_leading_zeros(g.count(signed=False).value), 0, 32)


@recipe("bitcast")
def _bitcast(g: Draft) -> None:
    x = g.real(dtype=F32)
    bits = ops.bitcast(x.value, dtype=g.pick([I32, U32]))
    if g.chance(50):
        g.keep(ops.bitcast(bits, dtype=F32), x.low, x.high)
    else:
        low = 0.0 if np.dtype(bits.dtype) == U32 else -6.0
        g.keep(ops.rem(bits, np.dtype(bits.dtype).type(7)), low, 6)


@recipe("convert")
def _convert(g: Draft) -> None:
    x = g.anything()
    names = ["float32", "int32", "bool", "float16", "bfloat16", "complex64", "uint8"]
    dtype = np.dtype(g.pick(names))
    found = g.as_dtype(x, dtype)
    g.keep(found.value, found.low, found.high)


# --- complex ----------------------------------------------------------------------------


@recipe("complex")
def _complex(g: Draft) -> None:
    x = g.real(dtype=F32)
    y = g.like(g.real(dtype=F32), x.type.shape)
    g.keep(ops.make_complex(x.value, y.value), 0, x.largest + y.largest)


@recipe("real", "real", "imag")
def _parts(g: Draft) -> None:
    z = g.complex()
    g.keep(g.pick([ops.real_part, ops.imag_part])(z.value), -z.largest, z.largest)


@recipe("complex functions", "complex")
def _complex_functions(g: Draft) -> None:
    z = g.within(g.complex(), 0, 2)
    choice = g.integer(0, 5)
    if choice == 0:
        g.keep(ops.conj(z.value), 0, z.largest)
    elif choice == 1:
        g.keep(ops.exp(z.value), 0, 8)
    elif choice == 2:
        g.keep(ops.sin(z.value), 0, 4)
    elif choice == 3:
        g.keep(ops.square(z.value), 0, z.largest**2)
    elif choice == 4:
        g.keep(ops.abs(ops.add(z.value, 3 + 0j)), 0.9, 6)
    else:
        g.keep(ops.log(ops.add(z.value, 3 + 0j)), 0, 4)


# --- special functions of several operands ----------------------------------------------


def _shapes(g: Draft, low: float, high: float) -> Known:
    return g.within(g.real(most=2, dtype=F32), low, high)


def _beside(g: Draft, x: Known, low: float, high: float) -> Known:
    found = [k for k in reversed(g.pool) if k.type.dtype == F32]
    return g.within(g.like(g.pick(found[:6]), x.type.shape), low, high)


@recipe("igamma", "igamma", "igammac", "igamma_grad_a")
def _igamma(g: Draft) -> None:
    a = _shapes(g, 0.5, 3)
    x = _beside(g, a, 0.5, 4)
    ops_here = [ops.igamma, ops.igammac] + ([] if g.reverse else [ops.igamma_grad_a])
    g.keep(g.pick(ops_here)(a.value, x.value), -1, 1)


@recipe("random_gamma_grad", differentiable=False)
def _random_gamma_grad(g: Draft) -> None:
    a = _shapes(g, 0.5, 3)
    g.keep(ops.random_gamma_grad(a.value, _beside(g, a, 0.5, 4).value), -10, 10)


@recipe("betainc")
def _betainc(g: Draft) -> None:
    x = _shapes(g, 0.125, 0.875)
    shapes = [np.float32(g.pick([1.5, 0.75, 2.0])) for _ in range(2)]
    g.keep(ops.betainc(shapes[0], shapes[1], x.value), 0, 1)


@recipe("zeta", differentiable=False)
def _zeta(g: Draft) -> None:
    x = _shapes(g, 2, 4)
    g.keep(ops.zeta(x.value, _beside(g, x, 1, 3).value), 0, 3)


@recipe("polygamma")
def _polygamma(g: Draft) -> None:
    x = _shapes(g, 1, 4)
    g.keep(ops.polygamma(np.float32(g.pick([1.0, 2.0])), x.value), -3, 3)


# --- nothing but parameters -------------------------------------------------------------


@recipe("iota")
def _iota(g: Draft) -> None:
    shape = g.shape(1)
    axis = g.integer(0, len(shape) - 1)
    dtype = g.pick([I32, F32])
    g.keep(ops.iota(dtype=dtype, shape=shape, axis=axis), 0, max(shape[axis] - 1, 0))


@recipe("full", "broadcast")
def _full(g: Draft) -> None:
    value = g.pick([np.float32(0.5), np.int32(2), np.float32(-1.5)])
    g.keep(ops.full(value, g.shape(1)), float(value), float(value))
