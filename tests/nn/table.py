"""One row per layer, crossed by the tests in `test_layers.py`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fn import nn


@dataclass(frozen=True)
class Row:
    """A layer, the shape of its input, the shapes of its parameters by path, and of its output."""

    name: str
    make: Callable[[], Any]
    shape: tuple[int, ...]
    params: dict[str, tuple[int, ...]]
    out: tuple[int, ...]
    dtype: Any = np.float32


ROWS = [
    Row("dense", lambda: nn.dense(3), (2, 4), {"b": (3,), "w": (4, 3)}, (2, 3)),
    Row("dense_no_bias", lambda: nn.dense(3, bias=False), (2, 5, 4), {"w": (4, 3)}, (2, 5, 3)),
    Row("conv_1d", lambda: nn.conv(4, 3), (2, 6, 2), {"b": (4,), "w": (3, 2, 4)}, (2, 6, 4)),
    Row(
        "conv_2d_strided", lambda: nn.conv(4, 3, strides=2, padding="VALID"), (2, 7, 6, 2),
        {"b": (4,), "w": (3, 3, 2, 4)}, (2, 3, 2, 4),
    ),
    Row(
        "conv_2d_grouped", lambda: nn.conv(4, (3, 2), groups=2, dilation=2), (2, 5, 5, 4),
        {"b": (4,), "w": (3, 2, 2, 4)}, (2, 5, 5, 4),
    ),
    Row(
        "conv_3d", lambda: nn.conv(2, 2, padding=((0, 1), (1, 0), (0, 0))), (1, 3, 3, 3, 1),
        {"b": (2,), "w": (2, 2, 2, 1, 2)}, (1, 3, 3, 2, 2),
    ),
    Row("embedding", lambda: nn.embedding(7, 3), (2, 4), {"w": (7, 3)}, (2, 4, 3), np.int32),
    Row("max_pool", lambda: nn.max_pool(2), (1, 4, 6, 2), {}, (1, 2, 3, 2)),
    Row("avg_pool_same", lambda: nn.avg_pool(3, strides=2, padding="SAME"), (1, 5, 5, 2), {}, (1, 3, 3, 2)),
    Row("flatten", lambda: nn.flatten(), (2, 3, 4), {}, (2, 12)),
    Row("dropout", lambda: nn.dropout(0.5), (2, 3), {}, (2, 3)),
    Row("layer_norm", lambda: nn.layer_norm(), (2, 3), {"scale": (3,), "shift": (3,)}, (2, 3)),
    Row("function", lambda: nn.as_layer(nn.relu), (2, 3), {}, (2, 3)),
    Row(
        "repeat", lambda: nn.repeat(nn.serial(nn.dense(4), nn.relu), 2), (3, 4),
        {
            "serial1/dense1/b": (4,), "serial1/dense1/w": (4, 4),
            "serial2/dense1/b": (4,), "serial2/dense1/w": (4, 4),
        },
        (3, 4),
    ),
    Row("repeat_scan", lambda: nn.repeat(nn.dense(4), 3, scan=True), (2, 4), {"b": (3, 4), "w": (3, 4, 4)}, (2, 4)),
    Row(
        "serial", lambda: nn.serial(nn.dense(5), nn.relu, nn.dropout(0.1), head=nn.dense(2)), (3, 4),
        {"dense1/b": (5,), "dense1/w": (4, 5), "head/b": (2,), "head/w": (5, 2)}, (3, 2),
    ),
]  # fmt: skip
