"""Rows for `fn/ops/_conv.py`."""

from __future__ import annotations

from typing import Any

import jax
import ml_dtypes
import numpy as np

from fn.ops import _conv as c
from tests.ops.row import Row, floats, ints

BF16 = ml_dtypes.bfloat16


def row(name: str, x: Any, w: Any, layouts: str, wrt: Any = (0, 1), **options: Any) -> Row:
    """A row that compares with JAX's general convolution; layouts as in `NHWC HWIO NHWC`."""
    n = x.ndim - 2
    given = {
        "strides": (1,) * n, "padding": ((0, 0),) * n, "x_dilation": (1,) * n,
        "w_dilation": (1,) * n, "groups": 1, "batch_groups": 1, **options,
    }  # fmt: skip
    x_text, w_text, out_text = layouts.split()
    spatial = [letter for letter in w_text if letter not in "OI"]

    def places(text: str, first: str) -> tuple[int, ...]:
        return tuple([text.index(letter) for letter in (*first, *spatial)])

    numbers = places(x_text, "NC"), places(w_text, "OI"), places(out_text, "NC")

    def function(x: Any, w: Any) -> Any:
        x_layout, w_layout, out_layout = numbers
        return c.conv(
            x, w, x_layout=x_layout, w_layout=w_layout, out_layout=out_layout, **given
        )  # fmt: skip

    def reference(x: Any, w: Any) -> Any:
        return jax.lax.conv_general_dilated(
            x, w, given["strides"], given["padding"], given["x_dilation"], given["w_dilation"],
            jax.lax.ConvDimensionNumbers(*numbers), given["groups"], given["batch_groups"],
            given.get("precision"), given.get("preferred"),
        )  # fmt: skip

    rtol = 2e-2 if x.dtype == BF16 and "preferred" not in given else 1e-5
    return Row(c.conv_p, name, function, (x, w), reference, wrt, rtol)


def complexes(*shape: int, seed: int) -> Any:
    """Example complex numbers."""
    return (floats(*shape, seed=seed) + 1j * floats(*shape, seed=seed + 50)).astype(np.complex64)


NWC, NHWC, NCHW = "NWC WIO NWC", "NHWC HWIO NHWC", "NCHW OIHW NCHW"
NDHWC = "NDHWC DHWIO NDHWC"

LINE, LINE_KERNEL = floats(2, 6, 2, seed=1), floats(3, 2, 2, seed=2)
IMAGE, IMAGE_KERNEL = floats(1, 4, 4, 2, seed=3), floats(2, 3, 2, 2, seed=4)
FIRST, FIRST_KERNEL = floats(2, 2, 4, 3, seed=5), floats(3, 2, 2, 2, seed=6)

ROWS: list[Row] = [
    row("no spatial axes", floats(2, 3, seed=7), floats(3, 2, seed=8), "NC IO NC"),
    row("1-D", LINE, LINE_KERNEL, NWC),
    row("1-D strided with a remainder", LINE, LINE_KERNEL, NWC, strides=(2,)),
    row("1-D with long strides", LINE, floats(2, 2, 1, seed=9), NWC, strides=(3,)),
    row("1-D padded unequally", LINE, LINE_KERNEL, NWC, padding=((3, 1),)),
    row("1-D with negative padding", LINE, LINE_KERNEL, NWC, padding=((-1, 2),)),
    row("1-D with a dilated operand", LINE, LINE_KERNEL, NWC, x_dilation=(2,), padding=((1, 2),)),
    row("1-D with a dilated kernel", LINE, LINE_KERNEL, NWC, w_dilation=(2,), padding=((1, 0),)),
    row(
        "1-D with everything", LINE, LINE_KERNEL, NWC, strides=(3,), padding=((2, -1),),
        x_dilation=(2,), w_dilation=(2,),
    ),
    row("1-D in groups", floats(2, 4, 4, seed=10), floats(2, 2, 4, seed=11), NWC, groups=2),
    row(
        "1-D in groups, strided", floats(1, 6, 4, seed=12), floats(2, 2, 6, seed=13), NWC, groups=2,
        strides=(2,), padding=((1, 0),),
    ),
    row("1-D depthwise", floats(2, 5, 3, seed=14), floats(3, 1, 3, seed=15), NWC, groups=3),
    row(
        "1-D depthwise with everything", floats(1, 5, 3, seed=16), floats(3, 1, 3, seed=17), NWC,
        groups=3, strides=(2,), padding=((2, -1),), x_dilation=(2,), w_dilation=(2,),
    ),
    row(
        "1-D depthwise with more results", floats(1, 4, 3, seed=18), floats(2, 1, 6, seed=19), NWC,
        groups=3,
    ),
    row(
        "1-D in batch groups", floats(4, 4, 2, seed=20), floats(2, 2, 4, seed=21), NWC,
        batch_groups=2,
    ),
    row(
        "1-D in batch groups, strided", floats(4, 5, 2, seed=22), floats(2, 2, 2, seed=23), NWC,
        batch_groups=2, strides=(2,), padding=((0, 1),), w_dilation=(2,),
    ),
    row(
        "1-D with one example per batch group", floats(2, 4, 2, seed=24), floats(2, 2, 2, seed=25),
        NWC, batch_groups=2,
    ),
    row("1-D with an empty result", floats(1, 2, 2, seed=26), floats(3, 2, 2, seed=27), NWC),
    row("2-D, features last", IMAGE, IMAGE_KERNEL, NHWC, padding=((0, 1), (1, 1))),
    row("2-D, features first", FIRST, FIRST_KERNEL, NCHW, strides=(2, 1), padding=((1, 0), (0, 1))),
    row("2-D, mixed layouts", FIRST, IMAGE_KERNEL[:, :2], "NCHW HWIO WNHC"),
    row("2-D, spatial axes exchanged", IMAGE, FIRST_KERNEL, "NWHC OIHW NHWC", w_dilation=(1, 2)),
    row("2-D by 1x1", IMAGE, floats(1, 1, 2, 3, seed=28), NHWC, strides=(2, 1)),
    row(
        "2-D with everything", IMAGE, IMAGE_KERNEL, NHWC, strides=(2, 3), padding=((2, 0), (-1, 2)),
        x_dilation=(1, 2), w_dilation=(3, 1),
    ),
    row(
        "2-D depthwise, layouts exchanged", floats(1, 2, 3, 4, seed=29), floats(2, 1, 2, 3, seed=30),
        "NCWH OIHW NCWH", groups=2, padding=((1, 0), (0, 1)),
    ),
    row("3-D", floats(1, 2, 3, 2, 2, seed=31), floats(2, 2, 1, 2, 2, seed=32), NDHWC),
    row(
        "3-D, features first", floats(1, 1, 3, 3, 2, seed=33), floats(2, 1, 2, 2, 2, seed=34),
        "NCDHW OIDHW NCDHW", strides=(2, 1, 1), padding=((1, 0), (0, 0), (0, 1)),
    ),
    row("bf16", LINE.astype(BF16), LINE_KERNEL.astype(BF16), NWC),
    row("bf16 into f32", LINE.astype(BF16), LINE_KERNEL.astype(BF16), NWC, preferred=np.dtype("f4")),
    row(
        "bf16 depthwise", floats(1, 5, 3, seed=35, dtype=BF16), floats(3, 1, 3, seed=36, dtype=BF16),
        NWC, groups=3,
    ),
    row("highest precision", LINE, LINE_KERNEL, NWC, precision="highest"),
    row("complex", complexes(1, 4, 2, seed=37), complexes(2, 2, 2, seed=38), NWC, strides=(2,)),
    row(
        "integers", ints(1, 4, 2, seed=39), ints(2, 2, 2, seed=40), NWC, (), padding=((1, 0),)
    ),
    row(
        "bytes into i32", ints(1, 4, 2, seed=41, dtype=np.int8),
        ints(2, 2, 2, seed=42, dtype=np.int8), NWC, (), preferred=np.dtype("i4"),
    ),
]  # fmt: skip
