"""Trees as vectors: as in JAX, with leaves that are no arrays kept in the tree."""

from __future__ import annotations

from typing import Any

import jax
import jax.flatten_util
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest

import fn
import fn.numpy as fnp

F32, F16, BF16, I32 = np.float32, np.float16, ml_dtypes.bfloat16, np.int32
TREES: dict[str, Any] = {
    "one dtype": {"w": np.ones((2, 3), F32), "b": np.zeros(2, F32)},
    "half and single": {"w": np.full((2, 2), 1.5, F16), "b": np.ones(3, F32)},
    "halves": [np.ones(2, F16), np.ones(2, BF16)],
    "integers too": (np.arange(3, dtype=I32), np.ones(2, F32), np.float32(2.5)),
    "complex": (np.ones(2, np.complex64), np.ones(2, F32)),
    "scalars": (1.0, 2.0, 3),
    "single": np.arange(4.0, dtype=F32),
    "nothing": {},
    "empty array": [np.ones((0, 2), F32)],
}


@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
@pytest.mark.parametrize("name", TREES)
def test_as_in_jax(name: str) -> None:
    tree = TREES[name]
    flat, unravel = fn.ravel(tree)
    expected, back = jax.flatten_util.ravel_pytree(tree)
    assert flat.dtype == expected.dtype and flat.shape == expected.shape
    np.testing.assert_array_equal(np.asarray(flat), np.asarray(expected))
    ours, theirs = unravel(flat * 2), back(expected * 2)
    assert jax.tree.structure(ours) == jax.tree.structure(theirs)
    for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs)):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


def test_what_is_no_array_stays() -> None:
    tree = {"w": np.ones(2, F32), "none": None, "name": "layer", "act": fnp.tanh}
    flat, unravel = fn.ravel(tree)
    again = unravel(flat + 1)
    assert again["none"] is None and again["name"] == "layer" and again["act"] is fnp.tanh
    assert again["w"].tolist() == [2.0, 2.0]


def test_the_way_back_is_hashable_and_equal_for_equal_trees() -> None:
    one, two = (fn.ravel({"w": np.full(2, k, F32)})[1] for k in range(2))
    other = fn.ravel({"w": np.ones(3, F32)})[1]
    assert one == two and hash(one) == hash(two) and one != other
    assert repr(one) == "<fn.ravel's way back from 2 entries of dtype float32>"
    apply = fn.jit(lambda unravel, v: unravel(v)["w"] * 2, static_argnums=0)
    assert apply(one, np.ones(2, F32)).tolist() == [2.0, 2.0]


def test_vectors_of_another_dtype_and_misfits() -> None:
    _, plain = fn.ravel({"w": np.ones(2, F32)})
    assert plain(np.ones(2, BF16))["w"].dtype == BF16
    _, mixed = fn.ravel((np.ones(2, F16), np.ones(1, F32)))
    with pytest.raises(fn.core.ArgumentError, match="does not fit the tree"):
        mixed(np.ones(3, F16))
    with pytest.raises(fn.core.ArgumentError, match=r"expected: f32\[2\]"):
        plain(np.ones(3, F32))


def test_under_transforms() -> None:
    tree = {"w": np.ones((2, 2), F32), "b": np.arange(2, dtype=F16)}
    flat, unravel = fn.ravel(tree)

    def loss(p: Any) -> Any:
        return (p["w"] ** 2).sum() + (p["b"].astype("float32") ** 3).sum()

    gradient = fn.jit(fn.grad(lambda v: loss(unravel(v))))(flat)
    np.testing.assert_allclose(gradient, fn.ravel(fn.grad(loss)(tree))[0], rtol=1e-3)
    hessian = fn.hessian(lambda v: loss(unravel(v)))(flat)
    np.testing.assert_allclose(hessian, np.diag([0, 6, 2, 2, 2, 2]), rtol=1e-3)
    batch = fn.vmap(unravel)(np.stack([flat, flat]))
    assert batch["w"].shape == (2, 2, 2) and batch["b"].dtype == F16
    rows = fn.vmap(lambda p: fn.ravel(p)[0])(jax.tree.map(lambda x: jnp.stack([x, x]), tree))
    assert rows.shape == (2, 6)
