"""Paths into trees, and prefixes of them."""

from typing import NamedTuple

import pytest

from fn.core import TreeError, argument_paths, broadcast_prefix, leaf_paths


class Layer(NamedTuple):
    weight: float
    bias: float


def test_paths() -> None:
    tree = {"conv1": Layer(1.0, 2.0), "rest": [3.0, (4.0, None)]}
    assert leaf_paths(tree, "params") == [
        "params/conv1/weight", "params/conv1/bias", "params/rest/0", "params/rest/1/0",
    ]  # fmt: skip
    assert leaf_paths(1.0, "x") == ["x"]
    assert leaf_paths([1.0]) == ["0"]


def test_argument_paths() -> None:
    def f(params, *batch, rate=1.0, **more):
        return params

    args = ({"w": 1.0}, 2.0, [3.0, 4.0])
    assert argument_paths(f, args, {"rate": 5.0, "more": 6.0}) == [
        "params/w", "batch[0]", "batch[1]/0", "batch[1]/1", "more", "rate",
    ]  # fmt: skip
    assert argument_paths(max, (1.0, 2.0), {}) == ["argument 0", "argument 1"]
    assert argument_paths(lambda x: x, (1.0, 2.0), {}) == ["x", "argument 1"]


def test_broadcast_prefix() -> None:
    tree = {"a": [1.0, 2.0], "b": (3.0, {"c": 4.0})}
    assert broadcast_prefix(0, tree, "in_axes") == [0, 0, 0, 0]
    assert broadcast_prefix(None, tree, "in_axes") == [None] * 4
    assert broadcast_prefix({"a": None, "b": (1, 2)}, tree, "in_axes") == [None, None, 1, 2]
    with pytest.raises(TreeError, match="in_axes is not a prefix of the tree it belongs to"):
        broadcast_prefix({"a": 0}, tree, "in_axes")
    with pytest.raises(TreeError, match="one per branch"):
        broadcast_prefix((0, 1), tree, "in_axes")
