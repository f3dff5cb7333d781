"""Whether two Programs are the same computation, whatever the names, the order and the repeats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fn.core import Literal, Program

# Operations whose operands may change places, and operations that hand on what they are given.
_COMMUTATIVE = frozenset(["add", "mul", "maximum", "minimum", "eq", "ne", "and", "or", "xor"])
_IDENTITIES = frozenset({"name", "optimization_barrier"})
_CALLS = frozenset({"call", "remat"})
# Captured arrays are told apart by their contents up to this size, and by identity above.
_BYTES = 1 << 20


class _Numbering:
    """Equal values get equal numbers: hash-consing over both Programs."""

    def __init__(self) -> None:
        self.known: dict[Any, int] = {}

    def number(self, *key: Any) -> int:
        return self.known.setdefault(key, len(self.known))

    def captured(self, value: Any) -> int:
        array = np.asarray(value)
        if array.nbytes > _BYTES:
            return self.number("array", id(value))
        return self.number("array", array.shape, str(array.dtype), array.tobytes())

    def program(self, program: Program, inputs: Sequence[int]) -> list[int]:
        env: dict[Any, int] = dict(zip(program.inputs, inputs, strict=True))

        def of(atom: Any) -> int:
            return self.number("literal", atom) if isinstance(atom, Literal) else env[atom]

        for equation in program.equations:
            name, operands = equation.primitive.name, [of(a) for a in equation.inputs]
            if name in _CALLS:
                results = self.program(equation.params["program"], operands)
            elif name in _IDENTITIES or (
                name == "convert"
                and equation.inputs[0].type.dtype == equation.outputs[0].type.dtype
            ):
                results = operands
            else:
                if name in _COMMUTATIVE:
                    operands.sort()
                params = tuple([(k, self.param(v)) for k, v in sorted(equation.params.items())])
                whole = self.number(equation.primitive, *operands, params)
                results = [self.number(whole, i) for i in range(len(equation.outputs))]
            env.update(zip(equation.outputs, results, strict=True))
        return [of(a) for a in program.outputs]

    def param(self, value: Any) -> Any:
        if isinstance(value, Program):
            inputs = [self.number("input", i, t) for i, t in enumerate(value.in_types)]
            return ("program", value.in_types, tuple(self.program(value, inputs)))
        if isinstance(value, tuple):
            return tuple([self.param(v) for v in value])
        return repr(value) if isinstance(value, float) else value  # NaN is equal to itself here


def equal_programs(p: Program, q: Program) -> bool:
    """Whether `p` and `q` are the same expression of their inputs.

    Calls are looked into, repeats count once, operands of sums and products may change places; what
    nobody uses does not count. True is a proof; False says nothing.
    """
    if len(p.inputs) - len(p.captured) != len(q.inputs) - len(q.captured):
        return False
    numbering = _Numbering()

    def outputs(program: Program) -> list[Any]:
        own = len(program.inputs) - len(program.captured)
        numbers = [
            numbering.number("input", i, v.type.strong())
            for i, v in enumerate(program.inputs[:own])
        ]
        numbers += [numbering.captured(value) for value in program.captured]
        return numbering.program(program, numbers)

    return outputs(p) == outputs(q)
