"""Discrete Fourier transforms: the `fft` extension of the Array API standard, and all of `jax.numpy.fft`."""

from fn.numpy.fft._frequencies import fftfreq as fftfreq
from fn.numpy.fft._frequencies import fftshift as fftshift
from fn.numpy.fft._frequencies import ifftshift as ifftshift
from fn.numpy.fft._frequencies import rfftfreq as rfftfreq
from fn.numpy.fft._transforms import fft as fft
from fn.numpy.fft._transforms import fft2 as fft2
from fn.numpy.fft._transforms import fftn as fftn
from fn.numpy.fft._transforms import hfft as hfft
from fn.numpy.fft._transforms import ifft as ifft
from fn.numpy.fft._transforms import ifft2 as ifft2
from fn.numpy.fft._transforms import ifftn as ifftn
from fn.numpy.fft._transforms import ihfft as ihfft
from fn.numpy.fft._transforms import irfft as irfft
from fn.numpy.fft._transforms import irfft2 as irfft2
from fn.numpy.fft._transforms import irfftn as irfftn
from fn.numpy.fft._transforms import rfft as rfft
from fn.numpy.fft._transforms import rfft2 as rfft2
from fn.numpy.fft._transforms import rfftn as rfftn
