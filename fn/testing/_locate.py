"""Finding the first equation to blame, and the smallest input that shows the fault."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from fn.core import Equation, Program, Variable, evaluate
from fn.testing._by_op import CUSTOM, Event, by_op, events
from fn.testing._compare import Case, compare
from fn.testing._identities import Identity, examine
from fn.testing._inputs import simpler, zeroed
from fn.testing._retype import wide_array, widen
from fn.testing._subject import Subject
from fn.testing._value_checks import optimised
from fn.xla import jit

# What only hands on what other equations computed.
PASSING = frozenset(
    {"call", "call_apart", "remat", "custom", "scan", "switch", "while_loop", "bounded_while"}
)


class Culprit(NamedTuple):
    """The first equation where two evaluations part."""

    equation: Equation
    path: tuple[str, ...]
    """The calls and rounds of loops it is in."""
    blame: str = ""
    """What is to blame instead of a rule of its primitive."""

    def __str__(self) -> str:
        ins = ", ".join(str(a.type) for a in self.equation.inputs)
        outs = ", ".join(str(v.type) for v in self.equation.outputs)
        inside = f", in {' / '.join(self.path)}" if self.path else ""
        return f"{self.equation.primitive.name}({ins}) -> {outs}{inside}"


def single(equation: Equation) -> Program:
    """The Program of one equation; its literals stay in it."""
    inputs = tuple(dict.fromkeys(a for a in equation.inputs if isinstance(a, Variable)))
    return Program(inputs, (equation,), equation.outputs, (), equation.primitive.name)


def _subject(event: Event, like: Subject) -> Subject:
    program = single(event.equation)
    given = dict(zip(event.equation.inputs, event.inputs, strict=True))
    arrays = [given[v] for v in program.inputs]
    return Subject(program, arrays, seed=like.seed, lanes=like.lanes, exhaustive=True)


def locate(
    identity: Identity, subject: Subject, rtol: float | None, atol: float | None, seconds: float
) -> Culprit | None:
    """The first equation that breaks the identity by itself, at the values it has in the Program.

    If none does, the two evaluations are laid side by side.
    """
    end = time.perf_counter() + seconds
    try:
        _, seen = events(subject.program, subject.arrays)
    except Exception:
        seen = []
    for event in _in_order(seen, identity.rule == "lowering"):
        if time.perf_counter() > end:
            break
        if examine(identity, _subject(event, subject), rtol, atol).status == "fails":
            return Culprit(event.equation, event.path)
    if identity.name in ("jit", "ops", "passes"):
        return _guilty_pass(subject) or _side_by_side(subject)
    if identity.name == "precision":
        return _in_both_precisions(subject)
    return None


def _in_order(seen: Sequence[Event], inside_custom: bool) -> Iterator[Event]:
    """Each kind of equation where it comes first, then the others."""
    first: dict[Any, Event] = {}
    later: list[Event] = []
    for event in seen:
        if CUSTOM in event.path and not inside_custom:
            continue
        equation = event.equation
        try:
            key: Any = (
                equation.primitive,
                *sorted(equation.params.items()),
                *map(_kind, event.inputs),
            )
            new = key not in first
        except TypeError:
            key, new = id(equation), True
        if new:
            first[key] = event
        else:
            later.append(event)
    yield from first.values()
    yield from later


def _kind(value: Any) -> Any:
    return np.shape(value), getattr(value, "dtype", type(value))


# --- passes -----------------------------------------------------------------------------


def _guilty_pass(s: Subject) -> Culprit | None:
    """The first pass that changes what is computed, and the first equation that is new and wrong."""
    expected = s.value_by_op()
    before = s.program
    try:
        for name, after in optimised(s.program):
            outs = by_op(after, s.arrays)
            if compare(Case(outs, expected, (name, "before"), noise=s.noise)) is not None:
                found = first_stranger(before, s.arrays, after, s.arrays)
                equation = found.equation if found else after.equations[-1]
                return Culprit(equation, found.path if found else (), f"the pass `{name}`")
            before = after
    except Exception:  # a pass that leaves something that is no Program: the error says which
        return None
    return None


# --- two evaluations side by side -------------------------------------------------------


def _side_by_side(s: Subject) -> Culprit | None:
    """Compiled against op by op: all results at once, then prefixes, if looking changes what is seen."""
    program = s.inlined
    _, seen = events(program, s.arrays)
    tops = [e for e in seen if not e.path]
    every = Program(
        program.inputs, program.equations, tuple([v for e in program.equations for v in e.outputs])
    )
    compiled = iter(jit(lambda *xs: tuple(evaluate(every, xs)))(*s.arrays))
    for event in tops:
        outs = [next(compiled) for _ in event.outputs]
        if compare(Case(outs, event.outputs, ("XLA", "op by op"))) is not None:
            return Culprit(event.equation, event.path)
    low, high = 0, len(tops)
    while low < high:
        middle = (low + high) // 2
        event = tops[middle]
        prefix = Program(
            program.inputs, program.equations[: middle + 1], event.equation.outputs, (), "prefix"
        )
        outs = list(jit(lambda *xs, prefix=prefix: tuple(evaluate(prefix, xs)))(*s.arrays))
        if compare(Case(outs, event.outputs, ("XLA", "op by op"))) is not None:
            high = middle
        else:
            low = middle + 1
    return Culprit(tops[low].equation, ()) if low < len(tops) else None


def _in_both_precisions(s: Subject) -> Culprit | None:
    program = s.inlined
    narrow: dict[Any, Any] = dict(zip(program.inputs, s.arrays, strict=True))
    wide: dict[Any, Any] = dict(zip(program.inputs, s.wide_points, strict=True))
    for equation in program.equations:
        part = single(equation)
        outs = by_op(part, [narrow[v] for v in part.inputs])
        with jax.enable_x64(True):
            exact = by_op(widen(part).program, [wide_array(wide[v]) for v in part.inputs])
        near = [np.asarray(b).astype(np.asarray(a).dtype) for a, b in zip(outs, exact, strict=True)]
        if compare(Case(outs, near, ("narrow", "wide"), 1e-3)) is not None:
            return Culprit(equation, ())
        narrow.update(zip(equation.outputs, outs, strict=True))
        wide.update(zip(equation.outputs, exact, strict=True))
    return None


def first_stranger(
    left: Program, left_args: Sequence[Any], right: Program, right_args: Sequence[Any]
) -> Culprit | None:
    """The first equation of `right` that computes what `left` computes nowhere, and that matters."""
    _, known = events(left, left_args)
    values: dict[Any, list[Any]] = {}
    for x in [*left_args, *(o for e in known for o in e.outputs)]:
        values.setdefault(_kind(np.asarray(x)), []).append(np.asarray(x))
    _, seen = events(right, right_args)
    for event in seen:
        if event.equation.primitive.name in PASSING:
            continue
        for out in map(np.asarray, event.outputs):
            like = values.get(_kind(out), [])
            if not any(compare(Case([out], [x], ("", ""))) is None for x in like):
                return Culprit(event.equation, event.path)
    return None


# --- smaller inputs ---------------------------------------------------------------------


def shrink(
    identity: Identity, subject: Subject, rtol: float | None, atol: float | None, seconds: float
) -> Subject:
    """A subject with fewer lanes and simpler values for which the identity still fails."""
    end = time.perf_counter() + seconds

    def fails(candidate: Subject) -> bool:
        if time.perf_counter() > end:
            return False
        return examine(identity, candidate, rtol, atol).status == "fails"

    for lanes in (1, 2):
        if lanes < subject.lanes and "vmap" in identity.name:
            candidate = subject.at(subject.arrays, lanes)
            if fails(candidate):
                subject = candidate
                break
    return subject.at(smaller(subject.arrays, lambda xs: fails(subject.at(xs))))


def smaller(arrays: Sequence[Any], fails: Callable[[list[Any]], bool]) -> list[Any]:
    """Arrays of simpler values, zeros first, for which `fails` still holds."""
    found = list(arrays)
    for position in range(len(found)):
        for value in simpler(found[position]):
            if _same(value, found[position]):
                break
            candidate = _replaced(found, position, value)
            if fails(candidate):
                found = candidate
                break
        parts = 2
        while parts <= min(64, np.size(found[position])):
            for value in zeroed(found[position], parts):
                candidate = _replaced(found, position, value)
                if fails(candidate):
                    found = candidate
                    break
            else:
                parts *= 2
    return found


def _replaced(arrays: Sequence[Any], position: int, value: Any) -> list[Any]:
    before = arrays[position]
    if not hasattr(before, "dtype"):  # a Python number stays one
        value = np.asarray(value).item()
    return [value if i == position else x for i, x in enumerate(arrays)]


def _same(a: Any, b: Any) -> bool:
    return bool(np.array_equal(np.asarray(a), np.asarray(b)))
