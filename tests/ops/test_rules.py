"""Every row of the table through every transform, and through the pairs of them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import jax
import numpy as np
import pytest

import fn
from fn.core import MissingRuleError, ParseError, Program, Property, check
from tests.ops.case import BATCH, HALVES, Case, all_close, as_tuple, close, entry
from tests.ops.row import Row
from tests.ops.table import ROWS
from tests.programs import zeros_computed_with

_DIFFERENTIABLE = [row for row in ROWS if row.differentiable]
# Derivatives are taken in 64 bits: rows at 16 would only repeat those at 32.
_SMOOTH = [
    row
    for row in _DIFFERENTIABLE
    if not any(np.asarray(a).dtype in HALVES for a in row.args)
    and not row.name.endswith(("to bfloat16", "to float16"))
]
_LINEAR = [
    row
    for row in _SMOOTH
    if row.primitive.jvp is Property.LINEAR and len(row.args) == 1 and row.name != "times_own"
]
_TRANSPOSABLE = [row for row in _SMOOTH if callable(row.primitive.transpose)]
# Zeros that are values: a device that receives nothing holds them.
_ZEROS_ARE_VALUES = {"ppermute-partial"}
_cases: dict[int, Case] = {}


def _case(row: Row) -> Case:
    if id(row) not in _cases:
        _cases.clear()  # rows come one after the other
        _cases[id(row)] = Case(row)
    return _cases[id(row)]


# Module-scoped, so that pytest runs all tests of a row one after the other.
@pytest.fixture(scope="module", params=ROWS, ids=lambda row: row.id)
def case(request: pytest.FixtureRequest) -> Case:
    return _case(request.param)


@pytest.fixture(scope="module", params=_SMOOTH, ids=lambda row: row.id)
def smooth_case(request: pytest.FixtureRequest) -> Case:
    return _case(request.param)


@pytest.fixture
def smooth(smooth_case: Case) -> Iterator[Case]:
    """The same, with 64-bit types switched on if the row is differentiated in them."""
    with jax.enable_x64(smooth_case.bits == 64):
        yield smooth_case


# --- values -----------------------------------------------------------------------------


def test_type(case: Case) -> None:
    types = as_tuple(fn.eval_type(case.row.function)(*case.args))
    assert [(o.shape, o.dtype) for o in case.eager] == [(t.shape, t.dtype) for t in types]
    assert [(o.shape, o.dtype) for o in case.compiled] == [(t.shape, t.dtype) for t in types]


def test_value(case: Case) -> None:
    reference = case.row.reference
    try:
        expected = jax.jit(lambda *args: reference(*args))(*case.args)
    except Exception:  # a reference in NumPy, which wants values
        expected = reference(*case.args)
    all_close(case.eager, expected, case.rtol, "against the reference")


def test_jit(case: Case) -> None:
    # Compiled alone or within a program, it is the same operation: only fusion may round otherwise.
    all_close(case.compiled, case.eager, case.rtol, "compiled against eager")


def test_text(case: Case) -> None:
    program = fn.trace(case.row.function)(*case.args)
    check(program)
    if "=<" in str(program):  # rules and callbacks are Python functions, which have no text
        with pytest.raises(ParseError):
            Program.parse(str(program), captured=program.captured)
        return
    read = Program.parse(str(program), captured=program.captured)
    assert read == program
    assert str(read) == str(program)


def _axes(case: Case) -> list[tuple[int | None, ...]]:
    """Which axis of each argument to map over: each argument alone, all together, all but one."""
    n = len(case.args)
    found: list[tuple[int | None, ...]] = []
    for i, x in enumerate(case.args):
        for axis in dict.fromkeys((0, 1, x.ndim)):
            if axis <= x.ndim:
                found.append(tuple(axis if j == i else None for j in range(n)))
    if n > 1:
        ranks = [x.ndim for x in case.args]
        found.append((0,) * n)
        found.append((-1,) * n)
        found.append(tuple(0 if j % 2 else rank for j, rank in enumerate(ranks)))
        if n > 2:
            found += [tuple(None if j == i else 0 for j in range(n)) for i in range(n)]
    return found


def _stacked(case: Case, axes: tuple[int | None, ...]) -> tuple[Any, ...]:
    return tuple(
        x if axis is None else np.stack([entry(x, k) for k in range(BATCH)], axis)
        for x, axis in zip(case.args, axes, strict=True)
    )


def _looped(case: Case, axes: tuple[int | None, ...], out_axis: int) -> tuple[Any, ...]:
    rows = [
        as_tuple(case.jitted(*[x if a is None else entry(x, k) for x, a in zip(case.args, axes)]))
        for k in range(BATCH)
    ]
    return tuple(np.stack([np.asarray(x) for x in column], out_axis) for column in zip(*rows))


def test_vmap(case: Case) -> None:
    """Against a Python loop, whichever arguments are batched and wherever."""
    if not case.args:
        out = as_tuple(fn.vmap(case.row.function, axis_size=BATCH)())
        all_close(out, tuple(np.stack([o] * BATCH) for o in case.eager), 0, "nothing mapped")
        return
    axes = _axes(case)
    out_axes = [-1 if i % 2 else 0 for i in range(len(axes))]
    batches = [_stacked(case, a) for a in axes]

    def all_of(batches: Any) -> Any:
        return [
            fn.vmap(case.row.function, in_axes=a, out_axes=o)(*xs)
            for a, o, xs in zip(axes, out_axes, batches)
        ]

    for a, o, got in zip(axes, out_axes, fn.jit(all_of)(batches)):
        all_close(got, _looped(case, a, o), case.rtol, f"in_axes={a}, out_axes={o}")


# --- first derivatives ------------------------------------------------------------------


def _jax_traceable(case: Case) -> bool:
    try:
        types = jax.eval_shape(case.smooth_reference, *case.xs)
    except Exception:
        return False
    return [(t.shape, t.dtype) for t in types] == [(t.shape, t.dtype) for t in case.out_types]


def test_jvp_is_the_slope(smooth: Case) -> None:
    outs, moved = smooth.first_order["jvp"]
    slope, rtol = smooth.difference(smooth.smooth_jitted)
    all_close(outs, smooth.smooth_jitted(*smooth.xs), 1e-10 if smooth.bits == 64 else 1e-5, "value")
    scale = max([1.0, *(float(np.max(np.abs(o), initial=0)) for o in outs)])
    all_close(moved, slope, rtol, "jvp against differences", atol=rtol * scale)


def test_linearize_is_jvp(smooth: Case) -> None:
    all_close(smooth.first_order["linearize"], smooth.first_order["jvp"][1], _rounding(smooth.bits))


def test_vjp_is_the_transpose(smooth: Case) -> None:
    """<ct, jvp(t)> = <vjp(ct), t>, where complex numbers pair as Re(a b)."""
    moved, pulled = smooth.first_order["jvp"][1], smooth.first_order["vjp"]
    left, right = _pairing(smooth.cts, moved), _pairing(pulled, smooth.ts)
    close(np.float64(left), np.float64(right), _rounding(smooth.bits), atol=_rounding(smooth.bits))


def test_vjp_is_that_of_jax(smooth: Case) -> None:
    if not _jax_traceable(smooth):
        pytest.skip("the reference is not traceable by JAX at this precision")
    try:
        expected = jax.jit(lambda xs, cts: jax.vjp(smooth.smooth_reference, *xs)[1](cts))(
            smooth.xs, smooth.cts
        )
    except (NotImplementedError, ValueError):
        pytest.skip("JAX has no derivative for the reference")
    # JAX's formulas differ from ours in rounding only, and in what it takes for constant factors.
    rtol = {64: 1e-7, 32: 1e-4}[smooth.bits]
    all_close(smooth.first_order["vjp"], expected, rtol, "vjp against jax.vjp")


def _rounding(bits: int) -> float:
    """What a different order of summation may change, relative to the size of the terms."""
    return {64: 1e-11, 32: 1e-4}[bits]


@pytest.mark.parametrize("row", _DIFFERENTIABLE, ids=lambda row: row.id)
def test_derivatives_keep_the_dtype(row: Row) -> None:
    """At the row's own precision, tangents have the types of outputs and cotangents of inputs."""
    case = Case(row)
    own = tuple(case.args[i] for i in row.differentiable)

    def function(*xs: Any) -> Any:
        args = list(case.args)
        for i, x in zip(row.differentiable, xs, strict=True):
            args[i] = x
        return row.function(*args)

    outs, moved = fn.eval_type(lambda xs, ts: fn.jvp(function, xs, ts))(own, own)
    for out, t in zip(as_tuple(outs), as_tuple(moved), strict=True):
        assert t is None or (t.shape, t.dtype) == (out.shape, out.dtype)
    cts = tuple(None if t is None else t.strong() for t in as_tuple(moved))
    cts = cts if isinstance(moved, (tuple, list)) else cts[0]
    pulled = fn.eval_type(lambda xs, cts: fn.vjp(function, *xs)[1](cts))(own, cts)
    assert [(p.shape, p.dtype) for p in pulled] == [(x.shape, x.dtype) for x in own]


def test_zeros_stay_symbolic(smooth: Case) -> None:
    gradient = fn.grad(smooth.scalar, argnums=smooth.argnums)
    program = fn.trace(gradient)(smooth.cts, *smooth.xs)
    if smooth.row.id not in _ZEROS_ARE_VALUES:
        assert zeros_computed_with(program) == []


@pytest.mark.parametrize("row", _LINEAR, ids=lambda row: row.id)
def test_transposed_twice(row: Row) -> None:
    case = Case(row)
    with jax.enable_x64(case.bits == 64):
        (t,), (out,) = case.ts, case.out_types

        def twice(x: Any) -> Any:
            once = fn.linear_transpose(lambda x: case.smooth(x)[0], case.xs[0])
            return fn.linear_transpose(lambda ct: once(ct)[0], out)(x)[0]

        # Its derivative is compared, not the operation: `pad` adds a constant of its own.
        close(fn.jit(twice)(t), case.first_order["jvp"][1][0], _rounding(case.bits))


@pytest.mark.parametrize("row", _TRANSPOSABLE, ids=lambda row: row.id)
def test_transpose_rule(row: Row) -> None:
    """Derivatives reach only some transpose rules; here each is asked for itself, where it applies."""
    case = Case(row)
    with jax.enable_x64(case.bits == 64):
        everywhere = tuple(range(len(case.xs)))

        def transposed(chosen: tuple[int, ...], cts: Any) -> Any:
            def function(*ys: Any) -> Any:
                xs = dict(enumerate(case.xs)) | dict(zip(chosen, ys, strict=True))
                return case.smooth(*[xs[i] for i in everywhere])

            return fn.linear_transpose(function, *[case.xs[i] for i in chosen])(cts)

        linear_in = []
        for chosen in dict.fromkeys([*((i,) for i in everywhere), everywhere]):
            try:
                fn.eval_type(partial(transposed, chosen))(case.cts)
                linear_in.append(chosen)
            except MissingRuleError:
                pass
        if not linear_in:
            pytest.skip("the row uses the operation where it is not linear")
        found = fn.jit(lambda cts: [transposed(chosen, cts) for chosen in linear_in])(case.cts)
        for chosen, got in zip(linear_in, found, strict=True):
            expected = [case.first_order["vjp"][i] for i in chosen]
            all_close(got, expected, _rounding(case.bits), f"with respect to {chosen}")


# --- pairs ------------------------------------------------------------------------------


def _per_entry(case: Case, name: str) -> tuple[Any, ...]:
    """What `name` of first order gives for each entry of the batch, stacked."""
    rows = [
        case.first_order.at(name, xs, ts, case.cts)
        for xs, ts in zip(case.entries, case.entry_tangents, strict=True)
    ]
    rows = [row[1] for row in rows] if name == "jvp" else rows
    return tuple(np.stack([np.asarray(x) for x in column]) for column in zip(*rows, strict=True))


def test_jvp_and_vmap(smooth: Case) -> None:
    expected = _per_entry(smooth, "jvp")
    for name in ("jvp of vmap", "vmap of jvp"):
        all_close(smooth.batched[name], expected, _rounding(smooth.bits), name)


def test_grad_and_vmap(smooth: Case) -> None:
    expected = _per_entry(smooth, "vjp")
    for name in ("vmap of grad", "grad of vmap"):
        all_close(smooth.batched[name], expected, _rounding(smooth.bits), name)


def test_vmap_over_directions(smooth: Case) -> None:
    """Only tangents or only cotangents are batched, as in a Jacobian."""
    rows = [
        smooth.first_order.at("jvp", smooth.xs, t, smooth.cts)[1] for t in smooth.entry_tangents
    ]
    expected = tuple(
        np.stack([np.asarray(x) for x in column]) for column in zip(*rows, strict=True)
    )
    all_close(smooth.batched["vmap over tangents"], expected, _rounding(smooth.bits), "tangents")
    once = smooth.first_order["vjp"]
    expected = tuple(
        np.stack([np.asarray(c * (1 + k)) for k in range(BATCH)]).astype(c.dtype) for c in once
    )
    all_close(
        smooth.batched["vmap over cotangents"], expected, _rounding(smooth.bits), "cotangents"
    )


def test_second_order(smooth: Case) -> None:
    """The second derivative by jvp∘jvp is the slope of the first."""
    slope, rtol = smooth.difference(
        lambda *xs: smooth.first_order.at("jvp", xs, smooth.us, smooth.cts)[1]
    )
    scale = max([1.0, *(float(np.max(np.abs(s), initial=0)) for s in slope)])
    all_close(smooth.second_order["jvp of jvp"], slope, rtol, "jvp of jvp", atol=10 * rtol * scale)


@pytest.mark.parametrize("name", ["grad of jvp", "grad of grad", "jvp of grad"])
def test_second_order_reversed(smooth: Case, name: str) -> None:
    """The three others agree with jvp∘jvp on the one number they share."""
    expected = _pairing(smooth.cts, smooth.second_order["jvp of jvp"])
    found = smooth.second_order[name]
    got = found if name == "jvp of grad" else _pairing(found, smooth.ts)
    close(
        np.float64(got),
        np.float64(expected),
        10 * _rounding(smooth.bits),
        name,
        atol=_rounding(smooth.bits),
    )


def _pairing(a: Any, b: Any) -> float:
    wide = [
        np.asarray(x).astype(complex) * np.asarray(y).astype(complex)
        for x, y in zip(a, b, strict=True)
    ]
    return sum(float(np.sum(p.real)) for p in wide)
