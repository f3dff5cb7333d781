"""The cut: where XLA's CPU compiler would compute a long chain again in each of its users.

Fusion copies a value that follows by cheap operations into everything that uses it. The sum of all
residual cotangents is such a value, with users in every layer: code, compile time and step time then grow
with the square of the depth. A fence in such a chain ends that. A barrier would not: XLA's CPU compiler
drops those before it fuses (0.10), so the fence is a call, kept apart, of a Program that does nothing,
which costs no copy.
"""

from __future__ import annotations

from fn.core import Atom, Equation, Program, Variable
from fn.xla.passes._outline_cost import cheap, fuses
from fn.xla.passes._outline_report import Fence, noted
from fn.xla.passes._share import call_apart_p
from fn.xla.passes._walk import recursive, with_equations

LONG = 32
"""Equations in a chain, from which on it is cut at a value with several users."""


@recursive
def cut(program: Program) -> Program:
    """`program` with long chains of cheap operations fenced where they have several users.

    A program without such chains is returned as it is.
    """
    if len(program.equations) < LONG:
        return program
    return fenced(program, LONG)


def fenced(program: Program, long: int) -> Program:
    """`program` with fences in chains of at least `long` equations."""
    users: dict[Atom, int] = {}
    for equation in program.equations:
        for atom in set(equation.inputs):
            users[atom] = users.get(atom, 0) + 1
    # Per value, the equations that its users would compute again: a set, or none where it is in memory.
    chains: dict[Atom, set[int]] = {}
    fences: dict[Variable, tuple[Equation, int]] = {}
    for index, equation in enumerate(program.equations):
        if not fuses(equation.primitive):
            continue
        (variable,) = equation.outputs
        count = users.get(variable, 0)
        if count > 1 and not cheap(equation.primitive):
            continue  # a special function with several users is computed once
        own = {index}
        for atom in set(equation.inputs):
            chain = chains.get(atom)
            if chain:
                if users[atom] == 1:
                    del chains[atom]
                    if len(chain) > len(own):
                        own, chain = chain, own
                own |= chain
        if count > 1 and len(own) >= long:
            place = _place(equation)
            if place is not None:
                fences[place] = equation, len(own)
                own = set() if place is variable else {index}
        chains[variable] = own
    if not fences:
        return program
    return _with_fences(program, fences, users)


def _place(equation: Equation) -> Variable | None:
    """Where to fence a chain that ends in `equation`: before a broadcast there is less to keep."""
    (variable,) = equation.outputs
    if equation.primitive.name != "broadcast":
        return variable
    (atom,) = equation.inputs
    return atom if isinstance(atom, Variable) else None


def _with_fences(
    program: Program, fences: dict[Variable, tuple[Equation, int]], users: dict[Atom, int]
) -> Program:
    instead: dict[Atom, Atom] = {}
    equations: list[Equation] = []
    identities: dict[object, Program] = {}
    findings = []
    for equation in program.equations:
        inputs = tuple([instead.get(a, a) for a in equation.inputs])
        equations.append(
            Equation(equation.primitive, inputs, equation.outputs, equation.params, equation.source)
        )
        for variable in equation.outputs:
            found = fences.get(variable)
            if found is None:
                continue
            same = identities.get(variable.type)
            if same is None:
                inner = Variable(variable.type)
                same = identities[variable.type] = Program((inner,), (), (inner,), (), "fence")
            behind = Variable(variable.type)
            instead[variable] = behind
            equations.append(
                Equation(call_apart_p, (variable,), (behind,), {"program": same}, equation.source)
            )
            origin, chain = found
            many = users[origin.outputs[0]]
            findings.append(Fence(variable.type, chain, many, equation.source))
    outputs = [instead.get(a, a) for a in program.outputs]
    return noted(with_equations(program, equations, outputs), *findings)
