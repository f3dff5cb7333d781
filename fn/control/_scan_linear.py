"""Reverse mode through `scan`: what its derivative has to remember of each step, and the loop run backwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from fn.control._derive import (
    Flags,
    dependent,
    either,
    fill_where,
    known,
    record,
    select_by,
    slice_program,
    spread,
    zeros,
)
from fn.control._quiet import without
from fn.core import (
    Atom,
    Equation,
    Linear,
    Literal,
    MissingRuleError,
    Program,
    Trace,
    Variable,
    checked,
    dce,
    evaluate,
    recording,
)
from fn.ops import add
from fn.transforms import Linearized, linearize_program, transpose_program

# These cost nothing beside reading and writing what they give: they are done again rather than saved.
_CHEAP = frozenset({"broadcast", "convert", "iota", "reshape", "transpose", "expand"})
# These are done again where everything they take is at hand anyway.
_CHEAP_AT_HAND = _CHEAP | frozenset({
    "neg", "add", "sub", "mul", "abs", "sign", "select", "maximum", "minimum", "eq", "ne", "lt", "le",
    "gt", "ge", "and", "or", "not", "slice", "reverse", "stop_gradient",
})  # fmt: skip


class ResidualPlan(NamedTuple):
    """A loop body split for reverse mode.

    Residuals that are the same in every step are computed once, outside; those that are entries of
    `xs` are read from there again; what is cheap is computed again; the rest is stacked.
    """

    hoist: Program
    """Constants of the loop to residuals that depend on nothing else."""
    primal: Program
    """Constants, hoisted residuals, carry, entries to carry, results and residuals to be stacked."""
    linear: Program
    """Constant residuals, tangents of constants; tangents of the carry; the entries of `xs` and of the
    stacks, tangents of entries; to tangents of the carry and of results."""
    const_residuals: Flags
    """Which constants of the loop are residuals as they are."""
    xs_residuals: Flags
    """Which of `xs` are residuals as they are."""


def residual_plan(
    program: Program, flags: Flags, out_flags: Flags, consts: int, carry: int
) -> ResidualPlan:
    """The plan for a body with tangents where flagged; remembered on the body."""
    key = ("residual_plan", flags, out_flags, consts, carry)
    if key not in program.cache:
        lin = linearize_program(program, flags)
        program.cache[key] = _Planner(lin, flags, out_flags, consts, carry).plan()
    found: ResidualPlan = program.cache[key]
    return found


class _Planner:
    """Decides for each residual where it comes from."""

    def __init__(
        self, lin: Linearized, flags: Flags, out_flags: Flags, consts: int, carry: int
    ) -> None:
        self.lin, self.flags, self.out_flags = lin, flags, out_flags
        self.consts, self.carry = consts, carry
        body = lin.primal
        self.count = len(lin.out_nonzero)
        own = len(body.inputs) - len(body.captured)
        self.inputs = body.inputs[:own]
        self.hidden = body.inputs[own:]
        computed = [a for a in body.outputs[self.count :] if isinstance(a, Variable)]
        self.residuals = [self.inputs[i] for i in lin.forwarded] + computed
        self.fixed: set[Atom] = {*self.inputs[:consts], *self.hidden}
        self.entries: set[Atom] = set(self.inputs[consts + carry :])
        self.made_by: dict[Atom, Equation] = {}
        for equation in body.equations:
            self.made_by.update(dict.fromkeys(equation.outputs, equation))
            same = all(isinstance(a, Literal) or a in self.fixed for a in equation.inputs)
            if same and not equation.effects:  # an effect happens in every step, alike or not
                self.fixed.update(equation.outputs)
        self.hoisted: dict[Variable, None] = {}
        self.stacked: dict[Variable, None] = {}
        self.again: dict[Equation, None] = {}

    def plan(self) -> ResidualPlan:
        later: list[Variable] = []
        for r in self.residuals:
            if self._at_hand(r):
                continue
            equation = self.made_by.get(r)
            if equation is not None and equation.primitive.name in _CHEAP_AT_HAND:
                later.append(r)
            else:
                self._keep(r)
        for r in later:
            if not self._compute_again(r):
                self._keep(r)
        return self._programs()

    def _at_hand(self, v: Variable) -> bool:
        inputs = v in self.entries or (v in self.fixed and v not in self.made_by)
        return inputs or v in self.hoisted or v in self.stacked

    def _keep(self, r: Variable) -> None:
        (self.hoisted if r in self.fixed else self.stacked)[r] = None

    def _compute_again(self, r: Variable) -> bool:
        """Whether `r` is cheap to compute from what is at hand, or from something smaller to be kept."""
        steps: dict[Equation, None] = {}
        missing: dict[Variable, None] = {}
        cheap = True

        def visit(v: Variable) -> None:
            nonlocal cheap
            if self._at_hand(v):
                return
            equation = self.made_by.get(v)
            if equation is None or equation.primitive.name not in _CHEAP_AT_HAND:
                missing[v] = None
            elif equation not in steps and equation not in self.again:
                cheap = cheap and equation.primitive.name in _CHEAP
                for a in equation.inputs:
                    if isinstance(a, Variable):
                        visit(a)
                steps[equation] = None

        visit(r)
        stacked = sum(_bytes(v) for v in missing if v not in self.fixed)
        if stacked and (not cheap or stacked > _bytes(r)):
            return False
        for v in missing:
            self._keep(v)
        self.again.update(steps)
        return True

    def _programs(self) -> ResidualPlan:
        body, lin = self.lin.primal, self.lin
        c = self.consts
        hoisted, stacked = list(self.hoisted), list(self.stacked)
        # An equation is either inside the loop or outside: all it gives is hoisted with one result.
        outside = {self.made_by[v] for v in hoisted}
        hoisted = list(
            dict.fromkeys([v for e in body.equations if e in outside for v in e.outputs])
        )
        hidden = body.captured
        fixed = (*self.inputs[:c], *self.hidden)
        before = tuple([e for e in body.equations if e.outputs and e.outputs[0] in self.fixed])
        hoist = checked(dce(Program(fixed, before, tuple(hoisted), hidden)))
        inside = tuple([e for e in body.equations if e not in outside])
        outs = (*body.outputs[: self.count], *stacked)
        inputs = (*self.inputs[:c], *hoisted, *self.inputs[c:], *self.hidden)
        primal = checked(dce(Program(inputs, inside, outs, hidden, body.name)))
        needed = set(self.residuals) | {
            a for e in self.again for a in e.inputs if isinstance(a, Variable)
        }
        const_residuals = tuple([v in needed for v in self.inputs[:c]])
        xs = self.inputs[c + self.carry :]
        xs_residuals = tuple([v in needed for v in xs])
        names = [v for v in self.inputs[:c] if v in needed] + hoisted
        saved = [v for v in xs if v in needed] + stacked
        return ResidualPlan(
            hoist, primal, self._linear(names, saved, lin), const_residuals, xs_residuals
        )

    def _linear(self, fixed: list[Variable], saved: list[Variable], lin: Linearized) -> Program:
        """The linear body: residuals found or computed again, then the linear Program."""
        c, k = self.consts, self.consts + self.carry
        trace = Trace(lin.linear.name)
        with recording(trace):
            tangent_types = lin.linear.in_types[lin.residuals :]
            value: dict[Variable, Any] = {v: trace.input(v.type) for v in fixed}
            counts = [sum(self.flags[:c]), sum(self.flags[c:k])]
            tangents = [trace.input(t) for t in tangent_types[: sum(counts)]]
            value.update({v: trace.input(v.type) for v in saved})
            tangents += [trace.input(t) for t in tangent_types[sum(counts) :]]
            for v, hidden in zip(self.hidden, lin.primal.captured, strict=True):
                value[v] = hidden
            again = [e for e in lin.primal.equations if e in self.again]
            for equation in again:
                atoms = tuple(
                    [
                        trace.atom(value[a]) if isinstance(a, Variable) else a
                        for a in equation.inputs
                    ]
                )
                value.update(zip(equation.outputs, trace.append(equation, atoms), strict=True))
            found = evaluate(lin.linear, [*[value[r] for r in self.residuals], *tangents])
            types = [a.type for a in lin.primal.outputs[: self.count]]
            moved = fill_where(spread(lin.out_nonzero, found), self.out_flags, types)
            return checked(dce(trace.finish(known(moved), lin.linear.name)))


def _bytes(v: Variable) -> int:
    return int(v.type.size * v.type.dtype.itemsize)


# --- transpose --------------------------------------------------------------------------


def scan_transpose(
    bind_scan: Callable[..., Any], cts: Any, *args: Any, program: Program, consts: int, carry: int,
    reverse: bool, **params: Any,
) -> tuple[Any, ...]:  # fmt: skip
    """Cotangents of a scan's linear arguments, by the scan in the other direction."""
    program = without(program, frozenset({"tag"}))
    if program.effects:
        raise MissingRuleError(
            "scan has no transpose rule here: there is an effect in it",
            expected="a linear function that does nothing else", got=", ".join(sorted(program.effects)),
            fix="callbacks and checks belong to primal values: take them out of what is linear",
        )  # fmt: skip
    start = consts + carry
    linear = tuple([isinstance(a, Linear) for a in args])
    # A carry is linear if it starts so or becomes so in a step.
    while True:
        grown = either(linear[consts:start], dependent(program, linear)[:carry])
        if grown == linear[consts:start]:
            break
        linear = (*linear[:consts], *grown, *linear[start:])
    program, values, cts, order, carry = _known_carries_as_xs(
        bind_scan, program, args, cts, linear, consts, carry, {"reverse": reverse, **params}
    )
    linear = tuple([linear[i] for i in order])
    start = consts + carry
    ct_carry, ct_ys = cts[:carry], cts[carry:]

    types = program.in_types
    nonzero = tuple([ct is not None for ct in ct_carry])
    has_y = tuple([ct is not None for ct in ct_ys])
    while True:
        backward, given = transpose_program(program, linear, (*nonzero, *has_y))
        moves = tuple([bool(g) for g in spread(linear, given)])
        grown = either(nonzero, moves[consts:start])
        if grown == nonzero:
            break
        nonzero = grown
    seeds = known(fill_where(ct_carry, nonzero, types[consts:start]))
    sums = [zeros(t.strong()) for t, m in zip(types[:consts], moves[:consts], strict=True) if m]
    body = _backward_body(program, backward, linear, nonzero, has_y, moves, consts, carry)
    not_linear = [not f for f in linear]
    outs, ys = bind_scan(
        body, select_by(not_linear[:consts], values[:consts]), [*seeds, *sums],
        [*select_by(not_linear[start:], values[start:]), *known(ct_ys)], reverse=not reverse, **params,
    )  # fmt: skip
    found = [
        *spread(moves[:consts], outs[len(seeds) :]),
        *spread(nonzero, outs[: len(seeds)]),
        *spread(moves[start:], ys),
    ]
    result: list[Any] = [None] * len(order)
    for i, arg, ct in zip(order, values, found, strict=True):
        if isinstance(arg, Linear):
            result[i] = ct
    return tuple(result)


def _known_carries_as_xs(
    bind_scan: Callable[..., Any], program: Program, args: Sequence[Any], cts: Sequence[Any],
    linear: Flags, consts: int, carry: int, params: dict[str, Any],
) -> tuple[Program, list[Any], list[Any], list[int], int]:  # fmt: skip
    """The scan with its carries that are not linear (a counter, say) run ahead and made entries.

    Returns the body, arguments and cotangents, where each argument was, and the number of carries.
    """
    start, n = consts + carry, len(program.inputs)
    flags = linear[consts:start]
    moving = [i for i in range(carry) if flags[i]]
    ahead = [i for i in range(carry) if not flags[i]]
    stacks: list[Any] = []
    if ahead:
        const_at = [i for i in range(consts) if not linear[i]]
        xs_at = [i for i in range(start, n) if not linear[i]]
        at = [consts + i for i in ahead]
        first = slice_program(program, [*const_at, *at, *xs_at], ahead, lead=at)
        values = [[args[i] for i in places] for places in (const_at, at, xs_at)]
        stacks = bind_scan(first, *values, **params)[1]
    at = [consts + i for i in moving]
    order = [*range(consts), *at, *[consts + i for i in ahead], *range(start, n)]
    body = slice_program(program, order, [*moving, *range(carry, len(program.outputs))])
    values = [*args[:consts], *[args[i] for i in at], *stacks, *args[start:]]
    return body, values, [*[cts[i] for i in moving], *cts[carry:]], order, len(moving)


def _backward_body(
    program: Program, backward: Program, linear: Flags, nonzero: Flags, has_y: Flags, moves: Flags,
    consts: int, carry: int,
) -> Program:  # fmt: skip
    """A step backwards: known constants; cotangents of the carry, sums for constants; known entries and
    cotangents of results; to the new cotangents and sums, and cotangents of the entries."""
    key = ("scan_backward", linear, nonzero, has_y, consts, carry)
    if key not in program.cache:
        start = consts + carry
        types = program.in_types
        not_linear = [not f for f in linear]
        fixed = select_by(not_linear[:consts], types[:consts])
        seeds = [t.strong() for t in select_by(nonzero, types[consts:start])]
        sums = [t.strong() for t in select_by(moves[:consts], types[:consts])]
        entries = select_by(not_linear[start:], types[start:])
        results = [t.strong() for t in select_by(has_y, program.out_types[carry:])]
        ends: list[int] = []
        for part in (fixed, seeds, sums, entries, results):
            ends.append((ends[-1] if ends else 0) + len(part))

        def step(*values: Any) -> list[Any]:
            c, k, s, x, _ = ends
            cts = (*values[c:k], *values[x:])
            found = evaluate(backward, [*values[:c], *values[s:x], *cts])
            per_input = spread(moves, found)
            into = known(fill_where(per_input[consts:start], nonzero, types[consts:start]))
            more = [add(a, b) for a, b in zip(values[k:s], known(per_input[:consts]), strict=True)]
            return [*into, *more, *known(per_input[start:])]

        program.cache[key] = record(
            step, [*fixed, *seeds, *sums, *entries, *results], backward.name
        )
    found: Program = program.cache[key]
    return found
