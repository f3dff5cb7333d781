"""How a random Program calls, branches and loops: the Programs within it are random as well."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fn.control import call, cond, remat, scan, switch, while_loop
from fn.control import map as map_over
from fn.core import ArrayType, Program, evaluate
from fn.ops import add, lt
from fn.testing._draft import BITS, BOOL, I32, Draft, Known, write
from fn.testing._recipes import DIFFERENTIABLE, RECIPES, recipe

_CONTROL = frozenset({"call", "remat", "cond", "switch", "scan", "map", "while_loop"})


def steps(g: Draft, most: int) -> None:
    """Write up to so many operations, each any of the table."""
    names = [
        n for n in RECIPES if (g.depth > 0 or n not in _CONTROL) and (DIFFERENTIABLE[n] or not g.reverse)
    ]  # fmt: skip
    for _ in range(g.integer(1, most)):
        RECIPES[g.pick(names)](g)


def results(g: Draft, most: int) -> list[Known]:
    """What a Program gives: the newest of its values."""
    found = [k for k in reversed(g.pool) if k.high < BITS][: g.integer(1, most)]
    return found or [g.real()]


def _inner(g: Draft, name: str, inputs: Sequence[Known] | None = None) -> Draft.Written:
    """A random Program."""
    draft = Draft(g.choices, g.depth - 1, g.reverse, inputs)

    def body(d: Draft) -> Sequence[Known]:
        steps(d, 3)
        return results(d, 2)

    return write(draft, body, name)


def _operands(g: Draft, inputs: Sequence[Known]) -> list[Any]:
    return [g.matching(k.type, k.low, k.high).value for k in inputs]


def _keep_all(g: Draft, values: Sequence[Any], bounds: Sequence[Known]) -> None:
    for value, k in zip(values, bounds, strict=True):
        g.keep(value, k.low, k.high)


def _apply(program: Program) -> Callable[..., tuple[Any, ...]]:
    return lambda *xs: tuple(evaluate(program, xs))


# --- calls ------------------------------------------------------------------------------


@recipe("call")
def _call(g: Draft) -> None:
    inner = _inner(g, "inner")
    _keep_all(g, call(inner.program, *_operands(g, inner.inputs)), inner.outputs)
    if g.chance(30):  # once more: what is shared stays shared
        _keep_all(g, call(inner.program, *_operands(g, inner.inputs)), inner.outputs)


@recipe("remat")
def _remat(g: Draft) -> None:
    inner = _inner(g, "again")
    function = remat(_apply(inner.program), policy=g.pick(["nothing", "everything", "dots"]))
    _keep_all(g, function(*_operands(g, inner.inputs)), inner.outputs)


# --- branches ---------------------------------------------------------------------------


def _branch(g: Draft, first: Draft.Written, name: str) -> Draft.Written:
    """Another Program of the same inputs, with results of the same types."""

    def body(d: Draft) -> Sequence[Known]:
        steps(d, 2)
        return [d.matching(k.type, k.low, k.high) for k in first.outputs]

    return write(Draft(g.choices, 0, g.reverse, first.inputs), body, name)


def _branches(g: Draft, count: int) -> tuple[list[Draft.Written], list[Any]]:
    first = _inner(g, "branch_0")
    # Its inputs are the operands: an operand that only another branch used would not be one.
    others = [_branch(g, first, f"branch_{i}") for i in range(1, count)]
    return [first, *others], _operands(g, first.inputs)


_BATCHED = ("select", "any", "map")


def _scalar(g: Draft, dtype: np.dtype[Any]) -> Any:
    kind = ArrayType((), dtype)
    return g.any(lambda k: k.type is kind and k.high < BITS, lambda: kind).value


@recipe("cond", "switch")
def _cond(g: Draft) -> None:
    predicate = _scalar(g, BOOL)
    (yes, no), operands = _branches(g, 2)
    functions = [_apply(w.program) for w in (yes, no)]
    outs = cond(predicate, *functions, *operands, batched=g.pick(_BATCHED))
    _keep_all(g, outs, _hulls([yes, no]))


@recipe("switch")
def _switch(g: Draft) -> None:
    index = _scalar(g, I32)
    written, operands = _branches(g, 3)
    functions = [_apply(w.program) for w in written]
    _keep_all(g, switch(index, functions, *operands, batched=g.pick(_BATCHED)), _hulls(written))


def _hulls(written: Sequence[Draft.Written]) -> list[Known]:
    """Bounds that hold whichever of the Programs runs."""
    return [
        Known(column[0].value, min(k.low for k in column), max(k.high for k in column))
        for column in zip(*[w.outputs for w in written], strict=True)
    ]


# --- loops ------------------------------------------------------------------------------


def _step(g: Draft, name: str, carries: int) -> tuple[Draft.Written, list[Known]]:
    """A Program that gives new values for its first inputs, and whatever else."""
    carry = [
        g.any(lambda k: k.type.size > 0 and k.high < BITS, lambda: ArrayType(g.shape(), np.dtype(np.float32)))
        for _ in range(carries)
    ]  # fmt: skip
    wide = [_widened(k) for k in carry]
    others = [g.anything() for _ in range(g.integer(0, 2))]

    def body(d: Draft) -> Sequence[Known]:
        steps(d, 3)
        moved = [d.matching(k.type, k.low, k.high) for k in wide]
        return [*moved, *results(d, 1)]

    draft = Draft(g.choices, g.depth - 1, g.reverse, [*wide, *others])
    return write(draft, body, name), [*carry, *others]


def _widened(k: Known) -> Known:
    """Bounds a carry can keep to in every step."""
    if k.type.dtype == BOOL:
        return k
    if k.type.dtype.kind in "iu":
        return Known(k.value, min(k.low, 0 if k.type.dtype.kind == "u" else -6), max(k.high, 6))
    if k.type.dtype.kind == "c":
        return Known(k.value, 0.0, max(k.high, 1.0))
    return Known(k.value, min(k.low, -1.0), max(k.high, 1.0))


@recipe("scan")
def _scan(g: Draft) -> None:
    carries = g.pick([1, 0, 2])
    step, given = _step(g, "step", carries)
    length = g.pick([2, 3, 1, 0])
    init = [k.value for k in given[:carries]]
    stacked = [g.chance(60) for _ in given[carries:]]
    xs = [
        g.matching(k.type.with_shape((length, *k.type.shape)), k.low, k.high).value
        for k, s in zip(given[carries:], stacked, strict=True)
        if s
    ]
    fixed = [k.value for k, s in zip(given[carries:], stacked, strict=True) if not s]

    def body(carry: Any, x: Any) -> tuple[Any, Any]:
        entries, rest = iter(x), iter(fixed)
        others = [next(entries) if s else next(rest) for s in stacked]
        outs = evaluate(step.program, [*carry, *others])
        return tuple(outs[:carries]), tuple(outs[carries:])

    carry, ys = scan(
        body, tuple(init), tuple(xs), length=length, reverse=g.chance(30), unroll=g.pick([1, 2])
    )
    _keep_all(g, [*carry, *ys], step.outputs)


@recipe("map", "scan")
def _map(g: Draft) -> None:
    inner = _inner(g, "entry")
    length = g.pick([2, 3])
    if not inner.inputs:
        return
    xs = tuple(
        g.matching(k.type.with_shape((length, *k.type.shape)), k.low, k.high).value
        for k in inner.inputs
    )
    function = _apply(inner.program)
    outs = map_over(lambda row: function(*row), xs, batch_size=g.pick([None, 2]))
    _keep_all(g, outs, inner.outputs)


@recipe("while_loop", "while_loop", "bounded_while")
def _while_loop(g: Draft) -> None:
    step, given = _step(g, "round", g.pick([1, 2]))
    carries = len(step.outputs) - 1
    fixed = [k.value for k in given[carries:]]
    limit = np.int32(g.pick([2, 0, 3]))
    if g.chance(50):
        limit = g.within(Known(_scalar(g, I32), -64.0, 64.0), 0, 3).value

    def body(state: Any) -> Any:
        n, carry = state
        outs = evaluate(step.program, [*carry, *fixed])
        return add(n, np.int32(1)), tuple(outs[:carries])

    bound = 4 if g.reverse or g.chance(30) else None
    init = (np.int32(0), tuple([k.value for k in given[:carries]]))
    _, carry = while_loop(lambda state: lt(state[0], limit), body, init, max_steps=bound)
    _keep_all(g, carry, step.outputs[:carries])
