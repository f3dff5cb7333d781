"""A quick look at everything, in under a minute: `pytest -m tiny`."""

import jax
import numpy as onp
import pytest

import fn
import fn.numpy as np
from fn import nn, optim

pytestmark = pytest.mark.tiny


def f(x):
    return (np.tanh(x) * x).sum()


X = onp.linspace(-1, 1, 6, dtype=onp.float32).reshape(2, 3)


def test_a_program_prints_and_parses():
    program = fn.trace(fn.grad(f))(X)
    assert fn.Program.parse(str(program)) == program


def test_transforms_agree_with_jax():
    g = lambda x: (jax.numpy.tanh(x) * x).sum()
    onp.testing.assert_allclose(fn.grad(f)(X), jax.grad(g)(X), rtol=1e-5)
    onp.testing.assert_allclose(fn.jit(fn.hessian(f))(X), jax.hessian(g)(X), rtol=1e-4, atol=1e-6)
    onp.testing.assert_allclose(fn.vmap(fn.grad(f))(X), jax.vmap(jax.grad(g))(X), rtol=1e-5)
    for ours, theirs in zip(fn.jvp(f, (X,), (X,)), jax.jvp(g, (X,), (X,)), strict=True):
        onp.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_a_network_learns():
    init, apply = nn.serial(nn.dense(16), nn.tanh, nn.dense(2))
    params, state = init(fn.random.key(0), fn.ArrayType((4, 2), "float32"))
    x = onp.array([[0, 0], [0, 1], [1, 0], [1, 1]], onp.float32)
    y = onp.array([0, 1, 1, 0], onp.int32)
    optimizer = optim.adam(0.05)

    @fn.jit
    def step(params, opt_state):
        loss = lambda p: nn.cross_entropy(apply(p, state, x)[0], y).mean()
        value, grads = fn.value_and_grad(loss)(params)
        updates, opt_state = optimizer.update(grads, opt_state, params)
        return optim.apply_updates(params, updates), opt_state, value

    opt_state = optimizer.init(params)
    for _ in range(100):
        params, opt_state, value = step(params, opt_state)
    assert float(value) < 0.05
    assert (apply(params, state, x)[0].argmax(-1) == y).all()
