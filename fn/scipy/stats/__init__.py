"""Densities and distribution functions, a module for each distribution; ranks; densities from samples.

Names and arguments are those of `jax.scipy.stats`. Logarithms of densities are finite inside of the
support, and so are their derivatives by everything; outside of it they are -inf.
"""

from fn.scipy.stats import _bernoulli as bernoulli
from fn.scipy.stats import _beta as beta
from fn.scipy.stats import _betabinom as betabinom
from fn.scipy.stats import _binom as binom
from fn.scipy.stats import _cauchy as cauchy
from fn.scipy.stats import _chi2 as chi2
from fn.scipy.stats import _dirichlet as dirichlet
from fn.scipy.stats import _expon as expon
from fn.scipy.stats import _gamma as gamma
from fn.scipy.stats import _gennorm as gennorm
from fn.scipy.stats import _geom as geom
from fn.scipy.stats import _gumbel_l as gumbel_l
from fn.scipy.stats import _gumbel_r as gumbel_r
from fn.scipy.stats import _laplace as laplace
from fn.scipy.stats import _logistic as logistic
from fn.scipy.stats import _multinomial as multinomial
from fn.scipy.stats import _multivariate_normal as multivariate_normal
from fn.scipy.stats import _nbinom as nbinom
from fn.scipy.stats import _norm as norm
from fn.scipy.stats import _pareto as pareto
from fn.scipy.stats import _poisson as poisson
from fn.scipy.stats import _t as t
from fn.scipy.stats import _truncnorm as truncnorm
from fn.scipy.stats import _uniform as uniform
from fn.scipy.stats import _vonmises as vonmises
from fn.scipy.stats import _wrapcauchy as wrapcauchy
from fn.scipy.stats._kde import gaussian_kde as gaussian_kde
from fn.scipy.stats._ranks import ModeResult as ModeResult
from fn.scipy.stats._ranks import mode as mode
from fn.scipy.stats._ranks import rankdata as rankdata
from fn.scipy.stats._ranks import sem as sem
