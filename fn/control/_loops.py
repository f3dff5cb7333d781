"""`while_loop` and `fori_loop`: loops that carry a state."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from jax.tree_util import tree_flatten, tree_unflatten

from fn.control._bounded import bounded_while_p
from fn.control._derive import derived, slice_program
from fn.control._scan import bind_scan, check_unroll
from fn.control._structure import (
    as_arrays,
    check_carry_structure,
    check_function,
    in_dtype,
    name_of,
    settle_carry,
    trace_with,
)
from fn.control._while import bind_while
from fn.core import (
    ArgumentError,
    ArrayType,
    Program,
    Traced,
    TypeRuleError,
    evaluate,
    is_integer,
    public,
    scalar_type,
    type_of,
)
from fn.ops import add, convert, iota, lt


@public
def while_loop(
    cond_fun: Callable[[Any], Any],
    body_fun: Callable[[Any], Any],
    init: Any,
    *,
    max_steps: int | None = None,
    checkpoints: int | None = None,
) -> Any:
    """Apply `body_fun` to a state as long as `cond_fun` of the state holds.

    Args:
        cond_fun: of the state; returns a boolean scalar.
        body_fun: of the state; returns the next one, of the same structure, shapes and dtypes.
        init: the first state, a pytree.
        max_steps: take no more steps than this. Needed for reverse mode (`fn.grad`); forward mode
            works without.
        checkpoints: how many states reverse mode keeps at a time, besides the one at hand; it computes
            the others again. By default `sqrt(2 * max_steps)`, with which each step is computed at
            most twice more. A second reverse derivative (`fn.grad` of `fn.grad`) keeps all states.

    Returns:
        The last state.

    Raises:
        TreeError: if the state changes structure.
        TypeRuleError: if it changes its types, with the path and both types.

    >>> import fn
    >>> int(fn.while_loop(lambda n: n < 100, lambda n: n * 2, 3))
    192
    >>> float(fn.grad(lambda x: fn.while_loop(lambda y: y < 50.0, lambda y: y * x, x, max_steps=9))(3.0))
    108.0
    """
    check_function("while_loop", "cond_fun", cond_fun)
    check_function("while_loop", "body_fun", body_fun)
    bound = _bound("while_loop", max_steps, checkpoints)
    arrays, types, traced = _settle("while_loop", body_fun, init, (), ())
    cond = _condition(cond_fun, init, types)
    return _rebuild(init, _run(cond, traced.program, arrays, bound))


def _settle(
    operation: str, body: Callable[..., Any], init: Any, lead: tuple[Any, ...], lead_types: Any
) -> tuple[list[Any], list[ArrayType], Traced]:
    """The carry's arrays and types, and the body traced, after arguments `lead`, at these."""
    leaves = tree_flatten(init)[0]
    given = [t for t in map(type_of, leaves) if t is not None]

    def retrace(types: list[ArrayType]) -> Traced:
        _, traced = trace_with(operation, body, (*lead, init), types=[*lead_types, *types])
        returned = traced.rebuild(traced.program.out_types)
        check_carry_structure(operation, name_of(body), init, returned)
        return traced

    types, traced = settle_carry(operation, name_of(body), init, given, retrace)
    arrays = [leaf for leaf in leaves if type_of(leaf) is not None]
    return [in_dtype(a, t) for a, t in zip(arrays, types, strict=True)], types, traced


def _rebuild(init: Any, arrays: list[Any]) -> Any:
    """The carry with these arrays, and what is no array as it was at first."""
    leaves, tree = tree_flatten(init)
    left = iter(as_arrays(arrays))
    return tree_unflatten(tree, [x if type_of(x) is None else next(left) for x in leaves])


def _condition(cond_fun: Callable[..., Any], init: Any, types: list[ArrayType]) -> Program:
    _, traced = trace_with("while_loop", cond_fun, (init,), types=types)
    outs = traced.program.out_types
    if [(t.shape, t.dtype) for t in outs] != [((), np.dtype(bool))] or traced.out_static:
        raise TypeRuleError(
            f"while_loop: {name_of(cond_fun)} does not return a boolean scalar",
            expected="bool[]", got=", ".join(map(str, outs)) or str(traced.out_tree),
            fix="compare the state with something, and reduce with .any() or .all()",
        )  # fmt: skip
    return traced.program


def _bound(operation: str, max_steps: int | None, checkpoints: int | None) -> dict[str, int] | None:
    if max_steps is None:
        if checkpoints is not None:
            raise ArgumentError(
                f"{operation}: checkpoints without max_steps", expected="max_steps=N with checkpoints=k",
                got=f"checkpoints={checkpoints}", fix="pass max_steps, a bound on the number of steps",
            )  # fmt: skip
        return None
    for name, value, least in (("max_steps", max_steps, 0), ("checkpoints", checkpoints, 1)):
        whole = isinstance(value, (int, np.integer)) and least <= value < 2**31
        if not whole and value is not None:
            raise ArgumentError(
                f"{operation}: {name} is not a number of "
                + ("steps" if name == "max_steps" else "states"),
                expected=f"an integer of at least {least}", got=repr(value),
            )  # fmt: skip
    steps = int(max_steps)
    # With that many, no step is computed more than twice again.
    kept = math.isqrt(2 * steps) if checkpoints is None else int(checkpoints)
    return {"max_steps": steps, "checkpoints": max(1, min(kept, steps))}


def _run(
    cond: Program, body: Program, arrays: list[Any], bound: dict[str, int] | None
) -> list[Any]:
    if bound is None:
        return bind_while(cond, body, [], [], arrays)
    return bind_while(cond, body, [], [], arrays, bounded_while_p, **bound)


@public
def fori_loop(
    lower: Any,
    upper: Any,
    body_fun: Callable[[Any, Any], Any],
    init: Any,
    *,
    unroll: int | bool | str = 1,
    max_steps: int | None = None,
    checkpoints: int | None = None,
) -> Any:
    """Apply `body_fun(i, state)` for each `i` from `lower` up to, not including, `upper`.

    With Python integers for bounds it is a `scan`, which has derivatives of both kinds; with arrays
    it is a `while_loop`.

    Args:
        lower: first `i`, an integer scalar.
        upper: end of the range.
        body_fun: `(i, state) -> state`.
        init: the first state, a pytree.
        unroll: as in `scan`, if the bounds are Python integers.
        max_steps: as in `while_loop`, if they are arrays.
        checkpoints: likewise.

    Returns:
        The last state.

    Raises:
        TreeError: if the state changes structure.
        TypeRuleError: if it changes its types, with the path and both types.

    >>> import fn
    >>> int(fn.fori_loop(0, 5, lambda i, total: total + i, 0))
    10
    """
    check_function("fori_loop", "body_fun", body_fun)
    bound = _bound("fori_loop", max_steps, checkpoints)
    kinds = {"lower": type_of(lower), "upper": type_of(upper)}
    for name, kind in kinds.items():
        if kind is None or kind.shape != () or not is_integer(kind.dtype):
            raise ArgumentError(
                f"fori_loop: {name} is not an integer scalar", expected="an integer",
                got=str(kind or type({"lower": lower, "upper": upper}[name]).__name__),
            )  # fmt: skip
    static = all(isinstance(n, (int, np.integer)) for n in (lower, upper))
    strong = [k.dtype for k in kinds.values() if k is not None and not k.weak]
    dtype = np.result_type(*strong) if strong else scalar_type(int).dtype
    index = ArrayType((), dtype)
    first = dtype.type(lower) if static else convert(lower, dtype=dtype)
    arrays, types, traced = _settle("fori_loop", body_fun, init, (first,), [index])
    program = traced.program
    if static and bound is None:
        length = max(0, int(upper) - int(lower))
        own = len(types)
        order = [*range(1, own + 1), 0, *range(own + 1, len(program.inputs))]
        body = slice_program(program.closed(), order, range(own))
        body = Program(body.inputs, body.equations, body.outputs, program.captured, program.name)
        counts = iota(dtype=dtype, shape=(length,), axis=0)
        counts = add(counts, first) if int(lower) else counts
        outs, _ = bind_scan(
            body, [], arrays, [counts], length=length, unroll=check_unroll(unroll, length, body)
        )
        return _rebuild(init, outs)

    def step(*values: Any) -> list[Any]:
        return [add(values[0], dtype.type(1)), *evaluate(program.closed(), values)]

    counting = derived(program, ("fori",), step, program.in_types, program.name)
    counting = Program(
        counting.inputs, counting.equations, counting.outputs, program.captured, program.name
    )
    last = convert(upper, dtype=dtype)
    test = derived(
        program, ("fori_test", len(types)), lambda end, i, *_: [lt(i, end)],
        [index, index, *types], "below",
    )  # fmt: skip
    start = [first, *arrays]
    if bound is None:
        outs = bind_while(test, counting, [last], [], start)
    else:
        outs = bind_while(test, counting, [last], [], start, bounded_while_p, **bound)
    return _rebuild(init, outs[1:])
