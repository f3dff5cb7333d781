"""What holds for every layer: shapes from the spec, one state tree, jit, vmap, gradients, dtypes."""

import jax
import numpy as np
import pytest

import fn
from fn import nn
from fn.core import leaf_paths
from tests.nn.table import ROWS

KEY = fn.random.key(0)
rows = pytest.mark.parametrize("row", ROWS, ids=lambda r: r.name)


def example(row, seed=0):
    rng = np.random.RandomState(seed)
    if row.dtype == np.int32:
        return rng.randint(0, 7, row.shape).astype(row.dtype)
    return rng.uniform(-2, 2, row.shape).astype(row.dtype)


@rows
def test_shapes_are_inferred_from_the_spec(row):
    init, apply = row.make()
    spec = fn.ArrayType(row.shape, row.dtype)
    params, state = init(KEY, spec)
    shapes = dict(zip(leaf_paths(params), [x.shape for x in jax.tree.leaves(params)], strict=True))
    assert shapes == row.params
    assert fn.eval_type(lambda p, x: apply(p, state, x)[0])(params, spec).shape == row.out
    again, _ = init(KEY, jax.ShapeDtypeStruct(row.shape, row.dtype))
    assert all(map(np.array_equal, jax.tree.leaves(params), jax.tree.leaves(again)))


@rows
def test_compiled_equals_eager_and_training_keeps_the_state_tree(row):
    init, apply = row.make()
    x = example(row)
    params, state = init(KEY, fn.ArrayType(row.shape, row.dtype))
    y, after = apply(params, state, x)
    compiled, _ = fn.jit(apply)(params, state, x)
    # One fused loop rounds differently from several.
    np.testing.assert_allclose(compiled, y, rtol=1e-5, atol=1e-6)
    assert jax.tree.structure(after) == jax.tree.structure(state)
    trained, after = apply(params, state, x, key=KEY, train=True)
    assert trained.shape == row.out
    assert jax.tree.structure(after) == jax.tree.structure(state)


@rows
def test_gradients_against_finite_differences(row):
    init, apply = row.make()
    x = example(row)
    params, state = init(KEY, fn.ArrayType(row.shape, row.dtype))
    target = (params, x) if row.dtype != np.int32 else (params,)

    def loss(*inputs):
        p, image = (*inputs, x)[:2]
        return (apply(p, state, image)[0] ** 2).sum()

    grads = fn.grad(loss, argnums=tuple(range(len(target))))(*target)
    directions = jax.tree.map(
        lambda a: np.random.RandomState(1).randn(*a.shape).astype(a.dtype), target
    )
    slope = sum(
        float((g * d).sum())
        for g, d in zip(jax.tree.leaves(grads), jax.tree.leaves(directions), strict=True)
    )
    step = 1e-2
    ahead, behind = (
        float(loss(*jax.tree.map(lambda a, d, s=s: a + s * step * d, target, directions)))
        for s in (1, -1)
    )
    # Central differences in float32: rounding of the loss over the step, and the third derivative.
    np.testing.assert_allclose(slope, (ahead - behind) / (2 * step), rtol=2e-2, atol=2e-2)


@rows
def test_batched_models(row):
    """An ensemble: `vmap` over keys gives a tree of stacked parameters, and applies all at once."""
    init, apply = row.make()
    x = example(row)
    spec = fn.ArrayType(row.shape, row.dtype)
    keys = fn.random.split(KEY, 3)
    params = fn.vmap(lambda k: init(k, spec)[0])(keys)
    ys = fn.vmap(lambda p: apply(p, {}, x)[0], axis_size=3)(params)
    one = apply(init(keys[1], spec)[0], {}, x)[0]
    np.testing.assert_allclose(ys[1], one, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["dense", "conv_2d_strided", "layer_norm"])
def test_half_precision_stays_half_precision(name):
    row = next(r for r in ROWS if r.name == name)
    init, apply = row.make()
    spec = fn.ArrayType(row.shape, "bfloat16")
    params, state = init(KEY, spec)
    assert {str(p.dtype) for p in jax.tree.leaves(params)} == {"bfloat16"}
    assert fn.eval_type(lambda p, x: apply(p, state, x)[0])(params, spec).dtype == "bfloat16"


def test_inserting_a_layer_changes_nobody_elses_weights():
    spec = fn.ArrayType((1, 4), np.float32)
    plain, _ = nn.serial(nn.dense(4), out=nn.dense(2)).init(KEY, spec)
    more, _ = nn.serial(nn.dense(4), nn.relu, extra=nn.dense(4), out=nn.dense(2)).init(KEY, spec)
    assert np.array_equal(plain["dense1"]["w"], more["dense1"]["w"])
    assert np.array_equal(plain["out"]["w"], more["out"]["w"])
    assert not np.array_equal(more["extra"]["w"], more["dense1"]["w"])


def test_conv_and_pooling_against_jax():
    x = np.random.RandomState(0).randn(2, 6, 5, 3).astype(np.float32)
    init, apply = nn.conv(4, 3, strides=(2, 1))
    params, state = init(KEY, fn.ArrayType(x.shape, x.dtype))
    theirs = jax.lax.conv_general_dilated(
        x, params["w"], (2, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    np.testing.assert_allclose(apply(params, state, x)[0], theirs, rtol=1e-4, atol=1e-5)
    ours, _ = nn.max_pool(3, strides=2, padding="SAME").apply({}, {}, x)
    theirs = jax.lax.reduce_window(x, -np.inf, jax.lax.max, (1, 3, 3, 1), (1, 2, 2, 1), "SAME")
    assert np.array_equal(ours, theirs)
    mean, _ = nn.avg_pool(3, strides=2, padding="SAME").apply({}, {}, np.ones_like(x))
    np.testing.assert_allclose(mean, 1, rtol=1e-6)  # padding does not count


def test_dropout_keeps_the_mean_and_is_off_outside_training():
    x = np.ones((200, 200), np.float32)
    apply = nn.dropout(0.3).apply
    y = np.asarray(apply({}, {}, x, key=KEY, train=True)[0])
    assert abs(y.mean() - 1) < 0.02  # six standard errors
    assert abs((y == 0).mean() - 0.3) < 0.02
    assert apply({}, {}, x)[0] is x


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: nn.serial(3), "nn: not a layer"),
        (lambda: nn.dropout(1.0), "nn.dropout: wrong rate"),
        (
            lambda: nn.dropout(0.5).apply({}, {}, np.ones(3), train=True),
            "a key is needed while training",
        ),
        (lambda: nn.conv(4, 3).init(KEY, fn.ArrayType((3, 3), "float32")), "at least 3 axes"),
        (lambda: nn.conv(4, (3, 3)).init(KEY, fn.ArrayType((1, 3, 1), "float32")), "wrong window"),
        (
            lambda: nn.conv(4, 3, groups=3).init(KEY, fn.ArrayType((1, 3, 2), "float32")),
            "channels do not divide into groups",
        ),
        (lambda: nn.max_pool(2, padding="HALF").apply({}, {}, np.ones((1, 4, 1))), "wrong padding"),
        (lambda: nn.serial(a=nn.dense(1), **{"b": nn.dense(1)}).init(KEY, "x"), "wrong input type"),
        (lambda: nn.serial(("a", nn.dense(1)), a=nn.dense(1)), "two layers have one name"),
        (
            lambda: nn.cross_entropy(np.ones((2, 3)), np.ones((3,), int)),
            "labels do not fit the logits",
        ),
        (lambda: nn.one_hot(1.5, 3), "labels are not integers"),
    ],
)
def test_errors(call, words):
    with pytest.raises(fn.FnError, match=words):
        call()
