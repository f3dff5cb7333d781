"""Special functions against SciPy's: values, derivatives by all arguments, types, special points."""

import math

import jax
import numpy as np
import pytest
import scipy.special as sp

import fn
from fn.scipy import special
from tests.scipy.table import Row, check, numbers, same_types

X, Y = numbers(6), numbers(6)
P, Q, R = (numbers(6, low=0.3, high=4.0) for _ in range(3))
U = numbers(6, low=0.1, high=0.9)
Z = X + 1j * Y
ORDER = np.arange(6) % 3


def row(name, *args, **options):
    return Row(name, getattr(special, name), getattr(sp, name), args, **options)


def one_of(name, i):
    """One of two results."""
    return lambda *args: getattr(special, name)(*args)[i], lambda *args: getattr(sp, name)(*args)[i]


ROWS = [
    row("gammaln", P), row("gamma", P), row("gamma", np.array([-0.3, -1.6, 2.5])), row("digamma", P),
    row("loggamma", P), row("gammasgn", X, wrt=()), row("factorial", P), row("comb", P + 3, P),
    Row("comb repeated", lambda n, k: special.comb(n, k, repetition=True),
        lambda n, k: sp.gamma(n + k) / sp.gamma(n) / sp.gamma(k + 1), (P + 3, P)),
    row("poch", P, Q), row("beta", P, Q), row("betaln", P, Q, rtol=1e-9), row("betainc", P, Q, U, rtol=1e-9),
    row("gammainc", P, Q, rtol=1e-9), row("gammaincc", P, Q, rtol=1e-9),
    row("polygamma", ORDER, P, wrt=(1,)), row("zeta", P + 1.5, Q),
    Row("multigammaln", lambda a: special.multigammaln(a, 3), lambda a: np.vectorize(sp.multigammaln)(a, 3), (P + 1,)),
    row("erf", X), row("erfc", X), row("erfinv", U), row("erfcinv", U, rtol=1e-9), row("erfcx", X, rtol=1e-9),
    Row("dawsn", special.dawsn, sp.dawsn, (X,), rtol=1e-9), row("ndtr", X), row("ndtri", U, rtol=1e-9), row("log_ndtr", 4 * X, rtol=1e-7),
    row("owens_t", X, Y, rtol=1e-7),
    *[Row(f"fresnel {i}", *one_of("fresnel", i), (X,), rtol=1e-9) for i in (0, 1)],
    *[Row(f"sici {i}", *one_of("sici", i), (P,), rtol=1e-9) for i in (0, 1)],
    row("expi", P, rtol=1e-8), row("exp1", P, rtol=1e-8), row("expn", ORDER, P, wrt=(1,), rtol=1e-8), row("spence", P, rtol=1e-9),
    row("xlogy", X, P), row("xlog1py", X, P), row("entr", P), row("rel_entr", P, Q), row("kl_div", P, Q),
    row("logit", U), row("expit", X), row("boxcox", P, X), row("boxcox1p", P, X),
    row("i0", X, rtol=1e-7), row("i0e", X, rtol=1e-7), row("i1", X, rtol=1e-7), row("i1e", X, rtol=1e-7),
    row("hyp1f1", P, Q, X, second=False), row("hyp2f1", P, X, Q, U - 0.4, second=False),
    Row("hyp2f1 ends", lambda x: special.hyp2f1(P, 1.5, Q, x), lambda x: sp.hyp2f1(P, 1.5, Q, x),
        (np.array([-30.0, -3.0, -0.9, 0.6, 0.9, 0.99]),), step=1e-7, rtol=1e-8, second=False),
    Row("bessel_jn", lambda z: special.bessel_jn(z, v=3), lambda z: sp.jv(np.arange(4)[:, None], z), (np.array([0.0, 1e-3, 0.5, 3.0, 20.0, -2.0]),), rtol=1e-9),
    Row("sph_harm_y", lambda t, f: special.sph_harm_y(np.array([0, 1, 2, 3, 4, 4]), np.array([0, -1, 2, 0, -3, 3]), t, f).real,
        lambda t, f: sp.sph_harm_y(np.array([0, 1, 2, 3, 4, 4]), np.array([0, -1, 2, 0, -3, 3]), t, f).real, (U * 3, X), rtol=1e-9),
    row("logsumexp", X), Row("softmax", special.softmax, sp.softmax, (X,)), Row("log_softmax", special.log_softmax, sp.log_softmax, (X,)),
    Row("logsumexp b", lambda a, b: special.logsumexp(a, b=b), lambda a, b: sp.logsumexp(a, b=b), (X, P)),
]  # fmt: skip
IDS = [r.name for r in ROWS]


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_values_and_derivatives(row):
    check(row)


def test_every_function_has_a_row():
    tried = {name.split()[0] for name in IDS} | {"bernoulli", "wofz"}
    missing = [
        n
        for n in vars(special)
        if not n.startswith("_") and callable(getattr(special, n)) and n not in tried
    ]
    assert not missing


COMPLEX = {
    "gamma": Z,
    "loggamma": np.concatenate([Z, Z * 5, Z - 8]),
    "wofz": Z,
    "erfcx": Z,
    "xlogy": (Z, Z + 1),
}


def test_complex_numbers():
    with jax.enable_x64(True):
        got = fn.jit(
            lambda: {
                n: getattr(special, n)(*(a if isinstance(a, tuple) else (a,)))
                for n, a in COMPLEX.items()
            }
        )()
        slope = fn.jit(lambda z: fn.jvp(special.wofz, (z,), (np.ones_like(z),))[1])(Z)
    for name, args in COMPLEX.items():
        expected = getattr(sp, name)(*(args if isinstance(args, tuple) else (args,)))
        np.testing.assert_allclose(got[name], expected, rtol=1e-9, atol=1e-11, err_msg=name)
    numeric = (sp.wofz(Z + 1e-6) - sp.wofz(Z - 1e-6)) / 2e-6
    np.testing.assert_allclose(slope, numeric, rtol=1e-6)


POINTS = {
    "gammaln": [0.0, -1.0, np.inf], "gamma": [0.0, np.inf, np.nan, 20.0], "loggamma": [-0.5, 1.0],
    "entr": [-1.0, 0.0], "xlogy": ([0.0, 0.0, 1.0, 0.0], [0.0, np.nan, 0.0, np.inf]), "rel_entr": ([0.0, 1.0, -1.0], [1.0, 0.0, 1.0]),
    "log_ndtr": [-100.0, 0.0, 10.0], "ndtri": [0.0, 1.0, 1e-20], "erfcinv": [1e-20, 2.0, 1.0], "expit": [-np.inf, np.inf],
    "spence": [0.0, 1.0, 2.0], "exp1": [0.0, 50.0], "expn": ([0.0, 1.0, 2.0], [1.0, 0.0, 0.0]), "i0e": [1e4], "erfcx": [30.0, -3.0],
    "gammainc": ([1.0, 1.0], [0.0, np.inf]), "betainc": ([1.0, 1.0], [2.0, 2.0], [0.0, 1.0]), "boxcox": ([0.0, 2.0, 0.0], [2.0, 0.0, -1.0]),
    "hyp1f1": ([1.0, 0.0, 1.5], [2.0, 1.0, 2.5], [-80.0, 3.0, 60.0]), "hyp2f1": ([0.5, 1.0, -2.0], [0.5, 1.0, 0.3], [1.5, 2.0, 0.7], [1.0, 1.0, 3.0]),
    "comb": ([5.0, 2.0, -1.0], [2.0, 5.0, 1.0]), "poch": ([0.0, 3.0], [0.0, 0.0]), "dawsn": [0.0, 5.0, 50.0], "owens_t": ([0.0, 2.0], [1.0, 0.0]),
}  # fmt: skip


def test_special_points():
    args = {
        n: tuple(np.asarray(v) for v in (a if isinstance(a, tuple) else (a,)))
        for n, a in POINTS.items()
    }
    with jax.enable_x64(True):
        got = fn.jit(lambda args: {n: getattr(special, n)(*a) for n, a in args.items()})(args)
    for name, a in args.items():
        with np.errstate(all="ignore"):
            expected = getattr(sp, name)(*a)
        if name == "gamma":
            expected[0] = got[name][0]  # at the pole the sign of zero decides
        np.testing.assert_allclose(got[name], expected, rtol=1e-8, err_msg=name)


def test_derivatives_at_edges_are_finite():
    slopes = {
        "xlogy": (fn.grad(special.xlogy, argnums=1)(0.0, 0.0), 0.0),
        "xlog1py": (fn.grad(special.xlog1py, argnums=1)(0.0, -1.0), 0.0),
        "boxcox": (fn.grad(special.boxcox, argnums=1)(3.0, 0.0), math.log(3) ** 2 / 2),
        "sici": (fn.grad(lambda x: special.sici(x)[0])(0.0), 1.0),
        "spence": (fn.grad(fn.grad(special.spence))(1.0), 0.5),
        "log_ndtr": (fn.grad(special.log_ndtr)(-300.0), 300.0),
        "log_ndtr twice": (fn.grad(fn.grad(special.log_ndtr))(30.0), 0.0),
        "i1": (fn.grad(special.i1)(0.0), 0.5),
        "poch": (fn.grad(special.poch, argnums=1)(2.0, 0.0), float(sp.digamma(2.0))),
    }
    for name, (got, expected) in slopes.items():
        np.testing.assert_allclose(got, expected, rtol=1e-3, atol=1e-6, err_msg=name)


NAMES = ["gamma", "loggamma", "erf", "ndtri", "expit", "dawsn", "i0", "spence", "entr"]


@pytest.mark.parametrize("name", [*NAMES, "xlogy", "betainc", "hyp2f1"])
def test_types(name):
    count = {"xlogy": 2, "betainc": 3, "hyp2f1": 4}.get(name, 1)
    for shape, dtype in (
        ((), np.float32),
        ((0, 2), np.float32),
        ((2, 3), jax.numpy.bfloat16),
        ((3,), np.int32),
    ):
        if name in ("ndtri", "spence", "hyp2f1") and dtype != np.float32:
            continue  # JAX takes no others
        same_types(
            getattr(special, name),
            getattr(jax.scipy.special, name),
            *[np.ones(shape, dtype)] * count,
        )


def test_broadcasting_and_scalars():
    assert special.betainc(np.ones((2, 1), np.float32), 2.0, np.full(3, 0.5, np.float32)).shape == (
        2,
        3,
    )
    assert special.xlogy(2, 3.0).dtype == np.float32
    assert special.polygamma(np.arange(3), 1.0).shape == (3,)
    got = fn.vmap(special.gammainc, in_axes=(0, None))(P.astype(np.float32), 2.0)
    np.testing.assert_allclose(got, sp.gammainc(P, 2.0), rtol=1e-5)


def test_bernoulli_numbers():
    np.testing.assert_allclose(special.bernoulli(20), sp.bernoulli(20), rtol=1e-6, atol=1e-7)
    assert special.bernoulli(0).tolist() == [1.0]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: special.erf(1j), "erf: complex numbers are not taken"),
        (lambda: special.gammaln("a"), "argument 0 is not an array"),
        (lambda: special.polygamma(1.5, 2.0), "the order is not an integer"),
        (lambda: special.factorial(3, exact=True), "use math.factorial"),
        (lambda: special.log_ndtr(0.0, series_order=40), "series_order is out of range"),
        (lambda: special.bernoulli(-1), "n is too small"),
        (lambda: special.bessel_jn(1.0, v=1.5), "v has to be known while tracing"),
        (lambda: special.sph_harm_y(1, 0, 0.1, 0.2, diff_n=1), "differentiate with fn.jacfwd"),
        (lambda: fn.jit(lambda n: special.sph_harm_y(n, 0, 0.1, 0.2))(1), "n_max"),
        (lambda: special.sph_harm_y(0.5, 0, 0.1, 0.2), "no integers"),
        (lambda: fn.grad(fn.grad(special.hyp1f1))(1.0, 2.0, 0.5), "no formula is implemented"),
    ],
)  # fmt: skip
def test_errors(call, words):
    with pytest.raises(fn.FnError, match=words):
        call()
