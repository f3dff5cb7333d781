"""The dtypes' names as things to call: `float32` is a dtype wherever one is wanted, and makes arrays."""

from __future__ import annotations

from typing import Any

import jax
import ml_dtypes
import numpy

from fn.core import Tracer, canonical_dtype, type_of
from fn.numpy._promotion import array, cast


class _ScalarKind(type):
    """The class of `float32` and its like: equal to the dtypes they name, called to convert."""

    dtype: numpy.dtype[Any]

    def __call__(cls, x: Any = 0) -> Any:
        kind = canonical_dtype(cls.dtype)
        if type_of(x) is None:
            return jax.numpy.asarray(x, kind)
        return array(cls.__name__, cast(x, kind))

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, cls.dtype.type)

    def __eq__(cls, other: object) -> bool:
        return other is cls or bool(cls.dtype == other)

    def __hash__(cls) -> int:
        return hash(cls.dtype.type)


def _scalar(kind: Any) -> Any:
    dtype = numpy.dtype(kind)
    doc = f"The dtype {dtype.name}; `{dtype.name}(x)` is `x` as an array of it."
    return _ScalarKind(dtype.name, (object,), {"dtype": dtype, "__doc__": doc})


bool_ = _scalar(numpy.bool_)
int4, uint4 = _scalar(ml_dtypes.int4), _scalar(ml_dtypes.uint4)
int8, int16 = _scalar(numpy.int8), _scalar(numpy.int16)
int32, int64 = _scalar(numpy.int32), _scalar(numpy.int64)
uint8, uint16 = _scalar(numpy.uint8), _scalar(numpy.uint16)
uint32, uint64 = _scalar(numpy.uint32), _scalar(numpy.uint64)
float16, float32, float64 = _scalar(numpy.float16), _scalar(numpy.float32), _scalar(numpy.float64)
bfloat16 = _scalar(ml_dtypes.bfloat16)
float8_e4m3fn, float8_e5m2 = _scalar(ml_dtypes.float8_e4m3fn), _scalar(ml_dtypes.float8_e5m2)
complex64, complex128 = _scalar(numpy.complex64), _scalar(numpy.complex128)


class _Arrays(type):
    """The class of `ndarray`: concrete arrays are JAX's, and tracers stand for them."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, (jax.Array, Tracer))


class ndarray(metaclass=_Arrays):
    """What arrays are instances of: `isinstance(x, ndarray)` holds for arrays and for tracers.

    >>> import fn, fn.numpy as np
    >>> isinstance(np.ones(2), np.ndarray)
    True
    """
