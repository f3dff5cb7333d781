"""`check_equivalent`: two functions that are to be one, as Programs first, then at values that tell."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from jax.tree_util import tree_unflatten

from fn.core import (
    Arguments,
    FnError,
    Program,
    Traced,
    array_paths,
    dtype_name,
    evaluate,
    function_name,
    public,
    split_arguments,
    trace_call,
)
from fn.testing._by_op import noise
from fn.testing._canonical import equal_programs
from fn.testing._compare import Case, Difference, Measure, compare, summary
from fn.testing._errors import IdentityError, identity_error
from fn.testing._inputs import edge_arrays, random_array
from fn.testing._locate import Culprit, first_stranger, smaller
from fn.testing._report import Report, Row
from fn.testing._spec import Spec
from fn.xla import jit

_PATIENCE = 10.0
_SENTENCE = "both functions give the same for the same arguments"


@public
def check_equivalent(
    f: Callable[..., Any],
    g: Callable[..., Any],
    spec: Any,
    *,
    edges: bool = True,
    examples: int = 5,
    seed: int = 0,
    rtol: float | None = None,
    atol: float | None = None,
) -> Report:
    """Check that `f` and `g` compute the same.

    Their Programs are compared first: equal up to the order of equations, repeats, calls and the order
    of operands of sums and products, they are the same function, and nothing is computed. Otherwise
    both are compiled and compared at random values and at edge values: 0, -0, infinities, NaN,
    denormals, the largest and smallest numbers, extreme integers. NaN equals NaN, and -0 equals 0.

    Args:
        f: a function of arrays and pytrees.
        g: another one, of the same arguments.
        spec: the arguments, a tuple (or the only one), with types for arrays: `fn.ArrayType`,
            `jax.ShapeDtypeStruct`, an array as an example, or a text such as `"f32[n,3]"`, in which
            equal names are equal sizes, `?` is a size of its own, and `...` is any shape. Open sizes
            are tried at 0 and 1 and more, and `...` at empty, 0-dimensional and other shapes.
        edges: whether to try edge values; switch off if the functions may differ there.
        examples: how many random arguments to try for each choice of sizes.
        seed: of the random arguments.
        rtol: tolerance relative to the largest value of a result; by default a few units in the last
            place, or what rounding alone explains.
        atol: absolute tolerance beside it.

    Returns:
        A `Report`, a row per choice of sizes.

    Raises:
        IdentityError: with the smallest arguments found at which they differ, both values, and the
            first equation of `g` that computes what `f` computes nowhere, at its line. Also if one
            of them refuses shapes that the other takes.

    >>> import fn, fn.numpy as np
    >>> fn.testing.check_equivalent(lambda x: x * 2, lambda x: 2 * x, "f32[n]").ok
    True
    """
    rows = []
    title = f"{function_name(f)} = {function_name(g)}"
    for words, args in Spec(spec).instances():
        start = time.perf_counter()
        status, note, measure, failure = _compare_at(f, g, args, edges, examples, seed, rtol, atol)
        seconds = time.perf_counter() - start
        name = words or "as given"
        rows.append(Row(name, name, status, measure.cases, measure.worst, seconds, note))
        if failure is not None:
            failure.report = Report(title, rows)
            raise failure
    return Report(title, rows)


class _Side(NamedTuple):
    traced: Traced
    compiled: Callable[..., Any]


def _compare_at(
    f: Any, g: Any, args: tuple[Any, ...], edges: bool, examples: int, seed: int,
    rtol: float | None, atol: float | None,
) -> tuple[str, str, Measure, IdentityError | None]:  # fmt: skip
    what = f"check_equivalent({function_name(f)}, {function_name(g)})"
    measure = Measure()
    paths = array_paths(f, args, {})
    split = split_arguments("check_equivalent", f, args, {})
    types = [t for t in split.types if t is not None]
    given = "; ".join(f"{p}: {t}" for p, t in zip(paths, types, strict=False)) or "no arguments"
    sides: list[_Side | FnError] = []
    for function in (f, g):
        try:
            traced = trace_call("check_equivalent", function, args, {}, split)
            sides.append(_Side(traced, jit(_evaluation(traced.program))))
        except (FnError, ValueError, TypeError, IndexError) as error:
            sides.append(error if isinstance(error, FnError) else FnError(str(error)))
    left, right = sides
    if isinstance(left, FnError) or isinstance(right, FnError):
        if isinstance(left, FnError) and isinstance(right, FnError):
            return "skipped", f"both refuse: {left.what}", measure, None
        refusing, refusal = (f, left) if isinstance(left, FnError) else (g, right)
        assert isinstance(refusal, FnError)
        text = (
            f"{function_name(refusing)} refuses ({refusal.what}), the other does not, for {given}"
        )
        return "fails", text, measure, identity_error(
            f"{what}: they take different arguments", expected=_SENTENCE, got=text, source=None,
            fix="make both take these shapes, or give the sizes in the spec", identity="equivalent",
        )  # fmt: skip
    trees = [
        (s.traced.out_tree, [(t.shape, t.dtype) for t in s.traced.program.out_types])
        for s in (left, right)
    ]
    if trees[0] != trees[1]:
        texts = [
            f"{', '.join(_short_types(s.traced))} in {s.traced.out_tree}" for s in (left, right)
        ]
        text = f"{texts[0]} against {texts[1]}, for {given}"
        return "fails", text, measure, identity_error(
            f"{what}: the results have different types", expected=_SENTENCE, got=text, fix=None,
            source=None, identity="equivalent",
        )  # fmt: skip
    if left.traced.out_static == right.traced.out_static and equal_programs(
        left.traced.program, right.traced.program
    ):
        return "holds", "equal programs", measure, None
    names = (function_name(f), function_name(g))
    names = ("the first", "the second") if names[0] == names[1] else names

    def differ(arrays: Sequence[Any], m: Measure | None = None) -> Difference | None:
        outs = [s.compiled(*arrays) for s in (left, right)]
        case = Case(
            outs[0], outs[1], names, rtol, atol or 0.0,
            noise=None if rtol is not None else lambda: _noise(left, right, arrays),
        )  # fmt: skip
        return compare(case, m)

    for kind, arrays in _arguments(types, edges, examples, seed):
        if differ(arrays, measure) is None:
            continue
        still = _patiently(lambda xs: differ(xs) is not None)
        smallest = smaller(arrays, still)
        difference = differ(smallest)
        assert difference is not None
        culprit = _first_parting(left, right, smallest)
        inputs = (
            "; ".join(f"{p}: {summary(x)}" for p, x in zip(paths, smallest, strict=False))
            or "no arguments"
        )
        return "fails", difference.text, measure, identity_error(
            f"{what}: the results differ ({kind})", expected=_SENTENCE,
            got=f"{difference.text}, for {inputs}",
            fix=None if culprit is None else f"{names[1]} parts from {names[0]} first at {culprit}",
            source=None if culprit is None else culprit.equation.source, identity="equivalent",
            inputs=_rebuilt(split, smallest), left=difference.case.left, right=difference.case.right,
            equation=None if culprit is None else culprit.equation,
        )  # fmt: skip
    return "holds", "; ".join(dict.fromkeys(measure.excused)), measure, None


def _patiently(fails: Callable[[list[Any]], bool]) -> Callable[[list[Any]], bool]:
    """`fails`, until patience ends."""
    end = time.perf_counter() + _PATIENCE
    return lambda xs: time.perf_counter() < end and fails(xs)


def _evaluation(program: Program) -> Callable[..., Any]:
    return lambda *xs: tuple(evaluate(program, xs))


def _short_types(traced: Traced) -> list[str]:
    return [
        f"{dtype_name(t.dtype)}[{','.join(map(str, t.shape))}]" for t in traced.program.out_types
    ]


def _noise(left: _Side, right: _Side, arrays: Sequence[Any]) -> list[float]:
    each = [noise(s.traced.program, arrays) for s in (left, right)]
    return [max(pair) for pair in zip(*each, strict=True)]


def _arguments(
    types: Sequence[Any], edges: bool, examples: int, seed: int
) -> Iterator[tuple[str, list[Any]]]:
    rng = np.random.RandomState(seed % 2**32)
    for _ in range(examples if any(t.size for t in types) else 1):
        yield "at random values", [random_array(t, rng) for t in types]
    if not edges:
        return
    columns = [dict(edge_arrays(t, rng)) for t in types if t.size]
    for name in dict.fromkeys(n for column in columns for n in column):
        usual = [random_array(t, rng) for t in types]
        which = [i for i, t in enumerate(types) if t.size]
        there = [i for i, column in zip(which, columns, strict=True) if name in column]
        found = {
            i: column[name] for i, column in zip(which, columns, strict=True) if name in column
        }
        yield f"arguments {name}", [found.get(i, x) for i, x in enumerate(usual)]
        if len(there) > 1:
            for i in there:
                yield (
                    f"argument {i} {name}",
                    [found[j] if j == i else x for j, x in enumerate(usual)],
                )


def _first_parting(left: _Side, right: _Side, arrays: Sequence[Any]) -> Culprit | None:
    programs = [s.traced.program for s in (left, right)]
    return first_stranger(programs[0], arrays, programs[1], arrays)


def _rebuilt(split: Arguments, arrays: Sequence[Any]) -> Any:
    given, static = iter(arrays), iter(split.static)
    leaves = [next(static) if t is None else next(given) for t in split.types]
    return tree_unflatten(split.tree, leaves)[0]
