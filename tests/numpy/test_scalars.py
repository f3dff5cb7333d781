import jax
import jax.numpy as jnp
import numpy

import fn
import fn.numpy as np
from tests.numpy.compare import V, X


def test_names_are_dtypes():
    for name in ("bool_", "int8", "uint32", "float16", "bfloat16", "float32", "complex64", "int4"):
        ours, theirs = getattr(np, name), getattr(jnp, name)
        assert numpy.dtype(ours) == numpy.dtype(theirs)
        assert ours == numpy.dtype(theirs) and numpy.dtype(theirs) == ours and ours != np.float64
        assert np.zeros(2, ours).dtype == jnp.zeros(2, ours).dtype == ours
    assert np.issubdtype(np.bfloat16, np.floating)
    assert isinstance(numpy.float32(1), np.float32)
    assert hash(np.float32) == hash(numpy.float32)


def test_names_make_arrays():
    assert isinstance(np.float32(3), jax.Array) and np.float32(3).dtype == numpy.float32
    assert np.int32([1, 2]).tolist() == [1, 2]
    assert fn.jit(lambda x: np.int32(x))(V).dtype == numpy.int32
    assert str(fn.trace(lambda x: x * np.float32(3))(V)).count("3.0:f32[]") == 1


def test_what_arrays_are_instances_of():
    assert isinstance(X, np.ndarray) and not isinstance(numpy.ones(2), np.ndarray)
    assert bool(fn.jit(lambda x: isinstance(x, np.ndarray))(X))
