"""Packing: many small values that a loop treats alike become the lanes of a few arrays.

A loop on the CPU costs per value carried and per operation, not per number, so a state of sixty scalars
is as slow as one of sixty matrices. Here the carries, the entries and the results of a `scan` are put
into arrays along a new leading axis, where the operations on them are the same, and these operations are
done once on the arrays (superword-level parallelism, Larsen and Amarasinghe 2000). Elementwise operations
give each lane the bits it had.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from fn.core import ArrayType, Atom, Equation, Literal, Program, Variable, dce
from fn.xla.passes._common import common
from fn.xla.passes._lanes import LEAST, Lanes, Unprofitable, shape_of
from fn.xla.passes._simplify import simplify
from fn.xla.passes._walk import recursive

# What packing has to leave of the work in the body at most, in values handled.
_GAIN = 0.6
# Arrays larger than this do well without.
_LARGEST = 64
# A loop with fewer carries, entries, results and constants is small enough for XLA to make it one
# function, without a call per operation, and as fast as it gets.
_FEW = 40


@recursive
def pack(program: Program) -> Program:
    """`program` whose scans carry, read and write arrays where they did the same to many small values."""
    plans = {i: _plan(e) for i, e in enumerate(program.equations) if e.primitive.name == "scan"}
    if not any(plans.values()):
        return program
    lanes = Lanes()
    for index, equation in enumerate(program.equations):
        plan = plans.get(index)
        if plan is None:
            lanes.define(equation)
            lanes.keep(equation)
        else:
            plan.apply(lanes, equation)
    # What one loop unpacks another packs again: the same array, once it is simplified.
    return simplify(common(dce(lanes.program(program))))


class _Group(NamedTuple):
    """Values that become one array: their positions, among the carries or among the results."""

    at: list[int]
    type: ArrayType


class _Plan(NamedTuple):
    """A scan over arrays, and which of the scan it is made of are in each. Literals stand for themselves."""

    body: Program
    fixed: list[list[int | Literal]]
    carries: list[list[int]]
    entries: list[list[int]]
    results: list[list[int]]

    def apply(self, lanes: Lanes, equation: Equation) -> None:
        """Write the scan over arrays in place of `equation`, between what packs and what unpacks."""
        inputs, source = equation.inputs, equation.source
        lanes.allow(8 * len(inputs))

        def joined(at: Sequence[int | Literal], axis: int) -> Atom:
            atoms = [inputs[i] if isinstance(i, int) else i for i in at]
            if len(atoms) == 1:
                return lanes.at(atoms[0])
            if axis == 0:
                try:
                    return lanes.array(atoms)
                except Unprofitable:
                    lanes.allow(0)
            parts = []
            for a in map(lanes.at, atoms):
                shape = (*a.type.shape[:axis], 1, *a.type.shape[axis:])
                axes = tuple([i for i in range(len(shape)) if i != axis])
                parts.append(lanes.add("broadcast", a, source=source, shape=shape, axes=axes))
            return lanes.add("concatenate", *parts, source=source, axis=axis)

        first, carry = equation.params["consts"], equation.params["carry"]
        operands = [joined(at, 0) for at in self.fixed]
        operands += [joined([first + i for i in at], 0) for at in self.carries]
        operands += [joined(at, 1) for at in self.entries]
        params = {**equation.params, "program": self.body}
        params |= {"consts": len(self.fixed), "carry": len(self.carries)}
        found = lanes.add_all("scan", operands, params, source)
        for axis, ahead, groups, arrays in (
            (0, 0, self.carries, found), (1, carry, self.results, found[len(self.carries) :]),
        ):  # fmt: skip
            for at, array in zip(groups, arrays, strict=False):
                outs = [equation.outputs[ahead + i] for i in at]
                if len(at) == 1:
                    lanes.replace(outs, [array])
                    continue
                lanes.replace(outs, [lanes.taken(array, i, axis) for i in range(len(at))])
                if axis == 0:
                    lanes.give(array, outs)


def _plan(equation: Equation) -> _Plan | None:
    """How to pack a scan, if that pays. Remembered on its body."""
    program, consts, carry = (equation.params[name] for name in ("program", "consts", "carry"))
    values = [*program.inputs, *program.outputs[carry:]]
    if program.effects or len(values) < _FEW or sum(map(_is_small, values)) < LEAST:
        return None
    key = ("packed", consts, carry)
    if key not in program.cache:
        try:
            program.cache[key] = _Body(program, consts, carry).plan()
        except Unprofitable:
            program.cache[key] = None
    found: _Plan | None = program.cache[key]
    return found


def _is_small(atom: Atom) -> bool:
    return atom.type.size <= _LARGEST


class _Body(Lanes):
    """The body of a scan on its way to one of arrays. Constants and entries are packed as they are asked for."""

    def __init__(self, old: Program, consts: int, carry: int) -> None:
        super().__init__()
        self.old, self.consts, self.carry = old, consts, carry
        for equation in old.equations:
            self.define(equation)
        start = consts + carry
        self._held = old.inputs[consts:start]
        self._position: dict[Atom, int] = {v: i for i, v in enumerate(old.inputs)}
        self._fixed: dict[Variable, list[Atom]] = {}
        self._entries: dict[Variable, list[Atom]] = {}
        self._single: dict[Atom, Atom] = {}

    def plan(self) -> _Plan | None:
        self.allow(8 * len(self.old.equations))
        outs = self.old.outputs
        carries = self._groups(outs[: self.carry], everything=True)
        packed = {i for g in carries for i in g.at}
        single = [i for i in range(self.carry) if i not in packed]
        arrays = [Variable(g.type) for g in carries]
        for group, array in zip(carries, arrays, strict=True):
            self.give(array, [self._held[i] for i in group.at])
        held = [self._held[i] for i in single]
        self._single.update(zip(held, held, strict=True))
        given = outs[self.carry :]
        results = self._groups(given, everything=False)
        stacked = {i for g in results for i in g.at}
        plain = [i for i in range(len(given)) if i not in stacked]
        found: list[Atom] = [self.array([outs[i] for i in g.at]) for g in carries]
        found += [self.one(outs[i]) for i in single]
        found += [self.array([given[i] for i in g.at]) for g in results]
        found += [self.one(given[i]) for i in plain]
        inputs = (*self._fixed, *arrays, *held, *self._entries)
        body = dce(Program(inputs, tuple(self.equations), tuple(found), (), self.old.name))
        if not self._pays(body):
            return None
        place = self._position
        return _Plan(
            body,
            [[a if isinstance(a, Literal) else place[a] for a in c] for c in self._fixed.values()],
            [*[g.at for g in carries], *[[i] for i in single]],
            [[place[a] for a in atoms] for atoms in self._entries.values()],
            [*[g.at for g in results], *[[i] for i in plain]],
        )

    def _groups(self, outputs: Sequence[Atom], everything: bool) -> list[_Group]:
        """The outputs that are computed alike. Others go with the closest ones: with `everything` all of
        them, otherwise those that the same operation computes."""
        alike: dict[Any, list[int]] = {}
        for i, atom in enumerate(outputs):
            if _is_small(atom):
                alike.setdefault((shape_of(atom), self.role(atom)), []).append(i)
        groups = {key: at for key, at in alike.items() if len(at) >= LEAST}
        for (shape, role), at in alike.items():
            near = [
                key for key in groups if key[0] == shape and (everything or key[1][:1] == role[:1])
            ]
            if near and (shape, role) not in groups:
                for i in at:
                    closest = min(near, key=lambda key: min(abs(i - j) for j in alike[key]))
                    groups[closest] = [*groups[closest], i]
        return [
            _Group(sorted(at), ArrayType((len(at), *key[0][0]), key[0][1]))
            for key, at in groups.items()
        ]

    def _pays(self, body: Program) -> bool:
        before, after = (
            len(p.equations) + 2 * (len(p.outputs) + len(p.inputs) - fixed)
            for p, fixed in ((self.old, self.consts), (body, len(self._fixed)))
        )
        return after <= _GAIN * before

    # --- inputs ---

    def origin(self, atom: Atom) -> Any:
        place = self._position[atom]
        return ("constant" if place < self.consts else "carry" if atom in self._held else "entry",)

    def stacked(self, atoms: tuple[Atom, ...]) -> Variable | None:
        kinds = {("constant",) if isinstance(a, Literal) else self._kind(a) for a in atoms}
        if kinds == {("constant",)}:
            return self._input(self._fixed, atoms)
        if kinds == {("entry",)} and not any(a in self._home for a in atoms):
            return self._input(self._entries, atoms)
        return None

    def _kind(self, atom: Atom) -> Any:
        return None if atom in self._made else self.origin(atom)

    def _input(self, inputs: dict[Variable, list[Atom]], atoms: Sequence[Atom]) -> Variable:
        first = atoms[0].type
        shape = (len(atoms), *first.shape) if len(atoms) > 1 else first.shape
        variable = Variable(ArrayType(shape, first.dtype, first.weak and len(atoms) == 1))
        inputs[variable] = list(atoms)
        if len(atoms) > 1:
            self.give(variable, atoms)
        return variable

    def one(self, atom: Atom) -> Atom:
        """`atom` by itself: taken out of its array, or computed as before."""
        todo = [atom]
        while todo:
            current = todo[-1]
            if isinstance(current, Literal) or current in self._single:
                todo.pop()
                continue
            home = self._home.get(current)
            made = self._made.get(current)
            if home is not None:
                self._single[current] = self.taken(*home, 0)
            elif made is None:
                entry = self.origin(current) == ("entry",)
                inputs = self._entries if entry else self._fixed
                self._single[current] = self._input(inputs, [current])
            else:
                waiting = [
                    a for a in made.inputs if isinstance(a, Variable) and a not in self._single
                ]
                if waiting:
                    todo += waiting
                    continue
                copy = made.with_inputs(tuple([self._single.get(a, a) for a in made.inputs]))
                self.equations.append(copy)
                for old, new in zip(made.outputs, copy.outputs, strict=True):
                    self._single.setdefault(old, new)
            todo.pop()
        return self._single.get(atom, atom)
