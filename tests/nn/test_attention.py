import jax
import numpy as np
import pytest

import fn
from fn import nn

RANDOM = np.random.RandomState(0)
Q = RANDOM.randn(2, 5, 4, 8).astype(np.float32)
K, V = (RANDOM.randn(2, 6, 2, 8).astype(np.float32) for _ in range(2))
LENGTHS = np.array([3, 5])
CASES = {
    "plain": {},
    "causal": {"is_causal": True},
    "mask": {"mask": RANDOM.rand(2, 1, 5, 6) > 0.3},
    "bias": {"bias": RANDOM.randn(1, 4, 5, 6).astype(np.float32), "scale": 0.3},
    "lengths": {"query_seq_lengths": LENGTHS, "key_value_seq_lengths": LENGTHS},
    "window": {"local_window_size": (2, 0)},
    "residual": {"local_window_size": 1, "return_residual": True},
}


def test_against_jax():
    def run(attention):
        return {n: attention(Q, K, V, **options) for n, options in CASES.items()}

    ours = fn.jit(lambda: run(nn.dot_product_attention))()
    theirs = jax.jit(lambda: run(jax.nn.dot_product_attention))()
    for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)
    alone = nn.dot_product_attention(Q[0], K[0], V[0])
    np.testing.assert_allclose(alone, ours["plain"][0], rtol=1e-5, atol=1e-5)


def test_errors():
    with pytest.raises(fn.FnError, match=r"nn.dot_product_attention: the shapes do not fit"):
        nn.dot_product_attention(Q, K, V[:, :3])
    with pytest.raises(fn.FnError, match=r"nn.dot_product_attention: unknown implementation"):
        nn.dot_product_attention(Q, K, V, implementation="cudnn")
