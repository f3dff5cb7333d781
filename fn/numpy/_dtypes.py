"""Dtypes: their names, and questions about them. Promotion follows JAX's lattice (`_promotion.py`)."""

from __future__ import annotations

import builtins
from typing import Any

import jax
import ml_dtypes
import numpy

from fn.core import Tracer, canonical_dtype, type_of
from fn.numpy._habits import public
from fn.numpy._promotion import WEAK
from fn.numpy._scalars import bool_ as bool_
from fn.numpy._scalars import complex64, complex128, float32, float64, int64, uint64

bool = bool_  # as the standard calls it
int_, uint, float_, complex_ = int64, uint64, float64, complex128
single, double, csingle, cdouble = float32, float64, complex64, complex128
floating, integer, inexact, number = numpy.floating, numpy.integer, numpy.inexact, numpy.number
signedinteger, unsignedinteger = numpy.signedinteger, numpy.unsignedinteger
complexfloating, generic = numpy.complexfloating, numpy.generic
character, flexible, object_ = numpy.character, numpy.flexible, numpy.object_
dtype = numpy.dtype

pi, e, euler_gamma = numpy.pi, numpy.e, numpy.euler_gamma
inf, nan, newaxis = numpy.inf, numpy.nan, None


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
def issubdtype(arg1: Any, arg2: Any) -> builtins.bool:
    """Whether dtype `arg1` is `arg2` or belongs to the class of dtypes `arg2`.

    >>> import fn.numpy as np
    >>> np.issubdtype(np.bfloat16, np.floating), np.issubdtype(np.int32, np.floating)
    (True, False)
    """
    return builtins.bool(jax.dtypes.issubdtype(arg1, arg2))


@public
def isdtype(dtype: Any, kind: Any) -> builtins.bool:
    """Whether `dtype` is of this kind: a dtype, a name such as "real floating", or a tuple of them.

    >>> import fn.numpy as np
    >>> np.isdtype(np.dtype("int32"), ("integral", "bool"))
    True
    """
    return builtins.bool(jax.numpy.isdtype(dtype, kind))


@public
def can_cast(from_: Any, to: Any, casting: str = "safe") -> builtins.bool:
    """Whether a value of one dtype can become the other under NumPy's casting rule.

    >>> import fn.numpy as np
    >>> np.can_cast(np.int32, np.float32, "same_kind"), np.can_cast(np.float32, np.int32)
    (True, False)
    """
    return builtins.bool(numpy.can_cast(_dtype_of(from_), _dtype_of(to), casting=casting))  # type: ignore[arg-type]


class finfo:
    """Limits of a floating dtype; of the real part of a complex one.

    Args:
        dtype: a dtype, or an array of it.

    Attributes:
        bits, dtype: size and dtype.
        eps, max, min, smallest_normal, tiny, resolution, …: NumPy's, as Python numbers.

    >>> import fn.numpy as np
    >>> np.finfo(np.bfloat16).eps
    0.0078125
    """

    def __init__(self, dtype: Any) -> None:
        self._found = ml_dtypes.finfo(_dtype_of(dtype))
        self.dtype: Any = self._found.dtype

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        value = getattr(self._found, name)
        return value if isinstance(value, int) else float(value)

    def __repr__(self) -> str:
        return repr(self._found)


class iinfo:
    """Limits of an integer dtype.

    Args:
        int_type: a dtype, or an array of it.

    Attributes:
        bits, dtype: size and dtype.
        max, min: Python integers.

    >>> import fn.numpy as np
    >>> np.iinfo(np.int8).max
    127
    """

    def __init__(self, int_type: Any) -> None:
        found = ml_dtypes.iinfo(_dtype_of(int_type))
        self.bits, self.min, self.max = int(found.bits), int(found.min), int(found.max)
        self.dtype: Any = numpy.dtype(found.dtype)

    def __repr__(self) -> str:
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype})"


@public
def iscomplexobj(x: Any) -> builtins.bool:
    """Whether the dtype is complex.

    >>> import fn.numpy as np
    >>> np.iscomplexobj(np.ones(2))
    False
    """
    found = type_of(x)
    return issubdtype(numpy.asarray(x).dtype if found is None else found.dtype, complexfloating)


@public
def isrealobj(x: Any) -> builtins.bool:
    """Whether the dtype is not complex.

    >>> import fn.numpy as np
    >>> np.isrealobj(np.ones(2))
    True
    """
    return not iscomplexobj(x)


@public
def isscalar(element: Any) -> builtins.bool:
    """Whether this is a number or an array without axes.

    >>> import fn.numpy as np
    >>> np.isscalar(3.0), np.isscalar(np.ones(2))
    (True, False)
    """
    found = type_of(element)
    return builtins.bool(numpy.isscalar(element)) if found is None else found.shape == ()


@public
def iterable(y: Any) -> builtins.bool:
    """Whether this can be iterated over; arrays without axes cannot.

    >>> import fn.numpy as np
    >>> np.iterable(np.ones(2)), np.iterable(3.0)
    (True, False)
    """
    found = type_of(y)
    return hasattr(y, "__iter__") if found is None else found.shape != ()


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
