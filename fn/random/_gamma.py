"""The gamma distribution and what is made of it. Draws have derivatives by the parameters.

The derivatives are implicit: those of a draw at a fixed value of the distribution function.
"""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy

import fn.numpy as np
from fn.core import ArgumentError, canonical_dtype, type_of
from fn.ops import convert, exp, random_gamma
from fn.random._arguments import Sizes, choose, float_dtype, joint_shape, parameter, sampler
from fn.random._inverse import exponentials
from fn.random._keys import Shape, as_key, as_shape
from fn.random._normal import normals
from fn.random._uniform import rademacher, two_keys


@sampler("shape", "dtype", "method")
def gamma(
    key: Any, a: Any, shape: Shape | None = None, dtype: Any = None, *, method: str = "exact"
) -> Any:
    """Numbers drawn from the gamma distribution of shape `a` and scale 1.

    Args:
        key: a key.
        a: the distribution's shape parameter, positive; broadcasts to `shape`.
        shape: of the result; None takes that of `a`.
        dtype: a floating dtype.
        method: "exact", by rejection; or "approximate", a polynomial in one normal number and four
            uniform ones, faster on accelerators.

    Derivatives by `a` are those along the distribution function (Figurnov, Mohamed and Mnih, 2018).
    For small `a` draws underflow: `loggamma` does not.

    >>> import fn
    >>> x = fn.random.gamma(fn.random.key(0), 3.0, (1000,))
    >>> round(float(x.mean()), 1)
    3.0
    """
    kind, sizes = float_dtype("gamma", dtype), joint_shape("gamma", shape, a)
    return gammas("gamma", key, "a", a, sizes, kind, method, log_space=False)


@sampler("shape", "dtype", "method")
def loggamma(
    key: Any, a: Any, shape: Shape | None = None, dtype: Any = None, *, method: str = "exact"
) -> Any:
    """Logarithms of numbers drawn from the gamma distribution of shape `a` and scale 1.

    The arguments are those of `gamma`. Small `a` do no harm to the result or to its derivative.

    >>> import fn
    >>> bool(fn.random.loggamma(fn.random.key(0), 1e-3) < 0)
    True
    """
    kind, sizes = float_dtype("loggamma", dtype), joint_shape("loggamma", shape, a)
    return gammas("loggamma", key, "a", a, sizes, kind, method, log_space=True)


def gammas(
    operation: str, key: Any, name: str, a: Any, sizes: Sizes, kind: numpy.dtype[Any], method: str,
    *, log_space: bool,
) -> Any:  # fmt: skip
    """Draws from the gamma distribution, or their logarithms."""
    key = as_key(operation, key)
    if choose(operation, "method", method, "exact", "approximate") == "exact":
        a = parameter(operation, name, a, kind, sizes, whole=True)
        return random_gamma(key, a, log_space=log_space)
    wide = kind if kind.itemsize >= 4 else numpy.dtype(numpy.float32)
    found = _approximate_logs(key, parameter(operation, name, a, wide, sizes, whole=True), wide)
    return convert(found if log_space else exp(found), dtype=kind)


# Quantiles of the chi-squared distribution as a polynomial in x / sqrt(degrees) (rows) with coefficients
# polynomial in 1 / degrees: R. B. Goldstein, "Chi-square quantiles", Algorithm 451, 1973.
_QUANTILES = (
    (1.0, -0.2237368, -0.01513904), (0.4713941, 0.02607083, -0.008986007),
    (0.0001348028, 0.01128186, 0.02277679), (-0.008553069, -0.01153761, -0.01323293),
    (0.00312558, 0.005169654, -0.006950356), (-0.0008426812, 0.00253001, 0.001060438),
    (9.780499e-05, -0.001450117, 0.001565326),
)  # fmt: skip
# Accurate for large shapes: four is added to the shape, and taken away by powers of uniform numbers.
_ADDED = 4


def _approximate_logs(key: Any, a: Any, kind: numpy.dtype[Any]) -> Any:
    first, second = two_keys(key)
    large = a + float(_ADDED)
    u, t = 0.5 / large, normals(first, a.shape, kind) / np.sqrt(2.0 * large)
    total = _polynomial(t, [_polynomial(u, row) for row in _QUANTILES])
    total = np.maximum(total, kind.type(ml_dtypes.finfo(kind).tiny))
    drawn = -exponentials("gamma", second, (_ADDED, *a.shape), kind)
    steps = np.arange(_ADDED, dtype=kind).reshape((_ADDED,) + (1,) * a.ndim)
    return np.log(large) + 3.0 * np.log(total) + np.sum(drawn / (a[None] + steps), axis=0)


def _polynomial(x: Any, coefficients: Any) -> Any:
    """By Horner's rule; coefficients from the constant one up."""
    result = coefficients[-1]
    for c in coefficients[-2::-1]:
        result = c + x * result
    return result


@sampler("shape", "dtype", "method")
def beta(
    key: Any, a: Any, b: Any, shape: Shape | None = None, dtype: Any = None, *, method: str = "exact"
) -> Any:  # fmt: skip
    """Numbers of `(0, 1)` drawn from the beta distribution.

    Args:
        key: a key.
        a, b: shape parameters, positive; broadcast to `shape`.
        shape: of the result; None takes that of the parameters.
        dtype: a floating dtype.
        method: as in `gamma`.

    >>> import fn
    >>> x = fn.random.beta(fn.random.key(0), 2.0, 2.0, (1000,))
    >>> round(float(x.mean()), 1)
    0.5
    """
    kind, sizes = float_dtype("beta", dtype), joint_shape("beta", shape, a, b)
    first, second = two_keys(as_key("beta", key))
    x = gammas("beta", first, "a", a, sizes, kind, method, log_space=True)
    y = gammas("beta", second, "b", b, sizes, kind, method, log_space=True)
    top = np.maximum(x, y)
    x, y = np.exp(x - top), np.exp(y - top)
    return x / (x + y)


@sampler("shape", "dtype")
def dirichlet(key: Any, alpha: Any, shape: Shape | None = None, dtype: Any = None) -> Any:
    """Vectors of positive numbers that sum to 1, drawn from the Dirichlet distribution.

    Args:
        key: a key.
        alpha: concentrations, an array (…, n).
        shape: of the result without its last axis; None takes that of `alpha`.
        dtype: a floating dtype.

    Returns:
        Array (*shape, n).

    >>> import fn, fn.numpy as np
    >>> x = fn.random.dirichlet(fn.random.key(0), np.ones(3), (5,))
    >>> bool(np.allclose(x.sum(-1), 1))
    True
    """
    kind, found = float_dtype("dirichlet", dtype), type_of(alpha)
    if found is None or found.ndim < 1:
        raise ArgumentError(
            "random.dirichlet: alpha has no axis of concentrations", expected="an array (..., n)",
            got=str(found or type(alpha).__name__),
        )  # fmt: skip
    batch = found.shape[:-1] if shape is None else as_shape("dirichlet", shape)
    sizes = (*batch, found.shape[-1])
    x = gammas("dirichlet", key, "alpha", alpha, sizes, kind, "exact", log_space=True)
    powers = np.exp(x - np.max(x, axis=-1, keepdims=True, initial=-numpy.inf))
    return powers / np.sum(powers, axis=-1, keepdims=True)


@sampler("shape", "dtype", "method")
def chisquare(
    key: Any, df: Any, shape: Shape | None = None, dtype: Any = None, *, method: str = "exact"
) -> Any:
    """Numbers drawn from the chi-squared distribution.

    Args:
        key: a key.
        df: degrees of freedom, positive; broadcasts to `shape`.
        shape: of the result; None takes that of `df`.
        dtype: a floating dtype.
        method: as in `gamma`.

    >>> import fn
    >>> bool((fn.random.chisquare(fn.random.key(0), 2.0, (10,)) >= 0).all())
    True
    """
    kind, sizes = float_dtype("chisquare", dtype), joint_shape("chisquare", shape, df)
    return _chisquares("chisquare", key, "df", df, sizes, kind, method)


def _chisquares(
    operation: str, key: Any, name: str, df: Any, sizes: Sizes, kind: numpy.dtype[Any], method: str
) -> Any:
    half = parameter(operation, name, df, kind, sizes) / kind.type(2)
    return np.exp(gammas(operation, key, name, half, sizes, kind, method, log_space=True)) * 2.0


@sampler("shape", "dtype")
def f(key: Any, dfnum: Any, dfden: Any, shape: Shape | None = None, dtype: Any = None) -> Any:
    """Numbers drawn from the F distribution.

    Args:
        key: a key.
        dfnum, dfden: degrees of freedom of numerator and denominator; broadcast to `shape`.
        shape: of the result; None takes that of the parameters.
        dtype: a floating dtype.

    >>> import fn
    >>> bool((fn.random.f(fn.random.key(0), 2.0, 3.0, (10,)) >= 0).all())
    True
    """
    kind, sizes = float_dtype("f", dtype), joint_shape("f", shape, dfnum, dfden)
    under, over = two_keys(as_key("f", key))
    above = _chisquares("f", over, "dfnum", dfnum, sizes, kind, "exact")
    below = _chisquares("f", under, "dfden", dfden, sizes, kind, "exact")
    dfnum, dfden = (
        parameter("f", n, v, kind, sizes) for n, v in (("dfnum", dfnum), ("dfden", dfden))
    )
    return (above / dfnum) / (below / dfden)


@sampler("shape", "dtype")
def t(key: Any, df: Any, shape: Shape | None = None, dtype: Any = None) -> Any:
    """Numbers drawn from Student's t distribution.

    Args:
        key: a key.
        df: degrees of freedom, positive; broadcasts to `shape`.
        shape: of the result; None takes that of `df`.
        dtype: a floating dtype.

    >>> import fn
    >>> fn.random.t(fn.random.key(0), 3.0, (2,)).shape
    (2,)
    """
    kind, sizes = float_dtype("t", dtype), joint_shape("t", shape, df)
    first, second = two_keys(as_key("t", key))
    half = parameter("t", "df", df, kind, sizes) / kind.type(2)
    g = gammas("t", second, "df", half, sizes, kind, "exact", log_space=False)
    return normals(first, sizes, kind) * np.sqrt(half / g)


@sampler("shape", "dtype")
def generalized_normal(key: Any, p: Any, shape: Shape = (), dtype: Any = None) -> Any:
    """Numbers with a density proportional to `exp(-|x| ** p)`.

    Args:
        key: a key.
        p: the exponent, a scalar.
        shape: of the result.
        dtype: a floating dtype.

    >>> import fn
    >>> fn.random.generalized_normal(fn.random.key(0), 4.0, (2,)).shape
    (2,)
    """
    kind = float_dtype("generalized_normal", dtype)
    return _generalized(key, p, as_shape("generalized_normal", shape), kind, "generalized_normal")


def _generalized(key: Any, p: Any, sizes: Sizes, kind: numpy.dtype[Any], operation: str) -> Any:
    first, second = two_keys(as_key(operation, key))
    inverse = 1.0 / parameter(operation, "p", p, canonical_dtype(float), sizes)
    g = gammas(operation, first, "p", inverse, sizes, kind, "exact", log_space=False)
    return rademacher(second, sizes, kind) * np.power(g, np.astype(np.asarray(inverse), kind))


@sampler("d", "shape", "dtype")
def ball(key: Any, d: int, p: Any = 2, shape: Shape = (), dtype: Any = None) -> Any:
    """Points drawn uniformly from the unit ball of the p-norm.

    Args:
        key: a key.
        d: dimension of the ball.
        p: the norm, a scalar.
        shape: leading axes of the result.
        dtype: a floating dtype.

    Returns:
        Array (*shape, d).

    Drawn as Barthe, Guédon, Mendelson and Naor do ("A probabilistic approach to the geometry of the
    l_p^n-ball", 2005).

    >>> import fn, fn.numpy as np
    >>> bool(np.linalg.norm(fn.random.ball(fn.random.key(0), 3)) <= 1)
    True
    """
    kind, sizes = float_dtype("ball", dtype), as_shape("ball", shape)
    (d,) = as_shape("ball", d)
    first, second = two_keys(as_key("ball", key))
    g = _generalized(first, p, (*sizes, d), kind, "ball")
    e = exponentials("ball", second, sizes, kind)
    p = parameter("ball", "p", p, kind, ())
    length = np.power(np.sum(np.power(np.abs(g), p), axis=-1) + e, 1.0 / p)
    return g / length[..., None]
