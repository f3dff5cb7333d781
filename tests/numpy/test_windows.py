import pytest

import fn
import fn.numpy as np
from tests.numpy.compare import X, check_table


def test_windows():
    names = ["hanning", "hamming", "blackman", "bartlett"]
    check_table(
        {
            **{n: lambda m, x, n=n: [getattr(m, n)(k) for k in (0, 1, 2, 7)] for n in names},
            "kaiser": lambda m, x: [m.kaiser(k, 3.0) for k in (0, 1, 6)],
            "i0": lambda m, x: m.i0(3 * x),
        },
        X,
    )


def test_i0_is_flat_at_zero():
    assert float(fn.grad(np.i0)(0.0)) == 0.0


def test_errors():
    with pytest.raises(fn.FnError, match="hanning: not a size"):
        np.hanning(2.5)
