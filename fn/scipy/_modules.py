"""Modules under the names they have in SciPy, for `from fn.scipy.stats.norm import logpdf` and the like.

Files of this library wear an underscore; here those that are modules to users lose it.
"""

from __future__ import annotations

import sys
from importlib import import_module

NAMES = {
    "fn.scipy": ("fft", "integrate", "interpolate", "ndimage"),
    "fn.scipy.cluster": ("vq",),
    "fn.scipy.sparse": ("linalg",),
    "fn.scipy.spatial": ("transform",),
    "fn.scipy.stats": (
        "bernoulli", "beta", "betabinom", "binom", "cauchy", "chi2", "dirichlet", "expon", "gamma",
        "gennorm", "geom", "gumbel_l", "gumbel_r", "laplace", "logistic", "multinomial",
        "multivariate_normal", "nbinom", "norm", "pareto", "poisson", "t", "truncnorm", "uniform",
        "vonmises", "wrapcauchy",
    ),
}  # fmt: skip

for room, names in NAMES.items():
    for name in names:
        sys.modules[f"{room}.{name}"] = import_module(f"{room}._{name}")
