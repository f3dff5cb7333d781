"""Optimizers as pairs of pure functions.

    state = init(params)
    updates, state = update(grads, state, params, value=None)
    params = apply_updates(params, updates)

Knows trees of arrays; does not know layers, data or training.
"""

from fn.optim._adam import adam as adam
from fn.optim._clip import clip_by_global_norm as clip_by_global_norm
from fn.optim._clip import global_norm as global_norm
from fn.optim._contract import Optimizer as Optimizer
from fn.optim._contract import apply_updates as apply_updates
from fn.optim._contract import chain as chain
from fn.optim._sgd import sgd as sgd
