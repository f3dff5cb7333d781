"""Each operation's dependences cover its Jacobian, and are no more where they can be exact."""

import jax
import numpy as np
import pytest

import fn
from fn.core import Primitive, is_float
from fn.derivatives._flow import RULES
from tests.ops.table import ROWS

# Where a dependence leaves nothing to chance: the pattern is that of the Jacobian.
EXACT = {
    "reshape", "transpose", "broadcast", "slice", "pad", "concatenate", "reverse", "reduce_sum",
    "dot_general", "conv", "gather", "scatter_add", "scatter_set", "dynamic_slice", "cumsum",
    "dynamic_update_slice", "reduce_window_sum", "all_gather", "optimization_barrier",
}  # fmt: skip
NAMES = sorted({r.primitive.name for r in ROWS if r.differentiable and r.primitive.name in RULES})


def cases(name):
    """Functions of one real argument, real results only, with an argument to try."""
    for row in ROWS:
        for a in row.differentiable if row.primitive.name == name else ():
            if is_float(np.asarray(row.args[a]).dtype):
                yield row, _function(row, a), row.args[a]


def _function(row, a):
    def function(x):
        args = list(row.args)
        args[a] = x
        out = row.function(*args)
        outs = out if isinstance(out, (tuple, list)) else (out,)
        return [o for o in outs if is_float(np.dtype(o.dtype))]

    return function


@pytest.mark.parametrize("name", NAMES)
def test_it_covers_the_jacobian(name):
    found = list(cases(name))
    jacobians = fn.jit(lambda: [fn.jacfwd(f)(x) for _, f, x in found])() if found else []
    for (row, f, x), per_output in zip(found, jacobians):
        for pattern, jacobian in zip(fn.sparsity_pattern(f)(x), per_output):
            nonzero = np.asarray(jacobian).reshape(pattern.shape) != 0
            dense = pattern.todense()
            assert (dense | ~nonzero).all(), row.id
            if name in EXACT:
                assert (dense == nonzero).all(), row.id


def test_rules_are_for_primitives_there_are():
    assert set(RULES) <= set(Primitive.named)


def test_known_values_count():
    x = np.linspace(0.5, 2, 6, dtype=np.float32)
    band = np.triu(np.tril(np.ones((6, 6), np.float32), 1), -1)
    mask = np.array([1, 0, 1, 0, 0, 1], np.float32)
    order = np.array([5, 5, 0, 1, 2, 3])
    np.testing.assert_array_equal(
        fn.sparsity_pattern(lambda x: band @ x)(x).todense(), band.astype(bool)
    )
    np.testing.assert_array_equal(
        fn.sparsity_pattern(lambda x: mask * x)(x).todense(), np.diag(mask).astype(bool)
    )
    np.testing.assert_array_equal(
        fn.sparsity_pattern(lambda x: x[order])(jax.numpy.asarray(x)).cols, order
    )
    # By an index that is an argument it might be any of them.
    later = fn.sparsity_pattern(lambda x, i: x[i])(jax.numpy.asarray(x), order)
    assert later.nnz == 36
