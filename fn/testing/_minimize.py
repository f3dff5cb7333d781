"""Making a Program that shows a fault smaller, as long as it still does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from fn.control import inline_calls
from fn.core import Equation, Literal, Program, Variable, check, dce, used_inputs
from fn.testing._stacks import Stack

Shows = Callable[[Program, Stack], bool]


def minimize(
    program: Program, stack: Stack, shows: Shows, seconds: float = 60.0
) -> tuple[Program, Stack]:
    """The smallest Program and stack found for which `shows` still holds.

    Args:
        program: shows the fault under `stack`.
        stack: the transforms.
        shows: whether a Program under a stack shows the fault; anything it raises counts as no.
        seconds: how long to go on.
    """
    end = time.perf_counter() + seconds

    def still(p: Program, s: Stack) -> bool:
        if time.perf_counter() > end:
            return False
        try:
            return shows(check(p), s)
        except Exception:  # what is cut out may have been needed for the rest to be well formed
            return False

    changed = True
    while changed and time.perf_counter() < end:
        changed = False
        for shorter in _shorter(stack):
            if still(program, shorter):
                stack, changed = shorter, True
                break
        for smaller in _smaller(program):
            if still(smaller, stack):
                program, changed = smaller, True
                break
    return program, stack


def _shorter(stack: Stack) -> Iterator[Stack]:
    for i in range(len(stack)):
        yield Stack([t for j, t in enumerate(stack) if j != i])


def _smaller(program: Program) -> Iterator[Program]:
    """Programs that are parts of `program`, the smallest first."""
    seen: list[Program] = []
    for sub in program.subprograms():
        if sub not in seen:
            seen.append(sub)
            yield _trimmed(sub.closed())
    if len(program.outputs) > 1:
        for out in program.outputs:
            yield _trimmed(Program(program.inputs, program.equations, (out,), (), "main"))
    if any(e.primitive.name == "call" for e in program.equations):
        yield _trimmed(inline_calls(program))
    size = len(program.equations)
    # What is computed early, as inputs; what is computed late, left out.
    step = max(size // 2, 1)
    while step >= 1:
        for start in range(size - step, 0, -step):
            yield _from(program, start)
        for stop in range(step, size, step):
            yield _until(program, stop)
        if step == 1:
            break
        step //= 2
    for i in range(size):
        yield _without(program, i)


def _trimmed(program: Program) -> Program:
    """Without dead code and unused inputs, and under a plain name."""
    small = dce(program)
    used = used_inputs(small)
    inputs = tuple([v for v, u in zip(small.inputs, used, strict=True) if u])
    return Program(inputs, small.equations, small.outputs, (), "main")


def _from(program: Program, start: int) -> Program:
    early = tuple([v for e in program.equations[:start] for v in e.outputs])
    inputs = (*program.inputs, *early)
    return _trimmed(Program(inputs, program.equations[start:], program.outputs, (), "main"))


def _until(program: Program, stop: int) -> Program:
    outputs = program.equations[stop - 1].outputs
    return _trimmed(Program(program.inputs, program.equations[:stop], outputs, (), "main"))


def _without(program: Program, index: int) -> Program:
    """Without one equation: an operand of the type of its result in its place, or a new input."""
    equation = program.equations[index]
    rest = [e for i, e in enumerate(program.equations) if i != index]
    swap: dict[Variable, Variable] = {}
    new: list[Variable] = []
    for out in equation.outputs:
        like = [a for a in equation.inputs if isinstance(a, Variable) and a.type is out.type]
        if like:
            swap[out] = like[0]
        else:
            new.append(out)
    equations = tuple([_swapped(e, swap) for e in rest])
    outputs = tuple([a if isinstance(a, Literal) else swap.get(a, a) for a in program.outputs])
    return _trimmed(Program((*program.inputs, *new), equations, outputs, (), "main"))


def _swapped(equation: Equation, swap: dict[Variable, Variable]) -> Equation:
    inputs = tuple([a if isinstance(a, Literal) else swap.get(a, a) for a in equation.inputs])
    return Equation(equation.primitive, inputs, equation.outputs, equation.params, equation.source)
