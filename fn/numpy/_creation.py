"""Making arrays. Inside a trace, what a few numbers describe becomes an equation, not a captured array."""

from __future__ import annotations

import array as array_module
from typing import Any

import jax
import numpy

import fn.ops as ops
from fn.core import ArgumentError, Tracer, context, not_an_array, type_of
from fn.numpy._dtypes import float_dtype
from fn.numpy._habits import public
from fn.numpy._promotion import (
    PYTHON,
    DTypeLike,
    cast,
    check_dtype,
    check_shape,
    joint_shape,
    promote,
    stretch,
    type_at,
)
from fn.numpy._promotion import (
    array as operand,
)

# --- from values ------------------------------------------------------------------------


class CopyError(ArgumentError, ValueError):
    """`copy=False` was asked for where there is no way around a copy."""


@public
def array(
    object: Any,
    dtype: DTypeLike = None,
    copy: bool = True,
    order: str | None = "K",
    ndmin: int = 0,
    *,
    device: Any = None,
) -> Any:
    """An array of `object`: nested lists, scalars, or an array.

    Args:
        object: array, scalar, or lists of them; lists that hold traced arrays are stacked.
        dtype: dtype of the result; that of `object` by default. Python numbers become 32-bit ones.
        copy, order: accepted for NumPy's sake; arrays never change, and have no memory order.
        ndmin: least number of axes, made up by axes of size 1 in front.
        device: where to put it.

    >>> import fn.numpy as np
    >>> np.array([1.0, 2.0])
    Array([1., 2.], dtype=float32)
    """
    out = _array(object, None if dtype is None else check_dtype("array", dtype))
    if out.ndim < ndmin:
        out = ops.expand(out, tuple(range(ndmin - out.ndim)))
    return placed("array", out, device)


@public
def asarray(
    a: Any,
    dtype: DTypeLike = None,
    order: str | None = None,
    *,
    copy: bool | None = None,
    device: Any = None,
) -> Any:
    """`a` as an array; arrays stay what they are.

    Args:
        a: array, scalar, lists of them, or anything that offers its memory by DLPack, such as a
            torch tensor, which is not copied. Inside a traced function the result is traced, so
            that `asarray(table)[i]` takes a traced index.
        dtype: dtype of the result; that of `a` by default.
        order: accepted for NumPy's sake; arrays have no memory order.
        copy: False raises if a copy is needed; True copies.
        device: where to put it.

    >>> import fn.numpy as np
    >>> np.asarray(2.0, np.bfloat16)
    Array(2, dtype=bfloat16)
    """
    kind = None if dtype is None else check_dtype("asarray", dtype)
    out = _array(a, kind, copy)
    if copy is False and _is_copy(a, out):
        raise CopyError(
            "asarray: a copy is needed", expected="an array of the dtype asked for, with copy=False",
            got=type(a).__name__, fix="leave out copy=False",
        )  # fmt: skip
    return placed("asarray", out, device)


def _is_copy(a: Any, out: Any) -> bool:
    if isinstance(a, (Tracer, jax.Array)):
        return isinstance(a, jax.Array) and out.dtype != a.dtype
    return not hasattr(a, "__dlpack__") or isinstance(a, (numpy.ndarray, numpy.generic))


def _array(x: Any, dtype: numpy.dtype[Any] | None, copy: bool | None = None) -> Any:
    found = _from_value(x, dtype, copy)
    if context.trace is None or isinstance(found, Tracer) or not found.shape:
        return found
    # What is known is captured: JAX's arrays cannot be indexed with a tracer, captured ones can.
    return Tracer(context.trace, context.trace.atom(found))


def _from_value(x: Any, dtype: numpy.dtype[Any] | None, copy: bool | None) -> Any:
    if isinstance(x, (Tracer, jax.Array)):
        return x if dtype is None or dtype == x.dtype else ops.convert(x, dtype=dtype)
    if isinstance(x, (list, tuple)) and _holds_tracer(x):
        parts = promote("array", *[_array(part, None) for part in x])
        if len({part.shape for part in parts}) > 1:
            raise ArgumentError(
                "array: the parts of a list differ in shape", expected="equal shapes",
                got=", ".join(str(part.shape) for part in parts),
            )  # fmt: skip
        out = ops.concatenate(*[ops.expand(part, (0,)) for part in parts], axis=0)
        return out if dtype is None else ops.convert(out, dtype=dtype)
    if isinstance(x, (list, tuple, range)) or type_of(x) is not None:
        return _from_numbers(x, dtype)
    if hasattr(x, "__dlpack__"):
        found = from_dlpack(x.detach() if hasattr(x, "detach") else x, copy=copy)
        return found if dtype is None else ops.convert(found, dtype=dtype)
    if hasattr(x, "__array__") or isinstance(x, (memoryview, bytearray, array_module.array)):
        return _from_numbers(x, dtype)
    raise not_an_array("array", 0, x)


def _from_numbers(x: Any, dtype: numpy.dtype[Any] | None) -> Any:
    try:
        return jax.numpy.asarray(x, dtype)
    except (ValueError, OverflowError) as error:
        raise ArgumentError(f"array: {error}", got=type(x).__name__) from None


def _holds_tracer(x: Any) -> bool:
    if isinstance(x, (list, tuple)):
        return any(_holds_tracer(part) for part in x)
    return isinstance(x, Tracer)


def placed(name: str, x: Any, device: Any) -> Any:
    """A concrete array put where it was asked for."""
    if device is None:
        return x
    if isinstance(x, Tracer):
        raise ArgumentError(
            f"{name}: a traced array has no place of its own", expected="device=None inside a traced function",
            got=str(device), fix="put the arguments or the results there: jax.device_put(x, device)",
        )  # fmt: skip
    return jax.device_put(x, device)


@public
def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Any:
    """The array that another library offers by DLPack, without a copy where the memory can be shared.

    Args:
        x: what has `__dlpack__` and `__dlpack_device__`: NumPy's, torch's, CuPy's arrays.
        device: where to put it.
        copy: True copies, False raises where it would have to.

    >>> import numpy, fn.numpy as np
    >>> print(np.from_dlpack(numpy.ones(2, numpy.float32)))
    [1. 1.]
    """
    if isinstance(x, Tracer):
        return x
    out = jax.numpy.from_dlpack(x, copy=copy)
    return placed("from_dlpack", out, device)


@public
def astype(x: Any, dtype: DTypeLike, /, *, copy: bool = True, device: Any = None) -> Any:
    """`x` in another dtype; complex to real keeps the real part.

    Args:
        x: array.
        dtype: the dtype.
        copy: accepted for NumPy's sake; arrays never change.
        device: where to put the result.

    >>> import fn.numpy as np
    >>> np.astype(np.array([1.7, -1.7]), int)
    Array([ 1, -1], dtype=int32)
    """
    kind = float_dtype() if dtype is None else check_dtype("astype", dtype)
    x = operand("astype", x)
    if x.dtype != kind or x.weak_type:
        x = ops.convert(x, dtype=kind)
    return placed("astype", x, device)


@public
def copy(a: Any) -> Any:
    """`a` itself: arrays never change, so there is nothing to copy for.

    >>> import fn.numpy as np
    >>> np.copy(np.ones(2))
    Array([1., 1.], dtype=float32)
    """
    return _array(a, None)


# --- constant arrays --------------------------------------------------------------------


def _filled(name: str, shape: Any, value: Any, dtype: Any) -> Any:
    shape = check_shape(name, shape)
    found = type_at(name, value, "the value")
    weak = dtype is None and found.weak
    kind = found.dtype if dtype is None else check_dtype(name, dtype)
    if context.trace is None and not found.shape and not isinstance(value, Tracer):
        return jax.numpy.full(shape, value, None if weak else kind)
    if found.dtype != kind or (type(value) in PYTHON and not weak):
        value = cast(value, kind)
    value = operand(name, value)
    if found.shape:
        if joint_shape(name, [found, found.with_shape(shape)]) != shape:
            raise ArgumentError(
                f"{name}: the value does not fit", expected=f"a shape that broadcasts to {shape}",
                got=str(found),
            )  # fmt: skip
        return stretch(value, found.shape, shape)
    return ops.full(value, shape)


@public
def full(shape: Any, fill_value: Any, dtype: DTypeLike = None, *, device: Any = None) -> Any:
    """An array filled with one value.

    Args:
        shape: an integer or a sequence of integers.
        fill_value: scalar or array that broadcasts to the shape.
        dtype: that of the value by default.
        device: where to put it.

    >>> import fn.numpy as np
    >>> np.full(3, 7)
    Array([7, 7, 7], dtype=int32, weak_type=True)
    """
    return placed("full", _filled("full", shape, fill_value, dtype), device)


@public
def zeros(shape: Any, dtype: DTypeLike = None, *, device: Any = None) -> Any:
    """An array of zeros; floating by default.

    >>> import fn.numpy as np
    >>> np.zeros((2, 2))
    Array([[0., 0.],
           [0., 0.]], dtype=float32)
    """
    kind = float_dtype() if dtype is None else dtype
    return placed("zeros", _filled("zeros", shape, 0, kind), device)


@public
def ones(shape: Any, dtype: DTypeLike = None, *, device: Any = None) -> Any:
    """An array of ones; floating by default.

    >>> import fn.numpy as np
    >>> np.ones(2, int)
    Array([1, 1], dtype=int32)
    """
    kind = float_dtype() if dtype is None else dtype
    return placed("ones", _filled("ones", shape, 1, kind), device)


@public
def empty(shape: Any, dtype: DTypeLike = None, *, device: Any = None) -> Any:
    """An array to be filled; its elements are zeros.

    >>> import fn.numpy as np
    >>> np.empty(2)
    Array([0., 0.], dtype=float32)
    """
    kind = float_dtype() if dtype is None else dtype
    return placed("empty", _filled("empty", shape, 0, kind), device)


@public
def full_like(
    a: Any, fill_value: Any, dtype: DTypeLike = None, shape: Any = None, *, device: Any = None
) -> Any:
    """An array filled with one value, of the shape and dtype of `a` unless others are given.

    >>> import fn.numpy as np
    >>> np.full_like(np.ones(2), 7)
    Array([7., 7.], dtype=float32)
    """
    found = type_at("full_like", a)
    kind = found.dtype if dtype is None else dtype
    out = _filled("full_like", found.shape if shape is None else shape, fill_value, kind)
    return placed("full_like", out, device)


@public
def zeros_like(a: Any, dtype: DTypeLike = None, shape: Any = None, *, device: Any = None) -> Any:
    """Zeros of the shape and dtype of `a`.

    >>> import fn.numpy as np
    >>> np.zeros_like(np.ones(2))
    Array([0., 0.], dtype=float32)
    """
    return full_like(a, 0, dtype, shape, device=device)


@public
def ones_like(a: Any, dtype: DTypeLike = None, shape: Any = None, *, device: Any = None) -> Any:
    """Ones of the shape and dtype of `a`.

    >>> import fn.numpy as np
    >>> np.ones_like(np.zeros(2))
    Array([1., 1.], dtype=float32)
    """
    return full_like(a, 1, dtype, shape, device=device)


@public
def empty_like(
    prototype: Any, dtype: DTypeLike = None, shape: Any = None, *, device: Any = None
) -> Any:
    """Zeros of the shape and dtype of `prototype`.

    >>> import fn.numpy as np
    >>> np.empty_like(np.ones(2))
    Array([0., 0.], dtype=float32)
    """
    return full_like(prototype, 0, dtype, shape, device=device)
