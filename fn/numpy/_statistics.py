"""How variables vary together."""

from __future__ import annotations

from typing import Any

import numpy

import fn.ops as ops
from fn.core import ArgumentError, is_complex
from fn.numpy._arithmetic import clip, divide, multiply, subtract
from fn.numpy._elementwise import sqrt
from fn.numpy._habits import fused
from fn.numpy._joining import concatenate
from fn.numpy._linear import matmul
from fn.numpy._manipulation import atleast_2d
from fn.numpy._matrices import diagonal
from fn.numpy._promotion import array, cast, literal, promote
from fn.numpy._reductions import sum as reduce_sum


def _variables(name: str, m: Any, rowvar: bool) -> Any:
    x = array(name, m)
    if x.ndim > 2:
        raise ArgumentError(f"{name}: too many axes", expected="one or two", got=str(x.shape))
    x = atleast_2d(x)
    return (
        x
        if rowvar or (x.shape[0] == 1 and array(name, m).ndim < 2)
        else ops.transpose(x, permutation=(1, 0))
    )


@fused
def cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: Any = None,
) -> Any:
    """Covariances of variables.

    Args:
        m: observations, one variable a row.
        y: further variables, in the same form.
        rowvar: False if variables are columns.
        bias: whether to divide by the number of observations instead of one less.
        ddof: what to subtract from that number, instead of what `bias` says.
        fweights: how often each observation was made, integers.
        aweights: how much each observation counts.
        dtype: dtype of the result.

    >>> import fn.numpy as np
    >>> print(np.cov(np.array([[1., 2., 3.], [3., 2., 1.]])))
    [[ 1. -1.]
     [-1.  1.]]
    """
    parts = [_variables("cov", v, rowvar) for v in ([m] if y is None else [m, y])]
    parts = promote("cov", *parts, floating=True)
    x = concatenate(parts, 0) if len(parts) > 1 else parts[0]
    if dtype is not None:
        x = ops.convert(x, dtype=numpy.dtype(dtype))
    if ddof is None:
        ddof = 0 if bias else 1
    weights = None
    for given, name in ((fweights, "fweights"), (aweights, "aweights")):
        if given is not None:
            w = array("cov", given, name)
            if w.shape != x.shape[1:]:
                raise ArgumentError(
                    f"cov: {name} do not fit",
                    expected=f"shape {x.shape[1:]}",
                    got=f"shape {w.shape}",
                )
            weights = w if weights is None else multiply(weights, w)
    real = numpy.empty(0, x.dtype).real.dtype if is_complex(x.dtype) else x.dtype
    if weights is None:
        total, count = None, literal(max(x.shape[1] - ddof, 0), real)
        average = divide(reduce_sum(x, 1, keepdims=True), literal(x.shape[1], real))
    else:
        w = cast(weights, real)
        total = reduce_sum(w)
        average = divide(reduce_sum(multiply(x, w), 1, keepdims=True), total)
        if aweights is None:
            count = subtract(total, ddof)
        else:
            squares = reduce_sum(multiply(w, cast(array("cov", aweights), real)))
            count = subtract(total, multiply(ddof, divide(squares, total)))
    x = subtract(x, average)
    other = ops.conj(x if weights is None else multiply(x, w))
    out = divide(matmul(x, ops.transpose(other, permutation=(1, 0))), count)
    return ops.reshape(out, shape=()) if out.shape == (1, 1) else out


@fused
def corrcoef(x: Any, y: Any = None, rowvar: bool = True, dtype: Any = None) -> Any:
    """Correlations of variables: covariances divided by both standard deviations.

    Args:
        x: observations, one variable a row.
        y: further variables, in the same form.
        rowvar: False if variables are columns.
        dtype: dtype of the result.

    >>> import fn.numpy as np
    >>> print(np.corrcoef(np.array([[1., 2., 3.], [3., 2., 1.]])))
    [[ 1. -1.]
     [-1.  1.]]
    """
    c = cov(x, y, rowvar, dtype=dtype)
    if not c.shape:
        return divide(c, c)
    d = diagonal(c)
    deviations = sqrt(ops.real_part(d) if is_complex(d.dtype) else d)
    n = c.shape[0]
    c = divide(
        divide(c, ops.reshape(deviations, shape=(n, 1))), ops.reshape(deviations, shape=(1, n))
    )
    if is_complex(c.dtype):
        return ops.make_complex(*[clip(p, -1.0, 1.0) for p in (ops.real_part(c), ops.imag_part(c))])
    return clip(c, -1.0, 1.0)
