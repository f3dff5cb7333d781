"""Loop-invariant code: what a loop computes from its constants alone is computed once, before it."""

from __future__ import annotations

from typing import NamedTuple

from fn.core import Atom, Equation, Program, Variable, dce
from fn.xla.passes._walk import Builder, pure, recursive

_LOOPS = frozenset({"scan", "while_loop"})
# It may not end, which must not happen before a loop that takes no step.
_ENDLESS = "while_loop"
# In the loop these are part of what uses them; outside they would be arrays to read in every step.
_FREE = frozenset({"broadcast", "iota", "reshape"})
_SMALL = 1024
_GROWTH = 2


@recursive
def hoist(program: Program) -> Program:
    """`program` whose loops compute nothing that is the same in every step.

    What is much larger than all it is computed from stays inside, and so does what has an effect or may
    not end.
    """
    if not any(e.primitive.name in _LOOPS for e in program.equations):
        return program
    builder = Builder()
    changed = False
    for equation in program.equations:
        equation = builder.keep(equation)
        if equation.primitive.name not in _LOOPS:
            continue
        builder.equations.pop()
        for part in _parts(equation):
            moved = _divided(equation.params[part.name], equation.params[part.counted])
            if moved is not None:
                equation = _apply(builder, equation, part, *moved)
                changed = True
        builder.equations.append(equation)
    return builder.program(program) if changed else program


class _Part(NamedTuple):
    """A Program that a loop repeats: the parameter, where its constants start, what counts them."""

    name: str
    first: int
    counted: str


def _parts(equation: Equation) -> list[_Part]:
    if equation.primitive.name == "scan":
        return [_Part("program", 0, "consts")]
    # Backwards, as constants added to the step do not move those of the condition, which come first.
    step = _Part("body", equation.params["cond_consts"], "body_consts")
    return [step, _Part("cond", 0, "cond_consts")]


def _apply(
    builder: Builder, equation: Equation, part: _Part, before: Program, inside: Program
) -> Equation:
    """The loop with `inside` for its Program, after `before`, whose results are more constants."""
    count = equation.params[part.counted]
    last = part.first + count
    inputs = equation.inputs
    found = builder.splice(before, inputs[part.first : last], equation.source)
    params = {**equation.params, part.name: inside, part.counted: count + len(found)}
    inputs = (*inputs[:last], *found, *inputs[last:])
    return Equation(equation.primitive, inputs, equation.outputs, params, equation.source)


def _divided(program: Program, consts: int) -> tuple[Program, Program] | None:
    """What to compute from the first `consts` inputs beforehand, and the rest with that for more inputs."""
    key = ("divided", consts)
    if key not in program.cache:
        program.cache[key] = _divide(program, consts)
    found: tuple[Program, Program] | None = program.cache[key]
    return found


def _divide(program: Program, consts: int) -> tuple[Program, Program] | None:
    given = program.inputs[:consts]
    # Of what is the same in every step: the equation, and how many bytes it is computed from.
    made: dict[Atom, Equation] = {}
    source: dict[Atom, int] = {v: _bytes(v) for v in given}
    inside: set[Equation] = set()
    moving: list[Equation] = []
    for equation in program.equations:
        variables = [a for a in equation.inputs if isinstance(a, Variable)]
        if not all(a in source for a in variables) or not _may_move(equation):
            moving.append(equation)
            continue
        size = sum(map(_bytes, equation.outputs))
        origin = sum(source[a] for a in variables)
        if equation.primitive.name in _FREE or size > _GROWTH * origin + _SMALL:
            inside.add(equation)
        else:
            origin = size
        for v in equation.outputs:
            made[v], source[v] = equation, origin
    hoisted: dict[Variable, None] = {}
    again: set[Equation] = set()
    todo = [a for e in reversed(moving) for a in e.inputs] + list(program.outputs)
    while todo:
        atom = todo.pop()
        found = made.get(atom)
        if found is None or not isinstance(atom, Variable):
            continue
        if found not in inside:
            hoisted[atom] = None
        elif found not in again:
            again.add(found)
            todo += found.inputs
    if not hoisted:
        return None
    outputs = tuple(hoisted)
    stays = set(moving)  # effects among them, which dead-code elimination would keep
    fixed = tuple([e for e in program.equations if e not in stays])
    before = dce(Program(given, fixed, outputs, (), f"before_{program.name}"))
    inputs = (*given, *outputs, *program.inputs[consts:])
    kept = {*moving, *again}
    equations = tuple([e for e in program.equations if e in kept])
    return before, Program(inputs, equations, program.outputs, (), program.name)


def _may_move(equation: Equation) -> bool:
    return pure(equation) and _ends(Program((), (equation,), ()))


def _ends(program: Program) -> bool:
    for equation in program.equations:
        if equation.primitive.name == _ENDLESS:
            return False
        if equation.primitive.multiple:
            inner = Program((), (equation,), ()).subprograms()
            if not all(map(_ends, inner)):
                return False
    return True


def _bytes(v: Variable) -> int:
    return v.type.size * v.type.dtype.itemsize
