"""What tables of elementwise operations are made of: kinds of dtypes, spread scalars, one row each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

import numpy as np

from fn.core import (
    ArrayType,
    Linear,
    Primitive,
    TypeRuleError,
    bind,
    elementwise,
    is_complex,
    is_float,
    is_inexact,
    is_integer,
    public,
    scalar_type,
    type_of,
)
from fn.ops._examples import with_example
from fn.ops._rules import require, result_weak, types_text
from fn.ops._shape import full, reduce_sum

_SCALAR_KINDS = (bool, int, float, complex)
Kind: TypeAlias = Callable[[np.dtype[Any]], bool]
Unary: TypeAlias = Callable[[Any], Any]
Binary: TypeAlias = Callable[[Any, Any], Any]
F = TypeVar("F", bound=Callable[..., Any])


def number(dtype: np.dtype[Any]) -> bool:
    """Every dtype but bool."""
    return dtype != np.bool_


def real(dtype: np.dtype[Any]) -> bool:
    """Numbers that are not complex."""
    return dtype != np.bool_ and not is_complex(dtype)


def ordered(dtype: np.dtype[Any]) -> bool:
    """Dtypes whose values can be compared by size: bool and the real numbers."""
    return not is_complex(dtype)


def integral(dtype: np.dtype[Any]) -> bool:
    """Integers and bool."""
    return is_integer(dtype) or dtype == np.bool_


def anything(dtype: np.dtype[Any]) -> bool:
    """Every dtype."""
    return True


_KIND_NAMES: dict[Kind, str] = {
    number: "numbers", real: "real numbers", ordered: "booleans or real numbers", is_integer: "integers",
    integral: "integers or booleans", is_float: "real floating numbers", is_complex: "complex numbers",
    is_inexact: "floating or complex numbers", anything: "any dtype",
}  # fmt: skip


def joint_shape(name: str, types: tuple[ArrayType, ...]) -> tuple[int, ...]:
    """The shape of an elementwise result: that of the operands that are no scalars."""
    shape: tuple[int, ...] = ()
    for t in types:
        if t.shape:
            if shape and shape != t.shape:
                raise TypeRuleError(
                    f"{name}: the operands' shapes differ",
                    expected="equal shapes, or scalars", got=types_text(types),
                    fix="bring them to one shape first; the fn.numpy function of this name broadcasts",
                )  # fmt: skip
            shape = t.shape
    return shape


def operand_type(name: str, types: tuple[ArrayType, ...], kind: Kind) -> ArrayType:
    dtypes = {t.dtype for t in types}
    require(
        len(dtypes) == 1, f"{name}: the operands' dtypes differ", expected="equal dtypes",
        got=types_text(types), fix="convert one; the fn.numpy function of this name promotes",
    )  # fmt: skip
    dtype = types[0].dtype
    require(
        kind(dtype), f"{name}: wrong dtype", expected=_KIND_NAMES[kind], got=types_text(types),
    )  # fmt: skip
    return ArrayType(joint_shape(name, types), dtype, result_weak(*types))


def like(value: Any, x: Any) -> Any:
    """The Python scalar `value` in the dtype of the array or scalar `x`."""
    kind = type_of(x)
    assert kind is not None
    return value if kind.weak else kind.dtype.type(value)


@public
def spread(x: Any, out: Any) -> Any:
    """`x`, a scalar or of the shape of `out`, with the shape of `out`.

    >>> import fn, numpy as np
    >>> fn.ops.spread(np.float32(2), np.zeros(3, np.float32)).tolist()
    [2.0, 2.0, 2.0]
    """
    return x if np.shape(x) == out.shape else full(x, out.shape)


def gather_ct(ct: Any, x: Linear) -> Any:
    """The cotangent of an operand that may have been a scalar: summed if it was spread."""
    if x.type.shape == () and np.ndim(ct):
        return reduce_sum(ct, axes=tuple(range(np.ndim(ct))))
    return ct


def agree(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Give Python scalars among the operands the dtype of the arrays beside them, if it holds them."""
    for a in args:
        dtype = getattr(a, "dtype", None)
        if dtype is not None:
            weak = getattr(a, "weak_type", False)
            return tuple([_beside(x, dtype, weak) for x in args])
    return args


def _beside(x: Any, dtype: np.dtype[Any], weak: bool) -> Any:
    kind = type(x)
    if not _holds(dtype, kind) or (weak and scalar_type(kind).dtype == dtype):
        return x  # a weak array and a Python scalar of its dtype stay weak together
    return dtype.type(x)


def _holds(dtype: np.dtype[Any], kind: type) -> bool:
    """Whether a Python scalar of this class can become `dtype` without losing its nature."""
    if kind not in _SCALAR_KINDS or kind is bool or dtype == np.bool_:
        return kind is bool and dtype == np.bool_
    return kind is int or (kind is float and is_inexact(dtype)) or is_complex(dtype)


def _lowering(hlo: str) -> Callable[..., Any]:
    def lower(emit: Any, *args: Any) -> Any:
        return emit.elementwise(f"stablehlo.{hlo}", *args)

    return lower


def nary(
    name: str,
    hlo: str,
    *,
    jvp: Any,
    kind: Kind = number,
    transpose: Any = "it is not linear",
    result: Any = None,
    lower: Callable[..., Any] | None = None,
    operands: int | None = None,
) -> Primitive:
    """An elementwise primitive; `result(dtype)` gives the dtype of its result.

    It has as many operands as its jvp has rules, or as `operands` says; one if neither tells.
    """
    count = operands or (len(jvp) if isinstance(jvp, tuple) else 1)

    def type_rule(*types: ArrayType) -> ArrayType:
        if len(types) != count:
            raise TypeRuleError(
                f"{name}: wrong number of operands", expected=str(count), got=str(len(types))
            )
        out = operand_type(name, types, kind)
        if result is None:
            return out
        dtype = result(out.dtype)
        return ArrayType(out.shape, dtype, out.weak and dtype != np.bool_)

    return Primitive(
        name=name, type=type_rule, jvp=jvp, transpose=transpose, batch=elementwise,
        lower=lower or _lowering(hlo),
    )  # fmt: skip


def shown(function: F) -> F:
    """`public`, with the example that the table of examples has for this operation."""
    function.__doc__ = with_example(function.__name__, function.__doc__ or "")
    return public(function)


def unary_op(primitive: Primitive, doc: str) -> Callable[[Any], Any]:
    """The public function of a one-operand primitive."""

    def op(x: Any) -> Any:
        return bind(primitive, x)

    op.__name__ = op.__qualname__ = primitive.name
    op.__doc__ = with_example(primitive.name, doc)
    return public(op)


def binary_op(primitive: Primitive, doc: str) -> Callable[[Any, Any], Any]:
    """The public function of a two-operand primitive."""

    def op(x: Any, y: Any) -> Any:
        if type(x) in _SCALAR_KINDS or type(y) in _SCALAR_KINDS:
            x, y = agree((x, y))
        return bind(primitive, x, y)

    op.__name__ = op.__qualname__ = primitive.name
    op.__doc__ = with_example(primitive.name, doc)
    return public(op)
