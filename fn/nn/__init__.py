"""Layers as pairs of pure functions, activations, losses and initial weights.

    params, state = init(key, spec)
    y, state = apply(params, state, x, key=None, train=False)

Knows arrays and keys; does not know optimizers, data or training.
"""

from fn.nn._activations import elu as elu
from fn.nn._activations import gelu as gelu
from fn.nn._activations import leaky_relu as leaky_relu
from fn.nn._activations import log_softmax as log_softmax
from fn.nn._activations import relu as relu
from fn.nn._activations import sigmoid as sigmoid
from fn.nn._activations import silu as silu
from fn.nn._activations import softmax as softmax
from fn.nn._activations import softplus as softplus
from fn.nn._activations import tanh as tanh
from fn.nn._combine import serial as serial
from fn.nn._contract import Layer as Layer
from fn.nn._contract import as_layer as as_layer
from fn.nn._contract import stateless as stateless
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
