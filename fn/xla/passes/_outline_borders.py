"""What crosses between calls that stay apart: as few bytes as the arithmetic allows.

A layer forwards hands to the layer backwards whatever the derivative asked for: a value, its square and its
broadcast, each an array in memory for the whole step. Inside one computation XLA would compute the cheap
ones again; across calls it cannot. So here the receiver computes again what follows by cheap operations
from less: a minimum cut, in bytes, through the equations of the giver.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fn.core import Atom, Equation, Literal, Program, Variable, dce, used_inputs
from fn.xla.passes._outline_cost import cheap, fuses, size
from fn.xla.passes._outline_cut import minimum_cut
from fn.xla.passes._outline_report import Thinner, noted
from fn.xla.passes._share import call_apart_p
from fn.xla.passes._walk import recursive, with_equations

_ROUNDS = 16
_WORTH = 0.95
"""A cut must bring the bytes below this part of what they were."""


@dataclass(frozen=True)
class _Pair:
    """A Program whose every call takes results of some call of another Program."""

    giver: Program
    taker: Program
    slots: dict[int, int]
    """Per input of the taker that is a result of the giver, which result."""
    sites: list[tuple[int, int]]
    """Per call of the taker, in order: the giver's equation and the taker's."""


@recursive
def thin(program: Program) -> Program:
    """`program` with less passed between calls that are kept apart."""
    before = program
    program = trimmed(program)
    found: list[Thinner] = []
    for _ in range(_ROUNDS):
        for pair in _pairs(program):
            thinner = _thinned(program, pair)
            if thinner is not None:
                program, bytes_before, bytes_after = thinner
                found.append(Thinner(pair.giver.name, pair.taker.name, bytes_before, bytes_after))
                break
        else:
            break
    return program if program is before else noted(program, *found)


def _pairs(program: Program) -> Iterator[_Pair]:
    made: dict[Atom, tuple[int, int]] = {}
    sites: dict[int, list[int]] = {}
    for index, equation in enumerate(program.equations):
        if equation.primitive is call_apart_p:
            sites.setdefault(id(equation.params["program"]), []).append(index)
            made.update({v: (index, k) for k, v in enumerate(equation.outputs)})
    for indices in sites.values():
        taker: Program = program.equations[indices[0]].params["program"]
        from_: dict[int, list[tuple[int, int]]] = {}
        for slot in range(len(taker.inputs)):
            givers = [made.get(program.equations[i].inputs[slot]) for i in indices]
            known = [g for g in givers if g is not None]
            if len(known) == len(indices) and len({k for _, k in known}) == 1:
                from_[slot] = known
        yield from _consistent(program, taker, indices, from_)


def _consistent(
    program: Program, taker: Program, indices: list[int], from_: dict[int, list[tuple[int, int]]]
) -> Iterator[_Pair]:
    """Pairs of the taker with each giver, slots in which one call gives to one call."""

    def giver_of(index: int) -> Program:
        found: Program = program.equations[index].params["program"]
        return found

    by_giver: dict[int, list[int]] = {}
    for slot, known in from_.items():
        givers = {id(giver_of(f)) for f, _ in known}
        if len(givers) == 1 and givers != {id(taker)}:
            by_giver.setdefault(givers.pop(), []).append(slot)
    for slots in by_giver.values():
        # One call may take from several: the one most of the slots have.
        most = Counter([tuple([f for f, _ in from_[s]]) for s in slots]).most_common(1)[0][0]
        chosen = {s: from_[s][0][1] for s in slots if tuple([f for f, _ in from_[s]]) == most}
        yield _Pair(giver_of(most[0]), taker, chosen, list(zip(most, indices, strict=True)))


def _thinned(program: Program, pair: _Pair) -> tuple[Program, int, int] | None:
    giver = pair.giver
    needed = list(dict.fromkeys([giver.outputs[k] for k in pair.slots.values()]))
    variables = [a for a in needed if isinstance(a, Variable)]
    costs = _costs(program, pair)
    saved, again = _cut(giver, variables, costs)
    before = sum([costs.get(v, size(v.type)) for v in variables])
    after = sum([costs.get(v, size(v.type)) for v in saved])
    if after > _WORTH * before:
        return None
    taker = _new_taker(pair, saved, again)
    # What each call of the giver now gives besides: saved values that were none of its results.
    extra = [v for v in saved if v not in giver.outputs and v not in giver.inputs]
    added: dict[int, list[Variable]] = {}
    equations = list(program.equations)
    for f, t in pair.sites:
        call = equations[f]
        new = added.setdefault(f, [Variable(v.type) for v in extra])
        at: dict[Atom, Atom] = {}
        at.update(zip(giver.inputs, call.inputs, strict=True))
        at.update(zip(extra, new, strict=True))
        at.update(
            {
                v: out
                for v, out in zip(giver.outputs, call.outputs, strict=True)
                if isinstance(v, Variable) and v not in at
            }
        )
        kept = [a for s, a in enumerate(equations[t].inputs) if s not in pair.slots]
        inputs = (*kept, *[at[v] for v in saved])
        equations[t] = _called(equations[t], taker, inputs, equations[t].outputs)
    more = Program(
        giver.inputs, giver.equations, (*giver.outputs, *extra), (), giver.name
    )  # what it gives no longer is dropped at the end
    for index, equation in enumerate(equations):
        if equation.primitive is call_apart_p and equation.params["program"] is giver:
            new = added.get(index) or [Variable(v.type) for v in extra]
            outputs = (*equation.outputs, *new)
            equations[index] = _called(equation, more, equation.inputs, outputs)
    return trimmed(with_equations(program, equations)), before, after


def _costs(program: Program, pair: _Pair) -> dict[Variable, int]:
    """Bytes that keeping an input of the giver takes: none if it is kept anyway."""
    kept = {*program.inputs}
    costs = {}
    for position, variable in enumerate(pair.giver.inputs):
        atoms = [
            (program.equations[f].inputs[position], program.equations[t]) for f, t in pair.sites
        ]
        free = all(isinstance(a, Literal) or a in kept or a in e.inputs for a, e in atoms)
        costs[variable] = 0 if free else size(variable.type)
    return costs


def _cut(
    giver: Program, needed: Sequence[Variable], costs: dict[Variable, int]
) -> tuple[list[Variable], list[Equation]]:
    """Which values to keep, and the equations that compute `needed` from them."""
    maker = {v: e for e in giver.equations for v in e.outputs}
    number: dict[Variable, int] = {}
    edges: list[tuple[int, int]] = []
    sources: list[int] = []
    todo = list(needed)
    for variable in todo:  # grows while it is walked
        if variable in number:
            continue
        number[variable] = len(number)
        equation = maker.get(variable)
        if equation is None or not cheap(equation.primitive):
            sources.append(number[variable])
            continue
        todo += [a for a in equation.inputs if isinstance(a, Variable)]
    for variable, at in number.items():
        equation = maker.get(variable)
        if equation is not None and cheap(equation.primitive):
            edges += [(number[a], at) for a in equation.inputs if isinstance(a, Variable)]
    # Where there is a choice, what is an array in memory anyway: nothing that fuses computes it.
    stored = {v for e in giver.equations if not fuses(e.primitive) for v in e.outputs}
    weights = [costs.get(v, size(v.type)) * (16 if v in stored else 17) for v in number]
    chosen = minimum_cut(weights, edges, sources, [number[v] for v in needed])
    names = list(number)
    saved = [names[i] for i in chosen]
    found = {*saved}
    wanted: set[Variable] = set()
    todo = [v for v in needed if v not in found]
    for variable in todo:
        if variable in wanted:
            continue
        wanted.add(variable)
        todo += [a for a in maker[variable].inputs if isinstance(a, Variable) and a not in found]
    return saved, [e for e in giver.equations if e.outputs[0] in wanted]


def _new_taker(pair: _Pair, saved: Sequence[Variable], again: Sequence[Equation]) -> Program:
    """The taker, computing again; what is saved comes after its own other inputs."""
    taker, giver = pair.taker, pair.giver
    fresh = [Variable(v.type) for v in saved]
    env: dict[Atom, Atom] = {}
    env.update(zip(saved, fresh, strict=True))
    equations: list[Equation] = []
    for equation in again:
        copy = equation.with_inputs(tuple([env.get(a, a) for a in equation.inputs]))
        env.update(zip(equation.outputs, copy.outputs, strict=True))
        equations.append(copy)
    instead: dict[Atom, Atom] = {}
    for slot, result in pair.slots.items():
        atom = giver.outputs[result]
        instead[taker.inputs[slot]] = env.get(atom, atom)
    for equation in taker.equations:
        inputs = tuple([instead.get(a, a) for a in equation.inputs])
        equations.append(
            Equation(equation.primitive, inputs, equation.outputs, equation.params, equation.source)
        )
    kept = [v for s, v in enumerate(taker.inputs) if s not in pair.slots]
    outputs = tuple([instead.get(a, a) for a in taker.outputs])
    program = Program((*kept, *fresh), tuple(equations), outputs, (), taker.name)
    return program


def trimmed(program: Program) -> Program:
    """`program` with no call that is kept apart giving what nobody takes, or taking what it does not use."""
    calls: dict[int, list[int]] = {}
    for index, equation in enumerate(program.equations):
        if equation.primitive is call_apart_p:
            calls.setdefault(id(equation.params["program"]), []).append(index)
    if not calls:
        return program
    changed = False
    equations = list(program.equations)
    taken: set[Atom] = {a for e in equations for a in e.inputs} | set(program.outputs)
    for indices in reversed(calls.values()):
        inner: Program = equations[indices[0]].params["program"]
        wanted = [
            any(equations[i].outputs[k] in taken for i in indices)
            for k in range(len(inner.outputs))
        ]
        smaller = dce(inner, wanted)
        used = used_inputs(smaller)
        if all(wanted) and all(used):
            continue
        kept = tuple([v for v, u in zip(smaller.inputs, used, strict=True) if u])
        smaller = Program(kept, smaller.equations, smaller.outputs, (), inner.name)
        for index in indices:
            equation = equations[index]
            inputs = tuple([a for a, u in zip(equation.inputs, used, strict=True) if u])
            outputs = tuple([v for v, w in zip(equation.outputs, wanted, strict=True) if w])
            equations[index] = _called(equation, smaller, inputs, outputs)
        changed = True
    return with_equations(program, equations) if changed else program


def _called(
    equation: Equation, program: Program, inputs: tuple[Atom, ...], outputs: tuple[Variable, ...]
) -> Equation:
    return Equation(call_apart_p, inputs, outputs, {"program": program}, equation.source)
