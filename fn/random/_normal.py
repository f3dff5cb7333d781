"""Normal numbers and what is made of them."""

from __future__ import annotations

import math
from typing import Any

import numpy

import fn.numpy as np
from fn.core import ArgumentError, canonical_dtype, is_complex, type_of
from fn.ops import clamp, div, erf, erf_inv, make_complex, mul, nextafter, stop_gradient
from fn.random._arguments import (
    Sizes,
    choose,
    float_dtype,
    inexact_dtype,
    joint_shape,
    parameter,
    sampler,
)
from fn.random._keys import Shape, as_key, as_shape
from fn.random._uniform import between, rademacher, two_keys, unit_interval


def normals(key: Any, shape: Sizes, dtype: numpy.dtype[Any]) -> Any:
    """Normal numbers of mean 0 and variance 1."""
    # Just above -1, where the inverse error function is still finite.
    low = numpy.nextafter(dtype.type(-1), dtype.type(0), dtype=dtype)
    u = between(key, shape, dtype, low, dtype.type(1))
    return mul(dtype.type(math.sqrt(2)), erf_inv(u))


@sampler("shape", "dtype")
def normal(key: Any, shape: Shape = (), dtype: Any = None) -> Any:
    """Numbers drawn from the normal distribution with mean 0 and variance 1.

    Args:
        key: a key.
        shape: of the result.
        dtype: a floating or complex dtype; complex numbers have independent parts of variance 1/2.

    >>> import fn
    >>> x = fn.random.normal(fn.random.key(0), (1000,))
    >>> round(float(x.std()), 1)
    1.0
    """
    return _normal("normal", key, as_shape("normal", shape), dtype)


def _normal(operation: str, key: Any, sizes: Sizes, dtype: Any) -> Any:
    key, kind = as_key(operation, key), canonical_dtype(float if dtype is None else dtype)
    if not is_complex(kind):
        return normals(key, sizes, float_dtype(operation, kind))
    part = numpy.finfo(kind).dtype
    re, im = (normals(k, sizes, part) for k in two_keys(key))
    return div(make_complex(re, im), kind.type(math.sqrt(2)))


@sampler("shape", "dtype")
def truncated_normal(
    key: Any, lower: Any, upper: Any, shape: Shape | None = None, dtype: Any = None
) -> Any:
    """Normal numbers kept to `(lower, upper)`, by inverting the distribution function.

    Args:
        key: a key.
        lower: lower bound; broadcasts to `shape`.
        upper: upper bound; broadcasts to `shape`.
        shape: of the result; None takes that of the bounds.
        dtype: a floating dtype.

    >>> import fn
    >>> x = fn.random.truncated_normal(fn.random.key(0), -1.0, 1.0, (100,))
    >>> bool((abs(x) <= 1).all())
    True
    """
    kind = float_dtype("truncated_normal", dtype)
    sizes = joint_shape("truncated_normal", shape, lower, upper)
    low = parameter("truncated_normal", "lower", lower, kind, sizes)
    high = parameter("truncated_normal", "upper", upper, kind, sizes)
    root = kind.type(math.sqrt(2))
    key = as_key("truncated_normal", key)
    u = between(key, sizes, kind, erf(div(low, root)), erf(div(high, root)))
    # Rounding must not reach the bounds themselves.
    above = nextafter(stop_gradient(low), kind.type(numpy.inf))
    below = nextafter(stop_gradient(high), kind.type(-numpy.inf))
    return clamp(above, mul(root, erf_inv(u)), below)


@sampler("shape", "dtype")
def lognormal(key: Any, sigma: Any = 1.0, shape: Shape | None = None, dtype: Any = None) -> Any:
    """Numbers whose logarithm is normal with mean 0 and standard deviation `sigma`.

    Args:
        key: a key.
        sigma: standard deviation of the logarithm; broadcasts to `shape`.
        shape: of the result; None takes that of `sigma`.
        dtype: a floating or complex dtype.

    >>> import fn
    >>> bool((fn.random.lognormal(fn.random.key(0), shape=(10,)) > 0).all())
    True
    """
    sizes = joint_shape("lognormal", shape, sigma)
    kind = canonical_dtype(float if dtype is None else dtype)
    sigma = parameter("lognormal", "sigma", sigma, kind, sizes)
    return np.exp(_normal("lognormal", key, sizes, kind) * sigma)


@sampler("shape", "dtype")
def maxwell(key: Any, shape: Shape = (), dtype: Any = None) -> Any:
    """Lengths of vectors of three normal numbers: the Maxwell distribution of scale 1.

    Args:
        key: a key.
        shape: of the result.
        dtype: a floating dtype.

    >>> import fn
    >>> bool((fn.random.maxwell(fn.random.key(0), (10,)) > 0).all())
    True
    """
    return _maxwell("maxwell", key, as_shape("maxwell", shape), float_dtype("maxwell", dtype))


def _maxwell(operation: str, key: Any, sizes: Sizes, kind: numpy.dtype[Any]) -> Any:
    return np.linalg.norm(normals(as_key(operation, key), (*sizes, 3), kind), axis=-1)


@sampler("shape", "dtype")
def double_sided_maxwell(
    key: Any, loc: Any, scale: Any, shape: Shape = (), dtype: Any = None
) -> Any:
    """Numbers of the Maxwell distribution with a random sign, times `scale`, plus `loc`.

    Args:
        key: a key.
        loc: centre.
        scale: of the distances from it.
        shape: leading axes of the result; behind them come those of the parameters together. Left
            out, these stand for it too, as in JAX.
        dtype: a floating dtype.

    >>> import fn
    >>> fn.random.double_sided_maxwell(fn.random.key(0), 0.0, 1.0, (3,)).shape
    (3,)
    """
    kind = float_dtype("double_sided_maxwell", dtype)
    own = joint_shape("double_sided_maxwell", None, loc, scale)
    sizes = (as_shape("double_sided_maxwell", shape) or own) + own
    size_key, sign_key = two_keys(as_key("double_sided_maxwell", key))
    signs = rademacher(sign_key, sizes, kind)
    return signs * _maxwell("double_sided_maxwell", size_key, sizes, kind) * scale + loc


@sampler("shape", "dtype", "method")
def multivariate_normal(
    key: Any,
    mean: Any,
    cov: Any,
    shape: Shape | None = None,
    dtype: Any = None,
    method: str = "cholesky",
) -> Any:
    """Vectors drawn from the normal distribution with this mean and covariance.

    Args:
        key: a key.
        mean: array (…, n).
        cov: positive definite array (…, n, n); semidefinite will do for "svd" and "eigh".
        shape: of the result without its last axis; None takes the leading axes of the parameters.
        dtype: a floating dtype; by default that of the parameters.
        method: how the covariance is factored: "cholesky", "eigh" or "svd".

    Returns:
        Array (*shape, n).

    >>> import fn, fn.numpy as np
    >>> fn.random.multivariate_normal(fn.random.key(0), np.zeros(2), np.eye(2), (5,)).shape
    (5, 2)
    """
    name = "multivariate_normal"
    choose(name, "method", method, "svd", "eigh", "cholesky")
    wide = inexact_dtype(name, mean, cov)
    mean, cov = (np.astype(np.asarray(a), wide) for a in (mean, cov))
    if mean.ndim < 1 or cov.ndim < 2 or cov.shape[-2:] != (mean.shape[-1],) * 2:
        raise ArgumentError(
            "random.multivariate_normal: the parameters do not fit together",
            expected="a mean (..., n) and a covariance (..., n, n)",
            got=f"{type_of(mean)} and {type_of(cov)}",
        )
    kind = float_dtype(name, wide if dtype is None else dtype)
    own = numpy.broadcast_shapes(mean.shape[:-1], cov.shape[:-2])
    sizes = own if shape is None else as_shape(name, shape)
    if method == "svd":
        u, s, _ = np.linalg.svd(cov)
        factor = u * np.sqrt(s[..., None, :])
    elif method == "eigh":
        w, v = np.linalg.eigh(cov)
        factor = v * np.sqrt(w[..., None, :])
    else:
        factor = np.linalg.cholesky(cov)
    drawn = normals(as_key(name, key), (*sizes, mean.shape[-1]), kind)
    mean = parameter(name, "mean", mean, wide, (*sizes, mean.shape[-1]))
    return mean + np.einsum("...ij,...j->...i", factor, drawn)


@sampler("shape", "dtype")
def wald(key: Any, mean: Any, shape: Shape | None = None, dtype: Any = None) -> Any:
    """Numbers drawn from the Wald (inverse Gaussian) distribution of scale 1.

    Args:
        key: a key.
        mean: of the numbers; broadcasts to `shape`.
        shape: of the result; None takes that of `mean`.
        dtype: a floating dtype.

    Drawn as Michael, Schucany and Haas do ("Generating random variates using transformations with
    multiple roots", 1976).

    >>> import fn
    >>> bool((fn.random.wald(fn.random.key(0), 2.0, (10,)) > 0).all())
    True
    """
    kind, sizes = float_dtype("wald", dtype), joint_shape("wald", shape, mean)
    mean = parameter("wald", "mean", mean, kind, sizes)
    first, second = two_keys(as_key("wald", key))
    y, z = np.square(normals(first, sizes, kind)), unit_interval(second, sizes, kind)
    root = np.sqrt(4.0 * mean * y + np.square(mean) * np.square(y))
    x = mean + np.square(mean) * y / 2.0 - mean / 2.0 * root
    return np.where(z <= mean / (mean + x), x, np.square(mean) / x)


@sampler("n", "shape", "dtype", "m")
def orthogonal(key: Any, n: int, shape: Shape = (), dtype: Any = None, m: int | None = None) -> Any:
    """Matrices drawn uniformly from those with orthonormal columns (rows, if it is wide).

    Args:
        key: a key.
        n: rows.
        shape: leading axes of the result.
        dtype: a floating or complex dtype; complex matrices are unitary.
        m: columns; by default `n`.

    Returns:
        Array (*shape, n, m).

    >>> import fn, fn.numpy as np
    >>> q = fn.random.orthogonal(fn.random.key(0), 3)
    >>> bool(np.allclose(q.T @ q, np.eye(3), atol=1e-5))
    True
    """
    m = n if m is None else m
    rows, columns = as_shape("orthogonal", (n, m))
    sizes = (*as_shape("orthogonal", shape), max(rows, columns), min(rows, columns))
    q, r = np.linalg.qr(_normal("orthogonal", key, sizes, dtype))
    x = q * np.expand_dims(np.sign(np.linalg.diagonal(r)), -2)
    return np.matrix_transpose(x) if rows < columns else x
