"""The most memory that is in use at once, by the lifetime of values in a Program."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from fn.core import Equation, Program, Source, Variable
from fn.inspect._flops import VIEWS, bytes_of
from fn.inspect._inside import BRANCHES, LOOPS, expansion

Holder = tuple[str, Source | None]
"""What computed a value: an operation, and the user's line."""


class Peak(NamedTuple):
    """The most bytes at once, the Program's inputs aside, and what holds them."""

    bytes: int
    held: Mapping[Holder, int]


_NOTHING = Peak(0, {})


class Memory:
    """Peaks of Programs, each looked at once."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Program, Peak]] = {}

    def peak(self, program: Program) -> Peak:
        """When the most bytes are in use while `program` runs, its results included, its inputs not.

        Each value has memory of its own, from when it is computed to its last use.
        """
        known = self._known.get(id(program))
        if known is None:
            known = self._known[id(program)] = program, self._peak(program)
        return known[1]

    def _peak(self, program: Program) -> Peak:
        roots = _roots(program)
        last = _lifetimes(program, roots)
        inner = [self._inside(e) for e in program.equations]
        ends: dict[int, list[Variable]] = {}
        for variable, index in last.items():
            ends.setdefault(index, []).append(variable)
        live = most = 0
        at = -1
        for index, equation in enumerate(program.equations):
            own = sum(bytes_of(v.type) for v in equation.outputs if roots[v] is v)
            needed = live + max(own, inner[index].bytes)
            if needed > most:
                most, at = needed, index
            live += own - sum(bytes_of(v.type) for v in ends.get(index, ()))
        if at < 0:
            return _NOTHING
        held: Counter[Holder] = Counter()
        for index, equation in enumerate(program.equations[: at + 1]):
            if index == at and inner[index].held:
                held.update(inner[index].held)
                continue
            size = sum(
                bytes_of(v.type) for v in equation.outputs if roots[v] is v and last[v] >= at
            )
            if size:
                held[equation.primitive.name, equation.source] += size
        return Peak(most, held)

    def _inside(self, equation: Equation) -> Peak:
        """What an equation takes beyond its operands, if that is not just its results."""
        name, p = equation.primitive.name, equation.params
        if name == "call":
            return self.peak(p["program"])
        if name == BRANCHES:
            return max((self.peak(b) for b in p["branches"]), key=lambda k: k.bytes)
        if name in LOOPS:
            # The state and the stacked results are there all along, next to what a round takes.
            parts = [p["program"]] if name == "scan" else [p["cond"], p["body"]]
            round_ = max((self.peak(q) for q in parts), key=lambda k: k.bytes)
            own = sum(bytes_of(v.type) for v in equation.outputs)
            held = Counter({(name, equation.source): own})
            held.update(round_.held)
            return Peak(own + round_.bytes, held)
        runs = expansion(equation)
        return _NOTHING if runs is None else self.peak(runs)


def _roots(program: Program) -> dict[Variable, Variable]:
    """For each variable the one whose memory it is in: views have none of their own."""
    roots = {v: v for v in program.inputs}
    for equation in program.equations:
        view = equation.primitive.name in VIEWS
        for index, output in enumerate(equation.outputs):
            source = equation.inputs[index] if view and index < len(equation.inputs) else None
            roots[output] = roots[source] if isinstance(source, Variable) else output
    return roots


def _lifetimes(program: Program, roots: Mapping[Variable, Variable]) -> dict[Variable, int]:
    """The equation after which the memory of each computed value is free."""
    last: dict[Variable, int] = {}
    for index, equation in enumerate(program.equations):
        for atom in (*equation.inputs, *equation.outputs):
            if isinstance(atom, Variable):
                last[roots[atom]] = index
    for atom in program.outputs:
        if isinstance(atom, Variable):
            last[roots[atom]] = len(program.equations)
    for variable in program.inputs:
        last.pop(variable, None)
    return last
