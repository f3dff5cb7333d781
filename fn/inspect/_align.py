"""Which equation of one Program is which of another, whatever variables are called.

First come equations that compute the same from the same inputs, by numbering values; between those,
equations of the same operation at the same types; last, of the same operation. Time is about linear
unless much differs.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Any, NamedTuple

from fn.core import Atom, Equation, Literal, Program, Variable

# Longer stretches without anything in common are not searched for likenesses.
_MOST_COMPARED = 4_000_000


class Match(NamedTuple):
    """An equation on the left, its counterpart on the right, and how they compare."""

    left: int | None
    right: int | None
    mark: str
    """'=' alike, '~' the same operation on something else, '-' only left, '+' only right."""


class Alignment(NamedTuple):
    """Two Programs, equation by equation."""

    matches: list[Match]
    twins: dict[Variable, Atom]
    """For variables on the right, what they are on the left."""
    results: str
    """How the outputs compare: '=' or '~'."""

    @property
    def changes(self) -> int:
        """How many equations, or lists of outputs, differ."""
        return sum(m.mark != "=" for m in self.matches) + (self.results != "=")


def align(left: Program, right: Program) -> Alignment:
    """Match the equations of two Programs, those of the Programs inside aside."""
    pairs = list(_pairs(left, right))
    twins: dict[Variable, Atom] = dict(zip(right.inputs, left.inputs))
    found: list[Match] = []
    i = j = 0
    for a, b in [*pairs, (len(left.equations), len(right.equations))]:
        replaced = _types(left, i, a) == _types(right, j, b)
        both = list(zip(range(i, a), range(j, b))) if replaced else []
        found += [Match(n, None, "-") for n in range(i, a) if not both]
        found += [Match(None, n, "+") for n in range(j, b) if not both]
        if a < len(left.equations):
            both.append((a, b))
        for x, y in both:
            e, g = left.equations[x], right.equations[y]
            found.append(Match(x, y, _mark(e, g, twins)))
            twins.update(zip(g.outputs, e.outputs))
        i, j = a + 1, b + 1
    alike = len(left.outputs) == len(right.outputs) and all(
        _same_atom(a, b, twins) for a, b in zip(left.outputs, right.outputs)
    )
    alike = alike and left.in_types == right.in_types
    return Alignment(found, twins, "=" if alike else "~")


def _types(program: Program, start: int, stop: int) -> list[Any]:
    return [[v.type for v in e.outputs] for e in program.equations[start:stop]]


def _mark(a: Equation, b: Equation, twins: dict[Variable, Atom]) -> str:
    if len(a.inputs) != len(b.inputs) or kind_of(a) != kind_of(b):
        return "~"
    return "=" if all(_same_atom(x, y, twins) for x, y in zip(a.inputs, b.inputs)) else "~"


def _same_atom(a: Atom, b: Atom, twins: dict[Variable, Atom]) -> bool:
    if isinstance(a, Literal) or isinstance(b, Literal):
        return a == b
    return twins.get(b) is a


def kind_of(equation: Equation) -> Any:
    """Operation, types and parameters of an equation: all but which values it is applied to."""
    return (
        equation.primitive.name,
        tuple([a.type for a in equation.inputs]),
        tuple([v.type for v in equation.outputs]),
        tuple(sorted(equation.params.items())),
    )


# --- matching ---------------------------------------------------------------------------


def _pairs(left: Program, right: Program) -> Iterator[tuple[int, int]]:
    table: dict[Any, int] = {}
    first, second = (_numbers(p, table) for p in (left, right))
    kinds = [[kind_of(e) for e in p.equations] for p in (left, right)]
    names = [[e.primitive.name for e in p.equations] for p in (left, right)]
    at = on = 0
    for i, j in [*_in_order(first, second), (len(first), len(second))]:
        yield from _within([kinds, names], (at, i), (on, j))
        if i < len(first):
            yield i, j
        at, on = i + 1, j + 1


def _numbers(program: Program, table: dict[Any, int]) -> list[tuple[int, int]]:
    """A label per equation, the same for equations of either Program that compute the same.

    Labels are unique within a Program: the second to compute the same has another one.
    """
    env: dict[Variable, Any] = {v: ("in", i, v.type) for i, v in enumerate(program.inputs)}
    found = []
    seen: dict[int, int] = {}
    for equation in program.equations:
        operands = tuple([a if isinstance(a, Literal) else env[a] for a in equation.inputs])
        number = table.setdefault((kind_of(equation), operands), len(table))
        for place, output in enumerate(equation.outputs):
            env[output] = number, place
        seen[number] = seen.get(number, 0) + 1
        found.append((number, seen[number]))
    return found


def _in_order(a: Sequence[Any], b: Sequence[Any]) -> list[tuple[int, int]]:
    """The most pairs of equal labels that can be had in the order of both; labels are unique."""
    where = {label: j for j, label in enumerate(b)}
    common = [(i, where[label]) for i, label in enumerate(a) if label in where]
    ends: list[int] = []  # the least place on the right in which so many pairs can end
    chain: list[tuple[int, int | None]] = []
    last: list[int] = []
    for index, (_, j) in enumerate(common):
        length = bisect_left(ends, j)
        ends[length : length + 1] = [j]
        last[length : length + 1] = [index]
        chain.append((index, last[length - 1] if length else None))
    found: list[tuple[int, int]] = []
    at: int | None = last[-1] if last else None
    while at is not None:
        found.append(common[at])
        at = chain[at][1]
    return found[::-1]


def _within(
    levels: Sequence[Sequence[Sequence[Any]]], left: tuple[int, int], right: tuple[int, int]
) -> Iterator[tuple[int, int]]:
    """Pairs between two stretches, by the first of the levels, and between those by the next."""
    if not levels or left[0] == left[1] or right[0] == right[1]:
        return
    (a, b), rest = levels[0], levels[1:]
    (i, end), (j, last) = left, right
    while i < end and j < last and a[i] == b[j]:
        yield i, j
        i, j = i + 1, j + 1
    tail = 0
    while i < end - tail and j < last - tail and a[end - 1 - tail] == b[last - 1 - tail]:
        tail += 1
    stop, final = end - tail, last - tail
    if (stop - i) * (final - j) <= _MOST_COMPARED:
        matcher = SequenceMatcher(None, a[i:stop], b[j:final], autojunk=False)
        at, on = i, j
        for block in matcher.get_matching_blocks():
            x, y = i + block.a, j + block.b
            yield from _within(rest, (at, x), (on, y))
            yield from ((x + n, y + n) for n in range(block.size))
            at, on = x + block.size, y + block.size
    else:
        yield from _within(rest, (i, stop), (j, final))
    yield from ((stop + n, final + n) for n in range(tail))
