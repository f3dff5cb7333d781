"""Threading something through a Program: into, out of and along the Programs that its equations carry.

A pass (`How`) says what happens at the equations it is about. Here is how that gets through calls,
branches, loops and `vmap`: what is fed to an equation inside becomes an input outside, what is found
there an output, and a state goes from one to the next in the order in which they run.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np

from fn.control._call import call
from fn.control._custom_call import custom_call
from fn.control._derive import record, zeros
from fn.control._quiet import ALL, has_programs, without
from fn.control._remat import remat_p
from fn.control._scan import bind_scan
from fn.control._switch import _expansion, bind_switch
from fn.control._while import bind_while
from fn.core import (
    ArrayType,
    Equation,
    FnError,
    Primitive,
    Program,
    Trace,
    Tracer,
    Variable,
    bind,
    checked,
    dce,
    evaluate,
    from_source,
    recording,
)
from fn.ops import add, sub
from fn.transforms import BatchAxis, bind_vmap

COUNT = ArrayType((), "int32")


class Site(NamedTuple):
    """One place where something is fed or found."""

    what: Any
    """What the pass knows of it."""
    types: tuple[ArrayType, ...]
    """Of the values fed or found."""


class Extended(NamedTuple):
    """A Program with what a pass threads through it."""

    program: Program
    """Own inputs, state, what is fed; to own outputs, state, what is found."""
    feeds: tuple[Site, ...]
    found: tuple[Site, ...]


class How(ABC):
    """What a pass does. Each method but `leaf` has the meaning that keeps things as they are."""

    effects: ClassVar[frozenset[str]]
    """Equations that have one of these are looked at."""
    states: ClassVar[tuple[ArrayType, ...]] = ()
    stacks: ClassVar[bool] = True
    """Whether `scan` stacks what is found in its steps; else it is folded, as in `while_loop`."""
    for_rules: ClassVar[bool] = False
    """Whether the result is differentiated or batched later, so that custom rules have to stay."""

    @property
    def key(self) -> Any:
        """What a result is remembered by."""
        return type(self)

    @abstractmethod
    def leaf(self, frame: Frame, equation: Equation, args: list[Any]) -> Sequence[Any]:
        """The outputs of an equation that has the effect itself."""

    def enter(self, site: Site, kind: str, equation: Equation) -> Site:
        """A site in the steps of a loop that folds, as seen from outside."""
        return site

    def start(self, site: Site) -> list[Any]:
        """What such a site has before the first step."""
        return [zeros(t) for t in site.types]

    def fold(self, old: list[Any], new: list[Any], step: Any) -> list[Any]:
        """What it has after a step, from what it had and what was found."""
        return new

    def across(
        self, site: Site, size: int, start: int, values: list[Any]
    ) -> tuple[Site, list[Any]]:
        """A site in the entries of a `vmap`, with what was found there along a leading axis."""
        return Site(site.what, with_axis(site.types, size)), values

    def join(self, branches: Sequence[Sequence[Site]]) -> tuple[list[Site], list[list[int]]]:
        """The sites of alternatives as one list, and where each alternative's are in it."""
        joint: list[Site] = []
        places = []
        for sites in branches:
            places.append([len(joint) + i for i in range(len(sites))])
            joint += sites
        return joint, places


def with_axis(types: Sequence[ArrayType], size: int) -> tuple[ArrayType, ...]:
    """The types with a leading axis."""
    return tuple([t.with_shape((size, *t.shape)) for t in types])


class Frame:
    """A Program being extended: its trace, the state so far, and what is fed and found."""

    def __init__(self, how: How, trace: Trace) -> None:
        self.how, self.trace = how, trace
        self.state: list[Any] = []
        self.feeds: list[Site] = []
        self.found: list[Site] = []
        self.values: list[Any] = []

    def feed(self, site: Site) -> list[Any]:
        """What is fed here: new inputs."""
        self.feeds.append(site)
        return [self.trace.input(t) for t in site.types]

    def feed_all(self, sites: Sequence[Site]) -> list[Any]:
        return [x for site in sites for x in self.feed(site)]

    def find(self, site: Site, values: Sequence[Any]) -> None:
        """Note what is found here."""
        self.found.append(site)
        self.values += values

    def find_all(self, sites: Sequence[Site], values: Sequence[Any]) -> None:
        for site, part in zip(sites, by_site(sites, values), strict=True):
            self.find(site, part)

    def take(self, results: Sequence[Any], count: int, sites: Sequence[Site]) -> list[Any]:
        """The own outputs among `results` of an extended Program; the rest is noted."""
        after = count + len(self.state)
        self.state = list(results[count:after])
        self.find_all(sites, results[after:])
        return list(results[:count])


def by_site(sites: Sequence[Site], values: Sequence[Any]) -> Iterator[list[Any]]:
    """The values of each site."""
    left = iter(values)
    for site in sites:
        yield [next(left) for _ in site.types]


def extend(program: Program, how: How) -> Extended:
    """`program` with what `how` threads through it; remembered on it."""
    key = ("extended", how.key)
    if key not in program.cache:
        trace = Trace(program.name)
        with recording(trace):
            frame = Frame(how, trace)
            own = len(program.inputs) - len(program.captured)
            args = [trace.input(t) for t in program.in_types[:own]]
            frame.state = [trace.input(t) for t in how.states]
            outs = _walk(frame, program, [*args, *program.captured])
            results = [*outs, *frame.state, *frame.values]
            made = checked(dce(trace.finish(results, program.name)))
        program.cache[key] = Extended(made, tuple(frame.feeds), tuple(frame.found))
    found: Extended = program.cache[key]
    return found


def _walk(frame: Frame, program: Program, args: Sequence[Any]) -> list[Any]:
    trace, how = frame.trace, frame.how
    values: dict[Variable, Any] = dict(zip(program.inputs, args, strict=True))
    for equation in program.equations:
        inputs = [
            values[a] if isinstance(a, Variable) else Tracer(trace, a) for a in equation.inputs
        ]
        if not equation.effects & how.effects:
            outs: Sequence[Any] = trace.append(equation, tuple(map(trace.atom, inputs)))
        else:
            with from_source(equation.source):
                if equation.primitive.effect is not None and not has_programs(equation):
                    outs = how.leaf(frame, equation, inputs)
                else:
                    outs = _through(equation)(frame, equation, inputs, **equation.params)
        values.update(zip(equation.outputs, outs, strict=True))
    return [values[a] if isinstance(a, Variable) else Tracer(trace, a) for a in program.outputs]


# --- through what carries Programs ------------------------------------------------------


def _through(equation: Equation) -> Callable[..., Sequence[Any]]:
    found = _WAYS.get(equation.primitive.name)
    if found is None:
        words = ", ".join(sorted(equation.effects))
        raise FnError(
            f"{equation.primitive.name}: an effect inside cannot be followed",
            expected=f"one of {', '.join(sorted(_WAYS))} around it",
            got=f"{equation.primitive.name}, in which there is something of kind: {words}",
            fix="move it out of there",
        )
    return found


def _call(
    frame: Frame, equation: Equation, args: list[Any], *, program: Program, **params: Any
) -> list[Any]:
    inner = extend(program, frame.how)
    fed = frame.feed_all(inner.feeds)
    results: Sequence[Any]
    operands = [*args, *frame.state, *fed]
    if equation.primitive is remat_p:
        closed = inner.program.closed()
        results = bind(remat_p, *operands, *inner.program.captured, program=closed, **params)
    else:
        results = call(inner.program, *operands)
    return frame.take(results, len(program.outputs), inner.found)


def _expanded(expansion: Callable[..., Program]) -> Callable[..., list[Any]]:
    """The way through a primitive that runs one Program made of its parameters."""

    def through(frame: Frame, equation: Equation, args: list[Any], **params: Any) -> list[Any]:
        program = expansion(args, **params)
        inner = extend(program, frame.how)
        results = call(inner.program, *args, *frame.state, *frame.feed_all(inner.feeds))
        return frame.take(results, len(program.outputs), inner.found)

    return through


def _ruled(rebuild: Callable[..., Sequence[Any]], which: str) -> Callable[..., Sequence[Any]]:
    """The way through a primitive with derivatives of its own, which concern its own outputs alone.

    Where it stays for their sake, what is found inside is computed by a call beside it.
    """

    def through(frame: Frame, equation: Equation, args: list[Any], **params: Any) -> Sequence[Any]:
        program: Program = params[which]
        inner = extend(program, frame.how)
        count = len(program.outputs)
        if not frame.how.for_rules or inner.feeds:
            results = call(inner.program, *args, *frame.state, *frame.feed_all(inner.feeds))
            return frame.take(results, count, inner.found)
        total = len(inner.program.outputs)
        own = dce(inner.program, [i < count for i in range(total)])
        outs = rebuild(args, **{**params, which: own.closed()})
        beside = without(dce(inner.program, [i >= count for i in range(total)]), ALL)
        frame.find_all(inner.found, call(beside, *args))
        return outs

    return through


def _switch(
    frame: Frame, equation: Equation, args: list[Any], *, branches: Any, batched: str
) -> list[Any]:
    how = frame.how
    index, *operands = args
    inner = [extend(b, how) for b in branches]
    feeds, fed_at = how.join([e.feeds for e in inner])
    found, found_at = how.join([e.found for e in inner])
    fed = list(by_site(feeds, frame.feed_all(feeds)))
    count = len(branches[0].outputs)
    own, after = len(operands), len(operands) + len(frame.state)
    types = [*branches[0].in_types, *how.states, *[t for site in feeds for t in site.types]]

    def branch(e: Extended, feed_at: list[int], find_at: list[int]) -> Program:
        def run(*values: Any) -> list[Any]:
            parts = list(by_site(feeds, values[after:]))
            mine = [x for i in feed_at for x in parts[i]]
            results = evaluate(e.program, [*values[:after], *mine])
            done = count + len(frame.state)
            every = [how.start(site) for site in found]
            for i, part in zip(find_at, by_site(e.found, results[done:]), strict=True):
                every[i] = part
            return [*results[:done], *[x for part in every for x in part]]

        return record(run, types, e.program.name)

    programs = [branch(*parts) for parts in zip(inner, fed_at, found_at, strict=True)]
    values = [*operands[:own], *frame.state, *[x for part in fed for x in part]]
    return frame.take(bind_switch(index, programs, values, batched), count, found)


def _scan(
    frame: Frame, equation: Equation, args: list[Any], *, program: Program, consts: int, carry: int,
    length: int, reverse: bool, unroll: int,
) -> list[Any]:  # fmt: skip
    how = frame.how
    inner = extend(program, how)
    fixed, init, xs = args[:consts], args[consts : consts + carry], args[consts + carry :]
    fed = frame.feed_all([Site(s.what, with_axis(s.types, length)) for s in inner.feeds])
    folded = [] if how.stacks else [how.enter(s, "scan", equation) for s in inner.found]
    before = [x for site in folded for x in how.start(site)]
    counts = [] if how.stacks else [np.int32(0)]
    state = frame.state
    count = len(program.outputs)

    def step(*values: Any) -> list[Any]:
        parts = Parts(values)
        held, passed, at = parts.next(init), parts.next(state), parts.next(counts)
        had = list(by_site(folded, parts.next(before)))
        entries, given = parts.next(xs), parts.next(fed)
        results = evaluate(inner.program, [*fixed, *held, *entries, *passed, *given])
        done = count + len(state)
        found = list(by_site(inner.found, results[done:]))
        after = [results[:carry], results[count:done]]
        ys = [results[carry:count]]
        if how.stacks:
            ys += found
        else:
            entry = sub(np.int32(length - 1), at[0]) if reverse else at[0]
            after += [[add(at[0], np.int32(1))]]
            after += [how.fold(a, b, entry) for a, b in zip(had, found, strict=True)]
        return [x for part in (*after, *ys) for x in part]

    types = [*program.in_types[consts : consts + carry], *how.states, *[COUNT for _ in counts]]
    types += [t for site in folded for t in site.types] + list(program.in_types[consts + carry :])
    types += [t for site in inner.feeds for t in site.types]
    start = [*init, *state, *counts, *before]
    body = record(step, types, program.name)
    held, ys = bind_scan(
        body, [], start, [*xs, *fed], length=length, reverse=reverse, unroll=unroll
    )
    parts = Parts(held)
    last, passed, _ = parts.next(init), parts.next(state), parts.next(counts)
    own = count - carry
    if how.stacks:
        sites = [Site(s.what, with_axis(s.types, length)) for s in inner.found]
        return frame.take([*last, *ys[:own], *passed, *ys[own:]], count, sites)
    return frame.take([*last, *ys, *passed, *parts.rest()], count, folded)


class Parts:
    """Values laid end to end, taken off in pieces as long as others."""

    def __init__(self, values: Sequence[Any]) -> None:
        self.values, self.at = values, 0

    def next(self, like: Sequence[Any]) -> list[Any]:
        self.at += len(like)
        return list(self.values[self.at - len(like) : self.at])

    def rest(self) -> list[Any]:
        return list(self.values[self.at :])


def _while(
    frame: Frame, equation: Equation, args: list[Any], *, cond: Program, body: Program,
    cond_consts: int, body_consts: int, **params: Any,
) -> list[Any]:  # fmt: skip
    """A condition with something inside moves into the step, which carries what it gave."""
    how = frame.how
    test, inner = extend(cond, how), extend(body, how)
    moved = bool(cond.effects & how.effects)
    start = cond_consts + body_consts
    asked, fixed, init = args[:cond_consts], args[cond_consts:start], args[start:]
    test_fed, fed = frame.feed_all(test.feeds), frame.feed_all(inner.feeds)
    kind = "while_loop"
    folded = [how.enter(s, kind, equation) for s in (*test.found, *inner.found)]
    before = [x for site in folded for x in how.start(site)]
    state = frame.state
    k = len(init)

    def ask(held: Sequence[Any], passed: Sequence[Any]) -> Parts:
        return Parts(evaluate(test.program, [*asked, *held, *passed, *test_fed]))

    def step(*values: Any) -> list[Any]:
        parts = Parts(values)
        held, passed, at = parts.next(init), parts.next(state), parts.next([None])
        parts.next(going)
        had = list(by_site(folded, parts.rest()))
        results = Parts(evaluate(inner.program, [*fixed, *held, *passed, *fed]))
        after, passed = results.next(init), results.next(state)
        found = list(by_site(inner.found, results.rest()))
        go: list[Any] = []
        if moved:
            answer = ask(after, passed)
            go, passed = answer.next([None]), answer.next(state)
            found = [*by_site(test.found, answer.rest()), *found]
        nexts = [add(at[0], np.int32(1))]
        changed = []
        for i, (a, b) in enumerate(zip(had, found, strict=True)):
            # The condition asked after a step is that of the next one.
            changed += how.fold(a, b, nexts[0] if i < len(test.found) else at[0])
        return [*after, *passed, *nexts, *go, *changed]

    going: list[Any] = []
    if moved:
        first = ask(init, state)
        going, state = first.next([None]), first.next(state)
        found = list(by_site(test.found, first.rest()))
        had = list(by_site(folded, before))
        for i, part in enumerate(found):
            had[i] = how.fold(had[i], part, np.int32(0))
        before = [x for part in had for x in part]
    bools = [ArrayType((), np.bool_) for _ in going]
    types = [*body.in_types[body_consts:], *how.states, COUNT, *bools]
    types += [t for site in folded for t in site.types]

    def goes_on(*values: Any) -> list[Any]:
        if moved:
            return [values[k + len(state) + 1]]
        return evaluate(cond, [*asked, *values[:k]])

    results = bind_while(
        record(goes_on, types, cond.name), record(step, types, body.name), [], [],
        [*init, *state, np.int32(0), *going, *before], equation.primitive, **params,
    )  # fmt: skip
    parts = Parts(results)
    last, passed, _ = parts.next(init), parts.next(state), parts.next([None])
    parts.next(going)
    return frame.take([*last, *passed, *parts.rest()], k, folded)


def _vmap(
    frame: Frame, equation: Equation, args: list[Any], *, program: Program, size: int, name: Any,
    axes: Any, mapped: Any, start: int,
) -> list[Any]:  # fmt: skip
    how = frame.how
    inner = extend(program, how)
    fed = frame.feed_all([Site(s.what, with_axis(s.types, size)) for s in inner.feeds])
    count = len(program.outputs)
    force = (*mapped, *[True] * (len(inner.program.outputs) - count))
    places = (*axes, *[0] * len(fed))
    results, _ = bind_vmap(
        inner.program, BatchAxis(size, name), places, [*args, *fed], start, force
    )
    for site, values in zip(inner.found, by_site(inner.found, results[count:]), strict=True):
        frame.find(*how.across(site, size, start, values))
    return results[:count]


def _custom_again(args: list[Any], *, program: Program, rules: Any) -> Sequence[Any]:
    return custom_call(program, rules, *args)


def _solve_again(args: list[Any], **params: Any) -> Sequence[Any]:
    outs: Sequence[Any] = bind(Primitive.named["linear_solve"], *args, **params)
    return outs


def _lanes(args: list[Any], *, branches: Any, lanes: Any, any: bool) -> Program:
    return _expansion(branches, lanes, args[0].shape[0], False, any)


_WAYS: dict[str, Callable[..., Sequence[Any]]] = {
    "call": _call,
    "remat": _call,
    "custom": _ruled(_custom_again, "program"),
    "linear_solve": _ruled(_solve_again, "solve"),
    "custom_linear": _expanded(lambda args, forward, **_: forward),
    "reversible": _expanded(lambda args, fast, **_: fast),
    "switch": _switch,
    "switch_lanes": _expanded(_lanes),
    "scan": _scan,
    "while_loop": _while,
    "bounded_while": _while,
    "vmap": _vmap,
}
