"""Evaluation op by op, control flow included: loops and branches run in Python, one equation at a time.

What XLA compiles as a whole is compared with this, and it shows what every equation was given and gave.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np

from fn.core import Equation, Literal, Program, Variable, bind, is_inexact


class Event(NamedTuple):
    """One equation evaluated: what it was given, what it gave, and in which calls and rounds."""

    equation: Equation
    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]
    path: tuple[str, ...]


CUSTOM = "custom"
"""In paths, the inside of a function with rules of its own: derivatives do not see these equations."""
Watch = Callable[[Event], None]
Alter = Callable[[Any], Any]


class _Evaluation:
    def __init__(self, watch: Watch | None, alter: Alter | None) -> None:
        self.watch, self.alter = watch, alter

    def program(self, program: Program, args: Sequence[Any], path: tuple[str, ...]) -> list[Any]:
        env: dict[Variable, Any] = dict(zip(program.inputs, args, strict=True))

        def value(atom: Any) -> Any:
            return atom.operand if isinstance(atom, Literal) else env[atom]

        for equation in program.equations:
            inputs = tuple([value(a) for a in equation.inputs])
            outputs = self.equation(equation, inputs, path)
            if self.watch is not None:
                self.watch(Event(equation, inputs, outputs, path))
            env.update(zip(equation.outputs, outputs, strict=True))
        return [value(a) for a in program.outputs]

    def equation(
        self, equation: Equation, inputs: tuple[Any, ...], path: tuple[str, ...]
    ) -> tuple[Any, ...]:
        rule = _IN_PYTHON.get(equation.primitive.name)
        if rule is not None:
            return tuple(rule(self, inputs, path, dict(equation.params)))
        result = bind(equation.primitive, *inputs, **equation.params)
        outputs = result if equation.primitive.multiple else (result,)
        return outputs if self.alter is None else tuple(map(self.alter, outputs))


def _call(run: _Evaluation, inputs: Any, path: tuple[str, ...], params: dict[str, Any]) -> Any:
    program = params["program"]
    return run.program(program, inputs, (*path, program.name))


def _custom(run: _Evaluation, inputs: Any, path: tuple[str, ...], params: dict[str, Any]) -> Any:
    program = params["program"]
    return run.program(program, inputs, (*path, CUSTOM))


def _switch(run: _Evaluation, inputs: Any, path: tuple[str, ...], params: dict[str, Any]) -> Any:
    index, *operands = inputs
    branch = params["branches"][int(index)]
    return run.program(branch, operands, (*path, f"branch {int(index)}"))


def _scan(run: _Evaluation, inputs: Any, path: tuple[str, ...], params: dict[str, Any]) -> Any:
    program, c, k = params["program"], params["consts"], params["carry"]
    consts, carry, xs = inputs[:c], list(inputs[c : c + k]), inputs[c + k :]
    columns = [np.asarray(x) for x in xs]
    length = params["length"]
    rows: list[list[Any]] = [[] for _ in program.outputs[k:]]
    for step in reversed(range(length)) if params["reverse"] else range(length):
        here = (*path, f"step {step}")
        outs = run.program(program, [*consts, *carry, *[x[step] for x in columns]], here)
        carry = outs[:k]
        for row, out in zip(rows, outs[k:], strict=True):
            row.append(np.asarray(out))
    stacked = []
    for row, atom in zip(rows, program.outputs[k:], strict=True):
        ordered = row[::-1] if params["reverse"] else row
        empty = np.zeros((0, *atom.type.shape), atom.type.dtype)
        stacked.append(np.stack(ordered) if ordered else empty)
    return [*carry, *stacked]


def _while(run: _Evaluation, inputs: Any, path: tuple[str, ...], params: dict[str, Any]) -> Any:
    c, b = params["cond_consts"], params["body_consts"]
    tests, consts, carry = inputs[:c], inputs[c : c + b], list(inputs[c + b :])
    most = params.get("max_steps")
    step = 0
    while (most is None or step < most) and bool(
        run.program(params["cond"], [*tests, *carry], (*path, f"test {step}"))[0]
    ):
        carry = run.program(params["body"], [*consts, *carry], (*path, f"step {step}"))
        step += 1
    return carry


_IN_PYTHON: dict[str, Callable[..., Any]] = {
    "call": _call, "call_apart": _call, "remat": _call, "custom": _custom, "switch": _switch, "scan": _scan,
    "while_loop": _while, "bounded_while": _while,
}  # fmt: skip


def by_op(
    program: Program, args: Sequence[Any], watch: Watch | None = None, alter: Alter | None = None
) -> list[Any]:
    """Outputs of `program`, one equation evaluated after the other.

    Args:
        program: any Program; its captured arrays are supplied by itself.
        args: one value per input that is not captured.
        watch: called after each equation, those inside loops and branches before the loop's own.
        alter: changes each result before it is used.
    """
    values = [*args, *program.captured]
    return _Evaluation(watch, alter).program(program, values, ())


def events(program: Program, args: Sequence[Any]) -> tuple[list[Any], list[Event]]:
    """The outputs of `program`, and every equation evaluated on the way."""
    seen: list[Event] = []
    return by_op(program, args, seen.append), seen


# A result that is off by this many units in the last place is still as good as any other.
_ULPS = 4.0


def noise(program: Program, args: Sequence[Any], seed: int = 0, times: int = 5) -> list[float]:
    """Per output, by how much rounding alone may change it at this point.

    Every intermediate result is moved by a few units in its last place, at random, several times over
    (Monte Carlo arithmetic: Parker, 1997). Where a value decides between branches, or is divided by
    something close to zero, the outputs spread, and a difference as large as that is no finding.
    """
    rng = np.random.RandomState(seed)

    def alter(x: Any) -> Any:
        x = np.asarray(x)
        if not is_inexact(x.dtype) or not x.size:
            return x
        # Toward zero, so that the largest numbers stay finite.
        eps = float(ml_dtypes.finfo(x.dtype).eps)
        with np.errstate(all="ignore"):
            return (x * (1 - _ULPS * eps * rng.uniform(0, 1, x.shape))).astype(x.dtype)

    def moved(x: Any) -> Any:
        return alter(np.asarray(x)) if hasattr(x, "dtype") else x

    plain = [np.asarray(o) for o in by_op(program, args)]
    spread = [0.0] * len(plain)
    for _ in range(times):
        outs = by_op(program, [moved(a) for a in args], alter=alter)
        for i, (a, b) in enumerate(zip(plain, map(np.asarray, outs), strict=True)):
            spread[i] = max(spread[i], largest(a, b))
    return spread


def largest(a: Any, b: Any) -> float:
    """The largest difference between two arrays; infinite if one is finite where the other is not."""
    wide = np.complex128 if "c" in (a.dtype.kind, b.dtype.kind) else np.float64
    if a.dtype.kind == "b":
        return float(np.any(a != b))
    x, y = np.asarray(a).astype(wide), np.asarray(b).astype(wide)
    with np.errstate(all="ignore"):
        apart = np.where((x == y) | (np.isnan(x) & np.isnan(y)), 0.0, np.abs(x - y))
    apart = np.where(np.isnan(apart), np.inf, apart)
    return float(np.max(apart, initial=0.0))
