"""The one contract of layers, and what every layer is made with.

A layer is a pair of pure functions:

    params, state = init(key, spec)
    y, state = apply(params, state, x, key=None, train=False)

`spec` is the type of the input; shapes are inferred from it. `params` and `state` are nested dicts,
empty for layers that have none, and `state` has the same tree from the first call on. Keys are folded
by name, so that inserting a layer changes nobody else's initial weights. A plain function of one array
is a layer without parameters wherever a layer is wanted.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

from fn.core import ArgumentError, ArrayType, type_of
from fn.random import fold_in

Params = dict[str, Any]
State = dict[str, Any]


class Layer(NamedTuple):
    """A pair of pure functions, `init` and `apply`; see `fn.nn`. Unpacks: `init, apply = layer`.

    >>> import fn, fn.numpy as np
    >>> init, apply = fn.nn.dense(3)
    >>> params, state = init(fn.random.key(0), np.ones((2, 4)))
    >>> sorted(params)
    ['b', 'w']
    """

    init: Callable[..., tuple[Params, State]]
    apply: Callable[..., tuple[Any, State]]


def as_layer(layer: Any) -> Layer:
    """`layer`, or the layer without parameters that a plain function is.

    Raises:
        ArgumentError: if it is neither.

    >>> import fn, fn.numpy as np
    >>> init, apply = fn.nn.as_layer(np.tanh)
    >>> init(fn.random.key(0), np.ones(2))
    ({}, {})
    """
    if isinstance(layer, Layer):
        return layer
    if callable(layer):
        return stateless(layer)
    raise ArgumentError(
        "nn: not a layer",
        expected="a Layer(init, apply) or a function of one array",
        got=type(layer).__name__,
        fix="call the factory: nn.dense(10), not nn.dense",
    )


def stateless(function: Callable[[Any], Any]) -> Layer:
    """The layer without parameters that applies `function`.

    >>> import fn, fn.numpy as np
    >>> layer = fn.nn.stateless(lambda x: 2 * x)
    >>> layer.init(fn.random.key(0), np.ones(2))
    ({}, {})
    """

    def init(key: Any, spec: Any) -> tuple[Params, State]:
        return {}, {}

    def apply(
        params: Params, state: State, x: Any, key: Any = None, train: bool = False
    ) -> tuple[Any, State]:
        return function(x), state

    apply.__qualname__ = getattr(function, "__name__", "function")
    return Layer(init, apply)


def layer_name(layer: Layer) -> str:
    """What a layer is called where nobody named it: the name of the function that made it."""
    return layer.apply.__qualname__.split(".")[0]


def fold(key: Any, name: str) -> Any:
    """The key of the part called `name`: a function of the two alone, not of its neighbours."""
    return None if key is None else fold_in(key, zlib.crc32(name.encode()))


def spec_type(layer: str, spec: Any, ndim: int | None = None, least: int = 0) -> ArrayType:
    """`spec` as a type, with the number of axes checked.

    Args:
        layer: name for the message.
        spec: an `ArrayType`, a `jax.ShapeDtypeStruct` or an array.
        ndim: the number of axes it must have, if there is one.
        least: the least number of axes.
    """
    kind = type_of(spec)
    wanted = f"{ndim} axes" if ndim is not None else f"at least {least} axes"
    if kind is None or (kind.ndim != ndim if ndim is not None else kind.ndim < least):
        raise ArgumentError(
            f"nn.{layer}: wrong input type",
            expected=f"an array type with {wanted}",
            got=str(kind or type(spec).__name__),
            fix="pass the type of one batch, such as fn.ArrayType((32, 28, 28, 1), 'float32')",
        )
    return kind


def need_key(layer: str, key: Any, what: str) -> Any:
    """`key`, or an error that says who needs one."""
    if key is None:
        raise ArgumentError(
            f"nn.{layer}: a key is needed {what}", expected="key=", got="None",
            fix="apply(params, state, x, key=fn.random.key(0), train=True)",
        )  # fmt: skip
    return key
