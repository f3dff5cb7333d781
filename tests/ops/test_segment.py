"""Segments against `jax.ops`, with all options, eagerly, compiled, batched and differentiated."""

import jax
import numpy as np
import pytest

import fn
from fn import ops

IDS = np.array([2, 0, 2, 5, 0, 7, -1], np.int32)
SORTED, UNIQUE = np.sort(IDS), np.array([3, 1, 0, 6, 4, 9, 7], np.int32)
NAMES = ["segment_sum", "segment_prod", "segment_max", "segment_min"]
rng = np.random.default_rng(0)
ROWS = rng.normal(size=(7, 3)).astype(np.float32)

CALLS = {
    "rows": (ROWS, IDS, dict(num_segments=6)),
    "vector": (ROWS[:, 0], IDS, {}),
    "clip": (ROWS, IDS, dict(num_segments=6, mode="clip")),
    "sorted": (ROWS, SORTED, dict(num_segments=8, indices_are_sorted=True)),
    "unique": (ROWS, UNIQUE, dict(num_segments=8, unique_indices=True)),
    "buckets": (ROWS, IDS, dict(num_segments=6, bucket_size=2)),
    "no rows": (ROWS[:0], IDS[:0], dict(num_segments=3)),
    "no segments": (ROWS, IDS, dict(num_segments=0)),
    "integers": ((ROWS * 9).astype(np.int32), IDS, dict(num_segments=9)),
    "bfloat16": (ROWS.astype(jax.numpy.bfloat16), IDS, dict(num_segments=9)),
    "mode of jax": (ROWS, IDS, dict(num_segments=6, mode=jax.lax.GatherScatterMode.CLIP)),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", NAMES)
def test_the_results_of_jax(name, call):
    data, ids, options = CALLS[call]
    f, g = getattr(ops, name), getattr(jax.ops, name)
    expected = g(data, ids, **options)
    got = f(data, ids, **options)
    assert got.dtype == expected.dtype
    np.testing.assert_allclose(
        np.asarray(got, np.float64), np.asarray(expected, np.float64), rtol=1e-5
    )


@pytest.mark.parametrize("name", NAMES)
def test_derivatives_and_batches(name):
    f, g = getattr(ops, name), getattr(jax.ops, name)

    def loss(combine, x):
        out = combine(x, IDS, 6, bucket_size=3)
        return (out[2] ** 2 + out[0]).sum()

    got = fn.jit(fn.grad(lambda x: loss(f, x)))(ROWS)
    with jax.enable_x64(True):
        value = jax.jit(lambda x: loss(g, x))
        steps = 1e-4 * np.eye(ROWS.size).reshape(-1, *ROWS.shape)
        numeric = [(value(ROWS + s) - value(ROWS - s)) / 2e-4 for s in steps]
    np.testing.assert_allclose(got.ravel(), numeric, rtol=1e-3, atol=1e-4)
    many = np.stack([ROWS, -ROWS])
    rolled = np.stack([IDS, IDS[::-1]])
    both = fn.vmap(lambda x, i: f(x, i, num_segments=8))(many, rolled)
    for out, x, i in zip(both, many, rolled, strict=True):
        np.testing.assert_allclose(out, g(x, i, num_segments=8), rtol=1e-5)


def test_products_have_derivatives_at_zero():
    x = np.array([2.0, 0.0, 3.0, 0.0, 0.0, 5.0], np.float32)
    ids = np.array([0, 0, 1, 2, 2, 1])
    got = fn.grad(lambda x: ops.segment_prod(x, ids, 4).sum())(x)
    assert got.tolist() == [0.0, 2.0, 5.0, 0.0, 0.0, 3.0]


def test_booleans_have_largest_and_smallest():
    truth = np.array([True, False, True, False, False, True, True])
    for name in NAMES[2:]:
        got = getattr(ops, name)(truth, IDS, 8)
        assert np.array_equal(got, getattr(jax.ops, name)(truth, IDS, 8))


def test_errors():
    with pytest.raises(fn.FnError, match="how many segments there are is not known while tracing"):
        fn.jit(lambda i: ops.segment_sum(ROWS, i))(IDS)
    with pytest.raises(
        fn.FnError, match=r"the segments do not fit the rows\n.*\n  got:      f32\[7,3\], i32\[3\]"
    ):
        ops.segment_sum(ROWS, IDS[:3], 6)
    with pytest.raises(fn.FnError, match="an array and integers"):
        ops.segment_max(ROWS, ROWS[:, 0], 6)
    with pytest.raises(fn.FnError, match="num_segments is no count"):
        ops.segment_max(ROWS, IDS, -1)
    with pytest.raises(fn.FnError, match="bucket_size is no count"):
        ops.segment_max(ROWS, IDS, 3, bucket_size=0)
    with pytest.raises(fn.FnError, match="out_sharding= is not taken"):
        ops.segment_max(ROWS, IDS, 3, out_sharding="x")
    with pytest.raises(fn.FnError, match="unknown mode"):
        ops.segment_max(ROWS, IDS, 3, mode="wrap")
