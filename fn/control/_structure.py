"""What the functions given to loops and branches return: structures and types that have to agree."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax.tree_util import tree_flatten, tree_structure

from fn.control._derive import derived
from fn.core import (
    ArgumentError,
    Arguments,
    ArrayType,
    Program,
    Traced,
    Tracer,
    TreeError,
    TypeRuleError,
    evaluate,
    function_name,
    is_complex,
    is_inexact,
    is_integer,
    leaf_paths,
    split_arguments,
    trace_call,
    type_of,
)
from fn.ops import convert


def check_function(operation: str, what: str, function: Any) -> None:
    """Raise unless `function` can be called."""
    if not callable(function):
        raise ArgumentError(
            f"{operation}: {what} is not a function", expected="a function",
            got=type(function).__name__,
        )  # fmt: skip


def trace_with(
    operation: str, function: Callable[..., Any], args: tuple[Any, ...],
    types: Sequence[ArrayType] | None = None,
) -> tuple[Arguments, Traced]:  # fmt: skip
    """Flatten `args` and trace `function` on them, at other `types` if given."""
    split = split_arguments(operation, function, args, {})
    return split, trace_call(operation, function, args, {}, split, types=types)


def array_leaf_paths(tree: Any, root: str) -> list[str]:
    """The paths of the array leaves of `tree`."""
    leaves = tree_flatten(tree)[0]
    paths = leaf_paths(tree, root)
    return [p for p, leaf in zip(paths, leaves, strict=True) if type_of(leaf) is not None]


def in_dtype(value: Any, type: ArrayType) -> Any:
    """`value` with the dtype and weakness of `type`."""
    kind = type_of(value)
    if kind is not None and kind.dtype == type.dtype and kind.weak == type.weak:
        return value
    if isinstance(value, (bool, int, float, complex)) and not type.weak:
        return type.dtype.type(value)
    return convert(value, dtype=type.dtype, weak=type.weak)


def as_arrays(values: Sequence[Any]) -> list[Any]:
    """Results, of which one may be a Python or NumPy value handed on as it came, as arrays."""
    found = []
    for value in values:
        kind = type_of(value)
        plain = kind is not None and not isinstance(value, (jax.Array, Tracer))
        found.append(convert(value, dtype=kind.dtype, weak=kind.weak) if plain and kind else value)
    return found


def with_out_types(program: Program, types: Sequence[ArrayType]) -> Program:
    """`program` with its first outputs converted to the dtypes and weakness of `types`."""
    old = program.out_types[: len(types)]
    if all(a is b for a, b in zip(old, types, strict=True)):
        return program

    def converted(*args: Any) -> list[Any]:
        outs = evaluate(program.closed(), args)
        return [in_dtype(o, t) for o, t in zip(outs, types, strict=False)] + outs[len(types) :]

    changed = derived(
        program, ("with_out_types", tuple(types)), converted, program.in_types, program.name
    )
    if not program.captured:
        return changed
    return Program(
        changed.inputs, changed.equations, changed.outputs, program.captured, program.name
    )


# --- branches ---------------------------------------------------------------------------


def agree_branches(
    operation: str, names: Sequence[str], traceds: Sequence[Traced]
) -> list[Program]:
    """The Programs of branches, made to return the same types.

    Raises:
        TreeError: if the structures or static leaves of the results differ.
        TypeRuleError: if a shape or dtype differs, with the path and both types.
    """
    first = traceds[0]
    example = first.rebuild(first.program.out_types)
    for name, other in zip(names[1:], traceds[1:], strict=True):
        _same_structure(operation, names[0], first, name, other)
    paths = array_leaf_paths(example, "result")
    wanted = []
    for j, path in enumerate(paths):
        types = [t.program.out_types[j] for t in traceds]
        wanted.append(_joint_type(operation, names, path, types))
    return [with_out_types(t.program, wanted) for t in traceds]


def _same_structure(operation: str, name: str, first: Traced, other: str, second: Traced) -> None:
    if first.out_tree != second.out_tree:
        a, b = (set(leaf_paths(t.rebuild(t.program.out_types), "result")) for t in (first, second))
        only = [f"`{p}` only from {name}" for p in sorted(a - b)]
        only += [f"`{p}` only from {other}" for p in sorted(b - a)]
        raise TreeError(
            f"{operation}: {name} and {other} return different structures",
            expected=f"{first.out_tree}, as {name} returns",
            got=f"{second.out_tree} from {other}" + (f": {', '.join(only)}" if only else ""),
            fix="return the same structure from every branch",
        )
    if first.out_static != second.out_static:
        example = first.rebuild(first.program.out_types)
        paths = leaf_paths(example, "result")
        mine, theirs = dict(first.out_static), dict(second.out_static)
        missing = object()
        at = next(i for i in range(len(paths)) if mine.get(i, missing) != theirs.get(i, missing))
        described = [
            f"{d[at]!r}" if at in d else f"an array ({t.rebuild(t.program.out_types)!r})"
            for d, t in ((mine, first), (theirs, second))
        ]
        raise TreeError(
            f"{operation}: `{paths[at]}` is not an array, and differs between {name} and {other}",
            expected="values that are no arrays to be equal in every branch",
            got=f"{described[0]} from {name}, {described[1]} from {other}",
            fix="return arrays, or the same value from every branch",
        )


def _joint_type(
    operation: str, names: Sequence[str], path: str, types: Sequence[ArrayType]
) -> ArrayType:
    strong = [t for t in types if not t.weak]
    candidates = strong or sorted(types, key=lambda t: _rank(t.dtype), reverse=True)
    joint = candidates[0]
    for name, t in zip(names, types, strict=True):
        fits = t.shape == joint.shape and (
            t.dtype == joint.dtype or (t.weak and holds(joint.dtype, t.dtype))
        )
        if not fits:
            at = next(i for i, u in enumerate(types) if u is joint)
            raise TypeRuleError(
                f"{operation}: the branches return different types at `{path}`",
                expected=f"{joint}, as {names[at]} returns",
                got=f"{t} from {name}",
                fix=_type_fix(joint, t, "return"),
            )
    return ArrayType(joint.shape, joint.dtype, not strong)


def _rank(dtype: np.dtype[Any]) -> int:
    return 3 if is_complex(dtype) else 2 if is_inexact(dtype) else 1 if is_integer(dtype) else 0


def holds(into: np.dtype[Any], weak: np.dtype[Any]) -> bool:
    """Whether a Python scalar of dtype `weak` may become `into`."""
    return into != np.bool_ and _rank(into) >= _rank(weak)


def _type_fix(expected: ArrayType, got: ArrayType, verb: str) -> str:
    if expected.shape != got.shape:
        return f"{verb} the same shape everywhere, with fn.numpy.broadcast_to or reshape"
    return f"convert with .astype({expected.dtype.name!r}), or {verb} {got.dtype.name} everywhere"


# --- carries ----------------------------------------------------------------------------

Retrace = Callable[[list[ArrayType]], Traced]


def settle_carry(
    operation: str, body: str, init: Any, split_types: Sequence[ArrayType], retrace: Retrace
) -> tuple[list[ArrayType], Traced]:
    """Types of a carry that the body gives back as it takes them, and the body traced at these.

    A carry that is weak adopts the dtype the body makes of it; what differs in weakness only is
    converted silently.

    Args:
        init: the initial carry, for paths.
        split_types: the types of its array leaves.
        retrace: traces the body at other types of the carry; its result's leaves begin with the carry's.

    Raises:
        TypeRuleError: with the path of the carry, both types and the likely cause.
    """
    types = list(split_types)
    paths = array_leaf_paths(init, "init")
    while True:
        traced = retrace(types)
        outs = traced.program.out_types[: len(types)]
        again = False
        for i, (t, out) in enumerate(zip(types, outs, strict=True)):
            if t.weak and t.shape == out.shape and _adopts(t, out):
                types[i] = ArrayType(t.shape, out.dtype, out.weak)
                again = True
        if not again:
            break
    for path, t, out in zip(paths, types, outs, strict=True):
        if t.shape != out.shape or not (t.dtype == out.dtype or (out.weak and _adopts(out, t))):
            raise _carry_error(operation, body, path, t, out)
    program = with_out_types(traced.program, types)
    return types, Traced(program, traced.out_tree, traced.out_static)


def _adopts(weak: ArrayType, strong: ArrayType) -> bool:
    """Whether a weak type becomes another one: the same kind of number, and not the same type."""
    return _rank(weak.dtype) == _rank(strong.dtype) and weak is not strong


def _carry_error(operation: str, body: str, path: str, t: ArrayType, out: ArrayType) -> Exception:
    if t.shape != out.shape:
        fix = "start with the shape it has after a step"
        if t.shape == ():
            fix += ": the initial value is a scalar, spread it with fn.numpy.full or broadcast_to"
    elif t.weak:
        written = "0.0" if is_inexact(out.dtype) else "0"
        fix = (
            f"the initial value is a Python scalar (weak), an int/float mix: write {written} instead "
            f"of an {t.dtype.name}, or start with an array of dtype {out.dtype.name}"
        )
    elif _rank(t.dtype) != _rank(out.dtype):
        fix = (
            f"an int/float mix: start with dtype {out.dtype.name}, or convert what the body returns "
            f"with .astype({t.dtype.name!r})"
        )
    else:
        fix = (
            f"convert what the body returns with .astype({t.dtype.name!r}), or start with "
            f"{out.dtype.name}; constants written as Python scalars keep the dtype of what they meet"
        )
    return TypeRuleError(
        f"{operation}: `{path}` changes its type in a step of {body}",
        expected=f"{t}, as it goes in",
        got=f"{out} coming out",
        fix=fix,
    )


def check_carry_structure(operation: str, body: str, init: Any, returned: Any) -> None:
    """Raise `TreeError` unless the body returned a carry of the structure of `init`."""
    expected, got = tree_structure(init), tree_structure(returned)
    if expected != got:
        a, b = set(leaf_paths(init, "init")), set(leaf_paths(returned, "init"))
        only = [f"`{p}` is missing" for p in sorted(a - b)]
        only += [f"`{p}` is new" for p in sorted(b - a)]
        raise TreeError(
            f"{operation}: {body} returns a carry of another structure than it takes",
            expected=str(expected),
            got=str(got) + (f": {', '.join(only)}" if only else ""),
            fix="return the carry with the structure of the initial one",
        )
    for path, before, after in zip(
        leaf_paths(init, "init"), tree_flatten(init)[0], tree_flatten(returned)[0], strict=True
    ):
        was, now = type_of(before), type_of(after)
        if (was is None) != (now is None) or (was is None and before != after):
            raise TreeError(
                f"{operation}: `{path}` is not an array and changes in a step of {body}",
                expected=repr(before) if was is None else str(was),
                got=repr(after) if now is None else str(now),
                fix="only arrays can change from step to step",
            )


def name_of(function: Callable[..., Any]) -> str:
    """How messages call a function the user gave."""
    return f"`{function_name(function)}`"
