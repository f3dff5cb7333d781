"""What Python's operators and an array's methods mean for tracers: the functions of this room.

`install_operators` is the second of the library's two upward hooks: `fn.core` defines the tracer and
knows no operation; this room gives it its behaviour, called once, visibly, in `fn/__init__.py`.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator
from typing import Any

import fn.ops as ops
from fn.core import ArgumentError, Tracer, public, type_of
from fn.numpy import _arithmetic as arithmetic
from fn.numpy import _cumulative as cumulative
from fn.numpy import _editing as editing
from fn.numpy import _elementwise as elementwise
from fn.numpy import _joining as joining
from fn.numpy import _linear as linear
from fn.numpy import _logic as logic
from fn.numpy import _manipulation as manipulation
from fn.numpy import _matrices as matrices
from fn.numpy import _protocols as protocols
from fn.numpy import _reductions as reductions
from fn.numpy import _searching as searching
from fn.numpy import _sorting as sorting
from fn.numpy._at import At
from fn.numpy._creation import astype, placed
from fn.numpy._indexing import read, take
from fn.numpy._promotion import check_dtype

Method = Callable[..., Any]


def _operator(function: Method) -> Method:
    """`x + y`; a class that arrays know nothing of may answer itself."""

    def method(self: Tracer, other: Any) -> Any:
        return NotImplemented if type_of(other) is None else function(self, other)

    return method


def _reflected(function: Method) -> Method:
    """`y + x` for a `y` that is no tracer."""

    def method(self: Tracer, other: Any) -> Any:
        return NotImplemented if type_of(other) is None else function(other, self)

    return method


def _compress(self: Tracer, condition: Any, axis: int | None = None, **options: Any) -> Any:
    return searching.compress(condition, self, axis, **options)


_BINARY: dict[str, Method] = {
    "add": arithmetic.add, "sub": arithmetic.subtract, "mul": arithmetic.multiply,
    "truediv": arithmetic.divide, "floordiv": arithmetic.floor_divide, "mod": arithmetic.remainder,
    "divmod": arithmetic.divmod, "pow": arithmetic.power, "matmul": linear.matmul,
    "and": logic.bitwise_and, "or": logic.bitwise_or, "xor": logic.bitwise_xor,
    "lshift": logic.left_shift, "rshift": logic.right_shift,
}  # fmt: skip
_COMPARISON: dict[str, Method] = {
    "eq": logic.equal, "ne": logic.not_equal, "lt": logic.less, "le": logic.less_equal,
    "gt": logic.greater, "ge": logic.greater_equal,
}  # fmt: skip
_UNARY: dict[str, Method] = {
    "neg": elementwise.negative, "pos": elementwise.positive, "abs": elementwise.abs,
    "invert": logic.invert,
}  # fmt: skip
_METHODS: dict[str, Method] = {
    "all": reductions.all, "any": reductions.any, "argmax": reductions.argmax,
    "argmin": reductions.argmin, "argsort": sorting.argsort, "astype": astype, "clip": arithmetic.clip,
    "conj": elementwise.conj, "conjugate": elementwise.conj, "cumprod": cumulative.cumprod,
    "cumsum": cumulative.cumsum, "diagonal": matrices.diagonal, "dot": linear.dot,
    "max": reductions.max, "mean": reductions.mean, "min": reductions.min, "prod": reductions.prod,
    "ptp": reductions.ptp, "ravel": manipulation.ravel, "flatten": manipulation.ravel,
    "repeat": joining.repeat, "round": elementwise.round, "searchsorted": sorting.searchsorted,
    "sort": sorting.sort, "squeeze": manipulation.squeeze, "std": reductions.std,
    "sum": reductions.sum, "swapaxes": manipulation.swapaxes, "take": take,
    "argpartition": sorting.argpartition, "partition": sorting.partition, "nonzero": searching.nonzero,
    "compress": _compress, "choose": editing.choose, "trace": matrices.trace, "var": reductions.var,
}  # fmt: skip
_PROPERTIES: dict[str, Callable[[Tracer], Any]] = {
    "T": manipulation.transpose, "mT": manipulation.matrix_transpose, "at": At,
    "real": elementwise.real, "imag": elementwise.imag,
    "device": lambda x: None,
    "nbytes": lambda x: x.size * x.dtype.itemsize, "itemsize": lambda x: x.dtype.itemsize,
}  # fmt: skip


@public
def _getitem(self: Tracer, index: Any) -> Any:
    return read("x[index]", self, index)


@public
def _setitem(self: Tracer, index: Any, value: Any) -> None:
    text = repr(index) if type(index) in (int, str) else "index"
    raise ArgumentError(
        f"x[{text}] = value: arrays cannot be changed in place", expected="a new array with the change",
        got=str(self.type), fix=f"x = x.at[{text}].set(value)",
    )  # fmt: skip


@public
def _len(self: Tracer) -> int:
    if not self.shape:
        raise ArgumentError(
            "len(x): a scalar has no length", expected="an array", got=str(self.type)
        )
    return self.shape[0]


@public
def _iter(self: Tracer) -> Iterator[Any]:
    if not self.shape:
        raise ArgumentError(
            "iter(x): a scalar cannot be iterated over", expected="an array", got=str(self.type)
        )
    return iter([self[i] for i in builtins.range(self.shape[0])])  # type: ignore[index]


@public
def _reshape(self: Tracer, *shape: Any, order: str = "C") -> Any:
    """The elements in another shape, given as one argument or as several."""
    return manipulation.reshape(self, shape[0] if len(shape) == 1 else shape, order)


@public
def _transpose(self: Tracer, *axes: Any) -> Any:
    """Reorder axes, given as one argument or as several; reverse them if none are given."""
    return manipulation.transpose(self, (axes[0] if len(axes) == 1 else axes) if axes else None)


@public
def _view(self: Tracer, dtype: Any) -> Any:
    """The bits read as another dtype of the same width."""
    return ops.bitcast(self, dtype=check_dtype("view", dtype))


def _round(self: Tracer, decimals: int | None = None) -> Any:
    # Without decimals, Python's round means the nearest integers.
    rounded = elementwise.round(self, decimals or 0)
    return astype(rounded, int) if decimals is None else rounded


def _itself(self: Tracer) -> Tracer:
    """The array itself: there is nothing to copy, or to wait for."""
    return self


@public
def _to_device(self: Tracer, device: Any, /, *, stream: None = None) -> Any:
    """The array itself for None; a traced array has no place of its own."""
    return placed("to_device", self, device)


def _power(self: Tracer, other: Any, modulo: None = None) -> Any:
    return (
        NotImplemented
        if type_of(other) is None or modulo is not None
        else arithmetic.power(self, other)
    )


def install_operators(tracer: type[Tracer]) -> None:
    """Give tracers the operators, methods and properties of arrays."""
    found: dict[str, Any] = {}
    for name, function in _BINARY.items():
        found[f"__{name}__"], found[f"__r{name}__"] = _operator(function), _reflected(function)
    found |= {f"__{name}__": _operator(function) for name, function in _COMPARISON.items()}
    found |= {f"__{name}__": _method(function) for name, function in _UNARY.items()}
    found |= {name: _method(function) for name, function in _METHODS.items()}
    found |= {name: property(function) for name, function in _PROPERTIES.items()}
    found |= {
        "__pow__": _power, "__getitem__": _getitem, "__setitem__": _setitem, "__len__": _len,
        "__iter__": _iter, "__round__": _round, "reshape": _reshape, "transpose": _transpose,
        "view": _view, "copy": _itself, "block_until_ready": _itself, "to_device": _to_device,
        "__array_ufunc__": protocols.array_ufunc, "__array_function__": protocols.array_function,
        "__array_namespace__": protocols.array_namespace,
    }  # fmt: skip
    for name, value in found.items():
        setattr(tracer, name, value)


def _method(function: Method) -> Method:
    """`function` as a method; what it does is in the function's own docstring."""

    def method(self: Tracer, *args: Any, **kwargs: Any) -> Any:
        return function(self, *args, **kwargs)

    method.__doc__, method.__name__ = function.__doc__, function.__name__
    return method
