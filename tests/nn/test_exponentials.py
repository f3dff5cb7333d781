import jax
import numpy as np
import pytest

import fn
from fn import nn

X = np.array([[-90.0, -3.0, -0.5, 0.3], [0.1, 2.0, 7.0, 90.0]], np.float32)
MASK = np.array([[True, True, False, True], [False, True, True, True]])
NAMES = ["softmax", "log_softmax", "logsumexp", "logmeanexp", "standardize"]


def test_against_jax():
    def values(module):
        found = {n: getattr(module, n)(X, axis=1) for n in NAMES}
        found |= {f"{n} where": getattr(module, n)(X, axis=1, where=MASK) for n in NAMES}
        signed = module.logsumexp(X, axis=0, b=X, keepdims=True, return_sign=True)
        stable = module.standardize(X, algorithm="stable")
        return found | {
            "all": module.logsumexp(X), "signed": signed[0] * signed[1], "stable": stable,
            "log1mexp": module.log1mexp(abs(X)), "b": module.logsumexp(X, b=2.0, axis=1),
        }  # fmt: skip

    ours, theirs = fn.jit(lambda: values(nn))(), jax.jit(lambda: values(jax.nn))()
    for name, expected in theirs.items():
        np.testing.assert_allclose(ours[name], expected, rtol=1e-4, atol=1e-4, err_msg=name)


def test_gradients_stay_finite():
    nothing = np.full(3, -np.inf, np.float32)
    assert not np.asarray(fn.grad(nn.logsumexp)(nothing)).any()
    half = np.array([-np.inf, 0.0], np.float32)
    np.testing.assert_allclose(fn.grad(nn.logsumexp)(half), [0.0, 1.0])
    np.testing.assert_allclose(
        fn.grad(lambda x: nn.log1mexp(x))(1e-3), 1 / (np.e**1e-3 - 1), rtol=1e-3
    )


def test_errors():
    with pytest.raises(fn.FnError, match=r"nn.standardize: unknown algorithm"):
        nn.standardize(X, algorithm="slow")
    with pytest.raises(fn.FnError, match=r"logsumexp: argument 0 is not an array"):
        nn.logsumexp("no")
