"""SciPy's names, as far as `jax.scipy` has them: an import change from there is a port.

Functions are made of those of `fn.numpy` and of operations, so they work eagerly, compiled, batched and
differentiated alike. This room knows no layers and no optimizers.
"""

from fn.scipy import _fft as fft
from fn.scipy import _integrate as integrate
from fn.scipy import _interpolate as interpolate
from fn.scipy import _modules as _modules
from fn.scipy import _ndimage as ndimage
from fn.scipy import cluster as cluster
from fn.scipy import linalg as linalg
from fn.scipy import optimize as optimize
from fn.scipy import signal as signal
from fn.scipy import sparse as sparse
from fn.scipy import spatial as spatial
from fn.scipy import special as special
from fn.scipy import stats as stats
