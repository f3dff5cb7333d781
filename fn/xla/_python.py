"""Calls of Python functions in JAX's module: JAX writes them, and keeps the functions alive."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import cache
from typing import Any

import jax
from jax.experimental import io_callback

from fn.core import ArrayType
from fn.xla._emit import PythonCall
from fn.xla._versions import (
    FuncOp,
    FunctionType,
    InsertionPoint,
    ReturnOp,
    TokenSet,
    aval_to_ir_type,
    emit_python_callback,
    lower_fun,
)


def effects_for_jax(effects: frozenset[str]) -> frozenset[Any]:
    """What JAX calls effects such as ours, so that it neither drops nor reorders whole executables."""
    found: frozenset[Any] = frozenset()
    if "host" in effects:
        found |= _effect_of_jax(False)
    if "ordered" in effects:
        found |= _effect_of_jax(True)
    return found


@cache
def _effect_of_jax(ordered: bool) -> frozenset[Any]:
    """The effect of a callback of JAX's, whose class has no public name."""
    traced = jax.jit(lambda: io_callback(_nothing, None, ordered=ordered)).trace()
    found = frozenset(traced.jaxpr.effects)
    assert found
    return found


def _nothing() -> None:
    return None


def define_callback(ctx: Any, name: str, call: PythonCall) -> None:
    """Write the function `name`, which calls Python, into the module of `ctx`."""
    into = ctx.module_context
    ins, outs = [_aval(t) for t in call.in_types], [_aval(t) for t in call.out_types]
    types = [[aval_to_ir_type(into, aval) for aval in avals] for avals in (ins, outs)]
    with InsertionPoint(into.module.body):
        function = FuncOp(name, FunctionType.get(*types), visibility="private")
    into.symbol_table.insert(function)
    block = function.add_entry_block()
    inner = ctx.replace(avals_in=ins, avals_out=outs, tokens_in=TokenSet(), tokens_out=None)
    python = _Python(call)
    with InsertionPoint(block):
        if getattr(into.axis_context, "num_devices", 1) == 1:
            results, _, _ = emit_python_callback(
                inner, python, None, list(block.arguments), ins, outs,
                has_side_effect=call.effect, returns_token=False,
            )  # fmt: skip
        else:  # JAX knows on which device it is to run
            whole = lower_fun(_borrowed(python, call), multiple_results=True)
            results = whole(inner, *block.arguments)
        ReturnOp(list(results))


def _aval(kind: ArrayType) -> Any:
    return jax.core.ShapedArray(kind.shape, kind.dtype)


def _borrowed(python: _Python, call: PythonCall) -> Callable[..., Any]:
    structs = tuple([jax.ShapeDtypeStruct(t.shape, t.dtype) for t in call.out_types])
    if call.effect:
        return lambda *args: io_callback(python, structs, *args)
    return lambda *args: jax.pure_callback(python, structs, *args)


class _Python:
    """What XLA calls. It remembers what the function raised, which XLA tells as a text only."""

    def __init__(self, call: PythonCall) -> None:
        self.call = call

    def __call__(self, *arrays: Any) -> tuple[Any, ...]:
        try:
            return tuple(self.call.function(self.call.out_types, *arrays))
        except BaseException as error:
            _raised.append(error)
            raise


_raised: deque[BaseException] = deque(maxlen=8)


def raised_inside(error: BaseException) -> BaseException | None:
    """What a Python function raised, if that is why an executable gave `error`; told once."""
    if not _raised or not isinstance(error, RuntimeError):
        return None
    text = str(error)
    for found in reversed(_raised):
        if type(found).__name__ in text and str(found) in text:
            _raised.remove(found)
            return found
    return None


def effects_barrier() -> None:
    """Wait until all callbacks of functions called so far have run.

    Compiled functions return before they are done. Reading a result waits for what computes it, and for
    no callback besides.

    Raises:
        Exception: what a callback raised meanwhile.

    >>> import fn
    >>> fn.effects_barrier()
    """
    try:
        jax.effects_barrier()
    except RuntimeError as error:
        found = raised_inside(error)
        if found is None:
            raise
        raise found from None
