"""Distributions against SciPy's: all functions of one compiled together, with derivatives by all parameters."""

import importlib
import types

import jax
import numpy as np
import pytest
import scipy.stats as sps

import fn
import fn.numpy as fnp
from fn.scipy import stats
from tests.scipy.table import Row, check, numbers, same_types

X, LOC, SCALE, A, B = (
    numbers(5),
    numbers(5, low=-1, high=1),
    numbers(5, low=0.5, high=2),
    numbers(5, low=0.7, high=4),
    numbers(5, low=0.7, high=4),
)
Q, U = numbers(5, low=0.05, high=0.95), numbers(5, low=0.1, high=0.9)
ABOVE = LOC + SCALE * numbers(5, low=0.2, high=3)
BETWEEN = LOC + SCALE * U
BEYOND = LOC + SCALE * numbers(5, low=1.2, high=3)
COUNT, N = np.array([0.0, 1, 2, 3, 1]), np.array([3.0, 5, 2, 4, 1])
ENDS = ("logpdf", "pdf", "cdf", "logcdf", "sf", "logsf")

CASES = {
    "norm": (ENDS, ("ppf", "isf"), X, (LOC, SCALE)),
    "expon": (ENDS, ("ppf",), ABOVE, (LOC, SCALE)),
    "gamma": (ENDS, (), ABOVE, (A, LOC, SCALE)),
    "chi2": (ENDS, (), ABOVE, (A, LOC, SCALE)),
    "beta": (ENDS, (), BETWEEN, (A, B, LOC, SCALE)),
    "cauchy": (ENDS, ("ppf", "isf"), X, (LOC, SCALE)),
    "gumbel_r": (ENDS, ("ppf",), X, (LOC, SCALE)),
    "gumbel_l": (ENDS, ("ppf",), X, (LOC, SCALE)),
    "laplace": (ENDS[:3], (), X, (LOC, SCALE)),
    "logistic": ((*ENDS[:3], "sf"), ("ppf", "isf"), X, (LOC, SCALE)),
    "pareto": (ENDS, ("ppf",), BEYOND, (A, LOC, SCALE)),
    "uniform": (ENDS[:3], ("ppf",), BETWEEN, (LOC, SCALE)),
    "t": (ENDS[:2], (), X, (A, LOC, SCALE)),
    "gennorm": (ENDS[:3], (), X, (A,)),
    "vonmises": (ENDS[:2], (), X, (A,)),
    "wrapcauchy": (ENDS[:2], (), U * 6, (Q,)),
    "truncnorm": (ENDS, (), LOC + SCALE * np.array([-0.5, 0.3, 4.0, -3.2, 0.1]), (np.array([-1.0, 0.1, 3.5, -4.0, -8.0]), np.array([1.0, 2.0, 5.0, -3.0, 9.0]), LOC, SCALE)),
    "bernoulli": (("logpmf", "pmf"), (), np.array([0.0, 1, 1, 0, 1]), (U,)),
    "binom": (("logpmf", "pmf"), (), np.minimum(COUNT, N), (N, U)),
    "betabinom": (("logpmf", "pmf"), (), np.minimum(COUNT, N), (N, A, B)),
    "nbinom": (("logpmf", "pmf"), (), COUNT, (A, U)),
    "geom": (("logpmf", "pmf"), (), COUNT + 1, (U,)),
    "poisson": (("logpmf", "pmf", "cdf"), (), COUNT, (A,)),
}  # fmt: skip
# Counts do not move: positions among x, quantiles, parameters.
COUNTS = {
    "binom": (0, 2),
    "betabinom": (0, 2),
    "bernoulli": (0,),
    "nbinom": (0,),
    "geom": (0,),
    "poisson": (0,),
}


@pytest.mark.parametrize("name", CASES)
def test_values_and_derivatives(name):
    at_x, at_q, x, parameters = CASES[name]

    def all_of(module, stack):
        def call(x, q, *parameters):
            found = [getattr(module, f)(x, *parameters) for f in at_x]
            return stack(found + [getattr(module, f)(q, *parameters) for f in at_q])

        return call

    fixed = (*COUNTS.get(name, ()), *(() if at_q else (1,)))
    args = (x, Q, *parameters)
    wrt = tuple(i for i in range(len(args)) if i not in fixed)
    ours, theirs = all_of(getattr(stats, name), fnp.stack), all_of(getattr(sps, name), np.stack)
    second = name not in ("truncnorm", "beta")
    check(Row(name, ours, theirs, args, wrt, second=second, rtol=1e-8, atol=1e-9))


def test_every_function_is_tried():
    tried = {(n, f) for n, case in CASES.items() for f in (*case[0], *case[1])}
    tried |= {(n, f) for n in ("dirichlet", "multivariate_normal") for f in ("logpdf", "pdf")}
    tried |= {
        ("multinomial", "logpmf"),
        ("multinomial", "pmf"),
        ("bernoulli", "cdf"),
        ("bernoulli", "ppf"),
        ("poisson", "entropy"),
    }
    found = {
        (n, f) for n, module in vars(stats).items() if isinstance(module, types.ModuleType) and not n.startswith("_")
        for f, value in vars(module).items() if getattr(value, "__module__", None) == module.__name__ and not f.startswith("_")
    }  # fmt: skip
    assert found == tried


def test_distributions_are_modules():
    for name in ("norm", "multivariate_normal", "t"):
        assert importlib.import_module(f"fn.scipy.stats.{name}") is getattr(stats, name)


# --- several variables ------------------------------------------------------------------

MEAN = np.array([0.3, -0.2, 1.0])
ROOT = numbers(3, 3)
COV = ROOT @ ROOT.T + np.eye(3)
SIMPLEX = np.array([[0.2, 0.1], [0.3, 0.6], [0.5, 0.3]])


def test_vectors():
    xs = numbers(4, 3)
    p = np.array([0.2, 0.3, 0.5])
    counts = np.array([[1, 2, 2], [0, 5, 0], [1, 1, 1]])

    def sides(mean, cov, alpha, p):
        return {
            "mvn": stats.multivariate_normal.logpdf(xs, mean, cov),
            "mvn pdf": stats.multivariate_normal.pdf(xs[0], mean, cov),
            "mvn stack": stats.multivariate_normal.logpdf(xs[:2], mean, fnp.stack([cov, 2 * cov])),
            "mvn scalar": stats.multivariate_normal.logpdf(xs, mean, 2.0),
            "mvn number": stats.multivariate_normal.logpdf(xs[:, 0], 0.5, 2.0),
            "dirichlet": stats.dirichlet.logpdf(SIMPLEX, alpha),
            "dirichlet pdf": stats.dirichlet.pdf(SIMPLEX[:, 0], alpha),
            "dirichlet short": stats.dirichlet.logpdf(SIMPLEX[:2], alpha),
            "multinomial": stats.multinomial.logpmf(counts, 5, p),
            "multinomial pmf": stats.multinomial.pmf(counts[0], 5, p),
        }

    def finite(*args):
        return sum(fnp.where(fnp.isfinite(v), v, 0.0).sum() for v in sides(*args).values())

    alpha = np.array([0.7, 1.0, 3.0])
    with jax.enable_x64(True):
        got, slopes = fn.jit(lambda *a: (sides(*a), fn.grad(finite, argnums=(0, 1, 2, 3))(*a)))(
            MEAN, COV, alpha, p
        )
        total = lambda *a: float(finite(*a))
        numeric = (total(MEAN + 1e-6, COV, alpha, p) - total(MEAN - 1e-6, COV, alpha, p)) / 2e-6
        np.testing.assert_allclose(slopes[0].sum(), numeric, rtol=1e-6)
        bumped = [total(MEAN, COV + d * np.eye(3), alpha, p) for d in (1e-6, -1e-6)]
        np.testing.assert_allclose(np.trace(slopes[1]), (bumped[0] - bumped[1]) / 2e-6, rtol=1e-6)
    mvn = sps.multivariate_normal
    expected = {
        "mvn": mvn.logpdf(xs, MEAN, COV), "mvn pdf": mvn.pdf(xs[0], MEAN, COV),
        "mvn stack": np.array([mvn.logpdf(xs[0], MEAN, COV), mvn.logpdf(xs[1], MEAN, 2 * COV)]),
        "mvn scalar": mvn.logpdf(xs, MEAN, 2.0), "mvn number": sps.norm.logpdf(xs[:, 0], 0.5, 2**0.5),
        "dirichlet": sps.dirichlet.logpdf(SIMPLEX, alpha), "dirichlet pdf": sps.dirichlet.pdf(SIMPLEX[:, 0], alpha),
        "dirichlet short": sps.dirichlet.logpdf(SIMPLEX, alpha),
        "multinomial": sps.multinomial.logpmf(counts, 5, p), "multinomial pmf": sps.multinomial.pmf(counts[0], 5, p),
    }  # fmt: skip
    for name, value in expected.items():
        np.testing.assert_allclose(got[name], value, rtol=1e-9, err_msg=name)


# --- outside of the support -------------------------------------------------------------

OUTSIDE = {
    "expon": (("logpdf", "cdf", "logcdf", "logsf"), -1.0, ()), "gamma": (ENDS, -1.0, (2.0,)), "chi2": (ENDS, -1.0, (2.0,)),
    "beta": (ENDS, 1.5, (2.0, 3.0)), "pareto": (ENDS, 0.5, (2.0,)), "uniform": (ENDS[:3], 1.5, ()),
    "truncnorm": (ENDS, 3.0, (-1.0, 2.0)), "wrapcauchy": (("logpdf",), -1.0, (0.5,)), "binom": (("logpmf",), 4.0, (3.0, 0.5)),
    "betabinom": (("logpmf",), 4.0, (3.0, 0.5, 0.5)), "nbinom": (("logpmf",), -1.0, (3.0, 0.5)), "geom": (("logpmf",), 0.0, (0.5,)),
    "poisson": (("logpmf", "cdf"), -1.0, (2.0,)), "bernoulli": (("logpmf",), 2.0, (0.5,)),
}  # fmt: skip
EDGES = {
    "gamma": (("logpdf",), 0.0, (1.0,)), "chi2": (("logpdf",), 0.0, (2.0,)), "beta": (("logpdf",), 0.0, (1.0, 3.0)),
    "bernoulli": (("logpmf",), 0.0, (0.0,)), "binom": (("logpmf",), 3.0, (3.0, 1.0)), "expon": (("logpdf",), 0.0, ()),
    "poisson": (("logpmf",), 0.0, (0.0,)), "uniform": (("logpdf",), 1.0, ()), "gennorm": (("logpdf",), 0.0, (2.0,)),
    "nbinom": (("logpmf",), 0.0, (3.0, 1.0)), "geom": (("logpmf",), 1.0, (1.0,)),
}  # fmt: skip


@pytest.mark.parametrize("table", [OUTSIDE, EDGES], ids=["outside", "edges"])
def test_outside_and_at_the_edge(table):
    def all_of(args):
        values = {}
        for name, (functions, _, _) in table.items():
            for f in functions:
                values[name, f] = getattr(getattr(stats, name), f)(*args[name])
        return values

    args = {name: (np.float64(x), *map(np.float64, p)) for name, (_, x, p) in table.items()}
    with jax.enable_x64(True):
        got, slopes = fn.jit(
            lambda a: (all_of(a), fn.jvp(all_of, (a,), (jax.tree.map(np.ones_like, a),))[1])
        )(args)
    for (name, f), value in got.items():
        with np.errstate(all="ignore"):
            expected = getattr(getattr(sps, name), f)(*args[name])
        np.testing.assert_allclose(value, expected, rtol=1e-9, atol=1e-12, err_msg=f"{name}.{f}")
        if table is OUTSIDE or np.isfinite(slopes[name, f]):
            assert np.isfinite(slopes[name, f]), f"{name}.{f}: {slopes[name, f]}"


def test_quantiles_of_no_share_and_bad_parameters():
    for value in (stats.expon.ppf(1.5), stats.pareto.ppf(-0.1, 2.0), stats.uniform.ppf(2.0), stats.gumbel_r.ppf(0.0), stats.bernoulli.ppf(0.5, 1.5),
                  stats.beta.logpdf(0.5, -1.0, 1.0), stats.truncnorm.logpdf(0.0, 1.0, -1.0), stats.vonmises.logpdf(0.0, -1.0), stats.gumbel_l.cdf(0.0, 0.0, -1.0)):  # fmt: skip
        assert np.isnan(value)
    k, p = np.array([-1.0, 0.0, 0.5, 1.0]), 0.3
    np.testing.assert_allclose(stats.bernoulli.cdf(k, p), sps.bernoulli.cdf(k, p), rtol=1e-6)
    np.testing.assert_allclose(stats.bernoulli.ppf(np.array([0.5, 0.9]), p), [0.0, 1.0])


def test_far_tails_and_many_counts_are_accurate():
    f = np.float32
    np.testing.assert_allclose(stats.norm.logsf(f(40.0)), sps.norm.logsf(40.0), rtol=1e-6)
    np.testing.assert_allclose(stats.cauchy.cdf(f(-1e6)), sps.cauchy.cdf(-1e6), rtol=1e-6)
    np.testing.assert_allclose(stats.t.logpdf(f(1.0), f(1e6)), sps.t.logpdf(1.0, 1e6), rtol=1e-4)
    np.testing.assert_allclose(
        stats.binom.logpmf(f(5e5), f(1e6), f(0.5)), sps.binom.logpmf(5e5, 1e6, 0.5), rtol=1e-1
    )
    np.testing.assert_allclose(
        stats.truncnorm.logpdf(f(30.5), f(30.0), f(31.0)),
        sps.truncnorm.logpdf(30.5, 30, 31),
        rtol=1e-4,
    )
    np.testing.assert_allclose(stats.expon.logcdf(f(1e-6)), np.log(1e-6), rtol=1e-5)


def test_poisson_entropy():
    mu = np.array([0.0, 0.5, 5.0, 50.0, 79.0, 81.0, 500.0])
    with jax.enable_x64(True):
        got = stats.poisson.entropy(mu)
        slope = fn.grad(lambda m: stats.poisson.entropy(m))(5.0)
        ends = [float(stats.poisson.entropy(5.0 + d)) for d in (1e-5, -1e-5)]
    np.testing.assert_allclose(got, sps.poisson.entropy(mu), rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(slope, (ends[0] - ends[1]) / 2e-5, rtol=1e-6)


# --- ranks, most frequent numbers, errors of means --------------------------------------

TIES = np.array([[3, 1, 2, 3, 1], [2, 2, 5, 5, 5], [4, 4, 4, 1, 0]], np.float32)


@pytest.mark.parametrize("axis", [None, 0, -1])
def test_ranks(axis):
    def all_of(x):
        found = {
            m: stats.rankdata(x, m, axis=axis)
            for m in ("average", "min", "max", "dense", "ordinal")
        }
        return (
            found,
            stats.mode(x, axis),
            stats.mode(x, axis, keepdims=True),
            stats.sem(x, axis),
            stats.sem(x, axis, 0, "omit", keepdims=True),
        )

    ranks, mode, kept, sem, omitted = fn.jit(all_of)(TIES)
    for method, found in ranks.items():
        expected = sps.rankdata(
            TIES.ravel() if axis is None else TIES, method, axis=None if axis is None else axis
        )
        np.testing.assert_allclose(found, expected, err_msg=method)
    for found, keep in ((mode, False), (kept, True)):
        expected = sps.mode(TIES, axis, keepdims=keep)
        np.testing.assert_array_equal(found.mode, expected.mode)
        np.testing.assert_array_equal(found.count, expected.count)
    np.testing.assert_allclose(sem, sps.sem(TIES, axis), rtol=1e-5)
    np.testing.assert_allclose(omitted.ravel(), np.ravel(sps.sem(TIES, axis, 0)), rtol=1e-5)


def test_ranks_of_nothing_and_of_nan():
    x = np.array([1.0, np.nan, 0.5, np.nan], np.float32)
    assert np.isnan(stats.rankdata(x)).all()
    found = stats.mode(x)
    assert np.isnan(found.mode) and found.count == 2
    same_types(
        lambda a: stats.mode(a, 0), lambda a: jax.scipy.stats.mode(a, 0), np.zeros((3, 2), np.int32)
    )
    empty = stats.mode(np.zeros((0, 2), np.float32))
    assert np.isnan(empty.mode).all() and empty.count.tolist() == [0, 0]
    gaps = np.array([1.0, np.nan, 2.0, 4.0], np.float32)
    np.testing.assert_allclose(
        stats.sem(gaps, nan_policy="omit"), sps.sem(gaps, nan_policy="omit"), rtol=1e-6
    )


# --- densities from samples -------------------------------------------------------------

SAMPLES = numbers(2, 12)
WEIGHTS = numbers(12, low=0.1, high=1.0)


@pytest.mark.parametrize("bandwidth", [None, "silverman", 0.5, lambda kde: 0.7])
def test_gaussian_kde(bandwidth):
    ours = stats.gaussian_kde(SAMPLES.astype(np.float32), bandwidth, WEIGHTS.astype(np.float32))
    factor = (lambda kde: 0.7) if callable(bandwidth) else bandwidth
    theirs = sps.gaussian_kde(SAMPLES, factor, WEIGHTS)
    points = SAMPLES[:, :5] + 0.1
    close = lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-4)
    close(ours(points), theirs(points))
    close(ours.logpdf(points), theirs.logpdf(points))
    if bandwidth is not None:
        return
    close(
        ours.integrate_gaussian(MEAN[:2], COV[:2, :2]),
        theirs.integrate_gaussian(MEAN[:2], COV[:2, :2]),
    )
    close(ours.integrate_kde(ours), theirs.integrate_kde(theirs))
    one = stats.gaussian_kde(SAMPLES[0].astype(np.float32))
    close(one.integrate_box_1d(-1.0, 0.5), sps.gaussian_kde(SAMPLES[0]).integrate_box_1d(-1.0, 0.5))
    assert (ours.d, ours.n) == (2, 12)
    drawn = ours.resample(fn.random.key(0), (3000,))
    assert drawn.shape == (2, 3000)
    np.testing.assert_allclose(drawn.mean(1), (SAMPLES * WEIGHTS).sum(1) / WEIGHTS.sum(), atol=0.15)


def test_gaussian_kde_is_a_pytree():
    density = stats.gaussian_kde(SAMPLES.astype(np.float32))
    again = jax.tree.map(lambda x: x, density)
    assert np.array_equal(again.evaluate(SAMPLES[:, :2]), density.pdf(SAMPLES[:, :2]))
    slope = fn.grad(lambda x: stats.gaussian_kde(x).logpdf(SAMPLES[:, :1])[0])(
        SAMPLES.astype(np.float32)
    )
    assert np.isfinite(slope).all()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: stats.norm.logpdf(1j), "norm.logpdf: complex numbers are not taken"),
        (lambda: stats.multinomial.logpmf(np.ones(2), 2, np.ones(2)), "x is no count"),
        (lambda: stats.dirichlet.logpdf(np.ones(4), np.ones(2)), "do not fit the concentrations"),
        (lambda: stats.multivariate_normal.logpdf(MEAN, MEAN, np.eye(2)), "does not fit the mean"),
        (lambda: stats.multivariate_normal.logpdf(MEAN, MEAN, COV, True), "allow_singular= is not taken"),
        (lambda: stats.mode(TIES, nan_policy="omit"), "depends on the values"),
        (lambda: stats.rankdata(TIES, "best"), "unknown method"),
        (lambda: stats.sem(TIES, nan_policy="raise"), "unknown nan_policy"),
        (lambda: stats.gaussian_kde(np.ones(1)), "too few samples"),
        (lambda: stats.gaussian_kde(SAMPLES, "wide"), "unknown bw_method"),
        (lambda: stats.gaussian_kde(SAMPLES, weights=np.ones(3)), "the weights do not fit"),
        (lambda: stats.gaussian_kde(SAMPLES)(np.ones((3, 2))), "another dimension"),
        (lambda: stats.gaussian_kde(SAMPLES).integrate_box_1d(0, 1), "more than one dimension"),
    ],
)  # fmt: skip
def test_errors(call, words):
    with pytest.raises(fn.FnError, match=words):
        call()
