"""The table of rows: every primitive with example inputs and a reference. See `row.py`."""

from __future__ import annotations

from tests.ops import (
    rows_collective,
    rows_control,
    rows_conv,
    rows_cumulative,
    rows_custom,
    rows_dot,
    rows_dynamic,
    rows_effects,
    rows_elementwise,
    rows_fft,
    rows_gather,
    rows_integrals,
    rows_linalg,
    rows_random,
    rows_reduce,
    rows_shape,
    rows_sort,
    rows_special,
    rows_window,
)
from tests.ops.row import Row

ROWS: list[Row] = [
    *rows_elementwise.ROWS,
    *rows_special.ROWS,
    *rows_integrals.ROWS,
    *rows_shape.ROWS,
    *rows_dot.ROWS,
    *rows_linalg.ROWS,
    *rows_fft.ROWS,
    *rows_reduce.ROWS,
    *rows_cumulative.ROWS,
    *rows_sort.ROWS,
    *rows_gather.ROWS,
    *rows_dynamic.ROWS,
    *rows_random.ROWS,
    *rows_conv.ROWS,
    *rows_window.ROWS,
    *rows_collective.ROWS,
    *rows_control.ROWS,
    *rows_custom.ROWS,
    *rows_effects.ROWS,
]
