"""Activations with the names of `jax.nn` against JAX's, values and derivatives in one program each."""

import jax
import numpy as np
import pytest

import fn
from fn import nn

X = np.array([[-90.0, -3.0, -0.5, 0.3, 2.0, 7.0], [0.1, 0.2, -0.9, 0.9, 5.0, 90.0]], np.float32)
NAMES = [
    "celu", "glu", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh", "identity", "log_sigmoid", "mish",
    "relu6", "selu", "soft_sign", "sparse_plus", "sparse_sigmoid", "squareplus", "swish", "leaky_relu",
]  # fmt: skip


def test_against_jax():
    def both(module, grad):
        functions = {name: getattr(module, name) for name in NAMES}
        return {
            n: (f(X), grad(lambda x, f=f: (f(x) * f(x)).sum())(X)) for n, f in functions.items()
        }

    ours, theirs = fn.jit(lambda: both(nn, fn.grad))(), jax.jit(lambda: both(jax.nn, jax.grad))()
    for name in NAMES:
        for a, b in zip(ours[name], theirs[name], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5, err_msg=name)


def test_errors():
    with pytest.raises(fn.FnError, match=r"nn.glu: the axis has no halves"):
        nn.glu(X[:, :5])
