"""Matrix products that a loop takes step by step, taken for all steps at once: before or after the loop.

One product of a tall matrix is several times faster than many of its parts, and a sum of products over
the steps is one product, contracted along the steps as well. So what depends on the entries of a scan
alone is computed before it; a carry that only adds up products is computed after it, from stacks of
their factors; and so are results that no further step needs. Sums are added up in another order than
the loop has; everything else keeps its bits up to XLA's choice of kernel.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from fn.core import (
    Atom,
    Equation,
    Primitive,
    Program,
    Trace,
    Variable,
    bind,
    checked,
    dce,
    evaluate,
    recording,
)
from fn.ops import add, dot_general, reshape
from fn.transforms import BatchAxis, batch_program
from fn.xla.passes._walk import Builder, pure, recursive

# Stacks that are made for this hold at most so many bytes, and no more than so many times what the
# loop reads and writes anyway.
_MOST_BYTES = 1 << 27
_MOST_GROWTH = 4
# Fewer multiplications over the whole loop are left where they are.
_LEAST_WORK = 1 << 14
# A product that sums over more than this in each step is fast enough as it is.
_LONG = 256
# What may stand between a product and the sum it goes into.
_LINEAR = frozenset({"convert", "neg", "reshape", "transpose"})


@recursive
def products(program: Program) -> Program:
    """`program` whose scans leave to one product each what can be done before or after them."""
    if not any(e.primitive.name == "scan" for e in program.equations):
        return program
    builder = Builder()
    changed = False
    for equation in program.equations:
        equation = builder.keep(equation)
        around = _around(equation) if equation.primitive.name == "scan" else None
        if around is not None:
            builder.equations.pop()
            found = builder.splice(around, equation.inputs, equation.source)
            builder.replace(equation.outputs, found)
            changed = True
    return builder.program(program) if changed else program


def _around(equation: Equation) -> Program | None:
    """What to do in place of a scan: its arguments to its results. Remembered on its body."""
    params = dict(equation.params)
    body: Program = params["program"]
    if body.effects or not any(e.primitive.name == "dot_general" for e in body.equations):
        return None
    key = ("products", *[v for k, v in params.items() if k != "program"])
    if key not in body.cache:
        body.cache[key] = _Fission(body, params).around([a.type for a in equation.inputs])
    found: Program | None = body.cache[key]
    return found


class _Sum(NamedTuple):
    """A carry that adds up products: its position, the terms that are, and what is left of the sum."""

    at: int
    terms: list[tuple[Equation, list[Equation]]]
    """Each a product and the linear operations on it, innermost first."""
    rest: list[Atom]


class _Fission:
    """A body taken apart: what is done before the loop, in it, and after it."""

    def __init__(self, body: Program, params: dict[str, Any]) -> None:
        self.body, self.params = body, params
        c, k = params["consts"], params["carry"]
        self.length: int = params["length"]
        self.fixed, self.held, self.entries = (
            body.inputs[:c], body.inputs[c : c + k], body.inputs[c + k :],
        )  # fmt: skip
        self.made = {v: e for e in body.equations for v in e.outputs}
        uses = [a for e in body.equations for a in e.inputs] + list(body.outputs)
        self.uses = Counter([a for a in uses if isinstance(a, Variable)])
        traffic = sum(map(_bytes, (*self.entries, *body.outputs[k:])))
        self.room = min(_MOST_BYTES, _MOST_GROWTH * self.length * traffic + (1 << 20))
        # Values that are there for all steps, stacked, before the loop or after it.
        self.stacked: dict[Variable, None] = dict.fromkeys(self.entries)

    def around(self, types: Sequence[Any]) -> Program | None:
        early = self._early()
        self.stacked.update(dict.fromkeys(early))
        sums = [s for i in range(len(self.held)) if (s := self._sum(i)) is not None]
        late = self._late(sums, early)
        if not early and not sums and not late:
            return None
        trace = Trace(f"products({self.body.name})")
        with recording(trace):
            outs = self._write(trace, [trace.input(t) for t in types], early, sums, late)
            return checked(dce(trace.finish(outs, self.body.name)))

    # --- what may move ---

    def _worth(self, e: Equation) -> bool:
        """Whether a product is large enough, over all steps, and small enough in each."""
        if e.primitive.name != "dot_general":
            return False
        work = self.length * _summed(e) * e.outputs[0].type.size
        return work >= _LEAST_WORK and self.length > 1

    def _afford(self, *values: Atom) -> bool:
        """Take what stacks of these values need from the room there is, if there is so much."""
        needed = self.length * sum(_bytes(v) for v in values if v not in self.stacked)
        if needed > self.room:
            return False
        self.room -= needed
        return True

    def _early(self) -> list[Variable]:
        """Products of what the entries give with constants."""
        known: set[Atom] = set(self.entries)
        found = []
        for e in self.body.equations:
            variables = [a for a in e.inputs if isinstance(a, Variable)]
            if e.primitive.multiple or not pure(e):
                continue
            if any(a in known for a in variables) and all(
                a in known or a in self.fixed for a in variables
            ):
                known.update(e.outputs)
                mixed = len([a for a in variables if a in known]) == 1
                if self._worth(e) and mixed and self._afford(*e.outputs):
                    found.append(e.outputs[0])
        return found

    def _sum(self, at: int) -> _Sum | None:
        """The carry at this position, if all a step does with it is to add products."""
        held, out = self.held[at], self.body.outputs[at]
        last = self._only(out)
        if last is None or last.primitive.name != "add" or self.uses[held] != 1:
            return None
        if held not in last.inputs:
            return None
        other = last.inputs[1] if last.inputs[0] is held else last.inputs[0]
        if other.type.shape != held.type.shape:
            return None
        terms: list[tuple[Equation, list[Equation]]] = []
        rest: list[Atom] = []
        todo = [other]
        while todo:
            atom = todo.pop()
            made = self._only(atom)
            whole = made is not None and all(a.type.shape == held.type.shape for a in made.inputs)
            if made is not None and made.primitive.name == "add" and whole:
                todo += reversed(made.inputs)
                continue
            term = self._term(atom)
            if term is None:
                rest.append(atom)
            else:
                terms.append(term)
        return _Sum(at, terms, rest) if terms else None

    def _only(self, atom: Atom) -> Equation | None:
        """The equation that made `atom`, if nothing else uses it."""
        if not isinstance(atom, Variable) or self.uses[atom] != 1:
            return None
        return self.made.get(atom)

    def _term(self, atom: Atom) -> tuple[Equation, list[Equation]] | None:
        chain: list[Equation] = []
        made = self._only(atom)
        while made is not None and made.primitive.name in _LINEAR:
            chain.append(made)
            made = self._only(made.inputs[0])
        if made is None or not self._worth(made):
            return None
        x, y = made.inputs
        if not isinstance(x, Variable) or not isinstance(y, Variable):
            return None
        fresh = [v for v in dict.fromkeys((x, y)) if v not in self.stacked]
        if _summed(made) > _LONG or x in self.fixed or y in self.fixed:
            return None
        if sum(map(_bytes, fresh)) > 2 * _bytes(made.outputs[0]) or not self._afford(*fresh):
            return None
        self.stacked.update(dict.fromkeys(fresh))
        return made, chain[::-1]

    def _late(self, sums: Sequence[_Sum], early: Sequence[Variable]) -> list[int]:
        """Results that come of products with constants which no further step needs."""
        moved = {s.at for s in sums}
        outs = self.body.outputs
        needed: set[Atom] = {a for i, a in enumerate(outs[: len(self.held)]) if i not in moved}
        needed.update(a for s in sums for a in s.rest)
        needed.update(a for a in self.stacked if a in self.made and a not in early)
        for e in reversed(self.body.equations):
            if any(v in needed for v in e.outputs):
                needed.update(e.inputs)
        reached: set[Atom] = set()
        for e in self.body.equations:
            if any(v in needed for v in e.outputs) or e.outputs[0] in early:
                continue
            mixed = self._worth(e) and len([a for a in e.inputs if a in self.fixed]) == 1
            plain = not e.primitive.multiple and pure(e)
            if plain and (mixed or any(a in reached for a in e.inputs)):
                reached.update(e.outputs)
        found = [
            i for i, a in enumerate(outs) if i >= len(self.held) and a in reached
        ]  # fmt: skip
        if not found:
            return []
        border = self._border([outs[i] for i in found], reached)
        fresh = [v for v in border if v not in self.stacked]
        size = sum(_bytes(outs[i]) for i in found)
        if sum(map(_bytes, fresh)) > 2 * size or not self._afford(*fresh):
            return []
        self.stacked.update(dict.fromkeys(fresh))
        self.reached = reached
        return found

    def _border(self, results: Sequence[Atom], reached: set[Atom]) -> list[Variable]:
        """What the equations that move to behind the loop take from it."""
        wanted = set(results)
        found: dict[Variable, None] = {}
        for e in reversed(self.body.equations):
            if e.outputs[0] in wanted and e.outputs[0] in reached:
                wanted.update(e.inputs)
                for a in e.inputs:
                    if isinstance(a, Variable) and a not in reached and a not in self.fixed:
                        found[a] = None
        return list(found)

    # --- the three parts ---

    def _write(
        self,
        trace: Trace,
        args: list[Any],
        early: list[Variable],
        sums: list[_Sum],
        late: list[int],
    ) -> list[Any]:
        body, outs = self.body, self.body.outputs
        c, k = len(self.fixed), len(self.held)
        consts, init, xs = args[:c], args[c : c + k], args[c + k :]
        whole: dict[Variable, Any] = dict(zip(self.entries, xs, strict=True))
        if early:
            before = Program((*self.fixed, *self.entries), body.equations, tuple(early))
            places = (None,) * c + (0,) * len(xs)
            whole.update(zip(early, self._for_all(before, places, [*consts, *xs]), strict=True))

        removed = {s.at for s in sums if not s.rest}
        kept = [i for i in range(k) if i not in removed]
        given = [i for i in range(k, len(outs)) if i not in late]
        extra = [v for v in self.stacked if v not in whole]
        equations = [e for e in body.equations if e.outputs[0] not in early]
        ends: dict[int, Atom] = {}
        for s in sums:
            if s.rest:
                ends[s.at] = self._added(equations, [self.held[s.at], *s.rest], outs[s.at])
        inside = Program(
            (*self.fixed, *[self.held[i] for i in kept], *whole), tuple(equations),
            (*[ends.get(i, outs[i]) for i in kept], *[outs[i] for i in given], *extra),
            (), body.name,
        )  # fmt: skip
        params = {**self.params, "program": checked(dce(inside)), "carry": len(kept)}
        found: Sequence[Any] = ()
        if inside.outputs:
            operands = [*consts, *[init[i] for i in kept], *whole.values()]
            found = bind(Primitive.named["scan"], *operands, **params)
        results: dict[int, Any] = dict(zip([*kept, *given], found, strict=False))
        whole.update(zip(extra, found[len(kept) + len(given) :], strict=True))

        for s in sums:
            total = results.get(s.at, init[s.at])
            for product, chain in s.terms:
                total = add(total, self._product(product, chain, whole))
            results[s.at] = total
        if late:
            border = self._border([outs[i] for i in late], self.reached)
            moved = tuple([e for e in body.equations if e.outputs[0] in self.reached])
            after = Program((*self.fixed, *border), moved, tuple([outs[i] for i in late]))
            places = (None,) * c + (0,) * len(border)
            values = self._for_all(after, places, [*consts, *[whole[v] for v in border]])
            results.update(zip(late, values, strict=True))
        return [results[i] for i in range(len(outs))]

    def _for_all(
        self, program: Program, dims: tuple[int | None, ...], args: list[Any]
    ) -> list[Any]:
        """The outputs of `program` for all steps, stacked in front."""
        batched, places = batch_program(dce(program), BatchAxis(self.length), dims)
        found = []
        for value, place in zip(evaluate(batched, args), places, strict=True):
            assert place is not None  # each depends on some entry
            found.append(_to_front(value, place))
        return found

    def _added(self, equations: list[Equation], terms: list[Atom], out: Atom) -> Atom:
        total = terms[0]
        for term in terms[1:]:
            variable = Variable(out.type)
            source = self.made[out].source  # type: ignore[index]
            equations.append(
                Equation(Primitive.named["add"], (total, term), (variable,), {}, source)
            )
            total = variable
        return total

    def _product(
        self, product: Equation, chain: Sequence[Equation], whole: dict[Variable, Any]
    ) -> Any:
        """The sum over all steps of a product and what is done to it."""
        x, y = (whole[a] for a in product.inputs if isinstance(a, Variable))
        contract, batch = product.params["contract"], product.params["batch"]
        if (0, 0) in zip(*contract, strict=True):
            # The steps and the axis after them are one axis of a matrix.
            x, y = (reshape(v, shape=(v.shape[0] * v.shape[1], *v.shape[2:])) for v in (x, y))
        else:
            contract = tuple([(0, *[a + 1 for a in axes]) for axes in contract])
            batch = tuple([tuple([a + 1 for a in axes]) for axes in batch])
        total = dot_general(x, y, **{**product.params, "contract": contract, "batch": batch})
        for e in chain:
            total = bind(e.primitive, total, **e.params)
        return total


def _to_front(x: Any, place: int) -> Any:
    order = (place, *[i for i in range(x.ndim) if i != place])
    return x if place == 0 else bind(Primitive.named["transpose"], x, permutation=order)


def _summed(product: Equation) -> int:
    """How many numbers each of the results adds up."""
    shape = product.inputs[0].type.shape
    return math.prod([shape[axis] for axis in product.params["contract"][0]])


def _bytes(atom: Atom) -> int:
    return atom.type.size * atom.type.dtype.itemsize
