"""Sets by number: unions are those of Python's sets, and equal sets have one number."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fn.derivatives._sets as module
from fn.derivatives._sets import Sets, TooManyError

SIZE = 6


def read(sets, numbers):
    """The sets themselves, as Python's."""
    flat = np.asarray(numbers).ravel()
    at, members = sets.members(flat)
    return [frozenset(members[at == i].tolist()) for i in range(len(flat))]


def make(sets, wanted):
    """Numbers of these sets."""
    groups = [i for i, w in enumerate(wanted) for _ in w]
    singles = [m + 1 for w in wanted for m in w]
    return sets.union(np.array(groups, int), np.array(singles, int), len(wanted))


some = st.lists(st.frozensets(st.integers(0, SIZE - 1)), min_size=12, max_size=12)


@given(some, some)
def test_join_is_union_and_equal_sets_have_one_number(a, b):
    sets = Sets(SIZE)
    numbers = sets.join(make(sets, a), make(sets, b))
    assert read(sets, numbers) == [x | y for x, y in zip(a, b)]
    by_number = {}
    for number, found in zip(numbers.tolist(), read(sets, numbers)):
        assert by_number.setdefault(number, found) == found
    assert len(set(by_number.values())) == len(by_number)


@given(some, st.sampled_from([(0,), (1,), (0, 1), ()]))
def test_reduce_is_the_union_over_axes(given, axes):
    sets = Sets(SIZE)
    numbers = make(sets, given).reshape(3, 4)
    out, kept = sets.reduce(numbers, axes), sets.reduce(numbers, axes, keep=True)
    table = np.array(given, object).reshape(3, 4)
    expected = np.zeros(kept.shape, object)
    for index in np.ndindex(kept.shape):
        part = table[tuple(slice(None) if a in axes else i for a, i in enumerate(index))]
        expected[index] = frozenset().union(*np.ravel(part))
    assert read(sets, kept) == list(expected.ravel())
    assert np.array_equal(out, kept.reshape(out.shape))


@pytest.mark.parametrize("reverse", [False, True])
@given(some)
def test_prefixes(reverse, given):
    sets = Sets(SIZE)
    found = read(sets, sets.prefixes(make(sets, given), 0, reverse))
    order = given[::-1] if reverse else given
    expected = [frozenset().union(*order[: i + 1]) for i in range(len(order))]
    assert found == (expected[::-1] if reverse else expected)


def test_nothing_and_scalars():
    sets = Sets(SIZE)
    row = sets.singletons(0, (2, 3))
    assert sets.join(None, None) is None
    assert (
        sets.join(None, row) is row and sets.join(row, None) is row and sets.join(row, row) is row
    )
    whole = sets.join(row, np.array(1))
    assert read(sets, whole) == [{0}, {0, 1}, {0, 2}, {0, 3}, {0, 4}, {0, 5}]
    assert sets.union(np.array([-1, 0]), np.array([1, 2]), 2).tolist() == [2, 0]
    assert sets.reduce(np.zeros((0, 3), int), (1,)).shape == (0,)
    assert sets.reduce(np.zeros((3, 0), int), (1,)).tolist() == [0, 0, 0]


def test_it_gives_up_on_too_many(monkeypatch):
    monkeypatch.setattr(module, "MOST", 20)
    sets = Sets(SIZE)
    sets.prefixes(sets.singletons(0, (4,)), 0, False)
    with pytest.raises(TooManyError):
        sets.prefixes(sets.singletons(0, (6,)), 0, False)
