"""Minima of functions of many variables, by quasi-Newton steps: BFGS and L-BFGS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy

import fn.numpy as np
from fn.control import fori_loop, while_loop
from fn.core import ArgumentError, public, type_of
from fn.scipy._arguments import inexact
from fn.scipy.optimize._line_search import line_search
from fn.transforms import value_and_grad


class OptimizeResults(NamedTuple):
    """What `minimize` finds.

    >>> import fn.numpy as np
    >>> from fn.scipy import optimize
    >>> found = optimize.minimize(lambda x: ((x - 1) ** 2).sum(), np.zeros(2), method="BFGS")
    >>> bool(found.success), found.x.shape
    (True, (2,))
    """

    x: Any
    """The point."""
    success: Any
    """Whether the gradient is as small as asked for."""
    status: Any
    """0 if so; 1 after `maxiter` steps; from 2 up, no step was found."""
    fun: Any
    jac: Any
    """The gradient at `x`."""
    hess_inv: Any
    """The estimate of the inverse of the Hessian; None for L-BFGS."""
    nfev: Any
    njev: Any
    nit: Any


@public
def minimize(
    fun: Callable[..., Any],
    x0: Any,
    args: tuple[Any, ...] = (),
    *,
    method: str,
    tol: float | None = None,
    options: Mapping[str, Any] | None = None,
) -> OptimizeResults:
    """Where a function is smallest, close to where the search starts.

    Args:
        fun: `(x, *args) -> number`, of a vector.
        x0: where to start, a vector.
        args: further arguments.
        method: "BFGS" (J. Nocedal and S. Wright, Numerical Optimization, 2006, algorithm 6.1), or
            "l-bfgs-experimental-do-not-rely-on-this" for L-BFGS (algorithm 7.5), which keeps vectors
            instead of a matrix.
        tol: in place of `gtol`.
        options: `maxiter`, `gtol` (1e-5), `norm` (inf) and `line_search_maxiter` (10); for L-BFGS `maxcor`
            (10), `maxiter`, `gtol`, `ftol`, `maxfun`, `maxgrad`, `maxls` (20) and `norm`.

    It can be compiled and batched. There is no reverse derivative through it.

    >>> import fn.numpy as np
    >>> from fn.scipy import optimize
    >>> found = optimize.minimize(lambda x: ((x - 3.0) ** 2).sum(), np.zeros(2), method="BFGS")
    >>> [round(float(v), 3) for v in found.x]
    [3.0, 3.0]
    """
    if not isinstance(args, tuple):
        raise ArgumentError(
            "minimize: args is no tuple", expected="a tuple", got=type(args).__name__
        )
    methods: dict[str, Callable[..., OptimizeResults]] = {
        "bfgs": _bfgs, "l-bfgs-experimental-do-not-rely-on-this": _limited,
    }  # fmt: skip
    name = str(method).lower()
    if name not in methods:
        raise ArgumentError(
            "minimize: unknown method", expected=" or ".join(methods), got=repr(method)
        )
    (x,) = inexact("minimize", x0)
    x = np.asarray(x)
    if x.ndim != 1:
        raise ArgumentError(
            "minimize: the start is no vector", expected="a vector", got=str(type_of(x)),
            fix="flatten it: fn.numpy.ravel, or jax.flatten_util.ravel_pytree for a tree",
        )  # fmt: skip
    given = dict(options or {})
    if tol is not None:
        given.setdefault("gtol", tol)
    try:
        return methods[name](value_and_grad(lambda v: fun(v, *args)), x, **given)
    except TypeError as error:
        if "unexpected keyword argument" not in str(error) or methods[name].__name__ not in str(
            error
        ):
            raise
        raise ArgumentError(
            "minimize: unknown option", expected="one of those listed in its docstring",
            got=", ".join(given),
        ) from None  # fmt: skip


class _Point(NamedTuple):
    steps: Any
    evaluations: Any
    converged: Any
    status: Any
    x: Any
    value: Any
    gradient: Any
    before: Any
    """The value at the point before."""
    memory: Any


def _bfgs(
    f: Callable[..., Any],
    x: Any,
    maxiter: int | None = None,
    norm: Any = numpy.inf,
    gtol: float = 1e-5,
    line_search_maxiter: int = 10,
) -> OptimizeResults:
    n = x.shape[0]
    most = n * 200 if maxiter is None else maxiter
    unit = np.eye(n, dtype=x.dtype)

    def step(p: _Point) -> _Point:
        inverse = p.memory
        direction = -np.matmul(inverse, p.gradient)
        found = line_search(f, p.x, direction, p.value, p.gradient, p.before, line_search_maxiter)
        s = np.astype(found.length, x.dtype) * direction
        y = found.gradient - p.gradient
        rho = 1.0 / np.dot(y, s)
        turn = unit - rho * np.outer(s, y)
        updated = np.matmul(np.matmul(turn, inverse), turn.T) + rho * np.outer(s, s)
        return _Point(
            p.steps + 1, p.evaluations + found.evaluations,
            np.linalg.norm(found.gradient, norm) < gtol,
            np.where(found.failed, 2 + found.status, 0), p.x + s, found.value, found.gradient, p.value,
            np.where(np.isfinite(rho), updated, inverse),
        )  # fmt: skip

    value, gradient = f(x)
    before = value + np.linalg.norm(gradient) / 2
    return _run(f, x, value, gradient, before, unit, step, most, gtol, norm, True)


def _run(
    f: Any, x: Any, value: Any, gradient: Any, before: Any, memory: Any, step: Any, most: Any, gtol: float,
    norm: Any, dense: bool,
) -> OptimizeResults:  # fmt: skip
    def going(p: _Point) -> Any:
        return ~p.converged & (p.status == 0) & (p.steps < most)

    converged = np.linalg.norm(gradient, norm) < gtol
    zero = np.zeros((), int)
    start = _Point(zero, zero + 1, converged, zero, x, value, gradient, before, memory)
    end = while_loop(going, step, start)
    status = np.where(end.converged, 0, np.where(end.status != 0, end.status, 1))
    return OptimizeResults(
        end.x, end.converged, status, end.value, end.gradient, end.memory if dense else None,
        end.evaluations, end.evaluations, end.steps,
    )  # fmt: skip


class _Memory(NamedTuple):
    """The last steps and changes of the gradient, the newest last."""

    s: Any
    y: Any
    rho: Any
    scale: Any


def _shifted(rows: Any, new: Any) -> Any:
    return np.concatenate([rows[1:], new[None]])


def _limited(
    f: Callable[..., Any],
    x: Any,
    maxiter: int | None = None,
    norm: Any = numpy.inf,
    maxcor: int = 10,
    ftol: float = 2.220446049250313e-09,
    gtol: float = 1e-5,
    maxfun: float | None = None,
    maxgrad: float | None = None,
    maxls: int = 20,
) -> OptimizeResults:
    n = x.shape[0]
    if maxiter is None and maxfun is None and maxgrad is None:
        maxiter = n * 200
    most = numpy.inf if maxiter is None else maxiter
    calls = min(numpy.inf if m is None else m for m in (maxfun, maxgrad))

    def direction(p: _Point) -> Any:
        m: _Memory = p.memory

        def back(i: Any, state: Any) -> Any:
            q, shares = state
            k = maxcor - 1 - i
            share = m.rho[k] * np.dot(m.s[k], q)  # 0 where nothing is kept yet
            return q - share * m.y[k], np.where(np.arange(maxcor) == k, share, shares)

        def forth(k: Any, q: Any) -> Any:
            return q + (shares[k] - m.rho[k] * np.dot(m.y[k], q)) * m.s[k]

        q, shares = fori_loop(0, maxcor, back, (-p.gradient, np.zeros(maxcor, x.dtype)))
        return fori_loop(0, maxcor, forth, m.scale * q)

    def step(p: _Point) -> _Point:
        along = direction(p)
        found = line_search(f, p.x, along, p.value, p.gradient, None, maxls)
        s, y = np.astype(found.length, x.dtype) * along, found.gradient - p.gradient
        inverse = np.dot(y, s)
        m: _Memory = p.memory
        rho = np.where(inverse == 0, 0.0, 1.0 / np.where(inverse == 0, 1.0, inverse))
        square = np.dot(y, y)
        scale = np.where(square == 0, 1.0, inverse / np.where(square == 0, 1.0, square))
        evaluations = p.evaluations + found.evaluations
        status = np.where(p.value - found.value < ftol, 4, 0)
        status = np.where(evaluations >= calls, 2, status)
        status = np.where(found.failed, 5, status)
        return _Point(
            p.steps + 1, evaluations, np.linalg.norm(found.gradient, norm) < gtol, status, p.x + s,
            found.value, found.gradient, p.value,
            _Memory(_shifted(m.s, s), _shifted(m.y, y), _shifted(m.rho, rho), scale),
        )  # fmt: skip

    value, gradient = f(x)
    empty = np.zeros((maxcor, n), x.dtype)
    memory = _Memory(empty, empty, np.zeros(maxcor, x.dtype), np.ones((), x.dtype))
    return _run(f, x, value, gradient, value, memory, step, most, gtol, norm, False)
