"""The same Program at other dtypes: in 64 bits, to see rounding, or complex, to differentiate exactly."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from fn.core import (
    ArrayType,
    Equation,
    Literal,
    Program,
    Trace,
    Variable,
    bind,
    check,
    dce,
    from_source,
    is_complex,
    is_float,
    is_inexact,
    recording,
    type_of,
)
from fn.ops import (
    broadcast,
    convert,
    div,
    eq,
    ge,
    le,
    lt,
    make_complex,
    mul,
    neg,
    real_part,
    reduce_max,
    reduce_min,
    reduce_sum,
    select,
    spread,
)

F64, C128 = np.dtype(np.float64), np.dtype(np.complex128)


def wide_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """`dtype` with 64 bits per real number; integers and booleans as they are."""
    return F64 if is_float(dtype) else C128 if is_complex(dtype) else dtype


def wide_type(type: ArrayType) -> ArrayType:
    """`type` with 64 bits per real number, and not weak."""
    return ArrayType(type.shape, wide_dtype(type.dtype))


def wide_array(value: Any) -> Any:
    """An array, or a number, as a NumPy array of its wide type."""
    kind = type_of(value)
    assert kind is not None
    return np.asarray(value).astype(wide_dtype(kind.dtype))


# --- 64 bits ----------------------------------------------------------------------------


class Widened(NamedTuple):
    """A Program in 64 bits."""

    program: Program
    exact: bool
    """Whether every floating-point operation is done in 64 bits."""


def widen(program: Program) -> Widened:
    """`program`, with captured arrays as ordinary inputs, computed in 64 bits.

    An operation that exists at its own dtypes only (bits read as another type, a custom rule) is done
    at these, between conversions; if what it computes depends on floating-point inputs, the result is
    not exact. Rounding to a narrower format on purpose is left out.
    """
    found: Widened | None = program.cache.get("widened")
    if found is None:
        with jax.enable_x64(True):
            found = program.cache["widened"] = _widen(program.closed())
    return found


def _widen(program: Program) -> Widened:
    trace = Trace(f"widen({program.name})")
    exact = True
    from_floats: set[Variable] = {v for v in program.inputs if is_inexact(v.type.dtype)}
    with recording(trace):
        env: dict[Any, Any] = {v: trace.input(wide_type(v.type)) for v in program.inputs}
        for equation in program.equations:
            inputs = [_wide_atom(a, env) for a in equation.inputs]
            depends = any(a in from_floats for a in equation.inputs if isinstance(a, Variable))
            with from_source(equation.source):
                outs, same = _wide_equation(equation, inputs)
            exact = exact and (same or not depends)
            for variable, out in zip(equation.outputs, outs, strict=True):
                env[variable] = convert(out, dtype=wide_dtype(variable.type.dtype))
                if depends:
                    from_floats.add(variable)
        outputs = [_wide_atom(a, env) for a in program.outputs]
        result = check(dce(trace.finish(outputs, program.name)))
    assert not result.captured
    return Widened(result, exact)


def _wide_atom(atom: Any, env: Mapping[Any, Any]) -> Any:
    if isinstance(atom, Literal):
        return atom.value.astype(wide_dtype(atom.type.dtype))
    return env[atom]


def _wide_equation(equation: Equation, inputs: Sequence[Any]) -> tuple[Sequence[Any], bool]:
    primitive = equation.primitive
    if primitive.name == "reduce_precision":
        return [inputs[0]], True
    flags: list[bool] = []
    try:
        params = {k: _wide_param(v, flags) for k, v in equation.params.items()}
        result = bind(primitive, *inputs, **params)
        outs = result if primitive.multiple else (result,)
        wanted = [(v.type.shape, wide_dtype(v.type.dtype)) for v in equation.outputs]
        if [(o.shape, o.dtype) for o in outs] == wanted:
            return outs, all(flags)
    except Exception:  # any rule may refuse types it was never meant for, each in its own way
        pass
    narrow = [convert(x, dtype=a.type.dtype) for x, a in zip(inputs, equation.inputs, strict=True)]
    result = bind(primitive, *narrow, **equation.params)
    return (result if primitive.multiple else (result,)), False


def _wide_param(value: Any, flags: list[bool]) -> Any:
    if isinstance(value, Program):
        widened = widen(value)
        flags.append(widened.exact)
        return widened.program
    if isinstance(value, ArrayType):
        return wide_type(value)
    if isinstance(value, np.dtype):
        return wide_dtype(value)
    if isinstance(value, tuple):
        return tuple([_wide_param(v, flags) for v in value])
    return value


# --- complex ----------------------------------------------------------------------------


class NotAnalytic(Exception):
    """This operation has no complex derivative, or none that is known here."""


# Operations that are the same formula for complex numbers, and differentiable as such.
_ANALYTIC = frozenset(
    ["add", "sub", "mul", "div", "neg", "exp", "exp2", "expm1", "log", "log1p", "sin", "cos", "tan", "sinh", "cosh", "tanh", "asin", "acos", "atan", "asinh", "acosh", "atanh", "sqrt", "rsqrt", "logistic", "square", "integer_pow", "pow", "reshape", "transpose", "broadcast", "reduce_sum", "reverse", "slice", "pad", "concatenate", "cumsum", "cumprod", "reduce_prod", "linear_recurrence", "dot_general", "conv", "gather", "scatter_add", "dynamic_slice", "dynamic_update_slice", "name", "optimization_barrier", "triangular_solve", "lu_solve", "tridiagonal_solve", "stack"]
)  # fmt: skip
# Operations whose results jump from one value to another, by the real parts of what they compare.
_BY_REAL_PARTS = frozenset(
    [
        "eq",
        "ne",
        "lt",
        "le",
        "gt",
        "ge",
        "sign",
        "floor",
        "ceil",
        "round",
        "argmax",
        "argmin",
        "is_finite",
    ]
)
_CALLS = frozenset({"call", "remat"})


def _maximum(x: Any, y: Any) -> Any:
    return select(ge(real_part(x), real_part(y)), x, y)


def _minimum(x: Any, y: Any) -> Any:
    return select(le(real_part(x), real_part(y)), x, y)


def _abs(x: Any) -> Any:
    return select(lt(real_part(x), 0.0), neg(x), x)


def _clamp(low: Any, x: Any, high: Any) -> Any:
    return _minimum(_maximum(spread(low, x), x), spread(high, x))


def _extreme(reduce: Callable[..., Any], x: Any, axes: tuple[int, ...]) -> Any:
    """The element with the extreme real part; the mean of those that tie."""
    part = real_part(x)
    kept = tuple([i for i in range(part.ndim) if i not in axes])
    wins = eq(part, broadcast(reduce(part, axes=axes), shape=part.shape, axes=kept))
    shares = _as_complex(convert(wins, dtype=F64))
    return div(reduce_sum(mul(shares, x), axes=axes), reduce_sum(shares, axes=axes))


def _largest(x: Any, *, axes: tuple[int, ...]) -> Any:
    return _extreme(reduce_max, x, axes)


def _smallest(x: Any, *, axes: tuple[int, ...]) -> Any:
    return _extreme(reduce_min, x, axes)


# Analytic on either side of a kink.
_PIECEWISE: dict[str, Callable[..., Any]] = {
    "maximum": _maximum, "minimum": _minimum, "abs": _abs, "clamp": _clamp, "reduce_max": _largest,
    "reduce_min": _smallest,
}  # fmt: skip


def complexify(program: Program, moving: Sequence[bool]) -> Program:
    """`program`, in 64 bits, of complex numbers where an input is moving and what depends on it.

    Raises:
        NotAnalytic: naming the first operation on the way that is not analytic.
    """
    with jax.enable_x64(True):
        trace = Trace(f"complex({program.name})")
        with recording(trace):
            inputs = [
                trace.input(t.with_dtype(C128) if m else t)
                for t, m in zip(program.in_types, moving, strict=True)
            ]
            outs = _complex(program, inputs)
            return check(dce(trace.finish(outs, f"complex_{program.name}")))


def _complex(program: Program, args: Sequence[Any]) -> list[Any]:
    env: dict[Any, Any] = dict(zip(program.inputs, args, strict=True))

    def value(atom: Any) -> Any:
        return atom.operand if isinstance(atom, Literal) else env[atom]

    for equation in program.equations:
        inputs = [value(a) for a in equation.inputs]
        moved = [
            not is_complex(a.type.dtype) and is_complex(getattr(x, "dtype", F64))
            for a, x in zip(equation.inputs, inputs, strict=True)
        ]
        with from_source(equation.source):
            if any(moved):
                outs = _complex_equation(equation, inputs, moved)
            else:
                result = bind(equation.primitive, *inputs, **equation.params)
                outs = result if equation.primitive.multiple else (result,)
        env.update(zip(equation.outputs, outs, strict=True))
    return [value(a) for a in program.outputs]


def _complex_equation(
    equation: Equation, inputs: list[Any], moved: Sequence[bool]
) -> Sequence[Any]:
    primitive, name = equation.primitive, equation.primitive.name
    if name in _CALLS:
        return _complex(equation.params["program"], inputs)
    if name in _BY_REAL_PARTS:
        inputs = [real_part(x) if m else x for x, m in zip(inputs, moved, strict=True)]
        return [bind(primitive, *inputs, **equation.params)]
    if name == "select":
        return [select(inputs[0], _as_complex(inputs[1]), _as_complex(inputs[2]))]
    if name == "convert":
        dtype = equation.params["dtype"]
        return [inputs[0] if is_inexact(dtype) else convert(real_part(inputs[0]), dtype=dtype)]
    if name == "stop_gradient":
        return [_as_complex(real_part(inputs[0]))]
    inputs = [
        _as_complex(x) if is_float(a.type.dtype) else x
        for x, a in zip(inputs, equation.inputs, strict=True)
    ]
    if name in _PIECEWISE:
        return [_PIECEWISE[name](*inputs, **equation.params)]
    if name not in _ANALYTIC:
        raise NotAnalytic(name)
    params = {
        k: C128 if isinstance(v, np.dtype) and v == F64 else v for k, v in equation.params.items()
    }
    try:
        result = bind(primitive, *inputs, **params)
    except Exception:
        raise NotAnalytic(name) from None
    return result if primitive.multiple else (result,)


def _as_complex(x: Any) -> Any:
    kind = type_of(x)
    assert kind is not None
    if is_complex(kind.dtype):
        return x
    return make_complex(convert(x, dtype=F64), np.float64(0))
