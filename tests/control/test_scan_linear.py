"""Reverse mode through `scan`: what is saved, hoisted and computed again; counters in linear loops."""

from __future__ import annotations

import jax
import numpy as np

import fn
import fn.numpy as fnp
from tests.control.compare import close
from tests.programs import equations, names, zeros_computed_with

XS = np.linspace(-1, 1, 20).astype(np.float32).reshape(5, 4)
W = np.linspace(0, 1, 16).astype(np.float32).reshape(4, 4)


def stacks(program) -> list[str]:
    """What forward scans of `program` stack."""
    forward = [
        e for e in equations(program) if e.primitive.name == "scan" and not e.params["reverse"]
    ]
    return [str(v.type) for e in forward for v in e.outputs[e.params["carry"] :]]


def of_grad(f, *args, argnums=0):
    return fn.trace(fn.grad(f, argnums=argnums))(*args)


def test_constants_are_hoisted_and_entries_read_again() -> None:
    def f(w, c):
        return fn.scan(lambda c, x: (fnp.tanh(fnp.cos(w) @ c * x), None), c, XS)[0].sum()

    # The carry's states and tanh of the products are needed; x, cos(w) and sin(w) are not stacked.
    program = of_grad(f, W, XS[0], argnums=(0, 1))
    assert sorted(stacks(program)) == ["f32[5,4]", "f32[5,4]"]
    inside = [
        n
        for e in equations(program)
        if e.primitive.name == "scan"
        for n in names(e.params["program"])
    ]
    assert "sin" not in inside


def test_what_is_cheap_is_computed_again() -> None:
    def f(c):
        def body(c, x):
            wide = fnp.broadcast_to(c, (64,))
            return (fnp.exp(wide) * wide).sum() * x, None

        return fn.scan(body, c, XS[:, 0])[0]

    # exp is saved; its broadcast argument is not, the scalar it comes from is.
    assert sorted(stacks(of_grad(f, 0.5))) == ["f32[5,64]", "f32[5]"]


def test_nothing_is_saved_of_a_linear_loop() -> None:
    def f(c, w):
        return fn.scan(lambda c, x: (w @ c + x, c), c, XS)[1].sum()

    assert stacks(of_grad(f, XS[0], W)) == []


def test_zeros_stay_symbolic() -> None:
    def f(c, xs):
        (a, b), ys = fn.scan(lambda s, x: ((s[0] * x, s[1] + x), fnp.sin(x)), (c, c), xs)
        return b.sum()

    program = fn.trace(fn.grad(f, argnums=(0, 1)))(XS[0], XS)
    assert zeros_computed_with(program) == []
    # Only the carry that counts goes back, and with it no sums of the others.
    back = [e for e in equations(program) if e.primitive.name == "scan" and e.params["reverse"]]
    assert [e.params["carry"] for e in back] in ([0], [1], [])


def test_counters_in_linear_loops() -> None:
    def linear(x, module, scan):
        def body(s, y):
            i, c = s
            return (i + 1, c * module.sin(i * 1.0) + y), c * i

        (_, c), ys = scan(body, (0, x[0]), x)
        return c + ys.sum(0)

    (ours,) = fn.linear_transpose(lambda x: linear(x, fnp, fn.scan), XS)(XS[1])
    theirs = jax.vjp(lambda x: linear(x, jax.numpy, jax.lax.scan), XS)[1](XS[1])[0]
    close(ours, theirs)


def test_initial_states_without_a_tangent() -> None:
    def f(w, scan, module):
        def body(s, x):
            a, b = s
            return (b, a * w + x), a + b

        (a, b), ys = scan(body, (module.zeros(4), module.ones(4)), XS)
        return (a * b).sum() + (ys**2).sum()

    for transform in ("grad", "hessian"):
        ours = getattr(fn, transform)(lambda w: f(w, fn.scan, fnp))(0.8)
        close(ours, getattr(jax, transform)(lambda w: f(w, jax.lax.scan, jax.numpy))(0.8))
