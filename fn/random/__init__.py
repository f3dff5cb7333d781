"""Keys and samplers: random numbers as pure functions of explicit keys, the same as JAX's.

Knows no global state: a key in, numbers out. The numbers are those that `jax.random` draws with the
same key, whether a sampler is called eagerly, compiled, or on many keys by `fn.vmap`.
"""

from fn.random._choices import categorical as categorical
from fn.random._choices import choice as choice
from fn.random._choices import permutation as permutation
from fn.random._choices import shuffle as shuffle
from fn.random._counts import binomial as binomial
from fn.random._counts import multinomial as multinomial
from fn.random._counts import poisson as poisson
from fn.random._gamma import ball as ball
from fn.random._gamma import beta as beta
from fn.random._gamma import chisquare as chisquare
from fn.random._gamma import dirichlet as dirichlet
from fn.random._gamma import f as f
from fn.random._gamma import gamma as gamma
from fn.random._gamma import generalized_normal as generalized_normal
from fn.random._gamma import loggamma as loggamma
from fn.random._gamma import t as t
from fn.random._inverse import cauchy as cauchy
from fn.random._inverse import exponential as exponential
from fn.random._inverse import geometric as geometric
from fn.random._inverse import gumbel as gumbel
from fn.random._inverse import laplace as laplace
from fn.random._inverse import logistic as logistic
from fn.random._inverse import pareto as pareto
from fn.random._inverse import rayleigh as rayleigh
from fn.random._inverse import triangular as triangular
from fn.random._inverse import weibull_min as weibull_min
from fn.random._keys import Key as Key
from fn.random._keys import PRNGKey as PRNGKey
from fn.random._keys import clone as clone
from fn.random._keys import fold_in as fold_in
from fn.random._keys import key as key
from fn.random._keys import key_data as key_data
from fn.random._keys import key_impl as key_impl
from fn.random._keys import split as split
from fn.random._keys import wrap_key_data as wrap_key_data
from fn.random._normal import double_sided_maxwell as double_sided_maxwell
from fn.random._normal import lognormal as lognormal
from fn.random._normal import maxwell as maxwell
from fn.random._normal import multivariate_normal as multivariate_normal
from fn.random._normal import normal as normal
from fn.random._normal import orthogonal as orthogonal
from fn.random._normal import truncated_normal as truncated_normal
from fn.random._normal import wald as wald
from fn.random._reuse import KeyReuseError as KeyReuseError
from fn.random._reuse import check_reuse as check_reuse
from fn.random._uniform import bernoulli as bernoulli
from fn.random._uniform import bits as bits
from fn.random._uniform import rademacher as rademacher
from fn.random._uniform import randint as randint
from fn.random._uniform import uniform as uniform
