"""Which entries of its inputs each element of a Program's outputs depends on, whatever the values.

Programs in equations are followed inside. Of a loop whose steps are many, or not known, the least
dependence is taken that another step does not add to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fn.core import Program, Property, Variable
from fn.derivatives._flow import RULES, Step, elementwise, everything
from fn.derivatives._known import Env, Known, concrete, settle
from fn.derivatives._sets import Numbers, Sets
from fn.transforms import BatchAxis, batch_program, linearize_program, transpose_program

Deps = Sequence[Numbers | None]
Values = Sequence[Known | None]

# A scan is followed step by step if that comes to at most so many equations.
_STEPS = 3000
# A loop that still finds new dependences after so many steps is taken to mix everything.
_ROUNDS = 60


def dependences(sets: Sets, program: Program, deps: Deps, values: Values = ()) -> list[Any]:
    """What each output of `program` depends on, as set numbers; None for nothing.

    Args:
        sets: where the sets are kept.
        program: any Program; what it captured depends on nothing.
        deps: per input that is not captured, the set numbers of its elements, or None.
        values: per input, its value if it is known.

    Raises:
        TooManyError: if there are too many to write down.
    """
    hidden = len(program.captured)
    given = [*deps, *[None] * hidden]
    settled = [*(values or [None] * len(deps)), *[concrete(array) for array in program.captured]]
    env: dict[Variable, Numbers] = {
        v: d for v, d in zip(program.inputs, given, strict=True) if d is not None
    }
    known: Env = {v: k for v, k in zip(program.inputs, settled, strict=True) if k is not None}
    for equation in program.equations:
        mine = [env.get(a) if isinstance(a, Variable) else None for a in equation.inputs]
        if all(d is None for d in mine):
            settle(equation, known)
            continue
        found = _outputs(Step(sets, equation, mine, known))
        for variable, numbers in zip(equation.outputs, found, strict=True):
            if numbers is not None and numbers.any():
                env[variable] = numbers
    return [env.get(a) if isinstance(a, Variable) else None for a in program.outputs]


def _outputs(step: Step) -> Sequence[Numbers | None]:
    primitive = step.equation.primitive
    inside = _INSIDE.get(primitive.name)
    if inside is not None:
        return inside(step)
    rule = RULES.get(primitive.name)
    if rule is None:
        rule = elementwise if primitive.batch is Property.ELEMENTWISE else everything
    return rule(step)


def _values(step: Step) -> list[Known | None]:
    return [
        step.values.get(a) if isinstance(a, Variable) else Known(np.asarray(a.value))
        for a in step.equation.inputs
    ]


# --- Programs in equations --------------------------------------------------------------


def _within(name: str) -> Callable[[Step], Sequence[Numbers | None]]:
    """An equation that applies the Program in one of its parameters."""

    def rule(step: Step) -> Sequence[Numbers | None]:
        return dependences(step.sets, step.params[name], step.deps, _values(step))

    return rule


def _by_index(step: Step) -> list[Numbers | None]:
    """What outputs depend on through which branch is taken: a scalar, or an entry per lane."""
    index, outputs = step.deps[0], step.equation.outputs
    if index is None:
        return [None] * len(outputs)
    ranks = [len(v.type.shape) - index.ndim for v in outputs]
    wide = [index.reshape(*index.shape, *[1] * rank) for rank in ranks]
    return [np.broadcast_to(w, v.type.shape) for w, v in zip(wide, outputs, strict=True)]


def _switch(step: Step) -> Sequence[Numbers | None]:
    """Any branch may be taken."""
    total = _by_index(step)
    for branch in step.params["branches"]:
        found = dependences(step.sets, branch, step.deps[1:], _values(step)[1:])
        total = [step.sets.join(a, b) for a, b in zip(total, found, strict=True)]
    return total


def _switch_lanes(step: Step) -> Sequence[Numbers | None]:
    """Any branch may be taken, by each lane with what is its own."""
    size = step.shape(0)[0]
    total = _by_index(step)
    dims = tuple([0 if lane else None for lane in step.params["lanes"]])
    for branch in step.params["branches"]:
        batched, places = batch_program(branch, BatchAxis(size), dims)
        found = dependences(step.sets, batched, step.deps[1:], _values(step)[1:])
        front = [
            d if d is None else d[None] if p is None else np.moveaxis(d, p, 0)
            for d, p in zip(found, places, strict=True)
        ]
        total = [step.sets.join(a, b) for a, b in zip(total, front, strict=True)]
    shapes = [v.type.shape for v in step.equation.outputs]
    return [None if d is None else np.broadcast_to(d, s) for d, s in zip(total, shapes)]


def _custom_linear(step: Step) -> Sequence[Numbers | None]:
    """The derivative of a function with rules of its own: forwards, or backwards and transposed."""
    p, sets = step.params, step.sets
    first = p["residuals"]
    if p["forward"] is not None:
        return dependences(sets, p["forward"], step.deps[first:], _values(step)[first:])
    tangents = step.deps[len(step.deps) - len(p["given"]) :]
    moving = [d for d, g in zip(tangents, p["given"], strict=True) if g]
    kinds = p["backward"].in_types[first:]
    local = Sets(sum(t.size for t in kinds))
    seeds, start = [], 0
    for kind in kinds:
        seeds.append(local.singletons(start, kind.shape))
        start += kind.size
    back = dependences(local, p["backward"], [*[None] * first, *seeds])
    groups, numbers = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for dep, of_cts in zip(moving, back, strict=True):
        if dep is not None and of_cts is not None:
            at, cts = local.members(of_cts.ravel())
            groups.append(cts)
            numbers.append(dep.ravel()[at])
    whole = sets.union(np.concatenate(groups), np.concatenate(numbers), start)
    ends = np.cumsum([t.size for t in kinds])[:-1]
    return [part.reshape(t.shape) for part, t in zip(np.split(whole, ends), kinds, strict=True)]


# --- loops ------------------------------------------------------------------------------


def _settled(
    sets: Sets, step: Callable[[list[Numbers | None]], Deps], carry: list[Numbers | None], around: Deps
) -> list[Numbers | None]:  # fmt: skip
    """What a carry may depend on after any number of steps.

    Args:
        step: from what the carry depends on to what the next one does.
        around: what else the steps use.
    """
    shapes = [None if c is None else c.shape for c in carry]
    for _ in range(_ROUNDS):
        found = step(carry)
        grown = [sets.join(old, new) for old, new in zip(carry, found, strict=True)]
        if all(
            new is old or (old is not None and new is not None and np.array_equal(old, new))
            for old, new in zip(carry, grown, strict=True)
        ):
            return carry
        carry = grown
        shapes = [s if c is None else c.shape for c, s in zip(carry, shapes, strict=True)]
    numbers = np.concatenate([d.ravel() for d in (*carry, *around) if d is not None])
    whole = sets.union(np.zeros(len(numbers), np.int64), numbers, 1)[0]
    return [None if s is None else np.full(s, whole, np.int64) for s in shapes]


def _count(program: Program) -> int:
    """How many equations one run of `program` follows."""
    found: int | None = program.cache.get("equations to follow")
    if found is None:
        found = len(program.equations)
        for equation in program.equations:
            length = equation.params.get("length", 1)
            inner = Program((), (equation,), ()).subprograms()
            found += sum(min(length * _count(p), _STEPS) for p in inner)
        program.cache["equations to follow"] = found
    return found


def _scan(step: Step) -> Sequence[Numbers | None]:
    p, sets = step.params, step.sets
    body, length = p["program"], p["length"]
    c, k = p["consts"], p["carry"]
    values = _values(step)
    fixed, known = list(step.deps[:c]), values[:c]
    carry, xs = list(step.deps[c : c + k]), step.deps[c + k :]
    if length == 0:
        return [*carry, *[None] * (len(body.outputs) - k)]
    if length * _count(body) <= _STEPS:
        return _scan_stepwise(step, fixed, known, carry, xs, values[c + k :])
    if k:
        any_x = [None if x is None else sets.reduce(x, (0,)) for x in xs]

        def once(carry: list[Numbers | None]) -> Deps:
            return dependences(
                sets, body, [*fixed, *carry, *any_x], known + [None] * (k + len(xs))
            )[:k]

        carry = _settled(sets, once, carry, [*fixed, *any_x])
    # Each step has an entry of `xs` to itself: all of them at once, by batching the step.
    dims = (None,) * (c + k) + (0,) * len(xs)
    batched, places = batch_program(body, BatchAxis(length), dims)
    found = dependences(
        sets, batched, [*fixed, *carry, *xs], [*known, *[None] * k, *values[c + k :]]
    )
    ys = []
    for variable, dep, place in zip(step.equation.outputs[k:], found[k:], places[k:], strict=True):
        if dep is not None:
            dep = dep[None] if place is None else np.moveaxis(dep, place, 0)
            dep = np.broadcast_to(dep, variable.type.shape)
        ys.append(dep)
    return [*carry, *ys]


def _scan_stepwise(
    step: Step, fixed: list[Any], known: Values, carry: list[Any], xs: Deps, x_values: Values
) -> Sequence[Numbers | None]:
    p = step.params
    k, length = p["carry"], p["length"]
    stacks = [np.zeros(v.type.shape, np.int64) for v in step.equation.outputs[k:]]
    arrays = [None if v is None else v.value() for v in x_values]
    order = range(length - 1, -1, -1) if p["reverse"] else range(length)
    for i in order:
        entries = [None if x is None else x[i] for x in xs]
        values = [None if a is None else Known(a[i]) for a in arrays]
        outs = dependences(
            step.sets, p["program"], [*fixed, *carry, *entries], [*known, *[None] * k, *values]
        )
        carry = outs[:k]
        for stack, y in zip(stacks, outs[k:], strict=True):
            if y is not None:
                stack[i] = y
    return [*carry, *stacks]


def _while(step: Step) -> Sequence[Numbers | None]:
    """What only decides whether a loop goes on has no derivative, and does not count."""
    p, sets = step.params, step.sets
    start = p["cond_consts"] + p["body_consts"]
    fixed = list(step.deps[p["cond_consts"] : start])
    known = _values(step)[p["cond_consts"] : start]
    carry = list(step.deps[start:])

    def once(carry: list[Numbers | None]) -> Deps:
        return dependences(sets, p["body"], [*fixed, *carry], [*known, *[None] * len(carry)])

    return _settled(sets, once, carry, fixed)


def _while_tangent(step: Step) -> Sequence[Numbers | None]:
    """The derivative of a loop: its step's, again and again. Arguments: count, consts, carry, tangents."""
    program, consts, flags = (step.params[n] for n in ("program", "consts", "flags"))
    tangents = step.deps[1 + len(flags) :]
    moving = sum(flags[:consts])
    fixed, carry = list(tangents[:moving]), list(tangents[moving:])
    lin = linearize_program(program, flags)

    def once(carry: list[Numbers | None]) -> Deps:
        found = iter(dependences(step.sets, lin.linear, [*[None] * lin.residuals, *fixed, *carry]))
        outs = [next(found) if n else None for n in lin.out_nonzero]
        return [d for d, f in zip(outs, flags[consts:], strict=True) if f]

    if any(d is not None for d in step.deps[: 1 + len(flags)]):
        return everything(step)
    return _settled(step.sets, once, carry, fixed)


def _while_adjoint(step: Step) -> Sequence[Numbers | None]:
    """The transpose of `while_tangent`: from cotangents of the carry to those of constants and carry."""
    program, consts, flags = (step.params[n] for n in ("program", "consts", "flags"))
    moving = sum(flags[:consts])
    lin = linearize_program(program, flags)
    linear = (False,) * lin.residuals + (True,) * sum(flags)
    wanted = tuple([n for n in lin.out_nonzero if n])
    backward, given = transpose_program(lin.linear, linear, wanted)

    def once(state: list[Numbers | None]) -> Deps:
        left = iter(state[moving:])
        cts = [next(left) if f else None for f in flags[consts:]]
        cts = [ct for ct, n in zip(cts, lin.out_nonzero, strict=True) if n]
        found = iter(dependences(step.sets, backward, [*[None] * lin.residuals, *cts]))
        return [next(found) if g else None for g in given]

    if any(d is not None for d in step.deps[: 1 + len(flags)]):
        return everything(step)
    return _settled(step.sets, once, [*[None] * moving, *step.deps[1 + len(flags) :]], [])


_INSIDE: dict[str, Callable[[Step], Sequence[Numbers | None]]] = {
    "call": _within("program"), "remat": _within("program"), "custom": _within("program"),
    "reversible": _within("fast"), "linear_solve": _within("solve"), "switch": _switch,
    "switch_lanes": _switch_lanes, "custom_linear": _custom_linear, "scan": _scan,
    "while_loop": _while, "bounded_while": _while, "while_tangent": _while_tangent,
    "while_adjoint": _while_adjoint,
}  # fmt: skip
