"""Derivatives of draws by the parameters of their distributions: as JAX's, and as the quantiles move."""

import jax
import numpy as np
import pytest
import scipy.special as sp

import fn
from fn import random

KEY = random.key(3)
JAX_KEY = jax.random.wrap_key_data(KEY)
A = np.array([0.3, 0.9, 1.0, 2.5, 8.0, 60.0])
B = np.array([2.0, 0.4, 1.0, 3.0, 5.0, 20.0])


def quantile_slope(quantile, level, a):
    """How the quantile of a fixed level moves with a parameter, by central differences."""
    step = 1e-5 * a
    return (quantile(a + step, level) - quantile(a - step, level)) / (2 * step)


def test_gamma_moves_as_its_quantiles_do():
    with jax.enable_x64(True):
        x, slope = fn.jvp(lambda a: random.gamma(KEY, a), (A,), (np.ones_like(A),))
        level = sp.gammainc(A, np.asarray(x))
        np.testing.assert_allclose(slope, quantile_slope(sp.gammaincinv, level, A), rtol=1e-6)
        y, slope = fn.jvp(lambda a: random.loggamma(KEY, a), (A,), (np.ones_like(A),))
        level = sp.gammainc(A, np.exp(np.asarray(y)))
        logs = quantile_slope(lambda a, u: np.log(sp.gammaincinv(a, u)), level, A)
        np.testing.assert_allclose(slope, logs, rtol=1e-5)


def test_small_shapes_have_derivatives():
    a = np.array([1e-3, 0.004, 0.02], np.float32)
    y, slope = fn.jvp(lambda a: random.loggamma(KEY, a), (a,), (np.ones_like(a),))
    assert y[0] < -104  # the draw itself underflows
    expected = (sp.digamma(a + 1.0) - np.asarray(y)) / a
    np.testing.assert_allclose(slope, expected, rtol=1e-4)


DRAWS = {
    "gamma": lambda r, k, a, b: r.gamma(k, a),
    "loggamma": lambda r, k, a, b: r.loggamma(k, a),
    "beta": lambda r, k, a, b: r.beta(k, a, b),
    "uniform": lambda r, k, a, b: r.uniform(k, (6,), a.dtype, minval=a, maxval=a + b),
    "pareto": lambda r, k, a, b: r.pareto(k, a),
    "wald": lambda r, k, a, b: r.wald(k, a),
    "truncated_normal": lambda r, k, a, b: r.truncated_normal(k, -a, b),
    "multivariate_normal": lambda r, k, a, b: r.multivariate_normal(k, a[:2], (np.eye(2) + 0.1) * b[0]),
}  # fmt: skip


@pytest.mark.parametrize("name", DRAWS)
def test_derivatives_of_jax(name):
    draw = DRAWS[name]
    with jax.enable_x64(True):
        got = fn.jit(fn.grad(lambda a, b: draw(random, KEY, a, b)[::2].sum(), argnums=(0, 1)))(A, B)
        expected = jax.jit(
            jax.grad(lambda a, b: draw(jax.random, JAX_KEY, a, b)[::2].sum(), argnums=(0, 1))
        )(A, B)
    for ours, theirs in zip(got, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=1e-8)


def test_means_of_beta_move_as_they_should():
    mean = lambda a: random.beta(KEY, a, 2.0, (20_000,)).mean()
    np.testing.assert_allclose(fn.grad(mean)(1.5), 2.0 / 3.5**2, rtol=0.02)  # a / (a + b)


def test_counts_have_no_derivatives():
    got = fn.grad(lambda p: random.binomial(KEY, 10.0, p, (5,)).sum())(0.3)
    assert float(got) == 0
