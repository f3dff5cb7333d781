"""Array types: what a trace knows of a value. `f32[3,4]` is a type; `~f32[]` is a weak one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import ml_dtypes
import numpy as np

_LONG = {
    "f16": np.float16, "f32": np.float32, "f64": np.float64, "bf16": ml_dtypes.bfloat16,
    "i8": np.int8, "i16": np.int16, "i32": np.int32, "i64": np.int64,
    "u8": np.uint8, "u16": np.uint16, "u32": np.uint32, "u64": np.uint64,
    "bool": np.bool_, "c64": np.complex64, "c128": np.complex128,
    "i4": ml_dtypes.int4, "u4": ml_dtypes.uint4,
    "f8_e4m3fn": ml_dtypes.float8_e4m3fn, "f8_e5m2": ml_dtypes.float8_e5m2,
}  # fmt: skip
DTYPES: dict[str, np.dtype[Any]] = {name: np.dtype(long) for name, long in _LONG.items()}
_SHORT = {dtype: name for name, dtype in DTYPES.items()}
_FLOATS = frozenset(d for n, d in DTYPES.items() if n.startswith(("f", "bf")))
_COMPLEX = frozenset({DTYPES["c64"], DTYPES["c128"]})
_INTEGERS = frozenset(d for n, d in DTYPES.items() if n[0] in "iu")


def dtype_name(dtype: np.dtype[Any]) -> str:
    """The short name of a dtype: `f32`, `i64`, `bool`, `c64`.

    >>> dtype_name(np.dtype("float32"))
    'f32'
    """
    return _SHORT.get(dtype) or dtype.name


def is_float(dtype: np.dtype[Any]) -> bool:
    """Whether `dtype` is a real floating type, bf16 and the 8-bit ones included."""
    return dtype in _FLOATS


def is_complex(dtype: np.dtype[Any]) -> bool:
    """Whether `dtype` is complex."""
    return dtype in _COMPLEX


def is_inexact(dtype: np.dtype[Any]) -> bool:
    """Whether `dtype` is differentiable: real floating or complex."""
    return dtype in _FLOATS or dtype in _COMPLEX


def is_integer(dtype: np.dtype[Any]) -> bool:
    """Whether `dtype` is a signed or unsigned integer; bool is not."""
    return dtype in _INTEGERS


class ArrayType:
    """The type of an array: shape, dtype, and whether a Python scalar gave it that dtype (weak).

    Types are interned: equal types are the same object.

    >>> ArrayType((3, 4), np.float32)
    f32[3,4]
    >>> ArrayType((), np.float32, weak=True) is ArrayType((), np.float32, weak=True)
    True
    """

    __slots__ = ("shape", "dtype", "weak", "__weakref__")
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    weak: bool
    _interned: dict[tuple[tuple[int, ...], Any, bool], ArrayType] = {}

    def __new__(cls, shape: tuple[int, ...], dtype: Any, weak: bool = False) -> ArrayType:
        key = (shape, dtype, weak)
        try:
            return cls._interned[key]
        except (KeyError, TypeError):
            pass
        shape, dtype, weak = tuple(int(size) for size in shape), np.dtype(dtype), bool(weak)
        found = cls._interned.get((shape, dtype, weak))
        if found is None:
            found = object.__new__(cls)
            object.__setattr__(found, "shape", shape)
            object.__setattr__(found, "dtype", dtype)
            object.__setattr__(found, "weak", weak)
            found = cls._interned.setdefault((shape, dtype, weak), found)
        return found

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"ArrayType is immutable; make a new one instead of setting {name!r}")

    def __reduce__(self) -> tuple[type[ArrayType], tuple[Any, ...]]:
        return ArrayType, (self.shape, self.dtype, self.weak)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        size = 1
        for n in self.shape:
            size *= n
        return size

    def with_shape(self, shape: tuple[int, ...]) -> ArrayType:
        """This type with another shape."""
        return ArrayType(shape, self.dtype, self.weak)

    def with_dtype(self, dtype: Any) -> ArrayType:
        """This type with another dtype; the result is not weak."""
        return ArrayType(self.shape, dtype)

    def strong(self) -> ArrayType:
        """This type, not weak."""
        return ArrayType(self.shape, self.dtype)

    def __repr__(self) -> str:
        weak = "~" if self.weak else ""
        return f"{weak}{dtype_name(self.dtype)}[{','.join(map(str, self.shape))}]"


_scalar_types: dict[tuple[type, bool], ArrayType] = {}


def scalar_type(kind: type) -> ArrayType:
    """The weak type of a Python scalar: `bool`, `int`, `float` or `complex`."""
    key = (kind, x64_enabled())
    found = _scalar_types.get(key)
    if found is None:
        dtype = np.dtype(bool) if kind is bool else canonical_dtype(np.dtype(kind))
        found = _scalar_types[key] = ArrayType((), dtype, weak=kind is not bool)
    return found


def x64_enabled() -> bool:
    """Whether 64-bit types are switched on, by `jax_enable_x64` or by its context manager."""
    return bool(jax.config.jax_enable_x64)  # type: ignore[attr-defined]  # defined at run time


def canonical_dtype(dtype: Any) -> np.dtype[Any]:
    """`dtype`, narrowed to 32 bits unless 64-bit types are switched on."""
    canonical: np.dtype[Any] = jax.dtypes.canonicalize_dtype(dtype)
    return canonical


def _of_array(value: Any) -> ArrayType | None:
    if not isinstance(value.dtype, np.dtype):  # JAX's typed keys, whose dtype is not NumPy's
        return None
    return ArrayType(value.shape, value.dtype, value.weak_type)


def _of_numpy(value: Any) -> ArrayType | None:
    if value.dtype.kind in "OSUMm":
        return None
    return ArrayType(value.shape, canonical_dtype(value.dtype))


# Exact Python types first: one dictionary lookup settles almost every value.
_readers: dict[type, Callable[[Any], ArrayType | None]] = {
    bool: lambda value: scalar_type(bool),
    int: lambda value: scalar_type(int),
    float: lambda value: scalar_type(float),
    complex: lambda value: scalar_type(complex),
    np.ndarray: _of_numpy,
    ArrayType: lambda value: value,
    jax.ShapeDtypeStruct: lambda value: ArrayType(value.shape, canonical_dtype(value.dtype)),
}


def register_type(kind: type, reader: Callable[[Any], ArrayType | None]) -> None:
    """Teach `type_of` a class of values; used for tracers, before any value is looked at."""
    _readers[kind] = reader


def type_of(value: Any) -> ArrayType | None:
    """The type of an array, scalar or tracer; None for anything else.

    >>> type_of(np.ones((2, 3), np.float32)), type_of(1.0), type_of("no")
    (f32[2,3], ~f32[], None)
    """
    reader = _readers.get(type(value))
    if reader is None:
        reader = _find_reader(type(value))
    return reader(value)


def _find_reader(kind: type) -> Callable[[Any], ArrayType | None]:
    found: Callable[[Any], ArrayType | None]
    if issubclass(kind, (jax.Array, jax.core.Tracer)):
        found = _of_array
    elif issubclass(kind, (np.ndarray, np.generic)):
        found = _of_numpy
    elif issubclass(kind, (bool, int, float, complex)):
        base = next(b for b in (bool, int, float, complex) if issubclass(kind, b))
        found = _readers[base]
    else:
        found = _of_nothing
    _readers[kind] = found
    return found


def _of_nothing(value: Any) -> None:
    return None
