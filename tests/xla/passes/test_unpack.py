"""Results that are entries of an array come out of loops."""

from __future__ import annotations

import numpy as np
import pytest

import fn
from fn.core import check, evaluate
from fn.xla.passes import unpack
from tests.programs import names

pytestmark = pytest.mark.usefixtures("plain")


def entries(count, size):
    return lambda x: [x[i] for i in range(size) if i % (size // count) == 0] + [x.sum()]


def test_many_entries() -> None:
    x = np.arange(20, dtype=np.float32)
    program = fn.trace(lambda x: entries(20, 20)(x + 1.0))(x)
    after = check(unpack(program))
    assert names(after).count("scan") == 2
    assert "reshape" not in names(after)
    first, second = (e.params["program"] for e in after.equations if e.primitive.name == "scan")
    assert not first.equations and not second.equations
    for a, b in zip(evaluate(program, [x]), evaluate(after, [x]), strict=True):
        np.testing.assert_array_equal(a, b)


def test_some_entries_of_an_argument() -> None:
    x = np.arange(30, dtype=np.int32)
    program = fn.trace(entries(10, 30))(x)
    after = check(unpack(program))
    for a, b in zip(evaluate(program, [x]), evaluate(after, [x]), strict=True):
        np.testing.assert_array_equal(a, b)
    assert len(after.equations) < len(program.equations)


def test_a_few_stay_slices() -> None:
    program = fn.trace(entries(4, 20))(np.arange(20, dtype=np.float32))
    assert unpack(program) is program
