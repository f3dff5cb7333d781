"""Activations and losses against JAX, values and derivatives, also where formulas overflow."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fn
from fn import nn

X = np.array([-90.0, -3.0, -0.5, 0.3, 2.0, 90.0], np.float32)

ACTIVATIONS = {
    "relu": jax.nn.relu, "leaky_relu": jax.nn.leaky_relu, "elu": jax.nn.elu, "sigmoid": jax.nn.sigmoid,
    "silu": jax.nn.silu, "tanh": jnp.tanh, "softplus": jax.nn.softplus, "gelu": jax.nn.gelu,
    "softmax": jax.nn.softmax, "log_softmax": jax.nn.log_softmax,
}  # fmt: skip


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_against_jax(name):
    ours, theirs = getattr(nn, name), ACTIVATIONS[name]
    weights = np.arange(1, 7, dtype=np.float32)
    np.testing.assert_allclose(fn.jit(ours)(X), theirs(X), rtol=2e-6, atol=1e-6)
    ours_grad = fn.jit(fn.grad(lambda x: (ours(x) * weights).sum()))(X)
    theirs_grad = jax.grad(lambda x: (theirs(x) * weights).sum())(X)
    np.testing.assert_allclose(ours_grad, theirs_grad, rtol=1e-4, atol=1e-5)
    twice = fn.jit(fn.grad(lambda x: (fn.grad(lambda x: (ours(x) * weights).sum())(x) ** 2).sum()))(
        X
    )
    assert np.isfinite(twice).all()


def test_exact_gelu_against_jax():
    ours = fn.jit(lambda x: nn.gelu(x, approximate=False))(X)
    np.testing.assert_allclose(ours, jax.nn.gelu(X, approximate=False), rtol=1e-5, atol=1e-6)


def test_relu_has_derivative_zero_at_zero():
    assert float(fn.grad(nn.relu)(0.0)) == 0.0


def test_cross_entropy_against_jax():
    logits = np.random.RandomState(0).randn(5, 4).astype(np.float32) * 3
    labels = np.array([0, 3, 1, 2, 2], np.int32)
    theirs = -jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], 1)[:, 0]
    np.testing.assert_allclose(nn.cross_entropy(logits, labels), theirs, rtol=1e-5)
    soft = np.full((5, 4), 0.25, np.float32)
    theirs = -(jax.nn.log_softmax(logits) * soft).sum(-1)
    np.testing.assert_allclose(nn.cross_entropy(logits, soft), theirs, rtol=1e-5)
    grads = fn.grad(lambda x: nn.cross_entropy(x, labels).sum())(logits)
    np.testing.assert_allclose(grads, jax.nn.softmax(logits) - np.eye(4)[labels], atol=1e-6)


def test_initial_weights_have_the_promised_variance():
    key = fn.random.key(0)
    for init, variance in (
        (nn.lecun_normal, 1 / 200), (nn.he_normal, 2 / 200), (nn.glorot_uniform, 2 / 500),
        (nn.variance_scaling(1.0, "fan_out", "normal"), 1 / 300),
    ):  # fmt: skip
        weights = np.asarray(init(key, (200, 300)))
        assert abs(weights.var() / variance - 1) < 0.03  # five standard errors
    window = np.asarray(nn.he_normal(key, (3, 3, 20, 200)))
    assert abs(window.var() / (2 / 180) - 1) < 0.04
