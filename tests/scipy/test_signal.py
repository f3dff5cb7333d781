"""Signals against SciPy: convolutions in all modes, spectra with all options, windows, trends."""

import warnings

import jax
import numpy as np
import pytest
import scipy.signal as ss

import fn
import fn.numpy as fnp
from fn.scipy import signal
from fn.scipy.signal._windows import named_window
from tests.scipy.table import Row, check, numbers

X, Y, LONG = numbers(9), numbers(4), numbers(2, 60)
IMAGE, KERNEL, EVEN = numbers(5, 6), numbers(3, 3), numbers(2, 4)
Z, W = X + 1j * numbers(9), Y - 1j * numbers(4)


def close(got, expected, tolerance=1e-10):
    np.testing.assert_allclose(np.asarray(got), expected, rtol=tolerance, atol=tolerance)


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_convolutions(mode):
    pairs = [
        (X, Y),
        (Y, X),
        (Z, W),
        (IMAGE, KERNEL),
        (IMAGE, EVEN),
        (KERNEL, IMAGE),
        (X.reshape(1, 3, 3), Y.reshape(1, 2, 2)),
    ]

    def all_of(m):
        found = []
        for a, b in pairs:
            found += [m.convolve(a, b, mode), m.correlate(a, b, mode), m.fftconvolve(a, b, mode)]
            found += [m.convolve(a, b, mode, method="fft")]
        for a, b in pairs[3:6]:
            found += [m.convolve2d(a, b, mode), m.correlate2d(a, b, mode)]
        for a, b in pairs[3:5]:
            for boundary in ("fill", "wrap", "symm"):
                found += [
                    m.convolve2d(a, b, mode, boundary, 1.5),
                    m.correlate2d(a, b, mode, boundary, 1.5),
                ]
        rows = np.stack([X, X + 1]), np.stack([Y, Y])
        return [*found, m.fftconvolve(*rows, mode, axes=1)]

    for i, (got, expected) in enumerate(
        zip(fn.jit(lambda: all_of(signal))(), all_of(ss), strict=True)
    ):
        np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9, err_msg=str(i))


SPECTRA = {
    "stft": lambda m: m.stft(LONG, nperseg=16),
    "stft options": lambda m: m.stft(
        LONG, 2.0, "hamming", 15, 10, 20, boundary="even", padded=False
    ),
    "stft odd": lambda m: m.stft(
        LONG, window="blackman", nperseg=16, boundary="odd", detrend="constant"
    ),
    "stft constant": lambda m: m.stft(LONG[0], nperseg=16, boundary="constant", detrend="linear"),
    "stft none": lambda m: m.stft(LONG.T, nperseg=16, boundary=None, return_onesided=False, axis=0),
    "stft complex": lambda m: m.stft(LONG[0] + 1j * LONG[1], nperseg=16, return_onesided=False),
    "stft points": lambda m: m.stft(LONG, window=np.hanning(12), nperseg=12),
    "welch": lambda m: m.welch(LONG, nperseg=16),
    "welch options": lambda m: m.welch(
        LONG, 3.0, ("tukey", 0.25), 15, 3, 32, "linear", True, "spectrum"
    ),
    "welch median": lambda m: m.welch(LONG, nperseg=10, average="median"),
    "welch whole": lambda m: m.welch(LONG[0], nperseg=60),
    "csd": lambda m: m.csd(LONG[0], LONG[1], nperseg=16),
    "csd median": lambda m: m.csd(LONG[0], LONG[1], nperseg=10, average="median"),
    "csd two sides": lambda m: m.csd(LONG, LONG[::-1, :50], nperseg=16, return_onesided=False),
}


@pytest.mark.parametrize("name", SPECTRA)
def test_spectra(name):
    found, expected = fn.jit(lambda: SPECTRA[name](signal))(), SPECTRA[name](ss)
    for got, wanted in zip(found, expected, strict=True):
        close(got, wanted, 1e-9)


def test_stft_and_back():
    def there_and_back(x):
        z = signal.stft(x, 2.0, nperseg=16)[2]
        one = signal.istft(z, 2.0, nperseg=16)
        z2 = signal.stft(x, nperseg=16, noverlap=12, window="hamming", return_onesided=False)[2]
        two = signal.istft(z2, nperseg=16, noverlap=12, window="hamming", input_onesided=False)
        z3 = signal.stft(x.T, nperseg=8, axis=0)[2]
        three = signal.istft(z3, nperseg=8, time_axis=-1, freq_axis=0)
        return one, two, three

    for time, x in fn.jit(there_and_back)(LONG):
        x = x.T if x.shape[0] > 2 else x
        close(np.real(x)[:, :60], LONG)
        close(time[1] - time[0], 0.5 if time[1] < 1 else 1.0)
    z = ss.stft(LONG[0], nperseg=16)[2]
    for got, expected in zip(signal.istft(z), ss.istft(z), strict=True):
        close(got, expected)


def test_trends():
    cases = [dict(), dict(type="constant"), dict(bp=[20, 45]), dict(axis=0)]
    for options in cases:
        close(fn.jit(lambda o=options: signal.detrend(LONG, **o))(), ss.detrend(LONG, **options))


@pytest.mark.parametrize("n", [1, 2, 7, 12])
def test_windows_are_those_of_scipy(n):
    names = [
        "hann",
        "hamming",
        "blackman",
        "nuttall",
        "blackmanharris",
        "flattop",
        "boxcar",
        "bartlett",
        "triang",
        "cosine",
    ]
    for name in [
        *names,
        ("kaiser", 6.0),
        ("gaussian", 2.0),
        ("tukey", 0.5),
        ("tukey", 0.0),
        ("general_hamming", 0.7),
    ]:
        close(named_window("f", name, n), ss.get_window(name, n), 1e-9)


SMOOTH = [
    Row("convolve", lambda a, b: signal.convolve(a, b, "same"), lambda a, b: ss.convolve(a, b, "same"), (X, Y)),
    Row("correlate2d", signal.correlate2d, ss.correlate2d, (IMAGE, KERNEL)),
    Row("fftconvolve", signal.fftconvolve, ss.fftconvolve, (X, Y)),
    Row("welch", lambda x: signal.welch(x, nperseg=16)[1], lambda x: ss.welch(x, nperseg=16)[1], (LONG,)),
    Row("stft", lambda x: fnp.real(signal.stft(x, nperseg=16)[2]), lambda x: ss.stft(x, nperseg=16)[2].real, (LONG[:1],)),
    Row("detrend", signal.detrend, ss.detrend, (X,)),
]  # fmt: skip


@pytest.mark.parametrize("row", SMOOTH, ids=[r.name for r in SMOOTH])
def test_derivatives(row):
    check(row)


def test_batches_and_warnings():
    window = np.hanning(12)
    close(
        signal.stft(LONG, window=window, nperseg=12)[2], ss.stft(LONG, window=window, nperseg=12)[2]
    )
    traced = fn.jit(lambda w: signal.welch(LONG, window=w)[1])(window)
    close(traced, ss.welch(LONG, window=window, nperseg=12)[1])
    both = fn.vmap(lambda x: signal.convolve(x, Y, "valid"))(LONG)
    close(both[1], np.convolve(LONG[1], Y, "valid"))
    with pytest.warns(UserWarning, match="nperseg=128 is greater than the signal's length 60"):
        signal.welch(LONG, nperseg=128)
    with pytest.warns(UserWarning, match="all frequencies are returned"):
        signal.welch(LONG + 0j, nperseg=16)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        signal.welch(LONG, nperseg=16)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: signal.convolve(X, IMAGE), "the arrays do not fit together"),
        (lambda: signal.convolve(X[:0], Y), "the arrays do not fit together"),
        (lambda: signal.convolve(X, Y, "middle"), "unknown mode"),
        (lambda: signal.convolve(X, Y, method="fast"), "unknown method"),
        (lambda: signal.convolve(IMAGE, numbers(2, 9), "valid"), "one within the other"),
        (lambda: signal.convolve2d(X, Y), "not of two axes"),
        (lambda: signal.convolve2d(IMAGE, KERNEL, boundary="mirror"), "unknown boundary"),
        (lambda: signal.fftconvolve(IMAGE, KERNEL, axes=0), "the sizes differ"),
        (lambda: signal.stft(LONG, window="square", nperseg=8), "there is no such window"),
        (lambda: signal.stft(LONG, window=np.ones(5), nperseg=4), "the window does not fit"),
        (lambda: signal.stft(LONG, nperseg=8, noverlap=8), "noverlap < nperseg <= nfft"),
        (lambda: signal.stft(LONG[:, :6], nperseg=6, window="hann", boundary="around"), "unknown boundary"),
        (lambda: signal.welch(LONG, nperseg=8, scaling="power"), "unknown scaling"),
        (lambda: signal.welch(LONG, nperseg=8, average="mode"), "unknown average"),
        (lambda: signal.istft(X), "no axes of time"),
        (lambda: signal.detrend(X, type="cubic"), "unknown type"),
        (lambda: signal.detrend(X, bp=99), "a breakpoint is outside"),
    ],
)  # fmt: skip
def test_errors(call, words):
    with pytest.raises(fn.FnError, match=words):
        call()
