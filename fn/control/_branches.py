"""Several Programs that are alternatives: made to take and to give the same, under every transform."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fn.control._derive import (
    Flags,
    batch_front,
    derived,
    either,
    fill_where,
    known,
    record,
    select_by,
    slice_program,
    spread,
    uses,
    with_zeros,
    zeros,
)
from fn.core import ArrayType, Program, TypeRuleError, Variable, evaluate
from fn.transforms import jvp_program, linearize_program, transpose_program


def with_captured(
    branches: Sequence[Program], operands: Sequence[Any]
) -> tuple[list[Program], list[Any]]:
    """The branches closed, each taking what any of them captured."""
    values = list(operands)
    place: dict[int, int] = {}
    for b in branches:
        for value in b.captured:
            if id(value) not in place:
                place[id(value)] = len(values)
                values.append(value)
    if not place:
        return list(branches), values
    kinds = {
        place[id(v)]: t
        for b in branches
        for v, t in zip(reversed(b.captured), reversed(b.in_types))
    }
    own = branches[0].in_types[: len(operands)]
    types = (*own, *[kinds[i] for i in range(len(operands), len(values))])
    widened = []
    for b in branches:
        at = (*range(len(operands)), *[place[id(v)] for v in b.captured])
        widened.append(_widened(b.closed(), at, types))
    return widened, values


def _widened(program: Program, at: tuple[int, ...], types: tuple[ArrayType, ...]) -> Program:
    """`program` with inputs of `types`, of which it takes those `at`."""

    def wide(*args: Any) -> list[Any]:
        return evaluate(program, [args[i] for i in at])

    return derived(program, ("widened", at, types), wide, types, program.name)


def passed(programs: Sequence[Program]) -> dict[int, int]:
    """The results that are the same operand in every branch, and which."""
    places = [{v: i for i, v in enumerate(p.inputs)} for p in programs]
    found = {}
    for j, column in enumerate(zip(*[p.outputs for p in programs], strict=True)):
        at = {
            place.get(a) if isinstance(a, Variable) else None
            for place, a in zip(places, column, strict=True)
        }
        if len(at) == 1 and None not in at:
            found[j] = at.pop()
    return found  # type: ignore[return-value]  # None is excluded


def branch_types(
    name: str, types: Sequence[ArrayType], branches: tuple[Program, ...]
) -> tuple[ArrayType, ...]:
    first = branches[0].out_types
    for i, b in enumerate(branches):
        for what, given, wanted in (
            ("take the operands", types, b.in_types), ("give what the first does", first, b.out_types)
        ):  # fmt: skip
            if [(t.shape, t.dtype) for t in given] != [(t.shape, t.dtype) for t in wanted]:
                raise TypeRuleError(
                    f"{name}: branch {i} ({b.name!r}) does not {what}",
                    expected=", ".join(map(str, given)) or "nothing",
                    got=", ".join(map(str, wanted)) or "nothing",
                )
    return tuple(
        [
            ArrayType(t.shape, t.dtype, all(b.out_types[j].weak for b in branches))
            for j, t in enumerate(first)
        ]
    )


def jvp_branches(branches: Sequence[Program], nonzero: Flags) -> tuple[list[Program], Flags]:
    """The branches' derivatives, which agree on which results have one."""
    pairs = [jvp_program(b, nonzero) for b in branches]
    joint = either(*[given for _, given in pairs])
    types = branches[0].out_types
    return [with_zeros(p, len(types), given, joint, types) for p, given in pairs], joint


def linear_branches(branches: tuple[Program, ...], nonzero: Flags) -> tuple[Any, ...]:
    """The branches linearized, with the same results, residuals and tangents.

    A slot for a residual is shared by branches that need one of its type, so that there are as many
    as the neediest branch has. A branch fills slots it does not use with zeros.
    """
    key = ("linear_branches", branches, nonzero)
    cache = branches[0].cache
    if key not in cache:
        lins = [linearize_program(b, nonzero) for b in branches]
        types = branches[0].out_types
        count = len(types)
        joint = either(*[lin.out_nonzero for lin in lins])
        forwarded = sorted({i for lin in lins for i in lin.forwarded})
        slots: list[ArrayType] = []
        taken: list[list[int]] = []
        for lin in lins:
            mine: list[int] = []
            for t in lin.primal.out_types[count:]:
                free = [i for i, s in enumerate(slots) if s is t.strong() and i not in mine]
                if not free:
                    slots.append(t.strong())
                mine.append(free[0] if free else len(slots) - 1)
            taken.append(mine)
        known_types = [branches[0].in_types[i] for i in forwarded]
        tangent_types = [t.strong() for t in select_by(nonzero, branches[0].in_types)]
        primals, linears = [], []
        for lin, mine in zip(lins, taken, strict=True):

            def primal(*args: Any, lin: Any = lin, mine: Any = mine) -> list[Any]:
                outs = evaluate(lin.primal, args)
                own = dict(zip(mine, outs[count:], strict=True))
                return outs[:count] + [
                    own[i] if i in own else zeros(s) for i, s in enumerate(slots)
                ]

            def linear(*args: Any, lin: Any = lin, mine: Any = mine) -> list[Any]:
                first, last = len(forwarded), len(forwarded) + len(slots)
                place = {i: args[n] for n, i in enumerate(forwarded)}
                mine_now = [args[first + i] for i in mine]
                found = evaluate(
                    lin.linear, [*[place[i] for i in lin.forwarded], *mine_now, *args[last:]]
                )
                return known(fill_where(spread(lin.out_nonzero, found), joint, types))

            primals.append(record(primal, branches[0].in_types, lin.primal.name))
            linears.append(record(linear, [*known_types, *slots, *tangent_types], lin.linear.name))
        cache[key] = primals, linears, forwarded, joint
    found: tuple[Any, ...] = cache[key]
    return found


def transposed_branches(
    branches: Sequence[Program], linear: Flags, nonzero: Flags
) -> tuple[list[Program], Flags]:
    pairs = [transpose_program(b, linear, nonzero) for b in branches]
    joint = either(*[given for _, given in pairs])
    types = select_by(linear, branches[0].in_types)
    return [with_zeros(p, 0, given, joint, types) for p, given in pairs], joint


def batch_branches(
    branches: Sequence[Program], axis: Any, flags: Flags
) -> tuple[list[Program], Flags]:
    """The branches batched, which agree on which results have the axis, in front."""
    joint = either(*[batch_front(b, axis, flags)[1] for b in branches])
    return [batch_front(b, axis, flags, joint)[0] for b in branches], joint


def pruned(branches: Sequence[Program], used: Flags) -> tuple[tuple[Program, ...], list[int]]:
    wanted = [j for j, u in enumerate(used) if u]
    everything = range(len(branches[0].inputs))
    reads = [uses(slice_program(b, everything, wanted)) for b in branches]
    at = [i for i, column in enumerate(zip(*reads, strict=True)) if any(column)]
    return tuple([slice_program(b, at, wanted) for b in branches]), at
