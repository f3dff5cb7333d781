"""Samplers give JAX's numbers for the same key: eagerly, compiled, and for many keys at once."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fn
from fn import random

KEYS = np.array([[0, 11], [7, 3], [1, 2]], np.uint32)
F = np.float32
A = np.array([0.3, 1.0, 2.5, 40.0], F)
NEW = "method" in inspect.signature(jax.random.gamma).parameters
PROBABILITIES = np.array([0.1, 0.2, 0.3, 0.4], F)
COVARIANCE = np.array([[2.0, 0.3], [0.3, 1.0]], F)
LOGITS = np.log(np.array([[1, 2, 3], [3, 2, 5]], F))
X = np.arange(12.0, dtype=F).reshape(4, 3)

SAMPLERS = {
    # exact: no arithmetic, or only such as XLA does not reorder
    "bits": (lambda r, k: r.bits(k, (5,)), 0),
    "bits u8": (lambda r, k: r.bits(k, (5,), np.uint8), 0),
    "uniform": (lambda r, k: r.uniform(k, (3, 5)), 0),
    "uniform bf16": (lambda r, k: r.uniform(k, (3, 5), jnp.bfloat16), 0),
    "uniform none": (lambda r, k: r.uniform(k, (0, 5)), 0),
    "uniform scalar": (lambda r, k: r.uniform(k), 0),
    "bernoulli": (lambda r, k: r.bernoulli(k, 0.3, (20,)), 0),
    "bernoulli array": (lambda r, k: r.bernoulli(k, np.linspace(0, 1, 5, dtype=F)), 0),
    "bernoulli high": (lambda r, k: r.bernoulli(k, 0.3, (20,), mode="high"), 0),
    "rademacher": (lambda r, k: r.rademacher(k, (9,)), 0),
    "rademacher f32": (lambda r, k: r.rademacher(k, (9,), F), 0),
    "randint": (lambda r, k: r.randint(k, (30,), 0, 6), 0),
    "randint negative": (lambda r, k: r.randint(k, (30,), -7, 9), 0),
    "randint u8": (lambda r, k: r.randint(k, (30,), 0, 256, np.uint8), 0),
    "randint i8": (lambda r, k: r.randint(k, (30,), -3, 100, np.int8), 0),
    "randint i8 all": (lambda r, k: r.randint(k, (30,), -128, 128, np.int8), 0),
    "randint u32 wide": (lambda r, k: r.randint(k, (30,), np.uint32(5), np.uint32(2**32 - 1), np.uint32), 0),
    "randint arrays": (lambda r, k: r.randint(k, (3,), np.array([0, 5, 3]), np.array([2, 6, 3])), 0),
    "randint i8 of i32": (lambda r, k: r.randint(k, (9,), np.array(-1000), np.array(1000), np.int8), 0),
    "permutation": (lambda r, k: r.permutation(k, 10), 0),
    "permutation array": (lambda r, k: r.permutation(k, X), 0),
    "permutation axis": (lambda r, k: r.permutation(k, X, axis=1), 0),
    "permutation vector": (lambda r, k: r.permutation(k, X[:, 0]), 0),
    "permutation independent": (lambda r, k: r.permutation(k, X, axis=-1, independent=True), 0),
    "permutation bf16": (lambda r, k: r.permutation(k, X.astype(jnp.bfloat16)), 0),
    "choice": (lambda r, k: r.choice(k, 7, (3, 2)), 0),
    "choice array": (lambda r, k: r.choice(k, X, (3,), axis=1), 0),
    "choice once": (lambda r, k: r.choice(k, 7, (4,), replace=False), 0),
    "choice p": (lambda r, k: r.choice(k, X, (5, 2), p=PROBABILITIES), 0),
    "choice p once": (lambda r, k: r.choice(k, 4, (3,), replace=False, p=PROBABILITIES), 0),
    "choice none": (lambda r, k: r.choice(k, 4, (0, 2)), 0),
    "categorical": (lambda r, k: r.categorical(k, LOGITS), 0),
    "categorical axis": (lambda r, k: r.categorical(k, LOGITS, axis=0, shape=(5, 3)), 0),
    "categorical once": (lambda r, k: r.categorical(k, LOGITS, shape=(2, 2), replace=False), 0),
    "geometric": (lambda r, k: r.geometric(k, 0.3, (20,)), 0),
    "geometric array": (lambda r, k: r.geometric(k, PROBABILITIES), 0),
    "poisson": (lambda r, k: r.poisson(k, 4.0, (20,)), 0),
    "poisson arrays": (lambda r, k: r.poisson(k, np.array([0, 0.5, 9, 11, 300], F)), 0),
    "binomial": (lambda r, k: r.binomial(k, 12, 0.3, (20,)), 0),
    "binomial arrays": (lambda r, k: r.binomial(k, np.array([5, 100, 1000, -1], F), PROBABILITIES), 0),
    "binomial high": (lambda r, k: r.binomial(k, 50.0, np.array([0.9, 0.5, 1.0, 0.0, 1.5], F)), 0),
    # rounded: XLA may round differently in one fused loop
    "uniform between": (lambda r, k: r.uniform(k, (3, 5), minval=-2.0, maxval=3.0), 1e-6),
    "uniform arrays": (lambda r, k: r.uniform(k, (2, 3), minval=np.zeros((2, 1), F), maxval=np.arange(1, 4.0)), 1e-6),
    "normal": (lambda r, k: r.normal(k, (4, 4)), 1e-6),
    "normal f16": (lambda r, k: r.normal(k, (4,), np.float16), 2e-3),
    "normal c64": (lambda r, k: r.normal(k, (4,), np.complex64), 1e-6),
    "truncated_normal": (lambda r, k: r.truncated_normal(k, -2.0, 2.0, (8,)), 1e-6),
    "lognormal": (lambda r, k: r.lognormal(k, A), 2e-6),
    "lognormal default": (lambda r, k: r.lognormal(k, shape=(3,)), 2e-6),
    "maxwell": (lambda r, k: r.maxwell(k, (4,)), 1e-6),
    "double_sided_maxwell": (lambda r, k: r.double_sided_maxwell(k, 1.0, 2.0, (4,)), 1e-6),
    "double_sided_maxwell arrays": (lambda r, k: r.double_sided_maxwell(k, A, 2.0), 1e-6),
    "wald": (lambda r, k: r.wald(k, A), 2e-5),
    "multivariate_normal": (lambda r, k: r.multivariate_normal(k, np.array([1, 2], F), COVARIANCE), 1e-5),
    "multivariate_normal many": (lambda r, k: r.multivariate_normal(k, np.zeros((3, 2), F), COVARIANCE, (2, 3)), 1e-5),
    "orthogonal": (lambda r, k: r.orthogonal(k, 3, (2,)), 1e-5),
    "orthogonal wide": (lambda r, k: r.orthogonal(k, 2, m=4), 1e-5),
    "orthogonal tall": (lambda r, k: r.orthogonal(k, 4, m=2), 1e-5),
    "exponential": (lambda r, k: r.exponential(k, (6,)), 1e-6),
    "gumbel": (lambda r, k: r.gumbel(k, (6,)), 1e-6),
    "gumbel high": (lambda r, k: r.gumbel(k, (6,), mode="high"), 1e-6),
    "gumbel highest": (lambda r, k: r.gumbel(k, (50,), mode="highest"), 1e-6),
    "cauchy": (lambda r, k: r.cauchy(k, (6,)), 1e-4),
    "laplace": (lambda r, k: r.laplace(k, (6,)), 1e-6),
    "logistic": (lambda r, k: r.logistic(k, (6,)), 1e-6),
    "pareto": (lambda r, k: r.pareto(k, A), 1e-5),
    "weibull_min": (lambda r, k: r.weibull_min(k, 2.0, 1.5, (6,)), 1e-5),
    "weibull_min arrays": (lambda r, k: r.weibull_min(k, A, A, (4,)), 1e-4),
    "rayleigh": (lambda r, k: r.rayleigh(k, A), 1e-6),
    "triangular": (lambda r, k: r.triangular(k, 0.0, A, 50.0), 1e-5),
    "gamma": (lambda r, k: r.gamma(k, A), 1e-5),
    "gamma shape": (lambda r, k: r.gamma(k, 2.0, (2, 3)), 1e-5),
    "gamma bf16": (lambda r, k: r.gamma(k, 2.0, (5,), jnp.bfloat16), 2e-2),
    "loggamma": (lambda r, k: r.loggamma(k, A * F(0.01)), 1e-5),
    "beta": (lambda r, k: r.beta(k, A, 0.5), 1e-5),
    "dirichlet": (lambda r, k: r.dirichlet(k, A, (3,)), 1e-5),
    "chisquare": (lambda r, k: r.chisquare(k, A), 1e-5),
    "f": (lambda r, k: r.f(k, A, 3.0), 1e-4),
    "t": (lambda r, k: r.t(k, A, (2, 4)), 1e-5),
    "generalized_normal": (lambda r, k: r.generalized_normal(k, 1.5, (6,)), 1e-5),
    "ball": (lambda r, k: r.ball(k, 3, shape=(4,)), 1e-5),
    "ball p": (lambda r, k: r.ball(k, 3, 1.5, (4,)), 1e-5),
    # the shape argument of multinomial was another one in JAX 0.10
    "multinomial": (lambda r, k: r.multinomial(k, 100.0, PROBABILITIES), 0),
    "multinomial many": (lambda r, k: r.multinomial(k, np.array([5, 50], F), np.stack([PROBABILITIES] * 2)), 0),
}  # fmt: skip
# Made of others in a way that batching cannot change, and slow to compile.
COMPOSED = {
    "bits u8", "uniform arrays", "randint i8 all", "choice once", "permutation axis", "normal f16", "wald",
    "double_sided_maxwell", "double_sided_maxwell arrays", "multivariate_normal many", "orthogonal tall",
    "orthogonal wide", "gamma shape", "gamma bf16", "beta", "dirichlet", "chisquare", "f", "t", "ball",
    "ball p", "generalized_normal", "multinomial many", "gamma approximate", "beta approximate",
    "chisquare approximate", "binomial high", "weibull_min arrays", "choice p", "logistic", "cauchy",
}  # fmt: skip
if NEW:
    SAMPLERS |= {
        "gamma approximate": (lambda r, k: r.gamma(k, A, method="approximate"), 1e-5),
        "beta approximate": (lambda r, k: r.beta(k, A, 2.0, method="approximate"), 1e-5),
        "chisquare approximate": (lambda r, k: r.chisquare(k, A, method="approximate"), 1e-5),
        "poisson approximate": (lambda r, k: r.poisson(k, A * 9, method="approximate"), 0),
        "multinomial shape": (lambda r, k: r.multinomial(k, 9.0, PROBABILITIES, shape=(2,)), 0),
    }


def close(got, expected, tolerance):
    wide = np.complex128 if np.asarray(expected).dtype.kind == "c" else np.float64
    got, expected = (np.asarray(a).astype(wide) for a in (got, expected))
    np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", SAMPLERS)
def test_the_numbers_of_jax(name):
    sample, tolerance = SAMPLERS[name]
    theirs = sample(jax.random, jax.random.wrap_key_data(KEYS[0]))
    ours = sample(random, KEYS[0])
    assert isinstance(ours, jax.Array)
    assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
    close(ours, theirs, tolerance)
    if name in COMPOSED:
        return
    many = fn.jit(fn.vmap(lambda k: sample(random, k)))(KEYS)
    for got, key in zip(many, KEYS, strict=True):
        close(got, sample(random, key), tolerance)


def test_with_64_bits():
    with jax.enable_x64(True):
        key = jax.random.wrap_key_data(KEYS[0])
        for sample in (
            lambda r, k: r.bits(k, (3,)),
            lambda r, k: r.uniform(k, (3,)),
            lambda r, k: r.normal(k, (3,)),
            lambda r, k: r.randint(k, (9,), -(2**40), 2**40),
            lambda r, k: r.randint(k, (9,), np.int64(5), 2**31, np.int32),
            lambda r, k: r.gamma(k, np.array([0.5, 3.0])),
            lambda r, k: r.poisson(k, np.array([0.5, 30.0])),
            lambda r, k: r.permutation(k, 9),
        ):
            ours, theirs = sample(random, KEYS[0]), sample(jax.random, key)
            assert ours.dtype == theirs.dtype
            close(ours, theirs, 1e-12)


def test_draws_differ_by_key_and_cover_the_distribution():
    x = np.asarray(random.normal(random.key(1), (20_000,)))
    assert abs(x.mean()) < 0.03 and abs(x.std() - 1) < 0.03  # four standard errors
    assert not np.array_equal(x, random.normal(random.key(2), (20_000,)))


def test_large_permutations_are_the_same_on_the_host():
    key = random.key(5)  # three rounds of sorting
    assert np.array_equal(
        random.permutation(key, 3000), fn.jit(lambda k: random.permutation(k, 3000))(key)
    )
    x = np.arange(3000).reshape(60, 50)
    for independent in (False, True):
        ours = random.permutation(key, x, 1, independent)
        assert np.array_equal(
            ours, jax.random.permutation(jax.random.wrap_key_data(key), x, 1, independent)
        )
    assert np.array_equal(random.shuffle(key, x), random.permutation(key, x))


def test_keys_of_jax_are_taken_everywhere():
    key = jax.random.wrap_key_data(KEYS[0])
    for sample in (
        lambda k: random.normal(k, (2,)),
        lambda k: random.permutation(k, 5),
        lambda k: random.randint(k, (2,), 0, 9),
    ):
        assert np.array_equal(sample(key), sample(KEYS[0]))
    with pytest.raises(fn.FnError, match="there is no such generator"):
        random.normal(jax.random.key(0, impl="rbg"))


K = KEYS[0]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: random.bits(K, (), np.int32), "not an unsigned integer type"),
        (lambda: random.normal(K, (2,), np.int32), "random.normal: not a floating dtype"),
        (lambda: random.randint(K, (2,), 0, 3, F), "random.randint: not an integer dtype"),
        (lambda: random.uniform(K, (2,), minval=np.zeros(3)), "minval does not fit the shape"),
        (lambda: random.uniform(K, (2,), minval="a"), "minval"),
        (lambda: random.gamma(K, 1j), "a is complex"),
        (lambda: random.bernoulli(K, 1), "p is not a floating number"),
        (lambda: random.bernoulli(K, 0.5, mode="middle"), "unknown mode\n  expected: 'low' or 'high'"),
        (lambda: random.categorical(K, np.zeros(3, F), axis=2), "no such axis of classes"),
        (lambda: random.categorical(K, np.zeros((2, 3), F), shape=(3,)), "does not end with"),
        (lambda: random.categorical(K, np.zeros(3, F), shape=(4,), replace=False), "not so many classes"),
        (lambda: random.permutation(K, np.zeros(3), axis=1), "no axis 1 to shuffle"),
        (lambda: random.permutation(K, 2.5), "no axis 0 to shuffle"),
        (lambda: random.choice(K, 2, (3,), replace=False), "at most 2 draws"),
        (lambda: random.choice(K, 2, (3,), p=A), "a vector of 2 probabilities"),
        (lambda: random.choice(K, X, axis=2), "no axis 2 to choose from"),
        (lambda: random.dirichlet(K, 2.0), "no axis of concentrations"),
        (lambda: random.multinomial(K, 2.0, 0.5), "no axis of bins"),
        (lambda: random.beta(K, np.ones(2), np.ones(3)), "do not broadcast together"),
        (lambda: random.gamma(K, A, method="fast"), "unknown method"),
        (lambda: random.multivariate_normal(K, A, COVARIANCE), "the parameters do not fit together"),
        (lambda: random.normal(K, (2,), out_sharding="x"), "jax.device_put"),
    ],
)  # fmt: skip
def test_errors(call, words):
    with pytest.raises(fn.FnError, match=words):
        call()
