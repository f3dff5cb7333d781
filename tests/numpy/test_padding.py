import numpy
import pytest

import fn
import fn.numpy as np
from tests.numpy.compare import INT, V, X, assert_same, check, check_gradient, check_table


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect", "symmetric", "wrap"])
@pytest.mark.parametrize("width", [1, (2, 0), ((1, 2), (3, 0)), 7], ids=str)
def test_modes(mode, width):
    check("pad", X, width, mode)


def test_constants():
    check("pad", X, 1, constant_values=2.5)
    check("pad", INT, 1, constant_values=2)
    check("pad", X, 1, constant_values=((1.0, 2.0), (3.0, 4.0)))
    assert_same(
        fn.jit(lambda v, c: np.pad(v, 1, constant_values=c))(V, V[0]),
        np.pad(V, 1, constant_values=float(V[0])),
    )


def test_modes_with_options():
    widths = {"pair": (1, 2), "pairs": ((1, 0), (3, 5)), "wide": 9}
    modes = {
        "ramp": {"mode": "linear_ramp", "end_values": (1.0, 2.0)}, "maximum": {"mode": "maximum"},
        "mean": {"mode": "mean"}, "median": {"mode": "median"},
        "minimum": {"mode": "minimum", "stat_length": 2},
        "odd": {"mode": "reflect", "reflect_type": "odd"},
        "odd too": {"mode": "symmetric", "reflect_type": "odd"},
    }  # fmt: skip
    check_table(
        {
            f"{m} {w}": lambda n, x, m=m, w=w: n.pad(x, widths[w], **modes[m])
            for m in modes
            for w in widths
        },
        X,
    )


def test_a_function_and_a_dict():
    def end(line, widths, axis, options):
        return line.at[: widths[0]].set(options["value"])

    assert_same(np.pad(V, (2, 0), end, value=7.0), np.pad(V, (2, 0), constant_values=7.0))
    assert_same(np.pad(X, {-1: (1, 2)}), np.pad(X, ((0, 0), (1, 2))))
    assert_same(np.pad(INT, 1, "mean"), numpy.pad(numpy.asarray(INT), 1, "mean"))


def test_gradients():
    for mode in ("constant", "reflect", "wrap"):
        check_gradient(lambda m, x, mode=mode: m.pad(x, ((1, 2), (2, 1)), mode) * 2, X)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ((X, -1), "pad: a width is negative"),
        ((X, (1, 2, 3)), "pad: pad_width does not fit\n.*2 pairs"),
        ((X, 1, "mirror"), "pad: unknown mode\n.*reflect"),
        ((X[:0], 1, "edge"), "pad: mode 'edge' has nothing to repeat"),
    ],
)
def test_errors(args, words):
    with pytest.raises(TypeError, match=words):
        np.pad(*args)
