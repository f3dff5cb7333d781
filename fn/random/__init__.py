"""Keys and samplers: random numbers as pure functions of explicit keys, the same as JAX's.

Knows no global state: a key in, numbers out.
"""

from fn.random._keys import bits as bits
from fn.random._keys import fold_in as fold_in
from fn.random._keys import key as key
from fn.random._keys import split as split
from fn.random._samplers import bernoulli as bernoulli
from fn.random._samplers import categorical as categorical
from fn.random._samplers import exponential as exponential
from fn.random._samplers import gumbel as gumbel
from fn.random._samplers import normal as normal
from fn.random._samplers import permutation as permutation
from fn.random._samplers import randint as randint
from fn.random._samplers import truncated_normal as truncated_normal
from fn.random._samplers import uniform as uniform
