"""NumPy's own functions on tracers: `numpy.sin(x)` inside a traced function is `fn.numpy.sin(x)`.

NumPy asks its arguments' classes before it looks at values; here it is answered with the function of
the same name in this room.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

import fn.numpy as door
from fn.core import ArgumentError, Tracer, type_of
from fn.numpy._habits import public

_SUBMODULES = {"numpy.linalg": "linalg", "numpy.fft": "fft"}
# What NumPy calls otherwise than its functions are called here.
_NAMES = {"conjugate": "conj", "amax": "max", "amin": "min"}
_REDUCTIONS = {
    "add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min", "logical_and": "all",
    "logical_or": "any",
}  # fmt: skip
_found: dict[Any, Callable[..., Any] | None] = {}


def _counterpart(function: Any) -> Callable[..., Any] | None:
    """The function of this room that has the name of one of NumPy's."""
    if function in _found:
        return _found[function]
    name = function.__name__
    module = getattr(function, "__module__", None) or "numpy"
    place: Any = getattr(door, _SUBMODULES[module], None) if module in _SUBMODULES else door
    found = getattr(place, name, None) or getattr(place, _NAMES.get(name, name), None)
    known = module in ("numpy", *_SUBMODULES) or isinstance(function, numpy.ufunc)
    _found[function] = found if known and callable(found) else None
    return _found[function]


def _missing(name: str, fix: str) -> ArgumentError:
    return ArgumentError(
        f"numpy.{name}: not for traced arrays", expected="a function that fn.numpy has, too",
        got="a traced array", fix=fix,
    )  # fmt: skip


@public
def array_ufunc(self: Tracer, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """What NumPy's elementwise functions, and operators with a NumPy array on the left, do."""
    name = ufunc.__name__
    if any(type_of(x) is None for x in inputs):
        return NotImplemented
    outs = kwargs.pop("out", None)
    if outs is not None and any(o is not None for o in outs):
        symbol = f"numpy.{name}(..., out=y)"
        raise ArgumentError(
            f"{symbol}: arrays cannot be written into here", got="out= of a NumPy array, as in y += x",
            expected="no out=", fix=f"y = numpy.{name}(...), or y = y + x",
        )  # fmt: skip
    if method != "__call__":
        other = _REDUCTIONS.get(name) if method == "reduce" else None
        raise _missing(
            f"{name}.{method}", f"use fn.numpy.{other}" if other else "use a function of fn.numpy"
        )
    function = _counterpart(ufunc)
    if function is None:
        raise _missing(
            name, f"compute it before tracing, or of what fn.numpy has; it has no {name}"
        )
    dtype = kwargs.pop("dtype", None)
    out = function(*inputs, **kwargs)
    return out if dtype is None else door.astype(out, dtype)


@public
def array_function(
    self: Tracer, function: Any, types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """What NumPy's other functions do when a traced array is among their arguments."""
    found = _counterpart(function)
    if found is None:
        name = f"{(getattr(function, '__module__', None) or 'numpy')}.{function.__name__}"
        raise _missing(
            name.removeprefix("numpy."), "compute it before tracing, or of what fn.numpy has"
        )
    return found(*args, **kwargs)


def array_namespace(self: Tracer, *, api_version: str | None = None) -> Any:
    """The namespace whose functions take this array: `fn.numpy`."""
    if api_version not in (None, "2022.12", "2023.12", "2024.12", "2025.12"):
        raise ArgumentError(
            "__array_namespace__: unknown version of the standard", expected="2022.12 to 2025.12",
            got=repr(api_version),
        )  # fmt: skip
    return door
