"""What each trace of a jitted function was made for, kept so that somebody may ask why there are several.

Records are made when something is traced, never by a call, and keep no array alive.
"""

from __future__ import annotations

import itertools
import types
import weakref
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Any, NamedTuple

from jax import tree_util

from fn.core import (
    Arguments,
    ArrayType,
    Program,
    Source,
    argument_paths,
    axis_sizes,
    current_source,
    is_internal,
    type_of,
    x64_enabled,
)
from fn.xla._static import Static

_KEPT = 32
_FUNCTIONS = 512
_LEAVES = 64
_SHOWN = 60
_PLAIN = (bool, int, float, complex, str, bytes, type(None))
_numbers = itertools.count()
# By code rather than by function: a lambda made afresh in each round of a loop is one function to its author.
_by_code: OrderedDict[Any, deque[TraceRecord]] = OrderedDict()


class Held(NamedTuple):
    """A value that a function closes over: how it is told from another, and how to call it."""

    identity: Any
    """Equal for the same value; a weak reference for an array or an object."""
    shown: str

    def same(self, other: Held) -> bool:
        """Whether both are the same value."""
        a, b = self.identity, other.identity
        if isinstance(a, weakref.ref) and isinstance(b, weakref.ref):
            return a() is not None and a() is b()
        return type(a) is type(b) and bool(a == b)


class TraceRecord(NamedTuple):
    """One trace: what it was for, and where it was called from."""

    jit: int
    """Number of the `fn.jit` object, in order of making."""
    compiled: bool
    """Whether for XLA; otherwise as a part of something that was traced itself."""
    leaves: dict[str, ArrayType | Held]
    """Each leaf of the arguments by its path: a type, or a static value."""
    structure: str
    """The tree of the arguments."""
    held: dict[str, Held]
    """Values the function sees besides its arguments, by name."""
    settings: dict[str, str]
    cleared: int
    """How often `clear_cache` had been called."""
    source: Source | None
    """The line of the call."""


class History:
    """The traces of one `fn.jit` object."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.number = next(_numbers)
        self.cleared = 0
        self._function = function
        self._own: deque[TraceRecord] = deque(maxlen=_KEPT)

    def note(self, split: Arguments, captured: int, program: Program | None = None) -> None:
        """Remember a trace; one that was not compiled, but is part of another, only if it is new."""
        if program is not None:
            if "noted" in program.cache:
                return
            program.cache["noted"] = True
        settings = {"64-bit types": "on" if x64_enabled() else "off"}
        axes = axis_sizes()
        if axes:
            settings["named axes"] = ", ".join(f"{n}={size}" for n, size in axes.items())
        if captured:
            settings["captured arrays"] = str(captured)
        record = TraceRecord(
            self.number, program is None, *_leaves(self._function, split),
            held_by(self._function), settings, self.cleared, current_source(),
        )  # fmt: skip
        self._own.append(record)
        code = _own_code(self._function)
        if code is not None:
            _by_code.setdefault(code, deque(maxlen=_KEPT)).append(record)
            _by_code.move_to_end(code)
            while len(_by_code) > _FUNCTIONS:
                _by_code.popitem(last=False)

    def records(self) -> list[TraceRecord]:
        """The traces of this function, those by other `fn.jit` objects included, oldest first."""
        code = _own_code(self._function)
        return list(_by_code.get(code, self._own))


def _innermost(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function behind decorators."""
    for _ in range(20):
        function = getattr(function, "__wrapped__", function)
    return function


def _own_code(function: Callable[..., Any]) -> types.CodeType | None:
    """The code that makes a function the same as another one: the user's, which no others share by accident."""
    code: types.CodeType | None = getattr(_innermost(function), "__code__", None)
    return None if code is None or is_internal(code) else code


def _leaves(
    function: Callable[..., Any], split: Arguments
) -> tuple[dict[str, ArrayType | Held], str]:
    spots = [object() for _ in split.types]
    args, kwargs = tree_util.tree_unflatten(split.tree, spots)
    static = iter(split.static)
    values = [_held(next(static)) if t is None else t for t in split.types]
    known: dict[int, Any] = dict(zip(map(id, spots), values, strict=True))
    found, tree = tree_util.tree_flatten((args, kwargs), is_leaf=_is_static)
    plain = tree_util.tree_unflatten(tree, [object() for _ in found])
    paths = argument_paths(function, *plain)
    leaves = {
        path: _held(leaf.value) if isinstance(leaf, Static) else known[id(leaf)]
        for path, leaf in zip(paths, found, strict=True)
    }
    return leaves, str(tree)


def _is_static(leaf: Any) -> bool:
    return isinstance(leaf, Static)


def held_by(function: Callable[..., Any]) -> dict[str, Held]:
    """Values in the closure of `function` and among the globals it reads."""
    function = _innermost(function)
    code = getattr(function, "__code__", None)
    if code is None:
        return {}
    values: dict[str, Any] = {}
    space = getattr(function, "__globals__", {})
    for name in code.co_names:
        value = space.get(name)
        if (
            not isinstance(value, (types.ModuleType, type))
            and not callable(value)
            and name in space
        ):
            values[name] = value
    for name, cell in zip(code.co_freevars, getattr(function, "__closure__", None) or ()):
        try:
            values[name] = cell.cell_contents
        except ValueError:  # not assigned yet
            continue
    found: dict[str, Held] = {}
    for name, value in values.items():
        try:
            leaves = (
                tree_util.tree_flatten_with_path(value)[0] if _is_tree(value) else [((), value)]
            )
        except ValueError:  # a dict whose keys cannot be sorted is no tree
            leaves = [((), value)]
        for path, leaf in leaves[:_LEAVES]:
            found[name + tree_util.keystr(path)] = _held(leaf)
    return found


def _is_tree(value: Any) -> bool:
    return isinstance(value, (dict, list, tuple))


def _held(value: Any) -> Held:
    if isinstance(value, _PLAIN):
        text = repr(value)
        return Held((type(value), text), text[:_SHOWN])
    if isinstance(value, types.FunctionType):
        return Held(value.__code__, f"function {value.__qualname__}")
    kind = type_of(value)
    shown = type(value).__name__ if kind is None else str(kind)
    try:
        return Held(weakref.ref(value), shown)
    except TypeError:
        return Held((type(value), id(value)), shown)
