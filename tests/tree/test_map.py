"""Mapping over trees: JAX's results where JAX has them, None passed over, misfits told by path."""

from typing import NamedTuple

import jax
import numpy as onp
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fn
import fn.numpy as np


class Pair(NamedTuple):
    first: object
    second: object


TREES = st.recursive(
    st.integers(-5, 5),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
        st.builds(Pair, inner, inner),
    ),
    max_leaves=8,
)


@given(TREES)
def test_as_jax_has_them(tree):
    assert fn.tree.map(lambda x: x + 1, tree) == jax.tree.map(lambda x: x + 1, tree)
    assert fn.tree.map(lambda x, y: x - y, tree, tree) == jax.tree.map(lambda x: 0, tree)
    assert fn.tree.leaves(tree) == jax.tree.leaves(tree)
    assert fn.tree.structure(tree) == jax.tree.structure(tree)
    assert fn.tree.unflatten(*reversed(fn.tree.flatten(tree))) == tree
    assert fn.tree.reduce(lambda a, b: a + b, tree, 0) == sum(jax.tree.leaves(tree))
    assert fn.tree.all(tree) == jax.tree.all(tree)
    assert fn.tree.differences(tree, tree) == []


@given(TREES, TREES)
def test_trees_map_together_exactly_if_nothing_differs(a, b):
    same = jax.tree.structure(a) == jax.tree.structure(b)
    assert (fn.tree.differences(a, b) == []) == same


@given(TREES)
def test_paths_lead_to_the_leaves(tree):
    pairs = fn.tree.leaves_with_path(tree)
    assert fn.tree.paths(tree) == [path for path, _ in pairs]
    assert fn.tree.flatten_with_path(tree) == (pairs, fn.tree.structure(tree))
    for path, leaf in pairs:
        node = tree
        for key in path.split("/") if path else ():
            node = getattr(node, key) if isinstance(node, Pair) else (
                node[key] if isinstance(node, dict) else node[int(key)])  # fmt: skip
        assert node == leaf
    named = fn.tree.map_with_path(lambda path, leaf: path, tree)
    assert fn.tree.leaves(named) == fn.tree.paths(tree)


def test_none_is_passed_over_in_any_tree():
    params = {"w": 3, "name": "conv", "inner": {"a": 1, "b": 2}}
    grads = {"w": 1, "name": None, "inner": None}
    assert fn.tree.map(lambda p, g: (p, g), params, grads) == {
        "w": (3, 1), "name": None, "inner": None,
    }  # fmt: skip
    assert fn.tree.map(lambda g, p: (p, g), grads, params) == {
        "w": (3, 1), "name": None, "inner": None,
    }  # fmt: skip


def test_the_other_trees_may_go_deeper():
    assert fn.tree.map(lambda a, b: b, {"x": 1}, {"x": [2, 3]}) == {"x": [2, 3]}


def test_is_leaf():
    tree = {"x": (1, 2)}
    assert fn.tree.map(len, tree, is_leaf=lambda x: isinstance(x, tuple)) == {"x": 2}
    assert fn.tree.leaves(tree, is_leaf=lambda x: isinstance(x, tuple)) == [(1, 2)]


def test_arrays_and_tracers_are_leaves():
    params = {"w": np.ones(3), "b": np.zeros(())}
    grads = fn.grad(lambda p: fn.tree.reduce(lambda a, x: a + (x * x).sum(), p, 0.0))(params)
    onp.testing.assert_array_equal(grads["w"], 2 * onp.ones(3))
    stepped = fn.jit(lambda p, g: fn.tree.map(lambda a, b: a - b, p, g))(params, grads)
    onp.testing.assert_array_equal(stepped["w"], -onp.ones(3))


def test_misfits_say_where_and_how():
    a = {"enc": {"w": 1, "b": 2}, "dec": (1, 2), "list": [1]}
    b = {"enc": {"w": [1], "c": 2}, "dec": (1, 2, 3), "list": {"x": 1}}
    with pytest.raises(fn.core.TreeError) as caught:
        fn.tree.map(lambda x, y: x, a, b)
    message = str(caught.value)
    assert "tree.map: trees 1 and 2 do not have the same structure" in message
    assert "`dec`: tuple of 2 in one, tuple of 3 in the other" in message
    assert "`enc/b`: missing in the second" in message
    assert "; and 2 more" in message
    assert fn.tree.differences(a, b)[-1] == "`list`: list of 1 in one, dict with x in the other"
    assert "test_map.py" in message


def test_transpose():
    rows = [{"x": 1, "y": 2}, {"x": 3, "y": 4}]
    outer = fn.tree.structure([0, 0])
    assert fn.tree.transpose(outer, None, rows) == {"x": [1, 3], "y": [2, 4]}
    with pytest.raises(fn.core.TreeError, match=r"tree\.transpose"):
        fn.tree.transpose(outer, fn.tree.structure({"x": 0}), rows)


def test_broadcast():
    assert fn.tree.broadcast(1, {"a": [0, 0], "b": 0}) == {"a": [1, 1], "b": 1}
    assert fn.tree.broadcast({"a": None, "b": 2}, {"a": [0, 0], "b": 0}) == {
        "a": [None] * 2,
        "b": 2,
    }
    with pytest.raises(fn.core.TreeError, match="the prefix is not a prefix"):
        fn.tree.broadcast({"a": 1, "c": 2}, {"a": 1})


def test_unflatten_and_reduce_count():
    with pytest.raises(fn.core.TreeError, match="2 leaves for"):
        fn.tree.unflatten(fn.tree.structure([0, 0]), [1])
    with pytest.raises(fn.core.TreeError, match="no leaves"):
        fn.tree.reduce(lambda a, b: a, {})
