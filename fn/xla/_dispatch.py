"""Running Programs: one JAX primitive whose lowering splices our StableHLO into JAX's module.

So a call goes through `jax.jit`'s own fast path, and donation, sharding, the persistent compile cache
and ahead-of-time compilation come with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from fn.control import in_order, without
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
from fn.transforms import expanded
from fn.xla._checked import run_checked, settled
from fn.xla._emit import PythonCall, emit
from fn.xla._python import define_callback, effects_barrier, effects_for_jax, raised_inside
from fn.xla._versions import CallOp, FlatSymbolRefAttr, JaxPrimitive, MlirModule, register_lowering
from fn.xla.passes import optimise

program_p = JaxPrimitive("fn_program")
program_p.multiple_results = True


def _program_types(*args: Any, program: Program, outline: bool) -> tuple[list[Any], frozenset[Any]]:
    types = [jax.core.ShapedArray(t.shape, t.dtype, weak_type=t.weak) for t in program.out_types]
    return types, effects_for_jax(program.effects)


program_p.def_effectful_abstract_eval(_program_types)


def _program_lowering(ctx: Any, *args: Any, program: Program, outline: bool) -> Any:
    if "ordered" in program.effects:
        # Order inside is kept by the Program. JAX's token makes the next executable wait for this one.
        ctx.set_tokens_out(ctx.tokens_in)
    with collection_paused():
        return _splice(ctx, program, list(args), outline)


def _splice(ctx: Any, program: Program, args: list[Any], outline: bool) -> Any:
    """Put the functions of `program` into JAX's module, under names it does not have, and call them."""
    into = ctx.module_context
    table = into.symbol_table
    program = optimise(program, into.platforms[0], outline)
    count = 0
    while f"fn{count}_{_entry(program)}" in table:
        count += 1
    callbacks: dict[str, PythonCall] = {}
    text, name = emit(program, f"fn{count}_", into.platforms[0], callbacks)
    module = MlirModule.parse(text)  # keep it alive: its operations die with it
    results = None
    for operation in list(module.body.operations):
        if operation.name.value in callbacks:
            define_callback(ctx, operation.name.value, callbacks[operation.name.value])
            continue
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


def run(program: Program, args: Sequence[Any], outline: bool = True) -> list[Any]:
    """Apply `program` to JAX values inside a `jax.jit`: one per input, captured ones included."""
    return list(program_p.bind(*args, program=prepare(program), outline=outline))


def prepare(program: Program) -> Program:
    """The Program as JAX is given it: closed, and without dead code. The passes come when it is lowered."""
    found: Program | None = program.cache.get("prepared")
    if found is None:
        whole = with_effects(program.closed()) if program.effects else program.closed()
        found = program.cache["prepared"] = checked(dce(whole))
    return found


def with_effects(program: Program) -> Program:
    """`program`, closed, without its tags, batched where that waited, its ordered effects in order."""
    return in_order(expanded(without(program, frozenset({"tag"}))))


def jax_type(value: Any) -> ArrayType:
    """Type of a JAX array or of a JAX tracer."""
    aval = value.aval
    return ArrayType(aval.shape, aval.dtype, aval.weak_type)


# --- evaluation op by op ----------------------------------------------------------------

_compiled: dict[Any, Callable[..., Any]] = {}
_MOST, _MOST_OBSERVED = 4096, 64
_observed: dict[Any, Callable[..., Any]] = {}
"""Those with effects: their keys may hold functions and what these close over, so they are few."""


def evaluate_eagerly(primitive: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
    """Apply one primitive to arrays now, through an executable kept per primitive and types."""
    key = (primitive, *params.items()) if params else primitive
    try:
        call = _compiled.get(key)
    except TypeError:
        infer(primitive, (), params)  # raises, naming the parameter that is not hashable
        raise
    if call is None:
        if primitive.eager is not None:  # not kept: parameters may be functions made for this call
            return _directly(primitive, args, params)
        call = _observed.get(key)
    if call is None:
        call = _single(primitive, params)
        effects = Equation(primitive, (), (), params).effects
        kept, most = (_observed, _MOST_OBSERVED) if effects else (_compiled, _MOST)
        if len(kept) >= most:
            kept.clear()
        kept[key] = call
    try:
        return call(*args) if args else call(nothing=_NOTHING)
    except FnError as error:
        raise hide_frames(error) from error.__cause__
    except RuntimeError as error:
        found = raised_inside(error)
        if found is None:
            raise
        raise hide_frames(found) from found.__cause__
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
    effects = Equation(primitive, (), (), params).effects

    def apply(*args: Any, nothing: Any = None) -> Any:
        passed = args or (nothing,)
        inputs = tuple([Variable(jax_type(a)) for a in passed])
        operands = inputs if args else ()
        types = infer(primitive, tuple([v.type for v in operands]), params)
        outputs = tuple([Variable(t) for t in types])
        equation = Equation(primitive, operands, outputs, params)
        program = checked(Program(inputs, (equation,), outputs, (), primitive.name))
        if effects:
            found, wrap = run_checked(run, program, passed)
            return tuple(found) if wrap is None else wrap(tuple(found))
        results = program_p.bind(*passed, program=program, outline=True)
        return tuple(results) if primitive.multiple else results[0]

    apply.__name__ = primitive.name
    compiled: Callable[..., Any] = jax.jit(apply)
    if not effects:
        return compiled

    def now(*args: Any, **nothing: Any) -> Any:
        result = settled(compiled(*args, **nothing))
        if effects & {"host", "ordered"}:
            effects_barrier()  # what is called eagerly has happened when the call returns
        return result

    return now


def _directly(primitive: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
    """Apply a primitive that is Python anyway."""
    for position, arg in enumerate(args):
        if isinstance(arg, Tracer):
            check_open(arg, primitive.name)
        if type_of(arg) is None or isinstance(arg, ArrayType):
            raise not_an_array(primitive.name, position, arg)
    if any(isinstance(arg, jax.core.Tracer) for arg in args):  # called in a function JAX is tracing
        call = _single(primitive, params)
        return call(*args)
    assert primitive.eager is not None
    outs = primitive.eager(*args, **params)
    return tuple(map(jax.device_put, outs)) if primitive.multiple else jax.device_put(outs)
