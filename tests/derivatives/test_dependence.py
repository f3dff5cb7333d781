"""Patterns of Programs that carry Programs, and of random ones: no true dependence is missed."""

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fn
import fn.derivatives._dependence as module
import fn.numpy as fnp

X = np.linspace(0.3, 1.4, 8, dtype=np.float32)


def reach(f, *args):
    """The pattern, as text: quick to read in an assertion."""
    return fn.sparsity_pattern(f)(*args).todense()


def lower(n, below=None):
    return np.tril(np.ones((n, n), bool)) & ~np.tril(np.ones((n, n), bool), -(below or n) - 1)


def shift(u):
    return fnp.concatenate([u[:1], u[:-1]])


def running(x):
    return fn.scan(lambda c, xi: (0.5 * c + xi, c * xi), 0.0 * x[0], x)[1]


def from_behind(x):
    return fn.scan(lambda c, xi: (0.5 * c + xi, c * xi), 0.0 * x[0], x, reverse=True)[1]


def entries(x):
    return fn.scan(lambda c, xi: (c, np.float32(2) * fnp.sin(xi)), 0.0, x)[1]


def steps(x):
    return fn.scan(lambda u, _: (u * shift(u), None), x, None, length=3)[0]


def branches(x):
    return fn.cond(x[0] > 0.5, lambda x: x * x, shift, x)


def lanes(x):
    return fn.vmap(lambda a: fn.cond(a > 0.5, fnp.sin, lambda a: a * a, a))(x)


def doubled(x):
    return fn.vmap(lambda a: fn.while_loop(lambda s: s < 3.0, lambda s: s * 2.0, a))(x)


def diffusing(x):
    return fn.while_loop(lambda s: s[0] < 3, lambda s: (s[0] + 1, s[1] * shift(s[1])), (0, x))[1]


def bounded(x):
    def body(s):
        return s[0] + 1, s[1] * shift(s[1])

    return fn.while_loop(lambda s: s[0] < 3, body, (0, x), max_steps=5)[1]


def solved(x):
    return fn.vmap(lambda a: fn.cg(lambda v: (1 + a) * v, a[None])[0][0])(x)


def strange(x):
    """A function with a vjp rule alone: its pattern is that of the rule, backwards."""
    f = fn.custom(
        lambda x: fnp.sin(x[1:]), vjp=lambda x: (fnp.sin(x[1:]), lambda ct: (fnp.pad(ct, (1, 0)),))
    )
    return f(x) * x[1:]  # fmt: skip


EYE = np.eye(8, dtype=bool)
BANDED = EYE | np.eye(8, k=-1, dtype=bool)
PROGRAMS = {
    "scan": (running, lower(8)),
    "scan from behind": (from_behind, lower(8).T),
    "scan of entries": (entries, EYE),
    "scan of a step": (steps, lower(8, 3)),
    "cond": (branches, BANDED),
    "cond in vmap": (lanes, EYE),
    "while in vmap": (doubled, EYE),
    "while": (diffusing, lower(8)),
    "bounded while": (bounded, lower(8)),
    "jit": (fn.jit(lambda x: x * shift(x)), BANDED),
    "remat": (fn.remat(lambda x: x * shift(fnp.sin(x))), BANDED),
    "jit of jit in scan": (
        lambda x: fn.scan(lambda c, a: (c, fn.jit(fnp.sin)(a)), 0, x)[1], EYE),
    "custom": (fn.custom(lambda x: fnp.sin(x), jvp=lambda p, t: (fnp.sin(p[0]), t[0] * p[0])), EYE),
    "what a rule says counts": (
        fn.custom(lambda x: x.round(), jvp=lambda p, t: (p[0].round(), t[0])), EYE),
    "stop_gradient": (lambda x: x * fn.stop_gradient(x.sum()), EYE),
    "solve in lanes": (solved, EYE),
    "integers": (lambda x: x * x.argmax(), EYE),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_in_programs(name):
    f, expected = PROGRAMS[name]
    found = reach(f, X)
    np.testing.assert_array_equal(found, expected)


def test_custom_functions_with_a_vjp_rule_alone():
    found = fn.sparsity_pattern(strange)(X)
    np.testing.assert_array_equal(found.todense(), np.eye(7, 8, 1, dtype=bool))


def test_long_loops_are_bounded_from_above(monkeypatch):
    """With no patience at all: still right, if less exact."""
    monkeypatch.setattr(module, "_STEPS", 0)
    np.testing.assert_array_equal(reach(lambda x: entries(x) + 0, X), EYE)
    assert (reach(lambda x: running(x) + 0, X) >= lower(8)).all()
    np.testing.assert_array_equal(reach(lambda x: steps(x) + 0, X), lower(8))
    monkeypatch.setattr(module, "_ROUNDS", 2)
    assert reach(lambda x: diffusing(x) + 0, X).all()


def test_hessians_of_loops():
    def loss(x):
        return (bounded(x) ** 2).sum() + (running(x[:4]) ** 2).sum()

    pattern = reach(fn.grad(loss), X)
    true = np.asarray(fn.jit(fn.hessian(loss))(X)) != 0
    assert (pattern | ~true).all()


def test_unknown_operations_depend_on_everything():
    stranger = fn.Primitive(
        name="stranger", type=lambda x: x, jvp=fn.core.linear, transpose=lambda ct, x: (bind(ct),),
        batch=lambda axis, args, dims: (bind(args[0]), dims[0]), lower=lambda emit, x: x,
    )  # fmt: skip

    def bind(x):
        return fn.bind(stranger, x)

    assert reach(lambda x: bind(x[:3]), X)[:, :3].all()
    assert not reach(lambda x: bind(x[:3]), X)[:, 3:].any()


def test_traced_captures_are_unknown():
    mask = np.array([1, 0] * 4, np.float32)

    def nnz(mask):
        assert fn.sparsity_pattern(lambda x: x * mask)(X).nnz == 8
        return mask

    fn.trace(nnz)(mask)
    assert fn.sparsity_pattern(lambda x: x * mask)(X).nnz == 4
    jax.jit(lambda m: (fn.sparsity_pattern(lambda x: x * m)(X).nnz == 8 or 1 / 0) and m)(mask)


def test_finding_a_pattern_calls_nobody():
    calls = []

    def host(mask):
        calls.append(mask)
        return mask

    kind = fn.ArrayType((8,), "float32")
    assert fn.sparsity_pattern(lambda x: x * fn.pure_callback(host, kind, np.ones(8)))(X).nnz == 8
    assert not calls


# --- random Programs --------------------------------------------------------------------
# In NumPy as well, so that dependences can be measured with no compiler.

N = 6


def _scan(n, x):
    if n is np:
        c, ys = x[0] * 0, []
        for xi in x:
            c = c * 0.5 + xi
            ys.append(c * xi)
        return np.stack(ys)
    return fn.scan(lambda c, xi: (c * 0.5 + xi, (c * 0.5 + xi) * xi), x[0] * 0, x)[1]


STEPS = [
    lambda n, x, y: x * y, lambda n, x, y: x + y, lambda n, x, y: n.sin(x), lambda n, x, y: x[::-1],
    lambda n, x, y: n.concatenate([x[2:], y[:2]]), lambda n, x, y: n.cumsum(x),
    lambda n, x, y: x.reshape(2, 3).T.reshape(6), lambda n, x, y: x.sum() * y,
    lambda n, x, y: n.where(np.arange(6) % 2 == 0, x, y), lambda n, x, y: x[np.array([3, 3, 0, 5, 1, 2])],
    lambda n, x, y: n.maximum(x, y), lambda n, x, y: n.sort(x),
    lambda n, x, y: (x.reshape(3, 2) @ y.reshape(2, 3)[:, :2]).reshape(6),
    lambda n, x, y: n.tile(x.reshape(2, 3).sum(0), 2), lambda n, x, y: n.pad(x[1:-1], 1) + y * 0.5,
    lambda n, x, y: np.tri(6, k=-2) @ x if n is np else n.asarray(np.tri(6, k=-2, dtype="f")) @ x,
    lambda n, x, y: _scan(n, x), lambda n, x, y: x[n.argmax(y)] + x, lambda n, x, y: n.roll(x, 2),
]  # fmt: skip
plans = st.lists(
    st.tuples(st.integers(0, len(STEPS) - 1), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=5
)  # fmt: skip


def play(n, plan, x):
    values = [x]
    for step, i, j in plan:
        values.append(STEPS[step](n, values[i % len(values)], values[j % len(values)]))
    return values[-1]


@settings(max_examples=100)
@given(plans)
def test_random_programs_depend_on_no_more_than_their_pattern(plan):
    pattern = reach(lambda x: play(fnp, plan, x), fn.ArrayType((N,), "float32"))
    at = np.array([0.9, -0.4, 1.3, 0.2, -1.1, 0.6])
    for j in range(N):
        moved = at.copy()
        moved[j] += 1e-4
        changed = np.abs(play(np, plan, moved) - play(np, plan, at)) > 1e-11
        assert not (changed & ~pattern[:, j]).any()
