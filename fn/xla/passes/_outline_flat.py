"""A Program as arrays of numbers, for finding what repeats: a token per equation, a number per value."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fn.core import Atom, Literal, Primitive, Program
from fn.xla.passes._outline_cost import fuses, reduces, size
from fn.xla.passes._outline_order import canonical

Numbers = NDArray[np.int64]


_type = attrgetter("type")


class _Kind:
    """What tells equations of one primitive apart, and whether they may move."""

    def __init__(self, primitive: Primitive, params: Mapping[str, Any]) -> None:
        self.movable = (fuses(primitive) or reduces(primitive)) and primitive.effect is None
        self.names = tuple(params)
        # 0.0 and -0.0 are equal, and different; nothing else that is equal is different.
        self.numbers = any(v is None or isinstance(v, (int, float)) for v in params.values())

    def values(self, params: Mapping[str, Any]) -> tuple[Any, ...]:
        """The parameters, in the order of the first equation of this kind."""
        names = tuple(params)
        if names != self.names:
            names = self.names if set(names) == set(self.names) else tuple(sorted(names))
            return (*names, *[_exact(params[n]) for n in names])
        if self.numbers:
            return (*names, *map(_exact, params.values()))
        return (*names, *params.values())


def _exact(value: Any) -> Any:
    return repr(value) if value.__class__ is float else value


class Flat:
    """The equations of a Program in canonical order, and who computes and uses what.

    Equal tokens: same primitive, params, and types of inputs and outputs; literals count as their types.
    A token below zero equals no other. Values have numbers: `atoms[number]`.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.steps = 0
        """Equations looked at so far, however often each: what the time is proportional to."""
        atoms: list[Atom] = list(program.inputs)
        number: dict[Any, int] = {v: i for i, v in enumerate(atoms)}
        inputs: list[list[int]] = []
        outputs: list[range] = []
        tokens: list[int] = []
        movable: list[bool] = []
        known: dict[Any, int] = {}
        kinds: dict[Primitive, _Kind] = {}
        for equation in program.equations:
            primitive, params, made = equation.primitive, equation.params, equation.outputs
            kind = kinds.get(primitive)
            if kind is None:
                kind = kinds[primitive] = _Kind(primitive, params)
            taken: list[Any] = list(map(number.get, equation.inputs))
            if None in taken:  # a literal met for the first time
                for position, atom in enumerate(equation.inputs):
                    taken[position] = number.setdefault(atom, len(atoms))
                    if taken[position] == len(atoms):
                        atoms.append(atom)
            inputs.append(taken)
            start = len(atoms)
            atoms += made
            if len(made) == 1:
                number[made[0]] = start
            else:
                number.update(zip(made, range(start, len(atoms)), strict=True))
            outputs.append(range(start, len(atoms)))
            movable.append(kind.movable)
            if primitive.effect is not None or (primitive.multiple and equation.effects):
                tokens.append(-1)
                continue
            token = (
                primitive, kind.values(params) if params else (),
                tuple(map(_type, equation.inputs)), tuple(map(_type, made)),
            )  # fmt: skip
            tokens.append(known.setdefault(token, len(known)))
        self.atoms = atoms
        order = canonical(inputs, outputs, movable, len(atoms))
        self.equations = [program.equations[i] for i in order]
        self._outputs = [outputs[i] for i in order]
        self.tokens: Numbers = np.array([tokens[i] for i in order], np.int64)
        self.take(np.flatnonzero(self.tokens < 0))
        counts = [len(inputs[i]) for i in order]
        self.ends: Numbers = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        self.operands: Numbers = np.array([v for i in order for v in inputs[i]], np.int64)
        # Which equation each operand belongs to, which computes each value, and as which of its outputs.
        self.user: Numbers = np.repeat(np.arange(len(order)), counts)
        self.definer: Numbers = np.full(len(atoms), -1, np.int64)
        self.slot: Numbers = np.zeros(len(atoms), np.int64)
        lengths = [len(o) for o in self._outputs]
        starts = np.array([o.start for o in self._outputs], np.int64)
        values = np.repeat(starts, lengths)
        within = np.arange(len(values)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        self.definer[values + within] = np.repeat(np.arange(len(order)), lengths)
        self.slot[values + within] = within
        self.literal = np.array([a.__class__ is Literal for a in atoms], bool)
        sizes = {t: size(t) for t in {a.type for a in atoms}}
        self.bytes: Numbers = np.array([sizes[a.type] for a in atoms], np.int64)
        out = [number[a] for a in program.outputs if a in number]
        self.leaving: Numbers = np.array(out, np.int64)
        """Values that are outputs of the program."""
        self.steps += len(order)

    def __len__(self) -> int:
        return len(self.equations)

    def outputs(self, index: int) -> range:
        """Numbers of the outputs of an equation."""
        return self._outputs[index]

    def take(self, positions: Numbers) -> None:
        """Make the tokens at these positions equal to no other: they have found their place."""
        self.tokens[positions] = -1 - positions
