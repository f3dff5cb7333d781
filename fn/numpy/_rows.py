"""What the tables of elementwise functions are made of: one row each, promoted as NumPy's ufuncs are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fn.core import is_inexact, type_of
from fn.numpy._habits import fused
from fn.numpy._promotion import cast, floating_dtype, match, type_at

Unary = Callable[[Any], Any]
Binary = Callable[[Any, Any], Any]

_ONE = "x: array or scalar of any shape."
_TWO = "x1, x2: arrays or scalars, which are promoted to one dtype and broadcast to one shape."


def _document(call: Callable[..., Any], name: str, doc: str, args: str, example: str) -> Any:
    """Give a row its name and its docstring; `example` is "arguments -> what is printed"."""
    call.__name__ = call.__qualname__ = name
    given, printed = example.split(" -> ")
    call.__doc__ = f"""{doc}

    Args:
        {args}

    >>> import fn.numpy as np
    >>> print(np.{name}({given}))
    {printed}
    """
    return fused(call)


def unary(name: str, op: Unary, doc: str, example: str, args: str = _ONE) -> Unary:
    """A function that takes `x` in its own dtype."""

    def call(x: Any) -> Any:
        type_at(name, x)
        return op(x)

    found: Unary = _document(call, name, doc, args, example)
    return found


def floating(name: str, op: Unary, doc: str, example: str) -> Unary:
    """A function of floating or complex numbers; integers and booleans are converted."""

    def call(x: Any) -> Any:
        return op(as_floating(name, x))

    args = f"{_ONE} Integers become floating."
    found: Unary = _document(call, name, doc, args, example)
    return found


def as_floating(name: str, x: Any) -> Any:
    """`x` in a dtype that has fractions."""
    found = type_of(x) or type_at(name, x)
    if is_inexact(found.dtype):
        return x
    return cast(x, floating_dtype(found.dtype), found.weak)


def binary(
    name: str, op: Binary, doc: str, example: str, *, floating: bool = False, args: str = _TWO
) -> Binary:
    """A function of two operands in one dtype, a floating one if `floating`."""

    def call(x1: Any, x2: Any) -> Any:
        return op(*match(name, x1, x2, floating))

    found: Binary = _document(call, name, doc, args, example)
    return found
