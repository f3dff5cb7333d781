"""Layers as pairs of pure functions, activations, losses and initial weights.

    params, state = init(key, spec)
    y, state = apply(params, state, x, key=None, train=False)

Knows arrays and keys; does not know optimizers, data or training.
"""

from fn.nn._activations import celu as celu
from fn.nn._activations import elu as elu
from fn.nn._activations import gelu as gelu
from fn.nn._activations import glu as glu
from fn.nn._activations import hard_sigmoid as hard_sigmoid
from fn.nn._activations import hard_silu as hard_silu
from fn.nn._activations import hard_swish as hard_swish
from fn.nn._activations import hard_tanh as hard_tanh
from fn.nn._activations import identity as identity
from fn.nn._activations import leaky_relu as leaky_relu
from fn.nn._activations import log_sigmoid as log_sigmoid
from fn.nn._activations import mish as mish
from fn.nn._activations import relu as relu
from fn.nn._activations import relu6 as relu6
from fn.nn._activations import selu as selu
from fn.nn._activations import sigmoid as sigmoid
from fn.nn._activations import silu as silu
from fn.nn._activations import soft_sign as soft_sign
from fn.nn._activations import softplus as softplus
from fn.nn._activations import sparse_plus as sparse_plus
from fn.nn._activations import sparse_sigmoid as sparse_sigmoid
from fn.nn._activations import squareplus as squareplus
from fn.nn._activations import swish as swish
from fn.nn._activations import tanh as tanh
from fn.nn._attention import dot_product_attention as dot_product_attention
from fn.nn._combine import repeat as repeat
from fn.nn._combine import serial as serial
from fn.nn._contract import Layer as Layer
from fn.nn._contract import as_layer as as_layer
from fn.nn._contract import stateless as stateless
from fn.nn._exponentials import log1mexp as log1mexp
from fn.nn._exponentials import log_softmax as log_softmax
from fn.nn._exponentials import logmeanexp as logmeanexp
from fn.nn._exponentials import logsumexp as logsumexp
from fn.nn._exponentials import softmax as softmax
from fn.nn._exponentials import standardize as standardize
from fn.nn._initializers import glorot_uniform as glorot_uniform
from fn.nn._initializers import he_normal as he_normal
from fn.nn._initializers import lecun_normal as lecun_normal
from fn.nn._initializers import ones as ones
from fn.nn._initializers import variance_scaling as variance_scaling
from fn.nn._initializers import zeros as zeros
from fn.nn._linear import conv as conv
from fn.nn._linear import dense as dense
from fn.nn._linear import embedding as embedding
from fn.nn._losses import cross_entropy as cross_entropy
from fn.nn._losses import one_hot as one_hot
from fn.nn._losses import squared_error as squared_error
from fn.nn._regularize import dropout as dropout
from fn.nn._regularize import layer_norm as layer_norm
from fn.nn._windows import avg_pool as avg_pool
from fn.nn._windows import flatten as flatten
from fn.nn._windows import max_pool as max_pool
