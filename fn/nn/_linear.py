"""Layers that are linear in their input: `dense`, `conv`, `embedding`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import fn.numpy as np
from fn import ops
from fn.core import ArgumentError
from fn.nn._contract import Layer, Params, State, fold, spec_type
from fn.nn._initializers import Initializer, lecun_normal, variance_scaling, zeros
from fn.nn._windows import Padding, padding_pairs, per_axis


def dense(
    features: int,
    *,
    bias: bool = True,
    w_init: Initializer = lecun_normal,
    b_init: Initializer = zeros,
) -> Layer:
    """`x @ w + b` over the last axis.

    Args:
        features: size of the last axis of the result.
        bias: whether to add `b`.
        w_init: initial `w`, of shape `(inputs, features)`.
        b_init: initial `b`, of shape `(features,)`.

    >>> import fn
    >>> params, state = fn.nn.dense(3).init(fn.random.key(0), fn.ArrayType((1, 4), "float32"))
    >>> params["w"].shape, params["b"].shape
    ((4, 3), (3,))
    """

    def init(key: Any, spec: Any) -> tuple[Params, State]:
        kind = spec_type("dense", spec, least=1)
        params = {"w": w_init(fold(key, "w"), (kind.shape[-1], features), kind.dtype)}
        if bias:
            params["b"] = b_init(fold(key, "b"), (features,), kind.dtype)
        return params, {}

    def apply(
        params: Params, state: State, x: Any, key: Any = None, train: bool = False
    ) -> tuple[Any, State]:
        y = np.matmul(x, params["w"])
        return (np.add(y, params["b"]) if bias else y), state

    return Layer(init, apply)


def conv(
    features: int,
    window: int | Sequence[int],
    *,
    strides: int | Sequence[int] = 1,
    padding: Padding = "SAME",
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
    bias: bool = True,
    w_init: Initializer = lecun_normal,
    b_init: Initializer = zeros,
) -> Layer:
    """Convolution of `(batch, *space, channels)` with one, two or three axes of space.

    Args:
        features: channels of the result.
        window: size of the window, for all axes of space or for each.
        strides: steps of the window.
        padding: `"SAME"` (the result has the size of the input, divided by the strides), `"VALID"`
            (no padding), or pairs `(low, high)` per axis of space.
        dilation: distance between the elements of the window.
        groups: number of groups that channels are divided into; each sees its own inputs only.
        bias: whether to add `b`.
        w_init: initial `w`, of shape `(*window, channels / groups, features)`.
        b_init: initial `b`, of shape `(features,)`.

    >>> import fn
    >>> layer = fn.nn.conv(6, 5)
    >>> params, state = layer.init(fn.random.key(0), fn.ArrayType((1, 8, 8, 3), "float32"))
    >>> params["w"].shape
    (5, 5, 3, 6)
    """

    def init(key: Any, spec: Any) -> tuple[Params, State]:
        kind = spec_type("conv", spec, least=3)
        channels = kind.shape[-1]
        if channels % groups or features % groups:
            raise ArgumentError(
                "nn.conv: channels do not divide into groups",
                expected=f"channels and features that are multiples of groups={groups}",
                got=f"{channels} channels, {features} features",
            )
        sizes = per_axis("conv", "window", window, kind.ndim - 2)
        params = {"w": w_init(fold(key, "w"), (*sizes, channels // groups, features), kind.dtype)}
        if bias:
            params["b"] = b_init(fold(key, "b"), (features,), kind.dtype)
        return params, {}

    def apply(
        params: Params, state: State, x: Any, key: Any = None, train: bool = False
    ) -> tuple[Any, State]:
        rank = spec_type("conv", x, least=3).ndim - 2
        steps = per_axis("conv", "strides", strides, rank)
        apart = per_axis("conv", "dilation", dilation, rank)
        sizes = per_axis("conv", "window", window, rank)
        reach = [(n - 1) * d + 1 for n, d in zip(sizes, apart, strict=True)]
        space = tuple(range(1, rank + 1))
        y = ops.conv(
            x, params["w"], strides=steps,
            padding=padding_pairs("conv", padding, x.shape[1:-1], reach, steps),
            x_dilation=(1,) * rank, w_dilation=apart, groups=groups,
            x_layout=(0, rank + 1, *space), out_layout=(0, rank + 1, *space),
            w_layout=(rank + 1, rank, *range(rank)),
        )  # fmt: skip
        return (np.add(y, params["b"]) if bias else y), state

    return Layer(init, apply)


def embedding(
    count: int, features: int, *, w_init: Initializer | None = None, dtype: Any = "float32"
) -> Layer:
    """Rows of a table, looked up by integers.

    Args:
        count: number of rows; an index outside is clamped to the table.
        features: size of a row.
        w_init: initial `w`, of shape `(count, features)`; by default normal with variance 1/features.
        dtype: of the table.

    >>> import fn
    >>> params, state = fn.nn.embedding(10, 4).init(fn.random.key(0), fn.ArrayType((2,), "int32"))
    >>> params["w"].shape
    (10, 4)
    """
    start = w_init or variance_scaling(1.0, "fan_out", "normal")

    def init(key: Any, spec: Any) -> tuple[Params, State]:
        return {"w": start(fold(key, "w"), (count, features), dtype)}, {}

    def apply(
        params: Params, state: State, x: Any, key: Any = None, train: bool = False
    ) -> tuple[Any, State]:
        return np.take(params["w"], x, axis=0, mode="clip"), state

    return Layer(init, apply)
