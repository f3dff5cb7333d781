"""Layers that keep training in bounds: `dropout`, `layer_norm`."""

from __future__ import annotations

from typing import Any

import fn.numpy as np
from fn.core import ArgumentError
from fn.nn._contract import Layer, Params, State, need_key, spec_type
from fn.random import bernoulli


def dropout(rate: float) -> Layer:
    """Zeros a random fraction of the elements while training, and scales up the others.

    Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014.

    Args:
        rate: fraction to drop, from 0 up to but not including 1.

    `apply` needs a key when `train` is true.

    >>> import fn, fn.numpy as np
    >>> y, _ = fn.nn.dropout(0.5).apply({}, {}, np.ones(4), key=fn.random.key(1), train=True)
    >>> sorted(set(y.tolist()))
    [0.0, 2.0]
    """
    if not 0 <= rate < 1:
        raise ArgumentError("nn.dropout: wrong rate", expected="0 <= rate < 1", got=repr(rate))

    def init(key: Any, spec: Any) -> tuple[Params, State]:
        return {}, {}

    def apply(
        params: Params, state: State, x: Any, key: Any = None, train: bool = False
    ) -> tuple[Any, State]:
        if not train or rate == 0:
            return x, state
        keep = bernoulli(need_key("dropout", key, "while training"), 1 - rate, x.shape)
        return np.where(keep, np.divide(x, 1 - rate), 0.0), state

    return Layer(init, apply)


def layer_norm(*, epsilon: float = 1e-5) -> Layer:
    """Normalises the last axis to mean 0 and variance 1, then scales and shifts it.

    Ba, Kiros and Hinton, "Layer normalization", 2016.

    Args:
        epsilon: added to the variance.

    >>> import fn, fn.numpy as np
    >>> layer = fn.nn.layer_norm()
    >>> params, state = layer.init(fn.random.key(0), fn.ArrayType((1, 2), "float32"))
    >>> y, _ = layer.apply(params, state, np.array([[1.0, 3.0]]))
    >>> [round(v, 3) for v in y[0].tolist()]
    [-1.0, 1.0]
    """

    def init(key: Any, spec: Any) -> tuple[Params, State]:
        kind = spec_type("layer_norm", spec, least=1)
        size = kind.shape[-1:]
        return {"scale": np.ones(size, kind.dtype), "shift": np.zeros(size, kind.dtype)}, {}

    def apply(
        params: Params, state: State, x: Any, key: Any = None, train: bool = False
    ) -> tuple[Any, State]:
        centred = np.subtract(x, np.mean(x, axis=-1, keepdims=True))
        variance = np.mean(np.square(centred), axis=-1, keepdims=True)
        normal = np.divide(centred, np.sqrt(np.add(variance, epsilon)))
        return np.add(np.multiply(normal, params["scale"]), params["shift"]), state

    return Layer(init, apply)
