"""Minima: found where they are, compiled, batched, and with an account of what went wrong."""

import jax
import jax.scipy.optimize
import numpy as np
import pytest

import fn
import fn.numpy as fnp
from fn.scipy.optimize import minimize

LIMITED = "l-bfgs-experimental-do-not-rely-on-this"
METHODS = pytest.mark.parametrize("method", ["BFGS", LIMITED])


def rosenbrock(x):
    return ((1.0 - x[:-1]) ** 2 + 100.0 * (x[1:] - x[:-1] ** 2) ** 2).sum()


def himmelblau(p):
    x, y = p
    return (x**2 + y - 11.0) ** 2 + (x + y**2 - 7.0) ** 2


def eggholder(p):
    x, y = p[0], p[1]
    return -(y + 47) * fnp.sin(fnp.sqrt(fnp.abs(x / 2 + y + 47))) - x * fnp.sin(
        fnp.sqrt(fnp.abs(x - (y + 47)))
    )


@METHODS
@pytest.mark.parametrize("case", ["rosenbrock", "himmelblau", "quadratic"])
def test_minima(case, method):
    curve = np.diag([1.0, 10.0, 100.0, 0.1])
    f, start, solution = {
        "rosenbrock": (rosenbrock, np.zeros(4), np.ones(4)),
        "himmelblau": (himmelblau, np.ones(2), np.array([3.0, 2.0])),
        "quadratic": (lambda x: ((x - 1.0) @ curve) @ (x - 1.0), np.full(4, 9.0), np.ones(4)),
    }[case]
    with jax.enable_x64(True):
        found = fn.jit(
            lambda x: minimize(
                f,
                x,
                method=method,
                options={"gtol": 1e-8} | ({"ftol": 0.0} if method == LIMITED else {}),
            )
        )(start)
        theirs = int(jax.scipy.optimize.minimize(f, start, method="BFGS").nit)
    found = jax.tree.map(np.asarray, found)
    np.testing.assert_allclose(found.x, solution, atol=1e-5)
    assert found.success and found.status == 0 and found.nit <= 3 * theirs + 10
    np.testing.assert_allclose(found.fun, f(found.x), atol=1e-12)
    np.testing.assert_allclose(found.jac, 0.0, atol=1e-8)
    if method == "BFGS":
        assert found.hess_inv.shape == (len(start),) * 2
    else:
        assert found.hess_inv is None


def test_single_precision_arguments_and_batches():
    f = lambda x, a, b: ((x - a) ** 2).sum() + b * (x**4).sum()
    starts = np.array([[0.0, 0.0], [3.0, -3.0]], np.float32)
    found = fn.jit(fn.vmap(lambda x: minimize(f, x, (2.0, 0.1), method="bfgs", tol=1e-4)))(starts)
    assert found.x.dtype == np.float32 and found.success.all()
    root = np.roots([0.4, 0, 2.0, -4.0])
    np.testing.assert_allclose(found.x, root[np.isreal(root)].real[0], rtol=1e-3)


def test_accounts_of_failure():
    few = minimize(rosenbrock, np.zeros(4, np.float32), method="BFGS", options={"maxiter": 2})
    assert not few.success and few.status == 1 and few.nit == 2
    kink = minimize(
        lambda x: fnp.abs(x).sum() + 0.5 * fnp.abs(x - 1).sum(),
        np.full(2, 0.7, np.float32),
        method="BFGS",
    )
    assert not kink.success and kink.status > 1
    done = minimize(lambda x: (x**2).sum(), np.zeros(2, np.float32), method="BFGS")
    assert done.success and done.nit == 0
    hard = minimize(eggholder, np.array([100.0, 200.0], np.float32), method="BFGS")
    assert hard.fun <= eggholder(np.array([100.0, 200.0])) and np.isfinite(hard.x).all()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: minimize(rosenbrock, np.zeros(2), method="newton"), "unknown method"),
        (lambda: minimize(rosenbrock, np.zeros((2, 2)), method="bfgs"), "the start is no vector"),
        (lambda: minimize(rosenbrock, np.zeros(2), [1.0], method="bfgs"), "args is no tuple"),
        (
            lambda: minimize(rosenbrock, np.zeros(2), method="bfgs", options={"steps": 3}),
            "unknown option",
        ),
    ],
)
def test_errors(call, words):
    with pytest.raises(fn.FnError, match=words):
        call()
