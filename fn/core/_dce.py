"""Dead-code elimination: keep only what the outputs need."""

from __future__ import annotations

from collections.abc import Sequence

from fn.core._program import Atom, Equation, Program, Variable


def dce(program: Program, used: Sequence[bool] | None = None) -> Program:
    """`program` without the equations its outputs do not need; those with an effect stay.

    Args:
        program: any Program. Its inputs stay as they are.
        used: which outputs to keep; None keeps all.
    """
    outputs = program.outputs
    if used is not None:
        outputs = tuple([a for a, keep in zip(outputs, used, strict=True) if keep])
    needed: set[Atom] = set(outputs)
    kept: list[Equation] = []
    for equation in reversed(program.equations):
        wanted = [v in needed for v in equation.outputs]
        if not any(wanted) and not equation.effects:
            continue
        if equation.primitive.prune is not None and not all(wanted):
            equation = _prune(equation, wanted)
        kept.append(equation)
        needed.update(equation.inputs)
    if len(kept) == len(program.equations) and used is None:
        same = all(a is b for a, b in zip(reversed(kept), program.equations, strict=True))
        if same:
            return program
    return Program(program.inputs, tuple(reversed(kept)), outputs, program.captured, program.name)


def _prune(equation: Equation, wanted: list[bool]) -> Equation:
    assert equation.primitive.prune is not None
    inputs, params, *kept = equation.primitive.prune(
        tuple(wanted), equation.inputs, **equation.params
    )
    # A loop keeps results nobody uses while another result is computed from them.
    kept = kept[0] if kept else wanted
    if all(kept) and len(inputs) == len(equation.inputs):
        return equation
    outputs = tuple([v for v, keep in zip(equation.outputs, kept, strict=True) if keep])
    return Equation(equation.primitive, tuple(inputs), outputs, params, equation.source)


def used_inputs(program: Program) -> list[bool]:
    """Which inputs some equation or output of `program` uses."""
    used: set[Atom] = {a for e in program.equations for a in e.inputs}
    used.update(a for a in program.outputs if isinstance(a, Variable))
    return [v in used for v in program.inputs]
