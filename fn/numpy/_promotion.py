"""What happens to arguments before an operation sees them: dtypes promoted, shapes broadcast.

Promotion is JAX's: a lattice of dtypes, in which Python scalars (and weak arrays, which came from them)
rank below arrays of their kind. A Python scalar becomes a scalar of the promoted dtype, so that it
is written into the program as a literal, and scalars are never broadcast: operations spread them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import jax
import numpy

import fn.ops as ops
from fn.core import (
    ArgumentError,
    ArrayType,
    Literal,
    Tracer,
    TypeRuleError,
    canonical_dtype,
    context,
    dtype_name,
    is_inexact,
    not_an_array,
    type_of,
    x64_enabled,
)

Shape = tuple[int, ...]
Axis = int | Sequence[int] | None
DTypeLike = Any

PYTHON = (bool, int, float, complex)
WEAK = {"i": int, "f": float, "c": complex, "u": int, "V": float}
_LARGEST_HALF = 65504.0

# --- dtypes -----------------------------------------------------------------------------

_joins: dict[tuple[ArrayType, ArrayType, bool], tuple[numpy.dtype[Any], bool]] = {}


def join(a: ArrayType, b: ArrayType) -> tuple[numpy.dtype[Any], bool]:
    """The dtype in which two types meet, and whether the result is weak."""
    key = (a, b, x64_enabled())
    found = _joins.get(key)
    if found is None:
        if len(_joins) > 100_000:
            _joins.clear()
        found = _joins[key] = _join([a, b])
    return found


def _join(types: Sequence[ArrayType]) -> tuple[numpy.dtype[Any], bool]:
    weak = all(t.weak for t in types)
    dtypes = {t.dtype for t in types}
    if len(dtypes) == 1:
        return types[0].dtype, weak
    # The lattice knows weakness by Python's own scalar classes.
    kinds = [WEAK[t.dtype.kind] if t.weak else t.dtype for t in types]
    dtype, weak = jax.dtypes.result_type(*kinds, return_weak_type_flag=True)
    return canonical_dtype(dtype), weak


def floating_dtype(dtype: numpy.dtype[Any]) -> numpy.dtype[Any]:
    """The dtype of `sqrt(x)`: that of `x` if it has fractions, else a floating one."""
    if is_inexact(dtype):
        return dtype
    return numpy.dtype(numpy.float64 if dtype.itemsize == 8 else numpy.float32)


def literal(value: Any, dtype: numpy.dtype[Any]) -> Any:
    """A Python or NumPy scalar as a NumPy scalar of this dtype; integers wrap around."""
    if isinstance(value, (float, numpy.floating)) and abs(float(value)) > _LARGEST_HALF:
        with numpy.errstate(over="ignore", invalid="ignore"):
            return numpy.asarray(value).astype(dtype)[()]
    try:
        return dtype.type(value)
    except OverflowError:
        return numpy.asarray(value).astype(dtype)[()]


def cast(x: Any, dtype: numpy.dtype[Any], weak: bool = False) -> Any:
    """`x` in another dtype; scalars known while tracing stay so."""
    if type(x) in PYTHON:
        return array("", WEAK[dtype.kind](x)) if weak else literal(x, dtype)
    if isinstance(x, numpy.generic):
        return literal(x, dtype)
    return ops.convert(x, dtype=dtype, weak=weak)


def like(value: Any, x: Any) -> Any:
    """A Python scalar in the dtype of `x`, and weak if `x` is."""
    found = type_at("", x)
    return cast(value, found.dtype, found.weak)


def check_dtype(name: str, dtype: Any) -> numpy.dtype[Any]:
    """`dtype` as the user gave it, canonical: 64-bit types are narrowed unless switched on."""
    try:
        return canonical_dtype(numpy.dtype(dtype))
    except TypeError:
        raise ArgumentError(
            f"{name}: not a dtype",
            expected="a dtype such as fn.numpy.float32 or int",
            got=repr(dtype),
        ) from None


# --- types of arguments -----------------------------------------------------------------


def type_at(name: str, x: Any, position: int | str = 0) -> ArrayType:
    """The type of an argument, or the error that says it is no array."""
    found = type_of(x)
    if found is None or isinstance(x, ArrayType):
        raise not_an_array(name, position, x)
    return found


def array(name: str, x: Any, position: int | str = 0) -> Any:
    """An argument as something with a shape and a dtype: scalars become arrays or literal tracers."""
    if isinstance(x, (Tracer, jax.Array)):
        return x
    type_at(name, x, position)
    if context.trace is not None and numpy.ndim(x) == 0:
        return Tracer(context.trace, Literal(x))
    return jax.numpy.asarray(x)


def types_text(types: Sequence[ArrayType]) -> str:
    """`f32[3,4], i32[]`, without the marks of weakness."""
    return ", ".join([f"{dtype_name(t.dtype)}[{','.join(map(str, t.shape))}]" for t in types])


# --- two operands -----------------------------------------------------------------------


def match(name: str, x: Any, y: Any, floating: bool = False) -> tuple[Any, Any]:
    """Two operands in one dtype, and in one shape unless one of them is a scalar."""
    a, b = type_of(x), type_of(y)
    if a is None or b is None:
        raise not_an_array(name, int(a is not None), y if a is not None else x)
    if a is not b or floating:
        dtype, weak = join(a, b)
        if floating and not is_inexact(dtype):
            dtype = floating_dtype(dtype)
        if a.dtype is not dtype or type(x) in PYTHON:
            x = cast(x, dtype, weak)
        if b.dtype is not dtype or type(y) in PYTHON:
            y = cast(y, dtype, weak)
        if a.shape != b.shape and a.shape and b.shape:
            shape = joint_shape(name, [a, b])
            x, y = stretch(x, a.shape, shape, b.shape), stretch(y, b.shape, shape, a.shape)
    return x, y


def joint_shape(name: str, types: Sequence[ArrayType]) -> Shape:
    """The shape that arrays of these types broadcast to."""
    ndim = max([len(t.shape) for t in types], default=0)
    shape = [1] * ndim
    for t in types:
        for i, n in enumerate(t.shape, ndim - len(t.shape)):
            if n != shape[i]:
                if shape[i] != 1 and n != 1:
                    raise TypeRuleError(
                        f"{name}: the shapes do not broadcast together",
                        expected="along each axis, counted from the last, equal sizes or 1",
                        got=types_text(types),
                        fix="reshape one, or put an axis of size 1 where it is to be repeated: x[:, None]",
                    )
                shape[i] = n if shape[i] == 1 else shape[i]
    return tuple(shape)


def stretch(x: Any, old: Shape, shape: Shape, other: Shape | None = None) -> Any:
    """`x` of shape `old` repeated into `shape`; only made a scalar if `other` has that shape already."""
    if old == shape:
        return x
    if other == shape and math.prod(old) == 1:
        return ops.reshape(x, shape=())
    # An axis of size 1 that is to be repeated is dropped first, and made anew.
    axes = tuple([i for i, n in enumerate(old, len(shape) - len(old)) if n == shape[i]])
    x = ops.reshape(x, shape=tuple([shape[i] for i in axes]))
    return ops.broadcast(x, shape=shape, axes=axes)


# --- any number of operands -------------------------------------------------------------


def promote(name: str, *xs: Any, floating: bool = False) -> list[Any]:
    """Operands in one dtype."""
    types = [type_at(name, x, i) for i, x in enumerate(xs)]
    if len({*types}) == 1 and not floating:
        return list(xs)
    dtype, weak = _join(types)
    if floating:
        dtype = floating_dtype(dtype)
    return [
        cast(x, dtype, weak) if t.dtype != dtype or type(x) in PYTHON else x
        for x, t in zip(xs, types, strict=True)
    ]


def spread(name: str, *xs: Any) -> list[Any]:
    """Operands in one shape, except that scalars stay as they are."""
    types = [type_at(name, x, i) for i, x in enumerate(xs)]
    shapes = {t.shape for t in types if t.shape}
    if len(shapes) < 2:
        return list(xs)
    shape = joint_shape(name, types)
    full = shape if shape in shapes else None
    return [
        stretch(x, t.shape, shape, full) if t.shape else x for x, t in zip(xs, types, strict=True)
    ]


# --- axes and shapes --------------------------------------------------------------------


def one_axis(name: str, axis: Any, ndim: int, argument: str = "axis") -> int:
    """An axis counted from the front."""
    try:
        index = axis.__index__()
    except AttributeError:
        index = None
    if index is None or not -ndim <= index < ndim:
        raise ArgumentError(
            f"{name}: there is no such {argument}",
            expected=f"an integer from {-ndim} to {ndim - 1}"
            if ndim
            else "none, the array is a scalar",
            got=f"{argument}={axis!r} for an array of {ndim} axes",
        )
    return int(index + ndim if index < 0 else index)


def some_axes(name: str, axis: Axis, ndim: int, argument: str = "axis") -> tuple[int, ...]:
    """Axes counted from the front, in the order given; all of them for None."""
    if axis is None:
        return tuple(range(ndim))
    if not isinstance(axis, (tuple, list)):
        return (one_axis(name, axis, ndim, argument),)
    axes = tuple([one_axis(name, a, ndim, argument) for a in axis])
    if len(set(axes)) != len(axes):
        raise ArgumentError(
            f"{name}: an {argument} is given twice",
            expected="distinct axes",
            got=f"{argument}={axis}",
        )
    return axes


def check_shape(name: str, shape: Any, argument: str = "shape") -> Shape:
    """A shape given as an integer or as a sequence of integers."""
    try:
        sizes = (
            tuple([n.__index__() for n in shape])
            if hasattr(shape, "__iter__")
            else (shape.__index__(),)
        )
    except AttributeError:
        sizes = (-1,)
    if any(n < 0 for n in sizes):
        raise ArgumentError(
            f"{name}: not a {argument}",
            expected="an integer >= 0, or a sequence of them",
            got=repr(shape),
        )
    return sizes


def expand_at(x: Any, axes: Sequence[int]) -> Any:
    """`x` with axes of size 1 at these places of the result."""
    return ops.expand(x, tuple(axes)) if axes else x
