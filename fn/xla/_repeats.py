"""Programs that are evaluated again: from then on one executable, not one operation at a time.

`fn.grad(f)(x)` in a Python loop makes the same Program in every round. Only numbers written into it may
differ, where `f` closes over a step size or a counter: those become arguments of the executable.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import jax

from fn.core import Equation, Literal, Program, Variable
from fn.xla._dispatch import run

_KEPT = 256
# Compiling costs about as much as evaluating so many operations one by one: small Programs, whose
# operations are soon done, have to come back more often.
_OPERATIONS = 64


class _Repeat:
    """What is known of all Programs that are equal up to the numbers in them."""

    def __init__(self) -> None:
        self.seen = 0
        self.numbers: tuple[Literal, ...] = ()
        self.varying: tuple[int, ...] = ()
        self.call: Callable[..., Any] | None = None

    def note(self, numbers: tuple[Literal, ...]) -> None:
        """Count one evaluation with these numbers; those that change from now on are arguments."""
        if self.seen:
            changed = [
                i for i, (a, b) in enumerate(zip(self.numbers, numbers, strict=True)) if a != b
            ]
            if not set(changed) <= set(self.varying):
                self.varying = tuple(sorted({*self.varying, *changed}))
                self.call = None
        self.seen += 1
        self.numbers = numbers

    def results(self, program: Program, values: list[Any]) -> list[Any]:
        """The outputs of `program`, which has the numbers noted last."""
        if self.call is None:
            self.call = _compile(program, self.varying)
        varying = [self.numbers[i].operand for i in self.varying]
        return list(self.call(*values, *varying))


_repeats: OrderedDict[Any, _Repeat] = OrderedDict()


def repeated(program: Program, values: list[Any]) -> list[Any] | None:
    """Outputs of `program` through an executable, or None while it is better evaluated op by op."""
    count = len(program.equations)
    if count < 2:
        return None
    known = program.cache.get("skeleton")
    if known is None:
        if program.effects:
            return None
        known = program.cache["skeleton"] = _skeleton(program)
    key, numbers = known
    repeat = _repeats.get(key)
    if repeat is None:
        repeat = _repeats[key] = _Repeat()
        while len(_repeats) > _KEPT:
            _repeats.popitem(last=False)
    else:
        _repeats.move_to_end(key)
    repeat.note(numbers)
    if repeat.seen < 2 or repeat.seen * count < _OPERATIONS:
        return None
    return repeat.results(program, values)


class _Key:
    """A tuple whose hash is computed once."""

    __slots__ = ("parts", "hash")

    def __init__(self, parts: tuple[Any, ...]) -> None:
        self.parts, self.hash = parts, hash(parts)

    def __hash__(self) -> int:
        return self.hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and (self.parts is other.parts or self.parts == other.parts)


def _skeleton(program: Program) -> tuple[_Key, tuple[Literal, ...]]:
    """The Program without its variables' identities and the numbers in its equations, and those numbers."""
    place: dict[Any, int] = {v: i for i, v in enumerate(program.inputs)}
    numbers: list[Literal] = []
    parts: list[Any] = [program.in_types]
    for equation in program.equations:
        inputs: list[Any] = []
        for atom in equation.inputs:
            if isinstance(atom, Literal):
                numbers.append(atom)
                inputs.append(atom.type)
            else:
                inputs.append(place[atom])
        for variable in equation.outputs:
            place[variable] = len(place)
        params = tuple(equation.params.items())
        parts.append((equation.primitive, params, tuple(inputs)))
    parts.append(tuple([a if isinstance(a, Literal) else place[a] for a in program.outputs]))
    return _Key(tuple(parts)), tuple(numbers)


def _compile(program: Program, varying: tuple[int, ...]) -> Callable[..., Any]:
    """`program` as one executable; its numbers at the places `varying` are arguments after the others."""
    own = {}
    equations, count = [], 0
    chosen = set(varying)
    for equation in program.equations:
        inputs = []
        for atom in equation.inputs:
            if isinstance(atom, Literal):
                if count in chosen:
                    own[count] = Variable(atom.type)
                    atom = own[count]
                count += 1
            inputs.append(atom)
        equations.append(
            Equation(
                equation.primitive, tuple(inputs), equation.outputs, equation.params,
                equation.source,
            )
        )  # fmt: skip
    inputs_ = (*program.inputs, *own.values())
    lifted = Program(inputs_, tuple(equations), program.outputs, (), program.name)

    def call(*args: Any) -> list[Any]:
        return run(lifted, args)

    call.__name__ = program.name
    return jax.jit(call)
