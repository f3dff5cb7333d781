"""Results that are single entries of an array, handed out by a loop instead of by a slice each.

XLA compiles a function of its own for every slice of an array on the CPU, 10 ms for each: what packing
saved in steps, sixty results would cost in compile time. All steps of a loop are one function.
"""

from __future__ import annotations

from functools import lru_cache

from fn.core import ArrayType, Atom, Equation, Literal, Program, Variable, dce
from fn.xla.passes._walk import Builder

_LEAST = 8
"""Fewer results from one array stay slices."""
_AT_ONCE = 16
"""A step moves all results of its loop by one place, so loops are kept short."""


def unpack(program: Program) -> Program:
    """`program` with loops to hand out results that are entries of vectors; only its own equations."""
    taken = _taken(program)
    if not taken:
        return program
    builder = Builder()
    for equation in program.equations:
        builder.keep(equation)
        for array in equation.outputs:
            _hand_out(builder, array, taken.get(array, {}))
    for array in program.inputs:
        _hand_out(builder, array, taken.get(array, {}))
    return dce(builder.program(program))


def _taken(program: Program) -> dict[Variable, dict[int, list[Variable]]]:
    """Per vector, at each position the results that are the entry there; vectors with many of them."""
    made: dict[Variable, Equation] = {
        e.outputs[0]: e for e in program.equations if e.primitive.name in ("slice", "reshape")
    }
    found: dict[Variable, dict[int, list[Variable]]] = {}
    for result in dict.fromkeys(program.outputs):
        entry = made.get(result) if isinstance(result, Variable) else None
        if entry is None or entry.primitive.name != "reshape" or entry.outputs[0].type.shape:
            continue
        whole = entry.inputs[0]
        part = made.get(whole) if isinstance(whole, Variable) else None
        if part is None or part.primitive.name != "slice" or len(part.params["starts"]) != 1:
            continue
        array = part.inputs[0]
        if isinstance(array, Variable):
            at = found.setdefault(array, {})
            at.setdefault(part.params["starts"][0], []).append(entry.outputs[0])
    return {array: at for array, at in found.items() if len(at) >= _LEAST}


def _hand_out(builder: Builder, array: Variable, at: dict[int, list[Variable]]) -> None:
    """Write the loops for the entries wanted of `array`, which is there."""
    todo = sorted(at)
    while todo:
        first = todo[0]
        size = min(_AT_ONCE, array.type.shape[0] - first)
        here = [i for i in todo if i < first + size]
        todo = todo[len(here) :]
        row = array
        if size < array.type.shape[0]:
            row = builder.add("slice", array, starts=(first,), limits=(first + size,), strides=(1,))
        scalar = array.type.with_shape(()).strong()
        operands: list[Atom] = [*[Literal(0, scalar)] * size, row]
        params = {"program": _register(size, scalar), "consts": 0, "carry": size, "length": size}
        entries = builder.add_all("scan", operands, {**params, "reverse": False, "unroll": 1}, None)
        for i in here:
            for result in at[i]:
                builder.replace([result], [entries[i - first]])


@lru_cache(64)
def _register(size: int, type: ArrayType) -> Program:
    """A shift register: every place takes the value of the next, the last one the entry."""
    places = [Variable(type) for _ in range(size + 1)]
    return Program(tuple(places), (), tuple(places[1:]), (), "unpack")
