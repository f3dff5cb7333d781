"""Signals: convolution, spectra, trends. The names of `jax.scipy.signal`."""

from fn.scipy.signal._convolution import convolve as convolve
from fn.scipy.signal._convolution import convolve2d as convolve2d
from fn.scipy.signal._convolution import correlate as correlate
from fn.scipy.signal._convolution import correlate2d as correlate2d
from fn.scipy.signal._convolution import fftconvolve as fftconvolve
from fn.scipy.signal._spectral import csd as csd
from fn.scipy.signal._spectral import detrend as detrend
from fn.scipy.signal._spectral import istft as istft
from fn.scipy.signal._spectral import stft as stft
from fn.scipy.signal._spectral import welch as welch
