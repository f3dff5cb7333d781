"""Programs without their effects: what is computed again, or is not to be seen, does it silently."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fn.core import Atom, Equation, Literal, MissingRuleError, Program, Variable, checked, dce

ALL = frozenset({"host", "ordered", "check", "tag"})


def quiet(program: Program) -> Program:
    """`program` for the second time it runs: its outputs, and nothing else that it does.

    Raises:
        MissingRuleError: if it needs what an `io_callback` returns.
    """
    return without(program, ALL)


def without(program: Program, effects: frozenset[str]) -> Program:
    """`program` without the equations that have one of these effects, here and in all it carries.

    A tag is the value it names. Remembered on the Program.
    """
    if not program.effects & effects:
        return program
    key = ("without", effects)
    found: Program | None = program.cache.get(key)
    if found is None:
        found = program.cache[key] = checked(_without(program, effects))
    return found


def _without(program: Program, effects: frozenset[str]) -> Program:
    instead: dict[Variable, Atom] = {}
    gone: dict[Variable, Any] = {}

    def at(atom: Atom) -> Atom:
        return atom if isinstance(atom, Literal) else instead.get(atom, atom)

    kept: list[Equation] = []
    for equation in program.equations:
        inputs = tuple(map(at, equation.inputs))
        params: Any = equation.params
        if equation.effects & effects:
            if equation.primitive.effect == "tag":
                instead.update(zip(equation.outputs, inputs, strict=True))
                continue
            if equation.primitive.effect is not None and not has_programs(equation):
                gone.update(dict.fromkeys(equation.outputs, params.get("host")))
                continue
            params = {k: with_programs(v, lambda p: without(p, effects)) for k, v in params.items()}
        kept.append(Equation(equation.primitive, inputs, equation.outputs, params, equation.source))
    outputs = tuple(map(at, program.outputs))
    found = dce(Program(program.inputs, tuple(kept), outputs, program.captured, program.name))
    if gone:
        for atom in (*[a for e in found.equations for a in e.inputs], *found.outputs):
            if isinstance(atom, Variable) and atom in gone:
                raise _needed(gone[atom])
    return found


def has_programs(equation: Equation) -> bool:
    """Whether an equation carries Programs."""
    return any(True for _ in Program((), (equation,), ()).subprograms())


def with_programs(value: Any, change: Callable[[Program], Program]) -> Any:
    """A parameter with the Programs in it changed."""
    if isinstance(value, Program):
        return change(value)
    if isinstance(value, tuple):
        return tuple([with_programs(v, change) for v in value])
    return value


def _needed(host: Any) -> MissingRuleError:
    return MissingRuleError(
        f"{host.operation} of `{host.name}` stands where a loop is run again for its derivative",
        expected="callbacks that give nothing (fn.debug.callback), or that are pure (fn.pure_callback)",
        got="one whose results the loop needs, and that must run only once",
        fix="use fn.scan, or a fori_loop with static bounds, which keep what it returned",
    )
