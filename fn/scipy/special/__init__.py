"""Special functions: the names of `jax.scipy.special`, elementwise, differentiable and compiled as a whole.

Values are accurate to rounding, or as JAX's. Derivatives are closed formulas, by parameters too, where
one is known; where none is, asking for it raises.
"""

from fn.scipy.special._bessel import bessel_jn as bessel_jn
from fn.scipy.special._bessel import i0 as i0
from fn.scipy.special._bessel import i0e as i0e
from fn.scipy.special._bessel import i1 as i1
from fn.scipy.special._bessel import i1e as i1e
from fn.scipy.special._bessel import sph_harm_y as sph_harm_y
from fn.scipy.special._entropy import boxcox as boxcox
from fn.scipy.special._entropy import boxcox1p as boxcox1p
from fn.scipy.special._entropy import entr as entr
from fn.scipy.special._entropy import expit as expit
from fn.scipy.special._entropy import kl_div as kl_div
from fn.scipy.special._entropy import logit as logit
from fn.scipy.special._entropy import rel_entr as rel_entr
from fn.scipy.special._entropy import xlog1py as xlog1py
from fn.scipy.special._entropy import xlogy as xlogy
from fn.scipy.special._erf import dawsn as dawsn
from fn.scipy.special._erf import erf as erf
from fn.scipy.special._erf import erfc as erfc
from fn.scipy.special._erf import erfcinv as erfcinv
from fn.scipy.special._erf import erfcx as erfcx
from fn.scipy.special._erf import erfinv as erfinv
from fn.scipy.special._erf import fresnel as fresnel
from fn.scipy.special._erf import log_ndtr as log_ndtr
from fn.scipy.special._erf import ndtr as ndtr
from fn.scipy.special._erf import ndtri as ndtri
from fn.scipy.special._erf import owens_t as owens_t
from fn.scipy.special._erf import wofz as wofz
from fn.scipy.special._exponential import bernoulli as bernoulli
from fn.scipy.special._exponential import exp1 as exp1
from fn.scipy.special._exponential import expi as expi
from fn.scipy.special._exponential import expn as expn
from fn.scipy.special._exponential import hyp1f1 as hyp1f1
from fn.scipy.special._exponential import hyp2f1 as hyp2f1
from fn.scipy.special._exponential import sici as sici
from fn.scipy.special._exponential import spence as spence
from fn.scipy.special._exponentials import log_softmax as log_softmax
from fn.scipy.special._exponentials import logsumexp as logsumexp
from fn.scipy.special._exponentials import softmax as softmax
from fn.scipy.special._gamma import beta as beta
from fn.scipy.special._gamma import betainc as betainc
from fn.scipy.special._gamma import betaln as betaln
from fn.scipy.special._gamma import comb as comb
from fn.scipy.special._gamma import digamma as digamma
from fn.scipy.special._gamma import factorial as factorial
from fn.scipy.special._gamma import gamma as gamma
from fn.scipy.special._gamma import gammainc as gammainc
from fn.scipy.special._gamma import gammaincc as gammaincc
from fn.scipy.special._gamma import gammaln as gammaln
from fn.scipy.special._gamma import gammasgn as gammasgn
from fn.scipy.special._gamma import loggamma as loggamma
from fn.scipy.special._gamma import multigammaln as multigammaln
from fn.scipy.special._gamma import poch as poch
from fn.scipy.special._gamma import polygamma as polygamma
from fn.scipy.special._gamma import zeta as zeta
