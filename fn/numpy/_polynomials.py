"""Polynomials as arrays of coefficients, the highest power first."""

from __future__ import annotations

import builtins
from typing import Any

import numpy

import fn.ops as ops
from fn.core import ArgumentError, Tracer
from fn.numpy._arithmetic import add, divide, multiply, subtract
from fn.numpy._calculus import convolve
from fn.numpy._cumulative import cumprod
from fn.numpy._elementwise import negative, sqrt, square
from fn.numpy._habits import fused, public
from fn.numpy._indexing import take
from fn.numpy._joining import stack
from fn.numpy._manipulation import atleast_1d
from fn.numpy._matrices import eye
from fn.numpy._promotion import array, cast, literal, promote
from fn.numpy._reductions import sum as reduce_sum
from fn.numpy._rows import as_floating
from fn.numpy._searching import known
from fn.numpy.linalg import eigvals, inv, lstsq


def _coefficients(name: str, p: Any, position: int = 0) -> Any:
    if isinstance(p, (list, tuple)):
        p = stack([array(name, c) for c in p]) if p else numpy.zeros(0)
    p = atleast_1d(array(name, p, position))
    if p.ndim != 1:
        raise ArgumentError(
            f"{name}: not coefficients", expected="an array of one axis", got=f"shape {p.shape}"
        )
    return p


def _front_zeros(p: Any, count: int) -> Any:
    return ops.pad(p, value=0, low=(count,), high=(0,), interior=(0,)) if count else p


# --- values, sums and products ----------------------------------------------------------


@fused
def polyval(p: Any, x: Any, *, unroll: int = 16) -> Any:
    """The value of a polynomial, by Horner's scheme.

    Args:
        p: coefficients along the first axis, the highest power first.
        x: where; any shape.
        unroll: accepted for JAX's sake.

    >>> import fn.numpy as np
    >>> print(np.polyval(np.array([1., 2., 3.]), 2.))
    11.0
    """
    p, x = promote("polyval", array("polyval", p), array("polyval", x, 1))
    x = array("polyval", x)
    if not p.shape or not p.shape[0]:
        return multiply(x, 0)
    out = multiply(x, 0)
    for i in builtins.range(p.shape[0]):
        out = add(multiply(out, x), take(p, i, 0))
    return out


@public
def polyadd(a1: Any, a2: Any) -> Any:
    """The sum of two polynomials.

    >>> import fn.numpy as np
    >>> print(np.polyadd(np.array([1, 2]), np.array([3])))
    [1 5]
    """
    return _summed("polyadd", a1, a2, add)


@public
def polysub(a1: Any, a2: Any) -> Any:
    """The difference of two polynomials.

    >>> import fn.numpy as np
    >>> print(np.polysub(np.array([1, 2]), np.array([3])))
    [ 1 -1]
    """
    return _summed("polysub", a1, a2, subtract)


def _summed(name: str, a: Any, b: Any, op: Any) -> Any:
    x, y = promote(name, _coefficients(name, a), _coefficients(name, b, 1))
    n = builtins.max(x.size, y.size)
    return op(_front_zeros(x, n - x.size), _front_zeros(y, n - y.size))


@public
def polymul(a1: Any, a2: Any, *, trim_leading_zeros: bool = False) -> Any:
    """The product of two polynomials.

    Args:
        a1, a2: coefficients.
        trim_leading_zeros: drop zeros in front, which must be known.

    >>> import fn.numpy as np
    >>> print(np.polymul(np.array([1., 1.]), np.array([1., -1.])))
    [ 1.  0. -1.]
    """
    x, y = promote(
        "polymul", _coefficients("polymul", a1), _coefficients("polymul", a2, 1), floating=True
    )
    if trim_leading_zeros:
        x, y = _trimmed("polymul", x), _trimmed("polymul", y)
    return convolve(x, y)


def _trimmed(name: str, p: Any) -> Any:
    values = known(name, p, "trim the zeros in front beforehand")
    first = int(numpy.flatnonzero(values)[0]) if values.any() else p.size - 1
    return ops.slice_axis(p, first, p.size, 0)


@public
def polydiv(u: Any, v: Any, *, trim_leading_zeros: bool = False) -> tuple[Any, Any]:
    """The quotient and the rest of two polynomials.

    Args:
        u: coefficients of the dividend.
        v: coefficients of the divisor, the first not 0.
        trim_leading_zeros: drop zeros in front of the rest, which must be known.

    >>> import fn.numpy as np
    >>> print(*np.polydiv(np.array([1., 0., -1.]), np.array([1., 1.])))
    [ 1. -1.] [0. 0. 0.]
    """
    rest, v = promote(
        "polydiv", _coefficients("polydiv", u), _coefficients("polydiv", v, 1), floating=True
    )
    m, n = rest.size - 1, v.size - 1
    lead = take(v, 0)
    quotient = []
    for k in builtins.range(builtins.max(m - n + 1, 1)):
        if m < n:
            break
        factor = divide(take(rest, k), lead)
        quotient.append(ops.reshape(array("polydiv", factor), shape=(1,)))
        row = ops.pad(multiply(v, factor), value=0, low=(k,), high=(m - n - k,), interior=(0,))
        rest = subtract(rest, row)
    zero = ops.full(literal(0, rest.dtype), (1,))
    found = ops.concatenate(*quotient, axis=0) if quotient else zero
    return found, _trimmed("polydiv", rest) if trim_leading_zeros else rest


# --- derivatives and integrals ----------------------------------------------------------


@public
def polyder(p: Any, m: int = 1) -> Any:
    """The derivative of a polynomial, `m` times over.

    >>> import fn.numpy as np
    >>> print(np.polyder(np.array([1., 2., 3.])))
    [2. 2.]
    """
    if m < 0:
        raise ArgumentError("polyder: m is negative", expected="an integer >= 0", got=str(m))
    p = as_floating("polyder", _coefficients("polyder", p))
    for _ in builtins.range(m):
        n = p.size
        powers = numpy.arange(n - 1, 0, -1).astype(p.dtype)
        p = ops.mul(ops.slice_axis(p, 0, builtins.max(n - 1, 0), 0), powers) if n > 1 else p[:0]
    return p


@public
def polyint(p: Any, m: int = 1, k: Any = None) -> Any:
    """The integral of a polynomial, `m` times over.

    Args:
        p: coefficients.
        m: how many times.
        k: constants of integration: one, or one for each time; zeros by default.

    >>> import fn.numpy as np
    >>> print(np.polyint(np.array([2., 2.])))
    [1. 2. 0.]
    """
    if m < 0:
        raise ArgumentError("polyint: m is negative", expected="an integer >= 0", got=str(m))
    p = as_floating("polyint", _coefficients("polyint", p))
    constants = _coefficients("polyint", 0.0 if k is None else k, 2)
    if constants.size not in (1, m):
        raise ArgumentError(
            "polyint: constants do not fit", expected=f"1 or {m}", got=str(constants.size)
        )
    for i in builtins.range(m):
        powers = numpy.arange(p.size, 0, -1).astype(p.dtype)
        last = take(constants, i if constants.size > 1 else 0)
        last = cast(last, p.dtype)
        p = ops.concatenate(
            ops.div(p, powers), ops.reshape(array("polyint", last), shape=(1,)), axis=0
        )
    return p


# --- roots ------------------------------------------------------------------------------


@public
def poly(seq_of_zeros: Any) -> Any:
    """The coefficients of the polynomial with these roots, or of a matrix' characteristic one.

    >>> import fn.numpy as np
    >>> print(np.poly(np.array([1., -1.])))
    [ 1.  0. -1.]
    """
    roots_ = atleast_1d(as_floating("poly", array("poly", seq_of_zeros)))
    if roots_.ndim == 2 and roots_.shape[0] == roots_.shape[1] and roots_.size:
        roots_ = eigvals(roots_)
    if roots_.ndim != 1:
        raise ArgumentError(
            "poly: neither roots nor a square matrix", expected="one axis, or a square matrix",
            got=f"shape {roots_.shape}",
        )  # fmt: skip
    one = ops.full(literal(1, roots_.dtype), (1,))
    out = one
    for i in builtins.range(roots_.size):
        root = ops.slice_axis(roots_, i, i + 1, 0)
        out = convolve(out, ops.concatenate(one, negative(root), axis=0))
    return out


@public
def roots(p: Any, *, strip_zeros: bool = True) -> Any:
    """The roots of a polynomial, complex, as the eigenvalues of its companion matrix.

    Args:
        p: coefficients.
        strip_zeros: drop zeros in front and behind, which must be known. False is for use inside a
            trace: then the first coefficient must not be 0.

    >>> import fn.numpy as np
    >>> print(np.sort(np.real(np.roots(np.array([1., 0., -1.])))))
    [-1.  1.]
    """
    p = as_floating("roots", _coefficients("roots", p))
    behind = 0
    if strip_zeros:
        values = known("roots", p, "if the first coefficient is not 0: roots(p, strip_zeros=False)")
        places = numpy.flatnonzero(values)
        if not len(places):
            return ops.full(_complex_zero(p), (0,))
        behind = p.size - 1 - int(places[-1])
        p = ops.slice_axis(p, int(places[0]), int(places[-1]) + 1, 0)
    n = p.size - 1
    zeros = ops.full(_complex_zero(p), (behind,))
    if n < 1:
        return zeros
    top = negative(divide(ops.slice_axis(p, 1, n + 1, 0), ops.slice_axis(p, 0, 1, 0)))
    companion = ops.concatenate(ops.expand(top, (0,)), eye(n - 1, n, dtype=p.dtype), axis=0)
    found = eigvals(companion)
    return ops.concatenate(found, zeros, axis=0) if behind else found


def _complex_zero(p: Any) -> Any:
    kind = numpy.dtype(
        numpy.complex128 if p.dtype.itemsize >= 8 and p.dtype.kind == "f" else numpy.complex64
    )
    return literal(0, p.dtype if p.dtype.kind == "c" else kind)


# --- fits -------------------------------------------------------------------------------


@fused
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """The matrix whose columns are the powers of `x`.

    Args:
        x: array of one axis.
        N: how many columns; as many as rows by default.
        increasing: whether the power 0 comes first.

    >>> import fn.numpy as np
    >>> print(np.vander(np.array([2, 3]), 3))
    [[4 2 1]
     [9 3 1]]
    """
    x = array("vander", x)
    if x.ndim != 1 or (N is not None and N < 0):
        raise ArgumentError(
            "vander: the arguments do not fit", expected="an array of one axis, and N >= 0",
            got=f"shape {x.shape}, N={N}",
        )  # fmt: skip
    n = x.size if N is None else N
    if not n:
        return ops.full(literal(0, x.dtype), (x.size, 0))
    ones = ops.full(literal(1, x.dtype), (x.size, 1))
    repeated = ops.broadcast(x, shape=(x.size, n - 1), axes=(0,))
    out = cumprod(ops.concatenate(ones, repeated, axis=1), 1)
    return out if increasing else ops.reverse(out, axes=(1,))


@fused
def polyfit(
    x: Any, y: Any, deg: int, rcond: Any = None, full: bool = False, w: Any = None, cov: Any = False
) -> Any:
    """The polynomial of a degree that comes closest to samples, in the mean of squares.

    Args:
        x: coordinates of the samples, of one axis.
        y: samples; a second axis holds several to fit at once.
        deg: the degree.
        rcond: what singular values, relative to the greatest, count as 0.
        full: also give residuals, rank, singular values and `rcond`.
        w: weights of the samples, to be squared with the distances.
        cov: also give the covariance of the coefficients; "unscaled" if the weights are standard
            deviations of `y`.

    Returns:
        The coefficients, or a tuple with what else was asked for.

    >>> import fn.numpy as np
    >>> print(np.round(np.polyfit(np.array([0., 1., 2.]), np.array([1., 3., 5.]), 1), 3) + 0.)
    [2. 1.]
    """
    if not isinstance(deg, int) or deg < 0:
        raise ArgumentError("polyfit: not a degree", expected="an integer >= 0", got=repr(deg))
    x, y = promote("polyfit", array("polyfit", x), array("polyfit", y, 1), floating=True)
    if x.ndim != 1 or not x.size or y.ndim not in (1, 2) or y.shape[0] != x.size:
        raise ArgumentError(
            "polyfit: the samples do not fit", expected="x of one axis, and as many samples y",
            got=f"shapes {x.shape} and {y.shape}",
        )  # fmt: skip
    order = deg + 1
    if rcond is None:
        rcond = x.size * float(numpy.finfo(x.dtype).eps)
    left, right = vander(x, order), y
    if w is not None:
        weights = cast(array("polyfit", w, "w"), x.dtype)
        if weights.shape != x.shape:
            raise ArgumentError(
                "polyfit: w does not fit", expected=f"shape {x.shape}", got=str(weights.shape)
            )
        left = multiply(left, ops.expand(weights, (1,)))
        right = multiply(right, ops.expand(weights, (1,)) if y.ndim == 2 else weights)
    scale = sqrt(reduce_sum(square(left), 0))
    left = divide(left, scale)
    c, residuals, rank, singular = lstsq(left, right, rcond)
    c = divide(c, ops.expand(scale, (1,)) if c.ndim == 2 else scale)
    if full:
        return c, residuals, rank, singular, rcond
    if isinstance(cov, Tracer) or not cov:
        return c
    from_left = ops.dot_general(
        left, left, contract=((0,), (0,)), batch=((), ()), preferred=None, precision=None
    )
    base = inv(from_left)
    base = divide(base, multiply(ops.expand(scale, (1,)), ops.expand(scale, (0,))))
    if cov == "unscaled":
        factor = literal(1, x.dtype)
    else:
        if x.size <= order:
            raise ArgumentError(
                "polyfit: too few samples for a covariance",
                expected=f"more than {order}",
                got=str(x.size),
            )
        factor = divide(residuals, x.size - order)
    if y.ndim == 1:
        return c, multiply(
            base,
            ops.reshape(factor, shape=())
            if hasattr(factor, "size") and factor.size == 1
            else factor,
        )
    return c, multiply(ops.expand(base, (2,)), factor)
