"""`check_identities`: the algebra of the transforms, pointed at a function of yours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jax.tree_util import tree_flatten, tree_unflatten

from fn.core import (
    ArgumentError,
    Arguments,
    ConcretizationError,
    array_paths,
    function_name,
    leaf_paths,
    public,
    split_arguments,
    trace_call,
    type_of,
)
from fn.testing._compare import summary
from fn.testing._errors import IdentityError, identity_error
from fn.testing._identities import IDENTITIES, Identity, Outcome, examine
from fn.testing._inputs import fill_specs
from fn.testing._locate import locate, shrink
from fn.testing._report import Report, Row
from fn.testing._subject import Subject

_PATIENCE = 20.0
"""Seconds spent on looking for the smallest input, and again for the first equation."""


@public
def check_identities(
    function: Callable[..., Any],
    *args: Any,
    transforms: Sequence[str] | None = None,
    seed: int = 0,
    lanes: int = 3,
    rtol: float | None = None,
    atol: float | None = None,
) -> Report:
    """Check that every identity between transforms holds for `function` at these arguments.

    Derivatives are compared in 64 bits where every operation can be done in 64 bits, else in 32 with
    loose tolerances. A difference that rounding alone explains (intermediate results moved by a few
    units in the last place change as much) is no failure; the report says where that was so.

    Args:
        function: of arrays and pytrees; static leaves and keys may be among them.
        args: example arguments, or types (`fn.ArrayType`, `jax.ShapeDtypeStruct`) in place of arrays,
            for which random ones are made. Take values at which the function has a derivative.
        transforms: names of the identities to check; None for all. They are

            `jit`           jit = eager
            `ops`           the Program op by op = compiled by XLA
            `vmap`          vmap = loop, on every axis and for every chunk size
            `jvp`           jvp = finite differences
            `complex_step`  jvp = complex step, if the Program is analytic
            `linearize`     linearize = jvp
            `vjp`           <vjp(ct), t> = <ct, jvp(t)>
            `transpose`     transpose of transpose = itself
            `linear`        linear functions stay linear
            `grad_vmap`     grad of vmap = vmap of grad
            `jacobians`     jacfwd = jacrev
            `hessian`       second derivatives are symmetric, and slopes of the first
            `remat`         remat = plain
            `passes`        outlined and optimised = flat, if there are passes
            `text`          print, then parse = itself
            `precision`     float32 = float64
            `keys`          same key, same bits, under every transform
        seed: of tangents, cotangents and random arguments.
        lanes: size of the axis that is batched over.
        rtol: tolerance relative to the largest value of a result, instead of each identity's own.
        atol: absolute tolerance beside it.

    Returns:
        A `Report`: a table with a row per identity.

    Raises:
        IdentityError: for the first identity that fails, with the smallest failing input found, both
            values, and the first equation where the two evaluations part, at its line.

    >>> import fn, fn.numpy as np
    >>> layer = lambda w, x: np.tanh(w @ x).sum()
    >>> fn.testing.check_identities(layer, np.ones((2, 3)), np.ones(3), transforms=["jvp", "vjp"]).ok
    True
    """
    chosen = _chosen(transforms)
    subject, rebuild, note = subject_of(function, args, seed, lanes)
    outcomes = [examine(i, subject, rtol, atol) for i in chosen]
    report = report_of(f"identities of {function_name(function)}{note}", outcomes)
    failed = next((o for o in outcomes if o.status == "fails"), None)
    if failed is not None:
        paths = array_paths(function, args, {})
        raise explain(
            f"check_identities({function_name(function)})", failed, subject, rebuild, paths, report,
            rtol, atol,
        )  # fmt: skip
    return report


def _chosen(transforms: Sequence[str] | None) -> list[Identity]:
    if transforms is None:
        return list(IDENTITIES.values())
    names = [transforms] if isinstance(transforms, str) else list(transforms)
    for name in names:
        if name not in IDENTITIES:
            raise ArgumentError(
                "check_identities: unknown identity", expected=", ".join(IDENTITIES), got=repr(name),
                fix="leave out transforms= to check all of them",
            )  # fmt: skip
    return [IDENTITIES[name] for name in names]


def subject_of(
    function: Callable[..., Any], args: tuple[Any, ...], seed: int, lanes: int
) -> tuple[Subject, Callable[[Sequence[Any]], Any], str]:
    """`function` at `args` as a subject, how to rebuild arguments from arrays, and a remark."""
    args = fill_specs(args, seed)
    split = split_arguments("check_identities", function, args, {})
    call: Callable[..., Any] | None
    note = ""
    try:
        traced = trace_call("check_identities", function, args, {}, split)
        call = _flat(function, split)
    except ConcretizationError:
        traced = trace_call("check_identities", function, args, {}, split, values=split.arrays)
        call, note = None, ", which asks for values of its arguments: as it is for these"
    program = traced.program
    example = traced.rebuild(program.out_types)
    static = {position for position, _ in traced.out_static}
    labels = [p for i, p in enumerate(leaf_paths(example, "result")) if i not in static]
    subject = Subject(
        program.closed(), [*split.arrays, *program.captured], len(split.arrays), seed=seed,
        lanes=lanes, labels=labels, call=call,
    )  # fmt: skip
    return subject, lambda arrays: _arguments(split, arrays)[0], note


def _arguments(split: Arguments, arrays: Sequence[Any]) -> Any:
    given, static = iter(arrays), iter(split.static)
    return tree_unflatten(
        split.tree, [next(static) if t is None else next(given) for t in split.types]
    )


def _flat(function: Callable[..., Any], split: Arguments) -> Callable[..., Any]:
    """The function itself, from its array arguments to its array results."""

    def call(*arrays: Any) -> list[Any]:
        args, kwargs = _arguments(split, arrays)
        leaves = tree_flatten(function(*args, **kwargs))[0]
        return [x for x in leaves if type_of(x) is not None]

    return call


def report_of(title: str, outcomes: Sequence[Outcome]) -> Report:
    """The table of these outcomes."""
    rows = []
    for o in outcomes:
        notes = [o.reason] if o.reason else []
        notes += dict.fromkeys(o.measure.excused)
        row = Row(
            o.identity.name, o.identity.title, o.status, o.measure.cases, o.measure.worst, o.seconds,
            "; ".join(notes),
        )  # fmt: skip
        rows.append(row)
    return Report(title, rows)


def explain(
    operation: str, failed: Outcome, subject: Subject, rebuild: Callable[[Sequence[Any]], Any],
    paths: Sequence[str], report: Report, rtol: float | None, atol: float | None,
) -> IdentityError:  # fmt: skip
    """The error for an identity that fails: at the smallest input, with the equation to blame."""
    identity = failed.identity
    smallest = shrink(identity, subject, rtol, atol, _PATIENCE)
    outcome = examine(identity, smallest, rtol, atol) if smallest is not subject else failed
    culprit = locate(identity, smallest, rtol, atol, _PATIENCE)
    if culprit is not None:
        blame = culprit.blame or f"the {identity.rule} of `{culprit.equation.primitive.name}`"
        fix = f"look at {blame}: the two part first at {culprit}"
    else:
        fix = "no equation shows it by itself: look at how they are put together, or at what encloses them"
    others = [r.name for r in report.failed if r.name != identity.name]
    if others:
        fix += f" ({', '.join(others)} fail too)"
    difference = outcome.difference
    error = identity_error(
        f"{operation}: {identity.title} does not hold",
        expected=identity.sentence,
        got=f"{outcome.reason}{_detail(outcome)}, for {listed(paths, smallest)}",
        fix=fix,
        source=culprit.equation.source if culprit is not None else None,
        identity=identity.name, report=report, inputs=rebuild(smallest.arrays[: smallest.own]),
        equation=culprit.equation if culprit is not None else None,
        left=difference.case.left if difference else None,
        right=difference.case.right if difference else None,
    )  # fmt: skip
    error.__cause__ = outcome.error
    return error


def _detail(outcome: Outcome) -> str:
    case = outcome.difference.case if outcome.difference else None
    return f" ({case.detail})" if case is not None and case.detail else ""


_MOST_INPUTS = 6


def listed(paths: Sequence[str], subject: Subject) -> str:
    """The inputs in a few words each."""
    if not subject.own:
        return "no arguments"
    named = [
        f"{paths[i] if i < len(paths) else f'argument {i}'}: {summary(np.asarray(x))}"
        for i, x in enumerate(subject.arrays[: min(subject.own, _MOST_INPUTS)])
    ]
    more = subject.own - _MOST_INPUTS
    return "; ".join(named) + (f"; and {more} more" if more > 0 else "")
