"""`print` and `callback`: values shown to Python as a program comes by."""

from __future__ import annotations

import builtins
import string
from collections.abc import Callable
from typing import Any

from jax.tree_util import tree_map

from fn.control import debug_callback, shown
from fn.core import ArgumentError, public


@public
def callback(f: Callable[..., Any], *args: Any, ordered: bool = False, **kwargs: Any) -> None:
    """Call the Python function `f` with the values of `args`, each time the program comes here.

    Args:
        f: of NumPy arrays and static values; what it returns is ignored.
        args: pytrees; leaves that are no arrays reach `f` as they are.
        ordered: whether the call keeps its place among all others that are ordered, as in
            `fn.io_callback`. Others may run in any order.
        kwargs: passed to `f` as well.

    It sees primal values: under differentiation it is called once, not with tangents. Under `fn.vmap` it
    is called for one entry after the other, if it looks at anything that differs between them; a branch
    that a mapped predicate chooses, and the step of a loop with a mapped condition, run entry by entry if
    there are callbacks in them. What `fn.checkpoint` or a loop computes again does not call it again.
    From a compiled function it may run after the call has returned: `fn.effects_barrier()` waits. What
    `f` raises is raised by whoever waits.

    >>> import fn
    >>> seen = []
    >>> float(fn.grad(lambda x: fn.debug.callback(lambda v: seen.append(float(v)), x) or x * x)(3.0))
    6.0
    >>> seen
    [3.0]
    """
    debug_callback("debug.callback", f, args, kwargs, ordered, remember=False)


class _Print:
    """Prints its arguments in a format; equal to another of the same format."""

    def __init__(self, fmt: str) -> None:
        self.fmt, self.__name__ = fmt, repr(fmt)

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        args, kwargs = tree_map(shown, (args, kwargs))
        builtins.print(self.fmt.format(*args, **kwargs))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Print) and self.fmt == other.fmt

    def __hash__(self) -> int:
        return hash(self.fmt)


class _Anything:
    """Stands for a value in a format that is only tried: it has every field and takes every spec."""

    def __getattr__(self, name: str) -> _Anything:
        return self

    def __getitem__(self, key: Any) -> _Anything:
        return self

    def __format__(self, spec: str) -> str:
        return ""


@public
def print(fmt: str, *args: Any, ordered: bool = False, **kwargs: Any) -> None:
    """Print values each time the program comes here, also from compiled functions.

    Args:
        fmt: as for `str.format`: `"loss {} in step {step}"`.
        args: pytrees of arrays and anything else that prints.
        ordered: whether lines appear in the order in which the program comes by; else in any.
        kwargs: likewise, by name.

    All that is said of `fn.debug.callback` holds.

    Raises:
        ArgumentError: if the format does not fit the arguments.

    >>> import fn
    >>> f = fn.jit(lambda x: fn.debug.print("x = {:.1f}", x, ordered=True))
    >>> f(2.0), fn.effects_barrier()
    x = 2.0
    (None, None)
    """
    if not isinstance(fmt, str):
        raise ArgumentError(
            "debug.print: the first argument is not a format", expected='a string such as "x = {}"',
            got=type(fmt).__name__,
        )  # fmt: skip
    anything = _Anything()
    try:
        string.Formatter().vformat(fmt, [anything] * len(args), dict.fromkeys(kwargs, anything))
    except (LookupError, ValueError) as error:
        raise ArgumentError(
            "debug.print: the format does not fit its arguments",
            expected=f"values for the fields of {fmt!r}",
            got=f"{len(args)} by position, {', '.join(kwargs) or 'none'} by name ({error})",
            fix="write {{ and }} for braces that are no fields",
        ) from None
    debug_callback("debug.print", _Print(fmt), args, kwargs, ordered, remember=True)
