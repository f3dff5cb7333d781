"""`while_loop` and `fori_loop`: values, forward mode, batches, reverse mode with a bound, memory."""

from __future__ import annotations

import re
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fn
import fn.numpy as fnp
from fn.core import ArgumentError, MissingRuleError, TreeError, TypeRuleError
from tests.control.compare import agree, close
from tests.programs import equations, programs

X = np.array([0.3, 0.5], np.float32)
W = np.float32(0.7)
MOST = 12


def loop_of(lib: Any, **kwargs: Any) -> Any:
    """A loop with at most `MOST` steps; JAX's, for reverse mode, is a scan that rests."""
    if lib is fn:
        return lambda cond, body, init: fn.while_loop(cond, body, init, **kwargs)

    def bounded(cond, body, init):
        def step(s, _):
            go, new = cond(s), body(s)
            return jax.tree.map(lambda a, b: jnp.where(go, a, b), new, s), None

        return jax.lax.scan(step, init, None, length=MOST)[0]

    return bounded


def looping(lib: Any, np_: Any, **kwargs: Any) -> Any:
    def f(n, w, x):
        def body(s):
            i, y, z = s
            return i + 1, np_.sin(y) * w + z[0], z

        _, y, _ = loop_of(lib, **kwargs)(lambda s: s[0] < n, body, (0, np_.cos(x), x))
        return (y * y).sum()

    return f


# --- without a bound --------------------------------------------------------------------


def test_values() -> None:
    f = looping(fn, fnp)
    for n in (0, 1, 5):
        close(f(n, W, X), looping(jax, jnp)(n, W, X))
        close(fn.jit(f)(n, W, X), looping(jax, jnp)(n, W, X))
    assert (
        fn.while_loop(
            lambda s: s["n"] < 3, lambda s: {"n": s["n"] + 1, "k": "x"}, {"n": 0, "k": "x"}
        )["k"]
        == "x"
    )


def test_forward_mode() -> None:
    def ours(w, x):
        return looping(fn, fnp)(5, w, x)

    def theirs(w, x):
        return looping(jax, jnp)(5, w, x)

    args = (W, X)
    close(fn.jvp(ours, args, args), jax.jvp(theirs, args, args))
    close(fn.linearize(ours, *args)[1](*args), jax.jvp(theirs, args, args)[1])
    close(fn.jacfwd(fn.jacfwd(ours, 1), 1)(*args), jax.jacfwd(jax.jacfwd(theirs, 1), 1)(*args))
    program = fn.trace(lambda t: fn.jvp(lambda w: ours(w, X), (W,), (t,))[1])(W)
    (loop,) = [e for e in equations(program) if e.primitive.name == "while_loop"]
    # Counter, state, its tangent: what does not move in a step is not carried.
    assert len(loop.outputs) == 3


def test_reverse_mode_needs_a_bound() -> None:
    def decay(x):
        return fn.while_loop(lambda y: y > 1, lambda y: y / 2, x)  # the user's line

    with pytest.raises(
        MissingRuleError, match="while_loop cannot be differentiated in reverse"
    ) as caught:
        fn.grad(decay)(3.0)
    line = decay.__code__.co_firstlineno + 1
    assert f"test_while.py:{line} in decay" in str(caught.value)
    assert "pass max_steps=N" in str(caught.value)


def test_loops_without_derivatives_are_no_matter() -> None:
    def f(x):
        n = fn.while_loop(lambda n: n < 3, lambda n: n + 1, 0)
        y = fn.while_loop(lambda y: y < 3.0, lambda y: y * 2, 1.0)
        return x * n * y

    close(fn.grad(f)(2.0), np.float32(12))


def test_vmap() -> None:
    f, g = looping(fn, fnp), looping(jax, jnp)
    ns = np.array([3, 0, 5], np.int32)
    ws, xs = np.stack([W, W * 2, W + 1]), np.stack([X, X * 2, -X])
    for axes in ((0, None, None), (None, 0, None), (None, None, 0), (0, 0, 0), (0, None, 0)):
        args = [b if a == 0 else one for a, one, b in zip(axes, (4, W, X), (ns, ws, xs))]
        close(fn.jit(fn.vmap(f, axes))(*args), jax.vmap(g, axes)(*args), what=str(axes))
    twice = fn.vmap(fn.vmap(f, (None, 0, None)), (0, None, None))(ns, ws, X)
    close(twice, jax.vmap(jax.vmap(g, (None, 0, None)), (0, None, None))(ns, ws, X))


def test_state_that_need_not_be_batched_is_not() -> None:
    def f(x):
        return fn.while_loop(
            lambda s: s[0] < 4, lambda s: (s[0] + 1, s[1] * 2, s[2] * x), (0, 1.0, 1.0)
        )

    (loop,) = [e for e in equations(fn.trace(fn.vmap(f))(X)) if e.primitive.name == "while_loop"]
    assert [v.type.shape for v in loop.outputs] == [(), (), (2,)]


def test_inner_loops_of_finished_lanes_end() -> None:
    """A finished lane goes through the motions at the state of one that has not."""

    def lane(x):
        def step(y):
            return fn.while_loop(lambda z: z != 0.0, lambda z: z - 1.0, y) + y - 1.0

        return fn.while_loop(lambda y: y > 0.0, step, x)

    # At -0.5 the inner loop would never meet 0.
    np.testing.assert_array_equal(
        fn.jit(fn.vmap(lane))(np.array([-0.5, 3.0], np.float32)), [-0.5, 0.0]
    )


def test_refusals() -> None:
    with pytest.raises(
        TypeRuleError, match="while_loop: `<lambda>` does not return a boolean scalar"
    ):
        fn.while_loop(lambda s: s, lambda s: s + 1, 0)
    with pytest.raises(
        TypeRuleError, match="while_loop: `init/1` changes its type in a step of `body`"
    ):

        def body(s):
            return s[0] + 1, s[1] * 0.5

        fn.while_loop(lambda s: s[0] < 3, body, (0, np.int32(1)))
    with pytest.raises(TreeError, match="another structure"):
        fn.while_loop(lambda s: True, lambda s: (s, s), 0)
    with pytest.raises(ArgumentError, match="checkpoints without max_steps"):
        fn.while_loop(lambda s: s < 3, lambda s: s + 1, 0, checkpoints=3)
    for kwargs, word in (
        ({"max_steps": -1}, "steps"),
        ({"max_steps": 3, "checkpoints": 0}, "states"),
    ):
        with pytest.raises(ArgumentError, match=f"is not a number of {word}"):
            fn.while_loop(lambda s: s < 3, lambda s: s + 1, 0, **kwargs)


# --- with a bound -----------------------------------------------------------------------


@pytest.mark.parametrize("checkpoints", [3, None])
def test_everything(checkpoints) -> None:
    agree(looping, (np.int32(5), W, X), (1, 2), max_steps=MOST, checkpoints=checkpoints)


@pytest.mark.parametrize("checkpoints", [1, 2, 5, MOST])
def test_any_number_of_checkpoints(checkpoints) -> None:
    f = looping(fn, fnp, max_steps=MOST, checkpoints=checkpoints)
    ours = fn.jit(fn.grad(f, argnums=(1, 2)))
    theirs = jax.jit(jax.grad(looping(jax, jnp), argnums=(1, 2)))
    for n in (0, 1, 2, 3, 7, 11, 12, 13):
        close(ours(n, W, X), theirs(n, W, X), what=str(n))


def test_the_bound_stops_the_loop() -> None:
    assert int(fn.while_loop(lambda n: n >= 0, lambda n: n + 1, 0, max_steps=7)) == 7
    assert float(fn.while_loop(lambda n: n >= 0, lambda n: n + 1, 0.0, max_steps=0)) == 0
    assert (
        float(
            fn.grad(lambda x: fn.while_loop(lambda y: y > 0, lambda y: y * x, x, max_steps=0))(3.0)
        )
        == 1
    )


def largest(program) -> int:
    """Bytes of the largest value computed anywhere in `program`."""
    values = {v for p in programs(program) for e in p.equations for v in e.outputs}
    return max(v.type.size * v.type.dtype.itemsize for v in values)


@pytest.mark.parametrize("checkpoints", [2, 8])
def test_memory_is_bounded(checkpoints) -> None:
    """Nothing in the gradient is larger than the stack, whatever the number of steps."""
    state = np.ones(256, np.float32)

    def f(w, most):
        def body(s):
            return s[0] + 1, fnp.sin(s[1] * w)

        return fn.while_loop(
            lambda s: s[0] < most, body, (0, state), max_steps=most, checkpoints=checkpoints
        )[1].sum()

    peaks = []
    for most in (100, 10_000):
        program = fn.trace(fn.grad(lambda w: f(w, most)))(W)
        # From the forward to the backward pass only what goes in is kept, and the number of steps.
        assert largest(program) == state.nbytes
        lowered = fn.jit(fn.grad(lambda w: f(w, most))).lower(W)
        stacks = {int(n) for n in re.findall(r"tensor<(\d+)x256xf32>", lowered.as_text())}
        assert max(stacks) == checkpoints + 1
        peaks.append(lowered.compile().memory_analysis().temp_size_in_bytes)
    assert peaks[0] == peaks[1] <= 4 * (checkpoints + 1) * state.nbytes + 16_384


def test_steps_are_repeated_as_seldom_as_possible() -> None:
    """With k checkpoints, n <= (k + r)! / (k! r!) steps are done at most r times again each."""

    def total(n, checkpoints):
        return fn.jit(
            fn.grad(lambda x: fn.while_loop(
                lambda s: s[0] < n, lambda s: (s[0] + 1, fnp.sin(s[1])), (0, x), max_steps=n,
                checkpoints=checkpoints)[1])
        )  # fmt: skip

    expected = 1.0
    y = 0.5
    for _ in range(200):
        expected, y = expected * np.cos(y), np.sin(y)
    for checkpoints in (1, 4, 19, 200):
        close(total(200, checkpoints)(0.5), np.float32(expected), rtol=1e-3)


def test_lanes_that_finish_do_not_spoil_gradients() -> None:
    """At the states where lanes finish the step has an infinite slope."""

    def lane(x):
        return fn.while_loop(
            lambda s: s[0] > 0, lambda s: (s[0] - 1, fnp.sqrt(s[0]) * s[1]), (x, x * 2), max_steps=6
        )[1]

    xs = np.array([1.0, 3.0, 0.0], np.float32)
    expected = np.stack([fn.jit(fn.grad(lane))(x) for x in xs])
    assert np.all(np.isfinite(expected))
    close(fn.jit(fn.vmap(fn.grad(lane)))(xs), expected)
    close(fn.jit(fn.grad(lambda xs: fn.vmap(lane)(xs).sum()))(xs), expected)


def test_closures_and_nesting() -> None:
    """A bounded loop in a scan in a gradient, each closing over the outer one's tracers."""

    def f(lib, np_, w):
        scan = fn.scan if lib is fn else jax.lax.scan

        def step(c, x):
            loop = loop_of(lib, **({"max_steps": MOST, "checkpoints": 2} if lib is fn else {}))
            y = loop(lambda s: s < x + 3, lambda s: s * w + 1, c)
            return y * 0.1, y

        return scan(step, 0.5, X)[1].sum()

    ours, theirs = (lambda w: f(fn, fnp, w)), (lambda w: f(jax, jnp, w))
    close(fn.jit(fn.grad(ours))(1.3), jax.jit(jax.grad(theirs))(1.3))
    close(fn.jit(fn.hessian(ours))(1.3), jax.jit(jax.hessian(theirs))(1.3))


# --- fori_loop --------------------------------------------------------------------------


def test_fori_everything() -> None:
    def write(lib, np_):
        loop = lib.fori_loop if lib is fn else lib.lax.fori_loop

        def f(w, x):
            return (loop(2, 6, lambda i, y: np_.sin(y * w) + i, x) * x).sum()

        return f

    agree(write, (W, X), (0, 1))


def test_fori_bounds() -> None:
    def f(n, x, **kwargs):
        return fn.fori_loop(0, n, lambda i, y: y * x + i, x, **kwargs)

    def g(x):
        return jax.lax.fori_loop(0, 4, lambda i, y: y * x + i, x)

    close(fn.jit(f)(4, 1.5), g(1.5))
    close(fn.jit(fn.grad(lambda n, x: f(n, x, max_steps=8), argnums=1))(4, 1.5), jax.grad(g)(1.5))
    close(fn.jvp(lambda x: f(fnp.array(4), x), (1.5,), (1.0,)), jax.jvp(g, (1.5,), (1.0,)))
    close(
        fn.vmap(f, (0, None))(np.array([0, 4, 2]), 1.5), np.stack([f(0, 1.5), f(4, 1.5), f(2, 1.5)])
    )
    assert int(fn.fori_loop(3, 1, lambda i, y: y + 1, 0)) == 0
    assert fn.fori_loop(np.uint8(0), np.uint8(3), lambda i, y: y + i, np.uint8(0)).dtype == np.uint8
    with pytest.raises(ArgumentError, match="fori_loop: upper is not an integer scalar"):
        fn.fori_loop(0, 1.5, lambda i, y: y, 0)
    with pytest.raises(TypeRuleError, match="fori_loop: `init` changes its type"):
        fn.fori_loop(0, 3, lambda i, y: y + 0.5, 0)
    with pytest.raises(MissingRuleError, match="max_steps"):
        fn.jit(fn.grad(f, argnums=1))(4, 1.5)
