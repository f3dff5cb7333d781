"""Densities estimated from samples, with a normal kernel around each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy

import fn.numpy as np
from fn import ops
from fn.core import ArgumentError, public, type_of
from fn.random import choice, multivariate_normal, split
from fn.scipy import special
from fn.scipy._arguments import floats
from fn.scipy.stats import _norm as norm
from fn.scipy.stats._support import LOG_2PI
from fn.xla import fused


@jax.tree_util.register_pytree_node_class
class gaussian_kde:
    """The density that samples come from, estimated by a normal kernel around each of them.

    A pytree: it can be passed to functions and differentiated through.

    Args:
        dataset: samples, a vector, or an array (dimension, samples).
        bw_method: width of the kernel in units of the samples' deviation: "scott" (the default),
            "silverman", a number, or a function of the estimate.
        weights: of the samples, a vector.

    >>> from fn.scipy import stats
    >>> import fn.numpy as np
    >>> density = stats.gaussian_kde(np.array([0.0, 1.0, 2.0]))
    >>> bool(density(1.0)[0] > density(5.0)[0])
    True
    """

    __slots__ = ("neff", "dataset", "weights", "covariance", "inv_cov")

    neff: Any
    """How many samples of equal weight they are worth."""
    dataset: Any
    weights: Any
    covariance: Any
    """Of the kernel."""
    inv_cov: Any

    @public
    def __init__(
        self,
        dataset: Any,
        bw_method: str | Callable[[Any], Any] | Any | None = None,
        weights: Any = None,
    ) -> None:
        (samples,) = floats("gaussian_kde", dataset)
        samples = np.atleast_2d(samples)
        d, n = samples.shape
        if d * n < 2:
            raise ArgumentError(
                "gaussian_kde: too few samples", expected="at least 2", got=str(d * n)
            )
        self.dataset, self.weights = samples, np.full(n, 1.0 / n, samples.dtype)
        if weights is not None:
            self.dataset, w = floats("gaussian_kde", samples, weights)
            w = np.atleast_1d(w)
            if w.shape != (n,):
                raise ArgumentError(
                    "gaussian_kde: the weights do not fit the samples", expected=f"a vector of {n}",
                    got=str(type_of(weights)),
                )  # fmt: skip
            self.weights = w / np.sum(w)
        self.neff = 1.0 / np.sum(np.square(self.weights))
        spread = np.atleast_2d(np.cov(self.dataset, bias=False, aweights=self.weights))
        factor = self._factor("scott" if bw_method is None else bw_method)
        self.covariance = spread * factor**2
        self.inv_cov = np.linalg.inv(spread) / factor**2

    def _factor(self, bw_method: Any) -> Any:
        if isinstance(bw_method, str) and bw_method == "scott":
            return np.power(self.neff, -1.0 / (self.d + 4))
        if isinstance(bw_method, str) and bw_method == "silverman":
            return np.power(self.neff * (self.d + 2) / 4.0, -1.0 / (self.d + 4))
        if callable(bw_method):
            return bw_method(self)
        kind = type_of(bw_method)
        if kind is None or kind.shape:
            raise ArgumentError(
                "gaussian_kde: unknown bw_method", got=repr(bw_method),
                expected="'scott', 'silverman', a number or a function",
            )  # fmt: skip
        return bw_method

    def tree_flatten(self) -> tuple[tuple[Any, ...], None]:
        """For JAX's pytrees."""
        return tuple([getattr(self, name) for name in self.__slots__]), None

    @classmethod
    def tree_unflatten(cls, aux_data: None, children: Any) -> gaussian_kde:
        """For JAX's pytrees."""
        kde = cls.__new__(cls)
        for name, child in zip(cls.__slots__, children, strict=True):
            setattr(kde, name, child)
        return kde

    @property
    def d(self) -> int:
        """Dimension of the samples."""
        return int(self.dataset.shape[0])

    @property
    def n(self) -> int:
        """How many samples there are."""
        return int(self.dataset.shape[1])

    @public
    def evaluate(self, points: Any) -> Any:
        """The density at points (dimension, points), or (points,) in one dimension."""
        return _evaluate(self, self._points(points), False)

    __call__ = pdf = evaluate

    @public
    def logpdf(self, x: Any) -> Any:
        """The logarithm of the density at points."""
        return _evaluate(self, self._points(x), True)

    def _points(self, points: Any) -> Any:
        (x,) = floats("gaussian_kde", points)
        x = np.atleast_2d(x)
        if x.shape[0] != self.d and x.shape == (1, self.d):
            x = x.reshape((self.d, 1))
        if x.shape[0] != self.d:
            raise ArgumentError(
                "gaussian_kde: the points have another dimension than the samples",
                expected=f"({self.d}, points)", got=str(type_of(points)),
            )  # fmt: skip
        return x

    @public
    def integrate_gaussian(self, mean: Any, cov: Any) -> Any:
        """The integral of the density times that of the normal distribution with this mean and covariance."""
        mean, cov = floats("integrate_gaussian", mean, cov)
        mean, cov = np.atleast_1d(np.squeeze(mean)), np.atleast_2d(cov)
        if mean.shape != (self.d,) or cov.shape != (self.d, self.d):
            raise ArgumentError(
                "integrate_gaussian: the parameters do not fit", got=f"{mean.shape} and {cov.shape}",
                expected=f"a mean ({self.d},) and a covariance ({self.d}, {self.d})",
            )  # fmt: skip
        return _overlap(self.dataset, self.weights, mean[:, None], self.covariance + cov)[0]

    @public
    def integrate_box_1d(self, low: Any, high: Any) -> Any:
        """The share between two numbers, in one dimension."""
        if self.d != 1:
            raise ArgumentError(
                "integrate_box_1d: the density has more than one dimension", expected="1", got=str(self.d)
            )  # fmt: skip
        width = np.sqrt(self.covariance[0, 0])
        share = norm.cdf(high, self.dataset[0], width) - norm.cdf(low, self.dataset[0], width)
        return np.sum(self.weights * share)

    @public
    def integrate_kde(self, other: gaussian_kde) -> Any:
        """The integral of the product of two densities."""
        if other.d != self.d:
            raise ArgumentError(
                "integrate_kde: the densities have other dimensions", expected=str(self.d), got=str(other.d)
            )  # fmt: skip
        covariance = self.covariance + other.covariance
        found = _overlap(self.dataset, self.weights, other.dataset, covariance)
        return np.sum(found * other.weights)

    @public
    def resample(self, key: Any, shape: Any = ()) -> Any:
        """Numbers drawn from the density: (dimension, *shape)."""
        which, noise = split(key)
        picked = choice(which, self.n, shape, p=self.weights)
        mean = np.zeros(self.d, self.covariance.dtype)
        moved = multivariate_normal(noise, mean, self.covariance, shape, self.dataset.dtype)
        return self.dataset[:, picked] + np.moveaxis(moved, -1, 0)


@fused("log")
def _evaluate(kde: Any, points: Any, log: bool) -> Any:
    # Turned so that the kernel is round.
    factor = np.linalg.cholesky(kde.inv_cov)
    samples, places = np.matmul(factor.T, kde.dataset), np.matmul(factor.T, points)
    distance = np.sum(np.square(places[:, :, None] - samples[:, None, :]), axis=0)
    norm_ = np.sum(np.log(np.diag(factor))) - 0.5 * kde.d * LOG_2PI
    kernels = norm_ - 0.5 * distance
    if log:
        return special.logsumexp(kernels, axis=1, b=kde.weights)
    return np.sum(kde.weights * np.exp(kernels), axis=1)


@fused()
def _overlap(samples: Any, weights: Any, places: Any, covariance: Any) -> Any:
    """The weighted sum of normal densities around samples, at each of some places."""
    factor = np.linalg.cholesky(covariance)
    d, n = samples.shape
    rest = (places[:, :, None] - samples[:, None, :]).reshape((d, -1))
    y = ops.triangular_solve(factor, rest, left_side=True, lower=True)
    square = np.sum(np.square(y), axis=0).reshape((places.shape[1], n))
    logs = -0.5 * d * numpy.log(2 * numpy.pi) - np.sum(np.log(np.diag(factor)))
    return np.sum(weights * np.exp(logs - 0.5 * square), axis=1)
