"""`switch`: apply one of several Programs, by an index; with an index per lane, `switch_lanes`."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from fn.control._branches import (
    batch_branches,
    branch_types,
    jvp_branches,
    linear_branches,
    passed,
    pruned,
    transposed_branches,
    with_captured,
)
from fn.control._call import call_p
from fn.control._derive import (
    Flags,
    batch_front,
    derived,
    known,
    record,
    select_by,
    slice_program,
    spread,
    to_front,
    uses,
    zeros,
)
from fn.control._scan import bind_scan
from fn.core import (
    ArrayType,
    Atom,
    Linear,
    Primitive,
    Program,
    TypeRuleError,
    bind,
    evaluate,
    is_inexact,
    type_of,
)
from fn.ops import (
    argmax,
    broadcast,
    convert,
    dynamic_slice,
    eq,
    move_axis,
    reduce_or,
    reshape,
    select,
    stop_gradient,
)
from fn.transforms import (
    BatchAxis,
    batch_program,
    program_mentions_axis,
)

INDEX = ArrayType((), "int32")
# Primitives whose number of steps depends on their arguments: at a point that is nobody's, they may
# never end.
_LOOPS = frozenset({"while_loop"})
# What calls Python is run only for the lanes that come there.
_PYTHON = frozenset({"host", "ordered"})


# --- switch -----------------------------------------------------------------------------


def bind_switch(
    index: Any, branches: Sequence[Program], operands: Sequence[Any], batched: str = "select"
) -> list[Any]:
    """One `switch` equation between Programs of the same types, without what it need not be given.

    Args:
        index: i32 scalar, in range.
        branches: `operands -> results`; what they captured becomes operands.
        batched: how `vmap` treats an index that differs between lanes.
    """
    programs, values = with_captured(branches, operands)
    used = [any(column) for column in zip(*map(uses, programs), strict=True)]
    outs: dict[int, Any] = {j: values[i] for j, i in passed(programs).items()}
    wanted = [j for j in range(len(programs[0].outputs)) if j not in outs]
    if wanted or any(p.effects for p in programs):
        at = [i for i, u in enumerate(used) if u]
        small = tuple([slice_program(p, at, wanted) for p in programs])
        found = bind(switch_p, index, *[values[i] for i in at], branches=small, batched=batched)
        outs.update(zip(wanted, found, strict=True))
    return [outs[j] for j in range(len(programs[0].outputs))]


def _switch_type(
    index: ArrayType, *types: ArrayType, branches: tuple[Program, ...], batched: str
) -> tuple[ArrayType, ...]:
    if index.strong() is not INDEX:
        raise TypeRuleError(
            "switch: the index is not an i32 scalar", expected="i32[]", got=str(index)
        )
    return branch_types("switch", types, branches)


def _switch_jvp(args: Any, tangents: Any, *, branches: Any, batched: str) -> tuple[Any, Any]:
    index, *operands = args
    nonzero = tuple([t is not None for t in tangents[1:]])
    programs, joint = jvp_branches(branches, nonzero)
    results = bind_switch(index, programs, [*operands, *known(tangents[1:])], batched)
    count = len(joint)
    return results[:count], spread(joint, results[count:])


def _switch_linearize(
    args: Any, nonzero: Flags, *, branches: tuple[Program, ...], batched: str
) -> tuple[Any, ...]:
    index, *operands = args
    primals, linears, forwarded, joint = linear_branches(branches, nonzero[1:])
    results = bind_switch(index, primals, operands, batched)
    count = len(joint)
    residuals = [*[operands[i] for i in forwarded], *results[count:]]

    def linear_map(tangents: Sequence[Any]) -> list[Any]:
        return bind_switch(index, linears, [*residuals, *tangents], batched)

    return results[:count], joint, linear_map


def _switch_transpose(
    cts: Any, index: Any, *args: Any, branches: Any, batched: str
) -> tuple[Any, ...]:
    linear = tuple([isinstance(a, Linear) for a in args])
    programs, given = transposed_branches(branches, linear, tuple([c is not None for c in cts]))
    values = [a for a in args if not isinstance(a, Linear)]
    found = bind_switch(index, programs, [*values, *known(cts)], batched)
    per_linear = iter(spread(given, found))
    return (None, *[next(per_linear) if is_linear else None for is_linear in linear])


def _switch_batch(axis: Any, args: Any, dims: Any, *, branches: Any, batched: str) -> Any:
    flags = tuple([d is not None for d in dims[1:]])
    operands = [to_front(a, d, 0) if d is not None else a for a, d in zip(args[1:], dims[1:])]
    if dims[0] is None:
        programs, joint = batch_branches(branches, axis, flags)
        outs = bind_switch(args[0], programs, operands, batched)
        return outs, [0 if f else None for f in joint]
    index = to_front(args[0], dims[0], axis.size)
    if axis.name is not None and any(program_mentions_axis(b, axis.name) for b in branches):
        # A collective is between all lanes, so every branch runs with all of them.
        outs = _every_branch(index, operands, branches, axis, flags)
    elif batched == "map" or builtins.any(b.effects & _PYTHON for b in branches):
        outs = _one_by_one(index, operands, branches, axis.size, flags)
    else:
        outs = bind_lanes(index, branches, operands, flags, any=batched == "any")
    return outs, [0] * len(outs)


def _one_by_one(
    index: Any, operands: Sequence[Any], branches: Sequence[Program], size: int, flags: Flags
) -> list[Any]:
    """A loop over the lanes, each of which runs its own branch alone."""
    fixed = [t for t, f in zip(branches[0].in_types, flags, strict=True) if not f]
    entries = [t for t, f in zip(branches[0].in_types, flags, strict=True) if f]

    def lane(*args: Any) -> list[Any]:
        known_, (i, *own) = iter(args[: len(fixed)]), args[len(fixed) :]
        own_ = iter(own)
        mine = [next(own_) if f else next(known_) for f in flags]
        return bind_switch(i, branches, mine, "map")

    body = derived(
        branches[0], ("lane", tuple(branches), flags), lane, [*fixed, INDEX, *entries], "lane"
    )
    same = [a for a, f in zip(operands, flags, strict=True) if not f]
    return bind_scan(body, same, [], [index, *select_by(flags, operands)], length=size)[1]


def _switch_lower(emit: Any, index: Any, *operands: Any, branches: Any, batched: str) -> Any:
    types = emit.types
    regions = [emit.region([], lambda b=b: list(emit.call(b, *operands))) for b in branches]
    return emit.op("stablehlo.case", index, types=types, regions=regions)


def _switch_prune(
    used: Flags, inputs: tuple[Atom, ...], *, branches: Any, **params: Any
) -> tuple[tuple[Atom, ...], dict[str, Any]]:
    small, at = pruned(branches, used)
    kept = [inputs[0], *[inputs[1 + i] for i in at]]
    return tuple(kept), {"branches": small, **params}


switch_p = Primitive(
    name="switch", type=_switch_type, jvp=_switch_jvp, linearize=_switch_linearize,
    transpose=_switch_transpose, batch=_switch_batch, lower=_switch_lower, prune=_switch_prune,
    multiple=True,
)  # fmt: skip


# --- switch_lanes -----------------------------------------------------------------------
# What `vmap` makes of a switch whose index differs between lanes: every branch runs with all lanes,
# and each lane takes the results of its own. That alone would let NaN into gradients: a lane that did
# not take a branch gives it a cotangent of zero, and zero times an infinite derivative is NaN. It is
# kept as one equation with the branches of one lane, so that reverse mode, and only it, pays for
# safety: there a lane that did not take a branch computes it at the operands of a lane that did, where
# the derivative is somebody's own and finite. If no lane did, all that comes back from the branch is
# dropped (`select` on the cotangents, not a product).


def bind_lanes(
    index: Any, branches: Sequence[Program], operands: Sequence[Any], lanes: Flags, any: bool
) -> list[Any]:
    """One `switch_lanes` equation; every result has the lanes in front.

    Args:
        index: i32 vector, an entry per lane.
        branches: of one lane.
        lanes: per operand, whether each lane has its own, along a leading axis.
        any: leave out a branch that no lane takes.
    """
    size = index.shape[0]
    programs, values = with_captured(branches, operands)
    lanes = lanes + (False,) * (len(values) - len(lanes))
    outs: dict[int, Any] = {
        j: values[i] if lanes[i] else to_front(values[i], None, size)
        for j, i in passed(programs).items()
    }
    wanted = [j for j in range(len(programs[0].outputs)) if j not in outs]
    if wanted or builtins.any(p.effects for p in programs):
        at = [
            i for i, column in enumerate(zip(*map(uses, programs), strict=True)) if True in column
        ]
        small = tuple([slice_program(p, at, wanted) for p in programs])
        found = bind(
            switch_lanes_p, index, *[values[i] for i in at], branches=small,
            lanes=tuple([lanes[i] for i in at]), any=any,
        )  # fmt: skip
        outs.update(zip(wanted, found, strict=True))
    return [outs[j] for j in range(len(programs[0].outputs))]


def _lanes_type(
    index: ArrayType, *types: ArrayType, branches: tuple[Program, ...], lanes: Flags, any: bool
) -> tuple[ArrayType, ...]:
    if index.ndim != 1 or index.dtype != INDEX.dtype:
        raise TypeRuleError(
            "switch_lanes: the index is no vector", expected="i32[n]", got=str(index)
        )
    size = index.shape[0]
    for t, lane in zip(types, lanes, strict=True):
        if lane and t.shape[:1] != (size,):
            raise TypeRuleError(
                "switch_lanes: an operand does not have an entry per lane",
                expected=f"a leading axis of size {size}", got=str(t),
            )  # fmt: skip
    own = [t.with_shape(t.shape[1:]) if lane else t for t, lane in zip(types, lanes, strict=True)]
    outs = branch_types("switch_lanes", own, branches)
    return tuple([t.with_shape((size, *t.shape)) for t in outs])


def _every_branch(
    index: Any, operands: Sequence[Any], branches: Sequence[Program], axis: Any, lanes: Flags,
    safe: bool = False, any: bool = False,
) -> list[Any]:  # fmt: skip
    """All branches with all lanes, of which each takes its own results."""
    totals: list[Any] = []
    for i, branch in enumerate(branches):
        mine = eq(index, np.int32(i))
        taken = reduce_or(mine, axes=(0,)) if safe or any else None
        args = operands
        if safe or any:
            args = [
                _of_a_taker(mine, x) if lane else x if any else _unless_unused(taken, x)
                for x, lane in zip(operands, lanes, strict=True)
            ]
        batched, has_lanes = batch_front(branch, axis, lanes)
        if any:
            nothing = record(
                lambda *_, b=batched: [zeros(t) for t in b.out_types], batched.in_types, "nothing"
            )
            outs = bind_switch(convert(taken, dtype=np.int32), [nothing, batched], args)
        else:
            outs = evaluate(batched, args)
        outs = [
            o if f else to_front(o, None, axis.size) for o, f in zip(outs, has_lanes, strict=True)
        ]
        totals = outs if not i else [_choose(mine, o, t) for o, t in zip(outs, totals, strict=True)]
    return totals


def _choose(mine: Any, x: Any, y: Any) -> Any:
    """Per lane, `x` where `mine` holds, else `y`."""
    return select(broadcast(mine, shape=x.shape, axes=(0,)), x, y)


def _of_a_taker(mine: Any, x: Any) -> Any:
    """`x` in the lanes where `mine` holds; in the others the entry of the first lane where it does."""
    first = argmax(convert(mine, dtype=np.int32), axis=0)
    starts = (first, *[np.int32(0)] * (x.ndim - 1))
    entry = dynamic_slice(x, *starts, sizes=(1, *x.shape[1:]))
    other = broadcast(
        reshape(entry, shape=x.shape[1:]), shape=x.shape, axes=tuple(range(1, x.ndim))
    )
    return _choose(mine, x, stop_gradient(other))


def _unless_unused(taken: Any, x: Any) -> Any:
    """`x`, whose cotangent is dropped unless `taken`: what no lane asked for may be NaN."""
    kind = type_of(x)
    return select(taken, x, stop_gradient(x)) if kind and is_inexact(kind.dtype) else x


def _expansion(
    branches: tuple[Program, ...], lanes: Flags, size: int, safe: bool, any: bool
) -> Program:
    # At operands that are nobody's, a loop may have no end: then only lanes that take a branch are
    # in it, and none is if none takes it.
    any = any or builtins.any(_may_not_end(b) for b in branches)
    types = [
        t.with_shape((size, *t.shape)) if lane else t
        for t, lane in zip(branches[0].in_types, lanes, strict=True)
    ]

    def every(index: Any, *operands: Any) -> list[Any]:
        return _every_branch(index, operands, branches, BatchAxis(size), lanes, safe, any)

    key = ("expansion", branches, lanes, size, safe, any)
    return derived(branches[0], key, every, [INDEX.with_shape((size,)), *types], "every_branch")


def _may_not_end(program: Program) -> bool:
    found: bool | None = program.cache.get("may_not_end")
    if found is None:
        found = builtins.any(e.primitive.name in _LOOPS for e in program.equations)
        found = found or builtins.any(_may_not_end(p) for p in program.subprograms())
        program.cache["may_not_end"] = found
    return found


def _lanes_jvp(
    args: Any, tangents: Any, *, branches: Any, lanes: Flags, any: bool
) -> tuple[Any, Any]:
    index, *operands = args
    nonzero = tuple([t is not None for t in tangents[1:]])
    programs, joint = jvp_branches(branches, nonzero)
    values = [*operands, *known(tangents[1:])]
    results = bind_lanes(index, programs, values, (*lanes, *select_by(nonzero, lanes)), any)
    return results[: len(joint)], spread(joint, results[len(joint) :])


def _lanes_linearize(
    args: Any, nonzero: Flags, *, branches: Any, lanes: Flags, any: bool
) -> tuple[Any, ...]:
    program = _expansion(branches, lanes, args[0].shape[0], True, any)
    result: tuple[Any, ...] = call_p.linearize(args, nonzero, program=program)  # type: ignore[misc]
    return result


def _lanes_transpose(cts: Any, *args: Any, branches: Any, lanes: Flags, any: bool) -> Any:
    program = _expansion(branches, lanes, args[0].shape[0], False, any)
    return call_p.rule("transpose")(cts, *args, program=program)


def _lanes_batch(axis: Any, args: Any, dims: Any, *, branches: Any, lanes: Flags, any: bool) -> Any:
    size = args[0].shape[0 if dims[0] != 0 else 1]
    if axis.name is not None and builtins.any(
        program_mentions_axis(b, axis.name) for b in branches
    ):
        batched, out_dims = batch_program(
            _expansion(branches, lanes, size, False, any), axis, tuple(dims)
        )
        return evaluate(batched, args), out_dims
    flags = tuple([d is not None for d in dims[1:]])
    if dims[0] is None:
        # One choice for the whole new axis: the branches are batched, behind the axis of the lanes.
        programs, joint = batch_branches(branches, axis, flags)
        operands = [
            x if d is None else move_axis(x, d, 1 if lane else 0)
            for x, d, lane in zip(args[1:], dims[1:], lanes, strict=True)
        ]
        outs = bind_lanes(args[0], programs, operands, lanes, any)
        return outs, [1 if f else None for f in joint]

    # Each lane of each entry is a lane.
    def flat(x: Any, dim: int | None, lane: bool) -> Any:
        if dim is None and not lane:
            return x
        x = to_front(x, dim, axis.size)
        if not lane:
            x = broadcast(x, shape=(axis.size, size, *x.shape[1:]), axes=(0, *range(2, x.ndim + 1)))
        return reshape(x, shape=(axis.size * size, *x.shape[2:]))

    operands = [flat(x, d, lane) for x, d, lane in zip(args[1:], dims[1:], lanes, strict=True)]
    own = tuple([lane or f for lane, f in zip(lanes, flags, strict=True)])
    outs = bind_lanes(flat(args[0], dims[0], True), branches, operands, own, any)
    return [reshape(o, shape=(axis.size, size, *o.shape[1:])) for o in outs], [0] * len(outs)


def _lanes_lower(emit: Any, *args: Any, branches: Any, lanes: Flags, any: bool) -> Any:
    return emit.call(_expansion(branches, lanes, args[0].type.shape[0], False, any), *args)


def _lanes_prune(
    used: Flags, inputs: tuple[Atom, ...], *, branches: Any, lanes: Flags, any: bool
) -> tuple[tuple[Atom, ...], dict[str, Any]]:
    small, at = pruned(branches, used)
    kept = (inputs[0], *[inputs[1 + i] for i in at])
    return kept, {"branches": small, "lanes": tuple([lanes[i] for i in at]), "any": any}


switch_lanes_p = Primitive(
    name="switch_lanes", type=_lanes_type, jvp=_lanes_jvp, linearize=_lanes_linearize,
    transpose=_lanes_transpose, batch=_lanes_batch, lower=_lanes_lower, prune=_lanes_prune,
    multiple=True,
)  # fmt: skip
