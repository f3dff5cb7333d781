"""`while_loop`: repeat a step as long as a condition holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fn.control._derive import (
    Flags,
    batch_front,
    derived,
    either,
    fill_where,
    known,
    select_by,
    slice_program,
    spread,
    to_front,
    uses,
    with_zeros,
)
from fn.control._quiet import quiet
from fn.control._switch import bind_switch
from fn.core import (
    ArrayType,
    Atom,
    MissingRuleError,
    Primitive,
    Program,
    TypeRuleError,
    bind,
    evaluate,
)
from fn.ops import convert, reduce_or
from fn.transforms import jvp_program


def bind_while(
    cond: Program,
    body: Program,
    cond_consts: Sequence[Any],
    body_consts: Sequence[Any],
    init: Sequence[Any],
    primitive: Primitive | None = None,
    **params: Any,
) -> list[Any]:
    """One loop equation, without what need not be in the loop. Gives the last carry.

    Args:
        cond: `(cond_consts, carry) -> bool`; what it captured becomes constants.
        body: `(body_consts, carry) -> carry`; likewise.
    """
    k = len(init)
    b = len(body_consts)
    # A carry that every step hands on as it came is a constant of the loop.
    fixed = [i for i in range(k) if body.outputs[i] is body.inputs[b + i]]
    moving = [i for i in range(k) if i not in fixed]
    if not moving and not cond.effects and not body.effects:
        return list(init)
    values = []
    programs = []
    counts = []
    for program, consts, outputs in ((cond, cond_consts, [0]), (body, body_consts, moving)):
        n = len(consts)
        used = uses(program)
        args = [*consts, *init, *program.captured]
        at = [i for i in (*range(n), *[n + i for i in fixed], *range(n + k, len(args))) if used[i]]
        order = [*at, *[n + i for i in moving]]
        programs.append(slice_program(program.closed(), order, outputs))
        values += [args[i] for i in at]
        counts.append(len(at))
    found = bind(
        primitive or while_loop_p, *values, *[init[i] for i in moving], cond=programs[0],
        body=programs[1], cond_consts=counts[0], body_consts=counts[1], **params,
    )  # fmt: skip
    outs = dict(zip(moving, found, strict=True))
    return [outs.get(i, init[i]) for i in range(k)]


def while_type(
    *types: ArrayType, cond: Program, body: Program, cond_consts: int, body_consts: int, **_: Any
) -> tuple[ArrayType, ...]:
    """The type rule of loops with a condition."""
    start = cond_consts + body_consts
    carry = body.in_types[body_consts:]
    for what, given, wanted in (
        ("the condition's arguments", (*types[:cond_consts], *types[start:]), cond.in_types),
        ("the step's arguments", types[cond_consts:], body.in_types),
        ("what the step gives", body.out_types, carry),
        ("what the condition gives", cond.out_types, (ArrayType((), np.bool_),)),
    ):
        if [(t.shape, t.dtype) for t in given] != [(t.shape, t.dtype) for t in wanted]:
            raise TypeRuleError(
                f"while_loop: {what} do not fit",
                expected=", ".join(map(str, wanted)) or "nothing",
                got=", ".join(map(str, given)) or "nothing",
            )
    return carry


def moving_carries(out_flags: Callable[[Flags], Flags], flags: Flags, consts: int) -> Flags:
    """The flags of a step's inputs once a carry that comes out flagged goes in flagged."""
    while True:
        grown = either(flags[consts:], out_flags(flags))
        if grown == flags[consts:]:
            return flags
        flags = (*flags[:consts], *grown)


def jvp_step(body: Program, flags: Flags, consts: int) -> Program:
    """The step of values and tangents: consts, their tangents, carry, its tangents to both.

    Args:
        flags: per input of the body, whether it has a tangent, closed under a step.
    """
    key = ("jvp_step", flags, consts)
    if key not in body.cache:
        raw, given = jvp_program(body, flags)
        count = len(body.outputs)
        whole = with_zeros(raw, count, given, flags[consts:], body.out_types)
        n, before = len(flags), sum(flags[:consts])
        order = [*range(consts), *range(n, n + before), *range(consts, n)]
        order += range(n + before, n + sum(flags))
        own = len(whole.inputs) - len(whole.captured)
        small = slice_program(
            whole.closed(), [*order, *range(own, len(whole.inputs))], range(len(whole.outputs))
        )
        body.cache[key] = Program(
            small.inputs, small.equations, small.outputs, whole.captured, whole.name
        )
    found: Program = body.cache[key]
    return found


def widened_cond(cond: Program, cond_consts: int, types: Sequence[ArrayType]) -> Program:
    """The condition with more carries, which it does not look at."""
    if not types:
        return cond
    return derived(
        cond, ("widened_cond", tuple(types)), lambda *a: evaluate(cond, a[: len(cond.inputs)]),
        [*cond.in_types, *types], cond.name,
    )  # fmt: skip


def jvp_loop(
    primitive: Primitive, args: Any, tangents: Any, *, cond: Program, body: Program,
    cond_consts: int, body_consts: int, **params: Any,
) -> tuple[list[Any], list[Any]]:  # fmt: skip
    """The jvp rule of loops with a condition: values and tangents go round together."""
    start = cond_consts + body_consts
    flags = tuple([t is not None for t in tangents[cond_consts:]])
    flags = moving_carries(lambda f: jvp_program(body, f)[1], flags, body_consts)
    step = jvp_step(body, flags, body_consts)
    types = body.in_types
    moved = fill_where(tangents[cond_consts:], flags, types)
    t_consts, t_carry = known(moved[:body_consts]), known(moved[body_consts:])
    carried = [t.strong() for t in select_by(flags[body_consts:], types[body_consts:])]
    outs = bind_while(
        widened_cond(cond, cond_consts, carried), step, args[:cond_consts],
        [*args[cond_consts:start], *t_consts], [*args[start:], *t_carry], primitive, **params,
    )  # fmt: skip
    k = len(args) - start
    return outs[:k], spread(flags[body_consts:], outs[k:])


def batch_loop(
    primitive: Primitive, axis: Any, args: Any, dims: Any, *, cond: Program, body: Program,
    cond_consts: int, body_consts: int, **params: Any,
) -> tuple[list[Any], list[int | None]]:  # fmt: skip
    """The batch rule of loops with a condition.

    Where lanes differ in how many steps they take, the loop goes on while any of them does, and a
    lane that has finished keeps its values. `switch` by the lanes' own conditions does that, so that a
    finished lane, going through the motions, neither spoils gradients nor keeps an inner loop from
    ending.
    """
    start = cond_consts + body_consts
    flags = tuple([d is not None for d in dims])
    front = [a if d is None else to_front(a, d, axis.size) for a, d in zip(args, dims, strict=True)]
    inner = moving_carries(
        lambda f: batch_front(body, axis, f)[1], flags[cond_consts:], body_consts
    )
    carry = inner[body_consts:]
    test, (differs,) = batch_front(cond, axis, (*flags[:cond_consts], *carry))
    if not differs:
        step, _ = batch_front(body, axis, inner, carry)
        init = [
            to_front(a, None, axis.size) if f and not had else a
            for a, f, had in zip(front[start:], carry, flags[start:], strict=True)
        ]
        consts = front[:cond_consts], front[cond_consts:start]
        outs = bind_while(test, step, *consts, init, primitive, **params)
        return outs, [0 if f else None for f in carry]
    masked = _masked_step(cond, body, cond_consts, body_consts)
    everything = (True,) * (1 + len(carry))
    step, _ = batch_front(masked, axis, (*flags[:start], *everything), everything)
    init = [
        a if had else to_front(a, None, axis.size)
        for a, had in zip(front[start:], flags[start:], strict=True)
    ]
    test, _ = batch_front(cond, axis, (*flags[:cond_consts], *everything[1:]), (True,))
    (active,) = evaluate(test, [*front[:cond_consts], *init])
    types = [active.type if hasattr(active, "type") else ArrayType((axis.size,), np.bool_)]
    types += step.in_types[start + 1 : start + 1 + len(carry)]
    going_on = derived(
        step, ("going_on", start), lambda active, *_: [reduce_or(active, axes=(0,))], types, "any"
    )
    outs = bind_while(going_on, step, [], front[:start], [active, *init], primitive, **params)
    return outs[1:], [0] * len(carry)


def _masked_step(cond: Program, body: Program, cond_consts: int, body_consts: int) -> Program:
    """The step of one lane that may have finished: constants, whether it is active and the carry, to these."""
    start = cond_consts + body_consts
    types = [*cond.in_types[:cond_consts], *body.in_types[:body_consts]]
    carry = body.in_types[body_consts:]

    def rest(*values: Any) -> list[Any]:
        return [np.bool_(False), *values[start:]]

    def move(*values: Any) -> list[Any]:
        after = evaluate(body, values[cond_consts:])
        return [*evaluate(cond, [*values[:cond_consts], *after]), *after]

    def step(*values: Any) -> list[Any]:
        branches = [
            derived(body, ("at_rest", cond, cond_consts), rest, [*types, *carry], "at_rest"),
            derived(body, ("moving", cond, cond_consts), move, [*types, *carry], body.name),
        ]
        index = convert(values[start], dtype=np.int32)
        return bind_switch(index, branches, [*values[:start], *values[start + 1 :]])

    key = ("masked", cond, cond_consts)
    return derived(body, key, step, [*types, ArrayType((), np.bool_), *carry], body.name)


def prune_loop(
    used: Flags, inputs: tuple[Atom, ...], *, cond: Program, body: Program, cond_consts: int,
    body_consts: int, **params: Any,
) -> tuple[Any, ...]:  # fmt: skip
    """The prune rule: a carry stays if it is used, decides when to stop, or moves one that stays."""
    key = ("while_pruned", cond, used, cond_consts, body_consts)
    if key not in body.cache:
        wanted = either(used, uses(cond)[cond_consts:])
        while True:
            at = [i for i, w in enumerate(wanted) if w]
            reads = uses(slice_program(body, range(len(body.inputs)), at))
            grown = either(wanted, reads[body_consts:])
            if grown == wanted:
                break
            wanted = grown
        const_at = [i for i in range(body_consts) if reads[i]]
        step = slice_program(body, [*const_at, *[body_consts + i for i in at]], at)
        order = [*range(cond_consts), *[cond_consts + i for i in at]]
        test = slice_program(cond, order, [0])
        places = [*range(cond_consts), *[cond_consts + i for i in const_at]]
        places += [cond_consts + body_consts + i for i in at]
        body.cache[key] = test, step, len(const_at), places, wanted
    test, step, count, places, wanted = body.cache[key]
    smaller = {
        "cond": test, "body": step, "cond_consts": cond_consts, "body_consts": count, **params
    }  # fmt: skip
    return tuple([inputs[i] for i in places]), smaller, wanted


# --- while_loop -------------------------------------------------------------------------


def _while_jvp(args: Any, tangents: Any, **params: Any) -> tuple[Any, Any]:
    return jvp_loop(while_loop_p, args, tangents, **params)


def _while_linearize(args: Any, nonzero: Flags, **params: Any) -> tuple[Any, ...]:
    # How many steps there are is known only once they are done, and so is what there would be to
    # save: the linear part runs the loop again, next to its tangents.
    outs = bind(while_loop_p, *args, **params)
    body, start = params["body"], params["cond_consts"]
    flags = moving_carries(
        lambda f: jvp_program(body, f)[1], nonzero[start:], params["body_consts"]
    )

    def linear_map(tangents: Sequence[Any]) -> list[Any]:
        again = {**params, "cond": quiet(params["cond"]), "body": quiet(body)}
        return known(jvp_loop(while_loop_p, args, spread(nonzero, tangents), **again)[1])

    return outs, flags[params["body_consts"] :], linear_map


def _while_transpose(cts: Any, *args: Any, **params: Any) -> tuple[Any, ...]:
    raise MissingRuleError(
        "while_loop cannot be differentiated in reverse: its number of steps has no bound",
        expected="a bound on the steps, for the states that lead backwards",
        got=f"the loop of `{params['body'].name.replace('jvp_', '')}`, without max_steps",
        fix="pass max_steps=N to while_loop (and checkpoints=k to bound memory), use fn.scan or a "
        "fori_loop with static bounds, or forward mode (fn.jvp, fn.jacfwd)",
    )


def _while_batch(axis: Any, args: Any, dims: Any, **params: Any) -> tuple[Any, Any]:
    return batch_loop(while_loop_p, axis, args, dims, **params)


def _while_lower(
    emit: Any, *args: Any, cond: Program, body: Program, cond_consts: int, body_consts: int
) -> Any:
    start = cond_consts + body_consts
    types = emit.types
    test = emit.region(types, lambda *carry: emit.call(cond, *args[:cond_consts], *carry))
    step = emit.region(types, lambda *carry: emit.call(body, *args[cond_consts:start], *carry))
    return emit.op("stablehlo.while", *args[start:], types=types, regions=[test, step])


while_loop_p = Primitive(
    name="while_loop", type=while_type, jvp=_while_jvp, linearize=_while_linearize,
    transpose=_while_transpose, batch=_while_batch, lower=_while_lower, prune=prune_loop, multiple=True,
)  # fmt: skip
