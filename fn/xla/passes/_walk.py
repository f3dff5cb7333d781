"""What passes share: going into sub-programs, each once; remembering results; copying equations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any, TypeAlias

from fn.core import Atom, Equation, Literal, Primitive, Program, Source, Variable, infer

Pass: TypeAlias = Callable[[Program], Program]

DEFERRED = frozenset({
    "bounded_while", "custom_linear", "linear_solve", "reversible", "switch_lanes", "vmap",
    "while_adjoint", "while_tangent",
})  # fmt: skip
"""Primitives that stand for a call of a Program derived from those they carry; see `_expand.py`.

What they carry is not what runs: it may be differentiated or batched yet, and has to stay what it is.
"""


def recursive(step: Pass) -> Pass:
    """A pass from a step on a Program's own equations: what is inside comes first, each Program once.

    Results are remembered on the Programs, so Programs that were shared stay shared.
    """
    key = ("pass", step.__name__)

    @wraps(step)
    def run(program: Program) -> Program:
        found: Program | None = program.cache.get(key)
        if found is None:
            found = program.cache[key] = step(with_subprograms(program, run))
        return found

    return run


def with_subprograms(program: Program, change: Pass) -> Program:
    """`program` with the Programs its equations run changed; the same object if none changes."""
    changed: dict[int, Equation] = {}
    for index, equation in enumerate(program.equations):
        primitive = equation.primitive
        if not primitive.multiple or primitive.name in DEFERRED:
            continue  # whatever carries Programs returns a tuple
        params = {name: _changed(value, change) for name, value in equation.params.items()}
        if any(params[name] is not value for name, value in equation.params.items()):
            changed[index] = with_params(equation, params)
    if not changed:
        return program
    equations = [changed.get(i, e) for i, e in enumerate(program.equations)]
    return with_equations(program, equations)


def _changed(value: Any, change: Pass) -> Any:
    if isinstance(value, Program):
        return change(value)
    if isinstance(value, tuple):
        parts = tuple([_changed(part, change) for part in value])
        if any(a is not b for a, b in zip(parts, value, strict=True)):
            return parts
    return value


def with_params(equation: Equation, params: dict[str, Any]) -> Equation:
    """`equation`, outputs and all, with other parameters."""
    return Equation(equation.primitive, equation.inputs, equation.outputs, params, equation.source)


def with_equations(
    program: Program, equations: Iterable[Equation], outputs: Sequence[Atom] | None = None
) -> Program:
    """`program` with other equations, and other outputs if given."""
    outs = program.outputs if outputs is None else tuple(outputs)
    return Program(program.inputs, tuple(equations), outs, program.captured, program.name)


class Builder:
    """Equations being written, with stand-ins for variables that are gone."""

    def __init__(self) -> None:
        self.equations: list[Equation] = []
        self.instead: dict[Variable, Atom] = {}

    def at(self, atom: Atom) -> Atom:
        """What stands for `atom` now."""
        return self.instead.get(atom, atom) if isinstance(atom, Variable) else atom

    def add(
        self, name: str, *inputs: Atom, source: Source | None = None, **params: Any
    ) -> Variable:
        """A new equation with one output."""
        return self.add_all(name, inputs, params, source)[0]

    def add_all(
        self, name: str, inputs: Sequence[Atom], params: dict[str, Any], source: Source | None
    ) -> tuple[Variable, ...]:
        """A new equation of the primitive called `name`."""
        primitive = Primitive.named[name]
        types = infer(primitive, tuple([a.type for a in inputs]), params)
        outputs = tuple([Variable(t) for t in types])
        self.equations.append(Equation(primitive, tuple(inputs), outputs, params, source))
        return outputs

    def in_type(self, atom: Atom, like: Atom, source: Source | None = None) -> Atom:
        """`atom` as weak or strong as `like`, whose shape and dtype it has: nothing in the executable."""
        if atom.type is like.type:
            return atom
        if isinstance(atom, Literal):
            return Literal(atom.value, like.type)
        return self.add("convert", atom, source=source, dtype=like.type.dtype, weak=like.type.weak)

    def splice(
        self, program: Program, inputs: Sequence[Atom], source: Source | None = None
    ) -> list[Atom]:
        """All equations of `program`, on `inputs`; gives what its outputs are."""
        env: dict[Variable, Atom] = {
            v: self.in_type(a, v, source) for v, a in zip(program.inputs, inputs, strict=True)
        }
        for equation in program.equations:
            copy = equation.with_inputs(_mapped(equation.inputs, env))
            self.equations.append(copy)
            env.update(zip(equation.outputs, copy.outputs, strict=True))
        return list(_mapped(program.outputs, env))

    def keep(self, equation: Equation) -> Equation:
        """`equation` itself, outputs and all, on what stands for its inputs now."""
        if self.instead:
            inputs = _mapped(equation.inputs, self.instead)
            if any(a is not b for a, b in zip(inputs, equation.inputs, strict=True)):
                equation = Equation(
                    equation.primitive, inputs, equation.outputs, equation.params, equation.source
                )
        self.equations.append(equation)
        return equation

    def replace(self, outputs: Sequence[Variable], found: Sequence[Atom]) -> None:
        """From here on, `found` stands for `outputs`."""
        for variable, atom in zip(outputs, found, strict=True):
            self.instead[variable] = self.in_type(atom, variable)

    def program(self, like: Program) -> Program:
        """`like`, with the equations written here."""
        return with_equations(like, self.equations, [self.at(a) for a in like.outputs])


def _mapped(atoms: Sequence[Atom], env: dict[Variable, Atom]) -> tuple[Atom, ...]:
    return tuple([env.get(a, a) if isinstance(a, Variable) else a for a in atoms])


def pure(equation: Equation) -> bool:
    """Whether all `equation` does is compute its outputs, in the executable itself."""
    return not equation.effects and equation.primitive.eager is None
