"""Carrying a transform through primitives that carry Programs, given how it transforms a Program.

A transform that computes several arrays for each array of a Program, such as Taylor coefficients or
derivatives along directions, says in a `Lift` how; here is what it means for calls, loops and branches:
the same loop over the transformed step, the same choice between the transformed branches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TypeAlias

from fn.control import (
    bounded_while_p,
    call_p,
    reversible_p,
    scan_p,
    switch_lanes_p,
    switch_p,
    while_loop_p,
)
from fn.core import ArrayType, Equation, Primitive, Program, bind, evaluate
from fn.derivatives._alone import captured_first, record

Pattern: TypeAlias = Any
"""Which arrays stand for one, hashable: for a Taylor series, which coefficients are not zero."""
Patterns: TypeAlias = tuple[Pattern, ...]
State: TypeAlias = Any
"""An array of the original Program as the transform sees it: itself, and what is computed along."""


class Lift(Protocol):
    """A transform of Programs in which several arrays stand for one."""

    @property
    def extra(self) -> Sequence[Any]:
        """Arrays that every transformed Program takes first."""

    def derive(
        self, program: Program, patterns: Patterns, wanted: Patterns | None = None
    ) -> tuple[Program, Patterns]:
        """The transformed Program, from `extra` and packed inputs to packed outputs.

        Args:
            program: without captured arrays.
            patterns: per input.
            wanted: per output, a pattern to give it, at least as wide as its own.

        Returns:
            The Program, and per output its pattern.
        """

    def pattern(self, state: State) -> Pattern:
        """The pattern of a state."""

    def join(self, first: Pattern, second: Pattern) -> Pattern:
        """The narrowest pattern into which states of both fit."""

    def types(self, type: ArrayType, pattern: Pattern) -> list[ArrayType]:
        """Types of the arrays that stand for one of this type; the first is its own."""

    def pack(self, state: State, pattern: Pattern) -> list[Any]:
        """The arrays of a state, with zeros where the pattern is wider."""

    def unpack(self, arrays: Iterator[Any], pattern: Pattern) -> State:
        """The state made of the next arrays."""

    def entry(self, pattern: Pattern) -> Pattern:
        """The pattern of an entry along the leading axis of a state of this pattern."""

    def pack_entries(self, state: State, entry: Pattern) -> list[Any]:
        """The arrays of a state with the leading axis first in all, for entries of this pattern."""

    def unpack_entries(self, arrays: Iterator[Any], entry: Pattern) -> State:
        """The inverse of `pack_entries`."""


Rule: TypeAlias = Callable[[Lift, Equation, Sequence[State]], list[State]]


def carry(lift: Lift, equation: Equation, states: Sequence[State]) -> list[State] | None:
    """The states of the outputs of an equation that carries Programs; None if it is not one of those."""
    rule = _RULES.get(equation.primitive)
    return None if rule is None else rule(lift, equation, states)


# --- calls ------------------------------------------------------------------------------


def _call(lift: Lift, equation: Equation, states: Sequence[State]) -> list[State]:
    patterns = tuple(map(lift.pattern, states))
    derived, outs = lift.derive(equation.params["program"], patterns)
    program, held = captured_first(derived)
    params = {**equation.params, "program": program}
    found = bind(equation.primitive, *held, *lift.extra, *_packed(lift, states, patterns), **params)
    return _unpacked(lift, found, outs)


# --- loops ------------------------------------------------------------------------------


def _closed(
    lift: Lift, step: Program, patterns: Patterns, consts: int, carry: int
) -> tuple[Patterns, Patterns]:
    """Patterns of a step's inputs and outputs once the carry comes out as it goes in.

    Patterns only ever widen, and there are finitely many.
    """
    while True:
        outs = lift.derive(step, patterns)[1]
        inside = patterns[consts : consts + carry]
        joint = tuple(map(lift.join, inside, outs[:carry]))
        if joint == inside:
            return patterns, (*joint, *outs[carry:])
        patterns = (*patterns[:consts], *joint, *patterns[consts + carry :])


def _scan(lift: Lift, equation: Equation, states: Sequence[State]) -> list[State]:
    params = dict(equation.params)
    step, consts, carry = params["program"], params["consts"], params["carry"]
    start = consts + carry
    own = tuple(map(lift.pattern, states))
    patterns = (*own[:start], *map(lift.entry, own[start:]))
    patterns, outs = _closed(lift, step, patterns, consts, carry)
    derived, _ = lift.derive(step, patterns, outs)
    program, held = captured_first(derived)
    fixed = [*held, *lift.extra, *_packed(lift, states[:consts], patterns[:consts])]
    init = _packed(lift, states[consts:start], patterns[consts:start])
    xs: list[Any] = []
    for state, pattern in zip(states[start:], patterns[start:], strict=True):
        xs += lift.pack_entries(state, pattern)
    params.update(program=program, consts=len(fixed), carry=len(init))
    found = iter(bind(equation.primitive, *fixed, *init, *xs, **params))
    after = [lift.unpack(found, p) for p in outs[:carry]]
    return after + [lift.unpack_entries(found, p) for p in outs[carry:]]


def _while(lift: Lift, equation: Equation, states: Sequence[State]) -> list[State]:
    params = dict(equation.params)
    cond, step = params["cond"], params["body"]
    first, consts = params["cond_consts"], params["body_consts"]
    carry = len(states) - first - consts
    patterns, outs = _closed(lift, step, tuple(map(lift.pattern, states[first:])), consts, carry)
    derived, _ = lift.derive(step, patterns, outs)
    program, held = captured_first(derived)
    test_types = list(cond.in_types[:first])
    places = []
    for t, pattern in zip(step.in_types[consts:], patterns[consts:], strict=True):
        places.append(len(test_types))
        test_types += lift.types(t, pattern)

    def test(*values: Any) -> list[Any]:
        return evaluate(cond, [*values[:first], *[values[i] for i in places]])

    fixed = [*held, *lift.extra, *_packed(lift, states[first : first + consts], patterns[:consts])]
    init = _packed(lift, states[first + consts :], patterns[consts:])
    params.update(cond=record(test, test_types, cond.name), body=program, body_consts=len(fixed))
    known = [lift.pack(s, lift.pattern(s))[0] for s in states[:first]]
    found = bind(equation.primitive, *known, *fixed, *init, **params)
    return _unpacked(lift, found, outs)


# --- branches ---------------------------------------------------------------------------


def _alike(
    lift: Lift, programs: Sequence[Program], patterns: Patterns
) -> tuple[list[Program], list[Any], Patterns]:
    """The transformed alternatives, which take and give the same: what any captured comes first."""
    outs = lift.derive(programs[0], patterns)[1]
    for program in programs[1:]:
        outs = tuple(map(lift.join, outs, lift.derive(program, patterns)[1]))
    derived = [captured_first(lift.derive(p, patterns, outs)[0]) for p in programs]
    values = [v for _, held in derived for v in held]
    if not values:
        return [p for p, _ in derived], [], outs
    types = [t for p, held in derived for t in p.in_types[: len(held)]]
    widened, start = [], 0
    for program, held in derived:
        stop = start + len(held)

        def wide(*args: Any, p: Program = program, a: int = start, b: int = stop) -> list[Any]:
            return evaluate(p, [*args[a:b], *args[len(values) :]])

        widened.append(record(wide, [*types, *program.in_types[len(held) :]], program.name))
        start = stop
    return widened, values, outs


def _switch(lift: Lift, equation: Equation, states: Sequence[State]) -> list[State]:
    patterns = tuple(map(lift.pattern, states))
    programs, held, outs = _alike(lift, equation.params["branches"], patterns[1:])
    params = {**equation.params, "branches": tuple(programs)}
    (index,) = lift.pack(states[0], patterns[0])
    operands = [*held, *lift.extra, *_packed(lift, states[1:], patterns[1:])]
    return _unpacked(lift, bind(equation.primitive, index, *operands, **params), outs)


def _switch_lanes(lift: Lift, equation: Equation, states: Sequence[State]) -> list[State]:
    lanes = equation.params["lanes"]
    (index,) = lift.pack(states[0], lift.pattern(states[0]))
    patterns = tuple(
        [
            lift.entry(lift.pattern(s)) if lane else lift.pattern(s)
            for s, lane in zip(states[1:], lanes, strict=True)
        ]
    )
    programs, held, outs = _alike(lift, equation.params["branches"], patterns)
    operands = [*held, *lift.extra]
    in_lanes = [False] * len(operands)
    for state, lane, pattern in zip(states[1:], lanes, patterns, strict=True):
        packed = lift.pack_entries(state, pattern) if lane else lift.pack(state, pattern)
        operands += packed
        in_lanes += [lane] * len(packed)
    params = {**equation.params, "branches": tuple(programs), "lanes": tuple(in_lanes)}
    found = iter(bind(equation.primitive, index, *operands, **params))
    return [lift.unpack_entries(found, p) for p in outs]


def _reversible(lift: Lift, equation: Equation, states: Sequence[State]) -> list[State]:
    patterns = tuple(map(lift.pattern, states))
    both = equation.params["fast"], equation.params["stored"]
    (fast, stored), held, outs = _alike(lift, both, patterns)
    operands = [*held, *lift.extra, *_packed(lift, states, patterns)]
    return _unpacked(lift, bind(equation.primitive, *operands, fast=fast, stored=stored), outs)


def _packed(lift: Lift, states: Sequence[State], patterns: Patterns) -> list[Any]:
    return [x for s, p in zip(states, patterns, strict=True) for x in lift.pack(s, p)]


def _unpacked(lift: Lift, arrays: Sequence[Any], patterns: Patterns) -> list[State]:
    left = iter(arrays)
    return [lift.unpack(left, p) for p in patterns]


_RULES: dict[Primitive, Rule] = {
    call_p: _call,
    Primitive.named["remat"]: _call,
    scan_p: _scan,
    while_loop_p: _while,
    bounded_while_p: _while,
    switch_p: _switch,
    switch_lanes_p: _switch_lanes,
    reversible_p: _reversible,
}
