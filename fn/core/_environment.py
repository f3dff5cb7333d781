"""What a function can see besides its arguments: closure, defaults, globals, and what they refer to.

A trace may stand in for calling the function again only if nothing the function sees has changed.
`snapshot` lists all of it, by value where it is mutable and by identity where it is not, or says that
the function cannot be known (it draws host random numbers, prints, reads a clock, or sees too much).
"""

from __future__ import annotations

import builtins
import dis
import functools
import sys
import types
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import jax
import numpy as np

from fn.core._program import Program
from fn.core._source import is_internal, is_internal_file
from fn.core._trace import Tracer

# Reaching one of these means that calling again may do something else, or should be seen to happen.
_IMPURE_MODULES = frozenset(
    {"random", "numpy.random", "time", "secrets", "os", "uuid", "datetime", "sys"}
)
_IMPURE_BUILTINS = frozenset(
    {"print", "input", "open", "next", "iter", "globals", "locals", "vars", "exec", "eval", "id"}
)
_BUDGET = 2_000
_BYTES = 1 << 20

_BY_VALUE = (bool, int, str, bytes, complex, type(None), np.dtype, types.EllipsisType)
_BY_IDENTITY = (
    jax.Array, Tracer, Program, type, types.BuiltinFunctionType, types.CodeType,
    types.GetSetDescriptorType, types.MethodDescriptorType, types.WrapperDescriptorType, np.ufunc,
)  # fmt: skip


_bases: WeakKeyDictionary[type, tuple[type, ...]] = WeakKeyDictionary()


class Unknowable(Exception):
    """The function's environment cannot be captured; trace it every time."""


class Snapshot:
    """Everything a function sees, comparable with an earlier one."""

    __slots__ = ("atoms", "_alive")

    def __init__(self) -> None:
        self.atoms: list[Any] = []
        self._alive: list[Any] = []  # identities are only good while the objects live

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Snapshot) and self.atoms == other.atoms

    __hash__ = None  # type: ignore[assignment]

    def identity(self, value: Any) -> None:
        """Note `value` by identity."""
        self.atoms.append(id(value))
        self._alive.append(value)


@functools.cache
def _code_facts(code: types.CodeType) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Global names a code object reads (nested ones included), and every attribute name it uses."""
    reads: dict[str, None] = {}
    names: dict[str, None] = {}
    stack = [code]
    while stack:
        current = stack.pop()
        for instruction in dis.get_instructions(current):
            if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
                reads[instruction.argval] = None
        names.update(dict.fromkeys(current.co_names))
        stack.extend(c for c in current.co_consts if isinstance(c, types.CodeType))
    return tuple(reads), tuple(names)


def snapshot(function: Callable[..., Any], static: tuple[Any, ...] = ()) -> Snapshot:
    """What `function` and the static arguments it is given see now.

    Raises:
        Unknowable: if it sees something whose next use may differ from this one.
    """
    result = Snapshot()
    seen: dict[int, int] = {}
    stack: list[Any] = [*static, function]
    visited = 0
    while stack:
        value = stack.pop()
        visited += 1
        if visited > _BUDGET:
            raise Unknowable
        kind = type(value)
        if isinstance(value, _BY_VALUE):
            result.atoms.append((kind, value))
            continue
        if kind is float:
            result.atoms.append(value.hex())
            continue
        if isinstance(value, _BY_IDENTITY):
            result.identity(value)
            if isinstance(value, types.BuiltinFunctionType):
                _check_builtin(value)
            elif isinstance(value, type) and id(value) not in seen:
                seen[id(value)] = len(seen)
                _visit_class(value, stack)
            continue
        # Everything else counts by content: a lambda, a bound method or a partial made afresh in
        # each round of a loop is the same function as long as what it holds is the same.
        known = seen.setdefault(id(value), len(seen))
        result.atoms.append((kind.__name__, known))
        if known != len(seen) - 1:
            continue
        result._alive.append(value)
        if isinstance(value, types.ModuleType):
            result.identity(value)
        elif isinstance(value, types.FunctionType):
            _visit_function(value, stack, result)
        elif isinstance(value, types.MethodType):
            stack += [value.__func__, value.__self__]
        elif isinstance(value, functools.partial):
            stack += [value.func, value.args, value.keywords]
        elif isinstance(value, (property, staticmethod, classmethod)):
            stack.append(value.fget if isinstance(value, property) else value.__func__)
        elif isinstance(value, (list, tuple)):
            result.atoms.append(len(value))
            stack += value
        elif isinstance(value, dict):
            result.atoms.append(len(value))
            stack += [*value.keys(), *value.values()]
        elif isinstance(value, (set, frozenset)):
            result.atoms.append(frozenset(map(id, value)))
            result._alive += value
        elif isinstance(value, (np.ndarray, np.generic)):
            if value.nbytes > _BYTES or value.dtype.hasobject:
                raise Unknowable
            result.atoms.append((value.shape, value.dtype, value.tobytes()))
        else:
            _visit_object(value, stack, result)
    return result


def _check_builtin(value: Any) -> None:
    if value.__module__ in _IMPURE_MODULES or (
        value.__module__ == "builtins" and value.__name__ in _IMPURE_BUILTINS
    ):
        raise Unknowable
    owner = getattr(value, "__self__", None)
    if owner is not None and not isinstance(owner, (types.ModuleType, type)):
        raise Unknowable  # a bound method of a C object: an iterator, a random generator, …


def _visit_function(function: types.FunctionType, stack: list[Any], result: Snapshot) -> None:
    code = function.__code__
    result.identity(code)
    stack += [function.__defaults__, function.__kwdefaults__]
    for cell in function.__closure__ or ():
        try:
            stack.append(cell.cell_contents)
        except ValueError:  # not assigned yet
            result.atoms.append("unassigned")
    if is_internal(code):
        # fn's, JAX's and the library's own globals do not change under us, unless they are impure.
        if function.__module__ in _IMPURE_MODULES:
            raise Unknowable
        return
    reads, names = _code_facts(code)
    space = function.__globals__
    for name in reads:
        if name in space:
            value = space[name]
            if isinstance(value, types.ModuleType):
                _visit_module(value, names, stack, result, 0)
            else:
                stack.append(value)
        elif name in _IMPURE_BUILTINS and hasattr(builtins, name):
            raise Unknowable


def _visit_module(
    module: types.ModuleType, names: tuple[str, ...], stack: list[Any], result: Snapshot, depth: int
) -> None:
    """A module is what the code may reach in it: every attribute whose name the code mentions."""
    if module.__name__ in _IMPURE_MODULES:
        raise Unknowable
    result.identity(module)
    space = module.__dict__
    for name in names:
        value = space.get(name)
        if isinstance(value, types.ModuleType):
            if depth < 3 and value is not module:
                _visit_module(value, names, stack, result, depth + 1)
        elif name in space:
            stack.append(value)


def _visit_class(kind: type, stack: list[Any]) -> None:
    """The methods a user's class defines; those of libraries do not change under us."""
    for base in _user_bases(kind):
        for member in vars(base).values():
            function = getattr(member, "__func__", getattr(member, "fget", member))
            if isinstance(function, types.FunctionType) and not is_internal(function.__code__):
                stack.append(function)


def _user_bases(kind: type) -> tuple[type, ...]:
    """The classes in `kind`'s line that do not come from fn, JAX or the standard library."""
    found = _bases.get(kind)
    if found is None:
        found = _bases[kind] = tuple([b for b in kind.__mro__ if not _from_library(b)])
    return found


def _from_library(kind: type) -> bool:
    file = getattr(sys.modules.get(kind.__module__), "__file__", None)
    # A class of a module without a file is a builtin, or one that a notebook defines.
    return kind.__module__ == "builtins" if file is None else is_internal_file(file)


def _visit_object(value: Any, stack: list[Any], result: Snapshot) -> None:
    """An instance: its class, and its attributes."""
    kind = type(value)
    stack.append(kind)
    if hasattr(kind, "__fn_environment__"):  # an object of fn that has caches of its own
        stack += value.__fn_environment__()
        return
    held = getattr(value, "__dict__", None)
    slots = [s for c in kind.__mro__ for s in getattr(c, "__slots__", ()) if isinstance(s, str)]
    if held is None and not slots:
        raise Unknowable  # an opaque object with inner state: an iterator, a generator, …
    if held is not None:
        result.atoms.append(tuple(held))
        stack += held.values()
    for slot in slots:
        if slot not in ("__weakref__", "__dict__") and hasattr(value, slot):
            stack.append(getattr(value, slot))
