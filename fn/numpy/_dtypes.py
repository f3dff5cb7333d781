"""Dtypes: their names, and questions about them. Promotion follows JAX's lattice (`_promotion.py`)."""

from __future__ import annotations

from typing import Any

import jax
import ml_dtypes
import numpy

from fn.core import Tracer, canonical_dtype, type_of
from fn.numpy._habits import public
from fn.numpy._promotion import WEAK

bool_ = numpy.bool_
int4, uint4 = ml_dtypes.int4, ml_dtypes.uint4
int8, int16, int32, int64 = numpy.int8, numpy.int16, numpy.int32, numpy.int64
uint8, uint16, uint32, uint64 = numpy.uint8, numpy.uint16, numpy.uint32, numpy.uint64
float16, float32, float64 = numpy.float16, numpy.float32, numpy.float64
bfloat16 = ml_dtypes.bfloat16
float8_e4m3fn, float8_e5m2 = ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e5m2
complex64, complex128 = numpy.complex64, numpy.complex128
floating, integer, inexact, number = numpy.floating, numpy.integer, numpy.inexact, numpy.number
signedinteger, unsignedinteger = numpy.signedinteger, numpy.unsignedinteger
complexfloating, generic = numpy.complexfloating, numpy.generic
dtype = numpy.dtype

pi, e, euler_gamma = numpy.pi, numpy.e, numpy.euler_gamma
inf, nan, newaxis = numpy.inf, numpy.nan, None

ndarray = jax.Array
"""Concrete arrays are JAX's; tracers stand for them under a transform."""


@public
def result_type(*args: Any) -> numpy.dtype[Any]:
    """The dtype in which these arrays, scalars and dtypes meet.

    Python scalars are weak: they take the dtype of what they are combined with.

    >>> import fn.numpy as np
    >>> np.result_type(np.int8, np.float16), np.result_type(np.ones(2, np.float16), 1.0)
    (dtype('float16'), dtype('float16'))
    """
    found: numpy.dtype[Any] = numpy.dtype(jax.dtypes.result_type(*[_for_lattice(a) for a in args]))
    return found


def _for_lattice(value: Any) -> Any:
    found = type_of(value)
    if found is None:
        return value
    return WEAK[found.dtype.kind] if found.weak else found.dtype


@public
def promote_types(a: Any, b: Any) -> numpy.dtype[Any]:
    """The smallest dtype that both dtypes can become.

    >>> import fn.numpy as np
    >>> np.promote_types(np.int16, np.uint16)
    dtype('int32')
    """
    return result_type(a, b)


@public
def issubdtype(arg1: Any, arg2: Any) -> bool:
    """Whether dtype `arg1` is `arg2` or belongs to the class of dtypes `arg2`.

    >>> import fn.numpy as np
    >>> np.issubdtype(np.bfloat16, np.floating), np.issubdtype(np.int32, np.floating)
    (True, False)
    """
    return bool(jax.dtypes.issubdtype(arg1, arg2))


@public
def isdtype(dtype: Any, kind: Any) -> bool:
    """Whether `dtype` is of this kind: a dtype, a name such as "real floating", or a tuple of them.

    >>> import fn.numpy as np
    >>> np.isdtype(np.dtype("int32"), ("integral", "bool"))
    True
    """
    return bool(jax.numpy.isdtype(dtype, kind))


@public
def can_cast(from_: Any, to: Any, casting: str = "safe") -> bool:
    """Whether a value of one dtype can become the other under NumPy's casting rule.

    >>> import fn.numpy as np
    >>> np.can_cast(np.int32, np.float32, "same_kind"), np.can_cast(np.float32, np.int32)
    (True, False)
    """
    return bool(numpy.can_cast(_dtype_of(from_), _dtype_of(to), casting=casting))  # type: ignore[arg-type]


@public
def finfo(dtype: Any) -> Any:
    """Limits of a floating dtype; of the real part of a complex one.

    >>> import fn.numpy as np
    >>> float(np.finfo(np.bfloat16).eps)
    0.0078125
    """
    return ml_dtypes.finfo(_dtype_of(dtype))


@public
def iinfo(int_type: Any) -> Any:
    """Limits of an integer dtype.

    >>> import fn.numpy as np
    >>> np.iinfo(np.int8).max
    127
    """
    return ml_dtypes.iinfo(_dtype_of(int_type))


def _dtype_of(value: Any) -> Any:
    return (
        value.dtype if isinstance(value, (Tracer, jax.Array, numpy.ndarray)) else numpy.dtype(value)
    )


def float_dtype() -> numpy.dtype[Any]:
    """What `float` means: f32, or f64 if 64-bit types are switched on."""
    return canonical_dtype(numpy.float64)


def int_dtype() -> numpy.dtype[Any]:
    """What `int` means: i32, or i64 if 64-bit types are switched on."""
    return canonical_dtype(numpy.int64)
