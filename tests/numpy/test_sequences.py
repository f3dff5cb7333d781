import jax
import jax.numpy as jnp
import numpy

import fn
import fn.numpy as np
from tests.numpy.compare import V, assert_same


def test_rows_of_numbers():
    for args in ((5,), (1, 4), (10, 0, -3), (0.0, 1.0, 0.25), (3, 3), (2, -1)):
        assert_same(np.arange(*args), jnp.arange(*args))
    assert np.arange(2**40, 2**40 + 3, dtype=np.float32).shape == (3,)
    for args in ((1, 1000, 4), (-1, -1000, 4), (1.0, 8.0, 3, False)):
        assert_same(np.geomspace(*args), jnp.geomspace(*args), 1e-4)
    assert_same(
        np.geomspace(V * V + 1, 9.0, 3, axis=-1), jnp.geomspace(V * V + 1, 9.0, 3, axis=-1), 1e-4
    )
    assert_same(np.logspace(0, 2, 4, base=2.0), jnp.logspace(0, 2, 4, base=2.0))


def test_grids():
    assert_same(np.indices((2, 3), sparse=True), jnp.indices((2, 3), sparse=True))
    assert_same(np.meshgrid(V, V[:2], copy=False), jnp.meshgrid(V, V[:2]))
    assert_same(
        fn.jit(lambda s: np.fromfunction(lambda i, j: i * s + j, (2, 3)))(2.0),
        jnp.fromfunction(lambda i, j: i * 2.0 + j, (2, 3)),
    )


def test_devices():
    device = jax.devices()[1]
    for x in (
        np.arange(3, device=device), np.linspace(0, 1, 3, device=device), np.zeros(2, device=device),
        np.full(2, 1.0, device=device), np.eye(2, device=device), np.ones_like(V, device=device),
        np.asarray(V, device=device), np.astype(V, int, device=device), np.array([1], device=device),
    ):  # fmt: skip
        assert x.devices() == {device}
    assert numpy.asarray(np.arange(3, device=device)).tolist() == [0, 1, 2]
