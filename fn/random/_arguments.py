"""What samplers do with their arguments: shapes, dtypes, parameters of a distribution, and `sampler`."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import numpy

from fn.core import (
    ArgumentError,
    canonical_dtype,
    dtype_name,
    is_complex,
    is_float,
    is_inexact,
    is_integer,
    not_an_array,
    public,
    type_of,
)
from fn.numpy import result_type
from fn.ops import broadcast, convert, reshape
from fn.random._keys import as_shape, raw
from fn.xla import fused

F = TypeVar("F", bound=Callable[..., Any])
Sizes = tuple[int, ...]


def sampler(*static: str) -> Callable[[F], F]:
    """Mark a sampler: one executable where it is called eagerly; `static` are its arguments that are no arrays."""

    def wrap(function: F) -> F:
        return draws(fused(*static)(function))

    return wrap


def draws(function: F) -> F:
    """Mark a public function whose first argument is a key, which may be one of JAX's.

    Placement is not its business, and the error says whose.
    """

    @wraps(function)
    def call(key: Any, *args: Any, out_sharding: Any = None, **kwargs: Any) -> Any:
        if out_sharding is not None:
            raise ArgumentError(
                f"random.{function.__name__}: out_sharding= is not taken", expected="None",
                got=type(out_sharding).__name__, fix="place the result with jax.device_put(x, sharding)",
            )  # fmt: skip
        return function(raw(key), *args, **kwargs)

    return public(call)  # type: ignore[return-value]  # same signature but for out_sharding


def float_dtype(operation: str, dtype: Any) -> numpy.dtype[Any]:
    """A floating dtype; None is the default one."""
    found = canonical_dtype(float if dtype is None else dtype)
    if not is_float(found):
        raise ArgumentError(
            f"random.{operation}: not a floating dtype",
            expected="float16, bfloat16, float32 or float64",
            got=dtype_name(found),
        )
    return found


def inexact_dtype(operation: str, *values: Any) -> numpy.dtype[Any]:
    """The floating or complex dtype in which values meet."""
    for position, value in enumerate(values):
        if type_of(value) is None:
            raise not_an_array(f"random.{operation}", position + 1, value)
    found = numpy.dtype(result_type(*values))
    return found if is_inexact(found) else canonical_dtype(float)


def integer_dtype(operation: str, dtype: Any) -> numpy.dtype[Any]:
    """An integer dtype; None is the default one."""
    found = canonical_dtype(int if dtype is None else dtype)
    if not is_integer(found):
        raise ArgumentError(
            f"random.{operation}: not an integer dtype",
            expected="int8 to uint64",
            got=dtype_name(found),
        )
    return found


def parameter(
    operation: str, name: str, value: Any, dtype: numpy.dtype[Any], shape: Sizes, *, whole: bool = False
) -> Any:  # fmt: skip
    """A parameter of a distribution in the result's dtype: a scalar, or spread to its shape.

    With `whole` scalars are spread too.
    """
    kind = type_of(value)
    if kind is None:
        raise ArgumentError(
            f"random.{operation}: {name} is not an array",
            expected="a number or an array",
            got=type(value).__name__,
        )
    if is_complex(kind.dtype) and not is_complex(dtype):
        raise ArgumentError(
            f"random.{operation}: {name} is complex", expected="real numbers", got=str(kind)
        )
    if isinstance(value, (bool, int, float)):
        number = dtype.type(value)
        return broadcast(number, shape=shape, axes=()) if whole and shape else number
    value = convert(value, dtype=dtype)
    if kind.shape == shape or (kind.shape == () and not whole):
        return value
    try:
        fits = numpy.broadcast_shapes(kind.shape, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise ArgumentError(
            f"random.{operation}: {name} does not fit the shape of the result",
            expected=f"a shape that broadcasts to {shape}",
            got=str(kind),
            fix=f"pass shape=, or give {name} fewer axes",
        )
    offset = len(shape) - kind.ndim
    kept = [i for i, n in enumerate(kind.shape) if n == shape[offset + i]]
    value = reshape(value, shape=tuple([kind.shape[i] for i in kept]))
    return broadcast(value, shape=shape, axes=tuple([offset + i for i in kept]))


def joint_shape(operation: str, shape: Any, *parameters: Any) -> Sizes:
    """`shape`, or without one that of the parameters together."""
    if shape is not None:
        return as_shape(operation, shape)
    shapes = [getattr(p, "shape", ()) for p in parameters]
    try:
        return numpy.broadcast_shapes(*shapes)
    except ValueError:
        raise ArgumentError(
            f"random.{operation}: the parameters' shapes do not broadcast together",
            expected="along each axis, counted from the last, equal sizes or 1",
            got=", ".join(map(str, shapes)),
        ) from None


def choose(operation: str, name: str, value: Any, *choices: str) -> str:
    """One of several words."""
    if value not in choices:
        raise ArgumentError(
            f"random.{operation}: unknown {name}", expected=" or ".join(map(repr, choices)), got=repr(value)
        )  # fmt: skip
    return str(value)
