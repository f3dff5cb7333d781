"""`cond` and `switch`: values, derivatives, batches in three ways, and what they refuse."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest

import fn
import fn.numpy as fnp
from fn.core import ArgumentError, TreeError, TypeRuleError
from tests.control.compare import agree, close
from tests.programs import equations, names

RNG = np.random.RandomState(0)
W = (RNG.randn(3, 3) / 2).astype(np.float32)
X = RNG.randn(3).astype(np.float32)
MODES = ("select", "map", "any")


def choosing(lib: Any, np_: Any, **kwargs: Any) -> Any:
    cond = lib.cond if lib is fn else lib.lax.cond

    def f(p, w, x):
        def yes(w, x):
            return np_.tanh(w @ x).sum(), x

        def no(w, x):
            return (np_.sin(x) * np_.exp(x)).sum(), x * w[0]

        a, b = cond(p > 0, yes, no, w, x, **kwargs)
        return a + (b * b).sum()

    return f


@pytest.mark.parametrize("batched", MODES)
def test_everything(batched) -> None:
    agree(choosing, (np.float32(0.4), W, X), (1, 2), batched=batched)


def test_switch_everything() -> None:
    def write(lib, np_):
        switch = lib.switch if lib is fn else lib.lax.switch

        def f(i, w, x):
            branches = [
                lambda x: np_.sin(x) * w[0], lambda x: x, lambda x: np_.ones(3) * w[1], lambda x: x * x
            ]  # fmt: skip
            return (switch(i, branches, x) * x).sum()

        return f

    agree(write, (np.int32(2), W, X), (1, 2))


def test_only_one_branch_runs() -> None:
    text = fn.jit(choosing(fn, fnp)).lower(np.float32(1), W, X).as_text()
    assert "stablehlo.case" in text
    f = fn.vmap(choosing(fn, fnp), (None, 0, 0))
    assert names(fn.trace(f)(1.0, W[None], X[None])).count("switch") == 1
    for batched, inside in (("select", "switch_lanes"), ("any", "switch_lanes"), ("map", "scan")):
        f = fn.vmap(choosing(fn, fnp, batched=batched))
        program = fn.trace(f)(np.ones(2), np.stack([W, W]), np.stack([X, X]))
        assert inside in names(program)


def test_indices_out_of_range() -> None:
    branches = [lambda x: x, lambda x: 2 * x, lambda x: 3 * x]
    for index, factor in ((-5, 1), (0, 1), (1, 2), (2, 3), (99, 3)):
        assert float(fn.switch(index, branches, 1.5)) == 1.5 * factor
        assert float(fn.jit(lambda i: fn.switch(i, branches, 1.5))(np.int32(index))) == 1.5 * factor
    assert float(fn.switch(np.uint8(255), branches, 1.0)) == 3
    assert float(fn.switch(7, branches[:1], 1.0)) == 1


def test_numbers_are_predicates() -> None:
    for pred, expected in ((True, 1), (0, 2), (3, 1), (np.float32(0), 2), (fnp.ones(()), 1)):
        assert int(fn.cond(pred, lambda: 1, lambda: 2)) == expected


def test_python_values_meet() -> None:
    out = fn.cond(True, lambda: 1, lambda: 2.5)
    assert out.dtype == np.float32 and out.weak_type
    out, label = fn.cond(False, lambda x: (x, "s"), lambda x: (0, "s"), np.ones((), np.float16))
    assert out.dtype == np.float16 and label == "s" and isinstance(out, jax.Array)
    assert isinstance(fn.cond(True, lambda x: x, lambda x: x, 1.0), jax.Array)


def test_closures_over_tracers() -> None:
    def f(lib, cond, a):
        def inner(b):
            return cond(b > a, lambda: a * b, lambda: a * a * b)

        return lib.grad(inner)(2.0 * a) * a

    close(
        fn.grad(lambda a: f(fn, fn.cond, a))(0.7), jax.grad(lambda a: f(jax, jax.lax.cond, a))(0.7)
    )
    close(
        fn.vmap(fn.grad(lambda a: f(fn, fn.cond, a)))(X),
        jax.vmap(jax.grad(lambda a: f(jax, jax.lax.cond, a)))(X),
    )


# --- errors -----------------------------------------------------------------------------


def test_results_that_do_not_agree() -> None:
    with pytest.raises(
        TreeError, match="cond: true_fun and false_fun return different structures"
    ) as caught:
        fn.cond(True, lambda x: {"a": x}, lambda x: {"b": x}, 1.0)
    assert "`result/a` only from true_fun, `result/b` only from false_fun" in str(caught.value)
    with pytest.raises(TypeRuleError, match="different types at `result/a`") as caught:
        fn.cond(True, lambda x: {"a": x}, lambda x: {"a": x[:1]}, X)
    assert "f32[3], as true_fun returns" in str(caught.value)
    assert "f32[1] from false_fun" in str(caught.value)
    with pytest.raises(TypeRuleError, match=r"switch: .* types at `result`") as caught:
        fn.switch(0, [lambda x: x, lambda x: x, lambda x: x.astype(int)], X)
    assert "i32[3] from branches[2]" in str(caught.value)
    assert "convert with .astype('float32')" in str(caught.value)
    with pytest.raises(TreeError, match="`result/0` is not an array, and differs") as caught:
        fn.cond(True, lambda: ("a", 1), lambda: ("b", 1))
    assert "'a' from true_fun, 'b' from false_fun" in str(caught.value)


def test_arguments() -> None:
    with pytest.raises(ArgumentError, match="the predicate is not a scalar") as caught:
        fn.cond(X > 0, lambda: 1, lambda: 2)
    assert "bool[3]" in str(caught.value) and "fn.numpy.where" in str(caught.value)
    with pytest.raises(ArgumentError, match="the index is not an integer scalar"):
        fn.switch(0.5, [lambda: 1, lambda: 2])
    with pytest.raises(ArgumentError, match="no branches"):
        fn.switch(0, [])
    with pytest.raises(ArgumentError, match="false_fun is not a function"):
        fn.cond(True, lambda: 1, 2)
    with pytest.raises(ArgumentError, match="'select', 'map', 'any'"):
        fn.cond(True, lambda: 1, lambda: 2, batched="all")


# --- lanes ------------------------------------------------------------------------------


@pytest.mark.parametrize("batched", MODES)
@pytest.mark.parametrize("xs", [[-1.0, 2.0, 0.0], [-1.0, -2.0, 0.0], [1.0, 2.0, 3.0]])
def test_lanes_elsewhere_do_not_spoil_gradients(batched, xs) -> None:
    """log and sqrt have no finite derivative in the lanes that do not take their branch."""
    xs = np.array(xs, np.float32)

    def lane(w, x):
        return fn.cond(x > 0, lambda: fnp.log(x) * w + fnp.sqrt(x), lambda: w * x, batched=batched)

    def once(w, x):
        return fn.vmap(lane, (None, 0))(w, x).sum()

    def twice(w, x):
        return fn.vmap(fn.vmap(lane, (None, 0)), (None, 1))(w, fnp.stack([x, x], 1)).sum() / 2

    inside = np.where(xs > 0, xs, 1)
    slope = np.where(xs > 0, 2 / inside + 0.5 / np.sqrt(inside), 2)
    expected = np.where(xs > 0, np.log(inside), xs).sum(), slope
    for f in (once, twice):
        grad = fn.grad(f, argnums=(0, 1))
        close(fn.jit(grad)(2.0, xs), expected)
        second = fn.jit(fn.grad(lambda w, x: sum(g.sum() for g in grad(w, x)), argnums=(0, 1)))(
            2.0, xs
        )
        assert all(np.all(np.isfinite(g)) for g in second)
    close(fn.vmap(fn.grad(lane, argnums=1), (None, 0))(2.0, xs), slope)


def test_branches_nobody_takes_are_left_out() -> None:
    """With "any", and wherever a branch might not end."""

    def counting(x, batched):
        def long(x):
            return fn.while_loop(lambda y: y != 8.0, lambda y: y + 1.0, x)

        return fn.cond(x < 8.0, long, lambda x: x, x, batched=batched)

    # From 9.5 on, the loop of the first branch never meets 8.
    for batched in MODES:
        f = fn.jit(fn.vmap(lambda x: counting(x, batched)))
        np.testing.assert_array_equal(f(np.array([9.5, 3.0, 10.5], np.float32)), [9.5, 8.0, 10.5])
        np.testing.assert_array_equal(f(np.array([9.5, 10.5], np.float32)), [9.5, 10.5])


def test_collectives_in_branches() -> None:
    def lane(p, x):
        return fn.cond(p > 0, lambda x: fn.psum(x, "i"), lambda x: x, x)

    p = np.array([1.0, -1.0, 1.0], np.float32)
    np.testing.assert_allclose(
        fn.vmap(lane, axis_name="i")(p, X), np.where(p > 0, X.sum(), X), rtol=1e-6
    )
    np.testing.assert_allclose(
        fn.vmap(lane, (None, 0), axis_name="i")(1.0, X), [X.sum()] * 3, rtol=1e-6
    )


# --- the equation -----------------------------------------------------------------------


def test_residuals_are_shared_and_operands_not_returned() -> None:
    def f(p, x):
        return fn.cond(
            p, lambda x: fnp.sin(fnp.exp(x)), lambda x: fnp.tanh(fnp.sin(x) * x), x
        ).sum()

    program = fn.trace(fn.grad(f, argnums=1))(True, X)
    forward = next(e for e in equations(program) if e.primitive.name == "switch")
    # As many slots as the branch with most residuals has, and `x` is not among them.
    assert [len(b.outputs) for b in forward.params["branches"]] == [3, 3]


def test_unused_results_and_operands_are_dropped() -> None:
    def f(p, x, y):
        return fn.cond(p, lambda: (fnp.sin(x), fnp.exp(y), y), lambda: (x, y, y))

    program = fn.trace(lambda p, x, y: f(p, x, y)[0])(True, X, X)
    (switch,) = [e for e in equations(program) if e.primitive.name == "switch"]
    assert (len(switch.inputs), len(switch.outputs)) == (2, 1)
    # The third result is `y` whatever happens: no result of the equation.
    (switch,) = [e for e in equations(fn.trace(f)(True, X, X)) if e.primitive.name == "switch"]
    assert len(switch.outputs) == 2
