"""`checkpoint`: compute again in the backward pass what would otherwise be kept for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, wraps
from typing import Any, NamedTuple

from fn.control._call import _call_prune, _call_type, call
from fn.control._policies import Policy, choose, read_policy, recomputed
from fn.control._quiet import quiet
from fn.core import (
    ArgumentError,
    ArrayType,
    Atom,
    Equation,
    Linear,
    Literal,
    Primitive,
    Program,
    Trace,
    Variable,
    bind,
    checked,
    context,
    dce,
    evaluate,
    public,
    recording,
    split_arguments,
    trace_call,
    used_inputs,
)
from fn.transforms import batch_program, jvp_program, linearize_program, transpose_program


@public
def checkpoint(
    function: Callable[..., Any] | None = None,
    *,
    policy: Any = None,
    memory_budget: int | None = None,
) -> Any:
    """`function`, keeping less for the backward pass and computing the rest again there.

    Args:
        function: of arrays and pytrees. Left out, `checkpoint(**options)` is a decorator.
        policy: what to keep besides the arguments: `"nothing"` (the default), `"everything"`,
            `"dots"` (results of matrix products and convolutions), `"dots_without_batch_dims"`,
            `fn.save_only("attn", ...)` for values marked with `fn.name(x, "attn")`, or a function from
            an equation to whether its results are kept.
        memory_budget: keep at most so many bytes, chosen greedily by the work saved per byte.

    What is computed again stands behind an `optimization_barrier`, as XLA would otherwise recognise it
    as what it has computed already, and keep that. On CPU XLA drops barriers early; there it is a
    function of its own in the executable, kept out of line.

    >>> import fn, fn.numpy as np
    >>> f = fn.checkpoint(lambda x: np.sin(np.sin(x)))
    >>> float(fn.grad(f)(0.0))
    1.0
    >>> [str(r.type) for r in fn.inspect.residuals(f)(0.0)]
    ['~f32[]']
    """
    if function is None:
        return partial(checkpoint, policy=policy, memory_budget=memory_budget)
    if not callable(function):
        raise ArgumentError(
            "checkpoint: the first argument is not a function", expected="a function",
            got=type(function).__name__, fix="write fn.checkpoint(f)(x), not fn.checkpoint(f(x))",
        )  # fmt: skip
    chosen = read_policy(policy, memory_budget)
    inner = function

    @wraps(function)
    @public
    def recomputing(*args: Any, **kwargs: Any) -> Any:
        if context.trace is None:  # nothing is being differentiated
            return inner(*args, **kwargs)
        split = split_arguments("checkpoint", inner, args, kwargs)
        traced = trace_call("checkpoint", inner, args, kwargs, split, values=split.arrays)
        program = traced.program
        outs = _remat(split.arrays, program, chosen, False)
        return traced.rebuild(outs)

    return recomputing


remat = checkpoint


# --- remat ------------------------------------------------------------------------------
# `deferred` says that the equation computes again what has been computed before, so that XLA has to be
# kept from merging the two.
def _remat(
    args: Sequence[Any], program: Program, policy: Policy, deferred: bool
) -> tuple[Any, ...]:
    result: tuple[Any, ...] = bind(
        remat_p,
        *args,
        *program.captured,
        program=program.closed(),
        policy=policy,
        deferred=deferred,
    )
    return result


def _remat_type(*types: ArrayType, program: Program, **params: Any) -> tuple[ArrayType, ...]:
    return _call_type(*types, program=program)


def _remat_jvp(args: Any, tangents: Any, *, program: Program, **params: Any) -> tuple[Any, Any]:
    derived, out_nonzero = jvp_program(program, tuple([t is not None for t in tangents]))
    results = _remat([*args, *[t for t in tangents if t is not None]], derived, **params)
    count = len(program.outputs)
    left = iter(results[count:])
    return results[:count], [next(left) if n else None for n in out_nonzero]


class _Plan(NamedTuple):
    """A Program split into what is computed once, and what is computed at each use."""

    primal: Program
    """Inputs, captured ones included, to outputs and what is kept."""
    captured: tuple[Any, ...]
    linear: Program
    """The inputs that are used again, what is kept, and tangents, to the tangents there are."""
    again: tuple[int, ...]
    """Which inputs are used again."""
    out_nonzero: tuple[bool, ...]
    repeats: bool
    """Whether anything is computed again."""


def _plan(program: Program, nonzero: tuple[bool, ...], policy: Policy) -> _Plan:
    key = ("remat", nonzero, policy)
    if key not in program.cache:
        program.cache[key] = _make_plan(program, nonzero, policy)
    found: _Plan = program.cache[key]
    return found


def _make_plan(program: Program, nonzero: tuple[bool, ...], policy: Policy) -> _Plan:
    lin = linearize_program(program, nonzero)
    known = lin.primal.closed()
    if policy not in ("nothing", "everything"):
        known = inline_calls(known)  # policies look into functions jitted within
    count = len(program.outputs)
    outs, computed = known.outputs[:count], known.outputs[count:]
    if policy == "everything":
        kept = {v for v in computed if isinstance(v, Variable)}
    else:
        kept = choose(policy, known, computed)
        # What Python returned is kept, so that it is not asked again.
        kept |= {v for e in known.equations if e.effects & {"host", "ordered"} for v in e.outputs}
    again = recomputed(known, computed, kept)
    needed = dict.fromkeys([a for e in again for a in e.inputs] + list(computed))
    own = {v for e in again for v in e.outputs}
    saved = tuple([a for a in needed if isinstance(a, Variable) and a in kept])
    used = {known.inputs[i] for i in lin.forwarded} | {a for a in needed if isinstance(a, Variable)}
    positions = tuple([i for i, v in enumerate(known.inputs) if v in used])
    inputs = tuple([known.inputs[i] for i in positions])
    assert all(isinstance(a, Literal) or a in {*own, *kept, *inputs} for a in needed)
    repeat = checked(Program(inputs + saved, tuple(again), computed, (), program.name))
    repeat = quiet(repeat)
    primal = checked(dce(Program(known.inputs, known.equations, outs + saved, (), program.name)))
    trace = Trace(f"remat({program.name})")
    with recording(trace):
        args = [trace.input(v.type) for v in (*inputs, *saved)]
        tangents = [trace.input(t) for t in lin.linear.in_types[lin.residuals :]]
        at = dict(zip(positions, args, strict=False))
        residuals = [*[at[i] for i in lin.forwarded], *evaluate(repeat, args)]
        moved = evaluate(lin.linear, [*residuals, *tangents])
        linear = checked(dce(trace.finish(moved, f"linear_{program.name}")))
    return _Plan(primal, lin.primal.captured, linear, positions, lin.out_nonzero, bool(again))


def inline_calls(program: Program) -> Program:
    """`program` with the Programs of its `call` equations in their place."""
    if not any(e.primitive.name == "call" for e in program.equations):
        return program
    found: Program | None = program.cache.get("inlined")
    if found is None:
        equations: list[Equation] = []
        env: dict[Any, Atom] = {}
        _inline(program, equations, env)
        outputs = tuple([env.get(a, a) for a in program.outputs])
        found = Program(program.inputs, tuple(equations), outputs, program.captured, program.name)
        program.cache["inlined"] = found
    return found


def _inline(program: Program, into: list[Equation], env: dict[Any, Atom]) -> None:
    for equation in program.equations:
        inputs = tuple([env.get(a, a) for a in equation.inputs])
        if equation.primitive.name == "call":
            inner: Program = equation.params["program"]
            local: dict[Any, Atom] = dict(zip(inner.inputs, inputs, strict=True))
            _inline(inner, into, local)
            results = [local.get(a, a) for a in inner.outputs]
        else:
            copy = equation.with_inputs(inputs)
            into.append(copy)
            results = list(copy.outputs)
        env.update(zip(equation.outputs, results, strict=True))


def _remat_linearize(
    args: Any, nonzero: tuple[bool, ...], *, program: Program, policy: Policy, deferred: bool
) -> tuple[Any, ...]:
    plan = _plan(program, nonzero, policy)
    operands = [*args, *plan.captured]
    if deferred:
        results = _remat(operands, plan.primal, policy, True)
    else:
        results = call(plan.primal, *operands)
    count = len(program.outputs)
    known = [*[operands[i] for i in plan.again], *results[count:]]

    def linear_map(tangents: Sequence[Any]) -> tuple[Any, ...]:
        if not plan.linear.outputs:
            return ()
        if not plan.repeats:
            return call(plan.linear, *known, *tangents)
        return _remat([*known, *tangents], plan.linear, policy, True)

    return results[:count], plan.out_nonzero, linear_map


def _remat_transpose(cts: Any, *args: Any, program: Program, **params: Any) -> tuple[Any, ...]:
    linear = tuple([isinstance(a, Linear) for a in args])
    backward, given = transpose_program(program, linear, tuple([c is not None for c in cts]))
    known = [a for a in args if not isinstance(a, Linear)]
    operands = [*known, *[c for c in cts if c is not None]]
    found = iter(_remat(operands, backward, **params) if any(given) else ())
    per_linear = iter([next(found) if g else None for g in given])
    return tuple([next(per_linear) if is_linear else None for is_linear in linear])


def _remat_batch(axis: Any, args: Any, dims: Any, *, program: Program, **params: Any) -> Any:
    batched, out_dims = batch_program(program, axis, tuple(dims))
    return _remat(args, batched, **params), out_dims


def _remat_lower(emit: Any, *args: Any, program: Program, deferred: bool, **params: Any) -> Any:
    if not deferred:
        return emit.call(program, *args)
    used = used_inputs(program)
    held = [a for a, u in zip(args, used, strict=True) if u]
    types = [a.type for a in held]
    behind = iter(emit.op("stablehlo.optimization_barrier", *held, types=types) if held else ())
    args = tuple([next(behind) if u else a for a, u in zip(args, used, strict=True)])
    return emit.call(program, *args, inline=emit.platform != "cpu")


def _remat_prune(
    used: tuple[bool, ...], inputs: tuple[Atom, ...], *, program: Program, **params: Any
) -> tuple[tuple[Atom, ...], dict[str, Any]]:
    kept, smaller = _call_prune(used, inputs, program=program)
    return kept, {**params, **smaller}


remat_p = Primitive(
    name="remat", type=_remat_type, jvp=_remat_jvp, linearize=_remat_linearize,
    transpose=_remat_transpose, batch=_remat_batch, lower=_remat_lower, prune=_remat_prune,
    multiple=True,
)  # fmt: skip
