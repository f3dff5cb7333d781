"""`scan`: a loop over the leading axis of arrays, one Program for its body, derivable both ways."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from jax.tree_util import tree_flatten, tree_unflatten

from fn.control._derive import (
    Flags,
    batch_front,
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
from fn.control._scan_linear import residual_plan, scan_transpose
from fn.control._structure import (
    as_arrays,
    check_carry_structure,
    check_function,
    in_dtype,
    name_of,
    settle_carry,
    trace_with,
)
from fn.core import (
    ArgumentError,
    ArrayType,
    Atom,
    Primitive,
    Program,
    Traced,
    TypeRuleError,
    bind,
    evaluate,
    leaf_paths,
    public,
    type_of,
)
from fn.ops import move_axis
from fn.transforms import jvp_program, linearize_program

# `unroll="auto"` writes out loops of at most this many equations in all.
_AUTO_EQUATIONS = 64


# --- the function -----------------------------------------------------------------------
@public
def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool | str = 1,
) -> tuple[Any, Any]:
    """Loop over the leading axis of `xs`, carrying a state along and stacking what each step gives.

    Args:
        f: `(carry, x) -> (carry, y)`, on pytrees; the carry keeps its structure, shapes and dtypes.
            A carry that is a Python scalar takes the dtype the step gives it, if of its kind.
        init: the carry before the first step.
        xs: arrays with a common leading axis, a step per entry; None for no inputs.
        length: number of steps; needed only if `xs` has no arrays.
        reverse: start at the last entry; `ys` are in the order of `xs` all the same.
        unroll: how many steps to write out per round of the compiled loop; True for all of them,
            "auto" for all if that is little.

    Returns:
        `(carry, ys)`: the carry after the last step, and each step's `y`, stacked on a leading axis.

    Raises:
        ArgumentError: if lengths differ or are unknown, with each path and size.
        TreeError: if the carry changes structure.
        TypeRuleError: if the carry changes its type, with the path and both types.

    >>> import fn, fn.numpy as np
    >>> total, sums = fn.scan(lambda c, x: (c + x, c + x), 0.0, np.array([1.0, 2.0, 3.0]))
    >>> float(total), sums.tolist()
    (6.0, [1.0, 3.0, 6.0])
    """
    check_function("scan", "the first argument", f)
    count = leading_size("scan", xs, length)
    init_leaves, init_tree = tree_flatten(init)
    x_types = [_entry_type(type_of(x)) for x in tree_flatten(xs)[0]]
    entries = [t for t in x_types if t is not None]
    init_types = [t for t in map(type_of, init_leaves) if t is not None]

    def retrace(types: list[ArrayType]) -> Traced:
        _, traced = trace_with("scan", f, (init, xs), types=[*types, *entries])
        result = traced.rebuild(traced.program.out_types)
        if not isinstance(result, tuple) or len(result) != 2:
            raise ArgumentError(
                f"scan: {name_of(f)} does not return a pair", expected="(carry, y)",
                got=str(traced.out_tree), fix="return (carry, None) if a step gives nothing else",
            )  # fmt: skip
        check_carry_structure("scan", name_of(f), init, result[0])
        return traced

    types, traced = settle_carry("scan", name_of(f), init, init_types, retrace)
    carry = [v for v in init_leaves if type_of(v) is not None]
    carry = [in_dtype(v, t) for v, t in zip(carry, types, strict=True)]
    arrays = [x for x in tree_flatten(xs)[0] if type_of(x) is not None]
    outs, ys = bind_scan(
        traced.program, [], carry, arrays, length=count, reverse=bool(reverse),
        unroll=check_unroll(unroll, count, traced.program),
    )  # fmt: skip
    result = traced.rebuild(as_arrays([*outs, *ys]))
    return tree_unflatten(init_tree, tree_flatten(result[0])[0]), result[1]


def _entry_type(type: ArrayType | None) -> ArrayType | None:
    return None if type is None else type.with_shape(type.shape[1:])


def leading_size(operation: str, xs: Any, length: int | None) -> int:
    """The number of steps, on which all leading axes and `length` agree."""
    paths, leaves = leaf_paths(xs, "xs"), tree_flatten(xs)[0]
    sizes: list[tuple[str, int]] = []
    for path, leaf in zip(paths, leaves, strict=True):
        kind = type_of(leaf)
        if kind is None:
            continue
        if kind.ndim == 0:
            raise ArgumentError(
                f"{operation}: `{path}` has no leading axis to loop over", expected="an array with an axis",
                got=str(kind), fix="close over what is the same in every step, instead of passing it in xs",
            )  # fmt: skip
        sizes.append((path, kind.shape[0]))
    if length is not None:
        length = _whole("length", length)
        sizes.append(("length", length))
    distinct = {n for _, n in sizes}
    if len(distinct) == 1:
        return distinct.pop()
    if not distinct:
        raise ArgumentError(
            f"{operation}: the number of steps is unknown", expected="arrays in xs, or length=",
            got="xs without arrays", fix="pass length=",
        )  # fmt: skip
    raise ArgumentError(
        f"{operation}: leading axes have different sizes",
        expected="one number of steps",
        got="; ".join(f"`{path}`: {n}" for path, n in sizes),
        fix="slice them to one length, or close over what is the same in every step",
    )


def _whole(name: str, value: Any) -> int:
    try:
        found = value.__index__()
    except (AttributeError, TypeError):
        found = -1
    if found < 0:
        raise ArgumentError(
            f"scan: {name} is not a number of steps", expected="a non-negative integer",
            got=repr(value) if isinstance(value, (int, float, str)) else type(value).__name__,
        )  # fmt: skip
    return int(found)


def check_unroll(unroll: int | bool | str, length: int, program: Program) -> int:
    if unroll == "auto":
        short = length * len(program.equations) <= _AUTO_EQUATIONS
        return max(length, 1) if short else 1
    if isinstance(unroll, bool):
        return max(length, 1) if unroll else 1
    if isinstance(unroll, str) or not hasattr(unroll, "__index__") or unroll < 1:
        raise ArgumentError(
            "scan: unroll is not a number of steps", expected='a positive integer, a bool or "auto"',
            got=repr(unroll),
        )  # fmt: skip
    return min(int(unroll), max(length, 1))


# --- the primitive ----------------------------------------------------------------------


def bind_scan(
    program: Program,
    consts: Sequence[Any],
    init: Sequence[Any],
    xs: Sequence[Any],
    *,
    length: int,
    reverse: bool = False,
    unroll: int = 1,
) -> tuple[list[Any], list[Any]]:
    """One `scan` equation, without what need not be in the loop. Gives the carry and the stacked results.

    Args:
        program: `(consts, carry, x) -> (carry, y)`; what it captured becomes constants of the loop.
    """
    c, k = len(consts), len(init)
    variables, outputs = program.inputs, program.outputs
    own = len(variables) - len(program.captured)
    args = [*consts, *init, *xs, *program.captured]
    used = uses(program)
    # A carry that every step hands on as it came is a constant of the loop.
    fixed = [i for i in range(k) if outputs[i] is variables[c + i]]
    moving = [i for i in range(k) if i not in fixed]
    # A result that is an entry of `xs` as it came is that array.
    passed = {
        j: c + k + i
        for j in range(k, len(outputs))
        for i in range(len(xs))
        if outputs[j] is variables[c + k + i]
    }
    stacked = [j for j in range(k, len(outputs)) if j not in passed]
    const_at = [i for i in (*range(c), *[c + i for i in fixed], *range(own, len(args))) if used[i]]
    xs_at = [i for i in range(c + k, own) if used[i]]
    carry_at = [c + i for i in moving]
    closed = program.closed()
    body = slice_program(closed, [*const_at, *carry_at, *xs_at], [*moving, *stacked])
    found: tuple[Any, ...] = ()
    if body.outputs or body.effects:
        found = bind(
            scan_p, *[args[i] for i in (*const_at, *carry_at, *xs_at)], program=body,
            consts=len(const_at), carry=len(moving), length=length, reverse=reverse, unroll=unroll,
        )  # fmt: skip
    outs = dict(zip([*moving, *stacked], found, strict=True))
    outs.update({i: init[i] for i in fixed})
    outs.update({j: args[at] for j, at in passed.items()})
    results = [outs[j] for j in range(len(outputs))]
    return results[:k], results[k:]


def _scan_type(
    *types: ArrayType, program: Program, consts: int, carry: int, length: int, reverse: bool, unroll: int
) -> tuple[ArrayType, ...]:  # fmt: skip
    start = consts + carry
    wanted = [*program.in_types[:start]]
    wanted += [t.with_shape((length, *t.shape)) for t in program.in_types[start:]]
    if [(t.shape, t.dtype) for t in types] != [(t.shape, t.dtype) for t in wanted]:
        raise TypeRuleError(
            f"scan: the arguments do not fit program {program.name!r}",
            expected=", ".join(map(str, wanted)) or "no arguments",
            got=", ".join(map(str, types)) or "no arguments",
        )
    ins, outs = program.in_types[consts:start], program.out_types
    if [(t.shape, t.dtype) for t in ins] != [(t.shape, t.dtype) for t in outs[:carry]]:
        raise TypeRuleError(
            f"scan: program {program.name!r} does not give back the carry it takes",
            expected=", ".join(map(str, ins)),
            got=", ".join(map(str, outs[:carry])),
        )
    return (*ins, *(t.with_shape((length, *t.shape)) for t in outs[carry:]))


def _moving_carries(
    out_flags: Callable[[Flags], Flags], args: Flags, consts: int, carry: int
) -> tuple[Flags, Flags]:
    """The flags of a body's inputs, and of its outputs, once a flagged carry comes out flagged too.

    `out_flags` gives the flags of the outputs from those of the inputs; flags only ever spread.
    """
    while True:
        outs = out_flags(args)
        grown = either(args[consts : consts + carry], outs[:carry])
        if grown == args[consts : consts + carry]:
            return args, (*grown, *outs[carry:])
        args = (*args[:consts], *grown, *args[consts + carry :])


def _scan_jvp(
    args: Any, tangents: Any, *, program: Program, consts: int, carry: int, **params: Any
) -> tuple[Any, Any]:
    start = consts + carry
    flags = tuple([t is not None for t in tangents])
    flags, out_flags = _moving_carries(lambda f: jvp_program(program, f)[1], flags, consts, carry)
    raw, given = jvp_program(program, flags)
    count = len(program.outputs)
    full_jvp = with_zeros(raw, count, given, out_flags, program.out_types)
    moved = fill_where(tangents, flags, program.in_types)
    # The derivative's arguments are all primals, then all tangents; a body wants consts, carry, xs.
    order = _interleaved(flags, consts, carry)
    moving = sum(out_flags[:carry])
    outputs = [*range(carry), *range(count, count + moving), *range(carry, count)]
    outputs += range(count + moving, count + sum(out_flags))
    body = _arranged(full_jvp, order, outputs)
    values = [*args, *known(moved)]
    tangent_counts = [sum(flags[:consts]), sum(flags[consts:start])]
    c, k = consts + tangent_counts[0], carry + tangent_counts[1]
    values = [values[i] for i in order]
    outs, ys = bind_scan(body, values[:c], values[c : c + k], values[c + k :], **params)
    plain = count - carry
    primal = [*outs[:carry], *ys[:plain]]
    return primal, spread(out_flags, [*outs[carry:], *ys[plain:]])


def _interleaved(flags: Flags, consts: int, carry: int) -> list[int]:
    """Positions of consts and their tangents, carry and its, xs and theirs, among primals then tangents."""
    n, order = len(flags), []
    start = consts + carry
    for low, high in ((0, consts), (consts, start), (start, n)):
        before = sum(flags[:low])
        order += [*range(low, high), *range(n + before, n + before + sum(flags[low:high]))]
    return order


def _arranged(program: Program, inputs: Sequence[int], outputs: Sequence[int]) -> Program:
    """`program` with its inputs and outputs in another order; what it captured stays captured."""
    own = len(program.inputs) - len(program.captured)
    if not program.captured:
        return slice_program(program, inputs, outputs)
    small = slice_program(program.closed(), [*inputs, *range(own, len(program.inputs))], outputs)
    return Program(small.inputs, small.equations, small.outputs, program.captured, program.name)


def _scan_linearize(
    args: Any, nonzero: Flags, *, program: Program, consts: int, carry: int, **params: Any
) -> tuple[Any, ...]:
    flags, out_flags = _moving_carries(
        lambda f: linearize_program(program, f).out_nonzero, nonzero, consts, carry
    )
    plan = residual_plan(program, flags, out_flags, consts, carry)
    c = list(args[:consts])
    init, xs = list(args[consts : consts + carry]), list(args[consts + carry :])
    hoisted = evaluate(plan.hoist, c)
    outs, ys = bind_scan(plan.primal, [*c, *hoisted], init, xs, **params)
    count = len(program.outputs) - carry
    fixed = [*select_by(plan.const_residuals, c), *hoisted]
    saved = [*select_by(plan.xs_residuals, xs), *ys[count:]]

    def linear_map(tangents: Sequence[Any]) -> tuple[Any, ...]:
        per_arg = spread(nonzero, tangents)
        inside = slice(consts, consts + carry)
        t_init = fill_where(per_arg[inside], flags[inside], program.in_types[inside])
        t_consts, t_xs = known(per_arg[:consts]), known(per_arg[consts + carry :])
        moved, t_ys = bind_scan(
            plan.linear, [*fixed, *t_consts], known(t_init), [*saved, *t_xs], **params
        )
        return (*moved, *t_ys)

    return [*outs, *ys[:count]], out_flags, linear_map


def _scan_batch(
    axis: Any, args: Any, dims: Any, *, program: Program, consts: int, carry: int, **params: Any
) -> tuple[Any, Any]:
    start = consts + carry
    flags = tuple([d is not None for d in dims])
    flags, out_flags = _moving_carries(
        lambda f: batch_front(program, axis, f)[1], flags, consts, carry
    )
    body, _ = batch_front(program, axis, flags, out_flags)
    moved = [
        to_front(a, d, axis.size) if f else a
        for a, d, f in zip(args[:start], dims[:start], flags[:start], strict=True)
    ]
    # Entries of `xs` have the axis in front, so the stack has it second.
    xs = [x if d is None else move_axis(x, d, 1) for x, d in zip(args[start:], dims[start:])]
    outs, ys = bind_scan(body, moved[:consts], moved[consts:], xs, **params)
    where = [None if not f else 0 if i < carry else 1 for i, f in enumerate(out_flags)]
    return [*outs, *ys], where


def _scan_prune(
    used: Flags, inputs: tuple[Atom, ...], *, program: Program, consts: int, carry: int, **params: Any
) -> tuple[Any, ...]:  # fmt: skip
    key = ("scan_pruned", used, consts, carry)
    if key not in program.cache:
        program.cache[key] = _needed(program, used, consts, carry)
    small, kept, at, counts = program.cache[key]
    smaller = {"program": small, "consts": counts[0], "carry": counts[1], **params}
    return tuple([inputs[i] for i in at]), smaller, kept


def _needed(program: Program, used: Flags, consts: int, carry: int) -> tuple[Any, ...]:
    """The body without results nobody uses: a carry is needed if used, or if what is needed depends on it."""
    wanted = used
    while True:
        at = [i for i, w in enumerate(wanted) if w]
        reads = uses(slice_program(program, range(len(program.inputs)), at))
        grown = either(wanted[:carry], tuple(reads[consts : consts + carry]))
        if grown == wanted[:carry]:
            break
        wanted = (*grown, *wanted[carry:])
    start = consts + carry
    const_at = [i for i in range(consts) if reads[i]]
    xs_at = [i for i in range(start, len(program.inputs)) if reads[i]]
    carry_at = [consts + i for i in range(carry) if wanted[i]]
    order = [*const_at, *carry_at, *xs_at]
    return slice_program(program, order, at), wanted, order, (len(const_at), len(carry_at))


# --- lowering ---------------------------------------------------------------------------


def _scan_lower(
    emit: Any, *args: Any, program: Program, consts: int, carry: int, length: int, reverse: bool, unroll: int
) -> Any:  # fmt: skip
    fixed, init, xs = args[:consts], args[consts : consts + carry], args[consts + carry :]
    out_types = emit.types
    if length == 0:
        return [*init, *[emit.constant(0, t) for t in out_types[carry:]]]
    index = ArrayType((), "int32" if length < 2**31 else "int64")
    step = partial(_lower_step, emit, program, fixed, xs, index, reverse, length)
    ys = [emit.constant(0, t) for t in out_types[carry:]]
    rounds = length // unroll
    state = [emit.constant(0, index), *init, *ys]
    if rounds == 1:
        rounds, unroll = 0, 0
    if rounds:
        types = [v.type for v in state]
        # The types of the loop's values are those of the body's, weak or not.
        types[1 : 1 + carry] = out_types[:carry]

        def going_on(*values: Any) -> list[Any]:
            bound = emit.constant(rounds * unroll, index)
            return [_compare(emit, "LT", values[0], bound)]

        def round_(*values: Any) -> list[Any]:
            at, held, written = values[0], list(values[1 : 1 + carry]), list(values[1 + carry :])
            for offset in range(unroll):
                i = _add(emit, at, emit.constant(offset, index)) if offset else at
                held, written = step(i, held, written)
            return [_add(emit, at, emit.constant(unroll, index)), *held, *written]

        loop = emit.op(
            "stablehlo.while", *state, types=types,
            regions=[emit.region(types, going_on), emit.region(types, round_)],
        )  # fmt: skip
        state = list(loop)
    held, ys = state[1 : 1 + carry], state[1 + carry :]
    for i in range(rounds * unroll, length):
        held, ys = step(emit.constant(i, index), held, ys)
    return [*held, *ys]


def _lower_step(
    emit: Any, program: Program, fixed: Any, xs: Any, index: ArrayType, reverse: bool, length: int,
    i: Any, held: list[Any], ys: list[Any],
) -> tuple[list[Any], list[Any]]:  # fmt: skip
    """One step of the loop: read the entries at `i`, apply the body, write its results at `i`."""
    if reverse:
        i = emit.op("stablehlo.subtract", emit.constant(length - 1, index), i, type=index)
    zero = emit.constant(0, index)
    entries = []
    for x in xs:
        sizes = (1, *x.type.shape[1:])
        part = emit.op(
            "stablehlo.dynamic_slice", x, i, *[zero] * (len(sizes) - 1), type=x.type.with_shape(sizes),
            attrs=f"slice_sizes = {emit.integers(sizes)}",
        )  # fmt: skip
        entries.append(emit.op("stablehlo.reshape", part, type=x.type.with_shape(sizes[1:])))
    results = emit.call(program, *fixed, *held, *entries)
    carry = len(held)
    written = []
    for y, result in zip(ys, results[carry:], strict=True):
        shape = (1, *y.type.shape[1:])
        part = emit.op("stablehlo.reshape", result, type=y.type.with_shape(shape))
        written.append(
            emit.op("stablehlo.dynamic_update_slice", y, part, i, *[zero] * (len(shape) - 1), type=y.type)
        )  # fmt: skip
    return list(results[:carry]), written


def _compare(emit: Any, direction: str, x: Any, y: Any) -> Any:
    return emit.op(
        "stablehlo.compare", x, y, type=ArrayType((), bool),
        attrs=f"comparison_direction = #stablehlo<comparison_direction {direction}>",
    )  # fmt: skip


def _add(emit: Any, x: Any, y: Any) -> Any:
    return emit.op("stablehlo.add", x, y, type=x.type)


def _scan_transpose(cts: Any, *args: Any, **params: Any) -> tuple[Any, ...]:
    return scan_transpose(bind_scan, cts, *args, **params)


scan_p = Primitive(
    name="scan", type=_scan_type, jvp=_scan_jvp, linearize=_scan_linearize,
    transpose=_scan_transpose, batch=_scan_batch, lower=_scan_lower, prune=_scan_prune, multiple=True,
)  # fmt: skip
