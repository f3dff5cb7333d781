"""Values that depend on no argument: computed in NumPy, and only if somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from fn.core import Equation, Program, Tracer, Variable, bind, evaluating

Value = np.ndarray[Any, Any]
# Nobody needs the values of arrays larger than this to see where they are zero or point to.
_LARGEST = 20_000_000


class Known:
    """The value of one output of an equation whose inputs are known, or an array; None if it fails."""

    __slots__ = ("_equation", "_inputs", "_index", "_value")

    def __init__(
        self, value: Any, equation: Equation | None = None, inputs: Sequence[Known] = (), index: int = 0
    ) -> None:  # fmt: skip
        self._value, self._equation, self._inputs, self._index = value, equation, inputs, index

    def value(self) -> Value | None:
        """The array, computed now if it has not been."""
        if self._equation is not None:
            equation, inputs, self._equation, self._inputs = self._equation, self._inputs, None, ()
            try:
                args = [known.value() for known in inputs]
                if not any(a is None for a in args):
                    self._value = _compute(equation, args, self._index)
            except Exception:  # a value that cannot be had now is one that is not known
                self._value = None
        found: Value | None = self._value
        return found


def concrete(array: Any) -> Known | None:
    """`array`, captured by a Program, as a known value; None if it is traced."""
    if isinstance(array, (Tracer, jax.core.Tracer)) or array.size > _LARGEST:
        return None
    try:
        return Known(np.asarray(array))
    except Exception:  # deleted, or on another process's device
        return None


Env = dict[Variable, Known]


def settle(equation: Equation, env: Env) -> None:
    """Put the outputs of `equation` into `env`, if all its inputs are known and it only computes."""
    if equation.effects or equation.primitive.eager is not None:
        return
    inputs = []
    for atom in equation.inputs:
        known = env.get(atom) if isinstance(atom, Variable) else Known(np.asarray(atom.value))
        if known is None:
            return
        inputs.append(known)
    for index, output in enumerate(equation.outputs):
        if output.type.size <= _LARGEST:
            env[output] = Known(None, equation, inputs, index)


def settle_program(program: Program, known: Sequence[Known | None]) -> list[Known | None]:
    """Which outputs of `program` are known if these of its inputs are; its captured arrays are."""
    captured = [concrete(array) for array in program.captured]
    given = [*known[: len(program.inputs) - len(captured)], *captured]
    env = {v: k for v, k in zip(program.inputs, given, strict=True) if k is not None}
    for equation in program.equations:
        settle(equation, env)
    return [
        env.get(a) if isinstance(a, Variable) else Known(np.asarray(a.value))
        for a in program.outputs
    ]


def _compute(equation: Equation, args: Sequence[Any], index: int) -> Value:
    primitive, params = equation.primitive, equation.params
    rule = _RULES.get(primitive.name)
    if rule is not None:
        with np.errstate(all="ignore"):
            found = np.asarray(rule(*args, **params))
    else:
        with evaluating(), jax.ensure_compile_time_eval():
            result = bind(primitive, *args, **params)
        found = np.asarray(result[index] if primitive.multiple else result)
    return found.astype(equation.outputs[index].type.dtype, copy=False)


def _broadcast(x: Any, *, shape: tuple[int, ...], axes: tuple[int, ...]) -> Value:
    at = [1] * len(shape)
    for axis, n in zip(axes, x.shape, strict=True):
        at[axis] = n
    return np.broadcast_to(x.reshape(at), shape)


def _iota(*, dtype: Any, shape: tuple[int, ...], axis: int) -> Value:
    row = np.arange(shape[axis]).astype(dtype)
    return _broadcast(row, shape=shape, axes=(axis,))


# What indices and masks are made of; anything else is evaluated.
_RULES: dict[str, Callable[..., Any]] = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "neg": np.negative,
    "maximum": np.maximum, "minimum": np.minimum, "eq": np.equal, "ne": np.not_equal,
    "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal,
    "select": np.where, "clamp": lambda low, x, high: np.minimum(np.maximum(x, low), high),
    "convert": lambda x, dtype, weak: x.astype(dtype), "iota": _iota, "broadcast": _broadcast,
    "reshape": lambda x, shape: x.reshape(shape), "reverse": lambda x, axes: np.flip(x, axes),
    "transpose": lambda x, permutation: x.transpose(permutation),
    "concatenate": lambda *xs, axis: np.concatenate(xs, axis),
    "slice": lambda x, starts, limits, strides: x[tuple(map(slice, starts, limits, strides))],
    "stop_gradient": lambda x: x, "name": lambda x, name: x,
}  # fmt: skip
