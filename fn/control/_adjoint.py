"""The derivative of a loop of a known number of steps, forwards and backwards.

`while_tangent` runs the derivative of a loop forwards; its transpose, `while_adjoint`, backwards. States
on the way back are computed again from checkpoints, placed as in Griewank and Walther's `revolve`: with
k of them, n steps are done at most r times again each as long as n <= (k + 1 + r)! / ((k + 1)! r!).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fn.control._branches import (
    batch_branches,
    branch_types,
    jvp_branches,
    pruned,
)
from fn.control._call import call_p
from fn.control._derive import (
    Flags,
    batch_front,
    derived,
    fill,
    fill_where,
    known,
    record,
    select_by,
    spread,
    to_front,
    zeros,
)
from fn.control._scan import bind_scan
from fn.control._switch import bind_switch
from fn.control._while import (
    bind_while,
    jvp_step,
)
from fn.core import ArrayType, Atom, Linear, Primitive, Program, bind, evaluate, type_of
from fn.ops import (
    add,
    clamp,
    convert,
    div,
    dynamic_slice,
    dynamic_update_slice,
    gt,
    iota,
    lt,
    mul,
    reduce_max,
    reshape,
    round,
    sub,
)
from fn.transforms import jvp_program, linearize_program, transpose_program

COUNT = ArrayType((), "int32")
_ZERO, _ONE = np.int32(0), np.int32(1)


def counting_step(body: Program, consts: int) -> Program:
    """A step that also counts: consts, count, carry to count, carry."""

    def step(*values: Any) -> list[Any]:
        after = evaluate(body, [*values[:consts], *values[consts + 1 :]])
        return [add(values[consts], _ONE), *after]

    own = body.in_types[: len(body.inputs) - len(body.captured)]
    types = [*own[:consts], COUNT, *own[consts:]]
    return derived(body, ("counting_step", consts), step, types, body.name)


# --- while_tangent ----------------------------------------------------------------------
# Arguments: the number of steps; constants; the carry at the start; tangents where flagged. Gives the
# tangents of the carry at the end where flagged.


def _own_types(program: Program, flags: Flags, part: slice) -> list[ArrayType]:
    return [t.strong() for t in select_by(flags[part], program.in_types[part])]


def _tangent_type(
    *types: ArrayType, program: Program, consts: int, flags: Flags, **_: Any
) -> tuple[ArrayType, ...]:
    return tuple(_own_types(program, flags, slice(consts, None)))


def _tangent_program(program: Program, consts: int, flags: Flags) -> Program:
    """`while_tangent` as a loop."""
    n = len(flags)

    def run(steps: Any, *values: Any) -> list[Any]:
        t_consts = values[n : n + sum(flags[:consts])]
        t_carry = values[n + sum(flags[:consts]) :]
        step = jvp_step(program, flags, consts)
        fixed = [*values[:consts], *t_consts]
        outs = _repeat(steps, step, fixed, [*values[consts:n], *t_carry])
        return outs[n - consts :]

    types = [COUNT, *program.in_types, *_own_types(program, flags, slice(None))]
    return derived(program, ("tangent", consts, flags), run, types, f"tangent_{program.name}")


def _repeat(steps: Any, program: Program, consts: Sequence[Any], init: Sequence[Any]) -> list[Any]:
    """The carry after so many steps of `program`."""
    counting = counting_step(program, len(consts))
    own = counting.in_types[: len(counting.inputs) - len(counting.captured)]
    test = record(
        lambda n, i, *_: [lt(i, n)], [COUNT, *own[len(consts) :]], "count"
    )  # fmt: skip
    return bind_while(test, counting, [steps], consts, [_ZERO, *init])[1:]


def _tangent_transpose(
    cts: Any, steps: Any, *args: Any, program: Program, consts: int, flags: Flags, **params: Any
) -> tuple[Any, ...]:
    n = len(flags)
    seeds = fill(cts, _own_types(program, flags, slice(consts, None)))
    found = bind(
        while_adjoint_p, steps, *args[:n], *seeds, program=program, consts=consts, flags=flags, **params
    )  # fmt: skip
    linear = [ct if isinstance(a, Linear) else None for a, ct in zip(args[n:], found, strict=True)]
    return (*[None] * (n + 1), *linear)


def _stored(program: Program, consts: int, max_steps: int) -> Program:
    """The loop as a scan over all steps there may be: number of steps, constants, carry to carry."""

    def step(steps: Any, *values: Any) -> list[Any]:
        i = values[-1]
        index = convert(lt(i, steps), dtype=np.int32)
        at_rest = derived(
            program, ("at_rest", consts), lambda *v: list(v[consts:]), program.in_types, "at_rest"
        )
        return bind_switch(index, [at_rest, program], values[:-1])

    def run(steps: Any, *values: Any) -> list[Any]:
        body = record(step, [COUNT, *program.in_types, COUNT], program.name)
        counts = iota(dtype=COUNT.dtype, shape=(max_steps,), axis=0)
        fixed = [steps, *values[:consts]]
        return bind_scan(body, fixed, values[consts:], [counts], length=max_steps)[0]

    types = [COUNT, *program.in_types]
    return derived(program, ("stored", consts, max_steps), run, types, program.name)


def _stored_tangent(
    program: Program, consts: int, flags: Flags, max_steps: int, checkpoints: int
) -> Program:
    def run(*values: Any) -> list[Any]:
        whole = _stored(program, consts, max_steps)
        derivative, given = jvp_program(whole, (False, *flags))
        moved = spread(given, evaluate(derivative, values)[len(given) :])
        return known(fill_where(moved, flags[consts:], program.in_types[consts:]))

    types = [COUNT, *program.in_types, *_own_types(program, flags, slice(None))]
    key = ("stored_tangent", consts, flags, max_steps)
    return derived(program, key, run, types, f"tangent_{program.name}")


# --- reversible -------------------------------------------------------------------------
# One function as two Programs: `fast` runs and goes forwards; `stored` is a scan, whose reverse
# derivative exists and saves the states of all steps. It is what the derivatives above become under
# forward mode and `vmap`, and only reverse mode over reverse mode comes to `stored`.


def _reversible_type(*types: ArrayType, fast: Program, stored: Program) -> tuple[ArrayType, ...]:
    return branch_types("reversible", types, (fast, stored))


def _bind_reversible(programs: Sequence[Program], args: Sequence[Any]) -> tuple[Any, ...]:
    fast, stored = programs
    if not fast.outputs:
        return ()
    result: tuple[Any, ...] = bind(reversible_p, *args, fast=fast, stored=stored)
    return result


def _reversible_jvp(args: Any, tangents: Any, *, fast: Program, stored: Program) -> Any:
    programs, joint = jvp_branches((fast, stored), tuple([t is not None for t in tangents]))
    results = _bind_reversible(programs, [*args, *known(tangents)])
    return results[: len(joint)], spread(joint, results[len(joint) :])


def _reversible_linearize(args: Any, nonzero: Flags, *, fast: Program, stored: Program) -> Any:
    assert call_p.linearize is not None
    return call_p.linearize(args, nonzero, program=stored)


def _reversible_transpose(cts: Any, *args: Any, fast: Program, stored: Program) -> Any:
    return call_p.rule("transpose")(cts, *args, program=stored)


def _reversible_batch(axis: Any, args: Any, dims: Any, *, fast: Program, stored: Program) -> Any:
    flags = tuple([d is not None for d in dims])
    programs, joint = batch_branches((fast, stored), axis, flags)
    values = [a if d is None else to_front(a, d, axis.size) for a, d in zip(args, dims)]
    return _bind_reversible(programs, values), [0 if f else None for f in joint]


def _reversible_prune(
    used: Flags, inputs: tuple[Atom, ...], *, fast: Program, stored: Program
) -> tuple[tuple[Atom, ...], dict[str, Any]]:
    (fast, stored), at = pruned((fast, stored), used)
    return tuple([inputs[i] for i in at]), {"fast": fast, "stored": stored}


reversible_p = Primitive(
    name="reversible", type=_reversible_type, jvp=_reversible_jvp, linearize=_reversible_linearize,
    transpose=_reversible_transpose, batch=_reversible_batch,
    lower=lambda emit, *args, fast, stored: emit.call(fast, *args), prune=_reversible_prune,
    multiple=True, effect=lambda fast, stored: fast.effects,
)  # fmt: skip


def _family(
    name: str,
    type: Callable[..., Any],
    fast: Callable[..., Program],
    stored: Callable[..., Program],
    transpose: Callable[..., Any],
) -> Primitive:
    """A primitive that is `fast(…)` but, for reverse derivatives, `stored(…)`."""

    def expansion(params: Any) -> Program:
        rest = {k: v for k, v in params.items() if k != "max_steps"}
        return fast(**rest)

    def both(params: Any) -> dict[str, Program]:
        return {"fast": expansion(params), "stored": stored(**params)}

    def jvp(args: Any, tangents: Any, **params: Any) -> Any:
        return _reversible_jvp(args, tangents, **both(params))

    def linearize(args: Any, nonzero: Flags, **params: Any) -> Any:
        return _reversible_linearize(args, nonzero, **both(params))

    def batch(axis: Any, args: Any, dims: Any, **params: Any) -> Any:
        if dims[0] is None:
            return _reversible_batch(axis, args, dims, **both(params))
        found = _batch_counts(primitive, axis, args, dims, **params)
        return found, [0] * len(found)

    def lower(emit: Any, *args: Any, **params: Any) -> Any:
        return emit.call(expansion(params), *args)

    primitive = Primitive(
        name=name, type=type, jvp=jvp, linearize=linearize, transpose=transpose, batch=batch,
        lower=lower, multiple=True,
    )  # fmt: skip
    return primitive


def _batch_counts(
    primitive: Primitive, axis: Any, args: Any, dims: Any, *, program: Program, consts: int,
    flags: Flags, **params: Any,
) -> Any:  # fmt: skip
    """Lanes that differ in how many steps they take: all take the most, and rest at the end."""
    n = len(flags)
    steps, *values = [
        a if d is None else to_front(a, d, axis.size) for a, d in zip(args, dims, strict=True)
    ]

    def step(*values: Any) -> list[Any]:
        steps, fixed, i, carry = (
            values[0],
            values[1 : 1 + consts],
            values[1 + consts],
            values[2 + consts :],
        )
        index = convert(lt(i, steps), dtype=np.int32)
        at_rest = derived(
            program, ("at_rest", consts), lambda *v: list(v[consts:]), program.in_types, "at_rest"
        )
        return [add(i, _ONE), *bind_switch(index, [at_rest, program], [*fixed, *carry])]

    types = [COUNT, *program.in_types[:consts], COUNT, *program.in_types[consts:]]
    masked = derived(program, ("resting", consts), step, types, program.name)
    # A constant with a cotangent of its own in each lane has to be each lane's own.
    lanes = [d is not None or f for d, f in zip(dims[1 : 1 + consts], flags[:consts], strict=True)]
    lanes += [True] * (len(values) - consts)
    values = [
        a if d is not None or not f else to_front(a, None, axis.size)
        for a, d, f in zip(values, dims[1:], lanes, strict=True)
    ]
    in_lanes = (True, *lanes[:consts], False, *lanes[consts:n])
    body, _ = batch_front(masked, axis, in_lanes, (False, *lanes[consts:n]))
    return bind(
        primitive, reduce_max(steps, axes=(0,)), steps, *values[:consts], _ZERO, *values[consts:],
        program=body, consts=consts + 1, flags=(False, *flags[:consts], False, *flags[consts:]), **params,
    )  # fmt: skip


while_tangent_p = _family(
    "while_tangent", _tangent_type,
    lambda program, consts, flags, checkpoints: _tangent_program(program, consts, flags),
    _stored_tangent, _tangent_transpose,
)  # fmt: skip


# --- while_adjoint ----------------------------------------------------------------------
# Arguments: the number of steps; constants; the carry at the start; cotangents of the carry at the end
# where flagged. Gives the cotangents of constants and of the carry at the start where flagged.


def _adjoint_type(
    *types: ArrayType, program: Program, consts: int, flags: Flags, **_: Any
) -> tuple[ArrayType, ...]:
    return tuple(_own_types(program, flags, slice(None)))


def _step_back(program: Program, flags: Flags, consts: int, lead: int = 0) -> Program:
    """Arguments of `program` and cotangents of the carry, to cotangents of its arguments where flagged.

    Args:
        lead: how many arguments come before those the flags are for.
    """
    every = (False,) * lead + flags

    def run(*values: Any) -> list[Any]:
        n = lead + len(flags)
        lin = linearize_program(program, every)
        _, residuals = lin.split(values[:n], evaluate(lin.primal, values[:n]))
        linear = (False,) * lin.residuals + (True,) * sum(every)
        backward, given = transpose_program(lin.linear, linear, (True,) * sum(lin.out_nonzero))
        cts = select_by(lin.out_nonzero, spread(flags[consts:], values[n:]))
        found = evaluate(backward, [*residuals, *cts])
        return fill(spread(given, found), _own_types(program, every, slice(None)))

    types = [*program.in_types, *_own_types(program, every, slice(lead + consts, None))]
    return derived(program, ("step_back", flags, consts, lead), run, types, f"back_{program.name}")


def _adjoint_program(program: Program, consts: int, flags: Flags, checkpoints: int) -> Program:
    """`while_adjoint` as a loop over the steps, last first, with a stack of states to start from again."""
    n, moving = len(flags), sum(flags[consts:])
    carry = program.in_types[consts:]
    k = len(carry)

    def run(steps: Any, *values: Any) -> list[Any]:
        fixed, init, cts = values[:consts], values[consts:n], values[n:]
        # The stack's top is the state at hand; below it are at most so many checkpoints.
        stack = [
            _write(zeros(t.with_shape((checkpoints + 1, *t.shape))), x, _ZERO)
            for t, x in zip(carry, init)
        ]
        positions = zeros(COUNT.with_shape((checkpoints + 1,)))

        def back(left: Any, top: Any, positions: Any, *rest: Any) -> list[Any]:
            stack, cts, sums = rest[:k], rest[k : k + moving], rest[k + moving :]
            last = sub(left, _ONE)

            def not_there(at: Any, *_: Any) -> Any:
                return lt(at, last)

            def advance(at: Any, top: Any, positions: Any, *rest: Any) -> list[Any]:
                stack = rest[:k]
                far = _stride(sub(left, at), sub(np.int32(checkpoints), top))
                state = _repeat(far, program, fixed, rest[k:])
                at, top = add(at, far), add(top, _ONE)
                written = [_write(s, x, top) for s, x in zip(stack, state)]
                return [at, top, _write(positions, at, top), *written, *state]

            here = [_read(positions, top), top, positions, *stack, *[_read(s, top) for s in stack]]
            _, top, positions, *rest_ = _loop(not_there, advance, here)
            found = evaluate(_step_back(program, flags, consts), [*fixed, *rest_[k:], *cts])
            more = [add(s, ct) for s, ct in zip(sums, found)]
            return [last, sub(top, _ONE), positions, *rest_[:k], *found[len(sums) :], *more]

        sums = [zeros(t) for t in _own_types(program, flags, slice(consts))]
        start = [steps, _ZERO, positions, *stack, *cts, *sums]
        outs = _loop(lambda left, *_: gt(left, _ZERO), back, start)[3 + k :]
        return [*outs[moving:], *outs[:moving]]

    types = [COUNT, *program.in_types, *_own_types(program, flags, slice(consts, None))]
    key = ("adjoint", consts, flags, checkpoints)
    return derived(program, key, run, types, f"adjoint_{program.name}")


def _loop(
    test: Callable[..., Any], step: Callable[..., Sequence[Any]], init: Sequence[Any]
) -> list[Any]:
    types = [t.strong() for t in map(type_of, init) if t is not None]
    cond = record(lambda *values: [test(*values)], types, "test")
    return bind_while(cond, record(step, types, "step"), [], [], init)


def _read(stack: Any, at: Any) -> Any:
    shape = stack.shape[1:]
    found = dynamic_slice(stack, at, *[_ZERO] * len(shape), sizes=(1, *shape))
    return reshape(found, shape=shape)


def _write(stack: Any, value: Any, at: Any) -> Any:
    shape = stack.shape[1:]
    return dynamic_update_slice(stack, reshape(value, shape=(1, *shape)), at, *[_ZERO] * len(shape))


def _stride(steps: Any, free: Any) -> Any:
    """How far to go before the next checkpoint, with `steps` to be reversed.

    Of the `free` slots one is for the state at hand. The fewest repetitions r with b(free, r) >= steps,
    b(s, r) = (s + r)! / (s! r!), are enough if what lies beyond the checkpoint, which has a slot
    less, is b(free - 1, r) steps. In floating point:
    off by one is not wrong, only not the best.
    """
    length, slots = (convert(x, dtype=np.float32) for x in (steps, free))
    one = np.float32(1)

    def more(reps: Any, reach: Any) -> list[Any]:
        reps = add(reps, one)
        return [reps, div(mul(reach, add(slots, reps)), reps)]

    reps, reach = _loop(lambda reps, reach: lt(reach, length), more, [one, add(slots, one)])
    beyond = round(div(mul(reach, slots), add(slots, reps)))
    far = clamp(one, sub(length, beyond), sub(length, one))
    return convert(far, dtype=np.int32)


def _stored_adjoint(
    program: Program, consts: int, flags: Flags, max_steps: int, checkpoints: int
) -> Program:
    return _step_back(_stored(program, consts, max_steps), flags, consts, lead=1)


def _adjoint_transpose(
    cts: Any, steps: Any, *args: Any, program: Program, consts: int, flags: Flags, **params: Any
) -> tuple[Any, ...]:
    n = len(flags)
    tangents = fill(cts, _own_types(program, flags, slice(None)))
    found = bind(
        while_tangent_p, steps, *args[:n], *tangents, program=program, consts=consts, flags=flags, **params
    )  # fmt: skip
    linear = [ct if isinstance(a, Linear) else None for a, ct in zip(args[n:], found, strict=True)]
    return (*[None] * (n + 1), *linear)


while_adjoint_p = _family(
    "while_adjoint", _adjoint_type, _adjoint_program, _stored_adjoint, _adjoint_transpose
)
