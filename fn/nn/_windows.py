"""Windows sliding over an image: padding, and the pooling layers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import fn.numpy as np
from fn import ops
from fn.core import ArgumentError
from fn.nn._contract import Layer, Params, State, spec_type

Padding: TypeAlias = str | Sequence[tuple[int, int]]


def per_axis(layer: str, name: str, value: int | Sequence[int], rank: int) -> tuple[int, ...]:
    """A setting for each axis of space, from one for all or one for each."""
    result = (value,) * rank if isinstance(value, int) else tuple(value)
    if len(result) != rank or not all(isinstance(n, int) and n > 0 for n in result):
        raise ArgumentError(
            f"nn.{layer}: wrong {name}",
            expected=f"a positive integer, or {rank} of them for an input with {rank} axes of space",
            got=repr(value),
        )
    return result


def padding_pairs(
    layer: str,
    padding: Padding,
    space: Sequence[int],
    window: Sequence[int],
    strides: Sequence[int],
) -> tuple[tuple[int, int], ...]:
    """Padding before and after each axis of space. `SAME` puts the odd one at the end."""
    if padding == "VALID":
        return ((0, 0),) * len(space)
    if padding == "SAME":
        pairs = []
        for size, reach, step in zip(space, window, strides, strict=True):
            total = max((math.ceil(size / step) - 1) * step + reach - size, 0)
            pairs.append((total // 2, total - total // 2))
        return tuple(pairs)
    if (
        isinstance(padding, str)
        or len(padding) != len(space)
        or not all(len(p) == 2 for p in padding)
    ):
        raise ArgumentError(
            f"nn.{layer}: wrong padding",
            expected=f"'SAME', 'VALID', or {len(space)} pairs (low, high)",
            got=repr(padding),
        )
    return tuple([(int(low), int(high)) for low, high in padding])


def max_pool(
    window: int | Sequence[int],
    *,
    strides: int | Sequence[int] | None = None,
    padding: Padding = "VALID",
) -> Layer:
    """The largest element of each window over `(batch, *space, channels)`.

    Args:
        window: size of the window, for all axes of space or for each.
        strides: steps of the window; by default its size, so that windows do not overlap.
        padding: `"VALID"`, `"SAME"`, or pairs per axis of space; what is padded never wins.

    >>> import fn, fn.numpy as np
    >>> y, _ = fn.nn.max_pool(2).apply({}, {}, np.arange(4.0).reshape(1, 2, 2, 1))
    >>> float(y[0, 0, 0, 0])
    3.0
    """

    def init(key: Any, spec: Any) -> tuple[Params, State]:
        spec_type("max_pool", spec, least=3)
        return {}, {}

    def apply(
        params: Params, state: State, x: Any, key: Any = None, train: bool = False
    ) -> tuple[Any, State]:
        return _slide("max_pool", ops.reduce_window_max, x, window, strides, padding), state

    return Layer(init, apply)


def avg_pool(
    window: int | Sequence[int],
    *,
    strides: int | Sequence[int] | None = None,
    padding: Padding = "VALID",
) -> Layer:
    """The mean of each window over `(batch, *space, channels)`; padded elements do not count.

    Arguments are those of `max_pool`.

    >>> import fn, fn.numpy as np
    >>> y, _ = fn.nn.avg_pool(2).apply({}, {}, np.arange(4.0).reshape(1, 2, 2, 1))
    >>> float(y[0, 0, 0, 0])
    1.5
    """

    def init(key: Any, spec: Any) -> tuple[Params, State]:
        spec_type("avg_pool", spec, least=3)
        return {}, {}

    def apply(
        params: Params, state: State, x: Any, key: Any = None, train: bool = False
    ) -> tuple[Any, State]:
        total = _slide("avg_pool", ops.reduce_window_sum, x, window, strides, padding)
        rank = x.ndim - 2
        if padding == "VALID":
            count: Any = float(math.prod(per_axis("avg_pool", "window", window, rank)))
        else:
            there = np.ones((1, *x.shape[1:-1], 1), x.dtype)
            count = _slide("avg_pool", ops.reduce_window_sum, there, window, strides, padding)
        return np.divide(total, count), state

    return Layer(init, apply)


def _slide(
    layer: str, reduce: Callable[..., Any], x: Any, window: int | Sequence[int],
    strides: int | Sequence[int] | None, padding: Padding,
) -> Any:  # fmt: skip
    rank = spec_type(layer, x, least=3).ndim - 2
    sizes = per_axis(layer, "window", window, rank)
    steps = per_axis(layer, "strides", window if strides is None else strides, rank)
    pairs = padding_pairs(layer, padding, x.shape[1:-1], sizes, steps)
    ones = (1,) * (rank + 2)
    return reduce(
        x, window=(1, *sizes, 1), strides=(1, *steps, 1), padding=((0, 0), *pairs, (0, 0)),
        x_dilation=ones, w_dilation=ones,
    )  # fmt: skip


def flatten() -> Layer:
    """All axes but the first made one.

    >>> import fn, fn.numpy as np
    >>> y, _ = fn.nn.flatten().apply({}, {}, np.zeros((2, 3, 4)))
    >>> y.shape
    (2, 12)
    """

    def init(key: Any, spec: Any) -> tuple[Params, State]:
        spec_type("flatten", spec, least=1)
        return {}, {}

    def apply(
        params: Params, state: State, x: Any, key: Any = None, train: bool = False
    ) -> tuple[Any, State]:
        return np.reshape(x, (x.shape[0], math.prod(x.shape[1:]))), state

    return Layer(init, apply)
