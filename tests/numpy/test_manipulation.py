import jax.numpy as jnp
import pytest

import fn
import fn.numpy as np
from tests.numpy.compare import COLUMN, CUBE, V, X, assert_same, check, check_gradient, equations

CALLS = [
    ("reshape", (X, (4, 3))), ("reshape", (X, -1)), ("reshape", (CUBE, (3, -1, 2))), ("reshape", (X, (2, 6), "F")),
    ("ravel", (CUBE,)), ("ravel", (X, "F")), ("expand_dims", (X, 0)), ("expand_dims", (X, (0, -1))), ("squeeze", (COLUMN,)),
    ("squeeze", (COLUMN, -1)), ("broadcast_to", (V, (3, 4))), ("broadcast_to", (COLUMN, (2, 3, 4))), ("transpose", (CUBE,)),
    ("transpose", (CUBE, (1, -1, 0))), ("matrix_transpose", (CUBE,)), ("swapaxes", (CUBE, 0, -1)), ("moveaxis", (CUBE, 0, -1)),
    ("moveaxis", (CUBE, (0, 1), (-1, 0))), ("rollaxis", (CUBE, 2)), ("rollaxis", (CUBE, 0, 3)), ("flip", (CUBE,)), ("flip", (X, 1)),
    ("flipud", (X,)), ("fliplr", (X,)), *[("rot90", (X, k)) for k in (0, 1, 2, 3, -1)], ("rot90", (CUBE, 1, (2, 0))),
    *[(f"atleast_{n}d", (x,)) for n in (1, 2, 3) for x in (V[0], V, X, CUBE)],
]  # fmt: skip


@pytest.mark.parametrize(("name", "args"), CALLS, ids=lambda v: v if isinstance(v, str) else "")
def test_as_in_jax(name, args):
    check(name, *args)


def test_shapes():
    assert np.shape(X) == (3, 4) and np.ndim(X) == 2 and np.size(X) == 12 and np.size(X, 0) == 3
    assert np.shape([[1, 2]]) == (1, 2)
    assert np.broadcast_shapes((3, 1), 4, (2, 1, 1)) == (2, 3, 4)
    assert_same(np.broadcast_arrays(COLUMN, V), jnp.broadcast_arrays(COLUMN, V))
    assert np.iscomplexobj(1j) and not np.iscomplexobj(X)


def test_programs_are_small():
    assert equations(lambda x: np.reshape(x, (3, 4)), X) == []
    assert equations(lambda x: np.squeeze(np.expand_dims(x, 0)), X) == ["reshape", "reshape"]
    assert equations(lambda v: np.broadcast_to(v, (3, 4)), V) == ["broadcast"]
    assert equations(lambda x: x.T, X) == ["transpose"]


def test_gradients():
    check_gradient(
        lambda m, x: m.moveaxis(m.flip(x, 1), 0, 2).reshape(-1, 2) * m.ravel(x).reshape(12, 2), CUBE
    )


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (
            lambda: np.reshape(X, (5, -1)),
            r"reshape: the sizes differ\n.*12 elements(.|\n)*f32\[3,4\] to \(5, -1\)",
        ),
        (lambda: np.reshape(X, (-1, -1)), "reshape: the sizes differ"),
        (lambda: np.reshape(X, 12, "K"), "reshape: unknown order"),
        (lambda: np.squeeze(X, 0), "squeeze: an axis is longer than 1"),
        (lambda: np.broadcast_to(X, (4,)), "broadcast_to: the shape"),
        (lambda: np.transpose(X, (0,)), "transpose: not all axes are given"),
        (lambda: np.transpose(X, (0, 0)), "transpose: an axes is given twice"),
        (lambda: np.swapaxes(X, 0, 2), r"swapaxes: there is no such axis2\n.*-2 to 1"),
        (lambda: np.moveaxis(X, (0, 1), 0), "moveaxis: source and destination do not pair up"),
        (lambda: np.expand_dims(V[0], 3), "expand_dims: there is no such axis"),
    ],
)
def test_errors(function, words):
    with pytest.raises(fn.FnError, match=words):
        function()
