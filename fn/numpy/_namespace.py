"""What a namespace of the Python Array API standard says about itself."""

from __future__ import annotations

from typing import Any

import jax
import numpy

from fn.core import ArgumentError, canonical_dtype, x64_enabled

__array_api_version__ = "2025.12"

_KINDS: dict[str, tuple[str, ...]] = {
    "bool": ("bool",),
    "signed integer": ("int8", "int16", "int32", "int64"),
    "unsigned integer": ("uint8", "uint16", "uint32", "uint64"),
    "real floating": ("float32", "float64"),
    "complex floating": ("complex64", "complex128"),
}
_KINDS["integral"] = _KINDS["signed integer"] + _KINDS["unsigned integer"]
_KINDS["numeric"] = _KINDS["integral"] + _KINDS["real floating"] + _KINDS["complex floating"]


class __array_namespace_info__:  # the standard's name
    """What this namespace can do: devices, dtypes, capabilities.

    >>> import fn.numpy as np
    >>> np.__array_namespace_info__().default_dtypes()["real floating"]
    dtype('float32')
    """

    def capabilities(self) -> dict[str, Any]:
        """Which optional behaviour there is: both kinds of data-dependent shapes, for known arrays."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> Any:
        """Where arrays are made unless a device is given; None, for JAX's configuration decides."""
        return None

    def default_dtypes(self, *, device: Any = None) -> dict[str, numpy.dtype[Any]]:
        """What `float`, `complex` and `int` mean, and the dtype of indices."""
        return {
            "real floating": canonical_dtype(numpy.float64),
            "complex floating": canonical_dtype(numpy.complex128),
            "integral": canonical_dtype(numpy.int64),
            "indexing": canonical_dtype(numpy.int64),
        }

    def dtypes(
        self, *, device: Any = None, kind: str | tuple[str, ...] | None = None
    ) -> dict[str, numpy.dtype[Any]]:
        """The standard's dtypes of a kind, or of all; those of 64 bits only if they are switched on."""
        kinds = ("bool", "numeric") if kind is None else (kind,) if isinstance(kind, str) else kind
        unknown = [k for k in kinds if k not in _KINDS]
        if unknown:
            raise ArgumentError(
                "dtypes: unknown kind",
                expected=", ".join(_KINDS),
                got=", ".join(map(repr, unknown)),
            )
        names = dict.fromkeys([name for k in kinds for name in _KINDS[k]])
        wide = ("int64", "uint64", "float64", "complex128")
        return {n: numpy.dtype(n) for n in names if x64_enabled() or n not in wide}

    def devices(self) -> list[Any]:
        """The devices there are."""
        return [None, *jax.devices()]
