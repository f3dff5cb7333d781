"""`check_primitive`: every rule of a primitive against every other, on every subset of its operands."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from types import CodeType
from typing import Any

import numpy as np

from fn.core import (
    ArgumentError,
    Equation,
    MissingRuleError,
    Primitive,
    Program,
    Source,
    Variable,
    bind,
    dce,
    evaluate,
    infer,
    public,
    type_of,
)
from fn.ops import logical_not, neg
from fn.testing._check import explain, report_of
from fn.testing._compare import Case
from fn.testing._derivative_checks import jvp_is_the_slope
from fn.testing._errors import IdentityError
from fn.testing._identities import IDENTITIES, Identity, Outcome, examine
from fn.testing._inputs import fill_specs
from fn.testing._report import Report
from fn.testing._subject import Skip, Subject, pairing
from fn.testing._value_checks import Fault
from fn.transforms import transpose_program
from fn.xla import jit


@public
def check_primitive(
    primitive: Primitive,
    *args: Any,
    seed: int = 0,
    lanes: int = 3,
    rtol: float | None = None,
    atol: float | None = None,
    **params: Any,
) -> Report:
    """Check all rules of `primitive` against each other at these arguments and parameters.

    The type rule against what the lowering gives; the lowering alone, in a larger program, and with
    literals; jvp against slopes, all arguments together and each alone; transpose against jvp, for every
    subset of operands in which the operation is linear; batch against a loop, for every subset of
    operands along every axis; second derivatives; print and parse; pruning. Rules that are a sentence
    are taken at their word.

    Args:
        primitive: the primitive.
        args: example arguments, arrays or types (`fn.ArrayType`), for which random arrays are made.
        seed: of tangents, cotangents and random arguments.
        lanes: size of the axis that is batched over.
        rtol: tolerance relative to the largest value of a result, instead of each check's own.
        atol: absolute tolerance beside it.
        params: the primitive's parameters.

    Returns:
        A `Report`, a row per check.

    Raises:
        IdentityError: for the first check that fails; it names the rule, at the rule's line.

    >>> import fn, fn.numpy as np
    >>> from fn.ops import cos, mul
    >>> sine = fn.Primitive(
    ...     name="my_sine", type=lambda x: x, transpose="it is not linear", batch=fn.core.elementwise,
    ...     jvp=(lambda t, out, x: mul(t, cos(x)),), lower=lambda emit, x: emit.op("stablehlo.sine", x))
    >>> fn.testing.check_primitive(sine, np.ones(3)).ok
    True
    """
    if not isinstance(primitive, Primitive):
        raise ArgumentError(
            "check_primitive: the first argument is not a primitive", expected="fn.Primitive(...)",
            got=type(primitive).__name__, fix="use check_identities for functions",
        )  # fmt: skip
    arrays = list(fill_specs(args, seed))
    subject = Subject(
        _program(primitive, arrays, params), arrays, seed=seed, lanes=lanes, exhaustive=True
    )
    checks = [
        *_CHECKS,
        *[i for i in IDENTITIES.values() if i.name not in ("jit", "ops", "remat", "grad_vmap")],
    ]
    outcomes = [examine(c, subject, rtol, atol) for c in checks]
    report = report_of(f"rules of {primitive.name}", outcomes)
    failed = next((o for o in outcomes if o.status == "fails"), None)
    if failed is not None:
        paths = [f"argument {i}" for i in range(len(arrays))]
        error = explain(
            f"check_primitive({primitive.name})", failed, subject, list, paths, report, rtol, atol
        )
        raise _at_the_rule(error, primitive, failed, subject)
    return report


def _program(primitive: Primitive, arrays: Sequence[Any], params: dict[str, Any]) -> Program:
    types = []
    for position, x in enumerate(arrays):
        kind = type_of(x)
        if kind is None:
            raise ArgumentError(
                f"check_primitive: argument {position} is not an array", expected="an array or a type",
                got=type(x).__name__, fix="pass parameters by keyword",
            )  # fmt: skip
        types.append(kind)
    inputs = tuple([Variable(t) for t in types])
    outputs = tuple([Variable(t) for t in infer(primitive, tuple(types), params)])
    equation = Equation(primitive, inputs, outputs, params)
    return Program(inputs, (equation,), outputs, (), primitive.name)


def _at_the_rule(
    error: IdentityError, primitive: Primitive, failed: Outcome, subject: Subject
) -> IdentityError:
    """The error, pointing at the line of the rule that is put to the test."""
    rule = failed.identity.rule
    found = _rule(primitive, rule, failed, subject)
    code = getattr(found, "__code__", None)
    source = Source(code, 0) if isinstance(code, CodeType) else error.source
    fix = f"look at the {rule} of {primitive.name}"
    others = [r.name for r in error.report.failed if r.name != failed.identity.name]
    if others:
        fix += f" ({', '.join(others)} fail too)"
    text = IdentityError(error.what, expected=error.expected, got=error.got, fix=fix)
    lines = str(text).splitlines()
    if text.where is not None:
        lines = lines[:-1]
    if source is not None:
        lines.append(f"  {'at:':<10}{source}")
    error.args = ("\n".join(lines),)
    error.fix, error.source = fix, source
    error.where = None if source is None else str(source)
    return error


def _rule(primitive: Primitive, rule: str, failed: Outcome, subject: Subject) -> Any:
    field = {"lowering": "lower", "linearize rule": "linearize"}.get(rule, rule.split()[0])
    found = getattr(primitive, field) or primitive.jvp
    if not isinstance(found, tuple):
        return found
    for position in range(len(found)):
        alone = _moving_only(subject, (position,))
        check = Identity("", "", "", rule, jvp_is_the_slope)
        if examine(check, alone).status == "fails":
            return found[position]
    return None


def _moving_only(s: Subject, positions: Sequence[int]) -> Subject:
    moves = [i in positions for i in range(len(s.arrays))]
    return Subject(
        s.program, s.arrays, s.own, seed=s.seed, lanes=s.lanes, exhaustive=True, moves=moves
    )


# --- the checks that only a primitive has -----------------------------------------------


def _types_are_real(s: Subject) -> Iterator[Case]:
    """The type rule against what XLA makes of the lowering."""
    outs = evaluate(s.program, s.arrays)
    for position, (out, t) in enumerate(zip(outs, s.program.out_types, strict=True)):
        if (out.shape, out.dtype) != (t.shape, t.dtype):
            raise Fault(f"result {position} is {type_of(out)} as lowered, but {t} by the type rule")
    yield Case(outs, outs, ("lowering", "itself"), exact=True)


def _same_inside(s: Subject) -> Iterator[Case]:
    """Alone, twice in a larger program on computed operands, and with scalars as literals."""
    (equation,) = s.program.equations
    primitive, params = equation.primitive, dict(equation.params)

    def apply(*xs: Any) -> list[Any]:
        result = bind(primitive, *xs, **params)
        return list(result) if primitive.multiple else [result]

    def inside(*xs: Any) -> list[Any]:
        moved = [_twice_turned(x) for x in xs]
        return [*apply(*xs), *apply(*moved)]

    alone = s.value()
    yield Case(
        jit(inside)(*s.arrays),
        [*alone, *alone],
        ("inside a larger program", "alone"),
        noise=s.noise,
    )
    scalars = [i for i, x in enumerate(s.arrays) if np.ndim(x) == 0]
    if scalars and len(scalars) < len(s.arrays):
        fixed = {i: np.asarray(s.arrays[i])[()] for i in scalars}

        def literal(*xs: Any) -> list[Any]:
            return apply(*[fixed.get(i, x) for i, x in enumerate(xs)])

        yield Case(jit(literal)(*s.arrays), alone, ("with literals", "with arrays"), noise=s.noise)


def _twice_turned(x: Any) -> Any:
    """`x` as the result of operations that change nothing, for XLA to fuse with."""
    kind = type_of(x)
    assert kind is not None
    if kind.dtype == np.bool_:
        return logical_not(logical_not(x))
    return neg(neg(x))


def _each_alone(s: Subject) -> Iterator[Case]:
    """jvp along each argument by itself, the others held: zeros of tangents stay away."""
    moving = [i for i, m in enumerate(s.moving) if m]
    if len(moving) < 2:
        raise Skip("there is one argument, or none")
    for position in moving:
        for case in jvp_is_the_slope(_moving_only(s, (position,))):
            case.detail = f"along argument {position}"
            yield case


def _transposed_in_each(s: Subject) -> Iterator[Case]:
    """<transpose(ct), x> = <ct, f(x)>, for each subset of operands in which the operation is linear."""
    with s.differentiating():
        (equation,) = s.program.equations
        if isinstance(equation.primitive.transpose, str):
            raise Skip(equation.primitive.transpose)
        f = s.smooth
        if len(f.outputs) != len(s.program.outputs):
            raise Skip("not all results are floating or complex")
        points, cts = s.points, s.cotangents()
        moving = [i for i, m in enumerate(s.moving) if m]
        rtol = 1e-7 if s.bits == 64 else 2e-3
        for size in range(1, len(moving) + 1):
            for chosen in itertools.combinations(moving, size):
                linear = tuple([i in chosen for i in range(len(points))])
                try:
                    back, has = transpose_program(f, linear, (True,) * len(f.outputs))
                except MissingRuleError:
                    continue
                known = [x for x, is_linear in zip(points, linear, strict=True) if not is_linear]
                found = jit(lambda *xs, back=back: tuple(evaluate(back, xs)))(*known, *cts)
                run = s.compiled("smooth", lambda *xs: tuple(evaluate(f, xs)))
                origin = [x * 0 if i in chosen else x for i, x in enumerate(points)]
                # What the other operands add stays out of the linear part.
                both = zip(
                    map(np.asarray, run(*points)), map(np.asarray, run(*origin)), strict=True
                )
                with np.errstate(invalid="ignore"):
                    outs = [
                        np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0, a - b) for a, b in both
                    ]
                through = [points[i] for i, h in zip(chosen, has, strict=True) if h]
                left, right = pairing(found, through), pairing(cts, outs)
                size_ = sum(float(np.sum(np.abs(o))) for o in outs)
                yield Case(
                    [np.float64(left)], [np.float64(right)], ("<transpose(ct), x>", "<ct, f(x)>"), 0.0,
                    rtol * max(size_, 1e-6), detail=f"linear in arguments {chosen}", labels=["their pairing"],
                )  # fmt: skip


def _pruned(s: Subject) -> Iterator[Case]:
    """Without the results nobody uses, the others are the same."""
    (equation,) = s.program.equations
    count = len(equation.outputs)
    if equation.primitive.prune is None or count < 2:
        raise Skip("it has no prune rule, or one result")
    outs = s.value()
    for size in range(1, count):
        for chosen in itertools.islice(itertools.combinations(range(count), size), 20):
            program = dce(s.program, [i in chosen for i in range(count)])
            found = jit(lambda *xs, program=program: tuple(evaluate(program, xs)))(*s.arrays)
            kept = [outs[i] for i in chosen]
            names = ("pruned", "whole")
            yield Case(found, kept, names, detail=f"results {chosen} used", noise=s.noise)


_CHECKS = [
    Identity("type", "types = lowering", "results have the types that the type rule says", "type rule", _types_are_real),
    Identity("inside", "alone = inside", "an operation gives the same alone, in a larger program, and with literals",
             "lowering", _same_inside),
    Identity("jvp_each", "jvp of each argument", "along one argument, the others held, the jvp is the slope",
             "jvp rule", _each_alone),
    Identity("transpose_each", "transpose of each subset", "the transpose pairs with what the operation gives",
             "transpose rule", _transposed_in_each),
    Identity("prune", "pruned = whole", "results do not depend on whether others are used", "prune rule", _pruned),
]  # fmt: skip
