"""`at`, `filter`, `partition`, `merge`: places by pattern, and trees with None where others have leaves."""

import jax
import numpy as onp
import pytest
from hypothesis import given

import fn
import fn.numpy as np
from tests.tree.test_map import TREES

PARAMS = {"enc": [{"w": 1, "b": 2}, {"w": 3, "b": 4}], "dec": {"w": 5, "norm": {"w": 6}}}


@pytest.mark.parametrize(
    ("patterns", "found"),
    [
        (("enc/*/w",), ["enc/0/w", "enc/1/w"]),
        (("**/w",), ["dec/norm/w", "dec/w", "enc/0/w", "enc/1/w"]),
        (("**/norm/**",), ["dec/norm"]),
        (("enc/[0]/?",), ["enc/0/b", "enc/0/w"]),
        (("dec/w", "enc/1"), ["dec/w", "enc/1"]),
        (("*",), ["dec", "enc"]),
    ],
)
def test_patterns(patterns, found):
    assert fn.tree.at(*patterns).paths(PARAMS) == found


def test_get():
    assert fn.tree.at("enc/1/b").get(PARAMS) == 4
    assert fn.tree.at("enc/1").get(PARAMS) is PARAMS["enc"][1]
    assert fn.tree.at("enc/*/b").get(PARAMS) == {"enc/0/b": 2, "enc/1/b": 4}


def test_set_makes_a_new_tree_and_shares_the_rest():
    new = fn.tree.at("enc/0/w").set(PARAMS, 10)
    assert new["enc"][0] == {"w": 10, "b": 2} and PARAMS["enc"][0]["w"] == 1
    assert new["dec"] is PARAMS["dec"]


def test_what_get_gives_can_be_set_again():
    places = fn.tree.at("**/w")
    doubled = {path: 2 * w for path, w in places.get(PARAMS).items()}
    assert places.set(PARAMS, doubled) == places.apply(PARAMS, lambda w: 2 * w)


def test_under_transforms():
    params = {"a": np.ones(2), "b": np.ones(2)}

    def loss(p):
        return sum((x * x).sum() for x in fn.tree.leaves(fn.tree.at("a").apply(p, np.sin)))

    ours = fn.jit(fn.grad(loss))(params)
    onp.testing.assert_allclose(ours["a"], onp.full(2, onp.sin(2.0)), rtol=1e-6)
    onp.testing.assert_allclose(ours["b"], onp.full(2, 2.0))


def test_nothing_there_says_what_is():
    with pytest.raises(fn.core.TreeError) as caught:
        fn.tree.at("enc/0/v").get(PARAMS)
    message = str(caught.value)
    assert "nothing to get at 'enc/0/v'" in message and "`enc/0/w`" in message
    with pytest.raises(fn.core.ArgumentError, match="a pattern is not a path"):
        fn.tree.at(3)


@pytest.mark.parametrize(
    "keep",
    [
        lambda leaf: leaf % 2 == 0,
        "enc/*/w",
        "dec",
        {"enc": [True, False], "dec": {"w": False, "norm": True}},
    ],
)
def test_partition_and_merge_are_inverse(keep):
    kept, others = fn.tree.partition(PARAMS, keep)
    assert fn.tree.merge(kept, others) == PARAMS == fn.tree.merge(others, kept)
    assert fn.tree.filter(PARAMS, keep) == kept
    assert jax.tree.leaves(kept) and jax.tree.leaves(others)
    assert len(jax.tree.leaves(kept)) + len(jax.tree.leaves(others)) == 6


def test_filter_by_branch():
    assert fn.tree.leaves(fn.tree.filter(PARAMS, "dec")) == [6, 5]
    assert fn.tree.leaves(fn.tree.filter(PARAMS, "enc/*")) == [2, 1, 4, 3]


@given(TREES)
def test_merging_any_partition_gives_the_tree(tree):
    assert fn.tree.merge(*fn.tree.partition(tree, lambda x: x > 0)) == tree


def test_merge_takes_the_first_and_whole_branches():
    assert fn.tree.merge({"a": None, "b": 1}, {"a": {"x": 2}, "b": 3}) == {"a": {"x": 2}, "b": 1}
    with pytest.raises(fn.core.TreeError, match=r"`a`: ~i32.* in one, dict with x in the other"):
        fn.tree.merge({"a": 1}, {"a": {"x": 1}})
    with pytest.raises(fn.core.TreeError, match="no trees"):
        fn.tree.merge()
