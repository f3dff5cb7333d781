"""Running Programs: one JAX primitive whose lowering splices our StableHLO into JAX's module.

So a call goes through `jax.jit`'s own fast path, and donation, sharding, the persistent compile cache
and ahead-of-time compilation come with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from fn.core import (
    ArrayType,
    Equation,
    FnError,
    Primitive,
    Program,
    Tracer,
    Variable,
    check_open,
    checked,
    collection_paused,
    dce,
    hide_frames,
    infer,
    not_an_array,
    program_names,
    type_of,
)
from fn.xla._emit import emit
from fn.xla._versions import CallOp, FlatSymbolRefAttr, JaxPrimitive, MlirModule, register_lowering

program_p = JaxPrimitive("fn_program")
program_p.multiple_results = True


def _program_types(*args: Any, program: Program) -> list[Any]:
    return [jax.core.ShapedArray(t.shape, t.dtype, weak_type=t.weak) for t in program.out_types]


program_p.def_abstract_eval(_program_types)


def _program_lowering(ctx: Any, *args: Any, program: Program) -> Any:
    with collection_paused():
        return _splice(ctx.module_context, program, list(args))


def _splice(into: Any, program: Program, args: list[Any]) -> Any:
    """Put the functions of `program` into JAX's module, under names it does not have, and call them."""
    table = into.symbol_table
    count = 0
    while f"fn{count}_{_entry(program)}" in table:
        count += 1
    text, name = emit(program, f"fn{count}_", into.platforms[0])
    module = MlirModule.parse(text)  # keep it alive: its operations die with it
    results = None
    for operation in list(module.body.operations):
        copy = operation.operation.clone()
        into.module.body.append(copy)
        table.insert(copy)
        if operation.name.value == name:
            results = list(operation.type.results)
    assert results is not None
    return CallOp(results, FlatSymbolRefAttr.get(name), args).results


def _entry(program: Program) -> str:
    """The name the program's own function gets in its text."""
    return program_names(program)[id(program)]


register_lowering(program_p, _program_lowering)


def run(program: Program, args: Sequence[Any]) -> list[Any]:
    """Apply `program` to JAX values inside a `jax.jit`: one per input, captured ones included."""
    return list(program_p.bind(*args, program=prepare(program)))


def prepare(program: Program) -> Program:
    """The Program as it is sent to XLA: closed, and through the passes."""
    found: Program | None = program.cache.get("prepared")
    if found is None:
        found = program.cache["prepared"] = checked(dce(program.closed()))
    return found


def jax_type(value: Any) -> ArrayType:
    """Type of a JAX array or of a JAX tracer."""
    aval = value.aval
    return ArrayType(aval.shape, aval.dtype, aval.weak_type)


# --- evaluation op by op ----------------------------------------------------------------

_compiled: dict[Any, Callable[..., Any]] = {}


def evaluate_eagerly(primitive: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
    """Apply one primitive to arrays now, through an executable kept per primitive and types."""
    key = (primitive, *params.items()) if params else primitive
    try:
        call = _compiled.get(key)
    except TypeError:
        infer(primitive, (), params)  # raises, naming the parameter that is not hashable
        raise
    if call is None:
        if len(_compiled) > 4096:
            _compiled.clear()
        call = _compiled[key] = _single(primitive, params)
    try:
        return call(*args) if args else call(nothing=_NOTHING)
    except FnError as error:
        raise hide_frames(error) from error.__cause__
    except (TypeError, AttributeError):  # the latter for None and lists, which JAX takes for trees
        for position, arg in enumerate(args):
            if isinstance(arg, Tracer):
                check_open(arg, primitive.name)
            if type_of(arg) is None or isinstance(arg, ArrayType):
                raise not_an_array(primitive.name, position, arg) from None
        raise


# Stands in for the operands of a primitive without any: where JAX folds constants it evaluates a call
# without operands on the spot, which only the compiled call can do.
_NOTHING = np.zeros(0, np.int8)


def _single(primitive: Primitive, params: dict[str, Any]) -> Callable[..., Any]:
    def apply(*args: Any, nothing: Any = None) -> Any:
        passed = args or (nothing,)
        inputs = tuple([Variable(jax_type(a)) for a in passed])
        operands = inputs if args else ()
        types = infer(primitive, tuple([v.type for v in operands]), params)
        outputs = tuple([Variable(t) for t in types])
        equation = Equation(primitive, operands, outputs, params)
        program = checked(Program(inputs, (equation,), outputs, (), primitive.name))
        results = program_p.bind(*passed, program=program)
        return tuple(results) if primitive.multiple else results[0]

    apply.__name__ = primitive.name
    return jax.jit(apply)
