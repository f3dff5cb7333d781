import jax
import jax.numpy as jnp
import numpy
import pytest

import fn
import fn.numpy as np
from tests.numpy.compare import assert_same, equations

rng = numpy.random.default_rng(3)
X = rng.normal(size=(4, 5)).astype(numpy.float32)
Z = (X + 1j * rng.normal(size=(4, 5))).astype(numpy.complex64)
CUBE = rng.normal(size=(2, 3, 4, 2, 3)).astype(numpy.float32)

ONE = ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"]
MANY = ["fftn", "ifftn", "rfftn", "irfftn"]
TWO = ["fft2", "ifft2", "rfft2", "irfft2"]
NORMS = [None, "backward", "ortho", "forward"]


def real_only(name):
    return ("rfft" in name and "irfft" not in name) or name == "ihfft"


def example(name):
    return X if real_only(name) else Z


def check(name, x, *args, tolerance=1e-4, **kwargs):
    """Against NumPy, in the precision of the input; eagerly and compiled."""
    expected = getattr(numpy.fft, name)(x, *args, **kwargs)
    function = getattr(np.fft, name)
    for got in (function(x, *args, **kwargs), fn.jit(lambda x: function(x, *args, **kwargs))(x)):
        assert got.dtype.kind == expected.dtype.kind
        assert got.dtype.itemsize == (8 if got.dtype.kind == "c" else 4)
        assert got.shape == expected.shape
        numpy.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", ONE)
def test_one_axis(name):
    for norm in NORMS:
        check(name, example(name), norm=norm)
    for n, axis in ((3, -1), (8, 1), (7, 0), (1, 0)):
        check(name, example(name), n, axis)


@pytest.mark.parametrize("name", MANY)
def test_many_axes(name):
    x = example(name)
    for norm in NORMS:
        check(name, x, norm=norm)
    check(name, x, axes=(1, 0))
    check(name, x, (3, 6), (0, 1))
    check(name, CUBE if real_only(name) else CUBE.astype(numpy.complex64), axes=(0, 3, 2))


@pytest.mark.parametrize("name", MANY)
def test_more_axes_than_the_operation_takes(name):
    x = CUBE if real_only(name) else CUBE + 1j * CUBE[::-1]
    check(name, x)
    check(name, x, axes=(4, 1, 0, 2))


@pytest.mark.parametrize("name", TWO)
def test_two_axes(name):
    x = CUBE if real_only(name) else CUBE.astype(numpy.complex64)
    check(name, x)
    check(name, x, (4, 4), (1, 2), "ortho")


def test_integers_and_no_entries():
    check("fft", numpy.arange(4))
    check("rfft", numpy.asarray([True, False, True]))
    check("fft", numpy.ones((0, 4), numpy.float32))
    check("irfft", numpy.ones((0, 3), numpy.complex64))
    assert np.fft.fftn(X[0], axes=()).dtype == numpy.complex64


def test_double_precision():
    with jax.enable_x64(True):
        x = X.astype(numpy.float64)
        numpy.testing.assert_allclose(np.fft.rfft(x), numpy.fft.rfft(x), rtol=1e-12)
        assert np.fft.fftfreq(4).dtype == numpy.float64


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_frequencies(n):
    for name in ("fftfreq", "rfftfreq"):
        for d in (1.0, 0.25, 3):
            got = getattr(np.fft, name)(n, d)
            numpy.testing.assert_allclose(got, getattr(numpy.fft, name)(n, d), rtol=1e-6)
        assert getattr(np.fft, name)(n, dtype=np.float16).dtype == numpy.float16
    assert_same(np.fft.fftfreq(n, device=jax.devices()[0]), jnp.fft.fftfreq(n))
    slope = fn.grad(lambda d: np.sum(np.fft.fftfreq(5, d) ** 2))(2.0)
    assert_same(slope, jax.grad(lambda d: jnp.sum(jnp.fft.fftfreq(5, d) ** 2))(2.0))


@pytest.mark.parametrize("axes", [None, 0, -1, (0, 1), (1,)])
def test_shifts(axes):
    for name in ("fftshift", "ifftshift"):
        assert_same(getattr(np.fft, name)(X, axes), getattr(numpy.fft, name)(X, axes))
    assert_same(np.fft.ifftshift(np.fft.fftshift(X, axes), axes), X)


# --- derivatives ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["fft", "ifft", "rfft", "irfft", "fftn", "ifftn", "rfftn", "irfftn"]
)
@pytest.mark.parametrize("norm", [None, "ortho"])
def test_gradients(name, norm):
    def loss(m, x):
        y = getattr(m.fft, name)(x, norm=norm)
        return m.sum(m.sin(m.real(y)) * m.cos(m.imag(y)) + m.real(y) ** 2)

    x = example(name)
    got = fn.jit(fn.grad(lambda x: loss(np, x)))(x)
    assert_same(got, jax.jit(jax.grad(lambda x: loss(jnp, x)))(x), 1e-3)


def test_gradients_of_conjugate_transforms():
    for name in ("hfft", "ihfft"):
        x = example(name)

        def loss(m, x, name=name):
            return m.sum(m.abs(getattr(m.fft, name)(x)) ** 2)

        got = fn.grad(lambda x: loss(np, x))(x)
        assert_same(got, jax.grad(lambda x: loss(jnp, x))(x), 1e-3)


def test_vmap():
    got = fn.vmap(lambda x: np.fft.rfft(x), in_axes=1, out_axes=1)(X)
    numpy.testing.assert_allclose(got, numpy.fft.rfft(X, axis=0), rtol=1e-4, atol=1e-4)


def test_programs_are_small():
    assert equations(np.fft.fft, Z) == ["fft"]
    assert equations(np.fft.rfft, X) == ["fft"]
    assert equations(lambda x: np.fft.rfftn(x), X) == ["fft"]


# --- errors -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda: np.fft.fft(X.astype(numpy.float16)), r"fft: f16 is too coarse(.|\n)*astype"),
        (lambda: np.fft.rfft(Z), r"rfft: it takes real numbers(.|\n)*c64\[4,5\](.|\n)*use fft"),
        (lambda: np.fft.fft(X, norm="half"), r"fft: there is no such norm(.|\n)*norm='half'"),
        (lambda: np.fft.hfft(X, norm="half"), "hfft: there is no such norm"),
        (lambda: np.fft.fft(X, 0), "fft: not numbers of points(.|\n)*at least 1"),
        (lambda: np.fft.fftn(X, (1, 2, 3)), "fftn: numbers of points and axes do not pair up"),
        (lambda: np.fft.fft(X, axis=2), "fft: there is no such axis"),
        (lambda: np.fft.fft2(X, axes=(0,)), "fft2: not two axes(.|\n)*use fftn"),
        (lambda: np.fft.irfft(Z[:, :1]), "irfft: no points to transform"),
        (lambda: np.fft.rfftn(X, axes=()), "rfftn: no axes"),
        (lambda: np.fft.fftfreq(0), "fftfreq: not a number of points"),
        (lambda: np.fft.fftfreq(3, X), "fftfreq: the spacing is not a number"),
        (lambda: np.fft.rfftfreq(3, dtype=int), "rfftfreq: frequencies are fractions"),
        (lambda: fn.ops.fft(Z, kind="dct", lengths=(5,)), "fft: there is no such kind"),
        (
            lambda: fn.ops.fft(Z, kind="fft", lengths=(4,)),
            r"fft: the operand's last axes(.|\n)*pad",
        ),
        (lambda: fn.ops.fft(Z, kind="fft", lengths=()), "fft: lengths do not fit the operand"),
        (lambda: fn.ops.fft(X, kind="fft", lengths=(5,)), "fft: wrong dtype for fft(.|\n)*c64"),
    ],
)
def test_errors(function, words):
    with pytest.raises(fn.FnError, match=words):
        function()


def test_nothing_of_jax_is_missing():
    theirs = {n for n in dir(jnp.fft) if not n.startswith("_")}
    assert sorted(theirs - set(dir(np.fft))) == []
