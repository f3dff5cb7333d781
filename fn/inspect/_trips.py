"""How often a loop goes round, as far as its Program says."""

from __future__ import annotations

import math
from typing import NamedTuple

from fn.core import Atom, Equation, Literal, Program, Variable


class Trips(NamedTuple):
    """How often the body of a loop runs."""

    rounds: int
    known: bool = True
    """False where nothing says how often; then one round is counted."""


def trips(equation: Equation, bounds: tuple[int, ...]) -> tuple[Trips, tuple[int, ...]]:
    """The rounds of a loop, and the bounds that are left for loops inside it.

    Args:
        equation: a `scan` or `while_loop`.
        bounds: what is known from outside of how often loops go round, outermost first.
    """
    if equation.primitive.name == "scan":
        return Trips(equation.params["length"]), bounds
    if bounds:
        return Trips(bounds[0]), bounds[1:]
    counted = _counted(equation)
    return (Trips(1, False) if counted is None else Trips(counted)), bounds


def bounds_of(equation: Equation) -> tuple[int, ...]:
    """What an equation that runs loops says of how often they go round, outermost first."""
    p = equation.params
    if "max_steps" not in p:
        return ()
    if equation.primitive.name != "while_adjoint":
        return (p["max_steps"],)
    # Backwards over all steps, each after going on from the checkpoint before: once, on average over
    # so many steps as the checkpoints make it.
    steps, slots, again = p["max_steps"], p["checkpoints"] + 1, 0
    while math.comb(slots + again, again) < steps:
        again += 1
    return (steps, 1, max(again, 1))


_COMPARISONS = {
    "lt": lambda n, i: i < n, "le": lambda n, i: i <= n, "gt": lambda n, i: i > n,
    "ge": lambda n, i: i >= n, "ne": lambda n, i: i != n,
}  # fmt: skip
_SWAPPED = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le", "ne": "ne"}


def _counted(equation: Equation) -> int | None:
    """The rounds of `while i < n: i += k`, where start, end and step are written in the Program."""
    p = equation.params
    cond, body, first = p["cond"], p["body"], p["cond_consts"]
    start = first + p["body_consts"]
    test = _definition(cond, cond.outputs[0])
    if test is None or test.primitive.name not in _COMPARISONS:
        return None
    operands = [_number(a, cond, equation.inputs[:first]) for a in test.inputs]
    side = 0 if operands[0] is None else 1
    counter, end = test.inputs[side], operands[1 - side]
    if end is None or counter not in cond.inputs[first:]:
        return None
    place = cond.inputs.index(counter) - first
    begin = _number(equation.inputs[start + place], None, ())
    step = _step(body, place + p["body_consts"], place)
    if begin is None or not step:
        return None
    relation = test.primitive.name if side == 0 else _SWAPPED[test.primitive.name]
    return _rounds(begin, end, step, relation)


def _rounds(begin: float, end: float, step: float, relation: str) -> int | None:
    if not _COMPARISONS[relation](end, begin):
        return 0
    distance = (end - begin) / step
    if distance < 0 or not math.isfinite(distance):
        return None
    whole = math.ceil(distance) if relation != "ne" else distance
    if whole != int(whole):
        return None
    return int(whole) + (relation in ("le", "ge") and distance == int(distance))


def _step(body: Program, input: int, output: int) -> float | None:
    """What a round adds to a carry."""
    equation = _definition(body, body.outputs[output])
    if equation is None or equation.primitive.name not in ("add", "sub"):
        return None
    a, b = equation.inputs
    own = body.inputs[input]
    if equation.primitive.name == "add" and b is own:
        a, b = b, a
    number = _number(b, None, ())
    if a is not own or number is None:
        return None
    return number if equation.primitive.name == "add" else -number


def _definition(program: Program, atom: Atom) -> Equation | None:
    return next((e for e in program.equations if atom in e.outputs), None)


def _number(atom: Atom, program: Program | None, consts: tuple[Atom, ...]) -> float | None:
    """A number written in the Program, or handed to it as a constant."""
    if isinstance(atom, Variable) and program is not None and atom in program.inputs[: len(consts)]:
        atom = consts[program.inputs.index(atom)]
    if isinstance(atom, Literal) and atom.value.dtype.kind in "iuf":
        return float(atom.value)
    return None
