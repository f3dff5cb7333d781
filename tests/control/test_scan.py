"""`scan`: values, derivatives, batches, what it refuses, and what it keeps out of the loop."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fn
import fn.numpy as fnp
from fn.core import ArgumentError, TreeError, TypeRuleError
from tests.control.compare import agree, close
from tests.programs import equations, names

RNG = np.random.RandomState(0)
W = (RNG.randn(3, 3) / 2).astype(np.float32)
H = RNG.randn(3).astype(np.float32)
XS = RNG.randn(5, 3).astype(np.float32)


def scan_of(lib: Any) -> Any:
    return lib.scan if lib is fn else lib.lax.scan


def recurrent(lib: Any, np_: Any, **kwargs: Any) -> Any:
    def f(w, h, xs):
        scale = np_.sin(w)

        def body(carry, x):
            h, count = carry
            new = np_.tanh(np_.cos(w) @ h + x) * scale[0]
            return (new, count + 1), (new * h, count)

        (h, count), (ys, counts) = scan_of(lib)(body, (h, 0), xs, **kwargs)
        return (h * h).sum() + (ys * counts[:, None]).sum() + count

    return f


def test_everything() -> None:
    agree(recurrent, (W, H, XS), (0, 1, 2))


@pytest.mark.parametrize("unroll", [2, 7, "auto", True])
def test_unroll(unroll) -> None:
    f, g = recurrent(fn, fnp, unroll=unroll), recurrent(fn, fnp)
    close(*(fn.jit(fn.value_and_grad(h, argnums=(0, 1, 2)))(W, H, XS) for h in (f, g)))
    text = fn.jit(f).lower(W, H, XS).as_text()
    assert ("stablehlo.while" in text) == (unroll == 2)


def test_backwards() -> None:
    def write(lib, np_):
        def f(w, xs):
            def body(c, x):
                return c * w[0] + x, np_.sin(c) * x

            c, ys = scan_of(lib)(body, w[1], xs, reverse=True)
            return (c * ys * np_.arange(5.0)[:, None]).sum()

        return f

    agree(write, (W, XS), (0, 1))


def test_no_inputs_and_no_results() -> None:
    def write(lib, np_):
        def f(x):
            c, ys = scan_of(lib)(lambda c, _: (np_.sin(c) * x, None), x, None, length=4)
            assert ys is None
            return c.sum()

        return f

    agree(write, (H,), (0,))


def test_as_a_python_loop() -> None:
    c, ys = fn.scan(
        lambda c, x: ({"a": c["a"] + x["x"]}, (c["a"], x)), {"a": np.float32(1)}, {"x": XS[:, 0]}
    )
    total, seen = np.float32(1), []
    for x in XS[:, 0]:
        seen.append(total)
        total = total + x
    close(c["a"], total)
    close(ys[0], np.stack(seen))
    np.testing.assert_array_equal(ys[1]["x"], XS[:, 0])


def test_no_steps() -> None:
    for f in (fn.scan, fn.jit(lambda c, xs: fn.scan(lambda c, x: (c + x, c * x), c, xs))):
        args = (np.float32(2), np.zeros((0,), np.float32))
        c, ys = f(lambda c, x: (c + x, c * x), *args) if f is fn.scan else f(*args)
        assert (float(c), ys.shape) == (2.0, (0,))

    def last(c):
        return fn.scan(lambda c, x: (c * x, x), c, np.zeros((0,), np.float32))[0]

    assert float(fn.grad(last)(3.0)) == 1.0


def test_results_that_are_no_arrays() -> None:
    c, y = fn.scan(lambda c, x: (c, ("label", c[1] + x)), ("kind", 0.0), XS[:, 0])
    assert c[0] == "kind" and y[0] == "label"
    assert y[1].shape == (5,)


def test_closures_over_tracers() -> None:
    def f(a, b):
        return fn.scan(lambda c, x: (c * a + x, b * c), b, XS[:, 0])[1].sum()

    def g(a, b):
        return jax.lax.scan(lambda c, x: (c * a + x, b * c), b, XS[:, 0])[1].sum()

    ours = fn.grad(lambda a: fn.grad(f, argnums=1)(a, a * 2))(0.7)
    close(ours, jax.grad(lambda a: jax.grad(g, argnums=1)(a, a * 2))(0.7))


# --- carries ----------------------------------------------------------------------------


def test_weak_carries_are_promoted() -> None:
    assert fn.scan(lambda c, x: (c + x, None), 0.0, np.ones(3, np.float16))[0].dtype == np.float16
    assert fn.scan(lambda c, x: (c + x, None), 0, np.ones(3, np.int8))[0].dtype == np.int8
    c, _ = fn.scan(lambda c, x: (1.0, c), fnp.zeros(()), None, length=2)
    assert c.dtype == np.float32
    c, _ = fn.scan(lambda c, _: ((c[1], c[0] + 1), None), (0, np.int32(1)), None, length=3)
    assert [int(v) for v in c] == [2, 2]


def test_carry_changes_its_type() -> None:
    with pytest.raises(
        TypeRuleError, match="scan: `init/n` changes its type in a step of `step`"
    ) as caught:

        def step(c, x):
            return {"n": c["n"] + x}, x

        fn.scan(step, {"n": 0}, XS[:, 0])
    text = str(caught.value)
    assert "expected: ~i32[], as it goes in" in text
    assert "got:      f32[] coming out" in text
    assert "Python scalar (weak), an int/float mix: write 0.0" in text
    with pytest.raises(TypeRuleError, match="an int/float mix: start with dtype float32"):
        fn.scan(lambda c, x: (c + x, x), np.int32(0), XS[:, 0])
    with pytest.raises(TypeRuleError, match="the initial value is a scalar, spread it"):
        fn.scan(lambda c, x: (c + x, x), 0.0, XS)
    with pytest.raises(TypeRuleError, match=r"with .astype\('float16'\)"):
        fn.scan(lambda c, x: (c + x, x), np.float16(0), XS[:, 0])


def test_carry_changes_its_structure() -> None:
    with pytest.raises(TreeError, match="another structure") as caught:
        fn.scan(lambda c, x: ({"a": c["a"], "b": x}, x), {"a": 0.0}, XS[:, 0])
    assert "`init/b` is new" in str(caught.value)
    with pytest.raises(TreeError, match="`init/0` is not an array and changes"):
        fn.scan(lambda c, x: (("b", c[1]), x), ("a", 0.0), XS[:, 0])
    with pytest.raises(ArgumentError, match="does not return a pair"):
        fn.scan(lambda c, x: c, 0.0, XS[:, 0])


def test_lengths() -> None:
    with pytest.raises(ArgumentError, match="different sizes") as caught:
        fn.scan(lambda c, x: (c, x), 0.0, {"a": np.ones(3), "b": np.ones((4, 2))}, length=5)
    assert "`xs/a`: 3; `xs/b`: 4; `length`: 5" in str(caught.value)
    with pytest.raises(ArgumentError, match="the number of steps is unknown"):
        fn.scan(lambda c, x: (c, x), 0.0)
    with pytest.raises(ArgumentError, match="`xs/1` has no leading axis"):
        fn.scan(lambda c, x: (c, x), 0.0, (XS, 1.0))
    with pytest.raises(ArgumentError, match="length is not a number of steps"):
        fn.scan(lambda c, x: (c, x), 0.0, length=-1)
    with pytest.raises(ArgumentError, match="unroll is not a number of steps"):
        fn.scan(lambda c, x: (c, x), 0.0, XS, unroll=0)
    with pytest.raises(ArgumentError, match="the first argument is not a function"):
        fn.scan(1, 0.0, XS)


# --- the loop ---------------------------------------------------------------------------


def the_scans(program) -> list[Any]:
    return [e for e in equations(program) if e.primitive.name == "scan"]


def test_what_does_not_change_is_not_carried() -> None:
    def f(w, c):
        return fn.scan(lambda s, x: ((s[0], s[1] @ s[0] + x), x), (w, c), XS)

    (scan,) = the_scans(fn.trace(f)(W, H))
    assert (scan.params["consts"], scan.params["carry"], len(scan.outputs)) == (1, 1, 1)


def test_unused_carries_are_pruned() -> None:
    def f(c):
        def body(s, x):
            a, b, d = s
            return (a + b, b * x, d + a), (a, fnp.sin(d))

        (a, b, d), (ys, zs) = fn.scan(body, (c, c, c), XS[:, 0])
        return a, ys

    (scan,) = the_scans(fn.trace(f)(1.0))
    assert scan.params["carry"] == 2
    assert [len(scan.outputs), "sin" in names(scan.params["program"])] == [3, False]
    program = fn.trace(
        lambda c: fn.scan(lambda s, x: ((s[0] * 2, s[1] + s[0]), None), (c, c), XS)[0][0]
    )(1.0)
    assert the_scans(program)[0].params["carry"] == 1


def test_carries_that_need_no_axis_stay_without() -> None:
    def f(c, d):
        return fn.scan(lambda s, x: ((s[0] * x, s[1] + s[0]), s[0]), (c, d), XS[:, 0])

    program = fn.trace(fn.vmap(f, (None, 0)))(1.0, np.ones(4, np.float32))
    (scan,) = the_scans(program)
    assert [v.type.shape for v in scan.outputs] == [(), (4,), (5,)]


def test_bodies_are_shared() -> None:
    def f(c):
        def go(c):
            return fn.scan(lambda s, x: (fnp.sin(s) * x, None), c, XS[:, 0])[0]

        return go(go(c))

    first, second = the_scans(fn.trace(f)(1.0))
    assert first.params["program"] is second.params["program"]


# --- generated bodies -------------------------------------------------------------------

OPERATIONS = {
    "sin": lambda np_, a, b: np_.sin(a),
    "product": lambda np_, a, b: a * b,
    "sum": lambda np_, a, b: a + b,
    "tanh": lambda np_, a, b: np_.tanh(a - b),
    "swap": lambda np_, a, b: b,
    "where": lambda np_, a, b: np_.where(a > b, a * np.float32(0.5), b),
    "constant": lambda np_, a, b: a * 0 + np.float32(0.3),
}


@settings(max_examples=12)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(sorted(OPERATIONS)), st.integers(0, 9), st.integers(0, 9)),
        min_size=2, max_size=6,
    ),
    outs=st.tuples(*[st.integers(0, 9)] * 3),
    reverse=st.booleans(),
)  # fmt: skip
def test_any_body(steps, outs, reverse) -> None:
    """Bodies made at random from a constant, two carries and an entry."""

    def write(lib, np_):
        def f(w, c, xs):
            def body(carry, x):
                values = [w, *carry, x]
                for name, i, j in steps:
                    a, b = values[i % len(values)], values[j % len(values)]
                    values.append(OPERATIONS[name](np_, a, b))
                picked = [values[i % len(values)] for i in outs]
                return tuple(picked[:2]), picked[2]

            (a, b), ys = scan_of(lib)(body, (c, c * 2), xs, reverse=reverse)
            return a * 2 + b + (ys * ys).sum()

        return f

    args = (np.float32(0.7), np.float32(-0.4), XS[:, 0])
    ours, theirs = write(fn, fnp), write(jax, jax.numpy)

    def both(lib, f):
        grad = lib.grad(f, argnums=(0, 1, 2))
        batch = (np.stack([args[0], args[0] + 1]), args[1], args[2])
        return (
            f(*args), grad(*args), lib.jvp(f, args, args)[1],
            lib.vmap(grad, (0, None, None))(*batch),
            lib.grad(lambda w: sum(g.sum() for g in grad(w, *args[1:])))(args[0]),
        )  # fmt: skip

    close(fn.jit(lambda: both(fn, ours))(), jax.jit(lambda: both(jax, theirs))(), rtol=1e-3)
