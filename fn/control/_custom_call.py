"""The primitives behind `custom`: a call with rules of its own, and what is linear in its tangents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fn.control._call import (
    _call_jvp,
    _call_linearize,
    _call_lower,
    _call_transpose,
    _call_type,
    call,
)
from fn.control._custom_linear import (
    KEEP,
    batch_to,
    captured_first,
    custom_linear_p,
    expand,
    no_forward_mode,
)
from fn.control._custom_rules import Call, Derived, Pullback
from fn.control._quiet import quiet
from fn.core import (
    ArrayType,
    Equation,
    FnError,
    Linear,
    Primitive,
    Program,
    Trace,
    Variable,
    bind,
    checked,
    dce,
    evaluate,
    is_inexact,
    recording,
    type_of,
)
from fn.ops import add, convert, full, move_axis
from fn.transforms import BatchAxis, batch_program, insert_axis, linearize_program

Dim = int | None


@dataclass(frozen=True)
class BatchedCall:
    """The rules of a batched call: those of one entry, batched. Outputs have the axis first."""

    base: AnyCall
    axis: BatchAxis
    dims: tuple[Dim, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "__qualname__", f"custom {self.name}")

    @property
    def name(self) -> str:
        return self.base.name

    @property
    def rules(self) -> Any:
        return self.base.rules

    @property
    def arity(self) -> int:
        return self.base.arity

    @property
    def operands(self) -> int:
        return self.base.operands

    def __repr__(self) -> str:
        return repr(self.base)

    def jvp(self, nonzero: tuple[bool, ...]) -> Derived:
        rule = self.base.jvp(nonzero)
        moving = [d for d, n in zip(self.dims, nonzero, strict=False) if n]
        dims = (*self.dims, *moving, *[None] * len(rule.captured))
        return _closed(rule, batch_to(rule.program, self.axis, dims))

    def vjp(self, nonzero: tuple[bool, ...]) -> Pullback:
        rule = self.base.vjp(nonzero)
        dims = (*self.dims, *[None] * len(rule.captured))
        _, found = batch_program(rule.forward, self.axis, dims)
        cts = len(rule.backward.inputs)
        outs = len(self.base.out_types)
        residuals = found[outs:]
        places: list[Dim | str] = [*[0] * outs, *[KEEP] * len(residuals)]
        forward = batch_to(rule.forward, self.axis, dims, places)
        moving = [d for d, n in zip(self.dims, nonzero, strict=False) if n]
        summed = tuple([d for d, g in zip(moving, rule.given, strict=True) if g])
        before = len(rule.held)
        dims = (*[None] * before, *residuals, *[0] * (cts - before - len(residuals)))
        captured = (*rule.captured, *forward.captured)
        backward, held = captured_first(batch_to(rule.backward, self.axis, dims, summed))
        return Pullback(forward.closed(), captured, backward, (*held, *rule.held), rule.given)

    @property
    def out_types(self) -> tuple[ArrayType, ...]:
        """Types of the outputs, with the new axis."""
        return tuple([t.with_shape((self.axis.size, *t.shape)) for t in self.base.out_types])

    def transpose(self, linear: tuple[bool, ...], nonzero: tuple[bool, ...]) -> Derived:
        rule = self.base.transpose(linear, nonzero)
        known = [d for d, is_linear in zip(self.dims, linear, strict=True) if not is_linear]
        dims = (*known, *[0] * sum(nonzero), *[None] * len(rule.captured))
        wanted = [d for d, is_linear in zip(self.dims, linear, strict=True) if is_linear]
        places = tuple([d for d, g in zip(wanted, rule.given, strict=True) if g])
        return _closed(rule, batch_to(rule.program, self.axis, dims, places))

    def vmap(self, size: int, dims: tuple[Dim, ...]) -> Derived | None:
        """A rule for one axis has been used; what it gave is batched as it is."""
        return None


AnyCall = Call | BatchedCall


def _closed(rule: Derived, batched: Program) -> Derived:
    return Derived(batched.closed(), (*rule.captured, *batched.captured), rule.given)


# --- custom -----------------------------------------------------------------------------
def custom_call(program: Program, rules: AnyCall, *args: Any) -> tuple[Any, ...]:
    """Apply `program`, whose derivatives are those of `rules`, to operands."""
    result: tuple[Any, ...] = bind(custom_p, *args, program=program, rules=rules)
    return result


def _custom_type(*types: ArrayType, program: Program, rules: AnyCall) -> tuple[ArrayType, ...]:
    return _call_type(*types, program=program)


def _custom_jvp(args: Any, tangents: Any, *, program: Program, rules: AnyCall) -> tuple[Any, Any]:
    nonzero, around = _split(tangents, rules)
    python = rules.rules
    if python == (None, None, python.vmap, None) or not any(nonzero):
        return _call_jvp(args, tangents, program=program)
    moving = [t for t in tangents[: rules.arity] if t is not None]
    outs: Sequence[Any]
    if python.jvp is not None:
        rule = rules.jvp(nonzero)
        results = evaluate(rule.program, [*args[: rules.operands], *moving, *rule.captured])
        outs = _typed(results[: len(program.outputs)], program.out_types)
        left = iter(results[len(outs) :])
        moved = [next(left) if g else None for g in rule.given]
    elif python.vjp is not None:
        raise no_forward_mode(rules.name)
    else:
        outs = custom_call(program, rules, *args)
        moved = _linear_tangents(args, tangents, program, rules)
    if any(around):
        _, more = _call_jvp(
            args, [*[None] * len(nonzero), *tangents[rules.arity :]], program=quiet(program)
        )
        moved = _sum(moved, more)
    return outs, moved


def _custom_linearize(
    args: Any, nonzero: tuple[bool, ...], *, program: Program, rules: AnyCall
) -> tuple[Any, ...]:
    own, around = nonzero[: rules.arity], nonzero[rules.arity :]
    python = rules.rules
    if python == (None, None, python.vmap, None) or not any(own):
        return _call_linearize(args, nonzero, program=program)
    if python.vjp is not None:
        outs, out_nonzero, linear_map = _linearize_vjp(args, own, program, rules)
    else:
        outs, out_nonzero, linear_map = _linearize_jvp(args, own, program, rules)
    if not any(around):
        return outs, out_nonzero, linear_map
    # The rule speaks of arguments. What the function closes over has the derivative it has anyway.
    lin = linearize_program(quiet(program), (False,) * len(own) + around)
    _, residuals = lin.split(args, call(lin.primal, *args))
    either = tuple([a or b for a, b in zip(out_nonzero, lin.out_nonzero, strict=True)])

    def both(tangents: Sequence[Any]) -> tuple[Any, ...]:
        first = expand(linear_map(tangents[: sum(own)]), out_nonzero)
        rest = call(lin.linear, *residuals, *tangents[sum(own) :]) if any(lin.out_nonzero) else ()
        total = _sum(first, expand(rest, lin.out_nonzero))
        return tuple([t for t in total if t is not None])

    return outs, either, both


def _linearize_vjp(args: Any, own: tuple[bool, ...], program: Program, rules: AnyCall) -> Any:
    pair = rules.vjp(own)
    results = evaluate(pair.forward, [*args[: rules.operands], *pair.captured])
    count = len(program.outputs)
    outs = _typed(results[:count], program.out_types)
    residuals = [*pair.held, *results[count:]]
    smooth = tuple([is_inexact(t.dtype) for t in program.out_types])
    forward: Program | None = None
    operands: list[Any] = []
    if rules.rules.jvp is not None:
        rule = rules.jvp(own)
        forward, operands = (
            _tangents_only(rule, program, rules.operands),
            [*args[: rules.operands], *rule.captured],
        )

    def linear_map(tangents: Sequence[Any]) -> tuple[Any, ...]:
        result: tuple[Any, ...] = bind(
            custom_linear_p, *residuals, *operands, *tangents, name=rules.name, forward=forward,
            backward=pair.backward, given=pair.given, residuals=len(residuals),
        )  # fmt: skip
        return result

    if not any(pair.given):
        return outs, (False,) * count, lambda tangents: ()
    return outs, smooth, linear_map


def _linearize_jvp(args: Any, own: tuple[bool, ...], program: Program, rules: AnyCall) -> Any:
    count = len(program.outputs)
    outs: Sequence[Any]
    if rules.rules.jvp is None:
        outs = custom_call(program, rules, *args)

        def transposable(tangents: Sequence[Any]) -> tuple[Any, ...]:
            moved = _linear_tangents(args, expand(tangents, own), program, rules)
            return tuple([t for t in moved if t is not None])

        return outs, tuple([is_inexact(t.dtype) for t in program.out_types]), transposable
    rule = rules.jvp(own)
    known, linear = _split_rule(rules, rule.program, sum(own), count)
    results = evaluate(known, [*args[: rules.operands], *rule.captured])
    outs, residuals = _typed(results[:count], program.out_types), results[count:]

    def linear_map(tangents: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(evaluate(linear, [*residuals, *tangents]))

    return outs, rule.given, linear_map


def _split_rule(
    rules: AnyCall, program: Program, moving: int, count: int
) -> tuple[Program, Program]:
    """A traced jvp rule as what is known at the point, and what depends on tangents.

    The first gives the outputs and residuals, the second takes these and the tangents.
    """
    before = rules.operands
    key = ("split rule", before, moving, count)
    if key not in program.cache:
        tangents = program.inputs[before : before + moving]
        others = (*program.inputs[:before], *program.inputs[before + moving :])
        depend: set[Any] = set(tangents)
        known: list[Equation] = []
        linear: list[Equation] = []
        for equation in program.equations:
            if any(a in depend for a in equation.inputs):
                linear.append(equation)
                depend.update(equation.outputs)
            else:
                known.append(equation)
        outs, moved = program.outputs[:count], program.outputs[count:]
        if any(a in depend for a in outs):
            raise FnError(
                f"custom {rules.name}: the output its jvp rule returns depends on the tangents",
                expected="an output computed from the primals alone",
                got=f"output {[a in depend for a in outs].index(True)} computed from a tangent",
            )
        used = dict.fromkeys([a for e in linear for a in e.inputs] + list(moved))
        residuals = tuple([a for a in used if isinstance(a, Variable) and a not in depend])
        first = Program(others, tuple(known), outs + residuals, (), program.name)
        second = Program(residuals + tangents, tuple(linear), moved, (), f"linear_{program.name}")
        program.cache[key] = checked(dce(first)), checked(dce(second))
    found: tuple[Program, Program] = program.cache[key]
    return found


def _tangents_only(rule: Derived, program: Program, operands: int) -> Program:
    """The tangents of all inexact outputs, from the inputs of a traced jvp rule, the tangents last."""
    key = "tangents only"
    if key not in rule.program.cache:
        trace = Trace(rule.program.name)
        hidden = len(rule.captured)
        own = len(rule.program.inputs) - hidden
        with recording(trace):
            args = [trace.input(t) for t in program.in_types[:operands]]
            captured = [trace.input(t) for t in rule.program.in_types[own:]]
            tangents = [trace.input(t) for t in rule.program.in_types[operands:own]]
            results = evaluate(rule.program, [*args, *tangents, *captured])
            left = iter(results[len(program.outputs) :])
            moved = [
                next(left) if g else full(t.dtype.type(0), t.shape)
                for g, t in zip(rule.given, program.out_types, strict=True)
                if is_inexact(t.dtype)
            ]
            rule.program.cache[key] = checked(dce(trace.finish(moved, rule.program.name)))
    found: Program = rule.program.cache[key]
    return found


def _linear_tangents(args: Any, tangents: Any, program: Program, rules: AnyCall) -> list[Any]:
    """The function on tangents, for one that is linear in all its arguments."""
    moved: list[Any] = list(args)
    for i, (t, kind) in enumerate(zip(tangents[: rules.arity], program.in_types, strict=False)):
        if is_inexact(kind.dtype):
            zero = full(kind.dtype.type(0), kind.shape) if t is None else t
            moved[i] = convert(zero, dtype=kind.dtype, weak=kind.weak)
    outs = custom_call(quiet(program), rules, *moved)
    return [
        o if is_inexact(t.dtype) else None for o, t in zip(outs, program.out_types, strict=True)
    ]


def _custom_transpose(cts: Any, *args: Any, program: Program, rules: AnyCall) -> tuple[Any, ...]:
    linear = tuple([isinstance(a, Linear) for a in args])
    if rules.rules.transpose is None or any(linear[rules.arity :]):
        return _call_transpose(cts, *args, program=program)
    operands = rules.operands
    rule = rules.transpose(linear[:operands], tuple([c is not None for c in cts]))
    known = [a for a in args[:operands] if not isinstance(a, Linear)]
    found = evaluate(rule.program, [*known, *[c for c in cts if c is not None], *rule.captured])
    left = iter(expand(found, rule.given))
    return tuple([next(left) if is_linear else None for is_linear in linear])


def _custom_batch(
    axis: Any, args: Any, dims: Any, *, program: Program, rules: AnyCall
) -> tuple[Any, Any]:
    args = [a if d is None else move_axis(a, d, 0) for a, d in zip(args, dims, strict=True)]
    dims = tuple([None if d is None else 0 for d in dims])
    batched_rules = BatchedCall(rules, axis, dims)
    rule = rules.vmap(axis.size, dims)
    if rule is None:
        batched = batch_to(program, axis, dims)
    else:
        batched, args = _batched_by_rule(rule, axis.size), [*args, *rule.captured]
    outs = custom_call(batched.closed(), batched_rules, *args, *batched.captured)
    return outs, (0,) * len(outs)


def _batched_by_rule(rule: Derived, size: int) -> Program:
    """What a vmap rule gives, with every output batched at axis 0."""
    key = ("placed", size)
    if key not in rule.program.cache:
        trace = Trace(rule.program.name)
        with recording(trace):
            args = [trace.input(t) for t in rule.program.in_types]
            outs = [
                out if mapped else insert_axis(out, size, 0)
                for out, mapped in zip(evaluate(rule.program, args), rule.given, strict=True)
            ]
            rule.program.cache[key] = checked(dce(trace.finish(outs, rule.program.name)))
    found: Program = rule.program.cache[key]
    return found


def _custom_lower(emit: Any, *args: Any, program: Program, rules: AnyCall) -> Any:
    return _call_lower(emit, *args, program=program)


custom_p = Primitive(
    name="custom", type=_custom_type, jvp=_custom_jvp, linearize=_custom_linearize,
    transpose=_custom_transpose, batch=_custom_batch, lower=_custom_lower, multiple=True,
)  # fmt: skip


def _split(tangents: Sequence[Any], rules: AnyCall) -> tuple[tuple[bool, ...], tuple[bool, ...]]:
    """Which arguments move, and which of what is closed over."""
    nonzero = tuple([t is not None for t in tangents])
    return nonzero[: rules.arity], nonzero[rules.arity :]


def _typed(values: Sequence[Any], types: Sequence[ArrayType]) -> list[Any]:
    return [
        v if type_of(v) is t else convert(v, dtype=t.dtype, weak=t.weak)
        for v, t in zip(values, types, strict=True)
    ]


def _sum(a: Sequence[Any], b: Sequence[Any]) -> list[Any]:
    return [y if x is None else x if y is None else add(x, y) for x, y in zip(a, b, strict=True)]
