"""Layers made of layers: `repeat` is `serial` of one layer, said once."""

from __future__ import annotations

import jax
import numpy as np
import pytest

import fn
from fn import nn
from fn.core import ArgumentError
from tests.programs import names

KEY = fn.random.key(3)
SPEC = fn.ArrayType((5, 4), "float32")
X = np.random.RandomState(0).randn(5, 4).astype(np.float32)


def block() -> nn.Layer:
    return nn.serial(nn.dense(4), nn.relu, nn.dropout(0.5), nn.layer_norm())


@pytest.mark.parametrize("train", [False, True])
def test_repeat_is_serial(train: bool) -> None:
    one = nn.repeat(block(), 3)
    other = nn.serial(*[block() for _ in range(3)])
    params, state = one.init(KEY, SPEC)
    expected, _ = other.init(KEY, SPEC)
    assert jax.tree.structure(params) == jax.tree.structure(expected)
    jax.tree.map(np.testing.assert_array_equal, params, expected)
    key = KEY if train else None

    def loss(layer: nn.Layer, params: nn.Params) -> object:
        return (layer.apply(params, state, X, key=key, train=train)[0] ** 2).sum()

    for value in (loss, lambda *a: fn.grad(loss, argnums=1)(*a)):
        found, wanted = value(one, params), value(other, params)
        jax.tree.map(
            lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-5), found, wanted
        )


@pytest.mark.parametrize("train", [False, True])
def test_stacked_is_the_same_network(train: bool) -> None:
    one, stacked = nn.repeat(block(), 3), nn.repeat(block(), 3, scan=True)
    params, state = one.init(KEY, SPEC)
    together, memory = stacked.init(KEY, SPEC)
    for i, own in enumerate(params.values()):
        jax.tree.map(lambda a, b, i=i: np.testing.assert_array_equal(a, b[i]), own, together)
    key = KEY if train else None
    y, _ = one.apply(params, state, X, key=key, train=train)
    z, after = stacked.apply(together, memory, X, key=key, train=train)
    np.testing.assert_allclose(z, y, rtol=2e-5, atol=1e-6)
    assert jax.tree.structure(after) == jax.tree.structure(memory)


def counting() -> nn.Layer:
    """A layer with a state: how often it was applied."""
    return nn.Layer(
        lambda key, spec: ({}, {"count": np.zeros((), np.int32)}),
        lambda params, state, x, key=None, train=False: (x * 2.0, {"count": state["count"] + 1}),
    )


def test_state_goes_through() -> None:
    layer = nn.repeat(counting(), 3)
    params, state = layer.init(KEY, SPEC)
    assert params == {} and len(state) == 3
    y, after = fn.jit(layer.apply)(params, state, X)
    np.testing.assert_array_equal(y, X * 8)
    assert [int(s["count"]) for s in after.values()] == [1, 1, 1]
    stacked = nn.repeat(counting(), 3, scan=True)
    y, after = stacked.apply(*stacked.init(KEY, SPEC), X)
    np.testing.assert_array_equal(y, X * 8)
    assert after["count"].tolist() == [1, 1, 1]


def test_the_layer_is_traced_once() -> None:
    seen = []

    def spy(x: object) -> object:
        seen.append(1)
        return fn.numpy.tanh(x)

    layer = nn.repeat(nn.serial(nn.dense(4), spy), 6)
    params, state = layer.init(KEY, SPEC)
    seen.clear()
    program = fn.trace(lambda p, x: layer.apply(p, state, x)[0])(params, X)
    assert len(seen) == 1
    assert names(program) == ["call"] * 6
    assert len({id(p) for p in program.subprograms()}) == 1


def test_a_layer_that_changes_the_type_is_refused() -> None:
    with pytest.raises(
        ArgumentError, match=r"does not give what it takes(.|\n)*f32\[5,4\](.|\n)*f32\[5,3\]"
    ):
        nn.repeat(nn.dense(3), 2).init(KEY, SPEC)
    for n in (0, -1, 2.0, True):
        with pytest.raises(ArgumentError, match="n is not a number of layers"):
            nn.repeat(nn.dense(4), n)
